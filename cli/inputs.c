/* See inputs.h. */
#include "cli/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define FILE_MAX    JSON_DOC_MAX_BYTES /* as for a file in the spec directory */
#define NAMES_SHOWN 10

/* -- Sets ---------------------------------------------------------------------------------------------------------- */

static void input_free(void *value)
{
	struct input *input = value;

	free(input->bytes);
	free(input);
}

void inputs_start(struct inputs *inputs)
{
	*inputs = (struct inputs){.digests = json_object()};
}

void inputs_free(struct inputs *inputs)
{
	map_free(&inputs->files, input_free);
	json_decref(inputs->digests);
	inputs->digests = NULL;
}

static void digest_of(char hex[65], const void *bytes, size_t len)
{
	uint8_t digest[32];

	text_sha256(digest, bytes, len);
	text_hex(hex, digest, sizeof digest);
}

void inputs_put(struct inputs *inputs, const char *path, const void *bytes, size_t len)
{
	struct input *input = mem_alloc(sizeof *input), *before;
	char hex[65];

	input->bytes = mem_alloc(len + 1);
	input->len = len;
	if (len > 0)
		memcpy(input->bytes, bytes, len);
	digest_of(hex, bytes, len);
	json_object_set_new(inputs->digests, path, json_string(hex));
	before = map_set(&inputs->files, path, input);
	if (before != NULL)
		input_free(before);
}

const struct input *inputs_get(const struct inputs *inputs, const char *path)
{
	return map_get(&inputs->files, path);
}

struct apply_input *inputs_list(const struct inputs *inputs, size_t *count)
{
	struct apply_input *list = mem_array(inputs->files.count + 1, sizeof *list);

	*count = 0;
	for (size_t i = 0; i < inputs->files.count; i++) {
		const struct map_entry *entry = &inputs->files.entries[i];
		const struct input *input = entry->value;

		if (entry->key != NULL)
			list[(*count)++] = (struct apply_input){entry->key, input->bytes, input->len};
	}
	return list;
}

/* -- Sources ------------------------------------------------------------------------------------------------------- */

static int set_read(void *payload, const char *path, char **text, size_t *len, struct diag *d)
{
	const struct input *input = inputs_get(payload, path);

	(void)d;
	if (input == NULL)
		return -ENOENT;
	*text = mem_alloc(input->len + 1);
	memcpy(*text, input->bytes, input->len + 1);
	*len = input->len;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int set_list(void *payload, const char *folder, char ***names, struct diag *d)
{
	const struct inputs *inputs = payload;
	size_t len = strlen(folder), count = 0;

	(void)d;
	*names = mem_array(inputs->files.live + 1, sizeof **names);
	for (size_t i = 0; i < inputs->files.count; i++) {
		const char *path = inputs->files.entries[i].key;

		if (path != NULL && strncmp(path, folder, len) == 0 && path[len] == '/' &&
		    strchr(path + len + 1, '/') == NULL)
			(*names)[count++] = mem_strdup(path + len + 1);
	}
	if (count > 0)
		qsort(*names, count, sizeof **names, compare_names);
	return 0;
}

void inputs_source(struct specs_source *out, const struct inputs *inputs)
{
	*out = (struct specs_source){.read = set_read, .list = set_list, .payload = (void *)inputs};
}

static int tree_read(void *payload, const char *path, char **text, size_t *len, struct diag *d)
{
	return state_git_tree_read(payload, path, FILE_MAX, text, len, d);
}

static int tree_list(void *payload, const char *folder, char ***names, struct diag *d)
{
	return state_git_tree_list(payload, folder, names, d);
}

void inputs_tree_source(struct specs_source *out, struct state_git_tree *tree)
{
	*out = (struct specs_source){.read = tree_read, .list = tree_list, .payload = tree};
}

static int layers_read(void *payload, const char *path, char **text, size_t *len, struct diag *d)
{
	const struct inputs_layers *layers = payload;
	int result;

	if (layers->over != NULL && inputs_get(layers->over, path) != NULL)
		return set_read((void *)layers->over, path, text, len, d);
	result = layers->under->read(layers->under->payload, path, text, len, d);
	if (result == 0)
		inputs_put(layers->remember, path, *text, *len);
	return result;
}

static int layers_read_secret(void *payload, const char *path, char **text, size_t *len, struct diag *d)
{
	const struct inputs_layers *layers = payload;

	return layers->secrets->read(layers->secrets->payload, path, text, len, d);
}

static int layers_list(void *payload, const char *folder, char ***names, struct diag *d)
{
	const struct inputs_layers *layers = payload;

	return layers->under->list(layers->under->payload, folder, names, d);
}

void inputs_layers_source(struct specs_source *out, struct inputs_layers *layers)
{
	*out = (struct specs_source){layers_read, layers_list, layers, layers_read_secret};
}

/* -- Finding them again -------------------------------------------------------------------------------------------- */

/* 1 when the blob is there, 0, -1. */
static int take_blob(struct inputs *out, const char *path, const char *hex, struct state_txn *txn, struct diag *d)
{
	uint8_t digest[32];
	const void *bytes;
	size_t len;
	int found;

	if (hex == NULL || text_hex_decode(digest, sizeof digest, hex) < 0)
		return diag_error(d, "%s: what should be its hash is none", path);
	found = state_blob_get(txn, digest, &bytes, &len, d);
	if (found == 1)
		inputs_put(out, path, bytes, len);
	return found;
}

int inputs_load(struct inputs *out, const json_t *digests, const char *what, struct state_txn *txn, struct diag *d)
{
	const char *path;
	json_t *hex;

	inputs_start(out);
	json_object_foreach((json_t *)digests, path, hex)
	{
		int found = take_blob(out, path, json_string_value(hex), txn, d);

		if (found == 0)
			diag_error(d,
				   "the state does not hold %s as %s had it: the state is damaged (muster state "
				   "verify tells more)",
				   path, what);
		if (found != 1) {
			inputs_free(out);
			return -1;
		}
	}
	return 0;
}

/* Takes a file from a source if its bytes are the ones. What a source cannot read is only not found there. */
static bool take_same(struct inputs *out, const char *path, const char *hex, const struct specs_source *source)
{
	struct diag ignored = DIAG_INIT;
	char *text = NULL, own[65];
	size_t len = 0;
	bool same = false;

	if (source->read(source->payload, path, &text, &len, &ignored) == 0) {
		digest_of(own, text, len);
		same = hex != NULL && strcmp(own, hex) == 0;
		if (same)
			inputs_put(out, path, text, len);
		free(text);
	}
	diag_free(&ignored);
	return same;
}

/* Those of `digests` that are in the source and not in `out` yet. */
static void take_all(struct inputs *out, const json_t *digests, const struct specs_source *source)
{
	const char *path;
	json_t *hex;

	json_object_foreach((json_t *)digests, path, hex)
	{
		if (inputs_get(out, path) == NULL)
			take_same(out, path, json_string_value(hex), source);
	}
}

static void take_from_directory(struct inputs *out, const json_t *digests, const char *directory)
{
	struct diag ignored = DIAG_INIT;
	struct specs_source source;

	if (specs_source_directory(&source, directory, &ignored) == 0) {
		take_all(out, digests, &source);
		specs_source_free(&source);
	}
	diag_free(&ignored);
}

static void take_from_git(struct inputs *out, const json_t *digests, const char *directory, const char *commit)
{
	struct state_git_tree *tree = NULL;
	struct diag ignored = DIAG_INIT;
	struct specs_source source;

	if (state_git_tree_open(&tree, directory, commit, &ignored) == 0) {
		inputs_tree_source(&source, tree);
		take_all(out, digests, &source);
	}
	state_git_tree_free(tree);
	diag_free(&ignored);
}

static int take_from_state(struct inputs *out, const json_t *digests, struct state *state, struct diag *d)
{
	struct state_txn *txn = NULL;
	const char *path;
	json_t *hex;
	int result = state_begin(&txn, state, false, d);

	json_object_foreach((json_t *)digests, path, hex)
	{
		if (result == 0 && inputs_get(out, path) == NULL &&
		    take_blob(out, path, json_string_value(hex), txn, d) < 0)
			result = -1;
	}
	state_abort(txn);
	return result;
}

static int missing_error(const struct inputs *found, const json_t *digests, const char *commit, struct diag *d)
{
	buf_auto struct buf names = BUF_INIT;
	size_t count = 0;
	const char *path;
	json_t *hex;

	json_object_foreach((json_t *)digests, path, hex)
	{
		if (inputs_get(found, path) == NULL && count++ < NAMES_SHOWN)
			buf_addf(&names, "%s%s", count > 1 ? ", " : "", path);
	}
	if (count > NAMES_SHOWN)
		buf_addf(&names, " and %zu more", count - NAMES_SHOWN);
	return diag_error(d,
			  "the plan was made from files that are not to be found as they were then, neither in the "
			  "spec directory nor in %s%s nor in the state: %s; put them back as they were, or make a "
			  "new plan",
			  commit != NULL ? "commit " : "git", commit != NULL ? commit : "", buf_str(&names));
}

int inputs_find(struct inputs *out, const json_t *digests, const char *directory, const char *commit,
		struct state *state, struct diag *d)
{
	size_t wanted = json_object_size(digests);
	int result = 0;

	inputs_start(out);
	take_from_directory(out, digests, directory);
	if (out->files.live < wanted && commit != NULL)
		take_from_git(out, digests, directory, commit);
	if (out->files.live < wanted)
		result = take_from_state(out, digests, state, d);
	if (result == 0 && out->files.live < wanted)
		result = missing_error(out, digests, commit, d);
	if (result < 0)
		inputs_free(out);
	return result;
}
