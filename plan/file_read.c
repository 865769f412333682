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

/* Messages go to `diag`; reading goes on to the end of the part, and fails. */
struct plan_reader {
	const char *file;
	struct diag *diag;
	struct plan *plan;
	const struct schema_set *schemas;
	const char *at; /* address or part being read */
	bool failed;
	struct map read; /* keys of the changes that were read */
};

/* -- Readers of one member ------------------------------------------------------------------------------------------
 */

static void wrong(struct plan_reader *r, const char *key, const char *expected)
{
	diag_error(r->diag, "%s: %s: %s: expected %s", r->file, r->at, key, expected);
	r->failed = true;
}

static const char *read_text(struct plan_reader *r, const json_t *object, const char *key, bool required)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
		return json_string_value(value);
	if (value != NULL || required)
		wrong(r, key, "a string");
	return required ? "" : NULL;
}

static int64_t read_count(struct plan_reader *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return json_integer_value(value);
	wrong(r, key, "a whole number, 0 or more");
	return 0;
}

static bool read_flag(struct plan_reader *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_boolean(value))
		wrong(r, key, "true or false");
	return json_is_true(value);
}

/* Borrowed; NULL when left out or JSON null. */
static json_t *read_object(struct plan_reader *r, const json_t *object, const char *key, bool required)
{
	json_t *value = json_object_get(object, key);

	if (json_is_object(value))
		return value;
	if (required || (value != NULL && !json_is_null(value)))
		wrong(r, key, "an object");
	return NULL;
}

static json_t *read_list(struct plan_reader *r, const json_t *object, const char *key, bool required)
{
	json_t *value = json_object_get(object, key);

	if (json_is_array(value))
		return value;
	if (required || value != NULL)
		wrong(r, key, "a list");
	return NULL;
}

static const char **read_strings(struct plan_reader *r, const json_t *object, const char *key, bool required,
				 size_t *count)
{
	json_t *list = read_list(r, object, key, required), *item;
	const char **strings;
	size_t i;

	*count = 0;
	if (list == NULL)
		return NULL;
	strings = plan_keep_array(r->plan, json_array_size(list) + 1, sizeof *strings);
	json_array_foreach(list, i, item)
	{
		if (json_is_string(item))
			strings[(*count)++] = plan_keep(r->plan, json_string_value(item));
		else
			wrong(r, key, "a list of strings");
	}
	return strings;
}

/* A word out of `words`, as its index. */
static int read_word(struct plan_reader *r, const json_t *object, const char *key, const char *const *words, int count)
{
	const char *word = read_text(r, object, key, true);

	for (int i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	wrong(r, key, "a word that is known here");
	return 0;
}

/* -- Secrets ------------------------------------------------------------------------------------------------------- */

static void check_secret(struct plan_reader *r, const json_t *secret, bool wanted)
{
	static const char *const words[] = {"Env", "File", "Parameter"};
	const json_t *source = json_object_get(secret, "Source");

	/* Of what there was no more need be said than that it was one. */
	if (!wanted && json_is_object(secret) && json_object_size(secret) == 0)
		return;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (json_get_string(source, words[i]) != NULL && json_get_string(secret, "Hmac") != NULL)
			return;
	wrong(r, "Muster::Secret", "a Source (Env, File or Parameter) and an Hmac");
}

static void check_secrets(struct plan_reader *r, const json_t *value, bool wanted)
{
	const json_t *secret = json_is_object(value) ? json_object_get(value, "Muster::Secret") : NULL;
	const char *name;
	json_t *member;
	size_t i;

	if (secret != NULL)
		check_secret(r, secret, wanted);
	json_object_foreach((json_t *)value, name, member) check_secrets(r, member, wanted);
	json_array_foreach(value, i, member) check_secrets(r, member, wanted);
}

/* -- Changes ------------------------------------------------------------------------------------------------------- */

static enum plan_action read_action(struct plan_reader *r, const json_t *object)
{
	const char *word = read_text(r, object, "action", true);

	for (int action = PLAN_FORGET; action <= PLAN_DELETE; action++)
		if (strcmp(plan_action_name((enum plan_action)action), word) == 0)
			return (enum plan_action)action;
	wrong(r, "action", "create, update, replace, delete, adopt or forget");
	return PLAN_NOOP;
}

static void read_differences(struct plan_reader *r, struct plan_change *change, const json_t *ours)
{
	json_t *list = json_object_get(ours, "differences"), *item;
	size_t i;

	if (json_is_true(list)) {
		if (change->type != NULL)
			plan_diff_make(&change->diff, change->type, change->after, NULL, NULL, false);
		return;
	}
	list = read_list(r, ours, "differences", false);
	if (list == NULL)
		return;
	change->diff.items = mem_array(json_array_size(list), sizeof *change->diff.items);
	json_array_foreach(list, i, item)
	{
		struct plan_difference *difference = &change->diff.items[change->diff.count++];

		difference->path = mem_strdup(read_text(r, item, "path", true));
		difference->before = json_incref(json_object_get(item, "before"));
		difference->after = json_incref(json_object_get(item, "after"));
		difference->forces_replace = read_flag(r, item, "forces_replace");
		difference->may_replace = read_flag(r, item, "may_replace");
		difference->sensitive = read_flag(r, item, "sensitive");
		difference->pending = read_flag(r, item, "pending");
		change->diff.replace |= difference->forces_replace;
		change->diff.may_replace |= difference->may_replace;
	}
}

/* What an action needs of the values that it goes from and to. */
static void check_values(struct plan_reader *r, const struct plan_change *change)
{
	bool makes = change->action != PLAN_DELETE && change->action != PLAN_FORGET;
	bool has = makes && change->action != PLAN_CREATE;

	if (makes != (change->after != NULL))
		wrong(r, "after", makes ? "an object" : "null: nothing is to be there");
	if (has && change->before == NULL)
		wrong(r, "before", "an object");
	if (change->action == PLAN_CREATE && change->before != NULL)
		wrong(r, "before", "null: nothing is there");
	check_secrets(r, change->after, true);
	check_secrets(r, change->recorded, false);
}

static void read_values(struct plan_reader *r, struct plan_change *change, const json_t *theirs, const json_t *ours)
{
	const json_t *values = read_object(r, theirs, "change", true);
	const json_t *unknown = read_list(r, ours, "unknown", false);

	change->before = json_incref(read_object(r, values, "before", false));
	change->after = json_incref(read_object(r, values, "after", false));
	if (plan_file_restore(&change->after, unknown) != 0)
		wrong(r, "unknown", "paths into the values");
	change->recorded = read_flag(r, ours, "recorded_is_before")
			       ? json_incref(change->before)
			       : json_incref(read_object(r, ours, "recorded", false));
	change->attributes = json_incref(read_object(r, ours, "attributes", false));
	change->predicted = json_incref(read_object(r, ours, "predicted", false));
	check_values(r, change);
}

static bool address_is_hollow(const struct plan_change *change)
{
	return *change->account == '\0' || *change->region == '\0' || *change->stack == '\0' ||
	       *change->logical_id == '\0';
}

static void check_address(struct plan_reader *r, const char *key, const char *address)
{
	struct plan_change place = {0};

	if (address != NULL && (plan_change_address(r->plan, &place, address) != 0 || address_is_hollow(&place)))
		wrong(r, key, "account/region/stack/LogicalId");
}

static void read_flags(struct plan_reader *r, struct plan_change *change, const json_t *ours)
{
	const char *digest = read_text(r, ours, "digest", true);

	if (text_hex_decode(change->digest, sizeof change->digest, digest) != 0)
		wrong(r, "digest", "64 hex digits");
	change->version = (uint64_t)read_count(r, ours, "version");
	change->incarnation = read_count(r, ours, "incarnation");
	change->deletion =
	    (enum specs_deletion)read_word(r, ours, "deletion", plan_deletion_words, SPECS_DELETION_UNSET + 1);
	change->moved_from = plan_keep(r->plan, read_text(r, ours, "moved_from", false));
	change->origin = plan_keep(r->plan, read_text(r, ours, "origin", false));
	check_address(r, "moved_from", change->moved_from);
	check_address(r, "origin", change->origin);
	change->create_first = read_flag(r, ours, "create_first");
	change->protect = read_flag(r, ours, "protect");
	change->adopted = read_flag(r, ours, "adopted");
	change->drifted = read_flag(r, ours, "drifted");
	change->gone = read_flag(r, ours, "gone");
	change->retain_old = read_flag(r, ours, "retain_old");
	change->record_only = read_flag(r, ours, "record_only");
	change->accepted = read_flag(r, ours, "accepted");
	change->pending = read_flag(r, ours, "pending");
}

/* Other tools judge their part of the file and apply follows ours: the two must say the same. */
static void check_same(struct plan_reader *r, const struct plan_change *change, const char *deposed,
		       const json_t *theirs, const json_t *ours)
{
	json_t *their_own, *our_own;

	if (r->failed)
		return;
	plan_file_change(r->plan, change, deposed, &their_own, &our_own);
	if (!json_equal(their_own, (json_t *)theirs) || !json_equal(our_own, (json_t *)ours))
		wrong(r, "resource_changes", "what muster.changes says");
	json_decref(their_own);
	json_decref(our_own);
}

static void read_change(struct plan_reader *r, const json_t *theirs, const json_t *all)
{
	const char *address = read_text(r, theirs, "address", true), *deposed = read_text(r, theirs, "deposed", false);
	buf_auto struct buf key = BUF_INIT;
	const json_t *ours;
	struct plan_change *change;

	plan_file_change_key(&key, address, deposed);
	ours = json_object_get(all, buf_str(&key));
	r->at = address;
	if (!json_is_object(ours)) {
		wrong(r, "muster.changes", "an object for this address");
		return;
	}
	if (map_has(&r->read, buf_str(&key))) {
		wrong(r, "resource_changes", "each address once");
		return;
	}
	map_set(&r->read, buf_str(&key), r);
	change = plan_change_add(r->plan);
	if (plan_change_address(r->plan, change, address) != 0 || address_is_hollow(change)) {
		wrong(r, "address", "account/region/stack/LogicalId");
		return;
	}
	change->account_id = plan_keep(r->plan, read_text(r, ours, "account_id", true));
	change->deposed = deposed != NULL;
	change->type_name = plan_keep(r->plan, read_text(r, theirs, "type", true));
	change->type = schema_set_find(r->schemas, change->type_name);
	change->reason = plan_keep(r->plan, read_text(r, theirs, "action_reason", false));
	change->action = read_action(r, ours);
	if (change->deposed && change->action != PLAN_DELETE)
		wrong(r, "action", "delete, of what is deposed");
	change->depends = read_strings(r, ours, "depends", true, &change->depend_count);
	change->former = read_strings(r, ours, "former", false, &change->former_count);
	read_flags(r, change, ours);
	if (change->accepted && change->action != PLAN_FORGET &&
	    !(change->action == PLAN_UPDATE && change->record_only))
		wrong(r, "accepted", "an update of the record, or its end");
	read_values(r, change, theirs, ours);
	read_differences(r, change, ours);
	check_same(r, change, deposed, theirs, ours);
}

static void read_changes(struct plan_reader *r, const json_t *root, const json_t *muster)
{
	json_t *theirs = read_list(r, root, "resource_changes", true), *all = read_object(r, muster, "changes", true);
	json_t *item;
	size_t i;

	if (json_array_size(theirs) != json_object_size(all))
		wrong(r, "resource_changes", "as many as muster.changes");
	json_array_foreach(theirs, i, item)
	{
		if (r->failed)
			return;
		read_change(r, item, all);
	}
}

/* -- The rest ------------------------------------------------------------------------------------------------------ */

static void read_accounts(struct plan_reader *r, const json_t *muster)
{
	json_t *list = read_list(r, muster, "accounts", true), *item;
	size_t i;

	json_array_foreach(list, i, item)
	    plan_account_add(r->plan, read_text(r, item, "name", true), read_text(r, item, "id", true),
			     read_object(r, item, "access", false), read_list(r, item, "regions", false));
}

static void read_notes(struct plan_reader *r, const json_t *muster)
{
	json_t *list = read_list(r, muster, "notes", true), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		int kind = read_word(r, item, "kind", plan_note_words, PLAN_NOTE_OTHER + 1);

		plan_note_add(r->plan, (enum plan_note_kind)kind, read_text(r, item, "account", false),
			      read_text(r, item, "region", false), read_text(r, item, "subject", false),
			      read_text(r, item, "text", false));
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
	json_t *names = read_list(r, place, "accounts", true), *regions = read_list(r, place, "regions", true), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (json_is_string(name))
			json_object_set(accounts, json_string_value(name), regions);
		else
			wrong(r, "reached", "names of accounts");
	}
	json_array_foreach(regions, i, name)
	{
		if (!json_is_string(name))
			wrong(r, "reached", "names of regions");
	}
}

static void read_reached(struct plan_reader *r, const json_t *muster)
{
	json_t *stacks = read_object(r, muster, "reached", true), *places, *place;
	const char *stack;
	size_t i;

	json_object_foreach(stacks, stack, places)
	{
		json_t *accounts = json_object();

		json_array_foreach(places, i, place) read_reached_place(r, accounts, place);
		json_object_set_new(r->plan->reached, stack, accounts);
	}
}

static void read_reads(struct plan_reader *r, const json_t *muster)
{
	json_t *reads = read_object(r, muster, "reads", true);
	const char *address;
	json_t *version;

	json_object_foreach(reads, address, version) read_count(r, reads, address);
	replace_json(&r->plan->reads, reads);
}

static void read_secrets(struct plan_reader *r, const json_t *muster)
{
	json_t *list = read_list(r, muster, "secrets", false), *secret;
	size_t i;

	json_array_foreach(list, i, secret) check_secret(r, secret, true);
	replace_json(&r->plan->secrets, list);
}

/* What the generation keeps, and what of a rollback is said to readers. */
static void read_inputs(struct plan_reader *r, const json_t *muster)
{
	json_t *inputs = read_object(r, muster, "inputs", false), *of = read_object(r, muster, "rollback_of", false);
	const char *key;
	uint8_t digest[32];
	json_t *value;

	json_object_foreach(inputs, key, value)
	{
		if (text_hex_decode(digest, sizeof digest, read_text(r, inputs, key, true)) < 0)
			wrong(r, "inputs", "64 hex digits for each file");
	}
	json_object_foreach(of, key, value) read_text(r, of, key, true);
	replace_json(&r->plan->inputs, inputs);
	replace_json(&r->plan->rollback_of, of);
	if (json_object_get(muster, "rollback") != NULL)
		r->plan->rollback = (uint64_t)read_count(r, muster, "rollback");
}

/* Whoever edits what is over must not get round it: counted anew, it must be the same. */
static void check_limits(struct plan_reader *r, const json_t *muster)
{
	json_t *said = read_object(r, muster, "limits", false), *counted = NULL;
	bool overridden = json_get_bool(said, "Overridden", false);

	if (said == NULL || r->failed)
		return;
	if (plan_limits_find(&counted, r->plan, json_object_get(said, "Limits"), overridden, r->diag) < 0)
		r->failed = true;
	else if (counted == NULL || !json_equal(counted, said))
		wrong(r, "limits", "what the changes add up to");
	r->plan->limits = counted;
}

static void read_outputs(struct plan_reader *r, const json_t *muster)
{
	const json_t *all = read_object(r, muster, "outputs", false), *outputs;
	const char *address, *what, *at = "";
	json_t *item;

	if (plan_file_outputs_read(r->plan, all, &at, &what) < 0) {
		r->at = at;
		wrong(r, "outputs", what);
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
			check_secrets(r, json_object_get(output, "after"), true);
			check_secrets(r, json_object_get(output, "before"), false);
		}
	}
	r->at = "muster";
}

static void read_signatures(struct plan_reader *r, const json_t *muster)
{
	if (plan_file_signatures(&r->plan->signatures, json_object_get(muster, "signatures")) < 0)
		wrong(r, "signatures", "a list of signatures");
}

static void read_facts(struct plan_reader *r, const json_t *muster)
{
	struct plan *plan = r->plan;

	plan->lineage = mem_strdup(read_text(r, muster, "lineage", false));
	if (plan->lineage == NULL || *plan->lineage == '\0') {
		diag_error(r->diag, "%s: the plan names no lineage, so it belongs to no state", r->file);
		r->failed = true;
	}
	plan->home_region = mem_strdup(read_text(r, muster, "home_region", false));
	plan->commit = mem_strdup(read_text(r, muster, "commit", false));
	plan->tree = mem_strdup(read_text(r, muster, "tree", false));
	plan->base = mem_strdup(read_text(r, muster, "base", false));
	plan->generation = (uint64_t)read_count(r, muster, "generation");
	plan->version = (uint64_t)read_count(r, muster, "newest_version");
	plan->created_ms = read_count(r, muster, "created_ms");
	plan->unchanged = (size_t)read_count(r, muster, "unchanged");
	plan->target_count = (size_t)read_count(r, muster, "targets");
	plan->dirty = read_flag(r, muster, "dirty");
	plan->destroy = read_flag(r, muster, "destroy");
	plan->refreshed = read_flag(r, muster, "refreshed");
	plan->lineage_minted = read_flag(r, muster, "lineage_minted");
	replace_json(&plan->parameters, read_object(r, muster, "parameters", false));
	read_reached(r, muster);
	read_reads(r, muster);
	read_secrets(r, muster);
	read_inputs(r, muster);
	snprintf(plan->digest, sizeof plan->digest, "%s", read_text(r, muster, "digest", true));
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
			wrong(r, key, "what the rest of the plan says");
	}
	if (!r->failed && json_object_size(root) != json_object_size(frame))
		wrong(r, "resource_changes", "all members of a plan");
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
	read_changes(&r, root, muster);
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
