/* Keys of approvers and what is signed with them. Private to the apply room. A key is known by the SHA-256 fingerprint
 * of its SSH wire form, whatever form its file has: the same key as PEM and as an OpenSSH public key counts once.
 *
 *   keys.c       public keys: PEM and OpenSSH text -> struct apply_key
 *   keys_wire.c  SSH's binary strings, and keys in them (RFC 4253 6.6, RFC 5656 3.1, RFC 8709; OpenSSH PROTOCOL.u2f)
 *   keys_sign.c  private keys: PEM through OpenSSL, everything of OpenSSH's through ssh-keygen
 *   sshsig.c     signatures that ssh-keygen -Y sign makes (OpenSSH PROTOCOL.sshsig) */
#ifndef MUSTER_APPLY_KEYS_H
#define MUSTER_APPLY_KEYS_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"

#define APPLY_KEY_FILE_MAX  (64u << 10) /* bytes of a key file */
#define APPLY_SIGNATURE_MAX (16u << 10) /* bytes of a signature; RSA of 16,384 bits has 2,048 */
#define APPLY_RSA_BITS_MIN  2048        /* NIST SP 800-131A */
#define APPLY_RSA_BITS_MAX  16384       /* OpenSSL verifies no larger ones */
#define APPLY_KEY_NAMESPACE "muster-plan"

struct apply_key {
	EVP_PKEY *pkey;
	const char *type;     /* as SSH names it, also of a PEM key: "ssh-ed25519", ...; static */
	bool hardware;        /* a FIDO key: signs through ssh-keygen only */
	char *application;    /* ... for this, usually "ssh:"; else NULL */
	char fingerprint[64]; /* "SHA256:...", as ssh-keygen -l prints it */
	char *comment;        /* what stands behind an OpenSSH key, or NULL */
	struct buf wire;      /* public key in SSH's wire form */
};

/* A public key as PEM (SubjectPublicKeyInfo) or as one line of OpenSSH. 0, or -1 with a message that begins with
 * `shown`; *out is to be released with apply_key_release() in both cases. Errors: a private key, an unknown kind, RSA
 * below 2,048 bits, more than one key, malformed. */
int apply_key_parse(struct apply_key *out, const char *text, size_t len, const char *shown, struct diag *d);
void apply_key_release(struct apply_key *key);
/* Whether `text` begins like an OpenSSH public key ("ssh-ed25519 ..."). */
bool apply_key_is_ssh_text(const char *text);
/* type, wire and fingerprint out of out->pkey. 0, or -1 with a message when it is of a kind that is not known here. */
int apply_key_identify(struct apply_key *out, const char *shown, struct diag *d);

/* The algorithm that a key signs with itself: "ed25519", "rsa-pss-sha256" (PSS, MGF1 with SHA-256, salt of 32 bytes),
 * "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512" (by the curve; DER). NULL: only through SSHSIG. */
const char *apply_key_algorithm(const struct apply_key *key);
/* Whether `signature` is one of `message` by `key`; `algorithm` as above or "sshsig". False for anything malformed. */
bool apply_key_verify(const struct apply_key *key, const char *algorithm, const void *signature, size_t signature_len,
		      const void *message, size_t len);
/* The digest that an ECDSA key signs with, by its curve (RFC 5656 6.2.1). */
const EVP_MD *apply_key_ec_digest(const struct apply_key *key);
/* Verifies with a digest of its own choice: RSA is PKCS #1 v1.5 unless `pss`; `digest` NULL for Ed25519. */
bool apply_key_verify_raw(const struct apply_key *key, const EVP_MD *digest, bool pss, const void *signature,
			  size_t signature_len, const void *message, size_t len);

/* Signs with the private key in `path` (or, where that is a public key of OpenSSH, with the agent's): *algorithm
 * (static) as above, bytes in `signature`, *key the public key (release it in any case). The passphrase of an encrypted
 * key comes from MUSTER_KEY_PASSPHRASE or is asked for on the terminal; ssh-keygen asks for its own. */
int apply_key_sign(struct apply_key *key, const char **algorithm, struct buf *signature, const char *path,
		   const void *message, size_t len, struct diag *d);

/* -- SSH's wire form (keys_wire.c) ----------------------------------------------------------------------------------
 */

/* Reading stops at the first thing that does not fit: `bad` is set, and every later read gives nothing. */
struct wire {
	const uint8_t *at;
	size_t left;
	bool bad;
};
uint32_t wire_read_u32(struct wire *w);
uint8_t wire_read_byte(struct wire *w);
/* A string (uint32 length, bytes): borrowed from the input. */
const uint8_t *wire_read_string(struct wire *w, size_t *len);
/* Whether the next string is `text`. */
bool wire_read_is(struct wire *w, const char *text);
/* A copy of the next string, of at most `max` bytes and without NUL in it; NULL when it is none. */
char *wire_read_text(struct wire *w, size_t max);
bool wire_ended(const struct wire *w); /* all was read, nothing was bad */
void wire_add_string(struct buf *out, const void *bytes, size_t len);
void wire_add_text(struct buf *out, const char *text);

/* A public key out of its wire form. 0, or -1 with a message. */
int apply_key_from_wire(struct apply_key *out, const void *bytes, size_t len, const char *shown, struct diag *d);
/* Adds the wire form of key->pkey under key->type. 0 or -1. */
int apply_key_to_wire(struct buf *out, const struct apply_key *key);
/* "nistp256" and OpenSSL's "prime256v1" of an ECDSA type; NULL for another one. */
const char *apply_key_curve(const char *type);
const char *apply_key_group(const char *type);

/* -- SSHSIG (sshsig.c) ----------------------------------------------------------------------------------------------
 */

/* "-----BEGIN SSH SIGNATURE-----" ... -> bytes. 0 or -1. */
int apply_sshsig_unarmor(struct buf *out, const char *text, size_t len);
/* The public key that a signature says it is by: to know whom to ask for. Not verified. 0, or -1 with a message. */
int apply_sshsig_key(struct apply_key *out, const void *bytes, size_t len, const char *shown, struct diag *d);
/* Whether it is a signature of `message` by `key`, in the namespace APPLY_KEY_NAMESPACE, over SHA-256 or SHA-512. */
bool apply_sshsig_verify(const struct apply_key *key, const void *bytes, size_t len, const void *message,
			 size_t message_len);

#endif
