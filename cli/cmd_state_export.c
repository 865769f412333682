/* muster state export */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/words.h"

struct export_arguments {
	const char *out;
	bool secrets;
};

static const struct option export_options[] = {
    {"out", OPTION_TEXT, offsetof(struct export_arguments, out), "FILE", "write to a file, not to stdout", NULL},
    {"secrets", OPTION_FLAG, offsetof(struct export_arguments, secrets), NULL,
     "with sensitive properties, and with the hashes of secrets and their key", NULL},
    {0},
};

struct exporting {
	const struct export_arguments *given;
	json_t *document;
};

/* An apply takes the lock before it writes anything: held after this transaction was begun, it is running, and what it
 * does from now on the export would not have. */
static int refuse_running(const struct session *s)
{
	json_auto_t *holder = NULL;
	buf_auto struct buf words = BUF_INIT;
	int held;

	held = state_lock_holder(s->state_directory, &holder, &s->cli->diag);
	if (held <= 0)
		return held;
	words_holder(&words, holder);
	return diag_error(&s->cli->diag,
			  "the state is being written to by %s; an export would be out of date at once: wait until "
			  "that is done, and export then",
			  buf_str(&words));
}

static void tell_open(const struct session *s, const json_t *document)
{
	size_t count = json_object_size(json_object_get(document, "Intents"));

	if (count > 0)
		diag_warning(
		    &s->cli->diag,
		    "an apply that was cut off may have left something under way at %zu address%s; the export has "
		    "that too, and the first muster apply after its import settles it",
		    count, count == 1 ? "" : "es");
}

static int look(struct session *s, struct state_txn *txn, void *payload)
{
	struct exporting *exporting = payload;

	if (refuse_running(s) < 0)
		return -1;
	if (apply_state_export(&exporting->document, txn, s->provider->ops->schemas(s->provider),
			       exporting->given->secrets, &s->cli->diag) < 0)
		return -1;
	tell_open(s, exporting->document);
	return 0;
}

/* Whole or not at all, and readable by its owner only. */
static int write_file(const char *path, const char *text, struct diag *d)
{
	mem_auto_str char *part = mem_printf("%s.part", path);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool written;

	if (file == NULL)
		return diag_error(d, "%s: %s", part, strerror(errno));
	written = fputs(text, file) >= 0 && fputc('\n', file) != EOF && fflush(file) == 0 && fsync(fd) == 0;
	written = fclose(file) == 0 && written;
	if (written && rename(part, path) == 0)
		return 0;
	diag_error(d, "%s: %s", path, strerror(errno));
	unlink(part);
	return -1;
}

static int state_export(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	struct exporting exporting = {.given = arguments};
	char *text;
	int result;

	(void)words;
	(void)count;
	if (session_read_state(cli, true, look, &exporting) < 0)
		return CLI_FAILED;
	text = json_dumps(exporting.document, JSON_INDENT(2));
	json_decref(exporting.document);
	if (exporting.given->out != NULL)
		result = write_file(exporting.given->out, text, &cli->diag);
	else
		result = puts(text) == EOF ? diag_error(&cli->diag, "stdout: %s", strerror(errno)) : 0;
	if (exporting.given->secrets)
		mem_wipe(text, strlen(text));
	free(text);
	return result < 0 ? CLI_FAILED : CLI_DONE;
}

const struct command command_state_export = {
    .name = "state export",
    .summary = "write everything that is recorded as one JSON document",
    .details = "muster state import FILE takes it into an empty state. History is not in it.",
    .options = export_options,
    .arguments_size = sizeof(struct export_arguments),
    .run = state_export,
};
