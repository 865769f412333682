/* Runs the code of functions: unzipped to a directory of its own, by python3, with the environment that Lambda gives
 * it, and for no longer than its timeout. The loop goes on meanwhile, since the code may call the sandbox back. */
#include "tests/sandbox/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE  4
#define LOG_KEPT 4000

extern char **environ;

/* One invocation: waiting (pid 0), then running. */
struct sb_run {
	struct sb_run *next;
	pid_t pid;
	char *dir;
	json_t *trace, *function, *payload;
	int hop;
	int64_t started_ms, limit_ms;
	bool timed_out;
};

/* Argument 1: the directory with code.zip and event.json. Leaves result.json or error.json there. */
static const char bootstrap[] =
    "import importlib, json, os, sys, time, traceback, zipfile\n"
    "where = sys.argv[1]\n"
    "task = os.path.join(where, 'task')\n"
    "began = time.monotonic()\n"
    "class Context:\n"
    "    function_name = os.environ['AWS_LAMBDA_FUNCTION_NAME']\n"
    "    function_version = '$LATEST'\n"
    "    invoked_function_arn = os.environ['MUSTER_SANDBOX_FUNCTION_ARN']\n"
    "    memory_limit_in_mb = os.environ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']\n"
    "    aws_request_id = os.environ['MUSTER_SANDBOX_REQUEST_ID']\n"
    "    log_group_name = '/aws/lambda/' + function_name\n"
    "    log_stream_name = 'sandbox'\n"
    "    def get_remaining_time_in_millis(self):\n"
    "        spent = time.monotonic() - began\n"
    "        return max(0, int(float(os.environ['MUSTER_SANDBOX_LIMIT_MS']) - spent * 1000))\n"
    "def leave(name, value):\n"
    "    with open(os.path.join(where, name), 'w', encoding='utf-8') as file:\n"
    "        json.dump(value, file)\n"
    "try:\n"
    "    zipfile.ZipFile(os.path.join(where, 'code.zip')).extractall(task)\n"
    "    sys.path.insert(0, task)\n"
    "    os.chdir(task)\n"
    "    with open(os.path.join(where, 'event.json'), encoding='utf-8') as file:\n"
    "        event = json.load(file)\n"
    "    module, _, name = os.environ['_HANDLER'].rpartition('.')\n"
    "    leave('result.json', getattr(importlib.import_module(module.replace('/', '.')), name)(event, Context()))\n"
    "except BaseException as error:\n"
    "    traceback.print_exc()\n"
    "    leave('error.json', {'errorType': type(error).__name__, 'errorMessage': str(error)})\n"
    "    sys.exit(1)\n";

/* ---- files ---- */

static int entry_remove(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

static char *file_read(const char *dir, const char *name, size_t most)
{
	mem_auto_str char *path = mem_printf("%s/%s", dir, name);
	FILE *file = fopen(path, "rb");
	char *text;
	size_t len;
	long size;

	if (file == NULL)
		return NULL;
	/* The end is what says most. */
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > (long)most)
		fseek(file, size - (long)most, SEEK_SET);
	else
		rewind(file);
	text = mem_array(most + 1, 1);
	len = fread(text, 1, most, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static int file_write(const char *dir, const char *name, const void *bytes, size_t len)
{
	mem_auto_str char *path = mem_printf("%s/%s", dir, name);
	FILE *file = fopen(path, "wb");
	size_t written;

	if (file == NULL)
		return -1;
	written = fwrite(bytes, 1, len, file);
	return fclose(file) == 0 && written == len ? 0 : -1;
}

static int files_make(struct sb_run *run)
{
	const char *root = getenv("TMPDIR"), *code = sb_str(run->function, "_Code", "");
	mem_auto_str char *raw = mem_array(strlen(code) + 4, 1),
			  *event = json_dumps(run->payload, JSON_COMPACT | JSON_ENCODE_ANY);

	run->dir = mem_printf("%s/muster-sandbox.XXXXXX", root == NULL || root[0] == '\0' ? "/tmp" : root);
	if (mkdtemp(run->dir) == NULL) {
		free(run->dir);
		run->dir = NULL;
		return -1;
	}
	EVP_DecodeBlock((unsigned char *)raw, (const unsigned char *)code, (int)strlen(code));
	if (file_write(run->dir, "code.zip", raw, (size_t)sb_int(run->function, "CodeSize", 0)) != 0 || event == NULL)
		return -1;
	return file_write(run->dir, "event.json", event, strlen(event));
}

/* ---- the child ---- */

static void environment_add(char **list, size_t *count, const char *name, const char *value)
{
	list[(*count)++] = mem_printf("%s=%s", name, value);
}

static char **environment_make(struct sb *sb, struct sb_run *run)
{
	json_t *variables = json_object_get(json_object_get(run->function, "Environment"), "Variables"), *value;
	char **list = mem_array(json_object_size(variables) + 32, sizeof *list), uuid[37], text[32];
	const char *arn = sb_str(run->function, "FunctionArn", ""), *name,
		   *inherited[] = {"PATH", "HOME", "LANG", "TMPDIR"};
	mem_auto_str char *region = sb_arn_part(arn, 3), *url = mem_printf("http://127.0.0.1:%u", sb->port);
	size_t count = 0;

	sb_uuid(uuid);
	for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++) {
		if (getenv(inherited[i]) != NULL)
			environment_add(list, &count, inherited[i], getenv(inherited[i]));
	}
	environment_add(list, &count, "AWS_REGION", region);
	environment_add(list, &count, "AWS_DEFAULT_REGION", region);
	environment_add(list, &count, "AWS_ENDPOINT_URL", url);
	environment_add(list, &count, "AWS_LAMBDA_FUNCTION_NAME", sb_str(run->function, "FunctionName", ""));
	environment_add(list, &count, "AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
	snprintf(text, sizeof text, "%lld", (long long)sb_int(run->function, "MemorySize", 128));
	environment_add(list, &count, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", text);
	environment_add(list, &count, "_HANDLER", sb_str(run->function, "Handler", ""));
	environment_add(list, &count, "TZ", ":UTC");
	environment_add(list, &count, "PYTHONDONTWRITEBYTECODE", "1");
	environment_add(list, &count, "PYTHONIOENCODING", "utf-8");
	environment_add(list, &count, "MUSTER_SANDBOX_FUNCTION_ARN", arn);
	environment_add(list, &count, "MUSTER_SANDBOX_REQUEST_ID", uuid);
	snprintf(text, sizeof text, "%lld", (long long)run->limit_ms);
	environment_add(list, &count, "MUSTER_SANDBOX_LIMIT_MS", text);
	json_object_foreach(variables, name, value)
	{
		environment_add(list, &count, name, json_string_value(value));
	}
	return list;
}

/* In the child: only calls that are safe after a fork. */
static void child_run(const char *dir, const char *log, char **environment)
{
	const char *arguments[] = {"python3", "-c", bootstrap, dir, NULL};
	int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), in = open("/dev/null", O_RDONLY);
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	close_range(3, ~0U, 0);
	environ = environment;
	execvp("python3", (char *const *)(uintptr_t)arguments);
	_exit(127);
}

static void run_begin(struct sb *sb, struct sb_run *run)
{
	mem_auto_str char *log = NULL;
	char **environment;

	if (files_make(run) != 0)
		return;
	log = mem_printf("%s/log", run->dir);
	environment = environment_make(sb, run);
	run->started_ms = sb_now_ms();
	run->pid = fork();
	if (run->pid == 0)
		child_run(run->dir, log, environment);
	for (size_t i = 0; environment[i] != NULL; i++)
		free(environment[i]);
	free(environment);
}

/* ---- the end ---- */

/* What was left undelivered goes to the function's dead letter queue, if its role may send there. */
static void dead_letter(struct sb *sb, struct sb_run *run)
{
	const char *queue = sb_str(json_object_get(run->function, "DeadLetterConfig"), "TargetArn", "");
	const char *arn = sb_str(run->function, "Role", ""), *why;
	mem_auto_str char *text = json_dumps(run->payload, JSON_COMPACT | JSON_ENCODE_ANY);
	struct sb_ask ask = {.action = "sqs:SendMessage", .resource = queue};
	json_t *role = sb_role_seen(sb, arn);

	if (queue[0] == '\0')
		return;
	if (role == NULL || !sb_role_may(sb, role, &ask))
		why = "the function's role may not send to the queue";
	else
		why = sb_queue_put(sb, queue, text);
	sb_hop(run->trace, run->hop, "dead-letter queue", queue, why == NULL ? "delivered" : "stopped", "%s",
	       why == NULL ? "the function failed" : why);
}

static char *failure_text(struct sb_run *run, int status)
{
	mem_auto_str char *text = run->dir == NULL ? NULL : file_read(run->dir, "error.json", LOG_KEPT);
	json_auto_t *error = text == NULL ? NULL : json_loads(text, 0, NULL);

	if (run->dir == NULL || run->pid < 0)
		return mem_printf("the sandbox could not start it: %s", strerror(errno));
	if (run->timed_out)
		return mem_printf("Task timed out after %.2f seconds", (double)run->limit_ms / 1000.0);
	if (error != NULL)
		return mem_printf("%s: %s", sb_str(error, "errorType", ""), sb_str(error, "errorMessage", ""));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return mem_strdup("python3 is not installed, so the sandbox cannot run the function");
	return mem_printf("Runtime exited with status %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void run_end(struct sb *sb, struct sb_run *run, int status)
{
	bool good =
	    run->dir != NULL && run->pid > 0 && !run->timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	mem_auto_str char *log = run->dir == NULL ? NULL : file_read(run->dir, "log", LOG_KEPT);
	mem_auto_str char *result = good ? file_read(run->dir, "result.json", LOG_KEPT) : NULL;
	mem_auto_str char *why = good ? NULL : failure_text(run, status);
	json_t *hop = json_array_get(json_object_get(run->trace, "Hops"), (size_t)run->hop - 1), *value;

	sb_hop_end(run->trace, run->hop, good ? "delivered" : "failed", why);
	if (log != NULL && log[0] != '\0' && (value = json_string(log)) != NULL)
		json_object_set_new(hop, "Log", value);
	if (result != NULL && (value = json_loads(result, JSON_DECODE_ANY, NULL)) != NULL)
		json_object_set_new(hop, "Result", value);
	json_object_set_new(hop, "Ms", json_integer(sb_now_ms() - run->started_ms));
	if (!good)
		dead_letter(sb, run);
}

static void run_free(struct sb_run *run)
{
	if (run->dir != NULL)
		nftw(run->dir, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(run->dir);
	json_decref(run->trace);
	json_decref(run->function);
	json_decref(run->payload);
	free(run);
}

/* ---- the list ---- */

size_t sb_runs_count(const struct sb *sb)
{
	size_t count = 0;

	for (const struct sb_run *run = sb->runs; run != NULL; run = run->next)
		count++;
	return count;
}

void sb_run_start(struct sb *sb, json_t *trace, int hop, json_t *function, json_t *payload)
{
	struct sb_run *run, **last = &sb->runs;

	if (!sb_glob("python3*", sb_str(function, "Runtime", ""))) {
		sb_hop_end(trace, hop, "stopped", "the sandbox runs only Python functions");
		return;
	}
	run = mem_alloc(sizeof *run);
	run->trace = json_incref(trace);
	run->hop = hop;
	run->function = json_copy(function);
	run->payload = json_deep_copy(payload);
	run->limit_ms = sb_int(function, "Timeout", 3) * 1000;
	while (*last != NULL)
		last = &(*last)->next;
	*last = run;
}

/* Whether a run is over; `*status` as waitpid() has it. */
static bool run_over(struct sb_run *run, int64_t now_ms, int *status)
{
	if (run->dir == NULL || run->pid <= 0)
		return true;
	if (!run->timed_out && now_ms - run->started_ms > run->limit_ms) {
		run->timed_out = true;
		kill(-run->pid, SIGKILL);
	}
	return waitpid(run->pid, status, WNOHANG) == run->pid;
}

void sb_runs_poll(struct sb *sb)
{
	struct sb_run **at = &sb->runs;
	int64_t now = sb->runs == NULL ? 0 : sb_now_ms();
	int busy = 0, status = 0;

	while (*at != NULL) {
		struct sb_run *run = *at;

		if (run->started_ms == 0 && busy < AT_ONCE)
			run_begin(sb, run);
		if (run->started_ms == 0 && busy < AT_ONCE)
			run->started_ms = now; /* it could not begin: ends below */
		if (run->started_ms == 0 || !run_over(run, now, &status)) {
			busy++;
			at = &run->next;
			continue;
		}
		*at = run->next;
		run_end(sb, run, status);
		run_free(run);
	}
}

int64_t sb_runs_wait_ms(struct sb *sb, int64_t most)
{
	int64_t now = sb->runs == NULL ? 0 : sb_now_ms();

	for (struct sb_run *run = sb->runs; run != NULL; run = run->next) {
		int64_t left = run->started_ms == 0 ? 50 : run->started_ms + run->limit_ms + 1 - now;

		if (run->timed_out || left < 0)
			left = 10;
		if (left < most)
			most = left;
	}
	return most;
}

void sb_runs_stop(struct sb *sb)
{
	int status;

	while (sb->runs != NULL) {
		struct sb_run *run = sb->runs;

		sb->runs = run->next;
		if (run->pid > 0) {
			kill(-run->pid, SIGKILL);
			waitpid(run->pid, &status, 0);
		}
		run_free(run);
	}
}
