/* The query protocol (sts, iam, sns, ...): form in, XML out, wrapped in <OperationResponse><OperationResult>. */
#include "base/mem.h"
#include "providers/aws/protocols/protocols.h"

static int encode(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		  const json_t *input, struct diag *d)
{
	return aws_form_encode(out, FORM_QUERY, service, operation, input, d);
}

static int decode(json_t **out, const struct aws_service *service, const struct aws_operation *operation,
		  const struct loop_http_answer *answer, struct diag *d)
{
	mem_auto_str char *wrapper = mem_printf("%sResult", operation->name);
	return aws_xml_decode_answer(out, service, operation, answer, wrapper, d);
}

const struct aws_protocol aws_protocol_query = {"query", encode, decode, aws_error_from_xml};
