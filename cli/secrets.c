/* See secrets.h. */
#include "cli/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* A plan that was saved is applied without its specs, except that they say where secrets come from. */
static int specs_needed(struct session *s)
{
	return s->specs != NULL ? 0 : session_load_specs(s, NULL);
}

json_t *secrets_find(void *payload, const json_t *source, const char *hmac, struct diag *d)
{
	struct session *s = payload;
	char *text = NULL, hex[65];
	uint8_t digest[32];
	json_t *value = NULL;

	if (specs_needed(s) < 0 || specs_secret_read(&text, s->specs, source, d) < 0)
		return NULL;
	text_hmac_sha256(digest, s->secret_key, sizeof s->secret_key, text, strlen(text));
	text_hex(hex, digest, sizeof digest);
	if (hmac != NULL && strcmp(hex, hmac) == 0) {
		value = json_string(text);
	} else {
		mem_auto_str char *shown = json_dumps(source, JSON_COMPACT);

		diag_error(d, "the secret %s is another one than the plan was made with; make a new plan", shown);
	}
	mem_wipe(text, strlen(text));
	free(text);
	return value;
}

int secrets_check(struct session *s, const struct plan *plan)
{
	size_t i, errors = s->cli->diag.errors;
	json_t *secret;

	json_array_foreach(plan->secrets, i, secret)
	{
		json_decref(
		    secrets_find(s, json_object_get(secret, "Source"), json_get_string(secret, "Hmac"), &s->cli->diag));
	}
	return s->cli->diag.errors > errors ? -1 : 0;
}
