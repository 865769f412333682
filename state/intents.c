/* Intents: what is about to be done, one for each address, written before the call and taken away with its result. */
#include "base/json.h"
#include "state/store.h"

int state_intent_put(struct state_txn *txn, const char *address, const json_t *body, struct diag *d)
{
	buf_auto struct buf value = BUF_INIT;
	struct store_key key;

	if (store_key_address(&key, address, d) < 0)
		return -1;
	store_add_address(&value, &key, address);
	json_canonical(&value, body);
	if (value.len > STORE_BODY_MAX)
		return diag_error(d, "%s: an intent of %zu bytes is too large", address, value.len);
	return store_put(txn, STORE_INTENTS, key.bytes, key.len, value.data, value.len, d);
}

/* Address and body of an entry of `intents`. */
static int intent_read(struct state_txn *txn, const MDB_val *key, const MDB_val *value, const char **address,
		       json_t **body, struct diag *d)
{
	MDB_val text;

	*body = NULL;
	if (store_entry(key, 0, value, address, &text) < 0)
		return store_corrupt(txn->state, d, "an intent is unreadable");
	return store_json(body, text.mv_data, text.mv_size, txn->state, d);
}

int state_intent_get(struct state_txn *txn, const char *address, json_t **out, struct diag *d)
{
	struct store_key key;
	MDB_val value, k;
	const char *found;
	int rc;

	*out = NULL;
	if (store_key_address(&key, address, d) < 0)
		return -1;
	rc = store_get(txn, STORE_INTENTS, key.bytes, key.len, &value, d);
	if (rc <= 0)
		return rc;
	k = (MDB_val){key.len, key.bytes};
	return intent_read(txn, &k, &value, &found, out, d) < 0 ? -1 : 1;
}

int state_intent_delete(struct state_txn *txn, const char *address, struct diag *d)
{
	struct store_key key;

	if (store_key_address(&key, address, d) < 0)
		return -1;
	return store_delete(txn, STORE_INTENTS, key.bytes, key.len, d);
}

int state_intent_each(struct state_txn *txn, state_intent_visit *visit, void *payload, struct diag *d)
{
	struct store_walk walk;
	const char *address;
	json_t *body;
	int rc;

	store_walk_start(&walk, txn, STORE_INTENTS, NULL, 0);
	while ((rc = store_walk_next(&walk, d)) == 1) {
		rc = intent_read(txn, &walk.key, &walk.value, &address, &body, d);
		if (rc == 0)
			rc = visit(payload, address, body);
		json_decref(body);
		if (rc != 0)
			break;
	}
	store_walk_end(&walk);
	return rc;
}
