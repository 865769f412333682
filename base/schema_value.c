/* The values of a type file: kinds, comparison, limits, members; and the small readers that all of base/schema*.c use.
 */
#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/schema_private.h"
#include "base/text.h"

static void value_read(struct schema_reader *r, const struct json_path *path, const json_t *object, bool is_member,
		       struct schema_value *out);

/* -- Words ----------------------------------------------------------------------------------------------- */

static const char *const value_words[] = {"Type",    "Compare",  "Key",         "Properties", "Item",
					  "Enum",    "Pattern",  "MinLength",   "MaxLength",  "Minimum",
					  "Maximum", "MaxBytes", "Description", NULL};
/* The words of a member come after those of a value. */
static const char *const member_words[] = {
    "Type",       "Compare",   "Key",       "Properties", "Item",     "Enum",        "Pattern",
    "MinLength",  "MaxLength", "Minimum",   "Maximum",    "MaxBytes", "Description", "Required",
    "CreateOnly", "ReadOnly",  "WriteOnly", "Sensitive",  "Computed", "Default",     NULL};

static const char *const kind_names[] = {"String", "Integer", "Number", "Boolean", "Object",
					 "List",   "Map",     "Json",   NULL};
static const char *const compare_names[] = {"Exact", "Set", "Document", "Policy", "IgnoreCase", NULL};

void schema_reader_error(struct schema_reader *r, const struct json_path *path, const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	buf_auto struct buf where = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	json_path_print(&where, path);
	diag_at(r->diag, DIAG_ERROR, &(struct diag_place){r->file, 0, 0, where.len > 0 ? where.data : NULL}, "%s",
		buf_str(&text));
	r->failed = true;
}

static size_t word_count(const char *const *words)
{
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	return count;
}

static int word_index(const char *const *words, const char *word)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

static void reader_unknown(struct schema_reader *r, const struct json_path *path, const char *what, const char *word,
			   const char *const *words)
{
	const char *nearest = text_nearest(word, words, word_count(words));

	if (nearest != NULL)
		schema_reader_error(r, path, "unknown %s \"%s\" (did you mean \"%s\"?)", what, word, nearest);
	else
		schema_reader_error(r, path, "unknown %s \"%s\"", what, word);
}

/* False (with a message) when `object` is no object; unknown keys are messages but not the end. */
bool schema_reader_object(struct schema_reader *r, const struct json_path *path, const json_t *object,
			  const char *const *words)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object)) {
		schema_reader_error(r, path, "expected an object, found %s", json_kind_name(object));
		return false;
	}
	if (words == NULL)
		return true;
	json_object_foreach((json_t *)object, key, value)
	{
		if (word_index(words, key) < 0)
			reader_unknown(r, path, "key", key, words);
	}
	return true;
}

const char *schema_reader_string(struct schema_reader *r, const struct json_path *path, const json_t *object,
				 const char *key)
{
	json_t *value = json_object_get(object, key);

	if (value == NULL)
		return NULL;
	if (!json_is_string(value)) {
		schema_reader_error(r, JSON_PATH_KEY(path, key), "expected a string, found %s", json_kind_name(value));
		return NULL;
	}
	return json_string_value(value);
}

bool schema_reader_bool(struct schema_reader *r, const struct json_path *path, const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_boolean(value))
		schema_reader_error(r, JSON_PATH_KEY(path, key), "expected true or false, found %s",
				    json_kind_name(value));
	return json_is_true(value);
}

int64_t schema_reader_size(struct schema_reader *r, const struct json_path *path, const json_t *object, const char *key,
			   int64_t otherwise)
{
	json_t *value = json_object_get(object, key);

	if (value == NULL)
		return otherwise;
	if (!json_is_integer(value) || json_integer_value(value) < 0) {
		schema_reader_error(r, JSON_PATH_KEY(path, key), "expected a whole number, 0 or more");
		return otherwise;
	}
	return json_integer_value(value);
}

double schema_reader_number(struct schema_reader *r, const struct json_path *path, const json_t *object,
			    const char *key)
{
	json_t *value = json_object_get(object, key);

	if (value == NULL)
		return NAN;
	if (!json_is_number(value)) {
		schema_reader_error(r, JSON_PATH_KEY(path, key), "expected a number, found %s", json_kind_name(value));
		return NAN;
	}
	return json_number_value(value);
}

/* A word out of a list, as its index; `otherwise` when left out or wrong. */
int schema_reader_choice(struct schema_reader *r, const struct json_path *path, const json_t *object, const char *key,
			 const char *const *words, int otherwise)
{
	const char *word = schema_reader_string(r, path, object, key);
	int index;

	if (word == NULL)
		return otherwise;
	index = word_index(words, word);
	if (index >= 0)
		return index;
	reader_unknown(r, JSON_PATH_KEY(path, key), "word", word, words);
	return otherwise;
}

/* A list of strings; the strings are borrowed, the array is not. */
const char **schema_reader_strings(struct schema_reader *r, const struct json_path *path, const json_t *object,
				   const char *key, size_t *count)
{
	json_t *list = json_object_get(object, key), *item;
	const char **strings;
	size_t i;

	*count = 0;
	if (list == NULL)
		return NULL;
	if (!json_is_array(list)) {
		schema_reader_error(r, JSON_PATH_KEY(path, key), "expected a list of strings, found %s",
				    json_kind_name(list));
		return NULL;
	}
	strings = mem_array(json_array_size(list) + 1, sizeof *strings);
	json_array_foreach(list, i, item)
	{
		if (json_is_string(item))
			strings[(*count)++] = json_string_value(item);
		else
			schema_reader_error(r, JSON_PATH_KEY(path, key), "expected a list of strings");
	}
	return strings;
}

/* -- Values and members ---------------------------------------------------------------------------------- */

static int member_order(const void *a, const void *b)
{
	return strcmp(((const struct schema_member *)a)->name, ((const struct schema_member *)b)->name);
}

bool schema_kind_fits(enum schema_kind kind, const json_t *value)
{
	switch (kind) {
	case SCHEMA_STRING:
		return json_is_string(value);
	case SCHEMA_INTEGER:
		return json_is_integer(value);
	case SCHEMA_NUMBER:
		return json_is_number(value);
	case SCHEMA_BOOLEAN:
		return json_is_boolean(value);
	case SCHEMA_OBJECT:
	case SCHEMA_MAP:
		return json_is_object(value);
	case SCHEMA_LIST:
		return json_is_array(value);
	case SCHEMA_JSON:
		return true;
	}
	return false;
}

static void member_read(struct schema_reader *r, const struct json_path *path, const char *name, const json_t *object,
			struct schema_member *out)
{
	out->name = name;
	value_read(r, path, object, true, &out->value);
	out->description = schema_reader_string(r, path, object, "Description");
	out->required = schema_reader_bool(r, path, object, "Required");
	out->create_only = schema_reader_bool(r, path, object, "CreateOnly");
	out->read_only = schema_reader_bool(r, path, object, "ReadOnly");
	out->write_only = schema_reader_bool(r, path, object, "WriteOnly");
	out->sensitive = schema_reader_bool(r, path, object, "Sensitive");
	out->computed = schema_reader_bool(r, path, object, "Computed");
	out->initial = json_object_get(object, "Default");
	if (out->initial != NULL && !schema_kind_fits(out->value.kind, out->initial))
		schema_reader_error(r, JSON_PATH_KEY(path, "Default"), "does not fit the property's type");
	if (out->required && (out->read_only || out->initial != NULL || out->computed))
		schema_reader_error(r, path, "\"Required\" excludes \"ReadOnly\", \"Default\" and \"Computed\"");
	if (out->initial != NULL && out->computed)
		schema_reader_error(r, path, "\"Default\" excludes \"Computed\"");
}

void schema_members_read(struct schema_reader *r, const struct json_path *path, const json_t *object,
			 struct schema_value *out)
{
	const char *key;
	json_t *value;

	if (!schema_reader_object(r, path, object, NULL))
		return;
	out->members = mem_array(json_object_size(object) + 1, sizeof *out->members);
	json_object_foreach((json_t *)object, key, value)
	{
		if (schema_reader_object(r, JSON_PATH_KEY(path, key), value, member_words))
			member_read(r, JSON_PATH_KEY(path, key), key, value, &out->members[out->member_count++]);
	}
	qsort(out->members, out->member_count, sizeof *out->members, member_order);
}

void schema_value_defaults(struct schema_value *out)
{
	out->min_length = out->max_length = out->max_bytes = -1;
	out->minimum = out->maximum = NAN;
}

/* The parts that only some kinds have: members, item, key. */
static void value_shape(struct schema_reader *r, const struct json_path *path, const json_t *object,
			struct schema_value *out)
{
	json_t *members = json_object_get(object, "Properties"), *item = json_object_get(object, "Item");

	if ((members != NULL) != (out->kind == SCHEMA_OBJECT))
		schema_reader_error(r, path, "\"Properties\" belongs to an Object, and an Object needs it");
	else if (members != NULL)
		schema_members_read(r, JSON_PATH_KEY(path, "Properties"), members, out);
	if ((item != NULL) != (out->kind == SCHEMA_LIST || out->kind == SCHEMA_MAP)) {
		schema_reader_error(r, path, "\"Item\" belongs to a List or a Map, and these need it");
	} else if (item != NULL && schema_reader_object(r, JSON_PATH_KEY(path, "Item"), item, value_words)) {
		out->item = mem_alloc(sizeof *out->item);
		value_read(r, JSON_PATH_KEY(path, "Item"), item, false, out->item);
	}
	out->key = schema_reader_string(r, path, object, "Key");
	if (out->key != NULL && (out->compare != SCHEMA_SET || out->item == NULL || out->item->kind != SCHEMA_OBJECT))
		schema_reader_error(r, path, "\"Key\" belongs to a List of Objects compared as a Set");
	else if (out->key != NULL && schema_value_member(out->item, out->key) == NULL)
		schema_reader_error(r, JSON_PATH_KEY(path, "Key"), "the items have no property \"%s\"", out->key);
}

static void value_compare(struct schema_reader *r, const struct json_path *path, const json_t *object,
			  struct schema_value *out)
{
	bool fits = true;

	out->compare = (enum schema_compare)schema_reader_choice(r, path, object, "Compare", compare_names,
								 out->kind == SCHEMA_JSON ? (int)SCHEMA_DOCUMENT
											  : (int)SCHEMA_EXACT);
	if (out->compare == SCHEMA_SET)
		fits = out->kind == SCHEMA_LIST;
	else if (out->compare == SCHEMA_DOCUMENT || out->compare == SCHEMA_POLICY)
		fits = out->kind == SCHEMA_JSON || out->kind == SCHEMA_STRING;
	else if (out->compare == SCHEMA_IGNORE_CASE)
		fits = out->kind == SCHEMA_STRING;
	if (!fits)
		schema_reader_error(r, JSON_PATH_KEY(path, "Compare"), "\"%s\" does not go with \"%s\"",
				    compare_names[out->compare], kind_names[out->kind]);
}

static void value_pattern(struct schema_reader *r, const struct json_path *path, const char *pattern)
{
	regex_t compiled;

	if (pattern == NULL)
		return;
	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		schema_reader_error(r, JSON_PATH_KEY(path, "Pattern"), "not a regular expression: %s", pattern);
	else
		regfree(&compiled);
}

static void value_enumeration(struct schema_reader *r, const struct json_path *path, const json_t *object,
			      struct schema_value *out)
{
	size_t i;
	json_t *item;

	out->enumeration = json_object_get(object, "Enum");
	if (out->enumeration == NULL)
		return;
	if (json_array_size(out->enumeration) == 0)
		schema_reader_error(r, JSON_PATH_KEY(path, "Enum"), "expected a list of strings");
	json_array_foreach(out->enumeration, i, item)
	{
		if (!json_is_string(item))
			schema_reader_error(r, JSON_PATH_KEY(path, "Enum"), "expected a list of strings");
	}
}

static void value_read(struct schema_reader *r, const struct json_path *path, const json_t *object, bool is_member,
		       struct schema_value *out)
{
	int kind = schema_reader_choice(r, path, object, "Type", kind_names, -1);

	schema_value_defaults(out);
	if (kind < 0) {
		if (json_object_get(object, "Type") == NULL)
			schema_reader_error(r, path, "\"Type\" is missing%s", is_member ? "" : " of the items");
		return;
	}
	out->kind = (enum schema_kind)kind;
	value_compare(r, path, object, out);
	value_shape(r, path, object, out);
	value_enumeration(r, path, object, out);
	out->pattern = schema_reader_string(r, path, object, "Pattern");
	value_pattern(r, path, out->pattern);
	out->min_length = schema_reader_size(r, path, object, "MinLength", -1);
	out->max_length = schema_reader_size(r, path, object, "MaxLength", -1);
	out->max_bytes = schema_reader_size(r, path, object, "MaxBytes", -1);
	out->minimum = schema_reader_number(r, path, object, "Minimum");
	out->maximum = schema_reader_number(r, path, object, "Maximum");
}

void schema_value_free(struct schema_value *value)
{
	for (size_t i = 0; i < value->member_count; i++)
		schema_value_free(&value->members[i].value);
	free(value->members);
	if (value->item != NULL)
		schema_value_free(value->item);
	free(value->item);
}

const struct schema_member *schema_value_member(const struct schema_value *object, const char *name)
{
	struct schema_member wanted = {.name = name};

	if (object->member_count == 0)
		return NULL;
	return bsearch(&wanted, object->members, object->member_count, sizeof *object->members, member_order);
}
