/* What decides an instance's evaluation, as one digest: an unchanged one need not be evaluated (section 12). */
#include "specs/compile/compile.h"

#include <string.h>

/* Raised when evaluation itself changes its results. */
#define EVALUATOR_VERSION "muster specs 1"

static void add_text(struct buf *out, const char *s)
{
	buf_addf(out, "%s\n", s != NULL ? s : "");
}

static void add_value(struct buf *out, const json_t *value)
{
	if (value != NULL)
		json_canonical(out, value);
	buf_addc(out, '\n');
}

static void add_digest(struct buf *out, const uint8_t digest[32])
{
	buf_add(out, digest, 32);
}

/* The schemas of the types that a section uses, each once. */
static void add_types(struct buf *out, const struct section *section, struct table *seen)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct entry *entry = &section->entries[i];
		uint8_t digest[32];

		if (entry->body != NULL)
			add_types(out, entry->body, seen);
		else if (specs_table_put(seen, entry->resource.type->name, (void *)entry->resource.type) == NULL) {
			json_digest(digest, entry->resource.type->document);
			add_digest(out, digest);
		}
	}
}

/* Where the stack is, for those that read its outputs. */
static const uint8_t *targets_digest(const struct specs *specs, struct stack *stack)
{
	buf_auto struct buf text = BUF_INIT;

	if (!stack->targets_done) {
		for (size_t i = stack->first; i < stack->first + stack->count; i++)
			add_text(&text, specs->instances[i]->address);
		add_value(&text, json_object_get(stack->doc->root, "Targets"));
		text_sha256(stack->targets_digest, buf_str(&text), text.len);
		stack->targets_done = true;
	}
	return stack->targets_digest;
}

static void add_regions(struct buf *out, const struct specs *specs)
{
	const struct specs_private *p = specs->private;

	for (size_t a = 0; a < specs->account_count; a++) {
		const struct specs_account *account = &specs->accounts[a];

		buf_addf(out, "%s %s", account->name, account->id);
		add_value(out, account->tags);
		for (size_t r = 0; p->regions[a] != NULL && r < p->region_counts[a]; r++)
			add_text(out, p->regions[a][r]);
	}
}

/* What the template reads from files, the roster and other stacks' places. */
static void add_read(struct buf *out, const struct specs *specs, const struct stack *stack, const struct node *node)
{
	const struct call *call = node->call;
	const char *name;
	struct stack *other;
	struct diag ignored = DIAG_INIT;

	if (node->kind == NODE_CONST) {
		add_value(out, node->value);
		return;
	}
	if (call->kind == CALL_OUTPUT) {
		name = call->stack->kind == NODE_CONST ? json_string_value(call->stack->value) : NULL;
		other = name != NULL ? specs_table_get(&specs->private->stacks_by_name, name) : NULL;
		for (size_t s = 0; other == NULL && s < specs->private->stack_count; s++)
			add_digest(out, targets_digest(specs, specs->private->stacks[s]));
		if (other != NULL)
			add_digest(out, targets_digest(specs, other));
		/* Accounts are named by name or id. */
		for (size_t a = 0; call->account != NULL && a < specs->account_count; a++)
			buf_addf(out, "%s %s\n", specs->accounts[a].name, specs->accounts[a].id);
	} else if (call->kind == CALL_REGIONS && call->args[0]->kind == NODE_CONST) {
		json_auto_t *regions = specs_fleet_regions(stack, call->args[0], call->args[0]->value, &ignored);

		add_value(out, regions);
	} else {
		add_regions(out, specs);
	}
	diag_free(&ignored);
}

static const uint8_t *stack_digest(const struct specs *specs, struct stack *stack)
{
	const struct specs_settings *settings = &specs->settings;
	buf_auto struct buf text = BUF_INIT;
	struct table seen = {NULL, 0, 0};
	json_auto_t *root = NULL;

	if (stack->digest_done)
		return stack->digest;
	/* What does not change any resource: descriptions, and the targets, which are in each instance. */
	root = json_copy(stack->doc->root);
	json_object_del(root, "Description");
	json_object_del(root, "Metadata");
	json_object_del(root, "Targets");
	json_object_del(root, "$schema");
	add_text(&text, EVALUATOR_VERSION);
	add_value(&text, root);
	add_types(&text, &stack->resources, &seen);
	add_text(&text, settings->home_region);
	add_text(&text, settings->config_global_region);
	add_text(&text, settings->lineage);
	add_text(&text, stack->name);
	for (size_t i = 0; i < stack->read_count; i++)
		add_read(&text, specs, stack, stack->reads[i]);
	text_sha256(stack->digest, buf_str(&text), text.len);
	stack->digest_done = true;
	specs_table_free(&seen);
	return stack->digest;
}

void specs_instance_digest(const struct specs *specs, const struct specs_instance *instance, uint8_t out[32])
{
	struct stack *stack = instance->private->stack;
	size_t account = instance->account->index;
	buf_auto struct buf text = BUF_INIT;

	add_digest(&text, stack_digest(specs, stack));
	add_text(&text, instance->address);
	add_text(&text, instance->account->id);
	for (size_t i = 0; i < stack->parameter_count; i++) {
		const struct parameter *parameter = &stack->parameters[i];
		const json_t *own = parameter->by_account != NULL ? parameter->by_account[account] : NULL;

		add_value(&text, own != NULL ? own : parameter->fallback);
	}
	for (size_t i = 0; i < instance->depend_count; i++)
		add_text(&text, instance->depends[i]);
	text_sha256(out, buf_str(&text), text.len);
}
