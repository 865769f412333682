/* The report of an apply, made at any time from what its generation keeps: what was done, grouped as in a plan; what
 * failed, by cause; who, when, from which commit. */
#ifndef MUSTER_CLI_REPORT_H
#define MUSTER_CLI_REPORT_H

#include "cli/causes.h"
#include "cli/cli.h"

struct report {
	json_t *generation; /* as generation_read() gives it */
	struct plan *plan;  /* what was done; once the text of that is made, also what failed */
	struct apply_report *failed;
	struct causes causes;
	size_t failures, failures_kept; /* of so many, the first so many are known */
};

/* `format` is "text", "markdown" or "json". Returns the exit status. */
int report_show(struct cli *cli, uint64_t generation, const char *format);

/* -- report_markdown.c ---- */

/* What a comment on GitHub may hold, 65,536 characters, less some for what whoever posts it puts around it. */
#define REPORT_MARKDOWN_MAX 62000

/* What comes before what was done: the outcome, the facts, why what failed did; `most` bytes at most, by folding. */
void report_markdown_head(struct buf *out, const struct report *report, size_t most);

#endif
