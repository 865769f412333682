/* apply: order, limits, failures, group commit, intents, values known late, interrupts. */
#include "tests/unit/apply_fake.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static const struct apply_failure *failure_of(const struct apply_report *report, const struct plan *plan,
					      const char *address)
{
	for (size_t i = 0; i < report->failure_count; i++)
		if (strcmp(plan->changes[report->failures[i].change].address, address) == 0)
			return &report->failures[i];
	return NULL;
}

static void assert_record(struct bench *b, const char *address, const char *name, bool incomplete)
{
	json_auto_t *body = bench_record(b, address);
	struct plan_record record;

	assert_non_null(body);
	assert_int_equal(plan_record_parse(&record, body), 0);
	assert_string_equal(json_get_string(record.properties, "Name"), name);
	assert_int_equal(record.incomplete, incomplete);
}

static void assert_no_record(struct bench *b, const char *address)
{
	json_auto_t *body = bench_record(b, address);

	assert_null(body);
}

/* Makes one thing, so that other tests have something to change. */
static void given(struct bench *b, const char *address, const char *name)
{
	struct plan *plan = fleet_plan();

	plan_create(plan, &b->fake, address, name);
	bench_apply(b, plan);
	assert_int_equal(b->report->done, 1);
}

/* -- Making -------------------------------------------------------------------------------------------------------- */

static void a_create_is_looked_for_then_made_then_recorded(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	change = plan_create(plan, &b.fake, "app/r1/s/A", "a");
	plan_depends(plan, change, "sec/r1/logs");
	change->protect = true;
	change->deletion = SPECS_RETAIN;
	bench_apply(&b, plan);
	assert_string_equal(b.fake.log[0], "find app/r1/s/A");
	assert_string_equal(b.fake.log[1], "create app/r1/s/A");
	assert_int_equal(strlen(b.fake.last_token), 32);
	assert_int_equal(b.report->created, 1);
	assert_int_equal(b.report->generation, 1);
	assert_int_equal(bench_intents(&b), 0);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	struct plan_record record;
	assert_int_equal(plan_record_parse(&record, body), 0);
	assert_string_equal(json_get_string(record.attributes, "Id"), "id-1");
	assert_string_equal(json_string_value(json_array_get(record.depends, 0)), "sec/r1/logs");
	assert_true(record.protect && !record.incomplete && !record.adopted);
	assert_int_equal(record.deletion, SPECS_RETAIN);
	assert_true(json_is_null(json_object_get(record.access, "Role")));
	json_auto_t *generation = bench_generation(&b, 1);
	assert_string_equal(json_get_string(json_object_get(generation, "Outcome"), "Result"), "complete");
	bench_end(&b);
}

static void the_digest_is_that_of_the_resolved_resource(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *first, *second;
	struct state_txn *txn;
	struct state_record raw;
	uint8_t digest[32];

	(void)state;
	bench_start(&b);
	first = plan_create(plan, &b.fake, "app/r1/s/A", "a");
	second = plan_create(plan, &b.fake, "app/r1/s/B", "b");
	(void)first;
	json_object_set_new(second->after, "Kind", json_pack("{s:[s, s]}", "Muster::Attribute", "app/r1/s/A", "Arn"));
	plan_depends(plan, second, "app/r1/s/A");
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 2);
	json_auto_t *wanted = json_pack("{s:s, s:i, s:s}", "Name", "b", "Size", 1, "Kind", "arn:id-1");
	plan_digest(digest, "111111111111", "T::Thing", wanted, (const char *[]){"app/r1/s/A"}, 1, SPECS_DELETE, false);
	assert_int_equal(state_begin(&txn, b.state, false, &b.d), 0);
	assert_int_equal(state_record_get(txn, "app/r1/s/B", &raw, &b.d), 1);
	assert_memory_equal(raw.digest, digest, 32);
	state_abort(txn);
	bench_end(&b);
}

static void dependents_wait_for_the_result(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	b.fake.latency_ms = 5;
	plan_depends(plan, plan_create(plan, &b.fake, "app/r1/s/C", "c"), "app/r1/s/B");
	plan_depends(plan, plan_create(plan, &b.fake, "app/r1/s/B", "b"), "sec/r1/logs");
	plan_create(plan, &b.fake, "sec/r1/logs/A", "a");
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 3);
	assert_true(fake_at(&b.fake, "create sec/r1/logs/A") < fake_at(&b.fake, "create app/r1/s/B"));
	assert_true(fake_at(&b.fake, "create app/r1/s/B") < fake_at(&b.fake, "create app/r1/s/C"));
	bench_end(&b);
}

static void what_exists_already_is_not_made_again(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	const struct apply_failure *failure;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	plan_create(plan, &b.fake, "app/r1/t/B", "a");
	assert_int_equal(bench_run(&b, plan), 0);
	failure = failure_of(b.report, plan, "app/r1/t/B");
	assert_string_equal(failure->code, "AlreadyExists");
	assert_non_null(strstr(failure->message, "--adopt '*/t/B'"));
	assert_int_equal(b.world->creates, 1);
	assert_no_record(&b, "app/r1/t/B");
	assert_int_equal(bench_intents(&b), 0);
	plan_free(plan);
	bench_end(&b);
}

static void what_exists_is_adopted_and_updated(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	given(&b, "app/r1/s/B", "b");
	change = plan_add(plan, &b.fake, PLAN_ADOPT, "T::Thing", "app/r1/t/A");
	change->after = json_pack("{s:s, s:i}", "Name", "a", "Size", 7);
	change->adopted = true;
	change = plan_add(plan, &b.fake, PLAN_ADOPT, "T::Thing", "app/r1/t/B");
	change->after = json_pack("{s:s, s:i}", "Name", "b", "Size", 1);
	change->adopted = true;
	change = plan_add(plan, &b.fake, PLAN_ADOPT, "T::Thing", "app/r1/t/Gone");
	change->after = json_pack("{s:s, s:i}", "Name", "gone", "Size", 1);
	assert_int_equal(bench_run(&b, plan), 0);
	assert_int_equal(b.report->adopted, 2);
	assert_string_equal(failure_of(b.report, plan, "app/r1/t/Gone")->code, "NoLongerThere");
	assert_int_equal(b.world->updates, 1);
	assert_int_equal(world_named(b.world, "a")->size, 7);
	json_auto_t *body = bench_record(&b, "app/r1/t/A");
	assert_true(json_get_bool(body, "Adopted", false));
	assert_string_equal(json_get_string(json_object_get(body, "Attributes"), "Id"), "id-1");
	plan_free(plan);
	bench_end(&b);
}

/* -- Failures ------------------------------------------------------------------------------------------------------ */

static void a_failure_skips_what_depends_on_it_and_nothing_else(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	const struct apply_failure *failure;

	(void)state;
	bench_start(&b);
	fake_rule(&b.fake, "create", "app/r1/s/A", FAKE_REFUSES, 0);
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	plan_depends(plan, plan_create(plan, &b.fake, "app/r1/s/B", "b"), "app/r1/s/A");
	plan_depends(plan, plan_create(plan, &b.fake, "app/r2/s/C", "c"), "app/r1/s");
	plan_create(plan, &b.fake, "app/r2/s/D", "d");
	assert_int_equal(bench_run(&b, plan), 0);
	assert_int_equal(b.report->failed, 1);
	assert_int_equal(b.report->skipped, 2);
	assert_int_equal(b.report->done, 1);
	failure = failure_of(b.report, plan, "app/r1/s/A");
	assert_string_equal(failure->code, "AccessDenied");
	assert_string_equal(failure->operation, "create");
	failure = failure_of(b.report, plan, "app/r2/s/C");
	assert_int_equal(failure->status, APPLY_SKIPPED);
	assert_string_equal(failure->because, "app/r1/s/A");
	assert_int_equal(bench_intents(&b), 0);
	json_auto_t *generation = bench_generation(&b, 1);
	assert_string_equal(json_get_string(json_object_get(generation, "Outcome"), "Result"), "partial");
	plan_free(plan);
	bench_end(&b);
}

static void a_half_made_resource_is_remembered(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	fake_rule(&b.fake, "create", "app/r1/s/Half", FAKE_HALF, 0);
	fake_rule(&b.fake, "create", "app/r1/s/None", FAKE_FAILS, 0);
	plan_create(plan, &b.fake, "app/r1/s/Half", "half");
	plan_create(plan, &b.fake, "app/r1/s/None", "none");
	bench_apply(&b, plan);
	assert_int_equal(b.report->failed, 2);
	assert_record(&b, "app/r1/s/Half", "half", true);
	assert_no_record(&b, "app/r1/s/None");
	bench_end(&b);
}

static void a_failed_update_is_looked_at_again(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	given(&b, "app/r1/s/B", "b");
	fake_rule(&b.fake, "update", "app/r1/s/A", FAKE_HALF, 0);
	fake_rule(&b.fake, "update", "app/r1/s/B", FAKE_REFUSES, 0);
	for (int i = 0; i < 2; i++) {
		change = plan_add(plan, &b.fake, PLAN_UPDATE, "T::Thing", i == 0 ? "app/r1/s/A" : "app/r1/s/B");
		plan_from_record(change, b.state);
		change->after = json_pack("{s:s, s:i}", "Name", i == 0 ? "a" : "b", "Size", 2);
	}
	bench_apply(&b, plan);
	assert_int_equal(b.report->failed, 2);
	assert_record(&b, "app/r1/s/A", "a", true);
	assert_record(&b, "app/r1/s/B", "b", false);
	bench_end(&b);
}

/* What is only written cannot be compared: with a value known late, too, the whole is written again. */
static void what_is_incomplete_is_not_taken_to_be_whole(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	for (int round = 0; round < 2; round++) {
		if (round == 0) {
			fake_rule(&b.fake, "create", "app/r1/s/B", FAKE_HALF, 0);
			change = plan_create(plan, &b.fake, "app/r1/s/B", "b");
		} else {
			b.fake.rule_count = 0;
			plan = fleet_plan();
			change = plan_add(plan, &b.fake, PLAN_UPDATE, "T::Thing", "app/r1/s/B");
			plan_from_record(change, b.state);
			change->after = json_pack("{s:s, s:i}", "Name", "b", "Size", 1);
		}
		json_object_set_new(change->after, "Kind",
				    json_pack("{s:[s, s]}", "Muster::Attribute", "app/r1/s/A", "Arn"));
		bench_apply(&b, plan);
		assert_record(&b, "app/r1/s/B", "b", round == 0);
	}
	assert_int_equal(b.world->updates, 1);
	bench_end(&b);
}

/* As a topic's policy does when the topic is replaced: gone from the old one, and on the new one already. */
static void what_a_failed_update_has_moved_is_taken_for_its_own(void **state)
{
	static const char *const recorded[] = {"old", "new"};

	for (size_t i = 0; i < 2; i++) {
		struct bench b;
		struct plan *plan = fleet_plan();
		struct plan_change *change;

		(void)state;
		bench_start(&b);
		fake_rule(&b.fake, "create", "app/r1/s/A", FAKE_HALF, 0);
		plan_create(plan, &b.fake, "app/r1/s/A", recorded[i]);
		bench_apply(&b, plan);
		assert_record(&b, "app/r1/s/A", recorded[i], true);
		b.fake.rule_count = 0;
		b.world->things[0].exists = false;
		given(&b, "app/r1/t/Other", "new");
		plan = fleet_plan();
		change = plan_create(plan, &b.fake, "app/r1/s/A", "new");
		plan_from_record(change, b.state);
		json_decref(change->before);
		json_decref(change->attributes);
		change->before = change->attributes = NULL;
		change->gone = true;
		assert_int_equal(bench_run(&b, plan), 0);
		assert_int_equal(b.report->done, i == 0);
		assert_int_equal(b.world->updates, i == 0);
		if (i == 1)
			assert_string_equal(failure_of(b.report, plan, "app/r1/s/A")->code, "AlreadyExists");
		assert_record(&b, "app/r1/s/A", "new", i == 1);
		plan_free(plan);
		bench_end(&b);
	}
}

static void an_account_is_known_by_its_id(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan(), *renamed = fleet_plan();
	json_auto_t *access = json_pack("{s:n}", "Role"), *regions = json_pack("[s]", "r1");

	(void)state;
	bench_start(&b);
	plan_create(plan, &b.fake, "new/r1/s/A", "a");
	bench_apply(&b, plan);
	/* recorded under a name that is not on the roster any more */
	plan_from_record(plan_add(renamed, &b.fake, PLAN_DELETE, "T::Thing", "new/r1/s/A"), b.state);
	renamed->changes[0].account = "old";
	bench_apply(&b, renamed);
	assert_int_equal(b.report->done, 1);
	assert_int_equal(world_live(b.world), 0);
	/* and one name stood for two accounts in turn */
	renamed = fleet_plan();
	plan_create(renamed, &b.fake, "new/r1/s/A", "a");
	renamed->changes[0].account_id = "222222222222";
	plan_account_add(renamed, "newer", "222222222222", access, regions);
	bench_apply(&b, renamed);
	assert_int_equal(b.report->done, 1);
	assert_string_equal(world_named(b.world, "a")->account, "newer");
	bench_end(&b);
}

static void a_target_that_cannot_be_entered_is_not_tried_again(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	b.options.parallelism = 4;
	fake_rule(&b.fake, "*", "shut/*", FAKE_UNREACHABLE, 1);
	for (int i = 0; i < 100; i++) {
		mem_auto_str char *address = mem_printf("shut/r1/s/R%d", i), *name = mem_printf("n%d", i);

		plan_create(plan, &b.fake, address, name);
	}
	plan_create(plan, &b.fake, "open/r1/s/A", "a");
	bench_apply(&b, plan);
	assert_int_equal(b.report->failed, 100);
	assert_int_equal(b.report->done, 1);
	assert_true(b.fake.calls <= 4 + 2);
	for (size_t i = 0; i < b.report->failure_count; i++)
		assert_string_equal(b.report->failures[i].message, "cannot enter");
	bench_end(&b);
}

/* -- Changing and deleting ----------------------------------------------------------------------------------------- */

static void updates_deletes_and_forgets(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	given(&b, "app/r1/s/B", "b");
	given(&b, "app/r1/s/C", "c");
	change = plan_add(plan, &b.fake, PLAN_UPDATE, "T::Thing", "app/r1/s/A");
	plan_from_record(change, b.state);
	change->after = json_pack("{s:s, s:i}", "Name", "a", "Size", 5);
	plan_from_record(plan_add(plan, &b.fake, PLAN_DELETE, "T::Thing", "app/r1/s/B"), b.state);
	plan_from_record(plan_add(plan, &b.fake, PLAN_FORGET, "T::Thing", "app/r1/s/C"), b.state);
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 3);
	assert_int_equal(world_named(b.world, "a")->size, 5);
	assert_null(world_named(b.world, "b"));
	assert_non_null(world_named(b.world, "c"));
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_int_equal(json_get_int(json_object_get(body, "Properties"), "Size", 0), 5);
	assert_string_equal(json_get_string(json_object_get(body, "Attributes"), "Id"), "id-1");
	assert_no_record(&b, "app/r1/s/B");
	assert_no_record(&b, "app/r1/s/C");
	bench_end(&b);
}

static void what_is_protected_or_retained_is_never_deleted(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	change = plan_create(plan, &b.fake, "app/r1/s/Protected", "p");
	change->protect = true;
	change = plan_create(plan, &b.fake, "app/r1/s/Retained", "r");
	change->deletion = SPECS_RETAIN;
	bench_apply(&b, plan);
	plan = fleet_plan();
	for (int i = 0; i < 2; i++) {
		change = plan_add(plan, &b.fake, PLAN_DELETE, "T::Thing",
				  i == 0 ? "app/r1/s/Protected" : "app/r1/s/Retained");
		plan_from_record(change, b.state);
		change->protect = false;
		change->deletion = SPECS_DELETE;
	}
	bench_apply(&b, plan);
	assert_int_equal(b.report->failed, 2);
	assert_int_equal(world_live(b.world), 2);
	assert_string_equal(b.report->failures[0].code, "Protected");
	bench_end(&b);
}

static struct plan_change *replace(struct plan *plan, struct bench *b, const char *address, const char *name)
{
	struct plan_change *change = plan_add(plan, &b->fake, PLAN_REPLACE, "T::Thing", address);

	plan_from_record(change, b->state);
	change->after = json_pack("{s:s, s:i}", "Name", name, "Size", 1);
	change->diff.replace = true;
	change->incarnation++;
	return change;
}

static void create_first_makes_then_cleans_up(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	replace(plan, &b, "app/r1/s/A", "a2");
	bench_apply(&b, plan);
	assert_int_equal(b.report->replaced, 1);
	assert_true(fake_at(&b.fake, "create app/r1/s/A") < fake_at(&b.fake, "delete app/r1/s/A"));
	assert_null(world_named(b.world, "a"));
	assert_non_null(world_named(b.world, "a2"));
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_int_equal(json_get_int(body, "Incarnation", 0), 1);
	assert_null(json_object_get(body, "Deposed"));
	bench_end(&b);
}

static void what_could_not_be_cleaned_up_stays_in_the_record(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	fake_rule(&b.fake, "delete", "*", FAKE_REFUSES, 0);
	replace(plan, &b, "app/r1/s/A", "a2");
	bench_apply(&b, plan);
	assert_int_equal(b.report->failed, 1);
	assert_int_equal(world_live(b.world), 2);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_int_equal(json_array_size(json_object_get(body, "Deposed")), 1);
	/* an update keeps it, the next replacement adds to it, and its cleanup deletes both */
	plan = fleet_plan();
	change = plan_add(plan, &b.fake, PLAN_UPDATE, "T::Thing", "app/r1/s/A");
	plan_from_record(change, b.state);
	change->after = json_pack("{s:s, s:i}", "Name", "a2", "Size", 3);
	bench_apply(&b, plan);
	b.fake.rule_count = 0;
	plan = fleet_plan();
	replace(plan, &b, "app/r1/s/A", "a3");
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 1);
	assert_int_equal(world_live(b.world), 1);
	json_auto_t *after = bench_record(&b, "app/r1/s/A");
	assert_null(json_object_get(after, "Deposed"));
	bench_end(&b);
}

static void what_was_left_goes_with_its_own_change_or_with_the_resource(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	given(&b, "app/r1/s/B", "b");
	fake_rule(&b.fake, "delete", "*", FAKE_REFUSES, 0);
	replace(plan, &b, "app/r1/s/A", "a2");
	replace(plan, &b, "app/r1/s/B", "b2");
	bench_apply(&b, plan);
	assert_int_equal(world_live(b.world), 4);
	b.fake.rule_count = 0;
	plan = fleet_plan();
	change = plan_add(plan, &b.fake, PLAN_DELETE, "T::Thing", "app/r1/s/A");
	plan_from_record(change, b.state);
	change->deposed = true;
	plan_from_record(plan_add(plan, &b.fake, PLAN_DELETE, "T::Thing", "app/r1/s/B"), b.state);
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 2);
	assert_int_equal(world_live(b.world), 1);
	assert_record(&b, "app/r1/s/A", "a2", false);
	assert_no_record(&b, "app/r1/s/B");
	bench_end(&b);
}

/* Its own deletion comes first; with a plan that has none, what only the record knows of is not lost either. */
static void what_was_left_is_not_forgotten_with_the_record(void **state)
{
	for (int planned = 0; planned < 2; planned++) {
		struct bench b;
		struct plan *plan = fleet_plan();
		struct plan_change *change;

		(void)state;
		bench_start(&b);
		given(&b, "app/r1/s/A", "a");
		fake_rule(&b.fake, "delete", "*", FAKE_REFUSES, 0);
		replace(plan, &b, "app/r1/s/A", "a2");
		bench_apply(&b, plan);
		plan = fleet_plan();
		plan_from_record(plan_add(plan, &b.fake, PLAN_FORGET, "T::Thing", "app/r1/s/A"), b.state);
		if (planned) {
			change = plan_add(plan, &b.fake, PLAN_DELETE, "T::Thing", "app/r1/s/A");
			plan_from_record(change, b.state);
			change->deposed = true;
		}
		bench_apply(&b, plan);
		assert_int_equal(b.report->failed, 1);
		assert_int_equal(b.report->skipped, planned);
		assert_string_equal(b.report->failures[0].code, planned ? "AccessDenied" : "LeftBehind");
		json_auto_t *body = bench_record(&b, "app/r1/s/A");
		assert_int_equal(json_array_size(json_object_get(body, "Deposed")), 1);
		bench_end(&b);
	}
}

static void delete_first_deletes_then_makes(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	change = replace(plan, &b, "app/r1/s/A", "a");
	change->create_first = false;
	bench_apply(&b, plan);
	assert_int_equal(b.report->replaced, 1);
	assert_true(fake_at(&b.fake, "delete app/r1/s/A") < SIZE_MAX);
	assert_string_equal(world_named(b.world, "a")->id, "id-2");
	assert_record(&b, "app/r1/s/A", "a", false);
	bench_end(&b);
}

/* Right after a deletion services still show what is gone; that must not look as if somebody else had made it. */
static void a_name_that_was_just_freed_can_be_taken(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/Old", "a");
	given(&b, "app/r1/s/Same", "s");
	b.fake.ghosts_ms = 10000;
	plan_create(plan, &b.fake, "app/r1/s/New", "a");
	plan_from_record(plan_add(plan, &b.fake, PLAN_DELETE, "T::Thing", "app/r1/s/Old"), b.state);
	change = replace(plan, &b, "app/r1/s/Same", "s");
	change->create_first = false;
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 3);
	assert_int_equal(world_live(b.world), 2);
	bench_end(&b);
}

static void what_policy_retains_is_left(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	replace(plan, &b, "app/r1/s/A", "a2")->retain_old = true;
	bench_apply(&b, plan);
	assert_int_equal(world_live(b.world), 2);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_null(json_object_get(body, "Deposed"));
	bench_end(&b);
}

/* -- Values known late --------------------------------------------------------------------------------------------- */

static json_t *secret_of(void *payload, const json_t *source, const char *hmac, struct diag *d)
{
	(void)payload;
	(void)d;
	assert_string_equal(json_get_string(source, "Env"), "HOOK");
	assert_string_equal(hmac, "abcd");
	return json_string("hunter2");
}

static void secrets_reach_the_call_but_not_the_state(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	b.options.secret = secret_of;
	given(&b, "app/r1/s/A", "a");
	change = plan_create(plan, &b.fake, "app/r1/s/B", "b");
	json_object_set_new(change->after, "Secret",
			    json_pack("{s:[s, [s, {s:[s, s]}, s, {s:{s:{s:s}, s:s}}]]}", "Fn::Join", "", "x-",
				      "Muster::Attribute", "app/r1/s/A", "Id", "-", "Muster::Secret", "Source", "Env",
				      "HOOK", "Hmac", "abcd"));
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 1);
	assert_string_equal(world_named(b.world, "b")->secret, "x-id-1-hunter2");
	json_auto_t *body = bench_record(&b, "app/r1/s/B");
	char *text = json_dumps(body, JSON_COMPACT);
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "[\"x-\",\"id-1\",\"-\",{\"Muster::Secret\""));
	free(text);
	bench_end(&b);
}

static void an_update_does_not_become_a_replacement(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	given(&b, "app/r1/s/B", "b");
	change = plan_add(plan, &b.fake, PLAN_UPDATE, "T::Thing", "app/r1/s/B");
	plan_from_record(change, b.state);
	change->after = json_pack("{s:{s:[s, s]}, s:i}", "Name", "Muster::Attribute", "app/r1/s/A", "Id", "Size", 1);
	assert_int_equal(bench_run(&b, plan), 0);
	assert_string_equal(failure_of(b.report, plan, "app/r1/s/B")->code, "WorseThanPlanned");
	assert_non_null(strstr(failure_of(b.report, plan, "app/r1/s/B")->message, "Name"));
	assert_record(&b, "app/r1/s/B", "b", false);
	assert_int_equal(b.world->updates, 0);
	plan_free(plan);
	bench_end(&b);
}

static void hear_action(void *payload, const struct plan_change *change, enum apply_status status,
			const struct provider_result *result, int64_t elapsed_ms)
{
	enum plan_action *told = payload;

	(void)status;
	(void)result;
	(void)elapsed_ms;
	*told = change->action;
}

static void a_replacement_that_need_not_be_is_none(void **state)
{
	for (int create_first = 0; create_first < 2; create_first++) {
		struct bench b;
		struct plan *plan = fleet_plan();
		struct plan_change *change;
		enum plan_action told = PLAN_NOOP;

		(void)state;
		bench_start(&b);
		given(&b, "app/r1/s/A", "x");
		given(&b, "app/r1/s/B", "id-1");
		change = replace(plan, &b, "app/r1/s/B", "");
		json_object_set_new(change->after, "Name",
				    json_pack("{s:[s, s]}", "Muster::Attribute", "app/r1/s/A", "Id"));
		plan_depends(plan, change, "app/r1/s/A");
		change->diff.replace = false;
		change->diff.may_replace = true;
		change->create_first = create_first;
		change->incarnation = 7; /* past the names of what was moved away */
		b.options.events.finished = hear_action;
		b.options.events.payload = &told;
		bench_apply(&b, plan);
		assert_int_equal(told, PLAN_UPDATE);
		assert_int_equal(b.report->done, 1);
		assert_int_equal(b.report->updated, 1);
		assert_int_equal(b.world->creates, 2);
		assert_int_equal(b.world->removes, 0);
		json_auto_t *body = bench_record(&b, "app/r1/s/B");
		assert_int_equal(json_get_int(body, "Incarnation", 0), 0);
		bench_end(&b);
	}
}

static void a_replacement_that_must_be_is_made(void **state)
{
	for (int create_first = 0; create_first < 2; create_first++) {
		struct bench b;
		struct plan *plan = fleet_plan();
		struct plan_change *change;

		(void)state;
		bench_start(&b);
		given(&b, "app/r1/s/A", "x");
		given(&b, "app/r1/s/B", "b");
		change = replace(plan, &b, "app/r1/s/B", "");
		json_object_set_new(change->after, "Name",
				    json_pack("{s:[s, s]}", "Muster::Attribute", "app/r1/s/A", "Id"));
		change->diff.replace = false;
		change->diff.may_replace = true;
		change->create_first = create_first;
		bench_apply(&b, plan);
		assert_int_equal(b.report->replaced, 1);
		assert_int_equal(world_live(b.world), 2);
		assert_record(&b, "app/r1/s/B", "id-1", false);
		bench_end(&b);
	}
}

static void a_missing_attribute_is_said(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	change = plan_create(plan, &b.fake, "app/r1/s/B", "b");
	json_object_set_new(change->after, "Kind", json_pack("{s:[s, s]}", "Muster::Attribute", "app/r1/s/No", "Id"));
	bench_apply(&b, plan);
	assert_string_equal(b.report->failures[0].code, "ValueNotKnown");
	assert_non_null(strstr(b.report->failures[0].message, "Id of app/r1/s/No"));
	bench_end(&b);
}

/* -- Limits and turns ---------------------------------------------------------------------------------------------- */

static void many_at_once_but_no_more_than_allowed(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	b.fake.latency_ms = 2;
	b.options.parallelism = 10;
	for (int i = 0; i < 100; i++) {
		mem_auto_str char *address = mem_printf("app-%d/r1/s/R", i), *name = mem_printf("n%d", i);

		plan_create(plan, &b.fake, address, name);
	}
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 100);
	assert_int_equal(b.fake.in_flight_max, 10);
	bench_end(&b);
}

static void a_slow_target_does_not_hold_up_the_others(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	size_t slow = 0;

	(void)state;
	bench_start(&b);
	b.options.parallelism = 16;
	fake_rule(&b.fake, "*", "slow/*", FAKE_WORKS, 20);
	for (int i = 0; i < 100; i++) {
		mem_auto_str char *address = mem_printf("slow/r1/s/R%d", i), *name = mem_printf("n%d", i);

		plan_create(plan, &b.fake, address, name);
	}
	for (int i = 0; i < 100; i++) {
		mem_auto_str char *address = mem_printf("fast-%d/r1/s/R", i), *name = mem_printf("f%d", i);

		plan_create(plan, &b.fake, address, name);
	}
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 200);
	for (size_t i = 0; i < fake_at(&b.fake, "create fast-99/r1/s/R"); i++)
		slow += text_glob("create slow/*", b.fake.log[i]);
	assert_true(slow <= 16);
	assert_int_equal(b.fake.in_slow_max, 8);
	bench_end(&b);
}

static void one_key_goes_one_after_another(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	b.fake.latency_ms = 1;
	for (int i = 0; i < 20; i++) {
		mem_auto_str char *address = mem_printf("app/r1/s/R%d", i);
		struct plan_change *change = plan_add(plan, &b.fake, PLAN_CREATE, "T::Serial", address);

		change->after = json_pack("{s:o}", "Name", json_sprintf("n%d", i));
	}
	/* the fake fails when two of these are under way at once */
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 20);
	bench_end(&b);
}

static void one_transaction_a_turn(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	size_t before;

	(void)state;
	bench_start(&b);
	for (int i = 0; i < 200; i++) {
		mem_auto_str char *address = mem_printf("app-%d/r1/s/R", i), *name = mem_printf("n%d", i);

		plan_create(plan, &b.fake, address, name);
	}
	b.fake.latency_ms = 20;
	before = bench_commits(&b);
	bench_apply(&b, plan);
	assert_int_equal(b.report->done, 200);
	/* start, intents, results, finish; a few more when timers spread over turns */
	assert_true(bench_commits(&b) - before < 40);
	bench_end(&b);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_hundred_thousand_changes_take_their_time_once(void **state)
{
	double spent[2];

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct bench b;
		struct plan *plan = fleet_plan();
		int count = round == 0 ? 10000 : 100000;
		double start;

		bench_start(&b);
		for (int i = 0; i < count; i++) {
			mem_auto_str char *address = mem_printf("app-%d/r1/s/R%d", i % 500, i);
			struct plan_change *change = plan_add(plan, &b.fake, PLAN_UPDATE, "T::Thing", address);

			change->after = json_pack("{s:s}", "Name", "n");
			change->record_only = true;
			if (i >= 500) {
				mem_auto_str char *before = mem_printf("app-%d/r1/s/R%d", i % 500, i - 500);

				plan_depends(plan, change, before);
			}
		}
		start = seconds();
		bench_apply(&b, plan);
		spent[round] = seconds() - start;
		assert_int_equal(b.report->updated, count);
		bench_end(&b);
	}
	print_message("10,000 changes in %.2f s, 100,000 in %.2f s\n", spent[0], spent[1]);
}

/* -- Events -------------------------------------------------------------------------------------------------------- */

struct heard {
	size_t started, finished, done, failed, skipped, progress;
	struct apply_progress last;
};

static void hear_started(void *payload, const struct plan_change *change)
{
	(void)change;
	((struct heard *)payload)->started++;
}

static void hear_finished(void *payload, const struct plan_change *change, enum apply_status status,
			  const struct provider_result *result, int64_t elapsed_ms)
{
	struct heard *heard = payload;

	(void)change;
	assert_true(elapsed_ms >= 0 && elapsed_ms < 60000);
	heard->finished++;
	heard->done += status == APPLY_DONE;
	heard->failed += status == APPLY_FAILED && strcmp(result->code, "AccessDenied") == 0;
	heard->skipped += status == APPLY_SKIPPED && result == NULL;
}

static void hear_progress(void *payload, const struct apply_progress *progress)
{
	struct heard *heard = payload;

	heard->progress++;
	heard->last = *progress;
}

static void events_tell_what_happens(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	struct heard heard = {0};

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/R", "r");
	b.fake.latency_ms = 300;
	fake_rule(&b.fake, "create", "app/r1/s/A", FAKE_REFUSES, 0);
	b.options.events = (struct apply_events){
	    .started = hear_started, .finished = hear_finished, .progress = hear_progress, .payload = &heard};
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	plan_depends(plan, plan_create(plan, &b.fake, "app/r1/s/B", "b"), "app/r1/s/A");
	replace(plan, &b, "app/r1/s/R", "r2"); /* two nodes, one change */
	bench_apply(&b, plan);
	assert_int_equal(heard.started, 2);
	assert_int_equal(heard.finished, 3);
	assert_int_equal(heard.done, 1);
	assert_int_equal(heard.failed, 1);
	assert_int_equal(heard.skipped, 1);
	assert_true(heard.progress >= 4);
	assert_int_equal(heard.last.total, 3);
	assert_int_equal(heard.last.done + heard.last.failed + heard.last.skipped, 3);
	assert_int_equal(heard.last.running + heard.last.waiting, 0);
	bench_end(&b);
}

/* -- Is the plan still true? --------------------------------------------------------------------------------------- */

static int check(struct bench *b, const struct plan *plan, const char *says)
{
	struct diag d = DIAG_INIT;
	int rc = apply_check(plan, b->state, &d);

	if (rc < 0 && strstr(diag_first_error(&d), says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", diag_first_error(&d), says);
	diag_free(&d);
	return rc;
}

static void a_plan_must_be_of_this_state_and_still_true(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan(), *reads = fleet_plan();
	struct plan_change *change;

	(void)state;
	bench_start(&b);
	memset(plan->digest, 'a', 64);
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	assert_int_equal(check(&b, plan, ""), 0);
	assert_int_equal(bench_run(&b, plan), 0);
	assert_int_equal(check(&b, plan, "applied already, as generation 1"), -1);
	memset(plan->digest, 'b', 64);
	assert_int_equal(check(&b, plan, "app/r1/s/A, which this plan changes, has been recorded"), -1);
	plan_free(plan);

	plan = fleet_plan();
	change = plan_add(plan, &b.fake, PLAN_DELETE, "T::Thing", "app/r1/s/A");
	plan_from_record(change, b.state);
	assert_int_equal(check(&b, plan, ""), 0);
	change->version += 7;
	assert_int_equal(check(&b, plan, "app/r1/s/A, which this plan changes, has changed"), -1);
	plan->generation = 9;
	assert_int_equal(check(&b, plan, "older copy"), -1);
	free(plan->lineage);
	plan->lineage = mem_strdup("02OTHER");
	assert_int_equal(check(&b, plan, "different fleets"), -1);
	plan_free(plan);

	json_decref(reads->reads);
	reads->reads = json_pack("{s:i}", "app/r1/s/A", 12345);
	assert_int_equal(check(&b, reads, "app/r1/s/A, which this plan reads, has changed"), -1);
	plan_free(reads);
	bench_end(&b);
}

static uint64_t newest_version(struct bench *b)
{
	struct state_txn *txn;
	uint64_t version;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(state_version(txn, &version, &b->d), 0);
	state_abort(txn);
	return version;
}

static void a_deletion_does_not_outlive_a_new_user(void **state)
{
	static const char *const uses[] = {"app/r1/s/A", "app/r1/s"};

	for (size_t i = 0; i < 2; i++) {
		struct bench b;
		struct plan *plan = fleet_plan(), *other = fleet_plan();

		(void)state;
		bench_start(&b);
		given(&b, "app/r1/s/A", "a");
		plan_from_record(plan_add(plan, &b.fake, PLAN_DELETE, "T::Thing", "app/r1/s/A"), b.state);
		plan->generation = 1;
		plan->version = newest_version(&b);
		assert_int_equal(check(&b, plan, ""), 0);
		plan_depends(other, plan_create(other, &b.fake, "app/r1/t/B", "b"), uses[i]);
		bench_apply(&b, other);
		assert_int_equal(check(&b, plan, "is used by app/r1/t/B since the plan was made"), -1);
		/* also when its generation was under way already while the plan was made */
		plan->generation = 2;
		assert_int_equal(check(&b, plan, "is used by app/r1/t/B since the plan was made"), -1);
		/* replaced and left in AWS, or with a plan that knows of the user, it may go */
		plan->changes[0].action = PLAN_REPLACE;
		assert_int_equal(check(&b, plan, "is used by app/r1/t/B"), -1);
		plan->changes[0].retain_old = true;
		assert_int_equal(check(&b, plan, ""), 0);
		plan->changes[0].action = PLAN_DELETE;
		plan->version = newest_version(&b);
		assert_int_equal(check(&b, plan, ""), 0);
		plan_free(plan);
		bench_end(&b);
	}
}

static void a_plan_of_which_nothing_was_done_can_be_taken_again(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	memset(plan->digest, 'a', 64);
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	fake_rule(&b.fake, "create", "*", FAKE_REFUSES, 0);
	assert_int_equal(bench_run(&b, plan), 0);
	assert_int_equal(b.report->failed, 1);
	assert_int_equal(check(&b, plan, ""), 0);
	b.fake.rule_count = 0;
	assert_int_equal(bench_run(&b, plan), 0);
	assert_int_equal(b.report->done, 1);
	assert_int_equal(check(&b, plan, "applied already, as generation 2"), -1);
	plan_free(plan);
	bench_end(&b);
}

/* -- Interrupts ---------------------------------------------------------------------------------------------------- */

static void interrupt_at_second_call(struct fake *fake, const char *operation, const char *address)
{
	(void)operation;
	if (strcmp(address, "app/r1/s/R1") == 0)
		raise(SIGINT);
	(void)fake;
}

static void interrupt_at_delete(struct fake *fake, const char *operation, const char *address)
{
	(void)fake;
	(void)address;
	if (strcmp(operation, "delete") == 0)
		raise(SIGINT);
}

static void what_was_deleted_first_is_made_in_spite_of_an_interrupt(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	given(&b, "app/r1/s/A", "a");
	b.fake.latency_ms = 5;
	b.fake.on_call = interrupt_at_delete;
	replace(plan, &b, "app/r1/s/A", "a")->create_first = false;
	plan_depends(plan, plan_create(plan, &b.fake, "app/r1/s/B", "b"), "app/r1/s/A");
	bench_apply(&b, plan);
	assert_true(b.report->interrupted);
	assert_int_equal(b.report->replaced, 1);
	assert_int_equal(b.report->not_started, 1);
	assert_non_null(world_named(b.world, "a"));
	bench_end(&b);
}

static void the_first_interrupt_starts_nothing_new(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	b.fake.latency_ms = 5;
	for (int i = 0; i < 10; i++) {
		mem_auto_str char *address = mem_printf("app/r1/s/R%d", i), *name = mem_printf("n%d", i);
		struct plan_change *change = plan_add(plan, &b.fake, PLAN_CREATE, "T::Thing", address);

		change->after = json_pack("{s:s, s:i}", "Name", name, "Size", 1);
		if (i > 0) {
			mem_auto_str char *before = mem_printf("app/r1/s/R%d", i - 1);

			plan_depends(plan, change, before);
		}
	}
	b.fake.on_call = interrupt_at_second_call;
	bench_apply(&b, plan);
	assert_true(b.report->interrupted);
	assert_true(b.report->done >= 1 && b.report->done <= 2);
	assert_int_equal(b.report->not_started, 10 - b.report->done);
	assert_int_equal(bench_intents(&b), 0);
	json_auto_t *generation = bench_generation(&b, 1);
	assert_string_equal(json_get_string(json_object_get(generation, "Outcome"), "Result"), "interrupted");
	bench_end(&b);
}

static void interrupt_again(void *payload)
{
	(void)payload;
	raise(SIGINT);
}

static void interrupt_at_creates(struct fake *fake, const char *operation, const char *address)
{
	(void)address;
	if (strcmp(operation, "create") != 0)
		return;
	raise(SIGINT);
	loop_timer_start(fake->loop, 20, interrupt_again, NULL);
}

static void the_second_interrupt_leaves_intents(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();

	(void)state;
	bench_start(&b);
	fake_rule(&b.fake, "create", "*", FAKE_HANGS, 0);
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	b.fake.on_call = interrupt_at_creates;
	bench_apply(&b, plan);
	assert_true(b.report->interrupted);
	assert_int_equal(b.report->failed, 1);
	assert_int_equal(bench_intents(&b), 1);
	/* and while one is open, nothing is done there */
	b.fake.on_call = NULL;
	b.fake.rule_count = 0;
	plan = fleet_plan();
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	bench_apply(&b, plan);
	assert_string_equal(b.report->failures[0].code, "OpenIntent");
	bench_end(&b);
}

/* -- A state that cannot be written -------------------------------------------------------------------------------- */

static size_t file_limit(size_t bytes)
{
	struct rlimit limit;
	size_t before;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	before = (size_t)limit.rlim_cur;
	limit.rlim_cur = (rlim_t)bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return before;
}

static void disk_full(struct fake *fake, const char *operation, const char *address)
{
	(void)address;
	if (strcmp(operation, "create") == 0 && fake->user != NULL) {
		*(size_t *)fake->user = file_limit(1);
		fake->user = NULL;
	}
}

static void disk_empty(void *payload)
{
	file_limit(*(size_t *)payload);
}

static void a_full_disk_stops_the_run_and_loses_nothing(void **state)
{
	struct bench b;
	struct plan *plan = fleet_plan();
	size_t limit = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	bench_start(&b);
	plan_create(plan, &b.fake, "app/r1/s/A", "a");
	plan_depends(plan, plan_create(plan, &b.fake, "app/r1/s/B", "b"), "app/r1/s/A");
	b.fake.user = &limit;
	b.fake.on_call = disk_full;
	loop_timer_start(b.loop, 700, disk_empty, &limit);
	assert_int_equal(bench_run(&b, plan), 0);
	assert_true(b.d.errors > 0);
	assert_int_equal(b.report->done, 1);
	assert_int_equal(b.report->not_started, 1);
	assert_record(&b, "app/r1/s/A", "a", false);
	assert_int_equal(bench_intents(&b), 0);
	plan_free(plan);
	bench_end(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_create_is_looked_for_then_made_then_recorded),
	    cmocka_unit_test(the_digest_is_that_of_the_resolved_resource),
	    cmocka_unit_test(dependents_wait_for_the_result),
	    cmocka_unit_test(what_exists_already_is_not_made_again),
	    cmocka_unit_test(what_exists_is_adopted_and_updated),
	    cmocka_unit_test(a_failure_skips_what_depends_on_it_and_nothing_else),
	    cmocka_unit_test(a_half_made_resource_is_remembered),
	    cmocka_unit_test(a_failed_update_is_looked_at_again),
	    cmocka_unit_test(what_is_incomplete_is_not_taken_to_be_whole),
	    cmocka_unit_test(what_a_failed_update_has_moved_is_taken_for_its_own),
	    cmocka_unit_test(an_account_is_known_by_its_id),
	    cmocka_unit_test(a_target_that_cannot_be_entered_is_not_tried_again),
	    cmocka_unit_test(updates_deletes_and_forgets),
	    cmocka_unit_test(what_is_protected_or_retained_is_never_deleted),
	    cmocka_unit_test(create_first_makes_then_cleans_up),
	    cmocka_unit_test(what_could_not_be_cleaned_up_stays_in_the_record),
	    cmocka_unit_test(what_was_left_goes_with_its_own_change_or_with_the_resource),
	    cmocka_unit_test(what_was_left_is_not_forgotten_with_the_record),
	    cmocka_unit_test(delete_first_deletes_then_makes),
	    cmocka_unit_test(a_name_that_was_just_freed_can_be_taken),
	    cmocka_unit_test(what_policy_retains_is_left),
	    cmocka_unit_test(secrets_reach_the_call_but_not_the_state),
	    cmocka_unit_test(an_update_does_not_become_a_replacement),
	    cmocka_unit_test(a_replacement_that_need_not_be_is_none),
	    cmocka_unit_test(a_replacement_that_must_be_is_made),
	    cmocka_unit_test(a_missing_attribute_is_said),
	    cmocka_unit_test(many_at_once_but_no_more_than_allowed),
	    cmocka_unit_test(a_slow_target_does_not_hold_up_the_others),
	    cmocka_unit_test(one_key_goes_one_after_another),
	    cmocka_unit_test(one_transaction_a_turn),
	    cmocka_unit_test(a_hundred_thousand_changes_take_their_time_once),
	    cmocka_unit_test(events_tell_what_happens),
	    cmocka_unit_test(a_plan_must_be_of_this_state_and_still_true),
	    cmocka_unit_test(a_deletion_does_not_outlive_a_new_user),
	    cmocka_unit_test(a_plan_of_which_nothing_was_done_can_be_taken_again),
	    cmocka_unit_test(what_was_deleted_first_is_made_in_spite_of_an_interrupt),
	    cmocka_unit_test(the_first_interrupt_starts_nothing_new),
	    cmocka_unit_test(the_second_interrupt_leaves_intents),
	    cmocka_unit_test(a_full_disk_stops_the_run_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
