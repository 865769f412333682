/* The shape of Access, in muster.json and of single accounts. Whether roles can be assumed is `muster access`'s work.
 */
#include "specs/compile/compile.h"

#include <string.h>

struct access {
	const struct json_doc *doc;
	const struct json_path *path;
	const char *partition;
	struct diag *d;
	bool bad;
};

static void access_error(struct access *a, const struct json_path *path, const char *text, const char *value)
{
	json_doc_error(a->doc, path, false, a->d, "%s: \"%s\"", text, value);
	a->bad = true;
}

/* ${AccountId} and ${AccountName} are all that may stand in a role. */
static bool check_placeholders(struct access *a, const struct json_path *path, const char *arn, bool allowed)
{
	for (const char *s = strstr(arn, "${"); s != NULL; s = strstr(s + 2, "${")) {
		if (!allowed) {
			access_error(a, path, "a role of a chain is one role for all accounts and takes no ${...}",
				     arn);
			return false;
		}
		if (!text_starts(s, "${AccountId}") && !text_starts(s, "${AccountName}")) {
			access_error(a, path, "only ${AccountId} and ${AccountName} are known here", arn);
			return false;
		}
	}
	return true;
}

/* arn:PARTITION:iam::ACCOUNT:role/NAME */
static void check_role(struct access *a, const struct json_path *path, const json_t *value, bool placeholders)
{
	const char *arn = json_string_value(value), *rest;
	size_t len;

	if (arn == NULL) {
		json_doc_error(a->doc, path, false, a->d, "must be the ARN of a role, not %s", json_kind_name(value));
		a->bad = true;
		return;
	}
	if (!check_placeholders(a, path, arn, placeholders))
		return;
	if (!text_starts(arn, "arn:")) {
		access_error(a, path, "is not the ARN of a role (arn:aws:iam::ACCOUNT:role/NAME)", arn);
		return;
	}
	len = strlen(a->partition);
	rest = arn + strlen("arn:");
	if (strncmp(rest, a->partition, len) != 0 || rest[len] != ':') {
		json_doc_error(a->doc, path, false, a->d, "is not in partition %s, in which the home region is: \"%s\"",
			       a->partition, arn);
		a->bad = true;
		return;
	}
	rest += len + 1;
	if (text_starts(rest, "iam::${AccountId}:role/"))
		rest += strlen("iam::${AccountId}:role/");
	else if (text_starts(rest, "iam::") && strspn(rest + 5, "0123456789") == 12 && text_starts(rest + 17, ":role/"))
		rest += 17 + strlen(":role/");
	else
		rest = "";
	if (*rest == '\0')
		access_error(a, path, "is not the ARN of a role (arn:aws:iam::ACCOUNT:role/NAME)", arn);
}

static void check_chain(struct access *a, const json_t *access, const char *key)
{
	const struct json_path *path = JSON_PATH_KEY(a->path, key);
	const json_t *list = specs_report_member(a->doc, a->path, access, key, JSON_ARRAY, false, &a->bad, a->d);
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) check_role(a, JSON_PATH_ITEM(path, i), item, false);
}

/* A string of AWS STS's character set [\w+=,.@-] and `more`, of the given length. */
static void check_word(struct access *a, const json_t *access, const char *key, const char *more, size_t min,
		       size_t max)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-";
	const json_t *value = specs_report_member(a->doc, a->path, access, key, JSON_STRING, false, &a->bad, a->d);
	const char *s = json_string_value(value);

	if (s == NULL)
		return;
	for (const char *c = s; *c != '\0'; c++)
		if (strchr(letters, *c) == NULL && strchr(more, *c) == NULL) {
			access_error(a, JSON_PATH_KEY(a->path, key), "holds a character that AWS does not allow there",
				     s);
			return;
		}
	if (strlen(s) < min || strlen(s) > max) {
		json_doc_error(a->doc, JSON_PATH_KEY(a->path, key), false, a->d, "must have %zu to %zu characters", min,
			       max);
		a->bad = true;
	}
}

int specs_access_check(const struct json_doc *doc, const struct json_path *path, const json_t *access,
		       const char *partition, struct diag *d)
{
	static const char *const keys[] = {"Chain",       "Role",    "PlanRole",   "PlanChain",
					   "SessionName", "Profile", "ExternalId", NULL};
	struct access a = {doc, path, partition, d, false};
	static const char *const roles[] = {"Role", "PlanRole"};

	a.bad = specs_report_keys(doc, path, access, keys, "key", d) != 0;
	check_chain(&a, access, "Chain");
	check_chain(&a, access, "PlanChain");
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		const json_t *role = json_object_get(access, roles[i]);

		if (role != NULL && !json_is_null(role))
			check_role(&a, JSON_PATH_KEY(path, roles[i]), role, true);
	}
	/* AWS STS API Reference, AssumeRole: RoleSessionName, ExternalId. */
	check_word(&a, access, "SessionName", "", 2, 64);
	check_word(&a, access, "ExternalId", ":/", 2, 1224);
	specs_report_member(doc, path, access, "Profile", JSON_STRING, false, &a.bad, d);
	return a.bad ? -1 : 0;
}
