/* See generation.h. What stands in a generation was written by a program, but perhaps another one: nothing is taken for
 * granted, and no text of it reaches a terminal as it stands. */
#include "cli/generation.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/words.h"

#define COMMIT_SHOWN 12

/* -- Reading ------------------------------------------------------------------------------------------------------- */

int generation_check(struct state_txn *txn, uint64_t number, struct diag *d)
{
	uint64_t newest, first;

	if (state_generation(txn, &newest, d) < 0 || state_generation_first(txn, &first, d) < 0)
		return -1;
	if (number <= newest && (number == 0 || number >= first))
		return 0;
	if (newest > 0 && number < first)
		return diag_error(d,
				  "there is no generation %ju here: the history begins at %ju, which an export was "
				  "imported as; muster log lists them",
				  (uintmax_t)number, (uintmax_t)first);
	if (newest == 0)
		return diag_error(d, "there is no generation %ju: nothing was applied yet", (uintmax_t)number);
	return diag_error(d, "there is no generation %ju: the newest is %ju; muster log lists them", (uintmax_t)number,
			  (uintmax_t)newest);
}

/* An apply takes the lock before it starts its generation and lets go of it after its end: held before or after this
 * transaction was begun, it is running. */
static bool is_running(const struct session *s)
{
	struct diag ignored = DIAG_INIT;
	json_auto_t *holder = NULL;
	bool held = s->state_busy || state_lock_holder(s->state_directory, &holder, &ignored) == 1;

	diag_free(&ignored);
	return held;
}

/* What its history knows of one that did not come to its end, or has not yet. */
static int fill_unfinished(struct session *s, struct state_txn *txn, uint64_t number, json_t *generation)
{
	const char *status = json_get_string(generation, "Status");
	struct state_span_counts counts;

	if (status == NULL || strcmp(status, "finished") == 0 || !json_is_null(json_object_get(generation, "Outcome")))
		return 0;
	if (state_history_count(txn, number, &counts, &s->cli->diag) < 0)
		return -1;
	status = strcmp(status, "open") == 0 && is_running(s) ? "running" : "interrupted";
	json_object_set_new(generation, "Status", json_string(status));
	json_object_set_new(generation, "Outcome",
			    json_pack("{s:s, s:I, s:I, s:I, s:I}", "Result", status, "Done",
				      (json_int_t)(counts.created + counts.updated + counts.deleted), "Created",
				      (json_int_t)counts.created, "Updated", (json_int_t)counts.updated, "Deleted",
				      (json_int_t)counts.deleted));
	return 0;
}

json_t *generation_read(struct session *s, struct state_txn *txn, uint64_t number)
{
	json_t *generation = NULL;
	int found = state_generation_get(txn, number, &generation, &s->cli->diag);

	if (found == 0)
		diag_error(&s->cli->diag, "generation %ju is missing; muster state verify tells what else is",
			   (uintmax_t)number);
	if (found == 1 && fill_unfinished(s, txn, number, generation) == 0)
		return generation;
	json_decref(generation);
	return NULL;
}

/* -- Words --------------------------------------------------------------------------------------------------------- */

const char *generation_result(const json_t *generation)
{
	const char *result = json_get_string(json_object_get(generation, "Outcome"), "Result");
	const char *status = json_get_string(generation, "Status");

	/* Surgery has no outcome but its end. */
	if (result == NULL && status != NULL && strcmp(status, "finished") == 0)
		return "complete";
	return result != NULL ? result : status != NULL ? status : "?";
}

static void add_count(struct buf *out, const json_t *outcome, const char *member, const char *words)
{
	int64_t count = json_get_int(outcome, member, 0);

	if (count > 0)
		buf_addf(out, "%s%lld %s", out->len > 0 ? ", " : "", (long long)count, words);
}

void generation_counts(struct buf *out, const json_t *generation)
{
	static const char *const words[][2] = {
	    {"Created", "created"}, {"Updated", "updated"},        {"Replaced", "replaced"},
	    {"Deleted", "deleted"}, {"Adopted", "adopted"},        {"Forgotten", "forgotten"},
	    {"Moved", "moved"},     {"Imported", "imported"},      {"Failed", "failed"},
	    {"Skipped", "skipped"}, {"NotStarted", "not started"},
	};
	const json_t *outcome = json_object_get(generation, "Outcome");
	buf_auto struct buf counts = BUF_INIT;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		add_count(&counts, outcome, words[i][0], words[i][1]);
	buf_adds(out, counts.len > 0 ? buf_str(&counts) : "nothing changed");
	if (json_object_get(outcome, "ElapsedMs") != NULL) {
		buf_adds(out, " in ");
		words_duration(out, json_get_int(outcome, "ElapsedMs", 0));
	}
}

static const char *color_of(const char *result)
{
	return strcmp(result, "complete") == 0 ? "\033[32m" : strcmp(result, "running") == 0 ? "\033[33m" : "\033[31m";
}

static void add_commit(struct buf *out, const json_t *facts)
{
	const char *commit = json_get_string(facts, "Commit");

	if (commit != NULL)
		buf_addf(out, "  commit %.*s", COMMIT_SHOWN, commit);
	if (json_get_bool(facts, "Dirty", false))
		buf_adds(out, commit != NULL ? " (dirty)" : "  no commit");
}

void generation_line(struct buf *out, const json_t *generation, bool color)
{
	const json_t *facts = json_object_get(generation, "Facts");
	const char *time = json_get_string(facts, "Time"), *user = json_get_string(facts, "User");
	const char *host = json_get_string(facts, "Host"), *result = generation_result(generation);
	buf_auto struct buf rest = BUF_INIT;

	buf_addf(out, "%sgeneration %lld%s  ", color ? "\033[1m" : "", (long long)json_get_int(generation, "Number", 0),
		 color ? "\033[0m" : "");
	buf_addf(out, "%s%s%s", color ? color_of(result) : "", result, color ? "\033[0m" : "");
	buf_addf(&rest, "  %s", time != NULL ? time : "at an unknown time");
	if (user != NULL)
		buf_addf(&rest, "  %s@%s", user, host != NULL ? host : "?");
	add_commit(&rest, facts);
	words_plain(out, buf_str(&rest));
	buf_addc(out, '\n');
}

static void add_line(struct buf *out, const char *text)
{
	buf_adds(out, "    ");
	words_plain(out, text);
	buf_addc(out, '\n');
}

static void add_approvals(struct buf *out, const json_t *approvals)
{
	buf_auto struct buf line = BUF_INIT;
	json_t *approval;
	size_t i;

	json_array_foreach((json_t *)approvals, i, approval)
	{
		const char *who = json_get_string(approval, "Comment"), *key = json_get_string(approval, "Key");

		if (who == NULL || *who == '\0')
			who = key;
		buf_addf(&line, "%s%s", line.len > 0 ? ", " : "approved by ", who != NULL ? who : "?");
	}
	if (line.len > 0)
		add_line(out, buf_str(&line));
}

void generation_overridden(struct buf *out, const json_t *generation)
{
	const json_t *facts = json_object_get(generation, "Facts");
	json_t *item;
	size_t i;

	if (!json_get_bool(facts, "OverrideLimit", false))
		return;
	buf_adds(out, "over its limits, with --override-limit");
	json_array_foreach(json_object_get(facts, "Over"), i, item) if (json_is_string(item))
	    buf_addf(out, "%s%s", i == 0 ? ": " : "; ", json_string_value(item));
}

/* What changed nothing but the state is known by the command that did it. */
static void add_command(struct buf *out, const json_t *facts)
{
	const json_t *command = json_object_get(facts, "Command");
	buf_auto struct buf line = BUF_INIT;
	json_t *word;
	size_t i;

	if (json_object_get(facts, "Planned") != NULL || json_object_get(facts, "Recovery") != NULL)
		return;
	json_array_foreach((json_t *)command, i, word)
	{
		const char *text = json_string_value(word);
		const char *slash = text != NULL && i == 0 ? strrchr(text, '/') : NULL;

		/* The program by its name, wherever it is installed. */
		if (slash != NULL)
			text = slash + 1;
		buf_adds(&line, i > 0 ? " " : "by ");
		words_shell(&line, text != NULL ? text : "?");
	}
	if (line.len > 0)
		add_line(out, buf_str(&line));
}

void generation_details(struct buf *out, const json_t *generation)
{
	const json_t *facts = json_object_get(generation, "Facts"), *outcome = json_object_get(generation, "Outcome");
	int64_t back_to = json_get_int(facts, "Rollback", 0), recovered = json_get_int(outcome, "Recovered", 0);
	const char *result = generation_result(generation);
	buf_auto struct buf line = BUF_INIT;

	if (recovered > 0) {
		text_count(&line, (size_t)recovered, "change");
		buf_adds(&line, " of a run that was cut off settled");
	} else {
		generation_counts(&line, generation);
		if (strcmp(result, "running") == 0)
			buf_adds(&line, " so far");
	}
	add_line(out, buf_str(&line));
	buf_clear(&line);
	if (back_to > 0) {
		buf_addf(&line, "rollback to generation %lld", (long long)back_to);
		add_line(out, buf_str(&line));
	}
	buf_clear(&line);
	generation_overridden(&line, generation);
	if (line.len > 0)
		add_line(out, buf_str(&line));
	add_approvals(out, json_object_get(facts, "Approvals"));
	add_command(out, facts);
}
