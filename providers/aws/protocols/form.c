/* Bodies of the query and ec2 protocols: application/x-www-form-urlencoded, with nested members flattened into
 * dotted names (Tags.member.1.Key). The two differ in how lists and member names are spelled. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/protocols/protocols.h"

struct form {
	enum form_dialect dialect;
	const struct aws_service *service;
	const struct aws_operation *operation;
	struct diag *d;
	struct buf body;
	struct buf name; /* of the value being written */
};

static int form_value(struct form *f, const struct aws_shape *shape, const json_t *value, const struct json_path *path);

static void form_pair(struct form *f, const char *name, const char *value, size_t len)
{
	if (f->body.len)
		buf_addc(&f->body, '&');
	text_uri_encode(&f->body, name, strlen(name), false);
	buf_addc(&f->body, '=');
	text_uri_encode(&f->body, value, len, false);
}

static int form_wants(struct form *f, const struct json_path *path, const char *what, const json_t *value)
{
	return aws_shape_error(f->service, f->operation, path, f->d, "must be %s, not %s", what, json_kind_name(value));
}

/* ec2 spells request members with a capital whatever the answer's element is called. */
static void form_push(struct form *f, const char *part)
{
	if (f->name.len)
		buf_addc(&f->name, '.');
	buf_addc(&f->name, f->dialect == FORM_EC2 ? (char)toupper((unsigned char)*part) : *part);
	buf_adds(&f->name, part + 1);
}

static int form_structure(struct form *f, const struct aws_shape *shape, const json_t *value,
			  const struct json_path *path)
{
	const char *name;
	json_t *item;
	if (!json_is_object(value))
		return form_wants(f, path, "an object", value);
	json_object_foreach((json_t *)value, name, item)
	{
		const struct aws_member *member = aws_shape_member(shape, name);
		const struct json_path *below = JSON_PATH_KEY(path, name);
		size_t length = f->name.len;
		if (!member)
			return aws_shape_unknown(shape, f->service, f->operation, below, f->d);
		form_push(f, member->wire);
		if (form_value(f, member->shape, item, below) < 0)
			return -1;
		buf_truncate(&f->name, length);
	}
	return 0;
}

static int form_list(struct form *f, const struct aws_shape *shape, const json_t *value, const struct json_path *path)
{
	if (!json_is_array(value))
		return form_wants(f, path, "a list", value);
	/* query says "no items" with an empty value; ec2 has no way to say it. */
	if (json_array_size(value) == 0 && f->dialect == FORM_QUERY)
		form_pair(f, buf_str(&f->name), "", 0);
	if (f->dialect == FORM_QUERY && !shape->flat)
		form_push(f, shape->item_name ? shape->item_name : "member");
	size_t length = f->name.len;
	for (size_t i = 0; i < json_array_size(value); i++) {
		buf_addf(&f->name, ".%zu", i + 1);
		if (form_value(f, shape->item, json_array_get(value, i), JSON_PATH_ITEM(path, i)) < 0)
			return -1;
		buf_truncate(&f->name, length);
	}
	return 0;
}

static int form_map(struct form *f, const struct aws_shape *shape, const json_t *value, const struct json_path *path)
{
	const char *key;
	json_t *item;
	size_t n = 0;
	if (!json_is_object(value))
		return form_wants(f, path, "an object", value);
	if (!shape->flat)
		form_push(f, shape->entry);
	size_t length = f->name.len;
	json_object_foreach((json_t *)value, key, item)
	{
		buf_addf(&f->name, ".%zu", ++n);
		size_t entry = f->name.len;
		form_push(f, shape->key);
		form_pair(f, buf_str(&f->name), key, strlen(key));
		buf_truncate(&f->name, entry);
		form_push(f, shape->value);
		if (form_value(f, shape->item, item, JSON_PATH_KEY(path, key)) < 0)
			return -1;
		buf_truncate(&f->name, length);
	}
	return 0;
}

/* null means "not given", as if the member were left out. */
static int form_value(struct form *f, const struct aws_shape *shape, const json_t *value, const struct json_path *path)
{
	if (json_is_null(value))
		return 0;
	switch (shape->kind) {
	case AWS_STRUCTURE:
		return form_structure(f, shape, value, path);
	case AWS_LIST:
		return form_list(f, shape, value, path);
	case AWS_MAP:
		return form_map(f, shape, value, path);
	default:
		break;
	}
	buf_auto struct buf text = BUF_INIT;
	if (aws_shape_scalar(&text, shape, AWS_TIME_ISO8601, value) < 0)
		return form_wants(f, path, shape->kind == AWS_TIMESTAMP ? "an RFC 3339 time" : "a plain value", value);
	form_pair(f, buf_str(&f->name), buf_str(&text), text.len);
	return 0;
}

int aws_form_encode(struct aws_wire *out, enum form_dialect dialect, const struct aws_service *service,
		    const struct aws_operation *operation, const json_t *input, struct diag *d)
{
	struct form f = {dialect, service, operation, d, BUF_INIT, BUF_INIT};
	form_pair(&f, "Action", operation->name, strlen(operation->name));
	form_pair(&f, "Version", service->api_version, strlen(service->api_version));
	int result = form_structure(&f, operation->input, input, NULL);
	buf_free(&f.name);
	if (result < 0) {
		buf_free(&f.body);
		return -1;
	}
	*out = (struct aws_wire){.method = mem_strdup("POST"), .path = mem_strdup("/"), .body_len = f.body.len};
	out->body = buf_detach(&f.body);
	aws_wire_header(out, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
	return 0;
}
