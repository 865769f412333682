/* The specs as they are in a commit, read from git's objects; see git.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "state/git_private.h"

/* Names longer than this are in no tree that a file system could hold. */
#define NAME_BYTES_MAX 255
/* github.com/git-lfs/git-lfs, docs/spec.md: a pointer is a text of less than 1,024 bytes. */
#define POINTER_START     "version https://git-lfs.github.com/spec/"
#define POINTER_BYTES_MAX 1024

struct state_git_tree {
	struct repo repo;
	git_tree *tree; /* of the spec directory */
	char *directory;
	char commit[GIT_OID_HEXSZ + 1], id[GIT_OID_HEXSZ + 1];
};

static int find_tree(struct state_git_tree *tree, const char *revision, struct diag *d)
{
	git_commit *commit = NULL;
	git_oid id;
	int rc = repo_commit(&commit, &tree->repo, revision, d);

	if (rc < 0)
		return -1;
	git_oid_tostr(tree->commit, sizeof tree->commit, git_commit_id(commit));
	rc = repo_specs_tree(&id, &tree->repo, commit, d);
	git_commit_free(commit);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return diag_error(d, "the commit %s%s%.10s%s has no directory %s; the specs came later, or were moved",
				  revision, strcmp(revision, tree->commit) == 0 ? "" : " (",
				  strcmp(revision, tree->commit) == 0 ? "" : tree->commit,
				  strcmp(revision, tree->commit) == 0 ? "" : ")", tree->repo.inside);
	git_oid_tostr(tree->id, sizeof tree->id, &id);
	if (git_tree_lookup(&tree->tree, tree->repo.git, &id) < 0)
		return repo_failed(&tree->repo, "the spec directory's tree cannot be read", d);
	return 0;
}

int state_git_tree_open(struct state_git_tree **out, const char *directory, const char *revision, struct diag *d)
{
	struct state_git_tree *tree = mem_alloc(sizeof *tree);

	*out = NULL;
	tree->directory = mem_strdup(directory);
	if (repo_open_specs(&tree->repo, tree->directory, d) < 0 || find_tree(tree, revision, d) < 0) {
		state_git_tree_free(tree);
		return -1;
	}
	*out = tree;
	return 0;
}

void state_git_tree_free(struct state_git_tree *tree)
{
	if (tree == NULL)
		return;
	git_tree_free(tree->tree);
	repo_close(&tree->repo);
	free(tree->directory);
	free(tree);
}

const char *state_git_tree_commit(const struct state_git_tree *tree)
{
	return tree->commit;
}

const char *state_git_tree_id(const struct state_git_tree *tree)
{
	return tree->id;
}

/* -- Finding an entry -----------------------------------------------------------------------------------------------
 * Part by part, so that a link on the way is an error and not a file that is not there. */

/* Cuts the first part off *path. False when it is none that stays inside: empty, ".", "..". */
static bool next_part(char part[NAME_BYTES_MAX + 1], const char **path)
{
	size_t len = strcspn(*path, "/");

	if (len == 0 || len > NAME_BYTES_MAX)
		return false;
	memcpy(part, *path, len);
	part[len] = '\0';
	*path += len;
	if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
		return false;
	if (**path == '/')
		++*path;
	else
		*path = NULL;
	return true;
}

static int check_entry(const git_tree_entry *entry, const char *path, struct diag *d)
{
	if (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
		return diag_error(d, "%s: a symbolic link, which is not followed in a commit; commit the file itself",
				  path);
	if (git_tree_entry_type(entry) == GIT_OBJECT_COMMIT)
		return diag_error(d, "%s: in a git submodule, whose files the commit does not have; commit them here",
				  path);
	return 0;
}

static int tree_unreadable(const struct state_git_tree *tree, const char *path, struct diag *d)
{
	const git_error *error = git_error_last();

	return diag_error(d, "%s in the commit %.10s: %s; git fsck tells what is missing, git fetch may bring it", path,
			  tree->commit, error == NULL ? "git gives no reason" : error->message);
}

/* 0 and an entry to be freed, -ENOENT, -1 with a message. */
static int find_entry(git_tree_entry **out, const struct state_git_tree *tree, const char *path, struct diag *d)
{
	git_tree *folder = tree->tree, *below = NULL;
	const char *rest = path;
	char part[NAME_BYTES_MAX + 1];
	int result = 0;

	*out = NULL;
	while (result == 0 && rest != NULL) {
		const git_tree_entry *entry;

		if (!next_part(part, &rest)) {
			result = diag_error(d, "%s: not a path inside the spec directory", path);
		} else if ((entry = git_tree_entry_byname(folder, part)) == NULL) {
			result = -ENOENT;
		} else if (check_entry(entry, path, d) < 0) {
			result = -1;
		} else if (rest == NULL) {
			git_tree_entry_dup(out, entry);
		} else if (git_tree_entry_type(entry) != GIT_OBJECT_TREE) {
			result = -ENOENT;
		} else {
			result = git_tree_lookup(&below, tree->repo.git, git_tree_entry_id(entry)) < 0
				     ? tree_unreadable(tree, path, d)
				     : 0;
			if (folder != tree->tree)
				git_tree_free(folder);
			folder = below;
		}
	}
	if (folder != tree->tree)
		git_tree_free(folder);
	return result;
}

/* -- Reading -------------------------------------------------------------------------------------------------------
 */

/* The size stands before the bytes, so that what is too large is refused before it is held in memory. */
static int check_size(const struct state_git_tree *tree, const git_oid *id, const char *path, size_t max,
		      struct diag *d)
{
	git_odb *odb = NULL;
	git_object_t type;
	size_t size = 0;
	int rc = git_repository_odb(&odb, tree->repo.git);

	if (rc == 0)
		rc = git_odb_read_header(&size, &type, odb, id);
	git_odb_free(odb);
	if (rc < 0)
		return tree_unreadable(tree, path, d);
	if (size > max)
		return diag_error(d, "%s: %zu bytes, more than the %zu that a file here may have", path, size, max);
	return 0;
}

static int read_blob(const struct state_git_tree *tree, const git_oid *id, const char *path, char **text, size_t *len,
		     struct diag *d)
{
	git_blob *blob = NULL;

	if (git_blob_lookup(&blob, tree->repo.git, id) < 0)
		return tree_unreadable(tree, path, d);
	*len = (size_t)git_blob_rawsize(blob);
	*text = mem_strndup(git_blob_rawcontent(blob), *len);
	git_blob_free(blob);
	if (!text_starts(*text, POINTER_START))
		return 0;
	free(*text);
	*text = NULL;
	return diag_error(d, "%s: kept by Git LFS, so the commit has only a pointer to it; commit the file itself",
			  path);
}

int state_git_tree_read(struct state_git_tree *tree, const char *path, size_t max, char **text, size_t *len,
			struct diag *d)
{
	git_tree_entry *entry = NULL;
	int result = find_entry(&entry, tree, path, d);

	*text = NULL;
	*len = 0;
	if (result == 0 && git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
		result = diag_error(d, "%s: a directory, not a file", path);
	if (result == 0)
		result = check_size(tree, git_tree_entry_id(entry), path, max, d);
	if (result == 0)
		result = read_blob(tree, git_tree_entry_id(entry), path, text, len, d);
	git_tree_entry_free(entry);
	return result;
}

/* -- Comparing ------------------------------------------------------------------------------------------------------
 */

/* What git would keep of these bytes under that path: with the line ends that .gitattributes and core.autocrlf want.
 * False where it would keep them as they are. */
static bool filtered_id(git_oid *out, const struct state_git_tree *tree, const char *path, const char *bytes,
			size_t len)
{
	const char *inside = tree->repo.inside;
	mem_auto_str char *whole = mem_printf("%s%s%s", inside, *inside == '\0' ? "" : "/", path);
	git_filter_list *filters = NULL;
	git_buf kept = GIT_BUF_INIT;
	bool done = git_filter_list_load(&filters, tree->repo.git, NULL, whole, GIT_FILTER_TO_ODB,
					 GIT_FILTER_ALLOW_UNSAFE) == 0 &&
		    filters != NULL && git_filter_list_apply_to_buffer(&kept, filters, bytes, len) == 0 &&
		    git_odb_hash(out, kept.ptr, kept.size, GIT_OBJECT_BLOB) == 0;

	git_buf_dispose(&kept);
	git_filter_list_free(filters);
	return done;
}

/* What Git LFS keeps outside, the commit names by its SHA-256. */
static bool pointer_names(const struct state_git_tree *tree, const git_oid *id, const char *bytes, size_t len)
{
	static const char mark[] = "\noid sha256:";
	git_blob *blob = NULL;
	uint8_t digest[32];
	bool names = false;
	char hex[65];

	if (git_blob_lookup(&blob, tree->repo.git, id) < 0)
		return false;
	if (git_blob_rawsize(blob) <= POINTER_BYTES_MAX) {
		mem_auto_str char *text = mem_strndup(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
		const char *named = text_starts(text, POINTER_START) ? strstr(text, mark) : NULL;

		text_sha256(digest, bytes, len);
		text_hex(hex, digest, sizeof digest);
		names = named != NULL && strncmp(named + sizeof mark - 1, hex, 64) == 0;
	}
	git_blob_free(blob);
	return names;
}

int state_git_tree_same(struct state_git_tree *tree, const char *path, const void *bytes, size_t len, struct diag *d)
{
	git_tree_entry *entry = NULL;
	int result = find_entry(&entry, tree, path, d);
	git_oid own;

	if (result == 0 && git_tree_entry_type(entry) == GIT_OBJECT_BLOB &&
	    git_odb_hash(&own, bytes, len, GIT_OBJECT_BLOB) == 0) {
		const git_oid *id = git_tree_entry_id(entry);

		result = git_oid_equal(&own, id) ||
			 (filtered_id(&own, tree, path, bytes, len) && git_oid_equal(&own, id)) ||
			 pointer_names(tree, id, bytes, len);
	}
	git_tree_entry_free(entry);
	return result;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **names_of(const git_tree *folder)
{
	size_t count = git_tree_entrycount(folder), used = 0;
	char **names = mem_array(count + 1, sizeof *names);

	for (size_t i = 0; i < count; i++) {
		const char *name = git_tree_entry_name(git_tree_entry_byindex(folder, i));

		if (name[0] != '.')
			names[used++] = mem_strdup(name);
	}
	/* git sorts a folder as if its name ended in a slash. */
	qsort(names, used, sizeof *names, by_bytes);
	return names;
}

int state_git_tree_list(struct state_git_tree *tree, const char *folder, char ***names, struct diag *d)
{
	git_tree_entry *entry = NULL;
	git_tree *below = NULL;
	int result = find_entry(&entry, tree, folder, d);

	*names = NULL;
	if (result == -ENOENT) {
		*names = mem_array(1, sizeof **names);
		return 0;
	}
	if (result == 0 && git_tree_entry_type(entry) != GIT_OBJECT_TREE)
		result = diag_error(d, "%s: a file, not a directory", folder);
	if (result == 0 && git_tree_lookup(&below, tree->repo.git, git_tree_entry_id(entry)) < 0)
		result = tree_unreadable(tree, folder, d);
	if (result == 0)
		*names = names_of(below);
	git_tree_free(below);
	git_tree_entry_free(entry);
	return result;
}
