/* The plan as one page that needs no network: a view (view.h) as JSON in a frame of HTML, style and script that are
 * embedded in the program (plan/html/). The page's own policy lets nothing run or load but these. Where the same change
 * is in many targets, the page holds indexes, as runs: it grows with what there is to read, not with the fleet. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/page.h"
#include "plan/plan.h"
#include "plan/view.h"

/* Columns of a line in a diff. */
#define WIDTH 104
/* Entries past this many are listed without what is different, so that a browser can still show the page. */
#define ENTRIES_IN_FULL 2000

/* -- Targets as numbers: account * regions + region -----------------------------------------------------------------
 */

struct names {
	struct map index; /* name -> index + 1 */
	const char **items;
	size_t count, room;
};

static void names_add(struct names *names, const char *name)
{
	if (name == NULL || map_has(&names->index, name))
		return;
	if (names->count == names->room) {
		names->room = names->room == 0 ? 32 : 2 * names->room;
		names->items = mem_resize(names->items, names->room, sizeof *names->items);
	}
	names->items[names->count++] = name;
	map_set(&names->index, name, (void *)(uintptr_t)names->count);
}

static size_t names_find(const struct names *names, const char *name)
{
	return (uintptr_t)map_get(&names->index, name) - 1;
}

static void names_free(struct names *names)
{
	map_free(&names->index, NULL);
	free(names->items);
}

static int order_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In alphabetical order, the home region first. */
static void regions_sort(struct names *regions, const char *home)
{
	if (regions->count == 0)
		return;
	qsort(regions->items, regions->count, sizeof *regions->items, order_names);
	for (size_t i = 1; home != NULL && i < regions->count; i++) {
		const char *name = regions->items[i];

		if (strcmp(name, home) != 0)
			continue;
		memmove(regions->items + 1, regions->items, i * sizeof *regions->items);
		regions->items[0] = name;
	}
	for (size_t i = 0; i < regions->count; i++)
		map_set(&regions->index, regions->items[i], (void *)(uintptr_t)(i + 1));
}

struct fleet {
	struct names accounts, regions;
};

static void fleet_open(struct fleet *f, const struct plan *plan)
{
	json_t *accounts, *regions, *region;
	const char *stack, *account;
	size_t i;

	*f = (struct fleet){0};
	json_object_foreach(plan->reached, stack, accounts)
	{
		json_object_foreach(accounts, account, regions)
		{
			json_array_foreach(regions, i, region) names_add(&f->regions, json_string_value(region));
		}
	}
	for (i = 0; i < plan->account_count; i++)
		names_add(&f->accounts, plan->accounts[i].name);
	json_object_foreach(plan->reached, stack, accounts)
	{
		json_object_foreach(accounts, account, regions) names_add(&f->accounts, account);
	}
	for (i = 0; i < plan->change_count; i++) {
		names_add(&f->accounts, plan->changes[i].account);
		names_add(&f->regions, plan->changes[i].region);
	}
	for (i = 0; i < plan->output_count; i++) {
		names_add(&f->accounts, plan->outputs[i].account);
		names_add(&f->regions, plan->outputs[i].region);
	}
	regions_sort(&f->regions, plan->home_region);
}

static int order_numbers(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

/* [first, count, first, count, ...]; sorts `targets`, each counts once. */
static json_t *runs(size_t *targets, size_t count)
{
	json_t *list = json_array();

	if (count > 0)
		qsort(targets, count, sizeof *targets, order_numbers);
	for (size_t i = 0; i < count;) {
		size_t first = targets[i], last = first;

		for (; i < count && targets[i] <= last + 1; i++)
			last = targets[i];
		json_array_append_new(list, json_integer((json_int_t)first));
		json_array_append_new(list, json_integer((json_int_t)(last - first + 1)));
	}
	return list;
}

static size_t target_of(const struct fleet *f, const char *account, const char *region)
{
	return names_find(&f->accounts, account) * f->regions.count + names_find(&f->regions, region);
}

static json_t *entry_targets(const struct fleet *f, const struct plan_group *group)
{
	size_t *targets = mem_array(group->count, sizeof *targets);
	json_t *list;

	for (size_t i = 0; i < group->count; i++)
		targets[i] = target_of(f, group->where[i].account, group->where[i].region);
	list = runs(targets, group->count);
	free(targets);
	return list;
}

static json_t *reached(const struct fleet *f, const struct plan *plan)
{
	size_t room = f->accounts.count * f->regions.count, count = 0, i;
	bool *seen = mem_array(room, sizeof *seen);
	size_t *targets = mem_array(room, sizeof *targets);
	json_t *accounts, *regions, *region, *list;
	const char *stack, *account;

	json_object_foreach(plan->reached, stack, accounts)
	{
		json_object_foreach(accounts, account, regions)
		{
			json_array_foreach(regions, i, region)
			{
				if (json_is_string(region))
					seen[target_of(f, account, json_string_value(region))] = true;
			}
		}
	}
	for (i = 0; i < room; i++)
		if (seen[i])
			targets[count++] = i;
	list = runs(targets, count);
	free(seen);
	free(targets);
	return list;
}

/* -- The view as JSON ---------------------------------------------------------------------------------------------- */

static json_t *texts(const struct plan_texts *texts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < texts->count; i++)
		json_array_append_new(list, json_string(texts->items[i]));
	return list;
}

static json_t *cleaned_names(const struct names *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->count; i++) {
		mem_auto_str char *name = plan_view_cleaned(names->items[i]);

		json_array_append_new(list, json_string(name));
	}
	return list;
}

static json_t *lines(const struct plan_lines *lines)
{
	json_t *list = json_array();

	for (size_t i = 0; i < lines->count; i++) {
		const struct plan_line *line = &lines->items[i];
		const char sign[2] = {line->sign, '\0'};
		json_t *item = json_pack("[s, i, s]", sign, (int)line->depth, line->text);

		if (line->remark != NULL)
			json_array_append_new(item, json_string(line->remark));
		json_array_append_new(list, item);
	}
	return list;
}

/* What colours an entry: what is done, whatever it is called in a report of what was. */
static const char *kind(const struct plan_entry *entry)
{
	return plan_group_is_move(entry->group->sample) ? "move" : plan_action_name(entry->action);
}

static json_t *entry_json(const struct fleet *f, const struct plan_entry *entry, size_t section, bool full)
{
	size_t each = entry->group->each_count;
	json_t *object =
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I}", "a", kind(entry), "v", entry->verb, "s",
		      entry->sign, "t", entry->title, "y", entry->type, "w", entry->where, "m",
		      entry_targets(f, entry->group), "p", (json_int_t)section, "k", (json_int_t)(each > 0 ? each : 1));

	if (entry->remarks.count > 0)
		json_object_set_new(object, "r", texts(&entry->remarks));
	if (full)
		json_object_set_new(object, "l", lines(&entry->lines));
	else
		json_object_set_new(object, "l",
				    json_pack("[[s, i, s]]", "#", 0, "muster show FILE says what is different"));
	return object;
}

static void add_sections(json_t *root, const struct fleet *f, const struct plan_view *view)
{
	json_t *sections = json_array(), *entries = json_array();

	for (size_t s = 0; s < view->section_count; s++) {
		const struct plan_section *section = &view->sections[s];

		json_array_append_new(sections, section->heading != NULL ? json_string(section->heading) : json_null());
		for (size_t i = 0; i < section->count; i++)
			json_array_append_new(entries, entry_json(f, &section->entries[i], s,
								  json_array_size(entries) < ENTRIES_IN_FULL));
	}
	json_object_set_new(root, "sections", sections);
	json_object_set_new(root, "entries", entries);
}

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *notes(const struct plan_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->note_count; i++) {
		const struct plan_view_notes *notes = &view->notes[i];
		json_t *items = json_array();

		for (size_t k = 0; k < notes->count; k++)
			json_array_append_new(items,
					      json_pack("[o, o, s]", text_or_null(notes->items[k].where),
							text_or_null(notes->items[k].subject), notes->items[k].text));
		json_array_append_new(list, json_pack("{s:s, s:o}", "h", notes->heading, "i", items));
	}
	return list;
}

/* What to colour by, how it is called, how many. The most severe first. */
static json_t *totals(const struct plan_view *view)
{
	static const struct {
		size_t total;
		const char *kind;
	} order[PLAN_VIEW_TOTALS] = {{3, "delete"}, {2, "replace"}, {1, "update"}, {4, "adopt"},
				     {5, "forget"}, {0, "create"},  {6, "move"}};
	json_t *list = json_array();

	for (size_t i = 0; i < PLAN_VIEW_TOTALS; i++) {
		const struct plan_view_total *total = &view->totals[order[i].total];

		if (total->count > 0)
			json_array_append_new(
			    list, json_pack("[s, s, I]", order[i].kind, total->verb, (json_int_t)total->count));
	}
	return list;
}

static json_t *view_json(const struct plan_view *view)
{
	const struct plan *plan = view->plan;
	json_t *root = json_object();
	struct fleet f;
	mem_auto_str char *summary =
	    view->nothing != NULL ? mem_strdup(view->nothing) : mem_printf("%s %s.", view->label, view->summary);

	fleet_open(&f, plan);
	json_object_set_new(root, "title", json_string("muster plan"));
	json_object_set_new(root, "subtitle", text_or_null(view->title));
	json_object_set_new(root, "summary", json_string(summary));
	json_object_set_new(root, "facts", texts(&view->facts));
	json_object_set_new(root, "warnings", texts(&view->warnings));
	json_object_set_new(root, "origin", texts(&view->origin));
	json_object_set_new(root, "signers", texts(&view->signers));
	json_object_set_new(root, "accounts", cleaned_names(&f.accounts));
	json_object_set_new(root, "regions", cleaned_names(&f.regions));
	json_object_set_new(root, "home",
			    json_integer(plan->home_region != NULL && map_has(&f.regions.index, plan->home_region)
					     ? (json_int_t)names_find(&f.regions, plan->home_region)
					     : -1));
	json_object_set_new(root, "reached", reached(&f, plan));
	json_object_set_new(root, "totals", totals(view));
	json_object_set_new(root, "notes", notes(view));
	add_sections(root, &f, view);
	names_free(&f.accounts);
	names_free(&f.regions);
	return root;
}

/* -- The page ------------------------------------------------------------------------------------------------------ */

/* Text of JSON that can stand in a script element: no "</script>", no "<!--" (strings hold all its '<'), no line ends
 * of JavaScript's own. */
static void put_data(struct buf *out, const json_t *data)
{
	char *text = json_dumps(data, JSON_COMPACT);

	for (const char *at = text != NULL ? text : "{}"; *at != '\0'; at++) {
		if (*at == '<' || *at == '>' || *at == '&')
			buf_addf(out, "\\u%04x", *at);
		else
			buf_addc(out, *at);
	}
	free(text);
}

/* "'sha256-...'" of what stands inline. */
static void put_source(struct buf *out, const char *text)
{
	uint8_t digest[32];

	text_sha256(digest, text, strlen(text));
	buf_adds(out, "'sha256-");
	text_base64(out, digest, sizeof digest);
	buf_adds(out, "'");
}

static void put_policy(struct buf *out)
{
	buf_adds(out, "default-src 'none'; script-src ");
	put_source(out, plan_page_script);
	buf_adds(out, "; style-src ");
	put_source(out, plan_page_style);
	buf_adds(out, "; base-uri 'none'; form-action 'none'");
}

static void put_part(struct buf *out, const char *name, size_t len, const json_t *data)
{
	if (strncmp(name, "policy", len) == 0)
		put_policy(out);
	else if (strncmp(name, "style", len) == 0)
		buf_adds(out, plan_page_style);
	else if (strncmp(name, "script", len) == 0)
		buf_adds(out, plan_page_script);
	else if (strncmp(name, "data", len) == 0)
		put_data(out, data);
	else
		buf_adds(out, "muster plan");
}

void plan_render_html(struct buf *out, const struct plan *plan)
{
	const char *at = plan_page_html, *open;
	struct plan_view view;
	json_t *data;

	plan_view_make(&view, plan, WIDTH, true);
	data = view_json(&view);
	while ((open = strstr(at, "{{")) != NULL) {
		const char *name = open + 2, *close = strstr(name, "}}");

		buf_add(out, at, (size_t)(open - at));
		put_part(out, name, (size_t)(close - name), data);
		at = close + 2;
	}
	buf_adds(out, at);
	json_decref(data);
	plan_view_free(&view);
}
