/* An empty state that meets a fleet: another state has made it, and plans belong to that one. */
#include "plan/make.h"

#include <stdlib.h>

#include "base/mem.h"

void maker_lost_start(struct maker *m)
{
	free(m->lost.named);
	m->lost = (struct maker_lost){0};
}

void maker_lost_met(struct maker *m, const struct specs_resource *resource, bool allowed)
{
	m->lost.met++;
	if (!allowed)
		m->lost.refused++;
	if (!resource->name_generated)
		return;
	m->lost.ours++;
	if (!allowed)
		m->lost.ours_refused++;
	if (m->lost.named == NULL)
		m->lost.named = mem_strdup(resource->address);
}

bool maker_lost_refuses(const struct maker *m)
{
	return m->state_empty && m->lost.ours_refused > 0;
}

/* A name that this lineage generates proves that a state of this lineage was here. */
static void tell_ours(struct maker *m, enum diag_level level, const char *todo)
{
	mem_auto_str char *others = mem_strdup("");

	if (m->lost.met > m->lost.ours) {
		free(others);
		others = mem_printf(", and %zu more that would be created exist%s, too", m->lost.met - m->lost.ours,
				    m->lost.met - m->lost.ours == 1 ? "s" : "");
	}
	diag_at(m->d, level, NULL,
		"the state is empty, but resources of this lineage exist in AWS (%zu of them with names generated for "
		"it, e.g. %s%s): another state has made them, which is lost or elsewhere; bring it back from a backup, "
		"or take it in with muster state import EXPORT.json; %s",
		m->lost.ours, m->lost.named, others, todo);
}

void maker_lost_tell(struct maker *m, bool refused)
{
	if (!m->state_empty || m->lenient || m->lost.told)
		return;
	m->lost.told = refused || m->lost.ours > 0;
	if (maker_lost_refuses(m))
		tell_ours(m, DIAG_ERROR,
			  "only where neither is to be had, --adopt '*' takes over all that is found, as resources "
			  "that somebody else made");
	else if (m->lost.ours > 0)
		tell_ours(m, DIAG_WARNING,
			  "what is adopted instead counts as made by somebody else, and what has no name to be found "
			  "by is made a second time");
	else if (refused && m->lost.refused > 0 && m->lost.met > m->lost.created)
		diag_note(m->d,
			  "the state is empty, and %zu of the %zu resources that it would create exist already: if "
			  "an earlier state made them, bring it back from a backup or take it in with muster state "
			  "import EXPORT.json, instead of adopting them",
			  m->lost.met, m->lost.met + m->lost.created);
}
