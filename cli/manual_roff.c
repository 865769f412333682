/* muster(1). See manual.h. */
#include <ctype.h>
#include <string.h>

#include "cli/manual.h"
#include "cli/words.h"

/* Of the manual's last change that readers would notice; man wants one. */
#define MANUAL_DATE "2026-11-23"

/* groff_char(7): what roff reads as something else, or typesets. A line that starts with a dot is a request.
 */
static void add_text(struct buf *out, const char *text)
{
	static const struct {
		char plain;
		const char *roff;
	} escapes[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"}, {'`', "\\(ga"},
		       {'^', "\\(ha"}, {'~', "\\(ti"}, {'"', "\\(dq"}};

	for (const char *at = text; *at != '\0'; at++) {
		const char *roff = NULL;

		for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
			if (escapes[i].plain == *at)
				roff = escapes[i].roff;
		if (*at == '.' && (at == text || at[-1] == ' ' || at[-1] == '\n'))
			buf_adds(out, "\\&");
		if (roff != NULL)
			buf_adds(out, roff);
		else
			buf_addc(out, *at);
	}
}

/* The same as whole lines, which roff fills anew. */
static void add_lines(struct buf *out, const char *text)
{
	buf_auto struct buf escaped = BUF_INIT;

	add_text(&escaped, text);
	words_wrap(out, buf_str(&escaped), 0, 78);
}

/* Paragraphs; `between` is the macro that parts them. */
static void add_paragraphs(struct buf *out, const char *text, const char *between)
{
	const char *end;

	for (; (end = strstr(text, "\n\n")) != NULL; text = end + 2) {
		buf_auto struct buf one = BUF_INIT;

		buf_add(&one, text, (size_t)(end - text));
		add_lines(out, buf_str(&one));
		buf_addf(out, "%s\n", between);
	}
	add_lines(out, text);
}

static void add_option(struct buf *out, const struct option *option)
{
	buf_auto struct buf argument = BUF_INIT;

	manual_argument(&argument, option);
	buf_adds(out, ".TP\n\\fB\\-\\-");
	add_text(out, option->name);
	buf_adds(out, "\\fR");
	if (argument.len > 0) {
		buf_adds(out, " \\fI");
		add_text(out, buf_str(&argument));
		buf_adds(out, "\\fR");
	}
	buf_addc(out, '\n');
	add_lines(out, option->help);
}

static void add_command(struct buf *out, const struct command *command)
{
	bool options = command->options != NULL && command->options->name != NULL;
	buf_auto struct buf summary = BUF_INIT;

	buf_addf(out, ".SS muster %s\n.B muster %s\n", command->name, command->name);
	if (options || command->words != NULL) {
		buf_addf(out, "%s", options ? "[\\fIOPTION\\fR]... " : "");
		buf_adds(out, "\\fI");
		add_text(out, command->words == NULL ? "" : command->words);
		buf_adds(out, "\\fR\n");
	}
	buf_addf(&summary, "%c%s.", toupper((unsigned char)command->summary[0]), command->summary + 1);
	buf_adds(out, ".PP\n");
	add_lines(out, buf_str(&summary));
	if (command->details != NULL) {
		buf_adds(out, ".PP\n");
		add_paragraphs(out, command->details, ".PP");
	}
	for (const struct option *option = command->options; options && option->name != NULL; option++)
		add_option(out, option);
}

static void add_entries(struct buf *out, const char *heading, const struct manual_entry *entries)
{
	buf_addf(out, ".SH %s\n", heading);
	for (; entries->name != NULL; entries++) {
		buf_adds(out, ".TP\n\\fB");
		add_text(out, entries->name);
		buf_adds(out, "\\fR\n");
		add_lines(out, entries->text);
	}
}

static void add_examples(struct buf *out)
{
	buf_adds(out, ".SH EXAMPLES\n");
	for (const struct manual_entry *example = manual_examples; example->name != NULL; example++) {
		buf_adds(out, example == manual_examples ? "" : ".PP\n");
		add_lines(out, example->text);
		buf_adds(out, ".PP\n.RS\n.nf\n");
		add_text(out, example->name);
		buf_adds(out, "\n.fi\n.RE\n");
	}
}

void manual_roff(struct buf *out)
{
	buf_adds(out, ".\\\" Made by muster help \\-\\-man from the program's option tables.\n"
		      ".TH MUSTER 1 " MANUAL_DATE " \"muster " MUSTER_VERSION "\" \"User Commands\"\n"
		      ".nh\n.ad l\n"
		      ".SH NAME\nmuster \\- plan and apply JSON specs to a fleet of AWS accounts\n"
		      ".SH SYNOPSIS\n.B muster\n[\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n"
		      ".br\n.B muster \\-\\-version\n.br\n.B muster \\-\\-help\n"
		      ".SH DESCRIPTION\n");
	add_paragraphs(out, manual_description, ".PP");
	buf_adds(out, ".SH OPTIONS\n.TP\n\\fB\\-C\\fR \\fIDIR\\fR\nWork on the specs in\n.IR DIR .\nFiles named on the "
		      "command line are looked for where you are.\n"
		      ".TP\n\\fB\\-\\-version\\fR\nShow the version.\n"
		      ".TP\n\\fB\\-\\-help\\fR\nShow the commands; after a command, what it does and its options.\n"
		      ".PP\nOptions of commands come after the command.\n\\fB\\-\\-\\fINAME\\fB=\\fIVALUE\\fR and "
		      "\\fB\\-\\-\\fINAME VALUE\\fR are the same,\n\\fB\\-\\-no\\-\\fINAME\\fR takes a switch back,\n"
		      "\\fB\\-\\-\\fR ends options.\n"
		      ".SH COMMANDS\n");
	for (const struct command *const *command = cli_commands; *command != NULL; command++)
		add_command(out, *command);
	add_entries(out, "EXIT STATUS", manual_statuses);
	add_entries(out, "ENVIRONMENT", manual_environment);
	add_entries(out, "FILES", manual_files);
	add_examples(out);
	buf_adds(out, ".SH SEE ALSO\n.BR git (1),\n.BR aws (1)\n");
}
