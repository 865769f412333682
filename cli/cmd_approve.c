/* muster approve */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/approval.h"
#include "cli/committed.h"
#include "cli/words.h"

#define SIGNATURE_FILE_MAX (64u << 10)

struct approve_arguments {
	const char *key, *out;
	struct option_list add;
	bool check, first_apply;
};

static const struct option approve_options[] = {
    {"key", OPTION_TEXT, offsetof(struct approve_arguments, key), "KEY",
     "sign with this private key: PEM, a key of OpenSSH, or the .pub file of a key in your agent", NULL},
    {"out", OPTION_TEXT, offsetof(struct approve_arguments, out), "SIGFILE",
     "write the signature to a file of its own and leave the plan as it is", NULL},
    {"add", OPTION_LIST, offsetof(struct approve_arguments, add), "SIGFILE",
     "add a signature that was made apart, by --out or by ssh-keygen -Y sign", NULL},
    {"check", OPTION_FLAG, offsetof(struct approve_arguments, check), NULL,
     "say whether apply would take the plan as it is signed now, and if not why", NULL},
    {"first-apply", OPTION_FLAG, offsetof(struct approve_arguments, first_apply), NULL,
     "with --check: as apply --first-apply would take it, in a state that is meant to be empty", NULL},
    {0},
};

/* -- What is signed ------------------------------------------------------------------------------------------------ */

/* A plan file comes from elsewhere, and what stands in it must not move the cursor. */
static void print_line(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print_line(const char *label, const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	for (size_t i = 0; i < text.len; i++)
		if (iscntrl((unsigned char)text.data[i]))
			text.data[i] = '?';
	printf("  %-9s %s\n", label, buf_str(&text));
}

static void print_actions(const struct plan *plan)
{
	size_t counts[PLAN_DELETE + 1] = {0};
	buf_auto struct buf text = BUF_INIT;

	for (size_t i = 0; i < plan->change_count; i++)
		counts[plan->changes[i].action]++;
	for (int action = PLAN_DELETE; action > PLAN_NOOP; action--)
		if (counts[action] > 0)
			buf_addf(&text, "%s%zu to %s", text.len > 0 ? ", " : "", counts[action],
				 plan_action_name((enum plan_action)action));
	print_line("changes", "%s", text.len > 0 ? buf_str(&text) : "none");
}

static void print_remarks(const struct plan *plan)
{
	bool overridden = json_get_bool(plan->limits, "Overridden", false);
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(plan->limits, "Over"), i, item)
	    print_line("limits", "it %s%s", json_string_value(item), overridden ? " (overridden)" : "");
	for (i = 0; i < plan->note_count; i++)
		if (plan->notes[i].kind == PLAN_NOTE_APPROVAL)
			print_line("note", "%s", plan->notes[i].text == NULL ? "" : plan->notes[i].text);
}

/* Short: who signs has reviewed the plan already, and needs to see that it is the one. */
static void print_plan(const struct plan *plan)
{
	char when[32];

	text_time(when, sizeof when, plan->created_ms);
	print_line("digest", "%s", plan->digest);
	print_line("made", "%s, from generation %llu", when, (unsigned long long)plan->generation);
	print_line("specs", "commit %.12s, tree %.12s%s", plan->commit == NULL ? "(none)" : plan->commit,
		   plan->tree == NULL ? "(none)" : plan->tree,
		   plan->dirty ? ", with changes that are not committed" : "");
	if (plan->rollback > 0)
		print_line("rollback", "to generation %llu", (unsigned long long)plan->rollback);
	print_actions(plan);
	print_remarks(plan);
}

/* By the e-mail addresses of the list, where it is known here; else as who signed calls the key. */
static void print_signatures(struct session *s, const struct plan *plan)
{
	struct apply_approval_rules rules = {0};
	struct diag ignored = DIAG_INIT;
	bool known = approval_rules(&rules, s, &ignored) == 0;
	json_t *signature;
	size_t i;

	json_array_foreach(plan->signatures, i, signature)
	{
		const char *key = json_get_string(signature, "Key"), *word = json_get_string(signature, "Comment");
		mem_auto_str char *email = known && key != NULL ? apply_approval_email(&rules, key) : NULL;

		if (email != NULL)
			word = email;
		print_line("signed by", "%s%s%s", key == NULL ? "?" : key, word == NULL ? "" : " ",
			   word == NULL ? "" : word);
	}
	apply_approval_rules_free(&rules);
	diag_free(&ignored);
}

/* -- Whether it will count ----------------------------------------------------------------------------------------- */

/* The state may be elsewhere: what is not known here is no reason not to sign. */
static void warn_worthless(struct session *s, const struct plan *plan, const json_t *signature)
{
	struct apply_approval_rules rules = {0};
	struct diag ignored = DIAG_INIT, *d = &s->cli->diag;
	const char *key = json_get_string(signature, "Key");

	if ((s->state != NULL || session_open_state(s, SESSION_STATE_READ) == 0) &&
	    approval_rules(&rules, s, &ignored) == 0) {
		if (!apply_approval_lists(&rules, key))
			diag_warning(d,
				     "the key %s is not in Approval.Keys of the specs that will decide: this signature "
				     "will not count",
				     key);
		else if (approval_is_author(s, &rules, plan, key))
			diag_warning(d,
				     "who signs with the key %s wrote commits of this change, and Approval.NotAuthor "
				     "is set: this signature will not count",
				     key);
	}
	apply_approval_rules_free(&rules);
	diag_free(&ignored);
}

/* One signature of a key is kept. `before`: those that were there. */
static void note_again(struct diag *d, const json_t *before, const json_t *signature)
{
	const char *key = json_get_string(signature, "Key");
	json_t *old;
	size_t i;

	json_array_foreach((json_t *)before, i, old)
	{
		const char *there = json_get_string(old, "Key");

		if (there != NULL && strcmp(there, key) == 0)
			diag_note(d, "signed again: %s had signed this plan already, and the new signature replaces it",
				  key);
	}
}

static void warn_plan(struct cli *cli, const struct plan *plan)
{
	if (plan->dirty)
		diag_warning(&cli->diag, "the plan was made from specs that were not committed: apply will refuse it");
	approval_warn_limits(&cli->diag, plan);
}

/* -- Signing and adding -------------------------------------------------------------------------------------------- */

static int write_signature(const json_t *signature, const struct plan *plan, const char *path, struct diag *d)
{
	json_auto_t *whole = json_copy((json_t *)signature);
	mem_auto_str char *text = NULL, *line = NULL;
	int result;

	json_object_set_new(whole, "Plan", json_string(plan->digest));
	text = json_dumps(whole, JSON_INDENT(2) | JSON_SORT_KEYS);
	line = mem_printf("%s\n", text);
	result = text_file_write(path, line, strlen(line), 0644);
	return result == 0 ? 0 : diag_error(d, "%s: cannot write the signature: %s", path, strerror(-result));
}

static int add_file(const json_t **signature, struct plan *plan, const char *path, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;
	int result = text_file_read(&text, path, SIGNATURE_FILE_MAX);

	if (result < 0)
		return diag_error(d, "%s: %s", path,
				  result == -EFBIG ? "too large for a signature" : strerror(-result));
	return apply_approve_add(signature, plan, buf_str(&text), text.len, path, d);
}

static int sign_plan(struct session *s, struct plan *plan, const char *file, const struct approve_arguments *given)
{
	json_auto_t *before = json_copy(plan->signatures);
	const json_t *signature = NULL;
	struct diag *d = &s->cli->diag;
	int result = 0;

	for (size_t i = 0; i < given->add.count && result == 0; i++) {
		result = add_file(&signature, plan, given->add.items[i], d);
		if (result == 0)
			warn_worthless(s, plan, signature);
	}
	if (result == 0 && given->key != NULL) {
		result = apply_approve(&signature, plan, given->key, d);
		if (result == 0)
			warn_worthless(s, plan, signature);
	}
	if (result == 0 && given->key != NULL && given->out == NULL)
		note_again(d, before, signature);
	if (result == 0 && given->out != NULL)
		return write_signature(signature, plan, given->out, d);
	return result == 0 ? plan_file_write(plan, file, d) : result;
}

/* -- Whether it would be applied ----------------------------------------------------------------------------------- */

static void print_approvals(struct session *s, const json_t *approvals)
{
	struct apply_approval_rules rules = {0};
	long long required;

	if (approval_rules(&rules, s, &s->cli->diag) < 0)
		return;
	required = (long long)apply_approval_required(&rules);
	if (required == 0)
		print_line("approvals", "none required");
	else
		print_line("approvals", "%zu, required %lld", json_array_size(approvals), required);
	apply_approval_rules_free(&rules);
}

/* What apply asks before it takes the lock. With a state that is a copy the answer is as old as that. */
static int check_plan(struct session *s, const struct plan *plan)
{
	json_auto_t *approvals = NULL;
	struct inputs inputs = {0};
	struct diag *d = &s->cli->diag;
	int result = apply_check(plan, s->state, d);

	if (result == 0 && plan->inputs != NULL)
		result = inputs_find(&inputs, plan->inputs, s->cli->directory, plan->commit, s->state, d);
	if (result == 0)
		result = approval_check(&approvals, s, plan, &inputs);
	if (result == 0)
		result = committed_check_plan(s->cli, plan);
	if (result == 0)
		print_approvals(s, approvals);
	inputs_free(&inputs);
	return result;
}

static int sign_and_check(struct session *s, struct plan *plan, const char *file, const struct approve_arguments *given)
{
	if ((given->key != NULL || given->add.count > 0) && sign_plan(s, plan, file, given) != 0)
		return -1;
	if (!given->check)
		warn_plan(s->cli, plan);
	if (given->check && s->state == NULL && session_open_state(s, SESSION_STATE_READ) < 0)
		return -1;
	print_signatures(s, plan);
	return given->check ? check_plan(s, plan) : 0;
}

static int approve(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct approve_arguments *given = arguments;
	struct plan *plan = NULL;
	int status = CLI_FAILED;
	struct session s;

	(void)count;
	if (given->key == NULL && given->add.count == 0 && !given->check) {
		diag_error(&cli->diag, "--key KEY is missing: the private key to sign with");
		return CLI_FAILED;
	}
	if (given->first_apply && !given->check) {
		diag_error(&cli->diag, "--first-apply goes with --check: it is apply that needs it, no signature does");
		return CLI_FAILED;
	}
	if (given->out != NULL && (given->key == NULL || given->add.count > 0 || given->check)) {
		diag_error(&cli->diag, "--out takes the signature of --key, and nothing is added or checked then");
		return CLI_FAILED;
	}
	session_start(&s, cli);
	s.first_apply = given->first_apply;
	if (session_open_provider(&s) == 0 &&
	    plan_file_read(&plan, words[0], s.provider->ops->schemas(s.provider), &cli->diag) == 0) {
		printf("%s\n", words[0]);
		print_plan(plan);
		fflush(stdout);
		if (sign_and_check(&s, plan, words[0], given) == 0)
			status = CLI_DONE;
	}
	plan_free(plan);
	session_close(&s);
	return status;
}

const struct command command_approve = {
    .name = "approve",
    .words = "FILE",
    .words_min = 1,
    .words_max = 1,
    .summary = "sign a saved plan, so that it may be applied",
    .details =
	"Signs the plan's digest, which covers all that apply will do, and keeps the signature in the file. Several\n"
	"people sign one after another; or each with --out, and --add puts the signatures into the plan. Who must\n"
	"sign is said by Approval in muster.json. The passphrase of a PEM key is asked for on the terminal, or\n"
	"taken from MUSTER_KEY_PASSPHRASE; keys of OpenSSH are used through ssh-keygen. --check tells whether apply\n"
	"would take the plan now.",
    .options = approve_options,
    .anywhere = true,
    .arguments_size = sizeof(struct approve_arguments),
    .run = approve,
};
