/* Differences inside JSON documents: objects member by member, policies statement by statement. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/diff_private.h"

/* -- Documents ---------------------------------------------------------------------------------------------------- */

static void differ_tree(struct plan_differ *d, const json_t *desired, const json_t *prior);

static void differ_tree_member(struct plan_differ *d, const char *key, const json_t *desired, const json_t *prior)
{
	size_t len = d->path.len;

	plan_differ_member(d, key);
	if (desired == NULL || prior == NULL)
		plan_differ_add(d, prior, desired);
	else
		differ_tree(d, desired, prior);
	buf_truncate(&d->path, len);
}

static void differ_tree(struct plan_differ *d, const json_t *desired, const json_t *prior)
{
	const char *key;
	json_t *item;

	if (plan_document_equal(desired, prior) && !specs_has_unknown(desired))
		return;
	if (!json_is_object(desired) || !json_is_object(prior) || specs_is_residual(desired)) {
		plan_differ_add(d, prior, desired);
		return;
	}
	json_object_foreach((json_t *)desired, key, item) differ_tree_member(d, key, item, json_object_get(prior, key));
	json_object_foreach((json_t *)prior, key, item)
	{
		if (json_object_get(desired, key) == NULL)
			differ_tree_member(d, key, NULL, item);
	}
}

/* -- Policies ----------------------------------------------------------------------------------------------------- */

/* One side's statements: as written, in one spelling, and which of the other side each belongs to. */
struct statements {
	size_t count;
	const json_t **items;
	json_t **normal;
	size_t *partner; /* SIZE_MAX: none */
};

static void statements_open(struct statements *s, const json_t *policy)
{
	const json_t *list = json_object_get(policy, "Statement");

	s->count = json_is_array(list) ? json_array_size(list) : list != NULL;
	s->items = mem_array(s->count, sizeof(const json_t *));
	s->normal = mem_array(s->count, sizeof(json_t *));
	s->partner = mem_array(s->count, sizeof *s->partner);
	for (size_t i = 0; i < s->count; i++) {
		s->items[i] = json_is_array(list) ? json_array_get(list, i) : list;
		s->normal[i] = plan_statement_normal(s->items[i]);
		s->partner[i] = SIZE_MAX;
	}
}

static void statements_close(struct statements *s)
{
	for (size_t i = 0; i < s->count; i++)
		json_decref(s->normal[i]);
	free(s->items);
	free(s->normal);
	free(s->partner);
}

static const char *statement_sid(const json_t *statement)
{
	return json_string_value(json_object_get(statement, "Sid"));
}

static bool both_equal(const json_t *desired, const json_t *prior)
{
	return json_equal((json_t *)desired, (json_t *)prior) && !specs_has_unknown(desired);
}

static bool both_named_alike(const json_t *desired, const json_t *prior)
{
	const char *a = statement_sid(desired), *b = statement_sid(prior);

	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool both_unnamed(const json_t *desired, const json_t *prior)
{
	return statement_sid(desired) == NULL && statement_sid(prior) == NULL;
}

static void statements_pair(struct statements *desired, struct statements *prior,
			    bool (*fits)(const json_t *desired, const json_t *prior))
{
	for (size_t i = 0; i < desired->count; i++) {
		for (size_t j = 0; desired->partner[i] == SIZE_MAX && j < prior->count; j++) {
			if (prior->partner[j] != SIZE_MAX || !fits(desired->normal[i], prior->normal[j]))
				continue;
			desired->partner[i] = j;
			prior->partner[j] = i;
		}
	}
}

static void differ_statement(struct plan_differ *d, const json_t *after, const json_t *before, size_t index)
{
	const char *sid = statement_sid(after != NULL ? after : before);
	size_t len = d->path.len;

	plan_differ_member(d, "Statement");
	if (sid != NULL && *sid != '\0')
		plan_differ_item(d, sid);
	else
		plan_differ_index(d, index);
	plan_differ_add(d, before, after);
	buf_truncate(&d->path, len);
}

static void differ_statements(struct plan_differ *d, const json_t *desired, const json_t *prior)
{
	struct statements want, have;

	statements_open(&want, desired);
	statements_open(&have, prior);
	statements_pair(&want, &have, both_equal);
	statements_pair(&want, &have, both_named_alike);
	statements_pair(&want, &have, both_unnamed);
	for (size_t i = 0; i < want.count; i++) {
		size_t partner = want.partner[i];

		if (partner == SIZE_MAX)
			differ_statement(d, want.items[i], NULL, i);
		else if (!both_equal(want.normal[i], have.normal[partner]))
			differ_statement(d, want.items[i], have.items[partner], i);
	}
	for (size_t i = 0; i < have.count; i++)
		if (have.partner[i] == SIZE_MAX)
			differ_statement(d, NULL, have.items[i], i);
	statements_close(&want);
	statements_close(&have);
}

/* A version that is not said is the old one. */
static bool version_missing(const char *key, const json_t *value)
{
	const char *version = json_string_value(value);

	return strcmp(key, "Version") == 0 && version != NULL && strcmp(version, "2008-10-17") == 0;
}

static void differ_policy(struct plan_differ *d, const json_t *desired, const json_t *prior)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)desired, key, item)
	{
		const json_t *other = json_object_get(prior, key);

		if (strcmp(key, "Statement") == 0 || (other == NULL && version_missing(key, item)))
			continue;
		if (other == NULL || !json_equal(item, (json_t *)other))
			differ_tree_member(d, key, item, other);
	}
	json_object_foreach((json_t *)prior, key, item)
	{
		if (strcmp(key, "Statement") != 0 && json_object_get(desired, key) == NULL &&
		    !version_missing(key, item))
			differ_tree_member(d, key, NULL, item);
	}
	differ_statements(d, desired, prior);
}

void plan_differ_document(struct plan_differ *d, bool policy, const json_t *desired, const json_t *prior)
{
	json_t *after = plan_document_parse(desired), *before = plan_document_parse(prior);
	size_t count = d->out->count;

	if (policy && json_is_object(after) && json_is_object(before) && !specs_is_residual(after))
		differ_policy(d, after, before);
	else
		differ_tree(d, after, before);
	/* A difference that only the whole shows must not get lost. */
	if (d->out->count == count)
		plan_differ_add(d, prior, desired);
	json_decref(after);
	json_decref(before);
}
