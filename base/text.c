/* See text.h. */
#include "base/text.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"

bool text_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *resume = NULL;

	while (*s != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			resume = s;
		} else if (*pattern == '?' || *pattern == *s) {
			pattern++;
			s++;
		} else if (star != NULL) {
			pattern = star + 1;
			s = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && strcmp(s + len - tail, suffix) == 0;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Optimal string alignment distance (Damerau-Levenshtein where no part is edited twice), case folded. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t width = b_len + 1;
	size_t *rows = mem_array(3 * width, sizeof *rows);
	size_t *before = rows, *last = rows + width, *now = rows + 2 * width;
	size_t result;

	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);

			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		size_t *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	result = last[b_len];
	free(rows);
	return result;
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word), best = SIZE_MAX;
	const char *nearest = NULL;

	/* A word of a kilobyte is no typing error, and the distance costs its square. */
	if (len > 256)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]), longer = len > other ? len : other,
		       shorter = len + other - longer;
		size_t allowed = longer < 3 ? 1 : longer / 3, distance;

		if (longer - shorter > allowed)
			continue;
		distance = edit_distance(word, len, candidates[i], other);
		if (distance <= allowed && distance < best) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}

void text_base64(struct buf *out, const void *bytes, size_t len)
{
	size_t size = 4 * ((len + 2) / 3);
	unsigned char *encoded = mem_alloc(size + 1);

	EVP_EncodeBlock(encoded, bytes, (int)len);
	buf_add(out, encoded, size);
	free(encoded);
}

int text_base64_decode(struct buf *out, const char *s, size_t len)
{
	unsigned char *decoded;
	int size;
	size_t padding = 0;

	if (len % 4 != 0 || len > INT32_MAX)
		return -1;
	while (padding < 2 && padding < len && s[len - 1 - padding] == '=')
		padding++;
	decoded = mem_alloc(len / 4 * 3 + 1);
	size = EVP_DecodeBlock(decoded, (const unsigned char *)s, (int)len);
	if (size >= 0)
		buf_add(out, decoded, (size_t)size - padding);
	free(decoded);
	return size < 0 ? -1 : 0;
}

void text_hex(char *out, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int text_hex_decode(uint8_t *out, size_t len, const char *hex)
{
	if (strlen(hex) != 2 * len)
		return -1;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

void text_uri_encode(struct buf *out, const char *s, size_t len, bool keep_slash)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slash))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

void text_sha256(uint8_t out[32], const void *bytes, size_t len)
{
	SHA256(bytes, len, out);
}

void text_hmac_sha256(uint8_t out[32], const void *key, size_t key_len, const void *bytes, size_t len)
{
	unsigned size = 32;

	HMAC(EVP_sha256(), key, (int)key_len, bytes, len, out, &size);
}

void text_count(struct buf *out, size_t count, const char *noun)
{
	size_t len = strlen(noun);

	buf_addf(out, "%zu ", count);
	if (count == 1)
		buf_adds(out, noun);
	else if (len > 1 && noun[len - 1] == 'y' && strchr("aeiou", noun[len - 2]) == NULL)
		buf_addf(out, "%.*sies", (int)len - 1, noun);
	else
		buf_addf(out, "%ss", noun);
}

void text_time(char *out, size_t size, int64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

int text_time_parse(int64_t *unix_ms, const char *s)
{
	struct tm parts = {0};
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &parts);
	int64_t ms = 0, offset = 0;
	int hours, minutes, used = 0;

	if (rest == NULL)
		return -1;
	if (*rest == '.') {
		int64_t scale = 100;

		for (rest++; isdigit((unsigned char)*rest); rest++, scale /= 10)
			ms += scale * (*rest - '0');
	}
	if (*rest == '+' || *rest == '-') {
		if (sscanf(rest + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2)
			return -1;
		offset = (hours * 60 + minutes) * (*rest == '-' ? -60 : 60);
		rest += 1 + used;
	} else if (*rest == 'Z') {
		rest++;
	} else {
		return -1;
	}
	if (*rest != '\0')
		return -1;
	*unix_ms = ((int64_t)timegm(&parts) - offset) * 1000 + ms;
	return 0;
}

int text_duration_parse(int64_t *ms, const char *s)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	int64_t count = 0, seconds = 0;
	const char *at = s;

	for (; isdigit((unsigned char)*at) && at - s < 9; at++)
		count = 10 * count + (*at - '0');
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (*at == units[i].unit)
			seconds = units[i].seconds;
	if (at == s || count == 0 || seconds == 0 || at[1] != '\0' || count * seconds > 10 * 366 * (int64_t)86400)
		return -1;
	*ms = count * seconds * 1000;
	return 0;
}
