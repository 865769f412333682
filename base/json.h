/* JSON on top of jansson: documents that remember where things stand, canonical form, digests, short accessors.
 * Values are json_t; whoever holds a reference releases it (json_auto_t does so at the end of a scope). */
#ifndef MUSTER_BASE_JSON_H
#define MUSTER_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"

/* A path from the root of a document to a value, as a chain of stack frames: each level of a walk adds one link.
 * `key` for a member, NULL for a list item at `index`. */
struct json_path {
	const struct json_path *up; /* NULL at the root */
	const char *key;
	size_t index;
};
#define JSON_PATH_KEY(parent, name) (&(const struct json_path){(parent), (name), 0})
#define JSON_PATH_ITEM(parent, i)   (&(const struct json_path){(parent), NULL, (i)})

/* "Resources.Trail.Tags[2]"; nothing for the root. */
void json_path_print(struct buf *out, const struct json_path *path);

/* A parsed file with its text, from which the place of any value is found when a message needs it. */
struct json_doc {
	char *file; /* for messages */
	char *text;
	size_t len;
	json_t *root;
};

/* Bytes and depth that a document may have. */
#define JSON_DOC_MAX_BYTES (8u << 20)
#define JSON_DOC_MAX_DEPTH 200

/* Parses `text` (copied). Errors (bad syntax, each duplicate key, over the limits) are added with line and column.
 * On success *out must be freed with json_doc_free(). Returns 0 or -1. */
int json_doc_parse(struct json_doc **out, const char *file, const char *text, size_t len, struct diag *d);
/* Reads and parses; `shown` names the file in messages (NULL: `path`). */
int json_doc_load(struct json_doc **out, const char *path, const char *shown, struct diag *d);
void json_doc_free(struct json_doc *doc);

/* Finds line and column (from 1) of the value at `path`; of the member's KEY when `at_key`. Falls back to the nearest
 * ancestor that exists. Scans the text: linear, for messages only. */
void json_doc_locate(const struct json_doc *doc, const struct json_path *path, bool at_key, int *line, int *column);

/* Adds a message at `path` of `doc` (`doc` may be NULL: no place). */
void json_doc_error(const struct json_doc *doc, const struct json_path *path, bool at_key, struct diag *d,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));
void json_doc_warning(const struct json_doc *doc, const struct json_path *path, struct diag *d, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The one spelling of a value: keys sorted, no spaces. What digests are taken over. */
void json_canonical(struct buf *out, const json_t *value);
/* SHA-256 of the canonical form. */
void json_digest(uint8_t out[32], const json_t *value);

/* String member `key`, or NULL if there is none or it is no string. Borrowed from `object`. */
const char *json_get_string(const json_t *object, const char *key);
/* Integer / boolean member, or `otherwise`. */
int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise);
bool json_get_bool(const json_t *object, const char *key, bool otherwise);
/* Adds `item` to the list member `key`, making the list where there is none. Steals `item`. */
void json_push(json_t *object, const char *key, json_t *item);
/* "string", "number", "object", ... for messages. */
const char *json_kind_name(const json_t *value);

#endif
