/* The expat side of xml.h. */
#include "providers/aws/protocols/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct reader {
	XML_Parser parser;
	struct xml_node *root, *at;
	size_t depth, nodes;
	const char *refused; /* why the parser was stopped, or NULL */
};

static void stop(struct reader *r, const char *why)
{
	r->refused = why;
	XML_StopParser(r->parser, XML_FALSE);
}

static void on_start(void *payload, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = payload;
	const char *colon = strchr(name, ':');
	(void)attributes;
	if (++r->depth > XML_MAX_DEPTH || ++r->nodes > XML_MAX_NODES) {
		stop(r, r->depth > XML_MAX_DEPTH ? "nested too deeply" : "too many elements");
		return;
	}
	name = colon ? colon + 1 : name;
	struct xml_node *node = mem_alloc(sizeof *node + strlen(name) + 1);
	memcpy(node->name, name, strlen(name) + 1);
	node->up = r->at;
	if (!r->at)
		r->root = node;
	else if (r->at->last)
		r->at->last->next = node;
	else
		r->at->first = node;
	if (r->at)
		r->at->last = node;
	r->at = node;
}

static void on_end(void *payload, const XML_Char *name)
{
	struct reader *r = payload;
	(void)name;
	if (r->refused)
		return; /* expat still ends an empty element in whose start it was stopped */
	r->depth--;
	r->at = r->at->up;
}

static void on_text(void *payload, const XML_Char *text, int len)
{
	struct reader *r = payload;
	if (r->at)
		buf_add(&r->at->text, text, (size_t)len);
}

static void on_doctype(void *payload, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
		       int has_internal_subset)
{
	(void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
	stop(payload, "a document type declaration, which AWS never sends");
}

int xml_parse(struct xml_node **out, const char *text, size_t len, struct diag *d)
{
	struct reader r = {.parser = XML_ParserCreate(NULL)};
	int result = 0;
	if (!r.parser)
		abort();
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (len > (1u << 30))
		result = diag_error(d, "XML is too long");
	else if (XML_Parse(r.parser, text, (int)len, 1) != XML_STATUS_OK)
		result = diag_error(d, "XML cannot be read at line %lu: %s", XML_GetCurrentLineNumber(r.parser),
				    r.refused ? r.refused : XML_ErrorString(XML_GetErrorCode(r.parser)));
	XML_ParserFree(r.parser);
	if (result < 0)
		xml_free(r.root);
	else
		*out = r.root;
	return result;
}

void xml_free(struct xml_node *root)
{
	struct xml_node *node = root;
	while (node) {
		/* Down to a leaf, free it, go on with its neighbour or its parent: no recursion. */
		if (node->first) {
			struct xml_node *child = node->first;
			node->first = NULL;
			node = child;
			continue;
		}
		struct xml_node *after = node->next ? node->next : node->up;
		buf_free(&node->text);
		free(node);
		node = after;
	}
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
	const struct xml_node *child = node->first;
	while (child && name && strcmp(child->name, name) != 0)
		child = child->next;
	return child;
}

const struct xml_node *xml_next(const struct xml_node *node, const char *name)
{
	do
		node = node->next;
	while (node && name && strcmp(node->name, name) != 0);
	return node;
}

const char *xml_child_text(const struct xml_node *node, const char *name)
{
	const struct xml_node *child = xml_child(node, name);
	return child ? buf_str(&child->text) : NULL;
}

int xml_escape(struct buf *out, const char *text, size_t len)
{
	size_t start = out->len;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
			buf_truncate(out, start);
			return -1;
		}
		if (c == '&')
			buf_adds(out, "&amp;");
		else if (c == '<')
			buf_adds(out, "&lt;");
		else if (c == '>')
			buf_adds(out, "&gt;");
		else if (c == '"')
			buf_adds(out, "&quot;");
		else if (c == '\r')
			buf_adds(out, "&#xD;"); /* a parser would turn it into a newline */
		else
			buf_addc(out, text[i]);
	}
	return 0;
}
