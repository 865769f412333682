/* --base REV: the specs of a revision that a plan is compared with. */
#ifndef MUSTER_CLI_BASE_H
#define MUSTER_CLI_BASE_H

#include "cli/cli.h"

struct base {
	struct state_git_tree *tree;
	struct specs_source revision, layered;
	struct inputs_layers layers;
	struct inputs inputs; /* not the plan's */
	struct specs *specs;  /* NULL: they do not compile, and `error` says why */
	char *error;
};

/* In a session whose specs are loaded. -1 with a message when there is no such revision; specs that do not compile are
 * no failure. *out is to be closed before the session in any case. */
int base_open(struct base *out, struct session *s, const char *revision);
void base_close(struct base *base); /* zeros are fine, too */

#endif
