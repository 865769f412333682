/* muster state list, muster state show */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/generation.h"

struct state_arguments {
	struct option_count at;
	bool json;
};

#define AT_OPTION                                                                                                      \
	{                                                                                                              \
		"at", OPTION_COUNT, offsetof(struct state_arguments, at), "GENERATION",                                \
		    "as of the end of that generation", NULL                                                           \
	}

static const struct option list_options[] = {
    AT_OPTION,
    {"json", OPTION_FLAG, offsetof(struct state_arguments, json), NULL, "JSON for programs", NULL},
    {0},
};
static const struct option show_options[] = {
    AT_OPTION,
    {"json", OPTION_FLAG, offsetof(struct state_arguments, json), NULL, "the same: a record is always shown as JSON",
     NULL},
    {0},
};

struct listing {
	struct cli *cli;
	const struct option_count *at;
	const char *glob; /* NULL: all */
	json_t *list;     /* --json, else NULL */
	size_t count;     /* how many were listed */
};

static int list_record(void *payload, const struct state_record *record)
{
	struct listing *listing = payload;
	json_auto_t *body = NULL;
	struct plan_record parsed;

	if (listing->glob != NULL && !text_glob(listing->glob, record->address))
		return 0;
	listing->count++;
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

static int look_all(struct session *s, struct state_txn *txn, void *payload)
{
	const struct listing *listing = payload;
	struct diag *d = &s->cli->diag;
	int rc;

	if (listing->at->given && generation_check(txn, listing->at->value, d) < 0)
		return -1;
	rc = listing->at->given ? state_record_each_at(txn, listing->at->value, "", list_record, payload, d)
				: state_record_each(txn, "", list_record, payload, d);
	return rc < 0 ? -1 : 0;
}

static int state_list(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct state_arguments *given = arguments;
	struct listing listing = {.cli = cli, .at = &given->at, .glob = count > 0 ? words[0] : NULL};
	int result;

	if (given->json)
		listing.list = json_array();
	result = session_read_state(cli, false, look_all, &listing);
	if (result == 0 && given->json)
		print_json(listing.list);
	if (result == 0 && listing.glob != NULL && listing.count == 0)
		/* An empty list is an answer that programs count on; people may have mistyped. */
		diag_warning(&cli->diag,
			     "'%s' matches no recorded resource; a pattern is for whole addresses, "
			     "ACCOUNT/REGION/STACK/LogicalId, and * stands for any part of one",
			     listing.glob);
	json_decref(listing.list);
	return result == 0 ? CLI_DONE : CLI_FAILED;
}

struct showing {
	const char *address;
	const struct option_count *at;
	json_t *shown;
};

static int no_record(struct showing *showing, struct diag *d)
{
	if (showing->at->given)
		return diag_error(d,
				  "there was no resource %s at the end of generation %ju; muster state history %s "
				  "shows what became of it",
				  showing->address, (uintmax_t)showing->at->value, showing->address);
	return diag_error(d, "the state has no resource %s; muster state list shows what it has", showing->address);
}

static int look_one(struct session *s, struct state_txn *txn, void *payload)
{
	struct showing *showing = payload;
	struct diag *d = &s->cli->diag;
	struct state_record record;
	json_auto_t *body = NULL;
	int found;

	if (showing->at->given && generation_check(txn, showing->at->value, d) < 0)
		return -1;
	found = showing->at->given ? state_record_at(txn, showing->at->value, showing->address, &record, d)
				   : state_record_get(txn, showing->address, &record, d);
	if (found <= 0)
		return found < 0 ? -1 : no_record(showing, d);
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
	const struct state_arguments *given = arguments;
	struct showing showing = {.address = words[0], .at = &given->at};

	/* The record is JSON for people too: nothing else shows nested properties more clearly. */
	(void)count;
	if (session_read_state(cli, false, look_one, &showing) < 0)
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
