/* See notes.h. */
#include "cli/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "cli/generation.h"
#include "cli/words.h"

/* How far back a run that was cut off is looked for: each run after it, also one that only settled it, tries. */
#define LOOK_BACK 8

#define DIGEST_SHOWN 12
#define CAUSE_SHOWN  200

struct note {
	uint64_t number;
	json_t *generation; /* as generation_read() gives it */
	char *lineage;
};

static const char *fact(const struct note *note, const char *name)
{
	return json_get_string(json_object_get(note->generation, "Facts"), name);
}

static json_t *outcome(const struct note *note)
{
	return json_object_get(note->generation, "Outcome");
}

/* -- For people ---------------------------------------------------------------------------------------------------- */

static const char *approver(const json_t *approval)
{
	const char *who = json_get_string(approval, "Comment");

	if (who == NULL || *who == '\0')
		who = json_get_string(approval, "Key");
	return who == NULL ? "?" : who;
}

static void add_who(struct buf *out, const struct note *note)
{
	const json_t *approvals = json_object_get(json_object_get(note->generation, "Facts"), "Approvals");
	const char *user = fact(note, "User"), *host = fact(note, "Host"), *time = fact(note, "Time");
	const char *plan = fact(note, "PlanDigest");

	buf_addf(out, "by %s on %s at %s", user == NULL ? "?" : user, host == NULL ? "?" : host,
		 time == NULL ? "an unknown time" : time);
	if (plan != NULL)
		buf_addf(out, ", plan %.*s", DIGEST_SHOWN, plan);
	for (size_t i = 0; i < json_array_size(approvals); i++)
		buf_addf(out, "%s%s", i == 0 ? ", approved by " : " and ", approver(json_array_get(approvals, i)));
	if (note->lineage != NULL)
		buf_addf(out, ", lineage %s", note->lineage);
}

static bool is_failure(const json_t *failure)
{
	const char *status = json_get_string(failure, "Status");

	return status != NULL && strcmp(status, "failed") == 0;
}

static char *cause_of(const json_t *failure)
{
	buf_auto struct buf cause = BUF_INIT;

	words_cause(&cause, json_get_string(failure, "Operation"), json_get_string(failure, "Code"), NULL);
	return buf_detach(&cause);
}

/* The cause that most failures have, by one of them; the same operation and code are one cause. */
static const json_t *commonest(const json_t *failures)
{
	struct map counts = MAP_INIT;
	const json_t *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < json_array_size(failures); i++) {
		const json_t *failure = json_array_get(failures, i);
		mem_auto_str char *cause = cause_of(failure);
		size_t count = (size_t)map_get(&counts, cause) + 1;

		if (!is_failure(failure))
			continue;
		map_set(&counts, cause, (void *)count);
		if (count > most) {
			most = count;
			best = failure;
		}
	}
	map_free(&counts, NULL);
	return best;
}

/* "2 failed: sns:Publish: AuthorizationError: no word of ...": nothing when nothing did. */
static void add_failures(struct buf *out, const struct note *note)
{
	const json_t *failure = commonest(json_object_get(outcome(note), "Failures"));
	const char *message = json_get_string(failure, "Message");
	size_t len = message == NULL ? 0 : strlen(message);
	mem_auto_str char *shown = NULL;

	if (failure == NULL)
		return;
	if (len > CAUSE_SHOWN) {
		len = CAUSE_SHOWN;
		/* Where a character ends. */
		while (len > 0 && ((unsigned char)message[len] & 0xc0) == 0x80)
			len--;
		shown = mem_printf("%.*s...", (int)len, message);
	} else {
		shown = mem_strdup(message);
	}
	buf_addf(out, "%lld failed", (long long)json_get_int(outcome(note), "Failed", 0));
	words_cause(out, json_get_string(failure, "Operation"), json_get_string(failure, "Code"), shown);
}

/* One line, indented, of text that may come from outside. */
static void add_line(struct buf *out, const char *text)
{
	if (*text == '\0')
		return;
	buf_adds(out, "  ");
	words_plain(out, text);
	buf_addc(out, '\n');
}

static void add_text(struct buf *out, const struct note *note)
{
	const json_t *facts = json_object_get(note->generation, "Facts");
	int64_t rollback = json_get_int(facts, "Rollback", 0);
	buf_auto struct buf line = BUF_INIT;

	buf_addf(&line, "muster generation %ju: %s, ", (uintmax_t)note->number, generation_result(note->generation));
	generation_counts(&line, note->generation);
	words_plain(out, buf_str(&line));
	buf_addc(out, '\n');
	buf_clear(&line);
	add_who(&line, note);
	add_line(out, buf_str(&line));
	buf_clear(&line);
	add_failures(&line, note);
	add_line(out, buf_str(&line));
	buf_clear(&line);
	if (rollback > 0)
		buf_addf(&line, "a rollback to generation %lld", (long long)rollback);
	add_line(out, buf_str(&line));
	buf_clear(&line);
	generation_overridden(&line, note->generation);
	add_line(out, buf_str(&line));
	if (json_get_bool(facts, "Dirty", false))
		add_line(out, "the specs were not as this commit has them (--allow-dirty)");
}

/* -- For machines -------------------------------------------------------------------------------------------------- */

static void copy_members(json_t *into, const json_t *from, const char *const *names)
{
	for (; *names != NULL; names++) {
		json_t *value = json_object_get(from, *names);

		if (value != NULL && !json_is_null(value))
			json_object_set(into, *names, value);
	}
}

static json_t *line_json(const struct note *note)
{
	static const char *const facts[] = {"Time",     "User",          "Host",       "Version",    "Commit",
					    "Tree",     "Dirty",         "AllowDirty", "PlanDigest", "PlanCommit",
					    "Rollback", "OverrideLimit", "Over",       "Approvals",  NULL};
	static const char *const outcomes[] = {"Ended",   "Done",    "Created",    "Updated",   "Replaced",
					       "Deleted", "Adopted", "Forgotten",  "Moved",     "Imported",
					       "Failed",  "Skipped", "NotStarted", "ElapsedMs", NULL};
	static const char *const links[] = {"Hash", "Previous", NULL};
	json_t *line = json_pack("{s:s*, s:I, s:s}", "Lineage", note->lineage, "Generation", (json_int_t)note->number,
				 "Result", generation_result(note->generation));

	copy_members(line, json_object_get(note->generation, "Facts"), facts);
	copy_members(line, outcome(note), outcomes);
	copy_members(line, note->generation, links);
	return json_pack("{s:o}", "muster", line);
}

static void add_json(struct buf *out, const struct note *note)
{
	json_auto_t *line = line_json(note);
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);

	buf_addf(out, "%s\n", text == NULL ? "{\"muster\":{}}" : text);
	free(text);
}

/* -- Writing ------------------------------------------------------------------------------------------------------- */

static int append(struct session *s, const struct note *note, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;

	if (fact(note, "Commit") == NULL)
		return 0;
	add_text(&text, note);
	add_json(&text, note);
	return state_git_note_append(s->cli->directory, fact(note, "Commit"), buf_str(&text), d);
}

/* 1 when the commit has the note already, by the beginning of its line for machines. */
static int is_written(struct session *s, const struct note *note, struct diag *d)
{
	mem_auto_str char *start = NULL, *all = NULL;
	int rc;

	if (fact(note, "Commit") == NULL)
		return 1;
	if (note->lineage == NULL)
		start = mem_printf("{\"muster\":{\"Generation\":%ju,", (uintmax_t)note->number);
	else
		start = mem_printf("{\"muster\":{\"Lineage\":\"%s\",\"Generation\":%ju,", note->lineage,
				   (uintmax_t)note->number);
	rc = state_git_note_read(s->cli->directory, fact(note, "Commit"), &all, d);
	return rc <= 0 ? rc : strstr(all, start) != NULL;
}

static bool has_status(const struct note *note, const char *status)
{
	const char *is = json_get_string(note->generation, "Status");

	return is != NULL && strcmp(is, status) == 0;
}

static int read_note(struct note *note, struct session *s, struct state_txn *txn)
{
	json_decref(note->generation);
	note->generation = generation_read(s, txn, note->number);
	return note->generation == NULL ? -1 : 0;
}

static int write_all(struct session *s, struct state_txn *txn, uint64_t newest, struct diag *d)
{
	struct note note = {.number = newest};
	uint64_t first = 1;
	int rc = state_lineage(txn, &note.lineage, d);

	if (rc == 0)
		rc = state_generation_first(txn, &first, d);
	if (rc == 0)
		rc = read_note(&note, s, txn);
	/* One that was stopped at once is open still; whoever closes it writes its note. */
	if (rc == 0 && has_status(&note, "finished"))
		rc = append(s, &note, d);
	for (note.number = newest - 1; rc >= 0 && note.number >= first && newest - note.number < LOOK_BACK;
	     note.number--) {
		rc = read_note(&note, s, txn);
		if (rc == 0 && has_status(&note, "interrupted") && (rc = is_written(s, &note, d)) == 0)
			rc = append(s, &note, d);
	}
	json_decref(note.generation);
	free(note.lineage);
	return rc;
}

void notes_write(struct session *s, uint64_t generation)
{
	struct diag d = DIAG_INIT;
	struct state_txn *txn = NULL;
	int rc = state_begin(&txn, s->state, false, &d);

	if (rc == 0 && generation == 0)
		rc = state_generation(txn, &generation, &d);
	if (rc == 0 && generation > 0)
		rc = write_all(s, txn, generation, &d);
	state_abort(txn);
	if (rc < 0)
		diag_warning(&s->cli->diag, "no note tells git of generation %ju: %s (the state has it)",
			     (uintmax_t)generation,
			     *diag_first_error(&d) == '\0' ? "it cannot be read" : diag_first_error(&d));
	diag_free(&d);
}
