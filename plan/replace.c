/* Replacements: in which order, under which name, and what must not be replaced. */
#include "plan/subject.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void place_fill(struct schema_place *place, const struct maker *m, const struct specs_instance *instance)
{
	*place = (struct schema_place){
	    .account_id = instance->account->id,
	    .region = instance->region,
	    .partition = m->specs->settings.partition,
	    .url_suffix = specs_url_suffix(m->specs->settings.partition),
	};
}

void subject_refuse_replacement(struct subject *s, const struct plan_diff *diff)
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

void subject_replace(struct subject *s, struct plan_change *change, const json_t *prior)
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
