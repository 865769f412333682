/* muster init */
#include <errno.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

struct init_arguments {
	const char *region;
};

static const struct option init_options[] = {
    {"home-region", OPTION_TEXT, offsetof(struct init_arguments, region), "REGION",
     "the region of roles and of what exists once an account", NULL},
    {0},
};

static void init_defaults(void *arguments)
{
	((struct init_arguments *)arguments)->region = "us-east-1";
}

static int make_folder(struct cli *cli, const char *path)
{
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return diag_error(&cli->diag, "%s cannot be made: %s", path, strerror(errno));
	return 0;
}

/* Writes a file that is not there yet; what is there stays as it is. */
static int scaffold(struct cli *cli, const char *name, const char *text)
{
	mem_auto_str char *path = mem_printf("%s/%s", cli->directory, name);
	struct stat facts;
	int result;

	if (stat(path, &facts) == 0) {
		printf("%s is there already and stays as it is\n", name);
		return 0;
	}
	result = text_file_write(path, text, strlen(text), 0666);
	if (result < 0)
		return diag_error(&cli->diag, "%s cannot be written: %s", path, strerror(-result));
	printf("wrote %s\n", name);
	return 0;
}

static int make_repository(struct cli *cli)
{
	git_repository *repository = NULL;
	struct state_git facts;
	int result;

	if (state_git_facts(&facts, cli->directory, &cli->diag) < 0)
		return -1;
	result = facts.repository;
	state_git_free(&facts);
	if (result)
		return 0;
	git_libgit2_init();
	result = git_repository_init(&repository, cli->directory, 0);
	if (result < 0)
		diag_error(&cli->diag, "no git repository could be made in %s: %s", cli->directory,
			   git_error_last() == NULL ? "no reason given" : git_error_last()->message);
	else
		printf("made a git repository\n");
	git_repository_free(repository);
	git_libgit2_shutdown();
	return result < 0 ? -1 : 0;
}

static int write_all(struct cli *cli, const char *region, const char *lineage)
{
	mem_auto_str char *settings = mem_printf("{\n"
						 "  \"Version\": 1,\n"
						 "  \"HomeRegion\": \"%s\",\n"
						 "  \"Access\": {\n"
						 "    \"Chain\": [\"arn:aws:iam::111111111111:role/security-admin\"],\n"
						 "    \"Role\": \"arn:aws:iam::${AccountId}:role/from-security\",\n"
						 "    \"SessionName\": \"muster\"\n"
						 "  },\n"
						 "  \"Lineage\": \"%s\",\n"
						 "  \"State\": { \"Backend\": \"local\", \"Path\": \".muster\" }\n"
						 "}\n",
						 region, lineage);
	static const char roster[] = "{ \"Accounts\": [\n"
				     "  { \"Name\": \"security\", \"Id\": \"111111111111\", \"Tags\": [\"security\"], "
				     "\"Access\": { \"Role\": null } }\n"
				     "] }\n";
	static const char stack[] =
	    "{\n"
	    "  \"Description\": \"A first stack: one topic in the home region of every account\",\n"
	    "  \"Targets\": { \"Accounts\": [\"*\"], \"Regions\": [\"home\"] },\n"
	    "  \"Resources\": {\n"
	    "    \"Topic\": { \"Type\": \"AWS::SNS::Topic\", \"Properties\": { \"DisplayName\": \"hello\" } }\n"
	    "  }\n"
	    "}\n";
	mem_auto_str char *folder = mem_printf("%s/stacks", cli->directory);

	if (make_folder(cli, cli->directory) < 0 || make_folder(cli, folder) < 0)
		return -1;
	if (scaffold(cli, "muster.json", settings) < 0 || scaffold(cli, "accounts.json", roster) < 0 ||
	    scaffold(cli, "stacks/first.json", stack) < 0)
		return -1;
	return make_repository(cli);
}

static int init(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct init_arguments *given = arguments;
	struct session s;
	int result;

	(void)words;
	(void)count;
	session_start(&s, cli);
	session_mint_lineage(&s);
	result = write_all(cli, given->region, s.lineage);
	session_close(&s);
	if (result < 0)
		return CLI_FAILED;
	printf("Next: put your accounts into accounts.json and their roles into muster.json, then: muster access\n");
	return CLI_DONE;
}

const struct command command_init = {
    .name = "init",
    .summary = "scaffold a spec directory, and a git repository where there is none",
    .options = init_options,
    .arguments_size = sizeof(struct init_arguments),
    .run = init,
    .defaults = init_defaults,
};
