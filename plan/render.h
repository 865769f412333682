/* What the files that render a plan as text share. Private to the plan room. */
#ifndef MUSTER_PLAN_RENDER_H
#define MUSTER_PLAN_RENDER_H

#include "plan/group.h"

/* Strings longer than this are shown by their beginning and their length. */
#define PLAN_RENDER_STRING_MAX 400

enum plan_paint {
	PLAN_PAINT_NONE,
	PLAN_PAINT_ADD,
	PLAN_PAINT_CHANGE,
	PLAN_PAINT_REMOVE,
	PLAN_PAINT_BOLD,
	PLAN_PAINT_DIM
};

/* Where text goes. Values, keys and messages come from outside and could move a cursor: paint is held as single bytes
 * until plan_printer_finish() makes escape sequences of these and harmless text of all other control characters. */
struct plan_printer {
	struct buf raw;
	bool color;
	size_t width;
};
void plan_printer_finish(struct plan_printer *p, struct buf *out);

void plan_paint(struct plan_printer *p, enum plan_paint paint);
void plan_paint_end(struct plan_printer *p, enum plan_paint paint);
enum plan_paint plan_paint_of(enum plan_action action);
void plan_indent(struct plan_printer *p, size_t columns);
/* A line of its own, dim: "# text". */
void plan_remark(struct plan_printer *p, size_t columns, const char *text);

/* -- render_value.c ---- */

/* One line of JSON; "(known after apply)" and "(sensitive)" for what cannot be shown. */
void plan_value_inline(struct buf *out, const json_t *value);
/* What a property has or loses: on one line where that fits, else over several. `remark` may be NULL. */
void plan_value_whole(struct plan_printer *p, size_t columns, char sign, const char *label, const json_t *value,
		      const char *remark);
/* What is different, and only that. */
void plan_value_changed(struct plan_printer *p, size_t columns, const char *label, const json_t *before,
			const json_t *after, const char *remark);

/* -- render_lines.c ---- */

/* Two texts of several lines, line by line. */
void plan_lines_changed(struct plan_printer *p, size_t columns, const char *before, const char *after);

/* -- render_notes.c ---- */

void plan_render_notes(struct plan_printer *p, const struct plan *plan);

#endif
