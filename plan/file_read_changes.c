/* The changes of a plan out of its JSON. Nothing is taken on trust: who can write the file can make its digest, too. */
#include "plan/file_reader.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/file_private.h"

static enum plan_action read_action(struct plan_reader *r, const json_t *object)
{
	const char *word = plan_read_text(r, object, "action", true);

	for (int action = PLAN_FORGET; action <= PLAN_DELETE; action++)
		if (strcmp(plan_action_name((enum plan_action)action), word) == 0)
			return (enum plan_action)action;
	plan_reader_wrong(r, "action", "create, update, replace, delete, adopt or forget");
	return PLAN_NOOP;
}

/* The base's part in them is all that is taken from the file. */
static void read_pending(struct plan_reader *r, struct plan_change *change, const json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (i < change->diff.count)
			change->diff.items[i].pending = plan_read_flag(r, item, "pending");
	}
}

/* Made anew from the values, for these are what apply follows; what the file says must be the same. */
static void read_differences(struct plan_reader *r, struct plan_change *change, const json_t *ours)
{
	const json_t *said = json_object_get(ours, "differences");
	json_auto_t *made = NULL;
	const char *doubt;

	if (r->failed)
		return;
	if (change->type == NULL && plan_file_compares(change)) {
		plan_reader_wrong(r, "type",
				  "one that is known here: of any other, things can only be deleted or forgotten");
		return;
	}
	plan_file_diff(&change->diff, r->plan, change, change->before, change->recorded);
	read_pending(r, change, said);
	made = plan_file_differences(change);
	doubt = plan_file_diff_doubt(change);
	if (made == NULL ? said != NULL : !json_equal(made, (json_t *)said))
		plan_reader_wrong(r, "differences", "what before, after and recorded differ in");
	else if (doubt != NULL)
		plan_reader_wrong(r, "action", doubt);
}

/* What an action needs of the values that it goes from and to. */
static void check_values(struct plan_reader *r, const struct plan_change *change)
{
	bool makes = change->action != PLAN_DELETE && change->action != PLAN_FORGET;
	bool has = makes && change->action != PLAN_CREATE;

	if (makes != (change->after != NULL))
		plan_reader_wrong(r, "after", makes ? "an object" : "null: nothing is to be there");
	if (has && change->before == NULL)
		plan_reader_wrong(r, "before", "an object");
	if (has && (change->recorded == NULL) != (change->action == PLAN_ADOPT))
		plan_reader_wrong(r, "recorded",
				  change->action == PLAN_ADOPT ? "nothing: it is not recorded yet" : "an object");
	if (change->action == PLAN_CREATE && change->before != NULL)
		plan_reader_wrong(r, "before", "null: nothing is there");
	plan_check_secrets(r, change->after, true);
	plan_check_secrets(r, change->recorded, false);
}

static void read_values(struct plan_reader *r, struct plan_change *change, const json_t *theirs, const json_t *ours)
{
	const json_t *values = plan_read_object(r, theirs, "change", true);
	const json_t *unknown = plan_read_list(r, ours, "unknown", false);

	change->before = json_incref(plan_read_object(r, values, "before", false));
	change->after = json_incref(plan_read_object(r, values, "after", false));
	if (plan_file_restore(&change->after, unknown) != 0)
		plan_reader_wrong(r, "unknown", "paths into the values");
	change->recorded = plan_read_flag(r, ours, "recorded_is_before")
			       ? json_incref(change->before)
			       : json_incref(plan_read_object(r, ours, "recorded", false));
	change->attributes = json_incref(plan_read_object(r, ours, "attributes", false));
	change->predicted = json_incref(plan_read_object(r, ours, "predicted", false));
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
		plan_reader_wrong(r, key, "account/region/stack/LogicalId");
}

/* What has a record says which protection from later plans it has there. */
static void read_policies(struct plan_reader *r, struct plan_change *change, const json_t *ours)
{
	bool required = plan_file_compares(change) && change->version > 0;
	const json_t *policies = plan_read_object(r, ours, "policies_recorded", required);

	if (policies == NULL)
		return;
	change->policies_recorded = true;
	change->protect_recorded = plan_read_flag(r, policies, "protect");
	change->deletion_recorded =
	    (enum specs_deletion)plan_read_word(r, policies, "deletion", plan_deletion_words, SPECS_DELETION_UNSET + 1);
}

static void read_flags(struct plan_reader *r, struct plan_change *change, const json_t *ours)
{
	const char *digest = plan_read_text(r, ours, "digest", true);

	if (text_hex_decode(change->digest, sizeof change->digest, digest) != 0)
		plan_reader_wrong(r, "digest", "64 hex digits");
	change->version = (uint64_t)plan_read_count(r, ours, "version");
	change->incarnation = plan_read_count(r, ours, "incarnation");
	change->deletion =
	    (enum specs_deletion)plan_read_word(r, ours, "deletion", plan_deletion_words, SPECS_DELETION_UNSET + 1);
	change->moved_from = plan_keep(r->plan, plan_read_text(r, ours, "moved_from", false));
	change->origin = plan_keep(r->plan, plan_read_text(r, ours, "origin", false));
	check_address(r, "moved_from", change->moved_from);
	check_address(r, "origin", change->origin);
	change->create_first = plan_read_flag(r, ours, "create_first");
	change->protect = plan_read_flag(r, ours, "protect");
	read_policies(r, change, ours);
	change->adopted = plan_read_flag(r, ours, "adopted");
	change->drifted = plan_read_flag(r, ours, "drifted");
	change->gone = plan_read_flag(r, ours, "gone");
	change->retain_old = plan_read_flag(r, ours, "retain_old");
	change->record_only = plan_read_flag(r, ours, "record_only");
	change->accepted = plan_read_flag(r, ours, "accepted");
	change->pending = plan_read_flag(r, ours, "pending");
}

static bool is_commit(const char *id)
{
	uint8_t bytes[32];
	size_t len = id != NULL ? strlen(id) : 0;

	return (len == 40 || len == 64) && text_hex_decode(bytes, len / 2, id) == 0;
}

/* That something was to happen anyway is said only against a base that readers can look at. */
static void check_pending(struct plan_reader *r, const struct plan_change *change)
{
	bool pending = change->pending;

	for (size_t i = 0; i < change->diff.count; i++)
		pending |= change->diff.items[i].pending;
	if (pending && !is_commit(r->plan->base))
		plan_reader_wrong(r, "pending", "a plan with a base, which is the full id of a commit");
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
		plan_reader_wrong(r, "resource_changes", "what muster.changes says");
	json_decref(their_own);
	json_decref(our_own);
}

static void read_change(struct plan_reader *r, const json_t *theirs, const json_t *all)
{
	const char *address = plan_read_text(r, theirs, "address", true),
		   *deposed = plan_read_text(r, theirs, "deposed", false);
	buf_auto struct buf key = BUF_INIT;
	const json_t *ours;
	struct plan_change *change;

	plan_file_change_key(&key, address, deposed);
	ours = json_object_get(all, buf_str(&key));
	r->at = address;
	if (!json_is_object(ours)) {
		plan_reader_wrong(r, "muster.changes", "an object for this address");
		return;
	}
	if (map_has(&r->read, buf_str(&key))) {
		plan_reader_wrong(r, "resource_changes", "each address once");
		return;
	}
	map_set(&r->read, buf_str(&key), r);
	change = plan_change_add(r->plan);
	if (plan_change_address(r->plan, change, address) != 0 || address_is_hollow(change)) {
		plan_reader_wrong(r, "address", "account/region/stack/LogicalId");
		return;
	}
	change->account_id = plan_keep(r->plan, plan_read_text(r, ours, "account_id", true));
	change->deposed = deposed != NULL;
	change->type_name = plan_keep(r->plan, plan_read_text(r, theirs, "type", true));
	change->type = schema_set_find(r->schemas, change->type_name);
	change->reason = plan_keep(r->plan, plan_read_text(r, theirs, "action_reason", false));
	change->action = read_action(r, ours);
	if (change->deposed && change->action != PLAN_DELETE)
		plan_reader_wrong(r, "action", "delete, of what is deposed");
	change->depends = plan_read_strings(r, ours, "depends", true, &change->depend_count);
	change->former = plan_read_strings(r, ours, "former", false, &change->former_count);
	read_flags(r, change, ours);
	if (change->accepted && change->action != PLAN_FORGET &&
	    !(change->action == PLAN_UPDATE && change->record_only))
		plan_reader_wrong(r, "accepted", "an update of the record, or its end");
	read_values(r, change, theirs, ours);
	read_differences(r, change, ours);
	check_pending(r, change);
	check_same(r, change, deposed, theirs, ours);
}

void plan_read_changes(struct plan_reader *r, const json_t *root, const json_t *muster)
{
	json_t *theirs = plan_read_list(r, root, "resource_changes", true),
	       *all = plan_read_object(r, muster, "changes", true);
	json_t *item;
	size_t i;

	if (json_array_size(theirs) != json_object_size(all))
		plan_reader_wrong(r, "resource_changes", "as many as muster.changes");
	json_array_foreach(theirs, i, item)
	{
		if (r->failed)
			return;
		read_change(r, item, all);
	}
}
