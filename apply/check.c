/* Is the plan still true, and of this state? Decided by the versions of the records that it touches and reads, and by
 * what uses the ones that it deletes, so that a plan for one stack outlives an apply of another. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#define STALE_SHOWN 20

struct check {
	const struct plan *plan;
	struct state_txn *txn;
	struct diag *d;
	size_t stale;
	struct map touched, deleted; /* addresses; of what is deleted also the instances */
};

static int lineage_check(const struct plan *plan, struct state_txn *txn, struct diag *d)
{
	mem_auto_str char *lineage = NULL;

	if (state_lineage(txn, &lineage, d) < 0)
		return -1;
	if (lineage == NULL || plan->lineage == NULL || strcmp(lineage, plan->lineage) == 0)
		return 0;
	return diag_error(
	    d, "this plan is of lineage %s, but this state is of lineage %s: they belong to different fleets",
	    plan->lineage, lineage);
}

/* Whether the run that applied the plan was cut off. */
static bool was_cut_off(struct state_txn *txn, uint64_t generation, struct diag *d)
{
	json_auto_t *whole = NULL;
	const char *status;

	if (state_generation_get(txn, generation, &whole, d) != 1)
		return false;
	status = json_string_value(json_object_get(whole, "Status"));
	return status != NULL && strcmp(status, "finished") != 0;
}

static int applied_check(const struct plan *plan, struct state_txn *txn, struct diag *d)
{
	uint64_t generation = 0;

	if (plan->digest[0] == '\0')
		return 0;
	if (state_plan_applied(txn, plan->digest, &generation, d) < 0)
		return -1;
	if (generation == 0)
		return 0;
	if (was_cut_off(txn, generation, d))
		return diag_error(d,
				  "this plan was already being applied, as generation %llu, when that run was cut off; "
				  "run muster apply --recover first, then plan what is left",
				  (unsigned long long)generation);
	return diag_error(d, "this plan was applied already, as generation %llu; make a new one",
			  (unsigned long long)generation);
}

/* A state put back from a copy of before the plan knows nothing of what came between. */
static int generation_check(const struct plan *plan, struct state_txn *txn, struct diag *d)
{
	uint64_t generation = 0, first = 1;

	if (state_generation(txn, &generation, d) < 0 || state_generation_first(txn, &first, d) < 0)
		return -1;
	/* What the state that was exported did after its export nobody knows here. */
	if (first > 1 && plan->generation < first)
		return diag_error(
		    d,
		    "this plan was made from generation %llu, before the state was imported from an export "
		    "as generation %llu; make a new plan",
		    (unsigned long long)plan->generation, (unsigned long long)first);
	if (plan->generation <= generation)
		return 0;
	return diag_error(
	    d,
	    "this plan was made from generation %llu, but this state has only come to %llu: it is an older "
	    "copy; make a new plan",
	    (unsigned long long)plan->generation, (unsigned long long)generation);
}

static int version_check(struct check *check, const char *address, uint64_t version, const char *touched)
{
	struct state_record record;
	int found = state_record_get(check->txn, address, &record, check->d);
	uint64_t now = found == 1 ? record.version : 0;

	if (found < 0)
		return -1;
	if (now == version)
		return 0;
	if (check->stale++ < STALE_SHOWN)
		diag_error(check->d, "%s, which this plan %s, has %s since the plan was made; make a new plan", address,
			   touched, now == 0 ? "been removed" : (version == 0 ? "been recorded" : "changed"));
	return 0;
}

/* -- Users of what is deleted -------------------------------------------------------------------------------------- */

static void deleted_note(struct check *check, const struct plan_change *change)
{
	bool replaced = change->action == PLAN_REPLACE && !change->retain_old;

	map_set(&check->touched, change->address, check);
	if (change->moved_from != NULL)
		map_set(&check->touched, change->moved_from, check);
	if (change->deposed || (change->action != PLAN_DELETE && !replaced))
		return;
	mem_auto_str char *instance =
	    mem_strndup(change->address, (size_t)(strrchr(change->address, '/') - change->address));

	map_set(&check->deleted, change->address, check);
	map_set(&check->deleted, instance, check);
	if (change->moved_from != NULL)
		map_set(&check->deleted, change->moved_from, check);
}

/* What was recorded before the plan was made, the plan has seen. */
static int user_check(void *payload, const struct state_record *raw)
{
	struct check *check = payload;
	json_auto_t *body = NULL;
	json_t *address;
	size_t i;

	if (raw->version <= check->plan->version || map_has(&check->touched, raw->address))
		return 0;
	body = json_loadb(raw->text, raw->text_len, 0, NULL);
	json_array_foreach(json_object_get(body, "DependsOn"), i, address)
	{
		const char *used = json_string_value(address);

		if (used == NULL || !map_has(&check->deleted, used))
			continue;
		if (check->stale++ < STALE_SHOWN)
			diag_error(check->d,
				   "%s, which this plan deletes%s, is used by %s since the plan was made; make a new "
				   "plan",
				   used, map_has(&check->touched, used) ? "" : " some of", raw->address);
		break;
	}
	return 0;
}

static int users_check(struct check *check)
{
	int rc = 0;

	for (size_t i = 0; i < check->plan->change_count; i++)
		deleted_note(check, &check->plan->changes[i]);
	if (check->deleted.live > 0)
		rc = state_record_each(check->txn, "", user_check, check, check->d);
	map_free(&check->touched, NULL);
	map_free(&check->deleted, NULL);
	return rc;
}

/* -- Outputs ------------------------------------------------------------------------------------------------------- */

/* Whether what is recorded of an instance's outputs is still what the plan compared with. */
static int output_check(struct check *check, const struct plan_output *output)
{
	const char *address = output->moved_from != NULL ? output->moved_from : output->address;
	struct state_outputs outputs;
	uint8_t sha256[32];
	char hex[65] = "";
	int found = state_outputs_get(check->txn, address, &outputs, check->d);

	if (found < 0)
		return -1;
	if (found == 1) {
		text_sha256(sha256, outputs.text, outputs.text_len);
		text_hex(hex, sha256, sizeof sha256);
	}
	if (strcmp(hex, output->recorded != NULL ? output->recorded : "") == 0)
		return 0;
	if (check->stale++ < STALE_SHOWN)
		diag_error(check->d,
			   "%s, whose outputs this plan changes, has others recorded since the plan was made; make a "
			   "new plan",
			   address);
	return 0;
}

/* Each instance once. What is only taken up as it is spoils nothing. */
static int outputs_check(struct check *check)
{
	const char *last = "";

	for (size_t i = 0; i < check->plan->output_count; i++) {
		const struct plan_output *output = &check->plan->outputs[i];

		if (output->action == PLAN_NOOP || strcmp(last, output->address) == 0)
			continue;
		last = output->address;
		if (output_check(check, output) < 0)
			return -1;
	}
	return 0;
}

/* -- What a file says of the records --------------------------------------------------------------------------------
 */

/* The versions are right by now. What readers of the file were shown as recorded must have been. */
static int record_check(struct check *check, const struct plan_change *change)
{
	const char *address = change->moved_from != NULL ? change->moved_from : change->address;
	json_auto_t *body = NULL;
	struct plan_record record;

	if (change->version == 0 || change->deposed)
		return 0;
	if (apply_record_load(&body, check->txn, address, check->d) < 0)
		return -1;
	if (body != NULL && plan_record_parse(&record, body) == 0 && plan_change_fits(change, &record))
		return 0;
	return diag_error(check->d,
			  "what this plan says is recorded of %s is not what the state has: the file was not written "
			  "by muster plan, or was changed; make a new plan",
			  address);
}

static int records_check(struct check *check)
{
	int result = 0;

	for (size_t i = 0; result == 0 && check->plan->loaded && i < check->plan->change_count; i++)
		result = record_check(check, &check->plan->changes[i]);
	return result;
}

/* -- All ----------------------------------------------------------------------------------------------------------- */

static int versions_check(const struct plan *plan, struct state_txn *txn, struct diag *d)
{
	struct check check = {.plan = plan, .txn = txn, .d = d, .touched = MAP_INIT, .deleted = MAP_INIT};
	const char *address;
	json_t *version;

	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];
		const char *from = change->moved_from;

		if (version_check(&check, change->address, from != NULL ? 0 : change->version, "changes") < 0)
			return -1;
		if (from != NULL && version_check(&check, from, change->version, "moves") < 0)
			return -1;
	}
	json_object_foreach(
	    plan->reads, address,
	    version) if (version_check(&check, address, (uint64_t)json_integer_value(version), "reads") < 0) return -1;
	if (users_check(&check) < 0 || outputs_check(&check) < 0)
		return -1;
	if (check.stale > STALE_SHOWN)
		diag_error(d, "... and %zu more like that", check.stale - STALE_SHOWN);
	return check.stale > 0 ? -1 : records_check(&check);
}

int apply_check(const struct plan *plan, struct state *state, struct diag *d)
{
	struct state_txn *txn;
	int rc = 0;

	if (plan->drift || plan->past)
		return diag_error(d, "%s is no plan, so there is nothing to apply",
				  plan->drift ? "a report of drift" : "what has happened");
	if (state_begin(&txn, state, false, d) < 0)
		return -1;
	if (lineage_check(plan, txn, d) < 0)
		rc = -1;
	if (rc == 0 && (applied_check(plan, txn, d) < 0 || generation_check(plan, txn, d) < 0))
		rc = -1;
	if (rc == 0)
		rc = versions_check(plan, txn, d);
	state_abort(txn);
	return rc;
}
