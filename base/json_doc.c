/* Documents that remember where things stand: parsing, limits, duplicate keys, and the way back from a path to line
 * and column. jansson keeps no positions, so the text is kept and scanned again when a message needs a place: errors
 * are few, and a table of positions for each value would cost every run. */
#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
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

/* -- What is wrong with text that is no JSON ------------------------------------------------------------------------
 */

/* jansson says what it expected and where it had read to; a person asks which comma is missing, and where. This reads
 * the text again, only to say that; what it has no words for (escapes, bytes that are no UTF-8) jansson says. */
struct syntax {
	const char *text, *at, *end;
	const char *open[JSON_DOC_MAX_DEPTH + 1]; /* brackets that are not closed yet */
	size_t depth;
	struct buf message;
	const char *where; /* NULL: nothing found */
};

static void syntax_wrong(struct syntax *s, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void syntax_wrong(struct syntax *s, const char *where, const char *format, ...)
{
	va_list args;

	if (s->where != NULL)
		return;
	va_start(args, format);
	buf_vaddf(&s->message, format, args);
	va_end(args);
	s->where = where;
}

static void syntax_space(struct syntax *s)
{
	struct scan scan = {s->at, s->end};

	skip_space(&scan);
	s->at = scan.at;
	if (s->at < s->end && (*s->at == '#' || (*s->at == '/' && s->at + 1 < s->end && strchr("/*", s->at[1]))))
		syntax_wrong(s, s->at, "JSON has no comments");
}

/* What stands at the cursor, as a message names it. */
static void syntax_token(const struct syntax *s, struct buf *out)
{
	struct scan scan = {s->at, s->end};
	size_t len;

	if (*s->at == '"') {
		skip_string(&scan);
		len = (size_t)((scan.at < s->end ? scan.at : s->end) - s->at);
	} else {
		while (scan.at < s->end && strchr(" \t\r\n,:[]{}\"", *scan.at) == NULL)
			scan.at++;
		len = scan.at > s->at ? (size_t)(scan.at - s->at) : 1;
	}
	if (len > 40) {
		for (len = 40; len > 0 && ((unsigned char)s->at[len] & 0xc0) == 0x80; len--)
			;
		buf_add(out, s->at, len);
		buf_adds(out, "...");
	} else {
		buf_add(out, s->at, len);
	}
}

/* The innermost bracket is still open at the cursor, where `found` stands. */
static void syntax_open(struct syntax *s, const char *found)
{
	const char *open = s->depth > 0 ? s->open[s->depth - 1] : s->text;
	int line, column;

	place_of(s->text, (size_t)(open - s->text), &line, &column);
	syntax_wrong(s, s->at < s->end ? s->at : s->end, "%s inside the %s that begins at %d:%d", found,
		     *open == '{' ? "object" : "list", line, column);
}

static void syntax_end(struct syntax *s)
{
	syntax_open(s, "the file ends");
}

static void syntax_string(struct syntax *s)
{
	const char *start = s->at;
	struct scan scan = {s->at, s->end};
	const char *c;

	skip_string(&scan);
	for (c = start; c < s->end && c < scan.at && *c != '\n'; c++)
		;
	if (scan.at > s->end || c < scan.at)
		syntax_wrong(s, start, "the string is not closed by \" on its line");
	s->at = scan.at;
}

/* A number, true, false or null: whether it is a right one is jansson's to say, unless it is none at all. */
static void syntax_word(struct syntax *s)
{
	buf_auto struct buf token = BUF_INIT;
	const char *word;

	syntax_token(s, &token);
	word = buf_str(&token);
	if (*word == '\'')
		syntax_wrong(s, s->at, "a string stands in double quotes");
	else if (strchr("-0123456789", *word) == NULL && strcmp(word, "true") != 0 && strcmp(word, "false") != 0 &&
		 strcmp(word, "null") != 0)
		syntax_wrong(s, s->at, "expected a value, found %s", word);
	s->at += token.len;
}

/* The key and the colon of a member. */
static void syntax_key(struct syntax *s)
{
	buf_auto struct buf token = BUF_INIT;

	syntax_token(s, &token);
	if (*s->at != '"') {
		syntax_wrong(s, s->at, "expected a key in double quotes, found %s", buf_str(&token));
		return;
	}
	syntax_string(s);
	syntax_space(s);
	if (s->where == NULL && s->at >= s->end)
		syntax_end(s);
	else if (s->where == NULL && *s->at != ':')
		syntax_wrong(s, s->at, "\":\" is missing after the key %s", buf_str(&token));
	s->at++;
}

/* After a value: closing brackets, and the comma before the next one. */
static void syntax_after(struct syntax *s)
{
	while (s->where == NULL && s->depth > 0) {
		bool object = *s->open[s->depth - 1] == '{';
		buf_auto struct buf token = BUF_INIT;
		const char *comma;

		syntax_space(s);
		if (s->where != NULL)
			return;
		if (s->at >= s->end) {
			syntax_end(s);
			return;
		}
		if (*s->at == (object ? '}' : ']')) {
			s->depth--;
			s->at++;
			continue;
		}
		if (*s->at == '}' || *s->at == ']') {
			syntax_open(s, object ? "\"]\"" : "\"}\"");
			return;
		}
		if (*s->at != ',') {
			syntax_token(s, &token);
			syntax_wrong(s, s->at, "a comma is missing before %s", buf_str(&token));
			return;
		}
		comma = s->at++;
		syntax_space(s);
		if (s->where == NULL && s->at < s->end && (*s->at == '}' || *s->at == ']'))
			syntax_wrong(s, comma, "a comma before \"%c\": the last one has none", *s->at);
		else if (s->where == NULL && s->at >= s->end)
			syntax_end(s);
		else if (s->where == NULL && object)
			syntax_key(s);
		return;
	}
}

/* From one value to the next, without recursion. */
static void syntax_read(struct syntax *s)
{
	do {
		syntax_space(s);
		if (s->where != NULL)
			return;
		if (s->at >= s->end) {
			syntax_end(s);
		} else if (*s->at == '{' || *s->at == '[') {
			char close = *s->at == '{' ? '}' : ']';

			if (s->depth > JSON_DOC_MAX_DEPTH)
				return;
			s->open[s->depth++] = s->at++;
			syntax_space(s);
			if (s->where != NULL || (s->at < s->end && *s->at != close && close == ']'))
				continue;
			if (s->at >= s->end)
				syntax_end(s);
			else if (*s->at != close)
				syntax_key(s);
			else
				syntax_after(s);
		} else {
			if (*s->at == '"')
				syntax_string(s);
			else
				syntax_word(s);
			syntax_after(s);
		}
	} while (s->where == NULL && s->depth > 0);
	syntax_space(s);
	if (s->where == NULL && s->at < s->end) {
		buf_auto struct buf token = BUF_INIT;

		syntax_token(s, &token);
		syntax_wrong(s, s->at, "the document ended before %s", buf_str(&token));
	}
}

static void report_syntax(const char *file, const char *text, size_t len, const json_error_t *error, struct diag *d)
{
	struct syntax s = {text, text, text + len, {NULL}, 0, BUF_INIT, NULL};
	struct diag_place place = {.file = file, .line = error->line, .column = error->column};

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		syntax_wrong(&s, text, "begins with a byte order mark; save it as UTF-8 without one");
	} else if (strspn(text, " \t\r\n") == len) {
		syntax_wrong(&s, text, "the file is empty");
	} else {
		syntax_read(&s);
	}
	/* Something that only jansson knows to be wrong may stand before. */
	if (s.where != NULL && (json_error_code(error) == json_error_premature_end_of_input ||
				(size_t)(s.where - text) <= (size_t)error->position)) {
		place_of(text, (size_t)(s.where - text), &place.line, &place.column);
		diag_at(d, DIAG_ERROR, &place, "not valid JSON: %s", buf_str(&s.message));
	} else {
		place.column = place.column > 0 ? place.column : 1;
		diag_at(d, DIAG_ERROR, &place, "not valid JSON: %s", error->text);
	}
	buf_free(&s.message);
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
		report_syntax(file, doc->text, len, &error, d);
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
