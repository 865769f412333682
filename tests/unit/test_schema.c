/* Type files: what they become, and what is said of wrong ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/schema.h"

static const char good[] =
    "{'Type':'X::Y::Z','Service':'y','Ref':'Name','Scope':'Account','Identity':'${Name}','After':['X::Y::A'],"
    "'Name':{'Property':'Name','Allowed':'A-Za-z0-9-','Max':64,'Lower':true},'SettleSeconds':5,"
    "'Serialize':'${Bus|default}','Regions':{'Only':['eu-*'],'Except':['eu-south-2']},"
    "'LeftOut':{'Old':'the service has dropped it'},"
    "'Attributes':{'Arn':{'Predict':'arn:${AWS::Partition}:y:${AWS::Region}:${AWS::AccountId}:z/${Name}'},'Id':{}},"
    "'Properties':{'Name':{'Type':'String','CreateOnly':true,'Pattern':'[a-z]+','MaxLength':64},"
    "'Bus':{'Type':'String'},'Size':{'Type':'Integer','Default':3,'Minimum':1},"
    "'Policy':{'Type':'Json','Compare':'Policy','MaxBytes':100,'Required':true},"
    "'Tags':{'Type':'List','Compare':'Set','Key':'Key','Item':{'Type':'Object','Properties':{"
    "'Key':{'Type':'String','Required':true},'Value':{'Type':'String'}}}},"
    "'Labels':{'Type':'Map','Item':{'Type':'String','Enum':['a','b']}}},'Handlers':{}}";

static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *value;

	for (char *s = copy; *s != '\0'; s++)
		if (*s == '\'')
			*s = '"';
	value = json_loads(copy, 0, &error);
	if (value == NULL)
		fail_msg("%s: %s", error.text, text);
	free(copy);
	return value;
}

static int add(struct schema_set *set, const char *text, struct diag *d)
{
	json_t *document = parse(text);
	int result = schema_set_add(set, "t.json", document, d);

	json_decref(document);
	return result;
}

static void test_reads(void **state)
{
	struct schema_set *set;
	struct diag d = DIAG_INIT;
	const struct schema_type *t;
	const struct schema_member *m;
	size_t count;

	(void)state;
	schema_set_new(&set, &d);
	assert_int_equal(add(set, good, &d), 0);
	assert_int_equal(add(set, good, &d), 0); /* replaces */
	schema_set_list(set, &count);
	assert_int_equal(count, 1);
	t = schema_set_find(set, "X::Y::Z");
	assert_non_null(t);
	assert_null(schema_set_find(set, "X::Y::Q"));
	assert_string_equal(schema_set_nearest(set, "X:Y::Z"), "X::Y::Z");
	assert_int_equal(t->scope, SCHEMA_ACCOUNT);
	assert_int_equal(t->settle_ms, 5000);
	assert_int_equal(t->after_count, 1);
	assert_true(t->name_lower);
	assert_non_null(json_object_get(t->left_out, "Old"));
	assert_true(schema_type_in_region(t, "eu-west-1"));
	assert_false(schema_type_in_region(t, "eu-south-2"));
	assert_false(schema_type_in_region(t, "us-east-1"));
	m = schema_value_member(&t->properties, "Tags");
	assert_string_equal(m->value.key, "Key");
	assert_true(schema_value_member(m->value.item, "Key")->required);
	m = schema_value_member(&t->properties, "Size");
	assert_int_equal(json_integer_value(m->initial), 3);
	assert_true(isnan(m->value.maximum));
	assert_int_equal(m->value.max_length, -1);
	assert_int_equal(schema_value_member(&t->properties, "Policy")->value.compare, SCHEMA_POLICY);
	assert_null(schema_value_member(&t->properties, "Siz"));
	schema_set_free(set);
	diag_free(&d);
}

/* Each wrong file: what is changed in the good one, and words that the message must have. */
static void test_refuses(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"[]", "expected an object"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Proprties':{},'Properties':{'N':{'Type':'String'}}}",
	     "did you mean \"Properties\"?"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N'}", "\"Properties\" is missing"},
	    {"{'Service':'b','Ref':'N','Properties':{'N':{'Type':'String'}}}", "needs \"Type\""},
	    {"{'Type':'A::B::C','Service':'b','Ref':'M','Properties':{'N':{'Type':'String'}}}", "\"M\" is no property"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Properties':{'N':{'Type':'Strin'}}}",
	     "did you mean \"String\"?"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Properties':{'N':{'Type':'List'}}}", "\"Item\""},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Properties':{'N':{'Type':'Object'}}}",
	     "\"Properties\" belongs"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Properties':{'N':{'Type':'String','Requird':true}}}",
	     "did you mean \"Required\"?"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Properties':{'N':{'Type':'String','Default':1}}}",
	     "does not fit"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Properties':{'N':{'Type':'String','Pattern':'('}}}",
	     "not a regular expression"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Properties':{'N':{'Type':'String','Compare':'Set'}}}",
	     "does not go with"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Identity':'${M}','Properties':{'N':{'Type':'String'}}}",
	     "\"M\" is no property"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','LeftOut':{'N':'why'},'Properties':{'N':{'Type':'String'}}}",
	     "stands under"},
	    {"{'Type':'A::B::C','Service':'b','Ref':'N','Scope':'Local','Properties':{'N':{'Type':'String'}}}",
	     "Local"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_set *set;
		struct diag d = DIAG_INIT;

		schema_set_new(&set, &d);
		assert_int_equal(add(set, cases[i].text, &d), -1);
		if (strstr(diag_first_error(&d), cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, diag_first_error(&d));
		schema_set_free(set);
		diag_free(&d);
	}
}

static void test_templates(void **state)
{
	static const struct schema_place place = {"111111111111", "eu-west-1", "aws", "amazonaws.com"};
	static const struct {
		const char *template, *result;
	} cases[] = {
	    {"plain", "plain"},
	    {"${Name}", "n"},
	    {"${Size}-${On}", "3-true"},
	    {"${AWS::AccountId}/${AWS::Region}", "111111111111/eu-west-1"},
	    {"${Deep.In}", "x"},
	    {"${Missing}", NULL},
	    {"${Object}", NULL},
	    {"${Missing|/}${Name}", "/n"},
	    {"${Object|/}", NULL}, /* there, but not known yet */
	    {"${Id}", "i-1"},
	    {"${Bus!default}/${Name} || ${Name}${Bus=default}", "mine/n"},
	    {"${Name!n}/${Name} || ${Name}${Missing=default}", "n"},
	    {"${Name!x!n}", NULL},
	    {"${List[0]}", "first"},
	    {"${List[1].In}", "y"},
	    {"${List[2]}", NULL},
	    {"${Name", NULL},
	};
	json_t *properties = parse("{'Name':'n','Size':3,'On':true,'Bus':'mine','Deep':{'In':'x'},"
				   "'List':['first',{'In':'y'}],"
				   "'Object':{'Muster::Attribute':['a','b']}}");
	json_t *attributes = parse("{'Id':'i-1'}");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *out;
		int result = schema_template_fill(&out, cases[i].template, properties, attributes, &place);

		assert_int_equal(result, cases[i].result != NULL);
		if (result)
			assert_string_equal(out, cases[i].result);
		free(out);
	}
	json_decref(properties);
	json_decref(attributes);
}

static void test_prior(void **state)
{
	static const char text[] =
	    "{'Type':'A::B::C','Service':'b','Ref':'N','Properties':{'N':{'Type':'String'},"
	    "'Size':{'Type':'Integer','Default':1},'Tags':{'Type':'Json'},'Note':{'Type':'String'},"
	    "'Code':{'Type':'Object','Properties':{'Zip':{'Type':'String','WriteOnly':true}}}}}";
	struct schema_set *set;
	struct diag d = DIAG_INIT;
	json_t *desired = parse("{'N':'a'}"), *live = parse("{'N':'a','Size':2,'Tags':[1],'Note':'x','Code':{}}");
	json_t *recorded = parse("{'N':'a','Note':'x','Code':{'Zip':'z'}}"), *ours, *wanted;

	(void)state;
	schema_set_new(&set, &d);
	assert_int_equal(add(set, text, &d), 0);
	/* Tags are somebody else's; Note was ours and is to go; Size has a default. */
	ours = schema_prior_ours(schema_set_find(set, "A::B::C"), desired, live, recorded);
	wanted = parse("{'N':'a','Size':2,'Note':'x','Code':{'Zip':'z'}}");
	assert_true(json_equal(ours, wanted));
	json_decref(ours);
	json_decref(wanted);
	ours = schema_prior_ours(schema_set_find(set, "A::B::C"), desired, live, NULL);
	wanted = parse("{'N':'a','Size':2}");
	assert_true(json_equal(ours, wanted));
	json_decref(ours);
	json_decref(wanted);
	assert_null(json_object_get(json_object_get(live, "Code"), "Zip")); /* not written to */
	json_decref(desired);
	json_decref(live);
	json_decref(recorded);
	schema_set_free(set);
	diag_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads),
	    cmocka_unit_test(test_refuses),
	    cmocka_unit_test(test_templates),
	    cmocka_unit_test(test_prior),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
