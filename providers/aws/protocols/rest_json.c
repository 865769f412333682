/* The rest-json protocol (guardduty, lambda, ...): an HTTP method and path for each operation, JSON bodies. */
#include "base/mem.h"
#include "providers/aws/protocols/json_shape.h"

static int encode_payload(struct aws_wire *out, const struct aws_service *service,
			  const struct aws_operation *operation, const struct aws_member *payload, const json_t *value,
			  struct diag *d)
{
	if (!value || json_is_null(value))
		return 0;
	if (payload->shape->kind == AWS_BLOB || payload->shape->kind == AWS_STRING) {
		aws_wire_header(out, "Content-Type",
				payload->shape->kind == AWS_BLOB ? "application/octet-stream" : "text/plain");
		if (aws_http_encode_raw(out, payload, value) == 0)
			return 0;
		return aws_shape_error(service, operation, JSON_PATH_KEY(NULL, payload->name), d, "must be %s, not %s",
				       payload->shape->kind == AWS_BLOB ? "base64 text" : "text",
				       json_kind_name(value));
	}
	json_t *body = aws_json_encode_value(service, operation, payload, value, d);
	if (!body)
		return -1;
	aws_wire_header(out, "Content-Type", "application/json");
	aws_json_body(out, body);
	return 0;
}

static bool has_body(const struct aws_operation *operation)
{
	for (size_t i = 0; i < operation->input->member_count; i++) {
		if (operation->input->members[i].in == AWS_IN_BODY)
			return true;
	}
	return false;
}

static int encode_body(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		       const json_t *input, struct diag *d)
{
	const struct aws_member *payload = aws_http_payload(operation->input);
	if (payload)
		return encode_payload(out, service, operation, payload, json_object_get(input, payload->name), d);
	json_t *body = aws_json_encode_members(service, operation, input, d);
	if (!body)
		return -1;
	if (has_body(operation)) {
		aws_wire_header(out, "Content-Type", "application/json");
		aws_json_body(out, body);
	} else {
		json_decref(body);
	}
	return 0;
}

static int encode(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		  const json_t *input, struct diag *d)
{
	if (aws_shape_check_names(service, operation, input, d) < 0 ||
	    aws_http_encode(out, service, operation, input, d) < 0)
		return -1;
	if (encode_body(out, service, operation, input, d) == 0) {
		aws_http_checksum(out, operation);
		return 0;
	}
	aws_wire_free(out);
	return -1;
}

static int decode(json_t **out, const struct aws_service *service, const struct aws_operation *operation,
		  const struct loop_http_answer *answer, struct diag *d)
{
	const struct aws_member *payload = aws_http_payload(operation->output);
	if (payload && (payload->shape->kind == AWS_BLOB || payload->shape->kind == AWS_STRING)) {
		*out = json_object();
		json_object_set_new(*out, payload->name, aws_http_decode_raw(payload, answer));
		aws_http_decode_headers(*out, operation, answer);
		return 0;
	}
	json_auto_t *body = aws_json_parse(service, operation, answer, d);
	if (!body)
		return -1;
	if (payload) {
		*out = json_object();
		json_object_set_new(*out, payload->name, aws_json_decode(payload->shape, body));
	} else {
		*out = operation->output ? aws_json_decode(operation->output, body) : json_incref(body);
	}
	aws_http_decode_headers(*out, operation, answer);
	return 0;
}

const struct aws_protocol aws_protocol_rest_json = {"rest-json", encode, decode, aws_error_from_json};
