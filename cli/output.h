/* A plan to stdout in the format that was asked for, as plan, show, rollback and drift do. */
#ifndef MUSTER_CLI_OUTPUT_H
#define MUSTER_CLI_OUTPUT_H

#include "cli/cli.h"

/* `format` is one of planning_formats; sets the plan's digest where it has none and the format shows it. 0, or -1 with
 * a message when stdout takes it not. */
int output_plan(struct cli *cli, struct plan *plan, const char *format);

/* A text, and JSON as a text, to stdout: 0, or -1 with a message when stdout takes it not. */
int output_put(struct cli *cli, const struct buf *text);
int output_json(struct cli *cli, const json_t *json);

#endif
