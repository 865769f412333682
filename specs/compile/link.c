/* What needs all stacks at once: DependsOn between stacks, literal Fn::GetStackOutput, cycles of conditions. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

int specs_stack_unknown(const struct specs *specs, const struct stack *at_stack, const struct node *at,
			const char *name, struct diag *d)
{
	const struct specs_private *p = specs->private;
	const char **names = mem_array(p->stack_count, sizeof *names);
	mem_auto_str char *nearest = NULL;
	size_t count = 0;

	/* Never the stack itself: it can be meant nowhere. */
	for (size_t s = 0; s < p->stack_count; s++)
		if (p->stacks[s] != at_stack)
			names[count++] = p->stacks[s]->name;
	nearest = specs_report_nearest(name, names, count);
	free(names);
	specs_node_error(at_stack, at, false, d, "no stack is called \"%s\"%s", name, nearest);
	return EVAL_ERROR;
}

/* -- DependsOn -- */

static int link_depends(struct specs *specs, struct stack *stack, struct diag *d)
{
	struct specs_private *p = specs->private;
	json_t *list = json_object_get(stack->doc->root, "DependsOn");
	size_t count = json_is_array(list) ? json_array_size(list) : list != NULL;
	struct node *at = specs_node_new(stack, stack->root, "DependsOn", 0, list);
	int result = 0;

	stack->depends = specs_arena_array(&p->arena, count, sizeof(struct stack *));
	for (size_t i = 0; i < count; i++) {
		json_t *item = json_is_array(list) ? json_array_get(list, i) : list;
		const struct node *item_at = json_is_array(list) ? specs_node_new(stack, at, NULL, i, item) : at;
		const char *name = json_string_value(item);
		struct stack *other = name != NULL ? specs_table_get(&p->stacks_by_name, name) : NULL;

		if (name == NULL) {
			specs_node_error(stack, item_at, false, d, "must be the name of a stack, not %s",
					 json_kind_name(item));
			result = -1;
		} else if (other == NULL) {
			result = specs_stack_unknown(specs, stack, item_at, name, d);
		} else if (other == stack) {
			specs_node_error(stack, item_at, false, d, "a stack cannot depend on itself");
			result = -1;
		} else {
			size_t k = 0;

			while (k < stack->depend_count && stack->depends[k] != other)
				k++;
			stack->depends[k] = other;
			stack->depend_count += k == stack->depend_count;
		}
	}
	return result;
}

/* Depth first; `state` 1: under way, 2: done. The path is told by the chain of callers. */
struct visit {
	const struct stack *stack;
	const struct visit *up;
};

/* The way back from the end, told in the order of dependence. */
static void report_depends(const struct visit *end, const struct stack *to, struct diag *d)
{
	const struct stack *stack = end->stack;
	buf_auto struct buf path = BUF_INIT;
	const struct visit *first = end;
	size_t length = 1;

	for (; first != NULL && first->stack != to; first = first->up)
		length++;
	for (; length > 0; length--) {
		const struct visit *v = end;

		for (size_t i = 1; i < length && v->up != NULL; i++)
			v = v->up;
		buf_addf(&path, "%s -> ", v->stack->name);
	}
	specs_node_error(stack, specs_node_new((struct stack *)stack, stack->root, "DependsOn", 0, NULL), true, d,
			 "a cycle: %s%s", buf_str(&path), to->name);
}

static int depends_cycle(const struct stack *stack, const struct visit *up, char *state, struct diag *d)
{
	struct visit visit = {stack, up};
	int result = 0;

	state[stack->index] = 1;
	for (size_t i = 0; i < stack->depend_count; i++) {
		const struct stack *other = stack->depends[i];

		if (state[other->index] == 0) {
			result = depends_cycle(other, &visit, state, d) != 0 ? -1 : result;
		} else if (state[other->index] == 1) {
			report_depends(&visit, other, d);
			result = -1;
		}
	}
	state[stack->index] = 2;
	return result;
}

/* -- Fn::GetStackOutput -- */

static const char *literal(const struct node *node)
{
	return node != NULL && node->kind == NODE_CONST ? json_string_value(node->value) : NULL;
}

static int link_account(struct specs *specs, struct stack *stack, const struct call *call, struct diag *d)
{
	const char *name = literal(call->account);
	const char **names;
	mem_auto_str char *nearest = NULL;

	if (name == NULL || specs_account_find(specs, name) != NULL)
		return 0;
	names = mem_array(specs->account_count, sizeof *names);
	for (size_t a = 0; a < specs->account_count; a++)
		names[a] = specs->accounts[a].name;
	nearest = specs_report_nearest(name, names, specs->account_count);
	free(names);
	specs_node_error(stack, call->account, false, d, "no account is named \"%s\"%s", name, nearest);
	return -1;
}

static int link_output(struct specs *specs, struct stack *stack, const struct call *call, struct diag *d)
{
	const char *name = literal(call->stack), *output = literal(call->output), *region = literal(call->region);
	const struct stack *other = name != NULL ? specs_table_get(&specs->private->stacks_by_name, name) : NULL;
	int result = link_account(specs, stack, call, d);

	if (name != NULL && other == NULL)
		return specs_stack_unknown(specs, stack, call->stack, name, d);
	if (other != NULL && output != NULL && !other->output_loops &&
	    !specs_name_listed(output, other->output_names, other->output_name_count)) {
		mem_auto_str char *nearest =
		    specs_report_nearest(output, other->output_names, other->output_name_count);

		specs_node_error(stack, call->output, false, d, "stack \"%s\" has no output \"%s\"%s", name, output,
				 nearest);
		result = -1;
	}
	if (region != NULL && !specs_region_shaped(region)) {
		bool known;
		const char *nearest = specs_region_nearest(region, &known);

		specs_node_error(stack, call->region, false, d, "\"%s\" is not a region%s%s%s", region,
				 nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
		result = -1;
	}
	return result;
}

/* -- conditions -- */

struct condition_walk {
	struct stack *stack;
	char *state; /* by entry: 1 under way, 2 done */
	const char *path[256];
	size_t depth;
	struct diag *d;
	int result;
};

static void condition_visit(struct condition_walk *w, size_t index);

/* The conditions that a compiled value names. */
static void condition_follow(struct condition_walk *w, const struct node *node)
{
	if (node->kind != NODE_CALL)
		return;
	if (node->call->kind == CALL_CONDITION || node->call->kind == CALL_IF)
		for (size_t i = 0; i < w->stack->conditions.count; i++)
			if (strcmp(w->stack->conditions.entries[i].name.source, node->call->name.source) == 0)
				condition_visit(w, i);
	for (size_t i = 0; i < node->call->count; i++)
		condition_follow(w, node->call->args[i]);
}

static void condition_visit(struct condition_walk *w, size_t index)
{
	const struct entry *entry = &w->stack->conditions.entries[index];
	buf_auto struct buf text = BUF_INIT;

	if (w->state[index] == 2 || w->depth == COUNT_OF(w->path))
		return;
	if (w->state[index] == 1) {
		size_t from = w->depth;

		while (from > 0 && strcmp(w->path[from - 1], entry->name.source) != 0)
			from--;
		for (size_t i = from > 0 ? from - 1 : 0; i < w->depth; i++)
			buf_addf(&text, "%s -> ", w->path[i]);
		specs_node_error(w->stack, entry->path, true, w->d, "a cycle: %s%s", buf_str(&text),
				 entry->name.source);
		w->result = -1;
		return;
	}
	w->state[index] = 1;
	w->path[w->depth++] = entry->name.source;
	condition_follow(w, entry->condition);
	w->depth--;
	w->state[index] = 2;
}

static int link_conditions(struct stack *stack, struct diag *d)
{
	struct condition_walk w = {stack, NULL, {NULL}, 0, d, 0};

	/* Loops are unrolled in each target; cycles are found there. */
	if (stack->conditions.loops || stack->failed)
		return 0;
	w.state = mem_array(stack->conditions.count, 1);
	for (size_t i = 0; i < stack->conditions.count; i++)
		condition_visit(&w, i);
	free(w.state);
	return w.result;
}

int specs_stacks_link(struct specs *specs, struct diag *d)
{
	struct specs_private *p = specs->private;
	char *state = mem_array(p->stack_count, 1);
	int result = 0;

	for (size_t s = 0; s < p->stack_count; s++) {
		struct stack *stack = p->stacks[s];

		result |= link_depends(specs, stack, d);
		result |= link_conditions(stack, d);
		for (size_t i = 0; i < stack->read_count; i++)
			if (stack->reads[i]->kind == NODE_CALL && stack->reads[i]->call->kind == CALL_OUTPUT)
				result |= link_output(specs, stack, stack->reads[i]->call, d);
	}
	for (size_t s = 0; s < p->stack_count; s++)
		if (state[s] == 0)
			result |= depends_cycle(p->stacks[s], NULL, state, d);
	free(state);
	return result != 0 ? -1 : 0;
}
