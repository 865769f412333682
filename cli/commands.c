/* The list of commands, in the order of the help page. */
#include "cli/cli.h"

const struct command *const cli_commands[] = {
    &command_init,       &command_validate,      &command_plan,       &command_show,
    &command_approve,    &command_apply,         &command_rollback,   &command_state_list,
    &command_state_show, &command_state_history, &command_state_diff, &command_state_verify,
    &command_log,        &command_types,         &command_access,     NULL,
};
