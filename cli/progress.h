/* Shows an apply as it goes, on stderr: a bar on a terminal, plain lines elsewhere; or JSON lines on stdout with
 * --json. */
#ifndef MUSTER_CLI_PROGRESS_H
#define MUSTER_CLI_PROGRESS_H

#include "apply/apply.h"
#include "cli/cli.h"

struct progress;

/* `plan` must outlive it. */
void progress_new(struct progress **out, const struct cli *cli, const struct plan *plan, bool json);
/* The events to give to apply_run(); valid as long as the progress. */
struct apply_events progress_events(struct progress *progress);
/* Clears the bar. NULL is fine. */
void progress_free(struct progress *progress);

#endif
