/* Values as lines: on one where they fit, else over several. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/compare.h"
#include "plan/view.h"
#include "plan/where.h"

/* Plain items of a list that are all shown; of longer ones only the first. */
#define PLAIN_SHOWN_MAX 60
#define PLAIN_SHOWN     20

/* -- One line ------------------------------------------------------------------------------------------------------ */

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n' && text[1] != '\0';
	return lines;
}

static size_t text_limit(const struct plan_lines *lines)
{
	return lines != NULL && lines->whole ? SIZE_MAX : PLAN_VIEW_STRING_MAX;
}

/* JSON's spelling, so that nothing in it can move a cursor. */
static void add_quoted(struct buf *out, const char *text, size_t len)
{
	json_auto_t *part = json_stringn(text, len);
	mem_auto_str char *quoted = part != NULL ? json_dumps(part, JSON_ENCODE_ANY) : NULL;

	buf_adds(out, quoted != NULL ? quoted : "\"\"");
}

/* The next start of a character at or before `at`. */
static size_t character_start(const char *text, size_t at)
{
	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* Marks stand outside of the quotes, where no text can imitate them. */
static void add_left_out(struct buf *out, size_t bytes)
{
	buf_adds(out, "\u2026(");
	plan_count_words(out, bytes);
	buf_adds(out, bytes == 1 ? " byte)\u2026" : " bytes)\u2026");
}

/* From `from` up to `to`, by beginning and end where that is long, with what is left out around and between. */
static void add_excerpt(struct buf *out, const char *text, size_t len, size_t from, size_t to, size_t max)
{
	if (from > 0) {
		add_left_out(out, from);
		buf_addc(out, ' ');
	}
	if (to - from > max) {
		size_t head = character_start(text, from + max / 2), tail = character_start(text, to - max / 2);

		add_quoted(out, text + from, head - from);
		buf_addc(out, ' ');
		add_left_out(out, tail - head);
		buf_addc(out, ' ');
		add_quoted(out, text + tail, to - tail);
	} else {
		add_quoted(out, text + from, to - from);
	}
	if (to < len) {
		buf_addc(out, ' ');
		add_left_out(out, len - to);
	}
}

void plan_value_excerpts(struct buf *old, struct buf *new, const struct plan_lines *lines, const json_t *before,
			 const json_t *after)
{
	const char *a = json_string_value(before), *b = json_string_value(after);
	size_t a_len = json_string_length(before), b_len = json_string_length(after), start = 0, end = 0;
	size_t max = text_limit(lines), around = PLAN_VIEW_STRING_MAX / 8;

	if (a_len > max || b_len > max) {
		while (start < a_len && start < b_len && a[start] == b[start])
			start++;
		while (end < a_len - start && end < b_len - start && a[a_len - 1 - end] == b[b_len - 1 - end])
			end++;
		start = start > around ? character_start(a, start - around) : 0;
		end = end > around ? end - around : 0;
		while (end > 0 && ((unsigned char)a[a_len - end] & 0xc0) == 0x80)
			end--;
	}
	add_excerpt(old, a, a_len, start, a_len - end, max);
	add_excerpt(new, b, b_len, start, b_len - end, max);
}

static void inline_value(struct buf *out, const struct plan_lines *lines, const json_t *value, size_t max);

/* A text with holes in it, or a function with its arguments. */
static void inline_unknown(struct buf *out, const struct plan_lines *lines, const json_t *value)
{
	json_auto_t *opened = plan_value_opened(lines, value);
	const json_t *subject;

	if (json_is_string(opened)) {
		inline_value(out, lines, opened, SIZE_MAX);
		return;
	}
	subject = plan_value_subject(out, value);
	inline_value(out, lines, subject, SIZE_MAX);
	buf_addc(out, ')');
}

static void inline_members(struct buf *out, const struct plan_lines *lines, const json_t *value, size_t max)
{
	const char *key;
	bool first = true;
	json_t *item;
	size_t i;

	buf_addc(out, json_is_object(value) ? '{' : '[');
	json_object_foreach((json_t *)value, key, item)
	{
		buf_adds(out, first ? "" : ", ");
		add_quoted(out, key, strlen(key));
		buf_adds(out, ": ");
		inline_value(out, lines, item, max);
		first = false;
	}
	json_array_foreach((json_t *)value, i, item)
	{
		buf_adds(out, i > 0 ? ", " : "");
		inline_value(out, lines, item, max);
	}
	buf_addc(out, json_is_object(value) ? '}' : ']');
}

static void inline_value(struct buf *out, const struct plan_lines *lines, const json_t *value, size_t max)
{
	size_t len = json_string_length(value);
	mem_auto_str char *text = NULL;

	if (plan_value_hole(out, lines, value))
		return;
	if (plan_value_is_unknown(value)) {
		inline_unknown(out, lines, value);
	} else if (json_is_object(value) || json_is_array(value)) {
		inline_members(out, lines, value, max);
	} else if (json_is_string(value)) {
		add_excerpt(out, json_string_value(value), len, 0, len, max);
	} else {
		text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : mem_strdup("(nothing)");
		buf_adds(out, text != NULL ? text : "");
	}
}

void plan_value_inline(struct buf *out, const struct plan_lines *lines, const json_t *value)
{
	inline_value(out, lines, value, text_limit(lines));
}

void plan_value_inline_whole(struct buf *out, const struct plan_lines *lines, const json_t *value)
{
	inline_value(out, lines, value, SIZE_MAX);
}

/* -- Labels -------------------------------------------------------------------------------------------------------- */

static const char plain_key[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:./@-";

char *plan_key_label(const char *key)
{
	struct buf out = BUF_INIT;

	if (*key != '\0' && key[strspn(key, plain_key)] == '\0')
		buf_adds(&out, key);
	else
		add_quoted(&out, key, strlen(key));
	return buf_detach(&out);
}

char *plan_path_label(const char *path)
{
	struct buf out = BUF_INIT;
	size_t plain = 0;

	if (path == NULL)
		return NULL;
	while (path[plain] != '\0' && (strchr(plain_key, path[plain]) != NULL || strchr("[]*+=,${}", path[plain])))
		plain++;
	if (path[plain] == '\0')
		buf_adds(&out, path);
	else
		add_quoted(&out, path, strlen(path));
	return buf_detach(&out);
}

/* -- Whole values -------------------------------------------------------------------------------------------------- */

bool plan_value_is_shown(const json_t *value)
{
	return !specs_is_residual(value);
}

bool plan_value_is_container(const json_t *value)
{
	return (json_is_object(value) || json_is_array(value)) && plan_value_is_shown(value);
}

/* A text with a line end that is not its last character. */
bool plan_value_is_text(const json_t *value)
{
	return json_is_string(value) && count_lines(json_string_value(value)) > 1;
}

/* "Label: value", "Label:" or "value". */
void plan_lines_labelled(struct plan_lines *lines, size_t depth, char sign, const char *label, const char *value,
			 const char *remark)
{
	buf_auto struct buf text = BUF_INIT;

	if (label != NULL)
		buf_addf(&text, "%s:%s", label, *value != '\0' ? " " : "");
	buf_adds(&text, value);
	plan_lines_add(lines, depth, sign, buf_str(&text), remark);
}

void plan_lines_more(struct plan_lines *lines, size_t depth, size_t count, const char *what)
{
	buf_auto struct buf text = BUF_INIT;

	buf_adds(&text, "and ");
	plan_count_words(&text, count);
	buf_addf(&text, " more%s: --format json has all", what);
	plan_lines_add(lines, depth, '#', buf_str(&text), NULL);
}

/* Long lists of plain values (the accounts of a fleet) fill lines, and say how many more there are. */
static void whole_plain_list(struct plan_lines *lines, size_t depth, char sign, const json_t *list)
{
	size_t shown = json_array_size(list) > PLAIN_SHOWN_MAX ? PLAIN_SHOWN : json_array_size(list), used = 0, i;
	buf_auto struct buf line = BUF_INIT;
	json_t *item;

	json_array_foreach((json_t *)list, i, item)
	{
		buf_auto struct buf text = BUF_INIT;

		if (i == shown)
			break;
		plan_value_inline(&text, lines, item);
		if (used > 0 && used + text.len + 2 > lines->width) {
			plan_lines_add(lines, depth, sign, buf_str(&line), NULL);
			buf_clear(&line);
			used = 0;
		}
		if (used == 0)
			used = depth + 2;
		else
			buf_addc(&line, ' ');
		buf_addf(&line, "%s%s", buf_str(&text), i + 1 < json_array_size(list) ? "," : "");
		used += text.len + 2;
	}
	plan_lines_add(lines, depth, sign, buf_str(&line), NULL);
	if (shown < json_array_size(list))
		plan_lines_more(lines, depth, json_array_size(list) - shown, "");
}

static bool is_plain_list(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)value, i, item)
	{
		if (plan_value_is_container(item))
			return false;
	}
	return json_array_size(value) > 1;
}

static void whole_members(struct plan_lines *lines, size_t depth, char sign, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (is_plain_list(value)) {
		whole_plain_list(lines, depth, sign, value);
		return;
	}
	json_object_foreach((json_t *)value, key, item)
	{
		mem_auto_str char *label = plan_key_label(key);

		plan_value_whole(lines, depth, sign, label, item, NULL);
	}
	json_array_foreach((json_t *)value, i, item)
	{
		mem_auto_str char *place = plan_value_is_container(item) ? mem_printf("[%zu]", i) : NULL;

		if (i == PLAN_VIEW_ITEMS) {
			plan_lines_more(lines, depth, json_array_size(value) - i, "");
			break;
		}
		plan_value_whole(lines, depth, sign, place, item, NULL);
	}
}

/* "  # 42 lines" beside the label, then the lines. */
static void whole_long_text(struct plan_lines *lines, size_t depth, char sign, const char *label, const json_t *value,
			    const char *remark)
{
	const char *text = json_string_value(value);
	buf_auto struct buf said = BUF_INIT;

	if (remark != NULL)
		buf_addf(&said, "%s; ", remark);
	plan_count_words(&said, count_lines(text));
	buf_adds(&said, " lines");
	plan_lines_labelled(lines, depth, sign, label != NULL ? label : "text", "", buf_str(&said));
	plan_text_whole(lines, depth + 4, sign, text);
}

/* A document that is kept as text reads by what it says. */
static void whole_document(struct plan_lines *lines, size_t depth, char sign, const char *label, const json_t *document,
			   const char *remark)
{
	mem_auto_str char *said = mem_printf("%s%sJSON text", remark != NULL ? remark : "", remark != NULL ? "; " : "");

	plan_lines_labelled(lines, depth, sign, label != NULL ? label : "text", "", said);
	whole_members(lines, depth + 4, sign, document);
}

/* What fits on no line. */
static void whole_long(struct plan_lines *lines, size_t depth, char sign, const char *label, const json_t *value,
		       const char *remark)
{
	json_auto_t *opened = plan_value_opened(lines, value);
	json_auto_t *document = plan_value_document(lines, value);
	buf_auto struct buf line = BUF_INIT;
	const json_t *subject;

	if (plan_value_is_container(value)) {
		plan_lines_labelled(lines, depth, sign, label, "", remark);
		whole_members(lines, depth + 4, sign, value);
	} else if (document != NULL && (json_object_size(document) > 0 || json_array_size(document) > 0)) {
		whole_document(lines, depth, sign, label, document, remark);
	} else if (plan_value_is_text(opened)) {
		whole_long_text(lines, depth, sign, label, opened, remark);
	} else if (!json_is_string(opened) && (subject = plan_value_subject(&line, value)) != NULL) {
		buf_adds(&line, "\u2026)");
		plan_lines_labelled(lines, depth, sign, label, buf_str(&line), remark);
		plan_value_whole(lines, depth + 4, sign, NULL, subject, NULL);
	} else {
		plan_value_inline(&line, lines, opened);
		plan_lines_labelled(lines, depth, sign, label, buf_str(&line), remark);
	}
}

void plan_value_whole(struct plan_lines *lines, size_t depth, char sign, const char *label, const json_t *value,
		      const char *remark)
{
	json_auto_t *opened = plan_value_opened(lines, value);
	buf_auto struct buf line = BUF_INIT;
	size_t used = depth + 3 + (label != NULL ? strlen(label) + 1 : 0);

	plan_value_inline(&line, lines, opened);
	if (!plan_value_is_text(opened) && used + line.len <= lines->width)
		plan_lines_labelled(lines, depth, sign, label, buf_str(&line), remark);
	else
		whole_long(lines, depth, sign, label, value, remark);
}
