/* The event loop: timers, deferred calls, hooks, signals, and what HTTP transfers send and report. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "base/loop.h"
#include "tests/unit/http_server.h"

static struct loop *loop;
static struct buf trace;

static int setup(void **state)
{
	struct diag d = DIAG_INIT;

	(void)state;
	assert_int_equal(loop_new(&loop, &d), 0);
	diag_free(&d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	buf_free(&trace);
	return 0;
}

static void note(void *payload)
{
	buf_adds(&trace, payload);
}

static void note_and_defer(void *payload)
{
	note(payload);
	loop_defer(loop, note, "later ");
}

static void test_timers_run_in_order_of_due_time_and_then_of_start(void **state)
{
	struct loop_timer *cancelled;

	(void)state;
	loop_timer_start(loop, 20, note, "c");
	loop_timer_start(loop, 5, note, "a");
	cancelled = loop_timer_start(loop, 7, note, "x");
	loop_timer_start(loop, 5, note, "b");
	for (int i = 0; i < 200; i++)
		loop_timer_cancel(loop_timer_start(loop, i % 13, note, "y"));
	loop_timer_cancel(cancelled);
	loop_timer_cancel(NULL);
	loop_run(loop);
	assert_string_equal(buf_str(&trace), "abc");
}

static void test_deferred_calls_run_in_order_and_in_the_same_turn(void **state)
{
	(void)state;
	loop_defer(loop, note_and_defer, "1 ");
	loop_defer(loop, note, "2 ");
	loop_timer_start(loop, 1, note, "timer ");
	loop_run(loop);
	assert_string_equal(buf_str(&trace), "1 2 later timer ");
}

static int hooked;

static void hook(void *payload)
{
	(void)payload;
	note("| ");
	if (hooked++ == 0)
		loop_defer(loop, note, "from-hook ");
	else
		loop_turn_end_remove(loop, hook, NULL);
}

static void test_hooks_end_each_turn_and_may_defer(void **state)
{
	(void)state;
	hooked = 0;
	loop_turn_end_add(loop, hook, NULL);
	loop_defer(loop, note, "a ");
	loop_run(loop);
	assert_string_equal(buf_str(&trace), "a | from-hook | ");
	loop_defer(loop, note, "b ");
	loop_run(loop);
	assert_string_equal(buf_str(&trace), "a | from-hook | b ");
}

static void stop(void *payload)
{
	(void)payload;
	loop_stop(loop);
}

static void test_stop_leaves_the_rest_for_the_next_run(void **state)
{
	(void)state;
	loop_defer(loop, stop, NULL);
	loop_timer_start(loop, 10, note, "t");
	loop_run(loop);
	assert_string_equal(buf_str(&trace), "");
	loop_run(loop);
	assert_string_equal(buf_str(&trace), "t");
}

static void raise_signal(void *payload)
{
	(void)payload;
	kill(getpid(), SIGINT);
}

static void interrupted(void *payload)
{
	note(payload);
	loop_stop(loop);
}

static void test_interrupts_call_back_while_the_loop_runs_and_only_then(void **state)
{
	sigset_t blocked;

	(void)state;
	loop_interrupt_set(loop, interrupted, "INT");
	loop_timer_start(loop, 1, raise_signal, NULL);
	loop_timer_start(loop, 5000, note, "never");
	loop_run(loop);
	assert_string_equal(buf_str(&trace), "INT");
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	assert_int_equal(sigismember(&blocked, SIGINT), 0);
}

static int pipe_fds[2];
static struct loop_watch *watch;

static void pipe_ready(void *payload)
{
	char byte;

	(void)payload;
	if (read(pipe_fds[0], &byte, 1) == 1) {
		buf_addc(&trace, byte);
		return;
	}
	note(" end");
	loop_watch_stop(watch);
	close(pipe_fds[0]);
}

static void pipe_close(void *payload)
{
	(void)payload;
	close(pipe_fds[1]);
}

static void test_watched_descriptors_report_bytes_and_the_end(void **state)
{
	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "ab", 2), 2);
	watch = loop_watch_start(loop, pipe_fds[0], pipe_ready, NULL);
	loop_timer_start(loop, 5, pipe_close, NULL);
	loop_run(loop);
	assert_string_equal(buf_str(&trace), "ab end");
}

/* -- HTTP ---------------------------------------------------------------------------------------------------------- */

static struct server server;
static struct buf seen; /* the last request: line, headers, body */
static enum { ECHO, HANG_UP_ON_SECOND, CHUNKED, HUGE_ANSWER, SLOW, REDIRECT, PARTIAL, CLOSE_IDLE } mode;

static void serve(void *payload, const struct server_request *request, struct server_reply *reply)
{
	(void)payload;
	buf_clear(&seen);
	buf_addf(&seen, "%s %s\n%s\n%.*s", request->method, request->target, request->headers, (int)request->body_len,
		 request->body);
	buf_adds(&reply->headers, "X-Test:  some value \r\n");
	buf_adds(&reply->body, "hello");
	if (mode == HANG_UP_ON_SECOND && request->nth == 2)
		reply->hang_up = true;
	if (mode == CHUNKED)
		reply->raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
	if (mode == REDIRECT)
		reply->raw = "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
	if (mode == PARTIAL) {
		reply->raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
		reply->close_after = true;
	}
	if (mode == SLOW)
		reply->delay_ms = 300;
	if (mode == CLOSE_IDLE)
		reply->close_after = true;
	for (size_t i = 0; mode == HUGE_ANSWER && i < LOOP_HTTP_MAX_BYTES / 1024 + 1; i++)
		buf_addf(&reply->body, "%1024d", 0);
}

static int setup_server(void **state)
{
	mode = ECHO;
	setup(state);
	server_start(&server, serve, NULL);
	return 0;
}

static int teardown_server(void **state)
{
	teardown(state);
	server_stop(&server);
	buf_free(&seen);
	return 0;
}

struct got {
	int calls, status;
	enum loop_http_outcome outcome;
	char body[64], error[256], header[64];
	size_t body_len;
};

static void got_answer(void *payload, const struct loop_http_answer *answer)
{
	struct got *got = payload;
	buf_auto struct buf value = BUF_INIT;

	got->calls++;
	got->status = answer->status;
	got->outcome = answer->outcome;
	got->body_len = answer->body_len;
	snprintf(got->body, sizeof got->body, "%.60s", answer->body);
	snprintf(got->error, sizeof got->error, "%s", answer->error == NULL ? "" : answer->error);
	if (loop_http_answer_header(answer, "x-TEST", &value))
		snprintf(got->header, sizeof got->header, "%s", buf_str(&value));
}

static struct got fetch(const char *method, const char *path, const char *body, int64_t timeout_ms)
{
	struct got got = {0};
	mem_auto_str char *url = mem_printf("%s%s", server.url, path);
	struct loop_http_header headers[] = {{"Authorization", "AWS4 x"}, {"X-Empty", ""}};
	struct loop_http_request request = {.method = method,
					    .url = url,
					    .headers = headers,
					    .header_count = 2,
					    .body = body,
					    .body_len = body == NULL ? 0 : strlen(body),
					    .timeout_ms = timeout_ms,
					    .proxy = ""};

	loop_http_start(loop, &request, got_answer, &got);
	assert_int_equal(got.calls, 0);
	loop_run(loop);
	assert_int_equal(got.calls, 1);
	return got;
}

static void test_requests_go_out_as_given_with_no_header_added(void **state)
{
	struct got got = fetch("GET", "/a/../b//c?x=%2F&y", NULL, 0);
	mem_auto_str char *want = mem_printf("GET /a/../b//c?x=%%2F&y\nHost: 127.0.0.1:%d\r\n"
					     "Authorization: AWS4 x\r\nX-Empty:\r\n\n",
					     server.port);

	(void)state;
	assert_int_equal(got.outcome, LOOP_HTTP_ANSWERED);
	assert_int_equal(got.status, 200);
	assert_string_equal(got.body, "hello");
	assert_string_equal(got.header, "some value");
	assert_string_equal(buf_str(&seen), want);
}

static void test_bodies_have_an_exact_length_with_any_method(void **state)
{
	static const struct {
		const char *method, *body, *length;
	} cases[] = {{"POST", "{}", "Content-Length: 2\r\n"},
		     {"PUT", "abc", "Content-Length: 3\r\n"},
		     {"DELETE", "x", "Content-Length: 1\r\n"},
		     {"PATCH", "xy", "Content-Length: 2\r\n"},
		     {"POST", NULL, "Content-Length: 0\r\n"},
		     {"PUT", NULL, "Content-Length: 0\r\n"},
		     {"DELETE", NULL, NULL},
		     {"HEAD", NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct got got = fetch(cases[i].method, "/", cases[i].body, 0);

		assert_int_equal(got.status, 200);
		assert_memory_equal(buf_str(&seen), cases[i].method, strlen(cases[i].method));
		if (cases[i].length != NULL)
			assert_non_null(strstr(buf_str(&seen), cases[i].length));
		else
			assert_null(strstr(buf_str(&seen), "Content-Length"));
		assert_null(strstr(buf_str(&seen), "Content-Type"));
		assert_null(strstr(buf_str(&seen), "Expect"));
		if (cases[i].body != NULL)
			assert_string_equal(strrchr(buf_str(&seen), '\n') + 1, cases[i].body);
	}
	assert_int_equal(server.accepted, 1); /* one connection carried them all */
}

static void test_chunked_answers_are_decoded_and_interim_ones_dropped(void **state)
{
	struct got got;

	(void)state;
	mode = CHUNKED;
	got = fetch("POST", "/", "x", 0);
	assert_int_equal(got.status, 503);
	assert_string_equal(got.body, "abcde");
}

static void test_redirects_are_not_followed(void **state)
{
	(void)state;
	mode = REDIRECT;
	assert_int_equal(fetch("GET", "/", NULL, 0).status, 301);
}

static void test_a_refused_connection_is_not_sent(void **state)
{
	struct got got;
	struct server gone;

	(void)state;
	server_start(&gone, serve, NULL);
	server_stop(&gone);
	snprintf(server.url, sizeof server.url, "http://127.0.0.1:%d", gone.port);
	got = fetch("GET", "/", NULL, 0);
	assert_int_equal(got.outcome, LOOP_HTTP_NOT_SENT);
	assert_string_not_equal(got.error, "");
	snprintf(server.url, sizeof server.url, "http://name.invalid");
	assert_int_equal(fetch("GET", "/", NULL, 0).outcome, LOOP_HTTP_NOT_SENT);
	snprintf(server.url, sizeof server.url, "https://127.0.0.1:%d", server.port);
	mode = REDIRECT;
	assert_int_equal(fetch("GET", "/", NULL, 500).outcome, LOOP_HTTP_NOT_SENT);
	snprintf(server.url, sizeof server.url, "file:///etc/passwd");
	assert_int_equal(fetch("GET", "/", NULL, 0).outcome, LOOP_HTTP_NOT_SENT);
}

static void test_a_kept_connection_that_dies_unanswered_is_lost_and_not_sent_twice(void **state)
{
	struct got got;

	(void)state;
	mode = HANG_UP_ON_SECOND;
	assert_int_equal(fetch("POST", "/", "first", 0).status, 200);
	got = fetch("POST", "/", "second", 0);
	assert_int_equal(got.outcome, LOOP_HTTP_LOST);
	assert_int_equal(atomic_load(&server.requests), 2);
}

static void test_a_connection_closed_while_idle_is_not_used_again(void **state)
{
	(void)state;
	mode = CLOSE_IDLE;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(fetch("POST", "/", "x", 0).status, 200);
		while (atomic_load(&server.open_now) > 0)
			usleep(1000); /* what is sent before the close arrives is rightly lost */
	}
	assert_int_equal(atomic_load(&server.requests), 20);
}

static void test_half_an_answer_and_a_timeout_after_sending_are_lost(void **state)
{
	(void)state;
	mode = PARTIAL;
	assert_int_equal(fetch("GET", "/", NULL, 0).outcome, LOOP_HTTP_LOST);
	mode = SLOW;
	assert_int_equal(fetch("GET", "/", NULL, 50).outcome, LOOP_HTTP_LOST);
}

static void test_an_answer_without_end_is_cut_off(void **state)
{
	(void)state;
	mode = HUGE_ANSWER;
	assert_int_equal(fetch("GET", "/", NULL, 0).outcome, LOOP_HTTP_TOO_LARGE);
}

static struct loop_http *transfers[2];

static void cancel_other(void *payload, const struct loop_http_answer *answer)
{
	(void)answer;
	*(int *)payload += 1;
	loop_http_cancel(transfers[1]);
}

static void test_a_callback_may_cancel_and_freeing_cancels_the_rest(void **state)
{
	struct loop_http_request request = {.method = "GET", .url = server.url, .proxy = ""};
	int called = 0;

	(void)state;
	transfers[0] = loop_http_start(loop, &request, cancel_other, &called);
	request.url = "http://127.0.0.1:1/";
	mode = SLOW;
	transfers[1] = loop_http_start(loop, &(struct loop_http_request){.method = "GET", .url = server.url},
				       cancel_other, &called);
	loop_run(loop);
	assert_int_equal(called, 1);
	loop_http_start(loop, &request, cancel_other, &called);
	assert_int_equal(called, 1); /* left to teardown */
}

#define THOUSANDS 3000
static int started, ended;

static void next_of_many(void *payload, const struct loop_http_answer *answer)
{
	struct loop_http_request request = {
	    .method = "POST", .url = server.url, .body = "0123456789", .body_len = 10, .proxy = ""};

	if (answer != NULL) {
		assert_int_equal(answer->status, 200);
		ended++;
	}
	if (started < THOUSANDS) {
		started++;
		loop_http_start(loop, &request, next_of_many, payload);
	}
}

static void test_thousands_of_calls_share_a_few_connections(void **state)
{
	int64_t before = loop_now_ms(loop);

	(void)state;
	started = ended = 0;
	for (int i = 0; i < 32; i++)
		next_of_many(NULL, NULL);
	loop_run(loop);
	assert_int_equal(ended, THOUSANDS);
	assert_true(server.accepted <= 32);
	print_message("%d calls in %lld ms\n", ended, (long long)(loop_now_ms(loop) - before));
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define HTTP(test)  cmocka_unit_test_setup_teardown(test, setup_server, teardown_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLAIN(test_timers_run_in_order_of_due_time_and_then_of_start),
	    PLAIN(test_deferred_calls_run_in_order_and_in_the_same_turn),
	    PLAIN(test_hooks_end_each_turn_and_may_defer),
	    PLAIN(test_stop_leaves_the_rest_for_the_next_run),
	    PLAIN(test_interrupts_call_back_while_the_loop_runs_and_only_then),
	    PLAIN(test_watched_descriptors_report_bytes_and_the_end),
	    HTTP(test_requests_go_out_as_given_with_no_header_added),
	    HTTP(test_bodies_have_an_exact_length_with_any_method),
	    HTTP(test_chunked_answers_are_decoded_and_interim_ones_dropped),
	    HTTP(test_redirects_are_not_followed),
	    HTTP(test_a_refused_connection_is_not_sent),
	    HTTP(test_a_kept_connection_that_dies_unanswered_is_lost_and_not_sent_twice),
	    HTTP(test_a_connection_closed_while_idle_is_not_used_again),
	    HTTP(test_half_an_answer_and_a_timeout_after_sending_are_lost),
	    HTTP(test_an_answer_without_end_is_cut_off),
	    HTTP(test_a_callback_may_cancel_and_freeing_cancels_the_rest),
	    HTTP(test_thousands_of_calls_share_a_few_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
