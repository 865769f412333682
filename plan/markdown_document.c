/* A plan's view as markdown, part by part, folded as far as the document says (render_markdown.c decides that). */
#include "plan/markdown_document.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "plan/markdown.h"
#include "plan/where.h"

/* Bytes of one diff block, and of a note; warnings and notes of a kind that are shown. */
#define DETAILS_MAX  16000
#define NOTE_MAX     400
#define WARNINGS_MAX 20
#define NOTES_MAX    20

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

/* A text that is cut is counted, so that the document says so. */
static void put_bounded(struct buf *out, struct markdown_document *doc, const char *text)
{
	doc->texts_cut += markdown_text(out, text, NOTE_MAX);
}

static void put_warnings(struct buf *out, struct markdown_document *doc)
{
	const struct plan_view *view = doc->view;

	if (view->warnings.count == 0)
		return;
	buf_adds(out, "> [!CAUTION]\n");
	for (size_t i = 0; i < view->warnings.count && i < WARNINGS_MAX; i++) {
		buf_adds(out, "> - **");
		put_bounded(out, doc, view->warnings.items[i]);
		buf_adds(out, "**\n");
	}
	if (view->warnings.count > WARNINGS_MAX) {
		doc->warnings_left_out = view->warnings.count - WARNINGS_MAX;
		buf_addf(out, "> - and %zu more\n", doc->warnings_left_out);
	}
	buf_addc(out, '\n');
}

static void put_totals(struct buf *out, const struct plan_view *view)
{
	bool shown[PLAN_VIEW_TOTALS], any = false;

	if (view->nothing != NULL) {
		buf_addf(out, "**%s**\n\n", view->nothing);
		return;
	}
	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++)
		any |= shown[i] = view->totals[i].count > 0;
	if (!any) {
		buf_adds(out, "**No resource changes, only outputs.**\n\n");
		return;
	}
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

static void put_head(struct buf *out, struct markdown_document *doc)
{
	buf_adds(out, "### ");
	markdown_text(out, doc->title, 200);
	if (doc->view->title != NULL) {
		buf_adds(out, ": ");
		markdown_text(out, doc->view->title, 200);
	}
	buf_adds(out, "\n\n");
	put_warnings(out, doc);
	put_totals(out, doc->view);
	for (size_t i = 0; i < doc->view->facts.count; i++) {
		put_bounded(out, doc, doc->view->facts.items[i]);
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

/* As much of a block as fits: whole lines, with what stands behind them. */
static bool add_line(struct buf *block, const struct buf *line)
{
	if (block->len + line->len > DETAILS_MAX)
		return false;
	buf_add(block, buf_str(line), line->len);
	return true;
}

static void more_lines(struct buf *out, size_t count)
{
	buf_adds(out, "# and ");
	put_plural(out, count, "more line");
	buf_adds(out, ": --format json has all\n");
}

static void diff_block(struct buf *out, const struct plan_entry *entry)
{
	buf_auto struct buf text = BUF_INIT;

	for (size_t i = 0; i < entry->remarks.count; i++) {
		buf_clear(&text);
		buf_addf(&text, "# %s\n", entry->remarks.items[i]);
		if (!add_line(out, &text)) {
			more_lines(out, entry->remarks.count - i + entry->lines.count);
			return;
		}
	}
	for (size_t i = 0; i < entry->lines.count; i++) {
		const struct plan_line *line = &entry->lines.items[i];

		buf_clear(&text);
		buf_addf(&text, "%c %*s%s", diff_sign(line->sign), (int)line->depth, "", line->text);
		if (line->remark != NULL)
			buf_addf(&text, "  # %s", line->remark);
		buf_addc(&text, '\n');
		if (!add_line(out, &text)) {
			more_lines(out, entry->lines.count - i);
			return;
		}
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

void markdown_put_entry(struct buf *out, const struct plan_entry *entry, enum markdown_fold fold)
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

static void count_rows(struct map *rows, const struct markdown_document *doc, size_t section)
{
	for (size_t i = 0; i < doc->count; i++) {
		const struct markdown_item *item = &doc->items[i];
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

static void put_table(struct buf *out, struct markdown_document *doc, size_t section)
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

void markdown_put_whole(struct buf *out, const struct markdown_document *doc)
{
	if (doc->whole != NULL)
		put_code(out, doc->whole, 200);
	else
		buf_adds(out, "<code>muster show FILE</code>, FILE being the saved plan");
}

/* -- Notes --------------------------------------------------------------------------------------------------------- */

static void put_note(struct buf *out, struct markdown_document *doc, const struct plan_view_note *note)
{
	buf_adds(out, "- ");
	if (note->where != NULL)
		put_bounded(out, doc, note->where);
	if (note->subject != NULL) {
		buf_adds(out, note->where != NULL ? ": " : "");
		put_code(out, note->subject, NOTE_MAX);
	}
	if (*note->text != '\0') {
		buf_adds(out, note->where != NULL || note->subject != NULL ? ": " : "");
		put_bounded(out, doc, note->text);
	}
	buf_addc(out, '\n');
}

static void put_notes(struct buf *out, struct markdown_document *doc, size_t kind)
{
	const struct plan_view_notes *notes = &doc->view->notes[kind];
	size_t shown = notes->count < NOTES_MAX ? notes->count : NOTES_MAX;

	buf_addf(out, "**%s**", notes->heading);
	if (doc->notes_folded[kind]) {
		buf_adds(out, ": ");
		put_plural(out, notes->count, "note");
		buf_adds(out, "\n\n");
		return;
	}
	buf_adds(out, "\n\n");
	for (size_t i = 0; i < shown; i++)
		put_note(out, doc, &notes->items[i]);
	if (shown < notes->count) {
		buf_adds(out, "- and ");
		put_number(out, notes->count - shown);
		buf_adds(out, " more: ");
		markdown_put_whole(out, doc);
		buf_addc(out, '\n');
	}
	buf_addc(out, '\n');
}

/* -- End ----------------------------------------------------------------------------------------------------------- */

struct folded {
	size_t details[PLAN_DELETE + 1]; /* entries without their diff, by action */
	size_t where, table, notes;
};

static void count_folded(struct folded *out, const struct markdown_document *doc)
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

static void put_folded(struct buf *out, const struct markdown_document *doc)
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
	if (!any && folded.notes + doc->warnings_left_out + doc->signers_left_out + doc->texts_cut > 0)
		buf_adds(out, "> [!NOTE]\n> Folded to fit: ");
	put_folded_part(out, &any, folded.where, "entry does not say where", "entries do not say where");
	put_folded_part(out, &any, folded.table, "entry is only counted in a table",
			"entries are only counted in a table");
	put_folded_part(out, &any, doc->rows_left_out, "row of a table is left out", "rows of tables are left out");
	put_folded_part(out, &any, folded.notes, "kind of notes is only counted", "kinds of notes are only counted");
	put_folded_part(out, &any, doc->warnings_left_out, "warning is left out", "warnings are left out");
	put_folded_part(out, &any, doc->signers_left_out, "signature is left out", "signatures are left out");
	put_folded_part(out, &any, doc->texts_cut, "text is cut short", "texts are cut short");
	if (!any)
		return;
	buf_adds(out, ". All of it: ");
	markdown_put_whole(out, doc);
	buf_adds(out, ".\n\n");
}

static void put_end(struct buf *out, const struct markdown_document *doc)
{
	const struct plan_view *view = doc->view;

	for (size_t i = 0; i < view->signers.count && i < WARNINGS_MAX; i++) {
		buf_adds(out, "Carries a signature that names ");
		put_code(out, view->signers.items[i], 200);
		buf_adds(out, " (checked by apply).\n");
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

static void put_sections(struct buf *out, struct markdown_document *doc)
{
	for (size_t s = 0, i = 0; s < doc->view->section_count; s++) {
		if (doc->view->sections[s].heading != NULL) {
			buf_adds(out, "#### ");
			markdown_text(out, doc->view->sections[s].heading, 200);
			buf_adds(out, doc->view->sections[s].count == 0 ? "\n\nNothing.\n\n" : "\n\n");
		}
		for (; i < doc->count && doc->items[i].section == s; i++)
			if (doc->items[i].fold != FOLD_TABLE)
				markdown_put_entry(out, doc->items[i].entry, doc->items[i].fold);
		put_table(out, doc, s);
	}
}

void markdown_put_document(struct buf *out, struct markdown_document *doc)
{
	buf_clear(out);
	doc->rows_left_out = doc->warnings_left_out = doc->texts_cut = 0;
	doc->signers_left_out = doc->view->signers.count > WARNINGS_MAX ? doc->view->signers.count - WARNINGS_MAX : 0;
	put_head(out, doc);
	put_sections(out, doc);
	for (size_t i = 0; i < doc->view->note_count; i++)
		put_notes(out, doc, i);
	put_folded(out, doc);
	put_end(out, doc);
}
