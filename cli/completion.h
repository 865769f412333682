/* Completion of command lines: scripts for shells, made from the option tables; and what the scripts ask muster for
 * while somebody types. */
#ifndef MUSTER_CLI_COMPLETION_H
#define MUSTER_CLI_COMPLETION_H

#include "base/buf.h"
#include "cli/cli.h"

/* What a value or a word is. */
enum completion_kind {
	COMPLETION_NOTHING, /* only the user knows */
	COMPLETION_FILE,
	COMPLETION_ADDRESS, /* of a resource, or a glob over addresses */
	COMPLETION_TYPE,
	COMPLETION_REGION,
	COMPLETION_REVISION, /* of git */
	COMPLETION_SHELL,    /* that has a script */
	COMPLETION_CHOICE,   /* the option's choices */
};

enum completion_kind completion_option_kind(const struct option *option);
/* What the words of a command may be, COMPLETION_NOTHING last; how many there are without it. */
size_t completion_word_kinds(enum completion_kind kinds[4], const struct command *command);
/* "file", "address", ...: how scripts and muster call it. */
const char *completion_kind_name(enum completion_kind kind);
/* Whether a flag is on by default: then what one types is --no-NAME. */
bool completion_flag_on(const struct command *command, const struct option *option);
/* The first word of `command`, if no earlier command begins with it; else NULL. To be freed. */
char *completion_first_word(const struct command *const *command);

/* The scripts. */
void completion_bash(struct buf *out);
void completion_zsh(struct buf *out);
void completion_fish(struct buf *out);

/* One line for each that begins with `prefix`: addresses go on to the next "/". Reads the spec directory only, never
 * the state; what cannot be read is left out. 0, or -1 when there is nothing of this kind. */
int completion_names(struct buf *out, struct cli *cli, const char *kind, const char *prefix);

/* The scripts' fixed parts (cli/completion/), embedded when muster is built; "#{tables}" is where the rest goes. */
extern const char completion_script_bash[];
extern const char completion_script_zsh[];
extern const char completion_script_fish[];
/* `script` with `tables` put in. */
void completion_fill(struct buf *out, const char *script, const struct buf *tables);
/* `text` as one word in single quotes, for all three shells. */
void completion_quote(struct buf *out, const char *text);

#endif
