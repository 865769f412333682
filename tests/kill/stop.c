/* Preloaded into muster by the tests of this folder: kills it at a chosen boundary, as a power cut would. The product
 * has no hook for that. A boundary is
 *
 *   commit     a transaction that writes is about to be committed
 *   committed  ... and is durable, but nobody has acted on it yet
 *   send       a request is about to be sent; if it changes something, its intent is durable
 *   answer     its answer has come, and nobody has seen it yet
 *
 * MUSTER_KILL_AT=N     SIGKILL at the Nth boundary (from 1); none: runs to the end
 * MUSTER_KILL_COUNT=F  appends the name of each boundary to this file, a line each, as it comes */
#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn);
typedef int txn_commit(MDB_txn *txn);
typedef CURLMcode multi_add(CURLM *multi, CURL *easy);
typedef CURLMsg *multi_read(CURLM *multi, int *left);

static struct {
	bool ready;
	long at, seen;
	int log;
	const MDB_txn *writer; /* LMDB has one at a time */
	txn_begin *begin;
	txn_commit *commit;
	multi_add *add;
	multi_read *read;
} stop;

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
	const char *at = getenv("MUSTER_KILL_AT"), *log = getenv("MUSTER_KILL_COUNT");

	if (stop.ready)
		return;
	stop.ready = true;
	stop.at = at != NULL ? strtol(at, NULL, 10) : 0;
	stop.log = log != NULL ? open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	real(&stop.begin, "mdb_txn_begin");
	real(&stop.commit, "mdb_txn_commit");
	real(&stop.add, "curl_multi_add_handle");
	real(&stop.read, "curl_multi_info_read");
}

static void boundary(const char *name)
{
	if (stop.log >= 0 && write(stop.log, name, strlen(name)) < 0)
		abort();
	if (++stop.seen == stop.at)
		raise(SIGKILL);
}

int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, MDB_txn **txn)
{
	int rc;

	ready();
	rc = stop.begin(env, parent, flags, txn);
	if (rc == 0 && (flags & MDB_RDONLY) == 0)
		stop.writer = *txn;
	return rc;
}

int mdb_txn_commit(MDB_txn *txn)
{
	bool writes = txn == stop.writer;
	int rc;

	ready();
	if (writes)
		boundary("commit\n");
	rc = stop.commit(txn);
	if (writes)
		boundary("committed\n");
	return rc;
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
