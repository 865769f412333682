/* Evaluating nodes: the walk over a compiled value in one target. Functions are in functions.c. */
#include "specs/compile/compile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* -- messages and outcomes -- */

int specs_eval_error(struct eval *e, const struct node *node, const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	specs_node_error(e->stack, node, false, e->d, "%s", specs_eval_where(e, node, buf_str(&text)));
	return EVAL_ERROR;
}

/* The message with the target where it was seen first. The same one in hundreds of other targets then reads the same,
 * and is shown once with its count. */
const char *specs_eval_where(const struct eval *e, const void *at, const char *text)
{
	struct specs_private *p = e->specs->private;
	mem_auto_str char *key = mem_printf("%p %s", at, text);
	const char *full = specs_table_get(&p->reported, key);

	if (full != NULL)
		return full;
	full =
	    strstr(text, e->instance->address) != NULL
		? specs_arena_strdup(&p->arena, text)
		: specs_arena_printf(&p->arena, "%s (in %s/%s)", text, e->instance->account->name, e->instance->region);
	specs_table_put(&p->reported, specs_arena_strdup(&p->arena, key), (char *)full);
	return full;
}

int specs_eval_block(struct eval *e, const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	if (*e->blocked == NULL)
		*e->blocked = specs_intern(e->specs, buf_str(&text));
	return EVAL_BLOCKED;
}

/* "a -> b -> a": from the first time that `address` was begun to now. */
int specs_eval_cycle(struct eval *e, const struct node *at, const char *address)
{
	buf_auto struct buf text = BUF_INIT;
	const char *chain[EVAL_FRAMES_MAX + 1];
	size_t count = 0;

	for (const struct frame *f = e->frames; f != NULL && count <= EVAL_FRAMES_MAX; f = f->up) {
		chain[count++] = f->address;
		if (strcmp(f->address, address) == 0)
			break;
	}
	while (count > 0)
		buf_addf(&text, "%s -> ", chain[--count]);
	return specs_eval_error(e, at, "a cycle: %s%s", buf_str(&text), address);
}

/* The worse of two outcomes: an error hides what is only blocked. */
static int worse(int a, int b)
{
	if (a == EVAL_ERROR || b == EVAL_ERROR)
		return EVAL_ERROR;
	return a == EVAL_BLOCKED ? a : b;
}

/* -- strings -- */

static const json_t *binding_find(const struct binding *env, const struct variable *variable)
{
	while (env != NULL && env->variable != variable)
		env = env->up;
	return env != NULL ? env->value : NULL;
}

int specs_eval_text(struct eval *e, const struct text *text, const struct node *at, char **out)
{
	buf_auto struct buf joined = BUF_INIT;

	*out = NULL;
	if (text->count == 0) {
		*out = mem_strdup(text->source);
		return EVAL_OK;
	}
	for (size_t i = 0; i < text->count; i++) {
		const struct text_part *part = &text->parts[i];
		size_t from = joined.len, kept = joined.len;

		if (part->literal != NULL) {
			buf_adds(&joined, part->literal);
			continue;
		}
		if (!specs_scalar_text(&joined, binding_find(e->env, part->variable)))
			return specs_eval_error(
			    e, at, "the loop variable \"%s\" is %s here, which cannot stand in text",
			    part->variable->name, json_kind_name(binding_find(e->env, part->variable)));
		for (size_t k = from; part->alphanumeric && k < joined.len; k++) {
			char c = joined.data[k];

			if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
				joined.data[kept++] = c;
		}
		if (part->alphanumeric)
			buf_truncate(&joined, kept);
	}
	*out = buf_detach(&joined);
	return EVAL_OK;
}

int specs_eval_variable(struct eval *e, const struct node *node, const struct variable *variable, json_t **out)
{
	const json_t *value = binding_find(e->env, variable);

	if (value == NULL)
		return specs_eval_error(e, node, "the loop variable \"%s\" has no value", variable->name);
	*out = json_incref((json_t *)value);
	return EVAL_OK;
}

/* -- results against their schemas -- */

struct result_check {
	struct check check;
	const json_t *value;
	const struct schema_value *schema;
	bool shallow; /* members were checked one by one */
};

static void check_result_at(void *payload, const struct json_path *path)
{
	struct result_check *r = payload;

	if (!r->shallow) {
		specs_value_check(&r->check, r->value, r->schema, path);
		return;
	}
	if (r->schema->kind == SCHEMA_OBJECT && json_is_object(r->value))
		specs_value_check_members(&r->check, r->value, r->schema, path);
	specs_value_check_size(&r->check, r->value, r->schema, path);
}

static int check_result(struct eval *e, const struct node *node, const json_t *value, bool shallow)
{
	struct result_check r = {
	    {e->stack->doc, NULL, e->specs, e->type, e->d, 0, e, node}, value, node->schema, shallow};

	specs_node_with_path(node, check_result_at, &r);
	return r.check.errors == 0 ? EVAL_OK : EVAL_ERROR;
}

/* -- objects and lists -- */

static int member_set(struct eval *e, const struct node *node, const struct member *member, json_t *object)
{
	mem_auto_str char *key = NULL;
	json_t *value = NULL;
	int result = specs_eval_text(e, &member->key, node, &key);

	if (result == EVAL_OK)
		result = specs_eval_node(e, member->node, &value);
	if (result == EVAL_OK && value != NULL && member->key.count > 0 && json_object_get(object, key) != NULL) {
		json_decref(value);
		return specs_eval_error(e, member->node, "the loop makes \"%s\" twice", key);
	}
	if (result == EVAL_OK && value != NULL)
		json_object_set_new(object, key, value);
	return result;
}

int specs_eval_foreach_members(struct eval *e, const struct loop *loop, json_t *object)
{
	json_auto_t *collection = NULL;
	struct binding binding = {loop->variable, NULL, e->env};
	const struct binding *outer = e->env;
	int result = specs_eval_known(e, loop->collection, "a loop", &collection);
	size_t i;

	if (result == EVAL_OK && !json_is_array(collection))
		return specs_eval_error(e, loop->collection, "a loop goes over a list, not over this: %s",
					json_kind_name(collection));
	e->env = &binding;
	json_array_foreach(collection, i, binding.value) if (loop->body->kind == NODE_CONST)
	    json_object_update(object, loop->body->value);
	else result = worse(result, specs_eval_members(e, loop->body, object));
	e->env = outer;
	return result;
}

int specs_eval_members(struct eval *e, const struct node *node, json_t *object)
{
	int result = EVAL_OK;

	for (size_t i = 0; i < node->object.count; i++) {
		const struct member *member = &node->object.members[i];

		if (member->loop != NULL)
			result = worse(result, specs_eval_foreach_members(e, member->loop, object));
		else
			result = worse(result, member_set(e, node, member, object));
	}
	return result;
}

static int eval_object(struct eval *e, const struct node *node, json_t **out)
{
	json_t *object = json_object();
	int result = specs_eval_members(e, node, object);

	if (result == EVAL_OK && node->schema != NULL)
		result = check_result(e, node, object, !node->object.loops);
	if (result != EVAL_OK) {
		json_decref(object);
		return result;
	}
	*out = object;
	return EVAL_OK;
}

static int eval_list(struct eval *e, const struct node *node, json_t **out)
{
	json_t *list = json_array();
	int result = EVAL_OK;

	for (size_t i = 0; i < node->list.count; i++) {
		json_t *value = NULL;

		result = worse(result, specs_eval_node(e, node->list.items[i], &value));
		if (value != NULL)
			json_array_append_new(list, value);
	}
	if (result == EVAL_OK && node->schema != NULL && node->schema->kind == SCHEMA_LIST &&
	    (node->schema->min_length >= 0 || node->schema->max_length >= 0))
		result = check_result(e, node, list, false);
	else if (result == EVAL_OK && node->schema != NULL)
		result = check_result(e, node, list, true);
	if (result != EVAL_OK) {
		json_decref(list);
		return result;
	}
	*out = list;
	return EVAL_OK;
}

static int eval_function(struct eval *e, const struct node *node, json_t **out)
{
	int result;

	if (node->kind == NODE_TEXT) {
		mem_auto_str char *text = NULL;

		result = specs_eval_text(e, &node->text, node, &text);
		if (result == EVAL_OK)
			*out = json_string(text);
	} else {
		result = specs_eval_call(e, node, out);
	}
	/* An Fn::If has given one of its branches, which was checked as such. */
	if (result != EVAL_OK || *out == NULL || node->schema == NULL ||
	    (node->kind == NODE_CALL && node->call->kind == CALL_IF))
		return result;
	specs_value_coerce(out, node->schema);
	result = check_result(e, node, *out, false);
	if (result != EVAL_OK) {
		json_decref(*out);
		*out = NULL;
	}
	return result;
}

int specs_eval_node(struct eval *e, const struct node *node, json_t **out)
{
	int result;

	*out = NULL;
	if (node->kind == NODE_CONST) {
		*out = json_incref(node->value);
		return EVAL_OK;
	}
	if (e->depth >= EVAL_DEPTH_MAX)
		return specs_eval_error(e, node, "references and functions nest more than %d deep", EVAL_DEPTH_MAX);
	e->depth++;
	if (node->kind == NODE_OBJECT)
		result = eval_object(e, node, out);
	else if (node->kind == NODE_LIST)
		result = eval_list(e, node, out);
	else
		result = eval_function(e, node, out);
	e->depth--;
	return result;
}

/* -- what must be known -- */

int specs_eval_known(struct eval *e, const struct node *node, const char *where, json_t **out)
{
	int result = specs_eval_node(e, node, out);

	if (result != EVAL_OK)
		return result;
	if (*out == NULL)
		return specs_eval_error(e, node, "AWS::NoValue cannot be used for %s", where);
	if (!specs_has_residual(*out))
		return EVAL_OK;
	result =
	    specs_has_unknown(*out)
		? specs_eval_error(e, node, "%s must be known when planning, and this is only known after apply", where)
		: specs_eval_error(e, node, "%s cannot depend on a secret", where);
	json_decref(*out);
	*out = NULL;
	return result;
}

int specs_eval_known_string(struct eval *e, const struct node *node, const char *where, char **out)
{
	json_auto_t *value = NULL;
	buf_auto struct buf text = BUF_INIT;
	int result = specs_eval_known(e, node, where, &value);

	*out = NULL;
	if (result != EVAL_OK)
		return result;
	if (!specs_scalar_text(&text, value))
		return specs_eval_error(e, node, "%s must be a string, not %s", where, json_kind_name(value));
	*out = buf_detach(&text);
	return EVAL_OK;
}

/* -- unrolling sections -- */

static int items_add(struct eval *e, struct items *out, size_t *room, const struct entry *entry, struct arena *arena)
{
	mem_auto_str char *name = NULL;

	if (specs_eval_text(e, &entry->name, entry->path, &name) != EVAL_OK || name == NULL)
		return EVAL_ERROR;
	if (*name == '\0' ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != strlen(name) ||
	    strlen(name) > 255)
		return specs_eval_error(
		    e, entry->path,
		    "the loop makes the name \"%s\", which is not made of 1 to 255 letters and digits; write "
		    "&{Variable} to leave out all others",
		    name);
	for (size_t i = 0; i < out->count; i++)
		if (strcmp(out->list[i].name, name) == 0)
			return specs_eval_error(e, entry->path, "the loop makes \"%s\" twice", name);
	if (out->count == SPECS_RESOURCES_MAX)
		return specs_eval_error(e, entry->path, "more than %d entries once loops are unrolled",
					SPECS_RESOURCES_MAX);
	if (out->count == *room) {
		*room = *room ? *room * 2 : 16;
		out->list = mem_resize(out->list, *room, sizeof *out->list);
	}
	out->list[out->count++] = (struct item){specs_arena_strdup(arena, name), entry, e->env};
	return EVAL_OK;
}

static int items_unroll(struct eval *e, const struct section *section, struct items *out, size_t *room,
			struct arena *arena)
{
	int result = EVAL_OK;

	for (size_t k = 0; k < section->count; k++) {
		const struct entry *entry = &section->entries[k];
		const struct binding *outer = e->env;
		json_t *collection, *value;
		size_t i;

		if (entry->body == NULL) {
			result = worse(result, items_add(e, out, room, entry, arena));
			continue;
		}
		int known = specs_eval_known(e, entry->collection, "a loop", &collection);

		result = worse(result, known);
		if (known != EVAL_OK)
			continue;
		json_array_append_new(e->instance->private->bound, collection);
		if (!json_is_array(collection))
			result = worse(result, specs_eval_error(e, entry->collection,
								"a loop goes over a list, not over this: %s",
								json_kind_name(collection)));
		json_array_foreach(collection, i, value)
		{
			struct binding *binding = specs_arena_alloc(arena, sizeof *binding);

			*binding = (struct binding){entry->variable, value, outer};
			e->env = binding;
			result = worse(result, items_unroll(e, entry->body, out, room, arena));
			if (out->count == SPECS_RESOURCES_MAX && result == EVAL_ERROR)
				break;
		}
		e->env = outer;
	}
	return result;
}

int specs_eval_items(struct eval *e, const struct section *section, struct items *out, struct arena *arena)
{
	size_t room = 0;
	int result = items_unroll(e, section, out, &room, arena);

	for (size_t i = 0; i < out->count; i++)
		specs_table_put(&out->names, out->list[i].name, &out->list[i]);
	return result;
}

void specs_items_free(struct items *items)
{
	free(items->list);
	specs_table_free(&items->names);
	*items = (struct items){NULL, 0, {NULL, 0, 0}};
}
