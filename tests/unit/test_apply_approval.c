/* Approval: whose rules hold, which signatures count, and every reason for which a plan is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apply/approval.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/store.h"
#include "state/git.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW_MS ((int64_t)1763900000000)

static char folder[] = "/tmp/muster-test-XXXXXX";

/* -- A repository, three keys ---------------------------------------------------------------------------------------
 */

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
	buf_auto struct buf command = BUF_INIT;
	va_list args;
	int status;

	va_start(args, format);
	buf_vaddf(&command, format, args);
	va_end(args);
	status = system(buf_str(&command));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("failed: %s", buf_str(&command));
}

static void commit(const char *who, const char *text)
{
	run("cd %s/repo && echo '%s' >> muster.json && git add -A && git -c user.name=%s -c user.email=%s@example.com "
	    "commit -qm '%s'",
	    folder, text, who, who, text);
}

static void write_key(const char *name)
{
	mem_auto_str char *private = mem_printf("%s/%s.pem", folder, name),
			  *public = mem_printf("%s/%s.pub", folder, name);
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new_file(private, "w");

	assert_int_equal(PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL), 1);
	BIO_free(bio);
	bio = BIO_new_file(public, "w");
	assert_int_equal(PEM_write_bio_PUBKEY(bio, pair), 1);
	BIO_free(bio);
	EVP_PKEY_free(pair);
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
	write_key("kato");
	write_key("sato");
	write_key("mallory");
	run("git init -q -b main %s/repo", folder);
	commit("kato", "one");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	run("rm -rf %s", folder);
	return 0;
}

static json_t *key_text(const char *name)
{
	mem_auto_str char *path = mem_printf("%s/%s.pub", folder, name);
	buf_auto struct buf text = BUF_INIT;

	assert_int_equal(text_file_read(&text, path, 4096), 0);
	return json_stringn(buf_str(&text), text.len);
}

/* Kato by a file, Sato with an e-mail address. */
static struct apply_approval_rules rules_new(int required)
{
	struct apply_approval_rules rules = {.generation = 3};

	rules.approval = json_pack("{s:i, s:[s, {s:s, s:s}]}", "Required", required, "Keys", "kato.pub", "File",
				   "sato.pub", "Email", "Sato@Example.com");
	rules.keys = json_pack("{s:o, s:o}", "kato.pub", key_text("kato"), "sato.pub", key_text("sato"));
	return rules;
}

static struct plan *plan_made(void)
{
	mem_auto_str char *directory = mem_printf("%s/repo", folder);
	struct plan *plan = plan_new();
	struct state_git git = {0};
	struct diag d = DIAG_INIT;

	assert_int_equal(state_git_facts(&git, directory, &d), 0);
	plan->commit = mem_strdup(git.commit);
	plan->tree = mem_strdup(git.tree);
	plan->created_ms = NOW_MS - 60000;
	memcpy(plan->digest, DIGEST, sizeof plan->digest);
	state_git_free(&git);
	return plan;
}

static void approve(struct plan *plan, const char *name)
{
	mem_auto_str char *path = mem_printf("%s/%s.pem", folder, name);
	const json_t *signature = NULL;
	struct diag d = DIAG_INIT;

	if (apply_approve(&signature, plan, path, &d) != 0)
		fail_msg("%s", diag_first_error(&d));
	assert_int_equal(plan_signature_check(signature), 0);
}

/* `expected`: part of one of the errors, or NULL: it may be applied, by `count` approvals. */
static void check(const struct plan *plan, const struct apply_approval_rules *rules, const char *expected, size_t count)
{
	mem_auto_str char *directory = mem_printf("%s/repo", folder);
	json_auto_t *approvals = NULL;
	struct diag d = DIAG_INIT;
	int result = apply_approval_check(&approvals, plan, rules, directory, NOW_MS, &d);
	bool found = expected == NULL;

	for (size_t i = 0; i < d.count && !found; i++)
		found = d.items[i].level == DIAG_ERROR && strstr(d.items[i].text, expected) != NULL;
	if (result != (expected == NULL ? 0 : -1) || !found)
		fail_msg("result %d, wanted \"%s\", got \"%s\"", result, expected == NULL ? "(none)" : expected,
			 diag_first_error(&d));
	if (expected == NULL)
		assert_int_equal(json_array_size(approvals), count);
	diag_free(&d);
}

/* -- What counts --------------------------------------------------------------------------------------------------- */

static void no_rules(void **state)
{
	struct apply_approval_rules none = {0}, zero = rules_new(0);
	struct plan *plan = plan_made();

	(void)state;
	check(plan, &none, NULL, 0);
	plan->dirty = true;
	check(plan, &zero, NULL, 0);
	/* who signed anyway is kept */
	approve(plan, "kato");
	check(plan, &zero, NULL, 1);
	apply_approval_rules_free(&zero);
	plan_free(plan);
}

static void enough_signatures(void **state)
{
	struct apply_approval_rules one = rules_new(1), two = rules_new(2);
	struct plan *plan = plan_made();

	(void)state;
	check(plan, &one,
	      "nobody has signed it, and the specs of generation 3 require 1 of 2 keys; who still may: kato.pub", 0);
	approve(plan, "mallory");
	check(plan, &one, "this plan has 0 of the 1 approvals", 0);
	check(plan, &one, "does not count: the key is not in Approval.Keys of the specs of generation 3", 0);
	approve(plan, "sato");
	check(plan, &one, NULL, 1);
	check(plan, &two,
	      "this plan has 1 of the 2 approvals that the specs of generation 3 require; signed by sato@example.com",
	      0);
	check(plan, &two, "who still may: kato.pub", 0);
	approve(plan, "sato");
	assert_int_equal(json_array_size(plan->signatures), 2);
	/* the same one twice, as only an editor can make it */
	json_array_append_new(plan->signatures, json_deep_copy(json_array_get(plan->signatures, 1)));
	check(plan, &two, "this plan has 1 of the 2 approvals", 0);
	json_array_remove(plan->signatures, 2);
	approve(plan, "kato");
	check(plan, &two, NULL, 2);
	apply_approval_rules_free(&one);
	apply_approval_rules_free(&two);
	plan_free(plan);
}

static void signatures_that_do_not_hold(void **state)
{
	static const char *const broken[][2] = {
	    {"Signature", "AAAA"}, {"Signature", "?"}, {"Algorithm", "sshsig"}, {"Algorithm", "ecdsa-sha256"}};
	struct apply_approval_rules rules = rules_new(1);
	struct plan *plan = plan_made();

	(void)state;
	approve(plan, "kato");
	approve(plan, "sato");
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		json_t *first = json_array_get(plan->signatures, 0), *kept = json_copy(first);

		json_object_set_new(first, broken[i][0], json_string(broken[i][1]));
		/* even though Sato's alone would be enough */
		check(plan, &rules, "the signature of kato.pub", 0);
		json_object_update(first, kept);
		json_decref(kept);
	}
	check(plan, &rules, NULL, 2);
	plan->digest[0] = 'f';
	check(plan, &rules, "does not hold: it is of another plan, or the plan was changed after it was signed", 0);
	apply_approval_rules_free(&rules);
	plan_free(plan);
}

static void age(void **state)
{
	struct apply_approval_rules rules = rules_new(1);
	struct plan *plan = plan_made();

	(void)state;
	approve(plan, "kato");
	json_object_set_new(rules.approval, "MaxAge", json_string("24h"));
	plan->created_ms = NOW_MS - 24 * 3600 * (int64_t)1000;
	check(plan, &rules, NULL, 1);
	plan->created_ms--;
	check(plan, &rules, "this plan has expired", 0);
	plan->created_ms = NOW_MS + 5 * 60 * 1000;
	check(plan, &rules, NULL, 1);
	plan->created_ms++;
	check(plan, &rules, "which is still to come", 0);
	plan->created_ms = NOW_MS;
	json_object_set_new(rules.approval, "MaxAge", json_string("for ever"));
	check(plan, &rules, "is no length of time", 0);
	apply_approval_rules_free(&rules);
	plan_free(plan);
}

static void trees(void **state)
{
	struct apply_approval_rules rules = rules_new(1);
	struct plan *plan = plan_made();

	(void)state;
	approve(plan, "kato");
	/* another commit of the same tree, as a merge makes it */
	run("cd %s/repo && git -c user.name=x -c user.email=x@example.com commit -q --allow-empty -m merge", folder);
	check(plan, &rules, NULL, 1);
	commit("kato", "changed");
	check(plan, &rules, "the specs are not those that this plan was approved for", 0);
	plan->rollback = 1;
	check(plan, &rules, NULL, 1);
	plan->rollback = 0;
	run("cd %s/repo && git reset -q --hard HEAD~1", folder);
	plan->dirty = true;
	check(plan, &rules, "specs that were not committed", 0);
	plan->dirty = false;
	free(plan->tree);
	plan->tree = NULL;
	check(plan, &rules, "specs that were not committed", 0);
	apply_approval_rules_free(&rules);
	plan_free(plan);
}

static void not_the_author(void **state)
{
	struct apply_approval_rules rules = rules_new(1);
	struct plan *plan;

	(void)state;
	json_object_set_new(rules.approval, "NotAuthor", json_true());
	plan = plan_made();
	approve(plan, "sato");
	check(plan, &rules, "with NotAuthor the key needs an e-mail address", 0);
	json_array_set_new(json_object_get(rules.approval, "Keys"), 0,
			   json_pack("{s:s, s:s}", "File", "kato.pub", "Email", "kato@example.com"));
	rules.commit = mem_strdup(plan->commit);
	plan_free(plan);

	commit("sato", "by sato");
	plan = plan_made();
	approve(plan, "sato");
	check(plan, &rules, "sato@example.com", 0);
	check(plan, &rules, "who signed also wrote commits of this change (NotAuthor)", 0);
	approve(plan, "kato");
	check(plan, &rules, NULL, 1);
	/* the plan's own commit is gone, as after a squash merge: what is checked out tells */
	free(plan->commit);
	plan->commit = mem_strdup("1111111111111111111111111111111111111111");
	check(plan, &rules, NULL, 1);
	json_array_remove(plan->signatures, 1);
	check(plan, &rules, "(NotAuthor)", 0);
	plan->rollback = 2;
	check(plan, &rules, "git does not have commit 1111", 0);
	apply_approval_rules_free(&rules);
	plan_free(plan);
	run("cd %s/repo && git reset -q --hard HEAD~1", folder);
}

static void a_broken_key_in_the_list(void **state)
{
	struct apply_approval_rules rules = rules_new(1);
	struct plan *plan = plan_made();

	(void)state;
	approve(plan, "sato");
	json_object_set_new(rules.keys, "kato.pub", json_string("none"));
	check(plan, &rules, "kato.pub: not one public key", 0);
	/* where nothing is required it can be mended */
	json_object_set_new(rules.approval, "Required", json_integer(0));
	check(plan, &rules, NULL, 1);
	apply_approval_rules_free(&rules);
	plan_free(plan);
}

/* -- Signatures that come in files ----------------------------------------------------------------------------------
 */

static void add(struct plan *plan, const char *text, const char *expected)
{
	struct diag d = DIAG_INIT;
	int result = apply_approve_add(NULL, plan, text, strlen(text), "a.sig", &d);

	if (result != (expected == NULL ? 0 : -1) ||
	    (expected != NULL && strstr(diag_first_error(&d), expected) == NULL))
		fail_msg("result %d, wanted \"%s\", got \"%s\"", result, expected, diag_first_error(&d));
	diag_free(&d);
}

static void signatures_in_files(void **state)
{
	struct plan *plan = plan_made(), *other = plan_made();
	json_auto_t *signature = NULL;
	mem_auto_str char *text = NULL, *short_text = NULL;

	(void)state;
	approve(other, "kato");
	signature = json_deep_copy(json_array_get(other->signatures, 0));
	json_object_set_new(signature, "Plan", json_string(DIGEST));
	text = json_dumps(signature, 0);
	add(plan, text, NULL);
	assert_true(json_equal(plan->signatures, other->signatures));
	add(plan, "{}", "not a signature that muster approve --out or ssh-keygen -Y sign wrote");
	add(plan, "no JSON", "not a signature");
	plan->digest[3] = 'f';
	add(plan, text, "a signature of another plan");
	plan->digest[3] = DIGEST[3];
	json_object_del(signature, "Algorithm");
	short_text = json_dumps(signature, 0);
	add(plan, short_text, "a malformed signature");
	add(plan, "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n",
	    "not a signature of ssh-keygen");
	plan_free(plan);
	plan_free(other);
}

static void no_more_than_there_is_room_for(void **state)
{
	mem_auto_str char *path = mem_printf("%s/kato.pem", folder);
	struct plan *plan = plan_made();
	struct diag d = DIAG_INIT;

	(void)state;
	plan->signatures = json_array();
	for (int i = 0; i < PLAN_SIGNATURES_MAX; i++)
		json_array_append_new(plan->signatures, json_pack("{s:s}", "Key", "SHA256:another"));
	assert_int_equal(apply_approve(NULL, plan, path, &d), -1);
	assert_string_equal(diag_first_error(&d), "the plan has 100 signatures already; no more are kept");
	diag_free(&d);
	plan->digest[0] = '\0';
	assert_int_equal(apply_approve(NULL, plan, path, &d), -1);
	diag_free(&d);
	plan_free(plan);
}

/* -- Whose rules --------------------------------------------------------------------------------------------------- */

#define SETTINGS(required, keys) "{\"Approval\": {\"Required\": " #required ", \"Keys\": [" keys "]}}"

static json_t *blob(struct state_txn *txn, const char *text, size_t len)
{
	struct diag d = DIAG_INIT;
	uint8_t sha256[32];
	char hex[65];

	assert_int_equal(state_blob_put(txn, sha256, text, len, &d), 0);
	text_hex(hex, sha256, sizeof sha256);
	return json_string(hex);
}

/* A generation with this muster.json (NULL: without inputs). */
static void generation(struct state *state, const char *settings, bool key, int rollback)
{
	json_auto_t *facts = json_pack("{s:s}", "Commit", "abc"), *outcome = json_object();
	struct state_txn *txn;
	struct diag d = DIAG_INIT;
	uint64_t number;
	json_t *inputs;

	assert_int_equal(state_begin(&txn, state, true, &d), 0);
	if (settings != NULL) {
		inputs = json_object();
		json_object_set_new(inputs, "muster.json", blob(txn, settings, strlen(settings)));
		if (key) {
			json_auto_t *text = key_text("kato");

			json_object_set_new(inputs, "kato.pub",
					    blob(txn, json_string_value(text), json_string_length(text)));
		}
		json_object_set_new(facts, "Inputs", inputs);
	}
	if (rollback > 0)
		json_object_set_new(facts, "Rollback", json_integer(rollback));
	assert_int_equal(state_generation_start(txn, facts, &number, &d), 0);
	assert_int_equal(state_generation_finish(txn, number, outcome, &d), 0);
	assert_int_equal(state_commit(txn, &d), 0);
}

/* The rules of the state, if it has some, else of `own`. `expected`: an error, or NULL. */
static void find(struct state *state, const struct apply_input *own, size_t count, const char *expected, uint64_t from,
		 int required)
{
	struct apply_approval_rules rules;
	struct state_txn *txn;
	struct diag d = DIAG_INIT;
	int result;

	assert_int_equal(state_begin(&txn, state, false, &d), 0);
	result = apply_approval_rules(&rules, txn, own, count, &d);
	state_abort(txn);
	if (result != (expected == NULL ? 0 : -1) ||
	    (expected != NULL && strstr(diag_first_error(&d), expected) == NULL))
		fail_msg("result %d, wanted \"%s\", got \"%s\"", result, expected, diag_first_error(&d));
	if (expected == NULL) {
		assert_int_equal(rules.generation, from);
		assert_int_equal(apply_approval_required(&rules), required);
	}
	apply_approval_rules_free(&rules);
	diag_free(&d);
}

static void rules_come_from_what_was_applied(void **state)
{
	static const char own_settings[] = SETTINGS(0, ""), with_key[] = SETTINGS(1, "\"kato.pub\"");
	const struct apply_input own[] = {{"muster.json", own_settings, sizeof own_settings - 1}};
	const struct apply_input named[] = {{"muster.json", with_key, sizeof with_key - 1}};
	mem_auto_str char *directory = mem_printf("%s/state", folder);
	struct diag d = DIAG_INIT;
	struct state *s;

	(void)state;
	assert_int_equal(state_open(&s, directory, STATE_WRITE, &d), 0);
	find(s, NULL, 0, "muster.json cannot be read, so nothing tells who must approve", 0, 0);
	find(s, own, 1, NULL, 0, 0);
	find(s, named, 1, "Approval.Keys names kato.pub, which is not in these specs", 0, 0);
	generation(s, NULL, false, 0);
	find(s, own, 1, NULL, 0, 0);
	generation(s, with_key, true, 0);
	find(s, own, 1, NULL, 2, 1);
	/* neither a rollback nor what changed only records decides */
	generation(s, own_settings, false, 1);
	generation(s, NULL, false, 0);
	find(s, own, 1, NULL, 2, 1);
	generation(s, own_settings, false, 0);
	find(s, named, 1, NULL, 5, 0);
	generation(s, with_key, false, 0);
	find(s, own, 1, "Approval.Keys names kato.pub, which is not in the specs of generation 6", 0, 0);
	generation(s, "no JSON", false, 0);
	find(s, own, 1, "muster.json of an earlier generation cannot be read", 0, 0);
	state_close(s);
}

static void what_a_change_of_the_rules_means(void **state)
{
	struct apply_approval_rules now = rules_new(2), next = rules_new(2);
	buf_auto struct buf words = BUF_INIT;

	(void)state;
	apply_approval_changes(&words, &now, &next);
	assert_string_equal(buf_str(&words), "");
	/* the same keys by other names are the same keys */
	json_object_set_new(next.approval, "Keys", json_array());
	json_array_append(json_object_get(next.approval, "Keys"),
			  json_array_get(json_object_get(now.approval, "Keys"), 1));
	json_array_append_new(json_object_get(next.approval, "Keys"), json_pack("{s:s}", "File", "k"));
	json_object_set(next.keys, "k", json_object_get(now.keys, "kato.pub"));
	apply_approval_changes(&words, &now, &next);
	assert_string_equal(buf_str(&words), "");
	json_object_set_new(next.keys, "k", key_text("mallory"));
	json_object_set_new(next.approval, "Required", json_integer(1));
	json_object_set_new(next.approval, "NotAuthor", json_false());
	apply_approval_changes(&words, &now, &next);
	assert_non_null(strstr(buf_str(&words), "this changes who must approve plans from then on: Required: 2 -> 1; "
						"NotAuthor: (not set) -> false; new key: k (SHA256:"));
	assert_non_null(strstr(buf_str(&words), "no longer: kato.pub (SHA256:"));
	apply_approval_rules_free(&now);
	apply_approval_rules_free(&next);
}

static void rules_that_can_never_be_met(void **state)
{
	struct apply_approval_rules rules = rules_new(2);
	struct diag d = DIAG_INIT;
	struct approvers approvers;

	(void)state;
	assert_int_equal(apply_approval_rules_check(&rules, &d), 0);
	assert_int_equal(approvers_read(&approvers, &rules, &d), 0);
	assert_true(apply_approval_lists(&rules, approvers.items[1].key.fingerprint));
	assert_false(apply_approval_lists(&rules, "SHA256:none"));
	approvers_release(&approvers);
	json_object_set(rules.keys, "sato.pub", json_object_get(rules.keys, "kato.pub"));
	assert_int_equal(apply_approval_rules_check(&rules, &d), -1);
	assert_non_null(strstr(diag_first_error(&d), "Required is 2, but Keys are only 1 different ones"));
	diag_free(&d);
	apply_approval_rules_free(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_rules),
	    cmocka_unit_test(enough_signatures),
	    cmocka_unit_test(signatures_that_do_not_hold),
	    cmocka_unit_test(age),
	    cmocka_unit_test(trees),
	    cmocka_unit_test(not_the_author),
	    cmocka_unit_test(a_broken_key_in_the_list),
	    cmocka_unit_test(signatures_in_files),
	    cmocka_unit_test(no_more_than_there_is_room_for),
	    cmocka_unit_test(rules_come_from_what_was_applied),
	    cmocka_unit_test(what_a_change_of_the_rules_means),
	    cmocka_unit_test(rules_that_can_never_be_met),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
