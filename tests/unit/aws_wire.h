/* Text in, text out: what the tests of wire protocols share. A test calls check_encode() and check_decode() on the
 * shipped service files, or on the made-up service "odd" that has every odd form at once. */
#ifndef MUSTER_TESTS_AWS_WIRE_H
#define MUSTER_TESTS_AWS_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/protocols/shape.h"
#include "providers/aws/protocols/xml.h"

static struct aws_services *shipped;

/* services.c asks the provider for this; no provider here. */
const struct aws_services *aws_services(const struct aws *aws)
{
	(void)aws;
	return shipped;
}

/* Every form that a shape may take, in each XML or form protocol: %s is the protocol. */
static const char odd_service[] =
    "{'Service': 'odd', 'Protocol': '%s', 'EndpointPrefix': 'odd', 'EnvironmentId': 'ODD', 'ApiVersion': '2020-01-01',"
    " 'XmlNamespace': 'urn:odd',"
    " 'Shapes': {'Tree': {'Members': {'Name': 'string', 'Branches': ['Tree']}}, 'Twig': 'Tree'},"
    " 'Operations': {'Do': {'Http': 'PUT /do/{Label}?fixed&n=1&many={Many}&at={When}', 'Root': 'DoRequest', 'Input': {"
    "   'Label': 'string', 'Many': ['string'], 'When': 'timestamp',"
    "   'Flat': {'List': {'Members': {'A': {'List': 'string', 'Flat': true, 'Name': 'a'}}}, 'Flat': true,"
    "            'Name': 'flat'},"
    "   'Named': {'List': 'integer', 'Item': 'n'}, 'Map': {'Map': ['string'], 'Key': 'k', 'Value': 'v'},"
    "   'FlatMap': {'Map': 'string', 'Flat': true, 'Name': 'fm'}, 'Tree': 'Twig',"
    "   'Http': 'timestamp-http', 'Unix': 'timestamp-unix', 'Ratio': 'float', 'Yes': 'boolean', 'Bytes': 'blob',"
    "   'Header': {'In': 'header', 'Name': 'x-odd', 'Type': 'timestamp'}}, 'Output': {"
    "   'Flat': {'List': {'Members': {'A': {'List': 'string', 'Flat': true, 'Name': 'a'}}}, 'Flat': true,"
    "            'Name': 'flat'},"
    "   'Named': {'List': 'integer', 'Item': 'n'}, 'Map': {'Map': ['string'], 'Key': 'k', 'Value': 'v'},"
    "   'FlatMap': {'Map': 'string', 'Flat': true, 'Name': 'fm'}, 'Tree': 'Tree', 'Text': 'string',"
    "   'Ratio': 'float', 'Yes': 'boolean', 'Bytes': 'blob', 'Document': 'encoded', 'When': 'timestamp',"
    "   'Header': {'In': 'header', 'Name': 'x-odd'}}}}}";

static inline json_t *quoted(const char *text)
{
	mem_auto_str char *copy = mem_strdup(text);
	json_error_t error;
	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *value = json_loads(copy, 0, &error);
	if (!value)
		fail_msg("%s in %s", error.text, text);
	return value;
}

static inline void add_odd(struct aws_services *services, const char *protocol)
{
	struct diag d = DIAG_INIT;
	mem_auto_str char *text = mem_printf(odd_service, protocol);
	json_auto_t *document = quoted(text);
	if (aws_services_add(services, "odd.json", document, &d) < 0)
		fail_msg("%s", diag_first_error(&d));
	diag_free(&d);
}

static inline int setup(void **state)
{
	struct diag d = DIAG_INIT;
	(void)state;
	if (aws_services_load(&shipped, &d) < 0)
		fail_msg("%s", diag_first_error(&d));
	diag_free(&d);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	aws_services_free(shipped);
	return 0;
}

static inline const struct aws_operation *find(const struct aws_service **service, const char *name)
{
	mem_auto_str char *service_name = mem_strndup(name, strcspn(name, ":"));
	*service = aws_services_find(shipped, service_name);
	assert_non_null(*service);
	const struct aws_operation *operation = aws_operation_find(*service, strchr(name, ':') + 1);
	assert_non_null(operation);
	return operation;
}

/* The request as text, or the error. Single quotes in `input` stand for double ones. */
static inline char *encoded(const char *name, const char *input_text)
{
	const struct aws_service *service;
	const struct aws_operation *operation = find(&service, name);
	json_auto_t *input = quoted(input_text);
	struct aws_wire wire;
	struct diag d = DIAG_INIT;
	struct buf out = BUF_INIT;
	if (service->protocol->encode(&wire, service, operation, input, &d) < 0) {
		buf_adds(&out, diag_first_error(&d));
	} else {
		buf_addf(&out, "%s %s%s%s\n", wire.method, wire.path, wire.query ? "?" : "",
			 wire.query ? wire.query : "");
		for (size_t i = 0; i < wire.header_count; i++)
			buf_addf(&out, "%s: %s\n", wire.headers[i].name, wire.headers[i].value);
		buf_add(&out, wire.body, wire.body_len);
		aws_wire_free(&wire);
	}
	diag_free(&d);
	return buf_detach(&out);
}

/* The canonical output, or the error. */
static inline char *decoded(const char *name, const char *headers, const char *body)
{
	const struct aws_service *service;
	const struct aws_operation *operation = find(&service, name);
	struct buf raw = BUF_INIT, out = BUF_INIT;
	struct diag d = DIAG_INIT;
	json_t *output = NULL;
	buf_adds(&raw, headers);
	const struct loop_http_answer answer = {
	    .outcome = LOOP_HTTP_ANSWERED, .status = 200, .body = body, .body_len = strlen(body), .raw_headers = &raw};
	if (service->protocol->decode(&output, service, operation, &answer, &d) < 0)
		buf_adds(&out, diag_first_error(&d));
	else
		json_canonical(&out, output);
	json_decref(output);
	buf_free(&raw);
	diag_free(&d);
	return buf_detach(&out);
}

static inline void check_encode(const char *name, const char *input, const char *expected)
{
	mem_auto_str char *text = encoded(name, input);
	assert_string_equal(text, expected);
}

static inline void check_decode(const char *name, const char *body, const char *expected)
{
	mem_auto_str char *text = decoded(name, "", body);
	assert_string_equal(text, expected);
}

#endif
