/* One line on stderr that says what is going on; only on a terminal, at most ten times a second, gone at the end. */
#include <stdio.h>

#include "base/loop.h"
#include "cli/cli.h"

#define REDRAW_MS 100

void status_start(struct status *status, const struct cli *cli)
{
	*status = (struct status){.enabled = cli->terminal.error_moves};
}

void status_show(void *payload, const char *what, size_t done, size_t total)
{
	struct status *status = payload;
	int64_t now;

	if (!status->enabled)
		return;
	now = loop_wall_ms();
	if (status->shown && now - status->last_ms < REDRAW_MS && done < total)
		return;
	status->last_ms = now;
	status->shown = true;
	fprintf(stderr, "\r\033[K%s: %zu of %zu", what, done, total);
	fflush(stderr);
}

void status_end(struct status *status)
{
	if (status->shown)
		fputs("\r\033[K", stderr);
	status->shown = false;
}
