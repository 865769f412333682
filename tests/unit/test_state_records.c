/* Records, intents, regions, meta and blobs: what goes in comes out, in order, and nothing when told to forget. */
#include "test_state_common.h"

static void a_record_comes_back_as_it_was_written(void **in)
{
	struct fixture *f = *in;
	json_auto_t *body = json_pack("{s:s, s:[i, i], s:n}", "Name", "tr\xc3\xa4il", "L", 1, 2, "Z");
	uint8_t digest[32];
	struct state_record r;
	uint64_t version, g;

	memset(digest, 0xab, sizeof digest);
	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	ok(f, state_record_put(f->txn, "a/r/s/L", g, digest, body, &version, &f->d));
	commit(f);
	close_state(f);
	open_state(f, STATE_READ);
	begin(f, false);
	expect(f, state_record_get(f->txn, "a/r/s/L", &r, &f->d), 1);
	assert_string_equal(r.address, "a/r/s/L");
	assert_int_equal(r.version, version);
	assert_int_equal(r.generation, g);
	assert_memory_equal(r.digest, digest, 32);
	json_auto_t *again = json_loadb(r.text, r.text_len, 0, NULL);
	assert_true(json_equal(again, body));
	assert_null(memchr(r.text, ' ', r.text_len));
	expect(f, state_record_get(f->txn, "a/r/s", &r, &f->d), 0);
	assert_int_equal(r.version, 0);
	expect(f, state_record_get(f->txn, "a/r/s/LL", &r, &f->d), 0);
}

static void versions_rise_and_are_never_given_twice(void **in)
{
	struct fixture *f = *in;
	uint64_t one, two, three, g;

	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	one = put(f, g, "a/r/s/A", 1);
	two = put(f, g, "a/r/s/B", 1);
	assert_true(one > 0 && two > one);
	expect(f, state_record_delete(f->txn, "a/r/s/B", g, &f->d), 1);
	expect(f, state_record_delete(f->txn, "a/r/s/B", g, &f->d), 0);
	commit(f);
	close_state(f);
	open_state(f, STATE_WRITE);
	begin(f, true);
	three = put(f, g, "a/r/s/B", 1);
	assert_true(three > two);
	assert_true(put(f, g, "a/r/s/B", 1) > three);
}

static void walks_go_in_order_and_by_whole_path_parts(void **in)
{
	struct fixture *f = *in;
	buf_auto struct buf all = BUF_INIT, part = BUF_INIT, slash = BUF_INIT, none = BUF_INIT;
	uint64_t g;
	size_t count;

	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	put(f, g, "b/r/s/X", 1);
	put(f, g, "a/eu-west-10/s/X", 2);
	put(f, g, "a/eu-west-1/t/X", 3);
	put(f, g, "a/eu-west-1/s/Y", 4);
	put(f, g, "a/eu-west-1", 5);
	put(f, g, "a/eu-west-1-x", 6);
	ok(f, state_record_each(f->txn, "", list_record, &all, &f->d));
	assert_string_equal(buf_str(&all), "a/eu-west-1=5 a/eu-west-1-x=6 a/eu-west-1/s/Y=4 a/eu-west-1/t/X=3 "
					   "a/eu-west-10/s/X=2 b/r/s/X=1 ");
	ok(f, state_record_each(f->txn, "a/eu-west-1", list_record, &part, &f->d));
	assert_string_equal(buf_str(&part), "a/eu-west-1=5 a/eu-west-1/s/Y=4 a/eu-west-1/t/X=3 ");
	ok(f, state_record_each(f->txn, "a/eu-west-1/", list_record, &slash, &f->d));
	assert_string_equal(buf_str(&slash), "a/eu-west-1/s/Y=4 a/eu-west-1/t/X=3 ");
	ok(f, state_record_each(f->txn, "zz", list_record, &none, &f->d));
	assert_string_equal(buf_str(&none), "");
	ok(f, state_record_count(f->txn, &count, &f->d));
	assert_int_equal(count, 6);
}

static int stop_at_second(void *payload, const struct state_record *record)
{
	(void)record;
	return ++*(int *)payload == 2 ? 7 : 0;
}

static void a_walk_ends_with_what_its_callback_returns(void **in)
{
	struct fixture *f = *in;
	uint64_t g;
	int seen = 0;

	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	put(f, g, "a", 1);
	put(f, g, "b", 1);
	put(f, g, "c", 1);
	expect(f, state_record_each(f->txn, "", stop_at_second, &seen, &f->d), 7);
	assert_int_equal(seen, 2);
}

struct mutator {
	struct fixture *f;
	uint64_t generation;
	int seen;
};

/* Deletes what it is shown, rewrites another, adds one further on. */
static int mutate(void *payload, const struct state_record *record)
{
	struct mutator *m = payload;
	mem_auto_str char *address = mem_strdup(record->address);

	m->seen++;
	expect(m->f, state_record_delete(m->f->txn, address, m->generation, &m->f->d), 1);
	put(m->f, m->generation, "r/0", 100);
	if (strcmp(address, "r/500") == 0)
		put(m->f, m->generation, "r/9999", 1);
	return 0;
}

static void a_walk_survives_writes_and_a_growing_map(void **in)
{
	struct fixture *f = *in;
	struct mutator m = {.f = f};
	char address[32];

	ok(f, store_open(&f->state, f->directory, STATE_WRITE, 0, 512 << 10, &f->d));
	begin(f, true);
	m.generation = start(f);
	for (int i = 100; i < 1000; i++) {
		snprintf(address, sizeof address, "r/%d", i);
		put(f, m.generation, address, i);
	}
	commit(f);
	begin(f, true);
	ok(f, state_record_each(f->txn, "", mutate, &m, &f->d));
	assert_int_equal(m.seen, 901);
	assert_int_equal(get_n(f, "r/0"), 100);
	commit(f);
}

static char *long_address(size_t len, char tail)
{
	char *address = mem_alloc(len + 1);

	memset(address, 'x', len);
	memcpy(address, "a/r/s/", 6);
	address[len - 1] = tail;
	return address;
}

static void addresses_longer_than_a_key_are_like_others(void **in)
{
	struct fixture *f = *in;
	static const size_t lengths[] = {469, 470, 471, 501, 502, 503, 504, 511, 512, 5000};
	const size_t count = sizeof lengths / sizeof *lengths;
	buf_auto struct buf listed = BUF_INIT;
	json_auto_t *body = json_pack("{s:i}", "N", 3);
	uint64_t g;

	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	put(f, g, "a/r/s/z", 1);
	for (size_t i = 0; i < count; i++) {
		mem_auto_str char *p = long_address(lengths[i], 'p'), *q = long_address(lengths[i], 'q');
		json_auto_t *intent = NULL;

		put(f, g, p, (int)i);
		put(f, g, q, (int)i + 1000);
		ok(f, state_intent_put(f->txn, p, body, &f->d));
		expect(f, state_intent_get(f->txn, p, &intent, &f->d), 1);
		assert_true(json_equal(intent, body));
	}
	for (size_t i = 0; i < count; i++) {
		mem_auto_str char *p = long_address(lengths[i], 'p'), *q = long_address(lengths[i], 'q');
		mem_auto_str char *want = mem_printf("%s=%d ", p, (int)i);

		assert_int_equal(get_n(f, p), i);
		assert_int_equal(get_n(f, q), i + 1000);
		buf_clear(&listed);
		ok(f, state_record_each(f->txn, p, list_record, &listed, &f->d));
		assert_string_equal(buf_str(&listed), want);
		expect(f, state_record_delete(f->txn, q, g, &f->d), 1);
		assert_int_equal(get_n(f, q), -1);
		expect(f, state_intent_delete(f->txn, p, &f->d), 1);
	}
	buf_clear(&listed);
	ok(f, state_record_each(f->txn, "a/r/s", list_record, &listed, &f->d));
	assert_non_null(strstr(listed.data, "a/r/s/z=1"));
	finish(f, g);
	commit(f);
}

static void what_no_key_can_hold_is_refused(void **in)
{
	struct fixture *f = *in;
	json_auto_t *body = json_object();
	uint8_t digest[32] = {0};
	uint64_t g;

	open_state(f, STATE_WRITE);
	begin(f, true);
	g = start(f);
	fails(f, state_record_put(f->txn, "", g, digest, body, NULL, &f->d), "no address");
	fails(f, state_record_put(f->txn, "a/\xff", g, digest, body, NULL, &f->d), "no address");
	fails(f, state_intent_put(f->txn, "", body, &f->d), "no address");
	fails(f, state_regions_put(f->txn, "", body, &f->d), "no account id");
}

static int list_intent(void *payload, const char *address, const json_t *body)
{
	buf_addf(payload, "%s=%d ", address, (int)json_get_int(body, "N", -1));
	return 0;
}

static void intents_are_kept_one_for_each_address(void **in)
{
	struct fixture *f = *in;
	json_auto_t *one = json_pack("{s:i}", "N", 1), *two = json_pack("{s:i}", "N", 2), *got = NULL;
	buf_auto struct buf listed = BUF_INIT;

	open_state(f, STATE_WRITE);
	begin(f, true);
	ok(f, state_intent_put(f->txn, "b", one, &f->d));
	ok(f, state_intent_put(f->txn, "a", one, &f->d));
	ok(f, state_intent_put(f->txn, "a", two, &f->d));
	commit(f);
	begin(f, true);
	ok(f, state_intent_each(f->txn, list_intent, &listed, &f->d));
	assert_string_equal(buf_str(&listed), "a=2 b=1 ");
	expect(f, state_intent_get(f->txn, "a", &got, &f->d), 1);
	assert_int_equal(json_get_int(got, "N", 0), 2);
	expect(f, state_intent_delete(f->txn, "a", &f->d), 1);
	expect(f, state_intent_delete(f->txn, "a", &f->d), 0);
	json_t *none;
	expect(f, state_intent_get(f->txn, "a", &none, &f->d), 0);
	assert_null(none);
}

static void regions_and_meta_are_remembered(void **in)
{
	struct fixture *f = *in;
	json_auto_t *regions = json_pack("{s:[s], s:I}", "Regions", "eu-west-1", "Seen", (json_int_t)1795438412000);
	json_t *got;
	uint8_t key[32], again[32], zero[32] = {0};
	char *lineage;

	open_state(f, STATE_WRITE);
	begin(f, true);
	ok(f, state_lineage(f->txn, &lineage, &f->d));
	assert_null(lineage);
	ok(f, state_lineage_set(f->txn, "01JD", &f->d));
	ok(f, state_lineage_set(f->txn, "01JD", &f->d));
	fails(f, state_lineage_set(f->txn, "other", &f->d), "lineage 01JD, not other");
	ok(f, state_secret_key(f->txn, key, &f->d));
	assert_memory_not_equal(key, zero, 32);
	ok(f, state_regions_put(f->txn, "333333333333", regions, &f->d));
	expect(f, state_regions_get(f->txn, "444444444444", &got, &f->d), 0);
	assert_null(got);
	commit(f);
	close_state(f);
	open_state(f, STATE_READ);
	begin(f, false);
	ok(f, state_lineage(f->txn, &lineage, &f->d));
	assert_string_equal(lineage, "01JD");
	free(lineage);
	ok(f, state_secret_key(f->txn, again, &f->d));
	assert_memory_equal(key, again, 32);
	expect(f, state_regions_get(f->txn, "333333333333", &got, &f->d), 1);
	assert_true(json_equal(got, regions));
	json_decref(got);
}

static void blobs_are_kept_once_under_their_hash(void **in)
{
	struct fixture *f = *in;
	uint8_t a[32], b[32], empty[32], other[32] = {1};
	const void *bytes;
	size_t len, count;
	char *big = mem_alloc(300000);

	memset(big, 'q', 300000);
	open_state(f, STATE_WRITE);
	begin(f, true);
	ok(f, state_blob_put(f->txn, a, big, 300000, &f->d));
	ok(f, state_blob_put(f->txn, b, big, 300000, &f->d));
	ok(f, state_blob_put(f->txn, empty, "", 0, &f->d));
	assert_memory_equal(a, b, 32);
	commit(f);
	begin(f, false);
	ok(f, store_count(f->txn, STORE_BLOBS, &count, &f->d));
	assert_int_equal(count, 2);
	expect(f, state_blob_get(f->txn, a, &bytes, &len, &f->d), 1);
	assert_int_equal(len, 300000);
	assert_memory_equal(bytes, big, len);
	expect(f, state_blob_get(f->txn, empty, &bytes, &len, &f->d), 1);
	assert_int_equal(len, 0);
	expect(f, state_blob_get(f->txn, other, &bytes, &len, &f->d), 0);
	assert_null(bytes);
	free(big);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_record_comes_back_as_it_was_written),     TEST(versions_rise_and_are_never_given_twice),
	    TEST(walks_go_in_order_and_by_whole_path_parts), TEST(a_walk_ends_with_what_its_callback_returns),
	    TEST(a_walk_survives_writes_and_a_growing_map),  TEST(addresses_longer_than_a_key_are_like_others),
	    TEST(what_no_key_can_hold_is_refused),           TEST(intents_are_kept_one_for_each_address),
	    TEST(regions_and_meta_are_remembered),           TEST(blobs_are_kept_once_under_their_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
