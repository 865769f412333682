/* One verb on one resource: from the provider's call to handlers to the provider's result. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/aws/engine/engine.h"

static void run_phase(struct engine_run *run);

/* -- Making and ending -------------------------------------------------------------------------------------------- */

static void names_place(json_t *names, struct aws *aws, const struct provider_target *target)
{
	const char *partition = aws_partition(aws);

	json_object_set_new(names, "AWS::AccountId", json_string(aws_account_id(target->account)));
	json_object_set_new(names, "AWS::Region", json_string(target->region));
	json_object_set_new(names, "AWS::Partition", json_string(partition));
	json_object_set_new(names, "AWS::URLSuffix",
			    json_string(strcmp(partition, "aws-cn") == 0 ? "amazonaws.com.cn" : "amazonaws.com"));
}

/* What follows from the properties is known before the service says so; what was recorded stands over it. */
static json_t *attributes_known(const struct schema_type *type, const json_t *names, const json_t *properties,
				const json_t *recorded)
{
	const struct schema_place place = {
	    .account_id = json_string_value(json_object_get(names, "AWS::AccountId")),
	    .region = json_string_value(json_object_get(names, "AWS::Region")),
	    .partition = json_string_value(json_object_get(names, "AWS::Partition")),
	    .url_suffix = json_string_value(json_object_get(names, "AWS::URLSuffix")),
	};
	json_t *attributes = json_object();

	for (size_t i = 0; i < type->attribute_count; i++) {
		const struct schema_attribute *attribute = &type->attributes[i];
		char *value;

		if (attribute->predict == NULL ||
		    !schema_template_fill(&value, attribute->predict, properties, recorded, &place))
			continue;
		json_object_set_new(attributes, attribute->name, json_string(value));
		free(value);
	}
	json_object_update(attributes, (json_t *)recorded);
	return attributes;
}

struct engine_run *engine_run_new(struct aws *aws, const struct schema_type *type, const struct provider_target *target,
				  enum engine_verb verb, const json_t *properties, const json_t *attributes)
{
	struct engine_run *run = mem_alloc(sizeof *run);
	json_t *filled = engine_with_defaults(&type->properties, properties, false);

	run->aws = aws;
	run->type = type;
	run->target = *target;
	run->target.region = mem_strdup(target->region);
	run->verb = verb;
	run->cancels = engine_cancels(aws);
	run->names = json_object();
	names_place(run->names, aws, target);
	run->attributes = attributes_known(type, run->names, filled, attributes);
	json_object_set(run->names, "Attributes", run->attributes);
	json_object_set_new(run->names, "Properties", filled);
	return run;
}

static void run_free(struct engine_run *run)
{
	json_decref(run->names);
	json_decref(run->attributes);
	json_decref(run->live);
	engine_batch_free(run->batch);
	free((char *)run->target.region);
	free(run->code);
	free(run->message);
	free(run->operation);
	free(run->request_id);
	free(run);
}

void engine_run_end(struct engine_run *run, enum provider_outcome outcome, const char *service, const char *operation,
		    const char *code, const char *message, const char *request_id)
{
	if (run->ended)
		return;
	run->ended = true;
	run->outcome = outcome;
	run->code = mem_strdup(code);
	run->message = mem_strdup(message);
	run->request_id = mem_strdup(request_id);
	if (service != NULL && operation != NULL)
		run->operation = mem_printf("%s:%s", service, operation);
}

bool engine_run_cancelled(struct engine_run *run)
{
	if (run->cancels == engine_cancels(run->aws))
		return false;
	engine_run_end(run, PROVIDER_CANCELLED, NULL, NULL, "Cancelled", "stopped before it was done", NULL);
	return true;
}

/* -- Results ------------------------------------------------------------------------------------------------------ */

/* What the first failure means for the whole, given what was done before it. */
static enum provider_outcome run_outcome(const struct engine_run *run)
{
	if (!run->ended)
		return PROVIDER_DONE;
	if (run->outcome == PROVIDER_ABSENT && run->verb == ENGINE_DELETE)
		return PROVIDER_DONE;
	if (run->outcome == PROVIDER_ABSENT && run->verb == ENGINE_CREATE)
		return run->made ? PROVIDER_FAILED : PROVIDER_REFUSED;
	if (run->made && (run->outcome == PROVIDER_REFUSED || run->outcome == PROVIDER_UNREACHABLE))
		return PROVIDER_FAILED;
	return run->outcome;
}

static bool run_exists(const struct engine_run *run, enum provider_outcome outcome)
{
	if (run->verb == ENGINE_CREATE)
		return run->accepted;
	if (run->verb == ENGINE_UPDATE || run->verb == ENGINE_DELETE)
		return outcome != PROVIDER_DONE && outcome != PROVIDER_ABSENT;
	return false;
}

static void run_finish(struct engine_run *run)
{
	enum provider_outcome outcome = run_outcome(run);
	bool looks = run->verb == ENGINE_READ || run->verb == ENGINE_FIND;
	json_t *live =
	    outcome == PROVIDER_DONE && looks ? engine_with_defaults(&run->type->properties, run->live, true) : NULL;
	const struct provider_result result = {
	    .outcome = outcome,
	    .properties = live,
	    .attributes = run->attributes,
	    .exists = run_exists(run, outcome),
	    .code = outcome == PROVIDER_DONE ? NULL : run->code,
	    .message = outcome == PROVIDER_DONE ? NULL : run->message,
	    .operation = run->operation,
	    .request_id = run->request_id,
	};

	run->done(run->payload, &result);
	json_decref(live);
	run_free(run);
}

/* -- Postponed calls ---------------------------------------------------------------------------------------------- */

struct late {
	struct engine_run *run;
	struct engine_postponed *postponed;
};

static void late_next(struct engine_run *run);

static void late_called(void *payload, const struct aws_api_result *result)
{
	struct late *late = payload;
	struct engine_run *run = late->run;

	if (result->outcome != PROVIDER_DONE)
		engine_run_end(run, result->outcome, late->postponed->service, late->postponed->operation, result->code,
			       result->message, result->request_id);
	engine_postponed_free(late->postponed);
	free(late);
	late_next(run);
}

/* Makes the calls that have waited for what this run has created, one after another. */
static void late_next(struct engine_run *run)
{
	struct engine_postponed *postponed = NULL;
	struct late *late;

	if (!run->ended)
		postponed = engine_postponed_take(run->aws, &run->target, run->type->name);
	if (postponed == NULL) {
		run_finish(run);
		return;
	}
	late = mem_alloc(sizeof *late);
	late->run = run;
	late->postponed = postponed;
	aws_api_call(run->aws, &run->target, postponed->service, postponed->operation, postponed->input, true,
		     late_called, late);
}

/* -- Phases ------------------------------------------------------------------------------------------------------- */

/* The handlers that a verb runs, in order. Finding is learning who it is, then reading it. */
static const char *verb_handler(const struct engine_run *run, size_t phase)
{
	static const char *const names[][3] = {
	    [ENGINE_FIND] = {"Find", "Read", NULL}, [ENGINE_CREATE] = {"Create", NULL},
	    [ENGINE_UPDATE] = {"Update", NULL},     [ENGINE_DELETE] = {"Delete", NULL},
	    [ENGINE_READ] = {"Read", NULL},
	};

	return names[run->verb][phase];
}

static void run_phase_done(struct engine_run *run)
{
	run->phase++;
	run_phase(run);
}

static void run_phase(struct engine_run *run)
{
	const char *handler = verb_handler(run, run->phase);
	const json_t *steps = handler != NULL ? json_object_get(run->type->handlers, handler) : NULL;

	if (!run->ended && steps != NULL) {
		engine_steps_run(run, steps, run_phase_done);
	} else if (!run->ended && handler != NULL) {
		/* Only Find may be left out, and Update where every property is create-only. */
		run->phase++;
		run_phase(run);
	} else if (!run->ended && run->verb == ENGINE_CREATE) {
		late_next(run);
	} else {
		run_finish(run);
	}
}

static void run_begin(void *payload)
{
	struct engine_run *run = payload;

	if (!engine_run_cancelled(run)) {
		run_phase(run);
		return;
	}
	run_finish(run);
}

void engine_run_start(struct engine_run *run)
{
	loop_defer(aws_loop(run->aws), run_begin, run);
}

void aws_engine_run(struct aws *aws, enum aws_verb verb, const struct provider_call *call)
{
	static const enum engine_verb verbs[] = {
	    [AWS_FIND] = ENGINE_FIND,
	    [AWS_CREATE] = ENGINE_CREATE,
	    [AWS_UPDATE] = ENGINE_UPDATE,
	    [AWS_DELETE] = ENGINE_DELETE,
	};
	struct engine_run *run =
	    engine_run_new(aws, call->type, &call->target, verbs[verb], call->properties, call->attributes);

	if (call->prior != NULL)
		json_object_set_new(run->names, "Prior",
				    engine_with_defaults(&call->type->properties, call->prior, true));
	if (call->token != NULL)
		json_object_set_new(run->names, "Token", json_string(call->token));
	if (call->address != NULL)
		json_object_set_new(run->names, "Address", json_string(call->address));
	run->progress = call->progress;
	run->done = call->done;
	run->payload = call->payload;
	engine_run_start(run);
}
