/* The rest-xml protocol (s3): an HTTP method and path for each operation, XML bodies. */
#include <string.h>

#include "base/mem.h"
#include "providers/aws/protocols/protocols.h"

struct writer {
	const struct aws_service *service;
	const struct aws_operation *operation;
	struct diag *d;
	struct buf out;
};

static int write_value(struct writer *w, const char *name, const struct aws_shape *shape, const json_t *value,
		       const struct json_path *path);

static int wants(struct writer *w, const struct json_path *path, const char *what, const json_t *value)
{
	return aws_shape_error(w->service, w->operation, path, w->d, "must be %s, not %s", what, json_kind_name(value));
}

/* Members in the file's order: S3 rejects some elements in another one. */
static int write_members(struct writer *w, const struct aws_shape *shape, const json_t *value,
			 const struct json_path *path)
{
	const char *name;
	json_t *item;
	if (!json_is_object(value))
		return wants(w, path, "an object", value);
	json_object_foreach((json_t *)value, name, item)
	{
		if (!aws_shape_member(shape, name))
			return aws_shape_unknown(shape, w->service, w->operation, JSON_PATH_KEY(path, name), w->d);
	}
	for (size_t i = 0; i < shape->member_count; i++) {
		const struct aws_member *member = &shape->members[i];
		item = json_object_get(value, member->name);
		if (member->in == AWS_IN_BODY && item && !json_is_null(item) &&
		    write_value(w, member->wire, member->shape, item, JSON_PATH_KEY(path, member->name)) < 0)
			return -1;
	}
	return 0;
}

static int write_list(struct writer *w, const char *name, const struct aws_shape *shape, const json_t *value,
		      const struct json_path *path)
{
	const char *item_name = shape->flat ? name : shape->item_name ? shape->item_name : "member";
	if (!json_is_array(value))
		return wants(w, path, "a list", value);
	if (!shape->flat)
		buf_addf(&w->out, "<%s>", name);
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (write_value(w, item_name, shape->item, json_array_get(value, i), JSON_PATH_ITEM(path, i)) < 0)
			return -1;
	}
	if (!shape->flat)
		buf_addf(&w->out, "</%s>", name);
	return 0;
}

static int write_map(struct writer *w, const char *name, const struct aws_shape *shape, const json_t *value,
		     const struct json_path *path)
{
	const char *entry = shape->flat ? name : shape->entry, *key;
	json_t *item;
	if (!json_is_object(value))
		return wants(w, path, "an object", value);
	if (!shape->flat)
		buf_addf(&w->out, "<%s>", name);
	json_object_foreach((json_t *)value, key, item)
	{
		buf_addf(&w->out, "<%s><%s>", entry, shape->key);
		if (xml_escape(&w->out, key, strlen(key)) < 0)
			return wants(w, path, "text that XML can carry", value);
		buf_addf(&w->out, "</%s>", shape->key);
		if (write_value(w, shape->value, shape->item, item, JSON_PATH_KEY(path, key)) < 0)
			return -1;
		buf_addf(&w->out, "</%s>", entry);
	}
	if (!shape->flat)
		buf_addf(&w->out, "</%s>", name);
	return 0;
}

static int write_scalar(struct writer *w, const struct aws_shape *shape, const json_t *value,
			const struct json_path *path)
{
	buf_auto struct buf text = BUF_INIT;
	if (aws_shape_scalar(&text, shape, AWS_TIME_ISO8601, value) < 0)
		return wants(w, path, shape->kind == AWS_TIMESTAMP ? "an RFC 3339 time" : "a plain value", value);
	if (xml_escape(&w->out, buf_str(&text), text.len) < 0)
		return wants(w, path, "text that XML can carry", value);
	return 0;
}

static int write_value(struct writer *w, const char *name, const struct aws_shape *shape, const json_t *value,
		       const struct json_path *path)
{
	if (shape->kind == AWS_LIST)
		return write_list(w, name, shape, value, path);
	if (shape->kind == AWS_MAP)
		return write_map(w, name, shape, value, path);
	buf_addf(&w->out, "<%s>", name);
	if ((shape->kind == AWS_STRUCTURE ? write_members(w, shape, value, path)
					  : write_scalar(w, shape, value, path)) < 0)
		return -1;
	buf_addf(&w->out, "</%s>", name);
	return 0;
}

/* The body's root: the payload member's element, or what the operation names around its body members. */
static int write_root(struct writer *w, const char *name, const struct aws_shape *shape, const json_t *value,
		      const struct json_path *path)
{
	buf_addf(&w->out, "<%s", name);
	if (w->service->xml_namespace)
		buf_addf(&w->out, " xmlns=\"%s\"", w->service->xml_namespace);
	buf_addc(&w->out, '>');
	if (write_members(w, shape, value, path) < 0)
		return -1;
	buf_addf(&w->out, "</%s>", name);
	return 0;
}

static int encode_xml(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		      const json_t *input, const struct aws_member *payload, struct diag *d)
{
	struct writer w = {service, operation, d, BUF_INIT};
	const json_t *value = payload ? json_object_get(input, payload->name) : input;
	if (!value || json_is_null(value))
		return 0;
	int result = payload ? write_root(&w, payload->wire, payload->shape, value, JSON_PATH_KEY(NULL, payload->name))
			     : write_root(&w, operation->root, operation->input, value, NULL);
	if (result == 0) {
		out->body_len = w.out.len;
		out->body = buf_detach(&w.out);
		aws_wire_header(out, "Content-Type", "application/xml");
	}
	buf_free(&w.out);
	return result;
}

static int encode_body(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		       const json_t *input, struct diag *d)
{
	const struct aws_member *payload = aws_http_payload(operation->input);
	if (payload && payload->shape->kind < AWS_STRUCTURE) {
		const json_t *value = json_object_get(input, payload->name);
		if (!value || json_is_null(value) || aws_http_encode_raw(out, payload, value) == 0)
			return 0;
		return aws_shape_error(service, operation, JSON_PATH_KEY(NULL, payload->name), d, "must be %s, not %s",
				       payload->shape->kind == AWS_BLOB ? "base64 text" : "text",
				       json_kind_name(value));
	}
	if (!payload && !operation->root)
		return 0;
	return encode_xml(out, service, operation, input, payload, d);
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

static int decode_body(json_t *out, const struct aws_operation *operation, const struct xml_node *root, struct diag *d)
{
	const struct aws_member *payload = aws_http_payload(operation->output);
	json_t *value = NULL;
	/* S3 answers some failures with status 200. */
	if (strcmp(root->name, "Error") == 0) {
		const char *code = xml_child_text(root, "Code"), *message = xml_child_text(root, "Message");
		return diag_error(d, "the answer is an error: %s: %s", code ? code : "", message ? message : "");
	}
	if (!payload)
		return aws_xml_decode_members(out, operation->output, root, d);
	if (aws_xml_decode(&value, payload->shape, root, d) < 0)
		return -1;
	json_object_set_new(out, payload->name, value);
	return 0;
}

static int decode(json_t **out, const struct aws_service *service, const struct aws_operation *operation,
		  const struct loop_http_answer *answer, struct diag *d)
{
	const struct aws_member *payload = aws_http_payload(operation->output);
	struct xml_node *root = NULL;
	struct diag reasons = DIAG_INIT;
	json_auto_t *object = json_object();
	int result = 0;
	if (payload && payload->shape->kind < AWS_STRUCTURE) {
		json_object_set_new(object, payload->name, aws_http_decode_raw(payload, answer));
	} else if (operation->output && answer->body_len) {
		result = xml_parse(&root, answer->body, answer->body_len, &reasons);
		if (result == 0)
			result = decode_body(object, operation, root, &reasons);
	}
	if (result < 0) {
		aws_shape_error(service, operation, NULL, d, "%s", diag_first_error(&reasons));
	} else {
		aws_http_decode_headers(object, operation, answer);
		*out = json_incref(object);
	}
	diag_free(&reasons);
	xml_free(root);
	return result;
}

const struct aws_protocol aws_protocol_rest_xml = {"rest-xml", encode, decode, aws_error_from_xml};
