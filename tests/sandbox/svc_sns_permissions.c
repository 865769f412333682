/* SNS: permissions added by label, data protection policies, confirming, publishing. */
#include "tests/sandbox/flow.h"
#include "tests/sandbox/svc_sns.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX (256 * 1024)

static json_t *topic_policy(json_t *topic)
{
	return json_loads(sb_str(json_object_get(topic, "Attributes"), "Policy", "{}"), 0, NULL);
}

static void topic_policy_set(json_t *topic, json_t *policy)
{
	mem_auto_str char *text = json_dumps(policy, JSON_COMPACT);

	json_object_set_new(sb_sub(topic, "Attributes"), "Policy", json_string(text));
}

static size_t labelled(json_t *statements, const char *label)
{
	size_t i = 0;

	while (i < json_array_size(statements) && strcmp(sb_str(json_array_get(statements, i), "Sid", ""), label) != 0)
		i++;
	return i;
}

int sns_add_permission(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "TopicArn", ""), *label = sb_str(c->in, "Label", "");
	json_t *topic = sns_topic_get(c, arn, "SNS:AddPermission"), *item, *who = json_array(), *what = json_array();
	json_auto_t *policy = topic == NULL ? NULL : topic_policy(topic);
	json_t *statements = json_object_get(policy, "Statement");
	size_t i;

	json_array_foreach(json_object_get(c->in, "AWSAccountId"), i, item)
	{
		json_array_append_new(who, sb_format("arn:%s:iam::%s:root", c->partition, json_string_value(item)));
	}
	json_array_foreach(json_object_get(c->in, "ActionName"), i, item)
	{
		json_array_append_new(what, sb_format("SNS:%s", json_string_value(item)));
	}
	if (topic == NULL || json_array_size(who) == 0 || json_array_size(what) == 0 ||
	    labelled(statements, label) < json_array_size(statements)) {
		json_decref(who);
		json_decref(what);
		return topic == NULL
			   ? -1
			   : sb_fail(c, 400, "InvalidParameter",
				     "Invalid parameter: Statement already exists, or names nobody or nothing");
	}
	json_array_append_new(statements, json_pack("{s:s,s:s,s:{s:o},s:o,s:s}", "Sid", label, "Effect", "Allow",
						    "Principal", "AWS", who, "Action", what, "Resource", arn));
	topic_policy_set(topic, policy);
	return 0;
}

int sns_remove_permission(struct sb_call *c)
{
	json_t *topic = sns_topic_get(c, sb_str(c->in, "TopicArn", ""), "SNS:RemovePermission");
	json_auto_t *policy = topic == NULL ? NULL : topic_policy(topic);
	json_t *statements = json_object_get(policy, "Statement");
	size_t i = labelled(statements, sb_str(c->in, "Label", ""));

	if (topic == NULL)
		return -1;
	if (i == json_array_size(statements))
		return sb_fail(c, 404, "NotFound", "The permission does not exist");
	json_array_remove(statements, i);
	topic_policy_set(topic, policy);
	return 0;
}

/* ---- data protection ---- */

int sns_put_data_protection_policy(struct sb_call *c)
{
	json_t *topic = sns_topic_get(c, sb_str(c->in, "ResourceArn", ""), "SNS:PutDataProtectionPolicy");
	json_auto_t *document = json_loads(sb_str(c->in, "DataProtectionPolicy", ""), 0, NULL);

	if (topic == NULL)
		return -1;
	if (!json_is_object(document))
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: DataProtectionPolicy");
	sb_copy(topic, c->in, "DataProtectionPolicy");
	return 0;
}

int sns_get_data_protection_policy(struct sb_call *c)
{
	json_t *topic = sns_topic_get(c, sb_str(c->in, "ResourceArn", ""), "SNS:GetDataProtectionPolicy");

	if (topic == NULL)
		return -1;
	c->out = json_object();
	sb_copy(c->out, topic, "DataProtectionPolicy");
	return 0;
}

/* ---- confirming ---- */

/* The token that AWS would have sent to the endpoint is here the last part of the subscription's ARN. */
int sns_confirm_subscription(struct sb_call *c)
{
	const char *topic = sb_str(c->in, "TopicArn", "");
	mem_auto_str char *region = sb_arn_part(topic, 3), *account = sb_arn_part(topic, 4);
	mem_auto_str char *arn = mem_printf("%s:%s", topic, sb_str(c->in, "Token", ""));
	json_t *all = json_object_get(sb_state_find(c->sb, account, region, "sns"), "Subscriptions");
	json_t *it = json_object_get(all, arn);

	if (sns_topic_find(c->sb, topic) == NULL)
		return sb_fail(c, 404, "NotFound", "Topic does not exist");
	if (it == NULL)
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Token");
	json_object_set_new(it, "Pending", json_false());
	c->out = json_pack("{s:s}", "SubscriptionArn", arn);
	return 0;
}

/* ---- publishing ---- */

/* With MessageStructure "json" each protocol has its own text; functions and queues here get theirs or the default. */
static char *message_text(struct sb_call *c)
{
	const char *text = sb_str(c->in, "Message", ""), *own;
	json_auto_t *by_protocol = NULL;

	if (strcmp(sb_str(c->in, "MessageStructure", ""), "json") != 0)
		return mem_strdup(text);
	by_protocol = json_loads(text, 0, NULL);
	own = sb_str(by_protocol, "lambda", sb_str(by_protocol, "sqs", sb_str(by_protocol, "default", NULL)));
	return own == NULL || json_object_get(by_protocol, "default") == NULL ? NULL : mem_strdup(own);
}

int sns_publish(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "TopicArn", sb_str(c->in, "TargetArn", "")),
		   *subject = sb_str(c->in, "Subject", NULL);
	mem_auto_str char *text = message_text(c);
	struct sb_message message = {
	    .text = text, .subject = subject, .attributes = json_object_get(c->in, "MessageAttributes")};
	json_auto_t *event = NULL;
	struct sb_flow flow = {.sb = c->sb};

	if (sns_topic_get(c, arn, "SNS:Publish") == NULL)
		return -1;
	if (text == NULL)
		return sb_fail(c, 400, "InvalidParameter",
			       "Invalid parameter: Message Structure - No default entry in JSON message body");
	if (text[0] == '\0' || strlen(text) > MESSAGE_MAX)
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Message %s",
			       text[0] == '\0' ? "empty" : "too long");
	if (subject != NULL && (strlen(subject) == 0 || strlen(subject) > 100))
		return sb_fail(c, 400, "InvalidParameter", "Invalid parameter: Subject");
	sb_uuid(message.id);
	flow.event = event = json_pack("{s:s,s:s}", "TopicArn", arn, "Message", text);
	flow.trace = sb_trace_new(c->sb, message.id, c->account, c->region, "publish", event);
	sb_flow_topic(&flow, 0, arn, &message);
	c->out = json_pack("{s:s}", "MessageId", message.id);
	return 0;
}
