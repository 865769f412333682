/* Sending: endpoints, what is sent again and what is not, learned rates, clock, expired sessions, cancelling. */
#include <sys/resource.h>

#include "tests/unit/aws_fixture.h"

static struct server server;
static struct buf order; /* the Names of the ListTopics/CreateTopic calls that were answered, in order */
static struct buf last;
static enum {
	FINE,
	THROTTLE,     /* more than `allowed` calls in 100 ms */
	FLAKY,        /* `failures` times HTTP 500 */
	HANG_UP,      /* `failures` times no answer */
	EXPIRED,      /* the first session's token is refused */
	SKEWED,       /* the server's clock is an hour ahead */
	ELSEWHERE,    /* the bucket is in another region */
	UNKNOWN_HERE, /* the region does not know the credentials */
	SLOW,
	RETRY_AFTER, /* throttled once, with a time to wait */
} mode;
static int failures, allowed, in_window, sessions;
static int64_t window_ms, first_ms, second_ms;

static bool throttle_now(void)
{
	int64_t now_ms = loop_wall_ms();

	if (now_ms - window_ms >= 100) {
		window_ms = now_ms;
		in_window = 0;
	}
	return ++in_window > allowed;
}

static void serve_mode(const struct server_request *request, struct server_reply *reply)
{
	struct buf value = BUF_INIT;

	signer_of(request, &value);
	if (mode == THROTTLE && throttle_now())
		sts_error(reply, 400, "Throttling", "Rate exceeded");
	else if (mode == RETRY_AFTER && failures-- > 0) {
		first_ms = loop_wall_ms();
		buf_adds(&reply->headers, "Retry-After: 1\r\n");
		sts_error(reply, 429, "TooManyRequestsException", "wait");
	} else if (mode == FLAKY && failures-- > 0)
		sts_error(reply, 500, "InternalFailure", "oops");
	else if (mode == HANG_UP && failures-- > 0)
		reply->hang_up = true;
	else if (mode == EXPIRED && strcmp(buf_str(&value), "ASIA1") == 0)
		sts_error(reply, 403, "ExpiredToken", "expired");
	else if (mode == UNKNOWN_HERE)
		sts_error(reply, 403, "InvalidClientTokenId", "The security token is invalid");
	else if (mode == SLOW)
		reply->delay_ms = 20;
	second_ms = loop_wall_ms();
	buf_free(&value);
}

static void serve_skewed(const struct server_request *request, struct server_reply *reply)
{
	struct buf date = BUF_INIT;
	time_t theirs = time(NULL) + 3600;
	struct tm utc;
	char now[32], header[64];

	gmtime_r(&theirs, &utc);
	strftime(now, sizeof now, "%Y%m%dT%H", &utc);
	strftime(header, sizeof header, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
	buf_adds(&reply->headers, header);
	server_header(request, "X-Amz-Date", &date);
	if (strncmp(buf_str(&date), now, strlen(now)) != 0)
		sts_error(reply, 403, "SignatureDoesNotMatch", "Signature expired");
	buf_free(&date);
}

static void serve_elsewhere(struct server_reply *reply)
{
	reply->status = 301;
	buf_adds(&reply->headers, "x-amz-bucket-region: us-west-2\r\n");
	buf_adds(&reply->body, "<Error><Code>PermanentRedirect</Code><Message>go away</Message></Error>");
}

static void serve(void *payload, const struct server_request *request, struct server_reply *reply)
{
	struct buf action = BUF_INIT, arn = BUF_INIT, name = BUF_INIT;
	char key[32];

	(void)payload;
	form_value(request, "Action", &action);
	buf_clear(&last);
	buf_addf(&last, "%s %s\n%s\n%.*s", request->method, request->target, request->headers, (int)request->body_len,
		 request->body);
	if (strcmp(buf_str(&action), "AssumeRole") == 0) {
		form_value(request, "RoleArn", &arn);
		snprintf(key, sizeof key, "ASIA%d", ++sessions);
		sts_role_answer(reply, "AssumeRole", key, buf_str(&arn), (mode == SKEWED ? 2 : 1) * 3600 * 1000);
	} else {
		if (mode == SKEWED)
			serve_skewed(request, reply);
		else if (mode == ELSEWHERE)
			serve_elsewhere(reply);
		else
			serve_mode(request, reply);
		if (reply->body.len == 0 && !reply->hang_up) {
			if (form_value(request, "Name", &name) || form_value(request, "NextToken", &name))
				buf_addf(&order, "%s ", buf_str(&name));
			buf_addf(&reply->body, "<%sResponse><%sResult></%sResult></%sResponse>", buf_str(&action),
				 buf_str(&action), buf_str(&action), buf_str(&action));
		}
	}
	buf_free(&action);
	buf_free(&arn);
	buf_free(&name);
}

static struct provider_account *account;

static int setup(void **state)
{
	(void)state;
	mode = FINE;
	failures = sessions = in_window = 0;
	home_make();
	server_start(&server, serve, NULL);
	setenv("AWS_ENDPOINT_URL", server.url, 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIAE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "sekrit", 1);
	provider_open();
	account = account_make("app", "333333333333", "{\"Role\":\"arn:aws:iam::${AccountId}:role/r\"}");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	provider_close();
	server_stop(&server);
	home_remove();
	buf_free(&order);
	buf_free(&last);
	return 0;
}

struct got {
	int calls;
	enum provider_outcome outcome;
	char code[64], message[512], request_id[64];
};

static void on_api(void *payload, const struct aws_api_result *result)
{
	struct got *got = payload;

	got->calls++;
	got->outcome = result->outcome;
	snprintf(got->code, sizeof got->code, "%s", result->code == NULL ? "" : result->code);
	snprintf(got->message, sizeof got->message, "%s", result->message == NULL ? "" : result->message);
	snprintf(got->request_id, sizeof got->request_id, "%s", result->request_id == NULL ? "" : result->request_id);
}

static void call(struct got *got, const char *service, const char *operation, const char *member, const char *value,
		 bool idempotent)
{
	const struct provider_target target = {.account = account, .region = "eu-west-1", .access = PROVIDER_WRITES};
	json_auto_t *input = member == NULL ? json_object() : json_pack("{s:s}", member, value);

	*got = (struct got){0};
	aws_api_call(aws, &target, service, operation, input, idempotent, on_api, got);
	assert_int_equal(got->calls, 0);
}

static struct got call_and_wait(const char *service, const char *operation, const char *member, const char *value,
				bool idempotent)
{
	struct got got;

	call(&got, service, operation, member, value, idempotent);
	loop_run(loop);
	assert_int_equal(got.calls, 1);
	return got;
}

static struct got read_topics(void)
{
	return call_and_wait("sns", "ListTopics", NULL, NULL, false);
}

static struct got make_topic(bool idempotent)
{
	return call_and_wait("sns", "CreateTopic", "Name", "t", idempotent);
}

static struct provider_stats stats(void)
{
	struct provider_stats out;

	aws->provider.ops->stats(&aws->provider, &out);
	return out;
}

/* -- Endpoints ----------------------------------------------------------------------------------------------------- */

static void check_endpoint(const char *service_name, const char *region, const char *base, const char *signing_region)
{
	struct aws_endpoint endpoint;

	aws_endpoint_find(&endpoint, aws, aws_service_find(aws, service_name), region);
	assert_string_equal(endpoint.base, base);
	assert_string_equal(endpoint.signing_region, signing_region);
	aws_endpoint_free(&endpoint);
}

static void test_endpoints_of_aws(void **state)
{
	(void)state;
	unsetenv("AWS_ENDPOINT_URL");
	check_endpoint("sts", "eu-west-1", "https://sts.eu-west-1.amazonaws.com", "eu-west-1");
	check_endpoint("iam", "eu-west-1", "https://iam.amazonaws.com", "us-east-1");
	check_endpoint("iam", "cn-northwest-1", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1");
	check_endpoint("iam", "us-gov-east-1", "https://iam.us-gov.amazonaws.com", "us-gov-west-1");
	check_endpoint("iam", "us-isob-east-1", "https://iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1");
	check_endpoint("s3", "ap-northeast-1", "https://s3.ap-northeast-1.amazonaws.com", "ap-northeast-1");
	check_endpoint("sns", "cn-north-1", "https://sns.cn-north-1.amazonaws.com.cn", "cn-north-1");
	check_endpoint("ec2", "us-iso-east-1", "https://ec2.us-iso-east-1.c2s.ic.gov", "us-iso-east-1");
	setenv("AWS_USE_FIPS_ENDPOINT", "true", 1);
	check_endpoint("sts", "us-east-2", "https://sts-fips.us-east-2.amazonaws.com", "us-east-2");
	check_endpoint("iam", "us-east-2", "https://iam-fips.amazonaws.com", "us-east-1");
	check_endpoint("iam", "us-gov-east-1", "https://iam.us-gov.amazonaws.com", "us-gov-west-1");
}

static void test_endpoints_of_the_users(void **state)
{
	(void)state;
	setenv("AWS_ENDPOINT_URL", "http://all:1/", 1);
	setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", "http://events:2/base/", 1);
	check_endpoint("sns", "eu-west-1", "http://all:1", "eu-west-1");
	check_endpoint("events", "eu-west-1", "http://events:2/base", "eu-west-1");
	check_endpoint("iam", "eu-west-1", "http://all:1", "us-east-1");
	unsetenv("AWS_ENDPOINT_URL");
	file_put(".aws/config", "[profile p]\nendpoint_url=http://profile\nservices=s\n[services s]\nconfig_service =\n"
				"  endpoint_url = http://config\n");
	setenv("AWS_PROFILE", "p", 1);
	check_endpoint("sns", "eu-west-1", "http://profile", "eu-west-1");
	check_endpoint("config", "eu-west-1", "http://config", "eu-west-1");
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
	check_endpoint("sns", "eu-west-1", "https://sns.eu-west-1.amazonaws.com", "eu-west-1");
}

static void test_an_endpoint_below_a_path_is_kept(void **state)
{
	mem_auto_str char *url = mem_printf("%s/base/", server.url);

	(void)state;
	setenv("AWS_ENDPOINT_URL", url, 1);
	assert_int_equal(read_topics().outcome, PROVIDER_DONE);
	assert_memory_equal(buf_str(&last), "POST /base/\n", 12);
	assert_non_null(strstr(buf_str(&last), "User-Agent: muster/test\r\n"));
}

/* -- Going again --------------------------------------------------------------------------------------------------- */

static void test_server_errors_are_tried_again(void **state)
{
	(void)state;
	mode = FLAKY;
	failures = 3;
	assert_int_equal(read_topics().outcome, PROVIDER_DONE);
	assert_int_equal(stats().retries, 3);
	assert_int_equal(stats().calls, 5); /* with AssumeRole */
	assert_int_equal(stats().sessions, 2);
}

static void test_tries_are_bounded_and_leave_doubt_where_there_is_some(void **state)
{
	struct got got;

	(void)state;
	aws->sender->attempts_most = 3;
	mode = FLAKY;
	failures = 3;
	got = read_topics();
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	assert_string_equal(got.code, "InternalFailure");
	assert_string_equal(got.request_id, "req-1");
	assert_non_null(strstr(got.message, "(tried 3 times)"));
	failures = 3;
	assert_int_equal(make_topic(false).outcome, PROVIDER_FAILED);
	failures = 0;
	assert_int_equal(make_topic(false).outcome, PROVIDER_DONE);
	/* What makes another thing each time is sent once while nobody knows what came of it. */
	failures = 1;
	got = call_and_wait("kms", "CreateKey", "Description", "d", false);
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_null(strstr(got.message, "tried"));
}

static void test_lost_answers_are_tried_again_only_where_that_is_safe(void **state)
{
	struct got got;

	(void)state;
	mode = HANG_UP;
	failures = 1;
	assert_int_equal(read_topics().outcome, PROVIDER_DONE);
	failures = 1;
	assert_int_equal(make_topic(true).outcome, PROVIDER_DONE);
	buf_clear(&order);
	failures = 1;
	got = make_topic(false);
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_string_equal(got.code, "Lost");
	assert_string_equal(buf_str(&order), "");
}

static void test_a_server_that_is_not_there_is_given_up_soon(void **state)
{
	struct got got;

	(void)state;
	assert_int_equal(read_topics().outcome, PROVIDER_DONE); /* opens the session */
	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1);
	got = make_topic(false);
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	assert_string_equal(got.code, "NotSent");
	assert_non_null(strstr(got.message, "cannot reach http://127.0.0.1:1"));
	assert_non_null(strstr(got.message, "(tried 4 times)"));
}

static void test_the_retry_budget_ends_retries(void **state)
{
	struct aws_rate rate;
	int paid = 0;

	(void)state;
	aws_rate_init(&rate);
	assert_true(aws_rate_is_new(&rate));
	while (aws_rate_pay(&rate, 5))
		paid++;
	assert_int_equal(paid, 100);
	assert_false(aws_rate_pay(&rate, 10));
	aws_rate_refund(&rate, 5);
	assert_true(aws_rate_pay(&rate, 5));
	for (int i = 0; i < 600; i++)
		aws_rate_refund(&rate, 0);
	assert_true(aws_rate_is_new(&rate));
}

static void test_a_time_to_wait_is_obeyed(void **state)
{
	(void)state;
	mode = RETRY_AFTER;
	failures = 1;
	assert_int_equal(read_topics().outcome, PROVIDER_DONE);
	assert_true(second_ms - first_ms >= 990);
	assert_int_equal(stats().throttled, 1);
}

static void test_an_expired_session_is_opened_again_once(void **state)
{
	struct got got[5];

	(void)state;
	mode = EXPIRED;
	for (int i = 0; i < 5; i++)
		call(&got[i], "sns", "CreateTopic", "Name", "t", false);
	loop_run(loop);
	for (int i = 0; i < 5; i++)
		assert_int_equal(got[i].outcome, PROVIDER_DONE);
	assert_int_equal(sessions, 2);
}

static void test_a_wrong_clock_is_set_from_the_answer(void **state)
{
	(void)state;
	mode = SKEWED;
	assert_int_equal(read_topics().outcome, PROVIDER_DONE);
	assert_true(llabs(aws->skew_ms - 3600 * 1000) < 3000);
	assert_int_equal(stats().retries, 1);
	assert_int_equal(read_topics().outcome, PROVIDER_DONE);
	assert_int_equal(stats().retries, 1);
}

static void test_answers_that_need_words_get_them(void **state)
{
	struct got got;

	(void)state;
	mode = ELSEWHERE;
	got = call_and_wait("s3", "GetBucketPolicy", "Bucket", "b", false);
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	assert_string_equal(got.code, "PermanentRedirect");
	assert_non_null(strstr(got.message, "(the bucket is in us-west-2)"));
	assert_non_null(strstr(buf_str(&last), "GET /b?policy"));
	mode = UNKNOWN_HERE;
	got = read_topics();
	assert_int_equal(got.outcome, PROVIDER_UNREACHABLE);
	assert_non_null(strstr(got.message, "account app (333333333333): The security token is invalid"));
	assert_non_null(strstr(got.message, "eu-west-1"));
}

/* -- Rates --------------------------------------------------------------------------------------------------------- */

#define MANY 120

static void test_throttled_calls_all_get_through_in_their_order(void **state)
{
	static struct got got[MANY];
	struct buf want = BUF_INIT;
	int64_t before_ms = loop_wall_ms();
	int behind = 0, at = -1;
	char name[16];

	(void)state;
	mode = THROTTLE;
	allowed = 5; /* in 100 ms: 50 a second */
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "%d", i);
		call(&got[i], "sns", "CreateTopic", "Name", name, false);
	}
	loop_run(loop);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(got[i].outcome, PROVIDER_DONE);
	for (const char *c = buf_str(&order); *c != '\0'; c = strchr(c, ' ') + 1) {
		behind += atoi(c) < at;
		at = atoi(c) > at ? atoi(c) : at;
	}
	print_message("%d calls at 50 a second in %lld ms, %d throttled, %d out of order\n", MANY,
		      (long long)(loop_wall_ms() - before_ms), (int)stats().throttled, behind);
	assert_true(loop_wall_ms() - before_ms < 2 * MANY * 1000 / 50);
	assert_true(stats().throttled < 6 * MANY);
	assert_true(behind < MANY / 4);
	buf_free(&want);
}

static void test_the_rate_falls_once_for_a_burst_and_grows_back(void **state)
{
	struct aws_rate rate;
	int64_t now_ms = 1000000;
	double low;

	(void)state;
	aws_rate_init(&rate);
	for (int i = 0; i < 100; i++)
		assert_int_equal(aws_rate_take(&rate, now_ms), 0);
	for (int i = 0; i < 90; i++)
		aws_rate_answered(&rate, now_ms + 50, now_ms, true);
	assert_true(rate.limited);
	low = rate.per_second;
	assert_true(low > 50 && low < 200);
	assert_true(aws_rate_take(&rate, now_ms + 50) > 0);
	for (now_ms += 50; rate.per_second <= low * 1.3 && now_ms < 1060000; now_ms += 5) {
		int64_t sent_ms = now_ms;

		if (aws_rate_take(&rate, now_ms) == 0)
			aws_rate_answered(&rate, now_ms + 20, sent_ms, false);
	}
	assert_true(rate.per_second > low * 1.3);
	assert_true(now_ms < 1010000);
}

static void test_codes_backoff_and_dates(void **state)
{
	int64_t ms, most = 0;

	(void)state;
	assert_true(aws_code_is_throttling("SlowDown"));
	assert_false(aws_code_is_throttling("LimitExceededException"));
	assert_false(aws_code_is_throttling(NULL));
	assert_true(aws_code_is_transient("HTTP 503"));
	assert_false(aws_code_is_transient("AccessDenied"));
	for (int i = 0; i < 1000; i++) {
		assert_true(aws_backoff_ms(1) <= 100);
		assert_true(aws_backoff_ms(200) <= 20000);
		ms = aws_backoff_ms(4);
		most = ms > most ? ms : most;
	}
	assert_true(most > 400);
	assert_int_equal(aws_http_date(&ms, "Sun, 06 Nov 1994 08:49:37 GMT"), 0);
	assert_int_equal(ms, 784111777000);
	assert_int_equal(aws_http_date(&ms, "yesterday"), -1);
}

/* -- Many ---------------------------------------------------------------------------------------------------------- */

static void test_calls_on_the_wire_are_bounded(void **state)
{
	static struct got got[60];

	(void)state;
	mode = SLOW;
	aws_send_concurrency_set(aws, 7);
	for (int i = 0; i < 60; i++)
		call(&got[i], "sns", "ListTopics", NULL, NULL, false);
	loop_run(loop);
	for (int i = 0; i < 60; i++)
		assert_int_equal(got[i].outcome, PROVIDER_DONE);
	assert_true(atomic_load(&server.open_most) <= 7);
	assert_int_equal(stats().in_flight, 0);
	assert_int_equal(stats().waiting, 0);
}

static void cancel(void *payload)
{
	(void)payload;
	aws->provider.ops->cancel(&aws->provider);
}

static void test_cancelling_ends_calls_in_every_state(void **state)
{
	static struct got got[40];
	int cancelled = 0, done = 0;

	(void)state;
	assert_int_equal(read_topics().outcome, PROVIDER_DONE);
	mode = THROTTLE;
	allowed = 3;
	aws_send_concurrency_set(aws, 5);
	for (int i = 0; i < 40; i++)
		call(&got[i], "sns", "ListTopics", NULL, NULL, false);
	loop_timer_start(loop, 30, cancel, NULL);
	loop_run(loop);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(got[i].calls, 1);
		cancelled += got[i].outcome == PROVIDER_CANCELLED;
		done += got[i].outcome == PROVIDER_DONE;
	}
	assert_true(cancelled > 0 && cancelled + done == 40);
	assert_int_equal(stats().in_flight + stats().waiting, 0);
}

static void test_what_is_under_way_when_the_provider_goes_is_cancelled(void **state)
{
	static struct got got[20];

	mode = FINE;
	for (int i = 0; i < 20; i++)
		call(&got[i], "sns", "ListTopics", NULL, NULL, false);
	teardown(state);
	for (int i = 0; i < 20; i++)
		assert_int_equal(got[i].outcome, PROVIDER_CANCELLED);
	setup(state);
}

static int64_t thread_cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void test_thousands_of_calls_cost_little(void **state)
{
	static struct got got[5000];
	int64_t before_ms = loop_wall_ms(), cpu_ms = thread_cpu_ms();

	(void)state;
	for (int i = 0; i < 5000; i++)
		call(&got[i], "sns", "ListTopics", "NextToken", "x", false);
	loop_run(loop);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(got[i].outcome, PROVIDER_DONE);
	assert_true(atomic_load(&server.open_most) <= 256);
	print_message("5,000 calls in %lld ms, %lld ms of it CPU of the caller\n",
		      (long long)(loop_wall_ms() - before_ms), (long long)(thread_cpu_ms() - cpu_ms));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_endpoints_of_aws),
	    TEST(test_endpoints_of_the_users),
	    TEST(test_an_endpoint_below_a_path_is_kept),
	    TEST(test_server_errors_are_tried_again),
	    TEST(test_tries_are_bounded_and_leave_doubt_where_there_is_some),
	    TEST(test_lost_answers_are_tried_again_only_where_that_is_safe),
	    TEST(test_a_server_that_is_not_there_is_given_up_soon),
	    TEST(test_the_retry_budget_ends_retries),
	    TEST(test_a_time_to_wait_is_obeyed),
	    TEST(test_an_expired_session_is_opened_again_once),
	    TEST(test_a_wrong_clock_is_set_from_the_answer),
	    TEST(test_answers_that_need_words_get_them),
	    TEST(test_throttled_calls_all_get_through_in_their_order),
	    TEST(test_the_rate_falls_once_for_a_burst_and_grows_back),
	    TEST(test_codes_backoff_and_dates),
	    TEST(test_calls_on_the_wire_are_bounded),
	    TEST(test_cancelling_ends_calls_in_every_state),
	    TEST(test_what_is_under_way_when_the_provider_goes_is_cancelled),
	    TEST(test_thousands_of_calls_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
