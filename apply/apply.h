/* The face of the apply room: runs a plan's graph concurrently over all targets, with an intent durable before each
 * call that changes something and the result durable after it (DESIGN section 6).
 *
 *   apply_check()   is the plan still true, and of this state?
 *   apply_recover() what a run that was cut off left open
 *   apply_run()     changes -> calls -> results -> records
 *
 * Prints nothing: what happens is told through `events`. */
#ifndef MUSTER_APPLY_APPLY_H
#define MUSTER_APPLY_APPLY_H

#include "base/diag.h"
#include "base/loop.h"
#include "plan/plan.h"
#include "providers/provider.h"
#include "state/state.h"

#define APPLY_PARALLELISM_DEFAULT 256 /* operations under way at once; calls are paced below that by the provider */

enum apply_status { APPLY_WAITING, APPLY_RUNNING, APPLY_DONE, APPLY_FAILED, APPLY_SKIPPED, APPLY_NOT_STARTED };

struct apply_progress {
	size_t total, done, failed, skipped, running, waiting;
	struct provider_stats provider;
	int64_t elapsed_ms, eta_ms; /* eta -1: not known */
	bool stopping;              /* after a first interrupt */
};

/* Told as things happen. Any may be NULL. Everything is borrowed during the call. */
struct apply_events {
	void (*started)(void *payload, const struct plan_change *change);
	/* Once for every change of the plan, also (at the end) for those that were not started. `result`: of the
	 * service, or a refusal of our own; NULL where nothing was tried. */
	void (*finished)(void *payload, const struct plan_change *change, enum apply_status status,
			 const struct provider_result *result, int64_t elapsed_ms);
	/* About four times a second while running. */
	void (*progress)(void *payload, const struct apply_progress *progress);
	/* An open intent was found and resolved: "created after all: recorded", ... */
	void (*recovered)(void *payload, const char *address, const char *what);
	void *payload;
};

/* One that failed, or was skipped because of one. Owned by the report. */
struct apply_failure {
	size_t change; /* index into plan->changes */
	enum apply_status status;
	char *code, *message, *operation; /* of the service; NULL for a skipped one */
	char *because;                    /* address of the failure that it was skipped for, or NULL */
};

struct apply_report {
	uint64_t generation;
	size_t done, failed, skipped, not_started;
	size_t created, updated, replaced, deleted, adopted, forgotten;
	struct apply_failure *failures;
	size_t failure_count;
	bool interrupted;
	int64_t elapsed_ms;
	struct provider_stats provider;
};
void apply_report_free(struct apply_report *report);

struct apply_options {
	size_t parallelism; /* 0: APPLY_PARALLELISM_DEFAULT */
	json_t *facts;      /* for the generation: user, host, command, commit, tree, dirty, ... (borrowed) */
	/* Finds the clear value of a secret; new reference or NULL with a message. */
	json_t *(*secret)(void *payload, const json_t *source, const char *hmac, struct diag *d);
	void *secret_payload;
	struct apply_events events;
};

/* Refuses (-1, precise message for each reason) a plan of another lineage, one that was applied already, one whose
 * touched or read records have other versions now, and one that deletes what something has come to use since; names the
 * addresses. Changes nothing. */
int apply_check(const struct plan *plan, struct state *state, struct diag *d);

/* Resolves the open intents of runs that were cut off, by looking in AWS; the state must be open for writing. Returns
 * the number resolved, or -1. Intents whose target cannot be reached stay and are reported as warnings. */
int apply_recover(struct loop *loop, struct provider *provider, struct state *state, const struct plan *plan,
		  const struct apply_options *options, struct diag *d);

/* Runs the plan. 0 when the run itself worked, whatever failed in it (see the report); -1 when it could not be run or
 * the state cannot be written any more: *out then says how far it came, or is NULL when nothing was started. SIGINT
 * once: starts nothing new; twice: stops at once, intents stay. docs/apply.md has the whole story. */
int apply_run(struct apply_report **out, struct loop *loop, struct provider *provider, struct state *state,
	      const struct plan *plan, const struct apply_options *options, struct diag *d);

#endif
