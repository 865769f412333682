/* Limits: what counts, of how many, and that no file can talk its way round them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/store.h"

static json_t *parse(const char *text)
{
	mem_auto_str char *copy = mem_strdup(text);
	json_t *value;

	for (char *s = copy; *s != '\0'; s++)
		if (*s == '\'')
			*s = '"';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	if (value == NULL)
		fail_msg("no JSON: %s", text);
	return value;
}

static struct plan_change *add(struct plan *plan, const char *address, enum plan_action action, uint64_t version)
{
	struct plan_change *change = plan_change_add(plan);

	assert_int_equal(plan_change_address(plan, change, address), 0);
	change->action = action;
	change->version = version;
	return change;
}

/* Three deletions (one of them of what a replacement left), two replacements (one of them only perhaps), and what is
 * neither; of 20 recorded resources, in 3 of 5 targets. */
static struct plan *sample(void)
{
	struct plan *plan = plan_new();
	struct plan_change *change;

	plan->unchanged = 14;
	json_object_set_new(plan->reached, "s", parse("{'a':['r1','r2'],'b':['r1','r2']}"));
	add(plan, "a/r1/s/Gone", PLAN_DELETE, 1);
	add(plan, "c/r1/old/Gone", PLAN_DELETE, 2);
	change = add(plan, "a/r1/s/Left", PLAN_DELETE, 3);
	change->deposed = true;
	add(plan, "a/r1/s/Left", PLAN_UPDATE, 3);
	add(plan, "a/r1/s/Anew", PLAN_REPLACE, 4);
	change = add(plan, "a/r2/s/Perhaps", PLAN_UPDATE, 5);
	change->diff.may_replace = true;
	add(plan, "a/r2/s/New", PLAN_CREATE, 0);
	add(plan, "a/r2/s/There", PLAN_ADOPT, 0);
	add(plan, "a/r2/s/Forgotten", PLAN_FORGET, 6);
	return plan;
}

/* What is over under `limits`, one a line. */
static void over(const char *limits_text, const char *expected)
{
	json_auto_t *limits = parse(limits_text), *found = NULL;
	struct plan *plan = sample();
	struct diag d = DIAG_INIT;
	buf_auto struct buf text = BUF_INIT;
	json_t *item;
	size_t i;

	assert_int_equal(plan_limits_find(&found, plan, limits, false, &d), 0);
	json_array_foreach(json_object_get(found, "Over"), i, item) buf_addf(&text, "%s\n", json_string_value(item));
	assert_string_equal(buf_str(&text), expected);
	assert_true(json_equal(json_object_get(found, "Limits"), limits));
	plan_free(plan);
}

static void what_counts(void **state)
{
	(void)state;
	over("{'MaxDelete':3,'MaxReplace':2,'MaxTargets':3}", "");
	over("{'MaxDelete':2}", "deletes 3, MaxDelete is 2\n");
	over("{'MaxReplace':1}", "replaces 2, MaxReplace is 1\n");
	over("{'MaxTargets':2}", "changes 3 targets, MaxTargets is 2\n");
	over("{'MaxDelete':0,'MaxReplace':0,'MaxTargets':0}",
	     "deletes 3, MaxDelete is 0\nreplaces 2, MaxReplace is 0\nchanges 3 targets, MaxTargets is 0\n");
}

static void percentages_are_of_what_there_is(void **state)
{
	(void)state;
	/* rounded up: 11% of 20 is 2.2 */
	over("{'MaxDelete':'11%'}", "");
	over("{'MaxDelete':'10%'}", "deletes 3, MaxDelete is 10% of 20 recorded resources: 2\n");
	over("{'MaxReplace':'5.01%'}", "");
	over("{'MaxReplace':'5%'}", "replaces 2, MaxReplace is 5% of 20 recorded resources: 1\n");
	over("{'MaxTargets':'60%'}", "");
	over("{'MaxTargets':'40%'}", "changes 3 targets, MaxTargets is 40% of 5 targets: 2\n");
	over("{'MaxTargets':'0%'}", "changes 3 targets, MaxTargets is 0% of 5 targets: 0\n");
}

static void what_is_a_limit(void **state)
{
	static const char *const bad[] = {"-1",     "1.5",   "true",  "null",  "'5'",   "'%'",      "'-1%'",
					  "'101%'", "'5 %'", "'5%%'", "'.5%'", "'5.%'", "'0.125%'", "'100.01%'"};
	size_t most;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		json_auto_t *limit = parse(bad[i]);

		if (plan_limit_parse(&most, limit, 10) == 0)
			fail_msg("%s was taken", bad[i]);
	}
	json_auto_t *whole = parse("'100%'"), *small = parse("'0.25%'"), *number = parse("7");

	assert_int_equal(plan_limit_parse(&most, whole, 10), 0);
	assert_int_equal(most, 10);
	assert_int_equal(plan_limit_parse(&most, small, 1000), 0);
	assert_int_equal(most, 3);
	assert_int_equal(plan_limit_parse(&most, small, 0), 0);
	assert_int_equal(most, 0);
	assert_int_equal(plan_limit_parse(&most, number, 0), 0);
	assert_int_equal(most, 7);
}

static void applied_only_within_the_limits(void **state)
{
	json_auto_t *loose = parse("{'MaxDelete':10}"), *tight = parse("{'MaxDelete':1}"),
		    *wrong = parse("{'MaxDelete':[]}");
	struct plan *plan = sample();
	struct diag d = DIAG_INIT;

	(void)state;
	assert_int_equal(plan_limits_check(plan, NULL, NULL, &d), 0);
	assert_int_equal(plan_limits_check(plan, loose, NULL, &d), 0);
	assert_int_equal(plan_limits_check(plan, tight, NULL, &d), -1);
	assert_string_equal(diag_first_error(&d),
			    "this plan is over the limits of muster.json: it deletes 3, MaxDelete is 1");
	diag_free(&d);
	assert_int_equal(plan_limits_check(plan, wrong, NULL, &d), -1);
	diag_free(&d);
	/* under those that it was made with, whatever the list in it says */
	assert_int_equal(plan_limits_find(&plan->limits, plan, tight, false, &d), 0);
	json_object_set_new(plan->limits, "Over", json_array());
	assert_int_equal(plan_limits_check(plan, NULL, NULL, &d), -1);
	assert_string_equal(diag_first_error(&d),
			    "this plan is over the limits of its specs: it deletes 3, MaxDelete is 1");
	diag_free(&d);
	json_decref(plan->limits);
	assert_int_equal(plan_limits_find(&plan->limits, plan, tight, true, &d), 0);
	assert_true(json_is_true(json_object_get(plan->limits, "Overridden")));
	assert_int_equal(plan_limits_check(plan, tight, NULL, &d), 0);
	json_decref(plan->limits);
	assert_int_equal(plan_limits_find(&plan->limits, plan, loose, true, &d), 0);
	assert_true(json_is_false(json_object_get(plan->limits, "Overridden")));
	plan_free(plan);
}

static void no_limits(void **state)
{
	json_auto_t *none = json_object(), *found = NULL;
	struct plan *plan = sample();
	struct diag d = DIAG_INIT;

	(void)state;
	assert_int_equal(plan_limits_find(&found, plan, NULL, true, &d), 0);
	assert_null(found);
	assert_int_equal(plan_limits_find(&found, plan, none, true, &d), 0);
	assert_null(found);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_counts),     cmocka_unit_test(percentages_are_of_what_there_is),
	    cmocka_unit_test(what_is_a_limit), cmocka_unit_test(applied_only_within_the_limits),
	    cmocka_unit_test(no_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
