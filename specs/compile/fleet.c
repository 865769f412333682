/* Muster::Accounts and Muster::Regions: the roster and its regions as values. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

struct fleet {
	const struct stack *stack;
	const json_t *value;
	struct arena arena;
	struct selectors selectors;
	struct diag *d;
	int result;
};

static void parse_at(void *payload, const struct json_path *path)
{
	struct fleet *f = payload;

	f->result = specs_selectors_parse(&f->selectors, &f->arena, f->value, f->stack->doc, path, false, NULL, f->d);
	if (f->result == 0)
		f->result =
		    specs_selectors_check_accounts(f->stack->specs, &f->selectors, f->value, f->stack->doc, path, f->d);
}

/* Parses into *out, which must be freed with specs_arena_free() in any case. */
static int fleet_parse(struct fleet *out, const struct stack *stack, const struct node *node, const json_t *value,
		       struct diag *d)
{
	*out = (struct fleet){stack, value, {NULL}, {NULL, 0, false}, d, 0};
	specs_node_with_path(node, parse_at, out);
	return out->result;
}

json_t *specs_fleet_accounts(const struct stack *stack, const struct node *node, const json_t *selectors,
			     struct diag *d)
{
	const struct specs *specs = stack->specs;
	struct fleet fleet;
	json_t *list = NULL;

	if (fleet_parse(&fleet, stack, node, selectors, d) == 0) {
		list = json_array();
		for (size_t a = 0; a < specs->account_count; a++)
			if (specs_selectors_account(&fleet.selectors, &specs->accounts[a]))
				json_array_append_new(list, json_string(specs->accounts[a].id));
	}
	specs_arena_free(&fleet.arena);
	return list;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The union over the accounts, sorted. Region names are interned: equal ones have equal pointers. */
static json_t *regions_union(const struct specs *specs, const struct selectors *selectors)
{
	const struct specs_private *p = specs->private;
	const char **all = NULL;
	size_t count = 0;
	json_t *list = json_array();

	for (size_t a = 0; a < specs->account_count; a++) {
		if (p->regions == NULL || p->regions[a] == NULL ||
		    !specs_selectors_account(selectors, &specs->accounts[a]))
			continue;
		for (size_t r = 0; r < p->region_counts[a]; r++) {
			size_t i = 0;

			while (i < count && all[i] != p->regions[a][r])
				i++;
			if (i < count)
				continue;
			all = mem_resize(all, count + 1, sizeof *all);
			all[count++] = p->regions[a][r];
		}
	}
	if (count > 0)
		qsort(all, count, sizeof *all, compare_strings);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(all[i]));
	free(all);
	return list;
}

json_t *specs_fleet_regions(const struct stack *stack, const struct node *node, const json_t *selectors, struct diag *d)
{
	struct fleet fleet;
	json_t *list = NULL;

	if (fleet_parse(&fleet, stack, node, selectors, d) == 0)
		list = regions_union(stack->specs, &fleet.selectors);
	specs_arena_free(&fleet.arena);
	return list;
}

int specs_fleet_regions_check(const struct scope *scope, const struct node *node)
{
	const struct node *selectors = node->call->args[0];
	struct fleet fleet;
	int result;

	if (selectors->kind != NODE_CONST)
		return 0;
	result = fleet_parse(&fleet, scope->stack, selectors, selectors->value, scope->d);
	specs_arena_free(&fleet.arena);
	return result;
}
