/* What an answer means: the call is done, goes again (and when), or has failed (and how much may have happened). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/send_private.h"

#define UNREACHED_ATTEMPTS_MOST 4 /* without a connection there is little hope */
#define THROTTLED_FACTOR        4 /* tries for each of AWS_MAX_ATTEMPTS, since the rate is being learned */
#define RETRY_COST              5
#define TIMEOUT_COST            10
#define RETRY_AFTER_MOST_MS     60000
#define SKEW_LEAST_MS           (4 * 60 * 1000) /* AWS allows five minutes */

/* -- Reading the answer -------------------------------------------------------------------------------------------- */

static void error_read(struct aws_error *out, const struct aws_send *send, const struct loop_http_answer *http)
{
	*out = (struct aws_error){0};
	switch (http->outcome) {
	case LOOP_HTTP_ANSWERED:
		send->service->protocol->error(out, send->service, http);
		break;
	case LOOP_HTTP_NOT_SENT:
		out->code = mem_strdup("NotSent");
		out->message = mem_printf("cannot reach %s: %s", send->endpoint.base, http->error);
		break;
	case LOOP_HTTP_LOST:
		out->code = mem_strdup("Lost");
		out->message = mem_printf("sent to %s, but no answer came: %s", send->endpoint.base, http->error);
		break;
	case LOOP_HTTP_TOO_LARGE:
		out->code = mem_strdup("AnswerTooLarge");
		out->message =
		    mem_printf("the answer of %s is over %u bytes", send->endpoint.base, LOOP_HTTP_MAX_BYTES);
		break;
	}
}

/* Retry-After in seconds, or the milliseconds that some services give. 0: none. */
static int64_t retry_after_ms(const struct loop_http_answer *http)
{
	buf_auto struct buf value = BUF_INIT;
	int64_t ms = 0;

	if (loop_http_answer_header(http, "x-amz-retry-after", &value))
		ms = strtoll(buf_str(&value), NULL, 10);
	else if (loop_http_answer_header(http, "Retry-After", &value))
		ms = strtoll(buf_str(&value), NULL, 10) * 1000;
	return ms < 0 ? 0 : ms > RETRY_AFTER_MOST_MS ? RETRY_AFTER_MOST_MS : ms;
}

/* -- Going again --------------------------------------------------------------------------------------------------- */

static void go_again(struct aws_send *send)
{
	send->aws->sender->retries++;
	send_advance(send);
}

/* No backoff here: the rate is what holds throttled calls back, in their order. */
static bool retry_throttled(struct aws_send *send, const struct loop_http_answer *http)
{
	struct aws_sender *sender = send->aws->sender;
	int64_t now_ms = loop_now_ms(send->aws->loop), after_ms = retry_after_ms(http);

	sender->throttled++;
	aws_rate_answered(&send->queue->rate, now_ms, send->sent_at_ms, true);
	if (after_ms > 0)
		aws_rate_pause(&send->queue->rate, now_ms + after_ms);
	if (++send->throttled >= sender->attempts_most * THROTTLED_FACTOR)
		return false;
	go_again(send);
	return true;
}

/* The answer's own clock says whether ours is to blame; AWS's codes alone do not. */
static bool retry_clock(struct aws_send *send, const struct loop_http_answer *http)
{
	buf_auto struct buf date = BUF_INIT;
	int64_t theirs_ms, off_ms;

	if (send->skew_set || !loop_http_answer_header(http, "Date", &date) ||
	    aws_http_date(&theirs_ms, buf_str(&date)) < 0)
		return false;
	off_ms = theirs_ms - aws_wall_ms(send->aws);
	if (llabs(off_ms) < SKEW_LEAST_MS)
		return false;
	send->skew_set = true;
	send->aws->skew_ms += off_ms;
	go_again(send);
	return true;
}

static bool retry_credentials(struct aws_send *send)
{
	if (send->renewed || send->session == NULL)
		return false;
	send->renewed = true;
	aws_session_expired(send->session, send->generation);
	go_again(send);
	return true;
}

static bool retry_later(struct aws_send *send, const struct loop_http_answer *http)
{
	struct aws_sender *sender = send->aws->sender;
	bool unreached = http->outcome == LOOP_HTTP_NOT_SENT;
	unsigned most = sender->attempts_most, tried = send->attempts - send->throttled;
	int cost = http->outcome == LOOP_HTTP_LOST ? TIMEOUT_COST : RETRY_COST;
	int64_t delay_ms = aws_backoff_ms(tried), after_ms = retry_after_ms(http);

	if (unreached && most > UNREACHED_ATTEMPTS_MOST)
		most = UNREACHED_ATTEMPTS_MOST;
	if (tried >= most || !aws_rate_pay(&send->queue->rate, cost))
		return false;
	send->retry_cost = cost;
	sender->retries++;
	send_back_off(send, delay_ms > after_ms ? delay_ms : after_ms);
	return true;
}

/* An answer of 500, 502 or 504, or none, to a call that changes something leaves open whether it has. */
static bool leaves_doubt(const struct aws_send *send, const struct loop_http_answer *http)
{
	return !send->operation->reads && (http->outcome == LOOP_HTTP_LOST || http->outcome == LOOP_HTTP_TOO_LARGE ||
					   http->status == 500 || http->status == 502 || http->status == 504);
}

/* True when the call is on its way again. */
static bool retry(struct aws_send *send, const struct loop_http_answer *http, const char *code)
{
	bool answered = http->outcome == LOOP_HTTP_ANSWERED;

	if (answered && (http->status == 429 || aws_code_is_throttling(code)))
		return retry_throttled(send, http);
	if (answered)
		aws_rate_answered(&send->queue->rate, loop_now_ms(send->aws->loop), send->sent_at_ms, false);
	if (answered && aws_code_is_clock_skew(code) && retry_clock(send, http))
		return true;
	if (answered && aws_code_is_expired_token(code) && retry_credentials(send))
		return true;
	/* What must not be done twice is not asked for again while nobody knows whether it was done. */
	if (send->operation->once && leaves_doubt(send, http))
		return false;
	if (answered && (http->status >= 500 || aws_code_is_transient(code)))
		return retry_later(send, http);
	if (http->outcome == LOOP_HTTP_NOT_SENT || (http->outcome == LOOP_HTTP_LOST && send->repeatable))
		return retry_later(send, http);
	return false;
}

/* -- Giving up ----------------------------------------------------------------------------------------------------- */

static enum provider_outcome failure_outcome(const struct aws_send *send, const struct loop_http_answer *http,
					     const char *code)
{
	if (http->outcome == LOOP_HTTP_LOST || http->outcome == LOOP_HTTP_TOO_LARGE || send->perhaps_acted)
		return PROVIDER_FAILED;
	if (http->outcome == LOOP_HTTP_ANSWERED && aws_code_is_unreachable(code))
		return PROVIDER_UNREACHABLE;
	return PROVIDER_REFUSED;
}

static void message_extend(struct aws_error *error, const char *format, const char *what)
{
	buf_auto struct buf extra = BUF_INIT;
	char *longer;

	buf_addf(&extra, "%s (%s %s)", error->message == NULL ? "" : error->message, format, what);
	longer = buf_detach(&extra);
	free(error->message);
	error->message = longer;
}

/* Says what AWS's words leave out. */
static void error_explain(struct aws_error *error, const struct aws_send *send, const struct loop_http_answer *http,
			  enum provider_outcome outcome)
{
	buf_auto struct buf region = BUF_INIT;

	if (loop_http_answer_header(http, "x-amz-bucket-region", &region) && region.len > 0 && http->status != 403 &&
	    http->status != 404 && strcmp(buf_str(&region), send->endpoint.signing_region) != 0)
		message_extend(error, "the bucket is in", buf_str(&region));
	if (outcome == PROVIDER_UNREACHABLE && send->account != NULL) {
		char *longer = mem_printf("%s: %s", send->account->label, error->message);

		free(error->message);
		error->message = longer;
		message_extend(error, "is the region enabled in the account?", send->region);
	}
	if (send->attempts > 1) {
		char times[32];

		snprintf(times, sizeof times, "%u times", send->attempts);
		message_extend(error, "tried", times);
	}
}

void send_answered(struct aws_send *send, const struct loop_http_answer *http)
{
	struct aws_error error;
	enum provider_outcome outcome;

	if (http->outcome == LOOP_HTTP_ANSWERED && http->status >= 200 && http->status < 300) {
		aws_rate_answered(&send->queue->rate, loop_now_ms(send->aws->loop), send->sent_at_ms, false);
		aws_rate_refund(&send->queue->rate, send->retry_cost);
		send_finish(send, PROVIDER_DONE, http, NULL);
		return;
	}
	error_read(&error, send, http);
	send->perhaps_acted = send->perhaps_acted || leaves_doubt(send, http);
	if (!retry(send, http, error.code)) {
		outcome = failure_outcome(send, http, error.code);
		error_explain(&error, send, http, outcome);
		send_finish(send, outcome, http->outcome == LOOP_HTTP_ANSWERED ? http : NULL, &error);
	}
	aws_error_free(&error);
}
