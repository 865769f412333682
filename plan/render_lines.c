/* Two texts line by line, for source code and the like inside a property: the lines that come and go, with one line
 * around them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/render.h"
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

static void line_print(struct plan_printer *p, size_t columns, char sign, const struct line *line)
{
	enum plan_paint paint = sign == '+' ? PLAN_PAINT_ADD : sign == '-' ? PLAN_PAINT_REMOVE : PLAN_PAINT_DIM;

	plan_indent(p, columns);
	plan_paint(p, paint);
	buf_addc(&p->raw, sign);
	buf_addc(&p->raw, ' ');
	buf_add(&p->raw, line->text, line->len);
	plan_paint_end(p, paint);
	buf_addc(&p->raw, '\n');
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
	const struct line *last; /* a common line not shown yet */
	bool after;              /* the line before this one was a difference */
};

static void common_line(struct plan_printer *p, size_t columns, struct context *c, const struct line *line)
{
	if (c->after)
		line_print(p, columns, ' ', line);
	c->last = c->after ? NULL : line;
	c->after = false;
}

static void different_line(struct plan_printer *p, size_t columns, struct context *c, char sign,
			   const struct line *line)
{
	if (c->last != NULL)
		line_print(p, columns, ' ', c->last);
	c->last = NULL;
	c->after = true;
	line_print(p, columns, sign, line);
}

static void walk(struct plan_printer *p, size_t columns, const struct lines *a, const struct lines *b)
{
	unsigned *table = common_table(a, b);
	size_t width = b->count + 1, i = 0, j = 0;
	struct context c = {0};

	while (i < a->count || j < b->count) {
		if (i < a->count && j < b->count && line_equal(&a->items[i], &b->items[j])) {
			common_line(p, columns, &c, &a->items[i]);
			i++;
			j++;
		} else if (j == b->count || (i < a->count && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
			different_line(p, columns, &c, '-', &a->items[i++]);
		} else {
			different_line(p, columns, &c, '+', &b->items[j++]);
		}
	}
	free(table);
}

void plan_lines_changed(struct plan_printer *p, size_t columns, const char *before, const char *after)
{
	struct lines a, b;

	lines_split(&a, before);
	lines_split(&b, after);
	if ((a.count + 1) * (b.count + 1) <= CELLS_MAX) {
		walk(p, columns, &a, &b);
	} else {
		buf_auto struct buf text = BUF_INIT;

		plan_count_words(&text, a.count);
		buf_adds(&text, " lines become ");
		plan_count_words(&text, b.count);
		buf_adds(&text, " lines: too many to compare here");
		plan_remark(p, columns, buf_str(&text));
	}
	free(a.items);
	free(b.items);
}
