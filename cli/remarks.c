/* See remarks.h. */
#include "cli/remarks.h"

#include "base/json.h"
#include "base/text.h"

#define GENERATIONS_SHOWN 10

static void add(json_t *list, const struct buf *text)
{
	json_array_append_new(list, json_string(buf_str((struct buf *)text)));
}

/* -- Surgery --------------------------------------------------------------------------------------------------------
 * Where approvals are required every apply has some, so what stands since the newest one nobody has approved. */

static bool is_surgery(const json_t *generation)
{
	return json_object_get(json_object_get(generation, "Facts"), "Recovery") == NULL &&
	       json_object_get(json_object_get(generation, "Outcome"), "Recovered") == NULL;
}

static int surgery_since(uint64_t numbers[GENERATIONS_SHOWN], size_t *count, struct state_txn *txn, struct diag *d)
{
	uint64_t number, first;

	*count = 0;
	if (state_generation(txn, &number, d) < 0 || state_generation_first(txn, &first, d) < 0)
		return -1;
	for (; number > 0 && number >= first; number--) {
		json_auto_t *generation = NULL;
		int found = state_generation_get(txn, number, &generation, d);

		if (found < 0)
			return -1;
		if (json_object_get(json_object_get(generation, "Facts"), "Planned") != NULL)
			break;
		if (found == 0 || !is_surgery(generation))
			continue;
		if (*count < GENERATIONS_SHOWN)
			numbers[*count] = number;
		++*count;
	}
	return 0;
}

static int add_surgery(json_t *list, struct state_txn *txn, struct diag *d)
{
	uint64_t numbers[GENERATIONS_SHOWN];
	buf_auto struct buf text = BUF_INIT;
	size_t count;

	if (surgery_since(numbers, &count, txn, d) < 0)
		return -1;
	if (count == 0)
		return 0;
	buf_addf(&text, "state surgery since the last approved apply: generation%s ", count == 1 ? "" : "s");
	if (count > GENERATIONS_SHOWN)
		buf_addf(&text, "%zu earlier ones, ", count - GENERATIONS_SHOWN);
	for (size_t i = count < GENERATIONS_SHOWN ? count : GENERATIONS_SHOWN; i > 0; i--)
		buf_addf(&text, "%ju%s", (uintmax_t)numbers[i - 1], i > 1 ? ", " : "");
	buf_adds(&text, "; muster log tells what was done there, which was approved by nobody");
	add(list, &text);
	return 0;
}

/* -- The first apply ------------------------------------------------------------------------------------------------
 */

static int required_once(void *payload, const char *bytes, size_t len)
{
	json_auto_t *settings = json_loadb(bytes, len, 0, NULL);

	(void)payload;
	return json_get_int(json_object_get(settings, "Approval"), "Required", 0) > 0;
}

int remarks_first_apply(const struct session *s, const struct apply_approval_rules *now, struct diag *d)
{
	struct diag ignored = DIAG_INIT;
	int once;

	if (now->generation > 0)
		return 0;
	if (apply_approval_required(now) > 0)
		return 1;
	/* A repository of somebody else's is not read; specs that are in none have no history. */
	once = state_git_versions(s->cli->directory, "muster.json", required_once, NULL, &ignored);
	diag_free(&ignored);
	(void)d;
	return once == 1;
}

static int add_first(json_t *list, const struct session *s, const struct apply_approval_rules *now,
		     const json_t *settings, struct diag *d)
{
	const char *path = json_get_string(json_object_get(settings, "State"), "Path");
	buf_auto struct buf text = BUF_INIT;
	int first = remarks_first_apply(s, now, d);

	if (first != 1)
		return first;
	buf_addf(&text,
		 "the state at %s is empty: this is the first apply, and nothing but these specs says who must approve "
		 "it; where something was applied before, this is the wrong state",
		 path == NULL ? ".muster" : path);
	add(list, &text);
	return 0;
}

/* -- Settings that decide what everything else means ----------------------------------------------------------------
 */

/* muster.json of the newest generation whose specs decide; NULL where there is none, or only its rules are known. New
 * reference. */
static int settings_before(json_t **out, struct state_txn *txn, struct diag *d)
{
	json_auto_t *facts = NULL;
	const void *bytes;
	uint8_t digest[32];
	const char *hex;
	uint64_t number;
	size_t len;
	int found;

	*out = NULL;
	if (apply_approval_generation(&number, &facts, txn, d) < 0)
		return -1;
	hex = json_get_string(json_object_get(facts, "Inputs"), "muster.json");
	if (hex == NULL || text_hex_decode(digest, sizeof digest, hex) < 0)
		return 0;
	found = state_blob_get(txn, digest, &bytes, &len, d);
	if (found == 1)
		*out = json_loadb(bytes, len, 0, NULL);
	return found < 0 ? -1 : 0;
}

static void add_setting(json_t *list, const char *key, const char *meaning, const json_t *before, const json_t *now)
{
	const json_t *was = json_object_get(before, key), *is = json_object_get(now, key);
	buf_auto struct buf text = BUF_INIT;

	if (was == is || (was != NULL && is != NULL && json_equal(was, is)))
		return;
	buf_addf(&text, "this changes %s, %s: ", key, meaning);
	if (was != NULL)
		json_canonical(&text, was);
	buf_adds(&text, was == NULL ? "(not set) -> " : " -> ");
	if (is != NULL)
		json_canonical(&text, is);
	buf_adds(&text, is == NULL ? "(not set)" : "");
	add(list, &text);
}

static int add_settings(json_t *list, struct state_txn *txn, const json_t *settings, struct diag *d)
{
	json_auto_t *before = NULL;

	if (settings_before(&before, txn, d) < 0)
		return -1;
	if (before == NULL)
		return 0;
	add_setting(list, "State", "where muster keeps what it made", before, settings);
	add_setting(list, "Access", "by which accounts are entered", before, settings);
	return 0;
}

/* -- All ----------------------------------------------------------------------------------------------------------- */

int remarks_list(json_t **out, const struct session *s, const struct apply_approval_rules *now, const json_t *settings,
		 const char *rules_words, struct diag *d)
{
	json_auto_t *list = json_array();
	struct state_txn *txn = NULL;
	int result = 0;

	*out = NULL;
	if (s->state != NULL && state_begin(&txn, s->state, false, d) < 0)
		return -1;
	if (txn != NULL && apply_approval_required(now) > 0)
		result = add_surgery(list, txn, d);
	if (result == 0)
		result = add_first(list, s, now, settings, d);
	if (result == 0 && *rules_words != '\0')
		json_array_append_new(list, json_string(rules_words));
	if (result == 0 && txn != NULL)
		result = add_settings(list, txn, settings, d);
	state_abort(txn);
	if (result == 0)
		*out = json_incref(list);
	return result;
}
