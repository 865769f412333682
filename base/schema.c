/* Type files to struct schema_type: reads and checks the schema part of a type file and keeps a set of types.
 * docs/types.md explains the words. Handlers are passed through unread. */
#include "base/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/schema_private.h"
#include "base/text.h"

struct schema_set {
	struct schema_type **types; /* sorted by name */
	size_t count;
};

static const char *const type_words[] = {"Type",      "Service", "Description", "Properties",    "Attributes",
					 "Ref",       "Name",    "Scope",       "Singleton",     "Identity",
					 "Serialize", "After",   "Regions",     "SettleSeconds", "RetainsData",
					 "MadeAnew",  "LeftOut", "Handlers",    "Example",       NULL};
static const char *const name_words[] = {"Property", "Allowed", "Max", "Lower", NULL};
static const char *const region_words[] = {"Only", "Except", NULL};
static const char *const attribute_words[] = {"Predict", "Description", NULL};
static const char *const scope_names[] = {"Regional", "Account", "Global", NULL};

/* -- Types ----------------------------------------------------------------------------------------------- */

static void type_attributes(struct schema_reader *r, struct schema_type *type)
{
	json_t *object = json_object_get(type->document, "Attributes"), *value;
	const struct json_path *path = JSON_PATH_KEY(NULL, "Attributes");
	const char *key;

	if (object == NULL || !schema_reader_object(r, path, object, NULL))
		return;
	type->attributes = mem_array(json_object_size(object) + 1, sizeof *type->attributes);
	json_object_foreach(object, key, value)
	{
		struct schema_attribute *attribute = &type->attributes[type->attribute_count];

		if (!schema_reader_object(r, JSON_PATH_KEY(path, key), value, attribute_words))
			continue;
		attribute->name = key;
		attribute->predict = schema_reader_string(r, JSON_PATH_KEY(path, key), value, "Predict");
		type->attribute_count++;
	}
	for (size_t i = 0; i < type->attribute_count; i++)
		schema_template_check(r, JSON_PATH_KEY(path, type->attributes[i].name), type,
				      type->attributes[i].predict);
}

static void type_name(struct schema_reader *r, struct schema_type *type)
{
	json_t *object = json_object_get(type->document, "Name");
	const struct json_path *path = JSON_PATH_KEY(NULL, "Name");
	const struct schema_member *member;

	if (object == NULL || !schema_reader_object(r, path, object, name_words))
		return;
	type->name_property = schema_reader_string(r, path, object, "Property");
	type->name_allowed = schema_reader_string(r, path, object, "Allowed");
	type->name_max = schema_reader_size(r, path, object, "Max", 0);
	type->name_lower = schema_reader_bool(r, path, object, "Lower");
	if (type->name_property == NULL || type->name_allowed == NULL || type->name_max < 16) {
		schema_reader_error(r, path, "needs \"Property\", \"Allowed\" and \"Max\" (16 or more)");
		return;
	}
	member = schema_value_member(&type->properties, type->name_property);
	if (member == NULL || member->value.kind != SCHEMA_STRING)
		schema_reader_error(r, path, "\"%s\" is no String property", type->name_property);
}

static void type_regions(struct schema_reader *r, struct schema_type *type)
{
	json_t *object = json_object_get(type->document, "Regions");
	const struct json_path *path = JSON_PATH_KEY(NULL, "Regions");

	if (object == NULL || !schema_reader_object(r, path, object, region_words))
		return;
	type->regions_only = schema_reader_strings(r, path, object, "Only", &type->regions_only_count);
	type->regions_except = schema_reader_strings(r, path, object, "Except", &type->regions_except_count);
}

static void type_ref(struct schema_reader *r, struct schema_type *type)
{
	const struct json_path *path = JSON_PATH_KEY(NULL, "Ref");

	type->ref = schema_reader_string(r, NULL, type->document, "Ref");
	if (type->ref == NULL)
		schema_reader_error(r, NULL, "\"Ref\" is missing: what does a reference to it give?");
	else if (schema_value_member(&type->properties, type->ref) == NULL &&
		 schema_type_attribute(type, type->ref) == NULL)
		schema_reader_error(r, path, "\"%s\" is no property and no attribute", type->ref);
}

/* Properties that the registry has and the file leaves out, each with its reason. */
static void type_left_out(struct schema_reader *r, struct schema_type *type)
{
	const struct json_path *path = JSON_PATH_KEY(NULL, "LeftOut");
	const char *key;
	json_t *value;

	type->left_out = json_object_get(type->document, "LeftOut");
	if (type->left_out == NULL || !schema_reader_object(r, path, type->left_out, NULL))
		return;
	json_object_foreach(type->left_out, key, value)
	{
		if (!json_is_string(value))
			schema_reader_error(r, JSON_PATH_KEY(path, key), "expected the reason, a string");
		if (schema_value_member(&type->properties, key) != NULL)
			schema_reader_error(r, JSON_PATH_KEY(path, key), "stands under \"Properties\" too");
	}
}

static void type_rules(struct schema_reader *r, struct schema_type *type)
{
	json_t *document = type->document;

	type->scope =
	    (enum schema_scope)schema_reader_choice(r, NULL, document, "Scope", scope_names, (int)SCHEMA_REGIONAL);
	type->singleton = schema_reader_bool(r, NULL, document, "Singleton");
	type->identity = schema_reader_string(r, NULL, document, "Identity");
	type->serialize = schema_reader_string(r, NULL, document, "Serialize");
	type->after = schema_reader_strings(r, NULL, document, "After", &type->after_count);
	type->settle_ms = 1000 * schema_reader_size(r, NULL, document, "SettleSeconds", 0);
	type->retains_data = schema_reader_bool(r, NULL, document, "RetainsData");
	type->made_anew = schema_reader_string(r, NULL, document, "MadeAnew");
	schema_template_check(r, JSON_PATH_KEY(NULL, "Identity"), type, type->identity);
	schema_template_check(r, JSON_PATH_KEY(NULL, "Serialize"), type, type->serialize);
	if (type->singleton && type->identity != NULL)
		schema_reader_error(r, JSON_PATH_KEY(NULL, "Identity"), "a singleton has none");
}

static void type_read(struct schema_reader *r, struct schema_type *type)
{
	json_t *document = type->document, *properties = json_object_get(document, "Properties");

	schema_value_defaults(&type->properties);
	type->properties.kind = SCHEMA_OBJECT;
	if (!schema_reader_object(r, NULL, document, type_words))
		return;
	type->name = schema_reader_string(r, NULL, document, "Type");
	type->service = schema_reader_string(r, NULL, document, "Service");
	type->description = schema_reader_string(r, NULL, document, "Description");
	type->handlers = json_object_get(document, "Handlers");
	if (type->name == NULL || type->service == NULL)
		schema_reader_error(r, NULL, "needs \"Type\" and \"Service\"");
	if (properties == NULL)
		schema_reader_error(r, NULL, "\"Properties\" is missing");
	else
		schema_members_read(r, JSON_PATH_KEY(NULL, "Properties"), properties, &type->properties);
	type_attributes(r, type);
	type_name(r, type);
	type_ref(r, type);
	type_regions(r, type);
	type_left_out(r, type);
	type->example = json_object_get(type->document, "Example");
	if (type->example != NULL)
		schema_reader_object(r, JSON_PATH_KEY(NULL, "Example"), type->example, NULL);
	type_rules(r, type);
	if (type->handlers != NULL && !json_is_object(type->handlers))
		schema_reader_error(r, JSON_PATH_KEY(NULL, "Handlers"), "expected an object");
}

static void type_free(struct schema_type *type)
{
	schema_value_free(&type->properties);
	free(type->attributes);
	free(type->after);
	free(type->regions_only);
	free(type->regions_except);
	json_decref(type->document);
	free(type);
}

const struct schema_attribute *schema_type_attribute(const struct schema_type *type, const char *name)
{
	for (size_t i = 0; i < type->attribute_count; i++)
		if (strcmp(type->attributes[i].name, name) == 0)
			return &type->attributes[i];
	return NULL;
}

bool schema_type_in_region(const struct schema_type *type, const char *region)
{
	bool in = type->regions_only == NULL;

	for (size_t i = 0; i < type->regions_only_count && !in; i++)
		in = text_glob(type->regions_only[i], region);
	for (size_t i = 0; i < type->regions_except_count && in; i++)
		in = !text_glob(type->regions_except[i], region);
	return in;
}

/* -- Prior properties -------------------------------------------------------------------------------------- */

static void prior_write_only(const struct schema_value *object, json_t *prior, const json_t *recorded)
{
	for (size_t i = 0; i < object->member_count; i++) {
		const struct schema_member *member = &object->members[i];
		json_t *has = json_object_get(prior, member->name), *had = json_object_get(recorded, member->name);

		if (member->write_only && has == NULL && had != NULL)
			json_object_set(prior, member->name, had);
		else if (member->value.kind == SCHEMA_OBJECT && json_is_object(has) && json_is_object(had))
			prior_write_only(&member->value, has, had);
	}
}

json_t *schema_prior_ours(const struct schema_type *type, const json_t *desired, const json_t *prior,
			  const json_t *recorded)
{
	json_t *ours = json_deep_copy(prior);

	if (!json_is_object(ours))
		return ours;
	for (size_t i = 0; i < type->properties.member_count; i++) {
		const struct schema_member *member = &type->properties.members[i];

		if (member->initial == NULL && json_object_get(desired, member->name) == NULL &&
		    json_object_get(recorded, member->name) == NULL)
			json_object_del(ours, member->name);
	}
	prior_write_only(&type->properties, ours, recorded);
	return ours;
}

/* -- Sets ------------------------------------------------------------------------------------------------ */

int schema_set_new(struct schema_set **out, struct diag *d)
{
	(void)d;
	*out = mem_alloc(sizeof **out);
	return 0;
}

void schema_set_free(struct schema_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		type_free(set->types[i]);
	free(set->types);
	free(set);
}

/* Index of `name`, or of where it would go. */
static size_t set_index(const struct schema_set *set, const char *name, bool *there)
{
	size_t low = 0, high = set->count;

	*there = false;
	while (low < high && !*there) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, set->types[middle]->name);

		if (order == 0) {
			low = middle;
			*there = true;
		} else if (order < 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

int schema_set_add(struct schema_set *set, const char *file, json_t *document, struct diag *d)
{
	struct schema_reader r = {file, d, false};
	struct schema_type *type = mem_alloc(sizeof *type);
	size_t index;
	bool there;

	type->document = json_incref(document);
	type_read(&r, type);
	if (r.failed) {
		type_free(type);
		return -1;
	}
	index = set_index(set, type->name, &there);
	if (there) {
		type_free(set->types[index]);
		set->types[index] = type;
		return 0;
	}
	set->types = mem_resize(set->types, set->count + 1, sizeof(struct schema_type *));
	memmove(set->types + index + 1, set->types + index, (set->count - index) * sizeof(struct schema_type *));
	set->types[index] = type;
	set->count++;
	return 0;
}

const struct schema_type *schema_set_find(const struct schema_set *set, const char *name)
{
	bool there;
	size_t index = set_index(set, name, &there);

	return there ? set->types[index] : NULL;
}

const struct schema_type *const *schema_set_list(const struct schema_set *set, size_t *count)
{
	*count = set->count;
	return (const struct schema_type *const *)set->types;
}

const char *schema_set_nearest(const struct schema_set *set, const char *name)
{
	const char **names = mem_array(set->count + 1, sizeof *names);
	const char *nearest;

	for (size_t i = 0; i < set->count; i++)
		names[i] = set->types[i]->name;
	nearest = text_nearest(name, names, set->count);
	free(names);
	return nearest;
}
