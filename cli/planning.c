/* Making and showing a plan, as `plan`, `rollback` and `apply` all do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/approval.h"
#include "cli/base.h"
#include "cli/cli.h"
#include "cli/committed.h"
#include "cli/output.h"
#include "cli/rollback.h"
#include "cli/words.h"

/* Where the specs come from: a generation, a revision, or the work tree (`git`, to be freed). */
static int take_origin(struct plan_options *options, struct state_git *git, const struct session *s)
{
	options->inputs = s->inputs.digests;
	if (s->rollback != NULL) {
		options->commit = json_get_string(s->rollback->facts, "Commit");
		options->tree = json_get_string(s->rollback->facts, "Tree");
		options->dirty = json_get_bool(s->rollback->facts, "Dirty", options->commit == NULL);
		options->rollback = s->rollback->generation;
		options->rollback_of = s->rollback->of;
		return 0;
	}
	if (s->tree != NULL) {
		options->commit = state_git_tree_commit(s->tree);
		options->tree = state_git_tree_id(s->tree);
		return 0;
	}
	if (state_git_facts(git, s->cli->directory, &s->cli->diag) < 0)
		return -1;
	options->commit = git->commit;
	options->tree = git->tree;
	options->dirty = git->dirty || !git->repository;
	return 0;
}

/* Only now all files have been read: those that properties name (Muster::File) are read as the plan is made. */
static int check_committed(struct plan *plan, const struct state_git *git, const struct session *s)
{
	int all;

	if (plan->dirty && s->rollback == NULL && s->tree == NULL)
		plan->uncommitted = committed_others(git);
	if (plan->dirty || s->rollback != NULL || s->tree != NULL)
		return 0;
	all = committed_inputs(&plan->uncommitted, s->cli, &s->inputs, plan->commit);
	plan->dirty = all == 0;
	return all < 0 ? -1 : 0;
}

static int take_base(struct plan_options *options, struct base *base, struct session *s,
		     const struct planning *planning)
{
	if (planning->base == NULL)
		return 0;
	if (planning->destroy)
		return diag_error(&s->cli->diag, "--base compares specs, and --destroy looks at none");
	if (base_open(base, s, planning->base) < 0)
		return -1;
	options->base_commit = state_git_tree_commit(base->tree);
	options->base_specs = base->specs;
	options->base_error = base->error;
	return 0;
}

/* Borrowed from the list; the array is to be freed with free(). */
static const char **texts_of(const json_t *list)
{
	const char **texts = mem_array(json_array_size(list) + 1, sizeof *texts);
	const json_t *text;
	size_t i;

	json_array_foreach(list, i, text) texts[i] = json_string_value(text);
	return texts;
}

/* The newest generation where it has not come to its end; new reference, NULL: there is none. */
static json_t *open_generation(const struct session *s)
{
	struct diag ignored = DIAG_INIT;
	struct state_txn *txn = NULL;
	json_t *generation = NULL;
	const char *status;
	uint64_t number;

	if (state_begin(&txn, s->state, false, &ignored) == 0 && state_generation(txn, &number, &ignored) == 0 &&
	    number > 0)
		state_generation_get(txn, number, &generation, &ignored);
	state_abort(txn);
	diag_free(&ignored);
	status = json_get_string(generation, "Status");
	if (status != NULL && strcmp(status, "open") == 0)
		return generation;
	json_decref(generation);
	return NULL;
}

/* What another apply has made a moment ago exists and may not be recorded yet: it looks as if it stood in the way. */
static void warn_of_apply(const struct session *s)
{
	struct diag ignored = DIAG_INIT;
	json_auto_t *holder = NULL, *generation = NULL;
	buf_auto struct buf who = BUF_INIT;

	if (!s->writing && state_lock_holder(s->state_directory, &holder, &ignored) == 1)
		generation = open_generation(s);
	diag_free(&ignored);
	if (generation == NULL)
		return;
	words_holder(&who, holder);
	diag_warning(&s->cli->diag,
		     "generation %lld is being applied right now by %s; what it makes may look as if it stood in the "
		     "way, and what it has not come to is in this plan, too: plan again when it is done",
		     (long long)json_get_int(generation, "Number", 0), buf_str(&who));
}

int planning_run(struct plan **out, struct session *s, const struct planning *planning)
{
	json_auto_t *remarks = NULL;
	struct state_git git = {0};
	struct base base = {0};
	const char **texts;
	struct status status;
	struct plan_options options = {
	    .refresh = planning->refresh,
	    .destroy = planning->destroy,
	    .only = planning->only,
	    .adopt = planning->adopt.items,
	    .adopt_count = planning->adopt.count,
	    .accept_drift = planning->accept_drift.items,
	    .accept_drift_count = planning->accept_drift.count,
	    .lineage = s->lineage,
	    .lineage_minted = s->lineage_minted,
	    .override_limits = planning->override_limits,
	    .progress = status_show,
	    .progress_payload = &status,
	};
	int result;

	if (planning->accept_drift.count > 0 && (!planning->refresh || planning->destroy))
		return diag_error(&s->cli->diag,
				  "--accept-drift needs to know what AWS has, for what the specs still want: it goes "
				  "with neither --no-refresh nor --destroy");
	if (approval_remarks(&remarks, s) < 0)
		return -1;
	options.remarks = texts = texts_of(remarks);
	options.remark_count = json_array_size(remarks);
	if (take_origin(&options, &git, s) < 0 || take_base(&options, &base, s, planning) < 0) {
		free(texts);
		base_close(&base);
		state_git_free(&git);
		return -1;
	}
	warn_of_apply(s);
	options.parameters = session_parameters(s);
	status_start(&status, s->cli);
	result = plan_make(out, s->loop, s->provider, s->specs, s->state, &options, &s->cli->diag);
	status_end(&status);
	if (result == 0 && check_committed(*out, &git, s) < 0) {
		plan_free(*out);
		*out = NULL;
		result = -1;
	}
	/* Generated names hang on it: with a lost state and a new lineage everything would be made a second time. */
	if (result == 0 && s->specs->settings.lineage == NULL)
		diag_warning(
		    &s->cli->diag,
		    "muster.json has no Lineage; write \"Lineage\": \"%s\" into it, so that what was made is known "
		    "again should the state be lost",
		    (*out)->lineage);
	json_decref(options.parameters);
	free(texts);
	base_close(&base);
	state_git_free(&git);
	return result;
}

const char *const planning_formats[] = {"text", "markdown", "json", "html", NULL};

static void add_command(struct buf *out, const struct cli *cli, const char *command, const char *file)
{
	words_muster(out, cli->directory);
	buf_addf(out, " %s ", command);
	words_shell(out, file);
}

/* How to go on, as apply will take it: nothing where it will refuse it whatever is done. */
static void saved(struct session *s, const struct plan *plan, const char *file)
{
	buf_auto struct buf text = BUF_INIT;
	struct approval_needs needs;

	approval_needs(&needs, s, plan);
	buf_addf(&text, "Saved as %s", file);
	if (!needs.over && !(needs.signatures > 0 && plan->dirty && plan->rollback == 0)) {
		if (needs.signatures > 0) {
			buf_addf(&text, "; have it approved (%lld required) with: ", (long long)needs.signatures);
			add_command(&text, s->cli, "approve", file);
			buf_adds(&text, " --key KEY");
		}
		buf_adds(&text,
			 needs.signatures > 0 ? "; then apply exactly this with: " : "; apply exactly this with: ");
		add_command(&text, s->cli, "apply", file);
		buf_adds(&text, plan->dirty ? " --allow-dirty" : "");
		buf_adds(&text, needs.first_apply ? " --first-apply" : "");
	}
	fprintf(stderr, "%s\n", buf_str(&text));
}

int planning_show(struct session *s, struct plan *plan, const struct planning_output *output)
{
	struct cli *cli = s->cli;

	/* Saving first: what was shown should be what can be applied. */
	if (output->out != NULL && plan_file_write(plan, output->out, &cli->diag) < 0)
		return CLI_FAILED;
	if (output_plan(cli, plan, output->json ? "json" : output->format) < 0)
		return CLI_FAILED;
	approval_warn_limits(&cli->diag, plan);
	if (output->out != NULL)
		saved(s, plan, output->out);
	if (!output->detailed_exitcode)
		return CLI_DONE;
	/* Whoever asks for the exit status must not take a fleet that was not seen for one without changes. */
	if (plan_has_work(plan))
		return CLI_CHANGES;
	return plan_is_whole(plan) ? CLI_DONE : CLI_FAILED;
}
