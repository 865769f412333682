/* The plan as people read it: the same change once, where it is, what differs, in what order, and how much. */
#include <ctype.h>
#include <time.h>

#include "plan/view.h"
#include "tests/unit/plan_fixture.h"

static char *render(const struct plan *plan)
{
	const struct plan_text_options options = {.width = 80};
	struct buf out = BUF_INIT;

	plan_render_text(&out, plan, &options);
	if (getenv("SHOW") != NULL)
		fprintf(stderr, "%s----\n", buf_str(&out));
	return buf_detach(&out);
}

/* The plan's text is `expected` from its beginning. */
static void reads(struct plan *plan, const char *expected)
{
	mem_auto_str char *text = render(plan);

	if (strncmp(text, expected, strlen(expected)) != 0)
		assert_string_equal(text, expected);
	plan_free(plan);
}

static void same_change_is_said_once(void **state)
{
	struct plan *plan = plan_begin();

	(void)state;
	reach(plan, "recording", 12, 17);
	for (int a = 0; a < 12; a++)
		for (int r = 0; r < 17; r++)
			add(plan, a, r, "recording/Trail", PLAN_UPDATE, "{'Tags':[{'Key':'Owner','Value':'security'}]}",
			    "{'Tags':[{'Key':'Owner','Value':'team-a'}]}");
	reads(plan, "~ update recording/Trail (X::Y::Trail)\n"
		    "    in all 204 targets\n"
		    "    ~ Tags[Owner].Value: \"security\" -> \"team-a\"\n"
		    "\n"
		    "Plan: 0 to create, 204 to update in 204 of 204 targets, 0 to replace, 0 to delete.\n"
		    "1,234 resources are as specified.\n");
}

static void own_ids_do_not_tell_targets_apart(void **state)
{
	struct plan *plan = plan_begin();

	(void)state;
	reach(plan, "recording", 3, 2);
	for (int a = 0; a < 3; a++)
		for (int r = 0; r < 2; r++)
			/* app-0's id and r-home-1 stand in every target's bucket: there they are nobody's own. */
			add(plan, a, r, "recording/Trail", PLAN_UPDATE,
			    "{'Bucket':'logs-000000100000-r-home-1','Size':1}",
			    "{'Bucket':'trail-%I-%R','Code':'arn:r-home-1:000000100000:%A','Size':2}");
	reads(plan, "~ update recording/Trail (X::Y::Trail)\n"
		    "    in all 6 targets\n"
		    "    ~ Bucket:  # app-0/r-home-1: trail-000000100000-r-home-1\n"
		    "        - \"logs-000000100000-r-home-1\"\n"
		    "        + \"trail-${AWS::AccountId}-${AWS::Region}\"\n"
		    "    + Code: \"arn:r-home-1:000000100000:${Muster::AccountName}\"  # app-0/r-home-1: "
		    "arn:r-home-1:000000100000:app-0\n"
		    "    ~ Size: 1 -> 2\n");
}

/* A create whose Code holds the generated name of `address`, or a text instead of its hash. */
static void add_named(struct plan *plan, int account, int region, const char *address, const char *hash)
{
	char made[SPECS_NAME_HASH_CHARS + 1];
	mem_auto_str char *after = NULL, *of = NULL, *name = mem_printf("app-%d", account);
	mem_auto_str char *place = region == 0 ? mem_strdup("r-home-1") : mem_printf("r-north-%d", region);
	struct plan_change *change;

	of = fill(address, name, "", place);
	specs_generated_hash(made, plan->lineage, of, 0);
	after = mem_printf("{'Code':'arn::role/recording-Role-%s.s3'}", hash != NULL ? hash : made);
	change = add(plan, account, region, "recording/Trail", PLAN_CREATE, NULL, after);
	change->depends = plan_keep_array(plan, 1, sizeof *change->depends);
	change->depends[change->depend_count++] = plan_keep(plan, of);
}

static void generated_names_do_not_tell_targets_apart(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	plan->lineage = mem_strdup("01JD");
	reach(plan, "recording", 2, 1);
	add_named(plan, 0, 0, "%A/%R/recording/Role", NULL);
	add_named(plan, 1, 0, "%A/%R/recording/Role", NULL);
	text = render(plan);
	holds(text, "    in all 2 targets: home region of app-0, app-1\n"
		    "    + Code: \"arn::role/recording-Role-${hash}.s3\"  # app-0/r-home-1: "
		    "arn::role/recording-Role-");
	plan_free(plan);
}

static void what_only_looks_like_a_hash_is_shown(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	plan->lineage = mem_strdup("01JD");
	reach(plan, "recording", 2, 1);
	add_named(plan, 0, 0, "%A/%R/recording/Role", "confidential");
	add_named(plan, 1, 0, "%A/%R/recording/Role", "unrestricted");
	text = render(plan);
	holds(text, "recording-Role-confidential");
	holds(text, "recording-Role-unrestricted");
	plan_free(plan);
}

static void names_of_another_region_say_which(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	plan->lineage = mem_strdup("01JD");
	reach(plan, "recording", 2, 3);
	for (int a = 0; a < 2; a++)
		for (int r = 0; r < 3; r++)
			add_named(plan, a, r, "%A/r-home-1/recording/Role", NULL);
	text = render(plan);
	holds(text, "in all 6 targets");
	holds(text, "arn::role/recording-Role-${hash in r-home-1}.s3");
	plan_free(plan);
}

static void literals_are_no_stand_ins(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 3, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, "{'Code':'role ${AWS::AccountId} x'}");
	add(plan, 1, 0, "s/A", PLAN_CREATE, NULL, "{'Code':'role %I x'}");
	add(plan, 2, 0, "s/A", PLAN_CREATE, NULL, "{'Code':'role %I x'}");
	text = render(plan);
	holds(text, "in 2 of 3 targets");
	holds(text, "in app-0/r-home-1");
	plan_free(plan);
}

static void ids_that_differ_are_never_one_constant(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 3, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, "{'Code':'role cafe11112222333344445555 x'}");
	add(plan, 1, 0, "s/A", PLAN_CREATE, NULL, "{'Code':'role beef11112222333344445555 x'}");
	add(plan, 2, 0, "s/A", PLAN_CREATE, NULL, "{'Code':'role deadbeef0000111122223333 x'}");
	text = render(plan);
	holds(text, "\"role ${id} x\"  # app-0/r-home-1: role cafe1111");
	plan_free(plan);
}

static void a_wildcard_in_a_loop_is_shown(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/Rolealpha", PLAN_CREATE, NULL, "{'Code':'role/alpha'}");
	add(plan, 0, 0, "s/Rolebeta", PLAN_CREATE, NULL, "{'Code':'role/b*eta'}");
	add(plan, 0, 0, "s/Rolegamma", PLAN_CREATE, NULL, "{'Code':'role/gamma'}");
	text = render(plan);
	holds(text, "role/b*eta");
	plan_free(plan);
}

static void long_runs_of_digits_take_no_time(void **state)
{
	struct plan *plan = plan_begin();
	buf_auto struct buf after = BUF_INIT;

	(void)state;
	reach(plan, "s", 6, 1);
	for (int a = 0; a < 6; a++) {
		buf_truncate(&after, 0);
		buf_addf(&after, "{'Code':'%%A %d", a);
		for (int i = 0; i < 100000; i++)
			buf_adds(&after, "-a");
		buf_adds(&after, "'}");
		add(plan, a, 0, "s/A", PLAN_CREATE, NULL, buf_str(&after));
	}
	free(render(plan));
	plan_free(plan);
}

/* -- What a group says holds for each of its members ----------------------------------------------------------------
 */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

/* What `pattern` says of a target, in place of ids of services ("${id}") whatever stands in `real`. */
static char *expanded(const char *pattern, const struct plan_change *change, const char *real)
{
	buf_auto struct buf out = BUF_INIT;

	while (*pattern != '\0') {
		if (strncmp(pattern, "${AWS::AccountId}", 17) == 0) {
			buf_adds(&out, change->account_id);
			pattern += 17;
		} else if (strncmp(pattern, "${AWS::Region}", 14) == 0) {
			buf_adds(&out, change->region);
			pattern += 14;
		} else if (strncmp(pattern, "${Muster::AccountName}", 22) == 0) {
			buf_adds(&out, change->account);
			pattern += 22;
		} else if (strncmp(pattern, "${id}", 5) == 0) {
			const char *id = real + (out.len < strlen(real) ? out.len : strlen(real));

			while (isxdigit((unsigned char)id[0]) || (id[0] == '-' && isxdigit((unsigned char)id[1])))
				buf_addc(&out, *id++);
			pattern += 5;
		} else if (strncmp(pattern, "${!", 3) == 0) {
			buf_adds(&out, "${");
			pattern += 3;
		} else {
			buf_addc(&out, *pattern++);
		}
	}
	return buf_detach(&out);
}

static void check_group(const struct plan *plan, const struct plan_group *group)
{
	const struct plan_group_value *value = &group->values[0];
	const char *shown = json_string_value(value->after);

	for (size_t m = 0; m < group->count; m++) {
		const struct plan_change *change = &plan->changes[group->members[m]];
		const char *real = json_string_value(json_object_get(change->after, "Code"));
		mem_auto_str char *said = value->example == NULL ? mem_strdup(shown) : expanded(shown, change, real);

		if (strcmp(said, real) != 0)
			fail_msg("\"%s\" is shown for \"%s\" of %s", shown, real, change->address);
	}
}

static void a_group_says_what_holds_for_each_member(void **state)
{
	static const char *const parts[] = {"%I",
					    "%A",
					    "%R",
					    "000000100000",
					    "000000100001",
					    "app-0",
					    "app-1",
					    "r-home-1",
					    "r-north-1",
					    "${AWS::AccountId}",
					    "${!AWS::Region}",
					    "${id}",
					    "deadbeef00001111222233334444",
					    "cafe11112222333344445555",
					    "role",
					    "*"};
	static const char *const joints[] = {":", "-", "/", ""};
	uint32_t seed = 20261123;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct plan *plan = plan_begin();
		struct buf texts[2] = {BUF_INIT, BUF_INIT};
		struct plan_groups groups;

		reach(plan, "s", 3, 3);
		for (int t = 0; t < 2; t++) {
			buf_adds(&texts[t], "{'Code':'");
			for (uint32_t n = 1 + next_random(&seed) % 4; n > 0; n--)
				buf_addf(&texts[t], "%s%s", parts[next_random(&seed) % 16],
					 joints[next_random(&seed) % 4]);
			buf_adds(&texts[t], "'}");
		}
		/* Mostly one of the two: what differs then must be told. */
		for (int target = 0; target < 9; target++)
			if (next_random(&seed) % 4 > 0)
				add(plan, target / 3, target % 3, "s/A", PLAN_CREATE, NULL,
				    buf_str(&texts[next_random(&seed) % 4 == 0]));
		plan_groups_make(&groups, plan);
		for (size_t i = 0; i < groups.count; i++)
			check_group(plan, groups.items[i]);
		plan_groups_free(&groups);
		buf_free(&texts[0]);
		buf_free(&texts[1]);
		plan_free(plan);
	}
}

static void one_account_needs_no_stand_in(void **state)
{
	struct plan *plan = plan_begin();

	(void)state;
	reach(plan, "recording", 3, 2);
	for (int r = 0; r < 2; r++)
		add(plan, 1, r, "recording/Trail", PLAN_CREATE, NULL, "{'Code':'%R-%I','Name':'x-%R-%A'}");
	reads(plan, "+ create recording/Trail (X::Y::Trail)\n"
		    "    in 2 of 6 targets: all regions of app-1\n"
		    "    + Code: \"${AWS::Region}-000000100001\"  # app-1/r-home-1: r-home-1-000000100001\n"
		    "    + Name: \"x-${AWS::Region}-app-1\"  # app-1/r-home-1: x-r-home-1-app-1\n");
}

static void long_lists_fill_lines(void **state)
{
	struct plan *plan = plan_begin();
	buf_auto struct buf after = BUF_INIT;
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	buf_adds(&after, "{'Zones':[");
	for (int i = 0; i < 1000; i++)
		buf_addf(&after, "%s'%012d'", i > 0 ? "," : "", i);
	buf_adds(&after, "]}");
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, after.data);
	text = render(plan);
	holds(text, "        + \"000000000000\", \"000000000001\", \"000000000002\", \"000000000003\",\n");
	holds(text, "        # and 980 more: --format json has all\n");
	plan_free(plan);
}

static void different_values_are_different_changes(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "recording", 3, 1);
	for (int a = 0; a < 3; a++)
		add(plan, a, 0, "recording/Trail", PLAN_UPDATE, "{'Size':1}", a == 2 ? "{'Size':3}" : "{'Size':2}");
	text = render(plan);
	holds(text, "    in 2 of 3 targets, not in app-2/*\n    ~ Size: 1 -> 2\n");
	holds(text, "    in app-2/r-home-1\n    ~ Size: 1 -> 3\n");
	plan_free(plan);
}

static void destruction_comes_first(void **state)
{
	static const char *const order[] = {"- delete", "-/+ replace", "+/- replace", "~ update",
					    "< adopt",  ". forget",    "+ create",    "Plan: 1 to create"};
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;
	const char *at;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, "{'Size':1}");
	add(plan, 0, 0, "s/B", PLAN_UPDATE, "{'Size':1}", "{'Size':2}");
	add(plan, 0, 0, "s/C", PLAN_REPLACE, "{'Name':'a'}", "{'Name':'b'}")->reason =
	    "replace_because_cannot_update_same_name";
	add(plan, 0, 0, "s/D", PLAN_REPLACE, "{'Name':'a'}", "{'Name':{'Muster::Attribute':['a/b/c/D','Arn']}}")
	    ->create_first = true;
	add(plan, 0, 0, "s/E", PLAN_DELETE, "{'Name':'a'}", NULL)->reason = "delete_because_no_resource_config";
	add(plan, 0, 0, "s/F", PLAN_ADOPT, "{'Name':'a'}", "{'Name':'a'}");
	add(plan, 0, 0, "s/G", PLAN_FORGET, "{'Name':'a'}", NULL)->reason = "forget_because_retained";
	text = render(plan);
	at = text;
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		const char *next = strstr(at, order[i]);

		if (next == NULL)
			fail_msg("\"%s\" is not there, or too early, in:\n%s", order[i], text);
		at = next;
	}
	holds(text, "~ Name: \"a\" -> \"b\"  # forces replacement\n");
	holds(text, "~ Name: \"a\" -> (known after apply: Arn of c/D in a/b)  # may replace\n");
	holds(text, "    # forces replacement: Name\n");
	holds(text, "# the old one goes first, since both have the same name\n");
	holds(text, "# no longer in the specs\n");
	holds(text, "Plan: 1 to create in 1 of 1 target, 1 to update in 1 of 1 target, 2 to replace in 1 of 1 target, "
		    "1 to delete in 1 of 1 target, 1 to adopt in 1 of 1 target, 1 to forget in 1 of 1 target.\n");
	plan_free(plan);
}

static void a_rollback_says_so_first(void **state)
{
	struct plan *plan = plan_begin();
	buf_auto struct buf words = BUF_INIT;
	char *text;

	(void)state;
	plan_rollback_words(&words, plan);
	assert_int_equal(words.len, 0);
	plan->rollback = 3;
	plan_rollback_words(&words, plan);
	assert_string_equal(buf_str(&words), "Rollback to generation 3");
	buf_clear(&words);
	plan->rollback_of = json_pack("{s:s, s:s, s:s}", "Commit", "0123456789abcdef0123456789abcdef01234567", "Time",
				      "2026-11-23T12:34:56Z", "User", "kato\033[1m");
	text = render(plan);
	assert_true(strncmp(text, "Rollback to generation 3 (commit 0123456789ab, applied 2026-11-23T12:34:56Z by kato",
			    80) == 0);
	assert_null(strchr(text, '\033'));
	json_object_del(plan->rollback_of, "Commit");
	json_object_del(plan->rollback_of, "User");
	plan_rollback_words(&words, plan);
	assert_string_equal(buf_str(&words), "Rollback to generation 3 (applied 2026-11-23T12:34:56Z)");
	free(text);
	plan_free(plan);
}

static void only_what_differs_in_a_policy(void **state)
{
	struct plan *plan = plan_begin();

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_UPDATE,
	    "{'Policy':{'Version':'2012-10-17','Statement':[{'Sid':'Write','Effect':'Allow','Action':'s3:PutObject',"
	    "'Resource':'arn:aws:s3:::some-bucket-with-a-long-name/AWSLogs/*'}]}}",
	    "{'Policy':{'Version':'2012-10-17','Statement':[{'Sid':'Write','Effect':'Allow','Action':['s3:PutObject',"
	    "'s3:GetObject'],'Resource':'arn:aws:s3:::some-bucket-with-a-long-name/AWSLogs/*'},{'Sid':'New',"
	    "'Effect':'Deny','Principal':'*'}]}}");
	reads(plan, "~ update s/A (X::Y::Trail)\n"
		    "    in app-0/r-home-1\n"
		    "    + Policy.Statement[New]: {\"Sid\": \"New\", \"Effect\": \"Deny\", \"Principal\": \"*\"}\n"
		    "    ~ Policy.Statement[Write]:\n"
		    "        ~ Action: \"s3:PutObject\" -> [\"s3:PutObject\", \"s3:GetObject\"]\n"
		    "        # 3 unchanged\n");
}

static void lists_and_texts_show_what_comes_and_goes(void **state)
{
	struct plan *plan = plan_begin();

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_UPDATE,
	    "{'Code':'one\\ntwo\\nthree\\nfour\\nfive\\nsix\\n','Zones':['first-long-name','second-long-name','third-"
	    "long-name']}",
	    "{'Code':'one\\ntwo\\nthree\\n4\\nfive\\nsix\\n\\u001b[2Jx','Zones':['second-long-name','third-long-name',"
	    "'fourth-long-name','fifth-long-name']}");
	reads(plan, "~ update s/A (X::Y::Trail)\n"
		    "    in app-0/r-home-1\n"
		    "    ~ Code:\n"
		    "          three\n"
		    "        - four\n"
		    "        + 4\n"
		    "          five\n"
		    "          six\n"
		    "        + \\u{1B}[2Jx\n"
		    "    ~ Zones:\n"
		    "        - \"first-long-name\"\n"
		    "        + \"fourth-long-name\"\n"
		    "        + \"fifth-long-name\"\n"
		    "        # 2 unchanged\n");
}

static void secrets_are_not_shown(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_UPDATE, "{'Token':'hunter2','Code':'x'}",
	    "{'Token':'hunter3','Code':{'Muster::Secret':{'Source':{'Env':'T'},'Hmac':'00'}}}");
	add(plan, 0, 0, "s/B", PLAN_CREATE, NULL, "{'Token':'hunter4'}");
	text = render(plan);
	assert_null(strstr(text, "hunter"));
	holds(text, "    ~ Token: (sensitive, changed)\n");
	holds(text, "    ~ Code: (sensitive, changed)\n");
	holds(text, "    + Token: (sensitive)\n");
	plan_free(plan);
}

/* U+202E turns the direction of what follows, U+200B is not seen, U+E0041 neither; U+2026 and U+E9 are. */
static void nothing_unseen_is_shown(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL,
	    "{'Code':'a\\u202ab\\u202ec\\u2066d\\u00a0e\\u2026f\\u2065g\\u009bm\\u00e9','Bucket':'admin\\u200b',"
	    "'Name':'x\\udb40\\udc41\\ufe0f\\ue000\\uffff'}");
	text = render(plan);
	holds(text, "\"a\\u{202A}b\\u{202E}c\\u{2066}d\\u{A0}e\xe2\x80\xa6"
		    "f\\u{2065}g\\u{9B}m\xc3\xa9\"");
	holds(text, "Bucket: \"admin\\u{200B}\"\n");
	holds(text, "Name: \"x\\u{E0041}\\u{FE0F}\\u{E000}\\u{FFFF}\"\n");
	plan_free(plan);
}

static char *repeated(char c, size_t count)
{
	char *text = mem_alloc(count + 1);

	memset(text, c, count);
	return text;
}

static void long_values_say_what_is_cut(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL, *long_text = repeated('x', 2000), *after = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	after = mem_printf("{'Code':'%send'}", long_text);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, after);
	text = render(plan);
	holds(text, "xxx\" \xe2\x80\xa6(1,603 bytes)\xe2\x80\xa6 \"xxx");
	holds(text, "xxxend\"\n");
	plan_free(plan);
}

static void long_values_show_what_differs(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL, *long_text = repeated('a', 450), *before = NULL, *after = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	before = mem_printf("{'Code':'%sGOOD%s','Bucket':'%s'}", long_text, long_text, long_text);
	after = mem_printf("{'Code':'%sEVIL%s','Bucket':'%sEVIL'}", long_text, long_text, long_text);
	add(plan, 0, 0, "s/A", PLAN_UPDATE, before, after);
	text = render(plan);
	holds(text, "- \xe2\x80\xa6(400 bytes)\xe2\x80\xa6 \"aaaaaaaa");
	holds(text, "aaaGOODaaa");
	holds(text, "aaaEVILaaa");
	holds(text, "aaa\" \xe2\x80\xa6(400 bytes)\xe2\x80\xa6\n");
	holds(text, "aaaEVIL\"\n");
	plan_free(plan);
}

static void a_document_in_a_text_is_shown_whole(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL, *long_text = repeated('a', 300), *after = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	after = mem_printf("{'Code':'{\\\"Sid\\\":\\\"%s\\\",\\\"Deep\\\":{\\\"Action\\\":\\\"*\\\"},"
			   "\\\"Fake\\\":[1,2]}','Bucket':'{\\\"Muster::Secret\\\":{\\\"evil\\\":\\\"%s\\\"}}'}",
			   long_text, long_text);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, after);
	text = render(plan);
	holds(text, "    + Code:  # JSON text\n");
	holds(text, "        + Deep: {\"Action\": \"*\"}\n        + Fake: [1, 2]\n");
	/* What looks like one of muster's own marks in a text hides nothing. */
	holds(text, "Bucket: \"{\\\"Muster::Secret\\\":{\\\"evil\\\":");
	plan_free(plan);
}

#define KEY "{'Muster::Attribute':['app-0/r-home-1/s/Key','Arn']}"

static void what_is_known_around_the_unknown_is_shown(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL,
	    "{'Name':{'Fn::Join':['',['role/x-'," KEY ",'-y-end']]},'Bucket':" KEY ",'Zones':"
	    "{'Fn::Split':[',',{'Fn::Join':[',',['arn:evil'," KEY "]]}]},"
	    "'Code':{'Fn::Select':[1,{'Fn::Split':['/',{'Fn::Base64':" KEY "}]}]}}");
	add(plan, 0, 0, "s/B", PLAN_UPDATE, "{'Code':'role/a','Bucket':'x'}",
	    "{'Code':{'Fn::Join':['',['role/b-'," KEY "]]},'Bucket':{'Fn::Base64':{'Fn::Join':['-',['z'," KEY "]]}}}");
	text = render(plan);
	holds(text, "+ Name: \"role/x-(known after apply: Arn of s/Key)-y-end\"\n");
	holds(text, "+ Bucket: (known after apply: Arn of s/Key)\n");
	holds(text, "+ Zones: Fn::Split(\",\", \"arn:evil,(known after apply: Arn of s/Key)\")\n");
	holds(text, "+ Code: (known after apply: Arn of s/Key)\n");
	holds(text, "~ Code: \"role/a\" -> \"role/b-(known after apply: Arn of s/Key)\"\n");
	holds(text, "~ Bucket: \"x\" -> Fn::Base64(\"z-(known after apply: Arn of s/Key)\")\n");
	plan_free(plan);
}

static void documents_known_in_part_are_documents(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL,
	    "{'Policy':{'Fn::Join':['',['{\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"*\\\","
	    "\\\"Resource\\\":[\\\"x-'," KEY ",'\\\",'," KEY ",']}]}']]},"
	    "'Code':{'Fn::ToJsonString':{'Action':'all of it is allowed to everyone who asks','Resource':" KEY "}}}");
	add(plan, 0, 0, "s/B", PLAN_UPDATE,
	    "{'Code':'{\\\"Action\\\":\\\"one\\\",\\\"Other\\\":1,\\\"Key\\\":\\\"k\\\"}'}",
	    "{'Code':{'Fn::Join':['',['{\\\"Action\\\":\\\"*\\\",\\\"Other\\\":1,\\\"Key\\\":\\\"'," KEY
	    ",'\\\"}']]}}");
	text = render(plan);
	holds(text, "    + Policy:  # JSON text\n        + Statement:\n            + [0]:\n                + Effect: "
		    "\"Allow\"\n                + Action: \"*\"\n");
	holds(text, "+ \"x-(known after apply: Arn of s/Key)\",\n                    + \"(known after apply: Arn of "
		    "s/Key)\"\n");
	holds(text, "    + Code:  # JSON text\n        + Action: \"all of it is allowed to everyone who asks\"\n"
		    "        + Resource: (known after apply: Arn of s/Key)\n");
	holds(text, "    ~ Code:\n        ~ Action: \"one\" -> \"*\"\n"
		    "        ~ Key: \"k\" -> \"(known after apply: Arn of s/Key)\"\n        # 1 unchanged\n");
	plan_free(plan);
}

static void secrets_beside_the_unknown_stay_secret(void **state)
{
	json_auto_t *value =
	    parse("{'Fn::Join':['-',['a',{'Muster::Secret':{'Source':{'Env':'HUSH'},'Hmac':'c0ffee'}}," KEY "]]}");
	buf_auto struct buf text = BUF_INIT;

	(void)state;
	plan_value_inline(&text, NULL, value);
	assert_string_equal(buf_str(&text), "\"a-(sensitive)-(known after apply: Arn of s/Key in app-0/r-home-1)\"");
}

static void a_list_of_one_is_not_another_order(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL, *long_text = repeated('x', 90), *before = NULL, *after = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	before = mem_printf("{'Code':'%s','Name':['%s']}", long_text, long_text);
	after = mem_printf("{'Code':['%s'],'Name':'%s'}", long_text, long_text);
	add(plan, 0, 0, "s/A", PLAN_UPDATE, before, after);
	text = render(plan);
	holds(text, "    ~ Code:\n        # the same, now as a list of one\n");
	holds(text, "        # the same, now by itself and not as a list of one\n");
	plan_free(plan);
}

static void names_cannot_pass_for_values(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_UPDATE, "{'Policy':{'Version':'1'}}",
	    "{'Policy':{'Version':'1','a\\\": \\\"b':'c','x: (sensitive)  # 3 unchanged':'1','aws:Ref':{'q\\\"':1}}}");
	text = render(plan);
	holds(text, "+ Policy.aws:Ref: {\"q\\\"\": 1}\n");
	holds(text, "+ \"Policy.a\\\": \\\"b\": \"c\"\n");
	holds(text, "+ \"Policy.x: (sensitive)  # 3 unchanged\": \"1\"\n");
	plan_free(plan);
}

static void notes_are_grouped(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	plan_account_add(plan, "app-0", "000000100000", NULL, NULL);
	plan_account_add(plan, "app-1", "000000100001", NULL, NULL);
	for (int a = 0; a < 2; a++) {
		const char *name = a == 0 ? "app-0" : "app-1";
		mem_auto_str char *why = mem_printf("may not assume arn:aws:iam::00000010000%d:role/x", a);
		mem_auto_str char *address = mem_printf("%s/r-north-1/s/Thing", name);

		plan_note_add(plan, PLAN_NOTE_UNREACHABLE, name, NULL, NULL, why);
		plan_note_add(plan, PLAN_NOTE_REGION_SKIPPED, name, "r-south-1", "s", "not enabled");
		plan_note_add(plan, PLAN_NOTE_INTENT, NULL, NULL, address, "open");
	}
	plan_note_add(plan, PLAN_NOTE_DATA, "app-0", "r-home-1", "app-0/r-home-1/s/Bucket", "its data goes with it");
	text = render(plan);
	holds(text, "Data that is destroyed for good\n  app-0/r-home-1: s/Bucket: its data goes with it\n");
	holds(text, "  app-0, app-1: may not assume arn:aws:iam::${AWS::AccountId}:role/x\n");
	holds(text, "  2 of 5 targets: app-0, app-1 in r-south-1: s: not enabled\n");
	holds(text, ": s/Thing: open\n");
	holds(text, "No changes in what could be reached. 1,234 resources are as specified.\n");
	plan_free(plan);
}

/* What a loop makes of one resource: ids that differ by its value, which stands in the values too. */
static void a_loop_is_one_entry(void **state)
{
	static const char *const regions[][2] = {
	    {"useast1", "us-east-1"}, {"euwest1", "eu-west-1"}, {"apsouth1", "ap-south-1"}};
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 2, 1);
	for (int a = 0; a < 2; a++) {
		for (size_t i = 0; i < 3; i++) {
			mem_auto_str char *id = mem_printf("s/Bridge%s", regions[i][0]);
			mem_auto_str char *after = mem_printf("{'Name':'to-%s','Code':'same','Size':3}", regions[i][1]);

			add(plan, a, 0, id, PLAN_CREATE, NULL, after);
		}
		add(plan, a, 0, "s/Other", PLAN_CREATE, NULL, "{'Name':'to-nowhere','Code':'same','Size':3}");
	}
	text = render(plan);
	holds(text, "+ create s/Bridge${each} (X::Y::Trail)\n    in all 2 targets: home region of app-0, app-1\n"
		    "    # ${each}: useast1, euwest1, apsouth1\n");
	holds(text, "+ Name: \"to-${each}\"  # app-0/r-home-1: to-us-east-1\n");
	holds(text, "+ create s/Other (X::Y::Trail)\n");
	holds(text, "Plan: 8 to create in 2 of 2 targets");
	plan_free(plan);
}

/* The same beginning of an id makes no loop of what has other values. */
static void what_only_looks_like_a_loop_is_not_one(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/RuleOne", PLAN_CREATE, NULL, "{'Size':1}");
	add(plan, 0, 0, "s/RuleTwo", PLAN_CREATE, NULL, "{'Size':2}");
	add(plan, 0, 0, "s/RuleThree", PLAN_CREATE, NULL, "{'Size':3}");
	add(plan, 0, 0, "s/PairA", PLAN_CREATE, NULL, "{'Code':'x'}");
	add(plan, 0, 0, "s/PairB", PLAN_CREATE, NULL, "{'Code':'x'}");
	text = render(plan);
	holds_not(text, "${each}");
	holds(text, "s/RuleThree");
	holds(text, "s/PairB");
	plan_free(plan);
}

static void long_texts_are_shown_by_line(void **state)
{
	struct plan *plan = plan_begin();
	buf_auto struct buf after = BUF_INIT;
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 1, 1);
	buf_adds(&after, "{'Code':'");
	for (int i = 0; i < 120; i++)
		buf_addf(&after, "line %d\\n", i);
	buf_adds(&after, "','Name':'a\\nb'}");
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, buf_str(&after));
	text = render(plan);
	holds(text, "    + Code:  # 120 lines\n        + line 0\n        + line 1\n");
	holds(text, "        # and 100 more lines: --format json has all\n");
	holds_not(text, "line 20\n");
	holds(text, "    + Name:  # 2 lines\n        + a\n        + b\n");
	plan_free(plan);
}

static void a_replacement_says_why_and_whom_it_touches(void **state)
{
	static const char *depends[] = {"app-0/r-home-1/s/Old", "app-0/r-home-1/s"};
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;
	struct plan_change *change;

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/Old", PLAN_REPLACE, "{'Name':'a','Size':1}", "{'Name':'b','Size':2}");
	change = add(plan, 0, 0, "s/User", PLAN_UPDATE, "{'Code':'a'}",
		     "{'Code':{'Muster::Attribute':['app-0/r-home-1/s/Old','Arn']}}");
	change->depends = depends;
	change->depend_count = 2;
	change = add(plan, 0, 0, "s/Gone", PLAN_DELETE, "{'Name':'x'}", NULL);
	change->depends = depends;
	change->depend_count = 1;
	text = render(plan);
	holds(text, "    # forces replacement: Name\n    # what depends on it changes too: s/User\n");
	holds(text, "    ~ Code: \"a\" -> (known after apply: Arn of s/Old)\n");
	holds_not(text, "s/Gone,");
	holds_not(text, ", s/Gone");
	plan_free(plan);
}

static void documents_in_texts_are_compared_by_meaning(void **state)
{
	struct plan *plan = plan_begin();

	(void)state;
	reach(plan, "s", 1, 1);
	add(plan, 0, 0, "s/A", PLAN_UPDATE,
	    "{'Code':'{\\'a\\': 1, \\'long\\': \\'this makes it too long for a line of the terminal\\', \\'b\\': [1, "
	    "2]}'}",
	    "{'Code':'{ \\'b\\':[1,2,3],\\'long\\':\\'this makes it too long for a line of the "
	    "terminal\\',\\'a\\':1}'}");
	reads(plan, "~ update s/A (X::Y::Trail)\n"
		    "    in app-0/r-home-1\n"
		    "    ~ Code:\n"
		    "        ~ b: [1, 2] -> [1, 2, 3]\n"
		    "        # 2 unchanged\n");
}

static void unreachable_is_said_by_cause(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	for (int a = 0; a < 5; a++) {
		mem_auto_str char *name = mem_printf("app-%d", a), *id = mem_printf("%012d", 100000 + a);
		json_auto_t *regions = json_pack("[s, s]", "r-home-1", "r-north-1");

		plan_account_add(plan, name, id, NULL, regions);
		for (int r = 0; r < 2; r++) {
			for (int k = 0; k < 12; k++) {
				mem_auto_str char *address =
				    mem_printf("%s/%s/s/R%d", name, r == 0 ? "r-home-1" : "r-north-1", k);

				plan_note_add(plan, PLAN_NOTE_UNREACHABLE, NULL, NULL, address, "AccessDenied");
			}
		}
	}
	text = render(plan);
	holds(text, "Unreachable: nothing is planned there, records are kept\n"
		    "  all 10 targets: 12 resources: AccessDenied\n\n");
	plan_free(plan);
}

static void what_was_pending_stands_apart(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;

	(void)state;
	reach(plan, "s", 2, 1);
	plan->base = mem_strdup("0123456789abcdef0123");
	add(plan, 0, 0, "s/A", PLAN_CREATE, NULL, "{'Size':1}");
	add(plan, 1, 0, "s/A", PLAN_CREATE, NULL, "{'Size':1}")->pending = true;
	add(plan, 1, 0, "s/B", PLAN_DELETE, "{'Name':'x'}", NULL)->pending = true;
	plan->limits = parse("{'Over':['deletes 12, MaxDelete is 10'],'Overridden':true}");
	text = render(plan);
	holds(text, "Over the limits (overridden with --override-limit): deletes 12, MaxDelete is 10\n\n"
		    "Introduced by this branch: 1 to create in 1 of 2 targets\n\n+ create s/A (X::Y::Trail)\n    in "
		    "app-0/r-home-1\n");
	holds(text, "Pending before it (drift, or not applied yet), also at 0123456789ab: 1 to create in 1 of 2 "
		    "targets, 1 to delete in 1 of 2 targets\n\n- delete s/B");
	holds(text, "\nAll of it is applied, what was pending before this branch, too.\n");
	plan_free(plan);
}

/* One property of everything in a fleet of 17,000 targets. */
static void one_property_everywhere_is_a_page(void **state)
{
	struct plan *plan = plan_begin();
	mem_auto_str char *text = NULL;
	size_t lines = 0;

	(void)state;
	reach(plan, "recording", 1000, 17);
	for (int a = 0; a < 1000; a++)
		for (int r = 0; r < 17; r++)
			add(plan, a, r, "recording/Trail", PLAN_UPDATE, "{'Bucket':'logs-%I','Size':3}",
			    "{'Bucket':'logs-%I-%R','Size':3}");
	text = render(plan);
	for (const char *s = text; *s != '\0'; s++)
		lines += *s == '\n';
	holds(text, "        - \"logs-${AWS::AccountId}\"\n        + \"logs-${AWS::AccountId}-${AWS::Region}\"\n");
	assert_true(lines < 100);
	plan_free(plan);
}

static void where_is(int first, int last, int regions_first, int regions_last, const char *expected)
{
	static char names[1000][32];
	struct plan_where all[340], members[340];
	size_t count = 0;
	buf_auto struct buf out = BUF_INIT;

	for (int a = 0; a < 20; a++) {
		for (int r = 0; r < 17; r++) {
			snprintf(names[a], sizeof *names, "app-%d", a);
			snprintf(names[500 + r], sizeof *names, r == 0 ? "r-home-1" : "r-north-%d", r);
			all[17 * a + r] = (struct plan_where){names[a], names[500 + r]};
			if (a >= first && a < last && r >= regions_first && r < regions_last)
				members[count++] = all[17 * a + r];
		}
	}
	plan_where_words(&out, members, count, all, 340, "r-home-1");
	assert_string_equal(buf_str(&out), expected);
}

static void places_have_short_names(void **state)
{
	struct plan_where odd[] = {{"a", "x"}, {"b", "y"}, {"c", "z"}, {"d", "x"}, {"d", "y"}};
	buf_auto struct buf out = BUF_INIT;

	(void)state;
	where_is(0, 20, 0, 17, "all 340 targets");
	where_is(3, 4, 2, 3, "app-3/r-north-2");
	where_is(1, 20, 0, 17, "323 of 340 targets, not in app-0/*");
	where_is(0, 17, 0, 17, "289 of 340 targets, not in app-17/*, app-18/*, app-19/*");
	where_is(0, 20, 0, 16, "320 of 340 targets, not in */r-north-16");
	where_is(0, 20, 0, 1, "20 of 340 targets: home region of 20 accounts");
	where_is(0, 2, 0, 1, "2 of 340 targets: home region of app-0, app-1");
	where_is(0, 1, 0, 17, "17 of 340 targets: all regions of app-0");
	where_is(0, 1, 2, 4, "2 of 340 targets: app-0 in r-north-2, r-north-3");
	where_is(0, 1, 2, 7, "5 of 340 targets: 5 regions of app-0");
	where_is(0, 20, 3, 4, "20 of 340 targets: all accounts in r-north-3");
	where_is(0, 9, 3, 4, "9 of 340 targets: 9 accounts in r-north-3");
	where_is(0, 9, 3, 7, "36 of 340 targets: 9 accounts x 4 regions");
	where_is(0, 16, 1, 17, "256 of 340 targets: 16 accounts x 16 regions");
	where_is(0, 0, 0, 0, "no target");
	plan_where_words(&out, odd, 5, NULL, 0, NULL);
	assert_string_equal(buf_str(&out), "all 5 targets");
}

static void odd_places_are_listed(void **state)
{
	static const char *const accounts[] = {"a", "b", "c", "d"}, *const regions[] = {"w", "x", "y", "z"};
	struct plan_where all[16], members[5];
	buf_auto struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 16; i++)
		all[i] = (struct plan_where){accounts[i / 4], regions[i % 4]};
	for (size_t i = 0; i < 4; i++)
		members[i] = all[5 * i];
	members[4] = all[1];
	plan_where_words(&out, members, 5, all, 16, NULL);
	assert_string_equal(buf_str(&out), "5 of 16 targets: a/w, b/x, c/y and 2 more");
	buf_clear(&out);
	plan_where_words(&out, members, 2, all, 16, NULL);
	assert_string_equal(buf_str(&out), "2 of 16 targets: a/w, b/x");
	buf_clear(&out);
	plan_where_words(&out, all, 15, all, 16, NULL);
	assert_string_equal(buf_str(&out), "15 of 16 targets, not in d/z");
}

static void a_large_plan_is_a_page(void **state)
{
	struct plan *plan = plan_begin();
	struct timespec start, end;
	size_t lines = 0;
	char *text;
	double seconds;

	(void)state;
	reach(plan, "recording", 1000, 17);
	for (int a = 0; a < 1000; a++)
		for (int r = 0; r < 17; r++)
			add(plan, a, r, "recording/Trail", PLAN_CREATE, NULL,
			    "{'Name':'baseline','Bucket':'trail-%I-%R','Size':3,'Tags':[{'Key':'Owner','Value':'%A'}],"
			    "'Policy':{'Version':'2012-10-17','Statement':[{'Effect':'Allow','Action':['a:b','c:d'],"
			    "'Resource':'arn:aws:s3:::x-%I/*','Principal':{'AWS':'%I'}}]}}");
	clock_gettime(CLOCK_MONOTONIC, &start);
	text = render(plan);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	for (const char *s = text; *s != '\0'; s++)
		lines += *s == '\n';
	holds(text, "in all 17000 targets\n");
	assert_true(lines < 100);
	print_message("17,000 changes in %.2f s, %zu lines\n", seconds, lines);
	free(text);
	plan_free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_change_is_said_once),
	    cmocka_unit_test(own_ids_do_not_tell_targets_apart),
	    cmocka_unit_test(generated_names_do_not_tell_targets_apart),
	    cmocka_unit_test(what_only_looks_like_a_hash_is_shown),
	    cmocka_unit_test(names_of_another_region_say_which),
	    cmocka_unit_test(literals_are_no_stand_ins),
	    cmocka_unit_test(ids_that_differ_are_never_one_constant),
	    cmocka_unit_test(a_wildcard_in_a_loop_is_shown),
	    cmocka_unit_test(long_runs_of_digits_take_no_time),
	    cmocka_unit_test(a_group_says_what_holds_for_each_member),
	    cmocka_unit_test(one_account_needs_no_stand_in),
	    cmocka_unit_test(long_lists_fill_lines),
	    cmocka_unit_test(different_values_are_different_changes),
	    cmocka_unit_test(destruction_comes_first),
	    cmocka_unit_test(a_rollback_says_so_first),
	    cmocka_unit_test(only_what_differs_in_a_policy),
	    cmocka_unit_test(lists_and_texts_show_what_comes_and_goes),
	    cmocka_unit_test(secrets_are_not_shown),
	    cmocka_unit_test(nothing_unseen_is_shown),
	    cmocka_unit_test(long_values_say_what_is_cut),
	    cmocka_unit_test(long_values_show_what_differs),
	    cmocka_unit_test(a_document_in_a_text_is_shown_whole),
	    cmocka_unit_test(what_is_known_around_the_unknown_is_shown),
	    cmocka_unit_test(documents_known_in_part_are_documents),
	    cmocka_unit_test(secrets_beside_the_unknown_stay_secret),
	    cmocka_unit_test(a_list_of_one_is_not_another_order),
	    cmocka_unit_test(names_cannot_pass_for_values),
	    cmocka_unit_test(notes_are_grouped),
	    cmocka_unit_test(places_have_short_names),
	    cmocka_unit_test(odd_places_are_listed),
	    cmocka_unit_test(a_loop_is_one_entry),
	    cmocka_unit_test(what_only_looks_like_a_loop_is_not_one),
	    cmocka_unit_test(long_texts_are_shown_by_line),
	    cmocka_unit_test(a_replacement_says_why_and_whom_it_touches),
	    cmocka_unit_test(documents_in_texts_are_compared_by_meaning),
	    cmocka_unit_test(unreachable_is_said_by_cause),
	    cmocka_unit_test(what_was_pending_stands_apart),
	    cmocka_unit_test(one_property_everywhere_is_a_page),
	    cmocka_unit_test(a_large_plan_is_a_page),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
