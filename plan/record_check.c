/* Is it a record? What muster wrote itself it may take for granted, but a state can be damaged, and an export edited.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/plan.h"

/* No resource is replaced as often; and the next one's number must be one, too. */
#define INCARNATION_MAX INT32_MAX
#define TYPE_NAME_MAX   256

/* -- Types of members: what readers rely on ------------------------------------------------------------------------ */

static bool is_object(const json_t *value)
{
	return json_is_object(value);
}

static bool is_flag(const json_t *value)
{
	return json_is_boolean(value);
}

static bool is_text(const json_t *value)
{
	return json_is_string(value) && json_string_length(value) > 0;
}

static bool is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= INCARNATION_MAX;
}

static bool is_policy(const json_t *value)
{
	return json_is_string(value) &&
	       (strcmp(json_string_value(value), "Delete") == 0 || strcmp(json_string_value(value), "Retain") == 0);
}

static bool is_strings(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return false;
	}
	return json_is_array(value);
}

struct member {
	const char *name;
	bool (*fits)(const json_t *value);
	const char *fault;
	bool needed;
};

static const char *members_fault(const json_t *object, const struct member *members)
{
	for (; members->name != NULL; members++) {
		const json_t *value = json_object_get(object, members->name);

		if (value == NULL ? members->needed : !members->fits(value))
			return members->fault;
	}
	return NULL;
}

static const struct member deposed_members[] = {
    {"Type", is_text, "an entry of Deposed has no Type", true},
    {"Properties", is_object, "an entry of Deposed has no Properties", true},
    {"Attributes", is_object, "an entry of Deposed has Attributes that are no object", false},
    {"Depends", is_strings, "an entry of Deposed has Depends that are no list of addresses", false},
    {"Incarnation", is_count, "an entry of Deposed has an Incarnation that is no number from 0 on", false},
    {0},
};

static bool is_deposed(const json_t *value)
{
	return json_is_array(value);
}

static const struct member record_members[] = {
    {"Type", is_text, "it has no Type", true},
    {"AccountId", is_text, "AccountId is no string", false},
    {"Properties", is_object, "it has no Properties", true},
    {"Attributes", is_object, "Attributes are no object", false},
    {"DependsOn", is_strings, "DependsOn is no list of addresses", false},
    {"Access", is_object, "Access is no object", false},
    {"Deposed", is_deposed, "Deposed is no list", false},
    {"DeletionPolicy", is_policy, "DeletionPolicy is neither Delete nor Retain", false},
    {"Protect", is_flag, "Protect is neither true nor false", false},
    {"Adopted", is_flag, "Adopted is neither true nor false", false},
    {"Incomplete", is_flag, "Incomplete is neither true nor false", false},
    {"Incarnation", is_count, "Incarnation is no number from 0 on", false},
    {"Origin", is_text, "Origin is no address", false},
    {0},
};

const char *plan_record_fault(const json_t *body)
{
	const char *fault = json_is_object(body) ? members_fault(body, record_members) : "it is no object";
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(body, "Deposed"), i, entry)
	{
		if (fault == NULL)
			fault = json_is_object(entry) ? members_fault(entry, deposed_members)
						      : "an entry of Deposed is no object";
	}
	return fault;
}

/* -- What they say ------------------------------------------------------------------------------------------------- */

static const char *unknown_member(const json_t *object, const struct member *members)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		const struct member *known = members;

		while (known->name != NULL && strcmp(known->name, name) != 0)
			known++;
		if (known->name == NULL)
			return name;
	}
	return NULL;
}

/* Of resources, or of all in one place (three parts). */
static bool are_addresses(const json_t *list)
{
	struct plan_address address;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (plan_address_parse(&address, json_string_value(item)) < 0 || address.count < 3 ||
		    plan_address_fault(&address) != NULL)
			return false;
	}
	return true;
}

static bool is_account_id(const char *id)
{
	return id != NULL && strlen(id) == 12 && strspn(id, "0123456789") == 12;
}

static bool is_type_name(const char *name)
{
	return strlen(name) <= TYPE_NAME_MAX &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:") == strlen(name);
}

static const char *words_fault(const json_t *body)
{
	const char *origin = json_get_string(body, "Origin");
	json_t *entry;
	size_t i;

	if (!is_type_name(json_get_string(body, "Type")))
		return "Type is no name of a type";
	if (!is_account_id(json_get_string(body, "AccountId")))
		return "AccountId has not 12 digits";
	if (origin != NULL && !plan_address_is_whole(origin))
		return "Origin is no address";
	if (!are_addresses(json_object_get(body, "DependsOn")))
		return "DependsOn is no list of addresses";
	json_array_foreach(json_object_get(body, "Deposed"), i, entry)
	{
		if (!is_type_name(json_get_string(entry, "Type")))
			return "an entry of Deposed has a Type that is no name of a type";
		if (!are_addresses(json_object_get(entry, "Depends")))
			return "an entry of Deposed has Depends that are no list of addresses";
		if (unknown_member(entry, deposed_members) != NULL)
			return "an entry of Deposed has a member that this program does not know";
	}
	return NULL;
}

int plan_record_check(const char *address, const json_t *body, struct diag *d)
{
	const char *fault = plan_record_fault(body), *unknown;
	mem_auto_str char *name = plan_address_shown(address);

	if (fault == NULL && !plan_address_is_whole(address))
		fault = "that is no address of a resource";
	if (fault == NULL)
		fault = words_fault(body);
	if (fault != NULL)
		return diag_error(d, "%s: %s", name, fault);
	unknown = unknown_member(body, record_members);
	if (unknown != NULL)
		return diag_error(d, "%s: it has a member that this program does not know, \"%s\"", name, unknown);
	return 0;
}
