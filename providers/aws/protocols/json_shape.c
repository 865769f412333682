/* See json_shape.h. */
#include "providers/aws/protocols/json_shape.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct encoder {
	const struct aws_service *service;
	const struct aws_operation *operation;
	struct diag *d;
};

static json_t *encode_value(const struct encoder *e, const struct aws_shape *shape, json_t *value,
			    const struct json_path *path);

static json_t *encode_structure(const struct encoder *e, const struct aws_shape *shape, const json_t *value,
				const struct json_path *path)
{
	json_auto_t *out = json_object();
	const char *name;
	json_t *item;
	json_object_foreach((json_t *)value, name, item)
	{
		const struct aws_member *member = aws_shape_member(shape, name);
		const struct json_path *below = JSON_PATH_KEY(path, name);
		if (!member) {
			aws_shape_unknown(shape, e->service, e->operation, below, e->d);
			return NULL;
		}
		if (member->in != AWS_IN_BODY || json_is_null(item))
			continue;
		json_t *encoded = encode_value(e, member->shape, item, below);
		if (!encoded)
			return NULL;
		json_object_set_new(out, member->wire, encoded);
	}
	return json_incref(out);
}

static json_t *encode_list(const struct encoder *e, const struct aws_shape *shape, const json_t *value,
			   const struct json_path *path)
{
	json_auto_t *out = json_array();
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *item = encode_value(e, shape->item, json_array_get(value, i), JSON_PATH_ITEM(path, i));
		if (!item)
			return NULL;
		json_array_append_new(out, item);
	}
	return json_incref(out);
}

static json_t *encode_map(const struct encoder *e, const struct aws_shape *shape, const json_t *value,
			  const struct json_path *path)
{
	json_auto_t *out = json_object();
	const char *key;
	json_t *item;
	json_object_foreach((json_t *)value, key, item)
	{
		json_t *encoded = encode_value(e, shape->item, item, JSON_PATH_KEY(path, key));
		if (!encoded)
			return NULL;
		json_object_set_new(out, key, encoded);
	}
	return json_incref(out);
}

static json_t *encode_time(const struct aws_shape *shape, json_t *value)
{
	buf_auto struct buf text = BUF_INIT;
	int64_t unix_ms;
	if (json_is_number(value))
		return json_incref(value);
	if (!json_is_string(value) || text_time_parse(&unix_ms, json_string_value(value)) < 0)
		return NULL;
	if (shape->time == AWS_TIME_OF_PROTOCOL || shape->time == AWS_TIME_UNIX)
		return json_integer(unix_ms / 1000);
	return aws_shape_scalar(&text, shape, AWS_TIME_UNIX, value) == 0 ? json_string(buf_str(&text)) : NULL;
}

static json_t *encode_value(const struct encoder *e, const struct aws_shape *shape, json_t *value,
			    const struct json_path *path)
{
	bool list = shape->kind == AWS_LIST, object = shape->kind == AWS_STRUCTURE || shape->kind == AWS_MAP;
	json_t *time;
	if (shape->kind == AWS_ANY)
		return json_incref(value);
	if (shape->kind == AWS_TIMESTAMP && (time = encode_time(shape, value)))
		return time;
	if (shape->kind == AWS_TIMESTAMP || list != json_is_array(value) || object != json_is_object(value)) {
		const char *what = list ? "a list" : object ? "an object" : "a plain value";
		aws_shape_error(e->service, e->operation, path, e->d, "must be %s, not %s",
				shape->kind == AWS_TIMESTAMP ? "an RFC 3339 time" : what, json_kind_name(value));
		return NULL;
	}
	if (list)
		return encode_list(e, shape, value, path);
	if (shape->kind == AWS_MAP)
		return encode_map(e, shape, value, path);
	return object ? encode_structure(e, shape, value, path) : json_incref(value);
}

json_t *aws_json_encode_members(const struct aws_service *service, const struct aws_operation *operation,
				const json_t *input, struct diag *d)
{
	const struct encoder e = {service, operation, d};
	return encode_structure(&e, operation->input, input, NULL);
}

json_t *aws_json_encode_value(const struct aws_service *service, const struct aws_operation *operation,
			      const struct aws_member *member, const json_t *value, struct diag *d)
{
	const struct encoder e = {service, operation, d};
	return encode_value(&e, member->shape, (json_t *)value, JSON_PATH_KEY(NULL, member->name));
}

static json_t *decode_structure(const struct aws_shape *shape, json_t *wire)
{
	json_t *out = json_object();
	for (size_t i = 0; i < shape->member_count; i++) {
		const struct aws_member *member = &shape->members[i];
		json_t *value = json_object_get(wire, member->wire);
		if (member->in == AWS_IN_BODY && value && !json_is_null(value))
			json_object_set_new(out, member->name, aws_json_decode(member->shape, value));
	}
	return out;
}

/* Seconds since 1970 as the text that inputs take. */
static json_t *decode_time(const json_t *wire)
{
	char text[32];
	text_time(text, sizeof text, (int64_t)(json_number_value(wire) * 1000.0));
	return json_string(text);
}

json_t *aws_json_decode(const struct aws_shape *shape, json_t *wire)
{
	json_t *out, *item;
	const char *key;
	size_t i;
	if (shape->kind == AWS_STRUCTURE && json_is_object(wire))
		return decode_structure(shape, wire);
	if (shape->kind == AWS_LIST && json_is_array(wire)) {
		out = json_array();
		json_array_foreach(wire, i, item) json_array_append_new(out, aws_json_decode(shape->item, item));
		return out;
	}
	if (shape->kind == AWS_MAP && json_is_object(wire)) {
		out = json_object();
		json_object_foreach(wire, key, item) json_object_set_new(out, key, aws_json_decode(shape->item, item));
		return out;
	}
	if (shape->kind == AWS_TIMESTAMP && json_is_number(wire))
		return decode_time(wire);
	return json_incref(wire);
}

json_t *aws_json_parse(const struct aws_service *service, const struct aws_operation *operation,
		       const struct loop_http_answer *answer, struct diag *d)
{
	json_error_t error;
	if (answer->body_len == 0)
		return json_object();
	json_t *body = json_loadb(answer->body, answer->body_len, JSON_DECODE_ANY, &error);
	if (json_is_object(body))
		return body;
	/* SDKs take null for nothing. Of an answer to a read, nothing would look like absence. */
	if (json_is_null(body) && !operation->reads)
		return json_object();
	if (body)
		aws_shape_error(service, operation, NULL, d, "the answer is no JSON object");
	else
		aws_shape_error(service, operation, NULL, d, "the answer cannot be read at line %d: %s", error.line,
				error.text);
	json_decref(body);
	return NULL;
}

void aws_json_body(struct aws_wire *out, json_t *body)
{
	out->body = json_dumps(body, JSON_COMPACT);
	out->body_len = strlen(out->body);
	json_decref(body);
}
