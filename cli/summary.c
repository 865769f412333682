/* What came of an apply: totals, and then why what failed did (causes.c). */
#include "cli/summary.h"

#include "cli/causes.h"
#include "cli/words.h"

/* -- For people ------------------------------------------------------------------------------------------------------
 */

static void add_part(struct buf *out, bool *first, uint64_t count, const char *words)
{
	if (count == 0)
		return;
	/* Plain digits: people search for these words, and scripts do. */
	buf_addf(out, "%s%llu %s", *first ? "" : ", ", (unsigned long long)count, words);
	*first = false;
}

static void totals_text(struct buf *out, const struct apply_report *report, bool color)
{
	bool good = report->failed + report->skipped + report->not_started == 0, first = true;

	buf_addf(out, "%s%s%s ", color ? (good ? "\033[1;32m" : "\033[1;31m") : "",
		 good                  ? "Applied:"
		 : report->interrupted ? "Interrupted:"
				       : "Applied in part:",
		 color ? "\033[0m" : "");
	add_part(out, &first, report->created, "created");
	add_part(out, &first, report->updated, "updated");
	add_part(out, &first, report->replaced, "replaced");
	add_part(out, &first, report->deleted, "deleted");
	add_part(out, &first, report->adopted, "adopted");
	add_part(out, &first, report->forgotten, "forgotten");
	add_part(out, &first, report->moved, "moved");
	add_part(out, &first, report->outputs, report->outputs == 1 ? "output" : "outputs");
	add_part(out, &first, report->failed, "failed");
	add_part(out, &first, report->skipped, "skipped");
	add_part(out, &first, report->not_started, "not started");
	if (first)
		buf_adds(out, "nothing");
	buf_adds(out, " in ");
	words_duration(out, report->elapsed_ms);
	buf_adds(out, " (");
	if (report->generation > 0)
		buf_addf(out, "generation %llu, ", (unsigned long long)report->generation);
	words_count(out, report->provider.calls);
	buf_adds(out, report->provider.calls == 1 ? " call" : " calls");
	if (report->provider.throttled > 0) {
		buf_adds(out, ", ");
		words_count(out, report->provider.throttled);
		buf_adds(out, " throttled");
	}
	buf_adds(out, ").\n");
}

void summary_text(struct buf *out, const struct plan *plan, const struct apply_report *report, bool color)
{
	struct causes causes;

	causes_find(&causes, plan, report);
	totals_text(out, report, color);
	causes_text(out, &causes, plan, color, "apply --json");
	if (report->failed + report->skipped + report->not_started > 0)
		buf_adds(out, "\nWhat is done is recorded. Plan and apply again for the rest.\n");
	causes_free(&causes);
}

/* -- For machines ----------------------------------------------------------------------------------------------------
 */

json_t *summary_json(const struct plan *plan, const struct apply_report *report)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
	    {"generation", report->generation},
	    {"done", report->done},
	    {"failed", report->failed},
	    {"skipped", report->skipped},
	    {"not_started", report->not_started},
	    {"created", report->created},
	    {"updated", report->updated},
	    {"replaced", report->replaced},
	    {"deleted", report->deleted},
	    {"adopted", report->adopted},
	    {"forgotten", report->forgotten},
	    {"moved", report->moved},
	    {"outputs", report->outputs},
	    {"elapsed_ms", (uint64_t)report->elapsed_ms},
	    {"calls", report->provider.calls},
	    {"retries", report->provider.retries},
	    {"throttled", report->provider.throttled},
	};
	json_t *result = json_pack("{s:s, s:b}", "type", "summary", "interrupted", report->interrupted);
	struct causes causes;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		json_object_set_new(result, numbers[i].name, json_integer((json_int_t)numbers[i].value));
	causes_find(&causes, plan, report);
	json_object_set_new(result, "failures", causes_json(&causes, plan));
	causes_free(&causes);
	return result;
}
