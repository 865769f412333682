/* The HTTP side: libmicrohttpd on one epoll loop. A request is answered the moment it is complete; latency only holds
 * the finished answer back (a suspended connection and a heap of due times), so that it never blocks another one. */
#include "tests/sandbox/flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 8192
#define HANG_MS         (60 * 60 * 1000)

struct exchange {
	struct sb *sb;
	struct MHD_Connection *connection;
	struct sb_http http;
	enum sb_fate fate;
	bool started, done, too_big;
	int64_t due_ms;
};

/* Connections that wait for their due time, soonest first. */
static struct {
	struct exchange **items;
	size_t count, size;
} heap;

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
	(void)number;
	stop_asked = 1;
}

/* Only so that the wait ends. */
static void on_child(int number)
{
	(void)number;
}

static int64_t steady_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what services use ---- */

const char *sb_http_header(const struct sb_http *http, const char *name)
{
	for (size_t i = 0; i < http->header_count; i++)
		if (strcasecmp(http->headers[i].name, name) == 0)
			return http->headers[i].value;
	return NULL;
}

void sb_http_reply_header(struct sb_http *http, const char *name, const char *value)
{
	http->answer_headers =
	    mem_resize(http->answer_headers, http->answer_header_count + 1, sizeof *http->answer_headers);
	http->answer_headers[http->answer_header_count++] = (struct sb_pair){mem_strdup(name), mem_strdup(value)};
}

char *sb_http_query(const struct sb_http *http, const char *name)
{
	const char *p = http->query;

	while (*p != '\0') {
		size_t len = strcspn(p, "&"), key = strcspn(p, "=&");
		mem_auto_str char *found = sb_url_decode(p, key, true);

		if (strcmp(found, name) == 0)
			return key < len ? sb_url_decode(p + key + 1, len - key - 1, true) : mem_strdup("");
		p += len + (p[len] == '&');
	}
	return NULL;
}

static void pairs_free(struct sb_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
	free(pairs);
}

void sb_http_clear(struct sb_http *http)
{
	free(http->method);
	free(http->target);
	free(http->path);
	pairs_free(http->headers, http->header_count);
	pairs_free(http->answer_headers, http->answer_header_count);
	buf_free(&http->body);
	buf_free(&http->answer);
	memset(http, 0, sizeof *http);
}

/* ---- the heap ---- */

static void heap_swap(size_t a, size_t b)
{
	struct exchange *keep = heap.items[a];

	heap.items[a] = heap.items[b];
	heap.items[b] = keep;
}

static void heap_push(struct exchange *ex)
{
	size_t i = heap.count++;

	if (heap.count > heap.size) {
		heap.size = heap.size == 0 ? 64 : heap.size * 2;
		heap.items = mem_resize(heap.items, heap.size, sizeof(struct exchange *));
	}
	heap.items[i] = ex;
	for (; i > 0 && heap.items[(i - 1) / 2]->due_ms > heap.items[i]->due_ms; i = (i - 1) / 2)
		heap_swap(i, (i - 1) / 2);
}

static struct exchange *heap_pop(void)
{
	struct exchange *first = heap.items[0];
	size_t i = 0;

	heap.items[0] = heap.items[--heap.count];
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap.count; child++)
			if (heap.items[child]->due_ms < heap.items[least]->due_ms)
				least = child;
		if (least == i)
			return first;
		heap_swap(i, least);
		i = least;
	}
}

/* ---- one request ---- */

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *ex = mem_alloc(sizeof *ex);

	ex->sb = cls;
	ex->connection = connection;
	ex->http.target = mem_strdup(uri);
	return ex;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct sb_http *http = cls;

	(void)kind;
	http->headers = mem_resize(http->headers, http->header_count + 1, sizeof *http->headers);
	http->headers[http->header_count++] =
	    (struct sb_pair){mem_strdup(name), mem_strdup(value == NULL ? "" : value)};
	return MHD_YES;
}

static void exchange_start(struct exchange *ex, const char *method)
{
	struct sb_http *http = &ex->http;

	ex->started = true;
	http->method = mem_strdup(method);
	http->path = mem_strdup(http->target);
	http->query = strchr(http->path, '?');
	if (http->query == NULL)
		http->query = http->path + strlen(http->path);
	else
		*http->query++ = '\0';
	MHD_get_connection_values(ex->connection, MHD_HEADER_KIND, on_header, http);
	if (++ex->sb->in_flight > ex->sb->in_flight_max)
		ex->sb->in_flight_max = ex->sb->in_flight;
}

static enum MHD_Result exchange_reply(struct exchange *ex)
{
	struct sb_http *http = &ex->http;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (ex->fate != SB_ANSWER)
		return MHD_NO;
	response = MHD_create_response_from_buffer(http->answer.len, (void *)(uintptr_t)buf_str(&http->answer),
						   MHD_RESPMEM_PERSISTENT);
	for (size_t i = 0; i < http->answer_header_count; i++)
		MHD_add_response_header(response, http->answer_headers[i].name, http->answer_headers[i].value);
	result = MHD_queue_response(ex->connection, (unsigned int)http->status, response);
	MHD_destroy_response(response);
	return result;
}

static void exchange_work(struct exchange *ex)
{
	if (ex->too_big) {
		ex->http.status = 413;
		buf_adds(&ex->http.answer, "the body is larger than the sandbox takes\n");
	} else if (!sb_control(ex->sb, &ex->http)) {
		ex->fate = sb_dispatch(ex->sb, &ex->http);
		ex->due_ms = ex->sb->latency_ms;
	}
	if (ex->fate == SB_HANG)
		ex->due_ms = HANG_MS;
	ex->done = true;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_size, void **con_cls)
{
	struct exchange *ex = *con_cls;

	(void)cls;
	(void)connection;
	(void)url;
	(void)version;
	if (ex->done)
		return exchange_reply(ex);
	if (!ex->started) {
		exchange_start(ex, method);
		return MHD_YES;
	}
	if (*upload_size > 0) {
		if (ex->http.body.len + *upload_size > SB_BODY_MAX)
			ex->too_big = true;
		else
			buf_add(&ex->http.body, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	exchange_work(ex);
	if (ex->due_ms <= 0)
		return exchange_reply(ex);
	ex->due_ms += steady_ms();
	MHD_suspend_connection(ex->connection);
	heap_push(ex);
	return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct exchange *ex = *con_cls;

	(void)cls;
	(void)connection;
	(void)code;
	if (ex == NULL)
		return;
	if (ex->started)
		ex->sb->in_flight--;
	sb_http_clear(&ex->http);
	free(ex);
	*con_cls = NULL;
}

/* MHD would fold "%2F" and "+"; the signature needs the path as it came, so nothing is decoded here. */
static size_t keep_encoded(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls;
	(void)connection;
	return strlen(text);
}

static void log_nothing(void *cls, const char *format, va_list args)
{
	(void)cls;
	(void)format;
	(void)args;
}

/* ---- the loop ---- */

static void release_due(int64_t now)
{
	while (heap.count > 0 && heap.items[0]->due_ms <= now)
		MHD_resume_connection(heap_pop()->connection);
}

static int wait_ms(struct MHD_Daemon *daemon, struct sb *sb)
{
	MHD_UNSIGNED_LONG_LONG asked;
	int64_t wait = sb_runs_wait_ms(sb, 1000);

	if (MHD_get_timeout(daemon, &asked) == MHD_YES && (int64_t)asked < wait)
		wait = (int64_t)asked;
	if (heap.count > 0 && heap.items[0]->due_ms - steady_ms() < wait)
		wait = heap.items[0]->due_ms - steady_ms();
	return wait < 0 ? 0 : (int)wait;
}

static struct MHD_Daemon *daemon_start(struct sb *sb, unsigned short port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, port, NULL, NULL,
				on_request, sb, MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL, MHD_OPTION_SOCK_ADDR,
				(struct sockaddr *)&address, MHD_OPTION_URI_LOG_CALLBACK, on_uri, sb,
				MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, NULL, MHD_OPTION_NOTIFY_COMPLETED,
				on_completed, sb, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(64 * 1024), MHD_OPTION_CONNECTION_TIMEOUT,
				300u, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_END);
}

int sb_http_serve(struct sb *sb, unsigned short port)
{
	struct sigaction action = {.sa_handler = on_signal}, child = {.sa_handler = on_child};
	sigset_t during, blocked;
	struct MHD_Daemon *daemon;
	struct pollfd waiting = {.events = POLLIN};

	/* Signals arrive only while waiting, so that none falls between the check and the wait. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, &during);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGCHLD, &child, NULL);
	signal(SIGPIPE, SIG_IGN);
	daemon = daemon_start(sb, port);
	if (daemon == NULL) {
		fprintf(stderr, "muster-sandbox: cannot listen on port %u: %s\n", port, strerror(errno));
		return 1;
	}
	sb->port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	printf("http://127.0.0.1:%u\n", sb->port);
	fflush(stdout);
	waiting.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	while (!stop_asked) {
		int wait = wait_ms(daemon, sb);
		struct timespec limit = {wait / 1000, wait % 1000 * 1000000L};

		ppoll(&waiting, 1, &limit, &during);
		release_due(steady_ms());
		MHD_run(daemon);
		sb_runs_poll(sb);
	}
	while (heap.count > 0) {
		heap.items[0]->fate = SB_CLOSE;
		MHD_resume_connection(heap_pop()->connection);
	}
	MHD_run(daemon);
	MHD_stop_daemon(daemon);
	free(heap.items);
	return 0;
}
