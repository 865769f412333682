/* The plan for a pull request: a view (view.h) as GitHub-flavoured markdown that fits a comment. What does not fit is
 * folded, the least important first, and the end says what was; what goes where is decided in lengths before anything
 * is written, so nothing is ever cut.
 *
 * Lengths are bytes of UTF-8: never fewer than the code points or UTF-16 units that GitHub may count. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/markdown_document.h"
#include "plan/plan.h"

/* GitHub takes 65,536. The rest is for what whoever posts it puts around it: a heading, a link, a hidden mark. */
#define MAX_DEFAULT 62000
#define MAX_LEAST   1000
/* Columns of a line in a diff block. */
#define WIDTH 110

/* -- Folding ------------------------------------------------------------------------------------------------------- */

/* The least important first. */
static const enum plan_action fold_order[] = {PLAN_CREATE, PLAN_FORGET,  PLAN_ADOPT,
					      PLAN_UPDATE, PLAN_REPLACE, PLAN_DELETE};
#define FOLD_ORDER (sizeof fold_order / sizeof *fold_order)
/* What the words on folding may take. */
#define FOLDED_ROOM 700

static size_t length_now(struct markdown_document *doc)
{
	buf_auto struct buf out = BUF_INIT;

	markdown_put_document(&out, doc);
	return out.len;
}

/* Folds entries of one action one by one, from the last, while the whole is longer than may be. */
static void fold_action(struct markdown_document *doc, size_t *length, size_t section, enum plan_action action,
			enum markdown_fold fold)
{
	for (size_t i = doc->count; i-- > 0 && *length + FOLDED_ROOM > doc->max;) {
		struct markdown_item *item = &doc->items[i];

		if (item->section != section || item->entry->action != action || item->fold >= fold)
			continue;
		*length -= item->length[item->fold] - item->length[fold];
		item->fold = fold;
	}
}

static void fold_to_table(struct markdown_document *doc, size_t *length, size_t section, enum plan_action action)
{
	if (*length + FOLDED_ROOM <= doc->max)
		return;
	for (size_t i = 0; i < doc->count; i++)
		if (doc->items[i].section == section && doc->items[i].entry->action == action)
			doc->items[i].fold = FOLD_TABLE;
	*length = length_now(doc);
}

/* Outputs before what is done to resources, and these in their order. */
static size_t section_at(const struct plan_view *view, size_t n)
{
	size_t last = view->section_count - 1;

	if (!view->sections[last].outputs)
		return n;
	return n == 0 ? last : n - 1;
}

static void fold_entries(struct markdown_document *doc, size_t *length, enum markdown_fold fold)
{
	bool drift = doc->view->plan->drift;

	/* What was reported before says less than what is new. But what was pending before a branch is applied all the
	 * same, and that it was pending is only what the plan's file says: it is folded after what it stands beside. */
	for (size_t n = 0; n < doc->view->section_count * FOLD_ORDER; n++) {
		size_t s = drift ? doc->view->section_count - 1 - n / FOLD_ORDER
				 : section_at(doc->view, n % doc->view->section_count);
		size_t i = drift ? n % FOLD_ORDER : n / doc->view->section_count;

		if (fold == FOLD_TABLE)
			fold_to_table(doc, length, s, fold_order[i]);
		else
			fold_action(doc, length, s, fold_order[i], fold);
	}
}

static void fold_notes(struct markdown_document *doc, size_t *length)
{
	for (size_t i = doc->view->note_count; i-- > 0 && *length + FOLDED_ROOM > doc->max;) {
		doc->notes_folded[i] = true;
		*length = length_now(doc);
	}
}

static void fold(struct markdown_document *doc)
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

static void measure(struct markdown_item *item)
{
	for (int f = FOLD_NONE; f < FOLD_TABLE; f++) {
		buf_auto struct buf out = BUF_INIT;

		markdown_put_entry(&out, item->entry, f);
		item->length[f] = out.len;
	}
}

static void document_open(struct markdown_document *doc, const struct plan_view *view)
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
	struct markdown_document doc = {.title = options->title != NULL ? options->title : "muster plan",
					.whole = options->whole};
	buf_auto struct buf text = BUF_INIT;
	mem_auto_str char *title = plan_view_cleaned(doc.title);
	struct plan_view view;

	plan_view_make(&view, plan, WIDTH, false);
	doc.view = &view;
	doc.title = title;
	doc.max = max < MAX_LEAST ? MAX_LEAST : max;
	document_open(&doc, &view);
	fold(&doc);
	markdown_put_document(&text, &doc);
	if (text.len > doc.max) {
		/* Head and end alone are too long. */
		buf_clear(&text);
		buf_addf(&text, "### %s\n\nThis does not fit here, not even folded. All of it: ",
			 doc.whole != NULL ? "Changes" : "muster plan");
		markdown_put_whole(&text, &doc);
		buf_adds(&text, ".\n");
	}
	buf_add(out, buf_str(&text), text.len);
	free(doc.items);
	free(doc.notes_folded);
	plan_view_free(&view);
}
