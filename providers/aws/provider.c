/* The AWS provider: provider_ops on top of sessions, API calls and the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "providers/aws/transport.h"

/* A question to one account: which regions, or who am I there. */
struct question {
	struct aws *aws;
	union {
		provider_regions_done *regions;
		provider_access_done *access;
	} done;
	void *payload;
};

static struct aws *aws_of(struct provider *p)
{
	return (struct aws *)p;
}

/* -- What the other files ask -------------------------------------------------------------------------------------- */

struct loop *aws_loop(struct aws *aws)
{
	return aws->loop;
}

const char *aws_partition(const struct aws *aws)
{
	return aws->partition;
}

struct aws_engine *aws_engine(struct aws *aws)
{
	return aws->engine;
}

const struct aws_services *aws_services(const struct aws *aws)
{
	return aws->services;
}

int64_t aws_wall_ms(const struct aws *aws)
{
	return loop_wall_ms() + aws->skew_ms;
}

/* -- Questions ----------------------------------------------------------------------------------------------------- */

static struct question *question_new(struct aws *aws, void *payload)
{
	struct question *question = mem_alloc(sizeof *question);

	question->aws = aws;
	question->payload = payload;
	return question;
}

static struct provider_result question_result(const struct aws_api_result *result, const char *operation)
{
	return (struct provider_result){.outcome = result->outcome,
					.code = result->code,
					.message = result->message,
					.request_id = result->request_id,
					.operation = operation};
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool region_is_enabled(const json_t *region)
{
	const char *status = json_get_string(region, "OptInStatus");

	return status == NULL || strcmp(status, "opt-in-not-required") == 0 || strcmp(status, "opted-in") == 0;
}

static void on_regions(void *payload, const struct aws_api_result *result)
{
	struct question *question = payload;
	struct provider_result answer = question_result(result, "ec2:DescribeRegions");
	const json_t *regions = json_object_get(result->output, "Regions");
	const char **names = mem_array(json_array_size(regions) + 1, sizeof names[0]);
	size_t count = 0, i;
	json_t *region;

	json_array_foreach(regions, i, region)
	{
		const char *name = json_get_string(region, "RegionName");

		/* A fleet lives in one partition; servers other than AWS may name regions of them all. */
		if (name != NULL && region_is_enabled(region) &&
		    strcmp(aws_partition_of(name), question->aws->partition) == 0)
			names[count++] = name;
	}
	qsort(names, count, sizeof names[0], name_compare);
	if (answer.outcome == PROVIDER_DONE && count == 0) {
		answer.outcome = PROVIDER_FAILED;
		answer.code = "UnreadableAnswer";
		answer.message = "the answer names no region";
	}
	question->done.regions(question->payload, &answer, answer.outcome == PROVIDER_DONE ? names : NULL);
	free(names);
	free(question);
}

static void aws_regions(struct provider *p, struct provider_account *account, provider_regions_done *done,
			void *payload)
{
	struct question *question = question_new(aws_of(p), payload);
	const struct provider_target target = {
	    .account = account, .region = question->aws->home_region, .access = PROVIDER_READS};
	json_auto_t *input = json_pack("{s:b}", "AllRegions", 1);

	question->done.regions = done;
	aws_api_call(question->aws, &target, "ec2", "DescribeRegions", input, true, on_regions, question);
}

static void on_identity(void *payload, const struct aws_api_result *result)
{
	struct question *question = payload;
	struct provider_result answer = question_result(result, "sts:GetCallerIdentity");

	question->done.access(question->payload, &answer, json_get_string(result->output, "Arn"));
	free(question);
}

static void aws_access(struct provider *p, const struct provider_target *target, provider_access_done *done,
		       void *payload)
{
	struct question *question = question_new(aws_of(p), payload);

	question->done.access = done;
	aws_api_call(question->aws, target, "sts", "GetCallerIdentity", NULL, true, on_identity, question);
}

/* -- Resources ----------------------------------------------------------------------------------------------------- */

static const struct schema_set *aws_schemas(struct provider *p)
{
	return aws_of(p)->schemas;
}

static int account_add(struct provider *p, const char *name, const char *id, const json_t *access,
		       struct provider_account **out, struct diag *d)
{
	return aws_account_add(aws_of(p), name, id, access, out, d);
}

static void aws_read(struct provider *p, const struct schema_type *type, const struct provider_target *target,
		     const struct provider_read_item *items, size_t count)
{
	aws_engine_read(aws_of(p), type, target, items, count);
}

static void aws_find(struct provider *p, const struct provider_call *call)
{
	aws_engine_run(aws_of(p), AWS_FIND, call);
}

static void aws_create(struct provider *p, const struct provider_call *call)
{
	aws_engine_run(aws_of(p), AWS_CREATE, call);
}

static void aws_update(struct provider *p, const struct provider_call *call)
{
	aws_engine_run(aws_of(p), AWS_UPDATE, call);
}

static void aws_remove(struct provider *p, const struct provider_call *call)
{
	aws_engine_run(aws_of(p), AWS_DELETE, call);
}

static void aws_cancel(struct provider *p)
{
	struct aws *aws = aws_of(p);

	aws_engine_cancel(aws);
	aws_sender_cancel(aws->sender, false);
	for (size_t i = 0; i < aws->session_count; i++)
		aws_session_cancel(aws->sessions[i]);
}

static void aws_stats(struct provider *p, struct provider_stats *out)
{
	*out = (struct provider_stats){.sessions = aws_of(p)->sessions_opened};
	aws_sender_stats(aws_of(p)->sender, out);
}

int64_t provider_aws_base_ends_ms(struct provider *p)
{
	const struct aws *aws = aws_of(p);
	int64_t first_ms = 0;

	for (size_t i = 0; i < aws->session_count; i++) {
		int64_t final_ms = aws_session_final_ms(aws->sessions[i]);

		if (final_ms != 0 && (first_ms == 0 || final_ms < first_ms))
			first_ms = final_ms;
	}
	return first_ms;
}

/* -- Life ---------------------------------------------------------------------------------------------------------- */

static void aws_free(struct provider *p)
{
	struct aws *aws = aws_of(p);

	/* The sender calls back what is left, so all that its callbacks use goes after it. */
	aws_sender_free(aws->sender);
	aws_engine_free(aws->engine);
	aws_accounts_free(aws);
	aws_services_free(aws->services);
	schema_set_free(aws->schemas);
	aws_config_free(aws->config);
	free(aws->config_error);
	free(aws->home_region);
	free(aws->user_agent);
	free(aws);
}

/* Without a home region in the settings: what the SDKs would take. */
static char *home_region(const struct provider_settings *settings)
{
	const char *region = settings->home_region;

	if (region == NULL || region[0] == '\0')
		region = getenv("AWS_REGION");
	if (region == NULL || region[0] == '\0')
		region = getenv("AWS_DEFAULT_REGION");
	return mem_strdup(region == NULL || region[0] == '\0' ? "us-east-1" : region);
}

int provider_aws_new(struct provider **out, struct loop *loop, const struct provider_settings *settings, struct diag *d)
{
	static const struct provider_ops ops = {
	    .schemas = aws_schemas,
	    .account_add = account_add,
	    .regions = aws_regions,
	    .access = aws_access,
	    .read = aws_read,
	    .find = aws_find,
	    .create = aws_create,
	    .update = aws_update,
	    .remove = aws_remove,
	    .cancel = aws_cancel,
	    .stats = aws_stats,
	    .free = aws_free,
	};
	struct aws *aws = mem_alloc(sizeof *aws);

	aws->provider.ops = &ops;
	aws->loop = loop;
	aws->home_region = home_region(settings);
	aws->user_agent = mem_strdup(settings->user_agent == NULL ? "muster" : settings->user_agent);
	aws->partition = aws_partition_of(aws->home_region);
	aws->sender = aws_sender_new(aws);
	aws->engine = aws_engine_new();
	if (schema_set_new(&aws->schemas, d) < 0 || aws_services_load(&aws->services, d) < 0 ||
	    aws_engine_types_load(aws->schemas, d) < 0) {
		aws_free(&aws->provider);
		return -1;
	}
	*out = &aws->provider;
	return 0;
}
