/* Credentials of a container's task or pod (ECS, EKS Pod Identity), from the address in the environment ("Container
 * credential provider" in the AWS SDKs and Tools Reference Guide). */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/credentials/metadata.h"

#define CONTAINER_HOST       "http://169.254.170.2"
#define CONTAINER_TIMEOUT_MS 2000
#define CONTAINER_TRIES      3
#define TOKEN_MAX_BYTES      (64u << 10)

struct container_source {
	struct aws_source head;
	struct loop_http *http;
	int tries;
};

static void container_send(struct container_source *s);

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* The address to ask, to be freed; NULL when nothing is set. */
static char *container_url(void)
{
	const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if (relative != NULL)
		return mem_printf(CONTAINER_HOST "%s", relative);
	return mem_strdup(full);
}

/* An unencrypted answer may come from this machine or from the two services' own addresses only. */
static bool host_is_allowed(const char *host)
{
	static const char *const allowed[] = {"localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
	struct in_addr address;

	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
		if (strcasecmp(host, allowed[i]) == 0)
			return true;
	}
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool url_is_allowed(const char *url)
{
	const char *host = url + strlen("http://");
	size_t len;
	mem_auto_str char *name = NULL;

	if (strncasecmp(url, "https://", strlen("https://")) == 0)
		return true;
	if (strncasecmp(url, "http://", strlen("http://")) != 0)
		return false;
	len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL)
		return false;
	if (host[0] == '[') {
		name = mem_strndup(host + 1, strcspn(host + 1, "]"));
		return host_is_allowed(name);
	}
	name = mem_strndup(host, strcspn(host, ":/?#"));
	return host_is_allowed(name);
}

/* 1 with a token, 0 without one, -1 after failing the fetch. Read each time: the file's token is short-lived. */
static int container_token(struct container_source *s, struct buf *out)
{
	const char *file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	int result;

	if (file == NULL && token == NULL)
		return 0;
	if (file != NULL) {
		result = text_file_read(out, file, TOKEN_MAX_BYTES);
		if (result < 0) {
			aws_source_fail(&s->head, false, NULL, "cannot read %s: %s", file, strerror(-result));
			return -1;
		}
		while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]) != NULL)
			buf_truncate(out, out->len - 1);
	} else {
		buf_adds(out, token);
	}
	if (strpbrk(buf_str(out), "\r\n") != NULL) {
		aws_source_fail(&s->head, false, NULL, "the authorization token holds a line break");
		return -1;
	}
	return 1;
}

static void on_answer(void *payload, const struct loop_http_answer *answer)
{
	struct container_source *s = payload;
	struct aws_credentials found = {0};
	struct diag d = DIAG_INIT;
	bool again = answer->outcome != LOOP_HTTP_ANSWERED || answer->status >= 500;

	s->http = NULL;
	if (again && ++s->tries < CONTAINER_TRIES) {
		container_send(s);
		return;
	}
	if (answer->outcome != LOOP_HTTP_ANSWERED)
		aws_source_fail(&s->head, true, NULL, "%s", answer->error);
	else if (answer->status != 200)
		aws_source_fail(&s->head, again, NULL, "the credentials endpoint answered HTTP %d", answer->status);
	else if (aws_credentials_parse(&found, answer->body, answer->body_len, &d) < 0)
		aws_source_fail(&s->head, false, NULL, "%s", diag_first_error(&d));
	else
		aws_source_found(&s->head, &found);
	aws_credentials_clear(&found);
	diag_free(&d);
}

static void container_send(struct container_source *s)
{
	mem_auto_str char *url = container_url();
	buf_auto struct buf token = BUF_INIT;
	int has_token = container_token(s, &token);

	if (has_token >= 0)
		s->http = metadata_start(aws_loop(s->head.aws),
					 &(struct metadata_request){.method = "GET",
								    .url = url,
								    .header_name = has_token ? "Authorization" : NULL,
								    .header_value = buf_str(&token),
								    .timeout_ms = CONTAINER_TIMEOUT_MS},
					 on_answer, s);
	mem_wipe(token.data, token.cap);
}

static void container_fetch(struct aws_source *source)
{
	struct container_source *s = (struct container_source *)source;
	mem_auto_str char *url = container_url();

	s->tries = 0;
	if (url == NULL)
		aws_source_none(source, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
	else if (!url_is_allowed(url))
		aws_source_fail(
		    source, false, NULL,
		    "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or an address of this machine, ECS or EKS");
	else
		container_send(s);
}

static void container_cancel(struct aws_source *source)
{
	struct container_source *s = (struct container_source *)source;

	loop_http_cancel(s->http);
	s->http = NULL;
	aws_source_cancelled(source);
}

static void container_free(struct aws_source *source)
{
	loop_http_cancel(((struct container_source *)source)->http);
	free(source);
}

struct aws_source *aws_source_container(struct aws *aws)
{
	static const struct aws_source_ops ops = {container_fetch, container_free, container_cancel};
	struct container_source *s = mem_alloc(sizeof *s);

	aws_source_init(&s->head, &ops, aws, "container credentials");
	return &s->head;
}
