/* muster-sandbox: a local AWS for the demo, the tests and the benchmarks. One thread, all state in memory.
 *
 * A request goes http.c (bytes) -> dispatch.c (which service and operation, faults, limits) -> sigv4.c (who signed it)
 * -> proto_*.c (parameters) -> check.c (do they fit the operation) -> svc_*.c (the service) -> proto_*.c (the answer).
 *
 * To add a service: write svc_NAME.c with a table of operations and one `struct sb_service`, and name it in the table
 * at the end of this header's list (services.c). Shares with muster only base/mem.h and base/buf.h, on purpose: it
 * judges muster's signing and protocols, so it must not use them. */
#ifndef MUSTER_TESTS_SANDBOX_H
#define MUSTER_TESTS_SANDBOX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"

#define SB_BODY_MAX     (6 * 1024 * 1024)
#define SB_DEPTH_MAX    100
#define SB_JUMP_ACCOUNT "999999999999"

/* ---- one HTTP exchange: what came, and what goes back ---- */

struct sb_pair {
	char *name, *value;
};

struct sb_http {
	char *method, *target; /* as on the wire: the target is still percent-encoded */
	char *path, *query;    /* the target, cut at '?' ("" without a query) */
	struct sb_pair *headers;
	size_t header_count;
	struct buf body;

	int status;
	struct buf answer;
	struct sb_pair *answer_headers;
	size_t answer_header_count;
};

/* Value of a request header (any case), or NULL. */
const char *sb_http_header(const struct sb_http *http, const char *name);
void sb_http_reply_header(struct sb_http *http, const char *name, const char *value);
void sb_http_clear(struct sb_http *http);
/* One parameter of the query, decoded; NULL when absent. The caller frees it. */
char *sb_http_query(const struct sb_http *http, const char *name);

/* ---- the world ---- */

struct sb_fault;
struct sb_bucket;
struct sb_run;

struct sb {
	json_t *accounts; /* id -> {Name, Tags, Regions: {name: opt-in status} when it has its own} */
	json_t *regions;  /* name -> opt-in status, for accounts without their own */
	json_t *keys;     /* access key id -> {Secret, Token?, Account, Arn, RoleArn?, RoleName?, UserId, ExpiresMs?} */
	json_t *builtin;  /* account -> role name -> role, given by the roster rather than made through IAM */
	json_t *state;    /* account -> region (or "global") -> service -> whatever the service keeps */
	json_t *buckets;  /* S3's one name space: bucket -> owner's account id */
	char *roster_path, *config_path, *regions_path;

	int64_t latency_ms, lag_ms, session_seconds; /* session_seconds > 0 shortens every session, for tests */
	double rate;                                 /* calls a second per account, region and service; 0 = no limit */
	struct sb_fault *faults;
	struct sb_bucket *limits;
	size_t limit_count;
	json_t *limit_index;
	json_t *stats;
	int64_t calls, throttled;
	size_t in_flight, in_flight_max;
	uint64_t sequence;

	unsigned int port;   /* where it listens */
	json_t *traces;      /* of events: flow.h */
	json_t *chat;        /* what was posted to /_sandbox/webhook */
	json_t *saved;       /* name -> a world that was saved: world.c */
	struct sb_run *runs; /* functions at work: run.c */
};

/* world.c, roster.c. Loading returns 0, or -1 with a message on stderr. */
int sb_world_load(struct sb *sb);
void sb_world_free(struct sb *sb);
int sb_roster_load(struct sb *sb);
/* Keeps the world as it is now under a name, and makes it so again (false: there is none of that name). Settings,
 * faults and counts stay as they are. */
void sb_world_save(struct sb *sb, const char *name);
bool sb_world_restore(struct sb *sb, const char *name);
/* "opt-in-not-required", "opted-in", "not-opted-in", or NULL for a region that does not exist for this account. */
const char *sb_region_status(struct sb *sb, const char *account, const char *region);
bool sb_region_enabled(struct sb *sb, const char *account, const char *region);
json_t *sb_account_regions(struct sb *sb, const char *account); /* borrowed: name -> status */
const char *sb_partition(const char *region);
/* What a service keeps in one account and region; made when absent. Borrowed. */
json_t *sb_state(struct sb *sb, const char *account, const char *region, const char *service);
/* The same, but NULL when nothing is there. */
json_t *sb_state_find(struct sb *sb, const char *account, const char *region, const char *service);
/* The object `name` in `parent`, made empty when absent. Borrowed. A NULL parent gives NULL. */
json_t *sb_sub(json_t *parent, const char *name);

/* Values that other services see only after the lag. `seen` is what they see now (borrowed, may be NULL). */
void sb_lag_set(struct sb *sb, json_t *object, const char *key, json_t *value_stolen);
json_t *sb_lag_seen(json_t *object, const char *key);

/* ---- services, operations, calls ---- */

enum sb_protocol { SB_JSON, SB_REST_JSON, SB_QUERY, SB_EC2, SB_S3 };

struct sb_call;

struct sb_op {
	const char *name;
	int (*handle)(struct sb_call *call); /* 0, or -1 after sb_fail() */
	const char *members;                 /* what the input may hold: see check.c; NULL = not checked */
	const char *method, *uri;            /* rest-json: "/detector/{DetectorId}"; S3: "bucket?policy" */
	int status;                          /* of a success, when not 200 */
};

struct sb_service {
	const char *name; /* the signing name */
	enum sb_protocol protocol;
	const char *prefix;             /* JSON: what X-Amz-Target starts with; query and EC2: XML namespace */
	const char *global_region;      /* the only region it is signed for, or NULL */
	const char *invalid;            /* its error code for a request that does not fit */
	const char *throttled, *denied; /* its error codes */
	int throttled_status, denied_status;
	const struct sb_op *ops; /* ends with a NULL name */
};

extern const struct sb_service *const sb_services[]; /* ends with NULL; services.c */

struct sb_call {
	struct sb *sb;
	struct sb_http *http;
	const struct sb_service *service;
	const struct sb_op *op;
	const char *account, *region; /* whose, and where (the signed region) */
	const char *partition;
	json_t *caller; /* the credential, from sb->keys; NULL when the call needs none */
	json_t *in;     /* parameters */
	json_t *out;    /* what the handler answers: an object, or NULL for nothing */
	json_t *state;  /* what the service keeps here, borrowed */
	int64_t now_ms;
	char request_id[37];

	int status; /* of a failure */
	char *code, *message;
	bool drop, hang, lose_answer; /* what a fault asks for */
};

/* Fails the call; always returns -1. */
int sb_fail(struct sb_call *call, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* http.c: serves until SIGTERM or SIGINT. `port` 0 picks one. Returns the exit status. */
int sb_http_serve(struct sb *sb, unsigned short port);

/* dispatch.c: answers one request; the answer is left in `http`. What to do with it is in `*fate`. */
enum sb_fate { SB_ANSWER, SB_CLOSE, SB_HANG };
enum sb_fate sb_dispatch(struct sb *sb, struct sb_http *http);

/* control.c: /_sandbox/... Returns false when the path is not one of these. */
bool sb_control(struct sb *sb, struct sb_http *http);
json_t *sb_dump(struct sb *sb);

/* fault.c */
int sb_fault_add(struct sb *sb, const char *spec, char **why); /* 0, or -1 with `*why` (free it) */
void sb_fault_clear(struct sb *sb);
/* Whether a fault hits this call: fails it (error: -1) or marks it (drop, hang, lose_answer: 0). */
int sb_fault_check(struct sb_call *call);

/* stats.c: counts, and the rate limit. */
bool sb_rate_exceeded(struct sb_call *call);
void sb_rate_reset(struct sb *sb);
void sb_stats_count(struct sb_call *call, int status);
json_t *sb_stats(struct sb *sb);

/* sigv4.c: verifies the signature and finds the caller. */
enum sb_sig_error {
	SB_SIG_OK,
	SB_SIG_MISSING,   /* not signed at all */
	SB_SIG_MALFORMED, /* Authorization header that cannot be read */
	SB_SIG_UNKNOWN_KEY,
	SB_SIG_BAD_TOKEN, /* session token absent, extra or wrong */
	SB_SIG_EXPIRED,   /* session over */
	SB_SIG_SKEWED,    /* signed more than 15 minutes from now */
	SB_SIG_MISMATCH,
	SB_SIG_PAYLOAD, /* S3: x-amz-content-sha256 is not the body's */
};
struct sb_scope {
	char key[130], date[16], region[40], service[40];
	char *signed_headers, *signature;
	char *amz_date, *token;
	int64_t expires_s; /* presigned: how long; else 0 */
	bool presigned;
};
enum sb_sig_error sb_scope_read(struct sb_scope *scope, struct sb_http *http);
void sb_scope_free(struct sb_scope *scope);
/* `*caller` (borrowed) is set once the key is known. `detail` takes the canonical request and string to sign. */
enum sb_sig_error sb_sig_verify(json_t **caller, struct buf *detail, struct sb *sb, struct sb_http *http,
				const struct sb_scope *scope, bool s3);

struct sb_ask;
enum sb_verdict { SB_SILENT, SB_ALLOWED, SB_DENIED };

/* access.c: may this caller do this operation at all (roles' own permissions)? 0, or -1 with the call failed. */
int sb_access_check(struct sb_call *call);
bool sb_op_mutates(const char *operation);
/* A role by account and name, IAM's or built in; borrowed, NULL when absent (or, with `seen`, not yet visible). */
json_t *sb_role_find(struct sb *sb, const char *account, const char *name, bool seen);
/* A role by ARN, as another service finds it (lag applies). */
json_t *sb_role_seen(struct sb *sb, const char *arn);
/* Does a role's trust policy, as seen now, let this principal in? */
enum sb_verdict sb_role_trust_ask(json_t *role, const struct sb_ask *ask);
bool sb_role_trusts_service(json_t *role, const char *service);
/* Do a role's own policies allow ask->action (on ask->resource, when that is set)? */
bool sb_role_may(struct sb *sb, json_t *role, const struct sb_ask *ask);

/* check.c: fits `call->in` to the operation's `members`: 0, or -1 with the call failed. Texts of the query protocols
 * become the numbers and booleans that the members say. */
int sb_check(struct sb_call *call);

/* proto_*.c. Reading sets call->op and call->in. */
int sb_json_read(struct sb_call *call);
int sb_rest_json_read(struct sb_call *call);
int sb_query_read(struct sb_call *call);
int sb_s3_read(struct sb_call *call);
void sb_json_answer(struct sb_call *call);
void sb_json_error(struct sb_call *call);
void sb_query_answer(struct sb_call *call);
void sb_query_error(struct sb_call *call);
void sb_s3_answer(struct sb_call *call);
void sb_s3_error(struct sb_call *call);
/* The operation of that name, or NULL. */
const struct sb_op *sb_op_find(const struct sb_service *service, const char *name);

/* xml.c. A key that ends in "{}" is written as a map of entries, a list as repeated `item` elements inside (or bare,
 * when `item` is NULL). Reading gives {child: text, object or list}; NULL and `*root` NULL for what is not XML. */
void sb_xml_text(struct buf *out, const char *text);
void sb_xml_write(struct buf *out, const char *name, json_t *value, const char *item);
json_t *sb_xml_read(char **root, const char *text, size_t len);

/* ---- policies (policy.c) ---- */

struct sb_ask {
	const char *account, *arn, *role_arn; /* an AWS principal: account, session or user ARN, role ARN if a role */
	const char *service;                  /* or a service, "cloudtrail.amazonaws.com" */
	const char *federated;                /* or a web identity */
	const char *action, *resource;
	json_t *context; /* condition key in lower case -> text or list; may be NULL */
};
enum sb_verdict sb_policy_ask(json_t *document, const struct sb_ask *ask);
/* What is wrong with a policy (static text), or NULL. A resource policy must name principals. */
const char *sb_policy_fault(json_t *document, bool resource_policy);

/* The first role that a policy names as a principal and that does not exist (borrowed), or NULL. */
const char *sb_policy_ghost(struct sb *sb, json_t *document);

/* ---- small things (util.c) ---- */

bool sb_glob(const char *pattern, const char *text);                         /* * and ? */
bool sb_like(const char *text, const char *allowed, size_t min, size_t max); /* allowed: "a-zA-Z0-9_-" */
int64_t sb_now_ms(void);
char *sb_time_iso(int64_t ms);     /* 2026-01-31T12:00:00Z; free */
json_t *sb_time_json(int64_t ms);  /* the same as a JSON string */
json_t *sb_time_epoch(int64_t ms); /* seconds, as the JSON protocols have it */
void sb_uuid(char out[37]);
/* An id that is the same in every run with the same calls in this account, region and service. Free it. */
char *sb_id(struct sb_call *call, const char *prefix, size_t len, const char *alphabet);
void sb_hex(char *out, const unsigned char *bytes, size_t len);
void sb_sha256_hex(char out[65], const void *bytes, size_t len);
char *sb_url_decode(const char *text, size_t len, bool plus);
void sb_url_encode(struct buf *out, const char *text, size_t len, bool keep_slash);
/* The text of a member, or `fallback`. */
const char *sb_str(json_t *object, const char *key, const char *fallback);
bool sb_true(json_t *object, const char *key);
int64_t sb_int(json_t *object, const char *key, int64_t fallback);
/* Copies the named members ("A B C") that are there. */
void sb_copy(json_t *to, json_t *from, const char *names);
json_t *sb_format(const char *format, ...) __attribute__((format(printf, 1, 2))); /* a JSON string */
/* Part `n` of an ARN counted from 0, as a fresh string ("" when absent); part 5 is all the rest. */
char *sb_arn_part(const char *arn, int n);
/* One page of a list: `names` sorted, from `token` on, at most `limit`; `*next` is the token of the next page or NULL.
 * Tokens are opaque base16. Returns NULL for a token that is not ours. Free both. */
json_t *sb_page(char **next, json_t *object, const char *token, size_t limit);

/* How an operation answers one page of a list. */
struct sb_paging {
	const char *key;        /* the answer's member that takes the list */
	const char *token, *to; /* the members that the token comes in and goes out by */
	const char *limit;      /* the member with the page's size; NULL: it is not to be chosen */
	int64_t most;           /* its default */
	const char *invalid;    /* the error code for a token that is not ours */
};
/* Answers one page of `all` (name -> item), each as `row` makes it (NULL: the name). 0, or -1 with the call failed. */
int sb_page_answer(struct sb_call *call, const struct sb_paging *how, json_t *all,
		   json_t *(*row)(struct sb_call *call, json_t *item));
/* The same for tags, as sb_tags_list() makes them. */
int sb_tags_answer(struct sb_call *call, const struct sb_paging *how, json_t *tags, const char *key, const char *value);
/* Whether a text is one of the words in a line. */
bool sb_one_of(const char *words, const char *text);
/* An id like sb_id()'s in the form of a UUID. Free it. */
char *sb_id_uuid(struct sb_call *call);

/* Tags as lists of {Key, Value} (member names differ by service) in a sorted object. */
void sb_tags_add(json_t *tags, json_t *list, const char *key, const char *value);
void sb_tags_remove(json_t *tags, json_t *keys);
json_t *sb_tags_list(json_t *tags, const char *key, const char *value);

/* ---- what services ask of one another ---- */

/* The ARN of the role that a service has for itself in an account, made when absent. Free it. */
char *sb_linked_role_ensure(struct sb *sb, const char *account, const char *service);

json_t *sb_bucket_find(struct sb *sb, const char *bucket); /* borrowed; NULL when there is none */
/* Whether a service may use a bucket, by the bucket policy as seen now. */
bool sb_bucket_lets(struct sb *sb, const char *bucket, const struct sb_ask *ask);

/* A KMS key by ARN (of a key or an alias); NULL when there is none. Borrowed. */
json_t *sb_key_find(struct sb *sb, const char *arn);
/* A VPC that the configuration names: {Account, Region, VpcId, CidrBlock, Subnets: [id]}. */
void sb_vpc_declare(struct sb *sb, json_t *said);
/* The first subnet or security group id that EC2 there does not know (borrowed), or NULL. */
const char *sb_vpc_refuses(struct sb *sb, const char *account, const char *region, json_t *subnets, json_t *groups);

json_t *sb_function_find(struct sb *sb, const char *arn);

json_t *sb_queue_find(struct sb *sb, const char *arn);
/* Puts a message on a queue if its policy lets the asker: NULL, or why not (static text). */
const char *sb_queue_send(struct sb *sb, const char *arn, const struct sb_ask *ask, const char *body);
const char *sb_queue_put(struct sb *sb, const char *arn, const char *body); /* whatever the policy */

/* Why a principal cannot use a key for ask->action (static text), or NULL when it can. */
const char *sb_key_refuses(json_t *key, const struct sb_ask *ask);

#endif
