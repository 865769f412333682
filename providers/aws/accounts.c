/* The roster's Access as sessions: base credentials, each role of the chain, the role in the account. Sessions that are
 * made in the same way are one session: a chain is entered once for a thousand accounts. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/transport.h"

/* A session on the way to an account. */
struct way {
	struct aws *aws;
	const struct provider_account *account;
	const json_t *access;
	struct buf key; /* what was done so far: equal keys are equal sessions */
	struct aws_session *session;
	char *role_arn; /* the last one assumed, or NULL */
	struct diag *d;
};

/* -- Sessions shared ----------------------------------------------------------------------------------------------- */

static struct aws_session *session_keep(struct aws *aws, const char *key, struct aws_source *source)
{
	struct aws_session *session = aws_session_new(aws, source);

	aws->sessions = mem_resize(aws->sessions, aws->session_count + 1, sizeof aws->sessions[0]);
	aws->sessions[aws->session_count++] = session;
	map_set(&aws->sessions_shared, key, session);
	return session;
}

static void way_base(struct way *way)
{
	const char *profile = json_get_string(way->access, "Profile");
	struct aws *aws = way->aws;

	buf_addf(&way->key, "base %s", profile == NULL ? "" : profile);
	way->session = map_get(&aws->sessions_shared, buf_str(&way->key));
	if (way->session == NULL)
		way->session =
		    session_keep(aws, buf_str(&way->key),
				 profile == NULL ? aws_source_default(aws) : aws_source_profile(aws, profile));
}

/* -- Roles --------------------------------------------------------------------------------------------------------- */

/* ${AccountId} and ${AccountName} filled in. */
static char *fill(const char *template, const struct provider_account *account)
{
	struct buf out = BUF_INIT;

	while (*template != '\0') {
		if (text_starts(template, "${AccountId}")) {
			buf_adds(&out, account->id);
			template += strlen("${AccountId}");
		} else if (text_starts(template, "${AccountName}")) {
			buf_adds(&out, account->name);
			template += strlen("${AccountName}");
		} else {
			buf_addc(&out, *template ++);
		}
	}
	return buf_detach(&out);
}

/* The account id in "arn:PARTITION:iam::ID:role/NAME" (12 digits, not terminated), or NULL when it is no such ARN. */
static const char *role_account(const char *arn)
{
	const char *at = text_starts(arn, "arn:") ? strchr(arn + 4, ':') : NULL;

	if (at == NULL || !text_starts(at, ":iam::"))
		return NULL;
	at += strlen(":iam::");
	for (int i = 0; i < 12; i++) {
		if (!isdigit((unsigned char)at[i]))
			return NULL;
	}
	return text_starts(at + 12, ":role/") && at[18] != '\0' ? at : NULL;
}

static bool session_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	for (const char *c = name; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && strchr("_+=,.@-", *c) == NULL)
			return false;
	}
	return len >= 2 && len <= 64;
}

static int way_role(struct way *way, const char *template, const char *external_id, bool last)
{
	mem_auto_str char *arn = fill(template, way->account);
	const char *set_name = json_get_string(way->access, "SessionName");
	mem_auto_str char *session_name = fill(set_name == NULL ? "muster" : set_name, way->account);
	struct aws_role role = {.arn = arn,
				.session_name = session_name,
				.external_id = external_id,
				.for_whom = last ? way->account->label : "access chain"};

	if (role_account(arn) == NULL)
		return diag_error(way->d, "%s: Access: \"%s\" is not the ARN of a role", way->account->label, arn);
	if (!session_name_is_valid(session_name))
		return diag_error(
		    way->d, "%s: Access.SessionName \"%s\": 2 to 64 letters, digits and any of _+=,.@- are allowed",
		    way->account->label, session_name);
	buf_addf(&way->key, "\n%s\n%s\n%s", arn, session_name, external_id == NULL ? "" : external_id);
	free(way->role_arn);
	way->role_arn = mem_strdup(arn);
	struct aws_session *known = map_get(&way->aws->sessions_shared, buf_str(&way->key));
	way->session = known != NULL ? known
				     : session_keep(way->aws, buf_str(&way->key),
						    aws_source_role(way->aws, way->session, false, &role));
	return 0;
}

/* A step of the chain: an ARN, or {"Role": ARN, "ExternalId": ID}. */
static int way_step(struct way *way, const json_t *step)
{
	const char *arn = json_is_string(step) ? json_string_value(step) : json_get_string(step, "Role");

	if (arn == NULL)
		return diag_error(way->d,
				  "%s: Access: a step of the chain must be a role's ARN, or an object with Role",
				  way->account->label);
	return way_role(way, arn, json_get_string(step, "ExternalId"), false);
}

/* Without a role of its own an account is entered with what is at hand, which must be of that account: a call to the
 * wrong account would be the worst of all mistakes. */
static int way_end_without_role(struct way *way)
{
	const char *id = way->role_arn == NULL ? NULL : role_account(way->role_arn);

	if (id != NULL && strncmp(id, way->account->id, 12) != 0)
		return diag_error(way->d, "%s: Access has no Role, and the chain ends in another account (%s)",
				  way->account->label, way->role_arn);
	if (id != NULL)
		return 0;
	buf_addf(&way->key, "\nsame account %s", way->account->id);
	struct aws_session *known = map_get(&way->aws->sessions_shared, buf_str(&way->key));
	way->session =
	    known != NULL
		? known
		: session_keep(way->aws, buf_str(&way->key),
			       aws_source_same_account(way->aws, way->session, way->account->label, way->account->id));
	return 0;
}

static int way_end(struct way *way, const char *role)
{
	if (role == NULL)
		return way_end_without_role(way);
	if (way_role(way, role, json_get_string(way->access, "ExternalId"), true) < 0)
		return -1;
	if (strncmp(role_account(way->role_arn), way->account->id, 12) != 0)
		return diag_error(way->d, "%s: Access.Role %s is in another account", way->account->label,
				  way->role_arn);
	return 0;
}

/* -- Accounts ------------------------------------------------------------------------------------------------------ */

/* "Role": null holds for plans as well: it says that the chain leads into this very account. */
static const char *access_role(const json_t *access, enum provider_access kind)
{
	const char *role = json_get_string(access, "Role"), *plan = json_get_string(access, "PlanRole");

	if (json_is_null(json_object_get(access, "Role")))
		return NULL;
	return kind == PROVIDER_READS && plan != NULL ? plan : role;
}

static const json_t *access_chain(const json_t *access, enum provider_access kind)
{
	const json_t *plan = json_object_get(access, "PlanChain");

	return kind == PROVIDER_READS && json_is_array(plan) ? plan : json_object_get(access, "Chain");
}

static int account_session(struct provider_account *account, const json_t *access, enum provider_access kind,
			   struct diag *d)
{
	struct way way = {.aws = account->aws, .account = account, .access = access, .d = d};
	json_t *step;
	size_t i;
	int result = 0;

	way_base(&way);
	json_array_foreach(access_chain(access, kind), i, step)
	{
		if (result == 0)
			result = way_step(&way, step);
	}
	if (result == 0)
		result = way_end(&way, access_role(access, kind));
	account->sessions[kind] = way.session;
	buf_free(&way.key);
	free(way.role_arn);
	return result;
}

static void account_free(void *value)
{
	struct provider_account *account = value;

	free(account->name);
	free(account->id);
	free(account->label);
	free(account);
}

static bool id_is_valid(const char *id)
{
	return strlen(id) == 12 && strspn(id, "0123456789") == 12;
}

int aws_account_add(struct aws *aws, const char *name, const char *id, const json_t *access,
		    struct provider_account **out, struct diag *d)
{
	struct provider_account *account = mem_alloc(sizeof *account);

	account->aws = aws;
	account->name = mem_strdup(name);
	account->id = mem_strdup(id);
	account->label = mem_printf("account %s (%s)", name, id);
	if (!id_is_valid(id)) {
		diag_error(d, "account %s: \"%s\" is not an account id of 12 digits", name, id);
		account_free(account);
		return -1;
	}
	if (account_session(account, access, PROVIDER_READS, d) < 0 ||
	    account_session(account, access, PROVIDER_WRITES, d) < 0) {
		account_free(account);
		return -1;
	}
	aws->accounts = mem_resize(aws->accounts, aws->account_count + 1, sizeof(struct provider_account *));
	aws->accounts[aws->account_count++] = account;
	*out = account;
	return 0;
}

void aws_accounts_free(struct aws *aws)
{
	/* Children first: a role lets go of the session that it waits for. */
	while (aws->session_count > 0)
		aws_session_free(aws->sessions[--aws->session_count]);
	while (aws->account_count > 0)
		account_free(aws->accounts[--aws->account_count]);
	free(aws->sessions);
	free(aws->accounts);
	map_free(&aws->sessions_shared, NULL);
}

const char *aws_account_id(const struct provider_account *account)
{
	return account->id;
}

const char *aws_account_name(const struct provider_account *account)
{
	return account->name;
}
