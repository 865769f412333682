/* See recovery.h. */
#include "cli/recovery.h"

#include <stdio.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/facts.h"
#include "cli/notes.h"
#include "cli/progress.h"
#include "cli/secrets.h"

int recovery_settle(struct session *s, const struct plan *plan, bool json)
{
	struct apply_options options = {.secret = secrets_find, .secret_payload = s};
	struct progress *progress = NULL;
	int result;

	progress_new(&progress, s->cli, plan, json);
	options.events = progress_events(progress);
	options.facts = facts_new(s->cli);
	result = apply_recover(s->loop, s->provider, s->state, plan, &options, &s->cli->diag);
	json_decref(options.facts);
	progress_free(progress);
	/* The run that was cut off could not say what became of its commit. */
	if (result > 0)
		notes_write(s, 0);
	return result;
}

static int intent_count(void *payload, const char *address, const json_t *body)
{
	size_t *count = payload;

	(void)address;
	(void)body;
	++*count;
	return 0;
}

/* Nobody should take a run for done while it is not known what an earlier one has left. */
int recovery_check_open(struct session *s, size_t *count)
{
	struct state_txn *txn = NULL;
	size_t open = 0;
	int result;

	if (state_begin(&txn, s->state, false, &s->cli->diag) < 0)
		return CLI_FAILED;
	result = state_intent_each(txn, intent_count, &open, &s->cli->diag);
	state_abort(txn);
	if (count != NULL)
		*count = open;
	if (result < 0)
		return CLI_FAILED;
	if (open == 0)
		return CLI_DONE;
	diag_error(&s->cli->diag,
		   "what came of %zu change%s of a run that was cut off is not known yet; muster apply --recover looks "
		   "again, and where nobody can look any more, muster state rm ADDRESS lets go of it",
		   open, open == 1 ? "" : "s");
	return CLI_FAILED;
}

static void say(int settled, size_t open, bool json)
{
	buf_auto struct buf text = BUF_INIT;

	if (json) {
		json_auto_t *line =
		    json_pack("{s:s, s:i, s:I}", "type", "recovery", "settled", settled, "open", (json_int_t)open);

		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	if (settled == 0 && open == 0) {
		puts("No run that was cut off has left anything open.");
		return;
	}
	text_count(&text, (size_t)settled, "change");
	printf("Settled %s of a run that was cut off; nothing was changed in AWS. muster plan shows what is left to "
	       "do.\n",
	       buf_str(&text));
}

int recovery_run(struct session *s, bool json)
{
	size_t open = 0;
	int settled = recovery_settle(s, NULL, json), status;

	if (settled < 0)
		return CLI_FAILED;
	status = recovery_check_open(s, &open);
	say(settled, open, json);
	return status;
}
