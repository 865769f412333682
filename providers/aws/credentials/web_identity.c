/* A role for a token of another identity provider: GitHub Actions, EKS service accounts. The token lies in a file that
 * its maker replaces, so it is read for each fetch. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/transport.h"

#define TOKEN_MAX_BYTES (64u << 10)

struct web_source {
	struct aws_source head;
	bool from_environment;
	char *role_arn, *token_file, *session_name;
};

static void on_assumed(void *payload, const struct aws_api_result *result)
{
	struct web_source *s = payload;
	struct aws_credentials found = {0};
	struct diag d = DIAG_INIT;
	const char *identity;
	mem_auto_str char *what = NULL;

	if (result->outcome != PROVIDER_DONE) {
		what = mem_printf("could not assume %s with the web identity in %s (STS in %s)", s->role_arn,
				  s->token_file, s->head.aws->home_region);
		aws_source_fail_call(&s->head, what, result);
		return;
	}
	identity = json_get_string(json_object_get(result->output, "AssumedRoleUser"), "Arn");
	if (aws_credentials_from_sts(&found, result->output, &d) < 0)
		aws_source_fail(&s->head, true, NULL, "%s", diag_first_error(&d));
	else
		aws_source_finish(&s->head, &(struct aws_fetch){.outcome = AWS_FETCH_FOUND,
								.credentials = &found,
								.identity = identity == NULL ? s->role_arn : identity});
	aws_credentials_clear(&found);
	diag_free(&d);
}

/* 0, or -1 after ending the fetch. */
static int environment_read(struct web_source *s)
{
	const char *file = getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = getenv("AWS_ROLE_ARN");
	const char *session_name = getenv("AWS_ROLE_SESSION_NAME");

	if (file == NULL || file[0] == '\0') {
		aws_source_none(&s->head, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
		return -1;
	}
	if (role == NULL || role[0] == '\0') {
		aws_source_fail(&s->head, false, NULL, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
		return -1;
	}
	free(s->role_arn);
	free(s->token_file);
	free(s->session_name);
	s->role_arn = mem_strdup(role);
	s->token_file = mem_strdup(file);
	s->session_name = mem_strdup(session_name);
	return 0;
}

static void web_fetch(struct aws_source *source)
{
	struct web_source *s = (struct web_source *)source;
	struct buf token = BUF_INIT;
	json_t *input;
	int result;

	if (s->from_environment && environment_read(s) < 0)
		return;
	result = text_file_read(&token, s->token_file, TOKEN_MAX_BYTES);
	if (result < 0) {
		buf_free(&token);
		aws_source_fail(source, false, NULL, "cannot read %s: %s", s->token_file, strerror(-result));
		return;
	}
	while (token.len > 0 && strchr(" \r\n", token.data[token.len - 1]) != NULL)
		buf_truncate(&token, token.len - 1);
	input = json_pack("{s:s, s:s, s:s}", "RoleArn", s->role_arn, "RoleSessionName",
			  s->session_name == NULL ? "muster" : s->session_name, "WebIdentityToken", buf_str(&token));
	mem_wipe(token.data, token.cap);
	buf_free(&token);
	if (input == NULL) {
		aws_source_fail(source, false, NULL, "%s does not hold a token", s->token_file);
		return;
	}
	aws_api_call_as(source->aws, NULL, source->aws->home_region, "sts", "AssumeRoleWithWebIdentity", input,
			on_assumed, s);
	json_decref(input);
}

static void web_free(struct aws_source *source)
{
	struct web_source *s = (struct web_source *)source;

	free(s->role_arn);
	free(s->token_file);
	free(s->session_name);
	free(s);
}

static struct web_source *web_new(struct aws *aws, const char *name)
{
	static const struct aws_source_ops ops = {web_fetch, web_free, NULL};
	struct web_source *s = mem_alloc(sizeof *s);

	aws_source_init(&s->head, &ops, aws, "%s", name);
	return s;
}

struct aws_source *aws_source_web_identity(struct aws *aws, const char *name, const char *role_arn,
					   const char *token_file, const char *session_name)
{
	struct web_source *s = web_new(aws, name);

	s->role_arn = mem_strdup(role_arn);
	s->token_file = mem_strdup(token_file);
	s->session_name = mem_strdup(session_name);
	return &s->head;
}

struct aws_source *aws_source_web_identity_environment(struct aws *aws)
{
	struct web_source *s = web_new(aws, "web identity");

	s->from_environment = true;
	return &s->head;
}
