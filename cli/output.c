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

static void add_markdown(struct buf *out, struct plan *plan)
{
	const struct plan_markdown_options options = {.title = plan->drift ? "muster" : NULL,
						      .whole = plan->drift ? "muster drift" : NULL};

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

static int not_written(struct cli *cli)
{
	return diag_error(&cli->diag, "cannot write to stdout: %s", strerror(errno));
}

int output_put(struct cli *cli, const struct buf *text)
{
	if (fwrite(buf_str(text), 1, text->len, stdout) == text->len && fflush(stdout) == 0)
		return 0;
	return not_written(cli);
}

/* Written piece by piece: the text of a large fleet's plan need not be in memory as a whole. */
int output_json(struct cli *cli, const json_t *json)
{
	if (json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF && fflush(stdout) == 0)
		return 0;
	return not_written(cli);
}

int planning_print(struct cli *cli, const struct plan *plan)
{
	buf_auto struct buf text = BUF_INIT;

	add_text(&text, cli, plan);
	return output_put(cli, &text);
}

int output_plan(struct cli *cli, struct plan *plan, const char *format)
{
	json_auto_t *json = strcmp(format, "json") == 0 ? plan_to_json(plan) : NULL;
	buf_auto struct buf text = BUF_INIT;

	if (json != NULL)
		return output_json(cli, json);
	if (strcmp(format, "markdown") == 0)
		add_markdown(&text, plan);
	else if (strcmp(format, "html") == 0)
		add_html(&text, plan);
	else
		add_text(&text, cli, plan);
	return output_put(cli, &text);
}
