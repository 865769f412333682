/* The plan for a pull request: a view (view.h) as GitHub-flavoured markdown that fits a comment. What does not fit is
 * folded, the least important first, and the end says what was; what goes where is decided in lengths before anything
 * is written, so nothing is ever cut.
 *
 * Lengths are bytes of UTF-8: never fewer than the code points or UTF-16 units that GitHub may count. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "plan/markdown.h"
#include "plan/plan.h"
#include "plan/view.h"
#include "plan/where.h"

#define MAX_DEFAULT 65536
#define MAX_LEAST   1000
/* Columns of a line in a diff block. */
#define WIDTH 110
/* Bytes of one diff block, and of a note; warnings and notes of a kind that are shown. */
#define DETAILS_MAX  16000
#define NOTE_MAX     400
#define WARNINGS_MAX 20
#define NOTES_MAX    20

/* How much of an entry is left. */
enum fold { FOLD_NONE, FOLD_DETAILS, FOLD_WHERE, FOLD_TABLE };

struct item {
	const struct plan_entry *entry;
	size_t section;
	enum fold fold;
	size_t length[FOLD_TABLE]; /* at each fold; in a table it is the table's */
};

struct document {
	const struct plan_view *view;
	const char *title;
	const char *whole; /* the command that shows all of it, or NULL */
	size_t max;
	struct item *items;
	size_t count;
	bool *notes_folded;   /* of each kind */
	size_t rows_shown;    /* of the tables */
	size_t rows_left_out; /* set while writing */
};

/* -- Parts --------------------------------------------------------------------------------------------------------- */

static void put_code(struct buf *out, const char *text, size_t max)
{
	buf_adds(out, "<code>");
	markdown_code(out, text, max);
	buf_adds(out, "</code>");
}

static void put_number(struct buf *out, size_t number)
{
	plan_count_words(out, number);
}

static void put_plural(struct buf *out, size_t count, const char *noun)
{
	put_number(out, count);
	buf_addf(out, " %s%s", noun, count == 1 ? "" : "s");
}

static void put_warnings(struct buf *out, const struct plan_view *view)
{
	if (view->warnings.count == 0)
		return;
	buf_adds(out, "> [!CAUTION]\n");
	for (size_t i = 0; i < view->warnings.count && i < WARNINGS_MAX; i++) {
		buf_adds(out, "> - **");
		markdown_text(out, view->warnings.items[i], NOTE_MAX);
		buf_adds(out, "**\n");
	}
	if (view->warnings.count > WARNINGS_MAX)
		buf_addf(out, "> - and %zu more\n", view->warnings.count - WARNINGS_MAX);
	buf_addc(out, '\n');
}

static void put_totals(struct buf *out, const struct plan_view *view)
{
	bool shown[PLAN_VIEW_TOTALS];

	if (view->nothing != NULL) {
		buf_addf(out, "**%s**\n\n", view->nothing);
		return;
	}
	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++)
		shown[i] = view->totals[i].count > 0;
	buf_adds(out, "| |");
	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++)
		if (shown[i])
			buf_addf(out, " %s |", view->totals[i].verb);
	buf_adds(out, "\n|---|");
	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++)
		buf_adds(out, shown[i] ? "--:|" : "");
	buf_adds(out, "\n| resources |");
	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++) {
		if (shown[i]) {
			buf_addc(out, ' ');
			put_number(out, view->totals[i].count);
			buf_adds(out, " |");
		}
	}
	buf_adds(out, "\n| targets, of ");
	put_number(out, view->groups.target_count);
	buf_adds(out, " |");
	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++) {
		if (shown[i]) {
			buf_addc(out, ' ');
			put_number(out, view->totals[i].targets);
			buf_adds(out, " |");
		}
	}
	buf_adds(out, "\n\n");
}

static void put_head(struct buf *out, const struct document *doc)
{
	buf_adds(out, "### ");
	markdown_text(out, doc->title, 200);
	if (doc->view->title != NULL) {
		buf_adds(out, ": ");
		markdown_text(out, doc->view->title, 200);
	}
	buf_adds(out, "\n\n");
	put_warnings(out, doc->view);
	put_totals(out, doc->view);
	for (size_t i = 0; i < doc->view->facts.count; i++) {
		markdown_text(out, doc->view->facts.items[i], NOTE_MAX);
		buf_adds(out, i + 1 < doc->view->facts.count ? " " : "\n\n");
	}
}

/* -- Entries ------------------------------------------------------------------------------------------------------- */

/* "~ update stack/Resource (Type) in 3 of 4 targets", the same in a summary and in a list. */
static void put_summary(struct buf *out, const struct plan_entry *entry, bool where)
{
	put_code(out, entry->sign, 8);
	buf_addf(out, " <b>%s</b> ", entry->verb);
	put_code(out, entry->title, 400);
	buf_adds(out, " (");
	markdown_text(out, entry->type, 200);
	buf_adds(out, ")");
	if (where) {
		buf_adds(out, " in ");
		markdown_text(out, entry->where, 400);
	} else {
		buf_adds(out, ", ");
		put_plural(out, entry->count, "resource");
	}
}

/* GitHub colours a block by the first character of each line. */
static char diff_sign(char sign)
{
	return sign == '~' ? '!' : sign;
}

static void diff_block(struct buf *out, const struct plan_entry *entry)
{
	for (size_t i = 0; i < entry->remarks.count; i++)
		buf_addf(out, "# %s\n", entry->remarks.items[i]);
	for (size_t i = 0; i < entry->lines.count; i++) {
		const struct plan_line *line = &entry->lines.items[i];

		if (out->len + strlen(line->text) > DETAILS_MAX) {
			buf_adds(out, "# and ");
			put_plural(out, entry->lines.count - i, "more line");
			buf_adds(out, ": --format json has all\n");
			return;
		}
		buf_addf(out, "%c %*s%s", diff_sign(line->sign), (int)line->depth, "", line->text);
		if (line->remark != NULL)
			buf_addf(out, "  # %s", line->remark);
		buf_addc(out, '\n');
	}
}

static void put_details(struct buf *out, const struct plan_entry *entry)
{
	buf_auto struct buf block = BUF_INIT;

	buf_adds(out, "<details><summary>");
	put_summary(out, entry, true);
	buf_adds(out, "</summary>\n\n");
	diff_block(&block, entry);
	markdown_fence(out, "diff", buf_str(&block));
	buf_adds(out, "\n</details>\n\n");
}

static void put_item(struct buf *out, const struct plan_entry *entry, enum fold fold)
{
	if (fold == FOLD_NONE && entry->lines.count + entry->remarks.count > 0) {
		put_details(out, entry);
		return;
	}
	buf_adds(out, "- ");
	put_summary(out, entry, fold < FOLD_WHERE);
	buf_adds(out, "\n\n");
}

/* -- Tables of what has no place of its own -------------------------------------------------------------------------
 */

struct row {
	const struct plan_entry *entry; /* the first of its kind */
	size_t entries, resources;
};

static void put_row(struct buf *out, const struct row *row)
{
	buf_addf(out, "| %s | ", row->entry->verb);
	put_code(out, row->entry->type, 200);
	buf_adds(out, " | ");
	put_number(out, row->entries);
	buf_adds(out, " | ");
	put_number(out, row->resources);
	buf_adds(out, " |\n");
}

static void count_rows(struct map *rows, const struct document *doc, size_t section)
{
	for (size_t i = 0; i < doc->count; i++) {
		const struct item *item = &doc->items[i];
		mem_auto_str char *key = NULL;
		struct row *row;

		if (item->section != section || item->fold != FOLD_TABLE)
			continue;
		key = mem_printf("%s %s", item->entry->verb, item->entry->type);
		row = map_get(rows, key);
		if (row == NULL) {
			row = mem_alloc(sizeof *row);
			row->entry = item->entry;
			map_set(rows, key, row);
		}
		row->entries++;
		row->resources += item->entry->count;
	}
}

static void put_table(struct buf *out, struct document *doc, size_t section)
{
	struct map rows = MAP_INIT;

	count_rows(&rows, doc, section);
	if (rows.live > 0)
		buf_adds(out, "| action | type | entries | resources |\n|---|---|--:|--:|\n");
	for (size_t i = 0; i < rows.count; i++) {
		if (i < doc->rows_shown)
			put_row(out, rows.entries[i].value);
		else
			doc->rows_left_out++;
	}
	if (rows.live > 0)
		buf_addc(out, '\n');
	map_free(&rows, free);
}

/* -- Notes --------------------------------------------------------------------------------------------------------- */

static void put_note(struct buf *out, const struct plan_view_note *note)
{
	buf_adds(out, "- ");
	if (note->where != NULL)
		markdown_text(out, note->where, NOTE_MAX);
	if (note->subject != NULL) {
		buf_adds(out, note->where != NULL ? ": " : "");
		put_code(out, note->subject, NOTE_MAX);
	}
	if (*note->text != '\0') {
		buf_adds(out, note->where != NULL || note->subject != NULL ? ": " : "");
		markdown_text(out, note->text, NOTE_MAX);
	}
	buf_addc(out, '\n');
}

static void put_notes(struct buf *out, const struct plan_view_notes *notes, bool folded)
{
	size_t shown = notes->count < NOTES_MAX ? notes->count : NOTES_MAX;

	buf_addf(out, "**%s**", notes->heading);
	if (folded) {
		buf_adds(out, ": ");
		put_plural(out, notes->count, "note");
		buf_adds(out, "\n\n");
		return;
	}
	buf_adds(out, "\n\n");
	for (size_t i = 0; i < shown; i++)
		put_note(out, &notes->items[i]);
	if (shown < notes->count) {
		buf_adds(out, "- and ");
		put_number(out, notes->count - shown);
		buf_adds(out, " more: <code>muster show FILE</code> has all\n");
	}
	buf_addc(out, '\n');
}

/* -- End ----------------------------------------------------------------------------------------------------------- */

struct folded {
	size_t details[PLAN_DELETE + 1]; /* entries without their diff, by action */
	size_t where, table, notes;
};

static void count_folded(struct folded *out, const struct document *doc)
{
	*out = (struct folded){0};
	for (size_t i = 0; i < doc->count; i++) {
		out->details[doc->items[i].entry->action] += doc->items[i].fold >= FOLD_DETAILS;
		out->where += doc->items[i].fold == FOLD_WHERE;
		out->table += doc->items[i].fold == FOLD_TABLE;
	}
	for (size_t i = 0; i < doc->view->note_count; i++)
		out->notes += doc->notes_folded[i];
}

static void put_folded_part(struct buf *out, bool *any, size_t count, const char *one, const char *many)
{
	if (count == 0)
		return;
	buf_adds(out, *any ? "; " : "");
	put_number(out, count);
	buf_addf(out, " %s", count == 1 ? one : many);
	*any = true;
}

static void put_whole(struct buf *out, const struct document *doc)
{
	if (doc->whole != NULL)
		put_code(out, doc->whole, 200);
	else
		buf_adds(out, "<code>muster show FILE</code>, FILE being the saved plan");
}

static void put_folded(struct buf *out, const struct document *doc)
{
	static const enum plan_action order[] = {PLAN_DELETE, PLAN_REPLACE, PLAN_UPDATE,
						 PLAN_ADOPT,  PLAN_FORGET,  PLAN_CREATE};
	struct folded folded;
	bool any = false;

	count_folded(&folded, doc);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		size_t count = folded.details[order[i]];

		if (count == 0)
			continue;
		buf_adds(out, any ? ", " : "> [!NOTE]\n> Folded to fit: the details of ");
		put_number(out, count);
		buf_addf(out, " %s entr%s", plan_view_verb(doc->view->plan, order[i]), count == 1 ? "y" : "ies");
		any = true;
	}
	if (folded.notes > 0 && !any)
		buf_adds(out, "> [!NOTE]\n> Folded to fit: ");
	put_folded_part(out, &any, folded.where, "entry does not say where", "entries do not say where");
	put_folded_part(out, &any, folded.table, "entry is only counted in a table",
			"entries are only counted in a table");
	put_folded_part(out, &any, doc->rows_left_out, "row of a table is left out", "rows of tables are left out");
	put_folded_part(out, &any, folded.notes, "kind of notes is only counted", "kinds of notes are only counted");
	if (!any)
		return;
	buf_adds(out, ". All of it: ");
	put_whole(out, doc);
	buf_adds(out, ".\n\n");
}

static void put_end(struct buf *out, const struct document *doc)
{
	const struct plan_view *view = doc->view;

	for (size_t i = 0; i < view->signers.count && i < WARNINGS_MAX; i++) {
		buf_adds(out, "Signed by ");
		put_code(out, view->signers.items[i], 200);
		buf_adds(out, ".\n");
	}
	buf_adds(out, "\n<sub>");
	for (size_t i = 0; i < view->origin.count; i++) {
		buf_adds(out, i > 0 ? " · " : "");
		put_code(out, view->origin.items[i], 200);
	}
	if (!view->plan->drift && !view->plan->past && view->nothing == NULL)
		buf_adds(out, "<br>Apply exactly this with <code>muster apply FILE</code>, FILE being the saved plan "
			      "with this digest.");
	buf_adds(out, "</sub>\n");
}

/* -- The whole ----------------------------------------------------------------------------------------------------- */

static void put_sections(struct buf *out, struct document *doc)
{
	for (size_t s = 0, i = 0; s < doc->view->section_count; s++) {
		if (doc->view->sections[s].heading != NULL) {
			buf_adds(out, "#### ");
			markdown_text(out, doc->view->sections[s].heading, 200);
			buf_adds(out, doc->view->sections[s].count == 0 ? "\n\nNothing.\n\n" : "\n\n");
		}
		for (; i < doc->count && doc->items[i].section == s; i++)
			if (doc->items[i].fold != FOLD_TABLE)
				put_item(out, doc->items[i].entry, doc->items[i].fold);
		put_table(out, doc, s);
	}
}

static void put_all(struct buf *out, struct document *doc)
{
	buf_clear(out);
	doc->rows_left_out = 0;
	put_head(out, doc);
	put_sections(out, doc);
	for (size_t i = 0; i < doc->view->note_count; i++)
		put_notes(out, &doc->view->notes[i], doc->notes_folded[i]);
	put_folded(out, doc);
	put_end(out, doc);
}

/* -- Folding ------------------------------------------------------------------------------------------------------- */

/* The least important first. */
static const enum plan_action fold_order[] = {PLAN_CREATE, PLAN_FORGET,  PLAN_ADOPT,
					      PLAN_UPDATE, PLAN_REPLACE, PLAN_DELETE};
#define FOLD_ORDER (sizeof fold_order / sizeof *fold_order)
/* What the words on folding may take. */
#define FOLDED_ROOM 700

static size_t length_now(struct document *doc)
{
	buf_auto struct buf out = BUF_INIT;

	put_all(&out, doc);
	return out.len;
}

/* Folds entries of one action one by one, from the last, while the whole is longer than may be. */
static void fold_action(struct document *doc, size_t *length, size_t section, enum plan_action action, enum fold fold)
{
	for (size_t i = doc->count; i-- > 0 && *length + FOLDED_ROOM > doc->max;) {
		struct item *item = &doc->items[i];

		if (item->section != section || item->entry->action != action || item->fold >= fold)
			continue;
		*length -= item->length[item->fold] - item->length[fold];
		item->fold = fold;
	}
}

static void fold_to_table(struct document *doc, size_t *length, size_t section, enum plan_action action)
{
	if (*length + FOLDED_ROOM <= doc->max)
		return;
	for (size_t i = 0; i < doc->count; i++)
		if (doc->items[i].section == section && doc->items[i].entry->action == action)
			doc->items[i].fold = FOLD_TABLE;
	*length = length_now(doc);
}

static void fold_entries(struct document *doc, size_t *length, enum fold fold)
{
	/* What was pending before says less of this change than all that it brings. */
	for (size_t s = doc->view->section_count; s-- > 0;) {
		for (size_t i = 0; i < FOLD_ORDER; i++) {
			if (fold == FOLD_TABLE)
				fold_to_table(doc, length, s, fold_order[i]);
			else
				fold_action(doc, length, s, fold_order[i], fold);
		}
	}
}

static void fold_notes(struct document *doc, size_t *length)
{
	for (size_t i = doc->view->note_count; i-- > 0 && *length + FOLDED_ROOM > doc->max;) {
		doc->notes_folded[i] = true;
		*length = length_now(doc);
	}
}

static void fold(struct document *doc)
{
	size_t length = length_now(doc);

	if (length <= doc->max)
		return;
	fold_entries(doc, &length, FOLD_DETAILS);
	fold_notes(doc, &length);
	fold_entries(doc, &length, FOLD_WHERE);
	fold_entries(doc, &length, FOLD_TABLE);
	while (length_now(doc) > doc->max && doc->rows_shown > 0)
		doc->rows_shown = doc->rows_shown > 1000 ? 1000 : doc->rows_shown / 2;
}

static void measure(struct item *item)
{
	for (int f = FOLD_NONE; f < FOLD_TABLE; f++) {
		buf_auto struct buf out = BUF_INIT;

		put_item(&out, item->entry, f);
		item->length[f] = out.len;
	}
}

static void document_open(struct document *doc, const struct plan_view *view)
{
	for (size_t s = 0; s < view->section_count; s++)
		doc->count += view->sections[s].count;
	doc->items = mem_array(doc->count, sizeof *doc->items);
	for (size_t s = 0, i = 0; s < view->section_count; s++) {
		for (size_t k = 0; k < view->sections[s].count; k++, i++) {
			doc->items[i].entry = &view->sections[s].entries[k];
			doc->items[i].section = s;
			measure(&doc->items[i]);
		}
	}
	doc->notes_folded = mem_array(view->note_count, sizeof(bool));
	doc->rows_shown = SIZE_MAX;
}

void plan_render_markdown(struct buf *out, const struct plan *plan, const struct plan_markdown_options *options)
{
	size_t max = options->max > 0 ? options->max : MAX_DEFAULT;
	struct document doc = {.title = options->title != NULL ? options->title : "muster plan",
			       .whole = options->whole};
	buf_auto struct buf text = BUF_INIT;
	mem_auto_str char *title = plan_view_cleaned(doc.title);
	struct plan_view view;

	plan_view_make(&view, plan, WIDTH);
	doc.view = &view;
	doc.title = title;
	doc.max = max < MAX_LEAST ? MAX_LEAST : max;
	document_open(&doc, &view);
	fold(&doc);
	put_all(&text, &doc);
	if (text.len > doc.max) {
		/* Head and end alone are too long. */
		buf_clear(&text);
		buf_addf(&text, "### %s\n\nThis does not fit here, not even folded. All of it: ",
			 doc.whole != NULL ? "Changes" : "muster plan");
		put_whole(&text, &doc);
		buf_adds(&text, ".\n");
	}
	buf_add(out, buf_str(&text), text.len);
	free(doc.items);
	free(doc.notes_folded);
	plan_view_free(&view);
}
