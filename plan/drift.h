/* What drift.c, drift_report.c and drift_accept.c share. Private to the plan room. */
#ifndef MUSTER_PLAN_DRIFT_H
#define MUSTER_PLAN_DRIFT_H

#include "plan/plan.h"

/* From what would take drift back (before: live) to what drift is (after: live). Drift replaces nothing. */
void plan_drift_turn(struct plan_diff *diff);

#endif
