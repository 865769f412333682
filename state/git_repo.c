/* Opening the repository around a spec directory and finding commits in it; see git_private.h. */
#include "state/git_private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

static const char *reason(void)
{
	const git_error *error = git_error_last();

	return error == NULL || error->message == NULL ? "git gives no reason" : error->message;
}

int repo_failed(const struct repo *repo, const char *what, struct diag *d)
{
	return diag_error(d, "%s in %s: %s", what, repo->directory, reason());
}

/* The directory's path inside the work tree, "" for its top, without a slash at the end. NULL when it is outside. */
static char *path_inside(git_repository *git, const char *directory)
{
	const char *top = git_repository_workdir(git);
	char real[PATH_MAX], root[PATH_MAX];
	size_t len;

	if (top == NULL || realpath(directory, real) == NULL || realpath(top, root) == NULL)
		return NULL;
	len = strlen(root);
	if (strncmp(real, root, len) != 0 || (real[len] != '\0' && real[len] != '/'))
		return strcmp(root, "/") == 0 ? mem_strdup(real + 1) : NULL;
	return mem_strdup(real[len] == '/' ? real + len + 1 : "");
}

/* Two extensions change nothing for who reads objects and writes a note: settings of one worktree alone (which `git
 * sparse-checkout` turns on), and objects that were not fetched (`git clone --filter`), which are then missed by name.
 * libgit2 1.5 would refuse such repositories. The setting lasts until the last git_libgit2_shutdown(). */
static void allow_extensions(void)
{
	const char *extensions[] = {"worktreeconfig", "partialclone"};

	git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, extensions, sizeof extensions / sizeof *extensions);
}

/* Where there is a repository that libgit2 does not open because of its owner: the path that safe.directory takes.
 * libgit2 1.5 says GIT_ENOTFOUND for such a one where no safe.directory is set at all. Free with free(). */
static char *path_not_trusted(const char *directory, int rc)
{
	git_buf found = GIT_BUF_INIT;
	char *at;

	if (git_repository_discover(&found, directory, 0, NULL) < 0 && rc != GIT_EOWNER)
		return NULL;
	git_buf_dispose(&found);
	/* The top of the work tree is where .git is, a directory or (worktrees, submodules) a file. */
	at = realpath(directory, NULL);
	while (at != NULL && *at != '\0') {
		mem_auto_str char *git = mem_printf("%s/.git", at);

		if (access(git, F_OK) == 0)
			return at;
		*strrchr(at, '/') = '\0';
	}
	free(at);
	return mem_strdup(directory);
}

int repo_open(struct repo *out, const char *directory, struct diag *d)
{
	mem_auto_str char *distrusted = NULL;
	int rc;

	*out = (struct repo){.directory = directory};
	git_libgit2_init();
	allow_extensions();
	rc = git_repository_open_ext(&out->git, directory, 0, NULL);
	if (rc == GIT_ENOTFOUND || rc == GIT_EOWNER)
		distrusted = path_not_trusted(directory, rc);
	out->distrusted = distrusted != NULL;
	if (out->distrusted)
		return diag_error(
		    d,
		    "the git repository %s belongs to another user, and git does not trust it; if you do: "
		    "git config --global --add safe.directory %s",
		    distrusted, distrusted);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc < 0)
		return repo_failed(out, "the git repository cannot be opened", d);
	out->inside = path_inside(out->git, directory);
	return 1;
}

int repo_open_specs(struct repo *out, const char *directory, struct diag *d)
{
	int rc = repo_open(out, directory, d);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return diag_error(d,
				  "%s is in no git repository; muster init makes one there, or git init, and the specs "
				  "have to be committed",
				  directory);
	if (out->inside == NULL)
		return diag_error(d, "%s is not in the work tree of its git repository%s", directory,
				  git_repository_is_bare(out->git) ? ", which is a bare one: use a clone of it" : "");
	return 0;
}

void repo_close(struct repo *repo)
{
	git_repository_free(repo->git);
	free(repo->inside);
	*repo = (struct repo){0};
	git_libgit2_shutdown();
}

static int commit_missing(const struct repo *repo, const char *revision, int rc, struct diag *d)
{
	if (git_repository_head_unborn(repo->git) == 1 &&
	    (text_starts(revision, "HEAD") || git_repository_is_empty(repo->git) == 1))
		return diag_error(d, "%s: the git repository of %s has no commit yet; git add and git commit the specs",
				  revision, repo->directory);
	if (rc == GIT_EAMBIGUOUS)
		return diag_error(d, "%s: more than one commit begins with it; give more of its digits", revision);
	if (rc == GIT_EINVALIDSPEC || rc == GIT_EPEEL || rc == GIT_EINVALID)
		return diag_error(d,
				  "%s names no commit: give a branch, a tag, HEAD~2 or the like, or the commit's "
				  "digits",
				  revision);
	if (rc != GIT_ENOTFOUND)
		return diag_error(d, "%s cannot be read in %s: %s", revision, repo->directory, reason());
	if (git_repository_is_shallow(repo->git) == 1)
		return diag_error(d, "%s is not in %s, a shallow clone without its whole history; " REPO_SHALLOW_HINT,
				  revision, repo->directory);
	return diag_error(d,
			  "%s: the git repository of %s has no such revision; git log shows what it has, git fetch "
			  "gets what others pushed",
			  revision, repo->directory);
}

int repo_commit(git_commit **out, const struct repo *repo, const char *revision, struct diag *d)
{
	git_object *object = NULL;
	int rc = git_revparse_single(&object, repo->git, revision);

	*out = NULL;
	if (rc == 0)
		rc = git_object_peel((git_object **)out, object, GIT_OBJECT_COMMIT);
	git_object_free(object);
	return rc < 0 ? commit_missing(repo, revision, rc, d) : 0;
}

int repo_specs_tree(git_oid *out, const struct repo *repo, const git_commit *commit, struct diag *d)
{
	git_tree *top = NULL;
	git_tree_entry *entry = NULL;
	int rc = git_commit_tree(&top, commit);

	if (rc == 0 && *repo->inside == '\0') {
		git_oid_cpy(out, git_tree_id(top));
		rc = 1;
	} else if (rc == 0) {
		rc = git_tree_entry_bypath(&entry, top, repo->inside);
		if (rc == 0 && git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
			git_oid_cpy(out, git_tree_entry_id(entry));
			rc = 1;
		} else if (rc == 0 || rc == GIT_ENOTFOUND) {
			rc = 0;
		}
	}
	git_tree_entry_free(entry);
	git_tree_free(top);
	return rc < 0 ? repo_failed(repo, "a commit cannot be read", d) : rc;
}
