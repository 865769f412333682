/* Going back to an earlier generation (DESIGN rule 8): its specs, files, roster and parameters, with the settings that
 * stay those of today laid over them. The plan that comes of it is made, shown, approved and applied like any other.
 *
 *   rollback.c          finds what a generation was made from
 *   rollback_overlay.c  what comes from which side
 *   rollback_check.c    what must be there before: types, secrets */
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
	struct inputs overlay;      /* muster.json and accounts.json as they are to be used */
};

/* Finds generation `generation` in the open state of a session and has the session load specs from it: before the
 * provider is opened. 0, or -1 with what is wrong. *out is to be closed after the session in any case. */
int rollback_open(struct rollback *out, struct session *s, uint64_t generation);
void rollback_close(struct rollback *rollback);

/* muster.json for a rollback: `then`, with Access, State, Limits and Lineage of `now` (the work tree) and Approval of
 * `approved` (the newest generation that is no rollback; NULL: as it was then). New reference. */
json_t *rollback_settings(const json_t *then, const json_t *now, const json_t *approved);
/* accounts.json for a rollback: `then`, but an account that `now` has too (by its id) is entered as `now` says. New
 * reference. */
json_t *rollback_roster(const json_t *then, const json_t *now);

/* Every type that the stacks of `source` use must be known. -1 with a message for each that is not. */
int rollback_check_types(const struct rollback *rollback, const struct schema_set *schemas, struct diag *d);
/* Every secret that the generation's records were made with must be there again: those of the environment and of
 * files, and those that were given by --parameter. -1 with a message that names all that are missing. */
int rollback_check_secrets(const struct rollback *rollback, struct session *s, const struct option_list *given);

#endif
