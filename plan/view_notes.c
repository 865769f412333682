/* What is not in the changes although somebody might look for it there: skipped, unreachable, blocked, left behind.
 * The same note of many targets is said once. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "plan/abstract.h"
#include "plan/view.h"
#include "plan/where.h"

static const char *const headings[PLAN_NOTE_OTHER + 1] = {
    [PLAN_NOTE_REGION_SKIPPED] = "Skipped: regions that are not enabled",
    [PLAN_NOTE_UNREACHABLE] = "Unreachable: nothing is planned there, records are kept",
    [PLAN_NOTE_BLOCKED] = "Blocked: unchanged until what they need is there",
    [PLAN_NOTE_REMEMBERED_REGIONS] = "Regions could not be asked for: the remembered ones are used",
    [PLAN_NOTE_TYPE_NOT_IN_REGION] = "Skipped: types that a region lacks",
    [PLAN_NOTE_INTENT] = "Left open by a run that was cut off",
    [PLAN_NOTE_LEFT] = "Left in AWS",
    [PLAN_NOTE_DATA] = "Data that is destroyed for good",
    [PLAN_NOTE_RESOLVED] = "Resolved since the last report",
    [PLAN_NOTE_WITHDRAWN] = "Taken back by this branch: what the base would do",
    [PLAN_NOTE_OTHER] = "Notes",
};
/* What must not be overlooked comes first; what is for those who approve stands above all, among the warnings. */
static const enum plan_note_kind order[] = {
    PLAN_NOTE_DATA,
    PLAN_NOTE_UNREACHABLE,
    PLAN_NOTE_REMEMBERED_REGIONS,
    PLAN_NOTE_INTENT,
    PLAN_NOTE_WITHDRAWN,
    PLAN_NOTE_RESOLVED,
    PLAN_NOTE_BLOCKED,
    PLAN_NOTE_LEFT,
    PLAN_NOTE_REGION_SKIPPED,
    PLAN_NOTE_TYPE_NOT_IN_REGION,
    PLAN_NOTE_OTHER,
};

/* Notes that say the same of several targets. */
struct note_group {
	enum plan_note_kind kind;
	char *subject, *text; /* subject: "stack/LogicalId", "stack", or NULL */
	struct plan_where *where;
	size_t count, room;
	bool whole_accounts; /* members name accounts without regions */
	bool by_cause;       /* said once for all resources that it keeps from being planned */
	struct map subjects; /* by cause: which these are */
	struct map seen;     /* "account/region" of `where` */
};

struct note_groups {
	struct map by_key; /* -> struct note_group * */
	struct map words;  /* account and region names that were cut out of addresses: name -> kept copy */
	const struct plan *plan;
};

static const char *keep_word(struct note_groups *g, const char *text, size_t len)
{
	mem_auto_str char *word = mem_strndup(text, len);
	char *kept = map_get(&g->words, word);

	if (kept == NULL) {
		kept = mem_strdup(word);
		map_set(&g->words, word, kept);
	}
	return kept;
}

/* Splits "account/region/stack/LogicalId"; what stays is the last two parts, or the stack. */
static const char *split_address(struct note_groups *g, const char *subject, const char **account, const char **region)
{
	const char *slash = subject != NULL ? strchr(subject, '/') : NULL, *second;

	if (slash == NULL)
		return subject;
	second = strchr(slash + 1, '/');
	if (second == NULL)
		return subject;
	if (*account == NULL) {
		*account = keep_word(g, subject, (size_t)(slash - subject));
		*region = keep_word(g, slash + 1, (size_t)(second - slash - 1));
	}
	return second + 1;
}

static const char *account_id(const struct plan *plan, const char *name)
{
	for (size_t i = 0; name != NULL && i < plan->account_count; i++)
		if (strcmp(plan->accounts[i].name, name) == 0)
			return plan->accounts[i].id;
	return NULL;
}

static void note_place(struct note_groups *g, const struct plan_note *note)
{
	const char *account = note->account, *region = note->region;
	const char *subject = split_address(g, note->subject, &account, &region);
	buf_auto struct buf text = BUF_INIT, key = BUF_INIT;
	bool by_cause = note->kind == PLAN_NOTE_UNREACHABLE;
	struct note_group *group;

	plan_abstract_text(&text, note->text != NULL ? note->text : "", account, account_id(g->plan, account), region);
	buf_addf(&key, "%d\n%s\n%s\n%d", note->kind, subject != NULL && !by_cause ? subject : "", buf_str(&text),
		 region == NULL);
	group = map_get(&g->by_key, buf_str(&key));
	if (group == NULL) {
		group = mem_alloc(sizeof *group);
		group->kind = note->kind;
		group->subject = by_cause ? NULL : mem_strdup(subject);
		group->by_cause = by_cause;
		/* As long as it is alone it is said in its own words. */
		group->text = mem_strdup(note->text != NULL ? note->text : "");
		group->whole_accounts = region == NULL;
		map_set(&g->by_key, buf_str(&key), group);
	} else if (strcmp(group->text, note->text != NULL ? note->text : "") != 0) {
		free(group->text);
		group->text = buf_detach(&text);
	}
	if (by_cause && subject != NULL)
		map_set(&group->subjects, subject, group);
	if (account == NULL)
		return;
	buf_clear(&key);
	buf_addf(&key, "%s/%s", account, region != NULL ? region : "");
	if (map_set(&group->seen, buf_str(&key), group) != NULL)
		return;
	if (group->count == group->room) {
		group->room = group->room == 0 ? 4 : 2 * group->room;
		group->where = mem_resize(group->where, group->room, sizeof *group->where);
	}
	group->where[group->count++] = (struct plan_where){account, region != NULL ? region : ""};
}

/* Accounts by name, three at most. */
static void add_accounts(struct buf *out, const struct note_group *group)
{
	for (size_t i = 0; i < group->count && i < 3; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", group->where[i].account);
	if (group->count > 3) {
		buf_adds(out, " and ");
		plan_count_words(out, group->count - 3);
		buf_adds(out, group->count == 4 ? " more account" : " more accounts");
	}
}

static struct plan_where_set *all_places(const struct plan *plan, const struct note_groups *g)
{
	struct plan_where *items = NULL;
	size_t count = 0, room = 0;
	struct plan_where_set *set;

	for (size_t i = 0; i < plan->account_count; i++)
		room += json_array_size(plan->accounts[i].regions);
	for (size_t i = 0; i < g->by_key.count; i++)
		room += ((struct note_group *)g->by_key.entries[i].value)->count;
	items = mem_array(room, sizeof *items);
	for (size_t i = 0; i < plan->account_count; i++) {
		json_t *region;
		size_t k;

		json_array_foreach(plan->accounts[i].regions, k, region)
		{
			if (json_is_string(region))
				items[count++] = (struct plan_where){plan->accounts[i].name, json_string_value(region)};
		}
	}
	for (size_t i = 0; i < g->by_key.count; i++) {
		const struct note_group *group = g->by_key.entries[i].value;

		for (size_t k = 0; !group->whole_accounts && k < group->count; k++)
			items[count++] = group->where[k];
	}
	set = plan_where_set_new(items, count, plan->home_region);
	free(items);
	return set;
}

/* "12 resources", or the one that it is. */
static void add_subjects(struct buf *out, const struct note_group *group)
{
	if (group->subject != NULL)
		buf_adds(out, group->subject);
	else if (group->subjects.live == 1)
		buf_adds(out, group->subjects.entries[0].key);
	else if (group->subjects.live > 1) {
		plan_count_words(out, group->subjects.live);
		buf_adds(out, " resources");
	}
}

static struct plan_view_note note_make(struct plan_where_set *places, const struct note_group *group)
{
	buf_auto struct buf where = BUF_INIT, subject = BUF_INIT;

	if (group->count > 0 && group->whole_accounts)
		add_accounts(&where, group);
	else if (group->count > 0)
		plan_where_set_words(&where, places, group->where, group->count);
	add_subjects(&subject, group);
	return (struct plan_view_note){
	    .where = plan_view_cleaned(where.len > 0 ? buf_str(&where) : NULL),
	    .subject = plan_view_cleaned(subject.len > 0 ? buf_str(&subject) : NULL),
	    .text = plan_view_cleaned(group->text),
	};
}

static void make_kind(struct plan_view *view, const struct note_groups *g, struct plan_where_set *places,
		      enum plan_note_kind kind)
{
	struct plan_view_notes notes = {.kind = kind, .heading = headings[kind]};

	if (kind == PLAN_NOTE_UNREACHABLE && view->plan->drift)
		notes.heading = "Unreachable: nobody knows what is there now";
	notes.items = mem_array(g->by_key.count, sizeof *notes.items);
	for (size_t i = 0; i < g->by_key.count; i++) {
		const struct note_group *group = g->by_key.entries[i].value;

		if (group->kind == kind)
			notes.items[notes.count++] = note_make(places, group);
	}
	if (notes.count > 0)
		view->notes[view->note_count++] = notes;
	else
		free(notes.items);
}

static void free_group(void *value)
{
	struct note_group *group = value;

	free(group->subject);
	free(group->text);
	free(group->where);
	map_free(&group->subjects, NULL);
	map_free(&group->seen, NULL);
	free(group);
}

void plan_view_notes_make(struct plan_view *view)
{
	const struct plan *plan = view->plan;
	struct note_groups g = {.plan = plan};
	struct plan_where_set *places;

	for (size_t i = 0; i < plan->note_count; i++)
		note_place(&g, &plan->notes[i]);
	places = all_places(plan, &g);
	view->notes = mem_array(sizeof order / sizeof *order, sizeof *view->notes);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		make_kind(view, &g, places, order[i]);
	plan_where_set_free(places);
	map_free(&g.by_key, free_group);
	map_free(&g.words, free);
}
