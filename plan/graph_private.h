/* What the files of the change graph share.
 *
 *   graph.c        nodes, and edges in the form that apply walks
 *   graph_edges.c  which node waits for which, and why
 *   graph_keys.c   physical identities and keys to serialize by
 */
#ifndef MUSTER_PLAN_GRAPH_PRIVATE_H
#define MUSTER_PLAN_GRAPH_PRIVATE_H

#include "base/map.h"
#include "plan/plan.h"

#define GRAPH_NONE SIZE_MAX

struct graph_edge {
	size_t from, to;
	bool ordered; /* only comes after, failure or not */
	bool typed;   /* ... because of its type: gives way to what the specs say */
};

/* A graph with the memory that its nodes point into. */
struct graph_memory {
	struct plan_graph face; /* first: plan_graph_free() gets a pointer to it */
	size_t *pool;           /* followers and ordered */
	struct map keys;        /* serialize keys, each once */
};

/* Node i is the CHANGE node of change i; all other nodes come after these. */
struct graph_builder {
	const struct plan *plan;
	struct graph_memory *memory;
	struct plan_node *nodes;
	const char **labels; /* what a barrier is for, in words; NULL for other nodes */
	size_t node_count, node_cap;
	struct graph_edge *edges;
	size_t edge_count, edge_cap;
	size_t *removal;       /* of each change: the node that deletes the old one; GRAPH_NONE */
	struct map by_address; /* change index + 1 */
	struct map left;       /* address -> index + 1 of the first change that deletes what a replacement left there */
	struct map deposed;    /* address -> ... and of the last one so far */
	struct map barriers;   /* node + 1 */
	struct map types;      /* struct schema_type of each type in the plan */
	struct map freed;      /* physical identity -> node + 1 that frees it */
};

size_t graph_node_add(struct graph_builder *b, enum plan_node_kind kind, size_t change);
/* A skip edge (`ordered` false) or an edge that only orders. GRAPH_NONE on either side: no edge. */
void graph_edge_add(struct graph_builder *b, size_t from, size_t to, bool ordered);
/* The order of types: only comes after, and gives way where the specs say otherwise. */
void graph_edge_add_typed(struct graph_builder *b, size_t from, size_t to);
/* The barrier of that name, made where there is none and `make` says so; else GRAPH_NONE. */
size_t graph_barrier(struct graph_builder *b, bool make, const char *what, const char *name, size_t name_len);
/* Turns the list of edges into each node's own. May be called again when there are more edges. */
void graph_edges_settle(struct graph_builder *b);

/* Whether the change makes or alters something (so that others may depend on it), or deletes. */
bool graph_makes(const struct plan_change *change);
bool graph_deletes(const struct plan_change *change);
/* The old one goes first, but only if a value that is not known yet turns out different. */
bool graph_may_replace(const struct plan_change *change);

/* The physical identity, under its type and place, of what a change makes or had made; NULL: none is known before it is
 * there. Free with free(). */
char *graph_identity(const struct plan_change *change, const json_t *properties, const json_t *attributes);
/* The identity that nothing has any more once the change is done, or NULL. Free with free(). */
char *graph_identity_freed(const struct plan_change *change);

void graph_edges_make(struct graph_builder *b);
/* Waits of the deletions that come first in a replacement; needs settled edges. */
void graph_edges_delete_first(struct graph_builder *b);

/* Orders what gets a physical identity after what frees it; sets serialize keys. */
void graph_keys_make(struct graph_builder *b);

#endif
