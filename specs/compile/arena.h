/* Memory that is freed all at once, and a table from strings to pointers. Private to specs/compile. */
#ifndef MUSTER_SPECS_ARENA_H
#define MUSTER_SPECS_ARENA_H

#include <stddef.h>

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks;
};
void *specs_arena_alloc(struct arena *arena, size_t size); /* zero-filled */
void *specs_arena_array(struct arena *arena, size_t count, size_t size);
char *specs_arena_strdup(struct arena *arena, const char *s);
char *specs_arena_strndup(struct arena *arena, const char *s, size_t len);
char *specs_arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void specs_arena_free(struct arena *arena);

/* Strings to pointers. Keys are borrowed. */
struct table_slot {
	const char *key;
	void *value;
};
struct table {
	struct table_slot *slots;
	size_t size, count;
};
void specs_table_free(struct table *table);
void *specs_table_get(const struct table *table, const char *key); /* NULL: none */
/* Puts a value where there is none yet; gives the one that is there already, else NULL. `value` is not NULL. */
void *specs_table_put(struct table *table, const char *key, void *value);

#endif
