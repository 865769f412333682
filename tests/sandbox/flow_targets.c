/* The event path: from a rule to its target, by another bus, a topic, a queue or a function; what the target gets. */
#include "tests/sandbox/flow.h"

#include <stdlib.h>
#include <string.h>

#define SERVICE "events.amazonaws.com"

/* One target of one rule, on the way. */
struct leg {
	struct sb_flow *flow;
	json_t *rule, *target;
	const char *rule_arn, *arn; /* the target's */
	char *account, *region;     /* the rule's */
	char *to_account, *to_region;
	json_t *context;
	const char *text; /* what is sent */
	int from;
	bool crossed;
};

static int stop(struct leg *leg, const char *why)
{
	sb_hop(leg->flow->trace, leg->from, "target", leg->arn, "stopped", "%s", why);
	return -1;
}

/* ---- what the target gets ---- */

/* The value at "$.a.b[0]"; borrowed, NULL when there is none. */
static json_t *path_get(json_t *event, const char *path)
{
	json_t *at = event;

	path += *path == '$';
	while (*path != '\0' && at != NULL) {
		size_t len;

		if (*path == '[') {
			at = json_array_get(at, strtoul(path + 1, NULL, 10));
			path += strcspn(path, "]");
			path += *path == ']';
			continue;
		}
		path += *path == '.';
		len = strcspn(path, ".[");
		mem_auto_str char *key = mem_strndup(path, len);

		at = json_object_get(at, key);
		path += len;
		if (len == 0)
			break;
	}
	return at;
}

static void variable_add(struct buf *out, json_t *value, bool quoted)
{
	mem_auto_str char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	size_t len = text == NULL ? 0 : strlen(text);

	if (text == NULL)
		return;
	if (!quoted || !json_is_string(value)) {
		buf_adds(out, text);
		return;
	}
	buf_add(out, text + 1, len - 2);
}

static char *template_fill(struct leg *leg, json_t *transformer)
{
	const char *p = sb_str(transformer, "InputTemplate", "");
	json_t *paths = json_object_get(transformer, "InputPathsMap");
	bool whole = p[0] == '"'; /* one text, in which every variable stands inside quotes */
	buf_auto struct buf out = BUF_INIT;

	while (*p != '\0') {
		size_t len = *p == '<' ? strcspn(p, ">") : 0;
		mem_auto_str char *name = len > 0 ? mem_strndup(p + 1, len - 1) : NULL;
		bool quoted = whole || (out.len > 0 && out.data[out.len - 1] == '"');
		json_auto_t *own = NULL;

		if (name == NULL || p[len] != '>') {
			buf_addc(&out, *p++);
			continue;
		}
		if (strcmp(name, "aws.events.rule-arn") == 0)
			own = json_string(leg->rule_arn);
		else if (strcmp(name, "aws.events.rule-name") == 0)
			own = json_string(sb_str(leg->rule, "Name", ""));
		else if (strcmp(name, "aws.events.event") == 0 || strcmp(name, "aws.events.event.json") == 0)
			own = json_incref(leg->flow->event);
		else if (json_object_get(paths, name) != NULL)
			own = json_incref(path_get(leg->flow->event, sb_str(paths, name, "$")));
		variable_add(&out, own, quoted);
		p += len + 1;
	}
	return buf_detach(&out);
}

static char *input_make(struct leg *leg)
{
	json_t *value = leg->flow->event, *transformer = json_object_get(leg->target, "InputTransformer");
	const char *constant = sb_str(leg->target, "Input", NULL), *path = sb_str(leg->target, "InputPath", NULL);

	if (constant != NULL)
		return mem_strdup(constant);
	if (transformer != NULL)
		return template_fill(leg, transformer);
	if (path != NULL)
		value = path_get(value, path);
	return value == NULL ? mem_strdup("{}") : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
}

/* ---- roles and policies ---- */

/* Why the target's role cannot do this, or NULL. A target without a role passes. */
static const char *role_refuses(struct leg *leg, const char *action)
{
	const char *arn = sb_str(leg->target, "RoleArn", NULL);
	mem_auto_str char *account = arn == NULL ? NULL : sb_arn_part(arn, 4);
	struct sb_ask ask = {.action = action, .resource = leg->arn};
	json_t *role;

	if (arn == NULL)
		return NULL;
	role = sb_role_seen(leg->flow->sb, arn);
	if (strcmp(account, leg->account) != 0)
		return "the target's role is in another account than the rule";
	if (role == NULL)
		return "the target's role does not exist";
	if (!sb_role_trusts_service(role, SERVICE))
		return "the target's role does not trust events.amazonaws.com";
	if (!sb_role_may(leg->flow->sb, role, &ask))
		return "the target's role has no policy that allows the call";
	return NULL;
}

/* Who sends, as the receiver's policy sees it: the role if the target has one, else the service. */
static struct sb_ask sender(struct leg *leg, const char *action)
{
	const char *role = sb_str(leg->target, "RoleArn", NULL);
	struct sb_ask ask = {.action = action, .resource = leg->arn, .context = leg->context};

	if (role == NULL) {
		ask.service = SERVICE;
		return ask;
	}
	ask.account = leg->account;
	ask.arn = ask.role_arn = role;
	return ask;
}

/* ---- the kinds of targets ---- */

static int bus_policy_check(struct leg *leg, json_t *bus)
{
	struct sb_ask ask = sender(leg, "events:PutEvents");
	json_auto_t *policy = json_loads(sb_str(bus, "Policy", ""), 0, NULL);
	enum sb_verdict verdict;

	json_object_set(leg->context, "events:source", json_object_get(leg->flow->event, "source"));
	json_object_set(leg->context, "events:detail-type", json_object_get(leg->flow->event, "detail-type"));
	verdict = sb_policy_ask(policy, &ask);
	if (verdict == SB_ALLOWED || strcmp(leg->to_account, leg->account) == 0)
		return 0;
	sb_hop(leg->flow->trace, leg->from, "target", leg->arn, "stopped",
	       bus == NULL || policy == NULL
		   ? "the receiving bus has no policy that lets account %s put events"
		   : (verdict == SB_DENIED ? "the receiving bus's policy denies account %s"
					   : "the receiving bus's policy does not allow account %s to put events"),
	       leg->account);
	return -1;
}

static int to_bus(struct leg *leg)
{
	bool across = strcmp(leg->account, leg->to_account) != 0 || strcmp(leg->region, leg->to_region) != 0;
	const char *name = strchr(leg->arn, '/') == NULL ? "" : strchr(leg->arn, '/') + 1, *why;
	json_t *bus = json_object_get(
	    json_object_get(sb_state_find(leg->flow->sb, leg->to_account, leg->to_region, "events"), "Buses"), name);
	int hop;

	if (leg->crossed)
		return stop(leg, "the event came from another bus already, and is not forwarded to a third");
	if (across && sb_str(leg->target, "RoleArn", NULL) == NULL)
		return stop(leg, "the target has no RoleArn, which a bus in another account or region needs");
	if ((why = role_refuses(leg, "events:PutEvents")) != NULL)
		return stop(leg, why);
	if (!sb_region_enabled(leg->flow->sb, leg->to_account, leg->to_region))
		return stop(leg, "the receiving account has not enabled the region");
	if (bus == NULL && strcmp(name, "default") != 0)
		return stop(leg, "the event bus does not exist");
	if (bus_policy_check(leg, bus) != 0)
		return -1;
	hop = sb_hop(leg->flow->trace, leg->from, "target", leg->arn, "passed", NULL);
	sb_flow_bus(leg->flow, hop, leg->arn, true);
	return 0;
}

/* Why the key of an encrypted topic keeps the service out, or NULL. */
static const char *key_refuses(struct leg *leg, json_t *topic)
{
	const char *key = sb_str(json_object_get(topic, "Attributes"), "KmsMasterKeyId", NULL);
	struct sb_ask ask = sender(leg, "kms:GenerateDataKey");
	mem_auto_str char *arn = NULL;

	if (key == NULL)
		return NULL;
	if (strstr(key, "alias/aws/") != NULL)
		return "the topic is encrypted with AWS's own key, which EventBridge may not use";
	arn = strncmp(key, "arn:", 4) == 0
		  ? mem_strdup(key)
		  : mem_printf("arn:%s:kms:%s:%s:%s%s", sb_partition(leg->to_region), leg->to_region, leg->to_account,
			       strncmp(key, "alias/", 6) == 0 ? "" : "key/", key);
	ask.resource = arn;
	return sb_key_refuses(sb_key_find(leg->flow->sb, arn), &ask);
}

static json_t *topic_find(struct leg *leg)
{
	mem_auto_str char *name = sb_arn_part(leg->arn, 5);

	return json_object_get(
	    json_object_get(sb_state_find(leg->flow->sb, leg->to_account, leg->to_region, "sns"), "Topics"), name);
}

static int to_topic(struct leg *leg)
{
	json_t *topic = topic_find(leg);
	struct sb_ask ask = sender(leg, "sns:Publish");
	struct sb_message message = {.text = leg->text};
	json_auto_t *policy = json_loads(sb_str(json_object_get(topic, "Attributes"), "Policy", ""), 0, NULL);
	const char *why;
	int hop;

	/* EventBridge says nothing that a condition in a topic policy could be about. */
	if (ask.service != NULL)
		ask.context = NULL;
	if (strcmp(leg->region, leg->to_region) != 0)
		return stop(leg, "the topic is in another region than the rule");
	if (topic == NULL)
		return stop(leg, "the topic does not exist");
	if ((why = role_refuses(leg, "sns:Publish")) != NULL)
		return stop(leg, why);
	if (sb_policy_ask(policy, &ask) != SB_ALLOWED)
		return stop(leg, "the topic policy does not let events.amazonaws.com publish");
	if ((why = key_refuses(leg, topic)) != NULL)
		return stop(leg, why);
	hop = sb_hop(leg->flow->trace, leg->from, "target", leg->arn, "passed", NULL);
	sb_uuid(message.id);
	sb_flow_topic(leg->flow, hop, leg->arn, &message);
	return 0;
}

static int to_queue(struct leg *leg)
{
	struct sb_ask ask = sender(leg, "sqs:SendMessage");
	const char *why = strcmp(leg->region, leg->to_region) != 0 ? "the queue is in another region than the rule"
								   : role_refuses(leg, ask.action);

	if (why == NULL)
		why = sb_queue_send(leg->flow->sb, leg->arn, &ask, leg->text);
	if (why != NULL)
		return stop(leg, why);
	sb_hop(leg->flow->trace, leg->from, "queue", leg->arn, "delivered", NULL);
	return 0;
}

static int to_function(struct leg *leg)
{
	json_auto_t *payload = json_loads(leg->text, JSON_DECODE_ANY, NULL);
	struct sb_invocation call = {leg->arn, SERVICE, leg->rule_arn, leg->account, payload};

	if (strcmp(leg->region, leg->to_region) != 0)
		return stop(leg, "the function is in another region than the rule");
	sb_flow_function(leg->flow, leg->from, &call);
	return 0;
}

/* ---- a target ---- */

static void dead_letter(struct leg *leg)
{
	const char *queue = sb_str(json_object_get(leg->target, "DeadLetterConfig"), "Arn", NULL), *why;
	struct sb_ask ask = {
	    .service = SERVICE, .action = "sqs:SendMessage", .resource = queue, .context = leg->context};

	if (queue == NULL)
		return;
	why = sb_queue_send(leg->flow->sb, queue, &ask, leg->text);
	sb_hop(leg->flow->trace, leg->from, "dead-letter queue", queue, why == NULL ? "delivered" : "stopped", "%s",
	       why == NULL ? "the target was not reached" : why);
}

static int send(struct leg *leg)
{
	static const struct {
		const char *service;
		int (*send)(struct leg *leg);
	} kinds[] = {{"events", to_bus}, {"sns", to_topic}, {"sqs", to_queue}, {"lambda", to_function}};
	mem_auto_str char *service = sb_arn_part(leg->arn, 2);

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].service, service) == 0)
			return kinds[i].send(leg);
	}
	return stop(leg, "the sandbox delivers to buses, topics, queues and functions only");
}

void sb_flow_target(struct sb_flow *flow, int from, json_t *rule, json_t *target, bool crossed)
{
	struct leg leg = {.flow = flow, .rule = rule, .target = target, .from = from, .crossed = crossed};
	mem_auto_str char *text = NULL;

	leg.rule_arn = sb_str(rule, "Arn", "");
	leg.arn = sb_str(target, "Arn", "");
	leg.account = sb_arn_part(leg.rule_arn, 4);
	leg.region = sb_arn_part(leg.rule_arn, 3);
	leg.to_account = sb_arn_part(leg.arn, 4);
	leg.to_region = sb_arn_part(leg.arn, 3);
	leg.context = json_pack("{s:s,s:s,s:s}", "aws:sourcearn", leg.rule_arn, "aws:sourceaccount", leg.account,
				"aws:principalaccount", leg.account);
	leg.text = text = input_make(&leg);
	if (send(&leg) != 0)
		dead_letter(&leg);
	free(leg.account);
	free(leg.region);
	free(leg.to_account);
	free(leg.to_region);
	json_decref(leg.context);
}
