/* One element of a step: evaluated, fetched, waited for (Until), its outputs taken. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/engine/step.h"

#define UNTIL_EVERY_SECONDS   2
#define UNTIL_TIMEOUT_SECONDS 300

struct call {
	struct step *step;
	size_t index;
	json_t *locals; /* Item (or As), Response */
	int64_t started_ms;
	const char *service, *operation; /* operation NULL: only outputs */
	bool reads;
};

static void call_go(void *payload);

/* -- Outputs ----------------------------------------------------------------------------------------------- */

static void call_scope(const struct call *call, struct engine_scope *outer, struct engine_scope *inner)
{
	const struct engine_run *run = call->step->block->run;

	*outer = (struct engine_scope){NULL, run->names, run->type};
	*inner = (struct engine_scope){outer, call->locals, NULL};
}

static void call_end(struct call *call)
{
	struct step *step = call->step;

	json_decref(call->locals);
	free(call);
	engine_step_call_done(step);
}

static void output_set(const struct call *call, const struct engine_scope *scope)
{
	struct step *step = call->step;
	const json_t *set = json_object_get(step->spec, "Set");
	const char *name;
	json_t *expression, *value;

	json_object_foreach((json_t *)set, name, expression)
	{
		value = engine_eval(scope, expression);
		if (step->elements != NULL)
			json_array_set_new(json_object_get(step->gathered, name), call->index,
					   value != NULL ? value : json_null());
		else if (value != NULL)
			json_object_set_new(step->block->run->names, name, value);
	}
}

static void output_attributes(const struct call *call, const struct engine_scope *scope)
{
	struct engine_run *run = call->step->block->run;
	const json_t *set = json_object_get(call->step->spec, "Attributes");
	const char *name;
	json_t *expression, *value;
	bool learned = false;

	json_object_foreach((json_t *)set, name, expression)
	{
		value = engine_eval(scope, expression);
		if (value == NULL)
			continue;
		json_object_set_new(run->attributes, name, value);
		learned = true;
	}
	if (learned && run->verb == ENGINE_CREATE && run->progress != NULL)
		run->progress(run->payload, run->attributes);
}

static void output_properties(const struct call *call, const struct engine_scope *scope)
{
	struct engine_run *run = call->step->block->run;
	const json_t *template = json_object_get(call->step->spec, "Properties");
	json_t *properties;

	if (template == NULL)
		return;
	properties = engine_eval_object(scope, template);
	if (run->live == NULL)
		run->live = json_object();
	json_object_update(run->live, properties);
	json_decref(properties);
}

/* "Fail": {"When", "Code", "Message"}: an answer that says in its own way that it was a failure. */
static bool call_fails(const struct call *call, const struct engine_scope *scope)
{
	const json_t *fail = json_object_get(call->step->spec, "Fail");

	if (fail == NULL || !engine_condition(scope, json_object_get(fail, "When")))
		return false;
	mem_auto_str char *code = engine_eval_string(scope, json_object_get(fail, "Code"));
	mem_auto_str char *message = engine_eval_string(scope, json_object_get(fail, "Message"));

	engine_run_end(call->step->block->run, PROVIDER_FAILED, call->service, call->operation,
		       code != NULL ? code : "Failed", message, NULL);
	return true;
}

static void call_outputs(struct call *call)
{
	const json_t *absent = json_object_get(call->step->spec, "Absent");
	struct engine_scope outer, inner;

	call_scope(call, &outer, &inner);
	if (call_fails(call, &inner))
		return;
	if (absent != NULL && engine_condition(&inner, absent)) {
		engine_run_end(call->step->block->run, PROVIDER_ABSENT, call->service, call->operation, NULL, NULL,
			       NULL);
		return;
	}
	output_attributes(call, &inner);
	output_set(call, &inner);
	output_properties(call, &inner);
}

/* -- Answers ----------------------------------------------------------------------------------------------- */

/* Whether a list of codes, or of {"Code", "Message"} with globs, names this error. Also one that was told when the
 * call was made again after a lost answer: what the service says then is as true. */
static bool error_listed(const json_t *list, const struct aws_api_result *result)
{
	json_t *entry;
	size_t i;

	if ((result->outcome != PROVIDER_REFUSED && result->outcome != PROVIDER_FAILED) || result->code == NULL)
		return false;
	json_array_foreach((json_t *)list, i, entry)
	{
		const char *code = json_is_string(entry) ? json_string_value(entry) : json_get_string(entry, "Code");
		const char *message = json_get_string(entry, "Message");

		if (code != NULL && text_glob(code, result->code) &&
		    (message == NULL || text_glob(message, result->message != NULL ? result->message : "")))
			return true;
	}
	return false;
}

/* True when the call is to be made once more, later. */
static bool call_until(struct call *call)
{
	const json_t *until = json_object_get(call->step->spec, "Until");
	struct engine_run *run = call->step->block->run;
	struct engine_scope outer, inner;
	int64_t timeout_s = json_get_int(until, "Timeout", UNTIL_TIMEOUT_SECONDS);

	call_scope(call, &outer, &inner);
	if (until == NULL || engine_condition(&inner, json_object_get(until, "Condition")))
		return false;
	if (loop_now_ms(aws_loop(run->aws)) - call->started_ms >= 1000 * timeout_s) {
		mem_auto_str char *message = mem_printf("not as expected after %lld seconds", (long long)timeout_s);

		engine_run_end(run, PROVIDER_FAILED, call->service, call->operation, "Timeout", message, NULL);
		return false;
	}
	engine_wait(run->aws, 1000 * json_get_int(until, "Every", UNTIL_EVERY_SECONDS), call_go, call);
	return true;
}

static void call_postpone(struct call *call, const json_t *postpone)
{
	struct engine_run *run = call->step->block->run;
	struct engine_scope outer, inner;
	json_t *input;

	call_scope(call, &outer, &inner);
	input = engine_eval_object(&inner, json_object_get(call->step->spec, "Input"));
	engine_postpone(run->aws, &run->target, json_get_string(postpone, "Until"), call->service, call->operation,
			input);
	json_decref(input);
}

/* An error that the step does not foresee ends the run. */
static void call_failed(struct call *call, const struct aws_api_result *result)
{
	const json_t *spec = call->step->spec, *postpone = json_object_get(spec, "Postpone");

	if (error_listed(json_object_get(spec, "NotFound"), result)) {
		engine_run_end(call->step->block->run, PROVIDER_ABSENT, call->service, call->operation, result->code,
			       result->message, result->request_id);
	} else if (error_listed(json_object_get(spec, "Ignore"), result)) {
		call_outputs(call);
	} else if (error_listed(json_object_get(postpone, "Codes"), result)) {
		call_postpone(call, postpone);
	} else {
		engine_run_end(call->step->block->run, result->outcome, call->service, call->operation, result->code,
			       result->message, result->request_id);
	}
}

static void call_answered(void *payload, const struct aws_api_result *result)
{
	struct call *call = payload;
	struct engine_run *run = call->step->block->run;

	/* A lost answer may have been acted upon. */
	if (!call->reads && (result->outcome == PROVIDER_DONE || result->outcome == PROVIDER_FAILED))
		run->made = true;
	if (!call->reads && result->outcome == PROVIDER_DONE)
		run->accepted = true;
	json_object_del(call->locals, "Response");
	if (result->outcome == PROVIDER_DONE) {
		json_object_set(call->locals, "Response", result->output);
		if (!run->ended && call_until(call))
			return;
		if (!run->ended)
			call_outputs(call);
	} else {
		call_failed(call, result);
	}
	call_end(call);
}

/* -- Questions --------------------------------------------------------------------------------------------- */

/* Calls of these kinds have the same effect when they are made twice, so a lost answer may be asked for again. */
static bool name_idempotent(const char *operation)
{
	static const char *const verbs[] = {"Put",    "Set",    "Update",  "Delete", "Remove", "Start", "Stop",
					    "Attach", "Detach", "Disable", "Tag",    "Untag",  NULL};

	for (size_t i = 0; verbs[i] != NULL; i++)
		if (text_starts(operation, verbs[i]))
			return true;
	return false;
}

static bool mentions_token(const json_t *template)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(template))
		return strstr(json_string_value(template), "${Token}") != NULL;
	json_array_foreach((json_t *)template, i, item)
	{
		if (mentions_token(item))
			return true;
	}
	json_object_foreach((json_t *)template, key, item)
	{
		if (mentions_token(item))
			return true;
	}
	return false;
}

static void call_send(struct call *call, const struct engine_scope *scope)
{
	const json_t *spec = call->step->spec, *template = json_object_get(spec, "Input");
	struct engine_run *run = call->step->block->run;
	mem_auto_str char *region = engine_eval_string(scope, json_object_get(spec, "Region"));
	struct engine_request request = {
	    .aws = run->aws,
	    .target = run->target,
	    .service = call->service,
	    .operation = call->operation,
	    .input = engine_eval_object(scope, template),
	    .step = spec,
	    .reads = call->reads,
	    /* A token may only be a mark to find it by (a tag): then the type says that the service takes no heed of
	       it. */
	    .idempotent = call->reads || json_get_bool(spec, "Idempotent",
						       name_idempotent(call->operation) || mentions_token(template)),
	    /* What is waited for must be asked anew each time. */
	    .batch = json_object_get(spec, "Until") == NULL ? run->batch : NULL,
	};
	json_t *input = request.input, *postpone = json_object_get(spec, "Postpone");

	if (postpone != NULL && json_object_get(postpone, "Codes") == NULL) {
		engine_postpone(run->aws, &run->target, json_get_string(postpone, "Until"), call->service,
				call->operation, input);
		json_decref(input);
		call_end(call);
		return;
	}
	if (region != NULL)
		request.target.region = region;
	engine_fetch(&request, call_answered, call);
	json_decref(input);
}

static void call_go(void *payload)
{
	struct call *call = payload;
	struct engine_scope outer, inner;

	if (engine_run_over(call->step->block->run)) {
		call_end(call);
		return;
	}
	call_scope(call, &outer, &inner);
	if (call->operation != NULL) {
		call_send(call, &inner);
		return;
	}
	call_outputs(call);
	call_end(call);
}

void engine_call_start(struct step *step, size_t index)
{
	struct engine_run *run = step->block->run;
	const char *as = json_get_string(step->spec, "As");
	struct call *call = mem_alloc(sizeof *call);

	call->step = step;
	call->index = index;
	call->locals = json_object();
	if (step->elements != NULL)
		json_object_set(call->locals, as != NULL ? as : "Item", json_array_get(step->elements, index));
	call->started_ms = loop_now_ms(aws_loop(run->aws));
	call->operation = json_get_string(step->spec, "Call");
	call->service = engine_step_service(run->type, step->spec);
	call->reads = call->operation == NULL || engine_operation_reads(run, call->service, call->operation);
	call_go(call);
}
