/* What protects a resource from later plans, where it changes: nothing in AWS tells of it, so readers of a plan would
 * not look for it there. */
#include "plan/view.h"

bool plan_change_policies_differ(const struct plan_change *change)
{
	return change->policies_recorded && change->action != PLAN_DELETE && change->action != PLAN_FORGET &&
	       (change->protect != change->protect_recorded || change->deletion != change->deletion_recorded);
}

/* New reference; NULL: not said. */
static json_t *deletion_json(enum specs_deletion deletion)
{
	if (deletion == SPECS_DELETION_UNSET)
		return NULL;
	return json_string(deletion == SPECS_RETAIN ? "Retain" : "Delete");
}

void plan_view_policies(struct plan_lines *lines, const struct plan_change *change)
{
	json_t *then, *now;

	if (!plan_change_policies_differ(change))
		return;
	if (change->protect != change->protect_recorded)
		plan_value_changed(lines, 0, "Protect", json_boolean(change->protect_recorded),
				   json_boolean(change->protect), NULL);
	if (change->deletion == change->deletion_recorded)
		return;
	then = deletion_json(change->deletion_recorded);
	now = deletion_json(change->deletion);
	plan_value_changed(lines, 0, "DeletionPolicy", then, now, NULL);
	json_decref(then);
	json_decref(now);
}
