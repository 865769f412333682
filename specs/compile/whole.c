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
		diag_at(w->d, DIAG_ERROR, &resources[i].place, "%s is the same thing in AWS as %s (%s)",
			resources[i].address, first, strchr(identity, '|') + 1);
		w->result = -1;
	}
}

int specs_check(struct specs *specs, struct diag *d)
{
	struct whole w = {specs, d, {NULL}, {NULL, 0, 0}, 0};
	struct cycles *cycles = specs_cycles_new(specs);

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
