/* What is new in a report of drift, what is known from earlier ones and since when, and what has been resolved and by
 * whom. Works on JSON: where reports are remembered is the caller's business. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/plan.h"
#include "plan/store.h"

#define REPORT_VERSION 1

struct report {
	struct plan *plan;
	const json_t *before; /* findings of the last report, by address */
	const char *only;
	struct state_txn *txn;
	struct diag *d;
	struct map current; /* addresses that drift now, or of which nothing is known now */
	json_t *findings;   /* to be remembered */
	json_t *story;      /* plan->drift_report */
	char now[32];
};

/* Values that are not for showing are in no difference, so not in the digest of them either. */
static void digest_of(char hex[65], const struct plan_change *change)
{
	json_auto_t *all = json_array();
	uint8_t digest[32];

	json_array_append_new(all, json_string(plan_action_name(change->action)));
	for (size_t i = 0; i < change->diff.count; i++) {
		const struct plan_difference *item = &change->diff.items[i];

		json_array_append_new(all, json_pack("[s, O?, O?]", item->path, item->before, item->after));
	}
	json_digest(digest, all);
	text_hex(hex, digest, sizeof digest);
}

static void story_add(struct report *r, const char *list, json_t *item)
{
	json_array_append_new(json_object_get(r->story, list), item);
}

/* -- What drifts now ----------------------------------------------------------------------------------------------- */

static void take_change(struct report *r, struct plan_change *change)
{
	const json_t *before = json_object_get(r->before, change->address);
	const char *since = json_get_string(before, "since"), *then = json_get_string(before, "digest");
	char digest[65];

	digest_of(digest, change);
	map_set(&r->current, change->address, r);
	if (since != NULL && then != NULL && strcmp(then, digest) == 0) {
		change->since = plan_keep(r->plan, since);
		change->pending = true;
		story_add(r, "known", json_pack("{s:s, s:s}", "address", change->address, "since", since));
	} else if (before != NULL) {
		change->reason = "drift_changed_again";
		story_add(r, "changed", json_string(change->address));
	} else {
		story_add(r, "new", json_string(change->address));
	}
	json_object_set_new(r->findings, change->address,
			    json_pack("{s:s, s:s, s:I}", "digest", digest, "since",
				      change->since != NULL ? change->since : r->now, "generation",
				      (json_int_t)r->plan->generation));
}

/* -- What does not drift any more ---------------------------------------------------------------------------------- */

/* Whether the record holds the properties that it held when the last report was made. */
static int same_as_then(const struct report *r, const struct state_record *now, uint64_t generation)
{
	json_auto_t *body = NULL, *old_body = NULL;
	struct state_record then;
	int found = state_record_at(r->txn, generation, now->address, &then, r->d);

	if (found <= 0)
		return found;
	body = json_loadb(now->text, now->text_len, 0, NULL);
	old_body = json_loadb(then.text, then.text_len, 0, NULL);
	return json_equal(json_object_get(body, "Properties"), json_object_get(old_body, "Properties"));
}

/* A word for machines, and in *generation the one that did it (0: none did). `seen`: the newest one when it was
 * reported last. NULL: an error. */
static const char *resolved_how(const struct report *r, const char *address, uint64_t seen, uint64_t *generation)
{
	struct state_record record;
	int found = state_record_get(r->txn, address, &record, r->d), same;

	*generation = 0;
	if (found < 0)
		return NULL;
	if (found == 0)
		return "not_recorded";
	if (record.generation <= seen)
		return "back_as_recorded";
	*generation = record.generation;
	same = same_as_then(r, &record, seen);
	return same < 0 ? NULL : same > 0 ? "taken_back" : "recorded_anew";
}

static char *resolved_words(const char *how, uint64_t generation, const char *since)
{
	unsigned long long n = generation;

	if (strcmp(how, "taken_back") == 0)
		return mem_printf("taken back by generation %llu (known since %s)", n, since);
	if (strcmp(how, "recorded_anew") == 0)
		return mem_printf("settled by generation %llu, which recorded something else (known since %s)", n,
				  since);
	if (strcmp(how, "not_recorded") == 0)
		return mem_printf("not recorded any more (known since %s)", since);
	return mem_printf("AWS has again what is recorded, and not by muster's doing (known since %s)", since);
}

static int resolve(struct report *r, const char *address, const char *since, uint64_t seen)
{
	mem_auto_str char *text = NULL;
	uint64_t generation;
	const char *how = resolved_how(r, address, seen, &generation);
	json_t *item;

	if (how == NULL)
		return -1;
	text = resolved_words(how, generation, since);
	plan_note_add(r->plan, PLAN_NOTE_RESOLVED, NULL, NULL, address, text);
	item = json_pack("{s:s, s:s, s:s}", "address", address, "since", since, "how", how);
	if (generation > 0)
		json_object_set_new(item, "generation", json_integer((json_int_t)generation));
	story_add(r, "resolved", item);
	return 0;
}

/* What was not asked about, or could not be read, is neither there nor gone: it stays as it was known. */
static int take_finding(struct report *r, const char *address, json_t *finding)
{
	const char *since = json_get_string(finding, "since");
	bool asked = r->only == NULL || text_glob(r->only, address);

	if (json_object_get(r->findings, address) != NULL || since == NULL)
		return 0;
	if (asked && !map_has(&r->current, address))
		return resolve(r, address, since, (uint64_t)json_get_int(finding, "generation", 0));
	json_object_set(r->findings, address, finding);
	return 0;
}

/* -- All ----------------------------------------------------------------------------------------------------------- */

static void open_before(struct report *r, const json_t *previous)
{
	text_time(r->now, sizeof r->now, r->plan->created_ms);
	json_decref(r->plan->drift_report);
	r->plan->drift_report = r->story =
	    json_pack("{s:s, s:s?, s:[], s:[], s:[], s:[]}", "time", r->now, "previous",
		      json_get_string(previous, "time"), "new", "changed", "known", "resolved");
	r->before = json_object_get(previous, "findings");
	r->findings = json_object();
	for (size_t i = 0; i < r->plan->note_count; i++)
		if (r->plan->notes[i].kind == PLAN_NOTE_UNREACHABLE && r->plan->notes[i].subject != NULL)
			map_set(&r->current, r->plan->notes[i].subject, r);
}

int plan_drift_compare(json_t **now, struct plan *plan, const json_t *previous, const char *only, struct state *state,
		       struct diag *d)
{
	struct report r = {.plan = plan, .only = only, .d = d};
	const char *address;
	json_t *finding;
	int rc = 0;

	*now = NULL;
	if (json_get_int(previous, "version", REPORT_VERSION) != REPORT_VERSION)
		return diag_error(d, "the last report of drift was written by a newer muster; --all does without it");
	if (state_begin(&r.txn, state, false, d) < 0)
		return -1;
	open_before(&r, previous);
	for (size_t i = 0; i < plan->change_count; i++)
		take_change(&r, &plan->changes[i]);
	json_object_foreach((json_t *)r.before, address, finding)
	{
		if (rc == 0)
			rc = take_finding(&r, address, finding);
	}
	state_abort(r.txn);
	map_free(&r.current, NULL);
	if (rc == 0)
		*now = json_pack("{s:i, s:s, s:O}", "version", REPORT_VERSION, "time", r.now, "findings", r.findings);
	json_decref(r.findings);
	return rc;
}
