/* XML answers as a small tree, read through expat, and text escaped for XML requests. Not a general XML library:
 * names lose their namespace prefix, comments and processing instructions are dropped, and a document type
 * declaration (the door for entity bombs and external entities) is refused. */
#ifndef MUSTER_PROVIDERS_AWS_PROTOCOLS_XML_H
#define MUSTER_PROVIDERS_AWS_PROTOCOLS_XML_H

#include <stddef.h>

#include "base/buf.h"
#include "base/diag.h"

#define XML_MAX_DEPTH 64
#define XML_MAX_NODES 1000000

struct xml_node {
	struct xml_node *up, *first, *last, *next;
	struct buf text; /* character data directly in this element */
	char name[];
};

/* Parses a whole document. 0 and the root, to be freed with xml_free(), or -1 with a message. */
int xml_parse(struct xml_node **out, const char *text, size_t len, struct diag *d);
void xml_free(struct xml_node *root);

/* The first child called `name` (any when NULL), and the next one of that name after `node`. NULL when there is none.
 */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);
const struct xml_node *xml_next(const struct xml_node *node, const char *name);
/* Text of the child called `name`, or NULL when there is no such child. */
const char *xml_child_text(const struct xml_node *node, const char *name);

/* Adds `text` with what XML reserves escaped. 0, or -1 (nothing added) when it holds a character that XML 1.0 cannot
 * carry. */
int xml_escape(struct buf *out, const char *text, size_t len);

#endif
