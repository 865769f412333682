/* Whether what is to be applied stands in a commit, where others can find it. */
#ifndef MUSTER_CLI_COMMITTED_H
#define MUSTER_CLI_COMMITTED_H

#include "cli/cli.h"
#include "cli/inputs.h"

/* The specs as they are on disk now: 0, or -1 with which files are not committed and what to do. */
int committed_check(struct cli *cli);
/* The specs that a plan was made from, whenever that was. */
int committed_check_plan(struct cli *cli, const struct plan *plan);
/* The first files that are not committed, for plan->uncommitted, or NULL. New reference. */
json_t *committed_others(const struct state_git *git);
/* Whether all that was read has the very bytes that `revision` has, and every stack of it was read. Warns of what is
 * otherwise. 1; 0, with the files in *paths (new reference, as of committed_others(); `paths` may be NULL); or -1 with
 * a message. */
int committed_inputs(json_t **paths, struct cli *cli, const struct inputs *inputs, const char *revision);
/* The same of a saved plan whose tree is that of HEAD: its flag "dirty" is its maker's word. 0, or -1 with what is not
 * committed. A rollback's files are the state's business (rollback_check_plan()). */
int committed_approved(struct cli *cli, const struct plan *plan, const struct inputs *inputs);

/* A file of the spec directory as HEAD has it; as it is on disk where no commit has it, or there is no repository. 0
 * and the bytes (free with free()), or -1 with a message. */
int committed_read(const char *directory, const char *path, char **text, size_t *len, struct diag *d);

#endif
