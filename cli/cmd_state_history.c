/* muster state history */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/generation.h"

struct history_arguments {
	bool json;
};

static const struct option history_options[] = {
    {"json", OPTION_FLAG, offsetof(struct history_arguments, json), NULL, "a JSON array, newest first", NULL},
    {0},
};

/* What one generation did to the address. */
struct step {
	uint64_t generation;
	json_t *before, *after;
};

struct history {
	const char *address;
	json_t *list; /* --json, else NULL */
	struct step *steps;
	size_t count;
};

static int take_step(void *payload, uint64_t generation, const json_t *before, const json_t *after)
{
	struct history *h = payload;

	/* Full at each power of two. */
	if ((h->count & (h->count - 1)) == 0)
		h->steps = mem_resize(h->steps, h->count == 0 ? 1 : 2 * h->count, sizeof *h->steps);
	h->steps[h->count++] = (struct step){generation, json_incref((json_t *)before), json_incref((json_t *)after)};
	return 0;
}

/* -- Showing ------------------------------------------------------------------------------------------------------- */

static void print_step(const struct cli *cli, const struct plan *plan, const json_t *generation)
{
	const struct plan_text_options options = {
	    .color = cli->terminal.out_color, .width = cli->terminal.width, .entries_only = true};
	buf_auto struct buf text = BUF_INIT;

	generation_line(&text, generation, cli->terminal.out_color);
	plan_render_text(&text, plan, &options);
	fwrite(buf_str(&text), 1, text.len, stdout);
}

static json_t *difference_json(const struct plan_difference *item)
{
	json_t *result =
	    json_pack("{s:s, s:O*, s:O*}", "Path", item->path, "Before", item->before, "After", item->after);

	if (item->sensitive)
		json_object_set_new(result, "Sensitive", json_true());
	return result;
}

static json_t *step_json(const struct plan *plan, const json_t *generation)
{
	static const char *const kept[] = {"Time", "User", "Host", "Commit", "Dirty"};
	const struct plan_change *change = &plan->changes[0];
	const json_t *facts = json_object_get(generation, "Facts");
	json_t *changes = json_array();
	json_t *result =
	    json_pack("{s:O, s:s, s:s, s:s*, s:s, s:s, s:b, s:o}", "Generation", json_object_get(generation, "Number"),
		      "Status", json_get_string(generation, "Status"), "Address", change->address, "MovedFrom",
		      change->moved_from, "Action", plan_action_name(change->action), "Type", change->type_name,
		      "RecordOnly", change->record_only, "Changes", changes);

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (json_object_get(facts, kept[i]) != NULL)
			json_object_set(result, kept[i], json_object_get(facts, kept[i]));
	for (size_t i = 0; i < change->diff.count; i++)
		json_array_append_new(changes, difference_json(&change->diff.items[i]));
	return result;
}

static int show_step(struct session *s, struct state_txn *txn, struct history *h, const struct step *step)
{
	const struct schema_set *schemas = s->provider->ops->schemas(s->provider);
	json_auto_t *generation = generation_read(s, txn, step->generation);
	struct plan *plan;

	if (generation == NULL || plan_history_step(&plan, txn, step->generation, h->address, step->before, step->after,
						    schemas, &s->cli->diag) < 0)
		return -1;
	if (h->list != NULL)
		json_array_append_new(h->list, step_json(plan, generation));
	else
		print_step(s->cli, plan, generation);
	plan_free(plan);
	return 0;
}

static int look(struct session *s, struct state_txn *txn, void *payload)
{
	struct history *h = payload;
	int rc = state_history_of(txn, h->address, take_step, h, &s->cli->diag);

	if (rc == 0 && h->count == 0)
		rc = diag_error(&s->cli->diag, "the state never had a resource %s; muster state list shows what it has",
				h->address);
	for (size_t i = h->count; rc == 0 && i-- > 0;)
		rc = show_step(s, txn, h, &h->steps[i]);
	return rc;
}

static int state_history(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct history_arguments *given = arguments;
	struct history h = {.address = words[0], .list = given->json ? json_array() : NULL};
	int result = session_read_state(cli, true, look, &h);

	(void)count;
	if (result == 0 && h.list != NULL) {
		json_dumpf(h.list, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(h.list);
	for (size_t i = 0; i < h.count; i++) {
		json_decref(h.steps[i].before);
		json_decref(h.steps[i].after);
	}
	free(h.steps);
	return result < 0 ? CLI_FAILED : CLI_DONE;
}

const struct command command_state_history = {
    .name = "state history",
    .words = "ADDRESS",
    .words_min = 1,
    .words_max = 1,
    .summary = "what each generation did to one resource, property by property",
    .details =
	"Newest first, also for a resource that is not there any more. What it was before it was moved from another "
	"address is told under that one.",
    .options = history_options,
    .arguments_size = sizeof(struct history_arguments),
    .run = state_history,
};
