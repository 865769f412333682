/* One desired resource while it is decided what becomes of it (plan room only): decide.c, replace.c, obstacles.c. */
#ifndef MUSTER_PLAN_SUBJECT_H
#define MUSTER_PLAN_SUBJECT_H

#include "plan/make.h"

/* What is recorded of it and what is live. */
struct subject {
	struct maker *m;
	struct specs_resource *resource;
	const struct known *known; /* NULL: live as recorded, or not read */
	bool recorded;
	const char *moved_from; /* where it is recorded, if not at its address */
	struct state_record raw;
	json_t *body; /* parsed when needed */
	struct plan_record record;
	uint8_t digest[32];
	/* What comes first: the resource's own dependencies and its stack's, sorted. */
	const char **depends;
	size_t depend_count;
};

/* No action may rest on it, and none of what needs it can go on unless it is recorded already. */
void subject_set_aside(struct subject *s, enum plan_note_kind kind, const char *subject, const char *why);

/* -- replace.c ----------------------------------------------------------------------------------------------------- */

/* Makes `change`, an update so far, a replacement. `prior`: what is live, else what is recorded. */
void subject_replace(struct subject *s, struct plan_change *change, const json_t *prior);
/* What exists is taken over as it is or not at all: a replacement would delete what somebody else made. */
void subject_refuse_replacement(struct subject *s, const struct plan_diff *diff);

/* -- obstacles.c --------------------------------------------------------------------------------------------------- */

/* Parses the record. -1, and it is said, where that is of something else. */
int subject_parse(struct subject *s);
/* Whether another resource here is the same one in AWS; it is said then. */
bool subject_identity_taken(struct subject *s);
/* Whether a second record claims to be it; it is said then. */
bool subject_move_disputed(const struct subject *s);
/* Whether it has to wait, and is set aside: for what an apply that was cut off has left ... */
bool subject_move_waits(struct subject *s);
/* ... or for the deletion of what has its name. */
bool subject_name_waits(struct subject *s);

#endif
