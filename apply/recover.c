/* What a run that was cut off left open. Each intent is resolved by looking in AWS:
 *
 *   create   found: recorded. Absent: only once the service has had its time to show it, by looking again and again,
 *            since a request may still have been on its way when the process died
 *   update   the record is marked incomplete, so that the next plan looks at all of it
 *   delete   absent: the record goes. Still there: it stays
 *   cleanup  the record still has what is to be deleted; nothing to do
 *
 * What cannot be looked up stays an intent, which says why then ("Stays"). All that came in during a turn goes into one
 * transaction. */
#include <stdlib.h>
#include <string.h>

#include "apply/recover.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

struct state_txn *apply_recovery_txn(struct recovery *r)
{
	json_auto_t *facts = NULL;
	char when[32];

	if (r->txn == NULL && state_begin(&r->txn, r->state, true, r->d) < 0)
		r->txn = NULL;
	if (r->txn == NULL || r->generation != 0)
		return r->txn;
	facts = json_is_object(r->options->facts) ? json_copy(r->options->facts) : json_object();
	json_object_set_new(facts, "Recovery", json_true());
	if (json_object_get(facts, "Time") == NULL) {
		text_time(when, sizeof when, loop_wall_ms());
		json_object_set_new(facts, "Time", json_string(when));
	}
	return state_generation_start(r->txn, facts, &r->generation, r->d) < 0 ? NULL : r->txn;
}

/* -- Turns --------------------------------------------------------------------------------------------------------- */

static void looks_start(struct recovery *r)
{
	while (!r->stopping && r->waiting != NULL && r->running < r->parallelism)
		apply_look_start(apply_look_pop(&r->waiting, &r->waiting_tail));
}

static void stop(struct recovery *r)
{
	r->stopping = true;
	while (r->sleeping != NULL) {
		struct look *look = r->sleeping;

		r->sleeping = look->next;
		apply_look_free(look);
	}
	while (r->waiting != NULL)
		apply_look_free(apply_look_pop(&r->waiting, &r->waiting_tail));
}

static void turn_end(void *payload)
{
	struct recovery *r = payload;
	int rc = 0;

	while (r->arrived != NULL && rc == 0)
		rc = apply_look_answer(apply_look_pop(&r->arrived, &r->arrived_tail));
	if (r->txn != NULL && rc == 0 && r->resolved_now > 0)
		rc = state_commit(r->txn, r->d);
	else
		state_abort(r->txn);
	r->txn = NULL;
	r->resolved += rc == 0 ? r->resolved_now : 0;
	r->resolved_now = 0;
	if (rc < 0) {
		r->failed = true;
		stop(r);
		while (r->arrived != NULL)
			apply_look_free(apply_look_pop(&r->arrived, &r->arrived_tail));
	}
	if (rc == 0 && r->generation != 0)
		r->started = true;
	else if (!r->started)
		r->generation = 0;
	looks_start(r);
	if (r->running == 0 && r->waiting == NULL && r->sleeping == NULL && r->arrived == NULL)
		loop_stop(r->loop);
}

static void interrupted(void *payload)
{
	struct recovery *r = payload;

	if (++r->interrupts == 2)
		r->provider->ops->cancel(r->provider);
	stop(r);
}

/* -- All ----------------------------------------------------------------------------------------------------------- */

static int intent_visit(void *payload, const char *address, const json_t *body)
{
	struct recovery *r = payload;
	struct look *look = mem_alloc(sizeof *look);

	*look = (struct look){.recovery = r, .address = mem_strdup(address), .body = json_deep_copy(body)};
	apply_look_push(&r->waiting_tail, look);
	return 0;
}

static int intents_load(struct recovery *r)
{
	struct look *look, *all = NULL, **tail = &all;
	struct state_txn *txn;
	int rc;

	if (state_begin(&txn, r->state, false, r->d) < 0)
		return -1;
	rc = state_intent_each(txn, intent_visit, r, r->d);
	all = r->waiting;
	r->waiting = NULL;
	r->waiting_tail = &r->waiting;
	while ((look = apply_look_pop(&all, &tail)) != NULL) {
		if (rc < 0)
			apply_look_free(look);
		else
			rc = apply_look_open(look, txn);
	}
	state_abort(txn);
	return rc;
}

static int generation_finish(struct recovery *r)
{
	json_auto_t *outcome = json_pack("{s:s, s:i}", "Result", "complete", "Recovered", r->resolved);
	struct state_txn *txn;
	char when[32];

	text_time(when, sizeof when, loop_wall_ms());
	json_object_set_new(outcome, "Ended", json_string(when));
	if (r->generation == 0)
		return 0;
	if (state_begin(&txn, r->state, true, r->d) < 0)
		return -1;
	if (state_generation_finish(txn, r->generation, outcome, r->d) == 0)
		return state_commit(txn, r->d);
	state_abort(txn);
	return -1;
}

static void nothing(void *payload)
{
	(void)payload;
}

static int recovery_run(struct recovery *r)
{
	if (r->waiting == NULL && r->arrived == NULL)
		return 0;
	loop_turn_end_add(r->loop, turn_end, r);
	loop_interrupt_set(r->loop, interrupted, r);
	loop_defer(r->loop, nothing, NULL);
	loop_run(r->loop);
	loop_interrupt_set(r->loop, NULL, NULL);
	loop_turn_end_remove(r->loop, turn_end, r);
	if (generation_finish(r) < 0 || r->failed)
		return -1;
	if (r->interrupts > 0)
		return diag_error(
		    r->d, "interrupted while looking for what a run that was cut off has left; nothing is lost");
	return r->resolved;
}

/* No generation: nothing that is recorded changes. */
static int stays_write(struct recovery *r)
{
	struct state_txn *txn;
	int rc = 0;

	if (!r->stays_new)
		return 0;
	if (state_begin(&txn, r->state, true, r->d) < 0)
		return -1;
	for (const struct look *look = r->stayed; look != NULL && rc == 0; look = look->next)
		rc = state_intent_put(txn, look->address, look->body, r->d);
	if (rc == 0)
		return state_commit(txn, r->d);
	state_abort(txn);
	return rc;
}

int apply_recover(struct loop *loop, struct provider *provider, struct state *state, const struct plan *plan,
		  const struct apply_options *options, struct diag *d)
{
	struct recovery r = {
	    .loop = loop,
	    .provider = provider,
	    .state = state,
	    .plan = plan,
	    .options = options,
	    .d = d,
	    .parallelism = options->parallelism != 0 ? options->parallelism : APPLY_PARALLELISM_DEFAULT,
	};
	int rc;

	r.waiting_tail = &r.waiting;
	r.arrived_tail = &r.arrived;
	r.stayed_tail = &r.stayed;
	rc = intents_load(&r) < 0 ? -1 : recovery_run(&r);
	stop(&r);
	if (stays_write(&r) < 0)
		rc = -1;
	while (r.stayed != NULL)
		apply_look_free(apply_look_pop(&r.stayed, &r.stayed_tail));
	while (r.arrived != NULL)
		apply_look_free(apply_look_pop(&r.arrived, &r.arrived_tail));
	return rc;
}
