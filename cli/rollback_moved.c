/* Names that changed since: a later generation's `Moved` list told that Old is called New now. Going back, the state
 * has New and the specs want Old; without the same list the other way round, New would be deleted, with what it holds,
 * and Old made again. */
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "cli/rollback.h"

/* The last step of an entry; a list that goes round was never applied. */
static const char *last_step(const json_t *moved, const char *to)
{
	for (size_t steps = 0; steps < json_array_size(moved); steps++) {
		const json_t *entry;
		const char *next = NULL;
		size_t i;

		json_array_foreach(moved, i, entry)
		{
			const char *from = json_get_string(entry, "From");

			if (from != NULL && strcmp(from, to) == 0)
				next = json_get_string(entry, "To");
		}
		if (next == NULL)
			return to;
		to = next;
	}
	return to;
}

void rollback_moved_note(json_t *names, const json_t *stack)
{
	const json_t *moved = json_object_get(stack, "Moved"), *entry;
	size_t i;

	json_array_foreach(moved, i, entry)
	{
		const char *from = json_get_string(entry, "From"), *to = json_get_string(entry, "To");
		json_auto_t *then = NULL;

		if (from == NULL || to == NULL)
			continue;
		to = last_step(moved, to);
		/* Lists stay in a stack after they have done their work: what is known already is the older name. */
		if (json_object_get(names, to) != NULL)
			continue;
		then = json_incref(json_object_get(names, from));
		json_object_del(names, from);
		if (then == NULL)
			then = json_string(from);
		if (strcmp(json_string_value(then), to) != 0)
			json_object_set(names, to, then);
	}
}

static bool has_loops(const json_t *resources)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)resources, name, value)
	{
		if (strncmp(name, "Fn::ForEach::", strlen("Fn::ForEach::")) == 0)
			return true;
	}
	return false;
}

static bool moves_already(const json_t *stack, const char *from)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(stack, "Moved"), i, entry)
	{
		const char *own = json_get_string(entry, "From");

		if (own != NULL && strcmp(own, from) == 0)
			return true;
	}
	return false;
}

json_t *rollback_moved(const json_t *stack, const json_t *names)
{
	const json_t *resources = json_object_get(stack, "Resources");
	bool loops = has_loops(resources);
	json_t *result = NULL, *then;
	const char *now;

	json_object_foreach((json_t *)names, now, then)
	{
		const char *old = json_string_value(then);

		if (json_object_get(resources, now) != NULL || moves_already(stack, now) ||
		    (json_object_get(resources, old) == NULL && !loops))
			continue;
		if (result == NULL)
			result = json_deep_copy(stack);
		json_push(result, "Moved", json_pack("{s:s, s:s}", "From", now, "To", old));
	}
	return result;
}
