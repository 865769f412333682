/* Feeds what comes from outside of approval to the apply room: public keys as text and in wire form, SSHSIG in armor
 * and as bytes, and all of the signature algorithms. The first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apply/keys.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char message[] = "muster plan approval\nfuzz\n";

/* A key that was taken must stay the same when it is written and read again. */
static void check_key(const struct apply_key *key)
{
	struct diag d = DIAG_INIT;
	struct apply_key again;

	if (apply_key_from_wire(&again, key->wire.data, key->wire.len, "again", &d) < 0 ||
	    strcmp(again.fingerprint, key->fingerprint) != 0)
		abort();
	apply_key_release(&again);
	diag_free(&d);
}

static void parse(const uint8_t *data, size_t size, bool wire)
{
	struct diag d = DIAG_INIT;
	struct apply_key key;
	int result;

	if (wire)
		result = apply_key_from_wire(&key, data, size, "key", &d);
	else
		result = apply_key_parse(&key, (const char *)data, size, "key", &d);
	if (result == 0)
		check_key(&key);
	apply_key_release(&key);
	diag_free(&d);
}

/* By the key that the signature itself names, so that all of it is reached. */
static void verify(const uint8_t *data, size_t size)
{
	struct diag d = DIAG_INIT;
	struct apply_key key;

	if (apply_sshsig_key(&key, data, size, "signature", &d) == 0) {
		apply_sshsig_verify(&key, data, size, message, sizeof message - 1);
		if (apply_key_algorithm(&key) != NULL)
			apply_key_verify(&key, apply_key_algorithm(&key), data, size, message, sizeof message - 1);
	}
	apply_key_release(&key);
	diag_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	buf_auto struct buf bytes = BUF_INIT;

	if (size == 0)
		return 0;
	if (data[0] % 4 == 0)
		parse(data + 1, size - 1, false);
	else if (data[0] % 4 == 1)
		parse(data + 1, size - 1, true);
	else if (data[0] % 4 == 2)
		verify(data + 1, size - 1);
	else if (apply_sshsig_unarmor(&bytes, (const char *)data + 1, size - 1) == 0)
		verify((const uint8_t *)bytes.data, bytes.len);
	return 0;
}
