/* See store.h. Strings live in chunks that are freed with the plan: a plan has hundreds of thousands of them, and
 * none dies before the others. */
#include "plan/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_BYTES (64u << 10)

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

struct plan_private {
	struct chunk *chunks;
	size_t change_room, note_room, account_room, output_room;
};

struct plan *plan_new(void)
{
	struct plan *plan = mem_alloc(sizeof *plan);

	plan->private = mem_alloc(sizeof *plan->private);
	plan->reached = json_object();
	plan->reads = json_object();
	plan->parameters = json_object();
	plan->secrets = json_array();
	return plan;
}

static void *keep_bytes(struct plan *plan, size_t size)
{
	struct chunk *chunk = plan->private->chunks;
	void *place;

	size = (size + 15) & ~(size_t)15;
	if (chunk == NULL || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		chunk = mem_alloc(sizeof *chunk + room);
		chunk->size = room;
		chunk->next = plan->private->chunks;
		plan->private->chunks = chunk;
	}
	place = chunk->bytes + chunk->used;
	chunk->used += size;
	return place;
}

const char *plan_keep(struct plan *plan, const char *s)
{
	size_t size;

	if (s == NULL)
		return NULL;
	size = strlen(s) + 1;
	return memcpy(keep_bytes(plan, size), s, size);
}

void *plan_keep_array(struct plan *plan, size_t count, size_t size)
{
	/* Fresh chunks are zero and bytes are handed out once. */
	return keep_bytes(plan, count * size + 1);
}

/* Doubles an array that is full. */
static void *make_room(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room == 0 ? 16 : 2 * *room;
	return mem_resize(items, *room, size);
}

struct plan_change *plan_change_add(struct plan *plan)
{
	plan->changes =
	    make_room(plan->changes, plan->change_count, &plan->private->change_room, sizeof *plan->changes);
	memset(&plan->changes[plan->change_count], 0, sizeof *plan->changes);
	return &plan->changes[plan->change_count++];
}

struct plan_note *plan_note_add(struct plan *plan, enum plan_note_kind kind, const char *account, const char *region,
				const char *subject, const char *text)
{
	plan->notes = make_room(plan->notes, plan->note_count, &plan->private->note_room, sizeof *plan->notes);
	plan->notes[plan->note_count] = (struct plan_note){
	    .kind = kind,
	    .account = plan_keep(plan, account),
	    .region = plan_keep(plan, region),
	    .subject = plan_keep(plan, subject),
	    .text = plan_keep(plan, text),
	};
	return &plan->notes[plan->note_count++];
}

struct plan_account *plan_account_add(struct plan *plan, const char *name, const char *id, json_t *access,
				      json_t *regions)
{
	plan->accounts =
	    make_room(plan->accounts, plan->account_count, &plan->private->account_room, sizeof *plan->accounts);
	plan->accounts[plan->account_count] = (struct plan_account){
	    .name = plan_keep(plan, name),
	    .id = plan_keep(plan, id),
	    .access = json_incref(access),
	    .regions = json_incref(regions),
	};
	return &plan->accounts[plan->account_count++];
}

/* Outputs of one instance follow each other and share its words. */
static bool output_place(struct plan *plan, struct plan_output *output, const char *address)
{
	const struct plan_output *last = plan->output_count > 0 ? &plan->outputs[plan->output_count - 1] : NULL;
	char *words, *rest;

	if (last != NULL && strcmp(last->address, address) == 0) {
		output->address = last->address;
		output->account = last->account;
		output->region = last->region;
		output->stack = last->stack;
		return true;
	}
	output->address = plan_keep(plan, address);
	rest = words = (char *)(uintptr_t)plan_keep(plan, address);
	output->account = strsep(&rest, "/");
	output->region = strsep(&rest, "/");
	output->stack = strsep(&rest, "/");
	return rest == NULL && output->stack != NULL && *words != '\0' && *output->region != '\0' &&
	       *output->stack != '\0';
}

struct plan_output *plan_output_add(struct plan *plan, const char *address, const char *name)
{
	struct plan_output output = {0};

	if (!output_place(plan, &output, address))
		return NULL;
	output.name = plan_keep(plan, name);
	plan->outputs =
	    make_room(plan->outputs, plan->output_count, &plan->private->output_room, sizeof *plan->outputs);
	plan->outputs[plan->output_count] = output;
	return &plan->outputs[plan->output_count++];
}

static int order_outputs(const void *a, const void *b)
{
	const struct plan_output *x = a, *y = b;
	int by_address = strcmp(x->address, y->address);

	return by_address != 0 ? by_address : strcmp(x->name, y->name);
}

void plan_outputs_sort(struct plan *plan)
{
	if (plan->output_count > 0)
		qsort(plan->outputs, plan->output_count, sizeof *plan->outputs, order_outputs);
}

void plan_output_drop(struct plan_output *output)
{
	json_decref(output->before);
	json_decref(output->after);
	memset(output, 0, sizeof *output);
}

bool plan_has_work(const struct plan *plan)
{
	for (size_t i = 0; i < plan->output_count; i++)
		if (plan->outputs[i].action != PLAN_NOOP)
			return true;
	return plan->change_count > 0;
}

int plan_change_address(struct plan *plan, struct plan_change *change, const char *address)
{
	struct plan_address parts;

	if (plan_address_parse(&parts, address) < 0 || parts.count != PLAN_ADDRESS_PARTS)
		return -1;
	change->address = plan_keep(plan, address);
	change->account = plan_keep(plan, parts.account);
	change->region = plan_keep(plan, parts.region);
	change->stack = plan_keep(plan, parts.stack);
	change->logical_id = plan_keep(plan, parts.logical_id);
	return 0;
}

void plan_change_drop(struct plan_change *change)
{
	json_decref(change->before);
	json_decref(change->after);
	json_decref(change->recorded);
	json_decref(change->attributes);
	json_decref(change->predicted);
	plan_diff_free(&change->diff);
	memset(change, 0, sizeof *change);
}

void plan_free(struct plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->change_count; i++)
		plan_change_drop(&plan->changes[i]);
	for (size_t i = 0; i < plan->output_count; i++)
		plan_output_drop(&plan->outputs[i]);
	for (size_t i = 0; i < plan->account_count; i++) {
		json_decref(plan->accounts[i].access);
		json_decref(plan->accounts[i].regions);
	}
	while (plan->private->chunks != NULL) {
		struct chunk *chunk = plan->private->chunks;

		plan->private->chunks = chunk->next;
		free(chunk);
	}
	json_decref(plan->reached);
	json_decref(plan->reads);
	json_decref(plan->parameters);
	json_decref(plan->secrets);
	json_decref(plan->inputs);
	json_decref(plan->uncommitted);
	json_decref(plan->rollback_of);
	json_decref(plan->limits);
	json_decref(plan->signatures);
	json_decref(plan->drift_report);
	free(plan->changes);
	free(plan->notes);
	free(plan->outputs);
	free(plan->accounts);
	free(plan->lineage);
	free(plan->home_region);
	free(plan->commit);
	free(plan->base);
	free(plan->only);
	free(plan->tree);
	free(plan->private);
	free(plan);
}

bool plan_is_whole(const struct plan *plan)
{
	for (size_t i = 0; i < plan->note_count; i++)
		if (plan->notes[i].kind == PLAN_NOTE_UNREACHABLE || plan->notes[i].kind == PLAN_NOTE_BLOCKED)
			return false;
	return true;
}
