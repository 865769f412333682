/* See git.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "state/git_private.h"

static int read_commit(struct state_git *out, const struct repo *repo, struct diag *d)
{
	char text[GIT_OID_HEXSZ + 1];
	git_object *commit = NULL;
	git_oid tree;
	int rc;

	if (git_revparse_single(&commit, repo->git, "HEAD^{commit}") < 0)
		return 0;
	out->commit = mem_strdup(git_oid_tostr(text, sizeof text, git_object_id(commit)));
	rc = repo->inside == NULL ? 0 : repo_specs_tree(&tree, repo, (git_commit *)commit, d);
	if (rc == 1)
		out->tree = mem_strdup(git_oid_tostr(text, sizeof text, &tree));
	git_object_free(commit);
	return rc < 0 ? -1 : 0;
}

/* What a plan is made from. Other files that stand in the directory (a saved plan, a README) make nothing dirty. */
static const char *const spec_paths[] = {"muster.json", "accounts.json", "stacks", "files"};
#define SPEC_PATHS (sizeof spec_paths / sizeof *spec_paths)

struct dirt {
	struct state_git *out;
	size_t prefix; /* bytes of the spec directory's path and its slash */
};

/* What is ignored (a build's leavings in files/) is no part of the specs, except where it is read like them. */
static bool is_read_though_ignored(const char *path)
{
	if (text_starts(path, "stacks/"))
		return path[7] != '.' && strchr(path + 7, '/') == NULL && text_ends(path, ".json");
	return strcmp(path, "muster.json") == 0 || strcmp(path, "accounts.json") == 0;
}

static int see_change(const char *path, unsigned flags, void *payload)
{
	struct dirt *dirt = payload;
	struct state_git *out = dirt->out;

	path += strlen(path) < dirt->prefix ? 0 : dirt->prefix;
	if (flags == GIT_STATUS_CURRENT || ((flags & GIT_STATUS_IGNORED) && !is_read_though_ignored(path)))
		return 0;
	out->dirty = true;
	if (out->dirty_count < STATE_GIT_DIRTY_SHOWN)
		out->dirty_paths[out->dirty_count] = mem_strdup(path);
	out->dirty_count++;
	return 0;
}

static int read_dirt(struct state_git *out, const struct repo *repo, struct diag *d)
{
	const char *slash = *repo->inside == '\0' ? "" : "/";
	struct dirt dirt = {out, strlen(repo->inside) + strlen(slash)};
	git_status_options options;
	char *paths[SPEC_PATHS];
	int rc;

	if (git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION) < 0)
		return repo_failed(repo, "git status", d);
	options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
			GIT_STATUS_OPT_INCLUDE_IGNORED | GIT_STATUS_OPT_RECURSE_IGNORED_DIRS |
			GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH | GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
	for (size_t i = 0; i < SPEC_PATHS; i++)
		paths[i] = mem_printf("%s%s%s", repo->inside, slash, spec_paths[i]);
	options.pathspec.strings = paths;
	options.pathspec.count = SPEC_PATHS;
	rc = git_status_foreach_ext(repo->git, &options, see_change, &dirt);
	for (size_t i = 0; i < SPEC_PATHS; i++)
		free(paths[i]);
	return rc < 0 ? repo_failed(repo, "git status", d) : 0;
}

/* Who may read the specs may plan from them; only what depends on a commit has to do without. */
static int open_failed(struct state_git *out, const struct repo *repo, const struct diag *why, struct diag *d)
{
	if (!repo->distrusted)
		return diag_error(d, "%s", diag_first_error(why));
	diag_warning(d, "%s", diag_first_error(why));
	out->repository = out->distrusted = out->dirty = true;
	return 0;
}

int state_git_facts(struct state_git *out, const char *directory, struct diag *d)
{
	struct diag why = DIAG_INIT;
	struct repo repo;
	int rc = repo_open(&repo, directory, &why);

	*out = (struct state_git){0};
	if (rc < 0) {
		rc = open_failed(out, &repo, &why, d);
	} else if (rc > 0) {
		out->repository = true;
		rc = read_commit(out, &repo, d);
		if (rc == 0 && repo.inside != NULL)
			rc = read_dirt(out, &repo, d);
		/* Specs that no commit has are as unreviewed as edited ones. */
		if (out->commit == NULL || out->tree == NULL)
			out->dirty = true;
	}
	repo_close(&repo);
	diag_free(&why);
	if (rc < 0)
		state_git_free(out);
	return rc;
}

void state_git_free(struct state_git *git)
{
	free(git->commit);
	free(git->tree);
	for (size_t i = 0; i < git->dirty_count && i < STATE_GIT_DIRTY_SHOWN; i++)
		free(git->dirty_paths[i]);
	*git = (struct state_git){0};
}

static bool is_in_history(const struct repo *repo, const char *commit, const char *head)
{
	git_oid id, head_id;

	if (git_oid_fromstr(&id, commit) < 0 || git_oid_fromstr(&head_id, head) < 0)
		return false;
	return git_oid_equal(&id, &head_id) || git_graph_descendant_of(repo->git, &head_id, &id) == 1;
}

int state_git_landed(char **out, const char *directory, const char *commit, const char *tree, struct diag *d)
{
	struct state_git now = {0};
	struct repo repo;
	int rc = repo_open(&repo, directory, d);

	*out = NULL;
	if (rc > 0)
		rc = read_commit(&now, &repo, d);
	if (rc == 0 && now.tree != NULL && strcmp(now.tree, tree) == 0 && !is_in_history(&repo, commit, now.commit)) {
		*out = now.commit;
		now.commit = NULL;
	}
	state_git_free(&now);
	repo_close(&repo);
	return rc < 0 ? -1 : 0;
}
