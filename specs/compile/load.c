/* Loading a whole spec directory, and freeing it. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

static int compare_stacks(const void *a, const void *b)
{
	return strcmp((*(struct stack *const *)a)->name, (*(struct stack *const *)b)->name);
}

static int load_stack(struct specs *specs, const char *entry, struct diag *d)
{
	struct specs_private *p = specs->private;
	mem_auto_str char *file = mem_printf("stacks/%s", entry), *name = NULL;
	struct diag_place place = {.file = file};
	struct stack *stack;

	if (!text_ends(entry, ".json")) {
		diag_at(d, DIAG_WARNING, &place, "not a stack: only NAME.json is read here");
		return 0;
	}
	name = mem_strndup(entry, strlen(entry) - strlen(".json"));
	stack = specs_stack_load(specs, name, file, d);
	if (stack == NULL)
		return -1;
	p->stacks = mem_resize(p->stacks, p->stack_count + 1, sizeof(struct stack *));
	p->stacks[p->stack_count++] = stack;
	specs_table_put(&p->stacks_by_name, stack->name, stack);
	return stack->failed ? -1 : 0;
}

static int load_stacks(struct specs *specs, struct diag *d)
{
	struct specs_private *p = specs->private;
	char **names = NULL;
	int result = p->source->list(p->source->payload, "stacks", &names, d) == 0 ? 0 : -1;
	size_t count = 0;

	while (names != NULL && names[count] != NULL)
		count++;
	if (count > SPECS_STACKS_MAX)
		result = diag_error(d, "stacks/: %zu files; at most %d are supported", count, SPECS_STACKS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (count <= SPECS_STACKS_MAX && load_stack(specs, names[i], d) != 0)
			result = -1;
		free(names[i]);
	}
	free(names);
	if (p->stack_count > 0)
		qsort(p->stacks, p->stack_count, sizeof(struct stack *), compare_stacks);
	for (size_t s = 0; s < p->stack_count; s++)
		p->stacks[s]->index = s;
	return result;
}

static int load_every_stack(struct specs *specs, struct diag *d)
{
	struct specs_private *p = specs->private;
	int result = load_stacks(specs, d);

	specs->stack_count = p->stack_count;
	result |= specs_stacks_link(specs, d);
	for (size_t s = 0; s < p->stack_count; s++)
		result |= specs_parameters_settle(p->stacks[s], d);
	return result == 0 ? specs_parameters_unused(specs, d) : -1;
}

int specs_load(struct specs **out, const struct specs_source *source, const struct schema_set *schemas,
	       const struct specs_options *options, struct diag *d)
{
	struct specs *specs = mem_alloc(sizeof *specs);
	struct specs_private *p = specs->private = mem_alloc(sizeof *specs->private);
	int result;

	*out = NULL;
	p->source = source;
	p->schemas = schemas;
	if (options != NULL)
		p->options = *options;
	result = specs_settings_load(specs, d);
	/* Without a roster every selector would be wrong: nothing worth saying comes after. */
	if (specs_roster_load(specs, d) != 0)
		result = -1;
	if (p->roster_doc == NULL) {
		specs_free(specs);
		return -1;
	}
	if (!p->options.roster_only)
		result |= load_every_stack(specs, d);
	if (result != 0) {
		specs_free(specs);
		return -1;
	}
	*out = specs;
	return 0;
}

void specs_free(struct specs *specs)
{
	struct specs_private *p;

	if (specs == NULL)
		return;
	p = specs->private;
	specs_instances_free(specs);
	for (size_t s = 0; s < p->stack_count; s++)
		specs_stack_free(p->stacks[s]);
	for (size_t a = 0; a < specs->account_count; a++) {
		json_decref(specs->accounts[a].tags);
		json_decref(specs->accounts[a].access);
		json_decref(specs->accounts[a].parameters);
	}
	for (size_t i = 0; i < p->files.size; i++)
		if (p->files.slots[i].value != NULL)
			json_decref(((struct file *)p->files.slots[i].value)->text);
	specs_patterns_free(specs);
	specs_table_free(&p->files);
	specs_table_free(&p->strings);
	specs_table_free(&p->reported);
	specs_table_free(&p->accounts);
	specs_table_free(&p->stacks_by_name);
	json_doc_free(p->settings_doc);
	json_doc_free(p->roster_doc);
	free(p->stacks);
	free(specs->accounts);
	specs_arena_free(&p->arena);
	free(p);
	free(specs);
}
