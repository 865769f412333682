/* The event path: from a topic to its subscriptions, and into functions and queues. */
#include "tests/sandbox/flow.h"

#include <stdlib.h>
#include <string.h>

/* ---- functions ---- */

static bool function_lets(json_t *function, const struct sb_invocation *call)
{
	json_auto_t *context =
	    json_pack("{s:s,s:s}", "aws:sourcearn", call->source_arn, "aws:sourceaccount", call->source_account);
	struct sb_ask ask = {.service = call->service,
			     .action = "lambda:InvokeFunction",
			     .resource = sb_str(function, "FunctionArn", ""),
			     .context = context};

	return sb_policy_ask(json_object_get(function, "Policy"), &ask) == SB_ALLOWED;
}

void sb_flow_function(struct sb_flow *flow, int from, const struct sb_invocation *call)
{
	json_t *function = sb_function_find(flow->sb, call->function), *reserved, *role;
	const char *at = call->function;

	if (function == NULL) {
		sb_hop(flow->trace, from, "function", at, "stopped", "the function does not exist");
		return;
	}
	if (!function_lets(function, call)) {
		sb_hop(flow->trace, from, "function", at, "stopped",
		       "the function's policy does not let %s invoke it for %s", call->service, call->source_arn);
		return;
	}
	reserved = json_object_get(function, "Concurrency");
	if (reserved != NULL && json_integer_value(reserved) == 0) {
		sb_hop(flow->trace, from, "function", at, "stopped", "the function's reserved concurrency is 0");
		return;
	}
	role = sb_role_seen(flow->sb, sb_str(function, "Role", ""));
	if (role == NULL || !sb_role_trusts_service(role, "lambda.amazonaws.com")) {
		sb_hop(flow->trace, from, "function", at, "stopped",
		       "the function's role is gone or does not trust lambda.amazonaws.com");
		return;
	}
	sb_run_start(flow->sb, flow->trace, sb_hop(flow->trace, from, "function", at, "running", NULL), function,
		     call->payload);
}

/* ---- subscriptions ---- */

/* The message as SNS hands it to a function, or to a queue unless that wants it raw. */
static json_t *envelope(const char *topic_arn, json_t *subscription, const struct sb_message *message)
{
	const char *arn = sb_str(subscription, "SubscriptionArn", "");
	json_t *attributes = json_object(), *said;
	const char *name;
	mem_auto_str char *now = sb_time_iso(sb_now_ms());

	json_object_foreach(message->attributes, name, said)
	{
		json_object_set_new(attributes, name,
				    json_pack("{s:s,s:s}", "Type", sb_str(said, "DataType", "String"), "Value",
					      sb_str(said, "StringValue", "")));
	}
	said = json_pack("{s:s,s:s,s:s,s:s?,s:s,s:o,s:s,s:s,s:s,s:s,s:o}", "Type", "Notification", "MessageId",
			 message->id, "TopicArn", topic_arn, "Subject", message->subject, "Message", message->text,
			 "Timestamp", sb_format("%.19s.000Z", now), "SignatureVersion", "1", "Signature", "sandbox",
			 "SigningCertUrl", "https://sns.amazonaws.com/sandbox.pem", "UnsubscribeUrl",
			 "https://sns.amazonaws.com/?Action=Unsubscribe", "MessageAttributes", attributes);
	return json_pack("{s:s,s:s,s:s,s:o}", "EventSource", "aws:sns", "EventVersion", "1.0", "EventSubscriptionArn",
			 arn, "Sns", said);
}

/* Does the subscription's filter policy keep the message out? */
static bool filtered(json_t *subscription, const struct sb_message *message, char where[SB_WHERE_MAX])
{
	json_t *attributes = json_object_get(subscription, "Attributes"), *said;
	json_auto_t *policy = json_loads(sb_str(attributes, "FilterPolicy", ""), 0, NULL), *has = NULL;
	const char *name;

	if (!json_is_object(policy) || json_object_size(policy) == 0)
		return false;
	if (strcmp(sb_str(attributes, "FilterPolicyScope", ""), "MessageBody") == 0) {
		has = json_loads(message->text, 0, NULL);
	} else {
		has = json_object();
		json_object_foreach(message->attributes, name, said)
		{
			json_object_set_new(has, name, json_string(sb_str(said, "StringValue", "")));
		}
	}
	return !sb_pattern_matches(policy, has, where);
}

/* SNS crosses regions only between those that are on by default, and from an opt-in region to one of these. */
static const char *regions_refuse(struct sb *sb, const char *topic_arn, const char *endpoint)
{
	mem_auto_str char *from = sb_arn_part(topic_arn, 3), *to = sb_arn_part(endpoint, 3);
	mem_auto_str char *owner = sb_arn_part(topic_arn, 4), *account = sb_arn_part(endpoint, 4);
	const char *status = sb_region_status(sb, account, to);

	if (strcmp(from, to) == 0)
		return NULL;
	if (status == NULL || strcmp(status, "opt-in-not-required") != 0)
		return "SNS does not deliver from another region to an opt-in region";
	return NULL;
}

/* Topics in opt-in regions come to other regions under a principal of their own. */
static char *principal_for(struct sb *sb, const char *topic_arn, const char *endpoint)
{
	mem_auto_str char *from = sb_arn_part(topic_arn, 3), *to = sb_arn_part(endpoint, 3);
	mem_auto_str char *account = sb_arn_part(topic_arn, 4);
	const char *status = sb_region_status(sb, account, from);

	if (strcmp(from, to) == 0 || status == NULL || strcmp(status, "opt-in-not-required") == 0)
		return mem_strdup("sns.amazonaws.com");
	return mem_printf("sns.%s.amazonaws.com", from);
}

static void to_function(struct sb_flow *flow, int from, const char *topic_arn, json_t *subscription,
			const struct sb_message *message)
{
	const char *endpoint = sb_str(subscription, "Endpoint", "");
	mem_auto_str char *owner = sb_arn_part(topic_arn, 4), *service = principal_for(flow->sb, topic_arn, endpoint);
	json_auto_t *payload = json_pack("{s:[o]}", "Records", envelope(topic_arn, subscription, message));
	struct sb_invocation call = {endpoint, service, topic_arn, owner, payload};

	sb_flow_function(flow, from, &call);
}

static void to_queue(struct sb_flow *flow, int from, const char *topic_arn, json_t *subscription,
		     const struct sb_message *message)
{
	const char *endpoint = sb_str(subscription, "Endpoint", "");
	bool raw = strcmp(sb_str(json_object_get(subscription, "Attributes"), "RawMessageDelivery", ""), "true") == 0;
	mem_auto_str char *owner = sb_arn_part(topic_arn, 4), *service = principal_for(flow->sb, topic_arn, endpoint);
	json_auto_t *context = json_pack("{s:s,s:s}", "aws:sourcearn", topic_arn, "aws:sourceaccount", owner);
	json_auto_t *whole = envelope(topic_arn, subscription, message);
	mem_auto_str char *text = json_dumps(json_object_get(whole, "Sns"), JSON_COMPACT);
	struct sb_ask ask = {.service = service, .action = "sqs:SendMessage", .resource = endpoint, .context = context};
	const char *why = sb_queue_send(flow->sb, endpoint, &ask, raw ? message->text : text);

	sb_hop(flow->trace, from, "queue", endpoint, why == NULL ? "delivered" : "stopped", why == NULL ? NULL : "%s",
	       why);
}

static void subscription_follow(struct sb_flow *flow, int from, const char *topic_arn, json_t *subscription,
				const struct sb_message *message)
{
	const char *arn = sb_str(subscription, "SubscriptionArn", ""), *protocol = sb_str(subscription, "Protocol", "");
	const char *endpoint = sb_str(subscription, "Endpoint", ""), *why;
	char where[SB_WHERE_MAX];
	int hop;

	if (sb_true(subscription, "Pending")) {
		sb_hop(flow->trace, from, "subscription", arn, "stopped",
		       "the subscription of %s is pending: its own account has not confirmed it", endpoint);
		return;
	}
	if (filtered(subscription, message, where)) {
		sb_hop(flow->trace, from, "subscription", arn, "stopped", "the filter policy does not match at %s",
		       where);
		return;
	}
	if ((why = regions_refuse(flow->sb, topic_arn, endpoint)) != NULL && strncmp(endpoint, "arn:", 4) == 0) {
		sb_hop(flow->trace, from, "subscription", arn, "stopped", "%s", why);
		return;
	}
	if (strcmp(protocol, "lambda") != 0 && strcmp(protocol, "sqs") != 0) {
		sb_hop(flow->trace, from, "subscription", arn, "stopped", "the sandbox does not deliver to %s",
		       protocol);
		return;
	}
	hop = sb_hop(flow->trace, from, "subscription", arn, "passed", NULL);
	(strcmp(protocol, "lambda") == 0 ? to_function : to_queue)(flow, hop, topic_arn, subscription, message);
}

void sb_flow_topic(struct sb_flow *flow, int from, const char *topic_arn, const struct sb_message *message)
{
	mem_auto_str char *region = sb_arn_part(topic_arn, 3), *account = sb_arn_part(topic_arn, 4);
	json_t *all = json_object_get(sb_state_find(flow->sb, account, region, "sns"), "Subscriptions"), *it;
	int hop = sb_hop(flow->trace, from, "topic", topic_arn, "passed", NULL);
	const char *arn;
	size_t count = 0;

	json_object_foreach(all, arn, it)
	{
		if (strcmp(sb_str(it, "TopicArn", ""), topic_arn) != 0)
			continue;
		count++;
		subscription_follow(flow, hop, topic_arn, it, message);
	}
	if (count == 0)
		sb_hop(flow->trace, hop, "subscriptions", topic_arn, "stopped", "the topic has no subscriptions");
}
