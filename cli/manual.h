/* The reference manual: every command and option from the tables that the command line is read by, and what is true of
 * all commands. One content, two forms. */
#ifndef MUSTER_CLI_MANUAL_H
#define MUSTER_CLI_MANUAL_H

#include "base/buf.h"
#include "cli/cli.h"

/* muster(1), for man: roff with the man macros. */
void manual_roff(struct buf *out);
/* The same in Markdown, for docs/reference/commands.md. */
void manual_markdown(struct buf *out);

struct manual_entry {
	const char *name, *text;
};
/* What is true of all commands, each list ended by a NULL name. Names of examples are command lines. */
extern const struct manual_entry manual_statuses[], manual_environment[], manual_files[], manual_examples[];
/* What muster is: paragraphs, parted by empty lines. */
extern const char manual_description[];

/* "[FILE]", "text|json": what comes after the option's name; "" for flags. */
void manual_argument(struct buf *out, const struct option *option);

#endif
