/* See output.h. */
#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* A plan that was neither saved nor read has no digest yet. */
static void set_digest(struct plan *plan)
{
	if (plan->digest[0] == '\0' && !plan->drift && !plan->past)
		json_decref(plan_to_json(plan));
}

static void add_json(struct buf *out, struct plan *plan)
{
	json_auto_t *json = plan_to_json(plan);
	char *text = json_dumps(json, JSON_INDENT(2));

	buf_adds(out, text != NULL ? text : "");
	buf_addc(out, '\n');
	free(text);
}

static void add_markdown(struct buf *out, struct plan *plan)
{
	const struct plan_markdown_options options = {0};

	set_digest(plan);
	plan_render_markdown(out, plan, &options);
}

static void add_html(struct buf *out, struct plan *plan)
{
	set_digest(plan);
	plan_render_html(out, plan);
}

static void add_text(struct buf *out, const struct cli *cli, const struct plan *plan)
{
	const struct plan_text_options options = {.color = cli->terminal.out_color, .width = cli->terminal.width};

	plan_render_text(out, plan, &options);
}

int output_plan(struct cli *cli, struct plan *plan, const char *format)
{
	buf_auto struct buf text = BUF_INIT;

	if (strcmp(format, "json") == 0)
		add_json(&text, plan);
	else if (strcmp(format, "markdown") == 0)
		add_markdown(&text, plan);
	else if (strcmp(format, "html") == 0)
		add_html(&text, plan);
	else
		add_text(&text, cli, plan);
	if (fwrite(buf_str(&text), 1, text.len, stdout) == text.len && fflush(stdout) == 0)
		return 0;
	diag_error(&cli->diag, "cannot write to stdout: %s", strerror(errno));
	return -1;
}
