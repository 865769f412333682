/* The $Words of expressions, one small function each. An absent argument makes most of them absent. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/engine/words.h"

json_t *engine_argument(const struct engine_scope *scope, const json_t *arguments, size_t i)
{
	const json_t *expression = json_array_get(arguments, i);

	return expression != NULL ? engine_eval(scope, expression) : NULL;
}

const char *engine_literal(const json_t *arguments, size_t i, const char *otherwise)
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

/* ["a:b:c", ":", 1] -> "b"; -1 is the last; behind the last part there is nothing. */
static json_t *word_part(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *value = engine_argument(scope, arguments, 0), *out = NULL, *parts = json_array();
	const char *separator = engine_literal(arguments, 1, ":"), *s = json_string_value(value), *end;
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

/* -- Choices and conditions --------------------------------------------------------------------------------------- */

/* The first that is there. */
static json_t *word_first(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *value = NULL;

	for (size_t i = 0; i < json_array_size(arguments) && value == NULL; i++)
		value = engine_argument(scope, arguments, i);
	return value;
}

static json_t *word_if(const struct engine_scope *scope, const json_t *arguments)
{
	return engine_argument(scope, arguments, engine_condition(scope, json_array_get(arguments, 0)) ? 1 : 2);
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
	json_t *a = engine_argument(scope, arguments, 0), *b = engine_argument(scope, arguments, 1);
	bool equal = a == b || (a != NULL && b != NULL && json_equal(a, b));

	json_decref(a);
	json_decref(b);
	return json_boolean(equal);
}

/* [text, glob] */
static json_t *word_matches(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *text = engine_argument(scope, arguments, 0), *glob = engine_argument(scope, arguments, 1);
	bool matches =
	    json_is_string(text) && json_is_string(glob) && text_glob(json_string_value(glob), json_string_value(text));

	json_decref(text);
	json_decref(glob);
	return json_boolean(matches);
}

/* [list, value] */
static json_t *word_has(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *list = engine_argument(scope, arguments, 0), *wanted = engine_argument(scope, arguments, 1), *item;
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

const struct engine_word engine_words[] = {
    {"$Json", 0, 0, false, word_json},
    {"$Parse", 0, 0, false, word_parse},
    {"$Part", 3, 3, false, word_part},
    {"$Zip", 2, 2, false, engine_word_zip},
    {"$Camel", 0, 0, false, word_camel},
    {"$Pascal", 0, 0, false, word_pascal},
    {"$Get", 2, 2, false, engine_word_get},
    {"$Map", 2, 2, true, engine_word_map},
    {"$Filter", 2, 2, true, engine_word_filter},
    {"$Pick", 2, 2, true, engine_word_pick},
    {"$Pairs", 1, 3, false, engine_word_pairs},
    {"$Object", 1, 3, false, engine_word_object},
    {"$Minus", 2, 16, false, engine_word_minus},
    {"$Concat", 1, 8, false, engine_word_concat},
    {"$Merge", 1, 8, false, engine_word_merge},
    {"$UserTags", 0, 0, false, engine_word_user_tags},
    {"$First", 1, 8, false, word_first},
    {"$If", 2, 3, false, word_if},
    {"$Not", 0, 0, false, word_not},
    {"$And", 1, 16, false, word_and},
    {"$Or", 1, 16, false, word_or},
    {"$Equals", 2, 2, false, word_equals},
    {"$Matches", 2, 2, false, word_matches},
    {"$Has", 2, 2, false, word_has},
    {"$Exists", 0, 0, false, word_exists},
    {"$Changed", 0, 0, false, engine_word_changed},
    {"$OrClear", 2, 2, false, engine_word_or_clear},
    {"$Spelled", 2, 2, false, engine_word_spelled},
    {"$Only", 2, 3, false, engine_word_only},
    {NULL, 0, 0, false, NULL},
};

const struct engine_word *engine_word_find(const char *name)
{
	for (const struct engine_word *word = engine_words; word->name != NULL; word++)
		if (strcmp(word->name, name) == 0)
			return word;
	return NULL;
}
