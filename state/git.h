/* What git knows of a spec directory, through libgit2: the commit that a plan was made from, and whether the specs
 * were committed at all. Part of the state room; writes nothing. */
#ifndef MUSTER_STATE_GIT_H
#define MUSTER_STATE_GIT_H

#include <stdbool.h>

#include "base/diag.h"

struct state_git {
	char *commit; /* 40 hex digits; NULL: no repository, or no commit yet */
	char *tree;   /* of the spec directory in that commit; NULL when the commit does not have it */
	bool repository;
	bool
	    dirty; /* a spec file (muster.json, accounts.json, stacks/, files/) differs from the commit or is in none */
};

/* Looks from `directory` upwards. 0 also where there is no repository (then `repository` is false), -1 with a message
 * when there is one that cannot be read. Free with state_git_free(). */
int state_git_facts(struct state_git *out, const char *directory, struct diag *d);
void state_git_free(struct state_git *git);

#endif
