/* The body of a resource's record: one JSON object, in which what is usual is left out. */
#include <string.h>

#include "base/json.h"
#include "plan/plan.h"

static const char *const deletion_names[] = {
    [SPECS_DELETE] = "Delete", [SPECS_RETAIN] = "Retain", [SPECS_DELETION_UNSET] = NULL};

static void set_string(json_t *body, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(body, key, json_string(value));
}

static void set_value(json_t *body, const char *key, json_t *value)
{
	if (value != NULL)
		json_object_set(body, key, value);
}

static void set_list(json_t *body, const char *key, json_t *list)
{
	if (json_array_size(list) > 0)
		json_object_set(body, key, list);
}

static void set_flag(json_t *body, const char *key, bool flag)
{
	if (flag)
		json_object_set_new(body, key, json_true());
}

json_t *plan_record_body(const struct plan_record *record)
{
	json_t *body = json_object();

	set_string(body, "Type", record->type);
	set_string(body, "AccountId", record->account_id);
	set_value(body, "Properties", record->properties);
	set_value(body, "Attributes", record->attributes);
	set_list(body, "DependsOn", record->depends);
	set_value(body, "Access", record->access);
	set_list(body, "Deposed", record->deposed);
	set_string(body, "DeletionPolicy", deletion_names[record->deletion]);
	set_flag(body, "Protect", record->protect);
	set_flag(body, "Adopted", record->adopted);
	set_flag(body, "Incomplete", record->incomplete);
	if (record->incarnation != 0)
		json_object_set_new(body, "Incarnation", json_integer(record->incarnation));
	set_string(body, "Origin", record->origin);
	return body;
}

json_t *plan_known_members(const json_t *properties)
{
	json_t *known = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)properties, name, value)
	{
		if (!specs_has_residual(value))
			json_object_set(known, name, value);
	}
	return known;
}

static enum specs_deletion deletion_parse(const char *name)
{
	for (int i = SPECS_DELETE; name != NULL && i < SPECS_DELETION_UNSET; i++)
		if (strcmp(name, deletion_names[i]) == 0)
			return (enum specs_deletion)i;
	return SPECS_DELETION_UNSET;
}

int plan_record_parse(struct plan_record *out, const json_t *body)
{
	*out = (struct plan_record){
	    .type = json_get_string(body, "Type"),
	    .account_id = json_get_string(body, "AccountId"),
	    .properties = json_object_get(body, "Properties"),
	    .attributes = json_object_get(body, "Attributes"),
	    .depends = json_object_get(body, "DependsOn"),
	    .access = json_object_get(body, "Access"),
	    .deposed = json_object_get(body, "Deposed"),
	    .deletion = deletion_parse(json_get_string(body, "DeletionPolicy")),
	    .protect = json_get_bool(body, "Protect", false),
	    .adopted = json_get_bool(body, "Adopted", false),
	    .incomplete = json_get_bool(body, "Incomplete", false),
	    .incarnation = json_get_int(body, "Incarnation", 0),
	    .origin = json_get_string(body, "Origin"),
	};
	return plan_record_fault(body) == NULL ? 0 : -1;
}
