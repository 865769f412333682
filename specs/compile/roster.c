/* accounts.json: the roster. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

struct roster {
	struct specs *specs;
	const struct json_doc *doc;
	struct diag *d;
	bool bad;
};

static void roster_error(struct roster *r, const struct json_path *path, const char *text, const char *value)
{
	json_doc_error(r->doc, path, false, r->d, text, value);
	r->bad = true;
}

static bool id_shaped(const char *s)
{
	return strlen(s) == 12 && strspn(s, "0123456789") == 12;
}

static void check_name(struct roster *r, const struct json_path *path, const char *name)
{
	size_t len = strlen(name);

	if (specs_is_account_name(name))
		return;
	if (len == 0 || len > SPECS_ACCOUNT_NAME_MAX) {
		json_doc_error(r->doc, path, false, r->d, "a name must have 1 to %d bytes, this one has %zu",
			       SPECS_ACCOUNT_NAME_MAX, len);
		r->bad = true;
	}
	if (strchr(name, '/') != NULL)
		roster_error(r, path, "a name may not hold \"/\": \"%s\"", name);
	else if (strpbrk(name, "*?") != NULL || name[0] == '!' || text_starts(name, "tag:"))
		roster_error(r, path, "\"%s\" would read as a selector: no \"*\", \"?\", leading \"!\" or \"tag:\"",
			     name);
	else if (id_shaped(name))
		roster_error(r, path, "\"%s\" reads as an account id: a name needs another character", name);
	if (!text_is_clean(name)) {
		buf_auto struct buf shown = BUF_INIT;

		text_clean(&shown, name, len);
		roster_error(r, path, "a name may not hold controls and characters that are not seen: \"%s\"",
			     buf_str(&shown));
	} else if (len > 0 && (name[0] == ' ' || name[len - 1] == ' ' || strstr(name, "  ") != NULL)) {
		roster_error(r, path, "a name may not begin or end with a space, or hold two together: \"%s\"", name);
	} else if (strpbrk(name, ",\"\\") != NULL) {
		roster_error(r, path, "a name may not hold a comma, a quote or a backslash: \"%s\"", name);
	}
}

static json_t *strings_member(struct roster *r, const struct json_path *path, const json_t *object, const char *key)
{
	const json_t *list = specs_report_member(r->doc, path, object, key, JSON_ARRAY, false, &r->bad, r->d);
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (!json_is_string(item) || json_string_length(item) == 0)
	{
		json_doc_error(r->doc, JSON_PATH_ITEM(JSON_PATH_KEY(path, key), i), false, r->d,
			       "must be a string that is not empty");
		r->bad = true;
	}
	return (json_t *)list;
}

static void check_globs(struct roster *r, const struct json_path *path, const json_t *globs)
{
	json_t *item;
	size_t i;
	bool known;

	json_array_foreach(globs, i, item)
	{
		const char *glob = json_string_value(item);

		if (glob == NULL || strpbrk(glob, "*?") != NULL)
			continue;
		const char *nearest = specs_region_nearest(glob, &known);

		if (!specs_region_shaped(glob))
			roster_error(r, JSON_PATH_ITEM(path, i), "\"%s\" is neither a region's name nor a glob", glob);
		else if (!known && nearest != NULL)
			json_doc_warning(r->doc, JSON_PATH_ITEM(path, i), r->d,
					 "unknown region \"%s\" (did you mean \"%s\"?)", glob, nearest);
	}
}

static void account_regions(struct roster *r, const struct json_path *path, const json_t *object,
			    struct specs_account *account)
{
	static const char *const keys[] = {"Include", "Exclude", NULL};
	const json_t *regions = specs_report_member(r->doc, path, object, "Regions", JSON_OBJECT, false, &r->bad, r->d);

	if (regions == NULL)
		return;
	path = JSON_PATH_KEY(path, "Regions");
	if (specs_report_keys(r->doc, path, regions, keys, "key", r->d) != 0)
		r->bad = true;
	account->regions_include = strings_member(r, path, regions, "Include");
	account->regions_exclude = strings_member(r, path, regions, "Exclude");
	check_globs(r, JSON_PATH_KEY(path, "Include"), account->regions_include);
	check_globs(r, JSON_PATH_KEY(path, "Exclude"), account->regions_exclude);
}

/* A role is in one account; it opens no other one. */
static void check_role_account(struct roster *r, const struct json_path *path, const json_t *own,
			       const struct specs_account *account)
{
	static const char *const keys[] = {"Role", "PlanRole"};
	static const char before[] = ":iam::";

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *arn = json_get_string(account->access, keys[i]);
		const char *id = arn != NULL ? strstr(arn, before) : NULL;
		bool here = json_object_get(own, keys[i]) != NULL;

		id = id != NULL ? id + strlen(before) : NULL;
		if (id == NULL || strspn(id, "0123456789") != 12 || !id_shaped(account->id) ||
		    strncmp(id, account->id, 12) == 0)
			continue;
		json_doc_warning(here ? r->doc : r->specs->private->settings_doc,
				 here ? JSON_PATH_KEY(JSON_PATH_KEY(path, "Access"), keys[i])
				      : JSON_PATH_KEY(JSON_PATH_KEY(NULL, "Access"), keys[i]),
				 r->d, "a role of account %.12s opens no other account: write ${AccountId}", id);
	}
}

/* muster.json's Access with the account's members over it. */
static void account_access(struct roster *r, const struct json_path *path, const json_t *object,
			   struct specs_account *account)
{
	const struct specs *specs = r->specs;
	const json_t *general = json_object_get(specs->settings.document, "Access");
	const json_t *own = specs_report_member(r->doc, path, object, "Access", JSON_OBJECT, false, &r->bad, r->d);
	const json_t *profile = specs_report_member(r->doc, path, object, "Profile", JSON_STRING, false, &r->bad, r->d);

	account->access = json_is_object(general) ? json_copy((json_t *)general) : json_object();
	if (own != NULL) {
		if (specs_access_check(r->doc, JSON_PATH_KEY(path, "Access"), own, specs->settings.partition, r->d) !=
		    0)
			r->bad = true;
		json_object_update(account->access, (json_t *)own);
	}
	if (profile != NULL)
		json_object_set(account->access, "Profile", (json_t *)profile);
	check_role_account(r, path, own, account);
}

static void account_identity(struct roster *r, const struct json_path *path, const json_t *object,
			     struct specs_account *account)
{
	struct specs_private *p = r->specs->private;
	const json_t *name = specs_report_member(r->doc, path, object, "Name", JSON_STRING, true, &r->bad, r->d);
	const json_t *id = specs_report_member(r->doc, path, object, "Id", JSON_STRING, true, &r->bad, r->d);
	const struct specs_account *same;

	account->name = name ? json_string_value(name) : "";
	account->id = id ? json_string_value(id) : "";
	if (name != NULL) {
		check_name(r, JSON_PATH_KEY(path, "Name"), account->name);
		same = specs_table_put(&p->accounts, account->name, account);
		if (same != NULL)
			roster_error(r, JSON_PATH_KEY(path, "Name"), "another account is named \"%s\" too",
				     account->name);
	}
	if (id != NULL && !id_shaped(account->id)) {
		roster_error(r, JSON_PATH_KEY(path, "Id"), "an account's id is 12 digits, not \"%s\"", account->id);
	} else if (id != NULL) {
		same = specs_table_put(&p->accounts, account->id, account);
		if (same != NULL)
			roster_error(r, JSON_PATH_KEY(path, "Id"), "the id is the one of account \"%s\" already",
				     same->name);
	}
}

static void account_load(struct roster *r, const struct json_path *path, const json_t *object,
			 struct specs_account *account)
{
	static const char *const keys[] = {"Name",    "Id",         "Tags",        "Access", "Profile",
					   "Regions", "Parameters", "Description", NULL};
	const json_t *parameters;
	json_t *tags;

	account->name = account->id = "";
	if (!json_is_object(object)) {
		json_doc_error(r->doc, path, false, r->d, "must be an object, not %s", json_kind_name(object));
		r->bad = true;
		object = NULL;
	} else {
		if (specs_report_keys(r->doc, path, object, keys, "key", r->d) != 0)
			r->bad = true;
		account_identity(r, path, object, account);
	}
	account_access(r, path, object, account);
	tags = strings_member(r, path, object, "Tags");
	account->tags = tags != NULL ? json_incref(tags) : json_array();
	account_regions(r, path, object, account);
	parameters = specs_report_member(r->doc, path, object, "Parameters", JSON_OBJECT, false, &r->bad, r->d);
	account->parameters = parameters != NULL ? json_incref((json_t *)parameters) : json_object();
}

int specs_roster_load(struct specs *specs, struct diag *d)
{
	static const char *const keys[] = {"$schema", "Description", "Accounts", NULL};
	struct specs_private *p = specs->private;
	struct roster r = {specs, NULL, d, false};
	const struct json_path *path = JSON_PATH_KEY(NULL, "Accounts");
	const json_t *list;
	size_t count;

	if (specs_document_load(&p->roster_doc, p->source, "accounts.json", true, d) != 0)
		return -1;
	r.doc = p->roster_doc;
	r.bad = specs_report_keys(r.doc, NULL, r.doc->root, keys, "key", d) != 0;
	list = specs_report_member(r.doc, NULL, r.doc->root, "Accounts", JSON_ARRAY, true, &r.bad, d);
	count = json_array_size(list);
	if (count > SPECS_ACCOUNTS_MAX) {
		json_doc_error(r.doc, path, false, d, "%zu accounts; at most %d are supported", count,
			       SPECS_ACCOUNTS_MAX);
		return -1;
	}
	specs->accounts = mem_array(count, sizeof *specs->accounts);
	specs->account_count = count;
	for (size_t i = 0; i < count; i++) {
		specs->accounts[i].index = i;
		account_load(&r, JSON_PATH_ITEM(path, i), json_array_get(list, i), &specs->accounts[i]);
	}
	return r.bad ? -1 : 0;
}

const struct specs_account *specs_account_find(const struct specs *specs, const char *name_or_id)
{
	return specs_table_get(&specs->private->accounts, name_or_id);
}
