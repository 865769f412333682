/* muster state mv */
#include <stdio.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/surgery.h"
#include "cli/words.h"

/* {name: id} of accounts.json, as far as it can be read: what mends a state should not depend on specs that are whole.
 */
static json_t *read_roster(const struct cli *cli)
{
	mem_auto_str char *path = mem_printf("%s/accounts.json", cli->directory);
	struct diag ignored = DIAG_INIT;
	struct json_doc *doc = NULL;
	json_t *roster = json_object(), *account;
	size_t i;

	if (json_doc_load(&doc, path, NULL, &ignored) == 0) {
		json_array_foreach(json_object_get(doc->root, "Accounts"), i, account)
		{
			const char *name = json_get_string(account, "Name"), *id = json_get_string(account, "Id");

			if (name != NULL && id != NULL)
				json_object_set_new(roster, name, json_string(id));
		}
	}
	json_doc_free(doc);
	diag_free(&ignored);
	return roster;
}

static int state_mv(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	buf_auto struct buf text = BUF_INIT;
	json_auto_t *facts = surgery_facts(cli), *roster = read_roster(cli);
	buf_auto struct buf line = BUF_INIT;
	size_t moved = 0;
	struct session s;
	int result;

	(void)arguments;
	(void)count;
	if (facts == NULL)
		return CLI_FAILED;
	result = surgery_open(&s, cli, false);
	if (result == 0)
		result = apply_state_move(s.state, words[0], words[1], roster, facts, &moved, &cli->diag);
	if (result == 0)
		surgery_done(&s);
	session_close(&s);
	if (result < 0)
		return CLI_FAILED;
	surgery_count(&text, moved);
	buf_addf(&line, "Moved %s from %s to %s. AWS is as it was; names that muster made stay.", buf_str(&text),
		 words[0], words[1]);
	buf_clear(&text);
	words_plain(&text, buf_str(&line));
	puts(buf_str(&text));
	return CLI_DONE;
}

const struct command command_state_mv = {
    .name = "state mv",
    .words = "FROM TO",
    .words_min = 2,
    .words_max = 2,
    .summary = "give recorded resources another address",
    .details = "FROM and TO are addresses, ACCOUNT/REGION/STACK/LogicalId, or both the first one, two or three parts\n"
	       "of one: everything under FROM moves. For a logical id in every target, and for an account that got\n"
	       "another name, the specs are the better place: Moved in the stack, Name in accounts.json.",
    .run = state_mv,
};
