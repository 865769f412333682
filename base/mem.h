/* Allocation that cannot return NULL, for every room.
 * Running out of memory ends the process with a message: the state is durable at every instant (intents before
 * calls, results after), so dying is safe and simpler than unwinding. Not for sizes that come from outside: bound
 * those first. */
#ifndef MUSTER_BASE_MEM_H
#define MUSTER_BASE_MEM_H

#include <stddef.h>

/* Zero-filled block of `size` bytes. The caller frees it with free(). */
void *mem_alloc(size_t size);
/* Zero-filled array of `count` items; an overflow of the product ends the process like running out of memory. */
void *mem_array(size_t count, size_t size);
/* realloc() that cannot fail; what grows is NOT zeroed. `count * size` is checked for overflow. */
void *mem_resize(void *ptr, size_t count, size_t size);
/* Copy of a NUL-terminated string (NULL gives NULL), or of `len` bytes with a NUL added. Free with free(). */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len);
/* printf into a fresh string. Free with free(). */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Overwrites `size` bytes in a way that the compiler may not remove, for keys and secrets. */
void mem_wipe(void *ptr, size_t size);

/* Frees a char * variable when it goes out of scope: `mem_auto_str char *name = ...`. */
void mem_free_str(char **ptr);
#define mem_auto_str __attribute__((cleanup(mem_free_str)))

#endif
