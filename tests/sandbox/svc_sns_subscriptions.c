/* SNS subscriptions. They live with the topic's account and region; an endpoint in another account is confirmed only
 * when that account itself subscribes, as in AWS. */
#include "tests/sandbox/svc_sns.h"

#include <string.h>

#define PAGE 100

static const char *const protocols[] = {"http", "https",       "email",  "email-json", "sms",
					"sqs",  "application", "lambda", "firehose",   NULL};
static const char *const settable[] = {
    "DeliveryPolicy", "FilterPolicy",        "FilterPolicyScope", "RawMessageDelivery",
    "RedrivePolicy",  "SubscriptionRoleArn", "ReplayPolicy",      NULL};

static json_t *store(struct sb *sb, const char *topic_arn)
{
	mem_auto_str char *region = sb_arn_part(topic_arn, 3), *account = sb_arn_part(topic_arn, 4);

	return sb_sub(sb_state(sb, account, region, "sns"), "Subscriptions");
}

void sns_subscriptions_count(struct sb *sb, const char *topic_arn, size_t *confirmed, size_t *pending)
{
	const char *arn;
	json_t *subscription;

	json_object_foreach(store(sb, topic_arn), arn,
			    subscription) if (strcmp(sb_str(subscription, "TopicArn", ""), topic_arn) ==
					      0)++ *(sb_true(subscription, "Pending") ? pending : confirmed);
}

void sns_subscriptions_drop(struct sb *sb, const char *topic_arn)
{
	json_t *all = store(sb, topic_arn), *subscription;
	const char *arn;
	void *next;

	json_object_foreach_safe(all, next, arn, subscription) if (strcmp(sb_str(subscription, "TopicArn", ""),
									  topic_arn) == 0) json_object_del(all, arn);
}

static bool one_of(const char *const *list, const char *text)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

static int attribute_check(struct sb_call *c, const char *name, const char *value)
{
	json_t *document;

	if (!one_of(settable, name))
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: AttributeName");
	if (strcmp(name, "RawMessageDelivery") == 0 && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return sb_fail(c, 400, "InvalidParameter",
			       "Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [%s]. Must be "
			       "true or false.",
			       value);
	if ((strcmp(name, "FilterPolicy") == 0 || strcmp(name, "RedrivePolicy") == 0) && value[0] != '\0') {
		document = json_loads(value, 0, NULL);
		if (!json_is_object(document)) {
			json_decref(document);
			return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Attributes Reason: %s: not JSON",
				       name);
		}
		json_decref(document);
	}
	return 0;
}

static json_t *subscription_same(json_t *all, const char *topic, const char *protocol, const char *endpoint)
{
	const char *arn;
	json_t *it;

	json_object_foreach(all, arn, it) if (strcmp(sb_str(it, "TopicArn", ""), topic) == 0 &&
					      strcmp(sb_str(it, "Endpoint", ""), endpoint) == 0 &&
					      strcmp(sb_str(it, "Protocol", ""), protocol) == 0) return it;
	return NULL;
}

static int endpoint_check(struct sb_call *c, const char *protocol, const char *endpoint)
{
	mem_auto_str char *service = sb_arn_part(endpoint, 2);
	bool arn = strcmp(protocol, "lambda") == 0 || strcmp(protocol, "sqs") == 0 || strcmp(protocol, "firehose") == 0;

	if (!one_of(protocols, protocol))
		return sb_fail(c, 400, "InvalidParameter",
			       "Invalid parameter: Amazon SNS does not support this protocol string: %s", protocol);
	if (arn && strcmp(service, protocol) != 0)
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: %s endpoint ARN", protocol);
	if ((strcmp(protocol, "https") == 0 && strncmp(endpoint, "https://", 8) != 0) ||
	    (strcmp(protocol, "http") == 0 && strncmp(endpoint, "http://", 7) != 0))
		return sb_fail(c, 400, "InvalidParameter",
			       "Invalid parameter: Endpoint must match the specified protocol");
	if (strncmp(protocol, "email", 5) == 0 && strchr(endpoint, '@') == NULL)
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Email address");
	return 0;
}

/* Only the endpoint's own account can confirm by subscribing; web and mail endpoints confirm for themselves. */
static bool starts_pending(struct sb_call *c, const char *protocol, const char *endpoint)
{
	mem_auto_str char *account = NULL;

	if (strcmp(protocol, "sms") == 0 || strcmp(protocol, "application") == 0)
		return false;
	if (strncmp(endpoint, "arn:", 4) != 0)
		return true;
	account = sb_arn_part(endpoint, 4);
	return strcmp(account, c->account) != 0;
}

static json_t *subscription_new(struct sb_call *c, json_t *all, const char *topic)
{
	const char *protocol = sb_str(c->in, "Protocol", ""), *endpoint = sb_str(c->in, "Endpoint", "");
	json_t *attributes = json_object_get(c->in, "Attributes"), *it;
	mem_auto_str char *raw = sb_id(c, "", 32, "0123456789abcdef");
	mem_auto_str char *arn =
	    mem_printf("%s:%.8s-%.4s-%.4s-%.4s-%s", topic, raw, raw + 8, raw + 12, raw + 16, raw + 20);

	it = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:o}", "SubscriptionArn", arn, "Owner", c->account, "TopicArn", topic,
		       "Protocol", protocol, "Endpoint", endpoint, "Pending", starts_pending(c, protocol, endpoint),
		       "Attributes", attributes == NULL ? json_object() : json_deep_copy(attributes));
	json_object_set_new(all, arn, it);
	return it;
}

int sns_subscribe(struct sb_call *c)
{
	const char *topic = sb_str(c->in, "TopicArn", ""), *protocol = sb_str(c->in, "Protocol", ""), *name;
	const char *endpoint = sb_str(c->in, "Endpoint", "");
	json_t *attributes = json_object_get(c->in, "Attributes"), *all, *it, *value;

	if (sns_topic_get(c, topic, "SNS:Subscribe") == NULL || endpoint_check(c, protocol, endpoint) != 0)
		return -1;
	json_object_foreach(attributes, name,
			    value) if (attribute_check(c, name, json_string_value(value)) != 0) return -1;
	all = store(c->sb, topic);
	it = subscription_same(all, topic, protocol, endpoint);
	if (it != NULL && attributes != NULL && !json_equal(json_object_get(it, "Attributes"), attributes))
		return sb_fail(c, 400, "InvalidParameter",
			       "Invalid parameter: Attributes Reason: Subscription already exists with different "
			       "attributes");
	if (it == NULL)
		it = subscription_new(c, all, topic);
	else if (sb_true(it, "Pending") && !starts_pending(c, protocol, endpoint)) {
		json_object_set_new(it, "Pending", json_false());
		json_object_set_new(it, "Owner", json_string(c->account));
	}
	c->out = json_object();
	if (sb_true(it, "Pending") && !sb_true(c->in, "ReturnSubscriptionArn"))
		json_object_set_new(c->out, "SubscriptionArn", json_string("pending confirmation"));
	else
		sb_copy(c->out, it, "SubscriptionArn");
	return 0;
}

/* The subscription that the call names, seen by its owner or the topic's; NULL with the call failed. */
static json_t *subscription_get(struct sb_call *c, json_t **all)
{
	const char *arn = sb_str(c->in, "SubscriptionArn", ""), *last = strrchr(arn, ':');
	mem_auto_str char *topic = NULL, *account = NULL, *region = NULL;
	json_t *it = NULL;

	account = sb_arn_part(arn, 4);
	region = sb_arn_part(arn, 3);
	if (last == NULL || account[0] == '\0' || strcmp(region, c->region) != 0) {
		sb_fail(c, 400, "InvalidParameter", "Invalid parameter: SubscriptionArn");
		return NULL;
	}
	topic = mem_strndup(arn, (size_t)(last - arn));
	*all = json_object_get(sb_state_find(c->sb, account, region, "sns"), "Subscriptions");
	it = json_object_get(*all, arn);
	if (it == NULL) {
		sb_fail(c, 404, "NotFound", "Subscription does not exist");
	} else if (strcmp(account, c->account) != 0 && strcmp(sb_str(it, "Owner", ""), c->account) != 0) {
		sb_fail(c, 403, "AuthorizationError", "User: %s is not authorized to perform this on resource: %s",
			sb_str(c->caller, "Arn", ""), arn);
		it = NULL;
	}
	return it;
}

int sns_unsubscribe(struct sb_call *c)
{
	json_t *all, *it = subscription_get(c, &all);

	if (it == NULL && c->status == 404)
		return 0;
	if (it == NULL)
		return -1;
	json_object_del(all, sb_str(c->in, "SubscriptionArn", ""));
	return 0;
}

int sns_get_subscription_attributes(struct sb_call *c)
{
	json_t *all, *it = subscription_get(c, &all), *out;

	if (it == NULL)
		return -1;
	out = json_deep_copy(json_object_get(it, "Attributes"));
	sb_copy(out, it, "SubscriptionArn TopicArn Protocol Endpoint Owner");
	json_object_set_new(out, "PendingConfirmation", json_string(sb_true(it, "Pending") ? "true" : "false"));
	json_object_set_new(out, "ConfirmationWasAuthenticated",
			    json_string(sb_true(it, "Pending") ? "false" : "true"));
	if (json_object_get(out, "RawMessageDelivery") == NULL)
		json_object_set_new(out, "RawMessageDelivery", json_string("false"));
	json_object_set_new(out, "SubscriptionPrincipal", sb_format("arn:aws:iam::%s:root", sb_str(it, "Owner", "")));
	c->out = json_pack("{s:o}", "Attributes{}", out);
	return 0;
}

/* Nested filters are for message bodies only, whichever of policy and scope is set last. */
static int filter_check(struct sb_call *c, json_t *it, const char *name, const char *value)
{
	json_t *has = json_object_get(it, "Attributes");
	bool policy = strcmp(name, "FilterPolicy") == 0, scope = strcmp(name, "FilterPolicyScope") == 0;
	json_t *document, *rule;
	const char *key;
	bool nested = false;

	if ((!policy && !scope) || strcmp(scope ? value : sb_str(has, "FilterPolicyScope", ""), "MessageBody") == 0)
		return 0;
	document = json_loads(policy ? value : sb_str(has, "FilterPolicy", ""), 0, NULL);
	json_object_foreach(document, key, rule) nested = nested || json_is_object(rule);
	json_decref(document);
	if (nested)
		return sb_fail(c, 400, "InvalidParameter",
			       "Invalid parameter: Filter policy scope MessageAttributes does not support nested "
			       "filter policy");
	return 0;
}

int sns_set_subscription_attributes(struct sb_call *c)
{
	const char *name = sb_str(c->in, "AttributeName", ""), *value = sb_str(c->in, "AttributeValue", "");
	json_t *all, *it = subscription_get(c, &all);

	if (it == NULL || attribute_check(c, name, value) != 0 || filter_check(c, it, name, value) != 0)
		return -1;
	if (strcmp(name, "RedrivePolicy") == 0 && value[0] == '\0' && json_object_get(c->in, "AttributeValue") != NULL)
		return sb_fail(c, 400, "InvalidParameter",
			       "Invalid parameter: RedrivePolicy: must be a JSON object, or left out");
	if (value[0] == '\0')
		json_object_del(json_object_get(it, "Attributes"), name);
	else
		json_object_set_new(json_object_get(it, "Attributes"), name, json_string(value));
	return 0;
}

static int list_page(struct sb_call *c, json_t *all, const char *topic)
{
	json_t *mine = json_object(), *list = json_array(), *page, *name, *it;
	mem_auto_str char *next = NULL;
	const char *arn;
	size_t i;

	c->out = json_pack("{s:o}", "Subscriptions", list);
	json_object_foreach(all, arn, it) if (topic == NULL ? strcmp(sb_str(it, "Owner", ""), c->account) == 0
							    : strcmp(sb_str(it, "TopicArn", ""), topic) == 0)
	    json_object_set(mine, arn, it);
	page = sb_page(&next, mine, sb_str(c->in, "NextToken", NULL), PAGE);
	json_array_foreach(page, i, name)
	{
		json_t *row = json_object();

		it = json_object_get(mine, json_string_value(name));
		sb_copy(row, it, "SubscriptionArn Owner Protocol Endpoint TopicArn");
		if (sb_true(it, "Pending"))
			json_object_set_new(row, "SubscriptionArn", json_string("PendingConfirmation"));
		json_array_append_new(list, row);
	}
	json_decref(mine);
	if (page == NULL)
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: NextToken");
	json_decref(page);
	if (next != NULL)
		json_object_set_new(c->out, "NextToken", json_string(next));
	return 0;
}

/* What this account subscribed to in this region, whoever owns the topics. */
int sns_list_subscriptions(struct sb_call *c)
{
	json_t *all = json_object(), *regions;
	const char *account;
	int status;

	json_object_foreach(c->sb->state, account, regions) json_object_update(
	    all, json_object_get(json_object_get(json_object_get(regions, c->region), "sns"), "Subscriptions"));
	status = list_page(c, all, NULL);
	json_decref(all);
	return status;
}

int sns_list_subscriptions_by_topic(struct sb_call *c)
{
	const char *topic = sb_str(c->in, "TopicArn", "");

	if (sns_topic_get(c, topic, "SNS:ListSubscriptionsByTopic") == NULL)
		return -1;
	return list_page(c, store(c->sb, topic), topic);
}
