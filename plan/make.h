/* What the files that make a plan share (plan room only).
 *
 *   make.c      the order of things
 *   discover.c  accounts and their enabled regions
 *   refresh.c   live values of what is recorded
 *   build.c     evaluates the specs, instance by instance
 *   decide.c    decides each resource's action; replace.c, obstacles.c (subject.h)
 *   moved.c     what is recorded under an address that it has no more
 *   origins.c   names that are in use by what was moved or replaced
 *   removed.c   what is recorded and no longer wanted
 *   outputs.c   what becomes of the stacks' outputs
 *   find.c      live identities of what would be created
 *   select.c    --only, blocked dependents, what is still used, what is read
 *   drift.c     a report of drift instead of a plan; drift_accept.c: what goes into the record
 *   base.c      --base: what was pending before
 *   rollback.c  what a rollback cannot bring back
 *   complain.c  errors that many targets share
 *   lost.c      an empty state that meets resources of its own lineage
 */
#ifndef MUSTER_PLAN_MAKE_H
#define MUSTER_PLAN_MAKE_H

#include "base/map.h"
#include "plan/plan.h"
#include "plan/store.h"

/* An account on the roster, or one that only records know of. */
struct maker_account {
	char *name, *id;
	const struct specs_account *spec; /* NULL: not on the roster any more */
	struct provider_account *handle;
	json_t *access;
	json_t *regions;   /* sorted list of names; NULL: not known */
	const char **list; /* the same for specs_expand(), NULL-terminated, borrowed from `regions` */
	char *unreachable; /* why it could not be entered, or NULL */
	char **former;     /* names that records have it under and the roster has no more */
	size_t former_count;
	struct maker *maker;
};

/* What reading AWS told of one address, kept only where it says more than the record does. */
enum known_live {
	KNOWN_OTHER,      /* live values differ from the record */
	KNOWN_GONE,       /* recorded, absent in AWS */
	KNOWN_UNREADABLE, /* could not be read: no action may rest on it */
	KNOWN_FOUND,      /* not recorded, but there */
};
struct known {
	enum known_live live;
	json_t *properties, *attributes;
	bool drifted;
	char *why;
};

/* What would be created and was looked for, where the state is empty (lost.c). */
struct maker_lost {
	size_t created, met;       /* not in AWS; in AWS */
	size_t refused;            /* of those met: not to be adopted */
	size_t ours, ours_refused; /* of those: with a name that was generated for this lineage */
	char *named;               /* the address of the first of `ours` */
	bool told;
};

struct maker {
	struct loop *loop;
	struct provider *provider;
	const struct schema_set *schemas;
	struct specs *specs;
	struct state_txn *txn;
	const struct plan_options *options;
	struct diag *d;
	struct plan *plan;

	struct maker_account **accounts;
	size_t account_count;
	struct map by_id;      /* account id -> struct maker_account */
	struct map known;      /* address -> struct known */
	struct map asked;      /* addresses that were looked for in AWS */
	struct map seen;       /* address -> change index + 1, or one of the words below */
	struct map identities; /* physical identity -> address (char *) */
	struct map blocked;    /* resource or instance address -> why (char *) */
	struct map noted;      /* notes made already, by their text */
	struct map complaints; /* errors to be told, by what they are about */
	struct map intents;    /* addresses with an open intent */
	struct map names;      /* of accounts whose records are known to be theirs */
	struct map renamed;    /* former name of an account -> struct maker_account */
	struct map moves;      /* address of a wanted resource -> where it is recorded (char *) */
	struct map
	    origins; /* address -> number that no name of what was moved away from it has, from records and ... */
	struct map scanned; /* ... these generations */
	struct map left;    /* physical identity of what a replacement has left -> address (char *) */
	bool records_read;  /* for `origins` and `left` */
	struct map held;    /* addresses of resources and instances that stay as they are: not all of it is applied */
	size_t outputs_met; /* recorded outputs whose instance the specs have */
	struct {
		char *address, *origin;
		int64_t incarnation;
	} named; /* what the evaluator has asked last */
	bool state_empty;
	struct maker_lost lost;
	/* The base of --base: what is wrong with single resources is for the plan itself to tell ... */
	bool lenient;
	const struct maker *like; /* ... which has read AWS already; NULL: a plan itself */
};

#define SEEN_UNCHANGED ((void *)(uintptr_t)-1) /* looked at, needs nothing */
#define SEEN_ASIDE     ((void *)(uintptr_t)-2) /* wanted, but nothing can be said of it now */

/* An empty plan with what is known before anything is looked at; drops the one before. */
int maker_start(struct maker *m);
void maker_note_accounts(struct maker *m); /* those that could not be entered */
/* Where not one account can be entered, the credentials are at fault, and "no changes" would be a lie. */
int maker_check_reachable(struct maker *m);
void maker_free(struct maker *m); /* what it holds, with the plan unless that was taken out */

int maker_discover(struct maker *m);
/* All changes, before anything is selected: evaluates, looks in AWS for what would be created, evaluates again. */
int maker_compute_and_find(struct maker *m);
const char *const *maker_regions_of(void *payload, const struct specs_account *account);
void maker_region_skipped(void *payload, const char *stack, const struct specs_account *account, const char *region,
			  const char *reason);

int maker_refresh(struct maker *m);
int maker_build(struct maker *m);
/* Decides one evaluated resource, unless it is. -1 when the state cannot be read. (decide.c) */
int maker_resource(struct maker *m, struct specs_resource *resource);
int maker_removed(struct maker *m);
/* Adds the deletions of what earlier create-first replacements of a record left behind. `moved_from` may be NULL. */
void maker_deposed(struct maker *m, const char *address, const char *moved_from, const struct state_record *raw,
		   const struct plan_record *record);

/* What becomes of the outputs of an instance that was evaluated and decided upon: before it is released. */
int maker_outputs(struct maker *m, const struct specs_instance *instance);
/* Those of instances that the specs do not have any more. */
int maker_outputs_removed(struct maker *m);
/* The resource stays as it is although the specs want it otherwise, so its instance's outputs do, too. */
void maker_outputs_hold(struct maker *m, const char *address);
/* Leaves those that nothing holds and that --only has; in order. */
void maker_outputs_select(struct maker *m);

/* Takes note that records stand under a name that the roster does not have, of an account that it has. */
void maker_renamed(struct maker *m, const char *former, struct maker_account *account);
/* The address (of four parts or three) that something recorded has now by roster and `Moved`; NULL when it is the same.
 * Free with free(). */
char *maker_moved_to(const struct maker *m, const char *recorded);
/* The record of a wanted resource: at its address or, if there is none, where it is moved from: *from is then that
 * address (valid as long as `m`), else NULL. 1, 0 or -1 as state_record_get(). */
int maker_record(struct maker *m, const char *address, struct state_record *out, const char **from);
/* Whether a second record claims to be the resource (recorded at its address, or at `from`); complains then. */
bool maker_move_disputed(struct maker *m, const struct diag_place *place, const char *address, const char *from);
/* Complains of a wanted resource that `Moved` says is called otherwise now: names that loops make are known only here.
 */
void maker_moved_check(struct maker *m, const struct specs_resource *resource);
/* The least incarnation for a name made from this address: one moved away from it has kept the names before. */
int64_t maker_incarnation_least(struct maker *m, const char *address);
/* The address whose replacement has left what has this physical identity, not deleted yet; or NULL. */
const char *maker_left_with(struct maker *m, const char *identity);
/* Lets changes name what they depended on by its address now, too. */
void maker_moved_settle(struct maker *m);
/* Notes of the accounts that were renamed. */
void maker_moved_tell(struct maker *m);
/* Whether --accept-drift has this resource, and it has drifted. `moved_from`, `known` may be NULL. (drift_accept.c) */
bool maker_accepts(const struct maker *m, const char *address, const char *moved_from, const struct known *known);
/* Makes an update of such a resource one of its record. false: all that is different is secret, so there is nothing
 * that could be accepted. */
bool maker_accept(struct maker *m, struct plan_change *change, const struct known *known);
int maker_check_accepted(struct maker *m); /* each --accept-drift must have something to accept */
/* 1 when something was found that the plan must be built anew with. */
int maker_find(struct maker *m);
int maker_select(struct maker *m);
/* The part of it that decides which changes stay. */
int maker_settle(struct maker *m);
/* Marks what the base of --base would do, too, in the finished plan. What is wrong with the base is a note of the
 * plan. */
void maker_base(struct maker *m);
int maker_check_patterns(struct maker *m); /* --only, --adopt: each must match something that was looked at */
void maker_finish(struct maker *m);        /* puts changes in order, and names the accounts */
/* Notes of a finished plan, where it is a rollback. */
int maker_rollback(struct maker *m);

/* The account of a record: by id. NULL when nothing is known of it. */
struct maker_account *maker_account(struct maker *m, const char *id);
void maker_known_set(struct maker *m, const char *address, enum known_live live, const struct provider_result *result,
		     bool drifted);
void maker_blocked(struct maker *m, const char *address, const char *why);
/* Adds a note unless the same one (kind, target, subject, text) is there. */
void maker_note(struct maker *m, enum plan_note_kind kind, const char *account, const char *region, const char *subject,
		const char *text);
/* Keeps an error about a resource until maker_complaints_tell(), which says each once for all targets that have it.
 * `text` goes on from the address: "exists already ...". `place` may be NULL. Not kept for what --only leaves out. */
void maker_complain(struct maker *m, const struct diag_place *place, const char *address, const char *text);
/* The same of what exists already: not told where all of it is of a state that was lost, which is one error. */
void maker_complain_exists(struct maker *m, const struct diag_place *place, const char *address, const char *text);
/* 0 when there were none, else -1. */
int maker_complaints_tell(struct maker *m);
void maker_lost_start(struct maker *m);
/* Takes note of a resource that would be created and exists; `allowed`: it is adopted. */
void maker_lost_met(struct maker *m, const struct specs_resource *resource, bool allowed);
/* Whether one error speaks for all that exists: a state of this lineage has made it. */
bool maker_lost_refuses(const struct maker *m);
/* What is to be said of a lost state: that error, a warning when all is adopted, or a hint if the plan is `refused`
 * without proof. */
void maker_lost_tell(struct maker *m, bool refused);
/* Whether --only (if given) has this address. */
bool maker_selected(const struct maker *m, const char *address);
void maker_progress(struct maker *m, const char *what, size_t done, size_t total);

#endif
