/* Outputs in plans: how they are shown, and that a plan file has them whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "plan/store.h"
#include "plan_fixture.h"

static struct plan_output *output(struct plan *plan, int account, int region, const char *name, const char *before,
				  const char *after)
{
	mem_auto_str char *address = region == 0 ? mem_printf("app-%d/r-home-1/audit", account)
						 : mem_printf("app-%d/r-north-%d/audit", account, region);
	struct plan_output *made = plan_output_add(plan, address, name);

	assert_non_null(made);
	made->action = before == NULL ? PLAN_CREATE : after == NULL ? PLAN_DELETE : PLAN_UPDATE;
	if (before != NULL) {
		mem_auto_str char *text = fill(before, made->account, "", made->region);
		made->before = parse(text);
	}
	if (after != NULL) {
		mem_auto_str char *text = fill(after, made->account, "", made->region);
		made->after = parse(text);
	}
	return made;
}

static char *text_of(const struct plan *plan)
{
	const struct plan_text_options options = {.width = 100};
	buf_auto struct buf out = BUF_INIT;

	plan_render_text(&out, plan, &options);
	return buf_detach(&out);
}

static char *markdown_of(const struct plan *plan, size_t max)
{
	const struct plan_markdown_options options = {.max = max};
	buf_auto struct buf out = BUF_INIT;

	plan_render_markdown(&out, plan, &options);
	return buf_detach(&out);
}

static void the_same_everywhere_is_one_entry(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "audit", 20, 5);
	for (int a = 0; a < 20; a++)
		for (int r = 0; r < 5; r++)
			output(plan, a, r, "Queue", "'https://queue.%R/old'", "'https://queue.%R/new'");
	text = text_of(plan);
	holds(text, "Outputs\n~ update audit/Queue in all 100 targets\n");
	holds(text, "~ \"https://queue.${AWS::Region}/old\" -> \"https://queue.${AWS::Region}/new\"");
	holds(text, "Plan: 0 to create");
	holds(text, "Outputs: 100 to update.\n");
	holds_not(text, "No changes");
	plan_free(plan);
}

static void what_cannot_be_shown_is_not(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "audit", 1, 1);
	output(plan, 0, 0, "Arn", "'arn:old'", "{'Muster::Attribute':['app-0/r-home-1/audit/Trail','Arn']}");
	output(plan, 0, 0, "Key", NULL, "{'Muster::Secret':{'Source':{'Env':'KEY'},'Hmac':'00'}}");
	output(plan, 0, 0, "Gone", "'x'", NULL);
	text = text_of(plan);
	holds(text, "~ \"arn:old\" -> (known after apply: Arn of audit/Trail)");
	holds(text, "+ create audit/Key in app-0/r-home-1\n    + (sensitive)\n");
	holds(text, "- delete audit/Gone in app-0/r-home-1\n");
	holds(text, "Outputs: 1 to create, 1 to update, 1 to delete.\n");
	holds_not(text, "KEY");
	plan_free(plan);
}

static void what_is_only_taken_up_is_no_change(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "audit", 1, 1);
	output(plan, 0, 0, "Arn", NULL, "'arn:x'")->action = PLAN_NOOP;
	assert_false(plan_has_work(plan));
	text = text_of(plan);
	holds(text, "No changes.");
	holds_not(text, "Outputs");
	output(plan, 0, 0, "Word", NULL, "'x'");
	assert_true(plan_has_work(plan));
	plan_free(plan);
}

/* They are the first to be folded: entries of resources keep their diff. */
static void markdown_folds_outputs_first(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *whole = NULL, *folded = NULL;

	(void)state;
	reach(plan, "audit", 1, 1);
	add(plan, 0, 0, "audit/Trail", PLAN_UPDATE, "{'Name':'a','Bucket':'before'}", "{'Name':'a','Bucket':'after'}");
	for (int i = 0; i < 40; i++) {
		buf_auto struct buf value = BUF_INIT;
		mem_auto_str char *name = mem_printf("Output%d", i);

		/* No two alike, or they would be one entry. */
		for (int k = 0; k <= i; k++)
			buf_addf(&value, "%s%d", k == 0 ? "[" : ",", i);
		buf_addc(&value, ']');
		output(plan, 0, 0, name, NULL, buf_str(&value));
	}
	whole = markdown_of(plan, 0);
	holds(whole, "#### Outputs");
	holds(whole, "Outputs: 40 to create.");
	folded = markdown_of(plan, strlen(whole) - 100);
	assert_true(strlen(folded) <= strlen(whole) - 100);
	holds(folded, "before");
	holds(folded, "create entr");
	holds_not(folded, "update entr");
	plan_free(plan);
}

static void only_outputs_are_no_empty_table(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;
	buf_auto struct buf page = BUF_INIT;

	(void)state;
	reach(plan, "audit", 1, 1);
	/* Of a target that is nowhere else. */
	output(plan, 7, 3, "Word", "'a'", "'b'");
	text = markdown_of(plan, 0);
	holds(text, "No resource changes, only outputs.");
	holds_not(text, "| resources |");
	plan_render_html(&page, plan);
	holds(buf_str(&page), "audit/Word");
	holds(buf_str(&page), "app-7");
	plan_free(plan);
}

static void a_file_has_them_whole(void **state)
{
	char path[] = "/tmp/muster-test-XXXXXX";
	struct plan *plan = plan_begin(), *again = NULL;
	struct plan_output *one;
	struct diag d = DIAG_INIT;
	json_auto_t *first = NULL, *second = NULL;
	const json_t *theirs;

	(void)state;
	close(mkstemp(path));
	plan->lineage = mem_strdup("01L");
	one = output(plan, 1, 0, "Word", "{'a':{'Muster::Secret':{}}}",
		     "{'a':{'Muster::Attribute':['app-1/r-home-1/audit/Trail','Arn']},'b':[1]}");
	one->recorded = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	one->moved_from = "old/r-home-1/audit";
	one->depends = plan_keep_array(plan, 1, sizeof *one->depends);
	one->depends[one->depend_count++] = "app-1/r-home-1/other";
	output(plan, 0, 0, "New", NULL, "'x'")->action = PLAN_NOOP;
	plan_outputs_sort(plan);
	if (plan_file_write(plan, path, &d) < 0 || plan_file_read(&again, path, schemas, &d) < 0)
		fail_msg("%s", diag_first_error(&d));
	assert_int_equal(again->output_count, 2);
	assert_string_equal(again->outputs[0].address, "app-0/r-home-1/audit");
	assert_int_equal(again->outputs[0].action, PLAN_NOOP);
	one = &again->outputs[1];
	assert_string_equal(one->account, "app-1");
	assert_string_equal(one->region, "r-home-1");
	assert_string_equal(one->stack, "audit");
	assert_string_equal(one->moved_from, "old/r-home-1/audit");
	assert_string_equal(one->depends[0], "app-1/r-home-1/other");
	first = plan_to_json(plan);
	second = plan_to_json(again);
	assert_true(json_equal(first, second));
	assert_true(json_is_true(json_object_get(first, "applyable")));
	theirs = json_object_get(first, "output_changes");
	assert_int_equal(json_object_size(theirs), 1);
	theirs = json_object_get(theirs, "app-1/r-home-1/audit.Word");
	assert_true(json_is_true(json_object_get(json_object_get(theirs, "after_unknown"), "a")));
	assert_null(json_object_get(json_object_get(theirs, "after"), "a"));
	assert_true(json_is_true(json_object_get(json_object_get(theirs, "before_sensitive"), "a")));
	unlink(path);
	diag_free(&d);
	plan_free(plan);
	plan_free(again);
}

static void an_address_has_three_parts(void **state)
{
	struct plan *plan = plan_begin();

	(void)state;
	assert_null(plan_output_add(plan, "a/b", "x"));
	assert_null(plan_output_add(plan, "a/b/", "x"));
	assert_null(plan_output_add(plan, "/b/c", "x"));
	assert_null(plan_output_add(plan, "a//c", "x"));
	assert_null(plan_output_add(plan, "a/b/c/d", "x"));
	assert_non_null(plan_output_add(plan, "a/b/c", "x"));
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_everywhere_is_one_entry),   cmocka_unit_test(what_cannot_be_shown_is_not),
	    cmocka_unit_test(what_is_only_taken_up_is_no_change), cmocka_unit_test(markdown_folds_outputs_first),
	    cmocka_unit_test(only_outputs_are_no_empty_table),    cmocka_unit_test(a_file_has_them_whole),
	    cmocka_unit_test(an_address_has_three_parts),
	};

	return cmocka_run_group_tests_name("plan outputs", tests, setup, teardown);
}
