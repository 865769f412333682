/* Values as lines: on one where they fit, else over several. */
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

bool plan_value_is_shown(const json_t *value)
{
	return json_object_get(value, "Muster::Secret") == NULL && !specs_is_residual(value);
}

bool plan_value_is_container(const json_t *value)
{
	return (json_is_object(value) || json_is_array(value)) && plan_value_is_shown(value);
}

/* A text with a line end that is not its last character. */
bool plan_value_is_text(const json_t *value)
{
	return json_is_string(value) && count_lines(json_string_value(value)) > 1;
}

/* "Label: value", "Label:" or "value". */
void plan_lines_labelled(struct plan_lines *lines, size_t depth, char sign, const char *label, const char *value,
			 const char *remark)
{
	buf_auto struct buf text = BUF_INIT;

	if (label != NULL)
		buf_addf(&text, "%s:%s", label, *value != '\0' ? " " : "");
	buf_adds(&text, value);
	plan_lines_add(lines, depth, sign, buf_str(&text), remark);
}

void plan_lines_more(struct plan_lines *lines, size_t depth, size_t count, const char *what)
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
		plan_lines_more(lines, depth, json_array_size(list) - shown, "");
}

static bool is_plain_list(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)value, i, item)
	{
		if (plan_value_is_container(item))
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
		mem_auto_str char *place = plan_value_is_container(item) ? mem_printf("[%zu]", i) : NULL;

		if (i == PLAN_VIEW_ITEMS) {
			plan_lines_more(lines, depth, json_array_size(value) - i, "");
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
	plan_lines_labelled(lines, depth, sign, label != NULL ? label : "text", "", buf_str(&said));
	plan_text_whole(lines, depth + 4, sign, text);
}

void plan_value_whole(struct plan_lines *lines, size_t depth, char sign, const char *label, const json_t *value,
		      const char *remark)
{
	buf_auto struct buf line = BUF_INIT;
	size_t used = depth + 3 + (label != NULL ? strlen(label) + 1 : 0);

	if (plan_value_is_text(value)) {
		whole_long_text(lines, depth, sign, label, value, remark);
		return;
	}
	plan_value_inline(&line, lines, value);
	if (!plan_value_is_container(value) || used + line.len <= lines->width) {
		plan_lines_labelled(lines, depth, sign, label, buf_str(&line), remark);
		return;
	}
	plan_lines_labelled(lines, depth, sign, label, "", remark);
	whole_members(lines, depth + 4, sign, value);
}
