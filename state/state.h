/* The face of the state room: an LMDB store of what muster made, what it is about to do, and what each generation
 * changed (DESIGN section 7). One writer (an OS lock), any number of readers that never block.
 * Knows nothing of AWS or of specs: bodies are JSON that the caller understands. */
#ifndef MUSTER_STATE_STATE_H
#define MUSTER_STATE_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

#define STATE_FORMAT 1 /* of the database; newer ones are refused, older ones migrated */

struct state;
struct state_txn;

/* READ opens without the lock (a state that does not exist yet reads as empty); WRITE creates what is missing,
 * takes the writer's lock and holds it until state_close(). A lock held by a live process is an error that says who
 * (pid, user, host, command), since when. A directory on a network file system is refused for WRITE.
 * A process may have a directory open once at a time (LMDB's rule; a second open is an error): close READ before WRITE.
 * After fork() the child must not touch what its parent opened. */
enum state_mode { STATE_READ, STATE_WRITE };

int state_open(struct state **out, const char *directory, enum state_mode mode, struct diag *d);
/* The same, waiting up to `wait_ms` for another writer to finish (negative: without end). */
int state_open_wait(struct state **out, const char *directory, enum state_mode mode, int64_t wait_ms, struct diag *d);
/* Aborts nothing by itself: end every transaction first. NULL is fine. */
void state_close(struct state *state);
/* Who holds the writer's lock: 1 and {"Pid", "User", "Host", "Command", "Since"} (new reference; members may be
 * missing), 0 when nobody does, -1. Needs no open state. */
int state_lock_holder(const char *directory, json_t **out, struct diag *d);

/* Clears what a dead holder has left: its words in the lock file, its places in the readers' table (the lock itself the
 * kernel has released). 0 and in *left what it said of itself (new reference, NULL: nothing); 1 and *left when a live
 * process holds the lock: nothing is done then; -1, also when there is no state. (unlock.c) */
int state_unlock(const char *directory, json_t **left, struct diag *d);

/* -- Transactions -------------------------------------------------------------------------------------------------
 * All reads and writes happen in one. A write transaction sees its own writes. Writes are durable (fsync) when
 * state_commit() has returned 0. Only one write transaction at a time. The map grows by itself: a caller never sees
 * MDB_MAP_FULL. A failed commit (disk full, I/O error) leaves the database as before and the transaction ended. A write
 * that failed spoils its transaction: it can only be aborted, and state_commit() does that and returns -1.
 * Read transactions see the state as it was when they began; several may be open, also beside a write transaction. Keep
 * them short: while one is open nothing that it can see is reused, and the file grows with each commit. */
int state_begin(struct state_txn **out, struct state *state, bool write, struct diag *d);
int state_commit(struct state_txn *txn, struct diag *d);
void state_abort(struct state_txn *txn); /* NULL is fine */

/* -- Meta --------------------------------------------------------------------------------------------------------- */

/* The lineage, copied (free with free()), or NULL while the state is empty. */
int state_lineage(struct state_txn *txn, char **out, struct diag *d);
/* Once set, only the same may be set again. */
int state_lineage_set(struct state_txn *txn, const char *lineage, struct diag *d);
/* 32 random bytes made with the state, for the HMACs that stand for secrets. 0; 1 (and zeros) while there is no state
 * yet, which only STATE_READ can meet; -1. */
int state_secret_key(struct state_txn *txn, uint8_t out[32], struct diag *d);
/* Takes over the key of another state, whose HMACs are about to be restored here. */
int state_secret_key_set(struct state_txn *txn, const uint8_t key[32], struct diag *d);
/* Number of the newest generation, 0 for none. */
int state_generation(struct state_txn *txn, uint64_t *out, struct diag *d);
/* Number of the first generation that there is, or would be: 1, but where state_continue() said otherwise. Walks over
 * generations begin there. */
int state_generation_first(struct state_txn *txn, uint64_t *out, struct diag *d);

/* The newest version that any record was given, 0 for none. */
int state_version(struct state_txn *txn, uint64_t *out, struct diag *d);

/* -- Continuing (continue.c): for a state that another one was exported from ------------------------------------------
 */

#define STATE_NUMBER_MAX ((uint64_t)1 << 53) /* generations and versions of another state: what JSON numbers hold */

/* Goes on where a state stood that had come to `generation` and `version`: the next generation is generation + 1 and
 * links to `hash` (64 hex digits, of that generation; NULL: zeros), and versions are given above `version`. Where this
 * state has generations already they go on as they are, which is an error when they have not come so far yet. */
int state_continue(struct state_txn *txn, uint64_t generation, const char *hash, uint64_t version, struct diag *d);
/* Notes that a plan was applied there as that generation: state_plan_applied() finds it. `plan_digest`: 64 hex digits.
 */
int state_plan_note(struct state_txn *txn, const char *plan_digest, uint64_t generation, struct diag *d);
/* Calls back for each plan that state_plan_applied() finds. */
typedef int state_plan_visit(void *payload, const char *plan_digest, uint64_t generation);
int state_plan_each(struct state_txn *txn, state_plan_visit *visit, void *payload, struct diag *d);

/* -- Records ------------------------------------------------------------------------------------------------------ */

struct state_record {
	const char *address;
	uint64_t version;    /* unique for each write of any record; 0 means absent */
	uint64_t generation; /* that wrote it */
	uint8_t digest[32];  /* the writer's: of the desired resource; compared without parsing the body */
	const char *text;    /* the body as compact JSON, not NUL-terminated */
	size_t text_len;
};

/* 1 and the record (pointers valid until the next write or the end of the transaction), 0 when there is none, -1 on
 * error. Addresses longer than an LMDB key are keyed by hash, invisibly. */
int state_record_get(struct state_txn *txn, const char *address, struct state_record *out, struct diag *d);
/* Writes a record, and its former body into the history of `generation`, which must be open. *version (may be NULL) is
 * the new version. The body is kept in canonical form. */
int state_record_put(struct state_txn *txn, const char *address, uint64_t generation, const uint8_t digest[32],
		     const json_t *body, uint64_t *version, struct diag *d);
/* 1 if it was there, 0 if not. The former body goes into the history. */
int state_record_delete(struct state_txn *txn, const char *address, uint64_t generation, struct diag *d);
/* Calls back for each record in order of address (bytes; addresses too long for a key come after those that begin with
 * the same 470 bytes), those under `prefix` ("" for all; whole path parts). A callback that returns other than 0 ends
 * the walk, which returns that. A callback may write; it then sees what it wrote further on in the walk. */
typedef int state_record_visit(void *payload, const struct state_record *record);
int state_record_each(struct state_txn *txn, const char *prefix, state_record_visit *visit, void *payload,
		      struct diag *d);
int state_record_count(struct state_txn *txn, size_t *out, struct diag *d);
/* The same as of the end of `generation` (0: before the first), from history. The walk's callback must not write. */
int state_record_at(struct state_txn *txn, uint64_t generation, const char *address, struct state_record *out,
		    struct diag *d);
int state_record_each_at(struct state_txn *txn, uint64_t generation, const char *prefix, state_record_visit *visit,
			 void *payload, struct diag *d);

/* -- Intents: what is about to be done ------------------------------------------------------------------------------
 * One for each address at most. Body: action, type, properties, token, incarnation, ... as apply needs them. */
int state_intent_put(struct state_txn *txn, const char *address, const json_t *body, struct diag *d);
/* 1 and the body (new reference), 0, -1. */
int state_intent_get(struct state_txn *txn, const char *address, json_t **out, struct diag *d);
/* 1 if it was there, 0 if not, -1. */
int state_intent_delete(struct state_txn *txn, const char *address, struct diag *d);
typedef int state_intent_visit(void *payload, const char *address, const json_t *body);
int state_intent_each(struct state_txn *txn, state_intent_visit *visit, void *payload, struct diag *d);

/* -- Regions remembered for each account -------------------------------------------------------------------------- */

/* 1 and {"Regions": [...], "Seen": unix ms} (new reference), 0, -1. */
int state_regions_get(struct state_txn *txn, const char *account_id, json_t **out, struct diag *d);
int state_regions_put(struct state_txn *txn, const char *account_id, const json_t *body, struct diag *d);

/* -- Outputs of stacks as last applied ------------------------------------------------------------------------------
 * For each instance (account/region/stack) an object of name -> value, in which secrets are {"Muster::Secret": ...}. No
 * history is kept of them. A state made by a program that kept none has none. (outputs.c) */

struct state_outputs {
	const char *address;
	const char *text; /* the object as canonical JSON, not NUL-terminated */
	size_t text_len;
};
/* 1 and the outputs (pointers valid until the next write or the end of the transaction), 0 when there are none, -1. */
int state_outputs_get(struct state_txn *txn, const char *address, struct state_outputs *out, struct diag *d);
/* Kept in canonical form. */
int state_outputs_put(struct state_txn *txn, const char *address, const json_t *outputs, struct diag *d);
/* 1 if there were some, 0 if not, -1. */
int state_outputs_delete(struct state_txn *txn, const char *address, struct diag *d);
/* Calls back for each instance that has some, under `prefix` ("" for all; whole path parts), in the order of records. A
 * callback that returns other than 0 ends the walk, which returns that. It may write. */
typedef int state_outputs_visit(void *payload, const struct state_outputs *outputs);
int state_outputs_each(struct state_txn *txn, const char *prefix, state_outputs_visit *visit, void *payload,
		       struct diag *d);
/* How many instances have some. */
int state_outputs_count(struct state_txn *txn, size_t *out, struct diag *d);

/* -- Generations --------------------------------------------------------------------------------------------------- */

/* Starts generation N+1 (the first: state_generation_first()) with the facts known at the start; its number is given to
 * the writes of this apply. The generation stands as "open" until it is finished; one left open by a dead run is closed
 * as "interrupted" by the next start, with what history knows of it as its outcome: {"Result": "interrupted", "Done",
 * "Created", "Updated", "Deleted"}, which count records. */
int state_generation_start(struct state_txn *txn, const json_t *facts, uint64_t *number, struct diag *d);
/* Adds `outcome` to it and chains its hash: SHA-256 over the hash before, the facts, the outcome and its history. */
int state_generation_finish(struct state_txn *txn, uint64_t number, const json_t *outcome, struct diag *d);
/* 1 and the whole (new reference: {"Number", "Status", "Facts", "Outcome", "Hash", "Previous"}), 0, -1. Status is
 * "open", "finished" or "interrupted"; Outcome and Hash are null while it is open. */
int state_generation_get(struct state_txn *txn, uint64_t number, json_t **out, struct diag *d);
/* Whether a plan of that digest (64 hex digits) was applied by an earlier generation (facts member "PlanDigest"): the
 * number of the newest, whatever its status, or 0. One that finished without changing any record does not count. */
int state_plan_applied(struct state_txn *txn, const char *plan_digest, uint64_t *generation, struct diag *d);

/* What one generation changed: the body before and after (NULL: absent), in order of address. */
typedef int state_history_visit(void *payload, const char *address, const json_t *before, const json_t *after);
int state_history_each(struct state_txn *txn, uint64_t generation, state_history_visit *visit, void *payload,
		       struct diag *d);
/* What became of one address, oldest generation first. */
typedef int state_history_of_visit(void *payload, uint64_t generation, const json_t *before, const json_t *after);
int state_history_of(struct state_txn *txn, const char *address, state_history_of_visit *visit, void *payload,
		     struct diag *d);

/* What became of each address between the end of generation `from` and the end of `to` (0: before the first): the
 * record at either end, NULL where there was none, in order of address. Those whose body is the same at both ends are
 * left out. `from` may be the later one: then it is what going back would do. Work is in proportion to what the
 * generations between changed. Records are valid until the next write or the end of the transaction. */
typedef int state_span_visit(void *payload, const char *address, const struct state_record *before,
			     const struct state_record *after);
int state_span_each(struct state_txn *txn, uint64_t from, uint64_t to, state_span_visit *visit, void *payload,
		    struct diag *d);

/* How many records a generation made, changed and took away, by its history: what is known of one that has not come to
 * its end. */
struct state_span_counts {
	size_t created, updated, deleted;
};
int state_history_count(struct state_txn *txn, uint64_t generation, struct state_span_counts *out, struct diag *d);

/* -- Blobs: bytes kept under their SHA-256 (the inputs of a generation) ---------------------------------------------
 */

/* Keeps `bytes` (at most 1 GiB); the same bytes are kept once. */
int state_blob_put(struct state_txn *txn, uint8_t sha256[32], const void *bytes, size_t len, struct diag *d);
/* 1 and the bytes (valid until the next write or the end of the transaction), 0, -1. */
int state_blob_get(struct state_txn *txn, const uint8_t sha256[32], const void **bytes, size_t *len, struct diag *d);

/* -- Proof ----------------------------------------------------------------------------------------------------------
 */

struct state_verify_result {
	uint64_t generations; /* links of the chain that were walked */
	uint64_t broken;      /* the first generation whose link does not hold; 0 when all do */
	size_t records, blobs;
};
/* Checks every page of the file, the chain of generations from the first, that records are what history says, and
 * that blobs are what their names say. 0 when all holds; -1 with what does not, first broken link first. */
int state_verify(struct state_txn *txn, struct state_verify_result *out, struct diag *d);

#endif
