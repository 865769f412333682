/* See committed.h. */
#include "cli/committed.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/words.h"

#define OR_ALLOW_DIRTY "; or apply with --allow-dirty, which the generation records"

static void add_paths(struct buf *out, const struct state_git *git)
{
	for (size_t i = 0; i < git->dirty_count && i < STATE_GIT_DIRTY_SHOWN; i++) {
		buf_adds(out, i == 0 ? "" : ", ");
		words_plain(out, git->dirty_paths[i]);
	}
	if (git->dirty_count > STATE_GIT_DIRTY_SHOWN)
		buf_addf(out, " and %zu more", git->dirty_count - STATE_GIT_DIRTY_SHOWN);
}

static int refuse(struct cli *cli, const struct state_git *git)
{
	buf_auto struct buf command = BUF_INIT, paths = BUF_INIT;

	if (!git->repository) {
		words_muster(&command, cli->directory);
		return diag_error(&cli->diag,
				  "the specs in %s are in no git repository, where everybody could find what was "
				  "applied: \"%s init\" makes one (so does git init), then git add and git commit "
				  "them" OR_ALLOW_DIRTY,
				  cli->directory, buf_str(&command));
	}
	if (git->distrusted)
		return diag_error(&cli->diag, "whether the specs in %s are committed cannot be told" OR_ALLOW_DIRTY,
				  cli->directory);
	if (git->dirty_count == 0)
		return diag_error(&cli->diag,
				  "the specs in %s are in no commit of their git repository: git add and git commit "
				  "them" OR_ALLOW_DIRTY,
				  cli->directory);
	add_paths(&paths, git);
	return diag_error(&cli->diag, "not committed as %s now: %s; git add and git commit %s" OR_ALLOW_DIRTY,
			  git->dirty_count == 1 ? "it is" : "they are", buf_str(&paths),
			  git->dirty_count == 1 ? "it" : "them");
}

int committed_check(struct cli *cli)
{
	struct state_git git;
	int result = state_git_facts(&git, cli->directory, &cli->diag);

	if (result == 0 && (git.dirty || !git.repository))
		result = refuse(cli, &git);
	state_git_free(&git);
	return result;
}

int committed_check_plan(struct cli *cli, const struct plan *plan)
{
	if (plan->commit != NULL && !plan->dirty)
		return 0;
	if (plan->rollback > 0)
		return diag_error(&cli->diag,
				  "what generation %ju applied was in no commit; apply this rollback with "
				  "--allow-dirty, which its generation records",
				  (uintmax_t)plan->rollback);
	return diag_error(&cli->diag,
			  "the plan was made from specs that were in no commit: git add and git commit them and plan "
			  "again" OR_ALLOW_DIRTY);
}

/* -- What was read against what is committed ------------------------------------------------------------------------
 * Not by git status, which believes its index (git update-index --assume-unchanged), knows nothing of what is ignored,
 * and is asked only of the usual places: any file may be named by Muster::File or be an approver's key. */

struct comparison {
	struct state_git_tree *tree;
	const struct inputs *inputs;
	struct buf *out;
	json_t *paths; /* may be NULL */
	size_t count;
};

static void add_other(struct comparison *c, const char *path, const char *what)
{
	if (c->count++ >= STATE_GIT_DIRTY_SHOWN)
		return;
	if (c->paths != NULL)
		json_array_append_new(c->paths, json_string(path));
	buf_adds(c->out, c->count > 1 ? "; " : "");
	words_plain(c->out, path);
	buf_addf(c->out, " (%s)", what);
}

static void compare_file(struct comparison *c, const char *path, const struct input *input)
{
	struct diag why = DIAG_INIT;
	int same = state_git_tree_same(c->tree, path, input->bytes, input->len, &why);

	if (same == 0)
		add_other(c, path, "not as it is committed");
	else if (same == -ENOENT)
		add_other(c, path, "in no commit; git check-ignore -v says whether git ignores it");
	else if (same < 0)
		add_other(c, path, diag_first_error(&why));
	diag_free(&why);
}

/* A stack that is committed and was not read is as good as edited: it would be deleted. */
static int compare_stacks(struct comparison *c, struct diag *d)
{
	char **names = NULL;

	if (state_git_tree_list(c->tree, "stacks", &names, d) < 0)
		return -1;
	for (size_t i = 0; names[i] != NULL; i++) {
		mem_auto_str char *path = mem_printf("stacks/%s", names[i]);

		if (text_ends(path, ".json") && inputs_get(c->inputs, path) == NULL)
			add_other(c, path, "committed, and not there");
		free(names[i]);
	}
	free(names);
	return 0;
}

static void add_more(json_t *list, size_t all)
{
	mem_auto_str char *more =
	    all > STATE_GIT_DIRTY_SHOWN ? mem_printf("%zu more", all - STATE_GIT_DIRTY_SHOWN) : NULL;

	if (more != NULL)
		json_array_append_new(list, json_string(more));
}

static int find_others(struct buf *out, json_t *paths, const char *directory, const struct inputs *inputs,
		       const char *revision, struct diag *d)
{
	struct comparison c = {.inputs = inputs, .out = out, .paths = paths};
	struct diag ignored = DIAG_INIT;
	int result = state_git_tree_open(&c.tree, directory, revision, d);

	for (size_t i = 0; result == 0 && i < inputs->files.count; i++) {
		const struct map_entry *entry = &inputs->files.entries[i];

		if (entry->key != NULL)
			compare_file(&c, entry->key, entry->value);
	}
	/* Where the folder itself is a link or a submodule, each of its files has said so. */
	if (result == 0 && compare_stacks(&c, &ignored) < 0 && c.count == 0)
		result = diag_error(d, "%s", diag_first_error(&ignored));
	if (paths != NULL)
		add_more(paths, c.count);
	if (c.count > STATE_GIT_DIRTY_SHOWN)
		buf_addf(out, " and %zu more", c.count - STATE_GIT_DIRTY_SHOWN);
	diag_free(&ignored);
	state_git_tree_free(c.tree);
	return result < 0 ? -1 : c.count > 0;
}

json_t *committed_others(const struct state_git *git)
{
	json_t *list;

	if (!git->dirty || git->dirty_count == 0)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < git->dirty_count && i < STATE_GIT_DIRTY_SHOWN; i++)
		json_array_append_new(list, json_string(git->dirty_paths[i]));
	add_more(list, git->dirty_count);
	return list;
}

int committed_inputs(json_t **paths, struct cli *cli, const struct inputs *inputs, const char *revision)
{
	buf_auto struct buf others = BUF_INIT;
	json_auto_t *list = json_array();
	int result = find_others(&others, list, cli->directory, inputs, revision, &cli->diag);

	if (result == 1)
		diag_warning(&cli->diag, "this plan is of more than what is committed: %s", buf_str(&others));
	if (paths != NULL)
		*paths = result == 1 ? json_incref(list) : NULL;
	return result < 0 ? -1 : result == 0;
}

int committed_approved(struct cli *cli, const struct plan *plan, const struct inputs *inputs)
{
	buf_auto struct buf others = BUF_INIT;
	int result = plan->rollback > 0 ? 0 : find_others(&others, NULL, cli->directory, inputs, "HEAD", &cli->diag);

	if (result == 1)
		return diag_error(&cli->diag,
				  "this plan was made from files that are not those of its commit, so nobody can have "
				  "reviewed them: %s; commit, and make a new plan",
				  buf_str(&others));
	return result;
}

/* -- Reading what is committed ------------------------------------------------------------------------------------- */

static int read_disk(const char *directory, const char *path, char **text, size_t *len, struct diag *d)
{
	struct specs_source source;
	int result = specs_source_directory(&source, directory, d);

	if (result < 0)
		return -1;
	result = source.read(source.payload, path, text, len, d);
	specs_source_free(&source);
	return result == -ENOENT ? diag_error(d, "%s: there is no such file", path) : result;
}

int committed_read(const char *directory, const char *path, char **text, size_t *len, struct diag *d)
{
	struct diag ignored = DIAG_INIT;
	struct state_git_tree *tree = NULL;
	int result = -ENOENT;

	*text = NULL;
	if (state_git_tree_open(&tree, directory, "HEAD", &ignored) == 0)
		result = state_git_tree_read(tree, path, JSON_DOC_MAX_BYTES, text, len, d);
	state_git_tree_free(tree);
	diag_free(&ignored);
	return result == -ENOENT ? read_disk(directory, path, text, len, d) : result;
}
