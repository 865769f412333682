/* cli: option tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/diag.h"
#include "cli/options.h"

struct arguments {
	bool refresh, json;
	const char *out, *format;
	struct option_list parameters;
	size_t number;
};

static const char *const formats[] = {"text", "json", NULL};
static const struct option table[] = {
    {"refresh", OPTION_FLAG, offsetof(struct arguments, refresh), NULL, "reads", NULL},
    {"json", OPTION_FLAG, offsetof(struct arguments, json), NULL, "json", NULL},
    {"out", OPTION_TEXT, offsetof(struct arguments, out), "FILE", "saves", NULL},
    {"format", OPTION_CHOICE, offsetof(struct arguments, format), NULL, "form", formats},
    {"parameter", OPTION_LIST, offsetof(struct arguments, parameters), "K=V", "gives", NULL},
    {"parallelism", OPTION_NUMBER, offsetof(struct arguments, number), "N", "how many", NULL},
    {0},
};

static void defaults(void *arguments)
{
	((struct arguments *)arguments)->refresh = true;
}

static const struct command command = {
    .name = "plan",
    .words = "[FILE]",
    .words_max = 1,
    .summary = "plans",
    .options = table,
    .arguments_size = sizeof(struct arguments),
    .defaults = defaults,
};

/* Parses a NULL-terminated argv. */
static int parse(struct arguments *out, const char **words, size_t *count, struct diag *d, char **argv)
{
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	*out = (struct arguments){0};
	return options_parse(&command, argc, argv, out, words, count, d);
}
#define PARSE(...) parse(&given, words, &count, &d, (char *[]){__VA_ARGS__, NULL})

static void every_kind_is_taken(void **state)
{
	struct arguments given;
	struct diag d = DIAG_INIT;
	const char *words[16];
	size_t count;

	(void)state;
	assert_int_equal(PARSE("--no-refresh", "--out=a", "word", "--parameter", "A=1", "--parameter=B=2", "--format",
			       "json", "--parallelism", "7"),
			 0);
	assert_false(given.refresh);
	assert_string_equal(given.out, "a");
	assert_string_equal(given.format, "json");
	assert_int_equal(given.parameters.count, 2);
	assert_string_equal(given.parameters.items[1], "B=2");
	assert_int_equal(given.number, 7);
	assert_int_equal(count, 1);
	assert_string_equal(words[0], "word");
	options_free(&command, &given);

	assert_int_equal(PARSE("--", "--out"), 0);
	assert_true(given.refresh);
	assert_string_equal(words[0], "--out");
	assert_int_equal(PARSE("--help"), 1);
	assert_int_equal(d.errors, 0);
}

static void mistakes_are_named(void **state)
{
	struct arguments given;
	struct diag d = DIAG_INIT;
	const char *words[16];
	size_t count;

	(void)state;
	assert_int_equal(PARSE("--paramter", "x"), -1);
	assert_non_null(strstr(diag_first_error(&d), "did you mean --parameter?"));
	assert_int_equal(PARSE("--out"), -1);
	assert_int_equal(PARSE("--refresh=yes"), -1);
	assert_int_equal(PARSE("--no-out"), -1);
	assert_int_equal(PARSE("--format", "xml"), -1);
	assert_int_equal(PARSE("--parallelism", "0"), -1);
	assert_int_equal(PARSE("--parallelism", "-3"), -1);
	assert_int_equal(PARSE("--parallelism", "99999999999999999999"), -1);
	assert_int_equal(PARSE("-x"), -1);
	assert_int_equal(PARSE("one", "two"), -1);
	assert_int_equal(d.errors, 10);
	diag_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_is_taken),
	    cmocka_unit_test(mistakes_are_named),
	};

	return cmocka_run_group_tests_name("cli options", tests, NULL, NULL);
}
