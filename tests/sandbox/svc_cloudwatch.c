/* CloudWatch: metric alarms. They never change state here. The same operations are served in the query protocol and in
 * JSON, since clients differ in which they speak. */
#include "tests/sandbox/sandbox.h"

#include <string.h>

#define ALARM                                                                                                          \
	"AlarmName AlarmArn AlarmDescription ActionsEnabled OKActions AlarmActions InsufficientDataActions "           \
	"MetricName "                                                                                                  \
	"Namespace Statistic ExtendedStatistic Dimensions Period Unit EvaluationPeriods DatapointsToAlarm Threshold "  \
	"ComparisonOperator TreatMissingData EvaluateLowSampleCountPercentile Metrics ThresholdMetricId"

static const struct sb_paging alarms_page = {"MetricAlarms", "NextToken", "NextToken",
					     "MaxRecords",   50,          "InvalidNextToken"};

static int fail(struct sb_call *c, int status, const char *code, const char *query_code, const char *message)
{
	mem_auto_str char *header = mem_printf("%s;Sender", query_code);
	bool json = c->service->protocol == SB_JSON;

	if (json)
		sb_http_reply_header(c->http, "x-amzn-query-error", header);
	return sb_fail(c, status, json ? code : query_code, "%s", message);
}

static int invalid(struct sb_call *c, const char *message)
{
	return fail(c, 400, "ValidationError", "ValidationError", message);
}

static json_t *time_out(struct sb_call *c, json_t *alarm, const char *key)
{
	int64_t ms = sb_int(alarm, key, 0);

	return c->service->protocol == SB_JSON ? sb_time_epoch(ms) : sb_time_json(ms);
}

/* ---- alarms ---- */

static int actions_check(struct sb_call *c)
{
	static const char *const members[] = {"OKActions", "AlarmActions", "InsufficientDataActions"};
	size_t i;
	json_t *arn;

	for (size_t m = 0; m < 3; m++) {
		json_array_foreach(json_object_get(c->in, members[m]), i, arn)
		{
			if (strncmp(json_string_value(arn), "arn:", 4) != 0)
				return invalid(c, "Invalid arn syntax in the alarm's actions");
		}
	}
	return 0;
}

static int alarm_check(struct sb_call *c)
{
	bool metric = json_object_get(c->in, "MetricName") != NULL, math = json_object_get(c->in, "Metrics") != NULL;
	const char *statistic = sb_str(c->in, "Statistic", ""), *extended = sb_str(c->in, "ExtendedStatistic", "");
	int64_t period = sb_int(c->in, "Period", 0), many = sb_int(c->in, "EvaluationPeriods", 0);

	if (!sb_one_of(
		"GreaterThanOrEqualToThreshold GreaterThanThreshold LessThanThreshold LessThanOrEqualToThreshold "
		"LessThanLowerOrGreaterThanUpperThreshold LessThanLowerThreshold GreaterThanUpperThreshold",
		sb_str(c->in, "ComparisonOperator", "")))
		return invalid(c, "ComparisonOperator is missing or not one that there is");
	if (metric == math)
		return invalid(c, "Either MetricName and Namespace or Metrics must be set");
	if (metric && (json_object_get(c->in, "Namespace") == NULL || (statistic[0] == '\0') == (extended[0] == '\0')))
		return invalid(c, "A metric alarm needs a Namespace and one of Statistic and ExtendedStatistic");
	if (statistic[0] != '\0' && !sb_one_of("SampleCount Average Sum Minimum Maximum", statistic))
		return invalid(c, "Statistic is not one that there is");
	if (metric && period != 10 && period != 20 && period != 30 && (period < 60 || period % 60 != 0))
		return invalid(c, "Period must be 10, 20, 30 or a multiple of 60");
	if (many < 1 || sb_int(c->in, "DatapointsToAlarm", many) > many)
		return invalid(c, "EvaluationPeriods must be at least 1 and at least DatapointsToAlarm");
	if (!sb_one_of("breaching notBreaching ignore missing", sb_str(c->in, "TreatMissingData", "missing")))
		return invalid(c, "TreatMissingData is not one of breaching, notBreaching, ignore, missing");
	return actions_check(c);
}

static int put_metric_alarm(struct sb_call *c)
{
	const char *name = sb_str(c->in, "AlarmName", "");
	json_t *alarms = sb_sub(c->state, "Alarms"), *old = json_object_get(alarms, name), *alarm;

	if (alarm_check(c) != 0)
		return -1;
	alarm = json_pack("{s:b,s:[],s:[],s:[],s:[],s:I,s:I}", "ActionsEnabled", 1, "OKActions", "AlarmActions",
			  "InsufficientDataActions", "Dimensions", "UpdatedMs", (json_int_t)c->now_ms, "StateMs",
			  (json_int_t)sb_int(old, "StateMs", c->now_ms));
	sb_copy(alarm, c->in, ALARM);
	json_object_set_new(alarm, "AlarmArn",
			    sb_format("arn:%s:cloudwatch:%s:%s:alarm:%s", c->partition, c->region, c->account, name));
	if (old != NULL)
		json_object_set(alarm, "Tags", json_object_get(old, "Tags"));
	else
		sb_tags_add(sb_sub(alarm, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	json_object_set_new(alarms, name, alarm);
	return 0;
}

static json_t *alarm_row(struct sb_call *c, json_t *alarm)
{
	json_t *row = json_pack("{s:s,s:s}", "StateValue", "INSUFFICIENT_DATA", "StateReason",
				"Unchecked: Initial alarm creation");

	sb_copy(row, alarm, ALARM);
	json_object_set_new(row, "AlarmConfigurationUpdatedTimestamp", time_out(c, alarm, "UpdatedMs"));
	json_object_set_new(row, "StateUpdatedTimestamp", time_out(c, alarm, "StateMs"));
	json_object_set_new(row, "StateTransitionedTimestamp", time_out(c, alarm, "StateMs"));
	return row;
}

static bool alarm_asked(struct sb_call *c, const char *name)
{
	json_t *names = json_object_get(c->in, "AlarmNames"), *item;
	const char *prefix = sb_str(c->in, "AlarmNamePrefix", "");
	size_t i;

	json_array_foreach(names, i, item)
	{
		if (strcmp(json_string_value(item), name) == 0)
			return true;
	}
	return json_array_size(names) == 0 && strncmp(name, prefix, strlen(prefix)) == 0;
}

static int describe_alarms(struct sb_call *c)
{
	json_t *some = json_object(), *alarm, *type, *state = json_object_get(c->in, "StateValue");
	json_t *types = json_object_get(c->in, "AlarmTypes");
	bool metric = json_array_size(types) == 0;
	const char *name;
	size_t i;
	int status;

	json_array_foreach(types, i, type)
	{
		metric = metric || strcmp(json_string_value(type), "MetricAlarm") == 0;
	}
	json_object_foreach(sb_sub(c->state, "Alarms"), name, alarm)
	{
		if (metric && alarm_asked(c, name) &&
		    (state == NULL || strcmp(json_string_value(state), "INSUFFICIENT_DATA") == 0))
			json_object_set(some, name, alarm);
	}
	c->out = json_pack("{s:[]}", "CompositeAlarms");
	status = sb_page_answer(c, &alarms_page, some, alarm_row);
	json_decref(some);
	return status;
}

/* All or none: a name that is not there fails the call. */
static int delete_alarms(struct sb_call *c)
{
	json_t *alarms = sb_sub(c->state, "Alarms"), *names = json_object_get(c->in, "AlarmNames"), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (json_object_get(alarms, json_string_value(name)) == NULL)
			return fail(c, 404, "ResourceNotFound", "ResourceNotFound", "An alarm does not exist");
	}
	json_array_foreach(names, i, name)
	{
		json_object_del(alarms, json_string_value(name));
	}
	return 0;
}

/* ---- tags ---- */

static json_t *tagged(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "ResourceARN", ""), *name;
	json_t *alarm;

	json_object_foreach(sb_sub(c->state, "Alarms"), name, alarm)
	{
		if (strcmp(sb_str(alarm, "AlarmArn", ""), arn) == 0)
			return sb_sub(alarm, "Tags");
	}
	fail(c, 404, "ResourceNotFoundException", "ResourceNotFoundException", "The alarm does not exist");
	return NULL;
}

static int tag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_add(tags, json_object_get(c->in, "Tags"), "Key", "Value");
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

#define ACTIONS    "[s(1,1024)](0,5)"
#define DIMENSIONS "Dimensions:[{!Name:s(1,255) !Value:s(1,1024)}](0,30)"
#define TAGS       "Tags:[{!Key:s(1,128) !Value:s(0,256)}]"

static const struct sb_op ops[] = {
    {"PutMetricAlarm", put_metric_alarm,
     "!AlarmName:s(1,255) AlarmDescription:s(0,1024) ActionsEnabled:b OKActions:" ACTIONS " AlarmActions:" ACTIONS
     " InsufficientDataActions:" ACTIONS
     " MetricName:s(1,255) Namespace:s(1,255) Statistic ExtendedStatistic " DIMENSIONS
     " Period:i(1,86400) Unit EvaluationPeriods:i(1,100000) DatapointsToAlarm:i(1,100000) Threshold:n "
     "ComparisonOperator TreatMissingData:s(1,255) EvaluateLowSampleCountPercentile:s(1,255) "
     "Metrics:[{!Id:s(1,255) MetricStat:{!Metric:{Namespace:s(1,255) MetricName:s(1,255) " DIMENSIONS
     "} !Period:i !Stat Unit} Expression:s(1,2048) Label ReturnData:b Period:i AccountId:s(1,255)}] " TAGS
     " ThresholdMetricId:s(1,255)",
     NULL, NULL, 0},
    {"DescribeAlarms", describe_alarms,
     "AlarmNames:[s(1,255)](0,100) AlarmNamePrefix:s(1,255) AlarmTypes:[s] ChildrenOfAlarmName ParentsOfAlarmName "
     "StateValue ActionPrefix MaxRecords:i(1,100) NextToken",
     NULL, NULL, 0},
    {"DeleteAlarms", delete_alarms, "!AlarmNames:[s(1,255)](0,100)", NULL, NULL, 0},
    {"TagResource", tag_resource, "!ResourceARN:s(1,1024) !" TAGS, NULL, NULL, 0},
    {"UntagResource", untag_resource, "!ResourceARN:s(1,1024) !TagKeys:[s(1,128)]", NULL, NULL, 0},
    {"ListTagsForResource", list_tags_for_resource, "!ResourceARN:s(1,1024)", NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_cloudwatch = {
    .name = "monitoring",
    .protocol = SB_QUERY,
    .prefix = "http://monitoring.amazonaws.com/doc/2010-08-01/",
    .invalid = "ValidationError",
    .throttled = "Throttling",
    .throttled_status = 400,
    .denied = "AccessDenied",
    .denied_status = 403,
    .ops = ops,
};

const struct sb_service sb_cloudwatch_json = {
    .name = "monitoring",
    .protocol = SB_JSON,
    .prefix = "GraniteServiceVersion20100801",
    .invalid = "ValidationError",
    .throttled = "ThrottlingException",
    .throttled_status = 400,
    .denied = "AccessDeniedException",
    .denied_status = 400,
    .ops = ops,
};
