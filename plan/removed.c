/* What is recorded and no longer wanted: to be deleted, or only forgotten where its DeletionPolicy says so. Rule 15:
 * the record decides, since the spec may be gone. Rule 2: what cannot be reached is kept. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool listed(const json_t *regions, const char *region)
{
	size_t i;
	json_t *name;

	json_array_foreach(regions, i, name)
	{
		if (strcmp(json_string_value(name), region) == 0)
			return true;
	}
	return false;
}

/* Why nothing may be done to a record although nothing wants it, or NULL. */
static const char *unreachable(struct maker *m, const struct plan_record *record, const struct plan_change *place)
{
	const struct maker_account *account = maker_account(m, record->account_id);
	const struct known *known = map_get(&m->known, place->address);

	if (known != NULL && known->live == KNOWN_UNREADABLE)
		return known->why;
	if (account == NULL || account->access == NULL)
		return "its account is not on the roster and nothing is remembered of how to enter it; put the account "
		       "back "
		       "on the roster to manage what is left there";
	if (account->regions == NULL)
		return account->unreachable != NULL ? account->unreachable : "its regions are not known";
	if (!listed(account->regions, place->region))
		return "the region is not enabled in the account any more; enable it to manage what is left there";
	return NULL;
}

/* What it used when it was made; those may go only after it. */
static void depends_fill(struct maker *m, struct plan_change *change, const json_t *depends)
{
	size_t i;
	json_t *address;

	change->depends = plan_keep_array(m->plan, json_array_size(depends), sizeof *change->depends);
	json_array_foreach(depends, i, address)
	{
		change->depends[change->depend_count++] = plan_keep(m->plan, json_string_value(address));
	}
}

static void change_fill(struct maker *m, struct plan_change *change, const struct state_record *raw,
			const struct plan_record *record)
{
	const struct known *known = map_get(&m->known, raw->address);

	change->account_id = plan_keep(m->plan, record->account_id);
	change->type_name = plan_keep(m->plan, record->type);
	change->type = schema_set_find(m->schemas, record->type);
	change->before =
	    json_incref(known != NULL && known->properties != NULL ? known->properties : record->properties);
	change->recorded = json_incref(record->properties);
	change->attributes = json_incref(record->attributes);
	change->version = raw->version;
	change->incarnation = record->incarnation;
	change->protect = record->protect;
	change->adopted = record->adopted;
	change->deletion = record->deletion;
	change->gone = known != NULL && known->live == KNOWN_GONE;
	change->drifted = known != NULL && known->drifted;
	depends_fill(m, change, record->depends);
}

void maker_deposed(struct maker *m, const char *address, const char *moved_from, const struct state_record *raw,
		   const struct plan_record *record)
{
	size_t i;
	json_t *old;

	json_array_foreach(record->deposed, i, old)
	{
		const char *type = json_get_string(old, "Type");
		struct plan_change *change = plan_change_add(m->plan);

		plan_change_address(m->plan, change, address);
		change->action = PLAN_DELETE;
		change->deposed = true;
		change->reason = "delete_because_deposed";
		change->account_id = plan_keep(m->plan, record->account_id);
		change->type_name = plan_keep(m->plan, type == NULL ? record->type : type);
		change->type = schema_set_find(m->schemas, change->type_name);
		change->before = json_incref(json_object_get(old, "Properties"));
		change->recorded = json_incref(json_object_get(old, "Properties"));
		change->attributes = json_incref(json_object_get(old, "Attributes"));
		change->incarnation = json_get_int(old, "Incarnation", 0);
		change->version = raw->version;
		change->moved_from = plan_keep(m->plan, moved_from);
		change->deletion = SPECS_DELETE;
		depends_fill(m, change, json_object_get(old, "Depends"));
	}
}

static void decide(struct maker *m, struct plan_change *change)
{
	bool stays = change->deletion == SPECS_RETAIN || (change->adopted && change->deletion != SPECS_DELETE);

	change->action = PLAN_DELETE;
	change->reason = m->options->destroy ? "delete_because_destroy" : "delete_because_no_resource_config";
	if (change->gone) {
		change->action = PLAN_FORGET;
		change->reason = "forget_because_gone";
	} else if (stays) {
		change->action = PLAN_FORGET;
		change->reason =
		    change->deletion == SPECS_RETAIN ? "forget_because_retained" : "forget_because_adopted";
		maker_note(m, PLAN_NOTE_LEFT, change->account, change->region, change->address,
			   change->deletion == SPECS_RETAIN
			       ? "left in AWS: its DeletionPolicy is Retain"
			       : "left in AWS: it was adopted, and no DeletionPolicy: Delete says otherwise");
	} else if (change->type == NULL) {
		mem_auto_str char *text =
		    mem_printf("is to be deleted, but its type %s is not known to this program", change->type_name);

		maker_complain(m, NULL, change->address, text);
	} else if (change->protect) {
		maker_complain(
		    m, NULL, change->address,
		    "would be deleted, but it is protected; apply it with \"Protect\": false first (back in its "
		    "stack, if it was taken out)");
	} else if (change->type->retains_data) {
		maker_note(m, PLAN_NOTE_DATA, change->account, change->region, change->address,
			   "its data goes with it and cannot be brought back");
	}
}

/* A stack target whose resources cannot even be listed now does not thereby give them up. */
static bool in_blocked_instance(const struct maker *m, const char *address)
{
	mem_auto_str char *instance = mem_strndup(address, (size_t)(strrchr(address, '/') - address));

	mem_auto_str char *now = m->blocked.live > 0 ? maker_moved_to(m, instance) : NULL;

	return m->blocked.live > 0 && (map_has(&m->blocked, instance) || (now != NULL && map_has(&m->blocked, now)));
}

/* An account that is not on the roster any more has perhaps been closed: then nothing will ever enter it again. */
static void note_unreachable(struct maker *m, const struct plan_record *record, const struct plan_change *place,
			     const char *why)
{
	const struct maker_account *account = maker_account(m, record->account_id);
	mem_auto_str char *closed = NULL;

	if (account == NULL || account->spec == NULL)
		closed = mem_printf("%s; if the account is closed, let the state forget what was there: muster state "
				    "rm '%s/*'",
				    why, place->account);
	maker_note(m, PLAN_NOTE_UNREACHABLE, place->account, place->region, NULL, closed != NULL ? closed : why);
}

static int visit(void *payload, const struct state_record *raw)
{
	struct maker *m = payload;
	struct plan_change place = {0}, *change;
	struct plan_record record;
	json_auto_t *body = NULL;
	const char *why;

	if (map_has(&m->seen, raw->address))
		return 0;
	if (in_blocked_instance(m, raw->address)) {
		maker_outputs_hold(m, raw->address);
		return 0;
	}
	body = json_loadb(raw->text, raw->text_len, 0, NULL);
	if (plan_record_parse(&record, body) < 0 || plan_change_address(m->plan, &place, raw->address) < 0)
		return diag_error(m->d, "the state's record of %s cannot be read", raw->address);
	why = unreachable(m, &record, &place);
	if (why != NULL) {
		note_unreachable(m, &record, &place, why);
		maker_outputs_hold(m, raw->address);
		return 0;
	}
	change = plan_change_add(m->plan);
	*change = place;
	change_fill(m, change, raw, &record);
	decide(m, change);
	maker_deposed(m, raw->address, NULL, raw, &record);
	return 0;
}

int maker_removed(struct maker *m)
{
	return state_record_each(m->txn, "", visit, m, m->d) < 0 ? -1 : 0;
}
