/* NotAuthor: whoever wrote a change does not approve it. Git knows who wrote what since the last apply that was whole;
 * by e-mail address, and by the SSH keys that commits are signed with. */
#include <stdlib.h>
#include <string.h>

#include "apply/approval.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/git.h"

static bool is_author(const struct approver *approver, const struct state_git_author *author)
{
	buf_auto struct buf key = BUF_INIT;

	if (author->email != NULL && approver->email != NULL && strcmp(author->email, approver->email) == 0)
		return true;
	text_base64(&key, approver->key.wire.data, approver->key.wire.len);
	return author->ssh_key != NULL && strcmp(author->ssh_key, buf_str(&key)) == 0;
}

static int mark(bool *wrote, const struct approvers *approvers, const char *directory, const char *from, const char *to,
		struct diag *d)
{
	struct state_git_author *authors = NULL;
	size_t count = 0;

	if (state_git_authors(&authors, &count, directory, from, to, d) < 0)
		return diag_error(d, "NotAuthor: git cannot tell who wrote this change; fetch the whole history first");
	for (size_t i = 0; i < approvers->count; i++)
		for (size_t k = 0; k < count && !wrote[i]; k++)
			wrote[i] = is_author(&approvers->items[i], &authors[k]);
	state_git_authors_free(authors, count);
	return 0;
}

/* Whether git has the commit. */
static bool is_there(const char *directory, const char *commit)
{
	struct state_git_tree *tree = NULL;
	struct diag ignored = DIAG_INIT;
	bool there = state_git_tree_open(&tree, directory, commit, &ignored) == 0;

	state_git_tree_free(tree);
	diag_free(&ignored);
	return there;
}

/* -- Since when -----------------------------------------------------------------------------------------------------
 */

/* Whether all that the specs of this generation say was done, and was other than what this plan is of. */
static bool is_base(const json_t *generation, const struct plan *plan)
{
	const json_t *facts = json_object_get(generation, "Facts");
	const char *tree = json_get_string(facts, "Tree"),
		   *result = json_get_string(json_object_get(generation, "Outcome"), "Result");

	return json_object_get(facts, "Planned") != NULL && json_get_string(facts, "Commit") != NULL && tree != NULL &&
	       result != NULL && strcmp(result, "complete") == 0 && json_object_get(facts, "Only") == NULL &&
	       !json_get_bool(facts, "Incomplete", false) && !json_get_bool(facts, "Destroy", false) &&
	       !json_get_bool(facts, "Dirty", false) && (plan->tree == NULL || strcmp(tree, plan->tree) != 0);
}

int apply_approval_since(struct apply_approval_rules *rules, struct state_txn *txn, const struct plan *plan,
			 struct diag *d)
{
	uint64_t number, first;
	bool found = false;

	if (state_generation(txn, &number, d) < 0 || state_generation_first(txn, &first, d) < 0)
		return -1;
	free(rules->commit);
	rules->commit = NULL;
	for (; number > 0 && number >= first && !found; number--) {
		json_auto_t *generation = NULL;
		const json_t *facts;
		const char *commit;

		if (state_generation_get(txn, number, &generation, d) < 0)
			return -1;
		facts = json_object_get(generation, "Facts");
		commit = json_get_string(facts, is_base(generation, plan) ? "Commit" : "RulesCommit");
		found = commit != NULL;
		rules->commit = mem_strdup(commit);
	}
	return 0;
}

/* -- Who ------------------------------------------------------------------------------------------------------------
 */

int approval_authors(bool *wrote, const struct approvers *approvers, const struct plan *plan,
		     const struct apply_approval_rules *rules, const char *directory, struct diag *d)
{
	const char *from = rules->commit != NULL && is_there(directory, rules->commit) ? rules->commit : NULL;
	bool there = plan->commit != NULL && is_there(directory, plan->commit);

	if (there && mark(wrote, approvers, directory, from, plan->commit, d) < 0)
		return -1;
	if (plan->rollback > 0)
		return there ? 0
			     : diag_error(d, "NotAuthor: git does not have commit %s, which this plan was made from",
					  plan->commit == NULL ? "(none)" : plan->commit);
	/* What is checked out has the plan's tree. After a squash merge it is the only commit that still tells who
	 * wrote it; else it may add who merged it. */
	return mark(wrote, approvers, directory, from, "HEAD", d);
}

int apply_approval_wrote(const struct apply_approval_rules *rules, const struct plan *plan, const char *directory,
			 const char *fingerprint, struct diag *d)
{
	struct approvers approvers;
	const struct approver *approver;
	bool *wrote;
	int result;

	if (!json_get_bool(rules->approval, "NotAuthor", false) || apply_approval_required(rules) <= 0)
		return 0;
	result = approvers_read(&approvers, rules, d);
	wrote = mem_array(approvers.count + 1, sizeof *wrote);
	if (result == 0)
		result = approval_authors(wrote, &approvers, plan, rules, directory, d);
	approver = approvers_find(&approvers, fingerprint);
	if (result == 0)
		result = approver != NULL && wrote[approver - approvers.items];
	free(wrote);
	approvers_release(&approvers);
	return result;
}
