/* Values and their differences as text: on one line where they fit, by meaning and only what differs where not. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/compare.h"
#include "plan/render.h"
#include "plan/where.h"

/* -- Paint --------------------------------------------------------------------------------------------------------- */

static const char *const paints[] = {
    [PLAN_PAINT_NONE] = "",           [PLAN_PAINT_ADD] = "\033[32m", [PLAN_PAINT_CHANGE] = "\033[33m",
    [PLAN_PAINT_REMOVE] = "\033[31m", [PLAN_PAINT_BOLD] = "\033[1m", [PLAN_PAINT_DIM] = "\033[2m",
};
/* Bytes that stand for paint until plan_printer_finish(). */
#define PAINT_FIRST '\001'
#define PAINT_END   '\016'

void plan_paint(struct plan_printer *p, enum plan_paint paint)
{
	if (paint != PLAN_PAINT_NONE)
		buf_addc(&p->raw, (char)(PAINT_FIRST + (int)paint));
}

void plan_paint_end(struct plan_printer *p, enum plan_paint paint)
{
	if (paint != PLAN_PAINT_NONE)
		buf_addc(&p->raw, PAINT_END);
}

/* How many bytes at `text` (which ends with NUL) are a character that could move a cursor or turn the direction of
 * what follows: C0, DEL, C1 (U+0080 to U+009F), U+202A to U+202E, U+2066 to U+2069. */
static size_t control_length(const char *text)
{
	unsigned char c = (unsigned char)text[0], next = (unsigned char)text[1], last;

	if (c < ' ' || c == 0x7f)
		return 1;
	if (c == 0xc2 && next >= 0x80 && next < 0xa0)
		return 2;
	if (c != 0xe2 || (next != 0x80 && next != 0x81))
		return 0;
	last = (unsigned char)text[2];
	if (next == 0x80 ? last >= 0xaa && last <= 0xae : last >= 0xa6 && last <= 0xa9)
		return 3;
	return 0;
}

void plan_printer_finish(struct plan_printer *p, struct buf *out)
{
	const char *text = buf_str(&p->raw);

	for (size_t i = 0; i < p->raw.len; i++) {
		char c = text[i];
		size_t control = c == '\n' ? 0 : control_length(text + i);

		if (c > PAINT_FIRST && c <= PAINT_FIRST + PLAN_PAINT_DIM)
			buf_adds(out, p->color ? paints[c - PAINT_FIRST] : "");
		else if (c == PAINT_END)
			buf_adds(out, p->color ? "\033[0m" : "");
		else if (c == '\t')
			buf_adds(out, "    ");
		else if (control > 0) {
			buf_addc(out, '?');
			i += control - 1;
		} else
			buf_addc(out, c);
	}
	buf_free(&p->raw);
}

enum plan_paint plan_paint_of(enum plan_action action)
{
	switch (action) {
	case PLAN_CREATE:
		return PLAN_PAINT_ADD;
	case PLAN_DELETE:
	case PLAN_REPLACE:
		return PLAN_PAINT_REMOVE;
	default:
		return PLAN_PAINT_CHANGE;
	}
}

static enum plan_paint paint_of_sign(char sign)
{
	return sign == '+'   ? PLAN_PAINT_ADD
	       : sign == '-' ? PLAN_PAINT_REMOVE
	       : sign == '~' ? PLAN_PAINT_CHANGE
			     : PLAN_PAINT_NONE;
}

void plan_indent(struct plan_printer *p, size_t columns)
{
	buf_addf(&p->raw, "%*s", (int)columns, "");
}

void plan_remark(struct plan_printer *p, size_t columns, const char *text)
{
	plan_indent(p, columns);
	plan_paint(p, PLAN_PAINT_DIM);
	buf_addf(&p->raw, "# %s", text);
	plan_paint_end(p, PLAN_PAINT_DIM);
	buf_addc(&p->raw, '\n');
}

/* Plain items of a list that are all shown; of longer ones only the first. */
#define PLAIN_SHOWN_MAX 60
#define PLAIN_SHOWN     20

/* -- One line ------------------------------------------------------------------------------------------------------ */

static const char *stand_in(const json_t *value)
{
	if (json_object_get(value, "Muster::Secret") != NULL)
		return "(sensitive)";
	if (!specs_is_residual(value))
		return NULL;
	return specs_has_unknown(value) ? "(known after apply)" : "(sensitive)";
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n' && text[1] != '\0';
	return lines;
}

/* JSON's spelling, so that nothing in it can move a cursor. */
static void inline_string(struct buf *out, const json_t *value)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value), shown = PLAN_RENDER_STRING_MAX / 2;
	json_t *part;
	char *quoted;

	if (len <= PLAN_RENDER_STRING_MAX) {
		quoted = json_dumps(value, JSON_ENCODE_ANY);
		buf_adds(out, quoted != NULL ? quoted : "\"\"");
		free(quoted);
		return;
	}
	while (shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
		shown--;
	part = json_stringn(text, shown);
	quoted = json_dumps(part, JSON_ENCODE_ANY);
	json_decref(part);
	buf_adds(out, quoted != NULL ? quoted : "\"\"");
	free(quoted);
	buf_adds(out, "... (");
	if (count_lines(text) > 1)
		buf_addf(out, "%zu lines, ", count_lines(text));
	plan_count_words(out, len);
	buf_adds(out, " bytes)");
}

void plan_value_inline(struct buf *out, const json_t *value)
{
	const char *key, *instead = stand_in(value);
	bool first = true;
	json_t *item;
	size_t i;
	char *text;

	if (instead != NULL) {
		buf_adds(out, instead);
	} else if (json_is_object(value)) {
		buf_addc(out, '{');
		json_object_foreach((json_t *)value, key, item)
		{
			buf_addf(out, "%s\"%s\": ", first ? "" : ", ", key);
			plan_value_inline(out, item);
			first = false;
		}
		buf_addc(out, '}');
	} else if (json_is_array(value)) {
		buf_addc(out, '[');
		json_array_foreach((json_t *)value, i, item)
		{
			buf_adds(out, i > 0 ? ", " : "");
			plan_value_inline(out, item);
		}
		buf_addc(out, ']');
	} else if (json_is_string(value)) {
		inline_string(out, value);
	} else {
		text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : mem_strdup("(nothing)");
		buf_adds(out, text != NULL ? text : "");
		free(text);
	}
}

/* -- Whole values -------------------------------------------------------------------------------------------------- */

static bool is_container(const json_t *value)
{
	return (json_is_object(value) || json_is_array(value)) && stand_in(value) == NULL;
}

/* "    + Label: ", with the label left out when it is NULL. */
static void line_start(struct plan_printer *p, size_t columns, char sign, const char *label)
{
	enum plan_paint paint = paint_of_sign(sign);

	plan_indent(p, columns);
	plan_paint(p, paint);
	buf_addc(&p->raw, sign);
	plan_paint_end(p, paint);
	buf_addc(&p->raw, ' ');
	if (label != NULL)
		buf_addf(&p->raw, "%s:", label);
}

static void line_end(struct plan_printer *p, const char *remark)
{
	if (remark != NULL) {
		plan_paint(p, PLAN_PAINT_DIM);
		buf_addf(&p->raw, "  # %s", remark);
		plan_paint_end(p, PLAN_PAINT_DIM);
	}
	buf_addc(&p->raw, '\n');
}

/* Long lists of plain values (the accounts of a fleet) fill lines, and say how many more there are. */
static void whole_plain_list(struct plan_printer *p, size_t columns, char sign, const json_t *list)
{
	size_t shown = json_array_size(list) > PLAIN_SHOWN_MAX ? PLAIN_SHOWN : json_array_size(list), used = 0, i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		buf_auto struct buf text = BUF_INIT;

		if (i == shown)
			break;
		plan_value_inline(&text, item);
		if (used == 0 || used + text.len + 2 > p->width) {
			if (used > 0)
				buf_addc(&p->raw, '\n');
			line_start(p, columns, sign, NULL);
			used = columns + 2;
		} else {
			buf_addc(&p->raw, ' ');
		}
		buf_addf(&p->raw, "%s%s", buf_str(&text), i + 1 < json_array_size(list) ? "," : "");
		used += text.len + 2;
	}
	buf_addc(&p->raw, '\n');
	if (shown < json_array_size(list)) {
		buf_auto struct buf text = BUF_INIT;

		buf_adds(&text, "and ");
		plan_count_words(&text, json_array_size(list) - shown);
		buf_adds(&text, " more: --format json has all");
		plan_remark(p, columns, buf_str(&text));
	}
}

static bool is_plain_list(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)value, i, item)
	{
		if (is_container(item))
			return false;
	}
	return json_array_size(value) > 1;
}

static void whole_members(struct plan_printer *p, size_t columns, char sign, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (is_plain_list(value)) {
		whole_plain_list(p, columns, sign, value);
		return;
	}
	json_object_foreach((json_t *)value, key, item) plan_value_whole(p, columns, sign, key, item, NULL);
	json_array_foreach((json_t *)value, i, item)
	{
		mem_auto_str char *place = is_container(item) ? mem_printf("[%zu]", i) : NULL;

		plan_value_whole(p, columns, sign, place, item, NULL);
	}
}

void plan_value_whole(struct plan_printer *p, size_t columns, char sign, const char *label, const json_t *value,
		      const char *remark)
{
	buf_auto struct buf line = BUF_INIT;
	size_t used = columns + 3 + (label != NULL ? strlen(label) + 1 : 0);

	plan_value_inline(&line, value);
	line_start(p, columns, sign, label);
	if (!is_container(value) || used + line.len <= p->width) {
		buf_addf(&p->raw, "%s%s", label != NULL ? " " : "", buf_str(&line));
		line_end(p, remark);
		return;
	}
	line_end(p, remark);
	whole_members(p, columns + 4, sign, value);
}

/* -- Differences --------------------------------------------------------------------------------------------------- */

static int order_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void remark_unchanged(struct plan_printer *p, size_t columns, size_t count)
{
	buf_auto struct buf text = BUF_INIT;

	if (count == 0)
		return;
	plan_count_words(&text, count);
	buf_adds(&text, " unchanged");
	plan_remark(p, columns, buf_str(&text));
}

static void changed_object(struct plan_printer *p, size_t columns, const json_t *before, const json_t *after)
{
	const char **names = mem_array(json_object_size(before) + json_object_size(after), sizeof *names), *key;
	size_t count = 0, unchanged = 0;
	json_t *item;

	json_object_foreach((json_t *)before, key, item) names[count++] = key;
	json_object_foreach((json_t *)after, key, item)
	{
		if (json_object_get(before, key) == NULL)
			names[count++] = key;
	}
	qsort(names, count, sizeof *names, order_names);
	for (size_t i = 0; i < count; i++) {
		const json_t *old = json_object_get(before, names[i]), *new = json_object_get(after, names[i]);

		if (old != NULL && new != NULL && json_equal((json_t *)old, (json_t *)new) && !specs_has_unknown(new))
			unchanged++;
		else
			plan_value_changed(p, columns, names[i], old, new, NULL);
	}
	free(names);
	remark_unchanged(p, columns, unchanged);
}

/* Marks what both lists have; returns how many. */
static size_t match_items(const json_t *before, const json_t *after, bool *old_matched, bool *new_matched)
{
	size_t matched = 0, i, j;
	json_t *old, *new;

	json_array_foreach((json_t *)before, i, old)
	{
		json_array_foreach((json_t *)after, j, new)
		{
			if (new_matched[j] || !json_equal(old, new) || specs_has_unknown(new))
				continue;
			old_matched[i] = new_matched[j] = true;
			matched++;
			break;
		}
	}
	return matched;
}

static size_t first_unmatched(const bool *matched, size_t count)
{
	size_t i = 0;

	while (i < count && matched[i])
		i++;
	return i;
}

static void changed_list(struct plan_printer *p, size_t columns, const json_t *before, const json_t *after)
{
	size_t old_count = json_array_size(before), new_count = json_array_size(after);
	bool *old_matched = mem_array(old_count, sizeof(bool)), *new_matched = mem_array(new_count, sizeof(bool));
	size_t matched = match_items(before, after, old_matched, new_matched);

	if (old_count == matched + 1 && new_count == matched + 1) {
		/* One became another: say how. */
		plan_value_changed(p, columns, NULL, json_array_get(before, first_unmatched(old_matched, old_count)),
				   json_array_get(after, first_unmatched(new_matched, new_count)), NULL);
	} else {
		for (size_t i = 0; i < old_count; i++)
			if (!old_matched[i])
				plan_value_whole(p, columns, '-', NULL, json_array_get(before, i), NULL);
		for (size_t i = 0; i < new_count; i++)
			if (!new_matched[i])
				plan_value_whole(p, columns, '+', NULL, json_array_get(after, i), NULL);
	}
	if (matched == old_count && matched == new_count)
		plan_remark(p, columns, "the same items in another order");
	else
		remark_unchanged(p, columns, matched);
	free(old_matched);
	free(new_matched);
}

/* Before and after on two lines. */
static void changed_long(struct plan_printer *p, size_t columns, const json_t *before, const json_t *after)
{
	const char *old = json_string_value(before), *new = json_string_value(after);

	if (old != NULL && new != NULL && (strchr(old, '\n') != NULL || strchr(new, '\n') != NULL)) {
		plan_lines_changed(p, columns, old, new);
		return;
	}
	plan_value_whole(p, columns, '-', NULL, before, NULL);
	plan_value_whole(p, columns, '+', NULL, after, NULL);
}

/* A list of one and its only item are often the same thing in AWS's documents. New reference. */
static json_t *as_list(const json_t *value, const json_t *other)
{
	if (json_is_array(other) && (json_is_string(value) || json_is_number(value)))
		return json_pack("[O]", value);
	return json_incref((json_t *)value);
}

void plan_value_changed(struct plan_printer *p, size_t columns, const char *label, const json_t *before,
			const json_t *after, const char *remark)
{
	buf_auto struct buf old_line = BUF_INIT, new_line = BUF_INIT;
	size_t used = columns + 8 + (label != NULL ? strlen(label) : 0);
	json_t *old, *new;
	bool hidden;

	if (before == NULL || after == NULL) {
		plan_value_whole(p, columns, before == NULL ? '+' : '-', label, before == NULL ? after : before,
				 remark);
		return;
	}
	line_start(p, columns, '~', label);
	plan_value_inline(&old_line, before);
	plan_value_inline(&new_line, after);
	hidden = stand_in(after) != NULL && strcmp(buf_str(&new_line), "(sensitive)") == 0;
	if (hidden || (strlen(buf_str(&old_line)) + strlen(buf_str(&new_line)) + used <= p->width)) {
		buf_addf(&p->raw, "%s%s%s%s", label != NULL ? " " : "", hidden ? "" : buf_str(&old_line),
			 hidden ? "" : " -> ", buf_str(&new_line));
		line_end(p, remark);
		return;
	}
	line_end(p, remark);
	old = as_list(before, after);
	new = as_list(after, before);
	if (is_container(old) && is_container(new) && json_is_object(old) && json_is_object(new))
		changed_object(p, columns + 4, old, new);
	else if (json_is_array(old) && json_is_array(new))
		changed_list(p, columns + 4, old, new);
	else
		changed_long(p, columns + 4, old, new);
	json_decref(old);
	json_decref(new);
}
