/* Small things done to text: matching, nearest names, encodings, hashes. */
#ifndef MUSTER_BASE_TEXT_H
#define MUSTER_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Shell-like match of the whole of `s`: `*` any run (also of '/'), `?` one byte. No brackets. Linear time in practice
 * (backtracks only to the last star). */
bool text_glob(const char *pattern, const char *s);
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);

/* The candidate nearest to `word` by Damerau-Levenshtein distance without regard to case, or NULL when none is near
 * enough to be meant (more than a third of the longer one differs). Returned pointer is one of `candidates`. */
const char *text_nearest(const char *word, const char *const *candidates, size_t count);

/* RFC 4648 base64 with padding. Adds to `out`. */
void text_base64(struct buf *out, const void *bytes, size_t len);
/* Decodes; returns 0, or -1 when `s` is not base64. */
int text_base64_decode(struct buf *out, const char *s, size_t len);
/* Lower-case hex of `bytes`; `out` holds 2 * len + 1 chars. */
void text_hex(char *out, const uint8_t *bytes, size_t len);
int text_hex_decode(uint8_t *out, size_t len, const char *hex); /* exactly 2 * len digits, else -1 */
/* RFC 3986 percent-encoding of all but unreserved characters (and '/' when keep_slash). */
void text_uri_encode(struct buf *out, const char *s, size_t len, bool keep_slash);

/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), through OpenSSL. */
void text_sha256(uint8_t out[32], const void *bytes, size_t len);
void text_hmac_sha256(uint8_t out[32], const void *key, size_t key_len, const void *bytes, size_t len);

/* "1 account", "12 accounts": count and noun; plural adds "s" ("y" -> "ies"). */
void text_count(struct buf *out, size_t count, const char *noun);

/* `text` so that it is safe to show on one line, and no two texts that differ look the same: what is not seen, moves a
 * cursor or turns the direction of text (controls, line ends, spaces other than the space, format characters, ignorable
 * and private ones, noncharacters) as "\u{200B}", a byte that is no UTF-8 as "\x{FF}"; but four spaces for a tab. */
void text_clean(struct buf *out, const char *text, size_t len);
/* Whether nothing in it is one of those. */
bool text_is_clean(const char *text);

/* Milliseconds since 1970 as "2026-11-23T12:34:56Z"; `out` holds at least 21 chars. */
void text_time(char *out, size_t size, int64_t unix_ms);
/* Parses RFC 3339 (with Z, +hh:mm, optional fraction). 0, or -1 when it is not one. */
int text_time_parse(int64_t *unix_ms, const char *s);

/* Parses a length of time: a number from 1 on and a unit, "90m", "24h", "7d" (s, m, h, d), at most ten years. 0, or -1
 * when it is none. */
int text_duration_parse(int64_t *ms, const char *s);

/* Reads a whole file of at most `max` bytes. 0, or a negative errno (-EFBIG over `max`). */
int text_file_read(struct buf *out, const char *path, size_t max);
/* Replaces a file so that a reader sees the old or the new bytes, never a part: writes beside it, fsyncs, renames,
 * fsyncs the directory. `mode` as in open(2). 0 or a negative errno. */
int text_file_write(const char *path, const void *bytes, size_t len, unsigned mode);

/* The same piece by piece, so that no one has to hold all of it. What went wrong is told by text_file_finish(); then,
 * and after text_file_drop(), nothing is left of it and `path` is as it was. One of the two must follow a start, also
 * one that failed. */
struct text_file {
	char *path, *temporary;
	int fd;
	int result; /* 0, or the first negative errno */
	size_t len; /* bytes added so far */
	struct buf pending;
};
int text_file_start(struct text_file *file, const char *path, unsigned mode);
void text_file_add(struct text_file *file, const void *bytes, size_t len);
int text_file_finish(struct text_file *file); /* 0 or a negative errno */
void text_file_drop(struct text_file *file);

#endif
