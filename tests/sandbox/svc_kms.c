/* KMS: keys, their policies, rotation, deletion and tags. Aliases are in svc_kms_aliases.c. Nothing is encrypted here;
 * what a key is for is to let other services in, or not. */
#include "tests/sandbox/svc_kms.h"

#include <stdlib.h>
#include <string.h>

#define POLICY_MAX 32768
#define DAY_MS     86400000LL

static const struct sb_paging keys_page = {"Keys", "Marker", "NextMarker", "Limit", 100, "InvalidMarkerException"};
static const struct sb_paging tags_page = {"Tags", "Marker", "NextMarker", "Limit", 50, "InvalidMarkerException"};

/* ---- finding ---- */

json_t *sb_key_find(struct sb *sb, const char *arn)
{
	mem_auto_str char *service = sb_arn_part(arn, 2), *region = sb_arn_part(arn, 3), *account = sb_arn_part(arn, 4);
	mem_auto_str char *rest = sb_arn_part(arn, 5);
	json_t *kms = sb_state_find(sb, account, region, "kms");
	const char *id = rest + 4;

	if (strcmp(service, "kms") != 0)
		return NULL;
	if (strncmp(rest, "alias/", 6) == 0)
		id = sb_str(json_object_get(json_object_get(kms, "Aliases"), rest), "TargetKeyId", "");
	else if (strncmp(rest, "key/", 4) != 0)
		return NULL;
	return json_object_get(json_object_get(kms, "Keys"), id);
}

const char *sb_key_refuses(json_t *key, const struct sb_ask *ask)
{
	json_t *policy = json_loads(sb_str(key, "Policy", ""), 0, NULL);
	enum sb_verdict verdict = sb_policy_ask(policy, ask);

	json_decref(policy);
	if (key == NULL)
		return "the KMS key does not exist";
	if (json_object_get(key, "DeletionMs") != NULL)
		return "the KMS key is pending deletion";
	if (!sb_true(key, "Enabled"))
		return "the KMS key is disabled";
	return verdict == SB_ALLOWED ? NULL : "the key policy does not allow it";
}

json_t *kms_key_get(struct sb_call *c, const char *member, unsigned int needs)
{
	const char *said = sb_str(c->in, member, "");
	bool arn = strncmp(said, "arn:", 4) == 0, alias = strstr(said, "alias/") != NULL;
	mem_auto_str char *full =
	    arn ? mem_strdup(said)
		: mem_printf("arn:%s:kms:%s:%s:%s%s", c->partition, c->region, c->account, alias ? "" : "key/", said);
	mem_auto_str char *region = sb_arn_part(full, 3);
	json_t *key = sb_key_find(c->sb, full);

	if (strcmp(region, c->region) != 0)
		sb_fail(c, 400, "NotFoundException", "Invalid arn %s", region);
	else if (alias && (needs & KMS_BY_ALIAS) == 0)
		sb_fail(c, 400, "NotFoundException", "Invalid keyId %s", said);
	else if (key == NULL && alias)
		sb_fail(c, 400, "NotFoundException", "Alias %s is not found.", full);
	else if (key == NULL)
		sb_fail(c, 400, "NotFoundException", "Key '%s' does not exist", full);
	else if ((needs & KMS_NOT_GOING) != 0 && json_object_get(key, "DeletionMs") != NULL)
		sb_fail(c, 400, "KMSInvalidStateException", "%s is pending deletion.", sb_str(key, "Arn", ""));
	else if ((needs & KMS_ENABLED) != 0 && !sb_true(key, "Enabled"))
		sb_fail(c, 400, "DisabledException", "%s is disabled.", sb_str(key, "Arn", ""));
	else if ((needs & KMS_SYMMETRIC) != 0 && strcmp(sb_str(key, "KeySpec", ""), "SYMMETRIC_DEFAULT") != 0)
		sb_fail(c, 400, "UnsupportedOperationException", "%s is not a symmetric key.", sb_str(key, "Arn", ""));
	else
		return key;
	return NULL;
}

/* ---- policies ---- */

/* Unless told not to mind, KMS refuses a policy that locks its writer out. */
static bool locks_out(struct sb_call *c, json_t *document)
{
	struct sb_ask ask = {.account = c->account,
			     .arn = sb_str(c->caller, "Arn", NULL),
			     .role_arn = sb_str(c->caller, "RoleArn", NULL),
			     .action = "kms:PutKeyPolicy"};

	return !sb_true(c->in, "BypassPolicyLockoutSafetyCheck") && sb_policy_ask(document, &ask) != SB_ALLOWED;
}

static int policy_check(struct sb_call *c, const char *text)
{
	json_t *document = json_loads(text, 0, NULL);
	const char *fault = sb_policy_fault(document, true);
	int status = 0;

	if (strlen(text) > POLICY_MAX)
		status =
		    sb_fail(c, 400, "LimitExceededException", "The key policy is larger than %d bytes.", POLICY_MAX);
	else if (fault != NULL)
		status = sb_fail(c, 400, "MalformedPolicyDocumentException", "%s", fault);
	else if (sb_policy_ghost(c->sb, document) != NULL)
		status = sb_fail(c, 400, "MalformedPolicyDocumentException",
				 "Policy contains a statement with one or more invalid principals.");
	else if (locks_out(c, document))
		status = sb_fail(c, 400, "MalformedPolicyDocumentException",
				 "The new key policy will not allow you to update the key policy in the future.");
	json_decref(document);
	return status;
}

static json_t *default_policy(struct sb_call *c)
{
	return sb_format(
	    "{\"Version\":\"2012-10-17\",\"Id\":\"key-default-1\",\"Statement\":[{\"Sid\":\"Enable IAM User "
	    "Permissions\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:%s:iam::%s:root\"},\"Action\":"
	    "\"kms:*\",\"Resource\":\"*\"}]}",
	    c->partition, c->account);
}

static int policy_name_check(struct sb_call *c)
{
	if (strcmp(sb_str(c->in, "PolicyName", "default"), "default") == 0)
		return 0;
	return sb_fail(c, 400, "NotFoundException", "No such policy exists");
}

static int get_key_policy(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", 0);

	if (key == NULL || policy_name_check(c) != 0)
		return -1;
	c->out = json_pack("{s:O,s:s}", "Policy", json_object_get(key, "Policy"), "PolicyName", "default");
	return 0;
}

static int put_key_policy(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", 0);

	if (key == NULL || policy_name_check(c) != 0 || policy_check(c, sb_str(c->in, "Policy", "")) != 0)
		return -1;
	json_object_set(key, "Policy", json_object_get(c->in, "Policy"));
	return 0;
}

/* ---- keys ---- */

static json_t *key_out(struct sb_call *c, json_t *key)
{
	bool going = json_object_get(key, "DeletionMs") != NULL;
	json_t *out = json_pack("{s:s,s:s,s:b,s:s}", "AWSAccountId", c->account, "KeyState",
				going                     ? "PendingDeletion"
				: sb_true(key, "Enabled") ? "Enabled"
							  : "Disabled",
				"Enabled", sb_true(key, "Enabled") && !going, "KeyManager", "CUSTOMER");

	sb_copy(out, key, "KeyId Arn Description KeyUsage KeySpec Origin MultiRegion");
	json_object_set(out, "CustomerMasterKeySpec", json_object_get(key, "KeySpec"));
	json_object_set_new(out, "CreationDate", sb_time_epoch(sb_int(key, "CreatedMs", 0)));
	if (going)
		json_object_set_new(out, "DeletionDate", sb_time_epoch(sb_int(key, "DeletionMs", 0)));
	if (strcmp(sb_str(key, "KeySpec", ""), "SYMMETRIC_DEFAULT") == 0)
		json_object_set_new(out, "EncryptionAlgorithms", json_pack("[s]", "SYMMETRIC_DEFAULT"));
	return out;
}

static int tags_check(struct sb_call *c, json_t *list)
{
	size_t i;
	json_t *tag;

	json_array_foreach(list, i, tag)
	{
		if (strncmp(sb_str(tag, "TagKey", ""), "aws:", 4) == 0)
			return sb_fail(c, 400, "TagException", "Tag keys cannot start with aws:");
	}
	return json_array_size(list) > 50 ? sb_fail(c, 400, "LimitExceededException", "Too many tags") : 0;
}

static int create_key(struct sb_call *c)
{
	const char *spec = sb_str(c->in, "KeySpec", sb_str(c->in, "CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"));
	const char *usage = sb_str(c->in, "KeyUsage", "ENCRYPT_DECRYPT"), *policy = sb_str(c->in, "Policy", NULL);
	mem_auto_str char *id = NULL;
	json_t *key;

	if (!sb_one_of("SIGN_VERIFY ENCRYPT_DECRYPT GENERATE_VERIFY_MAC KEY_AGREEMENT", usage))
		return sb_fail(c, 400, "ValidationException", "KeyUsage %s is not valid.", usage);
	if (strcmp(spec, "SYMMETRIC_DEFAULT") == 0 && strcmp(usage, "ENCRYPT_DECRYPT") != 0)
		return sb_fail(c, 400, "ValidationException", "KeyUsage %s is not compatible with KeySpec %s", usage,
			       spec);
	if ((policy != NULL && policy_check(c, policy) != 0) || tags_check(c, json_object_get(c->in, "Tags")) != 0)
		return -1;
	id = sb_id_uuid(c);
	key =
	    json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:I}", "KeyId", id, "Description", sb_str(c->in, "Description", ""),
		      "KeyUsage", usage, "KeySpec", spec, "Origin", sb_str(c->in, "Origin", "AWS_KMS"), "MultiRegion",
		      sb_true(c->in, "MultiRegion"), "Enabled", 1, "CreatedMs", (json_int_t)c->now_ms);
	json_object_set_new(key, "Arn", sb_format("arn:%s:kms:%s:%s:key/%s", c->partition, c->region, c->account, id));
	json_object_set_new(key, "Policy", policy == NULL ? default_policy(c) : json_string(policy));
	sb_tags_add(sb_sub(key, "Tags"), json_object_get(c->in, "Tags"), "TagKey", "TagValue");
	json_object_set_new(sb_sub(c->state, "Keys"), id, key);
	c->out = json_pack("{s:o}", "KeyMetadata", key_out(c, key));
	return 0;
}

static int describe_key(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_BY_ALIAS);

	if (key == NULL)
		return -1;
	c->out = json_pack("{s:o}", "KeyMetadata", key_out(c, key));
	return 0;
}

static json_t *key_row(struct sb_call *c, json_t *key)
{
	(void)c;
	return json_pack("{s:O,s:O}", "KeyId", json_object_get(key, "KeyId"), "KeyArn", json_object_get(key, "Arn"));
}

static int list_keys(struct sb_call *c)
{
	if (sb_page_answer(c, &keys_page, sb_sub(c->state, "Keys"), key_row) != 0)
		return -1;
	json_object_set_new(c->out, "Truncated", json_boolean(json_object_get(c->out, "NextMarker") != NULL));
	return 0;
}

static int update_key_description(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_NOT_GOING);

	if (key == NULL)
		return -1;
	sb_copy(key, c->in, "Description");
	return 0;
}

static int key_switch(struct sb_call *c, bool on)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_NOT_GOING);

	if (key == NULL)
		return -1;
	json_object_set_new(key, "Enabled", json_boolean(on));
	return 0;
}

static int enable_key(struct sb_call *c)
{
	return key_switch(c, true);
}

static int disable_key(struct sb_call *c)
{
	return key_switch(c, false);
}

/* ---- rotation ---- */

static int enable_key_rotation(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_NOT_GOING | KMS_ENABLED | KMS_SYMMETRIC);

	if (key == NULL)
		return -1;
	json_object_set_new(key, "Rotation", json_true());
	json_object_set_new(key, "RotationDays", json_integer(sb_int(c->in, "RotationPeriodInDays", 365)));
	json_object_set_new(key, "RotationMs", json_integer(c->now_ms));
	return 0;
}

static int disable_key_rotation(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_NOT_GOING | KMS_ENABLED | KMS_SYMMETRIC);

	if (key == NULL)
		return -1;
	json_object_del(key, "Rotation");
	return 0;
}

static int get_key_rotation_status(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_SYMMETRIC);
	bool on = sb_true(key, "Rotation") && json_object_get(key, "DeletionMs") == NULL;
	int64_t days = sb_int(key, "RotationDays", 365);

	if (key == NULL)
		return -1;
	c->out = json_pack("{s:b,s:O}", "KeyRotationEnabled", on, "KeyId", json_object_get(key, "Arn"));
	if (!on)
		return 0;
	json_object_set_new(c->out, "RotationPeriodInDays", json_integer(days));
	json_object_set_new(c->out, "NextRotationDate", sb_time_epoch(sb_int(key, "RotationMs", 0) + days * DAY_MS));
	return 0;
}

/* ---- deletion ---- */

static int schedule_key_deletion(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_NOT_GOING);
	int64_t days = sb_int(c->in, "PendingWindowInDays", 30);

	if (key == NULL)
		return -1;
	if (days < 7 || days > 30)
		return sb_fail(c, 400, "ValidationException",
			       "PendingWindowInDays must be between 7 and 30 days, both inclusive.");
	json_object_set_new(key, "DeletionMs", json_integer(c->now_ms + days * DAY_MS));
	c->out = json_pack("{s:O,s:o,s:s,s:I}", "KeyId", json_object_get(key, "Arn"), "DeletionDate",
			   sb_time_epoch(c->now_ms + days * DAY_MS), "KeyState", "PendingDeletion",
			   "PendingWindowInDays", (json_int_t)days);
	return 0;
}

static int cancel_key_deletion(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", 0);

	if (key == NULL)
		return -1;
	if (json_object_del(key, "DeletionMs") != 0)
		return sb_fail(c, 400, "KMSInvalidStateException", "%s is not pending deletion.",
			       sb_str(key, "Arn", ""));
	json_object_set_new(key, "Enabled", json_false());
	c->out = json_pack("{s:O}", "KeyId", json_object_get(key, "Arn"));
	return 0;
}

/* ---- tags ---- */

static int tag_resource(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_NOT_GOING);

	if (key == NULL || tags_check(c, json_object_get(c->in, "Tags")) != 0)
		return -1;
	sb_tags_add(sb_sub(key, "Tags"), json_object_get(c->in, "Tags"), "TagKey", "TagValue");
	return 0;
}

static int untag_resource(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", KMS_NOT_GOING);

	if (key == NULL)
		return -1;
	sb_tags_remove(sb_sub(key, "Tags"), json_object_get(c->in, "TagKeys"));
	return 0;
}

static int list_resource_tags(struct sb_call *c)
{
	json_t *key = kms_key_get(c, "KeyId", 0);

	if (key == NULL)
		return -1;
	if (sb_tags_answer(c, &tags_page, json_object_get(key, "Tags"), "TagKey", "TagValue") != 0)
		return -1;
	json_object_set_new(c->out, "Truncated", json_boolean(json_object_get(c->out, "NextMarker") != NULL));
	return 0;
}

#define KEY    "!KeyId:s(1,2048)"
#define TAGS   "Tags:[{!TagKey:s(1,128) !TagValue:s(0,256)}]"
#define BYPASS " BypassPolicyLockoutSafetyCheck:b"
#define PAGE   "Limit:i(1,1000) Marker:s(1,1024)"
#define ALIAS  "!AliasName:s(1,256)"

static const struct sb_op ops[] = {
    {"CreateKey", create_key,
     "Policy:s(1,131072) Description:s(0,8192) KeyUsage CustomerMasterKeySpec KeySpec Origin CustomKeyStoreId:s(1,64) "
     "MultiRegion:b XksKeyId:s(1,128) " TAGS BYPASS,
     NULL, NULL, 0},
    {"DescribeKey", describe_key, KEY " GrantTokens:[s(1,8192)](0,10)", NULL, NULL, 0},
    {"ListKeys", list_keys, PAGE, NULL, NULL, 0},
    {"GetKeyPolicy", get_key_policy, KEY " PolicyName:s(1,128)", NULL, NULL, 0},
    {"PutKeyPolicy", put_key_policy, KEY " PolicyName:s(1,128) !Policy:s(1,131072)" BYPASS, NULL, NULL, 0},
    {"UpdateKeyDescription", update_key_description, KEY " !Description:s(0,8192)", NULL, NULL, 0},
    {"EnableKey", enable_key, KEY, NULL, NULL, 0},
    {"DisableKey", disable_key, KEY, NULL, NULL, 0},
    {"EnableKeyRotation", enable_key_rotation, KEY " RotationPeriodInDays:i(90,2560)", NULL, NULL, 0},
    {"DisableKeyRotation", disable_key_rotation, KEY, NULL, NULL, 0},
    {"GetKeyRotationStatus", get_key_rotation_status, KEY, NULL, NULL, 0},
    {"ScheduleKeyDeletion", schedule_key_deletion, KEY " PendingWindowInDays:i(1,365)", NULL, NULL, 0},
    {"CancelKeyDeletion", cancel_key_deletion, KEY, NULL, NULL, 0},
    {"TagResource", tag_resource, KEY " !" TAGS, NULL, NULL, 0},
    {"UntagResource", untag_resource, KEY " !TagKeys:[s(1,128)]", NULL, NULL, 0},
    {"ListResourceTags", list_resource_tags, KEY " " PAGE, NULL, NULL, 0},
    {"CreateAlias", kms_create_alias, ALIAS " !TargetKeyId:s(1,2048)", NULL, NULL, 0},
    {"UpdateAlias", kms_update_alias, ALIAS " !TargetKeyId:s(1,2048)", NULL, NULL, 0},
    {"DeleteAlias", kms_delete_alias, ALIAS, NULL, NULL, 0},
    {"ListAliases", kms_list_aliases, "KeyId:s(1,2048) " PAGE, NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_kms = {
    .name = "kms",
    .protocol = SB_JSON,
    .prefix = "TrentService",
    .invalid = "ValidationException",
    .throttled = "ThrottlingException",
    .throttled_status = 400,
    .denied = "AccessDeniedException",
    .denied_status = 400,
    .ops = ops,
};
