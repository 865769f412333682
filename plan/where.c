/* Sets of targets in words: short where a set has a shape that a person would name (an account, a region, a grid), and
 * by what is missing where that is less. */
#include "plan/where.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

/* Names in a list before "and 9 more". */
#define NAMES_MAX 3

/* An account or a region, with how many of its targets are in the whole, and in the set being looked at. */
struct axis_item {
	const char *name;
	size_t total, now;
};

struct axis {
	struct map by_name; /* -> struct axis_item * */
	struct axis_item **touched;
	size_t touched_count;
};

struct target {
	struct axis_item *account, *region;
	bool now;
};

struct plan_where_set {
	struct axis accounts, regions;
	struct map by_name; /* "account/region" -> struct target * */
	struct target **all;
	size_t count;
	const char *home_region;
	struct target **members; /* of the set being looked at, each once */
	size_t member_count;
};

/* -- The whole ----------------------------------------------------------------------------------------------------- */

static struct axis_item *axis_item(struct axis *axis, const char *name)
{
	struct axis_item *item = map_get(&axis->by_name, name);

	if (item == NULL) {
		item = mem_alloc(sizeof *item);
		item->name = name;
		map_set(&axis->by_name, name, item);
	}
	return item;
}

static void target_add(struct plan_where_set *set, const struct plan_where *where)
{
	mem_auto_str char *name = mem_printf("%s/%s", where->account, where->region);
	struct target *target = map_get(&set->by_name, name);

	if (target != NULL)
		return;
	target = mem_alloc(sizeof *target);
	target->account = axis_item(&set->accounts, where->account);
	target->region = axis_item(&set->regions, where->region);
	target->account->total++;
	target->region->total++;
	map_set(&set->by_name, name, target);
}

struct plan_where_set *plan_where_set_new(const struct plan_where *all, size_t count, const char *home_region)
{
	struct plan_where_set *set = mem_alloc(sizeof *set);

	set->home_region = home_region;
	for (size_t i = 0; i < count; i++)
		target_add(set, &all[i]);
	set->count = set->by_name.live;
	set->all = mem_array(set->count, sizeof(struct target *));
	for (size_t i = 0; i < set->count; i++)
		set->all[i] = set->by_name.entries[i].value;
	set->members = mem_array(set->count, sizeof(struct target *));
	set->accounts.touched = mem_array(set->accounts.by_name.live, sizeof(struct axis_item *));
	set->regions.touched = mem_array(set->regions.by_name.live, sizeof(struct axis_item *));
	return set;
}

void plan_where_set_free(struct plan_where_set *set)
{
	if (set == NULL)
		return;
	map_free(&set->by_name, free);
	map_free(&set->accounts.by_name, free);
	map_free(&set->regions.by_name, free);
	free(set->accounts.touched);
	free(set->regions.touched);
	free(set->all);
	free(set->members);
	free(set);
}

size_t plan_where_set_size(const struct plan_where_set *set)
{
	return set->count;
}

/* -- The set being looked at -----------------------------------------------------------------------------------------
 */

static void axis_clear(struct axis *axis)
{
	for (size_t i = 0; i < axis->touched_count; i++)
		axis->touched[i]->now = 0;
	axis->touched_count = 0;
}

static void axis_touch(struct axis *axis, struct axis_item *item)
{
	if (item->now++ == 0)
		axis->touched[axis->touched_count++] = item;
}

static void members_clear(struct plan_where_set *set)
{
	for (size_t i = 0; i < set->member_count; i++)
		set->members[i]->now = false;
	set->member_count = 0;
	axis_clear(&set->accounts);
	axis_clear(&set->regions);
}

static void member_add(struct plan_where_set *set, struct target *target)
{
	if (target->now)
		return;
	target->now = true;
	set->members[set->member_count++] = target;
	axis_touch(&set->accounts, target->account);
	axis_touch(&set->regions, target->region);
}

/* Turns the set into what it lacks. */
static void members_invert(struct plan_where_set *set)
{
	struct target **missing = mem_array(set->count, sizeof(struct target *));
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		if (!set->all[i]->now)
			missing[count++] = set->all[i];
	members_clear(set);
	for (size_t i = 0; i < count; i++)
		member_add(set, missing[i]);
	free(missing);
}

/* -- Words --------------------------------------------------------------------------------------------------------- */

void plan_count_words(struct buf *out, uint64_t count)
{
	if (count >= 1000) {
		plan_count_words(out, count / 1000);
		buf_addf(out, ",%03u", (unsigned)(count % 1000));
	} else {
		buf_addf(out, "%u", (unsigned)count);
	}
}

/* Plain digits: people search for these words, and scripts do. */
static void add_counted(struct buf *out, size_t count, const char *noun)
{
	buf_addf(out, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

/* "a, b, c" or, when there are many, "12 accounts". */
static void add_axis(struct buf *out, const struct axis *axis, const char *noun)
{
	if (axis->touched_count > NAMES_MAX) {
		add_counted(out, axis->touched_count, noun);
		return;
	}
	for (size_t i = 0; i < axis->touched_count; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", axis->touched[i]->name);
}

static bool whole_accounts(const struct plan_where_set *set)
{
	for (size_t i = 0; i < set->accounts.touched_count; i++)
		if (set->accounts.touched[i]->now != set->accounts.touched[i]->total)
			return false;
	return true;
}

static void add_targets(struct buf *out, const struct plan_where_set *set)
{
	for (size_t i = 0; i < set->member_count && i < NAMES_MAX; i++)
		buf_addf(out, "%s%s/%s", i > 0 ? ", " : "", set->members[i]->account->name,
			 set->members[i]->region->name);
	if (set->member_count > NAMES_MAX) {
		buf_addf(out, " and %zu more", set->member_count - NAMES_MAX);
	}
}

static void add_one_account(struct buf *out, const struct plan_where_set *set)
{
	const struct axis_item *account = set->accounts.touched[0];

	if (account->now == account->total)
		buf_addf(out, "all regions of %s", account->name);
	else if (set->regions.touched_count <= NAMES_MAX) {
		buf_addf(out, "%s in ", account->name);
		add_axis(out, &set->regions, "region");
	} else {
		add_axis(out, &set->regions, "region");
		buf_addf(out, " of %s", account->name);
	}
}

static void add_one_region(struct buf *out, const struct plan_where_set *set)
{
	const struct axis_item *region = set->regions.touched[0];

	if (set->home_region != NULL && strcmp(region->name, set->home_region) == 0) {
		buf_adds(out, "home region of ");
		add_axis(out, &set->accounts, "account");
	} else if (region->now == region->total && set->accounts.touched_count > NAMES_MAX) {
		buf_addf(out, "all accounts in %s", region->name);
	} else {
		add_axis(out, &set->accounts, "account");
		buf_addf(out, " in %s", region->name);
	}
}

/* The shape of the set. */
static void add_shape(struct buf *out, const struct plan_where_set *set)
{
	size_t accounts = set->accounts.touched_count, regions = set->regions.touched_count;

	if (set->member_count <= NAMES_MAX && accounts > 1 && regions > 1)
		add_targets(out, set);
	else if (accounts == 1)
		add_one_account(out, set);
	else if (regions == 1)
		add_one_region(out, set);
	else if (accounts * regions == set->member_count) {
		add_axis(out, &set->accounts, "account");
		buf_adds(out, " x ");
		add_axis(out, &set->regions, "region");
	} else if (whole_accounts(set)) {
		buf_adds(out, "all regions of ");
		add_axis(out, &set->accounts, "account");
	} else {
		add_targets(out, set);
	}
}

/* What is missing; false when that has no short name. */
static bool add_missing(struct buf *out, const struct plan_where_set *set)
{
	if (set->member_count == 1)
		buf_addf(out, ", not in %s/%s", set->members[0]->account->name, set->members[0]->region->name);
	else if (whole_accounts(set) && set->accounts.touched_count <= NAMES_MAX) {
		buf_adds(out, ", not in ");
		for (size_t i = 0; i < set->accounts.touched_count; i++)
			buf_addf(out, "%s%s/*", i > 0 ? ", " : "", set->accounts.touched[i]->name);
	} else if (set->regions.touched_count == 1 && set->regions.touched[0]->now == set->regions.touched[0]->total) {
		buf_addf(out, ", not in */%s", set->regions.touched[0]->name);
	} else if (set->member_count <= NAMES_MAX) {
		buf_adds(out, ", not in ");
		add_targets(out, set);
	} else {
		return false;
	}
	return true;
}

/* One account whose only target is missing is named by the account alone. */
static bool add_missing_account(struct buf *out, const struct plan_where_set *set)
{
	if (set->member_count != 1 || !whole_accounts(set))
		return false;
	buf_addf(out, ", not in %s/*", set->members[0]->account->name);
	return true;
}

void plan_where_set_words(struct buf *out, struct plan_where_set *set, const struct plan_where *members, size_t count)
{
	members_clear(set);
	for (size_t i = 0; i < count; i++) {
		mem_auto_str char *name = mem_printf("%s/%s", members[i].account, members[i].region);
		struct target *target = map_get(&set->by_name, name);

		if (target != NULL)
			member_add(set, target);
	}
	if (set->member_count == 0) {
		buf_adds(out, "no target");
		return;
	}
	if (set->member_count == 1) {
		buf_addf(out, "%s/%s", set->members[0]->account->name, set->members[0]->region->name);
		return;
	}
	if (set->member_count == set->count) {
		buf_adds(out, "all ");
		add_counted(out, set->count, "target");
		/* A stack that goes to one account, or to one region, is no news to who wrote it, but to who reads on.
		 */
		if (set->accounts.touched_count == 1 || set->regions.touched_count == 1) {
			buf_adds(out, ": ");
			add_shape(out, set);
		}
		return;
	}
	buf_addf(out, "%zu of ", set->member_count);
	add_counted(out, set->count, "target");
	if (2 * set->member_count > set->count) {
		buf_auto struct buf shape = BUF_INIT;

		add_shape(&shape, set);
		members_invert(set);
		if (!add_missing_account(out, set) && !add_missing(out, set))
			buf_addf(out, ": %s", buf_str(&shape));
		return;
	}
	buf_adds(out, ": ");
	add_shape(out, set);
}

void plan_where_words(struct buf *out, const struct plan_where *members, size_t count, const struct plan_where *all,
		      size_t all_count, const char *home_region)
{
	/* Members belong to the whole, whatever the caller says it is. */
	struct plan_where *whole = mem_array(all_count + count, sizeof *whole);
	struct plan_where_set *set;

	if (all_count > 0)
		memcpy(whole, all, all_count * sizeof *whole);
	if (count > 0)
		memcpy(whole + all_count, members, count * sizeof *whole);
	set = plan_where_set_new(whole, all_count + count, home_region);
	plan_where_set_words(out, set, members, count);
	plan_where_set_free(set);
	free(whole);
}
