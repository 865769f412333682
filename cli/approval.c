/* See approval.h. */
#include "cli/approval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/committed.h"
#include "cli/rollback.h"

/* -- The rules of specs at hand ------------------------------------------------------------------------------------ */

/* muster.json and the files of its keys. */
struct own {
	struct apply_input *files;
	size_t count;
	json_t *settings;
};

static void own_free(struct own *own)
{
	for (size_t i = 0; i < own->count; i++) {
		free((char *)own->files[i].path);
		free((void *)own->files[i].bytes);
	}
	free(own->files);
	json_decref(own->settings);
	memset(own, 0, sizeof *own);
}

static int own_add(struct own *own, const struct specs_source *source, const char *path, struct diag *d)
{
	struct apply_input *file;
	char *text = NULL;
	size_t len = 0;
	int result = source->read(source->payload, path, &text, &len, d);

	if (result == -ENOENT)
		return diag_error(d, "%s: there is no such file", path);
	if (result != 0)
		return -1;
	own->files = mem_resize(own->files, own->count + 1, sizeof *own->files);
	file = &own->files[own->count++];
	*file = (struct apply_input){mem_strdup(path), text, len};
	return 0;
}

static int own_read(struct own *own, const struct specs_source *source, struct diag *d)
{
	json_t *entry;
	size_t i;

	if (own_add(own, source, "muster.json", d) < 0 || own->count == 0)
		return -1;
	own->settings = json_loadb(own->files[0].bytes, own->files[0].len, 0, NULL);
	json_array_foreach(json_object_get(json_object_get(own->settings, "Approval"), "Keys"), i, entry)
	{
		const char *path = apply_approval_key_path(entry);

		if (path != NULL && own_add(own, source, path, d) < 0)
			return -1;
	}
	return 0;
}

static int own_from_directory(struct own *own, const char *directory, struct diag *d)
{
	struct specs_source source;
	int result;

	if (specs_source_directory(&source, directory, d) < 0)
		return -1;
	result = own_read(own, &source, d);
	specs_source_free(&source);
	return result;
}

/* -- The rules that count ------------------------------------------------------------------------------------------ */

static int rules_of(struct apply_approval_rules *out, struct session *s, const struct own *own, struct diag *d)
{
	struct state_txn *txn = NULL;
	int result;

	if (s->state != NULL && state_begin(&txn, s->state, false, d) < 0)
		return -1;
	result = apply_approval_rules(out, txn, own->files, own->count, d);
	state_abort(txn);
	return result;
}

int approval_rules(struct apply_approval_rules *out, struct session *s, struct diag *d)
{
	struct diag ignored = DIAG_INIT;
	struct own own = {0};
	int result;

	/* The state may have all that is needed. */
	own_from_directory(&own, s->cli->directory, &ignored);
	diag_free(&ignored);
	result = rules_of(out, s, &own, d);
	own_free(&own);
	return result;
}

int approval_check_direct(struct session *s)
{
	struct diag *d = &s->cli->diag;
	struct apply_approval_rules rules = {0};
	struct own own = {0};
	int result = own_from_directory(&own, s->cli->directory, d);

	if (result == 0)
		result = rules_of(&rules, s, &own, d);
	if (result == 0 && apply_approval_required(&rules) > 0)
		result = diag_error(
		    d,
		    "plans need approval here (Approval.Required is %lld), and what is planned and applied in "
		    "one go cannot have it: muster plan --out FILE, muster approve FILE --key KEY, then "
		    "muster apply FILE",
		    (long long)apply_approval_required(&rules));
	apply_approval_rules_free(&rules);
	own_free(&own);
	return result;
}

/* -- A plan's own rules -------------------------------------------------------------------------------------------- */

int approval_validate(struct session *s)
{
	struct apply_approval_rules rules = {0};
	struct own own = {0};
	int result = own_read(&own, &s->layered, &s->cli->diag);

	if (result == 0)
		result = apply_approval_rules(&rules, NULL, own.files, own.count, &s->cli->diag);
	if (result == 0)
		result = apply_approval_rules_check(&rules, &s->cli->diag);
	apply_approval_rules_free(&rules);
	own_free(&own);
	return result;
}

static int changes_of(struct buf *words, struct session *s, const struct own *own, struct diag *d)
{
	struct apply_approval_rules now = {0}, next = {0};
	int result = rules_of(&now, s, own, d);

	if (result == 0)
		result = apply_approval_rules(&next, NULL, own->files, own->count, d);
	if (result == 0)
		apply_approval_changes(words, &now, &next);
	apply_approval_rules_free(&now);
	apply_approval_rules_free(&next);
	return result;
}

int approval_remark(char **remark, struct session *s)
{
	buf_auto struct buf words = BUF_INIT;
	struct own own = {0};
	int result;

	*remark = NULL;
	if (s->rollback != NULL)
		return 0;
	result = approval_validate(s);
	if (result == 0)
		result = own_read(&own, &s->layered, &s->cli->diag);
	if (result == 0)
		result = changes_of(&words, s, &own, &s->cli->diag);
	if (result == 0 && words.len > 0)
		*remark = buf_detach(&words);
	own_free(&own);
	return result;
}

/* Whoever signs must have been told that the plan changes who signs next. */
static int check_remark(const struct plan *plan, const char *words, struct diag *d)
{
	for (size_t i = 0; i < plan->note_count; i++)
		if (plan->notes[i].text != NULL && strcmp(plan->notes[i].text, words) == 0)
			return 0;
	return diag_error(d, "this plan does not say what it changes in who must approve; make a new plan");
}

void approval_warn_limits(struct diag *d, const struct plan *plan)
{
	if (json_array_size(json_object_get(plan->limits, "Over")) == 0 ||
	    json_get_bool(plan->limits, "Overridden", false))
		return;
	diag_warning(
	    d, "this plan is over its limits, and apply will refuse it; if all of it is meant, make it again with "
	       "--override-limit, which everybody who reviews it will see");
}

/* -- Applying ------------------------------------------------------------------------------------------------------ */

/* That what is signed was made from what it says: files that were committed, or those of the generation that it goes
 * back to. */
static int check_origin(struct session *s, const struct plan *plan, const struct inputs *inputs)
{
	if (plan->inputs == NULL)
		return diag_error(&s->cli->diag,
				  "this plan does not say which files it was made from; make a new plan");
	return plan->rollback > 0 ? rollback_check_plan(s, plan, inputs) : committed_approved(s->cli, plan, inputs);
}

static int check_rules(json_t **approvals, struct session *s, const struct plan *plan, const struct inputs *inputs,
		       const struct own *own)
{
	struct apply_approval_rules rules = {0};
	buf_auto struct buf words = BUF_INIT;
	struct diag *d = &s->cli->diag;
	int result = rules_of(&rules, s, own, d);

	if (result == 0)
		result = apply_approval_check(approvals, plan, &rules, s->cli->directory, loop_wall_ms(), d);
	if (result == 0 && apply_approval_required(&rules) > 0) {
		result = check_origin(s, plan, inputs);
		if (result == 0 && plan->rollback == 0)
			result = changes_of(&words, s, own, d);
		if (result == 0 && words.len > 0)
			result = check_remark(plan, buf_str(&words), d);
	}
	apply_approval_rules_free(&rules);
	return result;
}

/* Only of a plan that was saved: what is planned and applied in one go was asked about before. */
static int check_loaded(json_t **approvals, struct session *s, const struct plan *plan, const struct inputs *inputs,
			const struct own *today)
{
	struct specs_source source;
	struct own own = {0};
	int result = 0;

	if (plan->inputs == NULL || plan->rollback > 0)
		return check_rules(approvals, s, plan, inputs, today);
	inputs_source(&source, inputs);
	result = own_read(&own, &source, &s->cli->diag);
	if (result == 0)
		result = check_rules(approvals, s, plan, inputs, &own);
	own_free(&own);
	return result;
}

int approval_check(json_t **approvals, struct session *s, const struct plan *plan, const struct inputs *inputs)
{
	struct diag *d = &s->cli->diag;
	struct own today = {0};
	int result = own_from_directory(&today, s->cli->directory, d);

	*approvals = NULL;
	if (result == 0)
		result = plan_limits_check(plan, json_object_get(today.settings, "Limits"), d);
	if (result == 0 && plan->loaded)
		result = check_loaded(approvals, s, plan, inputs, &today);
	own_free(&today);
	return result;
}
