/* What a change of a plan file differs in. A file's differences are what its readers look at, and what apply follows
 * are the values: so differences are made from the values as they stand in the file, when it is written and again when
 * it is read, and one that says others is refused. Secrets do not stand there, so where one is masked it may be told to
 * differ although it does not; never the other way round. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/drift.h"
#include "plan/file_private.h"

/* -- Generated names ----------------------------------------------------------------------------------------------- */

/* Names that a resource had before are looked for among those of so many replacements. */
#define NAMES_BACK 100

/* `origin`: the address that the name is made from. */
static bool is_generated(const struct plan *plan, const struct plan_change *change, const char *name,
			 const char *origin, int64_t incarnation)
{
	mem_auto_str char *copy = mem_strdup(origin);
	const char *parts[4] = {"", "", "", ""};
	char *rest = copy, *part;

	for (size_t i = 0; i < 4 && (part = strsep(&rest, "/")) != NULL; i++)
		parts[i] = part;
	mem_auto_str char *made =
	    specs_generated_name(change->type, plan->lineage, origin, parts[2], parts[3], incarnation);

	return strcmp(made, name) == 0;
}

static bool was_generated(const struct plan *plan, const struct plan_change *change, const char *name)
{
	const char *origin = change->origin != NULL ? change->origin : change->address;
	int64_t last = change->incarnation - 1;

	for (int64_t i = last; i >= 0 && i > last - NAMES_BACK; i--)
		if (is_generated(plan, change, name, origin, i))
			return true;
	return false;
}

/* What is compared: a replacement under the next generated name is not made for that name. New reference. */
static json_t *desired_of(const struct plan *plan, const struct plan_change *change, const json_t *before)
{
	const char *property = change->type->name_property, *then, *now;
	json_t *desired;

	if (change->action != PLAN_REPLACE || property == NULL || plan->lineage == NULL)
		return json_incref(change->after);
	then = json_get_string(before, property);
	now = json_get_string(change->after, property);
	if (then == NULL || now == NULL || !is_generated(plan, change, now, change->address, change->incarnation) ||
	    !was_generated(plan, change, then))
		return json_incref(change->after);
	desired = json_copy(change->after);
	json_object_set(desired, property, json_object_get(before, property));
	return desired;
}

/* -- Differences --------------------------------------------------------------------------------------------------- */

bool plan_file_compares(const struct plan_change *change)
{
	return change->action != PLAN_DELETE && change->action != PLAN_FORGET && change->action != PLAN_NOOP;
}

/* A masked value cannot be told from another, but that is nothing to replace a resource for. */
static void calm_masked(struct plan_diff *diff)
{
	diff->replace = diff->may_replace = false;
	for (size_t i = 0; i < diff->count; i++) {
		struct plan_difference *item = &diff->items[i];

		if (item->sensitive)
			item->forces_replace = item->may_replace = false;
		diff->replace |= item->forces_replace;
		diff->may_replace |= item->may_replace;
	}
}

void plan_file_diff(struct plan_diff *out, const struct plan *plan, const struct plan_change *change,
		    const json_t *before, const json_t *recorded)
{
	json_auto_t *desired = NULL;
	bool live;

	*out = (struct plan_diff){0};
	if (change->type == NULL || !plan_file_compares(change))
		return;
	if (change->action == PLAN_CREATE) {
		plan_diff_make(out, change->type, change->after, NULL, NULL, false);
		return;
	}
	/* What was not read is as it is recorded. */
	live = recorded == NULL || !json_equal((json_t *)before, (json_t *)recorded);
	desired = desired_of(plan, change, before);
	plan_diff_make(out, change->type, desired, before, recorded, live);
	if (change->accepted)
		plan_drift_calm(out);
	else if (change->action != PLAN_REPLACE)
		calm_masked(out);
}

void plan_file_diff_pending(struct plan_diff *diff, const struct plan_diff *from)
{
	for (size_t i = 0; i < diff->count; i++)
		for (size_t k = 0; k < from->count; k++)
			if (strcmp(diff->items[i].path, from->items[k].path) == 0)
				diff->items[i].pending |= from->items[k].pending;
}

/* -- What follows from them ---------------------------------------------------------------------------------------- */

static bool is(const char *reason, const char *expected)
{
	return reason == expected || (reason != NULL && expected != NULL && strcmp(reason, expected) == 0);
}

static bool differs_in_clear(const struct plan_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++)
		if (!diff->items[i].sensitive)
			return true;
	return false;
}

static const char *update_doubt(const struct plan_change *change)
{
	const struct plan_diff *diff = &change->diff;
	bool incomplete = is(change->reason, "update_because_incomplete");

	if (diff->replace || diff->may_replace)
		return "an update of what can be updated";
	if (change->accepted)
		return is(change->reason, "drift_accepted") ? NULL : "the reason of what is accepted";
	if (change->record_only) {
		if (differs_in_clear(diff))
			return "no difference where only the record changes";
		return is(change->reason, change->moved_from != NULL ? "update_because_moved" : "update_record_only")
			   ? NULL
			   : "the reason for a change of the record";
	}
	if (!incomplete && diff->count == 0)
		return "a difference, or that only the record changes";
	return incomplete || change->reason == NULL ? NULL : "the reason for an update";
}

static const char *replace_doubt(const struct plan_change *change)
{
	if (!change->diff.replace)
		return change->diff.may_replace && is(change->reason, "may_replace_because_unknown")
			   ? NULL
			   : "a replacement that a difference asks for";
	return is(change->reason,
		  change->create_first ? "replace_because_cannot_update" : "replace_because_cannot_update_same_name")
		   ? NULL
		   : "the reason for its replacement";
}

const char *plan_file_diff_doubt(const struct plan_change *change)
{
	if (change->record_only && change->action != PLAN_UPDATE)
		return "an update where only the record changes";
	switch (change->action) {
	case PLAN_CREATE:
		return is(change->reason, change->gone ? "recreate_because_gone" : NULL) ? NULL
											 : "the reason for a creation";
	case PLAN_ADOPT:
		if (change->diff.replace)
			return "an adoption of what can be updated";
		return is(change->reason, change->adopted ? "adopt_because_exists" : "adopt_because_cut_off")
			   ? NULL
			   : "the reason for an adoption";
	case PLAN_UPDATE:
		return update_doubt(change);
	case PLAN_REPLACE:
		return replace_doubt(change);
	default:
		return NULL;
	}
}

/* -- The record ---------------------------------------------------------------------------------------------------- */

bool plan_change_fits(const struct plan_change *change, const struct plan_record *record)
{
	const struct schema_value *schema = change->type != NULL ? &change->type->properties : NULL;
	json_auto_t *hidden = NULL;

	if (strcmp(record->account_id, change->account_id) != 0)
		return false;
	if (plan_file_compares(change) && (!change->policies_recorded || change->protect_recorded != record->protect ||
					   change->deletion_recorded != record->deletion))
		return false;
	if (change->recorded == NULL)
		return true;
	hidden = plan_file_hidden(schema, record->properties);
	return json_equal(hidden, change->recorded);
}
