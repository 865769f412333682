/* The AWS provider's inside: what its files share. From the bottom up:
 *
 *   sign.c          SigV4
 *   credentials/    where base credentials come from, one file a source; chains of roles; sessions
 *   endpoint.c      service + region -> URL
 *   send.c          one HTTP request signed and sent, with retries, rate limits and session renewal
 *   protocols/      JSON input <-> the wire, one file a protocol
 *   api.c           one API operation: encode, send, decode
 *   engine/         handlers of type files as state machines of API operations
 *   provider.c      provider_ops on top of all that
 */
#ifndef MUSTER_PROVIDERS_AWS_AWS_H
#define MUSTER_PROVIDERS_AWS_AWS_H

#include "base/loop.h"
#include "providers/provider.h"

struct aws; /* the provider: loop, settings, accounts, sessions, buckets */

/* -- Services and operations: data, from providers/aws/services/NAME.json, embedded ------------------------------- */

struct aws_protocol;

struct aws_operation {
	const char *name;
	const char *method; /* "POST" where the protocol does not say otherwise */
	const char *uri;    /* "/", "/detector/{DetectorId}", "/{Bucket}?policy" */
	bool once;          /* makes another thing each time: never sent again while it may have been acted upon */
	bool reads;         /* changes nothing: may be sent again after a lost answer */
	json_t *document;   /* the operation's entry in the service file (docs/services.md) */

	/* What the protocol needs to know of the members (protocols/shape.h). `input` is never NULL; `output` is where
	 * the file gives none: then JSON passes as it came, and XML gives an empty object. */
	const struct aws_shape *input, *output;
	const char *root; /* rest-xml: the element around body members; NULL where a payload member names it */
	bool checksum;    /* the service wants a Content-MD5 header */
};

struct aws_shape;

struct aws_service {
	const char *name;            /* cloudtrail */
	const char *endpoint_prefix; /* host label */
	const char *signing_name;
	const char *environment_id; /* "S3", "CLOUDTRAIL", "CONFIG_SERVICE": AWS_ENDPOINT_URL_<this> */
	const char *api_version;
	const char *target_prefix; /* X-Amz-Target, json protocols */
	const char *json_version;  /* "1.0", "1.1" */
	const char *xml_namespace;
	/* One endpoint for a whole partition (iam): calls of any region go to and are signed for this region in
	 * partition aws; NULL for regional services. */
	bool global;
	const struct aws_protocol *protocol;
	struct aws_operation *operations; /* sorted by name */
	size_t operation_count;
	json_t *document;              /* the whole file; names above are borrowed from it */
	struct aws_shape_list *shapes; /* owns every shape of the operations */
};

struct aws_services;

/* Every embedded services/NAME.json, then services/NAME.json in the folders of MUSTER_TYPES_PATH (parted by ':'; a file
 * of a name that is there already replaces it). 0, or -1 with a message. Free with aws_services_free() (NULL is fine).
 */
int aws_services_load(struct aws_services **out, struct diag *d);
void aws_services_free(struct aws_services *services);
/* Adds or replaces a service from a parsed file (reference taken); `file` is for messages. Unknown words, types and
 * labels in the file are errors. An empty set to start from: aws_services_new(). Pointers that aws_services_find() gave
 * before are no longer valid. */
struct aws_services *aws_services_new(void);
int aws_services_add(struct aws_services *services, const char *file, json_t *document, struct diag *d);
const struct aws_service *aws_services_find(const struct aws_services *services, const char *name);
/* The provider's own (provider.c). */
const struct aws_services *aws_services(const struct aws *aws);

/* NULL when there is none. Both live as long as the provider. */
const struct aws_service *aws_service_find(struct aws *aws, const char *name);
const struct aws_operation *aws_operation_find(const struct aws_service *service, const char *name);
/* Whether `input` of a call may have this member. */
bool aws_operation_has_input(const struct aws_operation *operation, const char *member);

/* -- Protocols ---------------------------------------------------------------------------------------------------- */

struct aws_header {
	char *name, *value;
};

/* A request before signing. Owned: free with aws_wire_free(). */
struct aws_wire {
	char *method;
	char *path;  /* percent-encoded as it goes on the wire, starts with '/' */
	char *query; /* encoded, without '?', or NULL */
	struct aws_header *headers;
	size_t header_count;
	char *body; /* may be NULL */
	size_t body_len;
};
void aws_wire_header(struct aws_wire *wire, const char *name, const char *value);
void aws_wire_free(struct aws_wire *wire);

struct aws_error {
	char *code; /* without namespace, "Sender" prefix or URL: "AccessDeniedException" */
	char *message;
	char *request_id; /* or NULL */
};
void aws_error_free(struct aws_error *error);

struct aws_protocol {
	const char *name; /* json, rest-json, query, ec2, rest-xml */
	/* Input members (AWS API names) to a request. 0, or -1 with a message (a member that the operation does not
	 * have, a missing label). */
	int (*encode)(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		      const json_t *input, struct diag *d);
	/* A 2xx answer to an object of output members. 0 and a new reference, or -1 with a message. */
	int (*decode)(json_t **out, const struct aws_service *service, const struct aws_operation *operation,
		      const struct loop_http_answer *answer, struct diag *d);
	/* Any other answer to code and message; always gives a code ("HTTP 503" when the body says none). */
	void (*error)(struct aws_error *out, const struct aws_service *service, const struct loop_http_answer *answer);
};
extern const struct aws_protocol aws_protocol_json, aws_protocol_rest_json, aws_protocol_query, aws_protocol_ec2,
    aws_protocol_rest_xml;
const struct aws_protocol *aws_protocol_find(const char *name);

/* -- Signing (AWS Signature Version 4; "Create a signed AWS API request" in the IAM User Guide) ---------------------
 */

struct aws_credentials {
	char *access_key_id, *secret_access_key, *session_token; /* token may be NULL; secrets wiped on free */
	int64_t expires_unix_ms;                                 /* 0: they do not */
};

struct aws_sign_request {
	const struct aws_credentials *credentials;
	const char *service, *region;
	int64_t unix_ms;
	const char *host;
	bool s3;                    /* path not normalised and not encoded again; x-amz-content-sha256 header */
	bool normalize;             /* false only for the test vectors */
	bool omit_session_token;    /* add the token after signing; test vectors */
	struct aws_sign_keys *keys; /* where derived keys are kept between calls; NULL: nowhere */
};
/* Derived signing keys of one set of credentials (a key holds for one day, region and service, and costs four HMACs).
 * Freed with aws_sign_keys_free(), which wipes them (NULL is fine). */
struct aws_sign_keys;
struct aws_sign_keys *aws_sign_keys_new(void);
void aws_sign_keys_free(struct aws_sign_keys *keys);

/* Adds Host-independent headers X-Amz-Date, X-Amz-Security-Token, (S3: X-Amz-Content-Sha256) and Authorization to the
 * wire, in place of any that it had. The texts in between are given where asked for (tests); each may be NULL, else
 * free(). */
int aws_sign(struct aws_wire *wire, const struct aws_sign_request *request, char **canonical, char **string_to_sign,
	     struct diag *d);

/* -- Sending ------------------------------------------------------------------------------------------------------ */

struct aws_answer {
	enum provider_outcome
	    outcome; /* DONE: 2xx. REFUSED: AWS answered an error, or the call was never sent. FAILED: lost, may have
			been acted upon. UNREACHABLE: no session for the account. CANCELLED */
	const struct loop_http_answer *http; /* NULL when nothing came back */
	struct aws_error error;              /* filled unless DONE */
};
typedef void aws_send_done(void *payload, const struct aws_answer *answer);
struct aws_send;

/* Signs `wire` (taken over) for the target and sends it; retries what may be retried: throttling, 5xx, connection
 * errors, and lost answers if `operation->reads` or `idempotent`. Full-jitter backoff, retry budget, token bucket for
 * each account, region and service. */
struct aws_send *aws_send_start(struct aws *aws, const struct provider_target *target,
				const struct aws_service *service, const struct aws_operation *operation,
				struct aws_wire *wire, bool idempotent, aws_send_done *done, void *payload);

/* The same without an account of the roster: signed with `credentials` for `region` (NULL: not signed), never renewed.
 * For aws_api_call_as(). */
struct aws_send *aws_send_start_as(struct aws *aws, const struct aws_credentials *credentials, const char *region,
				   const struct aws_service *service, const struct aws_operation *operation,
				   struct aws_wire *wire, bool idempotent, aws_send_done *done, void *payload);

/* -- API: one operation ------------------------------------------------------------------------------------------- */

struct aws_api_result {
	enum provider_outcome outcome; /* as aws_answer; also FAILED when a 2xx answer cannot be read */
	json_t *output;                /* DONE: object, borrowed */
	const char *code, *message, *request_id;
};
typedef void aws_api_done(void *payload, const struct aws_api_result *result);

/* Encodes, sends, decodes. `input` is borrowed during the call. An input that cannot be encoded comes back as REFUSED
 * with code "InvalidInput". Calls back once, never from within. */
void aws_api_call(struct aws *aws, const struct provider_target *target, const char *service, const char *operation,
		  const json_t *input, bool idempotent, aws_api_done *done, void *payload);
/* The same without an account of the roster: signed with given credentials (NULL: not signed, for
 * AssumeRoleWithWebIdentity). For credentials/ only. */
void aws_api_call_as(struct aws *aws, const struct aws_credentials *credentials, const char *region,
		     const char *service, const char *operation, const json_t *input, aws_api_done *done,
		     void *payload);

/* -- Engine (engine/engine.h has the rest) ------------------------------------------------------------------------ */

void aws_engine_read(struct aws *aws, const struct schema_type *type, const struct provider_target *target,
		     const struct provider_read_item *items, size_t count);
enum aws_verb { AWS_FIND, AWS_CREATE, AWS_UPDATE, AWS_DELETE };
void aws_engine_run(struct aws *aws, enum aws_verb verb, const struct provider_call *call);
/* Checks the handlers of every type: words, operations and members that exist. At start-up and in tests. */
int aws_engine_check(struct aws *aws, const struct schema_type *type, struct diag *d);

/* The engine's memory: what runs, and calls put off until another resource is there. provider.c makes one, keeps it
 * and answers aws_engine() with it. */
struct aws_engine;
struct aws_engine *aws_engine_new(void);
void aws_engine_free(struct aws_engine *engine); /* calls nobody back; NULL is fine */
struct aws_engine *aws_engine(struct aws *aws);
/* Ends waits and starts no more calls: each callback runs with PROVIDER_CANCELLED once the calls that it has in flight
 * have come back (aws_api_call() gives CANCELLED for these). */
void aws_engine_cancel(struct aws *aws);
/* Adds every embedded types/NAME.json to `set`, then the files of MUSTER_TYPES_PATH (folders parted by ':'). */
int aws_engine_types_load(struct schema_set *set, struct diag *d);

/* What the engine asks of an account handle. */
const char *aws_account_id(const struct provider_account *account);
const char *aws_account_name(const struct provider_account *account);
struct loop *aws_loop(struct aws *aws);
const char *aws_partition(const struct aws *aws);

/* -- Embedded files: generated at build time from providers/aws/{types,services} --------------------------------------
 */

struct aws_embedded {
	const char *name; /* "types/cloudtrail-trail.json" */
	const char *text;
	size_t len;
};
extern const struct aws_embedded aws_embedded_files[];
extern const size_t aws_embedded_count;

#endif
