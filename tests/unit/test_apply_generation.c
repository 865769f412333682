/* What a generation keeps of the apply that made it: enough for a report at any later time, and no secret. */
#include "apply_fake.h"

static json_t *outcome_of(struct bench *b)
{
	json_auto_t *generation = bench_generation(b, 1);

	return json_incref(json_object_get(generation, "Outcome"));
}

static const json_t *failure_at(const json_t *outcome, size_t i)
{
	return json_array_get(json_object_get(outcome, "Failures"), i);
}

static void the_failures_are_kept_with_their_causes(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	b.fake.refusal = "no \033[1m may do that";
	fake_rule(&b.fake, "create", "app/r1/s/A", FAKE_REFUSES, 0);
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	plan_depends(plan, plan_create(plan, &b.fake, "app/r1/s/B", "b"), "app/r1/s/A");
	plan_create(plan, &b.fake, "app/r2/s/C", "c");
	plan->rollback = 7;
	assert_int_equal(bench_run(&b, plan), 0);

	json_auto_t *generation = bench_generation(&b, 1), *outcome = outcome_of(&b);
	const json_t *facts = json_object_get(generation, "Facts"), *failure = failure_at(outcome, 0);
	int64_t ms;

	assert_int_equal(json_get_int(facts, "Rollback", 0), 7);
	assert_int_equal(json_get_int(json_object_get(facts, "Planned"), "create", 0), 3);
	assert_int_equal(text_time_parse(&ms, json_get_string(facts, "Time")), 0);
	assert_int_equal(text_time_parse(&ms, json_get_string(outcome, "Ended")), 0);
	assert_string_equal(json_get_string(outcome, "Result"), "partial");
	assert_int_equal(json_get_int(outcome, "FailureCount", 0), 2);
	assert_string_equal(json_get_string(failure, "Address"), "app/r1/s/A");
	assert_string_equal(json_get_string(failure, "Action"), "create");
	assert_string_equal(json_get_string(failure, "Status"), "failed");
	assert_string_equal(json_get_string(failure, "Operation"), "create");
	assert_string_equal(json_get_string(failure, "Code"), "AccessDenied");
	assert_string_equal(json_get_string(failure, "Message"), "no \033[1m may do that");
	failure = failure_at(outcome, 1);
	assert_string_equal(json_get_string(failure, "Status"), "skipped");
	assert_string_equal(json_get_string(failure, "Because"), "app/r1/s/A");
	plan_free(plan);
	bench_end(&b);
}

static void where_nothing_was_done_it_failed(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	fake_rule(&b.fake, "create", "*", FAKE_REFUSES, 0);
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	assert_int_equal(bench_run(&b, plan), 0);
	json_auto_t *outcome = outcome_of(&b);
	assert_string_equal(json_get_string(outcome, "Result"), "failed");
	plan_free(plan);
	bench_end(&b);
}

static void many_failures_are_counted_and_long_messages_cut(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	char text[5001];

	(void)state;
	/* Two bytes a character, so that a cut at any odd place would halve one. */
	for (size_t i = 0; i < sizeof text - 1; i += 2)
		memcpy(text + i, "\u00e4", 2);
	text[sizeof text - 1] = '\0';
	bench_start(&b);
	b.fake.refusal = text;
	fake_rule(&b.fake, "create", "*", FAKE_REFUSES, 0);
	for (int i = 0; i < 1200; i++) {
		char address[64], name[16];

		snprintf(address, sizeof address, "app/r1/s/R%d", i);
		snprintf(name, sizeof name, "n%d", i);
		plan_create(plan, &b.fake, address, name);
	}
	assert_int_equal(bench_run(&b, plan), 0);
	json_auto_t *outcome = outcome_of(&b);
	assert_int_equal(json_get_int(outcome, "Failed", 0), 1200);
	assert_int_equal(json_get_int(outcome, "FailureCount", 0), 1200);
	assert_int_equal(json_array_size(json_object_get(outcome, "Failures")), 1000);
	const char *kept = json_get_string(failure_at(outcome, 0), "Message");
	assert_int_equal(strlen(kept), 1003);
	assert_string_equal(kept + 1000, "...");
	plan_free(plan);
	bench_end(&b);
}

static json_t *secret_of(void *payload, const json_t *source, const char *hmac, struct diag *d)
{
	(void)payload;
	(void)source;
	(void)hmac;
	(void)d;
	return json_string("hunter2");
}

static void a_secret_that_a_service_repeats_goes_no_further(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	b.options.secret = secret_of;
	b.fake.refusal = "hunter2 is too short, and \"hunter2\" is in every list";
	fake_rule(&b.fake, "create", "*", FAKE_REFUSES, 0);
	change = plan_create(plan, &b.fake, "app/r1/s/A", "a");
	json_object_set_new(change->after, "Secret",
			    json_pack("{s:{s:{s:s}, s:s}}", "Muster::Secret", "Source", "Env", "HOOK", "Hmac", "abcd"));
	assert_int_equal(bench_run(&b, plan), 0);
	assert_string_equal(b.report->failures[0].message,
			    "(sensitive) is too short, and \"(sensitive)\" is in every list");
	json_auto_t *outcome = outcome_of(&b);
	char *text = json_dumps(outcome, 0);
	assert_null(strstr(text, "hunter2"));
	free(text);
	plan_free(plan);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_failures_are_kept_with_their_causes),
	    cmocka_unit_test(where_nothing_was_done_it_failed),
	    cmocka_unit_test(many_failures_are_counted_and_long_messages_cut),
	    cmocka_unit_test(a_secret_that_a_service_repeats_goes_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
