/* Keys and signatures: against what ssh-keygen made of the same keys (tests/vectors/sshsig.json), and against what is
 * wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include "apply/keys.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static json_t *vectors;
static char folder[] = "/tmp/muster-test-XXXXXX";

static int setup(void **state)
{
	(void)state;
	vectors = json_load_file("tests/vectors/sshsig.json", 0, NULL);
	return vectors == NULL || mkdtemp(folder) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(vectors);
	return rmdir(folder);
}

static const char *message(void)
{
	return json_get_string(vectors, "Message");
}

static json_t *vector(const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(vectors, "Keys"), i,
			   item) if (strcmp(json_get_string(item, "Name"), name) == 0) return item;
	fail_msg("no vector %s", name);
	return NULL;
}

static void parse(struct apply_key *key, const char *text)
{
	struct diag d = DIAG_INIT;

	if (apply_key_parse(key, text, strlen(text), "key", &d) != 0)
		fail_msg("%s", diag_first_error(&d));
}

static void unarmor(struct buf *out, const char *armored)
{
	assert_non_null(armored);
	assert_int_equal(apply_sshsig_unarmor(out, armored, strlen(armored)), 0);
}

static bool verifies(const struct apply_key *key, const struct buf *signature, const char *text)
{
	return apply_key_verify(key, "sshsig", signature->data, signature->len, text, strlen(text));
}

/* -- Against ssh-keygen -------------------------------------------------------------------------------------------- */

static void fingerprints_are_those_of_ssh_keygen(void **state)
{
	json_t *item;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(vectors, "Keys")), 5);
	json_array_foreach(json_object_get(vectors, "Keys"), i, item)
	{
		const char *pem = json_get_string(item, "Pem");
		struct apply_key key, same;

		parse(&key, json_get_string(item, "Public"));
		assert_string_equal(key.fingerprint, json_get_string(item, "Fingerprint"));
		assert_non_null(strstr(key.comment, "@example.com"));
		if (*pem != '\0') {
			parse(&same, pem);
			assert_string_equal(same.fingerprint, key.fingerprint);
			assert_string_equal(same.type, key.type);
			apply_key_release(&same);
		}
		apply_key_release(&key);
	}
}

static void signatures_of_ssh_keygen_hold(void **state)
{
	json_t *item;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(vectors, "Keys"), i, item)
	{
		buf_auto struct buf signature = BUF_INIT;
		struct diag d = DIAG_INIT;
		struct apply_key key, said;

		parse(&key, json_get_string(item, "Public"));
		unarmor(&signature, json_get_string(item, "Signature"));
		assert_true(verifies(&key, &signature, message()));
		assert_false(verifies(&key, &signature, "another message"));
		assert_int_equal(apply_sshsig_key(&said, signature.data, signature.len, "s", &d), 0);
		assert_string_equal(said.fingerprint, key.fingerprint);
		apply_key_release(&said);
		apply_key_release(&key);
	}
}

/* Each byte decides: a signature with one bit changed anywhere does not hold. */
static void no_bit_of_a_signature_can_change(void **state)
{
	static const char *const names[] = {"ed25519", "ecdsa256"};

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		buf_auto struct buf signature = BUF_INIT;
		struct apply_key key;

		parse(&key, json_get_string(vector(names[n]), "Public"));
		unarmor(&signature, json_get_string(vector(names[n]), "Signature"));
		for (size_t i = 0; i < signature.len; i++) {
			signature.data[i] ^= 1;
			if (verifies(&key, &signature, message()))
				fail_msg("%s: byte %zu does not matter", names[n], i);
			signature.data[i] ^= 1;
		}
		for (size_t len = 0; len < signature.len; len++)
			assert_false(
			    apply_key_verify(&key, "sshsig", signature.data, len, message(), strlen(message())));
		buf_addc(&signature, '\0');
		assert_false(verifies(&key, &signature, message()));
		apply_key_release(&key);
	}
}

static void another_purpose_hash_or_key(void **state)
{
	buf_auto struct buf other = BUF_INIT, sha256 = BUF_INIT, of_rsa = BUF_INIT;
	const json_t *item = vector("ed25519");
	struct apply_key key;

	(void)state;
	parse(&key, json_get_string(item, "Public"));
	unarmor(&sha256, json_get_string(item, "Sha256"));
	assert_true(verifies(&key, &sha256, message()));
	unarmor(&other, json_get_string(item, "Other"));
	assert_false(verifies(&key, &other, message()));
	unarmor(&of_rsa, json_get_string(vector("rsa2048"), "Signature"));
	assert_false(verifies(&key, &of_rsa, message()));
	assert_false(apply_key_verify(&key, "ed25519", sha256.data, sha256.len, message(), strlen(message())));
	assert_false(apply_key_verify(&key, "rsa-pss-sha256", sha256.data, sha256.len, message(), strlen(message())));
	assert_false(apply_key_verify(&key, "none", sha256.data, sha256.len, message(), strlen(message())));
	apply_key_release(&key);
}

/* -- Keys in hardware: signed here as PROTOCOL.u2f says -------------------------------------------------------------
 */

/* The SSHSIG of `message` that a FIDO key of this pair would give. */
static void hardware_sign(struct buf *out, EVP_PKEY *pair, const struct apply_key *key, uint8_t flags)
{
	buf_auto struct buf inner = BUF_INIT, signed_bytes = BUF_INIT, signature = BUF_INIT;
	const uint8_t counter[4] = {0, 0, 0, 9};
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t hash[32], raw[64];
	size_t len = sizeof raw;

	text_sha256(hash, message(), strlen(message()));
	buf_adds(&inner, "SSHSIG");
	wire_add_text(&inner, APPLY_KEY_NAMESPACE);
	wire_add_text(&inner, "");
	wire_add_text(&inner, "sha256");
	wire_add_string(&inner, hash, sizeof hash);
	text_sha256(hash, "ssh:", 4);
	buf_add(&signed_bytes, hash, sizeof hash);
	buf_addc(&signed_bytes, (char)flags);
	buf_add(&signed_bytes, counter, sizeof counter);
	text_sha256(hash, inner.data, inner.len);
	buf_add(&signed_bytes, hash, sizeof hash);
	assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, pair), 1);
	assert_int_equal(EVP_DigestSign(context, raw, &len, (uint8_t *)signed_bytes.data, signed_bytes.len), 1);
	EVP_MD_CTX_free(context);

	wire_add_text(&signature, key->type);
	wire_add_string(&signature, raw, len);
	buf_addc(&signature, (char)flags);
	buf_add(&signature, counter, sizeof counter);
	buf_adds(out, "SSHSIG");
	buf_add(out, "\0\0\0\1", 4);
	wire_add_string(out, key->wire.data, key->wire.len);
	wire_add_text(out, APPLY_KEY_NAMESPACE);
	wire_add_text(out, "");
	wire_add_text(out, "sha256");
	wire_add_string(out, signature.data, signature.len);
}

static void a_key_in_hardware_signs_when_touched(void **state)
{
	buf_auto struct buf wire = BUF_INIT, text = BUF_INIT, touched = BUF_INIT, untouched = BUF_INIT;
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t public[32];
	size_t len = sizeof public;
	struct apply_key key;

	(void)state;
	assert_int_equal(EVP_PKEY_get_raw_public_key(pair, public, &len), 1);
	wire_add_text(&wire, "sk-ssh-ed25519@openssh.com");
	wire_add_string(&wire, public, len);
	wire_add_text(&wire, "ssh:");
	buf_adds(&text, "sk-ssh-ed25519@openssh.com ");
	text_base64(&text, wire.data, wire.len);
	buf_adds(&text, " ito@example.com\n");
	parse(&key, buf_str(&text));
	assert_true(key.hardware);
	assert_null(apply_key_algorithm(&key));
	hardware_sign(&touched, pair, &key, 1);
	assert_true(verifies(&key, &touched, message()));
	touched.data[touched.len - 1]++; /* the counter is signed, too */
	assert_false(verifies(&key, &touched, message()));
	hardware_sign(&untouched, pair, &key, 0);
	assert_false(verifies(&key, &untouched, message()));
	apply_key_release(&key);
	EVP_PKEY_free(pair);
}

/* -- Keys in PEM --------------------------------------------------------------------------------------------------- */

static void write_pem(const char *path, EVP_PKEY *pair, const char *passphrase, bool traditional)
{
	BIO *bio = BIO_new_file(path, "w");
	const EVP_CIPHER *cipher = passphrase == NULL ? NULL : EVP_aes_256_cbc();
	int len = passphrase == NULL ? 0 : (int)strlen(passphrase), rc;

	if (traditional)
		rc = PEM_write_bio_PrivateKey_traditional(bio, pair, cipher, (const unsigned char *)passphrase, len,
							  NULL, NULL);
	else
		rc = PEM_write_bio_PrivateKey(bio, pair, cipher, (const unsigned char *)passphrase, len, NULL, NULL);
	assert_int_equal(rc, 1);
	BIO_free(bio);
}

static void sign_and_verify(EVP_PKEY *pair, const char *algorithm, const char *passphrase, bool traditional)
{
	mem_auto_str char *path = mem_printf("%s/key.pem", folder);
	buf_auto struct buf signature = BUF_INIT;
	struct diag d = DIAG_INIT;
	const char *said = NULL;
	struct apply_key key;

	write_pem(path, pair, passphrase, traditional);
	if (apply_key_sign(&key, &said, &signature, path, "text", 4, &d) != 0)
		fail_msg("%s: %s", algorithm, diag_first_error(&d));
	assert_string_equal(said, algorithm);
	assert_true(apply_key_verify(&key, said, signature.data, signature.len, "text", 4));
	assert_false(apply_key_verify(&key, said, signature.data, signature.len, "test", 4));
	signature.data[signature.len / 2] ^= 1;
	assert_false(apply_key_verify(&key, said, signature.data, signature.len, "text", 4));
	apply_key_release(&key);
	EVP_PKEY_free(pair);
	unlink(path);
}

static void each_kind_of_key_in_pem_signs(void **state)
{
	(void)state;
	sign_and_verify(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ed25519", NULL, false);
	sign_and_verify(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048), "rsa-pss-sha256", NULL, false);
	sign_and_verify(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048), "rsa-pss-sha256", NULL, true);
	sign_and_verify(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), "ecdsa-sha256", NULL, true);
	sign_and_verify(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), "ecdsa-sha384", NULL, false);
	sign_and_verify(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"), "ecdsa-sha512", NULL, false);
	setenv("MUSTER_KEY_PASSPHRASE", "open", 1);
	sign_and_verify(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ed25519", "open", false);
	sign_and_verify(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), "ecdsa-sha256", "open", true);
	unsetenv("MUSTER_KEY_PASSPHRASE");
}

static void sign_fails(const char *path, const char *expected)
{
	buf_auto struct buf signature = BUF_INIT;
	struct diag d = DIAG_INIT;
	const char *algorithm;
	struct apply_key key;

	assert_int_equal(apply_key_sign(&key, &algorithm, &signature, path, "text", 4, &d), -1);
	if (strstr(diag_first_error(&d), expected) == NULL)
		fail_msg("wanted \"%s\", got \"%s\"", expected, diag_first_error(&d));
	diag_free(&d);
	apply_key_release(&key);
}

static void put(const char *path, const char *text)
{
	assert_int_equal(text_file_write(path, text, strlen(text), 0600), 0);
}

static void keys_that_cannot_sign(void **state)
{
	mem_auto_str char *path = mem_printf("%s/key.pem", folder);
	EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024),
		 *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	EVP_PKEY *good = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	mem_auto_str char *large = mem_alloc(APPLY_KEY_FILE_MAX + 2);

	(void)state;
	sign_fails("/nonexistent/key", "cannot read the key: No such file");
	write_pem(path, small, NULL, false);
	sign_fails(path, "an RSA key of 1024 bits; 2048 to 16384 are taken");
	write_pem(path, other, NULL, false);
	sign_fails(path, "not a kind of key that can approve");
	setenv("MUSTER_KEY_PASSPHRASE", "shut", 1);
	write_pem(path, good, "open", false);
	sign_fails(path, "the passphrase does not open the key");
	unsetenv("MUSTER_KEY_PASSPHRASE");
	put(path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	sign_fails(path, "not a private key in PEM that can be read");
	put(path, "-----BEGIN PUBLIC KEY-----\n");
	sign_fails(path, "a public key; signing needs its private key");
	put(path, "hello\n");
	sign_fails(path, "not a private key: expected PEM");
	memset(large, 'a', APPLY_KEY_FILE_MAX + 1);
	put(path, large);
	sign_fails(path, "over 64 KB, too large for a key");
	unlink(path);
	EVP_PKEY_free(small);
	EVP_PKEY_free(other);
	EVP_PKEY_free(good);
}

/* -- Public keys that are none ------------------------------------------------------------------------------------- */

static void parse_fails(const char *text, const char *expected)
{
	struct diag d = DIAG_INIT;
	struct apply_key key;

	assert_int_equal(apply_key_parse(&key, text, strlen(text), "a.pub", &d), -1);
	if (strstr(diag_first_error(&d), expected) == NULL)
		fail_msg("wanted \"%s\", got \"%s\"", expected, diag_first_error(&d));
	diag_free(&d);
	apply_key_release(&key);
}

#define ED25519_TYPE "\0\0\0\013ssh-ed25519"

static char *line_of(const char *type, const void *wire, size_t len)
{
	buf_auto struct buf text = BUF_INIT;

	buf_addf(&text, "%s ", type);
	text_base64(&text, wire, len);
	return buf_detach(&text);
}

static void malformed_public_keys(void **state)
{
	const char *good = json_get_string(vector("ed25519"), "Public");
	mem_auto_str char *twice = mem_printf("%s\n%s\n", good, good),
			  *wrong_name = mem_printf("ssh-rsa %s", good + 12);
	mem_auto_str char *options = mem_printf("command=\"x\" %s", good);
	mem_auto_str char *commented = mem_printf("# who: kato\n\n  %s  \n", good);
	buf_auto struct buf wire = BUF_INIT;
	mem_auto_str char *shortened = NULL, *longer = NULL, *unknown = NULL, *no_point = NULL, *padded = NULL;
	struct apply_key key;

	(void)state;
	parse(&key, commented);
	assert_string_equal(key.comment, "ed25519@example.com");
	apply_key_release(&key);
	parse_fails("", "not one public key");
	parse_fails(twice, "not one public key");
	parse_fails(options, "not one public key");
	parse_fails(wrong_name, "says ssh-rsa, but the key is ssh-ed25519");
	parse_fails("ssh-ed25519 !!!!", "is not base64");
	parse_fails("ssh-ed25519 AAAA", "not a public key");
	parse_fails("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a public key in PEM");
	parse_fails("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a public key in PEM");
	parse_fails("-----BEGIN OPENSSH PRIVATE KEY-----\n", "holds a private key");
	shortened = line_of("ssh-ed25519", ED25519_TYPE "\0\0\0\040abc", 15 + 4 + 3);
	parse_fails(shortened, "a malformed ssh-ed25519 key");
	buf_add(&wire, ED25519_TYPE "\0\0\0\040abcdefghabcdefghabcdefghabcdefgh!", 15 + 4 + 33);
	longer = line_of("ssh-ed25519", wire.data, wire.len);
	parse_fails(longer, "a malformed ssh-ed25519 key");
	unknown = line_of("ssh-ed25519", "\0\0\0\007ssh-dss", 11);
	parse_fails(unknown, "keys of the kind ssh-dss are not known");
	buf_clear(&wire);
	wire_add_text(&wire, "ecdsa-sha2-nistp256");
	wire_add_text(&wire, "nistp256");
	wire_add_string(&wire, "\4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 65);
	no_point = line_of("ecdsa-sha2-nistp256", wire.data, wire.len);
	parse_fails(no_point, "a malformed ecdsa-sha2-nistp256 key");
	/* One key has one spelling: a modulus with zeros before it would have another fingerprint. */
	buf_clear(&wire);
	wire_add_text(&wire, "ssh-rsa");
	wire_add_string(&wire, "\0\1\0\1", 4);
	wire_add_string(&wire, "\0\377", 2);
	padded = line_of("ssh-rsa", wire.data, wire.len);
	parse_fails(padded, "a malformed ssh-rsa key");
	buf_clear(&wire);
	wire_add_text(&wire, "ssh-rsa");
	wire_add_string(&wire, "\1", 1);
	wire_add_string(&wire, "\0\377", 2);
	free(padded);
	padded = line_of("ssh-rsa", wire.data, wire.len);
	parse_fails(padded, "a malformed ssh-rsa key");
}

static void lengths_of_time(void **state)
{
	int64_t ms = 0;

	(void)state;
	assert_int_equal(text_duration_parse(&ms, "90m"), 0);
	assert_int_equal(ms, 90 * 60 * 1000);
	assert_int_equal(text_duration_parse(&ms, "7d"), 0);
	assert_int_equal(ms, 7 * 24 * 3600 * (int64_t)1000);
	static const char *const bad[] = {"",      "7",     "d",  "7w", "0h", "-1h", "1.5h", "7d ", "99999999999s",
					  "4000d", "1h30m", " 1h"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(text_duration_parse(&ms, bad[i]), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fingerprints_are_those_of_ssh_keygen),
	    cmocka_unit_test(signatures_of_ssh_keygen_hold),
	    cmocka_unit_test(no_bit_of_a_signature_can_change),
	    cmocka_unit_test(another_purpose_hash_or_key),
	    cmocka_unit_test(a_key_in_hardware_signs_when_touched),
	    cmocka_unit_test(each_kind_of_key_in_pem_signs),
	    cmocka_unit_test(keys_that_cannot_sign),
	    cmocka_unit_test(malformed_public_keys),
	    cmocka_unit_test(lengths_of_time),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
