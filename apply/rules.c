/* The rules of approval: who may sign, and how many must. They come out of specs that were applied already, so that a
 * change cannot choose its own judges. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "apply/approval.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* -- Where they come from ------------------------------------------------------------------------------------------ */

/* Files by path: the blobs of a generation's inputs, or a list at hand. */
struct files {
	struct state_txn *txn;
	const json_t *digests; /* {path: SHA-256}; NULL: `own` */
	const struct apply_input *own;
	size_t own_count;
};

/* 1 and the bytes, 0 when there is no such file, -1. */
static int files_get(const struct files *files, const char *path, const char **text, size_t *len, struct diag *d)
{
	const char *hex = json_get_string(files->digests, path);
	const void *bytes = NULL;
	uint8_t sha256[32];
	int found;

	for (size_t i = 0; files->digests == NULL && i < files->own_count; i++) {
		if (strcmp(files->own[i].path, path) != 0)
			continue;
		*text = files->own[i].bytes;
		*len = files->own[i].len;
		return 1;
	}
	if (hex == NULL)
		return 0;
	if (text_hex_decode(sha256, sizeof sha256, hex) < 0)
		return diag_error(d, "state: the digest of %s is unreadable", path);
	found = state_blob_get(files->txn, sha256, &bytes, len, d);
	if (found == 0)
		return diag_error(d, "state: %s, as an earlier generation had it, is gone; run: muster state verify",
				  path);
	*text = bytes;
	return found;
}

const char *apply_approval_key_path(const json_t *entry)
{
	if (json_is_string(entry))
		return apply_key_is_ssh_text(json_string_value(entry)) ? NULL : json_string_value(entry);
	return json_get_string(entry, "File");
}

static int take_key_file(struct apply_approval_rules *out, const struct files *files, const char *path, struct diag *d)
{
	buf_auto struct buf source = BUF_INIT;
	const char *text = NULL;
	size_t len = 0;
	int found = files_get(files, path, &text, &len, d);

	if (found < 0)
		return -1;
	approval_source(&source, out);
	if (found == 0)
		return diag_error(d, "muster.json: Approval.Keys names %s, which is not in %s", path, buf_str(&source));
	if (len > APPLY_KEY_FILE_MAX || memchr(text, '\0', len) != NULL)
		return diag_error(d, "%s: not a public key", path);
	json_object_set_new(out->keys, path, json_stringn_nocheck(text, len));
	return 0;
}

static int take_rules(struct apply_approval_rules *out, const struct files *files, struct diag *d)
{
	json_auto_t *settings = NULL;
	const char *text = NULL;
	size_t len = 0, i;
	json_t *entry;
	int found = files_get(files, "muster.json", &text, &len, d);

	if (found < 0)
		return -1;
	if (found == 1)
		settings = json_loadb(text, len, 0, NULL);
	if (!json_is_object(settings))
		return diag_error(d, "muster.json%s cannot be read, so nothing tells who must approve",
				  files->digests != NULL ? " of an earlier generation" : "");
	out->approval = json_incref(json_object_get(settings, "Approval"));
	json_array_foreach(json_object_get(out->approval, "Keys"), i, entry)
	{
		const char *path = apply_approval_key_path(entry);

		if (path != NULL && take_key_file(out, files, path, d) < 0)
			return -1;
	}
	return 0;
}

/* The files that decide, as a generation of these facts keeps them: {path: SHA-256}; NULL where an earlier one does. */
static const json_t *rules_at(const json_t *facts)
{
	const json_t *inputs = json_object_get(facts, "Inputs"), *rules = json_object_get(facts, "Rules");

	if (json_get_int(facts, "Rollback", 0) != 0)
		return NULL;
	if (json_object_size(inputs) > 0)
		return inputs;
	return json_object_size(rules) > 0 ? rules : NULL;
}

/* A state that was restored begins with the number after the export's: *out is NULL for those before. */
static int facts_of(json_t **out, struct state_txn *txn, uint64_t number, struct diag *d)
{
	json_auto_t *whole = NULL;
	int found = state_generation_get(txn, number, &whole, d);

	*out = found == 1 ? json_incref(json_object_get(whole, "Facts")) : NULL;
	return found < 0 ? -1 : 0;
}

int apply_approval_generation(uint64_t *number, json_t **facts, struct state_txn *txn, struct diag *d)
{
	uint64_t first;

	*facts = NULL;
	if (state_generation(txn, number, d) < 0 || state_generation_first(txn, &first, d) < 0)
		return -1;
	for (; *number >= first; --*number) {
		if (facts_of(facts, txn, *number, d) < 0)
			return -1;
		if (rules_at(*facts) != NULL)
			return 0;
		json_decref(*facts);
		*facts = NULL;
	}
	*number = 0;
	return 0;
}

/* After a restore it is that of the rules that were taken over. */
static const char *commit_at(const json_t *facts)
{
	const char *commit = json_get_string(facts, "RulesCommit");

	return commit != NULL ? commit : json_get_string(facts, "Commit");
}

int apply_approval_rules(struct apply_approval_rules *out, struct state_txn *txn, const struct apply_input *own,
			 size_t own_count, struct diag *d)
{
	struct files files = {.txn = txn, .own = own, .own_count = own_count};
	json_auto_t *facts = NULL;

	*out = (struct apply_approval_rules){.keys = json_object()};
	if (txn != NULL && apply_approval_generation(&out->generation, &facts, txn, d) < 0)
		return -1;
	if (facts != NULL) {
		files.digests = rules_at(facts);
		out->commit = mem_strdup(commit_at(facts));
	}
	return take_rules(out, &files, d);
}

void apply_approval_rules_free(struct apply_approval_rules *rules)
{
	json_decref(rules->approval);
	json_decref(rules->keys);
	free(rules->commit);
	memset(rules, 0, sizeof *rules);
}

int64_t apply_approval_required(const struct apply_approval_rules *rules)
{
	return json_get_int(rules->approval, "Required", 0);
}

void approval_source(struct buf *out, const struct apply_approval_rules *rules)
{
	if (rules->generation > 0)
		buf_addf(out, "the specs of generation %llu", (unsigned long long)rules->generation);
	else
		buf_adds(out, "these specs");
}

/* -- Who may sign -------------------------------------------------------------------------------------------------- */

/* The word with an @ in it, in lower case and without the <> around it. */
static char *email_of(const char *text)
{
	size_t len = 0;

	for (const char *at = text; at != NULL && *at != '\0'; at += len) {
		at += strspn(at, " \t<");
		len = strcspn(at, " \t>");
		if (memchr(at, '@', len) != NULL) {
			char *email = mem_strndup(at, len);

			for (char *c = email; *c != '\0'; c++)
				*c = (char)tolower((unsigned char)*c);
			return email;
		}
		len += strspn(at + len, ">");
	}
	return NULL;
}

/* Comments and paths stand in messages: no control characters there. */
static char *name_of(const struct approver *approver, const char *path)
{
	const char *word = approver->email;
	char *name;

	if (word == NULL)
		word = approver->key.comment != NULL ? approver->key.comment : path;
	name = word == NULL ? mem_strdup(approver->key.fingerprint)
			    : mem_printf("%s (%s)", word, approver->key.fingerprint);
	for (char *c = name; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return name;
}

static int approver_read(struct approver *out, const json_t *entry, const json_t *keys, size_t number, struct diag *d)
{
	mem_auto_str char *shown = mem_printf("muster.json: Approval.Keys[%zu]", number);
	const char *path = apply_approval_key_path(entry);
	const char *email = json_get_string(entry, "Email");
	const json_t *text;

	if (path != NULL)
		text = json_object_get(keys, path);
	else
		text = json_is_string(entry) ? entry : json_object_get(entry, "Key");
	if (!json_is_string(text))
		return diag_error(d, "%s: neither a key nor the path of one", shown);
	if (apply_key_parse(&out->key, json_string_value(text), json_string_length(text), path != NULL ? path : shown,
			    d) < 0)
		return -1;
	out->email = email_of(email != NULL ? email : out->key.comment);
	out->name = name_of(out, path);
	return 0;
}

static void approver_release(struct approver *approver)
{
	apply_key_release(&approver->key);
	free(approver->email);
	free(approver->name);
}

int approvers_read(struct approvers *out, const struct apply_approval_rules *rules, struct diag *d)
{
	const json_t *list = json_object_get(rules->approval, "Keys");
	bool author = json_get_bool(rules->approval, "NotAuthor", false);
	json_t *entry;
	int result = 0;
	size_t i;

	out->items = mem_array(json_array_size(list) + 1, sizeof *out->items);
	out->count = 0;
	json_array_foreach(list, i, entry)
	{
		struct approver *approver = &out->items[out->count];

		if (approver_read(approver, entry, rules->keys, i, d) < 0)
			result = -1;
		else if (author && approver->email == NULL)
			result = diag_error(d,
					    "muster.json: Approval.Keys[%zu]: with NotAuthor the key needs an e-mail "
					    "address: {\"File\": ..., \"Email\": ...}",
					    i);
		else if (approvers_find(out, approver->key.fingerprint) == NULL) {
			out->count++;
			continue;
		}
		approver_release(approver);
		memset(approver, 0, sizeof *approver);
	}
	return result;
}

void approvers_release(struct approvers *approvers)
{
	for (size_t i = 0; i < approvers->count; i++)
		approver_release(&approvers->items[i]);
	free(approvers->items);
	memset(approvers, 0, sizeof *approvers);
}

struct approver *approvers_find(const struct approvers *approvers, const char *fingerprint)
{
	for (size_t i = 0; i < approvers->count; i++)
		if (strcmp(approvers->items[i].key.fingerprint, fingerprint) == 0)
			return &approvers->items[i];
	return NULL;
}

int apply_approval_rules_check(const struct apply_approval_rules *rules, struct diag *d)
{
	int64_t required = apply_approval_required(rules);
	struct approvers approvers;
	int result = approvers_read(&approvers, rules, d);

	if (result == 0 && (int64_t)approvers.count < required)
		result = diag_error(d,
				    "muster.json: Approval: Required is %lld, but Keys are only %zu different ones: "
				    "nothing could ever be approved",
				    (long long)required, approvers.count);
	approvers_release(&approvers);
	return result;
}

bool apply_approval_lists(const struct apply_approval_rules *rules, const char *fingerprint)
{
	struct diag ignored = DIAG_INIT;
	struct approvers approvers;
	bool found;

	approvers_read(&approvers, rules, &ignored);
	found = approvers_find(&approvers, fingerprint) != NULL;
	approvers_release(&approvers);
	diag_free(&ignored);
	return found;
}

char *apply_approval_email(const struct apply_approval_rules *rules, const char *fingerprint)
{
	const struct approver *approver;
	struct diag ignored = DIAG_INIT;
	struct approvers approvers;
	char *email;

	approvers_read(&approvers, rules, &ignored);
	approver = approvers_find(&approvers, fingerprint);
	email = approver == NULL ? NULL : mem_strdup(approver->email);
	approvers_release(&approvers);
	diag_free(&ignored);
	return email;
}

/* -- What a change of them means ------------------------------------------------------------------------------------
 */

static void add_part(struct buf *out, const char *what, const char *word)
{
	buf_addf(out, "%s%s%s", out->len > 0 ? "; " : "", what, word);
}

static void add_setting(struct buf *out, const char *name, const json_t *now, const json_t *next)
{
	buf_auto struct buf words = BUF_INIT, before = BUF_INIT, after = BUF_INIT;

	if (now == next || (now != NULL && next != NULL && json_equal(now, next)))
		return;
	if (now != NULL)
		json_canonical(&before, now);
	if (next != NULL)
		json_canonical(&after, next);
	buf_addf(&words, "%s -> %s", now != NULL ? buf_str(&before) : "(not set)",
		 next != NULL ? buf_str(&after) : "(not set)");
	add_part(out, name, buf_str(&words));
}

static void add_keys(struct buf *out, const char *what, const struct approvers *those, const struct approvers *others)
{
	for (size_t i = 0; i < those->count; i++) {
		const struct approver *here = &those->items[i], *there = approvers_find(others, here->key.fingerprint);

		if (there == NULL)
			add_part(out, what, here->name);
	}
}

static void add_emails(struct buf *out, const struct approvers *now, const struct approvers *next)
{
	for (size_t i = 0; i < next->count; i++) {
		const struct approver *after = &next->items[i], *before = approvers_find(now, after->key.fingerprint);
		const char *is = after->email == NULL ? "" : after->email;

		if (before != NULL && strcmp(before->email == NULL ? "" : before->email, is) != 0)
			add_part(out, "another e-mail address: ", after->name);
	}
}

void apply_approval_changes(struct buf *out, const struct apply_approval_rules *now,
			    const struct apply_approval_rules *next)
{
	static const char *const settings[][2] = {
	    {"Required", "Required: "}, {"MaxAge", "MaxAge: "}, {"NotAuthor", "NotAuthor: "}};
	buf_auto struct buf words = BUF_INIT;
	struct diag ignored = DIAG_INIT;
	struct approvers before, after;

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		add_setting(&words, settings[i][1], json_object_get(now->approval, settings[i][0]),
			    json_object_get(next->approval, settings[i][0]));
	approvers_read(&before, now, &ignored);
	approvers_read(&after, next, &ignored);
	add_keys(&words, "new key: ", &after, &before);
	add_keys(&words, "no longer: ", &before, &after);
	add_emails(&words, &before, &after);
	if (words.len > 0)
		buf_addf(out, "this changes who must approve plans from then on: %s", buf_str(&words));
	approvers_release(&before);
	approvers_release(&after);
	diag_free(&ignored);
}
