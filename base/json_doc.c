/* Documents that remember where things stand: parsing, limits, duplicate keys, and the way back from a path to line
 * and column. jansson keeps no positions, so the text is kept and scanned again when a message needs a place: errors
 * are few, and a table of positions for each value would cost every run. */
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* A cursor over text that jansson has found to be valid (except in check_depth, which trusts nothing). */
struct scan {
	const char *at, *end;
};

static void place_of(const char *text, size_t offset, int *line, int *column)
{
	*line = 1;
	*column = 1;
	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			++*line;
			*column = 1;
		} else {
			++*column;
		}
	}
}

static void add_error(const char *file, const char *text, size_t offset, struct diag *d, const char *message)
{
	struct diag_place place = {.file = file};

	place_of(text, offset, &place.line, &place.column);
	diag_at(d, DIAG_ERROR, &place, "%s", message);
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end && strchr(" \t\r\n", *s->at) != NULL)
		s->at++;
}

static void skip_string(struct scan *s)
{
	for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
		if (*s->at == '\\')
			s->at++;
	s->at++;
}

/* Skips a whole value. Brackets inside strings do not count; everything else needs no understanding. */
static void skip_value(struct scan *s)
{
	int depth = 0;

	do {
		skip_space(s);
		if (s->at >= s->end)
			return;
		if (*s->at == '"') {
			skip_string(s);
		} else if (*s->at == '{' || *s->at == '[') {
			depth++;
			s->at++;
		} else if (*s->at == '}' || *s->at == ']') {
			depth--;
			s->at++;
		} else if (*s->at == ',' || *s->at == ':') {
			s->at++;
		} else {
			while (s->at < s->end && strchr(" \t\r\n,:]}", *s->at) == NULL)
				s->at++;
		}
	} while (depth > 0);
}

/* The decoded text of the key at the cursor, which moves behind the colon. */
static json_t *scan_key(struct scan *s)
{
	const char *start = s->at;
	json_t *key;

	skip_string(s);
	key = json_loadb(start, (size_t)(s->at - start), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	skip_space(s);
	s->at++;
	skip_space(s);
	return key;
}

/* Moves into the member or item that `step` names. False if there is none; then the cursor is anywhere. *key_at is
 * where the member's key stands. */
static bool scan_step(struct scan *s, const struct json_path *step, const char **key_at)
{
	char open = step->key == NULL ? '[' : '{';

	skip_space(s);
	if (s->at >= s->end || *s->at != open)
		return false;
	s->at++;
	for (size_t index = 0;; index++) {
		bool found;

		skip_space(s);
		if (s->at >= s->end || *s->at == ']' || *s->at == '}')
			return false;
		*key_at = s->at;
		if (step->key == NULL) {
			found = index == step->index;
		} else {
			json_auto_t *key = scan_key(s);

			found = key != NULL && strcmp(json_string_value(key), step->key) == 0;
		}
		if (found)
			return true;
		skip_value(s);
		skip_space(s);
		if (s->at < s->end && *s->at == ',')
			s->at++;
	}
}

/* Follows the path from the root; stops at the deepest value that exists. */
static bool scan_path(struct scan *s, const struct json_path *path, const char **key_at)
{
	struct scan before;

	if (path == NULL) {
		skip_space(s);
		*key_at = s->at;
		return true;
	}
	if (!scan_path(s, path->up, key_at))
		return false;
	before = *s;
	const char *key = *key_at;
	if (scan_step(s, path, &key)) {
		*key_at = key;
		return true;
	}
	*s = before;
	return false;
}

void json_doc_locate(const struct json_doc *doc, const struct json_path *path, bool at_key, int *line, int *column)
{
	struct scan s = {doc->text, doc->text + doc->len};
	const char *key_at = doc->text;
	/* Where the value itself is missing, its parent's key says more than the parent's opening bracket. */
	bool found = scan_path(&s, path, &key_at);
	const char *where = at_key || !found ? key_at : s.at;

	place_of(doc->text, (size_t)(where - doc->text), line, column);
}

/* Refuses nesting that no honest document has, before any recursive code sees the text. */
static int check_depth(const char *file, const char *text, size_t len, struct diag *d)
{
	struct scan s = {text, text + len};
	size_t depth = 0;

	while (s.at < s.end) {
		if (*s.at == '"') {
			skip_string(&s);
			continue;
		}
		if (*s.at == '{' || *s.at == '[')
			depth++;
		else if ((*s.at == '}' || *s.at == ']') && depth > 0)
			depth--;
		if (depth > JSON_DOC_MAX_DEPTH) {
			mem_auto_str char *message = mem_printf("nested deeper than %d levels", JSON_DOC_MAX_DEPTH);

			add_error(file, text, (size_t)(s.at - text), d, message);
			return -1;
		}
		s.at++;
	}
	return 0;
}

/* Reports each key that stands twice in one object; one error each, at the later one. */
static void check_duplicates(const struct json_doc *doc, struct scan *s, struct diag *d)
{
	skip_space(s);
	if (s->at >= s->end || (*s->at != '{' && *s->at != '[')) {
		skip_value(s);
		return;
	}
	bool object = *s->at++ == '{';
	json_auto_t *seen = json_object();

	for (;;) {
		skip_space(s);
		if (s->at >= s->end || *s->at == '}' || *s->at == ']')
			break;
		if (object) {
			size_t offset = (size_t)(s->at - doc->text);
			json_auto_t *key = scan_key(s);
			const char *name = key == NULL ? "" : json_string_value(key);

			if (json_object_get(seen, name) != NULL) {
				mem_auto_str char *message = mem_printf("duplicate key \"%s\"", name);

				add_error(doc->file, doc->text, offset, d, message);
			}
			json_object_set_new(seen, name, json_true());
		}
		check_duplicates(doc, s, d);
		skip_space(s);
		if (s->at < s->end && *s->at == ',')
			s->at++;
	}
	s->at++;
}

int json_doc_parse(struct json_doc **out, const char *file, const char *text, size_t len, struct diag *d)
{
	size_t errors = d->errors;
	struct json_doc *doc;
	json_error_t error;
	struct scan s;

	*out = NULL;
	if (len > JSON_DOC_MAX_BYTES) {
		struct diag_place place = {.file = file};

		diag_at(d, DIAG_ERROR, &place, "is %zu bytes long; at most %u are read", len, JSON_DOC_MAX_BYTES);
		return -1;
	}
	if (check_depth(file, text, len, d) < 0)
		return -1;
	doc = mem_alloc(sizeof *doc);
	doc->file = mem_strdup(file);
	doc->text = mem_strndup(text, len);
	doc->len = len;
	doc->root = json_loadb(text, len, JSON_DECODE_ANY, &error);
	if (doc->root == NULL) {
		struct diag_place place = {.file = file, .line = error.line, .column = error.column};

		diag_at(d, DIAG_ERROR, &place, "not valid JSON: %s", error.text);
		json_doc_free(doc);
		return -1;
	}
	s = (struct scan){doc->text, doc->text + len};
	check_duplicates(doc, &s, d);
	if (d->errors > errors) {
		json_doc_free(doc);
		return -1;
	}
	*out = doc;
	return 0;
}

int json_doc_load(struct json_doc **out, const char *path, const char *shown, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;
	struct diag_place place = {.file = shown == NULL ? path : shown};
	int result = text_file_read(&text, path, JSON_DOC_MAX_BYTES);

	*out = NULL;
	if (result == -EFBIG) {
		diag_at(d, DIAG_ERROR, &place, "is longer than %u bytes, which is all that is read",
			JSON_DOC_MAX_BYTES);
		return -1;
	}
	if (result < 0) {
		diag_at(d, DIAG_ERROR, &place, "cannot be read: %s", strerror(-result));
		return -1;
	}
	return json_doc_parse(out, place.file, buf_str(&text), text.len, d);
}

void json_doc_free(struct json_doc *doc)
{
	if (doc == NULL)
		return;
	free(doc->file);
	free(doc->text);
	json_decref(doc->root);
	free(doc);
}
