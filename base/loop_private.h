/* What loop.c (turns, timers, signals) and loop_http.c (transfers) share. Nobody else includes this. */
#ifndef MUSTER_BASE_LOOP_PRIVATE_H
#define MUSTER_BASE_LOOP_PRIVATE_H

#include <curl/curl.h>
#include <signal.h>

#include "base/loop.h"

struct loop_watch {
	struct loop *loop;
	struct loop_watch *next;
	int fd;
	loop_callback *call;
	void *payload;
};

struct loop_timer {
	struct loop *loop;
	int64_t due_ms;
	uint64_t sequence; /* timers due together run in the order in which they were started */
	size_t at;         /* place in the heap */
	bool firing;       /* its callback runs now: out of the heap, freed afterwards */
	loop_callback *call;
	void *payload;
};

/* A callback waiting for its turn, or a hook. */
struct loop_job {
	loop_callback *call;
	void *payload;
};

struct loop_jobs {
	struct loop_job *items;
	size_t count, cap;
};

/* The transfers' side of the loop: see loop_http.c. */
struct loop_transfers {
	CURLM *multi;
	CURLSH *share;          /* TLS sessions: libcurl 7.88 shares connections and names, but not these, in a multi */
	int64_t due_ms;         /* when libcurl wants to be called next; -1: only when a socket is ready */
	struct loop_http *live; /* list of transfers under way */
	struct loop_http *spare; /* finished ones, kept with their easy handle and buffers */
	size_t spare_count;
};

struct loop {
	int epoll_fd;
	int signal_fd;           /* -1 while signals do what they do by default */
	sigset_t signals_before; /* what was blocked before signal_fd was made */
	bool running, stopping;
	int64_t now_ms;
	struct loop_timer **heap;
	size_t heap_count, heap_cap;
	uint64_t sequence;
	struct loop_jobs deferred, hooks;
	struct loop_watch *watches;
	struct loop_job interrupt;
	struct loop_transfers http;
};

/* What an epoll event is about; rides in the upper half of its data, the descriptor in the lower. */
enum loop_source { LOOP_SOURCE_HTTP, LOOP_SOURCE_WATCH, LOOP_SOURCE_SIGNAL };

int64_t loop_clock_ms(void);
/* Registers `fd` for epoll `events`, changes what it is registered for, or (events 0) takes it off. */
void loop_poll_set(struct loop *loop, enum loop_source source, int fd, uint32_t events);

int loop_http_open(struct loop *loop, struct diag *d);
void loop_http_close(struct loop *loop);
bool loop_http_busy(const struct loop *loop);
/* Socket `fd` is ready for `events` of epoll. */
void loop_http_ready(struct loop *loop, int fd, uint32_t events);
/* Lets libcurl's own time-outs pass, then calls back for every transfer that has ended. */
void loop_http_turn(struct loop *loop);

#endif
