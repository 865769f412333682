/* What git knows of a spec directory, through libgit2: the commit that a plan was made from, whether the specs were
 * committed at all, the specs as they were in any revision, who wrote what, and the notes that tell what became of a
 * commit. Part of the state room. Never touches the work tree or the index; the notes are all that it writes. */
#ifndef MUSTER_STATE_GIT_H
#define MUSTER_STATE_GIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

#define STATE_GIT_NOTES       "refs/notes/muster"
#define STATE_GIT_DIRTY_SHOWN 8 /* files that are named; the others are counted */

struct state_git {
	char *commit; /* 40 hex digits; NULL: no repository, or no commit yet */
	char *tree;   /* of the spec directory in that commit; NULL when the commit does not have it */
	bool repository;
	bool distrusted; /* it belongs to another user, so nothing of it was read (git's safe.directory); dirty, too */
	/* A spec file (muster.json, accounts.json, stacks/, files/) differs from the commit or is in none. */
	bool dirty;
	/* The first of these files by path, from the spec directory, and how many there are. */
	char *dirty_paths[STATE_GIT_DIRTY_SHOWN];
	size_t dirty_count;
};

/* Looks from `directory` upwards. 0 also where there is no repository (then `repository` is false), or one that git
 * does not trust (then with a warning that says how to); -1 with a message when there is one that cannot be read. Free
 * with state_git_free(). */
int state_git_facts(struct state_git *out, const char *directory, struct diag *d);
void state_git_free(struct state_git *git);

/* Where a commit that a plan was made from has landed: after a squash merge the branch's commit is gone, or is no part
 * of the history, and what is checked out has the same tree (40 hex digits, of the spec directory) instead. In *out the
 * commit of HEAD (free with free()), or NULL where `commit` itself is in its history, or HEAD has another tree. 0, also
 * where there is no repository; -1. */
int state_git_landed(char **out, const char *directory, const char *commit, const char *tree, struct diag *d);

/* -- The specs in a revision ----------------------------------------------------------------------------------------
 * `revision` is what git rev-parse takes: a branch, a tag, HEAD~2, a commit (also abbreviated). */

struct state_git_tree;

/* The spec directory as it is in `revision`. -1 with a message that says what to do: no repository, no such revision,
 * one that a shallow clone does not have, a commit that has no such directory. Free with state_git_tree_free(). */
int state_git_tree_open(struct state_git_tree **out, const char *directory, const char *revision, struct diag *d);
void state_git_tree_free(struct state_git_tree *tree);                /* NULL is fine */
const char *state_git_tree_commit(const struct state_git_tree *tree); /* 40 hex digits */
const char *state_git_tree_id(const struct state_git_tree *tree);     /* of the spec directory's tree, likewise */
/* As specs_source.read: 0 and the bytes (malloc, NUL-terminated), -ENOENT without a message, -1 with one. Symbolic
 * links and submodules inside the spec directory are errors; at most `max` bytes. */
int state_git_tree_read(struct state_git_tree *tree, const char *path, size_t max, char **text, size_t *len,
			struct diag *d);
/* Whether the commit has these very bytes at `path`, as git would keep them: with the line ends that its attributes
 * want, or by the hash in a pointer of Git LFS. 1; 0: other bytes; -ENOENT: no such file; -1 with a message: a symbolic
 * link, a submodule. What git believes of the work tree (its index) is not asked. */
int state_git_tree_same(struct state_git_tree *tree, const char *path, const void *bytes, size_t len, struct diag *d);
/* As specs_source.list: names of files in a folder, sorted, NULL-terminated (caller frees each and the array). */
int state_git_tree_list(struct state_git_tree *tree, const char *folder, char ***names, struct diag *d);

/* Calls back with each different content that the file `name`, at the top of the spec directory, has had in the history
 * of HEAD, newest first, as far as a shallow clone and 20,000 commits go. What the callback returns other than 0 ends
 * the walk, which returns that; 0 also where there is no repository; -1 with a message. (git_versions.c) */
typedef int state_git_version_visit(void *payload, const char *bytes, size_t len);
int state_git_versions(const char *directory, const char *name, state_git_version_visit *visit, void *payload,
		       struct diag *d);

/* -- Notes ----------------------------------------------------------------------------------------------------------
 */

/* Appends `text` (lines, with a newline at the end) to the note of `commit` (40 hex digits) in STATE_GIT_NOTES, after
 * an empty line where there is one already. Never overwrites; safe beside another process that does the same. 1 when
 * done, 0 where there is no repository or it does not have the commit (then nothing is written), -1 with a message. */
int state_git_note_append(const char *directory, const char *commit, const char *text, struct diag *d);
/* 1 and the whole note (free with free()), 0 when there is none, -1. */
int state_git_note_read(const char *directory, const char *commit, char **text, struct diag *d);

/* -- Who wrote it ---------------------------------------------------------------------------------------------------
 */

struct state_git_author {
	char *email;   /* of the author or committer, lower case */
	char *ssh_key; /* base64 of the SSH public key that signed a commit of theirs (gpg.format=ssh), or NULL */
};
/* A merge counts when it differs from each of its parents. Signatures are not verified: who signs is believed. Each
 * pair of email and key comes once.
 * Everybody (author, committer, Co-authored-by) of the commits reachable from `to` and not from `from` (NULL: all of
 * them) that change something in the spec directory. An array to be freed with state_git_authors_free(). -1 with a
 * message also where history is shallow on the way. */
int state_git_authors(struct state_git_author **out, size_t *count, const char *directory, const char *from,
		      const char *to, struct diag *d);
void state_git_authors_free(struct state_git_author *authors, size_t count);

#endif
