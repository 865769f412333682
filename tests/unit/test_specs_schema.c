/* JSON Schemas for editors: patterns, and that the language's definitions are those of the tables. What schemas refuse
 * is tested with a validator in tests/e2e/schema.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "specs/compile/json_schema.h"

static void patterns(void **state)
{
	static const struct {
		const char *posix, *ecma;
	} cases[] = {
	    {"[a-z0-9][a-z0-9.-]*", "^(?:[a-z0-9][a-z0-9.-]*)$"},
	    {"a|b", "^(?:a|b)$"},
	    {"\\d{12}", "^(?:\\d{12})$"},
	    {"[\\w+=,.@-]+", "^(?:[\\w+=,.@-]+)$"},
	    {"[]a]", "^(?:[\\]a])$"},
	    {"[^]a]", "^(?:[^\\]a])$"},
	    {"[[:alnum:]_[]", "^(?:[A-Za-z0-9_\\[])$"},
	    /* What needs no escape has none: the unicode mode refuses it. */
	    {"arn\\:aws\\-\\/x\\.y", "^(?:arn:aws-/x\\.y)$"},
	    {"[\\/\\-]", "^(?:[/\\-])$"},
	    {"[a", "^(?:[a])$"},
	    {"x\\", "^(?:x\\)$"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		mem_auto_str char *got = specs_json_schema_pattern(cases[i].posix);

		assert_string_equal(got, cases[i].ecma);
	}
}

static struct schema_set *one_type(const char *text)
{
	struct diag d = DIAG_INIT;
	struct schema_set *set;
	json_auto_t *document = json_loads(text, 0, NULL);

	assert_non_null(document);
	assert_int_equal(schema_set_new(&set, &d), 0);
	assert_int_equal(schema_set_add(set, "test", document, &d), 0);
	diag_free(&d);
	return set;
}

static const char type_text[] =
    "{\"Type\":\"Test::A::B\",\"Service\":\"sns\",\"Ref\":\"Id\",\"Properties\":{"
    "\"Id\":{\"Type\":\"String\",\"CreateOnly\":true,\"Description\":\"Who it is.\"},"
    "\"Given\":{\"Type\":\"String\",\"ReadOnly\":true},"
    "\"Size\":{\"Type\":\"Integer\",\"Required\":true,\"Minimum\":1,\"Maximum\":2},"
    "\"List\":{\"Type\":\"List\",\"MaxLength\":3,\"Item\":{\"Type\":\"String\",\"Enum\":[\"a\",\"b\"]}}},"
    "\"Handlers\":{}}";

static void functions(void **state)
{
	struct schema_set *set = one_type(type_text);
	json_auto_t *schema = specs_json_schema("stack", set);
	json_t *all = json_object_get(json_object_get(schema, "definitions"), "function");
	json_t *known = json_object_get(all, "properties");
	const char *name, *usage;
	size_t count = 0;

	(void)state;
	for (size_t i = 0; (name = specs_function_name(i, &usage)) != NULL; i++) {
		json_t *function = json_object_get(known, name);

		if (strcmp(name, "Condition") == 0)
			continue;
		count++;
		assert_string_equal(json_string_value(json_object_get(function, "description")), usage);
		/* Besides its description something is said of it: language.json has not forgotten it. */
		assert_true(json_object_size(function) > 1);
	}
	assert_int_equal(json_object_size(known), count);
	schema_set_free(set);
}

static void type_properties(void **state)
{
	struct schema_set *set = one_type(type_text);
	json_auto_t *schema = specs_json_schema("Test::A::B", set);
	json_t *type = json_object_get(json_object_get(schema, "definitions"), "Test::A::B");
	json_t *object = json_object_get(type, "else"), *properties = json_object_get(object, "properties");
	json_auto_t *required = json_loads("{\"required\":[\"Size\"]}", 0, NULL);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json_object_get(properties, "Id"), "description")),
			    "Who it is. A change replaces the resource.");
	assert_true(json_is_true(json_object_get(json_object_get(properties, "Given"), "readOnly")));
	assert_true(json_equal(json_object_get(object, "then"), required));
	assert_true(json_is_false(json_object_get(object, "additionalProperties")));
	assert_true(specs_json_schema_needed(schema_set_find(set, "Test::A::B")));
	assert_null(specs_json_schema("Test::A::C", set));
	schema_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(patterns),
	    cmocka_unit_test(functions),
	    cmocka_unit_test(type_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
