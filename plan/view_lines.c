/* Lines of a view, and what makes text from outside safe to show: nothing in it can move a cursor, end a line or turn
 * the direction of what follows. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "plan/view.h"

void plan_view_clean(struct buf *out, const char *text, size_t len)
{
	text_clean(out, text, len);
}

char *plan_view_cleaned(const char *text)
{
	struct buf out = BUF_INIT;

	if (text == NULL)
		return NULL;
	plan_view_clean(&out, text, strlen(text));
	return buf_detach(&out);
}

void plan_lines_add(struct plan_lines *lines, size_t depth, char sign, const char *text, const char *remark)
{
	if (lines->count == lines->room) {
		lines->room = lines->room == 0 ? 8 : 2 * lines->room;
		lines->items = mem_resize(lines->items, lines->room, sizeof *lines->items);
	}
	lines->items[lines->count++] =
	    (struct plan_line){sign, (unsigned)depth, plan_view_cleaned(text), plan_view_cleaned(remark)};
}

void plan_lines_free(struct plan_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->items[i].text);
		free(lines->items[i].remark);
	}
	free(lines->items);
	*lines = (struct plan_lines){0};
}

void plan_texts_add(struct plan_texts *texts, const char *text)
{
	if (texts->count == texts->room) {
		texts->room = texts->room == 0 ? 4 : 2 * texts->room;
		texts->items = mem_resize(texts->items, texts->room, sizeof *texts->items);
	}
	texts->items[texts->count++] = plan_view_cleaned(text);
}

void plan_texts_free(struct plan_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
	*texts = (struct plan_texts){0};
}
