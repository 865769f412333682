/* The outputs of stacks, recorded when everything else is over: what was not known when the plan was made is known
 * then. Those of an instance stay as they were while a change of it, or something that they rest on, is not done: the
 * next plan shows them again. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/mem.h"

/* A transaction holds its writes twice in memory. */
#define STORED_AT_ONCE 1000

struct undone {
	struct map addresses; /* of changes that are not done, and of their instances */
};

static void undone_fill(struct undone *undone, const struct apply_run *run)
{
	for (size_t i = 0; i < run->plan->change_count; i++) {
		const char *address = run->plan->changes[i].address;
		mem_auto_str char *instance = NULL;

		if (run->changes[i].status == APPLY_DONE)
			continue;
		instance = mem_strndup(address, (size_t)(strrchr(address, '/') - address));
		map_set(&undone->addresses, address, undone);
		map_set(&undone->addresses, instance, undone);
	}
}

/* Whether a residual in the value is an attribute of something that is not done. */
static bool waits(const struct undone *undone, const json_t *value)
{
	const json_t *attribute = json_is_object(value) ? json_object_get(value, "Muster::Attribute") : NULL;
	const char *address = json_string_value(json_array_get(attribute, 0)), *key;
	json_t *item;
	size_t i;

	if (address != NULL && map_has(&undone->addresses, address))
		return true;
	json_object_foreach((json_t *)value, key, item)
	{
		if (waits(undone, item))
			return true;
	}
	json_array_foreach((json_t *)value, i, item)
	{
		if (waits(undone, item))
			return true;
	}
	return false;
}

static bool is_undone(const struct undone *undone, const struct plan_output *output)
{
	if (undone->addresses.live == 0)
		return false;
	if (map_has(&undone->addresses, output->address))
		return true;
	for (size_t i = 0; i < output->depend_count; i++)
		if (map_has(&undone->addresses, output->depends[i]))
			return true;
	return waits(undone, output->after);
}

int apply_outputs_load(json_t **out, struct state_txn *txn, const char *address, struct diag *d)
{
	struct state_outputs raw;
	int found = state_outputs_get(txn, address, &raw, d);

	*out = NULL;
	if (found <= 0)
		return found;
	*out = json_loadb(raw.text, raw.text_len, 0, NULL);
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	*out = NULL;
	return diag_error(d, "the state's outputs of %s cannot be read", address);
}

/* Lays one output into what is recorded of its instance. Whether that changes anything. */
static bool output_lay(struct apply_run *run, json_t *all, const struct plan_output *output)
{
	struct diag why = DIAG_INIT;
	json_t *value = NULL;
	bool changed = false;

	if (output->after == NULL)
		return json_object_del(all, output->name) == 0;
	if (apply_resolve_attributes(&value, run, output->after, &why) == 0) {
		const json_t *before = json_object_get(all, output->name);

		changed = before == NULL || !json_equal((json_t *)before, value);
		json_object_set_new(all, output->name, value);
	} else {
		diag_warning(run->d, "%s: its output %s stays as it was recorded: %s", output->address, output->name,
			     diag_first_error(&why));
	}
	diag_free(&why);
	return changed;
}

/* One instance: its outputs are next to each other. */
static int instance_store(struct apply_run *run, const struct undone *undone, const struct plan_output *outputs,
			  size_t count)
{
	struct state_txn *txn = apply_run_txn(run);
	json_auto_t *all = NULL;
	size_t changed = 0;

	/* Where nothing was recorded but outputs, no record has brought them along. */
	if (txn != NULL && outputs->moved_from != NULL && !map_has(&undone->addresses, outputs->address)) {
		run->dirty = true;
		if (apply_outputs_move(txn, outputs->moved_from, outputs->address, run->d) < 0)
			return -1;
	}
	if (txn == NULL || apply_outputs_load(&all, txn, outputs->address, run->d) < 0)
		return -1;
	if (all == NULL)
		all = json_object();
	for (size_t i = 0; i < count; i++) {
		if (is_undone(undone, &outputs[i]) || !output_lay(run, all, &outputs[i]))
			continue;
		changed++;
		run->report->outputs += outputs[i].action != PLAN_NOOP;
	}
	if (changed == 0)
		return 0;
	run->dirty = true;
	if (json_object_size(all) > 0)
		return state_outputs_put(txn, outputs->address, all, run->d);
	return state_outputs_delete(txn, outputs->address, run->d) < 0 ? -1 : 0;
}

static int commit(struct apply_run *run)
{
	struct state_txn *txn = run->txn;
	bool dirty = run->dirty;

	run->txn = NULL;
	run->dirty = false;
	if (txn == NULL || dirty)
		return txn != NULL ? state_commit(txn, run->d) : 0;
	state_abort(txn);
	return 0;
}

int apply_outputs_store(struct apply_run *run)
{
	const struct plan *plan = run->plan;
	struct undone undone = {MAP_INIT};
	size_t stored = 0, next;
	int rc = 0;

	if (plan->output_count == 0)
		return 0;
	undone_fill(&undone, run);
	for (size_t i = 0; i < plan->output_count && rc == 0; i = next) {
		for (next = i;
		     next < plan->output_count && strcmp(plan->outputs[next].address, plan->outputs[i].address) == 0;)
			next++;
		rc = instance_store(run, &undone, &plan->outputs[i], next - i);
		if (rc == 0 && ++stored % STORED_AT_ONCE == 0)
			rc = commit(run);
	}
	map_free(&undone.addresses, NULL);
	if (rc < 0)
		run->dirty = false;
	return commit(run) < 0 || rc < 0 ? -1 : 0;
}

int apply_outputs_move(struct state_txn *txn, const char *from, const char *to, struct diag *d)
{
	json_auto_t *outputs = NULL;
	struct state_outputs there;
	int found;

	if (apply_outputs_load(&outputs, txn, from, d) < 0)
		return -1;
	if (outputs == NULL)
		return 0;
	found = state_outputs_get(txn, to, &there, d);
	if (found != 0)
		return found < 0 ? -1 : 0;
	if (state_outputs_delete(txn, from, d) < 0)
		return -1;
	return state_outputs_put(txn, to, outputs, d);
}
