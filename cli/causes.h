/* Why things failed: failures with one cause (the same type, action, call, code and message but for the target's own
 * ids) are one entry, with what was skipped because of them. For the summary of an apply and for reports of it. */
#ifndef MUSTER_CLI_CAUSES_H
#define MUSTER_CLI_CAUSES_H

#include "apply/apply.h"
#include "base/buf.h"
#include "base/map.h"

/* Names listed before "and 9 more". */
#define CAUSE_NAMES_MAX 3

struct cause {
	const struct apply_failure *sample;
	const struct plan_change *change; /* of the sample */
	char *message;                    /* of the sample; what varies is abstracted once there are others */
	struct plan_where *where;
	size_t count, room;
	const char *names[CAUSE_NAMES_MAX]; /* stack/LogicalId, borrowed from addresses */
	size_t name_count;
	const char **addresses;
	size_t skipped; /* changes that wait for one of these */
};

struct causes {
	struct map by_key;     /* -> struct cause * */
	struct map by_address; /* of the failed change -> struct cause * */
	struct cause **sorted; /* most frequent first */
	size_t count;
	size_t skipped_otherwise; /* for something that is not among the failures */
};

/* `plan` and `report` must outlive the causes. Free with causes_free(). */
void causes_find(struct causes *causes, const struct plan *plan, const struct apply_report *report);
void causes_free(struct causes *causes);

/* "recording/Trail, recording/Bucket and 9 more". */
void cause_names(struct buf *out, const struct cause *cause);
/* Where it failed, out of where this type had something to do at all. Takes a look at the whole plan. */
void cause_where(struct buf *out, const struct plan *plan, const struct cause *cause);
/* "cloudtrail:CreateTrail: AccessDenied: message", on one line and without what could move a cursor. */
void cause_why(struct buf *out, const struct cause *cause);

/* All of them for people, the first fifty one by one; `all` says how to see the others. */
void causes_text(struct buf *out, const struct causes *causes, const struct plan *plan, bool color, const char *all);
/* A list, as docs/apply-events.md has it. New reference. */
json_t *causes_json(const struct causes *causes, const struct plan *plan);

#endif
