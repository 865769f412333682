/* See view.h: groups into entries with their reasons, sections, totals, and where the plan comes from. */
#include "plan/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/where.h"

/* -- Entries ------------------------------------------------------------------------------------------------------- */

/* "forces replacement; app-1/eu-west-1: trail-111", or NULL. To be freed. */
static char *value_remark(const struct plan_group_value *value)
{
	const char *const parts[] = {
	    value->pending ? "pending before this branch" : NULL,
	    value->forces_replace ? "forces replacement"
	    : value->may_replace  ? "may replace"
				  : NULL,
	    value->example,
	};
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i] != NULL)
			buf_addf(&text, "%s%s", text.len > 0 ? "; " : "", parts[i]);
	return text.len > 0 ? buf_detach(&text) : NULL;
}

static void add_value(struct plan_lines *lines, const struct plan_group *group, const struct plan_group_value *value)
{
	mem_auto_str char *remark = value_remark(value), *label = plan_path_label(value->path);
	json_t *hidden = value->sensitive ? json_pack("{s:{}}", "Muster::Secret") : NULL;
	const json_t *before = hidden != NULL && value->before != NULL ? hidden : value->before;
	const json_t *after = hidden != NULL && value->after != NULL ? hidden : value->after;

	if (group->sample->action == PLAN_CREATE && before == NULL)
		plan_value_whole(lines, 0, '+', label, after, remark);
	else
		plan_value_changed(lines, 0, label, before, after, remark);
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

const char *plan_view_move_verb(const struct plan *plan)
{
	return plan->past ? "moved" : "move";
}

static const char *entry_verb(const struct plan *plan, const struct plan_change *change)
{
	return plan_group_is_move(change) ? plan_view_move_verb(plan) : plan_view_verb(plan, change->action);
}

/* What only moves since its account has another name: the note of that says all there is to say. */
static bool is_renamed_only(const struct plan *plan, const struct plan_group *group)
{
	return !plan->past && plan_group_is_move(group->sample) && plan_group_former(group->sample) == NULL &&
	       !plan_change_policies_differ(group->sample);
}

static void entry_make(struct plan_entry *entry, const struct plan *plan, const struct plan_group *group,
		       const struct map *dependents, size_t width, bool whole)
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
	    .lines = {.width = width, .whole = whole, .account = change->account, .region = change->region},
	};
	plan_view_remarks_make(&entry->remarks, plan, group, dependents);
	plan_view_policies(&entry->lines, change);
	for (size_t i = 0; i < group->value_count; i++)
		add_value(&entry->lines, group, &group->values[i]);
}

/* When the report before this one of drift was made, or NULL. */
static const char *last_report(const struct plan *plan)
{
	return json_get_string(plan->drift_report, "previous");
}

/* "Introduced by this branch: 1 to create in 1 of 3 targets" */
static char *heading(const struct plan_view *view, const char *words, bool pending)
{
	buf_auto struct buf text = BUF_INIT, totals = BUF_INIT;

	plan_view_section_totals(&totals, view, pending);
	buf_addf(&text, "%s%s%s", words, totals.len > 0 ? ": " : "", buf_str(&totals));
	return plan_view_cleaned(buf_str(&text));
}

static void make_headings(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	mem_auto_str char *own = NULL, *pending = NULL;

	if (plan->drift) {
		own = mem_printf("New since the last report (%s)", last_report(plan));
		pending = mem_strdup("Known from earlier reports");
	} else {
		own = mem_strdup("Introduced by this branch");
		pending = mem_printf("Pending before it (drift, or not applied yet)%s%.12s",
				     plan->base != NULL ? ", also at " : "", plan->base != NULL ? plan->base : "");
	}
	view->sections[0].heading = heading(view, own, false);
	view->sections[1].heading = heading(view, pending, true);
}

static void make_sections(struct plan_view *view, size_t width, bool whole)
{
	const struct plan *plan = view->plan;
	struct plan_dependents dependents;
	size_t own = 0, count = view->groups.count;

	plan_dependents_find(&dependents, plan, &view->groups);
	while (own < count && !view->groups.items[own]->sample->pending)
		own++;
	view->section_count = own < count || plan->base != NULL || (count > 0 && last_report(plan) != NULL) ? 2 : 1;
	for (size_t s = 0; s < view->section_count; s++)
		view->sections[s].entries = mem_array(s == 0 ? own : count - own, sizeof(struct plan_entry));
	for (size_t i = 0; i < count; i++) {
		struct plan_section *section = &view->sections[i < own ? 0 : 1];

		if (!is_renamed_only(view->plan, view->groups.items[i]))
			entry_make(&section->entries[section->count++], plan, view->groups.items[i],
				   &dependents.names[i], width, whole);
	}
	if (view->section_count == 2)
		make_headings(view);
	plan_dependents_free(&dependents, count);
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

	if (!plan_has_work(plan)) {
		buf_adds(&text, plan->drift ? "No drift" : "No changes");
		buf_adds(&text, plan_is_whole(plan) ? "." : " in what could be reached.");
		view->nothing = mem_strdup(buf_str(&text));
	}
	if (plan->unchanged > 0 || (plan->change_count == 0 && !plan->past)) {
		buf_clear(&text);
		add_as_specified(&text, plan);
		plan_texts_add(&view->facts, buf_str(&text));
	}
	if (plan->base != NULL && view->sections[1].count > 0)
		plan_texts_add(&view->facts, "All of it is applied, what was pending before this branch, too.");
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

	for (i = 0; i < view->plan->note_count; i++) {
		mem_auto_str char *text = view->plan->notes[i].kind == PLAN_NOTE_APPROVAL
					      ? plan_view_cleaned(view->plan->notes[i].text)
					      : NULL;

		if (text != NULL)
			plan_texts_add(&view->warnings, text);
	}
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

/* What nobody else can find is said above all that it does. */
static void make_uncommitted(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	buf_auto struct buf files = BUF_INIT, text = BUF_INIT;
	json_t *file;
	size_t i;

	if (!plan->dirty || plan->drift || plan->past)
		return;
	json_array_foreach(plan->uncommitted, i, file)
	    buf_addf(&files, "%s%s", i == 0 ? " (" : ", ", json_string_value(file));
	buf_addf(&text, "%s%s%s: apply refuses it without --allow-dirty",
		 plan->rollback > 0 ? "Goes back to specs that were not committed"
				    : "Made from specs that are not committed",
		 files.len > 0 ? buf_str(&files) : "", files.len > 0 ? ")" : "");
	plan_texts_add(&view->warnings, buf_str(&text));
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
	add_origin(&view->origin, "only", plan->only);
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

void plan_view_make(struct plan_view *out, const struct plan *plan, size_t width, bool whole)
{
	*out = (struct plan_view){.plan = plan};
	plan_groups_make(&out->groups, plan);
	make_title(out);
	make_warnings(out);
	make_uncommitted(out);
	make_sections(out, width, whole);
	plan_view_notes_make(out);
	plan_view_totals_make(out);
	plan_view_outputs_make(out, width, whole);
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
	plan_groups_free(&view->output_groups);
	plan_free(view->outputs);
	*view = (struct plan_view){0};
}
