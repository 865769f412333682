/* See view.h: groups into entries with their reasons, sections, totals, and where the plan comes from. */
#include "plan/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/where.h"

/* Names in a remark before "and 9 more". */
#define NAMES_MAX 6

/* -- Reasons ------------------------------------------------------------------------------------------------------- */

static const char *const reasons[][2] = {
    {"recreate_because_gone", "it is gone from AWS"},
    {"replace_because_cannot_update_same_name", "the old one goes first, since both have the same name"},
    {"replace_because_cannot_update", "the new one is made first, then the old one goes"},
    {"may_replace_because_unknown", "replaced only if the value turns out to be another"},
    {"update_because_incomplete", "an earlier apply did not get to its end here"},
    {"history_type_unknown", "this version does not know the type, so its values are not shown"},
    {"update_record_only", "only the record changes (dependencies, policies or Protect), nothing in AWS"},
    {"update_because_moved", "only its record moves, nothing changes in AWS"},
    {"adopt_because_exists", "it exists in AWS and is taken over"},
    {"adopt_because_cut_off", "it was made by a run that was cut off"},
    {"delete_because_deposed", "an earlier replacement left it behind"},
    {"delete_because_no_resource_config", "no longer in the specs"},
    {"delete_because_destroy", NULL},
    {"forget_because_gone", "it is gone from AWS; the record is dropped"},
    {"forget_because_retained", "left in AWS (DeletionPolicy: Retain); the record is dropped"},
    {"forget_because_adopted", "left in AWS, since it was adopted; the record is dropped"},
};

static const char *reason_words(const char *reason)
{
	for (size_t i = 0; reason != NULL && i < sizeof reasons / sizeof *reasons; i++)
		if (strcmp(reasons[i][0], reason) == 0)
			return reasons[i][1];
	return reason;
}

/* "a, b and 9 more" */
static void add_name(struct buf *out, const char *name, size_t index)
{
	if (index < NAMES_MAX)
		buf_addf(out, "%s%s", index > 0 ? ", " : "", name);
}

static void add_rest(struct buf *out, size_t count)
{
	if (count > NAMES_MAX) {
		buf_adds(out, " and ");
		plan_count_words(out, count - NAMES_MAX);
		buf_adds(out, " more");
	}
}

/* -- Remarks ------------------------------------------------------------------------------------------------------- */

/* "forces replacement: TrailName, S3BucketName" */
static void remark_replaces(struct plan_texts *remarks, const struct plan_group *group, bool may)
{
	buf_auto struct buf text = BUF_INIT;
	size_t count = 0;

	buf_adds(&text, may ? "may force replacement: " : "forces replacement: ");
	for (size_t i = 0; i < group->value_count; i++) {
		const struct plan_group_value *value = &group->values[i];

		if (may ? value->may_replace && !value->forces_replace : value->forces_replace)
			add_name(&text, value->path, count++);
	}
	add_rest(&text, count);
	if (count > 0)
		plan_texts_add(remarks, buf_str(&text));
}

static void remark_moved(struct plan_texts *remarks, const struct plan *plan, const struct plan_group *group)
{
	const struct plan_change *change = group->sample;
	mem_auto_str char *text = NULL;

	/* In a plan the note says which account is renamed; of what has happened there are only the addresses. */
	if (plan->past && change->moved_from != NULL) {
		text =
		    mem_printf("moved from %s%s", group->count > 1 ? "other addresses, here " : "", change->moved_from);
		plan_texts_add(remarks, text);
		return;
	}
	if (plan_group_former(change) == NULL)
		return;
	text = mem_printf("moved from %s/%s", change->stack, plan_group_former(change));
	plan_texts_add(remarks, text);
}

static void remark_drifted(struct plan_texts *remarks, const struct plan *plan, const struct plan_group *group)
{
	buf_auto struct buf text = BUF_INIT;

	if (group->drifted == 0 || group->sample->gone || plan->drift)
		return;
	buf_adds(&text, "AWS has other values than were recorded");
	if (group->drifted < group->count) {
		buf_adds(&text, " in ");
		plan_count_words(&text, group->drifted);
		buf_adds(&text, group->drifted == 1 ? " of these" : " of these targets");
	}
	plan_texts_add(remarks, buf_str(&text));
}

/* Which ids ${each} stands for. */
static void remark_each(struct plan_texts *remarks, const struct plan_group *group)
{
	buf_auto struct buf text = BUF_INIT;

	if (group->each_count == 0)
		return;
	buf_adds(&text, "${each}: ");
	for (size_t i = 0; i < group->each_count; i++)
		add_name(&text, group->each[i], i);
	add_rest(&text, group->each_count);
	plan_texts_add(remarks, buf_str(&text));
}

/* What depends on what goes or is replaced, and changes in this plan too. */
static void remark_dependents(struct plan_texts *remarks, const struct map *dependents)
{
	buf_auto struct buf text = BUF_INIT;
	size_t shown = 0;

	if (dependents == NULL || dependents->live == 0)
		return;
	buf_adds(&text, "what depends on it changes too: ");
	for (size_t i = 0; i < dependents->count; i++) {
		size_t count = *(size_t *)dependents->entries[i].value;
		buf_auto struct buf name = BUF_INIT;

		buf_adds(&name, dependents->entries[i].key);
		if (count > 1) {
			buf_adds(&name, " (");
			plan_count_words(&name, count);
			buf_adds(&name, ")");
		}
		add_name(&text, buf_str(&name), shown++);
	}
	add_rest(&text, shown);
	plan_texts_add(remarks, buf_str(&text));
}

static void make_remarks(struct plan_texts *remarks, const struct plan *plan, const struct plan_group *group,
			 const struct map *dependents)
{
	const struct plan_change *change = group->sample;
	const char *words = reason_words(change->reason);

	remark_each(remarks, group);
	remark_moved(remarks, plan, group);
	if (change->action == PLAN_REPLACE)
		remark_replaces(remarks, group, false);
	remark_replaces(remarks, group, true);
	if (words != NULL)
		plan_texts_add(remarks, words);
	if (change->accepted)
		plan_texts_add(remarks, "what AWS has now goes into the record as it is (--accept-drift)");
	if (change->retain_old)
		plan_texts_add(remarks, "the old one is left in AWS");
	remark_drifted(remarks, plan, group);
	remark_dependents(remarks, dependents);
}

/* -- Dependents ---------------------------------------------------------------------------------------------------- */

struct dependents {
	struct map group_of; /* address of what goes or is replaced -> its group's index + 1 */
	struct map *names;   /* of each group: "stack/LogicalId" -> size_t * */
};

static void count_name(struct map *counts, const char *name)
{
	size_t *count = map_get(counts, name);

	if (count == NULL) {
		count = mem_alloc(sizeof *count);
		map_set(counts, name, count);
	}
	++*count;
}

/* One change counts once for each group, however often it names its members. */
static void note_dependency(struct dependents *d, const char *address, const char *name, uintptr_t *last)
{
	uintptr_t group = (uintptr_t)map_get(&d->group_of, address);

	if (group > 0 && group != *last)
		count_name(&d->names[group - 1], name);
	*last = group > 0 ? group : *last;
}

/* That what goes too depends on it is no news. */
static void note_dependent(struct dependents *d, const struct plan_change *change)
{
	buf_auto struct buf name = BUF_INIT;
	uintptr_t last = 0;

	if (change->action == PLAN_DELETE || change->action == PLAN_FORGET)
		return;
	buf_addf(&name, "%s/%s", change->stack, change->logical_id);
	for (size_t i = 0; i < change->depend_count; i++)
		note_dependency(d, change->depends[i], buf_str(&name), &last);
	for (size_t i = 0; i < change->former_count; i++)
		note_dependency(d, change->former[i], buf_str(&name), &last);
}

static void dependents_find(struct dependents *d, const struct plan *plan, const struct plan_groups *groups)
{
	*d = (struct dependents){MAP_INIT, mem_array(groups->count, sizeof(struct map))};
	for (size_t i = 0; i < groups->count; i++) {
		const struct plan_group *group = groups->items[i];

		if (group->sample->action != PLAN_DELETE && group->sample->action != PLAN_REPLACE)
			continue;
		for (size_t k = 0; k < group->count; k++)
			map_set(&d->group_of, plan->changes[group->members[k]].address, (void *)(uintptr_t)(i + 1));
	}
	for (size_t i = 0; i < plan->change_count && d->group_of.live > 0; i++)
		note_dependent(d, &plan->changes[i]);
}

static void dependents_free(struct dependents *d, size_t count)
{
	for (size_t i = 0; i < count; i++)
		map_free(&d->names[i], free);
	free(d->names);
	map_free(&d->group_of, NULL);
}

/* -- Entries ------------------------------------------------------------------------------------------------------- */

/* "forces replacement; app-1/eu-west-1: trail-111", or NULL. To be freed. */
static char *value_remark(const struct plan_group_value *value)
{
	const char *replaces = value->forces_replace ? "forces replacement" : value->may_replace ? "may replace" : NULL;

	if (replaces == NULL)
		return mem_strdup(value->example);
	if (value->example == NULL)
		return mem_strdup(replaces);
	return mem_printf("%s; %s", replaces, value->example);
}

static void add_value(struct plan_lines *lines, const struct plan_group *group, const struct plan_group_value *value)
{
	mem_auto_str char *remark = value_remark(value);
	json_t *hidden = value->sensitive ? json_pack("{s:{}}", "Muster::Secret") : NULL;
	const json_t *before = hidden != NULL && value->before != NULL ? hidden : value->before;
	const json_t *after = hidden != NULL && value->after != NULL ? hidden : value->after;

	if (group->sample->action == PLAN_CREATE && before == NULL)
		plan_value_whole(lines, 0, '+', value->path, after, remark);
	else
		plan_value_changed(lines, 0, value->path, before, after, remark);
	json_decref(hidden);
}

const char *plan_view_verb(const struct plan *plan, enum plan_action action)
{
	if (plan->drift && action == PLAN_UPDATE)
		return "changed";
	if (plan->drift && action == PLAN_DELETE)
		return "gone";
	return plan->past ? plan_action_past(action) : plan_action_name(action);
}

static const char *move_verb(const struct plan *plan)
{
	return plan->past ? "moved" : "move";
}

static const char *entry_verb(const struct plan *plan, const struct plan_change *change)
{
	return plan_group_is_move(change) ? move_verb(plan) : plan_view_verb(plan, change->action);
}

/* What only moves since its account has another name: the note of that says all there is to say. */
static bool is_renamed_only(const struct plan *plan, const struct plan_group *group)
{
	return !plan->past && plan_group_is_move(group->sample) && plan_group_former(group->sample) == NULL;
}

static void entry_make(struct plan_entry *entry, const struct plan *plan, const struct plan_group *group,
		       const struct map *dependents, size_t width)
{
	const struct plan_change *change = group->sample;
	mem_auto_str char *title = mem_printf("%s/%s", change->stack, group->name);

	*entry = (struct plan_entry){
	    .group = group,
	    .action = change->action,
	    .sign = plan_action_sign(change->action, change->create_first),
	    .verb = entry_verb(plan, change),
	    .title = plan_view_cleaned(title),
	    .type = plan_view_cleaned(change->type_name),
	    .where = plan_view_cleaned(group->words),
	    .count = group->count,
	    .lines = {.width = width, .account = change->account, .region = change->region},
	};
	make_remarks(&entry->remarks, plan, group, dependents);
	for (size_t i = 0; i < group->value_count; i++)
		add_value(&entry->lines, group, &group->values[i]);
}

static char *short_commit(const char *commit)
{
	return mem_strndup(commit, strlen(commit) < 12 ? strlen(commit) : 12);
}

static void make_sections(struct plan_view *view, size_t width)
{
	const struct plan *plan = view->plan;
	struct dependents dependents;
	size_t own = 0, count = view->groups.count;

	dependents_find(&dependents, plan, &view->groups);
	while (own < count && !view->groups.items[own]->sample->pending)
		own++;
	view->section_count = own < count || plan->base != NULL ? 2 : 1;
	for (size_t s = 0; s < view->section_count; s++)
		view->sections[s].entries = mem_array(s == 0 ? own : count - own, sizeof(struct plan_entry));
	for (size_t i = 0; i < count; i++) {
		struct plan_section *section = &view->sections[i < own ? 0 : 1];

		if (!is_renamed_only(view->plan, view->groups.items[i]))
			entry_make(&section->entries[section->count++], plan, view->groups.items[i],
				   &dependents.names[i], width);
	}
	if (view->section_count == 2) {
		mem_auto_str char *base = short_commit(plan->base != NULL ? plan->base : "");
		mem_auto_str char *pending =
		    mem_printf("Pending before this branch%s%s", *base != '\0' ? ": also at " : "", base);

		view->sections[0].heading = mem_strdup("Introduced by this branch");
		view->sections[1].heading = plan_view_cleaned(pending);
	}
	dependents_free(&dependents, count);
}

/* -- Totals -------------------------------------------------------------------------------------------------------- */

/* The first four are said also when there are none; moves come after the actions. */
#define TOTALS_ALWAYS 4
#define TOTAL_MOVES   (PLAN_VIEW_TOTALS - 1)
static const enum plan_action total_order[TOTAL_MOVES] = {PLAN_CREATE, PLAN_UPDATE, PLAN_REPLACE,
							  PLAN_DELETE, PLAN_ADOPT,  PLAN_FORGET};

static void count_total(struct plan_view *view, struct map *seen, size_t total, const struct plan_change *change)
{
	mem_auto_str char *key = mem_printf("%zu/%s/%s", total, change->account, change->region);

	view->totals[total].count++;
	view->totals[total].targets += map_set(seen, key, seen) == NULL;
}

/* What moves and is changed, too, counts as both. */
static void count_actions(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	struct map seen = MAP_INIT;

	for (size_t t = 0; t < TOTAL_MOVES; t++)
		view->totals[t].verb = plan_view_verb(plan, total_order[t]);
	view->totals[TOTAL_MOVES].verb = move_verb(plan);
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if (change->moved_from != NULL && !change->deposed)
			count_total(view, &seen, TOTAL_MOVES, change);
		for (size_t t = 0; t < TOTAL_MOVES && !plan_group_is_move(change); t++)
			if (total_order[t] == change->action)
				count_total(view, &seen, t, change);
	}
	map_free(&seen, NULL);
}

/* "3 to create in 2 of 4 targets", "3 created in 2 targets": what has happened has no whole that it is a part of. */
static void add_total(struct buf *out, const struct plan_view *view, const struct plan_view_total *total)
{
	const struct plan *plan = view->plan;
	size_t all = plan->past ? total->targets : view->groups.target_count;

	/* Plain digits: people search for these words, and scripts do. */
	buf_addf(out, "%s%zu %s%s", out->len > 0 ? ", " : "", total->count, plan->drift || plan->past ? "" : "to ",
		 total->verb);
	if (total->count == 0)
		return;
	buf_addf(out, " in %zu", total->targets);
	if (!plan->past)
		buf_addf(out, " of %zu", all);
	buf_addf(out, " target%s", all == 1 ? "" : "s");
}

static void make_summary(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++) {
		const struct plan_view_total *total = &view->totals[i];

		if (total->count > 0 || (i < TOTALS_ALWAYS && !plan->drift && !plan->past))
			add_total(&out, view, total);
	}
	view->label = plan->drift ? "Drift:" : plan->past ? "Changed:" : "Plan:";
	view->summary = buf_detach(&out);
}

static size_t make_counts(struct plan_view_count **out, const struct map *counts)
{
	*out = mem_array(counts->count, sizeof **out);
	for (size_t i = 0; i < counts->count; i++)
		(*out)[i] = (struct plan_view_count){plan_view_cleaned(counts->entries[i].key),
						     *(size_t *)counts->entries[i].value};
	return counts->count;
}

static void count_places(struct plan_view *view)
{
	struct map accounts = MAP_INIT, regions = MAP_INIT;

	for (size_t i = 0; i < view->plan->change_count; i++) {
		count_name(&accounts, view->plan->changes[i].account);
		count_name(&regions, view->plan->changes[i].region);
	}
	view->account_count = make_counts(&view->accounts, &accounts);
	view->region_count = make_counts(&view->regions, &regions);
	map_free(&accounts, free);
	map_free(&regions, free);
}

static void add_as_specified(struct buf *out, const struct plan *plan)
{
	plan_count_words(out, plan->unchanged);
	buf_addf(out, " resource%s %s as %s.", plan->unchanged == 1 ? "" : "s", plan->unchanged == 1 ? "is" : "are",
		 plan->drift ? "recorded" : "specified");
}

static void make_facts(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	buf_auto struct buf text = BUF_INIT;

	if (plan->change_count == 0) {
		buf_adds(&text, plan->drift ? "No drift" : "No changes");
		buf_adds(&text, plan_is_whole(plan) ? "." : " in what could be reached.");
		view->nothing = mem_strdup(buf_str(&text));
	}
	if (plan->unchanged > 0 || (plan->change_count == 0 && !plan->past)) {
		buf_clear(&text);
		add_as_specified(&text, plan);
		plan_texts_add(&view->facts, buf_str(&text));
	}
	if (!plan->refreshed)
		plan_texts_add(&view->facts, "AWS was not asked (--no-refresh): this compares with the records only.");
}

/* -- What it is and where it comes from ------------------------------------------------------------------------------
 */

static void make_title(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	buf_auto struct buf rollback = BUF_INIT;

	plan_rollback_words(&rollback, plan);
	if (plan->drift)
		view->title = mem_strdup("Drift: what AWS has now against what is recorded");
	else if (plan->rollback > 0)
		view->title = plan_view_cleaned(buf_str(&rollback));
	else if (plan->destroy)
		view->title = mem_strdup("Destroy: everything that is recorded goes");
}

static void make_warnings(struct plan_view *view)
{
	const json_t *over = json_object_get(view->plan->limits, "Over");
	bool overridden = json_get_bool(view->plan->limits, "Overridden", false);
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)over, i, item)
	{
		buf_auto struct buf text = BUF_INIT;

		if (!json_is_string(item))
			continue;
		buf_addf(&text, "Over the limits%s: %s", overridden ? " (overridden with --override-limit)" : "",
			 json_string_value(item));
		plan_texts_add(&view->warnings, buf_str(&text));
	}
}

static void add_origin(struct plan_texts *out, const char *label, const char *value)
{
	mem_auto_str char *text = value != NULL && *value != '\0' ? mem_printf("%s %s", label, value) : NULL;

	if (text != NULL)
		plan_texts_add(out, text);
}

static void make_origin(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	mem_auto_str char *commit =
	    plan->commit == NULL ? NULL
				 : mem_printf("%s%s", plan->commit, plan->dirty ? " and what is not committed" : "");
	mem_auto_str char *generation = mem_printf("%llu", (unsigned long long)plan->generation);
	char time[32];

	add_origin(&view->origin, "digest", plan->digest);
	add_origin(&view->origin, "commit", commit);
	add_origin(&view->origin, "base", plan->base);
	add_origin(&view->origin, "lineage", plan->lineage);
	add_origin(&view->origin, "generation", generation);
	if (plan->created_ms > 0) {
		text_time(time, sizeof time, plan->created_ms);
		add_origin(&view->origin, "made", time);
	}
}

/* Who signed, as the signatures say themselves: apply is what proves them. */
static void make_signers(struct plan_view *view)
{
	json_t *signature;
	size_t i;

	json_array_foreach(view->plan->signatures, i, signature)
	{
		const char *key = json_get_string(signature, "Key"), *comment = json_get_string(signature, "Comment");
		const char *time = json_get_string(signature, "Time");
		buf_auto struct buf text = BUF_INIT;

		buf_addf(&text, "%s", key != NULL ? key : "a key without a name");
		if (comment != NULL && *comment != '\0')
			buf_addf(&text, " (%s)", comment);
		if (time != NULL && *time != '\0')
			buf_addf(&text, ", %s", time);
		plan_texts_add(&view->signers, buf_str(&text));
	}
}

/* -- The whole ----------------------------------------------------------------------------------------------------- */

void plan_view_make(struct plan_view *out, const struct plan *plan, size_t width)
{
	*out = (struct plan_view){.plan = plan};
	plan_groups_make(&out->groups, plan);
	make_title(out);
	make_warnings(out);
	make_sections(out, width);
	plan_view_notes_make(out);
	count_actions(out);
	count_places(out);
	if (plan->change_count > 0)
		make_summary(out);
	make_facts(out);
	make_origin(out);
	make_signers(out);
}

static void entry_free(struct plan_entry *entry)
{
	free(entry->title);
	free(entry->type);
	free(entry->where);
	plan_texts_free(&entry->remarks);
	plan_lines_free(&entry->lines);
}

static void counts_free(struct plan_view_count *counts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(counts[i].name);
	free(counts);
}

static void notes_free(struct plan_view_notes *notes)
{
	for (size_t i = 0; i < notes->count; i++) {
		free(notes->items[i].where);
		free(notes->items[i].subject);
		free(notes->items[i].text);
	}
	free(notes->items);
}

void plan_view_free(struct plan_view *view)
{
	for (size_t s = 0; s < view->section_count; s++) {
		for (size_t i = 0; i < view->sections[s].count; i++)
			entry_free(&view->sections[s].entries[i]);
		free(view->sections[s].entries);
		free(view->sections[s].heading);
	}
	for (size_t i = 0; i < view->note_count; i++)
		notes_free(&view->notes[i]);
	free(view->notes);
	counts_free(view->accounts, view->account_count);
	counts_free(view->regions, view->region_count);
	free(view->title);
	free(view->summary);
	free(view->nothing);
	plan_texts_free(&view->warnings);
	plan_texts_free(&view->facts);
	plan_texts_free(&view->origin);
	plan_texts_free(&view->signers);
	plan_groups_free(&view->groups);
	*view = (struct plan_view){0};
}
