/* Transactions: begin, commit, and the reads and writes that everything else is made of.
 * A write transaction remembers its writes, so that it can be redone in a bigger map when LMDB finds its own full. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "state/store.h"

/* Entries that a transaction reads before it lets go of their pages. Fewer cost time, more cost memory: with this many,
 * a walk over 200,000 records of 1 KB takes 0.3 s and 50 MB; with no limit 0.1 s and 760 MB. */
#define READ_STEPS 1024

/* Write transactions between two looks for readers that died: what those saw is kept for them until then, and the file
 * grows. */
#define READERS_CHECKED 256

/* A journal up to this long lends its memory to the next one: giving back and taking half a megabyte with each turn of
 * an apply makes malloc() tidy up each time. */
#define JOURNAL_KEPT (4u << 20)

static int txn_begin_lmdb(struct state_txn *txn, struct diag *d);
static int journal_replay(struct state_txn *txn, struct diag *d);

/* -- Begin and end ------------------------------------------------------------------------------------------------- */

/* A full map costs redoing the transaction, so it is enlarged before: when three quarters are in use. */
static int ensure_headroom(struct state *state, struct diag *d)
{
	MDB_envinfo info;
	MDB_stat stat;
	size_t used;

	mdb_env_info(state->env, &info);
	mdb_env_stat(state->env, &stat);
	used = (info.me_last_pgno + 1) * stat.ms_psize;
	if (used < info.me_mapsize / 4 * 3 || state->readers > 0)
		return 0;
	return store_env_grow(state, d);
}

static int begin_checks(struct state *state, bool write, struct diag *d)
{
	if (state->lost)
		return diag_error(d, "state %s: closed after an earlier error", state->directory);
	if (!write)
		return 0;
	if (state->mode != STATE_WRITE)
		return diag_error(d, "state %s: opened for reading only", state->directory);
	if (state->writing)
		return diag_error(d, "state %s: a write transaction is open already", state->directory);
	return ensure_headroom(state, d);
}

int state_begin(struct state_txn **out, struct state *state, bool write, struct diag *d)
{
	struct state_txn *txn;

	*out = NULL;
	if (begin_checks(state, write, d) < 0)
		return -1;
	txn = mem_alloc(sizeof *txn);
	txn->state = state;
	txn->write = write;
	if (state->env != NULL && txn_begin_lmdb(txn, d) < 0) {
		free(txn);
		return -1;
	}
	if (write) {
		if (state->env != NULL && ++state->writes % READERS_CHECKED == 0)
			mdb_reader_check(state->env, NULL);
		state->writing = true;
		txn->journal = state->spare;
		state->spare = (struct buf)BUF_INIT;
	} else {
		state->readers++;
	}
	*out = txn;
	return 0;
}

/* What can be mended is, once each: a map that another process enlarged, slots of dead readers, a fatal error. */
static int txn_begin_lmdb(struct state_txn *txn, struct diag *d)
{
	struct state *state = txn->state;
	unsigned flags = txn->write ? 0 : MDB_RDONLY;
	int rc = mdb_txn_begin(state->env, NULL, flags, &txn->mdb);

	if (rc == MDB_MAP_RESIZED) {
		if (store_env_follow(state, d) < 0)
			return -1;
		rc = mdb_txn_begin(state->env, NULL, flags, &txn->mdb);
	} else if (rc == MDB_READERS_FULL) {
		mdb_reader_check(state->env, NULL);
		rc = mdb_txn_begin(state->env, NULL, flags, &txn->mdb);
	} else if (rc == MDB_PANIC && state->readers == 0) {
		if (store_env_reopen(state, d) < 0)
			return -1;
		rc = mdb_txn_begin(state->env, NULL, flags, &txn->mdb);
	}
	if (rc == 0)
		return 0;
	txn->mdb = NULL;
	return store_error(state, d, rc, txn->write ? "begin a write" : "begin a read");
}

static void txn_free(struct state_txn *txn)
{
	if (txn->write) {
		txn->state->writing = false;
		txn->state->spare = txn->journal;
		if (txn->state->spare.cap > JOURNAL_KEPT)
			buf_free(&txn->state->spare);
		buf_clear(&txn->state->spare);
	} else {
		txn->state->readers--;
	}
	free(txn);
}

void state_abort(struct state_txn *txn)
{
	if (txn == NULL)
		return;
	if (txn->mdb != NULL)
		mdb_txn_abort(txn->mdb);
	txn_free(txn);
}

/* Throws the transaction away and does all of it again in a bigger map. */
static int txn_restart(struct state_txn *txn, struct diag *d)
{
	if (txn->mdb != NULL)
		mdb_txn_abort(txn->mdb);
	txn->mdb = NULL;
	txn->restarts++;
	txn->changes++;
	if (store_env_grow(txn->state, d) < 0 || txn_begin_lmdb(txn, d) < 0)
		return -1;
	return journal_replay(txn, d);
}

/* A write that the disk, or the limit on the size of files, had room for only in part is EIO to LMDB: say what it is.
 */
static int commit_reason(const struct state *state, int rc)
{
	struct rlimit limit;
	struct statvfs fs;
	struct stat st;
	int fd;

	if (rc != EIO)
		return rc;
	if (statvfs(state->directory, &fs) == 0 && fs.f_bavail < 16)
		return ENOSPC;
	if (mdb_env_get_fd(state->env, &fd) == 0 && fstat(fd, &st) == 0 && getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	    (rlim_t)st.st_size >= limit.rlim_cur)
		return EFBIG;
	return rc;
}

static int commit_write(struct state_txn *txn, struct diag *d)
{
	int rc;

	if (txn->failed)
		return diag_error(d, "state %s: not saved, since an earlier write of this transaction failed",
				  txn->state->directory);
	if (store_sequence_save(txn, d) < 0)
		return -1;
	for (;;) {
		rc = mdb_txn_commit(txn->mdb);
		txn->mdb = NULL;
		if (rc != MDB_MAP_FULL)
			break;
		if (txn_restart(txn, d) < 0)
			return -1;
	}
	return rc == 0 ? 0 : store_error(txn->state, d, commit_reason(txn->state, rc), "save (nothing was changed)");
}

int state_commit(struct state_txn *txn, struct diag *d)
{
	int rc = txn->write ? commit_write(txn, d) : 0;

	state_abort(txn);
	return rc;
}

/* -- The journal: [db][is a put][key length][value length] key value, one after the other -------------------------- */

struct entry {
	enum store_db db;
	bool put;
	MDB_val key, value;
};

#define ENTRY_HEAD (1 + 1 + 4 + 4)

static void journal_add(struct state_txn *txn, const struct entry *e)
{
	buf_addc(&txn->journal, (char)e->db);
	buf_addc(&txn->journal, (char)e->put);
	store_add_u32(&txn->journal, (uint32_t)e->key.mv_size);
	store_add_u32(&txn->journal, (uint32_t)e->value.mv_size);
	buf_add(&txn->journal, e->key.mv_data, e->key.mv_size);
	buf_add(&txn->journal, e->value.mv_data, e->value.mv_size);
}

static size_t journal_read(struct entry *e, char *at)
{
	e->db = (enum store_db)at[0];
	e->put = at[1] != 0;
	e->key = (MDB_val){store_u32(at + 2), at + ENTRY_HEAD};
	e->value = (MDB_val){store_u32(at + 6), at + ENTRY_HEAD + e->key.mv_size};
	return ENTRY_HEAD + e->key.mv_size + e->value.mv_size;
}

static int entry_do(struct state_txn *txn, struct entry *e)
{
	MDB_dbi dbi = txn->state->dbi[e->db];

	return e->put ? mdb_put(txn->mdb, dbi, &e->key, &e->value, 0) : mdb_del(txn->mdb, dbi, &e->key, NULL);
}

static int journal_replay(struct state_txn *txn, struct diag *d)
{
	struct entry e;
	size_t at = 0;
	int rc;

	while (at < txn->journal.len) {
		at += journal_read(&e, txn->journal.data + at);
		rc = entry_do(txn, &e);
		if (rc == MDB_MAP_FULL)
			return txn_restart(txn, d);
		if (rc != 0 && rc != MDB_NOTFOUND)
			return store_error(txn->state, d, rc, "write");
	}
	return 0;
}

/* -- Reads and writes ---------------------------------------------------------------------------------------------- */

static int spoil(struct state_txn *txn)
{
	txn->failed = true;
	return -1;
}

/* 1 when there is something to read, 0 when the state is empty, -1 when the transaction is of no use any more. */
static int may_read(struct state_txn *txn, struct diag *d)
{
	if (txn->failed)
		return diag_error(d, "state %s: an earlier write of this transaction failed", txn->state->directory);
	return txn->mdb != NULL;
}

int store_may_write(struct state_txn *txn, struct diag *d)
{
	if (!txn->write)
		return diag_error(d, "state %s: a write in a read transaction", txn->state->directory);
	return may_read(txn, d) < 0 ? -1 : 0;
}

/* Pages of the map that were read count as this process's memory until they are let go of. What points into them stays
 * valid: they come back from the page cache when touched again. Never in a write transaction, whose pages may be memory
 * proper. */
static void let_go(struct state_txn *txn, const MDB_val *read)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)read->mv_data;

	if (txn->write)
		return;
	if (txn->reads++ == 0)
		txn->low = txn->high = at;
	txn->low = at < txn->low ? at : txn->low;
	txn->high = at > txn->high ? at : txn->high;
	if (txn->reads < READ_STEPS)
		return;
	madvise((void *)(txn->low / page * page), txn->high / page * page - txn->low / page * page, MADV_DONTNEED);
	txn->reads = 0;
}

int store_get(struct state_txn *txn, enum store_db db, const void *key, size_t len, MDB_val *out, struct diag *d)
{
	MDB_val k = {len, (void *)key};
	int rc = may_read(txn, d);

	*out = (MDB_val){0, NULL};
	if (rc <= 0)
		return rc;
	rc = mdb_get(txn->mdb, txn->state->dbi[db], &k, out);
	if (rc == 0) {
		let_go(txn, out);
		return 1;
	}
	return rc == MDB_NOTFOUND ? 0 : store_error(txn->state, d, rc, "read");
}

static int do_and_journal(struct state_txn *txn, struct entry *e, struct diag *d)
{
	int rc;

	if (store_may_write(txn, d) < 0)
		return -1;
	/* Before the write: it may be the one that is redone. */
	journal_add(txn, e);
	txn->changes++;
	rc = entry_do(txn, e);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc == MDB_MAP_FULL)
		return txn_restart(txn, d) < 0 ? spoil(txn) : 1;
	if (rc == 0)
		return 1;
	store_error(txn->state, d, rc, "write");
	return spoil(txn);
}

int store_put(struct state_txn *txn, enum store_db db, const void *key, size_t len, const void *value, size_t value_len,
	      struct diag *d)
{
	struct entry e = {db, true, {len, (void *)key}, {value_len, (void *)value}};

	return do_and_journal(txn, &e, d) < 0 ? -1 : 0;
}

int store_delete(struct state_txn *txn, enum store_db db, const void *key, size_t len, struct diag *d)
{
	struct entry e = {db, false, {len, (void *)key}, {0, NULL}};
	MDB_val old;
	int rc = store_may_write(txn, d);

	/* Looked up first, since a delete that is redone does not tell whether there was something to delete. */
	if (rc < 0 || (rc = store_get(txn, db, key, len, &old, d)) <= 0)
		return rc;
	return do_and_journal(txn, &e, d) < 0 ? -1 : 1;
}

int store_count(struct state_txn *txn, enum store_db db, size_t *out, struct diag *d)
{
	MDB_stat stat;
	int rc = may_read(txn, d);

	*out = 0;
	if (rc <= 0)
		return rc;
	rc = mdb_stat(txn->mdb, txn->state->dbi[db], &stat);
	if (rc != 0)
		return store_error(txn->state, d, rc, "read");
	*out = stat.ms_entries;
	return 0;
}

/* -- Walks --------------------------------------------------------------------------------------------------------- */

void store_walk_start(struct store_walk *walk, struct state_txn *txn, enum store_db db, const void *from, size_t len)
{
	*walk = (struct store_walk){.txn = txn, .db = db, .at_len = len};
	if (len > 0)
		memcpy(walk->at, from, len);
}

/* (Re)opens the cursor and moves it to the first key after `at` (or at it, at the start). */
static int walk_seek(struct store_walk *walk)
{
	struct state_txn *txn = walk->txn;
	MDB_val key = {walk->at_len, walk->at};
	int rc;

	store_walk_end(walk);
	rc = mdb_cursor_open(txn->mdb, txn->state->dbi[walk->db], &walk->cursor);
	if (rc != 0)
		return rc;
	walk->changes = txn->changes;
	walk->restarts = txn->restarts;
	rc = mdb_cursor_get(walk->cursor, &key, &walk->value, walk->at_len > 0 ? MDB_SET_RANGE : MDB_FIRST);
	if (rc == 0 && walk->started && key.mv_size == walk->at_len && memcmp(key.mv_data, walk->at, key.mv_size) == 0)
		rc = mdb_cursor_get(walk->cursor, &key, &walk->value, MDB_NEXT);
	walk->key = key;
	return rc;
}

int store_walk_next(struct store_walk *walk, struct diag *d)
{
	struct state_txn *txn = walk->txn;
	int rc = may_read(txn, d);

	if (rc <= 0)
		return rc;
	if (walk->cursor == NULL || walk->changes != txn->changes)
		rc = walk_seek(walk);
	else
		rc = mdb_cursor_get(walk->cursor, &walk->key, &walk->value, MDB_NEXT);
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return store_error(txn->state, d, rc, "read");
	if (walk->key.mv_size > sizeof walk->at)
		return store_corrupt(txn->state, d, "a key of %zu bytes", walk->key.mv_size);
	walk->started = true;
	walk->at_len = walk->key.mv_size;
	memcpy(walk->at, walk->key.mv_data, walk->at_len);
	let_go(txn, &walk->value);
	return 1;
}

void store_walk_end(struct store_walk *walk)
{
	/* A transaction that was begun again has taken the cursors of its former life with it. */
	if (walk->cursor != NULL && walk->restarts == walk->txn->restarts)
		mdb_cursor_close(walk->cursor);
	walk->cursor = NULL;
}
