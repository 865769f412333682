/* One API operation: input to a request by the service's protocol, sent, the answer to an output or an error.
 * Knows nothing of retries, credentials (send.c) or of what an error means (engine/). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/aws/aws.h"

struct api_call {
	struct aws *aws;
	const struct aws_service *service;
	const struct aws_operation *operation;
	aws_api_done *done;
	void *payload;
	char *refusal; /* why nothing was sent; for the deferred callback */
};

/* Where a call goes: an account of the roster, or given credentials. */
struct api_route {
	const struct provider_target *target;
	const struct aws_credentials *credentials;
	const char *region;
	bool idempotent;
};

static void call_free(struct api_call *call)
{
	free(call->refusal);
	free(call);
}

/* Freed before calling back, so that the callback may do anything. */
static void call_finish(struct api_call *call, const struct aws_api_result *result)
{
	aws_api_done *done = call->done;
	void *payload = call->payload;
	call_free(call);
	done(payload, result);
}

static void on_refused(void *payload)
{
	struct api_call *call = payload;
	mem_auto_str char *message = call->refusal;
	call->refusal = NULL;
	call_finish(call,
		    &(struct aws_api_result){.outcome = PROVIDER_REFUSED, .code = "InvalidInput", .message = message});
}

static void finish_decoded(struct api_call *call, const struct loop_http_answer *http)
{
	struct diag d = DIAG_INIT;
	json_t *output = NULL;
	buf_auto struct buf id = BUF_INIT;
	if (!loop_http_answer_header(http, "x-amzn-RequestId", &id))
		loop_http_answer_header(http, "x-amz-request-id", &id);
	struct aws_api_result result = {.outcome = PROVIDER_DONE, .request_id = id.len ? buf_str(&id) : NULL};
	if (call->service->protocol->decode(&output, call->service, call->operation, http, &d) < 0) {
		result.outcome = PROVIDER_FAILED;
		result.code = "UnreadableAnswer";
		result.message = diag_first_error(&d);
	}
	result.output = output;
	call_finish(call, &result);
	json_decref(output);
	diag_free(&d);
}

static void on_answer(void *payload, const struct aws_answer *answer)
{
	struct api_call *call = payload;
	if (answer->outcome == PROVIDER_DONE) {
		finish_decoded(call, answer->http);
		return;
	}
	call_finish(call, &(struct aws_api_result){.outcome = answer->outcome,
						   .code = answer->error.code,
						   .message = answer->error.message,
						   .request_id = answer->error.request_id});
}

/* 0 with a request, or -1 with a message. */
static int call_encode(struct aws_wire *wire, struct api_call *call, const char *service, const char *operation,
		       const json_t *input, struct diag *d)
{
	json_auto_t *none = json_object();
	call->service = aws_service_find(call->aws, service);
	if (!call->service)
		return diag_error(d, "unknown service \"%s\"", service);
	call->operation = aws_operation_find(call->service, operation);
	if (!call->operation)
		return diag_error(d, "%s has no operation \"%s\"", service, operation);
	return call->service->protocol->encode(wire, call->service, call->operation, input ? input : none, d);
}

static void call_start(struct aws *aws, const struct api_route *route, const char *service, const char *operation,
		       const json_t *input, aws_api_done *done, void *payload)
{
	struct api_call *call = mem_alloc(sizeof *call);
	struct diag d = DIAG_INIT;
	struct aws_wire wire;
	*call = (struct api_call){.aws = aws, .done = done, .payload = payload};
	if (call_encode(&wire, call, service, operation, input, &d) < 0) {
		call->refusal = mem_strdup(diag_first_error(&d));
		loop_defer(aws_loop(aws), on_refused, call);
	} else if (route->target) {
		aws_send_start(aws, route->target, call->service, call->operation, &wire, route->idempotent, on_answer,
			       call);
	} else {
		aws_send_start_as(aws, route->credentials, route->region, call->service, call->operation, &wire, false,
				  on_answer, call);
	}
	diag_free(&d);
}

void aws_api_call(struct aws *aws, const struct provider_target *target, const char *service, const char *operation,
		  const json_t *input, bool idempotent, aws_api_done *done, void *payload)
{
	const struct api_route route = {.target = target, .idempotent = idempotent};
	call_start(aws, &route, service, operation, input, done, payload);
}

void aws_api_call_as(struct aws *aws, const struct aws_credentials *credentials, const char *region,
		     const char *service, const char *operation, const json_t *input, aws_api_done *done, void *payload)
{
	const struct api_route route = {.credentials = credentials, .region = region};
	call_start(aws, &route, service, operation, input, done, payload);
}
