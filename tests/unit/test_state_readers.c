/* What readers cost a writer: pages that a reader may still look at are not reused, so the file grows. Short readers
 * must cost next to nothing, a long one only what is written while it reads, and a dead one no more than that. */
#include <signal.h>

#include "test_state_common.h"

#define RECORDS 50

static size_t file_bytes(struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->data, &st), 0);
	return (size_t)st.st_size;
}

/* So many commits, each of which writes all records anew. */
static void commits(struct fixture *f, uint64_t g, int count)
{
	struct state_txn *reader = f->txn;
	char address[40];

	for (int n = 0; n < count; n++) {
		begin(f, true);
		for (int i = 0; i < RECORDS; i++) {
			snprintf(address, sizeof address, "app/eu-west-1/s/R%06d", i);
			put(f, g, address, n);
		}
		commit(f);
	}
	f->txn = reader;
}

static uint64_t filled(struct fixture *f)
{
	uint64_t g;

	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	commit(f);
	commits(f, g, 50);
	return g;
}

static void a_writer_alone_reuses_its_pages(void **in)
{
	struct fixture *f = *in;
	uint64_t g = filled(f);
	size_t before = file_bytes(f);

	commits(f, g, 500);
	assert_in_range(file_bytes(f), before, before + before / 4);
}

static void a_long_reader_costs_what_is_written_meanwhile(void **in)
{
	struct fixture *f = *in;
	uint64_t g = filled(f);
	size_t before = file_bytes(f), during, after;
	struct state_record record;

	begin(f, false);
	expect(f, state_record_get(f->txn, "app/eu-west-1/s/R000007", &record, &f->d), 1);
	commits(f, g, 200);
	assert_int_equal(body_n(&record), 49);
	during = file_bytes(f);
	/* Both copies of each record, some branches and lists of free pages: at most 40 pages a commit here. */
	assert_in_range(during, before + 1, before + (size_t)200 * 40 * 4096);
	drop(f);
	commits(f, g, 200);
	after = file_bytes(f);
	assert_in_range(after, during, during + during / 8);
}

/* Waits for `byte` to be written to `fd`. */
static void wait_for(int fd)
{
	char byte;

	assert_int_equal(read(fd, &byte, 1), 1);
}

static pid_t reader_start(struct fixture *f, bool keeps)
{
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct fixture child = {.directory = f->directory};

		open_state(&child, STATE_READ);
		begin(&child, false);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;) {
			if (keeps) {
				pause();
				continue;
			}
			drop(&child);
			usleep(1000);
			begin(&child, false);
			usleep(1000);
		}
	}
	wait_for(ready[0]);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void reader_end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* A child must not inherit what its parent has open, so readers start before the writer. */
static void start_with_reader(struct fixture *f, uint64_t *g, pid_t *pid, bool keeps)
{
	*g = filled(f);
	close_state(f);
	*pid = reader_start(f, keeps);
	open_state(f, STATE_WRITE);
}

static void readers_that_come_and_go_cost_next_to_nothing(void **in)
{
	struct fixture *f = *in;
	size_t before;
	uint64_t g;
	pid_t pid;

	start_with_reader(f, &g, &pid, false);
	commits(f, g, 100);
	before = file_bytes(f);
	commits(f, g, 1000);
	reader_end(pid);
	/* How many commits one of its moments covers hangs on the machine; a thousand it must not be. */
	assert_in_range(file_bytes(f), before, before * 10);
}

static void a_reader_that_died_is_noticed(void **in)
{
	struct fixture *f = *in;
	size_t before;
	uint64_t g;
	pid_t pid;

	start_with_reader(f, &g, &pid, true);
	commits(f, g, 10);
	reader_end(pid);
	commits(f, g, 300);
	before = file_bytes(f);
	commits(f, g, 1000);
	assert_in_range(file_bytes(f), before, before + before / 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_writer_alone_reuses_its_pages),
	    TEST(a_long_reader_costs_what_is_written_meanwhile),
	    TEST(readers_that_come_and_go_cost_next_to_nothing),
	    TEST(a_reader_that_died_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
