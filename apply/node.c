/* What a node has to do, and its steps:
 *
 *   STARTING -> FINDING ----> INTENDING -> (commit) -> CALLING -> STORING -> (commit) -> over
 *        |         |                                               ^
 *        |         '--------------- fails, or nothing to call -----|
 *        '---------------------------------------------------------'
 */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/json.h"
#include "base/mem.h"

/* -- What to do: making -------------------------------------------------------------------------------------------- */

/* Secrets are looked up last, when it is certain that a call will be made. */
static bool op_clear(struct apply_op *op)
{
	struct diag d = DIAG_INIT;
	bool ok = true;

	if (specs_has_residual(op->properties) && op->clear == NULL &&
	    apply_resolve_secrets(&op->clear, op->run, op->properties, &d) < 0) {
		apply_op_fail(op, APPLY_CODE_UNRESOLVED, "%s", diag_first_error(&d));
		ok = false;
	}
	diag_free(&d);
	return ok;
}

static void op_intend(struct apply_op *op)
{
	if (op_clear(op))
		apply_op_step(op, OP_INTENDING);
}

bool apply_op_may_replace(const struct plan_change *change)
{
	return change->action == PLAN_REPLACE && change->diff.may_replace && !change->diff.replace;
}

/* Whether the plan already shows that this property changes. */
static bool diff_has(const struct plan_diff *diff, const char *path)
{
	for (size_t i = 0; i < diff->count; i++)
		if (strcmp(diff->items[i].path, path) == 0)
			return true;
	return false;
}

/* The plan gave the successor a new generated name; if there is to be none, the old name stays. */
static void keep_name(struct apply_op *op)
{
	const char *name = op->type->name_property;
	json_t *old = name != NULL ? json_object_get(op->change->before, name) : NULL;
	json_t *kept;

	if (old == NULL || diff_has(&op->change->diff, name) ||
	    specs_has_residual(json_object_get(op->change->after, name)))
		return;
	kept = json_copy(op->properties);
	json_object_set(kept, name, old);
	json_decref(op->properties);
	op->properties = kept;
}

static void worse(struct apply_op *op, const struct plan_diff *diff)
{
	const char *path = "a property";

	for (size_t i = 0; i < diff->count; i++)
		if (diff->items[i].forces_replace)
			path = diff->items[i].path;
	apply_op_fail(
	    op, APPLY_CODE_WORSE,
	    "not done: now that all values are known, %s differs in a way that needs a replacement, which the "
	    "plan did not show; make a new plan",
	    path);
}

/* How what is wanted differs from what is there, now that all is known. */
static void op_compare(struct apply_op *op, struct plan_diff *diff)
{
	plan_diff_make(diff, op->type, op->properties, op->prior, op->change->recorded, op->run->plan->refreshed);
}

/* Whether a create or update that failed half-way may have left out something that no comparison shows. */
static bool op_incomplete(struct apply_op *op)
{
	struct state_txn *txn = apply_run_txn(op->run);
	json_auto_t *body = NULL;
	struct plan_record record;

	if (txn == NULL || apply_record_load(&body, txn, op->change->address, op->run->d) < 0)
		return true;
	return body != NULL && (plan_record_parse(&record, body) < 0 || record.incomplete);
}

static void begin_update(struct apply_op *op)
{
	struct plan_diff diff = {0};
	bool known_before = !specs_has_unknown(op->change->after) && !apply_op_may_replace(op->change);

	op->kind = OP_UPDATE;
	if (!known_before)
		op_compare(op, &diff);
	if (diff.replace)
		worse(op, &diff);
	else if (op->change->record_only || (!known_before && diff.count == 0 && !op_incomplete(op)))
		apply_op_finish(op, OP_RECORD);
	else
		op_intend(op);
	plan_diff_free(&diff);
}

/* The number that goes with the name that is kept. The plan's own one may have gone up by more than one: past the names
 * of what was moved away. */
static bool keep_incarnation(struct apply_op *op)
{
	struct state_txn *txn = apply_run_txn(op->run);
	json_auto_t *body = NULL;
	struct plan_record record;

	if (txn == NULL || apply_record_load(&body, txn, op->change->address, op->run->d) < 0 || body == NULL ||
	    plan_record_parse(&record, body) < 0) {
		apply_op_fail(op, APPLY_CODE_UNRESOLVED, "the state's record of it cannot be read");
		return false;
	}
	op->incarnation = record.incarnation;
	return true;
}

/* A replacement that the plan could not be certain of: decided once, by the first node of the change. */
enum apply_decided apply_op_decide(struct apply_op *op)
{
	struct apply_change *change = apply_op_change(op);
	struct plan_diff diff = {0};
	json_t *planned;

	if (!apply_op_may_replace(op->change))
		return DECIDED_REPLACE;
	planned = json_incref(op->properties);
	keep_name(op);
	if (change->decided == DECIDED_NOT) {
		op_compare(op, &diff);
		change->decided = diff.replace ? DECIDED_REPLACE : DECIDED_IN_PLACE;
		plan_diff_free(&diff);
	}
	if (change->decided == DECIDED_REPLACE) {
		json_decref(op->properties);
		op->properties = json_incref(planned);
	}
	json_decref(planned);
	return change->decided;
}

/* Looked for once more just before: somebody may have made it since (rule 1). Not where this very run has deleted what
 * had the name: the service may still show that for a while. */
static void begin_create(struct apply_op *op)
{
	op->kind = OP_CREATE;
	json_decref(op->prior);
	json_decref(op->attributes);
	op->prior = op->attributes = NULL;
	if (op->run->graph->nodes[op->node].takes_over)
		op_intend(op);
	else if (op_clear(op))
		apply_op_find(op);
}

static void begin_replace(struct apply_op *op)
{
	if (apply_op_decide(op) == DECIDED_IN_PLACE) {
		if (keep_incarnation(op))
			begin_update(op);
		return;
	}
	op->keeps_old = op->change->create_first && !op->change->retain_old;
	begin_create(op);
}

static void begin_adopt(struct apply_op *op)
{
	op->kind = OP_ADOPT;
	if (op_clear(op))
		apply_op_find(op);
}

static void begin_making(struct apply_op *op)
{
	const struct plan_change *change = op->change;
	struct diag d = DIAG_INIT;

	op->attributes = json_incref(change->attributes);
	op->prior = json_incref(change->before);
	if (apply_resolve_attributes(&op->properties, op->run, change->after, &d) < 0)
		apply_op_fail(op, APPLY_CODE_UNRESOLVED, "%s", diag_first_error(&d));
	else if (change->action == PLAN_CREATE)
		begin_create(op);
	else if (change->action == PLAN_REPLACE)
		begin_replace(op);
	else if (change->action == PLAN_ADOPT)
		begin_adopt(op);
	else
		begin_update(op);
	diag_free(&d);
}

/* -- Starting ------------------------------------------------------------------------------------------------------ */

/* Whether nothing should be tried, since the target could not be entered a moment ago. */
static bool target_dead(struct apply_op *op, const struct apply_target *target)
{
	if (target->dead == NULL)
		return false;
	struct provider_result result = apply_outcome_result(target->dead);

	apply_outcome_set(&op->result, &result);
	apply_op_step(op, OP_STORING);
	return true;
}

static int begin(struct apply_op *op, enum plan_node_kind kind)
{
	if (op->change->action == PLAN_FORGET)
		return apply_op_begin_removal(op, false);
	if (op->change->action == PLAN_DELETE || kind != PLAN_NODE_CHANGE)
		return apply_op_begin_removal(op, kind == PLAN_NODE_CLEANUP || op->change->deposed);
	if (op->type == NULL)
		apply_op_fail(op, APPLY_CODE_TYPE, "the type %s is not known", op->change->type_name);
	else
		begin_making(op);
	return 0;
}

/* Before anything is read of what is recorded under the change's address. */
static int move(struct apply_op *op)
{
	struct state_txn *txn = op->change->moved_from != NULL ? apply_run_txn(op->run) : NULL;

	if (op->change->moved_from == NULL)
		return 0;
	if (txn != NULL && apply_op_move(op, txn) == 0)
		return 0;
	apply_op_step(op, OP_INTENDING); /* which this turn will not come to */
	return -1;
}

int apply_op_start(struct apply_run *run, size_t node)
{
	const struct plan_node *what = &run->graph->nodes[node];
	const struct plan_change *change = &run->plan->changes[what->change];
	struct apply_op *op = mem_alloc(sizeof *op);

	*op = (struct apply_op){
	    .run = run, .node = node, .change = change, .type = change->type, .incarnation = change->incarnation};
	apply_intent_token(op);
	apply_report_started(run, what->change);
	if (map_has(&run->intents, change->address) ||
	    (change->moved_from != NULL && map_has(&run->intents, change->moved_from)))
		apply_op_fail(op, APPLY_CODE_INTENT,
			      "not done: an earlier run was cut off here, and what came of it could not be looked up");
	else if (move(op) < 0)
		return -1;
	else if (change->action == PLAN_FORGET || !target_dead(op, run->changes[what->change].target))
		return begin(op, what->kind);
	return 0;
}

/* -- Answers ------------------------------------------------------------------------------------------------------- */

/* The physical identity that goes with `properties`, or NULL. Free with free(). */
static char *identity_of(const struct apply_op *op, const json_t *properties)
{
	const char *partition = specs_partition_of(op->change->region);
	struct schema_place place = {op->change->account_id, op->change->region, partition,
				     specs_url_suffix(partition)};
	char *identity = NULL;

	if (op->type->identity == NULL || properties == NULL ||
	    schema_template_fill(&identity, op->type->identity, properties, NULL, &place) != 1)
		return NULL;
	return identity;
}

/* Gone from where it is recorded, because an update that did not come to its end has moved it to where it is wanted. */
static bool was_moved(struct apply_op *op)
{
	mem_auto_str char *then = NULL, *now = NULL;

	if (!op->change->gone || !op_incomplete(op))
		return false;
	then = identity_of(op, op->change->recorded);
	now = identity_of(op, op->properties);
	return then != NULL && now != NULL && strcmp(then, now) != 0;
}

static void found_adopt(struct apply_op *op)
{
	struct plan_diff diff = {0};

	if (op->result.outcome == PROVIDER_ABSENT) {
		apply_op_fail(op, APPLY_CODE_GONE, "it was to be adopted, but is not there any more; make a new plan");
		return;
	}
	if (op->result.outcome != PROVIDER_DONE) {
		apply_op_step(op, OP_STORING);
		return;
	}
	json_decref(op->prior);
	json_decref(op->attributes);
	op->prior = json_incref(op->result.properties);
	op->attributes = apply_merge(op->change->attributes, op->result.attributes);
	plan_diff_make(&diff, op->type, op->properties, op->prior, NULL, true);
	if (diff.replace)
		worse(op, &diff);
	else if (diff.count == 0 && !op_incomplete(op))
		apply_op_finish(op, OP_RECORD);
	else
		apply_op_step(op, OP_INTENDING);
	plan_diff_free(&diff);
}

static void found_create(struct apply_op *op)
{
	if (op->result.outcome == PROVIDER_DONE && was_moved(op)) {
		op->kind = OP_ADOPT;
		found_adopt(op);
	} else if (op->result.outcome == PROVIDER_DONE)
		apply_op_fail(op, APPLY_CODE_EXISTS,
			      "it exists already, and was not there when the plan was made; to take it over, plan with "
			      "--adopt '*/%s/%s' or \"Adopt\": true in the stack",
			      op->change->stack, op->change->logical_id);
	else if (op->result.outcome == PROVIDER_ABSENT)
		apply_op_step(op, OP_INTENDING);
	else
		apply_op_step(op, OP_STORING);
}

static void target_mark(struct apply_op *op)
{
	struct apply_target *target = apply_op_change(op)->target;
	struct provider_result result = apply_outcome_result(&op->result);

	if (target->dead != NULL)
		return;
	target->dead = mem_alloc(sizeof *target->dead);
	apply_outcome_set(target->dead, &result);
}

void apply_op_arrived(struct apply_op *op)
{
	if (op->result.outcome == PROVIDER_UNREACHABLE)
		target_mark(op);
	if (op->step != OP_FINDING)
		apply_op_step(op, OP_STORING);
	else if (op->kind == OP_ADOPT)
		found_adopt(op);
	else
		found_create(op);
}
