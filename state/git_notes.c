/* Notes on commits, appended by compare-and-swap of the notes' ref; see git.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "state/git_private.h"

/* A note grows by some hundred bytes a generation; one of this size was not written by us, or not read by anybody. */
#define NOTE_BYTES_MAX (8u << 20)

/* Others hold the ref for milliseconds: a file is written and renamed. All tries together wait about five seconds. */
#define TRIES_MAX        100
#define TRY_WAIT_MAX_MS  100
#define TRY_WAIT_STEP_MS 2

/* As git has it in its settings, else what is always known. Free with git_signature_free(). */
static int sign(git_signature **out, const struct repo *repo)
{
	char host[HOST_NAME_MAX + 1] = "";
	mem_auto_str char *email = NULL;

	if (git_signature_default(out, repo->git) == 0)
		return 0;
	if (gethostname(host, sizeof host - 1) < 0 || *host == '\0')
		memcpy(host, "localhost", sizeof "localhost");
	email = mem_printf("muster@%s", host);
	return git_signature_now(out, "muster", email);
}

/* The notes' newest commit, and its id for the swap: 1; 0 when there are no notes at all; -1. */
static int newest_notes(git_commit **out, git_oid *id, const struct repo *repo, struct diag *d)
{
	int rc = git_reference_name_to_id(id, repo->git, STATE_GIT_NOTES);

	*out = NULL;
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc < 0 || git_commit_lookup(out, repo->git, id) < 0)
		return repo_failed(repo, STATE_GIT_NOTES " cannot be read", d);
	return 1;
}

/* Adds the note that `notes` has of `commit`, whole: 1, 0 when it has none, -1. */
static int add_note(struct buf *out, const struct repo *repo, git_commit *notes, const git_oid *commit, struct diag *d)
{
	git_note *note = NULL;
	git_blob *blob = NULL;
	int rc = git_note_commit_read(&note, repo->git, notes, commit);

	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc == 0)
		rc = git_blob_lookup(&blob, repo->git, git_note_id(note));
	if (rc < 0) {
		rc = repo_failed(repo, "a note of " STATE_GIT_NOTES " cannot be read", d);
	} else if (git_blob_rawsize(blob) > (git_object_size_t)NOTE_BYTES_MAX || git_blob_is_binary(blob)) {
		rc = diag_error(d,
				"the note in " STATE_GIT_NOTES " of %s is no text, or over %u MiB; git notes "
				"--ref=muster remove takes it away",
				git_oid_tostr_s(commit), NOTE_BYTES_MAX >> 20);
	} else {
		buf_add(out, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
		rc = 1;
	}
	git_blob_free(blob);
	git_note_free(note);
	return rc;
}

/* One try: 1 done, 0 somebody else was faster or holds the ref, -1. */
static int try_append(const struct repo *repo, const git_signature *who, const git_oid *commit, const char *text,
		      struct diag *d)
{
	buf_auto struct buf whole = BUF_INIT;
	git_reference *ref = NULL;
	git_commit *notes = NULL;
	git_oid before, after;
	int had = newest_notes(&notes, &before, repo, d), rc;

	rc = had <= 0 ? had : add_note(&whole, repo, notes, commit, d);
	if (rc < 0) {
		git_commit_free(notes);
		return -1;
	}
	if (whole.len > 0)
		buf_adds(&whole, whole.data[whole.len - 1] == '\n' ? "\n" : "\n\n");
	buf_adds(&whole, text);
	rc = git_note_commit_create(&after, NULL, repo->git, notes, who, who, commit, buf_str(&whole), 1);
	git_commit_free(notes);
	if (rc < 0)
		return repo_failed(repo, "a note cannot be written", d);
	if (had == 1)
		rc = git_reference_create_matching(&ref, repo->git, STATE_GIT_NOTES, &after, 1, &before,
						   "muster: append");
	else
		rc = git_reference_create(&ref, repo->git, STATE_GIT_NOTES, &after, 0, "muster: append");
	git_reference_free(ref);
	if (rc == GIT_EMODIFIED || rc == GIT_EEXISTS || rc == GIT_ELOCKED)
		return 0;
	return rc < 0 ? repo_failed(repo, STATE_GIT_NOTES " cannot be written", d) : 1;
}

static void wait_turn(unsigned tries)
{
	unsigned ms = tries * TRY_WAIT_STEP_MS < TRY_WAIT_MAX_MS ? tries * TRY_WAIT_STEP_MS : TRY_WAIT_MAX_MS;
	struct timespec pause = {0, (long)ms * 1000000};

	nanosleep(&pause, NULL);
}

static int append(const struct repo *repo, const git_oid *commit, const char *text, struct diag *d)
{
	git_signature *who = NULL;
	int rc = sign(&who, repo);

	if (rc < 0)
		return repo_failed(repo, "nobody can be named as the writer of a note", d);
	rc = 0;
	for (unsigned tries = 0; rc == 0 && tries < TRIES_MAX; tries++) {
		wait_turn(tries);
		rc = try_append(repo, who, commit, text, d);
	}
	git_signature_free(who);
	if (rc == 0)
		return diag_error(d,
				  STATE_GIT_NOTES " in %s stays locked; when no git runs there any more, remove its "
						  "lock file %srefs/notes/muster.lock",
				  repo->directory, git_repository_commondir(repo->git));
	return rc;
}

/* Opens the repository and finds the commit: 1, 0 where one of both is not there, -1. */
static int find(struct repo *repo, git_oid *id, const char *directory, const char *commit, struct diag *d)
{
	git_commit *found = NULL;
	int rc = repo_open(repo, directory, d);

	if (rc <= 0)
		return rc;
	if (git_oid_fromstr(id, commit) < 0)
		return diag_error(d, "\"%s\" is not the id of a commit", commit);
	rc = git_commit_lookup(&found, repo->git, id);
	git_commit_free(found);
	if (rc == GIT_ENOTFOUND)
		return 0;
	return rc < 0 ? repo_failed(repo, "a commit cannot be read", d) : 1;
}

int state_git_note_append(const char *directory, const char *commit, const char *text, struct diag *d)
{
	struct repo repo;
	git_oid id;
	int rc = find(&repo, &id, directory, commit, d);

	if (rc == 1)
		rc = append(&repo, &id, text, d);
	repo_close(&repo);
	return rc;
}

int state_git_note_read(const char *directory, const char *commit, char **text, struct diag *d)
{
	buf_auto struct buf whole = BUF_INIT;
	git_commit *notes = NULL;
	struct repo repo;
	git_oid id, newest;
	int rc = find(&repo, &id, directory, commit, d);

	*text = NULL;
	if (rc == 1)
		rc = newest_notes(&notes, &newest, &repo, d);
	if (rc == 1)
		rc = add_note(&whole, &repo, notes, &id, d);
	if (rc == 1)
		*text = buf_detach(&whole);
	git_commit_free(notes);
	repo_close(&repo);
	return rc;
}
