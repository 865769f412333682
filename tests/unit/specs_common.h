/* What the tests of the specs room share: a spec directory in memory, three small resource types, short ways to load,
 * expand and evaluate. */
#ifndef MUSTER_TESTS_SPECS_COMMON_H
#define MUSTER_TESTS_SPECS_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "specs/specs.h"

struct memory_file {
	const char *path, *text;
};

struct memory {
	const struct memory_file *files;
	size_t count;
};

static inline int memory_read(void *payload, const char *path, char **text, size_t *len, struct diag *d)
{
	const struct memory *memory = payload;

	if (strncmp(path, "../", 3) == 0)
		return diag_error(d, "%s: not a path inside the spec directory", path);
	for (size_t i = 0; i < memory->count; i++)
		if (memory->files[i].path != NULL && strcmp(memory->files[i].path, path) == 0) {
			*text = mem_strdup(memory->files[i].text);
			*len = strlen(*text);
			return 0;
		}
	return -ENOENT;
}

static inline int memory_list(void *payload, const char *folder, char ***names, struct diag *d)
{
	const struct memory *memory = payload;
	size_t used = 0, len = strlen(folder);

	(void)d;
	*names = mem_array(memory->count + 1, sizeof **names);
	for (size_t i = 0; i < memory->count; i++)
		if (memory->files[i].path != NULL && strncmp(memory->files[i].path, folder, len) == 0 &&
		    memory->files[i].path[len] == '/')
			(*names)[used++] = mem_strdup(memory->files[i].path + len + 1);
	return 0;
}

static const char *const test_types[] = {
    "{\"Type\": \"Test::Bucket\", \"Service\": \"s3\", \"Ref\": \"BucketName\", \"Scope\": \"Global\","
    " \"Identity\": \"${BucketName}\","
    " \"Name\": {\"Property\": \"BucketName\", \"Allowed\": \"a-z0-9.-\", \"Max\": 63, \"Lower\": true},"
    " \"Properties\": {"
    "  \"BucketName\": {\"Type\": \"String\", \"CreateOnly\": true, \"MinLength\": 3, \"MaxLength\": 63},"
    "  \"Versioning\": {\"Type\": \"String\", \"Enum\": [\"Enabled\", \"Suspended\"]},"
    "  \"Days\": {\"Type\": \"Integer\", \"Minimum\": 1, \"Maximum\": 365},"
    "  \"Public\": {\"Type\": \"Boolean\"},"
    "  \"Policy\": {\"Type\": \"Json\", \"Compare\": \"Policy\", \"MaxBytes\": 200},"
    "  \"Labels\": {\"Type\": \"Map\", \"Item\": {\"Type\": \"String\"}},"
    "  \"Rules\": {\"Type\": \"List\", \"MaxLength\": 3, \"Item\": {\"Type\": \"Object\", \"Properties\": {"
    "   \"Id\": {\"Type\": \"String\", \"Required\": true, \"Pattern\": \"[a-z]+\"},"
    "   \"Days\": {\"Type\": \"Integer\"}}}},"
    "  \"Names\": {\"Type\": \"List\", \"Item\": {\"Type\": \"String\"}}},"
    " \"LeftOut\": {\"Color\": \"buckets are grey\", \"Rules[].Weeks\": \"write Days\"},"
    " \"Attributes\": {\"Arn\": {\"Predict\": \"arn:${AWS::Partition}:s3:::${BucketName}\"}, \"DomainName\": {}}}",

    "{\"Type\": \"Test::Topic\", \"Service\": \"sns\", \"Ref\": \"TopicArn\", \"Identity\": \"${TopicName}\","
    " \"Name\": {\"Property\": \"TopicName\", \"Allowed\": \"A-Za-z0-9_-\", \"Max\": 40},"
    " \"Properties\": {"
    "  \"TopicName\": {\"Type\": \"String\", \"CreateOnly\": true, \"Required\": true},"
    "  \"Id\": {\"Type\": \"String\", \"ReadOnly\": true},"
    "  \"Value\": {\"Type\": \"Json\"},"
    "  \"Text\": {\"Type\": \"String\"},"
    "  \"Number\": {\"Type\": \"Number\"},"
    "  \"Switch\": {\"Type\": \"Boolean\"},"
    "  \"List\": {\"Type\": \"List\", \"Item\": {\"Type\": \"String\"}},"
    "  \"Map\": {\"Type\": \"Map\", \"Item\": {\"Type\": \"String\"}}},"
    " \"Attributes\": {\"TopicArn\": {}, \"Owner\": {\"Predict\": \"${AWS::AccountId}\"}}}",

    "{\"Type\": \"Test::Detector\", \"Service\": \"guardduty\", \"Ref\": \"Id\", \"Singleton\": true,"
    " \"Regions\": {\"Except\": [\"eu-west-3\"]},"
    " \"Properties\": {\"Enable\": {\"Type\": \"Boolean\", \"Required\": true},"
    "  \"Muster::Recording\": {\"Type\": \"Boolean\"}},"
    " \"Attributes\": {\"Id\": {}}}",
};

#define TEST_SETTINGS "{\"Version\": 1, \"HomeRegion\": \"eu-west-1\", \"Lineage\": \"01JDTESTLINEAGE\"}"
#define TEST_ROSTER                                                                                                    \
	"{\"Accounts\": ["                                                                                             \
	"{\"Name\": \"security\", \"Id\": \"111111111111\", \"Tags\": [\"security\"]},"                                \
	"{\"Name\": \"app-prod\", \"Id\": \"222222222222\", \"Tags\": [\"project\", \"prod\"]},"                       \
	"{\"Name\": \"app-test\", \"Id\": \"333333333333\", \"Tags\": [\"project\"],"                                  \
	" \"Regions\": {\"Exclude\": [\"us-*\"]}, \"Parameters\": {\"Owner\": \"team-t\"}}]}"

struct fixture {
	struct memory memory;
	struct specs_source source;
	struct schema_set *schemas;
	struct diag d;
	struct specs *specs;
	struct specs_options options;
};

static inline void fixture_begin(struct fixture *f, const struct memory_file *files, size_t count)
{
	*f = (struct fixture){.memory = {files, count}};
	f->source = (struct specs_source){memory_read, memory_list, &f->memory, NULL};
	assert_int_equal(schema_set_new(&f->schemas, &f->d), 0);
	for (size_t i = 0; i < sizeof test_types / sizeof *test_types; i++) {
		json_auto_t *type = json_loads(test_types[i], 0, NULL);

		assert_non_null(type);
		if (schema_set_add(f->schemas, "type", type, &f->d) != 0)
			fail_msg("%s", diag_first_error(&f->d));
	}
}

static inline void fixture_end(struct fixture *f)
{
	specs_free(f->specs);
	schema_set_free(f->schemas);
	diag_free(&f->d);
}

/* Every account has these; security also eu-west-3. */
static inline const char *const *test_regions(void *payload, const struct specs_account *account)
{
	static const char *const all[] = {"eu-central-1", "eu-west-1", "eu-west-3", "us-east-1", NULL};
	static const char *const most[] = {"eu-central-1", "eu-west-1", "us-east-1", NULL};

	(void)payload;
	return strcmp(account->name, "security") == 0 ? all : most;
}

static inline void print_all(const struct diag *d)
{
	diag_print(d, stderr, false);
}

static inline int fixture_load(struct fixture *f)
{
	return specs_load(&f->specs, &f->source, f->schemas, &f->options, &f->d);
}

static inline void fixture_expand(struct fixture *f)
{
	if (fixture_load(f) != 0 || specs_expand(f->specs, test_regions, NULL, NULL, &f->d) != 0) {
		print_all(&f->d);
		fail_msg("loading failed");
	}
}

static inline struct specs_instance *instance_at(const struct fixture *f, const char *address)
{
	for (size_t i = 0; i < f->specs->instance_count; i++)
		if (strcmp(f->specs->instances[i]->address, address) == 0)
			return f->specs->instances[i];
	return NULL;
}

static inline const struct specs_resource *resource_at(const struct specs_instance *instance, const char *logical_id)
{
	size_t count;
	struct specs_resource *list = specs_instance_resources(instance, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].logical_id, logical_id) == 0)
			return &list[i];
	return NULL;
}

/* Whether a message was added that reads so: file:line:column: path: text, with globs. */
static inline bool has_message(const struct diag *d, const char *pattern)
{
	for (size_t i = 0; i < d->count; i++) {
		mem_auto_str char *text = mem_printf(
		    "%s:%d:%d: %s: %s", d->items[i].file ? d->items[i].file : "", d->items[i].line, d->items[i].column,
		    d->items[i].json_path ? d->items[i].json_path : "", d->items[i].text);

		if (text_glob(pattern, text))
			return true;
	}
	return false;
}

static inline void expect_message(const struct diag *d, const char *pattern)
{
	if (!has_message(d, pattern)) {
		print_all(d);
		fail_msg("no message like: %s", pattern);
	}
}

static inline void expect_json(const json_t *value, const char *expected)
{
	json_auto_t *want = json_loads(expected, JSON_DECODE_ANY, NULL);
	mem_auto_str char *got = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;

	assert_non_null(want);
	if (value == NULL || !json_equal(value, want))
		fail_msg("got %s, expected %s", got ? got : "nothing", expected);
}

#endif
