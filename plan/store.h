/* Making a plan piece by piece: memory that lives as long as the plan. For plan_make() and plan_file_read(). */
#ifndef MUSTER_PLAN_STORE_H
#define MUSTER_PLAN_STORE_H

#include "plan/plan.h"

/* An empty plan, to be freed with plan_free(). */
struct plan *plan_new(void);
/* A copy of `s` that lives as long as the plan (NULL gives NULL). */
const char *plan_keep(struct plan *plan, const char *s);
/* A zeroed array that lives as long as the plan, for `depends` and the like. */
void *plan_keep_array(struct plan *plan, size_t count, size_t size);
/* A new zeroed change, note or account at the end. Valid until the next one of its kind is added. The plan releases
 * their JSON references and diffs. */
struct plan_change *plan_change_add(struct plan *plan);
struct plan_note *plan_note_add(struct plan *plan, enum plan_note_kind kind, const char *account, const char *region,
				const char *subject, const char *text);
/* Of `address`, which must have three parts (NULL, if not), to be filled. */
struct plan_output *plan_output_add(struct plan *plan, const char *address, const char *name);
/* In their order. */
void plan_outputs_sort(struct plan *plan);
/* Frees what it holds and zeroes it: one without an address is none. */
void plan_output_drop(struct plan_output *output);
struct plan_account *plan_account_add(struct plan *plan, const char *name, const char *id, json_t *access,
				      json_t *regions);
/* Frees what a change holds and zeroes it: one without an address is none. */
void plan_change_drop(struct plan_change *change);
/* Fills account, region, stack and logical_id out of an address. 0, or -1 when it has not four parts. */
int plan_change_address(struct plan *plan, struct plan_change *change, const char *address);

#endif
