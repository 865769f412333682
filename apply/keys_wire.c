/* SSH's binary form of strings and public keys. Everything read here comes from outside: each length is checked against
 * what is left, and a key must be spelled in the one way that it is written in here, so that one key has one
 * fingerprint. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "apply/keys.h"
#include "base/mem.h"

#define APPLICATION_MAX 256
#define POINT_MAX       133 /* uncompressed point of P-521 */

/* -- Strings ------------------------------------------------------------------------------------------------------- */

static const uint8_t *take(struct wire *w, size_t len)
{
	const uint8_t *at = w->at;

	if (w->bad || w->left < len) {
		w->bad = true;
		return NULL;
	}
	w->at += len;
	w->left -= len;
	return at;
}

uint32_t wire_read_u32(struct wire *w)
{
	const uint8_t *b = take(w, 4);

	return b == NULL ? 0 : (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint8_t wire_read_byte(struct wire *w)
{
	const uint8_t *b = take(w, 1);

	return b == NULL ? 0 : *b;
}

const uint8_t *wire_read_string(struct wire *w, size_t *len)
{
	const uint8_t *bytes;

	*len = wire_read_u32(w);
	bytes = take(w, *len);
	if (bytes == NULL)
		*len = 0;
	return bytes;
}

bool wire_read_is(struct wire *w, const char *text)
{
	size_t len;
	const uint8_t *bytes = wire_read_string(w, &len);

	return bytes != NULL && len == strlen(text) && memcmp(bytes, text, len) == 0;
}

char *wire_read_text(struct wire *w, size_t max)
{
	size_t len;
	const uint8_t *bytes = wire_read_string(w, &len);

	if (bytes == NULL || len > max || memchr(bytes, '\0', len) != NULL) {
		w->bad = true;
		return NULL;
	}
	return mem_strndup((const char *)bytes, len);
}

bool wire_ended(const struct wire *w)
{
	return !w->bad && w->left == 0;
}

void wire_add_string(struct buf *out, const void *bytes, size_t len)
{
	const uint8_t size[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};

	buf_add(out, size, sizeof size);
	buf_add(out, bytes, len);
}

void wire_add_text(struct buf *out, const char *text)
{
	wire_add_string(out, text, strlen(text));
}

/* RFC 4251 5: two's complement, so a leading zero byte where the highest bit is set. */
static void add_mpint(struct buf *out, const BIGNUM *number)
{
	size_t len = (size_t)BN_num_bytes(number);
	uint8_t *bytes = mem_alloc(len + 1);

	BN_bn2bin(number, bytes + 1);
	if (len > 0 && (bytes[1] & 0x80) != 0)
		wire_add_string(out, bytes, len + 1);
	else
		wire_add_string(out, bytes + 1, len);
	free(bytes);
}

/* -- Kinds of keys ------------------------------------------------------------------------------------------------- */

static const struct key_kind {
	const char *type, *curve, *group;
	bool hardware;
} kinds[] = {
    {"ssh-ed25519", NULL, NULL, false},
    {"ssh-rsa", NULL, NULL, false},
    {"ecdsa-sha2-nistp256", "nistp256", "prime256v1", false},
    {"ecdsa-sha2-nistp384", "nistp384", "secp384r1", false},
    {"ecdsa-sha2-nistp521", "nistp521", "secp521r1", false},
    {"sk-ssh-ed25519@openssh.com", NULL, NULL, true},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", "prime256v1", true},
};

static const struct key_kind *kind_find(const char *type)
{
	for (size_t i = 0; type != NULL && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	return NULL;
}

const char *apply_key_curve(const char *type)
{
	const struct key_kind *kind = kind_find(type);

	return kind == NULL ? NULL : kind->curve;
}

const char *apply_key_group(const char *type)
{
	const struct key_kind *kind = kind_find(type);

	return kind == NULL ? NULL : kind->group;
}

bool apply_key_is_ssh_text(const char *text)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t len = strlen(kinds[i].type);

		if (strncmp(text, kinds[i].type, len) == 0 && (text[len] == ' ' || text[len] == '\t'))
			return true;
	}
	return false;
}

/* -- Wire form -> key ---------------------------------------------------------------------------------------------- */

static EVP_PKEY *from_params(const char *algorithm, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *read_rsa(struct wire *w)
{
	size_t e_len, n_len;
	const uint8_t *e = wire_read_string(w, &e_len), *n = wire_read_string(w, &n_len);
	OSSL_PARAM_BLD *build;
	BIGNUM *exponent, *modulus;
	EVP_PKEY *key = NULL;

	if (e == NULL || n == NULL || e_len > 8 || n_len > APPLY_RSA_BITS_MAX / 8 + 1)
		return NULL;
	build = OSSL_PARAM_BLD_new();
	exponent = BN_bin2bn(e, (int)e_len, NULL);
	modulus = BN_bin2bn(n, (int)n_len, NULL);
	/* 1 would make every message its own signature. */
	if (build != NULL && exponent != NULL && modulus != NULL && BN_is_odd(exponent) && !BN_is_one(exponent) &&
	    BN_is_odd(modulus) && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus))
		key = from_params("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(exponent);
	BN_free(modulus);
	return key;
}

static EVP_PKEY *read_ec(struct wire *w, const struct key_kind *kind)
{
	bool same = wire_read_is(w, kind->curve);
	size_t len;
	const uint8_t *point = wire_read_string(w, &len);
	OSSL_PARAM_BLD *build;
	EVP_PKEY *key = NULL;

	if (!same || point == NULL || len > POINT_MAX)
		return NULL;
	build = OSSL_PARAM_BLD_new();
	if (build != NULL && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, kind->group, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, len))
		key = from_params("EC", build);
	OSSL_PARAM_BLD_free(build);
	return key;
}

static EVP_PKEY *read_ed25519(struct wire *w)
{
	size_t len;
	const uint8_t *bytes = wire_read_string(w, &len);

	return bytes == NULL || len != 32 ? NULL : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, len);
}

int apply_key_from_wire(struct apply_key *out, const void *bytes, size_t len, const char *shown, struct diag *d)
{
	struct wire w = {bytes, len, false};
	mem_auto_str char *type = wire_read_text(&w, 64);
	const struct key_kind *kind = kind_find(type);
	buf_auto struct buf again = BUF_INIT;

	memset(out, 0, sizeof *out);
	if (kind == NULL)
		return diag_error(d, "%s: %s%s%s", shown, type == NULL ? "not a public key" : "keys of the kind ",
				  type == NULL ? "" : type, type == NULL ? "" : " are not known");
	out->type = kind->type;
	out->hardware = kind->hardware;
	if (kind->curve != NULL)
		out->pkey = read_ec(&w, kind);
	else
		out->pkey = strcmp(kind->type, "ssh-rsa") == 0 ? read_rsa(&w) : read_ed25519(&w);
	if (out->pkey != NULL && kind->hardware)
		out->application = wire_read_text(&w, APPLICATION_MAX);
	if (out->pkey == NULL || !wire_ended(&w) || apply_key_to_wire(&again, out) < 0 || again.len != len ||
	    memcmp(again.data, bytes, len) != 0)
		return diag_error(d, "%s: a malformed %s key", shown, kind->type);
	return apply_key_identify(out, shown, d);
}

/* -- Key -> wire form ---------------------------------------------------------------------------------------------- */

static int add_rsa(struct buf *out, const EVP_PKEY *key)
{
	BIGNUM *e = NULL, *n = NULL;
	int result = -1;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n)) {
		add_mpint(out, e);
		add_mpint(out, n);
		result = 0;
	}
	BN_free(e);
	BN_free(n);
	return result;
}

/* From the coordinates: the key itself may hold its point compressed. */
static int add_ec(struct buf *out, const EVP_PKEY *key, const char *curve)
{
	int side = (EVP_PKEY_get_bits(key) + 7) / 8, result = -1;
	uint8_t point[POINT_MAX] = {4};
	BIGNUM *x = NULL, *y = NULL;

	if (side > 0 && 2 * side + 1 <= POINT_MAX && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) && BN_bn2binpad(x, point + 1, side) == side &&
	    BN_bn2binpad(y, point + 1 + side, side) == side) {
		wire_add_text(out, curve);
		wire_add_string(out, point, (size_t)(2 * side + 1));
		result = 0;
	}
	BN_free(x);
	BN_free(y);
	return result;
}

static int add_ed25519(struct buf *out, const EVP_PKEY *key)
{
	uint8_t bytes[32];
	size_t len = sizeof bytes;

	if (!EVP_PKEY_get_raw_public_key(key, bytes, &len) || len != sizeof bytes)
		return -1;
	wire_add_string(out, bytes, len);
	return 0;
}

int apply_key_to_wire(struct buf *out, const struct apply_key *key)
{
	const char *curve = apply_key_curve(key->type);
	int result;

	wire_add_text(out, key->type);
	if (curve != NULL)
		result = add_ec(out, key->pkey, curve);
	else
		result = strcmp(key->type, "ssh-rsa") == 0 ? add_rsa(out, key->pkey) : add_ed25519(out, key->pkey);
	if (result == 0 && key->hardware)
		wire_add_text(out, key->application == NULL ? "" : key->application);
	return result;
}
