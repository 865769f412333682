/* When a desired value and one that the service (or the record) has mean the same. Not for what differs: diff.c. */
#include "plan/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

/* -- Scalars and documents ---------------------------------------------------------------------------------------- */

bool plan_scalar_text(const json_t *json, char scratch[32], const char **text)
{
	if (json_is_string(json)) {
		*text = json_string_value(json);
		return true;
	}
	if (json_is_integer(json))
		snprintf(scratch, 32, "%lld", (long long)json_integer_value(json));
	else if (json_is_real(json))
		snprintf(scratch, 32, "%.17g", json_real_value(json));
	else if (json_is_boolean(json))
		snprintf(scratch, 32, "%s", json_is_true(json) ? "true" : "false");
	else
		return false;
	*text = scratch;
	return true;
}

static bool scalar_number(const json_t *json, double *number)
{
	char *end;

	if (json_is_number(json)) {
		*number = json_number_value(json);
		return true;
	}
	if (!json_is_string(json) || json_string_length(json) == 0)
		return false;
	*number = strtod(json_string_value(json), &end);
	return *end == '\0' && isfinite(*number);
}

/* By kind, since templates and services write 5 as "5" and true as "true". */
static bool scalar_equal(const struct schema_value *value, const json_t *a, const json_t *b)
{
	char scratch_a[32], scratch_b[32];
	const char *text_a, *text_b;
	double number_a, number_b;

	if ((value->kind == SCHEMA_INTEGER || value->kind == SCHEMA_NUMBER) &&
	    !(json_is_integer(a) && json_is_integer(b)) && scalar_number(a, &number_a) && scalar_number(b, &number_b))
		return number_a == number_b;
	if (!plan_scalar_text(a, scratch_a, &text_a) || !plan_scalar_text(b, scratch_b, &text_b))
		return json_equal((json_t *)a, (json_t *)b);
	if (value->compare == SCHEMA_IGNORE_CASE || value->kind == SCHEMA_BOOLEAN)
		return strcasecmp(text_a, text_b) == 0;
	return strcmp(text_a, text_b) == 0;
}

json_t *plan_document_parse(const json_t *value)
{
	json_t *parsed = NULL;

	/* Only objects and lists: the string "5" is a string. */
	if (json_is_string(value))
		parsed = json_loadb(json_string_value(value), json_string_length(value), 0, NULL);
	return parsed != NULL ? parsed : json_incref((json_t *)value);
}

static bool tree_equal(const json_t *a, const json_t *b, bool secrets);

static bool objects_equal(const json_t *a, const json_t *b, bool secrets)
{
	const char *key;
	json_t *item;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)a, key, item)
	{
		if (!tree_equal(item, json_object_get(b, key), secrets))
			return false;
	}
	return true;
}

static const char *secret_hmac(const json_t *value)
{
	return json_string_value(json_object_get(json_object_get(value, "Muster::Secret"), "Hmac"));
}

static bool tree_equal(const json_t *a, const json_t *b, bool secrets)
{
	size_t i;
	json_t *item;

	if (a == NULL || b == NULL)
		return a == b;
	if (json_is_number(a) && json_is_number(b))
		return json_is_integer(a) && json_is_integer(b) ? json_integer_value(a) == json_integer_value(b)
								: json_number_value(a) == json_number_value(b);
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a)) {
		if (secrets && secret_hmac(a) != NULL && secret_hmac(b) != NULL)
			return strcmp(secret_hmac(a), secret_hmac(b)) == 0;
		return objects_equal(a, b, secrets);
	}
	if (!json_is_array(a))
		return json_equal((json_t *)a, (json_t *)b);
	if (json_array_size(a) != json_array_size(b))
		return false;
	json_array_foreach((json_t *)a, i, item)
	{
		if (!tree_equal(item, json_array_get(b, i), secrets))
			return false;
	}
	return true;
}

bool plan_document_equal(const json_t *a, const json_t *b)
{
	json_t *left = plan_document_parse(a), *right = plan_document_parse(b);
	bool equal = tree_equal(left, right, false);

	json_decref(left);
	json_decref(right);
	return equal;
}

bool plan_holds_secret(const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)value, i, item)
	{
		if (plan_holds_secret(item))
			return true;
	}
	json_object_foreach((json_t *)value, key, item)
	{
		if (strcmp(key, "Muster::Secret") == 0 || plan_holds_secret(item))
			return true;
	}
	return false;
}

bool plan_secret_equal(const json_t *a, const json_t *b)
{
	return tree_equal(a, b, true);
}

bool plan_value_is_document(const struct schema_value *value)
{
	return value->compare == SCHEMA_DOCUMENT || value->compare == SCHEMA_POLICY || value->kind == SCHEMA_JSON ||
	       (value->kind == SCHEMA_OBJECT && value->member_count == 0);
}

static bool documents_equal(const struct schema_value *value, const json_t *a, const json_t *b)
{
	return value->compare == SCHEMA_POLICY ? plan_policy_equal(a, b) : plan_document_equal(a, b);
}

/* -- Objects ------------------------------------------------------------------------------------------------------ */

bool plan_value_empty(const struct schema_value *value, const json_t *json)
{
	if (json == NULL || json_is_null(json))
		return true;
	if (value->kind == SCHEMA_LIST)
		return json_is_array(json) && json_array_size(json) == 0;
	return value->kind == SCHEMA_MAP && json_is_object(json) && json_object_size(json) == 0;
}

enum plan_pairing plan_pair_member(const struct schema_member *member, bool live, const json_t **desired,
				   const json_t **prior, const json_t *recorded)
{
	const struct schema_value *value = &member->value;

	if (member->read_only)
		return PLAN_PAIR_SKIP;
	/* The service does not tell: what was applied last is all there is to compare with. */
	if (member->write_only && (live || recorded != NULL))
		*prior = recorded;
	if (member->initial == NULL && plan_value_empty(value, *desired) && plan_value_empty(value, *prior))
		return PLAN_PAIR_SKIP;
	if (*desired == NULL || json_is_null(*desired)) {
		*desired = member->initial;
		if (*desired == NULL) {
			bool ours = recorded != NULL && !json_is_null(recorded) && !member->computed;

			return ours && !plan_value_empty(value, *prior) ? PLAN_PAIR_TAKEN : PLAN_PAIR_SKIP;
		}
	}
	/* What is not said, neither by a service nor in a record, is the default. */
	if (*prior == NULL || json_is_null(*prior))
		*prior = member->initial;
	return PLAN_PAIR_COMPARE;
}

static bool members_same(const struct schema_value *value, const json_t *desired, const json_t *prior,
			 const json_t *recorded, bool live)
{
	for (size_t i = 0; i < value->member_count; i++) {
		const struct schema_member *member = &value->members[i];
		const json_t *want = json_object_get(desired, member->name),
			     *have = json_object_get(prior, member->name);
		const json_t *record = json_object_get(recorded, member->name);
		enum plan_pairing pairing = plan_pair_member(member, live, &want, &have, record);

		if (pairing == PLAN_PAIR_TAKEN)
			return false;
		if (pairing == PLAN_PAIR_COMPARE && !plan_value_same(&member->value, want, have, record, live))
			return false;
	}
	return true;
}

/* -- Lists and maps ----------------------------------------------------------------------------------------------- */

bool plan_key_is_reserved(const char *key)
{
	return text_starts(key, "aws:");
}

const json_t *plan_keyed_find(const json_t *list, const char *key, const char *name)
{
	char scratch[32];
	const char *text;
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		if (plan_scalar_text(json_object_get(item, key), scratch, &text) && strcmp(text, name) == 0)
			return item;
	}
	return NULL;
}

/* How many items count; and whether a key names each of them, once. */
static size_t keyed_count(const json_t *list, const char *key, bool *usable)
{
	size_t count = 0, i;
	json_t *item;

	json_array_foreach((json_t *)list, i, item)
	{
		char scratch[32];
		const char *text;

		if (!plan_scalar_text(json_object_get(item, key), scratch, &text) ||
		    plan_keyed_find(list, key, text) != item)
			*usable = false;
		else if (plan_key_is_reserved(text))
			continue;
		count++;
	}
	return count;
}

static bool keyed_same(const struct schema_value *value, const json_t *desired, const json_t *prior,
		       const json_t *recorded, bool live)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)desired, i, item)
	{
		char scratch[32];
		const char *name;
		const json_t *have;

		plan_scalar_text(json_object_get(item, value->key), scratch, &name);
		have = plan_keyed_find(prior, value->key, name);
		if (have == NULL ||
		    !plan_value_same(value->item, item, have, plan_keyed_find(recorded, value->key, name), live))
			return false;
	}
	return true;
}

/* A search for a perfect matching between the two sides of a set: equality that forgives what is left out is not
 * transitive, so taking the first that fits can go wrong. */
struct matching {
	const struct schema_value *item;
	const json_t *desired, *prior;
	bool live;
	size_t count;
	size_t *taken_by; /* prior -> desired, SIZE_MAX: free */
	bool *seen;
};

static bool matching_find(struct matching *m, size_t want)
{
	const json_t *desired = json_array_get(m->desired, want);

	/* The one at the same place first: nearly always the right one. */
	for (size_t step = 0; step < m->count; step++) {
		size_t at = (want + step) % m->count;

		if (m->seen[at] || !plan_value_same(m->item, desired, json_array_get(m->prior, at), NULL, m->live))
			continue;
		m->seen[at] = true;
		if (m->taken_by[at] == SIZE_MAX || matching_find(m, m->taken_by[at])) {
			m->taken_by[at] = want;
			return true;
		}
	}
	return false;
}

static bool unkeyed_same(const struct schema_value *item, const json_t *desired, const json_t *prior, bool live)
{
	struct matching m = {item, desired, prior, live, json_array_size(desired), NULL, NULL};
	bool same = true;

	m.taken_by = mem_array(m.count, sizeof *m.taken_by);
	m.seen = mem_array(m.count, sizeof *m.seen);
	for (size_t i = 0; i < m.count; i++)
		m.taken_by[i] = SIZE_MAX;
	for (size_t i = 0; same && i < m.count; i++) {
		memset(m.seen, 0, m.count * sizeof *m.seen);
		same = matching_find(&m, i);
	}
	free(m.taken_by);
	free(m.seen);
	return same;
}

static bool sets_same(const struct schema_value *value, const json_t *desired, const json_t *prior,
		      const json_t *recorded, bool live)
{
	bool usable = value->key != NULL;

	if (usable) {
		size_t want = keyed_count(desired, value->key, &usable), have = keyed_count(prior, value->key, &usable);

		if (usable)
			return want == have && keyed_same(value, desired, prior, recorded, live);
	}
	if (json_array_size(desired) != json_array_size(prior))
		return false;
	/* Without keys nothing tells which recorded item a secret belongs to. */
	if (specs_has_residual(desired))
		return plan_secret_equal(desired, recorded);
	return unkeyed_same(value->item, desired, prior, live);
}

static bool lists_same(const struct schema_value *value, const json_t *desired, const json_t *prior,
		       const json_t *recorded, bool live)
{
	json_t *item;
	size_t i;

	if (!json_is_array(desired) || !json_is_array(prior))
		return json_equal((json_t *)desired, (json_t *)prior);
	if (value->compare == SCHEMA_SET)
		return sets_same(value, desired, prior, recorded, live);
	if (json_array_size(desired) != json_array_size(prior))
		return false;
	json_array_foreach((json_t *)desired, i, item)
	{
		if (!plan_value_same(value->item, item, json_array_get(prior, i), json_array_get(recorded, i), live))
			return false;
	}
	return true;
}

static bool maps_same(const struct schema_value *value, const json_t *desired, const json_t *prior,
		      const json_t *recorded, bool live)
{
	const char *key;
	json_t *item;

	if (!json_is_object(desired) || !json_is_object(prior))
		return json_equal((json_t *)desired, (json_t *)prior);
	json_object_foreach((json_t *)prior, key, item)
	{
		if (!plan_key_is_reserved(key) && json_object_get(desired, key) == NULL)
			return false;
	}
	json_object_foreach((json_t *)desired, key, item)
	{
		const json_t *have = json_object_get(prior, key);

		if (have == NULL || !plan_value_same(value->item, item, have, json_object_get(recorded, key), live))
			return false;
	}
	return true;
}

/* -- Any value ---------------------------------------------------------------------------------------------------- */

bool plan_value_same(const struct schema_value *value, const json_t *desired, const json_t *prior,
		     const json_t *recorded, bool live)
{
	if (desired == NULL)
		return true;
	if (specs_is_residual(desired))
		return specs_has_unknown(desired)
			   ? json_equal((json_t *)desired, (json_t *)prior)
			   : plan_secret_equal(desired, recorded != NULL || live ? recorded : prior);
	if (plan_value_empty(value, desired) && plan_value_empty(value, prior))
		return true;
	if (prior == NULL)
		return false;
	if (plan_value_is_document(value)) {
		if (specs_has_unknown(desired))
			return json_equal((json_t *)desired, (json_t *)prior);
		if (specs_has_residual(desired))
			return plan_secret_equal(desired, recorded != NULL || live ? recorded : prior);
		return documents_equal(value, desired, prior);
	}
	switch (value->kind) {
	case SCHEMA_OBJECT:
		return json_is_object(prior) && members_same(value, desired, prior, recorded, live);
	case SCHEMA_LIST:
		return lists_same(value, desired, prior, recorded, live);
	case SCHEMA_MAP:
		return maps_same(value, desired, prior, recorded, live);
	default:
		return scalar_equal(value, desired, prior);
	}
}

bool plan_value_equal(const struct schema_value *value, const json_t *desired, const json_t *actual)
{
	return plan_value_same(value, desired, actual, NULL, false);
}
