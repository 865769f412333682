/* Accounts, regions, and the state of every service in them. The roster and configuration are read in roster.c. */
#include "tests/sandbox/flow.h"

#include <stdlib.h>
#include <string.h>

int sb_world_load(struct sb *sb)
{
	sb->accounts = json_object();
	sb->regions = json_object();
	sb->keys = json_object();
	sb->builtin = json_object();
	sb->state = json_object();
	sb->buckets = json_object();
	sb->stats = json_object();
	sb->limit_index = json_object();
	return sb_roster_load(sb);
}

void sb_world_free(struct sb *sb)
{
	json_decref(sb->accounts);
	json_decref(sb->regions);
	json_decref(sb->keys);
	json_decref(sb->builtin);
	json_decref(sb->state);
	json_decref(sb->buckets);
	json_decref(sb->stats);
	json_decref(sb->limit_index);
	json_decref(sb->traces);
	json_decref(sb->chat);
	sb->traces = sb->chat = NULL;
	sb_runs_stop(sb);
	sb_rate_reset(sb);
	sb->calls = sb->throttled = 0;
}

/* Everything that calls can change. */
static json_t **world_part(struct sb *sb, size_t i, const char **name)
{
	static const char *const names[] = {"accounts", "regions", "keys", "builtin", "state", "buckets"};
	json_t **parts[] = {&sb->accounts, &sb->regions, &sb->keys, &sb->builtin, &sb->state, &sb->buckets};

	*name = i < sizeof names / sizeof names[0] ? names[i] : NULL;
	return *name != NULL ? parts[i] : NULL;
}

void sb_world_save(struct sb *sb, const char *name)
{
	json_t *copy = json_pack("{s:I}", "sequence", (json_int_t)sb->sequence), **part;
	const char *key;

	for (size_t i = 0; (part = world_part(sb, i, &key)) != NULL; i++)
		json_object_set_new(copy, key, json_deep_copy(*part));
	if (sb->saved == NULL)
		sb->saved = json_object();
	json_object_set_new(sb->saved, name, copy);
}

bool sb_world_restore(struct sb *sb, const char *name)
{
	json_t *copy = json_object_get(sb->saved, name), **part;
	const char *key;

	if (copy == NULL)
		return false;
	for (size_t i = 0; (part = world_part(sb, i, &key)) != NULL; i++) {
		json_decref(*part);
		*part = json_deep_copy(json_object_get(copy, key));
	}
	sb->sequence = (uint64_t)sb_int(copy, "sequence", 0);
	return true;
}

json_t *sb_account_regions(struct sb *sb, const char *account)
{
	json_t *own = json_object_get(json_object_get(sb->accounts, account), "Regions");

	return own == NULL ? sb->regions : own;
}

const char *sb_region_status(struct sb *sb, const char *account, const char *region)
{
	return sb_str(sb_account_regions(sb, account), region, NULL);
}

bool sb_region_enabled(struct sb *sb, const char *account, const char *region)
{
	const char *status = sb_region_status(sb, account, region);

	return status != NULL && strcmp(status, "not-opted-in") != 0;
}

const char *sb_partition(const char *region)
{
	if (strncmp(region, "cn-", 3) == 0)
		return "aws-cn";
	return strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov" : "aws";
}

json_t *sb_sub(json_t *parent, const char *name)
{
	json_t *child = json_object_get(parent, name);

	if (child == NULL && parent != NULL) {
		child = json_object();
		json_object_set_new(parent, name, child);
	}
	return child;
}

json_t *sb_state(struct sb *sb, const char *account, const char *region, const char *service)
{
	return sb_sub(sb_sub(sb_sub(sb->state, account), region), service);
}

json_t *sb_state_find(struct sb *sb, const char *account, const char *region, const char *service)
{
	return json_object_get(json_object_get(json_object_get(sb->state, account), region), service);
}

/* What is not yet visible is kept beside the value: _before_KEY until _after_KEY. */
void sb_lag_set(struct sb *sb, json_t *object, const char *key, json_t *value_stolen)
{
	if (sb->lag_ms > 0) {
		mem_auto_str char *before = mem_printf("_before_%s", key), *after = mem_printf("_after_%s", key);
		json_t *old = sb_lag_seen(object, key);

		json_object_set_new(object, before, old == NULL ? json_null() : json_incref(old));
		json_object_set_new(object, after, json_integer(sb_now_ms() + sb->lag_ms));
	}
	if (value_stolen == NULL)
		json_object_del(object, key);
	else
		json_object_set_new(object, key, value_stolen);
}

json_t *sb_lag_seen(json_t *object, const char *key)
{
	mem_auto_str char *before = mem_printf("_before_%s", key), *after = mem_printf("_after_%s", key);

	if (sb_int(object, after, 0) <= sb_now_ms())
		return json_object_get(object, key);
	object = json_object_get(object, before);
	return json_is_null(object) ? NULL : object;
}
