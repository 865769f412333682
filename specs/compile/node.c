/* Compiling values: which parts are plain JSON, which hold functions or loop variables. */
#include "specs/compile/compile.h"

#include <string.h>

struct node *specs_node_new(struct stack *stack, const struct node *up, const char *key, size_t index, json_t *value)
{
	struct node *node = specs_arena_alloc(&stack->specs->private->arena, sizeof *node);

	node->kind = NODE_CONST;
	node->up = up;
	node->key = key;
	node->index = index;
	node->value = value;
	return node;
}

json_t *specs_stack_own(struct stack *stack, json_t *value)
{
	json_array_append_new(stack->owned, value);
	return value;
}

bool specs_name_listed(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* -- strings with loop variables -- */

static const struct variable *variable_find(const struct variable *variables, const char *name, size_t len)
{
	for (; variables != NULL; variables = variables->up)
		if (strncmp(variables->name, name, len) == 0 && variables->name[len] == '\0')
			return variables;
	return NULL;
}

/* The next ${Var} or &{Var} of a loop variable in `s`; NULL if there is none. */
static const char *variable_next(const struct scope *scope, const char *s, const struct variable **variable,
				 const char **end)
{
	for (; (s = strchr(s, '{')) != NULL; s++) {
		const char *start = s - 1, *close = strchr(s, '}');

		if (close == NULL)
			return NULL;
		*variable = variable_find(scope->variables, s + 1, (size_t)(close - s - 1));
		/* start is inside the string: the caller begins after at least one byte or the byte before is checked.
		 */
		if (*variable != NULL && (*start == '$' || *start == '&')) {
			*end = close + 1;
			return start;
		}
	}
	return NULL;
}

int specs_text_compile(struct text *out, const struct scope *scope, const struct node *node, const char *s)
{
	struct arena *arena = &scope->stack->specs->private->arena;
	const struct variable *variable;
	const char *end, *hit;
	size_t room = 0;

	(void)node;
	*out = (struct text){s, NULL, 0};
	if (scope->variables == NULL || s[0] == '\0')
		return 0;
	for (const char *c = s; *c != '\0'; c++)
		room += *c == '{';
	if (room == 0)
		return 0;
	out->parts = specs_arena_array(arena, room * 2 + 1, sizeof *out->parts);
	while ((hit = variable_next(scope, s + 1, &variable, &end)) != NULL) {
		if (hit > s)
			out->parts[out->count++].literal = specs_arena_strndup(arena, s, (size_t)(hit - s));
		out->parts[out->count].variable = variable;
		out->parts[out->count++].alphanumeric = *hit == '&';
		s = end;
		if (*s == '\0')
			return 0;
	}
	if (out->count > 0)
		out->parts[out->count++].literal = specs_arena_strdup(arena, s);
	return 0;
}

static struct node *string_compile(const struct scope *scope, struct node *node)
{
	const char *s = json_string_value(node->value);

	if (strlen(s) != json_string_length(node->value)) {
		specs_node_error(scope->stack, node, false, scope->d, "a string may not hold a NUL character");
		return NULL;
	}
	if (strstr(s, "{{resolve:") != NULL) {
		specs_node_error(scope->stack, node, false, scope->d,
				 "dynamic references ({{resolve:…}}) are not supported: use a NoEcho parameter with "
				 "{\"Env\": …} or {\"File\": …}");
		return NULL;
	}
	specs_text_compile(&node->text, scope, node, s);
	specs_sub_forgotten(scope, node, s);
	if (node->text.count > 0)
		node->kind = NODE_TEXT;
	return node;
}

/* -- lists and objects -- */

/* Whether the value stands in the document as it will be: not so for a file's text or a list of accounts, though these
 * are constants as well. */
static bool node_as_written(const struct node *node, const json_t *written)
{
	return node != NULL && node->kind == NODE_CONST && node->value == written;
}

static struct node *list_compile(const struct scope *scope, struct node *node)
{
	size_t count = json_array_size(node->value);
	struct node **items = specs_arena_array(&scope->stack->specs->private->arena, count, sizeof(struct node *));
	bool constant = true, bad = false;

	for (size_t i = 0; i < count; i++) {
		items[i] = specs_node_compile(scope, node, NULL, i, json_array_get(node->value, i));
		bad = bad || items[i] == NULL;
		constant = constant && node_as_written(items[i], json_array_get(node->value, i));
	}
	if (bad)
		return NULL;
	if (!constant) {
		node->kind = NODE_LIST;
		node->list.items = items;
		node->list.count = count;
	}
	return node;
}

static struct loop *loop_compile(const struct scope *scope, struct node *node)
{
	struct loop *loop = specs_arena_alloc(&scope->stack->specs->private->arena, sizeof *loop);
	struct variable *variable;
	struct scope inner;
	struct node *body;

	loop->node = node;
	if (specs_foreach_compile(scope, node, &variable, &loop->collection, &body, &inner) != 0)
		return NULL;
	loop->variable = variable;
	loop->body = specs_node_compile_object(&inner, body, NULL);
	return loop->body != NULL ? loop : NULL;
}

static bool member_compile(const struct scope *scope, struct node *node, struct member *member, const char *key,
			   json_t *value, const struct schema_value *schema)
{
	if (specs_text_compile(&member->key, scope, node, key) != 0)
		return false;
	if (specs_foreach_is(key)) {
		node->object.loops = true;
		member->loop = loop_compile(scope, specs_node_new(scope->stack, node, key, 0, value));
		return member->loop != NULL;
	}
	if ((text_starts(key, "Fn::") && (schema == NULL || schema_value_member(schema, key) == NULL)) &&
	    json_object_size(node->value) > 1) {
		specs_node_error(scope->stack, specs_node_new(scope->stack, node, key, 0, value), true, scope->d,
				 "a function stands alone in its object");
		return false;
	}
	member->node = specs_node_compile(scope, node, key, 0, value);
	return member->node != NULL;
}

struct node *specs_node_compile_object(const struct scope *scope, struct node *node, const struct schema_value *schema)
{
	size_t count = json_object_size(node->value), i = 0;
	struct member *members = specs_arena_array(&scope->stack->specs->private->arena, count, sizeof *members);
	bool constant = true, bad = false;
	const char *key;
	json_t *value;

	json_object_foreach(node->value, key, value)
	{
		struct member *member = &members[i++];

		if (!member_compile(scope, node, member, key, value, schema)) {
			bad = true;
			continue;
		}
		constant =
		    constant && member->loop == NULL && member->key.count == 0 && node_as_written(member->node, value);
	}
	if (bad)
		return NULL;
	if (!constant) {
		bool loops = node->object.loops;

		node->kind = NODE_OBJECT;
		node->object.members = members;
		node->object.count = count;
		node->object.loops = loops;
	}
	return node;
}

struct node *specs_node_compile(const struct scope *scope, const struct node *up, const char *key, size_t index,
				json_t *value)
{
	struct node *node = specs_node_new(scope->stack, up, key, index, value);
	const char *name;

	if (json_is_string(value))
		return string_compile(scope, node);
	if (json_is_array(value))
		return list_compile(scope, node);
	if (!json_is_object(value))
		return node;
	name = specs_call_name(value, scope);
	return name != NULL ? specs_call_compile(scope, node, name) : specs_node_compile_object(scope, node, NULL);
}

/* -- loops -- */

bool specs_foreach_is(const char *key)
{
	return text_starts(key, "Fn::ForEach");
}

int specs_foreach_compile(const struct scope *scope, const struct node *node, struct variable **variable,
			  struct node **collection, struct node **body, struct scope *inner)
{
	struct stack *stack = scope->stack;
	json_t *parts = node->value;
	const char *name = json_string_value(json_array_get(parts, 0));
	size_t len = name == NULL ? 0 : strlen(name);

	if (!text_starts(node->key, "Fn::ForEach::") || node->key[strlen("Fn::ForEach::")] == '\0') {
		specs_node_error(stack, node, true, scope->d, "a loop needs a name of its own: \"Fn::ForEach::NAME\"");
		return -1;
	}
	if (json_array_size(parts) != 3 || name == NULL || !json_is_object(json_array_get(parts, 2))) {
		specs_node_error(stack, node, true, scope->d,
				 "must be [\"Variable\", collection, {\"Key${Variable}\": …}]");
		return -1;
	}
	if (len == 0 || len > 255 ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != len) {
		specs_node_error(stack, node, true, scope->d,
				 "a loop's variable is made of letters and digits, not \"%s\"", name);
		return -1;
	}
	for (size_t i = 0; i < stack->parameter_count; i++)
		if (strcmp(stack->parameters[i].name, name) == 0 ||
		    variable_find(scope->variables, name, len) != NULL) {
			specs_node_error(stack, node, true, scope->d, "the variable \"%s\" has the name of a %s", name,
					 strcmp(stack->parameters[i].name, name) == 0 ? "parameter" : "loop around it");
			return -1;
		}
	*variable = specs_arena_alloc(&stack->specs->private->arena, sizeof **variable);
	**variable = (struct variable){name, scope->variables};
	*inner = *scope;
	inner->variables = *variable;
	*collection = specs_node_compile(scope, node, NULL, 1, json_array_get(parts, 1));
	*body = specs_node_new(stack, node, NULL, 2, json_array_get(parts, 2));
	if (*collection == NULL)
		return -1;
	if ((*collection)->kind == NODE_CONST && !json_is_array((*collection)->value)) {
		specs_node_error(stack, *collection, false, scope->d, "a loop goes over a list, not over %s %s",
				 json_is_object((*collection)->value) || json_is_integer((*collection)->value) ? "an"
													       : "a",
				 json_kind_name((*collection)->value));
		return -1;
	}
	return 0;
}
