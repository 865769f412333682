/* Command lines: one const table a command says what it takes; parsing and --help both come from it. GNU long options
 * (--name=value, --name value, --no-name for flags), `--` ends them. */
#ifndef MUSTER_CLI_OPTIONS_H
#define MUSTER_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"

enum option_kind {
	OPTION_FLAG,   /* bool; --name sets it, --no-name clears it */
	OPTION_TEXT,   /* const char * */
	OPTION_LIST,   /* struct option_list; may be given again and again */
	OPTION_NUMBER, /* size_t, 1 .. 100000 */
	OPTION_COUNT,  /* struct option_count: a whole number from 0 on */
	OPTION_CHOICE, /* const char *, one of `choices` */
};

struct option {
	const char *name; /* without dashes */
	enum option_kind kind;
	size_t offset;              /* of the value in the command's arguments struct */
	const char *argument;       /* what --help calls the value: "FILE" */
	const char *help;           /* one sentence */
	const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
};

/* Items are borrowed from argv; the array is freed with options_free(). */
struct option_list {
	const char **items;
	size_t count;
};

struct option_count {
	bool given;
	uint64_t value;
};

/* A whole number from 0 on, as an OPTION_COUNT or a word of the command line. `what` it is: "--at", "a generation".
 * 0 or -1 with a message. */
int option_count_parse(uint64_t *out, const char *what, const char *text, struct diag *d);

struct cli;

struct command {
	const char *name;  /* "plan", "state list" */
	const char *words; /* positional arguments for the usage line: "[FILE]" */
	size_t words_min, words_max;
	const char *summary;          /* one line for the list of commands */
	const char *details;          /* paragraphs for --help, or NULL */
	const struct option *options; /* ends with a NULL name; or NULL */
	bool anywhere;                /* works outside of a spec directory too */
	size_t arguments_size;        /* of the struct that `offset` points into */
	/* `arguments` starts zeroed; returns the exit status. */
	int (*run)(struct cli *cli, const void *arguments, const char **words, size_t count);
	/* Sets what is not zero by default (flags that are on); may be NULL. */
	void (*defaults)(void *arguments);
};

/* Parses argv[0..argc) (after the command's name) into `arguments`; what is no option goes to `words` (room for argc).
 * 0; 1 when --help was asked for; -1 with messages. */
int options_parse(const struct command *command, int argc, char **argv, void *arguments, const char **words,
		  size_t *count, struct diag *d);
void options_free(const struct command *command, void *arguments);
/* The page that `muster COMMAND --help` shows, in lines of at most `width` columns. */
void options_help(const struct command *command, size_t width, FILE *out);
/* One line of a list: `left`, and `text` beside it, from the column that all lines of the list share; or below it
 * where there is no room. */
void options_help_line(const char *left, const char *text, size_t column, size_t width, FILE *out);

#endif
