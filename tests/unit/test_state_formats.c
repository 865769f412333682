/* States of every format that there ever was, as the program of that time wrote them, opened by this one.
 * tests/unit/data/README.md says how they are made. */
#include "test_state_common.h"

#define DATA "tests/unit/data"

#define LONG_PART                                                                                                      \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
#define LONG "app/eu-west-1/s/" LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART
#define PLAN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char blob[] = "{\"Resources\": {}}";

/* -- What each of them holds --------------------------------------------------------------------------------------- */

static void finish_with(struct fixture *f, uint64_t number, const char *result)
{
	json_auto_t *outcome = json_pack("{s:s}", "Result", result);

	ok(f, state_generation_finish(f->txn, number, outcome, &f->d));
}

/* Three generations: made; updated, deleted, one with a long address; one that died with an intent open. */
static void fill(struct fixture *f)
{
	json_auto_t *facts = json_pack("{s:s, s:s}", "User", "kato", "PlanDigest", PLAN);
	json_auto_t *regions = json_pack("{s:[s, s], s:s}", "Regions", "eu-west-1", "us-east-1", "Name", "app");
	json_auto_t *intent = json_pack("{s:s, s:s}", "Phase", "create", "Token", "t");
	uint64_t g;
	uint8_t sha256[32];

	begin(f, true);
	ok(f, state_lineage_set(f->txn, "01OLDSTATE", &f->d));
	ok(f, state_regions_put(f->txn, "222222222222", regions, &f->d));
	ok(f, state_blob_put(f->txn, sha256, blob, strlen(blob), &f->d));
	expect(f, state_generation_start(f->txn, facts, &g, &f->d), 0);
	put(f, g, "app/eu-west-1/s/A", 1);
	put(f, g, "app/eu-west-1/s/B", 2);
	put(f, g, "app/us-east-1/s/A", 3);
	finish_with(f, g, "complete");
	g = start(f);
	put(f, g, "app/eu-west-1/s/A", 10);
	put(f, g, "app/eu-west-1/s/A", 11);
	expect(f, state_record_delete(f->txn, "app/eu-west-1/s/B", g, &f->d), 1);
	put(f, g, LONG, 5);
	finish_with(f, g, "partial");
	g = start(f);
	put(f, g, "app/us-east-1/s/A", 30);
	ok(f, state_intent_put(f->txn, "app/us-east-1/s/C", intent, &f->d));
	commit(f);
}

static void expect_records(struct fixture *f, uint64_t generation, const char *want)
{
	buf_auto struct buf list = BUF_INIT;

	ok(f, state_record_each_at(f->txn, generation, "", list_record, &list, &f->d));
	assert_string_equal(buf_str(&list), want);
}

static void expect_generation(struct fixture *f, uint64_t number, const char *status, const char *result)
{
	json_t *generation = NULL;

	expect(f, state_generation_get(f->txn, number, &generation, &f->d), 1);
	assert_string_equal(json_get_string(generation, "Status"), status);
	if (result != NULL)
		assert_string_equal(json_get_string(json_object_get(generation, "Outcome"), "Result"), result);
	json_decref(generation);
}

/* Everything that stands beside the records. */
static void expect_rest(struct fixture *f)
{
	mem_auto_str char *lineage = NULL;
	uint8_t key[32], none[32] = {0}, sha256[32];
	json_t *body = NULL;
	const void *bytes;
	uint64_t g;
	size_t len;

	ok(f, state_lineage(f->txn, &lineage, &f->d));
	assert_string_equal(lineage, "01OLDSTATE");
	ok(f, state_secret_key(f->txn, key, &f->d));
	assert_memory_not_equal(key, none, 32);
	expect(f, state_regions_get(f->txn, "222222222222", &body, &f->d), 1);
	assert_string_equal(json_get_string(body, "Name"), "app");
	json_decref(body);
	text_sha256(sha256, blob, strlen(blob));
	expect(f, state_blob_get(f->txn, sha256, &bytes, &len, &f->d), 1);
	assert_int_equal(len, strlen(blob));
	assert_memory_equal(bytes, blob, len);
	ok(f, state_plan_applied(f->txn, PLAN, &g, &f->d));
	assert_int_equal(g, 1);
	expect(f, state_intent_get(f->txn, "app/us-east-1/s/C", &body, &f->d), 1);
	assert_string_equal(json_get_string(body, "Token"), "t");
	json_decref(body);
}

static void expect_all(struct fixture *f)
{
	struct state_record record;
	uint64_t newest;

	begin(f, false);
	ok(f, state_generation(f->txn, &newest, &f->d));
	assert_int_equal(newest, 3);
	expect_generation(f, 1, "finished", "complete");
	expect_generation(f, 2, "finished", "partial");
	expect_generation(f, 3, "open", NULL);
	expect_records(f, 1, "app/eu-west-1/s/A=1 app/eu-west-1/s/B=2 app/us-east-1/s/A=3 ");
	expect_records(f, 2, "app/eu-west-1/s/A=11 " LONG "=5 app/us-east-1/s/A=3 ");
	expect_records(f, 3, "app/eu-west-1/s/A=11 " LONG "=5 app/us-east-1/s/A=30 ");
	expect(f, state_record_get(f->txn, "app/eu-west-1/s/A", &record, &f->d), 1);
	assert_int_equal(record.version, 5);
	assert_int_equal(record.generation, 2);
	assert_int_equal(record.digest[0], 11);
	expect_rest(f);
	drop(f);
}

static void expect_whole(struct fixture *f, size_t generations)
{
	struct state_verify_result result;

	begin(f, false);
	ok(f, state_verify(f->txn, &result, &f->d));
	assert_int_equal(result.generations, generations);
	drop(f);
}

/* -- Opening ------------------------------------------------------------------------------------------------------- */

static bool can_be_read_here(void)
{
	const uint16_t one = 1;

	return sizeof(size_t) == 8 && *(const uint8_t *)&one == 1;
}

static void take(struct fixture *f, int format)
{
	run("mkdir -m 700 '%s' && cp %s/state-format-%d.mdb '%s' && chmod 600 '%s'", f->directory, DATA, format,
	    f->data, f->data);
}

/* A state of `format`, read if it can be without writing, then opened by a writer, who may have to migrate it. */
static void opens(struct fixture *f, int format)
{
	take(f, format);
	if (format == STATE_FORMAT) {
		open_state(f, STATE_READ);
		expect_all(f);
		expect_whole(f, 2);
		close_state(f);
	} else {
		fails(f, state_open(&f->state, f->directory, STATE_READ, &f->d), "made by an older muster");
	}
	open_state(f, STATE_WRITE);
	expect_all(f);
	expect_whole(f, 2);
}

static void a_state_of_format_1_is_whole(void **in)
{
	struct fixture *f = *in;
	json_auto_t *whole = json_pack("{s:{s:s}}", "s", "Arn", "arn:x");
	struct state_outputs outputs;
	json_t *generation = NULL;
	uint64_t g;

	if (!can_be_read_here()) {
		print_message("LMDB files of 64-bit little-endian machines cannot be read here\n");
		skip();
	}
	opens(f, 1);
	/* And life goes on in it: it was made before outputs were kept, and has a place for them now. */
	begin(f, true);
	expect(f, state_outputs_get(f->txn, "app/eu-west-1/s", &outputs, &f->d), 0);
	ok(f, state_outputs_put(f->txn, "app/eu-west-1/s", json_object_get(whole, "s"), &f->d));
	commit(f);
	begin(f, false);
	expect(f, state_outputs_get(f->txn, "app/eu-west-1/s", &outputs, &f->d), 1);
	drop(f);
	begin(f, true);
	g = start(f);
	assert_int_equal(g, 4);
	assert_true(put(f, g, "app/eu-west-1/s/B", 7) > 7);
	finish(f, g);
	commit(f);
	expect_whole(f, 4);
	begin(f, false);
	expect_records(f, 4, "app/eu-west-1/s/A=11 app/eu-west-1/s/B=7 " LONG "=5 app/us-east-1/s/A=30 ");
	expect_records(f, 1, "app/eu-west-1/s/A=1 app/eu-west-1/s/B=2 app/us-east-1/s/A=3 ");
	expect(f, state_generation_get(f->txn, 3, &generation, &f->d), 1);
	assert_string_equal(json_get_string(generation, "Status"), "interrupted");
	json_decref(generation);
	drop(f);
}

/* What the next format will have to migrate from: this program's own, written now, holds the same. */
static void this_program_writes_the_same(void **in)
{
	struct fixture *f = *in;
	const char *make = getenv("STATE_FORMATS_MAKE");

	open_state(f, STATE_WRITE);
	fill(f);
	expect_all(f);
	expect_whole(f, 2);
	close_state(f);
	if (make != NULL)
		run("cp '%s' '%s/state-format-%d.mdb'", f->data, make, STATE_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(this_program_writes_the_same, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(a_state_of_format_1_is_whole, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("state formats", tests, NULL, NULL);
}
