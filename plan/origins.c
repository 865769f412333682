/* Names that are in use by what has another address now. A generated name is made from the address that a resource was
 * made under; what was moved away from there keeps it, and so does what a replacement has left and that is not deleted
 * yet. A new resource at that address must not get it. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static void reserve(struct maker *m, const char *origin, int64_t incarnation)
{
	if (origin != NULL && incarnation + 1 > (int64_t)(intptr_t)map_get(&m->origins, origin))
		map_set(&m->origins, origin, (void *)(intptr_t)(incarnation + 1));
}

static void reserve_all(struct maker *m, const json_t *body)
{
	const json_t *old;
	size_t i;

	reserve(m, json_get_string(body, "Origin"), json_get_int(body, "Incarnation", 0));
	json_array_foreach(json_object_get(body, "Deposed"), i, old)
	    reserve(m, json_get_string(old, "Origin"), json_get_int(old, "Incarnation", 0));
}

/* -- What is recorded now ----------------------------------------------------------------------------------------- */

static char *region_of(const char *address)
{
	const char *start = strchr(address, '/');

	return start == NULL ? mem_strdup("") : mem_strndup(start + 1, strcspn(start + 1, "/"));
}

/* What replacements have left holds its identity, too. */
static void hold_left(struct maker *m, const char *address, const struct plan_record *record)
{
	mem_auto_str char *region = region_of(address);
	const struct schema_place place = {
	    .account_id = record->account_id,
	    .region = region,
	    .partition = m->specs->settings.partition,
	    .url_suffix = specs_url_suffix(m->specs->settings.partition),
	};
	const json_t *old;
	size_t i;

	json_array_foreach(record->deposed, i, old)
	{
		const char *name = json_get_string(old, "Type");
		const struct schema_type *type = schema_set_find(m->schemas, name != NULL ? name : "");
		char *identity = NULL;

		if (type != NULL && record->account_id != NULL &&
		    specs_identity_of(&identity, type, json_object_get(old, "Properties"), &place) == 1)
			free(map_set(&m->left, identity, mem_strdup(address)));
		free(identity);
	}
}

static int record_note(void *payload, const struct state_record *raw)
{
	static const char origin[] = "\"Origin\"", deposed[] = "\"Deposed\"";
	struct maker *m = payload;
	json_auto_t *body = NULL;
	struct plan_record record;

	/* Most records have neither, and need not be parsed to tell. */
	if (memmem(raw->text, raw->text_len, origin, strlen(origin)) == NULL &&
	    memmem(raw->text, raw->text_len, deposed, strlen(deposed)) == NULL)
		return 0;
	body = json_loadb(raw->text, raw->text_len, 0, NULL);
	reserve_all(m, body);
	if (plan_record_parse(&record, body) == 0)
		hold_left(m, raw->address, &record);
	return 0;
}

static void records_read(struct maker *m)
{
	if (m->records_read)
		return;
	m->records_read = true;
	state_record_each(m->txn, "", record_note, m, m->d);
}

const char *maker_left_with(struct maker *m, const char *identity)
{
	records_read(m);
	return map_get(&m->left, identity);
}

/* -- What was ----------------------------------------------------------------------------------------------------- */

/* Generations in which something at an address ended. */
struct endings {
	uint64_t *list;
	size_t count;
};

static int ending_note(void *payload, uint64_t generation, const json_t *before, const json_t *after)
{
	struct endings *endings = payload;

	if (before == NULL || after != NULL)
		return 0;
	endings->list = mem_resize(endings->list, endings->count + 1, sizeof *endings->list);
	endings->list[endings->count++] = generation;
	return 0;
}

static int origin_note(void *payload, const char *address, const json_t *before, const json_t *after)
{
	(void)address;
	(void)before;
	reserve_all(payload, after);
	return 0;
}

/* What was moved away, and is gone since, may be known to AWS still. An import begins a new history; then the records
 * tell of what there is. */
int64_t maker_incarnation_least(struct maker *m, const char *address)
{
	struct endings endings = {0};

	records_read(m);
	state_history_of(m->txn, address, ending_note, &endings, m->d);
	for (size_t i = 0; i < endings.count; i++) {
		mem_auto_str char *generation = mem_printf("%llu", (unsigned long long)endings.list[i]);

		if (map_has(&m->scanned, generation))
			continue;
		map_set(&m->scanned, generation, m);
		state_history_each(m->txn, endings.list[i], origin_note, m, m->d);
	}
	free(endings.list);
	return (int64_t)(intptr_t)map_get(&m->origins, address);
}
