/* How addresses, numbers and records are spelled as LMDB keys and values. Nothing here touches the database. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "state/store.h"

/* -- Numbers ------------------------------------------------------------------------------------------------------- */

static void add_bytes(struct buf *out, uint64_t n, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_addc(out, (char)(unsigned char)(n >> (8 * i)));
}

void store_add_u32(struct buf *out, uint32_t n)
{
	add_bytes(out, n, 4);
}

void store_add_u64(struct buf *out, uint64_t n)
{
	add_bytes(out, n, 8);
}

static uint64_t read_bytes(const unsigned char *bytes, size_t count)
{
	uint64_t n = 0;

	for (size_t i = count; i > 0; i--)
		n = n << 8 | bytes[i - 1];
	return n;
}

uint32_t store_u32(const void *bytes)
{
	return (uint32_t)read_bytes(bytes, 4);
}

uint64_t store_u64(const void *bytes)
{
	return read_bytes(bytes, 8);
}

void store_put_number(unsigned char out[8], uint64_t n)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (unsigned char)(n >> (8 * (7 - i)));
}

uint64_t store_number(const void *bytes)
{
	const unsigned char *b = bytes;
	uint64_t n = 0;

	for (size_t i = 0; i < 8; i++)
		n = n << 8 | b[i];
	return n;
}

/* -- Addresses ----------------------------------------------------------------------------------------------------- */

static int spell_address(struct store_key *out, size_t skip, const char *address, struct diag *d)
{
	size_t len = strlen(address) + 1;

	/* An address can hold no 0xFF: it is UTF-8 in every way into the program. Make sure, since keys rely on it. */
	if (len == 1 || strchr(address, '\xff') != NULL)
		return diag_error(d, "\"%s\" is no address that the state can hold", address);
	out->hashed = len > STORE_KEY_MAX;
	if (!out->hashed) {
		memcpy(out->bytes + skip, address, len);
		out->len = skip + len;
		return 0;
	}
	memcpy(out->bytes + skip, address, STORE_KEY_KEPT);
	out->bytes[skip + STORE_KEY_KEPT] = 0xff;
	text_sha256(out->bytes + skip + STORE_KEY_KEPT + 1, address, len - 1);
	out->len = skip + STORE_KEY_MAX;
	return 0;
}

int store_key_address(struct store_key *out, const char *address, struct diag *d)
{
	return spell_address(out, 0, address, d);
}

int store_key_history(struct store_key *out, uint64_t generation, const char *address, struct diag *d)
{
	store_put_number(out->bytes, generation);
	return spell_address(out, 8, address, d);
}

void store_add_address(struct buf *out, const struct store_key *key, const char *address)
{
	size_t len = key->hashed ? strlen(address) + 1 : 0;

	store_add_u32(out, (uint32_t)len);
	buf_add(out, address, len);
}

int store_entry(const MDB_val *key, size_t skip, const MDB_val *value, const char **address, MDB_val *rest)
{
	const char *bytes = value->mv_data, *text;
	size_t len, text_len;

	if (key->mv_size <= skip || value->mv_size < 4)
		return -1;
	len = store_u32(bytes);
	if (len > value->mv_size - 4)
		return -1;
	text = len > 0 ? bytes + 4 : (const char *)key->mv_data + skip;
	text_len = len > 0 ? len : key->mv_size - skip;
	if (memchr(text, '\0', text_len) != text + text_len - 1)
		return -1;
	*address = text;
	*rest = (MDB_val){value->mv_size - 4 - len, (void *)(bytes + 4 + len)};
	return 0;
}

/* -- Records ------------------------------------------------------------------------------------------------------- */

void store_add_fact(struct buf *out, uint64_t version, uint64_t generation, const uint8_t digest[32], const char *text,
		    size_t len)
{
	store_add_u64(out, version);
	store_add_u64(out, generation);
	buf_add(out, digest, 32);
	buf_add(out, text, len);
}

int store_fact(struct state_record *out, const char *address, const MDB_val *fact)
{
	const char *bytes = fact->mv_data;

	if (fact->mv_size < STORE_FACT_HEAD)
		return -1;
	out->address = address;
	out->version = store_u64(bytes);
	out->generation = store_u64(bytes + 8);
	memcpy(out->digest, bytes + 16, 32);
	out->text = bytes + STORE_FACT_HEAD;
	out->text_len = fact->mv_size - STORE_FACT_HEAD;
	return out->version == 0 ? -1 : 0;
}

int store_json(json_t **out, const void *text, size_t len, const struct state *state, struct diag *d)
{
	json_error_t error;

	*out = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	return *out != NULL ? 0 : store_corrupt(state, d, "an entry is not the JSON that was written: %s", error.text);
}
