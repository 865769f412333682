/* IAM: customer managed policies and their versions. */
#include "tests/sandbox/svc_iam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_MAX 6144
#define VERSIONS_MAX 5
#define POLICIES_MAX 1500

json_t *iam_policy_find(struct sb *sb, const char *arn)
{
	mem_auto_str char *account = sb_arn_part(arn, 4);

	return json_object_get(json_object_get(sb_state_find(sb, account, "global", "iam"), "ManagedPolicies"), arn);
}

/* The account's policy that the call names; NULL with the call failed. */
static json_t *policy_get(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "PolicyArn", "");
	json_t *policy = json_object_get(sb_sub(c->state, "ManagedPolicies"), arn);

	if (policy == NULL && sb_glob("arn:*:iam::aws:policy/*", arn))
		sb_fail(c, 403, "AccessDenied", "%s belongs to AWS and is not kept here.", arn);
	else if (policy == NULL && strncmp(arn, "arn:", 4) != 0)
		sb_fail(c, 400, "ValidationError", "ARN %s is not valid.", arn);
	else if (policy == NULL)
		sb_fail(c, 404, "NoSuchEntity", "Policy %s was not found.", arn);
	return policy;
}

/* The roles that a policy is attached to, or is the boundary of. */
static json_t *roles_with(struct sb_call *c, const char *arn, bool boundary)
{
	json_t *found = json_object(), *role;
	const char *name;

	json_object_foreach(sb_sub(c->state, "Roles"), name, role)
	{
		if (boundary ? strcmp(sb_str(role, "Boundary", ""), arn) == 0
			     : json_object_get(json_object_get(role, "Attached"), arn) != NULL)
			json_object_set(found, name, role);
	}
	return found;
}

static size_t count_roles(struct sb_call *c, const char *arn, bool boundary)
{
	json_auto_t *roles = roles_with(c, arn, boundary);

	return json_object_size(roles);
}

static int document_check(struct sb_call *c, const char *text)
{
	json_auto_t *document = json_loads(text, 0, NULL);
	mem_auto_str char *compact = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
	const char *fault = document == NULL ? "Syntax errors in policy." : sb_policy_fault(document, false);

	if (fault != NULL)
		return sb_fail(c, 400, "MalformedPolicyDocument", "%s", fault);
	if (strlen(compact) > DOCUMENT_MAX)
		return sb_fail(c, 409, "LimitExceeded", "Cannot exceed quota for PolicySize: %d", DOCUMENT_MAX);
	return 0;
}

/* ---- policies ---- */

static json_t *policy_out(struct sb_call *c, json_t *policy, bool full)
{
	const char *arn = sb_str(policy, "Arn", "");
	json_t *out = json_pack("{s:I,s:I,s:b,s:o,s:o}", "AttachmentCount", (json_int_t)count_roles(c, arn, false),
				"PermissionsBoundaryUsageCount", (json_int_t)count_roles(c, arn, true), "IsAttachable",
				1, "CreateDate", sb_time_json(sb_int(policy, "CreateMs", 0)), "UpdateDate",
				sb_time_json(sb_int(policy, "UpdateMs", 0)));

	sb_copy(out, policy, "PolicyName PolicyId Arn Path DefaultVersionId");
	if (full) {
		sb_copy(out, policy, "Description");
		json_object_set_new(out, "Tags", sb_tags_list(json_object_get(policy, "Tags"), "Key", "Value"));
	}
	return out;
}

static json_t *version_new(struct sb_call *c, json_t *policy)
{
	int64_t number = sb_int(policy, "LastVersion", 0) + 1;
	json_t *version =
	    json_pack("{s:s,s:I}", "Document", sb_str(c->in, "PolicyDocument", ""), "CreateMs", (json_int_t)c->now_ms);
	mem_auto_str char *id = mem_printf("v%lld", (long long)number);

	json_object_set_new(version, "VersionId", json_string(id));
	json_object_set_new(policy, "LastVersion", json_integer(number));
	json_object_set_new(policy, "UpdateMs", json_integer(c->now_ms));
	json_object_set_new(sb_sub(policy, "Versions"), id, version);
	return version;
}

int iam_create_policy(struct sb_call *c)
{
	const char *name = sb_str(c->in, "PolicyName", ""), *path = sb_str(c->in, "Path", "/");
	json_t *policies = sb_sub(c->state, "ManagedPolicies"), *policy;
	mem_auto_str char *arn = mem_printf("arn:%s:iam::%s:policy%s%s", c->partition, c->account, path, name);
	mem_auto_str char *id = NULL;

	if (!sb_like(name, "a-zA-Z0-9_+=,.@-", 1, 128))
		return sb_fail(c, 400, "ValidationError", "The specified value for policyName is invalid.");
	if (path[0] != '/' || path[strlen(path) - 1] != '/')
		return sb_fail(c, 400, "ValidationError", "The specified value for path is invalid.");
	if (document_check(c, sb_str(c->in, "PolicyDocument", "")) != 0)
		return -1;
	if (json_object_get(policies, arn) != NULL)
		return sb_fail(c, 409, "EntityAlreadyExists",
			       "A policy called %s already exists. Duplicate names are not "
			       "allowed.",
			       name);
	if (json_object_size(policies) >= POLICIES_MAX)
		return sb_fail(c, 409, "LimitExceeded", "Cannot exceed quota for PoliciesPerAccount: %d", POLICIES_MAX);
	id = sb_id(c, "ANPA", 17, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
	policy = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I}", "PolicyName", name, "PolicyId", id, "Arn", arn, "Path", path,
			   "DefaultVersionId", "v1", "CreateMs", (json_int_t)c->now_ms);
	sb_copy(policy, c->in, "Description");
	sb_tags_add(sb_sub(policy, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	version_new(c, policy);
	json_object_set_new(policies, arn, policy);
	c->out = json_pack("{s:o}", "Policy", policy_out(c, policy, true));
	return 0;
}

int iam_get_policy(struct sb_call *c)
{
	json_t *policy = policy_get(c);

	if (policy == NULL)
		return -1;
	c->out = json_pack("{s:o}", "Policy", policy_out(c, policy, true));
	return 0;
}

int iam_delete_policy(struct sb_call *c)
{
	json_t *policy = policy_get(c);
	const char *arn = sb_str(c->in, "PolicyArn", "");

	if (policy == NULL)
		return -1;
	if (count_roles(c, arn, false) > 0 || count_roles(c, arn, true) > 0)
		return sb_fail(c, 409, "DeleteConflict", "Cannot delete a policy attached to entities.");
	if (json_object_size(json_object_get(policy, "Versions")) > 1)
		return sb_fail(c, 409, "DeleteConflict",
			       "This policy has more than one version. Before you delete a policy, you must delete the "
			       "policy's versions.");
	json_object_del(sb_sub(c->state, "ManagedPolicies"), arn);
	return 0;
}

int iam_list_policies(struct sb_call *c)
{
	const char *scope = sb_str(c->in, "Scope", "All"), *prefix = sb_str(c->in, "PathPrefix", "/"), *arn;
	json_auto_t *some = json_object();
	json_t *list, *page, *name, *policy;
	size_t i;

	json_object_foreach(sb_sub(c->state, "ManagedPolicies"), arn, policy)
	{
		if (strcmp(scope, "AWS") != 0 && strncmp(sb_str(policy, "Path", ""), prefix, strlen(prefix)) == 0 &&
		    (!sb_true(c->in, "OnlyAttached") || count_roles(c, arn, false) > 0))
			json_object_set(some, arn, policy);
	}
	if ((page = iam_page(c, some)) == NULL)
		return -1;
	list = json_array();
	json_array_foreach(page, i, name)
	{
		json_array_append_new(list, policy_out(c, json_object_get(some, json_string_value(name)), false));
	}
	json_decref(page);
	json_object_set_new(c->out, "Policies", list);
	return 0;
}

/* ---- versions ---- */

static json_t *version_out(json_t *policy, json_t *version, bool document)
{
	const char *id = sb_str(version, "VersionId", "");
	json_t *out = json_pack("{s:s,s:b,s:o}", "VersionId", id, "IsDefaultVersion",
				strcmp(id, sb_str(policy, "DefaultVersionId", "")) == 0, "CreateDate",
				sb_time_json(sb_int(version, "CreateMs", 0)));

	if (document)
		json_object_set_new(out, "Document", iam_document(sb_str(version, "Document", "")));
	return out;
}

static json_t *version_get(struct sb_call *c, json_t *policy)
{
	const char *id = sb_str(c->in, "VersionId", "");
	json_t *version = json_object_get(json_object_get(policy, "Versions"), id);

	if (policy != NULL && version == NULL)
		sb_fail(c, 404, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.",
			sb_str(policy, "Arn", ""), id);
	return version;
}

int iam_create_policy_version(struct sb_call *c)
{
	json_t *policy = policy_get(c), *version;

	if (policy == NULL || document_check(c, sb_str(c->in, "PolicyDocument", "")) != 0)
		return -1;
	if (json_object_size(json_object_get(policy, "Versions")) >= VERSIONS_MAX)
		return sb_fail(c, 409, "LimitExceeded",
			       "A managed policy can have up to %d versions. Before you create a new version, you must "
			       "delete an existing version.",
			       VERSIONS_MAX);
	version = version_new(c, policy);
	if (sb_true(c->in, "SetAsDefault"))
		json_object_set(policy, "DefaultVersionId", json_object_get(version, "VersionId"));
	c->out = json_pack("{s:o}", "PolicyVersion", version_out(policy, version, false));
	return 0;
}

int iam_get_policy_version(struct sb_call *c)
{
	json_t *policy = policy_get(c), *version = version_get(c, policy);

	if (version == NULL)
		return -1;
	c->out = json_pack("{s:o}", "PolicyVersion", version_out(policy, version, true));
	return 0;
}

/* The newest first, over all pages. */
int iam_list_policy_versions(struct sb_call *c)
{
	json_t *policy = policy_get(c), *sorted, *page, *list, *version, *name;
	char place[24];
	const char *id;
	size_t i;

	if (policy == NULL)
		return -1;
	sorted = json_object();
	json_object_foreach(json_object_get(policy, "Versions"), id, version)
	{
		snprintf(place, sizeof(place), "%010ld", 1000000000L - strtol(id + 1, NULL, 10));
		json_object_set(sorted, place, version);
	}
	page = iam_page(c, sorted);
	list = json_array();
	json_array_foreach(page, i, name)
	    json_array_append_new(list, version_out(policy, json_object_get(sorted, json_string_value(name)), false));
	json_decref(sorted);
	if (page == NULL) {
		json_decref(list);
		return -1;
	}
	json_decref(page);
	json_object_set_new(c->out, "Versions", list);
	return 0;
}

int iam_set_default_policy_version(struct sb_call *c)
{
	json_t *policy = policy_get(c), *version = version_get(c, policy);

	if (version == NULL)
		return -1;
	json_object_set(policy, "DefaultVersionId", json_object_get(version, "VersionId"));
	json_object_set_new(policy, "UpdateMs", json_integer(c->now_ms));
	return 0;
}

int iam_delete_policy_version(struct sb_call *c)
{
	json_t *policy = policy_get(c), *version = version_get(c, policy);
	const char *id = sb_str(c->in, "VersionId", "");

	if (version == NULL)
		return -1;
	if (strcmp(id, sb_str(policy, "DefaultVersionId", "")) == 0)
		return sb_fail(c, 409, "DeleteConflict", "Cannot delete the default version of a policy.");
	json_object_del(json_object_get(policy, "Versions"), id);
	return 0;
}

/* ---- who has it, and tags ---- */

int iam_list_entities_for_policy(struct sb_call *c)
{
	json_t *policy = policy_get(c), *page, *list, *name;
	bool boundary = strcmp(sb_str(c->in, "PolicyUsageFilter", ""), "PermissionsBoundary") == 0;
	json_auto_t *roles = roles_with(c, sb_str(c->in, "PolicyArn", ""), boundary);
	size_t i;

	if (policy == NULL || (page = iam_page(c, roles)) == NULL)
		return -1;
	list = json_array();
	json_array_foreach(page, i, name)
	{
		json_t *row = json_object();

		sb_copy(row, json_object_get(roles, json_string_value(name)), "RoleName RoleId");
		json_array_append_new(list, row);
	}
	json_decref(page);
	json_object_set_new(c->out, "PolicyRoles", list);
	json_object_set_new(c->out, "PolicyGroups", json_array());
	json_object_set_new(c->out, "PolicyUsers", json_array());
	return 0;
}

int iam_tag_policy(struct sb_call *c)
{
	json_t *policy = policy_get(c), *tags;

	if (policy == NULL)
		return -1;
	tags = sb_sub(policy, "Tags");
	sb_tags_add(tags, json_object_get(c->in, "Tags"), "Key", "Value");
	if (json_object_size(tags) > 50)
		return sb_fail(c, 409, "LimitExceeded", "The number of tags has reached the maximum limit.");
	return 0;
}

int iam_untag_policy(struct sb_call *c)
{
	json_t *policy = policy_get(c);

	if (policy == NULL)
		return -1;
	sb_tags_remove(sb_sub(policy, "Tags"), json_object_get(c->in, "TagKeys"));
	return 0;
}

int iam_list_policy_tags(struct sb_call *c)
{
	json_t *policy = policy_get(c), *tags = json_object_get(policy, "Tags"), *page, *list, *name;
	size_t i;

	if (policy == NULL || (page = iam_page(c, tags)) == NULL)
		return -1;
	list = json_array();
	json_array_foreach(page, i, name)
	{
		json_array_append_new(
		    list, json_pack("{s:O,s:O}", "Key", name, "Value", json_object_get(tags, json_string_value(name))));
	}
	json_decref(page);
	json_object_set_new(c->out, "Tags", list);
	return 0;
}
