/* What the files of the apply room share.
 *
 *   check.c     is the plan still true?
 *   run.c       the run as a whole: turns, transactions, interrupts, the generation
 *   schedule.c  which node is next: waits, targets in turn, serialize keys, skips
 *   node.c      what a node has to do, and its steps from there to the end
 *   removal.c   ... where something goes
 *   resolve.c   values that were not known when the plan was made; secrets
 *   intents.c   what is written before a call
 *   results.c   what is written after it
 *   report.c    counting and telling
 *   outputs.c   outputs of stacks, once all is over
 *   generation.c  what the generation says of the run
 *   hide.c      secrets in what a service says
 *   recover.c   open intents of a run that was cut off: all of them
 *   look.c      ... and one of them
 *
 * A node that is under way is an `op`. The provider's callbacks only put it on the list of arrivals; everything else
 * happens at the end of the turn, in one transaction: results are written, what waited for them is started, and the
 * intents of what is started are written too. Calls are made after the commit, and only if it worked. */
#ifndef MUSTER_APPLY_RUN_H
#define MUSTER_APPLY_RUN_H

#include "apply/apply.h"
#include "base/map.h"

#define APPLY_NONE         SIZE_MAX
#define APPLY_STOP_AT_ONCE 2 /* interrupts */
#define APPLY_TOKEN_BYTES  33

/* Codes of failures that no service gave. */
#define APPLY_CODE_EXISTS     "AlreadyExists"
#define APPLY_CODE_GONE       "NoLongerThere"
#define APPLY_CODE_WORSE      "WorseThanPlanned"
#define APPLY_CODE_UNRESOLVED "ValueNotKnown"
#define APPLY_CODE_PROTECTED  "Protected"
#define APPLY_CODE_INTENT     "OpenIntent"
#define APPLY_CODE_TYPE       "UnknownType"
#define APPLY_CODE_LEFT       "LeftBehind"

/* -- Ops: nodes under way ------------------------------------------------------------------------------------------ */

enum apply_op_kind {
	OP_NOTHING, /* it turned out that there is nothing to do */
	OP_FORGET,  /* drop the record */
	OP_RECORD,  /* write the record, no call */
	OP_CREATE,
	OP_ADOPT, /* find it again, then as OP_RECORD or an update */
	OP_UPDATE,
	OP_DELETE,  /* what replacements left, then the resource itself, then the record */
	OP_CLEANUP, /* what replacements left; the record stays */
};

enum apply_op_step {
	OP_STARTING,
	OP_FINDING,   /* the provider looks */
	OP_INTENDING, /* its intent goes into the next transaction */
	OP_CALLING,   /* the provider is at it */
	OP_STORING,   /* its result goes into the next transaction */
	OP_STORED,    /* ... has gone into the one that is open */
};

/* A provider_result that lasts. */
struct apply_outcome {
	enum provider_outcome outcome;
	json_t *properties, *attributes;
	bool exists;
	char *code, *message, *operation, *request_id;
};

struct apply_run;

struct apply_op {
	struct apply_run *run;
	struct apply_op *next; /* in one of the run's lists */
	size_t node;
	const struct plan_change *change;
	const struct schema_type *type;
	enum apply_op_kind kind;
	enum apply_op_step step;
	json_t *properties; /* wanted, or what is to be deleted: attributes resolved, secrets not. For the record */
	json_t *clear;      /* `properties` with secrets, while the call runs */
	json_t *prior;      /* OP_UPDATE, OP_ADOPT: what it has now */
	json_t *ours;       /* ... as far as an update may touch it; while the call runs */
	json_t *attributes; /* as known so far: recorded, found, learned on the way */
	json_t *deposed;    /* OP_DELETE, OP_CLEANUP: what replacements left, as far as not deleted yet */
	int64_t incarnation;
	bool keeps_old;                /* OP_CREATE: the record's resource becomes a deposed one */
	json_t *learned;               /* attributes that came in the middle of the call */
	bool learned_new;              /* ... and that the intent does not have yet */
	struct apply_op *learned_next; /* in the run's list of these */
	bool intended;                 /* an intent of this op is in the state */
	bool settled;                  /* its node is over for the schedule; the result is perhaps not durable yet */
	bool again;                    /* a part of a deletion is stored, the next one follows */
	char token[APPLY_TOKEN_BYTES];
	struct provider_call call;
	struct apply_outcome result;
};

struct apply_op_list {
	struct apply_op *head, **tail; /* tail NULL while the list was never used */
};

/* -- The run ------------------------------------------------------------------------------------------------------- */

/* One account and region: its queue of nodes that are ready. */
struct apply_target {
	const char *account, *region;
	struct provider_account *handle;
	const struct plan_account *entry;
	size_t head, tail; /* first and last ready node; APPLY_NONE */
	size_t running;
	bool queued;                /* stands in the run's ring of targets */
	struct apply_target *next;  /* in that ring */
	struct apply_outcome *dead; /* why it cannot be entered; then nothing more is tried there */
};

/* Holders of one serialize key go one after another. */
struct apply_lock {
	bool held;
	size_t head, tail; /* nodes that wait for it */
};

enum apply_node_state { NODE_WAITING, NODE_READY, NODE_RUNNING, NODE_SETTLED };

struct apply_node {
	size_t waits;
	size_t because; /* change that failed, for which this one is skipped; APPLY_NONE */
	size_t next;    /* in a queue of its target or lock */
	enum apply_node_state state;
};

enum apply_decided { DECIDED_NOT, DECIDED_IN_PLACE, DECIDED_REPLACE };

struct apply_change {
	struct apply_target *target;
	int64_t started_ms;
	enum apply_status status;
	size_t nodes_left;
	bool half; /* the old one is deleted, the new one not made yet: goes on even after a first interrupt */
	enum apply_decided decided; /* a replacement that hung on a value not known when planned */
};

struct apply_run {
	struct loop *loop;
	struct provider *provider;
	const struct schema_set *schemas;
	struct state *state;
	const struct plan *plan;
	const struct apply_options *options;
	struct diag *d;

	struct plan_graph *graph;
	struct apply_node *nodes;
	struct apply_change *changes;
	size_t *barrier_stack; /* nodes to settle, see schedule.c */

	struct map targets;  /* "account/region" -> struct apply_target */
	struct map accounts; /* name -> struct provider_account */
	struct map locks;    /* serialize key -> struct apply_lock */
	struct map intents;  /* addresses whose intent an earlier run left */
	struct apply_target *ring_head, *ring_tail;
	size_t burst, burst_max;         /* nodes that the first of them has started in this turn of its, and may */
	size_t urgent_head, urgent_tail; /* ready nodes of changes that are half done */
	size_t parallelism, a_target;    /* ops at once: in all, and in one target */

	struct apply_op_list arrived, intending, intended, storing, stored;
	struct apply_op *learned;
	size_t running; /* ops */
	size_t calling; /* ops that wait for the provider */
	struct state_txn *txn;
	bool dirty;

	uint64_t generation;
	size_t interrupts;
	bool stopping;  /* starts nothing new */
	bool lost;      /* a commit failed */
	size_t retries; /* of it */
	bool retry_due;
	struct loop_timer *retry, *ticker;
	int64_t started_ms;
	struct provider_stats stats_before; /* what planning and recovery called */
	struct apply_report *report;
};

/* The transaction of this turn, begun where there is none yet; NULL when that fails. */
struct state_txn *apply_run_txn(struct apply_run *run);

/* -- schedule.c ---------------------------------------------------------------------------------------------------- */

int apply_schedule_open(struct apply_run *run);
void apply_schedule_close(struct apply_run *run);
/* Whether there is nothing that may be started now. */
bool apply_schedule_idle(const struct apply_run *run);
/* The next node to start, or APPLY_NONE. It counts as running from then on. */
size_t apply_schedule_next(struct apply_run *run);
/* A node that ran is over for good: frees its place, and lets go or skips what waits for it. */
void apply_schedule_settle(struct apply_run *run, size_t node, bool done);
/* A node that was to run is not started after all. */
void apply_schedule_drop(struct apply_run *run, size_t node);

/* -- call.c -------------------------------------------------------------------------------------------------------- */

void apply_op_push(struct apply_op_list *list, struct apply_op *op);
struct apply_op *apply_op_pop(struct apply_op_list *list);
/* Its next step; the lists of what goes into the next transaction are kept here. */
void apply_op_step(struct apply_op *op, enum apply_op_step step);
/* Nothing failed, and what is left to do is `kind`, without a call. */
void apply_op_finish(struct apply_op *op, enum apply_op_kind kind);
void apply_op_find(struct apply_op *op);
/* Its intent is durable, or a part of it is over: makes the (next) call. */
void apply_op_call(struct apply_op *op);
void apply_op_free(struct apply_op *op);
struct apply_change *apply_op_change(const struct apply_op *op);
/* Whether its call (or what it did without one) came to what was wanted. */
bool apply_op_done(const struct apply_op *op);
/* Sets a result of our own: a failure that changed nothing. */
void apply_op_fail(struct apply_op *op, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void apply_outcome_set(struct apply_outcome *out, const struct provider_result *result);
void apply_outcome_free(struct apply_outcome *outcome);
/* Services repeat in their messages what they do not like: takes out of the message what `clear` has where `properties`
 * has a secret. (hide.c) */
void apply_outcome_hide(struct apply_outcome *outcome, const json_t *properties, const json_t *clear);
/* Borrows from `outcome`. */
struct provider_result apply_outcome_result(const struct apply_outcome *outcome);
/* `over` laid on `under` (either may be NULL), as a new object. */
json_t *apply_merge(const json_t *under, const json_t *over);

/* -- node.c -------------------------------------------------------------------------------------------------------- */

/* Begins a node: afterwards its op waits for the provider or is on a list. -1 when the state cannot be read. */
int apply_op_start(struct apply_run *run, size_t node);
/* The provider answered. */
void apply_op_arrived(struct apply_op *op);
/* Whether the plan could not tell if it is a replacement. */
bool apply_op_may_replace(const struct plan_change *change);
/* Whether it is one, now that all values are known: decided once for all nodes of the change. Without a replacement
 * op->properties keep the name that there is. */
enum apply_decided apply_op_decide(struct apply_op *op);

/* -- removal.c ----------------------------------------------------------------------------------------------------- */

/* Begins a deletion or (`cleanup`) that of what replacements have left. -1 when the state cannot be read. */
int apply_op_begin_removal(struct apply_op *op, bool cleanup);

/* -- resolve.c ----------------------------------------------------------------------------------------------------- */

/* Attributes, not secrets: what a record keeps. New reference. */
int apply_resolve_attributes(json_t **out, struct apply_run *run, const json_t *value, struct diag *d);
int apply_resolve_secrets(json_t **out, struct apply_run *run, const json_t *value, struct diag *d);
/* Overwrites what came of secrets in `clear` (made of `value`), and releases it. */
void apply_resolve_wipe(const json_t *value, json_t *clear);

/* -- intents.c ----------------------------------------------------------------------------------------------------- */

void apply_intent_token(struct apply_op *op);
/* Writes the op's intent as it is now into the run's transaction. */
int apply_intent_put(struct apply_op *op);
/* Everything of the record that comes of `op`; `depends` must be released by the caller. */
void apply_op_record(struct plan_record *out, struct apply_op *op, json_t **depends);

/* Moves the record of a change to its address, where the plan says so and it is not there yet. */
int apply_op_move(struct apply_op *op, struct state_txn *txn);

/* -- results.c ----------------------------------------------------------------------------------------------------- */

/* Writes what came of an op into the run's transaction. */
int apply_result_store(struct apply_op *op);
/* The body of a record, or NULL when there is none. */
int apply_record_load(json_t **body, struct state_txn *txn, const char *address, struct diag *d);
/* Puts a record with its digest (none when it is incomplete, so that the next plan looks at it). */
int apply_record_put(struct state_txn *txn, const char *address, uint64_t generation, const struct plan_record *record,
		     struct diag *d);
/* The same for something just made, which keeps what replacements have left; with `keeps_old` the resource recorded
 * until now becomes one of these. Sets record->deposed for the time of the call only. */
int apply_record_made(struct state_txn *txn, const char *address, uint64_t generation, struct plan_record *record,
		      bool keeps_old, struct diag *d);
/* Marks what is recorded as incomplete, and adds attributes that were learned (may be NULL). 0 also without record. */
int apply_record_doubt(struct state_txn *txn, const char *address, uint64_t generation, const json_t *learned,
		       struct diag *d);
/* An entry for a record's list of deposed ones. New reference. */
json_t *apply_record_deposed(const struct plan_record *record);

/* -- report.c ------------------------------------------------------------------------------------------------------ */

void apply_report_started(struct apply_run *run, size_t change);
/* A node of the change has failed; counted when the whole change is over. */
void apply_report_failed(struct apply_run *run, size_t change, const struct apply_outcome *outcome);
void apply_report_skipped(struct apply_run *run, size_t change, size_t because);
/* A node of the change is over and durable. */
void apply_report_node(struct apply_run *run, size_t change, const struct apply_outcome *outcome);
void apply_report_progress(struct apply_run *run);
/* Counts what was never started. */
void apply_report_close(struct apply_run *run);

/* -- outputs.c ----------------------------------------------------------------------------------------------------- */

/* Records the plan's outputs of each instance whose changes are all done. Called when nothing is under way any more. */
int apply_outputs_store(struct apply_run *run);
/* Those of one instance get the address of another that has none. 0 or -1. */
int apply_outputs_move(struct state_txn *txn, const char *from, const char *to, struct diag *d);
/* Those of an instance as an object (new reference), NULL where there are none: 0 or -1. */
int apply_outputs_load(json_t **out, struct state_txn *txn, const char *address, struct diag *d);

/* -- generation.c -------------------------------------------------------------------------------------------------- */

int apply_generation_start(struct apply_run *run);
int apply_generation_finish(struct apply_run *run);

#endif
