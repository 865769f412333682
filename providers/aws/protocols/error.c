/* What services answer when they refuse, in all the forms that they use, to one code and one message.
 * The code decides what happens next (absence, retry, ignore), so nothing is guessed: an answer that is not the
 * service's own (a proxy's HTML page) becomes "HTTP <status>", never a service's code. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/protocols/protocols.h"

void aws_error_free(struct aws_error *error)
{
	free(error->code);
	free(error->message);
	free(error->request_id);
	*error = (struct aws_error){0};
}

/* "com.amazonaws.x#FooException:http://..." to "FooException". NULL when nothing is left. */
static char *clean_code(const char *raw)
{
	const char *hash = strchr(raw, '#');
	const char *start = hash ? hash + 1 : raw;
	start += strspn(start, " \t\r\n");
	size_t len = strcspn(start, ":; \t\r\n");
	return len ? mem_strndup(start, len) : NULL;
}

static char *header_copy(const struct loop_http_answer *answer, const char *name)
{
	buf_auto struct buf value = BUF_INIT;
	return loop_http_answer_header(answer, name, &value) && value.len ? mem_strdup(buf_str(&value)) : NULL;
}

static char *header_code(const struct loop_http_answer *answer, const char *name)
{
	mem_auto_str char *value = header_copy(answer, name);
	return value ? clean_code(value) : NULL;
}

static char *request_id(const struct loop_http_answer *answer)
{
	static const char *const names[] = {"x-amzn-RequestId", "x-amz-request-id", "x-amzn-request-id"};
	char *id = NULL;
	for (size_t i = 0; !id && i < sizeof names / sizeof *names; i++)
		id = header_copy(answer, names[i]);
	return id;
}

/* The start of a foreign body, in one printable line. */
static char *excerpt(const struct loop_http_answer *answer)
{
	buf_auto struct buf out = BUF_INIT;
	for (size_t i = 0; i < answer->body_len && out.len < 200; i++) {
		unsigned char c = (unsigned char)answer->body[i];
		if (c > ' ' && c != 0x7f)
			buf_addc(&out, (char)c);
		else if (out.len && out.data[out.len - 1] != ' ')
			buf_addc(&out, ' ');
	}
	return out.len ? mem_printf("the answer is not the service's: %s", buf_str(&out))
		       : mem_strdup("the answer has no body");
}

/* What HEAD leaves out: it has no body, so only the status tells. Taken for the service's word only where it carries a
 * request id of AWS. */
static const char *headless_code(const struct loop_http_answer *answer, const char *id)
{
	if (answer->body_len || !id)
		return NULL;
	switch (answer->status) {
	case 301:
		return "PermanentRedirect";
	case 400:
		return "BadRequest";
	case 403:
		return "Forbidden";
	case 404:
		return "NotFound";
	default:
		return NULL;
	}
}

static void fill_missing(struct aws_error *out, const struct loop_http_answer *answer)
{
	if (!out->code)
		out->code = mem_printf("HTTP %d", answer->status);
	if (!out->message)
		out->message = text_starts(out->code, "HTTP ") ? excerpt(answer) : mem_strdup("");
}

static const char *first_string(const json_t *body, const char *a, const char *b, const char *c)
{
	const char *value = json_get_string(body, a);
	if (!value)
		value = json_get_string(body, b);
	return value || !c ? value : json_get_string(body, c);
}

void aws_error_from_json(struct aws_error *out, const struct aws_service *service,
			 const struct loop_http_answer *answer)
{
	json_auto_t *body = json_loadb(answer->body, answer->body_len, 0, NULL);
	const char *code = first_string(body, "__type", "code", "Code");
	const char *message = first_string(body, "message", "Message", "errorMessage");
	*out = (struct aws_error){.request_id = request_id(answer)};
	(void)service;
	out->code = header_code(answer, "x-amzn-ErrorType");
	if (!out->code && code)
		out->code = clean_code(code);
	/* Services that once spoke query (sqs) name their old codes here. Types know the new ones, so this comes last.
	 */
	if (!out->code)
		out->code = header_code(answer, "x-amzn-query-error");
	if (message)
		out->message = mem_strdup(message);
	fill_missing(out, answer);
}

/* <ErrorResponse><Error> (query), <Response><Errors><Error> (ec2), <Error> (S3). */
static const struct xml_node *error_element(const struct xml_node *root)
{
	const struct xml_node *errors = xml_child(root, "Errors");
	if (strcmp(root->name, "Error") == 0)
		return root;
	return xml_child(errors ? errors : root, "Error");
}

static void fill_from_element(struct aws_error *out, const struct xml_node *root)
{
	static const char *const ids[] = {"RequestId", "RequestID"};
	const struct xml_node *error = error_element(root);
	const char *code = error ? xml_child_text(error, "Code") : NULL;
	const char *message = error ? xml_child_text(error, "Message") : NULL;
	if (code)
		out->code = clean_code(code);
	if (message)
		out->message = mem_strdup(message);
	for (size_t i = 0; !out->request_id && i < sizeof ids / sizeof *ids; i++) {
		const char *id = xml_child_text(root, ids[i]);
		if (!id && error)
			id = xml_child_text(error, ids[i]);
		out->request_id = mem_strdup(id);
	}
}

void aws_error_from_xml(struct aws_error *out, const struct aws_service *service, const struct loop_http_answer *answer)
{
	struct xml_node *root = NULL;
	struct diag ignored = DIAG_INIT;
	(void)service;
	*out = (struct aws_error){.request_id = request_id(answer)};
	const char *headless = headless_code(answer, out->request_id);
	if (headless) {
		out->code = mem_strdup(headless);
		out->message = mem_printf("HTTP %d", answer->status);
	} else if (xml_parse(&root, answer->body, answer->body_len, &ignored) == 0) {
		fill_from_element(out, root);
	}
	fill_missing(out, answer);
	xml_free(root);
	diag_free(&ignored);
}
