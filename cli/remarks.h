/* What whoever approves a plan must know besides its changes: a plan carries it in notes, which are signed with it, and
 * apply finds it out again and refuses a plan that does not say it. */
#ifndef MUSTER_CLI_REMARKS_H
#define MUSTER_CLI_REMARKS_H

#include <jansson.h>

#include "apply/apply.h"
#include "cli/cli.h"

/* Whether nothing but the specs themselves says who must approve them, although approvals are in use: no generation has
 * specs yet, and these, or any version of muster.json in the history of HEAD, require some. 1, 0, or -1. */
int remarks_first_apply(const struct session *s, const struct apply_approval_rules *now, struct diag *d);
/* All of it as a list of texts (new reference): state surgery that nobody approved, the first apply, what changes in
 * the rules (`rules_words`, "" for nothing), in State and in Access. `now`: the rules in force; `settings`: the
 * muster.json that is planned, or for a rollback HEAD's. */
int remarks_list(json_t **out, const struct session *s, const struct apply_approval_rules *now, const json_t *settings,
		 const char *rules_words, struct diag *d);

#endif
