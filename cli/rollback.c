/* Finds what an earlier generation was made from. See rollback.h. */
#include "cli/rollback.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/committed.h"

/* -- The generation ------------------------------------------------------------------------------------------------ */

static bool keeps_inputs(const json_t *facts)
{
	return json_object_size(json_object_get(facts, "Inputs")) > 0;
}

/* One that an older version applied: only its commit is known. */
static bool has_commit_only(const json_t *facts)
{
	return json_object_get(facts, "Planned") != NULL && json_get_string(facts, "Commit") != NULL;
}

static int generation_facts(json_t **out, struct state_txn *txn, uint64_t number, struct diag *d)
{
	json_auto_t *generation = NULL;
	int found = state_generation_get(txn, number, &generation, d);

	*out = NULL;
	if (found < 0)
		return -1;
	if (found == 0)
		return diag_error(d, "generation %ju is missing in the state", (uintmax_t)number);
	*out = json_incref(json_object_get(generation, "Facts"));
	return 0;
}

static int check_number(struct state_txn *txn, uint64_t number, struct diag *d)
{
	uint64_t newest, first;

	if (state_generation(txn, &newest, d) < 0 || state_generation_first(txn, &first, d) < 0)
		return -1;
	if (newest == 0)
		return diag_error(d, "nothing was applied yet: there is no generation to go back to");
	if (number > newest)
		return diag_error(d, "there is no generation %ju: the newest is %ju", (uintmax_t)number,
				  (uintmax_t)newest);
	if (number > 0 && number < first)
		return diag_error(d,
				  "there is no generation %ju here: the history begins at %ju, which an export was "
				  "imported as, and an export has no history",
				  (uintmax_t)number, (uintmax_t)first);
	return 0;
}

/* What was not applied whole is not gone back to whole either: to its specs. */
static int note_outcome(struct state_txn *txn, uint64_t number, struct diag *d)
{
	json_auto_t *generation = NULL;
	const char *result;

	if (state_generation_get(txn, number, &generation, d) < 0)
		return -1;
	result = json_get_string(json_object_get(generation, "Outcome"), "Result");
	if (json_object_get(json_object_get(generation, "Facts"), "Planned") != NULL &&
	    (result == NULL || strcmp(result, "complete") != 0))
		diag_note(d, "generation %ju was applied in part only; this goes back to all of its specs",
			  (uintmax_t)number);
	return 0;
}

/* The generation itself, or the newest before it that was made from specs. */
static int find_specs(struct rollback *out, struct state_txn *txn, struct diag *d)
{
	for (out->from = out->generation; out->from > 0; out->from--) {
		json_decref(out->facts);
		if (generation_facts(&out->facts, txn, out->from, d) < 0)
			return -1;
		if (json_get_bool(out->facts, "Destroy", false))
			return diag_error(d,
					  "generation %ju deleted everything (--destroy): it has no specs to go back "
					  "to; muster plan --destroy does the same again",
					  (uintmax_t)out->from);
		if (keeps_inputs(out->facts) || has_commit_only(out->facts))
			break;
	}
	if (out->from == 0)
		return diag_error(d, "neither generation %ju nor one before it was made from specs that are known",
				  (uintmax_t)out->generation);
	if (out->from != out->generation)
		diag_note(d,
			  "generation %ju was not made from specs (state surgery or recovery): this goes back to "
			  "the specs of generation %ju",
			  (uintmax_t)out->generation, (uintmax_t)out->from);
	return 0;
}

/* -- Its files ----------------------------------------------------------------------------------------------------- */

static int open_commit(struct rollback *out, const char *directory, struct diag *d)
{
	const char *commit = json_get_string(out->facts, "Commit");

	if (state_git_tree_open(&out->tree, directory, commit, d) < 0)
		return diag_error(d, "generation %ju keeps no specs, and they cannot be had from its commit %s",
				  (uintmax_t)out->from, commit);
	if (json_get_bool(out->facts, "Dirty", false))
		diag_warning(d,
			     "generation %ju was applied from specs that were not all committed, and keeps none: "
			     "what commit %s has is taken",
			     (uintmax_t)out->from, commit);
	inputs_tree_source(&out->source, out->tree);
	return 0;
}

static int open_files(struct rollback *out, const struct session *s, struct state_txn *txn, struct diag *d)
{
	mem_auto_str char *what = mem_printf("generation %ju", (uintmax_t)out->from);

	if (!keeps_inputs(out->facts))
		return open_commit(out, s->cli->directory, d);
	if (inputs_load(&out->kept, json_object_get(out->facts, "Inputs"), what, txn, d) < 0)
		return -1;
	inputs_source(&out->source, &out->kept);
	rollback_check_git(out, s->cli->directory, d);
	return 0;
}

/* -- Its settings, with those of today over them ------------------------------------------------------------------- */

/* A document of the generation; its bytes go to the session's inputs, for that is what the next one keeps, too. */
static int read_then(json_t **out, struct session *s, const struct rollback *rollback, const char *path, struct diag *d)
{
	mem_auto_str char *shown = mem_printf("%s of generation %ju", path, (uintmax_t)rollback->from);
	struct json_doc *doc = NULL;
	char *text = NULL;
	size_t len = 0;
	int result = rollback->source.read(rollback->source.payload, path, &text, &len, d);

	if (result == -ENOENT)
		return diag_error(d, "%s: there is no such file", shown);
	if (result == 0)
		result = json_doc_parse(&doc, shown, text, len, d);
	if (result == 0) {
		inputs_put(&s->inputs, path, text, len);
		*out = json_incref(doc->root);
	}
	json_doc_free(doc);
	free(text);
	return result;
}

/* Whoever has just edited it should not wonder why nothing comes of it. */
static void note_edited(const struct session *s, const char *name, const json_t *committed, struct diag *d)
{
	mem_auto_str char *path = mem_printf("%s/%s", s->cli->directory, name);
	json_auto_t *on_disk = json_load_file(path, 0, NULL);

	if (!json_equal(on_disk, committed))
		diag_note(d,
			  "%s is not as it is committed: what a rollback takes from today's settings is taken from the "
			  "commit that is checked out",
			  name);
}

/* What decides how accounts are entered has been reviewed, as far as there is something to tell: HEAD's (DESIGN rule
 * 8), the work tree's only where no commit has it. */
static int read_now(json_t **out, const struct session *s, const char *name, struct diag *d)
{
	struct json_doc *doc = NULL;
	char *text = NULL;
	size_t len = 0;
	int result = committed_read(s->cli->directory, name, &text, &len, d);

	if (result == 0)
		result = json_doc_parse(&doc, name, text, len, d);
	if (result == 0) {
		*out = json_incref(doc->root);
		note_edited(s, name, *out, d);
	}
	json_doc_free(doc);
	free(text);
	return result;
}

static void overlay_put(struct rollback *rollback, const char *path, const json_t *document)
{
	char *text = json_dumps(document, JSON_INDENT(2));

	inputs_put(&rollback->overlay, path, text, strlen(text));
	free(text);
}

/* {"Approval": ...} as it is in force, or NULL where no generation says it yet; the keys that it names go to the
 * overlay. */
static int read_approved(json_t **out, struct rollback *rollback, struct state_txn *txn, struct diag *d)
{
	struct apply_approval_rules rules = {0};
	json_auto_t *facts = NULL;
	uint64_t number;
	const char *path;
	json_t *text;
	int result = apply_approval_generation(&number, &facts, txn, d);

	if (result < 0 || number == 0)
		return result;
	result = apply_approval_rules(&rules, txn, NULL, 0, d);
	if (result == 0)
		*out = json_pack("{s:O*}", "Approval", rules.approval);
	json_object_foreach(rules.keys, path, text)
	    inputs_put(&rollback->overlay, path, json_string_value(text), json_string_length(text));
	apply_approval_rules_free(&rules);
	return result;
}

static int lay_over(struct rollback *out, struct session *s, struct state_txn *txn, struct diag *d)
{
	json_auto_t *then = NULL, *then_roster = NULL, *now = NULL, *now_roster = NULL, *approved = NULL;
	json_auto_t *settings = NULL, *roster = NULL;
	const char *home;

	if (read_then(&then, s, out, "muster.json", d) < 0 || read_then(&then_roster, s, out, "accounts.json", d) < 0 ||
	    read_now(&now, s, "muster.json", d) < 0 || read_now(&now_roster, s, "accounts.json", d) < 0 ||
	    read_approved(&approved, out, txn, d) < 0)
		return -1;
	settings = rollback_settings(then, now, approved);
	roster = rollback_roster(then_roster, now_roster);
	overlay_put(out, "muster.json", settings);
	overlay_put(out, "accounts.json", roster);
	home = json_get_string(settings, "HomeRegion");
	if (home != NULL) {
		free(s->home_region);
		s->home_region = mem_strdup(home);
	}
	return 0;
}

/* -- Names that changed since -------------------------------------------------------------------------------------- */

/* New reference; NULL where the state does not hold it. */
static json_t *stack_of(struct state_txn *txn, const char *hex)
{
	struct diag ignored = DIAG_INIT;
	json_t *stack = NULL;
	uint8_t digest[32];
	const void *bytes;
	size_t len;

	if (text_hex_decode(digest, sizeof digest, hex) == 0 &&
	    state_blob_get(txn, digest, &bytes, &len, &ignored) == 1)
		stack = json_loadb(bytes, len, 0, NULL);
	diag_free(&ignored);
	return stack;
}

/* What the generations since have moved in the stacks: {path: names}, each as rollback_moved_note() has it. A list that
 * stays as it is from one generation to the next is read once. */
static int names_since(json_t **out, const struct rollback *rollback, struct state_txn *txn, struct diag *d)
{
	json_auto_t *read = json_object(), *crossed = json_object();
	uint64_t newest;

	*out = json_object();
	if (state_generation(txn, &newest, d) < 0)
		return -1;
	for (uint64_t number = rollback->from + 1; number <= newest; number++) {
		json_auto_t *facts = NULL;
		const char *path;
		json_t *hex;

		if (generation_facts(&facts, txn, number, d) < 0 ||
		    rollback_surgery_note(*out, crossed, txn, number, d) < 0)
			return -1;
		json_object_foreach(json_object_get(facts, "Inputs"), path, hex)
		{
			json_auto_t *stack = NULL;

			if (!text_starts(path, "stacks/") || json_equal(json_object_get(read, path), hex))
				continue;
			json_object_set(read, path, hex);
			stack = stack_of(txn, json_string_value(hex));
			if (json_object_get(stack, "Moved") == NULL)
				continue;
			if (json_object_get(*out, path) == NULL)
				json_object_set_new(*out, path, json_object());
			rollback_moved_note(json_object_get(*out, path), stack);
		}
	}
	return rollback_surgery_tell(crossed, rollback, txn, d);
}

static int move_back(struct rollback *out, struct session *s, struct state_txn *txn, struct diag *d)
{
	json_auto_t *since = NULL;
	const char *path;
	json_t *names;

	if (names_since(&since, out, txn, d) < 0)
		return -1;
	json_object_foreach(since, path, names)
	{
		json_auto_t *then = NULL, *stack = NULL;
		struct diag ignored = DIAG_INIT;

		/* The stack may have come later. */
		if (read_then(&then, s, out, path, &ignored) == 0)
			stack = rollback_moved(then, names);
		if (stack != NULL)
			overlay_put(out, path, stack);
		diag_free(&ignored);
	}
	return 0;
}

/* -- The whole ----------------------------------------------------------------------------------------------------- */

/* All that the generation keeps, so that the next one keeps the same; its parameters; where specs come from. */
static void give_session(struct rollback *rollback, struct session *s)
{
	json_t *parameters = json_object_get(rollback->facts, "Parameters"), *value;
	const char *name;

	for (size_t i = 0; i < rollback->kept.files.count; i++) {
		const struct map_entry *entry = &rollback->kept.files.entries[i];
		const struct input *input = entry->value;

		if (entry->key != NULL)
			inputs_put(&s->inputs, entry->key, input->bytes, input->len);
	}
	json_object_foreach(parameters, name, value)
	{
		if (json_is_string(value))
			session_parameter(s, name, strlen(name), json_string_value(value));
	}
	s->base = &rollback->source;
	s->overlay = &rollback->overlay;
	s->rollback = rollback;
}

/* Which is what is signed for it, too. New reference. */
static json_t *words_of(const struct rollback *rollback, const json_t *generation_facts)
{
	return json_pack("{s:s*, s:s*, s:s*}", "Commit", json_get_string(rollback->facts, "Commit"), "Time",
			 json_get_string(generation_facts, "Time"), "User", json_get_string(generation_facts, "User"));
}

static int open_all(struct rollback *out, struct session *s, struct state_txn *txn, struct diag *d)
{
	json_auto_t *facts = NULL;

	if (check_number(txn, out->generation, d) < 0 || find_specs(out, txn, d) < 0 ||
	    note_outcome(txn, out->from, d) < 0 || generation_facts(&facts, txn, out->generation, d) < 0 ||
	    open_files(out, s, txn, d) < 0 || lay_over(out, s, txn, d) < 0 || move_back(out, s, txn, d) < 0)
		return -1;
	out->of = words_of(out, facts);
	return 0;
}

int rollback_open(struct rollback *out, struct session *s, uint64_t generation)
{
	struct state_txn *txn = NULL;
	int result;

	*out = (struct rollback){.generation = generation};
	inputs_start(&out->overlay);
	if (state_begin(&txn, s->state, false, &s->cli->diag) < 0)
		return -1;
	result = open_all(out, s, txn, &s->cli->diag);
	state_abort(txn);
	if (result == 0)
		give_session(out, s);
	return result;
}

/* -- A plan that says it goes back --------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* One that an older version applied keeps no list: git has the files. */
static int check_files(const struct rollback *of, struct session *s, const struct plan *plan,
		       const struct inputs *inputs)
{
	const char *commit = json_get_string(of->facts, "Commit");

	if (keeps_inputs(of->facts))
		return json_equal(json_object_get(of->facts, "Inputs"), plan->inputs);
	return commit == NULL ? 0 : committed_inputs(NULL, s->cli, inputs, commit);
}

static int is_bound(struct rollback *of, struct session *s, const struct plan *plan, const struct inputs *inputs,
		    struct state_txn *txn)
{
	json_auto_t *facts = NULL, *words = NULL;
	struct diag *d = &s->cli->diag;

	if (check_number(txn, of->generation, d) < 0 || find_specs(of, txn, d) < 0 ||
	    generation_facts(&facts, txn, of->generation, d) < 0)
		return -1;
	words = words_of(of, facts);
	if (!same_text(json_get_string(of->facts, "Commit"), plan->commit) ||
	    !same_text(json_get_string(of->facts, "Tree"), plan->tree) ||
	    json_get_bool(of->facts, "Dirty", plan->commit == NULL) != plan->dirty ||
	    !json_equal(words, plan->rollback_of))
		return 0;
	return check_files(of, s, plan, inputs);
}

int rollback_check_plan(struct session *s, const struct plan *plan, const struct inputs *inputs)
{
	struct rollback of = {.generation = plan->rollback};
	struct state_txn *txn = NULL;
	int bound = state_begin(&txn, s->state, false, &s->cli->diag);

	if (bound == 0)
		bound = is_bound(&of, s, plan, inputs, txn);
	state_abort(txn);
	rollback_close(&of);
	if (bound == 0)
		return diag_error(
		    &s->cli->diag,
		    "this plan calls itself a rollback to generation %ju, and was not made from what that "
		    "generation was; make a new plan",
		    (uintmax_t)plan->rollback);
	return bound < 0 ? -1 : 0;
}

void rollback_close(struct rollback *rollback)
{
	inputs_free(&rollback->kept);
	inputs_free(&rollback->overlay);
	state_git_tree_free(rollback->tree);
	json_decref(rollback->facts);
	json_decref(rollback->of);
}
