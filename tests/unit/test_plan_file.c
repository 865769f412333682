/* Plan files: what is written is what is read, others can read it too, and what was touched is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/store.h"

static const char type_text[] =
    "{'Type':'X::Y::Z','Service':'y','Ref':'Name','Name':{'Property':'Name','Allowed':'a-zA-Z0-9-','Max':64},'Handlers'"
    ":{},'Properties':{"
    "'Name':{'Type':'String','CreateOnly':true},'Kind':{'Type':'String','CreateOnly':true},'Size':{'Type':'Integer'},"
    "'Token':{'Type':'String','Sensitive':true},'List':{'Type':'List','Item':{'Type':'String'}},"
    "'Group':{'Type':'Object','Properties':{'A':{'Type':'String'},'Pass':{'Type':'String','Sensitive':true}}}}}";

static struct schema_set *schemas;
static char folder[] = "/tmp/muster-test-XXXXXX";
static char path[64];

static json_t *parse(const char *text)
{
	mem_auto_str char *copy = mem_strdup(text);
	json_t *value;

	for (char *s = copy; *s != '\0'; s++)
		if (*s == '\'')
			*s = '"';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	if (value == NULL)
		fail_msg("no JSON: %s", text);
	return value;
}

static int setup(void **state)
{
	struct diag d = DIAG_INIT;
	json_t *document = parse(type_text);

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/plan.json", folder);
	schema_set_new(&schemas, &d);
	if (schema_set_add(schemas, "t.json", document, &d) != 0)
		fail_msg("%s", diag_first_error(&d));
	json_decref(document);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	schema_set_free(schemas);
	unlink(path);
	rmdir(folder);
	return 0;
}

static struct plan_change *change_add(struct plan *plan, const char *address, enum plan_action action,
				      const char *before, const char *after)
{
	struct plan_change *change = plan_change_add(plan);

	assert_int_equal(plan_change_address(plan, change, address), 0);
	change->action = action;
	change->account_id = plan_keep(plan, "333333333333");
	change->type_name = plan_keep(plan, "X::Y::Z");
	change->type = schema_set_find(schemas, "X::Y::Z");
	change->before = before != NULL ? parse(before) : NULL;
	change->after = after != NULL ? parse(after) : NULL;
	change->deletion = SPECS_DELETION_UNSET;
	change->incarnation = 1;
	memset(change->digest, 0xab, sizeof change->digest);
	return change;
}

static void diff_fill(struct plan_change *change)
{
	plan_diff_make(&change->diff, change->type, change->after, change->before, change->recorded, true);
}

#define UNKNOWN "{'Muster::Attribute':['app/eu-west-1/s/Other','Arn']}"

#define SOME_HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct plan *sample(void)
{
	struct plan *plan = plan_new();
	struct plan_change *change;

	plan->lineage = mem_strdup("01JD");
	plan->home_region = mem_strdup("eu-west-1");
	plan->commit = mem_strdup("abc");
	plan->generation = 7;
	plan->rollback = 3;
	plan->rollback_of = parse("{'Commit':'abc','Time':'2026-11-23T12:34:56Z','User':'kato'}");
	plan->inputs = parse("{'muster.json':'" SOME_HASH "'}");
	plan->created_ms = 1763900000123;
	plan->dirty = plan->refreshed = true;
	plan->uncommitted = json_pack("[s, s]", "stacks/a.json", "2 more");
	plan->target_count = 3;
	plan->unchanged = 1234;
	json_object_set_new(plan->reached, "s",
			    parse("{'app':['eu-west-1','us-east-1'],'b':['eu-west-1'],'c':['eu-west-1']}"));
	json_object_set_new(plan->reads, "app/eu-west-1/s/Read", json_integer(17));
	plan_account_add(plan, "app", "333333333333", NULL, NULL);
	plan_account_add(plan, "b", "444444444444", NULL, NULL);
	plan_account_add(plan, "c", "555555555555", NULL, NULL);
	plan_note_add(plan, PLAN_NOTE_UNREACHABLE, "app", "us-east-1", NULL, "AccessDenied");
	plan_note_add(plan, PLAN_NOTE_DATA, NULL, NULL, "app/eu-west-1/s/Gone", "its data goes with it");

	change = change_add(plan, "app/eu-west-1/s/New", PLAN_CREATE, NULL,
			    "{'Name':'n','Size':1,'List':['a'," UNKNOWN ",'b'],'Group':{'A':" UNKNOWN "}}");
	change->predicted = parse("{'Arn':'arn:n'}");
	diff_fill(change);
	change =
	    change_add(plan, "app/eu-west-1/s/Update", PLAN_UPDATE, "{'Name':'u','Size':1}", "{'Name':'u','Size':2}");
	change->recorded = json_deep_copy(change->before);
	change->attributes = parse("{'Id':'i-1'}");
	change->version = 42;
	change->policies_recorded = true;
	change->deletion_recorded = SPECS_RETAIN;
	change->protect = change->drifted = true;
	change->depends = plan_keep_array(plan, 1, sizeof *change->depends);
	change->depends[0] = plan_keep(plan, "app/eu-west-1/s/New");
	change->depend_count = 1;
	change->former = plan_keep_array(plan, 1, sizeof *change->former);
	diff_fill(change);
	change = change_add(plan, "app/eu-west-1/s/Replace", PLAN_REPLACE, "{'Name':'a'}", "{'Name':" UNKNOWN "}");
	change->recorded = parse("{'Name':'b'}");
	change->create_first = change->retain_old = true;
	change->reason = plan_keep(plan, "may_replace_because_unknown");
	diff_fill(change);
	change = change_add(plan, "app/eu-west-1/s/Gone", PLAN_DELETE, "{'Name':'g'}", NULL);
	change->deletion = SPECS_DELETE;
	change = change_add(plan, "app/eu-west-1/s/Adopt", PLAN_ADOPT, "{'Name':'there'}", "{'Name':'there'}");
	change->adopted = true;
	change->reason = "adopt_because_exists";
	for (int i = 0; i < 2; i++) {
		change = change_add(plan, "app/eu-west-1/s/Replace", PLAN_DELETE, "{'Name':'old'}", NULL);
		change->deposed = true;
	}
	change = change_add(plan, "app/eu-west-1/s/Forget", PLAN_FORGET, "{'Name':'left'}", NULL);
	change->deletion = SPECS_RETAIN;
	return plan;
}

static void what_is_written_is_read(void **state)
{
	struct plan *plan = sample(), *read = NULL;
	struct diag d = DIAG_INIT;
	json_t *a, *b;
	buf_auto struct buf spelled_a = BUF_INIT, spelled_b = BUF_INIT;
	struct stat facts;
	const struct plan_change *update;

	(void)state;
	assert_int_equal(plan_file_write(plan, path, &d), 0);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	if (plan_file_read(&read, path, schemas, &d) != 0)
		fail_msg("%s", diag_first_error(&d));
	assert_string_equal(read->digest, plan->digest);
	a = plan_to_json(plan);
	b = plan_to_json(read);
	json_canonical(&spelled_a, a);
	json_canonical(&spelled_b, b);
	assert_string_equal(buf_str(&spelled_a), buf_str(&spelled_b));
	assert_int_equal(read->change_count, plan->change_count);
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *x = &plan->changes[i], *y = &read->changes[i];

		assert_string_equal(x->address, y->address);
		assert_true(x->action == y->action && x->type == y->type && x->version == y->version);
		assert_true(x->before == y->before || json_equal(x->before, y->before));
		assert_true(x->after == y->after || json_equal(x->after, y->after));
		assert_true(x->recorded == y->recorded || json_equal(x->recorded, y->recorded));
		assert_true(x->attributes == y->attributes || json_equal(x->attributes, y->attributes));
		assert_int_equal(x->diff.count, y->diff.count);
		assert_true(x->diff.may_replace == y->diff.may_replace);
		assert_true(x->protect == y->protect && x->deposed == y->deposed && x->create_first == y->create_first);
		assert_memory_equal(x->digest, y->digest, sizeof x->digest);
		assert_true((x->former == NULL) == (y->former == NULL));
	}
	update = &read->changes[1];
	assert_int_equal(update->version, 42);
	assert_true(update->policies_recorded && !update->protect_recorded);
	assert_int_equal(update->deletion_recorded, SPECS_RETAIN);
	assert_string_equal(update->depends[0], "app/eu-west-1/s/New");
	assert_int_equal(json_get_int(read->reads, "app/eu-west-1/s/Read", 0), 17);
	assert_int_equal(read->rollback, 3);
	assert_string_equal(json_get_string(read->rollback_of, "User"), "kato");
	assert_string_equal(json_get_string(read->inputs, "muster.json"), SOME_HASH);
	assert_int_equal(read->note_count, 2);
	assert_true(json_array_size(read->uncommitted) == 2);
	assert_true(read->dirty && read->refreshed && !read->destroy);
	json_decref(a);
	json_decref(b);
	plan_free(plan);
	plan_free(read);
	diag_free(&d);
}

static void member_is(const json_t *root, const char *steps, const char *expected)
{
	mem_auto_str char *copy = mem_strdup(steps);
	buf_auto struct buf text = BUF_INIT;
	const json_t *value = root;

	for (char *rest = copy, *step; (step = strsep(&rest, " ")) != NULL;)
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(step)) : json_object_get(value, step);
	if (value == NULL)
		buf_adds(&text, "nothing");
	else
		json_canonical(&text, value);
	for (char *s = text.data; *s != '\0'; s++)
		if (*s == '"')
			*s = '\'';
	assert_string_equal(buf_str(&text), expected);
}

static void policy_tools_find_terraforms_shape(void **state)
{
	struct plan *plan = sample();
	json_t *root = plan_to_json(plan);

	(void)state;
	member_is(root, "format_version", "'1.2'");
	member_is(root, "resource_changes 0 address", "'app/eu-west-1/s/New'");
	member_is(root, "resource_changes 0 type", "'X::Y::Z'");
	member_is(root, "resource_changes 0 change actions", "['create']");
	member_is(root, "resource_changes 0 change before", "null");
	member_is(root, "resource_changes 0 change after", "{'Group':{},'List':['a',null,'b'],'Name':'n','Size':1}");
	member_is(root, "resource_changes 0 change after_unknown", "{'Group':{'A':true},'List':[false,true,false]}");
	member_is(root, "resource_changes 1 change actions", "['update']");
	member_is(root, "resource_changes 2 change actions", "['create','delete']");
	member_is(root, "resource_changes 2 change replace_paths", "[['Name']]");
	member_is(root, "resource_changes 2 action_reason", "'may_replace_because_unknown'");
	member_is(root, "resource_changes 3 change after", "null");
	member_is(root, "resource_changes 4 change actions", "['no-op']");
	member_is(root, "resource_changes 4 change importing", "{'id':'there'}");
	member_is(root, "resource_changes 7 change actions", "['forget']");
	member_is(root, "resource_changes 6 deposed", "'2'");
	member_is(root, "muster changes app/eu-west-1/s/Update account_id", "'333333333333'");
	member_is(root, "muster generation", "7");
	member_is(root, "muster reached s 1", "{'accounts':['b','c'],'regions':['eu-west-1']}");
	json_decref(root);
	plan_free(plan);
}

static void secrets_stay_out(void **state)
{
	struct plan *plan = sample();
	struct plan_change *change = &plan->changes[1];
	json_t *root;
	buf_auto struct buf text = BUF_INIT;

	(void)state;
	json_object_set_new(change->before, "Token", json_string("hunter2"));
	json_object_set_new(change->before, "Group", parse("{'Pass':'hunter2'}"));
	json_object_set_new(change->recorded, "Token", json_string("hunter2"));
	json_object_set_new(change->after, "Token", parse("{'Muster::Secret':{'Source':{'Env':'T'},'Hmac':'00'}}"));
	plan_diff_free(&change->diff);
	diff_fill(change);
	root = plan_to_json(plan);
	json_canonical(&text, root);
	assert_null(strstr(text.data, "hunter2"));
	member_is(root, "resource_changes 1 change before_sensitive", "{'Group':{'Pass':true},'Token':true}");
	member_is(root, "resource_changes 1 change after_sensitive", "{'Token':true}");
	json_decref(root);
	plan_free(plan);
}

static void refused(const char *text, size_t len, const char *why)
{
	struct diag d = DIAG_INIT;
	struct plan *plan = NULL;

	assert_int_equal(text_file_write(path, text, len, 0600), 0);
	assert_int_equal(plan_file_read(&plan, path, schemas, &d), -1);
	assert_null(plan);
	if (strstr(diag_first_error(&d), why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", diag_first_error(&d), why);
	diag_free(&d);
}

/* Writes `root` with the digest that fits it. */
static void refused_with_digest(json_t *root, const char *why)
{
	json_t *muster = json_object_get(root, "muster");
	buf_auto struct buf text = BUF_INIT;
	uint8_t digest[32];
	char hex[65];

	json_object_del(muster, "digest");
	json_digest(digest, root);
	text_hex(hex, digest, 32);
	json_object_set_new(muster, "digest", json_string(hex));
	json_canonical(&text, root);
	refused(text.data, text.len, why);
	json_decref(root);
}

static void what_was_touched_is_refused(void **state)
{
	struct plan *plan = sample();
	struct diag d = DIAG_INIT;
	buf_auto struct buf text = BUF_INIT;
	char *place;

	(void)state;
	assert_int_equal(plan_file_write(plan, path, &d), 0);
	assert_int_equal(text_file_read(&text, path, 1 << 20), 0);
	place = strstr(text.data, "\"Size\":2");
	assert_non_null(place);
	place[7] = '3';
	refused(text.data, text.len, "changed after it was made");
	refused(text.data, text.len / 2, "not a plan");
	refused("{}", 2, "not a plan that muster made");
	refused("[1]", 3, "not a plan that muster made");
	refused("", 0, "not a plan");
	plan_free(plan);
	diag_free(&d);
}

static json_t *sample_json(void)
{
	struct plan *plan = sample();
	json_t *root = plan_to_json(plan);

	plan_free(plan);
	return root;
}

static void what_makes_no_sense_is_refused(void **state)
{
	json_t *root = sample_json();

	(void)state;
	json_object_set_new(json_object_get(root, "muster"), "version", json_integer(2));
	refused_with_digest(root, "made by a newer muster");
	root = sample_json();
	json_object_del(json_object_get(root, "muster"), "lineage");
	refused_with_digest(root, "names no lineage");
	root = sample_json();
	json_object_clear(json_object_get(json_object_get(root, "muster"), "changes"));
	refused_with_digest(root, "as many as muster.changes");
	root = sample_json();
	json_object_set_new(json_array_get(json_object_get(root, "resource_changes"), 1), "change", json_integer(1));
	refused_with_digest(root, "expected an object");
	root = sample_json();
	json_object_del(root, "resource_changes");
	refused_with_digest(root, "expected a list");
}

/* The member that `steps` name, as member_is() finds it, without the last step, which goes to *last. */
static json_t *holder_of(json_t *root, const char *steps, char *last, size_t size)
{
	mem_auto_str char *copy = mem_strdup(steps);
	json_t *value = root;
	char *rest = copy, *step = strsep(&rest, " ");

	for (char *next; (next = strsep(&rest, " ")) != NULL; step = next)
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(step)) : json_object_get(value, step);
	snprintf(last, size, "%s", step);
	assert_non_null(value);
	return value;
}

/* The sample with one member replaced (`with` NULL: taken out) is refused although its digest fits. */
static void refused_with(const char *steps, const char *with, const char *why)
{
	json_t *root = sample_json(), *holder;
	char last[64];

	holder = holder_of(root, steps, last, sizeof last);
	if (with == NULL)
		json_object_del(holder, last);
	else if (json_is_array(holder))
		json_array_set_new(holder, (size_t)atoi(last), parse(with));
	else
		json_object_set_new(holder, last, parse(with));
	refused_with_digest(root, why);
}

#define CHANGE(n) "resource_changes " #n

static void what_other_tools_read_is_what_is_applied(void **state)
{
	(void)state;
	refused_with(CHANGE(0) " change actions", "['no-op']", "what muster.changes says");
	refused_with(CHANGE(0) " change after_unknown", "{}", "what muster.changes says");
	refused_with(CHANGE(1) " change before_sensitive", "{'Name':true}", "what muster.changes says");
	refused_with(CHANGE(2) " change replace_paths", NULL, "what muster.changes says");
	refused_with(CHANGE(0) " name", "'Other'", "what muster.changes says");
	refused_with(CHANGE(4) " change importing", NULL, "what muster.changes says");
	refused_with("muster changes app/eu-west-1/s/Update more", "1", "what muster.changes says");
	refused_with("applyable", "false", "applyable");
	refused_with("output_changes", "{}", "output_changes");
	refused_with("timestamp", "'2020-01-01T00:00:00Z'", "timestamp");
	refused_with("muster more", "1", "muster");
	refused_with("timestamp", NULL, "all members");
}

static void changes_that_cannot_be_are_refused(void **state)
{
	json_t *root, *changes, *all;

	(void)state;
	refused_with(CHANGE(1) " change after", "null", "after: expected an object");
	refused_with(CHANGE(4) " change after", "null", "after: expected an object");
	refused_with(CHANGE(3) " change after", "{'Name':'x'}", "after: expected null");
	refused_with(CHANGE(2) " change before", "null", "before: expected an object");
	refused_with(CHANGE(0) " change before", "{'Name':'x'}", "before: expected null");
	refused_with("muster reads app/eu-west-1/s/Read", "'x'", "whole number");
	refused_with("muster reads app/eu-west-1/s/Read", "-1", "whole number");
	refused_with("muster reads", NULL, "reads: expected an object");
	refused_with("muster inputs muster.json", "'x'", "inputs: expected 64 hex digits for each file");
	refused_with("muster inputs muster.json", "1", "muster.json: expected a string");
	refused_with("muster inputs", "[]", "inputs: expected an object");
	refused_with("muster rollback", "'3'", "rollback: expected a whole number");
	refused_with("muster rollback_of User", "1", "User: expected a string");

	root = sample_json();
	changes = json_object_get(root, "resource_changes");
	all = json_object_get(json_object_get(root, "muster"), "changes");
	json_array_append(changes, json_array_get(changes, 0));
	json_object_set_new(all, "x", json_object());
	refused_with_digest(root, "each address once");

	root = sample_json();
	all = json_object_get(json_object_get(root, "muster"), "changes");
	json_object_set_new(json_object_get(all, "app/eu-west-1/s/Replace (deposed 1)"), "action",
			    json_string("create"));
	refused_with_digest(root, "delete, of what is deposed");

	root = sample_json();
	all = json_object_get(json_object_get(root, "muster"), "changes");
	json_object_set_new(json_array_get(json_object_get(root, "resource_changes"), 0), "address",
			    json_string("app/eu-west-1/s/"));
	json_object_set(all, "app/eu-west-1/s/", json_object_get(all, "app/eu-west-1/s/New"));
	json_object_del(all, "app/eu-west-1/s/New");
	refused_with_digest(root, "account/region/stack/LogicalId");
}

static void secrets_without_a_source_are_refused(void **state)
{
	(void)state;
	refused_with("muster secrets", "5", "secrets: expected a list");
	refused_with("muster secrets", "[5]", "Source");
	refused_with("muster secrets", "[{}]", "Source");
	refused_with("muster secrets", "[{'Source':{'Env':5},'Hmac':''}]", "Source");
	refused_with("muster secrets", "[{'Source':{'Env':'X'}}]", "Source");
	refused_with(CHANGE(1) " change after Name", "{'Muster::Secret':5}", "Source");
	refused_with(CHANGE(1) " change after Name", "{'Muster::Secret':{}}", "Source");
}

#define UPDATED "muster changes app/eu-west-1/s/Update"

/* Readers look at differences and reasons, and apply follows the values: one cannot be had without the other. */
static void what_is_shown_is_what_is_applied(void **state)
{
	const char *const differ = "differences: expected what before, after and recorded differ in";

	(void)state;
	refused_with(CHANGE(1) " change after Size", "3", differ);
	refused_with(CHANGE(1) " change after List", "['evil']", differ);
	refused_with(CHANGE(1) " change before Size", "2", differ);
	refused_with(UPDATED " differences", NULL, differ);
	refused_with(UPDATED " differences", "[]", differ);
	refused_with(UPDATED " differences 0 after", "1", differ);
	refused_with(UPDATED " differences 0 path", "'Name'", differ);
	refused_with(UPDATED " differences 0 sensitive", "true", differ);
	refused_with("muster changes app/eu-west-1/s/New differences", NULL, differ);
	refused_with("muster changes app/eu-west-1/s/New differences", "[]", differ);
	refused_with("muster changes app/eu-west-1/s/Gone differences", "[]", differ);
	refused_with("muster changes app/eu-west-1/s/Replace differences 0 may_replace", NULL, differ);
	refused_with(UPDATED " record_only", "true", "no difference where only the record changes");
	refused_with(UPDATED " recorded_is_before", NULL, "recorded: expected an object");
	refused_with("muster changes app/eu-west-1/s/Update action", "'replace'", "a replacement that a difference");
	refused_with("muster changes app/eu-west-1/s/Replace action", "'update'", "an update of what can be updated");
	refused_with(CHANGE(1) " action_reason", "'it is nothing'", "the reason for an update");
	refused_with(CHANGE(2) " action_reason", "'replace_because_cannot_update'", "a replacement that a difference");
	refused_with(CHANGE(0) " action_reason", "'recreate_because_gone'", "the reason for a creation");
	refused_with(CHANGE(4) " action_reason", "'adopt_because_cut_off'", "the reason for an adoption");
	refused_with("muster accounts 2 name", "'d'", "reached: expected accounts of the plan");
	refused_with(UPDATED " policies_recorded", NULL, "policies_recorded: expected an object");
	refused_with(UPDATED " policies_recorded", "{}", "deletion: expected a string");
	refused_with(UPDATED " policies_recorded deletion", "'No'", "a word that is known here");
	refused_with(UPDATED " policies_recorded protect", "0", "true or false");
	refused_with(CHANGE(1) " type", "'X::Y::Unknown'", "type: expected one that is known here");
}

/* A generated name changes with each replacement; nothing is replaced for that. */
static void a_replacement_may_have_the_next_generated_name(void **state)
{
	struct plan *plan = sample(), *read = NULL;
	struct plan_change *change = &plan->changes[2];
	struct diag d = DIAG_INIT;

	(void)state;
	for (int explicit = 0; explicit < 2; explicit ++) {
		mem_auto_str char *old =
		    specs_generated_name(change->type, plan->lineage, change->address, "s", "Replace", 0);
		mem_auto_str char *next =
		    specs_generated_name(change->type, plan->lineage, change->address, "s", "Replace", 1);

		json_object_set_new(change->before, "Name", json_string(explicit ? "given" : old));
		json_object_set_new(change->before, "Kind", json_string("a"));
		json_decref(change->recorded);
		change->recorded = json_deep_copy(change->before);
		json_object_set_new(change->after, "Name", json_string(next));
		json_object_set_new(change->after, "Kind", json_string("b"));
		change->reason = "replace_because_cannot_update";
		assert_int_equal(plan_file_write(plan, path, &d), 0);
		if (plan_file_read(&read, path, schemas, &d) != 0)
			fail_msg("%s", diag_first_error(&d));
		assert_int_equal(read->changes[2].diff.count, explicit ? 2 : 1);
		assert_string_equal(read->changes[2].diff.items[0].path, "Kind");
		plan_free(read);
	}
	plan_free(plan);
	diag_free(&d);
}

/* What was masked once is not masked again: a list's items tell of each other. */
static void a_plan_that_is_read_stays_as_it_is(void **state)
{
	struct plan *plan = sample(), *read = NULL;
	struct plan_change *change = &plan->changes[1];
	struct diag d = DIAG_INIT;
	json_t *a, *b;

	(void)state;
	json_object_set_new(change->before, "List", parse("['clear','other']"));
	json_object_set_new(change->before, "Token", json_string("hunter2"));
	json_object_set_new(change->recorded, "List",
			    parse("['other',{'Muster::Secret':{'Source':{'Env':'T'},'Hmac':'00'}}]"));
	json_object_set_new(change->recorded, "Token", json_string("hunter2"));
	json_object_set_new(change->after, "List", parse("['other']"));
	plan_diff_free(&change->diff);
	diff_fill(change);
	assert_int_equal(plan_file_write(plan, path, &d), 0);
	if (plan_file_read(&read, path, schemas, &d) != 0)
		fail_msg("%s", diag_first_error(&d));
	a = plan_to_json(plan);
	b = plan_to_json(read);
	assert_true(json_equal(a, b));
	json_decref(a);
	json_decref(b);
	plan_free(plan);
	plan_free(read);
	diag_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(policy_tools_find_terraforms_shape),
	    cmocka_unit_test(secrets_stay_out),
	    cmocka_unit_test(what_was_touched_is_refused),
	    cmocka_unit_test(what_makes_no_sense_is_refused),
	    cmocka_unit_test(what_other_tools_read_is_what_is_applied),
	    cmocka_unit_test(changes_that_cannot_be_are_refused),
	    cmocka_unit_test(secrets_without_a_source_are_refused),
	    cmocka_unit_test(what_is_shown_is_what_is_applied),
	    cmocka_unit_test(a_replacement_may_have_the_next_generated_name),
	    cmocka_unit_test(a_plan_that_is_read_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
