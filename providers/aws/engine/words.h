/* What the words*.c files share. */
#ifndef MUSTER_PROVIDERS_AWS_WORDS_H
#define MUSTER_PROVIDERS_AWS_WORDS_H

#include "providers/aws/engine/engine.h"

/* Argument `i` of a word, evaluated: new reference or NULL. */
json_t *engine_argument(const struct engine_scope *scope, const json_t *arguments, size_t i);
/* A literal string among the arguments, such as a member's name. */
const char *engine_literal(const json_t *arguments, size_t i, const char *otherwise);

typedef json_t *engine_word_call(const struct engine_scope *scope, const json_t *arguments);
/* words_list.c */
engine_word_call engine_word_get, engine_word_map, engine_word_filter, engine_word_pick, engine_word_pairs,
    engine_word_object, engine_word_minus, engine_word_concat, engine_word_merge, engine_word_user_tags;
/* words_property.c */
engine_word_call engine_word_changed, engine_word_or_clear, engine_word_spelled, engine_word_only;
/* words_zip.c */
engine_word_call engine_word_zip;

#endif
