/* Outputs that change, as a section of the view: they are put as changes of a plan of their own, so that they are
 * grouped over the targets as resources are. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/store.h"
#include "plan/view.h"
#include "plan/where.h"

static void change_fill(struct plan_change *change, const struct plan_output *output, const char *account_id)
{
	change->address = output->address;
	change->account = output->account;
	change->account_id = account_id != NULL ? account_id : "";
	change->region = output->region;
	change->stack = output->stack;
	change->logical_id = output->name;
	change->type_name = "output";
	change->action = output->action;
	change->pending = output->pending;
	change->diff.items = mem_array(1, sizeof *change->diff.items);
	change->diff.count = 1;
	change->diff.items[0] = (struct plan_difference){
	    .path = mem_strdup(""),
	    .before = json_incref(output->before),
	    .after = json_incref(output->after),
	};
}

/* The outputs must outlive it. NULL where none changes. */
static struct plan *as_changes(const struct plan *plan)
{
	struct plan *own = NULL;
	struct map ids = MAP_INIT;

	for (size_t i = 0; i < plan->account_count; i++)
		map_set(&ids, plan->accounts[i].name, (void *)(uintptr_t)plan->accounts[i].id);
	for (size_t i = 0; i < plan->output_count; i++) {
		const struct plan_output *output = &plan->outputs[i];

		if (output->action == PLAN_NOOP)
			continue;
		if (own == NULL)
			own = plan_new();
		change_fill(plan_change_add(own), output, map_get(&ids, output->account));
	}
	map_free(&ids, NULL);
	if (own == NULL)
		return NULL;
	json_decref(own->reached);
	own->reached = json_incref(plan->reached);
	own->home_region = mem_strdup(plan->home_region);
	return own;
}

static void entry_make(struct plan_entry *entry, const struct plan *plan, const struct plan_group *group, size_t width,
		       bool whole)
{
	const struct plan_change *change = group->sample;
	mem_auto_str char *title = mem_printf("%s/%s", change->stack, group->name);

	*entry = (struct plan_entry){
	    .group = group,
	    .action = change->action,
	    .sign = plan_action_sign(change->action, false),
	    .verb = plan_view_verb(plan, change->action),
	    .title = plan_view_cleaned(title),
	    .type = mem_strdup("output"),
	    .where = plan_view_cleaned(group->words),
	    .count = group->count,
	    .lines = {.width = width, .whole = whole, .account = change->account, .region = change->region},
	};
	if (change->pending)
		plan_texts_add(&entry->remarks, "pending before this branch");
	if (group->value_count == 0)
		return;
	if (change->action == PLAN_CREATE)
		plan_value_whole(&entry->lines, 0, '+', NULL, group->values[0].after, group->values[0].example);
	else
		plan_value_changed(&entry->lines, 0, NULL, group->values[0].before, group->values[0].after,
				   group->values[0].example);
}

/* "Outputs: 12 to create, 204 to update." */
static void add_fact(struct plan_view *view)
{
	static const enum plan_action order[] = {PLAN_CREATE, PLAN_UPDATE, PLAN_DELETE};
	buf_auto struct buf text = BUF_INIT;
	const char *before = "Outputs: ";

	for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
		size_t count = 0;

		for (size_t i = 0; i < view->outputs->change_count; i++)
			count += view->outputs->changes[i].action == order[k];
		if (count == 0)
			continue;
		buf_adds(&text, before);
		plan_count_words(&text, count);
		buf_addf(&text, " to %s", plan_view_verb(view->plan, order[k]));
		before = ", ";
	}
	buf_addc(&text, '.');
	plan_texts_add(&view->facts, buf_str(&text));
}

void plan_view_outputs_make(struct plan_view *view, size_t width, bool whole)
{
	struct plan_section *section = &view->sections[view->section_count];

	view->outputs = as_changes(view->plan);
	if (view->outputs == NULL)
		return;
	plan_groups_make(&view->output_groups, view->outputs);
	section->heading = mem_strdup("Outputs");
	section->outputs = true;
	section->entries = mem_array(view->output_groups.count, sizeof *section->entries);
	for (size_t i = 0; i < view->output_groups.count; i++)
		entry_make(&section->entries[section->count++], view->plan, view->output_groups.items[i], width, whole);
	view->section_count++;
	add_fact(view);
}
