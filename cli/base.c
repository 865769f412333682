/* See base.h. */
#include "cli/base.h"

#include <stdlib.h>

#include "base/mem.h"

/* "stacks/s.json:3: unknown type": where to look, too. To be freed. */
static char *first_error(const struct diag *d)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct diag_item *item = &d->items[i];

		if (item->level != DIAG_ERROR)
			continue;
		if (item->file == NULL)
			return mem_strdup(item->text);
		return item->line > 0 ? mem_printf("%s:%d: %s", item->file, item->line, item->text)
				      : mem_printf("%s: %s", item->file, item->text);
	}
	return mem_strdup("they cannot be read");
}

static void load(struct base *base, const struct session *s)
{
	/* A parameter that only the branch declares says nothing against the base. */
	struct specs_options options = {
	    .parameters = s->parameters,
	    .parameter_count = s->parameter_count,
	    .unused_parameters = true,
	    .lineage = s->lineage,
	};
	struct diag d = DIAG_INIT;

	if (s->secret_key_known && !s->without_secrets) {
		options.secret_key = s->secret_key;
		options.secret_key_len = sizeof s->secret_key;
	}
	if (specs_load(&base->specs, &base->layered, s->provider->ops->schemas(s->provider), &options, &d) < 0)
		base->error = first_error(&d);
	diag_free(&d);
}

int base_open(struct base *out, struct session *s, const char *revision)
{
	*out = (struct base){0};
	inputs_start(&out->inputs);
	if (state_git_tree_open(&out->tree, s->cli->directory, revision, &s->cli->diag) < 0)
		return -1;
	inputs_tree_source(&out->revision, out->tree);
	out->layers = (struct inputs_layers){
	    .under = &out->revision,
	    .secrets = &s->source,
	    .remember = &out->inputs,
	};
	inputs_layers_source(&out->layered, &out->layers);
	load(out, s);
	return 0;
}

void base_close(struct base *base)
{
	specs_free(base->specs);
	inputs_free(&base->inputs);
	state_git_tree_free(base->tree);
	free(base->error);
}
