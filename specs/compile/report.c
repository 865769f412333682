/* Messages with their place in a stack file, and the checks that every document needs: known keys, kinds. */
#include "specs/compile/compile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A path holds at most the document's depth, twice for the argument lists between function and argument. */
#define PATH_MAX_LINKS (JSON_DOC_MAX_DEPTH + 8)

void specs_node_with_path(const struct node *node, node_path_callback *call, void *payload)
{
	struct json_path links[PATH_MAX_LINKS];
	const struct node *chain[PATH_MAX_LINKS];
	size_t count = 0;
	const struct json_path *path = NULL;

	for (; node != NULL && node->up != NULL && count < PATH_MAX_LINKS; node = node->up)
		chain[count++] = node;
	for (size_t i = 0; i < count; i++) {
		const struct node *at = chain[count - 1 - i];

		links[i] = (struct json_path){path, at->key, at->index};
		path = &links[i];
	}
	call(payload, path);
}

struct report {
	const struct json_doc *doc;
	bool at_key;
	enum diag_level level;
	struct diag *d;
	const char *text;
	struct diag_place *place;
	struct arena *arena;
};

static void report_at(void *payload, const struct json_path *path)
{
	const struct report *report = payload;

	if (report->level == DIAG_ERROR)
		json_doc_error(report->doc, path, report->at_key, report->d, "%s", report->text);
	else if (report->level == DIAG_WARNING)
		json_doc_warning(report->doc, path, report->d, "%s", report->text);
	else {
		struct diag_place place = {report->doc->file, 0, 0, NULL};
		buf_auto struct buf spelled = BUF_INIT;

		json_path_print(&spelled, path);
		place.json_path = buf_str(&spelled);
		json_doc_locate(report->doc, path, report->at_key, &place.line, &place.column);
		diag_at(report->d, report->level, &place, "%s", report->text);
	}
}

void specs_node_error(const struct stack *stack, const struct node *node, bool at_key, struct diag *d,
		      const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	struct report report = {stack->doc, at_key, DIAG_ERROR, d, NULL, NULL, NULL};
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	report.text = buf_str(&text);
	specs_node_with_path(node, report_at, &report);
}

void specs_node_warning(const struct stack *stack, const struct node *node, enum diag_level level, struct diag *d,
			const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	struct report report = {stack->doc, true, level, d, NULL, NULL, NULL};
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	report.text = buf_str(&text);
	specs_node_with_path(node, report_at, &report);
}

static void place_at(void *payload, const struct json_path *path)
{
	const struct report *report = payload;
	buf_auto struct buf spelled = BUF_INIT;

	json_path_print(&spelled, path);
	report->place->file = report->doc->file;
	report->place->json_path = specs_arena_strdup(report->arena, buf_str(&spelled));
	json_doc_locate(report->doc, path, true, &report->place->line, &report->place->column);
}

void specs_node_place(const struct stack *stack, const struct node *node, struct arena *arena, struct diag_place *out)
{
	struct report report = {stack->doc, true, DIAG_ERROR, NULL, NULL, out, arena};

	specs_node_with_path(node, place_at, &report);
}

char *specs_report_nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *nearest = count == 0 ? NULL : text_nearest(word, candidates, count);

	return nearest == NULL ? mem_strdup("") : mem_printf(" (did you mean \"%s\"?)", nearest);
}

int specs_report_keys(const struct json_doc *doc, const struct json_path *path, const json_t *object,
		      const char *const *allowed, const char *what, struct diag *d)
{
	size_t count = 0;
	const char *key;
	json_t *value;
	int result = 0;

	while (allowed[count] != NULL)
		count++;
	json_object_foreach((json_t *)object, key, value)
	{
		size_t i = 0;

		while (i < count && strcmp(allowed[i], key) != 0)
			i++;
		if (i == count) {
			mem_auto_str char *nearest = specs_report_nearest(key, allowed, count);

			json_doc_error(doc, JSON_PATH_KEY(path, key), true, d, "unknown %s \"%s\"%s", what, key,
				       nearest);
			result = -1;
		}
	}
	return result;
}

static const char *type_name(json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	default:
		return "null";
	}
}

const json_t *specs_report_member(const struct json_doc *doc, const struct json_path *path, const json_t *object,
				  const char *key, json_type type, bool required, bool *bad, struct diag *d)
{
	const json_t *value = json_object_get(object, key);

	if (value == NULL) {
		if (required) {
			json_doc_error(doc, path, false, d, "\"%s\" is missing", key);
			*bad = true;
		}
		return NULL;
	}
	if (json_typeof(value) == type || (type == JSON_TRUE && json_is_boolean(value)))
		return value;
	json_doc_error(doc, JSON_PATH_KEY(path, key), false, d, "must be %s, not %s", type_name(type),
		       json_kind_name(value));
	*bad = true;
	return NULL;
}
