/* The proof that a state is whole: pages, the chain of generations, records against history, blobs against names. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "state/store.h"

struct proof {
	struct state_txn *txn;
	struct state_verify_result *out;
	struct diag *d;
	int64_t net; /* records that history made less those that it took away */
};

/* -- The chain ----------------------------------------------------------------------------------------------------- */

static int broken(struct proof *p, uint64_t generation, const char *why)
{
	if (p->out->broken == 0)
		p->out->broken = generation;
	return diag_error(p->d, "state %s: history is broken at generation %ju: %s", p->txn->state->directory,
			  (uintmax_t)generation, why);
}

/* Checks one link; `previous` becomes its hash. An open generation has no hash yet, and can only be the newest. */
static int check_link(struct proof *p, uint64_t number, uint64_t newest, uint8_t previous[32])
{
	json_auto_t *generation = NULL;
	const char *hash, *status, *link;
	uint8_t computed[32];
	char hex[65];
	int rc = state_generation_get(p->txn, number, &generation, p->d);

	if (rc < 0)
		return broken(p, number, "it cannot be read");
	if (rc == 0)
		return broken(p, number, "it is missing");
	status = json_get_string(generation, "Status");
	link = json_get_string(generation, "Previous");
	hash = json_get_string(generation, "Hash");
	text_hex(hex, previous, 32);
	if ((uint64_t)json_get_int(generation, "Number", 0) != number)
		return broken(p, number, "it has another number");
	if (link == NULL || strcmp(link, hex) != 0)
		return broken(p, number, "it does not follow the one before");
	if (hash == NULL && status != NULL && strcmp(status, "open") == 0 && number == newest)
		return 0;
	if (store_generation_hash(computed, p->txn, previous, generation, p->d) < 0)
		return broken(p, number, "its history cannot be read");
	text_hex(hex, computed, 32);
	if (hash == NULL || strcmp(hash, hex) != 0)
		return broken(p, number, "it was changed after it was finished");
	memcpy(previous, computed, 32);
	p->out->generations++;
	return 0;
}

static int check_chain(struct proof *p, uint64_t newest)
{
	uint8_t previous[32];
	uint64_t first;
	size_t stored;

	if (store_origin(&first, previous, p->txn, p->d) < 0)
		return -1;
	for (uint64_t g = first; g <= newest; g++)
		if (check_link(p, g, newest, previous) < 0)
			return -1;
	if (store_count(p->txn, STORE_GENERATIONS, &stored, p->d) < 0)
		return -1;
	return stored == (newest == 0 ? 0 : newest - first + 1)
		   ? 0
		   : broken(p, newest + 1, "it is more than the state counts");
}

/* -- Records against history --------------------------------------------------------------------------------------- */

static int count_changes(struct proof *p, uint64_t newest)
{
	struct store_history_walk walk;
	int rc;

	store_history_start(&walk, p->txn, 0, UINT64_MAX);
	while ((rc = store_history_next(&walk, p->d)) == 1) {
		if (walk.generation == 0 || walk.generation > newest) {
			rc = broken(p, walk.generation, "it has history, but does not exist");
			break;
		}
		p->net += (walk.change.after.mv_size > 0) - (walk.change.before.mv_size > 0);
	}
	store_history_end(&walk);
	return rc;
}

static int check_record(struct proof *p, const MDB_val *key, const MDB_val *value, uint64_t newest)
{
	struct state_record record;
	struct store_change change;
	MDB_val fact;
	const char *address;
	int rc;

	if (store_entry(key, 0, value, &address, &fact) < 0 || store_fact(&record, address, &fact) < 0)
		return store_corrupt(p->txn->state, p->d, "a record is unreadable");
	rc = record.generation > newest ? 0 : store_history_get(p->txn, record.generation, address, &change, p->d);
	if (rc < 0)
		return -1;
	if (rc == 1 && change.after.mv_size == fact.mv_size &&
	    memcmp(change.after.mv_data, fact.mv_data, fact.mv_size) == 0)
		return 0;
	return diag_error(p->d, "state %s: the record %s is not what generation %ju wrote", p->txn->state->directory,
			  address, (uintmax_t)record.generation);
}

static int check_records(struct proof *p, uint64_t newest)
{
	struct store_walk walk;
	int rc;

	if (count_changes(p, newest) < 0)
		return -1;
	store_walk_start(&walk, p->txn, STORE_RESOURCES, NULL, 0);
	while ((rc = store_walk_next(&walk, p->d)) == 1) {
		rc = check_record(p, &walk.key, &walk.value, newest);
		if (rc < 0)
			break;
		p->out->records++;
	}
	store_walk_end(&walk);
	if (rc < 0 || p->net == (int64_t)p->out->records)
		return rc;
	return diag_error(p->d, "state %s: it has %zu records, but history made %lld", p->txn->state->directory,
			  p->out->records, (long long)p->net);
}

/* -- Blobs ----------------------------------------------------------------------------------------------------------
 */

static int check_blobs(struct proof *p)
{
	struct store_walk walk;
	uint8_t sha256[32];
	int rc;

	store_walk_start(&walk, p->txn, STORE_BLOBS, NULL, 0);
	while ((rc = store_walk_next(&walk, p->d)) == 1) {
		text_sha256(sha256, walk.value.mv_data, walk.value.mv_size);
		if (walk.key.mv_size != 32 || memcmp(walk.key.mv_data, sha256, 32) != 0) {
			rc = diag_error(p->d, "state %s: a stored input is not what its name says",
					p->txn->state->directory);
			break;
		}
		p->out->blobs++;
	}
	store_walk_end(&walk);
	return rc;
}

int state_verify(struct state_txn *txn, struct state_verify_result *out, struct diag *d)
{
	struct proof p = {.txn = txn, .out = out, .d = d};
	uint64_t newest;
	int chain, records, blobs, outputs;

	memset(out, 0, sizeof *out);
	/* Pages that this transaction wrote are not in the file yet: those were checked when it was opened. */
	if (txn->mdb != NULL && !txn->write && store_check_pages(txn->state, txn->mdb, d) < 0)
		return -1;
	if (state_generation(txn, &newest, d) < 0)
		return -1;
	chain = check_chain(&p, newest);
	records = check_records(&p, newest);
	blobs = check_blobs(&p);
	outputs = store_outputs_verify(txn, d);
	return chain < 0 || records < 0 || blobs < 0 || outputs < 0 ? -1 : 0;
}
