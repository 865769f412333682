/* Reads the roster (muster's accounts.json), the optional "Sandbox" object in it or in a file of its own, and the
 * regions; makes up what they leave out: a login key, and the roles that a fleet like section 1's would have. */
#include "tests/sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>

static const char *const default_regions[] = {
    "us-east-1",      "us-east-2",      "us-west-1",      "us-west-2",      "ap-south-1",   "ap-northeast-1",
    "ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
    "eu-west-1",      "eu-west-2",      "eu-west-3",      "eu-north-1",     "sa-east-1",    NULL,
};
static const char *const opt_in_regions[] = {
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    NULL,
};

static json_t *file_read(const char *path)
{
	json_error_t error;
	json_t *doc = json_load_file(path, 0, &error);

	if (doc == NULL)
		fprintf(stderr, "muster-sandbox: %s:%d:%d: %s\n", path, error.line, error.column, error.text);
	return doc;
}

static void regions_mark(json_t *regions, json_t *names, const char *status)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name) if (json_is_string(name))
	    json_object_set_new(regions, json_string_value(name), json_string(status));
}

/* {"Enabled": [..], "OptIn": [..], "NotOptedIn": [..]}: Enabled replaces the regions that need no opt-in. */
static void regions_apply(json_t *regions, json_t *said)
{
	json_t *enabled = json_object_get(said, "Enabled"), *status;
	const char *name;
	void *next;

	if (json_is_array(enabled)) {
		json_object_foreach_safe(regions, next, name,
					 status) if (strcmp(json_string_value(status), "opt-in-not-required") == 0)
		    json_object_del(regions, name);
		regions_mark(regions, enabled, "opt-in-not-required");
	}
	regions_mark(regions, json_object_get(said, "OptIn"), "opted-in");
	regions_mark(regions, json_object_get(said, "NotOptedIn"), "not-opted-in");
}

static void regions_load(struct sb *sb, json_t *said)
{
	const char *account;
	json_t *own;

	for (size_t i = 0; default_regions[i] != NULL; i++)
		json_object_set_new(sb->regions, default_regions[i], json_string("opt-in-not-required"));
	for (size_t i = 0; opt_in_regions[i] != NULL; i++)
		json_object_set_new(sb->regions, opt_in_regions[i], json_string("not-opted-in"));
	regions_apply(sb->regions, said);
	json_object_foreach(said, account, own)
	{
		json_t *regions;

		if (!sb_like(account, "0-9", 12, 12))
			continue;
		regions = json_copy(sb->regions);
		regions_apply(regions, own);
		json_object_set_new(sb_sub(sb->accounts, account), "Regions", regions);
	}
}

/* `trust`: account ids and ARNs, or "web-identity"; `allow` and `deny`: globs of service:Operation. */
static void role_add(struct sb *sb, const char *account, const char *name, json_t *trust, json_t *allow, json_t *deny,
		     bool readonly)
{
	json_t *role, *principals = json_array(), *statements = json_array();
	size_t i;
	json_t *who;

	json_array_foreach(trust, i, who)
	{
		if (strcmp(json_string_value(who), "web-identity") == 0)
			json_array_append_new(statements,
					      json_pack("{s:s,s:{s:s},s:s}", "Effect", "Allow", "Principal",
							"Federated", "*", "Action", "sts:AssumeRoleWithWebIdentity"));
		else
			json_array_append(principals, who);
	}
	json_array_append_new(statements, json_pack("{s:s,s:{s:o},s:s}", "Effect", "Allow", "Principal", "AWS",
						    principals, "Action", "sts:AssumeRole"));
	role = json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:o},s:i,s:i,s:{}}", "RoleName", name, "Path", "/", "RoleId",
			 "AROASANDBOXBUILTIN00", "Account", account, "AssumeRolePolicyDocument", "Version",
			 "2012-10-17", "Statement", statements, "MaxSessionDuration", 43200, "CreateMs", 0, "Tags");
	json_object_set_new(role, "Arn", sb_format("arn:aws:iam::%s:role/%s", account, name));
	json_object_set_new(role, "BuiltIn", json_true());
	json_object_set_new(role, "ReadOnly", json_boolean(readonly));
	if (json_is_array(allow))
		json_object_set(role, "Allow", allow);
	if (json_is_array(deny))
		json_object_set(role, "Deny", deny);
	json_object_set_new(sb_sub(sb->builtin, account), name, role);
}

static void roles_default(struct sb *sb, const char *security)
{
	const char *account;
	json_t *info;

	json_object_foreach(sb->accounts, account, info)
	{
		json_t *trust = json_pack("[s]", security == NULL ? "*" : security);

		role_add(sb, account, "from-security", trust, NULL, NULL, false);
		role_add(sb, account, "from-security-readonly", trust, NULL, NULL, true);
		json_decref(trust);
	}
	if (security != NULL) {
		json_t *trust = json_pack("[s]", SB_JUMP_ACCOUNT);

		role_add(sb, security, "security-admin", trust, NULL, NULL, false);
		role_add(sb, security, "security-readonly", trust, NULL, NULL, true);
		json_decref(trust);
	}
}

static void roles_load(struct sb *sb, json_t *roles)
{
	size_t i;
	json_t *role;

	json_array_foreach(roles, i, role)
	{
		const char *account = sb_str(role, "Account", ""), *name = sb_str(role, "Name", "");

		sb_sub(sb->accounts, account);
		role_add(sb, account, name, json_object_get(role, "Trust"), json_object_get(role, "Allow"),
			 json_object_get(role, "Deny"), sb_true(role, "ReadOnly"));
		if (json_object_get(role, "TrustPolicy") != NULL)
			json_object_set(sb_role_find(sb, account, name, false), "AssumeRolePolicyDocument",
					json_object_get(role, "TrustPolicy"));
	}
}

static void vpcs_load(struct sb *sb, json_t *vpcs)
{
	size_t i;
	json_t *vpc;

	json_array_foreach(vpcs, i, vpc)
	{
		sb_vpc_declare(sb, vpc);
	}
}

static void key_add(struct sb *sb, const char *id, const char *secret, const char *account, const char *user)
{
	json_t *key =
	    json_pack("{s:s,s:s,s:s}", "Secret", secret, "Account", account, "UserId", "AIDASANDBOXUSER00000");

	json_object_set_new(key, "Arn", sb_format("arn:aws:iam::%s:user/%s", account, user));
	json_object_set_new(sb->keys, id, key);
	sb_sub(sb->accounts, account);
}

static void keys_load(struct sb *sb, json_t *keys)
{
	size_t i;
	json_t *key;

	if (!json_is_array(keys))
		key_add(sb, "AKIASANDBOX", "sandbox-secret", SB_JUMP_ACCOUNT, "jump");
	json_array_foreach(keys, i, key) key_add(sb, sb_str(key, "AccessKeyId", ""), sb_str(key, "SecretAccessKey", ""),
						 sb_str(key, "Account", SB_JUMP_ACCOUNT), sb_str(key, "User", "jump"));
}

/* Returns the security account's id (borrowed), or NULL. */
static const char *accounts_load(struct sb *sb, json_t *roster)
{
	const char *security = NULL;
	size_t i, j;
	json_t *account, *tag;

	json_array_foreach(json_object_get(roster, "Accounts"), i, account)
	{
		const char *id = sb_str(account, "Id", NULL);

		if (id == NULL)
			continue;
		json_object_set_new(sb_sub(sb->accounts, id), "Name", json_string(sb_str(account, "Name", id)));
		json_array_foreach(json_object_get(account, "Tags"), j,
				   tag) if (security == NULL && json_is_string(tag) &&
					    strcmp(json_string_value(tag), "security") == 0) security = id;
	}
	return security;
}

int sb_roster_load(struct sb *sb)
{
	json_t *roster = file_read(sb->roster_path), *config = NULL, *regions = NULL, *said;
	int status = -1;

	if (roster == NULL)
		return -1;
	if (sb->config_path != NULL && (config = file_read(sb->config_path)) == NULL)
		goto out;
	if (sb->regions_path != NULL && (regions = file_read(sb->regions_path)) == NULL)
		goto out;
	said = json_object_get(config != NULL ? config : roster, "Sandbox");
	if (said == NULL)
		said = config;
	/* The regions file stands for what the configuration may say itself. */
	if (regions != NULL && json_object_get(regions, "Regions") != NULL)
		json_object_update(regions, json_object_get(regions, "Regions"));
	roles_default(sb, accounts_load(sb, roster));
	keys_load(sb, json_object_get(said, "Credentials"));
	roles_load(sb, json_object_get(said, "Roles"));
	vpcs_load(sb, json_object_get(said, "Vpcs"));
	regions_load(sb, regions != NULL ? regions : json_object_get(said, "Regions"));
	status = 0;
out:
	json_decref(roster);
	json_decref(config);
	json_decref(regions);
	return status;
}
