/* muster apply */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/approval.h"
#include "cli/cli.h"
#include "cli/committed.h"
#include "cli/facts.h"
#include "cli/notes.h"
#include "cli/progress.h"
#include "cli/recovery.h"
#include "cli/secrets.h"
#include "cli/summary.h"

/* How long an apply may take, roughly: what it takes to start and end, and its changes. */
#define BASE_MARGIN_MS   (5 * 60 * 1000)
#define BASE_MS_A_CHANGE 20

struct apply_arguments {
	struct planning planning;
	size_t parallelism;
	struct option_count lock_timeout; /* seconds */
	bool auto_approve, allow_dirty, first_apply, recover, json;
};

static const struct option apply_option_table[] = {
    {"auto-approve", OPTION_FLAG, offsetof(struct apply_arguments, auto_approve), NULL, "do not ask before applying",
     NULL},
    {"parallelism", OPTION_NUMBER, offsetof(struct apply_arguments, parallelism), "N",
     "how many operations at once (default 256)", NULL},
    {"only", OPTION_TEXT, offsetof(struct apply_arguments, planning.only), "GLOB",
     "only resources whose address matches", NULL},
    {"refresh", OPTION_FLAG, offsetof(struct apply_arguments, planning.refresh), NULL,
     "read live resources before planning (--no-refresh: trust the state)", NULL},
    {"destroy", OPTION_FLAG, offsetof(struct apply_arguments, planning.destroy), NULL,
     "delete everything that is recorded", NULL},
    {"adopt", OPTION_LIST, offsetof(struct apply_arguments, planning.adopt), "GLOB",
     "take over what exists already at these addresses", NULL},
    {"accept-drift", OPTION_LIST, offsetof(struct apply_arguments, planning.accept_drift), "GLOB",
     "put what AWS has now at these addresses into the record instead of changing it back", NULL},
    {"override-limit", OPTION_FLAG, offsetof(struct apply_arguments, planning.override_limits), NULL,
     "allow the plan to go over the Limits of muster.json; it says so in what is reviewed and signed", NULL},
    {"parameter", OPTION_LIST, offsetof(struct apply_arguments, planning.parameters), "NAME=VALUE",
     "give a parameter of the stacks a value", NULL},
    {"allow-dirty", OPTION_FLAG, offsetof(struct apply_arguments, allow_dirty), NULL,
     "apply specs that are not committed; the generation says so", NULL},
    {"first-apply", OPTION_FLAG, offsetof(struct apply_arguments, first_apply), NULL,
     "where approvals are required: the state is empty, and is meant to be; needed once, for the first apply there",
     NULL},
    {"recover", OPTION_FLAG, offsetof(struct apply_arguments, recover), NULL,
     "look in AWS what became of what a run that was cut off had under way, record it, and do nothing else; it needs "
     "no approval",
     NULL},
    {"lock-timeout", OPTION_COUNT, offsetof(struct apply_arguments, lock_timeout), "SECONDS",
     "wait so long for another command that is writing to the state (default 0)", NULL},
    {"json", OPTION_FLAG, offsetof(struct apply_arguments, json), NULL, "events as JSON lines on stdout", NULL},
    {0},
};

static void apply_defaults(void *arguments)
{
	((struct apply_arguments *)arguments)->planning.refresh = true;
}

/* What was merged is what git keeps: the plan's own commit may be gone with its branch. */
static void landed_facts(json_t *facts, const struct cli *cli, const struct plan *plan)
{
	struct diag ignored = DIAG_INIT;
	mem_auto_str char *landed = NULL;

	if (plan->commit != NULL && plan->tree != NULL && !plan->dirty)
		state_git_landed(&landed, cli->directory, plan->commit, plan->tree, &ignored);
	if (landed != NULL)
		json_object_update_new(facts, json_pack("{s:s, s:s}", "Commit", landed, "PlanCommit", plan->commit));
	diag_free(&ignored);
}

/* Who applies what, for the generation. New reference. */
static json_t *facts_of(const struct cli *cli, const struct plan *plan)
{
	json_t *facts = facts_new(cli);

	json_object_update_new(facts, json_pack("{s:s*, s:s*, s:b, s:b, s:O}", "Commit", plan->commit, "Tree",
						plan->tree, "Dirty", plan->dirty, "Destroy", plan->destroy,
						"Parameters", plan->parameters));
	landed_facts(facts, cli, plan);
	return facts;
}

static void report_print(const struct cli *cli, const struct plan *plan, const struct apply_report *report, bool json)
{
	buf_auto struct buf text = BUF_INIT;

	if (json) {
		json_auto_t *line = summary_json(plan, report);

		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	summary_text(&text, plan, report, cli->terminal.out_color);
	fwrite(buf_str(&text), 1, text.len, stdout);
}

/* What the plan could not reach is not done either, and whoever waits for the exit status must learn of it. */
static int status_of(struct cli *cli, const struct plan *plan, const struct apply_report *report)
{
	if (!plan_is_whole(plan))
		diag_error(&cli->diag,
			   "the plan says of parts of the fleet that they could not be reached, or wait for "
			   "something; they are as they were");
	if (report != NULL && (report->failed > 0 || report->skipped > 0 || report->not_started > 0))
		return CLI_FAILED;
	return plan_is_whole(plan) ? CLI_DONE : CLI_FAILED;
}

/* Base credentials that end in the middle would leave the rest undone (rule 14). Known once planning has used them. */
static void warn_of_end(struct session *s, const struct plan *plan)
{
	int64_t ends_ms = provider_aws_base_ends_ms(s->provider), left_ms = ends_ms - loop_wall_ms();
	int64_t needed_ms = BASE_MARGIN_MS + (int64_t)plan->change_count * BASE_MS_A_CHANGE;
	char when[32];

	if (ends_ms == 0 || left_ms >= needed_ms)
		return;
	text_time(when, sizeof when, ends_ms);
	diag_warning(&s->cli->diag,
		     "your credentials end at %s, perhaps before %zu changes are done; sign in again first", when,
		     plan->change_count);
	diag_print(&s->cli->diag, stderr, s->cli->terminal.error_color);
	diag_free(&s->cli->diag);
}

/* `inputs`: the files that the plan was made from. */
static int run_plan(struct session *s, const struct plan *plan, const struct inputs *inputs,
		    const struct apply_arguments *given)
{
	json_auto_t *approvals = NULL;
	struct apply_options options = {.parallelism = given->parallelism, .secret = secrets_find, .secret_payload = s};
	struct apply_input *files;
	struct apply_report *report = NULL;
	struct progress *progress = NULL;
	int result = apply_check(plan, s->state, &s->cli->diag);

	if (result == 0)
		result = approval_check(&approvals, s, plan, inputs);
	if (result == 0)
		result = secrets_check(s, plan);
	if (result < 0)
		return CLI_FAILED;
	warn_of_end(s, plan);
	progress_new(&progress, s->cli, plan, given->json);
	options.events = progress_events(progress);
	options.facts = facts_of(s->cli, plan);
	options.inputs = files = inputs_list(inputs, &options.input_count);
	if (json_array_size(approvals) > 0)
		json_object_set(options.facts, "Approvals", approvals);
	if (given->allow_dirty)
		json_object_set_new(options.facts, "AllowDirty", json_true());
	if (given->first_apply)
		json_object_set_new(options.facts, "FirstApply", json_true());
	result = apply_run(&report, s->loop, s->provider, s->state, plan, &options, &s->cli->diag);
	progress_free(progress);
	json_decref(options.facts);
	free(files);
	if (report != NULL) {
		report_print(s->cli, plan, report, given->json);
		notes_write(s, report->generation);
	}
	result = result < 0 ? CLI_FAILED : status_of(s->cli, plan, report);
	apply_report_free(report);
	return result;
}

static bool confirmed(struct cli *cli, const struct plan *plan)
{
	buf_auto struct buf question = BUF_INIT;

	buf_adds(&question, "Apply ");
	text_count(&question, plan->change_count, "change");
	buf_addc(&question, '?');
	return terminal_confirm(buf_str(&question), "apply a saved plan, or use --auto-approve", &cli->diag) == 0;
}

/* The generation names its plan by the digest, which one that was never saved has not got yet. */
static int run_new(struct session *s, struct plan *plan, const struct apply_arguments *given)
{
	json_decref(plan_to_json(plan));
	return run_plan(s, plan, &s->inputs, given);
}

/* What changes in the rules comes into force with a generation, and is said until there is one. */
static bool has_remarks(const struct plan *plan)
{
	for (size_t i = 0; i < plan->note_count; i++)
		if (plan->notes[i].kind == PLAN_NOTE_APPROVAL)
			return true;
	return false;
}

static int apply_new(struct session *s, const struct apply_arguments *given)
{
	struct plan *plan = NULL;
	int status = CLI_FAILED;

	if (approval_check_direct(s) < 0 || (!given->allow_dirty && committed_check(s->cli) < 0) ||
	    recovery_settle(s, NULL, given->json) < 0)
		return CLI_FAILED;
	s->without_secrets = given->planning.destroy;
	if (session_load_specs(s, &given->planning.parameters) < 0 || planning_run(&plan, s, &given->planning) < 0)
		return CLI_FAILED;
	/* Nothing is applied that could not be shown. */
	if (!given->json && planning_print(s->cli, plan) < 0)
		status = CLI_FAILED;
	else if (!plan_has_work(plan) && !has_remarks(plan))
		status = status_of(s->cli, plan, NULL);
	else if (!given->allow_dirty && committed_check_plan(s->cli, plan) < 0)
		status = CLI_FAILED;
	else if (given->auto_approve || confirmed(s->cli, plan))
		status = run_new(s, plan, given);
	plan_free(plan);
	return status;
}

/* A plan holds no secrets, so those that were given as parameters are given again; plain ones it has. */
static int take_secrets(struct session *s, const struct option_list *parameters)
{
	if (parameters->count == 0)
		return 0;
	if (session_load_specs(s, parameters) < 0)
		return -1;
	for (size_t i = 0; i < s->parameter_count; i++)
		if (!specs_parameter_is_secret(s->specs, s->parameters[i].name))
			return diag_error(
			    &s->cli->diag,
			    "a saved plan is applied as it is: the parameter %s is no secret, and was given "
			    "when it was made",
			    s->parameters[i].name);
	return 0;
}

/* The generation keeps what its plan was made from; and where secrets stand, those specs say, not today's. */
static int find_inputs(struct inputs *out, struct specs_source *source, struct session *s, const struct plan *plan)
{
	if (plan->inputs == NULL)
		return 0;
	if (inputs_find(out, plan->inputs, s->cli->directory, plan->commit, s->state, &s->cli->diag) < 0)
		return -1;
	inputs_source(source, out);
	s->base = source;
	return 0;
}

/* What an earlier run left open is settled last, when nothing else speaks against the plan: most of what was under way
 * is not what this one is about, or turns out not to have happened, and then the plan holds. */
static int settle(struct session *s, const struct plan *plan, const struct apply_arguments *given)
{
	int settled = secrets_check(s, plan) < 0 ? -1 : recovery_settle(s, plan, given->json);

	if (settled <= 0 || apply_check(plan, s->state, &s->cli->diag) == 0)
		return settled < 0 ? -1 : 0;
	diag_note(&s->cli->diag,
		  "that is what a run that was cut off had under way, and it is settled now, so the next "
		  "plan knows of it; muster apply --recover settles it before a plan is made");
	return -1;
}

static int apply_saved(struct session *s, const char *path, const struct apply_arguments *given)
{
	struct specs_source source;
	struct inputs inputs = {0};
	json_auto_t *approvals = NULL;
	struct plan *plan = NULL;
	int status = CLI_FAILED;

	if (given->planning.only != NULL || given->planning.destroy || given->planning.adopt.count > 0 ||
	    given->planning.accept_drift.count > 0 || given->planning.override_limits) {
		diag_error(&s->cli->diag,
			   "a saved plan is applied as it is: --only, --destroy, --adopt, --accept-drift and "
			   "--override-limit are given when it is made");
		return CLI_FAILED;
	}
	if (plan_file_read(&plan, path, s->provider->ops->schemas(s->provider), &s->cli->diag) < 0)
		return CLI_FAILED;
	if (apply_check(plan, s->state, &s->cli->diag) == 0 && find_inputs(&inputs, &source, s, plan) == 0 &&
	    approval_check(&approvals, s, plan, &inputs) == 0 &&
	    (given->allow_dirty || committed_check_plan(s->cli, plan) == 0) &&
	    take_secrets(s, &given->planning.parameters) == 0 && settle(s, plan, given) == 0)
		status = run_plan(s, plan, &inputs, given);
	plan_free(plan);
	inputs_free(&inputs);
	return status;
}

static int64_t lock_timeout_ms(const struct apply_arguments *given)
{
	uint64_t most = INT64_MAX / 1000;

	return (int64_t)(given->lock_timeout.value < most ? given->lock_timeout.value : most) * 1000;
}

/* Refused for another writer: there is a way to wait. */
static void lock_hint(const struct session *s)
{
	struct diag ignored = DIAG_INIT;
	json_auto_t *holder = NULL;

	if (s->lock_timeout_ms == 0 && state_lock_holder(s->state_directory, &holder, &ignored) == 1)
		diag_note(&s->cli->diag, "--lock-timeout SECONDS waits until it is done");
	diag_free(&ignored);
}

static int open_session(struct session *s)
{
	if (session_open_provider(s) < 0)
		return -1;
	if (session_open_state(s, SESSION_STATE_WRITE) == 0)
		return 0;
	lock_hint(s);
	return -1;
}

/* It goes by what is recorded alone; what says what to plan would be passed over. */
static int check_recover(struct session *s, const struct apply_arguments *given, size_t count)
{
	if (count > 0 || given->planning.only != NULL || given->planning.destroy || given->planning.adopt.count > 0 ||
	    given->planning.accept_drift.count > 0 || given->planning.override_limits ||
	    given->planning.parameters.count > 0)
		return diag_error(
		    &s->cli->diag,
		    "--recover settles what a run that was cut off left open and applies nothing: leave out "
		    "FILE and what is for plans");
	if (session_check_state(s) < 0)
		return -1;
	if (access(s->state_directory, F_OK) < 0)
		return diag_error(&s->cli->diag, "there is no state in %s; the first plan makes it",
				  s->state_directory);
	return 0;
}

static int apply_any(struct session *s, const struct apply_arguments *given, const char **words, size_t count)
{
	int status = CLI_FAILED;

	if (given->recover && check_recover(s, given, count) < 0)
		return CLI_FAILED;
	if (open_session(s) < 0)
		return CLI_FAILED;
	if (given->recover)
		return recovery_run(s, given->json);
	status = count > 0 ? apply_saved(s, words[0], given) : apply_new(s, given);
	return status == CLI_DONE ? recovery_check_open(s, NULL) : status;
}

static int apply(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct apply_arguments *given = arguments;
	struct session s;
	int status;

	session_start(&s, cli);
	s.first_apply = given->first_apply;
	s.lock_timeout_ms = lock_timeout_ms(given);
	status = apply_any(&s, given, words, count);
	session_close(&s);
	return status;
}

const struct command command_apply = {
    .name = "apply",
    .words = "[FILE]",
    .words_max = 1,
    .summary = "apply a saved plan; or plan, show, ask, and apply",
    .details = "Each change is written down before its call and its result after it, so a run that is cut off can be\n"
	       "taken up by the next, or settled by --recover. Ctrl-C once: starts nothing new and waits for what is\n"
	       "under way; twice: stops.",
    .options = apply_option_table,
    .arguments_size = sizeof(struct apply_arguments),
    .run = apply,
    .defaults = apply_defaults,
};
