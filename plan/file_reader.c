/* Members of a plan file, one by one: see file_reader.h. */
#include "plan/file_reader.h"

#include <string.h>

#include "base/json.h"

void plan_reader_wrong(struct plan_reader *r, const char *key, const char *expected)
{
	diag_error(r->diag, "%s: %s: %s: expected %s", r->file, r->at, key, expected);
	r->failed = true;
}

const char *plan_read_text(struct plan_reader *r, const json_t *object, const char *key, bool required)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
		return json_string_value(value);
	if (value != NULL || required)
		plan_reader_wrong(r, key, "a string");
	return required ? "" : NULL;
}

int64_t plan_read_count(struct plan_reader *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return json_integer_value(value);
	plan_reader_wrong(r, key, "a whole number, 0 or more");
	return 0;
}

bool plan_read_flag(struct plan_reader *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_boolean(value))
		plan_reader_wrong(r, key, "true or false");
	return json_is_true(value);
}

/* Borrowed; NULL when left out or JSON null. */
json_t *plan_read_object(struct plan_reader *r, const json_t *object, const char *key, bool required)
{
	json_t *value = json_object_get(object, key);

	if (json_is_object(value))
		return value;
	if (required || (value != NULL && !json_is_null(value)))
		plan_reader_wrong(r, key, "an object");
	return NULL;
}

json_t *plan_read_list(struct plan_reader *r, const json_t *object, const char *key, bool required)
{
	json_t *value = json_object_get(object, key);

	if (json_is_array(value))
		return value;
	if (required || value != NULL)
		plan_reader_wrong(r, key, "a list");
	return NULL;
}

const char **plan_read_strings(struct plan_reader *r, const json_t *object, const char *key, bool required,
			       size_t *count)
{
	json_t *list = plan_read_list(r, object, key, required), *item;
	const char **strings;
	size_t i;

	*count = 0;
	if (list == NULL)
		return NULL;
	strings = plan_keep_array(r->plan, json_array_size(list) + 1, sizeof *strings);
	json_array_foreach(list, i, item)
	{
		if (json_is_string(item))
			strings[(*count)++] = plan_keep(r->plan, json_string_value(item));
		else
			plan_reader_wrong(r, key, "a list of strings");
	}
	return strings;
}

/* A word out of `words`, as its index. */
int plan_read_word(struct plan_reader *r, const json_t *object, const char *key, const char *const *words, int count)
{
	const char *word = plan_read_text(r, object, key, true);

	for (int i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	plan_reader_wrong(r, key, "a word that is known here");
	return 0;
}

/* -- Secrets ------------------------------------------------------------------------------------------------------- */

void plan_check_secret(struct plan_reader *r, const json_t *secret, bool wanted)
{
	static const char *const words[] = {"Env", "File", "Parameter"};
	const json_t *source = json_object_get(secret, "Source");

	/* Of what there was no more need be said than that it was one. */
	if (!wanted && json_is_object(secret) && json_object_size(secret) == 0)
		return;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (json_get_string(source, words[i]) != NULL && json_get_string(secret, "Hmac") != NULL)
			return;
	plan_reader_wrong(r, "Muster::Secret", "a Source (Env, File or Parameter) and an Hmac");
}

void plan_check_secrets(struct plan_reader *r, const json_t *value, bool wanted)
{
	const json_t *secret = json_is_object(value) ? json_object_get(value, "Muster::Secret") : NULL;
	const char *name;
	json_t *member;
	size_t i;

	if (secret != NULL)
		plan_check_secret(r, secret, wanted);
	json_object_foreach((json_t *)value, name, member) plan_check_secrets(r, member, wanted);
	json_array_foreach(value, i, member) plan_check_secrets(r, member, wanted);
}
