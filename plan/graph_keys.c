/* What the change graph knows of names: a create that gets the physical identity of something deleted in the same
 * plan comes after that; actions with one serialize key never run at once. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/graph_private.h"

static struct schema_place place_of(const struct plan_change *change)
{
	const char *partition = specs_partition_of(change->region);

	return (struct schema_place){change->account_id, change->region, partition, specs_url_suffix(partition)};
}

/* Begins a key with the place within which its rest is unique. */
static char *key_in_scope(const struct plan_change *change, const char *what, const char *text)
{
	switch (change->type->scope) {
	case SCHEMA_REGIONAL:
		return mem_printf("%s|%s|%s|%s", change->account_id, change->region, what, text);
	case SCHEMA_ACCOUNT:
		return mem_printf("%s||%s|%s", change->account_id, what, text);
	case SCHEMA_GLOBAL:
		break;
	}
	return mem_printf("||%s|%s", what, text);
}

/* -- Physical identities ------------------------------------------------------------------------------------------- */

char *graph_identity(const struct plan_change *change, const json_t *properties, const json_t *attributes)
{
	struct schema_place place = place_of(change);
	mem_auto_str char *text = NULL;

	if (change->type->singleton)
		return key_in_scope(change, change->type->name, "");
	if (change->type->identity == NULL || properties == NULL ||
	    schema_template_fill(&text, change->type->identity, properties, attributes, &place) != 1)
		return NULL;
	return key_in_scope(change, change->type->name, text);
}

static const json_t *old_properties(const struct plan_change *change)
{
	return change->recorded != NULL ? change->recorded : change->before;
}

char *graph_identity_freed(const struct plan_change *change)
{
	bool frees = change->action == PLAN_DELETE || (change->action == PLAN_REPLACE && !change->retain_old);

	if (!frees || change->type == NULL || change->deposed)
		return NULL;
	return graph_identity(change, old_properties(change), change->attributes);
}

static void identity_free(struct graph_builder *b, size_t i)
{
	const struct plan_change *change = &b->plan->changes[i];
	mem_auto_str char *key = NULL;

	if (b->removal[i] == GRAPH_NONE || change->type == NULL || change->deposed)
		return;
	key = graph_identity(change, old_properties(change), change->attributes);
	if (key != NULL)
		map_set(&b->freed, key, (void *)(uintptr_t)(b->removal[i] + 1));
}

static void identity_take(struct graph_builder *b, size_t i)
{
	const struct plan_change *change = &b->plan->changes[i];
	mem_auto_str char *key = NULL;
	uintptr_t freed;

	if (change->type == NULL || (change->action != PLAN_CREATE && change->action != PLAN_REPLACE))
		return;
	key = graph_identity(change, change->after, NULL);
	freed = key != NULL ? (uintptr_t)map_get(&b->freed, key) : 0;
	if (freed == 0)
		return;
	/* Its own old one: a deletion before it comes first anyway, one after it frees another name than it takes. */
	if (freed - 1 == b->removal[i] && change->create_first)
		return;
	b->nodes[i].takes_over = true;
	if (freed - 1 != b->removal[i])
		graph_edge_add(b, freed - 1, i, false);
}

/* -- Serialize keys ------------------------------------------------------------------------------------------------ */

static const char *key_keep(struct graph_builder *b, const char *key)
{
	char *kept = map_get(&b->memory->keys, key);

	if (kept != NULL)
		return kept;
	map_set(&b->memory->keys, key, NULL);
	kept = b->memory->keys.entries[b->memory->keys.count - 1].key;
	map_set(&b->memory->keys, key, kept);
	return kept;
}

/* A key that holds a value not known yet is taken to be the same as all others of its kind in that target. */
static const char *serialize(struct graph_builder *b, const struct plan_change *change, const json_t *properties)
{
	struct schema_place place = place_of(change);
	mem_auto_str char *text = NULL, *key = NULL;

	if (properties == NULL ||
	    schema_template_fill(&text, change->type->serialize, properties, change->attributes, &place) != 1)
		key = mem_printf("%s|%s|?|%s", change->account_id, change->region, change->type->serialize);
	else
		key = key_in_scope(change, "", text);
	return key_keep(b, key);
}

static void serialize_change(struct graph_builder *b, size_t i)
{
	const struct plan_change *change = &b->plan->changes[i];

	if (change->type == NULL || change->type->serialize == NULL || change->action == PLAN_FORGET)
		return;
	b->nodes[i].serialize = serialize(b, change, change->after != NULL ? change->after : old_properties(change));
	if (b->removal[i] != GRAPH_NONE)
		b->nodes[b->removal[i]].serialize = serialize(b, change, old_properties(change));
}

void graph_keys_make(struct graph_builder *b)
{
	for (size_t i = 0; i < b->plan->change_count; i++)
		identity_free(b, i);
	for (size_t i = 0; i < b->plan->change_count; i++) {
		identity_take(b, i);
		serialize_change(b, i);
	}
}
