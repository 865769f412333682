/* A chain is a source that asks others in turn. The first that has something set up decides, also when it fails: a
 * broken set-up must not silently fall through to another identity. */
#include <stdlib.h>

#include "base/mem.h"
#include "providers/aws/credentials/credentials.h"

struct chain_source {
	struct aws_source head;
	struct aws_source **sources;
	size_t count, at;
	struct buf tried; /* what each source that had nothing said */
};

static void chain_step(struct chain_source *s);

static void on_fetched(void *payload, const struct aws_fetch *fetch)
{
	struct chain_source *s = payload;

	if (fetch->outcome != AWS_FETCH_NONE) {
		aws_source_finish(&s->head, fetch);
		return;
	}
	buf_addf(&s->tried, "%s%s", s->tried.len > 0 ? "; " : "", fetch->message);
	s->at++;
	chain_step(s);
}

static void chain_step(struct chain_source *s)
{
	if (s->at < s->count) {
		aws_source_fetch(s->sources[s->at], on_fetched, s);
		return;
	}
	aws_source_finish(&s->head, &(struct aws_fetch){.outcome = AWS_FETCH_NONE, .message = buf_str(&s->tried)});
}

static void chain_fetch(struct aws_source *source)
{
	struct chain_source *s = (struct chain_source *)source;

	s->at = 0;
	buf_clear(&s->tried);
	chain_step(s);
}

static void chain_cancel(struct aws_source *source)
{
	struct chain_source *s = (struct chain_source *)source;

	aws_source_cancel(s->sources[s->at]);
}

static void chain_free(struct aws_source *source)
{
	struct chain_source *s = (struct chain_source *)source;

	for (size_t i = 0; i < s->count; i++)
		aws_source_free(s->sources[i]);
	free(s->sources);
	buf_free(&s->tried);
	free(s);
}

struct aws_source *aws_source_chain(struct aws *aws, struct aws_source **sources, size_t count)
{
	static const struct aws_source_ops ops = {chain_fetch, chain_free, chain_cancel};
	struct chain_source *s = mem_alloc(sizeof *s);

	aws_source_init(&s->head, &ops, aws, "credentials");
	s->sources = mem_array(count, sizeof sources[0]);
	for (size_t i = 0; i < count; i++)
		s->sources[i] = sources[i];
	s->count = count;
	return &s->head;
}

/* The order of the AWS SDKs: what this process was given, what the user has set up, what the machine has. */
struct aws_source *aws_source_default(struct aws *aws)
{
	struct aws_source *sources[] = {
	    aws_source_environment(aws),   aws_source_web_identity_environment(aws),
	    aws_source_profile(aws, NULL), aws_source_container(aws),
	    aws_source_instance(aws),
	};

	return aws_source_chain(aws, sources, sizeof sources / sizeof sources[0]);
}
