/* Where groups are: each in words, among all targets of its stack; and how many targets there are. */
#include "plan/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "plan/where.h"

struct places {
	struct plan_where *items;
	size_t count, room;
};

static void places_add(struct places *places, const char *account, const char *region)
{
	if (places->count == places->room) {
		places->room = places->room == 0 ? 64 : 2 * places->room;
		places->items = mem_resize(places->items, places->room, sizeof *places->items);
	}
	places->items[places->count++] = (struct plan_where){account, region};
}

/* Where a stack goes; what it has left or leaves now was its own too. */
static struct plan_where_set *stack_places(const struct plan *plan, const char *stack)
{
	struct places places = {0};
	struct plan_where_set *set;
	json_t *regions, *region;
	const char *account;
	size_t i;

	json_object_foreach(json_object_get(plan->reached, stack), account, regions)
	{
		json_array_foreach(regions, i, region) places_add(&places, account, json_string_value(region));
	}
	for (i = 0; i < plan->change_count; i++)
		if (strcmp(plan->changes[i].stack, stack) == 0)
			places_add(&places, plan->changes[i].account, plan->changes[i].region);
	set = plan_where_set_new(places.items, places.count, plan->home_region);
	free(places.items);
	return set;
}

static void free_set(void *set)
{
	plan_where_set_free(set);
}

void plan_groups_where(struct plan_groups *groups, const struct plan *plan)
{
	struct map stacks = MAP_INIT;

	for (size_t i = 0; i < groups->count; i++) {
		struct plan_group *group = groups->items[i];
		const char *stack = group->sample->stack;
		struct plan_where_set *set = map_get(&stacks, stack);
		struct buf words = BUF_INIT;

		if (set == NULL) {
			set = stack_places(plan, stack);
			map_set(&stacks, stack, set);
		}
		plan_where_set_words(&words, set, group->where, group->count);
		group->words = buf_detach(&words);
	}
	map_free(&stacks, free_set);
}

void plan_groups_targets(struct plan_groups *out, const struct plan *plan)
{
	struct places all = {0}, touched = {0};
	struct plan_where_set *set;
	json_t *accounts, *regions, *region;
	const char *stack, *account;
	size_t i;

	for (i = 0; i < plan->change_count; i++) {
		places_add(&all, plan->changes[i].account, plan->changes[i].region);
		places_add(&touched, plan->changes[i].account, plan->changes[i].region);
	}
	json_object_foreach(plan->reached, stack, accounts)
	{
		json_object_foreach(accounts, account, regions)
		{
			json_array_foreach(regions, i, region) places_add(&all, account, json_string_value(region));
		}
	}
	set = plan_where_set_new(all.items, all.count, NULL);
	out->target_count = plan_where_set_size(set);
	plan_where_set_free(set);
	set = plan_where_set_new(touched.items, touched.count, NULL);
	out->touched = plan_where_set_size(set);
	plan_where_set_free(set);
	free(all.items);
	free(touched.items);
}
