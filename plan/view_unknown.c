/* What is known around values that are not: texts with holes, documents in texts, and functions with their arguments. A
 * reader must never see less than what a spec says: "(known after apply: ...)" stands only for what is not known. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/view.h"

/* Texts that are read as documents, and how deep those may be: a line for each level, each looked at as a whole. */
#define DOCUMENT_MAX       ((size_t)1 << 20)
#define DOCUMENT_DEPTH_MAX 40

/* -- Holes --------------------------------------------------------------------------------------------------------- */

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

static void add_hole(struct buf *out, const struct plan_lines *lines, const json_t *value)
{
	const json_t *unknown = first_unknown(value);
	const char *address = json_string_value(json_array_get(unknown, 0));
	const char *name = json_string_value(json_array_get(unknown, 1));

	buf_adds(out, "(known after apply");
	if (address != NULL && name != NULL) {
		buf_addf(out, ": %s of ", name);
		add_resource(out, lines, address);
	}
	buf_addc(out, ')');
}

bool plan_value_is_unknown(const json_t *value)
{
	return specs_is_residual(value) && specs_has_unknown(value);
}

/* -- Functions ----------------------------------------------------------------------------------------------------- */

static const char *function_of(const json_t *residual)
{
	return json_object_iter_key(json_object_iter((json_t *)residual));
}

static const json_t *argument_of(const json_t *residual)
{
	return json_object_iter_value(json_object_iter((json_t *)residual));
}

/* The list of texts and residuals that a Join puts together, or NULL: it is no Join, or of a list not known yet. */
static const json_t *joined_parts(const json_t *value)
{
	const json_t *parts = json_array_get(json_object_get(value, "Fn::Join"), 1);

	return json_is_array(parts) ? parts : NULL;
}

/* What a function that takes a setting first (a delimiter, an index) is over. */
static const json_t *subject_of(const json_t *residual)
{
	const char *name = function_of(residual);
	const json_t *argument = argument_of(residual);

	if (strcmp(name, "Fn::Join") == 0 || strcmp(name, "Fn::Split") == 0 || strcmp(name, "Fn::Select") == 0)
		return json_array_get(argument, 1);
	return argument;
}

/* Whether anything inside is written in the spec, so that it must be seen. */
static bool has_literal(const json_t *value)
{
	json_t *item;
	size_t i;

	if (specs_is_residual(value))
		return specs_has_unknown(value) && json_object_get(value, "Muster::Attribute") == NULL &&
		       has_literal(subject_of(value));
	if (!json_is_array(value))
		return !json_is_string(value) || json_string_length(value) > 0;
	json_array_foreach((json_t *)value, i, item)
	{
		if (has_literal(item))
			return true;
	}
	return false;
}

const json_t *plan_value_subject(struct buf *out, const json_t *value)
{
	const json_t *setting;
	mem_auto_str char *text = NULL;

	if (!plan_value_is_unknown(value) || !has_literal(value) || joined_parts(value) != NULL)
		return NULL;
	buf_addf(out, "%s(", function_of(value));
	if (subject_of(value) != argument_of(value)) {
		setting = json_array_get(argument_of(value), 0);
		text = json_dumps(setting, JSON_ENCODE_ANY);
		buf_addf(out, "%s, ", text != NULL ? text : "null");
	}
	return subject_of(value);
}

/* -- Texts --------------------------------------------------------------------------------------------------------- */

/* A text that is put together. As JSON, a hole is a string where the text around it is not inside of one. */
struct pieces {
	struct buf *out;
	const struct plan_lines *lines;
	bool json, in_string, escaped;
};

static void add_literal(struct pieces *p, const char *text, size_t len)
{
	buf_add(p->out, text, len);
	for (size_t i = 0; i < len; i++) {
		if (p->escaped)
			p->escaped = false;
		else if (p->in_string && text[i] == '\\')
			p->escaped = true;
		else if (text[i] == '"')
			p->in_string = !p->in_string;
	}
}

static void add_words(struct pieces *p, const char *text)
{
	json_auto_t *string = p->json ? json_string(text) : NULL;
	mem_auto_str char *quoted = string != NULL ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

	if (quoted == NULL)
		buf_adds(p->out, text);
	else if (p->in_string)
		buf_add(p->out, quoted + 1, strlen(quoted) - 2);
	else
		buf_adds(p->out, quoted);
}

static void add_piece(struct pieces *p, const json_t *value)
{
	buf_auto struct buf words = BUF_INIT;
	const json_t *parts = joined_parts(value);
	const char *delimiter = json_string_value(json_array_get(json_object_get(value, "Fn::Join"), 0));
	json_t *part;
	size_t i;

	if (json_is_string(value)) {
		add_literal(p, json_string_value(value), json_string_length(value));
		return;
	}
	if (parts == NULL || !specs_has_unknown(value)) {
		plan_value_inline_whole(&words, p->lines, value);
		add_words(p, buf_str(&words));
		return;
	}
	json_array_foreach((json_t *)parts, i, part)
	{
		if (i > 0 && delimiter != NULL)
			add_literal(p, delimiter, strlen(delimiter));
		add_piece(p, part);
	}
}

json_t *plan_value_opened(const struct plan_lines *lines, const json_t *value)
{
	buf_auto struct buf text = BUF_INIT;
	struct pieces p = {.out = &text, .lines = lines};
	json_t *string;

	if (!plan_value_is_unknown(value) || joined_parts(value) == NULL || !has_literal(value))
		return json_incref((json_t *)value);
	add_piece(&p, value);
	string = json_stringn(buf_str(&text), text.len);
	return string != NULL ? string : json_incref((json_t *)value);
}

bool plan_value_hole(struct buf *out, const struct plan_lines *lines, const json_t *value)
{
	if (!specs_is_residual(value))
		return false;
	if (!specs_has_unknown(value))
		buf_adds(out, "(sensitive)");
	else if (has_literal(value))
		return false;
	else
		add_hole(out, lines, value);
	return true;
}

/* -- Documents ----------------------------------------------------------------------------------------------------- */

static bool is_deep(const json_t *value, size_t left)
{
	const char *key;
	json_t *item;
	size_t i;

	if (left == 0)
		return true;
	json_object_foreach((json_t *)value, key, item)
	{
		if (is_deep(item, left - 1))
			return true;
	}
	json_array_foreach((json_t *)value, i, item)
	{
		if (is_deep(item, left - 1))
			return true;
	}
	return false;
}

static json_t *document_in_text(const char *text, size_t len)
{
	const char *start = text + strspn(text, " \t\r\n");
	json_t *document;

	if ((*start != '{' && *start != '[') || len > DOCUMENT_MAX)
		return NULL;
	document = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	/* What reads like a residual in a text is only text: nothing of it may be hidden. */
	if (document != NULL && (specs_has_residual(document) || is_deep(document, DOCUMENT_DEPTH_MAX))) {
		json_decref(document);
		return NULL;
	}
	return document;
}

json_t *plan_value_document(const struct plan_lines *lines, const json_t *value)
{
	const json_t *argument = json_object_get(value, "Fn::ToJsonString");
	buf_auto struct buf text = BUF_INIT;
	struct pieces p = {.out = &text, .lines = lines, .json = true};

	if (json_is_string(value))
		return document_in_text(json_string_value(value), json_string_length(value));
	if (!plan_value_is_unknown(value))
		return plan_value_is_container(value) ? json_incref((json_t *)value) : NULL;
	if (plan_value_is_container(argument))
		return json_incref((json_t *)argument);
	if (joined_parts(value) == NULL || !has_literal(value))
		return NULL;
	add_piece(&p, value);
	return document_in_text(buf_str(&text), text.len);
}
