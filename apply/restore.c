/* What export.c wrote, into a state without records: docs/surgery.md has the format. All of it is checked before any of
 * it is written. */
#include <string.h>

#include "apply/run.h"
#include "apply/surgery.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* -- Is it one? ---------------------------------------------------------------------------------------------------- */

static bool address_is_whole(const char *address, size_t wanted)
{
	size_t parts = *address != '\0';

	for (const char *c = address; *c != '\0'; c++) {
		if (*c == '/' && (c == address || c[1] == '/' || c[1] == '\0'))
			return false;
		parts += *c == '/';
	}
	return parts == wanted;
}

/* That recovery can look for it. */
static bool intent_is_whole(const char *address, const json_t *body)
{
	static const char *const needed[] = {"Action", "Phase", "Type", "Account", "AccountId", "Region", "Token"};
	const json_t *recorded = json_object_get(body, "Record");
	struct plan_record record;

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (json_get_string(body, needed[i]) == NULL)
			return false;
	return address_is_whole(address, 4) && (recorded == NULL || plan_record_parse(&record, recorded) == 0);
}

/* Older programs kept none. */
static void outputs_check(const json_t *outputs, struct diag *d)
{
	const char *address;
	json_t *body;

	if (outputs != NULL && !json_is_object(outputs))
		diag_error(d, "this export is damaged: Outputs is no object");
	json_object_foreach((json_t *)outputs, address, body)
	{
		if (!address_is_whole(address, 3) || !json_is_object(body))
			diag_error(d, "this export is damaged: \"%s\" has no outputs that can be read", address);
	}
}

static int document_check(const json_t *document, struct diag *d)
{
	const json_t *resources = json_object_get(document, "Resources"), *regions, *intents;
	const char *address;
	json_t *body;
	size_t errors = d->errors;

	if (!json_is_object(document) || !json_is_object(resources))
		return diag_error(d, "this is no export of a state: it has no Resources");
	if (json_get_int(document, "Format", 0) != SURGERY_EXPORT_FORMAT)
		return diag_error(d, "this export has format %lld, and this program knows %d only",
				  (long long)json_get_int(document, "Format", 0), SURGERY_EXPORT_FORMAT);
	if (json_get_string(document, "Lineage") == NULL)
		return diag_error(d, "this export names no Lineage, so it belongs to no fleet");
	regions = json_object_get(document, "Regions");
	if (regions != NULL && !json_is_object(regions))
		return diag_error(d, "this export is damaged: Regions is no object");
	intents = json_object_get(document, "Intents");
	if (intents != NULL && !json_is_object(intents))
		return diag_error(d, "this export is damaged: Intents is no object");
	json_object_foreach((json_t *)intents, address, body)
	{
		if (!intent_is_whole(address, body))
			diag_error(d, "this export is damaged: \"%s\" has no intent that can be read", address);
	}
	outputs_check(json_object_get(document, "Outputs"), d);
	json_object_foreach((json_t *)resources, address, body)
	{
		struct plan_record record;

		if (!address_is_whole(address, 4) || plan_record_parse(&record, body) < 0 || record.account_id == NULL)
			diag_error(d, "this export is damaged: \"%s\" has no record that can be read", address);
	}
	return d->errors > errors ? -1 : 0;
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
		if (json_is_object(body) && state_regions_put(s->txn, key, body, s->d) < 0)
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
		rc = surgery_generation(&s, facts);
	if (rc == 0)
		rc = restore_all(&s, document, &restored);
	rc = surgery_end(&s, rc, "Imported", restored);
	if (rc == 0)
		*count = restored;
	return rc;
}
