/* What the tests of the state room share: a fresh directory, an open state, records by the line. */
#ifndef MUSTER_TEST_STATE_COMMON_H
#define MUSTER_TEST_STATE_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/store.h"

struct fixture {
	char *directory, *data; /* the state's, inside of a fresh one, and the file in it */
	char *root;
	struct state *state;
	struct state_txn *txn;
	struct diag d;
};

static inline int fixture_setup(void **out)
{
	struct fixture *f = mem_alloc(sizeof *f);
	char root[] = "/tmp/muster-state-XXXXXX";

	if (mkdtemp(root) == NULL)
		return -1;
	f->root = mem_strdup(root);
	f->directory = mem_printf("%s/.muster", root);
	f->data = mem_printf("%s/data.mdb", f->directory);
	*out = f;
	return 0;
}

static inline void run(const char *format, ...)
{
	mem_auto_str char *command = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&command, format, args) < 0)
		abort();
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static inline int fixture_teardown(void **in)
{
	struct fixture *f = *in;

	state_abort(f->txn);
	state_close(f->state);
	diag_free(&f->d);
	/* A test that failed half way may have left its tmpfs. */
	umount2(f->root, MNT_DETACH);
	run("rm -rf '%s'", f->root);
	free(f->directory);
	free(f->data);
	free(f->root);
	free(f);
	return 0;
}

/* Fails with the messages of the fixture unless `rc` is `want`. */
static inline void expect_at(struct fixture *f, int rc, int want, const char *what, int line)
{
	if (rc == want)
		return;
	diag_print(&f->d, stderr, false);
	fail_msg("line %d: %s gave %d, not %d", line, what, rc, want);
}
#define expect(f, call, want) expect_at((f), (call), (want), #call, __LINE__)
#define ok(f, call)           expect((f), (call), 0)

/* The call fails and its first message holds `text`. */
static inline void fails_at(struct fixture *f, int rc, const char *text, const char *what, int line)
{
	if (rc >= 0)
		fail_msg("line %d: %s gave %d", line, what, rc);
	if (strstr(diag_first_error(&f->d), text) == NULL)
		fail_msg("line %d: \"%s\" is not in: %s", line, text, diag_first_error(&f->d));
	diag_free(&f->d);
	f->d = (struct diag)DIAG_INIT;
}
#define fails(f, call, text) fails_at((f), (call), (text), #call, __LINE__)

static inline void open_state(struct fixture *f, enum state_mode mode)
{
	expect(f, state_open(&f->state, f->directory, mode, &f->d), 0);
}

static inline void close_state(struct fixture *f)
{
	state_close(f->state);
	f->state = NULL;
}

static inline void begin(struct fixture *f, bool write)
{
	expect(f, state_begin(&f->txn, f->state, write, &f->d), 0);
}

static inline void commit(struct fixture *f)
{
	struct state_txn *txn = f->txn;

	f->txn = NULL;
	expect(f, state_commit(txn, &f->d), 0);
}

static inline void drop(struct fixture *f)
{
	state_abort(f->txn);
	f->txn = NULL;
}

/* Writes {"N": n} at `address`. */
static inline uint64_t put(struct fixture *f, uint64_t generation, const char *address, int n)
{
	json_auto_t *body = json_pack("{s:i}", "N", n);
	uint8_t digest[32] = {(uint8_t)n};
	uint64_t version = 0;

	expect(f, state_record_put(f->txn, address, generation, digest, body, &version, &f->d), 0);
	return version;
}

/* The N of a record's body; -1 when it has none. */
static inline int body_n(const struct state_record *record)
{
	json_auto_t *body = json_loadb(record->text, record->text_len, 0, NULL);

	return (int)json_get_int(body, "N", -1);
}

/* The N of the record at `address`, -1 when there is none. */
static inline int get_n(struct fixture *f, const char *address)
{
	struct state_record record;
	int rc = state_record_get(f->txn, address, &record, &f->d);

	if (rc == 0)
		return -1;
	expect(f, rc, 1);
	assert_string_equal(record.address, address);
	return body_n(&record);
}

static inline uint64_t start(struct fixture *f)
{
	uint64_t number = 0;

	expect(f, state_generation_start(f->txn, NULL, &number, &f->d), 0);
	return number;
}

static inline void finish(struct fixture *f, uint64_t number)
{
	expect(f, state_generation_finish(f->txn, number, NULL, &f->d), 0);
}

/* A visitor that writes "address=N " for each record into a buf. */
static inline int list_record(void *payload, const struct state_record *record)
{
	buf_addf(payload, "%s=%d ", record->address, body_n(record));
	return 0;
}

#endif
