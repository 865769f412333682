/* The $Words of expressions, one small function each. An absent argument makes most of them absent. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/engine/engine.h"

static json_t *argument(const struct engine_scope *scope, const json_t *arguments, size_t i)
{
	const json_t *expression = json_array_get(arguments, i);

	return expression != NULL ? engine_eval(scope, expression) : NULL;
}

/* A literal word among the arguments, such as a member's name. */
static const char *literal(const json_t *arguments, size_t i, const char *otherwise)
{
	const char *text = json_string_value(json_array_get(arguments, i));

	return text != NULL ? text : otherwise;
}

/* -- Text and documents ------------------------------------------------------------------------------------------- */

/* A string stays, anything else becomes its JSON: documents to strings, 5 to "5", true to "true". */
static json_t *word_json(const struct engine_scope *scope, const json_t *arguments)
{
	mem_auto_str char *text = engine_eval_string(scope, arguments);

	return text != NULL ? json_string(text) : NULL;
}

/* The reverse: JSON in a string to its value. What is no JSON stays as it is. */
static json_t *word_parse(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *value = engine_eval(scope, arguments), *parsed;

	if (!json_is_string(value))
		return value;
	parsed = json_loads(json_string_value(value), JSON_DECODE_ANY, NULL);
	if (parsed != NULL || json_string_length(value) == 0) {
		json_decref(value);
		return json_is_null(parsed) ? NULL : parsed;
	}
	return value;
}

static json_t *word_url_decode(const struct engine_scope *scope, const json_t *arguments)
{
	mem_auto_str char *text = engine_eval_string(scope, arguments);
	buf_auto struct buf out = BUF_INIT;

	if (text == NULL)
		return NULL;
	for (const char *s = text; *s != '\0'; s++) {
		if (*s == '%' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2])) {
			const char digits[] = {s[1], s[2], '\0'};

			buf_addc(&out, (char)strtol(digits, NULL, 16));
			s += 2;
		} else {
			buf_addc(&out, *s);
		}
	}
	return json_string(buf_str(&out));
}

/* ["a:b:c", ":", 1] -> "b"; -1 is the last; behind the last part there is nothing. */
static json_t *word_part(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *value = argument(scope, arguments, 0), *out = NULL, *parts = json_array();
	const char *separator = literal(arguments, 1, ":"), *s = json_string_value(value), *end;
	json_int_t index = json_integer_value(json_array_get(arguments, 2));

	while (s != NULL) {
		end = *separator != '\0' ? strstr(s, separator) : NULL;
		json_array_append_new(parts, end != NULL ? json_stringn(s, (size_t)(end - s)) : json_string(s));
		s = end != NULL ? end + strlen(separator) : NULL;
	}
	if (index < 0)
		index += (json_int_t)json_array_size(parts);
	if (index >= 0)
		out = json_incref(json_array_get(parts, (size_t)index));
	json_decref(parts);
	json_decref(value);
	return out;
}

/* Every member's name, at any depth, with another first letter. */
static json_t *rename_keys(const json_t *value, int (*convert)(int))
{
	json_t *out, *item;
	const char *key;
	size_t i;

	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach((json_t *)value, i, item) json_array_append_new(out, rename_keys(item, convert));
	} else if (json_is_object(value)) {
		out = json_object();
		json_object_foreach((json_t *)value, key, item)
		{
			mem_auto_str char *name = mem_strdup(key);

			name[0] = (char)convert((unsigned char)name[0]);
			json_object_set_new(out, name, rename_keys(item, convert));
		}
	} else {
		out = json_incref((json_t *)value);
	}
	return out;
}

static json_t *renamed(const struct engine_scope *scope, const json_t *expression, int (*convert)(int))
{
	json_t *value = engine_eval(scope, expression), *out = value != NULL ? rename_keys(value, convert) : NULL;

	json_decref(value);
	return out;
}

static json_t *word_camel(const struct engine_scope *scope, const json_t *arguments)
{
	return renamed(scope, arguments, tolower);
}

static json_t *word_pascal(const struct engine_scope *scope, const json_t *arguments)
{
	return renamed(scope, arguments, toupper);
}

/* -- Lists and maps ----------------------------------------------------------------------------------------------- */

enum each { EACH_MAP, EACH_FILTER, EACH_PICK };

/* Evaluates the second argument once for each element of the first, with the element as ${Item}. */
static json_t *for_each(const struct engine_scope *scope, const json_t *arguments, enum each each)
{
	json_t *list = argument(scope, arguments, 0), *out = each == EACH_PICK ? NULL : json_array(), *item;
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

static json_t *word_map(const struct engine_scope *scope, const json_t *arguments)
{
	return for_each(scope, arguments, EACH_MAP);
}

static json_t *word_filter(const struct engine_scope *scope, const json_t *arguments)
{
	return for_each(scope, arguments, EACH_FILTER);
}

static json_t *word_pick(const struct engine_scope *scope, const json_t *arguments)
{
	return for_each(scope, arguments, EACH_PICK);
}

/* [map, "Key", "Value"]: a list of pairs. */
static json_t *word_pairs(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *map = argument(scope, arguments, 0), *out, *item;
	const char *key, *key_name = literal(arguments, 1, "Key"), *value_name = literal(arguments, 2, "Value");

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
static json_t *word_object(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *list = argument(scope, arguments, 0), *out, *item;
	const char *key_name = literal(arguments, 1, "Key"), *value_name = literal(arguments, 2, "Value");
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
		const char *key = literal(arguments, i, "");
		const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

		if (x != y && (x == NULL || y == NULL || !json_equal(x, y)))
			return false;
	}
	return true;
}

/* [A, B, "Key"...]: the elements of A that are not in B. */
static json_t *word_minus(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *a = argument(scope, arguments, 0), *b = argument(scope, arguments, 1), *out, *item, *other;
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

static json_t *word_concat(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(arguments); i++) {
		json_t *list = argument(scope, arguments, i);

		json_array_extend(out, list);
		json_decref(list);
	}
	return out;
}

/* Later objects lie over earlier ones. */
static json_t *word_merge(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *out = json_object();

	for (size_t i = 0; i < json_array_size(arguments); i++) {
		json_t *object = argument(scope, arguments, i);

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
static json_t *word_user_tags(const struct engine_scope *scope, const json_t *arguments)
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

/* -- Choices and conditions --------------------------------------------------------------------------------------- */

/* The first that is there. */
static json_t *word_first(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *value = NULL;

	for (size_t i = 0; i < json_array_size(arguments) && value == NULL; i++)
		value = argument(scope, arguments, i);
	return value;
}

static json_t *word_if(const struct engine_scope *scope, const json_t *arguments)
{
	return argument(scope, arguments, engine_condition(scope, json_array_get(arguments, 0)) ? 1 : 2);
}

static json_t *word_not(const struct engine_scope *scope, const json_t *arguments)
{
	return json_boolean(!engine_condition(scope, arguments));
}

static json_t *word_and(const struct engine_scope *scope, const json_t *arguments)
{
	for (size_t i = 0; i < json_array_size(arguments); i++)
		if (!engine_condition(scope, json_array_get(arguments, i)))
			return json_false();
	return json_true();
}

static json_t *word_or(const struct engine_scope *scope, const json_t *arguments)
{
	for (size_t i = 0; i < json_array_size(arguments); i++)
		if (engine_condition(scope, json_array_get(arguments, i)))
			return json_true();
	return json_false();
}

static json_t *word_equals(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *a = argument(scope, arguments, 0), *b = argument(scope, arguments, 1);
	bool equal = a == b || (a != NULL && b != NULL && json_equal(a, b));

	json_decref(a);
	json_decref(b);
	return json_boolean(equal);
}

/* [text, glob] */
static json_t *word_matches(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *text = argument(scope, arguments, 0), *glob = argument(scope, arguments, 1);
	bool matches =
	    json_is_string(text) && json_is_string(glob) && text_glob(json_string_value(glob), json_string_value(text));

	json_decref(text);
	json_decref(glob);
	return json_boolean(matches);
}

/* [list, value] */
static json_t *word_has(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *list = argument(scope, arguments, 0), *wanted = argument(scope, arguments, 1), *item;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, item) found = found || (wanted != NULL && json_equal(item, wanted));
	json_decref(list);
	json_decref(wanted);
	return json_boolean(found);
}

static json_t *word_exists(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *value = engine_eval(scope, arguments);
	bool exists = value != NULL;

	json_decref(value);
	return json_boolean(exists);
}

static bool property_changed(const struct engine_scope *scope, const char *name)
{
	const struct engine_scope *root = scope;
	const struct schema_member *member;
	const json_t *wanted, *prior;

	while (root->up != NULL)
		root = root->up;
	member = root->type != NULL ? schema_value_member(&root->type->properties, name) : NULL;
	wanted = json_object_get(json_object_get(root->names, "Properties"), name);
	prior = json_object_get(json_object_get(root->names, "Prior"), name);
	if (member == NULL || (wanted == NULL && member->computed))
		return false;
	return !engine_equal(&member->value, wanted, prior);
}

/* A property's name or a list of them: whether one of them is to become another than it was. */
static json_t *word_changed(const struct engine_scope *scope, const json_t *arguments)
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

const struct engine_word engine_words[] = {
    {"$Json", 0, 0, false, word_json},
    {"$Parse", 0, 0, false, word_parse},
    {"$UrlDecode", 0, 0, false, word_url_decode},
    {"$Part", 3, 3, false, word_part},
    {"$Camel", 0, 0, false, word_camel},
    {"$Pascal", 0, 0, false, word_pascal},
    {"$Map", 2, 2, true, word_map},
    {"$Filter", 2, 2, true, word_filter},
    {"$Pick", 2, 2, true, word_pick},
    {"$Pairs", 1, 3, false, word_pairs},
    {"$Object", 1, 3, false, word_object},
    {"$Minus", 2, 8, false, word_minus},
    {"$Concat", 1, 8, false, word_concat},
    {"$Merge", 1, 8, false, word_merge},
    {"$UserTags", 0, 0, false, word_user_tags},
    {"$First", 1, 8, false, word_first},
    {"$If", 2, 3, false, word_if},
    {"$Not", 0, 0, false, word_not},
    {"$And", 1, 16, false, word_and},
    {"$Or", 1, 16, false, word_or},
    {"$Equals", 2, 2, false, word_equals},
    {"$Matches", 2, 2, false, word_matches},
    {"$Has", 2, 2, false, word_has},
    {"$Exists", 0, 0, false, word_exists},
    {"$Changed", 0, 0, false, word_changed},
    {NULL, 0, 0, false, NULL},
};

const struct engine_word *engine_word_find(const char *name)
{
	for (const struct engine_word *word = engine_words; word->name != NULL; word++)
		if (strcmp(word->name, name) == 0)
			return word;
	return NULL;
}
