/* Runs every example of docs/specs.md that says what it gives:
 *
 *   <!-- file: PATH -->          the block is this file of the example directory
 *   <!-- value: JSON -->         the block is a value; in app-prod/eu-west-1 it is JSON
 *   <!-- stack: JSON -->         the block is a stack; its resources' properties are JSON, by logical id
 *   <!-- targets: A/R A/R -->    the block is a stack; these are its targets
 *   <!-- error: TEXT -->         the block is a stack; loading or checking it says TEXT
 *
 * Run from the top of the repository; the resource types are the shipped ones. */
#include "specs_common.h"

#include <dirent.h>

#define EXAMPLES_MAX 100

struct example {
	char *kind, *argument, *block;
};

struct examples {
	struct example list[EXAMPLES_MAX];
	size_t count;
};

/* A comment of one of the kinds above, then a fenced block. */
static void examples_read(struct examples *out, const char *text)
{
	const char *s = text;

	while ((s = strstr(s, "<!-- ")) != NULL) {
		const char *colon = strstr(s, ": "), *end = strstr(s, " -->\n```"), *block, *close;

		assert_non_null(colon);
		assert_non_null(end);
		block = strchr(end + strlen(" -->\n```"), '\n') + 1;
		close = strstr(block, "\n```\n");
		assert_non_null(close);
		assert_true(out->count < EXAMPLES_MAX);
		out->list[out->count++] = (struct example){mem_strndup(s + 5, (size_t)(colon - s - 5)),
							   mem_strndup(colon + 2, (size_t)(end - colon - 2)),
							   mem_strndup(block, (size_t)(close + 1 - block))};
		s = close;
	}
}

static void examples_free(struct examples *examples)
{
	for (size_t i = 0; i < examples->count; i++) {
		free(examples->list[i].kind);
		free(examples->list[i].argument);
		free(examples->list[i].block);
	}
}

static int load_shipped_types(struct schema_set *set, struct diag *d)
{
	DIR *folder = opendir("providers/aws/types");
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		mem_auto_str char *path = mem_printf("providers/aws/types/%s", entry->d_name);
		struct json_doc *doc;

		if (!text_ends(path, ".json"))
			continue;
		if (json_doc_load(&doc, path, NULL, d) != 0 || schema_set_add(set, path, doc->root, d) != 0)
			return -1;
		json_doc_free(doc);
	}
	if (folder != NULL)
		closedir(folder);
	return schema_set_find(set, "AWS::S3::Bucket") != NULL ? 0 : -1;
}

static const char *const *three_regions(void *payload, const struct specs_account *account)
{
	static const char *const regions[] = {"eu-central-1", "eu-west-1", "us-east-1", NULL};

	(void)payload;
	(void)account;
	return regions;
}

/* The example stack with one more resource that holds the value. */
static char *with_value(const char *stack, const char *block)
{
	json_auto_t *root = json_loads(stack, 0, NULL);
	json_t *value = json_loads(block, JSON_DECODE_ANY, NULL);

	if (value == NULL)
		fail_msg("an example is not JSON: %s", block);
	json_object_set_new(json_object_get(root, "Resources"), "Example",
			    json_pack("{sss{s{so}}}", "Type", "Test::Topic", "Properties", "Value", "V", value));
	return json_dumps(root, 0);
}

static bool check_targets(const struct specs *specs, const char *expected)
{
	struct buf all = BUF_INIT;
	bool same;

	for (size_t i = 0; i < specs->instance_count; i++)
		if (strcmp(specs->instances[i]->stack, "try") == 0)
			buf_addf(&all, "%s%s/%s", all.len > 0 ? " " : "", specs->instances[i]->account->name,
				 specs->instances[i]->region);
	same = strcmp(buf_str(&all), expected) == 0;
	if (!same)
		print_error("targets: %s\n", buf_str(&all));
	buf_free(&all);
	return same;
}

static bool check_result(struct fixture *f, const struct example *example)
{
	bool value = strcmp(example->kind, "value") == 0;
	struct specs_instance *instance =
	    instance_at(f, value ? "app-prod/eu-west-1/example" : "app-prod/eu-west-1/try");
	json_auto_t *expected = json_loads(example->argument, JSON_DECODE_ANY, NULL);
	json_auto_t *got = json_object();
	struct specs_resource *resources;
	size_t count;

	assert_non_null(instance);
	assert_non_null(expected);
	if (specs_evaluate(f->specs, instance, NULL, &f->d) != 0)
		return false;
	resources = specs_instance_resources(instance, &count);
	for (size_t i = 0; i < count; i++)
		if (!value)
			json_object_set(got, resources[i].logical_id, resources[i].properties);
	if (value) {
		json_decref(got);
		got = json_incref(
		    json_object_get(json_object_get(resource_at(instance, "Example")->properties, "Value"), "V"));
	}
	if (json_equal(got, expected))
		return true;
	mem_auto_str char *text = json_dumps(got, JSON_ENCODE_ANY);

	print_error("got %s\n", text);
	return false;
}

static bool run_example(const struct examples *examples, const struct example *example)
{
	struct memory_file files[EXAMPLES_MAX];
	mem_auto_str char *made = NULL;
	size_t count = 0;
	struct fixture f;
	bool good, error = strcmp(example->kind, "error") == 0;

	for (size_t i = 0; i < examples->count; i++)
		if (strcmp(examples->list[i].kind, "file") == 0)
			files[count++] = (struct memory_file){examples->list[i].argument, examples->list[i].block};
	for (size_t i = 0; i < count; i++)
		if (strcmp(example->kind, "value") == 0 && strcmp(files[i].path, "stacks/example.json") == 0)
			files[i].text = made = with_value(files[i].text, example->block);
	if (made == NULL)
		files[count++] = (struct memory_file){"stacks/try.json", example->block};
	fixture_begin(&f, files, count);
	if (load_shipped_types(f.schemas, &f.d) != 0) {
		print_message("the shipped types are not here: not run\n");
		fixture_end(&f);
		return true;
	}
	good = fixture_load(&f) == 0 && specs_expand(f.specs, three_regions, NULL, NULL, &f.d) == 0;
	if (error) {
		mem_auto_str char *pattern = mem_printf("*%s*", example->argument);

		good = (!good || specs_check(f.specs, &f.d) != 0) && has_message(&f.d, pattern);
	} else if (good && strcmp(example->kind, "targets") == 0) {
		good = check_targets(f.specs, example->argument);
	} else if (good) {
		good = specs_check(f.specs, &f.d) == 0 && check_result(&f, example);
	}
	if (!good) {
		print_all(&f.d);
		print_error("%s: %s\n%s\n", example->kind, example->argument, example->block);
	}
	fixture_end(&f);
	return good;
}

/* In an example whose result is checked, other than as an error. */
static bool has_example(const struct examples *examples, const char *word)
{
	mem_auto_str char *quoted = mem_printf("\"%s\"", word), *loop = mem_printf("\"%s::", word);

	for (size_t i = 0; i < examples->count; i++)
		if (strcmp(examples->list[i].kind, "error") != 0 &&
		    (strstr(examples->list[i].block, quoted) != NULL || strstr(examples->list[i].block, loop) != NULL))
			return true;
	print_error("%s has no example\n", word);
	return false;
}

static size_t without_example(const struct examples *examples)
{
	/* Those that are no function of the table: a loop, and what Ref gives besides. */
	static const char *const others[] = {
	    "Fn::ForEach",
	    "AWS::AccountId",
	    "AWS::Region",
	    "AWS::Partition",
	    "AWS::URLSuffix",
	    "AWS::StackName",
	    "AWS::NoValue",
	    "Muster::AccountName",
	    "Muster::HomeRegion",
	    "Muster::GlobalRegion",
	    "Muster::ConfigGlobalRegion",
	    "Moved",
	};
	const char *name, *usage;
	size_t count = 0;

	for (size_t i = 0; (name = specs_function_name(i, &usage)) != NULL; i++)
		count += !has_example(examples, name);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		count += !has_example(examples, others[i]);
	return count;
}

static void documented_examples(void **state)
{
	struct buf text = BUF_INIT;
	struct examples examples = {.count = 0};
	size_t run = 0, failures = 0;

	(void)state;
	if (text_file_read(&text, "docs/specs.md", 1 << 20) != 0) {
		print_message("docs/specs.md is not here: run from the top of the repository\n");
		skip();
	}
	examples_read(&examples, buf_str(&text));
	for (size_t i = 0; i < examples.count; i++)
		if (strcmp(examples.list[i].kind, "file") != 0) {
			run++;
			failures += !run_example(&examples, &examples.list[i]);
		}
	failures += without_example(&examples);
	examples_free(&examples);
	buf_free(&text);
	assert_true(run > 25);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documented_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
