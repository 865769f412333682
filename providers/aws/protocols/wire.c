/* Requests before signing, and the table of protocols. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/aws/protocols/protocols.h"

static const struct aws_protocol *const protocols[] = {&aws_protocol_json, &aws_protocol_rest_json, &aws_protocol_query,
						       &aws_protocol_ec2, &aws_protocol_rest_xml};

const struct aws_protocol *aws_protocol_find(const char *name)
{
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		if (strcmp(protocols[i]->name, name) == 0)
			return protocols[i];
	}
	return NULL;
}

void aws_wire_header(struct aws_wire *wire, const char *name, const char *value)
{
	wire->headers = mem_resize(wire->headers, wire->header_count + 1, sizeof *wire->headers);
	wire->headers[wire->header_count++] = (struct aws_header){mem_strdup(name), mem_strdup(value)};
}

void aws_wire_free(struct aws_wire *wire)
{
	for (size_t i = 0; i < wire->header_count; i++) {
		free(wire->headers[i].name);
		free(wire->headers[i].value);
	}
	free(wire->headers);
	free(wire->method);
	free(wire->path);
	free(wire->query);
	/* Bodies hold secrets now and then (an AssumeRoleWithWebIdentity token). */
	if (wire->body)
		mem_wipe(wire->body, wire->body_len);
	free(wire->body);
	*wire = (struct aws_wire){0};
}
