/* IAM: roles and their tags. Policies of roles are in svc_iam_policies.c, service-linked roles in svc_iam_linked.c. */
#include "tests/sandbox/svc_iam.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TRUST_MAX  2048
#define ROLES_MAX  1000
#define NAME_CHARS "a-zA-Z0-9_+=,.@-"
#define ID_CHARS   "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

json_t *iam_role_get(struct sb_call *c, bool to_change)
{
	const char *name = sb_str(c->in, "RoleName", "");
	json_t *role = sb_role_find(c->sb, c->account, name, false);

	if (role == NULL) {
		sb_fail(c, 404, "NoSuchEntity", "The role with name %s cannot be found.", name);
	} else if (to_change && sb_true(role, "BuiltIn")) {
		sb_fail(c, 400, "UnmodifiableEntity", "%s belongs to the roster and cannot be changed.", name);
		role = NULL;
	} else if (to_change && strncmp(sb_str(role, "Path", ""), "/aws-service-role/", 18) == 0) {
		sb_fail(c, 400, "UnmodifiableEntity",
			"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS",
			name);
		role = NULL;
	}
	return role;
}

json_t *iam_page(struct sb_call *c, json_t *all)
{
	mem_auto_str char *next = NULL;
	json_t *page = sb_page(&next, all, sb_str(c->in, "Marker", NULL), (size_t)sb_int(c->in, "MaxItems", 100));

	if (page == NULL) {
		sb_fail(c, 400, "ValidationError", "Invalid Marker.");
		return NULL;
	}
	if (c->out == NULL)
		c->out = json_object();
	json_object_set_new(c->out, "IsTruncated", json_boolean(next != NULL));
	if (next != NULL)
		json_object_set_new(c->out, "Marker", json_string(next));
	return page;
}

json_t *iam_document(const char *text)
{
	buf_auto struct buf encoded = BUF_INIT;

	sb_url_encode(&encoded, text, strlen(text), false);
	return json_string(buf_str(&encoded));
}

static json_t *role_out(json_t *role, bool full)
{
	json_t *out = json_object(), *trust = json_object_get(role, "AssumeRolePolicyDocument");
	const char *boundary = sb_str(role, "Boundary", NULL);
	mem_auto_str char *text =
	    json_is_string(trust) ? mem_strdup(json_string_value(trust)) : json_dumps(trust, JSON_COMPACT);

	sb_copy(out, role, "Path RoleName RoleId Arn Description MaxSessionDuration");
	json_object_set_new(out, "CreateDate", sb_time_json(sb_int(role, "CreateMs", 0)));
	json_object_set_new(out, "AssumeRolePolicyDocument", iam_document(text == NULL ? "" : text));
	if (!full)
		return out;
	if (boundary != NULL)
		json_object_set_new(
		    out, "PermissionsBoundary",
		    json_pack("{s:s,s:s}", "PermissionsBoundaryType", "Policy", "PermissionsBoundaryArn", boundary));
	if (json_object_size(json_object_get(role, "Tags")) > 0)
		json_object_set_new(out, "Tags", sb_tags_list(json_object_get(role, "Tags"), "Key", "Value"));
	json_object_set_new(out, "RoleLastUsed", json_object());
	return out;
}

/* ---- checks ---- */

static int trust_check(struct sb_call *c, const char *text)
{
	json_t *document = json_loads(text, 0, NULL), *statements = json_object_get(document, "Statement");
	const char *fault = sb_policy_fault(document, true), *ghost;
	size_t count = json_is_array(statements) ? json_array_size(statements) : 1;
	int status = 0;

	for (size_t i = 0; i < count && fault == NULL; i++) {
		json_t *statement = json_is_array(statements) ? json_array_get(statements, i) : statements;
		const char *action = sb_str(statement, "Action", "sts:");

		if (json_object_get(statement, "Resource") != NULL)
			fault = "Has prohibited field Resource";
		else if (strncmp(action, "sts:", 4) != 0)
			fault = "AssumeRole policy may only specify STS AssumeRole actions.";
	}
	if (fault != NULL)
		status = sb_fail(c, 400, "MalformedPolicyDocument", "%s",
				 document == NULL ? "This policy contains invalid Json" : fault);
	else if ((ghost = sb_policy_ghost(c->sb, document)) != NULL)
		status =
		    sb_fail(c, 400, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"%s\"", ghost);
	else if (strlen(text) > TRUST_MAX)
		status = sb_fail(c, 409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", TRUST_MAX);
	json_decref(document);
	return status;
}

static int boundary_check(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "PermissionsBoundary", NULL);

	if (arn != NULL && strncmp(arn, "arn:", 4) != 0)
		return sb_fail(c, 400, "ValidationError", "Specified ARN for Permissions Boundary is not valid.");
	return 0;
}

static int tags_check(struct sb_call *c, json_t *tags)
{
	if (json_object_size(tags) > 50)
		return sb_fail(c, 409, "LimitExceeded", "The number of tags has reached the maximum limit.");
	return 0;
}

static int names_check(struct sb_call *c, const char *name, const char *path)
{
	size_t len = strlen(path);

	if (!sb_like(name, NAME_CHARS, 1, 64))
		return sb_fail(c, 400, "ValidationError",
			       "The specified value for roleName is invalid. It must contain only alphanumeric "
			       "characters and/or the following: +=,.@_-");
	if (path[0] != '/' || path[len - 1] != '/')
		return sb_fail(c, 400, "ValidationError",
			       "The specified value for path is invalid. It must begin and end with / and contain only "
			       "alphanumeric characters and/or / characters.");
	return 0;
}

/* ---- roles ---- */

static bool name_taken(struct sb_call *c, const char *name)
{
	const char *other;
	json_t *role;

	json_object_foreach(sb_sub(c->state, "Roles"), other, role) if (strcasecmp(other, name) == 0) return true;
	return json_object_get(json_object_get(c->sb->builtin, c->account), name) != NULL;
}

static int create_role(struct sb_call *c)
{
	const char *name = sb_str(c->in, "RoleName", ""), *path = sb_str(c->in, "Path", "/");
	const char *trust = sb_str(c->in, "AssumeRolePolicyDocument", "");
	json_t *roles = sb_sub(c->state, "Roles"), *role;
	mem_auto_str char *id = NULL;

	if (names_check(c, name, path) != 0 || trust_check(c, trust) != 0 || boundary_check(c) != 0)
		return -1;
	if (name_taken(c, name))
		return sb_fail(c, 409, "EntityAlreadyExists", "Role with name %s already exists.", name);
	if (json_object_size(roles) >= ROLES_MAX)
		return sb_fail(c, 409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: %d", ROLES_MAX);
	id = sb_id(c, "AROA", 17, ID_CHARS);
	role = json_pack("{s:s,s:s,s:s,s:I,s:I}", "RoleName", name, "Path", path, "RoleId", id, "MaxSessionDuration",
			 (json_int_t)sb_int(c->in, "MaxSessionDuration", 3600), "CreateMs", (json_int_t)c->now_ms);
	json_object_set_new(role, "Arn", sb_format("arn:%s:iam::%s:role%s%s", c->partition, c->account, path, name));
	sb_copy(role, c->in, "Description");
	if (json_object_get(c->in, "PermissionsBoundary") != NULL)
		json_object_set(role, "Boundary", json_object_get(c->in, "PermissionsBoundary"));
	sb_tags_add(sb_sub(role, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	sb_lag_set(c->sb, role, "AssumeRolePolicyDocument", json_string(trust));
	json_object_set_new(roles, name, role);
	c->out = json_pack("{s:o}", "Role", role_out(role, true));
	return 0;
}

static int get_role(struct sb_call *c)
{
	json_t *role = iam_role_get(c, false);

	if (role == NULL)
		return -1;
	c->out = json_pack("{s:o}", "Role", role_out(role, true));
	return 0;
}

/* Without a duration, the role gets the default of one hour. */
static int update_role(struct sb_call *c)
{
	json_t *role = iam_role_get(c, true);

	if (role == NULL)
		return -1;
	sb_copy(role, c->in, "Description");
	json_object_set_new(role, "MaxSessionDuration", json_integer(sb_int(c->in, "MaxSessionDuration", 3600)));
	return 0;
}

static int update_role_description(struct sb_call *c)
{
	json_t *role = iam_role_get(c, true);

	if (role == NULL)
		return -1;
	sb_copy(role, c->in, "Description");
	c->out = json_pack("{s:o}", "Role", role_out(role, true));
	return 0;
}

static int update_assume_role_policy(struct sb_call *c)
{
	const char *text = sb_str(c->in, "PolicyDocument", "");
	json_t *role = iam_role_get(c, true);

	if (role == NULL || trust_check(c, text) != 0)
		return -1;
	sb_lag_set(c->sb, role, "AssumeRolePolicyDocument", json_string(text));
	return 0;
}

static int delete_role(struct sb_call *c)
{
	json_t *role = iam_role_get(c, true);

	if (role == NULL)
		return -1;
	if (json_object_size(json_object_get(role, "Attached")) > 0)
		return sb_fail(c, 409, "DeleteConflict", "Cannot delete entity, must detach all policies first.");
	if (json_object_size(json_object_get(role, "Policies")) > 0)
		return sb_fail(c, 409, "DeleteConflict", "Cannot delete entity, must delete policies first.");
	json_object_del(json_object_get(c->state, "Roles"), sb_str(c->in, "RoleName", ""));
	return 0;
}

static int list_roles(struct sb_call *c)
{
	const char *prefix = sb_str(c->in, "PathPrefix", "/"), *key;
	json_t *all = json_object(), *list = json_array(), *page, *name, *role;
	size_t i;

	json_object_foreach(json_object_get(c->sb->builtin, c->account), key,
			    role) if (strncmp(sb_str(role, "Path", ""), prefix, strlen(prefix)) == 0)
	    json_object_set(all, key, role);
	json_object_foreach(sb_sub(c->state, "Roles"), key,
			    role) if (strncmp(sb_str(role, "Path", ""), prefix, strlen(prefix)) == 0)
	    json_object_set(all, key, role);
	page = iam_page(c, all);
	json_array_foreach(page, i, name)
	    json_array_append_new(list, role_out(json_object_get(all, json_string_value(name)), false));
	json_decref(all);
	if (page == NULL) {
		json_decref(list);
		return -1;
	}
	json_decref(page);
	json_object_set_new(c->out, "Roles", list);
	return 0;
}

/* ---- tags and the rest ---- */

static int tag_role(struct sb_call *c)
{
	json_t *role = iam_role_get(c, true), *tags;

	if (role == NULL)
		return -1;
	tags = sb_sub(role, "Tags");
	sb_tags_add(tags, json_object_get(c->in, "Tags"), "Key", "Value");
	return tags_check(c, tags);
}

static int untag_role(struct sb_call *c)
{
	json_t *role = iam_role_get(c, true);

	if (role == NULL)
		return -1;
	sb_tags_remove(sb_sub(role, "Tags"), json_object_get(c->in, "TagKeys"));
	return 0;
}

static int list_role_tags(struct sb_call *c)
{
	json_t *role = iam_role_get(c, false), *tags = sb_sub(role, "Tags"), *list, *page, *name;
	size_t i;

	if (role == NULL || (page = iam_page(c, tags)) == NULL)
		return -1;
	list = json_array();
	json_array_foreach(page, i, name) json_array_append_new(
	    list, json_pack("{s:O,s:O}", "Key", name, "Value", json_object_get(tags, json_string_value(name))));
	json_decref(page);
	json_object_set_new(c->out, "Tags", list);
	return 0;
}

static int list_instance_profiles_for_role(struct sb_call *c)
{
	if (iam_role_get(c, false) == NULL)
		return -1;
	c->out = json_pack("{s:[],s:b}", "InstanceProfiles", "IsTruncated", 0);
	return 0;
}

#define ARN    "!PolicyArn:s(20,2048)"
#define ROLE   "!RoleName:s(1,64)"
#define POLICY " !PolicyName:s(1,128)"
#define TAGS   "Tags:[{!Key:s(1,128) !Value:s(0,256)}]"
#define PAGE   " Marker:s(1,4096) MaxItems:i(1,1000)"

static const struct sb_op ops[] = {
    {"CreateRole", create_role,
     "Path:s(1,512) !AssumeRolePolicyDocument:s(1,131072) Description:s(0,1000) MaxSessionDuration:i(3600,43200) "
     "PermissionsBoundary:s(20,2048) " TAGS " " ROLE,
     NULL, NULL, 0},
    {"GetRole", get_role, ROLE, NULL, NULL, 0},
    {"UpdateRole", update_role, ROLE " Description:s(0,1000) MaxSessionDuration:i(3600,43200)", NULL, NULL, 0},
    {"UpdateAssumeRolePolicy", update_assume_role_policy, ROLE " !PolicyDocument:s(1,131072)", NULL, NULL, 0},
    {"UpdateRoleDescription", update_role_description, ROLE " !Description:s(0,1000)", NULL, NULL, 0},
    {"DeleteRole", delete_role, ROLE, NULL, NULL, 0},
    {"ListRoles", list_roles, "PathPrefix:s(1,512)" PAGE, NULL, NULL, 0},
    {"TagRole", tag_role, ROLE " !" TAGS, NULL, NULL, 0},
    {"UntagRole", untag_role, ROLE " !TagKeys:[s(1,128)]", NULL, NULL, 0},
    {"ListRoleTags", list_role_tags, ROLE PAGE, NULL, NULL, 0},
    {"PutRolePolicy", iam_put_role_policy, ROLE POLICY " !PolicyDocument:s(1,131072)", NULL, NULL, 0},
    {"GetRolePolicy", iam_get_role_policy, ROLE POLICY, NULL, NULL, 0},
    {"DeleteRolePolicy", iam_delete_role_policy, ROLE POLICY, NULL, NULL, 0},
    {"ListRolePolicies", iam_list_role_policies, ROLE PAGE, NULL, NULL, 0},
    {"AttachRolePolicy", iam_attach_role_policy, ROLE " !PolicyArn:s(20,2048)", NULL, NULL, 0},
    {"DetachRolePolicy", iam_detach_role_policy, ROLE " !PolicyArn:s(20,2048)", NULL, NULL, 0},
    {"ListAttachedRolePolicies", iam_list_attached_role_policies, ROLE " PathPrefix:s(1,512)" PAGE, NULL, NULL, 0},
    {"PutRolePermissionsBoundary", iam_put_role_permissions_boundary, ROLE " !PermissionsBoundary:s(20,2048)", NULL,
     NULL, 0},
    {"DeleteRolePermissionsBoundary", iam_delete_role_permissions_boundary, ROLE, NULL, NULL, 0},
    {"CreateServiceLinkedRole", iam_create_service_linked_role,
     "!AWSServiceName:s(1,128) Description:s(0,1000) CustomSuffix:s(1,64)", NULL, NULL, 0},
    {"DeleteServiceLinkedRole", iam_delete_service_linked_role, ROLE, NULL, NULL, 0},
    {"GetServiceLinkedRoleDeletionStatus", iam_get_service_linked_role_deletion_status, "!DeletionTaskId:s(1,1000)",
     NULL, NULL, 0},
    {"CreatePolicy", iam_create_policy,
     "!PolicyName:s(1,128) Path:s(1,512) !PolicyDocument:s(1,131072) Description:s(0,1000) " TAGS, NULL, NULL, 0},
    {"GetPolicy", iam_get_policy, ARN, NULL, NULL, 0},
    {"DeletePolicy", iam_delete_policy, ARN, NULL, NULL, 0},
    {"ListPolicies", iam_list_policies, "Scope OnlyAttached:b PathPrefix:s(1,512) PolicyUsageFilter" PAGE, NULL, NULL,
     0},
    {"CreatePolicyVersion", iam_create_policy_version, ARN " !PolicyDocument:s(1,131072) SetAsDefault:b", NULL, NULL,
     0},
    {"GetPolicyVersion", iam_get_policy_version, ARN " !VersionId", NULL, NULL, 0},
    {"ListPolicyVersions", iam_list_policy_versions, ARN PAGE, NULL, NULL, 0},
    {"SetDefaultPolicyVersion", iam_set_default_policy_version, ARN " !VersionId", NULL, NULL, 0},
    {"DeletePolicyVersion", iam_delete_policy_version, ARN " !VersionId", NULL, NULL, 0},
    {"ListEntitiesForPolicy", iam_list_entities_for_policy,
     ARN " EntityFilter PathPrefix:s(1,512) PolicyUsageFilter" PAGE, NULL, NULL, 0},
    {"TagPolicy", iam_tag_policy, ARN " !" TAGS, NULL, NULL, 0},
    {"UntagPolicy", iam_untag_policy, ARN " !TagKeys:[s(1,128)]", NULL, NULL, 0},
    {"ListPolicyTags", iam_list_policy_tags, ARN PAGE, NULL, NULL, 0},
    {"GetAccountPasswordPolicy", iam_get_account_password_policy, "", NULL, NULL, 0},
    {"UpdateAccountPasswordPolicy", iam_update_account_password_policy,
     "MinimumPasswordLength:i(6,128) RequireSymbols:b RequireNumbers:b RequireUppercaseCharacters:b "
     "RequireLowercaseCharacters:b AllowUsersToChangePassword:b MaxPasswordAge:i(0,1095) "
     "PasswordReusePrevention:i(0,24) HardExpiry:b",
     NULL, NULL, 0},
    {"DeleteAccountPasswordPolicy", iam_delete_account_password_policy, "", NULL, NULL, 0},
    {"ListAccountAliases", iam_list_account_aliases, "Marker:s(1,320) MaxItems:i(1,1000)", NULL, NULL, 0},
    {"CreateAccountAlias", iam_create_account_alias, "!AccountAlias:s(3,63)", NULL, NULL, 0},
    {"DeleteAccountAlias", iam_delete_account_alias, "!AccountAlias:s(3,63)", NULL, NULL, 0},
    {"ListInstanceProfilesForRole", list_instance_profiles_for_role, ROLE PAGE, NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_iam = {
    .name = "iam",
    .protocol = SB_QUERY,
    .prefix = "https://iam.amazonaws.com/doc/2010-05-08/",
    .global_region = "us-east-1",
    .invalid = "ValidationError",
    .throttled = "Throttling",
    .throttled_status = 400,
    .denied = "AccessDenied",
    .denied_status = 403,
    .ops = ops,
};
