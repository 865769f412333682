/* The query protocol and EC2's dialect of it: form parameters in, XML answers and errors out. */
#include "tests/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

#define PARAMETERS_MAX 10000
#define NESTING_MAX    16

static bool is_number(const char *text)
{
	return sb_like(text, "0-9", 1, 6);
}

/* "A.member.1.B=x": every part opens an object; what are lists and maps is seen afterwards. */
static bool parameter_add(json_t *in, char *name, const char *value)
{
	json_t *at = in;
	int depth = 0;

	for (;;) {
		char *dot = strchr(name, '.');
		json_t *child;

		if (dot == NULL)
			break;
		*dot = '\0';
		child = json_object_get(at, name);
		if (!json_is_object(child)) {
			child = json_object();
			json_object_set_new(at, name, child);
		}
		at = child;
		name = dot + 1;
		if (++depth > NESTING_MAX)
			return false;
	}
	json_object_set_new(at, name, json_string(value));
	return true;
}

static json_t *shaped(json_t *value);

static json_t *list_shaped(json_t *numbered)
{
	json_t *list = json_array(), *item;
	size_t found = 0;
	char key[16];

	for (size_t i = 1; i <= PARAMETERS_MAX && found < json_object_size(numbered); i++) {
		snprintf(key, sizeof key, "%zu", i);
		item = json_object_get(numbered, key);
		if (item == NULL)
			continue;
		found++;
		json_array_append_new(list, shaped(item));
	}
	return list;
}

static json_t *map_shaped(json_t *entries)
{
	json_t *map = json_object(), *entry;
	const char *key;

	json_object_foreach(entries, key, entry)
	{
		const char *name = sb_str(entry, "key", sb_str(entry, "Name", NULL));
		json_t *value = json_object_get(entry, "value");

		if (value == NULL)
			value = json_object_get(entry, "Value");

		if (name != NULL && value != NULL)
			json_object_set_new(map, name, shaped(value));
	}
	return map;
}

static bool all_numbers(json_t *value)
{
	const char *key;
	json_t *item;

	json_object_foreach(value, key, item) if (!is_number(key)) return false;
	return json_object_size(value) > 0;
}

/* A new reference to `value` with lists and maps made of what look like them. */
static json_t *shaped(json_t *value)
{
	json_t *only, *made;
	const char *key;
	json_t *item;

	if (!json_is_object(value))
		return json_incref(value);
	if (json_object_size(value) == 1 && (only = json_object_get(value, "member")) != NULL)
		return all_numbers(only) ? list_shaped(only) : json_array();
	if (json_object_size(value) == 1 && (only = json_object_get(value, "entry")) != NULL)
		return map_shaped(only);
	if (all_numbers(value))
		return list_shaped(value);
	made = json_object();
	json_object_foreach(value, key, item) json_object_set_new(made, key, shaped(item));
	return made;
}

int sb_query_read(struct sb_call *call)
{
	const char *p = call->http->body.len > 0 ? call->http->body.data : call->http->query;
	json_t *raw = json_object();
	const char *action;
	size_t count = 0;
	int status = -1;

	while (*p != '\0') {
		size_t len = strcspn(p, "&"), key = strcspn(p, "=&");
		mem_auto_str char *name = sb_url_decode(p, key, true);
		mem_auto_str char *value = key < len ? sb_url_decode(p + key + 1, len - key - 1, true) : mem_strdup("");

		if (++count > PARAMETERS_MAX || !parameter_add(raw, name, value)) {
			sb_fail(call, 400, "MalformedQueryString", "too many parameters");
			goto out;
		}
		p += len + (p[len] == '&');
	}
	action = sb_str(raw, "Action", "");
	call->op = sb_op_find(call->service, action);
	if (call->op == NULL) {
		sb_fail(call, 400, "InvalidAction", "the sandbox does not know %s:%s", call->service->name, action);
		goto out;
	}
	json_object_del(raw, "Action");
	json_object_del(raw, "Version");
	call->in = shaped(raw);
	if (!json_is_object(call->in)) {
		json_decref(call->in);
		call->in = json_object();
	}
	status = 0;
out:
	json_decref(raw);
	return status;
}

/* ---- answers ---- */

static void ec2_answer(struct sb_call *call)
{
	struct buf *out = &call->http->answer;
	const char *key;
	json_t *value;

	buf_addf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%sResponse xmlns=\"%s\"><requestId>%s</requestId>",
		 call->op->name, call->service->prefix, call->request_id);
	json_object_foreach(call->out, key, value) sb_xml_write(out, key, value, "item");
	buf_addf(out, "</%sResponse>", call->op->name);
}

void sb_query_answer(struct sb_call *call)
{
	struct buf *out = &call->http->answer;
	mem_auto_str char *result = mem_printf("%sResult", call->op->name);
	json_t *empty = json_object();

	call->http->status = 200;
	sb_http_reply_header(call->http, "x-amzn-RequestId", call->request_id);
	sb_http_reply_header(call->http, "Content-Type", "text/xml;charset=UTF-8");
	if (call->service->protocol == SB_EC2) {
		ec2_answer(call);
	} else {
		buf_addf(out, "<%sResponse xmlns=\"%s\">", call->op->name, call->service->prefix);
		sb_xml_write(out, result, call->out == NULL ? empty : call->out, "member");
		buf_addf(out, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>",
			 call->request_id, call->op->name);
	}
	json_decref(empty);
}

void sb_query_error(struct sb_call *call)
{
	struct buf *out = &call->http->answer;

	call->http->status = call->status;
	sb_http_reply_header(call->http, "x-amzn-RequestId", call->request_id);
	sb_http_reply_header(call->http, "Content-Type", "text/xml");
	if (call->service->protocol == SB_EC2) {
		buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>");
		sb_xml_text(out, call->code);
		buf_adds(out, "</Code><Message>");
		sb_xml_text(out, call->message);
		buf_addf(out, "</Message></Error></Errors><RequestID>%s</RequestID></Response>", call->request_id);
		return;
	}
	buf_addf(out, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type><Code>", call->service->prefix,
		 call->status >= 500 ? "Receiver" : "Sender");
	sb_xml_text(out, call->code);
	buf_adds(out, "</Code><Message>");
	sb_xml_text(out, call->message);
	buf_addf(out, "</Message></Error><RequestId>%s</RequestId></ErrorResponse>", call->request_id);
}
