/* IAM: what an account has one of, its password policy and its alias. */
#include "tests/sandbox/svc_iam.h"

#include <string.h>

static int no_policy(struct sb_call *c)
{
	return sb_fail(c, 404, "NoSuchEntity", "The Password Policy with domain name %s cannot be found.", c->account);
}

int iam_get_account_password_policy(struct sb_call *c)
{
	json_t *policy = json_object_get(c->state, "PasswordPolicy");

	if (policy == NULL)
		return no_policy(c);
	c->out = json_pack("{s:O}", "PasswordPolicy", policy);
	return 0;
}

/* What is not said goes back to its default. */
int iam_update_account_password_policy(struct sb_call *c)
{
	json_t *policy =
	    json_pack("{s:i,s:b,s:b,s:b,s:b,s:b,s:b}", "MinimumPasswordLength", 6, "RequireSymbols", 0,
		      "RequireNumbers", 0, "RequireUppercaseCharacters", 0, "RequireLowercaseCharacters", 0,
		      "AllowUsersToChangePassword", 0, "ExpirePasswords", sb_int(c->in, "MaxPasswordAge", 0) > 0);

	sb_copy(
	    policy, c->in,
	    "MinimumPasswordLength RequireSymbols RequireNumbers RequireUppercaseCharacters RequireLowercaseCharacters "
	    "AllowUsersToChangePassword HardExpiry");
	if (sb_int(c->in, "MaxPasswordAge", 0) > 0)
		sb_copy(policy, c->in, "MaxPasswordAge");
	if (sb_int(c->in, "PasswordReusePrevention", 0) > 0)
		sb_copy(policy, c->in, "PasswordReusePrevention");
	json_object_set_new(c->state, "PasswordPolicy", policy);
	return 0;
}

int iam_delete_account_password_policy(struct sb_call *c)
{
	return json_object_del(c->state, "PasswordPolicy") == 0 ? 0 : no_policy(c);
}

int iam_list_account_aliases(struct sb_call *c)
{
	json_t *alias = json_object_get(c->state, "Alias");

	c->out = json_pack("{s:[],s:b}", "AccountAliases", "IsTruncated", 0);
	if (alias != NULL)
		json_array_append(json_object_get(c->out, "AccountAliases"), alias);
	return 0;
}

/* An alias is unique in all of AWS, and an account has one: a new one takes the old one's place. */
int iam_create_account_alias(struct sb_call *c)
{
	const char *alias = sb_str(c->in, "AccountAlias", ""), *account;
	json_t *regions;

	if (!sb_like(alias, "a-z0-9-", 3, 63) || alias[0] == '-' || strstr(alias, "--") != NULL)
		return sb_fail(c, 400, "ValidationError", "The account alias %s is not valid.", alias);
	json_object_foreach(c->sb->state, account, regions)
	{
		if (strcmp(sb_str(sb_state_find(c->sb, account, "global", "iam"), "Alias", ""), alias) == 0)
			return sb_fail(c, 409, "EntityAlreadyExists", "The account alias %s already exists.", alias);
	}
	json_object_set_new(c->state, "Alias", json_string(alias));
	return 0;
}

int iam_delete_account_alias(struct sb_call *c)
{
	const char *alias = sb_str(c->in, "AccountAlias", "");

	if (strcmp(sb_str(c->state, "Alias", ""), alias) != 0)
		return sb_fail(c, 404, "NoSuchEntity", "The account alias with name %s cannot be found.", alias);
	json_object_del(c->state, "Alias");
	return 0;
}
