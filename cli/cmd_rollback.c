/* muster rollback */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/rollback.h"

struct rollback_arguments {
	struct planning planning;
	struct planning_output output;
};

static const struct option rollback_options[] = {
    {"out", OPTION_TEXT, offsetof(struct rollback_arguments, output.out), "FILE",
     "save the plan, for apply (a relative path starts where you are, not at -C)", NULL},
    {"refresh", OPTION_FLAG, offsetof(struct rollback_arguments, planning.refresh), NULL,
     "read live resources first (--no-refresh: trust the state)", NULL},
    {"only", OPTION_TEXT, offsetof(struct rollback_arguments, planning.only), "GLOB",
     "only resources whose address matches", NULL},
    {"adopt", OPTION_LIST, offsetof(struct rollback_arguments, planning.adopt), "GLOB",
     "take over what exists already at these addresses", NULL},
    {"override-limit", OPTION_FLAG, offsetof(struct rollback_arguments, planning.override_limits), NULL,
     "allow the plan to go over the Limits of muster.json; it says so in what is reviewed and signed", NULL},
    {"parameter", OPTION_LIST, offsetof(struct rollback_arguments, planning.parameters), "NAME=VALUE",
     "give a secret parameter its value again (others are taken from the generation)", NULL},
    {"format", OPTION_CHOICE, offsetof(struct rollback_arguments, output.format), NULL, "how to show the plan",
     planning_formats},
    {"json", OPTION_FLAG, offsetof(struct rollback_arguments, output.json), NULL, "short for --format json", NULL},
    {"detailed-exitcode", OPTION_FLAG, offsetof(struct rollback_arguments, output.detailed_exitcode), NULL,
     "exit with 2 when there are changes", NULL},
    {0},
};

static void rollback_defaults(void *arguments)
{
	struct rollback_arguments *given = arguments;

	given->planning.refresh = true;
	given->output.format = "text";
}

static int parse_generation(uint64_t *out, const char *word, struct diag *d)
{
	size_t len = strlen(word);

	*out = 0;
	if (len > 0 && len <= 15 && strspn(word, "0123456789") == len)
		*out = strtoull(word, NULL, 10);
	if (*out == 0)
		return diag_error(d, "\"%s\" is no generation: they are numbered from 1", word);
	return 0;
}

/* Only what the state does not know is taken from the command line, or it would be no rollback. */
static int check_parameters(const struct session *s, const struct option_list *given, uint64_t generation)
{
	/* The generation's own were there first. */
	for (size_t i = s->parameter_count - given->count; i < s->parameter_count; i++)
		if (!specs_parameter_is_secret(s->specs, s->parameters[i].name))
			return diag_error(&s->cli->diag,
					  "the parameter %s is no secret: a rollback gives it the value that "
					  "generation %ju had",
					  s->parameters[i].name, (uintmax_t)generation);
	return 0;
}

static int load(struct session *s, const struct rollback *rollback, const struct planning *planning)
{
	const struct schema_set *schemas = s->provider->ops->schemas(s->provider);

	if (rollback_check_types(rollback, schemas, &s->cli->diag) < 0 ||
	    rollback_check_secrets(rollback, s, &planning->parameters) < 0)
		return -1;
	if (session_load_specs(s, &planning->parameters) < 0)
		return diag_error(&s->cli->diag,
				  "these are the specs of generation %ju, with the Access and roster "
				  "entries of today; they cannot be used as they are",
				  (uintmax_t)rollback->from);
	return check_parameters(s, &planning->parameters, rollback->generation);
}

static int plan_back(struct session *s, uint64_t generation, const struct rollback_arguments *given)
{
	struct rollback rollback = {0};
	struct plan *plan = NULL;
	int status = CLI_FAILED;

	if (rollback_open(&rollback, s, generation) == 0 && session_open_provider(s) == 0 &&
	    load(s, &rollback, &given->planning) == 0 && planning_run(&plan, s, &given->planning) == 0)
		status = planning_show(s, plan, &given->output);
	plan_free(plan);
	session_close(s);
	rollback_close(&rollback);
	return status;
}

static int rollback(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct rollback_arguments *given = arguments;
	uint64_t generation;
	struct session s;

	(void)count;
	if (parse_generation(&generation, words[0], &cli->diag) < 0)
		return CLI_FAILED;
	session_start(&s, cli);
	if (session_open_state(&s, SESSION_STATE_READ) == 0)
		return plan_back(&s, generation, given);
	session_close(&s);
	return CLI_FAILED;
}

const struct command command_rollback = {
    .name = "rollback",
    .words = "GENERATION",
    .words_min = 1,
    .words_max = 1,
    .summary = "make a plan back to what an earlier generation applied",
    .details =
	"Takes stacks, files, roster and parameters as that generation had them, out of the state; git is only\n"
	"asked whether it says the same. Access, State and Limits stay as muster.json has them now, Approval as\n"
	"the newest generation has it that is no rollback. Changes nothing: save the plan with --out, review\n"
	"it, and apply it like any other.",
    .options = rollback_options,
    .arguments_size = sizeof(struct rollback_arguments),
    .run = rollback,
    .defaults = rollback_defaults,
};
