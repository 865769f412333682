/* What the tests of git.h share: a fresh directory, git in it, spec files. */
#ifndef MUSTER_TEST_GIT_COMMON_H
#define MUSTER_TEST_GIT_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/git.h"

struct fixture {
	char *root;
	char *specs; /* root/repo/deep/in/specs */
	struct diag d;
};

/* Runs a shell command in the fixture's directory. */
static inline void run(const struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void run(const struct fixture *f, const char *format, ...)
{
	mem_auto_str char *command = NULL, *whole = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&command, format, args) < 0)
		abort();
	va_end(args);
	whole = mem_printf("cd %s && { %s; } >%s/log 2>&1", f->root, command, f->root);
	if (system(whole) != 0) {
		whole = mem_printf("cat %s/log >&2", f->root);
		if (system(whole) != 0)
			abort();
		fail_msg("failed: %s", command);
	}
}

/* The output of a shell command, without the newline at its end. Free with free(). */
static inline char *output(const struct fixture *f, const char *command)
{
	mem_auto_str char *path = mem_printf("%s/output", f->root);
	struct buf text = BUF_INIT;

	run(f, "{ %s; } >%s", command, path);
	assert_int_equal(text_file_read(&text, path, 1 << 20), 0);
	while (text.len > 0 && buf_str(&text)[text.len - 1] == '\n')
		buf_truncate(&text, text.len - 1);
	return buf_detach(&text);
}

/* Specs at DIRECTORY, which is inside of a repository. */
static inline void write_specs(const struct fixture *f, const char *directory)
{
	run(f,
	    "mkdir -p %s/stacks %s/files && cd %s && echo '{\"Version\": 1}' >muster.json && echo '{}' >accounts.json "
	    "&& echo '{}' >stacks/b.json && echo '{}' >stacks/a.json && echo code >files/code.py",
	    directory, directory, directory);
}

/* Not the settings of whoever runs the test; libgit2 looks for them in HOME, git where the environment says. */
static inline int fixture_setup(void **out)
{
	struct fixture *f = mem_alloc(sizeof *f);
	char root[] = "/tmp/muster-git-XXXXXX";

	if (mkdtemp(root) == NULL)
		return -1;
	f->root = mem_strdup(root);
	f->specs = mem_printf("%s/repo/deep/in/specs", root);
	setenv("HOME", root, 1);
	unsetenv("XDG_CONFIG_HOME");
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	unsetenv("GIT_CONFIG_GLOBAL");
	setenv("GIT_AUTHOR_NAME", "Ann", 1);
	setenv("GIT_AUTHOR_EMAIL", "ann@example.com", 1);
	setenv("GIT_COMMITTER_NAME", "Ann", 1);
	setenv("GIT_COMMITTER_EMAIL", "ann@example.com", 1);
	run(f, "git config --global init.defaultBranch main; git config --global protocol.file.allow always; "
	       "git config --global advice.detachedHead false");
	*out = f;
	return 0;
}

static inline int fixture_teardown(void **in)
{
	struct fixture *f = *in;
	mem_auto_str char *command = mem_printf("rm -rf %s", f->root);

	if (system(command) != 0)
		return -1;
	diag_free(&f->d);
	free(f->root);
	free(f->specs);
	free(f);
	return 0;
}

/* A repository with specs deep in it and one commit. */
static inline void make_repository(const struct fixture *f)
{
	run(f, "git init -q repo && git -C repo commit -q --allow-empty -m 'before the specs'");
	write_specs(f, "repo/deep/in/specs");
	run(f, "git -C repo add -A && git -C repo commit -q -m first");
}

#define assert_no_errors(f)                                                                                            \
	do {                                                                                                           \
		if ((f)->d.errors > 0)                                                                                 \
			fail_msg("%s", diag_first_error(&(f)->d));                                                     \
	} while (0)

/* The first error has `part` in it; forgets it. */
#define assert_says(f, part)                                                                                           \
	do {                                                                                                           \
		if (strstr(diag_first_error(&(f)->d), part) == NULL)                                                   \
			fail_msg("not \"%s\": %s", part, diag_first_error(&(f)->d));                                   \
		diag_free(&(f)->d);                                                                                    \
	} while (0)

#endif
