/* AWS Config: rules, which go away slowly, and tags. */
#include "tests/sandbox/svc_config.h"

#include <string.h>

#define RULES_MAX 1000
#define PAGE      25

static const struct sb_paging tags_page = {"Tags", "NextToken", "NextToken", "Limit", 50, "InvalidNextTokenException"};

/* Rules whose deletion is over are gone. */
static json_t *rules_now(struct sb_call *c)
{
	json_t *rules = sb_sub(c->state, "Rules"), *rule;
	const char *name;
	void *next;

	json_object_foreach_safe(rules, next, name, rule) if (sb_int(rule, "_GoneMs", INT64_MAX) <= c->now_ms)
	    json_object_del(rules, name);
	return rules;
}

static int no_such_rule(struct sb_call *c, const char *name)
{
	return sb_fail(c, 400, "NoSuchConfigRuleException",
		       "The ConfigRule '%s' provided in the request is invalid. Please check the configRule name.",
		       name);
}

static int rule_check(struct sb_call *c, json_t *said)
{
	json_t *source = json_object_get(said, "Source"), *parameters;
	bool valid = true;
	const char *owner = sb_str(source, "Owner", ""), *id = sb_str(source, "SourceIdentifier", "");
	const char *text = sb_str(said, "InputParameters", NULL),
		   *often = sb_str(said, "MaximumExecutionFrequency", "");

	if (strcmp(owner, "AWS") != 0 && strcmp(owner, "CUSTOM_LAMBDA") != 0 && strcmp(owner, "CUSTOM_POLICY") != 0)
		return sb_fail(c, 400, "ValidationException", "The owner %s is not valid.", owner);
	if (strcmp(owner, "AWS") == 0 && !sb_like(id, "A-Z0-9_", 1, 256))
		return sb_fail(
		    c, 400, "InvalidParameterValueException",
		    "The sourceIdentifier %s is invalid. Please refer to the documentation for a list of valid "
		    "sourceIdentifiers that can be used when AWS is the Owner.",
		    id);
	if (strcmp(owner, "CUSTOM_LAMBDA") == 0 && strncmp(id, "arn:", 4) != 0)
		return sb_fail(c, 400, "InvalidParameterValueException", "The sourceIdentifier %s is invalid.", id);
	if (often[0] != '\0' && !sb_glob("*_Hour*", often))
		return sb_fail(c, 400, "InvalidParameterValueException", "MaximumExecutionFrequency %s is invalid.",
			       often);
	if (text != NULL) {
		parameters = json_loads(text, 0, NULL);
		valid = json_is_object(parameters);
		json_decref(parameters);
	}
	if (!valid)
		return sb_fail(c, 400, "InvalidParameterValueException",
			       "Blank spaces and malformed JSON are not acceptable for InputParameters.");
	return 0;
}

/* The name of the rule that a call means: its name, or that of the rule with the ARN or id given. */
static const char *rule_name(json_t *rules, json_t *said)
{
	const char *name;
	json_t *rule;

	if (json_object_get(said, "ConfigRuleName") != NULL)
		return sb_str(said, "ConfigRuleName", "");
	json_object_foreach(
	    rules, name,
	    rule) if (strcmp(sb_str(rule, "ConfigRuleArn", ""), sb_str(said, "ConfigRuleArn", "?")) == 0 ||
		      strcmp(sb_str(rule, "ConfigRuleId", ""), sb_str(said, "ConfigRuleId", "?")) == 0) return name;
	return NULL;
}

static void rule_identify(struct sb_call *c, json_t *rule, const char *name)
{
	mem_auto_str char *id = sb_id(c, "config-rule-", 6, "abcdefghijklmnopqrstuvwxyz0123456789");

	json_object_set_new(rule, "ConfigRuleName", json_string(name));
	json_object_set_new(rule, "ConfigRuleId", json_string(id));
	json_object_set_new(rule, "ConfigRuleArn",
			    sb_format("arn:%s:config:%s:%s:config-rule/%s", c->partition, c->region, c->account, id));
}

int config_put_rule(struct sb_call *c)
{
	json_t *said = json_object_get(c->in, "ConfigRule"), *rules = rules_now(c), *old, *rule;
	const char *name = rule_name(rules, said);

	if (config_recorder(c) == NULL)
		return sb_fail(c, 400, "NoAvailableConfigurationRecorderException",
			       "Configuration Recorder is not available.");
	if (name == NULL)
		return sb_fail(c, 400, "InvalidParameterValueException", "A name, ARN or id of the rule is required.");
	if (rule_check(c, said) != 0)
		return -1;
	old = json_object_get(rules, name);
	if (old != NULL && json_object_get(old, "_GoneMs") != NULL)
		return sb_fail(c, 400, "ResourceInUseException", "The rule %s is currently being deleted.", name);
	if (old == NULL && json_object_size(rules) >= RULES_MAX)
		return sb_fail(c, 400, "MaxNumberOfConfigRulesExceededException",
			       "The maximum number of AWS Config rules: %d is reached.", RULES_MAX);
	rule = json_pack("{s:s,s:[{s:s}]}", "ConfigRuleState", "ACTIVE", "EvaluationModes", "Mode", "DETECTIVE");
	sb_copy(rule, said, "Description Scope Source InputParameters MaximumExecutionFrequency EvaluationModes");
	if (old != NULL) {
		sb_copy(rule, old, "ConfigRuleName ConfigRuleId ConfigRuleArn Tags Compliance EvaluatedMs");
	} else {
		rule_identify(c, rule, name);
		sb_tags_add(sb_sub(rule, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	}
	json_object_set_new(rules, name, rule);
	return 0;
}

static json_t *rule_row(json_t *rule)
{
	json_t *row = json_object();

	sb_copy(row, rule,
		"ConfigRuleName ConfigRuleArn ConfigRuleId Description Scope Source InputParameters "
		"MaximumExecutionFrequency ConfigRuleState EvaluationModes");
	return row;
}

static json_t *compliance_row(json_t *rule)
{
	return json_pack("{s:O,s:{s:s}}", "ConfigRuleName", json_object_get(rule, "ConfigRuleName"), "Compliance",
			 "ComplianceType", sb_str(rule, "Compliance", "INSUFFICIENT_DATA"));
}

static int rules_answer(struct sb_call *c, const char *key, json_t *(*row)(json_t *))
{
	json_t *rules = rules_now(c), *names = json_object_get(c->in, "ConfigRuleNames"), *list = json_array(), *page,
	       *name;
	mem_auto_str char *next = NULL;
	size_t i;

	c->out = json_pack("{s:o}", key, list);
	page = json_array_size(names) > 0 ? json_incref(names)
					  : sb_page(&next, rules, sb_str(c->in, "NextToken", NULL), PAGE);
	if (page == NULL)
		return sb_fail(c, 400, "InvalidNextTokenException", "The specified next token is not valid.");
	json_array_foreach(page, i, name)
	{
		json_t *rule = json_object_get(rules, json_string_value(name));

		if (rule == NULL) {
			no_such_rule(c, json_string_value(name));
			json_decref(page);
			return -1;
		}
		json_array_append_new(list, row(rule));
	}
	json_decref(page);
	if (next != NULL)
		json_object_set_new(c->out, "NextToken", json_string(next));
	return 0;
}

int config_describe_rules(struct sb_call *c)
{
	return rules_answer(c, "ConfigRules", rule_row);
}

int config_describe_compliance(struct sb_call *c)
{
	return rules_answer(c, "ComplianceByConfigRules", compliance_row);
}

static json_t *status_row(json_t *rule)
{
	int64_t started = sb_int(rule, "EvaluatedMs", 0);
	json_t *row = json_pack("{s:b}", "FirstEvaluationStarted", started > 0);

	sb_copy(row, rule, "ConfigRuleName ConfigRuleArn ConfigRuleId");
	if (started > 0) {
		json_object_set_new(row, "LastSuccessfulInvocationTime", sb_time_epoch(started));
		json_object_set_new(row, "LastSuccessfulEvaluationTime", sb_time_epoch(started));
	}
	return row;
}

int config_describe_evaluation_status(struct sb_call *c)
{
	return rules_answer(c, "ConfigRulesEvaluationStatus", status_row);
}

int config_start_evaluation(struct sb_call *c)
{
	json_t *rules = rules_now(c), *names = json_object_get(c->in, "ConfigRuleNames"), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (json_object_get(rules, json_string_value(name)) == NULL)
			return no_such_rule(c, json_string_value(name));
	}
	json_array_foreach(names, i, name)
	{
		json_object_set_new(json_object_get(rules, json_string_value(name)), "EvaluatedMs",
				    json_integer(c->now_ms));
	}
	return 0;
}

int config_delete_rule(struct sb_call *c)
{
	const char *name = sb_str(c->in, "ConfigRuleName", "");
	json_t *rules = rules_now(c), *rule = json_object_get(rules, name);

	if (rule == NULL)
		return no_such_rule(c, name);
	if (json_object_get(rule, "_GoneMs") != NULL)
		return sb_fail(c, 400, "ResourceInUseException", "The rule %s is currently being deleted.", name);
	if (c->sb->lag_ms == 0) {
		json_object_del(rules, name);
		return 0;
	}
	json_object_set_new(rule, "ConfigRuleState", json_string("DELETING"));
	json_object_set_new(rule, "_GoneMs", json_integer(c->now_ms + c->sb->lag_ms));
	return 0;
}

/* ---- tags ---- */

static json_t *tags_in(json_t *all, const char *arn_key, const char *arn)
{
	const char *name;
	json_t *it;

	json_object_foreach(all, name, it) if (strcmp(sb_str(it, arn_key, ""), arn) == 0) return sb_sub(it, "Tags");
	return NULL;
}

static json_t *tagged(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "ResourceArn", "");
	json_t *tags = tags_in(rules_now(c), "ConfigRuleArn", arn);

	if (tags == NULL)
		tags = tags_in(sb_sub(c->state, "Recorders"), "arn", arn);
	if (tags == NULL)
		tags = tags_in(sb_sub(c->state, "Aggregators"), "ConfigurationAggregatorArn", arn);
	if (tags == NULL)
		tags = tags_in(sb_sub(c->state, "Authorizations"), "AggregationAuthorizationArn", arn);
	if (tags == NULL)
		sb_fail(c, 400, "ResourceNotFoundException", "Requested ResourceArn '%s' does not exist", arn);
	return tags;
}

int config_tag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_add(tags, json_object_get(c->in, "Tags"), "Key", "Value");
	if (json_object_size(tags) > 50)
		return sb_fail(c, 400, "TooManyTagsException", "Too many tags.");
	return 0;
}

int config_untag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_remove(tags, json_object_get(c->in, "TagKeys"));
	return 0;
}

int config_list_tags(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	return sb_tags_answer(c, &tags_page, tags, "Key", "Value");
}
