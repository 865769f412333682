/* What the files that read plans share (plan room only): readers of one member each. They borrow what they give from
 * the JSON, and never give up: what is wrong is said, and something harmless is given. */
#ifndef MUSTER_PLAN_FILE_READER_H
#define MUSTER_PLAN_FILE_READER_H

#include "base/map.h"
#include "plan/store.h"

/* Messages go to `diag`; reading goes on to the end of the part, and fails. */
struct plan_reader {
	const char *file;
	struct diag *diag;
	struct plan *plan;
	const struct schema_set *schemas;
	const char *at; /* address or part being read */
	bool failed;
	struct map read; /* keys of the changes that were read */
};

void plan_reader_wrong(struct plan_reader *r, const char *key, const char *expected);
/* "" where a required one is missing, NULL where another one is. */
const char *plan_read_text(struct plan_reader *r, const json_t *object, const char *key, bool required);
int64_t plan_read_count(struct plan_reader *r, const json_t *object, const char *key);
bool plan_read_flag(struct plan_reader *r, const json_t *object, const char *key);
/* NULL when left out or JSON null. */
json_t *plan_read_object(struct plan_reader *r, const json_t *object, const char *key, bool required);
json_t *plan_read_list(struct plan_reader *r, const json_t *object, const char *key, bool required);
/* Kept by the plan. */
const char **plan_read_strings(struct plan_reader *r, const json_t *object, const char *key, bool required,
			       size_t *count);
/* A word out of `words`, as its index. */
int plan_read_word(struct plan_reader *r, const json_t *object, const char *key, const char *const *words, int count);

/* Whether a secret says where it is had from; with `wanted` false it need say no more than that it is one. */
void plan_check_secret(struct plan_reader *r, const json_t *secret, bool wanted);
/* ... and all that are in a value. */
void plan_check_secrets(struct plan_reader *r, const json_t *value, bool wanted);

/* All of resource_changes and muster.changes. (file_read_changes.c) */
void plan_read_changes(struct plan_reader *r, const json_t *root, const json_t *muster);

#endif
