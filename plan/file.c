/* Plan files on disk: written whole or not at all, readable by their owner only, refused when they are not what was
 * written. What stands in them: file_write.c, file_read.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "plan/file_private.h"

/* More than can be read again is not written, but counted. */
static int add_text(const char *bytes, size_t len, void *payload)
{
	struct text_file *file = payload;

	if (file->len + len <= PLAN_FILE_BYTES)
		text_file_add(file, bytes, len);
	else
		file->len += len;
	return 0;
}

int plan_file_write(struct plan *plan, const char *path, struct diag *d)
{
	struct text_file file;
	json_t *root;
	int result;

	if (plan->drift || plan->past)
		return diag_error(d, "%s: %s is no plan that could be applied, so it is not saved as one", path,
				  plan->drift ? "a report of drift" : "what has happened");
	root = plan_to_json(plan);

	/* Configurations are not secrets, but they are nobody else's business either. */
	text_file_start(&file, path, 0600);
	/* In the order that things have, not the canonical one: a reviewer's copy shows a document as its spec has it.
	 */
	result = json_dump_callback(root, add_text, &file, JSON_COMPACT);
	json_decref(root);
	add_text("\n", 1, &file);
	if (result < 0)
		diag_error(d, "%s: the plan cannot be written as JSON", path);
	else if (file.len > PLAN_FILE_BYTES)
		result = diag_error(
		    d, "%s: the plan would have %zu MB, more than the %zu that can be read again; use --only", path,
		    file.len >> 20, PLAN_FILE_BYTES >> 20);
	if (result < 0) {
		text_file_drop(&file);
		return -1;
	}
	result = text_file_finish(&file);
	if (result < 0)
		return diag_error(d, "%s: cannot write the plan: %s", path, strerror(-result));
	return 0;
}

static json_t *parse(const char *path, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;
	json_error_t error;
	json_t *root;
	int result = text_file_read(&text, path, PLAN_FILE_BYTES);

	if (result == -EFBIG)
		diag_error(d, "%s: over %zu MB, too large for a plan", path, PLAN_FILE_BYTES >> 20);
	else if (result < 0)
		diag_error(d, "%s: %s", path, strerror(-result));
	if (result < 0)
		return NULL;
	root = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL)
		diag_error(d, "%s:%d:%d: not a plan: %s", path, error.line, error.column, error.text);
	return root;
}

/* Refuses what is no plan, what a newer muster wrote, and what somebody changed. */
static int check(const char *path, json_t *root, struct diag *d)
{
	json_t *muster = json_object_get(root, "muster"), *said, *signatures;
	const char *format = json_get_string(root, "format_version");
	int64_t version = json_get_int(muster, "version", 0);
	uint8_t digest[32];
	char hex[65];
	bool same;

	if (format == NULL || !json_is_object(muster) || version < 1)
		return diag_error(d, "%s: not a plan that muster made", path);
	if (json_is_true(json_object_get(muster, "drift")))
		return diag_error(d, "%s: a report of drift, not a plan; muster plan makes one that takes drift back",
				  path);
	if (version > PLAN_FILE_VERSION || !text_starts(format, "1."))
		return diag_error(d, "%s: made by a newer muster (plan version %lld, format %s)", path,
				  (long long)version, format);
	said = json_incref(json_object_get(muster, "digest"));
	signatures = json_incref(json_object_get(muster, "signatures"));
	json_object_del(muster, "digest");
	json_object_del(muster, "signatures");
	json_digest(digest, root);
	text_hex(hex, digest, sizeof digest);
	same = json_is_string(said) && strcmp(json_string_value(said), hex) == 0;
	if (said != NULL)
		json_object_set_new(muster, "digest", said);
	if (signatures != NULL)
		json_object_set_new(muster, "signatures", signatures);
	if (!same)
		return diag_error(d, "%s: the plan was changed after it was made (its digest is another)", path);
	return 0;
}

int plan_file_read(struct plan **out, const char *path, const struct schema_set *schemas, struct diag *d)
{
	json_t *root = parse(path, d);
	int result = -1;

	*out = NULL;
	if (root != NULL && check(path, root, d) == 0)
		result = plan_from_json(out, path, root, schemas, d);
	json_decref(root);
	return result;
}
