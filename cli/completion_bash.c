/* The tables of cli/completion/bash.sh. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/completion.h"

/* One line of the script's `case`: 'KEY') echo 'WORDS' ;; */
static void add_case(struct buf *out, const char *key, const struct buf *words)
{
	buf_adds(out, "\t");
	completion_quote(out, key);
	buf_adds(out, ") echo ");
	completion_quote(out, buf_str(words));
	buf_adds(out, " ;;\n");
}

static void add_word(struct buf *words, const char *before, const char *word)
{
	buf_addf(words, "%s%s%s", words->len > 0 ? " " : "", before, word);
}

static void commands(struct buf *out)
{
	buf_auto struct buf words = BUF_INIT;

	for (const struct command *const *command = cli_commands; *command != NULL; command++) {
		mem_auto_str char *first = completion_first_word(command);

		if (first != NULL)
			add_word(&words, "", first);
	}
	add_case(out, "commands", &words);
}

/* The second words of the commands that begin with `first`. */
static void group(struct buf *out, const char *first)
{
	buf_auto struct buf words = BUF_INIT;
	mem_auto_str char *key = mem_printf("commands %s", first), *start = mem_printf("%s ", first);

	for (const struct command *const *command = cli_commands; *command != NULL; command++)
		if (text_starts((*command)->name, start))
			add_word(&words, "", (*command)->name + strlen(start));
	if (words.len > 0)
		add_case(out, key, &words);
}

static void value(struct buf *out, const struct command *command, const struct option *option)
{
	buf_auto struct buf words = BUF_INIT;
	mem_auto_str char *key = mem_printf("value %s --%s", command->name, option->name);

	if (option->kind == OPTION_FLAG)
		return;
	buf_adds(&words, completion_kind_name(completion_option_kind(option)));
	for (const char *const *choice = option->choices; choice != NULL && *choice != NULL; choice++)
		add_word(&words, "", *choice);
	add_case(out, key, &words);
}

static void one(struct buf *out, const struct command *command)
{
	buf_auto struct buf options = BUF_INIT, words = BUF_INIT;
	mem_auto_str char *options_key = mem_printf("options %s", command->name);
	mem_auto_str char *words_key = mem_printf("words %s", command->name);
	enum completion_kind kinds[4];

	for (const struct option *option = command->options; option != NULL && option->name != NULL; option++)
		add_word(&options, completion_flag_on(command, option) ? "--no-" : "--", option->name);
	add_word(&options, "", "--help");
	add_case(out, options_key, &options);
	for (size_t i = 0; i < completion_word_kinds(kinds, command); i++)
		add_word(&words, "", completion_kind_name(kinds[i]));
	if (words.len > 0)
		add_case(out, words_key, &words);
	for (const struct option *option = command->options; option != NULL && option->name != NULL; option++)
		value(out, command, option);
}

void completion_bash(struct buf *out)
{
	buf_auto struct buf tables = BUF_INIT;

	commands(&tables);
	for (const struct command *const *at = cli_commands; *at != NULL; at++) {
		const struct command *command = *at;
		mem_auto_str char *first = completion_first_word(at);

		if (first != NULL)
			group(&tables, first);
		one(&tables, command);
	}
	completion_fill(out, completion_script_bash, &tables);
}
