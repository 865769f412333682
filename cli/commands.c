/* The list of commands, in the order of the help page. */
#include "cli/cli.h"

const struct command *const cli_commands[] = {
    &command_init,
    &command_validate,
    &command_plan,
    &command_show,
    &command_approve,
    &command_apply,
    &command_rollback,
    &command_drift,
    &command_state_list,
    &command_state_show,
    &command_state_history,
    &command_state_diff,
    &command_state_verify,
    &command_state_mv,
    &command_state_rm,
    &command_state_import,
    &command_state_export,
    &command_state_unlock,
    &command_log,
    &command_types,
    &command_access,
    &command_completion,
    NULL,
};
