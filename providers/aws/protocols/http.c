/* Where members of the rest protocols travel outside the body: path, query string, headers; and bodies that are one
 * member as it is. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/protocols/protocols.h"

struct request {
	const struct aws_service *service;
	const struct aws_operation *operation;
	const json_t *input;
	struct diag *d;
};

/* Text of one member for the path, the query string or a header. */
static int member_text(struct buf *out, const struct request *q, const struct aws_member *member, const json_t *value)
{
	enum aws_time time = member->in == AWS_IN_HEADER ? AWS_TIME_HTTP : AWS_TIME_ISO8601;
	if (aws_shape_scalar(out, member->shape, time, value) == 0)
		return 0;
	return aws_shape_error(q->service, q->operation, JSON_PATH_KEY(NULL, member->name), q->d,
			       "must be a plain value, not %s", json_kind_name(value));
}

static int put_label(struct buf *out, const struct request *q, const char *label, size_t len)
{
	bool greedy = len && label[len - 1] == '+'; /* {Key+}: slashes stay */
	mem_auto_str char *name = mem_strndup(label, len - greedy);
	const struct aws_member *member = aws_shape_member(q->operation->input, name);
	const json_t *value = json_object_get(q->input, name);
	buf_auto struct buf text = BUF_INIT;
	if (value && !json_is_null(value) && member_text(&text, q, member, value) < 0)
		return -1;
	/* An empty label would make it another operation: DELETE /detector/ */
	if (text.len == 0)
		return aws_shape_error(q->service, q->operation, NULL, q->d, "\"%s\" must be given", name);
	text_uri_encode(out, text.data, text.len, greedy);
	return 0;
}

static int put_path(struct buf *out, const struct request *q, const char *path, size_t len)
{
	const char *end = path + len;
	while (path < end) {
		const char *close = *path == '{' ? memchr(path, '}', (size_t)(end - path)) : NULL;
		if (!close) {
			buf_addc(out, *path++);
			continue;
		}
		if (put_label(out, q, path + 1, (size_t)(close - path) - 1) < 0)
			return -1;
		path = close + 1;
	}
	return 0;
}

static int put_parameter(struct buf *out, const struct request *q, const struct aws_member *member, const char *key,
			 size_t key_len, const json_t *value)
{
	buf_auto struct buf text = BUF_INIT;
	if (member_text(&text, q, member, value) < 0)
		return -1;
	if (out->len)
		buf_addc(out, '&');
	text_uri_encode(out, key, key_len, false);
	buf_addc(out, '=');
	text_uri_encode(out, buf_str(&text), text.len, false);
	return 0;
}

/* "key={Member}": left out where there is no value, repeated for each item of a list. */
static int put_query_member(struct buf *out, const struct request *q, const char *part, const char *equals, size_t len)
{
	mem_auto_str char *name = mem_strndup(equals + 2, len - (size_t)(equals - part) - 3);
	const struct aws_member *member = aws_shape_member(q->operation->input, name);
	const json_t *value = json_object_get(q->input, name);
	size_t key_len = (size_t)(equals - part);
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_array(value))
		return put_parameter(out, q, member, part, key_len, value);
	const struct aws_member item = {member->name, member->wire, member->in,
					member->shape->item ? member->shape->item : member->shape};
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (put_parameter(out, q, &item, part, key_len, json_array_get(value, i)) < 0)
			return -1;
	}
	return 0;
}

static int put_query(struct buf *out, const struct request *q, const char *query)
{
	while (*query) {
		size_t len = strcspn(query, "&");
		const char *equals = memchr(query, '=', len);
		if (equals && equals[1] == '{') {
			if (put_query_member(out, q, query, equals, len) < 0)
				return -1;
		} else {
			if (out->len)
				buf_addc(out, '&');
			buf_add(out, query, len);
			/* "?policy" is signed as "policy=", so it is sent like that too. */
			if (!equals)
				buf_addc(out, '=');
		}
		query += len + (query[len] == '&');
	}
	return 0;
}

static int put_headers(struct aws_wire *out, const struct request *q)
{
	for (size_t i = 0; i < q->operation->input->member_count; i++) {
		const struct aws_member *member = &q->operation->input->members[i];
		const json_t *value = json_object_get(q->input, member->name);
		buf_auto struct buf text = BUF_INIT;
		if (member->in != AWS_IN_HEADER || !value || json_is_null(value))
			continue;
		if (member_text(&text, q, member, value) < 0)
			return -1;
		if (strpbrk(buf_str(&text), "\r\n"))
			return aws_shape_error(q->service, q->operation, JSON_PATH_KEY(NULL, member->name), q->d,
					       "a header cannot hold a line break");
		aws_wire_header(out, member->wire, buf_str(&text));
	}
	return 0;
}

int aws_http_encode(struct aws_wire *out, const struct aws_service *service, const struct aws_operation *operation,
		    const json_t *input, struct diag *d)
{
	const struct request q = {service, operation, input, d};
	size_t path_len = strcspn(operation->uri, "?");
	buf_auto struct buf path = BUF_INIT, query = BUF_INIT;
	*out = (struct aws_wire){0};
	if (put_path(&path, &q, operation->uri, path_len) < 0)
		return -1;
	if (operation->uri[path_len] == '?' && put_query(&query, &q, operation->uri + path_len + 1) < 0)
		return -1;
	if (put_headers(out, &q) < 0) {
		aws_wire_free(out);
		return -1;
	}
	out->method = mem_strdup(operation->method);
	out->path = buf_detach(&path);
	out->query = query.len ? buf_detach(&query) : NULL;
	return 0;
}

void aws_http_decode_headers(json_t *out, const struct aws_operation *operation, const struct loop_http_answer *answer)
{
	for (size_t i = 0; operation->output && i < operation->output->member_count; i++) {
		const struct aws_member *member = &operation->output->members[i];
		buf_auto struct buf value = BUF_INIT;
		if (member->in == AWS_IN_HEADER && loop_http_answer_header(answer, member->wire, &value))
			json_object_set_new(out, member->name, json_string(buf_str(&value)));
	}
}

const struct aws_member *aws_http_payload(const struct aws_shape *structure)
{
	for (size_t i = 0; structure && i < structure->member_count; i++) {
		if (structure->members[i].in == AWS_IN_PAYLOAD)
			return &structure->members[i];
	}
	return NULL;
}

int aws_http_encode_raw(struct aws_wire *out, const struct aws_member *payload, const json_t *value)
{
	struct buf body = BUF_INIT;
	const char *text = json_string_value(value);
	if (!text)
		return -1;
	if (payload->shape->kind != AWS_BLOB) {
		buf_add(&body, text, json_string_length(value));
	} else if (text_base64_decode(&body, text, json_string_length(value)) < 0) {
		buf_free(&body);
		return -1;
	}
	out->body_len = body.len;
	out->body = buf_detach(&body);
	return 0;
}

json_t *aws_http_decode_raw(const struct aws_member *payload, const struct loop_http_answer *answer)
{
	buf_auto struct buf text = BUF_INIT;
	if (payload->shape->kind != AWS_BLOB)
		return json_stringn(answer->body, answer->body_len);
	text_base64(&text, answer->body, answer->body_len);
	return json_string(buf_str(&text));
}

void aws_http_checksum(struct aws_wire *wire, const struct aws_operation *operation)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	if (!operation->checksum)
		return;
	/* Content-MD5 is what every S3 operation that wants a checksum takes. Where OpenSSL may not do MD5 (FIPS), S3's
	 * own SHA-256 header serves. */
	bool md5 = EVP_Digest(wire->body ? wire->body : "", wire->body_len, digest, &len, EVP_md5(), NULL) == 1;
	if (!md5) {
		text_sha256(digest, wire->body ? wire->body : "", wire->body_len);
		len = 32;
	}
	buf_auto struct buf value = BUF_INIT;
	text_base64(&value, digest, len);
	aws_wire_header(wire, md5 ? "Content-MD5" : "x-amz-checksum-sha256", buf_str(&value));
}
