/* REST-XML as S3 speaks it: which operation a method, path and sub-resource mean; XML answers and errors. */
#include "tests/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

#define XMLNS "http://s3.amazonaws.com/doc/2006-03-01/"

/* "bucket?policy" fits a path of one part and a query that has `policy`. */
static bool uri_fits(const char *uri, const char *scope, const struct sb_http *http, bool *specific)
{
	size_t len = strlen(scope);
	mem_auto_str char *value = NULL;

	*specific = false;
	if (strncmp(uri, scope, len) != 0)
		return false;
	if (uri[len] == '\0')
		return true;
	*specific = true;
	value = sb_http_query(http, uri + len + 1);
	return value != NULL;
}

/* Sub-resources that the sandbox does not have must not be taken for the plain operation on the bucket or object. */
static bool foreign(const struct sb_http *http)
{
	static const char *const known[] = {
	    "list-type",   "prefix",        "delimiter", "max-keys",    "continuation-token", "start-after",
	    "fetch-owner", "encoding-type", "x-id",      "max-buckets", "bucket-region",      NULL};
	const char *p = http->query;

	while (*p != '\0') {
		size_t len = strcspn(p, "&"), key = strcspn(p, "=&");
		mem_auto_str char *name = sb_url_decode(p, key, true);
		bool found = strncasecmp(name, "X-Amz-", 6) == 0 || strncmp(name, "response-", 9) == 0;

		for (size_t i = 0; known[i] != NULL && !found; i++)
			found = strcmp(known[i], name) == 0;
		if (!found)
			return true;
		p += len + (p[len] == '&');
	}
	return false;
}

static const struct sb_op *op_choose(const struct sb_call *call, const char *scope)
{
	const struct sb_op *plain = NULL;
	bool specific;

	for (const struct sb_op *op = call->service->ops; op->name != NULL; op++) {
		if (strcmp(op->method, call->http->method) != 0 || !uri_fits(op->uri, scope, call->http, &specific))
			continue;
		if (specific)
			return op;
		plain = op;
	}
	return foreign(call->http) ? NULL : plain;
}

/* aws-chunked: "SIZE;...\r\nBYTES\r\n" until a size of 0; what follows are trailing headers. */
static bool chunks_join(struct buf *body)
{
	buf_auto struct buf plain = BUF_INIT;
	const char *p = buf_str(body), *end = p + body->len;

	for (;;) {
		char *after;
		unsigned long long size = strtoull(p, &after, 16);
		const char *line = memmem(p, (size_t)(end - p), "\r\n", 2);

		if (after == p || line == NULL || size > SB_BODY_MAX)
			return false;
		if (size == 0)
			break;
		p = line + 2;
		if ((size_t)(end - p) < size + 2)
			return false;
		buf_add(&plain, p, size);
		p += size + 2;
	}
	buf_clear(body);
	buf_add(body, plain.data, plain.len);
	return true;
}

int sb_s3_read(struct sb_call *call)
{
	const char *path = call->http->path + strspn(call->http->path, "/"), *slash = strchr(path, '/');
	size_t len = slash == NULL ? strlen(path) : (size_t)(slash - path);
	mem_auto_str char *bucket = sb_url_decode(path, len, false), *key = NULL;
	const char *hash = sb_http_header(call->http, "x-amz-content-sha256"), *scope = "service";

	key = slash == NULL ? mem_strdup("") : sb_url_decode(slash + 1, strlen(slash + 1), false);
	if (bucket[0] != '\0')
		scope = key[0] != '\0' ? "object" : "bucket";
	call->in = json_pack("{s:s,s:s}", "Bucket", bucket, "Key", key);
	if (call->in == NULL)
		return sb_fail(call, 400, "InvalidURI", "Couldn't parse the specified URI.");
	call->op = op_choose(call, scope);
	if (call->op == NULL)
		return sb_fail(call, 501, "NotImplemented",
			       "A header or query you provided implies functionality that is not "
			       "implemented.");
	if (hash != NULL && strncmp(hash, "STREAMING-", 10) == 0 && !chunks_join(&call->http->body))
		return sb_fail(call, 400, "IncompleteBody", "The chunks of the body cannot be read.");
	return 0;
}

static void ids_reply(struct sb_call *call)
{
	sb_http_reply_header(call->http, "x-amz-request-id", call->request_id);
	sb_http_reply_header(call->http, "x-amz-id-2", "sandbox");
}

/* call->out is {ROOT: content}; a handler that answers in its own way leaves it NULL. */
void sb_s3_answer(struct sb_call *call)
{
	struct buf *out = &call->http->answer;
	const char *root, *name;
	json_t *content, *child;

	ids_reply(call);
	if (call->http->status == 0)
		call->http->status = call->op->status == 0 ? 200 : call->op->status;
	json_object_foreach(call->out, root, content)
	{
		sb_http_reply_header(call->http, "Content-Type", "application/xml");
		buf_addf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"%s\">", root, XMLNS);
		json_object_foreach(content, name, child) sb_xml_write(out, name, child, NULL);
		if (json_is_string(content))
			sb_xml_text(out, json_string_value(content));
		buf_addf(out, "</%s>", root);
	}
}

void sb_s3_error(struct sb_call *call)
{
	struct buf *out = &call->http->answer;
	const char *expected = sb_str(call->in, "ExpectedRegion", NULL);

	ids_reply(call);
	call->http->status = call->status;
	sb_http_reply_header(call->http, "Content-Type", "application/xml");
	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>");
	sb_xml_text(out, call->code);
	buf_adds(out, "</Code><Message>");
	sb_xml_text(out, call->message);
	buf_adds(out, "</Message>");
	if (call->in != NULL && sb_str(call->in, "Bucket", "")[0] != '\0') {
		buf_adds(out, "<BucketName>");
		sb_xml_text(out, sb_str(call->in, "Bucket", ""));
		buf_adds(out, "</BucketName>");
	}
	if (expected != NULL)
		buf_addf(out, "<Region>%s</Region>", expected);
	buf_addf(out, "<RequestId>%s</RequestId><HostId>sandbox</HostId></Error>", call->request_id);
}
