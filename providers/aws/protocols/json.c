/* The json protocol (cloudtrail, config, events, ...): POST /, the operation in X-Amz-Target. */
#include "base/mem.h"
#include "providers/aws/protocols/json_shape.h"

static int encode(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		  const json_t *input, struct diag *d)
{
	json_t *body = aws_json_encode_members(service, operation, input, d);
	if (!body)
		return -1;
	mem_auto_str char *type = mem_printf("application/x-amz-json-%s", service->json_version);
	mem_auto_str char *target = mem_printf("%s.%s", service->target_prefix, operation->name);
	*out = (struct aws_wire){.method = mem_strdup("POST"), .path = mem_strdup("/")};
	aws_json_body(out, body);
	aws_wire_header(out, "Content-Type", type);
	aws_wire_header(out, "X-Amz-Target", target);
	return 0;
}

static int decode(json_t **out, const struct aws_service *service, const struct aws_operation *operation,
		  const struct loop_http_answer *answer, struct diag *d)
{
	json_auto_t *body = aws_json_parse(service, operation, answer, d);
	if (!body)
		return -1;
	*out = operation->output ? aws_json_decode(operation->output, body) : json_incref(body);
	return 0;
}

const struct aws_protocol aws_protocol_json = {"json", encode, decode, aws_error_from_json};
