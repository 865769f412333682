/* What drift.c, drift_report.c and drift_accept.c share. Private to the plan room. */
#ifndef MUSTER_PLAN_DRIFT_H
#define MUSTER_PLAN_DRIFT_H

#include "plan/plan.h"

/* From what would take drift back (before: live) to what drift is (after: live). Drift replaces nothing. */
void plan_drift_turn(struct plan_diff *diff);
/* Takes away what a difference would mean for a resource that were changed so. */
void plan_drift_calm(struct plan_diff *diff);
/* What a record holds once drift is accepted: `recorded` with what is different in `live`, but for secret and
 * write-only values. New reference. */
json_t *plan_drift_accepted(const struct schema_type *type, const json_t *recorded, const json_t *live);

#endif
