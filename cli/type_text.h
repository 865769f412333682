/* What is said of a resource type: `muster types TYPE` and the reference in docs/reference/ share it. */
#ifndef MUSTER_CLI_TYPE_TEXT_H
#define MUSTER_CLI_TYPE_TEXT_H

#include "base/buf.h"
#include "base/schema.h"

/* "String", "List": as type files write it. */
const char *type_text_kind(const struct schema_value *value);
/* "1 to 64 characters, at most 100 bytes"; nothing where there are no limits. */
void type_text_limits(struct buf *out, const struct schema_value *value);

/* In Markdown: the page of a type, and the list of all, with links to pages "AWS-SNS-Topic.md" beside it. */
void type_text_page(struct buf *out, const struct schema_type *type);
void type_text_index(struct buf *out, const struct schema_type *const *types, size_t count);

#endif
