/* See git.h. */
#include "state/git.h"

#include <git2.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static int git_failed(const char *what, const char *directory, struct diag *d)
{
	const git_error *error = git_error_last();

	return diag_error(d, "%s of %s: %s", what, directory, error == NULL ? "git gives no reason" : error->message);
}

/* The directory's path inside the work tree, "" for its top, without a slash at the end. NULL when it is outside. */
static char *path_inside(git_repository *repository, const char *directory)
{
	const char *top = git_repository_workdir(repository);
	char real[PATH_MAX], root[PATH_MAX];
	size_t len;

	if (top == NULL || realpath(directory, real) == NULL || realpath(top, root) == NULL)
		return NULL;
	len = strlen(root);
	if (strncmp(real, root, len) != 0 || (real[len] != '\0' && real[len] != '/'))
		return strcmp(root, "/") == 0 ? mem_strdup(real + 1) : NULL;
	return mem_strdup(real[len] == '/' ? real + len + 1 : "");
}

static void read_commit(struct state_git *out, git_repository *repository, const char *inside)
{
	char text[GIT_OID_HEXSZ + 1];
	git_object *commit = NULL;
	git_tree *top = NULL;
	git_tree_entry *entry = NULL;

	if (git_revparse_single(&commit, repository, "HEAD^{commit}") < 0)
		return;
	out->commit = mem_strdup(git_oid_tostr(text, sizeof text, git_object_id(commit)));
	if (inside != NULL && git_commit_tree(&top, (git_commit *)commit) == 0) {
		if (*inside == '\0')
			out->tree = mem_strdup(git_oid_tostr(text, sizeof text, git_tree_id(top)));
		else if (git_tree_entry_bypath(&entry, top, inside) == 0)
			out->tree = mem_strdup(git_oid_tostr(text, sizeof text, git_tree_entry_id(entry)));
	}
	git_tree_entry_free(entry);
	git_tree_free(top);
	git_object_free(commit);
}

/* What a plan is made from. Other files that stand in the directory (a saved plan, a README) make nothing dirty. */
static const char *const spec_paths[] = {"muster.json", "accounts.json", "stacks", "files"};
#define SPEC_PATHS (sizeof spec_paths / sizeof *spec_paths)

static int see_change(const char *path, unsigned flags, void *payload)
{
	bool *found = payload;

	(void)path;
	if (flags == GIT_STATUS_CURRENT || (flags & GIT_STATUS_IGNORED))
		return 0;
	*found = true;
	return 1;
}

static int read_dirt(struct state_git *out, git_repository *repository, const char *inside, const char *directory,
		     struct diag *d)
{
	git_status_options options;
	char *paths[SPEC_PATHS];
	int rc;

	if (git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION) < 0)
		return git_failed("the git status", directory, d);
	options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH |
			GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
	for (size_t i = 0; i < SPEC_PATHS; i++)
		paths[i] = mem_printf("%s%s%s", inside, *inside == '\0' ? "" : "/", spec_paths[i]);
	options.pathspec.strings = paths;
	options.pathspec.count = SPEC_PATHS;
	rc = git_status_foreach_ext(repository, &options, see_change, &out->dirty);
	for (size_t i = 0; i < SPEC_PATHS; i++)
		free(paths[i]);
	return rc < 0 && !out->dirty ? git_failed("the git status", directory, d) : 0;
}

int state_git_facts(struct state_git *out, const char *directory, struct diag *d)
{
	git_repository *repository = NULL;
	mem_auto_str char *inside = NULL;
	int rc;

	*out = (struct state_git){0};
	git_libgit2_init();
	rc = git_repository_open_ext(&repository, directory, 0, NULL);
	if (rc == GIT_ENOTFOUND) {
		git_libgit2_shutdown();
		return 0;
	}
	if (rc < 0) {
		rc = git_failed("the git repository", directory, d);
		git_libgit2_shutdown();
		return rc;
	}
	out->repository = true;
	inside = path_inside(repository, directory);
	read_commit(out, repository, inside);
	rc = inside == NULL ? 0 : read_dirt(out, repository, inside, directory, d);
	/* Specs that no commit has are as unreviewed as edited ones. */
	if (out->commit == NULL || out->tree == NULL)
		out->dirty = true;
	git_repository_free(repository);
	git_libgit2_shutdown();
	if (rc < 0)
		state_git_free(out);
	return rc;
}

void state_git_free(struct state_git *git)
{
	free(git->commit);
	free(git->tree);
	*git = (struct state_git){0};
}
