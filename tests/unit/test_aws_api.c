/* Service files, the errors that services answer, and one API call from input to output. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/aws_wire.h"

static void refuse_service(const char *change_from, const char *change_to, const char *message)
{
	struct diag d = DIAG_INIT;
	struct aws_services *services = aws_services_new();
	mem_auto_str char *text = mem_printf(odd_service, "query");
	char *at = strstr(text, change_from);
	assert_non_null(at);
	mem_auto_str char *changed =
	    mem_printf("%.*s%s%s", (int)(at - text), text, change_to, at + strlen(change_from));
	json_auto_t *document = quoted(changed);
	assert_int_equal(aws_services_add(services, "odd.json", document, &d), -1);
	assert_string_equal(diag_first_error(&d), message);
	assert_null(aws_services_find(services, "odd"));
	diag_free(&d);
	aws_services_free(services);
}

static void service_files_are_strict(void **state)
{
	(void)state;
	refuse_service("'query'", "'soap'", "odd.json: unknown protocol \"soap\"");
	refuse_service("'ApiVersion'", "'Version'", "odd.json: the file: unknown word \"Version\"");
	refuse_service("'Root'", "'Roots'", "odd.json: Do: unknown word \"Roots\"");
	refuse_service("'Item'", "'Items'", "odd.json: Named: unknown word \"Items\"");
	refuse_service("'float'", "'double'", "odd.json: Ratio: unknown type \"double\"");
	refuse_service("'Tree': 'Twig',", "'Tree': 'Twigs',", "odd.json: Tree: unknown shape \"Twigs\"");
	refuse_service("{Label}", "{Lable}", "odd.json: Do: the label {Lable} is no member of Input");
	refuse_service("'PUT /do", "'PUT do", "odd.json: Do: Http must be a method and a path");
	refuse_service("'header'", "'hedaer'", "odd.json: Header: unknown place \"hedaer\"");
}

static void names_are_found(void **state)
{
	(void)state;
	assert_null(aws_services_find(shipped, "nothing"));
	const struct aws_service *iam = aws_services_find(shipped, "iam");
	assert_true(iam->global);
	assert_string_equal(iam->signing_name, "iam");
	assert_null(aws_operation_find(iam, "createrole"));
	const struct aws_operation *get = aws_operation_find(iam, "GetRole");
	assert_true(get->reads);
	assert_true(aws_operation_has_input(get, "RoleName"));
	assert_false(aws_operation_has_input(get, "Rolename"));
	assert_string_equal(aws_services_find(shipped, "sso")->signing_name, "awsssoportal");
	assert_string_equal(aws_services_find(shipped, "config")->environment_id, "CONFIG_SERVICE");
}

/* MUSTER_TYPES_PATH: folders with services/ in them, and folders without. */
static void own_services_are_read(void **state)
{
	struct diag d = DIAG_INIT;
	struct aws_services *services;
	char folder[] = "/tmp/muster-services-XXXXXX";
	(void)state;
	assert_non_null(mkdtemp(folder));
	mem_auto_str char *below = mem_printf("%s/services", folder), *file = mem_printf("%s/sso.json", below),
			  *path = mem_printf("/nonexistent:%s", folder);
	assert_int_equal(mkdir(below, 0700), 0);
	mem_auto_str char *text = mem_strdup("{'Service': 'sso', 'Protocol': 'json', 'EndpointPrefix': 'e',"
					     " 'EnvironmentId': 'E', 'Operations': {'Do': {'Input': ['A']}}}");
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	assert_int_equal(text_file_write(file, text, strlen(text), 0600), 0);
	setenv("MUSTER_TYPES_PATH", path, 1);
	assert_int_equal(aws_services_load(&services, &d), 0);
	assert_string_equal(aws_services_find(services, "sso")->endpoint_prefix, "e");
	assert_non_null(aws_services_find(services, "sts"));
	aws_services_free(services);

	assert_int_equal(text_file_write(file, "{", 1, 0600), 0);
	assert_int_equal(aws_services_load(&services, &d), -1);
	assert_true(d.errors > 0);
	diag_free(&d);
	unsetenv("MUSTER_TYPES_PATH");
	unlink(file);
	rmdir(below);
	rmdir(folder);
}

/* "code|message|request id" of an answer to a call of `service`. */
static void check_error(const char *service_name, int status, const char *headers, const char *body,
			const char *expected)
{
	const struct aws_service *service = aws_services_find(shipped, service_name);
	struct buf raw = BUF_INIT;
	buf_addf(&raw, "HTTP/1.1 %d X\r\n%s\r\n", status, headers);
	const struct loop_http_answer answer = {.outcome = LOOP_HTTP_ANSWERED,
						.status = status,
						.body = body,
						.body_len = strlen(body),
						.raw_headers = &raw};
	struct aws_error error;
	service->protocol->error(&error, service, &answer);
	mem_auto_str char *text =
	    mem_printf("%s|%s|%s", error.code, error.message, error.request_id ? error.request_id : "");
	assert_string_equal(text, expected);
	aws_error_free(&error);
	buf_free(&raw);
}

static void json_errors(void **state)
{
	(void)state;
	check_error(
	    "cloudtrail", 400, "x-amzn-RequestId: r1\r\n",
	    "{\"__type\":\"com.amazonaws.cloudtrail.v20131101#TrailNotFoundException\",\"Message\":\"Unknown\"}",
	    "TrailNotFoundException|Unknown|r1");
	check_error("config", 400, "", "{\"__type\":\"NoSuchConfigRuleException\",\"message\":\"\\u00e9\"}",
		    "NoSuchConfigRuleException|\xc3\xa9|");
	check_error("guardduty", 400,
		    "X-Amzn-ErrorType: BadRequestException:http://internal.amazon.com/coral/com.amazon.coral/\r\n",
		    "{\"message\":\"m\",\"__type\":\"InvalidInputException\"}", "BadRequestException|m|");
	check_error("lambda", 404, "x-amzn-ErrorType: ResourceNotFoundException\r\nx-amzn-requestid: r2\r\n",
		    "{\"Type\":\"User\",\"Message\":\"Function not found\"}",
		    "ResourceNotFoundException|Function not found|r2");
	check_error("sso", 401, "", "{\"code\":\"UnauthorizedException:x\",\"Message\":null}",
		    "UnauthorizedException||");
	check_error("securityhub", 403, "", "{\"Code\":\"AccessDeniedException\",\"Message\":\"m\"}",
		    "AccessDeniedException|m|");
	check_error("lambda", 429, "", "{\"code\":429,\"message\":\"slow\"}", "HTTP 429|slow|");
	/* sqs gives two codes: the one of today counts, the one of the query protocol that it once spoke only alone. */
	check_error("sqs", 400, "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n",
		    "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"m\"}", "QueueDoesNotExist|m|");
	check_error("sqs", 400, "x-amzn-query-error: RequestThrottled;Sender\r\n", "{\"message\":\"m\"}",
		    "RequestThrottled|m|");
}

static void xml_errors(void **state)
{
	(void)state;
	check_error("iam", 404, "x-amzn-RequestId: r1\r\n",
		    "<ErrorResponse xmlns='https://iam.amazonaws.com/doc/2010-05-08/'><Error><Type>Sender</Type>"
		    "<Code>NoSuchEntity</Code><Message>no &lt;role&gt;</Message></Error><RequestId>r2</RequestId>"
		    "</ErrorResponse>",
		    "NoSuchEntity|no <role>|r1");
	check_error("sns", 403, "",
		    "<ErrorResponse><Error><Code>AuthorizationError</Code><Message/></Error><RequestId>r2</RequestId>"
		    "</ErrorResponse>",
		    "AuthorizationError||r2");
	check_error("ec2", 400, "",
		    "<Response><Errors><Error><Code>InvalidGroup.NotFound</Code><Message>m</Message></Error></Errors>"
		    "<RequestID>r3</RequestID></Response>",
		    "InvalidGroup.NotFound|m|r3");
	check_error("s3", 404, "x-amz-request-id: r4\r\n",
		    "<?xml version='1.0'?>\n<Error><Code>NoSuchBucketPolicy</Code><Message>m</Message>"
		    "<RequestId>r5</RequestId></Error>",
		    "NoSuchBucketPolicy|m|r4");
	check_error("s3", 403, "",
		    "<Error><Code>AccessDenied</Code><Message>m</Message><RequestId>r5</RequestId></Error>",
		    "AccessDenied|m|r5");
}

/* HEAD answers have no body: the status counts, but only from AWS itself. */
static void head_errors(void **state)
{
	(void)state;
	check_error("s3", 404, "x-amz-request-id: r\r\n", "", "NotFound|HTTP 404|r");
	check_error("s3", 403, "x-amz-request-id: r\r\n", "", "Forbidden|HTTP 403|r");
	check_error("s3", 301, "x-amz-request-id: r\r\nx-amz-bucket-region: eu-west-1\r\n", "",
		    "PermanentRedirect|HTTP 301|r");
	check_error("s3", 404, "", "", "HTTP 404|the answer has no body|");
	check_error("s3", 500, "x-amz-request-id: r\r\n", "", "HTTP 500|the answer has no body|r");
}

/* What is not the service's word never becomes a service's code: absence is concluded from those. */
static void foreign_errors(void **state)
{
	(void)state;
	const char *html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\n</html>";
	check_error(
	    "cloudtrail", 502, "", html,
	    "HTTP 502|the answer is not the service's: <html> <head><title>502 Bad Gateway</title></head> </html>|");
	check_error("iam", 404, "", "<html><body>Not Found<br></body></html>",
		    "HTTP 404|the answer is not the service's: <html><body>Not Found<br></body></html>|");
	check_error("guardduty", 404, "", "", "HTTP 404|the answer has no body|");
	check_error("config", 503, "", "{\"__type\":", "HTTP 503|the answer is not the service's: {\"__type\":|");
	check_error("events", 400, "", "[\"code\"]", "HTTP 400|the answer is not the service's: [\"code\"]|");
	check_error("events", 400, "", "{\"__type\":\"x#\"}",
		    "HTTP 400|the answer is not the service's: {\"__type\":\"x#\"}|");
	check_error(
	    "ec2", 503, "", "<!DOCTYPE a [<!ENTITY b 'c'>]><Response>&b;</Response>",
	    "HTTP 503|the answer is not the service's: <!DOCTYPE a [<!ENTITY b 'c'>]><Response>&b;</Response>|");
}

/* -- The API call, over a send that answers what the test set ------------------------------------------------------ */

static struct loop *test_loop;
static struct aws_answer next_answer;
static char sent[512];

struct loop *aws_loop(struct aws *aws)
{
	(void)aws;
	return test_loop;
}

struct sending {
	aws_send_done *done;
	void *payload;
};

static void on_send(void *payload)
{
	struct sending *sending = payload;
	sending->done(sending->payload, &next_answer);
	free(sending);
}

struct aws_send *aws_send_start(struct aws *aws, const struct provider_target *target,
				const struct aws_service *service, const struct aws_operation *operation,
				struct aws_wire *wire, bool idempotent, aws_send_done *done, void *payload)
{
	struct sending *sending = mem_alloc(sizeof *sending);
	(void)aws;
	*sending = (struct sending){done, payload};
	snprintf(sent, sizeof sent, "%s %s:%s %s %d", target->region, service->name, operation->name, wire->path,
		 idempotent);
	aws_wire_free(wire);
	loop_defer(test_loop, on_send, sending);
	return NULL;
}

struct aws_send *aws_send_start_as(struct aws *aws, const struct aws_credentials *credentials, const char *region,
				   const struct aws_service *service, const struct aws_operation *operation,
				   struct aws_wire *wire, bool idempotent, aws_send_done *done, void *payload)
{
	const struct provider_target target = {.region = region};
	assert_null(credentials);
	return aws_send_start(aws, &target, service, operation, wire, idempotent, done, payload);
}

static void on_result(void *payload, const struct aws_api_result *result)
{
	struct buf *out = payload;
	buf_addf(out, "%d ", result->outcome);
	if (result->output)
		json_canonical(out, result->output);
	else
		buf_addf(out, "%s: %s", result->code, result->message);
	buf_addf(out, " %s", result->request_id ? result->request_id : "-");
}

static void check_call(const char *service, const char *operation, const char *input_text, const char *expected)
{
	const struct provider_target target = {.region = "eu-west-1"};
	struct buf out = BUF_INIT;
	json_auto_t *input = input_text ? quoted(input_text) : NULL;
	sent[0] = '\0';
	aws_api_call(NULL, &target, service, operation, input, true, on_result, &out);
	assert_string_equal(buf_str(&out), ""); /* never from within */
	loop_run(test_loop);
	assert_string_equal(buf_str(&out), expected);
	buf_free(&out);
}

static void api_calls(void **state)
{
	struct diag d = DIAG_INIT;
	struct buf headers = BUF_INIT, out = BUF_INIT;
	(void)state;
	assert_int_equal(loop_new(&test_loop, &d), 0);
	buf_adds(&headers, "HTTP/1.1 200 OK\r\nx-amzn-RequestId: r1\r\n\r\n");
	struct loop_http_answer http = {.status = 200, .body = "{\"detectorIds\":[\"d\"]}", .raw_headers = &headers};
	http.body_len = strlen(http.body);
	next_answer = (struct aws_answer){.outcome = PROVIDER_DONE, .http = &http};
	check_call("guardduty", "ListDetectors", NULL, "0 {\"DetectorIds\":[\"d\"]} r1");
	assert_string_equal(sent, "eu-west-1 guardduty:ListDetectors /detector 1");

	http.body_len--;
	mem_auto_str char *unreadable = mem_printf(
	    "%d UnreadableAnswer: guardduty:ListDetectors: the answer cannot be read at line 1: '}' expected near "
	    "end of file r1",
	    PROVIDER_FAILED);
	check_call("guardduty", "ListDetectors", "{}", unreadable);

	next_answer = (struct aws_answer){.outcome = PROVIDER_REFUSED,
					  .http = &http,
					  .error = {.code = "AccessDenied", .message = "no", .request_id = "r2"}};
	mem_auto_str char *denied = mem_printf("%d AccessDenied: no r2", PROVIDER_REFUSED);
	check_call("sns", "ListTopics", "{}", denied);

	mem_auto_str char *bad = mem_printf("%d InvalidInput: sns:ListTopics: no member \"Next\" -", PROVIDER_REFUSED);
	check_call("sns", "ListTopics", "{'Next': 'x'}", bad);
	assert_string_equal(sent, "");
	mem_auto_str char *unknown = mem_printf("%d InvalidInput: sns has no operation \"Shout\" -", PROVIDER_REFUSED);
	check_call("sns", "Shout", "{}", unknown);
	mem_auto_str char *nothing = mem_printf("%d InvalidInput: unknown service \"nothing\" -", PROVIDER_REFUSED);
	check_call("nothing", "Shout", "{}", nothing);

	aws_api_call_as(NULL, NULL, "us-west-2", "sns", "ListTopics", NULL, on_result, &out);
	loop_run(test_loop);
	assert_string_equal(sent, "us-west-2 sns:ListTopics / 0");
	assert_string_equal(buf_str(&out), denied);
	buf_free(&out);
	buf_free(&headers);
	loop_free(test_loop);
	diag_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(service_files_are_strict),
	    cmocka_unit_test(names_are_found),
	    cmocka_unit_test(own_services_are_read),
	    cmocka_unit_test(json_errors),
	    cmocka_unit_test(xml_errors),
	    cmocka_unit_test(head_errors),
	    cmocka_unit_test(foreign_errors),
	    cmocka_unit_test(api_calls),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
