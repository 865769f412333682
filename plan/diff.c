/* What has to change to bring a resource to what is desired: a walk over schema, desired, prior and recorded values
 * side by side that says each difference as deep as it is useful to a reader. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/diff_private.h"

static void differ_value(struct plan_differ *d, const struct schema_value *value, const json_t *desired,
			 const json_t *prior, const json_t *recorded);
static void differ_whole(struct plan_differ *d, const struct schema_value *value, const json_t *before,
			 const json_t *after, const json_t *recorded);

/* -- Adding differences ------------------------------------------------------------------------------------------- */

/* A sensitive value goes no further in clear, neither to a file nor to a screen. */
static json_t *hidden(const json_t *value, bool sensitive)
{
	if (value == NULL || !sensitive || specs_has_residual(value))
		return json_incref((json_t *)value);
	return json_pack("{s:{}}", "Muster::Secret");
}

void plan_differ_add(struct plan_differ *d, const json_t *before, const json_t *after)
{
	struct plan_diff *out = d->out;
	struct plan_difference *item;
	bool unknown = after != NULL && specs_has_unknown(after);
	bool sensitive = d->sensitive || plan_holds_secret(before) || plan_holds_secret(after);

	if ((out->count & (out->count - 1)) == 0)
		out->items = mem_resize(out->items, out->count == 0 ? 1 : 2 * out->count, sizeof *out->items);
	item = &out->items[out->count++];
	*item = (struct plan_difference){
	    .path = mem_strdup(buf_str(&d->path)),
	    .before = hidden(before, sensitive),
	    .after = hidden(after, sensitive),
	    .forces_replace = d->exists && d->create_only && !unknown,
	    .may_replace = d->exists && d->create_only && unknown,
	    .sensitive = sensitive,
	};
	out->replace |= item->forces_replace;
	out->may_replace |= item->may_replace;
}

void plan_differ_member(struct plan_differ *d, const char *name)
{
	if (d->path.len > 0)
		buf_addc(&d->path, '.');
	buf_adds(&d->path, name);
}

void plan_differ_item(struct plan_differ *d, const char *name)
{
	buf_addf(&d->path, "[%s]", name);
}

void plan_differ_index(struct plan_differ *d, size_t index)
{
	buf_addf(&d->path, "[%zu]", index);
}

/* What held a secret when it was applied is taken away: the live value is not for showing. */
static void differ_gone(struct plan_differ *d, const json_t *prior, const json_t *recorded)
{
	bool sensitive = d->sensitive;

	d->sensitive |= plan_holds_secret(recorded);
	plan_differ_add(d, prior, NULL);
	d->sensitive = sensitive;
}

/* -- Objects ------------------------------------------------------------------------------------------------------ */

static void differ_one_member(struct plan_differ *d, const struct schema_member *member, const json_t *desired,
			      const json_t *prior, const json_t *recorded)
{
	const json_t *given = desired;
	enum plan_pairing pairing = plan_pair_member(member, d->live, &desired, &prior, recorded);
	struct plan_differ before = *d;
	size_t len = d->path.len;

	/* Of what is to be made all is said that somebody wrote, also where it is the default. */
	if (!d->exists) {
		desired = given;
		prior = NULL;
		pairing =
		    given == NULL || json_is_null(given) || member->read_only ? PLAN_PAIR_SKIP : PLAN_PAIR_COMPARE;
	}
	if (pairing == PLAN_PAIR_SKIP)
		return;
	d->create_only |= member->create_only;
	/* What was a secret when it was applied is one still, also in the clear words of the service. */
	d->sensitive |= member->sensitive || (specs_is_residual(recorded) && plan_holds_secret(recorded));
	plan_differ_member(d, member->name);
	if (pairing == PLAN_PAIR_TAKEN)
		differ_gone(d, prior, recorded);
	else if (!d->exists)
		differ_whole(d, &member->value, NULL, desired, NULL);
	else
		differ_value(d, &member->value, desired, prior, recorded);
	buf_truncate(&d->path, len);
	d->create_only = before.create_only;
	d->sensitive = before.sensitive;
}

static void differ_members(struct plan_differ *d, const struct schema_value *value, const json_t *desired,
			   const json_t *prior, const json_t *recorded)
{
	for (size_t i = 0; i < value->member_count; i++) {
		const char *name = value->members[i].name;

		differ_one_member(d, &value->members[i], json_object_get(desired, name), json_object_get(prior, name),
				  json_object_get(recorded, name));
	}
}

/* Whether a whole object that comes or goes brings a create-only member with it. */
static bool holds_create_only(const struct schema_value *value, const json_t *object)
{
	for (size_t i = 0; i < value->member_count; i++) {
		const struct schema_member *member = &value->members[i];
		const json_t *inner = json_object_get(object, member->name);

		if (inner != NULL && !member->read_only &&
		    (member->create_only || holds_create_only(&member->value, inner)))
			return true;
	}
	return false;
}

static bool holds_sensitive(const struct schema_value *value, const json_t *json)
{
	json_t *item;
	size_t i;
	const char *key;

	if (value->kind == SCHEMA_LIST) {
		json_array_foreach((json_t *)json, i, item)
		{
			if (holds_sensitive(value->item, item))
				return true;
		}
	} else if (value->kind == SCHEMA_MAP) {
		json_object_foreach((json_t *)json, key, item)
		{
			if (holds_sensitive(value->item, item))
				return true;
		}
	}
	for (i = 0; i < value->member_count; i++) {
		const struct schema_member *member = &value->members[i];
		const json_t *inner = json_object_get(json, member->name);

		if (inner != NULL && (member->sensitive || holds_sensitive(&member->value, inner)))
			return true;
	}
	return false;
}

/* A value said as a whole. */
static void differ_whole(struct plan_differ *d, const struct schema_value *value, const json_t *before,
			 const json_t *after, const json_t *recorded)
{
	struct plan_differ flags = *d;

	if (value->kind == SCHEMA_OBJECT)
		d->create_only |= holds_create_only(value, before) || holds_create_only(value, after);
	d->sensitive |= holds_sensitive(value, before) || holds_sensitive(value, after) || plan_holds_secret(recorded);
	plan_differ_add(d, before, after);
	d->create_only = flags.create_only;
	d->sensitive = flags.sensitive;
}

/* -- Lists and maps ----------------------------------------------------------------------------------------------- */

static bool every_item_has_key(const json_t *list, const char *key)
{
	char scratch[32];
	const char *name;
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		if (!plan_scalar_text(json_object_get(item, key), scratch, &name) ||
		    plan_keyed_find(list, key, name) != item)
			return false;
	}
	return json_is_array(list);
}

/* One item of a keyed set or a map, under its name. */
static void differ_named(struct plan_differ *d, const struct schema_value *item, const char *name,
			 const json_t *desired, const json_t *prior, const json_t *recorded)
{
	size_t len = d->path.len;

	plan_differ_item(d, name);
	if (desired == NULL || prior == NULL)
		differ_whole(d, item, prior, desired, recorded);
	else
		differ_value(d, item, desired, prior, recorded);
	buf_truncate(&d->path, len);
}

static void differ_keyed(struct plan_differ *d, const struct schema_value *value, const json_t *desired,
			 const json_t *prior, const json_t *recorded)
{
	const char *key = value->key, *name;
	char scratch[32];
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)desired, i, item)
	{
		plan_scalar_text(json_object_get(item, key), scratch, &name);
		differ_named(d, value->item, name, item, plan_keyed_find(prior, key, name),
			     plan_keyed_find(recorded, key, name));
	}
	json_array_foreach((json_t *)prior, i, item)
	{
		plan_scalar_text(json_object_get(item, key), scratch, &name);
		if (!plan_key_is_reserved(name) && plan_keyed_find(desired, key, name) == NULL)
			differ_named(d, value->item, name, NULL, item, plan_keyed_find(recorded, key, name));
	}
}

static void differ_map(struct plan_differ *d, const struct schema_value *value, const json_t *desired,
		       const json_t *prior, const json_t *recorded)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)desired, key, item)
	    differ_named(d, value->item, key, item, json_object_get(prior, key), json_object_get(recorded, key));
	json_object_foreach((json_t *)prior, key, item)
	{
		if (!plan_key_is_reserved(key) && json_object_get(desired, key) == NULL)
			differ_named(d, value->item, key, NULL, item, json_object_get(recorded, key));
	}
}

/* Items by place are worth reading only when places still mean the same: equal lengths, or a change at the end. */
static bool comparable_by_place(const struct schema_value *value, const json_t *desired, const json_t *prior,
				const json_t *recorded, bool live)
{
	size_t want = json_array_size(desired), have = json_array_size(prior);

	if (value->item->kind != SCHEMA_OBJECT || want == 0 || have == 0)
		return false;
	for (size_t i = 0; want != have && i < want && i < have; i++)
		if (!plan_value_same(value->item, json_array_get(desired, i), json_array_get(prior, i),
				     json_array_get(recorded, i), live))
			return false;
	return true;
}

static void differ_by_place(struct plan_differ *d, const struct schema_value *value, const json_t *desired,
			    const json_t *prior, const json_t *recorded)
{
	size_t want = json_array_size(desired), have = json_array_size(prior), len = d->path.len;

	for (size_t i = 0; i < want || i < have; i++) {
		const json_t *after = json_array_get(desired, i), *before = json_array_get(prior, i);

		plan_differ_index(d, i);
		if (after == NULL || before == NULL)
			differ_whole(d, value->item, before, after, recorded);
		else
			differ_value(d, value->item, after, before, json_array_get(recorded, i));
		buf_truncate(&d->path, len);
	}
}

static void differ_list(struct plan_differ *d, const struct schema_value *value, const json_t *desired,
			const json_t *prior, const json_t *recorded)
{
	if (value->compare == SCHEMA_SET && value->key != NULL && every_item_has_key(desired, value->key) &&
	    every_item_has_key(prior, value->key))
		differ_keyed(d, value, desired, prior, recorded);
	else if (value->compare != SCHEMA_SET && comparable_by_place(value, desired, prior, recorded, d->live))
		differ_by_place(d, value, desired, prior, recorded);
	else
		differ_whole(d, value, prior, desired, recorded);
}

/* -- Any value ---------------------------------------------------------------------------------------------------- */

/* A secret stands for what was applied: the live value, where the service gives it at all, is not for showing. */
static void differ_residual(struct plan_differ *d, const json_t *desired, const json_t *prior, const json_t *recorded)
{
	bool secret = !specs_has_unknown(desired);
	const json_t *before = prior;

	if (secret && recorded != NULL && specs_has_residual(recorded))
		before = recorded;
	plan_differ_add(d, before, desired);
}

/* Documents are read by meaning, so no part of the live one can be told to be what a secret was. */
static void differ_document(struct plan_differ *d, const struct schema_value *value, const json_t *desired,
			    const json_t *prior, const json_t *recorded)
{
	bool sensitive = d->sensitive;

	d->sensitive |= plan_holds_secret(desired) || plan_holds_secret(recorded);
	plan_differ_document(d, value->compare == SCHEMA_POLICY, desired, prior);
	d->sensitive = sensitive;
}

static void differ_value(struct plan_differ *d, const struct schema_value *value, const json_t *desired,
			 const json_t *prior, const json_t *recorded)
{
	if (plan_value_same(value, desired, prior, recorded, d->live) && !specs_has_unknown(desired))
		return;
	if (specs_is_residual(desired)) {
		differ_residual(d, desired, prior, recorded);
		return;
	}
	if (prior == NULL) {
		differ_whole(d, value, NULL, desired, recorded);
		return;
	}
	if (plan_value_is_document(value)) {
		differ_document(d, value, desired, prior, recorded);
		return;
	}
	if (value->kind == SCHEMA_OBJECT && json_is_object(prior) && json_is_object(desired))
		differ_members(d, value, desired, prior, recorded);
	else if (value->kind == SCHEMA_LIST && json_is_array(prior) && json_is_array(desired))
		differ_list(d, value, desired, prior, recorded);
	else if (value->kind == SCHEMA_MAP && json_is_object(prior) && json_is_object(desired))
		differ_map(d, value, desired, prior, recorded);
	else
		differ_whole(d, value, prior, desired, recorded);
}

/* Members of documents and maps come in the order in which somebody wrote them; the same change must read the same. */
static int order_paths(const void *a, const void *b)
{
	return strverscmp(((const struct plan_difference *)a)->path, ((const struct plan_difference *)b)->path);
}

void plan_diff_make(struct plan_diff *out, const struct schema_type *type, const json_t *desired, const json_t *prior,
		    const json_t *recorded, bool live)
{
	struct plan_differ d = {.out = out, .path = BUF_INIT, .live = live, .exists = prior != NULL};

	*out = (struct plan_diff){0};
	differ_members(&d, &type->properties, desired, prior, recorded);
	if (out->count > 1)
		qsort(out->items, out->count, sizeof *out->items, order_paths);
	buf_free(&d.path);
}

void plan_diff_free(struct plan_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++) {
		free(diff->items[i].path);
		json_decref(diff->items[i].before);
		json_decref(diff->items[i].after);
	}
	free(diff->items);
	*diff = (struct plan_diff){0};
}
