/* IAM Identity Center: the token that `aws sso login` has left in ~/.aws/sso/cache buys credentials of one account and
 * role ("IAM Identity Center credential provider" in the AWS SDKs and Tools Reference Guide). Signing in needs a
 * browser and is left to the AWS CLI; so is renewing a token. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/transport.h"

#define TOKEN_MAX_BYTES (256u << 10)

struct sso_source {
	struct aws_source head;
	char *session, *start_url, *region, *account_id, *role_name;
	int64_t signed_in_until_ms;
};

/* The CLI names the file after the session, or after the start URL in profiles of the old kind. */
static char *token_path(const struct sso_source *s)
{
	const char *key = s->session == NULL ? s->start_url : s->session;
	uint8_t hash[SHA_DIGEST_LENGTH];
	char hex[2 * SHA_DIGEST_LENGTH + 1];
	mem_auto_str char *name = NULL;

	SHA1((const unsigned char *)key, strlen(key), hash);
	text_hex(hex, hash, sizeof hash);
	name = mem_printf(".aws/sso/cache/%s.json", hex);
	return aws_home_path(name);
}

/* The token, to be wiped and freed; NULL after ending the fetch. */
static char *token_read(struct sso_source *s)
{
	mem_auto_str char *path = token_path(s);
	struct buf text = BUF_INIT;
	json_t *root = NULL;
	const char *token, *expires;
	char *copy = NULL;
	int64_t expires_ms = 0;

	if (path != NULL && text_file_read(&text, path, TOKEN_MAX_BYTES) == 0)
		root = json_loadb(buf_str(&text), text.len, 0, NULL);
	mem_wipe(text.data, text.cap);
	buf_free(&text);
	token = json_get_string(root, "accessToken");
	expires = json_get_string(root, "expiresAt");
	if (token == NULL)
		aws_source_fail(&s->head, false, NULL, "not signed in (no token in %s): run aws sso login",
				path == NULL ? "~/.aws/sso/cache" : path);
	else if (expires == NULL || text_time_parse(&expires_ms, expires) < 0 || expires_ms <= loop_wall_ms())
		aws_source_fail(&s->head, false, NULL, "the sign-in has expired: run aws sso login");
	else
		copy = mem_strdup(token);
	s->signed_in_until_ms = expires_ms;
	json_decref(root);
	return copy;
}

static void on_answer(void *payload, const struct aws_api_result *result)
{
	struct sso_source *s = payload;
	const json_t *role = json_object_get(result->output, "roleCredentials");
	struct aws_credentials found = {
	    .access_key_id = (char *)json_get_string(role, "accessKeyId"),
	    .secret_access_key = (char *)json_get_string(role, "secretAccessKey"),
	    .session_token = (char *)json_get_string(role, "sessionToken"),
	    .expires_unix_ms = json_get_int(role, "expiration", 0),
	};
	mem_auto_str char *what = NULL, *identity = mem_printf("credentials from %s", s->head.name);

	if (result->outcome != PROVIDER_DONE) {
		what = mem_printf("no credentials of role %s in account %s", s->role_name, s->account_id);
		aws_source_fail_call(&s->head, what, result);
	} else if (found.access_key_id == NULL || found.secret_access_key == NULL) {
		aws_source_fail(&s->head, false, NULL, "the answer has no credentials");
	} else {
		aws_source_finish(&s->head, &(struct aws_fetch){.outcome = AWS_FETCH_FOUND,
								.credentials = &found,
								.identity = identity,
								.final_ms = s->signed_in_until_ms});
	}
}

static void sso_fetch(struct aws_source *source)
{
	struct sso_source *s = (struct sso_source *)source;
	char *token = token_read(s);
	json_t *input;

	if (token == NULL)
		return;
	input =
	    json_pack("{s:s, s:s, s:s}", "accessToken", token, "roleName", s->role_name, "accountId", s->account_id);
	aws_api_call_as(source->aws, NULL, s->region, "sso", "GetRoleCredentials", input, on_answer, s);
	json_decref(input);
	mem_wipe(token, strlen(token));
	free(token);
}

static void sso_free(struct aws_source *source)
{
	struct sso_source *s = (struct sso_source *)source;

	free(s->session);
	free(s->start_url);
	free(s->region);
	free(s->account_id);
	free(s->role_name);
	free(s);
}

struct aws_source *aws_source_sso(struct aws *aws, const char *profile, const struct aws_sso *sso)
{
	static const struct aws_source_ops ops = {sso_fetch, sso_free, NULL};
	struct sso_source *s = mem_alloc(sizeof *s);

	aws_source_init(&s->head, &ops, aws, "profile \"%s\" (IAM Identity Center)", profile);
	s->session = mem_strdup(sso->session);
	s->start_url = mem_strdup(sso->start_url);
	s->region = mem_strdup(sso->region);
	s->account_id = mem_strdup(sso->account_id);
	s->role_name = mem_strdup(sso->role_name);
	return &s->head;
}
