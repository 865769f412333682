/* What one resource costs muster alone: plans and applies a spec directory against a provider in this process that
 * answers at once and holds nothing, with a real state on a real disk. Prints one line of JSON.
 *
 *   commit DIRECTORY [--plan-only]
 *
 * The state is DIRECTORY/.muster, which must not exist; it stays, with what the apply recorded, for others to look at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/mem.h"

#define LINEAGE "01BENCHMARK000000000000000"

/* -- A provider that answers at once ------------------------------------------------------------------------------- */

struct provider_account {
	char id[16];
	struct provider_account *next;
};

struct instant {
	struct provider provider;
	struct provider *aws; /* for its types */
	struct loop *loop;
	struct provider_account *accounts;
	uint64_t calls;
};

struct answer {
	struct instant *instant;
	const struct provider_call *call;
	bool create;
};

static const struct schema_set *instant_schemas(struct provider *p)
{
	struct provider *aws = ((struct instant *)p)->aws;

	return aws->ops->schemas(aws);
}

static int instant_account_add(struct provider *p, const char *name, const char *id, const json_t *access,
			       struct provider_account **out, struct diag *d)
{
	struct instant *instant = (struct instant *)p;

	(void)name;
	(void)access;
	(void)d;
	*out = mem_alloc(sizeof **out);
	snprintf((*out)->id, sizeof(*out)->id, "%s", id);
	(*out)->next = instant->accounts;
	instant->accounts = *out;
	return 0;
}

struct regions_answer {
	provider_regions_done *done;
	void *payload;
};

static void regions_give(void *payload)
{
	struct regions_answer *answer = payload;
	struct provider_result result = {.outcome = PROVIDER_DONE};

	answer->done(answer->payload, &result, specs_default_regions("aws"));
	free(answer);
}

static void instant_regions(struct provider *p, struct provider_account *account, provider_regions_done *done,
			    void *payload)
{
	struct regions_answer *answer = mem_alloc(sizeof *answer);

	(void)account;
	*answer = (struct regions_answer){done, payload};
	loop_defer(((struct instant *)p)->loop, regions_give, answer);
}

/* All attributes of the type: those that follow from the name as they do, the others made up. */
static json_t *attributes_of(const struct provider_call *call)
{
	const struct schema_type *type = call->type;
	struct schema_place place = {call->target.account->id, call->target.region, "aws", specs_url_suffix("aws")};
	json_t *attributes = json_object();

	for (size_t i = 0; i < type->attribute_count; i++) {
		const char *predict = type->attributes[i].predict;
		mem_auto_str char *value = NULL;

		if (predict == NULL || schema_template_fill(&value, predict, call->properties, NULL, &place) != 1)
			value = mem_printf("made-up-%.16s", call->token);
		json_object_set_new(attributes, type->attributes[i].name, json_string(value));
	}
	return attributes;
}

static void call_answer(void *payload)
{
	struct answer *answer = payload;
	const struct provider_call *call = answer->call;
	json_auto_t *attributes = answer->create ? attributes_of(call) : NULL;
	struct provider_result result = {.outcome = answer->create ? PROVIDER_DONE : PROVIDER_ABSENT,
					 .attributes = attributes,
					 .exists = answer->create};

	free(answer);
	call->done(call->payload, &result);
}

static void call_take(struct provider *p, const struct provider_call *call, bool create)
{
	struct instant *instant = (struct instant *)p;
	struct answer *answer = mem_alloc(sizeof *answer);

	instant->calls++;
	*answer = (struct answer){instant, call, create};
	loop_defer(instant->loop, call_answer, answer);
}

static void instant_find(struct provider *p, const struct provider_call *call)
{
	call_take(p, call, false);
}

static void instant_create(struct provider *p, const struct provider_call *call)
{
	call_take(p, call, true);
}

static void instant_stats(struct provider *p, struct provider_stats *out)
{
	*out = (struct provider_stats){.calls = ((struct instant *)p)->calls};
}

/* Nothing is there before, so nothing is ever read, updated or deleted. */
static const struct provider_ops instant_ops = {
    .schemas = instant_schemas,
    .account_add = instant_account_add,
    .regions = instant_regions,
    .find = instant_find,
    .create = instant_create,
    .stats = instant_stats,
};

static int instant_open(struct instant *instant, struct loop *loop, struct diag *d)
{
	const struct provider_settings settings = {.home_region = "eu-west-1", .user_agent = "bench"};

	*instant = (struct instant){.provider = {&instant_ops}, .loop = loop};
	return provider_aws_new(&instant->aws, loop, &settings, d);
}

static void instant_close(struct instant *instant)
{
	struct provider_account *account;

	while ((account = instant->accounts) != NULL) {
		instant->accounts = account->next;
		free(account);
	}
	if (instant->aws != NULL)
		instant->aws->ops->free(instant->aws);
}

/* -- Cost ---------------------------------------------------------------------------------------------------------- */

struct cost {
	double wall, user, system;
	long peak_kb, written_kb;
};

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static struct cost cost_now(void)
{
	struct timespec now;
	struct rusage used;

	clock_gettime(CLOCK_MONOTONIC, &now);
	getrusage(RUSAGE_SELF, &used);
	return (struct cost){(double)now.tv_sec + (double)now.tv_nsec / 1e9, seconds(used.ru_utime),
			     seconds(used.ru_stime), used.ru_maxrss, used.ru_oublock / 2};
}

static void cost_print(const char *name, struct cost from, struct cost to)
{
	printf("\"%s\": {\"wall\": %.4f, \"user\": %.4f, \"system\": %.4f, \"peak_kb\": %ld, \"written_kb\": %ld}, ",
	       name, to.wall - from.wall, to.user - from.user, to.system - from.system, to.peak_kb,
	       to.written_kb - from.written_kb);
}

/* -- The run ------------------------------------------------------------------------------------------------------- */

struct bench {
	struct diag d;
	struct loop *loop;
	struct instant instant;
	struct specs_source source;
	struct specs *specs;
	struct state *state;
	struct plan *plan;
	struct apply_report *report;
};

static int bench_plan(struct bench *b)
{
	const struct specs_options load = {.lineage = LINEAGE};
	const struct plan_options options = {.refresh = true, .lineage = LINEAGE};

	if (specs_load(&b->specs, &b->source, instant_schemas(&b->instant.provider), &load, &b->d) < 0)
		return -1;
	return plan_make(&b->plan, b->loop, &b->instant.provider, b->specs, b->state, &options, &b->d);
}

static int bench_apply(struct bench *b)
{
	const struct apply_options options = {0};

	if (apply_run(&b->report, b->loop, &b->instant.provider, b->state, b->plan, &options, &b->d) < 0)
		return -1;
	if (b->report->created != b->plan->change_count)
		return diag_error(&b->d, "%zu of %zu created", b->report->created, b->plan->change_count);
	return 0;
}

static int bench_run(struct bench *b, const char *directory, bool plan_only)
{
	mem_auto_str char *path = mem_printf("%s/.muster", directory), *data = mem_printf("%s/data.mdb", path);
	struct cost start, planned, applied;
	struct stat st = {0};

	if (access(data, F_OK) == 0)
		return diag_error(&b->d, "%s: there is a state already", path);
	if (loop_new(&b->loop, &b->d) < 0 || instant_open(&b->instant, b->loop, &b->d) < 0 ||
	    specs_source_directory(&b->source, directory, &b->d) < 0 ||
	    state_open(&b->state, path, STATE_WRITE, &b->d) < 0)
		return -1;
	start = cost_now();
	if (bench_plan(b) < 0)
		return -1;
	planned = cost_now();
	if (!plan_only && bench_apply(b) < 0)
		return -1;
	applied = cost_now();
	stat(data, &st);
	printf("{\"resources\": %zu, ", b->plan->change_count);
	cost_print("plan", start, planned);
	cost_print("apply", planned, applied);
	printf("\"state_bytes\": %lld}\n", (long long)st.st_size);
	return 0;
}

int main(int argc, char **argv)
{
	bool plan_only = argc == 3 && strcmp(argv[2], "--plan-only") == 0;
	struct bench b = {0};
	int rc;

	if (argc != 2 && !plan_only) {
		fprintf(stderr, "usage: commit DIRECTORY [--plan-only]\n");
		return 1;
	}
	rc = bench_run(&b, argv[1], plan_only);
	diag_print(&b.d, stderr, false);
	apply_report_free(b.report);
	if (b.plan != NULL)
		plan_free(b.plan);
	specs_free(b.specs);
	specs_source_free(&b.source);
	instant_close(&b.instant);
	state_close(b.state);
	loop_free(b.loop);
	diag_free(&b.d);
	return rc < 0;
}
