/* IAM: inline and attached policies of roles, and permissions boundaries. */
#include "tests/sandbox/svc_iam.h"

#include <stdlib.h>
#include <string.h>

#define INLINE_MAX   10240
#define ATTACHED_MAX 10

/* White space does not count. */
static size_t document_size(const char *text)
{
	json_t *document = json_loads(text, 0, NULL);
	mem_auto_str char *compact = json_dumps(document, JSON_COMPACT);

	json_decref(document);
	return compact == NULL ? strlen(text) : strlen(compact);
}

int iam_put_role_policy(struct sb_call *c)
{
	const char *text = sb_str(c->in, "PolicyDocument", ""), *name = sb_str(c->in, "PolicyName", ""), *fault, *other;
	json_t *role = iam_role_get(c, true), *document, *policies, *policy;
	size_t size = document_size(text);

	if (role == NULL)
		return -1;
	if (!sb_like(name, "a-zA-Z0-9_+=,.@-", 1, 128))
		return sb_fail(c, 400, "ValidationError", "The specified value for policyName is invalid.");
	document = json_loads(text, 0, NULL);
	fault = document == NULL ? "Syntax errors in policy." : sb_policy_fault(document, false);
	json_decref(document);
	if (fault != NULL)
		return sb_fail(c, 400, "MalformedPolicyDocument", "%s", fault);
	policies = sb_sub(role, "Policies");
	json_object_foreach(policies, other, policy) if (strcmp(other, name) != 0) size +=
	    document_size(json_string_value(policy));
	if (size > INLINE_MAX)
		return sb_fail(c, 409, "LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s",
			       INLINE_MAX, sb_str(c->in, "RoleName", ""));
	json_object_set_new(policies, name, json_string(text));
	return 0;
}

static int no_such_policy(struct sb_call *c)
{
	return sb_fail(c, 404, "NoSuchEntity", "The role policy with name %s cannot be found.",
		       sb_str(c->in, "PolicyName", ""));
}

int iam_get_role_policy(struct sb_call *c)
{
	json_t *role = iam_role_get(c, false);
	const char *text = sb_str(json_object_get(role, "Policies"), sb_str(c->in, "PolicyName", ""), NULL);

	if (role == NULL)
		return -1;
	if (text == NULL)
		return no_such_policy(c);
	c->out = json_object();
	sb_copy(c->out, c->in, "RoleName PolicyName");
	json_object_set_new(c->out, "PolicyDocument", iam_document(text));
	return 0;
}

int iam_delete_role_policy(struct sb_call *c)
{
	json_t *role = iam_role_get(c, true);

	if (role == NULL)
		return -1;
	if (json_object_del(json_object_get(role, "Policies"), sb_str(c->in, "PolicyName", "")) != 0)
		return no_such_policy(c);
	return 0;
}

int iam_list_role_policies(struct sb_call *c)
{
	json_t *role = iam_role_get(c, false), *page;

	if (role == NULL || (page = iam_page(c, sb_sub(role, "Policies"))) == NULL)
		return -1;
	json_object_set_new(c->out, "PolicyNames", page);
	return 0;
}

/* ---- attached ---- */

/* AWS's own policies are taken as they are named; the account's must exist. */
static int policy_arn_check(struct sb_call *c, const char *arn)
{
	if (sb_glob("arn:*:iam::aws:policy/*", arn) || iam_policy_find(c->sb, arn) != NULL)
		return 0;
	if (strncmp(arn, "arn:", 4) != 0)
		return sb_fail(c, 400, "ValidationError", "ARN %s is not valid.", arn);
	return sb_fail(c, 404, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn);
}

int iam_attach_role_policy(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "PolicyArn", "");
	json_t *role = iam_role_get(c, true), *attached;

	if (role == NULL || policy_arn_check(c, arn) != 0)
		return -1;
	attached = sb_sub(role, "Attached");
	if (json_object_get(attached, arn) == NULL && json_object_size(attached) >= ATTACHED_MAX)
		return sb_fail(c, 409, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", ATTACHED_MAX);
	json_object_set_new(attached, arn, json_string(strrchr(arn, '/') + 1));
	return 0;
}

int iam_detach_role_policy(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "PolicyArn", "");
	json_t *role = iam_role_get(c, true);

	if (role == NULL)
		return -1;
	if (json_object_del(json_object_get(role, "Attached"), arn) != 0)
		return sb_fail(c, 404, "NoSuchEntity", "Policy %s was not found.", arn);
	return 0;
}

int iam_list_attached_role_policies(struct sb_call *c)
{
	json_t *role = iam_role_get(c, false), *attached, *page, *list, *arn;
	size_t i;

	if (role == NULL)
		return -1;
	attached = sb_sub(role, "Attached");
	page = iam_page(c, attached);
	if (page == NULL)
		return -1;
	list = json_array();
	json_array_foreach(page, i, arn)
	    json_array_append_new(list, json_pack("{s:O,s:O}", "PolicyName",
						  json_object_get(attached, json_string_value(arn)), "PolicyArn", arn));
	json_decref(page);
	json_object_set_new(c->out, "AttachedPolicies", list);
	return 0;
}

/* ---- boundaries ---- */

int iam_put_role_permissions_boundary(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "PermissionsBoundary", "");
	json_t *role = iam_role_get(c, true);

	if (role == NULL || policy_arn_check(c, arn) != 0)
		return -1;
	json_object_set_new(role, "Boundary", json_string(arn));
	return 0;
}

int iam_delete_role_permissions_boundary(struct sb_call *c)
{
	json_t *role = iam_role_get(c, true);

	if (role == NULL)
		return -1;
	if (json_object_del(role, "Boundary") != 0)
		return sb_fail(c, 404, "NoSuchEntity", "Role %s does not have a permissions boundary.",
			       sb_str(c->in, "RoleName", ""));
	return 0;
}
