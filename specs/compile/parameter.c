/* The Parameters section: what is declared. The values are in values.c. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

struct declaration {
	struct stack *stack;
	struct parameter *parameter;
	struct diag *d;
	bool bad;
};

/* CloudFormation User Guide, "CloudFormation template Parameters syntax". AWS-specific types are checked by AWS when
 * used; here they are strings. */
static void declare_type(struct declaration *c, const char *type)
{
	struct parameter *p = c->parameter;
	static const char *const known[] = {"String", "Number", "CommaDelimitedList", "List<Number>", "List<String>"};
	mem_auto_str char *nearest = NULL;

	if (strcmp(type, "String") == 0 || text_glob("AWS::EC2::*::Id", type) || text_glob("AWS::EC2::*::Name", type) ||
	    text_glob("AWS::EC2::*::KeyName", type) || strcmp(type, "AWS::EC2::AvailabilityZone::Name") == 0 ||
	    strcmp(type, "AWS::Route53::HostedZone::Id") == 0) {
		p->kind = PARAMETER_STRING;
	} else if (strcmp(type, "Number") == 0) {
		p->kind = PARAMETER_NUMBER;
	} else if (strcmp(type, "List<Number>") == 0) {
		p->kind = PARAMETER_NUMBERS;
	} else if (strcmp(type, "CommaDelimitedList") == 0 || strcmp(type, "List<String>") == 0 ||
		   text_glob("List<AWS::*>", type)) {
		p->kind = PARAMETER_STRINGS;
	} else {
		nearest = specs_report_nearest(type, known, COUNT_OF(known));
		json_doc_error(c->stack->doc, JSON_PATH_KEY(PARAMETER_PATH(p), "Type"), false, c->d, "%s \"%s\"%s",
			       text_starts(type, "AWS::SSM::") ? "parameters from the SSM store are not supported:"
							       : "unknown parameter type",
			       type, nearest);
		c->bad = true;
	}
}

static void declare_limits(struct declaration *c, const json_t *object)
{
	static const char *const integers[] = {"MinLength", "MaxLength"};
	static const char *const numbers[] = {"MinValue", "MaxValue"};
	const struct json_path *path = PARAMETER_PATH(c->parameter);

	for (size_t i = 0; i < COUNT_OF(integers); i++) {
		const json_t *value = json_object_get(object, integers[i]);

		if (value != NULL && (!json_is_integer(value) || json_integer_value(value) < 0)) {
			json_doc_error(c->stack->doc, JSON_PATH_KEY(path, integers[i]), false, c->d,
				       "must be an integer that is not negative");
			c->bad = true;
		}
	}
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		const json_t *value = json_object_get(object, numbers[i]);

		if (value != NULL && !json_is_number(value)) {
			json_doc_error(c->stack->doc, JSON_PATH_KEY(path, numbers[i]), false, c->d,
				       "must be a number, not %s", json_kind_name(value));
			c->bad = true;
		}
	}
}

static void declare_pattern(struct declaration *c, const json_t *object, const struct json_path *path)
{
	const json_t *pattern =
	    specs_report_member(c->stack->doc, path, object, "AllowedPattern", JSON_STRING, false, &c->bad, c->d);
	mem_auto_str char *error = NULL;

	if (pattern == NULL)
		return;
	c->parameter->pattern = specs_pattern_compile(json_string_value(pattern), &error);
	if (c->parameter->pattern == NULL) {
		json_doc_error(c->stack->doc, JSON_PATH_KEY(path, "AllowedPattern"), false, c->d,
			       "not a regular expression that can be used here: %s", error);
		c->bad = true;
	}
}

static void declare(struct declaration *c, const json_t *object)
{
	static const char *const keys[] = {
	    "Type",      "Default",  "Description", "AllowedValues", "AllowedPattern",        "MinLength",
	    "MaxLength", "MinValue", "MaxValue",    "NoEcho",        "ConstraintDescription", NULL};
	const struct json_path *path = PARAMETER_PATH(c->parameter);
	const struct json_doc *doc = c->stack->doc;
	const json_t *type, *no_echo;

	if (!json_is_object(object)) {
		json_doc_error(doc, path, false, c->d, "must be an object, not %s", json_kind_name(object));
		c->bad = true;
		return;
	}
	c->bad = specs_report_keys(doc, path, object, keys, "key", c->d) != 0;
	type = specs_report_member(doc, path, object, "Type", JSON_STRING, true, &c->bad, c->d);
	specs_report_member(doc, path, object, "Description", JSON_STRING, false, &c->bad, c->d);
	specs_report_member(doc, path, object, "ConstraintDescription", JSON_STRING, false, &c->bad, c->d);
	specs_report_member(doc, path, object, "AllowedValues", JSON_ARRAY, false, &c->bad, c->d);
	no_echo = specs_report_member(doc, path, object, "NoEcho", JSON_TRUE, false, &c->bad, c->d);
	c->parameter->no_echo = json_is_true(no_echo);
	declare_limits(c, object);
	declare_pattern(c, object, path);
	if (type != NULL)
		declare_type(c, json_string_value(type));
	if (c->parameter->no_echo && c->parameter->kind != PARAMETER_STRING) {
		json_doc_error(doc, JSON_PATH_KEY(path, "NoEcho"), false, c->d, "only a String can be a secret");
		c->bad = true;
	}
}

static bool name_alphanumeric(const char *name, size_t max)
{
	size_t len = strlen(name);

	return len > 0 && len <= max &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == len;
}

int specs_parameters_compile(struct stack *stack, const struct node *path, json_t *object, struct diag *d)
{
	const char *name;
	json_t *value;
	int result = 0;
	struct arena *arena = &stack->specs->private->arena;

	stack->parameters = specs_arena_array(arena, json_object_size(object), sizeof *stack->parameters);
	json_object_foreach(object, name, value)
	{
		struct parameter *parameter = &stack->parameters[stack->parameter_count++];
		struct declaration c = {stack, parameter, d, false};

		parameter->name = name;
		parameter->declaration = value;
		parameter->path = specs_node_new(stack, path, name, 0, value);
		declare(&c, value);
		if (!name_alphanumeric(name, 255)) {
			specs_node_error(stack, parameter->path, true, d,
					 "a parameter's name is 1 to 255 letters and digits");
			c.bad = true;
		}
		result = c.bad ? -1 : result;
	}
	return result;
}

void specs_parameters_free(struct stack *stack)
{
	for (size_t i = 0; i < stack->parameter_count; i++) {
		struct parameter *parameter = &stack->parameters[i];

		json_decref(parameter->fallback);
		for (size_t a = 0; parameter->by_account != NULL && a < stack->specs->account_count; a++)
			json_decref(parameter->by_account[a]);
		free(parameter->by_account);
		if (parameter->pattern != NULL)
			regfree(parameter->pattern);
		free(parameter->pattern);
	}
}
