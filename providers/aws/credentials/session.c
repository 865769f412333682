/* See credentials.h. A session's credentials are fetched once for all that wait, used while they are fresh, and fetched
 * again in the background before they end. A failure is remembered: a thousand calls to an account that cannot be
 * entered make one AssumeRole, not a thousand. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/transport.h"

#define MINUTE_MS       60000
#define RENEW_AHEAD_MS  (5 * MINUTE_MS) /* renewed in the background from here on ... */
#define USABLE_UNTIL_MS MINUTE_MS       /* ... and no longer used from here on */
#define RETRY_AFTER_MS  (30 * 1000)     /* a failure that may pass is believed for so long */

struct session_waiter {
	struct session_waiter *next;
	aws_session_done *done;
	void *payload;
};

struct aws_session {
	struct aws *aws;
	struct aws_source *source;
	bool fetching;
	struct aws_credentials credentials; /* no id: none */
	struct aws_sign_keys *keys;
	char *identity;
	unsigned generation;
	int64_t renew_at_ms, end_at_ms; /* wall clock; INT64_MAX: never */
	int64_t final_ms;
	int64_t no_renewal_until_ms; /* monotonic; after a background renewal failed */
	struct aws_fetch failure;    /* its strings are owned; FOUND: none */
	int64_t failed_until_ms;     /* monotonic; INT64_MAX: for the run */
	struct session_waiter *waiters, **waiters_end;
	struct session_waiter *answering; /* those being called back now */
	struct loop_timer *answer;        /* the waiters are answered in the next turn */
};

static void session_fetch(struct aws_session *session);

struct aws_session *aws_session_new(struct aws *aws, struct aws_source *source)
{
	struct aws_session *session = mem_alloc(sizeof *session);

	session->aws = aws;
	session->source = source;
	session->waiters_end = &session->waiters;
	return session;
}

static void credentials_forget(struct aws_session *session)
{
	aws_credentials_clear(&session->credentials);
	aws_sign_keys_free(session->keys);
	session->keys = NULL;
}

static void failure_forget(struct aws_session *session)
{
	free((char *)session->failure.code);
	free((char *)session->failure.message);
	session->failure = (struct aws_fetch){0};
}

void aws_session_free(struct aws_session *session)
{
	if (session == NULL)
		return;
	aws_source_free(session->source);
	while (session->waiters != NULL) {
		struct session_waiter *waiter = session->waiters;

		session->waiters = waiter->next;
		free(waiter);
	}
	loop_timer_cancel(session->answer);
	credentials_forget(session);
	failure_forget(session);
	free(session->identity);
	free(session);
}

void aws_session_cancel(struct aws_session *session)
{
	if (session->fetching)
		aws_source_cancel(session->source);
}

int64_t aws_session_final_ms(const struct aws_session *session)
{
	return session->final_ms;
}

const char *aws_session_name(const struct aws_session *session)
{
	return session->source->name;
}

/* -- What is there now --------------------------------------------------------------------------------------------- */

static bool session_usable(const struct aws_session *session)
{
	return session->credentials.access_key_id != NULL && aws_wall_ms(session->aws) < session->end_at_ms;
}

static bool session_failed(const struct aws_session *session)
{
	return session->failure.outcome != AWS_FETCH_FOUND &&
	       loop_now_ms(session->aws->loop) < session->failed_until_ms;
}

bool aws_session_ready(struct aws_session *session, struct aws_session_view *view)
{
	if (!session_usable(session))
		return false;
	if (!session->fetching && aws_wall_ms(session->aws) >= session->renew_at_ms &&
	    loop_now_ms(session->aws->loop) >= session->no_renewal_until_ms)
		session_fetch(session);
	/* A source may have answered from within. */
	if (!session_usable(session))
		return false;
	*view = (struct aws_session_view){.credentials = &session->credentials,
					  .keys = session->keys,
					  .identity = session->identity,
					  .generation = session->generation};
	return true;
}

void aws_session_expired(struct aws_session *session, unsigned generation)
{
	if (session->generation == generation)
		credentials_forget(session);
}

/* -- Waiting ------------------------------------------------------------------------------------------------------- */

static void on_answer(void *payload)
{
	struct aws_session *session = payload;
	struct aws_fetch failure = session->failure;

	session->answer = NULL;
	session->answering = session->waiters;
	session->waiters = NULL;
	session->waiters_end = &session->waiters;
	/* A callback may wait anew, and so start the fetch that clears the failure: the others still get this one. */
	failure.code = mem_strdup(failure.code);
	failure.message = mem_strdup(failure.message);
	while (session->answering != NULL) {
		struct session_waiter waiter = *session->answering;

		free(session->answering);
		session->answering = waiter.next;
		waiter.done(waiter.payload, failure.outcome == AWS_FETCH_FOUND ? NULL : &failure);
	}
	free((char *)failure.code);
	free((char *)failure.message);
	if (session->failure.outcome == AWS_FETCH_CANCELLED)
		failure_forget(session);
}

static void session_answer(struct aws_session *session)
{
	if (session->answer == NULL && session->waiters != NULL)
		session->answer = loop_timer_start(session->aws->loop, 0, on_answer, session);
}

void aws_session_wait(struct aws_session *session, aws_session_done *done, void *payload)
{
	struct session_waiter *waiter = mem_alloc(sizeof *waiter);

	waiter->done = done;
	waiter->payload = payload;
	*session->waiters_end = waiter;
	session->waiters_end = &waiter->next;
	if (session->fetching)
		return;
	if (session_usable(session) || session_failed(session))
		session_answer(session);
	else
		session_fetch(session);
}

/* Gives where the list ends. */
static struct session_waiter **waiters_remove(struct session_waiter **at, const void *payload)
{
	while (*at != NULL) {
		struct session_waiter *waiter = *at;

		if (waiter->payload == payload) {
			*at = waiter->next;
			free(waiter);
		} else {
			at = &waiter->next;
		}
	}
	return at;
}

void aws_session_unwait(struct aws_session *session, const void *payload)
{
	session->waiters_end = waiters_remove(&session->waiters, payload);
	waiters_remove(&session->answering, payload);
}

/* -- Fetching ------------------------------------------------------------------------------------------------------ */

static void session_found(struct aws_session *session, const struct aws_fetch *fetch)
{
	int64_t now_ms = aws_wall_ms(session->aws), ends_ms = fetch->credentials->expires_unix_ms;
	int64_t life_ms = ends_ms - now_ms;

	credentials_forget(session);
	failure_forget(session);
	aws_credentials_copy(&session->credentials, fetch->credentials);
	session->keys = aws_sign_keys_new();
	free(session->identity);
	session->identity = mem_strdup(fetch->identity);
	session->generation++;
	session->final_ms = fetch->final_ms;
	session->aws->sessions_opened++;
	/* Credentials with a short life are not renewed all the time: at most the last third, and are used but for the
	 * last tenth. */
	session->renew_at_ms = session->end_at_ms = INT64_MAX;
	if (ends_ms != 0) {
		session->renew_at_ms = ends_ms - (life_ms / 3 < RENEW_AHEAD_MS ? life_ms / 3 : RENEW_AHEAD_MS);
		session->end_at_ms = ends_ms - (life_ms / 10 < USABLE_UNTIL_MS ? life_ms / 10 : USABLE_UNTIL_MS);
	}
}

static void session_lost(struct aws_session *session, const struct aws_fetch *fetch)
{
	int64_t now_ms = loop_now_ms(session->aws->loop);
	bool none = fetch->outcome == AWS_FETCH_NONE;

	if (session_usable(session)) {
		session->no_renewal_until_ms = now_ms + RETRY_AFTER_MS;
		return;
	}
	failure_forget(session);
	session->failure.outcome = none ? AWS_FETCH_FAILED : fetch->outcome;
	session->failure.transient = fetch->transient;
	session->failure.code = mem_strdup(none ? "NoCredentials" : fetch->code);
	session->failure.message =
	    none ? mem_printf("no AWS credentials found: %s", fetch->message) : mem_strdup(fetch->message);
	session->failed_until_ms = fetch->outcome == AWS_FETCH_CANCELLED ? 0
				   : fetch->transient                    ? now_ms + RETRY_AFTER_MS
									 : INT64_MAX;
}

static void on_fetched(void *payload, const struct aws_fetch *fetch)
{
	struct aws_session *session = payload;

	session->fetching = false;
	if (fetch->outcome == AWS_FETCH_FOUND && fetch->credentials->expires_unix_ms != 0 &&
	    fetch->credentials->expires_unix_ms <= aws_wall_ms(session->aws))
		session_lost(session, &(struct aws_fetch){.outcome = AWS_FETCH_FAILED,
							  .code = "ExpiredCredentials",
							  .message = "the credentials found have expired"});
	else if (fetch->outcome == AWS_FETCH_FOUND)
		session_found(session, fetch);
	else
		session_lost(session, fetch);
	session_answer(session);
}

static void session_fetch(struct aws_session *session)
{
	session->fetching = true;
	if (!session_usable(session))
		failure_forget(session);
	aws_source_fetch(session->source, on_fetched, session);
}
