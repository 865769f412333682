/* Lines of a view, and what makes text from outside safe to show: nothing in it can move a cursor, end a line or turn
 * the direction of what follows. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/view.h"

/* How many bytes at `text` are a character that could move a cursor, end a line or turn the direction of what follows:
 * C0, DEL, C1 (U+0080 to U+009F), U+2028 and U+2029, U+202A to U+202E, U+2066 to U+2069. 0: none. `len` bytes are
 * there. */
static size_t control_length(const unsigned char *text, size_t len)
{
	if (text[0] < ' ' || text[0] == 0x7f)
		return 1;
	if (len >= 2 && text[0] == 0xc2 && text[1] >= 0x80 && text[1] < 0xa0)
		return 2;
	if (len < 3 || text[0] != 0xe2 || (text[1] != 0x80 && text[1] != 0x81))
		return 0;
	if (text[1] == 0x80 ? text[2] >= 0xa8 && text[2] <= 0xae : text[2] >= 0xa6 && text[2] <= 0xa9)
		return 3;
	return 0;
}

/* Bytes of the UTF-8 character at `text`; 0 when it is none (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_length(const unsigned char *text, size_t len)
{
	static const struct {
		unsigned char first, last, low, high;
		size_t len;
	} forms[] = {
	    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (text[0] < forms[i].first || text[0] > forms[i].last)
			continue;
		if (len < forms[i].len)
			return 0;
		for (size_t k = 1; k < forms[i].len; k++)
			if (text[k] < (k == 1 ? forms[i].low : 0x80) || text[k] > (k == 1 ? forms[i].high : 0xbf))
				return 0;
		return forms[i].len;
	}
	return 0;
}

void plan_view_clean(struct buf *out, const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	while (len > 0) {
		size_t control = control_length(at, len), taken = control > 0 ? control : utf8_length(at, len);

		if (*at == '\t')
			buf_adds(out, "    ");
		else if (control > 0 || taken == 0)
			buf_addc(out, '?');
		else
			buf_add(out, at, taken);
		taken += taken == 0;
		at += taken;
		len -= taken;
	}
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
