/* What keeps a resource from being decided: a record of something else, another one with the same identity, what has to
 * be settled before. */
#include "plan/subject.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

/* Two addresses with one physical identity would fight for ever (rule 6). */
bool subject_identity_taken(struct subject *s)
{
	mem_auto_str char *identity = NULL;

	if (specs_identity(&identity, s->resource) != 1)
		return false;
	if (!map_has(&s->m->identities, identity)) {
		map_set(&s->m->identities, identity, mem_strdup(s->resource->address));
		return false;
	}
	mem_auto_str char *text = mem_printf("is the same %s in AWS as another one here%s; keep one of them, or give "
					     "them different names",
					     s->resource->type->name,
					     s->resource->type->scope == SCHEMA_REGIONAL
						 ? ""
						 : ", since it has no region (target it at \"Regions\": [\"home\"])");

	maker_complain(s->m, &s->resource->place, s->resource->address, text);
	return true;
}

int subject_parse(struct subject *s)
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
bool subject_move_waits(struct subject *s)
{
	const struct map *intents = &s->m->intents;
	mem_auto_str char *why = NULL;

	if (s->moved_from == NULL || (!map_has(intents, s->moved_from) && !map_has(intents, s->resource->address)))
		return false;
	why = mem_printf("is not moved here from %s yet: a run that was cut off may have left something under way, "
			 "and the next apply settles that first",
			 s->moved_from);
	subject_set_aside(s, PLAN_NOTE_BLOCKED, s->resource->address, why);
	return true;
}

/* The name is still that of what a replacement has left; this plan deletes that, and the next one can go on. What
 * stands in its own way while it moves is looked at as anything else that exists. */
bool subject_name_waits(struct subject *s)
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
	subject_set_aside(s, PLAN_NOTE_BLOCKED, s->resource->address, why);
	return true;
}

/* For nearly all resources there is nothing that could be. */
bool subject_move_disputed(const struct subject *s)
{
	const struct specs_resource *resource = s->resource;
	size_t count;

	specs_instance_moved(resource->instance, &count);
	if (count == 0 && s->m->renamed.live == 0)
		return false;
	return maker_move_disputed(s->m, &resource->place, resource->address, s->moved_from);
}
