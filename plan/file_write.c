/* A plan as JSON: the shape of `terraform show -json`, and under "muster" all else that makes it the same plan again
 * when it is read (docs/plan-file.md). */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "plan/file_private.h"

const char *const plan_note_words[PLAN_NOTE_OTHER + 1] = {
    [PLAN_NOTE_REGION_SKIPPED] = "region_skipped",
    [PLAN_NOTE_UNREACHABLE] = "unreachable",
    [PLAN_NOTE_BLOCKED] = "blocked",
    [PLAN_NOTE_REMEMBERED_REGIONS] = "remembered_regions",
    [PLAN_NOTE_TYPE_NOT_IN_REGION] = "type_not_in_region",
    [PLAN_NOTE_INTENT] = "open_intent",
    [PLAN_NOTE_LEFT] = "left_in_aws",
    [PLAN_NOTE_DATA] = "data_destroyed",
    [PLAN_NOTE_RESOLVED] = "resolved",
    [PLAN_NOTE_WITHDRAWN] = "withdrawn",
    [PLAN_NOTE_APPROVAL] = "approval",
    [PLAN_NOTE_OTHER] = "other",
};

const char *const plan_deletion_words[SPECS_DELETION_UNSET + 1] = {
    [SPECS_DELETE] = "Delete",
    [SPECS_RETAIN] = "Retain",
    [SPECS_DELETION_UNSET] = "Unset",
};

/* -- Small setters: what says nothing is left out -------------------------------------------------------------------
 */

static void set_flag(json_t *object, const char *key, bool value)
{
	if (value)
		json_object_set_new(object, key, json_true());
}

static void set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, json_string(value));
}

static void set_json(json_t *object, const char *key, json_t *value)
{
	if (value != NULL)
		json_object_set(object, key, value);
}

static json_t *or_null(json_t *value)
{
	return value != NULL ? value : json_null();
}

/* -- Terraform's part ---------------------------------------------------------------------------------------------- */

static const struct schema_value *properties_of(const struct plan_change *change)
{
	return change->type != NULL ? &change->type->properties : NULL;
}

static json_t *actions(const struct plan_change *change)
{
	switch (change->action) {
	case PLAN_NOOP:
		break;
	case PLAN_FORGET:
		return json_pack("[s]", "forget");
	case PLAN_CREATE:
		return json_pack("[s]", "create");
	case PLAN_ADOPT:
	case PLAN_UPDATE:
		if (change->record_only || (change->action == PLAN_ADOPT && change->diff.count == 0))
			break;
		return json_pack("[s]", "update");
	case PLAN_REPLACE:
		return change->create_first ? json_pack("[ss]", "create", "delete")
					    : json_pack("[ss]", "delete", "create");
	case PLAN_DELETE:
		return json_pack("[s]", "delete");
	}
	return json_pack("[s]", "no-op");
}

/* How AWS knows what is adopted: what Ref would give. */
static json_t *importing(const struct plan_change *change, const json_t *before)
{
	const char *ref = change->type != NULL ? change->type->ref : NULL;
	json_t *id = ref != NULL ? json_object_get(change->attributes, ref) : NULL;

	if (id == NULL && ref != NULL)
		id = json_object_get(before, ref);
	return json_is_string(id) ? json_pack("{s:O}", "id", id) : json_pack("{s:s}", "id", change->address);
}

static json_t *replace_paths(const struct plan_change *change)
{
	json_t *paths = json_array();

	for (size_t i = 0; i < change->diff.count; i++)
		if (change->diff.items[i].forces_replace || change->diff.items[i].may_replace)
			json_array_append_new(paths, plan_file_path(change->diff.items[i].path));
	return paths;
}

/* What it has, without secrets, or NULL. New reference. */
static json_t *shown_before(const struct plan *plan, const struct plan_change *change)
{
	const struct schema_value *schema = properties_of(change);
	json_t *masked, *result;

	if (change->before == NULL || plan->loaded)
		return json_incref(change->before);
	masked = plan_file_masked(schema, change->before, change->after, change->recorded);
	result = plan_file_hidden(schema, masked);
	json_decref(masked);
	return result;
}

/* `unknown` gets what plan_file_restore() needs. */
static json_t *terraform_change(const struct plan *plan, const struct plan_change *change, json_t *unknown)
{
	const struct schema_value *schema = properties_of(change);
	json_t *before = shown_before(plan, change);
	json_t *marks = NULL, *result = json_object(), *paths;

	json_object_set_new(result, "actions", actions(change));
	json_object_set_new(result, "before", or_null(json_incref(before)));
	json_object_set_new(result, "after",
			    or_null(change->after != NULL ? plan_file_known(change->after, unknown, &marks) : NULL));
	json_object_set_new(result, "after_unknown", marks != NULL ? marks : json_object());
	marks = plan_file_sensitive(schema, before);
	json_object_set_new(result, "before_sensitive",
			    marks != NULL ? marks : (before != NULL ? json_object() : json_false()));
	marks = plan_file_sensitive(schema, change->after);
	json_object_set_new(result, "after_sensitive",
			    marks != NULL ? marks : (change->after != NULL ? json_object() : json_false()));
	paths = replace_paths(change);
	if (json_array_size(paths) > 0)
		json_object_set(result, "replace_paths", paths);
	json_decref(paths);
	if (change->action == PLAN_ADOPT)
		json_object_set_new(result, "importing", importing(change, before));
	json_decref(before);
	return result;
}

static json_t *resource_change(const struct plan *plan, const struct plan_change *change, const char *deposed,
			       json_t *unknown)
{
	json_t *result = json_pack("{s:s, s:s, s:s, s:s, s:s}", "address", change->address, "mode", "managed", "type",
				   change->type_name, "name", change->logical_id, "provider_name", "aws");

	json_object_set_new(result, "change", terraform_change(plan, change, unknown));
	set_text(result, "action_reason", change->reason);
	set_text(result, "deposed", deposed);
	set_text(result, "previous_address", change->moved_from);
	return result;
}

/* -- Ours ---------------------------------------------------------------------------------------------------------- */

static json_t *strings(const char *const *items, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(items[i]));
	return list;
}

json_t *plan_file_differences(const struct plan_change *change)
{
	json_t *list;

	if (change->diff.count == 0)
		return NULL;
	/* A create differs in all that it has: no need to say everything twice. */
	if (change->action == PLAN_CREATE && change->type != NULL)
		return json_true();
	list = json_array();
	for (size_t i = 0; i < change->diff.count; i++) {
		const struct plan_difference *item = &change->diff.items[i];
		json_t *object = json_pack("{s:s}", "path", item->path);

		set_json(object, "before", item->before);
		set_json(object, "after", item->after);
		set_flag(object, "forces_replace", item->forces_replace);
		set_flag(object, "may_replace", item->may_replace);
		set_flag(object, "sensitive", item->sensitive);
		set_flag(object, "pending", item->pending);
		json_array_append_new(list, object);
	}
	return list;
}

static void set_recorded(json_t *object, const struct plan *plan, const struct plan_change *change)
{
	json_t *recorded, *before;

	if (change->recorded == NULL)
		return;
	recorded = plan_file_hidden(properties_of(change), change->recorded);
	before = shown_before(plan, change);
	if (before != NULL && json_equal(recorded, before))
		json_object_set_new(object, "recorded_is_before", json_true());
	else
		json_object_set(object, "recorded", recorded);
	json_decref(recorded);
	json_decref(before);
}

static json_t *muster_change(const struct plan *plan, const struct plan_change *change, json_t *unknown)
{
	char digest[65];
	json_t *result =
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "action", plan_action_name(change->action), "account",
		      change->account, "account_id", change->account_id, "region", change->region, "stack",
		      change->stack, "version", (json_int_t)change->version, "incarnation",
		      (json_int_t)change->incarnation, "deletion", plan_deletion_words[change->deletion]);

	text_hex(digest, change->digest, sizeof change->digest);
	set_text(result, "digest", digest);
	json_object_set_new(result, "depends", strings(change->depends, change->depend_count));
	if (change->former != NULL)
		json_object_set_new(result, "former", strings(change->former, change->former_count));
	if (json_array_size(unknown) > 0)
		json_object_set(result, "unknown", unknown);
	set_json(result, "attributes", change->attributes);
	set_json(result, "predicted", change->predicted);
	set_recorded(result, plan, change);
	if (change->diff.count > 0)
		json_object_set_new(result, "differences", plan_file_differences(change));
	set_text(result, "moved_from", change->moved_from);
	set_text(result, "origin", change->origin);
	set_flag(result, "create_first", change->create_first);
	set_flag(result, "protect", change->protect);
	if (change->policies_recorded)
		json_object_set_new(result, "policies_recorded",
				    json_pack("{s:b, s:s}", "protect", (int)change->protect_recorded, "deletion",
					      plan_deletion_words[change->deletion_recorded]));
	set_flag(result, "adopted", change->adopted);
	set_flag(result, "drifted", change->drifted);
	set_flag(result, "gone", change->gone);
	set_flag(result, "retain_old", change->retain_old);
	set_flag(result, "record_only", change->record_only);
	set_flag(result, "accepted", change->accepted);
	set_flag(result, "pending", change->pending);
	set_text(result, "since", change->since);
	return result;
}

static json_t *notes(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->note_count; i++) {
		const struct plan_note *note = &plan->notes[i];
		json_t *object = json_pack("{s:s}", "kind", plan_note_words[note->kind]);

		set_text(object, "account", note->account);
		set_text(object, "region", note->region);
		set_text(object, "subject", note->subject);
		set_text(object, "text", note->text);
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *accounts(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->account_count; i++) {
		const struct plan_account *account = &plan->accounts[i];
		json_t *object = json_pack("{s:s, s:s}", "name", account->name, "id", account->id);

		set_json(object, "access", account->access);
		set_json(object, "regions", account->regions);
		json_array_append_new(list, object);
	}
	return list;
}

/* Accounts that a stack reaches in the same regions stand together: in a large fleet nearly all do. */
static json_t *reached_by_stack(json_t *accounts)
{
	json_t *list = json_array(), *places = json_object(), *regions;
	const char *account;

	json_object_foreach(accounts, account, regions)
	{
		buf_auto struct buf key = BUF_INIT;
		json_t *place;

		json_canonical(&key, regions);
		place = json_object_get(places, buf_str(&key));
		if (place == NULL) {
			place = json_pack("{s:[], s:O}", "accounts", "regions", regions);
			json_object_set_new(places, buf_str(&key), place);
			json_array_append(list, place);
		}
		json_push(place, "accounts", json_string(account));
	}
	json_decref(places);
	return list;
}

static json_t *reached(const struct plan *plan)
{
	json_t *result = json_object(), *accounts;
	const char *stack;

	json_object_foreach(plan->reached, stack, accounts)
	    json_object_set_new(result, stack, reached_by_stack(accounts));
	return result;
}

static json_t *muster_part(const struct plan *plan)
{
	json_t *result = json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}", "version", PLAN_FILE_VERSION, "generation",
				   (json_int_t)plan->generation, "newest_version", (json_int_t)plan->version,
				   "created_ms", (json_int_t)plan->created_ms, "unchanged", (json_int_t)plan->unchanged,
				   "targets", (json_int_t)plan->target_count);

	set_text(result, "lineage", plan->lineage);
	set_text(result, "home_region", plan->home_region);
	set_text(result, "commit", plan->commit);
	set_text(result, "tree", plan->tree);
	set_text(result, "base", plan->base);
	set_text(result, "only", plan->only);
	json_object_set_new(result, "dirty", json_boolean(plan->dirty));
	json_object_set_new(result, "destroy", json_boolean(plan->destroy));
	json_object_set_new(result, "refreshed", json_boolean(plan->refreshed));
	json_object_set_new(result, "lineage_minted", json_boolean(plan->lineage_minted));
	set_json(result, "parameters", plan->parameters);
	set_json(result, "secrets", plan->secrets);
	set_json(result, "inputs", plan->inputs);
	set_json(result, "uncommitted", plan->uncommitted);
	if (plan->rollback > 0)
		json_object_set_new(result, "rollback", json_integer((json_int_t)plan->rollback));
	set_json(result, "rollback_of", plan->rollback_of);
	set_json(result, "limits", plan->limits);
	set_flag(result, "drift", plan->drift);
	json_object_set_new(result, "reached", reached(plan));
	set_json(result, "reads", plan->reads);
	json_object_set_new(result, "accounts", accounts(plan));
	json_object_set_new(result, "notes", notes(plan));
	return result;
}

/* -- The whole ----------------------------------------------------------------------------------------------------- */

void plan_file_change_key(struct buf *out, const char *address, const char *deposed)
{
	buf_clear(out);
	buf_adds(out, address);
	if (deposed != NULL)
		buf_addf(out, " (deposed %s)", deposed);
}

/* The differences that whoever reads the file will find. */
static void diff_as_read(struct plan_diff *out, const struct plan *plan, const struct plan_change *change)
{
	json_t *before = shown_before(plan, change);
	json_t *recorded = change->recorded != NULL ? plan_file_hidden(properties_of(change), change->recorded) : NULL;

	plan_file_diff(out, plan, change, before, recorded);
	plan_file_diff_pending(out, &change->diff);
	json_decref(before);
	json_decref(recorded);
}

void plan_file_change(const struct plan *plan, const struct plan_change *change, const char *deposed, json_t **theirs,
		      json_t **ours)
{
	json_t *unknown = json_array();
	struct plan_change as_read = *change;

	/* What has happened, or was found, is never applied; and what was read has been compared. */
	if (!plan->loaded && !plan->past && !plan->drift && change->type != NULL) {
		diff_as_read(&as_read.diff, plan, change);
		*theirs = resource_change(plan, &as_read, deposed, unknown);
		*ours = muster_change(plan, &as_read, unknown);
		plan_diff_free(&as_read.diff);
	} else {
		*theirs = resource_change(plan, change, deposed, unknown);
		*ours = muster_change(plan, change, unknown);
	}
	json_decref(unknown);
}

/* What replacements left has no address of its own: those of one address are numbered. */
static void add_change(const struct plan *plan, const struct plan_change *change, size_t number, json_t *resources,
		       json_t *changes)
{
	buf_auto struct buf key = BUF_INIT;
	json_t *theirs, *ours;
	char deposed[32];

	snprintf(deposed, sizeof deposed, "%zu", number);
	plan_file_change_key(&key, change->address, number > 0 ? deposed : NULL);
	plan_file_change(plan, change, number > 0 ? deposed : NULL, &theirs, &ours);
	json_array_append_new(resources, theirs);
	json_object_set_new(changes, buf_str(&key), ours);
}

static void add_changes(const struct plan *plan, json_t *resources, json_t *changes)
{
	json_t *numbers = json_object();

	for (size_t i = 0; i < plan->change_count; i++) {
		const char *address = plan->changes[i].address;
		int64_t number = 0;

		if (plan->changes[i].deposed) {
			number = json_get_int(numbers, address, 0) + 1;
			json_object_set_new(numbers, address, json_integer(number));
		}
		add_change(plan, &plan->changes[i], (size_t)number, resources, changes);
	}
	json_decref(numbers);
}

json_t *plan_file_frame(const struct plan *plan)
{
	json_t *root = json_pack("{s:s}", "format_version", PLAN_FILE_FORMAT), *theirs, *ours;
	char time[32];

	text_time(time, sizeof time, plan->created_ms);
	json_object_set_new(root, "timestamp", json_string(time));
	json_object_set_new(root, "complete", json_true());
	json_object_set_new(root, "errored", json_false());
	json_object_set_new(root, "applyable", json_boolean(plan_has_work(plan) && !plan->drift && !plan->past));
	json_object_set_new(root, "muster", muster_part(plan));
	plan_file_outputs(plan, &theirs, &ours);
	if (theirs != NULL)
		json_object_set_new(root, "output_changes", theirs);
	if (ours != NULL)
		json_object_set_new(json_object_get(root, "muster"), "outputs", ours);
	return root;
}

json_t *plan_to_json(struct plan *plan)
{
	json_t *root = plan_file_frame(plan), *muster = json_object_get(root, "muster");
	json_t *resources = json_array(), *changes = json_object();
	uint8_t digest[32];

	add_changes(plan, resources, changes);
	json_object_set_new(root, "resource_changes", resources);
	json_object_set_new(muster, "changes", changes);
	set_json(root, "drift", plan->drift_report);
	/* What is never applied needs no digest, and must not be taken for a plan. */
	if (plan->drift)
		return root;
	json_digest(digest, root);
	text_hex(plan->digest, digest, sizeof digest);
	json_object_set_new(muster, "digest", json_string(plan->digest));
	/* Of the digest, so not under it. */
	set_json(muster, "signatures", plan->signatures);
	return root;
}
