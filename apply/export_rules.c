/* The rules of approval in an export, and out of it: they are those of an earlier generation, so that a change cannot
 * choose its own judges; a state that was lost must not be the way round that. */
#include <stdlib.h>
#include <string.h>

#include "apply/apply.h"
#include "apply/surgery.h"
#include "base/json.h"
#include "base/text.h"

int surgery_rules_export(json_t **out, struct state_txn *txn, struct diag *d)
{
	struct apply_approval_rules rules = {0};
	json_auto_t *facts = NULL;
	uint64_t number = 0;

	*out = NULL;
	if (apply_approval_generation(&number, &facts, txn, d) < 0)
		return -1;
	if (number == 0)
		return 0;
	if (apply_approval_rules(&rules, txn, NULL, 0, d) < 0) {
		apply_approval_rules_free(&rules);
		return -1;
	}
	*out = json_pack("{s:O*, s:O, s:s*}", "Approval", rules.approval, "Keys", rules.keys, "Commit", rules.commit);
	apply_approval_rules_free(&rules);
	return 0;
}

static int file_keep(json_t *files, struct surgery *s, const char *path, const char *text, size_t len)
{
	uint8_t digest[32];
	char hex[65];

	if (state_blob_put(s->txn, digest, text, len, s->d) < 0)
		return -1;
	text_hex(hex, digest, sizeof digest);
	json_object_set_new(files, path, json_string(hex));
	return 0;
}

/* As the settings that they were in: of muster.json no other part decides who must approve. */
static int settings_keep(json_t *files, struct surgery *s, json_t *approval)
{
	json_auto_t *settings = json_pack("{s:O*}", "Approval", approval);
	buf_auto struct buf text = BUF_INIT;

	json_canonical(&text, settings);
	return file_keep(files, s, "muster.json", buf_str(&text), text.len);
}

int surgery_rules_restore(json_t *facts, struct surgery *s, const json_t *rules)
{
	json_t *approval = json_object_get(rules, "Approval"), *keys = json_object_get(rules, "Keys"), *text;
	json_t *files = json_object();
	const char *path, *commit = json_get_string(rules, "Commit");

	json_object_set_new(facts, "Rules", files);
	if (commit != NULL)
		json_object_set_new(facts, "RulesCommit", json_string(commit));
	if ((approval != NULL && !json_is_object(approval)) || (keys != NULL && !json_is_object(keys)))
		return diag_error(s->d, "this export is damaged: Rules has an Approval or Keys that are no object");
	if (settings_keep(files, s, approval) < 0)
		return -1;
	json_object_foreach(keys, path, text)
	{
		if (!json_is_string(text) || strcmp(path, "muster.json") == 0)
			return diag_error(s->d, "this export is damaged: Rules has no key \"%s\" that can be read",
					  path);
		if (file_keep(files, s, path, json_string_value(text), json_string_length(text)) < 0)
			return -1;
	}
	return 0;
}
