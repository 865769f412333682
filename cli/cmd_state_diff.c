/* muster state diff */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/generation.h"
#include "cli/output.h"

struct diff_arguments {
	bool json;
};

static const struct option diff_options[] = {
    {"json", OPTION_FLAG, offsetof(struct diff_arguments, json), NULL,
     "as resource_changes of a plan file, for programs", NULL},
    {0},
};

struct diffing {
	uint64_t from, to;
	bool json;
};

/* The part that other tools read. It has no "muster" member, so nothing can take it for a plan to apply. */
static int print_json(struct cli *cli, struct plan *plan, const struct diffing *diff)
{
	json_auto_t *whole = plan_to_json(plan);
	json_auto_t *json = json_pack("{s:I, s:I, s:O}", "from", (json_int_t)diff->from, "to", (json_int_t)diff->to,
				      "resource_changes", json_object_get(whole, "resource_changes"));

	return output_json(cli, json);
}

static int look(struct session *s, struct state_txn *txn, void *payload)
{
	const struct diffing *diff = payload;
	struct plan *plan;
	int rc;

	/* The one that was named first: FROM may be only the one before it. */
	if (generation_check(txn, diff->to, &s->cli->diag) < 0 || generation_check(txn, diff->from, &s->cli->diag) < 0)
		return -1;
	if (plan_history_make(&plan, txn, diff->from, diff->to, s->provider->ops->schemas(s->provider), &s->cli->diag) <
	    0)
		return -1;
	rc = diff->json ? print_json(s->cli, plan, diff) : planning_print(s->cli, plan);
	plan_free(plan);
	return rc;
}

static int state_diff(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	struct diffing diff = {.json = ((const struct diff_arguments *)arguments)->json};

	if (option_count_parse(&diff.to, "a generation", words[count - 1], &cli->diag) < 0 ||
	    option_count_parse(&diff.from, "a generation", words[0], &cli->diag) < 0)
		return CLI_FAILED;
	if (count == 1 && diff.to == 0) {
		diag_error(&cli->diag, "there is nothing before generation 0");
		return CLI_FAILED;
	}
	if (count == 1)
		diff.from = diff.to - 1;
	return session_read_state(cli, true, look, &diff) < 0 ? CLI_FAILED : CLI_DONE;
}

const struct command command_state_diff = {
    .name = "state diff",
    .words = "[FROM] TO",
    .words_min = 1,
    .words_max = 2,
    .summary = "what changed in the records from one generation to another",
    .details =
	"Grouped as in a plan. With one generation: what that one changed. 0 is the state before the first. FROM "
	"may be the later one: that is what going back would do to the records.",
    .options = diff_options,
    .arguments_size = sizeof(struct diff_arguments),
    .run = state_diff,
};
