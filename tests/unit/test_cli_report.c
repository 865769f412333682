/* The head of a report in markdown: it fits, says what it leaves out, and nothing from outside gets out of its code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/report.h"

static struct schema_set *schemas;

static int setup(void **state)
{
	struct diag d = DIAG_INIT;

	(void)state;
	return schema_set_new(&schemas, &d);
}

static int teardown(void **state)
{
	(void)state;
	schema_set_free(schemas);
	return 0;
}

/* A report of one thing done and nothing failed. */
static void report_begin(struct report *report, const char *outcome)
{
	json_auto_t *body =
	    json_pack("{s:s, s:s, s:{}}", "Type", "X::Y::Old", "AccountId", "111111111111", "Properties");
	struct diag d = DIAG_INIT;

	*report = (struct report){0};
	assert_int_equal(plan_history_change(&report->plan, "app/r1/s/Old", NULL, body, schemas, &d), 0);
	report->failed = mem_alloc(sizeof *report->failed);
	report->generation =
	    json_pack("{s:i, s:s, s:{s:s, s:s, s:s}, s:o}", "Number", 5, "Status", "finished", "Facts", "User", "ka`to",
		      "Host", "jump\033[1m", "Commit", "abc", "Outcome", json_loads(outcome, 0, NULL));
}

static void add_failure(struct report *report, const char *address, const char *message)
{
	struct apply_report *failed = report->failed;

	assert_int_equal(plan_history_add(report->plan, address, "111111111111", "X::Y::Thing", PLAN_CREATE), 0);
	failed->failures = mem_resize(failed->failures, failed->failure_count + 1, sizeof *failed->failures);
	failed->failures[failed->failure_count++] = (struct apply_failure){
	    .change = report->plan->change_count - 1,
	    .status = APPLY_FAILED,
	    .code = mem_strdup("Denied"),
	    .message = mem_strdup(message),
	    .operation = mem_strdup("y:Make"),
	};
}

static void report_end(struct report *report)
{
	causes_free(&report->causes);
	apply_report_free(report->failed);
	plan_free(report->plan);
	json_decref(report->generation);
}

static void what_comes_from_outside_stays_in_code(void **state)
{
	buf_auto struct buf out = BUF_INIT;
	struct report report;

	(void)state;
	report_begin(&report, "{\"Result\": \"partial\", \"Created\": 1, \"Failed\": 1, \"ElapsedMs\": 4200}");
	add_failure(&report, "app/r1/s/A", "no\n</details> @team **may** `do` \033]0;x\007 that");
	causes_find(&report.causes, report.plan, report.failed);
	report_markdown_head(&out, &report, 10000);
	assert_string_equal(buf_str(&out),
			    "## muster apply: generation 5 partial\n\n"
			    "1 created, 1 failed in 4.2 s.\n\n"
			    "- by `ka'to@jump\\u{1B}[1m`\n"
			    "- from commit `abc`\n\n"
			    "### What failed\n\n"
			    "**create** `s/A` (`X::Y::Thing`) in `app/r1`:\n\n"
			    "    y:Make: Denied: no </details> @team **may** `do` \\u{1B}]0;x\\u{7} that\n\n");
	report_end(&report);
}

static void many_causes_are_folded_and_it_says_so(void **state)
{
	buf_auto struct buf out = BUF_INIT;
	struct report report;

	(void)state;
	report_begin(&report, "{\"Result\": \"partial\", \"Failed\": 1500}");
	for (int i = 0; i < 1000; i++) {
		mem_auto_str char *address = mem_printf("app/r%d/s/A", i);
		mem_auto_str char *message = mem_printf("reason number %d of many, each of them another one", i);

		add_failure(&report, address, message);
	}
	causes_find(&report.causes, report.plan, report.failed);
	assert_int_equal(report.causes.count, 1000);
	report.failures_kept = 1000;
	report.failures = 1500;
	report_markdown_head(&out, &report, REPORT_MARKDOWN_MAX / 2);
	assert_true(out.len <= REPORT_MARKDOWN_MAX / 2);
	assert_true(out.len > REPORT_MARKDOWN_MAX / 3);
	assert_non_null(strstr(buf_str(&out), " more causes: `muster show --apply 5` tells.\n"));
	assert_non_null(strstr(buf_str(&out), "The state keeps the first 1,000 of 1,500 failures: these.\n"));
	report_end(&report);
}

static void where_nothing_failed_nothing_is_said_of_it(void **state)
{
	buf_auto struct buf out = BUF_INIT;
	struct report report;

	(void)state;
	report_begin(&report, "{\"Result\": \"complete\", \"Created\": 1}");
	causes_find(&report.causes, report.plan, report.failed);
	report_markdown_head(&out, &report, 10000);
	assert_null(strstr(buf_str(&out), "failed"));
	report_end(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_comes_from_outside_stays_in_code),
	    cmocka_unit_test(many_causes_are_folded_and_it_says_so),
	    cmocka_unit_test(where_nothing_failed_nothing_is_said_of_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
