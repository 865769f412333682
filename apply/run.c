/* The run as a whole. At the end of each turn of the event loop everything that came in and everything that is to be
 * started goes through one transaction; calls that change something are made once it is durable. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/mem.h"

#define TICK_MS       250
#define STARTS_A_TURN 4096 /* bounds a turn, so that signals are seen in time */
#define RETRY_MS      500
#define RETRIES_MAX   5
#define LOST_SHOWN    20

struct state_txn *apply_run_txn(struct apply_run *run)
{
	if (run->txn == NULL && state_begin(&run->txn, run->state, true, run->d) < 0)
		run->txn = NULL;
	return run->txn;
}

/* -- One turn: what goes into the transaction ---------------------------------------------------------------------- */

/* An op that was only looking has done nothing yet: after a stop it is not begun at all. */
static void arrivals_take(struct apply_run *run)
{
	struct apply_op *op;

	while ((op = apply_op_pop(&run->arrived)) != NULL) {
		if (op->step == OP_FINDING && run->stopping && !apply_op_change(op)->half) {
			apply_schedule_drop(run, op->node);
			apply_op_free(op);
		} else {
			apply_op_arrived(op);
		}
	}
}

static int learned_store(struct apply_run *run)
{
	for (struct apply_op *op = run->learned; op != NULL; op = op->learned_next)
		if (op->intended && apply_intent_put(op) < 0)
			return -1;
	return 0;
}

/* Results are written, and what waited for them becomes ready: it is started in the same transaction, for its call is
 * made only once that is durable. */
static int results_store(struct apply_run *run)
{
	struct apply_op *op;

	while ((op = run->storing.head) != NULL) {
		if (apply_result_store(op) < 0)
			return -1;
		apply_op_pop(&run->storing);
		apply_op_push(&run->stored, op);
		if (op->again || op->settled)
			continue;
		op->settled = true;
		if (!apply_op_done(op))
			apply_report_failed(run, run->graph->nodes[op->node].change, &op->result);
		apply_schedule_settle(run, op->node, apply_op_done(op));
	}
	return 0;
}

static int nodes_start(struct apply_run *run)
{
	size_t started = 0, node;

	while (started < STARTS_A_TURN && (node = apply_schedule_next(run)) != APPLY_NONE) {
		started++;
		if (apply_op_start(run, node) < 0)
			return -1;
		/* What needed no call is over already, and may let others go. */
		if (run->storing.head != NULL && results_store(run) < 0)
			return -1;
	}
	return 0;
}

static int intents_store(struct apply_run *run)
{
	struct apply_op *op;

	while ((op = run->intending.head) != NULL) {
		if (apply_intent_put(op) < 0)
			return -1;
		apply_op_pop(&run->intending);
		apply_op_push(&run->intended, op);
	}
	return 0;
}

static int turn_write(struct apply_run *run)
{
	arrivals_take(run);
	if (learned_store(run) < 0 || results_store(run) < 0 || nodes_start(run) < 0 || intents_store(run) < 0)
		return -1;
	return 0;
}

/* -- One turn: after the transaction ------------------------------------------------------------------------------- */

/* A deletion of several goes on with its next part, unless everything has been told to stop at once. */
static void op_go_on(struct apply_run *run, struct apply_op *op)
{
	if (run->interrupts < APPLY_STOP_AT_ONCE) {
		apply_op_call(op);
		return;
	}
	op->again = false;
	op->result.outcome = PROVIDER_CANCELLED;
	apply_op_step(op, OP_STORING);
}

static void turn_kept(struct apply_run *run)
{
	struct apply_op *op;

	for (op = run->learned; op != NULL; op = op->learned_next)
		op->learned_new = false;
	run->learned = NULL;
	while ((op = apply_op_pop(&run->stored)) != NULL) {
		if (op->again) {
			json_array_remove(op->deposed, 0);
			op_go_on(run, op);
			continue;
		}
		apply_report_node(run, run->graph->nodes[op->node].change, &op->result);
		apply_op_free(op);
	}
	while ((op = apply_op_pop(&run->intended)) != NULL) {
		op->intended = true;
		apply_op_call(op);
	}
}

static void retry_wake(void *payload)
{
	struct apply_run *run = payload;

	run->retry = NULL;
	run->retry_due = true;
}

/* Nothing of this turn is durable. Results are kept and written again later; what was about to start does not. */
static void turn_lost(struct apply_run *run)
{
	struct apply_op_list again = {0};
	struct apply_op *op;

	run->lost = run->stopping = true;
	while ((op = apply_op_pop(&run->stored)) != NULL)
		apply_op_push(&again, op);
	while ((op = apply_op_pop(&run->storing)) != NULL)
		apply_op_push(&again, op);
	while ((op = apply_op_pop(&again)) != NULL)
		apply_op_push(&run->storing, op);
	while ((op = apply_op_pop(&run->intended)) != NULL || (op = apply_op_pop(&run->intending)) != NULL) {
		apply_schedule_drop(run, op->node);
		apply_op_free(op);
	}
	if (run->retry == NULL && run->retries < RETRIES_MAX)
		run->retry = loop_timer_start(run->loop, (int64_t)RETRY_MS << run->retries++, retry_wake, run);
}

static int turn_commit(struct apply_run *run, int rc)
{
	struct state_txn *txn = run->txn;

	run->txn = NULL;
	if (txn == NULL)
		return rc;
	if (rc == 0 && run->dirty)
		rc = state_commit(txn, run->d);
	else
		state_abort(txn);
	run->dirty = false;
	return rc;
}

static bool run_over(const struct apply_run *run)
{
	if (run->calling > 0 || run->retry != NULL || run->arrived.head != NULL)
		return false;
	if (run->storing.head != NULL)
		return run->lost && run->retries >= RETRIES_MAX;
	return run->running == 0 && apply_schedule_idle(run);
}

static void nothing(void *payload)
{
	(void)payload;
}

/* Whether this turn has anything to write or to start. */
static bool turn_due(const struct apply_run *run)
{
	if (run->lost && !run->retry_due && run->arrived.head == NULL)
		return false;
	return run->arrived.head != NULL || run->learned != NULL || run->storing.head != NULL ||
	       (run->running < run->parallelism && !apply_schedule_idle(run));
}

static void turn_end(void *payload)
{
	struct apply_run *run = payload;

	if (turn_due(run)) {
		run->retry_due = false;
		if (turn_commit(run, turn_write(run)) == 0)
			turn_kept(run);
		else
			turn_lost(run);
	}
	if (run_over(run))
		loop_stop(run->loop);
	else if (!run->lost && turn_due(run))
		loop_defer(run->loop, nothing, NULL);
}

/* -- Interrupts and progress --------------------------------------------------------------------------------------- */

static void interrupted(void *payload)
{
	struct apply_run *run = payload;

	run->stopping = true;
	run->report->interrupted = true;
	if (++run->interrupts == APPLY_STOP_AT_ONCE)
		run->provider->ops->cancel(run->provider);
	apply_report_progress(run);
}

static void tick(void *payload)
{
	struct apply_run *run = payload;

	apply_report_progress(run);
	run->ticker = loop_timer_start(run->loop, TICK_MS, tick, run);
}

/* -- The run ------------------------------------------------------------------------------------------------------- */

/* What was done in AWS and could not be written, even after trying again: said by name, and the intents are there. */
static int lost_report(struct apply_run *run)
{
	struct apply_outcome lost = {.code = "StateNotWritten", .message = "what came of it could not be recorded"};
	struct apply_op *op;
	size_t count = 0;

	while ((op = apply_op_pop(&run->storing)) != NULL) {
		apply_report_failed(run, run->graph->nodes[op->node].change, &lost);
		if (op->intended && count++ < LOST_SHOWN)
			diag_error(run->d,
				   "%s: what came of it could not be written to the state; its intent is there, and "
				   "the next run will look",
				   op->change->address);
		apply_op_free(op);
	}
	if (count > LOST_SHOWN)
		diag_error(run->d, "... and %zu more like that", count - LOST_SHOWN);
	return count > 0 ? -1 : 0;
}

static int run_loop(struct apply_run *run)
{
	int rc;

	loop_turn_end_add(run->loop, turn_end, run);
	loop_interrupt_set(run->loop, interrupted, run);
	loop_defer(run->loop, nothing, NULL);
	if (run->options->events.progress != NULL)
		tick(run);
	loop_run(run->loop);
	loop_timer_cancel(run->ticker);
	loop_timer_cancel(run->retry);
	loop_interrupt_set(run->loop, NULL, NULL);
	loop_turn_end_remove(run->loop, turn_end, run);
	rc = lost_report(run);
	apply_report_close(run);
	apply_report_progress(run);
	if (!run->lost && apply_outputs_store(run) < 0)
		rc = -1;
	if (apply_generation_finish(run) < 0)
		rc = -1;
	if (run->lost)
		diag_error(run->d, "stopped before the end, because the state could not be written");
	return rc;
}

int apply_run(struct apply_report **out, struct loop *loop, struct provider *provider, struct state *state,
	      const struct plan *plan, const struct apply_options *options, struct diag *d)
{
	struct apply_run run = {
	    .urgent_head = APPLY_NONE,
	    .loop = loop,
	    .provider = provider,
	    .schemas = provider->ops->schemas(provider),
	    .state = state,
	    .plan = plan,
	    .options = options,
	    .d = d,
	    .parallelism = options->parallelism != 0 ? options->parallelism : APPLY_PARALLELISM_DEFAULT,
	    .started_ms = loop_now_ms(loop),
	    .report = mem_alloc(sizeof *run.report),
	};
	int rc = apply_schedule_open(&run);

	*out = NULL;
	provider->ops->stats(provider, &run.stats_before);
	if (rc == 0)
		rc = apply_generation_start(&run);
	if (rc == 0) {
		run.report->generation = run.generation;
		rc = run_loop(&run);
		*out = run.report;
	} else {
		apply_report_free(run.report);
	}
	apply_schedule_close(&run);
	return rc;
}
