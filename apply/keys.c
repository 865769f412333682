/* Public keys of approvers, as PEM and as OpenSSH writes them, and signatures checked with them. Not for private keys:
 * those are in keys_sign.c, and here they are refused. */
#include "apply/keys.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define COMMENT_MAX 256

void apply_key_release(struct apply_key *key)
{
	EVP_PKEY_free(key->pkey);
	free(key->application);
	free(key->comment);
	buf_free(&key->wire);
	memset(key, 0, sizeof *key);
}

/* -- What a key is ------------------------------------------------------------------------------------------------- */

/* The SSH name of a key that came as PEM; NULL: of no kind that is known here. */
static const char *type_of(const EVP_PKEY *key)
{
	static const char *const ec_types[] = {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"};
	char group[64] = "";
	size_t len;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_ED25519:
		return "ssh-ed25519";
	case EVP_PKEY_RSA:
		return "ssh-rsa";
	case EVP_PKEY_EC:
		if (!EVP_PKEY_get_group_name(key, group, sizeof group, &len))
			return NULL;
		for (size_t i = 0; i < sizeof ec_types / sizeof *ec_types; i++)
			if (strcmp(apply_key_group(ec_types[i]), group) == 0)
				return ec_types[i];
		return NULL;
	default:
		return NULL;
	}
}

int apply_key_identify(struct apply_key *out, const char *shown, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;
	uint8_t sha256[32];

	if (out->type == NULL)
		out->type = type_of(out->pkey);
	if (out->type == NULL)
		return diag_error(
		    d, "%s: not a kind of key that can approve: use Ed25519, RSA, or EC on P-256, P-384 or P-521",
		    shown);
	if (strcmp(out->type, "ssh-rsa") == 0 &&
	    (EVP_PKEY_get_bits(out->pkey) < APPLY_RSA_BITS_MIN || EVP_PKEY_get_bits(out->pkey) > APPLY_RSA_BITS_MAX))
		return diag_error(d, "%s: an RSA key of %d bits; %d to %d are taken", shown,
				  EVP_PKEY_get_bits(out->pkey), APPLY_RSA_BITS_MIN, APPLY_RSA_BITS_MAX);
	buf_clear(&out->wire);
	if (apply_key_to_wire(&out->wire, out) < 0)
		return diag_error(d, "%s: the public key cannot be read", shown);
	text_sha256(sha256, out->wire.data, out->wire.len);
	text_base64(&text, sha256, sizeof sha256);
	/* Without padding, as ssh-keygen -l has it. */
	while (text.len > 0 && text.data[text.len - 1] == '=')
		buf_truncate(&text, text.len - 1);
	snprintf(out->fingerprint, sizeof out->fingerprint, "SHA256:%s", buf_str(&text));
	return 0;
}

/* -- Reading ------------------------------------------------------------------------------------------------------- */

static int no_passphrase(char *out, int size, int writing, void *payload)
{
	(void)out, (void)size, (void)writing, (void)payload;
	return -1;
}

static int parse_pem(struct apply_key *out, const char *text, size_t len, const char *shown, struct diag *d)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);

	out->pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (out->pkey == NULL)
		return diag_error(d, "%s: not a public key in PEM: it must begin with -----BEGIN PUBLIC KEY-----",
				  shown);
	return apply_key_identify(out, shown, d);
}

static size_t word_length(const char *s)
{
	return strcspn(s, " \t\r\n");
}

/* The one line of a file that is neither empty nor a comment; NULL when there is none or more than one. */
static char *only_line(const char *text, size_t len)
{
	char *found = NULL;

	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t next = end == NULL ? len : (size_t)(end - text), start = at, stop = next;

		while (start < stop && isspace((unsigned char)text[start]))
			start++;
		while (stop > start && isspace((unsigned char)text[stop - 1]))
			stop--;
		at = next + 1;
		if (start == stop || text[start] == '#')
			continue;
		if (found != NULL) {
			free(found);
			return NULL;
		}
		found = mem_strndup(text + start, stop - start);
	}
	return found;
}

static int parse_ssh(struct apply_key *out, const char *text, size_t len, const char *shown, struct diag *d)
{
	mem_auto_str char *line = only_line(text, len);
	buf_auto struct buf wire = BUF_INIT;
	const char *body, *comment;
	size_t body_len;

	if (line == NULL || !apply_key_is_ssh_text(line))
		return diag_error(d,
				  "%s: not one public key: expected PEM (-----BEGIN PUBLIC KEY-----) or one line of "
				  "OpenSSH (ssh-ed25519 AAAA... name@example.com)",
				  shown);
	body = line + word_length(line);
	body += strspn(body, " \t");
	body_len = word_length(body);
	if (text_base64_decode(&wire, body, body_len) < 0)
		return diag_error(d, "%s: what stands after \"%.*s\" is not base64", shown, (int)word_length(line),
				  line);
	if (apply_key_from_wire(out, wire.data, wire.len, shown, d) < 0)
		return -1;
	if (strlen(out->type) != word_length(line) || strncmp(out->type, line, word_length(line)) != 0)
		return diag_error(d, "%s: says %.*s, but the key is %s", shown, (int)word_length(line), line,
				  out->type);
	comment = body + body_len;
	comment += strspn(comment, " \t");
	if (*comment != '\0')
		out->comment = mem_strndup(comment, strnlen(comment, COMMENT_MAX));
	return 0;
}

int apply_key_parse(struct apply_key *out, const char *text, size_t len, const char *shown, struct diag *d)
{
	memset(out, 0, sizeof *out);
	if (len > APPLY_KEY_FILE_MAX)
		return diag_error(d, "%s: over %u KB, too large for a key", shown, APPLY_KEY_FILE_MAX >> 10);
	if (memmem(text, len, "PRIVATE KEY-----", 16) != NULL)
		return diag_error(
		    d,
		    "%s: holds a private key; put its public key there (openssl pkey -pubout, ssh-keygen -y), "
		    "and make a new key if others could read this one",
		    shown);
	if (memmem(text, len, "-----BEGIN ", 11) != NULL)
		return parse_pem(out, text, len, shown, d);
	return parse_ssh(out, text, len, shown, d);
}

/* -- Checking signatures ------------------------------------------------------------------------------------------- */

/* By the curve, as RFC 5656 6.2.1 and FIPS 186-5 pair them. */
const EVP_MD *apply_key_ec_digest(const struct apply_key *key)
{
	const char *curve = apply_key_curve(key->type);

	if (strcmp(curve, "nistp256") == 0)
		return EVP_sha256();
	return strcmp(curve, "nistp384") == 0 ? EVP_sha384() : EVP_sha512();
}

const char *apply_key_algorithm(const struct apply_key *key)
{
	const char *curve = apply_key_curve(key->type);

	if (key->hardware)
		return NULL;
	if (curve == NULL)
		return strcmp(key->type, "ssh-rsa") == 0 ? "rsa-pss-sha256" : "ed25519";
	if (strcmp(curve, "nistp256") == 0)
		return "ecdsa-sha256";
	return strcmp(curve, "nistp384") == 0 ? "ecdsa-sha384" : "ecdsa-sha512";
}

bool apply_key_verify_raw(const struct apply_key *key, const EVP_MD *digest, bool pss, const void *signature,
			  size_t signature_len, const void *message, size_t len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *details = NULL;
	bool good = context != NULL && EVP_DigestVerifyInit(context, &details, digest, NULL, key->pkey) == 1;

	if (good && pss)
		good = EVP_PKEY_CTX_set_rsa_padding(details, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(details, RSA_PSS_SALTLEN_DIGEST) > 0;
	good = good && EVP_DigestVerify(context, signature, signature_len, message, len) == 1;
	EVP_MD_CTX_free(context);
	/* What OpenSSL keeps of a failure is nobody's business later. */
	ERR_clear_error();
	return good;
}

bool apply_key_verify(const struct apply_key *key, const char *algorithm, const void *signature, size_t signature_len,
		      const void *message, size_t len)
{
	const char *own = apply_key_algorithm(key);
	bool rsa = strcmp(key->type, "ssh-rsa") == 0;
	const EVP_MD *digest;

	if (strcmp(algorithm, "sshsig") == 0)
		return apply_sshsig_verify(key, signature, signature_len, message, len);
	if (own == NULL || strcmp(algorithm, own) != 0)
		return false;
	if (rsa)
		digest = EVP_sha256();
	else
		digest = apply_key_curve(key->type) != NULL ? apply_key_ec_digest(key) : NULL;
	return apply_key_verify_raw(key, digest, rsa, signature, signature_len, message, len);
}
