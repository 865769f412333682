/* Comparing and diffing: what counts as a difference, how deep it is said, and what it means for the action. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "plan/plan.h"

static const char type_text[] =
    "{'Type':'X::Y::Z','Service':'y','Ref':'Name','Handlers':{},'Properties':{"
    "'Name':{'Type':'String','CreateOnly':true},"
    "'Size':{'Type':'Integer'},'On':{'Type':'Boolean','Default':true},"
    "'Mode':{'Type':'String','Compare':'IgnoreCase'},"
    "'Picked':{'Type':'String','Computed':true},"
    "'Arn':{'Type':'String','ReadOnly':true},"
    "'Token':{'Type':'String','Sensitive':true},"
    "'Code':{'Type':'String','WriteOnly':true},"
    "'Order':{'Type':'List','Item':{'Type':'String'}},"
    "'Zones':{'Type':'List','Compare':'Set','Item':{'Type':'String'}},"
    "'Steps':{'Type':'List','Item':{'Type':'Object','Properties':{'A':{'Type':'String'},'B':{'Type':'String'}}}},"
    "'Rules':{'Type':'List','Compare':'Set','Item':{'Type':'Object','Properties':{'A':{'Type':'String'},"
    "'B':{'Type':'String'}}}},"
    "'Tags':{'Type':'List','Compare':'Set','Key':'Key','Item':{'Type':'Object','Properties':{"
    "'Key':{'Type':'String'},'Value':{'Type':'String'}}}},"
    "'Labels':{'Type':'Map','Item':{'Type':'String'}},"
    "'Group':{'Type':'Object','Properties':{'All':{'Type':'Boolean','Default':false},'Kind':{'Type':'String'},"
    "'Base':{'Type':'String','CreateOnly':true},'Pass':{'Type':'String','Sensitive':true}}},"
    "'Pattern':{'Type':'Json','Compare':'Document'},'Policy':{'Type':'Json','Compare':'Policy'}}}";

static struct schema_set *schemas;
static const struct schema_type *type;

static json_t *parse(const char *text)
{
	char *copy;
	json_t *value;

	if (text == NULL)
		return NULL;
	copy = strdup(text);
	for (char *s = copy; *s != '\0'; s++)
		if (*s == '\'')
			*s = '"';
		else if (*s == '`')
			*s = '\'';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	free(copy);
	if (value == NULL)
		fail_msg("no JSON: %s", text);
	return value;
}

static int setup(void **state)
{
	struct diag d = DIAG_INIT;
	json_t *document = parse(type_text);

	(void)state;
	schema_set_new(&schemas, &d);
	if (schema_set_add(schemas, "t.json", document, &d) != 0)
		fail_msg("%s", diag_first_error(&d));
	json_decref(document);
	type = schema_set_find(schemas, "X::Y::Z");
	diag_free(&d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	schema_set_free(schemas);
	return 0;
}

/* The differences as "Path: before -> after", one a line; `!` forces replacement, `?` may replace, `*` sensitive. */
static void diff_is(const char *desired, const char *prior, const char *recorded, bool live, const char *expected)
{
	json_t *want = parse(desired), *have = parse(prior), *record = parse(recorded);
	buf_auto struct buf out = BUF_INIT;
	struct plan_diff diff;
	bool replace = false, may = false;

	plan_diff_make(&diff, type, want, have, record, live);
	for (size_t i = 0; i < diff.count; i++) {
		const struct plan_difference *item = &diff.items[i];

		buf_addf(&out, "%s%s%s%s%s: ", i > 0 ? "\n" : "", item->path, item->forces_replace ? "!" : "",
			 item->may_replace ? "?" : "", item->sensitive ? "*" : "");
		if (item->before != NULL)
			json_canonical(&out, item->before);
		buf_adds(&out, " -> ");
		if (item->after != NULL)
			json_canonical(&out, item->after);
		replace |= item->forces_replace;
		may |= item->may_replace;
	}
	for (char *s = out.data; s != NULL && *s != '\0'; s++)
		if (*s == '"')
			*s = '\'';
	assert_string_equal(buf_str(&out), expected);
	assert_true(diff.replace == replace && diff.may_replace == may);
	plan_diff_free(&diff);
	json_decref(want);
	json_decref(have);
	json_decref(record);
}

static void scalars_compare_by_kind(void **state)
{
	(void)state;
	diff_is("{'Size':'5','On':'true','Mode':'Fast'}", "{'Size':5,'On':true,'Mode':'FAST'}", NULL, true, "");
	diff_is("{'Size':5.0}", "{'Size':5}", NULL, true, "");
	diff_is("{'Name':5}", "{'Name':'5'}", NULL, true, "");
	diff_is("{'Size':6}", "{'Size':5}", NULL, true, "Size: 5 -> 6");
	diff_is("{'Size':6}", "{}", NULL, true, "Size:  -> 6");
	diff_is("{'Name':'A'}", "{'Name':'a'}", NULL, true, "Name!: 'a' -> 'A'");
}

static void what_is_left_out(void **state)
{
	(void)state;
	/* The service's own business, a default that holds, one that does not. */
	diff_is("{}", "{'Size':5,'Arn':'x','On':true}", "{}", true, "");
	diff_is("{}", "{'On':false}", "{}", true, "On: false -> true");
	diff_is("{'On':true}", "{}", NULL, false, "");
	diff_is("{'On':false}", "{}", NULL, false, "On: true -> false");
	/* Ours before: taken away, but only while it is there, and never what the service picks then. */
	diff_is("{}", "{'Size':5}", "{'Size':5}", true, "Size: 5 -> ");
	diff_is("{}", "{}", "{'Size':5}", true, "");
	diff_is("{}", "{'Picked':'x'}", "{'Picked':'x'}", true, "");
	diff_is("{}", "{'Order':[]}", "{'Order':['a']}", true, "");
	diff_is("{'Order':[]}", "{}", NULL, true, "");
	diff_is("{'Order':[]}", "{'Order':['a']}", NULL, true, "Order: ['a'] -> []");
	diff_is("{}", "{'Name':'a'}", "{'Name':'a'}", false, "Name!: 'a' -> ");
	diff_is("{'Arn':'a'}", "{'Arn':'b'}", NULL, true, "");
}

static void nothing_before_forces_nothing(void **state)
{
	(void)state;
	diff_is("{'Name':'a','Size':1}", NULL, NULL, false, "Name:  -> 'a'\nSize:  -> 1");
	diff_is("{'On':true,'Order':[],'Arn':'x','Token':'t'}", NULL, NULL, false,
		"On:  -> true\nOrder:  -> []\nToken*:  -> {'Muster::Secret':{}}");
	diff_is("{'Name':{'Muster::Attribute':['a/b/c/D','Arn']}}", NULL, NULL, false,
		"Name:  -> {'Muster::Attribute':['a/b/c/D','Arn']}");
}

static void objects_differ_by_member(void **state)
{
	(void)state;
	diff_is("{'Group':{'Kind':'a'}}", "{'Group':{'Kind':'a','All':false,'Base':'b'}}", NULL, true, "");
	diff_is("{'Group':{'Kind':'a'}}", "{'Group':{'Kind':'b','All':true}}", NULL, true,
		"Group.All: true -> false\nGroup.Kind: 'b' -> 'a'");
	diff_is("{'Group':{'Base':'a'}}", "{'Group':{'Base':'b'}}", NULL, true, "Group.Base!: 'b' -> 'a'");
	diff_is("{'Group':{'Base':'a'}}", "{}", NULL, true, "Group!:  -> {'Base':'a'}");
	diff_is("{'Group':{'All':true}}", "{'Group':{'All':true,'Kind':'x'}}", "{'Group':{'All':true,'Kind':'x'}}",
		true, "Group.Kind: 'x' -> ");
	/* A container that is there and one that is not are not the same, whatever the defaults inside. */
	diff_is("{'Group':{'All':false}}", "{}", NULL, true, "Group:  -> {'All':false}");
}

static void lists_differ_by_place_or_whole(void **state)
{
	(void)state;
	diff_is("{'Order':['a','b']}", "{'Order':['b','a']}", NULL, true, "Order: ['b','a'] -> ['a','b']");
	diff_is("{'Zones':['a','b']}", "{'Zones':['b','a']}", NULL, true, "");
	diff_is("{'Zones':['a','b']}", "{'Zones':['b','c']}", NULL, true, "Zones: ['b','c'] -> ['a','b']");
	diff_is("{'Steps':[{'A':'1'},{'A':'3'}]}", "{'Steps':[{'A':'1','B':'x'},{'A':'2'}]}", NULL, true,
		"Steps[1].A: '2' -> '3'");
	diff_is("{'Steps':[{'A':'1'},{'A':'2'}]}", "{'Steps':[{'A':'1'}]}", NULL, true, "Steps[1]:  -> {'A':'2'}");
	diff_is("{'Steps':[{'A':'0'},{'A':'1'}]}", "{'Steps':[{'A':'1'}]}", NULL, true,
		"Steps: [{'A':'1'}] -> [{'A':'0'},{'A':'1'}]");
	/* The first fit would leave the second without a partner. */
	diff_is("{'Rules':[{'A':'1'},{'A':'1','B':'2'}]}", "{'Rules':[{'A':'1','B':'2'},{'A':'1','B':'3'}]}", NULL,
		true, "");
	diff_is("{'Rules':[{'A':'1'},{'A':'1'}]}", "{'Rules':[{'A':'1'}]}", NULL, true,
		"Rules: [{'A':'1'}] -> [{'A':'1'},{'A':'1'}]");
}

static void keyed_items_differ_by_key(void **state)
{
	(void)state;
	diff_is("{'Tags':[{'Key':'a','Value':'1'},{'Key':'b','Value':'2'}]}",
		"{'Tags':[{'Key':'b','Value':'2'},{'Key':'a','Value':'1'},{'Key':'aws:x','Value':'y'}]}", NULL, true,
		"");
	diff_is("{'Tags':[{'Key':'a','Value':'1'},{'Key':'b','Value':'2'}]}",
		"{'Tags':[{'Key':'b','Value':'3'},{'Key':'c','Value':'4'}]}", NULL, true,
		"Tags[a]:  -> {'Key':'a','Value':'1'}\nTags[b].Value: '3' -> '2'\n"
		"Tags[c]: {'Key':'c','Value':'4'} -> ");
	diff_is("{'Labels':{'a':'1'}}", "{'Labels':{'a':'2','b':'3','aws:c':'4'}}", NULL, true,
		"Labels[a]: '2' -> '1'\nLabels[b]: '3' -> ");
	diff_is("{'Tags':[{'Key':'a','Value':'1'},{'Key':'a','Value':'2'}]}", "{'Tags':[{'Key':'a','Value':'1'}]}",
		NULL, true, "Tags: [{'Key':'a','Value':'1'}] -> [{'Key':'a','Value':'1'},{'Key':'a','Value':'2'}]");
}

static void unknown_values_are_always_said(void **state)
{
	static const char unknown[] = "{'Name':{'Muster::Attribute':['a/b/c/D','Arn']}}";

	(void)state;
	diff_is(unknown, "{'Name':'x'}", NULL, true, "Name?: 'x' -> {'Muster::Attribute':['a/b/c/D','Arn']}");
	diff_is(unknown, "{'Name':'x'}", unknown, false, "Name?: 'x' -> {'Muster::Attribute':['a/b/c/D','Arn']}");
	diff_is("{'Group':{'Kind':{'Fn::Join':['',['a',{'Muster::Attribute':['a/b/c/D','Arn']}]]}}}",
		"{'Group':{'Kind':'x'}}", NULL, true,
		"Group.Kind: 'x' -> {'Fn::Join':['',['a',{'Muster::Attribute':['a/b/c/D','Arn']}]]}");
	diff_is("{'Order':['a',{'Muster::Attribute':['a/b/c/D','Arn']}]}", "{'Order':['a','b']}", NULL, true,
		"Order: ['a','b'] -> ['a',{'Muster::Attribute':['a/b/c/D','Arn']}]");
}

#define SECRET(source, hmac) "{'Muster::Secret':{'Hmac':'" hmac "','Source':{'Env':'" source "'}}}"

static void secrets_compare_with_the_record(void **state)
{
	(void)state;
	diff_is("{'Mode':" SECRET("B", "11") "}", "{'Mode':'clear'}", "{'Mode':" SECRET("A", "11") "}", true, "");
	diff_is("{'Mode':" SECRET("A", "11") "}", "{'Mode':" SECRET("A", "11") "}", NULL, false, "");
	diff_is("{'Mode':" SECRET("A", "22") "}", "{'Mode':'clear'}", "{'Mode':" SECRET("A", "11") "}", true,
		"Mode*: " SECRET("A", "11") " -> " SECRET("A", "22"));
	/* Nothing recorded: the live value is not shown, only that it is replaced. */
	diff_is("{'Mode':" SECRET("A", "22") "}", "{'Mode':'clear'}", NULL, true,
		"Mode*: {'Muster::Secret':{}} -> " SECRET("A", "22"));
	diff_is("{'Mode':'plain'}", "{'Mode':'clear'}", "{'Mode':" SECRET("A", "11") "}", true,
		"Mode*: {'Muster::Secret':{}} -> {'Muster::Secret':{}}");
	diff_is("{'Token':'a'}", "{'Token':'b'}", NULL, true, "Token*: {'Muster::Secret':{}} -> {'Muster::Secret':{}}");
	diff_is("{'Group':{'Pass':'a'}}", "{}", NULL, true, "Group*:  -> {'Muster::Secret':{}}");
}

#define HIDDEN "{'Muster::Secret':{}}"

/* What the service gives back in clear was a secret when it was written: nor is it said as it goes. */
static void a_secret_that_goes_is_not_said(void **state)
{
	(void)state;
	diff_is("{}", "{'Mode':'clear'}", "{'Mode':" SECRET("A", "11") "}", true, "Mode*: " HIDDEN " -> ");
	diff_is("{}", "{'Group':{'Kind':'clear'}}", "{'Group':{'Kind':" SECRET("A", "11") "}}", true,
		"Group*: " HIDDEN " -> ");
	diff_is("{'Group':{'All':true}}", "{'Group':{'Kind':'clear'}}", "{'Group':{'Kind':" SECRET("A", "11") "}}",
		true, "Group.All: false -> true\nGroup.Kind*: " HIDDEN " -> ");
	diff_is("{'Tags':[{'Key':'b','Value':'2'}]}", "{'Tags':[{'Key':'a','Value':'clear'},{'Key':'b','Value':'2'}]}",
		"{'Tags':[{'Key':'a','Value':" SECRET("A", "11") "},{'Key':'b','Value':'2'}]}", true,
		"Tags[a]*: " HIDDEN " -> ");
	diff_is("{'Labels':{'b':'2'}}", "{'Labels':{'a':'clear','b':'2'}}",
		"{'Labels':{'a':" SECRET("A", "11") ",'b':'2'}}", true, "Labels[a]*: " HIDDEN " -> ");
	diff_is("{'Order':['b']}", "{'Order':['clear','b']}", "{'Order':[" SECRET("A", "11") ",'b']}", true,
		"Order*: " HIDDEN " -> " HIDDEN);
	diff_is("{'Steps':[{'A':'1'}]}", "{'Steps':[{'A':'1'},{'B':'clear'}]}",
		"{'Steps':[{'A':'1'},{'B':" SECRET("A", "11") "}]}", true, "Steps[1]*: " HIDDEN " -> ");
}

static void write_only_compares_with_the_record(void **state)
{
	(void)state;
	diff_is("{'Code':'a'}", "{}", "{'Code':'a'}", true, "");
	diff_is("{'Code':'b'}", "{}", "{'Code':'a'}", true, "Code: 'a' -> 'b'");
	diff_is("{'Code':'b'}", "{}", NULL, true, "Code:  -> 'b'");
	diff_is("{'Code':'b'}", "{'Code':'a'}", NULL, false, "Code: 'a' -> 'b'");
}

static void documents_differ_by_meaning(void **state)
{
	(void)state;
	diff_is("{'Pattern':{'a':[1,2],'b':{'c':1.0}}}", "{'Pattern':'{\\'b\\':{\\'c\\':1},\\'a\\':[1,2]}'}", NULL,
		true, "");
	diff_is("{'Pattern':{'a':['x'],'b':{'c':1}}}",
		"{'Pattern':'{\\'b\\':{\\'c\\':2,\\'d\\':1},\\'a\\':[\\'x\\']}'}", NULL, true,
		"Pattern.b.c: 2 -> 1\nPattern.b.d: 1 -> ");
	diff_is("{'Pattern':'text'}", "{'Pattern':'other'}", NULL, true, "Pattern: 'other' -> 'text'");
}

static void equal_policies(const char *a, const char *b, bool equal)
{
	json_t *left = parse(a), *right = parse(b);

	if (plan_policy_equal(left, right) != equal || plan_policy_equal(right, left) != equal)
		fail_msg("%s %s %s", a, equal ? "!=" : "==", b);
	json_decref(left);
	json_decref(right);
}

#define POLICY(statement) "{'Version':'2012-10-17','Statement':" statement "}"

static void policies_compare_by_meaning(void **state)
{
	(void)state;
	equal_policies(POLICY("{'Effect':'Allow','Action':'S3:GetObject','Resource':'*'}"),
		       POLICY("[{'Resource':['*'],'Action':['s3:getobject'],'Effect':'Allow'}]"), true);
	equal_policies(POLICY("[{'Action':['a:B','c:D']}]"), POLICY("[{'Action':['c:D','a:B','a:B']}]"), true);
	equal_policies(POLICY("[{'Action':'a:B'},{'Action':'c:D'}]"), POLICY("[{'Action':'c:D'},{'Action':'a:B'}]"),
		       true);
	equal_policies(POLICY("{'Principal':'*'}"), POLICY("{'Principal':{'AWS':'*'}}"), true);
	equal_policies(POLICY("{'Principal':{'AWS':'arn:aws:iam::111111111111:root'}}"),
		       POLICY("{'Principal':{'AWS':['111111111111']}}"), true);
	equal_policies(POLICY("{'Principal':{'AWS':'arn:aws:iam::111111111111:role/x'}}"),
		       POLICY("{'Principal':{'AWS':'111111111111'}}"), false);
	equal_policies(POLICY("{'Principal':'*'}"), POLICY("{'Principal':{'Service':'*'}}"), false);
	equal_policies(POLICY("{'Condition':{'stringequals':{'AWS:SourceArn':'a'}}}"),
		       POLICY("{'Condition':{'StringEquals':{'aws:sourcearn':['a']}}}"), true);
	equal_policies(POLICY("{'Condition':{'Bool':{'a:b':true}}}"), POLICY("{'Condition':{'Bool':{'a:b':'true'}}}"),
		       true);
	equal_policies(POLICY("{'Condition':{'StringEquals':{'a:b':'X'}}}"),
		       POLICY("{'Condition':{'StringEquals':{'a:b':'x'}}}"), false);
	equal_policies(POLICY("{'Sid':'a'}"), POLICY("{'Sid':'b'}"), false);
	equal_policies(POLICY("{'Sid':''}"), POLICY("{}"), true);
	equal_policies("{'Statement':[]}", "{'Version':'2008-10-17','Statement':[]}", true);
	equal_policies("{'Statement':[]}", "{'Version':'2012-10-17','Statement':[]}", false);
	equal_policies(POLICY("{'Resource':'a'}"), POLICY("{'Resource':'A'}"), false);
	equal_policies("'not a policy'", "'not a policy'", true);
	equal_policies("'{\\'Statement\\':{\\'Action\\':\\'a:b\\'}}'", "{'Statement':[{'Action':['A:B']}]}", true);
}

static void policies_differ_by_statement(void **state)
{
	(void)state;
	diff_is("{'Policy':" POLICY("[{'Sid':'A','Action':'a:b'},{'Action':'x:y'}]") "}",
		"{'Policy':" POLICY("[{'Action':['X:Y']},{'Sid':'A','Action':'a:c'},{'Sid':'B'}]") "}", NULL, true,
		"Policy.Statement[A]: {'Action':'a:c','Sid':'A'} -> {'Action':'a:b','Sid':'A'}\n"
		"Policy.Statement[B]: {'Sid':'B'} -> ");
	diff_is("{'Policy':" POLICY("{'Action':'a:b'}") "}", "{'Policy':{'Statement':{'Action':'a:b'}}}", NULL, true,
		"Policy.Version:  -> '2012-10-17'");
	diff_is("{'Policy':" POLICY("[{'Resource':{'Muster::Attribute':['a/b/c/D','Arn']}},{'Action':'a:b'}]") "}",
		"{'Policy':" POLICY("[{'Action':'a:b'},{'Resource':'x'}]") "}", NULL, true,
		"Policy.Statement[0]: {'Resource':'x'} -> {'Resource':{'Muster::Attribute':['a/b/c/D','Arn']}}");
	diff_is("{'Policy':" POLICY("[{'Action':'a:b'}]") "}", "{}", NULL, true,
		"Policy:  -> {'Statement':[{'Action':'a:b'}],'Version':'2012-10-17'}");
}

static void values_are_equal_without_a_record(void **state)
{
	const struct schema_value *tags = &schema_value_member(&type->properties, "Tags")->value;
	json_t *a = parse("[{'Key':'a'}]"), *b = parse("[{'Key':'a','Value':'1'}]");

	(void)state;
	assert_true(plan_value_equal(tags, a, b));
	assert_false(plan_value_equal(tags, b, a));
	assert_true(plan_value_equal(tags, NULL, b));
	assert_false(plan_value_equal(tags, a, NULL));
	json_decref(a);
	json_decref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(scalars_compare_by_kind),        cmocka_unit_test(what_is_left_out),
	    cmocka_unit_test(nothing_before_forces_nothing),  cmocka_unit_test(objects_differ_by_member),
	    cmocka_unit_test(lists_differ_by_place_or_whole), cmocka_unit_test(keyed_items_differ_by_key),
	    cmocka_unit_test(unknown_values_are_always_said), cmocka_unit_test(secrets_compare_with_the_record),
	    cmocka_unit_test(a_secret_that_goes_is_not_said), cmocka_unit_test(write_only_compares_with_the_record),
	    cmocka_unit_test(documents_differ_by_meaning),    cmocka_unit_test(policies_compare_by_meaning),
	    cmocka_unit_test(policies_differ_by_statement),   cmocka_unit_test(values_are_equal_without_a_record),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
