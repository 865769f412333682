/* What AWS has now against what is recorded, in the shape of a plan, so that drift is read as plans are. Reads the same
 * as a plan does before it looks at any stack (refresh.c). Not for what is done about it: that is the next plan. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/drift.h"
#include "plan/file_private.h"
#include "plan/make.h"

/* -- One resource -------------------------------------------------------------------------------------------------- */

void plan_drift_calm(struct plan_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++)
		diff->items[i].forces_replace = diff->items[i].may_replace = false;
	diff->replace = diff->may_replace = false;
}

void plan_drift_turn(struct plan_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++) {
		struct plan_difference *item = &diff->items[i];
		json_t *live = item->before;

		item->before = item->after;
		item->after = live;
	}
	plan_drift_calm(diff);
}

static bool diff_has(const struct plan_diff *diff, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < diff->count; i++)
		if (strncmp(diff->items[i].path, name, len) == 0 && strchr(".[", diff->items[i].path[len]) != NULL)
			return true;
	return false;
}

/* Services tell more than anybody has set: only what was applied, or is different, is muster's business. */
static json_t *ours(const json_t *live, const json_t *recorded, const struct plan_diff *diff)
{
	json_t *result = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)live, name, value)
	{
		if (json_object_get(recorded, name) != NULL || diff_has(diff, name))
			json_object_set(result, name, value);
	}
	return result;
}

/* What is not for showing is in neither of the two. */
static void fill_values(struct plan_change *change, const json_t *recorded, const json_t *live)
{
	const struct schema_value *schema = &change->type->properties;
	json_auto_t *known = NULL, *masked = NULL;

	change->before = plan_file_hidden(schema, recorded);
	change->recorded = json_incref(change->before);
	if (live == NULL)
		return;
	known = ours(live, recorded, &change->diff);
	masked = plan_file_masked(schema, known, NULL, recorded);
	change->after = plan_file_hidden(schema, masked);
}

static struct plan_change *change_add(struct maker *m, const struct state_record *raw, const struct plan_record *record,
				      enum plan_action action)
{
	struct plan_change *change = plan_change_add(m->plan);

	plan_change_address(m->plan, change, raw->address);
	change->action = action;
	change->account_id = plan_keep(m->plan, record->account_id);
	change->type_name = plan_keep(m->plan, record->type);
	change->type = schema_set_find(m->schemas, record->type);
	change->version = raw->version;
	change->incarnation = record->incarnation;
	change->protect = record->protect;
	change->adopted = record->adopted;
	change->deletion = record->deletion;
	change->attributes = json_incref(record->attributes);
	change->drifted = true;
	return change;
}

static void add_gone(struct maker *m, const struct state_record *raw, const struct plan_record *record)
{
	struct plan_change *change = change_add(m, raw, record, PLAN_DELETE);

	change->gone = true;
	change->reason = "drift_gone";
	fill_values(change, record->properties, NULL);
}

static void add_changed(struct maker *m, const struct state_record *raw, const struct plan_record *record,
			const json_t *live)
{
	struct plan_change *change = change_add(m, raw, record, PLAN_UPDATE);

	change->reason = "drift_changed";
	plan_diff_make(&change->diff, change->type, record->properties, live, record->properties, true);
	plan_drift_turn(&change->diff);
	fill_values(change, record->properties, live);
}

/* -- All ----------------------------------------------------------------------------------------------------------- */

/* The targets that records are in stand for the fleet: no stack is looked at. */
static void note_reached(struct maker *m, const struct plan_change *place, struct map *targets)
{
	mem_auto_str char *target = mem_printf("%s/%s", place->account, place->region);
	mem_auto_str char *instance = mem_printf("%s/%s", target, place->stack);
	json_t *accounts = json_object_get(m->plan->reached, place->stack);

	if (map_set(targets, target, m) == NULL)
		m->plan->target_count++;
	if (map_set(targets, instance, m) != NULL)
		return;
	if (accounts == NULL) {
		accounts = json_object();
		json_object_set_new(m->plan->reached, place->stack, accounts);
	}
	json_push(accounts, place->account, json_string(place->region));
}

struct visitor {
	struct maker *m;
	struct map targets; /* accounts/regions, and stacks in them, that were noted */
};

static void compare(struct maker *m, const struct state_record *raw, const struct plan_record *record,
		    const struct plan_change *place)
{
	const struct known *known = map_get(&m->known, raw->address);

	if (known != NULL && known->live == KNOWN_UNREADABLE)
		maker_note(m, PLAN_NOTE_UNREACHABLE, place->account, place->region, raw->address, known->why);
	else if (known != NULL && known->live == KNOWN_GONE)
		add_gone(m, raw, record);
	else if (record->incomplete)
		maker_note(m, PLAN_NOTE_OTHER, place->account, place->region, raw->address,
			   "an apply did not get to its end here, so nobody knows what it should be; the next plan "
			   "looks at all of it");
	else if (known != NULL && known->drifted)
		add_changed(m, raw, record, known->properties);
	else
		m->plan->unchanged++;
}

static int visit(void *payload, const struct state_record *raw)
{
	struct visitor *v = payload;
	json_auto_t *body = NULL;
	struct plan_change place = {0};
	struct plan_record record;

	if (!maker_selected(v->m, raw->address))
		return 0;
	body = json_loadb(raw->text, raw->text_len, 0, NULL);
	if (plan_record_parse(&record, body) < 0 || plan_change_address(v->m->plan, &place, raw->address) < 0)
		return diag_error(v->m->d, "the state's record of %s cannot be read", raw->address);
	map_set(&v->m->seen, raw->address, SEEN_UNCHANGED);
	note_reached(v->m, &place, &v->targets);
	compare(v->m, raw, &record, &place);
	return 0;
}

static int make(struct maker *m)
{
	struct visitor v = {.m = m};
	int rc;

	if (maker_discover(m) < 0 || maker_check_reachable(m) < 0 || maker_refresh(m) < 0 || maker_start(m) < 0)
		return -1;
	m->plan->drift = m->plan->refreshed = true;
	maker_note_accounts(m);
	rc = state_record_each(m->txn, "", visit, &v, m->d);
	map_free(&v.targets, NULL);
	if (rc < 0 || maker_check_patterns(m) < 0)
		return -1;
	maker_finish(m);
	return 0;
}

int plan_drift_make(struct plan **out, struct loop *loop, struct provider *provider, struct specs *specs,
		    struct state *state, const struct plan_options *options, struct diag *d)
{
	struct plan_options reading = *options;
	struct maker m = {.loop = loop, .provider = provider, .specs = specs, .options = &reading, .d = d};
	int rc;

	*out = NULL;
	reading.refresh = true;
	m.schemas = provider->ops->schemas(provider);
	if (state_begin(&m.txn, state, false, d) < 0)
		return -1;
	rc = make(&m);
	state_abort(m.txn);
	if (rc == 0) {
		*out = m.plan;
		m.plan = NULL;
	}
	maker_free(&m);
	return rc;
}
