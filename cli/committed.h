/* Whether what is to be applied stands in a commit, where others can find it. */
#ifndef MUSTER_CLI_COMMITTED_H
#define MUSTER_CLI_COMMITTED_H

#include "cli/cli.h"
#include "cli/inputs.h"

/* The specs as they are on disk now: 0, or -1 with which files are not committed and what to do. */
int committed_check(struct cli *cli);
/* The specs that a plan was made from, whenever that was. */
int committed_check_plan(struct cli *cli, const struct plan *plan);
/* Whether all that was read is in `commit`, for where git status sees nothing: a file that git ignores may be read as
 * well. Warns of those that are not. 1, 0, or -1 with a message. */
int committed_inputs(struct cli *cli, const struct inputs *inputs, const char *commit);

#endif
