/* See base.h. */
#include "cli/base.h"

#include <stdlib.h>

#include "base/mem.h"

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
		base->error = mem_strdup(diag_first_error(&d));
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
