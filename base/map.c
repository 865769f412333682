/* See map.h. Open addressing with linear probing over an array of entries; FNV-1a with a final mix. Keys are names
 * out of the user's own files, so no keyed hash is needed. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t hash_of(const char *key)
{
	uint64_t hash = 14695981039346656037u;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 1099511628211u;
	hash ^= hash >> 32;
	return hash * 0x9e3779b97f4a7c15u;
}

void map_free(struct map *map, void (*free_value)(void *value))
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->entries[i].key != NULL && free_value != NULL)
			free_value(map->entries[i].value);
		free(map->entries[i].key);
	}
	free(map->entries);
	free(map->slots);
	*map = (struct map)MAP_INIT;
}

static struct map_entry *find(const struct map *map, const char *key, uint64_t hash)
{
	if (map->slot_count == 0)
		return NULL;
	for (size_t slot = hash & (map->slot_count - 1);; slot = (slot + 1) & (map->slot_count - 1)) {
		struct map_entry *entry;

		if (map->slots[slot] == 0)
			return NULL;
		entry = &map->entries[map->slots[slot] - 1];
		if (entry->key != NULL && entry->hash == hash && strcmp(entry->key, key) == 0)
			return entry;
	}
}

void *map_get(const struct map *map, const char *key)
{
	struct map_entry *entry = find(map, key, hash_of(key));

	return entry == NULL ? NULL : entry->value;
}

bool map_has(const struct map *map, const char *key)
{
	return find(map, key, hash_of(key)) != NULL;
}

static void slot_in(struct map *map, size_t index)
{
	size_t slot = map->entries[index].hash & (map->slot_count - 1);

	while (map->slots[slot] != 0)
		slot = (slot + 1) & (map->slot_count - 1);
	map->slots[slot] = (uint32_t)index + 1;
}

/* Rebuilds the table at no more than half full, without the removed entries. */
static void grow(struct map *map)
{
	size_t kept = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->entries[i].key != NULL)
			map->entries[kept++] = map->entries[i];
	map->count = kept;
	map->slot_count = 16;
	while (map->slot_count < 4 * (kept + 1))
		map->slot_count *= 2;
	free(map->slots);
	map->slots = mem_array(map->slot_count, sizeof *map->slots);
	for (size_t i = 0; i < kept; i++)
		slot_in(map, i);
}

void *map_set(struct map *map, const char *key, void *value)
{
	uint64_t hash = hash_of(key);
	struct map_entry *entry = find(map, key, hash);

	if (entry != NULL) {
		void *before = entry->value;

		entry->value = value;
		return before;
	}
	if (2 * (map->count + 1) > map->slot_count)
		grow(map);
	if (map->count == map->room) {
		map->room = map->room == 0 ? 16 : 2 * map->room;
		map->entries = mem_resize(map->entries, map->room, sizeof *map->entries);
	}
	map->entries[map->count] = (struct map_entry){mem_strdup(key), value, hash};
	map->live++;
	slot_in(map, map->count++);
	return NULL;
}

void *map_remove(struct map *map, const char *key)
{
	struct map_entry *entry = find(map, key, hash_of(key));

	if (entry == NULL)
		return NULL;
	free(entry->key);
	entry->key = NULL;
	map->live--;
	return entry->value;
}
