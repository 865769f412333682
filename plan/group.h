/* Changes that are the same but for their target, as one entry each. For renderers. */
#ifndef MUSTER_PLAN_GROUP_H
#define MUSTER_PLAN_GROUP_H

#include "plan/plan.h"

/* One difference of all members of a group. */
struct plan_group_value {
	const char *path;
	/* What the members have in common; where they vary, ${AWS::AccountId}, ${AWS::Region},
	 * ${Muster::AccountName}, ${hash} and ${id} stand for each target's own. NULL: not there. */
	json_t *before, *after;
	/* Where they vary: one member's text for the first thing that varies; NULL where they do not, and where the
	 * value before this one has the same example. */
	char *example;
	bool forces_replace, may_replace, sensitive;
	bool pending; /* with --base, where the change as a whole is not */
};

struct plan_group {
	const struct plan_change *sample; /* the first member */
	struct plan_where *where;         /* of each member, in the order of the plan */
	size_t *members;                  /* indexes into plan->changes */
	size_t count, room;
	struct plan_group_value *values;
	size_t value_count;
	size_t drifted; /* members that somebody changed behind muster's back */
	char *words;    /* "336 of 340 targets, not in app-7/..." */
	char *name; /* its logical id; "Topic${each}" where it holds several, and what ${each} stands for in these */
	char **each;
	size_t each_count;
};
#define PLAN_GROUP_EACH "${each}"

struct plan_groups {
	struct plan_group **items; /* what a reader must care about most first: deletes, replacements, updates, ... */
	size_t count;
	size_t target_count; /* all targets that the specs reach or the changes touch */
	size_t touched;      /* targets with a change */
};

/* The logical id that a change's resource had before it moved, or NULL where it is not moved, or has only got another
 * account's name (which a note of the plan says once for all). */
const char *plan_group_former(const struct plan_change *change);
/* Whether all that is done is to move the record. */
bool plan_group_is_move(const struct plan_change *change);

/* Strings and JSON are owned by the groups or borrowed from the plan, which must outlive them. */
void plan_groups_make(struct plan_groups *out, const struct plan *plan);
void plan_groups_free(struct plan_groups *groups);

/* -- For the group*.c only ---- */

/* Makes one of groups that a loop made of one resource; for what plan_groups_make() has so far. */
void plan_groups_merge(struct plan_groups *groups);
/* Puts ${each} where `part`, the loop's part of a logical id, stands. New reference; NULL gives NULL. */
json_t *plan_group_without(const json_t *value, const char *part);
void plan_group_values_without(struct plan_group_value *values, size_t count, const char *part);
void plan_group_free(struct plan_group *group);
/* Says of each group where it is; and counts all targets, and those with changes. (group_where.c) */
void plan_groups_where(struct plan_groups *groups, const struct plan *plan);
void plan_groups_targets(struct plan_groups *groups, const struct plan *plan);

#endif
