/* What became of records, in the shape of a plan, so that what happened is read as what was planned was: the changes
 * between two generations, or of one address in one generation. Reads only the history between the two. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "plan/file_private.h"
#include "plan/history_marks.h"
#include "plan/store.h"

/* A record that went, which perhaps only moved. Points into the state's file. */
struct gone {
	struct state_record record;
	const char *to; /* address, or NULL */
};

struct history {
	struct plan *plan;
	const struct schema_set *schemas;
	struct diag *d;
	struct map gone;  /* what a resource is known by wherever it stands -> struct gone */
	struct map moved; /* address that it moved to -> struct gone, and from -> itself */
	struct history_marks marks;
};

/* The body of a record as plan_record, borrowed from *body. NULL stays "there is none". */
static int record_load(struct plan_record *out, json_t **body, const struct state_record *record, struct diag *d)
{
	*out = (struct plan_record){0};
	*body = NULL;
	if (record == NULL)
		return 0;
	*body = json_loadb(record->text, record->text_len, 0, NULL);
	if (plan_record_parse(out, *body) < 0)
		return diag_error(d, "the state's record of %s cannot be read", record->address);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Each replacement raises the incarnation; a resource of another type or account is another one too. */
static bool is_another(const struct plan_record *before, const struct plan_record *after)
{
	return before->incarnation != after->incarnation || !same_text(before->type, after->type) ||
	       !same_text(before->account_id, after->account_id);
}

static enum plan_action action_of(const struct plan_record *before, const struct plan_record *after)
{
	if (before->properties == NULL)
		return PLAN_CREATE;
	if (after->properties == NULL)
		return PLAN_DELETE;
	return is_another(before, after) ? PLAN_REPLACE : PLAN_UPDATE;
}

/* What the record has, without what is not for showing. `other`: of the other end, whose secrets count too. */
static json_t *shown(const struct schema_type *type, json_t *properties, const json_t *other)
{
	json_t *masked, *result;

	if (properties == NULL)
		return NULL;
	if (type == NULL)
		return plan_redact_properties(NULL, properties);
	masked = plan_file_masked(&type->properties, properties, other, NULL);
	result = plan_file_hidden(&type->properties, masked);
	json_decref(masked);
	return result;
}

static void change_describe(struct plan_change *change, const struct plan_record *before,
			    const struct plan_record *after)
{
	change->action = action_of(before, after);
	if (change->type != NULL && change->action != PLAN_DELETE)
		plan_diff_make(&change->diff, change->type, after->properties, before->properties, before->properties,
			       false);
	change->before = shown(change->type, before->properties, after->properties);
	change->after = shown(change->type, after->properties, before->properties);
	change->recorded = json_incref(change->before);
	if (change->action == PLAN_UPDATE || change->action == PLAN_REPLACE) {
		change->policies_recorded = true;
		change->protect_recorded = before->protect;
		change->deletion_recorded = before->deletion;
	}
	if (change->type == NULL) {
		change->reason = "history_type_unknown";
	} else if (change->action == PLAN_UPDATE && change->diff.count == 0) {
		change->record_only = true;
		change->reason = "update_record_only";
	}
}

static int history_change(struct history *h, const char *address, const struct plan_record *before,
			  const struct plan_record *after)
{
	const struct plan_record *newer = after->properties != NULL ? after : before;
	struct plan_change *change = plan_change_add(h->plan);

	if (plan_change_address(h->plan, change, address) < 0)
		return diag_error(h->d, "the state has a record at \"%s\", which is no address", address);
	change->account_id = plan_keep(h->plan, newer->account_id != NULL ? newer->account_id : "");
	change->type_name = plan_keep(h->plan, newer->type);
	change->type = schema_set_find(h->schemas, newer->type);
	change->incarnation = newer->incarnation;
	change->protect = newer->protect;
	change->adopted = newer->adopted;
	change->deletion = newer->deletion;
	change_describe(change, before, after);
	return 0;
}

/* -- Moves: gone from one address and there at another, and yet the same ------------------------------------------- */

/* Type, account, and the address that it was made at. */
static char *identity(const struct plan_record *record, const char *address)
{
	return mem_printf("%s\n%s\n%s", record->type, record->account_id != NULL ? record->account_id : "",
			  record->origin != NULL ? record->origin : address);
}

static int note_gone(void *payload, const char *address, const struct state_record *old, const struct state_record *new)
{
	struct history *h = payload;
	mem_auto_str char *key = NULL;
	json_auto_t *body = NULL;
	struct plan_record record;
	struct gone *gone;

	if (old == NULL || new != NULL)
		return 0;
	if (record_load(&record, &body, old, h->d) < 0)
		return -1;
	gone = mem_alloc(sizeof *gone);
	gone->record = *old;
	key = identity(&record, address);
	free(map_set(&h->gone, key, gone));
	return 0;
}

static int note_moved(void *payload, const char *address, const struct state_record *old,
		      const struct state_record *new)
{
	struct history *h = payload;
	mem_auto_str char *key = NULL;
	json_auto_t *body = NULL;
	struct plan_record record;
	struct gone *gone;

	if (old != NULL || new == NULL)
		return 0;
	if (record_load(&record, &body, new, h->d) < 0)
		return -1;
	key = identity(&record, address);
	gone = map_get(&h->gone, key);
	/* A new one may be made at once where the other came from: what says that it came from there counts more. */
	if (gone == NULL || (gone->to != NULL && record.origin == NULL))
		return 0;
	if (gone->to != NULL)
		map_remove(&h->moved, gone->to);
	gone->to = address;
	map_set(&h->moved, address, gone);
	map_set(&h->moved, gone->record.address, gone);
	return 0;
}

static int find_moved(struct history *h, struct state_txn *txn, uint64_t from, uint64_t to)
{
	if (state_span_each(txn, from, to, note_gone, h, h->d) < 0)
		return -1;
	return h->gone.live > 0 ? state_span_each(txn, from, to, note_moved, h, h->d) : 0;
}

/* -- One address --------------------------------------------------------------------------------------------------- */

static int visit(void *payload, const char *address, const struct state_record *old, const struct state_record *new)
{
	struct history *h = payload;
	const struct gone *moved = map_get(&h->moved, address);
	json_auto_t *old_body = NULL, *new_body = NULL;
	struct plan_record before, after;
	struct plan_change *change;

	if (moved != NULL && new == NULL)
		return 0;
	if (moved != NULL)
		old = &moved->record;
	if (record_load(&before, &old_body, old, h->d) < 0 || record_load(&after, &new_body, new, h->d) < 0 ||
	    history_change(h, address, &before, &after) < 0)
		return -1;
	change = &h->plan->changes[h->plan->change_count - 1];
	if (moved == NULL)
		return history_marks_apply(&h->marks, change, h->d);
	change->moved_from = plan_keep(h->plan, moved->record.address);
	if (change->record_only)
		change->reason = "update_because_moved";
	return history_marks_apply(&h->marks, change, h->d);
}

static struct plan *history_plan(uint64_t generation)
{
	struct plan *plan = plan_new();

	plan->past = true;
	plan->refreshed = true; /* nothing was to be asked of AWS */
	plan->generation = generation;
	return plan;
}

static int give(struct plan **out, struct history *h, int rc)
{
	if (rc == 0)
		*out = h->plan;
	else
		plan_free(h->plan);
	return rc == 0 ? 0 : -1;
}

int plan_history_make(struct plan **out, struct state_txn *txn, uint64_t from, uint64_t to,
		      const struct schema_set *schemas, struct diag *d)
{
	struct history h = {.schemas = schemas, .d = d};
	uint64_t newest, first, later = from > to ? from : to, earlier = from > to ? to : from;
	int rc;

	*out = NULL;
	if (state_generation(txn, &newest, d) < 0 || state_generation_first(txn, &first, d) < 0)
		return -1;
	if (earlier > 0 && earlier + 1 < first)
		return diag_error(d,
				  "there is no generation %ju here: the history begins at %ju, which an export was "
				  "imported as",
				  (uintmax_t)earlier, (uintmax_t)first);
	if (later > newest)
		return diag_error(d, "there is no generation %ju: the newest is %ju", (uintmax_t)later,
				  (uintmax_t)newest);
	h.plan = history_plan(to);
	rc = history_marks_load(&h.marks, txn, from, to, d);
	if (rc == 0)
		rc = find_moved(&h, txn, from, to);
	if (rc == 0)
		rc = state_span_each(txn, from, to, visit, &h, d);
	history_marks_free(&h.marks);
	map_free(&h.moved, NULL);
	map_free(&h.gone, free);
	return give(out, &h, rc);
}

int plan_history_change(struct plan **out, const char *address, const json_t *before, const json_t *after,
			const struct schema_set *schemas, struct diag *d)
{
	struct history h = {.schemas = schemas, .d = d};
	struct plan_record old = {0}, new = {0};

	*out = NULL;
	if ((before != NULL && plan_record_parse(&old, before) < 0) ||
	    (after != NULL && plan_record_parse(&new, after) < 0))
		return diag_error(d, "the state's history of %s cannot be read", address);
	if (before == NULL && after == NULL)
		return diag_error(d, "nothing became of %s", address);
	h.plan = history_plan(0);
	return give(out, &h, history_change(&h, address, &old, &new));
}

/* What was found to have moved is told from where it is then, whichever of both addresses was asked for. */
static int moved_add(struct history *h, struct state_txn *txn, uint64_t generation, const struct gone *gone)
{
	struct state_record record;
	int found = state_record_at(txn, generation, gone->to, &record, h->d);

	if (found <= 0)
		return found < 0 ? -1 : diag_error(h->d, "the state's history of %s cannot be read", gone->to);
	return visit(h, gone->to, NULL, &record);
}

int plan_history_step(struct plan **out, struct state_txn *txn, uint64_t generation, const char *address,
		      const json_t *before, const json_t *after, const struct schema_set *schemas, struct diag *d)
{
	struct history h = {.schemas = schemas, .d = d};
	const struct gone *gone = NULL;
	int rc = 0;

	*out = NULL;
	rc = history_marks_load(&h.marks, txn, generation - 1, generation, d);
	if (rc == 0 && (before == NULL || after == NULL))
		rc = find_moved(&h, txn, generation - 1, generation);
	if (rc == 0)
		gone = map_get(&h.moved, address);
	if (rc == 0 && gone == NULL) {
		rc = plan_history_change(out, address, before, after, schemas, d);
		if (rc == 0 && *out != NULL && history_marks_apply(&h.marks, &(*out)->changes[0], d) < 0) {
			plan_free(*out);
			*out = NULL;
			rc = -1;
		}
	} else if (rc == 0) {
		h.plan = history_plan(generation);
		rc = give(out, &h, moved_add(&h, txn, generation, gone));
	}
	history_marks_free(&h.marks);
	map_free(&h.moved, NULL);
	map_free(&h.gone, free);
	return rc;
}

int plan_history_add(struct plan *plan, const char *address, const char *account_id, const char *type,
		     enum plan_action action)
{
	struct plan_change *change = plan_change_add(plan);

	if (plan_change_address(plan, change, address) < 0) {
		plan->change_count--;
		return -1;
	}
	change->account_id = plan_keep(plan, account_id);
	change->type_name = plan_keep(plan, type);
	change->action = action;
	return 0;
}
