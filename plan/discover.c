/* Which accounts there are and which regions are enabled in each: the roster's, and those that only records remember
 * (their resources have to be read and deleted too). */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct maker_account *maker_account(struct maker *m, const char *id)
{
	return map_get(&m->by_id, id);
}

static void regions_set(struct maker_account *account, json_t *regions)
{
	size_t count = json_array_size(regions);

	json_decref(account->regions);
	account->regions = regions;
	free(account->list);
	account->list = mem_array(count + 1, sizeof *account->list);
	for (size_t i = 0; i < count; i++)
		account->list[i] = json_string_value(json_array_get(regions, i));
}

/* What another maker has found out of an account; NULL when it does not know it. */
static const struct maker_account *account_like(const struct maker *m, const char *id)
{
	return m->like != NULL ? map_get(&m->like->by_id, id) : NULL;
}

static int account_enter(struct maker_account *account, const struct maker_account *like)
{
	struct maker *m = account->maker;

	if (like == NULL)
		return m->provider->ops->account_add(m->provider, account->name, account->id, account->access,
						     &account->handle, m->d);
	account->handle = like->handle;
	account->unreachable = mem_strdup(like->unreachable);
	if (like->regions != NULL)
		regions_set(account, json_incref(like->regions));
	return 0;
}

static struct maker_account *account_add(struct maker *m, const char *name, const char *id, json_t *access)
{
	struct maker_account *account = mem_alloc(sizeof *account);

	account->name = mem_strdup(name);
	account->id = mem_strdup(id);
	account->access = json_incref(access);
	account->maker = m;
	if (account_enter(account, account_like(m, id)) < 0) {
		json_decref(account->access);
		free(account->name);
		free(account->id);
		free(account);
		return NULL;
	}
	m->accounts = mem_resize(m->accounts, m->account_count + 1, sizeof *m->accounts);
	m->accounts[m->account_count++] = account;
	map_set(&m->by_id, id, account);
	return account;
}

/* 1 when the state remembers regions of the account (and, for one off the roster, how to enter it). */
static int remembered(struct maker *m, const char *id, json_t **body)
{
	int result = state_regions_get(m->txn, id, body, m->d);

	if (result == 1 && !json_is_array(json_object_get(*body, "Regions"))) {
		json_decref(*body);
		result = 0;
	}
	return result;
}

/* Failure is not absence (rule 2): an account that cannot be asked keeps the regions it had. */
static void regions_fall_back(struct maker_account *account, const struct provider_result *result)
{
	json_t *body = NULL;
	const char *why = result->message == NULL ? "no reason given" : result->message;

	if (remembered(account->maker, account->id, &body) == 1) {
		regions_set(account, json_incref(json_object_get(body, "Regions")));
		json_decref(body);
	}
	account->unreachable =
	    mem_printf("%s%s%s", result->code == NULL ? "" : result->code, result->code == NULL ? "" : ": ", why);
}

static void regions_arrived(void *payload, const struct provider_result *result, const char *const *regions)
{
	struct maker_account *account = payload;

	if (result->outcome == PROVIDER_DONE && regions != NULL) {
		json_t *list = json_array();

		for (; *regions != NULL; regions++)
			json_array_append_new(list, json_string(*regions));
		regions_set(account, list);
	} else {
		regions_fall_back(account, result);
	}
}

/* Accounts of records that are not on the roster any more, with the access that their last apply had. */
static int remember_account(struct maker *m, const struct state_record *record, const char *recorded_name)
{
	json_auto_t *body = json_loadb(record->text, record->text_len, 0, NULL), *known = NULL;
	struct maker_account *account;
	const char *id = json_get_string(body, "AccountId"), *name;
	json_t *access;
	int result;

	if (id == NULL)
		return 0;
	account = maker_account(m, id);
	if (account != NULL) {
		if (account->spec != NULL)
			maker_renamed(m, recorded_name, account);
		return 0;
	}
	result = remembered(m, id, &known);
	if (result < 0)
		return -1;
	name = json_get_string(known, "Name");
	access = json_object_get(known, "Access");
	account =
	    account_add(m, name != NULL ? name : id, id, access != NULL ? access : json_object_get(body, "Access"));
	if (account == NULL)
		return -1;
	if (result == 1 && account_like(m, id) == NULL)
		regions_set(account, json_incref(json_object_get(known, "Regions")));
	return 0;
}

/* A name that has passed from one account to another would make one plan of two: what is recorded under it would have
 * to move away before the other's is made. */
static int check_name(struct maker *m, const struct state_record *record, const struct specs_account *spec)
{
	json_auto_t *body = NULL;
	const struct maker_account *account;
	const char *id;

	if (map_has(&m->names, spec->name))
		return 0;
	map_set(&m->names, spec->name, m);
	body = json_loadb(record->text, record->text_len, 0, NULL);
	id = json_get_string(body, "AccountId");
	account = id == NULL || strcmp(id, spec->id) == 0 ? NULL : maker_account(m, id);
	if (account == NULL || account->spec == NULL)
		return 0;
	return diag_error(
	    m->d,
	    "the roster calls account %s %s, but what is recorded under that name is in account %s, which "
	    "is called %s now; a name can go to another account once nothing is recorded under it: apply "
	    "%s under its new name first",
	    spec->id, spec->name, id, account->name, id);
}

/* Only records under accounts that the roster does not name have to be looked into; of the others the first of each. */
static int remember_accounts(void *payload, const struct state_record *record)
{
	struct maker *m = payload;
	const char *slash = strchr(record->address, '/');
	mem_auto_str char *name =
	    mem_strndup(record->address, slash == NULL ? strlen(record->address) : (size_t)(slash - record->address));
	const struct specs_account *spec;

	if (map_has(&m->renamed, name))
		return 0;
	spec = specs_account_find(m->specs, name);
	return spec != NULL ? check_name(m, record, spec) : remember_account(m, record, name);
}

/* All accounts are known before the first is asked: what is wrong with one must not leave calls under way. */
static int add_roster(struct maker *m)
{
	int result = 0;

	for (size_t i = 0; i < m->specs->account_count; i++) {
		const struct specs_account *spec = &m->specs->accounts[i];
		struct maker_account *account = account_add(m, spec->name, spec->id, spec->access);

		if (account == NULL)
			result = -1;
		else
			account->spec = spec;
	}
	return result;
}

int maker_discover(struct maker *m)
{
	size_t asked = 0;
	int known = 0;

	if (add_roster(m) < 0)
		return -1;
	for (size_t i = 0; i < m->account_count; i++) {
		struct maker_account *account = m->accounts[i];
		json_t *body = NULL;

		if (account_like(m, account->id) != NULL)
			continue;
		known = m->options->refresh ? 0 : remembered(m, account->id, &body);
		if (known < 0)
			break;
		if (known == 1) {
			regions_set(account, json_incref(json_object_get(body, "Regions")));
			json_decref(body);
			continue;
		}
		asked++;
		m->provider->ops->regions(m->provider, account->handle, regions_arrived, account);
	}
	if (asked > 0)
		maker_progress(m, "finding enabled regions", 0, asked);
	loop_run(m->loop);
	if (known < 0)
		return -1;
	return state_record_each(m->txn, "", remember_accounts, m, m->d) < 0 ? -1 : 0;
}

const char *const *maker_regions_of(void *payload, const struct specs_account *account)
{
	const struct maker_account *known = maker_account(payload, account->id);

	return known == NULL ? NULL : (const char *const *)known->list;
}

void maker_region_skipped(void *payload, const char *stack, const struct specs_account *account, const char *region,
			  const char *reason)
{
	maker_note(payload, PLAN_NOTE_REGION_SKIPPED, account == NULL ? NULL : account->name, region, stack, reason);
}
