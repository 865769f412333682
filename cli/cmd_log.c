/* muster log */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/generation.h"

struct log_arguments {
	size_t limit; /* 0: all */
	bool json;
};

static const struct option log_options[] = {
    {"limit", OPTION_NUMBER, offsetof(struct log_arguments, limit), "N", "only the newest N", NULL},
    {"json", OPTION_FLAG, offsetof(struct log_arguments, json), NULL, "a JSON array, newest first", NULL},
    {0},
};

struct logging {
	const struct log_arguments *given;
	json_t *list; /* --json, else NULL */
	uint64_t newest;
};

static void print_entry(const struct session *s, const json_t *generation, bool first)
{
	buf_auto struct buf text = BUF_INIT;

	if (!first)
		buf_addc(&text, '\n');
	generation_line(&text, generation, s->cli->terminal.out_color);
	generation_details(&text, generation);
	fwrite(buf_str(&text), 1, text.len, stdout);
}

static int look(struct session *s, struct state_txn *txn, void *payload)
{
	struct logging *log = payload;
	size_t limit = log->given->limit;
	uint64_t first;

	if (state_generation(txn, &log->newest, &s->cli->diag) < 0 ||
	    state_generation_first(txn, &first, &s->cli->diag) < 0)
		return -1;
	for (uint64_t g = log->newest; g >= first && (limit == 0 || log->newest - g < limit); g--) {
		json_auto_t *generation = generation_read(s, txn, g);

		if (generation == NULL)
			return -1;
		if (log->list != NULL)
			json_array_append(log->list, generation);
		else
			print_entry(s, generation, g == log->newest);
	}
	return 0;
}

static int log_run(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	struct logging log = {.given = arguments};
	int result;

	(void)words;
	(void)count;
	log.list = log.given->json ? json_array() : NULL;
	result = session_read_state(cli, false, look, &log);
	if (result == 0 && log.list != NULL) {
		json_dumpf(log.list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (result == 0 && log.newest == 0) {
		puts("Nothing was applied yet.");
	}
	json_decref(log.list);
	return result < 0 ? CLI_FAILED : CLI_DONE;
}

const struct command command_log = {
    .name = "log",
    .summary = "what was applied: when, who, which commit, what changed, what came of it",
    .details = "Newest first. muster show --apply N tells all of one generation.",
    .options = log_options,
    .arguments_size = sizeof(struct log_arguments),
    .run = log_run,
};
