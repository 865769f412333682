/* See words.h. */
#include "cli/words.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

void words_count(struct buf *out, uint64_t count)
{
	if (count >= 1000) {
		words_count(out, count / 1000);
		buf_addf(out, ",%03" PRIu64, count % 1000);
	} else {
		buf_addf(out, "%" PRIu64, count);
	}
}

void words_duration(struct buf *out, int64_t ms)
{
	int64_t seconds = (ms + 500) / 1000;

	if (ms < 9950)
		buf_addf(out, "%" PRId64 ".%" PRId64 " s", (ms + 50) / 1000, (ms + 50) % 1000 / 100);
	else if (seconds < 60)
		buf_addf(out, "%" PRId64 " s", seconds);
	else if (seconds < 3600)
		buf_addf(out, "%" PRId64 " min %02" PRId64 " s", seconds / 60, seconds % 60);
	else
		buf_addf(out, "%" PRId64 " h %02" PRId64 " min", seconds / 3600, seconds % 3600 / 60);
}

void words_plain(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		size_t len = strcspn(text, "\n\t");

		text_clean(out, text, len);
		text += len;
		if (*text == '\0')
			break;
		buf_addc(out, ' ');
	}
}

static void new_line(struct buf *out, size_t indent, size_t *column)
{
	buf_addf(out, "\n%*s", (int)indent, "");
	*column = indent;
}

void words_wrap(struct buf *out, const char *text, size_t indent, size_t width)
{
	size_t column = indent;

	while (*text != '\0') {
		size_t space = strspn(text, " \n"), len = strcspn(text + space, " \n");
		bool paragraph = memmem(text, space, "\n\n", 2) != NULL;

		text += space;
		if (len == 0)
			break;
		if (paragraph) {
			buf_addc(out, '\n');
			new_line(out, indent, &column);
		} else if (column > indent && column + 1 + len > width) {
			new_line(out, indent, &column);
		} else if (column > indent) {
			buf_addc(out, ' ');
			column++;
		}
		buf_add(out, text, len);
		column += len;
		text += len;
	}
	buf_addc(out, '\n');
}

void words_shell(struct buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+=,-";

	if (*text != '\0' && text[strspn(text, plain)] == '\0') {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *text);
	buf_addc(out, '\'');
}

void words_muster(struct buf *out, const char *directory)
{
	buf_adds(out, "muster");
	if (strcmp(directory, ".") == 0)
		return;
	buf_adds(out, " -C ");
	words_shell(out, directory);
}

const char *words_done(const struct plan_change *change)
{
	if (change->record_only)
		return change->moved_from != NULL ? "moved" : "recorded";
	switch (change->action) {
	case PLAN_CREATE:
		return "created";
	case PLAN_ADOPT:
		return "adopted";
	case PLAN_UPDATE:
		return "updated";
	case PLAN_REPLACE:
		return "replaced";
	case PLAN_DELETE:
		return "deleted";
	case PLAN_FORGET:
		return "forgotten";
	case PLAN_NOOP:
		break;
	}
	return "left as it is";
}

const char *words_status(enum apply_status status)
{
	switch (status) {
	case APPLY_WAITING:
		return "waiting";
	case APPLY_RUNNING:
		return "running";
	case APPLY_DONE:
		return "done";
	case APPLY_FAILED:
		return "failed";
	case APPLY_SKIPPED:
		return "skipped";
	case APPLY_NOT_STARTED:
		break;
	}
	return "not_started";
}

void words_cause(struct buf *out, const char *operation, const char *code, const char *message)
{
	if (operation != NULL)
		buf_addf(out, ": %s", operation);
	if (code != NULL)
		buf_addf(out, ": %s", code);
	if (message != NULL)
		buf_addf(out, ": %s", message);
}

void words_holder(struct buf *out, const json_t *holder)
{
	const char *user = json_get_string(holder, "User"), *host = json_get_string(holder, "Host");
	const char *since = json_get_string(holder, "Since"), *command = json_get_string(holder, "Command");
	buf_auto struct buf text = BUF_INIT;

	buf_addf(&text, "pid %lld (%s@%s) since %s: %s", (long long)json_get_int(holder, "Pid", 0),
		 user != NULL ? user : "?", host != NULL ? host : "?", since != NULL ? since : "?",
		 command != NULL ? command : "?");
	words_plain(out, buf_str(&text));
}

void words_markdown(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("\\`*_<>|[]", *text) != NULL)
			buf_addc(out, '\\');
		buf_addc(out, *text == '\n' ? ' ' : *text);
	}
}

/* Bars end a cell even in code. */
void words_markdown_code(struct buf *out, const char *text)
{
	const char *fence = strchr(text, '`') == NULL ? "`" : "``";

	buf_adds(out, fence);
	for (; *text != '\0'; text++)
		buf_addf(out, *text == '|' ? "\\%c" : "%c", *text == '\n' ? ' ' : *text);
	buf_adds(out, fence);
}
