/* Approvals and limits where commands meet them: plan says what a change of the rules means, apply refuses what is not
 * approved or over the limits. What is decided is in apply/approval.c and plan/limits.c. */
#ifndef MUSTER_CLI_APPROVAL_H
#define MUSTER_CLI_APPROVAL_H

#include "apply/apply.h"
#include "cli/cli.h"

/* Planning and applying in one go leaves nothing to sign: refused (-1) where approvals are required, by the rules in
 * force or by those that are planned; and where the state is empty and should not be (--first-apply). Needs the open
 * state. Changes nothing. */
int approval_check_direct(struct session *s);
/* Whether the plan (made just now, or loaded) may be applied: within its limits and, if it is loaded, approved. 0, or
 * -1 with every reason. `inputs`: the files that it was made from. *approvals (new reference) is for the generation's
 * facts. */
int approval_check(json_t **approvals, struct session *s, const struct plan *plan, const struct inputs *inputs);

/* Warns of a plan that apply will refuse for its limits, and says how to go on. */
void approval_warn_limits(struct diag *d, const struct plan *plan);

/* What apply will ask for besides the file, as far as state and specs here tell: for the word on how to go on. */
struct approval_needs {
	bool over;          /* its limits, and not overridden: it is refused */
	int64_t signatures; /* how many; 0: none */
	bool first_apply;   /* --first-apply */
};
void approval_needs(struct approval_needs *out, struct session *s, const struct plan *plan);

/* The rules that loaded specs bring along, checked: -1 when they could never be met. */
int approval_validate(struct session *s);
/* The same; and what whoever approves the plan must know (remarks.h), for the plan to say: a list of texts, new
 * reference. Needs the open state. */
int approval_remarks(json_t **out, struct session *s);

/* The rules that will count when a plan is applied here, as far as state and spec directory tell; for a warning. */
int approval_rules(struct apply_approval_rules *out, struct session *s, struct diag *d);
/* Whether, by them, NotAuthor makes a signature of that key (by its fingerprint) worthless, as far as git and the state
 * here tell; for a warning. Sets rules->commit. */
bool approval_is_author(struct session *s, struct apply_approval_rules *rules, const struct plan *plan,
			const char *key);

#endif
