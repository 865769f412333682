/* Values and their differences as text: on one line where they fit, by meaning and only what differs where not. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/compare.h"
#include "plan/view.h"
#include "plan/where.h"

/* Plain items of a list that are all shown; of longer ones only the first. */
#define PLAIN_SHOWN_MAX 60
#define PLAIN_SHOWN     20
/* Items of a list that go, come or are whole, one a line. */
#define ITEMS_SHOWN_MAX 60

/* -- One line ------------------------------------------------------------------------------------------------------ */

/* The first attribute inside that is not known yet: {"Muster::Attribute": [address, name]}, or NULL. */
static const json_t *first_unknown(const json_t *value)
{
	const json_t *found = json_object_get(value, "Muster::Attribute");
	const char *key;
	json_t *item;
	size_t i;

	if (found != NULL)
		return found;
	json_object_foreach((json_t *)value, key, item)
	{
		if ((found = first_unknown(item)) != NULL)
			return found;
	}
	json_array_foreach((json_t *)value, i, item)
	{
		if ((found = first_unknown(item)) != NULL)
			return found;
	}
	return NULL;
}

/* Whether `part` (account or region of an address) is that of the target that is looked at. */
static bool is_own(const char *part, size_t len, const char *own, const char *stand_in)
{
	return (own != NULL && strlen(own) == len && strncmp(part, own, len) == 0) ||
	       (strlen(stand_in) == len && strncmp(part, stand_in, len) == 0);
}

/* "log-archive/Bucket", or "log-archive/Bucket in security/eu-west-1" when that is another target. */
static void add_resource(struct buf *out, const struct plan_lines *lines, const char *address)
{
	const char *slash = strchr(address, '/'), *second = slash != NULL ? strchr(slash + 1, '/') : NULL;
	const char *account = lines != NULL ? lines->account : NULL, *region = lines != NULL ? lines->region : NULL;

	if (second == NULL) {
		buf_adds(out, address);
		return;
	}
	buf_adds(out, second + 1);
	if (!is_own(address, (size_t)(slash - address), account, "${Muster::AccountName}") ||
	    !is_own(slash + 1, (size_t)(second - slash - 1), region, "${AWS::Region}"))
		buf_addf(out, " in %.*s", (int)(second - address), address);
}

/* What stands for a value that cannot be shown; false: it can be. */
static bool stand_in(struct buf *out, const struct plan_lines *lines, const json_t *value)
{
	const json_t *unknown;
	const char *address, *name;

	if (json_object_get(value, "Muster::Secret") != NULL) {
		buf_adds(out, "(sensitive)");
		return true;
	}
	if (!specs_is_residual(value))
		return false;
	if (!specs_has_unknown(value)) {
		buf_adds(out, "(sensitive)");
		return true;
	}
	unknown = first_unknown(value);
	address = json_string_value(json_array_get(unknown, 0));
	name = json_string_value(json_array_get(unknown, 1));
	buf_adds(out, "(known after apply");
	if (address != NULL && name != NULL) {
		buf_addf(out, ": %s of ", name);
		add_resource(out, lines, address);
	}
	buf_addc(out, ')');
	return true;
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n' && text[1] != '\0';
	return lines;
}

/* JSON's spelling, so that nothing in it can move a cursor. */
static void inline_string(struct buf *out, const json_t *value)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value), shown = PLAN_VIEW_STRING_MAX / 2;
	json_t *part;
	char *quoted;

	if (len <= PLAN_VIEW_STRING_MAX) {
		quoted = json_dumps(value, JSON_ENCODE_ANY);
		buf_adds(out, quoted != NULL ? quoted : "\"\"");
		free(quoted);
		return;
	}
	while (shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
		shown--;
	part = json_stringn(text, shown);
	quoted = json_dumps(part, JSON_ENCODE_ANY);
	json_decref(part);
	buf_adds(out, quoted != NULL ? quoted : "\"\"");
	free(quoted);
	buf_adds(out, "... (");
	if (count_lines(text) > 1)
		buf_addf(out, "%zu lines, ", count_lines(text));
	plan_count_words(out, len);
	buf_adds(out, " bytes)");
}

void plan_value_inline(struct buf *out, const struct plan_lines *lines, const json_t *value)
{
	const char *key;
	bool first = true;
	json_t *item;
	size_t i;
	char *text;

	if (stand_in(out, lines, value))
		return;
	if (json_is_object(value)) {
		buf_addc(out, '{');
		json_object_foreach((json_t *)value, key, item)
		{
			buf_addf(out, "%s\"%s\": ", first ? "" : ", ", key);
			plan_value_inline(out, lines, item);
			first = false;
		}
		buf_addc(out, '}');
	} else if (json_is_array(value)) {
		buf_addc(out, '[');
		json_array_foreach((json_t *)value, i, item)
		{
			buf_adds(out, i > 0 ? ", " : "");
			plan_value_inline(out, lines, item);
		}
		buf_addc(out, ']');
	} else if (json_is_string(value)) {
		inline_string(out, value);
	} else {
		text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : mem_strdup("(nothing)");
		buf_adds(out, text != NULL ? text : "");
		free(text);
	}
}

/* -- Whole values -------------------------------------------------------------------------------------------------- */

static bool is_shown(const json_t *value)
{
	return json_object_get(value, "Muster::Secret") == NULL && !specs_is_residual(value);
}

static bool is_container(const json_t *value)
{
	return (json_is_object(value) || json_is_array(value)) && is_shown(value);
}

/* A text with a line end that is not its last character. */
static bool is_long_text(const json_t *value)
{
	return json_is_string(value) && count_lines(json_string_value(value)) > 1;
}

/* "Label: value", "Label:" or "value". */
static void add_labelled(struct plan_lines *lines, size_t depth, char sign, const char *label, const char *value,
			 const char *remark)
{
	buf_auto struct buf text = BUF_INIT;

	if (label != NULL)
		buf_addf(&text, "%s:%s", label, *value != '\0' ? " " : "");
	buf_adds(&text, value);
	plan_lines_add(lines, depth, sign, buf_str(&text), remark);
}

static void add_more(struct plan_lines *lines, size_t depth, size_t count, const char *what)
{
	buf_auto struct buf text = BUF_INIT;

	buf_adds(&text, "and ");
	plan_count_words(&text, count);
	buf_addf(&text, " more%s: --format json has all", what);
	plan_lines_add(lines, depth, '#', buf_str(&text), NULL);
}

/* Long lists of plain values (the accounts of a fleet) fill lines, and say how many more there are. */
static void whole_plain_list(struct plan_lines *lines, size_t depth, char sign, const json_t *list)
{
	size_t shown = json_array_size(list) > PLAIN_SHOWN_MAX ? PLAIN_SHOWN : json_array_size(list), used = 0, i;
	buf_auto struct buf line = BUF_INIT;
	json_t *item;

	json_array_foreach((json_t *)list, i, item)
	{
		buf_auto struct buf text = BUF_INIT;

		if (i == shown)
			break;
		plan_value_inline(&text, lines, item);
		if (used > 0 && used + text.len + 2 > lines->width) {
			plan_lines_add(lines, depth, sign, buf_str(&line), NULL);
			buf_clear(&line);
			used = 0;
		}
		if (used == 0)
			used = depth + 2;
		else
			buf_addc(&line, ' ');
		buf_addf(&line, "%s%s", buf_str(&text), i + 1 < json_array_size(list) ? "," : "");
		used += text.len + 2;
	}
	plan_lines_add(lines, depth, sign, buf_str(&line), NULL);
	if (shown < json_array_size(list))
		add_more(lines, depth, json_array_size(list) - shown, "");
}

static bool is_plain_list(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)value, i, item)
	{
		if (is_container(item))
			return false;
	}
	return json_array_size(value) > 1;
}

static void whole_members(struct plan_lines *lines, size_t depth, char sign, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (is_plain_list(value)) {
		whole_plain_list(lines, depth, sign, value);
		return;
	}
	json_object_foreach((json_t *)value, key, item) plan_value_whole(lines, depth, sign, key, item, NULL);
	json_array_foreach((json_t *)value, i, item)
	{
		mem_auto_str char *place = is_container(item) ? mem_printf("[%zu]", i) : NULL;

		if (i == ITEMS_SHOWN_MAX) {
			add_more(lines, depth, json_array_size(value) - i, "");
			break;
		}
		plan_value_whole(lines, depth, sign, place, item, NULL);
	}
}

/* "  # 42 lines" beside the label, then the lines. */
static void whole_long_text(struct plan_lines *lines, size_t depth, char sign, const char *label, const json_t *value,
			    const char *remark)
{
	const char *text = json_string_value(value);
	buf_auto struct buf said = BUF_INIT;

	if (remark != NULL)
		buf_addf(&said, "%s; ", remark);
	plan_count_words(&said, count_lines(text));
	buf_adds(&said, " lines");
	add_labelled(lines, depth, sign, label != NULL ? label : "text", "", buf_str(&said));
	plan_text_whole(lines, depth + 4, sign, text);
}

void plan_value_whole(struct plan_lines *lines, size_t depth, char sign, const char *label, const json_t *value,
		      const char *remark)
{
	buf_auto struct buf line = BUF_INIT;
	size_t used = depth + 3 + (label != NULL ? strlen(label) + 1 : 0);

	if (is_long_text(value)) {
		whole_long_text(lines, depth, sign, label, value, remark);
		return;
	}
	plan_value_inline(&line, lines, value);
	if (!is_container(value) || used + line.len <= lines->width) {
		add_labelled(lines, depth, sign, label, buf_str(&line), remark);
		return;
	}
	add_labelled(lines, depth, sign, label, "", remark);
	whole_members(lines, depth + 4, sign, value);
}

/* -- Differences --------------------------------------------------------------------------------------------------- */

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

		if (same_known(old, new))
			unchanged++;
		else
			plan_value_changed(lines, depth, names[i], old, new, NULL);
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
		if (shown == ITEMS_SHOWN_MAX) {
			add_more(lines, depth, left - shown, sign == '+' ? " that are new" : " that go");
			return;
		}
		plan_value_whole(lines, depth, sign, NULL, json_array_get(list, i), NULL);
		shown++;
	}
}

static void changed_list(struct plan_lines *lines, size_t depth, const json_t *before, const json_t *after)
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
		plan_lines_add(lines, depth, '#', "the same items in another order", NULL);
	else
		remark_unchanged(lines, depth, matched);
	items_free(old, old_count);
	items_free(new, new_count);
}

/* -- Differences of two values ------------------------------------------------------------------------------------- */

/* Before and after on two lines. */
static void changed_long(struct plan_lines *lines, size_t depth, const json_t *before, const json_t *after)
{
	if (json_is_string(before) && json_is_string(after) && (is_long_text(before) || is_long_text(after))) {
		plan_text_changed(lines, depth, json_string_value(before), json_string_value(after));
		return;
	}
	plan_value_whole(lines, depth, '-', NULL, before, NULL);
	plan_value_whole(lines, depth, '+', NULL, after, NULL);
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

	if (json_is_object(old) && json_is_object(new) && is_shown(old) && is_shown(new))
		changed_object(lines, depth, old, new);
	else if (json_is_array(old) && json_is_array(new))
		changed_list(lines, depth, old, new);
	else
		changed_long(lines, depth, old, new);
	json_decref(old);
	json_decref(new);
}

/* A document kept as text reads by what it says. New reference; NULL: it is no such text. */
static json_t *document_in(const json_t *value)
{
	const char *text = json_string_value(value);
	json_t *document;

	if (text == NULL)
		return is_container(value) ? json_incref((json_t *)value) : NULL;
	text += strspn(text, " \t\r\n");
	document = *text == '{' || *text == '[' ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	return document;
}

/* Two documents, one of them or both kept as text; false when they are none. */
static bool changed_document(struct plan_lines *lines, size_t depth, const json_t *before, const json_t *after)
{
	json_t *old, *new;
	bool both;

	if (!json_is_string(before) && !json_is_string(after))
		return false;
	old = document_in(before);
	new = document_in(after);
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
	bool hidden, many;

	if (before == NULL || after == NULL) {
		plan_value_whole(lines, depth, before == NULL ? '+' : '-', label, before == NULL ? after : before,
				 remark);
		return;
	}
	hidden = !is_shown(after) && !specs_has_unknown(after);
	many = is_long_text(before) || is_long_text(after);
	if (hidden) {
		add_labelled(lines, depth, '~', label, "(sensitive, changed)", remark);
		return;
	}
	plan_value_inline(&line, lines, before);
	buf_adds(&line, " -> ");
	plan_value_inline(&line, lines, after);
	if (!many && line.len - 4 + used <= lines->width) {
		add_labelled(lines, depth, '~', label, buf_str(&line), remark);
		return;
	}
	add_labelled(lines, depth, '~', label, "", remark);
	if (!changed_document(lines, depth + 4, before, after))
		changed_deep(lines, depth + 4, before, after);
}
