/* Rollback: what comes from the generation and what from today, and where a generation's specs are found. */
#include "test_git_common.h"

#include "base/json.h"
#include "cli/rollback.h"

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
	mem_auto_str char *copy = mem_strdup(text);
	json_t *value;

	for (char *s = copy; *s != '\0'; s++)
		if (*s == '\'')
			*s = '"';
	value = json_loads(copy, 0, NULL);
	if (value == NULL)
		fail_msg("no JSON: %s", text);
	return value;
}

static void is_json(json_t *got, const char *wanted)
{
	json_auto_t *value = wanted == NULL ? NULL : parse(wanted);
	mem_auto_str char *text = got == NULL ? NULL : json_dumps(got, JSON_SORT_KEYS);

	if (!json_equal(got, value) && (got != NULL || value != NULL))
		fail_msg("got %s, wanted %s", text, wanted);
	json_decref(got);
}

/* -- What comes from where ----------------------------------------------------------------------------------------- */

static void settings_of_then_and_now(void **in)
{
	json_auto_t *then =
	    parse("{'Version':1,'HomeRegion':'eu-west-1','Access':{'Role':'then'},'Limits':{'MaxDelete':9},"
		  "'Approval':{'Required':0},'Parameters':{'A':'then'},'State':{'Path':'then'},"
		  "'ConfigGlobalRegion':'eu-west-1','Lineage':'L'}");
	json_auto_t *now = parse("{'Version':1,'HomeRegion':'us-east-1','Access':{'Role':'now'},"
				 "'Approval':{'Required':0,'Keys':['now']},'Parameters':{'A':'now'},'Lineage':'M',"
				 "'State':{'Path':'now'}}");
	json_auto_t *approved = parse("{'Approval':{'Required':2},'Access':{'Role':'approved'}}"),
		    *none = json_object();

	(void)in;
	is_json(rollback_settings(then, now, approved),
		"{'Version':1,'HomeRegion':'eu-west-1','Access':{'Role':'now'},'Approval':{'Required':2},"
		"'Parameters':{'A':'then'},'State':{'Path':'now'},'ConfigGlobalRegion':'eu-west-1','Lineage':'M'}");
	is_json(rollback_settings(then, now, NULL),
		"{'Version':1,'HomeRegion':'eu-west-1','Access':{'Role':'now'},'Approval':{'Required':0},"
		"'Parameters':{'A':'then'},'State':{'Path':'now'},'ConfigGlobalRegion':'eu-west-1','Lineage':'M'}");
	is_json(rollback_settings(then, none, none),
		"{'Version':1,'HomeRegion':'eu-west-1','Parameters':{'A':'then'},'ConfigGlobalRegion':'eu-west-1'}");
	assert_string_equal(json_get_string(json_object_get(then, "Access"), "Role"), "then");
}

static void roster_of_then_entered_as_now(void **in)
{
	json_auto_t *then = parse("{'Accounts':[{'Name':'a','Id':'1','Tags':['x'],'Access':{'Role':'then'}},"
				  "{'Name':'b','Id':'2','Profile':'then','Regions':{'Include':['eu-*']}},"
				  "{'Name':'gone','Id':'3','Access':{'Role':'last'}}]}");
	json_auto_t *now = parse("{'Accounts':[{'Name':'other','Id':'1','Tags':['y'],'Profile':'now'},"
				 "{'Name':'b','Id':'2','Access':{'Role':null},'Regions':{}},{'Name':'new','Id':'4'}]}");

	(void)in;
	is_json(rollback_roster(then, now),
		"{'Accounts':[{'Name':'a','Id':'1','Tags':['x'],'Profile':'now'},"
		"{'Name':'b','Id':'2','Access':{'Role':null},'Regions':{'Include':['eu-*']}},"
		"{'Name':'gone','Id':'3','Access':{'Role':'last'}}]}");
}

/* `lists`: Moved lists of one stack in one generation after another, NULL-terminated. */
static json_t *names_after(const char *const *lists)
{
	json_t *names = json_object();

	for (; *lists != NULL; lists++) {
		json_auto_t *stack = json_pack("{s:o}", "Moved", parse(*lists));

		rollback_moved_note(names, stack);
	}
	return names;
}
#define NAMES_AFTER(...) names_after((const char *const[]){__VA_ARGS__, NULL})

static void names_are_followed(void **in)
{
	(void)in;
	is_json(NAMES_AFTER("[{'From':'a','To':'b'}]"), "{'b':{'a':true}}");
	is_json(NAMES_AFTER("[{'From':'a','To':'b'},{'From':'b','To':'c'}]"), "{'c':{'a':true,'b':true}}");
	is_json(NAMES_AFTER("[{'From':'b','To':'c'},{'From':'a','To':'b'}]"), "{'c':{'a':true,'b':true}}");
	/* A list that stays, one that grows, one whose first step was dropped. */
	is_json(NAMES_AFTER("[{'From':'a','To':'b'}]", "[{'From':'a','To':'b'}]"), "{'b':{'a':true}}");
	is_json(NAMES_AFTER("[{'From':'a','To':'b'}]", "[{'From':'a','To':'b'},{'From':'b','To':'c'}]",
			    "[{'From':'b','To':'c'}]"),
		"{'c':{'a':true,'b':true}}");
	is_json(NAMES_AFTER("[{'From':'a','To':'b'}]", "[{'From':'b','To':'c'}]"), "{'c':{'a':true,'b':true}}");
	is_json(NAMES_AFTER("[{'From':'a','To':'b'}]", "[{'From':'b','To':'a'}]"), "{'a':{'a':true,'b':true}}");
	/* What goes round, and what is no entry, does no harm. */
	is_json(NAMES_AFTER("[{'From':'a','To':'b'},{'From':'b','To':'a'}]", "[1,{'From':2},{'To':'x'}]"),
		"{'a':{'a':true,'b':true}}");
}

static void stacks_are_led_back(void **in)
{
	json_auto_t *names = parse("{'c':{'a':true,'x':true},'d':{'later':true}}"), *other = parse("{'x':{'y':true}}");
	json_auto_t *loop = parse("{'TopicB':{'TopicA':true},'TopicC':{'TopicD':true,'TopicE':true}}");
	json_auto_t *stack = parse("{'Resources':{'a':{},'b':{}}}");
	json_auto_t *has = parse("{'Resources':{'a':{},'c':{}}}");
	json_auto_t *moves = parse("{'Resources':{'a':{}},'Moved':[{'From':'c','To':'a'}]}");
	json_auto_t *loops =
	    parse("{'Resources':{'Fn::ForEach::N':['Name',['A'],{}]},'Moved':[{'From':'p','To':'q'}]}");

	(void)in;
	is_json(rollback_moved(stack, names), "{'Resources':{'a':{},'b':{}},'Moved':[{'From':'c','To':'a'}]}");
	is_json(rollback_moved(stack, other), NULL);
	is_json(rollback_moved(has, names), NULL);
	is_json(rollback_moved(moves, names), NULL);
	is_json(rollback_moved(loops, loop), "{'Resources':{'Fn::ForEach::N':['Name',['A'],{}]},'Moved':["
					     "{'From':'p','To':'q'},{'From':'TopicB','To':'TopicA'}]}");
	assert_null(json_object_get(stack, "Moved"));
}

/* -- Where specs are found ----------------------------------------------------------------------------------------- */

struct bed {
	struct fixture *f;
	struct cli cli;
	struct session s;
	struct rollback rollback;
};

/* A generation with these facts; with `directory`, its spec files are its inputs. */
static void generation(struct bed *bed, const char *facts_text, const char *directory)
{
	static const char *const paths[] = {"muster.json", "accounts.json", "stacks/a.json", "stacks/b.json"};
	json_auto_t *facts = parse(facts_text), *outcome = parse("{'Result':'complete'}");
	mem_auto_str char *where = mem_printf("%s/.muster", bed->f->specs);
	struct state_txn *txn;
	struct state *state;
	uint64_t number;

	assert_int_equal(state_open(&state, where, STATE_WRITE, &bed->f->d), 0);
	assert_int_equal(state_begin(&txn, state, true, &bed->f->d), 0);
	for (size_t i = 0; directory != NULL && i < sizeof paths / sizeof *paths; i++) {
		mem_auto_str char *path = mem_printf("%s/%s", directory, paths[i]);
		buf_auto struct buf text = BUF_INIT;
		uint8_t digest[32];
		char hex[65];

		assert_int_equal(text_file_read(&text, path, 1 << 20), 0);
		assert_int_equal(state_blob_put(txn, digest, buf_str(&text), text.len, &bed->f->d), 0);
		text_hex(hex, digest, sizeof digest);
		if (json_object_get(facts, "Inputs") == NULL)
			json_object_set_new(facts, "Inputs", json_object());
		json_object_set_new(json_object_get(facts, "Inputs"), paths[i], json_string(hex));
	}
	assert_int_equal(state_generation_start(txn, facts, &number, &bed->f->d), 0);
	assert_int_equal(state_generation_finish(txn, number, outcome, &bed->f->d), 0);
	assert_int_equal(state_commit(txn, &bed->f->d), 0);
	state_close(state);
}

/* Facts of an apply of commit `commit`. */
static char *applied(const char *commit, const char *more)
{
	return mem_printf("{'Planned':{},'Commit':'%s'%s}", commit, more);
}

static void bed_make(struct bed *bed, struct fixture *f)
{
	*bed = (struct bed){.f = f};
	make_repository(f);
	bed->cli.directory = f->specs;
}

static int open_back(struct bed *bed, uint64_t number)
{
	session_start(&bed->s, &bed->cli);
	assert_int_equal(session_open_state(&bed->s, SESSION_STATE_READ), 0);
	return rollback_open(&bed->rollback, &bed->s, number);
}

static void close_back(struct bed *bed)
{
	session_close(&bed->s);
	rollback_close(&bed->rollback);
	diag_free(&bed->cli.diag);
}

static void refused(struct bed *bed, uint64_t number, const char *why)
{
	assert_int_equal(open_back(bed, number), -1);
	for (size_t i = 0; i < bed->cli.diag.count; i++)
		if (strstr(bed->cli.diag.items[i].text, why) != NULL) {
			close_back(bed);
			return;
		}
	fail_msg("not said: %s, but %s", why, diag_first_error(&bed->cli.diag));
}

static bool said(const struct bed *bed, enum diag_level level, const char *part)
{
	for (size_t i = 0; i < bed->cli.diag.count; i++)
		if (bed->cli.diag.items[i].level == level && strstr(bed->cli.diag.items[i].text, part) != NULL)
			return true;
	return false;
}

static void reads(const struct bed *bed, const char *path, const char *wanted)
{
	char *text = NULL;
	size_t len;
	struct diag d = DIAG_INIT;

	assert_int_equal(bed->s.base->read(bed->s.base->payload, path, &text, &len, &d), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void surgery_goes_back_to_the_specs_before(void **in)
{
	struct fixture *f = *in;
	struct bed bed;
	mem_auto_str char *commit = NULL, *facts = NULL;

	bed_make(&bed, f);
	commit = output(f, "git -C repo rev-parse HEAD");
	facts = applied(commit, ",'Parameters':{'Owner':'a'}");
	generation(&bed, "{'Command':['muster','state','rm','x']}", NULL);
	generation(&bed, facts, f->specs);
	generation(&bed, "{'Command':['muster','state','mv','x','y']}", NULL);
	run(f, "echo '{\"new\": 1}' >%s/stacks/a.json", f->specs);

	assert_int_equal(open_back(&bed, 3), 0);
	assert_int_equal(bed.rollback.generation, 3);
	assert_int_equal(bed.rollback.from, 2);
	assert_true(said(&bed, DIAG_NOTE, "this goes back to the specs of generation 2"));
	assert_int_equal(bed.cli.diag.count, 1);
	reads(&bed, "stacks/a.json", "{}\n");
	assert_int_equal(bed.s.parameter_count, 1);
	assert_string_equal(bed.s.parameters[0].value, "a");
	assert_int_equal(json_object_size(bed.s.inputs.digests), 4);
	close_back(&bed);
	refused(&bed, 1, "neither generation 1 nor one before it was made from specs that are known");
}

static void what_is_kept_is_compared_with_git(void **in)
{
	struct fixture *f = *in;
	struct bed bed;
	mem_auto_str char *commit = NULL, *facts = NULL, *dirty = NULL, *gone = NULL;

	bed_make(&bed, f);
	commit = output(f, "git -C repo rev-parse HEAD");
	facts = applied(commit, "");
	dirty = applied(commit, ",'Dirty':true");
	gone = applied("0123456789012345678901234567890123456789", "");
	run(f, "echo '{\"new\": 1}' >%s/stacks/a.json", f->specs);
	generation(&bed, facts, f->specs);
	generation(&bed, dirty, f->specs);
	generation(&bed, gone, f->specs);

	assert_int_equal(open_back(&bed, 1), 0);
	assert_true(said(&bed, DIAG_WARNING, "keeps other files than its commit"));
	assert_true(said(&bed, DIAG_WARNING, ": stacks/a.json; what it keeps is used"));
	reads(&bed, "stacks/a.json", "{\"new\": 1}\n");
	close_back(&bed);
	assert_int_equal(open_back(&bed, 2), 0);
	assert_int_equal(bed.cli.diag.count, 0);
	close_back(&bed);
	assert_int_equal(open_back(&bed, 3), 0);
	assert_true(said(&bed, DIAG_NOTE, "which git cannot confirm"));
	close_back(&bed);
}

static void a_generation_of_old_is_read_from_git(void **in)
{
	struct fixture *f = *in;
	struct bed bed;
	mem_auto_str char *commit = NULL, *facts = NULL, *dirty = NULL, *gone = NULL;

	bed_make(&bed, f);
	commit = output(f, "git -C repo rev-parse HEAD");
	facts = applied(commit, "");
	dirty = applied(commit, ",'Dirty':true");
	gone = applied("0123456789012345678901234567890123456789", "");
	generation(&bed, facts, NULL);
	generation(&bed, dirty, NULL);
	generation(&bed, gone, NULL);
	run(f, "echo '{\"new\": 1}' >%s/stacks/a.json", f->specs);

	assert_int_equal(open_back(&bed, 1), 0);
	assert_int_equal(bed.cli.diag.count, 0);
	reads(&bed, "stacks/a.json", "{}\n");
	assert_non_null(json_object_get(bed.s.inputs.digests, "muster.json"));
	close_back(&bed);
	assert_int_equal(open_back(&bed, 2), 0);
	assert_true(said(&bed, DIAG_WARNING, "not all committed, and keeps none"));
	close_back(&bed);
	refused(&bed, 3, "generation 3 keeps no specs, and they cannot be had from its commit 01234567");
	run(f, "rm -rf repo/.git");
	refused(&bed, 1, "generation 1 keeps no specs, and they cannot be had from its commit");
}

static void approval_is_that_of_no_rollback(void **in)
{
	struct fixture *f = *in;
	struct bed bed;

	bed_make(&bed, f);
	run(f, "echo k1 >%s/stacks/b.json", f->specs);
	run(f, "echo '{\"HomeRegion\": \"eu-west-1\", \"Approval\": {\"Required\": 0}}' >%s/muster.json", f->specs);
	generation(&bed, "{'Planned':{}}", f->specs);
	run(f,
	    "echo '{\"Approval\": {\"Required\": 2, \"Keys\": [\"accounts.json\", \"stacks/a.json\"]}}' "
	    ">%s/muster.json",
	    f->specs);
	generation(&bed, "{'Planned':{}}", f->specs);
	run(f,
	    "echo '{\"Approval\": {\"Required\": 1, \"Keys\": [\"a\"]}, \"Access\": {\"Role\": null}}' >%s/muster.json",
	    f->specs);
	generation(&bed, "{'Planned':{},'Rollback':1}", f->specs);
	run(f, "git -C repo commit -qam 'settings of today'");
	run(f, "echo '{\"Access\": {\"Role\": \"edited\"}}' >%s/muster.json", f->specs);

	assert_int_equal(open_back(&bed, 1), 0);
	assert_true(said(&bed, DIAG_NOTE, "muster.json is not as it is committed"));
	assert_string_equal(bed.s.home_region, "eu-west-1");
	is_json(json_loads(inputs_get(bed.s.overlay, "muster.json")->bytes, 0, NULL),
		"{'HomeRegion':'eu-west-1','Approval':{'Required':2,'Keys':['accounts.json','stacks/"
		"a.json']},'Access':{'Role':null}}");
	close_back(&bed);
}

static void today_must_be_readable(void **in)
{
	struct fixture *f = *in;
	struct bed bed;

	bed_make(&bed, f);
	refused(&bed, 1, "nothing was applied yet");
	generation(&bed, "{'Planned':{}}", f->specs);
	refused(&bed, 2, "there is no generation 2: the newest is 1");
	run(f, "mv %s/accounts.json %s/a && git -C repo commit -qam gone", f->specs, f->root);
	refused(&bed, 1, "accounts.json: there is no such file");
	run(f,
	    "mv %s/a %s/accounts.json && cd %s && cp muster.json ../m && echo '{' >muster.json && "
	    "git commit -qam broken && mv ../m muster.json",
	    f->root, f->specs, f->specs);
	assert_int_equal(open_back(&bed, 1), -1);
	close_back(&bed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(settings_of_then_and_now),
	    cmocka_unit_test(roster_of_then_entered_as_now),
	    cmocka_unit_test(names_are_followed),
	    cmocka_unit_test(stacks_are_led_back),
	    TEST(surgery_goes_back_to_the_specs_before),
	    TEST(what_is_kept_is_compared_with_git),
	    TEST(a_generation_of_old_is_read_from_git),
	    TEST(approval_is_that_of_no_rollback),
	    TEST(today_must_be_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
