/* How much a plan does, by action, account and region. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/view.h"

void plan_view_count_name(struct map *counts, const char *name)
{
	size_t *count = map_get(counts, name);

	if (count == NULL) {
		count = mem_alloc(sizeof *count);
		map_set(counts, name, count);
	}
	++*count;
}

/* The first four are said also when there are none; moves come after the actions. */
#define TOTALS_ALWAYS 4
#define TOTAL_MOVES   (PLAN_VIEW_TOTALS - 1)
static const enum plan_action total_order[TOTAL_MOVES] = {PLAN_CREATE, PLAN_UPDATE, PLAN_REPLACE,
							  PLAN_DELETE, PLAN_ADOPT,  PLAN_FORGET};

static void count_total(struct plan_view_total *totals, struct map *seen, size_t total,
			const struct plan_change *change)
{
	mem_auto_str char *key = mem_printf("%zu/%s/%s", total, change->account, change->region);

	totals[total].count++;
	totals[total].targets += map_set(seen, key, seen) == NULL;
}

/* Which changes: all, or those of one section. */
enum counted { COUNT_ALL, COUNT_OWN, COUNT_PENDING };

/* What moves and is changed, too, counts as both. */
static void count_actions(struct plan_view_total *totals, const struct plan *plan, enum counted which)
{
	struct map seen = MAP_INIT;

	for (size_t t = 0; t < TOTAL_MOVES; t++)
		totals[t].verb = plan_view_verb(plan, total_order[t]);
	totals[TOTAL_MOVES].verb = plan_view_move_verb(plan);
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if (which != COUNT_ALL && change->pending != (which == COUNT_PENDING))
			continue;
		if (change->moved_from != NULL && !change->deposed)
			count_total(totals, &seen, TOTAL_MOVES, change);
		for (size_t t = 0; t < TOTAL_MOVES && !plan_group_is_move(change); t++)
			if (total_order[t] == change->action)
				count_total(totals, &seen, t, change);
	}
	map_free(&seen, NULL);
}

/* "3 to create in 2 of 4 targets", "3 created in 2 targets": what has happened has no whole that it is a part of. */
static void add_total(struct buf *out, const struct plan_view *view, const struct plan_view_total *total)
{
	const struct plan *plan = view->plan;
	size_t all = plan->past ? total->targets : view->groups.target_count;

	/* Plain digits: people search for these words, and scripts do. */
	buf_addf(out, "%s%zu %s%s", out->len > 0 ? ", " : "", total->count, plan->drift || plan->past ? "" : "to ",
		 total->verb);
	if (total->count == 0)
		return;
	buf_addf(out, " in %zu", total->targets);
	if (!plan->past)
		buf_addf(out, " of %zu", all);
	buf_addf(out, " target%s", all == 1 ? "" : "s");
}

/* `always`: the usual actions are said also where there are none of them. */
static void add_totals(struct buf *out, const struct plan_view *view, const struct plan_view_total *totals, bool always)
{
	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++)
		if (totals[i].count > 0 || (i < TOTALS_ALWAYS && always))
			add_total(out, view, &totals[i]);
}

static void make_summary(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	struct buf out = BUF_INIT;

	add_totals(&out, view, view->totals, !plan->drift && !plan->past);
	view->label = plan->drift ? "Drift:" : plan->past ? "Changed:" : "Plan:";
	view->summary = buf_detach(&out);
}

void plan_view_section_totals(struct buf *out, const struct plan_view *view, bool pending)
{
	struct plan_view_total totals[PLAN_VIEW_TOTALS] = {0};

	count_actions(totals, view->plan, pending ? COUNT_PENDING : COUNT_OWN);
	add_totals(out, view, totals, false);
}

static size_t make_counts(struct plan_view_count **out, const struct map *counts)
{
	*out = mem_array(counts->count, sizeof **out);
	for (size_t i = 0; i < counts->count; i++)
		(*out)[i] = (struct plan_view_count){plan_view_cleaned(counts->entries[i].key),
						     *(size_t *)counts->entries[i].value};
	return counts->count;
}

static void count_places(struct plan_view *view)
{
	struct map accounts = MAP_INIT, regions = MAP_INIT;

	for (size_t i = 0; i < view->plan->change_count; i++) {
		plan_view_count_name(&accounts, view->plan->changes[i].account);
		plan_view_count_name(&regions, view->plan->changes[i].region);
	}
	view->account_count = make_counts(&view->accounts, &accounts);
	view->region_count = make_counts(&view->regions, &regions);
	map_free(&accounts, free);
	map_free(&regions, free);
}

void plan_view_totals_make(struct plan_view *view)
{
	count_actions(view->totals, view->plan, COUNT_ALL);
	count_places(view);
	if (plan_has_work(view->plan))
		make_summary(view);
}
