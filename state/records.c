/* Records: what muster made, by address, with the versions that plans are checked against. Each change goes into the
 * history of the generation that made it. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/store.h"

/* -- Versions ------------------------------------------------------------------------------------------------------ */

static const char sequence_key[] = "sequence";

int state_version(struct state_txn *txn, uint64_t *out, struct diag *d)
{
	MDB_val value;
	int rc;

	*out = 0;
	if (!txn->sequence_known) {
		rc = store_get(txn, STORE_META, sequence_key, sizeof sequence_key - 1, &value, d);
		if (rc < 0)
			return -1;
		if (rc == 1 && value.mv_size != 8)
			return store_corrupt(txn->state, d, "the sequence of versions is unreadable");
		txn->sequence = rc == 1 ? store_u64(value.mv_data) : 0;
		txn->sequence_known = true;
	}
	*out = txn->sequence;
	return 0;
}

uint64_t store_sequence_next(struct state_txn *txn, struct diag *d)
{
	uint64_t before;

	if (state_version(txn, &before, d) < 0)
		return 0;
	txn->sequence_changed = true;
	return ++txn->sequence;
}

int store_sequence_raise(struct state_txn *txn, uint64_t version, struct diag *d)
{
	uint64_t now;

	if (state_version(txn, &now, d) < 0)
		return -1;
	if (now >= version)
		return 0;
	txn->sequence = version;
	txn->sequence_changed = true;
	return 0;
}

/* Once for each transaction: a version lost with an aborted transaction was seen by nobody. */
int store_sequence_save(struct state_txn *txn, struct diag *d)
{
	buf_auto struct buf value = BUF_INIT;

	if (!txn->sequence_changed)
		return 0;
	store_add_u64(&value, txn->sequence);
	return store_put(txn, STORE_META, sequence_key, sizeof sequence_key - 1, value.data, value.len, d);
}

/* -- One record ---------------------------------------------------------------------------------------------------- */

int store_record_fact(struct state_txn *txn, const struct store_key *key, MDB_val *fact, struct diag *d)
{
	MDB_val value, k = {key->len, (void *)key->bytes};
	const char *address;
	int rc = store_get(txn, STORE_RESOURCES, key->bytes, key->len, &value, d);

	*fact = (MDB_val){0, NULL};
	if (rc <= 0)
		return rc;
	if (store_entry(&k, 0, &value, &address, fact) < 0 || fact->mv_size < STORE_FACT_HEAD)
		return store_corrupt(txn->state, d, "a record is unreadable");
	return 1;
}

int state_record_get(struct state_txn *txn, const char *address, struct state_record *out, struct diag *d)
{
	struct store_walk walk;
	struct store_key key;
	MDB_val fact;
	int rc;

	memset(out, 0, sizeof *out);
	if (store_key_address(&key, address, d) < 0)
		return -1;
	/* By a walk of one step, not a plain get: the address given out must be the map's own, not the caller's. */
	store_walk_start(&walk, txn, STORE_RESOURCES, key.bytes, key.len);
	rc = store_walk_next(&walk, d);
	if (rc == 1 && (walk.key.mv_size != key.len || memcmp(walk.key.mv_data, key.bytes, key.len) != 0))
		rc = 0;
	if (rc == 1 &&
	    (store_entry(&walk.key, 0, &walk.value, &address, &fact) < 0 || store_fact(out, address, &fact) < 0))
		rc = store_corrupt(txn->state, d, "a record is unreadable");
	store_walk_end(&walk);
	return rc;
}

int state_record_put(struct state_txn *txn, const char *address, uint64_t generation, const uint8_t digest[32],
		     const json_t *body, uint64_t *version, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT, value = BUF_INIT;
	struct store_key key;
	uint64_t number;
	MDB_val before, after;
	size_t head;

	if (store_may_write(txn, d) < 0 || store_generation_open(txn, generation, d) < 0 ||
	    store_key_address(&key, address, d) < 0)
		return -1;
	json_canonical(&text, body);
	if (text.len > STORE_BODY_MAX)
		return diag_error(d, "%s: a record of %zu bytes is too large", address, text.len);
	number = store_sequence_next(txn, d);
	if (number == 0 || store_record_fact(txn, &key, &before, d) < 0)
		return -1;
	store_add_address(&value, &key, address);
	head = value.len;
	store_add_fact(&value, number, generation, digest, buf_str(&text), text.len);
	after = (MDB_val){value.len - head, value.data + head};
	if (store_history_note(txn, generation, address, &before, &after, d) < 0 ||
	    store_put(txn, STORE_RESOURCES, key.bytes, key.len, value.data, value.len, d) < 0)
		return -1;
	if (version != NULL)
		*version = number;
	return 0;
}

int state_record_delete(struct state_txn *txn, const char *address, uint64_t generation, struct diag *d)
{
	struct store_key key;
	MDB_val before, after = {0, NULL};
	int rc;

	if (store_may_write(txn, d) < 0 || store_generation_open(txn, generation, d) < 0 ||
	    store_key_address(&key, address, d) < 0)
		return -1;
	rc = store_record_fact(txn, &key, &before, d);
	if (rc <= 0)
		return rc;
	if (store_history_note(txn, generation, address, &before, &after, d) < 0)
		return -1;
	return store_delete(txn, STORE_RESOURCES, key.bytes, key.len, d);
}

int state_record_count(struct state_txn *txn, size_t *out, struct diag *d)
{
	return store_count(txn, STORE_RESOURCES, out, d);
}

/* -- Walks --------------------------------------------------------------------------------------------------------- */

/* "a/b" or "a/b/" as "a/b/", so that it matches whole path parts; "" stays. */
static char *prefix_with_slash(const char *prefix)
{
	size_t len = strlen(prefix);

	return len == 0 || prefix[len - 1] == '/' ? mem_strdup(prefix) : mem_printf("%s/", prefix);
}

static int visit_exact(struct state_txn *txn, const char *prefix, state_record_visit *visit, void *payload,
		       struct diag *d)
{
	struct state_record record;
	int rc = *prefix == '\0' ? 0 : state_record_get(txn, prefix, &record, d);

	return rc == 1 ? visit(payload, &record) : rc;
}

int state_record_each(struct state_txn *txn, const char *prefix, state_record_visit *visit, void *payload,
		      struct diag *d)
{
	mem_auto_str char *under = prefix_with_slash(prefix);
	size_t seek = strlen(under) < STORE_KEY_KEPT ? strlen(under) : STORE_KEY_KEPT;
	struct state_record record;
	struct store_walk walk;
	const char *address;
	MDB_val fact;
	int rc = visit_exact(txn, prefix, visit, payload, d);

	if (rc != 0)
		return rc;
	store_walk_start(&walk, txn, STORE_RESOURCES, under, seek);
	while ((rc = store_walk_next(&walk, d)) == 1) {
		if (walk.key.mv_size < seek || memcmp(walk.key.mv_data, under, seek) != 0) {
			rc = 0;
			break;
		}
		if (store_entry(&walk.key, 0, &walk.value, &address, &fact) < 0 ||
		    store_fact(&record, address, &fact) < 0) {
			rc = store_corrupt(txn->state, d, "a record is unreadable");
			break;
		}
		if (text_starts(address, under) && (rc = visit(payload, &record)) != 0)
			break;
	}
	store_walk_end(&walk);
	return rc;
}
