/* What the files that render a plan as markdown share: the document, and how much of each part is folded. Private. */
#ifndef MUSTER_PLAN_MARKDOWN_DOCUMENT_H
#define MUSTER_PLAN_MARKDOWN_DOCUMENT_H

#include "plan/view.h"

/* How much of an entry is left. */
enum markdown_fold { FOLD_NONE, FOLD_DETAILS, FOLD_WHERE, FOLD_TABLE };

struct markdown_item {
	const struct plan_entry *entry;
	size_t section;
	enum markdown_fold fold;
	size_t length[FOLD_TABLE]; /* at each fold; in a table it is the table's */
};

struct markdown_document {
	const struct plan_view *view;
	const char *title;
	const char *whole; /* the command that shows all of it, or NULL */
	size_t max;
	struct markdown_item *items;
	size_t count;
	bool *notes_folded;   /* of each kind */
	size_t rows_shown;    /* of the tables */
	size_t rows_left_out; /* set while writing, as those below */
	size_t signers_left_out, warnings_left_out, texts_cut;
};

/* An entry at a fold that is not FOLD_TABLE. */
void markdown_put_entry(struct buf *out, const struct plan_entry *entry, enum markdown_fold fold);
/* How to see what is folded. */
void markdown_put_whole(struct buf *out, const struct markdown_document *doc);
/* The whole document, in place of what `out` holds. */
void markdown_put_document(struct buf *out, struct markdown_document *doc);

#endif
