/* What tests of the AWS provider's transport share: a clean environment in a folder of its own, a provider, and
 * answers of STS. */
#ifndef MUSTER_TESTS_AWS_FIXTURE_H
#define MUSTER_TESTS_AWS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "providers/aws/send_private.h"
#include "tests/unit/http_server.h"

static struct loop *loop;
static struct aws *aws;
static char home[64];

/* No variable of AWS's, no home but an empty one, no metadata service, no proxy. */
static inline void environment_clear(void)
{
	extern char **environ;

	for (char **at = environ; *at != NULL;) {
		if (strncmp(*at, "AWS_", 4) == 0 || strncmp(*at, "MUSTER_", 7) == 0) {
			mem_auto_str char *name = mem_strndup(*at, strcspn(*at, "="));

			unsetenv(name);
			at = environ;
		} else {
			at++;
		}
	}
	unsetenv("http_proxy");
	setenv("HOME", home, 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

static inline void file_put(const char *name, const char *text)
{
	mem_auto_str char *path = mem_printf("%s/%s", home, name);

	for (char *slash = strchr(path + strlen(home) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	assert_int_equal(text_file_write(path, text, strlen(text), 0600), 0);
}

static inline void provider_open(void)
{
	struct provider_settings settings = {.home_region = "eu-west-1", .user_agent = "muster/test"};
	struct provider *provider;
	struct diag d = DIAG_INIT;

	assert_int_equal(loop_new(&loop, &d), 0);
	if (provider_aws_new(&provider, loop, &settings, &d) < 0)
		diag_print(&d, stderr, false);
	assert_int_equal(d.errors, 0);
	aws = (struct aws *)provider;
	diag_free(&d);
}

static inline void provider_close(void)
{
	aws->provider.ops->free(&aws->provider);
	loop_free(loop);
}

static inline void home_make(void)
{
	snprintf(home, sizeof home, "/tmp/muster-test-XXXXXX");
	assert_non_null(mkdtemp(home));
	environment_clear();
}

static inline void home_remove(void)
{
	mem_auto_str char *command = mem_printf("rm -rf %s", home);

	assert_int_equal(system(command), 0);
}

static inline struct provider_account *account_make(const char *name, const char *id, const char *access_text)
{
	json_auto_t *access = json_loads(access_text, 0, NULL);
	struct provider_account *account;
	struct diag d = DIAG_INIT;

	assert_non_null(access);
	if (aws_account_add(aws, name, id, access, &account, &d) < 0)
		diag_print(&d, stderr, false);
	assert_int_equal(d.errors, 0);
	diag_free(&d);
	return account;
}

/* A member of a form body, decoded no further than what tests use: "%3A" and "%2F". */
static inline bool form_value(const struct server_request *request, const char *name, struct buf *out)
{
	mem_auto_str char *body = mem_strndup(request->body, request->body_len);
	size_t len = strlen(name);

	buf_clear(out);
	for (char *save = NULL, *at = strtok_r(body, "&", &save); at != NULL; at = strtok_r(NULL, "&", &save)) {
		if (strncmp(at, name, len) != 0 || at[len] != '=')
			continue;
		for (at += len + 1; *at != '\0'; at++) {
			uint8_t byte;

			if (*at == '%' && text_hex_decode(&byte, 1, (char[3]){at[1], at[2], 0}) == 0) {
				buf_addc(out, (char)byte);
				at += 2;
			} else {
				buf_addc(out, *at);
			}
		}
		return true;
	}
	return false;
}

/* The access key id that a request was signed with; "" when it was not. */
static inline void signer_of(const struct server_request *request, struct buf *out)
{
	struct buf header = BUF_INIT;
	const char *at;

	buf_clear(out);
	if (server_header(request, "Authorization", &header) && (at = strstr(buf_str(&header), "Credential=")) != NULL)
		buf_add(out, at + 11, strcspn(at + 11, "/"));
	buf_free(&header);
}

static inline void sts_role_answer(struct server_reply *reply, const char *action, const char *key_id,
				   const char *role_arn, int64_t life_ms)
{
	const char *name = strrchr(role_arn, '/');
	char expires[32];

	text_time(expires, sizeof expires, loop_wall_ms() + life_ms);
	buf_addf(&reply->body,
		 "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult><AssumedRoleUser><Arn>"
		 "arn:aws:sts::%.12s:assumed-role%s/muster</Arn></AssumedRoleUser><Credentials><AccessKeyId>%s"
		 "</AccessKeyId><SecretAccessKey>sekrit</SecretAccessKey><SessionToken>token-%s</SessionToken>"
		 "<Expiration>%s</Expiration></Credentials></%sResult></%sResponse>",
		 action, action, role_arn + strlen("arn:aws:iam::"), name == NULL ? "" : name, key_id, key_id, expires,
		 action, action);
}

static inline void sts_error(struct server_reply *reply, int status, const char *code, const char *message)
{
	reply->status = status;
	buf_addf(&reply->body,
		 "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>"
		 "req-1</RequestId></ErrorResponse>",
		 code, message);
}

static inline void sts_identity(struct server_reply *reply, const char *account, const char *arn)
{
	buf_addf(&reply->body,
		 "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>%s</Arn><UserId>U</UserId><Account>%s"
		 "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
		 arn, account);
}

#endif
