/* The state as one JSON document: docs/surgery.md has the format. restore.c takes it into an empty state. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "apply/surgery.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/store.h"

/* -- Secrets --------------------------------------------------------------------------------------------------------
 */

static void replace(json_t *body, const char *key, json_t *value)
{
	if (value != NULL)
		json_object_set_new(body, key, value);
}

static void redact_body(json_t *body, const struct schema_set *schemas)
{
	const char *name = json_get_string(body, "Type");
	const struct schema_type *type = schemas != NULL && name != NULL ? schema_set_find(schemas, name) : NULL;

	replace(body, "Properties", plan_redact_properties(type, json_object_get(body, "Properties")));
	replace(body, "Attributes", plan_redact_attributes(type, json_object_get(body, "Attributes")));
}

/* What a replacement has left may be of another type. */
static void redact_record(json_t *body, const struct schema_set *schemas)
{
	json_t *old;
	size_t i;

	redact_body(body, schemas);
	json_array_foreach(json_object_get(body, "Deposed"), i, old) redact_body(old, schemas);
}

/* -- Export ---------------------------------------------------------------------------------------------------------
 */

struct export
{
	struct state_txn *txn;
	const struct schema_set *schemas;
	bool secrets;
	json_t *resources, *regions, *intents, *plans, *outputs;
	struct diag *d;
};

static int export_regions(struct export *e, const char *account_id)
{
	json_t *body = NULL;
	int found;

	if (account_id == NULL || json_object_get(e->regions, account_id) != NULL)
		return 0;
	found = state_regions_get(e->txn, account_id, &body, e->d);
	if (found == 1)
		json_object_set_new(e->regions, account_id, body);
	return found < 0 ? -1 : 0;
}

static int export_record(void *payload, const struct state_record *record)
{
	struct export *e = payload;
	json_t *body = json_loadb(record->text, record->text_len, 0, NULL);

	if (!json_is_object(body)) {
		json_decref(body);
		return diag_error(e->d, "the state's record of %s cannot be read", record->address);
	}
	if (!e->secrets)
		redact_record(body, e->schemas);
	json_object_set_new(e->resources, record->address, body);
	return export_regions(e, json_get_string(body, "AccountId"));
}

/* What is under way is half of what is known: forgotten, its resource would be nobody's, or made a second time. */
static int export_intent(void *payload, const char *address, const json_t *body)
{
	struct export *e = payload;
	json_t *copy = json_deep_copy(body), *record = json_object_get(copy, "Record");

	if (!e->secrets && json_is_object(record))
		redact_record(record, e->schemas);
	json_object_set_new(e->intents, address, copy);
	return export_regions(e, json_get_string(body, "AccountId"));
}

static int export_plan(void *payload, const char *digest, uint64_t generation)
{
	struct export *e = payload;

	json_object_set_new(e->plans, digest, json_integer((json_int_t)generation));
	return 0;
}

/* Where it stands, so that the next one goes on from there: no number is given twice. The newest generation has no hash
 * while it is open: it was cut off. */
static int export_numbers(struct export *e, json_t *out)
{
	json_auto_t *newest = NULL;
	uint64_t generation = 0, version = 0;

	if (state_generation(e->txn, &generation, e->d) < 0 || state_version(e->txn, &version, e->d) < 0 ||
	    state_generation_get(e->txn, generation, &newest, e->d) < 0)
		return -1;
	json_object_set_new(out, "Generation", json_integer((json_int_t)generation));
	json_object_set_new(out, "Version", json_integer((json_int_t)version));
	if (json_get_string(newest, "Hash") != NULL)
		json_object_set(out, "Hash", json_object_get(newest, "Hash"));
	return 0;
}

static int export_outputs(void *payload, const struct state_outputs *outputs)
{
	struct export *e = payload;
	json_auto_t *object = json_loadb(outputs->text, outputs->text_len, 0, NULL);

	if (!json_is_object(object))
		return diag_error(e->d, "the state's outputs of %s cannot be read", outputs->address);
	json_object_set_new(e->outputs, outputs->address,
			    e->secrets ? json_incref(object) : plan_redact_attributes(NULL, object));
	return 0;
}

static int export_frame(struct export *e, json_t *out)
{
	mem_auto_str char *lineage = NULL;
	uint8_t key[SURGERY_KEY_BYTES];
	char hex[2 * SURGERY_KEY_BYTES + 1];
	int rc = 0;

	if (state_lineage(e->txn, &lineage, e->d) < 0 || export_numbers(e, out) < 0)
		return -1;
	json_object_set_new(out, "Format", json_integer(SURGERY_EXPORT_FORMAT));
	if (lineage != NULL)
		json_object_set_new(out, "Lineage", json_string(lineage));
	json_object_set_new(out, "Secrets", json_boolean(e->secrets));
	/* Hashes of secrets tell whether they are the same only under the key that they were made with. */
	if (e->secrets && (rc = state_secret_key(e->txn, key, e->d)) == 0) {
		text_hex(hex, key, sizeof key);
		json_object_set_new(out, "SecretKey", json_string(hex));
	}
	mem_wipe(key, sizeof key);
	mem_wipe(hex, sizeof hex);
	return rc < 0 ? -1 : 0;
}

int apply_state_export(json_t **out, struct state_txn *txn, const struct schema_set *schemas, bool secrets,
		       struct diag *d)
{
	struct export e = {.txn = txn,
			   .schemas = schemas,
			   .secrets = secrets,
			   .resources = json_object(),
			   .regions = json_object(),
			   .intents = json_object(),
			   .plans = json_object(),
			   .outputs = json_object(),
			   .d = d};
	json_t *all = json_object(), *rules = NULL;
	int rc = export_frame(&e, all);

	if (rc == 0)
		rc = state_record_each(txn, "", export_record, &e, d) < 0 ? -1 : 0;
	if (rc == 0)
		rc = state_intent_each(txn, export_intent, &e, d) < 0 ? -1 : 0;
	if (rc == 0)
		rc = state_plan_each(txn, export_plan, &e, d) < 0 ? -1 : 0;
	if (rc == 0)
		rc = state_outputs_each(txn, "", export_outputs, &e, d) < 0 ? -1 : 0;
	if (rc == 0)
		rc = surgery_rules_export(&rules, txn, d);
	if (rules != NULL)
		json_object_set_new(all, "Rules", rules);
	json_object_set_new(all, "Outputs", e.outputs);
	json_object_set_new(all, "Regions", e.regions);
	json_object_set_new(all, "Plans", e.plans);
	json_object_set_new(all, "Resources", e.resources);
	json_object_set_new(all, "Intents", e.intents);
	*out = rc == 0 ? all : NULL;
	if (rc < 0)
		json_decref(all);
	return rc;
}
