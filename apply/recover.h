/* What the two files of recovery share: recover.c runs it, look.c knows one intent. */
#ifndef MUSTER_APPLY_RECOVER_H
#define MUSTER_APPLY_RECOVER_H

#include "apply/run.h"

enum look_phase { LOOK_CREATE, LOOK_UPDATE, LOOK_ADOPT, LOOK_DELETE, LOOK_CLEANUP, LOOK_NOTHING };

struct recovery;

/* One intent. */
struct look {
	struct recovery *recovery;
	struct look *next;
	char *address;
	json_t *body, *record_body; /* the intent; the record now (deletes), or NULL */
	struct plan_record record;  /* out of either */
	json_t *known;              /* its properties that a lookup may use */
	enum look_phase phase;
	const struct schema_type *type;
	struct provider_target target;
	bool by_id;         /* reads by attributes that were learned, instead of finding */
	int64_t settled_ms; /* from then on (loop_now_ms) absence counts */
	struct loop_timer *timer;
	struct provider_call call;
	struct provider_read_item read;
	struct apply_outcome result;
};

struct recovery {
	struct loop *loop;
	struct provider *provider;
	struct state *state;
	const struct plan *plan;
	const struct apply_options *options;
	struct diag *d;
	struct look *waiting, **waiting_tail; /* not looked at yet */
	struct look *arrived, **arrived_tail; /* to be resolved in the next transaction */
	struct look *stayed, **stayed_tail;   /* cannot be looked up */
	struct look *sleeping;                /* to be looked at again */
	size_t running, parallelism, interrupts;
	struct state_txn *txn;
	uint64_t generation;
	int resolved, resolved_now; /* in all; in the open transaction */
	bool started;               /* the generation is durable */
	bool stopping, failed;
	bool stays_new; /* one of `stayed` says a reason that the state does not have yet */
};

void apply_look_free(struct look *look);
/* Lists of looks: a head and where its end is. */
void apply_look_push(struct look ***tail, struct look *look);
struct look *apply_look_pop(struct look **head, struct look ***tail);

/* Takes over an intent: onto the list of those to look at, of those that need no look, or (with a warning) of those
 * that stay. */
int apply_look_open(struct look *look, struct state_txn *txn);
void apply_look_start(struct look *look);
/* What came of looking: resolved in this turn's transaction, to be looked at again, or left as it is. */
int apply_look_answer(struct look *look);

/* The transaction of this turn, within a generation of its own; NULL when that fails. */
struct state_txn *apply_recovery_txn(struct recovery *r);

#endif
