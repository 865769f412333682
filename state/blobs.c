/* Blobs: bytes kept under their SHA-256, such as the inputs of a generation, which git may lose. */
#include "base/text.h"
#include "state/store.h"

int state_blob_put(struct state_txn *txn, uint8_t sha256[32], const void *bytes, size_t len, struct diag *d)
{
	MDB_val old;
	int rc;

	text_sha256(sha256, bytes, len);
	if (len > STORE_BODY_MAX)
		return diag_error(d, "a blob of %zu bytes is too large for the state", len);
	if (store_may_write(txn, d) < 0)
		return -1;
	rc = store_get(txn, STORE_BLOBS, sha256, 32, &old, d);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return store_put(txn, STORE_BLOBS, sha256, 32, bytes, len, d);
}

int state_blob_get(struct state_txn *txn, const uint8_t sha256[32], const void **bytes, size_t *len, struct diag *d)
{
	MDB_val value;
	int rc = store_get(txn, STORE_BLOBS, sha256, 32, &value, d);

	*bytes = rc == 1 ? value.mv_data : NULL;
	*len = rc == 1 ? value.mv_size : 0;
	return rc;
}
