/* The `Moved` list of a stack: logical ids that are called otherwise now. What was recorded under the old one is the
 * resource of the new one; it is neither deleted nor made again. */
#include "specs/compile/compile.h"

#include <string.h>

#define MOVED_MAX 5000

struct moved_reader {
	struct stack *stack;
	struct diag *d;
	int result;
};

static void complain(struct moved_reader *r, size_t entry, const char *key, const char *text)
{
	const struct json_path *list = JSON_PATH_KEY(NULL, "Moved"), *item = JSON_PATH_ITEM(list, entry);

	json_doc_error(r->stack->doc, key != NULL ? JSON_PATH_KEY(item, key) : item, false, r->d, "%s", text);
	r->result = -1;
}

static const char *id_read(struct moved_reader *r, size_t entry, const json_t *object, const char *key)
{
	const struct json_path *list = JSON_PATH_KEY(NULL, "Moved"), *item = JSON_PATH_ITEM(list, entry);
	bool bad = false;
	const json_t *value = specs_report_member(r->stack->doc, item, object, key, JSON_STRING, true, &bad, r->d);

	if (bad)
		r->result = -1;
	return bad ? NULL : json_string_value(value);
}

static void entry_read(struct moved_reader *r, size_t entry, const json_t *object)
{
	static const char *const keys[] = {"From", "To", NULL};
	const struct json_path *list = JSON_PATH_KEY(NULL, "Moved");
	struct specs_moved *moved = &r->stack->moved[entry];

	if (!json_is_object(object)) {
		complain(r, entry, NULL, "must be an object, {\"From\": \"OldId\", \"To\": \"NewId\"}");
		return;
	}
	if (specs_report_keys(r->stack->doc, JSON_PATH_ITEM(list, entry), object, keys, "key", r->d) != 0)
		r->result = -1;
	moved->from = id_read(r, entry, object, "From");
	moved->to = id_read(r, entry, object, "To");
	if (moved->from != NULL && (*moved->from == '\0' || strchr(moved->from, '/') != NULL))
		complain(r, entry, "From", "is not a logical id: that of one resource, without the stack's name");
}

static const struct specs_moved *entry_from(const struct stack *stack, const char *id, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (strcmp(stack->moved[i].from, id) == 0)
			return &stack->moved[i];
	return NULL;
}

/* The last step of an entry; NULL when the steps go round. */
static const char *last_step(const struct stack *stack, const char *to)
{
	const struct specs_moved *next;

	for (size_t steps = 0; steps <= stack->moved_count; steps++) {
		next = entry_from(stack, to, stack->moved_count);
		if (next == NULL)
			return to;
		to = next->to;
	}
	return NULL;
}

static void from_check(struct moved_reader *r, size_t entry)
{
	const struct stack *stack = r->stack;
	const char *from = stack->moved[entry].from;

	if (specs_name_listed(from, stack->resource_names, stack->resource_name_count)) {
		mem_auto_str char *text = mem_printf(
		    "\"%s\" is a resource of this stack still; From is an id that is not used any more", from);

		complain(r, entry, "From", text);
	} else if (entry_from(stack, from, entry) != NULL) {
		mem_auto_str char *text = mem_printf("\"%s\" is moved twice", from);

		complain(r, entry, "From", text);
	}
}

/* Names that loops make are known in a target only: with loops, any other name may be one. */
static void to_check(struct moved_reader *r, size_t entry)
{
	const struct stack *stack = r->stack;
	const char *to = stack->moved[entry].to, *last = last_step(stack, to);

	if (last == NULL) {
		complain(r, entry, "To", "these moves go round in a circle");
	} else if (!stack->resource_loops && last == to &&
		   !specs_name_listed(to, stack->resource_names, stack->resource_name_count)) {
		mem_auto_str char *nearest =
		    specs_report_nearest(to, stack->resource_names, stack->resource_name_count);
		mem_auto_str char *text = mem_printf("no resource is called \"%s\"%s", to, nearest);

		complain(r, entry, "To", text);
	}
}

int specs_moved_read(struct stack *stack, struct diag *d)
{
	struct moved_reader r = {stack, d, 0};
	const json_t *list = json_object_get(stack->doc->root, "Moved"), *item;
	size_t count = json_array_size(list), i;

	if (list == NULL)
		return 0;
	if (!json_is_array(list) || count > MOVED_MAX) {
		json_doc_error(stack->doc, JSON_PATH_KEY(NULL, "Moved"), false, d,
			       json_is_array(list) ? "%zu entries; a stack may have %d of them"
						   : "must be a list of {\"From\": \"OldId\", \"To\": \"NewId\"}",
			       count, MOVED_MAX);
		return -1;
	}
	stack->moved = specs_arena_array(&stack->specs->private->arena, count, sizeof *stack->moved);
	json_array_foreach(list, i, item) entry_read(&r, i, item);
	if (r.result != 0)
		return -1;
	stack->moved_count = count;
	for (i = 0; i < count; i++) {
		from_check(&r, i);
		to_check(&r, i);
	}
	if (r.result != 0) {
		stack->moved_count = 0;
		return -1;
	}
	for (i = 0; i < count; i++)
		stack->moved[i].to = last_step(stack, stack->moved[i].to);
	return 0;
}

const struct specs_moved *specs_instance_moved(const struct specs_instance *instance, size_t *count)
{
	*count = instance->private->stack->moved_count;
	return instance->private->stack->moved;
}

const struct specs_moved *specs_stack_moved(const struct specs *specs, const char *name, size_t *count)
{
	const struct stack *stack = specs_table_get(&specs->private->stacks_by_name, name);

	*count = stack != NULL ? stack->moved_count : 0;
	return stack != NULL ? stack->moved : NULL;
}
