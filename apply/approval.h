/* What the files of approval share. Private to the apply room. */
#ifndef MUSTER_APPLY_APPROVAL_H
#define MUSTER_APPLY_APPROVAL_H

#include "apply/apply.h"
#include "apply/keys.h"

/* Somebody who may approve: an entry of Approval.Keys. */
struct approver {
	struct apply_key key;
	char *email; /* lower case; of the entry, else out of the key's comment; NULL: none */
	char *name;  /* for messages: "kato@example.com (SHA256:...)" */
};
struct approvers {
	struct approver *items;
	size_t count;
};
/* All keys of `rules`; two entries of one key become one. Every one that cannot be read is an error (-1). Release in
 * both cases. (rules.c) */
int approvers_read(struct approvers *out, const struct apply_approval_rules *rules, struct diag *d);
void approvers_release(struct approvers *approvers);
struct approver *approvers_find(const struct approvers *approvers, const char *fingerprint);
/* "the specs of generation 3", "these specs": where the rules come from. */
void approval_source(struct buf *out, const struct apply_approval_rules *rules);

/* What is signed for a plan of this digest. (approval.c) */
void approval_message(struct buf *out, const char *digest);
/* Marks in `wrote` (one for each approver) who took part in the commits since the rules' generation. -1 with a message
 * where git cannot tell. (approval_authors.c) */
int approval_authors(bool *wrote, const struct approvers *approvers, const struct plan *plan,
		     const struct apply_approval_rules *rules, const char *directory, struct diag *d);

#endif
