/* What happened, in the shape of a plan: which action it was, property by property, and never a secret. */
#include "test_state_common.h"

#include "plan/plan.h"

static struct schema_set *schemas;

static const char type_text[] =
    "{'Type':'X::Y::Trail','Service':'y','Ref':'Name','Handlers':{},'Properties':{"
    "'Name':{'Type':'String','CreateOnly':true},'Size':{'Type':'Integer'},'Code':{'Type':'String'},"
    "'Token':{'Type':'String','Sensitive':true},"
    "'Tags':{'Type':'List','Compare':'Set','Key':'Key','Item':{'Type':'Object','Properties':{"
    "'Key':{'Type':'String'},'Value':{'Type':'String'}}}}}}";

/* ' stands for ". */
static json_t *parse(const char *text)
{
	mem_auto_str char *copy = mem_strdup(text);
	json_t *value;

	for (char *s = copy; *s != '\0'; s++)
		*s = *s == '\'' ? '"' : *s;
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	if (value == NULL)
		fail_msg("no JSON: %s", text);
	return value;
}

static int setup(void **in)
{
	struct diag d = DIAG_INIT;
	json_t *document = parse(type_text);

	(void)in;
	schema_set_new(&schemas, &d);
	if (schema_set_add(schemas, "t.json", document, &d) != 0)
		fail_msg("%s", diag_first_error(&d));
	json_decref(document);
	return 0;
}

static int teardown(void **in)
{
	(void)in;
	schema_set_free(schemas);
	return 0;
}

static json_t *body_of(const char *type, const char *properties, int incarnation)
{
	json_t *parsed = parse(properties);
	const struct plan_record record = {.type = type,
					   .account_id = "111111111111",
					   .properties = parsed,
					   .incarnation = incarnation,
					   .deletion = SPECS_DELETION_UNSET};
	json_t *body = plan_record_body(&record);

	json_decref(parsed);
	return body;
}

static void record(struct fixture *f, uint64_t generation, const char *address, const char *properties, int incarnation)
{
	json_auto_t *body = body_of("X::Y::Trail", properties, incarnation);
	const uint8_t digest[32] = {0};

	ok(f, state_record_put(f->txn, address, generation, digest, body, NULL, &f->d));
}

static uint64_t generation_begin(struct fixture *f)
{
	uint64_t number;

	begin(f, true);
	ok(f, state_generation_start(f->txn, NULL, &number, &f->d));
	return number;
}

static void generation_end(struct fixture *f, uint64_t number)
{
	ok(f, state_generation_finish(f->txn, number, NULL, &f->d));
	commit(f);
}

/* 1 makes A, B; 2 changes A, replaces B, makes C; 3 deletes A and brings B's size back. */
static void three_generations(struct fixture *f)
{
	uint64_t g;

	open_state(f, STATE_WRITE);
	g = generation_begin(f);
	record(f, g, "a/r/s/A", "{'Name':'a','Size':1,'Tags':[{'Key':'k','Value':'1'}]}", 0);
	record(f, g, "a/r/s/B", "{'Name':'b-0','Size':1}", 0);
	generation_end(f, g);
	g = generation_begin(f);
	record(f, g, "a/r/s/A", "{'Name':'a','Size':2,'Tags':[{'Key':'k','Value':'2'}]}", 0);
	record(f, g, "a/r/s/B", "{'Name':'b-1','Size':1}", 1);
	record(f, g, "a/r/s/C", "{'Name':'c'}", 0);
	generation_end(f, g);
	g = generation_begin(f);
	expect(f, state_record_delete(f->txn, "a/r/s/A", g, &f->d), 1);
	record(f, g, "a/r/s/B", "{'Name':'b-1','Size':3}", 1);
	generation_end(f, g);
	begin(f, false);
}

/* "update A Size=1>2 ...; create C Name=>'c'; ". */
static void say(struct buf *out, const struct plan *plan)
{
	assert_true(plan->past);
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		buf_addf(out, "%s %s", plan_action_name(change->action), change->logical_id);
		for (size_t k = 0; k < change->diff.count; k++) {
			const struct plan_difference *item = &change->diff.items[k];
			char *before = item->before ? json_dumps(item->before, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
			char *after = item->after ? json_dumps(item->after, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

			buf_addf(out, " %s=%s>%s", item->path, before ? before : "", after ? after : "");
			free(before);
			free(after);
		}
		buf_adds(out, "; ");
	}
}

static void expect_changes(struct fixture *f, uint64_t from, uint64_t to, const char *want)
{
	buf_auto struct buf got = BUF_INIT;
	struct plan *plan;

	ok(f, plan_history_make(&plan, f->txn, from, to, schemas, &f->d));
	say(&got, plan);
	assert_string_equal(buf_str(&got), want);
	assert_int_equal(plan->generation, to);
	plan_free(plan);
}

static void a_span_is_told_by_address_and_property(void **in)
{
	struct fixture *f = *in;

	three_generations(f);
	expect_changes(f, 0, 1,
		       "create A Name=>\"a\" Size=>1 Tags=>[{\"Key\":\"k\",\"Value\":\"1\"}]; "
		       "create B Name=>\"b-0\" Size=>1; ");
	expect_changes(f, 1, 2,
		       "update A Size=1>2 Tags[k].Value=\"1\">\"2\"; replace B Name=\"b-0\">\"b-1\"; "
		       "create C Name=>\"c\"; ");
	expect_changes(f, 2, 3, "delete A; update B Size=1>3; ");
	expect_changes(f, 1, 3, "delete A; replace B Name=\"b-0\">\"b-1\" Size=1>3; create C Name=>\"c\"; ");
}

static void a_span_may_go_backwards_or_be_empty(void **in)
{
	struct fixture *f = *in;

	three_generations(f);
	expect_changes(f, 3, 2,
		       "create A Name=>\"a\" Size=>2 Tags=>[{\"Key\":\"k\",\"Value\":\"2\"}]; update B Size=3>1; ");
	expect_changes(f, 2, 2, "");
}

static void a_generation_that_is_not_there_is_an_error(void **in)
{
	struct fixture *f = *in;
	struct plan *plan;

	three_generations(f);
	fails(f, plan_history_make(&plan, f->txn, 1, 4, schemas, &f->d), "there is no generation 4: the newest is 3");
	fails(f, plan_history_make(&plan, f->txn, 9, 1, schemas, &f->d), "there is no generation 9");
	assert_null(plan);
}

static void what_moved_is_neither_deleted_nor_created(void **in)
{
	struct fixture *f = *in;
	struct plan *plan;
	uint64_t g;

	three_generations(f);
	drop(f);
	g = generation_begin(f);
	ok(f, plan_record_move(f->txn, "a/r/s/B", "a/r/s/A2", g, NULL, &f->d));
	generation_end(f, g);
	g = generation_begin(f);
	ok(f, plan_record_move(f->txn, "a/r/s/A2", "a/r/s/Z", g, NULL, &f->d));
	record(f, g, "a/r/s/B", "{'Name':'new'}", 0);
	expect(f, state_record_delete(f->txn, "a/r/s/C", g, &f->d), 1);
	generation_end(f, g);
	begin(f, false);
	ok(f, plan_history_make(&plan, f->txn, 3, 4, schemas, &f->d));
	assert_int_equal(plan->change_count, 1);
	assert_string_equal(plan->changes[0].address, "a/r/s/A2");
	assert_string_equal(plan->changes[0].moved_from, "a/r/s/B");
	assert_true(plan->changes[0].record_only);
	plan_free(plan);
	expect_changes(f, 4, 5, "create B Name=>\"new\"; delete C; update Z; ");
	/* Twice, and changed on the way. */
	ok(f, plan_history_make(&plan, f->txn, 2, 4, schemas, &f->d));
	assert_string_equal(plan->changes[1].moved_from, "a/r/s/B");
	assert_int_equal(plan->changes[1].diff.count, 1);
	plan_free(plan);
	/* One address alone: told from both ends. */
	json_auto_t *body = body_of("X::Y::Trail", "{'Name':'b-1','Size':3}", 1);
	ok(f, plan_history_step(&plan, f->txn, 4, "a/r/s/B", body, NULL, schemas, &f->d));
	assert_string_equal(plan->changes[0].address, "a/r/s/A2");
	plan_free(plan);
	ok(f, plan_history_step(&plan, f->txn, 5, "a/r/s/Z", NULL, body, schemas, &f->d));
	assert_string_equal(plan->changes[0].address, "a/r/s/Z");
	assert_string_equal(plan->changes[0].moved_from, "a/r/s/A2");
	plan_free(plan);
	ok(f, plan_history_step(&plan, f->txn, 5, "a/r/s/C", body, NULL, schemas, &f->d));
	assert_int_equal(plan->changes[0].action, PLAN_DELETE);
	plan_free(plan);
	/* And back. */
	ok(f, plan_history_make(&plan, f->txn, 4, 3, schemas, &f->d));
	assert_string_equal(plan->changes[0].address, "a/r/s/B");
	assert_string_equal(plan->changes[0].moved_from, "a/r/s/A2");
	plan_free(plan);
}

/* Ids that a service made up differ in each target, and what was done is the same all the same. */
static void ids_of_services_do_not_tear_groups_apart(void **in)
{
	const struct plan_text_options options = {.width = 100, .entries_only = true};
	struct fixture *f = *in;
	buf_auto struct buf text = BUF_INIT;
	struct plan *plan;
	uint64_t g;

	open_state(f, STATE_WRITE);
	g = generation_begin(f);
	record(f, g, "a/r-1/s/A", "{'Code':'5ac262f0bbbbb56ff8301003e88be4b0'}", 0);
	record(f, g, "b/r-1/s/A", "{'Code':'37d97d8b-a563-402d-a179-b2a74026b8ed'}", 0);
	record(f, g, "b/r-2/s/A", "{'Code':'0123456789abcdef0123456789abcdef'}", 0);
	/* The same in several places is nobody's own; what is no id is somebody's word. */
	record(f, g, "a/r-1/s/B", "{'Code':'ffffffffffffffffffff0000'}", 0);
	record(f, g, "b/r-2/s/B", "{'Code':'ffffffffffffffffffff0000'}", 0);
	record(f, g, "a/r-1/s/C", "{'Code':'feedback-one'}", 0);
	record(f, g, "b/r-1/s/C", "{'Code':'feedback-two'}", 0);
	generation_end(f, g);
	begin(f, false);
	ok(f, plan_history_make(&plan, f->txn, 0, 1, schemas, &f->d));
	plan_render_text(&text, plan, &options);
	assert_non_null(strstr(buf_str(&text), "+ Code: \"${id}\"  # a/r-1: 5ac262f0bbbbb56ff8301003e88be4b0"));
	assert_non_null(strstr(buf_str(&text), "+ Code: \"ffffffffffffffffffff0000\""));
	assert_non_null(strstr(buf_str(&text), "feedback-one"));
	assert_non_null(strstr(buf_str(&text), "feedback-two"));
	assert_null(strstr(buf_str(&text), "0123456789abcdef"));
	plan_free(plan);
}

/* The whole of what a plan holds, and what people see of it, without `secret`. */
static void never_says(struct plan *plan, const char *secret)
{
	const struct plan_text_options options = {.width = 100};
	buf_auto struct buf text = BUF_INIT;
	json_auto_t *json = plan_to_json(plan);
	char *dumped = json_dumps(json, 0);

	assert_null(strstr(dumped, secret));
	plan_render_text(&text, plan, &options);
	assert_null(strstr(buf_str(&text), secret));
	assert_non_null(strstr(buf_str(&text), "(sensitive"));
	free(dumped);
	plan_free(plan);
}

static struct plan *changed(const char *type, const char *before, const char *after)
{
	json_auto_t *old = before != NULL ? body_of(type, before, 0) : NULL;
	json_auto_t *new = after != NULL ? body_of(type, after, 0) : NULL;
	struct diag d = DIAG_INIT;
	struct plan *plan;

	if (plan_history_change(&plan, "a/r/s/A", old, new, schemas, &d) < 0)
		fail_msg("%s", diag_first_error(&d));
	return plan;
}

static void secrets_are_never_shown(void **in)
{
	static const char secret[] = "{'Muster::Secret':{'Source':{'Env':'X'},'Hmac':'aa'}}";
	mem_auto_str char *as_secret = mem_printf("{'Name':'a','Code':%s}", secret);

	(void)in;
	never_says(changed("X::Y::Trail", NULL, "{'Name':'a','Token':'hunter2'}"), "hunter2");
	never_says(changed("X::Y::Trail", "{'Name':'a','Token':'hunter1'}", "{'Name':'a','Token':'hunter2'}"),
		   "hunter");
	/* In clear once, a secret since; and the other way round. */
	never_says(changed("X::Y::Trail", "{'Name':'a','Code':'hunter1'}", as_secret), "hunter");
	never_says(changed("X::Y::Trail", as_secret, "{'Name':'a','Code':'hunter1'}"), "hunter");
}

static void of_an_unknown_type_no_value_is_shown(void **in)
{
	const struct plan_text_options options = {.width = 100, .entries_only = true};
	struct plan *plan = changed("X::Y::Gone", "{'Password':'hunter1'}", "{'Password':'hunter2'}");
	buf_auto struct buf text = BUF_INIT;
	char *dumped;
	json_t *json;

	(void)in;
	plan_render_text(&text, plan, &options);
	assert_string_equal(buf_str(&text),
			    "~ updated s/A (X::Y::Gone)\n    in a/r\n"
			    "    # this version does not know the type, so its values are not shown\n\n");
	json = plan_to_json(plan);
	dumped = json_dumps(json, 0);
	assert_null(strstr(dumped, "hunter"));
	assert_non_null(strstr(dumped, "Password"));
	free(dumped);
	json_decref(json);
	plan_free(plan);
}

static void the_words_are_those_of_what_has_happened(void **in)
{
	const struct plan_text_options options = {.width = 100};
	struct fixture *f = *in;
	buf_auto struct buf text = BUF_INIT;
	struct plan *plan;

	three_generations(f);
	ok(f, plan_history_make(&plan, f->txn, 1, 3, schemas, &f->d));
	plan_render_text(&text, plan, &options);
	assert_non_null(strstr(buf_str(&text), "- deleted s/A (X::Y::Trail)\n    in a/r\n"));
	assert_non_null(strstr(buf_str(&text), "Changed: 1 created in 1 target, 1 replaced in 1 target, "
					       "1 deleted in 1 target.\n"));
	assert_null(strstr(buf_str(&text), "Plan:"));
	assert_null(strstr(buf_str(&text), "to create"));
	plan_free(plan);
}

static void what_only_the_record_knows_is_said_so(void **in)
{
	json_auto_t *before = body_of("X::Y::Trail", "{'Name':'a'}", 0), *after = json_copy(before);
	struct diag d = DIAG_INIT;
	struct plan *plan;

	(void)in;
	json_object_set_new(after, "Protect", json_true());
	assert_int_equal(plan_history_change(&plan, "a/r/s/A", before, after, schemas, &d), 0);
	assert_true(plan->changes[0].record_only);
	plan_free(plan);
	assert_int_equal(plan_history_change(&plan, "a/r/s/A", NULL, NULL, schemas, &d), -1);
	assert_null(plan);
	diag_free(&d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_span_is_told_by_address_and_property),
	    TEST(a_span_may_go_backwards_or_be_empty),
	    TEST(a_generation_that_is_not_there_is_an_error),
	    TEST(what_moved_is_neither_deleted_nor_created),
	    TEST(ids_of_services_do_not_tear_groups_apart),
	    TEST(the_words_are_those_of_what_has_happened),
	    cmocka_unit_test(secrets_are_never_shown),
	    cmocka_unit_test(of_an_unknown_type_no_value_is_shown),
	    cmocka_unit_test(what_only_the_record_knows_is_said_so),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
