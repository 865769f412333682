/* Inputs: the files that specs are made from, remembered, laid over each other, and found again by their hashes. */
#include "test_git_common.h"

#include <errno.h>

#include "base/json.h"
#include "cli/inputs.h"

static void put(struct inputs *inputs, const char *path, const char *text)
{
	inputs_put(inputs, path, text, strlen(text));
}

/* What a source gives for a path, "(none)" or "(refused)". Free with free(). */
static char *given(const struct specs_source *source, const char *path)
{
	struct diag d = DIAG_INIT;
	char *text = NULL;
	size_t len = 0;
	int result = source->read(source->payload, path, &text, &len, &d);

	diag_free(&d);
	if (result == 0)
		assert_int_equal(strlen(text), len);
	return result == 0 ? text : mem_strdup(result == -ENOENT ? "(none)" : "(refused)");
}

static void gives(const struct specs_source *source, const char *path, const char *wanted)
{
	mem_auto_str char *text = given(source, path);

	assert_string_equal(text, wanted);
}

static void lists(const struct specs_source *source, const char *folder, const char *wanted)
{
	buf_auto struct buf all = BUF_INIT;
	struct diag d = DIAG_INIT;
	char **names = NULL;

	assert_int_equal(source->list(source->payload, folder, &names, &d), 0);
	for (size_t i = 0; names[i] != NULL; i++) {
		buf_addf(&all, "%s ", names[i]);
		free(names[i]);
	}
	free(names);
	assert_string_equal(buf_str(&all), wanted);
}

static void has_digest(const struct inputs *inputs, const char *path, const char *text)
{
	uint8_t digest[32];
	char hex[65];

	text_sha256(digest, text, strlen(text));
	text_hex(hex, digest, sizeof digest);
	assert_string_equal(json_get_string(inputs->digests, path), hex);
}

static void a_set_is_a_source(void **in)
{
	struct specs_source source;
	struct inputs inputs;

	(void)in;
	inputs_start(&inputs);
	put(&inputs, "stacks/b.json", "b");
	put(&inputs, "stacks/a.json", "first");
	put(&inputs, "stacks/a.json", "a");
	put(&inputs, "stacks/deep/c.json", "c");
	put(&inputs, "stacks2/d.json", "d");
	put(&inputs, "empty", "");
	inputs_source(&source, &inputs);
	gives(&source, "stacks/a.json", "a");
	gives(&source, "empty", "");
	gives(&source, "stacks", "(none)");
	lists(&source, "stacks", "a.json b.json ");
	lists(&source, "files", "");
	has_digest(&inputs, "stacks/a.json", "a");
	assert_int_equal(json_object_size(inputs.digests), 5);
	inputs_free(&inputs);
}

static void layers_remember_what_lies_under(void **in)
{
	struct inputs over, under, secrets, remembered;
	struct specs_source under_source, secret_source, source;
	struct diag d = DIAG_INIT;
	char *text = NULL;
	size_t len, count;
	struct apply_input *list;

	(void)in;
	inputs_start(&over);
	inputs_start(&under);
	inputs_start(&secrets);
	inputs_start(&remembered);
	put(&over, "muster.json", "of today");
	put(&under, "muster.json", "of then");
	put(&under, "stacks/a.json", "a");
	put(&under, "stacks/b.json", "b");
	put(&secrets, "token", "sesame");
	inputs_source(&under_source, &under);
	inputs_source(&secret_source, &secrets);
	struct inputs_layers layers = {&over, &under_source, &secret_source, &remembered};

	inputs_layers_source(&source, &layers);
	gives(&source, "muster.json", "of today");
	gives(&source, "stacks/a.json", "a");
	gives(&source, "token", "(none)");
	lists(&source, "stacks", "a.json b.json ");
	assert_int_equal(source.read_secret(source.payload, "token", &text, &len, &d), 0);
	assert_string_equal(text, "sesame");
	free(text);
	list = inputs_list(&remembered, &count);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].path, "stacks/a.json");
	assert_memory_equal(list[0].bytes, "a", list[0].len);
	has_digest(&remembered, "stacks/a.json", "a");
	free(list);
	inputs_free(&over);
	inputs_free(&under);
	inputs_free(&secrets);
	inputs_free(&remembered);
}

/* -- Finding them again -------------------------------------------------------------------------------------------- */

static struct state *state_with(struct fixture *f, const char *text)
{
	mem_auto_str char *directory = mem_printf("%s/state", f->root);
	struct state_txn *txn;
	struct state *state;
	uint8_t digest[32];

	assert_int_equal(state_open(&state, directory, STATE_WRITE, &f->d), 0);
	assert_int_equal(state_begin(&txn, state, true, &f->d), 0);
	assert_int_equal(state_blob_put(txn, digest, text, strlen(text), &f->d), 0);
	assert_int_equal(state_commit(txn, &f->d), 0);
	return state;
}

static void found_in_directory_git_and_state(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL;
	struct inputs wanted, found = {0};
	struct specs_source source;
	struct state *state;

	make_repository(f);
	commit = output(f, "git -C repo rev-parse HEAD");
	run(f, "cd repo/deep/in/specs && echo new >stacks/a.json && echo here >files/here");
	state = state_with(f, "kept");
	inputs_start(&wanted);
	put(&wanted, "files/here", "here\n");
	put(&wanted, "stacks/a.json", "{}\n");
	put(&wanted, "files/gone", "kept");
	assert_int_equal(inputs_find(&found, wanted.digests, f->specs, commit, state, &f->d), 0);
	inputs_source(&source, &found);
	gives(&source, "files/here", "here\n");
	gives(&source, "stacks/a.json", "{}\n");
	gives(&source, "files/gone", "kept");
	assert_true(json_equal(found.digests, wanted.digests));
	inputs_free(&found);

	put(&wanted, "files/nowhere", "nowhere");
	assert_int_equal(inputs_find(&found, wanted.digests, f->specs, commit, state, &f->d), -1);
	assert_non_null(strstr(diag_first_error(&f->d), "nor in the state: files/nowhere; put them back"));
	assert_non_null(strstr(diag_first_error(&f->d), commit));
	diag_free(&f->d);
	assert_int_equal(inputs_find(&found, wanted.digests, f->specs, NULL, state, &f->d), -1);
	assert_non_null(strstr(diag_first_error(&f->d), "stacks/a.json, files/nowhere;"));
	state_close(state);
	inputs_free(&wanted);
}

static void paths_of_a_plan_lead_nowhere_else(void **in)
{
	struct fixture *f = *in;
	struct inputs wanted, found;
	struct state *state;

	make_repository(f);
	run(f, "echo outside >repo/deep/in/outside");
	state = state_with(f, "x");
	inputs_start(&wanted);
	put(&wanted, "../outside", "outside\n");
	assert_int_equal(inputs_find(&found, wanted.digests, f->specs, "HEAD", state, &f->d), -1);
	state_close(state);
	inputs_free(&wanted);
}

static void what_a_state_lost_is_said(void **in)
{
	struct fixture *f = *in;
	struct state *state = state_with(f, "x");
	struct inputs wanted, found;
	struct state_txn *txn;

	inputs_start(&wanted);
	put(&wanted, "muster.json", "x");
	assert_int_equal(state_begin(&txn, state, false, &f->d), 0);
	assert_int_equal(inputs_load(&found, wanted.digests, "generation 1", txn, &f->d), 0);
	inputs_free(&found);
	put(&wanted, "muster.json", "y");
	assert_int_equal(inputs_load(&found, wanted.digests, "generation 1", txn, &f->d), -1);
	assert_non_null(strstr(diag_first_error(&f->d), "does not hold muster.json as generation 1 had it"));
	diag_free(&f->d);
	json_object_set_new(wanted.digests, "muster.json", json_string("no hash"));
	assert_int_equal(inputs_load(&found, wanted.digests, "generation 1", txn, &f->d), -1);
	assert_non_null(strstr(diag_first_error(&f->d), "muster.json: what should be its hash is none"));
	state_abort(txn);
	state_close(state);
	inputs_free(&wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_set_is_a_source),
	    TEST(layers_remember_what_lies_under),
	    TEST(found_in_directory_git_and_state),
	    TEST(paths_of_a_plan_lead_nowhere_else),
	    TEST(what_a_state_lost_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
