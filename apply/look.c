/* One open intent: where to look, what came of it, and what the state shall say then. */
#include <stdlib.h>
#include <string.h>

#include "apply/recover.h"
#include "base/json.h"
#include "base/mem.h"

#define LOOK_AGAIN_MIN_MS 250
#define LOOK_AGAIN_PARTS  8 /* of a type's settle time */

void apply_look_free(struct look *look)
{
	loop_timer_cancel(look->timer);
	free(look->address);
	json_decref(look->body);
	json_decref(look->record_body);
	json_decref(look->known);
	apply_outcome_free(&look->result);
	free(look);
}

void apply_look_push(struct look ***tail, struct look *look)
{
	look->next = NULL;
	**tail = look;
	*tail = &look->next;
}

struct look *apply_look_pop(struct look **head, struct look ***tail)
{
	struct look *look = *head;

	if (look != NULL)
		*head = look->next;
	if (*head == NULL)
		*tail = head;
	return look;
}

/* -- Looking ------------------------------------------------------------------------------------------------------- */

static void look_arrived(struct look *look)
{
	apply_look_push(&look->recovery->arrived_tail, look);
}

static void look_done(void *payload, const struct provider_result *result)
{
	struct look *look = payload;

	apply_outcome_set(&look->result, result);
	look->recovery->running--;
	look_arrived(look);
}

static void look_read(struct look *look)
{
	struct provider *provider = look->recovery->provider;

	look->read = (struct provider_read_item){
	    .address = look->address,
	    .properties = look->record.properties,
	    .attributes = look->record.attributes,
	    .done = look_done,
	    .payload = look,
	};
	provider->ops->read(provider, look->type, &look->target, &look->read, 1);
}

static void look_find(struct look *look)
{
	struct provider *provider = look->recovery->provider;

	if (look->known == NULL)
		look->known = plan_known_members(look->record.properties);
	look->call = (struct provider_call){
	    .type = look->type,
	    .target = look->target,
	    .address = look->address,
	    .properties = look->known,
	    .attributes = look->record.attributes,
	    .token = json_get_string(look->body, "Token"),
	    .done = look_done,
	    .payload = look,
	};
	provider->ops->find(provider, &look->call);
}

void apply_look_start(struct look *look)
{
	look->recovery->running++;
	if (look->phase == LOOK_DELETE || look->by_id)
		look_read(look);
	else
		look_find(look);
}

static void sleeping_remove(struct look *look)
{
	struct look **at = &look->recovery->sleeping;

	while (*at != look)
		at = &(*at)->next;
	*at = look->next;
}

static void look_again(void *payload)
{
	struct look *look = payload;

	look->timer = NULL;
	sleeping_remove(look);
	apply_look_push(&look->recovery->waiting_tail, look);
}

/* Absent, but perhaps only not shown yet. */
static void look_sleep(struct look *look)
{
	int64_t left = look->settled_ms - loop_now_ms(look->recovery->loop);
	int64_t pause = look->type->settle_ms / LOOK_AGAIN_PARTS;

	pause = pause < LOOK_AGAIN_MIN_MS ? LOOK_AGAIN_MIN_MS : pause;
	look->next = look->recovery->sleeping;
	look->recovery->sleeping = look;
	look->timer = loop_timer_start(look->recovery->loop, left < pause ? left : pause, look_again, look);
}

/* Nobody could tell what came of it: the intent stays, with the reason, by which it can be let go (muster state rm). */
static void look_stays(struct look *look, const char *why)
{
	const char *said = json_get_string(look->body, "Stays");

	diag_warning(look->recovery->d,
		     "%s: a run was cut off here, and what came of it cannot be looked up (%s); its intent stays",
		     look->address, why);
	apply_look_push(&look->recovery->stayed_tail, look);
	if (said == NULL || strcmp(said, why) != 0) {
		json_object_set_new(look->body, "Stays", json_string(why));
		look->recovery->stays_new = true;
	}
}

/* -- Resolving ----------------------------------------------------------------------------------------------------- */

static void tell(struct look *look, const char *what)
{
	const struct apply_events *events = &look->recovery->options->events;

	if (events->recovered != NULL)
		events->recovered(events->payload, look->address, what);
}

/* Whether what was found is all that was wanted, as far as anybody can see. */
static bool look_whole(const struct look *look)
{
	struct plan_diff diff = {0};
	const char *name;
	json_t *value;
	bool whole;

	if (look->result.properties == NULL || specs_has_residual(look->record.properties))
		return false;
	json_object_foreach(look->record.properties, name, value)
	{
		const struct schema_member *member = schema_value_member(&look->type->properties, name);

		if (member == NULL || member->write_only)
			return false;
	}
	plan_diff_make(&diff, look->type, look->record.properties, look->result.properties, NULL, true);
	whole = diff.count == 0;
	plan_diff_free(&diff);
	return whole;
}

static int record_found(struct look *look, const char **what)
{
	struct recovery *r = look->recovery;
	struct plan_record record = look->record;
	json_auto_t *attributes = apply_merge(record.attributes, look->result.attributes);

	record.attributes = attributes;
	record.incomplete = !look_whole(look);
	*what = record.incomplete
		    ? "a run that was cut off had made it, perhaps not completely: recorded, and to be looked at"
		    : "a run that was cut off had made it: recorded";
	return apply_record_made(r->txn, look->address, r->generation, &record,
				 json_get_bool(look->body, "KeepsOld", false), r->d);
}

/* An adoption has perhaps no record yet; then there will be one. */
static int record_doubt(struct look *look)
{
	struct recovery *r = look->recovery;
	struct plan_record record = look->record;
	json_auto_t *body = NULL;

	if (apply_record_load(&body, r->txn, look->address, r->d) < 0)
		return -1;
	record.incomplete = true;
	if (body == NULL && look->phase == LOOK_ADOPT && record.type != NULL)
		return apply_record_put(r->txn, look->address, r->generation, &record, r->d);
	return apply_record_doubt(r->txn, look->address, r->generation, look->record.attributes, r->d);
}

/* What the state shall say, by what was found; `what` for people. */
static int look_write(struct look *look, const char **what)
{
	struct recovery *r = look->recovery;
	bool there = look->result.outcome == PROVIDER_DONE;

	switch (look->phase) {
	case LOOK_CREATE:
		if (there)
			return record_found(look, what);
		*what = "a run that was cut off had not made it yet: nothing is there";
		return 0;
	case LOOK_UPDATE:
	case LOOK_ADOPT:
		*what = "a run that was cut off has perhaps changed half of it: to be looked at";
		return record_doubt(look);
	case LOOK_DELETE:
		*what = there ? "a run that was cut off had not deleted it, or half of it: still recorded"
			      : "a run that was cut off had deleted it: record dropped";
		if (there)
			return record_doubt(look);
		return state_record_delete(r->txn, look->address, r->generation, r->d) < 0 ? -1 : 0;
	case LOOK_CLEANUP:
		*what = "a run that was cut off was deleting what this has replaced: still recorded, to be deleted";
		return 0;
	case LOOK_NOTHING:
		*what = "a run that was cut off was deleting it, and nothing is recorded here any more";
	}
	return 0;
}

static int look_resolve(struct look *look)
{
	struct recovery *r = look->recovery;
	const char *what = "";

	if (apply_recovery_txn(r) == NULL || look_write(look, &what) < 0 ||
	    state_intent_delete(r->txn, look->address, r->d) < 0)
		return -1;
	r->resolved_now++;
	tell(look, what);
	return 0;
}

/* Whether the answer about a create is the last word. Absence is only after the settle time; presence too, where the
 * service may still show what had that name before. What was found by its id is what was made. */
static bool answer_counts(const struct look *look)
{
	bool settled = look->settled_ms <= loop_now_ms(look->recovery->loop);

	if (look->result.outcome == PROVIDER_DONE)
		return look->by_id || settled || !json_get_bool(look->body, "TakesOver", false);
	return !look->by_id && settled;
}

/* Not under the id that it told: perhaps under its name. Not there: perhaps only not shown yet. */
static void look_next(struct look *look)
{
	if (!look->by_id) {
		look_sleep(look);
		return;
	}
	look->by_id = false;
	apply_look_push(&look->recovery->waiting_tail, look);
}

int apply_look_answer(struct look *look)
{
	struct recovery *r = look->recovery;
	enum provider_outcome outcome = look->result.outcome;

	if (outcome != PROVIDER_DONE && outcome != PROVIDER_ABSENT) {
		if (outcome == PROVIDER_CANCELLED)
			apply_look_free(look);
		else
			look_stays(look, look->result.message != NULL ? look->result.message : "no answer");
		return 0;
	}
	if (look->phase == LOOK_CREATE && !answer_counts(look)) {
		if (r->stopping)
			apply_look_free(look);
		else
			look_next(look);
		return 0;
	}
	int rc = look_resolve(look);

	apply_look_free(look);
	return rc;
}

/* -- Taking over an intent
 * ---------------------------------------------------------------------------------------------------- */

static enum look_phase phase_of(const json_t *body)
{
	static const char *const names[] = {[LOOK_CREATE] = "create",
					    [LOOK_UPDATE] = "update",
					    [LOOK_ADOPT] = "adopt",
					    [LOOK_DELETE] = "delete",
					    [LOOK_CLEANUP] = "cleanup"};
	const char *phase = json_get_string(body, "Phase");

	for (size_t i = 0; phase != NULL && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], phase) == 0)
			return (enum look_phase)i;
	return LOOK_UPDATE; /* of an unknown word only that much is certain */
}

/* The plan's way into the account if it has one (it may have been mended since), else that of the intent. */
static const json_t *access_of(const struct recovery *r, const char *id, const struct look *look)
{
	for (size_t i = 0; r->plan != NULL && i < r->plan->account_count; i++)
		if (strcmp(r->plan->accounts[i].id, id) == 0)
			return r->plan->accounts[i].access;
	return look->record.access;
}

static bool look_target(struct look *look)
{
	struct recovery *r = look->recovery;
	const char *account = json_get_string(look->body, "Account"), *id = json_get_string(look->body, "AccountId");
	const char *type = json_get_string(look->body, "Type");
	const json_t *access = account != NULL && id != NULL ? access_of(r, id, look) : NULL;

	look->type = schema_set_find(r->provider->ops->schemas(r->provider), type != NULL ? type : "");
	look->target.region = json_get_string(look->body, "Region");
	look->target.access = PROVIDER_WRITES;
	if (look->type == NULL) {
		mem_auto_str char *why = mem_printf("the type %s is not known", type != NULL ? type : "(none)");

		look_stays(look, why);
	} else if (look->target.region == NULL || access == NULL || look->record.properties == NULL) {
		look_stays(look, "it does not say where to look");
	} else if (r->provider->ops->account_add(r->provider, account, id, access, &look->target.account, r->d) < 0) {
		look_stays(look, "its account cannot be entered");
	} else {
		return true;
	}
	return false;
}

/* How long absence does not count yet. A clock that was set back must not make that longer than it ever is. */
static int64_t settled_ms(const struct look *look)
{
	int64_t left = json_get_int(look->body, "Time", 0) + look->type->settle_ms - loop_wall_ms();

	left = left < 0 ? 0 : left > look->type->settle_ms ? look->type->settle_ms : left;
	return loop_now_ms(look->recovery->loop) + left;
}

/* A deletion is looked up by what the record says; without a record there is nothing to keep. */
static int look_open_delete(struct look *look, struct state_txn *txn)
{
	if (apply_record_load(&look->record_body, txn, look->address, look->recovery->d) < 0)
		return -1;
	if (look->record_body == NULL || plan_record_parse(&look->record, look->record_body) < 0)
		look->phase = LOOK_NOTHING;
	return 0;
}

int apply_look_open(struct look *look, struct state_txn *txn)
{
	struct recovery *r = look->recovery;
	int parsed = plan_record_parse(&look->record, json_object_get(look->body, "Record"));

	if (parsed < 0)
		look->record = (struct plan_record){0};
	look->phase = phase_of(look->body);
	if (look->phase == LOOK_DELETE && look_open_delete(look, txn) < 0) {
		apply_look_free(look);
		return -1;
	}
	if (look->phase != LOOK_CREATE && look->phase != LOOK_DELETE) {
		look_arrived(look);
		return 0;
	}
	if (!look_target(look))
		return 0;
	look->settled_ms = settled_ms(look);
	look->by_id = json_object_size(look->record.attributes) > 0;
	apply_look_push(&r->waiting_tail, look);
	return 0;
}
