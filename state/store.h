/* What the files of the state room share: the open store, its transactions, and how things are spelled in LMDB.
 * Not for other rooms (they see state.h only), save the tests of this one. docs/state-format.md describes the layout.
 */
#ifndef MUSTER_STATE_STORE_H
#define MUSTER_STATE_STORE_H

#include <lmdb.h>

#include "base/buf.h"
#include "state/state.h"

#define STORE_DATA      "data.mdb"
#define STORE_DATA_NEW  "data.new" /* a state being made; becomes STORE_DATA by rename once it is whole */
#define STORE_LOCK      "lock"     /* the writer's lock; LMDB's own lock.mdb is its readers' table */
#define STORE_BODY_MAX  (1u << 30)
#define STORE_FACT_HEAD (8 + 8 + 32)

/* In the order of `store_db_names` in env.c. */
enum store_db {
	STORE_META,
	STORE_RESOURCES,
	STORE_HISTORY,
	STORE_GENERATIONS,
	STORE_INTENTS,
	STORE_REGIONS,
	STORE_BLOBS,
	STORE_PLANS,
	STORE_OUTPUTS,
	STORE_DB_COUNT
};

struct state {
	char *directory;
	enum state_mode mode;
	int lock_fd;  /* -1 in READ mode */
	MDB_env *env; /* NULL: READ of a state that does not exist, or lost (see `lost`) */
	MDB_dbi dbi[STORE_DB_COUNT];
	size_t map_bytes; /* least size of the map in WRITE mode */
	size_t writes;    /* write transactions so far */
	size_t readers;   /* open read transactions: while there are any, the map cannot move */
	bool writing;     /* a write transaction is open */
	bool no_outputs;  /* opened for reading, and made before outputs were kept */
	bool lost;        /* the environment could not be opened again after an error */
	struct buf spare; /* memory for the journal of the next write transaction */
	struct state *next_open;
};

struct state_txn {
	struct state *state;
	MDB_txn *mdb; /* NULL: empty state, or `failed` */
	bool write;
	bool failed;        /* a write went wrong half way: this transaction may not be committed */
	uint64_t changes;   /* writes so far: tells walks that their cursor is stale */
	uint64_t restarts;  /* times that it was begun again in a bigger map: cursors of before are freed */
	struct buf journal; /* every write so far, to redo them */
	uint64_t sequence;  /* last version given, once `sequence_known` */
	bool sequence_known, sequence_changed;
	size_t reads;             /* of a read transaction, since it last let go of pages */
	uintptr_t low, high;      /* the part of the map that these went to */
	uint64_t open_generation; /* known to be open in this transaction; 0: none looked up yet */
};

/* -- env.c: the LMDB environment ----------------------------------------------------------------------------------- */

/* Opens STORE_DATA, checks it, and opens the sub-databases. With state->env NULL afterwards and 0 returned there is no
 * such file. */
int store_env_open(struct state *state, struct diag *d);
void store_env_close(struct state *state);
/* Makes a whole, empty state under STORE_DATA in one step. */
int store_env_create(struct state *state, struct diag *d);
/* Makes room: at least doubles the map. No transaction may be open. */
int store_env_grow(struct state *state, struct diag *d);
/* Takes over the size that another process gave the map. */
int store_env_follow(struct state *state, struct diag *d);
/* Closes and opens again, after an error that LMDB calls fatal. */
int store_env_reopen(struct state *state, struct diag *d);
/* "state DIR: cannot WHAT: WHY". Returns -1. */
int store_error(const struct state *state, struct diag *d, int rc, const char *what);
int store_corrupt(const struct state *state, struct diag *d, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* -- format.c: format versions ------------------------------------------------------------------------------------- */

struct store_migration {
	uint64_t from; /* turns format `from` into `from + 1` */
	int (*run)(struct state_txn *txn, struct diag *d);
};
/* Runs what leads from `from` to `target` in one transaction and notes the new format. */
int store_migrate(struct state *state, uint64_t from, uint64_t target, const struct store_migration *list, size_t count,
		  struct diag *d);
/* The migrations that this program knows. */
const struct store_migration *store_migrations(size_t *count);

/* -- open.c -------------------------------------------------------------------------------------------------------- */

/* state_open_wait() with a map that starts at `map_bytes` (0: as users get it), so that tests can outgrow it. */
int store_open(struct state **out, const char *directory, enum state_mode mode, int64_t wait_ms, size_t map_bytes,
	       struct diag *d);

/* -- check.c: reading the file before LMDB maps it ------------------------------------------------------------------
 */

struct store_header {
	size_t page_bytes, map_bytes, data_bytes; /* data_bytes: up to the last page in use */
};
/* 0 when `fd` holds what LMDB would accept without harm; -1 with a message. */
int store_check_header(struct store_header *out, const struct state *state, int fd, struct diag *d);
/* Walks all pages of the snapshot that `mdb` (a read transaction) holds. */
int store_check_pages(const struct state *state, MDB_txn *mdb, struct diag *d);

/* -- lock.c, network.c ----------------------------------------------------------------------------------------------
 */

int store_lock(struct state *state, int64_t wait_ms, struct diag *d);
void store_unlock(struct state *state);
/* The name of the network file system that these two facts mean, or NULL for one that keeps locks and shared memory
 * in order. `type` as in statfs(2); `kind` as in /proc/self/mountinfo ("fuse.sshfs"), may be NULL. */
const char *store_network_name(unsigned long type, const char *kind);
int store_network_refuse(const char *directory, struct diag *d);

/* -- txn.c: reads and writes of one transaction ---------------------------------------------------------------------
 */

int store_get(struct state_txn *txn, enum store_db db, const void *key, size_t len, MDB_val *out, struct diag *d);
int store_put(struct state_txn *txn, enum store_db db, const void *key, size_t len, const void *value, size_t value_len,
	      struct diag *d);
/* 1 when it was there, 0 when not, -1. */
int store_delete(struct state_txn *txn, enum store_db db, const void *key, size_t len, struct diag *d);
int store_count(struct state_txn *txn, enum store_db db, size_t *out, struct diag *d);
/* Adds an error and returns -1 unless `txn` may write. */
int store_may_write(struct state_txn *txn, struct diag *d);

/* A walk in order of key that survives writes between its steps. */
struct store_walk {
	struct state_txn *txn;
	enum store_db db;
	MDB_cursor *cursor;
	uint64_t changes, restarts;
	unsigned char at[512]; /* the key last given out, or where to start */
	size_t at_len;
	bool started;
	MDB_val key, value; /* after store_walk_next() gave 1 */
};
void store_walk_start(struct store_walk *walk, struct state_txn *txn, enum store_db db, const void *from, size_t len);
int store_walk_next(struct store_walk *walk, struct diag *d); /* 1, 0 at the end, -1 */
void store_walk_end(struct store_walk *walk);

/* -- spell.c: keys and values ---------------------------------------------------------------------------------------
 */

/* An address as a key: the address with its NUL; over STORE_KEY_MAX bytes its beginning, 0xFF (which no UTF-8 text
 * holds) and its SHA-256, with the whole address in the value. The limit leaves room for history's generation, so that
 * an address has the same spelling and order everywhere. */
#define STORE_KEY_MAX  503
#define STORE_KEY_KEPT (STORE_KEY_MAX - 1 - 32)

struct store_key {
	unsigned char bytes[8 + STORE_KEY_MAX];
	size_t len;
	bool hashed;
};
int store_key_address(struct store_key *out, const char *address, struct diag *d);
int store_key_history(struct store_key *out, uint64_t generation, const char *address, struct diag *d);

void store_add_u32(struct buf *out, uint32_t n);
void store_add_u64(struct buf *out, uint64_t n); /* little-endian, for values */
uint32_t store_u32(const void *bytes);
uint64_t store_u64(const void *bytes);
void store_put_number(unsigned char out[8], uint64_t n); /* big-endian, for keys: their order is the numbers' */
uint64_t store_number(const void *bytes);

/* Begins the value of an address's key: the whole address where the key does not hold it. */
void store_add_address(struct buf *out, const struct store_key *key, const char *address);
/* The address (NUL-terminated) of an entry and what follows it in its value. `skip`: bytes of the key before it.
 * Returns 0, or -1 when the entry is malformed. */
int store_entry(const MDB_val *key, size_t skip, const MDB_val *value, const char **address, MDB_val *rest);
/* A record's version, generation, digest and body (a "fact"), as in `resources` and, twice, in `history`. */
void store_add_fact(struct buf *out, uint64_t version, uint64_t generation, const uint8_t digest[32], const char *text,
		    size_t len);
int store_fact(struct state_record *out, const char *address, const MDB_val *fact);
int store_json(json_t **out, const void *text, size_t len, const struct state *state, struct diag *d);

/* -- records.c, history.c, generations.c ----------------------------------------------------------------------------
 */

uint64_t store_sequence_next(struct state_txn *txn, struct diag *d); /* 0 on error */
int store_sequence_save(struct state_txn *txn, struct diag *d);

/* 1 and the fact of `address` in `resources`, 0, -1. */
int store_record_fact(struct state_txn *txn, const struct store_key *key, MDB_val *fact, struct diag *d);
/* Notes a change of `address` in `generation`; an empty `before` or `after` means absent. */
int store_history_note(struct state_txn *txn, uint64_t generation, const char *address, const MDB_val *before,
		       const MDB_val *after, struct diag *d);

/* That every entry of `outputs` can be read: 0 or -1 with a message. */
int store_outputs_verify(struct state_txn *txn, struct diag *d);

struct store_change {
	const char *address;
	MDB_val key;           /* the address's key, as in `resources` */
	MDB_val before, after; /* facts; mv_size 0: absent */
	MDB_val whole_key, whole_value;
};
/* Walks the history of generations from `first` to `last`. 1, 0 at the end, -1. */
struct store_history_walk {
	struct store_walk walk;
	uint64_t last;
	uint64_t generation; /* of the change given out */
	struct store_change change;
};
void store_history_start(struct store_history_walk *walk, struct state_txn *txn, uint64_t first, uint64_t last);
int store_history_next(struct store_history_walk *walk, struct diag *d);
void store_history_end(struct store_history_walk *walk);
/* All changes of generations from `first` to `last`, by address (as `resources` sorts them), then by generation. Their
 * pointers go into the map. Free `items` with free(). 0, or -1 with nothing to free. */
struct store_changes {
	struct store_change *items;
	size_t count;
};
int store_history_collect(struct store_changes *out, struct state_txn *txn, uint64_t first, uint64_t last,
			  struct diag *d);
/* Orders keys as LMDB does. */
int store_key_compare(const MDB_val *a, const MDB_val *b);

/* 1 and the change of `address` in `generation`, 0, -1. */
int store_history_get(struct state_txn *txn, uint64_t generation, const char *address, struct store_change *out,
		      struct diag *d);

/* At least `version` from now on. */
int store_sequence_raise(struct state_txn *txn, uint64_t version, struct diag *d);
/* The first generation of this history, and the hash that it links to: 1 and zeros, but where state_continue() was
 * called. (continue.c) */
int store_origin(uint64_t *first, uint8_t previous[32], struct state_txn *txn, struct diag *d);

/* 0 when `generation` is open, else -1 with a message: a closed one's history may not change any more. */
int store_generation_open(struct state_txn *txn, uint64_t generation, struct diag *d);
/* The hash that `generation` (as stored) should have after `previous`. */
int store_generation_hash(uint8_t out[32], struct state_txn *txn, const uint8_t previous[32], const json_t *generation,
			  struct diag *d);

#endif
