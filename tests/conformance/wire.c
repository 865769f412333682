/* The wire protocols as a filter for tests/conformance/wire.py: one JSON request a line in, one JSON answer a line out.
 *
 *   {"Encode": "iam:GetRole", "Input": {...}}
 *   {"Decode": "iam:GetRole", "Status": 200, "Headers": "x: y\r\n", "Body": "..."}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "providers/aws/aws.h"

const struct aws_services *aws_services(const struct aws *aws)
{
	(void)aws;
	return NULL;
}

static const struct aws_operation *find(const struct aws_service **service, const struct aws_services *services,
					const char *name)
{
	mem_auto_str char *service_name = mem_strndup(name, strcspn(name, ":"));
	*service = aws_services_find(services, service_name);
	const struct aws_operation *operation =
	    *service ? aws_operation_find(*service, name + strlen(service_name) + 1) : NULL;
	if (!operation) {
		fprintf(stderr, "no operation %s\n", name);
		exit(1);
	}
	return operation;
}

static json_t *encode(const struct aws_service *service, const struct aws_operation *operation, const json_t *request)
{
	struct diag d = DIAG_INIT;
	struct aws_wire wire;
	if (service->protocol->encode(&wire, service, operation, json_object_get(request, "Input"), &d) < 0) {
		json_t *error = json_pack("{s:s}", "Error", diag_first_error(&d));
		diag_free(&d);
		return error;
	}
	json_t *headers = json_object();
	for (size_t i = 0; i < wire.header_count; i++)
		json_object_set_new(headers, wire.headers[i].name, json_string(wire.headers[i].value));
	json_t *out = json_pack("{s:s, s:s, s:s, s:o, s:s%}", "Method", wire.method, "Path", wire.path, "Query",
				wire.query ? wire.query : "", "Headers", headers, "Body", wire.body ? wire.body : "",
				wire.body_len);
	aws_wire_free(&wire);
	return out;
}

static json_t *decode(const struct aws_service *service, const struct aws_operation *operation, const json_t *request)
{
	struct diag d = DIAG_INIT;
	struct aws_error error;
	struct buf headers = BUF_INIT;
	const char *body = json_get_string(request, "Body");
	json_t *out = NULL;
	buf_adds(&headers, json_get_string(request, "Headers"));
	const struct loop_http_answer answer = {.status = (int)json_get_int(request, "Status", 200),
						.body = body,
						.body_len = strlen(body),
						.raw_headers = &headers};
	if (answer.status >= 300) {
		service->protocol->error(&error, service, &answer);
		out = json_pack("{s:s, s:s}", "Code", error.code, "Message", error.message);
		aws_error_free(&error);
	} else if (service->protocol->decode(&out, service, operation, &answer, &d) < 0) {
		out = json_pack("{s:s}", "Error", diag_first_error(&d));
	} else {
		out = json_pack("{s:o}", "Output", out);
	}
	buf_free(&headers);
	diag_free(&d);
	return out;
}

int main(void)
{
	struct diag d = DIAG_INIT;
	struct aws_services *services;
	char *line = NULL;
	size_t size = 0;
	if (aws_services_load(&services, &d) < 0) {
		diag_print(&d, stderr, false);
		return 1;
	}
	while (getline(&line, &size, stdin) > 0) {
		json_auto_t *request = json_loads(line, 0, NULL);
		const char *name = json_get_string(request, "Encode");
		const struct aws_service *service;
		const struct aws_operation *operation =
		    find(&service, services, name ? name : json_get_string(request, "Decode"));
		json_auto_t *out = name ? encode(service, operation, request) : decode(service, operation, request);
		mem_auto_str char *text = json_dumps(out, JSON_COMPACT);
		puts(text);
		fflush(stdout);
	}
	free(line);
	aws_services_free(services);
	diag_free(&d);
	return 0;
}
