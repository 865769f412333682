/* Changes into groups: what is the same in many targets is one entry. Work is one pass over the changes to see which
 * texts are a target's own, and one to put each change under the digest of the rest. */
#include "plan/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/abstract.h"

/* Bytes of an example, and of what stands around the part that varies. */
#define EXAMPLE_MAX    160
#define EXAMPLE_MARGIN 60

/* -- What a change says ------------------------------------------------------------------------------------------- */

/* The differences that matter to a reader, of one change. Borrowed. */
struct said {
	const char *path;
	const json_t *before, *after;
	bool forces_replace, may_replace, sensitive, pending;
};

/* What is to go, by its name where it has one. */
static size_t name_says(struct said **out, const struct plan_change *change)
{
	const char *property = change->type != NULL ? change->type->name_property : NULL;
	const json_t *name = property != NULL ? json_object_get(change->before, property) : NULL;

	if (name == NULL)
		return 0;
	*out = mem_array(1, sizeof **out);
	**out = (struct said){.path = property, .before = name};
	return 1;
}

/* Returns how many; *out is to be freed with free(). */
static size_t change_says(struct said **out, const struct plan_change *change)
{
	const struct plan_diff *diff = &change->diff;
	size_t count = 0;
	const char *name;
	json_t *value;

	*out = NULL;
	if (change->action == PLAN_DELETE || change->action == PLAN_FORGET)
		return name_says(out, change);
	if (diff->count == 0 && change->action == PLAN_CREATE) {
		*out = mem_array(json_object_size(change->after), sizeof **out);
		json_object_foreach(change->after, name, value)(*out)[count++] =
		    (struct said){.path = name, .after = value};
		return count;
	}
	*out = mem_array(diff->count, sizeof **out);
	for (; count < diff->count; count++) {
		const struct plan_difference *item = &diff->items[count];

		(*out)[count] = (struct said){item->path,        item->before,    item->after,  item->forces_replace,
					      item->may_replace, item->sensitive, item->pending};
	}
	return count;
}

/* Changes that could be the same: equal in all but values. */
static uint64_t change_kind(const struct plan_change *change)
{
	uint64_t hash = plan_abstract_hash((uint64_t)change->action, change->type_name);

	hash = plan_abstract_hash(hash, change->stack);
	return plan_abstract_hash(hash, change->logical_id);
}

static uint64_t after_place(uint64_t place)
{
	return plan_abstract_hash(place, "after");
}

static void note_change(struct plan_abstract *a, const struct plan_change *change)
{
	uint64_t kind = change_kind(change);
	struct said *said;
	size_t count = change_says(&said, change);

	for (size_t i = 0; i < count; i++) {
		uint64_t place = plan_abstract_hash(kind, said[i].path);

		plan_abstract_note(a, place, change, said[i].before);
		plan_abstract_note(a, after_place(place), change, said[i].after);
	}
	free(said);
}

/* -- Building ------------------------------------------------------------------------------------------------------ */

struct grouping {
	const struct plan *plan;
	struct plan_abstract *abstract;
	struct map by_key; /* digest of everything but the target -> struct plan_group * */
};

static void key_add(struct buf *key, const json_t *value)
{
	if (value != NULL)
		json_canonical(key, value);
	buf_addc(key, '\n');
}

const char *plan_group_former(const struct plan_change *change)
{
	const char *slash = change->moved_from == NULL || change->deposed ? NULL : strrchr(change->moved_from, '/');

	return slash == NULL || strcmp(slash + 1, change->logical_id) == 0 ? NULL : slash + 1;
}

bool plan_group_is_move(const struct plan_change *change)
{
	return change->moved_from != NULL && change->record_only && !change->accepted;
}

static void group_key(struct buf *key, const struct plan_change *change, const struct said *said,
		      struct plan_group_value *values, size_t count)
{
	buf_addf(key, "%d %d %d %d %d %d %d %d %d\n%s\n%s\n%s\n%s\n", change->action, change->create_first,
		 change->adopted, change->gone, change->retain_old, change->record_only, change->deposed,
		 change->pending, change->accepted, change->type_name, change->stack, change->logical_id,
		 change->reason != NULL ? change->reason : "");
	buf_addf(key, "%s\n", change->since != NULL ? change->since : "");
	if (plan_group_former(change) != NULL)
		buf_addf(key, "%s\n", plan_group_former(change));
	if (plan_change_policies_differ(change))
		buf_addf(key, "%d %d %d %d\n", change->protect_recorded, change->protect,
			 (int)change->deletion_recorded, (int)change->deletion);
	for (size_t i = 0; i < count; i++) {
		buf_addf(key, "%s %d %d %d %d\n", said[i].path, said[i].forces_replace, said[i].may_replace,
			 said[i].sensitive, said[i].pending);
		key_add(key, values[i].before);
		key_add(key, values[i].after);
	}
}

static void values_free(struct plan_group_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_decref(values[i].before);
		json_decref(values[i].after);
		free(values[i].example);
	}
	free(values);
}

static struct plan_group_value *values_abstract(struct grouping *g, const struct plan_change *change,
						const struct said *said, size_t count, unsigned own)
{
	struct plan_group_value *values = mem_array(count, sizeof *values);
	uint64_t kind = change_kind(change);

	for (size_t i = 0; said != NULL && i < count; i++) {
		uint64_t place = plan_abstract_hash(kind, said[i].path);

		values[i] = (struct plan_group_value){
		    .path = said[i].path,
		    .before = plan_abstract_value(g->abstract, place, change, own, said[i].before),
		    .after = plan_abstract_value(g->abstract, after_place(place), change, own, said[i].after),
		    .forces_replace = said[i].forces_replace,
		    .may_replace = said[i].may_replace,
		    .sensitive = said[i].sensitive,
		    .pending = said[i].pending,
		};
	}
	return values;
}

static void group_add_member(struct plan_group *group, const struct plan *plan, size_t index)
{
	const struct plan_change *change = &plan->changes[index];

	if (group->count == group->room) {
		group->room = group->room == 0 ? 4 : 2 * group->room;
		group->members = mem_resize(group->members, group->room, sizeof *group->members);
		group->where = mem_resize(group->where, group->room, sizeof *group->where);
	}
	group->members[group->count] = index;
	group->where[group->count++] = (struct plan_where){change->account, change->region};
	group->drifted += change->drifted;
}

static void place_change(struct grouping *g, size_t index)
{
	const struct plan_change *change = &g->plan->changes[index];
	struct said *said;
	size_t count = change_says(&said, change);
	struct plan_group_value *values = values_abstract(g, change, said, count, PLAN_OWN_ALL);
	buf_auto struct buf key = BUF_INIT;
	struct plan_group *group;
	uint8_t digest[32];
	char hex[65];

	group_key(&key, change, said, values, count);
	/* A plan has a note of accounts that are renamed; what has happened says it of each entry. */
	if (g->plan->past && change->moved_from != NULL)
		buf_adds(&key, "moved\n");
	text_sha256(digest, key.data, key.len);
	text_hex(hex, digest, sizeof digest);
	group = map_get(&g->by_key, hex);
	if (group == NULL) {
		group = mem_alloc(sizeof *group);
		group->sample = change;
		group->values = values;
		group->value_count = count;
		group->name = mem_strdup(change->logical_id);
		map_set(&g->by_key, hex, group);
	} else {
		values_free(values, count);
	}
	group_add_member(group, g->plan, index);
	free(said);
}

/* -- What varies within a group --------------------------------------------------------------------------------------
 */

/* The first text in `real` that `pattern` has otherwise, and what that has there. */
static const char *first_varying(const json_t *real, const json_t *pattern, const char **there)
{
	const char *key, *found = NULL;
	json_t *item;
	size_t i;

	if (real == pattern)
		return NULL;
	if (json_is_string(real) && json_is_string(pattern)) {
		*there = json_string_value(pattern);
		return strcmp(json_string_value(real), *there) != 0 ? json_string_value(real) : NULL;
	}
	json_object_foreach((json_t *)real, key, item)
	{
		found = first_varying(item, json_object_get(pattern, key), there);
		if (found != NULL)
			return found;
	}
	json_array_foreach((json_t *)real, i, item)
	{
		found = first_varying(item, json_array_get(pattern, i), there);
		if (found != NULL)
			return found;
	}
	return NULL;
}

static bool same(const json_t *a, const json_t *b)
{
	return a == b || (a != NULL && b != NULL && json_equal((json_t *)a, (json_t *)b));
}

/* What the members' targets differ in. */
static unsigned group_own(const struct plan_group *group)
{
	unsigned own = 0;

	for (size_t m = 1; m < group->count && own != PLAN_OWN_ALL; m++) {
		if (strcmp(group->where[m].account, group->where[0].account) != 0)
			own |= PLAN_OWN_ACCOUNT;
		if (strcmp(group->where[m].region, group->where[0].region) != 0)
			own |= PLAN_OWN_REGION;
	}
	return own;
}

/* Which values are not the same in all members. To be freed with free(). */
static bool *find_varying(const struct plan *plan, const struct plan_group *group, const struct said *first)
{
	bool *varies = mem_array(group->value_count, sizeof *varies);
	struct said *other;

	for (size_t m = 1; m < group->count; m++) {
		change_says(&other, &plan->changes[group->members[m]]);
		for (size_t i = 0; i < group->value_count; i++)
			varies[i] |= !same(first[i].before, other[i].before) || !same(first[i].after, other[i].after);
		free(other);
	}
	return varies;
}

/* As much of an example as a line takes, around what is not as in `pattern`. */
static char *example_text(const struct plan_change *change, const char *real, const char *pattern)
{
	size_t len = strlen(real), other = strlen(pattern), head = 0, tail = 0, end;

	while (head < len && head < other && real[head] == pattern[head])
		head++;
	while (tail < len - head && tail < other - (head < other ? head : other) &&
	       real[len - 1 - tail] == pattern[other - 1 - tail])
		tail++;
	head = len <= EXAMPLE_MAX || head < EXAMPLE_MARGIN ? 0 : head - EXAMPLE_MARGIN;
	end = len <= EXAMPLE_MAX || tail < EXAMPLE_MARGIN ? len : len - tail + EXAMPLE_MARGIN;
	end = end - head > EXAMPLE_MAX ? head + EXAMPLE_MAX : end;
	/* Characters of several bytes stay whole. */
	while (head > 0 && ((unsigned char)real[head] & 0xc0) == 0x80)
		head--;
	while (end < len && ((unsigned char)real[end] & 0xc0) == 0x80)
		end++;
	return mem_printf("%s/%s: %s%.*s%s", change->account, change->region, head > 0 ? "..." : "", (int)(end - head),
			  real + head, end < len ? "..." : "");
}

/* The first text of a member that its pattern has otherwise, and that pattern; NULL: none. */
static const char *find_example(const struct said *said, const struct plan_group_value *value, const char **pattern)
{
	const char *example = first_varying(said->after, value->after, pattern);

	return example != NULL ? example : first_varying(said->before, value->before, pattern);
}

static void settle_value(struct plan_group_value *value, const struct plan_change *sample, const struct said *said,
			 const char **last)
{
	const char *pattern = "", *example = find_example(said, value, &pattern);

	/* One text that varies often stands in several values; it explains itself once. */
	if (example != NULL && (*last == NULL || strcmp(*last, example) != 0))
		value->example = example_text(sample, example, pattern);
	*last = example;
}

static void value_replace(struct plan_group_value *value, const json_t *before, const json_t *after)
{
	json_t *old_before = value->before, *old_after = value->after;

	value->before = json_incref((json_t *)before);
	value->after = json_incref((json_t *)after);
	json_decref(old_before);
	json_decref(old_after);
}

/* Whether the pattern says of the sample that something in it is its own. */
static bool tells_varying(const struct said *said, const struct plan_group_value *value)
{
	const char *pattern;

	return find_example(said, value, &pattern) != NULL;
}

/* A pattern gives way to the value where all members have the same after all. Where they have not, it says no more than
 * it must: what the members share of account and region stands as it is, unless nothing would tell then that they
 * differ. */
static void settle_values(struct grouping *g, struct plan_group *group)
{
	unsigned own = group_own(group);
	const char *last = NULL;
	struct plan_group_value *closer;
	struct said *first;
	bool *varies;

	/* Nothing is said of what goes and has no name. */
	if (change_says(&first, group->sample) == 0 || first == NULL) {
		free(first);
		return;
	}
	closer = values_abstract(g, group->sample, first, group->value_count, own);
	if (group->each_count > 0)
		plan_group_values_without(closer, group->value_count, group->each[0]);
	varies = find_varying(g->plan, group, first);
	for (size_t i = 0; i < group->value_count; i++) {
		if (!varies[i])
			value_replace(&group->values[i], first[i].before, first[i].after);
		else if (tells_varying(&first[i], &closer[i]))
			value_replace(&group->values[i], closer[i].before, closer[i].after);
		settle_value(&group->values[i], group->sample, &first[i], &last);
	}
	values_free(closer, group->value_count);
	free(varies);
	free(first);
}

/* -- The whole ----------------------------------------------------------------------------------------------------- */

static int action_rank(enum plan_action action)
{
	static const int ranks[] = {[PLAN_DELETE] = 0, [PLAN_REPLACE] = 1, [PLAN_UPDATE] = 2, [PLAN_ADOPT] = 3,
				    [PLAN_FORGET] = 4, [PLAN_CREATE] = 5,  [PLAN_NOOP] = 6};

	return ranks[action];
}

static int order_groups(const void *a, const void *b)
{
	const struct plan_group *x = *(struct plan_group *const *)a, *y = *(struct plan_group *const *)b;
	int by_action = action_rank(x->sample->action) - action_rank(y->sample->action);

	/* What was pending before this branch is another section. */
	if (x->sample->pending != y->sample->pending)
		return x->sample->pending ? 1 : -1;
	if (by_action != 0)
		return by_action;
	return x->members[0] < y->members[0] ? -1 : 1;
}

void plan_groups_make(struct plan_groups *out, const struct plan *plan)
{
	struct grouping g = {plan, plan_abstract_new(plan), MAP_INIT};

	*out = (struct plan_groups){0};
	for (size_t i = 0; i < plan->change_count; i++)
		note_change(g.abstract, &plan->changes[i]);
	for (size_t i = 0; i < plan->change_count; i++)
		place_change(&g, i);
	out->items = mem_array(g.by_key.count, sizeof(struct plan_group *));
	for (size_t i = 0; i < g.by_key.count; i++)
		out->items[out->count++] = g.by_key.entries[i].value;
	qsort(out->items, out->count, sizeof(struct plan_group *), order_groups);
	plan_groups_merge(out);
	for (size_t i = 0; i < out->count; i++)
		settle_values(&g, out->items[i]);
	plan_groups_where(out, plan);
	plan_groups_targets(out, plan);
	map_free(&g.by_key, NULL);
	plan_abstract_free(g.abstract);
}

void plan_group_free(struct plan_group *group)
{
	values_free(group->values, group->value_count);
	free(group->members);
	free(group->where);
	free(group->words);
	free(group->name);
	for (size_t i = 0; i < group->each_count; i++)
		free(group->each[i]);
	free(group->each);
	free(group);
}

void plan_groups_free(struct plan_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		plan_group_free(groups->items[i]);
	free(groups->items);
	*groups = (struct plan_groups){0};
}
