/* What completion scripts have in common: which option takes what. See completion.h. */
#include "cli/completion.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* By the names that --help gives to values and words. */
static const struct {
	const char *argument;
	enum completion_kind kind;
	const char *command; /* only of this one; NULL: of all */
} arguments[] = {
    {"FILE", COMPLETION_FILE, NULL},        {"SIGFILE", COMPLETION_FILE, NULL},
    {"KEY", COMPLETION_FILE, NULL},         {"ADDRESS", COMPLETION_ADDRESS, NULL},
    {"GLOB", COMPLETION_ADDRESS, NULL},     {"FROM", COMPLETION_ADDRESS, "state mv"},
    {"TO", COMPLETION_ADDRESS, "state mv"}, {"TYPE", COMPLETION_TYPE, NULL},
    {"REGION", COMPLETION_REGION, NULL},    {"REV", COMPLETION_REVISION, NULL},
    {"SHELL", COMPLETION_SHELL, NULL},
};

static enum completion_kind argument_kind(const char *argument, size_t len, const char *command)
{
	for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
		if (strlen(arguments[i].argument) == len && strncmp(arguments[i].argument, argument, len) == 0 &&
		    (arguments[i].command == NULL || strcmp(arguments[i].command, command) == 0))
			return arguments[i].kind;
	return COMPLETION_NOTHING;
}

enum completion_kind completion_option_kind(const struct option *option)
{
	if (option->kind == OPTION_CHOICE)
		return COMPLETION_CHOICE;
	return option->argument == NULL ? COMPLETION_NOTHING
					: argument_kind(option->argument, strlen(option->argument), "");
}

size_t completion_word_kinds(enum completion_kind kinds[4], const struct command *command)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_=";
	const char *at = command->words == NULL ? "" : command->words;
	size_t count = 0;

	while (*at != '\0' && count < 3) {
		size_t len = strspn(at, letters);
		enum completion_kind kind = argument_kind(at, len, command->name);
		bool known = kind == COMPLETION_NOTHING;

		for (size_t i = 0; i < count; i++)
			known = known || kinds[i] == kind;
		if (!known)
			kinds[count++] = kind;
		at += len == 0 ? 1 : len;
	}
	kinds[count] = COMPLETION_NOTHING;
	return count;
}

const char *completion_kind_name(enum completion_kind kind)
{
	static const char *const names[] = {
	    [COMPLETION_NOTHING] = "nothing", [COMPLETION_FILE] = "file",     [COMPLETION_ADDRESS] = "address",
	    [COMPLETION_TYPE] = "type",       [COMPLETION_REGION] = "region", [COMPLETION_REVISION] = "revision",
	    [COMPLETION_CHOICE] = "choice",   [COMPLETION_SHELL] = "shell",
	};

	return names[kind];
}

bool completion_flag_on(const struct command *command, const struct option *option)
{
	void *values;
	bool on;

	if (option->kind != OPTION_FLAG || command->defaults == NULL)
		return false;
	values = mem_alloc(command->arguments_size);
	command->defaults(values);
	on = *(bool *)((char *)values + option->offset);
	free(values);
	return on;
}

char *completion_first_word(const struct command *const *command)
{
	size_t len = strcspn((*command)->name, " ");

	for (const struct command *const *before = cli_commands; before != command; before++)
		if (strncmp((*before)->name, (*command)->name, len) == 0 && strchr(" ", (*before)->name[len]) != NULL)
			return NULL;
	return mem_strndup((*command)->name, len);
}

void completion_quote(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *text);
	}
	buf_addc(out, '\'');
}

void completion_fill(struct buf *out, const char *script, const struct buf *tables)
{
	static const char mark[] = "#{tables}\n";
	const char *at = strstr(script, mark);

	buf_add(out, script, (size_t)(at - script));
	buf_adds(out, buf_str(tables));
	buf_adds(out, at + strlen(mark));
}
