/* Counts of calls for the tests and benchmarks to look at, and the rate limit: one token bucket for each account,
 * region and service. */
#include "tests/sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sb_bucket {
	double tokens;
	int64_t filled_ms;
};

bool sb_rate_exceeded(struct sb_call *call)
{
	struct sb *sb = call->sb;
	struct sb_bucket *bucket;
	char key[128];
	json_t *index;

	if (sb->rate <= 0)
		return false;
	snprintf(key, sizeof key, "%s/%s/%s", call->account, call->region, call->service->name);
	index = json_object_get(sb->limit_index, key);
	if (index == NULL) {
		sb->limits = mem_resize(sb->limits, sb->limit_count + 1, sizeof *sb->limits);
		sb->limits[sb->limit_count] = (struct sb_bucket){sb->rate < 1 ? 1 : sb->rate, call->now_ms};
		index = json_integer((json_int_t)sb->limit_count++);
		json_object_set_new(sb->limit_index, key, index);
	}
	bucket = &sb->limits[json_integer_value(index)];
	bucket->tokens += sb->rate * (double)(call->now_ms - bucket->filled_ms) / 1000.0;
	bucket->filled_ms = call->now_ms;
	if (bucket->tokens > (sb->rate < 1 ? 1 : sb->rate))
		bucket->tokens = sb->rate < 1 ? 1 : sb->rate;
	if (bucket->tokens < 1)
		return true;
	bucket->tokens -= 1;
	return false;
}

void sb_rate_reset(struct sb *sb)
{
	free(sb->limits);
	sb->limits = NULL;
	sb->limit_count = 0;
	if (sb->limit_index != NULL)
		json_object_clear(sb->limit_index);
}

static void count(json_t *stats, const char *by, const char *what)
{
	json_t *group = sb_sub(stats, by), *number = json_object_get(group, what);

	if (number == NULL)
		json_object_set_new(group, what, json_integer(1));
	else
		json_integer_set(number, json_integer_value(number) + 1);
}

void sb_stats_count(struct sb_call *call, int status)
{
	const char *operation = call->op == NULL ? "?" : call->op->name;
	char text[256];

	call->sb->calls++;
	count(call->sb->stats, "Service", call->service->name);
	snprintf(text, sizeof text, "%s:%s", call->service->name, operation);
	count(call->sb->stats, "Operation", text);
	count(call->sb->stats, "Account", call->account[0] == '\0' ? "?" : call->account);
	count(call->sb->stats, "Region", call->region[0] == '\0' ? "?" : call->region);
	snprintf(text, sizeof text, "%d", status);
	count(call->sb->stats, "Status", text);
	if (call->code != NULL)
		count(call->sb->stats, "Error", call->code);
	snprintf(text, sizeof text, "%s/%s/%s:%s", call->account, call->region, call->service->name, operation);
	count(call->sb->stats, "Target", text);
	if (call->code != NULL && call->service->throttled != NULL && strcmp(call->code, call->service->throttled) == 0)
		count(call->sb->stats, "ThrottledTarget", text);
}

json_t *sb_stats(struct sb *sb)
{
	json_t *all = json_deep_copy(sb->stats);

	json_object_set_new(all, "Calls", json_integer(sb->calls));
	json_object_set_new(all, "Throttled", json_integer(sb->throttled));
	json_object_set_new(all, "InFlight", json_integer((json_int_t)sb->in_flight));
	json_object_set_new(all, "MaxConcurrency", json_integer((json_int_t)sb->in_flight_max));
	return all;
}
