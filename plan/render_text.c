/* The plan for people at a terminal: a view (view.h) as text, in the terminal's width and colours. */
#include "plan/plan.h"
#include "plan/view.h"
#include "plan/where.h"

#define WIDTH_LEAST 40
/* Columns that an entry's lines are moved in by. */
#define INDENT 4

enum paint { PAINT_NONE, PAINT_ADD, PAINT_CHANGE, PAINT_REMOVE, PAINT_BOLD, PAINT_DIM };

struct printer {
	struct buf *out;
	bool color;
};

static void paint(struct printer *p, enum paint paint)
{
	static const char *const paints[] = {
	    [PAINT_NONE] = "",           [PAINT_ADD] = "\033[32m", [PAINT_CHANGE] = "\033[33m",
	    [PAINT_REMOVE] = "\033[31m", [PAINT_BOLD] = "\033[1m", [PAINT_DIM] = "\033[2m",
	};

	if (p->color)
		buf_adds(p->out, paints[paint]);
}

static void paint_end(struct printer *p)
{
	if (p->color)
		buf_adds(p->out, "\033[0m");
}

static void put(struct printer *p, enum paint color, const char *text)
{
	if (color == PAINT_NONE) {
		buf_adds(p->out, text);
		return;
	}
	paint(p, color);
	buf_adds(p->out, text);
	paint_end(p);
}

static void put_remark(struct printer *p, const char *text)
{
	paint(p, PAINT_DIM);
	buf_addf(p->out, "# %s", text);
	paint_end(p);
}

static enum paint paint_of(enum plan_action action)
{
	switch (action) {
	case PLAN_CREATE:
		return PAINT_ADD;
	case PLAN_DELETE:
	case PLAN_REPLACE:
		return PAINT_REMOVE;
	default:
		return PAINT_CHANGE;
	}
}

static enum paint paint_of_sign(char sign)
{
	return sign == '+'   ? PAINT_ADD
	       : sign == '-' ? PAINT_REMOVE
	       : sign == '~' ? PAINT_CHANGE
	       : sign == '#' ? PAINT_DIM
			     : PAINT_NONE;
}

static void print_remark(struct printer *p, size_t columns, const char *text)
{
	buf_addf(p->out, "%*s", (int)columns, "");
	put_remark(p, text);
	buf_addc(p->out, '\n');
}

static void print_line(struct printer *p, const struct plan_line *line)
{
	char sign[2] = {line->sign, '\0'};

	if (line->sign == '#') {
		print_remark(p, INDENT + line->depth, line->text);
		return;
	}
	buf_addf(p->out, "%*s", INDENT + (int)line->depth, "");
	put(p, paint_of_sign(line->sign), sign);
	buf_addf(p->out, " %s", line->text);
	if (line->remark != NULL) {
		buf_adds(p->out, "  ");
		put_remark(p, line->remark);
	}
	buf_addc(p->out, '\n');
}

/* Many outputs may come at once, and say little each: they are set closer. */
static void print_entry(struct printer *p, const struct plan_entry *entry, bool close)
{
	paint(p, paint_of(entry->action));
	buf_addf(p->out, "%s %s", entry->sign, entry->verb);
	paint_end(p);
	buf_addc(p->out, ' ');
	put(p, PAINT_BOLD, entry->title);
	if (close)
		buf_addf(p->out, " in %s\n", entry->where);
	else
		buf_addf(p->out, " (%s)\n    in %s\n", entry->type, entry->where);
	for (size_t i = 0; i < entry->remarks.count; i++)
		print_remark(p, INDENT, entry->remarks.items[i]);
	for (size_t i = 0; i < entry->lines.count; i++)
		print_line(p, &entry->lines.items[i]);
	if (!close)
		buf_addc(p->out, '\n');
}

static void print_section(struct printer *p, const struct plan_section *section)
{
	if (section->heading != NULL) {
		put(p, PAINT_BOLD, section->heading);
		buf_adds(p->out, section->count == 0 ? "\n  nothing\n\n" : section->outputs ? "\n" : "\n\n");
	}
	for (size_t i = 0; i < section->count; i++)
		print_entry(p, &section->entries[i], section->outputs);
	if (section->outputs)
		buf_addc(p->out, '\n');
}

static void print_note(struct printer *p, const struct plan_view_note *note)
{
	const char *const parts[] = {note->where, note->subject, *note->text != '\0' ? note->text : NULL};
	bool first = true;

	buf_adds(p->out, "  ");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i] == NULL)
			continue;
		buf_addf(p->out, "%s%s", first ? "" : ": ", parts[i]);
		first = false;
	}
	buf_addc(p->out, '\n');
}

static void print_notes(struct printer *p, const struct plan_view_notes *notes)
{
	put(p, PAINT_BOLD, notes->heading);
	buf_addc(p->out, '\n');
	for (size_t i = 0; i < notes->count; i++)
		print_note(p, &notes->items[i]);
	buf_addc(p->out, '\n');
}

static void print_counts(struct printer *p, const char *title, const struct plan_view_count *counts, size_t count)
{
	if (count < 2 || count > PLAN_VIEW_COUNTS_MAX)
		return;
	buf_adds(p->out, title);
	for (size_t i = 0; i < count; i++) {
		buf_addf(p->out, "%s%s ", i > 0 ? ", " : " ", counts[i].name);
		plan_count_words(p->out, counts[i].count);
	}
	buf_adds(p->out, ".\n");
}

static void print_end(struct printer *p, const struct plan_view *view)
{
	if (view->nothing != NULL) {
		put(p, PAINT_BOLD, view->nothing);
		buf_addc(p->out, view->facts.count > 0 ? ' ' : '\n');
	} else {
		put(p, PAINT_BOLD, view->label);
		buf_addf(p->out, " %s.\n", view->summary);
		print_counts(p, "By account:", view->accounts, view->account_count);
		print_counts(p, "By region:", view->regions, view->region_count);
	}
	for (size_t i = 0; i < view->facts.count; i++)
		buf_addf(p->out, "%s\n", view->facts.items[i]);
	for (size_t i = 0; i < view->signers.count; i++)
		buf_addf(p->out, "Carries a signature that names %s (checked by apply).\n", view->signers.items[i]);
}

static void print_head(struct printer *p, const struct plan_view *view)
{
	for (size_t i = 0; i < view->warnings.count; i++) {
		put(p, PAINT_REMOVE, view->warnings.items[i]);
		buf_addc(p->out, '\n');
	}
	if (view->title != NULL) {
		put(p, PAINT_BOLD, view->title);
		buf_addc(p->out, '\n');
	}
	if (view->title != NULL || view->warnings.count > 0)
		buf_addc(p->out, '\n');
}

void plan_render_text(struct buf *out, const struct plan *plan, const struct plan_text_options *options)
{
	size_t width = options->width > 0 ? (size_t)options->width : 100;
	struct printer p = {out, options->color};
	struct plan_view view;

	plan_view_make(&view, plan, (width < WIDTH_LEAST ? WIDTH_LEAST : width) - INDENT, false);
	if (!options->entries_only)
		print_head(&p, &view);
	for (size_t i = 0; i < view.section_count; i++)
		print_section(&p, &view.sections[i]);
	for (size_t i = 0; i < view.note_count && !options->entries_only; i++)
		print_notes(&p, &view.notes[i]);
	if (!options->entries_only)
		print_end(&p, &view);
	plan_view_free(&view);
}
