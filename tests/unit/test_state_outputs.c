/* Outputs of stacks in the state: one entry for each instance, beside records and without history. */
#include "test_state_common.h"

#define LONG_PART                                                                                                      \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
#define LONG "app/eu-west-1/" LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART LONG_PART

static void set(struct fixture *f, const char *address, const char *value)
{
	json_auto_t *outputs = json_pack("{s:s, s:[i, i]}", "Word", value, "List", 1, 2);

	ok(f, state_outputs_put(f->txn, address, outputs, &f->d));
}

static int list(void *payload, const struct state_outputs *outputs)
{
	buf_addf(payload, "%s=%.*s ", outputs->address, (int)outputs->text_len, outputs->text);
	return 0;
}

static void expect_list(struct fixture *f, const char *prefix, const char *want)
{
	buf_auto struct buf text = BUF_INIT;

	ok(f, state_outputs_each(f->txn, prefix, list, &text, &f->d));
	assert_string_equal(buf_str(&text), want);
}

#define TEXT(word) "{\"List\":[1,2],\"Word\":\"" word "\"} "

static void what_is_put_is_there(void **in)
{
	struct fixture *f = *in;
	struct state_outputs got;
	size_t count;

	open_state(f, STATE_WRITE);
	begin(f, true);
	expect(f, state_outputs_get(f->txn, "app/r/s", &got, &f->d), 0);
	set(f, "app/r/s", "one");
	set(f, "app/r/s", "two");
	set(f, "app/r/s-2", "three");
	set(f, LONG, "four");
	commit(f);
	begin(f, false);
	expect(f, state_outputs_get(f->txn, "app/r/s", &got, &f->d), 1);
	assert_int_equal(got.text_len, strlen(TEXT("two")) - 1);
	assert_memory_equal(got.text, TEXT("two"), got.text_len);
	expect(f, state_outputs_get(f->txn, LONG, &got, &f->d), 1);
	ok(f, state_outputs_count(f->txn, &count, &f->d));
	assert_int_equal(count, 3);
	drop(f);
}

static void a_walk_takes_whole_parts(void **in)
{
	struct fixture *f = *in;

	open_state(f, STATE_WRITE);
	begin(f, true);
	set(f, "app/r/s", "a");
	set(f, "app/r/s-2", "b");
	set(f, "app-2/r/s", "c");
	expect_list(f, "app", "app/r/s=" TEXT("a") "app/r/s-2=" TEXT("b"));
	expect_list(f, "app/", "app/r/s=" TEXT("a") "app/r/s-2=" TEXT("b"));
	expect_list(f, "app/r/s", "app/r/s=" TEXT("a"));
	expect_list(f, "app/r/", "app/r/s=" TEXT("a") "app/r/s-2=" TEXT("b"));
	expect_list(f, "other", "");
	expect(f, state_outputs_delete(f->txn, "app/r/s", &f->d), 1);
	expect(f, state_outputs_delete(f->txn, "app/r/s", &f->d), 0);
	expect_list(f, "", "app-2/r/s=" TEXT("c") "app/r/s-2=" TEXT("b"));
	commit(f);
}

static void a_state_that_is_not_there_has_none(void **in)
{
	struct fixture *f = *in;
	struct state_outputs got;
	size_t count = 7;

	open_state(f, STATE_READ);
	begin(f, false);
	expect(f, state_outputs_get(f->txn, "app/r/s", &got, &f->d), 0);
	ok(f, state_outputs_count(f->txn, &count, &f->d));
	assert_int_equal(count, 0);
	expect_list(f, "", "");
	drop(f);
}

static void what_is_wrong_is_said(void **in)
{
	struct fixture *f = *in;
	struct state_verify_result result;
	json_auto_t *string = json_string("no object"), *empty = json_object();

	open_state(f, STATE_WRITE);
	begin(f, true);
	fails(f, state_outputs_put(f->txn, "app/r/s", string, &f->d), "outputs that are no object");
	/* Length 0 of an address that the key holds whole, then what is not JSON. */
	ok(f, store_put(f->txn, STORE_OUTPUTS, "app/r/s", sizeof "app/r/s", "\0\0\0\0nonsense", 12, &f->d));
	fails(f, state_verify(f->txn, &result, &f->d), "damaged");
	drop(f);
	begin(f, true);
	ok(f, store_put(f->txn, STORE_OUTPUTS, "app/r/s", sizeof "app/r/s", "\0\0\0\0[1]", 7, &f->d));
	fails(f, state_verify(f->txn, &result, &f->d), "the outputs of app/r/s are no object");
	drop(f);
	begin(f, false);
	fails(f, state_outputs_put(f->txn, "app/r/s", empty, &f->d), "a write in a read transaction");
	drop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_is_put_is_there, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(a_walk_takes_whole_parts, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(a_state_that_is_not_there_has_none, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(what_is_wrong_is_said, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("state outputs", tests, NULL, NULL);
}
