/* Approval and Limits of muster.json: their shape, and that the files of keys are there. Not for what is in a key: the
 * apply room reads them. */
#include "specs/compile/compile.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define REQUIRED_MAX 100

struct guards {
	const struct json_doc *doc;
	const struct specs_source *source;
	struct diag *d;
	bool not_author;
};

/* -- Keys ---------------------------------------------------------------------------------------------------------- */

/* "ssh-ed25519 AAAA...": a public key, not the path of one. */
static bool is_key_text(const char *s)
{
	size_t word = strcspn(s, " \t");

	return s[word] != '\0' && (text_starts(s, "ssh-") || text_starts(s, "ecdsa-") || text_starts(s, "sk-"));
}

static int key_error(const struct guards *g, const struct json_path *path, const char *text)
{
	json_doc_error(g->doc, path, false, g->d, "%s", text);
	return -1;
}

/* An e-mail address is what tells whether the key's owner wrote a change. */
static int check_address(const struct guards *g, const struct json_path *path, const char *email, const char *key_text)
{
	if (!g->not_author || email != NULL || (key_text != NULL && strchr(key_text, '@') != NULL))
		return 0;
	return key_error(g, path,
			 "with NotAuthor each key needs an e-mail address: as the comment of an OpenSSH key, or "
			 "{\"File\": ..., \"Email\": ...}");
}

static int check_file(const struct guards *g, const struct json_path *path, const char *file, const char *email)
{
	char *text = NULL;
	size_t len = 0;
	int result = g->source->read(g->source->payload, file, &text, &len, g->d);

	if (result == -ENOENT) {
		json_doc_error(g->doc, path, false, g->d, "there is no file \"%s\" in the spec directory", file);
		return -1;
	}
	if (result != 0)
		return -1;
	/* The comment of an OpenSSH key may hold one; base64 and PEM hold no @. */
	result = check_address(g, path, email, text);
	free(text);
	return result;
}

static int check_key_object(const struct guards *g, const struct json_path *path, const json_t *entry)
{
	static const char *const keys[] = {"File", "Key", "Email", NULL};
	bool bad = specs_report_keys(g->doc, path, entry, keys, "key", g->d) != 0;
	const json_t *file = specs_report_member(g->doc, path, entry, "File", JSON_STRING, false, &bad, g->d);
	const json_t *key = specs_report_member(g->doc, path, entry, "Key", JSON_STRING, false, &bad, g->d);
	const json_t *email = specs_report_member(g->doc, path, entry, "Email", JSON_STRING, false, &bad, g->d);

	if (bad)
		return -1;
	if ((file == NULL) == (key == NULL))
		return key_error(g, path, "needs \"File\" (a path) or \"Key\" (the public key itself)");
	if (email != NULL && strchr(json_string_value(email), '@') == NULL)
		return key_error(g, JSON_PATH_KEY(path, "Email"), "must be an e-mail address");
	if (file != NULL)
		return check_file(g, path, json_string_value(file), json_string_value(email));
	return check_address(g, path, json_string_value(email), json_string_value(key));
}

static int check_key(const struct guards *g, const struct json_path *path, const json_t *entry)
{
	const char *text = json_string_value(entry);

	if (json_is_object(entry))
		return check_key_object(g, path, entry);
	if (text == NULL) {
		json_doc_error(g->doc, path, false, g->d,
			       "must be the path of a public key, the key itself, or an object, not %s",
			       json_kind_name(entry));
		return -1;
	}
	return is_key_text(text) ? check_address(g, path, NULL, text) : check_file(g, path, text, NULL);
}

/* -- Approval ------------------------------------------------------------------------------------------------------ */

static int check_approval(struct guards *g, const json_t *approval)
{
	static const char *const keys[] = {"Required", "Keys", "MaxAge", "NotAuthor", NULL};
	const struct json_path *path = JSON_PATH_KEY(NULL, "Approval");
	bool bad = specs_report_keys(g->doc, path, approval, keys, "key", g->d) != 0;
	const json_t *required =
	    specs_report_member(g->doc, path, approval, "Required", JSON_INTEGER, false, &bad, g->d);
	const json_t *list = specs_report_member(g->doc, path, approval, "Keys", JSON_ARRAY, false, &bad, g->d);
	const json_t *age = specs_report_member(g->doc, path, approval, "MaxAge", JSON_STRING, false, &bad, g->d);
	const json_t *author = specs_report_member(g->doc, path, approval, "NotAuthor", JSON_TRUE, false, &bad, g->d);
	int64_t wanted = required != NULL ? json_integer_value(required) : 0, ms;
	json_t *item;
	size_t i;

	g->not_author = json_is_true(author);
	json_array_foreach(list, i, item) bad =
	    check_key(g, JSON_PATH_ITEM(JSON_PATH_KEY(path, "Keys"), i), item) != 0 || bad;
	if (wanted < 0 || wanted > REQUIRED_MAX || (size_t)wanted > json_array_size(list)) {
		json_doc_error(g->doc, JSON_PATH_KEY(path, "Required"), false, g->d,
			       "must be from 0 to the number of \"Keys\" (%zu), %d at most", json_array_size(list),
			       REQUIRED_MAX);
		bad = true;
	}
	if (age != NULL && text_duration_parse(&ms, json_string_value(age)) != 0) {
		json_doc_error(g->doc, JSON_PATH_KEY(path, "MaxAge"), false, g->d,
			       "must be a length of time like \"90m\", \"24h\" or \"7d\", ten years at most");
		bad = true;
	}
	return bad ? -1 : 0;
}

/* -- Limits -------------------------------------------------------------------------------------------------------- */

/* A whole number from 0 on, or a percentage with at most two decimals. */
static bool is_limit(const json_t *limit)
{
	const char *s = json_string_value(limit);
	size_t digits = 0, decimals = 0;

	if (json_is_integer(limit))
		return json_integer_value(limit) >= 0;
	if (s == NULL)
		return false;
	for (; isdigit((unsigned char)*s); s++)
		digits++;
	if (*s == '.') {
		for (s++; isdigit((unsigned char)*s); s++)
			decimals++;
		if (decimals < 1 || decimals > 2)
			return false;
	}
	return digits >= 1 && digits <= 3 && strcmp(s, "%") == 0 && strtod(json_string_value(limit), NULL) <= 100;
}

static int check_limits(const struct guards *g, const json_t *limits)
{
	static const char *const keys[] = {"MaxDelete", "MaxReplace", "MaxTargets", NULL};
	const struct json_path *path = JSON_PATH_KEY(NULL, "Limits");
	int result = specs_report_keys(g->doc, path, limits, keys, "limit", g->d) != 0 ? -1 : 0;

	for (size_t i = 0; keys[i] != NULL; i++) {
		const json_t *limit = json_object_get(limits, keys[i]);

		if (limit == NULL || is_limit(limit))
			continue;
		json_doc_error(g->doc, JSON_PATH_KEY(path, keys[i]), false, g->d,
			       "must be a whole number from 0 on, or a percentage from \"0%%\" to \"100%%\"");
		result = -1;
	}
	return result;
}

int specs_guards_check(const struct json_doc *doc, const struct specs_source *source, const json_t *approval,
		       const json_t *limits, struct diag *d)
{
	struct guards g = {.doc = doc, .source = source, .d = d};
	int result = approval == NULL ? 0 : check_approval(&g, approval);

	if (limits != NULL && check_limits(&g, limits) != 0)
		result = -1;
	return result;
}
