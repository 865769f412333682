/* Every version of one file in the history of HEAD; see git.h. */
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "state/git_private.h"

#define COMMITS_MAX 20000 /* of a history; who looks for what was said once need not look for ever */

struct walk {
	struct repo repo;
	const char *name;
	struct map seen; /* ids of trees and of blobs, in hex */
	state_git_version_visit *visit;
	void *payload;
	struct diag *d;
};

static bool is_new(struct walk *w, const git_oid *id)
{
	char hex[GIT_OID_HEXSZ + 1];

	git_oid_tostr(hex, sizeof hex, id);
	if (map_has(&w->seen, hex))
		return false;
	map_set(&w->seen, hex, w);
	return true;
}

static int see_blob(struct walk *w, const git_oid *id)
{
	git_blob *blob = NULL;
	int result;

	if (!is_new(w, id) || git_blob_lookup(&blob, w->repo.git, id) < 0)
		return 0;
	result = w->visit(w->payload, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
	git_blob_free(blob);
	return result;
}

static int see_tree(struct walk *w, const git_oid *id)
{
	const git_tree_entry *entry;
	git_tree *tree = NULL;
	int result = 0;

	if (!is_new(w, id) || git_tree_lookup(&tree, w->repo.git, id) < 0)
		return 0;
	entry = git_tree_entry_byname(tree, w->name);
	if (entry != NULL && git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
		result = see_blob(w, git_tree_entry_id(entry));
	git_tree_free(tree);
	return result;
}

static int see_commit(struct walk *w, const git_oid *id)
{
	git_commit *commit = NULL;
	git_oid tree;
	int found;

	if (git_commit_lookup(&commit, w->repo.git, id) < 0)
		return repo_failed(&w->repo, "a commit cannot be read", w->d);
	found = repo_specs_tree(&tree, &w->repo, commit, w->d);
	git_commit_free(commit);
	return found == 1 ? see_tree(w, &tree) : found;
}

static int walk_history(struct walk *w)
{
	git_revwalk *commits = NULL;
	int result = 0;
	git_oid id;

	if (git_revwalk_new(&commits, w->repo.git) < 0)
		return repo_failed(&w->repo, "the history cannot be read", w->d);
	/* Without a commit there is none. */
	if (git_revwalk_push_head(commits) == 0)
		for (size_t i = 0; i < COMMITS_MAX && result == 0 && git_revwalk_next(&id, commits) == 0; i++)
			result = see_commit(w, &id);
	git_revwalk_free(commits);
	return result;
}

int state_git_versions(const char *directory, const char *name, state_git_version_visit *visit, void *payload,
		       struct diag *d)
{
	struct walk w = {.name = name, .visit = visit, .payload = payload, .d = d};
	int result = repo_open(&w.repo, directory, d);

	if (result > 0)
		result = w.repo.inside == NULL ? 0 : walk_history(&w);
	repo_close(&w.repo);
	map_free(&w.seen, NULL);
	return result;
}
