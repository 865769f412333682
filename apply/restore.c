/* What export.c wrote, into a state without records: docs/surgery.md has the format. All of it is checked before any of
 * it is written. */
#include <string.h>

#include "apply/run.h"
#include "apply/surgery.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* -- Is it one? ---------------------------------------------------------------------------------------------------- */

/* That recovery can look for it. */
static bool intent_is_whole(const char *address, const json_t *body)
{
	static const char *const needed[] = {"Action", "Phase", "Type", "Account", "AccountId", "Region", "Token"};
	const json_t *recorded = json_object_get(body, "Record");

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (json_get_string(body, needed[i]) == NULL)
			return false;
	return plan_address_is_whole(address) && (recorded == NULL || plan_record_fault(recorded) == NULL);
}

/* Of one stack in one target. */
static bool outputs_are_whole(const char *address, const json_t *body)
{
	struct plan_address instance;

	return plan_address_parse(&instance, address) == 0 && instance.count == 3 &&
	       plan_address_fault(&instance) == NULL && json_is_object(body);
}

/* What is remembered of an account. */
static bool region_list_is_whole(const char *account_id, const json_t *body)
{
	const json_t *regions = json_object_get(body, "Regions"), *name = json_object_get(body, "Name"),
		     *access = json_object_get(body, "Access"), *seen = json_object_get(body, "Seen");
	json_t *region;
	size_t i;

	json_array_foreach(regions, i, region)
	{
		if (!json_is_string(region) || !specs_is_region_name(json_string_value(region)))
			return false;
	}
	return strlen(account_id) == 12 && strspn(account_id, "0123456789") == 12 && json_is_array(regions) &&
	       (name == NULL || (json_is_string(name) && specs_is_account_name(json_string_value(name)))) &&
	       (access == NULL || json_is_object(access)) && (seen == NULL || json_is_integer(seen));
}

/* Parts that are objects, where they are there at all. */
static int frame_check(const json_t *document, struct diag *d)
{
	static const char *const objects[] = {"Regions", "Intents", "Plans", "Rules", "Outputs"};
	const json_t *key = json_object_get(document, "SecretKey");

	if (!json_is_object(document) || !json_is_object(json_object_get(document, "Resources")))
		return diag_error(d, "this is no export of a state: it has no Resources");
	if (json_get_int(document, "Format", 0) != SURGERY_EXPORT_FORMAT)
		return diag_error(d, "this export has format %lld, and this program knows %d only",
				  (long long)json_get_int(document, "Format", 0), SURGERY_EXPORT_FORMAT);
	if (json_get_string(document, "Lineage") == NULL)
		return diag_error(d, "this export names no Lineage, so it belongs to no fleet");
	if (key != NULL && !json_is_string(key))
		return diag_error(d, "this export is damaged: SecretKey is no string");
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
		const json_t *part = json_object_get(document, objects[i]);

		if (part != NULL && !json_is_object(part))
			return diag_error(d, "this export is damaged: %s is no object", objects[i]);
	}
	return 0;
}

static int document_check(const json_t *document, struct diag *d)
{
	const char *key;
	json_t *body;
	size_t errors = d->errors;

	if (frame_check(document, d) < 0)
		return -1;
	json_object_foreach(json_object_get(document, "Resources"), key, body) plan_record_check(key, body, d);
	json_object_foreach(json_object_get(document, "Intents"), key, body)
	{
		if (!intent_is_whole(key, body))
			diag_error(d, "Intents: what stands under \"%s\" cannot be read", key);
	}
	json_object_foreach(json_object_get(document, "Regions"), key, body)
	{
		if (!region_list_is_whole(key, body))
			diag_error(d, "Regions: what stands under \"%s\" cannot be read", key);
	}
	json_object_foreach(json_object_get(document, "Outputs"), key, body)
	{
		if (!outputs_are_whole(key, body))
			diag_error(d, "Outputs: what stands under \"%s\" cannot be read", key);
	}
	if (d->errors == errors)
		return 0;
	return diag_error(d, "this export is damaged, or was edited; nothing was imported");
}

static int state_is_empty(struct surgery *s)
{
	size_t records = 0;

	if (state_record_count(s->txn, &records, s->d) < 0)
		return -1;
	if (records > 0)
		return diag_error(
		    s->d,
		    "the state has %zu record%s; an export can be taken only into one without any (another "
		    "State.Path in muster.json, or after muster state rm '*')",
		    records, records == 1 ? "" : "s");
	return 0;
}

static bool any(void *payload, const char *address)
{
	(void)payload;
	(void)address;
	return true;
}

static int restore_key(struct surgery *s, const json_t *document)
{
	const char *hex = json_get_string(document, "SecretKey");
	uint8_t key[SURGERY_KEY_BYTES];
	int rc;

	if (hex == NULL)
		return 0;
	if (text_hex_decode(key, sizeof key, hex) != 0)
		return diag_error(s->d, "this export is damaged: SecretKey is not %d hex digits",
				  2 * SURGERY_KEY_BYTES);
	rc = state_secret_key_set(s->txn, key, s->d);
	mem_wipe(key, sizeof key);
	return rc;
}

static int restore_numbers(struct surgery *s, const json_t *document)
{
	int64_t generation = json_get_int(document, "Generation", 0), version = json_get_int(document, "Version", 0);
	const char *digest;
	json_t *number;

	if (generation < 0 || version < 0)
		return diag_error(s->d, "this export is damaged: Generation and Version are no numbers from 0 on");
	if (state_continue(s->txn, (uint64_t)generation, json_get_string(document, "Hash"), (uint64_t)version, s->d) <
	    0)
		return -1;
	json_object_foreach(json_object_get(document, "Plans"), digest, number)
	{
		if (!json_is_integer(number) || json_integer_value(number) < 1 ||
		    json_integer_value(number) > generation)
			return diag_error(s->d, "this export is damaged: Plans has no generation for \"%s\"", digest);
		if (state_plan_note(s->txn, digest, (uint64_t)json_integer_value(number), s->d) < 0)
			return -1;
	}
	return 0;
}

static int restore_all(struct surgery *s, const json_t *document, size_t *count)
{
	const char *key;
	json_t *body;

	json_object_foreach(json_object_get(document, "Regions"), key, body)
	{
		if (state_regions_put(s->txn, key, body, s->d) < 0)
			return -1;
	}
	json_object_foreach(json_object_get(document, "Outputs"), key, body)
	{
		if (state_outputs_put(s->txn, key, body, s->d) < 0)
			return -1;
	}
	json_object_foreach(json_object_get(document, "Resources"), key, body)
	{
		struct plan_record record;

		if (plan_record_parse(&record, body) < 0 ||
		    apply_record_put(s->txn, key, s->generation, &record, s->d) < 0)
			return -1;
		++*count;
	}
	json_object_foreach(json_object_get(document, "Intents"), key, body)
	{
		if (state_intent_put(s->txn, key, body, s->d) < 0)
			return -1;
	}
	return 0;
}

int apply_state_restore(struct state *state, const json_t *document, const json_t *facts, size_t *count, struct diag *d)
{
	json_auto_t *all = json_is_object(facts) ? json_copy((json_t *)facts) : json_object();
	const json_t *rules = json_object_get(document, "Rules");
	struct surgery s;
	size_t restored = 0;
	int rc;

	*count = 0;
	if (document_check(document, d) < 0 || surgery_begin(&s, state, d) < 0)
		return -1;
	rc = state_is_empty(&s);
	if (rc == 0)
		rc = surgery_no_intents(&s, any, NULL);
	if (rc == 0)
		rc = state_lineage_set(s.txn, json_get_string(document, "Lineage"), d);
	if (rc == 0)
		rc = restore_key(&s, document);
	if (rc == 0)
		rc = restore_numbers(&s, document);
	if (rc == 0)
		rc = rules != NULL ? surgery_rules_restore(all, &s, rules) : 0;
	if (rc == 0)
		rc = surgery_generation(&s, all);
	if (rc == 0)
		rc = restore_all(&s, document, &restored);
	rc = surgery_end(&s, rc, "Imported", restored);
	if (rc == 0)
		*count = restored;
	return rc;
}
