/* Telling git what became of a commit: a note in refs/notes/muster for each generation (docs/git.md). */
#ifndef MUSTER_CLI_NOTES_H
#define MUSTER_CLI_NOTES_H

#include <stdint.h>

#include "cli/cli.h"

/* Appends the note of a finished generation (0: of the newest) to the commit that it was made from, and those of
 * generations just before it that were cut off before they could. Where there is no repository, or it does not have the
 * commit, nothing is written. The state has it all, so what goes wrong here is a warning. The session's state is open,
 * without a write transaction. */
void notes_write(struct session *s, uint64_t generation);

#endif
