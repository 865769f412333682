/* JSON 1.0/1.1 and REST-JSON: parameters in, answers and errors out. */
#include "tests/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

const struct sb_op *sb_op_find(const struct sb_service *service, const char *name)
{
	for (const struct sb_op *op = service->ops; op->name != NULL; op++)
		if (strcmp(op->name, name) == 0)
			return op;
	return NULL;
}

/* Nested deeper than anything AWS takes, which would only exhaust the stack. */
static bool too_deep(const char *text, size_t len)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!quoted && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > SB_DEPTH_MAX)
			return true;
	}
	return false;
}

static int body_read(struct sb_call *call)
{
	const struct buf *body = &call->http->body;

	if (body->len == 0) {
		call->in = json_object();
		return 0;
	}
	if (!too_deep(body->data, body->len))
		call->in = json_loadb(body->data, body->len, 0, NULL);
	if (!json_is_object(call->in))
		return sb_fail(call, 400, "SerializationException", "the body is not a JSON object");
	return 0;
}

/* Newer SDKs send the service's name without what CloudTrail has before it, "com.amazonaws...". */
static bool prefix_is(const char *target, size_t len, const char *prefix)
{
	const char *dot = strrchr(prefix, '.');

	if (strlen(prefix) == len && strncmp(target, prefix, len) == 0)
		return true;
	return dot != NULL && strlen(dot + 1) == len && strncmp(target, dot + 1, len) == 0;
}

int sb_json_read(struct sb_call *call)
{
	const char *target = sb_http_header(call->http, "x-amz-target");
	const char *dot = target == NULL ? NULL : strrchr(target, '.');

	if (dot == NULL || !prefix_is(target, (size_t)(dot - target), call->service->prefix))
		return sb_fail(call, 400, "UnknownOperationException", "no X-Amz-Target of this service");
	call->op = sb_op_find(call->service, dot + 1);
	if (call->op == NULL)
		return sb_fail(call, 400, "UnknownOperationException", "the sandbox does not know %s", target);
	return body_read(call);
}

/* ---- REST ---- */

/* Matches "/detector/{DetectorId}" and puts what the braces stand for into `in`. */
static bool uri_matches(json_t *in, const char *uri, const char *path)
{
	while (*uri == '/' && *path == '/') {
		size_t want, got;

		uri++;
		path++;
		want = strcspn(uri, "/");
		got = strcspn(path, "/");
		if (uri[0] == '{') {
			mem_auto_str char *name = mem_strndup(uri + 1, want - 2);
			mem_auto_str char *value = sb_url_decode(path, got, false);

			if (got == 0)
				return false;
			json_object_set_new(in, name, json_string(value));
		} else if (want != got || strncmp(uri, path, want) != 0) {
			return false;
		}
		uri += want;
		path += got;
	}
	return *uri == '\0' && (*path == '\0' || strcmp(path, "/") == 0);
}

/* A parameter whose member is a list (by the operation's members) always becomes one. */
static void query_read(struct sb_call *call, json_t *in)
{
	const char *p = call->http->query;

	while (*p != '\0') {
		size_t len = strcspn(p, "&"), key = strcspn(p, "=&");
		mem_auto_str char *name = sb_url_decode(p, key, true);
		mem_auto_str char *value = key < len ? sb_url_decode(p + key + 1, len - key - 1, true) : mem_strdup("");
		mem_auto_str char *list = mem_printf("%s:[", name);

		if (call->op->members != NULL && strstr(call->op->members, list) != NULL) {
			if (json_object_get(in, name) == NULL)
				json_object_set_new(in, name, json_array());
			json_array_append_new(json_object_get(in, name), json_string(value));
		} else if (key > 0) {
			json_object_set_new(in, name, json_string(value));
		}
		p += len + (p[len] == '&');
	}
}

int sb_rest_json_read(struct sb_call *call)
{
	json_t *found = NULL;

	for (const struct sb_op *op = call->service->ops; op->name != NULL && call->op == NULL; op++) {
		found = json_object();
		if (strcmp(op->method, call->http->method) == 0 && uri_matches(found, op->uri, call->http->path))
			call->op = op;
		else
			json_decref(found);
	}
	if (call->op == NULL)
		return sb_fail(call, 404, "UnknownOperationException", "the sandbox does not know %s %s",
			       call->http->method, call->http->path);
	if (body_read(call) != 0) {
		json_decref(found);
		return -1;
	}
	query_read(call, found);
	json_object_update(call->in, found);
	json_decref(found);
	return 0;
}

/* ---- answers ---- */

static const char *content_type(const struct sb_call *call)
{
	const char *sent = sb_http_header(call->http, "content-type");

	return sent != NULL && strstr(sent, "1.0") != NULL ? "application/x-amz-json-1.0"
	       : call->service->protocol == SB_REST_JSON   ? "application/json"
							   : "application/x-amz-json-1.1";
}

static void json_reply(struct sb_call *call, json_t *value)
{
	char *text;

	sb_http_reply_header(call->http, "x-amzn-RequestId", call->request_id);
	sb_http_reply_header(call->http, "Content-Type", content_type(call));
	if (value == NULL)
		return;
	text = json_dumps(value, JSON_COMPACT);
	buf_adds(&call->http->answer, text);
	free(text);
}

void sb_json_answer(struct sb_call *call)
{
	json_t *empty = json_object();
	int status = call->op->status;

	call->http->status = status == 0 ? 200 : status;
	/* Operations without an output answer nothing in JSON 1.1, "{}" in REST. */
	json_reply(call, call->out != NULL                                     ? call->out
			 : call->service->protocol == SB_JSON || status == 204 ? NULL
									       : empty);
	json_decref(empty);
}

void sb_json_error(struct sb_call *call)
{
	json_t *error = json_pack("{s:s,s:s}", "__type", call->code, "message", call->message);

	call->http->status = call->status;
	sb_http_reply_header(call->http, "x-amzn-ErrorType", call->code);
	json_reply(call, error);
	json_decref(error);
}
