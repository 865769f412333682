/* The plan for people: each change once, with where; then what is not in it; then totals. What a reviewer must not
 * miss comes first. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "plan/group.h"
#include "plan/render.h"
#include "plan/where.h"

/* Totals by account and by region are listed up to this many. */
#define TOTALS_MAX  10
#define WIDTH_LEAST 40

/* -- Reasons ------------------------------------------------------------------------------------------------------- */

static const char *const reasons[][2] = {
    {"recreate_because_gone", "it is gone from AWS"},
    {"replace_because_cannot_update_same_name", "the old one goes first, since both have the same name"},
    {"replace_because_cannot_update", "the new one is made first, then the old one goes"},
    {"may_replace_because_unknown", "replaced only if the value turns out to be another"},
    {"update_because_incomplete", "an earlier apply did not get to its end here"},
    {"history_type_unknown", "this version does not know the type, so its values are not shown"},
    {"update_record_only", "only the record changes (dependencies, policies or Protect), nothing in AWS"},
    {"update_because_moved", "only its record moves, nothing changes in AWS"},
    {"adopt_because_exists", "it exists in AWS and is taken over"},
    {"adopt_because_cut_off", "it was made by a run that was cut off"},
    {"delete_because_deposed", "an earlier replacement left it behind"},
    {"delete_because_no_resource_config", "no longer in the specs"},
    {"delete_because_destroy", NULL},
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

/* -- Entries ------------------------------------------------------------------------------------------------------- */

static void print_remarks(struct plan_printer *p, const struct plan_group *group)
{
	const struct plan_change *change = group->sample;
	const char *words = reason_words(change->reason);

	if (plan_group_former(change) != NULL) {
		mem_auto_str char *text = mem_printf("moved from %s/%s", change->stack, plan_group_former(change));

		plan_remark(p, 4, text);
	}
	if (words != NULL)
		plan_remark(p, 4, words);
	if (change->retain_old)
		plan_remark(p, 4, "the old one is left in AWS");
	if (group->drifted > 0 && !change->gone) {
		buf_auto struct buf text = BUF_INIT;

		buf_adds(&text, "AWS has other values than were recorded");
		if (group->drifted < group->count) {
			buf_adds(&text, " in ");
			plan_count_words(&text, group->drifted);
			buf_adds(&text, group->drifted == 1 ? " of these" : " of these targets");
		}
		plan_remark(p, 4, buf_str(&text));
	}
}

/* "forces replacement; app-1/eu-west-1: trail-111", or NULL. To be freed. */
static char *value_remark(const struct plan_group_value *value)
{
	const char *replaces = value->forces_replace ? "forces replacement" : value->may_replace ? "may replace" : NULL;

	if (replaces == NULL)
		return mem_strdup(value->example);
	if (value->example == NULL)
		return mem_strdup(replaces);
	return mem_printf("%s; %s", replaces, value->example);
}

static void print_value(struct plan_printer *p, const struct plan_group *group, const struct plan_group_value *value)
{
	mem_auto_str char *remark = value_remark(value);
	json_t *hidden = value->sensitive ? json_pack("{s:{}}", "Muster::Secret") : NULL;
	const json_t *before = hidden != NULL && value->before != NULL ? hidden : value->before;
	const json_t *after = hidden != NULL && value->after != NULL ? hidden : value->after;

	if (group->sample->action == PLAN_CREATE && before == NULL)
		plan_value_whole(p, 4, '+', value->path, after, remark);
	else
		plan_value_changed(p, 4, value->path, before, after, remark);
	json_decref(hidden);
}

/* What only moves since its account has another name: the note of that says all there is to say. */
static bool is_renamed_only(const struct plan_group *group)
{
	return plan_group_is_move(group->sample) && plan_group_former(group->sample) == NULL;
}

static const char *verb(const struct plan_change *change, bool past)
{
	if (plan_group_is_move(change))
		return past ? "moved" : "move";
	return past ? plan_action_past(change->action) : plan_action_name(change->action);
}

static void print_group(struct plan_printer *p, const struct plan_group *group, bool past)
{
	const struct plan_change *change = group->sample;
	enum plan_paint paint = plan_paint_of(change->action);

	plan_paint(p, paint);
	buf_addf(&p->raw, "%s %s", plan_action_sign(change->action, change->create_first), verb(change, past));
	plan_paint_end(p, paint);
	buf_addc(&p->raw, ' ');
	plan_paint(p, PLAN_PAINT_BOLD);
	buf_addf(&p->raw, "%s/%s", change->stack, change->logical_id);
	plan_paint_end(p, PLAN_PAINT_BOLD);
	buf_addf(&p->raw, " (%s)\n", change->type_name);
	buf_addf(&p->raw, "    in %s\n", group->words);
	print_remarks(p, group);
	for (size_t i = 0; i < group->value_count; i++)
		print_value(p, group, &group->values[i]);
	buf_addc(&p->raw, '\n');
}

/* -- Totals -------------------------------------------------------------------------------------------------------- */

static void add_counted(struct buf *out, size_t count, const char *noun)
{
	plan_count_words(out, count);
	buf_addf(out, " %s%s", noun, count == 1 ? "" : "s");
}

struct total {
	size_t count, targets;
};

#define MOVES (PLAN_DELETE + 1) /* counted after the actions */

static void count_total(struct total *totals, struct map *seen, int what, const struct plan_change *change)
{
	mem_auto_str char *key = mem_printf("%d/%s/%s", what, change->account, change->region);

	totals[what].count++;
	totals[what].targets += map_set(seen, key, seen) == NULL;
}

/* What moves and is changed, too, counts as both. */
static void count_actions(struct total totals[MOVES + 1], const struct plan *plan)
{
	struct map seen = MAP_INIT;

	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if (change->moved_from != NULL && !change->deposed)
			count_total(totals, &seen, MOVES, change);
		if (!plan_group_is_move(change))
			count_total(totals, &seen, (int)change->action, change);
	}
	map_free(&seen, NULL);
}

static void print_plan_line(struct plan_printer *p, const struct plan *plan, const struct plan_groups *groups)
{
	/* The first four are said also when there are none. */
	static const int order[] = {PLAN_CREATE, PLAN_UPDATE, PLAN_REPLACE, PLAN_DELETE,
				    PLAN_ADOPT,  PLAN_FORGET, MOVES};
	struct total totals[MOVES + 1] = {0};

	count_actions(totals, plan);
	plan_paint(p, PLAN_PAINT_BOLD);
	buf_adds(&p->raw, "Plan:");
	plan_paint_end(p, PLAN_PAINT_BOLD);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		const struct total *total = &totals[order[i]];

		if (i >= 4 && total->count == 0)
			continue;
		/* Plain digits: people search for these words, and scripts do. */
		buf_addf(&p->raw, "%s%zu to %s", i > 0 ? ", " : " ", total->count,
			 order[i] == MOVES ? "move" : plan_action_name((enum plan_action)order[i]));
		if (total->count > 0)
			buf_addf(&p->raw, " in %zu of %zu target%s", total->targets, groups->target_count,
				 groups->target_count == 1 ? "" : "s");
	}
	buf_adds(&p->raw, ".\n");
}

/* "Changed: 2 created in 2 targets, 1 deleted in 1 target." */
static void print_past_line(struct plan_printer *p, const struct plan *plan)
{
	static const enum plan_action order[] = {PLAN_CREATE, PLAN_UPDATE, PLAN_REPLACE, PLAN_DELETE};
	struct total totals[MOVES + 1] = {0};
	bool first = true;

	count_actions(totals, plan);
	plan_paint(p, PLAN_PAINT_BOLD);
	buf_adds(&p->raw, "Changed:");
	plan_paint_end(p, PLAN_PAINT_BOLD);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		const struct total *total = &totals[order[i]];

		if (total->count == 0)
			continue;
		buf_addf(&p->raw, "%s%zu %s in %zu target%s", first ? " " : ", ", total->count,
			 plan_action_past(order[i]), total->targets, total->targets == 1 ? "" : "s");
		first = false;
	}
	buf_adds(&p->raw, ".\n");
}

static void count_one(struct map *counts, const char *name)
{
	size_t *count = map_get(counts, name);

	if (count == NULL) {
		count = mem_alloc(sizeof *count);
		map_set(counts, name, count);
	}
	++*count;
}

static void print_counts(struct plan_printer *p, const char *title, const struct map *counts)
{
	if (counts->live < 2 || counts->live > TOTALS_MAX)
		return;
	buf_addf(&p->raw, "%s", title);
	for (size_t i = 0; i < counts->count; i++) {
		buf_addf(&p->raw, "%s%s ", i > 0 ? ", " : " ", counts->entries[i].key);
		plan_count_words(&p->raw, *(size_t *)counts->entries[i].value);
	}
	buf_adds(&p->raw, ".\n");
}

static void print_totals(struct plan_printer *p, const struct plan *plan, const struct plan_groups *groups)
{
	struct map accounts = MAP_INIT, regions = MAP_INIT;

	if (plan->past)
		print_past_line(p, plan);
	else
		print_plan_line(p, plan, groups);
	for (size_t i = 0; i < plan->change_count; i++) {
		count_one(&accounts, plan->changes[i].account);
		count_one(&regions, plan->changes[i].region);
	}
	print_counts(p, "By account:", &accounts);
	print_counts(p, "By region:", &regions);
	if (plan->unchanged > 0) {
		add_counted(&p->raw, plan->unchanged, "resource");
		buf_addf(&p->raw, " %s as specified.\n", plan->unchanged == 1 ? "is" : "are");
	}
	map_free(&accounts, free);
	map_free(&regions, free);
}

static void print_nothing(struct plan_printer *p, const struct plan *plan)
{
	if (plan->past) {
		buf_adds(&p->raw, "No changes.\n");
		return;
	}
	plan_paint(p, PLAN_PAINT_BOLD);
	buf_adds(&p->raw, plan_is_whole(plan) ? "No changes." : "No changes in what could be reached.");
	plan_paint_end(p, PLAN_PAINT_BOLD);
	buf_addc(&p->raw, ' ');
	add_counted(&p->raw, plan->unchanged, "resource");
	buf_addf(&p->raw, " %s as specified.\n", plan->unchanged == 1 ? "is" : "are");
}

/* -- The whole ----------------------------------------------------------------------------------------------------- */

static void print_rest(struct plan_printer *p, const struct plan *plan, const struct plan_groups *groups)
{
	plan_render_notes(p, plan);
	if (plan->change_count > 0)
		print_totals(p, plan, groups);
	else
		print_nothing(p, plan);
	if (!plan->refreshed)
		buf_adds(&p->raw, "AWS was not asked (--no-refresh): this compares with the records only.\n");
}

static void print_head(struct plan_printer *p, const struct plan *plan)
{
	buf_auto struct buf words = BUF_INIT;

	plan_rollback_words(&words, plan);
	if (words.len == 0)
		return;
	plan_paint(p, PLAN_PAINT_BOLD);
	buf_adds(&p->raw, buf_str(&words));
	plan_paint_end(p, PLAN_PAINT_BOLD);
	buf_adds(&p->raw, "\n\n");
}

void plan_render_text(struct buf *out, const struct plan *plan, const struct plan_text_options *options)
{
	size_t width = options->width > 0 ? (size_t)options->width : 100;
	struct plan_printer p = {BUF_INIT, options->color, width < WIDTH_LEAST ? WIDTH_LEAST : width};
	struct plan_groups groups;

	if (!options->entries_only)
		print_head(&p, plan);
	plan_groups_make(&groups, plan);
	for (size_t i = 0; i < groups.count; i++)
		if (!is_renamed_only(groups.items[i]))
			print_group(&p, groups.items[i], plan->past);
	if (!options->entries_only)
		print_rest(&p, plan, &groups);
	plan_groups_free(&groups);
	plan_printer_finish(&p, out);
}
