/* Words over lists and maps. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "providers/aws/engine/words.h"

/* [object, name]: the member whose name the second argument gives. */
json_t *engine_word_get(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *object = engine_argument(scope, arguments, 0), *name = engine_argument(scope, arguments, 1);
	json_t *value = name != NULL ? json_incref(json_object_get(object, json_string_value(name))) : NULL;

	json_decref(object);
	json_decref(name);
	return value;
}

enum each { EACH_MAP, EACH_FILTER, EACH_PICK };

/* Evaluates the second argument once for each element of the first, with the element as ${Item}. */
static json_t *for_each(const struct engine_scope *scope, const json_t *arguments, enum each each)
{
	json_t *list = engine_argument(scope, arguments, 0), *out = each == EACH_PICK ? NULL : json_array(), *item;
	json_t *names = json_object();
	const struct engine_scope inner = {scope, names, NULL};
	size_t i;

	json_array_foreach(list, i, item)
	{
		json_t *value;

		json_object_set(names, "Item", item);
		value = engine_eval(&inner, json_array_get(arguments, 1));
		if (each == EACH_MAP && value != NULL)
			json_array_append(out, value);
		else if (each == EACH_FILTER && engine_truth(value))
			json_array_append(out, item);
		else if (each == EACH_PICK && engine_truth(value) && out == NULL)
			out = json_incref(item);
		json_decref(value);
	}
	if (!json_is_array(list) && out != NULL) {
		json_decref(out);
		out = NULL;
	}
	json_decref(names);
	json_decref(list);
	return out;
}

json_t *engine_word_map(const struct engine_scope *scope, const json_t *arguments)
{
	return for_each(scope, arguments, EACH_MAP);
}

json_t *engine_word_filter(const struct engine_scope *scope, const json_t *arguments)
{
	return for_each(scope, arguments, EACH_FILTER);
}

json_t *engine_word_pick(const struct engine_scope *scope, const json_t *arguments)
{
	return for_each(scope, arguments, EACH_PICK);
}

/* [map, "Key", "Value"]: a list of pairs. */
json_t *engine_word_pairs(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *map = engine_argument(scope, arguments, 0), *out, *item;
	const char *key, *key_name = engine_literal(arguments, 1, "Key"),
			 *value_name = engine_literal(arguments, 2, "Value");

	if (map == NULL)
		return NULL;
	out = json_array();
	json_object_foreach(map, key, item)
	{
		json_array_append_new(out, json_pack("{s:s, s:O}", key_name, key, value_name, item));
	}
	json_decref(map);
	return out;
}

/* [list, "Key", "Value"]: the reverse. */
json_t *engine_word_object(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *list = engine_argument(scope, arguments, 0), *out, *item;
	const char *key_name = engine_literal(arguments, 1, "Key"), *value_name = engine_literal(arguments, 2, "Value");
	size_t i;

	if (list == NULL)
		return NULL;
	out = json_object();
	json_array_foreach(list, i, item)
	{
		const char *key = json_string_value(json_object_get(item, key_name));
		json_t *value = json_object_get(item, value_name);

		if (key != NULL)
			json_object_set_new(out, key, value != NULL ? json_incref(value) : json_string(""));
	}
	json_decref(list);
	return out;
}

/* Whether two elements agree: on the members named from argument 2 on, or altogether where none is named. */
static bool same_element(const json_t *a, const json_t *b, const json_t *arguments)
{
	if (json_array_size(arguments) <= 2)
		return json_equal(a, b) != 0;
	for (size_t i = 2; i < json_array_size(arguments); i++) {
		const char *key = engine_literal(arguments, i, "");
		const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

		if (x != y && (x == NULL || y == NULL || !json_equal(x, y)))
			return false;
	}
	return true;
}

/* [A, B, "Key"...]: the elements of A that are not in B. */
json_t *engine_word_minus(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *a = engine_argument(scope, arguments, 0), *b = engine_argument(scope, arguments, 1), *out, *item,
	       *other;
	size_t i, j;

	if (a == NULL) {
		json_decref(b);
		return NULL;
	}
	out = json_array();
	json_array_foreach(a, i, item)
	{
		bool found = false;

		json_array_foreach(b, j, other) found = found || same_element(item, other, arguments);
		if (!found)
			json_array_append(out, item);
	}
	json_decref(a);
	json_decref(b);
	return out;
}

json_t *engine_word_concat(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(arguments); i++) {
		json_t *list = engine_argument(scope, arguments, i);

		json_array_extend(out, list);
		json_decref(list);
	}
	return out;
}

/* Later objects lie over earlier ones. */
json_t *engine_word_merge(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *out = json_object();

	for (size_t i = 0; i < json_array_size(arguments); i++) {
		json_t *object = engine_argument(scope, arguments, i);

		json_object_update(out, object);
		json_decref(object);
	}
	if (json_object_size(out) > 0)
		return out;
	json_decref(out);
	return NULL;
}

static void tag_add(json_t *out, const char *key, const json_t *value)
{
	if (key != NULL && !text_starts(key, "aws:") && !text_starts(key, "muster:"))
		json_array_append_new(out, json_pack("{s:s, s:s}", "Key", key, "Value",
						     json_is_string(value) ? json_string_value(value) : ""));
}

/* Tags however the service spells them (map; Key/Value; TagKey/TagValue; key/value) as a list of Key and Value,
 * without those that belong to AWS or to us. None is an empty list. */
json_t *engine_word_user_tags(const struct engine_scope *scope, const json_t *arguments)
{
	static const char *const spellings[][2] = {{"Key", "Value"}, {"TagKey", "TagValue"}, {"key", "value"}};
	json_t *tags = engine_eval(scope, arguments), *out = json_array(), *item;
	const char *key;
	size_t i;

	json_object_foreach(tags, key, item) tag_add(out, key, item);
	json_array_foreach(tags, i, item)
	{
		for (size_t s = 0; s < sizeof spellings / sizeof *spellings; s++)
			tag_add(out, json_string_value(json_object_get(item, spellings[s][0])),
				json_object_get(item, spellings[s][1]));
	}
	json_decref(tags);
	return out;
}
