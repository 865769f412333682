/* From XML to JSON by shapes, for the three protocols that answer in XML. XML alone does not tell one item from a
 * list of one, a number from a text, or an empty list from no list: the shapes of the service file do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/protocols/protocols.h"

/* What the service percent-encoded on top of XML: IAM's policy documents. */
static json_t *decode_percent(const char *text)
{
	buf_auto struct buf out = BUF_INIT;
	for (const char *c = text; *c; c++) {
		uint8_t byte;
		const char hex[3] = {(char)(*c == '%' ? c[1] : 0), (char)(*c == '%' && c[1] ? c[2] : 0), 0};
		if (*c == '%' && text_hex_decode(&byte, 1, hex) == 0 && byte != 0) {
			buf_addc(&out, (char)byte);
			c += 2;
		} else {
			buf_addc(&out, *c);
		}
	}
	return json_string(buf_str(&out));
}

static json_t *decode_integer(const char *text)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	return end != text && *end == '\0' && errno == 0 ? json_integer(value) : NULL;
}

static json_t *decode_float(const char *text)
{
	char *end;
	double value = strtod(text, &end);
	return end != text && *end == '\0' ? json_real(value) : NULL;
}

static json_t *decode_boolean(const char *text)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(text[0] == 't');
	return NULL;
}

static int decode_scalar(json_t **out, const struct aws_shape *shape, const struct xml_node *node, struct diag *d)
{
	const char *text = buf_str(&node->text);
	switch (shape->kind) {
	case AWS_INTEGER:
		*out = decode_integer(text);
		break;
	case AWS_FLOAT:
		*out = decode_float(text);
		break;
	case AWS_BOOLEAN:
		*out = decode_boolean(text);
		break;
	case AWS_ENCODED:
		*out = decode_percent(text);
		break;
	default:
		*out = json_stringn(text, node->text.len);
	}
	return *out ? 0
		    : diag_error(d, "<%s>%.60s</%s> is not of the type that it should have", node->name, text,
				 node->name);
}

/* `node` is the list's element, or its first item where the list is flat. */
static int decode_list(json_t **out, const struct aws_shape *shape, const struct xml_node *node, struct diag *d)
{
	const struct xml_node *item = shape->flat ? node : xml_child(node, NULL);
	const char *name = shape->flat ? node->name : NULL;
	json_auto_t *list = json_array();
	for (; item; item = xml_next(item, name)) {
		json_t *value = NULL;
		if (aws_xml_decode(&value, shape->item, item, d) < 0)
			return -1;
		json_array_append_new(list, value);
	}
	*out = json_incref(list);
	return 0;
}

static int decode_map(json_t **out, const struct aws_shape *shape, const struct xml_node *node, struct diag *d)
{
	const char *name = shape->flat ? node->name : shape->entry;
	const struct xml_node *entry = shape->flat ? node : xml_child(node, name);
	json_auto_t *map = json_object();
	for (; entry; entry = xml_next(entry, name)) {
		const struct xml_node *key = xml_child(entry, shape->key), *item = xml_child(entry, shape->value);
		json_t *value = NULL;
		if (!key)
			return diag_error(d, "<%s> without <%s>", entry->name, shape->key);
		if (!item)
			continue;
		if (aws_xml_decode(&value, shape->item, item, d) < 0)
			return -1;
		json_object_set_new(map, buf_str(&key->text), value);
	}
	*out = json_incref(map);
	return 0;
}

int aws_xml_decode_members(json_t *out, const struct aws_shape *structure, const struct xml_node *node, struct diag *d)
{
	for (size_t i = 0; i < structure->member_count; i++) {
		const struct aws_member *member = &structure->members[i];
		const struct xml_node *child = member->in == AWS_IN_BODY   ? xml_child(node, member->wire)
					       : member->in == AWS_IN_TEXT ? node
									   : NULL;
		json_t *value = NULL;
		if (!child)
			continue;
		if (aws_xml_decode(&value, member->shape, child, d) < 0)
			return -1;
		json_object_set_new(out, member->name, value);
	}
	return 0;
}

int aws_xml_decode(json_t **out, const struct aws_shape *shape, const struct xml_node *node, struct diag *d)
{
	switch (shape->kind) {
	case AWS_LIST:
		return decode_list(out, shape, node, d);
	case AWS_MAP:
		return decode_map(out, shape, node, d);
	case AWS_STRUCTURE:
		*out = json_object();
		if (aws_xml_decode_members(*out, shape, node, d) == 0)
			return 0;
		json_decref(*out);
		return -1;
	default:
		return decode_scalar(out, shape, node, d);
	}
}

int aws_xml_decode_answer(json_t **out, const struct aws_service *service, const struct aws_operation *operation,
			  const struct loop_http_answer *answer, const char *wrapper, struct diag *d)
{
	struct xml_node *root = NULL;
	struct diag reasons = DIAG_INIT;
	json_auto_t *object = json_object();
	int result = xml_parse(&root, answer->body, answer->body_len, &reasons);
	if (result == 0 && !text_ends(root->name, "Response"))
		result = diag_error(&reasons, "the answer is <%s>, not <%sResponse>", root->name, operation->name);
	if (result == 0 && operation->output) {
		const struct xml_node *body = wrapper ? xml_child(root, wrapper) : root;
		result = body ? aws_xml_decode_members(object, operation->output, body, &reasons)
			      : diag_error(&reasons, "the answer has no <%s>", wrapper);
	}
	if (result == 0)
		*out = json_incref(object);
	else
		aws_shape_error(service, operation, NULL, d, "%s", diag_first_error(&reasons));
	diag_free(&reasons);
	xml_free(root);
	return result;
}
