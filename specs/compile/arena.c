/* Memory that is freed all at once, and the table from strings to pointers. */
#include "specs/compile/compile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* -- arena -- */

#define CHUNK_SIZE 4000

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};

void *specs_arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_chunk *chunk = arena->chunks;
	char *out;

	size = (size + align - 1) / align * align;
	if (chunk == NULL || chunk->size - chunk->used < size) {
		/* The first chunk is small: most arenas belong to one instance of which there are tens of thousands. */
		size_t room = chunk == NULL ? 480 : CHUNK_SIZE;

		if (room < size)
			room = size;
		chunk = mem_alloc(sizeof *chunk + room);
		chunk->size = room;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	out = chunk->bytes + chunk->used;
	chunk->used += size;
	return out;
}

void *specs_arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		abort();
	return specs_arena_alloc(arena, bytes);
}

char *specs_arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = specs_arena_alloc(arena, len + 1);

	memcpy(copy, s, len);
	return copy;
}

char *specs_arena_strdup(struct arena *arena, const char *s)
{
	return specs_arena_strndup(arena, s, strlen(s));
}

char *specs_arena_printf(struct arena *arena, const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	return specs_arena_strdup(arena, buf_str(&text));
}

void specs_arena_free(struct arena *arena)
{
	while (arena->chunks != NULL) {
		struct arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
}

/* -- table: open addressing, at most half full, nothing is ever taken out -- */

static size_t hash_string(const char *s)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (; *s != '\0'; s++)
		hash = (hash ^ (unsigned char)*s) * 1099511628211u;
	return (size_t)(hash ^ hash >> 32);
}

static struct table_slot *table_find(const struct table *table, const char *key)
{
	size_t i = hash_string(key) & (table->size - 1);

	while (table->slots[i].key != NULL && strcmp(table->slots[i].key, key) != 0)
		i = (i + 1) & (table->size - 1);
	return &table->slots[i];
}

static void table_grow(struct table *table)
{
	struct table bigger = {NULL, table->size ? table->size * 2 : 16, table->count};

	bigger.slots = mem_array(bigger.size, sizeof *bigger.slots);
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i].key != NULL)
			*table_find(&bigger, table->slots[i].key) = table->slots[i];
	free(table->slots);
	*table = bigger;
}

void *specs_table_get(const struct table *table, const char *key)
{
	return table->size == 0 ? NULL : table_find(table, key)->value;
}

void *specs_table_put(struct table *table, const char *key, void *value)
{
	struct table_slot *slot;

	if (table->count * 2 >= table->size)
		table_grow(table);
	slot = table_find(table, key);
	if (slot->key != NULL)
		return slot->value;
	*slot = (struct table_slot){key, value};
	table->count++;
	return NULL;
}

void specs_table_free(struct table *table)
{
	free(table->slots);
	*table = (struct table){NULL, 0, 0};
}

const char *specs_intern(struct specs *specs, const char *s)
{
	struct specs_private *p = specs->private;
	char *copy = specs_table_get(&p->strings, s);

	if (copy == NULL) {
		copy = specs_arena_strdup(&p->arena, s);
		specs_table_put(&p->strings, copy, copy);
	}
	return copy;
}
