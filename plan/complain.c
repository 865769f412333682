/* Errors that many targets share, each said once with where: a fleet makes every mistake some hundred times. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/make.h"

struct complaint {
	struct diag_place place;
	char *file, *json_path;
	char *first; /* address */
	char *what;  /* stack/LogicalId */
	char *text;
	size_t times;
	bool exists; /* maker_complain_exists() */
};

static void complaint_free(void *value)
{
	struct complaint *complaint = value;

	free(complaint->file);
	free(complaint->json_path);
	free(complaint->first);
	free(complaint->what);
	free(complaint->text);
	free(complaint);
}

/* The part of an address behind its target. */
static const char *what_of(const char *address)
{
	const char *slash = strchr(address, '/');

	slash = slash == NULL ? NULL : strchr(slash + 1, '/');
	return slash == NULL ? address : slash + 1;
}

static void keep(struct maker *m, const struct diag_place *place, const char *address, const char *text, bool exists)
{
	mem_auto_str char *key = mem_printf("%s|%s", what_of(address), text);
	struct complaint *complaint;

	/* --only says what this plan is about; the rest may be as wrong as it likes. */
	if (!maker_selected(m, address))
		return;
	complaint = map_get(&m->complaints, key);
	if (complaint == NULL) {
		complaint = mem_alloc(sizeof *complaint);
		complaint->first = mem_strdup(address);
		complaint->what = mem_strdup(what_of(address));
		complaint->text = mem_strdup(text);
		complaint->exists = exists;
		if (place != NULL) {
			complaint->place = *place;
			complaint->place.file = complaint->file = mem_strdup(place->file);
			complaint->place.json_path = complaint->json_path = mem_strdup(place->json_path);
		}
		map_set(&m->complaints, key, complaint);
	}
	complaint->times++;
}

void maker_complain(struct maker *m, const struct diag_place *place, const char *address, const char *text)
{
	keep(m, place, address, text, false);
}

void maker_complain_exists(struct maker *m, const struct diag_place *place, const char *address, const char *text)
{
	keep(m, place, address, text, true);
}

static void tell(struct maker *m, const struct complaint *complaint)
{
	const struct diag_place *place = complaint->file == NULL ? NULL : &complaint->place;

	if (complaint->times == 1)
		diag_at(m->d, DIAG_ERROR, place, "%s %s", complaint->first, complaint->text);
	else
		diag_at(m->d, DIAG_ERROR, place, "%s in %zu targets (%s is one of them) %s", complaint->what,
			complaint->times, complaint->first, complaint->text);
}

int maker_complaints_tell(struct maker *m)
{
	size_t count = m->complaints.live;
	bool lost = maker_lost_refuses(m);

	if (count > 0 && lost)
		maker_lost_tell(m, true);
	for (size_t i = 0; i < m->complaints.count; i++) {
		const struct complaint *complaint = m->complaints.entries[i].value;

		if (!lost || !complaint->exists)
			tell(m, complaint);
	}
	if (count > 0 && !lost)
		maker_lost_tell(m, true);
	map_free(&m->complaints, complaint_free);
	return count > 0 ? -1 : 0;
}

bool maker_selected(const struct maker *m, const char *address)
{
	const char *from = map_get(&m->moves, address);
	mem_auto_str char *to = NULL;

	if (m->options->only == NULL || text_glob(m->options->only, address))
		return true;
	/* What moves is meant by either address. */
	if (from != NULL && text_glob(m->options->only, from))
		return true;
	to = maker_moved_to(m, address);
	return to != NULL && text_glob(m->options->only, to);
}
