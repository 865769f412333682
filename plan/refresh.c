/* Reads the live values of everything that is recorded, some targets at a time, all resources of a type in a target
 * with one provider read. What equals its record is forgotten at once: memory follows drift, not the fleet. */
#include "plan/make.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Targets read at the same time. The provider paces calls; this only bounds what is held in memory. */
#define TARGETS_AT_ONCE 128

struct refresh;

struct refresh_item {
	struct refresh_target *target;
	char *address;
	json_t *body;
	struct plan_record record;
	const struct schema_type *type;
};

struct refresh_target {
	struct refresh *refresh;
	struct refresh_item *items;
	size_t count, left;
};

struct refresh {
	struct maker *m;
	struct map prefixes; /* account/region, in order */
	size_t next, running, done;
	int failed;
};

static int collect_prefix(void *payload, const struct state_record *record)
{
	struct refresh *refresh = payload;
	const char *slash = strchr(record->address, '/');
	mem_auto_str char *prefix = NULL;

	slash = slash == NULL ? NULL : strchr(slash + 1, '/');
	if (slash == NULL)
		return 0;
	prefix = mem_strndup(record->address, (size_t)(slash - record->address));
	map_set(&refresh->prefixes, prefix, refresh);
	return 0;
}

static int collect_item(void *payload, const struct state_record *record)
{
	struct refresh_target *target = payload;

	if (!maker_selected(target->refresh->m, record->address))
		return 0;
	struct refresh_item item = {.target = target};

	item.body = json_loadb(record->text, record->text_len, 0, NULL);
	if (plan_record_parse(&item.record, item.body) < 0) {
		json_decref(item.body);
		return diag_error(target->refresh->m->d, "the state's record of %s cannot be read", record->address);
	}
	item.type = schema_set_find(target->refresh->m->schemas, item.record.type);
	item.address = mem_strdup(record->address);
	target->items = mem_resize(target->items, target->count + 1, sizeof *target->items);
	target->items[target->count++] = item;
	return 0;
}

static void start_targets(struct refresh *refresh);

static void target_free(struct refresh_target *target)
{
	for (size_t i = 0; i < target->count; i++) {
		free(target->items[i].address);
		json_decref(target->items[i].body);
	}
	free(target->items);
	free(target);
}

/* Also one in which there was nothing to ask: otherwise the count would never be full. */
static void target_passed(struct refresh_target *target)
{
	struct refresh *refresh = target->refresh;

	refresh->done++;
	maker_progress(refresh->m, "reading targets", refresh->done, refresh->prefixes.live);
	target_free(target);
}

static void target_finished(struct refresh_target *target)
{
	struct refresh *refresh = target->refresh;

	refresh->running--;
	target_passed(target);
	start_targets(refresh);
}

/* Whether AWS has something other than what was applied. */
static bool differs(const struct refresh_item *item, const struct provider_result *result, bool *drifted)
{
	struct plan_diff diff = {0};
	const char *name;
	json_t *value;
	bool other = item->record.incomplete;

	plan_diff_make(&diff, item->type, item->record.properties, result->properties, item->record.properties, true);
	*drifted = diff.count > 0 && !item->record.incomplete;
	other = other || diff.count > 0;
	plan_diff_free(&diff);
	json_object_foreach(item->record.attributes, name, value)
	{
		json_t *live = json_object_get(result->attributes, name);

		other = other || (live != NULL && !json_equal(live, value));
	}
	return other;
}

static void item_read(void *payload, const struct provider_result *result)
{
	struct refresh_item *item = payload;
	struct refresh_target *target = item->target;
	struct maker *m = target->refresh->m;
	bool drifted = false;

	switch (result->outcome) {
	case PROVIDER_DONE:
		if (differs(item, result, &drifted))
			maker_known_set(m, item->address, KNOWN_OTHER, result, drifted);
		break;
	case PROVIDER_ABSENT:
		maker_known_set(m, item->address, KNOWN_GONE, result, true);
		break;
	default:
		maker_known_set(m, item->address, KNOWN_UNREADABLE, result, false);
	}
	if (--target->left == 0)
		target_finished(target);
}

/* One provider read for each type in the target. Items are sorted so that a type's stand together. */
static int by_type(const void *a, const void *b)
{
	const struct refresh_item *x = a, *y = b;

	return strcmp(x->record.type, y->record.type);
}

static void read_group(struct refresh_target *target, size_t first, size_t count)
{
	struct maker *m = target->refresh->m;
	const struct refresh_item *head = &target->items[first];
	struct maker_account *account = maker_account(m, head->record.account_id);
	struct provider_read_item *reads = mem_array(count, sizeof *reads);
	const char *region = strchr(head->address, '/') + 1;
	mem_auto_str char *name = mem_strndup(region, (size_t)(strchr(region, '/') - region));
	struct provider_target where = {account == NULL ? NULL : account->handle, name, PROVIDER_READS};

	for (size_t i = 0; i < count; i++)
		reads[i] = (struct provider_read_item){
		    .address = target->items[first + i].address,
		    .properties = target->items[first + i].record.properties,
		    .attributes = target->items[first + i].record.attributes,
		    .done = item_read,
		    .payload = &target->items[first + i],
		};
	m->provider->ops->read(m->provider, head->type, &where, reads, count);
	free(reads);
}

static bool region_enabled(const struct maker_account *account, const char *region)
{
	if (account->list == NULL)
		return true;
	for (const char **name = account->list; *name != NULL; name++)
		if (strcmp(*name, region) == 0)
			return true;
	return false;
}

/* Why a resource cannot even be asked for, or NULL. Free with free(). */
static char *unaskable(const struct maker *m, const struct refresh_item *item)
{
	const struct maker_account *account = map_get(&m->by_id, item->record.account_id);
	const char *region = strchr(item->address, '/') + 1;
	mem_auto_str char *name = mem_strndup(region, (size_t)(strchr(region, '/') - region));

	if (item->type == NULL)
		return mem_printf("its type %s is not known to this program", item->record.type);
	if (account == NULL || account->access == NULL)
		return mem_printf("account %s is not on the roster and nothing is remembered of how to enter it",
				  item->record.account_id);
	if (!region_enabled(account, name))
		return mem_printf("region %s is not enabled in the account any more", name);
	return NULL;
}

static size_t drop_unaskable(struct refresh_target *target)
{
	struct maker *m = target->refresh->m;
	size_t kept = 0;

	for (size_t i = 0; i < target->count; i++) {
		struct refresh_item *item = &target->items[i];
		mem_auto_str char *message = unaskable(m, item);
		struct provider_result result = {.message = message};

		if (message == NULL) {
			target->items[kept++] = *item;
			continue;
		}
		maker_known_set(m, item->address, KNOWN_UNREADABLE, &result, false);
		free(item->address);
		json_decref(item->body);
	}
	return target->count = kept;
}

static void start_target(struct refresh *refresh, const char *prefix)
{
	struct refresh_target *target = mem_alloc(sizeof *target);

	target->refresh = refresh;
	if (state_record_each(refresh->m->txn, prefix, collect_item, target, refresh->m->d) < 0)
		refresh->failed = -1;
	if (refresh->failed < 0 || drop_unaskable(target) == 0) {
		target_passed(target);
		return;
	}
	refresh->running++;
	target->left = target->count;
	qsort(target->items, target->count, sizeof *target->items, by_type);
	for (size_t first = 0, next; first < target->count; first = next) {
		for (next = first + 1;
		     next < target->count && by_type(&target->items[first], &target->items[next]) == 0;)
			next++;
		read_group(target, first, next - first);
	}
}

static void start_targets(struct refresh *refresh)
{
	while (refresh->failed == 0 && refresh->running < TARGETS_AT_ONCE && refresh->next < refresh->prefixes.count)
		start_target(refresh, refresh->prefixes.entries[refresh->next++].key);
}

int maker_refresh(struct maker *m)
{
	struct refresh refresh = {.m = m};

	if (state_record_each(m->txn, "", collect_prefix, &refresh, m->d) < 0)
		refresh.failed = -1;
	start_targets(&refresh);
	loop_run(m->loop);
	map_free(&refresh.prefixes, NULL);
	return refresh.failed;
}
