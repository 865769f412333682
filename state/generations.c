/* Generations: the numbered, committed applies, each with the hash of the one before, so that history can be proved
 * whole. */
#include <openssl/evp.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "state/store.h"

static const char newest_key[] = "generation";

/* -- Stored form --------------------------------------------------------------------------------------------------- */

int state_generation(struct state_txn *txn, uint64_t *out, struct diag *d)
{
	MDB_val value;
	int rc = store_get(txn, STORE_META, newest_key, sizeof newest_key - 1, &value, d);

	*out = 0;
	if (rc <= 0)
		return rc;
	if (value.mv_size != 8)
		return store_corrupt(txn->state, d, "the number of the newest generation is unreadable");
	*out = store_u64(value.mv_data);
	return 0;
}

int state_generation_get(struct state_txn *txn, uint64_t number, json_t **out, struct diag *d)
{
	unsigned char key[8];
	MDB_val value;
	int rc;

	*out = NULL;
	store_put_number(key, number);
	rc = store_get(txn, STORE_GENERATIONS, key, sizeof key, &value, d);
	if (rc <= 0)
		return rc;
	return store_json(out, value.mv_data, value.mv_size, txn->state, d) < 0 ? -1 : 1;
}

static int generation_put(struct state_txn *txn, uint64_t number, const json_t *generation, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;
	unsigned char key[8];

	store_put_number(key, number);
	json_canonical(&text, generation);
	return store_put(txn, STORE_GENERATIONS, key, sizeof key, text.data, text.len, d);
}

static bool has_status(const json_t *generation, const char *status)
{
	const char *s = json_get_string(generation, "Status");

	return s != NULL && strcmp(s, status) == 0;
}

int store_generation_open(struct state_txn *txn, uint64_t generation, struct diag *d)
{
	json_auto_t *stored = NULL;
	int rc;

	if (generation != 0 && txn->open_generation == generation)
		return 0;
	rc = state_generation_get(txn, generation, &stored, d);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return diag_error(d, "state %s: generation %ju has not been started", txn->state->directory,
				  (uintmax_t)generation);
	if (!has_status(stored, "open"))
		return diag_error(d, "state %s: generation %ju is closed and may not change any more",
				  txn->state->directory, (uintmax_t)generation);
	txn->open_generation = generation;
	return 0;
}

/* -- The chain ----------------------------------------------------------------------------------------------------- */

/* Each part is preceded by its length, so that no two lists of parts hash alike. */
static void hash_part(EVP_MD_CTX *hash, const void *bytes, size_t len)
{
	unsigned char size[8];

	store_put_number(size, len);
	EVP_DigestUpdate(hash, size, sizeof size);
	EVP_DigestUpdate(hash, bytes, len);
}

static void hash_json(EVP_MD_CTX *hash, const json_t *value)
{
	buf_auto struct buf text = BUF_INIT;

	json_canonical(&text, value);
	hash_part(hash, text.data, text.len);
}

static int hash_history(EVP_MD_CTX *hash, struct state_txn *txn, uint64_t number, struct diag *d)
{
	struct store_history_walk walk;
	int rc;

	store_history_start(&walk, txn, number, number);
	while ((rc = store_history_next(&walk, d)) == 1) {
		hash_part(hash, walk.change.address, strlen(walk.change.address));
		hash_part(hash, walk.change.before.mv_data, walk.change.before.mv_size);
		hash_part(hash, walk.change.after.mv_data, walk.change.after.mv_size);
	}
	store_history_end(&walk);
	return rc;
}

int store_generation_hash(uint8_t out[32], struct state_txn *txn, const uint8_t previous[32], const json_t *generation,
			  struct diag *d)
{
	uint64_t number = (uint64_t)json_get_int(generation, "Number", 0);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	int rc = -1;

	if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
		diag_error(d, "SHA-256 is not to be had from OpenSSL");
		goto out;
	}
	hash_part(hash, previous, 32);
	hash_json(hash, json_object_get(generation, "Number"));
	hash_json(hash, json_object_get(generation, "Status"));
	hash_json(hash, json_object_get(generation, "Facts"));
	hash_json(hash, json_object_get(generation, "Outcome"));
	rc = hash_history(hash, txn, number, d);
	if (EVP_DigestFinal_ex(hash, out, NULL) != 1)
		rc = diag_error(d, "SHA-256 failed");
out:
	EVP_MD_CTX_free(hash);
	return rc;
}

/* Gives an open generation its end and its link. */
static int generation_close(struct state_txn *txn, uint64_t number, json_t *generation, const char *status,
			    const json_t *outcome, struct diag *d)
{
	const char *previous_hex = json_get_string(generation, "Previous");
	uint8_t previous[32], hash[32];
	char hex[65];

	if (previous_hex == NULL || text_hex_decode(previous, 32, previous_hex) < 0)
		return store_corrupt(txn->state, d, "generation %ju has no link to the one before", (uintmax_t)number);
	json_object_set_new(generation, "Status", json_string(status));
	json_object_set_new(generation, "Outcome", outcome == NULL ? json_null() : json_deep_copy(outcome));
	if (store_generation_hash(hash, txn, previous, generation, d) < 0)
		return -1;
	text_hex(hex, hash, 32);
	json_object_set_new(generation, "Hash", json_string(hex));
	txn->open_generation = 0;
	return generation_put(txn, number, generation, d);
}

/* -- Start and finish ---------------------------------------------------------------------------------------------- */

/* A run that was cut off could not say what came of it; its history does. */
static int close_interrupted(struct state_txn *txn, uint64_t number, json_t *generation, struct diag *d)
{
	json_auto_t *outcome = NULL;
	struct state_span_counts counts;

	if (state_history_count(txn, number, &counts, d) < 0)
		return -1;
	outcome = json_pack("{s:s, s:I, s:I, s:I, s:I}", "Result", "interrupted", "Done",
			    (json_int_t)(counts.created + counts.updated + counts.deleted), "Created",
			    (json_int_t)counts.created, "Updated", (json_int_t)counts.updated, "Deleted",
			    (json_int_t)counts.deleted);
	return generation_close(txn, number, generation, "interrupted", outcome, d);
}

/* The hash of the newest generation, for the next to link to; one that a dead run left open is closed first. */
static int newest_hash(struct state_txn *txn, uint64_t newest, char hex[65], struct diag *d)
{
	json_auto_t *last = NULL;
	const char *hash;
	uint8_t before_all[32];
	uint64_t first;

	if (newest == 0) {
		if (store_origin(&first, before_all, txn, d) < 0)
			return -1;
		text_hex(hex, before_all, sizeof before_all);
		return 0;
	}
	if (state_generation_get(txn, newest, &last, d) < 0)
		return -1;
	if (last != NULL && has_status(last, "open") && close_interrupted(txn, newest, last, d) < 0)
		return -1;
	hash = json_get_string(last, "Hash");
	if (hash == NULL || strlen(hash) != 64)
		return store_corrupt(txn->state, d, "generation %ju has no hash", (uintmax_t)newest);
	memcpy(hex, hash, 65);
	return 0;
}

static int note_newest(struct state_txn *txn, uint64_t number, const json_t *facts, struct diag *d)
{
	const char *plan = json_get_string(facts, "PlanDigest");
	buf_auto struct buf value = BUF_INIT;

	store_add_u64(&value, number);
	if (plan != NULL && *plan != '\0' && strlen(plan) <= STORE_KEY_MAX &&
	    store_put(txn, STORE_PLANS, plan, strlen(plan), value.data, value.len, d) < 0)
		return -1;
	return store_put(txn, STORE_META, newest_key, sizeof newest_key - 1, value.data, value.len, d);
}

int state_generation_start(struct state_txn *txn, const json_t *facts, uint64_t *number, struct diag *d)
{
	json_auto_t *generation = NULL;
	uint64_t newest, next;
	char hex[65];

	if (store_may_write(txn, d) < 0 || state_generation(txn, &newest, d) < 0 ||
	    state_generation_first(txn, &next, d) < 0 || newest_hash(txn, newest, hex, d) < 0)
		return -1;
	next = newest == 0 ? next : newest + 1;
	generation =
	    json_pack("{s:I, s:s, s:o, s:n, s:n, s:s}", "Number", (json_int_t)next, "Status", "open", "Facts",
		      facts == NULL ? json_object() : json_deep_copy(facts), "Outcome", "Hash", "Previous", hex);
	if (generation == NULL)
		return diag_error(d, "the facts of a generation are not JSON");
	if (generation_put(txn, next, generation, d) < 0 || note_newest(txn, next, facts, d) < 0)
		return -1;
	txn->open_generation = next;
	*number = next;
	return 0;
}

int state_generation_finish(struct state_txn *txn, uint64_t number, const json_t *outcome, struct diag *d)
{
	json_auto_t *generation = NULL;

	if (store_may_write(txn, d) < 0 || store_generation_open(txn, number, d) < 0 ||
	    state_generation_get(txn, number, &generation, d) < 0)
		return -1;
	return generation_close(txn, number, generation, "finished", outcome, d);
}

/* Whether a generation came to its end without changing a record: as if it had never been. -1 on error. */
static int came_to_nothing(struct state_txn *txn, uint64_t number, struct diag *d)
{
	struct store_history_walk walk;
	json_auto_t *generation = NULL;
	int rc = state_generation_get(txn, number, &generation, d);

	if (rc <= 0 || !has_status(generation, "finished"))
		return rc < 0 ? -1 : 0;
	store_history_start(&walk, txn, number, number);
	rc = store_history_next(&walk, d);
	store_history_end(&walk);
	return rc < 0 ? -1 : rc == 0;
}

int state_plan_applied(struct state_txn *txn, const char *plan_digest, uint64_t *generation, struct diag *d)
{
	MDB_val value;
	uint64_t number;
	int rc;

	*generation = 0;
	if (*plan_digest == '\0' || strlen(plan_digest) > STORE_KEY_MAX)
		return 0;
	rc = store_get(txn, STORE_PLANS, plan_digest, strlen(plan_digest), &value, d);
	if (rc <= 0)
		return rc;
	if (value.mv_size != 8)
		return store_corrupt(txn->state, d, "the index of plans is unreadable");
	number = store_u64(value.mv_data);
	rc = came_to_nothing(txn, number, d);
	if (rc < 0)
		return -1;
	*generation = rc == 1 ? 0 : number;
	return 0;
}
