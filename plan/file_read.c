/* A plan out of its JSON. The digest has been checked by then, so what is wrong here was wrong when it was written;
 * still nothing is taken on trust: who can write the file can make its digest, too. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/file_private.h"
#include "plan/file_reader.h"

static void read_accounts(struct plan_reader *r, const json_t *muster)
{
	json_t *list = plan_read_list(r, muster, "accounts", true), *item;
	size_t i;

	json_array_foreach(list, i, item)
	    plan_account_add(r->plan, plan_read_text(r, item, "name", true), plan_read_text(r, item, "id", true),
			     plan_read_object(r, item, "access", false), plan_read_list(r, item, "regions", false));
}

static void read_notes(struct plan_reader *r, const json_t *muster)
{
	json_t *list = plan_read_list(r, muster, "notes", true), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		int kind = plan_read_word(r, item, "kind", plan_note_words, PLAN_NOTE_OTHER + 1);

		plan_note_add(r->plan, (enum plan_note_kind)kind, plan_read_text(r, item, "account", false),
			      plan_read_text(r, item, "region", false), plan_read_text(r, item, "subject", false),
			      plan_read_text(r, item, "text", false));
	}
}

static void replace_json(json_t **place, json_t *value)
{
	if (value == NULL)
		return;
	json_decref(*place);
	*place = json_incref(value);
}

static void read_reached_place(struct plan_reader *r, json_t *accounts, const json_t *place)
{
	json_t *names = plan_read_list(r, place, "accounts", true),
	       *regions = plan_read_list(r, place, "regions", true), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (json_is_string(name) && json_object_get(accounts, json_string_value(name)) == NULL)
			json_object_set(accounts, json_string_value(name), regions);
		else
			plan_reader_wrong(r, "reached", "names of accounts, each once");
	}
	json_array_foreach(regions, i, name)
	{
		if (!json_is_string(name))
			plan_reader_wrong(r, "reached", "names of regions");
	}
}

static void read_reached(struct plan_reader *r, const json_t *muster)
{
	json_t *stacks = plan_read_object(r, muster, "reached", true), *places, *place;
	const char *stack;
	size_t i;

	json_object_foreach(stacks, stack, places)
	{
		json_t *accounts = json_object();

		json_array_foreach(places, i, place) read_reached_place(r, accounts, place);
		json_object_set_new(r->plan->reached, stack, accounts);
	}
}

/* Counts of targets, and what percentages of them are, are of accounts that the plan knows. */
static void check_reached(struct plan_reader *r)
{
	struct map known = MAP_INIT;
	const char *stack, *account;
	json_t *accounts, *regions;

	for (size_t i = 0; i < r->plan->account_count; i++)
		map_set(&known, r->plan->accounts[i].name, r);
	json_object_foreach(r->plan->reached, stack, accounts) json_object_foreach(accounts, account, regions)
	{
		if (!map_has(&known, account))
			plan_reader_wrong(r, "reached", "accounts of the plan");
	}
	map_free(&known, NULL);
}

static void read_reads(struct plan_reader *r, const json_t *muster)
{
	json_t *reads = plan_read_object(r, muster, "reads", true);
	const char *address;
	json_t *version;

	json_object_foreach(reads, address, version) plan_read_count(r, reads, address);
	replace_json(&r->plan->reads, reads);
}

static void read_secrets(struct plan_reader *r, const json_t *muster)
{
	json_t *list = plan_read_list(r, muster, "secrets", false), *secret;
	size_t i;

	json_array_foreach(list, i, secret) plan_check_secret(r, secret, true);
	replace_json(&r->plan->secrets, list);
}

/* What the generation keeps, and what of a rollback is said to readers. */
static void read_inputs(struct plan_reader *r, const json_t *muster)
{
	json_t *inputs = plan_read_object(r, muster, "inputs", false),
	       *of = plan_read_object(r, muster, "rollback_of", false);
	const char *key;
	uint8_t digest[32];
	json_t *value;
	size_t count = 0;

	json_object_foreach(inputs, key, value)
	{
		if (text_hex_decode(digest, sizeof digest, plan_read_text(r, inputs, key, true)) < 0)
			plan_reader_wrong(r, "inputs", "64 hex digits for each file");
	}
	json_object_foreach(of, key, value) plan_read_text(r, of, key, true);
	plan_read_strings(r, muster, "uncommitted", false, &count); /* each is one */
	if (count > 0)
		replace_json(&r->plan->uncommitted, plan_read_list(r, muster, "uncommitted", false));
	replace_json(&r->plan->inputs, inputs);
	replace_json(&r->plan->rollback_of, of);
	if (json_object_get(muster, "rollback") != NULL)
		r->plan->rollback = (uint64_t)plan_read_count(r, muster, "rollback");
}

/* Whoever edits what is over must not get round it: counted anew, it must be the same. */
static void check_limits(struct plan_reader *r, const json_t *muster)
{
	json_t *said = plan_read_object(r, muster, "limits", false), *counted = NULL;
	bool overridden = json_get_bool(said, "Overridden", false);

	if (said == NULL || r->failed)
		return;
	if (plan_limits_find(&counted, r->plan, json_object_get(said, "Limits"), overridden, r->diag) < 0)
		r->failed = true;
	else if (counted == NULL || !json_equal(counted, said))
		plan_reader_wrong(r, "limits", "what the changes add up to");
	r->plan->limits = counted;
}

static void read_outputs(struct plan_reader *r, const json_t *muster)
{
	const json_t *all = plan_read_object(r, muster, "outputs", false), *outputs;
	const char *address, *what, *at = "";
	json_t *item;

	if (plan_file_outputs_read(r->plan, all, &at, &what) < 0) {
		r->at = at;
		plan_reader_wrong(r, "outputs", what);
		return;
	}
	json_object_foreach((json_t *)all, address, item)
	{
		const char *name;
		json_t *output;

		r->at = address;
		outputs = json_object_get(item, "changes");
		json_object_foreach((json_t *)outputs, name, output)
		{
			plan_check_secrets(r, json_object_get(output, "after"), true);
			plan_check_secrets(r, json_object_get(output, "before"), false);
		}
	}
	r->at = "muster";
}

static void read_signatures(struct plan_reader *r, const json_t *muster)
{
	if (plan_file_signatures(&r->plan->signatures, json_object_get(muster, "signatures")) < 0)
		plan_reader_wrong(r, "signatures", "a list of signatures");
}

static void read_facts(struct plan_reader *r, const json_t *muster)
{
	struct plan *plan = r->plan;

	plan->lineage = mem_strdup(plan_read_text(r, muster, "lineage", false));
	if (plan->lineage == NULL || *plan->lineage == '\0') {
		diag_error(r->diag, "%s: the plan names no lineage, so it belongs to no state", r->file);
		r->failed = true;
	}
	plan->home_region = mem_strdup(plan_read_text(r, muster, "home_region", false));
	plan->commit = mem_strdup(plan_read_text(r, muster, "commit", false));
	plan->tree = mem_strdup(plan_read_text(r, muster, "tree", false));
	plan->base = mem_strdup(plan_read_text(r, muster, "base", false));
	plan->only = mem_strdup(plan_read_text(r, muster, "only", false));
	plan->generation = (uint64_t)plan_read_count(r, muster, "generation");
	plan->version = (uint64_t)plan_read_count(r, muster, "newest_version");
	plan->created_ms = plan_read_count(r, muster, "created_ms");
	plan->unchanged = (size_t)plan_read_count(r, muster, "unchanged");
	plan->target_count = (size_t)plan_read_count(r, muster, "targets");
	plan->dirty = plan_read_flag(r, muster, "dirty");
	plan->destroy = plan_read_flag(r, muster, "destroy");
	plan->refreshed = plan_read_flag(r, muster, "refreshed");
	plan->lineage_minted = plan_read_flag(r, muster, "lineage_minted");
	replace_json(&plan->parameters, plan_read_object(r, muster, "parameters", false));
	read_reached(r, muster);
	read_reads(r, muster);
	read_secrets(r, muster);
	read_inputs(r, muster);
	snprintf(plan->digest, sizeof plan->digest, "%s", plan_read_text(r, muster, "digest", true));
}

/* What is not of one change: written again it must be the same. */
static void check_frame(struct plan_reader *r, const json_t *root)
{
	json_t *frame = plan_file_frame(r->plan), *muster = json_object_get(frame, "muster"), *said;
	const json_t *file_muster = json_object_get(root, "muster");
	const char *key;

	r->at = "the plan";
	json_object_set(frame, "resource_changes", json_object_get(root, "resource_changes"));
	json_object_set(muster, "changes", json_object_get(file_muster, "changes"));
	json_object_set(muster, "digest", json_object_get(file_muster, "digest"));
	if (r->plan->signatures != NULL)
		json_object_set(muster, "signatures", r->plan->signatures);
	json_object_foreach((json_t *)root, key, said)
	{
		if (!json_equal(said, json_object_get(frame, key)))
			plan_reader_wrong(r, key, "what the rest of the plan says");
	}
	if (!r->failed && json_object_size(root) != json_object_size(frame))
		plan_reader_wrong(r, "resource_changes", "all members of a plan");
	json_decref(frame);
}

int plan_from_json(struct plan **out, const char *file, const json_t *root, const struct schema_set *schemas,
		   struct diag *d)
{
	struct plan_reader r = {.file = file, .diag = d, .plan = plan_new(), .schemas = schemas, .at = "muster"};
	const json_t *muster = json_object_get(root, "muster");

	r.plan->loaded = true;
	read_facts(&r, muster);
	read_accounts(&r, muster);
	read_notes(&r, muster);
	check_reached(&r);
	plan_read_changes(&r, root, muster);
	read_outputs(&r, muster);
	read_signatures(&r, muster);
	check_limits(&r, muster);
	if (!r.failed)
		check_frame(&r, root);
	map_free(&r.read, NULL);
	if (r.failed) {
		plan_free(r.plan);
		return -1;
	}
	*out = r.plan;
	return 0;
}
