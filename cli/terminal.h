/* What the terminal can do: colour and width for results on stdout, movement for progress on stderr. */
#ifndef MUSTER_CLI_TERMINAL_H
#define MUSTER_CLI_TERMINAL_H

#include <stdbool.h>

#include "base/diag.h"

struct terminal {
	bool out_color;   /* stdout takes colour */
	bool error_color; /* stderr takes colour */
	bool error_moves; /* stderr is a terminal whose cursor may be moved */
	int width;        /* columns of stdout, or of stderr, or 100 */
};

/* Looks at the file descriptors, NO_COLOR (no-color.org), TERM and COLUMNS. */
void terminal_look(struct terminal *out);
/* Asks on the terminal: 0 when the answer is "yes", else -1 with a message. `otherwise`: what to do where nobody is
 * there to answer. */
int terminal_confirm(const char *question, const char *otherwise, struct diag *d);

#endif
