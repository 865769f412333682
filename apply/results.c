/* What is written after a call: the record as it now is, and that the intent is over. Nothing that exists is forgotten,
 * and nothing is taken to be as wanted that perhaps is not. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/json.h"
#include "base/mem.h"

/* -- Records ------------------------------------------------------------------------------------------------------- */

int apply_record_load(json_t **body, struct state_txn *txn, const char *address, struct diag *d)
{
	struct state_record raw;
	int found = state_record_get(txn, address, &raw, d);

	*body = NULL;
	if (found <= 0)
		return found;
	*body = json_loadb(raw.text, raw.text_len, 0, NULL);
	if (*body == NULL)
		return diag_error(d, "the state's record of %s cannot be read", address);
	return 0;
}

int apply_record_put(struct state_txn *txn, const char *address, uint64_t generation, const struct plan_record *record,
		     struct diag *d)
{
	json_auto_t *body = plan_record_body(record);
	size_t count = json_array_size(record->depends);
	const char **depends = mem_array(count + 1, sizeof depends[0]);
	uint8_t digest[32] = {0};

	for (size_t i = 0; i < count; i++)
		depends[i] = json_string_value(json_array_get(record->depends, i));
	/* Without a digest the next plan looks into the record, where more than what is wanted stands. */
	if (!record->incomplete && json_array_size(record->deposed) == 0)
		plan_digest(digest, record->account_id, record->type, record->properties, (const char *const *)depends,
			    count, record->deletion, record->protect);
	free(depends);
	return state_record_put(txn, address, generation, digest, body, NULL, d);
}

int apply_record_doubt(struct state_txn *txn, const char *address, uint64_t generation, const json_t *learned,
		       struct diag *d)
{
	json_auto_t *body = NULL, *attributes = NULL;
	struct plan_record record;

	if (apply_record_load(&body, txn, address, d) < 0)
		return -1;
	if (body == NULL || plan_record_parse(&record, body) < 0)
		return 0;
	attributes = apply_merge(record.attributes, learned);
	record.attributes = attributes;
	record.incomplete = true;
	return apply_record_put(txn, address, generation, &record, d);
}

json_t *apply_record_deposed(const struct plan_record *record)
{
	return json_pack("{s:s, s:O*, s:O*, s:O*, s:I, s:s*}", "Type", record->type, "Properties", record->properties,
			 "Attributes", record->attributes, "Depends", record->depends, "Incarnation",
			 (json_int_t)record->incarnation, "Origin", record->origin);
}

/* -- What came of making ------------------------------------------------------------------------------------------- */

/* What replacements have left so far; with `keeps_old` the resource recorded until now is one of them. */
static int deposed_list(json_t **out, struct state_txn *txn, const char *address, bool keeps_old, struct diag *d)
{
	json_auto_t *body = NULL;
	struct plan_record before;

	*out = NULL;
	if (apply_record_load(&body, txn, address, d) < 0)
		return -1;
	if (body == NULL || plan_record_parse(&before, body) < 0)
		return 0;
	*out = before.deposed != NULL ? json_incref(before.deposed) : json_array();
	if (keeps_old)
		json_array_append_new(*out, apply_record_deposed(&before));
	return 0;
}

int apply_record_made(struct state_txn *txn, const char *address, uint64_t generation, struct plan_record *record,
		      bool keeps_old, struct diag *d)
{
	json_auto_t *deposed = NULL;

	if (deposed_list(&deposed, txn, address, keeps_old, d) < 0)
		return -1;
	record->deposed = deposed;
	return apply_record_put(txn, address, generation, record, d);
}

static int store_made(struct apply_op *op, struct state_txn *txn, bool incomplete)
{
	struct apply_run *run = op->run;
	json_auto_t *hold = NULL;
	struct plan_record record;

	apply_op_record(&record, op, &hold);
	record.incomplete = incomplete;
	run->dirty = true;
	return apply_record_made(txn, op->change->address, run->generation, &record, op->keeps_old, run->d);
}

static int store_create(struct apply_op *op, struct state_txn *txn)
{
	if (op->result.outcome == PROVIDER_DONE)
		return store_made(op, txn, false);
	if (op->result.outcome == PROVIDER_FAILED && op->result.exists)
		return store_made(op, txn, true);
	return 0;
}

/* Of an update that failed half-way only that much is certain: what is recorded may no longer be so. */
static int store_update(struct apply_op *op, struct state_txn *txn)
{
	json_auto_t *learned = NULL;

	if (op->result.outcome == PROVIDER_DONE)
		return store_made(op, txn, false);
	if (op->result.outcome != PROVIDER_FAILED)
		return 0;
	if (op->kind == OP_ADOPT)
		return store_made(op, txn, true);
	learned = apply_merge(op->learned, op->result.attributes);
	op->run->dirty = true;
	return apply_record_doubt(txn, op->change->address, op->run->generation, learned, op->run->d);
}

/* -- What came of deleting ----------------------------------------------------------------------------------------- */

/* One of those that replacements left is gone: the record no longer has it, and the next one follows. */
static int store_deposed(struct apply_op *op, struct state_txn *txn)
{
	struct apply_run *run = op->run;
	json_auto_t *body = NULL, *rest = NULL;
	struct plan_record record;
	struct state_record raw;

	if (apply_record_load(&body, txn, op->change->address, run->d) < 0)
		return -1;
	if (body == NULL || plan_record_parse(&record, body) < 0)
		return 0;
	if (state_record_get(txn, op->change->address, &raw, run->d) < 0)
		return -1;
	uint8_t digest[32];

	memcpy(digest, raw.digest, sizeof digest);
	rest = json_deep_copy(op->deposed);
	json_array_remove(rest, 0);
	record.deposed = rest;
	json_auto_t *after = plan_record_body(&record);

	run->dirty = true;
	return state_record_put(txn, op->change->address, run->generation, digest, after, NULL, run->d);
}

static int store_delete(struct apply_op *op, struct state_txn *txn)
{
	struct apply_run *run = op->run;

	op->again = false;
	if (apply_op_done(op) && json_array_size(op->deposed) > 0) {
		op->again = op->kind == OP_DELETE || json_array_size(op->deposed) > 1;
		return store_deposed(op, txn);
	}
	if (apply_op_done(op) && op->kind == OP_DELETE) {
		run->dirty = true;
		return state_record_delete(txn, op->change->address, run->generation, run->d) < 0 ? -1 : 0;
	}
	if (op->result.outcome != PROVIDER_FAILED || op->kind == OP_CLEANUP)
		return 0;
	run->dirty = true;
	return apply_record_doubt(txn, op->change->address, run->generation, NULL, run->d);
}

/* -- All ----------------------------------------------------------------------------------------------------------- */

static int store_record(struct apply_op *op, struct state_txn *txn)
{
	switch (op->kind) {
	case OP_NOTHING:
		return 0;
	case OP_FORGET:
		op->run->dirty = true;
		return state_record_delete(txn, op->change->address, op->run->generation, op->run->d) < 0 ? -1 : 0;
	case OP_RECORD:
		return store_made(op, txn, false);
	case OP_CREATE:
		return store_create(op, txn);
	case OP_ADOPT:
	case OP_UPDATE:
		return store_update(op, txn);
	case OP_DELETE:
	case OP_CLEANUP:
		return store_delete(op, txn);
	}
	return 0;
}

/* Whether the provider may have done something of which nobody knows the end: then the intent stays, and the next run
 * looks what came of it. */
static bool is_open(const struct apply_op *op)
{
	if (!op->intended)
		return false;
	if (op->result.outcome == PROVIDER_CANCELLED)
		return true;
	return op->kind == OP_CREATE && op->result.outcome == PROVIDER_FAILED && !op->result.exists;
}

int apply_result_store(struct apply_op *op)
{
	bool called = op->intended || op->result.outcome == PROVIDER_DONE;
	struct state_txn *txn;

	if (!called || is_open(op) || op->kind == OP_NOTHING)
		return 0;
	txn = apply_run_txn(op->run);
	if (txn == NULL || apply_op_move(op, txn) < 0 || store_record(op, txn) < 0)
		return -1;
	if (!op->intended || op->again)
		return 0;
	op->run->dirty = true;
	return state_intent_delete(txn, op->change->address, op->run->d) < 0 ? -1 : 0;
}
