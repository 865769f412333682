/* Sets of targets in words, many of them against the same whole. Private to the plan room; plan_where_words() is the
 * same for one. */
#ifndef MUSTER_PLAN_WHERE_H
#define MUSTER_PLAN_WHERE_H

#include "plan/plan.h"

struct plan_where_set;

/* The whole: `all` may hold a target more than once. Strings are borrowed as long as the set lives. */
struct plan_where_set *plan_where_set_new(const struct plan_where *all, size_t count, const char *home_region);
void plan_where_set_free(struct plan_where_set *set);
/* How many different targets the whole has. */
size_t plan_where_set_size(const struct plan_where_set *set);
/* "all 204 targets", "336 of 340 targets, not in app-7/...", "20 of 340 targets: home region of 20 accounts",
 * "app-prod/eu-west-1" when it is one. Members that are not of the whole do not count. Work is in proportion to the
 * members. */
void plan_where_set_words(struct buf *out, struct plan_where_set *set, const struct plan_where *members, size_t count);

/* 17000 as "17,000". */
void plan_count_words(struct buf *out, uint64_t count);

#endif
