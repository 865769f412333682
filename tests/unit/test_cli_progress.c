/* An apply as people and machines see it: bar, lines, JSON lines, and the summary by cause. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/summary.h"
#include "cli/words.h"
#include "plan/store.h"

static struct plan *fleet(int accounts, int regions)
{
	struct plan *plan = plan_new();

	plan->home_region = mem_strdup("r-0");
	for (int a = 0; a < accounts; a++) {
		for (int r = 0; r < regions; r++) {
			struct plan_change *change = plan_change_add(plan);
			mem_auto_str char *address = mem_printf("app-%d/r-%d/recording/Trail", a, r);
			mem_auto_str char *id = mem_printf("%012d", 111100000 + a);

			plan_change_address(plan, change, address);
			change->account_id = plan_keep(plan, id);
			change->type_name = plan_keep(plan, "AWS::CloudTrail::Trail");
			change->action = PLAN_CREATE;
		}
	}
	return plan;
}

/* -- Catching what goes to a file descriptor --------------------------------------------------------------------- */

static char caught_path[] = "/tmp/muster-test-XXXXXX";
static int caught_fd, saved_fd;

static void catch_start(int fd)
{
	fflush(stdout);
	strcpy(caught_path, "/tmp/muster-test-XXXXXX");
	caught_fd = mkstemp(caught_path);
	saved_fd = dup(fd);
	dup2(caught_fd, fd);
}

static char *catch_end(int fd)
{
	struct buf text = BUF_INIT;

	fflush(stdout);
	dup2(saved_fd, fd);
	close(saved_fd);
	close(caught_fd);
	text_file_read(&text, caught_path, 1 << 20);
	unlink(caught_path);
	return buf_detach(&text);
}

static const struct apply_progress half = {
    .total = 4000,
    .done = 1900,
    .failed = 60,
    .skipped = 40,
    .running = 30,
    .waiting = 1970,
    .provider = {.waiting = 4},
    .elapsed_ms = 5000,
    .eta_ms = 65432,
};

/* Drives one progress through a run. */
static void drive(const struct cli *cli, const struct plan *plan, bool json)
{
	const struct provider_result refused = {.outcome = PROVIDER_REFUSED,
						.code = "AccessDenied",
						.message = "not \033[2Jyours",
						.operation = "ct:Create"};
	struct progress *progress;
	struct apply_events events;
	struct apply_progress stopping = half;

	progress_new(&progress, cli, plan, json);
	events = progress_events(progress);
	events.recovered(events.payload, "app-0/r-0/recording/Old", "created after all: recorded");
	events.started(events.payload, &plan->changes[0]);
	events.progress(events.payload, &half);
	events.finished(events.payload, &plan->changes[0], APPLY_DONE, NULL, 412);
	events.finished(events.payload, &plan->changes[1], APPLY_FAILED, &refused, 12300);
	events.finished(events.payload, &plan->changes[2], APPLY_SKIPPED, NULL, 0);
	stopping.stopping = true;
	stopping.elapsed_ms += 10;
	events.progress(events.payload, &stopping);
	progress_free(progress);
}

static void lines_where_there_is_no_terminal(void **state)
{
	const struct cli cli = {.terminal = {.width = 80}};
	struct plan *plan = fleet(3, 1);
	char *text;

	(void)state;
	catch_start(STDERR_FILENO);
	drive(&cli, plan, false);
	text = catch_end(STDERR_FILENO);
	assert_string_equal(
	    text, "app-0/r-0/recording/Old: created after all: recorded\n"
		  "app-0/r-0/recording/Trail: created in 0.4 s\n"
		  "app-1/r-0/recording/Trail: create failed after 12 s: ct:Create: AccessDenied: not \\u{1B}[2Jyours\n"
		  "Stopping: nothing new is started; what is under way ends first. Once more: stop at once.\n");
	free(text);
	plan_free(plan);
}

static void a_bar_on_a_terminal(void **state)
{
	const struct cli cli = {.terminal = {.width = 120, .error_moves = true}};
	struct plan *plan = fleet(3, 1);
	char *text;

	(void)state;
	catch_start(STDERR_FILENO);
	drive(&cli, plan, false);
	text = catch_end(STDERR_FILENO);
	assert_non_null(strstr(text,
			       "\r\033[K[============>           ] 2,000/4,000, 30 in flight, 4 throttled, 60 failed, "
			       "40 skipped, ETA 1 min 05 s"));
	assert_null(strstr(text, "created in"));
	assert_non_null(strstr(text, "\r\033[Kapp-1/r-0/recording/Trail: create failed"));
	assert_true(text_ends(text, "stopping\r\033[K"));
	free(text);
	plan_free(plan);
}

static void a_bar_is_not_drawn_too_often(void **state)
{
	const struct cli cli = {.terminal = {.width = 120, .error_moves = true}};
	struct apply_progress now = half;
	struct progress *progress;
	struct apply_events events;
	size_t drawn = 0;
	char *text;

	(void)state;
	catch_start(STDERR_FILENO);
	progress_new(&progress, &cli, NULL, false);
	events = progress_events(progress);
	for (int ms = 0; ms < 1000; ms++) {
		now.elapsed_ms = ms;
		events.progress(events.payload, &now);
	}
	progress_free(progress);
	text = catch_end(STDERR_FILENO);
	for (const char *s = text; (s = strstr(s, "in flight")) != NULL; s++)
		drawn++;
	assert_int_equal(drawn, 10);
	free(text);
}

static void json_lines_for_machines(void **state)
{
	const struct cli cli = {.terminal = {.width = 120, .error_moves = true}};
	static const char *const types[] = {"recovered", "started", "progress", "finished", "finished", "finished"};
	struct plan *plan = fleet(3, 1);
	char *text, *rest, *line;
	size_t count = 0;

	(void)state;
	catch_start(STDOUT_FILENO);
	drive(&cli, plan, true);
	text = rest = catch_end(STDOUT_FILENO);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		json_t *event = json_loads(line, 0, NULL);

		assert_non_null(event);
		assert_true(count < sizeof types / sizeof *types);
		assert_string_equal(json_get_string(event, "type"), types[count]);
		assert_non_null(json_get_string(event, "time"));
		if (count == 2)
			assert_int_equal(json_get_int(event, "eta_ms", 0), 65432);
		if (count == 4)
			assert_string_equal(json_get_string(event, "code"), "AccessDenied");
		if (count == 5)
			assert_string_equal(json_get_string(event, "status"), "skipped");
		count++;
		json_decref(event);
	}
	assert_int_equal(count, 6);
	free(text);
	plan_free(plan);
}

/* 12 accounts x 2 regions; creates in three accounts failed, each with its own id in the message. */
static struct apply_report *failed_report(struct plan *plan)
{
	struct apply_report *report = mem_alloc(sizeof *report);

	static const char *const tries[] = {"", " (tried 2 times)", " (tried 10 times)"};

	report->failures = mem_array(10, sizeof *report->failures);
	report->generation = 8;
	report->created = report->done = 17;
	report->failed = 6;
	report->skipped = 1;
	report->elapsed_ms = 62000;
	report->provider.calls = 1234;
	report->provider.throttled = 5;
	for (size_t i = 0; i < 6; i++) {
		struct apply_failure *failure = &report->failures[report->failure_count++];

		failure->change = i;
		failure->status = APPLY_FAILED;
		failure->code = mem_strdup("AccessDenied");
		failure->operation = mem_strdup("cloudtrail:CreateTrail");
		failure->message =
		    mem_printf("arn:aws:sts::%s:assumed-role/x may not (request %08zx-1111-2222-3333-444455556666)%s",
			       plan->changes[i].account_id, i, tries[i % 3]);
	}
	report->failures[report->failure_count++] = (struct apply_failure){
	    .change = 7, .status = APPLY_SKIPPED, .because = mem_strdup(plan->changes[0].address)};
	return report;
}

static void report_free(struct apply_report *report)
{
	for (size_t i = 0; i < report->failure_count; i++) {
		free(report->failures[i].code);
		free(report->failures[i].message);
		free(report->failures[i].operation);
		free(report->failures[i].because);
	}
	free(report->failures);
	free(report);
}

static void failures_are_told_by_cause(void **state)
{
	struct plan *plan = fleet(12, 2);
	struct apply_report *report = failed_report(plan);
	buf_auto struct buf text = BUF_INIT;
	json_t *object = summary_json(plan, report), *cause;

	(void)state;
	summary_text(&text, plan, report, false);
	assert_string_equal(
	    buf_str(&text),
	    "Applied in part: 17 created, 6 failed, 1 skipped in 1 min 02 s (generation 8, 1,234 calls, 5 throttled).\n"
	    "\n"
	    "create failed: recording/Trail (AWS::CloudTrail::Trail)\n"
	    "    in 6 of 24 targets: app-0, app-1, app-2 x r-0, r-1\n"
	    "    cloudtrail:CreateTrail: AccessDenied: arn:aws:sts::${AWS::AccountId}:assumed-role/x may not "
	    "(request ...)\n"
	    "    1 skipped that need it\n"
	    "\n"
	    "What is done is recorded. Plan and apply again for the rest.\n");
	assert_string_equal(json_get_string(object, "type"), "summary");
	assert_int_equal(json_get_int(object, "failed", 0), 6);
	cause = json_array_get(json_object_get(object, "failures"), 0);
	assert_int_equal(json_get_int(cause, "count", 0), 6);
	assert_int_equal(json_array_size(json_object_get(cause, "addresses")), 6);
	json_decref(object);
	report_free(report);
	plan_free(plan);
}

static void all_well_is_one_line(void **state)
{
	struct plan *plan = fleet(1, 1);
	const struct apply_report report = {
	    .generation = 1, .done = 1, .created = 1, .elapsed_ms = 412, .provider = {.calls = 1}};
	buf_auto struct buf text = BUF_INIT;

	(void)state;
	summary_text(&text, plan, &report, false);
	assert_string_equal(buf_str(&text), "Applied: 1 created in 0.4 s (generation 1, 1 call).\n");
	plan_free(plan);
}

static void durations(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0.0 s"},    {412, "0.4 s"},        {9940, "9.9 s"},        {9960, "10 s"},
		     {59400, "59 s"}, {59600, "1 min 00 s"}, {3600000, "1 h 00 min"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_auto struct buf out = BUF_INIT;

		words_duration(&out, cases[i].ms);
		assert_string_equal(buf_str(&out), cases[i].text);
	}
}

static void lines_break_at_words(void **state)
{
	static const struct {
		const char *text;
		size_t indent, width;
		const char *wrapped;
	} cases[] = {
	    {"one two three", 0, 7, "one two\nthree\n"},
	    {"one two three", 4, 11, "one two\n    three\n"},
	    {"one\ntwo", 0, 80, "one two\n"},
	    {"one\n\ntwo", 0, 80, "one\n\ntwo\n"},
	    {"unbreakable word", 2, 6, "unbreakable\n  word\n"},
	    {"", 0, 10, "\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_auto struct buf out = BUF_INIT;

		words_wrap(&out, cases[i].text, cases[i].indent, cases[i].width);
		assert_string_equal(buf_str(&out), cases[i].wrapped);
	}
}

static void next_commands_can_be_pasted(void **state)
{
	static const struct {
		const char *directory, *command;
	} cases[] = {{".", "muster"},
		     {"specs/fleet-1", "muster -C specs/fleet-1"},
		     {"a b", "muster -C 'a b'"},
		     {"it's; $x", "muster -C 'it'\\''s; $x'"},
		     {"~", "muster -C '~'"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_auto struct buf out = BUF_INIT;

		words_muster(&out, cases[i].directory);
		assert_string_equal(buf_str(&out), cases[i].command);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_where_there_is_no_terminal),
	    cmocka_unit_test(a_bar_on_a_terminal),
	    cmocka_unit_test(a_bar_is_not_drawn_too_often),
	    cmocka_unit_test(json_lines_for_machines),
	    cmocka_unit_test(failures_are_told_by_cause),
	    cmocka_unit_test(all_well_is_one_line),
	    cmocka_unit_test(durations),
	    cmocka_unit_test(lines_break_at_words),
	    cmocka_unit_test(next_commands_can_be_pasted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
