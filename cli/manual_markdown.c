/* The manual in Markdown. See manual.h. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cli/manual.h"
#include "cli/words.h"

static void add_paragraphs(struct buf *out, const char *text)
{
	const char *end;

	for (; (end = strstr(text, "\n\n")) != NULL; text = end + 2) {
		mem_auto_str char *one = mem_strndup(text, (size_t)(end - text));

		words_markdown(out, one);
		buf_adds(out, "\n\n");
	}
	words_markdown(out, text);
	buf_addc(out, '\n');
}

static void add_option(struct buf *out, const struct option *option)
{
	buf_auto struct buf name = BUF_INIT, argument = BUF_INIT;

	manual_argument(&argument, option);
	buf_addf(&name, "--%s%s%s", option->name, argument.len > 0 ? " " : "", buf_str(&argument));
	buf_adds(out, "| ");
	words_markdown_code(out, buf_str(&name));
	buf_adds(out, " | ");
	words_markdown(out, option->help);
	buf_adds(out, " |\n");
}

static void add_command(struct buf *out, const struct command *command)
{
	bool options = command->options != NULL && command->options->name != NULL;

	buf_addf(out, "\n## muster %s\n\n```\nmuster [-C DIR] %s%s%s%s\n```\n\n%c", command->name, command->name,
		 options ? " [OPTION]..." : "", command->words == NULL ? "" : " ",
		 command->words == NULL ? "" : command->words, toupper((unsigned char)command->summary[0]));
	words_markdown(out, command->summary + 1);
	buf_adds(out, ".\n");
	if (command->details != NULL) {
		buf_addc(out, '\n');
		add_paragraphs(out, command->details);
	}
	if (!options)
		return;
	buf_adds(out, "\n| option | does |\n|---|---|\n");
	for (const struct option *option = command->options; option->name != NULL; option++)
		add_option(out, option);
}

static void add_entries(struct buf *out, const char *heading, const char *what, const struct manual_entry *entries)
{
	buf_addf(out, "\n## %s\n\n| %s | |\n|---|---|\n", heading, what);
	for (; entries->name != NULL; entries++) {
		buf_adds(out, "| ");
		words_markdown_code(out, entries->name);
		buf_adds(out, " | ");
		words_markdown(out, entries->text);
		buf_adds(out, " |\n");
	}
}

static void add_anchor(struct buf *out, const char *name)
{
	buf_addf(out, "[%s](#muster-", name);
	for (; *name != '\0'; name++)
		buf_addc(out, *name == ' ' ? '-' : *name);
	buf_addc(out, ')');
}

void manual_markdown(struct buf *out)
{
	buf_adds(out,
		 "# Commands\n\n"
		 "Made by `make docs` from the program's option tables; `muster COMMAND --help` and `man muster` say "
		 "the same.\n\n");
	words_markdown(out, manual_description);
	buf_adds(out,
		 "\n\n```\nmuster [-C DIR] COMMAND [OPTION]...\n```\n\n"
		 "`-C DIR` works on the specs in `DIR`; files named on the command line are looked for where you are. "
		 "Options of commands come after the command: `--NAME=VALUE` and `--NAME VALUE` are the same, "
		 "`--no-NAME` takes a switch back, `--` ends options.\n\n| command | does |\n|---|---|\n");
	for (const struct command *const *command = cli_commands; *command != NULL; command++) {
		buf_adds(out, "| ");
		add_anchor(out, (*command)->name);
		buf_adds(out, " | ");
		words_markdown(out, (*command)->summary);
		buf_adds(out, " |\n");
	}
	for (const struct command *const *command = cli_commands; *command != NULL; command++)
		add_command(out, *command);
	add_entries(out, "Exit status", "status", manual_statuses);
	add_entries(out, "Environment", "variable", manual_environment);
	add_entries(out, "Files", "file", manual_files);
	buf_adds(out, "\n## Examples\n\n```sh\n");
	for (const struct manual_entry *example = manual_examples; example->name != NULL; example++)
		buf_addf(out, "%s\n", example->name);
	buf_adds(out, "```\n");
}
