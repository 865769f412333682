/* What the files that write and read plan files share. */
#ifndef MUSTER_PLAN_FILE_PRIVATE_H
#define MUSTER_PLAN_FILE_PRIVATE_H

#include "plan/store.h"

/* Of the "muster" object. A higher one was written by a newer muster and is refused. */
#define PLAN_FILE_VERSION 1
/* Of Terraform's format that the rest is in. */
#define PLAN_FILE_FORMAT "1.2"
#define PLAN_FILE_BYTES  ((size_t)512 << 20)

/* -- file_mark.c: values as Terraform shows them ---- */

/* `value` without the parts that are not known yet: left out of objects, null in lists. New reference, NULL when all
 * of it is unknown. Each part goes to the list `unknown` as {"path": [...], "value": residual}; *marks becomes the
 * same structure with true for them (NULL: nothing is unknown). */
json_t *plan_file_known(const json_t *value, json_t *unknown, json_t **marks);
/* Puts them back. 0, or -1 when a path leads nowhere. */
int plan_file_restore(json_t **value, const json_t *unknown);
/* The structure of `value` with true for what is sensitive. New reference, NULL: nothing is. */
json_t *plan_file_sensitive(const struct schema_value *schema, const json_t *value);
/* `value` with {"Muster::Secret": {}} for what is sensitive and stands there in clear. New reference. */
json_t *plan_file_hidden(const struct schema_value *schema, const json_t *value);
/* `live`, as the service gave it, with {"Muster::Secret": {}} where `desired` or `recorded` (NULL: nothing) have a
 * secret. New reference, NULL when live is. */
json_t *plan_file_masked(const struct schema_value *schema, const json_t *live, const json_t *desired,
			 const json_t *recorded);
/* "Tags[Owner].Value" as ["Tags", "Owner", "Value"]. */
json_t *plan_file_path(const char *path);

/* What a change is called in muster.changes. `deposed`: which of those that replacements left, or NULL. */
void plan_file_change_key(struct buf *out, const char *address, const char *deposed);

/* One change as it stands in resource_changes[] and in muster.changes. `deposed` as above; new references. */
void plan_file_change(const struct plan *plan, const struct plan_change *change, const char *deposed, json_t **theirs,
		      json_t **ours);
/* The document without its changes and its digest. New reference. */
json_t *plan_file_frame(const struct plan *plan);

/* -- file_diff.c ---- */

/* Whether a change has differences: it makes, alters or takes over something. */
bool plan_file_compares(const struct plan_change *change);
/* The differences of a change, made from its values as they stand in the file: `before` and `recorded` (may be NULL),
 * without secrets. Empty where its type is not known. Free with plan_diff_free(). */
void plan_file_diff(struct plan_diff *out, const struct plan *plan, const struct plan_change *change,
		    const json_t *before, const json_t *recorded);
/* Marks those as `pending` that are so in `from`. */
void plan_file_diff_pending(struct plan_diff *diff, const struct plan_diff *from);
/* What was to be expected of a change by its differences and is not so (action, reason, record_only); NULL: nothing. */
const char *plan_file_diff_doubt(const struct plan_change *change);

/* -- file_write.c ---- */

/* `differences` as they stand in the file; NULL where there are none. New reference. */
json_t *plan_file_differences(const struct plan_change *change);

/* -- file_outputs.c ---- */

/* `output_changes` and muster.outputs; NULL where nothing is to stand there. */
void plan_file_outputs(const struct plan *plan, json_t **theirs, json_t **ours);
/* The plan's outputs out of muster.outputs (may be NULL): 0, or -1 and in *what what is wrong with the one at *at. */
int plan_file_outputs_read(struct plan *plan, const json_t *ours, const char **at, const char **what);

/* -- file_read.c ---- */

/* A plan out of a document whose digest has been checked. `file` is for messages. */
int plan_from_json(struct plan **out, const char *file, const json_t *root, const struct schema_set *schemas,
		   struct diag *d);

/* The list of signatures, if it is one (new reference; NULL where there is none): 0 or -1. (signatures.c) */
int plan_file_signatures(json_t **out, const json_t *signatures);

/* Words for notes and deletions in the file, in the order of their enums. */
extern const char *const plan_note_words[PLAN_NOTE_OTHER + 1];
extern const char *const plan_deletion_words[SPECS_DELETION_UNSET + 1];

#endif
