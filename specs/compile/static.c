/* Checking compiled values as far as no target is needed: literals wholly, functions by the kind of what they give.
 * Notes in each node the schema that its result must fit. */
#include "specs/compile/compile.h"

#include <string.h>

struct walk {
	const struct stack *stack;
	struct check check;
	const struct schema_value *schema;
	struct node *node;
};

static void walk_node(struct walk *w, struct node *node, const struct schema_value *schema);

static void check_at(void *payload, const struct json_path *path)
{
	struct walk *w = payload;

	specs_value_check(&w->check, w->node->value, w->schema, path);
}

static void members_at(void *payload, const struct json_path *path)
{
	struct walk *w = payload;
	const struct node *node = w->node;

	for (size_t i = 0; i < node->object.count; i++)
		if (node->object.members[i].loop == NULL && node->object.members[i].key.count == 0)
			specs_value_check_member(&w->check, node->object.members[i].key.source, w->schema, path);
	for (size_t m = 0; !node->object.loops && m < w->schema->member_count; m++) {
		const struct schema_member *member = &w->schema->members[m];
		size_t i = 0;

		while (i < node->object.count && strcmp(node->object.members[i].key.source, member->name) != 0)
			i++;
		if (member->required && !specs_member_generated(w->check.type, member) && i == node->object.count)
			specs_value_check_missing(&w->check, member->name, path);
	}
}

static void walk_object(struct walk *w, struct node *node, const struct schema_value *schema)
{
	if (schema != NULL && schema->kind != SCHEMA_OBJECT && schema->kind != SCHEMA_MAP &&
	    schema->kind != SCHEMA_JSON) {
		w->node = node;
		w->schema = schema;
		specs_node_with_path(node, check_at, w);
		return;
	}
	if (schema != NULL && schema->kind == SCHEMA_OBJECT) {
		w->node = node;
		w->schema = schema;
		specs_node_with_path(node, members_at, w);
	}
	for (size_t i = 0; i < node->object.count; i++) {
		struct member *member = &node->object.members[i];
		const struct schema_member *known =
		    schema != NULL && schema->kind == SCHEMA_OBJECT && member->loop == NULL
			? schema_value_member(schema, member->key.source)
			: NULL;

		if (member->loop != NULL)
			walk_node(w, member->loop->body, NULL);
		else if (known != NULL)
			walk_node(w, member->node, &known->value);
		else
			walk_node(w, member->node, schema != NULL && schema->kind == SCHEMA_MAP ? schema->item : NULL);
	}
}

static void walk_list(struct walk *w, struct node *node, const struct schema_value *schema)
{
	if (schema != NULL && schema->kind != SCHEMA_LIST && schema->kind != SCHEMA_JSON) {
		w->node = node;
		w->schema = schema;
		specs_node_with_path(node, check_at, w);
		return;
	}
	for (size_t i = 0; i < node->list.count; i++)
		walk_node(w, node->list.items[i], schema != NULL && schema->kind == SCHEMA_LIST ? schema->item : NULL);
}

/* What a function gives, where that is certain. */
enum gives { GIVES_ANYTHING, GIVES_SCALAR, GIVES_LIST };

static enum gives call_gives(const struct walk *w, const struct call *call)
{
	switch (call->kind) {
	case CALL_SUB:
	case CALL_JOIN:
	case CALL_BASE64:
	case CALL_TOJSON:
	case CALL_EQUALS:
	case CALL_AND:
	case CALL_OR:
	case CALL_NOT:
	case CALL_CONDITION:
	case CALL_LENGTH:
		return GIVES_SCALAR;
	case CALL_SPLIT:
	case CALL_ACCOUNTS:
	case CALL_REGIONS:
	case CALL_MAP:
		return GIVES_LIST;
	case CALL_PARAMETER: {
		enum parameter_kind kind = w->stack->parameters[call->parameter].kind;

		return kind == PARAMETER_STRING || kind == PARAMETER_NUMBER ? GIVES_SCALAR : GIVES_LIST;
	}
	case CALL_PSEUDO:
		return call->pseudo == PSEUDO_NO_VALUE ? GIVES_ANYTHING : GIVES_SCALAR;
	default:
		return GIVES_ANYTHING;
	}
}

static void walk_call(struct walk *w, struct node *node, const struct schema_value *schema)
{
	const struct call *call = node->call;
	enum gives gives = call_gives(w, call);
	bool list, object;

	if (call->kind == CALL_IF) {
		for (size_t i = 0; i < call->count; i++)
			walk_node(w, call->args[i], schema);
		return;
	}
	if (schema == NULL || schema->kind == SCHEMA_JSON)
		return;
	list = schema->kind == SCHEMA_LIST;
	object = schema->kind == SCHEMA_OBJECT || schema->kind == SCHEMA_MAP;
	if (call->kind == CALL_MAP && list)
		walk_node(w, call->args[1], schema->item);
	if ((gives == GIVES_SCALAR && (list || object)) || (gives == GIVES_LIST && !list)) {
		specs_node_error(w->stack, node, false, w->check.d, "must be %s, but %s gives a %s",
				 list ? "a list" : (object ? "an object" : "a single value"), call->function,
				 gives == GIVES_LIST ? "list" : "single value");
		w->check.errors++;
	}
}

static void walk_node(struct walk *w, struct node *node, const struct schema_value *schema)
{
	node->schema = schema;
	switch (node->kind) {
	case NODE_CONST:
		if (schema != NULL) {
			w->node = node;
			w->schema = schema;
			specs_node_with_path(node, check_at, w);
		}
		break;
	case NODE_OBJECT:
		walk_object(w, node, schema);
		break;
	case NODE_LIST:
		walk_list(w, node, schema);
		break;
	case NODE_CALL:
		walk_call(w, node, schema);
		break;
	case NODE_TEXT:
		break;
	}
}

void specs_node_check(const struct stack *stack, struct node *node, const struct schema_value *schema,
		      const struct schema_type *type, struct diag *d)
{
	struct walk walk = {stack, {stack->doc, NULL, stack->specs, type, d, 0, NULL, NULL}, NULL, NULL};

	walk_node(&walk, node, schema);
}
