/* The head of a report in GitHub-flavoured markdown. What comes from outside stands in code only, where nothing of it
 * is read as markdown, HTML or the mention of a person. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/generation.h"
#include "cli/report.h"
#include "cli/words.h"

/* Kept free for the lines that say what was left out. */
#define FOLD_ROOM 400

/* As a code span: one line, and no backtick that could end it. */
static void add_code(struct buf *out, const char *text)
{
	buf_auto struct buf plain = BUF_INIT;

	words_plain(&plain, text);
	buf_addc(out, '`');
	for (const char *s = buf_str(&plain); *s != '\0'; s++)
		buf_addc(out, *s == '`' ? '\'' : *s);
	buf_addc(out, '`');
}

static void add_fact(struct buf *out, const json_t *facts, const char *label, const char *key)
{
	const char *value = json_get_string(facts, key);

	if (value == NULL)
		return;
	buf_addf(out, "- %s ", label);
	add_code(out, value);
	buf_addc(out, '\n');
}

static void add_facts(struct buf *out, const json_t *generation)
{
	const json_t *facts = json_object_get(generation, "Facts");
	const char *user = json_get_string(facts, "User"), *host = json_get_string(facts, "Host");
	int64_t back_to = json_get_int(facts, "Rollback", 0);
	buf_auto struct buf over = BUF_INIT;
	json_t *approval;
	size_t i;

	if (user != NULL) {
		mem_auto_str char *who = mem_printf("%s@%s", user, host != NULL ? host : "?");

		buf_adds(out, "- by ");
		add_code(out, who);
		buf_addc(out, '\n');
	}
	add_fact(out, facts, "at", "Time");
	add_fact(out, facts, "from commit", "Commit");
	if (json_get_bool(facts, "Dirty", false))
		buf_adds(out, "- with specs that were not committed\n");
	if (back_to > 0)
		buf_addf(out, "- rollback to generation %lld\n", (long long)back_to);
	generation_overridden(&over, generation);
	if (over.len > 0) {
		buf_adds(out, "- ");
		add_code(out, buf_str(&over));
		buf_addc(out, '\n');
	}
	json_array_foreach(json_object_get(facts, "Approvals"), i, approval)
	{
		const char *who = json_get_string(approval, "Comment");

		add_fact(out, approval, "approved by", who != NULL && *who != '\0' ? "Comment" : "Key");
	}
}

static void add_cause(struct buf *out, const struct report *report, const struct cause *cause)
{
	buf_auto struct buf names = BUF_INIT, where = BUF_INIT, why = BUF_INIT;

	cause_names(&names, cause);
	cause_where(&where, report->plan, cause);
	cause_why(&why, cause);
	buf_addf(out, "\n**%s** ", plan_action_name(cause->change->action));
	add_code(out, buf_str(&names));
	buf_adds(out, " (");
	add_code(out, cause->change->type_name);
	buf_adds(out, ") in ");
	add_code(out, buf_str(&where));
	buf_adds(out, ":\n\n    ");
	buf_adds(out, buf_str(&why));
	buf_addc(out, '\n');
	if (cause->skipped > 0) {
		buf_addc(out, '\n');
		words_count(out, cause->skipped);
		buf_adds(out, " skipped that need it.\n");
	}
}

static void add_folded(struct buf *out, size_t count, long long number)
{
	buf_adds(out, "\nAnd ");
	words_count(out, count);
	buf_addf(out, " more cause%s: `muster show --apply %lld` tells.\n", count == 1 ? "" : "s", number);
}

static void add_causes(struct buf *out, const struct report *report, size_t most)
{
	const struct causes *causes = &report->causes;
	long long number = (long long)json_get_int(report->generation, "Number", 0);

	for (size_t i = 0; i < causes->count; i++) {
		size_t len = out->len;

		add_cause(out, report, causes->sorted[i]);
		if (out->len + FOLD_ROOM <= most)
			continue;
		buf_truncate(out, len);
		add_folded(out, causes->count - i, number);
		return;
	}
	if (causes->skipped_otherwise > 0) {
		buf_addc(out, '\n');
		words_count(out, causes->skipped_otherwise);
		buf_adds(out, " skipped, since what they need was not done.\n");
	}
}

void report_markdown_head(struct buf *out, const struct report *report, size_t most)
{
	const char *result = generation_result(report->generation);
	const char *status = json_get_string(report->generation, "Status");
	buf_auto struct buf counts = BUF_INIT;

	generation_counts(&counts, report->generation);
	buf_addf(out, "## muster apply: generation %lld %s\n\n%s.\n\n",
		 (long long)json_get_int(report->generation, "Number", 0), result, buf_str(&counts));
	add_facts(out, report->generation);
	if (report->causes.count > 0 || report->causes.skipped_otherwise > 0) {
		buf_adds(out, "\n### What failed\n");
		add_causes(out, report, most);
	}
	if (report->failures > report->failures_kept) {
		buf_adds(out, "\nThe state keeps the first ");
		words_count(out, report->failures_kept);
		buf_adds(out, " of ");
		words_count(out, report->failures);
		buf_adds(out, " failures: these.\n");
	}
	if (status != NULL && strcmp(status, "interrupted") == 0)
		buf_adds(out,
			 "\nThe run was cut off before its end; what it left open is settled by the next apply.\n");
	buf_addc(out, '\n');
}
