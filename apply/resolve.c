/* Values that were not known when the plan was made. Attributes come from the records of this very run or of earlier
 * ones; secrets from the caller. A record keeps the former and never the latter, so there are two steps. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/json.h"
#include "base/mem.h"

/* -- Attributes ---------------------------------------------------------------------------------------------------- */

/* A member by its whole name (attributes may have dots in it), else by the path that the dots make. */
static json_t *member(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	const char *dot = strchr(name, '.');

	if (value != NULL || dot == NULL)
		return value;
	mem_auto_str char *head = mem_strndup(name, (size_t)(dot - name));

	return member(json_object_get(object, head), dot + 1);
}

/* What the service gave, else what was set, else what follows from that. */
static json_t *record_attribute(struct apply_run *run, const char *address, const struct plan_record *record,
				const char *name)
{
	const struct schema_type *type = schema_set_find(run->schemas, record->type);
	const struct schema_attribute *attribute = type != NULL ? schema_type_attribute(type, name) : NULL;
	json_t *value = member(record->attributes, name);
	mem_auto_str char *text = NULL, *region = NULL;
	struct schema_place place = {.account_id = record->account_id};

	if (value == NULL)
		value = member(record->properties, name);
	if (value != NULL)
		return specs_has_residual(value) ? NULL : json_incref(value);
	if (attribute == NULL || attribute->predict == NULL)
		return NULL;
	address = strchr(address, '/') + 1;
	region = mem_strndup(address, strcspn(address, "/"));
	place.region = region;
	place.partition = specs_partition_of(region);
	place.url_suffix = specs_url_suffix(place.partition);
	if (schema_template_fill(&text, attribute->predict, record->properties, record->attributes, &place) != 1)
		return NULL;
	return json_string(text);
}

static json_t *find_attribute(void *payload, const char *address, const char *attribute, struct diag *d)
{
	struct apply_run *run = payload;
	struct state_txn *txn = apply_run_txn(run);
	json_auto_t *body = NULL;
	struct plan_record record;
	json_t *value = NULL;

	if (txn == NULL || apply_record_load(&body, txn, address, d) < 0) {
		diag_error(d, "the state cannot be read");
		return NULL;
	}
	if (body == NULL) {
		diag_error(d, "it needs %s of %s, which is not there", attribute, address);
		return NULL;
	}
	if (plan_record_parse(&record, body) == 0 && strchr(address, '/') != NULL)
		value = record_attribute(run, address, &record, attribute);
	if (value == NULL)
		diag_error(d, "it needs %s of %s, which the record there does not have", attribute, address);
	return value;
}

static json_t *no_secret(void *payload, const json_t *source, const char *hmac, struct diag *d)
{
	(void)payload;
	(void)source;
	(void)hmac;
	diag_error(d, "a secret stands where none may");
	return NULL;
}

static bool has_secret(const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_object_size(value) == 1 && json_object_get(value, "Muster::Secret") != NULL)
		return true;
	json_object_foreach((json_t *)value, key, item) if (has_secret(item)) return true;
	json_array_foreach((json_t *)value, i, item) if (has_secret(item)) return true;
	return false;
}

/* Functions over a secret stay as they are, with what is known inside them filled in. */
static int resolve_around(json_t **out, const struct specs_values *values, const json_t *value, struct diag *d)
{
	json_t *copy, *item, *resolved;
	const char *key;
	size_t i;

	if (json_object_get(value, "Muster::Secret") != NULL) {
		*out = json_deep_copy(value);
		return 0;
	}
	if (!has_secret(value))
		return specs_resolve(out, value, values, d);
	copy = *out = json_is_object(value) ? json_object() : json_array();
	json_object_foreach((json_t *)value, key, item)
	{
		if (resolve_around(&resolved, values, item, d) < 0)
			goto fail;
		json_object_set_new(copy, key, resolved);
	}
	json_array_foreach((json_t *)value, i, item)
	{
		if (resolve_around(&resolved, values, item, d) < 0)
			goto fail;
		json_array_append_new(copy, resolved);
	}
	return 0;
fail:
	json_decref(copy);
	*out = NULL;
	return -1;
}

int apply_resolve_attributes(json_t **out, struct apply_run *run, const json_t *value, struct diag *d)
{
	struct specs_values values = {.attribute = find_attribute, .secret = no_secret, .payload = run};

	if (specs_has_unknown(value))
		return resolve_around(out, &values, value, d);
	*out = json_incref((json_t *)value);
	return 0;
}

/* -- Secrets ------------------------------------------------------------------------------------------------------- */

static json_t *find_secret(void *payload, const json_t *source, const char *hmac, struct diag *d)
{
	struct apply_run *run = payload;

	if (run->options->secret == NULL) {
		diag_error(d, "it needs a secret, and nobody here knows any");
		return NULL;
	}
	return run->options->secret(run->options->secret_payload, source, hmac, d);
}

static json_t *no_attribute(void *payload, const char *address, const char *attribute, struct diag *d)
{
	(void)payload;
	diag_error(d, "%s of %s is not known", attribute, address);
	return NULL;
}

int apply_resolve_secrets(json_t **out, struct apply_run *run, const json_t *value, struct diag *d)
{
	struct specs_values values = {.attribute = no_attribute, .secret = find_secret, .payload = run};

	return specs_resolve(out, value, &values, d);
}

/* What somebody else holds too is theirs to wipe. */
static void wipe_strings(json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (value == NULL || value->refcount != 1)
		return;
	if (json_is_string(value))
		mem_wipe((void *)(uintptr_t)json_string_value(value), json_string_length(value));
	json_object_foreach(value, key, item) wipe_strings(item);
	json_array_foreach(value, i, item) wipe_strings(item);
}

static void wipe(const json_t *value, json_t *clear)
{
	const char *key;
	json_t *item;
	size_t i;

	if (specs_is_residual(value)) {
		wipe_strings(clear);
		return;
	}
	json_object_foreach((json_t *)value, key, item) wipe(item, json_object_get(clear, key));
	json_array_foreach((json_t *)value, i, item) wipe(item, json_array_get(clear, i));
}

void apply_resolve_wipe(const json_t *value, json_t *clear)
{
	if (clear == NULL)
		return;
	wipe(value, clear);
	json_decref(clear);
}
