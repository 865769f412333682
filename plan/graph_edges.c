/* Which node waits for which.
 *
 * Making goes along the dependencies, deleting against them: what is deleted or replaced goes only after everything
 * that used it has let go. With C the change, X the deletion before it (delete-first), L the deletion after it
 * (create-first), and `a` depending on `b`:
 *
 *   C(b) -> C(a)        made in order
 *   C(a) -> L(b)        the old b goes once a uses the new one
 *   X(a) -> X(b)        the old ones go in reverse order; also deletes, and L(a) -> L(b)
 *   C(a) -> delete(b)   a used b, and does so no longer
 *
 * A dependency on a whole instance goes through barriers, so that edges stay linear in number. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/graph_private.h"

#define MADE   "every change of"      /* instance: all that makes something is done */
#define UNUSED "the last use of"      /* instance: everything that used it has let go */
#define LOOSE  "the first release of" /* ... and that before the replacements there */
#define TYPED  "the making of every"  /* type in a target */
#define PARTED "what stands on each"  /* type in a target: deletions of the types that come after it */

/* -- Dependencies -------------------------------------------------------------------------------------------------- */

static bool is_instance(const char *address)
{
	size_t slashes = 0;

	for (; *address != '\0'; address++)
		slashes += *address == '/';
	return slashes == 2;
}

static int compare_address(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool among(const char *address, const char *const *list, size_t count)
{
	return count > 0 && bsearch(&address, list, count, sizeof list[0], compare_address) != NULL;
}

static size_t change_find(const struct graph_builder *b, const char *address)
{
	uintptr_t i = (uintptr_t)map_get(&b->by_address, address);

	return i == 0 ? GRAPH_NONE : i - 1;
}

/* The node after which `address` is as it shall be. */
static size_t node_made(struct graph_builder *b, const char *address)
{
	size_t i;

	if (is_instance(address))
		return graph_barrier(b, false, MADE, address, strlen(address));
	i = change_find(b, address);
	return i != GRAPH_NONE && graph_makes(&b->plan->changes[i]) ? i : GRAPH_NONE;
}

/* What earlier replacements left goes before a new one that deletes first, so nobody there can be waited for. */
static void release_left(struct graph_builder *b, size_t from, const char *address)
{
	uintptr_t left = (uintptr_t)map_get(&b->left, address);
	size_t now = change_find(b, address);

	if (left == 0 || left - 1 == from)
		return;
	if (now == GRAPH_NONE || b->plan->changes[now].action != PLAN_REPLACE || b->plan->changes[now].create_first)
		graph_edge_add(b, from, left - 1, false);
}

/* `from` lets go of `address`: what deletes that comes later, with `loose` also what deletes it to make it anew. */
static void release(struct graph_builder *b, size_t from, const char *address, bool loose)
{
	const struct plan_change *change;
	size_t i;

	if (is_instance(address)) {
		graph_edge_add(b, from, graph_barrier(b, false, UNUSED, address, strlen(address)), false);
		if (loose)
			graph_edge_add(b, from, graph_barrier(b, false, LOOSE, address, strlen(address)), false);
		return;
	}
	release_left(b, from, address);
	i = change_find(b, address);
	if (i == GRAPH_NONE)
		return;
	change = &b->plan->changes[i];
	if (graph_deletes(change) || change->create_first || (loose && !graph_may_replace(change)))
		graph_edge_add(b, from, b->removal[i], false);
}

static void edges_of_deletion(struct graph_builder *b, size_t i, size_t node, bool first)
{
	const struct plan_change *change = &b->plan->changes[i];
	const char *const *former = change->former != NULL ? change->former : change->depends;
	size_t count = change->former != NULL ? change->former_count : change->depend_count;

	for (size_t j = 0; j < count; j++)
		release(b, node, former[j], first || !among(former[j], change->depends, change->depend_count));
}

static void edges_of_making(struct graph_builder *b, size_t i)
{
	const struct plan_change *change = &b->plan->changes[i];
	bool in_place = change->action != PLAN_REPLACE;

	for (size_t j = 0; j < change->depend_count; j++) {
		graph_edge_add(b, node_made(b, change->depends[j]), i, false);
		release(b, i, change->depends[j], false);
	}
	for (size_t j = 0; j < change->former_count; j++)
		if (!among(change->former[j], change->depends, change->depend_count))
			release(b, i, change->former[j], in_place);
}

/* What an earlier replacement left shares its address, and so its intent, with the change there: never at once. A
 * record that still holds some of it is not forgotten. */
static void edges_of_deposed(struct graph_builder *b, size_t i)
{
	const char *address = b->plan->changes[i].address;
	size_t now = change_find(b, address);
	uintptr_t before = (uintptr_t)map_set(&b->deposed, address, (void *)(uintptr_t)(i + 1));

	if (before != 0)
		graph_edge_add(b, before - 1, i, true);
	if (now == GRAPH_NONE)
		return;
	if (b->plan->changes[now].action == PLAN_FORGET)
		graph_edge_add(b, i, now, false);
	else if (b->removal[now] == GRAPH_NONE || b->plan->changes[now].create_first)
		graph_edge_add(b, now, i, true);
	graph_edge_add(b, i, b->removal[now], true);
}

static void edges_of_change(struct graph_builder *b, size_t i)
{
	const struct plan_change *change = &b->plan->changes[i];
	size_t removal = b->removal[i];

	if (graph_deletes(change)) {
		/* What was left comes after the new one at its address, which may need what is made anew there. */
		edges_of_deletion(b, i, i, !change->deposed);
		if (change->deposed)
			edges_of_deposed(b, i);
	}
	if (!graph_makes(change))
		return;
	edges_of_making(b, i);
	if (removal == GRAPH_NONE)
		return;
	edges_of_deletion(b, i, removal, !change->create_first && !graph_may_replace(change));
	if (change->create_first)
		graph_edge_add(b, i, removal, false);
	else
		graph_edge_add(b, removal, i, false);
}

/* -- Instances ----------------------------------------------------------------------------------------------------- */

static void instance_open(struct graph_builder *b, const char *const *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_instance(addresses[i]))
			continue;
		graph_barrier(b, true, MADE, addresses[i], strlen(addresses[i]));
		graph_barrier(b, true, UNUSED, addresses[i], strlen(addresses[i]));
		graph_barrier(b, true, LOOSE, addresses[i], strlen(addresses[i]));
	}
}

/* Puts a change between the barriers of its own instance, where somebody asked for them. */
static void instance_join(struct graph_builder *b, size_t i)
{
	const struct plan_change *change = &b->plan->changes[i];
	size_t len = (size_t)(strrchr(change->address, '/') - change->address);

	if (graph_makes(change))
		graph_edge_add(b, i, graph_barrier(b, false, MADE, change->address, len), false);
	if (graph_deletes(change) || change->create_first)
		graph_edge_add(b, graph_barrier(b, false, UNUSED, change->address, len), b->removal[i], false);
	else if (!graph_may_replace(change))
		graph_edge_add(b, graph_barrier(b, false, LOOSE, change->address, len), b->removal[i], false);
}

/* -- Order of types within a target -------------------------------------------------------------------------------- */

/* "TYPE in ACCOUNT/REGION"; the target's part is that of the change's address. */
static size_t type_barrier(struct graph_builder *b, bool make, const char *what, const char *type,
			   const struct plan_change *change)
{
	mem_auto_str char *name = mem_printf("%s in %s/%s", type, change->account, change->region);

	return graph_barrier(b, make, what, name, strlen(name));
}

/* Opens the barriers of a type that others come after. Types say all that they come after; the order does not go on
 * through a type that has no change here, or a role that refers to a log group would wait for itself by way of keys
 * that nobody makes. */
static void type_open(struct graph_builder *b, const char *name, const struct plan_change *change)
{
	if (map_get(&b->types, name) == NULL || type_barrier(b, false, TYPED, name, change) != GRAPH_NONE)
		return;
	type_barrier(b, true, TYPED, name, change);
	type_barrier(b, true, PARTED, name, change);
}

static void type_join(struct graph_builder *b, size_t i)
{
	const struct plan_change *change = &b->plan->changes[i];
	size_t gone = change->create_first || graph_may_replace(change) ? GRAPH_NONE : b->removal[i];

	if (graph_makes(change))
		graph_edge_add_typed(b, i, type_barrier(b, false, TYPED, change->type->name, change));
	graph_edge_add_typed(b, type_barrier(b, false, PARTED, change->type->name, change), gone);
	for (size_t j = 0; j < change->type->after_count; j++) {
		const char *before = change->type->after[j];

		if (graph_makes(change))
			graph_edge_add_typed(b, type_barrier(b, false, TYPED, before, change), i);
		graph_edge_add_typed(b, gone, type_barrier(b, false, PARTED, before, change));
	}
}

/* -- All ----------------------------------------------------------------------------------------------------------- */

void graph_edges_make(struct graph_builder *b)
{
	const struct plan *plan = b->plan;

	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		instance_open(b, change->depends, change->depend_count);
		instance_open(b, change->former, change->former_count);
		for (size_t j = 0; change->type != NULL && j < change->type->after_count; j++)
			type_open(b, change->type->after[j], change);
	}
	for (size_t i = 0; i < plan->change_count; i++) {
		edges_of_change(b, i);
		instance_join(b, i);
		if (plan->changes[i].type != NULL && !plan->changes[i].deposed)
			type_join(b, i);
	}
}

/* Marks every node that some delete-first deletion comes before. */
static bool *reach_deletions(const struct graph_builder *b)
{
	bool *reached = mem_array(b->node_count + 1, sizeof reached[0]);
	size_t *stack = mem_array(b->node_count + 1, sizeof stack[0]), depth = 0;

	for (size_t i = b->plan->change_count; i < b->node_count; i++)
		if (b->nodes[i].kind == PLAN_NODE_DELETE)
			reached[stack[depth++] = i] = true;
	while (depth > 0) {
		const struct plan_node *node = &b->nodes[stack[--depth]];

		for (size_t i = 0; i < node->follower_count + node->ordered_count; i++) {
			size_t next = node->followers[i]; /* `ordered` lies right behind them */

			if (!reached[next])
				reached[stack[depth++] = next] = true;
		}
	}
	free(stack);
	return reached;
}

/* Nothing is deleted to be made anew before all is there that the new one needs, as far as that does not itself wait
 * for such a deletion. Where only a value that is not known yet decides, the value must be there in any case. */
void graph_edges_delete_first(struct graph_builder *b)
{
	size_t edges = b->edge_count;
	bool *reached = reach_deletions(b);

	for (size_t i = 0; i < b->plan->change_count; i++) {
		const struct plan_change *change = &b->plan->changes[i];
		size_t removal = b->removal[i];

		if (removal == GRAPH_NONE || b->nodes[removal].kind != PLAN_NODE_DELETE)
			continue;
		for (size_t j = 0; j < change->depend_count; j++) {
			size_t made = node_made(b, change->depends[j]);

			if (made != GRAPH_NONE && (!reached[made] || graph_may_replace(change)))
				graph_edge_add(b, made, removal, false);
		}
	}
	free(reached);
	if (b->edge_count > edges)
		graph_edges_settle(b);
}
