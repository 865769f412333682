/* A stack file: its sections, their order of compilation, its targets. */
#include "specs/compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- names, before anything is compiled -- */

static void names_collect(const json_t *object, const char ***names, size_t *count, bool *loops, struct arena *arena)
{
	size_t room = json_object_size(object);

	*names = specs_arena_array(arena, room, sizeof **names);
	for (void *iter = json_object_iter((json_t *)object); iter != NULL;
	     iter = json_object_iter_next((json_t *)object, iter)) {
		const char *key = json_object_iter_key(iter);

		if (specs_foreach_is(key))
			*loops = true;
		else
			(*names)[(*count)++] = key;
	}
}

/* -- sections -- */

struct reader {
	struct stack *stack;
	struct diag *d;
	int result;
};

static json_t *section_get(struct reader *r, const char *key, bool required)
{
	bool bad = false;
	const json_t *section =
	    specs_report_member(r->stack->doc, NULL, r->stack->doc->root, key, JSON_OBJECT, required, &bad, r->d);

	if (bad)
		r->result = -1;
	return (json_t *)section;
}

static void read_keys(struct reader *r)
{
	static const char *const keys[] = {"$schema",     "AWSTemplateFormatVersion",
					   "Description", "Metadata",
					   "Transform",   "Targets",
					   "DependsOn",   "Parameters",
					   "Mappings",    "Conditions",
					   "Resources",   "Outputs",
					   "Moved"};
	static const struct {
		const char *name, *why;
	} refused[] = {
	    {"Rules", "Rules are not supported: use AllowedValues and AllowedPattern of parameters"},
	    {"Rollout", "Rollout is not built yet, and is refused rather than ignored"},
	    {"Hooks", "Hooks are not supported"},
	};
	struct stack *stack = r->stack;
	const char *key;
	json_t *value;

	json_object_foreach(stack->doc->root, key, value)
	{
		struct node *at = specs_node_new(stack, stack->root, key, 0, value);
		bool named = false;

		if (specs_name_listed(key, keys, COUNT_OF(keys)))
			continue;
		r->result = -1;
		for (size_t i = 0; i < COUNT_OF(refused); i++)
			if (strcmp(refused[i].name, key) == 0) {
				specs_node_error(stack, at, true, r->d, "%s", refused[i].why);
				named = true;
			}
		if (!named) {
			mem_auto_str char *nearest = specs_report_nearest(key, keys, COUNT_OF(keys));

			specs_node_error(stack, at, true, r->d, "unknown section \"%s\"%s", key, nearest);
		}
	}
}

static void read_heading(struct reader *r)
{
	struct stack *stack = r->stack;
	bool bad = false;
	const json_t *root = stack->doc->root, *transform = json_object_get(root, "Transform");
	const json_t *version =
	    specs_report_member(stack->doc, NULL, root, "AWSTemplateFormatVersion", JSON_STRING, false, &bad, r->d);
	size_t count = json_is_array(transform) ? json_array_size(transform) : transform != NULL;

	specs_report_member(stack->doc, NULL, root, "Description", JSON_STRING, false, &bad, r->d);
	specs_report_member(stack->doc, NULL, root, "Metadata", JSON_OBJECT, false, &bad, r->d);
	if (version != NULL && strcmp(json_string_value(version), "2010-09-09") != 0) {
		json_doc_error(stack->doc, JSON_PATH_KEY(NULL, "AWSTemplateFormatVersion"), false, r->d,
			       "must be \"2010-09-09\"");
		bad = true;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_is_array(transform) ? json_array_get(transform, i) : transform;

		if (json_is_string(item) && strcmp(json_string_value(item), "AWS::LanguageExtensions") == 0)
			continue;
		json_doc_error(stack->doc, JSON_PATH_KEY(NULL, "Transform"), false, r->d,
			       "%s%s%s is not supported: only AWS::LanguageExtensions is, and needs no Transform",
			       json_is_string(item) ? "\"" : "",
			       json_is_string(item) ? json_string_value(item) : "this",
			       json_is_string(item) ? "\"" : "");
		bad = true;
	}
	if (bad)
		r->result = -1;
}

static void read_mappings(struct reader *r)
{
	struct stack *stack = r->stack;
	json_t *map, *second, *value;
	const char *name, *top, *key;

	stack->mappings = section_get(r, "Mappings", false);
	json_object_foreach(stack->mappings, name, map)
	{
		const struct json_path *path = JSON_PATH_KEY(JSON_PATH_KEY(NULL, "Mappings"), name);

		if (!json_is_object(map)) {
			json_doc_error(stack->doc, path, false, r->d, "must be an object, not %s", json_kind_name(map));
			r->result = -1;
		}
		json_object_foreach(map, top, second)
		{
			if (!json_is_object(second)) {
				json_doc_error(stack->doc, JSON_PATH_KEY(path, top), false, r->d,
					       "must be an object of second keys, not %s", json_kind_name(second));
				r->result = -1;
			}
			json_object_foreach(second, key, value) if (json_is_object(value) || json_is_null(value))
			{
				json_doc_error(stack->doc, JSON_PATH_KEY(JSON_PATH_KEY(path, top), key), false, r->d,
					       "must be a string, number, boolean or list: functions do not work "
					       "in Mappings");
				r->result = -1;
			}
		}
	}
}

/* The list at the end of a mapping, or NULL with an error when it must be there. Keys that are not known may be NULL.
 */
const json_t *specs_mapping_find(struct stack *stack, const struct node *at, const char *map, const char *top,
				 const char *second, bool must, struct diag *d)
{
	const char *keys[] = {map, top, second};
	static const char *const what[] = {"mapping", "top key", "second key"};
	const json_t *value = stack->mappings;

	for (size_t i = 0; i < 3 && keys[i] != NULL; i++) {
		const json_t *next = json_object_get(value, keys[i]);

		if (next == NULL && must) {
			size_t count = 0, room = json_object_size(value);
			const char **names = mem_array(room, sizeof *names);
			mem_auto_str char *nearest = NULL;

			for (void *iter = json_object_iter((json_t *)value); iter != NULL;
			     iter = json_object_iter_next((json_t *)value, iter))
				names[count++] = json_object_iter_key(iter);
			nearest = specs_report_nearest(keys[i], names, count);
			free(names);
			specs_node_error(stack, at, false, d, "no %s \"%s\"%s%s%s%s", what[i], keys[i],
					 i > 0 ? " in mapping \"" : "", i > 0 ? map : "", i > 0 ? "\"" : "", nearest);
		}
		if (next == NULL)
			return NULL;
		value = next;
	}
	return value;
}

static int section_read(struct reader *r, struct section *out, const char *key, bool early,
			int (*each)(const struct scope *, struct entry *, json_t *))
{
	struct stack *stack = r->stack;
	json_t *object = json_object_get(stack->doc->root, key);
	struct scope scope = {stack, NULL, early, "a condition", false, r->d};

	return specs_section_compile(out, &scope, specs_node_new(stack, stack->root, key, 0, object), object, each);
}

static void read_sections(struct reader *r)
{
	struct stack *stack = r->stack;
	struct arena *arena = &stack->specs->private->arena;
	json_t *resources = section_get(r, "Resources", true), *conditions = section_get(r, "Conditions", false);
	json_t *outputs = section_get(r, "Outputs", false), *parameters = section_get(r, "Parameters", false);

	names_collect(resources, &stack->resource_names, &stack->resource_name_count, &stack->resource_loops, arena);
	names_collect(conditions, &stack->condition_names, &stack->condition_name_count, &stack->condition_loops,
		      arena);
	names_collect(outputs, &stack->output_names, &stack->output_name_count, &stack->output_loops, arena);
	if (stack->resource_name_count > SPECS_RESOURCES_MAX) {
		json_doc_error(stack->doc, JSON_PATH_KEY(NULL, "Resources"), false, r->d,
			       "%zu resources; a stack may have %d", stack->resource_name_count, SPECS_RESOURCES_MAX);
		r->result = -1;
		return;
	}
	if (specs_parameters_compile(stack, specs_node_new(stack, stack->root, "Parameters", 0, parameters), parameters,
				     r->d) != 0)
		r->result = -1;
	if (r->result != 0 && (resources == NULL || stack->parameter_count < json_object_size(parameters)))
		return;
	if (section_read(r, &stack->conditions, "Conditions", true, specs_condition_compile) != 0)
		r->result = -1;
	if (section_read(r, &stack->resources, "Resources", false, specs_resource_compile) != 0)
		r->result = -1;
	if (section_read(r, &stack->outputs, "Outputs", false, specs_output_entry_compile) != 0)
		r->result = -1;
	if (specs_moved_read(stack, r->d) != 0)
		r->result = -1;
	if (resources != NULL && json_object_size(resources) == 0) {
		json_doc_error(stack->doc, JSON_PATH_KEY(NULL, "Resources"), false, r->d, "a stack needs resources");
		r->result = -1;
	}
}

/* Without loops, entries are the same in all targets and are listed once. */
static void items_prepare(struct stack *stack, const struct section *section, struct items *out)
{
	if (section->loops)
		return;
	out->list = specs_arena_array(&stack->specs->private->arena, section->count, sizeof *out->list);
	for (size_t i = 0; i < section->count; i++) {
		out->list[i] = (struct item){section->entries[i].name.source, &section->entries[i], NULL};
		specs_table_put(&out->names, out->list[i].name, &out->list[i]);
	}
	out->count = section->count;
}

/* -- targets -- */

static void read_targets(struct reader *r)
{
	static const char *const keys[] = {"Accounts", "Regions", NULL};
	struct stack *stack = r->stack;
	struct specs *specs = stack->specs;
	struct arena *arena = &specs->private->arena;
	const json_t *targets = section_get(r, "Targets", true);
	const struct json_path *path = JSON_PATH_KEY(NULL, "Targets"), *accounts_path = JSON_PATH_KEY(path, "Accounts");
	const json_t *accounts = json_object_get(targets, "Accounts");

	stack->selected = specs_arena_array(arena, specs->account_count, sizeof *stack->selected);
	if (targets == NULL)
		return;
	if (specs_report_keys(stack->doc, path, targets, keys, "key", r->d) != 0)
		r->result = -1;
	if (specs_selectors_parse(&stack->account_selectors, arena, accounts, stack->doc, accounts_path, false, NULL,
				  r->d) != 0 ||
	    specs_selectors_check_accounts(specs, &stack->account_selectors, accounts, stack->doc, accounts_path,
					   r->d) != 0 ||
	    specs_selectors_parse(&stack->region_selectors, arena, json_object_get(targets, "Regions"), stack->doc,
				  JSON_PATH_KEY(path, "Regions"), true, specs->settings.partition, r->d) != 0)
		r->result = -1;
	for (size_t a = 0; a < specs->account_count; a++)
		stack->selected[a] = specs_selectors_account(&stack->account_selectors, &specs->accounts[a]);
}

/* -- the whole file -- */

static int check_name(const char *name, const char *file, struct diag *d)
{
	struct diag_place place = {.file = file};

	if (specs_is_stack_name(name))
		return 0;
	diag_at(d, DIAG_ERROR, &place, "a stack's name is 1 to %d letters, digits, \"-\", \"_\" or \".\"",
		SPECS_STACK_NAME_MAX);
	return -1;
}

struct stack *specs_stack_load(struct specs *specs, const char *name, const char *file, struct diag *d)
{
	struct stack *stack;
	struct json_doc *doc;
	struct reader r = {NULL, d, 0};

	if (check_name(name, file, d) != 0 || specs_document_load(&doc, specs->private->source, file, true, d) != 0)
		return NULL;
	stack = specs_arena_alloc(&specs->private->arena, sizeof *stack);
	stack->specs = specs;
	stack->doc = doc;
	stack->name = specs_intern(specs, name);
	stack->file = doc->file;
	stack->owned = json_array();
	stack->root = specs_node_new(stack, NULL, NULL, 0, doc->root);
	r.stack = stack;
	read_keys(&r);
	read_heading(&r);
	read_targets(&r);
	read_mappings(&r);
	read_sections(&r);
	stack->failed = r.result != 0;
	if (stack->failed)
		return stack;
	items_prepare(stack, &stack->resources, &stack->resource_items);
	items_prepare(stack, &stack->conditions, &stack->condition_items);
	items_prepare(stack, &stack->outputs, &stack->output_items);
	return stack;
}

void specs_stack_free(struct stack *stack)
{
	for (size_t i = 0; i < stack->read_count; i++)
		if (stack->reads[i]->kind == NODE_CALL)
			json_decref(stack->reads[i]->call->folded);
	specs_parameters_free(stack);
	specs_table_free(&stack->resource_items.names);
	specs_table_free(&stack->condition_items.names);
	specs_table_free(&stack->output_items.names);
	json_decref(stack->owned);
	json_doc_free(stack->doc);
	free(stack->reads);
}

struct file *specs_file(struct specs *specs, const char *path, const struct stack *stack, const struct node *node,
			struct diag *d)
{
	struct specs_private *p = specs->private;
	struct file *file = specs_table_get(&p->files, path);
	struct diag why = DIAG_INIT; /* the source knows no places */
	char *text = NULL;
	size_t len = 0;
	int result;

	if (file != NULL && file->text == NULL)
		specs_node_error(stack, node, false, d, "the file \"%s\" cannot be used (see above)", path);
	if (file != NULL)
		return file;
	file = specs_arena_alloc(&p->arena, sizeof *file);
	file->path = specs_arena_strdup(&p->arena, path);
	specs_table_put(&p->files, file->path, file);
	result = p->source->read(p->source->payload, path, &text, &len, &why);
	if (result == -ENOENT)
		specs_node_error(stack, node, false, d, "there is no file \"%s\"", path);
	else if (result != 0)
		specs_node_error(stack, node, false, d, "%s", diag_first_error(&why));
	else if (len > SPECS_FILE_MAX)
		specs_node_error(stack, node, false, d, "the file \"%s\" is larger than %u MiB", path,
				 SPECS_FILE_MAX >> 20);
	else if (memchr(text, '\0', len) != NULL || (file->text = json_stringn(text, len)) == NULL)
		specs_node_error(stack, node, false, d, "the file \"%s\" is not UTF-8 text", path);
	free(text);
	diag_free(&why);
	return file;
}
