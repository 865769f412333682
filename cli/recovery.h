/* What a run that was cut off has left open, as the apply command deals with it. */
#ifndef MUSTER_CLI_RECOVERY_H
#define MUSTER_CLI_RECOVERY_H

#include "cli/cli.h"

/* Settles it by looking in AWS, and says what came of each (as JSON lines on stdout with `json`). The state must be
 * open for writing, and the provider. `plan`: the one that is about to be applied, or NULL. The number of changes
 * settled, or -1. */
int recovery_settle(struct session *s, const struct plan *plan, bool json);
/* Whether anything is still open: CLI_DONE, or CLI_FAILED with what to do about it. *count (may be NULL): how many. */
int recovery_check_open(struct session *s, size_t *count);
/* `apply --recover`: settles, and does nothing else. An exit status. */
int recovery_run(struct session *s, bool json);

#endif
