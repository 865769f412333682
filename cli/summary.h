/* What came of an apply: totals, then the failures by cause, the same cause in many targets once. */
#ifndef MUSTER_CLI_SUMMARY_H
#define MUSTER_CLI_SUMMARY_H

#include "apply/apply.h"
#include "base/buf.h"

/* For people. `color`: the output takes colour. */
void summary_text(struct buf *out, const struct plan *plan, const struct apply_report *report, bool color);
/* One JSON line of type "summary", for --json. New reference. */
json_t *summary_json(const struct plan *plan, const struct apply_report *report);

#endif
