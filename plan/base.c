/* --base: which of a plan's changes the base revision's specs would bring about as well, and were so pending before (
 * drift, or what nobody has applied yet). The base is planned like any specs, from the same records and from what has
 * been read of AWS for the plan; only what the base alone would create is looked for besides. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/make.h"

/* -- What is the same ---------------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_json(const json_t *a, const json_t *b)
{
	return a == b || (a != NULL && b != NULL && json_equal((json_t *)a, (json_t *)b));
}

static bool same_difference(const struct plan_difference *a, const struct plan_difference *b)
{
	return strcmp(a->path, b->path) == 0 && same_json(a->before, b->before) && same_json(a->after, b->after) &&
	       a->forces_replace == b->forces_replace && a->may_replace == b->may_replace;
}

static bool same_action(const struct plan_change *a, const struct plan_change *b)
{
	return a->action == b->action && a->create_first == b->create_first && a->record_only == b->record_only &&
	       a->retain_old == b->retain_old && a->accepted == b->accepted && same_text(a->moved_from, b->moved_from);
}

static bool same_depends(const struct plan_change *a, const struct plan_change *b)
{
	bool same = a->depend_count == b->depend_count;

	for (size_t i = 0; same && i < a->depend_count; i++)
		same = strcmp(a->depends[i], b->depends[i]) == 0;
	return same;
}

static bool same_change(const struct plan_change *a, const struct plan_change *b)
{
	bool same = same_action(a, b) && a->diff.count == b->diff.count && same_json(a->after, b->after) &&
		    a->protect == b->protect && a->deletion == b->deletion &&
		    (a->action == PLAN_DELETE || same_depends(a, b));

	for (size_t i = 0; same && i < a->diff.count; i++)
		same = same_difference(&a->diff.items[i], &b->diff.items[i]);
	return same;
}

/* Where a resource was to change anyway and the branch has it change in more than that. */
static void mark_differences(struct plan_change *own, const struct plan_change *base)
{
	if (own->action != base->action || own->action == PLAN_CREATE)
		return;
	for (size_t i = 0; i < own->diff.count; i++)
		for (size_t k = 0; k < base->diff.count; k++)
			own->diff.items[i].pending |= same_difference(&own->diff.items[i], &base->diff.items[k]);
}

/* -- Telling the two apart ----------------------------------------------------------------------------------------- */

/* What replacements left stands beside another change of its address. */
static char *key_of(const struct plan_change *change)
{
	if (!change->deposed)
		return mem_strdup(change->address);
	return mem_printf("%s (deposed %lld)", change->address, (long long)change->incarnation);
}

static void withdrawn(struct maker *m, const struct plan_change *change)
{
	mem_auto_str char *text = mem_printf("the base would %s it", plan_action_name(change->action));

	plan_note_add(m->plan, PLAN_NOTE_WITHDRAWN, change->account, change->region, change->address, text);
}

static void tell_apart(struct maker *m, const struct plan *base)
{
	struct map own = MAP_INIT;

	for (size_t i = 0; i < m->plan->change_count; i++) {
		mem_auto_str char *key = key_of(&m->plan->changes[i]);

		map_set(&own, key, &m->plan->changes[i]);
	}
	for (size_t i = 0; i < base->change_count; i++) {
		mem_auto_str char *key = key_of(&base->changes[i]);
		struct plan_change *change = map_get(&own, key);

		if (change == NULL)
			withdrawn(m, &base->changes[i]);
		else if (same_change(change, &base->changes[i]))
			change->pending = true;
		else
			mark_differences(change, &base->changes[i]);
	}
	map_free(&own, NULL);
}

/* What becomes of outputs is the same only where it is the same value. */
static void outputs_tell_apart(struct maker *m, const struct plan *base)
{
	struct map theirs = MAP_INIT;

	for (size_t i = 0; i < base->output_count && m->plan->output_count > 0; i++) {
		mem_auto_str char *key = mem_printf("%s.%s", base->outputs[i].address, base->outputs[i].name);

		map_set(&theirs, key, &base->outputs[i]);
	}
	for (size_t i = 0; i < m->plan->output_count; i++) {
		struct plan_output *own = &m->plan->outputs[i];
		mem_auto_str char *key = mem_printf("%s.%s", own->address, own->name);
		const struct plan_output *other = map_get(&theirs, key);

		own->pending = other != NULL && own->action == other->action && same_json(own->after, other->after);
	}
	map_free(&theirs, NULL);
}

/* -- The base's plan ----------------------------------------------------------------------------------------------- */

static int plan_base(struct maker *base)
{
	return maker_discover(base) == 0 && maker_compute_and_find(base) == 0 && maker_settle(base) == 0 ? 0 : -1;
}

/* A plan can be had without its base; then all of it counts as the branch's, which is never too little to review. */
static void tell_failure(struct maker *m, const char *why)
{
	mem_auto_str char *text = mem_printf(
	    "the specs at the base make no plan, so everything counts as introduced by this branch: %s", why);

	plan_note_add(m->plan, PLAN_NOTE_OTHER, NULL, NULL, "--base", text);
	diag_warning(m->d, "--base: %s", text);
}

void maker_base(struct maker *m)
{
	struct plan_options options = *m->options;
	struct diag d = DIAG_INIT;
	struct maker base = {
	    .loop = m->loop,
	    .provider = m->provider,
	    .schemas = m->schemas,
	    .specs = m->options->base_specs,
	    .txn = m->txn,
	    .options = &options,
	    .d = &d,
	    .known = m->known,
	    .asked = m->asked,
	    .lenient = true,
	    .like = m,
	};

	m->plan->base = mem_strdup(options.base_commit);
	if (base.specs == NULL) {
		tell_failure(m, options.base_error);
		return;
	}
	options.only_alone = true;
	options.accept_drift_count = 0;
	if (plan_base(&base) == 0) {
		tell_apart(m, base.plan);
		outputs_tell_apart(m, base.plan);
	} else {
		tell_failure(m, diag_first_error(&d));
	}
	specs_reset(base.specs);
	/* What has been read belongs to the plan. */
	m->known = base.known;
	m->asked = base.asked;
	base.known = base.asked = (struct map)MAP_INIT;
	maker_free(&base);
	diag_free(&d);
}
