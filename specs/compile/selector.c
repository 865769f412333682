/* Selectors of accounts and regions (rule 17): the union of the positives (none: all) minus the negatives. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

static bool pattern_is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?") != NULL;
}

/* A region's name that cannot be meant is an error, one that is only unknown to this program a warning. */
static int check_region(const char *name, const struct json_doc *doc, const struct json_path *path,
			const char *partition, struct diag *d)
{
	bool known;
	const char *nearest = specs_region_nearest(name, &known);

	if (!specs_region_shaped(name)) {
		if (nearest != NULL)
			json_doc_error(doc, path, false, d, "\"%s\" is not a region's name (did you mean \"%s\"?)",
				       name, nearest);
		else
			json_doc_error(doc, path, false, d, "\"%s\" is not a region's name, a glob, \"*\" or \"home\"",
				       name);
		return -1;
	}
	if (partition != NULL && strcmp(specs_partition_of(name), partition) != 0) {
		json_doc_error(doc, path, false, d, "\"%s\" is in partition %s, the home region in %s", name,
			       specs_partition_of(name), partition);
		return -1;
	}
	if (!known && nearest != NULL)
		json_doc_warning(doc, path, d, "unknown region \"%s\" (did you mean \"%s\"?)", name, nearest);
	return 0;
}

static int selector_parse(struct selector *out, const json_t *value, const struct json_doc *doc,
			  const struct json_path *path, bool regions, const char *partition, struct diag *d)
{
	const char *text = json_string_value(value);

	if (text == NULL) {
		json_doc_error(doc, path, false, d, "a selector must be a string, not %s", json_kind_name(value));
		return -1;
	}
	out->negative = text[0] == '!';
	text += out->negative;
	out->tag = !regions && text_starts(text, "tag:");
	text += out->tag ? strlen("tag:") : 0;
	out->pattern = text;
	out->glob = pattern_is_glob(text);
	out->home = regions && strcmp(text, "home") == 0;
	if (*text == '\0') {
		json_doc_error(doc, path, false, d, "an empty selector");
		return -1;
	}
	if (regions && !out->glob && !out->home)
		return check_region(text, doc, path, partition, d);
	return 0;
}

int specs_selectors_parse(struct selectors *out, struct arena *arena, const json_t *list, const struct json_doc *doc,
			  const struct json_path *path, bool regions, const char *partition, struct diag *d)
{
	size_t count = json_is_array(list) ? json_array_size(list) : 1;
	int result = 0;

	*out = (struct selectors){NULL, 0, false};
	if (list == NULL)
		return 0;
	if (!json_is_array(list) && !json_is_string(list)) {
		json_doc_error(doc, path, false, d, "must be a list of selectors, not %s", json_kind_name(list));
		return -1;
	}
	out->list = specs_arena_array(arena, count, sizeof *out->list);
	for (size_t i = 0; i < count; i++) {
		bool one = json_is_string(list);
		const struct json_path *at = one ? path : JSON_PATH_ITEM(path, i);

		if (selector_parse(&out->list[i], one ? list : json_array_get(list, i), doc, at, regions, partition,
				   d) != 0)
			result = -1;
		else
			out->positives = out->positives || !out->list[i].negative;
	}
	out->count = result == 0 ? count : 0;
	return result;
}

static bool selector_account(const struct selector *selector, const struct specs_account *account)
{
	size_t i;
	json_t *tag;

	if (!selector->tag)
		return text_glob(selector->pattern, account->name);
	json_array_foreach(account->tags, i, tag) if (text_glob(selector->pattern, json_string_value(tag))) return true;
	return false;
}

bool specs_selectors_account(const struct selectors *selectors, const struct specs_account *account)
{
	bool in = !selectors->positives;

	for (size_t i = 0; i < selectors->count; i++) {
		if (!selector_account(&selectors->list[i], account))
			continue;
		if (selectors->list[i].negative)
			return false;
		in = true;
	}
	return in;
}

bool specs_selectors_region(const struct selectors *selectors, const char *region, const char *home)
{
	bool in = !selectors->positives;

	for (size_t i = 0; i < selectors->count; i++) {
		const struct selector *selector = &selectors->list[i];

		if (!text_glob(selector->home ? home : selector->pattern, region))
			continue;
		if (selector->negative)
			return false;
		in = true;
	}
	return in;
}

/* The nearest account name or tag, for a selector that matches nothing. */
static char *nearest_account(const struct specs *specs, const struct selector *selector)
{
	const struct specs_account *same = specs_account_find(specs, selector->pattern);
	const char **words = NULL;
	size_t count = 0, room = 0;
	char *out;

	if (!selector->tag && same != NULL)
		return mem_printf(": selectors take names, and this is the id of \"%s\"", same->name);
	for (size_t i = 0; i < specs->account_count; i++) {
		const struct specs_account *account = &specs->accounts[i];
		size_t more = selector->tag ? json_array_size(account->tags) : 1;

		if (count + more > room) {
			room = (count + more) * 2;
			words = mem_resize(words, room, sizeof *words);
		}
		for (size_t t = 0; t < more; t++)
			words[count++] =
			    selector->tag ? json_string_value(json_array_get(account->tags, t)) : account->name;
	}
	out = specs_report_nearest(selector->pattern, words, count);
	free(words);
	return out;
}

int specs_selectors_check_accounts(const struct specs *specs, const struct selectors *selectors, const json_t *list,
				   const struct json_doc *doc, const struct json_path *path, struct diag *d)
{
	int result = 0;

	for (size_t i = 0; i < selectors->count; i++) {
		const struct selector *selector = &selectors->list[i];
		const struct json_path *at = json_is_array(list) ? JSON_PATH_ITEM(path, i) : path;
		bool found = selector->negative;

		for (size_t a = 0; !found && a < specs->account_count; a++)
			found = selector_account(selector, &specs->accounts[a]);
		if (!found && specs->account_count == 0) {
			json_doc_error(specs->private->roster_doc, JSON_PATH_KEY(NULL, "Accounts"), false, d,
				       "there are no accounts, so no selector can choose any");
			result = -1;
		} else if (!found) {
			mem_auto_str char *nearest = selector->glob ? mem_strdup("") : nearest_account(specs, selector);

			json_doc_error(doc, at, false, d, "no account %s \"%s\"%s",
				       selector->tag ? "has the tag" : (selector->glob ? "matches" : "is named"),
				       selector->pattern, nearest);
			result = -1;
		}
	}
	return result;
}

bool specs_account_region_allowed(const struct specs_account *account, const char *region)
{
	bool in = account->regions_include == NULL;
	size_t i;
	json_t *glob;

	json_array_foreach(account->regions_include, i, glob) in = in || text_glob(json_string_value(glob), region);
	json_array_foreach(account->regions_exclude, i, glob) in = in && !text_glob(json_string_value(glob), region);
	return in;
}
