/* muster.json: the settings of a fleet. Not for what they mean later: what State says is only checked for its
 * shape; Approval and Limits are in guards.c. */
#include "specs/compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int specs_document_load(struct json_doc **out, const struct specs_source *source, const char *path, bool required,
			struct diag *d)
{
	char *text = NULL;
	size_t len = 0;
	int result = source->read(source->payload, path, &text, &len, d);

	*out = NULL;
	if (result == -ENOENT && !required)
		return 0;
	if (result == -ENOENT) {
		struct diag_place place = {.file = path};

		diag_at(d, DIAG_ERROR, &place, "there is no such file");
		return -1;
	}
	if (result != 0)
		return -1;
	result = json_doc_parse(out, path, text, len, d);
	free(text);
	if (result == 0 && !json_is_object((*out)->root)) {
		json_doc_error(*out, NULL, false, d, "must be an object, not %s", json_kind_name((*out)->root));
		json_doc_free(*out);
		*out = NULL;
		return -1;
	}
	return result;
}

static int check_home(const struct json_doc *doc, struct specs_settings *settings, struct diag *d)
{
	const char *home = settings->home_region, *nearest;
	const char *const *defaults;
	bool known;

	settings->partition = specs_partition_of(home);
	nearest = specs_region_nearest(home, &known);
	if (!specs_region_shaped(home) || (!known && nearest != NULL)) {
		json_doc_error(doc, JSON_PATH_KEY(NULL, "HomeRegion"), false, d, "\"%s\" is not a region%s%s%s", home,
			       nearest ? " (did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?)" : "");
		return -1;
	}
	/* Rule 14: roles are assumed there, so it must work in every account. */
	defaults = specs_default_regions(settings->partition);
	for (size_t i = 0; defaults[i] != NULL; i++)
		if (strcmp(defaults[i], home) == 0)
			return 0;
	if (defaults[0] == NULL)
		return 0;
	json_doc_error(doc, JSON_PATH_KEY(NULL, "HomeRegion"), false, d,
		       "%s is not enabled by default in every account: choose a region that needs no opt-in", home);
	return -1;
}

static int check_config_region(const struct json_doc *doc, const struct specs_settings *settings, struct diag *d)
{
	const char *region = settings->config_global_region;
	const struct json_path *path = JSON_PATH_KEY(NULL, "ConfigGlobalRegion");

	if (!specs_region_shaped(region) || strcmp(specs_partition_of(region), settings->partition) != 0) {
		json_doc_error(doc, path, false, d, "\"%s\" is not a region of partition %s", region,
			       settings->partition);
		return -1;
	}
	if (!specs_config_global_allowed(region)) {
		json_doc_error(doc, path, false, d,
			       "AWS Config cannot record global resource types in %s, a region added after February "
			       "2022; choose an older one",
			       region);
		return -1;
	}
	return 0;
}

static int check_state(const struct json_doc *doc, const json_t *state, struct specs_settings *settings, struct diag *d)
{
	static const char *const keys[] = {"Backend", "Path", NULL};
	const struct json_path *path = JSON_PATH_KEY(NULL, "State");
	const json_t *backend, *where;
	bool bad = false;

	settings->state_path = ".muster";
	if (state == NULL)
		return 0;
	bad = specs_report_keys(doc, path, state, keys, "key", d) != 0;
	backend = specs_report_member(doc, path, state, "Backend", JSON_STRING, false, &bad, d);
	where = specs_report_member(doc, path, state, "Path", JSON_STRING, false, &bad, d);
	if (backend != NULL && strcmp(json_string_value(backend), "local") != 0) {
		json_doc_error(doc, JSON_PATH_KEY(path, "Backend"), false, d,
			       "unknown state backend \"%s\": only \"local\" is built", json_string_value(backend));
		bad = true;
	}
	if (where != NULL && *json_string_value(where) == '\0') {
		json_doc_error(doc, JSON_PATH_KEY(path, "Path"), false, d, "must not be empty");
		bad = true;
	} else if (where != NULL) {
		settings->state_path = json_string_value(where);
	}
	return bad ? -1 : 0;
}

static int check_lineage(const struct json_doc *doc, const json_t *lineage, struct diag *d)
{
	const char *s = json_string_value(lineage);
	size_t len = json_string_length(lineage);
	bool good = lineage == NULL || (len >= 1 && len <= 64 && strlen(s) == len);

	for (size_t i = 0; good && i < len; i++)
		good = (unsigned char)s[i] > ' ' && s[i] != 127;
	if (good)
		return 0;
	json_doc_error(doc, JSON_PATH_KEY(NULL, "Lineage"), false, d,
		       "must be 1 to 64 bytes without spaces; leave it out to have one made");
	return -1;
}

static void settings_values(struct specs *specs, bool *bad, struct diag *d)
{
	struct specs_private *p = specs->private;
	const struct json_doc *doc = p->settings_doc;
	struct specs_settings *s = &specs->settings;
	const json_t *version = specs_report_member(doc, NULL, doc->root, "Version", JSON_INTEGER, true, bad, d);
	const json_t *home = specs_report_member(doc, NULL, doc->root, "HomeRegion", JSON_STRING, true, bad, d);
	const json_t *config =
	    specs_report_member(doc, NULL, doc->root, "ConfigGlobalRegion", JSON_STRING, false, bad, d);
	const json_t *lineage = specs_report_member(doc, NULL, doc->root, "Lineage", JSON_STRING, false, bad, d);

	if (version != NULL && json_integer_value(version) != 1) {
		json_doc_error(doc, JSON_PATH_KEY(NULL, "Version"), false, d,
			       "version %" JSON_INTEGER_FORMAT " is not known: this program reads version 1",
			       json_integer_value(version));
		*bad = true;
	}
	s->lineage = lineage != NULL ? json_string_value(lineage) : p->options.lineage;
	*bad = check_lineage(doc, lineage, d) != 0 || *bad;
	if (home == NULL)
		return;
	s->home_region = json_string_value(home);
	*bad = check_home(doc, s, d) != 0 || *bad;
	s->config_global_region = config != NULL ? json_string_value(config) : s->home_region;
	*bad = (config != NULL && check_config_region(doc, s, d) != 0) || *bad;
}

int specs_settings_load(struct specs *specs, struct diag *d)
{
	static const char *const keys[] = {"$schema", "Version", "Description", "HomeRegion", "ConfigGlobalRegion",
					   "Access",  "Lineage", "Parameters",  "State",      "Approval",
					   "Limits",  NULL};
	struct specs_private *p = specs->private;
	struct specs_settings *s = &specs->settings;
	const struct json_doc *doc;
	const json_t *state, *access;
	bool bad = false;

	/* So that what is checked after an error here has something to stand on. */
	s->home_region = s->config_global_region = "us-east-1";
	s->partition = "aws";
	s->state_path = ".muster";
	if (specs_document_load(&p->settings_doc, p->source, "muster.json", true, d) != 0)
		return -1;
	doc = p->settings_doc;
	s->document = doc->root;
	bad = specs_report_keys(doc, NULL, doc->root, keys, "setting", d) != 0;
	settings_values(specs, &bad, d);
	specs_report_member(doc, NULL, doc->root, "Parameters", JSON_OBJECT, false, &bad, d);
	access = specs_report_member(doc, NULL, doc->root, "Access", JSON_OBJECT, false, &bad, d);
	state = specs_report_member(doc, NULL, doc->root, "State", JSON_OBJECT, false, &bad, d);
	s->approval = (json_t *)specs_report_member(doc, NULL, doc->root, "Approval", JSON_OBJECT, false, &bad, d);
	s->limits = (json_t *)specs_report_member(doc, NULL, doc->root, "Limits", JSON_OBJECT, false, &bad, d);
	bad = check_state(doc, state, s, d) != 0 || bad;
	bad = specs_guards_check(doc, p->source, s->approval, s->limits, d) != 0 || bad;
	if (access != NULL)
		bad = specs_access_check(doc, JSON_PATH_KEY(NULL, "Access"), access, s->partition, d) != 0 || bad;
	return bad ? -1 : 0;
}
