/* Looks in AWS for everything that would be created (rule 1): fleets are rarely empty, and a create over what exists
 * fails late or, worse, takes something over unseen. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "plan/graph_private.h"

#define FINDS_AT_ONCE 512

struct finder;

struct find {
	struct finder *finder;
	char *address;
	json_t *properties;
	struct provider_call call;
};

struct finder {
	struct maker *m;
	struct map freed;                        /* identities of what this very plan deletes */
	size_t next, running, done, total, told; /* told: how many said something new */
};

static bool can_be_looked_for(const struct maker *m, const struct plan_change *change, const json_t *properties)
{
	struct schema_place place = {
	    .account_id = change->account_id,
	    .region = change->region,
	    .partition = m->specs->settings.partition,
	    .url_suffix = specs_url_suffix(m->specs->settings.partition),
	};
	mem_auto_str char *identity = NULL;

	/* Singletons and what the service names itself have a Find of their own; it says absent where it cannot tell.
	 */
	if (change->type->identity == NULL)
		return true;
	return schema_template_fill(&identity, change->type->identity, properties, NULL, &place) == 1;
}

static void start_finds(struct finder *finder);

static void found(void *payload, const struct provider_result *result)
{
	struct find *find = payload;
	struct finder *finder = find->finder;

	if (result->outcome == PROVIDER_DONE)
		maker_known_set(finder->m, find->address, KNOWN_FOUND, result, false);
	else if (result->outcome != PROVIDER_ABSENT)
		maker_known_set(finder->m, find->address, KNOWN_UNREADABLE, result, false);
	if (result->outcome != PROVIDER_ABSENT)
		finder->told++;
	finder->running--;
	finder->done++;
	maker_progress(finder->m, "looking for what would be created", finder->done, finder->total);
	free(find->address);
	json_decref(find->properties);
	free(find);
	start_finds(finder);
}

/* What was recorded and is gone has just been read; it need not be looked for. */
static bool is_looked_for(const struct maker *m, const struct plan_change *change)
{
	return change->action == PLAN_CREATE && !change->gone && !map_has(&m->asked, change->address) &&
	       maker_selected(m, change->address);
}

static void start_find(struct finder *finder, const struct plan_change *change)
{
	struct maker *m = finder->m;
	struct maker_account *account = maker_account(m, change->account_id);
	json_t *properties = plan_known_members(change->after);
	struct find *find;

	if (account == NULL || !can_be_looked_for(m, change, properties)) {
		json_decref(properties);
		return;
	}
	map_set(&m->asked, change->address, m);
	find = mem_alloc(sizeof *find);
	find->finder = finder;
	find->address = mem_strdup(change->address);
	find->properties = properties;
	find->call = (struct provider_call){
	    .type = change->type,
	    .target = {account->handle, change->region, PROVIDER_READS},
	    .address = find->address,
	    .properties = properties,
	    .done = found,
	    .payload = find,
	};
	finder->running++;
	m->provider->ops->find(m->provider, &find->call);
}

/* What another change of the plan takes away first is no find: a resource with a fixed name got another logical id. */
static void collect_freed(struct finder *finder)
{
	const struct plan *plan = finder->m->plan;

	for (size_t i = 0; i < plan->change_count; i++) {
		mem_auto_str char *key = NULL;

		if (maker_selected(finder->m, plan->changes[i].address))
			key = graph_identity_freed(&plan->changes[i]);
		if (key != NULL)
			map_set(&finder->freed, key, finder);
	}
}

static bool freed_first(const struct finder *finder, const struct plan_change *change)
{
	mem_auto_str char *key = graph_identity(change, change->after, NULL);

	return key != NULL && map_has(&finder->freed, key);
}

static void start_finds(struct finder *finder)
{
	struct plan *plan = finder->m->plan;

	while (finder->running < FINDS_AT_ONCE && finder->next < plan->change_count) {
		const struct plan_change *change = &plan->changes[finder->next++];

		if (is_looked_for(finder->m, change) && !freed_first(finder, change))
			start_find(finder, change);
	}
}

int maker_find(struct maker *m)
{
	struct finder finder = {.m = m};

	for (size_t i = 0; i < m->plan->change_count; i++)
		finder.total += is_looked_for(m, &m->plan->changes[i]);
	collect_freed(&finder);
	start_finds(&finder);
	loop_run(m->loop);
	map_free(&finder.freed, NULL);
	return finder.told > 0;
}
