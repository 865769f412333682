/* See surgery.h. */
#include "cli/surgery.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/facts.h"
#include "cli/notes.h"

/* Something to mend must be there: a wrong directory should not be answered with a new state. */
static int state_is_there(const struct session *s)
{
	struct stat ignored;

	if (stat(s->state_directory, &ignored) == 0)
		return 0;
	return diag_error(&s->cli->diag, "there is no state in %s; the first plan makes it", s->state_directory);
}

int surgery_open(struct session *s, struct cli *cli, bool make)
{
	session_start(s, cli);
	if (session_check_state(s) < 0 || (!make && state_is_there(s) < 0))
		return -1;
	return session_open_state(s, SESSION_STATE_WRITE);
}

json_t *surgery_facts(struct cli *cli)
{
	struct state_git git = {0};
	json_t *facts = NULL;

	if (state_git_facts(&git, cli->directory, &cli->diag) == 0) {
		facts = facts_new(cli);
		json_object_update_new(facts, json_pack("{s:s*, s:s*, s:b}", "Commit", git.commit, "Tree", git.tree,
							"Dirty", git.dirty || !git.repository));
	}
	state_git_free(&git);
	return facts;
}

void surgery_done(struct session *s)
{
	notes_write(s, 0);
}

void surgery_count(struct buf *out, size_t count)
{
	text_count(out, count, "resource");
}
