/* See report.h. */
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/generation.h"
#include "cli/output.h"
#include "cli/words.h"

struct reporting {
	uint64_t number;
	const char *format;
};

/* -- What failed, as an apply would report it ---------------------------------------------------------------------- */

static enum plan_action action_named(const char *name)
{
	for (int action = PLAN_NOOP; name != NULL && action <= PLAN_DELETE; action++)
		if (strcmp(plan_action_name((enum plan_action)action), name) == 0)
			return (enum plan_action)action;
	return PLAN_NOOP;
}

static bool says(const json_t *object, const char *key, const char *text)
{
	const char *value = json_get_string(object, key);

	return value != NULL && strcmp(value, text) == 0;
}

static void take_failure(struct report *report, const json_t *kept)
{
	const char *address = json_get_string(kept, "Address"), *id = json_get_string(kept, "AccountId");
	const char *type = json_get_string(kept, "Type");
	struct apply_report *failed = report->failed;

	if (address == NULL || plan_history_add(report->plan, address, id != NULL ? id : "", type != NULL ? type : "?",
						action_named(json_get_string(kept, "Action"))) < 0)
		return;
	failed->failures[failed->failure_count++] = (struct apply_failure){
	    .change = report->plan->change_count - 1,
	    .status = says(kept, "Status", "skipped") ? APPLY_SKIPPED : APPLY_FAILED,
	    .code = mem_strdup(json_get_string(kept, "Code")),
	    .message = mem_strdup(json_get_string(kept, "Message")),
	    .operation = mem_strdup(json_get_string(kept, "Operation")),
	    .because = mem_strdup(json_get_string(kept, "Because")),
	};
}

/* From here on the plan holds what failed too: what was done has to be rendered before. */
static void take_failures(struct report *report)
{
	const json_t *outcome = json_object_get(report->generation, "Outcome");
	const json_t *kept = json_object_get(outcome, "Failures");
	int64_t all = json_get_int(outcome, "FailureCount", 0);
	json_t *item;
	size_t i;

	report->failed = mem_alloc(sizeof *report->failed);
	report->failed->failures = mem_array(json_array_size(kept), sizeof *report->failed->failures);
	json_array_foreach((json_t *)kept, i, item) take_failure(report, item);
	report->failures_kept = json_array_size(kept);
	report->failures = all > (int64_t)report->failures_kept ? (size_t)all : report->failures_kept;
	causes_find(&report->causes, report->plan, report->failed);
}

/* -- Text ---------------------------------------------------------------------------------------------------------- */

static void add_bound(struct buf *out, const struct report *report)
{
	if (report->failures <= report->failures_kept)
		return;
	buf_adds(out, "\nThe state keeps the first ");
	words_count(out, report->failures_kept);
	buf_adds(out, " of ");
	words_count(out, report->failures);
	buf_adds(out, " failures: these.\n");
}

static int print_text(struct cli *cli, struct report *report)
{
	const struct plan_text_options options = {.color = cli->terminal.out_color, .width = cli->terminal.width};
	mem_auto_str char *all =
	    mem_printf("muster show --apply %lld --json", (long long)json_get_int(report->generation, "Number", 0));
	buf_auto struct buf text = BUF_INIT;

	generation_line(&text, report->generation, cli->terminal.out_color);
	generation_details(&text, report->generation);
	buf_addc(&text, '\n');
	plan_render_text(&text, report->plan, &options);
	take_failures(report);
	causes_text(&text, &report->causes, report->plan, cli->terminal.out_color, all);
	add_bound(&text, report);
	return output_put(cli, &text);
}

/* -- JSON ---------------------------------------------------------------------------------------------------------- */

static int print_json(struct cli *cli, struct report *report)
{
	json_auto_t *whole = plan_to_json(report->plan);

	json_object_set(report->generation, "ResourceChanges", json_object_get(whole, "resource_changes"));
	take_failures(report);
	json_object_set_new(report->generation, "Causes", causes_json(&report->causes, report->plan));
	return output_json(cli, report->generation);
}

/* -- Markdown ------------------------------------------------------------------------------------------------------ */

/* What failed is worth more to a reader than what was done, and takes up to half. */
static int print_markdown(struct cli *cli, struct report *report)
{
	mem_auto_str char *whole =
	    mem_printf("muster show --apply %lld", (long long)json_get_int(report->generation, "Number", 0));
	struct plan_markdown_options options = {.title = "What was done", .whole = whole};
	size_t done = report->plan->change_count;
	buf_auto struct buf text = BUF_INIT;

	take_failures(report);
	report_markdown_head(&text, report, REPORT_MARKDOWN_MAX / 2);
	report->plan->change_count = done;
	options.max = REPORT_MARKDOWN_MAX - text.len;
	plan_render_markdown(&text, report->plan, &options);
	return output_put(cli, &text);
}

/* -- The whole ----------------------------------------------------------------------------------------------------- */

static void report_free(struct report *report)
{
	causes_free(&report->causes);
	apply_report_free(report->failed);
	plan_free(report->plan);
	json_decref(report->generation);
}

static int look(struct session *s, struct state_txn *txn, void *payload)
{
	const struct schema_set *schemas = s->provider->ops->schemas(s->provider);
	const struct reporting *r = payload;
	struct report report = {0};
	int rc = generation_check(txn, r->number, &s->cli->diag);

	if (rc == 0 && r->number == 0)
		rc = diag_error(&s->cli->diag, "generations count from 1; muster log lists them");
	if (rc == 0 && (report.generation = generation_read(s, txn, r->number)) == NULL)
		rc = -1;
	if (rc == 0)
		rc = plan_history_make(&report.plan, txn, r->number - 1, r->number, schemas, &s->cli->diag);
	if (rc == 0 && strcmp(r->format, "json") == 0)
		rc = print_json(s->cli, &report);
	else if (rc == 0 && strcmp(r->format, "markdown") == 0)
		rc = print_markdown(s->cli, &report);
	else if (rc == 0)
		rc = print_text(s->cli, &report);
	report_free(&report);
	return rc;
}

int report_show(struct cli *cli, uint64_t generation, const char *format)
{
	struct reporting r = {generation, format};
	mem_auto_str char *path = mem_printf("%s/muster.json", cli->directory);

	if (strcmp(format, "html") == 0)
		return diag_error(&cli->diag, "the report of an apply is text, markdown or json"), CLI_FAILED;
	/* `show` works outside of a spec directory; the state is inside of one. */
	if (access(path, F_OK) != 0)
		return diag_error(&cli->diag, "%s holds no muster.json; name the spec directory with -C",
				  cli->directory),
		       CLI_FAILED;
	return session_read_state(cli, true, look, &r) < 0 ? CLI_FAILED : CLI_DONE;
}
