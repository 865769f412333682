/* What a node has to do that takes something away: deletes what the record says, what replacements have left, or only
 * forgets. What must stay is guarded here once more, whatever the plan says. */
#include "apply/run.h"
#include "base/json.h"

/* Whether this must not be deleted, whatever the plan says (rules 1 and 15). */
static bool op_guarded(struct apply_op *op, const struct plan_record *record)
{
	bool planned = op->change->action == PLAN_DELETE;

	if (record->protect || (planned && op->change->protect))
		apply_op_fail(op, APPLY_CODE_PROTECTED, "not deleted: it is protected");
	else if (planned && record->deletion == SPECS_RETAIN)
		apply_op_fail(op, APPLY_CODE_PROTECTED, "not deleted: its DeletionPolicy is Retain");
	else if (planned && record->adopted && record->deletion != SPECS_DELETE)
		apply_op_fail(op, APPLY_CODE_PROTECTED,
			      "not deleted: it was adopted, and no DeletionPolicy: Delete says that it may go");
	else
		return false;
	return true;
}

static void begin_cleanup(struct apply_op *op, const struct plan_record *record)
{
	size_t i;
	json_t *entry;

	op->kind = OP_CLEANUP;
	op->deposed = json_deep_copy(record->deposed);
	json_array_foreach(op->deposed, i, entry)
	{
		if (schema_set_find(op->run->schemas, json_get_string(entry, "Type")) != NULL)
			continue;
		apply_op_fail(op, APPLY_CODE_TYPE, "the type of what was replaced is not known");
		return;
	}
	if (json_array_size(op->deposed) == 0)
		apply_op_finish(op, OP_NOTHING);
	else
		apply_op_step(op, OP_INTENDING);
}

static void begin_delete(struct apply_op *op, const struct plan_record *record)
{
	op->kind = OP_DELETE;
	if (op_guarded(op, record))
		return;
	op->type = schema_set_find(op->run->schemas, record->type);
	if (op->type == NULL) {
		apply_op_fail(op, APPLY_CODE_TYPE, "not deleted: the type %s is not known", record->type);
		return;
	}
	op->deposed = json_deep_copy(record->deposed);
	op->properties = json_incref(record->properties);
	op->attributes = json_incref(record->attributes);
	apply_op_step(op, OP_INTENDING);
}

/* What replacements left is known only by the record. */
static void begin_forget(struct apply_op *op, const struct plan_record *record)
{
	if (json_array_size(record->deposed) > 0)
		apply_op_fail(op, APPLY_CODE_LEFT,
			      "not forgotten: what replacements left of it is not deleted yet, and only the state "
			      "knows of that");
	else
		apply_op_finish(op, OP_FORGET);
}

/* The deletion that comes before the rest of a replacement, where that still has to be decided. */
static bool stays_in_place(struct apply_op *op, struct diag *d)
{
	bool stays = false;

	if (!apply_op_may_replace(op->change))
		return false;
	op->prior = json_incref(op->change->before);
	if (apply_resolve_attributes(&op->properties, op->run, op->change->after, d) < 0) {
		apply_op_fail(op, APPLY_CODE_UNRESOLVED, "%s", diag_first_error(d));
		return true;
	}
	if (apply_op_decide(op) == DECIDED_IN_PLACE) {
		apply_op_finish(op, OP_NOTHING);
		stays = true;
	}
	json_decref(op->properties);
	json_decref(op->prior);
	op->properties = op->prior = NULL;
	op->incarnation = op->change->incarnation;
	return stays;
}

int apply_op_begin_removal(struct apply_op *op, bool cleanup)
{
	struct state_txn *txn = apply_run_txn(op->run);
	json_auto_t *body = NULL;
	struct plan_record record;
	struct diag d = DIAG_INIT;
	int rc = txn == NULL ? -1 : apply_record_load(&body, txn, op->change->address, op->run->d);

	if (rc < 0)
		apply_op_step(op, OP_INTENDING); /* which this turn will not come to */
	else if (body == NULL)
		apply_op_finish(op, OP_NOTHING);
	else if (plan_record_parse(&record, body) < 0)
		apply_op_fail(op, APPLY_CODE_UNRESOLVED, "the state's record of it cannot be read");
	else if (op->change->action == PLAN_FORGET)
		begin_forget(op, &record);
	else if (cleanup)
		begin_cleanup(op, &record);
	else if (!stays_in_place(op, &d))
		begin_delete(op, &record);
	diag_free(&d);
	return rc;
}
