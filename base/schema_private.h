/* What the files of base/schema*.c share: reading a type file's JSON with messages. */
#ifndef MUSTER_BASE_SCHEMA_PRIVATE_H
#define MUSTER_BASE_SCHEMA_PRIVATE_H

#include "base/json.h"
#include "base/schema.h"

/* Where messages go. A wrong file is read to its end, so that all that is wrong with it is said. */
struct schema_reader {
	const char *file;
	struct diag *diag;
	bool failed;
};

void schema_reader_error(struct schema_reader *r, const struct json_path *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* False (with a message) when `object` is no object. Keys that are not among `words` (NULL: any) are messages too,
 * but not the end. */
bool schema_reader_object(struct schema_reader *r, const struct json_path *path, const json_t *object,
			  const char *const *words);
/* A member of the kind named, or (with a message when it is of another kind) NULL, false, `otherwise`, NAN. */
const char *schema_reader_string(struct schema_reader *r, const struct json_path *path, const json_t *object,
				 const char *key);
bool schema_reader_bool(struct schema_reader *r, const struct json_path *path, const json_t *object, const char *key);
int64_t schema_reader_size(struct schema_reader *r, const struct json_path *path, const json_t *object, const char *key,
			   int64_t otherwise);
double schema_reader_number(struct schema_reader *r, const struct json_path *path, const json_t *object,
			    const char *key);
/* A word out of a NULL-terminated list, as its index; `otherwise` when left out or wrong. */
int schema_reader_choice(struct schema_reader *r, const struct json_path *path, const json_t *object, const char *key,
			 const char *const *words, int otherwise);
/* A list of strings; the strings are borrowed, the array is to be freed with free(). */
const char **schema_reader_strings(struct schema_reader *r, const struct json_path *path, const json_t *object,
				   const char *key, size_t *count);

/* The "Properties" object at `path` into out->members. */
void schema_members_read(struct schema_reader *r, const struct json_path *path, const json_t *object,
			 struct schema_value *out);
void schema_value_defaults(struct schema_value *out);
void schema_value_free(struct schema_value *value); /* what it points to, not itself */

/* Every name in a template must be a property, an attribute or a pseudo parameter. NULL is fine. */
void schema_template_check(struct schema_reader *r, const struct json_path *path, const struct schema_type *type,
			   const char *template);

#endif
