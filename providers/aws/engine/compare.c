/* Equality by schema, for handlers that ask what has changed, and defaults. Coarser than the plan's: where this says
 * "different" of two spellings of one policy, a call too many is made, and nothing else. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "providers/aws/engine/engine.h"

static bool plain_equal(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b) != 0;
}

static json_t *document_parse(const json_t *value)
{
	json_t *parsed = NULL;

	if (json_is_string(value))
		parsed = json_loads(json_string_value(value), JSON_DECODE_ANY, NULL);
	return parsed != NULL ? parsed : json_incref((json_t *)value);
}

static bool document_equal(const json_t *a, const json_t *b)
{
	json_t *x = document_parse(a), *y = document_parse(b);
	bool equal = json_equal(x, y) != 0;

	json_decref(x);
	json_decref(y);
	return equal;
}

static bool object_equal(const struct schema_value *schema, const json_t *a, const json_t *b)
{
	for (size_t i = 0; i < schema->member_count; i++) {
		const struct schema_member *member = &schema->members[i];
		const json_t *x = json_object_get(a, member->name), *y = json_object_get(b, member->name);

		if (x == NULL && member->computed)
			continue;
		if (!engine_equal(&member->value, x, y))
			return false;
	}
	return true;
}

static bool map_equal(const struct schema_value *schema, const json_t *a, const json_t *b)
{
	const char *key;
	json_t *x;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)a, key, x)
	{
		if (!engine_equal(schema->item, x, json_object_get(b, key)))
			return false;
	}
	return true;
}

static bool list_equal(const struct schema_value *schema, const json_t *a, const json_t *b)
{
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!engine_equal(schema->item, json_array_get(a, i), json_array_get(b, i)))
			return false;
	return true;
}

/* Each element of `a` takes an equal one of `b` that is not taken yet. */
static bool set_equal(const struct schema_value *schema, const json_t *a, const json_t *b)
{
	size_t count = json_array_size(a);
	bool *taken = mem_array(count + 1, sizeof *taken);
	bool equal = true;

	for (size_t i = 0; i < count && equal; i++) {
		size_t j = 0;

		while (j < count &&
		       (taken[j] || !engine_equal(schema->item, json_array_get(a, i), json_array_get(b, j))))
			j++;
		equal = j < count;
		if (equal)
			taken[j] = true;
	}
	free(taken);
	return equal;
}

bool engine_equal(const struct schema_value *schema, const json_t *a, const json_t *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (schema->kind == SCHEMA_JSON || schema->compare == SCHEMA_DOCUMENT || schema->compare == SCHEMA_POLICY)
		return document_equal(a, b);
	if (schema->compare == SCHEMA_IGNORE_CASE && json_is_string(a) && json_is_string(b))
		return strcasecmp(json_string_value(a), json_string_value(b)) == 0;
	if (schema->kind == SCHEMA_OBJECT && json_is_object(a) && json_is_object(b))
		return object_equal(schema, a, b);
	if (schema->kind == SCHEMA_MAP && json_is_object(a) && json_is_object(b))
		return map_equal(schema, a, b);
	if (schema->kind == SCHEMA_LIST && json_is_array(a) && json_is_array(b)) {
		if (json_array_size(a) != json_array_size(b))
			return false;
		return schema->compare == SCHEMA_SET ? set_equal(schema, a, b) : list_equal(schema, a, b);
	}
	return plain_equal(a, b);
}

static void defaults_fill(const struct schema_value *schema, json_t *value, bool live)
{
	const char *key;
	size_t index;
	json_t *item;

	if (schema->kind == SCHEMA_LIST) {
		json_array_foreach(value, index, item) defaults_fill(schema->item, item, live);
	} else if (schema->kind == SCHEMA_MAP && json_is_object(value)) {
		json_object_foreach(value, key, item) defaults_fill(schema->item, item, live);
	} else if (schema->kind == SCHEMA_OBJECT && json_is_object(value)) {
		for (size_t i = 0; i < schema->member_count; i++) {
			const struct schema_member *member = &schema->members[i];

			item = json_object_get(value, member->name);
			if (item != NULL)
				defaults_fill(&member->value, item, live);
			else if (member->initial != NULL && !(live && member->write_only))
				json_object_set_new(value, member->name, json_deep_copy(member->initial));
		}
	}
}

json_t *engine_with_defaults(const struct schema_value *object, const json_t *properties, bool live)
{
	json_t *copy = json_is_object(properties) ? json_deep_copy(properties) : json_object();

	defaults_fill(object, copy, live);
	return copy;
}
