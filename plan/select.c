/* What of the decided changes stays in the plan: --only, what waits for something that cannot be had, and what is
 * still used by something that stays; then the order, and what the changes read without touching it. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* account/region/stack of a resource's address; free with free(). */
static char *instance_of(const char *address)
{
	const char *slash = strrchr(address, '/');

	return mem_strndup(address, (size_t)(slash - address));
}

static const char *blocking(const struct maker *m, const struct plan_change *change)
{
	for (size_t i = 0; i < change->depend_count; i++)
		if (map_has(&m->blocked, change->depends[i]))
			return change->depends[i];
	return NULL;
}

static void compact(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->change_count; i++)
		if (plan->changes[i].address != NULL)
			plan->changes[kept++] = plan->changes[i];
	plan->change_count = kept;
}

/* A resource that was never made blocks all of its instance for those who depend on the whole of it. */
static void block_instances(struct maker *m)
{
	size_t count = m->blocked.count;

	for (size_t i = 0; i < count; i++) {
		mem_auto_str char *instance = instance_of(m->blocked.entries[i].key);

		maker_blocked(m, instance, m->blocked.entries[i].value);
	}
}

/* Takes out what waits for something blocked, and then what waits for that, until nothing more falls. */
static void drop_blocked(struct maker *m)
{
	bool again = m->blocked.live > 0;

	block_instances(m);
	while (again) {
		again = false;
		for (size_t i = 0; i < m->plan->change_count; i++) {
			struct plan_change *change = &m->plan->changes[i];
			const char *by;

			if (change->address == NULL || change->action == PLAN_DELETE || change->action == PLAN_FORGET ||
			    change->accepted)
				continue;
			by = blocking(m, change);
			if (by == NULL)
				continue;
			mem_auto_str char *why = mem_printf("waits for %s, which cannot be made now", by);
			mem_auto_str char *instance = instance_of(change->address);

			maker_note(m, PLAN_NOTE_BLOCKED, change->account, change->region, change->address, why);
			if (change->version == 0) {
				maker_blocked(m, change->address, why);
				maker_blocked(m, instance, why);
				again = true;
			}
			maker_outputs_hold(m, change->address);
			plan_change_drop(&m->plan->changes[i]);
		}
	}
	compact(m->plan);
}

/* -- What is still used ------------------------------------------------------------------------------------------- */

/* Who depends on what by the records of those that the plan leaves as they are without having found them right. */
struct users {
	struct maker *m;
	struct map touched; /* addresses with a change of their own */
	struct map used;    /* what a record depends on -> that record's address (char *) */
};

static int user_collect(void *payload, const struct state_record *raw)
{
	struct users *users = payload;
	json_auto_t *body = NULL;
	struct plan_record record;
	json_t *address;
	size_t i;

	if (map_has(&users->touched, raw->address) || map_get(&users->m->seen, raw->address) == SEEN_UNCHANGED)
		return 0;
	body = json_loadb(raw->text, raw->text_len, 0, NULL);
	if (plan_record_parse(&record, body) < 0)
		return diag_error(users->m->d, "the state's record of %s cannot be read", raw->address);
	json_array_foreach(record.depends, i, address)
	{
		if (json_is_string(address) && !map_has(&users->used, json_string_value(address)))
			map_set(&users->used, json_string_value(address), mem_strdup(raw->address));
	}
	return 0;
}

static int users_open(struct users *users, struct maker *m)
{
	*users = (struct users){.m = m};
	for (size_t i = 0; i < m->plan->change_count; i++)
		if (!m->plan->changes[i].deposed) {
			map_set(&users->touched, m->plan->changes[i].address, m);
			if (m->plan->changes[i].moved_from != NULL)
				map_set(&users->touched, m->plan->changes[i].moved_from, m);
		}
	return state_record_each(m->txn, "", user_collect, users, m->d) < 0 ? -1 : 0;
}

static void users_close(struct users *users)
{
	map_free(&users->touched, NULL);
	map_free(&users->used, free);
}

static bool deletes(const struct plan_change *change)
{
	return change->action == PLAN_DELETE || (change->action == PLAN_REPLACE && !change->retain_old);
}

static const char *user_at(const struct users *users, const char *address)
{
	mem_auto_str char *instance = instance_of(address);
	const char *user = map_get(&users->used, address);

	return user != NULL ? user : map_get(&users->used, instance);
}

/* Who would lose what the change deletes, or NULL. Who reads an output depends on the whole of its instance, so nobody
 * can tell which resource it is that such a one needs. */
static const char *user_of(const struct users *users, const struct plan_change *change)
{
	const char *user;

	if (!deletes(change))
		return NULL;
	user = user_at(users, change->address);
	return user != NULL || change->moved_from == NULL ? user : user_at(users, change->moved_from);
}

/* The user as a reader of the change needs it: without the target where it is the same. */
static const char *user_words(const struct plan_change *change, const char *user)
{
	size_t target = strlen(change->account) + 1 + strlen(change->region) + 1;

	return strncmp(change->address, user, target) == 0 ? user + target : user;
}

static void drop_used(struct maker *m, struct plan_change *change, const char *user)
{
	const char *words = user_words(change, user);
	mem_auto_str char *why = NULL;

	if (!maker_selected(m, user)) {
		why = mem_printf("would be %s, but %s still uses it, and --only leaves that out",
				 change->action == PLAN_DELETE ? "deleted" : "replaced", words);
		maker_complain(m, NULL, change->address, why);
	} else {
		why = mem_printf("is not %s: %s still uses it and cannot be changed now",
				 change->action == PLAN_DELETE ? "deleted" : "replaced", words);
		maker_note(m, PLAN_NOTE_BLOCKED, change->account, change->region, change->address, why);
		if (change->action == PLAN_REPLACE)
			maker_blocked(m, change->address, why);
	}
	maker_outputs_hold(m, change->address);
	plan_change_drop(change);
}

static bool any_deletes(const struct plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++)
		if (deletes(&plan->changes[i]))
			return true;
	return false;
}

/* Nothing is deleted under a recorded user that stays, be it out of reach or left out: that one would break. What is
 * kept for this reason keeps in turn what it uses. */
static int drop_still_used(struct maker *m)
{
	bool again = true;
	int result = 0;

	while (again && result == 0 && any_deletes(m->plan)) {
		struct users users;

		again = false;
		result = users_open(&users, m);
		for (size_t i = 0; i < m->plan->change_count && result == 0; i++) {
			const char *user = user_of(&users, &m->plan->changes[i]);

			if (user == NULL)
				continue;
			drop_used(m, &m->plan->changes[i], user);
			again = true;
		}
		users_close(&users);
		compact(m->plan);
		drop_blocked(m);
	}
	return maker_complaints_tell(m) < 0 && !m->lenient ? -1 : result;
}

/* -- The rest ------------------------------------------------------------------------------------------------------ */

/* What was said of a change that is not in the plan after all would only frighten. */
static void drop_notes(struct plan *plan)
{
	struct map kept = MAP_INIT;
	size_t count = 0;

	for (size_t i = 0; i < plan->change_count; i++)
		map_set(&kept, plan->changes[i].address, plan);
	for (size_t i = 0; i < plan->note_count; i++) {
		const struct plan_note *note = &plan->notes[i];

		if ((note->kind != PLAN_NOTE_DATA && note->kind != PLAN_NOTE_LEFT) || map_has(&kept, note->subject))
			plan->notes[count++] = *note;
	}
	plan->note_count = count;
	map_free(&kept, NULL);
}

/* A pattern that matches nothing is a mistake, and "no changes" would be the wrong answer to it. */
static int check_pattern(struct maker *m, const char *option, const char *pattern)
{
	for (size_t i = 0; i < m->seen.count; i++)
		if (text_glob(pattern, m->seen.entries[i].key))
			return 0;
	for (size_t i = 0; i < m->plan->change_count; i++)
		if (text_glob(pattern, m->plan->changes[i].address))
			return 0;
	return diag_error(m->d,
			  "%s '%s' matches no resource; a pattern is for whole addresses, "
			  "ACCOUNT/REGION/STACK/LogicalId, and * stands for any part of one",
			  option, pattern);
}

int maker_check_patterns(struct maker *m)
{
	int result = 0;

	if (m->options->only != NULL)
		result = check_pattern(m, "--only", m->options->only);
	for (size_t i = 0; i < m->options->adopt_count; i++)
		if (check_pattern(m, "--adopt", m->options->adopt[i]) < 0)
			result = -1;
	return maker_check_accepted(m) < 0 ? -1 : result;
}

/* --only pulls in nothing (rule 11): what needs something left out that is not there yet is refused. */
static int apply_only(struct maker *m)
{
	struct map left_out = MAP_INIT;
	size_t errors = m->d->errors;

	if (m->options->only == NULL)
		return 0;
	for (size_t i = 0; i < m->plan->change_count; i++) {
		const struct plan_change *change = &m->plan->changes[i];

		if (maker_selected(m, change->address))
			continue;
		if (change->action == PLAN_CREATE || change->action == PLAN_REPLACE || change->action == PLAN_ADOPT) {
			mem_auto_str char *instance = instance_of(change->address);

			map_set(&left_out, change->address, m);
			map_set(&left_out, instance, m);
		}
		maker_outputs_hold(m, change->address);
		plan_change_drop(&m->plan->changes[i]);
	}
	compact(m->plan);
	for (size_t i = 0; i < m->plan->change_count; i++) {
		const struct plan_change *change = &m->plan->changes[i];

		if (change->action == PLAN_DELETE || change->action == PLAN_FORGET || m->options->only_alone)
			continue;
		for (size_t k = 0; k < change->depend_count; k++)
			if (map_has(&left_out, change->depends[k]))
				diag_error(m->d, "%s needs %s, which is not applied yet and which --only leaves out",
					   change->address, change->depends[k]);
	}
	map_free(&left_out, NULL);
	return m->d->errors > errors ? -1 : 0;
}

static int by_address(const void *a, const void *b)
{
	const struct plan_change *x = a, *y = b;

	return strcmp(x->address, y->address);
}

/* The versions of what the changes rest on without touching it: apply refuses if they are others by then. */
static int collect_reads(struct maker *m)
{
	struct plan *plan = m->plan;
	struct map touched = MAP_INIT;
	int result = 0;

	for (size_t i = 0; i < plan->change_count; i++)
		map_set(&touched, plan->changes[i].address, m);
	for (size_t i = 0; i < plan->change_count && result == 0; i++) {
		const struct plan_change *change = &plan->changes[i];

		for (size_t k = 0; k < change->depend_count && result == 0; k++) {
			struct state_record raw;
			const char *address = change->depends[k], *from;

			if (map_has(&touched, address) || json_object_get(plan->reads, address) != NULL)
				continue;
			switch (maker_record(m, address, &raw, &from)) {
			case 1:
				address = from != NULL ? from : address;
				json_object_set_new(plan->reads, address, json_integer((json_int_t)raw.version));
				break;
			case 0:
				break;
			default:
				result = -1;
			}
		}
	}
	map_free(&touched, NULL);
	return result;
}

static void collect_accounts(struct maker *m)
{
	for (size_t i = 0; i < m->account_count; i++)
		plan_account_add(m->plan, m->accounts[i]->name, m->accounts[i]->id, m->accounts[i]->access,
				 m->accounts[i]->regions);
}

/* Secrets that the changes hold, each once, so that apply can ask for them before it starts. */
static void collect_secrets(const json_t *value, json_t *into, struct map *had)
{
	const json_t *secret = json_is_object(value) ? json_object_get(value, "Muster::Secret") : NULL;
	const char *name;
	json_t *member;
	size_t i;

	if (secret != NULL) {
		char *key = json_dumps(secret, JSON_SORT_KEYS | JSON_COMPACT);

		if (!map_has(had, key)) {
			map_set(had, key, into);
			json_array_append(into, (json_t *)secret);
		}
		free(key);
		return;
	}
	json_object_foreach((json_t *)value, name, member)
	{
		collect_secrets(member, into, had);
	}
	json_array_foreach(value, i, member)
	{
		collect_secrets(member, into, had);
	}
}

void maker_finish(struct maker *m)
{
	if (m->plan->change_count > 0)
		qsort(m->plan->changes, m->plan->change_count, sizeof *m->plan->changes, by_address);
	collect_accounts(m);
}

int maker_settle(struct maker *m)
{
	drop_blocked(m);
	if (apply_only(m) < 0 || drop_still_used(m) < 0)
		return -1;
	drop_notes(m->plan);
	return 0;
}

int maker_select(struct maker *m)
{
	struct plan_graph *graph = NULL;
	struct map had = MAP_INIT;
	struct plan *plan = m->plan;

	if (maker_check_patterns(m) < 0 || maker_settle(m) < 0)
		return -1;
	maker_moved_tell(m);
	maker_finish(m);
	maker_outputs_select(m);
	/* Of what is accepted the record keeps the secrets that it has, whatever they are now. */
	for (size_t i = 0; i < plan->change_count; i++)
		if (!plan->changes[i].accepted)
			collect_secrets(plan->changes[i].after, plan->secrets, &had);
	map_free(&had, NULL);
	if (collect_reads(m) < 0)
		return -1;
	/* A cycle is the plan's fault, not apply's: find it while there is somebody to read the message. */
	if (plan_graph_new(&graph, plan, m->d) < 0)
		return -1;
	plan_graph_free(graph);
	return 0;
}
