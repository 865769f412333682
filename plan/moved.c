/* Resources that keep their identity while their address changes: by a stack's `Moved` list, or because their account
 * has another name on the roster now (the same id). What is wanted at an address without record is then what is
 * recorded under the former one: neither deleted nor made again. Generated names stay those of the address that the
 * resource was made under, its origin. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

/* The parts of an address; account, region and stack are there in one of three parts, too. */
struct parts {
	char *copy, *account, *region, *stack, *id;
};

static bool parts_of(struct parts *out, const char *address)
{
	char *rest;

	*out = (struct parts){.copy = mem_strdup(address)};
	rest = out->copy;
	out->account = strsep(&rest, "/");
	out->region = strsep(&rest, "/");
	out->stack = strsep(&rest, "/");
	out->id = strsep(&rest, "/");
	return out->stack != NULL && rest == NULL;
}

void maker_renamed(struct maker *m, const char *former, struct maker_account *account)
{
	if (map_has(&m->renamed, former))
		return;
	map_set(&m->renamed, former, account);
	account->former = mem_resize(account->former, account->former_count + 1, sizeof *account->former);
	account->former[account->former_count++] = mem_strdup(former);
}

char *maker_moved_to(const struct maker *m, const char *recorded)
{
	const struct maker_account *account;
	const struct specs_moved *moved;
	const char *name, *id;
	struct parts parts;
	size_t count = 0;
	char *to = NULL;

	if (!parts_of(&parts, recorded)) {
		free(parts.copy);
		return NULL;
	}
	account = map_get(&m->renamed, parts.account);
	name = account != NULL ? account->name : parts.account;
	id = parts.id;
	moved = specs_stack_moved(m->specs, parts.stack, &count);
	for (size_t i = 0; id != NULL && i < count; i++)
		if (strcmp(moved[i].from, parts.id) == 0)
			id = moved[i].to;
	if (name != parts.account || id != parts.id)
		to = id == NULL ? mem_printf("%s/%s/%s", name, parts.region, parts.stack)
				: mem_printf("%s/%s/%s/%s", name, parts.region, parts.stack, id);
	free(parts.copy);
	return to;
}

/* -- Where a wanted resource may be recorded ------------------------------------------------------------------------
 */

struct sources {
	char **list;
	size_t count;
};

static void sources_free(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		free(sources->list[i]);
	free(sources->list);
}

/* Adds account/region/stack/id if that is recorded. -1 when the state cannot be read. */
static int source_try(struct maker *m, struct sources *out, const char *account, const struct parts *parts,
		      const char *id)
{
	mem_auto_str char *address = mem_printf("%s/%s/%s/%s", account, parts->region, parts->stack, id);
	struct state_record raw;
	int found = state_record_get(m->txn, address, &raw, m->d);

	if (found != 1)
		return found;
	out->list = mem_resize(out->list, out->count + 1, sizeof *out->list);
	out->list[out->count++] = address;
	address = NULL;
	return 0;
}

/* All logical ids that the resource has had, under one name of its account. */
static int sources_named(struct maker *m, struct sources *out, const char *account, const struct parts *parts,
			 bool itself)
{
	size_t count;
	const struct specs_moved *moved = specs_stack_moved(m->specs, parts->stack, &count);
	int result = itself ? source_try(m, out, account, parts, parts->id) : 0;

	for (size_t i = 0; i < count && result == 0; i++)
		if (strcmp(moved[i].to, parts->id) == 0)
			result = source_try(m, out, account, parts, moved[i].from);
	return result;
}

/* Former addresses of a resource that have a record. For nearly all resources there are none to try. */
static int sources_find(struct maker *m, struct sources *out, const char *address)
{
	const struct specs_account *spec;
	const struct maker_account *account = NULL;
	struct parts parts;
	int result = 0;

	*out = (struct sources){0};
	if (parts_of(&parts, address) && parts.id != NULL) {
		result = sources_named(m, out, parts.account, &parts, false);
		spec = m->renamed.live > 0 ? specs_account_find(m->specs, parts.account) : NULL;
		account = spec != NULL ? maker_account(m, spec->id) : NULL;
	}
	for (size_t i = 0; account != NULL && i < account->former_count && result == 0; i++)
		result = sources_named(m, out, account->former[i], &parts, true);
	free(parts.copy);
	return result;
}

int maker_record(struct maker *m, const char *address, struct state_record *out, const char **from)
{
	struct sources sources;
	int found = state_record_get(m->txn, address, out, m->d);

	*from = NULL;
	if (found != 0)
		return found;
	found = sources_find(m, &sources, address);
	if (found == 0 && sources.count > 0) {
		if (!map_has(&m->moves, address))
			map_set(&m->moves, address, mem_strdup(sources.list[0]));
		*from = map_get(&m->moves, address);
		found = state_record_get(m->txn, *from, out, m->d);
	}
	sources_free(&sources);
	return found;
}

bool maker_move_disputed(struct maker *m, const struct diag_place *place, const char *address, const char *from)
{
	const char *other = NULL;
	struct sources sources;

	if (sources_find(m, &sources, address) < 0)
		return false;
	for (size_t i = 0; i < sources.count; i++) {
		if (from != NULL && strcmp(sources.list[i], from) == 0)
			continue;
		other = sources.list[i];
		map_set(&m->seen, other, SEEN_ASIDE);
	}
	if (other != NULL) {
		mem_auto_str char *text =
		    from == NULL ? mem_printf("is recorded, and so is %s, which is to be moved here; only one of them "
					      "can be this resource: take the move out of the specs, or let the state "
					      "forget one of them (muster state rm ADDRESS leaves AWS as it is)",
					      other)
				 : mem_printf("is to be moved here from %s and from %s, which are both recorded; let "
					      "the state forget one of them (muster state rm ADDRESS leaves AWS as it "
					      "is)",
					      from, other);

		maker_complain(m, place, address, text);
	}
	sources_free(&sources);
	return other != NULL;
}

void maker_moved_check(struct maker *m, const struct specs_resource *resource)
{
	size_t count;
	const struct specs_moved *moved = specs_instance_moved(resource->instance, &count);

	for (size_t i = 0; i < count; i++) {
		mem_auto_str char *text = NULL;

		if (strcmp(moved[i].from, resource->logical_id) != 0)
			continue;
		text = mem_printf(
		    "is a resource of this stack still, and Moved says that it is %s now; From is an id that "
		    "is not used any more",
		    moved[i].to);
		maker_complain(m, &resource->place, resource->address, text);
	}
}

/* -- Dependencies by former addresses -------------------------------------------------------------------------------
 */

static void list_add(struct maker *m, const char ***list, size_t *count)
{
	const char **longer = NULL;
	size_t added = 0;

	for (size_t i = 0; i < *count; i++) {
		mem_auto_str char *to = maker_moved_to(m, (*list)[i]);

		if (to == NULL)
			continue;
		if (longer == NULL) {
			longer = plan_keep_array(m->plan, 2 * *count, sizeof *longer);
			memcpy(longer, *list, *count * sizeof *longer);
		}
		longer[*count + added++] = plan_keep(m->plan, to);
	}
	if (longer == NULL)
		return;
	*list = longer;
	*count += added;
}

/* What a record depended on has perhaps another address in this plan. Both stand there: what is deleted keeps the one
 * that it has. */
void maker_moved_settle(struct maker *m)
{
	struct plan *plan = m->plan;

	for (size_t i = 0; i < plan->change_count; i++) {
		struct plan_change *change = &plan->changes[i];

		if (change->former_count > 0)
			list_add(m, &change->former, &change->former_count);
		if (change->action == PLAN_DELETE || change->action == PLAN_FORGET)
			list_add(m, &change->depends, &change->depend_count);
	}
}

/* -- Telling --------------------------------------------------------------------------------------------------------
 */

#define RENAMED_SHOWN 20

/* How many resources move from each former name of an account. */
static void count_renamed(struct map *counts, const struct maker *m)
{
	for (size_t i = 0; i < m->plan->change_count; i++) {
		const struct plan_change *change = &m->plan->changes[i];
		mem_auto_str char *name = NULL;

		if (change->moved_from == NULL || change->deposed)
			continue;
		name = mem_strndup(change->moved_from, strcspn(change->moved_from, "/"));
		if (map_has(&m->renamed, name))
			map_set(counts, name, (void *)((uintptr_t)map_get(counts, name) + 1));
	}
}

static void tell_renamed(struct maker *m, const char *former, size_t count)
{
	const struct maker_account *account = map_get(&m->renamed, former);
	mem_auto_str char *text =
	    mem_printf("account renamed from %s to %s (%s): %zu resource%s %s in AWS", former, account->name,
		       account->id, count, count == 1 ? "" : "s",
		       count == 1 ? "moves and keeps the name that it has" : "move and keep the names that they have");

	maker_note(m, PLAN_NOTE_OTHER, NULL, NULL, NULL, text);
}

/* Once for each account, whatever it holds. */
void maker_moved_tell(struct maker *m)
{
	struct map counts = MAP_INIT;
	size_t told = 0, rest = 0;

	if (m->renamed.live > 0)
		count_renamed(&counts, m);
	for (size_t i = 0; i < counts.count; i++) {
		size_t count = (uintptr_t)counts.entries[i].value;

		if (told++ < RENAMED_SHOWN)
			tell_renamed(m, counts.entries[i].key, count);
		else
			rest += count;
	}
	if (told > RENAMED_SHOWN) {
		mem_auto_str char *text =
		    mem_printf("%zu more accounts are renamed: %zu resources move", told - RENAMED_SHOWN, rest);

		maker_note(m, PLAN_NOTE_OTHER, NULL, NULL, NULL, text);
	}
	map_free(&counts, NULL);
}
