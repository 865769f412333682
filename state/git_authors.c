/* Who wrote what stands between two commits; see git.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/git_private.h"

/* -- The key of an SSH signature --------------------------------------------------------------------------------------
 * PROTOCOL.sshsig of OpenSSH: base64 between two lines, of "SSHSIG", a 32-bit version, the public key as a string (a
 * 32-bit length before it), ... The signature itself is not verified: a key that is named too often only shuts out one
 * more from approving. */

#define ARMOR_BEGIN "-----BEGIN SSH SIGNATURE-----"
#define ARMOR_END   "-----END SSH SIGNATURE-----"
#define SIG_MAGIC   "SSHSIG"
#define SIG_HEAD    (sizeof SIG_MAGIC - 1 + 4) /* bytes before the key's length */

static size_t big_endian(const char *bytes)
{
	size_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | (unsigned char)bytes[i];
	return value;
}

/* The key in base64, or NULL when it is no such signature. Free with free(). */
static char *key_of(const char *armored)
{
	const char *at = strstr(armored, ARMOR_BEGIN), *end = at == NULL ? NULL : strstr(at, ARMOR_END);
	buf_auto struct buf base64 = BUF_INIT, bytes = BUF_INIT, key = BUF_INIT;
	size_t len;

	if (end == NULL)
		return NULL;
	for (at += strlen(ARMOR_BEGIN); at < end; at++)
		if (!isspace((unsigned char)*at))
			buf_addc(&base64, *at);
	if (text_base64_decode(&bytes, buf_str(&base64), base64.len) < 0 || bytes.len < SIG_HEAD + 4 ||
	    memcmp(bytes.data, SIG_MAGIC, sizeof SIG_MAGIC - 1) != 0)
		return NULL;
	len = big_endian(bytes.data + SIG_HEAD);
	if (len == 0 || len > bytes.len - SIG_HEAD - 4)
		return NULL;
	text_base64(&key, bytes.data + SIG_HEAD + 4, len);
	return buf_detach(&key);
}

static char *key_of_commit(const git_commit *commit)
{
	git_buf signature = GIT_BUF_INIT;
	char *key = NULL;

	if (git_commit_header_field(&signature, commit, "gpgsig") == 0)
		key = key_of(signature.ptr);
	git_buf_dispose(&signature);
	return key;
}

/* -- Collecting ---------------------------------------------------------------------------------------------------- */

struct authors {
	struct map seen; /* "email key" */
	struct state_git_author *items;
	size_t count, room;
};

/* `key` may be NULL; both are copied. */
static void authors_add(struct authors *all, const char *email, size_t len, const char *key)
{
	mem_auto_str char *lower = mem_strndup(email, len), *both = NULL;

	if (len == 0)
		return;
	for (char *at = lower; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	both = mem_printf("%s %s", lower, key == NULL ? "" : key);
	if (map_has(&all->seen, both))
		return;
	map_set(&all->seen, both, NULL);
	if (all->count == all->room) {
		all->room = all->room == 0 ? 8 : all->room * 2;
		all->items = mem_resize(all->items, all->room, sizeof *all->items);
	}
	all->items[all->count++] = (struct state_git_author){mem_strdup(lower), mem_strdup(key)};
}

/* "Co-authored-by: Name <email>" at the end of the message. */
static void add_coauthors(struct authors *all, const git_commit *commit)
{
	git_message_trailer_array trailers = {0};

	if (git_message_trailers(&trailers, git_commit_message(commit)) < 0)
		return;
	for (size_t i = 0; i < trailers.count; i++) {
		const char *open = strrchr(trailers.trailers[i].value, '<');
		const char *end = open == NULL ? NULL : strchr(open, '>');

		if (strcasecmp(trailers.trailers[i].key, "Co-authored-by") == 0 && end != NULL)
			authors_add(all, open + 1, (size_t)(end - open - 1), NULL);
	}
	git_message_trailer_array_free(&trailers);
}

static void add_commit(struct authors *all, const git_commit *commit)
{
	const git_signature *author = git_commit_author(commit), *committer = git_commit_committer(commit);
	mem_auto_str char *key = key_of_commit(commit);

	/* Who commits signs. */
	authors_add(all, committer->email, strlen(committer->email), key);
	authors_add(all, author->email, strlen(author->email),
		    strcasecmp(author->email, committer->email) == 0 ? key : NULL);
	add_coauthors(all, commit);
}

/* -- Walking ------------------------------------------------------------------------------------------------------- */

static int walk_failed(const struct repo *repo, struct diag *d)
{
	if (git_repository_is_shallow(repo->git) == 1)
		return diag_error(d,
				  "who wrote the specs cannot be told: %s is a shallow clone, without the commits in "
				  "question; " REPO_SHALLOW_HINT,
				  repo->directory);
	return repo_failed(repo, "the history cannot be read", d);
}

/* Whether the spec directory in `commit` is another one than in each of its parents: 1, 0, -1. */
static int changes_specs(const struct repo *repo, const git_commit *commit, struct diag *d)
{
	git_oid now = {{0}}, before;
	int has = repo_specs_tree(&now, repo, commit, d), same = 0;

	if (has < 0 || git_commit_parentcount(commit) == 0)
		return has;
	for (unsigned i = 0; i < git_commit_parentcount(commit) && same == 0; i++) {
		git_commit *parent = NULL;
		int had;

		if (git_commit_parent(&parent, commit, i) < 0)
			return walk_failed(repo, d);
		had = repo_specs_tree(&before, repo, parent, d);
		git_commit_free(parent);
		if (had < 0)
			return -1;
		same = had == has && (has == 0 || git_oid_equal(&now, &before));
	}
	return same == 0;
}

static int collect(struct authors *all, const struct repo *repo, git_revwalk *walk, struct diag *d)
{
	git_oid id;
	int rc;

	while ((rc = git_revwalk_next(&id, walk)) == 0) {
		git_commit *commit = NULL;
		int changes;

		if (git_commit_lookup(&commit, repo->git, &id) < 0)
			return walk_failed(repo, d);
		changes = changes_specs(repo, commit, d);
		if (changes == 1)
			add_commit(all, commit);
		git_commit_free(commit);
		if (changes < 0)
			return -1;
	}
	return rc == GIT_ITEROVER ? 0 : walk_failed(repo, d);
}

static int walk_between(struct authors *all, const struct repo *repo, const char *from, const char *to, struct diag *d)
{
	git_commit *first = NULL, *last = NULL;
	git_revwalk *walk = NULL;
	int rc = repo_commit(&last, repo, to, d);

	if (rc == 0 && from != NULL)
		rc = repo_commit(&first, repo, from, d);
	if (rc == 0 && (git_revwalk_new(&walk, repo->git) < 0 || git_revwalk_push(walk, git_commit_id(last)) < 0 ||
			(first != NULL && git_revwalk_hide(walk, git_commit_id(first)) < 0)))
		rc = walk_failed(repo, d);
	if (rc == 0)
		rc = collect(all, repo, walk, d);
	git_revwalk_free(walk);
	git_commit_free(first);
	git_commit_free(last);
	return rc;
}

int state_git_authors(struct state_git_author **out, size_t *count, const char *directory, const char *from,
		      const char *to, struct diag *d)
{
	struct authors all = {.seen = MAP_INIT};
	struct repo repo;
	int rc = repo_open_specs(&repo, directory, d);

	*out = NULL;
	*count = 0;
	if (rc == 0)
		rc = walk_between(&all, &repo, from, to, d);
	repo_close(&repo);
	map_free(&all.seen, NULL);
	if (rc < 0) {
		state_git_authors_free(all.items, all.count);
		return -1;
	}
	*out = all.items;
	*count = all.count;
	return 0;
}

void state_git_authors_free(struct state_git_author *authors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(authors[i].email);
		free(authors[i].ssh_key);
	}
	free(authors);
}
