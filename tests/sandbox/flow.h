/* The event path: an event on a bus -> rules -> targets -> topics -> subscriptions -> functions, each permission on the
 * way checked as AWS does, and a trace of it kept. What stops an event is a hop of its trace and says in words what is
 * missing.
 *
 * flow.c traces and buses; flow_targets.c rules' targets; flow_topics.c topics and functions; emit.c what AWS itself
 * would emit; pattern.c patterns; run.c runs functions. */
#ifndef MUSTER_TESTS_SANDBOX_FLOW_H
#define MUSTER_TESTS_SANDBOX_FLOW_H

#include "tests/sandbox/sandbox.h"

#define SB_WHERE_MAX 256

/* Does an event match? If not, `where` is the path at which it first does not. */
bool sb_pattern_matches(json_t *pattern, json_t *event, char where[SB_WHERE_MAX]);
/* What is wrong with a pattern (static text), or NULL. */
const char *sb_pattern_fault(json_t *pattern);

/* One way that an event takes through the world. A trace is {Id, Time, Account, Region, Kind, Event, Hops: [{Hop, From,
 * What, At, Outcome, Why?}]}; outcomes are passed, running, delivered, failed and stopped. */
struct sb_flow {
	struct sb *sb;
	json_t *trace; /* borrowed from sb->traces */
	json_t *event;
};

/* A new trace, kept by the sandbox. Borrowed. */
json_t *sb_trace_new(struct sb *sb, const char *id, const char *account, const char *region, const char *kind,
		     json_t *event);
/* Adds a hop after hop `from` (0: the beginning); returns its number. */
int sb_hop(json_t *trace, int from, const char *what, const char *at, const char *outcome, const char *why, ...)
    __attribute__((format(printf, 6, 7)));
void sb_hop_end(json_t *trace, int hop, const char *outcome, const char *why);
json_t *sb_traces_out(struct sb *sb);

/* Where an event goes next. `crossed`: it came from another bus already, and is not sent to a third. */
void sb_flow_bus(struct sb_flow *flow, int from, const char *bus_arn, bool crossed);
void sb_flow_target(struct sb_flow *flow, int from, json_t *rule, json_t *target, bool crossed);

/* A message on a topic; `attributes` as Publish has them, or NULL. */
struct sb_message {
	const char *text, *subject;
	json_t *attributes;
	char id[37];
};
void sb_flow_topic(struct sb_flow *flow, int from, const char *topic_arn, const struct sb_message *message);

/* Invokes a function for a service: the function's policy must let `service` in for the source. NULL when it was
 * started (the hop is open until it ends), else why not (static text, or in `why`). */
struct sb_invocation {
	const char *function, *service, *source_arn, *source_account;
	json_t *payload;
};
void sb_flow_function(struct sb_flow *flow, int from, const struct sb_invocation *invocation);

/* run.c: runs the function's code with python3; the hop is ended when it ends. */
void sb_run_start(struct sb *sb, json_t *trace, int hop, json_t *function, json_t *payload);
void sb_runs_poll(struct sb *sb);
int64_t sb_runs_wait_ms(struct sb *sb, int64_t most); /* until something is due, at most `most` */
void sb_runs_stop(struct sb *sb);
size_t sb_runs_count(const struct sb *sb);

/* emit.c: what POST /_sandbox/emit says, as the trace of it; NULL with `why` (static text). */
json_t *sb_emit(struct sb *sb, json_t *said, const char **why);

#endif
