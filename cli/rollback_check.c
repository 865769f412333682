/* What is checked before a rollback is planned, so that it is said in one go and in words of the generation. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/rollback.h"

#define FILES_SHOWN 10

/* -- What git has -------------------------------------------------------------------------------------------------- */

/* Whether the commit has the same bytes. */
static bool same_in_git(struct state_git_tree *tree, const char *path, const struct input *kept)
{
	struct diag ignored = DIAG_INIT;
	char *text = NULL;
	size_t len = 0;
	bool same = state_git_tree_read(tree, path, JSON_DOC_MAX_BYTES, &text, &len, &ignored) == 0 &&
		    len == kept->len && memcmp(text, kept->bytes, len) == 0;

	free(text);
	diag_free(&ignored);
	return same;
}

static void warn_of_others(const struct rollback *rollback, struct state_git_tree *tree, const char *commit,
			   struct diag *d)
{
	buf_auto struct buf names = BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < rollback->kept.files.count; i++) {
		const struct map_entry *entry = &rollback->kept.files.entries[i];

		if (entry->key != NULL && !same_in_git(tree, entry->key, entry->value) && count++ < FILES_SHOWN)
			buf_addf(&names, "%s%s", count > 1 ? ", " : "", entry->key);
	}
	if (count > FILES_SHOWN)
		buf_addf(&names, " and %zu more", count - FILES_SHOWN);
	if (count > 0)
		diag_warning(d,
			     "generation %ju keeps other files than its commit %s has, although they were committed "
			     "then: %s; what it keeps is used",
			     (uintmax_t)rollback->from, commit, buf_str(&names));
}

void rollback_check_git(const struct rollback *rollback, const char *directory, struct diag *d)
{
	const char *commit = json_get_string(rollback->facts, "Commit");
	struct state_git_tree *tree = NULL;
	struct diag why = DIAG_INIT;

	if (commit == NULL || json_get_bool(rollback->facts, "Dirty", false))
		return;
	if (state_git_tree_open(&tree, directory, commit, &why) == 0)
		warn_of_others(rollback, tree, commit, d);
	else
		diag_note(d, "generation %ju is taken from what the state keeps of it, which git cannot confirm: %s",
			  (uintmax_t)rollback->from, diag_first_error(&why));
	state_git_tree_free(tree);
	diag_free(&why);
}

/* -- Types --------------------------------------------------------------------------------------------------------- */

struct type_check {
	const struct rollback *rollback;
	const struct schema_set *schemas;
	const char *stack; /* name of the stack's file */
	struct diag *d;
	int result;
};

static void check_resource(struct type_check *check, const char *logical_id, const json_t *resource)
{
	const char *type = json_get_string(resource, "Type");

	if (type == NULL || schema_set_find(check->schemas, type) != NULL)
		return;
	check->result = diag_error(
	    check->d,
	    "generation %ju has a resource of type %s (%s in %s), which is not known any more; give its type "
	    "file in a directory of MUSTER_TYPES_PATH",
	    (uintmax_t)check->rollback->from, type, logical_id, check->stack);
}

static void check_resources(struct type_check *check, json_t *resources)
{
	const char *logical_id;
	json_t *resource;

	json_object_foreach(resources, logical_id, resource)
	{
		/* A loop holds further ones, however deep. */
		if (text_starts(logical_id, "Fn::ForEach::"))
			check_resources(check, json_array_get(resource, 2));
		else
			check_resource(check, logical_id, resource);
	}
}

static void check_stack(struct type_check *check)
{
	const struct specs_source *source = &check->rollback->source;
	struct json_doc *doc = NULL;
	char *text = NULL;
	size_t len = 0;

	if (source->read(source->payload, check->stack, &text, &len, check->d) < 0 ||
	    json_doc_parse(&doc, check->stack, text, len, check->d) < 0)
		check->result = -1;
	else
		check_resources(check, json_object_get(doc->root, "Resources"));
	json_doc_free(doc);
	free(text);
}

int rollback_check_types(const struct rollback *rollback, const struct schema_set *schemas, struct diag *d)
{
	struct type_check check = {.rollback = rollback, .schemas = schemas, .d = d};
	char **names = NULL;

	if (rollback->source.list(rollback->source.payload, "stacks", &names, d) < 0)
		return -1;
	for (size_t i = 0; names[i] != NULL; i++) {
		mem_auto_str char *file = mem_printf("stacks/%s", names[i]);

		check.stack = file;
		if (text_ends(file, ".json"))
			check_stack(&check);
		free(names[i]);
	}
	free(names);
	return check.result;
}

/* -- Secrets ------------------------------------------------------------------------------------------------------- */

struct secret_check {
	const struct rollback *rollback;
	struct session *s;
	const struct option_list *given; /* NAME=VALUE */
	json_t *settings;                /* muster.json as it is to be used */
	struct map seen;                 /* sources that were looked at, canonical */
	struct buf missing;
};

static bool file_is_there(const struct session *s, const char *path)
{
	mem_auto_str char *joined = mem_printf("%s/%s", s->cli->directory, path);

	return access(path[0] == '/' ? path : joined, F_OK) == 0;
}

static bool is_given(const struct option_list *given, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < given->count; i++)
		if (strncmp(given->items[i], name, len) == 0 && given->items[i][len] == '=')
			return true;
	return false;
}

/* Whether a value that stands in muster.json is the one that the generation was applied with; else that one came from
 * the command line. */
static bool stands_in_settings(const struct secret_check *check, const char *name, const char *hmac)
{
	const json_t *value = json_object_get(json_object_get(check->settings, "Parameters"), name);
	uint8_t digest[32];
	char hex[65];

	if (!json_is_string(value) || hmac == NULL)
		return value != NULL;
	text_hmac_sha256(digest, check->s->secret_key, sizeof check->s->secret_key, json_string_value(value),
			 json_string_length(value));
	text_hex(hex, digest, sizeof digest);
	return strcmp(hex, hmac) == 0;
}

static void check_secret(struct secret_check *check, const json_t *secret)
{
	const json_t *source = json_object_get(secret, "Source");
	const char *variable = json_get_string(source, "Env"), *path = json_get_string(source, "File");
	const char *name = json_get_string(source, "Parameter");
	const char *comma = check->missing.len > 0 ? ", " : "";

	if (variable != NULL && getenv(variable) == NULL)
		buf_addf(&check->missing, "%sthe environment variable %s", comma, variable);
	else if (path != NULL && !file_is_there(check->s, path))
		buf_addf(&check->missing, "%sthe file %s", comma, path);
	else if (name != NULL && json_object_get(source, "Account") == NULL &&
		 json_object_get(source, "Stack") == NULL && !is_given(check->given, name) &&
		 !stands_in_settings(check, name, json_get_string(secret, "Hmac")))
		buf_addf(&check->missing, "%s--parameter %s=…", comma, name);
}

static void check_value(struct secret_check *check, const json_t *value)
{
	const json_t *secret = json_object_get(value, "Muster::Secret");
	const char *key;
	json_t *member;
	size_t i;

	if (secret != NULL) {
		buf_auto struct buf text = BUF_INIT;

		json_canonical(&text, json_object_get(secret, "Source"));
		if (!map_has(&check->seen, buf_str(&text))) {
			map_set(&check->seen, buf_str(&text), check);
			check_secret(check, secret);
		}
		return;
	}
	json_object_foreach((json_t *)value, key, member) check_value(check, member);
	json_array_foreach(value, i, member) check_value(check, member);
}

static int check_record(void *payload, const struct state_record *record)
{
	static const char mark[] = "\"Muster::Secret\"";
	json_auto_t *body = NULL;

	/* Most have none: those are not parsed. */
	if (memmem(record->text, record->text_len, mark, sizeof mark - 1) == NULL)
		return 0;
	body = json_loadb(record->text, record->text_len, 0, NULL);
	check_value(payload, json_object_get(body, "Properties"));
	return 0;
}

int rollback_check_secrets(const struct rollback *rollback, struct session *s, const struct option_list *given)
{
	const struct input *settings = inputs_get(&rollback->overlay, "muster.json");
	struct secret_check check = {.rollback = rollback, .s = s, .given = given};
	struct state_txn *txn = NULL;
	int result = state_begin(&txn, s->state, false, &s->cli->diag);

	check.settings = json_loadb(settings->bytes, settings->len, 0, NULL);
	if (result == 0)
		result = state_record_each_at(txn, rollback->generation, "", check_record, &check, &s->cli->diag);
	state_abort(txn);
	if (result == 0 && check.missing.len > 0)
		result = diag_error(&s->cli->diag, "rollback to %ju needs these secrets: %s",
				    (uintmax_t)rollback->generation, buf_str(&check.missing));
	buf_free(&check.missing);
	map_free(&check.seen, NULL);
	json_decref(check.settings);
	return result < 0 ? -1 : 0;
}
