/* Small things that every part of the sandbox uses: globs, times, ids, JSON members, pages, tags. */
#include "tests/sandbox/sandbox.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

bool sb_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool in_class(char c, const char *allowed)
{
	for (const char *p = allowed; *p != '\0'; p++) {
		if (p[1] == '-' && p[2] != '\0') {
			if (c >= p[0] && c <= p[2])
				return true;
			p += 2;
		} else if (*p == c) {
			return true;
		}
	}
	return false;
}

bool sb_like(const char *text, const char *allowed, size_t min, size_t max)
{
	size_t len = strlen(text);

	if (len < min || len > max)
		return false;
	for (; *text != '\0'; text++)
		if (!in_class(*text, allowed))
			return false;
	return true;
}

int64_t sb_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

char *sb_time_iso(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return mem_strdup(text);
}

json_t *sb_time_json(int64_t ms)
{
	mem_auto_str char *text = sb_time_iso(ms);

	return json_string(text);
}

json_t *sb_time_epoch(int64_t ms)
{
	return json_real((double)ms / 1000.0);
}

void sb_hex(char *out, const unsigned char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

void sb_sha256_hex(char out[65], const void *bytes, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	EVP_Digest(bytes == NULL ? "" : bytes, len, digest, &size, EVP_sha256(), NULL);
	sb_hex(out, digest, 32);
}

void sb_uuid(char out[37])
{
	unsigned char raw[16];
	char hex[33];

	if (RAND_bytes(raw, sizeof raw) != 1)
		abort();
	raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);
	raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
	sb_hex(hex, raw, sizeof raw);
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

char *sb_id(struct sb_call *call, const char *prefix, size_t len, const char *alphabet)
{
	int64_t number = sb_int(call->state, "_sequence", 0) + 1;
	unsigned char digest[EVP_MAX_MD_SIZE];
	buf_auto struct buf seed = BUF_INIT, out = BUF_INIT;
	size_t letters = strlen(alphabet);

	json_object_set_new(call->state, "_sequence", json_integer(number));
	buf_addf(&seed, "%s/%s/%s/%lld", call->account, call->region, call->service->name, (long long)number);
	EVP_Digest(seed.data, seed.len, digest, NULL, EVP_sha256(), NULL);
	buf_adds(&out, prefix);
	for (size_t i = 0; i < len; i++)
		buf_addc(&out, alphabet[digest[i % 32] % letters]);
	return buf_detach(&out);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *sb_url_decode(const char *text, size_t len, bool plus)
{
	buf_auto struct buf out = BUF_INIT;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && i + 2 < len && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
			buf_addc(&out, (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
			i += 2;
		} else {
			buf_addc(&out, plus && text[i] == '+' ? ' ' : text[i]);
		}
	}
	return buf_detach(&out);
}

void sb_url_encode(struct buf *out, const char *text, size_t len, bool keep_slash)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (isalnum(c) || strchr("-_.~", c) != NULL || (keep_slash && c == '/'))
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
}

const char *sb_str(json_t *object, const char *key, const char *fallback)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? fallback : text;
}

bool sb_true(json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

int64_t sb_int(json_t *object, const char *key, int64_t fallback)
{
	json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

void sb_copy(json_t *to, json_t *from, const char *names)
{
	char name[128];

	while (*names != '\0') {
		size_t len = strcspn(names, " ");
		json_t *value;

		snprintf(name, sizeof name, "%.*s", (int)len, names);
		value = json_object_get(from, name);
		if (value != NULL)
			json_object_set(to, name, value);
		names += len + (names[len] == ' ');
	}
}

json_t *sb_format(const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	return json_string(buf_str(&text));
}

char *sb_arn_part(const char *arn, int n)
{
	for (int i = 0; i < n; i++) {
		const char *colon = strchr(arn, ':');

		if (colon == NULL)
			return mem_strdup("");
		arn = colon + 1;
	}
	return n >= 5 ? mem_strdup(arn) : mem_strndup(arn, strcspn(arn, ":"));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A token names the last key of the page before it, so that it stays good when keys come and go. */
json_t *sb_page(char **next, json_t *object, const char *token, size_t limit)
{
	size_t count = 0, size = json_object_size(object);
	const char **names = mem_array(size, sizeof *names);
	mem_auto_str char *after = NULL;
	json_t *page = NULL;
	const char *key;
	json_t *value;

	*next = NULL;
	if (token != NULL && token[0] != '\0') {
		size_t len = strlen(token);
		buf_auto struct buf raw = BUF_INIT;

		if (len % 2 != 0 || !sb_like(token, "0-9a-f", 2, 4096))
			goto out;
		for (size_t i = 0; i < len; i += 2)
			buf_addc(&raw, (char)(hex_value(token[i]) * 16 + hex_value(token[i + 1])));
		after = buf_detach(&raw);
	}
	json_object_foreach(object, key, value) if (key[0] != '_') names[count++] = key;
	qsort(names, count, sizeof *names, by_name);
	page = json_array();
	for (size_t i = 0; i < count; i++) {
		if (after != NULL && strcmp(names[i], after) <= 0)
			continue;
		if (json_array_size(page) == limit) {
			const char *last = json_string_value(json_array_get(page, limit - 1));

			*next = mem_array(strlen(last) * 2 + 1, 1);
			sb_hex(*next, (const unsigned char *)last, strlen(last));
			break;
		}
		json_array_append_new(page, json_string(names[i]));
	}
out:
	free(names);
	return page;
}

void sb_tags_add(json_t *tags, json_t *list, const char *key, const char *value)
{
	size_t i;
	json_t *tag;

	json_array_foreach(list, i, tag)
	    json_object_set_new(tags, sb_str(tag, key, ""), json_string(sb_str(tag, value, "")));
}

void sb_tags_remove(json_t *tags, json_t *keys)
{
	size_t i;
	json_t *key;

	json_array_foreach(keys, i, key) if (json_is_string(key)) json_object_del(tags, json_string_value(key));
}

json_t *sb_tags_list(json_t *tags, const char *key, const char *value)
{
	json_t *list = json_array();
	const char *name;
	json_t *text;

	json_object_foreach(tags, name, text)
	    json_array_append_new(list, json_pack("{s:s,s:O}", key, name, value, text));
	return list;
}
