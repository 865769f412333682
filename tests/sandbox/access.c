/* What a caller's own permissions let it do. Whether a resource lets the caller in (trust, bucket policies) is for the
 * service that has the resource. */
#include "tests/sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>

bool sb_op_mutates(const char *operation)
{
	static const char *const reading[] = {"Get*",   "List*",       "Describe*", "Head*",
					      "Check*", "AssumeRole*", "Lookup*",   NULL};

	for (size_t i = 0; reading[i] != NULL; i++)
		if (sb_glob(reading[i], operation))
			return false;
	return true;
}

json_t *sb_role_find(struct sb *sb, const char *account, const char *name, bool seen)
{
	json_t *role = json_object_get(json_object_get(sb->builtin, account), name);

	if (role != NULL)
		return role;
	role = json_object_get(json_object_get(sb_state_find(sb, account, "global", "iam"), "Roles"), name);
	if (role != NULL && seen && sb_lag_seen(role, "AssumeRolePolicyDocument") == NULL)
		return NULL;
	return role;
}

json_t *sb_role_seen(struct sb *sb, const char *arn)
{
	mem_auto_str char *account = sb_arn_part(arn, 4), *path = sb_arn_part(arn, 5);
	const char *name = strrchr(path, '/');
	json_t *role;

	if (strncmp(path, "role/", 5) != 0)
		return NULL;
	role = sb_role_find(sb, account, name + 1, true);
	return role != NULL && strcmp(sb_str(role, "Arn", ""), arn) == 0 ? role : NULL;
}

static bool any_glob(json_t *globs, const char *action)
{
	size_t i;
	json_t *glob;

	json_array_foreach(globs, i,
			   glob) if (json_is_string(glob) && sb_glob(json_string_value(glob), action)) return true;
	return false;
}

static bool builtin_allows(json_t *role, const struct sb_call *call, const char *action)
{
	json_t *allow = json_object_get(role, "Allow");

	if (any_glob(json_object_get(role, "Deny"), action))
		return false;
	if (allow != NULL && !any_glob(allow, action))
		return false;
	if (!sb_true(role, "ReadOnly"))
		return true;
	/* A role that may only read must not become one that writes. */
	if (strcmp(call->op->name, "AssumeRole") == 0)
		return sb_glob("*readonly*", sb_str(call->in, "RoleArn", ""));
	return !sb_op_mutates(call->op->name);
}

/* Managed policies that are not service roles: enough of AWS's to run a fleet with. */
static enum sb_verdict managed_ask(const char *arn, const char *operation)
{
	if (sb_glob("*:policy/AdministratorAccess", arn) || sb_glob("*:policy/PowerUserAccess", arn))
		return SB_ALLOWED;
	if (sb_glob("*:policy/ReadOnlyAccess", arn) || sb_glob("*:policy/SecurityAudit", arn) ||
	    sb_glob("*:policy/job-function/ViewOnlyAccess", arn))
		return sb_op_mutates(operation) ? SB_SILENT : SB_ALLOWED;
	if (sb_glob("*:policy/service-role/AWSLambdaVPCAccessExecutionRole", arn))
		return sb_glob("*NetworkInterface*", operation) || sb_glob("CreateLog*", operation) ? SB_ALLOWED
												    : SB_SILENT;
	return SB_SILENT;
}

/* What a policy attached to a role says: AWS's own by name, the account's by its default version. */
static enum sb_verdict attached_ask(struct sb *sb, const char *arn, const struct sb_ask *ask)
{
	mem_auto_str char *account = sb_arn_part(arn, 4);
	json_t *policy, *document;
	enum sb_verdict verdict;

	if (strcmp(account, "aws") == 0)
		return managed_ask(arn, strchr(ask->action, ':') + 1);
	policy = json_object_get(json_object_get(sb_state_find(sb, account, "global", "iam"), "ManagedPolicies"), arn);
	policy = json_object_get(json_object_get(policy, "Versions"), sb_str(policy, "DefaultVersionId", ""));
	document = json_loads(sb_str(policy, "Document", ""), 0, NULL);
	verdict = sb_policy_ask(document, ask);
	json_decref(document);
	return verdict;
}

bool sb_role_may(struct sb *sb, json_t *role, const struct sb_ask *ask)
{
	bool allowed = false;
	const char *name;
	json_t *text;

	if (sb_true(role, "BuiltIn"))
		return !any_glob(json_object_get(role, "Deny"), ask->action);
	json_object_foreach(json_object_get(role, "Attached"), name, text)
	{
		enum sb_verdict verdict = attached_ask(sb, name, ask);

		if (verdict == SB_DENIED)
			return false;
		allowed = allowed || verdict == SB_ALLOWED;
	}
	json_object_foreach(json_object_get(role, "Policies"), name, text)
	{
		json_t *document = json_loads(json_string_value(text), 0, NULL);
		enum sb_verdict verdict = sb_policy_ask(document, ask);

		json_decref(document);
		if (verdict == SB_DENIED)
			return false;
		allowed = allowed || verdict == SB_ALLOWED;
	}
	return allowed;
}

enum sb_verdict sb_role_trust_ask(json_t *role, const struct sb_ask *ask)
{
	json_t *document = sb_lag_seen(role, "AssumeRolePolicyDocument"), *parsed;
	enum sb_verdict verdict;

	if (json_is_object(document))
		return sb_policy_ask(document, ask);
	parsed = json_loads(json_string_value(document), 0, NULL);
	verdict = sb_policy_ask(parsed, ask);
	json_decref(parsed);
	return verdict;
}

bool sb_role_trusts_service(json_t *role, const char *service)
{
	mem_auto_str char *account = sb_arn_part(sb_str(role, "Arn", ""), 4);
	json_t *context = json_pack("{s:s}", "aws:sourceaccount", account);
	struct sb_ask ask = {.service = service, .action = "sts:AssumeRole", .context = context};
	bool trusts = role != NULL && sb_role_trust_ask(role, &ask) == SB_ALLOWED;

	json_decref(context);
	return trusts;
}

int sb_access_check(struct sb_call *call)
{
	const char *name = sb_str(call->caller, "RoleName", NULL);
	char action[200];
	struct sb_ask ask = {.action = action};
	json_t *role;

	if (call->caller == NULL || name == NULL || strcmp(call->op->name, "GetCallerIdentity") == 0)
		return 0;
	snprintf(action, sizeof action, "%s:%s", call->service->name, call->op->name);
	role = sb_role_find(call->sb, call->account, name, false);
	if (role != NULL && sb_true(role, "BuiltIn") ? builtin_allows(role, call, action)
						     : sb_role_may(call->sb, role, &ask))
		return 0;
	return sb_fail(call, call->service->denied_status, call->service->denied,
		       "User: %s is not authorized to perform: %s on resource: * because no identity-based policy "
		       "allows the %s action",
		       sb_str(call->caller, "Arn", ""), action, action);
}
