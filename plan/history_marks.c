/* A record may go, or get other values, without anything being done in AWS: drift that is accepted, what is retained or
 * was adopted, surgery. The history has only the bodies; which it was, the generation's facts say. */
#include "plan/history_marks.h"

#include "base/json.h"
#include "base/mem.h"

static void note(struct map *set, uint64_t generation, const json_t *addresses)
{
	mem_auto_str char *all = mem_printf("%ju", (uintmax_t)generation);
	json_t *address;
	size_t i;

	if (json_is_true(addresses))
		map_set(set, all, set);
	json_array_foreach(addresses, i, address)
	{
		mem_auto_str char *key = mem_printf("%ju %s", (uintmax_t)generation,
						    json_is_string(address) ? json_string_value(address) : "");

		map_set(set, key, set);
	}
}

/* state rm tells how many it forgot, and deletes nothing; an apply counts what it has done, too. */
static bool is_surgery(const json_t *outcome)
{
	return json_object_get(outcome, "Forgotten") != NULL && json_object_get(outcome, "Done") == NULL;
}

int history_marks_load(struct history_marks *marks, struct state_txn *txn, uint64_t from, uint64_t to, struct diag *d)
{
	*marks =
	    (struct history_marks){.txn = txn, .from = from, .to = to, .accepted = MAP_INIT, .forgotten = MAP_INIT};
	for (uint64_t number = from + 1; number <= to; number++) {
		json_auto_t *generation = NULL;
		const json_t *facts;

		if (state_generation_get(txn, number, &generation, d) < 0)
			return -1;
		facts = json_object_get(generation, "Facts");
		note(&marks->accepted, number, json_object_get(facts, "Accepted"));
		note(&marks->forgotten, number,
		     is_surgery(json_object_get(generation, "Outcome")) ? json_true()
									: json_object_get(facts, "Forgotten"));
	}
	return 0;
}

void history_marks_free(struct history_marks *marks)
{
	map_free(&marks->accepted, NULL);
	map_free(&marks->forgotten, NULL);
}

static bool has(const struct map *set, uint64_t generation, const char *address)
{
	mem_auto_str char *one = mem_printf("%ju %s", (uintmax_t)generation, address),
			  *all = mem_printf("%ju", (uintmax_t)generation);

	return map_has(set, one) || map_has(set, all);
}

struct steps {
	const struct history_marks *marks;
	const char *address;
	bool accepted, forgotten; /* every step; the last one */
};

static int step(void *payload, uint64_t generation, const json_t *before, const json_t *after)
{
	struct steps *steps = payload;
	const struct history_marks *marks = steps->marks;

	(void)before;
	if (generation <= marks->from || generation > marks->to)
		return 0;
	steps->accepted = steps->accepted && has(&marks->accepted, generation, steps->address);
	steps->forgotten = after == NULL && has(&marks->forgotten, generation, steps->address);
	return 0;
}

int history_marks_apply(const struct history_marks *marks, struct plan_change *change, struct diag *d)
{
	struct steps steps = {.marks = marks, .address = change->address, .accepted = true};

	if ((change->action != PLAN_DELETE || marks->forgotten.live == 0) &&
	    (change->action != PLAN_UPDATE || marks->accepted.live == 0))
		return 0;
	if (state_history_of(marks->txn, change->address, step, &steps, d) < 0)
		return -1;
	if (change->action == PLAN_DELETE && steps.forgotten) {
		change->action = PLAN_FORGET;
		change->reason = "history_forgotten";
	} else if (change->action == PLAN_UPDATE && steps.accepted) {
		change->accepted = true;
		change->record_only = true;
		change->reason = "history_accepted";
	}
	return 0;
}
