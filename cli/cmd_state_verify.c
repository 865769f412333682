/* muster state verify */
#include <stdio.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/words.h"

struct verify_arguments {
	bool json;
};

static const struct option verify_options[] = {
    {"json", OPTION_FLAG, offsetof(struct verify_arguments, json), NULL, "JSON for programs", NULL},
    {0},
};

struct verifying {
	struct state_verify_result result;
	uint64_t newest;
	json_t *newest_generation;
};

/* What a record has to be the state does not know; one that cannot be read is told as such by state_verify(). */
static int check_record(void *payload, const struct state_record *raw)
{
	json_auto_t *body = json_loadb(raw->text, raw->text_len, 0, NULL);

	plan_record_check(raw->address, body, payload);
	return 0;
}

static int look(struct session *s, struct state_txn *txn, void *payload)
{
	struct verifying *v = payload;
	size_t errors;

	if (state_verify(txn, &v->result, &s->cli->diag) < 0 || state_generation(txn, &v->newest, &s->cli->diag) < 0)
		return -1;
	errors = s->cli->diag.errors;
	if (state_record_each(txn, "", check_record, &s->cli->diag, &s->cli->diag) < 0 || s->cli->diag.errors > errors)
		return -1;
	return state_generation_get(txn, v->newest, &v->newest_generation, &s->cli->diag) < 0 ? -1 : 0;
}

/* With the hash of the newest: whoever wrote that down elsewhere can tell that nobody put another history in place. */
static void print_text(const struct verifying *v)
{
	const char *hash = json_get_string(v->newest_generation, "Hash");
	buf_auto struct buf text = BUF_INIT;

	buf_adds(&text, "The state is whole: ");
	words_count(&text, v->result.generations);
	buf_adds(&text, v->result.generations == 1 ? " generation, " : " generations, ");
	words_count(&text, v->result.records);
	buf_adds(&text, v->result.records == 1 ? " record, " : " records, ");
	words_count(&text, v->result.blobs);
	buf_adds(&text, v->result.blobs == 1 ? " stored input.\n" : " stored inputs.\n");
	if (hash != NULL)
		buf_addf(&text, "Hash of generation %ju: %s\n", (uintmax_t)v->newest, hash);
	fputs(buf_str(&text), stdout);
}

static void print_json(const struct cli *cli, const struct verifying *v, bool whole)
{
	const char *hash = json_get_string(v->newest_generation, "Hash");
	json_t *messages = json_array();
	json_auto_t *json = json_pack("{s:b, s:I, s:I, s:I, s:o}", "Whole", whole, "Generations",
				      (json_int_t)v->result.generations, "Records", (json_int_t)v->result.records,
				      "Blobs", (json_int_t)v->result.blobs, "Messages", messages);

	json_object_set_new(json, "Broken",
			    v->result.broken > 0 ? json_integer((json_int_t)v->result.broken) : json_null());
	json_object_set_new(json, "Hash", hash != NULL ? json_string(hash) : json_null());
	for (size_t i = 0; i < cli->diag.count; i++)
		if (cli->diag.items[i].level == DIAG_ERROR)
			json_array_append_new(messages, json_string(cli->diag.items[i].text));
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int state_verify_run(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct verify_arguments *given = arguments;
	struct verifying v = {0};
	bool whole = session_read_state(cli, false, look, &v) == 0;

	(void)words;
	(void)count;
	if (given->json)
		print_json(cli, &v, whole);
	else if (whole)
		print_text(&v);
	json_decref(v.newest_generation);
	return whole ? CLI_DONE : CLI_FAILED;
}

const struct command command_state_verify = {
    .name = "state verify",
    .summary = "prove that the state and its history are whole",
    .details =
	"Checks every page of the file, the chain of generations from the first, that the records are what history "
	"says, and that stored inputs are what their names say, and that each record is one. Names the first "
	"generation whose link does not "
	"hold.",
    .options = verify_options,
    .arguments_size = sizeof(struct verify_arguments),
    .run = state_verify_run,
};
