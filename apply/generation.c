/* What a generation says of the apply that made it: the facts when it starts, and what came of it when it ends, so that
 * a report of it can be made at any later time (docs/state.md has the members). */
#include <string.h>

#include "apply/run.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* A generation is read whole whenever somebody looks at the log: what failed is kept up to here, and counted. */
#define FAILURES_KEPT_MAX 1000
#define MESSAGE_KEPT_MAX  1000
/* Addresses of what is done to records alone. */
#define ALONE_KEPT_MAX 10000

static void time_set(json_t *object, const char *key)
{
	char when[32];

	text_time(when, sizeof when, loop_wall_ms());
	json_object_set_new(object, key, json_string(when));
}

/* -- Start --------------------------------------------------------------------------------------------------------- */

/* The history has a record before and after, and not whether anything was done in AWS besides. Where there are more
 * than are kept and nothing is deleted, `true` stands for all that goes. New reference, or NULL: none. */
static json_t *forgotten_of(const struct plan *plan)
{
	json_t *list = json_array();
	bool deletes = false;

	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];
		const char *address = change->moved_from != NULL ? change->moved_from : change->address;

		deletes = deletes || change->action == PLAN_DELETE;
		if (change->action == PLAN_FORGET && json_array_size(list) < ALONE_KEPT_MAX)
			json_array_append_new(list, json_string(address));
	}
	if (json_array_size(list) > 0 && (deletes || json_array_size(list) < ALONE_KEPT_MAX))
		return list;
	deletes = json_array_size(list) == 0;
	json_decref(list);
	return deletes ? NULL : json_true();
}

/* As above, of drift that goes into the record as it is. */
static json_t *accepted_of(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->change_count && json_array_size(list) < ALONE_KEPT_MAX; i++)
		if (plan->changes[i].accepted && plan->changes[i].action == PLAN_UPDATE)
			json_array_append_new(list, json_string(plan->changes[i].address));
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *facts_of(const struct apply_run *run)
{
	json_t *facts = json_is_object(run->options->facts) ? json_copy(run->options->facts) : json_object();
	json_t *counts = json_object();

	for (size_t i = 0; i < run->plan->change_count; i++) {
		const char *action = plan_action_name(run->plan->changes[i].action);

		json_object_set_new(counts, action, json_integer(json_get_int(counts, action, 0) + 1));
	}
	if (json_object_get(facts, "Time") == NULL)
		time_set(facts, "Time");
	if (run->plan->only != NULL)
		json_object_set_new(facts, "Only", json_string(run->plan->only));
	if (!plan_is_whole(run->plan))
		json_object_set_new(facts, "Incomplete", json_true());
	if (run->plan->rollback != 0)
		json_object_set_new(facts, "Rollback", json_integer((json_int_t)run->plan->rollback));
	if (run->plan->digest[0] != '\0')
		json_object_set_new(facts, "PlanDigest", json_string(run->plan->digest));
	if (json_get_bool(run->plan->limits, "Overridden", false))
		json_object_update_new(facts, json_pack("{s:b, s:O*}", "OverrideLimit", 1, "Over",
							json_object_get(run->plan->limits, "Over")));
	json_object_set_new(facts, "Planned", counts);
	json_object_update_new(
	    facts, json_pack("{s:o*, s:o*}", "Accepted", accepted_of(run->plan), "Forgotten", forgotten_of(run->plan)));
	return facts;
}

/* Commits vanish (rule 16): what the plan was made from is kept with the generation, each file once. */
static int inputs_store(struct apply_run *run, struct state_txn *txn, json_t *facts)
{
	const struct apply_options *options = run->options;
	json_t *inputs;

	if (options->input_count == 0)
		return 0;
	inputs = json_object();
	json_object_set_new(facts, "Inputs", inputs);
	for (size_t i = 0; i < options->input_count; i++) {
		const struct apply_input *input = &options->inputs[i];
		uint8_t digest[32];
		char hex[65];

		if (state_blob_put(txn, digest, input->bytes, input->len, run->d) < 0)
			return -1;
		text_hex(hex, digest, sizeof digest);
		json_object_set_new(inputs, input->path, json_string(hex));
	}
	return 0;
}

static bool regions_remembered_only(const struct plan *plan, const char *account)
{
	for (size_t i = 0; i < plan->note_count; i++)
		if (plan->notes[i].kind == PLAN_NOTE_REMEMBERED_REGIONS && plan->notes[i].account != NULL &&
		    strcmp(plan->notes[i].account, account) == 0)
			return true;
	return false;
}

/* What the plan learned of the accounts' regions, for the day when they cannot be asked; and how they are entered, for
 * the day when they are off the roster and what was made there has to go. */
static int regions_store(struct apply_run *run, struct state_txn *txn)
{
	for (size_t i = 0; i < run->plan->account_count; i++) {
		const struct plan_account *account = &run->plan->accounts[i];
		json_auto_t *body = NULL;

		if (account->regions == NULL || regions_remembered_only(run->plan, account->name))
			continue;
		body = json_pack("{s:O, s:I, s:s, s:O*}", "Regions", account->regions, "Seen",
				 (json_int_t)run->plan->created_ms, "Name", account->name, "Access", account->access);
		if (state_regions_put(txn, account->id, body, run->d) < 0)
			return -1;
	}
	return 0;
}

static int intent_note(void *payload, const char *address, const json_t *body)
{
	struct apply_run *run = payload;

	(void)body;
	map_set(&run->intents, address, run);
	return 0;
}

int apply_generation_start(struct apply_run *run)
{
	struct state_txn *txn;
	json_auto_t *facts = facts_of(run);
	int rc = state_begin(&txn, run->state, true, run->d);

	if (rc < 0)
		return -1;
	if (run->plan->lineage != NULL)
		rc = state_lineage_set(txn, run->plan->lineage, run->d);
	if (rc == 0)
		rc = regions_store(run, txn);
	if (rc == 0)
		rc = state_intent_each(txn, intent_note, run, run->d);
	if (rc == 0)
		rc = inputs_store(run, txn, facts);
	if (rc == 0)
		rc = state_generation_start(txn, facts, &run->generation, run->d);
	if (rc == 0)
		return state_commit(txn, run->d);
	state_abort(txn);
	return -1;
}

/* -- End ----------------------------------------------------------------------------------------------------------- */

/* The beginning of a text, cut where a character ends. */
static json_t *cut_text(const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;
	json_t *kept;

	if (text == NULL)
		return NULL;
	if (len <= MESSAGE_KEPT_MAX) {
		kept = json_string(text);
	} else {
		mem_auto_str char *start = NULL;

		len = MESSAGE_KEPT_MAX;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		start = mem_printf("%.*s...", (int)len, text);
		kept = json_string(start);
	}
	return kept != NULL ? kept : json_string("(a message that is not UTF-8)");
}

static json_t *failure_json(const struct apply_run *run, const struct apply_failure *failure)
{
	const struct plan_change *change = &run->plan->changes[failure->change];

	return json_pack("{s:s, s:s*, s:s*, s:s, s:s, s:s*, s:s*, s:o*, s:s*}", "Address", change->address, "AccountId",
			 change->account_id, "Type", change->type_name, "Action", plan_action_name(change->action),
			 "Status", failure->status == APPLY_FAILED ? "failed" : "skipped", "Operation",
			 failure->operation, "Code", failure->code, "Message", cut_text(failure->message), "Because",
			 failure->because);
}

/* Failures before what was only skipped for them: when not all are kept, these tell more. */
static json_t *failures_json(const struct apply_run *run)
{
	static const enum apply_status order[] = {APPLY_FAILED, APPLY_SKIPPED};
	const struct apply_report *report = run->report;
	json_t *list = json_array();

	for (size_t k = 0; k < sizeof order / sizeof *order; k++)
		for (size_t i = 0; i < report->failure_count && json_array_size(list) < FAILURES_KEPT_MAX; i++)
			if (report->failures[i].status == order[k])
				json_array_append_new(list, failure_json(run, &report->failures[i]));
	return list;
}

static const char *result_of(const struct apply_report *report)
{
	if (report->failed + report->skipped + report->not_started == 0)
		return "complete";
	if (report->interrupted)
		return "interrupted";
	return report->done == 0 ? "failed" : "partial";
}

static json_t *outcome_of(const struct apply_run *run)
{
	const struct apply_report *report = run->report;
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
	    {"Done", report->done},
	    {"Failed", report->failed},
	    {"Skipped", report->skipped},
	    {"NotStarted", report->not_started},
	    {"Created", report->created},
	    {"Updated", report->updated},
	    {"Replaced", report->replaced},
	    {"Deleted", report->deleted},
	    {"Adopted", report->adopted},
	    {"Forgotten", report->forgotten},
	    {"Moved", report->moved},
	    {"Outputs", report->outputs},
	    {"ElapsedMs", (uint64_t)report->elapsed_ms},
	    {"Calls", report->provider.calls},
	    {"Retries", report->provider.retries},
	    {"Throttled", report->provider.throttled},
	    {"FailureCount", report->failure_count},
	};
	json_t *outcome = json_pack("{s:s, s:o}", "Result", result_of(report), "Failures", failures_json(run));

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		json_object_set_new(outcome, numbers[i].name, json_integer((json_int_t)numbers[i].value));
	time_set(outcome, "Ended");
	return outcome;
}

int apply_generation_finish(struct apply_run *run)
{
	json_auto_t *outcome = outcome_of(run);
	struct state_txn *txn;

	if (state_begin(&txn, run->state, true, run->d) < 0)
		return -1;
	if (state_generation_finish(txn, run->generation, outcome, run->d) == 0)
		return state_commit(txn, run->d);
	state_abort(txn);
	return -1;
}
