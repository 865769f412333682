/* See committed.h. */
#include "cli/committed.h"

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
