/* The face of the plan room: what stands between the desired resources and the recorded (and live) ones.
 *
 *   plan_make()         specs + state + provider -> plan: discovers regions, refreshes, evaluates, diffs, looks for
 *                       what it would create
 *   plan_diff_make()    one resource: desired against prior, property by property
 *   plan_graph_new()    changes -> nodes with edges, as apply runs them
 *   plan_file_write()   the plan as JSON, with its digest; plan_file_read() has it back
 *   plan_render_text()  the plan for people
 *
 * Knows nothing of the command line, writes nothing to the state, and changes nothing in AWS. */
#ifndef MUSTER_PLAN_PLAN_H
#define MUSTER_PLAN_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/loop.h"
#include "base/schema.h"
#include "providers/provider.h"
#include "specs/specs.h"
#include "state/state.h"

/* In order of how much a reader must care: renderers list the later ones first. */
enum plan_action {
	PLAN_NOOP,    /* never in a plan's changes */
	PLAN_FORGET,  /* drop the record, leave the resource in AWS (DeletionPolicy: Retain; adopted ones) */
	PLAN_CREATE,  /* + */
	PLAN_ADOPT,   /* record what exists, and update it where it differs */
	PLAN_UPDATE,  /* ~ in place */
	PLAN_REPLACE, /* see `create_first` */
	PLAN_DELETE,  /* - */
};
/* "create", "update", ... and the sign that stands before it in text. */
const char *plan_action_name(enum plan_action action);
const char *plan_action_past(enum plan_action action); /* "created": of a plan that is `past` */
const char *plan_action_sign(enum plan_action action, bool create_first);

/* One difference inside a resource. */
struct plan_difference {
	char *path;          /* "Tags[Owner].Value", "S3BucketName": list items by their key, or by index */
	json_t *before;      /* NULL: not there. A sensitive value is {"Muster::Secret": ...} on both sides */
	json_t *after;       /* NULL: taken away; may hold residuals: known after apply */
	bool forces_replace; /* the top-level property is create-only */
	bool may_replace;    /* ... and its value is not known yet (rule 11) */
	bool sensitive;
	bool pending; /* with --base: the base brings it about too, in a change that is otherwise another */
};

struct plan_diff {
	struct plan_difference *items;
	size_t count;
	bool replace, may_replace;
};

/* What apply needs to know of one change, and a reviewer too. Strings and JSON are owned by the plan. */
struct plan_change {
	const char *address, *account, *account_id, *region, *stack, *logical_id;
	const struct schema_type *type; /* NULL only if the type is not known any more (then `type_name` says it) */
	const char *type_name;
	enum plan_action action;
	bool create_first;  /* PLAN_REPLACE: the new one is made before the old one goes */
	json_t *before;     /* properties it has: live where read, else recorded; NULL for a create */
	json_t *after;      /* properties it shall have, residuals included; NULL for a delete */
	json_t *recorded;   /* properties as last applied, or NULL */
	json_t *attributes; /* recorded or found attributes (identifiers); NULL for a create */
	struct plan_diff diff;
	const char *reason; /* action_reason: "replace_because_cannot_update", "delete_because_no_resource_config", ...
			       or NULL */
	const char **depends; /* 4-part addresses (a resource) and 3-part ones (all of an instance), sorted */
	size_t depend_count;
	/* Update, replace: what the record depended on, where that is known (NULL: taken to be `depends`). What is
	 * deleted there goes only after this change has let go of it. */
	const char **former;
	size_t former_count;
	json_t *predicted;              /* attributes known in advance for a create or replace, or NULL */
	uint64_t version;               /* of the record this was planned from; 0: there was none */
	int64_t incarnation;            /* that the resource has afterwards */
	uint8_t digest[32];             /* of the desired resource, for its record */
	bool protect, adopted, drifted; /* drifted: live differs from the record */
	bool retain_old;                /* PLAN_REPLACE with UpdateReplacePolicy: Retain: the old one is left in AWS */
	/* PLAN_UPDATE without differences: only the record changes (dependencies, policies): no call is made. */
	bool record_only;
	bool gone; /* recorded but not found in AWS any more */
	/* The address that its record stands under until this is applied (a `Moved` list, an account renamed on the
	 * roster), or NULL. `version` is that record's. The names it has do not change by it. */
	const char *moved_from;
	/* The address that its generated names are made from where that is not its own (plan_record.origin); a
	 * replacement drops it. */
	const char *origin;
	/* With --base: the base revision's specs bring about the same change, so it is not of this branch. In a report
	 * of drift: an earlier report told of it, the first one at `since` ("2026-11-23T12:34:56Z"). */
	bool pending;
	const char *since;
	/* PLAN_UPDATE, record_only: what AWS has now goes into the record as it is (--accept-drift). */
	bool accepted;
	/* PLAN_DELETE of what an earlier create-first replacement left (the record's `deposed`): the record stays. May
	 * stand beside another change of the same address. */
	bool deposed;
	enum specs_deletion deletion;
	/* `protect` and `deletion` as they are recorded, where `policies_recorded`: of what has a record. */
	bool policies_recorded, protect_recorded;
	enum specs_deletion deletion_recorded;
};
/* Whether it is protected otherwise, or has another DeletionPolicy, than recorded. (view_policies.c) */
bool plan_change_policies_differ(const struct plan_change *change);

/* Why something is not in the changes although somebody might look for it there. */
enum plan_note_kind {
	PLAN_NOTE_REGION_SKIPPED,     /* a selector names a region that is not enabled */
	PLAN_NOTE_UNREACHABLE,        /* an account or target could not be entered or read */
	PLAN_NOTE_BLOCKED,            /* a resource that waits for a target that is not there */
	PLAN_NOTE_REMEMBERED_REGIONS, /* discovery failed: remembered regions used */
	PLAN_NOTE_TYPE_NOT_IN_REGION,
	PLAN_NOTE_INTENT,    /* an open intent of a run that was cut off */
	PLAN_NOTE_LEFT,      /* left in AWS */
	PLAN_NOTE_DATA,      /* what a delete destroys for good */
	PLAN_NOTE_RESOLVED,  /* drift: what an earlier report told of and is not so any more */
	PLAN_NOTE_WITHDRAWN, /* --base: what the base revision would do and this branch does not */
	PLAN_NOTE_APPROVAL,  /* what whoever approves it must know */
	PLAN_NOTE_OTHER,     /* the last one */
};
struct plan_note {
	enum plan_note_kind kind;
	const char *account, *region; /* NULL: not of one target */
	const char *subject;          /* address, stack or type; NULL */
	const char *text;
};

struct plan_account {
	const char *name, *id;
	json_t *access;
	json_t *regions; /* list: what was enabled when the plan was made; apply never asks again */
};

/* An output of a stack in one target that changes, by name. Strings and JSON are owned by the plan. */
struct plan_output {
	const char *address; /* of the instance: account/region/stack */
	const char *account, *region, *stack, *name;
	/* Create, update, delete; PLAN_NOOP: only taken into a state that has none of this instance yet, although it
	 * has its resources (made before outputs were kept): not shown. */
	enum plan_action action;
	json_t *before; /* as last applied, NULL: there was none. Secrets are {"Muster::Secret": ...} on both sides */
	json_t *after;  /* NULL: goes; may hold residuals: known after apply */
	/* SHA-256 in hex of all outputs recorded for the instance when the plan was made; NULL: there were none. */
	const char *recorded;
	const char *moved_from; /* instance that they are recorded under until this is applied, or NULL */
	const char **depends;   /* addresses in other instances that it rests on (of four parts or three) */
	size_t depend_count;
	bool pending; /* with --base: as plan_change.pending */
};

struct plan {
	struct plan_change *changes; /* sorted by stack order, then address */
	size_t change_count;
	size_t unchanged;            /* resources looked at that need nothing */
	size_t target_count;         /* targets that the specs reach */
	struct plan_output *outputs; /* those that change, sorted by address, then name */
	size_t output_count;
	struct plan_note *notes;
	size_t note_count;
	struct plan_account *accounts;
	size_t account_count;
	json_t *reached; /* {stack: {account: [region, ...]}}: where the specs go */
	json_t *reads;   /* {address: version} of resources that changes only read */

	char *lineage;
	uint64_t generation; /* of the state that it was made from */
	uint64_t version;    /* the newest of any record then: what is newer, the plan has not seen */
	char *home_region;
	char *commit, *tree; /* NULL outside git */
	bool dirty, destroy, refreshed, lineage_minted;
	bool loaded; /* from a file, where no secret stands in clear any more */
	/* {path: SHA-256 in hex} of every spec file that it was made from, or NULL: what the generation keeps. */
	json_t *inputs;
	json_t *uncommitted; /* with `dirty`: the first files that were not committed, a list of text, or NULL */
	uint64_t rollback;   /* the generation that this goes back to; 0: none */
	char *only;          /* --only: the glob that it was restricted to, or NULL */
	json_t *rollback_of; /* what readers want to know of that generation: {"Commit", "Time", "User"}, or NULL */
	char *base;          /* commit that `pending` compares with (--base), or NULL */
	/* What `Limits` of muster.json say of this plan: {"Limits": {...}, "Over": ["deletes 12, MaxDelete is 10"],
	 * "Overridden": bool}; NULL where there are none. */
	json_t *limits;
	/* Signatures of its digest, outside of what the digest covers: list of objects (docs/review.md), or NULL. */
	json_t *signatures;
	bool drift; /* no plan to apply: its changes are what AWS did since (before: recorded, after: live) */
	/* Of a drift report: {"time", "previous" (time or null), "new": [address], "changed": [address], "known":
	 * [{"address", "since"}], "resolved": [{"address", "since", "how", "generation"}]}; else NULL. */
	json_t *drift_report;
	bool past;          /* no plan to apply: its changes have happened (plan_history_make) */
	json_t *parameters; /* plain ones as given by --parameter, for rollback and re-resolution */
	json_t *secrets;    /* sources that apply must resolve again */
	int64_t created_ms;
	char digest[65]; /* of the canonical form without this member; set by plan_file_write/read */
	struct plan_private *private;
};
/* Implemented, with the pieces that make a plan, in store.c (private header store.h). */
void plan_free(struct plan *plan);
/* Whether applying it would do anything: changes, or outputs that change. (store.c) */
bool plan_has_work(const struct plan *plan);
/* Whether the plan could look at everything that the specs want: nothing unreachable, nothing blocked. (store.c) */
bool plan_is_whole(const struct plan *plan);

struct plan_options {
	bool refresh, destroy, dirty, lineage_minted;
	bool only_alone;          /* what --only leaves out is not asked for: nothing will be applied */
	bool override_limits;     /* --override-limit */
	const char *only;         /* glob over addresses, or NULL */
	const char *const *adopt; /* globs over addresses */
	size_t adopt_count;
	const char *commit, *tree; /* from the caller, who knows git, as is `dirty` */
	const char *lineage;       /* that specs were loaded with; `lineage_minted` with it */
	json_t *parameters;
	json_t *inputs;                  /* for plan->inputs; may grow as files are read while the plan is made */
	uint64_t rollback;               /* for plan->rollback: what cannot be brought back is noted then */
	json_t *rollback_of;             /* for plan->rollback_of */
	struct specs *base_specs;        /* --base: the same changes that these bring about are marked `pending` */
	const char *base_commit;         /* for plan->base */
	const char *base_error;          /* why there are none, if they do not compile: then not NULL */
	const char *const *accept_drift; /* globs over addresses: drift there goes into the record */
	size_t accept_drift_count;
	/* Notes of the caller's, in plain words, each kept as one of the kind PLAN_NOTE_APPROVAL about muster.json. */
	const char *const *remarks;
	size_t remark_count;
	/* Called now and then with what is going on ("reading 340 targets", done, total); may be NULL. */
	void (*progress)(void *payload, const char *what, size_t done, size_t total);
	void *progress_payload;
};

/* Makes the plan; runs the loop until all reading is done. `state` may be read only. 0, or -1 with messages (nothing is
 * planned then). */
int plan_make(struct plan **out, struct loop *loop, struct provider *provider, struct specs *specs, struct state *state,
	      const struct plan_options *options, struct diag *d);

/* What AWS has now against what is recorded, as a plan with `drift` set: its changes are updates (before: recorded,
 * after: live) and deletes (gone). Reads every recorded resource; needs only the roster of the specs. Never applied.
 * (drift.c) */
int plan_drift_make(struct plan **out, struct loop *loop, struct provider *provider, struct specs *specs,
		    struct state *state, const struct plan_options *options, struct diag *d);
/* Tells such a report from the last one: fills drift_report, and `pending` and `since` of what is known. `previous`:
 * what this gave in *now then, or NULL; `only`: the glob that it was made with, or NULL (findings that it leaves out,
 * and those that could not be read, are kept as they are). *now is a new reference. (drift_report.c) */
int plan_drift_compare(json_t **now, struct plan *plan, const json_t *previous, const char *only, struct state *state,
		       struct diag *d);

/* What changed in the records from the end of generation `from` to the end of `to`, in the same shape with `past` set:
 * creates, updates, replacements, deletes, and updates with `moved_from` (a backwards span is allowed; 0: before the
 * first). What was done to the record alone is PLAN_FORGET, or an update with `accepted`. Never applied. `schemas`
 * tell which properties are secret: these stand as {"Muster::Secret": {}}, as does all of a type that is not known any
 * more. -1 when there is no such generation. (history.c) */
int plan_history_make(struct plan **out, struct state_txn *txn, uint64_t from, uint64_t to,
		      const struct schema_set *schemas, struct diag *d);
/* The same of one address, from one body of its record to another, as state_history_of() gives them; NULL: there was
 * none (not both). */
int plan_history_change(struct plan **out, const char *address, const json_t *before, const json_t *after,
			const struct schema_set *schemas, struct diag *d);
/* The same as what that generation did to it: where it was moved from or to `address`, the change is of the address
 * that it has then, with `moved_from`. */
int plan_history_step(struct plan **out, struct state_txn *txn, uint64_t generation, const char *address,
		      const json_t *before, const json_t *after, const struct schema_set *schemas, struct diag *d);
/* Adds a change of which no more is known to such a plan: one that was planned and failed, so that it can be told where
 * among the others it stands. -1 (without a message) when `address` is none. */
int plan_history_add(struct plan *plan, const char *address, const char *account_id, const char *type,
		     enum plan_action action);

/* -- Comparing (diff.c, compare.c) ----------------------------------------------------------------------------------
 */

/* Whether two values mean the same under the schema of `value`: `desired` may leave out what has a default or is the
 * service's business; residuals in `desired` are equal to nothing (but to themselves). */
bool plan_value_equal(const struct schema_value *value, const json_t *desired, const json_t *actual);
/* Two IAM policies (object or JSON string) by meaning. */
bool plan_policy_equal(const json_t *a, const json_t *b);
/* What has to change to bring `prior` (live or recorded properties) to `desired`. `recorded` (may be NULL): what was
 * applied last; decides whether a property that is left out now was ours to take away, and is what write-only and
 * secret values are compared with. `live`: prior was read from the service (write-only members are missing in it). */
void plan_diff_make(struct plan_diff *out, const struct schema_type *type, const json_t *desired, const json_t *prior,
		    const json_t *recorded, bool live);
void plan_diff_free(struct plan_diff *diff);

/* The digest of a resource as it is wanted: of everything that its record holds. A record carries the digest of its
 * RESOLVED properties (apply computes it anew after resolving), so that the next plan recognises an unchanged resource
 * without parsing the record. (digest.c) */
void plan_digest(uint8_t out[32], const char *account_id, const char *type, const json_t *properties,
		 const char *const *depends, size_t depend_count, enum specs_deletion deletion, bool protect);

/* -- Graph (graph.c) ------------------------------------------------------------------------------------------------
 */

/* A node is one thing that apply does: a change, the deletion of the old one before (delete-first) or after
 * (create-first) the rest of a replacement, or a barrier (nothing to do: many nodes wait for many others there). */
enum plan_node_kind { PLAN_NODE_CHANGE, PLAN_NODE_DELETE, PLAN_NODE_CLEANUP, PLAN_NODE_BARRIER };
struct plan_node {
	enum plan_node_kind kind;
	size_t change;     /* index into plan->changes; SIZE_MAX for a barrier */
	size_t *followers; /* nodes that wait for this one, whose failure skips them too ... */
	size_t follower_count;
	size_t *ordered; /* ... and those that only come after it (type order, serialize), failure or not */
	size_t ordered_count;
	size_t waits;          /* how many edges come in */
	const char *serialize; /* key: never two at once; NULL */
	bool takes_over;       /* a create that gets the physical identity of something deleted in this plan */
};
struct plan_graph {
	struct plan_node *nodes;
	size_t count;
};
/* 0, or -1 with the path of a cycle. */
int plan_graph_new(struct plan_graph **out, const struct plan *plan, struct diag *d);
void plan_graph_free(struct plan_graph *graph);

/* -- Plan file (file.c) ---------------------------------------------------------------------------------------------
 */

/* The whole plan as JSON in the shape of `terraform show -json` plus "muster"; sets plan->digest. New reference. */
json_t *plan_to_json(struct plan *plan);
int plan_file_write(struct plan *plan, const char *path, struct diag *d);
/* Reads, checks shape and digest, and that the part for other tools says what apply would do. Types come from
 * `schemas`. */
int plan_file_read(struct plan **out, const char *path, const struct schema_set *schemas, struct diag *d);

/* -- Limits (limits.c) ------------------------------------------------------------------------------------------------
 * `Limits` of muster.json: MaxDelete, MaxReplace (resources; a percentage is of the recorded ones that the plan looked
 * at), MaxTargets (targets with a change; of those that the specs reach or the plan changes). */

/* What `limits` (may be NULL) say of the plan, for plan->limits: new reference, NULL where there are none. -1 with a
 * message when a limit is none. `override`: --override-limit was given. */
int plan_limits_find(json_t **out, const struct plan *plan, const json_t *limits, bool override, struct diag *d);
/* Whether the plan may be applied: -1 with what is over, unless the plan says that its limits are overridden. Counted
 * anew, from the changes, under the limits it was made with and under `now` (muster.json's of today, may be NULL). What
 * percentages are of is taken from a plan that was read from a file only as far as `state` (may be NULL) has so many
 * records, and remembers such targets. */
int plan_limits_check(const struct plan *plan, const json_t *now, struct state *state, struct diag *d);
/* A limit of `of` things: a number from 0 on, or a percentage ("5%", "0.25%"), rounded up. 0 or -1. */
int plan_limit_parse(size_t *out, const json_t *limit, size_t of);

/* -- Signatures (signatures.c): apply/apply.h makes and proves them -------------------------------------------------
 */

#define PLAN_SIGNATURES_MAX 100 /* that a plan file may carry */
/* Whether it has the members of a signature, printable and bounded, and no others: 0 or -1. */
int plan_signature_check(const json_t *signature);

/* -- Addresses (address.c) -------------------------------------------------------------------------------------------
 */

#define PLAN_ADDRESS_PARTS 4
/* Longer than any address of names that specs can have (about 480), shorter ones of names that they cannot have fit. */
#define PLAN_ADDRESS_ROOM 1024

/* One to four parts: what stands behind the last one is NULL. Not to be copied: the parts point into `text`. */
struct plan_address {
	const char *account, *region, *stack, *logical_id;
	const char *part[PLAN_ADDRESS_PARTS]; /* the same */
	size_t count;
	char text[PLAN_ADDRESS_ROOM];
};
/* 0, or -1 when a part is empty, or there are more than four, or it is too long for any. */
int plan_address_parse(struct plan_address *out, const char *address);
/* Why specs could not name it so (characters, lengths), in words; NULL: they could. */
const char *plan_address_fault(const struct plan_address *address);
/* Whether it is one of a resource that specs could name. */
bool plan_address_is_whole(const char *address);
/* For a message: without what could move a cursor. Free with free(). */
char *plan_address_shown(const char *address);

/* -- Records: the JSON body of a resource in the state (record.c) -----------------------------------------------------
 */

struct plan_record {
	const char *type;
	const char *account_id;
	json_t *properties, *attributes; /* as last applied; secrets as {"Muster::Secret": ...} */
	json_t *depends;                 /* list of addresses, or NULL */
	json_t *access;                  /* of its account when it was applied (rule 15), or NULL */
	/* Old ones that a create-first replacement has not deleted yet: list of {"Type", "Properties", "Attributes",
	 * "Incarnation"}, or NULL. Whoever rewrites a record keeps it. */
	json_t *deposed;
	enum specs_deletion deletion;
	bool protect, adopted;
	bool incomplete; /* a create or update that failed half-way: the next plan looks at all of it */
	int64_t incarnation;
	const char *origin; /* the address its generated names are made from, where it was moved since; or NULL */
};
/* Whether a change that was read from a file says of what is recorded (without secrets) what the record that it was
 * planned from says. (file_diff.c) */
bool plan_change_fits(const struct plan_change *change, const struct plan_record *record);
/* A new body. */
json_t *plan_record_body(const struct plan_record *record);
/* Borrows from `body`. 0, or -1 when it is not a record: also where a member is not of its type, so that whoever has
 * parsed one can rely on what the members are said to be here. */
int plan_record_parse(struct plan_record *out, const json_t *body);
/* Whether it is one that muster writes: besides the types, that there are no other members, that addresses are some,
 * that the account's id has 12 digits. -1 with a message that begins with `address`. For what comes from elsewhere, and
 * for the proof that a state is whole. (record_check.c) */
int plan_record_check(const char *address, const json_t *body, struct diag *d);
/* What is wrong with the types of its members, in words ("DependsOn is no list of strings"); NULL: nothing. */
const char *plan_record_fault(const json_t *body);
/* Moves a record to another address within `generation`: its origin is kept, so that its generated names stay as they
 * are. -1 with a message when there is none at `from` or one at `to`. *version (may be NULL) is the new one. (move.c)
 */
int plan_record_move(struct state_txn *txn, const char *from, const char *to, uint64_t generation, uint64_t *version,
		     struct diag *d);
/* Properties without what tells of a secret: what is sensitive by its type, or marked as secret, is {"Muster::Secret":
 * {}}, and so is every property of a type that is not known (NULL). New reference; NULL for NULL. (redact.c) */
json_t *plan_redact_properties(const struct schema_type *type, const json_t *properties);
/* The same of attributes (and of outputs, with no type). Those of a type that is not known stay where they are not
 * marked: they are what AWS knows the resource by, and without them nothing could be done about it any more. */
json_t *plan_redact_attributes(const struct schema_type *type, const json_t *attributes);
/* What a lookup in AWS may use of a resource's properties: those without secrets and unknowns. New reference. */
json_t *plan_known_members(const json_t *properties);

/* -- Rendering (group.c, render_text.c) -------------------------------------------------------------------------------
 */

struct plan_text_options {
	bool color;
	int width;         /* columns; 0: 100 */
	bool entries_only; /* the grouped changes alone: no notes, no totals */
};
/* The plan for people: notes, grouped changes (the same change in many targets once, with where), totals. */
void plan_render_text(struct buf *out, const struct plan *plan, const struct plan_text_options *options);

/* "Rollback to generation 3 (commit 1f2e..., applied 2026-11-23T12:34:56Z by kato)": what stands above the plan of a
 * rollback. Adds nothing where it is none. */
void plan_rollback_words(struct buf *out, const struct plan *plan);

struct plan_markdown_options {
	size_t max; /* characters at most; 0: 62,000, which leave room in a comment; under 1,000 counts as 1,000 */
	const char *title; /* NULL: "muster plan" */
	const char *whole; /* the command that shows what is folded; NULL: "muster show FILE" */
};
/* The same for a pull request (GitHub-flavoured markdown): one entry a group with a diff block, details collapsed. What
 * does not fit is folded, the least important first, and it says what was folded. (render_markdown.c) */
void plan_render_markdown(struct buf *out, const struct plan *plan, const struct plan_markdown_options *options);
/* One self-contained page: a matrix of accounts and regions, grouped diffs, filter and search. (render_html.c) */
void plan_render_html(struct buf *out, const struct plan *plan);

/* A set of targets in words: "all 340 targets", "336 of 340 targets, not in app-7/...", "20 of 340 targets: home
 * region of 20 accounts", "12 accounts x 17 regions", "app-prod/eu-west-1" when it is one. `members` are indexes of
 * changes. Also used by apply's summary of failures. */
struct plan_where {
	const char *account, *region;
};
void plan_where_words(struct buf *out, const struct plan_where *members, size_t count, const struct plan_where *all,
		      size_t all_count, const char *home_region);

/* Texts of many targets made comparable: ${AWS::AccountId}, ${AWS::Region}, ${Muster::AccountName}, ${hash} and ${id}
 * for what is the target's own. `plan` must outlive it. */
struct plan_abstract;
struct plan_abstract *plan_abstract_new(const struct plan *plan);
void plan_abstract_free(struct plan_abstract *a);
/* Adds `text` so to `out`: what looks like the own of the change's target is taken to be. */
void plan_abstract_message(struct buf *out, const struct plan_abstract *a, const struct plan_change *change,
			   const char *text);

#endif
