/* Limits of muster.json on what one plan may do. They are counted from the plan's changes alone, so that whoever reads
 * a plan file counts the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "plan/plan.h"

/* What a plan does, and of how many. */
struct counts {
	size_t deletes, replaces, targets;
	size_t resources; /* recorded ones that the plan looked at */
	size_t places;    /* targets that the specs reach or the plan changes */
};

/* -- Counting ------------------------------------------------------------------------------------------------------ */

static void add_place(struct map *places, const char *account, const char *region)
{
	mem_auto_str char *key = mem_printf("%s/%s", account, region);

	map_set(places, key, places);
}

static void count_places(struct counts *counts, const struct plan *plan)
{
	struct map places = MAP_INIT;
	json_t *accounts, *regions, *region;
	const char *stack, *account;
	size_t i;

	for (i = 0; i < plan->change_count; i++)
		add_place(&places, plan->changes[i].account, plan->changes[i].region);
	counts->targets = places.live;
	json_object_foreach(plan->reached, stack, accounts) json_object_foreach(accounts, account, regions)
	{
		json_array_foreach(regions, i, region)
		{
			if (json_is_string(region))
				add_place(&places, account, json_string_value(region));
		}
	}
	counts->places = places.live;
	map_free(&places, NULL);
}

/* -- What the state knows ------------------------------------------------------------------------------------------ */

static const char *account_id(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->account_count; i++)
		if (strcmp(plan->accounts[i].name, name) == 0)
			return plan->accounts[i].id;
	return NULL;
}

static bool names(const json_t *regions, const char *region)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)regions, i, item)
	{
		if (json_is_string(item) && strcmp(json_string_value(item), region) == 0)
			return true;
	}
	return false;
}

/* Targets that the specs reach, as far as the state remembers that there are such. */
static int add_remembered(struct map *places, const struct plan *plan, const char *account, const json_t *regions,
			  struct state_txn *txn, struct diag *d)
{
	const char *id = account_id(plan, account);
	json_auto_t *known = NULL;
	json_t *region;
	size_t i;

	if (id == NULL || json_array_size(regions) == 0)
		return 0;
	if (state_regions_get(txn, id, &known, d) < 0)
		return -1;
	json_array_foreach((json_t *)regions, i, region)
	{
		if (json_is_string(region) && names(json_object_get(known, "Regions"), json_string_value(region)))
			add_place(places, id, json_string_value(region));
	}
	return 0;
}

/* What percentages are of, no more than the state bears out: a plan file can say anything. By account ids, for the
 * names stand in the file, too. */
static int bound(struct counts *counts, const struct plan *plan, struct state_txn *txn, struct diag *d)
{
	struct map places = MAP_INIT;
	json_t *accounts, *regions;
	const char *stack, *account;
	size_t records = 0;
	int result = state_record_count(txn, &records, d);

	for (size_t i = 0; i < plan->change_count; i++)
		add_place(&places, plan->changes[i].account_id, plan->changes[i].region);
	json_object_foreach(plan->reached, stack, accounts) json_object_foreach(accounts, account, regions)
	{
		if (result == 0)
			result = add_remembered(&places, plan, account, regions, txn, d);
	}
	counts->resources = counts->resources < records ? counts->resources : records;
	counts->places = counts->places < places.live ? counts->places : places.live;
	map_free(&places, NULL);
	return result;
}

static void count(struct counts *counts, const struct plan *plan)
{
	*counts = (struct counts){.resources = plan->unchanged};
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		counts->resources += change->version > 0 && !change->deposed;
		if (change->action == PLAN_DELETE)
			counts->deletes++;
		/* Rule 11: what may turn out to be a replacement counts as one. */
		else if (change->action == PLAN_REPLACE || change->diff.may_replace)
			counts->replaces++;
	}
	count_places(counts, plan);
}

/* -- Limits -------------------------------------------------------------------------------------------------------- */

/* "5%", "0.25%": in hundredths of a percent. */
static int read_percent(size_t *out, const char *s)
{
	size_t whole = 0, part = 0, digits = 0;

	if (!isdigit((unsigned char)*s))
		return -1;
	for (; isdigit((unsigned char)*s) && digits < 4; s++, digits++)
		whole = 10 * whole + (size_t)(*s - '0');
	if (*s == '.') {
		if (!isdigit((unsigned char)s[1]))
			return -1;
		part = 10 * (size_t)(s[1] - '0');
		s += 2;
		if (isdigit((unsigned char)*s))
			part += (size_t)(*s++ - '0');
	}
	*out = 100 * whole + part;
	return strcmp(s, "%") == 0 && *out <= 10000 ? 0 : -1;
}

int plan_limit_parse(size_t *out, const json_t *limit, size_t of)
{
	const char *text = json_string_value(limit);
	size_t hundredths;

	if (json_is_integer(limit) && json_integer_value(limit) >= 0) {
		*out = (size_t)json_integer_value(limit);
		return 0;
	}
	if (text == NULL || read_percent(&hundredths, text) < 0)
		return -1;
	/* Rounded up: 5% of ten is one. */
	*out = (of * hundredths + 9999) / 10000;
	return 0;
}

struct limit {
	const char *name;
	size_t count, of;
	const char *does, *what, *basis; /* "deletes", "", "recorded resources" */
};

/* What is over goes to `over`. */
static int judge(json_t *over, const json_t *limits, const struct limit *limit, struct diag *d)
{
	const json_t *set = json_object_get(limits, limit->name);
	buf_auto struct buf text = BUF_INIT;
	size_t most = 0;

	if (set == NULL)
		return 0;
	if (plan_limit_parse(&most, set, limit->of) < 0)
		return diag_error(d, "Limits.%s must be a number, or a percentage like \"5%%\"", limit->name);
	if (limit->count <= most)
		return 0;
	buf_addf(&text, "%s %zu%s, %s is ", limit->does, limit->count, limit->what, limit->name);
	if (json_is_string(set))
		buf_addf(&text, "%s of %zu %s: ", json_string_value(set), limit->of, limit->basis);
	buf_addf(&text, "%zu", most);
	json_array_append_new(over, json_string(buf_str(&text)));
	return 0;
}

/* The list of what is over; NULL with a message. New reference. */
static json_t *over_list(const struct plan *plan, const json_t *limits, struct state_txn *txn, struct diag *d)
{
	json_t *over = json_array();
	struct counts n;
	int result = 0;

	count(&n, plan);
	if (txn != NULL)
		result = bound(&n, plan, txn, d);
	const struct limit all[] = {
	    {"MaxDelete", n.deletes, n.resources, "deletes", "", "recorded resources"},
	    {"MaxReplace", n.replaces, n.resources, "replaces", "", "recorded resources"},
	    {"MaxTargets", n.targets, n.places, "changes", " targets", "targets"},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (judge(over, limits, &all[i], d) < 0)
			result = -1;
	if (result == 0)
		return over;
	json_decref(over);
	return NULL;
}

int plan_limits_find(json_t **out, const struct plan *plan, const json_t *limits, bool override, struct diag *d)
{
	json_t *over;

	*out = NULL;
	if (json_object_size(limits) == 0)
		return 0;
	over = over_list(plan, limits, NULL, d);
	if (over == NULL)
		return -1;
	*out = json_pack("{s:O, s:o, s:b}", "Limits", limits, "Over", over, "Overridden",
			 (int)(override && json_array_size(over) > 0));
	return 0;
}

static int refuse(const json_t *over, const char *whose, struct diag *d)
{
	json_t *item;
	size_t i;

	json_array_foreach(over, i, item)
	    diag_error(d, "this plan is over the limits of %s: it %s", whose, json_string_value(item));
	if (json_array_size(over) == 0)
		return 0;
	return diag_error(d, "nothing is applied; if all of it is meant, make the plan again with --override-limit");
}

static int check(const struct plan *plan, const json_t *limits, const char *whose, struct state_txn *txn,
		 struct diag *d)
{
	json_auto_t *over = NULL;

	if (json_object_size(limits) == 0)
		return 0;
	over = over_list(plan, limits, txn, d);
	return over == NULL ? -1 : refuse(over, whose, d);
}

int plan_limits_check(const struct plan *plan, const json_t *now, struct state *state, struct diag *d)
{
	struct state_txn *txn = NULL;
	int result;

	if (json_get_bool(plan->limits, "Overridden", false))
		return 0;
	if (plan->loaded && state != NULL && state_begin(&txn, state, false, d) < 0)
		return -1;
	result = check(plan, json_object_get(plan->limits, "Limits"), "its specs", txn, d);
	if (result == 0)
		result = check(plan, now, "muster.json", txn, d);
	if (txn != NULL)
		state_abort(txn);
	return result;
}
