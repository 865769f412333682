/* What accounts, regions, stacks and resources may be called, wherever one is named. */
#include <string.h>

#include "base/text.h"
#include "specs/specs.h"

static const char letters_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool specs_is_account_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > SPECS_ACCOUNT_NAME_MAX || strpbrk(name, "/*?") != NULL || name[0] == '!' ||
	    text_starts(name, "tag:") || (len == 12 && strspn(name, "0123456789") == 12))
		return false;
	/* Reports list names with commas between them, and show them as they are. */
	return text_is_clean(name) && strpbrk(name, ",\"\\") == NULL && name[0] != ' ' && name[len - 1] != ' ' &&
	       strstr(name, "  ") == NULL;
}

bool specs_is_stack_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= SPECS_STACK_NAME_MAX && name[0] != '-' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

bool specs_is_logical_id(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= SPECS_LOGICAL_ID_MAX && strspn(name, letters_digits) == len;
}

bool specs_is_region_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= SPECS_REGION_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}
