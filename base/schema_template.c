/* Templates of type files: identities, predicted attributes, keys to serialize by. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/schema_private.h"
#include "base/text.h"

/* -- Templates -------------------------------------------------------------------------------------------
 *
 *   ${Name}            value of a property or attribute, or a pseudo parameter
 *   ${Name|text}       the text when it is left out
 *   ${Name!glob!glob}  the value, which must be there and match none of the globs
 *   ${Name=glob}       nothing; it must be left out or match
 *   A || B             the first that can be filled
 */

#define TEMPLATE_OR " || "

/* Text of a plain value; false for what is unknown or no scalar. */
static bool scalar_add(struct buf *out, const json_t *value)
{
	if (json_is_string(value))
		buf_adds(out, json_string_value(value));
	else if (json_is_integer(value))
		buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		buf_adds(out, json_is_true(value) ? "true" : "false");
	else
		return false;
	return true;
}

/* A member by name, or by path: dots lead inside, [0] takes an element. */
static const json_t *path_get(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	size_t len = strcspn(name, ".[");
	char *end;

	if (value != NULL || name[len] == '\0')
		return value;
	mem_auto_str char *head = mem_strndup(name, len);

	value = json_object_get(object, head);
	name += len;
	if (*name == '[') {
		value = json_array_get(value, strtoul(name + 1, &end, 10));
		name = *end == ']' ? end + 1 : end;
	}
	return *name == '.' ? path_get(value, name + 1) : value;
}

static const char *place_get(const struct schema_place *place, const char *name)
{
	if (strcmp(name, "AWS::AccountId") == 0)
		return place->account_id;
	if (strcmp(name, "AWS::Region") == 0)
		return place->region;
	if (strcmp(name, "AWS::Partition") == 0)
		return place->partition;
	if (strcmp(name, "AWS::URLSuffix") == 0)
		return place->url_suffix;
	return NULL;
}

enum found { FOUND_NOTHING, FOUND_UNKNOWN, FOUND_VALUE };

static enum found template_lookup(struct buf *out, const char *name, const json_t *properties, const json_t *attributes,
				  const struct schema_place *place)
{
	const json_t *value;
	const char *text = place != NULL ? place_get(place, name) : NULL;

	if (text != NULL) {
		buf_adds(out, text);
		return FOUND_VALUE;
	}
	value = path_get(properties, name);
	if (value == NULL)
		value = path_get(attributes, name);
	if (value == NULL || json_is_null(value))
		return FOUND_NOTHING;
	return scalar_add(out, value) ? FOUND_VALUE : FOUND_UNKNOWN;
}

/* Whether `text` matches one of `globs`, which are parted by '!'. */
static bool template_excluded(const char *globs, const char *text)
{
	mem_auto_str char *copy = mem_strdup(globs);
	char *rest = NULL;

	for (char *glob = strtok_r(copy, "!", &rest); glob != NULL; glob = strtok_r(NULL, "!", &rest))
		if (text_glob(glob, text))
			return true;
	return false;
}

/* One `${...}`; `word` is what stands between the braces. */
static bool template_word(struct buf *out, char *word, const json_t *properties, const json_t *attributes,
			  const struct schema_place *place)
{
	buf_auto struct buf text = BUF_INIT;
	size_t end = strcspn(word, "|!=");
	char mode = word[end];
	enum found found;

	word[end] = '\0';
	found = template_lookup(&text, word, properties, attributes, place);
	if (found == FOUND_UNKNOWN)
		return false;
	if (mode == '=')
		return found == FOUND_NOTHING || text_glob(word + end + 1, buf_str(&text));
	if (mode == '|' && found == FOUND_NOTHING) {
		buf_adds(out, word + end + 1);
		return true;
	}
	if (found == FOUND_NOTHING || (mode == '!' && template_excluded(word + end + 1, buf_str(&text))))
		return false;
	buf_adds(out, buf_str(&text));
	return true;
}

static bool template_one(struct buf *out, const char *s, const char *end, const json_t *properties,
			 const json_t *attributes, const struct schema_place *place)
{
	while (s < end) {
		const char *open = strstr(s, "${"), *close;

		if (open == NULL || open >= end) {
			buf_add(out, s, (size_t)(end - s));
			return true;
		}
		buf_add(out, s, (size_t)(open - s));
		close = strchr(open, '}');
		if (close == NULL || close >= end)
			return false;
		mem_auto_str char *word = mem_strndup(open + 2, (size_t)(close - open - 2));

		if (!template_word(out, word, properties, attributes, place))
			return false;
		s = close + 1;
	}
	return true;
}

int schema_template_fill(char **out, const char *template, const json_t *properties, const json_t *attributes,
			 const struct schema_place *place)
{
	const char *s = template;

	*out = NULL;
	for (;;) {
		const char * or = strstr(s, TEMPLATE_OR);
		const char *end = or != NULL ? or : s + strlen(s);
		struct buf text = BUF_INIT;

		if (template_one(&text, s, end, properties, attributes, place)) {
			*out = buf_detach(&text);
			return 1;
		}
		buf_free(&text);
		if (or == NULL)
			return 0;
		s = or +strlen(TEMPLATE_OR);
	}
}

/* Every name in a template must be a property, an attribute or a pseudo parameter. */
void schema_template_check(struct schema_reader *r, const struct json_path *path, const struct schema_type *type,
			   const char *template)
{
	static const struct schema_place anywhere = {"", "", "", ""};

	for (const char *s = template; s != NULL && (s = strstr(s, "${")) != NULL; s += 2) {
		mem_auto_str char *word = mem_strndup(s + 2, strcspn(s + 2, "|!=}"));
		mem_auto_str char *head = mem_strndup(word, strcspn(word, ".["));

		if (strchr(s, '}') == NULL)
			schema_reader_error(r, path, "\"${\" without \"}\"");
		else if (place_get(&anywhere, word) == NULL && schema_type_attribute(type, word) == NULL &&
			 schema_value_member(&type->properties, head) == NULL)
			schema_reader_error(r, path, "\"%s\" is no property, attribute or pseudo parameter", word);
	}
}
