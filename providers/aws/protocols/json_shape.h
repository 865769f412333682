/* JSON bodies by shapes. Most services spell members on the wire as in the API, and then values pass as they are;
 * where they do not (guardduty), the shapes say how, and names are changed on the way out and back. */
#ifndef MUSTER_PROVIDERS_AWS_PROTOCOLS_JSON_SHAPE_H
#define MUSTER_PROVIDERS_AWS_PROTOCOLS_JSON_SHAPE_H

#include "providers/aws/protocols/protocols.h"

/* Body members of `input` (null ones left out) as they go on the wire. NULL with a message when a value does not fit.
 */
json_t *aws_json_encode_members(const struct aws_service *service, const struct aws_operation *operation,
				const json_t *input, struct diag *d);
/* The value of one member, a payload. */
json_t *aws_json_encode_value(const struct aws_service *service, const struct aws_operation *operation,
			      const struct aws_member *member, const json_t *value, struct diag *d);
/* The reverse for an answer's members: those that the shape does not have are left out. Returns a new reference. */
json_t *aws_json_decode(const struct aws_shape *shape, json_t *wire);
/* Parses a body that must be a JSON object; an empty one counts as {}, and so does null where the operation does
 * not read. NULL with a message. */
json_t *aws_json_parse(const struct aws_service *service, const struct aws_operation *operation,
		       const struct loop_http_answer *answer, struct diag *d);
/* Sets the body; takes the reference. */
void aws_json_body(struct aws_wire *out, json_t *body);

#endif
