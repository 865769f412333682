/* muster access */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

struct access_arguments {
	bool json, reads;
};

static const struct option access_options[] = {
    {"plan-role", OPTION_FLAG, offsetof(struct access_arguments, reads), NULL,
     "enter by PlanChain and PlanRole, as plan does", NULL},
    {"json", OPTION_FLAG, offsetof(struct access_arguments, json), NULL, "JSON for programs", NULL},
    {0},
};

/* One account being entered: first as whom, then which regions it has. */
struct entry {
	const struct specs_account *account;
	struct session *session;
	struct provider_target target;
	char *identity, *error;
	size_t regions;
};

static void regions_known(void *payload, const struct provider_result *result, const char *const *regions)
{
	struct entry *entry = payload;

	if (result->outcome != PROVIDER_DONE) {
		entry->error = mem_printf("%s: %s", result->code == NULL ? "failed" : result->code,
					  result->message == NULL ? "no reason given" : result->message);
		return;
	}
	while (regions[entry->regions] != NULL)
		entry->regions++;
}

static void entered(void *payload, const struct provider_result *result, const char *identity)
{
	struct entry *entry = payload;
	struct provider *provider = entry->session->provider;

	if (result->outcome != PROVIDER_DONE) {
		entry->error = mem_printf("%s: %s", result->code == NULL ? "failed" : result->code,
					  result->message == NULL ? "no reason given" : result->message);
		return;
	}
	entry->identity = mem_strdup(identity);
	provider->ops->regions(provider, entry->target.account, regions_known, entry);
}

/* Starts on the way in; what is wrong with one account's Access is its own failure. */
static void enter(struct entry *entry)
{
	struct provider *provider = entry->session->provider;
	struct diag d = DIAG_INIT;

	if (provider->ops->account_add(provider, entry->account->name, entry->account->id, entry->account->access,
				       &entry->target.account, &d) < 0)
		entry->error = mem_strdup(diag_first_error(&d));
	else
		provider->ops->access(provider, &entry->target, entered, entry);
	diag_free(&d);
}

static void enter_all(struct session *s, struct entry *entries, bool reads)
{
	for (size_t i = 0; i < s->specs->account_count; i++) {
		struct entry *entry = &entries[i];

		entry->account = &s->specs->accounts[i];
		entry->session = s;
		entry->target.region = s->home_region;
		entry->target.access = reads ? PROVIDER_READS : PROVIDER_WRITES;
		enter(entry);
	}
	loop_run(s->loop);
}

static void print_entry(const struct entry *entry, json_t *list)
{
	if (list != NULL) {
		json_array_append_new(list, json_pack("{s:s, s:s, s:s*, s:i, s:s*}", "account", entry->account->name,
						      "id", entry->account->id, "identity", entry->identity, "regions",
						      (int)entry->regions, "error", entry->error));
		return;
	}
	if (entry->error != NULL)
		printf("%-20s %s  FAILED  %s\n", entry->account->name, entry->account->id, entry->error);
	else
		printf("%-20s %s  ok  %s, %zu regions\n", entry->account->name, entry->account->id, entry->identity,
		       entry->regions);
}

static int report(struct session *s, struct entry *entries, bool json)
{
	json_auto_t *list = json ? json_array() : NULL;
	size_t failed = 0;

	for (size_t i = 0; i < s->specs->account_count; i++) {
		print_entry(&entries[i], list);
		failed += entries[i].error != NULL;
	}
	if (json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	if (failed > 0)
		diag_error(&s->cli->diag, "%zu of %zu accounts cannot be entered", failed, s->specs->account_count);
	return failed > 0 ? CLI_FAILED : CLI_DONE;
}

/* The roster alone: whether accounts can be entered is asked long before any stack is right. */
static int load_roster(struct session *s)
{
	const struct specs_options options = {.roster_only = true};
	const struct schema_set *schemas = s->provider->ops->schemas(s->provider);
	struct diag *d = &s->cli->diag;

	if (specs_source_directory(&s->source, s->cli->directory, d) < 0)
		return -1;
	s->source_open = true;
	if (specs_load(&s->specs, &s->source, schemas, &options, d) < 0)
		return -1;
	if (s->specs->account_count == 0)
		diag_warning(d, "accounts.json lists no accounts");
	return 0;
}

static int access_run(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct access_arguments *given = arguments;
	struct entry *entries = NULL;
	int status = CLI_FAILED;
	size_t accounts = 0;
	struct session s;

	(void)words;
	(void)count;
	session_start(&s, cli);
	if (session_open_provider(&s) == 0 && load_roster(&s) == 0) {
		accounts = s.specs->account_count;
		entries = mem_array(accounts, sizeof *entries);
		enter_all(&s, entries, given->reads);
		status = report(&s, entries, given->json);
	}
	session_close(&s);
	for (size_t i = 0; i < accounts; i++) {
		free(entries[i].identity);
		free(entries[i].error);
	}
	free(entries);
	return status;
}

const struct command command_access = {
    .name = "access",
    .summary = "enter every account, and say where that fails and why",
    .options = access_options,
    .arguments_size = sizeof(struct access_arguments),
    .run = access_run,
};
