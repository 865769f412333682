/* What a target has of its own in a value (its account's id and name, its region, names generated for it) put as
 * ${AWS::AccountId} and so on, so that the same change in many targets reads the same. Private to the plan room.
 *
 * Two passes: first every value is shown with plan_abstract_note(), then plan_abstract_value() knows which texts are
 * the same in several accounts or regions: these are not the target's own, even where they happen to hold its id. */
#ifndef MUSTER_PLAN_ABSTRACT_H
#define MUSTER_PLAN_ABSTRACT_H

#include "plan/plan.h"

/* `place` is the same for values that stand at the same place of the same kind of change. */
uint64_t plan_abstract_hash(uint64_t seed, const char *text);
void plan_abstract_note(struct plan_abstract *a, uint64_t place, const struct plan_change *change, const json_t *value);
/* New reference; shares with `value` what needs no change. NULL gives NULL. `own` says what may be put otherwise: what
 * is the same for all that are compared needs no stand-in. */
enum plan_abstract_own { PLAN_OWN_ACCOUNT = 1, PLAN_OWN_REGION = 2, PLAN_OWN_ALL = 3 };
json_t *plan_abstract_value(struct plan_abstract *a, uint64_t place, const struct plan_change *change, unsigned own,
			    const json_t *value);
/* One text without the first pass: what looks like the account's and region's own is taken to be. */
void plan_abstract_text(struct buf *out, const char *text, const char *account, const char *account_id,
			const char *region);

#endif
