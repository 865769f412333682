/* Transactions: all or nothing, whatever happens: a map that is full, a disk that is full, a process that is killed,
 * readers beside the writer. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "test_state_common.h"

#define SMALL_MAP (256u << 10)

static void address_of(char out[40], int i)
{
	snprintf(out, 40, "app/eu-west-1/s/R%06d", i);
}

/* Records 0 to count - 1, each with N = n. */
static void put_many(struct fixture *f, uint64_t g, int count, int n)
{
	char address[40];

	for (int i = 0; i < count; i++) {
		address_of(address, i);
		put(f, g, address, n);
	}
}

struct tally {
	int count, least, most;
};

static int tally_record(void *payload, const struct state_record *record)
{
	struct tally *t = payload;
	int n = body_n(record);

	t->least = t->count == 0 || n < t->least ? n : t->least;
	t->most = t->count == 0 || n > t->most ? n : t->most;
	t->count++;
	return 0;
}

static struct tally tally(struct fixture *f)
{
	struct tally t = {0, -1, -1};

	begin(f, false);
	ok(f, state_record_each(f->txn, "", tally_record, &t, &f->d));
	drop(f);
	return t;
}

/* -- All or nothing --------------------------------------------------------------------------------------------------
 */

static void an_aborted_transaction_leaves_nothing(void **in)
{
	struct fixture *f = *in;

	open_state(f, STATE_WRITE);
	begin(f, true);
	put_many(f, start(f), 10, 1);
	drop(f);
	assert_int_equal(tally(f).count, 0);
	begin(f, true);
	assert_int_equal(start(f), 1);
}

static void a_transaction_sees_its_own_writes_and_others_do_not(void **in)
{
	struct fixture *f = *in;
	struct state_txn *reader;
	size_t count;

	open_state(f, STATE_WRITE);
	begin(f, true);
	put_many(f, start(f), 10, 1);
	ok(f, state_record_count(f->txn, &count, &f->d));
	assert_int_equal(count, 10);
	ok(f, state_begin(&reader, f->state, false, &f->d));
	ok(f, state_record_count(reader, &count, &f->d));
	assert_int_equal(count, 0);
	commit(f);
	ok(f, state_record_count(reader, &count, &f->d));
	assert_int_equal(count, 0);
	state_abort(reader);
	assert_int_equal(tally(f).count, 10);
}

/* -- The map ---------------------------------------------------------------------------------------------------------
 */

static void a_transaction_larger_than_the_map_is_redone(void **in)
{
	struct fixture *f = *in;
	uint64_t g, restarts;
	struct tally t;

	ok(f, store_open(&f->state, f->directory, STATE_WRITE, 0, SMALL_MAP, &f->d));
	begin(f, true);
	g = start(f);
	put_many(f, g, 5000, 1);
	put_many(f, g, 5000, 2);
	restarts = f->txn->restarts;
	assert_true(restarts >= 3);
	finish(f, g);
	commit(f);
	t = tally(f);
	assert_int_equal(t.count, 5000);
	assert_int_equal(t.least, 2);
	close_state(f);
	open_state(f, STATE_READ);
	assert_int_equal(tally(f).count, 5000);
}

static void many_small_transactions_grow_the_map_too(void **in)
{
	struct fixture *f = *in;
	uint64_t g, restarts = 0;
	struct state_verify_result result;
	char address[40];

	ok(f, store_open(&f->state, f->directory, STATE_WRITE, 0, SMALL_MAP, &f->d));
	begin(f, true);
	g = start(f);
	for (int i = 0; i < 6000; i++) {
		address_of(address, i);
		put(f, g, address, i);
		if (i % 100 != 99)
			continue;
		restarts += f->txn->restarts;
		commit(f);
		begin(f, true);
	}
	/* Made larger ahead of need, mostly. */
	assert_true(restarts <= 1);
	finish(f, g);
	commit(f);
	begin(f, false);
	ok(f, state_verify(f->txn, &result, &f->d));
	assert_int_equal(result.records, 6000);
}

static void a_value_larger_than_the_map_fits_as_well(void **in)
{
	struct fixture *f = *in;
	uint8_t name[32];
	const void *bytes;
	size_t len;
	char *big = mem_alloc(10u << 20);

	ok(f, store_open(&f->state, f->directory, STATE_WRITE, 0, SMALL_MAP, &f->d));
	begin(f, true);
	put_many(f, start(f), 10, 1);
	ok(f, state_blob_put(f->txn, name, big, 10u << 20, &f->d));
	commit(f);
	begin(f, false);
	expect(f, state_blob_get(f->txn, name, &bytes, &len, &f->d), 1);
	assert_int_equal(len, 10u << 20);
	free(big);
}

static void a_map_that_is_being_read_does_not_move(void **in)
{
	struct fixture *f = *in;
	struct state_txn *reader;
	char *big = mem_alloc(1u << 20);
	uint8_t name[32];
	struct tally t;

	ok(f, store_open(&f->state, f->directory, STATE_WRITE, 0, SMALL_MAP, &f->d));
	begin(f, true);
	put_many(f, start(f), 10, 1);
	commit(f);
	ok(f, state_begin(&reader, f->state, false, &f->d));
	begin(f, true);
	fails(f, state_blob_put(f->txn, name, big, 1u << 20, &f->d), "cannot while this process is reading it");
	fails(f, state_lineage_set(f->txn, "x", &f->d), "an earlier write of this transaction failed");
	struct state_txn *txn = f->txn;
	f->txn = NULL;
	fails(f, state_commit(txn, &f->d), "not saved");
	state_abort(reader);
	begin(f, true);
	ok(f, state_blob_put(f->txn, name, big, 1u << 20, &f->d));
	commit(f);
	t = tally(f);
	assert_int_equal(t.count, 10);
	free(big);
}

/* The reader's process knows the small map only, until it begins its next transaction. */
static void a_reader_follows_a_map_that_another_process_enlarged(void **in)
{
	struct fixture *f = *in;
	int go[2], done[2], status;
	char byte;
	pid_t pid;

	ok(f, store_open(&f->state, f->directory, STATE_WRITE, 0, SMALL_MAP, &f->d));
	close_state(f);
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		struct fixture child = {.directory = f->directory};

		open_state(&child, STATE_READ);
		if (tally(&child).count != 0 || write(done[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		_exit(tally(&child).count == 5000 ? 0 : 2);
	}
	assert_int_equal(read(done[0], &byte, 1), 1);
	ok(f, store_open(&f->state, f->directory, STATE_WRITE, 0, SMALL_MAP, &f->d));
	begin(f, true);
	put_many(f, start(f), 5000, 1);
	commit(f);
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* -- A full disk -----------------------------------------------------------------------------------------------------
 */

/* Writes 5000 records in one transaction, which must fail and leave the 100 of before; then, with room again, works. */
static void fail_and_recover(struct fixture *f, void (*make_room)(struct fixture *f), const char *text)
{
	struct state_txn *txn;
	struct tally t;

	begin(f, true);
	put_many(f, 1, 5000, 2);
	txn = f->txn;
	f->txn = NULL;
	fails(f, state_commit(txn, &f->d), text);
	t = tally(f);
	assert_int_equal(t.count, 100);
	assert_int_equal(t.most, 1);
	close_state(f);
	open_state(f, STATE_WRITE);
	assert_int_equal(tally(f).count, 100);
	make_room(f);
	begin(f, true);
	put_many(f, 1, 5000, 2);
	commit(f);
	assert_int_equal(tally(f).count, 5000);
}

static void first_hundred(struct fixture *f)
{
	open_state(f, STATE_WRITE);
	begin(f, true);
	put_many(f, start(f), 100, 1);
	commit(f);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lift_limit(struct fixture *f)
{
	(void)f;
	limit_files(RLIM_INFINITY);
}

static void a_file_that_may_not_grow_loses_nothing(void **in)
{
	struct fixture *f = *in;
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);

	first_hundred(f);
	limit_files(300 << 10);
	fail_and_recover(f, lift_limit, "nothing was changed");
	signal(SIGXFSZ, before);
}

static void remount(struct fixture *f)
{
	assert_int_equal(mount("none", f->root, "tmpfs", MS_REMOUNT, "size=64m"), 0);
}

static void a_full_disk_loses_nothing(void **in)
{
	struct fixture *f = *in;

	if (mount("none", f->root, "tmpfs", 0, "size=400k") != 0)
		skip();
	first_hundred(f);
	fail_and_recover(f, remount, "No space left on device");
}

static void a_disk_without_room_for_a_state_says_so(void **in)
{
	struct fixture *f = *in;
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);

	limit_files(4096);
	fails(f, state_open(&f->state, f->directory, STATE_WRITE, &f->d), "cannot create it");
	limit_files(RLIM_INFINITY);
	assert_int_equal(access(f->data, F_OK), -1);
	open_state(f, STATE_WRITE);
	signal(SIGXFSZ, before);
}

/* -- Sudden death ----------------------------------------------------------------------------------------------------
 */

/* Commits round after round: each sets every record and an intent to its number, and says
 * so on `report` once it is saved. */
static void write_for_ever(struct fixture *f, int report)
{
	int n = 0;

	open_state(f, STATE_WRITE);
	begin(f, true);
	n = get_n(f, "app/eu-west-1/s/R000000");
	for (;;) {
		json_auto_t *intent = json_pack("{s:i}", "N", ++n);
		uint64_t g = start(f);

		put_many(f, g, 50, n);
		ok(f, state_intent_put(f->txn, "a", intent, &f->d));
		finish(f, g);
		commit(f);
		if (write(report, &n, sizeof n) != sizeof n)
			_exit(1);
		begin(f, true);
	}
}

/* What the file holds after the death of a writer that reported `last`, which is returned: that or, unreported, the
 * next. */
static int expect_whole(struct fixture *f, int last)
{
	struct state_verify_result result;
	struct tally t;
	json_auto_t *intent = NULL;

	open_state(f, STATE_WRITE);
	t = tally(f);
	begin(f, false);
	ok(f, state_verify(f->txn, &result, &f->d));
	expect(f, state_intent_get(f->txn, "a", &intent, &f->d), t.count == 0 ? 0 : 1);
	drop(f);
	close_state(f);
	assert_int_equal(t.count, last < 0 && t.count == 0 ? 0 : 50);
	assert_int_equal(t.least, t.most);
	assert_true(t.most >= last && t.most <= last + 1 + (last < 0));
	assert_int_equal(json_get_int(intent, "N", -1), t.most);
	return t.most;
}

static void a_writer_killed_at_any_moment_leaves_its_last_commit(void **in)
{
	struct fixture *f = *in;
	int last = -1, n, report[2], status;
	pid_t pid;

	srandom(1);
	for (int round = 0; round < 30; round++) {
		assert_int_equal(pipe(report), 0);
		pid = fork();
		if (pid == 0) {
			struct fixture child = {.directory = f->directory};

			close(report[0]);
			write_for_ever(&child, report[1]);
		}
		close(report[1]);
		usleep((useconds_t)(random() % 40000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(report[0], &n, sizeof n) == sizeof n)
			last = n;
		close(report[0]);
		/* One that was not reported counts too: the next round goes on from it. */
		last = expect_whole(f, last);
	}
	assert_true(last > 0);
}

/* -- Readers beside the writer ----------------------------------------------------------------------------------------
 */

/* Reads until told to stop; every snapshot must be of one commit, and none may be older than the one before. */
static int read_for_ever(struct fixture *f, int stop)
{
	int latest = -1, snapshots = 0;
	char byte;

	fcntl(stop, F_SETFL, O_NONBLOCK);
	while (read(stop, &byte, 1) < 0) {
		struct tally t;

		/* Opening in the middle of a commit must find the file whole, too. */
		open_state(f, STATE_READ);
		t = tally(f);
		if (t.least != t.most || t.most < latest || (t.count != 0 && t.count != 50))
			return 1;
		t = tally(f);
		if (t.least != t.most || t.most < latest)
			return 2;
		close_state(f);
		latest = t.most;
		snapshots++;
	}
	return snapshots > 5 && latest > 0 ? 0 : 3;
}

static void readers_always_see_one_whole_commit(void **in)
{
	struct fixture *f = *in;
	int stop[2], status;
	pid_t pids[3];
	uint64_t g;

	open_state(f, STATE_WRITE);
	close_state(f);
	assert_int_equal(pipe(stop), 0);
	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct fixture child = {.directory = f->directory};

			close(stop[1]);
			_exit(read_for_ever(&child, stop[0]));
		}
	}
	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	for (int n = 1; n < 300; n++) {
		put_many(f, g, 50, n);
		commit(f);
		begin(f, true);
	}
	close(stop[1]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(an_aborted_transaction_leaves_nothing),
	    TEST(a_transaction_sees_its_own_writes_and_others_do_not),
	    TEST(a_transaction_larger_than_the_map_is_redone),
	    TEST(many_small_transactions_grow_the_map_too),
	    TEST(a_value_larger_than_the_map_fits_as_well),
	    TEST(a_map_that_is_being_read_does_not_move),
	    TEST(a_reader_follows_a_map_that_another_process_enlarged),
	    TEST(a_file_that_may_not_grow_loses_nothing),
	    TEST(a_full_disk_loses_nothing),
	    TEST(a_disk_without_room_for_a_state_says_so),
	    TEST(a_writer_killed_at_any_moment_leaves_its_last_commit),
	    TEST(readers_always_see_one_whole_commit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
