/* Opening: what is created, what is refused, who holds the lock, and files that are damaged. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "test_state_common.h"

static bool exists(const char *directory, const char *name)
{
	mem_auto_str char *path = mem_printf("%s/%s", directory, name);

	return access(path, F_OK) == 0;
}

/* A state with a generation, records enough for branch pages, a large value, and a list of free pages. */
static void fill(struct fixture *f)
{
	char address[64];
	uint8_t name[32];
	uint64_t g;
	char *big = mem_alloc(50000);

	memset(big, 'b', 50000);
	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	for (int i = 0; i < 300; i++) {
		snprintf(address, sizeof address, "app/eu-west-1/s/R%d", i);
		put(f, g, address, i);
		if (i % 50 == 0) {
			commit(f);
			begin(f, true);
		}
	}
	ok(f, state_blob_put(f->txn, name, big, 50000, &f->d));
	finish(f, g);
	commit(f);
	close_state(f);
	free(big);
}

/* -- Creating -------------------------------------------------------------------------------------------------------
 */

static void a_writer_creates_a_private_directory_that_git_ignores(void **in)
{
	struct fixture *f = *in;
	buf_auto struct buf ignore = BUF_INIT;
	mem_auto_str char *path = mem_printf("%s/.gitignore", f->directory);
	struct stat st;

	open_state(f, STATE_WRITE);
	assert_int_equal(stat(f->directory, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(f->data, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(text_file_read(&ignore, path, 100), 0);
	assert_string_equal(buf_str(&ignore), "*\n");
	assert_false(exists(f->directory, "data.new"));
	assert_false(exists(f->directory, "data.new-lock"));
}

static void parents_are_created_and_foreign_files_stay_visible_to_git(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *deep = mem_printf("%s/var/lib/state", f->root);
	buf_auto struct buf ignore = BUF_INIT;
	mem_auto_str char *path = mem_printf("%s/.gitignore", deep);

	run("mkdir -p '%s' && touch '%s/muster.json'", deep, deep);
	ok(f, state_open(&f->state, deep, STATE_WRITE, &f->d));
	assert_int_equal(text_file_read(&ignore, path, 100), 0);
	assert_int_equal(buf_str(&ignore)[0], '/');
	assert_non_null(strstr(buf_str(&ignore), "/data.mdb\n"));
	close_state(f);
	ok(f, state_open(&f->state, f->directory, STATE_WRITE, &f->d));
	close_state(f);
	free(f->directory);
	f->directory = mem_printf("%s/x/y/z", f->root);
	open_state(f, STATE_WRITE);
}

static void a_reader_of_nothing_sees_nothing_and_creates_nothing(void **in)
{
	struct fixture *f = *in;
	struct state_verify_result result;
	struct state_record r;
	uint8_t key[32], zero[32] = {0};
	uint64_t n = 5;
	size_t count = 5;
	json_t *none;
	char *lineage;

	open_state(f, STATE_READ);
	fails(f, state_begin(&f->txn, f->state, true, &f->d), "for reading only");
	begin(f, false);
	expect(f, state_record_get(f->txn, "a", &r, &f->d), 0);
	expect(f, state_record_at(f->txn, 1, "a", &r, &f->d), 0);
	ok(f, state_record_each(f->txn, "", list_record, NULL, &f->d));
	ok(f, state_record_each_at(f->txn, 3, "", list_record, NULL, &f->d));
	ok(f, state_record_count(f->txn, &count, &f->d));
	ok(f, state_generation(f->txn, &n, &f->d));
	ok(f, state_lineage(f->txn, &lineage, &f->d));
	ok(f, state_verify(f->txn, &result, &f->d));
	expect(f, state_secret_key(f->txn, key, &f->d), 1);
	expect(f, state_generation_get(f->txn, 1, &none, &f->d), 0);
	expect(f, state_intent_get(f->txn, "a", &none, &f->d), 0);
	assert_null(lineage);
	assert_memory_equal(key, zero, 32);
	assert_int_equal(count + n, 0);
	fails(f, state_lineage_set(f->txn, "x", &f->d), "read transaction");
	commit(f);
	assert_int_equal(access(f->directory, F_OK), -1);
}

static void a_creation_that_was_cut_off_is_done_again(void **in)
{
	struct fixture *f = *in;

	run("mkdir '%s' && echo half > '%s/data.new' && echo half > '%s/data.new-lock'", f->directory, f->directory,
	    f->directory);
	open_state(f, STATE_READ);
	close_state(f);
	open_state(f, STATE_WRITE);
	assert_false(exists(f->directory, "data.new"));
}

static void a_process_opens_a_state_once(void **in)
{
	struct fixture *f = *in;
	struct state *second;

	open_state(f, STATE_WRITE);
	fails(f, state_open(&second, f->directory, STATE_READ, &f->d), "has it open already");
	fails(f, state_open(&second, f->directory, STATE_WRITE, &f->d), "has it open already");
	close_state(f);
	open_state(f, STATE_READ);
	fails(f, state_open(&second, f->directory, STATE_WRITE, &f->d), "has it open already");
}

static void one_write_transaction_at_a_time(void **in)
{
	struct fixture *f = *in;
	struct state_txn *second;

	open_state(f, STATE_WRITE);
	begin(f, true);
	fails(f, state_begin(&second, f->state, true, &f->d), "open already");
	drop(f);
	begin(f, true);
}

/* -- The lock -------------------------------------------------------------------------------------------------------
 */

/* A child that holds the state until told to go on (a byte into *tell), or is killed. */
static pid_t hold(struct fixture *f, int *tell)
{
	int to[2], from[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	pid = fork();
	if (pid == 0) {
		struct diag d = DIAG_INIT;
		struct state *state;
		bool opened;

		/* Its own copy of the pipe's other end would keep it waiting if the test failed. */
		close(to[1]);
		opened = state_open(&state, f->directory, STATE_WRITE, &d) == 0;

		if (!opened || write(from[1], "r", 1) != 1 || read(to[0], &byte, 1) < 0)
			_exit(1);
		/* As if still at work for a while. */
		usleep(100000);
		state_close(state);
		_exit(0);
	}
	assert_int_equal(read(from[0], &byte, 1), 1);
	close(from[0]);
	close(from[1]);
	close(to[0]);
	*tell = to[1];
	return pid;
}

static void the_lock_names_its_holder_and_ends_with_it(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *who = NULL;
	json_auto_t *holder = NULL;
	json_t *none;
	int tell, status;
	pid_t pid = hold(f, &tell);

	who = mem_printf("locked by pid %ld", (long)pid);
	fails(f, state_open(&f->state, f->directory, STATE_WRITE, &f->d), who);
	expect(f, state_lock_holder(f->directory, &holder, &f->d), 1);
	assert_int_equal(json_get_int(holder, "Pid", 0), pid);
	assert_non_null(strstr(json_get_string(holder, "Command"), "state_open"));
	assert_non_null(json_get_string(holder, "Host"));
	assert_non_null(json_get_string(holder, "Since"));
	open_state(f, STATE_READ);
	close_state(f);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(tell);
	expect(f, state_lock_holder(f->directory, &none, &f->d), 0);
	open_state(f, STATE_WRITE);
}

static void a_writer_may_wait_for_the_lock(void **in)
{
	struct fixture *f = *in;
	int tell, status;
	pid_t pid = hold(f, &tell);

	fails(f, state_open_wait(&f->state, f->directory, STATE_WRITE, 120, &f->d), "locked by");
	assert_int_equal(write(tell, "g", 1), 1);
	ok(f, state_open_wait(&f->state, f->directory, STATE_WRITE, 20000, &f->d));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(tell);
}

static void network_file_systems_are_known(void **in)
{
	(void)in;
	assert_string_equal(store_network_name(0x6969, NULL), "NFS");
	assert_string_equal(store_network_name(0xFE534D42, NULL), "SMB2");
	assert_string_equal(store_network_name(0x01021997, "9p"), "9p");
	assert_string_equal(store_network_name(0x65735546, "fuse.sshfs"), "sshfs");
	assert_string_equal(store_network_name(0x65735546, "virtiofs"), "virtiofs");
	assert_null(store_network_name(0x65735546, "fuse.gocryptfs"));
	assert_null(store_network_name(0x65735546, NULL));
	assert_null(store_network_name(0xEF53, "ext4"));
	assert_null(store_network_name(0x01021994, "tmpfs"));
}

/* -- Read-only ------------------------------------------------------------------------------------------------------
 */

/* Reads record `address` in a child as `who` sees the directory; its exit status is the answer. */
static int read_in_child(struct fixture *f, const char *address, void (*prepare)(struct fixture *f))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct diag d = DIAG_INIT;
		struct state *state;
		struct state_txn *txn;
		struct state_record r;

		prepare(f);
		if (state_open(&state, f->directory, STATE_READ, &d) < 0 || state_begin(&txn, state, false, &d) < 0) {
			diag_print(&d, stderr, false);
			_exit(2);
		}
		status = state_record_get(txn, address, &r, &d) == 1 ? 0 : 3;
		state_abort(txn);
		state_close(state);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static void become_nobody(struct fixture *f)
{
	(void)f;
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		_exit(77);
}

static void a_directory_that_cannot_be_written_can_be_read(void **in)
{
	struct fixture *f = *in;
	int rc;

	fill(f);
	run("chmod 755 '%s' && chmod 555 '%s' && chmod 444 '%s'/*.mdb", f->root, f->directory, f->directory);
	rc = read_in_child(f, "app/eu-west-1/s/R7", become_nobody);
	run("chmod 700 '%s' && rm -f '%s/lock.mdb' && chmod 555 '%s'", f->directory, f->directory, f->directory);
	if (rc == 0)
		rc = read_in_child(f, "app/eu-west-1/s/R7", become_nobody);
	run("chmod 700 '%s'", f->directory);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
	assert_false(exists(f->directory, "lock.mdb"));
}

/* -- Formats --------------------------------------------------------------------------------------------------------
 */

static void set_format(struct fixture *f, uint64_t format)
{
	buf_auto struct buf value = BUF_INIT;

	open_state(f, STATE_WRITE);
	begin(f, true);
	store_add_u64(&value, format);
	ok(f, store_put(f->txn, STORE_META, "format", 6, value.data, value.len, &f->d));
	commit(f);
	close_state(f);
}

static char *checksum(struct fixture *f)
{
	buf_auto struct buf bytes = BUF_INIT;
	uint8_t sha256[32];
	char *hex = mem_alloc(65);

	assert_int_equal(text_file_read(&bytes, f->data, 1u << 30), 0);
	text_sha256(sha256, buf_str(&bytes), bytes.len);
	text_hex(hex, sha256, 32);
	return hex;
}

static void a_newer_format_is_refused_and_left_alone(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *before = NULL, *after = NULL;

	set_format(f, STATE_FORMAT + 1);
	before = checksum(f);
	fails(f, state_open(&f->state, f->directory, STATE_WRITE, &f->d),
	      "newer muster (format 2; this one knows up to 1)");
	fails(f, state_open(&f->state, f->directory, STATE_READ, &f->d), "newer muster");
	after = checksum(f);
	assert_string_equal(before, after);
}

static int add_region(struct state_txn *txn, struct diag *d)
{
	json_auto_t *body = json_object();

	return state_regions_put(txn, "111111111111", body, d);
}

static int refuse(struct state_txn *txn, struct diag *d)
{
	json_auto_t *body = json_object();

	if (state_regions_put(txn, "222222222222", body, d) < 0)
		return -1;
	return diag_error(d, "no way");
}

static void migrations_run_in_order_and_all_or_nothing(void **in)
{
	struct fixture *f = *in;
	const struct store_migration good[] = {{8, add_region}, {7, add_region}},
				     bad[] = {{9, add_region}, {10, refuse}};
	MDB_val value;
	json_t *got;

	open_state(f, STATE_WRITE);
	ok(f, store_migrate(f->state, 7, 9, good, 2, &f->d));
	fails(f, store_migrate(f->state, 9, 11, bad, 2, &f->d), "no way");
	fails(f, store_migrate(f->state, 3, 9, good, 2, &f->d), "cannot bring format 3 up to date");
	begin(f, false);
	expect(f, state_regions_get(f->txn, "111111111111", &got, &f->d), 1);
	json_decref(got);
	expect(f, state_regions_get(f->txn, "222222222222", &got, &f->d), 0);
	expect(f, store_get(f->txn, STORE_META, "format", 6, &value, &f->d), 1);
	assert_int_equal(store_u64(value.mv_data), 9);
}

/* -- Damage ---------------------------------------------------------------------------------------------------------
 */

static void expect_damaged(struct fixture *f, const char *text)
{
	mem_auto_str char *before = checksum(f), *after = NULL;

	fails(f, state_open(&f->state, f->directory, STATE_READ, &f->d), text);
	fails(f, state_open(&f->state, f->directory, STATE_WRITE, &f->d), text);
	after = checksum(f);
	assert_string_equal(before, after);
}

static void files_that_are_not_ours_are_reported(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *random = NULL;

	run("mkdir '%s' && : > '%s'", f->directory, f->data);
	expect_damaged(f, "the file is empty");
	run("printf 'SQLite format 3 and a long text after it, long enough for a header or two, whatever comes here, "
	    "and more of it, and more of it, and more of it, and more of it' > '%s'",
	    f->data);
	expect_damaged(f, "not LMDB's");
	run("head -c 100000 /dev/urandom > '%s'", f->data);
	expect_damaged(f, "not LMDB's");
	run("head -c 100000 /dev/zero > '%s'", f->data);
	expect_damaged(f, "not LMDB's");
	run("rm '%s' && mkdir '%s'", f->data, f->data);
	fails(f, state_open(&f->state, f->directory, STATE_READ, &f->d), "no regular file");
}

static void an_lmdb_file_of_another_program_is_refused(void **in)
{
	struct fixture *f = *in;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val key = {1, (void *)"k"}, value = {1, (void *)"v"};

	run("mkdir '%s'", f->directory);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, f->directory, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	expect_damaged(f, "no state of muster");
}

static void a_file_cut_short_is_reported_wherever_it_was_cut(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *copy = mem_printf("%s/copy", f->root);
	struct stat st;

	fill(f);
	assert_int_equal(stat(f->data, &st), 0);
	run("cp '%s' '%s'", f->data, copy);
	for (off_t size = 1; size < st.st_size; size += 4096 + 513) {
		assert_int_equal(truncate(f->data, size), 0);
		/* The last pages may be free ones: then nothing is lost, and nothing may be said. */
		if (state_open(&f->state, f->directory, STATE_READ, &f->d) == 0) {
			struct state_verify_result result;

			assert_true(size > st.st_size / 2);
			begin(f, false);
			ok(f, state_verify(f->txn, &result, &f->d));
			assert_int_equal(result.records, 300);
			drop(f);
			close_state(f);
		} else {
			assert_non_null(strstr(diag_first_error(&f->d), "damaged"));
			diag_free(&f->d);
			f->d = (struct diag)DIAG_INIT;
		}
		run("cp '%s' '%s'", copy, f->data);
	}
	assert_int_equal(truncate(f->data, 4096 * 12), 0);
	expect_damaged(f, "cut short");
}

/* Overwrites bytes with others; in a child, does all there is to do with what is left. */
static void use_damaged(struct fixture *f)
{
	struct state_verify_result result;
	buf_auto struct buf listed = BUF_INIT;
	struct diag d = DIAG_INIT;
	struct state *state;
	struct state_txn *txn;
	uint64_t g;

	if (state_open(&state, f->directory, STATE_WRITE, &d) == 0) {
		if (state_begin(&txn, state, false, &d) == 0) {
			state_verify(txn, &result, &d);
			state_record_each(txn, "", list_record, &listed, &d);
			state_record_each_at(txn, 0, "", list_record, &listed, &d);
			state_abort(txn);
		}
		if (state_begin(&txn, state, true, &d) == 0) {
			if (state_generation_start(txn, NULL, &g, &d) == 0)
				state_record_delete(txn, "app/eu-west-1/s/R100", g, &d);
			state_commit(txn, &d);
		}
		state_close(state);
	}
	diag_free(&d);
	diag_free(&f->d);
}

static void scribble(const char *path, off_t size, unsigned seed)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	srandom(seed);
	for (int i = 0; i < 1 + (int)(seed % 5); i++) {
		/* Three in four where the structure is: page headers and the first pages. */
		off_t at = random() % size;
		unsigned char byte = (unsigned char)random();

		if (seed % 4 != 0)
			at = at / 4096 * 4096 + random() % 64;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
}

static void scribbled_files_never_crash(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *copy = mem_printf("%s/copy", f->root);
	struct stat st;

	fill(f);
	assert_int_equal(stat(f->data, &st), 0);
	run("cp '%s' '%s'", f->data, copy);
	for (unsigned seed = 0; seed < 400; seed++) {
		int status;
		pid_t pid;

		run("cp '%s' '%s'", copy, f->data);
		scribble(f->data, st.st_size, seed);
		pid = fork();
		if (pid == 0) {
			alarm(60);
			use_damaged(f);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("seed %u: status %d", seed, status);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_writer_creates_a_private_directory_that_git_ignores),
	    TEST(parents_are_created_and_foreign_files_stay_visible_to_git),
	    TEST(a_reader_of_nothing_sees_nothing_and_creates_nothing),
	    TEST(a_creation_that_was_cut_off_is_done_again),
	    TEST(a_process_opens_a_state_once),
	    TEST(one_write_transaction_at_a_time),
	    TEST(the_lock_names_its_holder_and_ends_with_it),
	    TEST(a_writer_may_wait_for_the_lock),
	    TEST(network_file_systems_are_known),
	    TEST(a_directory_that_cannot_be_written_can_be_read),
	    TEST(a_newer_format_is_refused_and_left_alone),
	    TEST(migrations_run_in_order_and_all_or_nothing),
	    TEST(files_that_are_not_ours_are_reported),
	    TEST(an_lmdb_file_of_another_program_is_refused),
	    TEST(a_file_cut_short_is_reported_wherever_it_was_cut),
	    TEST(scribbled_files_never_crash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
