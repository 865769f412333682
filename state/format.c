/* Format versions: how a state of an older program becomes one of this. A migration is a function that turns one format
 * into the next; all that are needed run in one transaction, so that a state is of one format or of the other. */
#include "state/store.h"

/* None yet: the first format is the only one. When STATE_FORMAT rises, its entry goes here, with a test that opens a
 * state of the format before. */
static const struct store_migration migrations[] = {{0, NULL}};

const struct store_migration *store_migrations(size_t *count)
{
	*count = sizeof migrations / sizeof *migrations - 1;
	return migrations;
}

static int migrate_step(struct state_txn *txn, uint64_t from, const struct store_migration *list, size_t count,
			struct diag *d)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].from == from)
			return list[i].run(txn, d);
	return diag_error(d, "state %s: this muster cannot bring format %ju up to date", txn->state->directory,
			  (uintmax_t)from);
}

int store_migrate(struct state *state, uint64_t from, uint64_t target, const struct store_migration *list, size_t count,
		  struct diag *d)
{
	buf_auto struct buf value = BUF_INIT;
	struct state_txn *txn;

	if (state_begin(&txn, state, true, d) < 0)
		return -1;
	for (; from < target; from++) {
		if (migrate_step(txn, from, list, count, d) < 0) {
			state_abort(txn);
			return -1;
		}
	}
	store_add_u64(&value, target);
	if (store_put(txn, STORE_META, "format", 6, value.data, value.len, d) < 0) {
		state_abort(txn);
		return -1;
	}
	return state_commit(txn, d);
}
