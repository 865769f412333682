/* The event loop: one thread that runs timers, HTTP transfers (curl's multi interface, sockets by epoll) and signals.
 * Work goes in turns: a turn runs the callbacks of everything that is ready, then what was deferred, then the
 * turn-end hooks (group commit lives there), then sleeps. Callbacks may start and cancel anything. */
#ifndef MUSTER_BASE_LOOP_H
#define MUSTER_BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"

struct loop;
struct loop_timer;
struct loop_http;
struct loop_watch;

typedef void loop_callback(void *payload);

/* Returns 0 and a loop to be freed with loop_free(), or -1 with a message. */
int loop_new(struct loop **out, struct diag *d);
/* Cancels all that is left without calling back, closes connections. NULL is fine. */
void loop_free(struct loop *loop);

/* Runs turns until nothing is under way and nothing deferred, or loop_stop(). */
void loop_run(struct loop *loop);
/* Lets loop_run() return at the end of this turn; what is under way stays and goes on with the next loop_run(). */
void loop_stop(struct loop *loop);

/* Monotonic milliseconds, constant within a turn; and the wall clock in Unix milliseconds. */
int64_t loop_now_ms(const struct loop *loop);
int64_t loop_wall_ms(void);

/* Calls back once, in `delay_ms` or later. The timer frees itself after its callback; loop_timer_cancel() before
 * that frees it (NULL is fine). */
struct loop_timer *loop_timer_start(struct loop *loop, int64_t delay_ms, loop_callback *call, void *payload);
void loop_timer_cancel(struct loop_timer *timer);

/* Calls back once, later in this turn (or in the next one if called from a turn-end hook). In order. */
void loop_defer(struct loop *loop, loop_callback *call, void *payload);

/* Calls `hook` at the end of every turn until loop_turn_end_remove(). A hook may defer; the loop then goes on. */
void loop_turn_end_add(struct loop *loop, loop_callback *hook, void *payload);
void loop_turn_end_remove(struct loop *loop, loop_callback *hook, void *payload);

/* Calls back for every SIGINT or SIGTERM while the loop runs; NULL takes it off. Only one at a time. */
void loop_interrupt_set(struct loop *loop, loop_callback *call, void *payload);

/* Calls back whenever `fd` can be read (or its other end is closed), until loop_watch_stop(); before closing `fd`.
 * NULL is fine for loop_watch_stop(). */
struct loop_watch *loop_watch_start(struct loop *loop, int fd, loop_callback *call, void *payload);
void loop_watch_stop(struct loop_watch *watch);

/* -- HTTP ---------------------------------------------------------------------------------------------------------- */

/* Bytes that an answer may have; a longer one fails with LOOP_HTTP_TOO_LARGE. */
#define LOOP_HTTP_MAX_BYTES (32u << 20)

struct loop_http_header {
	const char *name, *value;
};

/* All pointers are borrowed during loop_http_start() only, except `body`: it must stay until the callback. */
struct loop_http_request {
	const char *method; /* GET, PUT, ... */
	const char *url;    /* sent as it is: the caller has encoded and normalised it */
	const struct loop_http_header *headers;
	size_t header_count;
	const void *body;
	size_t body_len;
	int64_t timeout_ms;         /* whole transfer; 0: 60 s */
	int64_t connect_timeout_ms; /* 0: 10 s */
	const char *ca_bundle;      /* PEM file, NULL: the system's */
	const char *proxy;          /* NULL: curl's environment variables; "": none */
};

enum loop_http_outcome {
	LOOP_HTTP_ANSWERED,  /* a whole answer, whatever its status */
	LOOP_HTTP_NOT_SENT,  /* no connection (name, refused, TLS): the server has not seen the request */
	LOOP_HTTP_LOST,      /* sent, perhaps acted upon, no whole answer */
	LOOP_HTTP_TOO_LARGE, /* answer over LOOP_HTTP_MAX_BYTES */
};

/* What came back. Valid during the callback only. */
struct loop_http_answer {
	enum loop_http_outcome outcome;
	int status;        /* HTTP status when answered */
	const char *error; /* curl's words when not answered, else NULL */
	const char *body;  /* NUL-terminated, never NULL */
	size_t body_len;
	int64_t elapsed_ms;
	/* For loop_http_answer_header(). */
	const struct buf *raw_headers;
};

typedef void loop_http_callback(void *payload, const struct loop_http_answer *answer);

/* Value of a header (name without regard to case), copied into `out` (cleared first); false if there is none. */
bool loop_http_answer_header(const struct loop_http_answer *answer, const char *name, struct buf *out);

/* Starts a transfer and calls back exactly once, never from within this call. Connections are kept and shared per
 * host. Returns a handle for loop_http_cancel(), valid until the callback. */
struct loop_http *loop_http_start(struct loop *loop, const struct loop_http_request *request, loop_http_callback *call,
				  void *payload);
/* Ends a transfer without calling back. */
void loop_http_cancel(struct loop_http *transfer);

#endif
