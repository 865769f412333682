/* Notes on commits, and who wrote the specs. */
#include "test_git_common.h"

#include <sys/wait.h>

/* -- Notes -------------------------------------------------------------------------------------------------------- */

#define WRITERS 4
#define ROUNDS  8

static void appends_and_never_overwrites(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL, *shown = NULL, *logged = NULL, *text = NULL, *who = NULL, *count = NULL;

	make_repository(f);
	commit = output(f, "git -C repo rev-parse HEAD");
	assert_int_equal(state_git_note_read(f->specs, commit, &text, &f->d), 0);
	assert_null(text);
	assert_int_equal(state_git_note_append(f->specs, commit, "one\n", &f->d), 1);
	assert_int_equal(state_git_note_append(f->specs, commit, "two\n", &f->d), 1);
	shown = output(f, "git -C repo notes --ref=muster show HEAD");
	assert_string_equal(shown, "one\n\ntwo");
	logged = output(f, "git -C repo log -1 --notes=muster");
	assert_non_null(strstr(logged, "Notes (muster):\n    one\n    \n    two"));
	assert_int_equal(state_git_note_read(f->specs, commit, &text, &f->d), 1);
	assert_string_equal(text, "one\n\ntwo\n");
	who = output(f, "git -C repo log -1 --format='%an <%ae>' refs/notes/muster");
	assert_int_equal(strncmp(who, "muster <muster@", 15), 0);
	count = output(f, "git -C repo rev-list --count refs/notes/muster");
	assert_string_equal(count, "2");
	run(f, "git -C repo fsck --strict --no-dangling && test -z \"$(git -C repo status --porcelain)\"");
	assert_no_errors(f);
}

static void signs_as_git_is_told_to(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL, *who = NULL;

	make_repository(f);
	run(f, "git -C repo config user.name Kato && git -C repo config user.email kato@example.com");
	commit = output(f, "git -C repo rev-parse HEAD");
	assert_int_equal(state_git_note_append(f->specs, commit, "one\n", &f->d), 1);
	who = output(f, "git -C repo log -1 --format='%an <%ae> %cn' refs/notes/muster");
	assert_string_equal(who, "Kato <kato@example.com> Kato");
}

/* What git notes wrote itself, without a newline at its end and in folders of two digits, is kept. */
static void keeps_the_notes_of_others(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL, *shown = NULL, *other = NULL;

	make_repository(f);
	run(f,
	    "cd repo && git notes --ref=muster add -m other HEAD~ && printf mine >../mine && blob=$(git hash-object -w "
	    "../mine) && head=$(git rev-parse HEAD) && export GIT_INDEX_FILE=$PWD/../fan && git read-tree "
	    "refs/notes/muster && git update-index --add --cacheinfo 100644,$blob,$(echo $head | sed "
	    "'s,^\\(..\\),\\1/,') && tree=$(git write-tree) && git update-ref refs/notes/muster $(git commit-tree -m "
	    "fan -p refs/notes/muster $tree)");
	commit = output(f, "git -C repo rev-parse HEAD");
	assert_int_equal(state_git_note_append(f->specs, commit, "ours\n", &f->d), 1);
	shown = output(f, "git -C repo notes --ref=muster show HEAD");
	assert_string_equal(shown, "mine\n\nours");
	other = output(f, "git -C repo notes --ref=muster show HEAD~");
	assert_string_equal(other, "other");
	assert_no_errors(f);
}

static void refuses_to_add_to_what_is_no_text(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL;

	make_repository(f);
	run(f, "cd repo && printf 'a\\0b' >../bytes && git notes --ref=muster add -C $(git hash-object -w ../bytes)");
	commit = output(f, "git -C repo rev-parse HEAD");
	assert_int_equal(state_git_note_append(f->specs, commit, "ours\n", &f->d), -1);
	assert_says(f, "is no text");
}

static void writes_nothing_where_the_commit_is_not(void **in)
{
	struct fixture *f = *in;
	const char *nowhere = "0123456789012345678901234567890123456789";
	char *text;

	make_repository(f);
	assert_int_equal(state_git_note_append(f->specs, nowhere, "one\n", &f->d), 0);
	assert_int_equal(state_git_note_read(f->specs, nowhere, &text, &f->d), 0);
	assert_int_equal(state_git_note_append(f->root, nowhere, "one\n", &f->d), 0);
	assert_no_errors(f);
	run(f, "! git -C repo rev-parse -q --verify refs/notes/muster");
	assert_int_equal(state_git_note_append(f->specs, "12", "one\n", &f->d), -1);
	assert_says(f, "not the id of a commit");
}

static void notes_of_a_worktree_are_the_repositorys(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL, *tree = mem_printf("%s/tree/deep/in/specs", f->root), *shown = NULL;

	make_repository(f);
	run(f, "git -C repo worktree add -q ../tree");
	commit = output(f, "git -C repo rev-parse HEAD");
	assert_int_equal(state_git_note_append(tree, commit, "one\n", &f->d), 1);
	shown = output(f, "git -C repo notes --ref=muster show HEAD");
	assert_string_equal(shown, "one");
}

static void append_rounds(const char *directory, const char *commit, int writer)
{
	struct diag d = DIAG_INIT;

	for (int i = 0; i < ROUNDS; i++) {
		mem_auto_str char *text = mem_printf("writer %d round %d\n", writer, i);

		if (state_git_note_append(directory, commit, text, &d) != 1) {
			diag_print(&d, stderr, false);
			_exit(1);
		}
	}
	_exit(0);
}

static void writers_do_not_lose_each_others_notes(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL, *count = NULL, *wanted = mem_printf("%d", WRITERS * ROUNDS);
	pid_t writers[WRITERS];
	int status;

	make_repository(f);
	commit = output(f, "git -C repo rev-parse HEAD");
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		if (writers[i] == 0)
			append_rounds(f->specs, commit, i);
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
		assert_int_equal(status, 0);
	}
	count = output(f, "git -C repo notes --ref=muster show HEAD | grep '^writer' | sort -u | wc -l");
	assert_string_equal(count, wanted);
}

static void says_which_lock_is_in_the_way(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL;

	make_repository(f);
	run(f, "mkdir -p repo/.git/refs/notes && touch repo/.git/refs/notes/muster.lock");
	commit = output(f, "git -C repo rev-parse HEAD");
	assert_int_equal(state_git_note_append(f->specs, commit, "one\n", &f->d), -1);
	assert_says(f, "/repo/.git/refs/notes/muster.lock");
}

static void says_that_notes_cannot_be_written(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL;

	make_repository(f);
	/* Also for root: a file where the folder should be. */
	run(f, "touch repo/.git/refs/notes");
	commit = output(f, "git -C repo rev-parse HEAD");
	assert_int_equal(state_git_note_append(f->specs, commit, "one\n", &f->d), -1);
	assert_says(f, "refs/notes/muster cannot be written");
}

/* -- Authors ------------------------------------------------------------------------------------------------------ */

/* "email[+key] ..." in the order of their finding, sorted. */
static char *authors(struct fixture *f, const char *directory, const char *from, const char *to)
{
	struct state_git_author *all;
	struct buf text = BUF_INIT;
	const char *lines[32];
	size_t count;

	if (state_git_authors(&all, &count, directory, from, to, &f->d) < 0)
		return NULL;
	assert_in_range(count, 0, 32);
	for (size_t i = 0; i < count; i++) {
		size_t j = i;

		for (; j > 0 && strcmp(lines[j - 1], all[i].email) > 0; j--)
			lines[j] = lines[j - 1];
		lines[j] = all[i].email;
	}
	for (size_t i = 0; i < count; i++)
		buf_addf(&text, "%s%s", i == 0 ? "" : " ", lines[i]);
	state_git_authors_free(all, count);
	return buf_detach(&text);
}

static void assert_authors(struct fixture *f, const char *from, const char *to, const char *wanted)
{
	mem_auto_str char *found = authors(f, f->specs, from, to);

	assert_no_errors(f);
	assert_string_equal(found, wanted);
}

static void commit_as(struct fixture *f, const char *author, const char *committer, const char *file,
		      const char *message)
{
	run(f,
	    "cd repo && echo '%s' >>%s && git add -A && GIT_AUTHOR_EMAIL=%s GIT_COMMITTER_EMAIL=%s git commit -q -m "
	    "'%s'",
	    message, file, author, committer, message);
}

static void names_who_wrote_the_specs(void **in)
{
	struct fixture *f = *in;

	make_repository(f);
	commit_as(f, "Bob@Example.com", "ci@example.com", "deep/in/specs/muster.json", "second");
	commit_as(f, "outside@example.com", "outside@example.com", "README", "not the specs");
	commit_as(f, "bob@example.com", "bob@example.com", "deep/in/specs/stacks/a.json",
		  "third\n\nWith help.\n\nReviewed-by: R <r@example.com>\nco-authored-by: Cy <CY@example.com>");
	assert_authors(f, "HEAD", "HEAD", "");
	assert_authors(f, "HEAD~", "HEAD", "bob@example.com cy@example.com");
	assert_authors(f, "HEAD~2", "HEAD~", "");
	assert_authors(f, "HEAD~3", "HEAD", "bob@example.com ci@example.com cy@example.com");
	assert_authors(f, NULL, "HEAD~", "ann@example.com bob@example.com ci@example.com");
	assert_authors(f, "HEAD", "HEAD~", "");
	assert_authors(f, NULL, "HEAD~4", "");
}

static void a_clean_merge_is_nobodys_work(void **in)
{
	struct fixture *f = *in;

	make_repository(f);
	run(f, "cd repo && git branch topic");
	commit_as(f, "main@example.com", "main@example.com", "README", "on main");
	run(f, "cd repo && git switch -q topic");
	commit_as(f, "topic@example.com", "topic@example.com", "deep/in/specs/accounts.json", "on topic");
	run(f, "cd repo && git switch -q main && GIT_AUTHOR_EMAIL=merger@example.com "
	       "GIT_COMMITTER_EMAIL=merger@example.com git merge -q --no-ff -m merge topic");
	assert_authors(f, "HEAD^1", "HEAD", "topic@example.com");
	/* One in which more than the branch came in is the merger's as well. */
	run(f,
	    "cd repo && echo more >>deep/in/specs/accounts.json && GIT_COMMITTER_EMAIL=evil@example.com git commit -qa "
	    "--amend --no-edit");
	assert_authors(f, "HEAD^1", "HEAD", "evil@example.com merger@example.com topic@example.com");
}

static void names_the_key_that_signed(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *key = NULL;
	struct state_git_author *all;
	size_t count;

	if (system("command -v ssh-keygen >/dev/null") != 0)
		skip();
	make_repository(f);
	run(f, "ssh-keygen -q -t ed25519 -N '' -C '' -f key && cd repo && git config gpg.format ssh && git config "
	       "user.signingkey ../key.pub && cd deep/in/specs && echo >>muster.json && GIT_AUTHOR_EMAIL=b@example.com "
	       "git "
	       "commit -qaS -m signed");
	key = output(f, "cut -d' ' -f2 key.pub");
	assert_int_equal(state_git_authors(&all, &count, f->specs, "HEAD~", "HEAD", &f->d), 0);
	assert_int_equal(count, 2);
	assert_string_equal(all[0].email, "ann@example.com");
	assert_string_equal(all[0].ssh_key, key);
	assert_string_equal(all[1].email, "b@example.com");
	assert_null(all[1].ssh_key);
	state_git_authors_free(all, count);
}

/* A signature that is cut off or made up is no key, and no harm. */
static void passes_over_broken_signatures(void **in)
{
	static const char *const signatures[] = {
	    "-----BEGIN SSH SIGNATURE-----",
	    "-----BEGIN SSH SIGNATURE-----\n -----END SSH SIGNATURE-----",
	    "-----BEGIN SSH SIGNATURE-----\n U1NIU0lHAAAAAf////8=\n -----END SSH SIGNATURE-----",
	    "-----BEGIN SSH SIGNATURE-----\n !!\n -----END SSH SIGNATURE-----",
	    "-----BEGIN PGP SIGNATURE-----\n U1NIU0lH\n -----END PGP SIGNATURE-----",
	};
	struct fixture *f = *in;

	make_repository(f);
	for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
		struct state_git_author *all;
		size_t count;

		run(f,
		    "cd repo && git cat-file commit main | awk -v s='%s' '{ print } /^committer/ && !n++ { print "
		    "\"gpgsig \" s "
		    "}' >../object && git update-ref refs/heads/signed $(git hash-object --literally -w -t commit "
		    "../object)",
		    signatures[i]);
		run(f, "grep -q '^ *-----END' object || test %zu = 0", i);
		assert_int_equal(state_git_authors(&all, &count, f->specs, NULL, "signed", &f->d), 0);
		assert_int_equal(count, 1);
		assert_null(all[0].ssh_key);
		state_git_authors_free(all, count);
	}
}

static void says_that_history_is_shallow(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *specs = mem_printf("%s/shallow/deep/in/specs", f->root);

	make_repository(f);
	commit_as(f, "b@example.com", "b@example.com", "deep/in/specs/muster.json", "second");
	commit_as(f, "c@example.com", "c@example.com", "deep/in/specs/muster.json", "third");
	run(f, "git clone -q --depth 2 file://%s/repo shallow", f->root);
	assert_null(authors(f, specs, NULL, "HEAD"));
	assert_says(f, "who wrote the specs cannot be told");
	assert_null(authors(f, specs, "HEAD~2", "HEAD"));
	assert_says(f, "git fetch --unshallow");
	/* What lies behind the last commit that it has could be part of HEAD~, or not. */
	assert_null(authors(f, specs, "HEAD~", "HEAD"));
	assert_says(f, "fetch-depth: 0");
	run(f, "git -C shallow fetch -q --unshallow");
	free(authors(f, specs, NULL, "HEAD"));
	assert_no_errors(f);
}

static void authors_need_a_repository(void **in)
{
	struct fixture *f = *in;

	assert_null(authors(f, f->root, NULL, "HEAD"));
	assert_says(f, "in no git repository");
	make_repository(f);
	assert_null(authors(f, f->specs, "nonesuch", "HEAD"));
	assert_says(f, "no such revision");
}

/* libgit2 1.5 leaks a list item where a walk fails; no stack of a library without frame pointers would tell. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	/* The writers of one test end in the middle, while their parent holds its memory. */
	return "leak:git_revwalk_next\nleak:writers_do_not_lose\nleak:fixture_setup";
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(appends_and_never_overwrites),
	    TEST(signs_as_git_is_told_to),
	    TEST(keeps_the_notes_of_others),
	    TEST(refuses_to_add_to_what_is_no_text),
	    TEST(writes_nothing_where_the_commit_is_not),
	    TEST(notes_of_a_worktree_are_the_repositorys),
	    TEST(writers_do_not_lose_each_others_notes),
	    TEST(says_which_lock_is_in_the_way),
	    TEST(says_that_notes_cannot_be_written),
	    TEST(names_who_wrote_the_specs),
	    TEST(a_clean_merge_is_nobodys_work),
	    TEST(names_the_key_that_signed),
	    TEST(passes_over_broken_signatures),
	    TEST(says_that_history_is_shallow),
	    TEST(authors_need_a_repository),
	};

	return cmocka_run_group_tests_name("state git notes", tests, NULL, NULL);
}
