/* The steps of a handler as a state machine. A list is done one after another; a list within it is done together, a
 * list within that one after another again. A step is a call, or one call for each element of ForEach, or only
 * outputs.
 *
 *   block  a list of steps under way
 *   step   one step of it: its ForEach elements and what they gave
 *   call   one element (call.c) */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "providers/aws/engine/step.h"

static void block_go(struct block *block);

bool engine_run_over(struct engine_run *run)
{
	return engine_run_cancelled(run) || run->ended;
}

/* -- Steps -------------------------------------------------------------------------------------------------------- */

const char *engine_step_service(const struct schema_type *type, const json_t *step)
{
	const char *service = json_get_string(step, "Service");

	return service != NULL ? service : type->service;
}

bool engine_operation_reads(const struct engine_run *run, const char *service, const char *operation)
{
	const struct aws_service *table = aws_service_find(run->aws, service);
	const struct aws_operation *entry = table != NULL ? aws_operation_find(table, operation) : NULL;

	return entry != NULL && entry->reads;
}

/* Variables of a ForEach step: the values without the gaps. */
static void step_gathered(struct step *step)
{
	const char *name;
	json_t *values, *value;
	size_t i;

	json_object_foreach(step->gathered, name, values)
	{
		json_t *list = json_array();

		json_array_foreach(values, i, value)
		{
			if (!json_is_null(value))
				json_array_append(list, value);
		}
		json_object_set_new(step->block->run->names, name, list);
	}
}

static void step_end(struct step *step)
{
	struct block *block = step->block;

	step_gathered(step);
	json_decref(step->elements);
	json_decref(step->gathered);
	free(step);
	block->pending--;
	if (!block->busy)
		block_go(block);
}

static void step_go(struct step *step)
{
	size_t count = step->elements != NULL ? json_array_size(step->elements) : 1;

	step->busy = true;
	while (step->next < count && (step->together || step->pending == 0) && !engine_run_over(step->block->run)) {
		step->pending++;
		engine_call_start(step, step->next++);
	}
	step->busy = false;
	if (step->pending == 0)
		step_end(step);
}

void engine_step_call_done(struct step *step)
{
	step->pending--;
	if (!step->busy)
		step_go(step);
}

/* "Batch": elements become lists of at most that many. */
static json_t *batched(json_t *elements, size_t most)
{
	json_t *batches = json_array(), *item;
	size_t i;

	json_array_foreach(elements, i, item)
	{
		if (i % most == 0)
			json_array_append_new(batches, json_array());
		json_array_append(json_array_get(batches, json_array_size(batches) - 1), item);
	}
	json_decref(elements);
	return batches;
}

static void step_elements(struct step *step, const struct engine_scope *scope)
{
	const json_t *for_each = json_object_get(step->spec, "ForEach");
	int64_t batch = json_get_int(step->spec, "Batch", 0);
	const char *name;
	json_t *expression;

	if (for_each == NULL)
		return;
	step->elements = engine_eval(scope, for_each);
	if (!json_is_array(step->elements)) {
		json_decref(step->elements);
		step->elements = json_array();
	}
	if (batch > 0)
		step->elements = batched(step->elements, (size_t)batch);
	json_object_foreach(json_object_get(step->spec, "Set"), name, expression)
	{
		json_t *values = json_array();

		for (size_t i = 0; i < json_array_size(step->elements); i++)
			json_array_append_new(values, json_null());
		json_object_set_new(step->gathered, name, values);
	}
}

/* Counts as pending in the block until step_end(). */
static void step_start(struct block *block, const json_t *spec)
{
	struct engine_run *run = block->run;
	const struct engine_scope scope = {NULL, run->names, run->type};
	const char *call = json_get_string(spec, "Call"), *forget = json_get_string(spec, "Forget");
	struct step *step;

	if (!engine_condition(&scope, json_object_get(spec, "When")))
		return;
	if (forget != NULL)
		engine_forget(run->aws, &run->target, forget);
	step = mem_alloc(sizeof *step);
	step->block = block;
	step->spec = spec;
	step->gathered = json_object();
	step->together = call == NULL || engine_operation_reads(run, engine_step_service(run->type, spec), call);
	step_elements(step, &scope);
	block->pending++;
	step_go(step);
}

/* -- Blocks ------------------------------------------------------------------------------------------------------- */

static void block_start(struct engine_run *run, struct block *up, const json_t *steps, bool together,
			engine_steps_done *done)
{
	struct block *block = mem_alloc(sizeof *block);

	block->run = run;
	block->up = up;
	block->steps = steps;
	block->together = together;
	block->done = done;
	block_go(block);
}

static void block_end(struct block *block)
{
	struct engine_run *run = block->run;
	struct block *up = block->up;
	engine_steps_done *done = block->done;

	free(block);
	if (up == NULL) {
		done(run);
		return;
	}
	up->pending--;
	if (!up->busy)
		block_go(up);
}

static void block_go(struct block *block)
{
	block->busy = true;
	while (block->next < json_array_size(block->steps) && (block->together || block->pending == 0) &&
	       !engine_run_over(block->run)) {
		const json_t *step = json_array_get(block->steps, block->next++);

		if (json_is_array(step)) {
			block->pending++;
			block_start(block->run, block, step, !block->together, NULL);
		} else {
			step_start(block, step);
		}
	}
	block->busy = false;
	if (block->pending == 0)
		block_end(block);
}

void engine_steps_run(struct engine_run *run, const json_t *steps, engine_steps_done *done)
{
	block_start(run, NULL, steps, false, done);
}
