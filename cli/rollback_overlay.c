/* What of a rollback's settings comes from the generation, and what stays as it is today. */
#include <string.h>

#include "base/json.h"
#include "cli/rollback.h"

/* Takes a member from the other side; what that side does not have is not there. */
static void take(json_t *object, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value != NULL)
		json_object_set(object, key, value);
	else
		json_object_del(object, key);
}

json_t *rollback_settings(const json_t *then, const json_t *now, const json_t *approved)
{
	/* How accounts are entered, where the state is, what one plan may do: an old answer would lock us out, or be a
	 * way around the limits of today. */
	static const char *const of_now[] = {"Access", "State", "Limits", "Lineage"};
	json_t *settings = json_copy((json_t *)then);

	for (size_t i = 0; i < sizeof of_now / sizeof *of_now; i++)
		take(settings, now, of_now[i]);
	/* Or a rollback would be the way to get rid of approvals. */
	if (approved != NULL)
		take(settings, approved, "Approval");
	return settings;
}

static const json_t *account_of(const json_t *roster, const char *id)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(roster, "Accounts"), i, item)
	{
		const char *own = json_get_string(item, "Id");

		if (own != NULL && strcmp(own, id) == 0)
			return item;
	}
	return NULL;
}

json_t *rollback_roster(const json_t *then, const json_t *now)
{
	json_t *roster = json_deep_copy(then), *account;
	size_t i;

	json_array_foreach(json_object_get(roster, "Accounts"), i, account)
	{
		const char *id = json_get_string(account, "Id");
		const json_t *today = id == NULL ? NULL : account_of(now, id);

		if (today == NULL)
			continue;
		take(account, today, "Access");
		take(account, today, "Profile");
	}
	return roster;
}
