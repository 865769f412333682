/* Who does what, for the generation that comes of it. */
#ifndef MUSTER_CLI_FACTS_H
#define MUSTER_CLI_FACTS_H

#include <jansson.h>

#include "cli/cli.h"

/* {"Time", "User", "Host", "Command", "Version"}. New reference. */
json_t *facts_new(const struct cli *cli);

#endif
