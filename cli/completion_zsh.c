/* The tables of cli/completion/zsh.sh: a function for the names of commands, and one that completes what follows. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/completion.h"

/* Text in a specification of _arguments, where brackets and colons end things. */
static void add_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("[]:\\", *text) != NULL)
			buf_addc(out, '\\');
		buf_addc(out, *text);
	}
}

static void add_action(struct buf *out, enum completion_kind kind)
{
	if (kind == COMPLETION_FILE)
		buf_adds(out, "_files");
	else if (kind != COMPLETION_NOTHING)
		buf_addf(out, "_muster_%s", completion_kind_name(kind));
	else
		buf_adds(out, " "); /* nothing to offer, but something to come */
}

static void add_option(struct buf *out, const struct command *command, const struct option *option)
{
	buf_auto struct buf spec = BUF_INIT;

	buf_addf(&spec, "%s--%s%s%s[", option->kind == OPTION_LIST ? "*" : "",
		 completion_flag_on(command, option) ? "no-" : "", option->name,
		 option->kind == OPTION_FLAG ? "" : "=");
	add_escaped(&spec, option->help);
	buf_addc(&spec, ']');
	if (option->kind == OPTION_CHOICE) {
		buf_addf(&spec, ":%s:(", option->name);
		for (const char *const *choice = option->choices; *choice != NULL; choice++)
			buf_addf(&spec, "%s%s", choice == option->choices ? "" : " ", *choice);
		buf_addc(&spec, ')');
	} else if (option->kind != OPTION_FLAG) {
		buf_addc(&spec, ':');
		add_escaped(&spec, option->argument);
		buf_addc(&spec, ':');
		add_action(&spec, completion_option_kind(option));
	}
	buf_adds(out, " \\\n\t\t\t");
	completion_quote(out, buf_str(&spec));
}

static void add_words(struct buf *out, const struct command *command)
{
	enum completion_kind kinds[4];
	size_t count = completion_word_kinds(kinds, command);
	buf_auto struct buf spec = BUF_INIT;

	if (count == 0)
		return;
	buf_adds(&spec, "*:");
	add_escaped(&spec, command->words);
	buf_addc(&spec, ':');
	if (count == 1) {
		add_action(&spec, kinds[0]);
	} else {
		buf_adds(&spec, "_alternative");
		for (size_t i = 0; i < count; i++) {
			buf_addf(&spec, " \"%s:%s:", completion_kind_name(kinds[i]), completion_kind_name(kinds[i]));
			add_action(&spec, kinds[i]);
			buf_addc(&spec, '"');
		}
	}
	buf_adds(out, " \\\n\t\t\t");
	completion_quote(out, buf_str(&spec));
}

/* A branch of `case`: what follows the command, whose last word is the pattern. */
static void add_command(struct buf *out, const struct command *command, const char *pattern)
{
	buf_addf(out, "\t(%s)\n\t\t_arguments \\\n\t\t\t'--help[show what the command does]'", pattern);
	for (const struct option *option = command->options; option != NULL && option->name != NULL; option++)
		add_option(out, command, option);
	add_words(out, command);
	buf_adds(out, "\n\t\t;;\n");
}

static void add_name(struct buf *out, const char *name, const char *summary)
{
	buf_auto struct buf item = BUF_INIT;

	add_escaped(&item, name);
	buf_addf(&item, ":%s", summary);
	buf_adds(out, "\t\t");
	completion_quote(out, buf_str(&item));
	buf_addc(out, '\n');
}

/* "_muster_commands_state": names of the commands that begin with `first`; and what follows them. */
static void add_group(struct buf *out, const char *first)
{
	mem_auto_str char *start = mem_printf("%s ", first);
	buf_auto struct buf names = BUF_INIT, follow = BUF_INIT;

	buf_addf(&names, "_muster_commands_%s() {\n\tlocal -a names=(\n", first);
	buf_addf(&follow, "_muster_command_%s() {\n\tcase $words[1] in\n", first);
	for (const struct command *const *command = cli_commands; *command != NULL; command++)
		if (text_starts((*command)->name, start)) {
			add_name(&names, (*command)->name + strlen(start), (*command)->summary);
			add_command(&follow, *command, (*command)->name + strlen(start));
		}
	buf_addf(out, "%s\t)\n\t_describe 'command' names\n}\n", buf_str(&names));
	buf_addf(out, "%s\tesac\n}\n", buf_str(&follow));
}

void completion_zsh(struct buf *out)
{
	buf_auto struct buf names = BUF_INIT, follow = BUF_INIT, groups = BUF_INIT;

	buf_adds(&names, "_muster_commands() {\n\tlocal -a names=(\n");
	buf_adds(&follow, "_muster_command() {\n\tcase $words[1] in\n");
	for (const struct command *const *command = cli_commands; *command != NULL; command++) {
		mem_auto_str char *first = completion_first_word(command);

		if (first == NULL)
			continue;
		if (strcmp(first, (*command)->name) == 0) {
			add_name(&names, first, (*command)->summary);
			add_command(&follow, *command, first);
			continue;
		}
		buf_addf(&names, "\t\t'%s:muster %s --help lists what there is'\n", first, first);
		add_group(&groups, first);
		buf_addf(&follow,
			 "\t(%s)\n\t\t_arguments -C '1: :_muster_commands_%s' '*:: :->command'\n"
			 "\t\t[[ $state == command ]] && _muster_command_%s\n\t\t;;\n",
			 first, first, first);
	}
	buf_adds(&names, "\t)\n\t_describe 'command' names\n}\n");
	buf_adds(&follow, "\tesac\n}\n");
	buf_adds(&names, buf_str(&groups));
	buf_adds(&names, buf_str(&follow));
	completion_fill(out, completion_script_zsh, &names);
}
