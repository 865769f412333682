/* muster state rm */
#include <stdio.h>
#include <string.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/surgery.h"
#include "cli/words.h"

struct rm_arguments {
	bool auto_approve;
};

static const struct option rm_options[] = {
    {"auto-approve", OPTION_FLAG, offsetof(struct rm_arguments, auto_approve), NULL, "do not ask before forgetting",
     NULL},
    {0},
};

struct showing {
	const char **globs;
	size_t glob_count, shown;
	struct state_txn *txn;
	const struct schema_set *schemas;
	struct diag *d;
};

static bool showing_hits(const struct showing *showing, const char *address)
{
	for (size_t i = 0; i < showing->glob_count; i++)
		if (text_glob(showing->globs[i], address))
			return true;
	return false;
}

/* What a record says that nothing else does, and that is lost with it. */
static void show(struct buf *line, const char *address, const struct plan_record *record,
		 const struct schema_set *schemas)
{
	const struct schema_type *type = schema_set_find(schemas, record->type);
	mem_auto_str char *id = type != NULL ? apply_state_identifier(type, record) : NULL;

	buf_addf(line, "- %s (%s)", address, record->type);
	if (id != NULL)
		buf_addf(line, " %s", id);
	if (record->protect)
		buf_adds(line, ", protected");
	if (json_array_size(record->deposed) > 0)
		buf_addf(line, ", with %zu that replacements left and that are not deleted yet",
			 json_array_size(record->deposed));
}

static int show_record(void *payload, const struct state_record *raw)
{
	struct showing *showing = payload;
	buf_auto struct buf line = BUF_INIT, plain = BUF_INIT;
	json_auto_t *body = NULL;
	struct plan_record record;

	if (!showing_hits(showing, raw->address))
		return 0;
	body = json_loadb(raw->text, raw->text_len, 0, NULL);
	if (plan_record_parse(&record, body) == 0)
		show(&line, raw->address, &record, showing->schemas);
	else
		buf_addf(&line, "- %s (its record cannot be read)", raw->address);
	words_plain(&plain, buf_str(&line));
	puts(buf_str(&plain));
	showing->shown++;
	return 0;
}

static const char *word(const json_t *body, const char *key, const char *otherwise)
{
	const char *text = json_get_string(body, key);

	return text != NULL ? text : otherwise;
}

/* What AWS perhaps has of it: the names that it was to have. */
static void show_names(struct buf *line, const json_t *intent)
{
	const json_t *known = json_object_get(json_object_get(intent, "Record"), "Properties");
	const char *name, *before = "; AWS may have it, with ";
	json_t *value;

	json_object_foreach((json_t *)known, name, value)
	{
		size_t len = strlen(name);

		if (!json_is_string(value) || len < 4 || strcmp(name + len - 4, "Name") != 0 ||
		    strcmp(name, "DisplayName") == 0)
			continue;
		buf_addf(line, "%s%s %s", before, name, json_string_value(value));
		before = ", ";
	}
	if (strcmp(before, ", ") != 0 && strcmp(word(intent, "Phase", ""), "create") == 0)
		buf_adds(line, "; AWS may have it");
}

static int show_intent(void *payload, const char *address, const json_t *body)
{
	struct showing *showing = payload;
	const char *why = json_get_string(body, "Stays");
	buf_auto struct buf line = BUF_INIT, plain = BUF_INIT;
	struct state_record raw;

	if (why == NULL || !showing_hits(showing, address))
		return 0;
	buf_addf(&line, "- %s (%s): its %s was cut off, and could not be looked up (%s)", address,
		 word(body, "Type", "?"), word(body, "Phase", "change"), why);
	show_names(&line, body);
	words_plain(&plain, buf_str(&line));
	puts(buf_str(&plain));
	/* One that is recorded, too, is one resource. */
	showing->shown += state_record_get(showing->txn, address, &raw, showing->d) == 0;
	return 0;
}

static int show_all(struct session *s, struct showing *showing)
{
	int result;

	if (state_begin(&showing->txn, s->state, false, showing->d) < 0)
		return -1;
	result = state_record_each(showing->txn, "", show_record, showing, showing->d);
	if (result >= 0)
		result = state_intent_each(showing->txn, show_intent, showing, showing->d);
	state_abort(showing->txn);
	return result < 0 ? -1 : 0;
}

static int approve(struct cli *cli, size_t count, bool auto_approve)
{
	buf_auto struct buf question = BUF_INIT;

	/* What matches nothing is an error that comes later, with its own words. */
	if (auto_approve || count == 0)
		return 0;
	buf_adds(&question, "Forget ");
	surgery_count(&question, count);
	buf_adds(&question, "? AWS stays as it is.");
	return terminal_confirm(buf_str(&question), "use --auto-approve", &cli->diag);
}

static int state_rm(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct rm_arguments *given = arguments;
	struct showing showing = {.globs = words, .glob_count = count, .d = &cli->diag};
	buf_auto struct buf text = BUF_INIT;
	json_auto_t *facts = surgery_facts(cli);
	size_t forgotten = 0;
	struct session s;
	int result;

	if (facts == NULL)
		return CLI_FAILED;
	result = surgery_open(&s, cli, false);
	if (result == 0)
		result = session_open_provider(&s);
	if (result == 0) {
		showing.schemas = s.provider->ops->schemas(s.provider);
		result = show_all(&s, &showing);
	}
	if (result == 0)
		result = approve(cli, showing.shown, given->auto_approve);
	if (result == 0)
		result = apply_state_forget(s.state, words, count, facts, &forgotten, &cli->diag);
	if (result == 0)
		surgery_done(&s);
	session_close(&s);
	if (result < 0)
		return CLI_FAILED;
	surgery_count(&text, forgotten);
	printf("Forgot %s. AWS is as it was: what is there is nobody's now. To take one back: muster state import "
	       "ADDRESS ID, as they stand above\n",
	       buf_str(&text));
	return CLI_DONE;
}

const struct command command_state_rm = {
    .name = "state rm",
    .words = "GLOB...",
    .words_min = 1,
    .words_max = 1000,
    .summary = "forget recorded resources, and leave them in AWS",
    .details = "GLOB is compared with the whole address: 'old-account/*' for all of an account that was closed. What\n"
	       "the specs still want is found again by the next plan, which asks to adopt or import it. What an apply\n"
	       "that was cut off left open goes along where the next apply could not look it up.",
    .options = rm_options,
    .arguments_size = sizeof(struct rm_arguments),
    .run = state_rm,
};
