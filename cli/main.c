/* muster: finds the command, and the directory it works in. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/manual.h"
#include "cli/words.h"

/* Where the texts of the help page begin: two blanks beside the longest command. */
#define HELP_COLUMN 17

static void help(const struct cli *cli, FILE *out)
{
	size_t width = (size_t)cli->terminal.width;
	buf_auto struct buf about = BUF_INIT;

	words_wrap(&about, "Plans and applies one set of JSON specs to every account and region of an AWS fleet.", 0,
		   width);
	fprintf(out, "Usage: muster [-C DIR] COMMAND [OPTION]...\n\n%s\nCommands:\n", buf_str(&about));
	for (const struct command *const *command = cli_commands; *command != NULL; command++)
		options_help_line((*command)->name, (*command)->summary, HELP_COLUMN, width, out);
	fprintf(out, "\nOptions:\n");
	options_help_line("-C DIR",
			  "work on the specs in DIR (files named on the command line are looked for where you are)",
			  HELP_COLUMN, width, out);
	options_help_line("--version", "show the version", HELP_COLUMN, width, out);
	options_help_line("--help", "show this; muster COMMAND --help tells more of one command", HELP_COLUMN, width,
			  out);
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* "state" alone is no command, but what some begin with. */
static bool is_group(const char *name)
{
	size_t len = strlen(name);

	for (const struct command *const *command = cli_commands; *command != NULL; command++)
		if (strncmp((*command)->name, name, len) == 0 && (*command)->name[len] == ' ')
			return true;
	return false;
}

static void help_group(const struct cli *cli, const char *name, FILE *out)
{
	size_t len = strlen(name);

	fprintf(out, "Usage: muster [-C DIR] %s COMMAND [OPTION]...\n\nCommands:\n", name);
	for (const struct command *const *command = cli_commands; *command != NULL; command++)
		if (strncmp((*command)->name, name, len) == 0 && (*command)->name[len] == ' ')
			options_help_line((*command)->name, (*command)->summary, HELP_COLUMN,
					  (size_t)cli->terminal.width, out);
}

/* "state list" is two words on the command line. *words: how many were taken. */
static const struct command *find_command(int argc, char **argv, int *words)
{
	for (const struct command *const *command = cli_commands; *command != NULL; command++) {
		mem_auto_str char *two = argc > 1 ? mem_printf("%s %s", argv[0], argv[1]) : mem_strdup("");

		*words = strchr((*command)->name, ' ') == NULL ? 1 : 2;
		if (strcmp((*command)->name, *words == 1 ? argv[0] : two) == 0)
			return *command;
	}
	return NULL;
}

static int unknown_command(struct cli *cli, int argc, char **argv)
{
	const char *names[64], *meant;
	mem_auto_str char *two = argc > 1 && argv[1][0] != '-' ? mem_printf("%s %s", argv[0], argv[1]) : NULL;
	size_t count = 0;

	while (cli_commands[count] != NULL && count < 64) {
		names[count] = cli_commands[count]->name;
		count++;
	}
	meant = text_nearest(two != NULL ? two : argv[0], names, count);
	if (meant == NULL)
		meant = text_nearest(argv[0], names, count);
	diag_error(&cli->diag, "\"%s\" is no muster command%s%s%s; muster --help lists them", argv[0],
		   meant == NULL ? "" : " (did you mean \"", meant == NULL ? "" : meant, meant == NULL ? "" : "\"?)");
	return cli_finish(cli, CLI_FAILED);
}

/* In a wrong directory nothing may be made, and a word of what to do helps more than a missing file's name. What is
 * there and cannot be read is told by who reads it. */
static int find_specs(struct cli *cli)
{
	mem_auto_str char *path = mem_printf("%s/muster.json", cli->directory);
	mem_auto_str char *here = NULL;

	if (access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return 0;
	if (access(cli->directory, F_OK) != 0)
		return diag_error(&cli->diag, "%s (-C): there is no such directory", cli->directory);
	here = strcmp(cli->directory, ".") == 0 ? getcwd(NULL, 0) : NULL;
	return diag_error(&cli->diag,
			  "%s holds no muster.json; make one with muster init, or name the directory with -C",
			  here != NULL ? here : cli->directory);
}

static int run_command(struct cli *cli, const struct command *command, int argc, char **argv)
{
	void *arguments = mem_alloc(command->arguments_size);
	const char **words = mem_array((size_t)argc + 1, sizeof *words);
	size_t count;
	int status;

	switch (options_parse(command, argc, argv, arguments, words, &count, &cli->diag)) {
	case 0:
		status = CLI_FAILED;
		if (command->anywhere || find_specs(cli) == 0)
			status = command->run(cli, arguments, words, count);
		break;
	case 1:
		options_help(command, (size_t)cli->terminal.width, stdout);
		status = CLI_DONE;
		break;
	default:
		status = CLI_FAILED;
	}
	options_free(command, arguments);
	free(arguments);
	free(words);
	return cli_finish(cli, status);
}

int cli_finish(struct cli *cli, int status)
{
	fflush(stdout);
	diag_print(&cli->diag, stderr, cli->terminal.error_color);
	diag_free(&cli->diag);
	return status;
}

/* -- Ctrl-C ---------------------------------------------------------------------------------------------------------
 * While changes are made, apply listens itself. At all other times the process ends, with a word. */

static void interrupted(int number)
{
	static const char text[] = "\nInterrupted: nothing was changed that is not recorded.\n";

	if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
		/* Nobody is there to read it. */
	}
	raise(number);
}

static void listen(void)
{
	/* Once: the default ends the process as the shell expects it. */
	struct sigaction action = {.sa_handler = interrupted, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)}, before;

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
}

/* -- The command line -----------------------------------------------------------------------------------------------
 */

/* What is no command: perhaps what some begin with. */
static int run_group(struct cli *cli, int argc, char **argv)
{
	if (is_group(argv[0]) && (argc == 1 || is_help(argv[1]))) {
		help_group(cli, argv[0], argc == 1 ? stderr : stdout);
		return argc == 1 ? CLI_FAILED : CLI_DONE;
	}
	return unknown_command(cli, argc, argv);
}

/* muster help --man, --markdown: the manual whole, for make install and make docs. */
static int manual(struct cli *cli, void write(struct buf *out))
{
	buf_auto struct buf page = BUF_INIT;

	write(&page);
	fwrite(buf_str(&page), 1, page.len, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CLI_DONE;
	diag_error(&cli->diag, "the manual cannot be written: %s", strerror(errno));
	return cli_finish(cli, CLI_FAILED);
}

/* muster help COMMAND is muster COMMAND --help. */
static int help_of(struct cli *cli, int argc, char **argv)
{
	const struct command *command;
	int words;

	if (argc == 0) {
		help(cli, stdout);
		return CLI_DONE;
	}
	if (strcmp(argv[0], "--man") == 0)
		return manual(cli, manual_roff);
	if (strcmp(argv[0], "--markdown") == 0)
		return manual(cli, manual_markdown);
	if (is_group(argv[0]) && argc == 1) {
		help_group(cli, argv[0], stdout);
		return CLI_DONE;
	}
	command = find_command(argc, argv, &words);
	if (command == NULL)
		return unknown_command(cli, argc, argv);
	options_help(command, (size_t)cli->terminal.width, stdout);
	return CLI_DONE;
}

static int run(struct cli *cli, int argc, char **argv)
{
	const struct command *command;
	int words;

	if (argc == 0) {
		help(cli, stderr);
		return CLI_FAILED;
	}
	if (strcmp(argv[0], "help") == 0)
		return help_of(cli, argc - 1, argv + 1);
	command = find_command(argc, argv, &words);
	if (command == NULL)
		return run_group(cli, argc, argv);
	return run_command(cli, command, argc - words, argv + words);
}

int main(int argc, char **argv)
{
	struct cli cli = {.directory = ".", .diag = DIAG_INIT, .argc = argc, .argv = argv};
	int at = 1;

	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	listen();
	terminal_look(&cli.terminal);
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (text_starts(argv[at], "-C")) {
			cli.directory = argv[at][2] != '\0' ? argv[at] + 2 : argv[++at];
			if (cli.directory != NULL && *cli.directory != '\0')
				continue;
			diag_error(&cli.diag, "-C needs a directory: muster -C DIR COMMAND");
			return cli_finish(&cli, CLI_FAILED);
		}
		if (strcmp(argv[at], "--version") == 0) {
			puts("muster " MUSTER_VERSION);
			return CLI_DONE;
		}
		if (is_help(argv[at])) {
			help(&cli, stdout);
			return CLI_DONE;
		}
		diag_error(&cli.diag, "%s is no option of muster itself; muster --help lists them", argv[at]);
		return cli_finish(&cli, CLI_FAILED);
	}
	return run(&cli, argc - at, argv + at);
}
