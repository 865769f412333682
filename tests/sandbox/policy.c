/* IAM policies: does a document let this principal do this action on this resource? Written from the IAM reference's
 * evaluation rules; covers the elements and condition operators that fleets use. */
#include "tests/sandbox/sandbox.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Calls `test` for each text in a text or list of texts; true when one says yes. */
static bool any_text(json_t *value, bool (*test)(const char *, const void *), const void *with)
{
	size_t i;
	json_t *item;

	if (json_is_string(value))
		return test(json_string_value(value), with);
	json_array_foreach(value, i, item) if (json_is_string(item) && test(json_string_value(item), with)) return true;
	return false;
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

static bool is_action(const char *pattern, const void *with)
{
	mem_auto_str char *a = mem_strdup(pattern), *b = mem_strdup(with);

	lower(a);
	lower(b);
	return sb_glob(a, b);
}

static bool is_like(const char *pattern, const void *with)
{
	return sb_glob(pattern, with);
}

/* ---- principals ---- */

static bool is_aws_principal(const char *said, const void *with)
{
	const struct sb_ask *ask = with;
	mem_auto_str char *account = NULL, *rest = NULL;

	if (strcmp(said, "*") == 0)
		return true;
	if (ask->account == NULL)
		return false;
	if (strcmp(said, ask->account) == 0)
		return true;
	if ((ask->arn != NULL && strcmp(said, ask->arn) == 0) ||
	    (ask->role_arn != NULL && strcmp(said, ask->role_arn) == 0))
		return true;
	account = sb_arn_part(said, 4);
	rest = sb_arn_part(said, 5);
	return strcmp(rest, "root") == 0 && strcmp(account, ask->account) == 0;
}

static bool is_name(const char *said, const void *with)
{
	return strcmp(said, with) == 0 || strcmp(said, "*") == 0;
}

static bool principal_matches(json_t *principal, const struct sb_ask *ask)
{
	if (json_is_string(principal))
		return strcmp(json_string_value(principal), "*") == 0;
	if (ask->service != NULL)
		return any_text(json_object_get(principal, "Service"), is_name, ask->service);
	if (ask->federated != NULL)
		return any_text(json_object_get(principal, "Federated"), is_name, ask->federated);
	return any_text(json_object_get(principal, "AWS"), is_aws_principal, ask);
}

/* ---- conditions ---- */

static bool is_equal(const char *said, const void *with)
{
	return strcmp(said, with) == 0;
}

static bool is_equal_nocase(const char *said, const void *with)
{
	return strcasecmp(said, with) == 0;
}

/* In an ARN each of the first five parts is matched by itself. */
static bool is_arn_like(const char *said, const void *with)
{
	for (int i = 0; i <= 5; i++) {
		mem_auto_str char *pattern = sb_arn_part(said, i), *text = sb_arn_part(with, i);

		if (!sb_glob(pattern, text))
			return false;
	}
	return true;
}

static const struct operator
{
	const char *name;
	bool (*test)(const char *, const void *);
	bool negated;
}
operators[] = {
    {"StringEquals", is_equal, false},
    {"StringNotEquals", is_equal, true},
    {"StringEqualsIgnoreCase", is_equal_nocase, false},
    {"StringNotEqualsIgnoreCase", is_equal_nocase, true},
    {"StringLike", is_like, false},
    {"StringNotLike", is_like, true},
    {"ArnEquals", is_arn_like, false},
    {"ArnLike", is_arn_like, false},
    {"ArnNotEquals", is_arn_like, true},
    {"ArnNotLike", is_arn_like, true},
    {"Bool", is_equal_nocase, false},
    {"NumericEquals", is_equal, false},
    {NULL, NULL, false},
};

/* Does one condition key hold? `said` is a text or list; so is what the context has. */
static bool key_holds(const struct operator* op, json_t *said, json_t *has, bool for_all)
{
	size_t i, hits = 0;
	json_t *item;

	if (json_is_string(has))
		return any_text(said, op->test, json_string_value(has)) != op->negated;
	json_array_foreach(has, i, item) if (any_text(said, op->test, json_string_value(item)) != op->negated) hits++;
	return for_all ? hits == json_array_size(has) : hits > 0;
}

static bool operator_holds(const char *name, json_t *keys, json_t *context)
{
	bool for_all = strncmp(name, "ForAllValues:", 13) == 0, if_exists;
	mem_auto_str char *bare = NULL;
	const struct operator* op = operators;
	const char *key;
	json_t *said;
	size_t len;

	if (for_all || strncmp(name, "ForAnyValue:", 12) == 0)
		name = strchr(name, ':') + 1;
	len = strlen(name);
	if_exists = len > 8 && strcmp(name + len - 8, "IfExists") == 0;
	bare = mem_strndup(name, if_exists ? len - 8 : len);
	while (op->name != NULL && strcmp(op->name, bare) != 0)
		op++;
	json_object_foreach(keys, key, said)
	{
		mem_auto_str char *small = mem_strdup(key);
		json_t *has;

		lower(small);
		has = json_object_get(context, small);
		if (strcmp(bare, "Null") == 0) {
			if ((has == NULL) != any_text(said, is_equal_nocase, "true"))
				return false;
		} else if (op->name == NULL) {
			return false; /* an operator that we do not know never holds */
		} else if (has == NULL) {
			if (!op->negated && !if_exists && !for_all)
				return false;
		} else if (!key_holds(op, said, has, for_all)) {
			return false;
		}
	}
	return true;
}

static bool conditions_hold(json_t *conditions, json_t *context)
{
	const char *name;
	json_t *keys;

	json_object_foreach(conditions, name, keys) if (!operator_holds(name, keys, context)) return false;
	return true;
}

/* ---- statements ---- */

static bool statement_matches(json_t *statement, const struct sb_ask *ask)
{
	json_t *principal = json_object_get(statement, "Principal");
	json_t *except = json_object_get(statement, "NotPrincipal");
	json_t *action = json_object_get(statement, "Action"), *resource = json_object_get(statement, "Resource");

	if (principal != NULL && !principal_matches(principal, ask))
		return false;
	if (except != NULL && principal_matches(except, ask))
		return false;
	if (action != NULL ? !any_text(action, is_action, ask->action)
			   : any_text(json_object_get(statement, "NotAction"), is_action, ask->action))
		return false;
	if (resource != NULL && ask->resource != NULL && !any_text(resource, is_like, ask->resource))
		return false;
	if (json_object_get(statement, "NotResource") != NULL && ask->resource != NULL &&
	    any_text(json_object_get(statement, "NotResource"), is_like, ask->resource))
		return false;
	return conditions_hold(json_object_get(statement, "Condition"), ask->context);
}

enum sb_verdict sb_policy_ask(json_t *document, const struct sb_ask *ask)
{
	json_t *statements = json_object_get(document, "Statement"), *statement;
	enum sb_verdict verdict = SB_SILENT;
	size_t count = json_is_array(statements) ? json_array_size(statements) : statements != NULL;

	for (size_t i = 0; i < count; i++) {
		statement = json_is_array(statements) ? json_array_get(statements, i) : statements;
		if (!statement_matches(statement, ask))
			continue;
		if (strcmp(sb_str(statement, "Effect", ""), "Deny") == 0)
			return SB_DENIED;
		verdict = SB_ALLOWED;
	}
	return verdict;
}

static const char *statement_fault(json_t *statement, bool resource_policy)
{
	const char *effect = sb_str(statement, "Effect", "");
	bool principal =
	    json_object_get(statement, "Principal") != NULL || json_object_get(statement, "NotPrincipal") != NULL;

	if (!json_is_object(statement))
		return "Statement is not an object";
	if (strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0)
		return "Effect must be Allow or Deny";
	if (json_object_get(statement, "Action") == NULL && json_object_get(statement, "NotAction") == NULL)
		return "Missing required field Action";
	if (resource_policy && !principal)
		return "Missing required field Principal";
	if (!resource_policy && principal)
		return "Policy document should not specify a principal.";
	if (!resource_policy && json_object_get(statement, "Resource") == NULL &&
	    json_object_get(statement, "NotResource") == NULL)
		return "Policy statement must contain resources.";
	return NULL;
}

const char *sb_policy_fault(json_t *document, bool resource_policy)
{
	json_t *statements = json_object_get(document, "Statement");
	const char *version = sb_str(document, "Version", "2008-10-17"), *fault = NULL;
	size_t i;
	json_t *statement;

	if (!json_is_object(document))
		return "Syntax errors in policy.";
	if (strcmp(version, "2012-10-17") != 0 && strcmp(version, "2008-10-17") != 0)
		return "The policy must contain a valid version string";
	if (json_is_object(statements))
		return statement_fault(statements, resource_policy);
	if (json_array_size(statements) == 0)
		return "Syntax errors in policy.";
	json_array_foreach(statements, i,
			   statement) if ((fault = statement_fault(statement, resource_policy)) != NULL) break;
	return fault;
}

/* ---- principals that do not exist ---- */

static const char *ghost_in(struct sb *sb, json_t *principals)
{
	size_t count = json_is_array(principals) ? json_array_size(principals) : principals != NULL;

	for (size_t i = 0; i < count; i++) {
		json_t *item = json_is_array(principals) ? json_array_get(principals, i) : principals;
		const char *arn = json_string_value(item);
		mem_auto_str char *account = NULL;

		if (arn == NULL || strstr(arn, ":role/") == NULL)
			continue;
		account = sb_arn_part(arn, 4);
		if (json_object_get(sb->accounts, account) != NULL && sb_role_seen(sb, arn) == NULL)
			return arn;
	}
	return NULL;
}

const char *sb_policy_ghost(struct sb *sb, json_t *document)
{
	json_t *statements = json_object_get(document, "Statement");
	size_t count = json_is_array(statements) ? json_array_size(statements) : statements != NULL;
	const char *ghost = NULL;

	for (size_t i = 0; i < count && ghost == NULL; i++) {
		json_t *statement = json_is_array(statements) ? json_array_get(statements, i) : statements;

		ghost = ghost_in(sb, json_object_get(json_object_get(statement, "Principal"), "AWS"));
	}
	return ghost;
}
