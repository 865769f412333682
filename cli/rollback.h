/* Going back to an earlier generation (DESIGN rule 8): its specs, files, roster and parameters, with the settings that
 * stay those of today laid over them. The plan that comes of it is made, shown, approved and applied like any other.
 *
 *   rollback.c          finds what a generation was made from
 *   rollback_overlay.c  what comes from which side
 *   rollback_moved.c    names that changed since
 *   rollback_surgery.c  ... by muster state mv
 *   rollback_check.c    what is checked before: git, types, secrets */
#ifndef MUSTER_CLI_ROLLBACK_H
#define MUSTER_CLI_ROLLBACK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "cli/cli.h"
#include "cli/inputs.h"

struct rollback {
	uint64_t generation; /* that was asked for */
	uint64_t from;       /* whose specs these are: that, or an earlier one where that has none (state surgery) */
	json_t *facts;       /* of `from` */
	json_t *of;          /* for plan->rollback_of */
	struct inputs kept;  /* the files of `from`; empty where they come from `tree` */
	struct state_git_tree *tree;
	struct specs_source source; /* over one of these */
	struct inputs overlay;      /* muster.json, accounts.json, stacks with moves back: as they are to be used */
};

/* Finds generation `generation` in the open state of a session and has the session load specs from it: before the
 * provider is opened. 0, or -1 with what is wrong. *out is to be closed after the session in any case. */
int rollback_open(struct rollback *out, struct session *s, uint64_t generation);
void rollback_close(struct rollback *rollback);

/* Whether a saved plan that says it is a rollback was made from what that generation was, by commit, tree and each of
 * its files (`inputs`), so that nothing else can pass for one. 0, or -1 with a message. Needs the open state. */
int rollback_check_plan(struct session *s, const struct plan *plan, const struct inputs *inputs);

/* muster.json for a rollback: `then`, with Access, State, Limits and Lineage of `now` (HEAD) and Approval of `approved`
 * (of the newest generation that is no rollback; NULL: as it was then). New reference. */
json_t *rollback_settings(const json_t *then, const json_t *now, const json_t *approved);
/* accounts.json for a rollback: `then`, but an account that `now` has too (by its id) is entered as `now` says. New
 * reference. */
json_t *rollback_roster(const json_t *then, const json_t *now);

/* Takes note of the `Moved` list of one generation's stack, oldest generation first. `names`: an object, empty at
 * first, of {name since: name then}. */
void rollback_moved_note(json_t *names, const json_t *stack);
/* `stack` with a `Moved` list that leads back to its names, or NULL where nothing is to be added. New reference. */
json_t *rollback_moved(const json_t *stack, const json_t *names);

/* Takes note of what one generation moved by state mv, oldest generation first: within its stack as
 * rollback_moved_note() in `names` ({path: names}), else in `crossed`: {address since: address then}. */
int rollback_surgery_note(json_t *names, json_t *crossed, struct state_txn *txn, uint64_t number, struct diag *d);
/* A warning for what is in another stack now. */
int rollback_surgery_tell(const json_t *crossed, const struct rollback *rollback, struct state_txn *txn,
			  struct diag *d);

/* Git is asked whether the commit of the generation has the files that it keeps (rule 16): a warning where it says
 * something else although they were committed, a note where it cannot be asked. */
void rollback_check_git(const struct rollback *rollback, const char *directory, struct diag *d);
/* Every type that the stacks of `source` use must be known. -1 with a message for each that is not. */
int rollback_check_types(const struct rollback *rollback, const struct schema_set *schemas, struct diag *d);
/* Every secret that the generation's records were made with must be there again: those of the environment and of
 * files, and those that were given by --parameter. -1 with a message that names all that are missing. */
int rollback_check_secrets(const struct rollback *rollback, struct session *s, const struct option_list *given);

#endif
