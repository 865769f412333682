/* The engine's inside: what its files share. From the bottom up:
 *
 *   compare.c  equality by schema, defaults filled in
 *   expr.c     expressions: templates with ${...} evaluated in a scope
 *   words*.c   the $Words of expressions
 *   memory.c   waits, cancelling, postponed calls
 *   fetch.c    one call: pages gathered, RetryOn, shared between resources of one batch read
 *   call.c     one element of a step: call, errors, Until, outputs
 *   step.c     a handler's steps, one after another or together
 *   run.c      one verb on one resource, from the provider's call to its result
 *   read.c     many reads as one batch
 *   types.c    type files from the binary and from MUSTER_TYPES_PATH
 *   check.c    is a type file's handler part right?
 *
 * docs/types.md explains the language. */
#ifndef MUSTER_PROVIDERS_AWS_ENGINE_H
#define MUSTER_PROVIDERS_AWS_ENGINE_H

#include "providers/aws/aws.h"

/* -- Equality and defaults ---------------------------------------------------------------------------------------- */

/* Equal by what the schema says of it; NULL stands for absent. */
bool engine_equal(const struct schema_value *schema, const json_t *a, const json_t *b);
/* A deep copy of `properties` (an object or NULL) with every Default filled in that was left out. With `live`,
 * write-only members stay out. */
json_t *engine_with_defaults(const struct schema_value *object, const json_t *properties, bool live);

/* -- Expressions -------------------------------------------------------------------------------------------------- */

/* Names that an expression may use: looked up here, then in `up`. */
struct engine_scope {
	const struct engine_scope *up;
	const json_t *names;            /* object: name -> value */
	const struct schema_type *type; /* in the outermost: for $Changed */
};

/* The value of a name or path ("Properties.Tags", "Response.Rules[0].Arn"), borrowed; NULL when absent or null. */
json_t *engine_lookup(const struct engine_scope *scope, const char *path);
/* A new reference, or NULL when the value is absent. */
json_t *engine_eval(const struct engine_scope *scope, const json_t *expression);
/* Whether a value counts as yes: there, not false, not "", not an empty list or object. */
bool engine_truth(const json_t *value);
bool engine_condition(const struct engine_scope *scope, const json_t *expression);
/* An object template with every absent member left out; never NULL. For inputs. */
json_t *engine_eval_object(const struct engine_scope *scope, const json_t *template);
/* String of an expression to be freed with free(), or NULL. */
char *engine_eval_string(const struct engine_scope *scope, const json_t *expression);

struct engine_word {
	const char *name;   /* "$Map" */
	size_t least, most; /* arguments; 0, 0: one, which is not put in a list */
	bool binds_item;    /* the second argument is evaluated once for each element, which is ${Item} there */
	json_t *(*call)(const struct engine_scope *scope, const json_t *arguments);
};
const struct engine_word *engine_word_find(const char *name);
/* The word that an expression object is a use of ({"$Word": ...}), or NULL: then it is a template. */
const struct engine_word *engine_word_of(const json_t *expression, json_t **arguments);
/* All words; ends with a NULL name. */
extern const struct engine_word engine_words[];

/* -- Memory ------------------------------------------------------------------------------------------------------- */

typedef void engine_callback(void *payload);
/* Calls back in `delay_ms`, or at the next turn once the engine is cancelled. */
void engine_wait(struct aws *aws, int64_t delay_ms, engine_callback *call, void *payload);
/* Counts the cancellings so far: what began under another number must stop. */
uint64_t engine_cancels(struct aws *aws);

/* A call put off until a resource of a type has been made in the same account and region. */
struct engine_postponed {
	struct engine_postponed *next;
	struct provider_account *account;
	char *region, *until, *service, *operation;
	json_t *input;
};
/* Keeps a call; one of the same operation in the same place is replaced. `input`: reference taken. */
void engine_postpone(struct aws *aws, const struct provider_target *target, const char *until, const char *service,
		     const char *operation, json_t *input);
void engine_forget(struct aws *aws, const struct provider_target *target, const char *operation);
/* Takes out the next call that waited for `until` there, or NULL. Free with engine_postponed_free(). */
struct engine_postponed *engine_postponed_take(struct aws *aws, const struct provider_target *target,
					       const char *until);
void engine_postponed_free(struct engine_postponed *postponed);

/* -- Fetches ------------------------------------------------------------------------------------------------------ */

/* Calls of one batch read, so that equal ones are made once. */
struct engine_batch;
struct engine_batch *engine_batch_new(void);
struct engine_batch *engine_batch_keep(struct engine_batch *batch); /* one more owner; NULL is fine */
void engine_batch_free(struct engine_batch *batch);                 /* ... one less */

struct engine_request {
	struct aws *aws;
	struct provider_target target; /* `region` is copied */
	const char *service, *operation;
	json_t *input;      /* reference taken */
	const json_t *step; /* for Paginate, RetryOn */
	bool reads, idempotent;
	struct engine_batch *batch; /* NULL: not shared */
};
typedef void engine_fetched(void *payload, const struct aws_api_result *result);
/* Calls back exactly once; for an answer that the batch has already, from within. */
void engine_fetch(const struct engine_request *request, engine_fetched *done, void *payload);

/* -- Runs --------------------------------------------------------------------------------------------------------- */

enum engine_verb { ENGINE_FIND, ENGINE_CREATE, ENGINE_UPDATE, ENGINE_DELETE, ENGINE_READ };

/* One verb on one resource. */
struct engine_run {
	struct aws *aws;
	const struct schema_type *type;
	struct provider_target target;
	enum engine_verb verb;
	struct engine_batch *batch;
	json_t *names;      /* Properties, Prior, Attributes, Token, AWS::..., and what steps Set */
	json_t *attributes; /* the one in `names` */
	json_t *live;       /* what steps gave as Properties, or NULL */
	uint64_t cancels;
	bool made;     /* a call that changes something was accepted, or may have been */
	bool accepted; /* ... certainly was */

	bool ended; /* no more steps: failed, or absent */
	enum provider_outcome outcome;
	char *code, *message, *operation, *request_id;

	provider_progress *progress;
	provider_done *done;
	void *payload;
	size_t phase; /* handlers of the verb done so far */
};

/* Runs a handler's steps; calls back once when all are done or the run has ended, perhaps from within. */
typedef void engine_steps_done(struct engine_run *run);
void engine_steps_run(struct engine_run *run, const json_t *steps, engine_steps_done *done);
/* Ends the run. The first to do so decides; texts are copied. */
void engine_run_end(struct engine_run *run, enum provider_outcome outcome, const char *service, const char *operation,
		    const char *code, const char *message, const char *request_id);
/* Ends the run if the engine has been cancelled since it began. */
bool engine_run_cancelled(struct engine_run *run);
void engine_run_start(struct engine_run *run); /* takes the run over */
struct engine_run *engine_run_new(struct aws *aws, const struct schema_type *type, const struct provider_target *target,
				  enum engine_verb verb, const json_t *properties, const json_t *attributes);

/* "Service" of a step or of its type. */
const char *engine_step_service(const struct schema_type *type, const json_t *step);

#endif
