/* The tables of cli/completion/fish.fish: one `complete` a line. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/completion.h"

/* fish knows two escapes in single quotes, of which POSIX shells know none. */
static void add_quoted(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *text);
	}
	buf_addc(out, '\'');
}

static void begin(struct buf *out, const char *condition, const char *words)
{
	buf_addf(out, "complete -c muster -n '%s%s%s'", condition, *words != '\0' ? " " : "", words);
}

static void describe(struct buf *out, const char *text)
{
	buf_adds(out, " -d ");
	add_quoted(out, text);
	buf_addc(out, '\n');
}

static void add_offer(struct buf *out, enum completion_kind kind)
{
	if (kind == COMPLETION_FILE)
		buf_adds(out, " -F");
	else if (kind == COMPLETION_REVISION)
		buf_adds(out, " -a '(__muster_revisions)'");
	else if (kind != COMPLETION_NOTHING)
		buf_addf(out, " -a '(__muster_names %s)'", completion_kind_name(kind));
}

static void add_option(struct buf *out, const struct command *command, const struct option *option)
{
	begin(out, "__muster_using", command->name);
	buf_addf(out, " -l %s%s", completion_flag_on(command, option) ? "no-" : "", option->name);
	if (option->kind == OPTION_CHOICE) {
		buf_adds(out, " -x -a '");
		for (const char *const *choice = option->choices; *choice != NULL; choice++)
			buf_addf(out, "%s%s", choice == option->choices ? "" : " ", *choice);
		buf_addc(out, '\'');
	} else if (option->kind != OPTION_FLAG) {
		buf_adds(out, completion_option_kind(option) == COMPLETION_FILE ? " -r" : " -x");
		add_offer(out, completion_option_kind(option));
	}
	describe(out, option->help);
}

static void add_command(struct buf *out, const struct command *command)
{
	enum completion_kind kinds[4];
	size_t count = completion_word_kinds(kinds, command);

	for (const struct option *option = command->options; option != NULL && option->name != NULL; option++)
		add_option(out, command, option);
	for (size_t i = 0; i < count; i++) {
		begin(out, "__muster_using", command->name);
		add_offer(out, kinds[i]);
		buf_addc(out, '\n');
	}
}

void completion_fish(struct buf *out)
{
	buf_auto struct buf tables = BUF_INIT;

	for (const struct command *const *command = cli_commands; *command != NULL; command++) {
		mem_auto_str char *first = completion_first_word(command);
		const char *second = strchr((*command)->name, ' ');

		if (first != NULL) {
			begin(&tables, "__muster_needs", "");
			buf_addf(&tables, " -a %s", first);
			describe(&tables, second == NULL ? (*command)->summary : "has commands of its own");
		}
		if (second != NULL) {
			mem_auto_str char *group = mem_strndup((*command)->name, (size_t)(second - (*command)->name));

			begin(&tables, "__muster_needs", group);
			buf_addf(&tables, " -a %s", second + 1);
			describe(&tables, (*command)->summary);
		}
		add_command(&tables, *command);
	}
	completion_fill(out, completion_script_fish, &tables);
}
