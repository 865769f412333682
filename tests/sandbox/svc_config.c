/* AWS Config: the recorder and the delivery channel of a region. Rules and tags are in svc_config_rules.c. */
#include "tests/sandbox/svc_config.h"

#include <string.h>

json_t *config_recorder(struct sb_call *c)
{
	void *first = json_object_iter(sb_sub(c->state, "Recorders"));

	return first == NULL ? NULL : json_object_iter_value(first);
}

/* ---- recorder ---- */

static int no_such_recorder(struct sb_call *c, const char *name)
{
	return sb_fail(c, 400, "NoSuchConfigurationRecorderException",
		       "Cannot find configuration recorder with the specified name '%s'.", name);
}

static json_t *recorder_get(struct sb_call *c)
{
	const char *name = sb_str(c->in, "ConfigurationRecorderName", "");
	json_t *recorder = json_object_get(sb_sub(c->state, "Recorders"), name);

	if (recorder == NULL)
		no_such_recorder(c, name);
	return recorder;
}

static int group_check(struct sb_call *c, json_t *group)
{
	bool all = sb_true(group, "allSupported"), global = sb_true(group, "includeGlobalResourceTypes");
	const char *use = sb_str(json_object_get(group, "recordingStrategy"), "useOnly", "");
	json_t *types = json_object_get(group, "resourceTypes");
	json_t *except = json_object_get(json_object_get(group, "exclusionByResourceTypes"), "resourceTypes");

	if ((all && (json_array_size(types) > 0 || json_array_size(except) > 0)) || (!all && global) ||
	    (json_array_size(types) > 0 && json_array_size(except) > 0) ||
	    (strcmp(use, "ALL_SUPPORTED_RESOURCE_TYPES") == 0 && !all) ||
	    (strcmp(use, "EXCLUSION_BY_RESOURCE_TYPES") == 0 && (all || json_array_size(except) == 0)) ||
	    (!all && json_array_size(types) == 0 && json_array_size(except) == 0))
		return sb_fail(c, 400, "InvalidRecordingGroupException", "The recording group provided is not valid");
	return 0;
}

static json_t *group_filled(json_t *said)
{
	json_t *group = json_pack("{s:b,s:b,s:[],s:{s:[]}}", "allSupported", said == NULL, "includeGlobalResourceTypes",
				  0, "resourceTypes", "exclusionByResourceTypes", "resourceTypes");
	bool all;
	size_t except;

	json_object_update(group, said);
	all = sb_true(group, "allSupported");
	except = json_array_size(json_object_get(json_object_get(group, "exclusionByResourceTypes"), "resourceTypes"));
	if (json_object_get(group, "recordingStrategy") == NULL)
		json_object_set_new(group, "recordingStrategy",
				    json_pack("{s:s}", "useOnly",
					      all          ? "ALL_SUPPORTED_RESOURCE_TYPES"
					      : except > 0 ? "EXCLUSION_BY_RESOURCE_TYPES"
							   : "INCLUSION_BY_RESOURCE_TYPES"));
	return group;
}

static int mode_check(struct sb_call *c, json_t *mode)
{
	const char *frequency = sb_str(mode, "recordingFrequency", "CONTINUOUS");

	if (strcmp(frequency, "CONTINUOUS") == 0 || strcmp(frequency, "DAILY") == 0)
		return 0;
	return sb_fail(
	    c, 400, "ValidationException",
	    "1 validation error detected: Value '%s' at 'configurationRecorder.recordingMode.recordingFrequency' "
	    "failed to satisfy constraint: Member must satisfy enum value set: [DAILY, CONTINUOUS]",
	    frequency);
}

static int role_check(struct sb_call *c, const char *arn)
{
	mem_auto_str char *account = sb_arn_part(arn, 4);

	if (sb_glob("arn:*:iam::*:role/*", arn) && strcmp(account, c->account) == 0)
		return 0;
	return sb_fail(c, 400, "InvalidRoleException",
		       "The IAM role '%s' provided is not valid. Provide the ARN of a role in this account.", arn);
}

static int put_configuration_recorder(struct sb_call *c)
{
	json_t *said = json_object_get(c->in, "ConfigurationRecorder"), *there = config_recorder(c), *recorder, *group;
	const char *name = sb_str(said, "name", "default"), *old = sb_str(there, "name", name);

	if (strcmp(name, old) != 0)
		return sb_fail(c, 400, "MaxNumberOfConfigurationRecordersExceededException",
			       "Failed to put configuration recorder '%s' because the maximum number of configuration "
			       "recorders: 1 is reached.",
			       name);
	if (role_check(c, sb_str(said, "roleARN", "")) != 0 ||
	    mode_check(c, json_object_get(said, "recordingMode")) != 0)
		return -1;
	group = group_filled(json_object_get(said, "recordingGroup"));
	if (group_check(c, group) != 0) {
		json_decref(group);
		return -1;
	}
	recorder = json_pack("{s:s,s:b,s:o,s:{s:s},s:s}", "name", name, "Recording", sb_true(there, "Recording"),
			     "recordingGroup", group, "recordingMode", "recordingFrequency", "CONTINUOUS",
			     "recordingScope", "PAID");
	sb_copy(recorder, said, "roleARN recordingMode");
	if (there != NULL) {
		sb_copy(recorder, there, "arn Tags StartedMs StoppedMs ChangedMs");
	} else {
		mem_auto_str char *id = sb_id(c, "", 16, "abcdefghijklmnopqrstuvwxyz0123456789");

		json_object_set_new(recorder, "arn",
				    sb_format("arn:%s:config:%s:%s:configuration-recorder/%s/%s", c->partition,
					      c->region, c->account, name, id));
		sb_tags_add(sb_sub(recorder, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	}
	json_object_set_new(sb_sub(c->state, "Recorders"), name, recorder);
	return 0;
}

/* Answers the ones asked for by name, or all; fails when one is not there. */
static int describe(struct sb_call *c, const char *kind, const char *names_key, const char *out_key,
		    json_t *(*row)(struct sb_call *, json_t *), int (*absent)(struct sb_call *, const char *))
{
	json_t *all = sb_sub(c->state, kind), *names = json_object_get(c->in, names_key), *list = json_array(), *it,
	       *name;
	const char *key;
	size_t i;

	c->out = json_pack("{s:o}", out_key, list);
	json_array_foreach(names, i, name)
	{
		it = json_object_get(all, json_string_value(name));
		if (it == NULL)
			return absent(c, json_string_value(name));
		json_array_append_new(list, row(c, it));
	}
	if (json_array_size(names) == 0)
		json_object_foreach(all, key, it) json_array_append_new(list, row(c, it));
	return 0;
}

static json_t *recorder_row(struct sb_call *c, json_t *recorder)
{
	json_t *row = json_object();

	(void)c;
	sb_copy(row, recorder, "arn name roleARN recordingGroup recordingMode recordingScope");
	return row;
}

static json_t *recorder_status_row(struct sb_call *c, json_t *recorder)
{
	json_t *row = json_object();

	(void)c;
	sb_copy(row, recorder, "arn name");
	json_object_set_new(row, "recording", json_boolean(sb_true(recorder, "Recording")));
	if (json_object_get(recorder, "StartedMs") != NULL) {
		json_object_set_new(row, "lastStartTime", sb_time_epoch(sb_int(recorder, "StartedMs", 0)));
		json_object_set_new(row, "lastStatus", json_string("SUCCESS"));
		json_object_set_new(row, "lastStatusChangeTime", sb_time_epoch(sb_int(recorder, "StartedMs", 0)));
	}
	if (json_object_get(recorder, "StoppedMs") != NULL)
		json_object_set_new(row, "lastStopTime", sb_time_epoch(sb_int(recorder, "StoppedMs", 0)));
	return row;
}

static int describe_configuration_recorders(struct sb_call *c)
{
	return describe(c, "Recorders", "ConfigurationRecorderNames", "ConfigurationRecorders", recorder_row,
			no_such_recorder);
}

static int describe_configuration_recorder_status(struct sb_call *c)
{
	return describe(c, "Recorders", "ConfigurationRecorderNames", "ConfigurationRecordersStatus",
			recorder_status_row, no_such_recorder);
}

static int start_configuration_recorder(struct sb_call *c)
{
	json_t *recorder = recorder_get(c);

	if (recorder == NULL)
		return -1;
	if (json_object_size(sb_sub(c->state, "Channels")) == 0)
		return sb_fail(c, 400, "NoAvailableDeliveryChannelException",
			       "Delivery channel is not available to start configuration recorder.");
	if (!sb_true(recorder, "Recording"))
		json_object_set_new(recorder, "StartedMs", json_integer(c->now_ms));
	json_object_set_new(recorder, "Recording", json_true());
	return 0;
}

static int stop_configuration_recorder(struct sb_call *c)
{
	json_t *recorder = recorder_get(c);

	if (recorder == NULL)
		return -1;
	if (sb_true(recorder, "Recording"))
		json_object_set_new(recorder, "StoppedMs", json_integer(c->now_ms));
	json_object_set_new(recorder, "Recording", json_false());
	return 0;
}

static int delete_configuration_recorder(struct sb_call *c)
{
	if (recorder_get(c) == NULL)
		return -1;
	json_object_del(json_object_get(c->state, "Recorders"), sb_str(c->in, "ConfigurationRecorderName", ""));
	return 0;
}

/* ---- delivery channel ---- */

static int no_such_channel(struct sb_call *c, const char *name)
{
	return sb_fail(c, 400, "NoSuchDeliveryChannelException",
		       "Cannot find delivery channel with specified name '%s'.", name);
}

/* Config delivers as the service where the role is its own, else as the recorder's role; the bucket policy may let in
 * either. A role of the bucket's own account needs no bucket policy. */
static bool delivery_allowed(struct sb_call *c, const char *bucket, const char *prefix)
{
	const char *role = sb_str(config_recorder(c), "roleARN", "");
	mem_auto_str char *whole = mem_printf("arn:%s:s3:::%s", c->partition, bucket);
	mem_auto_str char *inner = mem_printf("%s/%s%sAWSLogs/%s/Config/ConfigWritabilityCheckFile", whole, prefix,
					      prefix[0] != '\0' ? "/" : "", c->account);
	json_t *context = json_pack("{s:s,s:o,s:s}", "aws:sourceaccount", c->account, "aws:sourcearn",
				    sb_format("arn:%s:config:%s:%s:sandbox", c->partition, c->region, c->account),
				    "aws:securetransport", "true");
	struct sb_ask service = {.service = "config.amazonaws.com", .context = context};
	struct sb_ask as_role = {.account = c->account, .arn = role, .role_arn = role, .context = context};
	bool lets, linked = strstr(role, ":role/aws-service-role/") != NULL;

	service.action = "s3:GetBucketAcl";
	service.resource = whole;
	lets = sb_bucket_lets(c->sb, bucket, &service);
	json_object_set_new(context, "s3:x-amz-acl", json_string("bucket-owner-full-control"));
	service.action = as_role.action = "s3:PutObject";
	service.resource = as_role.resource = inner;
	lets = lets && sb_bucket_lets(c->sb, bucket, &service);
	lets = lets || sb_bucket_lets(c->sb, bucket, &as_role) ||
	       (!linked && strcmp(sb_str(sb_bucket_find(c->sb, bucket), "Owner", ""), c->account) == 0);
	json_decref(context);
	return lets && sb_role_seen(c->sb, role) != NULL;
}

static int delivery_check(struct sb_call *c, json_t *channel)
{
	const char *bucket = sb_str(channel, "s3BucketName", ""), *prefix = sb_str(channel, "s3KeyPrefix", "");
	const char *frequency = sb_str(json_object_get(channel, "configSnapshotDeliveryProperties"),
				       "deliveryFrequency", "TwentyFour_Hours");
	static const char *const frequencies[] = {"One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours",
						  "TwentyFour_Hours"};
	bool known = false;

	if (sb_bucket_find(c->sb, bucket) == NULL)
		return sb_fail(c, 400, "NoSuchBucketException", "Cannot find a S3 bucket with name: %s", bucket);
	if (strstr(prefix, "AWSLogs") != NULL)
		return sb_fail(c, 400, "InvalidS3KeyPrefixException", "The s3 key prefix '%s' is not valid.", prefix);
	for (size_t i = 0; i < 5; i++)
		known = known || strcmp(frequencies[i], frequency) == 0;
	if (!known)
		return sb_fail(c, 400, "ValidationException", "deliveryFrequency %s is not valid", frequency);
	if (!delivery_allowed(c, bucket, prefix))
		return sb_fail(
		    c, 400, "InsufficientDeliveryPolicyException",
		    "Insufficient delivery policy to s3 bucket: %s, unable to write to bucket, provided s3 key "
		    "prefix is '%s', provided kms key is '%s'.",
		    bucket, prefix[0] == '\0' ? "null" : prefix, sb_str(channel, "s3KmsKeyArn", "null"));
	return 0;
}

static int put_delivery_channel(struct sb_call *c)
{
	json_t *said = json_object_get(c->in, "DeliveryChannel"), *channels = sb_sub(c->state, "Channels"), *channel;
	const char *name = sb_str(said, "name", "default");

	if (config_recorder(c) == NULL)
		return sb_fail(c, 400, "NoAvailableConfigurationRecorderException",
			       "Configuration recorder is not available to put delivery channel.");
	if (json_object_size(channels) > 0 && json_object_get(channels, name) == NULL)
		return sb_fail(
		    c, 400, "MaxNumberOfDeliveryChannelsExceededException",
		    "Failed to put delivery channel '%s' because the maximum number of delivery channels: 1 is "
		    "reached.",
		    name);
	if (delivery_check(c, said) != 0)
		return -1;
	channel = json_copy(said);
	json_object_set_new(channel, "name", json_string(name));
	json_object_set_new(channels, name, channel);
	return 0;
}

static json_t *channel_row(struct sb_call *c, json_t *channel)
{
	(void)c;
	return json_copy(channel);
}

static json_t *channel_status_row(struct sb_call *c, json_t *channel)
{
	const char *status = sb_true(config_recorder(c), "Recording") ? "SUCCESS" : "NOT_APPLICABLE";

	return json_pack("{s:s,s:{s:s},s:{s:s},s:{s:s}}", "name", sb_str(channel, "name", ""),
			 "configSnapshotDeliveryInfo", "lastStatus", status, "configHistoryDeliveryInfo", "lastStatus",
			 status, "configStreamDeliveryInfo", "lastStatus", status);
}

static int describe_delivery_channels(struct sb_call *c)
{
	return describe(c, "Channels", "DeliveryChannelNames", "DeliveryChannels", channel_row, no_such_channel);
}

static int describe_delivery_channel_status(struct sb_call *c)
{
	return describe(c, "Channels", "DeliveryChannelNames", "DeliveryChannelsStatus", channel_status_row,
			no_such_channel);
}

static int delete_delivery_channel(struct sb_call *c)
{
	const char *name = sb_str(c->in, "DeliveryChannelName", "");
	json_t *channels = sb_sub(c->state, "Channels");

	if (json_object_get(channels, name) == NULL)
		return no_such_channel(c, name);
	if (sb_true(config_recorder(c), "Recording"))
		return sb_fail(
		    c, 400, "LastDeliveryChannelDeleteFailedException",
		    "Failed to delete last specified delivery channel with name '%s', because there, because "
		    "there is a running configuration recorder.",
		    name);
	json_object_del(channels, name);
	return 0;
}

#define RECORDER                                                                                                       \
	"!ConfigurationRecorder:{arn name:s(1,256) roleARN recordingGroup:{allSupported:b "                            \
	"includeGlobalResourceTypes:b resourceTypes:[s] exclusionByResourceTypes:{resourceTypes:[s]} "                 \
	"recordingStrategy:{useOnly}} recordingMode:{!recordingFrequency "                                             \
	"recordingModeOverrides:[{description:s(1,256) "                                                               \
	"!resourceTypes:[s] !recordingFrequency}]} recordingScope servicePrincipal}"
#define CHANNEL                                                                                                        \
	"!DeliveryChannel:{name:s(1,256) s3BucketName s3KeyPrefix s3KmsKeyArn snsTopicARN "                            \
	"configSnapshotDeliveryProperties:{deliveryFrequency}}"
#define RULE                                                                                                           \
	"!ConfigRule:{ConfigRuleName:s(1,128) ConfigRuleArn:s(1,256) ConfigRuleId:s(1,64) Description:s(0,256) "       \
	"Scope:{ComplianceResourceTypes:[s(1,256)] TagKey:s(1,128) TagValue:s(1,256) ComplianceResourceId:s(1,768)} "  \
	"!Source:{!Owner SourceIdentifier:s(1,256) SourceDetails:[{EventSource MessageType "                           \
	"MaximumExecutionFrequency}] "                                                                                 \
	"CustomPolicyDetails:*} InputParameters:s(1,1024) MaximumExecutionFrequency ConfigRuleState CreatedBy "        \
	"EvaluationModes:[{Mode}]}"
#define TAGS    "Tags:[{Key:s(1,128) Value:s(0,256)}](0,50)"
#define BY_NAME "ConfigurationRecorderNames:[s] ServicePrincipal Arn"
#define NAMED   "!ConfigurationRecorderName:s(1,256)"

static const struct sb_op ops[] = {
    {"PutConfigurationRecorder", put_configuration_recorder, RECORDER " " TAGS, NULL, NULL, 0},
    {"DescribeConfigurationRecorders", describe_configuration_recorders, BY_NAME, NULL, NULL, 0},
    {"DescribeConfigurationRecorderStatus", describe_configuration_recorder_status, BY_NAME, NULL, NULL, 0},
    {"StartConfigurationRecorder", start_configuration_recorder, NAMED, NULL, NULL, 0},
    {"StopConfigurationRecorder", stop_configuration_recorder, NAMED, NULL, NULL, 0},
    {"DeleteConfigurationRecorder", delete_configuration_recorder, NAMED, NULL, NULL, 0},
    {"PutDeliveryChannel", put_delivery_channel, CHANNEL, NULL, NULL, 0},
    {"DescribeDeliveryChannels", describe_delivery_channels, "DeliveryChannelNames:[s]", NULL, NULL, 0},
    {"DescribeDeliveryChannelStatus", describe_delivery_channel_status, "DeliveryChannelNames:[s]", NULL, NULL, 0},
    {"DeleteDeliveryChannel", delete_delivery_channel, "!DeliveryChannelName:s(1,256)", NULL, NULL, 0},
    {"PutConfigRule", config_put_rule, RULE " " TAGS, NULL, NULL, 0},
    {"DescribeConfigRules", config_describe_rules, "ConfigRuleNames:[s](0,25) NextToken Filters:{EvaluationMode}", NULL,
     NULL, 0},
    {"DeleteConfigRule", config_delete_rule, "!ConfigRuleName:s(1,128)", NULL, NULL, 0},
    {"DescribeComplianceByConfigRule", config_describe_compliance,
     "ConfigRuleNames:[s](0,25) ComplianceTypes:[s] NextToken", NULL, NULL, 0},
    {"StartConfigRulesEvaluation", config_start_evaluation, "ConfigRuleNames:[s(1,128)](1,25)", NULL, NULL, 0},
    {"DescribeConfigRuleEvaluationStatus", config_describe_evaluation_status,
     "ConfigRuleNames:[s](0,25) NextToken Limit:i(0,50)", NULL, NULL, 0},
    {"PutAggregationAuthorization", config_put_authorization, "!AuthorizedAccountId !AuthorizedAwsRegion:s(1,64) " TAGS,
     NULL, NULL, 0},
    {"DescribeAggregationAuthorizations", config_describe_authorizations, "Limit:i(0,100) NextToken", NULL, NULL, 0},
    {"DeleteAggregationAuthorization", config_delete_authorization, "!AuthorizedAccountId !AuthorizedAwsRegion:s(1,64)",
     NULL, NULL, 0},
    {"PutConfigurationAggregator", config_put_aggregator,
     "!ConfigurationAggregatorName:s(1,256) AccountAggregationSources:[{!AccountIds:[s] AllAwsRegions:b "
     "AwsRegions:[s]}](0,1) OrganizationAggregationSource:{!RoleArn AwsRegions:[s] AllAwsRegions:b} "
     "AggregatorFilters:{ResourceType:{Type Value:[s]} ServicePrincipal:{Type Value:[s]}} " TAGS,
     NULL, NULL, 0},
    {"DescribeConfigurationAggregators", config_describe_aggregators,
     "ConfigurationAggregatorNames:[s(1,256)](0,10) NextToken Limit:i(0,100)", NULL, NULL, 0},
    {"DeleteConfigurationAggregator", config_delete_aggregator, "!ConfigurationAggregatorName:s(1,256)", NULL, NULL, 0},
    {"TagResource", config_tag_resource, "!ResourceArn:s(1,1000) !" TAGS, NULL, NULL, 0},
    {"UntagResource", config_untag_resource, "!ResourceArn:s(1,1000) !TagKeys:[s(1,128)]", NULL, NULL, 0},
    {"ListTagsForResource", config_list_tags, "!ResourceArn:s(1,1000) Limit:i(0,100) NextToken", NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_config = {
    .name = "config",
    .protocol = SB_JSON,
    .prefix = "StarlingDoveService",
    .invalid = "ValidationException",
    .throttled = "ThrottlingException",
    .throttled_status = 400,
    .denied = "AccessDeniedException",
    .denied_status = 400,
    .ops = ops,
};
