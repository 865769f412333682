/* A plan as a reader sees it, before it is text, markdown or HTML: what is said, in which order and in which words.
 * Renderers only walk this; what to say is decided here once. Private to the plan room.
 *
 * Every string of a view is one line of valid UTF-8 without characters that move a cursor or turn the direction of
 * text: a renderer has only its own format's escaping to do. */
#ifndef MUSTER_PLAN_VIEW_H
#define MUSTER_PLAN_VIEW_H

#include "base/map.h"
#include "plan/group.h"

/* -- Lines: what is different, as a reader sees it (view_lines.c, view_value.c, view_unknown.c, view_changed.c,
 * view_text.c) ------------------------------------------------------------------------------------------------------
 */

/* Strings longer than this are shown by beginning and end, or around what is different. */
#define PLAN_VIEW_STRING_MAX 400
/* Texts of several lines are shown up to so many lines; differences between two, too. */
#define PLAN_VIEW_TEXT_LINES 40
#define PLAN_VIEW_DIFF_LINES 200
/* Items of a list that go, come or are whole, one a line. */
#define PLAN_VIEW_ITEMS 60

struct plan_line {
	char sign;      /* '+', '-', '~'; ' ': as it was; '#': a remark on what is not shown */
	unsigned depth; /* columns from the left edge of the entry */
	char *text;     /* without sign and depth */
	char *remark;   /* why it matters ("forces replacement"), or NULL */
};

struct plan_lines {
	struct plan_line *items;
	size_t count, room;
	size_t width;                 /* columns that there are; what does not fit goes over several lines */
	bool whole;                   /* long strings are shown whole */
	const char *account, *region; /* of the target that is looked at, or NULL: others are named in full */
};

/* Adds a line; `text` and `remark` (may be NULL) are cleaned and copied. */
void plan_lines_add(struct plan_lines *lines, size_t depth, char sign, const char *text, const char *remark);
void plan_lines_free(struct plan_lines *lines);

/* Puts `text` into `out` so that it is safe to show on one line: see text_clean(). */
void plan_view_clean(struct buf *out, const char *text, size_t len);
/* The same as a new string; NULL gives NULL. */
char *plan_view_cleaned(const char *text);

/* One line of JSON; "(known after apply: Arn of stack/Resource)" and "(sensitive)" for what cannot be shown, with all
 * that is known around it: "arn:aws:s3:::x-(known after apply: ...)", Fn::Split(",", "..."). `lines` says what target
 * is looked at and whether long strings are cut; may be NULL. */
void plan_value_inline(struct buf *out, const struct plan_lines *lines, const json_t *value);
/* The same, nothing cut. */
void plan_value_inline_whole(struct buf *out, const struct plan_lines *lines, const json_t *value);
/* Two strings; where one is long, both only around what is different. */
void plan_value_excerpts(struct buf *old, struct buf *new, const struct plan_lines *lines, const json_t *before,
			 const json_t *after);
/* A member's name and a path of them as labels: in quotes unless they are plain. New strings; NULL gives NULL. */
char *plan_key_label(const char *key);
char *plan_path_label(const char *path);

/* Whether a value itself is not known yet: a residual with an attribute in it. (view_unknown.c) */
bool plan_value_is_unknown(const json_t *value);
/* "(known after apply: ...)" or "(sensitive)" for what has nothing to show in it; false: it has. */
bool plan_value_hole(struct buf *out, const struct plan_lines *lines, const json_t *value);
/* A joined text that is known in part as a string with holes, others as they are. New reference. */
json_t *plan_value_opened(const struct plan_lines *lines, const json_t *value);
/* The document that a value is or that its text holds, with holes. New reference, or NULL: there is none. */
json_t *plan_value_document(const struct plan_lines *lines, const json_t *value);
/* A function over what is known in part, but for a joined text: adds "Fn::Split(\",\", ", to be closed, and returns
 * what it is over; NULL: the value is none. */
const json_t *plan_value_subject(struct buf *out, const json_t *value);

/* What a property has or loses: on one line where that fits, else over several. `label`, `remark` may be NULL. */
void plan_value_whole(struct plan_lines *lines, size_t depth, char sign, const char *label, const json_t *value,
		      const char *remark);
/* What is different, and only that. */
void plan_value_changed(struct plan_lines *lines, size_t depth, const char *label, const json_t *before,
			const json_t *after, const char *remark);
/* Whether a value is neither a secret nor unknown; ... and has members; a text of more than one line. */
bool plan_value_is_shown(const json_t *value);
bool plan_value_is_container(const json_t *value);
bool plan_value_is_text(const json_t *value);
/* A line "Label: value", "Label:" or "value". */
void plan_lines_labelled(struct plan_lines *lines, size_t depth, char sign, const char *label, const char *value,
			 const char *remark);
/* "and 9 more...: --format json has all" */
void plan_lines_more(struct plan_lines *lines, size_t depth, size_t count, const char *what);
/* A text of several lines, whole; and two of them, line by line. */
void plan_text_whole(struct plan_lines *lines, size_t depth, char sign, const char *text);
void plan_text_changed(struct plan_lines *lines, size_t depth, const char *before, const char *after);

/* -- The view --------------------------------------------------------------------------------------------------------
 */

struct plan_texts {
	char **items;
	size_t count, room;
};
/* Adds a copy, cleaned. */
void plan_texts_add(struct plan_texts *texts, const char *text);
void plan_texts_free(struct plan_texts *texts);

/* One change in all its targets. */
struct plan_entry {
	const struct plan_group *group;
	enum plan_action action;
	const char *sign, *verb; /* "-/+", "replace" */
	char *title;             /* "recording/Trail", "detection/Rule${each}" */
	char *type;
	char *where;  /* "all 340 targets" */
	size_t count; /* resources */
	struct plan_texts remarks;
	struct plan_lines lines;
};

struct plan_section {
	char *heading;              /* NULL: there is only one section */
	bool outputs;               /* its entries are outputs of stacks, not resources */
	struct plan_entry *entries; /* what a reader must care about most first */
	size_t count;
};

struct plan_view_note {
	char *where, *subject; /* NULL: none */
	char *text;            /* never NULL; may be empty */
};
struct plan_view_notes {
	enum plan_note_kind kind;
	const char *heading;
	struct plan_view_note *items;
	size_t count;
};

struct plan_view_total {
	const char *verb;
	size_t count, targets;
};
struct plan_view_count {
	char *name;
	size_t count;
};

#define PLAN_VIEW_TOTALS 7
/* Totals by account and by region are listed up to this many. */
#define PLAN_VIEW_COUNTS_MAX 10

struct plan_view {
	const struct plan *plan;
	struct plan_groups groups;
	char *title;                /* NULL, or what this is when it is no plain plan: "Rollback to generation 12" */
	struct plan_texts warnings; /* stand before all else: for approvers, and limits that are exceeded */
	struct plan_section sections[3];
	size_t section_count; /* 1 or 2 of changes, and one of outputs where some change */
	struct plan *outputs; /* those as changes, so that they are grouped like these; NULL: none */
	struct plan_groups output_groups;
	struct plan_view_notes *notes; /* what must not be overlooked comes first */
	size_t note_count;
	struct plan_view_total totals[PLAN_VIEW_TOTALS]; /* create, update, replace, delete, adopt, forget, move */
	struct plan_view_count *accounts, *regions;      /* changes in each, in the order of the plan */
	size_t account_count, region_count;
	const char *label;        /* "Plan:", "Drift:", "Changed:": stands before the summary */
	char *summary;            /* "12 to create in 3 of 3 targets, 0 to update, ..." or NULL: there are no changes */
	char *nothing;            /* "No changes." when there are none, else NULL */
	struct plan_texts facts;  /* "1,234 resources are as specified.", ... */
	struct plan_texts origin; /* "digest ...", "commit ...": what it was made from */
	struct plan_texts signers;
};

/* `width`: columns of a line of an entry; `whole`: long strings are not cut. The plan must outlive the view. */
void plan_view_make(struct plan_view *out, const struct plan *plan, size_t width, bool whole);
void plan_view_free(struct plan_view *view);
/* "create", ...; "created" of what has happened; in a drift report "changed" and "gone". */
const char *plan_view_verb(const struct plan *plan, enum plan_action action);
const char *plan_view_move_verb(const struct plan *plan);

/* What depends, in the plan itself, on what is deleted or replaced. `names` (view_remarks.c) says, for each group, how
 * often which "stack/LogicalId" does: size_t *. */
struct plan_dependents {
	struct map group_of; /* address of what goes or is replaced -> its group's index + 1 */
	struct map *names;
};
void plan_dependents_find(struct plan_dependents *d, const struct plan *plan, const struct plan_groups *groups);
void plan_dependents_free(struct plan_dependents *d, size_t count);
/* "1 to create in 1 of 3 targets" for the changes of one section; nothing where it has none. (view_totals.c) */
void plan_view_section_totals(struct buf *out, const struct plan_view *view, bool pending);
/* What changes of Protect and DeletionPolicy, a line each. (view_policies.c) */
void plan_view_policies(struct plan_lines *lines, const struct plan_change *change);
/* Why a group's change is made, and whom it touches: a line each. (view_remarks.c) */
void plan_view_remarks_make(struct plan_texts *remarks, const struct plan *plan, const struct plan_group *group,
			    const struct map *dependents);
/* Adds the section of outputs, and a fact that counts them (view_outputs.c). */
void plan_view_outputs_make(struct plan_view *view, size_t width, bool whole);
/* Fills totals, counts and summary (view_totals.c). */
void plan_view_totals_make(struct plan_view *view);
/* One more of `name` in a map of size_t *, to be freed with map_free(counts, free). */
void plan_view_count_name(struct map *counts, const char *name);
/* Fills view->notes (view_notes.c). */
void plan_view_notes_make(struct plan_view *view);

#endif
