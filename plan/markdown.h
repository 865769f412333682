/* Text from outside as GitHub-flavoured markdown: nothing in it becomes markup, a mention, a link or the end of a cell.
 * Takes clean text of one line (plan_view_clean()). Private to the plan room. */
#ifndef MUSTER_PLAN_MARKDOWN_H
#define MUSTER_PLAN_MARKDOWN_H

#include <stdbool.h>

#include "base/buf.h"

/* For running text, list items, table cells and inside HTML. More than `max` bytes are shown by their beginning: then
 * true. */
bool markdown_text(struct buf *out, const char *text, size_t max);
/* For between <code> and </code>, where GitHub looks for no mentions: as above, and can be copied from there. */
bool markdown_code(struct buf *out, const char *text, size_t max);
/* `block`, which consists of whole lines, in a fence that is longer than all it could be closed by. */
void markdown_fence(struct buf *out, const char *language, const char *block);

#endif
