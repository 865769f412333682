/* apply: what a run that was killed leaves, at every instant, and how the next one finds it. */
#include "tests/unit/apply_fake.h"

/* -- Intents one by one -------------------------------------------------------------------------------------------- */

static void told(void *payload, const char *address, const char *what)
{
	json_object_set_new(payload, address, json_string(what));
}

static int recover(struct bench *b)
{
	return apply_recover(b->loop, &b->fake.provider, b->state, NULL, &b->options, &b->d);
}

/* Does `work` in a process that dies at its n-th step (see fake_step()), or (0) comes to the end. Returns whether it
 * died. */
static bool die_at(struct bench *b, int (*work)(struct bench *b, struct plan *(*make)(struct bench *b)),
		   struct plan *(*make)(struct bench *b), size_t step)
{
	int status = 0;
	pid_t pid;

	bench_close(b);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure must not go on with the parent's tests */
		bench_open(b);
		b->fake.die_at = step;
		_exit(work(b, make) >= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == FAKE_DIED);
	bench_open(b);
	return WEXITSTATUS(status) == FAKE_DIED;
}

static int run_it(struct bench *b, struct plan *(*make)(struct bench *b))
{
	return bench_run(b, make(b));
}

static int recover_it(struct bench *b, struct plan *(*make)(struct bench *b))
{
	(void)make;
	return recover(b);
}

static bool die_in(struct bench *b, struct plan *(*make)(struct bench *b), size_t step)
{
	return die_at(b, run_it, make, step);
}

static struct plan *one_create(struct bench *b)
{
	struct plan *plan = fleet_plan();

	plan_create(plan, &b->fake, "app/r1/s/A", "a");
	return plan;
}

static struct plan *one_slow_create(struct bench *b)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change = plan_add(plan, &b->fake, PLAN_CREATE, "T::Slow", "app/r1/s/A");

	change->after = json_pack("{s:s, s:i}", "Name", "a", "Size", 1);
	return plan;
}

static struct plan *one_update(struct bench *b)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change = plan_add(plan, &b->fake, PLAN_UPDATE, "T::Thing", "app/r1/s/A");

	plan_from_record(change, b->state);
	change->after = json_pack("{s:s, s:i}", "Name", "a", "Size", 2);
	return plan;
}

static struct plan *one_delete(struct bench *b)
{
	struct plan *plan = fleet_plan();

	plan_from_record(plan_add(plan, &b->fake, PLAN_DELETE, "T::Thing", "app/r1/s/A"), b->state);
	return plan;
}

/* Steps: 1 find starts, 2 acts, 3 has acted, 4 answers, 5 has answered; 6 create starts, 7 acts, 8 has acted */
#define BEFORE_CREATE 7
#define AFTER_CREATE  8
/* update and delete come without a find: 1 starts, 2 acts, 3 has acted */
#define BEFORE_ACT 2
#define AFTER_ACT  3

static void what_was_made_is_recorded(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	json_auto_t *said = json_object();
	b.options.events.recovered = told;
	b.options.events.payload = said;
	assert_int_equal(recover(&b), 0);
	assert_true(die_in(&b, one_create, AFTER_CREATE));
	assert_int_equal(bench_intents(&b), 1);
	assert_int_equal(recover(&b), 1);
	assert_int_equal(bench_intents(&b), 0);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_string_equal(json_get_string(json_object_get(body, "Attributes"), "Id"), "id-1");
	assert_null(json_object_get(body, "Incomplete"));
	assert_string_equal(json_get_string(said, "app/r1/s/A"), "a run that was cut off had made it: recorded");
	json_auto_t *dead = bench_generation(&b, 1), *own = bench_generation(&b, 2);
	assert_string_equal(json_get_string(dead, "Status"), "interrupted");
	assert_true(json_get_bool(json_object_get(own, "Facts"), "Recovery", false));
	bench_end(&b);
}

static void what_was_not_made_leaves_nothing(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	assert_true(die_in(&b, one_create, BEFORE_CREATE));
	assert_int_equal(recover(&b), 1);
	assert_int_equal(bench_intents(&b), 0);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_null(body);
	bench_end(&b);
}

static void absence_counts_only_after_the_settle_time(void **state)
{
	struct bench b;
	int64_t start;

	(void)state;
	bench_start(&b);
	assert_true(die_in(&b, one_slow_create, AFTER_CREATE));
	b.world->things[0].shown_ms = loop_wall_ms() + 600;
	assert_int_equal(recover(&b), 1);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_non_null(body);
	bench_end(&b);

	bench_start(&b);
	assert_true(die_in(&b, one_slow_create, BEFORE_CREATE));
	start = loop_wall_ms();
	assert_int_equal(recover(&b), 1);
	assert_true(loop_wall_ms() - start > 500);
	assert_true(loop_wall_ms() - start < 3000);
	assert_true(b.fake.calls > 2);
	bench_end(&b);
}

static void an_update_is_doubted(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_apply(&b, one_create(&b));
	assert_true(die_in(&b, one_update, BEFORE_ACT));
	assert_int_equal(recover(&b), 1);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_true(json_get_bool(body, "Incomplete", false));
	assert_int_equal(json_get_int(json_object_get(body, "Properties"), "Size", 0), 1);
	bench_end(&b);
}

static void a_delete_is_looked_up(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_apply(&b, one_create(&b));
	assert_true(die_in(&b, one_delete, BEFORE_ACT));
	assert_int_equal(recover(&b), 1);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_true(json_get_bool(body, "Incomplete", false));
	assert_true(die_in(&b, one_delete, AFTER_ACT));
	assert_int_equal(recover(&b), 1);
	json_auto_t *gone = bench_record(&b, "app/r1/s/A");
	assert_null(gone);
	bench_end(&b);
}

static void what_cannot_be_looked_up_stays(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	assert_true(die_in(&b, one_create, AFTER_CREATE));
	fake_rule(&b.fake, "find", "*", FAKE_UNREACHABLE, 0);
	assert_int_equal(recover(&b), 0);
	assert_int_equal(bench_intents(&b), 1);
	assert_int_equal(b.d.errors, 0);
	assert_int_equal(b.d.count, 1);
	json_auto_t *intent = bench_intent(&b, "app/r1/s/A");
	assert_string_equal(json_get_string(intent, "Stays"), "cannot enter");
	b.fake.rule_count = 0;
	assert_int_equal(recover(&b), 1);
	assert_int_equal(bench_intents(&b), 0);
	bench_end(&b);
}

static struct plan *one_that_tells(struct bench *b)
{
	fake_rule(&b->fake, "create", "*", FAKE_TELLS, 0);
	return one_create(b);
}

static void what_was_told_on_the_way_is_durable(void **state)
{
	struct bench b;
	struct state_txn *txn;

	(void)state;
	bench_start(&b);
	/* 9: told; 10: the next turn of the same call */
	assert_true(die_in(&b, one_that_tells, 10));
	json_auto_t *body = NULL;
	assert_int_equal(state_begin(&txn, b.state, false, &b.d), 0);
	assert_int_equal(state_intent_get(txn, "app/r1/s/A", &body, &b.d), 1);
	state_abort(txn);
	assert_string_equal(json_get_string(json_object_get(json_object_get(body, "Record"), "Attributes"), "Id"),
			    "id-1");
	assert_int_equal(recover(&b), 1);
	assert_string_equal(b.fake.log[0], "read app/r1/s/A");
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

static struct plan *one_secret(struct bench *b)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change = plan_create(plan, &b->fake, "app/r1/s/A", "a");

	b->options.secret = secret_of;
	json_object_set_new(change->after, "Secret",
			    json_pack("{s:{s:{s:s}, s:s}}", "Muster::Secret", "Source", "Env", "HOOK", "Hmac", "abcd"));
	return plan;
}

/* The fake refuses to look for it by what is not known. */
static void what_has_a_secret_is_looked_for_without_it(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	assert_true(die_in(&b, one_secret, AFTER_CREATE));
	assert_int_equal(recover(&b), 1);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_true(json_get_bool(body, "Incomplete", false));
	assert_non_null(json_object_get(json_object_get(body, "Properties"), "Secret"));
	bench_end(&b);
}

static struct plan *one_rename(struct bench *b)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change = plan_add(plan, &b->fake, PLAN_CREATE, "T::Slow", "app/r1/s/B");

	b->fake.ghosts_ms = 600;
	change->after = json_pack("{s:s, s:i}", "Name", "a", "Size", 1);
	plan_from_record(plan_add(plan, &b->fake, PLAN_DELETE, "T::Slow", "app/r1/s/A"), b->state);
	return plan;
}

static void what_had_the_name_before_is_not_taken_for_the_new_one(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	bench_apply(&b, one_slow_create(&b));
	/* 1 to 5: the deletion; 6: the create starts */
	assert_true(die_in(&b, one_rename, 6));
	assert_int_equal(world_live(b.world), 0);
	assert_int_equal(recover(&b), 1);
	json_auto_t *body = bench_record(&b, "app/r1/s/B");
	assert_null(body);
	bench_end(&b);
}

/* -- Killed at every instant --------------------------------------------------------------------------------------- */

/* What is wanted: A and B made, U resized, R and D replaced, X gone. Planned from what is recorded, as a plan would. */
static bool recorded(struct bench *b, const char *address, struct plan_record *record, json_t **body)
{
	*body = bench_record(b, address);
	return *body != NULL && plan_record_parse(record, *body) == 0;
}

static int recorded_size(const struct plan_record *record)
{
	return (int)json_get_int(record->properties, "Size", 0);
}

static void want(struct bench *b, struct plan *plan, const char *address, const char *name, int size,
		 enum plan_action otherwise)
{
	json_t *body = NULL;
	struct plan_record record;
	struct plan_change *change = NULL;
	bool there = recorded(b, address, &record, &body);

	if (!there)
		change = plan_add(plan, &b->fake, PLAN_CREATE, "T::Thing", address);
	else if (recorded_size(&record) != size || strcmp(json_get_string(record.properties, "Name"), name) != 0)
		change = plan_add(plan, &b->fake, otherwise, "T::Thing", address);
	else if (record.incomplete)
		change = plan_add(plan, &b->fake, PLAN_UPDATE, "T::Thing", address);
	if (change != NULL && there)
		plan_from_record(change, b->state);
	if (change != NULL) {
		change->after = json_pack("{s:s, s:i}", "Name", name, "Size", size);
		change->diff.replace = change->action == PLAN_REPLACE;
	}
	if (there && json_array_size(record.deposed) > 0) {
		change = plan_add(plan, &b->fake, PLAN_DELETE, "T::Thing", address);
		plan_from_record(change, b->state);
		change->deposed = true;
	}
	json_decref(body);
}

static struct plan *everything(struct bench *b)
{
	struct plan *plan = fleet_plan();
	json_auto_t *body = NULL;
	struct plan_record record;

	fake_rule(&b->fake, "create", "app/r1/s/A", FAKE_TELLS, 0);
	want(b, plan, "app/r1/s/A", "a", 1, PLAN_UPDATE);
	want(b, plan, "app/r2/s/B", "b", 1, PLAN_UPDATE);
	want(b, plan, "app/r1/s/U", "u", 5, PLAN_UPDATE);
	want(b, plan, "app/r1/s/R", "r2", 1, PLAN_REPLACE);
	want(b, plan, "app/r1/s/D", "d", 2, PLAN_REPLACE);
	for (size_t i = 0; i < plan->change_count; i++) {
		struct plan_change *change = &plan->changes[i];

		if (strcmp(change->address, "app/r2/s/B") == 0 && change->action == PLAN_CREATE) {
			plan_depends(plan, change, "app/r1/s/A");
			json_object_set_new(change->after, "Kind",
					    json_pack("{s:[s, s]}", "Muster::Attribute", "app/r1/s/A", "Arn"));
		}
		if (strcmp(change->address, "app/r1/s/D") == 0)
			change->create_first = false;
	}
	if (recorded(b, "app/r1/s/X", &record, &body))
		plan_from_record(plan_add(plan, &b->fake, PLAN_DELETE, "T::Thing", "app/r1/s/X"), b->state);
	return plan;
}

static int address_visit(void *payload, const struct state_record *record)
{
	json_auto_t *body = json_loadb(record->text, record->text_len, 0, NULL);
	const char *name = json_get_string(json_object_get(body, "Properties"), "Name");
	json_t *item;
	size_t i;

	json_object_set_new(payload, name, json_true());
	json_array_foreach(json_object_get(body, "Deposed"), i, item)
	{
		json_object_set_new(payload, json_get_string(json_object_get(item, "Properties"), "Name"), json_true());
	}
	return 0;
}

static int intent_name_visit(void *payload, const char *address, const json_t *body)
{
	const json_t *properties = json_object_get(json_object_get(body, "Record"), "Properties");

	(void)address;
	if (json_get_string(properties, "Name") != NULL)
		json_object_set_new(payload, json_get_string(properties, "Name"), json_true());
	return 0;
}

/* Everything that is there in AWS is known to the state. */
static void assert_nothing_forgotten(struct bench *b, size_t step)
{
	json_auto_t *known = json_object();
	struct state_txn *txn;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(state_record_each(txn, "", address_visit, known, &b->d), 0);
	assert_int_equal(state_intent_each(txn, intent_name_visit, known, &b->d), 0);
	state_abort(txn);
	for (size_t i = 0; i < b->world->count; i++)
		if (b->world->things[i].exists && json_object_get(known, b->world->things[i].name) == NULL)
			fail_msg("step %zu: %s is forgotten", step, b->world->things[i].name);
}

static size_t made(const struct fake_world *world, const char *name)
{
	size_t times = 0;

	for (size_t i = 0; i < world->count; i++)
		times += strcmp(world->things[i].name, name) == 0;
	return times;
}

static void assert_as_wanted(struct bench *b, size_t step)
{
	static const char *const live[] = {"a", "b", "u", "r2", "d"};
	struct state_verify_result verified;
	struct state_txn *txn;

	if (world_live(b->world) != 5)
		fail_msg("step %zu: %zu are live", step, world_live(b->world));
	for (size_t i = 0; i < 5; i++)
		if (world_named(b->world, live[i]) == NULL)
			fail_msg("step %zu: %s is not there", step, live[i]);
	assert_int_equal(world_named(b->world, "u")->size, 5);
	/* nothing was made twice */
	assert_int_equal(made(b->world, "a"), 1);
	assert_int_equal(made(b->world, "b"), 1);
	assert_int_equal(made(b->world, "u"), 1);
	assert_int_equal(made(b->world, "r2"), 1);
	assert_int_equal(made(b->world, "d"), 2);
	assert_int_equal(bench_intents(b), 0);
	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	if (state_verify(txn, &verified, &b->d) < 0)
		fail_msg("step %zu: %s", step, diag_first_error(&b->d));
	assert_int_equal(verified.records, 5);
	state_abort(txn);
}

static void given(struct bench *b)
{
	static const char *const names[] = {"U", "R", "D", "X"}, *const lower[] = {"u", "r", "d", "x"};
	struct plan *plan = fleet_plan();

	for (size_t i = 0; i < 4; i++) {
		mem_auto_str char *address = mem_printf("app/r1/s/%s", names[i]);

		plan_create(plan, &b->fake, address, lower[i]);
	}
	bench_apply(b, plan);
	assert_int_equal(b->report->done, 4);
}

/* A run that dies at `step`, perhaps a recovery that dies too, a whole recovery, and a run that ends. */
static void killed_at(size_t step, size_t recovery_step, bool *died, bool *recovery_died)
{
	struct bench b;

	bench_start(&b);
	given(&b);
	*died = die_in(&b, everything, step);
	assert_nothing_forgotten(&b, step);
	if (recovery_step > 0) {
		*recovery_died = die_at(&b, recover_it, NULL, recovery_step);
		assert_nothing_forgotten(&b, step);
	}
	assert_true(recover(&b) >= 0);
	assert_nothing_forgotten(&b, step);
	assert_int_equal(bench_intents(&b), 0);
	bench_apply(&b, everything(&b));
	if (b.report->failure_count > 0)
		fail_msg("step %zu: %s: %s", step, b.report->failures[0].code, b.report->failures[0].message);
	assert_as_wanted(&b, step);
	bench_end(&b);
}

static void killed_at_any_instant_nothing_is_lost_or_made_twice(void **state)
{
	size_t step = 0;
	bool died = true, recovery_died;

	(void)state;
	while (died)
		killed_at(++step, 0, &died, &recovery_died);
	assert_true(step > 50);
}

static void the_recovery_may_be_killed_too(void **state)
{
	bool died = true, recovery_died;
	size_t killed = 0;

	(void)state;
	for (size_t step = 3; died; step += 14) {
		recovery_died = true;
		for (size_t at = 1; recovery_died; at++) {
			killed_at(step, at, &died, &recovery_died);
			killed += recovery_died;
		}
	}
	assert_true(killed > 15);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_made_is_recorded),
	    cmocka_unit_test(what_was_not_made_leaves_nothing),
	    cmocka_unit_test(absence_counts_only_after_the_settle_time),
	    cmocka_unit_test(an_update_is_doubted),
	    cmocka_unit_test(a_delete_is_looked_up),
	    cmocka_unit_test(what_cannot_be_looked_up_stays),
	    cmocka_unit_test(what_was_told_on_the_way_is_durable),
	    cmocka_unit_test(what_has_a_secret_is_looked_for_without_it),
	    cmocka_unit_test(what_had_the_name_before_is_not_taken_for_the_new_one),
	    cmocka_unit_test(killed_at_any_instant_nothing_is_lost_or_made_twice),
	    cmocka_unit_test(the_recovery_may_be_killed_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
