/* Secrets in what a service says. Its messages go to the screen and into the generation, so values that are secret are
 * taken out of them first. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/mem.h"

/* Shorter ones stand in many messages by chance. */
#define SECRET_LEAST 4

static void text_hide(char **text, const char *secret)
{
	size_t len = strlen(secret);
	buf_auto struct buf out = BUF_INIT;
	const char *at = *text, *found;

	if (len < SECRET_LEAST || strstr(at, secret) == NULL)
		return;
	while ((found = strstr(at, secret)) != NULL) {
		buf_add(&out, at, (size_t)(found - at));
		buf_adds(&out, "(sensitive)");
		at = found + len;
	}
	buf_adds(&out, at);
	free(*text);
	*text = buf_detach(&out);
}

static void value_hide(char **text, const json_t *value, const json_t *clear)
{
	const char *key;
	json_t *item;
	size_t i;

	if (specs_is_residual(value)) {
		if (json_is_string(clear))
			text_hide(text, json_string_value(clear));
		return;
	}
	json_object_foreach((json_t *)value, key, item) value_hide(text, item, json_object_get(clear, key));
	json_array_foreach((json_t *)value, i, item) value_hide(text, item, json_array_get(clear, i));
}

void apply_outcome_hide(struct apply_outcome *outcome, const json_t *properties, const json_t *clear)
{
	if (outcome->message != NULL && clear != NULL)
		value_hide(&outcome->message, properties, clear);
}
