/* Expressions of handlers. A template is JSON in which strings may hold ${path}: a string that is one reference and
 * nothing else takes the value with its type, any other becomes text. What a reference does not find is absent, and
 * absence spreads: a string with an absent part, an object or list whose parts are all absent, is absent too. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "providers/aws/engine/engine.h"

/* One step of a path: ".name" or "[number]" at *rest, which is moved behind it. */
static json_t *path_step(const json_t *value, const char **rest)
{
	const char *s = *rest;
	char *end;

	if (*s == '[') {
		long index = strtol(s + 1, &end, 10);
		size_t size = json_array_size(value);

		*rest = *end == ']' ? end + 1 : end + strlen(end);
		if (index < 0)
			index += (long)size;
		return index < 0 ? NULL : json_array_get(value, (size_t)index);
	}
	s += *s == '.';
	/* Attributes may have dots in their names: the whole rest first. */
	if (json_object_get(value, s) != NULL) {
		*rest = s + strlen(s);
		return json_object_get(value, s);
	}
	size_t len = strcspn(s, ".[");
	mem_auto_str char *name = mem_strndup(s, len);

	*rest = s + len;
	return json_object_get(value, name);
}

json_t *engine_lookup(const struct engine_scope *scope, const char *path)
{
	size_t len = strcspn(path, ".[");
	mem_auto_str char *root = mem_strndup(path, len);
	const char *rest = path + len;
	json_t *value = NULL;

	for (; scope != NULL && value == NULL; scope = scope->up)
		value = json_object_get(scope->names, root);
	while (value != NULL && *rest != '\0')
		value = path_step(value, &rest);
	return json_is_null(value) ? NULL : value;
}

/* Adds the text of a plain value; lists and objects as JSON. */
static void text_add(struct buf *out, const json_t *value)
{
	char *dumped;

	if (json_is_string(value)) {
		buf_adds(out, json_string_value(value));
		return;
	}
	dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	buf_adds(out, dumped);
	free(dumped);
}

/* Splits "Name|otherwise"; the reference found, or the text after '|', or NULL. */
static json_t *reference(const struct engine_scope *scope, const char *s, size_t len)
{
	mem_auto_str char *path = mem_strndup(s, len);
	char *otherwise = strchr(path, '|');
	json_t *value;

	if (otherwise != NULL)
		*otherwise++ = '\0';
	value = engine_lookup(scope, path);
	if (value != NULL)
		return json_incref(value);
	return otherwise != NULL ? json_string(otherwise) : NULL;
}

static json_t *string_eval(const struct engine_scope *scope, const char *s)
{
	const char *open = strstr(s, "${"), *close = open != NULL ? strchr(open, '}') : NULL;
	buf_auto struct buf out = BUF_INIT;

	if (close == NULL)
		return json_string(s);
	if (open == s && close[1] == '\0')
		return reference(scope, s + 2, (size_t)(close - s - 2));
	for (; close != NULL; open = strstr(s, "${"), close = open != NULL ? strchr(open, '}') : NULL) {
		json_t *value = reference(scope, open + 2, (size_t)(close - open - 2));

		if (value == NULL)
			return NULL;
		buf_add(&out, s, (size_t)(open - s));
		text_add(&out, value);
		json_decref(value);
		s = close + 1;
	}
	buf_adds(&out, s);
	return json_string(buf_str(&out));
}

static json_t *object_eval(const struct engine_scope *scope, const json_t *template, bool keep_empty)
{
	json_t *out = json_object(), *item, *value;
	const char *key;

	json_object_foreach((json_t *)template, key, item)
	{
		value = engine_eval(scope, item);
		if (value != NULL)
			json_object_set_new(out, key, value);
	}
	if (!keep_empty && json_object_size(out) == 0 && json_object_size(template) > 0) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static json_t *list_eval(const struct engine_scope *scope, const json_t *template)
{
	json_t *out = json_array(), *item, *value;
	size_t i;

	json_array_foreach((json_t *)template, i, item)
	{
		value = engine_eval(scope, item);
		if (value != NULL)
			json_array_append_new(out, value);
	}
	if (json_array_size(out) == 0 && json_array_size(template) > 0) {
		json_decref(out);
		return NULL;
	}
	return out;
}

const struct engine_word *engine_word_of(const json_t *expression, json_t **arguments)
{
	void *member = json_object_iter((json_t *)expression);

	if (json_object_size(expression) != 1 || json_object_iter_key(member)[0] != '$')
		return NULL;
	*arguments = json_object_iter_value(member);
	return engine_word_find(json_object_iter_key(member));
}

json_t *engine_eval(const struct engine_scope *scope, const json_t *expression)
{
	const struct engine_word *word;
	json_t *arguments;

	if (json_is_string(expression))
		return string_eval(scope, json_string_value(expression));
	if (json_is_array(expression))
		return list_eval(scope, expression);
	if (!json_is_object(expression))
		return json_is_null(expression) ? NULL : json_incref((json_t *)expression);
	word = engine_word_of(expression, &arguments);
	return word != NULL ? word->call(scope, arguments) : object_eval(scope, expression, false);
}

json_t *engine_eval_object(const struct engine_scope *scope, const json_t *template)
{
	json_t *value, *arguments;

	if (template == NULL)
		return json_object();
	if (engine_word_of(template, &arguments) == NULL && json_is_object(template))
		return object_eval(scope, template, true);
	value = engine_eval(scope, template);
	if (json_is_object(value))
		return value;
	json_decref(value);
	return json_object();
}

char *engine_eval_string(const struct engine_scope *scope, const json_t *expression)
{
	json_t *value = engine_eval(scope, expression);
	struct buf out = BUF_INIT;

	if (value == NULL)
		return NULL;
	text_add(&out, value);
	json_decref(value);
	return buf_detach(&out);
}

bool engine_truth(const json_t *value)
{
	switch (value != NULL ? json_typeof(value) : JSON_NULL) {
	case JSON_NULL:
	case JSON_FALSE:
		return false;
	case JSON_STRING:
		return json_string_length(value) > 0;
	case JSON_ARRAY:
		return json_array_size(value) > 0;
	case JSON_OBJECT:
		return json_object_size(value) > 0;
	case JSON_INTEGER:
		return json_integer_value(value) != 0;
	default:
		return true;
	}
}

bool engine_condition(const struct engine_scope *scope, const json_t *expression)
{
	json_t *value;
	bool truth;

	if (expression == NULL)
		return true;
	value = engine_eval(scope, expression);
	truth = engine_truth(value);
	json_decref(value);
	return truth;
}
