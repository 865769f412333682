/* Signatures that `ssh-keygen -Y sign` makes: OpenSSH's PROTOCOL.sshsig, and PROTOCOL.u2f for keys in hardware. What is
 * accepted is one key (the one asked for), one namespace, two hashes; no SHA-1. */
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "apply/keys.h"
#include "base/mem.h"
#include "base/text.h"

#define MAGIC        "SSHSIG"
#define USER_PRESENT 1 /* flag of a FIDO signature: somebody touched the key */

static const char armor_begin[] = "-----BEGIN SSH SIGNATURE-----", armor_end[] = "-----END SSH SIGNATURE-----";

/* The parts of a signature. Borrowed from its bytes. */
struct sshsig {
	const uint8_t *key, *namespace, *reserved, *hash, *signature;
	size_t key_len, namespace_len, reserved_len, hash_len, signature_len;
};

int apply_sshsig_unarmor(struct buf *out, const char *text, size_t len)
{
	const char *begin = memmem(text, len, armor_begin, sizeof armor_begin - 1), *end;
	buf_auto struct buf body = BUF_INIT;

	if (begin == NULL)
		return -1;
	begin += sizeof armor_begin - 1;
	end = memmem(begin, len - (size_t)(begin - text), armor_end, sizeof armor_end - 1);
	if (end == NULL)
		return -1;
	for (const char *at = begin; at < end; at++)
		if (strchr(" \t\r\n", *at) == NULL)
			buf_addc(&body, *at);
	return text_base64_decode(out, buf_str(&body), body.len);
}

static int sshsig_parse(struct sshsig *out, const void *bytes, size_t len)
{
	struct wire w = {bytes, len, false};

	memset(out, 0, sizeof *out);
	if (len > APPLY_SIGNATURE_MAX || len < sizeof MAGIC - 1 || memcmp(bytes, MAGIC, sizeof MAGIC - 1) != 0)
		return -1;
	w.at += sizeof MAGIC - 1;
	w.left -= sizeof MAGIC - 1;
	if (wire_read_u32(&w) != 1)
		return -1;
	out->key = wire_read_string(&w, &out->key_len);
	out->namespace = wire_read_string(&w, &out->namespace_len);
	out->reserved = wire_read_string(&w, &out->reserved_len);
	out->hash = wire_read_string(&w, &out->hash_len);
	out->signature = wire_read_string(&w, &out->signature_len);
	return wire_ended(&w) ? 0 : -1;
}

int apply_sshsig_key(struct apply_key *out, const void *bytes, size_t len, const char *shown, struct diag *d)
{
	struct sshsig sig;

	memset(out, 0, sizeof *out);
	if (sshsig_parse(&sig, bytes, len) < 0)
		return diag_error(d, "%s: not a signature of ssh-keygen", shown);
	return apply_key_from_wire(out, sig.key, sig.key_len, shown, d);
}

/* What was signed: the parts around the message's hash. False for a hash that is not taken. */
static bool signed_bytes(struct buf *out, const struct sshsig *sig, const void *message, size_t len)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned hash_len = 0;
	const EVP_MD *digest = NULL;

	if (sig->hash_len == 6 && memcmp(sig->hash, "sha256", 6) == 0)
		digest = EVP_sha256();
	else if (sig->hash_len == 6 && memcmp(sig->hash, "sha512", 6) == 0)
		digest = EVP_sha512();
	if (digest == NULL || !EVP_Digest(message, len, hash, &hash_len, digest, NULL))
		return false;
	buf_adds(out, MAGIC);
	wire_add_string(out, sig->namespace, sig->namespace_len);
	wire_add_string(out, sig->reserved, sig->reserved_len);
	wire_add_string(out, sig->hash, sig->hash_len);
	wire_add_string(out, hash, hash_len);
	return true;
}

/* A key in hardware signs the hash of the message, and what it knows itself around it. */
static void hardware_bytes(struct buf *message, const struct apply_key *key, uint8_t flags, uint32_t counter)
{
	const uint8_t tail[5] = {flags, (uint8_t)(counter >> 24), (uint8_t)(counter >> 16), (uint8_t)(counter >> 8),
				 (uint8_t)counter};
	uint8_t application[32], hash[32];

	text_sha256(application, key->application, strlen(key->application));
	text_sha256(hash, message->data, message->len);
	buf_clear(message);
	buf_add(message, application, sizeof application);
	buf_add(message, tail, sizeof tail);
	buf_add(message, hash, sizeof hash);
}

/* SSH's two numbers as the DER that OpenSSL takes. */
static bool ecdsa_to_der(struct buf *out, const uint8_t *bytes, size_t len)
{
	struct wire w = {bytes, len, false};
	size_t r_len, s_len;
	const uint8_t *r = wire_read_string(&w, &r_len), *s = wire_read_string(&w, &s_len);
	ECDSA_SIG *sig;
	BIGNUM *first, *second;
	uint8_t *der = NULL;
	int der_len = -1;

	if (!wire_ended(&w) || r_len > 67 || s_len > 67)
		return false;
	sig = ECDSA_SIG_new();
	first = BN_bin2bn(r, (int)r_len, NULL);
	second = BN_bin2bn(s, (int)s_len, NULL);
	if (sig != NULL && first != NULL && second != NULL && ECDSA_SIG_set0(sig, first, second)) {
		first = second = NULL;
		der_len = i2d_ECDSA_SIG(sig, &der);
	}
	if (der_len > 0)
		buf_add(out, der, (size_t)der_len);
	OPENSSL_free(der);
	BN_free(first);
	BN_free(second);
	ECDSA_SIG_free(sig);
	return der_len > 0;
}

static bool verify_rsa(const struct apply_key *key, const char *algorithm, const uint8_t *raw, size_t raw_len,
		       const struct buf *message)
{
	const EVP_MD *digest = NULL;

	if (strcmp(algorithm, "rsa-sha2-256") == 0)
		digest = EVP_sha256();
	else if (strcmp(algorithm, "rsa-sha2-512") == 0)
		digest = EVP_sha512();
	return digest != NULL && apply_key_verify_raw(key, digest, false, raw, raw_len, message->data, message->len);
}

static bool verify_ec(const struct apply_key *key, const uint8_t *raw, size_t raw_len, const struct buf *message)
{
	buf_auto struct buf der = BUF_INIT;

	return ecdsa_to_der(&der, raw, raw_len) && apply_key_verify_raw(key, apply_key_ec_digest(key), false, der.data,
									der.len, message->data, message->len);
}

static bool verify_inner(const struct apply_key *key, const struct sshsig *sig, struct buf *message)
{
	struct wire w = {sig->signature, sig->signature_len, false};
	mem_auto_str char *algorithm = wire_read_text(&w, 64);
	size_t raw_len;
	const uint8_t *raw = wire_read_string(&w, &raw_len);

	if (algorithm == NULL || raw == NULL)
		return false;
	if (key->hardware) {
		uint8_t flags = wire_read_byte(&w);
		uint32_t counter = wire_read_u32(&w);

		if (w.bad || (flags & USER_PRESENT) == 0)
			return false;
		hardware_bytes(message, key, flags, counter);
	}
	if (!wire_ended(&w))
		return false;
	if (strcmp(key->type, "ssh-rsa") == 0)
		return verify_rsa(key, algorithm, raw, raw_len, message);
	if (strcmp(algorithm, key->type) != 0)
		return false;
	if (apply_key_curve(key->type) != NULL)
		return verify_ec(key, raw, raw_len, message);
	return apply_key_verify_raw(key, NULL, false, raw, raw_len, message->data, message->len);
}

bool apply_sshsig_verify(const struct apply_key *key, const void *bytes, size_t len, const void *message,
			 size_t message_len)
{
	buf_auto struct buf inner = BUF_INIT;
	struct sshsig sig;

	if (sshsig_parse(&sig, bytes, len) < 0)
		return false;
	if (sig.key_len != key->wire.len || memcmp(sig.key, key->wire.data, sig.key_len) != 0)
		return false;
	if (sig.namespace_len != sizeof APPLY_KEY_NAMESPACE - 1 ||
	    memcmp(sig.namespace, APPLY_KEY_NAMESPACE, sig.namespace_len) != 0)
		return false;
	return signed_bytes(&inner, &sig, message, message_len) && verify_inner(key, &sig, &inner);
}
