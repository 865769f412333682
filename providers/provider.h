/* The one interface between muster and what it manages. A provider knows types, accounts and regions; it knows
 * nothing of stacks, plans or records. Everything is asynchronous on the event loop: an operation is started, and its
 * callback runs exactly once, never from within the starting call. */
#ifndef MUSTER_PROVIDERS_PROVIDER_H
#define MUSTER_PROVIDERS_PROVIDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/loop.h"
#include "base/schema.h"

struct provider_account; /* made by the provider's account_add */

/* Which of the roster's roles to enter with: PlanRole/PlanChain where the roster has them, or Role/Chain. */
enum provider_access { PROVIDER_READS, PROVIDER_WRITES };

struct provider_target {
	struct provider_account *account;
	const char *region;
	enum provider_access access;
};

enum provider_outcome {
	PROVIDER_DONE,
	PROVIDER_ABSENT,      /* the service's own not-found error, nothing else (rule 2) */
	PROVIDER_UNREACHABLE, /* the account or region could not be entered at all */
	PROVIDER_REFUSED,     /* not done, and AWS has not acted: nothing to clean up */
	PROVIDER_FAILED,      /* failed, perhaps in part: see `exists` */
	PROVIDER_CANCELLED,
};

/* What came of an operation. Everything is borrowed and valid during the callback only. */
struct provider_result {
	enum provider_outcome outcome;
	json_t *properties;    /* read, find: the live ones in the type's vocabulary, else NULL */
	json_t *attributes;    /* identifier and attributes; also after a failure, as far as they were learned */
	bool exists;           /* after a failed create or update: something is there now and must be remembered */
	const char *code;      /* the service's error code ("AccessDenied"), or the provider's own ("Timeout") */
	const char *message;   /* who, where, why; for people */
	const char *operation; /* "cloudtrail:CreateTrail": which call it was */
	const char *request_id;
};

typedef void provider_done(void *payload, const struct provider_result *result);
/* Attributes learned in the middle of a create (a server-assigned id), to be made durable; borrowed. */
typedef void provider_progress(void *payload, const json_t *attributes);

/* One create, update, delete or find. Everything is borrowed until the callback. */
struct provider_call {
	const struct schema_type *type;
	struct provider_target target;
	const char *address; /* for messages and tags only */
	json_t *properties;  /* create, update: desired, without residuals. delete: as recorded. find: desired */
	json_t *prior;       /* update: what it has now (live if read, else recorded); else NULL */
	json_t *attributes;  /* update, delete: recorded; else NULL */
	const char *token;   /* create: idempotency token, 32 hex digits; stays the same when an intent is redone */
	provider_progress *progress; /* may be NULL */
	provider_done *done;
	void *payload;
};

/* One resource of a batch read. */
struct provider_read_item {
	const char *address;
	json_t *properties;  /* recorded, or desired for what is not recorded; borrowed until `done` */
	json_t *attributes;  /* recorded, may be NULL */
	provider_done *done; /* once for each item */
	void *payload;
};

typedef void provider_regions_done(void *payload, const struct provider_result *result, const char *const *regions);
typedef void provider_access_done(void *payload, const struct provider_result *result, const char *identity_arn);

struct provider_stats {
	uint64_t calls, retries, throttled, sessions;
	uint64_t bytes_in, bytes_out;
	size_t in_flight; /* calls on the wire now */
	size_t waiting;   /* calls held back by rate limits or backoff now */
};

struct provider;

struct provider_ops {
	/* The types that this provider has. Lives as long as the provider. */
	const struct schema_set *(*schemas)(struct provider *p);
	/* Makes an account known. `access` is the roster's merged Access object (borrowed during the call). 0, or -1
	 * with a message. The handle lives as long as the provider. */
	int (*account_add)(struct provider *p, const char *name, const char *id, const json_t *access,
			   struct provider_account **out, struct diag *d);
	/* Regions enabled in the account, by its opt-in status; `regions` is sorted, NULL-terminated, valid during the
	 * callback. */
	void (*regions)(struct provider *p, struct provider_account *account, provider_regions_done *done,
			void *payload);
	/* Enters the account and says as whom. */
	void (*access)(struct provider *p, const struct provider_target *target, provider_access_done *done,
		       void *payload);
	/* Reads any number of resources of one type in one target, by list or batch calls where the type has them. */
	void (*read)(struct provider *p, const struct schema_type *type, const struct provider_target *target,
		     const struct provider_read_item *items, size_t count);
	/* Looks for what `call->properties` would make: PROVIDER_DONE with properties and attributes, or
	 * PROVIDER_ABSENT. */
	void (*find)(struct provider *p, const struct provider_call *call);
	void (*create)(struct provider *p, const struct provider_call *call);
	void (*update)(struct provider *p, const struct provider_call *call);
	/* PROVIDER_DONE also when it was gone already. */
	void (*remove)(struct provider *p, const struct provider_call *call);
	/* Stops everything under way: each callback runs with PROVIDER_CANCELLED in the next turn. */
	void (*cancel)(struct provider *p);
	void (*stats)(struct provider *p, struct provider_stats *out);
	void (*free)(struct provider *p);
};

struct provider {
	const struct provider_ops *ops;
};

/* What every provider needs to know of the fleet. */
struct provider_settings {
	const char *home_region;
	const char *user_agent;
};

/* AWS. Base credentials are looked for when the first call needs them. */
int provider_aws_new(struct provider **out, struct loop *loop, const struct provider_settings *settings,
		     struct diag *d);
/* When base credentials that cannot be renewed without a person (an SSO sign-in, exported ones) end, in Unix
 * milliseconds; 0 when none do, or none were needed yet: known after the first call. */
int64_t provider_aws_base_ends_ms(struct provider *p);

#endif
