/* See approval.h. */
#include "cli/approval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/committed.h"
#include "cli/remarks.h"
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

static int read_committed(void *directory, const char *path, char **text, size_t *len, struct diag *d)
{
	return committed_read(directory, path, text, len, d);
}

/* muster.json alone. */
static int own_read_settings(struct own *own, const struct specs_source *source, struct diag *d)
{
	if (own_add(own, source, "muster.json", d) < 0 || own->count == 0)
		return -1;
	own->settings = json_loadb(own->files[0].bytes, own->files[0].len, 0, NULL);
	return 0;
}

static int own_read(struct own *own, const struct specs_source *source, struct diag *d)
{
	json_t *entry;
	size_t i;

	if (own_read_settings(own, source, d) < 0)
		return -1;
	json_array_foreach(json_object_get(json_object_get(own->settings, "Approval"), "Keys"), i, entry)
	{
		const char *path = apply_approval_key_path(entry);

		if (path != NULL && own_add(own, source, path, d) < 0)
			return -1;
	}
	return 0;
}

/* As HEAD has them. A rollback brings no rules of its own, so it needs none of their keys. */
static int own_from_commit(struct own *own, const char *directory, bool rollback, struct diag *d)
{
	struct specs_source source = {.read = read_committed, .payload = (void *)directory};

	return rollback ? own_read_settings(own, &source, d) : own_read(own, &source, d);
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

/* Where the state is empty the specs choose their own judges, so that has to be meant. */
static int check_first(struct session *s, const struct apply_approval_rules *now)
{
	struct diag *d = &s->cli->diag;
	int first = remarks_first_apply(s, now, d);

	if (first == 1 && !s->first_apply)
		return diag_error(d,
				  "the state in %s is empty, so nothing but these specs says who must approve; if this "
				  "is the first apply, say so with apply --first-apply; else State.Path of muster.json "
				  "or MUSTER_STATE_PATH leads to the wrong place",
				  s->state_directory);
	if (first == 0 && s->first_apply && now->generation > 0)
		return diag_error(d,
				  "--first-apply: the state in %s is not empty, generation %llu says who must approve; "
				  "leave the option out",
				  s->state_directory, (unsigned long long)now->generation);
	return first < 0 ? -1 : 0;
}

/* Rules that are planned count here as well as those in force: with them one could not have been turned on by this. */
static int64_t required_at_most(const struct apply_approval_rules *rules, const struct own *own)
{
	int64_t now = apply_approval_required(rules),
		next = json_get_int(json_object_get(own->settings, "Approval"), "Required", 0);

	return now > next ? now : next;
}

int approval_check_direct(struct session *s)
{
	struct diag *d = &s->cli->diag;
	struct apply_approval_rules rules = {0};
	struct own own = {0};
	int result = own_from_directory(&own, s->cli->directory, d);

	if (result == 0)
		result = rules_of(&rules, s, &own, d);
	if (result == 0 && required_at_most(&rules, &own) > 0)
		result = diag_error(
		    d,
		    "plans need approval here (Approval.Required is %lld), and what is planned and applied in "
		    "one go cannot have it: muster plan --out FILE, muster approve FILE --key KEY, then "
		    "muster apply FILE",
		    (long long)required_at_most(&rules, &own));
	if (result == 0)
		result = check_first(s, &rules);
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

static int rules_words(struct buf *words, const struct apply_approval_rules *now, const struct own *own, struct diag *d)
{
	struct apply_approval_rules next = {0};
	int result = apply_approval_rules(&next, NULL, own->files, own->count, d);

	if (result == 0)
		apply_approval_changes(words, now, &next);
	apply_approval_rules_free(&next);
	return result;
}

/* `own`: of the specs that are planned; for a rollback of HEAD, whose rules it does not bring along. */
static int remarks_of(json_t **out, struct session *s, const struct apply_approval_rules *now, const struct own *own,
		      bool rollback, struct diag *d)
{
	buf_auto struct buf words = BUF_INIT;

	if (!rollback && rules_words(&words, now, own, d) < 0)
		return -1;
	return remarks_list(out, s, now, own->settings, buf_str(&words), d);
}

int approval_remarks(json_t **out, struct session *s)
{
	struct apply_approval_rules now = {0};
	struct diag *d = &s->cli->diag;
	struct own own = {0};
	int result;

	*out = NULL;
	if (s->rollback != NULL)
		result = own_from_commit(&own, s->cli->directory, true, d);
	else if ((result = approval_validate(s)) == 0)
		result = own_read(&own, &s->layered, d);
	if (result == 0)
		result = rules_of(&now, s, &own, d);
	if (result == 0)
		result = remarks_of(out, s, &now, &own, s->rollback != NULL, d);
	apply_approval_rules_free(&now);
	own_free(&own);
	return result;
}

static bool says(const struct plan *plan, const char *words)
{
	for (size_t i = 0; i < plan->note_count; i++)
		if (plan->notes[i].kind == PLAN_NOTE_APPROVAL && plan->notes[i].text != NULL &&
		    strcmp(plan->notes[i].text, words) == 0)
			return true;
	return false;
}

/* Whoever signs must have been told. */
static int check_remarks(const struct plan *plan, const json_t *remarks, struct diag *d)
{
	const json_t *words;
	int result = 0;
	size_t i;

	json_array_foreach(remarks, i, words)
	{
		if (!says(plan, json_string_value(words)))
			result = diag_error(d,
					    "this plan does not say what whoever approves it must know (%s); make a "
					    "new plan",
					    json_string_value(words));
	}
	return result;
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

void approval_needs(struct approval_needs *out, struct session *s, const struct plan *plan)
{
	struct apply_approval_rules rules = {0};
	struct diag ignored = DIAG_INIT;

	*out = (struct approval_needs){.over = json_array_size(json_object_get(plan->limits, "Over")) > 0 &&
					       !json_get_bool(plan->limits, "Overridden", false)};
	if (approval_rules(&rules, s, &ignored) == 0) {
		out->signatures = apply_approval_required(&rules);
		out->first_apply = remarks_first_apply(s, &rules, &ignored) == 1;
	}
	apply_approval_rules_free(&rules);
	diag_free(&ignored);
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

static int since(struct apply_approval_rules *rules, struct session *s, const struct plan *plan, struct diag *d)
{
	struct state_txn *txn = NULL;
	int result = state_begin(&txn, s->state, false, d);

	if (result == 0)
		result = apply_approval_since(rules, txn, plan, d);
	state_abort(txn);
	return result;
}

bool approval_is_author(struct session *s, struct apply_approval_rules *rules, const struct plan *plan, const char *key)
{
	struct diag ignored = DIAG_INIT;
	int wrote = s->state == NULL ? 0 : since(rules, s, plan, &ignored);

	if (wrote == 0)
		wrote = apply_approval_wrote(rules, plan, s->cli->directory, key, &ignored);
	diag_free(&ignored);
	return wrote == 1;
}

static int check_rules(json_t **approvals, struct session *s, const struct plan *plan, const struct inputs *inputs,
		       const struct own *own)
{
	struct apply_approval_rules rules = {0};
	json_auto_t *remarks = NULL;
	struct diag *d = &s->cli->diag;
	int result = rules_of(&rules, s, own, d), first = 0;

	/* Every reason is told. */
	if (result == 0)
		first = check_first(s, &rules);
	if (result == 0)
		result = since(&rules, s, plan, d);
	if (result == 0)
		result = apply_approval_check(approvals, plan, &rules, s->cli->directory, loop_wall_ms(), d);
	if (result == 0 && apply_approval_required(&rules) > 0) {
		result = check_origin(s, plan, inputs);
		if (result == 0)
			result = remarks_of(&remarks, s, &rules, own, plan->rollback > 0, d);
		if (result == 0)
			result = check_remarks(plan, remarks, d);
	}
	if (first < 0)
		result = -1;
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
	int result = plan->loaded ? own_from_commit(&today, s->cli->directory, plan->rollback > 0, d)
				  : own_from_directory(&today, s->cli->directory, d);

	*approvals = NULL;
	if (result == 0)
		result = plan_limits_check(plan, json_object_get(today.settings, "Limits"), s->state, d);
	if (result == 0 && plan->loaded)
		result = check_loaded(approvals, s, plan, inputs, &today);
	own_free(&today);
	return result;
}
