/* Outputs, and Fn::GetStackOutput: which target it means, and what waits for what. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

/* -- outputs -- */

static char *nearest_output(const struct stack *stack, const char *name)
{
	return specs_report_nearest(name, stack->output_names, stack->output_name_count);
}

/* Whether the output's condition holds. */
static int output_wanted(struct eval *e, const struct item *item, bool *wanted)
{
	const struct output_definition *output = &item->entry->output;
	mem_auto_str char *name = NULL;
	int result;

	*wanted = true;
	if (output->condition.source == NULL)
		return EVAL_OK;
	result = specs_eval_text(e, &output->condition, output->condition_path, &name);
	return result == EVAL_OK ? specs_eval_condition(e, output->condition_path, name, wanted) : result;
}

/* Keeps what an output waits for beyond its own instance. */
static void output_depends(struct specs_instance *instance, struct addresses *depends, struct output_state *state)
{
	struct addresses others = {NULL, 0, 0};
	size_t len = strlen(instance->address);

	for (size_t i = 0; i < depends->count; i++)
		if (strncmp(depends->list[i], instance->address, len) != 0 || depends->list[i][len] != '/')
			specs_addresses_add(&others, depends->list[i]);
	specs_addresses_finish(&others, &instance->private->output_arena, &state->depends, &state->depend_count);
	free(depends->list);
}

static int output_evaluate(struct eval *outer, struct specs_instance *instance, const struct item *item,
			   struct output_state *state)
{
	struct specs_instance_private *p = instance->private;
	struct addresses depends = {NULL, 0, 0};
	const char *blocked = NULL;
	struct frame frame = {NULL, outer->frames, outer->frames != NULL ? outer->frames->depth + 1 : 1};
	struct eval e = *outer;
	bool wanted = true;
	json_t *value = NULL;
	int result;

	frame.address = specs_arena_printf(&p->output_arena, "%s/Outputs.%s", instance->address, item->name);
	e.instance = instance;
	e.stack = p->stack;
	e.env = item->env;
	e.frames = &frame;
	e.type = NULL;
	e.depends = &depends;
	e.blocked = &blocked;
	result = output_wanted(&e, item, &wanted);
	if (result == EVAL_OK && wanted)
		result = specs_eval_node(&e, item->entry->output.value, &value);
	for (size_t i = 0; i < p->open_depends.count; i++)
		specs_addresses_add(&depends, p->open_depends.list[i]);
	output_depends(instance, &depends, state);
	if (value != NULL)
		json_object_set_new(p->output_values, item->name, value);
	state->missing = result == EVAL_OK && value == NULL;
	state->blocked = blocked;
	state->progress =
	    result == EVAL_OK ? PROGRESS_DONE : (result == EVAL_BLOCKED ? PROGRESS_BLOCKED : PROGRESS_ERROR);
	return result;
}

/* Without `quiet` an output that is not made is an error. */
int specs_instance_output(struct eval *e, const struct node *at, struct specs_instance *instance, const char *name,
			  bool quiet, json_t **out)
{
	struct specs_instance_private *p = instance->private;
	const struct item *item;
	struct output_state *state;

	/* Outputs stay when an instance is released. */
	if (p->outputs == NULL || !p->complete) {
		int result = specs_instance_open(e, instance, at);

		if (result != EVAL_OK)
			return result;
	}
	item = p->outputs != NULL ? specs_table_get(&p->outputs->names, name) : NULL;
	if (item == NULL) {
		mem_auto_str char *nearest = nearest_output(p->stack, name);

		return specs_eval_error(e, at, "stack \"%s\" has no output \"%s\"%s", instance->stack, name, nearest);
	}
	state = &p->output_states[item - p->outputs->list];
	if (state->progress == PROGRESS_RUNNING) {
		mem_auto_str char *address = mem_printf("%s/Outputs.%s", instance->address, name);

		return specs_eval_cycle(e, at, address);
	}
	if (state->progress == PROGRESS_NONE) {
		if (e->frames != NULL && e->frames->depth >= EVAL_FRAMES_MAX)
			return specs_eval_error(e, at, "references nest more than %d deep", EVAL_FRAMES_MAX);
		state->progress = PROGRESS_RUNNING;
		output_evaluate(e, instance, item, state);
	}
	if (state->progress == PROGRESS_ERROR)
		return EVAL_ERROR;
	if (state->progress == PROGRESS_BLOCKED)
		return specs_eval_block(e, "%s", state->blocked);
	if (state->missing && !quiet)
		return specs_eval_error(e, at, "the output \"%s\" is not made where its condition is false", name);
	for (size_t i = 0; i < state->depend_count; i++)
		specs_addresses_add(e->depends, state->depends[i]);
	*out = json_incref(json_object_get(p->output_values, name));
	return EVAL_OK;
}

static const struct output_state *state_of(const struct specs_instance *instance, const char *name)
{
	const struct specs_instance_private *p = instance->private;
	const struct item *item = p->outputs != NULL ? specs_table_get(&p->outputs->names, name) : NULL;

	return item != NULL ? &p->output_states[item - p->outputs->list] : NULL;
}

bool specs_instance_output_blocked(const struct specs_instance *instance, const char *name)
{
	const struct output_state *state = state_of(instance, name);

	return state != NULL && state->progress == PROGRESS_BLOCKED;
}

const char *const *specs_instance_output_depends(const struct specs_instance *instance, const char *name, size_t *count)
{
	const struct output_state *state = state_of(instance, name);

	*count = state != NULL ? state->depend_count : 0;
	return state != NULL ? (const char *const *)state->depends : NULL;
}

/* -- Fn::GetStackOutput -- */

static int default_account(struct eval *e, const struct node *node, const struct stack *stack, size_t *out)
{
	const struct specs *specs = e->specs;
	size_t count = 0;

	*out = e->instance->account->index;
	if (stack->selected[*out])
		return EVAL_OK;
	for (size_t a = 0; a < specs->account_count; a++)
		if (stack->selected[a] && count++ == 0)
			*out = a;
	if (count == 1)
		return EVAL_OK;
	if (count == 0)
		return specs_eval_block(e, "stack %s goes to no account", stack->name);
	return specs_eval_error(e, node,
				"stack \"%s\" does not go to this account (%s) and goes to %zu others: say which by "
				"\"Account\"",
				stack->name, e->instance->account->name, count);
}

/* The referrer's own region if the stack's selectors go there (enabled or not), else its only one. */
static int default_region(struct eval *e, const struct node *node, const struct stack *stack, size_t account,
			  const char **out)
{
	const struct specs *specs = e->specs;
	size_t first = stack->account_first[account], end = stack->account_first[account + 1];

	*out = e->instance->region;
	if (specs_selectors_region(&stack->region_selectors, *out, specs->settings.home_region) &&
	    specs_account_region_allowed(&specs->accounts[account], *out))
		return EVAL_OK;
	if (end - first == 1) {
		*out = specs->instances[first]->region;
		return EVAL_OK;
	}
	if (end == first)
		return specs_eval_block(e, "stack %s is in no region of account %s", stack->name,
					specs->accounts[account].name);
	return specs_eval_error(
	    e, node,
	    "stack \"%s\" does not go to this region (%s) in account %s and goes to %zu others: say which by "
	    "\"Region\"",
	    stack->name, e->instance->region, specs->accounts[account].name, end - first);
}

static int named_account(struct eval *e, const struct node *node, size_t *out)
{
	mem_auto_str char *name = NULL;
	const struct specs_account *account;
	const char **names;
	int result = specs_eval_known_string(e, node, "an account", &name);

	if (result != EVAL_OK)
		return result;
	account = specs_account_find(e->specs, name);
	if (account != NULL) {
		*out = account->index;
		return EVAL_OK;
	}
	names = mem_array(e->specs->account_count, sizeof *names);
	for (size_t a = 0; a < e->specs->account_count; a++)
		names[a] = e->specs->accounts[a].name;
	mem_auto_str char *nearest = specs_report_nearest(name, names, e->specs->account_count);

	free(names);
	return specs_eval_error(e, node, "no account is named \"%s\"%s", name, nearest);
}

static int named_stack(struct eval *e, const struct node *node, const struct stack **out)
{
	mem_auto_str char *name = NULL;
	int result = specs_eval_known_string(e, node, "a stack", &name);

	if (result != EVAL_OK)
		return result;
	*out = specs_table_get(&e->specs->private->stacks_by_name, name);
	return *out != NULL ? EVAL_OK : specs_stack_unknown(e->specs, e->stack, node, name, e->d);
}

static int output_target(struct eval *e, const struct node *node, const struct stack *stack,
			 struct specs_instance **out)
{
	const struct call *call = node->call;
	mem_auto_str char *named = NULL;
	const char *region = NULL;
	size_t account = 0;
	int result;

	result = call->account != NULL ? named_account(e, call->account, &account)
				       : default_account(e, node, stack, &account);
	if (result != EVAL_OK)
		return result;
	if (call->region != NULL) {
		result = specs_eval_known_string(e, call->region, "a region", &named);
		region = named;
	} else {
		result = default_region(e, node, stack, account, &region);
	}
	if (result != EVAL_OK)
		return result;
	*out = specs_instance_find(e->specs, stack, account, region);
	if (*out == NULL)
		return specs_eval_block(e, "stack %s is not in %s/%s", stack->name, e->specs->accounts[account].name,
					region);
	if (*out == e->instance)
		return specs_eval_error(e, node, "this is the stack's own output here: use Ref or Fn::GetAtt");
	return EVAL_OK;
}

int specs_eval_stack_output(struct eval *e, const struct node *node, json_t **out)
{
	const struct call *call = node->call;
	struct specs_instance *target = NULL;
	const struct stack *stack = NULL;
	mem_auto_str char *name = NULL;
	int result = named_stack(e, call->stack, &stack);

	if (result == EVAL_OK)
		result = output_target(e, node, stack, &target);
	if (result == EVAL_OK)
		result = specs_eval_known_string(e, call->output, "an output", &name);
	if (result != EVAL_OK)
		return result;
	specs_addresses_add(e->depends, target->address);
	return specs_instance_output(e, node, target, name, false, out);
}
