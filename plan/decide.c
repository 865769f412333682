/* Decides what becomes of one desired resource. */
#include "plan/subject.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void depends_merge(struct subject *s)
{
	const struct specs_resource *resource = s->resource;
	const struct specs_instance *instance = resource->instance;
	size_t count = resource->depend_count + instance->depend_count;

	s->depends = mem_array(count, sizeof *s->depends);
	for (size_t i = 0; i < count; i++)
		s->depends[i] =
		    i < resource->depend_count ? resource->depends[i] : instance->depends[i - resource->depend_count];
	qsort(s->depends, count, sizeof *s->depends, by_name);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(s->depends[i], s->depends[s->depend_count - 1]) != 0)
			s->depends[s->depend_count++] = s->depends[i];
}

static void seen_set(struct maker *m, const char *address, size_t change)
{
	map_set(&m->seen, address, change == SIZE_MAX ? SEEN_UNCHANGED : (void *)(uintptr_t)(change + 1));
}

static void unchanged(struct subject *s)
{
	seen_set(s->m, s->resource->address, SIZE_MAX);
	if (maker_selected(s->m, s->resource->address))
		s->m->plan->unchanged++;
}

void subject_set_aside(struct subject *s, enum plan_note_kind kind, const char *subject, const char *why)
{
	const struct specs_instance *instance = s->resource->instance;

	map_set(&s->m->seen, s->resource->address, SEEN_ASIDE);
	maker_outputs_hold(s->m, s->resource->address);
	if (!s->recorded)
		maker_blocked(s->m, s->resource->address, why);
	maker_note(s->m, kind, instance->account->name, instance->region, subject, why);
}

/* Attributes that follow from names, as far as they are known. New reference or NULL. */
static json_t *predict_all(const struct specs_resource *resource)
{
	json_t *all = NULL;

	for (size_t i = 0; i < resource->type->attribute_count; i++) {
		const char *name = resource->type->attributes[i].name;
		json_t *value = specs_attribute_predict(resource, name);

		if (value == NULL)
			continue;
		if (all == NULL)
			all = json_object();
		json_object_set_new(all, name, value);
	}
	return all;
}

/* A change with everything that does not depend on its action. */
static struct plan_change *change_start(struct subject *s, enum plan_action action)
{
	const struct specs_resource *resource = s->resource;
	struct plan *plan = s->m->plan;
	struct plan_change *change = plan_change_add(plan);

	plan_change_address(plan, change, resource->address);
	change->action = action;
	change->account_id = plan_keep(plan, resource->instance->account->id);
	change->type = resource->type;
	change->type_name = resource->type->name;
	change->after = json_incref(resource->properties);
	change->depends = plan_keep_array(plan, s->depend_count, sizeof *change->depends);
	change->depend_count = s->depend_count;
	for (size_t i = 0; i < s->depend_count; i++)
		change->depends[i] = plan_keep(plan, s->depends[i]);
	memcpy(change->digest, s->digest, sizeof change->digest);
	change->protect = resource->protect;
	change->deletion = resource->deletion;
	if (s->recorded) {
		change->version = s->raw.version;
		change->policies_recorded = true;
		change->protect_recorded = s->record.protect;
		change->deletion_recorded = s->record.deletion;
		change->incarnation = s->record.incarnation;
		change->adopted = s->record.adopted;
		change->recorded = json_incref(s->record.properties);
		change->attributes = json_incref(s->record.attributes);
		change->moved_from = plan_keep(plan, s->moved_from);
		change->origin = plan_keep(plan, s->record.origin != NULL ? s->record.origin : s->moved_from);
	} else if (resource->name_generated) {
		change->incarnation = maker_incarnation_least(s->m, resource->address);
	}
	if (s->known != NULL) {
		change->drifted = s->known->drifted;
		if (s->known->attributes != NULL) {
			json_decref(change->attributes);
			change->attributes = json_incref(s->known->attributes);
		}
	}
	return change;
}

/* What the record depended on: those may go only after this change has let go of them. */
static void former_fill(struct subject *s, struct plan_change *change)
{
	size_t i;
	json_t *address;

	change->former = plan_keep_array(s->m->plan, json_array_size(s->record.depends), sizeof *change->former);
	json_array_foreach(s->record.depends, i, address)
	{
		change->former[change->former_count++] = plan_keep(s->m->plan, json_string_value(address));
	}
}

static void change_end(struct subject *s, struct plan_change *change)
{
	if (s->recorded)
		former_fill(s, change);
	if (change->action == PLAN_CREATE || change->action == PLAN_REPLACE)
		change->predicted = predict_all(s->resource);
	seen_set(s->m, s->resource->address, s->m->plan->change_count - 1);
}

static void decide_create(struct subject *s)
{
	struct plan_change *change = change_start(s, PLAN_CREATE);

	s->m->lost.created += maker_selected(s->m, s->resource->address);
	/* Recorded, but gone from AWS: what its attributes were is of no use to the new one. */
	if (s->recorded) {
		change->gone = true;
		change->adopted = false; /* the new one is ours */
		change->reason = "recreate_because_gone";
		json_decref(change->attributes);
		change->attributes = NULL;
	}
	plan_diff_make(&change->diff, change->type, change->after, NULL, NULL, false);
	change_end(s, change);
}

static bool adoption_allowed(const struct subject *s)
{
	const struct plan_options *options = s->m->options;

	if (s->resource->adopt || map_has(&s->m->intents, s->resource->address))
		return true;
	for (size_t i = 0; i < options->adopt_count; i++)
		if (text_glob(options->adopt[i], s->resource->address))
			return true;
	return false;
}

static void decide_adopt(struct subject *s)
{
	struct maker *m = s->m;
	struct plan_change *change;

	/* Not asked about: --only takes it out again, whatever it is. */
	if (!maker_selected(m, s->resource->address)) {
		decide_create(s);
		return;
	}
	maker_lost_met(m, s->resource, adoption_allowed(s));
	if (!adoption_allowed(s)) {
		mem_auto_str char *text =
		    mem_printf("exists already (%s) and is not in the state; to take it over, use --adopt '*/%s/%s' or "
			       "\"Adopt\": true in the stack",
			       s->resource->type->name, s->resource->instance->stack, s->resource->logical_id);

		maker_complain_exists(m, &s->resource->place, s->resource->address, text);
		seen_set(m, s->resource->address, SIZE_MAX);
		return;
	}
	change = change_start(s, PLAN_ADOPT);
	change->before = json_incref(s->known->properties);
	/* What a cut-off run of ours made is ours; only what somebody else made is kept from deletion. */
	change->adopted = !map_has(&m->intents, s->resource->address);
	change->reason = change->adopted ? "adopt_because_exists" : "adopt_because_cut_off";
	plan_diff_make(&change->diff, change->type, change->after, change->before, NULL, true);
	if (change->diff.replace)
		subject_refuse_replacement(s, &change->diff);
	change_end(s, change);
}

/* Whether the parts of a record that no call depends on are as the spec has them. */
static bool record_says_the_same(const struct subject *s)
{
	const struct specs_resource *resource = s->resource;
	bool same = json_array_size(s->record.depends) == s->depend_count && s->record.deletion == resource->deletion &&
		    s->record.protect == resource->protect;

	for (size_t i = 0; same && i < s->depend_count; i++)
		same = strcmp(json_string_value(json_array_get(s->record.depends, i)), s->depends[i]) == 0;
	return same;
}

static void decide_update(struct subject *s)
{
	json_t *prior = s->known != NULL ? s->known->properties : s->record.properties;
	struct plan_change *change;
	struct plan_diff diff = {0};
	bool known_incomplete = s->record.incomplete;

	plan_diff_make(&diff, s->resource->type, s->resource->properties, prior, s->record.properties,
		       s->known != NULL);
	if (diff.count == 0 && !known_incomplete && s->moved_from == NULL && record_says_the_same(s)) {
		plan_diff_free(&diff);
		unchanged(s);
		return;
	}
	change = change_start(s, PLAN_UPDATE);
	change->before = json_incref(prior);
	change->diff = diff;
	if (diff.replace || diff.may_replace)
		subject_replace(s, change, prior);
	else if (diff.count == 0) {
		change->record_only = !known_incomplete;
		change->reason = known_incomplete        ? "update_because_incomplete"
				 : s->moved_from != NULL ? "update_because_moved"
							 : "update_record_only";
	} else if (known_incomplete)
		change->reason = "update_because_incomplete";
	change_end(s, change);
}

static void decide_accept(struct subject *s)
{
	struct plan_change *change = change_start(s, PLAN_UPDATE);

	if (maker_accept(s->m, change, s->known)) {
		change_end(s, change);
		return;
	}
	plan_change_drop(change);
	s->m->plan->change_count--;
	maker_note(s->m, PLAN_NOTE_OTHER, s->resource->instance->account->name, s->resource->instance->region,
		   s->resource->address, "its drift is in secret values, which are never accepted into the record");
	decide_update(s);
}

static int subject_load(struct subject *s)
{
	struct maker *m = s->m;
	int found = maker_record(m, s->resource->address, &s->raw, &s->moved_from);

	if (found < 0)
		return -1;
	s->recorded = found == 1;
	s->known = map_get(&m->known, s->moved_from != NULL ? s->moved_from : s->resource->address);
	/* It is wanted, whatever is decided: not to be deleted where it stands. */
	if (s->moved_from != NULL)
		map_set(&m->seen, s->moved_from, SEEN_ASIDE);
	depends_merge(s);
	plan_digest(s->digest, s->resource->instance->account->id, s->resource->type->name, s->resource->properties,
		    s->depends, s->depend_count, s->resource->deletion, s->resource->protect);
	return 0;
}

static void decide(struct subject *s)
{
	const struct known *known = s->known;
	bool as_recorded = s->recorded && s->moved_from == NULL && known == NULL &&
			   memcmp(s->digest, s->raw.digest, sizeof s->digest) == 0;

	if (s->resource->blocked != NULL)
		subject_set_aside(s, PLAN_NOTE_BLOCKED, s->resource->address, s->resource->blocked);
	else if (s->recorded && (subject_move_disputed(s) || (!as_recorded && subject_parse(s) < 0)))
		seen_set(s->m, s->resource->address, SIZE_MAX);
	else if (subject_move_waits(s))
		return;
	else if (known != NULL && known->live == KNOWN_UNREADABLE)
		subject_set_aside(s, PLAN_NOTE_UNREACHABLE, NULL, known->why);
	else if (subject_identity_taken(s))
		seen_set(s->m, s->resource->address, SIZE_MAX);
	else if (as_recorded)
		unchanged(s);
	else if (subject_name_waits(s))
		return;
	else if (known != NULL && known->live == KNOWN_FOUND)
		decide_adopt(s);
	else if (s->recorded && maker_accepts(s->m, s->resource->address, s->moved_from, known))
		decide_accept(s);
	else if (!s->recorded || (known != NULL && known->live == KNOWN_GONE))
		decide_create(s);
	else
		decide_update(s);
}

int maker_resource(struct maker *m, struct specs_resource *resource)
{
	struct subject s = {.m = m, .resource = resource};

	if (map_has(&m->seen, resource->address))
		return 0;
	if (subject_load(&s) < 0)
		return -1;
	decide(&s);
	free(s.depends);
	if (s.record.deposed != NULL && (s.moved_from == NULL || map_get(&m->seen, resource->address) != SEEN_ASIDE))
		maker_deposed(m, resource->address, s.moved_from, &s.raw, &s.record);
	json_decref(s.body);
	return 0;
}
