/* See loop.h. This file: HTTP transfers over libcurl's multi interface, driven socket by socket (a turn costs what is
 * ready, not what is open). No redirects, no retries, no headers but the caller's: who signs requests decides. */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/loop.h"
#include "base/loop_private.h"
#include "base/mem.h"

#define DEFAULT_TIMEOUT_MS         60000
#define DEFAULT_CONNECT_TIMEOUT_MS 10000
/* Connections kept open, busy ones included. Below the usual limit of 1,024 descriptors. */
#define CONNECTIONS_MAX 600
/* A kept connection that was idle for longer is not used again: servers close theirs after a while, and a request sent
 * at that moment is lost. */
#define CONNECTION_IDLE_MAX_S 20
#define HEADER_BYTES_MAX      (256u << 10)
/* Easy handles kept for reuse, and the largest body buffer that one may keep. */
#define SPARES_MAX       512
#define SPARE_BODY_BYTES (256u << 10)

struct loop_http {
	struct loop *loop;
	struct loop_http *next, **at; /* in `live` or (next only) `spare` */
	CURL *easy;
	struct curl_slist *headers;
	struct buf body, raw_headers;
	bool too_large;
	bool resent; /* libcurl was about to send a second time what it had sent before */
	char error[CURL_ERROR_SIZE];
	loop_http_callback *call;
	void *payload;
};

/* libcurl's callbacks */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *payload, void *socket_payload);
static int on_timer(CURLM *multi, long timeout_ms, void *payload);
static size_t on_body(char *bytes, size_t size, size_t count, void *payload);
static size_t on_header(char *bytes, size_t size, size_t count, void *payload);
static int on_connected(void *payload, char *ip, char *local_ip, int port, int local_port);

/* the life of a transfer */
static struct loop_http *transfer_take(struct loop *loop);
static void transfer_prepare(struct loop_http *transfer, const struct loop_http_request *request);
static void transfer_give_back(struct loop_http *transfer);
static void transfer_end(struct loop_http *transfer, CURLcode code);

/* -- The room's side of the loop ----------------------------------------------------------------------------------- */

int loop_http_open(struct loop *loop, struct diag *d)
{
	struct loop_transfers *http = &loop->http;

	http->due_ms = -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return diag_error(d, "cannot initialise libcurl");
	http->multi = curl_multi_init();
	http->share = curl_share_init();
	if (http->multi == NULL || http->share == NULL)
		return diag_error(d, "cannot initialise libcurl");
	curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, loop);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return 0;
}

static void transfer_free(struct loop_http *transfer)
{
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	buf_free(&transfer->body);
	buf_free(&transfer->raw_headers);
	free(transfer);
}

void loop_http_close(struct loop *loop)
{
	struct loop_transfers *http = &loop->http;

	while (http->live != NULL)
		loop_http_cancel(http->live);
	while (http->spare != NULL) {
		struct loop_http *transfer = http->spare;

		http->spare = transfer->next;
		transfer_free(transfer);
	}
	curl_multi_cleanup(http->multi);
	curl_share_cleanup(http->share);
	curl_global_cleanup();
}

bool loop_http_busy(const struct loop *loop)
{
	return loop->http.live != NULL;
}

void loop_http_ready(struct loop *loop, int fd, uint32_t events)
{
	int mask = 0, running;

	if (events & (EPOLLIN | EPOLLHUP))
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		mask |= CURL_CSELECT_ERR;
	curl_multi_socket_action(loop->http.multi, fd, mask, &running);
}

void loop_http_turn(struct loop *loop)
{
	struct loop_transfers *http = &loop->http;
	CURLMsg *message;
	int running, left;

	if (http->due_ms >= 0 && http->due_ms <= loop->now_ms) {
		http->due_ms = -1;
		curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	while (http->live != NULL && (message = curl_multi_info_read(http->multi, &left)) != NULL) {
		struct loop_http *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer_end(transfer, message->data.result);
	}
}

/* -- libcurl's callbacks ------------------------------------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *payload, void *socket_payload)
{
	static const uint32_t events[] = {[CURL_POLL_NONE] = 0,
					  [CURL_POLL_IN] = EPOLLIN,
					  [CURL_POLL_OUT] = EPOLLOUT,
					  [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
					  [CURL_POLL_REMOVE] = 0};

	(void)easy;
	(void)socket_payload;
	loop_poll_set(payload, LOOP_SOURCE_HTTP, fd, events[what]);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *payload)
{
	struct loop *loop = payload;

	(void)multi;
	loop->http.due_ms = timeout_ms < 0 ? -1 : loop_clock_ms() + timeout_ms;
	return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *payload)
{
	struct loop_http *transfer = payload;

	if (transfer->body.len + size * count > LOOP_HTTP_MAX_BYTES) {
		transfer->too_large = true;
		return 0;
	}
	buf_add(&transfer->body, bytes, size * count);
	return size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *payload)
{
	struct loop_http *transfer = payload;
	size_t len = size * count;

	if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		buf_clear(&transfer->raw_headers); /* those before belong to an interim answer (100 Continue) */
	if (transfer->raw_headers.len + len > HEADER_BYTES_MAX) {
		transfer->too_large = true;
		return 0;
	}
	buf_add(&transfer->raw_headers, bytes, len);
	return len;
}

/* libcurl sends a request a second time, unasked, when a kept connection turns out to be dead before a byte of the
 * answer was read (Curl_retry_request in its transfer.c). The first one may have been acted upon, so that is not for
 * libcurl to decide. Where nothing was written the first time, it may go on. */
static int on_connected(void *payload, char *ip, char *local_ip, int port, int local_port)
{
	struct loop_http *transfer = payload;
	long sent = 0;

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
	transfer->resent = sent > 0;
	return transfer->resent ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* -- The life of a transfer ---------------------------------------------------------------------------------------- */

static struct loop_http *transfer_take(struct loop *loop)
{
	struct loop_http *transfer = loop->http.spare;

	if (transfer != NULL) {
		loop->http.spare = transfer->next;
		loop->http.spare_count--;
	} else {
		transfer = mem_alloc(sizeof *transfer);
		transfer->loop = loop;
		transfer->easy = curl_easy_init();
		if (transfer->easy == NULL)
			abort(); /* out of memory, as in mem.h */
	}
	transfer->next = loop->http.live;
	transfer->at = &loop->http.live;
	if (transfer->next != NULL)
		transfer->next->at = &transfer->next;
	loop->http.live = transfer;
	return transfer;
}

static void transfer_give_back(struct loop_http *transfer)
{
	struct loop_transfers *http = &transfer->loop->http;

	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
	if (http->spare_count >= SPARES_MAX) {
		transfer_free(transfer);
		return;
	}
	curl_easy_reset(transfer->easy);                   /* options only: connections and sessions stay */
	mem_wipe(transfer->body.data, transfer->body.len); /* credentials come this way */
	if (transfer->body.cap > SPARE_BODY_BYTES)
		buf_free(&transfer->body);
	buf_clear(&transfer->body);
	buf_clear(&transfer->raw_headers);
	transfer->too_large = transfer->resent = false;
	transfer->next = http->spare;
	http->spare = transfer;
	http->spare_count++;
}

static void transfer_unlink(struct loop_http *transfer)
{
	curl_multi_remove_handle(transfer->loop->http.multi, transfer->easy);
	*transfer->at = transfer->next;
	if (transfer->next != NULL)
		transfer->next->at = transfer->at;
}

/* Only the caller's headers, Host and Content-Length go out: a header given to libcurl without a value is left out. */
static void transfer_headers(struct loop_http *transfer, const struct loop_http_request *request)
{
	static const char *const automatic[] = {"Accept:", "Expect:", "Content-Type:"};
	struct curl_slist *list = NULL;
	buf_auto struct buf line = BUF_INIT;

	for (size_t i = 0; i < sizeof automatic / sizeof automatic[0]; i++) {
		size_t len = strlen(automatic[i]) - 1;
		bool given = false;

		for (size_t j = 0; j < request->header_count && !given; j++)
			given = strncasecmp(request->headers[j].name, automatic[i], len) == 0 &&
				request->headers[j].name[len] == '\0';
		if (!given)
			list = curl_slist_append(list, automatic[i]);
	}
	for (size_t i = 0; i < request->header_count; i++) {
		const struct loop_http_header *header = &request->headers[i];

		buf_clear(&line);
		if (header->value[0] == '\0')
			buf_addf(&line, "%s;", header->name);
		else
			buf_addf(&line, "%s: %s", header->name, header->value);
		list = curl_slist_append(list, buf_str(&line));
	}
	transfer->headers = list;
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, list);
}

static void transfer_method(struct loop_http *transfer, const struct loop_http_request *request)
{
	const char *method = request->method;
	CURL *easy = transfer->easy;

	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	/* POST and PUT say Content-Length: 0 when they have no body; the others say nothing. */
	if (request->body_len > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body_len > 0 ? request->body : "");
	}
	if (strcmp(method, "GET") != 0 || request->body_len > 0)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void transfer_tls(struct loop_http *transfer, const struct loop_http_request *request)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_SHARE, transfer->loop->http.share);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* With a directory set, as Debian's libcurl is built, the parsed bundle is not cached (vtls/openssl.c,
	 * cached_x509_store), and each connection would parse some 140 certificates. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (request->ca_bundle != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_bundle);
}

static void transfer_prepare(struct loop_http *transfer, const struct loop_http_request *request)
{
	CURL *easy = transfer->easy;
	int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
	int64_t connect_ms = request->connect_timeout_ms ? request->connect_timeout_ms : DEFAULT_CONNECT_TIMEOUT_MS;

	transfer->error[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_MAX_S);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	if (request->proxy != NULL)
		curl_easy_setopt(easy, CURLOPT_PROXY, request->proxy);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	transfer_tls(transfer, request);
	transfer_method(transfer, request);
	transfer_headers(transfer, request);
}

struct loop_http *loop_http_start(struct loop *loop, const struct loop_http_request *request, loop_http_callback *call,
				  void *payload)
{
	struct loop_http *transfer = transfer_take(loop);

	transfer->call = call;
	transfer->payload = payload;
	transfer_prepare(transfer, request);
	curl_multi_add_handle(loop->http.multi, transfer->easy);
	return transfer;
}

void loop_http_cancel(struct loop_http *transfer)
{
	if (transfer == NULL)
		return;
	transfer_unlink(transfer);
	transfer_give_back(transfer);
}

/* Whether a failed transfer's request may have reached the server. */
static enum loop_http_outcome failure_outcome(const struct loop_http *transfer, CURLcode code)
{
	long sent = 0;

	if (transfer->too_large)
		return LOOP_HTTP_TOO_LARGE;
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		break;
	default:
		/* Time-outs and broken connections come before and after sending. */
		curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
		break;
	}
	return sent > 0 ? LOOP_HTTP_LOST : LOOP_HTTP_NOT_SENT;
}

static void transfer_end(struct loop_http *transfer, CURLcode code)
{
	struct loop_http_answer answer = {.outcome = LOOP_HTTP_ANSWERED};
	curl_off_t elapsed_us = 0;
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &elapsed_us);
	if (code != CURLE_OK) {
		answer.outcome = failure_outcome(transfer, code);
		answer.error = transfer->resent             ? "the server closed the connection without an answer"
			       : transfer->error[0] != '\0' ? transfer->error
							    : curl_easy_strerror(code);
	}
	answer.status = code == CURLE_OK ? (int)status : 0;
	answer.body = buf_str(&transfer->body);
	answer.body_len = transfer->body.len;
	answer.elapsed_ms = elapsed_us / 1000;
	answer.raw_headers = &transfer->raw_headers;
	transfer_unlink(transfer);
	transfer->call(transfer->payload, &answer);
	transfer_give_back(transfer);
}

bool loop_http_answer_header(const struct loop_http_answer *answer, const char *name, struct buf *out)
{
	const char *line = answer->raw_headers == NULL ? "" : buf_str(answer->raw_headers);
	size_t len = strlen(name);

	buf_clear(out);
	while (*line != '\0') {
		size_t line_len = strcspn(line, "\r\n");

		if (line_len > len && line[len] == ':' && strncasecmp(line, name, len) == 0) {
			const char *value = line + len + 1, *end = line + line_len;

			while (value < end && (*value == ' ' || *value == '\t'))
				value++;
			while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
				end--;
			buf_add(out, value, (size_t)(end - value));
			return true;
		}
		line += line_len;
		line += strspn(line, "\r\n");
	}
	return false;
}
