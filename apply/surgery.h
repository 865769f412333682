/* What the files of surgery share: each change of the state alone is one transaction and one generation. */
#ifndef MUSTER_APPLY_SURGERY_H
#define MUSTER_APPLY_SURGERY_H

#include "apply/apply.h"

#define SURGERY_EXPORT_FORMAT 1
#define SURGERY_KEY_BYTES     32

#define SURGERY_SHOWN 10 /* addresses of one kind in messages */

struct surgery {
	struct state *state;
	struct state_txn *txn;
	uint64_t generation;
	struct diag *d;
};

/* Begins the transaction. -1: nothing is open. */
int surgery_begin(struct surgery *s, struct state *state, struct diag *d);
/* Starts the generation, once it is known that there is something to do. */
int surgery_generation(struct surgery *s, const json_t *facts);
/* With `rc` 0 finishes the generation with the count under `what` ("Moved") and commits; else leaves all as it was. */
int surgery_end(struct surgery *s, int rc, const char *what, size_t count);

/* A list of addresses, each a copy. */
struct surgery_addresses {
	char **list;
	size_t count, room;
};
void surgery_addresses_add(struct surgery_addresses *out, const char *address);
void surgery_addresses_free(struct surgery_addresses *addresses);

/* What stands in the way of surgery at the address of an intent with this body. Returns -1. */
int surgery_refuse_intent(struct surgery *s, const char *address, const json_t *body);
/* What decides who must approve, for an export: new reference, NULL where no generation says so yet. And into the
 * `facts` of the generation that an import is: "Rules", and "RulesCommit", the commit that they were applied from.
 * (export_rules.c) */
int surgery_rules_export(json_t **out, struct state_txn *txn, struct diag *d);
int surgery_rules_restore(json_t *facts, struct surgery *s, const json_t *rules);
/* -1 with a message when an apply that was cut off has left something open at an address for which `hits` is true. */
int surgery_no_intents(struct surgery *s, bool (*hits)(void *payload, const char *address), void *payload);

/* Outputs go along where the whole of their instance does: from an address of fewer than four parts.
 * (surgery_outputs.c)
 */
int surgery_outputs_move(struct surgery *s, const char *from, const char *to);
/* Takes away those of instances that have no record any more, after these addresses were forgotten (in order). */
int surgery_outputs_forget(struct surgery *s, char *const *addresses, size_t count);

#endif
