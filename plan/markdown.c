/* See markdown.h. A numeric character reference is text wherever it stands, never markup (CommonMark 0.31, 2.5), in
 * HTML as well as in markdown: so one escaping serves for both. */
#include "plan/markdown.h"

#include <string.h>
#include <strings.h>

/* What starts or ends something in markdown or HTML, links, and separates cells. */
static const char special[] = "&<>\"'`*_[]()|\\~!#@$";

/* A colon may begin "://" and, in running text, the name of a little picture. */
static bool is_special(const char *at, bool running)
{
	if (*at != ':')
		return strchr(special, *at) != NULL;
	return at[1] == '/' || (running && at[1] != '\0' && strchr("abcdefghijklmnopqrstuvwxyz0123456789+-_", at[1]));
}

static bool put(struct buf *out, const char *text, size_t max, bool running)
{
	size_t len = strlen(text), shown = len;

	if (len > max) {
		shown = max;
		while (shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
			shown--;
	}
	for (size_t i = 0; i < shown; i++) {
		/* What starts with "www." becomes a link. */
		if (running && text[i] == '.' && i >= 3 && strncasecmp(text + i - 3, "www", 3) == 0)
			buf_adds(out, "&#8203;&#46;");
		else if (is_special(text + i, running))
			buf_addf(out, "&#%d;", text[i]);
		else
			buf_addc(out, text[i]);
		/* GitHub looks for @name and #123 after all else is done: a space without width is between. */
		if (running && (text[i] == '@' || text[i] == '#'))
			buf_adds(out, "&#8203;");
	}
	if (shown < len)
		buf_adds(out, "…");
	return shown < len;
}

bool markdown_text(struct buf *out, const char *text, size_t max)
{
	return put(out, text, max, true);
}

bool markdown_code(struct buf *out, const char *text, size_t max)
{
	return put(out, text, max, false);
}

/* The longest run of backticks. */
static size_t longest_run(const char *text)
{
	size_t longest = 0, run = 0;

	for (; *text != '\0'; text++) {
		run = *text == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

void markdown_fence(struct buf *out, const char *language, const char *block)
{
	size_t run = longest_run(block), ticks = run < 3 ? 3 : run + 1;

	for (size_t i = 0; i < ticks; i++)
		buf_addc(out, '`');
	buf_addf(out, "%s\n%s", language, block);
	for (size_t i = 0; i < ticks; i++)
		buf_addc(out, '`');
	buf_addc(out, '\n');
}
