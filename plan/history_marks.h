/* What generations say of changes that were made to records alone. Private to the room. */
#ifndef MUSTER_PLAN_HISTORY_MARKS_H
#define MUSTER_PLAN_HISTORY_MARKS_H

#include "base/map.h"
#include "plan/plan.h"

struct history_marks {
	struct state_txn *txn;
	uint64_t from, to;
	struct map accepted, forgotten; /* "GENERATION ADDRESS", or "GENERATION" alone: all that it took away */
};

/* Of the generations after `from` up to `to`; of a span that goes back there are none. To be freed also after -1. */
int history_marks_load(struct history_marks *marks, struct state_txn *txn, uint64_t from, uint64_t to, struct diag *d);
void history_marks_free(struct history_marks *marks);
/* Makes of a deletion a PLAN_FORGET where the record was only dropped when it went last; marks an update as accepted
 * where all that became of the record in the span is drift that was accepted. */
int history_marks_apply(const struct history_marks *marks, struct plan_change *change, struct diag *d);

#endif
