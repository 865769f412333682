/* muster state unlock */
#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/words.h"

static int state_unlock_run(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	buf_auto struct buf holder = BUF_INIT;
	json_t *left = NULL;
	struct session s;
	int result;

	(void)arguments;
	(void)words;
	(void)count;
	session_start(&s, cli);
	result = session_check_state(&s);
	if (result == 0)
		result = state_unlock(s.state_directory, &left, &cli->diag);
	words_holder(&holder, left);
	if (result == 1)
		diag_error(
		    &cli->diag,
		    "the state is locked by a live process, %s; that is never broken: wait for it (--lock-timeout "
		    "of apply does), or stop it there (Ctrl-C: it ends what it has begun), and the lock goes with "
		    "it",
		    buf_str(&holder));
	else if (result == 0 && json_object_size(left) > 0)
		printf("Nobody holds the lock. The last holder died: %s; what it has left is cleared. The next muster "
		       "apply looks what came of its changes.\n",
		       buf_str(&holder));
	else if (result == 0)
		puts("Nobody holds the lock, and nothing was left of an earlier holder.");
	json_decref(left);
	session_close(&s);
	return result == 0 ? CLI_DONE : CLI_FAILED;
}

const struct command command_state_unlock = {
    .name = "state unlock",
    .summary = "say who holds the state's lock, and clear what a dead holder has left",
    .details =
	"The lock goes with the process that holds it, however that ends; nothing waits for this command. A live\n"
	"process keeps the lock.",
    .run = state_unlock_run,
};
