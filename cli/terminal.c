/* See terminal.h. */
#include "cli/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_OTHERWISE 100

static int width_of(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void terminal_look(struct terminal *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM"), *columns = getenv("COLUMNS");
	bool dumb = term == NULL || strcmp(term, "dumb") == 0;
	bool color = (no_color == NULL || *no_color == '\0') && !dumb;

	out->out_color = color && isatty(STDOUT_FILENO);
	out->error_color = color && isatty(STDERR_FILENO);
	out->error_moves = !dumb && isatty(STDERR_FILENO);
	out->width = columns == NULL ? 0 : atoi(columns);
	if (out->width <= 0)
		out->width = width_of(STDOUT_FILENO);
	if (out->width <= 0)
		out->width = width_of(STDERR_FILENO);
	if (out->width <= 20 || out->width > 1000)
		out->width = WIDTH_OTHERWISE;
}

int terminal_confirm(const char *question, const char *otherwise, struct diag *d)
{
	char answer[64] = "";

	if (!isatty(STDIN_FILENO))
		return diag_error(d, "nobody is there to say yes; %s", otherwise);
	printf("\n%s Only \"yes\" does it: ", question);
	fflush(stdout);
	if (fgets(answer, sizeof answer, stdin) != NULL && strcmp(answer, "yes\n") == 0)
		return 0;
	/* Where input ends, the cursor still stands behind the question. */
	if (strchr(answer, '\n') == NULL)
		putchar('\n');
	return diag_error(d, "not approved; nothing was changed");
}
