/* Preloaded into muster by the tests of this folder: ends it at a chosen boundary. The product has no hook for that. A
 * boundary is
 *
 *   commit     a transaction that writes is about to be committed
 *   committed  ... and is durable, but nobody has acted on it yet
 *   send       a request is about to be sent; if it changes something, its intent is durable
 *   answer     its answer has come, and nobody has seen it yet
 *
 * MUSTER_KILL_AT=N     SIGKILL at the Nth boundary (from 1); none: runs to the end
 * MUSTER_FAIL_AT=N     the commit at the Nth boundary fails instead (ENOSPC), and nothing of it is kept
 * MUSTER_KILL_COUNT=F  appends the name of each boundary to this file, a line each, as it comes
 *
 * SIGKILL loses nothing that was written, synced or not, so a kill alone would not show what a power cut takes. That is
 * watched instead, and the program aborted with a message, where
 *
 *   - a request that changes something leaves while a transaction that writes is open
 *   - a commit returns with pages that were written and not synced, or writes the page that makes them count before
 * that
 *   - LMDB was told not to sync
 *
 * MUSTER_KILL_FAULT=F makes such a fault, so that self.t can see that it is noticed: `nosync` and `nometasync` have
 * LMDB open with the flag of that name, `skipsync` swallows the syncs of a commit, `plainmeta` those that a write
 * brings with it, `early` takes no commit for done. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define UNSYNCED_FLAGS (MDB_NOSYNC | MDB_NOMETASYNC | MDB_MAPASYNC)

typedef int env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode);
typedef int txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn);
typedef int txn_commit(MDB_txn *txn);
typedef void txn_abort(MDB_txn *txn);
typedef CURLMcode multi_add(CURLM *multi, CURL *easy);
typedef CURLMsg *multi_read(CURLM *multi, int *left);
typedef ssize_t socket_send(int fd, const void *data, size_t len, int flags);
typedef ssize_t page_write(int fd, const void *data, size_t len, off_t at);
typedef ssize_t pages_write(int fd, const struct iovec *parts, int count);
typedef int file_sync(int fd);
typedef int map_sync(void *at, size_t len, int flags);

static struct {
	bool ready;
	long at, fail_at, seen;
	int log;
	const char *fault;
	const MDB_txn *writer; /* LMDB has one at a time */
	env_open *open;
	txn_begin *begin;
	txn_commit *commit;
	txn_abort *abort;
	multi_add *add;
	multi_read *read;
	socket_send *send;
	page_write *pwrite;
	pages_write *writev;
	file_sync *fdatasync, *fsync;
	map_sync *msync;
} stop;

/* Of the commit that this thread is in. */
static _Thread_local struct {
	bool running, unsynced;
	size_t writes, syncs;
} now;

/* A function pointer out of a data pointer, without a cast that C forbids. */
static void real(void *out, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	memcpy(out, &found, sizeof found);
}

static void ready(void)
{
	const char *at = getenv("MUSTER_KILL_AT"), *fail = getenv("MUSTER_FAIL_AT"), *log = getenv("MUSTER_KILL_COUNT");

	if (stop.ready)
		return;
	stop.ready = true;
	stop.at = at != NULL ? strtol(at, NULL, 10) : 0;
	stop.fail_at = fail != NULL ? strtol(fail, NULL, 10) : 0;
	stop.log = log != NULL ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	stop.fault = getenv("MUSTER_KILL_FAULT");
	real(&stop.open, "mdb_env_open");
	real(&stop.begin, "mdb_txn_begin");
	real(&stop.commit, "mdb_txn_commit");
	real(&stop.abort, "mdb_txn_abort");
	real(&stop.add, "curl_multi_add_handle");
	real(&stop.read, "curl_multi_info_read");
	real(&stop.send, "send");
	real(&stop.pwrite, "pwrite");
	real(&stop.writev, "writev");
	real(&stop.fdatasync, "fdatasync");
	real(&stop.fsync, "fsync");
	real(&stop.msync, "msync");
}

static bool fault(const char *name)
{
	return stop.fault != NULL && strcmp(stop.fault, name) == 0;
}

static void broken(const char *what)
{
	fprintf(stderr, "stop.so: %s\n", what);
	abort();
}

static void boundary(const char *name)
{
	if (stop.log >= 0 && write(stop.log, name, strlen(name)) < 0)
		abort();
	if (++stop.seen == stop.at)
		raise(SIGKILL);
}

/* -- What is durable ----------------------------------------------------------------------------------------------- */

static void wrote(int fd)
{
	bool itself = (fcntl(fd, F_GETFL) & O_DSYNC) != 0 && !fault("plainmeta");

	if (!now.running)
		return;
	now.writes++;
	if (itself && now.unsynced)
		broken("the page that makes a commit count is written before its pages are synced");
	if (itself)
		now.syncs++;
	else
		now.unsynced = true;
}

/* Whether it is to be done. */
static bool synced(void)
{
	if (!now.running)
		return true;
	if (fault("skipsync"))
		return false;
	now.syncs++;
	now.unsynced = false;
	return true;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	ready();
	wrote(fd);
	return stop.pwrite(fd, data, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	ready();
	wrote(fd);
	return stop.writev(fd, parts, count);
}

int fdatasync(int fd)
{
	ready();
	return synced() ? stop.fdatasync(fd) : 0;
}

int fsync(int fd)
{
	ready();
	return synced() ? stop.fsync(fd) : 0;
}

int msync(void *at, size_t len, int flags)
{
	ready();
	return (flags & MS_SYNC) == 0 || synced() ? stop.msync(at, len, flags) : 0;
}

int mdb_env_open(MDB_env *env, const char *path, unsigned int flags, mdb_mode_t mode)
{
	ready();
	if (fault("nosync"))
		flags |= MDB_NOSYNC;
	if (fault("nometasync"))
		flags |= MDB_NOMETASYNC;
	return stop.open(env, path, flags, mode);
}

int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn)
{
	unsigned int all = 0;
	int rc;

	ready();
	rc = stop.begin(env, parent, flags, txn);
	if (rc != 0 || (flags & MDB_RDONLY) != 0)
		return rc;
	mdb_env_get_flags(env, &all);
	if (((all | flags) & UNSYNCED_FLAGS) != 0)
		broken("a transaction that writes, and LMDB was told not to sync");
	stop.writer = *txn;
	return rc;
}

static int commit_watched(MDB_txn *txn)
{
	int rc;

	memset(&now, 0, sizeof now);
	now.running = true;
	rc = stop.commit(txn);
	now.running = false;
	if (rc == 0 && now.writes > 0 && (now.unsynced || now.syncs == 0))
		broken("a commit returns, and what it wrote is not synced");
	return rc;
}

int mdb_txn_commit(MDB_txn *txn)
{
	int rc;

	ready();
	if (txn != stop.writer)
		return stop.commit(txn);
	boundary("commit\n");
	if (stop.seen == stop.fail_at) {
		stop.writer = NULL;
		stop.abort(txn);
		return ENOSPC;
	}
	rc = commit_watched(txn);
	if (!fault("early"))
		stop.writer = NULL;
	boundary("committed\n");
	return rc;
}

void mdb_txn_abort(MDB_txn *txn)
{
	ready();
	if (txn == stop.writer)
		stop.writer = NULL;
	stop.abort(txn);
}

/* -- What is sent -------------------------------------------------------------------------------------------------- */

static bool starts(const char *text, const char *end, const char *with)
{
	return (size_t)(end - text) >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* Whether the operation whose name stands after `mark` only reads. */
static bool reads_after(const char *data, size_t len, const char *mark, char before_name)
{
	static const char *const reading[] = {"Describe", "Get", "List", "BatchGet", "Head", "AssumeRole"};
	const char *end = data + len, *name = memmem(data, len, mark, strlen(mark));

	if (name == NULL)
		return false;
	name += strlen(mark);
	if (before_name != 0 && (name = memchr(name, before_name, (size_t)(end - name))) != NULL)
		name++;
	for (size_t i = 0; name != NULL && i < sizeof reading / sizeof *reading; i++)
		if (starts(name, end, reading[i]))
			return true;
	return false;
}

/* Of a request's first bytes: its head, and its body where that fits. What cannot be told is taken for a change. */
static bool changes(const char *data, size_t len)
{
	const char *end = data + len;

	if (starts(data, end, "PUT ") || starts(data, end, "DELETE ") || starts(data, end, "PATCH "))
		return true;
	return starts(data, end, "POST ") && !reads_after(data, len, "X-Amz-Target: ", '.') &&
	       !reads_after(data, len, "Action=", 0);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	ready();
	if (stop.writer != NULL && changes(data, len))
		broken("a request that changes something leaves while a transaction that writes is open");
	return stop.send(fd, data, len, flags);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	ready();
	boundary("send\n");
	return stop.add(multi, easy);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
	CURLMsg *message;

	ready();
	message = stop.read(multi, left);
	if (message != NULL && message->msg == CURLMSG_DONE)
		boundary("answer\n");
	return message;
}
