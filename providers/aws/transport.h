/* What the files that send calls share: provider.c, accounts.c, send.c, rate.c, endpoint.c and credentials/. Protocols
 * and the engine know aws.h only. */
#ifndef MUSTER_PROVIDERS_AWS_TRANSPORT_H
#define MUSTER_PROVIDERS_AWS_TRANSPORT_H

#include "base/map.h"
#include "providers/aws/aws.h"
#include "providers/aws/credentials/credentials.h"

struct aws_sender;

struct provider_account {
	struct aws *aws;
	char *name, *id;
	char *label;                     /* "account app-prod (333333333333)" */
	struct aws_session *sessions[2]; /* by provider_access; borrowed from the provider's */
};

struct aws {
	struct provider provider; /* first: a provider handle is one of these */
	struct loop *loop;
	char *home_region, *user_agent;
	const char *partition;
	struct schema_set *schemas;
	struct aws_services *services;
	struct aws_engine *engine;
	struct aws_config *config; /* read when first needed; see aws_config() */
	char *config_error;
	aws_mfa_prompt *mfa_prompt; /* NULL: the terminal */
	void *mfa_payload;
	struct provider_account **accounts;
	size_t account_count;
	struct aws_session **sessions; /* in the order in which they were made: parents come first */
	size_t session_count;
	struct map sessions_shared; /* what makes a session -> borrowed from `sessions` */
	uint64_t sessions_opened;   /* fetches that gave credentials */
	int64_t skew_ms;            /* AWS's clock minus ours, once an answer has shown that they differ */
	struct aws_sender *sender;
};

/* The wall clock as AWS sees it. */
int64_t aws_wall_ms(const struct aws *aws);

/* -- Accounts (accounts.c) ----------------------------------------------------------------------------------------- */

int aws_account_add(struct aws *aws, const char *name, const char *id, const json_t *access,
		    struct provider_account **out, struct diag *d);
void aws_accounts_free(struct aws *aws);

/* -- Endpoints (endpoint.c) ---------------------------------------------------------------------------------------- */

struct aws_endpoint {
	char *base;       /* "https://sts.eu-west-1.amazonaws.com", no slash at the end, with a path where one is set */
	char *host;       /* as the Host header says it */
	const char *path; /* points into `base`: "" or "/prefix" */
	char *signing_region;
};
void aws_endpoint_find(struct aws_endpoint *out, struct aws *aws, const struct aws_service *service,
		       const char *region);
void aws_endpoint_free(struct aws_endpoint *endpoint);
/* aws, aws-cn, ... by the look of a region's name; "aws" when it looks like none. */
const char *aws_partition_of(const char *region);
const char *aws_partition_suffix(const char *partition);
/* An environment variable that is "true" (1, yes, on) in any case. */
bool aws_environment_flag(const char *name);

/* -- Rates (rate.c): what one service takes from one account in one region ------------------------------------------
 */

struct aws_rate {
	/* Cubic rate, unlimited until a first throttling answer. */
	bool limited;
	double per_second, tokens;
	int64_t filled_at_ms;
	double peak_per_second; /* w_max: rate when it was last throttled */
	double recovery_s;      /* k: how long the cubic takes back to there */
	int64_t throttled_at_ms;
	int64_t paused_until_ms; /* Retry-After */
	/* Measured sending rate. */
	double measured_per_second;
	int64_t window_at_ms;
	unsigned window_count;
	/* Retry budget. */
	double budget;
};

void aws_rate_init(struct aws_rate *rate);
/* 0 when a call may go now (and takes its token), else milliseconds to wait before asking again. */
int64_t aws_rate_take(struct aws_rate *rate, int64_t now_ms);
/* An answer has come to a call sent at `sent_at_ms`. */
void aws_rate_answered(struct aws_rate *rate, int64_t now_ms, int64_t sent_at_ms, bool throttled);
/* Nothing goes before `until_ms`. */
void aws_rate_pause(struct aws_rate *rate, int64_t until_ms);
/* Pays for a retry; false when the budget is spent. */
bool aws_rate_pay(struct aws_rate *rate, int cost);
/* A success gives back what its retry cost (0: it needed none). */
void aws_rate_refund(struct aws_rate *rate, int cost);
/* Nothing learned: may be forgotten. */
bool aws_rate_is_new(const struct aws_rate *rate);

/* -- What an error code means for sending again (retry.c) ------------------------------------------------------------
 */

bool aws_code_is_throttling(const char *code);
bool aws_code_is_transient(const char *code); /* throttling ones among them */
bool aws_code_is_expired_token(const char *code);
bool aws_code_is_clock_skew(const char *code);
/* Codes of a region that the account has not enabled, or credentials that AWS does not know there. */
bool aws_code_is_unreachable(const char *code);
/* Full jitter: anything from 0 to the lesser of 20 s and 100 ms * 2^(attempt - 1); attempts count from 1. */
int64_t aws_backoff_ms(unsigned attempt);
/* Milliseconds since 1970 of an HTTP Date header; 0 or -1. */
int aws_http_date(int64_t *unix_ms, const char *date);

/* -- Sending (send.c) ---------------------------------------------------------------------------------------------- */

struct aws_sender *aws_sender_new(struct aws *aws);
/* Ends all calls: their callbacks run with PROVIDER_CANCELLED, now or (later) from the loop's next turn. */
void aws_sender_cancel(struct aws_sender *sender, bool now);
void aws_sender_free(struct aws_sender *sender);
void aws_sender_stats(const struct aws_sender *sender, struct provider_stats *out);
/* Calls on the wire at a time, for the whole provider. */
void aws_send_concurrency_set(struct aws *aws, size_t most);

#endif
