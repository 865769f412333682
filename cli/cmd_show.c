/* muster show */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/report.h"

struct show_arguments {
	struct option_count apply;
	const char *format;
	bool json;
};

static const struct option show_options[] = {
    {"apply", OPTION_COUNT, offsetof(struct show_arguments, apply), "GENERATION",
     "instead of a plan, the report of what that generation applied", NULL},
    {"format", OPTION_CHOICE, offsetof(struct show_arguments, format), NULL, "how to show it", planning_formats},
    {"json", OPTION_FLAG, offsetof(struct show_arguments, json), NULL, "short for --format json", NULL},
    {0},
};

static void show_defaults(void *arguments)
{
	((struct show_arguments *)arguments)->format = "text";
}

static int show(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct show_arguments *given = arguments;
	struct plan *plan = NULL;
	int status = CLI_FAILED;
	struct session s;

	if (given->apply.given == (count > 0)) {
		diag_error(&cli->diag, "muster show needs a plan file, or --apply with a generation, and not both");
		return CLI_FAILED;
	}
	if (given->apply.given)
		return report_show(cli, given->apply.value, given->json ? "json" : given->format);
	session_start(&s, cli);
	if (session_open_provider(&s) == 0 &&
	    plan_file_read(&plan, words[0], s.provider->ops->schemas(s.provider), &cli->diag) == 0)
		status = output_plan(cli, plan, given->json ? "json" : given->format) == 0 ? CLI_DONE : CLI_FAILED;
	plan_free(plan);
	session_close(&s);
	return status;
}

const struct command command_show = {
    .name = "show",
    .words = "[FILE]",
    .words_max = 1,
    .summary = "show a saved plan again, or the report of an apply",
    .details = "A relative path of FILE starts where you are, not at -C.",
    .options = show_options,
    .anywhere = true,
    .arguments_size = sizeof(struct show_arguments),
    .run = show,
    .defaults = show_defaults,
};
