/* What a rollback cannot bring back, and how it is announced. The specs of an earlier generation make a deleted bucket
 * again; what was in it they do not. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/make.h"

#define COMMIT_SHOWN 12 /* digits of a commit, enough to be found by */

/* The last that there was of an address before it went. */
static int keep_last(void *payload, uint64_t generation, const json_t *before, const json_t *after)
{
	json_t **last = payload;

	(void)generation;
	if (before != NULL && after == NULL) {
		json_decref(*last);
		*last = json_deep_copy(before);
	}
	return 0;
}

/* Whether it was only forgotten when its spec went: then AWS has it still. */
static bool was_left(const json_t *body)
{
	struct plan_record record;

	return plan_record_parse(&record, body) == 0 &&
	       (record.deletion == SPECS_RETAIN || (record.adopted && record.deletion != SPECS_DELETE));
}

static int note_loss(struct maker *m, const struct plan_change *change)
{
	const char *text = change->type->made_anew;
	json_auto_t *last = NULL;

	if (state_history_of(m->txn, change->address, keep_last, &last, m->d) < 0)
		return -1;
	if (last != NULL && was_left(last)) {
		maker_note(m, PLAN_NOTE_OTHER, change->account, change->region, change->address,
			   "a new one is made; the one that this generation had was left in AWS, with its data");
		return 0;
	}
	maker_note(m, PLAN_NOTE_DATA, change->account, change->region, change->address,
		   text != NULL ? text : "is made anew and empty: what the deleted one held is gone");
	return 0;
}

int maker_rollback(struct maker *m)
{
	for (size_t i = 0; m->options->rollback > 0 && i < m->plan->change_count; i++) {
		const struct plan_change *change = &m->plan->changes[i];
		struct state_record record;
		int had;

		if (change->action != PLAN_CREATE || change->type == NULL || !change->type->retains_data)
			continue;
		had = state_record_at(m->txn, m->options->rollback, change->address, &record, m->d);
		if (had < 0 || (had == 1 && note_loss(m, change) < 0))
			return -1;
	}
	return 0;
}

void plan_rollback_words(struct buf *out, const struct plan *plan)
{
	const char *commit = json_get_string(plan->rollback_of, "Commit");
	const char *time = json_get_string(plan->rollback_of, "Time");
	const char *user = json_get_string(plan->rollback_of, "User");
	const char *before = " (";

	if (plan->rollback == 0)
		return;
	buf_addf(out, "Rollback to generation %ju", (uintmax_t)plan->rollback);
	if (commit != NULL) {
		buf_addf(out, "%scommit %.*s", before, COMMIT_SHOWN, commit);
		before = ", ";
	}
	if (time != NULL) {
		buf_addf(out, "%sapplied %s%s%s", before, time, user == NULL ? "" : " by ", user == NULL ? "" : user);
		before = ", ";
	}
	if (before[0] == ',')
		buf_addc(out, ')');
}
