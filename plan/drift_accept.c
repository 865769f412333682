/* --accept-drift: what AWS has now goes into the record as it is, and the plan does not take it back. What it is not
 * for: secrets. Their live values are nobody's to write down, so the record keeps what it has of them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "plan/compare.h"
#include "plan/drift.h"
#include "plan/make.h"
#include "plan/view.h"

#define VALUES_TOLD 3

/* -- What the record gets ------------------------------------------------------------------------------------------ */

static json_t *accept_value(const struct schema_value *value, const json_t *recorded, const json_t *live);

/* New reference; NULL: the member is left out. */
static json_t *accept_member(const struct schema_member *member, const json_t *recorded, const json_t *live)
{
	const json_t *was = recorded, *now = live;

	if (member->write_only || member->sensitive || (live == NULL && plan_holds_secret(recorded)) ||
	    plan_pair_member(member, true, &was, &now, recorded) != PLAN_PAIR_COMPARE ||
	    plan_value_same(&member->value, was, now, recorded, true))
		return json_incref((json_t *)recorded);
	return recorded == NULL || live == NULL ? json_incref((json_t *)live)
						: accept_value(&member->value, recorded, live);
}

static json_t *accept_object(const struct schema_value *value, const json_t *recorded, const json_t *live)
{
	json_t *result = json_object();

	for (size_t i = 0; i < value->member_count; i++) {
		const char *name = value->members[i].name;
		json_t *member =
		    accept_member(&value->members[i], json_object_get(recorded, name), json_object_get(live, name));

		if (member != NULL)
			json_object_set_new(result, name, member);
	}
	return result;
}

static json_t *accept_map(const struct schema_value *value, const json_t *recorded, const json_t *live)
{
	json_t *result = json_object(), *item;
	const char *key;

	json_object_foreach((json_t *)live, key, item)
	{
		json_t *was = json_object_get(recorded, key);

		if (was != NULL)
			json_object_set_new(result, key, accept_value(value->item, was, item));
		else if (!plan_key_is_reserved(key))
			json_object_set(result, key, item);
	}
	return result;
}

/* Items of a list that names them by a key; NULL where an item has none. */
static json_t *accept_keyed(const struct schema_value *value, const json_t *recorded, const json_t *live)
{
	json_t *result = json_array(), *item;
	char scratch[32];
	const char *name;
	size_t i;

	json_array_foreach((json_t *)live, i, item)
	{
		const json_t *was;

		if (!plan_scalar_text(json_object_get(item, value->key), scratch, &name)) {
			json_decref(result);
			return NULL;
		}
		was = plan_keyed_find(recorded, value->key, name);
		if (was != NULL)
			json_array_append_new(result, accept_value(value->item, was, item));
		else if (!plan_key_is_reserved(name))
			json_array_append(result, item);
	}
	return result;
}

/* `recorded` and `live` are both there. What means the same keeps the record's spelling, and its secrets. New. */
static json_t *accept_value(const struct schema_value *value, const json_t *recorded, const json_t *live)
{
	json_t *result = NULL;

	if (specs_is_residual(recorded) || plan_value_same(value, recorded, live, recorded, true))
		return json_incref((json_t *)recorded);
	if (value->kind == SCHEMA_OBJECT && json_is_object(recorded) && json_is_object(live))
		return accept_object(value, recorded, live);
	if (value->kind == SCHEMA_MAP && json_is_object(recorded) && json_is_object(live))
		return accept_map(value, recorded, live);
	if (value->kind == SCHEMA_LIST && value->key != NULL && json_is_array(recorded) && json_is_array(live))
		result = accept_keyed(value, recorded, live);
	/* Nothing tells which part of a document or of a list without keys a secret has become. */
	if (result == NULL)
		result = json_incref((json_t *)(plan_holds_secret(recorded) ? recorded : live));
	return result;
}

json_t *plan_drift_accepted(const struct schema_type *type, const json_t *recorded, const json_t *live)
{
	return accept_object(&type->properties, recorded, live);
}

/* -- In a plan ----------------------------------------------------------------------------------------------------- */

static bool matches(const struct plan_options *options, const char *address)
{
	for (size_t i = 0; address != NULL && i < options->accept_drift_count; i++)
		if (text_glob(options->accept_drift[i], address))
			return true;
	return false;
}

bool maker_accepts(const struct maker *m, const char *address, const char *moved_from, const struct known *known)
{
	return known != NULL && known->drifted && (known->live == KNOWN_GONE || known->live == KNOWN_OTHER) &&
	       (matches(m->options, address) || matches(m->options, moved_from));
}

/* `DisplayName "spec"`, or `no Tags[new]` where the specs have none. */
static void add_wanted(struct buf *out, const struct plan_difference *item)
{
	if (item->after == NULL) {
		buf_addf(out, "no %s", item->path);
		return;
	}
	buf_addf(out, "%s ", item->path);
	plan_value_inline(out, NULL, item->after);
}

static void note_wanted(struct maker *m, const struct plan_change *change, const json_t *desired)
{
	buf_auto struct buf text = BUF_INIT;
	struct plan_diff diff;

	plan_diff_make(&diff, change->type, desired, change->after, change->recorded, false);
	buf_adds(&text, "accepted into the record; the specs still want ");
	for (size_t i = 0; i < diff.count && i < VALUES_TOLD; i++) {
		buf_adds(&text, i > 0 ? ", " : "");
		add_wanted(&text, &diff.items[i]);
	}
	if (diff.count > VALUES_TOLD)
		buf_addf(&text, " and %zu more", diff.count - VALUES_TOLD);
	buf_adds(&text, ", so the next plan changes it back unless they say so");
	if (diff.count > 0)
		maker_note(m, PLAN_NOTE_OTHER, change->account, change->region, change->address, buf_str(&text));
	plan_diff_free(&diff);
}

static void accept_gone(struct maker *m, struct plan_change *change)
{
	change->action = PLAN_FORGET;
	change->gone = true;
	json_decref(change->after);
	change->after = NULL;
	/* What needs it and is not there yet has nothing to be made from. */
	maker_blocked(m, change->address, "is gone from AWS, and that is accepted");
	maker_note(m, PLAN_NOTE_OTHER, change->account, change->region, change->address,
		   "accepted as gone; the specs still want it, so the next plan makes it again unless they say so");
}

bool maker_accept(struct maker *m, struct plan_change *change, const struct known *known)
{
	json_t *desired = change->after;

	change->before = json_incref(change->recorded);
	change->accepted = true;
	change->reason = "drift_accepted";
	memset(change->digest, 0, sizeof change->digest);
	if (known->live == KNOWN_GONE) {
		accept_gone(m, change);
		return true;
	}
	change->after = plan_drift_accepted(change->type, change->recorded, known->properties);
	plan_diff_make(&change->diff, change->type, change->after, change->recorded, change->recorded, false);
	plan_drift_calm(&change->diff);
	change->action = PLAN_UPDATE;
	change->record_only = true;
	if (change->diff.count > 0)
		note_wanted(m, change, desired);
	json_decref(desired);
	return change->diff.count > 0;
}

/* Whether a pattern has something to accept. `m->known` goes by the addresses of records. */
static bool finds_drift(const struct maker *m, const char *pattern)
{
	for (size_t i = 0; i < m->known.count; i++) {
		const struct map_entry *entry = &m->known.entries[i];
		const struct known *known = entry->value;
		mem_auto_str char *moved = NULL;

		if (entry->key == NULL || !known->drifted)
			continue;
		moved = maker_moved_to(m, entry->key);
		if (text_glob(pattern, entry->key) || (moved != NULL && text_glob(pattern, moved)))
			return true;
	}
	return false;
}

int maker_check_accepted(struct maker *m)
{
	int result = 0;

	for (size_t i = 0; i < m->options->accept_drift_count; i++)
		if (!finds_drift(m, m->options->accept_drift[i]))
			result =
			    diag_error(m->d,
				       "--accept-drift '%s' matches nothing that has drifted; a pattern is for whole "
				       "addresses, ACCOUNT/REGION/STACK/LogicalId, and muster drift tells which have",
				       m->options->accept_drift[i]);
	return result;
}
