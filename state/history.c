/* History: what each generation changed, as the first former and the last new form of each address, and reading the
 * state as it was at the end of an earlier generation. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/store.h"

/* -- Entries: address, length of the former fact, former fact, new fact ---------------------------------------------
 */

static int change_read(struct store_change *out, const MDB_val *key, const MDB_val *value)
{
	const char *bytes;
	MDB_val rest;
	size_t before;

	if (key->mv_size <= 8 || store_entry(key, 8, value, &out->address, &rest) < 0 || rest.mv_size < 4)
		return -1;
	bytes = rest.mv_data;
	before = store_u32(bytes);
	if (before > rest.mv_size - 4)
		return -1;
	out->before = (MDB_val){before, (void *)(bytes + 4)};
	out->after = (MDB_val){rest.mv_size - 4 - before, (void *)(bytes + 4 + before)};
	out->key = (MDB_val){key->mv_size - 8, (char *)key->mv_data + 8};
	out->whole_key = *key;
	out->whole_value = *value;
	return 0;
}

int store_history_get(struct state_txn *txn, uint64_t generation, const char *address, struct store_change *out,
		      struct diag *d)
{
	struct store_key key;
	MDB_val k, value;
	int rc;

	memset(out, 0, sizeof *out);
	if (store_key_history(&key, generation, address, d) < 0)
		return -1;
	rc = store_get(txn, STORE_HISTORY, key.bytes, key.len, &value, d);
	if (rc <= 0)
		return rc;
	k = (MDB_val){key.len, key.bytes};
	if (change_read(out, &k, &value) < 0)
		return store_corrupt(txn->state, d, "an entry of the history is unreadable");
	/* These lie in the key made here, not in the map. */
	out->address = NULL;
	out->key = out->whole_key = (MDB_val){0, NULL};
	return 1;
}

int store_history_note(struct state_txn *txn, uint64_t generation, const char *address, const MDB_val *before,
		       const MDB_val *after, struct diag *d)
{
	buf_auto struct buf value = BUF_INIT;
	struct store_change old;
	struct store_key key;
	int rc = store_history_get(txn, generation, address, &old, d);

	if (rc < 0 || store_key_history(&key, generation, address, d) < 0)
		return -1;
	if (rc == 1)
		before = &old.before;
	/* Made and taken away within one generation: nothing happened. */
	if (before->mv_size == 0 && after->mv_size == 0)
		return store_delete(txn, STORE_HISTORY, key.bytes, key.len, d) < 0 ? -1 : 0;
	store_add_address(&value, &key, address);
	store_add_u32(&value, (uint32_t)before->mv_size);
	buf_add(&value, before->mv_data, before->mv_size);
	buf_add(&value, after->mv_data, after->mv_size);
	return store_put(txn, STORE_HISTORY, key.bytes, key.len, value.data, value.len, d);
}

/* -- Walks over history ---------------------------------------------------------------------------------------------
 */

void store_history_start(struct store_history_walk *walk, struct state_txn *txn, uint64_t first, uint64_t last)
{
	unsigned char from[8];

	memset(walk, 0, sizeof *walk);
	walk->last = last;
	store_put_number(from, first);
	store_walk_start(&walk->walk, txn, STORE_HISTORY, from, sizeof from);
}

int store_history_next(struct store_history_walk *walk, struct diag *d)
{
	int rc = store_walk_next(&walk->walk, d);

	if (rc <= 0)
		return rc;
	if (change_read(&walk->change, &walk->walk.key, &walk->walk.value) < 0)
		return store_corrupt(walk->walk.txn->state, d, "an entry of the history is unreadable");
	walk->generation = store_number(walk->walk.key.mv_data);
	return walk->generation <= walk->last;
}

void store_history_end(struct store_history_walk *walk)
{
	store_walk_end(&walk->walk);
}

/* The body of a fact as JSON; NULL for none. */
static int fact_json(json_t **out, const MDB_val *fact, const struct state *state, struct diag *d)
{
	struct state_record record;

	*out = NULL;
	if (fact->mv_size == 0)
		return 0;
	if (store_fact(&record, NULL, fact) < 0)
		return store_corrupt(state, d, "an entry of the history is unreadable");
	return store_json(out, record.text, record.text_len, state, d);
}

static int change_json(json_t **before, json_t **after, const struct store_change *change, const struct state *state,
		       struct diag *d)
{
	*after = NULL;
	if (fact_json(before, &change->before, state, d) < 0)
		return -1;
	return fact_json(after, &change->after, state, d);
}

int state_history_each(struct state_txn *txn, uint64_t generation, state_history_visit *visit, void *payload,
		       struct diag *d)
{
	struct store_history_walk walk;
	json_t *before, *after;
	int rc;

	store_history_start(&walk, txn, generation, generation);
	while ((rc = store_history_next(&walk, d)) == 1) {
		rc = change_json(&before, &after, &walk.change, txn->state, d);
		if (rc == 0)
			rc = visit(payload, walk.change.address, before, after);
		json_decref(before);
		json_decref(after);
		if (rc != 0)
			break;
	}
	store_history_end(&walk);
	return rc;
}

int state_history_of(struct state_txn *txn, const char *address, state_history_of_visit *visit, void *payload,
		     struct diag *d)
{
	struct store_change change;
	json_t *before, *after;
	uint64_t newest, first = 1;
	int rc = state_generation(txn, &newest, d);

	if (rc == 0)
		rc = state_generation_first(txn, &first, d);
	for (uint64_t g = first; rc == 0 && g <= newest; g++) {
		rc = store_history_get(txn, g, address, &change, d);
		if (rc <= 0)
			continue;
		rc = change_json(&before, &after, &change, txn->state, d);
		if (rc == 0)
			rc = visit(payload, g, before, after);
		json_decref(before);
		json_decref(after);
	}
	return rc;
}

/* -- The state as it was ---------------------------------------------------------------------------------------------
 */

int state_record_at(struct state_txn *txn, uint64_t generation, const char *address, struct state_record *out,
		    struct diag *d)
{
	struct store_change change;
	uint64_t newest, first = 1;
	int rc = state_generation(txn, &newest, d);

	if (rc == 0)
		rc = state_generation_first(txn, &first, d);
	/* What the first later generation found is what this one left. */
	for (uint64_t g = generation + 1 > first ? generation + 1 : first; rc == 0 && g <= newest; g++) {
		rc = store_history_get(txn, g, address, &change, d);
		if (rc <= 0)
			continue;
		memset(out, 0, sizeof *out);
		if (change.before.mv_size == 0)
			return 0;
		rc = store_fact(out, address, &change.before);
		return rc == 0 ? 1 : store_corrupt(txn->state, d, "an entry of the history is unreadable");
	}
	return rc < 0 ? rc : state_record_get(txn, address, out, d);
}

int store_key_compare(const MDB_val *a, const MDB_val *b)
{
	size_t common = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
	int order = memcmp(a->mv_data, b->mv_data, common);

	return order != 0 ? order : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

/* By address, then by generation (with which the whole key begins). */
static int change_compare(const void *left, const void *right)
{
	const struct store_change *a = left, *b = right;
	int order = store_key_compare(&a->key, &b->key);

	return order != 0 ? order : memcmp(a->whole_key.mv_data, b->whole_key.mv_data, 8);
}

int store_history_collect(struct store_changes *out, struct state_txn *txn, uint64_t first, uint64_t last,
			  struct diag *d)
{
	struct store_history_walk walk;
	size_t room = 0;
	int rc;

	*out = (struct store_changes){NULL, 0};
	store_history_start(&walk, txn, first, last);
	while ((rc = store_history_next(&walk, d)) == 1) {
		if (out->count == room) {
			room = room == 0 ? 64 : room * 2;
			out->items = mem_resize(out->items, room, sizeof *out->items);
		}
		out->items[out->count++] = walk.change;
	}
	store_history_end(&walk);
	if (rc < 0) {
		free(out->items);
		*out = (struct store_changes){NULL, 0};
	} else if (out->count > 1) {
		qsort(out->items, out->count, sizeof *out->items, change_compare);
	}
	return rc;
}

/* What later generations found, by key: it stands in place of the records of today. */
static int past_collect(struct store_changes *past, struct state_txn *txn, uint64_t generation, struct diag *d)
{
	size_t kept = 0;

	*past = (struct store_changes){NULL, 0};
	if (generation == UINT64_MAX)
		return 0;
	if (store_history_collect(past, txn, generation + 1, UINT64_MAX, d) < 0)
		return -1;
	for (size_t i = 0; i < past->count; i++)
		if (i == 0 || store_key_compare(&past->items[i].key, &past->items[kept - 1].key) != 0)
			past->items[kept++] = past->items[i];
	past->count = kept;
	return 0;
}

/* One call of the visitor for each_at: `fact` empty means that there was no such record. */
struct each_at {
	struct state *state;
	const char *prefix;
	state_record_visit *visit;
	void *payload;
	struct diag *d;
};

static bool is_under(const char *address, const char *prefix)
{
	size_t len = strlen(prefix);

	if (len == 0)
		return true;
	return text_starts(address, prefix) && (prefix[len - 1] == '/' || address[len] == '/' || address[len] == '\0');
}

static int each_at_visit(const struct each_at *e, const char *address, const MDB_val *fact)
{
	struct state_record record;

	if (fact->mv_size == 0 || !is_under(address, e->prefix))
		return 0;
	if (store_fact(&record, address, fact) < 0)
		return store_corrupt(e->state, e->d, "a record is unreadable");
	return e->visit(e->payload, &record);
}

/* Merges today's records with the past, both in order of key; the past wins. */
static int each_at_merge(const struct each_at *e, struct store_walk *walk, const struct store_changes *past)
{
	const char *address;
	MDB_val fact;
	size_t i = 0;
	int order, rc, more = store_walk_next(walk, e->d);

	while (more == 1 || (more == 0 && i < past->count)) {
		order = more == 0 ? 1 : i == past->count ? -1 : store_key_compare(&walk->key, &past->items[i].key);
		if (order < 0) {
			if (store_entry(&walk->key, 0, &walk->value, &address, &fact) < 0)
				return store_corrupt(e->state, e->d, "a record is unreadable");
			rc = each_at_visit(e, address, &fact);
		} else {
			rc = each_at_visit(e, past->items[i].address, &past->items[i].before);
			i++;
		}
		if (rc != 0)
			return rc;
		if (order <= 0)
			more = store_walk_next(walk, e->d);
	}
	return more;
}

int state_record_each_at(struct state_txn *txn, uint64_t generation, const char *prefix, state_record_visit *visit,
			 void *payload, struct diag *d)
{
	struct each_at e = {txn->state, prefix, visit, payload, d};
	struct store_changes past;
	struct store_walk walk;
	int rc = past_collect(&past, txn, generation, d);

	if (rc == 0) {
		store_walk_start(&walk, txn, STORE_RESOURCES, NULL, 0);
		rc = each_at_merge(&e, &walk, &past);
		store_walk_end(&walk);
	}
	free(past.items);
	return rc;
}
