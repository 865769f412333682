/* SQS: queues, their attributes and tags. Messages that other services send are kept (event path, dead letters) and
 * counted, and seen in the dump; receiving them is not here. */
#include "tests/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES_KEPT 1000

static const struct sb_paging queues_page = {"QueueUrls",  "NextToken", "NextToken",
					     "MaxResults", 1000,        "InvalidAddress"};

/* What may be set, its default (NULL: absent), and for numbers the range. */
static const struct {
	const char *name, *fallback;
	int64_t min, max;
} settable[] = {
    {"DelaySeconds", "0", 0, 900},
    {"MaximumMessageSize", "1048576", 1024, 1048576},
    {"MessageRetentionPeriod", "345600", 60, 1209600},
    {"ReceiveMessageWaitTimeSeconds", "0", 0, 20},
    {"VisibilityTimeout", "30", 0, 43200},
    {"KmsDataKeyReusePeriodSeconds", NULL, 60, 86400},
    {"KmsMasterKeyId", NULL, 0, 0},
    {"Policy", NULL, 0, 0},
    {"RedrivePolicy", NULL, 0, 0},
    {"RedriveAllowPolicy", NULL, 0, 0},
    {"SqsManagedSseEnabled", "true", 0, 0},
    {"FifoQueue", NULL, 0, 0},
    {"ContentBasedDeduplication", NULL, 0, 0},
    {"DeduplicationScope", NULL, 0, 0},
    {"FifoThroughputLimit", NULL, 0, 0},
};
#define SETTABLE (sizeof settable / sizeof *settable)

/* Clients of the older query protocol, and boto3 still, go by another code, which travels in a header. */
static int fail(struct sb_call *c, const char *code, const char *query_code, const char *message)
{
	mem_auto_str char *header = mem_printf("%s;Sender", query_code);

	sb_http_reply_header(c->http, "x-amzn-query-error", header);
	return sb_fail(c, 400, code, "%s", message);
}

static int bad_value(struct sb_call *c, const char *name)
{
	mem_auto_str char *message = mem_printf("Invalid value for the parameter %s.", name);

	return fail(c, "InvalidAttributeValue", "InvalidAttributeValue", message);
}

/* ---- finding ---- */

static int no_queue(struct sb_call *c)
{
	return fail(c, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
		    "The specified queue does not exist.");
}

/* A queue by "https://host/account/name". */
static json_t *queue_get(struct sb_call *c)
{
	const char *url = sb_str(c->in, "QueueUrl", ""), *name = strrchr(url, '/');
	mem_auto_str char *mine = mem_printf("/%s/", c->account);
	json_t *queue = NULL;

	if (name != NULL && strstr(url, mine) != NULL)
		queue = json_object_get(sb_sub(c->state, "Queues"), name + 1);
	if (queue == NULL)
		no_queue(c);
	return queue;
}

json_t *sb_queue_find(struct sb *sb, const char *arn)
{
	mem_auto_str char *region = sb_arn_part(arn, 3), *account = sb_arn_part(arn, 4), *name = sb_arn_part(arn, 5);

	return json_object_get(json_object_get(sb_state_find(sb, account, region, "sqs"), "Queues"), name);
}

const char *sb_queue_put(struct sb *sb, const char *arn, const char *body)
{
	json_t *queue = sb_queue_find(sb, arn), *messages = json_object_get(queue, "Messages");

	if (queue == NULL)
		return "the queue does not exist";
	if (messages == NULL) {
		messages = json_array();
		json_object_set_new(queue, "Messages", messages);
	}
	if (json_array_size(messages) >= MESSAGES_KEPT)
		json_array_remove(messages, 0);
	json_array_append_new(messages, json_string(body));
	return NULL;
}

const char *sb_queue_send(struct sb *sb, const char *arn, const struct sb_ask *ask, const char *body)
{
	json_t *queue = sb_queue_find(sb, arn);
	json_auto_t *policy = json_loads(sb_str(json_object_get(queue, "Attributes"), "Policy", ""), 0, NULL);

	if (queue != NULL && sb_policy_ask(policy, ask) != SB_ALLOWED)
		return "the queue policy does not allow it";
	return sb_queue_put(sb, arn, body);
}

/* ---- attributes ---- */

static int document_check(struct sb_call *c, const char *name, const char *text)
{
	json_t *document = json_loads(text, 0, NULL);
	bool good = json_is_object(document);

	if (strcmp(name, "Policy") == 0)
		good = sb_policy_fault(document, true) == NULL && sb_policy_ghost(c->sb, document) == NULL;
	if (strcmp(name, "RedrivePolicy") == 0)
		good = strncmp(sb_str(document, "deadLetterTargetArn", ""), "arn:", 4) == 0 &&
		       json_object_get(document, "maxReceiveCount") != NULL;
	json_decref(document);
	return good ? 0 : bad_value(c, name);
}

static int attribute_check(struct sb_call *c, const char *name, const char *value)
{
	size_t i = 0;
	char *end;
	int64_t number;

	while (i < SETTABLE && strcmp(settable[i].name, name) != 0)
		i++;
	if (i == SETTABLE || value == NULL) {
		mem_auto_str char *message = mem_printf("Unknown Attribute %s.", name);

		return fail(c, "InvalidAttributeName", "InvalidAttributeName", message);
	}
	if (settable[i].max > 0) {
		number = strtoll(value, &end, 10);
		return *end == '\0' && end != value && number >= settable[i].min && number <= settable[i].max
			   ? 0
			   : bad_value(c, name);
	}
	return strstr(name, "Policy") != NULL && value[0] != '\0' ? document_check(c, name, value) : 0;
}

static int attributes_check(struct sb_call *c, json_t *said)
{
	const char *name;
	json_t *value;

	json_object_foreach(said, name, value)
	{
		if (attribute_check(c, name, json_string_value(value)) != 0)
			return -1;
	}
	return 0;
}

static void attributes_apply(json_t *queue, json_t *said)
{
	json_t *attributes = sb_sub(queue, "Attributes"), *value;
	const char *name;

	json_object_foreach(said, name, value)
	{
		if (json_string_length(value) == 0)
			json_object_del(attributes, name);
		else
			json_object_set(attributes, name, value);
	}
	if (json_object_get(attributes, "KmsMasterKeyId") != NULL)
		json_object_set_new(attributes, "SqsManagedSseEnabled", json_string("false"));
}

static json_t *attributes_all(struct sb_call *c, json_t *queue)
{
	json_t *all = json_object();

	for (size_t i = 0; i < SETTABLE; i++) {
		if (settable[i].fallback != NULL)
			json_object_set_new(all, settable[i].name, json_string(settable[i].fallback));
	}
	json_object_update(all, json_object_get(queue, "Attributes"));
	json_object_set_new(
	    all, "QueueArn",
	    sb_format("arn:%s:sqs:%s:%s:%s", c->partition, c->region, c->account, sb_str(queue, "Name", "")));
	json_object_set_new(all, "ApproximateNumberOfMessages",
			    sb_format("%zu", json_array_size(json_object_get(queue, "Messages"))));
	json_object_set_new(all, "ApproximateNumberOfMessagesDelayed", json_string("0"));
	json_object_set_new(all, "ApproximateNumberOfMessagesNotVisible", json_string("0"));
	json_object_set_new(all, "CreatedTimestamp",
			    sb_format("%lld", (long long)sb_int(queue, "CreatedMs", 0) / 1000));
	json_object_set_new(all, "LastModifiedTimestamp",
			    sb_format("%lld", (long long)sb_int(queue, "ModifiedMs", 0) / 1000));
	return all;
}

static int get_queue_attributes(struct sb_call *c)
{
	json_t *queue = queue_get(c), *all, *some, *name;
	json_t *names = json_object_get(c->in, "AttributeNames");
	size_t i;

	if (queue == NULL)
		return -1;
	c->out = json_object();
	all = attributes_all(c, queue);
	some = json_object();
	json_array_foreach(names, i, name)
	{
		if (strcmp(json_string_value(name), "All") == 0)
			json_object_update(some, all);
		else
			sb_copy(some, all, json_string_value(name));
	}
	if (json_object_size(some) > 0)
		json_object_set(c->out, "Attributes", some);
	json_decref(some);
	json_decref(all);
	return 0;
}

static int set_queue_attributes(struct sb_call *c)
{
	json_t *queue = queue_get(c), *said = json_object_get(c->in, "Attributes");

	if (queue == NULL || attributes_check(c, said) != 0)
		return -1;
	if (json_object_get(said, "FifoQueue") != NULL)
		return fail(c, "InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute FifoQueue.");
	attributes_apply(queue, said);
	json_object_set_new(queue, "ModifiedMs", json_integer(c->now_ms));
	return 0;
}

/* ---- queues ---- */

static json_t *queue_url(struct sb_call *c, const char *name)
{
	return sb_format("https://sqs.%s.amazonaws.com/%s/%s", c->region, c->account, name);
}

static int name_check(struct sb_call *c, const char *name)
{
	size_t len = strlen(name);
	bool fifo = len > 5 && strcmp(name + len - 5, ".fifo") == 0;
	mem_auto_str char *stem = mem_strndup(name, fifo ? len - 5 : len);
	bool asked = strcmp(sb_str(json_object_get(c->in, "Attributes"), "FifoQueue", "false"), "true") == 0;

	if (len <= 80 && sb_like(stem, "a-zA-Z0-9_-", 1, 80) && fifo == asked)
		return 0;
	return fail(c, "InvalidParameterValue", "InvalidParameterValue",
		    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}

static bool deleted_lately(struct sb_call *c, const char *name)
{
	return sb_int(json_object_get(c->state, "_Deleted"), name, 0) + c->sb->lag_ms > c->now_ms;
}

static int create_queue(struct sb_call *c)
{
	const char *name = sb_str(c->in, "QueueName", "");
	json_t *queues = sb_sub(c->state, "Queues"), *queue = json_object_get(queues, name), *all, *value;
	json_t *said = json_object_get(c->in, "Attributes"), *tags = json_object_get(c->in, "tags");
	const char *key;
	bool same = true;

	if (name_check(c, name) != 0 || attributes_check(c, said) != 0)
		return -1;
	if (queue == NULL && c->sb->lag_ms > 0 && deleted_lately(c, name))
		return fail(
		    c, "QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently",
		    "You must wait 60 seconds after deleting a queue before you can create another with the same "
		    "name.");
	if (queue != NULL) {
		all = attributes_all(c, queue);
		json_object_foreach(said, key, value)
		{
			same = same && json_equal(json_object_get(all, key), value);
		}
		json_decref(all);
		if (!same)
			return fail(c, "QueueNameExists", "QueueAlreadyExists",
				    "A queue already exists with the same name and a different value for an attribute");
	} else {
		queue = json_pack("{s:s,s:I,s:I,s:o}", "Name", name, "CreatedMs", (json_int_t)c->now_ms, "ModifiedMs",
				  (json_int_t)c->now_ms, "Tags", tags == NULL ? json_object() : json_deep_copy(tags));
		attributes_apply(queue, said);
		json_object_set_new(queues, name, queue);
	}
	c->out = json_pack("{s:o}", "QueueUrl", queue_url(c, name));
	return 0;
}

static int get_queue_url(struct sb_call *c)
{
	const char *name = sb_str(c->in, "QueueName", ""), *owner = sb_str(c->in, "QueueOwnerAWSAccountId", c->account);

	if (strcmp(owner, c->account) != 0 || json_object_get(sb_sub(c->state, "Queues"), name) == NULL)
		return no_queue(c);
	c->out = json_pack("{s:o}", "QueueUrl", queue_url(c, name));
	return 0;
}

static int delete_queue(struct sb_call *c)
{
	json_t *queue = queue_get(c);
	mem_auto_str char *name = mem_strdup(sb_str(queue, "Name", ""));

	if (queue == NULL)
		return -1;
	json_object_del(sb_sub(c->state, "Queues"), name);
	json_object_set_new(sb_sub(c->state, "_Deleted"), name, json_integer(c->now_ms));
	return 0;
}

static json_t *queue_row(struct sb_call *c, json_t *queue)
{
	return queue_url(c, sb_str(queue, "Name", ""));
}

static int list_queues(struct sb_call *c)
{
	const char *prefix = sb_str(c->in, "QueueNamePrefix", ""), *name;
	json_t *some = json_object(), *queue;
	int status;

	json_object_foreach(sb_sub(c->state, "Queues"), name, queue)
	{
		if (strncmp(name, prefix, strlen(prefix)) == 0)
			json_object_set(some, name, queue);
	}
	status = sb_page_answer(c, &queues_page, some, queue_row);
	json_decref(some);
	return status;
}

/* ---- tags ---- */

static int tag_queue(struct sb_call *c)
{
	json_t *queue = queue_get(c);

	if (queue == NULL)
		return -1;
	json_object_update(sb_sub(queue, "Tags"), json_object_get(c->in, "Tags"));
	return 0;
}

static int untag_queue(struct sb_call *c)
{
	json_t *queue = queue_get(c);

	if (queue == NULL)
		return -1;
	sb_tags_remove(sb_sub(queue, "Tags"), json_object_get(c->in, "TagKeys"));
	return 0;
}

static int list_queue_tags(struct sb_call *c)
{
	json_t *queue = queue_get(c);

	if (queue == NULL)
		return -1;
	c->out = json_object();
	if (json_object_size(sb_sub(queue, "Tags")) > 0)
		json_object_set(c->out, "Tags", sb_sub(queue, "Tags"));
	return 0;
}

static const struct sb_op ops[] = {
    {"CreateQueue", create_queue, "!QueueName Attributes:m tags:m", NULL, NULL, 0},
    {"GetQueueUrl", get_queue_url, "!QueueName QueueOwnerAWSAccountId", NULL, NULL, 0},
    {"GetQueueAttributes", get_queue_attributes, "!QueueUrl AttributeNames:[s]", NULL, NULL, 0},
    {"SetQueueAttributes", set_queue_attributes, "!QueueUrl !Attributes:m", NULL, NULL, 0},
    {"DeleteQueue", delete_queue, "!QueueUrl", NULL, NULL, 0},
    {"ListQueues", list_queues, "QueueNamePrefix NextToken MaxResults:i(1,1000)", NULL, NULL, 0},
    {"TagQueue", tag_queue, "!QueueUrl !Tags:m", NULL, NULL, 0},
    {"UntagQueue", untag_queue, "!QueueUrl !TagKeys:[s]", NULL, NULL, 0},
    {"ListQueueTags", list_queue_tags, "!QueueUrl", NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_sqs = {
    .name = "sqs",
    .protocol = SB_JSON,
    .prefix = "AmazonSQS",
    .invalid = "InvalidParameterValue",
    .throttled = "RequestThrottled",
    .throttled_status = 400,
    .denied = "AccessDeniedException",
    .denied_status = 400,
    .ops = ops,
};
