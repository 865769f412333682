/* XML in and out, as the query protocols and S3 need it: elements and text, no attributes. */
#include "tests/sandbox/sandbox.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

void sb_xml_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		case '\r':
			buf_adds(out, "&#xD;");
			break;
		default:
			buf_addc(out, *text);
		}
	}
}

static void map_write(struct buf *out, const char *name, size_t len, json_t *map)
{
	const char *key;
	json_t *value;

	buf_addf(out, "<%.*s>", (int)len, name);
	json_object_foreach(map, key, value)
	{
		buf_adds(out, "<entry><key>");
		sb_xml_text(out, key);
		buf_adds(out, "</key>");
		sb_xml_write(out, "value", value, "member");
		buf_adds(out, "</entry>");
	}
	buf_addf(out, "</%.*s>", (int)len, name);
}

static void list_write(struct buf *out, const char *name, json_t *list, const char *item)
{
	size_t i;
	json_t *value;

	if (item != NULL)
		buf_addf(out, "<%s>", name);
	json_array_foreach(list, i, value) sb_xml_write(out, item == NULL ? name : item, value, item);
	if (item != NULL)
		buf_addf(out, "</%s>", name);
}

void sb_xml_write(struct buf *out, const char *name, json_t *value, const char *item)
{
	size_t len = strlen(name);
	const char *key;
	json_t *child;

	if (len > 2 && strcmp(name + len - 2, "{}") == 0) {
		map_write(out, name, len - 2, value);
		return;
	}
	if (json_is_array(value)) {
		list_write(out, name, value, item);
		return;
	}
	buf_addf(out, "<%s>", name);
	if (json_is_object(value))
		json_object_foreach(value, key, child) sb_xml_write(out, key, child, item);
	else if (json_is_string(value))
		sb_xml_text(out, json_string_value(value));
	else if (json_is_integer(value))
		buf_addf(out, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		buf_addf(out, "%.17g", json_real_value(value));
	else if (json_is_boolean(value))
		buf_adds(out, json_is_true(value) ? "true" : "false");
	buf_addf(out, "</%s>", name);
}

/* ---- reading ---- */

struct reader {
	XML_Parser parser;
	json_t *open[32]; /* the elements around, outermost first; an element's text is kept under "" */
	char *names[32];
	int depth;
	json_t *result;
	char *root;
	bool bad;
};

static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon == NULL ? name : colon + 1;
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = user;

	(void)attributes;
	if (r->depth == 32) {
		r->bad = true;
		XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	r->names[r->depth] = mem_strdup(local_name(name));
	r->open[r->depth++] = json_pack("{s:s}", "", "");
}

/* A second element of a name makes a list of both. */
static void child_add(json_t *parent, const char *name, json_t *child)
{
	json_t *there = json_object_get(parent, name);

	if (json_is_array(there))
		json_array_append_new(there, child);
	else if (there != NULL)
		json_object_set_new(parent, name, json_pack("[O,o]", there, child));
	else
		json_object_set_new(parent, name, child);
}

static void on_end(void *user, const XML_Char *name)
{
	struct reader *r = user;
	json_t *element = r->open[--r->depth];

	(void)name;
	if (json_object_size(element) == 1) {
		json_t *text = json_incref(json_object_get(element, ""));

		json_decref(element);
		element = text;
	} else {
		json_object_del(element, "");
	}
	if (r->depth == 0) {
		r->result = element;
		r->root = r->names[0];
		return;
	}
	child_add(r->open[r->depth - 1], r->names[r->depth], element);
	free(r->names[r->depth]);
}

static void on_text(void *user, const XML_Char *text, int len)
{
	struct reader *r = user;
	json_t *element = r->open[r->depth - 1];
	mem_auto_str char *more = mem_printf("%s%.*s", sb_str(element, "", ""), len, text);

	if (json_object_size(element) == 1)
		json_object_set_new(element, "", json_string(more));
}

static void on_doctype(void *user, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int subset)
{
	struct reader *r = user;

	(void)name;
	(void)sysid;
	(void)pubid;
	(void)subset;
	r->bad = true;
	XML_StopParser(r->parser, XML_FALSE);
}

json_t *sb_xml_read(char **root, const char *text, size_t len)
{
	struct reader r = {.parser = XML_ParserCreate("UTF-8")};
	enum XML_Status status;

	*root = NULL;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	status = XML_Parse(r.parser, text == NULL ? "" : text, (int)len, 1);
	XML_ParserFree(r.parser);
	while (r.depth > 0) {
		json_decref(r.open[--r.depth]);
		free(r.names[r.depth]);
	}
	if (status != XML_STATUS_OK || r.bad) {
		json_decref(r.result);
		free(r.root);
		return NULL;
	}
	*root = r.root;
	return r.result;
}
