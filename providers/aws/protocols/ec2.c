/* The ec2 protocol: like query, but lists are always flat in requests, and answers are not wrapped. */
#include "providers/aws/protocols/protocols.h"

static int encode(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		  const json_t *input, struct diag *d)
{
	return aws_form_encode(out, FORM_EC2, service, operation, input, d);
}

static int decode(json_t **out, const struct aws_service *service, const struct aws_operation *operation,
		  const struct loop_http_answer *answer, struct diag *d)
{
	return aws_xml_decode_answer(out, service, operation, answer, NULL, d);
}

const struct aws_protocol aws_protocol_ec2 = {"ec2", encode, decode, aws_error_from_xml};
