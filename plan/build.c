/* Evaluates the specs and has each desired resource decided. Resources are evaluated instance by instance; a reference
 * into another instance makes that resource be decided first, so that what its attributes will be is known. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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
	if (maker_resource(m, resource) < 0)
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
			if (maker_resource(m, &resources[k]) < 0)
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
