/* Text from outside made safe to show (see text.h). */
#include <string.h>

#include "base/text.h"

/* Code points that are not seen, or that move, join or turn what is: general categories Cc, Cf, Zs (but the space), Zl,
 * Zp and Co, Default_Ignorable_Code_Point and the braille blank (Unicode 15.0, DerivedCoreProperties.txt and
 * UnicodeData.txt). Noncharacters are not listed. */
static const struct {
	uint32_t first, last;
} unseen[] = {
    {0x0000, 0x001f},   {0x007f, 0x00a0},   {0x00ad, 0x00ad},   {0x034f, 0x034f},     {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},     {0x08e2, 0x08e2},
    {0x115f, 0x1160},   {0x1680, 0x1680},   {0x17b4, 0x17b5},   {0x180b, 0x180f},     {0x2000, 0x200f},
    {0x2028, 0x202f},   {0x205f, 0x206f},   {0x2800, 0x2800},   {0x3000, 0x3000},     {0x3164, 0x3164},
    {0xe000, 0xf8ff},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},     {0xfff0, 0xfffc},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},   {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff}, {0xf0000, 0xfffff}, {0xfdd0, 0xfdef},   {0x100000, 0x10ffff},
};

static bool is_unseen(uint32_t point)
{
	if (point >= ' ' && point < 0x7f)
		return false;
	if ((point & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
		if (point >= unseen[i].first && point <= unseen[i].last)
			return true;
	return false;
}

/* Bytes of the UTF-8 character at `text`; 0 when it is none (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_read(uint32_t *point, const unsigned char *text, size_t len)
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
		*point = forms[i].len == 1 ? text[0] : text[0] & (0x7fu >> forms[i].len);
		for (size_t k = 1; k < forms[i].len; k++) {
			if (text[k] < (k == 1 ? forms[i].low : 0x80) || text[k] > (k == 1 ? forms[i].high : 0xbf))
				return 0;
			*point = *point << 6 | (text[k] & 0x3f);
		}
		return forms[i].len;
	}
	return 0;
}

void text_clean(struct buf *out, const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	while (len > 0) {
		uint32_t point = 0;
		size_t taken = utf8_read(&point, at, len);

		if (taken == 0)
			buf_addf(out, "\\x{%02X}", *at);
		else if (point == '\t')
			buf_adds(out, "    ");
		else if (is_unseen(point))
			buf_addf(out, "\\u{%X}", (unsigned)point);
		else
			buf_add(out, at, taken);
		taken += taken == 0;
		at += taken;
		len -= taken;
	}
}

bool text_is_clean(const char *text)
{
	buf_auto struct buf out = BUF_INIT;

	text_clean(&out, text, strlen(text));
	return strcmp(buf_str(&out), text) == 0;
}
