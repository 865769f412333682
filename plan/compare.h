/* What compare.c, policy.c and diff*.c share: when two values mean the same. Private to the plan room. */
#ifndef MUSTER_PLAN_COMPARE_H
#define MUSTER_PLAN_COMPARE_H

#include "plan/plan.h"

/* What to do about one member of an object. */
enum plan_pairing {
	PLAN_PAIR_SKIP,    /* not ours to compare */
	PLAN_PAIR_TAKEN,   /* it was ours, is left out now, and is still there */
	PLAN_PAIR_COMPARE, /* *desired with *prior; one of them may be NULL */
};
/* Applies defaults, write-only and computed to a member. *desired and *prior are what the object has (NULL: nothing),
 * and are replaced by what to compare. */
enum plan_pairing plan_pair_member(const struct schema_member *member, bool live, const json_t **desired,
				   const json_t **prior, const json_t *recorded);

/* plan_value_equal() that knows what was recorded: for secrets, write-only members and what was ours. */
bool plan_value_same(const struct schema_value *value, const json_t *desired, const json_t *prior,
		     const json_t *recorded, bool live);
/* Two values that hold secrets: equal but for the secrets' sources, whose HMACs count instead. */
bool plan_secret_equal(const json_t *a, const json_t *b);
/* Whether a secret stands anywhere in it. */
bool plan_holds_secret(const json_t *value);
/* Two JSON documents, 1 and 1.0 being the same. */
bool plan_document_equal(const json_t *a, const json_t *b);
/* The document that `value` is or, as a string, holds. New reference, never NULL for a non-NULL value. */
json_t *plan_document_parse(const json_t *value);
/* JSON null, an empty list or an empty map says as much as nothing. */
bool plan_value_empty(const struct schema_value *value, const json_t *json);
/* How a value compares: documents may be declared by kind or by the word. */
bool plan_value_is_document(const struct schema_value *value);

/* The member of list `list` whose `key` member reads `name`, or NULL. */
const json_t *plan_keyed_find(const json_t *list, const char *key, const char *name);
/* A scalar as text ("true", "5"); false when it is none. The string is valid as long as `json` and `scratch`. */
bool plan_scalar_text(const json_t *json, char scratch[32], const char **text);
/* Tags that AWS itself puts on things, which nobody else can set or take away. */
bool plan_key_is_reserved(const char *key);

/* Policies in one spelling: new reference, or NULL when it is no policy. */
json_t *plan_policy_normal(const json_t *policy);
json_t *plan_statement_normal(const json_t *statement);

#endif
