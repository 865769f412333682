/* Evaluating function calls. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

/* The outcome of a fold. Takes `error`. */
static int folded(struct eval *e, const struct node *node, json_t *value, char *error, json_t **out)
{
	int result = EVAL_OK;

	if (value == NULL)
		result = specs_eval_error(e, node, "%s %s", node->call->function, error);
	*out = value;
	free(error);
	return result;
}

/* An argument that must have a value; unknown is fine. */
static int eval_arg(struct eval *e, const struct node *node, json_t **out)
{
	int result = specs_eval_node(e, node, out);

	if (result == EVAL_OK && *out == NULL)
		return specs_eval_error(e, node, "AWS::NoValue cannot be used here");
	return result;
}

/* -- text and lists -- */

static int call_sub(struct eval *e, const struct node *node, json_t **out)
{
	json_auto_t *parts = json_array();
	char *error = NULL;
	int result = EVAL_OK;

	for (size_t i = 0; i < node->call->count; i++) {
		json_t *part = NULL;
		int one = eval_arg(e, node->call->args[i], &part);

		if (one == EVAL_OK && !specs_is_residual(part) && (json_is_object(part) || json_is_array(part)))
			one =
			    specs_eval_error(e, node, "a %s cannot stand in the text of Fn::Sub", json_kind_name(part));
		if (one == EVAL_ERROR || result == EVAL_OK)
			result = one;
		if (part != NULL)
			json_array_append_new(parts, part);
	}
	if (result != EVAL_OK)
		return result;
	*out = specs_fold_concat(parts, &error);
	return folded(e, node, *out, error, out);
}

/* Functions of a known first argument and a second that may be unknown. */
static int call_pair(struct eval *e, const struct node *node, json_t **out)
{
	const struct call *call = node->call;
	json_auto_t *first = NULL;
	json_auto_t *second = NULL;
	char *error = NULL;
	json_t *value;
	int result = specs_eval_known(e, call->args[0], call->kind == CALL_SELECT ? "an index" : "a delimiter", &first);
	int other = eval_arg(e, call->args[1], &second);

	if (result == EVAL_OK || other == EVAL_ERROR)
		result = result == EVAL_OK ? other : EVAL_ERROR;
	if (result != EVAL_OK)
		return result;
	if (call->kind != CALL_SELECT && !json_is_string(first))
		return specs_eval_error(e, call->args[0], "the delimiter must be a string, not %s",
					json_kind_name(first));
	if (call->kind == CALL_JOIN)
		value = specs_fold_join(json_string_value(first), second, &error);
	else if (call->kind == CALL_SPLIT)
		value = specs_fold_split(json_string_value(first), second, &error);
	else
		value = specs_fold_select(first, second, &error);
	return folded(e, node, value, error, out);
}

static int call_single(struct eval *e, const struct node *node, json_t **out)
{
	const struct call *call = node->call;
	json_auto_t *value = NULL;
	char *error = NULL;
	json_t *result_value;
	int result = eval_arg(e, call->args[0], &value);

	if (result != EVAL_OK)
		return result;
	if (call->kind == CALL_BASE64)
		result_value = specs_fold_base64(value, &error);
	else if (call->kind == CALL_LENGTH)
		result_value = specs_fold_length(value, &error);
	else
		result_value = specs_fold_tojson(value, &error);
	return folded(e, node, result_value, error, out);
}

static int call_map(struct eval *e, const struct node *node, json_t **out)
{
	const struct call *call = node->call;
	json_auto_t *over = NULL;
	json_t *list;
	const struct binding *outer = e->env;
	struct binding binding = {call->variable, NULL, outer};
	int result = specs_eval_known(e, call->args[0], "a loop", &over);
	size_t i;

	if (result != EVAL_OK)
		return result;
	if (!json_is_array(over))
		return specs_eval_error(e, call->args[0], "a loop goes over a list, not over this: %s",
					json_kind_name(over));
	list = json_array();
	e->env = &binding;
	json_array_foreach(over, i, binding.value)
	{
		json_t *value = NULL;
		int one = specs_eval_node(e, call->args[1], &value);

		if (one == EVAL_ERROR || result == EVAL_OK)
			result = one;
		if (value != NULL)
			json_array_append_new(list, value);
	}
	e->env = outer;
	if (result != EVAL_OK)
		json_decref(list);
	else
		*out = list;
	return result;
}

/* -- conditions -- */

static bool scalars_equal(const json_t *a, const json_t *b)
{
	buf_auto struct buf left = BUF_INIT, right = BUF_INIT;

	return specs_scalar_text(&left, a) && specs_scalar_text(&right, b) &&
	       strcmp(buf_str(&left), buf_str(&right)) == 0;
}

static int call_equals(struct eval *e, const struct node *node, json_t **out)
{
	json_auto_t *a = NULL;
	json_auto_t *b = NULL;
	int result = specs_eval_known(e, node->call->args[0], "a condition", &a);
	int other = specs_eval_known(e, node->call->args[1], "a condition", &b);

	if (result != EVAL_OK || other != EVAL_OK)
		return result == EVAL_ERROR || other == EVAL_OK ? result : other;
	/* Parameters are text: "1" given for a Number equals 1. */
	*out = json_boolean(json_equal(a, b) || scalars_equal(a, b));
	return EVAL_OK;
}

static int eval_boolean(struct eval *e, const struct node *node, bool *out)
{
	json_auto_t *value = NULL;
	int result = specs_eval_known(e, node, "a condition", &value);

	if (result != EVAL_OK)
		return result;
	if (!json_is_boolean(value) && !scalars_equal(value, json_true()) && !scalars_equal(value, json_false()))
		return specs_eval_error(e, node, "must be a condition, not %s", json_kind_name(value));
	*out = json_is_true(value) || (json_is_string(value) && json_string_value(value)[0] == 't');
	return EVAL_OK;
}

/* Stops as soon as the answer is known, so that a later argument may depend on an earlier one. */
static int call_logic(struct eval *e, const struct node *node, json_t **out)
{
	bool stop = node->call->kind == CALL_OR, value = !stop;

	for (size_t i = 0; i < node->call->count; i++) {
		int result = eval_boolean(e, node->call->args[i], &value);

		if (result != EVAL_OK)
			return result;
		if (value == stop && node->call->kind != CALL_NOT)
			break;
	}
	*out = json_boolean(node->call->kind == CALL_NOT ? !value : value);
	return EVAL_OK;
}

static int call_named_condition(struct eval *e, const struct node *node, bool *out)
{
	mem_auto_str char *name = NULL;
	int result = specs_eval_text(e, &node->call->name, node, &name);

	return result == EVAL_OK ? specs_eval_condition(e, node, name, out) : result;
}

static int call_if(struct eval *e, const struct node *node, json_t **out)
{
	bool value = false;
	int result = call_named_condition(e, node, &value);

	return result == EVAL_OK ? specs_eval_node(e, node->call->args[value ? 0 : 1], out) : result;
}

/* -- names -- */

static int call_pseudo(struct eval *e, const struct node *node, json_t **out)
{
	const struct specs_settings *settings = &e->specs->settings;
	const struct specs_instance *instance = e->instance;
	const char *value = NULL;

	switch (node->call->pseudo) {
	case PSEUDO_ACCOUNT_ID:
		value = instance->account->id;
		break;
	case PSEUDO_REGION:
		value = instance->region;
		break;
	case PSEUDO_PARTITION:
		value = settings->partition;
		break;
	case PSEUDO_STACK_NAME:
		value = instance->stack;
		break;
	case PSEUDO_URL_SUFFIX:
		value = specs_url_suffix(settings->partition);
		break;
	case PSEUDO_ACCOUNT_NAME:
		value = instance->account->name;
		break;
	case PSEUDO_HOME_REGION:
		value = settings->home_region;
		break;
	case PSEUDO_GLOBAL_REGION:
		value = specs_global_region(settings->partition);
		break;
	case PSEUDO_CONFIG_GLOBAL_REGION:
		value = settings->config_global_region;
		break;
	case PSEUDO_NO_VALUE:
		break;
	}
	*out = value != NULL ? json_string(value) : NULL;
	return EVAL_OK;
}

static json_t *parameter_value(const struct eval *e, const struct parameter *parameter)
{
	size_t account = e->instance->account->index;

	if (parameter->by_account != NULL && parameter->by_account[account] != NULL)
		return json_incref(parameter->by_account[account]);
	return json_incref(parameter->fallback);
}

/* A name that loops made: a resource of this target, else what a Ref could mean at compile time too. */
int specs_eval_reference(struct eval *e, const struct node *at, const char *name, json_t **out)
{
	const struct items *items = e->instance->private->resources;

	if (items != NULL && specs_table_get(&items->names, name) == NULL)
		for (size_t i = 0; i < e->stack->parameter_count; i++)
			if (strcmp(e->stack->parameters[i].name, name) == 0) {
				*out = parameter_value(e, &e->stack->parameters[i]);
				return EVAL_OK;
			}
	return specs_eval_attribute(e, at, name, NULL, out);
}

static int call_resource(struct eval *e, const struct node *node, json_t **out)
{
	const struct call *call = node->call;
	mem_auto_str char *name = NULL, *attribute = NULL;
	int result = specs_eval_text(e, &call->name, node, &name);

	if (result != EVAL_OK)
		return result;
	if (call->kind == CALL_RESOURCE)
		return specs_eval_reference(e, node, name, out);
	result = specs_eval_text(e, &call->attribute, node, &attribute);
	return result == EVAL_OK ? specs_eval_attribute(e, node, name, attribute, out) : result;
}

/* Fn::FindInMap's DefaultValue stands for any key that is missing. */
static int call_find(struct eval *e, const struct node *node, json_t **out)
{
	const struct call *call = node->call;
	char *names[3] = {NULL, NULL, NULL};
	const json_t *value = NULL;
	int result = EVAL_OK;

	for (size_t i = 0; i < 3 && result == EVAL_OK; i++)
		result = specs_eval_known_string(e, call->args[i], "a key of a mapping", &names[i]);
	if (result == EVAL_OK) {
		value = specs_mapping_find((struct stack *)e->stack, node, names[0], names[1], names[2],
					   call->count == 3, e->d);
		if (value != NULL)
			*out = json_incref((json_t *)value);
		else if (call->count == 3)
			result = EVAL_ERROR;
		else
			result = specs_eval_default_value(e, call->args[3], out);
	}
	for (size_t i = 0; i < 3; i++)
		free(names[i]);
	return result;
}

int specs_eval_default_value(struct eval *e, const struct node *node, json_t **out)
{
	json_t *object = NULL;
	int result = specs_eval_node(e, node, &object);

	if (result == EVAL_OK)
		*out = json_incref(json_object_get(object, "DefaultValue"));
	json_decref(object);
	return result;
}

/* The same for every target, so it is kept with the call when the selectors are constant. */
static int call_fleet(struct eval *e, const struct node *node, json_t **out)
{
	struct call *call = node->call;
	json_auto_t *selectors = NULL;
	bool constant = call->args[0]->kind == NODE_CONST;
	int result;

	if (call->folded != NULL) {
		*out = json_incref(call->folded);
		return EVAL_OK;
	}
	result = specs_eval_known(e, call->args[0], "a selector", &selectors);
	if (result != EVAL_OK)
		return result;
	*out = call->kind == CALL_ACCOUNTS ? specs_fleet_accounts(e->stack, call->args[0], selectors, e->d)
					   : specs_fleet_regions(e->stack, call->args[0], selectors, e->d);
	if (constant && *out != NULL)
		call->folded = json_incref(*out);
	return *out != NULL ? EVAL_OK : EVAL_ERROR;
}

int specs_eval_call(struct eval *e, const struct node *node, json_t **out)
{
	const struct call *call = node->call;
	bool value = false;
	int result;

	switch (call->kind) {
	case CALL_VARIABLE:
		return specs_eval_variable(e, node, call->variable, out);
	case CALL_PSEUDO:
		return call_pseudo(e, node, out);
	case CALL_PARAMETER:
		*out = parameter_value(e, &e->stack->parameters[call->parameter]);
		return EVAL_OK;
	case CALL_RESOURCE:
	case CALL_GETATT:
		return call_resource(e, node, out);
	case CALL_SUB:
		return call_sub(e, node, out);
	case CALL_JOIN:
	case CALL_SELECT:
	case CALL_SPLIT:
		return call_pair(e, node, out);
	case CALL_IF:
		return call_if(e, node, out);
	case CALL_EQUALS:
		return call_equals(e, node, out);
	case CALL_AND:
	case CALL_OR:
	case CALL_NOT:
		return call_logic(e, node, out);
	case CALL_CONDITION:
		result = call_named_condition(e, node, &value);
		*out = result == EVAL_OK ? json_boolean(value) : NULL;
		return result;
	case CALL_FINDINMAP:
		return call_find(e, node, out);
	case CALL_BASE64:
	case CALL_LENGTH:
	case CALL_TOJSON:
		return call_single(e, node, out);
	case CALL_OUTPUT:
		return specs_eval_stack_output(e, node, out);
	case CALL_ACCOUNTS:
	case CALL_REGIONS:
		return call_fleet(e, node, out);
	case CALL_MAP:
		return call_map(e, node, out);
	case CALL_FILE:
		break;
	}
	return EVAL_ERROR;
}
