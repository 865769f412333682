/* muster plan */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/words.h"

struct plan_arguments {
	struct planning planning;
	const char *out, *format;
	bool json, detailed_exitcode;
};

static const char *const formats[] = {"text", "json", NULL};

static const struct option plan_option_table[] = {
    {"out", OPTION_TEXT, offsetof(struct plan_arguments, out), "FILE",
     "save the plan, for apply (a relative path starts where you are, not at -C)", NULL},
    {"refresh", OPTION_FLAG, offsetof(struct plan_arguments, planning.refresh), NULL,
     "read live resources first (--no-refresh: trust the state)", NULL},
    {"only", OPTION_TEXT, offsetof(struct plan_arguments, planning.only), "GLOB",
     "only resources whose address matches", NULL},
    {"destroy", OPTION_FLAG, offsetof(struct plan_arguments, planning.destroy), NULL,
     "plan to delete everything that is recorded", NULL},
    {"adopt", OPTION_LIST, offsetof(struct plan_arguments, planning.adopt), "GLOB",
     "take over what exists already at these addresses", NULL},
    {"parameter", OPTION_LIST, offsetof(struct plan_arguments, planning.parameters), "NAME=VALUE",
     "give a parameter of the stacks a value", NULL},
    {"format", OPTION_CHOICE, offsetof(struct plan_arguments, format), NULL, "how to show the plan", formats},
    {"json", OPTION_FLAG, offsetof(struct plan_arguments, json), NULL, "short for --format json", NULL},
    {"detailed-exitcode", OPTION_FLAG, offsetof(struct plan_arguments, detailed_exitcode), NULL,
     "exit with 2 when there are changes", NULL},
    {0},
};

static void plan_defaults(void *arguments)
{
	struct plan_arguments *given = arguments;

	given->planning.refresh = true;
	given->format = "text";
}

static void saved(const struct cli *cli, const char *file)
{
	buf_auto struct buf command = BUF_INIT;

	words_muster(&command, cli->directory);
	buf_adds(&command, " apply ");
	words_shell(&command, file);
	fprintf(stderr, "Saved as %s; apply exactly this with: %s\n", file, buf_str(&command));
}

static int show(struct cli *cli, struct plan *plan, const struct plan_arguments *given)
{
	/* Saving first: what was shown should be what can be applied. */
	if (given->out != NULL && plan_file_write(plan, given->out, &cli->diag) < 0)
		return CLI_FAILED;
	if (given->json || given->format[0] == 'j') {
		json_auto_t *json = plan_to_json(plan);

		json_dumpf(json, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		planning_print(cli, plan);
	}
	if (given->out != NULL)
		saved(cli, given->out);
	if (!given->detailed_exitcode)
		return CLI_DONE;
	/* Whoever asks for the exit status must not take a fleet that was not seen for one without changes. */
	if (plan->change_count > 0)
		return CLI_CHANGES;
	return plan_is_whole(plan) ? CLI_DONE : CLI_FAILED;
}

static int plan(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct plan_arguments *given = arguments;
	struct plan *made = NULL;
	int status = CLI_FAILED;
	struct session s;

	(void)words;
	(void)count;
	session_start(&s, cli);
	s.without_secrets = given->planning.destroy;
	if (session_open_provider(&s) == 0 && session_open_state(&s, SESSION_STATE_READ) == 0 &&
	    session_prepare_state(&s) == 0 && session_load_specs(&s, &given->planning.parameters) == 0 &&
	    planning_run(&made, &s, &given->planning) == 0)
		status = show(cli, made, given);
	plan_free(made);
	session_close(&s);
	return status;
}

const struct command command_plan = {
    .name = "plan",
    .summary = "make a plan: what would have to change in AWS",
    .details = "Finds the enabled regions of every account, reads what is recorded, compares it with the specs, and\n"
	       "looks for what would be created. Changes nothing.",
    .options = plan_option_table,
    .arguments_size = sizeof(struct plan_arguments),
    .run = plan,
    .defaults = plan_defaults,
};
