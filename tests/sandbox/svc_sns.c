/* SNS: topics, their policies and tags. Subscriptions are in svc_sns_subscriptions.c. */
#include "tests/sandbox/svc_sns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE 100

static const char *const settable[] = {
    "DeliveryPolicy",
    "DisplayName",
    "Policy",
    "TracingConfig",
    "KmsMasterKeyId",
    "SignatureVersion",
    "ContentBasedDeduplication",
    "ArchivePolicy",
    "FifoThroughputScope",
    "*FeedbackRoleArn",
    "*FeedbackSampleRate",
    NULL,
};

/* ---- finding a topic ---- */

json_t *sns_topic_find(struct sb *sb, const char *arn)
{
	mem_auto_str char *region = sb_arn_part(arn, 3), *account = sb_arn_part(arn, 4), *name = sb_arn_part(arn, 5);

	return json_object_get(json_object_get(sb_state_find(sb, account, region, "sns"), "Topics"), name);
}

static enum sb_verdict topic_ask(struct sb_call *c, json_t *topic, const char *action)
{
	json_t *document = json_loads(sb_str(json_object_get(topic, "Attributes"), "Policy", ""), 0, NULL);
	struct sb_ask ask = {.account = c->account,
			     .arn = sb_str(c->caller, "Arn", NULL),
			     .role_arn = sb_str(c->caller, "RoleArn", NULL),
			     .action = action,
			     .resource = sb_str(topic, "Arn", "")};
	json_t *context = json_pack("{s:s,s:s,s:s}", "aws:sourceowner", c->account, "aws:sourceaccount", c->account,
				    "aws:principalaccount", c->account);
	enum sb_verdict verdict;

	ask.context = context;
	verdict = sb_policy_ask(document, &ask);
	json_decref(context);
	json_decref(document);
	return verdict;
}

json_t *sns_topic_get(struct sb_call *c, const char *arn, const char *action)
{
	mem_auto_str char *region = sb_arn_part(arn, 3), *account = sb_arn_part(arn, 4), *service = sb_arn_part(arn, 2);
	bool own = strcmp(account, c->account) == 0;
	json_t *topic;

	if (strcmp(service, "sns") != 0 || strcmp(region, c->region) != 0) {
		sb_fail(c, 400, "InvalidParameter", "Invalid parameter: TopicArn");
		return NULL;
	}
	topic = sns_topic_find(c->sb, arn);
	if (topic == NULL && own) {
		sb_fail(c, 404, "NotFound", "Topic does not exist");
		return NULL;
	}
	if (!own && (topic == NULL || topic_ask(c, topic, action) != SB_ALLOWED)) {
		sb_fail(c, 403, "AuthorizationError",
			"User: %s is not authorized to perform: %s on resource: %s because no resource-based policy "
			"allows the %s action",
			sb_str(c->caller, "Arn", ""), action, arn, action);
		return NULL;
	}
	return topic;
}

/* ---- attributes ---- */

static bool action_in_scope(json_t *action)
{
	size_t count = json_is_array(action) ? json_array_size(action) : 1;

	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_is_array(action) ? json_array_get(action, i) : action);

		if (text == NULL || (strncasecmp(text, "sns:", 4) != 0 && strcmp(text, "*") != 0))
			return false;
	}
	return true;
}

static int policy_check(struct sb_call *c, const char *text)
{
	json_t *document = json_loads(text, 0, NULL), *statements = json_object_get(document, "Statement"), *statement;
	const char *fault = sb_policy_fault(document, true);
	int status = 0;
	size_t i;

	if (strlen(text) > 30720)
		status = sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Policy too large");
	else if (fault != NULL)
		status = sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Policy Error: %s", fault);
	else if (sb_policy_ghost(c->sb, document) != NULL)
		status = sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Policy Error: PrincipalNotFound");
	json_array_foreach(statements, i,
			   statement) if (status == 0 && !action_in_scope(json_object_get(statement, "Action")))
	    status =
		sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Policy statement action out of service scope!");
	json_decref(document);
	return status;
}

static int attribute_check(struct sb_call *c, const char *name, const char *value, bool creating)
{
	if (creating && strcmp(name, "FifoTopic") == 0)
		return 0;
	for (size_t i = 0; settable[i] != NULL; i++) {
		if (!sb_glob(settable[i], name))
			continue;
		return strcmp(name, "Policy") == 0 && value[0] != '\0' ? policy_check(c, value) : 0;
	}
	return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: AttributeName");
}

static char *default_policy(const char *arn, const char *account)
{
	return mem_printf("{\"Version\":\"2008-10-17\",\"Id\":\"__default_policy_ID\",\"Statement\":[{\"Sid\":"
			  "\"__default_statement_ID\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":["
			  "\"SNS:GetTopicAttributes\",\"SNS:SetTopicAttributes\",\"SNS:AddPermission\","
			  "\"SNS:RemovePermission\",\"SNS:DeleteTopic\",\"SNS:Subscribe\","
			  "\"SNS:ListSubscriptionsByTopic\",\"SNS:Publish\"],\"Resource\":\"%s\",\"Condition\":{"
			  "\"StringEquals\":{\"AWS:SourceOwner\":\"%s\"}}}]}",
			  arn, account);
}

static void attribute_set(json_t *topic, const char *name, const char *value, const char *account)
{
	json_t *attributes = sb_sub(topic, "Attributes");

	if (strcmp(name, "Policy") == 0 && value[0] == '\0') {
		mem_auto_str char *policy = default_policy(sb_str(topic, "Arn", ""), account);

		json_object_set_new(attributes, name, json_string(policy));
	} else if (value[0] == '\0') {
		json_object_del(attributes, name);
	} else {
		json_object_set_new(attributes, name, json_string(value));
	}
}

/* ---- topics ---- */

static bool name_fits(const char *name)
{
	size_t len = strlen(name);
	mem_auto_str char *stem = mem_strdup(name);

	if (len > 5 && strcmp(name + len - 5, ".fifo") == 0)
		stem[len - 5] = '\0';
	return len <= 256 && sb_like(stem, "a-zA-Z0-9_-", 1, 256);
}

/* Creating a topic that is there is fine when it would come out the same. */
static int topic_same(struct sb_call *c, json_t *topic)
{
	json_t *has = json_object_get(topic, "Attributes"), *tags = json_object_get(c->in, "Tags"), *value;
	const char *name;
	size_t i;

	json_object_foreach(json_object_get(c->in, "Attributes"), name,
			    value) if (!json_equal(json_object_get(has, name),
						   value)) return sb_fail(c, 400, "InvalidParameter",
									  "Invalid parameter: Attributes Reason: Topic "
									  "already exists with different "
									  "attributes");
	json_array_foreach(
	    tags, i,
	    value) if (!json_equal(json_object_get(json_object_get(topic, "Tags"), sb_str(value, "Key", "")),
				   json_object_get(value,
						   "Value"))) return sb_fail(c, 400, "InvalidParameter",
									     "Invalid parameter: Tags Reason: Topic "
									     "already exists with different tags");
	return 0;
}

static int create_topic(struct sb_call *c)
{
	const char *name = sb_str(c->in, "Name", ""), *key;
	json_t *topics = sb_sub(c->state, "Topics"), *topic = json_object_get(topics, name), *value;

	if (!name_fits(name))
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Topic Name");
	json_object_foreach(json_object_get(c->in, "Attributes"), key,
			    value) if (attribute_check(c, key, json_string_value(value), true) != 0) return -1;
	if (topic != NULL && topic_same(c, topic) != 0)
		return -1;
	if (topic == NULL) {
		topic = json_object();
		json_object_set_new(topics, name, topic);
		json_object_set_new(topic, "Arn",
				    sb_format("arn:%s:sns:%s:%s:%s", c->partition, c->region, c->account, name));
		attribute_set(topic, "Policy", "", c->account);
		json_object_foreach(json_object_get(c->in, "Attributes"), key, value)
		    attribute_set(topic, key, json_string_value(value), c->account);
		sb_tags_add(sb_sub(topic, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	}
	c->out = json_pack("{s:O}", "TopicArn", json_object_get(topic, "Arn"));
	return 0;
}

static int get_topic_attributes(struct sb_call *c)
{
	json_t *topic = sns_topic_get(c, sb_str(c->in, "TopicArn", ""), "SNS:GetTopicAttributes"), *attributes;
	mem_auto_str char *owner = NULL;
	size_t confirmed = 0, pending = 0;

	if (topic == NULL)
		return -1;
	sns_subscriptions_count(c->sb, sb_str(topic, "Arn", ""), &confirmed, &pending);
	attributes = json_deep_copy(json_object_get(topic, "Attributes"));
	owner = sb_arn_part(sb_str(topic, "Arn", ""), 4);
	json_object_set(attributes, "TopicArn", json_object_get(topic, "Arn"));
	json_object_set_new(attributes, "Owner", json_string(owner));
	json_object_set_new(attributes, "SubscriptionsConfirmed", sb_format("%zu", confirmed));
	json_object_set_new(attributes, "SubscriptionsPending", sb_format("%zu", pending));
	json_object_set_new(attributes, "SubscriptionsDeleted", json_string("0"));
	if (json_object_get(attributes, "DisplayName") == NULL)
		json_object_set_new(attributes, "DisplayName", json_string(""));
	json_object_set_new(attributes, "EffectiveDeliveryPolicy",
			    json_string("{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":20,"
					"\"maxDelayTarget\":20,\"numRetries\":3,\"numMaxDelayRetries\":0,"
					"\"numNoDelayRetries\":0,\"numMinDelayRetries\":0,\"backoffFunction\":"
					"\"linear\"},\"disableSubscriptionOverrides\":false}}"));
	c->out = json_pack("{s:o}", "Attributes{}", attributes);
	return 0;
}

static int set_topic_attributes(struct sb_call *c)
{
	json_t *topic = sns_topic_get(c, sb_str(c->in, "TopicArn", ""), "SNS:SetTopicAttributes");
	const char *name = sb_str(c->in, "AttributeName", ""), *value = sb_str(c->in, "AttributeValue", "");

	if (topic == NULL || attribute_check(c, name, value, false) != 0)
		return -1;
	attribute_set(topic, name, value, c->account);
	return 0;
}

static int delete_topic(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "TopicArn", "");
	mem_auto_str char *name = sb_arn_part(arn, 5), *account = sb_arn_part(arn, 4), *region = sb_arn_part(arn, 3);

	if (strcmp(region, c->region) != 0 || name[0] == '\0')
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: TopicArn");
	if (strcmp(account, c->account) != 0)
		return sns_topic_get(c, arn, "SNS:DeleteTopic") == NULL ? -1 : 0;
	json_object_del(json_object_get(c->state, "Topics"), name);
	sns_subscriptions_drop(c->sb, arn);
	return 0;
}

static int list_topics(struct sb_call *c)
{
	json_t *topics = sb_sub(c->state, "Topics"), *list = json_array(), *page, *name;
	mem_auto_str char *next = NULL;
	size_t i;

	c->out = json_pack("{s:o}", "Topics", list);
	page = sb_page(&next, topics, sb_str(c->in, "NextToken", NULL), PAGE);
	if (page == NULL)
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: NextToken");
	json_array_foreach(page, i, name) json_array_append_new(
	    list,
	    json_pack("{s:O}", "TopicArn", json_object_get(json_object_get(topics, json_string_value(name)), "Arn")));
	if (next != NULL)
		json_object_set_new(c->out, "NextToken", json_string(next));
	json_decref(page);
	return 0;
}

/* ---- tags ---- */

static json_t *tagged(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "ResourceArn", "");
	json_t *topic = sns_topic_find(c->sb, arn);
	mem_auto_str char *account = sb_arn_part(arn, 4), *region = sb_arn_part(arn, 3);

	if (topic != NULL && strcmp(account, c->account) == 0 && strcmp(region, c->region) == 0)
		return sb_sub(topic, "Tags");
	sb_fail(c, 404, "ResourceNotFound", "Resource does not exist");
	return NULL;
}

static int tag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_add(tags, json_object_get(c->in, "Tags"), "Key", "Value");
	if (json_object_size(tags) > 50)
		return sb_fail(c, 400, "TagLimitExceeded",
			       "Could not complete request: tag quota of per resource exceeded");
	return 0;
}

static int untag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_remove(tags, json_object_get(c->in, "TagKeys"));
	return 0;
}

static int list_tags_for_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	c->out = json_pack("{s:o}", "Tags", sb_tags_list(tags, "Key", "Value"));
	return 0;
}

static const struct sb_op ops[] = {
    {"CreateTopic", create_topic, "!Name Attributes:m Tags:[{!Key:s(1,128) !Value:s(0,256)}] DataProtectionPolicy",
     NULL, NULL, 0},
    {"GetTopicAttributes", get_topic_attributes, "!TopicArn", NULL, NULL, 0},
    {"SetTopicAttributes", set_topic_attributes, "!TopicArn !AttributeName AttributeValue", NULL, NULL, 0},
    {"DeleteTopic", delete_topic, "!TopicArn", NULL, NULL, 0},
    {"ListTopics", list_topics, "NextToken", NULL, NULL, 0},
    {"AddPermission", sns_add_permission, "!TopicArn !Label !AWSAccountId:[s] !ActionName:[s]", NULL, NULL, 0},
    {"RemovePermission", sns_remove_permission, "!TopicArn !Label", NULL, NULL, 0},
    {"PutDataProtectionPolicy", sns_put_data_protection_policy, "!ResourceArn !DataProtectionPolicy", NULL, NULL, 0},
    {"GetDataProtectionPolicy", sns_get_data_protection_policy, "!ResourceArn", NULL, NULL, 0},
    {"ConfirmSubscription", sns_confirm_subscription, "!TopicArn !Token AuthenticateOnUnsubscribe", NULL, NULL, 0},
    {"Publish", sns_publish,
     "TopicArn TargetArn PhoneNumber !Message Subject MessageStructure MessageAttributes:* MessageDeduplicationId "
     "MessageGroupId",
     NULL, NULL, 0},
    {"Subscribe", sns_subscribe, "!TopicArn !Protocol Endpoint Attributes:m ReturnSubscriptionArn:b", NULL, NULL, 0},
    {"Unsubscribe", sns_unsubscribe, "!SubscriptionArn", NULL, NULL, 0},
    {"GetSubscriptionAttributes", sns_get_subscription_attributes, "!SubscriptionArn", NULL, NULL, 0},
    {"SetSubscriptionAttributes", sns_set_subscription_attributes, "!SubscriptionArn !AttributeName AttributeValue",
     NULL, NULL, 0},
    {"ListSubscriptions", sns_list_subscriptions, "NextToken", NULL, NULL, 0},
    {"ListSubscriptionsByTopic", sns_list_subscriptions_by_topic, "!TopicArn NextToken", NULL, NULL, 0},
    {"TagResource", tag_resource, "!ResourceArn:s(1,1011) !Tags:[{!Key:s(1,128) !Value:s(0,256)}]", NULL, NULL, 0},
    {"UntagResource", untag_resource, "!ResourceArn:s(1,1011) !TagKeys:[s(1,128)]", NULL, NULL, 0},
    {"ListTagsForResource", list_tags_for_resource, "!ResourceArn:s(1,1011)", NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_sns = {
    .name = "sns",
    .protocol = SB_QUERY,
    .prefix = "http://sns.amazonaws.com/doc/2010-03-31/",
    .invalid = "ValidationError",
    .throttled = "Throttling",
    .throttled_status = 400,
    .denied = "AuthorizationError",
    .denied_status = 403,
    .ops = ops,
};
