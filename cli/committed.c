/* See committed.h. */
#include "cli/committed.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
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

/* 1 when the commit has a file of that path. Whether its bytes are the same is git's to say, which knows of line ends
 * and of what is kept outside. */
static int is_in(struct state_git_tree *tree, const char *path)
{
	struct diag ignored = DIAG_INIT;
	char *text = NULL;
	size_t len;
	int rc = state_git_tree_read(tree, path, SIZE_MAX, &text, &len, &ignored);

	free(text);
	diag_free(&ignored);
	return rc != -ENOENT;
}

int committed_inputs(struct cli *cli, const struct inputs *inputs, const char *commit)
{
	struct state_git_tree *tree = NULL;
	int all = 1;

	if (state_git_tree_open(&tree, cli->directory, commit, &cli->diag) < 0)
		return -1;
	for (size_t i = 0; i < inputs->files.count; i++) {
		const char *path = inputs->files.entries[i].key;

		if (path == NULL || is_in(tree, path))
			continue;
		diag_warning(&cli->diag, "%s is in no commit: git ignores it (git check-ignore -v says why)", path);
		all = 0;
	}
	state_git_tree_free(tree);
	return all;
}
