/* muster init */
#include <errno.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/words.h"

struct init_arguments {
	const char *region;
};

static const struct option init_options[] = {
    {"home-region", OPTION_TEXT, offsetof(struct init_arguments, region), "REGION",
     "the region of roles and of what exists once an account; one that every account has without opting in (default "
     "us-east-1)",
     NULL},
    {0},
};

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
	static const char ignored[] = "/.muster/\n/plan.json\n";
	mem_auto_str char *folder = mem_printf("%s/stacks", cli->directory);
	/* Who has stacks, say a copy of the baseline, wants no example that goes to every account. */
	bool has_stacks = access(folder, F_OK) == 0;

	if (make_folder(cli, cli->directory) < 0 || make_folder(cli, folder) < 0)
		return -1;
	if (scaffold(cli, "muster.json", settings) < 0 || scaffold(cli, "accounts.json", roster) < 0 ||
	    scaffold(cli, ".gitignore", ignored) < 0 || (!has_stacks && scaffold(cli, "stacks/first.json", stack) < 0))
		return -1;
	return make_repository(cli);
}

/* As the specs are checked: roles are assumed there, so every account must have it. */
static int check_region(struct cli *cli, const char *region)
{
	const char *const *regions = specs_default_regions(specs_partition_of(region)), *nearest;
	size_t count = 0;

	for (; regions[count] != NULL; count++)
		if (strcmp(regions[count], region) == 0)
			return 0;
	/* Of some partitions nothing is known. */
	if (count == 0)
		return 0;
	nearest = text_nearest(region, regions, count);
	return diag_error(
	    &cli->diag, "--home-region: \"%s\" is no region that every account has without opting in%s%s%s", region,
	    nearest == NULL ? "" : " (did you mean \"", nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?)");
}

/* A region that is asked for and not taken must not look as if it were. */
static int check_settings(struct cli *cli, const char *region, const char *home)
{
	mem_auto_str char *path = mem_printf("%s/muster.json", cli->directory);
	struct stat facts;

	if (region == NULL || stat(path, &facts) != 0 || strcmp(region, home) == 0)
		return 0;
	return diag_error(&cli->diag, "%s is there already, with HomeRegion %s; change it there", path, home);
}

static int init_at(struct cli *cli, struct session *s, const char *region)
{
	if ((region != NULL && check_region(cli, region) < 0) || check_settings(cli, region, s->home_region) < 0)
		return -1;
	session_mint_lineage(s);
	return write_all(cli, region == NULL ? s->home_region : region, s->lineage);
}

static int init(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct init_arguments *given = arguments;
	buf_auto struct buf next = BUF_INIT;
	struct session s;
	int result;

	(void)words;
	(void)count;
	session_start(&s, cli);
	result = init_at(cli, &s, given->region);
	if (result == 0)
		printf("HomeRegion is %s\n", given->region == NULL ? s.home_region : given->region);
	session_close(&s);
	if (result < 0)
		return CLI_FAILED;
	words_muster(&next, cli->directory);
	printf("Next: put your accounts into accounts.json and their roles into muster.json, then: %s validate\n",
	       buf_str(&next));
	return CLI_DONE;
}

const struct command command_init = {
    .name = "init",
    .summary = "scaffold a spec directory, and a git repository where there is none",
    .options = init_options,
    .anywhere = true,
    .arguments_size = sizeof(struct init_arguments),
    .run = init,
};
