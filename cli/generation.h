/* What the commands that speak of generations share: reading one, and saying in a few lines what it was. */
#ifndef MUSTER_CLI_GENERATION_H
#define MUSTER_CLI_GENERATION_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/cli.h"

/* 0 when there is such a generation (0: before the first), else -1 with a message. */
int generation_check(struct state_txn *txn, uint64_t number, struct diag *d);
/* The generation as docs/state.md has it: as state_generation_get(), but one that is still open has the status
 * "running" or, where nobody holds the writer's lock, "interrupted", and what its history knows as its outcome. New
 * reference; NULL with a message. */
json_t *generation_read(struct session *s, struct state_txn *txn, uint64_t number);

/* "complete", "partial", "failed", "interrupted", "running". Borrowed. */
const char *generation_result(const json_t *generation);
/* "3 created, 1 failed in 4.2 s". */
void generation_counts(struct buf *out, const json_t *generation);
/* "generation 5  partial  2026-11-23T12:34:56Z  kato@jump-1  commit 1a2b3c4d5e6f (dirty)" and a newline. */
void generation_line(struct buf *out, const json_t *generation, bool color);
/* "over its limits, with --override-limit: deletes 12, MaxDelete is 10; ...": nothing where it was not. As the
 * generation has it: no text for a terminal yet. */
void generation_overridden(struct buf *out, const json_t *generation);
/* What else there is to say, a line each, indented: counts, what it went back to, limits overridden, approvals, a
 * command that changed the state alone. */
void generation_details(struct buf *out, const json_t *generation);

#endif
