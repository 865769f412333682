/* One call of a handler: sent, its pages gathered into one answer, sent again while RetryOn says that the answer is
 * only the service's being late. In a batch, equal calls are made once and the answer is handed to all who asked. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/engine/engine.h"

#define RETRY_FIRST_MS         500
#define RETRY_MOST_MS          8000
#define RETRY_DEADLINE_SECONDS 60
#define PAGES_MAX              10000

struct waiter {
	struct waiter *next;
	engine_fetched *done;
	void *payload;
};

struct fetch {
	struct fetch *next; /* in its batch */
	struct engine_request request;
	char *region;
	char *key; /* what makes it equal to another; NULL: not shared */
	struct waiter *waiters;
	uint64_t cancels;
	int64_t started_ms, delay_ms;

	bool finished;
	json_t *output; /* pages so far */
	size_t pages;
	enum provider_outcome outcome;
	char *code, *message, *request_id;
};

struct engine_batch {
	size_t owners;
	struct fetch *fetches;
};

static void fetch_send(void *payload);

/* -- Lives -------------------------------------------------------------------------------------------------------- */

static void fetch_free(struct fetch *fetch)
{
	json_decref(fetch->request.input);
	json_decref(fetch->output);
	free(fetch->region);
	free(fetch->key);
	free(fetch->code);
	free(fetch->message);
	free(fetch->request_id);
	free(fetch);
}

struct engine_batch *engine_batch_new(void)
{
	struct engine_batch *batch = mem_alloc(sizeof *batch);

	batch->owners = 1;
	return batch;
}

struct engine_batch *engine_batch_keep(struct engine_batch *batch)
{
	if (batch != NULL)
		batch->owners++;
	return batch;
}

void engine_batch_free(struct engine_batch *batch)
{
	if (batch == NULL || --batch->owners > 0)
		return;
	while (batch->fetches != NULL) {
		struct fetch *fetch = batch->fetches;

		batch->fetches = fetch->next;
		fetch_free(fetch);
	}
	free(batch);
}

/* -- Answers ------------------------------------------------------------------------------------------------------ */

static void fetch_answer(const struct fetch *fetch, engine_fetched *done, void *payload)
{
	const struct aws_api_result result = {
	    .outcome = fetch->outcome,
	    .output = fetch->outcome == PROVIDER_DONE ? fetch->output : NULL,
	    .code = fetch->code,
	    .message = fetch->message,
	    .request_id = fetch->request_id,
	};

	done(payload, &result);
}

static void fetch_finish(struct fetch *fetch, enum provider_outcome outcome, const char *code, const char *message,
			 const char *request_id)
{
	struct waiter *waiter;
	bool shared = fetch->key != NULL;

	fetch->finished = true;
	fetch->outcome = outcome;
	fetch->code = mem_strdup(code);
	fetch->message = mem_strdup(message);
	fetch->request_id = mem_strdup(request_id);
	/* The last waiter's callback may end the batch, and this fetch with it. */
	waiter = fetch->waiters;
	fetch->waiters = NULL;
	while (waiter != NULL) {
		struct waiter now = *waiter;

		free(waiter);
		waiter = now.next;
		fetch_answer(fetch, now.done, now.payload);
	}
	if (!shared)
		fetch_free(fetch);
}

/* -- Pages -------------------------------------------------------------------------------------------------------- */

/* "Paginate": a member's name in both directions, or {"In": ..., "Out": ...}. */
static const char *page_member(const json_t *step, const char *direction)
{
	const json_t *paginate = json_object_get(step, "Paginate");

	return json_is_string(paginate) ? json_string_value(paginate) : json_get_string(paginate, direction);
}

/* Lists grow; of anything else the newest page's stands. */
static void page_add(struct fetch *fetch, const json_t *page)
{
	const char *key;
	json_t *value;

	if (fetch->output == NULL) {
		fetch->output = json_copy((json_t *)page);
		return;
	}
	json_object_foreach((json_t *)page, key, value)
	{
		json_t *before = json_object_get(fetch->output, key);

		if (json_is_array(before) && json_is_array(value)) {
			before = json_copy(before);
			json_array_extend(before, value);
			json_object_set_new(fetch->output, key, before);
		} else {
			json_object_set(fetch->output, key, value);
		}
	}
}

/* Takes a page in; true when another one has been asked for. */
static bool page_next(struct fetch *fetch, const json_t *page)
{
	const char *in = page_member(fetch->request.step, "In"), *out = page_member(fetch->request.step, "Out");
	const char *token = out != NULL ? json_get_string(page, out) : NULL;
	const char *last = in != NULL ? json_get_string(fetch->request.input, in) : NULL;
	json_t *input;

	page_add(fetch, page);
	if (token == NULL || in == NULL || *token == '\0')
		return false;
	/* A list that is not whole must not read as one that lacks something (rule 2). */
	if ((last != NULL && strcmp(last, token) == 0) || ++fetch->pages > PAGES_MAX) {
		fetch_finish(fetch, PROVIDER_FAILED, "EndlessList", "its pages come to no end", NULL);
		return true;
	}
	input = json_copy(fetch->request.input);
	json_object_set_new(input, in, json_string(token));
	json_decref(fetch->request.input);
	fetch->request.input = input;
	fetch_send(fetch);
	return true;
}

/* -- Calls -------------------------------------------------------------------------------------------------------- */

/* Whether RetryOn names this error and its deadline has not passed. */
static bool fetch_retries(const struct fetch *fetch, const struct aws_api_result *result)
{
	int64_t waited_ms = loop_now_ms(aws_loop(fetch->request.aws)) - fetch->started_ms;
	json_t *entry;
	size_t i;

	if (result->outcome != PROVIDER_REFUSED || result->code == NULL)
		return false;
	json_array_foreach(json_object_get(fetch->request.step, "RetryOn"), i, entry)
	{
		const char *code = json_get_string(entry, "Code"), *message = json_get_string(entry, "Message");

		if (code != NULL && text_glob(code, result->code) &&
		    (message == NULL || text_glob(message, result->message != NULL ? result->message : "")))
			return waited_ms < 1000 * json_get_int(entry, "Deadline", RETRY_DEADLINE_SECONDS);
	}
	return false;
}

static void fetch_called(void *payload, const struct aws_api_result *result)
{
	struct fetch *fetch = payload;

	if (result->outcome == PROVIDER_DONE) {
		if (!page_next(fetch, result->output))
			fetch_finish(fetch, PROVIDER_DONE, NULL, NULL, result->request_id);
	} else if (fetch_retries(fetch, result)) {
		engine_wait(fetch->request.aws, fetch->delay_ms, fetch_send, fetch);
		fetch->delay_ms = fetch->delay_ms * 2 < RETRY_MOST_MS ? fetch->delay_ms * 2 : RETRY_MOST_MS;
	} else {
		fetch_finish(fetch, result->outcome, result->code, result->message, result->request_id);
	}
}

static void fetch_send(void *payload)
{
	struct fetch *fetch = payload;
	const struct engine_request *request = &fetch->request;

	if (fetch->cancels != engine_cancels(request->aws)) {
		fetch_finish(fetch, PROVIDER_CANCELLED, "Cancelled", "stopped before it was sent", NULL);
		return;
	}
	aws_api_call(request->aws, &request->target, request->service, request->operation, request->input,
		     request->idempotent, fetch_called, fetch);
}

static struct fetch *fetch_new(const struct engine_request *request, char *key)
{
	struct fetch *fetch = mem_alloc(sizeof *fetch);

	fetch->request = *request;
	fetch->region = mem_strdup(request->target.region);
	fetch->request.target.region = fetch->region;
	json_incref(request->input);
	fetch->key = key;
	fetch->delay_ms = RETRY_FIRST_MS;
	fetch->started_ms = loop_now_ms(aws_loop(request->aws));
	fetch->cancels = engine_cancels(request->aws);
	return fetch;
}

static void fetch_await(struct fetch *fetch, engine_fetched *done, void *payload)
{
	struct waiter *waiter = mem_alloc(sizeof *waiter), **last = &fetch->waiters;

	waiter->done = done;
	waiter->payload = payload;
	while (*last != NULL)
		last = &(*last)->next;
	*last = waiter;
}

static char *fetch_key(const struct engine_request *request)
{
	struct buf key = BUF_INIT;

	buf_addf(&key, "%s %s %s ", request->target.region, request->service, request->operation);
	json_canonical(&key, request->input);
	return buf_detach(&key);
}

void engine_fetch(const struct engine_request *request, engine_fetched *done, void *payload)
{
	struct engine_batch *batch = request->reads ? request->batch : NULL;
	char *key = batch != NULL ? fetch_key(request) : NULL;
	struct fetch *fetch = batch != NULL ? batch->fetches : NULL;

	while (fetch != NULL && strcmp(fetch->key, key) != 0)
		fetch = fetch->next;
	if (fetch != NULL) {
		free(key);
		if (fetch->finished)
			fetch_answer(fetch, done, payload);
		else
			fetch_await(fetch, done, payload);
		return;
	}
	fetch = fetch_new(request, key);
	fetch_await(fetch, done, payload);
	if (batch != NULL) {
		fetch->next = batch->fetches;
		batch->fetches = fetch;
	}
	fetch_send(fetch);
}
