/* A hash map from strings to pointers, for tables that grow to hundreds of thousands of addresses. Keys are copied;
 * values are the caller's. Order of iteration is order of insertion (a removed key leaves no trace). */
#ifndef MUSTER_BASE_MAP_H
#define MUSTER_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	char *key; /* NULL: removed */
	void *value;
	uint64_t hash;
};

struct map {
	struct map_entry *entries;
	size_t count; /* entries in use or removed; iterate up to here and pass over NULL keys */
	size_t live;  /* entries in use */
	size_t room;
	uint32_t *slots; /* index + 1 into entries; 0: empty */
	size_t slot_count;
};

#define MAP_INIT                                                                                                       \
	{                                                                                                              \
		0                                                                                                      \
	}

/* Frees the table and its keys; with `free_value` each value too. The map is empty and usable again. */
void map_free(struct map *map, void (*free_value)(void *value));
/* The value, or NULL when there is none (or it is NULL: then map_has() tells). */
void *map_get(const struct map *map, const char *key);
bool map_has(const struct map *map, const char *key);
/* Sets a value and returns the one before, or NULL. */
void *map_set(struct map *map, const char *key, void *value);
/* Takes a key out and returns its value, or NULL. */
void *map_remove(struct map *map, const char *key);

#endif
