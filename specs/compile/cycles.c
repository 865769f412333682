/* Cycles that only show over the whole: a stack's DependsOn one way and a reference the other way. (Cycles of
 * references alone are found while evaluating, cycles of DependsOn alone while loading.)
 *
 * The graph has two nodes for an instance, its start and its end, and one for each resource. A resource comes after its
 * instance's start, an end after all of the instance's resources, a start after the ends of what the stack depends on.
 */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

struct edge_list {
	uint32_t *to;
	size_t count, room;
};

struct cycles {
	const struct specs *specs;
	bool needed;
	struct arena arena;
	struct table nodes; /* address of a resource or an instance's end -> node number + 1 */
	/* By node: name, and what it comes after. */
	const char **names;
	struct edge_list *after;
	size_t count, room;
	struct {
		uint32_t from;
		const char *to;
	} * pending; /* edges to what may be added later */
	size_t pending_count, pending_room;
};

struct cycles *specs_cycles_new(const struct specs *specs)
{
	struct cycles *c = mem_alloc(sizeof *c);

	c->specs = specs;
	for (size_t s = 0; s < specs->private->stack_count; s++)
		c->needed = c->needed || specs->private->stacks[s]->depend_count > 0;
	return c;
}

void specs_cycles_free(struct cycles *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->after[i].to);
	free(c->names);
	free(c->after);
	free(c->pending);
	specs_table_free(&c->nodes);
	specs_arena_free(&c->arena);
	free(c);
}

static uint32_t node_add(struct cycles *c, const char *name)
{
	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 1024;
		c->names = mem_resize(c->names, c->room, sizeof *c->names);
		c->after = mem_resize(c->after, c->room, sizeof *c->after);
	}
	c->names[c->count] = name;
	c->after[c->count] = (struct edge_list){NULL, 0, 0};
	return (uint32_t)c->count++;
}

static void edge_add(struct cycles *c, uint32_t from, uint32_t to)
{
	struct edge_list *list = &c->after[from];

	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 2;
		list->to = mem_resize(list->to, list->room, sizeof *list->to);
	}
	list->to[list->count++] = to;
}

static void edge_later(struct cycles *c, uint32_t from, const char *to)
{
	if (c->pending_count == c->pending_room) {
		c->pending_room = c->pending_room ? c->pending_room * 2 : 1024;
		c->pending = mem_resize(c->pending, c->pending_room, sizeof *c->pending);
	}
	c->pending[c->pending_count].from = from;
	c->pending[c->pending_count++].to = to;
}

static void name_put(struct cycles *c, const char *address, uint32_t node)
{
	specs_table_put(&c->nodes, address, (void *)((uintptr_t)node + 1));
}

void specs_cycles_add(struct cycles *c, const struct specs_instance *instance)
{
	size_t count;
	const struct specs_resource *resources = specs_instance_resources(instance, &count);
	uint32_t start, end;

	if (!c->needed)
		return;
	start = node_add(c, instance->address);
	end = node_add(c, instance->address);
	name_put(c, instance->address, end);
	for (size_t i = 0; i < instance->depend_count; i++)
		edge_later(c, start, instance->depends[i]);
	for (size_t i = 0; i < count; i++) {
		const char *address = specs_arena_strdup(&c->arena, resources[i].address);
		uint32_t node = node_add(c, address);

		name_put(c, address, node);
		edge_add(c, node, start);
		edge_add(c, end, node);
		for (size_t k = 0; k < resources[i].depend_count; k++)
			edge_later(c, node, specs_arena_strdup(&c->arena, resources[i].depends[k]));
	}
}

/* Depth first without recursion: chains can be as long as there are resources. */
struct step {
	uint32_t node;
	uint32_t next;
};

static int cycle_report(const struct cycles *c, const struct step *steps, size_t depth, uint32_t node, struct diag *d)
{
	buf_auto struct buf path = BUF_INIT;
	const char *last = NULL;
	size_t from = depth;

	while (from > 0 && steps[from - 1].node != node)
		from--;
	for (size_t i = from > 0 ? from - 1 : 0; i < depth; i++) {
		/* An instance's two nodes have one name. */
		if (last == NULL || strcmp(last, c->names[steps[i].node]) != 0)
			buf_addf(&path, "%s -> ", c->names[steps[i].node]);
		last = c->names[steps[i].node];
	}
	return diag_error(d, "a cycle: %s%s", buf_str(&path), c->names[node]);
}

static int visit(const struct cycles *c, uint32_t root, char *state, struct step *steps, struct diag *d)
{
	size_t depth = 0;

	steps[depth++] = (struct step){root, 0};
	state[root] = 1;
	while (depth > 0) {
		struct step *top = &steps[depth - 1];
		uint32_t next;

		if (top->next == c->after[top->node].count) {
			state[top->node] = 2;
			depth--;
			continue;
		}
		next = c->after[top->node].to[top->next++];
		if (state[next] == 1)
			return cycle_report(c, steps, depth, next, d);
		if (state[next] == 0) {
			state[next] = 1;
			steps[depth++] = (struct step){next, 0};
		}
	}
	return 0;
}

int specs_cycles_check(struct cycles *c, struct diag *d)
{
	char *state;
	struct step *steps;
	int result = 0;

	if (!c->needed)
		return 0;
	for (size_t i = 0; i < c->pending_count; i++) {
		uintptr_t to = (uintptr_t)specs_table_get(&c->nodes, c->pending[i].to);

		if (to != 0)
			edge_add(c, c->pending[i].from, (uint32_t)(to - 1));
	}
	state = mem_array(c->count, 1);
	steps = mem_array(c->count, sizeof *steps);
	/* One is enough: the others mostly are the same in other targets. */
	for (size_t i = 0; i < c->count && result == 0; i++)
		if (state[i] == 0)
			result = visit(c, (uint32_t)i, state, steps, d);
	free(state);
	free(steps);
	return result;
}
