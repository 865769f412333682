/* Compiling function calls: the arguments' number and kinds, and the names that they use. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

/* -- what there is -- */

enum shape { SHAPE_LIST, SHAPE_ONE, SHAPE_OWN };

struct function {
	const char *name;
	enum call_kind kind;
	enum shape shape;
	size_t min, max; /* arguments of SHAPE_LIST */
	const char *usage;
};

static const struct function functions[] = {
    {"Ref", CALL_RESOURCE, SHAPE_OWN, 0, 0, "{\"Ref\": \"Name\"}"},
    {"Condition", CALL_CONDITION, SHAPE_OWN, 0, 0, "{\"Condition\": \"Name\"}"},
    {"Fn::GetAtt", CALL_GETATT, SHAPE_OWN, 0, 0, "[\"LogicalId\", \"Attribute\"]"},
    {"Fn::Sub", CALL_SUB, SHAPE_OWN, 0, 0, "\"text ${Name}\" or [\"text ${Name}\", {\"Name\": value}]"},
    {"Fn::Join", CALL_JOIN, SHAPE_LIST, 2, 2, "[\"delimiter\", [values]]"},
    {"Fn::Select", CALL_SELECT, SHAPE_LIST, 2, 2, "[index, [values]]"},
    {"Fn::Split", CALL_SPLIT, SHAPE_LIST, 2, 2, "[\"delimiter\", \"text\"]"},
    {"Fn::If", CALL_IF, SHAPE_OWN, 3, 3, "[\"Condition\", value if true, value if false]"},
    {"Fn::Equals", CALL_EQUALS, SHAPE_LIST, 2, 2, "[value, value]"},
    {"Fn::And", CALL_AND, SHAPE_LIST, 2, 10, "[2 to 10 conditions]"},
    {"Fn::Or", CALL_OR, SHAPE_LIST, 2, 10, "[2 to 10 conditions]"},
    {"Fn::Not", CALL_NOT, SHAPE_LIST, 1, 1, "[condition]"},
    {"Fn::FindInMap", CALL_FINDINMAP, SHAPE_LIST, 3, 4,
     "[\"Map\", \"TopKey\", \"SecondKey\", {\"DefaultValue\": value}]"},
    {"Fn::Base64", CALL_BASE64, SHAPE_ONE, 0, 0, "\"text\""},
    {"Fn::Length", CALL_LENGTH, SHAPE_ONE, 0, 0, "[values]"},
    {"Fn::ToJsonString", CALL_TOJSON, SHAPE_ONE, 0, 0, "{object} or [list]"},
    {"Fn::GetStackOutput", CALL_OUTPUT, SHAPE_OWN, 0, 0,
     "{\"StackName\": name, \"OutputName\": name, \"Account\": name or id, \"Region\": name}"},
    {"Muster::Accounts", CALL_ACCOUNTS, SHAPE_ONE, 0, 0, "[\"selector\", …]"},
    {"Muster::Regions", CALL_REGIONS, SHAPE_ONE, 0, 0, "[\"account selector\", …]"},
    {"Muster::Map", CALL_MAP, SHAPE_OWN, 0, 0, "{\"Over\": list, \"As\": \"Name\", \"Value\": value}"},
    {"Muster::File", CALL_FILE, SHAPE_OWN, 0, 0, "\"files/NAME\""},
};

/* Functions that CloudFormation has and muster has not: what to do instead. */
static const struct {
	const char *name, *instead;
} refused[] = {
    {"Fn::ImportValue", "exports do not exist here: use Fn::GetStackOutput"},
    {"Fn::Transform", "macros are not supported: only Transform AWS::LanguageExtensions is"},
    {"Fn::GetAZs", "availability zones are not looked up: give them as a parameter"},
    {"Fn::Cidr", "write the ranges out, or give them as a parameter"},
    {"Fn::Contains", "rule functions are not supported"},
    {"Fn::EachMemberEquals", "rule functions are not supported"},
    {"Fn::EachMemberIn", "rule functions are not supported"},
    {"Fn::RefAll", "rule functions are not supported"},
    {"Fn::ValueOf", "rule functions are not supported"},
    {"Fn::ValueOfAll", "rule functions are not supported"},
    {"Muster::Attribute", "it is how muster notes unknown values and cannot be written"},
    {"Muster::Secret", "it is how muster notes secrets and cannot be written"},
};

const char *specs_function_name(size_t i, const char **usage)
{
	if (i >= COUNT_OF(functions))
		return NULL;
	*usage = functions[i].usage;
	return functions[i].name;
}

static const struct function *function_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}

const char *specs_call_name(const json_t *object, const struct scope *scope)
{
	const char *key;

	if (json_object_size(object) != 1)
		return NULL;
	key = json_object_iter_key(json_object_iter((json_t *)object));
	if (strcmp(key, "Condition") == 0)
		return scope->boolean ? key : NULL;
	if (strcmp(key, "Ref") == 0)
		return key;
	return (text_starts(key, "Fn::") && !specs_foreach_is(key)) || text_starts(key, "Muster::") ? key : NULL;
}

const char *specs_call_among(const json_t *object)
{
	for (void *iter = json_object_iter((json_t *)object); iter != NULL;
	     iter = json_object_iter_next((json_t *)object, iter)) {
		const char *key = json_object_iter_key(iter);

		/* "Condition" is a property of many things. */
		if (json_object_size(object) > 1 && strcmp(key, "Condition") != 0 && function_find(key) != NULL)
			return key;
	}
	return NULL;
}

static int unknown_function(const struct scope *scope, const struct node *at, const char *name)
{
	const char *names[COUNT_OF(functions)];
	mem_auto_str char *nearest = NULL;

	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (strcmp(refused[i].name, name) == 0) {
			specs_node_error(scope->stack, at, true, scope->d, "%s is not supported: %s", name,
					 refused[i].instead);
			return -1;
		}
	for (size_t i = 0; i < COUNT_OF(functions); i++)
		names[i] = functions[i].name;
	nearest = specs_report_nearest(name, names, COUNT_OF(functions));
	specs_node_error(scope->stack, at, true, scope->d, "unknown function \"%s\"%s", name, nearest);
	return -1;
}

static int usage_error(const struct scope *scope, const struct node *at, const struct function *f)
{
	specs_node_error(scope->stack, at, true, scope->d, "must be %s", f->usage);
	return -1;
}

struct call *specs_call_new(const struct scope *scope, struct node *node, enum call_kind kind, const char *function)
{
	struct call *call = specs_arena_alloc(&scope->stack->specs->private->arena, sizeof *call);

	call->kind = kind;
	call->function = function;
	node->kind = NODE_CALL;
	node->call = call;
	return call;
}

void specs_stack_read_add(struct stack *stack, struct node *node)
{
	if (stack->read_count == stack->read_room) {
		stack->read_room = stack->read_room ? stack->read_room * 2 : 8;
		stack->reads = mem_resize(stack->reads, stack->read_room, sizeof(struct node *));
	}
	stack->reads[stack->read_count++] = node;
}

/* -- arguments -- */

static int args_compile(const struct scope *scope, struct call *call, const struct node *at, size_t from)
{
	size_t count = json_array_size(at->value);
	int result = 0;

	call->args = specs_arena_array(&scope->stack->specs->private->arena, count, sizeof(struct node *));
	for (size_t i = from; i < count; i++) {
		struct node *arg = specs_node_compile(scope, at, NULL, i, json_array_get(at->value, i));

		call->args[call->count++] = arg;
		result = arg == NULL ? -1 : result;
	}
	return result;
}

static int list_args(const struct scope *scope, struct node *node, const struct node *at, const struct function *f)
{
	struct scope inner = *scope;
	size_t count = json_array_size(at->value);

	if (!json_is_array(at->value) || count < f->min || count > f->max)
		return usage_error(scope, at, f);
	inner.boolean = f->kind == CALL_AND || f->kind == CALL_OR || f->kind == CALL_NOT;
	return args_compile(&inner, specs_call_new(scope, node, f->kind, f->name), at, 0);
}

static int one_arg(const struct scope *scope, struct node *node, struct node *at, const struct function *f)
{
	struct scope inner = *scope;
	struct call *call = specs_call_new(scope, node, f->kind, f->name);

	inner.boolean = false;
	call->args = specs_arena_array(&scope->stack->specs->private->arena, 1, sizeof(struct node *));
	call->args[0] = specs_node_compile(&inner, at->up, at->key, 0, at->value);
	call->count = 1;
	return call->args[0] != NULL ? 0 : -1;
}

int specs_condition_name_compile(struct text *out, const struct scope *scope, const struct node *at, json_t *value)
{
	struct stack *stack = scope->stack;
	const char *name = json_string_value(value);

	if (name == NULL) {
		specs_node_error(stack, at, false, scope->d, "must be the name of a condition, not %s",
				 json_kind_name(value));
		return -1;
	}
	specs_text_compile(out, scope, at, name);
	if (out->count == 0 && !stack->condition_loops &&
	    !specs_name_listed(name, stack->condition_names, stack->condition_name_count)) {
		mem_auto_str char *nearest =
		    specs_report_nearest(name, stack->condition_names, stack->condition_name_count);

		specs_node_error(stack, at, false, scope->d, "unknown condition \"%s\"%s", name, nearest);
		return -1;
	}
	return 0;
}

static int if_compile(const struct scope *scope, struct node *node, const struct node *at, const struct function *f)
{
	struct call *call = specs_call_new(scope, node, CALL_IF, f->name);
	json_t *name = json_array_get(at->value, 0);
	int result;

	if (!json_is_array(at->value) || json_array_size(at->value) != 3)
		return usage_error(scope, at, f);
	result =
	    specs_condition_name_compile(&call->name, scope, specs_node_new(scope->stack, at, NULL, 0, name), name);
	return args_compile(scope, call, at, 1) == 0 ? result : -1;
}

static int getatt_compile(const struct scope *scope, struct node *node, const struct node *at, const struct function *f)
{
	const char *name = json_string_value(at->value), *dot = name ? strchr(name, '.') : NULL;
	const char *first = json_string_value(json_array_get(at->value, 0));
	const char *second = json_string_value(json_array_get(at->value, 1));

	if (dot != NULL && dot > name && dot[1] != '\0') {
		char *id = specs_arena_strndup(&scope->stack->specs->private->arena, name, (size_t)(dot - name));

		return specs_call_attribute(scope, node, at, id, dot + 1);
	}
	if (json_array_size(at->value) != 2 || first == NULL || second == NULL)
		return usage_error(scope, at, f);
	return specs_call_attribute(scope, node, at, first, second);
}

static int output_compile(const struct scope *scope, struct node *node, const struct node *at, const struct function *f)
{
	static const char *const keys[] = {"StackName", "OutputName", "Account", "Region", NULL};
	struct call *call = specs_call_new(scope, node, CALL_OUTPUT, f->name);
	struct node **slots[] = {&call->stack, &call->output, &call->account, &call->region};
	int result = 0;

	if (!json_is_object(at->value))
		return usage_error(scope, at, f);
	for (size_t i = 0; i < COUNT_OF(slots); i++) {
		json_t *value = json_object_get(at->value, keys[i]);

		if (value == NULL && i < 2) {
			specs_node_error(scope->stack, at, true, scope->d, "\"%s\" is missing", keys[i]);
			result = -1;
		} else if (value != NULL) {
			*slots[i] = specs_node_compile(scope, at, keys[i], 0, value);
			result = *slots[i] == NULL ? -1 : result;
		}
	}
	for (void *iter = json_object_iter(at->value); iter != NULL; iter = json_object_iter_next(at->value, iter)) {
		const char *key = json_object_iter_key(iter);

		if (!specs_name_listed(key, keys, COUNT_OF(slots))) {
			mem_auto_str char *nearest = specs_report_nearest(key, keys, COUNT_OF(slots));
			struct node *member = specs_node_new(scope->stack, at, key, 0, NULL);

			specs_node_error(scope->stack, member, true, scope->d, "unknown argument \"%s\"%s", key,
					 nearest);
			result = -1;
		}
	}
	specs_stack_read_add(scope->stack, node);
	return result;
}

static int map_compile(const struct scope *scope, struct node *node, const struct node *at, const struct function *f)
{
	struct call *call = specs_call_new(scope, node, CALL_MAP, f->name);
	const char *as = json_get_string(at->value, "As");
	json_t *over = json_object_get(at->value, "Over"), *value = json_object_get(at->value, "Value");
	struct variable *variable;
	struct scope inner = *scope;

	if (json_object_size(at->value) != 3 || as == NULL || *as == '\0' || over == NULL || value == NULL)
		return usage_error(scope, at, f);
	variable = specs_arena_alloc(&scope->stack->specs->private->arena, sizeof *variable);
	*variable = (struct variable){as, scope->variables};
	inner.variables = call->variable = variable;
	call->args = specs_arena_array(&scope->stack->specs->private->arena, 2, sizeof(struct node *));
	call->args[0] = specs_node_compile(scope, at, "Over", 0, over);
	call->args[1] = specs_node_compile(&inner, at, "Value", 0, value);
	call->count = 2;
	return call->args[0] != NULL && call->args[1] != NULL ? 0 : -1;
}

/* A file's text is as good as if it stood in the template. The path is literal so that it can be read without
 * knowing a target. */
static int file_compile(const struct scope *scope, struct node *node, const struct node *at, const struct function *f)
{
	const char *path = json_string_value(at->value);
	struct file *file;

	if (path == NULL)
		return usage_error(scope, at, f);
	file = specs_file(scope->stack->specs, path, scope->stack, at, scope->d);
	if (file->text == NULL)
		return -1;
	node->kind = NODE_CONST;
	node->value = file->text;
	return 0;
}

/* Ids of accounts are known once the roster is: constants too. */
static int accounts_fold(const struct scope *scope, struct node *node)
{
	const struct node *selectors = node->call->args[0];
	json_t *list;

	if (selectors->kind != NODE_CONST)
		return 0;
	list = specs_fleet_accounts(scope->stack, selectors, selectors->value, scope->d);
	if (list == NULL)
		return -1;
	node->kind = NODE_CONST;
	node->value = specs_stack_own(scope->stack, list);
	return 0;
}

static int own_args(const struct scope *scope, struct node *node, struct node *at, const struct function *f)
{
	switch (f->kind) {
	case CALL_RESOURCE:
		if (!json_is_string(at->value))
			return usage_error(scope, at, f);
		return specs_call_reference(scope, node, at, json_string_value(at->value));
	case CALL_CONDITION:
		return specs_condition_name_compile(&specs_call_new(scope, node, f->kind, f->name)->name, scope, at,
						    at->value);
	case CALL_GETATT:
		return getatt_compile(scope, node, at, f);
	case CALL_SUB:
		if (!json_is_string(at->value) &&
		    !(json_array_size(at->value) == 2 && json_is_string(json_array_get(at->value, 0)) &&
		      json_is_object(json_array_get(at->value, 1))))
			return usage_error(scope, at, f);
		return specs_sub_compile(scope, node, at, at->value);
	case CALL_IF:
		return if_compile(scope, node, at, f);
	case CALL_OUTPUT:
		return output_compile(scope, node, at, f);
	case CALL_MAP:
		return map_compile(scope, node, at, f);
	default:
		return file_compile(scope, node, at, f);
	}
}

/* What can be told to be wrong from constant arguments. */
static int call_check(const struct scope *scope, const struct node *node)
{
	const struct call *call = node->call;

	if (node->kind != NODE_CALL)
		return 0;
	if (call->kind == CALL_FINDINMAP) {
		const json_t *fallback = call->count == 4 ? call->args[3]->value : NULL;
		const char *names[3] = {NULL, NULL, NULL};

		if (call->count == 4 &&
		    (json_object_size(fallback) != 1 || !json_object_get(fallback, "DefaultValue"))) {
			specs_node_error(scope->stack, call->args[3], false, scope->d,
					 "must be {\"DefaultValue\": value}");
			return -1;
		}
		for (size_t i = 0; i < 3 && call->args[i]->kind == NODE_CONST; i++)
			names[i] = json_string_value(call->args[i]->value);
		if (names[0] != NULL &&
		    specs_mapping_find(scope->stack, call->args[0], names[0], names[1], names[2], call->count == 3,
				       scope->d) == NULL &&
		    call->count == 3)
			return -1;
	}
	if ((call->kind == CALL_JOIN || call->kind == CALL_SPLIT) && call->args[0]->kind == NODE_CONST &&
	    !json_is_string(call->args[0]->value)) {
		specs_node_error(scope->stack, call->args[0], false, scope->d, "the delimiter must be a string, not %s",
				 json_kind_name(call->args[0]->value));
		return -1;
	}
	if ((call->kind == CALL_JOIN || call->kind == CALL_SELECT) && call->args[1]->kind == NODE_CONST &&
	    !json_is_array(call->args[1]->value)) {
		specs_node_error(scope->stack, call->args[1], false, scope->d, "must be a list, not %s",
				 json_kind_name(call->args[1]->value));
		return -1;
	}
	return 0;
}

struct node *specs_call_compile(const struct scope *scope, struct node *node, const char *name)
{
	const struct function *f = function_find(name);
	struct node *at = specs_node_new(scope->stack, node, name, 0, json_object_get(node->value, name));
	struct scope inner = *scope;
	int result;

	inner.boolean = false;
	if (f == NULL)
		result = unknown_function(scope, at, name);
	else if (f->shape == SHAPE_LIST)
		result = list_args(&inner, node, at, f);
	else if (f->shape == SHAPE_ONE)
		result = one_arg(&inner, node, at, f);
	else
		result = own_args(&inner, node, at, f);
	if (result == 0 && node->kind == NODE_CALL && node->call->kind == CALL_ACCOUNTS) {
		specs_stack_read_add(scope->stack, node);
		result = accounts_fold(scope, node);
	} else if (result == 0 && node->kind == NODE_CALL && node->call->kind == CALL_REGIONS) {
		specs_stack_read_add(scope->stack, node);
		result = specs_fleet_regions_check(scope, node);
	}
	return result == 0 && call_check(scope, node) == 0 ? node : NULL;
}
