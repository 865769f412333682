/* What became of records between two generations: only the history of those between is read, never all records. */
#include <stdlib.h>
#include <string.h>

#include "state/store.h"

struct span {
	struct state *state;
	bool backwards;
	state_span_visit *visit;
	void *payload;
	struct diag *d;
};

/* A fact as a record: NULL where it is none. */
static int fact_record(const struct state_record **out, struct state_record *room, const char *address,
		       const MDB_val *fact, const struct span *span)
{
	*out = NULL;
	if (fact->mv_size == 0)
		return 0;
	if (store_fact(room, address, fact) < 0)
		return store_corrupt(span->state, span->d, "an entry of the history is unreadable");
	*out = room;
	return 0;
}

static bool same_body(const struct state_record *a, const struct state_record *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0;
}

/* One address: what its first change in the span found, and what its last one left. */
static int span_address(const struct span *span, const struct store_change *first, const struct store_change *last)
{
	const MDB_val *old = span->backwards ? &last->after : &first->before;
	const MDB_val *new = span->backwards ? &first->before : &last->after;
	struct state_record rooms[2];
	const struct state_record *before, *after;

	if (fact_record(&before, &rooms[0], first->address, old, span) < 0 ||
	    fact_record(&after, &rooms[1], first->address, new, span) < 0)
		return -1;
	if (same_body(before, after))
		return 0;
	return span->visit(span->payload, first->address, before, after);
}

int state_span_each(struct state_txn *txn, uint64_t from, uint64_t to, state_span_visit *visit, void *payload,
		    struct diag *d)
{
	const struct span span = {txn->state, from > to, visit, payload, d};
	uint64_t low = from < to ? from : to, high = from < to ? to : from;
	struct store_changes changes;
	int rc = 0;

	if (low == high)
		return 0;
	if (store_history_collect(&changes, txn, low + 1, high, d) < 0)
		return -1;
	for (size_t first = 0, next; rc == 0 && first < changes.count; first = next) {
		next = first + 1;
		while (next < changes.count &&
		       store_key_compare(&changes.items[next].key, &changes.items[first].key) == 0)
			next++;
		rc = span_address(&span, &changes.items[first], &changes.items[next - 1]);
	}
	free(changes.items);
	return rc;
}

int state_history_count(struct state_txn *txn, uint64_t generation, struct state_span_counts *out, struct diag *d)
{
	struct store_history_walk walk;
	int rc;

	*out = (struct state_span_counts){0};
	store_history_start(&walk, txn, generation, generation);
	while ((rc = store_history_next(&walk, d)) == 1) {
		if (walk.change.before.mv_size == 0)
			out->created++;
		else if (walk.change.after.mv_size == 0)
			out->deleted++;
		else
			out->updated++;
	}
	store_history_end(&walk);
	return rc;
}
