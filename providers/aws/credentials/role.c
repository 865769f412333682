/* A role assumed with another session's credentials; and a parent's credentials taken over as they are, once they have
 * shown which account they belong to. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/transport.h"

/* What one role may ask another for at most, and what every role allows ("Roles terms and concepts", role chaining). */
#define CHAINED_DURATION_S 3600

struct role_source {
	struct aws_source head;
	struct aws_session *parent;
	bool owned, waiting, again;
	unsigned generation; /* of the parent's credentials in use */
	char *parent_identity;
	struct aws_credentials credentials; /* of the parent; same_account only, while its answer is awaited */
	/* assume */
	char *arn, *session_name, *external_id, *mfa_serial;
	int duration_s;
	/* same account */
	char *account_id;
};

static void on_parent(void *payload, const struct aws_fetch *failure);

static void parent_wait(struct role_source *s)
{
	s->waiting = true;
	aws_session_wait(s->parent, on_parent, s);
}

static void role_free(struct aws_source *source)
{
	struct role_source *s = (struct role_source *)source;

	if (s->waiting)
		aws_session_unwait(s->parent, s);
	if (s->owned)
		aws_session_free(s->parent);
	aws_credentials_clear(&s->credentials);
	free(s->parent_identity);
	free(s->arn);
	free(s->session_name);
	free(s->external_id);
	free(s->mfa_serial);
	free(s->account_id);
	free(s);
}

/* A shared parent is cancelled by whoever owns it. */
static void role_cancel(struct aws_source *source)
{
	struct role_source *s = (struct role_source *)source;

	if (s->owned)
		aws_session_cancel(s->parent);
}

static bool code_is_expired(const char *code)
{
	return code != NULL && (strcmp(code, "ExpiredToken") == 0 || strcmp(code, "ExpiredTokenException") == 0);
}

/* AWS no longer takes the parent's credentials: once more with new ones. True when that is under way. */
static bool parent_renew(struct role_source *s, const struct aws_api_result *result)
{
	if (!code_is_expired(result->code) || s->again)
		return false;
	s->again = true;
	aws_session_expired(s->parent, s->generation);
	parent_wait(s);
	return true;
}

/* -- AssumeRole ---------------------------------------------------------------------------------------------------- */

static void on_assumed(void *payload, const struct aws_api_result *result)
{
	struct role_source *s = payload;
	struct aws_credentials found = {0};
	struct diag d = DIAG_INIT;
	const char *identity;
	mem_auto_str char *what = NULL;

	if (result->outcome != PROVIDER_DONE) {
		if (parent_renew(s, result))
			return;
		what = mem_printf("%s could not assume %s (STS in %s)", s->parent_identity, s->arn,
				  s->head.aws->home_region);
		aws_source_fail_call(&s->head, what, result);
		return;
	}
	identity = json_get_string(json_object_get(result->output, "AssumedRoleUser"), "Arn");
	if (aws_credentials_from_sts(&found, result->output, &d) < 0)
		aws_source_fail(&s->head, true, NULL, "%s: %s", s->arn, diag_first_error(&d));
	else
		aws_source_finish(&s->head, &(struct aws_fetch){.outcome = AWS_FETCH_FOUND,
								.credentials = &found,
								.identity = identity == NULL ? s->arn : identity});
	aws_credentials_clear(&found);
	diag_free(&d);
}

static void role_assume(struct role_source *s, const struct aws_session_view *view)
{
	json_auto_t *input = json_pack("{s:s, s:s, s:i, s:s*}", "RoleArn", s->arn, "RoleSessionName", s->session_name,
				       "DurationSeconds", s->duration_s, "ExternalId", s->external_id);
	struct diag d = DIAG_INIT;
	char code[32];

	if (s->mfa_serial != NULL) {
		if (aws_mfa_ask(s->head.aws, s->mfa_serial, code, sizeof code, &d) < 0) {
			aws_source_fail(&s->head, false, "MFARequired", "%s: %s", s->arn, diag_first_error(&d));
			diag_free(&d);
			return;
		}
		json_object_set_new(input, "SerialNumber", json_string(s->mfa_serial));
		json_object_set_new(input, "TokenCode", json_string(code));
	}
	aws_api_call_as(s->head.aws, view->credentials, s->head.aws->home_region, "sts", "AssumeRole", input,
			on_assumed, s);
}

/* -- The parent's own account -------------------------------------------------------------------------------------- */

static void on_identity(void *payload, const struct aws_api_result *result)
{
	struct role_source *s = payload;
	struct aws_credentials found = s->credentials;
	const char *account = json_get_string(result->output, "Account");
	const char *arn = json_get_string(result->output, "Arn");

	s->credentials = (struct aws_credentials){0};
	if (result->outcome != PROVIDER_DONE) {
		if (!parent_renew(s, result))
			aws_source_fail_call(&s->head, "could not find out whose credentials these are", result);
	} else if (account == NULL || strcmp(account, s->account_id) != 0) {
		aws_source_fail(&s->head, false, "WrongAccount",
				"no role is set for it, and the credentials at hand (%s) are of account %s",
				arn == NULL ? s->parent_identity : arn, account == NULL ? "?" : account);
	} else {
		aws_source_finish(&s->head, &(struct aws_fetch){.outcome = AWS_FETCH_FOUND,
								.credentials = &found,
								.identity = arn == NULL ? s->parent_identity : arn});
	}
	aws_credentials_clear(&found);
}

static void account_ask(struct role_source *s, const struct aws_session_view *view)
{
	aws_credentials_clear(&s->credentials);
	aws_credentials_copy(&s->credentials, view->credentials);
	aws_api_call_as(s->head.aws, view->credentials, s->head.aws->home_region, "sts", "GetCallerIdentity", NULL,
			on_identity, s);
}

/* -- Both ---------------------------------------------------------------------------------------------------------- */

static void on_parent(void *payload, const struct aws_fetch *failure)
{
	struct role_source *s = payload;
	struct aws_session_view view;

	s->waiting = false;
	if (failure != NULL) {
		mem_auto_str char *message = mem_printf("%s: %s", s->head.name, failure->message);
		struct aws_fetch mine = *failure;

		mine.message = message;
		aws_source_finish(&s->head, &mine);
		return;
	}
	if (!aws_session_ready(s->parent, &view)) {
		parent_wait(s); /* ended in this very moment */
		return;
	}
	s->generation = view.generation;
	free(s->parent_identity);
	s->parent_identity = mem_strdup(view.identity);
	if (s->arn != NULL)
		role_assume(s, &view);
	else
		account_ask(s, &view);
}

static void role_fetch(struct aws_source *source)
{
	struct role_source *s = (struct role_source *)source;

	s->again = false;
	parent_wait(s);
}

static struct role_source *role_new(struct aws *aws, struct aws_session *parent, bool owned, const char *name)
{
	static const struct aws_source_ops ops = {role_fetch, role_free, role_cancel};
	struct role_source *s = mem_alloc(sizeof *s);

	aws_source_init(&s->head, &ops, aws, "%s", name);
	s->parent = parent;
	s->owned = owned;
	return s;
}

struct aws_source *aws_source_role(struct aws *aws, struct aws_session *parent, bool owned, const struct aws_role *role)
{
	struct role_source *s =
	    role_new(aws, parent, owned, role->for_whom == NULL ? aws_session_name(parent) : role->for_whom);

	s->arn = mem_strdup(role->arn);
	s->session_name = mem_strdup(role->session_name == NULL ? "muster" : role->session_name);
	s->external_id = mem_strdup(role->external_id);
	s->mfa_serial = mem_strdup(role->mfa_serial);
	s->duration_s = role->duration_s == 0 ? CHAINED_DURATION_S : role->duration_s;
	return &s->head;
}

struct aws_source *aws_source_same_account(struct aws *aws, struct aws_session *parent, const char *for_whom,
					   const char *id)
{
	struct role_source *s = role_new(aws, parent, false, for_whom);

	s->account_id = mem_strdup(id);
	return &s->head;
}
