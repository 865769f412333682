/* Counting what happens, and telling it through the caller's events. */
#include <stdlib.h>

#include "apply/run.h"
#include "base/mem.h"

static void event_finished(struct apply_run *run, size_t i, const struct apply_outcome *outcome)
{
	const struct apply_events *events = &run->options->events;
	struct plan_change change = run->plan->changes[i];
	struct provider_result result;
	int64_t elapsed_ms = 0;

	if (events->finished == NULL)
		return;
	if (outcome != NULL)
		result = apply_outcome_result(outcome);
	if (run->changes[i].started_ms != 0 && run->changes[i].status != APPLY_NOT_STARTED)
		elapsed_ms = loop_now_ms(run->loop) - run->changes[i].started_ms;
	if (run->changes[i].decided == DECIDED_IN_PLACE)
		change.action = PLAN_UPDATE;
	events->finished(events->payload, &change, run->changes[i].status, outcome != NULL ? &result : NULL,
			 elapsed_ms);
}

void apply_report_started(struct apply_run *run, size_t i)
{
	const struct apply_events *events = &run->options->events;

	if (run->changes[i].status != APPLY_WAITING)
		return;
	run->changes[i].status = APPLY_RUNNING;
	run->changes[i].started_ms = loop_now_ms(run->loop);
	if (events->started != NULL)
		events->started(events->payload, &run->plan->changes[i]);
}

/* -- Failures ------------------------------------------------------------------------------------------------------ */

static void failure_add(struct apply_run *run, struct apply_failure failure)
{
	struct apply_report *report = run->report;

	/* Full at each power of two. */
	if ((report->failure_count & (report->failure_count - 1)) == 0)
		report->failures =
		    mem_resize(report->failures, report->failure_count ? 2 * report->failure_count : 1, sizeof failure);
	report->failures[report->failure_count++] = failure;
}

void apply_report_failed(struct apply_run *run, size_t i, const struct apply_outcome *outcome)
{
	const char *message = outcome->message;

	if (run->changes[i].status == APPLY_FAILED)
		return;
	run->changes[i].status = APPLY_FAILED;
	if (message == NULL && outcome->outcome == PROVIDER_CANCELLED)
		message = "stopped in the middle; the next run looks what came of it";
	failure_add(run, (struct apply_failure){
			     .change = i,
			     .status = APPLY_FAILED,
			     .code = mem_strdup(outcome->code),
			     .message = mem_strdup(message),
			     .operation = mem_strdup(outcome->operation),
			 });
}

void apply_report_skipped(struct apply_run *run, size_t i, size_t because)
{
	struct apply_change *change = &run->changes[i];

	if (change->status != APPLY_FAILED && change->status != APPLY_SKIPPED) {
		change->status = APPLY_SKIPPED;
		failure_add(run, (struct apply_failure){
				     .change = i,
				     .status = APPLY_SKIPPED,
				     .because = mem_strdup(run->plan->changes[because].address),
				 });
	}
	apply_report_node(run, i, NULL);
}

/* -- Ends of changes ----------------------------------------------------------------------------------------------- */

static void count_done(struct apply_run *run, size_t i)
{
	struct apply_report *report = run->report;

	report->done++;
	switch (run->plan->changes[i].action) {
	case PLAN_NOOP:
		break;
	case PLAN_FORGET:
		report->forgotten++;
		break;
	case PLAN_CREATE:
		report->created++;
		break;
	case PLAN_ADOPT:
		report->adopted++;
		break;
	case PLAN_UPDATE:
		*(run->plan->changes[i].moved_from != NULL && run->plan->changes[i].record_only ? &report->moved
												: &report->updated) +=
		    1;
		break;
	case PLAN_REPLACE:
		*(run->changes[i].decided == DECIDED_IN_PLACE ? &report->updated : &report->replaced) += 1;
		break;
	case PLAN_DELETE:
		report->deleted++;
		break;
	}
}

void apply_report_node(struct apply_run *run, size_t i, const struct apply_outcome *outcome)
{
	struct apply_change *change = &run->changes[i];

	if (--change->nodes_left > 0)
		return;
	if (change->status == APPLY_FAILED) {
		run->report->failed++;
	} else if (change->status == APPLY_SKIPPED) {
		run->report->skipped++;
	} else {
		change->status = APPLY_DONE;
		count_done(run, i);
	}
	event_finished(run, i, outcome);
}

/* A change that is not over although the run is. */
static void close_change(struct apply_run *run, size_t i)
{
	static const struct apply_outcome half = {.code = "NotMadeAnew",
						  .message = "the old one is deleted; the next run makes the new one"};
	struct apply_change *change = &run->changes[i];
	struct apply_report *report = run->report;

	if (change->half)
		apply_report_failed(run, i, &half);
	if (change->status == APPLY_FAILED) {
		report->failed++;
	} else if (change->status == APPLY_SKIPPED) {
		report->skipped++;
	} else {
		change->status = APPLY_NOT_STARTED;
		report->not_started++;
	}
	event_finished(run, i, change->half ? &half : NULL);
}

void apply_report_close(struct apply_run *run)
{
	for (size_t i = 0; i < run->plan->change_count; i++)
		if (run->changes[i].nodes_left > 0)
			close_change(run, i);
	run->report->elapsed_ms = loop_now_ms(run->loop) - run->started_ms;
	run->provider->ops->stats(run->provider, &run->report->provider);
	run->report->provider.calls -= run->stats_before.calls;
	run->report->provider.retries -= run->stats_before.retries;
	run->report->provider.throttled -= run->stats_before.throttled;
}

void apply_report_progress(struct apply_run *run)
{
	const struct apply_events *events = &run->options->events;
	const struct apply_report *report = run->report;
	struct apply_progress progress = {
	    .total = run->plan->change_count,
	    .done = report->done,
	    .failed = report->failed,
	    .skipped = report->skipped,
	    .running = run->running,
	    .elapsed_ms = loop_now_ms(run->loop) - run->started_ms,
	    .eta_ms = -1,
	    .stopping = run->stopping,
	};
	size_t over = progress.done + progress.failed + progress.skipped;

	if (events->progress == NULL)
		return;
	if (over < progress.total && progress.running < progress.total - over)
		progress.waiting = progress.total - over - progress.running;
	/* What is under way counts half: else short runs look endless at their start. */
	if (over > 0 && !run->stopping)
		progress.eta_ms = (int64_t)((double)progress.elapsed_ms * (double)(progress.total - over) /
					    ((double)over + (double)progress.running / 2));
	run->provider->ops->stats(run->provider, &progress.provider);
	events->progress(events->payload, &progress);
}

void apply_report_free(struct apply_report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->failure_count; i++) {
		free(report->failures[i].code);
		free(report->failures[i].message);
		free(report->failures[i].operation);
		free(report->failures[i].because);
	}
	free(report->failures);
	free(report);
}
