/* Stacks x accounts x regions -> instances, and what the stacks' DependsOn joins (rule 9). */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

struct expansion {
	struct specs *specs;
	specs_skipped *skipped;
	void *payload;
	struct diag *d;
	size_t room;
	int result;
};

/* -- regions -- */

static int compare_regions(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What is enabled in each account, as far as it is known, narrowed by the account's Regions. */
static void regions_ask(struct expansion *x, specs_regions_of *regions_of)
{
	struct specs *specs = x->specs;
	struct specs_private *p = specs->private;

	p->regions = specs_arena_array(&p->arena, specs->account_count, sizeof *p->regions);
	p->enabled = specs_arena_array(&p->arena, specs->account_count, sizeof *p->enabled);
	p->region_counts = specs_arena_array(&p->arena, specs->account_count, sizeof *p->region_counts);
	for (size_t a = 0; a < specs->account_count; a++) {
		const char *const *given = regions_of(x->payload, &specs->accounts[a]);
		size_t count = 0, used = 0;

		if (given == NULL)
			continue;
		while (given[count] != NULL)
			count++;
		p->regions[a] = specs_arena_array(&p->arena, count + 1, sizeof **p->regions);
		p->enabled[a] = specs_arena_array(&p->arena, count + 1, sizeof **p->enabled);
		for (size_t r = 0; r < count; r++) {
			p->enabled[a][r] = specs_intern(specs, given[r]);
			if (specs_account_region_allowed(&specs->accounts[a], given[r]))
				p->regions[a][used++] = p->enabled[a][r];
		}
		if (used > 0)
			qsort(p->regions[a], used, sizeof **p->regions, compare_regions);
		p->region_counts[a] = used;
	}
}

/* -- instances -- */

static void instance_add(struct expansion *x, struct stack *stack, const struct specs_account *account,
			 const char *region)
{
	struct specs *specs = x->specs;
	struct specs_private *p = specs->private;
	struct specs_instance *instance = specs_arena_alloc(&p->instance_arena, sizeof *instance);

	instance->private = specs_arena_alloc(&p->instance_arena, sizeof *instance->private);
	instance->private->stack = stack;
	instance->address = specs_arena_printf(&p->instance_arena, "%s/%s/%s", account->name, region, stack->name);
	instance->stack = stack->name;
	instance->account = account;
	instance->region = region;
	if (specs->instance_count == x->room) {
		x->room = x->room ? x->room * 2 : 256;
		p->instances = mem_resize(p->instances, x->room, sizeof(struct specs_instance *));
	}
	p->instances[specs->instance_count++] = instance;
}

/* Selectors that name one region, which the account has not: said, not passed over (section 3). */
static void report_skipped(struct expansion *x, const struct stack *stack, const struct specs_account *account)
{
	const struct specs_private *p = x->specs->private;
	const char *home = x->specs->settings.home_region;

	for (size_t i = 0; i < stack->region_selectors.count; i++) {
		const struct selector *selector = &stack->region_selectors.list[i];
		const char *region = selector->home ? home : selector->pattern;
		bool enabled = false, allowed = specs_account_region_allowed(account, region);

		if (selector->negative || selector->glob ||
		    !specs_selectors_region(&stack->region_selectors, region, home))
			continue;
		for (size_t r = 0; p->enabled[account->index][r] != NULL; r++)
			enabled = enabled || strcmp(p->enabled[account->index][r], region) == 0;
		if ((!enabled || !allowed) && x->skipped != NULL)
			x->skipped(x->payload, stack->name, account, region,
				   enabled ? "the account's Regions leave it out" : "not enabled in the account");
	}
}

static void stack_expand(struct expansion *x, struct stack *stack)
{
	struct specs *specs = x->specs;
	struct specs_private *p = specs->private;

	stack->first = specs->instance_count;
	stack->account_first =
	    specs_arena_array(&p->instance_arena, specs->account_count + 1, sizeof *stack->account_first);
	for (size_t a = 0; a < specs->account_count; a++) {
		stack->account_first[a] = specs->instance_count;
		if (!stack->selected[a] || p->regions[a] == NULL)
			continue;
		for (size_t r = 0; r < p->region_counts[a]; r++)
			if (specs_selectors_region(&stack->region_selectors, p->regions[a][r],
						   specs->settings.home_region))
				instance_add(x, stack, &specs->accounts[a], p->regions[a][r]);
		report_skipped(x, stack, &specs->accounts[a]);
	}
	stack->account_first[specs->account_count] = specs->instance_count;
	stack->count = specs->instance_count - stack->first;
}

/* A glob of regions that fits none in any account of the stack is a mistake, if all these accounts are known. */
static void check_region_globs(struct expansion *x, struct stack *stack)
{
	struct specs *specs = x->specs;
	struct specs_private *p = specs->private;

	for (size_t i = 0; i < stack->region_selectors.count; i++) {
		const struct selector *selector = &stack->region_selectors.list[i];
		bool found = selector->negative || !selector->glob;

		for (size_t a = 0; !found && a < specs->account_count; a++) {
			if (!stack->selected[a])
				continue;
			found = p->enabled[a] == NULL;
			for (size_t r = 0; !found && p->enabled[a][r] != NULL; r++)
				found = text_glob(selector->pattern, p->enabled[a][r]);
		}
		if (found)
			continue;
		json_doc_error(stack->doc, JSON_PATH_ITEM(JSON_PATH_KEY(JSON_PATH_KEY(NULL, "Targets"), "Regions"), i),
			       false, x->d, "no enabled region of the stack's accounts matches \"%s\"",
			       selector->pattern);
		x->result = -1;
	}
}

struct specs_instance *specs_instance_find(const struct specs *specs, const struct stack *stack, size_t account,
					   const char *region)
{
	size_t low = stack->account_first[account], high = stack->account_first[account + 1];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(specs->instances[middle]->region, region);

		if (order == 0)
			return specs->instances[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* -- DependsOn -- */

struct join {
	const char **list; /* sorted */
	size_t count;
};

struct joins {
	struct specs *specs;
	struct arena *arena;
	struct table shared; /* region of a stack, or all of it -> struct join: the same list for many instances */
};

static int compare_addresses(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of the instances from `first` to `end` those in `region` (NULL: all). */
static struct join join_make(const struct joins *j, size_t first, size_t end, const char *region)
{
	struct join join = {specs_arena_array(j->arena, end - first, sizeof *join.list), 0};

	for (size_t i = first; i < end; i++)
		if (region == NULL || strcmp(j->specs->instances[i]->region, region) == 0)
			join.list[join.count++] = j->specs->instances[i]->address;
	if (join.count > 1)
		qsort(join.list, join.count, sizeof *join.list, compare_addresses);
	return join;
}

static struct join join_shared(struct joins *j, const struct stack *on, const char *region)
{
	mem_auto_str char *key = mem_printf("%s/%s", on->name, region != NULL ? region : "");
	struct join *join = specs_table_get(&j->shared, key);

	if (join == NULL) {
		join = specs_arena_alloc(j->arena, sizeof *join);
		*join = join_make(j, on->first, on->first + on->count, region);
		specs_table_put(&j->shared, specs_arena_strdup(j->arena, key), join);
	}
	return *join;
}

/* The most specific match: the same target, else the same account, else the same region, else all. */
static struct join join_find(struct joins *j, const struct specs_instance *instance, const struct stack *on)
{
	size_t account = instance->account->index;
	size_t first = on->account_first[account], end = on->account_first[account + 1];
	struct join join;

	if (specs_instance_find(j->specs, on, account, instance->region) != NULL)
		return join_make(j, first, end, instance->region);
	if (first < end)
		return join_make(j, first, end, NULL);
	join = join_shared(j, on, instance->region);
	return join.count > 0 ? join : join_shared(j, on, NULL);
}

static void instance_join(struct joins *j, struct specs_instance *instance)
{
	const struct stack *stack = instance->private->stack;

	for (size_t k = 0; k < stack->depend_count; k++) {
		struct join join = join_find(j, instance, stack->depends[k]);
		const char **both;

		if (join.count == 0 && instance->private->depends_blocked == NULL)
			instance->private->depends_blocked = specs_arena_printf(
			    j->arena, "depends on stack %s, which goes nowhere", stack->depends[k]->name);
		if (instance->depend_count == 0) {
			instance->depends = join.list;
			instance->depend_count = join.count;
			continue;
		}
		both = specs_arena_array(j->arena, instance->depend_count + join.count, sizeof *both);
		memcpy(both, instance->depends, instance->depend_count * sizeof *both);
		memcpy(both + instance->depend_count, join.list, join.count * sizeof *both);
		instance->depends = both;
		instance->depend_count += join.count;
		qsort(both, instance->depend_count, sizeof *both, compare_addresses);
	}
}

static void instances_join(struct specs *specs)
{
	struct joins joins = {specs, &specs->private->instance_arena, {NULL, 0, 0}};

	for (size_t i = 0; i < specs->instance_count; i++)
		instance_join(&joins, specs->private->instances[i]);
	specs_table_free(&joins.shared);
}

/* -- the whole -- */

void specs_instances_free(struct specs *specs)
{
	struct specs_private *p = specs->private;

	for (size_t i = 0; i < specs->instance_count; i++)
		specs_instance_forget(p->instances[i]);
	for (size_t s = 0; s < p->stack_count; s++)
		for (size_t i = 0; i < p->stacks[s]->read_count; i++) {
			struct node *node = p->stacks[s]->reads[i];

			/* Regions may be others the next time. */
			if (node->kind == NODE_CALL) {
				json_decref(node->call->folded);
				node->call->folded = NULL;
			}
		}
	free(p->instances);
	p->instances = NULL;
	specs->instances = NULL;
	specs->instance_count = 0;
	specs_arena_free(&p->instance_arena);
}

int specs_expand(struct specs *specs, specs_regions_of *regions_of, specs_skipped *skipped, void *payload,
		 struct diag *d)
{
	struct specs_private *p = specs->private;
	struct expansion x = {specs, skipped, payload, d, 0, 0};

	specs_instances_free(specs);
	regions_ask(&x, regions_of);
	for (size_t s = 0; s < p->stack_count; s++) {
		stack_expand(&x, p->stacks[s]);
		check_region_globs(&x, p->stacks[s]);
	}
	specs->instances = p->instances;
	instances_join(specs);
	return x.result;
}
