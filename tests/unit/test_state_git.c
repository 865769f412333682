/* The commit of a spec directory, what is not committed, and the specs in any revision, in every kind of repository
 * that git knows. */
#include "test_git_common.h"

#include <errno.h>

static struct state_git_tree *opened(struct fixture *f, const char *directory, const char *revision)
{
	struct state_git_tree *tree = NULL;

	if (state_git_tree_open(&tree, directory, revision, &f->d) < 0)
		fail_msg("%s in %s: %s", revision, directory, diag_first_error(&f->d));
	return tree;
}

static void refused(struct fixture *f, const char *directory, const char *revision)
{
	struct state_git_tree *tree = (struct state_git_tree *)f;

	assert_int_equal(state_git_tree_open(&tree, directory, revision, &f->d), -1);
	assert_null(tree);
}

/* `directory`'s muster.json in `revision` is `text`. */
static void holds(struct fixture *f, const char *directory, const char *revision, const char *wanted)
{
	struct state_git_tree *tree = opened(f, directory, revision);
	mem_auto_str char *text = NULL;
	size_t len;

	assert_int_equal(state_git_tree_read(tree, "muster.json", 100, &text, &len, &f->d), 0);
	assert_string_equal(text, wanted);
	assert_int_equal(len, strlen(wanted));
	state_git_tree_free(tree);
}

static char *listed(struct fixture *f, struct state_git_tree *tree, const char *folder)
{
	struct buf all = BUF_INIT;
	char **names;

	assert_int_equal(state_git_tree_list(tree, folder, &names, &f->d), 0);
	for (size_t i = 0; names[i] != NULL; i++) {
		buf_addf(&all, "%s ", names[i]);
		free(names[i]);
	}
	free(names);
	return buf_detach(&all);
}

/* -- Facts -------------------------------------------------------------------------------------------------------- */

static void finds_no_repository(void **in)
{
	struct fixture *f = *in;
	struct state_git git;

	write_specs(f, "loose");
	assert_int_equal(state_git_facts(&git, f->root, &f->d), 0);
	assert_false(git.repository);
	assert_null(git.commit);
	state_git_free(&git);
}

static void tells_commit_and_tree(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL, *tree = NULL;
	struct state_git git;

	make_repository(f);
	commit = output(f, "git -C repo rev-parse HEAD");
	tree = output(f, "git -C repo rev-parse HEAD:deep/in/specs");
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_true(git.repository);
	assert_false(git.dirty);
	assert_string_equal(git.commit, commit);
	assert_string_equal(git.tree, tree);
	state_git_free(&git);
}

static void tells_what_is_not_committed(void **in)
{
	struct fixture *f = *in;
	struct state_git git;

	make_repository(f);
	run(f, "cd repo/deep/in/specs && echo other >README && echo x >plan.json && echo 1 >>muster.json && mkdir "
	       "files/new && echo n >files/new/one && rm stacks/a.json");
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_true(git.dirty);
	assert_int_equal(git.dirty_count, 3);
	assert_string_equal(git.dirty_paths[0], "files/new/one");
	assert_string_equal(git.dirty_paths[1], "muster.json");
	assert_string_equal(git.dirty_paths[2], "stacks/a.json");
	state_git_free(&git);
	/* Staged is not committed. */
	run(f, "git -C repo add -A && git -C repo commit -q -m second && echo 2 >>%s/muster.json && git -C repo add -A",
	    f->specs);
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_true(git.dirty);
	assert_int_equal(git.dirty_count, 1);
	state_git_free(&git);
}

static void names_only_some_of_many_dirty_files(void **in)
{
	struct fixture *f = *in;
	struct state_git git;

	make_repository(f);
	run(f, "for i in $(seq 30); do echo >%s/files/$i; done", f->specs);
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_int_equal(git.dirty_count, 30);
	assert_non_null(git.dirty_paths[STATE_GIT_DIRTY_SHOWN - 1]);
	state_git_free(&git);
}

/* A stack is read whether git ignores it or not; what a build leaves is not. */
static void ignored_stacks_are_dirty(void **in)
{
	struct fixture *f = *in;
	struct state_git git;

	make_repository(f);
	run(f,
	    "cd %s && printf 'secret.json\\n*.pyc\\n' >.gitignore && mkdir files/cache && echo >files/cache/a.pyc && "
	    "echo >files/secret.json",
	    f->specs);
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_false(git.dirty);
	state_git_free(&git);
	run(f, "echo '{}' >%s/stacks/secret.json", f->specs);
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_true(git.dirty);
	assert_string_equal(git.dirty_paths[0], "stacks/secret.json");
	state_git_free(&git);
}

static void specs_without_a_commit_are_dirty(void **in)
{
	struct fixture *f = *in;
	struct state_git git;

	run(f, "git init -q repo");
	write_specs(f, "repo/deep/in/specs");
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_true(git.repository);
	assert_true(git.dirty);
	assert_null(git.commit);
	assert_int_equal(git.dirty_count, 5);
	state_git_free(&git);
	/* A repository with commits, none of which has the specs; and all of them ignored. */
	run(f, "git -C repo commit -q --allow-empty -m empty && echo deep >repo/.gitignore");
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_non_null(git.commit);
	assert_null(git.tree);
	assert_true(git.dirty);
	state_git_free(&git);
}

static void facts_leave_the_index_alone(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *before = NULL, *after = NULL;
	struct state_git git;

	make_repository(f);
	run(f, "touch -d '2001-01-01' %s/muster.json", f->specs);
	before = output(f, "sha256sum repo/.git/index");
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_false(git.dirty);
	state_git_free(&git);
	state_git_tree_free(opened(f, f->specs, "HEAD"));
	after = output(f, "sha256sum repo/.git/index");
	assert_string_equal(before, after);
}

/* -- Revisions ---------------------------------------------------------------------------------------------------- */

static void reads_any_revision(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *commit = NULL, *tree_id = NULL, *short_revision = NULL;
	struct state_git_tree *tree;

	make_repository(f);
	run(f,
	    "git -C repo tag -a -m one v1 && echo two >%s/muster.json && git -C repo commit -qam second && "
	    "git -C repo branch other HEAD~ && echo three >%s/muster.json",
	    f->specs, f->specs);
	holds(f, f->specs, "HEAD", "two\n");
	holds(f, f->specs, "HEAD~", "{\"Version\": 1}\n");
	holds(f, f->specs, "v1", "{\"Version\": 1}\n");
	holds(f, f->specs, "other", "{\"Version\": 1}\n");
	commit = output(f, "git -C repo rev-parse HEAD~");
	tree_id = output(f, "git -C repo rev-parse HEAD~:deep/in/specs");
	short_revision = mem_strndup(commit, 8);
	tree = opened(f, f->specs, short_revision);
	assert_string_equal(state_git_tree_commit(tree), commit);
	assert_string_equal(state_git_tree_id(tree), tree_id);
	state_git_tree_free(tree);
	assert_no_errors(f);
}

static void lists_folders(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *stacks = NULL, *missing = NULL;
	struct state_git_tree *tree;
	char **names;

	make_repository(f);
	run(f, "cd %s/stacks && mkdir a && touch a/x.json a.b .hidden && git add -A . && git commit -qm more",
	    f->specs);
	tree = opened(f, f->specs, "HEAD");
	stacks = listed(f, tree, "stacks");
	assert_string_equal(stacks, "a a.b a.json b.json ");
	missing = listed(f, tree, "none/such");
	assert_string_equal(missing, "");
	assert_int_equal(state_git_tree_list(tree, "muster.json", &names, &f->d), -1);
	assert_says(f, "a file, not a directory");
	state_git_tree_free(tree);
}

static void reads_bytes_and_refuses_what_is_none(void **in)
{
	struct fixture *f = *in;
	struct state_git_tree *tree;
	char *text;
	size_t len;

	make_repository(f);
	run(f,
	    "cd %s/files && printf 'a\\0b' >binary && : >empty && ln -s code.py link && mkdir real && echo x >real/x "
	    "&& "
	    "ln -s real linked && printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:00\\n' >large.zip && "
	    "git init -q module && git -C module commit -q --allow-empty -m m && git add -A . && git commit -qm files",
	    f->specs);
	tree = opened(f, f->specs, "HEAD");
	assert_int_equal(state_git_tree_read(tree, "files/binary", 3, &text, &len, &f->d), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	assert_int_equal(state_git_tree_read(tree, "files/empty", 3, &text, &len, &f->d), 0);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(state_git_tree_read(tree, "files/none", 3, &text, &len, &f->d), -ENOENT);
	assert_int_equal(state_git_tree_read(tree, "files/empty/below", 3, &text, &len, &f->d), -ENOENT);
	assert_no_errors(f);
	assert_int_equal(state_git_tree_read(tree, "files/binary", 2, &text, &len, &f->d), -1);
	assert_says(f, "more than the 2");
	assert_int_equal(state_git_tree_read(tree, "files/link", 99, &text, &len, &f->d), -1);
	assert_says(f, "symbolic link");
	assert_int_equal(state_git_tree_read(tree, "files/linked/x", 99, &text, &len, &f->d), -1);
	assert_says(f, "symbolic link");
	assert_int_equal(state_git_tree_read(tree, "files/module/x", 99, &text, &len, &f->d), -1);
	assert_says(f, "submodule");
	assert_int_equal(state_git_tree_read(tree, "files/large.zip", 99, &text, &len, &f->d), -1);
	assert_says(f, "Git LFS");
	assert_int_equal(state_git_tree_read(tree, "files", 99, &text, &len, &f->d), -1);
	assert_says(f, "a directory, not a file");
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = {"",     "/muster.json",  "../specs/muster.json",
						  "a//b", "./muster.json", "files/"};

		assert_int_equal(state_git_tree_read(tree, bad[i], 99, &text, &len, &f->d), i == 3 ? -ENOENT : -1);
		if (i != 3)
			assert_says(f, "not a path inside the spec directory");
	}
	state_git_tree_free(tree);
}

static void tells_of_objects_that_are_missing(void **in)
{
	struct fixture *f = *in;
	struct state_git_tree *tree;
	char *text;
	size_t len;

	make_repository(f);
	run(f, "blob=$(git -C repo rev-parse HEAD:deep/in/specs/muster.json) && rm -f repo/.git/objects/$(echo $blob | "
	       "cut "
	       "-c1-2)/$(echo $blob | cut -c3-)");
	tree = opened(f, f->specs, "HEAD");
	assert_int_equal(state_git_tree_read(tree, "muster.json", 99, &text, &len, &f->d), -1);
	assert_says(f, "git fetch may bring it");
	state_git_tree_free(tree);
}

/* -- What there is no tree for ------------------------------------------------------------------------------------ */

static void says_what_to_do_without_a_repository(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *loose = mem_printf("%s/loose", f->root), *none = mem_printf("%s/none", f->root);

	write_specs(f, "loose");
	refused(f, loose, "HEAD");
	assert_says(f, "in no git repository; muster init makes one");
	refused(f, none, "HEAD");
	assert_true(f->d.errors > 0);
}

static void says_what_to_do_without_a_commit(void **in)
{
	struct fixture *f = *in;

	run(f, "git init -q repo");
	write_specs(f, "repo/deep/in/specs");
	refused(f, f->specs, "HEAD");
	assert_says(f, "has no commit yet; git add and git commit");
	refused(f, f->specs, "main");
	assert_says(f, "has no commit yet");
	/* HEAD is unborn, and yet there are commits elsewhere. */
	run(f, "cd repo && git add -A && git commit -qm one && git switch -q --orphan fresh");
	write_specs(f, "repo/deep/in/specs");
	refused(f, f->specs, "HEAD");
	assert_says(f, "has no commit yet");
	holds(f, f->specs, "main", "{\"Version\": 1}\n");
}

static void says_which_revision_is_unknown(void **in)
{
	struct fixture *f = *in;

	make_repository(f);
	refused(f, f->specs, "nonesuch");
	assert_says(f, "nonesuch: the git repository of ");
	refused(f, f->specs, "0123456789012345678901234567890123456789");
	assert_says(f, "no such revision");
	refused(f, f->specs, "HEAD~100");
	assert_says(f, "no such revision");
	refused(f, f->specs, "HEAD:deep/in/specs/muster.json");
	assert_says(f, "names no commit");
	refused(f, f->specs, "..");
	assert_true(f->d.errors > 0);
	diag_free(&f->d);
	refused(f, f->specs, "");
	assert_true(f->d.errors > 0);
}

static void says_that_the_commit_has_no_specs(void **in)
{
	struct fixture *f = *in;

	make_repository(f);
	refused(f, f->specs, "HEAD~");
	assert_says(f, "has no directory deep/in/specs");
	/* A file where the directory is now. */
	run(f, "cd repo && git checkout -q --orphan file && git rm -rqf --cached . && mkdir x && echo >x/in && git add "
	       "x/in && "
	       "git mv x deep && git commit -qm file && git checkout -qf main");
	refused(f, f->specs, "file");
	assert_says(f, "has no directory deep/in/specs");
}

static void says_how_to_deepen_a_shallow_clone(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *specs = mem_printf("%s/shallow/deep/in/specs", f->root), *old = NULL;
	struct state_git git;

	make_repository(f);
	run(f,
	    "echo two >%s/muster.json && git -C repo commit -qam second && git clone -q --depth 1 file://%s/repo "
	    "shallow",
	    f->specs, f->root);
	old = output(f, "git -C repo rev-parse HEAD~");
	refused(f, specs, old);
	assert_says(f, "git fetch --unshallow");
	refused(f, specs, "HEAD~");
	assert_says(f, "fetch-depth: 0");
	holds(f, specs, "HEAD", "two\n");
	assert_int_equal(state_git_facts(&git, specs, &f->d), 0);
	assert_false(git.dirty);
	state_git_free(&git);
}

static void says_how_to_trust_another_users_repository(void **in)
{
	struct fixture *f = *in;
	struct state_git git;

	if (geteuid() != 0)
		skip();
	make_repository(f);
	run(f, "chown -R 12345 repo");
	/* Who may read the specs may plan from them. */
	assert_int_equal(state_git_facts(&git, f->specs, &f->d), 0);
	assert_true(git.repository && git.distrusted && git.dirty);
	assert_null(git.commit);
	assert_int_equal(f->d.count, 1);
	assert_int_equal(f->d.items[0].level, DIAG_WARNING);
	assert_non_null(strstr(f->d.items[0].text, "git config --global --add safe.directory"));
	diag_free(&f->d);
	state_git_free(&git);
	refused(f, f->specs, "HEAD");
	assert_says(f, "git config --global --add safe.directory");
	/* What the message says helps. */
	run(f, "git config --global --add safe.directory %s/repo", f->root);
	holds(f, f->specs, "HEAD", "{\"Version\": 1}\n");
}

/* -- Kinds of repositories ---------------------------------------------------------------------------------------- */

static void clean_and_readable(struct fixture *f, const char *directory)
{
	mem_auto_str char *specs = mem_printf("%s/%s", f->root, directory);
	struct state_git git;

	assert_int_equal(state_git_facts(&git, specs, &f->d), 0);
	assert_no_errors(f);
	assert_true(git.repository);
	assert_false(git.dirty);
	assert_non_null(git.tree);
	holds(f, specs, git.commit, "{\"Version\": 1}\n");
	state_git_free(&git);
	run(f, "echo >>%s/muster.json", specs);
	assert_int_equal(state_git_facts(&git, specs, &f->d), 0);
	assert_true(git.dirty);
	state_git_free(&git);
}

static void reads_a_worktree(void **in)
{
	make_repository(*in);
	run(*in, "git -C repo worktree add -q ../tree");
	clean_and_readable(*in, "tree/deep/in/specs");
}

static void reads_a_submodule(void **in)
{
	make_repository(*in);
	run(*in, "git init -q super && cd super && git submodule --quiet add ../repo sub && git commit -qm sub");
	clean_and_readable(*in, "super/sub/deep/in/specs");
}

static void reads_a_clone_of_a_bare_repository(void **in)
{
	make_repository(*in);
	run(*in, "git clone -q --bare repo hosted.git && git clone -q hosted.git clone");
	clean_and_readable(*in, "clone/deep/in/specs");
}

static void reads_a_worktree_of_a_bare_repository(void **in)
{
	make_repository(*in);
	run(*in, "git clone -q --bare repo hosted.git && git -C hosted.git worktree add -q ../tree main");
	clean_and_readable(*in, "tree/deep/in/specs");
}

static void reads_a_detached_head(void **in)
{
	make_repository(*in);
	run(*in, "cd repo && git checkout -q --detach && git branch -D main");
	clean_and_readable(*in, "repo/deep/in/specs");
}

static void reads_specs_at_the_top(void **in)
{
	run(*in, "git init -q top");
	write_specs(*in, "top");
	run(*in, "git -C top add -A && git -C top commit -qm top");
	clean_and_readable(*in, "top");
}

static void reads_packed_repositories(void **in)
{
	make_repository(*in);
	run(*in, "git -C repo gc -q");
	clean_and_readable(*in, "repo/deep/in/specs");
}

static void reads_through_a_symbolic_link(void **in)
{
	make_repository(*in);
	run(*in, "ln -s repo/deep/in/specs link");
	clean_and_readable(*in, "link");
}

/* Settings of one worktree turn on an extension that libgit2 1.5 does not know by itself. */
static void reads_a_sparse_checkout(void **in)
{
	make_repository(*in);
	run(*in, "cd repo && mkdir other && echo >other/file && git add -A && git commit -qm other && "
		 "git sparse-checkout set deep && test ! -e other");
	clean_and_readable(*in, "repo/deep/in/specs");
}

static void reads_a_partial_clone(void **in)
{
	make_repository(*in);
	run(*in, "git -C repo config uploadpack.allowFilter true && git clone -q --filter=blob:none file://$PWD/repo "
		 "partial");
	clean_and_readable(*in, "partial/deep/in/specs");
}

static void refuses_a_bare_repository(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *bare = mem_printf("%s/hosted.git", f->root);

	make_repository(f);
	run(f, "git clone -q --bare repo hosted.git");
	refused(f, bare, "HEAD");
	assert_says(f, "a bare one: use a clone of it");
}

/* libgit2 1.5 forgets to free what a regular expression needed that did not match, each time that it opens a repository
 * with extensions (git_regexp_match()). */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2";
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(finds_no_repository),
	    TEST(tells_commit_and_tree),
	    TEST(tells_what_is_not_committed),
	    TEST(names_only_some_of_many_dirty_files),
	    TEST(ignored_stacks_are_dirty),
	    TEST(specs_without_a_commit_are_dirty),
	    TEST(facts_leave_the_index_alone),
	    TEST(reads_any_revision),
	    TEST(lists_folders),
	    TEST(reads_bytes_and_refuses_what_is_none),
	    TEST(tells_of_objects_that_are_missing),
	    TEST(says_what_to_do_without_a_repository),
	    TEST(says_what_to_do_without_a_commit),
	    TEST(says_which_revision_is_unknown),
	    TEST(says_that_the_commit_has_no_specs),
	    TEST(says_how_to_deepen_a_shallow_clone),
	    TEST(says_how_to_trust_another_users_repository),
	    TEST(reads_a_worktree),
	    TEST(reads_a_submodule),
	    TEST(reads_a_clone_of_a_bare_repository),
	    TEST(reads_a_worktree_of_a_bare_repository),
	    TEST(reads_a_detached_head),
	    TEST(reads_specs_at_the_top),
	    TEST(reads_packed_repositories),
	    TEST(reads_through_a_symbolic_link),
	    TEST(reads_a_sparse_checkout),
	    TEST(reads_a_partial_clone),
	    TEST(refuses_a_bare_repository),
	};

	return cmocka_run_group_tests_name("state git", tests, NULL, NULL);
}
