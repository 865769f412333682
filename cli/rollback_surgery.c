/* Names that `muster state mv` changed since: no `Moved` list tells of them, but the history of that generation does.
 * Within a stack it is as if a list had said it; from one stack to another only a person can move it back. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/rollback.h"

#define CROSSED_SHOWN 10

/* -- What one generation moved ------------------------------------------------------------------------------------- */

struct ends {
	json_t *gone; /* {address: body} */
	json_t *come;
};

static int end_note(void *payload, const char *address, const json_t *before, const json_t *after)
{
	struct ends *ends = payload;

	if (before != NULL && after == NULL)
		json_object_set(ends->gone, address, (json_t *)before);
	else if (before == NULL && after != NULL)
		json_object_set(ends->come, address, (json_t *)after);
	return 0;
}

/* What of a resource does not change with its address: what its name was made from, and what it is. */
static char *likeness(const char *address, const json_t *body)
{
	const char *origin = json_get_string(body, "Origin");
	json_auto_t *like =
	    json_pack("{s:s, s:O*, s:O*, s:O*, s:O*}", "Origin", origin != NULL ? origin : address, "Type",
		      json_object_get(body, "Type"), "Properties", json_object_get(body, "Properties"), "Attributes",
		      json_object_get(body, "Attributes"), "Incarnation", json_object_get(body, "Incarnation"));
	buf_auto struct buf text = BUF_INIT;

	json_canonical(&text, like);
	return mem_strdup(buf_str(&text));
}

/* {likeness: address} of what is gone. New reference. */
static json_t *by_likeness(const json_t *gone)
{
	json_t *result = json_object(), *body;
	const char *address;

	json_object_foreach((json_t *)gone, address, body)
	{
		mem_auto_str char *like = likeness(address, body);

		json_object_set_new(result, like, json_string(address));
	}
	return result;
}

/* -- Telling ids from stacks --------------------------------------------------------------------------------------- */

/* What stands behind the n-th slash, or NULL. */
static const char *part(const char *address, int n)
{
	for (; n > 0 && address != NULL; n--) {
		address = strchr(address, '/');
		address = address != NULL ? address + 1 : NULL;
	}
	return address;
}

static void note_id(json_t *names, const char *from, const char *to)
{
	const char *stack = part(from, 2), *id = part(from, 3);
	mem_auto_str char *path = mem_printf("stacks/%.*s.json", (int)strcspn(stack, "/"), stack);
	json_auto_t *said = NULL;

	if (strcmp(id, part(to, 3)) == 0)
		return;
	said = json_pack("{s:[{s:s, s:s}]}", "Moved", "From", id, "To", part(to, 3));
	if (json_object_get(names, path) == NULL)
		json_object_set_new(names, path, json_object());
	rollback_moved_note(json_object_get(names, path), said);
}

/* The first address since the generation and the last one; one that came back has not moved. */
static void note_crossed(json_t *crossed, const char *from, const char *to)
{
	json_auto_t *first = json_incref(json_object_get(crossed, from));

	if (first == NULL)
		first = json_string(from);
	json_object_del(crossed, from);
	if (strcmp(json_string_value(first), to) != 0)
		json_object_set(crossed, to, first);
}

static bool same_stack(const char *from, const char *to)
{
	const char *a = part(from, 2), *b = part(to, 2);
	size_t len = strcspn(a, "/");

	return len == strcspn(b, "/") && strncmp(a, b, len) == 0;
}

int rollback_surgery_note(json_t *names, json_t *crossed, struct state_txn *txn, uint64_t number, struct diag *d)
{
	json_auto_t *gone = json_object(), *come = json_object(), *known = NULL, *generation = NULL;
	struct ends ends = {gone, come};
	const char *to;
	json_t *body;

	if (state_generation_get(txn, number, &generation, d) < 0)
		return -1;
	/* An apply moves by what its specs say. */
	if (json_object_get(json_object_get(generation, "Facts"), "Planned") != NULL ||
	    json_get_int(json_object_get(generation, "Outcome"), "Moved", 0) == 0)
		return 0;
	if (state_history_each(txn, number, end_note, &ends, d) < 0)
		return -1;
	known = by_likeness(gone);
	json_object_foreach(come, to, body)
	{
		mem_auto_str char *like = likeness(to, body);
		const char *from = json_get_string(known, like);

		if (from == NULL || part(from, 3) == NULL || part(to, 3) == NULL)
			continue;
		if (same_stack(from, to) && json_object_get(crossed, from) == NULL)
			note_id(names, from, to);
		else
			note_crossed(crossed, from, to);
	}
	return 0;
}

int rollback_surgery_tell(const json_t *crossed, const struct rollback *rollback, struct state_txn *txn, struct diag *d)
{
	size_t count = 0;
	const char *now;
	json_t *then;

	json_object_foreach((json_t *)crossed, now, then)
	{
		struct state_record raw;
		int found = state_record_get(txn, now, &raw, d);

		if (found < 0)
			return -1;
		if (found == 1 && count++ < CROSSED_SHOWN)
			diag_warning(d,
				     "%s was %s in generation %ju and is in another stack since (muster state mv); "
				     "unless you move it back first, the one is deleted and the other made anew: "
				     "muster state mv %s %s",
				     now, json_string_value(then), (uintmax_t)rollback->generation, now,
				     json_string_value(then));
	}
	if (count > CROSSED_SHOWN)
		diag_warning(d, "... and %zu more like that", count - CROSSED_SHOWN);
	return 0;
}
