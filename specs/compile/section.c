/* Sections of entries (Resources, Conditions, Outputs), with the loops that may stand among them, and what an entry of
 * each holds. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

/* -- sections -- */

typedef int entry_compile(const struct scope *scope, struct entry *entry, json_t *value);

static int entry_name(const struct scope *scope, struct entry *entry, const char *name)
{
	specs_text_compile(&entry->name, scope, entry->path, name);
	if (entry->name.count > 0 || specs_is_logical_id(name))
		return 0;
	specs_node_error(scope->stack, entry->path, true, scope->d, "a name here is made of 1 to %d letters and digits",
			 SPECS_LOGICAL_ID_MAX);
	return -1;
}

static int loop_entry(const struct scope *scope, struct entry *entry, const struct node *path, entry_compile *each)
{
	struct variable *variable;
	struct node *body;
	struct scope inner;

	if (specs_foreach_compile(scope, path, &variable, &entry->collection, &body, &inner) != 0)
		return -1;
	entry->variable = variable;
	entry->body = specs_arena_alloc(&scope->stack->specs->private->arena, sizeof *entry->body);
	return specs_section_compile(entry->body, &inner, body, body->value, each);
}

int specs_section_compile(struct section *out, const struct scope *scope, const struct node *path, json_t *object,
			  entry_compile *each)
{
	struct stack *stack = scope->stack;
	const char *key;
	json_t *value;
	int result = 0;

	out->entries = specs_arena_array(&stack->specs->private->arena, json_object_size(object), sizeof *out->entries);
	json_object_foreach(object, key, value)
	{
		struct entry *entry = &out->entries[out->count++];
		struct node *at = specs_node_new(stack, path, key, 0, value);

		entry->path = at;
		if (specs_foreach_is(key)) {
			out->loops = true;
			result = loop_entry(scope, entry, at, each) != 0 ? -1 : result;
		} else if (text_starts(key, "Fn::")) {
			specs_node_error(stack, at, true, scope->d, "%s is not supported here: only Fn::ForEach is",
					 key);
			result = -1;
		} else {
			result = entry_name(scope, entry, key) != 0 ? -1 : result;
			result = each(scope, entry, value) != 0 ? -1 : result;
		}
	}
	return result;
}

/* -- Resources -- */

static int deletion_compile(const struct scope *scope, const struct node *at, const json_t *value,
			    enum specs_deletion *out)
{
	const char *word = json_string_value(value);

	*out = SPECS_DELETION_UNSET;
	if (value == NULL)
		return 0;
	if (word != NULL && strcmp(word, "Delete") == 0) {
		*out = SPECS_DELETE;
		return 0;
	}
	if (word != NULL && strcmp(word, "Retain") == 0) {
		*out = SPECS_RETAIN;
		return 0;
	}
	if (word != NULL && (strcmp(word, "Snapshot") == 0 || strcmp(word, "RetainExceptOnCreate") == 0))
		specs_node_error(scope->stack, at, false, scope->d,
				 "\"%s\" is not supported: use \"Delete\" or \"Retain\"", word);
	else
		specs_node_error(scope->stack, at, false, scope->d, "must be \"Delete\" or \"Retain\"");
	return -1;
}

static int depends_compile(const struct scope *scope, struct resource_definition *out, const struct node *at,
			   json_t *value)
{
	struct stack *stack = scope->stack;
	size_t count = json_is_array(value) ? json_array_size(value) : 1;
	int result = 0;

	out->depends_path = at;
	if (value == NULL)
		return 0;
	out->depends = specs_arena_array(&stack->specs->private->arena, count, sizeof *out->depends);
	for (size_t i = 0; i < count; i++) {
		json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
		const struct node *item_at = json_is_array(value) ? specs_node_new(stack, at, NULL, i, item) : at;
		const char *name = json_string_value(item);
		struct text *text = &out->depends[out->depend_count];

		if (name == NULL) {
			specs_node_error(stack, item_at, false, scope->d, "must be the name of a resource, not %s",
					 json_kind_name(item));
			result = -1;
			continue;
		}
		specs_text_compile(text, scope, item_at, name);
		if (text->count == 0 && !stack->resource_loops &&
		    !specs_name_listed(name, stack->resource_names, stack->resource_name_count)) {
			mem_auto_str char *nearest =
			    specs_report_nearest(name, stack->resource_names, stack->resource_name_count);

			specs_node_error(stack, item_at, false, scope->d, "no resource is called \"%s\"%s", name,
					 nearest);
			result = -1;
		}
		out->depend_count++;
	}
	return result;
}

/* "AWS::KMS::Key" is not what "AWS::SNS::Zed" means, though few letters differ: each part must be near. */
static const char *type_nearest(const struct schema_set *schemas, const char *name)
{
	const char *nearest = schema_set_nearest(schemas, name), *theirs = nearest, *ours = name;

	while (theirs != NULL) {
		const char *our_end = strstr(ours, "::"), *their_end = strstr(theirs, "::");
		size_t our_len = our_end != NULL ? (size_t)(our_end - ours) : strlen(ours);
		size_t their_len = their_end != NULL ? (size_t)(their_end - theirs) : strlen(theirs);
		mem_auto_str char *our_part = mem_strndup(ours, our_len);
		mem_auto_str char *their_part = mem_strndup(theirs, their_len);

		if (text_nearest(our_part, (const char *const[]){their_part}, 1) == NULL)
			return NULL;
		if (our_end == NULL || their_end == NULL)
			return nearest;
		ours = our_end + 2;
		theirs = their_end + 2;
	}
	return nearest;
}

static const struct schema_type *type_compile(const struct scope *scope, const struct entry *entry, const json_t *value)
{
	const struct schema_set *schemas = scope->stack->specs->private->schemas;
	const char *name = json_string_value(value), *nearest;
	const struct schema_type *type = name != NULL ? schema_set_find(schemas, name) : NULL;
	struct node *at = specs_node_new(scope->stack, entry->path, "Type", 0, NULL);

	if (value == NULL) {
		specs_node_error(scope->stack, entry->path, true, scope->d, "\"Type\" is missing");
	} else if (name == NULL) {
		specs_node_error(scope->stack, at, false, scope->d, "must be a string, not %s", json_kind_name(value));
	} else if (type == NULL) {
		nearest = type_nearest(schemas, name);
		if (nearest != NULL)
			specs_node_error(scope->stack, at, false, scope->d,
					 "unknown resource type \"%s\" (did you mean \"%s\"?)", name, nearest);
		else
			specs_node_error(scope->stack, at, false, scope->d,
					 "unknown resource type \"%s\": \"muster types\" lists those that are known",
					 name);
	}
	return type;
}

static int flag_compile(const struct scope *scope, const struct entry *entry, const char *key, const json_t *value,
			bool *out)
{
	*out = json_is_true(value);
	if (value == NULL || json_is_boolean(value))
		return 0;
	specs_node_error(scope->stack, specs_node_new(scope->stack, entry->path, key, 0, NULL), false, scope->d,
			 "must be true or false, not %s", json_kind_name(value));
	return -1;
}

static int resource_keys(const struct scope *scope, const struct entry *entry, const json_t *object)
{
	static const char *const keys[] = {"Type",      "Properties",     "DependsOn",
					   "Condition", "DeletionPolicy", "UpdateReplacePolicy",
					   "Metadata",  "Protect",        "Adopt"};
	int result = 0;

	for (void *iter = json_object_iter((json_t *)object); iter != NULL;
	     iter = json_object_iter_next((json_t *)object, iter)) {
		const char *key = json_object_iter_key(iter);
		struct node *at;

		if (specs_name_listed(key, keys, COUNT_OF(keys)))
			continue;
		at = specs_node_new(scope->stack, entry->path, key, 0, NULL);
		result = -1;
		if (strcmp(key, "CreationPolicy") == 0 || strcmp(key, "UpdatePolicy") == 0 ||
		    text_starts(key, "Fn::")) {
			specs_node_error(scope->stack, at, true, scope->d, "%s is not supported for resources", key);
		} else {
			mem_auto_str char *nearest = specs_report_nearest(key, keys, COUNT_OF(keys));

			specs_node_error(scope->stack, at, true, scope->d, "unknown attribute of a resource \"%s\"%s",
					 key, nearest);
		}
	}
	return result;
}

static int properties_compile(const struct scope *scope, struct entry *entry, json_t *value)
{
	struct resource_definition *out = &entry->resource;
	const struct schema_value *schema = out->type != NULL ? &out->type->properties : NULL;
	struct node *node;
	const char *call;

	if (value == NULL)
		value = specs_stack_own(scope->stack, json_object());
	node = specs_node_new(scope->stack, entry->path, "Properties", 0, value);
	if (!json_is_object(value)) {
		specs_node_error(scope->stack, node, false, scope->d, "must be an object, not %s",
				 json_kind_name(value));
		return -1;
	}
	call = specs_call_name(value, scope);
	/* A property may be called like a function: Muster::Recording. */
	if (call != NULL && (schema == NULL || schema_value_member(schema, call) == NULL))
		out->properties = specs_call_compile(scope, node, call);
	else
		out->properties = specs_node_compile_object(scope, node, schema);
	if (out->properties == NULL)
		return -1;
	if (schema != NULL) {
		size_t before = scope->d->errors;

		specs_node_check(scope->stack, out->properties, schema, out->type, scope->d);
		return scope->d->errors == before ? 0 : -1;
	}
	return 0;
}

int specs_resource_compile(const struct scope *scope, struct entry *entry, json_t *value)
{
	struct stack *stack = scope->stack;
	struct resource_definition *out = &entry->resource;
	json_t *condition = json_object_get(value, "Condition");
	int result;

	if (!json_is_object(value)) {
		specs_node_error(stack, entry->path, false, scope->d, "must be an object, not %s",
				 json_kind_name(value));
		return -1;
	}
	result = resource_keys(scope, entry, value);
	out->type = type_compile(scope, entry, json_object_get(value, "Type"));
	result |= out->type == NULL ? -1 : 0;
	if (condition != NULL) {
		out->condition_path = specs_node_new(stack, entry->path, "Condition", 0, condition);
		result |= specs_condition_name_compile(&out->condition, scope, out->condition_path, condition);
	}
	result |= depends_compile(scope, out, specs_node_new(stack, entry->path, "DependsOn", 0, NULL),
				  json_object_get(value, "DependsOn"));
	result |= deletion_compile(scope, specs_node_new(stack, entry->path, "DeletionPolicy", 0, NULL),
				   json_object_get(value, "DeletionPolicy"), &out->deletion);
	result |= deletion_compile(scope, specs_node_new(stack, entry->path, "UpdateReplacePolicy", 0, NULL),
				   json_object_get(value, "UpdateReplacePolicy"), &out->replace_deletion);
	result |= flag_compile(scope, entry, "Protect", json_object_get(value, "Protect"), &out->protect);
	result |= flag_compile(scope, entry, "Adopt", json_object_get(value, "Adopt"), &out->adopt);
	result |= properties_compile(scope, entry, json_object_get(value, "Properties"));
	return result;
}

/* -- Conditions -- */

int specs_condition_compile(const struct scope *scope, struct entry *entry, json_t *value)
{
	struct scope inner = *scope;
	enum call_kind kind;

	inner.boolean = true;
	entry->condition = specs_node_compile(&inner, entry->path->up, entry->path->key, 0, value);
	if (entry->condition == NULL)
		return -1;
	kind = entry->condition->kind == NODE_CALL ? entry->condition->call->kind : CALL_FILE;
	if (kind == CALL_AND || kind == CALL_OR || kind == CALL_NOT || kind == CALL_EQUALS || kind == CALL_CONDITION)
		return 0;
	specs_node_error(scope->stack, entry->path, false, scope->d,
			 "must be Fn::Equals, Fn::And, Fn::Or, Fn::Not or {\"Condition\": \"Name\"}");
	return -1;
}

/* -- Outputs -- */

int specs_output_entry_compile(const struct scope *scope, struct entry *entry, json_t *value)
{
	static const char *const keys[] = {"Value", "Condition", "Description"};
	struct stack *stack = scope->stack;
	json_t *condition = json_object_get(value, "Condition"), *result_value = json_object_get(value, "Value");
	int result = 0;

	if (!json_is_object(value)) {
		specs_node_error(stack, entry->path, false, scope->d, "must be an object, not %s",
				 json_kind_name(value));
		return -1;
	}
	for (void *iter = json_object_iter(value); iter != NULL; iter = json_object_iter_next(value, iter)) {
		const char *key = json_object_iter_key(iter);
		mem_auto_str char *nearest = NULL;
		struct node *at;

		if (specs_name_listed(key, keys, COUNT_OF(keys)))
			continue;
		at = specs_node_new(stack, entry->path, key, 0, NULL);
		nearest = specs_report_nearest(key, keys, COUNT_OF(keys));
		if (strcmp(key, "Export") == 0)
			specs_node_error(stack, at, true, scope->d,
					 "Export is not supported: every output can be read with Fn::GetStackOutput");
		else
			specs_node_error(stack, at, true, scope->d, "unknown attribute of an output \"%s\"%s", key,
					 nearest);
		result = -1;
	}
	if (condition != NULL) {
		entry->output.condition_path = specs_node_new(stack, entry->path, "Condition", 0, condition);
		result |= specs_condition_name_compile(&entry->output.condition, scope, entry->output.condition_path,
						       condition);
	}
	if (result_value == NULL) {
		specs_node_error(stack, entry->path, true, scope->d, "\"Value\" is missing");
		return -1;
	}
	entry->output.value = specs_node_compile(scope, entry->path, "Value", 0, result_value);
	return entry->output.value != NULL ? result : -1;
}
