/* A state that goes on where another one stood: what an export was taken into. Its history begins there, but no number
 * that the other has given (a generation's, a version) is given again, and no plan that it has applied is applied here.
 */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "state/store.h"

/* Number of the first generation, and the hash that it links to. */
static const char origin_key[] = "origin";

#define ORIGIN_BYTES (8 + 32)

int store_origin(uint64_t *first, uint8_t previous[32], struct state_txn *txn, struct diag *d)
{
	MDB_val value;
	int rc = store_get(txn, STORE_META, origin_key, sizeof origin_key - 1, &value, d);

	*first = 1;
	memset(previous, 0, 32);
	if (rc <= 0)
		return rc;
	if (value.mv_size != ORIGIN_BYTES)
		return store_corrupt(txn->state, d, "where its history begins is unreadable");
	*first = store_u64(value.mv_data);
	memcpy(previous, (const char *)value.mv_data + 8, 32);
	if (*first == 0 || *first > STATE_NUMBER_MAX + 1)
		return store_corrupt(txn->state, d, "its history begins at no generation");
	return 0;
}

int state_generation_first(struct state_txn *txn, uint64_t *out, struct diag *d)
{
	uint8_t previous[32];

	return store_origin(out, previous, txn, d);
}

static int origin_put(struct state_txn *txn, uint64_t first, const char *hash, struct diag *d)
{
	buf_auto struct buf value = BUF_INIT;
	uint8_t previous[32] = {0};

	if (hash != NULL && text_hex_decode(previous, sizeof previous, hash) < 0)
		return diag_error(d, "state %s: the hash of a generation has 64 hex digits", txn->state->directory);
	store_add_u64(&value, first);
	buf_add(&value, previous, sizeof previous);
	return store_put(txn, STORE_META, origin_key, sizeof origin_key - 1, value.data, value.len, d);
}

int state_continue(struct state_txn *txn, uint64_t generation, const char *hash, uint64_t version, struct diag *d)
{
	uint64_t newest;

	if (store_may_write(txn, d) < 0 || state_generation(txn, &newest, d) < 0)
		return -1;
	if (generation > STATE_NUMBER_MAX || version > STATE_NUMBER_MAX)
		return diag_error(d, "state %s: no state has come to generation %ju and version %ju",
				  txn->state->directory, (uintmax_t)generation, (uintmax_t)version);
	if (newest == 0 && generation > 0 && origin_put(txn, generation + 1, hash, d) < 0)
		return -1;
	if (newest > 0 && newest < generation)
		return diag_error(
		    d,
		    "the state in %s has a history of its own, up to generation %ju, and cannot go on from "
		    "generation %ju of another; take it into an empty directory (move this one away, or "
		    "give another State.Path in muster.json)",
		    txn->state->directory, (uintmax_t)newest, (uintmax_t)generation);
	return store_sequence_raise(txn, version, d);
}

int state_plan_note(struct state_txn *txn, const char *plan_digest, uint64_t generation, struct diag *d)
{
	buf_auto struct buf value = BUF_INIT;
	uint8_t digest[32];

	if (text_hex_decode(digest, sizeof digest, plan_digest) < 0)
		return diag_error(d, "state %s: the digest of a plan has 64 hex digits", txn->state->directory);
	store_add_u64(&value, generation);
	return store_put(txn, STORE_PLANS, plan_digest, strlen(plan_digest), value.data, value.len, d);
}

int state_plan_each(struct state_txn *txn, state_plan_visit *visit, void *payload, struct diag *d)
{
	struct store_walk walk;
	uint64_t generation;
	char digest[65];
	int rc;

	store_walk_start(&walk, txn, STORE_PLANS, NULL, 0);
	while ((rc = store_walk_next(&walk, d)) == 1) {
		if (walk.key.mv_size != 64) /* a caller's own word for a plan: none that muster made */
			continue;
		memcpy(digest, walk.key.mv_data, 64);
		digest[64] = '\0';
		rc = state_plan_applied(txn, digest, &generation, d);
		if (rc == 0 && generation > 0)
			rc = visit(payload, digest, generation);
		if (rc != 0)
			break;
	}
	store_walk_end(&walk);
	return rc;
}
