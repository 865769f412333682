/* credential_process: a command that prints credentials as JSON ("Process credential provider" in the AWS SDKs and
 * Tools Reference Guide). Run by /bin/sh, read from the event loop, so that other calls go on meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "providers/aws/credentials/credentials.h"

#define PROCESS_TIMEOUT_MS 60000
#define PROCESS_MAX_BYTES  (256u << 10)
#define EXIT_CHECK_MS      5

extern char **environ;

struct process_source {
	struct aws_source head;
	char *command;
	pid_t pid; /* 0: not running */
	int fd;    /* its standard output, -1: closed */
	struct loop_watch *watch;
	struct loop_timer *timer, *exit_check;
	struct buf output;
};

static void on_exit_check(void *payload);

/* Lets go of everything but the child. */
static void process_close(struct process_source *s)
{
	loop_watch_stop(s->watch);
	loop_timer_cancel(s->timer);
	loop_timer_cancel(s->exit_check);
	if (s->fd >= 0)
		close(s->fd);
	s->watch = NULL;
	s->timer = s->exit_check = NULL;
	s->fd = -1;
}

static void process_kill(struct process_source *s)
{
	process_close(s);
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	s->pid = 0;
	mem_wipe(s->output.data, s->output.cap);
	buf_free(&s->output);
}

static void on_timeout(void *payload)
{
	struct process_source *s = payload;

	s->timer = NULL;
	process_kill(s);
	aws_source_fail(&s->head, true, NULL, "credential_process did not end within %d seconds",
			PROCESS_TIMEOUT_MS / 1000);
}

/* What the command printed and how it ended, as credentials. 0, or -1 with a message. */
static int process_result(struct aws_credentials *out, const struct process_source *s, int status, struct diag *d)
{
	json_auto_t *root = json_loadb(buf_str(&s->output), s->output.len, 0, NULL);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return diag_error(d, "credential_process failed with exit status %d",
				  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	if (json_get_int(root, "Version", 0) != 1)
		return diag_error(d, "credential_process must print a JSON object with \"Version\": 1");
	return aws_credentials_parse(out, buf_str(&s->output), s->output.len, d);
}

static void process_ended(struct process_source *s, int status)
{
	struct aws_credentials found = {0};
	struct diag d = DIAG_INIT;
	int result = process_result(&found, s, status, &d);

	s->pid = 0;
	process_kill(s);
	if (result == 0)
		aws_source_found(&s->head, &found);
	else
		aws_source_fail(&s->head, false, NULL, "%s", diag_first_error(&d));
	aws_credentials_clear(&found);
	diag_free(&d);
}

/* Output ends a moment before the process does. */
static void exit_check(struct process_source *s)
{
	int status;
	pid_t pid = waitpid(s->pid, &status, WNOHANG);

	if (pid == s->pid)
		process_ended(s, status);
	else
		s->exit_check = loop_timer_start(aws_loop(s->head.aws), EXIT_CHECK_MS, on_exit_check, s);
}

static void on_exit_check(void *payload)
{
	struct process_source *s = payload;

	s->exit_check = NULL;
	exit_check(s);
}

static void on_output(void *payload)
{
	struct process_source *s = payload;
	char bytes[4096];
	ssize_t n = read(s->fd, bytes, sizeof bytes);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && s->output.len + (size_t)n <= PROCESS_MAX_BYTES) {
		buf_add(&s->output, bytes, (size_t)n);
		mem_wipe(bytes, sizeof bytes);
		return;
	}
	if (n > 0) {
		process_kill(s);
		aws_source_fail(&s->head, false, NULL, "credential_process prints more than %u bytes",
				PROCESS_MAX_BYTES);
		return;
	}
	loop_watch_stop(s->watch);
	s->watch = NULL;
	exit_check(s);
}

/* The child gets no descriptor of ours but its output, and signals as if we had never touched them. */
static int process_spawn(struct process_source *s)
{
	char *const argv[] = {(char *)"sh", (char *)"-c", s->command, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, ours;
	int fds[2], result;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	sigemptyset(&none);
	sigemptyset(&ours);
	sigaddset(&ours, SIGPIPE); /* ignored while the loop runs */
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&attributes, &ours);
	posix_spawnattr_setsigmask(&attributes, &none);
	result = posix_spawn(&s->pid, "/bin/sh", &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(fds[1]);
	if (result != 0) {
		close(fds[0]);
		s->pid = 0;
		return result;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	s->fd = fds[0];
	return 0;
}

static void process_fetch(struct aws_source *source)
{
	struct process_source *s = (struct process_source *)source;
	struct loop *loop = aws_loop(source->aws);
	int error = process_spawn(s);

	if (error != 0) {
		aws_source_fail(source, false, NULL, "cannot start credential_process: %s", strerror(error));
		return;
	}
	s->watch = loop_watch_start(loop, s->fd, on_output, s);
	s->timer = loop_timer_start(loop, PROCESS_TIMEOUT_MS, on_timeout, s);
}

static void process_cancel(struct aws_source *source)
{
	process_kill((struct process_source *)source);
	aws_source_cancelled(source);
}

static void process_free(struct aws_source *source)
{
	struct process_source *s = (struct process_source *)source;

	process_kill(s);
	free(s->command);
	free(s);
}

struct aws_source *aws_source_process(struct aws *aws, const char *profile, const char *command)
{
	static const struct aws_source_ops ops = {process_fetch, process_free, process_cancel};
	struct process_source *s = mem_alloc(sizeof *s);

	aws_source_init(&s->head, &ops, aws, "profile \"%s\"", profile);
	s->command = mem_strdup(command);
	s->fd = -1;
	return &s->head;
}
