/* A growable byte string. `data` is always NUL-terminated once anything was added (or NULL while empty), so it can
 * be handed to C functions; `len` does not count that NUL. */
#ifndef MUSTER_BASE_BUF_H
#define MUSTER_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len, cap;
};

#define BUF_INIT                                                                                                       \
	{                                                                                                              \
		NULL, 0, 0                                                                                             \
	}
/* Frees the buffer when it goes out of scope: `buf_auto struct buf b = BUF_INIT;` */
#define buf_auto __attribute__((cleanup(buf_free)))

void buf_free(struct buf *b);  /* frees the bytes; the buffer is empty and usable again */
void buf_clear(struct buf *b); /* len = 0, keeps the memory */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *format, va_list args);
/* Shortens to `len` bytes (no effect when it is shorter already). */
void buf_truncate(struct buf *b, size_t len);
/* The text, never NULL ("" while empty). Valid until the next change of the buffer. */
const char *buf_str(const struct buf *b);
/* Gives the bytes away: the caller frees them with free(); the buffer is empty afterwards. Never NULL. */
char *buf_detach(struct buf *b);

#endif
