/* plan_record_move(), see plan.h: a record at another address is the same resource with the same names. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/plan.h"

/* What a name was made from, where that is not the address (any more). */
static void origin_set(json_t *body, const char *from, const char *to)
{
	const char *origin = json_get_string(body, "Origin");

	if (origin == NULL)
		json_object_set_new(body, "Origin", json_string(from));
	else if (strcmp(origin, to) == 0) /* back where it was made */
		json_object_del(body, "Origin");
}

int plan_record_move(struct state_txn *txn, const char *from, const char *to, uint64_t generation, uint64_t *version,
		     struct diag *d)
{
	struct state_record raw;
	json_auto_t *body = NULL;
	json_t *left;
	size_t i;
	uint8_t digest[32];
	int found = state_record_get(txn, to, &raw, d);

	if (found < 0)
		return -1;
	if (found == 1)
		return diag_error(d, "%s cannot be moved to %s: something is recorded there already", from, to);
	found = state_record_get(txn, from, &raw, d);
	if (found < 0)
		return -1;
	if (found == 0)
		return diag_error(d, "%s cannot be moved: nothing is recorded there", from);
	body = json_loadb(raw.text, raw.text_len, 0, NULL);
	if (!json_is_object(body))
		return diag_error(d, "the state's record of %s cannot be read", from);
	memcpy(digest, raw.digest, sizeof digest);
	origin_set(body, from, to);
	json_array_foreach(json_object_get(body, "Deposed"), i, left) if (json_is_object(left))
	    origin_set(left, from, to);
	if (state_record_delete(txn, from, generation, d) < 0)
		return -1;
	return state_record_put(txn, to, generation, digest, body, version, d);
}
