/* Is the handler part of a type file right? Every word known, every operation and input member there, every reference
 * to something that exists by then. For tests and start-up: a wrong file must not first show in somebody's apply. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/engine/engine.h"

struct checker {
	struct aws *aws;
	const struct schema_type *type;
	struct diag *diag;
	const char *handler;
	const char *call;  /* the step's operation, or NULL */
	json_t *variables; /* object: names that steps before have Set */
	const char *item;  /* name of the ForEach element in this step, or NULL */
	int items;         /* how many $Map and the like are around */
	bool failed;
};

static void check_expression(struct checker *c, const json_t *expression);
static void check_steps(struct checker *c, const json_t *steps);

static void checker_error(struct checker *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void checker_error(struct checker *c, const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	diag_error(c->diag, "%s: Handlers.%s%s%s: %s", c->type->name, c->handler, c->call != NULL ? ": " : "",
		   c->call != NULL ? c->call : "", buf_str(&text));
	c->failed = true;
}

/* -- References --------------------------------------------------------------------------------------------------- */

/* Follows a path through a schema as far as the schema says what is there. */
static bool path_in_schema(const struct schema_value *value, const char *path)
{
	while (*path != '\0') {
		if (*path == '[') {
			path += strcspn(path, "]");
			path += *path == ']';
			if (value->kind != SCHEMA_LIST)
				return value->kind == SCHEMA_JSON;
			value = value->item;
			continue;
		}
		path += *path == '.';
		size_t len = strcspn(path, ".[");
		mem_auto_str char *name = mem_strndup(path, len);

		if (value->kind == SCHEMA_OBJECT) {
			const struct schema_member *member = schema_value_member(value, name);

			if (member == NULL)
				return false;
			value = &member->value;
		} else if (value->kind == SCHEMA_MAP) {
			value = value->item;
		} else {
			return value->kind == SCHEMA_JSON;
		}
		path += len;
	}
	return true;
}

static bool is_pseudo(const char *root)
{
	static const char *const names[] = {"Token",       "Address",        "AWS::AccountId",
					    "AWS::Region", "AWS::Partition", "AWS::URLSuffix"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], root) == 0)
			return true;
	return false;
}

static bool reference_known(struct checker *c, const char *root, const char *rest)
{
	if (strcmp(root, "Properties") == 0 || (strcmp(root, "Prior") == 0 && strcmp(c->handler, "Update") == 0))
		return path_in_schema(&c->type->properties, rest);
	if (strcmp(root, "Attributes") == 0)
		return *rest == '\0' || schema_type_attribute(c->type, rest + 1) != NULL;
	if (strcmp(root, "Response") == 0)
		return c->call != NULL;
	if (strcmp(root, "Item") == 0 && c->items > 0)
		return true;
	if (c->item != NULL && strcmp(root, c->item) == 0)
		return true;
	return is_pseudo(root) || json_object_get(c->variables, root) != NULL;
}

static void check_string(struct checker *c, const char *s)
{
	for (const char *open = strstr(s, "${"); open != NULL; open = strstr(open + 2, "${")) {
		const char *close = strchr(open, '}');
		size_t len = strcspn(open + 2, "|}"), root_len = strcspn(open + 2, ".[|}");
		mem_auto_str char *path = mem_strndup(open + 2, len);
		mem_auto_str char *root = mem_strndup(open + 2, root_len);

		if (close == NULL)
			checker_error(c, "\"${\" without \"}\": %s", s);
		else if (!reference_known(c, root, path + root_len))
			checker_error(c, "nothing is called \"%s\" here", path);
	}
}

static void check_changed(struct checker *c, const json_t *names)
{
	json_t *name;
	size_t i;

	if (strcmp(c->handler, "Update") != 0)
		checker_error(c, "$Changed and $OrClear belong to Update");
	if (json_is_string(names) && schema_value_member(&c->type->properties, json_string_value(names)) == NULL)
		checker_error(c, "no property \"%s\"", json_string_value(names));
	json_array_foreach((json_t *)names, i, name)
	{
		if (!json_is_string(name) || schema_value_member(&c->type->properties, json_string_value(name)) == NULL)
			checker_error(c, "expected names of properties");
	}
}

static void check_word(struct checker *c, const struct engine_word *word, const json_t *arguments)
{
	json_t *argument;
	size_t i, count = json_array_size(arguments);

	if (strcmp(word->name, "$Changed") == 0) {
		check_changed(c, arguments);
		return;
	}
	if (word->most == 0) {
		check_expression(c, arguments);
		return;
	}
	if (!json_is_array(arguments) || count < word->least || count > word->most)
		checker_error(c, "%s takes a list of %zu to %zu arguments", word->name, word->least, word->most);
	if (strcmp(word->name, "$OrClear") == 0)
		check_changed(c, json_array_get(arguments, 0));
	json_array_foreach((json_t *)arguments, i, argument)
	{
		c->items += word->binds_item && i == 1;
		check_expression(c, argument);
		c->items -= word->binds_item && i == 1;
	}
}

static void check_expression(struct checker *c, const json_t *expression)
{
	const struct engine_word *word;
	json_t *arguments = NULL, *item;
	const char *key;
	size_t i;

	if (json_is_string(expression)) {
		check_string(c, json_string_value(expression));
	} else if (json_is_array(expression)) {
		json_array_foreach((json_t *)expression, i, item) check_expression(c, item);
	} else if (json_is_object(expression)) {
		word = engine_word_of(expression, &arguments);
		if (word != NULL) {
			check_word(c, word, arguments);
			return;
		}
		json_object_foreach((json_t *)expression, key, item)
		{
			if (key[0] == '$')
				checker_error(c, "unknown word \"%s\"", key);
			check_expression(c, item);
		}
	}
}

/* -- Steps -------------------------------------------------------------------------------------------------------- */

/* What the value of a step's key must be. */
enum shape {
	SHAPE_STRING,
	SHAPE_EXPRESSION,
	SHAPE_INPUT,
	SHAPE_OUTPUTS,
	SHAPE_ERRORS,
	SHAPE_PARTS,
	SHAPE_NUMBER,
	SHAPE_BOOL
};

static const struct {
	const char *name;
	enum shape shape;
	const char *parts; /* SHAPE_PARTS, SHAPE_ERRORS: keys of its objects */
} step_words[] = {
    {"Call", SHAPE_STRING, NULL},
    {"Service", SHAPE_STRING, NULL},
    {"Region", SHAPE_EXPRESSION, NULL},
    {"Input", SHAPE_INPUT, NULL},
    {"When", SHAPE_EXPRESSION, NULL},
    {"ForEach", SHAPE_EXPRESSION, NULL},
    {"As", SHAPE_STRING, NULL},
    {"Batch", SHAPE_NUMBER, NULL},
    {"Paginate", SHAPE_PARTS, " In Out "},
    {"Until", SHAPE_PARTS, " Condition Every Timeout "},
    {"Fail", SHAPE_PARTS, " When Code Message "},
    {"Postpone", SHAPE_PARTS, " Codes Until "},
    {"Forget", SHAPE_STRING, NULL},
    {"NotFound", SHAPE_ERRORS, " Code Message "},
    {"Ignore", SHAPE_ERRORS, " Code Message "},
    {"RetryOn", SHAPE_ERRORS, " Code Message Deadline "},
    {"Absent", SHAPE_EXPRESSION, NULL},
    {"Set", SHAPE_OUTPUTS, NULL},
    {"Attributes", SHAPE_OUTPUTS, NULL},
    {"Properties", SHAPE_INPUT, NULL},
    {"Idempotent", SHAPE_BOOL, NULL},
};

static void check_parts(struct checker *c, const char *word, const json_t *object, const char *parts)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)object, key, item)
	{
		mem_auto_str char *spaced = mem_printf(" %s ", key);

		if (strstr(parts, spaced) == NULL)
			checker_error(c, "%s: unknown key \"%s\"", word, key);
		else
			check_expression(c, item);
	}
}

static void check_errors(struct checker *c, const char *word, const json_t *list, const char *parts)
{
	json_t *entry;
	size_t i;

	if (json_array_size(list) == 0)
		checker_error(c, "%s: expected a list of error codes", word);
	json_array_foreach((json_t *)list, i, entry)
	{
		if (json_is_object(entry) && json_get_string(entry, "Code") != NULL)
			check_parts(c, word, entry, parts);
		else if (!json_is_string(entry))
			checker_error(c, "%s: expected codes, or objects with a \"Code\"", word);
	}
}

static void check_shape(struct checker *c, size_t index, const json_t *value)
{
	const char *word = step_words[index].name, *key;
	json_t *item;

	switch (step_words[index].shape) {
	case SHAPE_STRING:
		if (!json_is_string(value))
			checker_error(c, "%s: expected a string", word);
		break;
	case SHAPE_NUMBER:
		if (!json_is_integer(value) || json_integer_value(value) < 1)
			checker_error(c, "%s: expected a number, 1 or more", word);
		break;
	case SHAPE_BOOL:
		if (!json_is_boolean(value))
			checker_error(c, "%s: expected true or false", word);
		break;
	case SHAPE_PARTS:
		check_parts(c, word, value, step_words[index].parts);
		break;
	case SHAPE_ERRORS:
		check_errors(c, word, value, step_words[index].parts);
		break;
	case SHAPE_OUTPUTS:
		if (!json_is_object(value))
			checker_error(c, "%s: expected an object", word);
		json_object_foreach((json_t *)value, key, item) check_expression(c, item);
		break;
	case SHAPE_INPUT:
	case SHAPE_EXPRESSION:
		check_expression(c, value);
		break;
	}
}

static void check_step_words(struct checker *c, const json_t *step)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)step, key, value)
	{
		size_t i = 0, count = sizeof step_words / sizeof *step_words;

		while (i < count && strcmp(step_words[i].name, key) != 0)
			i++;
		if (i == count)
			checker_error(c, "unknown word \"%s\"", key);
		else
			check_shape(c, i, value);
	}
}

static void check_call(struct checker *c, const json_t *step)
{
	const char *service = engine_step_service(c->type, step), *member;
	const struct aws_service *table = aws_service_find(c->aws, service);
	const struct aws_operation *operation = table != NULL ? aws_operation_find(table, c->call) : NULL;
	json_t *input = json_object_get(step, "Input"), *value, *arguments;

	if (table == NULL) {
		checker_error(c, "there is no service \"%s\"", service);
	} else if (operation == NULL) {
		checker_error(c, "service %s has no such operation", service);
	} else if (json_is_object(input) && engine_word_of(input, &arguments) == NULL) {
		json_object_foreach(input, member, value)
		{
			if (!aws_operation_has_input(operation, member))
				checker_error(c, "the operation takes no \"%s\"", member);
		}
	}
}

static void check_outputs(struct checker *c, const json_t *step)
{
	const char *name;
	json_t *value, *properties = json_object_get(step, "Properties");

	json_object_foreach(json_object_get(step, "Attributes"), name, value)
	{
		if (schema_type_attribute(c->type, name) == NULL)
			checker_error(c, "Attributes: the type has no \"%s\"", name);
	}
	json_object_foreach(properties, name, value)
	{
		if (name[0] != '$' && schema_value_member(&c->type->properties, name) == NULL)
			checker_error(c, "Properties: the type has no \"%s\"", name);
	}
	json_object_foreach(json_object_get(step, "Set"), name, value) json_object_set(c->variables, name, value);
}

static void check_step(struct checker *c, const json_t *step)
{
	const char *as = json_get_string(step, "As");

	if (json_is_array(step)) {
		check_steps(c, step);
		return;
	}
	c->call = json_get_string(step, "Call");
	c->item = json_object_get(step, "ForEach") == NULL ? NULL : as != NULL ? as : "Item";
	check_step_words(c, step);
	if (c->call != NULL)
		check_call(c, step);
	check_outputs(c, step);
	c->call = c->item = NULL;
}

static void check_steps(struct checker *c, const json_t *steps)
{
	json_t *step;
	size_t i;

	if (!json_is_array(steps))
		checker_error(c, "expected a list of steps");
	json_array_foreach((json_t *)steps, i, step) check_step(c, step);
}

int aws_engine_check(struct aws *aws, const struct schema_type *type, struct diag *d)
{
	static const char *const handlers[] = {"Find", "Read", "Create", "Update", "Delete"};
	struct checker c = {.aws = aws, .type = type, .diag = d};
	const char *key;
	json_t *steps;

	json_object_foreach(type->handlers, key, steps)
	{
		bool known = false;

		for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
			known = known || strcmp(handlers[i], key) == 0;
		c.handler = key;
		c.variables = json_object();
		if (known)
			check_steps(&c, steps);
		else
			checker_error(&c, "there is no such handler");
		json_decref(c.variables);
	}
	c.handler = "Read, Create, Delete";
	if (json_object_get(type->handlers, "Read") == NULL || json_object_get(type->handlers, "Create") == NULL ||
	    json_object_get(type->handlers, "Delete") == NULL)
		checker_error(&c, "every type needs these three");
	return c.failed ? -1 : 0;
}
