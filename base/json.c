/* See json.h. */
#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void json_path_print(struct buf *out, const struct json_path *path)
{
	if (path == NULL)
		return;
	json_path_print(out, path->up);
	if (path->key == NULL)
		buf_addf(out, "[%zu]", path->index);
	else
		buf_addf(out, "%s%s", path->up == NULL ? "" : ".", path->key);
}

static void doc_tell(enum diag_level level, const struct json_doc *doc, const struct json_path *path, bool at_key,
		     struct diag *d, const char *format, va_list args)
{
	buf_auto struct buf shown = BUF_INIT;
	mem_auto_str char *text = NULL;
	struct diag_place place = {0};

	if (vasprintf(&text, format, args) < 0)
		text = mem_strdup("out of memory while writing a message");
	json_path_print(&shown, path);
	place.json_path = shown.len > 0 ? shown.data : NULL;
	if (doc != NULL) {
		place.file = doc->file;
		json_doc_locate(doc, path, at_key, &place.line, &place.column);
	}
	diag_at(d, level, &place, "%s", text);
}

void json_doc_error(const struct json_doc *doc, const struct json_path *path, bool at_key, struct diag *d,
		    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	doc_tell(DIAG_ERROR, doc, path, at_key, d, format, args);
	va_end(args);
}

void json_doc_warning(const struct json_doc *doc, const struct json_path *path, struct diag *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	doc_tell(DIAG_WARNING, doc, path, false, d, format, args);
	va_end(args);
}

const char *json_get_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_get_bool(const json_t *object, const char *key, bool otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

void json_push(json_t *object, const char *key, json_t *item)
{
	json_t *list = json_object_get(object, key);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(object, key, list);
	}
	json_array_append_new(list, item);
}

const char *json_kind_name(const json_t *value)
{
	if (value == NULL)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "object";
	case JSON_ARRAY:
		return "list";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
		return "integer";
	case JSON_REAL:
		return "number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "boolean";
	case JSON_NULL:
		break;
	}
	return "null";
}
