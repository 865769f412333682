/* Changes of the state alone: all or nothing, each a generation, and none over what is under way. */
#include "tests/unit/apply_fake.h"

#include "apply/import.h"

/* -- What all of them start from ------------------------------------------------------------------------------------
 */

static struct plan_change *thing(struct plan *plan, struct bench *b, const char *address, const char *name)
{
	struct plan_change *change = plan_create(plan, &b->fake, address, name);

	change->deletion = SPECS_DELETION_UNSET;
	return change;
}

/* Two accounts of two ids; app's B depends on its A, web's C on all of app's stack. */
static void fleet(struct bench *b)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change;

	thing(plan, b, "app/r1/s/A", "a");
	plan_depends(plan, thing(plan, b, "app/r1/s/B", "b"), "app/r1/s/A");
	change = thing(plan, b, "web/r1/t/C", "c");
	change->account_id = "222222222222";
	plan->accounts[1].id = "222222222222";
	plan_depends(plan, change, "app/r1/s");
	bench_apply(b, plan);
}

static size_t records(struct bench *b)
{
	struct state_txn *txn;
	size_t count = 0;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(state_record_count(txn, &count, &b->d), 0);
	state_abort(txn);
	return count;
}

static uint64_t generation(struct bench *b)
{
	struct state_txn *txn;
	uint64_t number = 0;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(state_generation(txn, &number, &b->d), 0);
	state_abort(txn);
	return number;
}

static void intend(struct bench *b, const char *address)
{
	json_auto_t *intent = json_pack("{s:s}", "Phase", "update");
	struct state_txn *txn;

	assert_int_equal(state_begin(&txn, b->state, true, &b->d), 0);
	assert_int_equal(state_intent_put(txn, address, intent, &b->d), 0);
	assert_int_equal(state_commit(txn, &b->d), 0);
}

/* `rc` is a refusal in these words, and it has changed nothing. */
static void expect_refusal(struct bench *b, int rc, const char *words)
{
	assert_int_equal(rc, -1);
	if (strstr(diag_first_error(&b->d), words) == NULL)
		fail_msg("%s, not: %s", diag_first_error(&b->d), words);
	diag_free(&b->d);
	assert_int_equal(generation(b), 1);
	assert_int_equal(records(b), 3);
}

static const char *first_of(const json_t *body, const char *list)
{
	return json_string_value(json_array_get(json_object_get(body, list), 0));
}

/* -- Moving ---------------------------------------------------------------------------------------------------------
 */

static int move(struct bench *b, const char *from, const char *to, size_t *count)
{
	json_auto_t *facts = json_pack("{s:[s]}", "Command", "muster");
	json_auto_t *roster = json_pack("{s:s, s:s}", "app", "111111111111", "empty", "333333333333");

	return apply_state_move(b->state, from, to, roster, facts, count, &b->d);
}

static void a_record_moves_and_its_dependents_know(void **state)
{
	struct bench b;
	size_t count = 0;

	(void)state;
	bench_start(&b);
	fleet(&b);
	assert_int_equal(move(&b, "app/r1/s/A", "app/r1/u/New", &count), 0);
	assert_int_equal(count, 1);
	json_auto_t *old = bench_record(&b, "app/r1/s/A"), *new = bench_record(&b, "app/r1/u/New");
	json_auto_t *dependent = bench_record(&b, "app/r1/s/B"), *other = bench_record(&b, "web/r1/t/C");
	assert_null(old);
	assert_string_equal(json_get_string(new, "Origin"), "app/r1/s/A");
	assert_string_equal(first_of(dependent, "DependsOn"), "app/r1/u/New");
	assert_string_equal(first_of(other, "DependsOn"), "app/r1/s");
	json_auto_t *whole = bench_generation(&b, 2);
	assert_string_equal(json_get_string(whole, "Status"), "finished");
	assert_int_equal(json_get_int(json_object_get(whole, "Outcome"), "Moved", 0), 1);
	assert_non_null(json_object_get(json_object_get(whole, "Facts"), "Time"));
	bench_end(&b);
}

static void all_under_a_prefix_moves(void **state)
{
	struct bench b;
	size_t count = 0;

	(void)state;
	bench_start(&b);
	fleet(&b);
	assert_int_equal(move(&b, "app/r1/s", "app/r1/stack", &count), 0);
	assert_int_equal(count, 2);
	json_auto_t *dependent = bench_record(&b, "app/r1/stack/B"), *other = bench_record(&b, "web/r1/t/C");
	assert_string_equal(first_of(dependent, "DependsOn"), "app/r1/stack/A");
	assert_string_equal(first_of(other, "DependsOn"), "app/r1/stack");
	assert_int_equal(move(&b, "app", "payments", &count), 0);
	json_auto_t *renamed = bench_record(&b, "payments/r1/stack/B");
	assert_string_equal(first_of(renamed, "DependsOn"), "payments/r1/stack/A");
	assert_string_equal(json_get_string(renamed, "Origin"), "app/r1/s/B");
	/* The digest fits what the record says now, so that the next plan is quiet. */
	assert_int_equal(move(&b, "payments", "app", &count), 0);
	assert_int_equal(move(&b, "app/r1/stack", "app/r1/s", &count), 0);
	json_auto_t *back = bench_record(&b, "app/r1/s/B");
	assert_null(json_object_get(back, "Origin"));
	bench_end(&b);
}

static void what_would_lose_something_is_refused(void **state)
{
	struct bench b;
	size_t count = 0;

	(void)state;
	bench_start(&b);
	fleet(&b);
	expect_refusal(&b, move(&b, "app/r1/s/A", "app/r1/s/B", &count), "something is recorded there already");
	expect_refusal(&b, move(&b, "app/r1/s/A", "app/r1/s/A", &count), "is there already");
	expect_refusal(&b, move(&b, "app/r1/s/None", "app/r1/s/X", &count), "nothing is recorded at app/r1/s/None");
	expect_refusal(&b, move(&b, "ap", "apps", &count), "nothing is recorded at ap");
	expect_refusal(&b, move(&b, "app/r1/s", "app", &count), "have not the same number of parts");
	expect_refusal(&b, move(&b, "", "app", &count), "is no address");
	expect_refusal(&b, move(&b, "app/r1/s/A/x", "app/r1/s/A/y", &count), "is no address");
	expect_refusal(&b, move(&b, "app/", "web/", &count), "is no address");
	expect_refusal(&b, move(&b, "app/r1", "app/r2", &count), "cannot be moved to another");
	expect_refusal(&b, move(&b, "app/r1/s/A", "web/r1/s/A", &count), "a resource stays in its account");
	expect_refusal(&b, move(&b, "app", "empty", &count),
		       "app is account 111111111111 and empty is account 333333333333");
	expect_refusal(&b, move(&b, "app/r1/s/A", "app/r1/s/A\nX", &count),
		       "a logical id is made of letters and digits");
	expect_refusal(&b, move(&b, "app/r1/s/A", "app/r1/s/*", &count), "a logical id is made of letters and digits");
	expect_refusal(&b, move(&b, "app/r1/s", "app/r1/-s", &count), "a stack's name is made of");
	expect_refusal(&b, move(&b, "app", "tag:x", &count), "no account can have that name");
	intend(&b, "app/r1/s/B");
	expect_refusal(&b, move(&b, "app", "payments", &count), "app/r1/s/B: an apply that was cut off");
	expect_refusal(&b, move(&b, "app/r1/s/A", "app/r1/s/B", &count), "run muster apply --recover first");
	bench_end(&b);
}

/* -- Forgetting -----------------------------------------------------------------------------------------------------
 */

static int forget(struct bench *b, const char *one, const char *two, size_t *count)
{
	const char *const globs[] = {one, two};

	return apply_state_forget(b->state, globs, two != NULL ? 2 : 1, NULL, count, &b->d);
}

static void what_matches_is_forgotten_and_stays_in_history(void **state)
{
	struct state_record raw;
	struct state_txn *txn;
	struct bench b;
	size_t count = 0, calls;

	(void)state;
	bench_start(&b);
	fleet(&b);
	calls = b.fake.calls;
	assert_int_equal(forget(&b, "app/*/A", "web/*", &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(records(&b), 1);
	assert_int_equal(b.fake.calls, calls);
	assert_int_equal(world_live(b.world), 3);
	assert_int_equal(state_begin(&txn, b.state, false, &b.d), 0);
	assert_int_equal(state_record_at(txn, 1, "web/r1/t/C", &raw, &b.d), 1);
	state_abort(txn);
	json_auto_t *whole = bench_generation(&b, 2);
	assert_int_equal(json_get_int(json_object_get(whole, "Outcome"), "Forgotten", 0), 2);
	bench_end(&b);
}

static void give_up(struct bench *b, const char *address)
{
	json_auto_t *intent = json_pack("{s:s, s:s}", "Phase", "create", "Stays", "the account was closed");
	struct state_txn *txn;

	assert_int_equal(state_begin(&txn, b->state, true, &b->d), 0);
	assert_int_equal(state_intent_put(txn, address, intent, &b->d), 0);
	assert_int_equal(state_commit(txn, &b->d), 0);
}

static void what_nobody_can_look_up_is_let_go(void **state)
{
	struct bench b;
	size_t count;

	(void)state;
	bench_start(&b);
	fleet(&b);
	give_up(&b, "app/r1/s/A"); /* recorded, too */
	give_up(&b, "old/r1/s/A");
	intend(&b, "app/r1/s/N");
	expect_refusal(&b, move(&b, "app/r1/s/A", "app/r1/s/Z", &count),
		       "could not look it up (the account was closed)");
	expect_refusal(&b, forget(&b, "*", NULL, &count), "app/r1/s/N: an apply that was cut off");
	assert_int_equal(bench_intents(&b), 3);
	assert_int_equal(records(&b), 3);
	assert_int_equal(forget(&b, "old/*", "*/A", &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(bench_intents(&b), 1);
	assert_int_equal(records(&b), 2);
	bench_end(&b);
}

static void a_pattern_for_nothing_forgets_nothing(void **state)
{
	struct bench b;
	size_t count = 0;

	(void)state;
	bench_start(&b);
	fleet(&b);
	expect_refusal(&b, forget(&b, "app/*", "wbe/*", &count), "'wbe/*' matches nothing");
	intend(&b, "web/r1/t/C");
	expect_refusal(&b, forget(&b, "web/*", NULL, &count), "web/r1/t/C: an apply that was cut off");
	assert_int_equal(forget(&b, "app/*", NULL, &count), 0);
	assert_int_equal(count, 2);
	bench_end(&b);
}

/* -- Export and restore ---------------------------------------------------------------------------------------------
 */

static json_t *export(struct bench *b, bool secrets)
{
	struct state_txn *txn;
	json_t *document = NULL;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(apply_state_export(&document, txn, b->fake.schemas, secrets, &b->d), 0);
	state_abort(txn);
	return document;
}

/* A record with a secret of each kind: by its spec, and by its type. */
static void secret_thing(struct bench *b)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change = thing(plan, b, "app/r1/s/Secret", "secret");

	json_object_set_new(change->after, "Secret", json_string("clear by its spec"));
	bench_apply(b, plan);
}

static void an_export_has_no_secrets_unless_asked(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	secret_thing(&b);
	json_auto_t *plain = export(&b, false), *whole = export(&b, true);
	mem_auto_str char *plain_text = json_dumps(plain, 0), *whole_text = json_dumps(whole, 0);
	assert_null(strstr(plain_text, "clear by its spec"));
	assert_null(json_object_get(plain, "SecretKey"));
	assert_non_null(strstr(plain_text, "\"Muster::Secret\": {}"));
	assert_non_null(strstr(whole_text, "clear by its spec"));
	assert_int_equal(strlen(json_get_string(whole, "SecretKey")), 64);
	assert_string_equal(json_get_string(plain, "Lineage"), LINEAGE);
	assert_int_equal(json_get_int(plain, "Generation", 0), 1);
	assert_non_null(json_object_get(json_object_get(plain, "Regions"), "111111111111"));
	bench_end(&b);
}

/* What left the state may stand in it under another type, or in what a replacement has left. */
static void nothing_passes_because_of_its_type(void **state)
{
	struct state_txn *txn;
	struct bench b;
	uint64_t number;
	uint8_t digest[32] = {0};

	(void)state;
	bench_start(&b);
	fleet(&b);
	json_auto_t *odd = json_loads("{\"Type\": \"T::Forgotten\", \"AccountId\": \"111111111111\","
				      "\"Properties\": {\"Any\": \"p4ss\"}, \"Attributes\": {\"Id\": \"known-by\"},"
				      "\"Deposed\": [{\"Type\": \"T::Thing\", \"Properties\": {\"Secret\": \"0ld\"},"
				      "\"Attributes\": {\"Secret\": \"0ld\", \"Id\": \"id-7\"}}]}",
				      0, NULL);
	assert_int_equal(state_begin(&txn, b.state, true, &b.d), 0);
	assert_int_equal(state_generation_start(txn, NULL, &number, &b.d), 0);
	assert_int_equal(state_record_put(txn, "app/r1/s/Odd", number, digest, odd, NULL, &b.d), 0);
	assert_int_equal(state_generation_finish(txn, number, NULL, &b.d), 0);
	assert_int_equal(state_commit(txn, &b.d), 0);
	json_auto_t *plain = export(&b, false);
	mem_auto_str char *text = json_dumps(json_object_get(json_object_get(plain, "Resources"), "app/r1/s/Odd"), 0);
	assert_null(strstr(text, "p4ss"));
	assert_null(strstr(text, "0ld"));
	assert_non_null(strstr(text, "known-by"));
	assert_non_null(strstr(text, "id-7"));
	bench_end(&b);
}

static int restore(struct bench *b, const json_t *document, size_t *count)
{
	return apply_state_restore(b->state, document, NULL, count, &b->d);
}

static void what_was_exported_is_the_same_in_an_empty_state(void **state)
{
	static const char *const same[] = {"Format",    "Lineage", "Secrets", "SecretKey",
					   "Resources", "Regions", "Intents"};
	struct bench b, other;
	size_t count = 0;

	(void)state;
	bench_start(&b);
	fleet(&b);
	json_auto_t *document = export(&b, true);
	bench_start(&other);
	assert_int_equal(restore(&other, document, &count), 0);
	assert_int_equal(count, 3);
	json_auto_t *again = export(&other, true);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_true(json_equal(json_object_get(document, same[i]), json_object_get(again, same[i])));
	json_auto_t *whole = bench_generation(&other, 2);
	assert_int_equal(json_get_int(json_object_get(whole, "Outcome"), "Imported", 0), 3);
	assert_int_equal(restore(&other, document, &count), -1);
	assert_non_null(strstr(diag_first_error(&other.d), "the state has 3 records"));
	bench_end(&other);
	bench_end(&b);
}

/* Numbers go on, the chain too, and a plan that was applied there was applied. */
static void nothing_is_numbered_twice(void **state)
{
	struct state_verify_result proof;
	struct bench b, other;
	struct state_txn *txn;
	uint64_t version = 0, first = 0;
	size_t count = 0;

	(void)state;
	bench_start(&b);
	fleet(&b);
	assert_int_equal(move(&b, "app/r1/s", "app/r1/stack", &count), 0);
	json_auto_t *newest = bench_generation(&b, 2);
	json_auto_t *document = export(&b, true);
	assert_int_equal(json_get_int(document, "Generation", 0), 2);
	assert_true(json_get_int(document, "Version", 0) >= 5);
	assert_string_equal(json_get_string(document, "Hash"), json_get_string(newest, "Hash"));
	bench_start(&other);
	assert_int_equal(restore(&other, document, &count), 0);
	assert_int_equal(generation(&other), 3);
	json_auto_t *imported = bench_generation(&other, 3);
	assert_string_equal(json_get_string(imported, "Previous"), json_get_string(newest, "Hash"));
	assert_int_equal(state_begin(&txn, other.state, false, &other.d), 0);
	assert_int_equal(state_generation_first(txn, &first, &other.d), 0);
	assert_int_equal(first, 3);
	assert_int_equal(state_version(txn, &version, &other.d), 0);
	assert_true(version > (uint64_t)json_get_int(document, "Version", 0));
	assert_int_equal(state_verify(txn, &proof, &other.d), 0);
	assert_int_equal(proof.generations, 1);
	state_abort(txn);
	/* Over and over, also into a state that was emptied. */
	assert_int_equal(forget(&other, "*", NULL, &count), 0);
	assert_int_equal(restore(&other, document, &count), 0);
	assert_int_equal(generation(&other), 5);
	bench_end(&other);
	bench_end(&b);
}

/* The hash chain of one state does not lead into another's. */
static void a_history_of_its_own_does_not_jump(void **state)
{
	struct bench b, other;
	size_t count = 0;

	(void)state;
	bench_start(&b);
	fleet(&b);
	assert_int_equal(move(&b, "app/r1/s", "app/r1/stack", &count), 0);
	assert_int_equal(move(&b, "app/r1/stack", "app/r1/s", &count), 0);
	json_auto_t *document = export(&b, true);
	bench_start(&other);
	fleet(&other);
	assert_int_equal(forget(&other, "*", NULL, &count), 0);
	assert_int_equal(restore(&other, document, &count), -1);
	assert_non_null(strstr(diag_first_error(&other.d), "has a history of its own, up to generation 2"));
	bench_end(&other);
	bench_end(&b);
}

static void what_is_under_way_goes_along(void **state)
{
	struct bench b, other;
	struct state_txn *txn;
	size_t count = 0;

	(void)state;
	bench_start(&b);
	fleet(&b);
	json_auto_t *intent = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:{s:s}}}", "Action",
					"create", "Phase", "create", "Type", "T::Thing", "Account", "app", "AccountId",
					"111111111111", "Region", "r1", "Token", "t1", "Record", "Type", "T::Thing",
					"AccountId", "111111111111", "Properties", "Secret", "in clear");
	json_auto_t *there = NULL;
	assert_int_equal(state_begin(&txn, b.state, true, &b.d), 0);
	assert_int_equal(state_intent_put(txn, "app/r1/s/New", intent, &b.d), 0);
	assert_int_equal(state_commit(txn, &b.d), 0);
	json_auto_t *plain = export(&b, false), *whole = export(&b, true);
	mem_auto_str char *text = json_dumps(plain, 0);
	assert_null(strstr(text, "in clear"));
	assert_non_null(json_object_get(json_object_get(plain, "Intents"), "app/r1/s/New"));
	bench_start(&other);
	assert_int_equal(restore(&other, whole, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(state_begin(&txn, other.state, false, &other.d), 0);
	assert_int_equal(state_intent_get(txn, "app/r1/s/New", &there, &other.d), 1);
	state_abort(txn);
	assert_true(json_equal(there, intent));
	bench_end(&other);
	bench_end(&b);
}

/* `edit` makes a good export a bad one. */
static void expect_bad(struct bench *b, const json_t *good, const char *path, json_t *value, const char *words)
{
	json_auto_t *bad = json_deep_copy(good);
	size_t count = 0;

	if (value == NULL)
		json_object_del(bad, path);
	else
		json_object_set_new(bad, path, value);
	assert_int_equal(restore(b, bad, &count), -1);
	if (strstr(diag_first_error(&b->d), words) == NULL)
		fail_msg("%s, not: %s", diag_first_error(&b->d), words);
	diag_free(&b->d);
	assert_int_equal(records(b), 0);
	assert_int_equal(generation(b), 0);
}

static void expect_bad_record(struct bench *b, const json_t *good, const char *member, const char *value,
			      const char *words)
{
	json_t *resources = json_deep_copy(json_object_get(good, "Resources"));

	json_object_set_new(json_object_get(resources, "app/r1/s/A"), member, json_loads(value, JSON_DECODE_ANY, NULL));
	expect_bad(b, good, "Resources", resources, words);
}

static void a_bad_export_is_refused_whole(void **state)
{
	static const struct {
		const char *member, *value, *words;
	} faults[] = {
	    {"Type", "\"\"", "app/r1/s/A: it has no Type"},
	    {"Type", "\"T\\n\"", "Type is no name of a type"},
	    {"AccountId", "\"1\"", "AccountId has not 12 digits"},
	    {"AccountId", "4", "AccountId is no string"},
	    {"Properties", "[]", "it has no Properties"},
	    {"Attributes", "3", "Attributes are no object"},
	    {"DependsOn", "\"x\"", "DependsOn is no list of addresses"},
	    {"DependsOn", "[1, null]", "DependsOn is no list of addresses"},
	    {"DependsOn", "[\"x\"]", "DependsOn is no list of addresses"},
	    {"Access", "3", "Access is no object"},
	    {"Deposed", "\"x\"", "Deposed is no list"},
	    {"Deposed", "[1]", "an entry of Deposed is no object"},
	    {"Deposed", "[{}]", "an entry of Deposed has no Type"},
	    {"Deposed", "[{\"Type\": \"T::Thing\"}]", "an entry of Deposed has no Properties"},
	    {"Deposed", "[{\"Type\": \"T::Thing\", \"Properties\": {}, \"Depends\": [2]}]", "Depends that are no list"},
	    {"Deposed", "[{\"Type\": \"T::Thing\", \"Properties\": {}, \"More\": 2}]", "a member that this program"},
	    {"DeletionPolicy", "\"Keep\"", "DeletionPolicy is neither Delete nor Retain"},
	    {"Protect", "1", "Protect is neither true nor false"},
	    {"Incarnation", "-5", "Incarnation is no number from 0 on"},
	    {"Incarnation", "9223372036854775807", "Incarnation is no number from 0 on"},
	    {"Origin", "\"\"", "Origin is no address"},
	    {"Origin", "\"app/r1/s\"", "Origin is no address"},
	    {"More", "1", "a member that this program does not know, \"More\""},
	};
	struct bench b, other;

	(void)state;
	bench_start(&b);
	fleet(&b);
	json_auto_t *good = export(&b, true), *list = json_array();
	bench_start(&other);
	expect_bad(&other, list, "x", json_null(), "it has no Resources");
	expect_bad(&other, good, "Resources", NULL, "it has no Resources");
	expect_bad(&other, good, "Format", json_integer(9), "has format 9");
	expect_bad(&other, good, "Lineage", NULL, "names no Lineage");
	expect_bad(&other, good, "Regions", json_integer(1), "Regions is no object");
	expect_bad(&other, good, "Intents", json_integer(1), "Intents is no object");
	expect_bad(&other, good, "Intents", json_pack("{s:{s:s}}", "app/r1/s/A", "Phase", "create"),
		   "Intents: what stands under \"app/r1/s/A\" cannot be read");
	expect_bad(&other, good, "Generation", json_integer(-1), "no numbers from 0 on");
	expect_bad(&other, good, "Version", json_integer(INT64_MAX), "no state has come to");
	expect_bad(&other, good, "Hash", json_string("ab"), "64 hex digits");
	expect_bad(&other, good, "Plans", json_pack("{s:i}", "ab", 1), "64 hex digits");
	expect_bad(&other, good, "Plans", json_pack("{s:i}", "ab", 7), "Plans has no generation for \"ab\"");
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		expect_bad_record(&other, good, faults[i].member, faults[i].value, faults[i].words);
	expect_bad(&other, good, "Regions", json_pack("{s:{s:i}}", "222222222222", "Regions", 3),
		   "Regions: what stands");
	expect_bad(&other, good, "Regions", json_pack("{s:{s:[n]}}", "222222222222", "Regions"),
		   "Regions: what stands");
	expect_bad(&other, good, "Rules", json_pack("{s:i}", "Approval", 1), "Rules has an Approval");
	expect_bad(&other, good, "Rules", json_pack("{s:{s:n}}", "Keys", "a.pem"), "Rules has no key \"a.pem\"");
	expect_bad(&other, good, "SecretKey", json_integer(4), "SecretKey is no string");
	expect_bad(&other, good, "SecretKey", json_string("xyz"), "SecretKey is not 64 hex digits");
	expect_bad(&other, good, "Resources", json_pack("{s:{}}", "app/r1/s/A"), "app/r1/s/A: it has no Type");
	expect_bad(
	    &other, good, "Resources",
	    json_pack("{s:{s:s, s:s, s:{}}}", "app/r1", "Type", "T::Thing", "AccountId", "111111111111", "Properties"),
	    "app/r1: that is no address of a resource");
	intend(&other, "app/r1/s/A");
	expect_bad(&other, good, "Secrets", json_true(), "run muster apply --recover first");
	bench_end(&other);
	bench_end(&b);
}

/* -- Import of what is live -----------------------------------------------------------------------------------------
 */

/* Makes it, and forgets it again. */
static void live(struct bench *b, const char *type, const char *name)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change = plan_add(plan, &b->fake, PLAN_CREATE, type, "app/r1/s/A");
	size_t count;

	change->after = json_pack("{s:s, s:i}", "Name", name, "Size", 1);
	bench_apply(b, plan);
	assert_int_equal(forget(b, "*", NULL, &count), 0);
}

static int import(struct bench *b, const char *type, json_t *after, const char *id, bool *adopted)
{
	struct plan *plan = fleet_plan();
	struct plan_change *change = plan_add(plan, &b->fake, PLAN_CREATE, type, "app/r1/s/A");
	int rc;

	change->after = after;
	change->deletion = SPECS_DELETION_UNSET;
	rc = apply_state_import(b->state, b->loop, &b->fake.provider, plan, change, id, NULL, adopted, &b->d);
	plan_free(plan);
	return rc;
}

static void what_is_live_becomes_a_record(void **state)
{
	struct bench b;
	bool adopted = false;

	(void)state;
	bench_start(&b);
	live(&b, "T::Thing", "theirs");
	assert_int_equal(
	    import(&b, "T::Thing", json_pack("{s:s, s:i}", "Name", "theirs", "Size", 5), "theirs", &adopted), 0);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_true(adopted);
	assert_true(json_get_bool(body, "Adopted", false));
	assert_int_equal(json_get_int(json_object_get(body, "Properties"), "Size", 0), 1);
	assert_string_equal(json_get_string(json_object_get(body, "Attributes"), "Id"), "id-1");
	assert_null(json_object_get(body, "Incomplete"));
	json_auto_t *whole = bench_generation(&b, 3);
	assert_int_equal(json_get_int(json_object_get(whole, "Outcome"), "Imported", 0), 1);
	bench_end(&b);
}

static void a_name_of_ours_is_known_again(void **state)
{
	struct bench b;
	bool adopted = true;

	(void)state;
	bench_start(&b);
	mem_auto_str char *name =
	    specs_generated_name(schema_set_find(b.fake.schemas, "T::Thing"), LINEAGE, "app/r1/s/A", "s", "A", 2);
	live(&b, "T::Thing", name);
	assert_int_equal(import(&b, "T::Thing", json_pack("{s:s}", "Name", "s-A-first"), name, &adopted), 0);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_false(adopted);
	assert_null(json_object_get(body, "Adopted"));
	assert_int_equal(json_get_int(body, "Incarnation", 0), 2);
	bench_end(&b);
}

static void secrets_are_not_imported(void **state)
{
	struct bench b;
	bool adopted = false;
	json_t *after = json_pack("{s:s, s:s, s:{s:{s:{s:s}, s:s}}}", "Name", "theirs", "Secret", "literal", "Size",
				  "Muster::Secret", "Source", "Env", "X", "Hmac", "00");

	(void)state;
	bench_start(&b);
	live(&b, "T::Thing", "theirs");
	assert_int_equal(import(&b, "T::Thing", after, "theirs", &adopted), 0);
	json_auto_t *body = bench_record(&b, "app/r1/s/A");
	assert_int_equal(json_object_size(json_object_get(body, "Properties")), 1);
	bench_end(&b);
}

static void expect_no_import(struct bench *b, const char *type, json_t *after, const char *id, const char *words)
{
	uint64_t before = generation(b);
	bool adopted = false;

	assert_int_equal(import(b, type, after, id, &adopted), -1);
	if (strstr(diag_first_error(&b->d), words) == NULL)
		fail_msg("%s, not: %s", diag_first_error(&b->d), words);
	diag_free(&b->d);
	assert_int_equal(records(b), 0);
	assert_int_equal(generation(b), before);
}

static void what_is_not_there_is_not_imported(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b);
	live(&b, "T::Thing", "theirs");
	expect_no_import(&b, "T::Thing", json_object(), "nobody", "there is no T::Thing with the identifier nobody");
	expect_no_import(&b, "T::Thing", json_object(), "", "is no identifier of T::Thing: that is Name");
	expect_no_import(&b, "T::Thing", json_object(), "a|b", "is no identifier of T::Thing: that is Name");
	fake_rule(&b.fake, "read", "*", FAKE_UNREACHABLE, 0);
	expect_no_import(&b, "T::Thing", json_object(), "theirs", "could not be read in app (111111111111), r1");
	bench_end(&b);

	bench_start(&b);
	live(&b, "T::One", "theirs");
	intend(&b, "app/r1/s/A");
	expect_no_import(&b, "T::One", json_pack("{s:s}", "Name", "theirs"), "id-1",
			 "run muster apply --recover first");
	bench_end(&b);
}

/* -- Identifiers ----------------------------------------------------------------------------------------------------
 */

static const char *const id_types[] = {
    "{\"Type\": \"I::Role\", \"Service\": \"iam\", \"Name\": {\"Property\": \"RoleName\", \"Allowed\": \"A-Za-z0-9-\","
    " \"Max\": 64}, \"Ref\": \"RoleName\", \"Identity\": \"${RoleName}\", \"Properties\": {\"RoleName\": {\"Type\":"
    " \"String\"}, \"Path\": {\"Type\": \"String\"}}, \"Attributes\": {\"Arn\": {\"Predict\":"
    " \"arn:${AWS::Partition}:iam::${AWS::AccountId}:role${Path|/}${RoleName}\"}}, \"Handlers\": {}}",
    "{\"Type\": \"I::Inline\", \"Service\": \"iam\", \"Ref\": \"PolicyName\", \"Identity\":"
    " \"${RoleName}/${PolicyName}\", \"Properties\": {\"RoleName\": {\"Type\": \"String\"}, \"PolicyName\": {\"Type\":"
    " \"String\"}}, \"Handlers\": {}}",
    "{\"Type\": \"I::Topic\", \"Service\": \"sns\", \"Name\": {\"Property\": \"TopicName\", \"Allowed\": "
    "\"A-Za-z0-9-\","
    " \"Max\": 64}, \"Ref\": \"TopicArn\", \"Identity\": \"${TopicName}\", \"Properties\": {\"TopicName\": {\"Type\":"
    " \"String\"}}, \"Attributes\": {\"TopicArn\": {\"Predict\":"
    " \"arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${TopicName}\"}}, \"Handlers\": {}}",
    "{\"Type\": \"I::Key\", \"Service\": \"kms\", \"Ref\": \"KeyId\", \"Properties\": {\"Description\": {\"Type\":"
    " \"String\"}}, \"Attributes\": {\"KeyId\": {}, \"Arn\": {}}, \"Handlers\": {}}",
    "{\"Type\": \"I::Rule\", \"Service\": \"ec2\", \"Ref\": \"Id\", \"Identity\": \"${Group} ${Port} ${Open}\","
    " \"Properties\": {\"Group\": {\"Type\": \"String\"}, \"Port\": {\"Type\": \"Integer\"}, \"Open\": {\"Type\":"
    " \"Boolean\"}}, \"Attributes\": {\"Id\": {}}, \"Handlers\": {}}",
};

static const struct {
	const char *type, *id, *properties, *attributes; /* NULL: refused */
} ids[] = {
    {"I::Role", "reader", "{\"RoleName\": \"reader\"}", "{}"},
    {"I::Role", "arn:aws:iam::111111111111:role/reader", "{\"RoleName\": \"reader\", \"Path\": \"/\"}",
     "{\"Arn\": \"arn:aws:iam::111111111111:role/reader\"}"},
    {"I::Role", "arn:aws:iam::111111111111:role/a/b/reader", "{\"RoleName\": \"reader\", \"Path\": \"/a/b/\"}",
     "{\"Arn\": \"arn:aws:iam::111111111111:role/a/b/reader\"}"},
    {"I::Role", "arn:aws:kms:r1:111111111111:key/x", NULL, NULL},
    {"I::Inline", "reader|read", "{\"RoleName\": \"reader\", \"PolicyName\": \"read\"}", "{}"},
    {"I::Inline", "|read", "{\"PolicyName\": \"read\"}", "{}"},
    {"I::Inline", "read", "{\"PolicyName\": \"read\"}", "{}"},
    {"I::Inline", "a|b|c", NULL, NULL},
    {"I::Topic", "alerts", "{\"TopicName\": \"alerts\"}", "{}"},
    {"I::Topic", "arn:aws:sns:r1:111111111111:alerts", "{\"TopicName\": \"alerts\"}",
     "{\"TopicArn\": \"arn:aws:sns:r1:111111111111:alerts\"}"},
    /* Of another region: read as it stands, and found not to be there. */
    {"I::Topic", "arn:aws:sns:r2:111111111111:alerts", "{}", "{\"TopicArn\": \"arn:aws:sns:r2:111111111111:alerts\"}"},
    {"I::Key", "0123-45", "{}", "{\"KeyId\": \"0123-45\"}"},
    {"I::Key", "", NULL, NULL},
    {"I::Rule", "sg-1|22|true", "{\"Group\": \"sg-1\", \"Port\": 22, \"Open\": true}", "{}"},
    {"I::Rule", "sgr-1", "{}", "{\"Id\": \"sgr-1\"}"},
};

static void identifiers_are_taken_apart(void **state)
{
	const struct schema_place place = {"111111111111", "r1", "aws", "amazonaws.com"};
	struct schema_set *schemas;
	struct diag d = DIAG_INIT;

	(void)state;
	assert_int_equal(schema_set_new(&schemas, &d), 0);
	for (size_t i = 0; i < sizeof id_types / sizeof *id_types; i++) {
		json_auto_t *type = json_loads(id_types[i], 0, NULL);

		assert_int_equal(schema_set_add(schemas, "test", type, &d), 0);
	}
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		const struct schema_type *type = schema_set_find(schemas, ids[i].type);
		struct import_id id;
		int rc = import_identify(&id, type, ids[i].id, &place, &d);

		assert_int_equal(rc, ids[i].properties == NULL ? -1 : 0);
		if (rc == 0) {
			json_auto_t *properties = json_loads(ids[i].properties, 0, NULL);
			json_auto_t *attributes = json_loads(ids[i].attributes, 0, NULL);

			if (!json_equal(id.properties, properties) || !json_equal(id.attributes, attributes))
				fail_msg("%s %s", ids[i].type, ids[i].id);
			import_id_free(&id);
		} else {
			assert_true(d.errors > 0);
			diag_free(&d);
		}
	}
	schema_set_free(schemas);
	diag_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_record_moves_and_its_dependents_know),
	    cmocka_unit_test(all_under_a_prefix_moves),
	    cmocka_unit_test(what_would_lose_something_is_refused),
	    cmocka_unit_test(what_matches_is_forgotten_and_stays_in_history),
	    cmocka_unit_test(a_pattern_for_nothing_forgets_nothing),
	    cmocka_unit_test(what_nobody_can_look_up_is_let_go),
	    cmocka_unit_test(an_export_has_no_secrets_unless_asked),
	    cmocka_unit_test(nothing_passes_because_of_its_type),
	    cmocka_unit_test(what_was_exported_is_the_same_in_an_empty_state),
	    cmocka_unit_test(nothing_is_numbered_twice),
	    cmocka_unit_test(a_history_of_its_own_does_not_jump),
	    cmocka_unit_test(what_is_under_way_goes_along),
	    cmocka_unit_test(a_bad_export_is_refused_whole),
	    cmocka_unit_test(what_is_live_becomes_a_record),
	    cmocka_unit_test(a_name_of_ours_is_known_again),
	    cmocka_unit_test(secrets_are_not_imported),
	    cmocka_unit_test(what_is_not_there_is_not_imported),
	    cmocka_unit_test(identifiers_are_taken_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
