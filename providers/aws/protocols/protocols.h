/* What the five protocols share. Private to this folder. */
#ifndef MUSTER_PROVIDERS_AWS_PROTOCOLS_PROTOCOLS_H
#define MUSTER_PROVIDERS_AWS_PROTOCOLS_PROTOCOLS_H

#include "providers/aws/protocols/shape.h"
#include "providers/aws/protocols/xml.h"

/* -- form.c: query and ec2 bodies --------------------------------------------------------------------------------- */

enum form_dialect { FORM_QUERY, FORM_EC2 };
int aws_form_encode(struct aws_wire *out, enum form_dialect dialect, const struct aws_service *service,
		    const struct aws_operation *operation, const json_t *input, struct diag *d);

/* -- http.c: the part of a request that is not its body, for the rest protocols ------------------------------------ */

/* Method, path, query string and headers. */
int aws_http_encode(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		    const json_t *input, struct diag *d);
/* Adds the output members that travel in headers. */
void aws_http_decode_headers(json_t *out, const struct aws_operation *operation, const struct loop_http_answer *answer);
/* The member that is the whole body, or NULL. */
const struct aws_member *aws_http_payload(const struct aws_shape *structure);
/* Sets the body to a payload member that is text or bytes. */
int aws_http_encode_raw(struct aws_wire *out, const struct aws_member *payload, const json_t *value);
json_t *aws_http_decode_raw(const struct aws_member *payload, const struct loop_http_answer *answer);
/* Adds Content-MD5 where the operation wants it. */
void aws_http_checksum(struct aws_wire *wire, const struct aws_operation *operation);

/* -- xml_shape.c: XML by shapes ------------------------------------------------------------------------------------ */

/* The members of `structure` found below `node`, added to the object `out`. 0, or -1 with a message. */
int aws_xml_decode_members(json_t *out, const struct aws_shape *structure, const struct xml_node *node, struct diag *d);
int aws_xml_decode(json_t **out, const struct aws_shape *shape, const struct xml_node *node, struct diag *d);
/* Answers of query and ec2: checks the root element, finds the result within it. */
int aws_xml_decode_answer(json_t **out, const struct aws_service *service, const struct aws_operation *operation,
			  const struct loop_http_answer *answer, const char *wrapper, struct diag *d);

/* -- error.c ------------------------------------------------------------------------------------------------------- */

void aws_error_from_json(struct aws_error *out, const struct aws_service *service,
			 const struct loop_http_answer *answer);
void aws_error_from_xml(struct aws_error *out, const struct aws_service *service,
			const struct loop_http_answer *answer);

#endif
