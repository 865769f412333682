/* The plan as markdown: what it says, that it always fits, and that nothing in a value becomes markup. */
#include "plan/markdown_document.h"
#include "tests/unit/plan_fixture.h"

static char *render(const struct plan *plan, size_t max)
{
	const struct plan_markdown_options options = {.max = max};
	struct buf out = BUF_INIT;

	plan_render_markdown(&out, plan, &options);
	if (getenv("SHOW") != NULL)
		fprintf(stderr, "%s----\n", buf_str(&out));
	return buf_detach(&out);
}

/* Lines that are no part of a fenced block. Every fence that opens is closed, or the test fails. */
static char *outside_fences(const char *text)
{
	struct buf out = BUF_INIT;
	size_t fence = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n"), ticks = strspn(text, "`");
		bool only_ticks = ticks == len;

		if (fence == 0 && ticks >= 3)
			fence = ticks;
		else if (fence > 0 && ticks >= fence && only_ticks)
			fence = 0;
		else if (fence == 0) {
			buf_add(&out, text, len);
			buf_addc(&out, '\n');
		}
		text += len + (text[len] == '\n');
	}
	assert_int_equal(fence, 0);
	return buf_detach(&out);
}

static size_t count(const char *text, const char *part)
{
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
		found++;
	return found;
}

static void it_says_what_a_reviewer_needs(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 3, 2);
	plan->commit = mem_strdup("0123abc");
	plan->lineage = mem_strdup("01LINEAGE");
	plan->generation = 7;
	memset(plan->digest, 'd', 64);
	for (int a = 0; a < 3; a++)
		for (int r = 0; r < 2; r++)
			add(plan, a, r, "s/Trail", PLAN_REPLACE, "{'Name':'old','Size':1}", "{'Name':'new','Size':1}");
	add(plan, 0, 0, "s/Gone", PLAN_DELETE, "{'Name':'x'}", NULL);
	text = render(plan, 0);
	holds(text, "### muster plan\n\n| | replace | delete |\n|---|--:|--:|\n| resources | 6 | 1 |\n"
		    "| targets, of 6 | 6 | 1 |\n\n");
	holds(text, "<details><summary><code>-/+</code> <b>replace</b> <code>s/Trail</code> (X::Y::Trail) in all 6 "
		    "targets</summary>\n\n```diff\n# forces replacement: Name\n! Name: \"old\" -> \"new\"  # forces "
		    "replacement\n```\n\n</details>\n");
	assert_true(strstr(text, "s/Gone") < strstr(text, "s/Trail"));
	holds(text, "<code>digest ddd");
	holds(text, "<code>commit 0123abc</code>");
	holds(text, "<code>generation 7</code>");
	holds(text, "<code>muster apply FILE</code>");
	holds_not(text, "Folded");
	plan_free(plan);
}

static void values_stay_values(void **state)
{
	static const char *const bad[] = {"<script>", "</details>", "<img",        "@everyone",
					  "[click](", "#12 ",       "| injected |"};
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL, *outside = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL,
	    "{'Code':'```\\n</details>\\n``````\\n@everyone <script>alert(1)</script>','Name':'`````','Bucket':'a|b'}");
	plan_note_add(plan, PLAN_NOTE_OTHER, "app-0", "r-home-1", "a/b/<img src=x>/[click](https://evil.example)",
		      "| injected | @everyone #12 <script>\n</details>\n```\n# heading");
	plan->limits = parse("{'Over':['</details><script>@everyone'],'Overridden':false}");
	plan->signatures = parse("[{'Key':'SHA256:x','Comment':'</code><script> | @everyone'}]");
	plan->base = mem_strdup("<script>");
	text = render(plan, 0);
	outside = outside_fences(text);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (strcmp(bad[i], "</details>") != 0)
			holds_not(outside, bad[i]);
	assert_int_equal(count(outside, "</details>"), count(outside, "<details>"));
	assert_int_equal(count(outside, "<details>"), 1);
	/* A fence is longer than any run of backticks in it. */
	holds(text, "```````diff\n");
	holds(outside, "&#64;&#8203;everyone");
	holds(outside, "> [!CAUTION]\n");
	plan_free(plan);
}

/* Many different entries of each kind. */
static struct plan *big_plan(int entries)
{
	struct plan *plan = plan_begin();
	buf_auto struct buf code = BUF_INIT;

	reach(plan, "s", 3, 1);
	for (int i = 0; i < 60; i++)
		buf_addf(&code, "line %d of something that is rather long, as lines of code often are\\n", i);
	for (int i = 0; i < entries; i++) {
		mem_auto_str char *id = mem_printf("s/R%d", i), *x = mem_printf("{'Code':'%d %s'}", i, buf_str(&code));
		enum plan_action action = i % 4 == 0   ? PLAN_DELETE
					  : i % 4 == 1 ? PLAN_REPLACE
					  : i % 4 == 2 ? PLAN_UPDATE
						       : PLAN_CREATE;

		add(plan, 0, 0, id, action, action == PLAN_CREATE ? NULL : "{'Name':'a','Code':'x'}",
		    action == PLAN_DELETE ? NULL : x);
	}
	return plan;
}

static void it_always_fits(void **state)
{
	static const int sizes[] = {1, 20, 60, 200, 3000};
	static const size_t limits[] = {0, 65536, 20000, 5000, 1500, 1000};

	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		struct plan *plan = big_plan(sizes[s]);

		for (size_t i = 0; i < 300; i++) {
			mem_auto_str char *why = mem_printf("reason %zu, in \xc3\xa4 few words", i);

			plan_note_add(plan, PLAN_NOTE_UNREACHABLE, "app-0", NULL, NULL, why);
		}
		for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
			mem_auto_str char *text = render(plan, limits[l]), *outside = outside_fences(text);

			assert_true(strlen(text) <= (limits[l] == 0 ? 65536 : limits[l]));
			assert_int_equal(count(outside, "<details>"), count(outside, "</details>"));
			if (sizes[s] >= 200)
				holds(text, "<code>muster show FILE</code>");
		}
		plan_free(plan);
	}
}

static void the_least_important_is_folded_first(void **state)
{
	struct plan *plan = big_plan(60);
	mem_auto_str char *all = render(plan, 10000000), *some = NULL, *few = NULL;

	(void)state;
	assert_int_equal(count(all, "<details>"), 45); /* of what goes there is nothing more to say */
	some = render(plan, strlen(all) - 20000);
	assert_int_equal(count(some, "<details><summary><code>-/+</code> <b>replace"), 15);
	assert_true(count(some, "<details><summary><code>+</code> <b>create") < 15);
	assert_int_equal(count(some, "<b>create</b>"), 15);
	holds(some, "> [!NOTE]\n> Folded to fit: the details of ");
	holds(some, " create entries. All of it: <code>muster show FILE</code>");
	few = render(plan, 3000);
	holds(few, "| action | type | entries | resources |\n|---|---|--:|--:|\n");
	holds(few, "| create | <code>X::Y::Trail</code> | 15 | 15 |\n");
	holds(few, "are only counted in a table");
	plan_free(plan);
}

static void sections_and_reports_have_headings(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL, *drift = NULL;

	(void)state;
	reach(plan, "s", 2, 1);
	plan->base = mem_strdup("feedbeef");
	add(plan, 0, 0, "s/A", PLAN_UPDATE, "{'Size':1}", "{'Size':2}");
	add(plan, 1, 0, "s/A", PLAN_UPDATE, "{'Size':1}", "{'Size':2}")->pending = true;
	text = render(plan, 0);
	holds(text, "#### Introduced by this branch: 1 to update in 1 of 2 targets\n\n<details>");
	holds(text, "at feedbeef: 1 to update in 1 of 2 targets\n\n<details>");
	plan->drift = true;
	drift = render(plan, 0);
	holds(drift, "### muster plan: Drift: what AWS has now against what is recorded\n");
	holds(drift, "| | changed |\n");
	holds_not(drift, "muster apply");
	plan_free(plan);
}

static void nothing_to_do_is_said(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = render(plan, 0);

	(void)state;
	holds(text, "**No changes.**\n\n1,234 resources are as specified.\n");
	plan_free(plan);
}

/* Remarks count, and what is left out is said. */
static void what_is_cut_is_said(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL, *long_text = mem_alloc(1001);

	(void)state;
	memset(long_text, 'x', 1000);
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, "{'Code':'a'}");
	plan_note_add(plan, PLAN_NOTE_OTHER, "app-0", NULL, NULL, long_text);
	plan->signatures = json_array();
	for (int i = 0; i < 23; i++) {
		json_t *signature = json_pack("{s:s, s:o}", "Key", "SHA256:x", "Comment", json_sprintf("signer %d", i));

		json_array_append_new(plan->signatures, signature);
	}
	text = render(plan, 0);
	holds(text, "> Folded to fit: 3 signatures are left out; 1 text is cut short. All of it: ");
	plan_free(plan);
}

static void a_block_is_bounded_with_its_remarks(void **state)
{
	mem_auto_str char *long_text = mem_alloc(15001);
	struct plan_entry entry = {
	    .sign = "~", .verb = "update", .title = "s/A", .type = "X", .where = "a", .count = 1};
	buf_auto struct buf text = BUF_INIT;

	(void)state;
	memset(long_text, 'x', 15000);
	for (int i = 0; i < 5; i++)
		plan_lines_add(&entry.lines, 0, '+', "Code: 1", long_text);
	markdown_put_entry(&text, &entry, FOLD_NONE);
	holds(buf_str(&text), "# and 4 more lines: --format json has all\n");
	assert_true(text.len < 17000);
	plan_lines_free(&entry.lines);
}

static void no_address_becomes_a_link(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	plan_note_add(plan, PLAN_NOTE_OTHER, "www.evil.example", NULL, NULL, "see WWW.evil.example");
	text = render(plan, 0);
	holds_not(text, "www.");
	holds_not(text, "WWW.");
	holds(text, "www&#8203;&#46;evil.example");
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_says_what_a_reviewer_needs),
	    cmocka_unit_test(values_stay_values),
	    cmocka_unit_test(it_always_fits),
	    cmocka_unit_test(the_least_important_is_folded_first),
	    cmocka_unit_test(sections_and_reports_have_headings),
	    cmocka_unit_test(nothing_to_do_is_said),
	    cmocka_unit_test(what_is_cut_is_said),
	    cmocka_unit_test(a_block_is_bounded_with_its_remarks),
	    cmocka_unit_test(no_address_becomes_a_link),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
