/* EventBridge: rules, their targets, tags. Buses, permissions and events are in svc_events_buses.c. */
#include "tests/sandbox/svc_events.h"
#include "tests/sandbox/flow.h"

#include <string.h>

#define RULES_MAX   300
#define TARGETS_MAX 5

json_t *events_rule_get(struct sb_call *c, json_t *bus, const char *bus_name, const char *name)
{
	json_t *rule = json_object_get(json_object_get(bus, "Rules"), name);

	if (rule == NULL)
		sb_fail(c, 400, "ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", name, bus_name);
	return rule;
}

/* The rule that the call names under `key`; NULL with the call failed. */
static json_t *rule_asked(struct sb_call *c, const char *key)
{
	const char *bus_name;
	json_t *bus = events_bus_get(c, &bus_name, sb_str(c->in, "EventBusName", NULL));

	return bus == NULL ? NULL : events_rule_get(c, bus, bus_name, sb_str(c->in, key, ""));
}

/* ---- patterns and schedules ---- */

static int pattern_check(struct sb_call *c, const char *text)
{
	json_error_t error;
	json_t *pattern = json_loads(text, 0, &error);
	const char *fault = json_is_object(pattern) ? sb_pattern_fault(pattern) : "Filter is not an object";

	if (json_is_object(pattern) && json_object_size(pattern) == 0)
		fault = "Empty patterns are not allowed";
	if (pattern == NULL)
		fault = error.text;
	json_decref(pattern);
	if (fault != NULL)
		return sb_fail(c, 400, "InvalidEventPatternException", "Event pattern is not valid. Reason: %s", fault);
	return 0;
}

static int rule_check(struct sb_call *c, const char *bus_name)
{
	const char *pattern = sb_str(c->in, "EventPattern", ""), *state = sb_str(c->in, "State", "ENABLED");
	const char *schedule = sb_str(c->in, "ScheduleExpression", "");

	if (!sb_like(sb_str(c->in, "Name", ""), "a-zA-Z0-9._-", 1, 64))
		return sb_fail(c, 400, "ValidationException",
			       "1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member "
			       "must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
			       sb_str(c->in, "Name", ""));
	if (pattern[0] == '\0' && schedule[0] == '\0')
		return sb_fail(c, 400, "ValidationException",
			       "Parameter(s) EventPattern or ScheduleExpression must be specified.");
	if (strcmp(state, "ENABLED") != 0 && strcmp(state, "DISABLED") != 0 &&
	    strcmp(state, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS") != 0)
		return sb_fail(
		    c, 400, "ValidationException",
		    "1 validation error detected: Value '%s' at 'state' failed to satisfy constraint: Member "
		    "must satisfy enum value set: [ENABLED, DISABLED, "
		    "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]",
		    state);
	if (schedule[0] != '\0' && strcmp(bus_name, "default") != 0)
		return sb_fail(c, 400, "ValidationException",
			       "ScheduleExpression is supported only on the default event bus.");
	if (schedule[0] != '\0' && !sb_glob("rate(*)", schedule) && !sb_glob("cron(*)", schedule))
		return sb_fail(c, 400, "ValidationException", "Parameter ScheduleExpression is not valid.");
	return pattern[0] == '\0' ? 0 : pattern_check(c, pattern);
}

/* ---- rules ---- */

static int put_rule(struct sb_call *c)
{
	const char *name = sb_str(c->in, "Name", ""), *bus_name;
	json_t *bus = events_bus_get(c, &bus_name, sb_str(c->in, "EventBusName", NULL)), *rules, *old, *rule;
	bool main_bus;

	if (bus == NULL || rule_check(c, bus_name) != 0)
		return -1;
	main_bus = strcmp(bus_name, "default") == 0;
	rules = sb_sub(bus, "Rules");
	old = json_object_get(rules, name);
	if (old == NULL && json_object_size(rules) >= RULES_MAX)
		return sb_fail(c, 400, "LimitExceededException",
			       "The requested resource exceeds the maximum number allowed.");
	rule = json_pack("{s:s,s:s,s:s}", "Name", name, "EventBusName", bus_name, "State",
			 sb_str(c->in, "State", "ENABLED"));
	json_object_set_new(rule, "Arn",
			    sb_format("arn:%s:events:%s:%s:rule/%s%s%s", c->partition, c->region, c->account,
				      main_bus ? "" : bus_name, main_bus ? "" : "/", name));
	sb_copy(rule, c->in, "EventPattern ScheduleExpression Description RoleArn");
	if (old != NULL) {
		sb_copy(rule, old, "Targets Tags CreatedBy");
	} else {
		json_object_set_new(rule, "CreatedBy", json_string(c->account));
		sb_tags_add(sb_sub(rule, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	}
	json_object_set_new(rules, name, rule);
	c->out = json_pack("{s:O}", "RuleArn", json_object_get(rule, "Arn"));
	return 0;
}

#define RULE_MEMBERS "Name Arn EventPattern ScheduleExpression State Description RoleArn EventBusName"

static int describe_rule(struct sb_call *c)
{
	json_t *rule = rule_asked(c, "Name");

	if (rule == NULL)
		return -1;
	c->out = json_object();
	sb_copy(c->out, rule, RULE_MEMBERS " CreatedBy");
	return 0;
}

/* The members of `all` whose names start with `prefix`; a new object. */
static json_t *with_prefix(json_t *all, const char *prefix)
{
	json_t *some = json_object(), *value;
	const char *key;

	json_object_foreach(all, key, value) if (strncmp(key, prefix, strlen(prefix)) == 0)
	    json_object_set(some, key, value);
	return some;
}

/* Answers a page of `all_stolen` under `key`, each with only the members named (or whole). */
static int page_answer(struct sb_call *c, const char *key, json_t *all_stolen, const char *members)
{
	json_t *list = json_array(), *page, *name, *row, *item;
	mem_auto_str char *next = NULL;
	size_t i;

	page = sb_page(&next, all_stolen, sb_str(c->in, "NextToken", NULL), (size_t)sb_int(c->in, "Limit", 100));
	c->out = json_pack("{s:o}", key, list);
	json_array_foreach(page, i, name)
	{
		item = json_object_get(all_stolen, json_string_value(name));
		row = members == NULL ? json_incref(item) : json_object();
		if (members != NULL)
			sb_copy(row, item, members);
		json_array_append_new(list, row);
	}
	json_decref(all_stolen);
	if (page == NULL)
		return sb_fail(c, 400, "ValidationException", "NextToken is not valid.");
	json_decref(page);
	if (next != NULL)
		json_object_set_new(c->out, "NextToken", json_string(next));
	return 0;
}

static int list_rules(struct sb_call *c)
{
	const char *bus_name;
	json_t *bus = events_bus_get(c, &bus_name, sb_str(c->in, "EventBusName", NULL));

	if (bus == NULL)
		return -1;
	return page_answer(c, "Rules", with_prefix(json_object_get(bus, "Rules"), sb_str(c->in, "NamePrefix", "")),
			   RULE_MEMBERS);
}

/* A rule that is not there is deleted already. */
static int delete_rule(struct sb_call *c)
{
	const char *bus_name, *name = sb_str(c->in, "Name", "");
	json_t *bus = events_bus_get(c, &bus_name, sb_str(c->in, "EventBusName", NULL));
	json_t *rules = json_object_get(bus, "Rules");

	if (bus == NULL)
		return -1;
	if (json_object_size(json_object_get(json_object_get(rules, name), "Targets")) > 0)
		return sb_fail(c, 400, "ValidationException", "Rule can't be deleted since it has targets.");
	json_object_del(rules, name);
	return 0;
}

static int rule_switch(struct sb_call *c, const char *state)
{
	json_t *rule = rule_asked(c, "Name");

	if (rule == NULL)
		return -1;
	json_object_set_new(rule, "State", json_string(state));
	return 0;
}

static int enable_rule(struct sb_call *c)
{
	return rule_switch(c, "ENABLED");
}

static int disable_rule(struct sb_call *c)
{
	return rule_switch(c, "DISABLED");
}

/* ---- targets ---- */

static int target_check(struct sb_call *c, json_t *target)
{
	const char *arn = sb_str(target, "Arn", "");
	int inputs = (json_object_get(target, "Input") != NULL) + (json_object_get(target, "InputPath") != NULL) +
		     (json_object_get(target, "InputTransformer") != NULL);

	if (strncmp(arn, "arn:", 4) != 0)
		return sb_fail(c, 400, "ValidationException",
			       "Parameter %s is not valid. Reason: Provided Arn is not in "
			       "correct format.",
			       arn);
	if (!sb_like(sb_str(target, "Id", ""), "a-zA-Z0-9._-", 1, 64))
		return sb_fail(c, 400, "ValidationException", "Parameter Id is not valid.");
	if (inputs > 1)
		return sb_fail(c, 400, "ValidationException",
			       "Only one of Input, InputPath, or InputTransformer must be provided for target %s.",
			       sb_str(target, "Id", ""));
	return 0;
}

static int put_targets(struct sb_call *c)
{
	json_t *rule = rule_asked(c, "Rule"), *asked = json_object_get(c->in, "Targets"), *targets, *target, *failed;
	size_t i;

	if (rule == NULL)
		return -1;
	json_array_foreach(asked, i, target) if (target_check(c, target) != 0) return -1;
	targets = sb_sub(rule, "Targets");
	failed = json_array();
	c->out = json_pack("{s:o}", "FailedEntries", failed);
	json_array_foreach(asked, i, target)
	{
		const char *id = sb_str(target, "Id", "");

		if (json_object_get(targets, id) == NULL && json_object_size(targets) >= TARGETS_MAX)
			json_array_append_new(failed,
					      json_pack("{s:s,s:s,s:s}", "TargetId", id, "ErrorCode",
							"LimitExceededException", "ErrorMessage",
							"The requested resource exceeds the maximum number allowed."));
		else
			json_object_set(targets, id, target);
	}
	json_object_set_new(c->out, "FailedEntryCount", json_integer((json_int_t)json_array_size(failed)));
	return 0;
}

static int remove_targets(struct sb_call *c)
{
	json_t *rule = rule_asked(c, "Rule"), *targets, *id, *failed;
	size_t i;

	if (rule == NULL)
		return -1;
	targets = json_object_get(rule, "Targets");
	failed = json_array();
	json_array_foreach(json_object_get(c->in, "Ids"), i,
			   id) if (json_object_del(targets, json_string_value(id)) != 0)
	    json_array_append_new(failed,
				  json_pack("{s:O,s:s,s:s}", "TargetId", id, "ErrorCode", "ResourceNotFoundException",
					    "ErrorMessage", "Target does not exist."));
	c->out = json_pack("{s:o,s:i}", "FailedEntries", failed, "FailedEntryCount", (int)json_array_size(failed));
	return 0;
}

static int list_targets_by_rule(struct sb_call *c)
{
	json_t *rule = rule_asked(c, "Rule");

	if (rule == NULL)
		return -1;
	return page_answer(c, "Targets", with_prefix(json_object_get(rule, "Targets"), ""), NULL);
}

/* ---- tags ---- */

json_t *events_tags_get(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "ResourceARN", "");
	mem_auto_str char *resource = sb_arn_part(arn, 5), *account = sb_arn_part(arn, 4),
			  *region = sb_arn_part(arn, 3);
	char *name = strchr(resource, '/'), *second;
	json_t *buses = sb_sub(c->state, "Buses"), *found = NULL;

	if (name != NULL && strcmp(account, c->account) == 0 && strcmp(region, c->region) == 0) {
		*name++ = '\0';
		second = strchr(name, '/');
		if (second != NULL)
			*second++ = '\0';
		if (strcmp(resource, "event-bus") == 0)
			found = strcmp(name, "default") == 0 ? sb_sub(buses, name) : json_object_get(buses, name);
		else
			found = json_object_get(
			    json_object_get(json_object_get(buses, second == NULL ? "default" : name), "Rules"),
			    second == NULL ? name : second);
	}
	if (found != NULL)
		return sb_sub(found, "Tags");
	sb_fail(c, 400, "ResourceNotFoundException", "%s does not exist.", arn);
	return NULL;
}

static int tag_resource(struct sb_call *c)
{
	json_t *tags = events_tags_get(c);

	if (tags == NULL)
		return -1;
	sb_tags_add(tags, json_object_get(c->in, "Tags"), "Key", "Value");
	c->out = json_object();
	return 0;
}

static int untag_resource(struct sb_call *c)
{
	json_t *tags = events_tags_get(c);

	if (tags == NULL)
		return -1;
	sb_tags_remove(tags, json_object_get(c->in, "TagKeys"));
	c->out = json_object();
	return 0;
}

static int list_tags_for_resource(struct sb_call *c)
{
	json_t *tags = events_tags_get(c);

	if (tags == NULL)
		return -1;
	c->out = json_pack("{s:o}", "Tags", sb_tags_list(tags, "Key", "Value"));
	return 0;
}

#define BUS  " EventBusName:s(1,1600)"
#define TAGS "[{!Key:s(1,128) !Value:s(0,256)}]"
#define TARGET                                                                                                         \
	"{!Id:s(1,64) !Arn:s(1,1600) RoleArn:s(1,1600) Input:s(0,8192) InputPath:s(0,256) "                            \
	"InputTransformer:{InputPathsMap:m !InputTemplate:s(1,8192)} KinesisParameters:* RunCommandParameters:* "      \
	"EcsParameters:* BatchParameters:* SqsParameters:{MessageGroupId:s(0,100)} HttpParameters:* "                  \
	"RedshiftDataParameters:* SageMakerPipelineParameters:* DeadLetterConfig:{Arn:s(1,1600)} "                     \
	"RetryPolicy:{MaximumRetryAttempts:i(0,185) MaximumEventAgeInSeconds:i(60,86400)} AppSyncParameters:*}"
#define BUS_SETTINGS                                                                                                   \
	" KmsKeyIdentifier:s(0,2048) Description:s(0,512) DeadLetterConfig:{Arn:s(1,1600)} LogConfig:{IncludeDetail "  \
	"Level}"

static const struct sb_op ops[] = {
    {"PutRule", put_rule,
     "!Name:s(1,64) ScheduleExpression:s(0,256) EventPattern:s(0,4096) State Description:s(0,512) RoleArn:s(1,1600) "
     "Tags:" TAGS BUS,
     NULL, NULL, 0},
    {"DescribeRule", describe_rule, "!Name:s(1,64)" BUS, NULL, NULL, 0},
    {"ListRules", list_rules, "NamePrefix:s(1,64) NextToken:s(1,2048) Limit:i(1,100)" BUS, NULL, NULL, 0},
    {"DeleteRule", delete_rule, "!Name:s(1,64) Force:b" BUS, NULL, NULL, 0},
    {"EnableRule", enable_rule, "!Name:s(1,64)" BUS, NULL, NULL, 0},
    {"DisableRule", disable_rule, "!Name:s(1,64)" BUS, NULL, NULL, 0},
    {"PutTargets", put_targets, "!Rule:s(1,64) !Targets:[" TARGET "](1,100)" BUS, NULL, NULL, 0},
    {"RemoveTargets", remove_targets, "!Rule:s(1,64) !Ids:[s(1,64)](1,100) Force:b" BUS, NULL, NULL, 0},
    {"ListTargetsByRule", list_targets_by_rule, "!Rule:s(1,64) NextToken:s(1,2048) Limit:i(1,100)" BUS, NULL, NULL, 0},
    {"TagResource", tag_resource, "!ResourceARN:s(1,1600) !Tags:" TAGS, NULL, NULL, 0},
    {"UntagResource", untag_resource, "!ResourceARN:s(1,1600) !TagKeys:[s(1,128)]", NULL, NULL, 0},
    {"ListTagsForResource", list_tags_for_resource, "!ResourceARN:s(1,1600)", NULL, NULL, 0},
    {"PutPermission", events_put_permission,
     "EventBusName:s(1,256) Action:s(1,64) Principal:s(1,12) StatementId:s(1,64) Condition:{!Type !Key !Value} Policy",
     NULL, NULL, 0},
    {"RemovePermission", events_remove_permission, "StatementId:s(1,64) RemoveAllPermissions:b EventBusName:s(1,256)",
     NULL, NULL, 0},
    {"DescribeEventBus", events_describe_event_bus, "Name:s(1,1600)", NULL, NULL, 0},
    {"CreateEventBus", events_create_event_bus, "!Name:s(1,256) EventSourceName:s(1,256) Tags:" TAGS BUS_SETTINGS, NULL,
     NULL, 0},
    {"UpdateEventBus", events_update_event_bus, "Name:s(1,256)" BUS_SETTINGS, NULL, NULL, 0},
    {"DeleteEventBus", events_delete_event_bus, "!Name:s(1,256)", NULL, NULL, 0},
    {"ListEventBuses", events_list_event_buses, "NamePrefix:s(1,256) NextToken:s(1,2048) Limit:i(1,100)", NULL, NULL,
     0},
    {"PutEvents", events_put_events,
     "!Entries:[{Time:* Source Resources:[s] DetailType Detail EventBusName:s(1,1600) TraceHeader}](1,10) EndpointId",
     NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_events = {
    .name = "events",
    .protocol = SB_JSON,
    .prefix = "AWSEvents",
    .invalid = "ValidationException",
    .throttled = "ThrottlingException",
    .throttled_status = 400,
    .denied = "AccessDeniedException",
    .denied_status = 400,
    .ops = ops,
};
