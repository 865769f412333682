/* muster: finds the command, and the directory it works in. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

static void help(FILE *out)
{
	fprintf(out, "Usage: muster [-C DIR] COMMAND [OPTION]...\n\n"
		     "Plans and applies one set of JSON specs to every account and region of an AWS fleet.\n\n"
		     "Commands:\n");
	for (const struct command *const *command = cli_commands; *command != NULL; command++)
		fprintf(out, "  %-14s%s\n", (*command)->name, (*command)->summary);
	fprintf(out, "\nOptions:\n"
		     "  -C DIR        work on the specs in DIR\n"
		     "  --version     show the version\n"
		     "  --help        show this; muster COMMAND --help tells more of one command\n");
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

static int run_command(struct cli *cli, const struct command *command, int argc, char **argv)
{
	void *arguments = mem_alloc(command->arguments_size);
	const char **words = mem_array((size_t)argc + 1, sizeof *words);
	size_t count;
	int status;

	switch (options_parse(command, argc, argv, arguments, words, &count, &cli->diag)) {
	case 0:
		status = command->run(cli, arguments, words, count);
		break;
	case 1:
		options_help(command, stdout);
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

int main(int argc, char **argv)
{
	struct cli cli = {.directory = ".", .diag = DIAG_INIT, .argc = argc, .argv = argv};
	const struct command *command;
	int at = 1, words;

	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	terminal_look(&cli.terminal);
	while (at < argc && argv[at][0] == '-') {
		if (strcmp(argv[at], "-C") == 0 && at + 1 < argc) {
			cli.directory = argv[at + 1];
			at += 2;
		} else if (strcmp(argv[at], "--version") == 0) {
			puts("muster " MUSTER_VERSION);
			return CLI_DONE;
		} else if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
			help(stdout);
			return CLI_DONE;
		} else {
			diag_error(&cli.diag, "%s is no option of muster itself; muster --help lists them", argv[at]);
			return cli_finish(&cli, CLI_FAILED);
		}
	}
	if (at >= argc) {
		help(stderr);
		return CLI_FAILED;
	}
	command = find_command(argc - at, argv + at, &words);
	if (command == NULL)
		return unknown_command(&cli, argc - at, argv + at);
	return run_command(&cli, command, argc - at - words, argv + at + words);
}
