/* The change graph: which of a plan's changes waits for which. This file makes the nodes, brings the edges into the
 * form that apply walks, and finds cycles. Linear in changes and edges. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "plan/graph_private.h"

#define CYCLE_SHOWN_MAX 20

bool graph_makes(const struct plan_change *change)
{
	return change->action == PLAN_CREATE || change->action == PLAN_ADOPT || change->action == PLAN_UPDATE ||
	       change->action == PLAN_REPLACE;
}

bool graph_deletes(const struct plan_change *change)
{
	return change->action == PLAN_DELETE;
}

bool graph_may_replace(const struct plan_change *change)
{
	return change->diff.may_replace && !change->diff.replace;
}

/* -- Nodes and edges while building -------------------------------------------------------------------------------- */

size_t graph_node_add(struct graph_builder *b, enum plan_node_kind kind, size_t change)
{
	if (b->node_count == b->node_cap) {
		b->node_cap = b->node_cap ? b->node_cap * 2 : 64;
		b->nodes = mem_resize(b->nodes, b->node_cap, sizeof b->nodes[0]);
		b->labels = mem_resize(b->labels, b->node_cap, sizeof b->labels[0]);
	}
	b->nodes[b->node_count] = (struct plan_node){.kind = kind, .change = change};
	b->labels[b->node_count] = NULL;
	return b->node_count++;
}

void graph_edge_add(struct graph_builder *b, size_t from, size_t to, bool ordered)
{
	if (from == GRAPH_NONE || to == GRAPH_NONE)
		return;
	if (b->edge_count == b->edge_cap) {
		b->edge_cap = b->edge_cap ? b->edge_cap * 2 : 256;
		b->edges = mem_resize(b->edges, b->edge_cap, sizeof b->edges[0]);
	}
	b->edges[b->edge_count++] = (struct graph_edge){from, to, ordered, false};
}

void graph_edge_add_typed(struct graph_builder *b, size_t from, size_t to)
{
	size_t count = b->edge_count;

	graph_edge_add(b, from, to, true);
	if (b->edge_count > count)
		b->edges[count].typed = true;
}

size_t graph_barrier(struct graph_builder *b, bool make, const char *what, const char *name, size_t name_len)
{
	buf_auto struct buf key = BUF_INIT;
	uintptr_t node;

	buf_adds(&key, what);
	buf_addc(&key, ' ');
	buf_add(&key, name, name_len);
	node = (uintptr_t)map_get(&b->barriers, buf_str(&key));
	if (node == 0 && make) {
		node = graph_node_add(b, PLAN_NODE_BARRIER, GRAPH_NONE) + 1;
		map_set(&b->barriers, buf_str(&key), (void *)node);
		b->labels[node - 1] = b->barriers.entries[b->barriers.count - 1].key;
	}
	return node == 0 ? GRAPH_NONE : node - 1;
}

/* The nodes of every change: itself, and the deletion before or after it where it is a replacement. */
static void nodes_make(struct graph_builder *b)
{
	const struct plan *plan = b->plan;

	b->removal = mem_array(plan->change_count + 1, sizeof b->removal[0]);
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		graph_node_add(b, PLAN_NODE_CHANGE, i);
		if (!change->deposed)
			map_set(&b->by_address, change->address, (void *)(uintptr_t)(i + 1));
		else if (!map_has(&b->left, change->address))
			map_set(&b->left, change->address, (void *)(uintptr_t)(i + 1));
		if (change->type != NULL && !map_has(&b->types, change->type->name))
			map_set(&b->types, change->type->name, (void *)(uintptr_t)change->type);
	}
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		b->removal[i] = graph_deletes(change) ? i : GRAPH_NONE;
		if (change->action == PLAN_REPLACE && !change->retain_old)
			b->removal[i] =
			    graph_node_add(b, change->create_first ? PLAN_NODE_CLEANUP : PLAN_NODE_DELETE, i);
	}
}

/* -- Edges as apply walks them ------------------------------------------------------------------------------------- */

void graph_edges_settle(struct graph_builder *b)
{
	size_t *at;

	free(b->memory->pool);
	at = b->memory->pool = mem_array(b->edge_count + 1, sizeof at[0]);
	for (size_t i = 0; i < b->node_count; i++)
		b->nodes[i].follower_count = b->nodes[i].ordered_count = b->nodes[i].waits = 0;
	for (size_t i = 0; i < b->edge_count; i++) {
		struct plan_node *from = &b->nodes[b->edges[i].from];

		*(b->edges[i].ordered ? &from->ordered_count : &from->follower_count) += 1;
	}
	for (size_t i = 0; i < b->node_count; i++) {
		struct plan_node *node = &b->nodes[i];

		node->followers = at;
		node->ordered = at + node->follower_count;
		at = node->ordered + node->ordered_count;
		node->follower_count = node->ordered_count = 0;
	}
	for (size_t i = 0; i < b->edge_count; i++) {
		struct plan_node *from = &b->nodes[b->edges[i].from];

		if (b->edges[i].ordered)
			from->ordered[from->ordered_count++] = b->edges[i].to;
		else
			from->followers[from->follower_count++] = b->edges[i].to;
		b->nodes[b->edges[i].to].waits++;
	}
}

/* -- Cycles -------------------------------------------------------------------------------------------------------- */

/* Takes away every node that can run; returns how many are left, each with `waits` over 0. */
static size_t nodes_peel(const struct graph_builder *b, size_t *waits)
{
	size_t *queue = mem_array(b->node_count + 1, sizeof queue[0]), head = 0, tail = 0;

	for (size_t i = 0; i < b->node_count; i++) {
		waits[i] = b->nodes[i].waits;
		if (waits[i] == 0)
			queue[tail++] = i;
	}
	while (head < tail) {
		const struct plan_node *node = &b->nodes[queue[head++]];

		for (size_t i = 0; i < node->follower_count; i++)
			if (--waits[node->followers[i]] == 0)
				queue[tail++] = node->followers[i];
		for (size_t i = 0; i < node->ordered_count; i++)
			if (--waits[node->ordered[i]] == 0)
				queue[tail++] = node->ordered[i];
	}
	free(queue);
	return b->node_count - tail;
}

static void node_words(struct buf *out, const struct graph_builder *b, size_t node)
{
	if (b->labels[node] != NULL) {
		buf_addf(out, "(%s)", b->labels[node]);
		return;
	}
	if (b->nodes[node].kind != PLAN_NODE_CHANGE)
		buf_adds(out, "deletion of the old ");
	buf_adds(out, b->plan->changes[b->nodes[node].change].address);
}

/* Every node that is left waits for another one that is left: going back along these must come round. */
static int cycle_report(const struct graph_builder *b, const size_t *waits, struct diag *d)
{
	size_t *before = mem_array(b->node_count, sizeof before[0]), *step = mem_array(b->node_count, sizeof step[0]);
	size_t at = GRAPH_NONE, start, length = 0;
	buf_auto struct buf words = BUF_INIT;

	for (size_t i = 0; i < b->edge_count; i++) {
		if (waits[b->edges[i].from] == 0 || waits[b->edges[i].to] == 0)
			continue;
		before[b->edges[i].to] = b->edges[i].from;
		at = b->edges[i].to;
	}
	while (step[at] == 0) {
		step[at] = 1;
		at = before[at];
	}
	start = at;
	do {
		if (length++ < CYCLE_SHOWN_MAX) {
			node_words(&words, b, at);
			buf_adds(&words, ", which waits for ");
		}
		at = before[at];
	} while (at != start);
	if (length > CYCLE_SHOWN_MAX)
		buf_addf(&words, "(%zu more), which wait for ", length - CYCLE_SHOWN_MAX);
	node_words(&words, b, start);
	free(before);
	free(step);
	return diag_error(d, "these changes wait for each other: %s", buf_str(&words));
}

/* Of the nodes that are left, takes away those that only wait for a cycle and are in none: nothing that is left waits
 * for them. Passes over all edges, as many as the longest such chain; only ever done for plans that have a cycle. */
static void keep_cycles(const struct graph_builder *b, size_t *waits)
{
	bool *waited_for = mem_array(b->node_count + 1, sizeof waited_for[0]);
	bool again = true;

	while (again) {
		again = false;
		memset(waited_for, 0, b->node_count * sizeof waited_for[0]);
		for (size_t i = 0; i < b->edge_count; i++)
			if (waits[b->edges[i].from] > 0 && waits[b->edges[i].to] > 0)
				waited_for[b->edges[i].from] = true;
		for (size_t i = 0; i < b->node_count; i++) {
			if (waits[i] == 0 || waited_for[i])
				continue;
			waits[i] = 0;
			again = true;
		}
	}
	free(waited_for);
}

/* What a type comes after is a rule of thumb; where references of the specs go the other way, they know better. */
static void types_give_way(struct graph_builder *b, size_t *waits)
{
	size_t kept = 0;

	keep_cycles(b, waits);
	for (size_t i = 0; i < b->edge_count; i++) {
		const struct graph_edge *edge = &b->edges[i];

		if (!edge->typed || waits[edge->from] == 0 || waits[edge->to] == 0)
			b->edges[kept++] = *edge;
	}
	b->edge_count = kept;
	graph_edges_settle(b);
}

static int cycles_check(struct graph_builder *b, struct diag *d)
{
	size_t *waits = mem_array(b->node_count + 1, sizeof waits[0]);
	int rc = 0;

	if (nodes_peel(b, waits) > 0) {
		types_give_way(b, waits);
		rc = nodes_peel(b, waits) == 0 ? 0 : cycle_report(b, waits, d);
	}
	free(waits);
	return rc;
}

/* -- Face ---------------------------------------------------------------------------------------------------------- */

static void builder_free(struct graph_builder *b)
{
	free(b->labels);
	free(b->edges);
	free(b->removal);
	map_free(&b->by_address, NULL);
	map_free(&b->left, NULL);
	map_free(&b->deposed, NULL);
	map_free(&b->barriers, NULL);
	map_free(&b->types, NULL);
	map_free(&b->freed, NULL);
}

int plan_graph_new(struct plan_graph **out, const struct plan *plan, struct diag *d)
{
	struct graph_builder b = {.plan = plan, .memory = mem_alloc(sizeof *b.memory)};
	int rc;

	nodes_make(&b);
	graph_edges_make(&b);
	graph_keys_make(&b);
	graph_edges_settle(&b);
	graph_edges_delete_first(&b);
	b.memory->face = (struct plan_graph){b.nodes, b.node_count};
	rc = cycles_check(&b, d);
	builder_free(&b);
	*out = rc == 0 ? &b.memory->face : NULL;
	if (rc < 0)
		plan_graph_free(&b.memory->face);
	return rc;
}

void plan_graph_free(struct plan_graph *graph)
{
	struct graph_memory *memory = (struct graph_memory *)graph;

	if (memory == NULL)
		return;
	free(memory->face.nodes);
	free(memory->pool);
	map_free(&memory->keys, NULL);
	free(memory);
}
