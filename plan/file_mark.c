/* Values in a plan file: what is unknown and what is sensitive stands beside them, as in Terraform's format. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/compare.h"
#include "plan/file_private.h"

/* -- Unknown parts ------------------------------------------------------------------------------------------------- */

static json_t *known_part(const json_t *value, json_t *path, json_t *unknown, json_t **marks);

/* The mark of something in which nothing is marked. */
static json_t *no_mark(const json_t *value)
{
	if (json_is_object(value))
		return json_object();
	return json_is_array(value) ? json_array() : json_false();
}

static int order_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In order of names: a plan that was read and written again must not differ in the order of its unknown parts. */
static json_t *known_object(const json_t *object, json_t *path, json_t *unknown, json_t **marks)
{
	size_t count = 0;
	const char **names = mem_array(json_object_size(object), sizeof *names), *key;
	json_t *result = json_object(), *item;

	*marks = json_object();
	json_object_foreach((json_t *)object, key, item) names[count++] = key;
	qsort(names, count, sizeof *names, order_names);
	for (size_t i = 0; i < count; i++) {
		json_t *mark = NULL, *part;

		json_array_append_new(path, json_string(names[i]));
		part = known_part(json_object_get(object, names[i]), path, unknown, &mark);
		json_array_remove(path, json_array_size(path) - 1);
		if (part != NULL)
			json_object_set_new(result, names[i], part);
		if (mark != NULL)
			json_object_set_new(*marks, names[i], mark);
	}
	free(names);
	return result;
}

static json_t *known_list(const json_t *list, json_t *path, json_t *unknown, json_t **marks)
{
	json_t *result = json_array(), *item;
	size_t i;

	*marks = json_array();
	json_array_foreach((json_t *)list, i, item)
	{
		json_t *mark = NULL, *part;

		json_array_append_new(path, json_integer((json_int_t)i));
		part = known_part(item, path, unknown, &mark);
		json_array_remove(path, json_array_size(path) - 1);
		json_array_append_new(result, part != NULL ? part : json_null());
		json_array_append_new(*marks, mark != NULL ? mark : no_mark(item));
	}
	return result;
}

static json_t *known_part(const json_t *value, json_t *path, json_t *unknown, json_t **marks)
{
	*marks = NULL;
	if (!specs_has_unknown(value))
		return json_incref((json_t *)value);
	if (specs_is_residual(value)) {
		json_array_append_new(unknown, json_pack("{s:o, s:O}", "path", json_copy(path), "value", value));
		*marks = json_true();
		return NULL;
	}
	return json_is_object(value) ? known_object(value, path, unknown, marks)
				     : known_list(value, path, unknown, marks);
}

json_t *plan_file_known(const json_t *value, json_t *unknown, json_t **marks)
{
	json_t *path = json_array(), *result = known_part(value, path, unknown, marks);

	json_decref(path);
	return result;
}

/* A copy of `value` with `part` at `path` from `step` on; NULL when that leads nowhere. Steals nothing. */
static json_t *with_part(const json_t *value, const json_t *path, size_t step, json_t *part)
{
	const json_t *at = json_array_get(path, step);
	json_t *copy, *inner, *old;

	if (at == NULL)
		return json_incref(part);
	if (json_is_string(at) && json_is_object(value))
		old = json_object_get(value, json_string_value(at));
	else if (json_is_integer(at) && json_integer_value(at) >= 0 && json_is_array(value))
		old = json_array_get(value, (size_t)json_integer_value(at));
	else
		return NULL;
	inner = with_part(old, path, step + 1, part);
	if (inner == NULL)
		return NULL;
	copy = json_copy((json_t *)value);
	if (json_is_string(at))
		json_object_set_new(copy, json_string_value(at), inner);
	else if (json_array_set_new(copy, (size_t)json_integer_value(at), inner) != 0) {
		json_decref(copy);
		return NULL;
	}
	return copy;
}

int plan_file_restore(json_t **value, const json_t *unknown)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)unknown, i, item)
	{
		json_t *path = json_object_get(item, "path"), *part = json_object_get(item, "value"), *whole;

		if (!json_is_array(path) || part == NULL)
			return -1;
		whole = with_part(*value, path, 0, part);
		if (whole == NULL)
			return -1;
		json_decref(*value);
		*value = whole;
	}
	return 0;
}

/* -- Sensitive parts ----------------------------------------------------------------------------------------------- */

/* The schema of a part, NULL where there is none (inside JSON documents). */
static const struct schema_value *part_schema(const struct schema_value *schema, const char *key, bool *sensitive)
{
	const struct schema_member *member;

	if (schema == NULL)
		return NULL;
	if (schema->kind == SCHEMA_LIST || schema->kind == SCHEMA_MAP)
		return schema->item;
	if (schema->kind != SCHEMA_OBJECT || key == NULL)
		return NULL;
	member = schema_value_member(schema, key);
	if (member == NULL)
		return NULL;
	*sensitive = member->sensitive;
	return &member->value;
}

static bool is_secret(const json_t *value)
{
	return specs_is_residual(value) && !specs_has_unknown(value);
}

json_t *plan_file_sensitive(const struct schema_value *schema, const json_t *value)
{
	json_t *marks = NULL, *item;
	const char *key;
	size_t i;

	if (is_secret(value))
		return json_true();
	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, item)
		{
			bool sensitive = false;
			const struct schema_value *inner = part_schema(schema, key, &sensitive);
			json_t *mark = sensitive ? json_true() : plan_file_sensitive(inner, item);

			if (mark != NULL && marks == NULL)
				marks = json_object();
			if (mark != NULL)
				json_object_set_new(marks, key, mark);
		}
		return marks;
	}
	json_array_foreach((json_t *)value, i, item)
	{
		bool sensitive = false;
		json_t *mark = plan_file_sensitive(part_schema(schema, NULL, &sensitive), item);

		if (mark == NULL && marks == NULL)
			continue;
		if (marks == NULL) {
			marks = json_array();
			for (size_t before = 0; before < i; before++)
				json_array_append_new(marks, no_mark(json_array_get(value, before)));
		}
		json_array_append_new(marks, mark != NULL ? mark : no_mark(item));
	}
	return marks;
}

/* `value` with its marked parts replaced. */
static json_t *hide_marked(const json_t *value, const json_t *marks)
{
	json_t *result, *mark;
	const char *key;
	size_t i;

	if (json_is_true(marks))
		return specs_has_residual(value) ? json_incref((json_t *)value) : json_pack("{s:{}}", "Muster::Secret");
	if (!json_is_object(marks) && !json_is_array(marks))
		return json_incref((json_t *)value);
	result = json_copy((json_t *)value);
	json_object_foreach((json_t *)marks, key, mark)
	    json_object_set_new(result, key, hide_marked(json_object_get(value, key), mark));
	json_array_foreach((json_t *)marks, i, mark)
	    json_array_set_new(result, i, hide_marked(json_array_get(value, i), mark));
	return result;
}

json_t *plan_file_hidden(const struct schema_value *schema, const json_t *value)
{
	json_t *marks = plan_file_sensitive(schema, value);
	json_t *result = hide_marked(value, marks);

	json_decref(marks);
	return result;
}

/* -- Secrets that the service gives back ----------------------------------------------------------------------------
 */

/* Whether a value says by its structure which parts of a live one are secret, or has none. */
static bool leads_inside(const json_t *value, const json_t *live)
{
	if (!plan_holds_secret(value))
		return true;
	return !specs_is_residual(value) && json_typeof(value) == json_typeof(live) &&
	       (json_is_object(value) || json_is_array(value));
}

static json_t *masked_object(const struct schema_value *schema, const json_t *live, const json_t *desired,
			     const json_t *recorded)
{
	json_t *result = json_object(), *item;
	const char *key;

	json_object_foreach((json_t *)live, key, item)
	{
		bool sensitive;
		const struct schema_value *inner = part_schema(schema, key, &sensitive);

		json_object_set_new(
		    result, key,
		    plan_file_masked(inner, item, json_object_get(desired, key), json_object_get(recorded, key)));
	}
	return result;
}

/* Without keys an item is known to hold no secret only if it is one that was written without. */
static bool written_so(const json_t *list, const json_t *live)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		if (json_equal(item, (json_t *)live))
			return true;
	}
	return false;
}

static json_t *masked_list(const struct schema_value *schema, const json_t *live, const json_t *desired,
			   const json_t *recorded)
{
	const char *key = schema != NULL ? schema->key : NULL, *name;
	json_t *result = json_array(), *item;
	char scratch[32];
	size_t i;

	json_array_foreach((json_t *)live, i, item)
	{
		json_t *part;

		if (key != NULL && plan_scalar_text(json_object_get(item, key), scratch, &name))
			part = plan_file_masked(schema->item, item, plan_keyed_find(desired, key, name),
						plan_keyed_find(recorded, key, name));
		else if (written_so(desired, item) || written_so(recorded, item))
			part = json_incref(item);
		else
			part = json_pack("{s:{}}", "Muster::Secret");
		json_array_append_new(result, part);
	}
	return result;
}

json_t *plan_file_masked(const struct schema_value *schema, const json_t *live, const json_t *desired,
			 const json_t *recorded)
{
	if (live == NULL || plan_holds_secret(live) || (!plan_holds_secret(desired) && !plan_holds_secret(recorded)))
		return json_incref((json_t *)live);
	if (!leads_inside(desired, live) || !leads_inside(recorded, live))
		return json_pack("{s:{}}", "Muster::Secret");
	/* Documents are compared by meaning: nothing tells where in the live one a secret stands. */
	if (schema == NULL || plan_value_is_document(schema))
		return json_pack("{s:{}}", "Muster::Secret");
	return json_is_object(live) ? masked_object(schema, live, desired, recorded)
				    : masked_list(schema, live, desired, recorded);
}

/* -- Paths --------------------------------------------------------------------------------------------------------- */

static json_t *path_item(const char *text, size_t len)
{
	mem_auto_str char *word = mem_strndup(text, len);
	char *end;
	long index = strtol(word, &end, 10);

	if (len > 0 && isdigit((unsigned char)word[0]) && *end == '\0' && len < 10)
		return json_integer(index);
	return json_string(word);
}

json_t *plan_file_path(const char *path)
{
	json_t *steps = json_array();

	while (*path != '\0') {
		size_t len;

		if (*path == '[') {
			len = strcspn(path, "]");
			json_array_append_new(steps, path_item(path + 1, len - 1));
			path += len + (path[len] == ']');
		} else {
			len = strcspn(path, ".[");
			json_array_append_new(steps, json_stringn(path, len));
			path += len;
		}
		path += *path == '.';
	}
	return steps;
}
