/* muster validate */
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/approval.h"

struct validate_arguments {
	struct option_list parameters;
	const char *at;
};

static const struct option validate_options[] = {
    {"parameter", OPTION_LIST, offsetof(struct validate_arguments, parameters), "NAME=VALUE",
     "give a parameter of the stacks a value", NULL},
    {"at", OPTION_TEXT, offsetof(struct validate_arguments, at), "REV",
     "check the specs of a revision (a commit, branch or tag) instead of the work tree's", NULL},
    {0},
};

/* Without an account to ask, the regions that every account has are assumed. */
static const char *const *assumed_regions(void *payload, const struct specs_account *account)
{
	const struct specs *specs = payload;

	(void)account;
	return specs_default_regions(specs->settings.partition);
}

/* One file is a stack in as many targets as it goes to: both numbers, so that neither is taken for the other. */
static void print_valid(const struct specs *specs)
{
	buf_auto struct buf text = BUF_INIT;

	buf_adds(&text, "The specs are valid: ");
	text_count(&text, specs->account_count, "account");
	buf_adds(&text, ", ");
	text_count(&text, specs->stack_count, "stack file");
	buf_adds(&text, ", ");
	text_count(&text, specs->instance_count, "stack");
	buf_adds(&text, " in targets (with the regions that are enabled by default).");
	puts(buf_str(&text));
}

static int validate(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct validate_arguments *given = arguments;
	struct session s;
	int result;

	(void)words;
	(void)count;
	session_start(&s, cli);
	result = session_at(&s, given->at);
	if (result == 0)
		result = session_open_provider(&s);
	if (result == 0)
		result = session_load_specs(&s, &given->parameters);
	if (result == 0)
		result = approval_validate(&s);
	if (result == 0)
		result = specs_expand(s.specs, assumed_regions, NULL, s.specs, &cli->diag);
	if (result == 0)
		result = specs_check(s.specs, &cli->diag);
	if (result == 0 && s.specs->stack_count == 0)
		diag_warning(&cli->diag, "there are no stacks: a stack is a file stacks/NAME.json");
	if (result == 0)
		print_valid(s.specs);
	session_close(&s);
	return result == 0 ? CLI_DONE : CLI_FAILED;
}

const struct command command_validate = {
    .name = "validate",
    .summary = "check the specs, without credentials or state",
    .options = validate_options,
    .arguments_size = sizeof(struct validate_arguments),
    .run = validate,
};
