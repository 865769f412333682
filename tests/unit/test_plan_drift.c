/* Reports of drift: what is new, known, changed again and resolved, and what is kept when it was not asked about; that
 * such a report is never taken for a plan. */
#include "tests/unit/plan_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "apply/apply.h"
#include "plan/drift.h"
#include "state/state.h"

struct bench {
	struct diag d;
	struct state *state;
	char directory[64];
};

static void bench_start(struct bench *b)
{
	*b = (struct bench){.d = DIAG_INIT, .directory = "/tmp/muster-drift.XXXXXX"};
	assert_non_null(mkdtemp(b->directory));
	assert_int_equal(state_open(&b->state, b->directory, STATE_WRITE, &b->d), 0);
}

static void bench_end(struct bench *b)
{
	mem_auto_str char *command = mem_printf("rm -r %s", b->directory);

	state_close(b->state);
	diag_free(&b->d);
	assert_int_equal(system(command), 0);
}

/* A generation that records `body` at `address`, or (NULL) drops what is there. */
static void generation(struct bench *b, const char *address, const char *body_text)
{
	json_auto_t *facts = json_object(), *body = body_text != NULL ? parse(body_text) : NULL;
	uint8_t digest[32] = {0};
	struct state_txn *txn;
	uint64_t number;

	assert_int_equal(state_begin(&txn, b->state, true, &b->d), 0);
	assert_int_equal(state_generation_start(txn, facts, &number, &b->d), 0);
	if (body != NULL)
		assert_int_equal(state_record_put(txn, address, number, digest, body, NULL, &b->d), 0);
	else
		assert_int_equal(state_record_delete(txn, address, number, &b->d), 1);
	assert_int_equal(state_generation_finish(txn, number, facts, &b->d), 0);
	assert_int_equal(state_commit(txn, &b->d), 0);
}

/* A report of the time `seconds`, made from `of` generations. */
static struct plan *report_begin(int64_t seconds, uint64_t of)
{
	struct plan *plan = plan_begin();

	plan->drift = true;
	plan->created_ms = seconds * 1000;
	plan->generation = of;
	return plan;
}

static void drifted(struct plan *plan, int account, int size)
{
	mem_auto_str char *after = mem_printf("{'Size':%d}", size);

	add(plan, account, 0, "s/A", PLAN_UPDATE, "{'Size':1}", after)->reason = "drift_changed";
}

/* Compares with `previous`, which it gives up, and frees the plan; *story gets what it tells. */
static json_t *compared(struct bench *b, json_t **story, struct plan *plan, json_t *previous, const char *only)
{
	json_t *now = NULL;

	if (plan_drift_compare(&now, plan, previous, only, b->state, &b->d) != 0)
		fail_msg("%s", diag_first_error(&b->d));
	*story = json_incref(plan->drift_report);
	json_decref(previous);
	plan_free(plan);
	return now;
}

static void same(json_t *got, const char *member, const char *wanted)
{
	json_auto_t *value = parse(wanted);
	mem_auto_str char *text = NULL;

	if (json_equal(json_object_get(got, member), value)) {
		json_decref(got);
		return;
	}
	text = json_dumps(json_object_get(got, member), JSON_ENCODE_ANY);
	fail_msg("%s is %s, not %s", member, text, wanted);
}

#define RECORD(size) "{'Type':'X::Y::Trail','Properties':{'Size':" #size "}}"
#define A0           "app-0/r-home-1/s/A"
#define A1           "app-1/r-home-1/s/A"

static void new_known_and_changed(void **state)
{
	struct bench b;
	struct plan *plan;
	json_t *last, *story;

	(void)state;
	bench_start(&b);
	generation(&b, A0, RECORD(1));
	plan = report_begin(100, 1);
	drifted(plan, 0, 2);
	last = compared(&b, &story, plan, NULL, NULL);
	assert_true(json_is_null(json_object_get(story, "previous")));
	same(story, "new", "['" A0 "']");

	plan = report_begin(200, 1);
	drifted(plan, 0, 2);
	drifted(plan, 1, 2);
	last = compared(&b, &story, plan, last, NULL);
	same(json_incref(story), "previous", "'1970-01-01T00:01:40Z'");
	same(json_incref(story), "known", "[{'address':'" A0 "','since':'1970-01-01T00:01:40Z'}]");
	same(story, "new", "['" A1 "']");

	plan = report_begin(300, 1);
	drifted(plan, 0, 3);
	drifted(plan, 1, 2);
	last = compared(&b, &story, plan, last, NULL);
	same(json_incref(story), "changed", "['" A0 "']");
	same(json_incref(story), "known", "[{'address':'" A1 "','since':'1970-01-01T00:03:20Z'}]");
	same(story, "new", "[]");
	json_decref(last);
	bench_end(&b);
}

/* What became of drift at A0 that was reported at generation 1. */
static void resolved_as(const char *record, const char *words, const char *json)
{
	struct bench b;
	struct plan *plan;
	json_t *last, *story = NULL;

	bench_start(&b);
	generation(&b, A0, RECORD(1));
	plan = report_begin(100, 1);
	drifted(plan, 0, 2);
	last = compared(&b, &story, plan, NULL, NULL);
	json_decref(story);
	if (record != NULL)
		generation(&b, A0, *record != '\0' ? record : NULL);
	plan = report_begin(200, record != NULL ? 2 : 1);
	assert_int_equal(plan_drift_compare(&story, plan, last, NULL, b.state, &b.d), 0);
	assert_int_equal(plan->note_count, 1);
	assert_int_equal(plan->notes[0].kind, PLAN_NOTE_RESOLVED);
	assert_string_equal(plan->notes[0].subject, A0);
	holds(plan->notes[0].text, words);
	holds(plan->notes[0].text, "(known since 1970-01-01T00:01:40Z)");
	same(json_incref(plan->drift_report), "resolved", json);
	same(story, "findings", "{}");
	json_decref(last);
	plan_free(plan);
	bench_end(&b);
}

static void resolved_in_every_way(void **state)
{
	(void)state;
	resolved_as(NULL, "AWS has again what is recorded, and not by muster's doing",
		    "[{'address':'" A0 "','since':'1970-01-01T00:01:40Z','how':'back_as_recorded'}]");
	resolved_as("{'Type':'X::Y::Trail','Properties':{'Size':1},'Protect':true}", "taken back by generation 2",
		    "[{'address':'" A0 "','since':'1970-01-01T00:01:40Z','how':'taken_back','generation':2}]");
	resolved_as(RECORD(2), "settled by generation 2, which recorded something else",
		    "[{'address':'" A0 "','since':'1970-01-01T00:01:40Z','how':'recorded_anew','generation':2}]");
	resolved_as("", "not recorded any more",
		    "[{'address':'" A0 "','since':'1970-01-01T00:01:40Z','how':'not_recorded'}]");
}

static void what_was_not_looked_at_is_kept(void **state)
{
	struct bench b;
	struct plan *plan;
	json_t *last, *story;

	(void)state;
	bench_start(&b);
	generation(&b, A0, RECORD(1));
	generation(&b, A1, RECORD(1));
	plan = report_begin(100, 2);
	drifted(plan, 0, 2);
	drifted(plan, 1, 2);
	last = compared(&b, &story, plan, NULL, NULL);
	json_decref(story);

	/* One is left out, the other cannot be read. */
	plan = report_begin(200, 2);
	plan_note_add(plan, PLAN_NOTE_UNREACHABLE, "app-1", "r-home-1", A1, "AccessDenied");
	last = compared(&b, &story, plan, last, "app-1/*");
	same(story, "resolved", "[]");

	plan = report_begin(300, 2);
	drifted(plan, 0, 2);
	drifted(plan, 1, 2);
	last = compared(&b, &story, plan, last, NULL);
	same(story, "known",
	     "[{'address':'" A0 "','since':'1970-01-01T00:01:40Z'},{'address':'" A1
	     "','since':'1970-01-01T00:01:40Z'}]");
	json_decref(last);
	bench_end(&b);
}

static void nonsense_as_the_last_report(void **state)
{
	static const char *const texts[] = {"[]", "{}", "{'findings':[1]}", "{'findings':{'x':7,'y':{'since':1}}}",
					    "{'version':1,'time':5,'findings':{'a/b/c/d':{'digest':1,'since':'x'}}}"};
	struct bench b;

	(void)state;
	bench_start(&b);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct plan *plan = report_begin(100, 0);
		json_t *story;

		drifted(plan, 0, 2);
		json_decref(compared(&b, &story, plan, parse(texts[i]), NULL));
		same(story, "new", "['" A0 "']");
	}
	bench_end(&b);
}

static void a_newer_report_is_refused(void **state)
{
	struct plan *plan = report_begin(100, 0);
	json_auto_t *previous = parse("{'version':2}");
	struct bench b;
	json_t *now;

	(void)state;
	bench_start(&b);
	assert_int_equal(plan_drift_compare(&now, plan, previous, NULL, b.state, &b.d), -1);
	holds(diag_first_error(&b.d), "written by a newer muster");
	assert_null(now);
	plan_free(plan);
	bench_end(&b);
}

static void drift_is_read_the_other_way_round(void **state)
{
	json_auto_t *recorded = parse("{'Name':'a','Size':1,'Bucket':'b','Token':'t'}");
	json_auto_t *live = parse("{'Name':'z','Size':2,'Token':'u','Code':'not ours'}");
	struct schema_type *type = (struct schema_type *)schema_set_find(schemas, "X::Y::Trail");
	struct plan_diff diff;

	(void)state;
	plan_diff_make(&diff, type, recorded, live, recorded, true);
	plan_drift_turn(&diff);
	assert_int_equal(diff.count, 4);
	assert_string_equal(diff.items[0].path, "Bucket");
	assert_string_equal(json_string_value(diff.items[0].before), "b");
	assert_null(diff.items[0].after);
	assert_string_equal(diff.items[1].path, "Name");
	assert_string_equal(json_string_value(diff.items[1].after), "z");
	/* Of AWS's doing nothing is replaced. */
	assert_false(diff.items[1].forces_replace);
	assert_false(diff.replace);
	assert_int_equal(json_integer_value(diff.items[2].after), 2);
	assert_true(diff.items[3].sensitive);
	assert_true(specs_is_residual(diff.items[3].after));
	plan_diff_free(&diff);
}

#define SECRET "{'Muster::Secret':{'Source':{'Env':'X'},'Hmac':'00'}}"

/* What a record of `recorded` holds once `live` is accepted. */
static void accepted(const char *recorded_text, const char *live_text, const char *wanted_text)
{
	const struct schema_type *type = schema_set_find(schemas, "X::Y::Wide");
	json_auto_t *recorded = parse(recorded_text), *live = parse(live_text), *wanted = parse(wanted_text);
	json_auto_t *got = plan_drift_accepted(type, recorded, live);
	mem_auto_str char *text = json_dumps(got, JSON_SORT_KEYS);

	if (!json_equal(got, wanted))
		fail_msg("%s and %s gave %s", recorded_text, live_text, text);
}

static void a_record_takes_what_is_there(void **state)
{
	static const char wide[] =
	    "{'Type':'X::Y::Wide','Service':'y','Ref':'Name','Handlers':{},'Properties':{'Name':{'Type':'String'},"
	    "'On':{'Type':'Boolean','Default':true},'Mode':{'Type':'String','Compare':'IgnoreCase'},"
	    "'Arn':{'Type':'String','ReadOnly':true},'Token':{'Type':'String','Sensitive':true},"
	    "'Code':{'Type':'String','WriteOnly':true},'Labels':{'Type':'Map','Item':{'Type':'String'}},"
	    "'Zones':{'Type':'List','Compare':'Set','Item':{'Type':'String'}},"
	    "'Tags':{'Type':'List','Compare':'Set','Key':'Key','Item':{'Type':'Object','Properties':{"
	    "'Key':{'Type':'String'},'Value':{'Type':'String'}}}},'Pattern':{'Type':'Json','Compare':'Document'},"
	    "'Group':{'Type':'Object','Properties':{'Kind':{'Type':'String'},'Pass':{'Type':'String'}}}}}";
	json_auto_t *document = parse(wide);
	struct diag d = DIAG_INIT;

	(void)state;
	assert_int_equal(schema_set_add(schemas, "w.json", document, &d), 0);
	accepted("{'Name':'a','Mode':'ON'}", "{'Name':'b','Mode':'on','Arn':'x','On':true}",
		 "{'Name':'b','Mode':'ON'}");
	/* What nobody set is nobody's drift; but a default that is one no more is. */
	accepted("{}", "{'Name':'b'}", "{}");
	accepted("{}", "{'On':false}", "{'On':false}");
	accepted("{'Name':'a','Zones':['x']}", "{'On':true}", "{}");
	accepted("{'Token':'t','Code':'c'}", "{'Token':'u'}", "{'Token':'t','Code':'c'}");
	accepted("{'Name':" SECRET "}", "{'Name':'clear'}", "{'Name':" SECRET "}");
	accepted("{'Name':" SECRET "}", "{}", "{'Name':" SECRET "}");
	accepted("{'Group':{'Kind':'a','Pass':" SECRET "}}", "{'Group':{'Kind':'b','Pass':'clear'}}",
		 "{'Group':{'Kind':'b','Pass':" SECRET "}}");
	accepted("{'Pattern':{'a':" SECRET "}}", "{'Pattern':{'a':'clear','b':1}}", "{'Pattern':{'a':" SECRET "}}");
	accepted("{'Pattern':{'a':1}}", "{'Pattern':'{\\'a\\': 2}'}", "{'Pattern':'{\\'a\\': 2}'}");
	accepted("{'Zones':['x'," SECRET "]}", "{'Zones':['x','y','clear']}", "{'Zones':['x'," SECRET "]}");
	accepted("{'Zones':['x']}", "{'Zones':['x','y']}", "{'Zones':['x','y']}");
	accepted("{'Labels':{'a':" SECRET ",'b':'1','c':'1'}}", "{'Labels':{'a':'clear','b':'2','d':'3','aws:x':'y'}}",
		 "{'Labels':{'a':" SECRET ",'b':'2','d':'3'}}");
	accepted("{'Tags':[{'Key':'a','Value':" SECRET "},{'Key':'b','Value':'1'}]}",
		 "{'Tags':[{'Key':'c','Value':'2'},{'Key':'a','Value':'clear'},{'Key':'aws:x','Value':'y'}]}",
		 "{'Tags':[{'Key':'c','Value':'2'},{'Key':'a','Value':" SECRET "}]}");
	diag_free(&d);
}

/* Written, and read back. NULL when it is refused, for what b->d says then. */
static struct plan *through_a_file(struct bench *b, struct plan *plan)
{
	mem_auto_str char *path = mem_printf("%s/plan.json", b->directory);
	struct plan *read = NULL;

	assert_int_equal(plan_file_write(plan, path, &b->d), 0);
	plan_file_read(&read, path, schemas, &b->d);
	return read;
}

#define BASE "feedbeeffeedbeeffeedbeeffeedbeeffeedbeef"

static void a_plan_file_keeps_what_is_accepted_and_pending(void **state)
{
	struct plan *plan = plan_begin(), *read;
	struct plan_change *change;
	struct bench b;

	(void)state;
	bench_start(&b);
	plan->lineage = mem_strdup("L");
	plan->base = mem_strdup(BASE);
	change = add(plan, 0, 0, "s/A", PLAN_UPDATE, "{'Size':1}", "{'Size':2}");
	change->accepted = change->record_only = true;
	change->reason = "drift_accepted";
	change = add(plan, 0, 0, "s/B", PLAN_UPDATE, "{'Size':1}", "{'Size':2}");
	change->diff.items[0].pending = true;
	add(plan, 0, 0, "s/C", PLAN_UPDATE, "{'Size':1}", "{'Size':2}")->pending = true;
	for (size_t i = 0; i < plan->change_count; i++)
		plan->changes[i].recorded = json_incref(plan->changes[i].before);
	plan_note_add(plan, PLAN_NOTE_WITHDRAWN, "app-0", "r-home-1", A0, "the base would update it");
	read = through_a_file(&b, plan);
	if (read == NULL)
		fail_msg("%s", diag_first_error(&b.d));
	assert_string_equal(read->base, BASE);
	assert_true(read->changes[0].accepted && read->changes[0].record_only && !read->changes[0].pending);
	assert_true(read->changes[1].diff.items[0].pending && !read->changes[1].pending);
	assert_true(read->changes[2].pending && !read->changes[2].diff.items[0].pending);
	assert_int_equal(read->notes[0].kind, PLAN_NOTE_WITHDRAWN);
	plan_free(read);

	free(plan->base);
	plan->base = mem_strdup("feedbeef");
	assert_null(through_a_file(&b, plan));
	holds(diag_first_error(&b.d), "pending: expected a plan with a base, which is the full id of a commit");
	diag_free(&b.d);

	/* What is done in AWS is not "accepted". */
	plan->changes[0].record_only = false;
	assert_null(through_a_file(&b, plan));
	holds(diag_first_error(&b.d), "accepted: expected an update of the record, or its end");
	plan_free(plan);
	bench_end(&b);
}

static void a_report_is_no_plan(void **state)
{
	struct plan *plan = report_begin(100, 0), *read = NULL;
	mem_auto_str char *path = NULL;
	json_auto_t *json = NULL;
	struct bench b;

	(void)state;
	bench_start(&b);
	drifted(plan, 0, 2);
	path = mem_printf("%s/plan.json", b.directory);
	assert_int_equal(plan_file_write(plan, path, &b.d), -1);
	holds(diag_first_error(&b.d), "a report of drift is no plan");
	assert_int_equal(access(path, F_OK), -1);
	diag_free(&b.d);
	json = plan_to_json(plan);
	assert_int_equal(json_dump_file(json, path, 0), 0);
	assert_int_equal(plan_file_read(&read, path, schemas, &b.d), -1);
	holds(diag_first_error(&b.d), "a report of drift, not a plan");
	diag_free(&b.d);
	assert_int_equal(apply_check(plan, b.state, &b.d), -1);
	holds(diag_first_error(&b.d), "a report of drift is no plan");
	plan_free(plan);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(new_known_and_changed),
	    cmocka_unit_test(resolved_in_every_way),
	    cmocka_unit_test(what_was_not_looked_at_is_kept),
	    cmocka_unit_test(nonsense_as_the_last_report),
	    cmocka_unit_test(a_newer_report_is_refused),
	    cmocka_unit_test(drift_is_read_the_other_way_round),
	    cmocka_unit_test(a_record_takes_what_is_there),
	    cmocka_unit_test(a_plan_file_keeps_what_is_accepted_and_pending),
	    cmocka_unit_test(a_report_is_no_plan),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
