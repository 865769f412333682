/* One request from bytes to answer: which service, who signed, which operation, what faults and limits say, the
 * operation itself, the answer in the service's protocol. */
#include "tests/sandbox/sandbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sb_fail(struct sb_call *call, int status, const char *code, const char *format, ...)
{
	buf_auto struct buf message = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&message, format, args);
	va_end(args);
	free(call->code);
	free(call->message);
	call->status = status;
	call->code = mem_strdup(code);
	call->message = buf_detach(&message);
	return -1;
}

/* How each protocol says that it does not trust a signature. */
struct refusal {
	int status;
	const char *code, *message;
};
static const struct refusal refusals[][SB_SIG_PAYLOAD + 1] = {
    [SB_JSON] =
	{
	    [SB_SIG_MISSING] = {400, "MissingAuthenticationTokenException", "Missing Authentication Token"},
	    [SB_SIG_MALFORMED] = {400, "IncompleteSignatureException",
				  "Authorization header requires existence of Credential, SignedHeaders, "
				  "Signature and a date."},
	    [SB_SIG_UNKNOWN_KEY] = {400, "UnrecognizedClientException",
				    "The security token included in the request is invalid."},
	    [SB_SIG_BAD_TOKEN] = {400, "UnrecognizedClientException",
				  "The security token included in the request is invalid."},
	    [SB_SIG_EXPIRED] = {400, "ExpiredTokenException", "The security token included in the request is expired"},
	    [SB_SIG_SKEWED] = {400, "InvalidSignatureException", "Signature expired or not yet current"},
	    [SB_SIG_MISMATCH] = {400, "InvalidSignatureException",
				 "The request signature we calculated does not match the signature you "
				 "provided. Check your AWS Secret Access Key and signing method. Consult "
				 "the service documentation for details."},
	},
    [SB_QUERY] =
	{
	    [SB_SIG_MISSING] = {403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
	    [SB_SIG_MALFORMED] = {400, "IncompleteSignature",
				  "Authorization header requires existence of Credential, SignedHeaders, "
				  "Signature and a date."},
	    [SB_SIG_UNKNOWN_KEY] = {403,
				    "InvalidClientTokenId", "The security token included in the request is invalid."},
	    [SB_SIG_BAD_TOKEN] = {403, "InvalidClientTokenId",
				  "The security token included in the request is invalid."},
	    [SB_SIG_EXPIRED] = {403, "ExpiredToken", "The security token included in the request is expired"},
	    [SB_SIG_SKEWED] = {403, "SignatureDoesNotMatch", "Signature expired or not yet current"},
	    [SB_SIG_MISMATCH] = {403, "SignatureDoesNotMatch",
				 "The request signature we calculated does not match the signature you "
				 "provided. Check your AWS Secret Access Key and signing method. Consult "
				 "the service documentation for details."},
	},
    [SB_EC2] =
	{
	    [SB_SIG_MISSING] = {400, "MissingAuthenticationToken", "Missing Authentication Token"},
	    [SB_SIG_MALFORMED] = {401, "AuthFailure", "The request signature cannot be read"},
	    [SB_SIG_UNKNOWN_KEY] = {401, "AuthFailure", "AWS was not able to validate the provided access credentials"},
	    [SB_SIG_BAD_TOKEN] = {401, "AuthFailure", "AWS was not able to validate the provided access credentials"},
	    [SB_SIG_EXPIRED] = {400, "RequestExpired", "Request has expired."},
	    [SB_SIG_SKEWED] = {400, "RequestExpired", "Request has expired."},
	    [SB_SIG_MISMATCH] = {401, "AuthFailure", "AWS was not able to validate the provided access credentials"},
	},
    [SB_S3] =
	{
	    [SB_SIG_MISSING] = {403, "AccessDenied", "Access Denied"},
	    [SB_SIG_MALFORMED] = {400, "AuthorizationHeaderMalformed",
				  "The authorization header that you provided is not valid."},
	    [SB_SIG_UNKNOWN_KEY] = {403, "InvalidAccessKeyId",
				    "The AWS Access Key Id you provided does not exist in our records."},
	    [SB_SIG_BAD_TOKEN] = {400, "InvalidToken", "The provided token is malformed or otherwise invalid."},
	    [SB_SIG_EXPIRED] = {400, "ExpiredToken", "The provided token has expired."},
	    [SB_SIG_SKEWED] = {403, "RequestTimeTooSkewed",
			       "The difference between the request time and the current time is too "
			       "large."},
	    [SB_SIG_MISMATCH] = {403, "SignatureDoesNotMatch",
				 "The request signature we calculated does not match the signature you "
				 "provided. Check your key and signing method."},
	    [SB_SIG_PAYLOAD] = {400, "XAmzContentSHA256Mismatch",
				"The provided 'x-amz-content-sha256' header does not match what was "
				"computed."},
	},
};

static int refuse(struct sb_call *call, enum sb_sig_error error, const char *detail)
{
	enum sb_protocol protocol = call->service->protocol == SB_REST_JSON ? SB_JSON : call->service->protocol;
	const struct refusal *refusal = &refusals[protocol][error];

	return sb_fail(call, call->service->protocol == SB_REST_JSON ? 403 : refusal->status, refusal->code, "%s%s",
		       refusal->message, detail);
}

/* By its signing name; of a service that speaks two protocols, the one that the request's form is of. */
static const struct sb_service *service_find(const struct sb_http *http, const char *name)
{
	bool json = http != NULL && sb_http_header(http, "x-amz-target") != NULL;
	const struct sb_service *found = NULL;

	for (size_t i = 0; sb_services[i] != NULL; i++) {
		if (strcmp(sb_services[i]->name, name) == 0 &&
		    (found == NULL || json == (sb_services[i]->protocol == SB_JSON)))
			found = sb_services[i];
	}
	return found;
}

/* An unsigned request says by its form which service it is for. */
static const struct sb_service *service_guess(const struct sb_http *http)
{
	const char *target = sb_http_header(http, "x-amz-target");

	for (size_t i = 0; target != NULL && sb_services[i] != NULL; i++)
		if (sb_services[i]->protocol == SB_JSON &&
		    strncmp(target, sb_services[i]->prefix, strlen(sb_services[i]->prefix)) == 0)
			return sb_services[i];
	if (http->body.len > 0 && strstr(http->body.data, "Action=") != NULL)
		return service_find(NULL, "sts");
	return service_find(NULL, "s3");
}

static bool is_web_identity(const struct sb_http *http)
{
	return http->body.len > 0 && strstr(http->body.data, "Action=AssumeRoleWithWebIdentity") != NULL;
}

static int region_check(struct sb_call *call)
{
	const char *only = call->service->global_region;

	if (only != NULL && strcmp(call->region, only) != 0)
		return sb_fail(call, 403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region. ");
	if (sb_region_enabled(call->sb, call->account, call->region))
		return 0;
	if (call->service->protocol == SB_S3)
		return sb_fail(call, 400, "IllegalLocationConstraintException",
			       "The %s location constraint is incompatible for the region specific endpoint this "
			       "request was sent to.",
			       call->region);
	return refuse(call, SB_SIG_UNKNOWN_KEY, "");
}

static int authenticate(struct sb_call *call, const struct sb_scope *scope, enum sb_sig_error error)
{
	buf_auto struct buf detail = BUF_INIT;

	if (error == SB_SIG_MISSING && is_web_identity(call->http)) {
		call->account = SB_JUMP_ACCOUNT;
		call->region = "us-east-1";
		return 0;
	}
	if (error == SB_SIG_OK)
		error = sb_sig_verify(&call->caller, &detail, call->sb, call->http, scope,
				      call->service->protocol == SB_S3);
	if (error != SB_SIG_OK)
		return refuse(call, error, buf_str(&detail));
	call->account = sb_str(call->caller, "Account", "");
	call->region = scope->region;
	return region_check(call);
}

static int protocol_read(struct sb_call *call)
{
	switch (call->service->protocol) {
	case SB_JSON:
		return sb_json_read(call);
	case SB_REST_JSON:
		return sb_rest_json_read(call);
	case SB_S3:
		return sb_s3_read(call);
	default:
		return sb_query_read(call);
	}
}

static void protocol_answer(struct sb_call *call, bool ok)
{
	switch (call->service->protocol) {
	case SB_JSON:
	case SB_REST_JSON:
		(ok ? sb_json_answer : sb_json_error)(call);
		return;
	case SB_S3:
		(ok ? sb_s3_answer : sb_s3_error)(call);
		return;
	default:
		(ok ? sb_query_answer : sb_query_error)(call);
	}
}

static int throttle(struct sb_call *call)
{
	call->sb->throttled++;
	return sb_fail(call, call->service->throttled_status, call->service->throttled, "Rate exceeded");
}

static int call_run(struct sb_call *call, const struct sb_scope *scope, enum sb_sig_error scope_error)
{
	if (authenticate(call, scope, scope_error) != 0 || protocol_read(call) != 0)
		return -1;
	call->partition = sb_partition(call->region);
	if (sb_fault_check(call) != 0)
		return -1;
	if (call->drop || call->hang)
		return 0;
	if (sb_rate_exceeded(call))
		return throttle(call);
	if (sb_access_check(call) != 0 || sb_check(call) != 0)
		return -1;
	call->state = sb_state(call->sb, call->account, call->service->global_region != NULL ? "global" : call->region,
			       call->service->name);
	return call->op->handle(call);
}

static void call_clear(struct sb_call *call)
{
	json_decref(call->in);
	json_decref(call->out);
	free(call->code);
	free(call->message);
}

enum sb_fate sb_dispatch(struct sb *sb, struct sb_http *http)
{
	struct sb_call call = {.sb = sb, .http = http, .account = "", .region = "", .now_ms = sb_now_ms()};
	struct sb_scope scope;
	enum sb_sig_error error = sb_scope_read(&scope, http);
	enum sb_fate fate = SB_ANSWER;
	int result;

	sb_uuid(call.request_id);
	call.service = scope.service[0] != '\0' ? service_find(http, scope.service) : service_guess(http);
	if (call.service == NULL) {
		http->status = 400;
		sb_http_reply_header(http, "x-amzn-ErrorType", "SandboxUnknownService");
		buf_addf(&http->answer, "{\"__type\":\"SandboxUnknownService\",\"message\":\"no service %s here\"}",
			 scope.service);
		sb_scope_free(&scope);
		return SB_ANSWER;
	}
	result = call_run(&call, &scope, error);
	if (call.hang)
		fate = SB_HANG;
	else if (call.drop || call.lose_answer)
		fate = SB_CLOSE;
	else
		protocol_answer(&call, result == 0);
	sb_stats_count(&call, fate == SB_ANSWER ? http->status : 0);
	call_clear(&call);
	sb_scope_free(&scope);
	return fate;
}
