/* CloudWatch Logs: groups, their retention, keys and tags, and resource policies. No log events are kept. */
#include "tests/sandbox/sandbox.h"

#include <string.h>

#define GROUPS_MAX   1000000
#define POLICIES_MAX 10

static const struct sb_paging groups_page = {"logGroups", "nextToken", "nextToken",
					     "limit",     50,          "InvalidParameterException"};
static const struct sb_paging policies_page = {"resourcePolicies",         "nextToken", "nextToken", "limit", 50,
					       "InvalidParameterException"};
static const int retentions[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
				 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

static int no_group(struct sb_call *c)
{
	return sb_fail(c, 400, "ResourceNotFoundException", "The specified log group does not exist.");
}

static json_t *group_get(struct sb_call *c)
{
	json_t *group = json_object_get(sb_sub(c->state, "Groups"), sb_str(c->in, "logGroupName", ""));

	if (group == NULL)
		no_group(c);
	return group;
}

static int name_check(struct sb_call *c, const char *name)
{
	if (sb_like(name, "a-zA-Z0-9_/.#-", 1, 512) && strncmp(name, "aws/", 4) != 0)
		return 0;
	return sb_fail(c, 400, "InvalidParameterException",
		       "1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member "
		       "must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+",
		       name);
}

/* The key must exist, be enabled, and let the service of this region use it for this group. */
static int key_check(struct sb_call *c, const char *key, const char *group)
{
	mem_auto_str char *service = mem_printf("logs.%s.amazonaws.com", c->region);
	mem_auto_str char *arn =
	    mem_printf("arn:%s:logs:%s:%s:log-group:%s", c->partition, c->region, c->account, group);
	struct sb_ask ask = {.service = service, .action = "kms:Encrypt"};
	const char *why;

	if (key == NULL)
		return 0;
	ask.context = json_pack("{s:s,s:s,s:s}", "kms:encryptioncontext:aws:logs:arn", arn, "aws:sourcearn", arn,
				"aws:sourceaccount", c->account);
	why = sb_key_refuses(sb_key_find(c->sb, key), &ask);
	json_decref(ask.context);
	if (why == NULL)
		return 0;
	return sb_fail(c, 400, "InvalidParameterException",
		       "The specified KMS key does not exist or is not allowed to be used with Arn '%s' (%s)", arn,
		       why);
}

/* ---- groups ---- */

static int create_log_group(struct sb_call *c)
{
	const char *name = sb_str(c->in, "logGroupName", ""), *kind = sb_str(c->in, "logGroupClass", "STANDARD");
	json_t *groups = sb_sub(c->state, "Groups"), *group, *tags = json_object_get(c->in, "tags");

	if (name_check(c, name) != 0 || key_check(c, sb_str(c->in, "kmsKeyId", NULL), name) != 0)
		return -1;
	if (json_object_get(groups, name) != NULL)
		return sb_fail(c, 400, "ResourceAlreadyExistsException", "The specified log group already exists");
	if (!sb_one_of("STANDARD INFREQUENT_ACCESS DELIVERY", kind))
		return sb_fail(c, 400, "InvalidParameterException", "%s is not a valid log group class", kind);
	if (json_object_size(groups) >= GROUPS_MAX)
		return sb_fail(c, 400, "LimitExceededException", "Resource limit exceeded.");
	group = json_pack("{s:s,s:s,s:I,s:o}", "logGroupName", name, "logGroupClass", kind, "creationTime",
			  (json_int_t)c->now_ms, "Tags", tags == NULL ? json_object() : json_deep_copy(tags));
	json_object_set_new(group, "logGroupArn",
			    sb_format("arn:%s:logs:%s:%s:log-group:%s", c->partition, c->region, c->account, name));
	sb_copy(group, c->in, "kmsKeyId deletionProtectionEnabled");
	json_object_set_new(groups, name, group);
	return 0;
}

static json_t *group_row(struct sb_call *c, json_t *group)
{
	json_t *row = json_pack("{s:i,s:i,s:b}", "metricFilterCount", 0, "storedBytes", 0, "deletionProtectionEnabled",
				sb_true(group, "deletionProtectionEnabled"));

	(void)c;
	sb_copy(row, group, "logGroupName creationTime retentionInDays kmsKeyId logGroupClass logGroupArn");
	json_object_set_new(row, "arn", sb_format("%s:*", sb_str(group, "logGroupArn", "")));
	return row;
}

static bool group_asked(struct sb_call *c, const char *name, json_t *group)
{
	const char *prefix = sb_str(c->in, "logGroupNamePrefix", ""), *part = sb_str(c->in, "logGroupNamePattern", "");
	const char *kind = sb_str(c->in, "logGroupClass", NULL), *id;
	json_t *ids = json_object_get(c->in, "logGroupIdentifiers"), *item;
	size_t i;

	if (strncmp(name, prefix, strlen(prefix)) != 0 || strstr(name, part) == NULL ||
	    (kind != NULL && strcmp(kind, sb_str(group, "logGroupClass", "")) != 0))
		return false;
	json_array_foreach(ids, i, item)
	{
		id = json_string_value(item);
		if (strcmp(id, name) == 0 || strcmp(id, sb_str(group, "logGroupArn", "")) == 0)
			return true;
	}
	return ids == NULL;
}

static int describe_log_groups(struct sb_call *c)
{
	json_t *some = json_object(), *group;
	const char *name;
	int status;

	if (json_object_get(c->in, "logGroupNamePrefix") != NULL &&
	    json_object_get(c->in, "logGroupNamePattern") != NULL) {
		json_decref(some);
		return sb_fail(c, 400, "InvalidParameterException",
			       "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
	}
	json_object_foreach(sb_sub(c->state, "Groups"), name, group)
	{
		if (group_asked(c, name, group))
			json_object_set(some, name, group);
	}
	status = sb_page_answer(c, &groups_page, some, group_row);
	json_decref(some);
	return status;
}

static int delete_log_group(struct sb_call *c)
{
	json_t *group = group_get(c);

	if (group == NULL)
		return -1;
	if (sb_true(group, "deletionProtectionEnabled"))
		return sb_fail(c, 400, "ValidationException", "The log group is protected from deletion.");
	json_object_del(sb_sub(c->state, "Groups"), sb_str(c->in, "logGroupName", ""));
	return 0;
}

/* ---- retention and keys ---- */

static int put_retention_policy(struct sb_call *c)
{
	json_t *group = group_get(c);
	int64_t days = sb_int(c->in, "retentionInDays", 0);

	if (group == NULL)
		return -1;
	for (size_t i = 0; i < sizeof retentions / sizeof *retentions; i++) {
		if (retentions[i] == days) {
			sb_copy(group, c->in, "retentionInDays");
			return 0;
		}
	}
	return sb_fail(
	    c, 400, "InvalidParameterException",
	    "1 validation error detected: Value '%lld' at 'retentionInDays' failed to satisfy constraint: Member "
	    "must satisfy enum value set",
	    (long long)days);
}

static int delete_retention_policy(struct sb_call *c)
{
	json_t *group = group_get(c);

	if (group == NULL)
		return -1;
	json_object_del(group, "retentionInDays");
	return 0;
}

static int associate_kms_key(struct sb_call *c)
{
	json_t *group = group_get(c);

	if (group == NULL || key_check(c, sb_str(c->in, "kmsKeyId", NULL), sb_str(c->in, "logGroupName", "")) != 0)
		return -1;
	sb_copy(group, c->in, "kmsKeyId");
	return 0;
}

static int disassociate_kms_key(struct sb_call *c)
{
	json_t *group = group_get(c);

	if (group == NULL)
		return -1;
	json_object_del(group, "kmsKeyId");
	return 0;
}

/* ---- tags ---- */

static json_t *tagged(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "resourceArn", ""), *name;
	json_t *group;

	json_object_foreach(sb_sub(c->state, "Groups"), name, group)
	{
		if (strcmp(sb_str(group, "logGroupArn", ""), arn) == 0)
			return sb_sub(group, "Tags");
	}
	sb_fail(c, 400, "ResourceNotFoundException", "The specified resource does not exist.");
	return NULL;
}

static int tag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	json_object_update(tags, json_object_get(c->in, "tags"));
	return json_object_size(tags) > 50 ? sb_fail(c, 400, "TooManyTagsException", "Too many tags") : 0;
}

static int untag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_remove(tags, json_object_get(c->in, "tagKeys"));
	return 0;
}

static int list_tags_for_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	c->out = json_pack("{s:O}", "tags", tags);
	return 0;
}

/* ---- resource policies ---- */

static int put_resource_policy(struct sb_call *c)
{
	const char *name = sb_str(c->in, "policyName", ""), *text = sb_str(c->in, "policyDocument", "");
	json_t *policies = sb_sub(c->state, "Policies"), *document = json_loads(text, 0, NULL), *policy;
	const char *fault = sb_policy_fault(document, true);

	json_decref(document);
	if (name[0] == '\0' || fault != NULL)
		return sb_fail(c, 400, "InvalidParameterException", "%s",
			       name[0] == '\0' ? "policyName is required" : fault);
	if (json_object_get(policies, name) == NULL && json_object_size(policies) >= POLICIES_MAX)
		return sb_fail(c, 400, "LimitExceededException", "Resource limit exceeded.");
	policy = json_pack("{s:s,s:s,s:I,s:s}", "policyName", name, "policyDocument", text, "lastUpdatedTime",
			   (json_int_t)c->now_ms, "policyScope", "ACCOUNT");
	json_object_set_new(policies, name, policy);
	c->out = json_pack("{s:O}", "resourcePolicy", policy);
	return 0;
}

static json_t *policy_row(struct sb_call *c, json_t *policy)
{
	(void)c;
	return json_incref(policy);
}

static int describe_resource_policies(struct sb_call *c)
{
	return sb_page_answer(c, &policies_page, sb_sub(c->state, "Policies"), policy_row);
}

static int delete_resource_policy(struct sb_call *c)
{
	if (json_object_del(sb_sub(c->state, "Policies"), sb_str(c->in, "policyName", "")) == 0)
		return 0;
	return sb_fail(c, 400, "ResourceNotFoundException", "Policy with name [%s] does not exist",
		       sb_str(c->in, "policyName", ""));
}

#define GROUP "!logGroupName:s(1,512)"

static const struct sb_op ops[] = {
    {"CreateLogGroup", create_log_group, GROUP " kmsKeyId:s(0,256) tags:m logGroupClass deletionProtectionEnabled:b",
     NULL, NULL, 0},
    {"DescribeLogGroups", describe_log_groups,
     "accountIdentifiers:[s(12,12)](0,20) logGroupNamePrefix:s(1,512) logGroupNamePattern:s(0,512) nextToken:s(1,4096) "
     "limit:i(1,50) includeLinkedAccounts:b logGroupClass logGroupIdentifiers:[s(1,2048)](1,50)",
     NULL, NULL, 0},
    {"DeleteLogGroup", delete_log_group, GROUP, NULL, NULL, 0},
    {"PutRetentionPolicy", put_retention_policy, GROUP " !retentionInDays:i", NULL, NULL, 0},
    {"DeleteRetentionPolicy", delete_retention_policy, GROUP, NULL, NULL, 0},
    {"AssociateKmsKey", associate_kms_key, "logGroupName:s(1,512) !kmsKeyId:s(0,256) resourceIdentifier:s(1,2048)",
     NULL, NULL, 0},
    {"DisassociateKmsKey", disassociate_kms_key, "logGroupName:s(1,512) resourceIdentifier:s(1,2048)", NULL, NULL, 0},
    {"TagResource", tag_resource, "!resourceArn:s(1,1011) !tags:m", NULL, NULL, 0},
    {"UntagResource", untag_resource, "!resourceArn:s(1,1011) !tagKeys:[s(1,128)](0,50)", NULL, NULL, 0},
    {"ListTagsForResource", list_tags_for_resource, "!resourceArn:s(1,1011)", NULL, NULL, 0},
    {"PutResourcePolicy", put_resource_policy,
     "policyName policyDocument:s(1,5120) resourceArn expectedRevisionId:s(1,4096)", NULL, NULL, 0},
    {"DescribeResourcePolicies", describe_resource_policies,
     "nextToken:s(1,4096) limit:i(1,50) resourceArn policyScope", NULL, NULL, 0},
    {"DeleteResourcePolicy", delete_resource_policy, "policyName resourceArn expectedRevisionId:s(1,4096)", NULL, NULL,
     0},
    {.name = NULL},
};

const struct sb_service sb_logs = {
    .name = "logs",
    .protocol = SB_JSON,
    .prefix = "Logs_20140328",
    .invalid = "InvalidParameterException",
    .throttled = "ThrottlingException",
    .throttled_status = 400,
    .denied = "AccessDeniedException",
    .denied_status = 400,
    .ops = ops,
};
