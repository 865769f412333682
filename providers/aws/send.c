/* One request, signed and sent: it waits for credentials, then for the rate of its account, region and service, then
 * for one of the places on the wire (send_wire.c). What comes back is judged in answer.c.
 *
 *   SESSION -> RATE -> SLOT -> WIRE -> (done) | BACKOFF -> SESSION | SESSION | END */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/send_private.h"

#define CONCURRENCY_MOST 256
#define ATTEMPTS_MOST    10

/* the steps */
static void rate_join(struct aws_send *send);
static void queue_pump(struct send_queue *queue);
static void slot_join(struct aws_send *send);

/* -- The sender ---------------------------------------------------------------------------------------------------- */

static unsigned attempts_setting(void)
{
	const char *set = getenv("AWS_MAX_ATTEMPTS");
	int most = set == NULL ? 0 : atoi(set);

	return most < 1 || most > 100 ? ATTEMPTS_MOST : (unsigned)most;
}

struct aws_sender *aws_sender_new(struct aws *aws)
{
	struct aws_sender *sender = mem_alloc(sizeof *sender);

	sender->aws = aws;
	sender->most = CONCURRENCY_MOST;
	sender->attempts_most = attempts_setting();
	sender->debug = aws_environment_flag("MUSTER_DEBUG_HTTP");
	return sender;
}

static void queue_free(void *value)
{
	struct send_queue *queue = value;

	loop_timer_cancel(queue->timer);
	free(queue->key);
	free(queue);
}

void aws_sender_free(struct aws_sender *sender)
{
	if (sender == NULL)
		return;
	aws_sender_cancel(sender, true);
	map_free(&sender->queues, queue_free);
	free(sender);
}

void aws_sender_stats(const struct aws_sender *sender, struct provider_stats *out)
{
	out->calls = sender->calls;
	out->retries = sender->retries;
	out->throttled = sender->throttled;
	out->bytes_in = sender->bytes_in;
	out->bytes_out = sender->bytes_out;
	out->in_flight = sender->count[SEND_WIRE];
	out->waiting = sender->count[SEND_RATE] + sender->count[SEND_BACKOFF];
}

void aws_send_concurrency_set(struct aws *aws, size_t most)
{
	aws->sender->most = most > 0 ? most : 1;
	send_slots_pump(aws->sender);
}

void send_set_state(struct aws_send *send, enum send_state state)
{
	struct aws_sender *sender = send->aws->sender;

	sender->count[send->state]--;
	sender->count[state]++;
	send->state = state;
}

/* -- Starting and ending ------------------------------------------------------------------------------------------- */

static struct send_queue *queue_take(struct aws_send *send)
{
	struct aws_sender *sender = send->aws->sender;
	const char *who = send->account != NULL ? send->account->id : send->credentials.access_key_id;
	char *key =
	    mem_printf("%s\n%s\n%s", who == NULL ? "" : who, send->endpoint.signing_region, send->service->name);
	struct send_queue *queue = map_get(&sender->queues, key);

	if (queue == NULL) {
		queue = mem_alloc(sizeof *queue);
		queue->sender = sender;
		queue->key = mem_strdup(key);
		aws_rate_init(&queue->rate);
		map_set(&sender->queues, key, queue);
	}
	queue->users++;
	free(key);
	return queue;
}

static void queue_give_back(struct send_queue *queue)
{
	if (--queue->users > 0 || !aws_rate_is_new(&queue->rate))
		return;
	map_remove(&queue->sender->queues, queue->key);
	queue_free(queue);
}

static struct aws_send *send_new(struct aws *aws, const char *region, const struct aws_service *service,
				 const struct aws_operation *operation, struct aws_wire *wire)
{
	struct aws_sender *sender = aws->sender;
	struct aws_send *send = mem_alloc(sizeof *send);

	send->aws = aws;
	send->service = service;
	send->operation = operation;
	send->region = mem_strdup(region);
	send->wire = *wire;
	*wire = (struct aws_wire){0};
	send->sequence = sender->sequence++;
	send->next = sender->all;
	send->at = &sender->all;
	if (send->next != NULL)
		send->next->at = &send->next;
	sender->all = send;
	sender->count[send->state]++;
	aws_endpoint_find(&send->endpoint, aws, service, region);
	if (send->endpoint.path[0] != '\0') { /* the user's endpoint lies below a path: it is signed too */
		char *path = mem_printf("%s%s", send->endpoint.path, send->wire.path);

		free(send->wire.path);
		send->wire.path = path;
	}
	return send;
}

static void send_free(struct aws_send *send)
{
	if (send->queue != NULL)
		queue_give_back(send->queue);
	aws_wire_free(&send->wire);
	aws_endpoint_free(&send->endpoint);
	aws_credentials_clear(&send->credentials);
	aws_error_free(&send->error);
	free(send->region);
	free(send);
}

void send_finish(struct aws_send *send, enum provider_outcome outcome, const struct loop_http_answer *http,
		 const struct aws_error *error)
{
	struct aws_answer answer = {.outcome = outcome, .http = http};

	if (error != NULL)
		answer.error = *error;
	send->aws->sender->count[send->state]--;
	*send->at = send->next;
	if (send->next != NULL)
		send->next->at = send->at;
	send->done(send->payload, &answer);
	send_free(send);
}

static void on_end(void *payload)
{
	struct aws_send *send = payload;

	send->timer = NULL;
	send_finish(send, send->outcome, NULL, &send->error);
}

/* For endings that are found while the call is being started, when it may not call back yet. */
void send_end_later(struct aws_send *send, enum provider_outcome outcome, const char *code, const char *message)
{
	send_set_state(send, SEND_END);
	send->outcome = outcome;
	aws_error_free(&send->error);
	send->error = (struct aws_error){.code = mem_strdup(code), .message = mem_strdup(message)};
	send->timer = loop_timer_start(send->aws->loop, 0, on_end, send);
}

static struct aws_send *send_go(struct aws_send *send, aws_send_done *done, void *payload)
{
	send->done = done;
	send->payload = payload;
	send->queue = queue_take(send);
	if (send->aws->sender->closed)
		send_end_later(send, PROVIDER_CANCELLED, "Cancelled", "cancelled");
	else
		send_advance(send);
	return send;
}

struct aws_send *aws_send_start(struct aws *aws, const struct provider_target *target,
				const struct aws_service *service, const struct aws_operation *operation,
				struct aws_wire *wire, bool idempotent, aws_send_done *done, void *payload)
{
	const char *region = target->region == NULL ? aws->home_region : target->region;
	struct aws_send *send = send_new(aws, region, service, operation, wire);

	send->account = target->account;
	send->session = target->account->sessions[target->access];
	send->repeatable = idempotent || operation->reads;
	return send_go(send, done, payload);
}

struct aws_send *aws_send_start_as(struct aws *aws, const struct aws_credentials *credentials, const char *region,
				   const struct aws_service *service, const struct aws_operation *operation,
				   struct aws_wire *wire, bool idempotent, aws_send_done *done, void *payload)
{
	struct aws_send *send = send_new(aws, region, service, operation, wire);

	if (credentials != NULL)
		aws_credentials_copy(&send->credentials, credentials);
	send->repeatable = idempotent || operation->reads;
	return send_go(send, done, payload);
}

/* -- Credentials --------------------------------------------------------------------------------------------------- */

static void on_session(void *payload, const struct aws_fetch *failure)
{
	struct aws_send *send = payload;
	struct aws_error error;

	if (failure == NULL) {
		send_advance(send);
		return;
	}
	error = (struct aws_error){.code = (char *)failure->code, .message = (char *)failure->message};
	if (failure->outcome == AWS_FETCH_CANCELLED)
		send_finish(send, PROVIDER_CANCELLED, NULL, &error);
	else
		send_finish(send, PROVIDER_UNREACHABLE, NULL, &error);
}

void send_advance(struct aws_send *send)
{
	struct aws_session_view view;

	send_set_state(send, SEND_SESSION);
	if (send->session != NULL && !aws_session_ready(send->session, &view))
		aws_session_wait(send->session, on_session, send);
	else
		rate_join(send);
}

static void on_backoff(void *payload)
{
	struct aws_send *send = payload;

	send->timer = NULL;
	send_advance(send);
}

void send_back_off(struct aws_send *send, int64_t delay_ms)
{
	send_set_state(send, SEND_BACKOFF);
	send->timer = loop_timer_start(send->aws->loop, delay_ms, on_backoff, send);
}

/* -- Rate ---------------------------------------------------------------------------------------------------------- */

/* Calls keep their order of starting: one that comes back throttled goes before those started after it. */
static void rate_join(struct aws_send *send)
{
	struct send_queue *queue = send->queue;
	struct aws_send **at = &queue->first;

	send_set_state(send, SEND_RATE);
	if (queue->last != NULL && queue->last->sequence < send->sequence)
		at = &queue->last->queue_next;
	while (*at != NULL && (*at)->sequence < send->sequence)
		at = &(*at)->queue_next;
	send->queue_next = *at;
	*at = send;
	if (send->queue_next == NULL)
		queue->last = send;
	queue_pump(queue);
}

static void on_rate(void *payload)
{
	struct send_queue *queue = payload;

	queue->timer = NULL;
	queue_pump(queue);
}

static void queue_pump(struct send_queue *queue)
{
	while (queue->first != NULL && queue->timer == NULL) {
		struct aws_send *send = queue->first;
		int64_t wait_ms = aws_rate_take(&queue->rate, loop_now_ms(send->aws->loop));

		if (wait_ms > 0) {
			queue->timer = loop_timer_start(send->aws->loop, wait_ms, on_rate, queue);
			return;
		}
		queue->first = send->queue_next;
		if (queue->first == NULL)
			queue->last = NULL;
		send->queue_next = NULL;
		slot_join(send);
	}
}

static void rate_leave(struct aws_send *send)
{
	struct send_queue *queue = send->queue;
	struct aws_send **at = &queue->first, *before = NULL;

	for (; *at != send; at = &(*at)->queue_next)
		before = *at;
	*at = send->queue_next;
	if (queue->last == send)
		queue->last = before;
}

/* -- A place on the wire ------------------------------------------------------------------------------------------- */

static void slot_join(struct aws_send *send)
{
	struct aws_sender *sender = send->aws->sender;

	send_set_state(send, SEND_SLOT);
	if (sender->slot_first == NULL) {
		sender->slot_first = sender->slot_last = send;
	} else if (send->account == NULL) {
		/* Others wait for what this one brings: credentials. */
		send->queue_next = sender->slot_first;
		sender->slot_first = send;
	} else {
		sender->slot_last->queue_next = send;
		sender->slot_last = send;
	}
	send_slots_pump(sender);
}

void send_slots_pump(struct aws_sender *sender)
{
	while (sender->slot_first != NULL && sender->count[SEND_WIRE] < sender->most) {
		struct aws_send *send = sender->slot_first;

		sender->slot_first = send->queue_next;
		if (sender->slot_first == NULL)
			sender->slot_last = NULL;
		send->queue_next = NULL;
		send_launch(send);
	}
}

static void slot_leave(struct aws_send *send)
{
	struct aws_sender *sender = send->aws->sender;
	struct aws_send **at = &sender->slot_first, *before = NULL;

	for (; *at != send; at = &(*at)->queue_next)
		before = *at;
	*at = send->queue_next;
	if (sender->slot_last == send)
		sender->slot_last = before;
}

/* -- Cancelling ---------------------------------------------------------------------------------------------------- */

/* Takes the call out of wherever it waits. */
static void send_detach(struct aws_send *send)
{
	switch (send->state) {
	case SEND_SESSION:
		aws_session_unwait(send->session, send);
		break;
	case SEND_RATE:
		rate_leave(send);
		break;
	case SEND_SLOT:
		slot_leave(send);
		break;
	case SEND_WIRE:
		loop_http_cancel(send->http);
		break;
	case SEND_BACKOFF:
	case SEND_END:
	case SEND_STATES:
		loop_timer_cancel(send->timer);
		break;
	}
	send->http = NULL;
	send->timer = NULL;
	send->queue_next = NULL;
}

void aws_sender_cancel(struct aws_sender *sender, bool now)
{
	struct aws_error error = {.code = (char *)"Cancelled", .message = (char *)"cancelled"};
	struct aws_send *next;

	if (now) {
		sender->closed = true;
		while (sender->all != NULL) {
			send_detach(sender->all);
			send_finish(sender->all, PROVIDER_CANCELLED, NULL, &error);
		}
		return;
	}
	for (struct aws_send *send = sender->all; send != NULL; send = next) {
		next = send->next;
		if (send->state == SEND_END)
			continue;
		send_detach(send);
		send_end_later(send, PROVIDER_CANCELLED, error.code, error.message);
	}
}
