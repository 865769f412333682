/* The canonical form of JSON and digests over it. Written here and not by jansson, since it is what an apply spends
 * most of its own time on, and so that a large document can be hashed without a second copy of it in memory. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define HASHED_AT_ONCE   16384
#define MEMBERS_ON_STACK 32
#define DEPTH_MAX        2048 /* jansson's own; deeper ones hold themselves */

struct writer {
	struct buf *out;
	EVP_MD_CTX *hash; /* takes what is in `out` from time to time; NULL: all of it stays there */
	size_t depth;
};

static void write_value(struct writer *w, const json_t *value);

/* Anything else in its place would be stored and believed. */
static void cannot(const char *what)
{
	fprintf(stderr, "muster: %s\n", what);
	abort();
}

static void hash_written(struct writer *w)
{
	if (w->hash == NULL)
		return;
	if (EVP_DigestUpdate(w->hash, buf_str(w->out), w->out->len) != 1)
		cannot("SHA-256 failed");
	buf_clear(w->out);
}

/* -- Strings ------------------------------------------------------------------------------------------------------- */

static void write_escaped(struct buf *out, unsigned char c)
{
	static const char letters[] = "btn\0fr"; /* of 8 to 13 */

	if (c == '"' || c == '\\')
		buf_add(out, (char[]){'\\', (char)c}, 2);
	else if (c >= '\b' && c <= '\r' && c != '\v')
		buf_add(out, (char[]){'\\', letters[c - '\b']}, 2);
	else
		buf_addf(out, "\\u%04X", c);
}

static void write_string(struct buf *out, const char *s, size_t len)
{
	size_t from = 0;

	buf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		buf_add(out, s + from, i - from);
		write_escaped(out, c);
		from = i + 1;
	}
	buf_add(out, s + from, len - from);
	buf_addc(out, '"');
}

/* -- Numbers ------------------------------------------------------------------------------------------------------- */

static void write_integer(struct buf *out, json_int_t n)
{
	char text[24];

	buf_add(out, text, (size_t)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, n));
}

static void write_real(struct buf *out, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		cannot("a number cannot be written");
	buf_adds(out, text);
	free(text);
}

/* -- Objects and lists --------------------------------------------------------------------------------------------- */

struct member {
	const char *key;
	const json_t *value;
};

static int member_compare(const void *left, const void *right)
{
	const struct member *a = left, *b = right;

	return strcmp(a->key, b->key);
}

/* Members in order of key; most objects come in that order already. Returns how many. */
static size_t members_collect(struct member *members, const json_t *object)
{
	json_t *o = (json_t *)object;
	bool sorted = true;
	size_t count = 0;

	for (void *i = json_object_iter(o); i != NULL; i = json_object_iter_next(o, i)) {
		members[count] = (struct member){json_object_iter_key(i), json_object_iter_value(i)};
		sorted = sorted && (count == 0 || strcmp(members[count - 1].key, members[count].key) < 0);
		count++;
	}
	if (!sorted)
		qsort(members, count, sizeof *members, member_compare);
	return count;
}

static void write_object(struct writer *w, const json_t *object)
{
	size_t count = json_object_size(object);
	struct member few[MEMBERS_ON_STACK], *members = few;

	if (count > MEMBERS_ON_STACK)
		members = mem_array(count, sizeof *members);
	count = members_collect(members, object);
	for (size_t i = 0; i < count; i++) {
		buf_addc(w->out, i == 0 ? '{' : ',');
		write_string(w->out, members[i].key, strlen(members[i].key));
		buf_addc(w->out, ':');
		write_value(w, members[i].value);
	}
	buf_adds(w->out, count == 0 ? "{}" : "}");
	if (members != few)
		free(members);
}

static void write_list(struct writer *w, const json_t *list)
{
	size_t i;
	const json_t *item;

	buf_addc(w->out, '[');
	json_array_foreach((json_t *)list, i, item)
	{
		if (i > 0)
			buf_addc(w->out, ',');
		write_value(w, item);
	}
	buf_addc(w->out, ']');
}

static void write_value(struct writer *w, const json_t *value)
{
	if (++w->depth > DEPTH_MAX)
		cannot("a JSON value is nested too deeply to be written");
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(w, value);
		break;
	case JSON_ARRAY:
		write_list(w, value);
		break;
	case JSON_STRING:
		write_string(w->out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		write_integer(w->out, json_integer_value(value));
		break;
	case JSON_REAL:
		write_real(w->out, value);
		break;
	case JSON_TRUE:
		buf_adds(w->out, "true");
		break;
	case JSON_FALSE:
		buf_adds(w->out, "false");
		break;
	case JSON_NULL:
		buf_adds(w->out, "null");
		break;
	}
	w->depth--;
	if (w->out->len >= HASHED_AT_ONCE)
		hash_written(w);
}

/* -- The face ------------------------------------------------------------------------------------------------------ */

void json_canonical(struct buf *out, const json_t *value)
{
	struct writer w = {out, NULL, 0};

	if (value == NULL)
		buf_adds(out, "null");
	else
		write_value(&w, value);
}

void json_digest(uint8_t out[32], const json_t *value)
{
	buf_auto struct buf text = BUF_INIT;
	struct writer w = {&text, NULL, 0};

	w.hash = EVP_MD_CTX_new();
	if (w.hash == NULL || EVP_DigestInit_ex(w.hash, EVP_sha256(), NULL) != 1)
		cannot("SHA-256 is not to be had from OpenSSL");
	if (value == NULL)
		buf_adds(&text, "null");
	else
		write_value(&w, value);
	hash_written(&w);
	if (EVP_DigestFinal_ex(w.hash, out, NULL) != 1)
		cannot("SHA-256 failed");
	EVP_MD_CTX_free(w.hash);
}
