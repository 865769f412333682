/* Where credentials come from. A source is one place (environment, a profile, a role assumed with another source's
 * credentials ...) behind one small interface; a session keeps what a source gave, renews it ahead of time and lets
 * any number of calls wait for one fetch. Private to providers/aws. */
#ifndef MUSTER_PROVIDERS_AWS_CREDENTIALS_H
#define MUSTER_PROVIDERS_AWS_CREDENTIALS_H

#include "base/map.h"
#include "providers/aws/aws.h"

/* -- Credentials --------------------------------------------------------------------------------------------------- */

void aws_credentials_copy(struct aws_credentials *out, const struct aws_credentials *from); /* NULL strings allowed */
void aws_credentials_clear(struct aws_credentials *credentials);                            /* wipes and frees */

/* -- Shared config and credentials files --------------------------------------------------------------------------- */

struct aws_config; /* both files, merged */

/* Reads AWS_CONFIG_FILE (~/.aws/config) and AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials); one that does not exist
 * is empty. 0, or -1 with file and line. Free with aws_config_free() (NULL is fine). */
int aws_config_load(struct aws_config **out, struct diag *d);
void aws_config_free(struct aws_config *config);
/* A setting of a section; NULL when it has none. `kind`: "profile", "sso-session" or "services". A nested setting is
 * asked for as "s3.endpoint_url". */
const char *aws_config_get(const struct aws_config *config, const char *kind, const char *name, const char *key);
bool aws_config_has(const struct aws_config *config, const char *kind, const char *name);
/* The paths read, for messages. */
const char *aws_config_paths(const struct aws_config *config);
/* The provider's own: read when first asked for. NULL when it cannot be read; `d` (may be NULL) says why. */
const struct aws_config *aws_config(struct aws *aws, struct diag *d);
/* AWS_PROFILE, AWS_DEFAULT_PROFILE or "default". */
const char *aws_config_profile(void);
/* "$HOME/name" to be freed, or NULL without a home. */
char *aws_home_path(const char *name);

/* -- Sources ------------------------------------------------------------------------------------------------------- */

enum aws_fetch_outcome {
	AWS_FETCH_FOUND,
	AWS_FETCH_NONE,   /* nothing is set up here: a chain asks the next source */
	AWS_FETCH_FAILED, /* something is set up, and does not work */
	AWS_FETCH_CANCELLED,
};

/* Borrowed, valid during the callback only. */
struct aws_fetch {
	enum aws_fetch_outcome outcome;
	const struct aws_credentials *credentials;
	const char *identity; /* whose they are, for messages: an ARN, or the source's name */
	const char *code;     /* FAILED: AWS's error code, or our own */
	const char *message;  /* NONE, FAILED: what was tried, and why it gave nothing; never holds a secret */
	bool transient;       /* FAILED: might work when tried again */
	int64_t final_ms;     /* FOUND: when the source will have nothing more to give (Unix time); 0: not known */
};
typedef void aws_fetch_done(void *payload, const struct aws_fetch *fetch);

struct aws_source;

struct aws_source_ops {
	/* Starts one fetch (never two at a time). Ends with aws_source_finish(), perhaps from within. */
	void (*fetch)(struct aws_source *source);
	/* Ends a fetch under way without calling back, frees the whole source. */
	void (*free)(struct aws_source *source);
	/* Ends a fetch under way with AWS_FETCH_CANCELLED. NULL where all it waits for is calls and other sessions. */
	void (*cancel)(struct aws_source *source);
};

/* The head of every source. */
struct aws_source {
	const struct aws_source_ops *ops;
	struct aws *aws;
	char *name; /* "environment variables", "profile \"jump\"" */
	aws_fetch_done *done;
	void *payload;
};

void aws_source_init(struct aws_source *source, const struct aws_source_ops *ops, struct aws *aws, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));
/* Asks for credentials. Calls back once, perhaps from within. */
void aws_source_fetch(struct aws_source *source, aws_fetch_done *done, void *payload);
/* For sources: how a fetch ends. The source may be freed by the callback. */
void aws_source_finish(struct aws_source *source, const struct aws_fetch *fetch);
void aws_source_cancelled(struct aws_source *source);
void aws_source_found(struct aws_source *source, const struct aws_credentials *credentials);
void aws_source_none(struct aws_source *source, const char *format, ...) __attribute__((format(printf, 2, 3)));
void aws_source_fail(struct aws_source *source, bool transient, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void aws_source_cancel(struct aws_source *source); /* no effect when nothing is under way */
void aws_source_free(struct aws_source *source);   /* NULL is fine */
/* The credentials document that processes, containers and instances answer with: {AccessKeyId, SecretAccessKey,
 * Token or SessionToken, Expiration}. 0, or -1 with a message that does not quote it. */
int aws_credentials_parse(struct aws_credentials *out, const char *text, size_t len, struct diag *d);

/* The credentials in the answer of an STS operation. */
int aws_credentials_from_sts(struct aws_credentials *out, const json_t *output, struct diag *d);
/* A failed call of a source: who wanted what, and what AWS said. */
void aws_source_fail_call(struct aws_source *source, const char *what, const struct aws_api_result *result);

struct aws_session;

/* Each gives a source that its holder frees with aws_source_free(). */
struct aws_source *aws_source_environment(struct aws *aws);
struct aws_source *aws_source_static(struct aws *aws, const char *name, const struct aws_credentials *credentials);
struct aws_source *aws_source_process(struct aws *aws, const char *profile, const char *command);
struct aws_source *aws_source_container(struct aws *aws);
struct aws_source *aws_source_instance(struct aws *aws);
struct aws_source *aws_source_web_identity(struct aws *aws, const char *name, const char *role_arn,
					   const char *token_file, const char *session_name);
/* Reads AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN when asked. */
struct aws_source *aws_source_web_identity_environment(struct aws *aws);

struct aws_sso {
	const char *session; /* [sso-session NAME], or NULL */
	const char *start_url, *region, *account_id, *role_name;
};
struct aws_source *aws_source_sso(struct aws *aws, const char *profile, const struct aws_sso *sso);

struct aws_role {
	const char *arn, *session_name, *external_id, *mfa_serial;
	int duration_s;       /* 0: 3600 */
	const char *for_whom; /* "account app-prod (333333333333)": starts messages; or NULL */
};
/* A role assumed with the credentials of `parent` at the home region's STS endpoint. The parent is borrowed, or freed
 * with the source when `owned`. */
struct aws_source *aws_source_role(struct aws *aws, struct aws_session *parent, bool owned,
				   const struct aws_role *role);
/* Credentials of `parent` (borrowed) as they are, once they have proved to be of account `id`. */
struct aws_source *aws_source_same_account(struct aws *aws, struct aws_session *parent, const char *for_whom,
					   const char *id);

/* A profile of the shared files, however its credentials come about. `name` NULL: AWS_PROFILE or default, and it need
 * not exist. */
struct aws_source *aws_source_profile(struct aws *aws, const char *name);
/* Asks each source (taken over) in turn until one has something set up. */
struct aws_source *aws_source_chain(struct aws *aws, struct aws_source **sources, size_t count);
/* What the SDKs look through when nothing is said. */
struct aws_source *aws_source_default(struct aws *aws);

/* -- Sessions ------------------------------------------------------------------------------------------------------ */

/* What a call signs with. Valid until the loop runs again. */
struct aws_session_view {
	const struct aws_credentials *credentials;
	struct aws_sign_keys *keys;
	const char *identity;
	unsigned generation; /* counts what the source gave, for aws_session_expired() */
};
/* `failure` is NULL when the session is ready now. */
typedef void aws_session_done(void *payload, const struct aws_fetch *failure);

struct aws_session *aws_session_new(struct aws *aws, struct aws_source *source); /* takes the source over */
void aws_session_free(struct aws_session *session);                              /* NULL is fine; calls nobody back */
/* Whether there are credentials to sign with now. Starts renewing them in the background when they near their end. */
bool aws_session_ready(struct aws_session *session, struct aws_session_view *view);
/* Calls back once when the session is ready or has failed, never from within. All that wait share one fetch. */
void aws_session_wait(struct aws_session *session, aws_session_done *done, void *payload);
/* Takes back aws_session_wait() with this payload. */
void aws_session_unwait(struct aws_session *session, const void *payload);
/* AWS no longer takes the credentials of `generation`: the next call waits for new ones. */
void aws_session_expired(struct aws_session *session, unsigned generation);
/* Ends a fetch under way: those that wait are told that it was cancelled. */
void aws_session_cancel(struct aws_session *session);
/* When the source will have nothing more to give; 0: not known, or never. */
int64_t aws_session_final_ms(const struct aws_session *session);
const char *aws_session_name(const struct aws_session *session);

/* Asks a person for a one-time code of an MFA device. 0, or -1 with a message. By default on the terminal. */
typedef int aws_mfa_prompt(void *payload, const char *serial, char *code, size_t size, struct diag *d);
void aws_mfa_prompt_set(struct aws *aws, aws_mfa_prompt *prompt, void *payload);
int aws_mfa_ask(struct aws *aws, const char *serial, char *code, size_t size, struct diag *d);

#endif
