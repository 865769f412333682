/* What the engine remembers between turns: waits (so that cancelling can end them) and postponed calls. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/aws/engine/engine.h"

struct wait {
	struct wait *next, *previous;
	struct aws_engine *engine;
	struct loop_timer *timer; /* NULL once it is to call back in the next turn */
	engine_callback *call;
	void *payload;
};

struct aws_engine {
	struct wait *waits;
	struct engine_postponed *postponed;
	uint64_t cancels;
};

struct aws_engine *aws_engine_new(void)
{
	return mem_alloc(sizeof(struct aws_engine));
}

void engine_postponed_free(struct engine_postponed *postponed)
{
	free(postponed->region);
	free(postponed->until);
	free(postponed->service);
	free(postponed->operation);
	json_decref(postponed->input);
	free(postponed);
}

void aws_engine_free(struct aws_engine *engine)
{
	if (engine == NULL)
		return;
	while (engine->waits != NULL) {
		struct wait *wait = engine->waits;

		engine->waits = wait->next;
		loop_timer_cancel(wait->timer);
		free(wait);
	}
	while (engine->postponed != NULL) {
		struct engine_postponed *postponed = engine->postponed;

		engine->postponed = postponed->next;
		engine_postponed_free(postponed);
	}
	free(engine);
}

static void wait_over(void *payload)
{
	struct wait *wait = payload;
	engine_callback *call = wait->call;
	void *its = wait->payload;

	if (wait->previous != NULL)
		wait->previous->next = wait->next;
	else
		wait->engine->waits = wait->next;
	if (wait->next != NULL)
		wait->next->previous = wait->previous;
	free(wait);
	call(its);
}

void engine_wait(struct aws *aws, int64_t delay_ms, engine_callback *call, void *payload)
{
	struct aws_engine *engine = aws_engine(aws);
	struct wait *wait = mem_alloc(sizeof *wait);

	wait->engine = engine;
	wait->call = call;
	wait->payload = payload;
	wait->next = engine->waits;
	if (wait->next != NULL)
		wait->next->previous = wait;
	engine->waits = wait;
	wait->timer = loop_timer_start(aws_loop(aws), delay_ms, wait_over, wait);
}

void aws_engine_cancel(struct aws *aws)
{
	struct aws_engine *engine = aws_engine(aws);

	engine->cancels++;
	for (struct wait *wait = engine->waits; wait != NULL; wait = wait->next) {
		if (wait->timer == NULL)
			continue;
		loop_timer_cancel(wait->timer);
		wait->timer = NULL;
		loop_defer(aws_loop(aws), wait_over, wait);
	}
}

uint64_t engine_cancels(struct aws *aws)
{
	return aws_engine(aws)->cancels;
}

/* -- Postponed calls ---------------------------------------------------------------------------------------------- */

static bool postponed_here(const struct engine_postponed *postponed, const struct provider_target *target)
{
	return postponed->account == target->account && strcmp(postponed->region, target->region) == 0;
}

void engine_forget(struct aws *aws, const struct provider_target *target, const char *operation)
{
	struct engine_postponed **at = &aws_engine(aws)->postponed;

	while (*at != NULL) {
		struct engine_postponed *postponed = *at;

		if (postponed_here(postponed, target) && strcmp(postponed->operation, operation) == 0) {
			*at = postponed->next;
			engine_postponed_free(postponed);
		} else {
			at = &postponed->next;
		}
	}
}

void engine_postpone(struct aws *aws, const struct provider_target *target, const char *until, const char *service,
		     const char *operation, json_t *input)
{
	struct engine_postponed *postponed = mem_alloc(sizeof *postponed);

	engine_forget(aws, target, operation);
	postponed->account = target->account;
	postponed->region = mem_strdup(target->region);
	postponed->until = mem_strdup(until);
	postponed->service = mem_strdup(service);
	postponed->operation = mem_strdup(operation);
	postponed->input = json_incref(input);
	postponed->next = aws_engine(aws)->postponed;
	aws_engine(aws)->postponed = postponed;
}

struct engine_postponed *engine_postponed_take(struct aws *aws, const struct provider_target *target, const char *until)
{
	for (struct engine_postponed **at = &aws_engine(aws)->postponed; *at != NULL; at = &(*at)->next) {
		struct engine_postponed *postponed = *at;

		if (!postponed_here(postponed, target) || strcmp(postponed->until, until) != 0)
			continue;
		*at = postponed->next;
		postponed->next = NULL;
		return postponed;
	}
	return NULL;
}
