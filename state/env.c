/* The LMDB environment: opening it after a look at the file, making a new one in one step, growing its map.
 * Transactions are in txn.c, format versions in format.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "state/store.h"

/* Address space only: nothing is read or written because of it. Large, since moving a map costs redoing what is open;
 * halved where so much is not to be had (ulimit -v, 32 bits). */
#if SIZE_MAX > UINT32_MAX
#define MAP_BYTES ((size_t)16 << 30)
#else
#define MAP_BYTES ((size_t)256 << 20)
#endif
#define MAX_READERS 1000

static const char *const store_db_names[STORE_DB_COUNT] = {"meta",    "resources", "history", "generations", "intents",
							   "regions", "blobs",     "plans",   "outputs"};

/* -- Messages ------------------------------------------------------------------------------------------------------ */

int store_error(const struct state *state, struct diag *d, int rc, const char *what)
{
	switch (rc) {
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_BAD_TXN:
	case MDB_PANIC:
		return diag_error(d, "state %s: cannot %s: %s (%s may be damaged)", state->directory, what,
				  mdb_strerror(rc), STORE_DATA);
	default:
		return diag_error(d, "state %s: cannot %s: %s", state->directory, what, mdb_strerror(rc));
	}
}

int store_corrupt(const struct state *state, struct diag *d, const char *format, ...)
{
	mem_auto_str char *what = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&what, format, args);
	va_end(args);
	if (len < 0)
		what = NULL;
	return diag_error(d,
			  "state %s: %s is damaged: %s; it was left as it is: put a backup of that file in its place",
			  state->directory, STORE_DATA, what == NULL ? "unreadable" : what);
}

/* -- Opening ------------------------------------------------------------------------------------------------------- */

/* mdb_env_create() and its settings. */
static int env_new(MDB_env **out, size_t map_bytes)
{
	int rc = mdb_env_create(out);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_maxdbs(*out, STORE_DB_COUNT + 8)) != 0 ||
	    (rc = mdb_env_set_maxreaders(*out, MAX_READERS)) != 0 ||
	    (rc = map_bytes == 0 ? 0 : mdb_env_set_mapsize(*out, map_bytes)) != 0) {
		mdb_env_close(*out);
		*out = NULL;
	}
	return rc;
}

static int env_try(MDB_env **out, const char *path, unsigned flags, size_t map_bytes)
{
	int rc = env_new(out, map_bytes);

	if (rc != 0)
		return rc;
	rc = mdb_env_open(*out, path, flags, 0600);
	if (rc != 0) {
		mdb_env_close(*out);
		*out = NULL;
	}
	return rc;
}

/* Asks for less address space where there is not enough, down to `least`. */
static int env_try_sizes(MDB_env **out, const char *path, unsigned flags, size_t map_bytes, size_t least)
{
	int rc = env_try(out, path, flags, map_bytes);

	while (rc == ENOMEM && map_bytes / 2 >= least && map_bytes / 2 > 0) {
		map_bytes /= 2;
		rc = env_try(out, path, flags, map_bytes);
	}
	return rc;
}

static size_t map_bytes_wanted(const struct state *state, const struct store_header *header)
{
	size_t wanted = state->map_bytes == 0 ? MAP_BYTES : state->map_bytes;

	return header->map_bytes > wanted ? header->map_bytes : wanted;
}

static int env_map(struct state *state, const struct store_header *header, struct diag *d)
{
	unsigned flags = MDB_NOTLS | (state->mode == STATE_READ ? MDB_RDONLY : 0);
	size_t wanted = state->mode == STATE_READ ? header->map_bytes : map_bytes_wanted(state, header);
	size_t least = header->data_bytes + header->data_bytes / 4;
	int rc = env_try_sizes(&state->env, state->directory, flags, wanted, least);

	/* Where the readers' table cannot be written, read without it. A writer (who can only be another user) then
	 * does not know of this reader and may reuse what it reads: the risk is documented in docs/state-format.md. */
	if (state->mode == STATE_READ && (rc == EACCES || rc == EPERM || rc == EROFS))
		rc = env_try_sizes(&state->env, state->directory, flags | MDB_NOLOCK, wanted, least);
	if (rc != 0)
		return store_error(state, d, rc, "open it");
	mdb_reader_check(state->env, NULL);
	return 0;
}

static int open_dbs(struct state *state, MDB_txn *mdb, unsigned flags, struct diag *d)
{
	int rc = 0;

	state->no_outputs = false;
	for (size_t i = 0; rc == 0 && i < STORE_DB_COUNT; i++) {
		rc = mdb_dbi_open(mdb, store_db_names[i], flags, &state->dbi[i]);
		/* Older programs of the same format kept none. */
		if (rc == MDB_NOTFOUND && i == STORE_OUTPUTS) {
			state->no_outputs = true;
			rc = 0;
		}
	}
	if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
		return store_corrupt(state, d, "a part of it is missing");
	return rc == 0 ? 0 : store_error(state, d, rc, "open it");
}

/* The format that the file says it has; 0 when it is not ours at all. */
static int read_format(struct state *state, MDB_txn *mdb, uint64_t *format, struct diag *d)
{
	MDB_val value, key = {strlen("format"), (void *)"format"};
	int rc = mdb_dbi_open(mdb, store_db_names[STORE_META], 0, &state->dbi[STORE_META]);

	*format = 0;
	if (rc == 0)
		rc = mdb_get(mdb, state->dbi[STORE_META], &key, &value);
	if (rc == 0 && value.mv_size == 8)
		*format = store_u64(value.mv_data);
	if (*format == 0 && (rc == 0 || rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE))
		return diag_error(d, "state %s: %s is an LMDB file, but no state of muster", state->directory,
				  STORE_DATA);
	if (rc != 0)
		return store_error(state, d, rc, "read its format");
	if (*format > STATE_FORMAT)
		return diag_error(
		    d, "state %s: made by a newer muster (format %ju; this one knows up to %d): use that one",
		    state->directory, (uintmax_t)*format, STATE_FORMAT);
	if (*format < STATE_FORMAT && state->mode == STATE_READ)
		return diag_error(d, "state %s: made by an older muster (format %ju): the next apply brings it to %d",
				  state->directory, (uintmax_t)*format, STATE_FORMAT);
	return 0;
}

/* Looks at pages and format in one read snapshot, before anything else does. */
static int env_examine(struct state *state, uint64_t *format, struct diag *d)
{
	MDB_txn *mdb;
	int rc = mdb_txn_begin(state->env, NULL, MDB_RDONLY, &mdb);

	if (rc != 0)
		return store_error(state, d, rc, "read it");
	if (store_check_pages(state, mdb, d) < 0 || read_format(state, mdb, format, d) < 0 ||
	    (*format == STATE_FORMAT && open_dbs(state, mdb, 0, d) < 0)) {
		mdb_txn_abort(mdb);
		return -1;
	}
	/* Committed, not aborted: that keeps the handles of the sub-databases. */
	rc = mdb_txn_commit(mdb);
	return rc == 0 ? 0 : store_error(state, d, rc, "read it");
}

/* Sub-databases that a state of before lacks. */
static int env_complete(struct state *state, struct diag *d)
{
	MDB_txn *mdb;
	int rc = mdb_txn_begin(state->env, NULL, 0, &mdb);

	if (rc != 0)
		return store_error(state, d, rc, "migrate it");
	if (open_dbs(state, mdb, MDB_CREATE, d) < 0) {
		mdb_txn_abort(mdb);
		return -1;
	}
	rc = mdb_txn_commit(mdb);
	return rc == 0 ? 0 : store_error(state, d, rc, "migrate it");
}

static int env_migrate(struct state *state, uint64_t format, struct diag *d)
{
	const struct store_migration *list;
	size_t count;

	if (env_complete(state, d) < 0)
		return -1;
	list = store_migrations(&count);
	return store_migrate(state, format, STATE_FORMAT, list, count, d);
}

int store_env_open(struct state *state, struct diag *d)
{
	mem_auto_str char *path = mem_printf("%s/%s", state->directory, STORE_DATA);
	struct store_header header;
	uint64_t format = 0;
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : store_error(state, d, errno, "open it");
	rc = store_check_header(&header, state, fd, d);
	close(fd);
	if (rc < 0 || env_map(state, &header, d) < 0)
		return -1;
	if (env_examine(state, &format, d) < 0 || (format < STATE_FORMAT && env_migrate(state, format, d) < 0) ||
	    (state->mode == STATE_WRITE && state->no_outputs && env_complete(state, d) < 0)) {
		store_env_close(state);
		return -1;
	}
	return 0;
}

void store_env_close(struct state *state)
{
	if (state->env != NULL)
		mdb_env_close(state->env);
	state->env = NULL;
}

int store_env_reopen(struct state *state, struct diag *d)
{
	int rc;

	store_env_close(state);
	rc = store_env_open(state, d);
	if (rc == 0 && state->env == NULL)
		rc = diag_error(d, "state %s: %s has vanished", state->directory, STORE_DATA);
	state->lost = rc < 0;
	return rc;
}

/* -- Making one ---------------------------------------------------------------------------------------------------- */

static int put_first(MDB_txn *mdb, MDB_dbi meta)
{
	MDB_val format_key = {strlen("format"), (void *)"format"}, secret_key = {strlen("secret"), (void *)"secret"};
	buf_auto struct buf format = BUF_INIT;
	unsigned char secret[32];
	MDB_val value;
	int rc;

	if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
		return errno;
	store_add_u64(&format, STATE_FORMAT);
	value = (MDB_val){format.len, format.data};
	rc = mdb_put(mdb, meta, &format_key, &value, 0);
	value = (MDB_val){sizeof secret, secret};
	if (rc == 0)
		rc = mdb_put(mdb, meta, &secret_key, &value, 0);
	mem_wipe(secret, sizeof secret);
	return rc;
}

static int fill_new(struct state *state, MDB_env *env, struct diag *d)
{
	MDB_txn *mdb;
	int rc = mdb_txn_begin(env, NULL, 0, &mdb);

	if (rc != 0)
		return store_error(state, d, rc, "create it");
	if (open_dbs(state, mdb, MDB_CREATE, d) < 0) {
		mdb_txn_abort(mdb);
		return -1;
	}
	rc = put_first(mdb, state->dbi[STORE_META]);
	if (rc != 0)
		mdb_txn_abort(mdb);
	else
		rc = mdb_txn_commit(mdb);
	return rc == 0 ? 0 : store_error(state, d, rc, "create it");
}

static int sync_directory(const char *path)
{
	int rc, fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	rc = fsync(fd) == 0 ? 0 : errno;
	close(fd);
	return rc;
}

/* Made beside its place and renamed, so that a file that is too short can only mean damage, never a cut-off start. */
int store_env_create(struct state *state, struct diag *d)
{
	mem_auto_str char *path = mem_printf("%s/%s", state->directory, STORE_DATA);
	mem_auto_str char *made = mem_printf("%s/%s", state->directory, STORE_DATA_NEW);
	mem_auto_str char *made_lock = mem_printf("%s-lock", made);
	MDB_env *env;
	int rc;

	unlink(made);
	unlink(made_lock);
	rc = env_try(&env, made, MDB_NOSUBDIR, state->map_bytes == 0 ? (size_t)1 << 20 : state->map_bytes);
	if (rc != 0) {
		store_error(state, d, rc, "create it");
	} else {
		rc = fill_new(state, env, d);
		mdb_env_close(env);
	}
	unlink(made_lock);
	if (rc == 0 && (rename(made, path) != 0 || (rc = sync_directory(state->directory)) != 0))
		rc = store_error(state, d, rc != 0 ? rc : errno, "create it");
	if (rc != 0)
		unlink(made);
	return rc == 0 ? 0 : -1;
}

/* -- The map ------------------------------------------------------------------------------------------------------- */

/* LMDB unmaps before it maps, so that a failure leaves no map at all: begin anew with the old size then. */
static int set_map(struct state *state, size_t bytes, struct diag *d)
{
	int rc;

	if (state->readers > 0)
		return diag_error(d, "state %s: its map must grow, and cannot while this process is reading it",
				  state->directory);
	rc = mdb_env_set_mapsize(state->env, bytes);
	if (rc == 0)
		return 0;
	store_error(state, d, rc, "enlarge its map");
	store_env_reopen(state, d);
	return -1;
}

int store_env_grow(struct state *state, struct diag *d)
{
	MDB_envinfo info;

	mdb_env_info(state->env, &info);
	return set_map(state, info.me_mapsize * 2, d);
}

int store_env_follow(struct state *state, struct diag *d)
{
	return set_map(state, 0, d);
}
