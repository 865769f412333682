/* Moved resources: their records, how a plan file has them, how they are told, and what apply makes of them, also when
 * it dies in the middle. */
#include "tests/unit/apply_fake.h"

#include "plan/group.h"

/* -- Records --------------------------------------------------------------------------------------------------------
 */

struct moving {
	struct bench b;
	struct state_txn *txn;
	uint64_t generation;
};

static void moving_start(struct moving *m)
{
	json_auto_t *facts = json_object();

	bench_start(&m->b);
	assert_int_equal(state_begin(&m->txn, m->b.state, true, &m->b.d), 0);
	assert_int_equal(state_generation_start(m->txn, facts, &m->generation, &m->b.d), 0);
}

static void moving_end(struct moving *m)
{
	state_abort(m->txn);
	bench_end(&m->b);
}

static void put(struct moving *m, const char *address, const char *body_text)
{
	json_auto_t *body = json_loads(body_text, 0, NULL);
	uint8_t digest[32] = {7};

	assert_non_null(body);
	assert_int_equal(state_record_put(m->txn, address, m->generation, digest, body, NULL, &m->b.d), 0);
}

static json_t *get(struct moving *m, const char *address, struct state_record *raw)
{
	return state_record_get(m->txn, address, raw, &m->b.d) == 1 ? json_loadb(raw->text, raw->text_len, 0, NULL)
								    : NULL;
}

static int move_to(struct moving *m, const char *from, const char *to)
{
	return plan_record_move(m->txn, from, to, m->generation, NULL, &m->b.d);
}

static void a_moved_record_keeps_all_it_has(void **state)
{
	struct state_record raw;
	struct moving m;
	json_t *left;

	(void)state;
	moving_start(&m);
	put(&m, "a/r/s/Old",
	    "{\"Type\": \"T::Thing\", \"Properties\": {\"Size\": 1}, \"Incarnation\": 3, \"Protect\": true, "
	    "\"Deposed\": [{\"Type\": \"T::Thing\"}], \"Unknown\": {\"later\": 1}}");
	assert_int_equal(move_to(&m, "a/r/s/Old", "a/r/s/New"), 0);
	json_auto_t *gone = get(&m, "a/r/s/Old", &raw), *body = get(&m, "a/r/s/New", &raw);
	assert_null(gone);
	assert_non_null(body);
	assert_int_equal(raw.digest[0], 7);
	assert_string_equal(json_get_string(body, "Origin"), "a/r/s/Old");
	json_object_del(body, "Origin");
	/* What replacements have left keeps its name, too. */
	left = json_array_get(json_object_get(body, "Deposed"), 0);
	assert_string_equal(json_get_string(left, "Origin"), "a/r/s/Old");
	json_object_del(left, "Origin");
	json_auto_t *same =
	    json_loads("{\"Type\": \"T::Thing\", \"Properties\": {\"Size\": 1}, \"Incarnation\": 3, \"Protect\": true, "
		       "\"Deposed\": [{\"Type\": \"T::Thing\"}], \"Unknown\": {\"later\": 1}}",
		       0, NULL);
	assert_true(json_equal(body, same));
	moving_end(&m);
}

static void the_origin_stays_over_several_moves(void **state)
{
	struct state_record raw;
	struct moving m;

	(void)state;
	moving_start(&m);
	put(&m, "a/r/s/One", "{\"Type\": \"T::Thing\", \"Properties\": {}, \"Deposed\": [{\"Type\": \"T::Thing\"}]}");
	assert_int_equal(move_to(&m, "a/r/s/One", "a/r/s/Two"), 0);
	assert_int_equal(move_to(&m, "a/r/s/Two", "b/r/s/Two"), 0);
	json_auto_t *twice = get(&m, "b/r/s/Two", &raw);
	assert_string_equal(json_get_string(twice, "Origin"), "a/r/s/One");
	assert_int_equal(move_to(&m, "b/r/s/Two", "a/r/s/One"), 0);
	json_auto_t *back = get(&m, "a/r/s/One", &raw);
	assert_null(json_object_get(back, "Origin"));
	assert_null(json_object_get(json_array_get(json_object_get(back, "Deposed"), 0), "Origin"));
	moving_end(&m);
}

static void what_cannot_be_moved_is_said(void **state)
{
	struct moving m;

	(void)state;
	moving_start(&m);
	put(&m, "a/r/s/One", "{\"Type\": \"T::Thing\", \"Properties\": {}}");
	put(&m, "a/r/s/Two", "{\"Type\": \"T::Thing\", \"Properties\": {}}");
	assert_int_equal(move_to(&m, "a/r/s/None", "a/r/s/New"), -1);
	assert_non_null(strstr(diag_first_error(&m.b.d), "nothing is recorded there"));
	diag_free(&m.b.d);
	assert_int_equal(move_to(&m, "a/r/s/One", "a/r/s/Two"), -1);
	assert_non_null(strstr(diag_first_error(&m.b.d), "something is recorded there already"));
	moving_end(&m);
}

static void a_record_says_its_origin(void **state)
{
	struct plan_record record = {.type = "T::Thing", .origin = "a/r/s/Old"}, read;
	json_auto_t *properties = json_object(), *body = NULL;

	(void)state;
	record.properties = properties;
	body = plan_record_body(&record);
	assert_int_equal(plan_record_parse(&read, body), 0);
	assert_string_equal(read.origin, "a/r/s/Old");
}

/* -- Plan files and text --------------------------------------------------------------------------------------------
 */

/* Something recorded under `from`, as the plan that moves it has it. */
static struct plan_change *plan_move(struct plan *plan, struct bench *b, const char *from, const char *to, int size)
{
	struct plan_change *change = plan_add(plan, &b->fake, PLAN_UPDATE, "T::Thing", to);
	json_auto_t *body = bench_record(b, from);
	struct plan_record record;
	struct state_record raw;
	struct state_txn *txn;

	assert_int_equal(plan_record_parse(&record, body), 0);
	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(state_record_get(txn, from, &raw, &b->d), 1);
	change->version = raw.version;
	state_abort(txn);
	change->moved_from = plan_keep(plan, from);
	change->origin = plan_keep(plan, record.origin != NULL ? record.origin : from);
	change->before = json_deep_copy(record.properties);
	change->recorded = json_deep_copy(record.properties);
	change->attributes = json_deep_copy(record.attributes);
	change->after = json_deep_copy(record.properties);
	json_object_set_new(change->after, "Size", json_integer(size));
	plan_diff_make(&change->diff, change->type, change->after, change->before, change->recorded, true);
	change->record_only = change->diff.count == 0;
	change->reason = change->record_only ? "update_because_moved" : NULL;
	change->policies_recorded = true;
	change->protect_recorded = change->protect;
	change->deletion_recorded = change->deletion;
	return change;
}

static void one_thing(struct bench *b)
{
	struct plan *plan = fleet_plan();

	plan_create(plan, &b->fake, "app/r1/s/Old", "a");
	bench_apply(b, plan);
}

static void a_plan_file_has_where_it_was(void **state)
{
	struct plan *plan = fleet_plan(), *read = NULL;
	mem_auto_str char *path = NULL;
	struct bench b;

	(void)state;
	bench_start(&b);
	path = mem_printf("%s/plan.json", b.directory);
	one_thing(&b);
	plan_move(plan, &b, "app/r1/s/Old", "app/r1/s/New", 1);
	assert_int_equal(plan_file_write(plan, path, &b.d), 0);
	if (plan_file_read(&read, path, b.fake.schemas, &b.d) < 0)
		fail_msg("%s", diag_first_error(&b.d));
	assert_string_equal(read->changes[0].moved_from, "app/r1/s/Old");
	assert_string_equal(read->changes[0].origin, "app/r1/s/Old");
	json_auto_t *json = plan_to_json(read);
	const json_t *theirs = json_array_get(json_object_get(json, "resource_changes"), 0);
	assert_string_equal(json_get_string(theirs, "previous_address"), "app/r1/s/Old");
	const json_t *actions = json_object_get(json_object_get(theirs, "change"), "actions");
	assert_string_equal(json_string_value(json_array_get(actions, 0)), "no-op");
	plan_free(read);
	read = NULL;
	plan->changes[0].moved_from = "app//s/Old";
	assert_int_equal(plan_file_write(plan, path, &b.d), 0);
	assert_int_equal(plan_file_read(&read, path, b.fake.schemas, &b.d), -1);
	assert_non_null(strstr(diag_first_error(&b.d), "moved_from: expected account/region/stack/LogicalId"));
	plan_free(plan);
	bench_end(&b);
}

static char *text_of(const struct plan *plan)
{
	struct plan_text_options options = {.width = 100};
	struct buf text = BUF_INIT;

	plan_render_text(&text, plan, &options);
	return buf_detach(&text);
}

static void moves_are_told_once_and_counted(void **state)
{
	struct plan *plan = fleet_plan();
	struct bench b;

	(void)state;
	bench_start(&b);
	one_thing(&b);
	plan_move(plan, &b, "app/r1/s/Old", "app/r1/s/New", 1);
	plan_move(plan, &b, "app/r1/s/Old", "app/r2/s/New", 1);
	plan_move(plan, &b, "app/r1/s/Old", "app/r3/s/New", 2);
	plan_move(plan, &b, "app/r1/s/Old", "web/r1/s/Old", 1);
	mem_auto_str char *text = text_of(plan);
	assert_non_null(strstr(text, "~ move s/New"));
	assert_non_null(strstr(text, "# moved from s/Old\n    # only its record moves, nothing changes in AWS"));
	assert_non_null(strstr(text, "~ update s/New"));
	/* Of an account that was renamed a note of the plan says it all. */
	assert_null(strstr(text, "s/Old (T::Thing)"));
	assert_non_null(strstr(text,
			       "0 to create, 1 to update in 1 of 4 targets, 0 to replace, 0 to delete, 4 to move in "
			       "4 of 4 targets."));
	assert_string_equal(plan_group_former(&plan->changes[0]), "Old");
	assert_null(plan_group_former(&plan->changes[3]));
	assert_true(plan_group_is_move(&plan->changes[3]));
	assert_false(plan_group_is_move(&plan->changes[2]));
	plan_free(plan);
	bench_end(&b);
}

/* -- Apply ----------------------------------------------------------------------------------------------------------
 */

static void a_move_makes_no_call(void **state)
{
	struct plan *plan = fleet_plan();
	struct bench b;
	size_t calls;

	(void)state;
	bench_start(&b);
	one_thing(&b);
	calls = b.fake.calls;
	plan_move(plan, &b, "app/r1/s/Old", "app/r1/s/New", 1);
	assert_int_equal(apply_check(plan, b.state, &b.d), 0);
	bench_apply(&b, plan);
	assert_int_equal(b.fake.calls, calls);
	assert_int_equal(b.report->done, 1);
	assert_int_equal(b.report->moved, 1);
	assert_int_equal(b.report->updated, 0);
	json_auto_t *old = bench_record(&b, "app/r1/s/Old"), *new = bench_record(&b, "app/r1/s/New");
	assert_null(old);
	assert_string_equal(json_get_string(new, "Origin"), "app/r1/s/Old");
	assert_string_equal(json_get_string(json_object_get(new, "Attributes"), "Id"), "id-1");
	bench_end(&b);
}

static void a_stale_move_is_refused(void **state)
{
	struct plan *plan = fleet_plan(), *again = fleet_plan();
	struct bench b;

	(void)state;
	bench_start(&b);
	one_thing(&b);
	plan_move(plan, &b, "app/r1/s/Old", "app/r1/s/New", 1);
	plan_move(again, &b, "app/r1/s/Old", "app/r1/s/Other", 1);
	bench_apply(&b, plan);
	assert_int_equal(apply_check(again, b.state, &b.d), -1);
	assert_non_null(strstr(diag_first_error(&b.d), "app/r1/s/Old, which this plan moves, has been removed since"));
	plan_free(again);
	again = fleet_plan();
	plan_move(again, &b, "app/r1/s/New", "app/r1/s/New2", 1);
	again->changes[0].address = "app/r1/s/New"; /* where something is by now */
	diag_free(&b.d);
	assert_int_equal(apply_check(again, b.state, &b.d), -1);
	assert_non_null(strstr(diag_first_error(&b.d), "has been recorded since"));
	plan_free(again);
	bench_end(&b);
}

static struct plan *make_update(struct bench *b)
{
	struct plan *plan = fleet_plan();

	plan_move(plan, b, "app/r1/s/Old", "app/r1/s/New", 2);
	return plan;
}

static struct plan *make_replace(struct bench *b)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change = plan_move(plan, b, "app/r1/s/Old", "app/r1/s/New", 1);

	change->action = PLAN_REPLACE;
	change->diff.replace = true;
	change->record_only = false;
	change->incarnation = 1;
	change->create_first = true;
	json_object_set_new(change->after, "Name", json_string("b"));
	return plan;
}

static struct plan *make_replace_delete_first(struct bench *b)
{
	struct plan *plan = make_replace(b);

	plan->changes[0].create_first = false;
	return plan;
}

/* Runs it in a process that dies at its n-th step; whether it died. */
static bool die_at(struct bench *b, struct plan *(*make)(struct bench *b), size_t step)
{
	int status = 0;
	pid_t pid;

	bench_close(b);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		bench_open(b);
		b->fake.die_at = step;
		_exit(bench_run(b, make(b)) >= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == FAKE_DIED));
	bench_open(b);
	return WEXITSTATUS(status) == FAKE_DIED;
}

/* Wherever it dies: there is one record, nothing is forgotten, and nothing of AWS is without one. */
static void dies_everywhere(struct plan *(*make)(struct bench *b), const char *origin_after)
{
	bool died = true;

	for (size_t step = 1; died; step++) {
		struct bench b;

		bench_start(&b);
		one_thing(&b);
		died = die_at(&b, make, step);
		assert_true(apply_recover(b.loop, &b.fake.provider, b.state, NULL, &b.options, &b.d) >= 0);
		assert_int_equal(bench_intents(&b), 0);
		json_auto_t *old = bench_record(&b, "app/r1/s/Old"), *new = bench_record(&b, "app/r1/s/New");
		if (old != NULL && new != NULL)
			fail_msg("step %zu: recorded twice", step);
		if (world_live(b.world) > 0)
			assert_true(old != NULL || new != NULL);
		if (world_live(b.world) > 1)
			assert_int_equal(json_array_size(json_object_get(new, "Deposed")), 1);
		if (!died) {
			assert_null(old);
			assert_non_null(new);
			if (origin_after == NULL)
				assert_null(json_object_get(new, "Origin"));
			else
				assert_string_equal(json_get_string(new, "Origin"), origin_after);
		}
		bench_end(&b);
		assert_true(step < 100);
	}
}

static void killed_while_it_updates_what_moves(void **state)
{
	(void)state;
	dies_everywhere(make_update, "app/r1/s/Old");
}

static void killed_while_it_replaces_what_moves(void **state)
{
	(void)state;
	dies_everywhere(make_replace, NULL);
	dies_everywhere(make_replace_delete_first, NULL);
}

/* The intent of the call stands under the new address, and the record does by then. */
static void see_record(struct fake *fake, const char *operation, const char *address)
{
	struct bench *b = fake->user;
	json_auto_t *old = bench_record(b, "app/r1/s/Old"), *new = bench_record(b, "app/r1/s/New");

	assert_string_equal(operation, "update");
	assert_string_equal(address, "app/r1/s/New");
	assert_null(old);
	assert_non_null(new);
	assert_int_equal(bench_intents(b), 1);
}

static void the_move_is_durable_before_the_call(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	one_thing(&b);
	b.fake.on_call = see_record;
	b.fake.user = &b;
	bench_apply(&b, make_update(&b));
	b.fake.on_call = NULL;
	json_auto_t *new = bench_record(&b, "app/r1/s/New");
	assert_int_equal(json_get_int(json_object_get(new, "Properties"), "Size", 0), 2);
	assert_string_equal(json_get_string(new, "Origin"), "app/r1/s/Old");
	bench_end(&b);
}

static void what_a_cut_off_run_left_is_not_moved(void **state)
{
	json_auto_t *intent = json_pack("{s:s}", "Phase", "update");
	struct plan *plan;
	struct state_txn *txn;
	struct bench b;

	(void)state;
	bench_start(&b);
	one_thing(&b);
	plan = make_update(&b);
	assert_int_equal(state_begin(&txn, b.state, true, &b.d), 0);
	assert_int_equal(state_intent_put(txn, "app/r1/s/Old", intent, &b.d), 0);
	assert_int_equal(state_commit(txn, &b.d), 0);
	bench_apply(&b, plan);
	assert_int_equal(b.report->failed, 1);
	json_auto_t *old = bench_record(&b, "app/r1/s/Old"), *new = bench_record(&b, "app/r1/s/New");
	assert_non_null(old);
	assert_null(new);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_moved_record_keeps_all_it_has),
	    cmocka_unit_test(the_origin_stays_over_several_moves),
	    cmocka_unit_test(what_cannot_be_moved_is_said),
	    cmocka_unit_test(a_record_says_its_origin),
	    cmocka_unit_test(a_plan_file_has_where_it_was),
	    cmocka_unit_test(moves_are_told_once_and_counted),
	    cmocka_unit_test(a_move_makes_no_call),
	    cmocka_unit_test(a_stale_move_is_refused),
	    cmocka_unit_test(killed_while_it_updates_what_moves),
	    cmocka_unit_test(killed_while_it_replaces_what_moves),
	    cmocka_unit_test(the_move_is_durable_before_the_call),
	    cmocka_unit_test(what_a_cut_off_run_left_is_not_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
