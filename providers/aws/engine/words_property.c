/* Words that know properties: what is to change, and live values as the spec would say them. */
#include <stdlib.h>
#include <string.h>

#include "providers/aws/engine/words.h"

static const struct engine_scope *scope_root(const struct engine_scope *scope)
{
	while (scope->up != NULL)
		scope = scope->up;
	return scope;
}

static bool property_changed(const struct engine_scope *scope, const char *name)
{
	const struct engine_scope *root = scope_root(scope);
	const struct schema_member *member;
	const json_t *wanted, *prior;

	member = root->type != NULL ? schema_value_member(&root->type->properties, name) : NULL;
	wanted = json_object_get(json_object_get(root->names, "Properties"), name);
	prior = json_object_get(json_object_get(root->names, "Prior"), name);
	if (member == NULL || (wanted == NULL && member->computed))
		return false;
	return !engine_equal(&member->value, wanted, prior);
}

/* A property's name or a list of them: whether one of them is to become another than it was. */
json_t *engine_word_changed(const struct engine_scope *scope, const json_t *arguments)
{
	size_t i;
	json_t *name;

	if (json_is_string(arguments))
		return json_boolean(property_changed(scope, json_string_value(arguments)));
	json_array_foreach((json_t *)arguments, i, name)
	{
		if (json_is_string(name) && property_changed(scope, json_string_value(name)))
			return json_true();
	}
	return json_false();
}

/* ["Name", otherwise]: the property as desired; where it was there before and is left out now, the second argument,
 * which is how the service is told to take it away. Absent where there is nothing to say. */
json_t *engine_word_or_clear(const struct engine_scope *scope, const json_t *arguments)
{
	const char *name = engine_literal(arguments, 0, "");
	const struct engine_scope *root = scope_root(scope);
	json_t *wanted = json_object_get(json_object_get(root->names, "Properties"), name);

	if (wanted != NULL)
		return json_incref(wanted);
	return property_changed(scope, name) ? engine_argument(scope, arguments, 1) : NULL;
}

/* "x" and "arn:...:x" or "arn:.../x" */
static bool ends_with_part(const char *longer, const char *part)
{
	size_t longer_len = strlen(longer), len = strlen(part);

	return longer_len > len && len > 0 && strcmp(longer + longer_len - len, part) == 0 &&
	       strchr(":/", longer[longer_len - len - 1]) != NULL;
}

/* [live, recorded]: live, but in the spelling of the record where one of them is the other's ARN. */
json_t *engine_word_spelled(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *live = engine_argument(scope, arguments, 0), *recorded = engine_argument(scope, arguments, 1);
	const char *a = json_string_value(live), *b = json_string_value(recorded);

	if (a != NULL && b != NULL && (ends_with_part(a, b) || ends_with_part(b, a))) {
		json_decref(live);
		return recorded;
	}
	json_decref(recorded);
	return live;
}

static json_t *only(const json_t *live, const json_t *asked, const char *key);

static json_t *only_members(const json_t *live, const json_t *asked, const char *key)
{
	json_t *out = json_object(), *item;
	const char *name;

	json_object_foreach((json_t *)asked, name, item)
	{
		const json_t *value = json_object_get(live, name);

		if (value != NULL)
			json_object_set_new(out, name, only(value, item, key));
	}
	return out;
}

static json_t *only_elements(const json_t *live, const json_t *asked, const char *key)
{
	json_t *out = json_array(), *item, *wanted;
	size_t i, j;

	json_array_foreach((json_t *)asked, j, wanted)
	{
		json_array_foreach((json_t *)live, i, item)
		{
			const json_t *a = json_object_get(item, key), *b = json_object_get(wanted, key);

			if (a != NULL && b != NULL && json_equal(a, b))
				json_array_append_new(out, only(item, wanted, key));
		}
	}
	return out;
}

static json_t *only(const json_t *live, const json_t *asked, const char *key)
{
	if (json_is_object(live) && json_is_object(asked))
		return only_members(live, asked, key);
	if (json_is_array(live) && json_is_object(json_array_get(asked, 0)))
		return only_elements(live, asked, key);
	return json_incref((json_t *)live);
}

/* [live, asked, "Key"]: of what a service always lists in full, the parts that the spec speaks of: the members of
 * objects, and the elements of lists by Key. Without `asked`, all of it. */
json_t *engine_word_only(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *live = engine_argument(scope, arguments, 0), *asked = engine_argument(scope, arguments, 1);
	json_t *out = live != NULL ? only(live, asked, engine_literal(arguments, 2, "Key")) : NULL;

	json_decref(live);
	json_decref(asked);
	return out;
}
