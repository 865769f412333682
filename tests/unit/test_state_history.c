/* Generations, history, reading the past, and the proof that history is whole. */
#include "test_state_common.h"

static int list_change(void *payload, const char *address, const json_t *before, const json_t *after)
{
	buf_addf(payload, "%s:%d>%d ", address, (int)json_get_int(before, "N", -1), (int)json_get_int(after, "N", -1));
	return 0;
}

static int list_change_of(void *payload, uint64_t generation, const json_t *before, const json_t *after)
{
	buf_addf(payload, "%d:%d>%d ", (int)generation, (int)json_get_int(before, "N", -1),
		 (int)json_get_int(after, "N", -1));
	return 0;
}

static void expect_history(struct fixture *f, uint64_t generation, const char *want)
{
	buf_auto struct buf got = BUF_INIT;

	ok(f, state_history_each(f->txn, generation, list_change, &got, &f->d));
	assert_string_equal(buf_str(&got), want);
}

static void forget(struct fixture *f, uint64_t generation, const char *address)
{
	expect(f, state_record_delete(f->txn, address, generation, &f->d), 1);
}

static void end_generation(struct fixture *f, uint64_t number)
{
	finish(f, number);
	commit(f);
	begin(f, true);
}

/* Three generations: makes A and B; changes A, deletes B, makes C; deletes A, makes B again. */
static void three_generations(struct fixture *f)
{
	uint64_t g;

	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	put(f, g, "p/A", 1);
	put(f, g, "p/B", 2);
	end_generation(f, g);
	g = start(f);
	put(f, g, "p/A", 11);
	forget(f, g, "p/B");
	put(f, g, "p/C", 3);
	end_generation(f, g);
	g = start(f);
	forget(f, g, "p/A");
	put(f, g, "p/B", 22);
	end_generation(f, g);
}

static void each_generation_remembers_what_it_changed(void **in)
{
	struct fixture *f = *in;
	buf_auto struct buf got = BUF_INIT;

	three_generations(f);
	expect_history(f, 1, "p/A:-1>1 p/B:-1>2 ");
	expect_history(f, 2, "p/A:1>11 p/B:2>-1 p/C:-1>3 ");
	expect_history(f, 3, "p/A:11>-1 p/B:-1>22 ");
	expect_history(f, 4, "");
	ok(f, state_history_of(f->txn, "p/B", list_change_of, &got, &f->d));
	assert_string_equal(buf_str(&got), "1:-1>2 2:2>-1 3:-1>22 ");
}

static int list_span(void *payload, const char *address, const struct state_record *before,
		     const struct state_record *after)
{
	buf_addf(payload, "%s:%d>%d ", address, before == NULL ? -1 : body_n(before),
		 after == NULL ? -1 : body_n(after));
	return 0;
}

static void expect_span(struct fixture *f, uint64_t from, uint64_t to, const char *want)
{
	buf_auto struct buf got = BUF_INIT;

	ok(f, state_span_each(f->txn, from, to, list_span, &got, &f->d));
	assert_string_equal(buf_str(&got), want);
}

static void a_span_has_both_ends_of_each_address(void **in)
{
	struct fixture *f = *in;
	uint64_t g;

	three_generations(f);
	expect_span(f, 0, 1, "p/A:-1>1 p/B:-1>2 ");
	expect_span(f, 0, 3, "p/B:-1>22 p/C:-1>3 ");
	expect_span(f, 1, 3, "p/A:1>-1 p/B:2>22 p/C:-1>3 ");
	expect_span(f, 3, 1, "p/A:-1>1 p/B:22>2 p/C:3>-1 ");
	expect_span(f, 2, 2, "");
	/* Written again as it was: another version, the same body. */
	g = start(f);
	put(f, g, "p/B", 22);
	expect_span(f, 3, g, "");
	expect_span(f, 2, g, "p/A:11>-1 p/B:-1>22 ");
}

static void counts_tell_what_an_open_generation_did(void **in)
{
	struct fixture *f = *in;
	struct state_span_counts counts;
	uint64_t g;

	three_generations(f);
	g = start(f);
	put(f, g, "p/A", 5);
	put(f, g, "p/B", 6);
	forget(f, g, "p/C");
	ok(f, state_history_count(f->txn, g, &counts, &f->d));
	assert_int_equal(counts.created, 1);
	assert_int_equal(counts.updated, 1);
	assert_int_equal(counts.deleted, 1);
	ok(f, state_history_count(f->txn, 99, &counts, &f->d));
	assert_int_equal(counts.created + counts.updated + counts.deleted, 0);
}

static void several_writes_of_one_generation_are_one_change(void **in)
{
	struct fixture *f = *in;
	uint64_t g;

	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	put(f, g, "A", 1);
	put(f, g, "B", 1);
	end_generation(f, g);
	g = start(f);
	for (int i = 2; i < 5; i++) {
		put(f, g, "A", i);
		commit(f);
		begin(f, true);
	}
	put(f, g, "new", 1);
	forget(f, g, "new");
	forget(f, g, "B");
	put(f, g, "B", 9);
	expect_history(f, g, "A:1>4 B:1>9 ");
	put(f, g, "new", 2);
	expect_history(f, g, "A:1>4 B:1>9 new:-1>2 ");
}

static void expect_past(struct fixture *f, uint64_t generation, const char *prefix, const char *want)
{
	buf_auto struct buf got = BUF_INIT;

	ok(f, state_record_each_at(f->txn, generation, prefix, list_record, &got, &f->d));
	assert_string_equal(buf_str(&got), want);
}

static void the_past_can_be_read(void **in)
{
	struct fixture *f = *in;
	struct state_record r;

	three_generations(f);
	expect_past(f, 0, "", "");
	expect_past(f, 1, "", "p/A=1 p/B=2 ");
	expect_past(f, 2, "", "p/A=11 p/C=3 ");
	expect_past(f, 3, "", "p/B=22 p/C=3 ");
	expect_past(f, 99, "", "p/B=22 p/C=3 ");
	expect_past(f, 1, "p/A", "p/A=1 ");
	expect_past(f, 1, "p/", "p/A=1 p/B=2 ");
	expect_past(f, 1, "q", "");
	expect(f, state_record_at(f->txn, 1, "p/A", &r, &f->d), 1);
	assert_int_equal(body_n(&r), 1);
	assert_int_equal(r.generation, 1);
	expect(f, state_record_at(f->txn, 2, "p/A", &r, &f->d), 1);
	assert_int_equal(body_n(&r), 11);
	expect(f, state_record_at(f->txn, 3, "p/A", &r, &f->d), 0);
	expect(f, state_record_at(f->txn, 2, "p/B", &r, &f->d), 0);
	expect(f, state_record_at(f->txn, 3, "p/C", &r, &f->d), 1);
	expect(f, state_record_at(f->txn, 0, "p/C", &r, &f->d), 0);
}

static void the_past_of_long_addresses_too(void **in)
{
	struct fixture *f = *in;
	char address[700];
	struct state_record r;
	uint64_t g;

	memset(address, 'l', sizeof address - 1);
	address[sizeof address - 1] = '\0';
	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	put(f, g, address, 1);
	end_generation(f, g);
	g = start(f);
	put(f, g, address, 2);
	end_generation(f, g);
	expect(f, state_record_at(f->txn, 1, address, &r, &f->d), 1);
	assert_int_equal(body_n(&r), 1);
	mem_auto_str char *want = mem_printf("%s:1>2 ", address), *past = mem_printf("%s=1 ", address);
	expect_history(f, 2, want);
	expect_past(f, 1, "", past);
}

static json_t *generation(struct fixture *f, uint64_t number)
{
	json_t *out;

	expect(f, state_generation_get(f->txn, number, &out, &f->d), 1);
	return out;
}

static void generations_are_numbered_chained_and_closed(void **in)
{
	struct fixture *f = *in;
	json_auto_t *facts = json_pack("{s:s}", "Who", "kato"), *outcome = json_pack("{s:i}", "Failed", 0);
	uint64_t one, two, newest;
	uint8_t digest[32] = {0};
	json_t *none;

	open_state(f, STATE_WRITE);
	begin(f, true);
	ok(f, state_generation_start(f->txn, facts, &one, &f->d));
	assert_int_equal(one, 1);
	json_auto_t *open = generation(f, 1);
	assert_string_equal(json_get_string(open, "Status"), "open");
	assert_true(json_is_null(json_object_get(open, "Hash")));
	ok(f, state_generation_finish(f->txn, one, outcome, &f->d));
	ok(f, state_generation_start(f->txn, facts, &two, &f->d));
	json_auto_t *first = generation(f, 1), *second = generation(f, 2);
	assert_int_equal(json_get_int(first, "Number", 0), 1);
	assert_string_equal(json_get_string(first, "Status"), "finished");
	assert_true(json_equal(json_object_get(first, "Facts"), facts));
	assert_true(json_equal(json_object_get(first, "Outcome"), outcome));
	assert_string_equal(json_get_string(second, "Previous"), json_get_string(first, "Hash"));
	ok(f, state_generation(f->txn, &newest, &f->d));
	assert_int_equal(newest, 2);
	expect(f, state_generation_get(f->txn, 3, &none, &f->d), 0);
	fails(f, state_record_put(f->txn, "A", 1, digest, facts, NULL, &f->d), "closed");
	fails(f, state_record_put(f->txn, "A", 7, digest, facts, NULL, &f->d), "not been started");
	fails(f, state_record_delete(f->txn, "A", 1, &f->d), "closed");
	fails(f, state_generation_finish(f->txn, 1, outcome, &f->d), "closed");
	put(f, 2, "A", 1);
}

static void a_generation_left_open_is_interrupted_by_the_next(void **in)
{
	struct fixture *f = *in;
	struct state_verify_result result;
	uint64_t g;

	open_state(f, STATE_WRITE);
	begin(f, true);
	put(f, start(f), "A", 1);
	commit(f);
	close_state(f);
	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	assert_int_equal(g, 2);
	json_auto_t *first = generation(f, 1);
	assert_string_equal(json_get_string(first, "Status"), "interrupted");
	/* What its history knows stands in for what it could not say. */
	assert_string_equal(json_get_string(json_object_get(first, "Outcome"), "Result"), "interrupted");
	assert_int_equal(json_get_int(json_object_get(first, "Outcome"), "Created", -1), 1);
	assert_int_equal(json_get_int(json_object_get(first, "Outcome"), "Deleted", -1), 0);
	assert_int_equal(strlen(json_get_string(first, "Hash")), 64);
	put(f, g, "A", 2);
	commit(f);
	begin(f, false);
	ok(f, state_verify(f->txn, &result, &f->d));
	assert_int_equal(result.generations, 1);
}

static void plans_are_known_by_their_digest(void **in)
{
	struct fixture *f = *in;
	json_auto_t *facts =
	    json_pack("{s:s}", "PlanDigest", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	const char *digest = json_get_string(facts, "PlanDigest");
	uint64_t g;

	open_state(f, STATE_WRITE);
	begin(f, true);
	ok(f, state_plan_applied(f->txn, digest, &g, &f->d));
	assert_int_equal(g, 0);
	finish(f, start(f));
	ok(f, state_generation_start(f->txn, facts, &g, &f->d));
	ok(f, state_plan_applied(f->txn, digest, &g, &f->d));
	assert_int_equal(g, 2);
	ok(f, state_plan_applied(f->txn, "", &g, &f->d));
	assert_int_equal(g, 0);
	/* one that changed nothing is as if it had not been */
	finish(f, 2);
	ok(f, state_plan_applied(f->txn, digest, &g, &f->d));
	assert_int_equal(g, 0);
	ok(f, state_generation_start(f->txn, facts, &g, &f->d));
	put(f, g, "A", 1);
	finish(f, g);
	ok(f, state_plan_applied(f->txn, digest, &g, &f->d));
	assert_int_equal(g, 3);
}

/* -- Proof ----------------------------------------------------------------------------------------------------------
 */

static void expect_broken(struct fixture *f, uint64_t at, const char *text)
{
	struct state_verify_result result;

	commit(f);
	begin(f, false);
	fails(f, state_verify(f->txn, &result, &f->d), text);
	assert_int_equal(result.broken, at);
}

/* Changes the last byte of the value behind `key` without telling anyone. */
static void tamper(struct fixture *f, enum store_db db, const void *key, size_t len)
{
	buf_auto struct buf value = BUF_INIT;
	MDB_val old;

	expect(f, store_get(f->txn, db, key, len, &old, &f->d), 1);
	buf_add(&value, old.mv_data, old.mv_size);
	value.data[value.len - 2] ^= 1;
	ok(f, store_put(f->txn, db, key, len, value.data, value.len, &f->d));
}

static void an_untouched_state_is_proved(void **in)
{
	struct fixture *f = *in;
	struct state_verify_result result;
	uint8_t name[32];

	three_generations(f);
	ok(f, state_blob_put(f->txn, name, "x", 1, &f->d));
	ok(f, state_verify(f->txn, &result, &f->d));
	commit(f);
	begin(f, false);
	ok(f, state_verify(f->txn, &result, &f->d));
	assert_int_equal(result.generations, 3);
	assert_int_equal(result.records, 2);
	assert_int_equal(result.blobs, 1);
	assert_int_equal(result.broken, 0);
}

static void changed_history_breaks_the_chain(void **in)
{
	struct fixture *f = *in;
	struct store_key key;

	three_generations(f);
	ok(f, store_key_history(&key, 2, "p/A", &f->d));
	tamper(f, STORE_HISTORY, key.bytes, key.len);
	expect_broken(f, 2, "generation 2: it was changed");
}

static void missing_history_breaks_the_chain(void **in)
{
	struct fixture *f = *in;
	struct store_key key;

	three_generations(f);
	ok(f, store_key_history(&key, 1, "p/B", &f->d));
	expect(f, store_delete(f->txn, STORE_HISTORY, key.bytes, key.len, &f->d), 1);
	expect_broken(f, 1, "generation 1: it was changed");
}

static void a_missing_generation_breaks_the_chain(void **in)
{
	struct fixture *f = *in;
	unsigned char key[8];

	three_generations(f);
	store_put_number(key, 2);
	expect(f, store_delete(f->txn, STORE_GENERATIONS, key, 8, &f->d), 1);
	expect_broken(f, 2, "generation 2: it is missing");
}

static void changed_facts_break_the_chain(void **in)
{
	struct fixture *f = *in;
	json_auto_t *first = NULL;
	buf_auto struct buf text = BUF_INIT;
	unsigned char key[8];

	three_generations(f);
	store_put_number(key, 1);
	first = generation(f, 1);
	json_object_set_new(json_object_get(first, "Facts"), "Who", json_string("somebody else"));
	json_canonical(&text, first);
	ok(f, store_put(f->txn, STORE_GENERATIONS, key, 8, text.data, text.len, &f->d));
	expect_broken(f, 1, "generation 1: it was changed");
}

static void a_changed_record_is_noticed(void **in)
{
	struct fixture *f = *in;
	struct store_key key;

	three_generations(f);
	ok(f, store_key_address(&key, "p/C", &f->d));
	tamper(f, STORE_RESOURCES, key.bytes, key.len);
	expect_broken(f, 0, "the record p/C is not what generation 2 wrote");
}

static void a_vanished_record_is_noticed(void **in)
{
	struct fixture *f = *in;
	struct store_key key;

	three_generations(f);
	ok(f, store_key_address(&key, "p/C", &f->d));
	expect(f, store_delete(f->txn, STORE_RESOURCES, key.bytes, key.len, &f->d), 1);
	expect_broken(f, 0, "it has 1 records, but history made 2");
}

static void a_changed_blob_is_noticed(void **in)
{
	struct fixture *f = *in;
	uint8_t name[32];

	three_generations(f);
	ok(f, state_blob_put(f->txn, name, "bytes", 5, &f->d));
	tamper(f, STORE_BLOBS, name, 32);
	expect_broken(f, 0, "stored input");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(each_generation_remembers_what_it_changed),
	    TEST(several_writes_of_one_generation_are_one_change),
	    TEST(the_past_can_be_read),
	    TEST(the_past_of_long_addresses_too),
	    TEST(generations_are_numbered_chained_and_closed),
	    TEST(a_span_has_both_ends_of_each_address),
	    TEST(counts_tell_what_an_open_generation_did),
	    TEST(a_generation_left_open_is_interrupted_by_the_next),
	    TEST(plans_are_known_by_their_digest),
	    TEST(an_untouched_state_is_proved),
	    TEST(changed_history_breaks_the_chain),
	    TEST(missing_history_breaks_the_chain),
	    TEST(a_missing_generation_breaks_the_chain),
	    TEST(changed_facts_break_the_chain),
	    TEST(a_changed_record_is_noticed),
	    TEST(a_vanished_record_is_noticed),
	    TEST(a_changed_blob_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
