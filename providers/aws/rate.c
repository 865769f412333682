/* How fast one service takes calls of one account in one region, learned from its throttling answers; and the budget
 * for retries.
 *
 * The rate is that of the "adaptive" retry mode of the AWS SDKs ("Retry behavior" in the AWS SDKs and Tools Reference
 * Guide), which is TCP CUBIC (RFC 8312) over a token bucket: unlimited until a first throttling answer; then 0.7 of the
 * rate in use, growing back along a cubic. Two differences: calls that were sent before the last cut do not cut again
 * (a burst gets a hundred throttling answers at once, which would end near zero), nor do calls within CUT_EVERY_MS of
 * it (services count in periods); and an answer that was not throttled never lowers the rate.
 *
 * The budget is that of their "standard" mode: 500 tokens; a retry costs 5, after a time-out 10. */
#include <math.h>

#include "providers/aws/transport.h"

#define BETA          0.7
#define SCALE         0.4
#define SMOOTH        0.8
#define WINDOW_MS     500 /* of the measured rate */
#define LEAST         0.5 /* calls a second */
#define BURST         1.0
#define CUT_EVERY_MS  100
#define BUDGET        500.0
#define BUDGET_RETURN 1.0 /* for a success without a retry */

void aws_rate_init(struct aws_rate *rate)
{
	*rate = (struct aws_rate){.budget = BUDGET};
}

bool aws_rate_is_new(const struct aws_rate *rate)
{
	return !rate->limited && rate->budget >= BUDGET && rate->paused_until_ms == 0;
}

/* -- Measured sending rate ----------------------------------------------------------------------------------------- */

static void measure(struct aws_rate *rate, int64_t now_ms)
{
	int64_t elapsed_ms = now_ms - rate->window_at_ms;

	rate->window_count++;
	if (rate->window_at_ms == 0) {
		rate->window_at_ms = now_ms;
	} else if (elapsed_ms >= WINDOW_MS) {
		double now = rate->window_count * 1000.0 / (double)elapsed_ms;

		rate->measured_per_second = now * SMOOTH + rate->measured_per_second * (1 - SMOOTH);
		rate->window_count = 0;
		rate->window_at_ms = now_ms;
	}
}

/* Before the first window is full there is only what it has so far. */
static double measured(const struct aws_rate *rate)
{
	double so_far = rate->window_count * 1000.0 / WINDOW_MS;

	return rate->measured_per_second > so_far ? rate->measured_per_second : so_far;
}

/* -- Token bucket -------------------------------------------------------------------------------------------------- */

static void fill(struct aws_rate *rate, int64_t now_ms)
{
	double most = rate->per_second > BURST ? rate->per_second : BURST;

	rate->tokens += (double)(now_ms - rate->filled_at_ms) / 1000.0 * rate->per_second;
	if (rate->tokens > most)
		rate->tokens = most;
	rate->filled_at_ms = now_ms;
}

int64_t aws_rate_take(struct aws_rate *rate, int64_t now_ms)
{
	if (now_ms < rate->paused_until_ms)
		return rate->paused_until_ms - now_ms;
	if (rate->limited) {
		fill(rate, now_ms);
		if (rate->tokens < 1)
			return (int64_t)ceil((1 - rate->tokens) / rate->per_second * 1000.0);
		rate->tokens -= 1;
	}
	measure(rate, now_ms);
	return 0;
}

void aws_rate_pause(struct aws_rate *rate, int64_t until_ms)
{
	if (until_ms > rate->paused_until_ms)
		rate->paused_until_ms = until_ms;
}

/* -- Learning ------------------------------------------------------------------------------------------------------ */

static void set_rate(struct aws_rate *rate, int64_t now_ms, double per_second)
{
	if (rate->limited)
		fill(rate, now_ms);
	rate->per_second = per_second > LEAST ? per_second : LEAST;
	rate->filled_at_ms = now_ms;
	if (rate->tokens > rate->per_second && rate->tokens > BURST)
		rate->tokens = rate->per_second > BURST ? rate->per_second : BURST;
}

static void cut(struct aws_rate *rate, int64_t now_ms)
{
	double used = measured(rate);

	if (rate->limited && rate->per_second < used)
		used = rate->per_second;
	rate->peak_per_second = used;
	rate->recovery_s = cbrt(used * (1 - BETA) / SCALE);
	rate->throttled_at_ms = now_ms;
	if (!rate->limited)
		rate->tokens = 0;
	set_rate(rate, now_ms, used * BETA);
	rate->limited = true;
}

static void grow(struct aws_rate *rate, int64_t now_ms)
{
	double since_s = (double)(now_ms - rate->throttled_at_ms) / 1000.0 - rate->recovery_s;
	double cubic = SCALE * since_s * since_s * since_s + rate->peak_per_second;
	double most = 2 * measured(rate);

	if (cubic > most)
		cubic = most;
	if (cubic > rate->per_second)
		set_rate(rate, now_ms, cubic);
}

void aws_rate_answered(struct aws_rate *rate, int64_t now_ms, int64_t sent_at_ms, bool throttled)
{
	bool news =
	    !rate->limited || (sent_at_ms >= rate->throttled_at_ms && now_ms - rate->throttled_at_ms >= CUT_EVERY_MS);

	if (throttled && news)
		cut(rate, now_ms);
	else if (!throttled && rate->limited)
		grow(rate, now_ms);
}

/* -- Budget -------------------------------------------------------------------------------------------------------- */

bool aws_rate_pay(struct aws_rate *rate, int cost)
{
	if (rate->budget < cost)
		return false;
	rate->budget -= cost;
	return true;
}

void aws_rate_refund(struct aws_rate *rate, int cost)
{
	rate->budget += cost > 0 ? cost : BUDGET_RETURN;
	if (rate->budget > BUDGET)
		rate->budget = BUDGET;
}
