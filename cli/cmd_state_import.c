/* muster state import: a live resource, or a whole export */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/apply.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/surgery.h"

#define EXPORT_MAX_BYTES ((size_t)1 << 30)

struct import_arguments {
	struct option_list parameters;
};

static const struct option import_options[] = {
    {"parameter", OPTION_LIST, offsetof(struct import_arguments, parameters), "NAME=VALUE",
     "give a parameter of the stacks a value", NULL},
    {0},
};

/* -- One resource ---------------------------------------------------------------------------------------------------
 */

static int check_address(struct session *s, const char *address)
{
	struct state_txn *txn;
	struct state_record record;
	int found;

	/* A pattern would be taken for one by the plan. */
	if (strpbrk(address, "*?[") != NULL)
		return diag_error(&s->cli->diag, "\"%s\" is no address of one resource", address);
	if (state_begin(&txn, s->state, false, &s->cli->diag) < 0)
		return -1;
	found = state_record_get(txn, address, &record, &s->cli->diag);
	state_abort(txn);
	if (found == 1)
		diag_error(&s->cli->diag,
			   "%s is recorded already; muster state show says how, and muster state rm forgets it",
			   address);
	return found == 0 ? 0 : -1;
}

/* What the specs want at the address: a create, since nothing is recorded there. */
static int plan_wanted(struct plan **out, struct session *s, const char *address)
{
	struct status status;
	struct plan_options options = {
	    .only = address,
	    .only_alone = true,
	    .lineage = s->lineage,
	    .lineage_minted = s->lineage_minted,
	    .parameters = session_parameters(s),
	    .progress = status_show,
	    .progress_payload = &status,
	};
	int result;

	status_start(&status, s->cli);
	result = plan_make(out, s->loop, s->provider, s->specs, s->state, &options, &s->cli->diag);
	status_end(&status);
	json_decref(options.parameters);
	return result;
}

static const struct plan_change *find_create(const struct plan *plan, const char *address, struct diag *d)
{
	for (size_t i = 0; i < plan->change_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if (strcmp(change->address, address) == 0 && change->action == PLAN_CREATE)
			return change;
		if (strcmp(change->address, address) == 0 && change->moved_from != NULL) {
			diag_error(d, "%s is recorded at %s, and the next apply moves it", address, change->moved_from);
			return NULL;
		}
	}
	for (size_t i = 0; i < plan->note_count; i++)
		if (plan->notes[i].subject != NULL && strcmp(plan->notes[i].subject, address) == 0) {
			diag_error(d, "%s cannot be imported: it %s", address, plan->notes[i].text);
			return NULL;
		}
	diag_error(d, "%s cannot be imported: the specs do not want it there, or its target cannot be reached",
		   address);
	return NULL;
}

/* A name that a replacement left to the spec, or that another address was given, is not the one that is made now. */
static void tell_name(struct session *s, const struct plan_change *change)
{
	const char *property = change->type != NULL ? change->type->name_property : NULL;
	const struct schema_member *member =
	    property != NULL ? schema_value_member(&change->type->properties, property) : NULL;
	const char *wanted = member != NULL && member->create_only ? json_get_string(change->after, property) : NULL;
	json_auto_t *body = NULL;
	struct state_record raw;
	struct state_txn *txn;
	const char *name;

	if (wanted == NULL || state_begin(&txn, s->state, false, &s->cli->diag) < 0)
		return;
	if (state_record_get(txn, change->address, &raw, &s->cli->diag) == 1)
		body = json_loadb(raw.text, raw.text_len, 0, NULL);
	state_abort(txn);
	name = json_get_string(json_object_get(body, "Properties"), property);
	if (name != NULL && strcmp(name, wanted) != 0)
		printf(
		    "Its %s is %s, and what the specs make at this address is %s: the next plan replaces it. To keep "
		    "it, give it that %s in its spec.\n",
		    property, name, wanted, property);
}

static int import_resource(struct session *s, const struct import_arguments *given, const char *address, const char *id)
{
	json_auto_t *facts = surgery_facts(s->cli);
	const struct plan_change *change = NULL;
	struct plan *plan = NULL;
	bool adopted = false;
	int result = facts == NULL ? -1 : check_address(s, address);

	if (result == 0)
		result = session_load_specs(s, &given->parameters);
	if (result == 0)
		result = plan_wanted(&plan, s, address);
	if (result == 0)
		change = find_create(plan, address, &s->cli->diag);
	if (change == NULL)
		result = -1;
	if (result == 0)
		result = apply_state_import(s->state, s->loop, s->provider, plan, change, id, facts, &adopted,
					    &s->cli->diag);
	if (result == 0) {
		surgery_done(s);
		printf("Imported %s (%s).\n", address, change->type_name);
		puts(adopted ? "It counts as adopted: nothing deletes it unless its spec says \"DeletionPolicy\": "
			       "\"Delete\"."
			     : "Its name is one that muster makes for this address, so it counts as made by muster.");
		if (adopted)
			tell_name(s, change);
		puts("muster plan shows what differs from the specs.");
	}
	plan_free(plan);
	return result;
}

/* -- A whole export -------------------------------------------------------------------------------------------------
 */

static int read_export(json_t **out, const char *path, struct diag *d)
{
	buf_auto struct buf text = BUF_INIT;
	json_error_t error;
	int rc = text_file_read(&text, path, EXPORT_MAX_BYTES);

	if (rc == -ENOENT && strchr(path, '/') != NULL)
		return diag_error(d, "%s: there is no such file; an ADDRESS is followed by the ID of what is there",
				  path);
	if (rc < 0)
		return diag_error(d, "%s: %s", path, rc == -EFBIG ? "too large" : strerror(-rc));
	*out = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, &error);
	mem_wipe(text.data, text.len);
	if (*out == NULL)
		return diag_error(d, "%s:%d:%d: %s", path, error.line, error.column, error.text);
	return 0;
}

/* Read before there is a state: a mistake should leave nothing behind. */
static int import_export(struct cli *cli, const char *path)
{
	json_auto_t *document = NULL, *facts = surgery_facts(cli);
	buf_auto struct buf text = BUF_INIT;
	const char *lineage;
	size_t count = 0;
	struct session s;
	int result;

	if (facts == NULL || read_export(&document, path, &cli->diag) < 0)
		return -1;
	session_start(&s, cli);
	lineage = json_get_string(document, "Lineage");
	if (s.lineage != NULL && lineage != NULL && strcmp(s.lineage, lineage) != 0)
		result = diag_error(&cli->diag,
				    "%s is of lineage %s, but muster.json says %s: it was exported from another fleet",
				    path, lineage, s.lineage);
	else
		result = session_open_state(&s, SESSION_STATE_WRITE);
	if (result == 0)
		result = apply_state_restore(s.state, document, facts, &count, &cli->diag);
	if (result == 0)
		surgery_done(&s);
	session_close(&s);
	if (result < 0)
		return -1;
	surgery_count(&text, count);
	printf("Imported %s. muster plan shows what differs from the specs and from AWS.\n", buf_str(&text));
	return 0;
}

/* -- The command ----------------------------------------------------------------------------------------------------
 */

static int state_import(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	struct session s;
	int result;

	if (count == 1)
		return import_export(cli, words[0]) < 0 ? CLI_FAILED : CLI_DONE;
	result = surgery_open(&s, cli, true);
	if (result == 0)
		result = session_open_provider(&s);
	if (result == 0)
		result = import_resource(&s, arguments, words[0], words[1]);
	session_close(&s);
	return result < 0 ? CLI_FAILED : CLI_DONE;
}

const struct command command_state_import = {
    .name = "state import",
    .words = "ADDRESS ID | FILE",
    .words_min = 1,
    .words_max = 2,
    .summary = "take a live resource, or a whole export, into the state",
    .details =
	"ADDRESS is a resource of the specs that is not recorded; ID is what AWS knows the live one by: what Ref\n"
	"gives, its ARN, or the parts of its identity with | between them (muster types TYPE). FILE is what\n"
	"muster state export wrote; the state must have no records then.",
    .options = import_options,
    .arguments_size = sizeof(struct import_arguments),
    .run = state_import,
};
