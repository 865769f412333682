/* muster state list, muster state show */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"

struct state_arguments {
	bool json;
};

static const struct option list_options[] = {
    {"json", OPTION_FLAG, offsetof(struct state_arguments, json), NULL, "JSON for programs", NULL},
    {0},
};
static const struct option show_options[] = {
    {"json", OPTION_FLAG, offsetof(struct state_arguments, json), NULL, "the same: a record is always shown as JSON",
     NULL},
    {0},
};

struct listing {
	struct cli *cli;
	const char *glob; /* NULL: all */
	json_t *list;     /* --json, else NULL */
};

static int list_record(void *payload, const struct state_record *record)
{
	struct listing *listing = payload;
	json_auto_t *body = NULL;
	struct plan_record parsed;

	if (listing->glob != NULL && !text_glob(listing->glob, record->address))
		return 0;
	if (listing->list == NULL) {
		puts(record->address);
		return 0;
	}
	body = json_loadb(record->text, record->text_len, 0, NULL);
	if (plan_record_parse(&parsed, body) < 0)
		return diag_error(&listing->cli->diag, "the record of %s cannot be read", record->address);
	json_array_append_new(listing->list, json_pack("{s:s, s:s, s:I, s:I}", "address", record->address, "type",
						       parsed.type, "generation", (json_int_t)record->generation,
						       "version", (json_int_t)record->version));
	return 0;
}

static void print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

/* Opens the state for reading and runs `visit` over its records. */
static int with_state(struct cli *cli, int (*look)(struct state_txn *txn, void *payload, struct diag *d), void *payload)
{
	struct state_txn *txn = NULL;
	struct session s;
	int result = -1;

	session_start(&s, cli);
	if (session_open_state(&s, SESSION_STATE_READ) == 0 && state_begin(&txn, s.state, false, &cli->diag) == 0)
		result = look(txn, payload, &cli->diag);
	/* A state that exists has a key. */
	if (s.state != NULL && !s.secret_key_known)
		diag_note(&cli->diag, "there is no state in %s yet; the first plan makes it", s.state_directory);
	state_abort(txn);
	session_close(&s);
	return result;
}

static int look_all(struct state_txn *txn, void *payload, struct diag *d)
{
	return state_record_each(txn, "", list_record, payload, d) < 0 ? -1 : 0;
}

static int state_list(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct state_arguments *given = arguments;
	struct listing listing = {.cli = cli, .glob = count > 0 ? words[0] : NULL};
	int result;

	if (given->json)
		listing.list = json_array();
	result = with_state(cli, look_all, &listing);
	if (result == 0 && given->json)
		print_json(listing.list);
	json_decref(listing.list);
	return result == 0 ? CLI_DONE : CLI_FAILED;
}

struct showing {
	const char *address;
	json_t *shown;
};

static int look_one(struct state_txn *txn, void *payload, struct diag *d)
{
	struct showing *showing = payload;
	struct state_record record;
	json_auto_t *body = NULL;
	int found = state_record_get(txn, showing->address, &record, d);

	if (found < 0)
		return -1;
	if (found == 0)
		return diag_error(d, "the state has no resource %s; muster state list shows what it has",
				  showing->address);
	body = json_loadb(record.text, record.text_len, 0, NULL);
	if (body == NULL)
		return diag_error(d, "the record of %s cannot be read", showing->address);
	showing->shown = json_pack("{s:s, s:I, s:I}", "Address", showing->address, "Generation",
				   (json_int_t)record.generation, "Version", (json_int_t)record.version);
	json_object_update(showing->shown, body);
	return 0;
}

static int state_show(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	struct showing showing = {.address = words[0]};

	/* The record is JSON for people too: nothing else shows nested properties more clearly. */
	(void)arguments;
	(void)count;
	if (with_state(cli, look_one, &showing) < 0)
		return CLI_FAILED;
	print_json(showing.shown);
	json_decref(showing.shown);
	return CLI_DONE;
}

const struct command command_state_list = {
    .name = "state list",
    .words = "[GLOB]",
    .words_max = 1,
    .summary = "list the recorded resources",
    .details = "GLOB is compared with the whole address, account/region/stack/LogicalId: 'app-*/eu-west-1/*'.",
    .options = list_options,
    .arguments_size = sizeof(struct state_arguments),
    .run = state_list,
};

const struct command command_state_show = {
    .name = "state show",
    .words = "ADDRESS",
    .words_min = 1,
    .words_max = 1,
    .summary = "show one recorded resource, as JSON",
    .options = show_options,
    .arguments_size = sizeof(struct state_arguments),
    .run = state_show,
};
