/* CloudTrail: which events a trail records, and its tags. */
#include "tests/sandbox/svc_cloudtrail.h"

#include <string.h>

/* ---- event selectors ---- */

static int selectors_answer(struct sb_call *c, json_t *trail)
{
	c->out = json_object();
	sb_copy(c->out, trail, "TrailARN EventSelectors AdvancedEventSelectors");
	if (json_object_size(c->out) == 1)
		json_object_set_new(c->out, "EventSelectors",
				    json_pack("[{s:s,s:b,s:[],s:[]}]", "ReadWriteType", "All",
					      "IncludeManagementEvents", 1, "DataResources",
					      "ExcludeManagementEventSources"));
	return 0;
}

static int selector_check(struct sb_call *c, json_t *selector)
{
	const char *type = sb_str(selector, "ReadWriteType", "All");

	if (strcmp(type, "All") != 0 && strcmp(type, "ReadOnly") != 0 && strcmp(type, "WriteOnly") != 0)
		return sb_fail(c, 400, "InvalidEventSelectorsException", "Value %s for ReadWriteType is invalid.",
			       type);
	if (json_object_get(selector, "ReadWriteType") == NULL)
		json_object_set_new(selector, "ReadWriteType", json_string("All"));
	if (json_object_get(selector, "IncludeManagementEvents") == NULL)
		json_object_set_new(selector, "IncludeManagementEvents", json_true());
	if (json_object_get(selector, "DataResources") == NULL)
		json_object_set_new(selector, "DataResources", json_array());
	if (json_object_get(selector, "ExcludeManagementEventSources") == NULL)
		json_object_set_new(selector, "ExcludeManagementEventSources", json_array());
	return 0;
}

/* Every advanced selector says by eventCategory what it is about. */
static int advanced_check(struct sb_call *c, json_t *selector)
{
	json_t *field;
	size_t i;

	json_array_foreach(json_object_get(selector, "FieldSelectors"), i,
			   field) if (strcmp(sb_str(field, "Field", ""), "eventCategory") == 0) return 0;
	return sb_fail(c, 400, "InvalidEventSelectorsException",
		       "The advanced event selector must have a field selector for eventCategory.");
}

int trail_put_event_selectors(struct sb_call *c)
{
	json_t *trail = trail_get(c, "TrailName", true), *selector;
	json_t *basic = json_object_get(c->in, "EventSelectors"),
	       *advanced = json_object_get(c->in, "AdvancedEventSelectors");
	size_t i;

	if (trail == NULL)
		return -1;
	if ((json_array_size(basic) > 0) == (json_array_size(advanced) > 0) || json_array_size(basic) > 5)
		return sb_fail(c, 400, "InvalidEventSelectorsException",
			       "Specify either event selectors (at most 5) or advanced event selectors.");
	json_array_foreach(basic, i, selector) if (selector_check(c, selector) != 0) return -1;
	json_array_foreach(advanced, i, selector) if (advanced_check(c, selector) != 0) return -1;
	json_object_del(trail, "EventSelectors");
	json_object_del(trail, "AdvancedEventSelectors");
	if (json_array_size(basic) > 0)
		json_object_set(trail, "EventSelectors", basic);
	else
		json_object_set(trail, "AdvancedEventSelectors", advanced);
	return selectors_answer(c, trail);
}

int trail_get_event_selectors(struct sb_call *c)
{
	json_t *trail = trail_get(c, "TrailName", false);

	return trail == NULL ? -1 : selectors_answer(c, trail);
}

/* ---- insights ---- */

int trail_put_insight_selectors(struct sb_call *c)
{
	json_t *trail = trail_get(c, "TrailName", true), *said = json_object_get(c->in, "InsightSelectors"), *selector;
	size_t i;

	if (trail == NULL)
		return -1;
	json_array_foreach(said, i, selector)
	{
		const char *type = sb_str(selector, "InsightType", "");

		if (strcmp(type, "ApiCallRateInsight") != 0 && strcmp(type, "ApiErrorRateInsight") != 0)
			return sb_fail(c, 400, "InvalidInsightSelectorsException", "Insight type %s is not valid.",
				       type);
	}
	if (json_array_size(said) > 0)
		json_object_set(trail, "InsightSelectors", said);
	else
		json_object_del(trail, "InsightSelectors");
	c->out = json_pack("{s:O,s:O}", "TrailARN", json_object_get(trail, "TrailARN"), "InsightSelectors", said);
	return 0;
}

int trail_get_insight_selectors(struct sb_call *c)
{
	json_t *trail = trail_get(c, "TrailName", false);

	if (trail == NULL)
		return -1;
	if (json_object_get(trail, "InsightSelectors") == NULL)
		return sb_fail(
		    c, 400, "InsightNotEnabledException",
		    "Trail %s does not have Insights enabled. Edit the trail settings to enable Insights, and "
		    "then try the operation again.",
		    sb_str(trail, "Name", ""));
	c->out = json_object();
	sb_copy(c->out, trail, "TrailARN InsightSelectors");
	return 0;
}

/* ---- tags ---- */

static json_t *tagged(struct sb_call *c, const char *arn)
{
	json_t *trail;

	if (strncmp(arn, "arn:", 4) != 0) {
		sb_fail(c, 400, "CloudTrailARNInvalidException", "%s is not a valid ARN.", arn);
		return NULL;
	}
	trail = trail_find(c, arn);
	if (trail == NULL) {
		sb_fail(c, 400, "ResourceNotFoundException", "The specified resource %s is not found.", arn);
		return NULL;
	}
	return sb_sub(trail, "Tags");
}

int trail_add_tags(struct sb_call *c)
{
	json_t *tags = tagged(c, sb_str(c->in, "ResourceId", ""));

	if (tags == NULL)
		return -1;
	sb_tags_add(tags, json_object_get(c->in, "TagsList"), "Key", "Value");
	if (json_object_size(tags) > 50)
		return sb_fail(c, 400, "TagsLimitExceededException", "Too many tags.");
	return 0;
}

int trail_remove_tags(struct sb_call *c)
{
	json_t *tags = tagged(c, sb_str(c->in, "ResourceId", "")), *tag;
	size_t i;

	if (tags == NULL)
		return -1;
	json_array_foreach(json_object_get(c->in, "TagsList"), i, tag) json_object_del(tags, sb_str(tag, "Key", ""));
	return 0;
}

int trail_list_tags(struct sb_call *c)
{
	json_t *list = json_array(), *arn, *tags;
	size_t i;

	c->out = json_pack("{s:o}", "ResourceTagList", list);
	json_array_foreach(json_object_get(c->in, "ResourceIdList"), i, arn)
	{
		if ((tags = tagged(c, json_string_value(arn))) == NULL)
			return -1;
		json_array_append_new(
		    list, json_pack("{s:O,s:o}", "ResourceId", arn, "TagsList", sb_tags_list(tags, "Key", "Value")));
	}
	return 0;
}
