/* muster state mv */
#include <stdio.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/json.h"
#include "cli/surgery.h"

static int state_mv(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	buf_auto struct buf text = BUF_INIT;
	json_auto_t *facts = surgery_facts(cli);
	size_t moved = 0;
	struct session s;
	int result;

	(void)arguments;
	(void)count;
	if (facts == NULL)
		return CLI_FAILED;
	result = surgery_open(&s, cli, false);
	if (result == 0)
		result = apply_state_move(s.state, words[0], words[1], facts, &moved, &cli->diag);
	if (result == 0)
		surgery_done(&s);
	session_close(&s);
	if (result < 0)
		return CLI_FAILED;
	surgery_count(&text, moved);
	printf("Moved %s from %s to %s. AWS is as it was; names that muster made stay.\n", buf_str(&text), words[0],
	       words[1]);
	return CLI_DONE;
}

const struct command command_state_mv = {
    .name = "state mv",
    .words = "FROM TO",
    .words_min = 2,
    .words_max = 2,
    .summary = "give recorded resources another address",
    .details = "FROM and TO are addresses, ACCOUNT/REGION/STACK/LogicalId, or both the first one, two or three parts\n"
	       "of one: everything under FROM moves. For a logical id in every target, and for an account that got\n"
	       "another name, the specs are the better place: Moved in the stack, Name in accounts.json.",
    .run = state_mv,
};
