/* Decides what becomes of each desired resource. Resources are evaluated instance by instance; a reference into
 * another instance makes that resource be decided first, so that what its attributes will be is known. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

/* What is recorded and what is live of one resource while it is being decided. */
struct subject {
	struct maker *m;
	struct specs_resource *resource;
	const struct known *known; /* NULL: live as recorded, or not read */
	bool recorded;
	const char *moved_from; /* where it is recorded, if not at its address */
	struct state_record raw;
	json_t *body; /* parsed when needed */
	struct plan_record record;
	uint8_t digest[32];
	/* What comes first: the resource's own dependencies and its stack's, sorted. */
	const char **depends;
	size_t depend_count;
};

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

/* No action may rest on it, and none of what needs it can go on unless it is recorded already. */
static void set_aside(struct subject *s, enum plan_note_kind kind, const char *subject, const char *why)
{
	const struct specs_instance *instance = s->resource->instance;

	map_set(&s->m->seen, s->resource->address, SEEN_ASIDE);
	maker_outputs_hold(s->m, s->resource->address);
	if (!s->recorded)
		maker_blocked(s->m, s->resource->address, why);
	maker_note(s->m, kind, instance->account->name, instance->region, subject, why);
}

static void place_fill(struct schema_place *place, const struct maker *m, const struct specs_instance *instance)
{
	*place = (struct schema_place){
	    .account_id = instance->account->id,
	    .region = instance->region,
	    .partition = m->specs->settings.partition,
	    .url_suffix = specs_url_suffix(m->specs->settings.partition),
	};
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

/* What exists is taken over as it is or not at all: a replacement would delete what somebody else made. */
static void complain_of_replacement(struct subject *s, const struct plan_diff *diff)
{
	buf_auto struct buf text = BUF_INIT;
	const char *before = "";

	buf_adds(&text, "exists already and differs in what cannot be changed in place (");
	for (size_t i = 0; i < diff->count; i++) {
		if (!diff->items[i].forces_replace)
			continue;
		buf_addf(&text, "%s%s", before, diff->items[i].path);
		before = ", ";
	}
	buf_adds(&text, "), so it cannot be adopted; say it as it is, or give the new one another name");
	maker_complain(s->m, &s->resource->place, s->resource->address, buf_str(&text));
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
	if (!adoption_allowed(s)) {
		mem_auto_str char *text =
		    mem_printf("exists already (%s) and is not in the state; to take it over, use --adopt '*/%s/%s' or "
			       "\"Adopt\": true in the stack%s",
			       s->resource->type->name, s->resource->instance->stack, s->resource->logical_id,
			       m->state_empty && s->resource->name_generated
				   ? "; its name was generated for this very lineage, so an earlier state made it: "
				     "bring that state back"
				   : "");

		maker_complain(m, &s->resource->place, s->resource->address, text);
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
		complain_of_replacement(s, &change->diff);
	change_end(s, change);
}

/* The physical identity of the old and the new resource under their type, as far as known. */
static bool same_identity(const struct maker *m, const struct specs_resource *resource, const json_t *before,
			  const json_t *before_attributes)
{
	mem_auto_str char *then = NULL, *now = NULL;
	struct schema_place place;

	if (resource->type->singleton)
		return true;
	if (resource->type->identity == NULL)
		return false;
	place_fill(&place, m, resource->instance);
	if (schema_template_fill(&then, resource->type->identity, before, before_attributes, &place) != 1 ||
	    schema_template_fill(&now, resource->type->identity, resource->properties, NULL, &place) != 1)
		return false;
	return strcmp(then, now) == 0;
}

/* A generated name changes with each replacement, so that old and new can stand side by side (rule 6). */
static void rename_generated(struct maker *m, struct specs_resource *resource, struct plan_change *change)
{
	int64_t least = maker_incarnation_least(m, resource->address);

	change->incarnation = least > change->incarnation ? least : change->incarnation;
	mem_auto_str char *name =
	    specs_generated_name(resource->type, m->plan->lineage, resource->address, resource->instance->stack,
				 resource->logical_id, change->incarnation);
	/* Others may hold the same properties. */
	json_t *renamed = json_copy(resource->properties);

	json_object_set_new(renamed, resource->type->name_property, json_string(name));
	json_decref(resource->properties);
	resource->properties = renamed;
	json_decref(change->after);
	change->after = json_incref(renamed);
}

static const char *replace_reason(const struct plan_change *change)
{
	if (!change->diff.replace)
		return "may_replace_because_unknown";
	return change->create_first ? "replace_because_cannot_update" : "replace_because_cannot_update_same_name";
}

static void decide_replace(struct subject *s, struct plan_change *change, const json_t *prior)
{
	struct specs_resource *resource = s->resource;

	if (s->record.protect || resource->protect) {
		maker_complain(s->m, &resource->place, resource->address,
			       "would be replaced, but it is protected; take \"Protect\" off it and apply that first");
	}
	change->action = PLAN_REPLACE;
	change->incarnation = s->record.incarnation + 1;
	if (resource->name_generated)
		rename_generated(s->m, resource, change);
	/* What is live names also what specs leave out (a default VPC), so either likeness counts. */
	change->create_first = !same_identity(s->m, resource, s->record.properties, s->record.attributes) &&
			       !same_identity(s->m, resource, prior, s->record.attributes);
	change->retain_old =
	    resource->replace_deletion == SPECS_RETAIN || (s->record.adopted && resource->deletion != SPECS_DELETE);
	change->adopted = false;
	change->reason = replace_reason(change);
	if (change->retain_old && !change->create_first && change->diff.replace)
		maker_complain(s->m, &resource->place, resource->address,
			       resource->replace_deletion == SPECS_RETAIN
				   ? "would be replaced under the same name, but its UpdateReplacePolicy keeps the old "
				     "one; give it another name"
				   : "would be replaced under the same name, but the old one was adopted and is kept; "
				     "give it another name, or \"DeletionPolicy\": \"Delete\" if the old one may go");
	if (resource->type->retains_data && !change->retain_old)
		maker_note(s->m, PLAN_NOTE_DATA, change->account, change->region, change->address,
			   "its data goes with it and cannot be brought back");
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
		decide_replace(s, change, prior);
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

/* Two addresses with one physical identity would fight for ever (rule 6). */
static bool identity_taken(struct subject *s)
{
	mem_auto_str char *identity = NULL;
	const char *other;

	if (specs_identity(&identity, s->resource) != 1)
		return false;
	other = map_get(&s->m->identities, identity);
	if (other == NULL) {
		map_set(&s->m->identities, identity, mem_strdup(s->resource->address));
		return false;
	}
	mem_auto_str char *text = mem_printf("is the same %s in AWS as another one here%s; keep one of them, or give "
					     "them different names",
					     s->resource->type->name,
					     s->resource->type->scope == SCHEMA_REGIONAL
						 ? ""
						 : ", since it has no region (target it at \"Regions\": [\"home\"])");

	(void)other;
	maker_complain(s->m, &s->resource->place, s->resource->address, text);
	return true;
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

static int subject_parse(struct subject *s)
{
	s->body = json_loadb(s->raw.text, s->raw.text_len, 0, NULL);
	if (plan_record_parse(&s->record, s->body) < 0)
		return diag_error(s->m->d, "the state's record of %s cannot be read", s->resource->address);
	if (strcmp(s->record.account_id, s->resource->instance->account->id) != 0) {
		mem_auto_str char *text = mem_printf(
		    "is recorded in account %s, but the roster now says that %s is %s; give "
		    "the new account another name, or put the id back",
		    s->record.account_id, s->resource->instance->account->name, s->resource->instance->account->id);

		maker_complain(s->m, NULL, s->resource->address, text);
		return -1;
	}
	if (strcmp(s->record.type, s->resource->type->name) != 0) {
		mem_auto_str char *text =
		    mem_printf("is recorded as %s, but its spec says %s; give the new one another logical id",
			       s->record.type, s->resource->type->name);

		maker_complain(s->m, &s->resource->place, s->resource->address, text);
		return -1;
	}
	return 0;
}

/* What an apply that was cut off has left is settled at the address that it was begun under. */
static bool move_waits(struct subject *s)
{
	const struct map *intents = &s->m->intents;
	mem_auto_str char *why = NULL;

	if (s->moved_from == NULL || (!map_has(intents, s->moved_from) && !map_has(intents, s->resource->address)))
		return false;
	why = mem_printf("is not moved here from %s yet: a run that was cut off may have left something under way, "
			 "and the next apply settles that first",
			 s->moved_from);
	set_aside(s, PLAN_NOTE_BLOCKED, s->resource->address, why);
	return true;
}

/* The name is still that of what a replacement has left; this plan deletes that, and the next one can go on. What
 * stands in its own way while it moves is looked at as anything else that exists. */
static bool name_waits(struct subject *s)
{
	mem_auto_str char *identity = NULL, *why = NULL;
	const char *left = NULL;

	if (specs_identity(&identity, s->resource) == 1)
		left = maker_left_with(s->m, identity);
	if (left == NULL || (s->moved_from != NULL && strcmp(left, s->moved_from) == 0))
		return false;
	why = mem_printf("waits: an earlier replacement of %s has left the %s that has this name, and it is to be "
			 "deleted first; once it is, make a plan again",
			 left, s->resource->type->name);
	set_aside(s, PLAN_NOTE_BLOCKED, s->resource->address, why);
	return true;
}

/* For nearly all resources there is nothing that could be. */
static bool move_disputed(const struct subject *s)
{
	const struct specs_resource *resource = s->resource;
	size_t count;

	specs_instance_moved(resource->instance, &count);
	if (count == 0 && s->m->renamed.live == 0)
		return false;
	return maker_move_disputed(s->m, &resource->place, resource->address, s->moved_from);
}

static void decide(struct subject *s)
{
	const struct known *known = s->known;
	bool as_recorded = s->recorded && s->moved_from == NULL && known == NULL &&
			   memcmp(s->digest, s->raw.digest, sizeof s->digest) == 0;

	if (s->resource->blocked != NULL)
		set_aside(s, PLAN_NOTE_BLOCKED, s->resource->address, s->resource->blocked);
	else if (s->recorded && (move_disputed(s) || (!as_recorded && subject_parse(s) < 0)))
		seen_set(s->m, s->resource->address, SIZE_MAX);
	else if (move_waits(s))
		return;
	else if (known != NULL && known->live == KNOWN_UNREADABLE)
		set_aside(s, PLAN_NOTE_UNREACHABLE, NULL, known->why);
	else if (identity_taken(s))
		seen_set(s->m, s->resource->address, SIZE_MAX);
	else if (as_recorded)
		unchanged(s);
	else if (name_waits(s))
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

static int plan_resource(struct maker *m, struct specs_resource *resource)
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

/* -- The evaluator's questions ------------------------------------------------------------------------------------- */

/* What a generated name is made from besides lineage and address. */
static void named_load(struct maker *m, const char *address)
{
	struct state_record raw;
	json_auto_t *body = NULL;
	struct plan_record record = {0};
	const char *from = NULL;

	if (m->named.address != NULL && strcmp(m->named.address, address) == 0)
		return;
	free(m->named.address);
	free(m->named.origin);
	m->named.address = mem_strdup(address);
	if (maker_record(m, address, &raw, &from) == 1) {
		body = json_loadb(raw.text, raw.text_len, 0, NULL);
		if (plan_record_parse(&record, body) < 0)
			record = (struct plan_record){0};
	} else {
		record.incarnation = maker_incarnation_least(m, address);
	}
	m->named.incarnation = record.incarnation;
	m->named.origin = mem_strdup(record.origin != NULL ? record.origin : from);
}

static int64_t resolver_incarnation(void *payload, const char *address)
{
	struct maker *m = payload;

	named_load(m, address);
	return m->named.incarnation;
}

static const char *resolver_origin(void *payload, const char *address)
{
	struct maker *m = payload;

	named_load(m, address);
	return m->named.origin;
}

/* Attributes of a resource that stays: as read, else as recorded. New reference or NULL. */
static json_t *kept_attribute(struct maker *m, const char *address, const char *name)
{
	const struct known *known;
	struct state_record raw;
	json_auto_t *body = NULL;
	struct plan_record record;
	const char *from = NULL;
	int found = maker_record(m, address, &raw, &from);
	json_t *value;

	known = map_get(&m->known, from != NULL ? from : address);
	value = known == NULL ? NULL : json_object_get(known->attributes, name);
	if (value != NULL)
		return json_incref(value);
	if (found != 1)
		return NULL;
	body = json_loadb(raw.text, raw.text_len, 0, NULL);
	return plan_record_parse(&record, body) < 0 ? NULL : json_incref(json_object_get(record.attributes, name));
}

static bool keeps_attributes(const struct maker *m, const char *address)
{
	void *seen = map_get(&m->seen, address);

	if (seen == NULL || seen == SEEN_UNCHANGED || seen == SEEN_ASIDE)
		return seen != NULL;
	switch (m->plan->changes[(uintptr_t)seen - 1].action) {
	case PLAN_UPDATE:
	case PLAN_ADOPT:
	case PLAN_FORGET: /* wanted and accepted as gone: what uses it stays as it is */
		return true;
	default:
		return false;
	}
}

static int resolver_attribute(void *payload, struct specs_resource *resource, const char *name, json_t **value,
			      struct diag *d)
{
	struct maker *m = payload;
	const struct schema_attribute *attribute = schema_type_attribute(resource->type, name);

	*value = NULL;
	if (plan_resource(m, resource) < 0)
		return -1;
	if (attribute == NULL && schema_value_member(&resource->type->properties, name) == NULL)
		return diag_error(d, "%s has no attribute \"%s\"", resource->type->name, name);
	if (attribute == NULL) {
		*value = json_incref(json_object_get(resource->properties, name));
		return 0;
	}
	*value = specs_attribute_predict(resource, name);
	if (*value == NULL && keeps_attributes(m, resource->address))
		*value = kept_attribute(m, resource->address, name);
	return 0;
}

static void resolver_left_out(void *payload, const struct specs_instance *instance, const struct schema_type *type)
{
	mem_auto_str char *text = mem_printf("%s is not offered there: left out", type->name);

	maker_note(payload, PLAN_NOTE_TYPE_NOT_IN_REGION, instance->account->name, instance->region, NULL, text);
}

/* `regions` holds one string for each name: a fleet has hundreds of thousands of targets in a few dozen regions. */
static void note_reached(json_t *reached, const struct specs_instance *instance, json_t *regions)
{
	json_t *accounts = json_object_get(reached, instance->stack),
	       *region = json_object_get(regions, instance->region);

	if (accounts == NULL) {
		accounts = json_object();
		json_object_set_new(reached, instance->stack, accounts);
	}
	if (region == NULL) {
		region = json_string(instance->region);
		json_object_set_new(regions, instance->region, region);
	}
	json_push(accounts, instance->account->name, json_incref(region));
}

int maker_build(struct maker *m)
{
	const struct specs_resolver resolver = {
	    .incarnation = resolver_incarnation,
	    .origin = resolver_origin,
	    .attribute = resolver_attribute,
	    .left_out = resolver_left_out,
	    .payload = m,
	};
	struct map targets = MAP_INIT;
	json_t *regions = json_object();
	int result = 0;

	for (size_t i = 0; i < m->specs->instance_count; i++) {
		struct specs_instance *instance = m->specs->instances[i];
		mem_auto_str char *target = mem_printf("%s/%s", instance->account->name, instance->region);
		struct specs_resource *resources;
		size_t count;

		map_set(&targets, target, m);
		note_reached(m->plan->reached, instance, regions);
		maker_progress(m, "comparing stacks", i, m->specs->instance_count);
		if (specs_evaluate(m->specs, instance, &resolver, m->d) < 0) {
			result = -1;
			continue;
		}
		if (instance->blocked != NULL) {
			maker_blocked(m, instance->address, instance->blocked);
			maker_note(m, PLAN_NOTE_BLOCKED, instance->account->name, instance->region, instance->stack,
				   instance->blocked);
			continue;
		}
		resources = specs_instance_resources(instance, &count);
		for (size_t k = 0; k < count; k++) {
			maker_moved_check(m, &resources[k]);
			if (plan_resource(m, &resources[k]) < 0)
				result = -1;
		}
		if (maker_outputs(m, instance) < 0)
			result = -1;
		specs_instance_release(instance);
	}
	m->plan->target_count = targets.live;
	map_free(&targets, NULL);
	json_decref(regions);
	return result;
}
