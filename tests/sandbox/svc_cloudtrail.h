/* What the two files of CloudTrail share. A trail lives in its home region, in Trails, by name. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_CLOUDTRAIL_H
#define MUSTER_TESTS_SANDBOX_SVC_CLOUDTRAIL_H

#include "tests/sandbox/sandbox.h"

/* The trail that a name or ARN means from this region, shadows of multi-region trails among them; NULL when there is
 * none. */
json_t *trail_find(struct sb_call *call, const char *name_or_arn);
/* The trail in call->in under `key`; NULL with the call failed. `to_change`: only from its home region. */
json_t *trail_get(struct sb_call *call, const char *key, bool to_change);

int trail_put_event_selectors(struct sb_call *call);
int trail_get_event_selectors(struct sb_call *call);
int trail_put_insight_selectors(struct sb_call *call);
int trail_get_insight_selectors(struct sb_call *call);
int trail_add_tags(struct sb_call *call);
int trail_remove_tags(struct sb_call *call);
int trail_list_tags(struct sb_call *call);

#endif
