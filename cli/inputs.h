/* The files that specs are made from, as sources of documents: remembered as they are read, laid over each other, read
 * from a revision or out of the state, and found again by their hashes for a plan that was saved (DESIGN rule 16). */
#ifndef MUSTER_CLI_INPUTS_H
#define MUSTER_CLI_INPUTS_H

#include <jansson.h>
#include <stddef.h>

#include "apply/apply.h"
#include "base/diag.h"
#include "base/map.h"
#include "specs/specs.h"
#include "state/git.h"
#include "state/state.h"

struct input {
	char *bytes; /* `len` of them and a NUL */
	size_t len;
};

/* A set of files by path. */
struct inputs {
	struct map files; /* path -> struct input * */
	json_t *digests;  /* {path: SHA-256 in hex} of them, as plan->inputs has it */
};
void inputs_start(struct inputs *inputs); /* makes it empty */
void inputs_free(struct inputs *inputs);  /* one that was never started (zeros) is fine, too */
/* Copies the bytes; a file of that path that was there is replaced. */
void inputs_put(struct inputs *inputs, const char *path, const void *bytes, size_t len);
/* NULL when there is none. */
const struct input *inputs_get(const struct inputs *inputs, const char *path);
/* As apply_options wants them: an array to be freed with free(), whose items borrow from `inputs`. */
struct apply_input *inputs_list(const struct inputs *inputs, size_t *count);

/* -- Sources. What they are made of must outlive them; nothing is to be freed. ------------------------------------- */

/* The files of a set. */
void inputs_source(struct specs_source *out, const struct inputs *inputs);
/* The spec directory in a revision. */
void inputs_tree_source(struct specs_source *out, struct state_git_tree *tree);

/* A source on top of others. */
struct inputs_layers {
	const struct inputs *over;          /* read instead of what lies under it; NULL: nothing */
	const struct specs_source *under;   /* everything else, and all lists */
	const struct specs_source *secrets; /* where files of secrets are: the spec directory */
	struct inputs *remember;            /* gets what is read from `under`, secrets never */
};
void inputs_layers_source(struct specs_source *out, struct inputs_layers *layers);

/* -- Finding them again ---------------------------------------------------------------------------------------------
 */

/* All of `digests` (as plan->inputs) out of the state's blobs. `what` ("generation 3") is for the message. */
int inputs_load(struct inputs *out, const json_t *digests, const char *what, struct state_txn *txn, struct diag *d);
/* All of `digests`: each in `directory`, else in git's `commit` (may be NULL), else among the state's blobs. -1 with a
 * message that names those that are nowhere. */
int inputs_find(struct inputs *out, const json_t *digests, const char *directory, const char *commit,
		struct state *state, struct diag *d);

#endif
