/* Secrets at apply time (DESIGN rule 7): plans and records hold only where a secret comes from and a keyed hash. */
#ifndef MUSTER_CLI_SECRETS_H
#define MUSTER_CLI_SECRETS_H

#include "cli/cli.h"

/* Fits apply_options.secret; the payload is the session. New reference or NULL with a message. */
json_t *secrets_find(void *session, const json_t *source, const char *hmac, struct diag *d);
/* Looks up every secret that the plan holds; 0, or -1 with a message for each that is missing or another one now. */
int secrets_check(struct session *s, const struct plan *plan);

#endif
