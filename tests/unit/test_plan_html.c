/* The plan as a page: that it is one file with a policy that fits it, and that no value breaks out of its data. */
#include "tests/unit/plan_fixture.h"

#include "base/text.h"
#include "plan/page.h"

static char *render(const struct plan *plan)
{
	struct buf out = BUF_INIT;

	plan_render_html(&out, plan);
	return buf_detach(&out);
}

static char *between(const char *text, const char *start, const char *end)
{
	const char *from = strstr(text, start), *to = from != NULL ? strstr(from + strlen(start), end) : NULL;

	if (to == NULL)
		fail_msg("no %s ... %s", start, end);
	return mem_strndup(from + strlen(start), (size_t)(to - from) - strlen(start));
}

static json_t *data_of(const char *page)
{
	mem_auto_str char *text = between(page, "<script id=\"data\" type=\"application/json\">", "</script>");
	json_t *data = json_loads(text, 0, NULL);

	assert_non_null(data);
	return data;
}

static size_t count(const char *text, const char *part)
{
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
		found++;
	return found;
}

static void the_policy_names_what_stands_inline(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *page = render(plan), *policy = between(page, "Content-Security-Policy\" content=\"", "\"");
	mem_auto_str char *style = between(page, "<style>", "</style>"),
			  *script = between(page, "<script>", "</script>");
	const char *const parts[] = {style, script};

	(void)state;
	holds(policy, "default-src 'none'");
	holds_not(policy, "unsafe");
	for (size_t i = 0; i < 2; i++) {
		buf_auto struct buf source = BUF_INIT;
		uint8_t digest[32];

		text_sha256(digest, parts[i], strlen(parts[i]));
		text_base64(&source, digest, sizeof digest);
		holds(policy, buf_str(&source));
	}
	holds_not(page, "http://");
	holds_not(page, "https://");
	holds_not(page, "{{");
	holds_not(page, " src=");
	holds_not(plan_page_script, "innerHTML");
	plan_free(plan);
}

static void values_cannot_break_out(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *page = NULL;
	json_t *data, *line;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL,
	    "{'Code':'</script><script>alert(1)</script><!--<script>&lt;','Name':'a\\u2028b\\u2029c'}");
	plan_note_add(plan, PLAN_NOTE_OTHER, "app-0", NULL, "</script>", "<!-- </SCRIPT> ]]> \xff \xe2\x80\xa8");
	page = render(plan);
	assert_int_equal(count(page, "</script>"), 2);
	assert_int_equal(count(page, "<script"), 2);
	assert_int_equal(count(page, "<!--"), 0);
	assert_int_equal(count(page, "\xe2\x80\xa8"), 0);
	assert_int_equal(count(page, "\xff"), 0);
	data = data_of(page);
	line = json_array_get(
	    json_array_get(json_object_get(json_array_get(json_object_get(data, "entries"), 0), "l"), 0), 2);
	assert_string_equal(json_string_value(line), "Code: \"</script><script>alert(1)</script><!--<script>&lt;\"");
	json_decref(data);
	plan_free(plan);
}

/* Text and markdown show long values by beginning and end. */
static void long_values_are_whole(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *page = NULL, *long_text = mem_alloc(3001), *after = NULL;

	(void)state;
	memset(long_text, 'x', 3000);
	reach(plan, "s", 1, 1);
	after = mem_printf("{'Code':'%s','Name':'a\\u200b'}", long_text);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, after);
	page = render(plan);
	holds(page, long_text);
	holds(page, "a\\\\u{200B}");
	plan_free(plan);
}

static void a_large_fleet_is_a_small_page(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *page = NULL;
	json_t *data, *entry, *wanted;

	(void)state;
	reach(plan, "recording", 1000, 17);
	for (int a = 0; a < 1000; a++)
		for (int r = 0; r < 17; r++)
			if (a != 7)
				add(plan, a, r, "recording/Trail", PLAN_UPDATE, "{'Bucket':'logs-%I'}",
				    "{'Bucket':'logs-%I-%R'}");
	page = render(plan);
	assert_true(strlen(page) < 100000);
	data = data_of(page);
	assert_int_equal(json_array_size(json_object_get(data, "accounts")), 1000);
	assert_int_equal(json_array_size(json_object_get(data, "regions")), 17);
	assert_string_equal(json_string_value(json_array_get(json_object_get(data, "regions"), 0)), "r-home-1");
	entry = json_array_get(json_object_get(data, "entries"), 0);
	/* In two runs: what is before app-7, and what is after it. */
	wanted = json_pack("[i, i, i, i]", 0, 7 * 17, 8 * 17, 992 * 17);
	assert_true(json_equal(json_object_get(entry, "m"), wanted));
	json_decref(wanted);
	json_decref(data);
	plan_free(plan);
}

static void secrets_are_not_in_the_page(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *page = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_UPDATE, "{'Token':'hunter2'}", "{'Token':'hunter3'}");
	page = render(plan);
	holds_not(page, "hunter");
	holds(page, "(sensitive, changed)");
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_policy_names_what_stands_inline),
	    cmocka_unit_test(values_cannot_break_out),
	    cmocka_unit_test(long_values_are_whole),
	    cmocka_unit_test(a_large_fleet_is_a_small_page),
	    cmocka_unit_test(secrets_are_not_in_the_page),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
