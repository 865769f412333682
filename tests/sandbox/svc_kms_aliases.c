/* KMS: aliases. */
#include "tests/sandbox/svc_kms.h"

#include <string.h>

static const struct sb_paging page = {"Aliases", "Marker", "NextMarker", "Limit", 50, "InvalidMarkerException"};

static int name_check(struct sb_call *c, const char *name)
{
	if (strncmp(name, "alias/", 6) != 0 || !sb_like(name + 6, "a-zA-Z0-9:/_-", 1, 250))
		return sb_fail(c, 400, "InvalidAliasNameException", "%s is not a valid alias name.", name);
	if (strncmp(name, "alias/aws/", 10) == 0)
		return sb_fail(c, 400, "NotAuthorizedException", "Aliases that begin with alias/aws/ are AWS's own.");
	return 0;
}

static json_t *alias_get(struct sb_call *c)
{
	const char *name = sb_str(c->in, "AliasName", "");
	json_t *alias = json_object_get(sb_sub(c->state, "Aliases"), name);

	if (alias == NULL)
		sb_fail(c, 400, "NotFoundException", "Alias arn:%s:kms:%s:%s:%s is not found.", c->partition, c->region,
			c->account, name);
	return alias;
}

int kms_create_alias(struct sb_call *c)
{
	const char *name = sb_str(c->in, "AliasName", "");
	json_t *aliases = sb_sub(c->state, "Aliases"), *key, *alias;

	if (name_check(c, name) != 0 || (key = kms_key_get(c, "TargetKeyId", KMS_NOT_GOING)) == NULL)
		return -1;
	if (json_object_get(aliases, name) != NULL)
		return sb_fail(c, 400, "AlreadyExistsException",
			       "An alias with the name arn:%s:kms:%s:%s:%s already exists", c->partition, c->region,
			       c->account, name);
	alias = json_pack("{s:s,s:O,s:I,s:I}", "AliasName", name, "TargetKeyId", json_object_get(key, "KeyId"),
			  "CreatedMs", (json_int_t)c->now_ms, "UpdatedMs", (json_int_t)c->now_ms);
	json_object_set_new(alias, "AliasArn",
			    sb_format("arn:%s:kms:%s:%s:%s", c->partition, c->region, c->account, name));
	json_object_set_new(aliases, name, alias);
	return 0;
}

int kms_update_alias(struct sb_call *c)
{
	json_t *alias = alias_get(c), *key;

	if (alias == NULL || (key = kms_key_get(c, "TargetKeyId", KMS_NOT_GOING)) == NULL)
		return -1;
	json_object_set(alias, "TargetKeyId", json_object_get(key, "KeyId"));
	json_object_set_new(alias, "UpdatedMs", json_integer(c->now_ms));
	return 0;
}

int kms_delete_alias(struct sb_call *c)
{
	if (alias_get(c) == NULL)
		return -1;
	json_object_del(sb_sub(c->state, "Aliases"), sb_str(c->in, "AliasName", ""));
	return 0;
}

static json_t *alias_row(struct sb_call *c, json_t *alias)
{
	json_t *row = json_object();

	(void)c;
	sb_copy(row, alias, "AliasName AliasArn TargetKeyId");
	json_object_set_new(row, "CreationDate", sb_time_epoch(sb_int(alias, "CreatedMs", 0)));
	json_object_set_new(row, "LastUpdatedDate", sb_time_epoch(sb_int(alias, "UpdatedMs", 0)));
	return row;
}

int kms_list_aliases(struct sb_call *c)
{
	json_t *some = json_object(), *alias, *key = NULL;
	const char *name;
	int status = -1;

	if (json_object_get(c->in, "KeyId") != NULL && (key = kms_key_get(c, "KeyId", 0)) == NULL)
		goto out;
	json_object_foreach(sb_sub(c->state, "Aliases"), name, alias)
	{
		if (key == NULL || strcmp(sb_str(alias, "TargetKeyId", ""), sb_str(key, "KeyId", "")) == 0)
			json_object_set(some, name, alias);
	}
	status = sb_page_answer(c, &page, some, alias_row);
	if (status == 0)
		json_object_set_new(c->out, "Truncated", json_boolean(json_object_get(c->out, "NextMarker") != NULL));
out:
	json_decref(some);
	return status;
}
