/* See loop.h. This file: turns, timers, deferred calls, hooks, watched descriptors and signals. Transfers are in
 * loop_http.c. */
#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/loop_private.h"
#include "base/mem.h"

#define EVENTS_A_TURN 256

static void pipe_signal_ignore(struct sigaction *before);
static void pipe_signal_restore(const struct sigaction *before);

/* -- Clocks -------------------------------------------------------------------------------------------------------- */

static int64_t clock_read_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t loop_clock_ms(void)
{
	return clock_read_ms(CLOCK_MONOTONIC);
}

int64_t loop_wall_ms(void)
{
	return clock_read_ms(CLOCK_REALTIME);
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->running ? loop->now_ms : loop_clock_ms();
}

/* -- Life ---------------------------------------------------------------------------------------------------------- */

int loop_new(struct loop **out, struct diag *d)
{
	struct loop *loop = mem_alloc(sizeof *loop);

	loop->signal_fd = -1;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return diag_error(d, "cannot set up the event loop: %s", strerror(errno));
	}
	if (loop_http_open(loop, d) < 0) {
		loop_free(loop);
		return -1;
	}
	*out = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	struct sigaction pipe_before;

	if (loop == NULL)
		return;
	pipe_signal_ignore(&pipe_before);
	loop_http_close(loop);
	pipe_signal_restore(&pipe_before);
	for (size_t i = 0; i < loop->heap_count; i++)
		free(loop->heap[i]);
	while (loop->watches != NULL)
		loop_watch_stop(loop->watches);
	close(loop->epoll_fd);
	free(loop->heap);
	free(loop->deferred.items);
	free(loop->hooks.items);
	free(loop);
}

/* -- Timers: a binary heap, the next due on top -------------------------------------------------------------------- */

static bool timer_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void heap_put(struct loop *loop, size_t at, struct loop_timer *timer)
{
	loop->heap[at] = timer;
	timer->at = at;
}

/* Moves `timer` from the hole at `at` to where it belongs, up or down. */
static void heap_settle(struct loop *loop, size_t at, struct loop_timer *timer)
{
	while (at > 0 && timer_before(timer, loop->heap[(at - 1) / 2])) {
		heap_put(loop, at, loop->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < loop->heap_count && timer_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (child >= loop->heap_count || !timer_before(loop->heap[child], timer))
			break;
		heap_put(loop, at, loop->heap[child]);
		at = child;
	}
	heap_put(loop, at, timer);
}

static void heap_remove(struct loop *loop, const struct loop_timer *timer)
{
	size_t at = timer->at;
	struct loop_timer *last = loop->heap[--loop->heap_count];

	if (last != timer)
		heap_settle(loop, at, last);
}

struct loop_timer *loop_timer_start(struct loop *loop, int64_t delay_ms, loop_callback *call, void *payload)
{
	struct loop_timer *timer = mem_alloc(sizeof *timer);

	timer->loop = loop;
	timer->due_ms = loop_clock_ms() + (delay_ms > 0 ? delay_ms : 0);
	timer->sequence = loop->sequence++;
	timer->call = call;
	timer->payload = payload;
	if (loop->heap_count == loop->heap_cap) {
		loop->heap_cap = loop->heap_cap ? loop->heap_cap * 2 : 64;
		loop->heap = mem_resize(loop->heap, loop->heap_cap, sizeof loop->heap[0]);
	}
	heap_settle(loop, loop->heap_count++, timer);
	return timer;
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (timer == NULL || timer->firing)
		return;
	heap_remove(timer->loop, timer);
	free(timer);
}

/* Timers started by these callbacks wait for the next turn, or two that restart each other would never let go. */
static void timers_run(struct loop *loop)
{
	uint64_t limit = loop->sequence;

	while (loop->heap_count > 0) {
		struct loop_timer *timer = loop->heap[0];

		if (timer->due_ms > loop->now_ms || timer->sequence >= limit)
			return;
		heap_remove(loop, timer);
		timer->firing = true;
		timer->call(timer->payload);
		free(timer);
	}
}

/* -- Deferred calls and hooks -------------------------------------------------------------------------------------- */

static void jobs_add(struct loop_jobs *jobs, loop_callback *call, void *payload)
{
	if (jobs->count == jobs->cap) {
		jobs->cap = jobs->cap ? jobs->cap * 2 : 64;
		jobs->items = mem_resize(jobs->items, jobs->cap, sizeof jobs->items[0]);
	}
	jobs->items[jobs->count++] = (struct loop_job){call, payload};
}

void loop_defer(struct loop *loop, loop_callback *call, void *payload)
{
	jobs_add(&loop->deferred, call, payload);
}

static void deferred_run(struct loop *loop)
{
	for (size_t i = 0; i < loop->deferred.count; i++) {
		struct loop_job job = loop->deferred.items[i]; /* the list may move while it runs */

		job.call(job.payload);
	}
	loop->deferred.count = 0;
}

void loop_turn_end_add(struct loop *loop, loop_callback *hook, void *payload)
{
	jobs_add(&loop->hooks, hook, payload);
}

/* Only blanked: a hook may take off itself or another while they run. */
void loop_turn_end_remove(struct loop *loop, loop_callback *hook, void *payload)
{
	for (size_t i = 0; i < loop->hooks.count; i++) {
		if (loop->hooks.items[i].call == hook && loop->hooks.items[i].payload == payload) {
			loop->hooks.items[i].call = NULL;
			return;
		}
	}
}

static void hooks_run(struct loop *loop)
{
	size_t kept = 0;

	for (size_t i = 0; i < loop->hooks.count; i++) {
		struct loop_job hook = loop->hooks.items[i];

		if (hook.call != NULL)
			hook.call(hook.payload);
	}
	for (size_t i = 0; i < loop->hooks.count; i++) {
		if (loop->hooks.items[i].call != NULL)
			loop->hooks.items[kept++] = loop->hooks.items[i];
	}
	loop->hooks.count = kept;
}

/* -- Descriptors --------------------------------------------------------------------------------------------------- */

void loop_poll_set(struct loop *loop, enum loop_source source, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = (uint64_t)source << 32 | (uint32_t)fd};

	if (events == 0)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0 && errno == ENOENT)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

struct loop_watch *loop_watch_start(struct loop *loop, int fd, loop_callback *call, void *payload)
{
	struct loop_watch *watch = mem_alloc(sizeof *watch);

	*watch = (struct loop_watch){loop, loop->watches, fd, call, payload};
	loop->watches = watch;
	loop_poll_set(loop, LOOP_SOURCE_WATCH, fd, EPOLLIN);
	return watch;
}

void loop_watch_stop(struct loop_watch *watch)
{
	struct loop_watch **at;

	if (watch == NULL)
		return;
	loop_poll_set(watch->loop, LOOP_SOURCE_WATCH, watch->fd, 0);
	for (at = &watch->loop->watches; *at != watch; at = &(*at)->next)
		;
	*at = watch->next;
	free(watch);
}

static void watch_ready(struct loop *loop, int fd)
{
	struct loop_watch *watch = loop->watches;

	while (watch != NULL && watch->fd != fd)
		watch = watch->next;
	if (watch != NULL)
		watch->call(watch->payload);
}

/* -- Signals ------------------------------------------------------------------------------------------------------- */

void loop_interrupt_set(struct loop *loop, loop_callback *call, void *payload)
{
	loop->interrupt = (struct loop_job){call, payload};
}

/* Only while the loop runs and somebody listens are the signals taken from their default, which ends the process. A
 * callback may start or stop listening, so this is looked at in every turn. */
static void signals_enter(struct loop *loop)
{
	sigset_t set;

	if (loop->interrupt.call == NULL || loop->signal_fd >= 0)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &loop->signals_before);
	loop->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (loop->signal_fd < 0) {
		pthread_sigmask(SIG_SETMASK, &loop->signals_before, NULL);
		return;
	}
	loop_poll_set(loop, LOOP_SOURCE_SIGNAL, loop->signal_fd, EPOLLIN);
}

static void signals_leave(struct loop *loop)
{
	if (loop->signal_fd < 0)
		return;
	close(loop->signal_fd);
	loop->signal_fd = -1;
	pthread_sigmask(SIG_SETMASK, &loop->signals_before, NULL);
}

static void signals_read(struct loop *loop)
{
	struct signalfd_siginfo info;

	while (loop->signal_fd >= 0 && read(loop->signal_fd, &info, sizeof info) == sizeof info) {
		if (loop->interrupt.call != NULL)
			loop->interrupt.call(loop->interrupt.payload);
	}
}

/* A peer that hangs up must not end the process: OpenSSL writes without MSG_NOSIGNAL, and libcurl leaves SIGPIPE to its
 * caller when CURLOPT_NOSIGNAL is set. Outside the loop it keeps its meaning (`muster plan | head`). */
static void pipe_signal_ignore(struct sigaction *before)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, before);
}

static void pipe_signal_restore(const struct sigaction *before)
{
	sigaction(SIGPIPE, before, NULL);
}

/* -- Turns --------------------------------------------------------------------------------------------------------- */

static bool loop_busy(const struct loop *loop)
{
	return loop->deferred.count > 0 || loop->heap_count > 0 || loop->watches != NULL || loop_http_busy(loop);
}

/* How long this turn may sleep, in milliseconds; -1: until a descriptor is ready. */
static int sleep_ms(const struct loop *loop)
{
	int64_t due = -1, wait;

	if (loop->deferred.count > 0)
		return 0;
	if (loop->heap_count > 0)
		due = loop->heap[0]->due_ms;
	if (loop->http.due_ms >= 0 && (due < 0 || loop->http.due_ms < due))
		due = loop->http.due_ms;
	if (due < 0)
		return -1;
	wait = due - loop_clock_ms();
	return wait < 0 ? 0 : wait > 60000 ? 60000 : (int)wait;
}

static void loop_turn(struct loop *loop)
{
	struct epoll_event events[EVENTS_A_TURN];
	int count = epoll_wait(loop->epoll_fd, events, EVENTS_A_TURN, sleep_ms(loop));

	loop->now_ms = loop_clock_ms();
	for (int i = 0; i < count; i++) {
		int fd = (int)(uint32_t)events[i].data.u64;

		switch ((enum loop_source)(events[i].data.u64 >> 32)) {
		case LOOP_SOURCE_HTTP:
			loop_http_ready(loop, fd, events[i].events);
			break;
		case LOOP_SOURCE_WATCH:
			watch_ready(loop, fd);
			break;
		case LOOP_SOURCE_SIGNAL:
			signals_read(loop);
			break;
		}
	}
	loop_http_turn(loop);
	timers_run(loop);
	deferred_run(loop);
	hooks_run(loop);
}

void loop_run(struct loop *loop)
{
	struct sigaction pipe_before;

	pipe_signal_ignore(&pipe_before);
	loop->running = true;
	loop->now_ms = loop_clock_ms();
	while (!loop->stopping && loop_busy(loop)) {
		signals_enter(loop);
		loop_turn(loop);
		if (loop->interrupt.call == NULL)
			signals_leave(loop);
	}
	signals_leave(loop);
	pipe_signal_restore(&pipe_before);
	loop->running = loop->stopping = false;
}

void loop_stop(struct loop *loop)
{
	loop->stopping = true;
}
