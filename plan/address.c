/* Addresses taken apart: account/region/stack/LogicalId, or the first parts of one. */
#include <string.h>

#include "base/mem.h"
#include "plan/plan.h"

int plan_address_parse(struct plan_address *out, const char *address)
{
	char *at = out->text;

	*out = (struct plan_address){0};
	if (strlen(address) >= sizeof out->text)
		return -1;
	memcpy(out->text, address, strlen(address) + 1);
	while (at != NULL) {
		if (out->count == PLAN_ADDRESS_PARTS || *at == '\0' || *at == '/')
			return -1;
		out->part[out->count++] = at;
		at = strchr(at, '/');
		if (at != NULL)
			*at++ = '\0';
	}
	out->account = out->part[0];
	out->region = out->part[1];
	out->stack = out->part[2];
	out->logical_id = out->part[3];
	return 0;
}

const char *plan_address_fault(const struct plan_address *address)
{
	if (!specs_is_account_name(address->account))
		return "no account can have that name";
	if (address->region != NULL && !specs_is_region_name(address->region))
		return "no region has such a name";
	if (address->stack != NULL && !specs_is_stack_name(address->stack))
		return "a stack's name is made of letters, digits, \"-\", \"_\" and \".\"";
	if (address->logical_id != NULL && !specs_is_logical_id(address->logical_id))
		return "a logical id is made of letters and digits";
	return NULL;
}

bool plan_address_is_whole(const char *address)
{
	struct plan_address parts;

	return plan_address_parse(&parts, address) == 0 && parts.count == PLAN_ADDRESS_PARTS &&
	       plan_address_fault(&parts) == NULL;
}

char *plan_address_shown(const char *address)
{
	char *copy = mem_strdup(address);

	for (char *c = copy; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	return copy;
}
