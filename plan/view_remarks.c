/* Why a change is made and whom it touches, in words. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/view.h"
#include "plan/where.h"

/* Names in a remark before "and 9 more". */
#define NAMES_MAX 6

/* -- Reasons ------------------------------------------------------------------------------------------------------- */

static const char *const reasons[][2] = {
    {"recreate_because_gone", "it is gone from AWS"},
    {"replace_because_cannot_update_same_name", "the old one goes first, since both have the same name"},
    {"replace_because_cannot_update", "the new one is made first, then the old one goes"},
    {"may_replace_because_unknown", "replaced only if the value turns out to be another"},
    {"update_because_incomplete", "an earlier apply did not get to its end here"},
    {"history_type_unknown", "this version does not know the type, so its values are not shown"},
    {"history_accepted", "recorded as it is in AWS (--accept-drift); nothing was changed there"},
    {"history_forgotten", "only its record was dropped; nothing was changed in AWS"},
    {"update_record_only", "only the record changes, nothing in AWS"},
    {"update_because_moved", "only its record moves, nothing changes in AWS"},
    {"adopt_because_exists", "it exists in AWS and is taken over"},
    {"adopt_because_cut_off", "it was made by a run that was cut off"},
    {"delete_because_deposed", "an earlier replacement left it behind"},
    {"delete_because_no_resource_config", "no longer in the specs"},
    {"delete_because_destroy", NULL},
    {"drift_gone", NULL},
    {"drift_changed", NULL},
    {"drift_changed_again", "the last report told of it, too, but of other differences"},
    {"drift_accepted", "what AWS has now goes into the record as it is (--accept-drift)"},
    {"forget_because_gone", "it is gone from AWS; the record is dropped"},
    {"forget_because_retained", "left in AWS (DeletionPolicy: Retain); the record is dropped"},
    {"forget_because_adopted", "left in AWS, since it was adopted; the record is dropped"},
};

static const char *reason_words(const char *reason)
{
	for (size_t i = 0; reason != NULL && i < sizeof reasons / sizeof *reasons; i++)
		if (strcmp(reasons[i][0], reason) == 0)
			return reasons[i][1];
	return reason;
}

/* "a, b and 9 more" */
static void add_name(struct buf *out, const char *name, size_t index)
{
	if (index < NAMES_MAX)
		buf_addf(out, "%s%s", index > 0 ? ", " : "", name);
}

static void add_rest(struct buf *out, size_t count)
{
	if (count > NAMES_MAX) {
		buf_adds(out, " and ");
		plan_count_words(out, count - NAMES_MAX);
		buf_adds(out, " more");
	}
}

/* -- Remarks ------------------------------------------------------------------------------------------------------- */

/* "forces replacement: TrailName, S3BucketName" */
static void remark_replaces(struct plan_texts *remarks, const struct plan_group *group, bool may)
{
	buf_auto struct buf text = BUF_INIT;
	size_t count = 0;

	buf_adds(&text, may ? "may force replacement: " : "forces replacement: ");
	for (size_t i = 0; i < group->value_count; i++) {
		const struct plan_group_value *value = &group->values[i];

		if (may ? value->may_replace && !value->forces_replace : value->forces_replace)
			add_name(&text, value->path, count++);
	}
	add_rest(&text, count);
	if (count > 0)
		plan_texts_add(remarks, buf_str(&text));
}

static void remark_moved(struct plan_texts *remarks, const struct plan *plan, const struct plan_group *group)
{
	const struct plan_change *change = group->sample;
	mem_auto_str char *text = NULL;

	/* In a plan the note says which account is renamed; of what has happened there are only the addresses. */
	if (plan->past && change->moved_from != NULL) {
		text =
		    mem_printf("moved from %s%s", group->count > 1 ? "other addresses, here " : "", change->moved_from);
		plan_texts_add(remarks, text);
		return;
	}
	if (plan_group_former(change) == NULL)
		return;
	text = mem_printf("moved from %s/%s", change->stack, plan_group_former(change));
	plan_texts_add(remarks, text);
}

/* What is allowed from then on, and what the record has that has no value to show. */
static void remark_policies(struct plan_texts *remarks, const struct plan_change *change)
{
	bool differ = plan_change_policies_differ(change);

	if (differ && change->protect_recorded && !change->protect)
		plan_texts_add(remarks, "Protect is lifted: the next generation may delete or replace it");
	if (differ && change->deletion_recorded == SPECS_RETAIN && change->deletion != SPECS_RETAIN)
		plan_texts_add(remarks, "DeletionPolicy: Retain is lifted: once it is taken out of the specs, it is "
					"deleted in AWS");
	if (!differ && change->record_only && change->reason != NULL &&
	    strcmp(change->reason, "update_record_only") == 0)
		plan_texts_add(remarks, "what it depends on is another");
}

static void remark_since(struct plan_texts *remarks, const struct plan_change *change)
{
	mem_auto_str char *text = change->since != NULL ? mem_printf("known since %s", change->since) : NULL;

	if (text != NULL)
		plan_texts_add(remarks, text);
}

static void remark_drifted(struct plan_texts *remarks, const struct plan *plan, const struct plan_group *group)
{
	buf_auto struct buf text = BUF_INIT;

	if (group->drifted == 0 || group->sample->gone || group->sample->accepted || plan->drift)
		return;
	buf_adds(&text, "AWS has other values than were recorded");
	if (group->drifted < group->count) {
		buf_adds(&text, " in ");
		plan_count_words(&text, group->drifted);
		buf_adds(&text, group->drifted == 1 ? " of these" : " of these targets");
	}
	plan_texts_add(remarks, buf_str(&text));
}

/* Which ids ${each} stands for. */
static void remark_each(struct plan_texts *remarks, const struct plan_group *group)
{
	buf_auto struct buf text = BUF_INIT;

	if (group->each_count == 0)
		return;
	buf_adds(&text, "${each}: ");
	for (size_t i = 0; i < group->each_count; i++)
		add_name(&text, group->each[i], i);
	add_rest(&text, group->each_count);
	plan_texts_add(remarks, buf_str(&text));
}

/* What depends on what goes or is replaced, and changes in this plan too. */
static void remark_dependents(struct plan_texts *remarks, const struct map *dependents)
{
	buf_auto struct buf text = BUF_INIT;
	size_t shown = 0;

	if (dependents == NULL || dependents->live == 0)
		return;
	buf_adds(&text, "what depends on it changes too: ");
	for (size_t i = 0; i < dependents->count; i++) {
		size_t count = *(size_t *)dependents->entries[i].value;
		buf_auto struct buf name = BUF_INIT;

		buf_adds(&name, dependents->entries[i].key);
		if (count > 1) {
			buf_adds(&name, " (");
			plan_count_words(&name, count);
			buf_adds(&name, ")");
		}
		add_name(&text, buf_str(&name), shown++);
	}
	add_rest(&text, shown);
	plan_texts_add(remarks, buf_str(&text));
}

void plan_view_remarks_make(struct plan_texts *remarks, const struct plan *plan, const struct plan_group *group,
			    const struct map *dependents)
{
	const struct plan_change *change = group->sample;
	const char *words = reason_words(change->reason);

	remark_each(remarks, group);
	remark_moved(remarks, plan, group);
	if (change->action == PLAN_REPLACE)
		remark_replaces(remarks, group, false);
	remark_replaces(remarks, group, true);
	if (words != NULL)
		plan_texts_add(remarks, words);
	remark_policies(remarks, change);
	remark_since(remarks, change);
	if (change->retain_old)
		plan_texts_add(remarks, "the old one is left in AWS");
	remark_drifted(remarks, plan, group);
	remark_dependents(remarks, dependents);
}

/* -- Dependents ---------------------------------------------------------------------------------------------------- */

/* One change counts once for each group, however often it names its members. */
static void note_dependency(struct plan_dependents *d, const char *address, const char *name, uintptr_t *last)
{
	uintptr_t group = (uintptr_t)map_get(&d->group_of, address);

	if (group > 0 && group != *last)
		plan_view_count_name(&d->names[group - 1], name);
	*last = group > 0 ? group : *last;
}

/* That what goes too depends on it is no news. */
static void note_dependent(struct plan_dependents *d, const struct plan_change *change)
{
	buf_auto struct buf name = BUF_INIT;
	uintptr_t last = 0;

	if (change->action == PLAN_DELETE || change->action == PLAN_FORGET)
		return;
	buf_addf(&name, "%s/%s", change->stack, change->logical_id);
	for (size_t i = 0; i < change->depend_count; i++)
		note_dependency(d, change->depends[i], buf_str(&name), &last);
	for (size_t i = 0; i < change->former_count; i++)
		note_dependency(d, change->former[i], buf_str(&name), &last);
}

void plan_dependents_find(struct plan_dependents *d, const struct plan *plan, const struct plan_groups *groups)
{
	*d = (struct plan_dependents){MAP_INIT, mem_array(groups->count, sizeof(struct map))};
	for (size_t i = 0; i < groups->count; i++) {
		const struct plan_group *group = groups->items[i];

		if (group->sample->action != PLAN_DELETE && group->sample->action != PLAN_REPLACE)
			continue;
		for (size_t k = 0; k < group->count; k++)
			map_set(&d->group_of, plan->changes[group->members[k]].address, (void *)(uintptr_t)(i + 1));
	}
	for (size_t i = 0; i < plan->change_count && d->group_of.live > 0; i++)
		note_dependent(d, &plan->changes[i]);
}

void plan_dependents_free(struct plan_dependents *d, size_t count)
{
	for (size_t i = 0; i < count; i++)
		map_free(&d->names[i], free);
	free(d->names);
	map_free(&d->group_of, NULL);
}
