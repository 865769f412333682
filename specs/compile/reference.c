/* Compiling Ref, Fn::GetAtt and Fn::Sub: what a name stands for. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum pseudo pseudo;
} pseudos[] = {
    {"AWS::AccountId", PSEUDO_ACCOUNT_ID},          {"AWS::Region", PSEUDO_REGION},
    {"AWS::Partition", PSEUDO_PARTITION},           {"AWS::StackName", PSEUDO_STACK_NAME},
    {"AWS::URLSuffix", PSEUDO_URL_SUFFIX},          {"AWS::NoValue", PSEUDO_NO_VALUE},
    {"Muster::AccountName", PSEUDO_ACCOUNT_NAME},   {"Muster::HomeRegion", PSEUDO_HOME_REGION},
    {"Muster::GlobalRegion", PSEUDO_GLOBAL_REGION}, {"Muster::ConfigGlobalRegion", PSEUDO_CONFIG_GLOBAL_REGION},
};

/* All that a Ref may name here, for "did you mean". */
static char *nearest_name(const struct scope *scope, const char *name)
{
	const struct stack *stack = scope->stack;
	size_t room = COUNT_OF(pseudos) + stack->parameter_count + stack->resource_name_count, count = 0;
	const char **names;
	char *out;

	for (const struct variable *v = scope->variables; v != NULL; v = v->up)
		room++;
	names = mem_array(room, sizeof *names);
	for (size_t i = 0; i < COUNT_OF(pseudos); i++)
		names[count++] = pseudos[i].name;
	for (size_t i = 0; i < stack->parameter_count; i++)
		names[count++] = stack->parameters[i].name;
	for (size_t i = 0; i < stack->resource_name_count; i++)
		names[count++] = stack->resource_names[i];
	for (const struct variable *v = scope->variables; v != NULL; v = v->up)
		names[count++] = v->name;
	out = specs_report_nearest(name, names, count);
	free(names);
	return out;
}

static int pseudo_reference(const struct scope *scope, struct node *node, const struct node *at, const char *name)
{
	mem_auto_str char *nearest = NULL;

	for (size_t i = 0; i < COUNT_OF(pseudos); i++)
		if (strcmp(pseudos[i].name, name) == 0) {
			specs_call_new(scope, node, CALL_PSEUDO, pseudos[i].name)->pseudo = pseudos[i].pseudo;
			return 0;
		}
	if (strcmp(name, "AWS::StackId") == 0 || strcmp(name, "AWS::NotificationARNs") == 0) {
		specs_node_error(scope->stack, at, true, scope->d,
				 "%s is not supported: there is no stack in the CloudFormation service", name);
		return -1;
	}
	nearest = nearest_name(scope, name);
	specs_node_error(scope->stack, at, true, scope->d, "unknown pseudo parameter \"%s\"%s", name, nearest);
	return -1;
}

static int resource_allowed(const struct scope *scope, const struct node *at, const char *name)
{
	if (!scope->no_resources)
		return 0;
	specs_node_error(scope->stack, at, true, scope->d, "%s cannot refer to the stack's own resources (\"%s\")",
			 scope->no_resources_where, name);
	return -1;
}

/* Names with loop variables, and names that loops make, are looked up in each target. */
static int resource_reference(const struct scope *scope, struct node *node, const struct node *at, const char *name,
			      enum call_kind kind, const char *function)
{
	struct stack *stack = scope->stack;
	struct text text;

	specs_text_compile(&text, scope, at, name);
	if (text.count == 0 && !stack->resource_loops &&
	    !specs_name_listed(name, stack->resource_names, stack->resource_name_count)) {
		mem_auto_str char *nearest = nearest_name(scope, name);

		if (kind == CALL_GETATT)
			specs_node_error(stack, at, true, scope->d, "no resource is called \"%s\"%s", name, nearest);
		else
			specs_node_error(stack, at, true, scope->d, "no parameter or resource is called \"%s\"%s", name,
					 nearest);
		return -1;
	}
	if (resource_allowed(scope, at, name) != 0)
		return -1;
	specs_call_new(scope, node, kind, function)->name = text;
	return 0;
}

int specs_call_reference(const struct scope *scope, struct node *node, const struct node *at, const char *name)
{
	struct stack *stack = scope->stack;

	for (const struct variable *v = scope->variables; v != NULL; v = v->up)
		if (strcmp(v->name, name) == 0) {
			specs_call_new(scope, node, CALL_VARIABLE, "Ref")->variable = v;
			return 0;
		}
	for (size_t i = 0; i < stack->parameter_count; i++)
		if (strcmp(stack->parameters[i].name, name) == 0) {
			specs_call_new(scope, node, CALL_PARAMETER, "Ref")->parameter = i;
			return 0;
		}
	if (strstr(name, "::") != NULL)
		return pseudo_reference(scope, node, at, name);
	return resource_reference(scope, node, at, name, CALL_RESOURCE, "Ref");
}

/* The attribute of a resource that stands in the file with a known type. */
static int attribute_check(const struct scope *scope, const struct node *at, const char *name, const char *attribute)
{
	struct stack *stack = scope->stack;
	const json_t *resource = json_object_get(json_object_get(stack->doc->root, "Resources"), name);
	const char *type_name = json_get_string(resource, "Type");
	const struct schema_type *type =
	    type_name == NULL ? NULL : schema_set_find(stack->specs->private->schemas, type_name);
	mem_auto_str char *why = NULL;

	if (type == NULL || schema_type_attribute(type, attribute) != NULL)
		return 0;
	why = specs_attribute_unknown(type, attribute);
	specs_node_error(stack, at, true, scope->d, "%s", why);
	return -1;
}

/* Like specs_report_nearest(), for attributes: many are called by the type and what is meant, as TopicArn. */
static char *nearest_attribute(const char *attribute, const char *const *names, size_t count)
{
	buf_auto struct buf list = BUF_INIT;
	char *nearest = specs_report_nearest(attribute, names, count);
	size_t len = strlen(attribute);

	if (*nearest != '\0')
		return nearest;
	free(nearest);
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(names[i]);

		if (len > 0 && len < other && strcasecmp(names[i] + other - len, attribute) == 0)
			return mem_printf(" (did you mean \"%s\"?)", names[i]);
	}
	for (size_t i = 0; i < count && i < 12; i++)
		buf_addf(&list, "%s%s", i == 0 ? ": it has " : ", ", names[i]);
	buf_adds(&list, count > 12 ? ", ..." : "");
	return buf_detach(&list);
}

char *specs_attribute_unknown(const struct schema_type *type, const char *attribute)
{
	const char **names = mem_array(type->attribute_count, sizeof *names);
	mem_auto_str char *nearest = NULL;

	for (size_t i = 0; i < type->attribute_count; i++)
		names[i] = type->attributes[i].name;
	nearest = nearest_attribute(attribute, names, type->attribute_count);
	free(names);
	return mem_printf("%s has no attribute \"%s\"%s", type->name, attribute, nearest);
}

int specs_call_attribute(const struct scope *scope, struct node *node, const struct node *at, const char *name,
			 const char *attribute)
{
	if (resource_reference(scope, node, at, name, CALL_GETATT, "Fn::GetAtt") != 0)
		return -1;
	specs_text_compile(&node->call->attribute, scope, at, attribute);
	if (node->call->name.count == 0 && node->call->attribute.count == 0)
		return attribute_check(scope, at, name, attribute);
	return 0;
}

/* -- Fn::Sub -- */

static bool sub_knows(const struct stack *stack, const char *name)
{
	const char *dot = strchr(name, '.');
	mem_auto_str char *first = dot != NULL ? mem_strndup(name, (size_t)(dot - name)) : mem_strdup(name);

	for (size_t i = 0; i < COUNT_OF(pseudos); i++)
		if (strcmp(pseudos[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < stack->parameter_count; i++)
		if (strcmp(stack->parameters[i].name, name) == 0)
			return true;
	return specs_name_listed(first, stack->resource_names, stack->resource_name_count);
}

void specs_sub_forgotten(const struct scope *scope, const struct node *node, const char *s)
{
	for (s = strstr(s, "${"); s != NULL; s = strstr(s + 2, "${")) {
		const char *close = strchr(s, '}');
		mem_auto_str char *name = NULL;
		bool variable = false;

		if (close == NULL)
			return;
		name = mem_strndup(s + 2, (size_t)(close - s - 2));
		for (const struct variable *v = scope->variables; v != NULL; v = v->up)
			variable = variable || strcmp(v->name, name) == 0;
		if (variable || !sub_knows(scope->stack, name))
			continue;
		specs_node_warning(scope->stack, node, DIAG_WARNING, scope->d,
				   "\"${%s}\" is plain text here: only Fn::Sub puts the value in", name);
		return;
	}
}

struct sub {
	const struct scope *scope;
	struct node *node;     /* the call */
	const struct node *at; /* where the text stands */
	json_t *map;           /* second form, or NULL */
	const struct node *map_at;
	struct node **map_nodes; /* compiled values, by order of the map */
	bool *map_used;
	struct buf literal;
};

static void sub_part(struct sub *s, struct node *part)
{
	struct call *call = s->node->call;

	/* Few parts: growing by one keeps the arena's rule that nothing moves simple. */
	struct node **grown =
	    specs_arena_array(&s->scope->stack->specs->private->arena, call->count + 1, sizeof(struct node *));

	if (call->count > 0)
		memcpy(grown, call->args, call->count * sizeof(struct node *));
	grown[call->count++] = part;
	call->args = grown;
}

static void sub_flush(struct sub *s)
{
	struct stack *stack = s->scope->stack;
	struct node *part;

	if (s->literal.len == 0)
		return;
	part = specs_node_new(stack, s->at->up, s->at->key, s->at->index,
			      specs_stack_own(stack, json_stringn(buf_str(&s->literal), s->literal.len)));
	sub_part(s, part);
	buf_clear(&s->literal);
}

static struct node *sub_mapped(struct sub *s, const char *name)
{
	size_t i = 0;

	for (void *iter = json_object_iter(s->map); iter != NULL; iter = json_object_iter_next(s->map, iter), i++)
		if (strcmp(json_object_iter_key(iter), name) == 0) {
			s->map_used[i] = true;
			return s->map_nodes[i];
		}
	return NULL;
}

/* The first dot that is not inside a ${…} of a loop variable. */
static const char *name_dot(const char *name)
{
	int depth = 0;

	for (; *name != '\0'; name++) {
		depth += *name == '{';
		depth -= *name == '}';
		if (*name == '.' && depth == 0)
			return name;
	}
	return NULL;
}

static int sub_name(struct sub *s, const char *name)
{
	struct stack *stack = s->scope->stack;
	struct node *part = sub_mapped(s, name);
	const char *dot = name_dot(name);
	int result;

	sub_flush(s);
	if (part == NULL) {
		part = specs_node_new(stack, s->at->up, s->at->key, s->at->index, s->at->value);
		if (dot != NULL && dot > name && dot[1] != '\0')
			result = specs_call_attribute(
			    s->scope, part, s->at,
			    specs_arena_strndup(&stack->specs->private->arena, name, (size_t)(dot - name)), dot + 1);
		else
			result = specs_call_reference(s->scope, part, s->at, name);
		if (result != 0)
			return -1;
	}
	sub_part(s, part);
	return 0;
}

/* Where the ${ at `open` ends: behind its }, loop variables inside skipped. NULL when it does not. */
static const char *sub_close(const char *open)
{
	int depth = 0;

	for (; *open != '\0'; open++) {
		depth += *open == '{';
		if (*open == '}' && --depth == 0)
			return open;
	}
	return NULL;
}

static int sub_bad_name(struct sub *s, const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:._-${}&";

	if (*name != '\0' && strspn(name, allowed) == strlen(name))
		return 0;
	specs_node_error(s->scope->stack, s->at, false, s->scope->d,
			 "\"${%s}\" is not a name; write \"${!%s}\" for the text itself", name, name);
	return -1;
}

static int sub_parse(struct sub *s, const char *text)
{
	struct arena *arena = &s->scope->stack->specs->private->arena;
	int result = 0;

	while (*text != '\0') {
		const char *close = NULL;
		bool variable = false;
		char *name;

		if ((text[0] == '$' || text[0] == '&') && text[1] == '{')
			close = sub_close(text);
		if (close != NULL && text[0] == '&')
			for (const struct variable *v = s->scope->variables; v != NULL; v = v->up)
				variable = variable || ((size_t)(close - text - 2) == strlen(v->name) &&
							strncmp(v->name, text + 2, strlen(v->name)) == 0);
		if (close == NULL || (text[0] == '&' && !variable)) {
			if (text[0] == '$' && text[1] == '{') {
				specs_node_error(s->scope->stack, s->at, false, s->scope->d, "\"${\" without \"}\"");
				return -1;
			}
			buf_addc(&s->literal, *text++);
			continue;
		}
		if (text[2] == '!') {
			buf_adds(&s->literal, "${");
			buf_add(&s->literal, text + 3, (size_t)(close - text - 2));
			text = close + 1;
			continue;
		}
		name = specs_arena_strndup(arena, text + 2, (size_t)(close - text - 2));
		if (variable) {
			struct node *part =
			    specs_node_new(s->scope->stack, s->at->up, s->at->key, s->at->index, s->at->value);

			sub_flush(s);
			part->kind = NODE_TEXT;
			specs_text_compile(&part->text, s->scope, s->at, specs_arena_printf(arena, "&{%s}", name));
			sub_part(s, part);
		} else if (sub_bad_name(s, name) != 0 || sub_name(s, name) != 0) {
			result = -1;
		}
		text = close + 1;
	}
	sub_flush(s);
	return result;
}

static int sub_map(struct sub *s)
{
	size_t count = json_object_size(s->map), i = 0;
	const char *key;
	json_t *value;
	int result = 0;

	s->map_nodes = mem_array(count, sizeof(struct node *));
	s->map_used = mem_array(count, sizeof *s->map_used);
	json_object_foreach(s->map, key, value)
	{
		s->map_nodes[i] = specs_node_compile(s->scope, s->map_at, key, 0, value);
		result = s->map_nodes[i++] == NULL ? -1 : result;
	}
	return result;
}

static void sub_unused(const struct sub *s)
{
	size_t i = 0;

	for (void *iter = json_object_iter(s->map); iter != NULL; iter = json_object_iter_next(s->map, iter), i++)
		if (s->map_used != NULL && !s->map_used[i])
			specs_node_warning(
			    s->scope->stack,
			    specs_node_new(s->scope->stack, s->map_at, json_object_iter_key(iter), 0, NULL),
			    DIAG_WARNING, s->scope->d, "\"${%s}\" does not stand in the text",
			    json_object_iter_key(iter));
}

int specs_sub_compile(const struct scope *scope, struct node *node, struct node *at, json_t *argument)
{
	struct sub s = {scope, node, at, NULL, NULL, NULL, NULL, BUF_INIT};
	struct call *call = specs_call_new(scope, node, CALL_SUB, "Fn::Sub");
	const char *text = json_string_value(argument);
	int result = 0;

	if (text == NULL) {
		s.at = specs_node_new(scope->stack, at, NULL, 0, json_array_get(argument, 0));
		s.map = json_array_get(argument, 1);
		s.map_at = specs_node_new(scope->stack, at, NULL, 1, s.map);
		text = json_string_value(s.at->value);
		result = sub_map(&s);
	}
	if (strlen(text) != json_string_length(s.at->value)) {
		specs_node_error(scope->stack, s.at, false, scope->d, "a string may not hold a NUL character");
		result = -1;
	} else if (strstr(text, "{{resolve:") != NULL) {
		specs_node_error(scope->stack, s.at, false, scope->d,
				 "dynamic references ({{resolve:…}}) are not supported");
		result = -1;
	}
	if (result == 0)
		result = sub_parse(&s, text);
	if (result == 0)
		sub_unused(&s);
	/* Without any name it is a plain string. */
	if (result == 0 && (call->count == 0 || (call->count == 1 && call->args[0]->kind == NODE_CONST))) {
		node->kind = NODE_CONST;
		node->value = call->count == 1 ? call->args[0]->value : specs_stack_own(scope->stack, json_string(""));
	}
	free(s.map_nodes);
	free(s.map_used);
	buf_free(&s.literal);
	return result;
}
