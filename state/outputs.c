/* Outputs of stacks as they were last applied, one entry for each instance. They follow from records and specs, so no
 * history is kept of them and no chain proves them: the next plan would only tell again what changed. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/store.h"

static int entry_read(struct state_txn *txn, const MDB_val *key, const MDB_val *value, struct state_outputs *out,
		      struct diag *d)
{
	MDB_val text;

	if (store_entry(key, 0, value, &out->address, &text) < 0)
		return store_corrupt(txn->state, d, "an entry of outputs is unreadable");
	out->text = text.mv_data;
	out->text_len = text.mv_size;
	return 0;
}

int state_outputs_get(struct state_txn *txn, const char *address, struct state_outputs *out, struct diag *d)
{
	struct store_key key;
	MDB_val value, k;
	int rc;

	memset(out, 0, sizeof *out);
	if (store_key_address(&key, address, d) < 0)
		return -1;
	if (txn->state->no_outputs)
		return 0;
	rc = store_get(txn, STORE_OUTPUTS, key.bytes, key.len, &value, d);
	if (rc <= 0)
		return rc;
	k = (MDB_val){key.len, key.bytes};
	if (entry_read(txn, &k, &value, out, d) < 0)
		return -1;
	/* What was given out must be the map's own or the caller's, not this function's. */
	out->address = address;
	return 1;
}

int state_outputs_put(struct state_txn *txn, const char *address, const json_t *outputs, struct diag *d)
{
	buf_auto struct buf value = BUF_INIT;
	struct store_key key;

	if (!json_is_object(outputs))
		return diag_error(d, "%s: outputs that are no object", address);
	if (store_key_address(&key, address, d) < 0)
		return -1;
	store_add_address(&value, &key, address);
	json_canonical(&value, outputs);
	if (value.len > STORE_BODY_MAX)
		return diag_error(d, "%s: outputs of %zu bytes are too large", address, value.len);
	return store_put(txn, STORE_OUTPUTS, key.bytes, key.len, value.data, value.len, d);
}

int state_outputs_delete(struct state_txn *txn, const char *address, struct diag *d)
{
	struct store_key key;

	if (store_key_address(&key, address, d) < 0)
		return -1;
	return store_delete(txn, STORE_OUTPUTS, key.bytes, key.len, d);
}

static bool is_under(const char *address, const char *prefix)
{
	size_t len = strlen(prefix);

	while (len > 0 && prefix[len - 1] == '/')
		len--;
	return len == 0 || (strncmp(address, prefix, len) == 0 && (address[len] == '/' || address[len] == '\0'));
}

int state_outputs_each(struct state_txn *txn, const char *prefix, state_outputs_visit *visit, void *payload,
		       struct diag *d)
{
	size_t len = strlen(prefix), seek = len < STORE_KEY_KEPT ? len : STORE_KEY_KEPT;
	struct state_outputs outputs;
	struct store_walk walk;
	int rc;

	if (txn->state->no_outputs)
		return 0;
	store_walk_start(&walk, txn, STORE_OUTPUTS, prefix, seek);
	while ((rc = store_walk_next(&walk, d)) == 1) {
		if (walk.key.mv_size < seek || memcmp(walk.key.mv_data, prefix, seek) != 0) {
			rc = 0;
			break;
		}
		rc = entry_read(txn, &walk.key, &walk.value, &outputs, d);
		if (rc == 0 && is_under(outputs.address, prefix))
			rc = visit(payload, &outputs);
		if (rc != 0)
			break;
	}
	store_walk_end(&walk);
	return rc;
}

int state_outputs_count(struct state_txn *txn, size_t *out, struct diag *d)
{
	*out = 0;
	return txn->state->no_outputs ? 0 : store_count(txn, STORE_OUTPUTS, out, d);
}

static int verify_one(void *payload, const struct state_outputs *outputs)
{
	struct state_txn *txn = ((void **)payload)[0];
	struct diag *d = ((void **)payload)[1];
	json_auto_t *object = NULL;

	if (store_json(&object, outputs->text, outputs->text_len, txn->state, d) < 0)
		return -1;
	return json_is_object(object)
		   ? 0
		   : store_corrupt(txn->state, d, "the outputs of %s are no object", outputs->address);
}

int store_outputs_verify(struct state_txn *txn, struct diag *d)
{
	void *payload[] = {txn, d};

	return state_outputs_each(txn, "", verify_one, payload, d);
}
