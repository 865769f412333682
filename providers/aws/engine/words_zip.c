/* $Zip: one file as a zip archive in base64, which is how Lambda takes code that stands in a spec. The archive holds no
 * times, so the same text always gives the same bytes. APPNOTE.TXT 6.3, entries "stored". */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "providers/aws/engine/words.h"

#define ZIP_DATE 0x21 /* 1980-01-01, the first there is */

static uint32_t crc32_of(const char *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320 & (0 - (crc & 1)));
	}
	return ~crc;
}

static void add_number(struct buf *out, uint32_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_addc(out, (char)(number >> 8 * i));
}

/* What local and central headers have in common, from "version needed" to the lengths. */
static void add_facts(struct buf *out, uint32_t crc, size_t len, size_t name_len)
{
	add_number(out, 20, 2);
	add_number(out, 0, 2); /* flags */
	add_number(out, 0, 2); /* stored */
	add_number(out, 0, 2);
	add_number(out, ZIP_DATE, 2);
	add_number(out, crc, 4);
	add_number(out, (uint32_t)len, 4);
	add_number(out, (uint32_t)len, 4);
	add_number(out, (uint32_t)name_len, 2);
	add_number(out, 0, 2); /* extra field */
}

static void zip(struct buf *out, const char *name, const char *text, size_t len)
{
	uint32_t crc = crc32_of(text, len);
	size_t name_len = strlen(name), directory;

	add_number(out, 0x04034b50, 4);
	add_facts(out, crc, len, name_len);
	buf_adds(out, name);
	buf_add(out, text, len);
	directory = out->len;
	add_number(out, 0x02014b50, 4);
	add_number(out, 3 << 8 | 20, 2); /* made on Unix, so that the mode below counts */
	add_facts(out, crc, len, name_len);
	add_number(out, 0, 2); /* comment */
	add_number(out, 0, 2); /* disk */
	add_number(out, 0, 2); /* internal attributes */
	add_number(out, 0100644u << 16, 4);
	add_number(out, 0, 4); /* where the local header is */
	buf_adds(out, name);
	add_number(out, 0x06054b50, 4);
	add_number(out, 0, 4); /* disks */
	add_number(out, 1, 2);
	add_number(out, 1, 2);
	add_number(out, (uint32_t)(46 + name_len), 4);
	add_number(out, (uint32_t)directory, 4);
	add_number(out, 0, 2);
}

/* [file name, text] */
json_t *engine_word_zip(const struct engine_scope *scope, const json_t *arguments)
{
	json_t *name = engine_argument(scope, arguments, 0), *text = engine_argument(scope, arguments, 1), *out = NULL;
	buf_auto struct buf archive = BUF_INIT;
	buf_auto struct buf encoded = BUF_INIT;

	if (json_is_string(name) && json_is_string(text)) {
		zip(&archive, json_string_value(name), json_string_value(text), json_string_length(text));
		text_base64(&encoded, archive.data, archive.len);
		out = json_string(buf_str(&encoded));
	}
	json_decref(name);
	json_decref(text);
	return out;
}
