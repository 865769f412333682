/* Texts of several lines, for source code and the like inside a property: whole, or two of them by the lines that come
 * and go, with one line around them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/view.h"
#include "plan/where.h"

/* Texts with a larger product of lines are only counted: the table would be too large. */
#define CELLS_MAX ((size_t)4 << 20)

struct line {
	const char *text;
	size_t len;
};

struct lines {
	struct line *items;
	size_t count;
};

static void lines_split(struct lines *out, const char *text)
{
	size_t room = 1;

	for (const char *s = text; *s != '\0'; s++)
		room += *s == '\n';
	out->items = mem_array(room, sizeof *out->items);
	out->count = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		out->items[out->count++] = (struct line){text, len};
		text += len + (text[len] == '\n');
	}
}

static bool line_equal(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void line_add(struct plan_lines *out, size_t depth, char sign, const struct line *line)
{
	mem_auto_str char *text = mem_strndup(line->text, line->len);

	plan_lines_add(out, depth, sign, text, NULL);
}

static void lines_more(struct plan_lines *out, size_t depth, size_t count, const char *what)
{
	buf_auto struct buf text = BUF_INIT;

	buf_adds(&text, "and ");
	plan_count_words(&text, count);
	buf_addf(&text, " more line%s%s: --format json has all", count == 1 ? "" : "s", what);
	plan_lines_add(out, depth, '#', buf_str(&text), NULL);
}

void plan_text_whole(struct plan_lines *out, size_t depth, char sign, const char *text)
{
	struct lines lines;
	size_t shown;

	lines_split(&lines, text);
	shown = lines.count > PLAN_VIEW_TEXT_LINES ? PLAN_VIEW_TEXT_LINES / 2 : lines.count;
	for (size_t i = 0; i < shown; i++)
		line_add(out, depth, sign, &lines.items[i]);
	if (shown < lines.count)
		lines_more(out, depth, lines.count - shown, "");
	free(lines.items);
}

/* Length of the longest common part of a[i..] and b[j..], as a table of rows. */
static unsigned *common_table(const struct lines *a, const struct lines *b)
{
	size_t width = b->count + 1;
	unsigned *table = mem_array((a->count + 1) * width, sizeof *table);

	for (size_t i = a->count; i-- > 0;) {
		for (size_t j = b->count; j-- > 0;) {
			unsigned down = table[(i + 1) * width + j], right = table[i * width + j + 1];

			if (line_equal(&a->items[i], &b->items[j]))
				table[i * width + j] = table[(i + 1) * width + j + 1] + 1;
			else
				table[i * width + j] = down > right ? down : right;
		}
	}
	return table;
}

/* Common lines are shown only next to a difference. */
struct context {
	struct plan_lines *out;
	size_t depth;
	const struct line *last; /* a common line not shown yet */
	bool after;              /* the line before this one was a difference */
	size_t shown, left;      /* differences: those shown, and those that there was no room for */
};

static void common_line(struct context *c, const struct line *line)
{
	if (c->after && c->left == 0)
		line_add(c->out, c->depth, ' ', line);
	c->last = c->after ? NULL : line;
	c->after = false;
}

static void different_line(struct context *c, char sign, const struct line *line)
{
	if (c->shown == PLAN_VIEW_DIFF_LINES) {
		c->left++;
		return;
	}
	if (c->last != NULL)
		line_add(c->out, c->depth, ' ', c->last);
	c->last = NULL;
	c->after = true;
	c->shown++;
	line_add(c->out, c->depth, sign, line);
}

static void walk(struct context *c, const struct lines *a, const struct lines *b)
{
	unsigned *table = common_table(a, b);
	size_t width = b->count + 1, i = 0, j = 0;

	while (i < a->count || j < b->count) {
		if (i < a->count && j < b->count && line_equal(&a->items[i], &b->items[j])) {
			common_line(c, &a->items[i]);
			i++;
			j++;
		} else if (j == b->count || (i < a->count && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
			different_line(c, '-', &a->items[i++]);
		} else {
			different_line(c, '+', &b->items[j++]);
		}
	}
	free(table);
}

/* Takes what both have at their ends off both, but for one line as context: most changes are small, texts are not. */
static void trim_common(struct lines *a, struct lines *b)
{
	size_t head = 0, tail = 0;

	while (a->count > 0 && b->count > 0 && line_equal(&a->items[a->count - 1], &b->items[b->count - 1])) {
		a->count--;
		b->count--;
		tail = 1;
	}
	a->count += tail;
	b->count += tail;
	while (head + 1 < a->count && head + 1 < b->count && line_equal(&a->items[head + 1], &b->items[head + 1]) &&
	       line_equal(&a->items[head], &b->items[head]))
		head++;
	memmove(a->items, a->items + head, (a->count - head) * sizeof *a->items);
	memmove(b->items, b->items + head, (b->count - head) * sizeof *b->items);
	a->count -= head;
	b->count -= head;
}

void plan_text_changed(struct plan_lines *out, size_t depth, const char *before, const char *after)
{
	struct context c = {.out = out, .depth = depth};
	struct lines a, b;
	size_t old_count, new_count;

	lines_split(&a, before);
	lines_split(&b, after);
	old_count = a.count;
	new_count = b.count;
	trim_common(&a, &b);
	if ((a.count + 1) * (b.count + 1) <= CELLS_MAX) {
		walk(&c, &a, &b);
		if (c.shown == 0)
			plan_lines_add(out, depth, '#', "only the line end at the very end differs", NULL);
		if (c.left > 0)
			lines_more(out, depth, c.left, " of difference");
	} else {
		buf_auto struct buf text = BUF_INIT;

		plan_count_words(&text, old_count);
		buf_adds(&text, " lines become ");
		plan_count_words(&text, new_count);
		buf_adds(&text, " lines: too many to compare here");
		plan_lines_add(out, depth, '#', buf_str(&text), NULL);
	}
	free(a.items);
	free(b.items);
}
