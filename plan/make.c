/* plan_make(): the order in which a plan comes about. Reading AWS is concurrent and comes in two waves (what is
 * recorded; what would be created); everything between is plain computing on the specs and the state. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void known_free(void *value)
{
	struct known *known = value;

	json_decref(known->properties);
	json_decref(known->attributes);
	free(known->why);
	free(known);
}

void maker_known_set(struct maker *m, const char *address, enum known_live live, const struct provider_result *result,
		     bool drifted)
{
	struct known *known = mem_alloc(sizeof *known), *before;

	known->live = live;
	known->drifted = drifted;
	known->properties = json_incref(result->properties);
	known->attributes = json_incref(result->attributes);
	if (live == KNOWN_UNREADABLE)
		known->why = mem_printf("%s%s%s", result->code == NULL ? "" : result->code,
					result->code == NULL || result->message == NULL ? "" : ": ",
					result->message == NULL ? "" : result->message);
	before = map_set(&m->known, address, known);
	if (before != NULL)
		known_free(before);
}

void maker_blocked(struct maker *m, const char *address, const char *why)
{
	if (!map_has(&m->blocked, address))
		map_set(&m->blocked, address, mem_strdup(why));
}

void maker_note(struct maker *m, enum plan_note_kind kind, const char *account, const char *region, const char *subject,
		const char *text)
{
	mem_auto_str char *key = mem_printf("%d|%s|%s|%s|%s", (int)kind, account == NULL ? "" : account,
					    region == NULL ? "" : region, subject == NULL ? "" : subject, text);

	if (map_has(&m->noted, key))
		return;
	map_set(&m->noted, key, m);
	plan_note_add(m->plan, kind, account, region, subject, text);
}

void maker_progress(struct maker *m, const char *what, size_t done, size_t total)
{
	if (m->options->progress != NULL)
		m->options->progress(m->options->progress_payload, what, done, total);
}

static int note_intent(void *payload, const char *address, const json_t *body)
{
	struct maker *m = payload;
	const char *action = json_get_string(body, "Action");
	mem_auto_str char *text = mem_printf(
	    "a run that was cut off may have left %s %s of this under way; run muster apply --recover first, then "
	    "plan: "
	    "an apply settles it too, but what it finds may be more than this plan knows",
	    action != NULL && strchr("aeiou", action[0]) != NULL ? "an" : "a", action == NULL ? "change" : action);

	map_set(&m->intents, address, m);
	maker_note(m, PLAN_NOTE_INTENT, NULL, NULL, address, text);
	return 0;
}

int maker_start(struct maker *m)
{
	const struct plan_options *options = m->options;
	char *lineage = NULL;

	plan_free(m->plan);
	map_free(&m->seen, NULL);
	map_free(&m->identities, free);
	map_free(&m->blocked, free);
	map_free(&m->noted, NULL);
	map_free(&m->intents, NULL);
	map_free(&m->held, NULL);
	m->outputs_met = 0;
	maker_lost_start(m);
	m->plan = plan_new();
	m->plan->refreshed = options->refresh;
	m->plan->destroy = options->destroy;
	m->plan->commit = mem_strdup(options->commit);
	m->plan->tree = mem_strdup(options->tree);
	m->plan->dirty = options->dirty;
	m->plan->lineage_minted = options->lineage_minted;
	m->plan->only = mem_strdup(options->only);
	m->plan->rollback = options->rollback;
	m->plan->rollback_of = json_incref(options->rollback_of);
	m->plan->home_region = mem_strdup(m->specs->settings.home_region);
	m->plan->created_ms = loop_wall_ms();
	if (options->parameters != NULL)
		json_object_update(m->plan->parameters, options->parameters);
	if (state_lineage(m->txn, &lineage, m->d) < 0 || state_generation(m->txn, &m->plan->generation, m->d) < 0 ||
	    state_version(m->txn, &m->plan->version, m->d) < 0)
		return -1;
	m->state_empty = lineage == NULL || m->plan->generation == 0;
	if (lineage != NULL && options->lineage != NULL && strcmp(lineage, options->lineage) != 0) {
		diag_error(m->d,
			   "these specs are of lineage %s, but the state is of lineage %s: it was made for another "
			   "spec directory",
			   options->lineage, lineage);
		free(lineage);
		return -1;
	}
	m->plan->lineage = lineage != NULL ? lineage : mem_strdup(options->lineage);
	return state_intent_each(m->txn, note_intent, m, m->d);
}

void maker_note_accounts(struct maker *m)
{
	for (size_t i = 0; i < m->account_count; i++)
		if (m->accounts[i]->unreachable != NULL)
			maker_note(
			    m, m->accounts[i]->regions == NULL ? PLAN_NOTE_UNREACHABLE : PLAN_NOTE_REMEMBERED_REGIONS,
			    m->accounts[i]->name, NULL, NULL, m->accounts[i]->unreachable);
}

/* Everything that needs no reading; may be done again when reading has told more. */
static int compute(struct maker *m)
{
	size_t errors = m->d->errors;
	bool failed;

	if (maker_start(m) < 0)
		return -1;
	maker_note_accounts(m);
	if (specs_expand(m->specs, maker_regions_of, maker_region_skipped, m, m->d) < 0)
		return -1;
	if (!m->options->destroy && maker_build(m) < 0) {
		maker_complaints_tell(m);
		return -1;
	}
	if (maker_removed(m) < 0 || maker_outputs_removed(m) < 0)
		return -1;
	maker_moved_settle(m);
	failed = m->d->errors > errors;
	return (maker_complaints_tell(m) < 0 && !m->lenient) || failed ? -1 : 0;
}

int maker_check_reachable(struct maker *m)
{
	size_t closed = 0;

	for (size_t i = 0; i < m->account_count; i++)
		closed += m->accounts[i]->unreachable != NULL;
	if (closed == 0 || closed < m->account_count)
		return 0;
	return diag_error(m->d, "none of the %zu accounts can be entered; the first, %s: %s", closed,
			  m->accounts[0]->name, m->accounts[0]->unreachable);
}

int maker_compute_and_find(struct maker *m)
{
	int found;

	if (compute(m) < 0)
		return -1;
	/* What was found has attributes, by which more can be looked for: as long as something comes of it. */
	while (m->options->refresh && (found = maker_find(m)) != 0) {
		if (found < 0)
			return -1;
		specs_reset(m->specs);
		if (compute(m) < 0)
			return -1;
	}
	maker_lost_tell(m, false);
	return 0;
}

static int make(struct maker *m)
{
	if (maker_discover(m) < 0 || maker_check_reachable(m) < 0)
		return -1;
	if (m->options->refresh && maker_refresh(m) < 0)
		return -1;
	if (maker_compute_and_find(m) < 0)
		return -1;
	if (maker_select(m) < 0 || maker_rollback(m) < 0)
		return -1;
	if (m->options->base_commit != NULL)
		maker_base(m);
	/* By now every file has been read. */
	if (m->options->inputs != NULL)
		m->plan->inputs = json_deep_copy(m->options->inputs);
	for (size_t i = 0; i < m->options->remark_count; i++)
		plan_note_add(m->plan, PLAN_NOTE_APPROVAL, NULL, NULL, "muster.json", m->options->remarks[i]);
	return plan_limits_find(&m->plan->limits, m->plan, m->specs->settings.limits, m->options->override_limits,
				m->d);
}

void maker_free(struct maker *m)
{
	plan_free(m->plan);
	for (size_t i = 0; i < m->account_count; i++) {
		struct maker_account *account = m->accounts[i];

		free(account->name);
		free(account->id);
		json_decref(account->access);
		json_decref(account->regions);
		free(account->list);
		free(account->unreachable);
		for (size_t k = 0; k < account->former_count; k++)
			free(account->former[k]);
		free(account->former);
		free(account);
	}
	free(m->accounts);
	map_free(&m->by_id, NULL);
	map_free(&m->known, known_free);
	map_free(&m->asked, NULL);
	map_free(&m->seen, NULL);
	map_free(&m->identities, free);
	map_free(&m->blocked, free);
	map_free(&m->noted, NULL);
	map_free(&m->intents, NULL);
	map_free(&m->held, NULL);
	maker_lost_start(m);
	map_free(&m->names, NULL);
	map_free(&m->renamed, NULL);
	map_free(&m->moves, free);
	map_free(&m->origins, NULL);
	map_free(&m->scanned, NULL);
	map_free(&m->left, free);
	free(m->named.address);
	free(m->named.origin);
}

int plan_make(struct plan **out, struct loop *loop, struct provider *provider, struct specs *specs, struct state *state,
	      const struct plan_options *options, struct diag *d)
{
	struct maker m = {.loop = loop, .provider = provider, .specs = specs, .options = options, .d = d};
	int result;

	*out = NULL;
	m.schemas = provider->ops->schemas(provider);
	if (state_begin(&m.txn, state, false, d) < 0)
		return -1;
	result = make(&m);
	state_abort(m.txn);
	if (result == 0) {
		*out = m.plan;
		m.plan = NULL;
	}
	specs_reset(specs);
	maker_free(&m);
	return result;
}
