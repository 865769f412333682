/* What the commands that mend the state have in common. */
#ifndef MUSTER_CLI_SURGERY_H
#define MUSTER_CLI_SURGERY_H

#include <jansson.h>

#include "cli/cli.h"

/* Starts a session with the state open for writing; with `make` also where there is none yet. To be ended with
 * session_close(), also after a failure. */
int surgery_open(struct session *s, struct cli *cli, bool make);
/* Who does it, and in which commit the specs are, for the generation that comes of it. New reference; NULL with a
 * message. */
json_t *surgery_facts(struct cli *cli);
/* After the surgery: tells git of it. */
void surgery_done(struct session *s);
/* "12 resources". */
void surgery_count(struct buf *out, size_t count);

#endif
