/* Ops as such: their lists, the calls that they make to the provider, and results that last. What a node has to do is
 * in node.c. */
#include <stdarg.h>
#include <stdlib.h>

#include "apply/run.h"
#include "base/mem.h"

/* -- Ops and lists ------------------------------------------------------------------------------------------------- */

void apply_op_push(struct apply_op_list *list, struct apply_op *op)
{
	op->next = NULL;
	if (list->head == NULL)
		list->tail = &list->head;
	*list->tail = op;
	list->tail = &op->next;
}

struct apply_op *apply_op_pop(struct apply_op_list *list)
{
	struct apply_op *op = list->head;

	if (op != NULL)
		list->head = op->next;
	return op;
}

void apply_op_free(struct apply_op *op)
{
	apply_resolve_wipe(op->properties, op->clear);
	json_decref(op->properties);
	json_decref(op->prior);
	json_decref(op->ours);
	json_decref(op->attributes);
	json_decref(op->learned);
	json_decref(op->deposed);
	apply_outcome_free(&op->result);
	free(op);
}

void apply_op_step(struct apply_op *op, enum apply_op_step step)
{
	op->step = step;
	if (step == OP_INTENDING)
		apply_op_push(&op->run->intending, op);
	else if (step == OP_STORING)
		apply_op_push(&op->run->storing, op);
}

void apply_op_finish(struct apply_op *op, enum apply_op_kind kind)
{
	op->kind = kind;
	op->result.outcome = PROVIDER_DONE;
	apply_op_step(op, OP_STORING);
}

void apply_op_fail(struct apply_op *op, const char *code, const char *format, ...)
{
	va_list args;
	struct buf text = BUF_INIT;

	apply_outcome_free(&op->result);
	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	op->result.outcome = PROVIDER_REFUSED;
	op->result.code = mem_strdup(code);
	op->result.message = buf_detach(&text);
	apply_op_step(op, OP_STORING);
}

bool apply_op_done(const struct apply_op *op)
{
	bool deletes = op->kind == OP_DELETE || op->kind == OP_CLEANUP;

	return op->result.outcome == PROVIDER_DONE || (deletes && op->result.outcome == PROVIDER_ABSENT);
}

/* -- Results that last --------------------------------------------------------------------------------------------- */

void apply_outcome_set(struct apply_outcome *out, const struct provider_result *result)
{
	apply_outcome_free(out);
	*out = (struct apply_outcome){
	    .outcome = result->outcome,
	    .properties = json_deep_copy(result->properties),
	    .attributes = json_deep_copy(result->attributes),
	    .exists = result->exists,
	    .code = mem_strdup(result->code),
	    .message = mem_strdup(result->message),
	    .operation = mem_strdup(result->operation),
	    .request_id = mem_strdup(result->request_id),
	};
}

void apply_outcome_free(struct apply_outcome *outcome)
{
	json_decref(outcome->properties);
	json_decref(outcome->attributes);
	free(outcome->code);
	free(outcome->message);
	free(outcome->operation);
	free(outcome->request_id);
	*outcome = (struct apply_outcome){0};
}

struct provider_result apply_outcome_result(const struct apply_outcome *outcome)
{
	return (struct provider_result){
	    .outcome = outcome->outcome,
	    .properties = outcome->properties,
	    .attributes = outcome->attributes,
	    .exists = outcome->exists,
	    .code = outcome->code,
	    .message = outcome->message,
	    .operation = outcome->operation,
	    .request_id = outcome->request_id,
	};
}

json_t *apply_merge(const json_t *under, const json_t *over)
{
	json_t *all = json_is_object(under) ? json_copy((json_t *)under) : json_object();

	if (json_is_object(over))
		json_object_update(all, (json_t *)over);
	return all;
}

/* -- Calls to the provider ----------------------------------------------------------------------------------------- */

static void op_done(void *payload, const struct provider_result *result)
{
	struct apply_op *op = payload;

	apply_outcome_set(&op->result, result);
	apply_outcome_hide(&op->result, op->properties, op->clear);
	op->run->calling--;
	apply_op_push(&op->run->arrived, op);
}

/* Attributes learned in the middle of a call are worth the most when it then never ends. */
static void op_progress(void *payload, const json_t *attributes)
{
	struct apply_op *op = payload;
	json_t *all = apply_merge(op->learned, attributes);

	json_decref(op->learned);
	op->learned = all;
	if (op->learned_new)
		return;
	op->learned_new = true;
	op->learned_next = op->run->learned;
	op->run->learned = op;
}

struct apply_change *apply_op_change(const struct apply_op *op)
{
	return &op->run->changes[op->run->graph->nodes[op->node].change];
}

static void call_fill(struct apply_op *op)
{
	struct apply_target *target = apply_op_change(op)->target;

	op->call = (struct provider_call){
	    .type = op->type,
	    .target = {target->handle, target->region, PROVIDER_WRITES},
	    .address = op->change->address,
	    .properties = op->clear != NULL ? op->clear : op->properties,
	    .prior = op->prior,
	    .attributes = op->attributes,
	    .token = op->token,
	    .progress = op_progress,
	    .done = op_done,
	    .payload = op,
	};
}

void apply_op_find(struct apply_op *op)
{
	struct provider *provider = op->run->provider;

	op->step = OP_FINDING;
	op->run->calling++;
	call_fill(op);
	op->call.progress = NULL;
	provider->ops->find(provider, &op->call);
}

/* The call for what stands first in the list of things to delete. */
static void deletion_fill(struct apply_op *op)
{
	const json_t *entry = json_array_get(op->deposed, 0);
	const struct schema_type *type;

	if (entry == NULL)
		return;
	type = schema_set_find(op->run->schemas, json_get_string(entry, "Type"));
	op->call.type = type != NULL ? type : op->type;
	op->call.properties = json_object_get(entry, "Properties");
	op->call.attributes = json_object_get(entry, "Attributes");
}

/* What it has now, without what is somebody else's: an update takes away only what was ours. */
static void prior_fill(struct apply_op *op)
{
	if (op->prior == NULL)
		return;
	json_decref(op->ours);
	op->ours = schema_prior_ours(op->type, op->properties, op->prior, op->change->recorded);
	op->call.prior = op->ours;
}

void apply_op_call(struct apply_op *op)
{
	struct provider *provider = op->run->provider;

	op->step = OP_CALLING;
	op->again = false;
	op->run->calling++;
	call_fill(op);
	prior_fill(op);
	switch (op->kind) {
	case OP_CREATE:
		provider->ops->create(provider, &op->call);
		return;
	case OP_UPDATE:
	case OP_ADOPT:
		provider->ops->update(provider, &op->call);
		return;
	default:
		deletion_fill(op);
		provider->ops->remove(provider, &op->call);
	}
}
