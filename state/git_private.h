/* What the files of git.h share: a repository that is open at a spec directory, and messages that say what to do. */
#ifndef MUSTER_STATE_GIT_PRIVATE_H
#define MUSTER_STATE_GIT_PRIVATE_H

#include <git2.h>

#include "state/git.h"

struct repo {
	git_repository *git;
	const char *directory; /* as the user named it; borrowed */
	char *inside;    /* its path inside the work tree, "" for the top, no slash at the end; NULL: not in one */
	bool distrusted; /* repo_open() failed because it belongs to another user */
};

/* Looks from `directory` upwards. 1, 0 when there is no repository, -1 with a message. Whatever it returned, end with
 * repo_close(). */
int repo_open(struct repo *out, const char *directory, struct diag *d);
/* The same where there must be one, with a work tree that holds the directory: 0 or -1. */
int repo_open_specs(struct repo *out, const char *directory, struct diag *d);
void repo_close(struct repo *repo);

/* Adds an error with libgit2's reason: "WHAT in DIRECTORY: reason". Returns -1. */
int repo_failed(const struct repo *repo, const char *what, struct diag *d);
/* Finds the commit that `revision` names, or says why not and what to do. Free with git_commit_free(). */
int repo_commit(git_commit **out, const struct repo *repo, const char *revision, struct diag *d);
/* The id of the spec directory's tree in a commit: 1; 0 when the commit has no such directory; -1. */
int repo_specs_tree(git_oid *out, const struct repo *repo, const git_commit *commit, struct diag *d);
/* What is to be done in a shallow clone, as the end of a message. */
#define REPO_SHALLOW_HINT "git fetch --unshallow gets the rest (in CI: check out with fetch-depth: 0)"

#endif
