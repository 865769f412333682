/* Names that changed since: a later generation's `Moved` list told that Old is called New now. Going back, the state
 * has New and the specs want Old; without the same list the other way round, New would be deleted, with what it holds,
 * and Old made again. */
#include <string.h>

#include "base/json.h"
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

/* The former names of `name`, made where there are none. */
static json_t *former_names(json_t *names, const char *name)
{
	json_t *former = json_object_get(names, name);

	if (former == NULL) {
		former = json_object();
		json_object_set_new(names, name, former);
	}
	return former;
}

void rollback_moved_note(json_t *names, const json_t *stack)
{
	const json_t *moved = json_object_get(stack, "Moved"), *entry;
	size_t i;

	json_array_foreach(moved, i, entry)
	{
		const char *from = json_get_string(entry, "From"), *to = json_get_string(entry, "To");
		json_t *former;

		if (from == NULL || to == NULL || strcmp(from, last_step(moved, to)) == 0)
			continue;
		former = former_names(names, last_step(moved, to));
		/* What it was called before that is a former name, too. */
		json_object_update(former, json_object_get(names, from));
		json_object_set_new(former, from, json_true());
		json_object_del(names, from);
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

/* Which of the former names the stack has, or NULL. Names that loops make cannot be seen: there a single one is taken
 * to be it. */
static const char *name_then(const json_t *former, const json_t *resources)
{
	const char *name, *found = NULL;
	json_t *value;

	json_object_foreach((json_t *)former, name, value)
	{
		if (json_object_get(resources, name) != NULL)
			return name;
		found = name;
	}
	return json_object_size(former) == 1 && has_loops(resources) ? found : NULL;
}

json_t *rollback_moved(const json_t *stack, const json_t *names)
{
	const json_t *resources = json_object_get(stack, "Resources");
	json_t *result = NULL, *former;
	const char *now;

	json_object_foreach((json_t *)names, now, former)
	{
		const char *then = name_then(former, resources);

		if (then == NULL || json_object_get(resources, now) != NULL || moves_already(stack, now))
			continue;
		if (result == NULL)
			result = json_deep_copy(stack);
		json_push(result, "Moved", json_pack("{s:s, s:s}", "From", now, "To", then));
	}
	return result;
}
