/* Two values as what is different between them: by member, by item, by line, and only that. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/view.h"
#include "plan/where.h"

static int order_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void remark_unchanged(struct plan_lines *lines, size_t depth, size_t count)
{
	buf_auto struct buf text = BUF_INIT;

	if (count == 0)
		return;
	plan_count_words(&text, count);
	buf_adds(&text, " unchanged");
	plan_lines_add(lines, depth, '#', buf_str(&text), NULL);
}

static bool same_known(const json_t *old, const json_t *new)
{
	return old != NULL && new != NULL &&json_equal((json_t *)old, (json_t *)new) && !specs_has_unknown(new);
}

static void changed_object(struct plan_lines *lines, size_t depth, const json_t *before, const json_t *after)
{
	const char **names = mem_array(json_object_size(before) + json_object_size(after), sizeof *names), *key;
	size_t count = 0, unchanged = 0;
	json_t *item;

	json_object_foreach((json_t *)before, key, item) names[count++] = key;
	json_object_foreach((json_t *)after, key, item)
	{
		if (json_object_get(before, key) == NULL)
			names[count++] = key;
	}
	if (count > 0)
		qsort(names, count, sizeof *names, order_names);
	for (size_t i = 0; i < count; i++) {
		const json_t *old = json_object_get(before, names[i]), *new = json_object_get(after, names[i]);

		mem_auto_str char *label = plan_key_label(names[i]);

		if (same_known(old, new))
			unchanged++;
		else
			plan_value_changed(lines, depth, label, old, new, NULL);
	}
	free(names);
	remark_unchanged(lines, depth, unchanged);
}

/* -- Lists --------------------------------------------------------------------------------------------------------- */

struct item {
	char *key; /* one spelling of its value */
	size_t index;
	bool matched;
};

static int order_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int by_key = strcmp(x->key, y->key);

	return by_key != 0 ? by_key : x->index < y->index ? -1 : 1;
}

static int order_by_index(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

/* In the order of their keys. What is not known is equal to nothing. */
static struct item *items_sorted(const json_t *list, char side)
{
	struct item *items = mem_array(json_array_size(list), sizeof *items);
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		buf_auto struct buf key = BUF_INIT;

		json_canonical(&key, item);
		items[i].key =
		    specs_has_unknown(item) ? mem_printf("%s%c%zu", buf_str(&key), side, i) : mem_strdup(buf_str(&key));
		items[i].index = i;
	}
	if (json_array_size(list) > 0)
		qsort(items, json_array_size(list), sizeof *items, order_items);
	return items;
}

static void items_free(struct item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(items[i].key);
	free(items);
}

/* Marks what both lists have, puts both back into their own order; returns how many. */
static size_t match_items(struct item *old, size_t old_count, struct item *new, size_t new_count)
{
	size_t matched = 0, i = 0, j = 0;

	while (i < old_count && j < new_count) {
		int order = strcmp(old[i].key, new[j].key);

		if (order == 0) {
			old[i].matched = new[j].matched = true;
			matched++;
		}
		i += order <= 0;
		j += order >= 0;
	}
	if (old_count > 0)
		qsort(old, old_count, sizeof *old, order_by_index);
	if (new_count > 0)
		qsort(new, new_count, sizeof *new, order_by_index);
	return matched;
}

static size_t first_unmatched(const struct item *items, size_t count)
{
	size_t i = 0;

	while (i < count && items[i].matched)
		i++;
	return i;
}

/* What only one side has. */
static void unmatched_items(struct plan_lines *lines, size_t depth, char sign, const json_t *list,
			    const struct item *items, size_t matched)
{
	size_t count = json_array_size(list), left = count - matched, shown = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i].matched)
			continue;
		if (shown == PLAN_VIEW_ITEMS) {
			plan_lines_more(lines, depth, left - shown, sign == '+' ? " that are new" : " that go");
			return;
		}
		plan_value_whole(lines, depth, sign, NULL, json_array_get(list, i), NULL);
		shown++;
	}
}

/* `same` says what is different when no item is. */
static void changed_list(struct plan_lines *lines, size_t depth, const json_t *before, const json_t *after,
			 const char *same)
{
	size_t old_count = json_array_size(before), new_count = json_array_size(after), matched;
	struct item *old = items_sorted(before, '-'), *new = items_sorted(after, '+');

	matched = match_items(old, old_count, new, new_count);
	if (old_count == matched + 1 && new_count == matched + 1) {
		/* One became another: say how. */
		plan_value_changed(lines, depth, NULL, json_array_get(before, first_unmatched(old, old_count)),
				   json_array_get(after, first_unmatched(new, new_count)), NULL);
	} else {
		unmatched_items(lines, depth, '-', before, old, matched);
		unmatched_items(lines, depth, '+', after, new, matched);
	}
	if (matched == old_count && matched == new_count)
		plan_lines_add(lines, depth, '#', same, NULL);
	else
		remark_unchanged(lines, depth, matched);
	items_free(old, old_count);
	items_free(new, new_count);
}

/* -- Differences of two values ------------------------------------------------------------------------------------- */

/* Before and after on two lines. */
static void changed_long(struct plan_lines *lines, size_t depth, const json_t *before, const json_t *after)
{
	buf_auto struct buf old = BUF_INIT, new = BUF_INIT;

	if (!json_is_string(before) || !json_is_string(after)) {
		plan_value_whole(lines, depth, '-', NULL, before, NULL);
		plan_value_whole(lines, depth, '+', NULL, after, NULL);
	} else if (plan_value_is_text(before) || plan_value_is_text(after)) {
		plan_text_changed(lines, depth, json_string_value(before), json_string_value(after));
	} else {
		plan_value_excerpts(&old, &new, lines, before, after);
		plan_lines_add(lines, depth, '-', buf_str(&old), NULL);
		plan_lines_add(lines, depth, '+', buf_str(&new), NULL);
	}
}

/* A list of one and its only item are often the same thing in AWS's documents. New reference. */
static json_t *as_list(const json_t *value, const json_t *other)
{
	if (json_is_array(other) && (json_is_string(value) || json_is_number(value)))
		return json_pack("[O]", value);
	return json_incref((json_t *)value);
}

static void changed_deep(struct plan_lines *lines, size_t depth, const json_t *before, const json_t *after)
{
	json_t *old = as_list(before, after), *new = as_list(after, before);

	if (json_is_object(old) && json_is_object(new) && plan_value_is_shown(old) && plan_value_is_shown(new))
		changed_object(lines, depth, old, new);
	else if (json_is_array(old) && json_is_array(new))
		changed_list(lines, depth, old, new,
			     !json_is_array(before)  ? "the same, now as a list of one"
			     : !json_is_array(after) ? "the same, now by itself and not as a list of one"
						     : "the same items in another order");
	else
		changed_long(lines, depth, old, new);
	json_decref(old);
	json_decref(new);
}

/* Two documents, one of them or both kept as text; false when they are none. */
static bool changed_document(struct plan_lines *lines, size_t depth, const json_t *before, const json_t *after)
{
	json_t *old, *new;
	bool both;

	if (plan_value_is_container(before) && plan_value_is_container(after))
		return false;
	old = plan_value_document(lines, before);
	new = plan_value_document(lines, after);
	both = old != NULL && new != NULL &&json_typeof(old) == json_typeof(new) && !json_equal(old, new);
	if (both)
		changed_deep(lines, depth, old, new);
	json_decref(old);
	json_decref(new);
	return both;
}

void plan_value_changed(struct plan_lines *lines, size_t depth, const char *label, const json_t *before,
			const json_t *after, const char *remark)
{
	buf_auto struct buf line = BUF_INIT;
	size_t used = depth + 8 + (label != NULL ? strlen(label) : 0);
	json_auto_t *old = NULL, *new = NULL;
	bool many;

	if (before == NULL || after == NULL) {
		plan_value_whole(lines, depth, before == NULL ? '+' : '-', label, before == NULL ? after : before,
				 remark);
		return;
	}
	if (!plan_value_is_shown(after) && !specs_has_unknown(after)) {
		plan_lines_labelled(lines, depth, '~', label, "(sensitive, changed)", remark);
		return;
	}
	old = plan_value_opened(lines, before);
	new = plan_value_opened(lines, after);
	many = plan_value_is_text(old) || plan_value_is_text(new);
	plan_value_inline(&line, lines, old);
	buf_adds(&line, " -> ");
	plan_value_inline(&line, lines, new);
	/* Shorter than what a text is cut at: nothing in it is. */
	if (!many && line.len - 4 + used <= lines->width && line.len < PLAN_VIEW_STRING_MAX) {
		plan_lines_labelled(lines, depth, '~', label, buf_str(&line), remark);
		return;
	}
	plan_lines_labelled(lines, depth, '~', label, "", remark);
	if (!changed_document(lines, depth + 4, before, after))
		changed_deep(lines, depth + 4, old, new);
}
