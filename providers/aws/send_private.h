/* What send.c (a call's way to the wire), send_wire.c (on it) and answer.c (what comes back, and whether to go again)
 * share. */
#ifndef MUSTER_PROVIDERS_AWS_SEND_PRIVATE_H
#define MUSTER_PROVIDERS_AWS_SEND_PRIVATE_H

#include "providers/aws/transport.h"

enum send_state {
	SEND_SESSION, /* waits for credentials */
	SEND_RATE,    /* in the queue of its account, region and service */
	SEND_SLOT,    /* in the queue for the wire */
	SEND_WIRE,
	SEND_BACKOFF, /* sleeps before the next try */
	SEND_END,     /* over; its callback runs in the next turn */
	SEND_STATES
};

/* One account, region and service: how fast it goes, and who waits, in the order in which the calls were started. */
struct send_queue {
	struct aws_sender *sender;
	char *key;
	size_t users; /* calls that point here */
	struct aws_rate rate;
	struct aws_send *first;
	struct aws_send *last;
	struct loop_timer *timer; /* when the first may go */
};

struct aws_send {
	struct aws *aws;
	struct aws_send *next, **at; /* among all of the sender */
	struct aws_send *queue_next; /* in the rate's or the wire's queue */
	uint64_t sequence;           /* order of starting */
	enum send_state state;
	/* what */
	const struct aws_service *service;
	const struct aws_operation *operation;
	struct aws_wire wire;
	struct aws_endpoint endpoint;
	bool repeatable; /* may be sent again after a lost answer */
	/* as whom: an account's session, or given credentials (without an id: not signed) */
	struct provider_account *account;
	struct aws_session *session;
	unsigned generation;
	struct aws_credentials credentials;
	char *region;
	/* how it goes */
	struct send_queue *queue;
	struct loop_http *http;
	struct loop_timer *timer;
	int64_t sent_at_ms;
	unsigned attempts, throttled;
	int retry_cost;     /* paid for the retry under way */
	bool renewed;       /* has asked for new credentials once */
	bool skew_set;      /* has set the clock once */
	bool perhaps_acted; /* an earlier try may have changed something */
	/* how it ends, in SEND_END */
	enum provider_outcome outcome;
	struct aws_error error;
	aws_send_done *done;
	void *payload;
};

struct aws_sender {
	struct aws *aws;
	struct aws_send *all;
	struct map queues;                       /* key -> struct send_queue */
	struct aws_send *slot_first, *slot_last; /* wait for the wire */
	size_t most;                             /* on the wire at a time */
	size_t count[SEND_STATES];
	uint64_t sequence;
	unsigned attempts_most;
	bool closed, debug;
	uint64_t calls, retries, throttled, bytes_in, bytes_out;
};

/* send.c */
/* Once more from the top: credentials, rate, wire. */
void send_advance(struct aws_send *send);
void send_back_off(struct aws_send *send, int64_t delay_ms);
/* Calls back now and frees the call. `http` may be NULL. `error` is borrowed. */
void send_finish(struct aws_send *send, enum provider_outcome outcome, const struct loop_http_answer *http,
		 const struct aws_error *error);

/* The same, but in the loop's next turn: for endings that are found while the call is being started. */
void send_end_later(struct aws_send *send, enum provider_outcome outcome, const char *code, const char *message);
void send_set_state(struct aws_send *send, enum send_state state);
/* Launches those that wait, as far as there are places. */
void send_slots_pump(struct aws_sender *sender);

/* send_wire.c: signs and starts; back to the top when the session has just ended. */
void send_launch(struct aws_send *send);

/* answer.c */
void send_answered(struct aws_send *send, const struct loop_http_answer *http);

#endif
