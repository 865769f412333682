/* Credentials of an EC2 instance's role, from the instance metadata service, version 2 only: a token first, without
 * which nothing is asked ("IMDS credential provider" in the AWS SDKs and Tools Reference Guide). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/credentials/metadata.h"
#include "providers/aws/transport.h"

#define INSTANCE_TIMEOUT_MS 1000
#define ROLE_PATH           "/latest/meta-data/iam/security-credentials/"
#define TOKEN_HEADER        "X-aws-ec2-metadata-token"
#define TTL_HEADER          "X-aws-ec2-metadata-token-ttl-seconds"

enum instance_step { INSTANCE_TOKEN, INSTANCE_ROLE, INSTANCE_CREDENTIALS };

struct instance_source {
	struct aws_source head;
	enum instance_step step;
	struct loop_http *http;
	int tries;
	char *token, *role;
};

static void instance_send(struct instance_source *s);

static const char *setting(const struct instance_source *s, const char *variable, const char *key)
{
	const char *value = getenv(variable);

	if (value != NULL && value[0] != '\0')
		return value;
	return aws_config_get(aws_config(s->head.aws, NULL), "profile", aws_config_profile(), key);
}

static char *instance_endpoint(const struct instance_source *s)
{
	const char *set = setting(s, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
	const char *mode = setting(s, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
	char *endpoint;

	if (set == NULL && mode != NULL && strcasecmp(mode, "IPv6") == 0)
		return mem_strdup("http://[fd00:ec2::254]");
	endpoint = mem_strdup(set == NULL ? "http://169.254.169.254" : set);
	for (size_t len = strlen(endpoint); len > 0 && endpoint[len - 1] == '/'; len--)
		endpoint[len - 1] = '\0';
	return endpoint;
}

static int tries_most(void)
{
	const char *set = getenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS");
	int most = set == NULL ? 1 : atoi(set);

	return most < 1 ? 1 : most > 10 ? 10 : most;
}

static int64_t timeout_ms(void)
{
	const char *set = getenv("AWS_METADATA_SERVICE_TIMEOUT");
	int seconds = set == NULL ? 0 : atoi(set);

	return seconds < 1 || seconds > 60 ? INSTANCE_TIMEOUT_MS : seconds * 1000;
}

static void instance_forget(struct instance_source *s)
{
	if (s->token != NULL)
		mem_wipe(s->token, strlen(s->token));
	free(s->token);
	free(s->role);
	s->token = s->role = NULL;
}

/* No answer to the very first question means that this is no EC2 instance, and 403 to 405 that the service is turned
 * off or is something else; what goes wrong later is a failure. */
static void instance_failed(struct instance_source *s, const struct loop_http_answer *answer)
{
	bool answered = answer->outcome == LOOP_HTTP_ANSWERED;

	if (s->step == INSTANCE_TOKEN && !answered)
		aws_source_none(&s->head, "no metadata service (%s)", answer->error);
	else if (s->step == INSTANCE_TOKEN && answer->status >= 403 && answer->status <= 405)
		aws_source_none(&s->head, "the metadata service gives no token (HTTP %d)", answer->status);
	else if (s->step == INSTANCE_ROLE && answered && answer->status == 404)
		aws_source_none(&s->head, "the instance has no role");
	else if (!answered)
		aws_source_fail(&s->head, true, NULL, "%s", answer->error);
	else
		aws_source_fail(&s->head, answer->status >= 500, NULL, "the metadata service answered HTTP %d",
				answer->status);
}

static void credentials_arrived(struct instance_source *s, const struct loop_http_answer *answer)
{
	json_auto_t *root = json_loadb(answer->body, answer->body_len, 0, NULL);
	const char *code = json_get_string(root, "Code");
	struct aws_credentials found = {0};
	struct diag d = DIAG_INIT;

	if (code != NULL && strcmp(code, "Success") != 0)
		aws_source_fail(&s->head, true, code, "the metadata service has no credentials for role %s", s->role);
	else if (aws_credentials_parse(&found, answer->body, answer->body_len, &d) < 0)
		aws_source_fail(&s->head, false, NULL, "%s", diag_first_error(&d));
	else
		aws_source_found(&s->head, &found);
	aws_credentials_clear(&found);
	diag_free(&d);
}

static void on_answer(void *payload, const struct loop_http_answer *answer)
{
	struct instance_source *s = payload;
	bool answered = answer->outcome == LOOP_HTTP_ANSWERED;

	s->http = NULL;
	if ((!answered || answer->status >= 500) && ++s->tries < tries_most()) {
		instance_send(s);
		return;
	}
	if (!answered || answer->status != 200) {
		instance_failed(s, answer);
		return;
	}
	switch (s->step) {
	case INSTANCE_TOKEN:
		s->token = mem_strndup(answer->body, strcspn(answer->body, "\r\n"));
		s->step = INSTANCE_ROLE;
		break;
	case INSTANCE_ROLE:
		s->role = mem_strndup(answer->body, strcspn(answer->body, "\r\n"));
		s->step = INSTANCE_CREDENTIALS;
		break;
	case INSTANCE_CREDENTIALS:
		credentials_arrived(s, answer);
		return;
	}
	s->tries = 0;
	instance_send(s);
}

static void instance_send(struct instance_source *s)
{
	bool token = s->step == INSTANCE_TOKEN;
	mem_auto_str char *endpoint = instance_endpoint(s);
	buf_auto struct buf url = BUF_INIT;

	buf_addf(&url, "%s%s", endpoint, token ? "/latest/api/token" : ROLE_PATH);
	if (s->step == INSTANCE_CREDENTIALS)
		text_uri_encode(&url, s->role, strlen(s->role), false);
	s->http = metadata_start(aws_loop(s->head.aws),
				 &(struct metadata_request){.method = token ? "PUT" : "GET",
							    .url = buf_str(&url),
							    .header_name = token ? TTL_HEADER : TOKEN_HEADER,
							    .header_value = token ? "21600" : s->token,
							    .timeout_ms = timeout_ms()},
				 on_answer, s);
}

static void instance_fetch(struct aws_source *source)
{
	struct instance_source *s = (struct instance_source *)source;

	if (aws_environment_flag("AWS_EC2_METADATA_DISABLED")) {
		aws_source_none(source, "turned off by AWS_EC2_METADATA_DISABLED");
		return;
	}
	instance_forget(s);
	s->step = INSTANCE_TOKEN;
	s->tries = 0;
	instance_send(s);
}

static void instance_cancel(struct aws_source *source)
{
	struct instance_source *s = (struct instance_source *)source;

	loop_http_cancel(s->http);
	s->http = NULL;
	aws_source_cancelled(source);
}

static void instance_free(struct aws_source *source)
{
	struct instance_source *s = (struct instance_source *)source;

	loop_http_cancel(s->http);
	instance_forget(s);
	free(s);
}

struct aws_source *aws_source_instance(struct aws *aws)
{
	static const struct aws_source_ops ops = {instance_fetch, instance_free, instance_cancel};
	struct instance_source *s = mem_alloc(sizeof *s);

	aws_source_init(&s->head, &ops, aws, "instance metadata");
	return &s->head;
}
