/* What step.c and call.c share; step.c's first comment says what each is. */
#ifndef MUSTER_PROVIDERS_AWS_STEP_H
#define MUSTER_PROVIDERS_AWS_STEP_H

#include "providers/aws/engine/engine.h"

struct block {
	struct engine_run *run;
	struct block *up; /* NULL: the handler's own list, then `done` */
	engine_steps_done *done;
	const json_t *steps;
	bool together;
	size_t next, pending;
	bool busy; /* in block_go(): what ends at once does not recurse */
};

struct step {
	struct block *block;
	const json_t *spec;
	json_t *elements; /* of ForEach, or NULL: one call without an element */
	bool together;
	size_t next, pending;
	bool busy;
	json_t *gathered; /* ForEach: variable -> list of each element's value, null where absent */
};

/* Starts the call of element `index`; step_call_done() follows, perhaps from within. */
void engine_call_start(struct step *step, size_t index);
void engine_step_call_done(struct step *step);
/* Whether no more may be started: the run has ended or is cancelled. */
bool engine_run_over(struct engine_run *run);
bool engine_operation_reads(const struct engine_run *run, const char *service, const char *operation);

#endif
