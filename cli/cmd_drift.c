/* muster drift */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/output.h"

/* What the next report has to know of this one, beside the state. */
#define REPORT_FILE      "drift.json"
#define REPORT_BYTES_MAX ((size_t)256 << 20)

struct drift_arguments {
	const char *format, *only;
	bool json, all;
};

static const struct option drift_options[] = {
    {"only", OPTION_TEXT, offsetof(struct drift_arguments, only), "GLOB", "only resources whose address matches", NULL},
    {"all", OPTION_FLAG, offsetof(struct drift_arguments, all), NULL,
     "tell of all drift alike: neither look at the last report nor remember this one", NULL},
    {"format", OPTION_CHOICE, offsetof(struct drift_arguments, format), NULL, "how to show the drift",
     planning_formats},
    {"json", OPTION_FLAG, offsetof(struct drift_arguments, json), NULL, "short for --format json", NULL},
    {0},
};

static void drift_defaults(void *arguments)
{
	((struct drift_arguments *)arguments)->format = "text";
}

static int make_report(struct plan **out, struct session *s, const char *only)
{
	struct status status;
	const struct plan_options options = {
	    .refresh = true,
	    .only = only,
	    .lineage = s->lineage,
	    .progress = status_show,
	    .progress_payload = &status,
	};
	int result;

	status_start(&status, s->cli);
	result = plan_drift_make(out, s->loop, s->provider, s->specs, s->state, &options, &s->cli->diag);
	status_end(&status);
	return result;
}

/* The last report, or NULL where there is none; new reference. What is damaged tells nothing any more. */
static int last_report(json_t **out, struct diag *d, const char *path)
{
	buf_auto struct buf text = BUF_INIT;
	int result = text_file_read(&text, path, REPORT_BYTES_MAX);

	*out = NULL;
	if (result == -ENOENT)
		return 0;
	if (result < 0)
		return diag_error(d, "%s: cannot read the last report: %s; --all does without it", path,
				  strerror(-result));
	*out = json_loadb(buf_str(&text), text.len, 0, NULL);
	if (*out == NULL)
		diag_warning(d, "%s: is damaged, so nobody knows what of this was reported before; it is made anew",
			     path);
	return 0;
}

/* To read drift is allowed to who may not write the state. */
static void remember(struct diag *d, const char *path, const json_t *report)
{
	char *text = json_dumps(report, JSON_COMPACT | JSON_SORT_KEYS);
	int result = text == NULL ? -ENOMEM : text_file_write(path, text, strlen(text), 0600);

	free(text);
	if (result < 0)
		diag_note(d, "%s: cannot be written (%s), so the next report compares with the one before this", path,
			  strerror(-result));
}

/* Says what is new since the last report, and remembers this one. */
static int compare(struct session *s, struct plan *plan, const struct drift_arguments *given)
{
	mem_auto_str char *path = mem_printf("%s/%s", s->state_directory, REPORT_FILE);
	json_auto_t *previous = NULL, *now = NULL;
	struct diag *d = &s->cli->diag;

	if (!given->all && last_report(&previous, d, path) < 0)
		return -1;
	if (plan_drift_compare(&now, plan, previous, given->only, s->state, d) < 0)
		return -1;
	/* Without a key there is no state yet, and nothing in it that could drift. */
	if (!given->all && s->secret_key_known)
		remember(d, path, now);
	return 0;
}

static int status_of(const struct plan *plan)
{
	if (plan->change_count > 0)
		return CLI_CHANGES;
	return plan_is_whole(plan) ? CLI_DONE : CLI_FAILED;
}

static int drift(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct drift_arguments *given = arguments;
	struct plan *plan = NULL;
	int status = CLI_FAILED;
	struct session s;

	(void)words;
	(void)count;
	session_start(&s, cli);
	s.roster_only = true;
	if (session_open_provider(&s) == 0 && session_open_state(&s, SESSION_STATE_READ) == 0 &&
	    session_load_specs(&s, NULL) == 0 && make_report(&plan, &s, given->only) == 0 &&
	    compare(&s, plan, given) == 0 && output_plan(cli, plan, given->json ? "json" : given->format) == 0)
		status = status_of(plan);
	plan_free(plan);
	session_close(&s);
	return status;
}

const struct command command_drift = {
    .name = "drift",
    .summary = "what changed in AWS behind muster's back",
    .details = "Reads everything that is recorded and tells, property by property, where AWS has something else now,\n"
	       "and what is gone; what is new since the last report comes first. Needs of the specs only muster.json\n"
	       "and accounts.json. Changes nothing. Exits with 2 when there is drift, with 1 when there is none in\n"
	       "what could be reached, but something could not.",
    .options = drift_options,
    .arguments_size = sizeof(struct drift_arguments),
    .run = drift,
    .defaults = drift_defaults,
};
