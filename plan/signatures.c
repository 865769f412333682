/* The shape of signatures in a plan file: nothing here proves them (apply/approval.c does). */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "plan/file_private.h"

#define SIGNATURE_TEXT_MAX ((size_t)32 << 10)

/* Whether a member is printable text of at most `max` bytes. */
static bool is_text(const json_t *object, const char *key, bool required, size_t max)
{
	const json_t *value = json_object_get(object, key);
	const char *s = json_string_value(value);

	if (value == NULL)
		return !required;
	if (s == NULL || json_string_length(value) > max || strlen(s) != json_string_length(value))
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			return false;
	return true;
}

int plan_signature_check(const json_t *signature)
{
	static const struct {
		const char *key;
		bool required;
		size_t max;
	} members[] = {{"Key", true, 64},   {"KeyType", true, 64},   {"Comment", false, 1024},
		       {"Time", false, 32}, {"Algorithm", true, 64}, {"Signature", true, SIGNATURE_TEXT_MAX}};
	const char *key = json_get_string(signature, "Key");
	size_t known = 0;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		if (!is_text(signature, members[i].key, members[i].required, members[i].max))
			return -1;
		known += json_object_get(signature, members[i].key) != NULL;
	}
	if (json_object_size(signature) != known || key == NULL || !text_starts(key, "SHA256:"))
		return -1;
	return 0;
}

int plan_file_signatures(json_t **out, const json_t *signatures)
{
	json_t *signature;
	size_t i;

	*out = NULL;
	if (signatures == NULL)
		return 0;
	if (!json_is_array(signatures) || json_array_size(signatures) > PLAN_SIGNATURES_MAX)
		return -1;
	json_array_foreach(signatures, i, signature)
	{
		if (plan_signature_check(signature) < 0)
			return -1;
	}
	*out = json_incref((json_t *)signatures);
	return 0;
}
