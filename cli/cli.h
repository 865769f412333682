/* What every command shares: where the specs are, what the terminal can do, the messages of the run; and a session,
 * which opens state, provider and specs in the order that they need each other. */
#ifndef MUSTER_CLI_CLI_H
#define MUSTER_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/loop.h"
#include "cli/inputs.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "plan/plan.h"
#include "providers/provider.h"
#include "specs/specs.h"
#include "state/git.h"
#include "state/state.h"

#define CLI_DONE    0
#define CLI_FAILED  1
#define CLI_CHANGES 2 /* plan --detailed-exitcode */

#ifndef MUSTER_VERSION
#define MUSTER_VERSION "0.1.0"
#endif

struct cli {
	const char *directory; /* of the specs, as the user named it */
	struct terminal terminal;
	struct diag diag;
	int argc; /* the whole command line, for the record */
	char **argv;
};

/* Prints the messages so far to stderr and forgets them. Returns `status`. */
int cli_finish(struct cli *cli, int status);

extern const struct command command_init, command_validate, command_plan, command_show, command_approve, command_apply,
    command_rollback, command_drift, command_state_list, command_state_show, command_state_history, command_state_diff,
    command_state_verify, command_state_mv, command_state_rm, command_state_import, command_state_export,
    command_state_unlock, command_log, command_types, command_access, command_completion;
/* All commands, NULL-terminated, in the order of the help page. */
extern const struct command *const cli_commands[];

/* -- Session ------------------------------------------------------------------------------------------------------ */

enum session_state { SESSION_NO_STATE, SESSION_STATE_READ, SESSION_STATE_WRITE };

struct rollback;

struct session {
	struct cli *cli;
	char *home_region; /* from muster.json, before it is checked */
	char *state_directory;
	bool settings_unreadable; /* muster.json is there, but cannot be parsed: nobody knows where the state is */
	char *lineage;            /* of muster.json, else of the state, else minted for this run */
	bool lineage_minted;
	uint8_t secret_key[32];
	bool secret_key_known;
	int64_t lock_timeout_ms; /* how long opening the state for writing waits for another writer; 0: not at all */
	bool state_busy;         /* session_read_state(): somebody was writing just before it was read */
	bool writing;            /* the state is open for writing: the lock is this process's */
	bool roster_only;        /* session_load_specs() takes settings and accounts, and no stacks */
	bool first_apply;        /* apply --first-apply: that the state is empty is meant */
	bool without_secrets;    /* what is to be done needs none (--destroy): they are not looked up */

	struct loop *loop;
	struct provider *provider;
	struct state *state;
	struct specs_source source; /* the spec directory */
	bool source_open;
	/* Where specs come from if not from the directory: a revision, a generation, a plan that was saved. The
	 * caller's, or `revision` below. */
	const struct specs_source *base;
	const struct inputs *overlay;    /* files that are read instead of those, or NULL; the caller's */
	const struct rollback *rollback; /* what this goes back to (cli/rollback.h), or NULL; the caller's */
	struct state_git_tree *tree;     /* of --at, or NULL */
	struct specs_source revision;    /* over `tree` */
	struct inputs_layers layers;     /* all of these, one over the other ... */
	struct specs_source layered;     /* ... as specs are loaded from them */
	struct inputs inputs;            /* the files that specs were made from, as far as they have been read */
	struct specs *specs;
	struct specs_parameter *parameters;
	size_t parameter_count;
};

/* Finds out what muster.json says of region, state and lineage (leniently: specs_load() checks it). Zeroes `s`. Every
 * session is ended with session_close(), also after a failure of a step. */
void session_start(struct session *s, struct cli *cli);
/* -1 with what is wrong where muster.json does not tell which state is meant. Whoever uses `state_directory` without
 * session_open_state() asks this first. */
int session_check_state(struct session *s);
/* Specs, home region and lineage are those of `revision`; where the state is stays with the muster.json of the work
 * tree, which must be readable. Before the provider is opened. NULL: the work tree, nothing is done. */
int session_at(struct session *s, const char *revision);
/* Gives a parameter a value before the command line does. `value` must outlive the session. */
void session_parameter(struct session *s, const char *name, size_t len, const char *value);
/* For writing it waits up to s->lock_timeout_ms for another writer, and says on stderr that it does and for whom. */
int session_open_state(struct session *s, enum session_state mode);
/* Lets `look` read the state in one transaction, in a session of its own; with `types` the provider is open too, for
 * schemas. A state that is not there yet reads as empty, and a note says so. What `look` returns, or -1. */
typedef int session_look(struct session *s, struct state_txn *txn, void *payload);
int session_read_state(struct cli *cli, bool types, session_look *look, void *payload);
/* Makes the state of a first plan where there is none yet; the state is open for reading, before and after. */
int session_prepare_state(struct session *s);
int session_open_provider(struct session *s);
/* Loads the specs; needs the provider (types), and the state where it is open (lineage, secrets). The files that they
 * are made from are remembered in `inputs`, those too that are read later. */
int session_load_specs(struct session *s, const struct option_list *parameters);
/* Gives the session a fresh lineage. */
void session_mint_lineage(struct session *s);
void session_close(struct session *s);
/* --parameter values that are no secrets, as JSON, new reference. */
json_t *session_parameters(const struct session *s);

/* -- One line that says what is going on, on a terminal only --------------------------------------------------------
 */

struct status {
	bool shown, enabled;
	int64_t last_ms;
};
void status_start(struct status *status, const struct cli *cli);
/* Fits plan_options.progress. */
void status_show(void *status, const char *what, size_t done, size_t total);
void status_end(struct status *status);

/* -- Planning, shared by plan and apply ------------------------------------------------------------------------------
 */

struct planning {
	bool refresh, destroy;
	const char *only;
	const char *base; /* a revision, or NULL */
	struct option_list parameters, adopt, accept_drift;
	bool override_limits;
};
/* Makes a plan in an open session. */
int planning_run(struct plan **out, struct session *s, const struct planning *planning);
/* What becomes of a plan that was made: plan and rollback have the same options for it. */
struct planning_output {
	const char *out, *format;
	bool json, detailed_exitcode;
};
extern const char *const planning_formats[]; /* choices of --format, NULL-terminated */
/* Saves and shows it, and says how to go on. Needs the open state. The exit status. */
int planning_show(struct session *s, struct plan *plan, const struct planning_output *output);
/* The whole plan to stdout: 0, or -1 with a message when stdout takes it not. */
int planning_print(struct cli *cli, const struct plan *plan);

#endif
