/* Feeds a whole spec directory to the specs room: loads, expands, evaluates, resolves and digests. The input is a list
 * of files, each after a line "=== PATH"; what comes before the first such line is taken for stacks/s.json, and
 * muster.json and accounts.json are there if the input has none. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "specs/specs.h"

#define FILES_MAX 16

struct memory_file {
	char *path, *text;
	size_t len;
};

struct memory {
	struct memory_file files[FILES_MAX];
	size_t count;
};

static void file_add(struct memory *memory, const char *path, size_t path_len, const char *text, size_t len)
{
	if (memory->count < FILES_MAX)
		memory->files[memory->count++] =
		    (struct memory_file){mem_strndup(path, path_len), mem_strndup(text, len), len};
}

static const struct memory_file *file_find(const struct memory *memory, const char *path)
{
	for (size_t i = 0; i < memory->count; i++)
		if (strcmp(memory->files[i].path, path) == 0)
			return &memory->files[i];
	return NULL;
}

static void files_split(struct memory *memory, const char *text, size_t len)
{
	const char *path = "stacks/s.json", *end = text + len;
	size_t path_len = strlen(path);

	while (text < end) {
		const char *next = memmem(text, (size_t)(end - text), "=== ", 4), *line;

		if (next == NULL || next > text)
			file_add(memory, path, path_len, text, (size_t)((next != NULL ? next : end) - text));
		if (next == NULL)
			return;
		line = memchr(next, '\n', (size_t)(end - next));
		if (line == NULL)
			return;
		path = next + 4;
		path_len = (size_t)(line - path);
		text = line + 1;
	}
}

static int memory_read(void *payload, const char *path, char **text, size_t *len, struct diag *d)
{
	const struct memory_file *file = file_find(payload, path);

	(void)d;
	if (file == NULL)
		return -ENOENT;
	*text = mem_strndup(file->text, file->len);
	*len = file->len;
	return 0;
}

static int memory_list(void *payload, const char *folder, char ***names, struct diag *d)
{
	const struct memory *memory = payload;
	size_t used = 0, len = strlen(folder);

	(void)d;
	*names = mem_array(memory->count + 1, sizeof **names);
	for (size_t i = 0; i < memory->count; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again = again || strcmp(memory->files[k].path, memory->files[i].path) == 0;
		if (!again && strncmp(memory->files[i].path, folder, len) == 0 && memory->files[i].path[len] == '/')
			(*names)[used++] = mem_strdup(memory->files[i].path + len + 1);
	}
	return 0;
}

static const char topic_type[] =
    "{\"Type\": \"T::Topic\", \"Service\": \"sns\", \"Ref\": \"Arn\", \"Identity\": \"${Name}\","
    "\"Name\": {\"Property\": \"Name\", \"Allowed\": \"A-Za-z0-9_-\", \"Max\": 40},"
    "\"Properties\": {\"Name\": {\"Type\": \"String\", \"Required\": true}, \"V\": {\"Type\": \"Json\", \"MaxBytes\": "
    "500},"
    "\"S\": {\"Type\": \"String\", \"Pattern\": \"[a-z]*\"}, \"N\": {\"Type\": \"Number\", \"Maximum\": 9},"
    "\"L\": {\"Type\": \"List\", \"MaxLength\": 4, \"Item\": {\"Type\": \"String\"}},"
    "\"M\": {\"Type\": \"Map\", \"Item\": {\"Type\": \"Boolean\"}},"
    "\"O\": {\"Type\": \"Object\", \"Properties\": {\"A\": {\"Type\": \"Integer\", \"Required\": true}}}},"
    "\"Attributes\": {\"Arn\": {}, \"Path\": {\"Predict\": \"${AWS::Region}/${Name}\"}}}";

static const char settings[] = "{\"Version\": 1, \"HomeRegion\": \"eu-west-1\"}";
static const char roster[] = "{\"Accounts\": [{\"Name\": \"a\", \"Id\": \"111111111111\", \"Tags\": [\"x\"]},"
			     "{\"Name\": \"b\", \"Id\": \"222222222222\"}]}";

static const char *const *two_regions(void *payload, const struct specs_account *account)
{
	static const char *const regions[] = {"eu-west-1", "us-east-1", NULL};

	(void)payload;
	(void)account;
	return regions;
}

static json_t *some_attribute(void *payload, const char *address, const char *attribute, struct diag *d)
{
	(void)payload;
	(void)address;
	(void)d;
	return json_string(attribute);
}

static json_t *some_secret(void *payload, const json_t *source, const char *hmac, struct diag *d)
{
	(void)payload;
	(void)source;
	(void)d;
	return json_string(hmac);
}

static void evaluate_all(struct specs *specs, struct diag *d)
{
	static const struct specs_values values = {some_attribute, some_secret, NULL};

	specs_check(specs, d);
	for (size_t i = 0; i < specs->instance_count; i++) {
		size_t count;
		struct specs_resource *list;

		if (specs_evaluate(specs, specs->instances[i], NULL, d) != 0)
			continue;
		list = specs_instance_resources(specs->instances[i], &count);
		for (size_t k = 0; k < count; k++) {
			json_t *out = NULL;

			specs_resolve(&out, list[k].properties, &values, d);
			json_decref(out);
		}
		if (i % 2 == 0)
			specs_instance_release(specs->instances[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t key[] = "key";
	struct memory memory = {.count = 0};
	struct specs_source source = {memory_read, memory_list, &memory, NULL};
	struct specs_options options = {NULL, 0, "LINEAGE", size % 2 ? key : NULL, 3};
	struct schema_set *schemas;
	struct specs *specs = NULL;
	struct diag d = DIAG_INIT;
	json_t *type = json_loads(topic_type, 0, NULL);

	files_split(&memory, (const char *)bytes, size);
	if (file_find(&memory, "muster.json") == NULL)
		file_add(&memory, "muster.json", strlen("muster.json"), settings, strlen(settings));
	if (file_find(&memory, "accounts.json") == NULL)
		file_add(&memory, "accounts.json", strlen("accounts.json"), roster, strlen(roster));
	schema_set_new(&schemas, &d);
	if (schema_set_add(schemas, "type", type, &d) != 0)
		abort();
	if (specs_load(&specs, &source, schemas, &options, &d) == 0) {
		if (d.errors > 0)
			abort();
		if (specs_expand(specs, two_regions, NULL, NULL, &d) == 0)
			evaluate_all(specs, &d);
	} else if (d.errors == 0) {
		abort(); /* failed without a word */
	}
	specs_free(specs);
	schema_set_free(schemas);
	json_decref(type);
	for (size_t i = 0; i < memory.count; i++) {
		free(memory.files[i].path);
		free(memory.files[i].text);
	}
	diag_free(&d);
	return 0;
}
