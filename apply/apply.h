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
	 * service, or a refusal of our own; NULL where nothing was tried. A replacement that turned out to be none
	 * comes as the update that it was. */
	void (*finished)(void *payload, const struct plan_change *change, enum apply_status status,
			 const struct provider_result *result, int64_t elapsed_ms);
	/* About four times a second while running. */
	void (*progress)(void *payload, const struct apply_progress *progress);
	/* An open intent was found and resolved: "a run that was cut off had made it:
	 * recorded", ... */
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
	size_t moved;   /* records that got another address and nothing else; what was changed besides counts as that */
	size_t outputs; /* of stacks, recorded with another value than before (or none any more) */
	struct apply_failure *failures;
	size_t failure_count;
	bool interrupted;
	int64_t elapsed_ms;
	struct provider_stats provider;
};
void apply_report_free(struct apply_report *report);

/* A file that the plan was made from. Borrowed. */
struct apply_input {
	const char *path;
	const void *bytes;
	size_t len;
};

struct apply_options {
	size_t parallelism; /* 0: APPLY_PARALLELISM_DEFAULT */
	json_t *facts;      /* for the generation: user, host, command, commit, tree, dirty, ... (borrowed) */
	/* Finds the clear value of a secret; new reference or NULL with a message. */
	json_t *(*secret)(void *payload, const json_t *source, const char *hmac, struct diag *d);
	void *secret_payload;
	/* Kept with the generation, content-addressed, as its fact "Inputs": {path: SHA-256 in hex} (rule 16). */
	const struct apply_input *inputs;
	size_t input_count;
	struct apply_events events;
};

/* Refuses (-1, precise message for each reason) a plan of another lineage, one that was applied already, one whose
 * touched or read records have other versions now, and one that deletes what something has come to use since; names the
 * addresses. Changes nothing. */
int apply_check(const struct plan *plan, struct state *state, struct diag *d);

/* Resolves the open intents of runs that were cut off, by looking in AWS; the state must be open for writing. Returns
 * the number resolved, or -1. Intents whose target cannot be reached stay, with the reason as their member "Stays", and
 * are reported as warnings. */
int apply_recover(struct loop *loop, struct provider *provider, struct state *state, const struct plan *plan,
		  const struct apply_options *options, struct diag *d);

/* Runs the plan. 0 when the run itself worked, whatever failed in it (see the report); -1 when it could not be run or
 * the state cannot be written any more: *out then says how far it came, or is NULL when nothing was started. SIGINT
 * once: starts nothing new; twice: stops at once, intents stay. docs/apply.md has the whole story. */
int apply_run(struct apply_report **out, struct loop *loop, struct provider *provider, struct state *state,
	      const struct plan *plan, const struct apply_options *options, struct diag *d);

/* -- Approval (approval.c, rules.c, keys.c) --------------------------------------------------------------------------
 * A signature is an object in plan->signatures: {"Key": "SHA256:...", "KeyType", "Comment", "Time", "Algorithm",
 * "Signature"}. What is signed is the text "muster plan approval\n", the plan's digest, and a newline. docs/review.md
 * has all of it. */

/* Signs `plan` (read from a file, so its digest was checked) with the private key in `key_path`: a PEM key through
 * OpenSSL, or an OpenSSH key through ssh-keygen -Y sign (also agents and hardware). Adds to plan->signatures; replaces
 * an earlier one of the same key. *signature (may be NULL) is the new one, borrowed from the plan. */
int apply_approve(const json_t **signature, struct plan *plan, const char *key_path, struct diag *d);
/* Adds a signature that was made apart: an object as above with the member "Plan" (the digest that it is of), or what
 * ssh-keygen -Y sign wrote. `shown` names it in messages. */
int apply_approve_add(const json_t **signature, struct plan *plan, const char *text, size_t len, const char *shown,
		      struct diag *d);

/* The rules that an apply is under. */
struct apply_approval_rules {
	json_t *approval;    /* `Approval` of muster.json, or NULL: nothing is required. Owned */
	json_t *keys;        /* {path as Approval.Keys names it: the file's text}. Owned */
	uint64_t generation; /* whose specs they come from; 0: the specs at hand, since no generation has any yet */
	char *commit;        /* of that generation, or as apply_approval_since() says; NULL: none. Owned */
};
/* The newest generation whose specs decide: that has some (its fact "Inputs"; after a restore "Rules") and is no
 * rollback. *number is 0 and *facts NULL where there is none yet; *facts is a new reference. */
int apply_approval_generation(uint64_t *number, json_t **facts, struct state_txn *txn, struct diag *d);
/* Finds them: out of the inputs of the newest generation that has some and is no rollback; where there is none yet, out
 * of `own`: the plan's inputs, as they were read and checked against plan->inputs. `txn` NULL: always out of `own`. A
 * key that is named and not there is an error. */
int apply_approval_rules(struct apply_approval_rules *out, struct state_txn *txn, const struct apply_input *own,
			 size_t own_count, struct diag *d);
/* For NotAuthor: sets `commit` to that of the newest generation which is complete, was not restricted (--only, parts
 * that could not be reached), and whose tree is another than the plan's; what was applied in part only is still to be
 * answered for. NULL where there is none. */
int apply_approval_since(struct apply_approval_rules *rules, struct state_txn *txn, const struct plan *plan,
			 struct diag *d);
void apply_approval_rules_free(struct apply_approval_rules *rules);
/* The path that an entry of Approval.Keys names; NULL for one that holds its key itself. */
const char *apply_approval_key_path(const json_t *entry);
int64_t apply_approval_required(const struct apply_approval_rules *rules);
/* Whether the rules can be met: every key can be read, and there are as many different ones as are required. -1 with
 * all that is wrong. */
int apply_approval_rules_check(const struct apply_approval_rules *rules, struct diag *d);
/* Whether the key of this fingerprint is in the list. */
bool apply_approval_lists(const struct apply_approval_rules *rules, const char *fingerprint);
/* The e-mail address of that key, as the list has it (in lower case), or NULL. Free with free(). (rules.c) */
char *apply_approval_email(const struct apply_approval_rules *rules, const char *fingerprint);
/* Whether NotAuthor makes a signature of that key worthless: 1, 0, or -1 with a message where git cannot tell.
 * `rules->commit` as apply_approval_since() has it. (approval_authors.c) */
int apply_approval_wrote(const struct apply_approval_rules *rules, const struct plan *plan, const char *directory,
			 const char *fingerprint, struct diag *d);
/* What applying specs with the rules `next` would change in who must approve from then on, in words; nothing is added
 * where it is the same. A plan says it in a note, so that whoever signs it has seen it. */
void apply_approval_changes(struct buf *out, const struct apply_approval_rules *now,
			    const struct apply_approval_rules *next);
/* Whether the plan may be applied under these rules at `now_ms`: 0; or -1 with every reason. *approvals (new reference;
 * may be NULL) lists who approved, for the generation's facts: {"Key", "Comment", "Time"}. `directory`: of the specs,
 * for their committed tree and for NotAuthor. */
int apply_approval_check(json_t **approvals, const struct plan *plan, const struct apply_approval_rules *rules,
			 const char *directory, int64_t now_ms, struct diag *d);

/* -- Surgery (surgery.c): changes of the state alone, each a generation of its own
 * ------------------------------------- */

/* mv: a record, or everything under an account, account/region or account/region/stack. -1 where something is there,
 * where specs could not name it so, or where the account is another one: by the records there, or by `roster`, {name:
 * id}, which may be NULL. The number of records moved is *count. `facts` as in apply_options. */
int apply_state_move(struct state *state, const char *from, const char *to, const json_t *roster, const json_t *facts,
		     size_t *count, struct diag *d);
/* rm: forgets records whose address matches a glob, and what a run that was cut off left open there, if apply_recover()
 * could not look it up (else -1); nothing is done in AWS. *count: addresses. */
int apply_state_forget(struct state *state, const char *const *globs, size_t glob_count, const json_t *facts,
		       size_t *count, struct diag *d);
/* export: all records and open intents as of now, {"Format", "Lineage", "Generation", "Resources": {address: body},
 * "Intents": {address: body}, "Regions": ...} (docs/surgery.md has all of it). New reference. What tells of a secret
 * (its HMAC; a property that is sensitive by `schemas`, which may be NULL) is left out unless `secrets`, and then the
 * key of the HMACs is in it, too. */
int apply_state_export(json_t **out, struct state_txn *txn, const struct schema_set *schemas, bool secrets,
		       struct diag *d);
/* import of such a document into a state without records; every record is checked (plan_record_check) first. Its
 * intents are open here as they were there. (restore.c) */
int apply_state_restore(struct state *state, const json_t *document, const json_t *facts, size_t *count,
			struct diag *d);
/* import of one live resource: what AWS has under `id` (what Ref gives, an ARN, or the properties of the type's
 * identity with | between them) becomes the record of `change`, a PLAN_CREATE of `plan`. *adopted tells whether it
 * counts as made by somebody else: always, but where its name is one that muster makes for that address. -1 where
 * nothing or something else is there. Runs the loop. (import.c) */
int apply_state_import(struct state *state, struct loop *loop, struct provider *provider, const struct plan *plan,
		       const struct plan_change *change, const char *id, const json_t *facts, bool *adopted,
		       struct diag *d);
/* What apply_state_import() takes what is recorded back by: the parts of its identity where there are several, else
 * what Ref gives. Free it with free(); NULL where the record does not tell. (import_id.c) */
char *apply_state_identifier(const struct schema_type *type, const struct plan_record *record);

#endif
