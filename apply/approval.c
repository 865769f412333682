/* Signing a plan, and deciding whether enough of the right people have signed it. Whom to ask is in rules.c. */
#include "apply/approval.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/git.h"

#define FUTURE_MAX_MS (5 * 60 * 1000) /* how far two clocks may be apart */

void approval_message(struct buf *out, const char *digest)
{
	buf_addf(out, "muster plan approval\n%s\n", digest);
}

/* -- Signing ------------------------------------------------------------------------------------------------------- */

/* Steals `signature`; one of the same key makes room for it. */
static int signature_put(const json_t **kept, struct plan *plan, json_t *signature, struct diag *d)
{
	const char *key = json_get_string(signature, "Key");
	size_t i = 0;

	if (plan->signatures == NULL)
		plan->signatures = json_array();
	while (i < json_array_size(plan->signatures)) {
		const char *there = json_get_string(json_array_get(plan->signatures, i), "Key");

		if (there != NULL && strcmp(there, key) == 0)
			json_array_remove(plan->signatures, i);
		else
			i++;
	}
	if (i >= PLAN_SIGNATURES_MAX) {
		json_decref(signature);
		return diag_error(d, "the plan has %zu signatures already; no more are kept", i);
	}
	json_array_append_new(plan->signatures, signature);
	if (kept != NULL)
		*kept = signature;
	return 0;
}

static json_t *signature_new(const struct apply_key *key, const char *algorithm, const struct buf *bytes)
{
	buf_auto struct buf text = BUF_INIT;
	json_t *signature;
	char when[32];

	text_time(when, sizeof when, loop_wall_ms());
	text_base64(&text, bytes->data, bytes->len);
	signature = json_pack("{s:s, s:s, s:s, s:s, s:s}", "Key", key->fingerprint, "KeyType", key->type, "Time", when,
			      "Algorithm", algorithm, "Signature", buf_str(&text));
	if (key->comment != NULL)
		json_object_set_new(signature, "Comment", json_string(key->comment));
	return signature;
}

int apply_approve(const json_t **signature, struct plan *plan, const char *key_path, struct diag *d)
{
	buf_auto struct buf message = BUF_INIT, bytes = BUF_INIT;
	const char *algorithm = NULL;
	struct apply_key key;
	int result;

	if (plan->digest[0] == '\0')
		return diag_error(d, "a plan that was not saved has no digest to sign");
	approval_message(&message, plan->digest);
	result = apply_key_sign(&key, &algorithm, &bytes, key_path, message.data, message.len, d);
	if (result == 0)
		result = signature_put(signature, plan, signature_new(&key, algorithm, &bytes), d);
	apply_key_release(&key);
	return result;
}

/* -- Signatures that were made apart ------------------------------------------------------------------------------- */

static int add_sshsig(const json_t **signature, struct plan *plan, const struct buf *bytes, const char *shown,
		      struct diag *d)
{
	buf_auto struct buf message = BUF_INIT;
	struct apply_key key;
	int result = apply_sshsig_key(&key, bytes->data, bytes->len, shown, d);

	approval_message(&message, plan->digest);
	if (result == 0 && !apply_key_verify(&key, "sshsig", bytes->data, bytes->len, message.data, message.len))
		result =
		    diag_error(d,
			       "%s: this is no signature of this plan: what must be signed, in the namespace "
			       "\"" APPLY_KEY_NAMESPACE "\", is \"muster plan approval\" and %s, each with a newline",
			       shown, plan->digest);
	if (result == 0)
		result = signature_put(signature, plan, signature_new(&key, "sshsig", bytes), d);
	apply_key_release(&key);
	return result;
}

static int add_object(const json_t **kept, struct plan *plan, const json_t *given, const char *shown, struct diag *d)
{
	const char *digest = json_get_string(given, "Plan");
	json_t *signature;

	if (digest == NULL)
		return diag_error(d, "%s: not a signature that muster approve --out or ssh-keygen -Y sign wrote",
				  shown);
	if (strcmp(digest, plan->digest) != 0)
		return diag_error(d,
				  "%s: a signature of another plan (its digest is %.16s...; this plan's is %.16s...)",
				  shown, digest, plan->digest);
	signature = json_copy((json_t *)given);
	json_object_del(signature, "Plan");
	if (plan_signature_check(signature) < 0) {
		json_decref(signature);
		return diag_error(d, "%s: a malformed signature", shown);
	}
	return signature_put(kept, plan, signature, d);
}

int apply_approve_add(const json_t **signature, struct plan *plan, const char *text, size_t len, const char *shown,
		      struct diag *d)
{
	buf_auto struct buf bytes = BUF_INIT;
	json_auto_t *given = NULL;

	if (apply_sshsig_unarmor(&bytes, text, len) == 0)
		return add_sshsig(signature, plan, &bytes, shown, d);
	given = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	return add_object(signature, plan, given, shown, d);
}

/* -- Judging ------------------------------------------------------------------------------------------------------- */

struct judge {
	const struct plan *plan;
	const struct apply_approval_rules *rules;
	const char *directory;
	int64_t now_ms, required;
	struct diag *d;
	struct approvers approvers;
	bool *wrote, *signed_by; /* one for each approver */
	size_t signers;
	struct buf source; /* "the specs of generation 3" */
	struct buf doubts; /* why signatures that are there do not count */
	bool refused;
};

static void refuse_age(struct judge *j)
{
	const char *max_age = json_get_string(j->rules->approval, "MaxAge");
	int64_t max_ms = 0, age_ms = j->now_ms - j->plan->created_ms;
	char when[32];

	text_time(when, sizeof when, j->plan->created_ms);
	if (age_ms < -FUTURE_MAX_MS) {
		diag_error(j->d, "this plan was made at %s, which is still to come: is a clock wrong?", when);
		j->refused = true;
	}
	if (json_object_get(j->rules->approval, "MaxAge") == NULL)
		return;
	/* What cannot be read must not mean "for ever". */
	if (max_age == NULL || text_duration_parse(&max_ms, max_age) < 0) {
		diag_error(j->d, "Approval.MaxAge in %s is no length of time", buf_str(&j->source));
		j->refused = true;
	} else if (age_ms > max_ms) {
		diag_error(j->d,
			   "this plan has expired: it was made at %s, and Approval.MaxAge in %s is %s; make a new one",
			   when, buf_str(&j->source), max_age);
		j->refused = true;
	}
}

/* Trees are compared, not commits (rule 16): a squash merge makes another commit of the same tree. */
static void refuse_tree(struct judge *j)
{
	struct state_git git = {0};

	if (j->plan->dirty || j->plan->tree == NULL) {
		diag_error(j->d, "this plan was made from specs that were not committed, so nobody can have reviewed "
				 "them; commit, and make a new plan");
		j->refused = true;
		return;
	}
	/* A rollback's tree is an earlier one by its nature; the caller has seen that it is its generation's. */
	if (j->plan->rollback > 0)
		return;
	if (state_git_facts(&git, j->directory, j->d) < 0) {
		j->refused = true;
	} else if (git.tree == NULL || strcmp(git.tree, j->plan->tree) != 0) {
		diag_error(
		    j->d,
		    "the specs are not those that this plan was approved for: the commit that is checked out has "
		    "%s%.12s, the plan was made from tree %.12s; check that out, or make a new plan",
		    git.tree == NULL ? "none" : "tree ", git.tree == NULL ? "" : git.tree, j->plan->tree);
		j->refused = true;
	}
	state_git_free(&git);
}

static void add_doubt(struct judge *j, const char *who, const char *why, const char *source)
{
	buf_addf(&j->doubts, "\n  the signature of %s does not count: %s%s", who, why, source);
}

static bool holds(const struct judge *j, const struct approver *approver, const json_t *signature)
{
	const char *algorithm = json_get_string(signature, "Algorithm"),
		   *text = json_get_string(signature, "Signature");
	buf_auto struct buf bytes = BUF_INIT, message = BUF_INIT;

	if (algorithm == NULL || text == NULL || text_base64_decode(&bytes, text, strlen(text)) < 0)
		return false;
	approval_message(&message, j->plan->digest);
	return apply_key_verify(&approver->key, algorithm, bytes.data, bytes.len, message.data, message.len);
}

static void judge_signature(struct judge *j, const json_t *signature, json_t *approvals)
{
	const char *key = json_get_string(signature, "Key"), *time = json_get_string(signature, "Time");
	const struct approver *approver = key == NULL ? NULL : approvers_find(&j->approvers, key);
	size_t number;

	if (approver == NULL) {
		add_doubt(j, key == NULL ? "nobody" : key, "the key is not in Approval.Keys of ", buf_str(&j->source));
		return;
	}
	number = (size_t)(approver - j->approvers.items);
	if (!holds(j, approver, signature)) {
		diag_error(j->d,
			   "the signature of %s does not hold: it is of another plan, or the plan was changed after it "
			   "was signed",
			   approver->name);
		j->refused = true;
	} else if (j->wrote[number]) {
		add_doubt(j, approver->name, "who signed also wrote commits of this change (NotAuthor)", "");
	} else if (!j->signed_by[number]) {
		j->signed_by[number] = true;
		j->signers++;
		json_array_append_new(
		    approvals, json_pack("{s:s, s:s, s:s*}", "Key", key, "Comment", approver->name, "Time", time));
	}
}

static size_t add_names(struct buf *out, const struct judge *j, bool signed_by)
{
	size_t count = 0;

	for (size_t i = 0; i < j->approvers.count; i++)
		if (j->signed_by[i] == signed_by && (signed_by || !j->wrote[i]))
			buf_addf(out, "%s%s", count++ > 0 ? ", " : "", j->approvers.items[i].name);
	return count;
}

/* Who is to be asked next; where those are too few, no signature helps. */
static void add_way_on(struct buf *out, const struct judge *j)
{
	buf_auto struct buf names = BUF_INIT;
	size_t left = add_names(&names, j, false), authors = 0;

	for (size_t i = 0; i < j->approvers.count; i++)
		authors += j->wrote[i] && !j->signed_by[i];
	if (left > 0)
		buf_addf(out, "; who still may: %s (muster approve FILE --key KEY)", buf_str(&names));
	else
		buf_adds(out, "; no listed key is left that may sign");
	if ((int64_t)(j->signers + left) >= j->required)
		return;
	if (left > 0)
		buf_adds(out, ", which is not enough");
	if (authors > 0)
		buf_addf(out, ": with NotAuthor, %zu of %zu may not, since they wrote commits of this change", authors,
			 j->approvers.count);
}

static void refuse_count(struct judge *j)
{
	buf_auto struct buf text = BUF_INIT;

	if ((int64_t)j->signers >= j->required)
		return;
	if (json_array_size(j->plan->signatures) == 0)
		buf_addf(&text, "this plan is not approved: nobody has signed it, and %s require %lld of %zu keys",
			 buf_str(&j->source), (long long)j->required, j->approvers.count);
	else {
		buf_addf(&text, "this plan has %zu of the %lld approvals that %s require; signed by ", j->signers,
			 (long long)j->required, buf_str(&j->source));
		if (add_names(&text, j, true) == 0)
			buf_adds(&text, "nobody of the list");
	}
	add_way_on(&text, j);
	if (j->doubts.len > 0)
		buf_adds(&text, buf_str(&j->doubts));
	diag_error(j->d, "%s", buf_str(&text));
	j->refused = true;
}

static void judge_signatures(struct judge *j, json_t *approvals)
{
	struct diag ignored = DIAG_INIT;
	json_t *signature;
	size_t i;

	/* Rules that require nobody must not be the reason for which a broken key among them cannot be mended. */
	if (approvers_read(&j->approvers, j->rules, j->required > 0 ? j->d : &ignored) < 0 && j->required > 0)
		j->refused = true;
	diag_free(&ignored);
	j->wrote = mem_array(j->approvers.count + 1, sizeof *j->wrote);
	j->signed_by = mem_array(j->approvers.count + 1, sizeof *j->signed_by);
	if (!j->refused && j->required > 0 && json_get_bool(j->rules->approval, "NotAuthor", false) &&
	    approval_authors(j->wrote, &j->approvers, j->plan, j->rules, j->directory, j->d) < 0)
		j->refused = true;
	json_array_foreach(j->plan->signatures, i, signature) judge_signature(j, signature, approvals);
	if (!j->refused)
		refuse_count(j);
	if (!j->refused && j->doubts.len > 0)
		diag_warning(j->d, "enough others have approved this plan, but:%s", buf_str(&j->doubts));
}

int apply_approval_check(json_t **approvals, const struct plan *plan, const struct apply_approval_rules *rules,
			 const char *directory, int64_t now_ms, struct diag *d)
{
	struct judge j = {.plan = plan, .rules = rules, .directory = directory, .now_ms = now_ms, .d = d};
	json_auto_t *list = json_array();

	if (approvals != NULL)
		*approvals = json_incref(list);
	if (rules->approval == NULL)
		return 0;
	j.required = apply_approval_required(rules);
	approval_source(&j.source, rules);
	refuse_age(&j);
	if (j.required > 0)
		refuse_tree(&j);
	judge_signatures(&j, list);
	approvers_release(&j.approvers);
	free(j.wrote);
	free(j.signed_by);
	buf_free(&j.source);
	buf_free(&j.doubts);
	return j.refused ? -1 : 0;
}
