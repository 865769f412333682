/* muster plan */
#include <stddef.h>

#include "cli/cli.h"

struct plan_arguments {
	struct planning planning;
	struct planning_output output;
	const char *at;
};

static const struct option plan_option_table[] = {
    {"out", OPTION_TEXT, offsetof(struct plan_arguments, output.out), "FILE",
     "save the plan, for apply (a relative path starts where you are, not at -C)", NULL},
    {"refresh", OPTION_FLAG, offsetof(struct plan_arguments, planning.refresh), NULL,
     "read live resources first (--no-refresh: trust the state)", NULL},
    {"at", OPTION_TEXT, offsetof(struct plan_arguments, at), "REV",
     "plan the specs of a revision (a commit, branch or tag) instead of the work tree's", NULL},
    {"base", OPTION_TEXT, offsetof(struct plan_arguments, planning.base), "REV",
     "tell what these specs introduce from what the specs of a revision would do, too", NULL},
    {"only", OPTION_TEXT, offsetof(struct plan_arguments, planning.only), "GLOB",
     "only resources whose address matches", NULL},
    {"destroy", OPTION_FLAG, offsetof(struct plan_arguments, planning.destroy), NULL,
     "plan to delete everything that is recorded", NULL},
    {"adopt", OPTION_LIST, offsetof(struct plan_arguments, planning.adopt), "GLOB",
     "take over what exists already at these addresses", NULL},
    {"accept-drift", OPTION_LIST, offsetof(struct plan_arguments, planning.accept_drift), "GLOB",
     "put what AWS has now at these addresses into the record instead of changing it back", NULL},
    {"override-limit", OPTION_FLAG, offsetof(struct plan_arguments, planning.override_limits), NULL,
     "allow the plan to go over the Limits of muster.json; it says so in what is reviewed and signed", NULL},
    {"parameter", OPTION_LIST, offsetof(struct plan_arguments, planning.parameters), "NAME=VALUE",
     "give a parameter of the stacks a value", NULL},
    {"format", OPTION_CHOICE, offsetof(struct plan_arguments, output.format), NULL, "how to show the plan",
     planning_formats},
    {"json", OPTION_FLAG, offsetof(struct plan_arguments, output.json), NULL, "short for --format json", NULL},
    {"detailed-exitcode", OPTION_FLAG, offsetof(struct plan_arguments, output.detailed_exitcode), NULL,
     "exit with 2 when there are changes", NULL},
    {0},
};

static void plan_defaults(void *arguments)
{
	struct plan_arguments *given = arguments;

	given->planning.refresh = true;
	given->output.format = "text";
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
	if (session_at(&s, given->at) == 0 && session_open_provider(&s) == 0 &&
	    session_open_state(&s, SESSION_STATE_READ) == 0 && session_prepare_state(&s) == 0 &&
	    session_load_specs(&s, &given->planning.parameters) == 0 && planning_run(&made, &s, &given->planning) == 0)
		status = planning_show(&s, made, &given->output);
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
