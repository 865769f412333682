/* Checking everything that can be checked without AWS: what `validate` does. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

struct whole {
	struct specs *specs;
	struct diag *d;
	struct arena arena;
	struct table identities; /* identity -> address of the first */
	int result;
};

/* "stack/LogicalId" of an address. */
static const char *address_template(const char *address)
{
	return strchr(strchr(address, '/') + 1, '/') + 1;
}

/* How the same entry of a stack comes to be one thing in two targets, and what keeps them apart. */
static void advise(struct buf *out, const struct specs_resource *resource, const char *first)
{
	const struct schema_type *type = resource->type;
	const char *account = resource->instance->account->name;
	size_t len = strlen(account);
	bool same_account = strncmp(first, account, len) == 0 && first[len] == '/';
	bool named = type->name_property != NULL && !type->singleton;

	if (strcmp(address_template(first), address_template(resource->address)) != 0)
		return;
	if (same_account)
		buf_adds(out, "; there is not one in each region: target \"Regions\": [\"home\"]");
	else
		buf_adds(out, "; there is not one in each account: target one account");
	if (named)
		buf_addf(out, ", or put ${%s} into %s", same_account ? "AWS::Region" : "AWS::AccountId",
			 type->name_property);
}

static void report_same(struct whole *w, const struct specs_resource *resource, const char *first, const char *identity)
{
	static const char *const scopes[] = {"account and region", "account", "partition"};
	const struct schema_type *type = resource->type;
	buf_auto struct buf text = BUF_INIT;

	if (type->singleton)
		buf_addf(&text, "there is one %s in each %s", type->name, scopes[type->scope]);
	else
		buf_addf(&text, "the %s \"%s\"", type->name, identity);
	advise(&text, resource, first);
	diag_at(w->d, DIAG_ERROR, &resource->place, "%s is the same thing in AWS as %s: %s", resource->address, first,
		buf_str(&text));
	w->result = -1;
}

/* Not an error: accounts may be on their way. But nobody writes a stack for nothing. */
static void check_nowhere(const struct stack *stack, struct diag *d)
{
	const struct specs *specs = stack->specs;
	const struct node *at = specs_node_new((struct stack *)stack, stack->root, "Targets", 0, NULL);
	bool selected = false;

	if (stack->count > 0)
		return;
	for (size_t a = 0; a < specs->account_count; a++)
		selected = selected || stack->selected[a];
	if (selected)
		specs_node_warning(stack, at, DIAG_WARNING, d,
				   "0 targets: none of the stack's accounts is known to have a region that is chosen");
	else
		specs_node_warning(stack, at, DIAG_WARNING, d, "0 targets: no account is chosen");
}

static void check_identities(struct whole *w, struct specs_instance *instance)
{
	size_t count;
	const struct specs_resource *resources = specs_instance_resources(instance, &count);

	for (size_t i = 0; i < count; i++) {
		mem_auto_str char *identity = NULL;
		const char *first;

		if (instance->private->progress[i] != PROGRESS_DONE || specs_identity(&identity, &resources[i]) != 1)
			continue;
		first = specs_table_get(&w->identities, identity);
		if (first == NULL) {
			specs_table_put(&w->identities, specs_arena_strdup(&w->arena, identity),
					specs_arena_strdup(&w->arena, resources[i].address));
			continue;
		}
		report_same(w, &resources[i], first, strchr(strchr(identity, '|') + 1, '|') + 1);
	}
}

int specs_check(struct specs *specs, struct diag *d)
{
	struct whole w = {specs, d, {NULL}, {NULL, 0, 0}, 0};
	struct cycles *cycles = specs_cycles_new(specs);

	for (size_t s = 0; s < specs->private->stack_count; s++)
		check_nowhere(specs->private->stacks[s], d);
	for (size_t i = 0; i < specs->instance_count; i++) {
		struct specs_instance *instance = specs->private->instances[i];

		if (specs_evaluate(specs, instance, NULL, d) != 0)
			w.result = -1;
		check_identities(&w, instance);
		specs_cycles_add(cycles, instance);
		specs_instance_release(instance);
	}
	if (w.result == 0 && specs_cycles_check(cycles, d) != 0)
		w.result = -1;
	specs_cycles_free(cycles);
	specs_table_free(&w.identities);
	specs_arena_free(&w.arena);
	return w.result;
}
