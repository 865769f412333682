/* What the manual says of all commands. See manual.h. */
#include "cli/manual.h"

const char manual_description[] =
    "muster plans and applies one set of JSON specs to every account and every region of an AWS fleet, without AWS "
    "Organizations and without the CloudFormation service. A spec directory holds settings (muster.json), a roster of "
    "accounts (accounts.json) and stacks (stacks/NAME.json), which are CloudFormation templates with the accounts and "
    "regions that they go to.\n\n"
    "A plan is what apply would do. It can be saved, reviewed, signed and applied as it stands. What was applied is in "
    "the state, with its history, so that anything can be shown, compared and rolled back.";

const struct manual_entry manual_statuses[] = {
    {"0", "Done. Also when there was nothing to do."},
    {"1",
     "Failed, refused, or used wrongly; messages on stderr say why. Of an apply: something failed, was skipped, not "
     "started or could not be reached. Of plan --detailed-exitcode: nothing is to change, but part of the fleet could "
     "not "
     "be seen."},
    {"2", "There are changes (plan and rollback with --detailed-exitcode, drift)."},
    {NULL, NULL},
};

const struct manual_entry manual_environment[] = {
    {"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "Base credentials, before any profile."},
    {"AWS_PROFILE", "The profile of the configuration files that base credentials come from."},
    {"AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "Where these files are, instead of ~/.aws."},
    {"AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME", "Base credentials by web identity, for CI."},
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
     "Base credentials of a container. AWS_CONTAINER_AUTHORIZATION_TOKEN and its _FILE authorize."},
    {"AWS_EC2_METADATA_DISABLED", "true: the metadata of an instance is not asked for base credentials."},
    {"AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>",
     "Where calls go instead of AWS. "
     "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true takes no notice of them."},
    {"AWS_USE_FIPS_ENDPOINT", "true: the endpoints for FIPS 140."},
    {"AWS_CA_BUNDLE", "Certificates to trust instead of the system's."},
    {"AWS_MAX_ATTEMPTS", "How often a call is made at most."},
    {"HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies, as curl has them."},
    {"MUSTER_STATE_PATH",
     "Where the state is, before State.Path of muster.json; a relative path starts at the spec directory."},
    {"MUSTER_TYPES_PATH", "Directories, parted by colons, that more resource types are read from."},
    {"MUSTER_KEY_PASSPHRASE", "The passphrase of the key that approve signs with."},
    {"MUSTER_DEBUG_HTTP", "1: calls and what came of them are told on stderr, without credentials."},
    {"NO_COLOR", "Not empty: no colours."},
    {"COLUMNS", "How wide output is, where there is no terminal to ask."},
    {NULL, NULL},
};

const struct manual_entry manual_files[] = {
    {"muster.json", "Settings: home region, access, approval, limits."},
    {"accounts.json", "The roster of accounts."},
    {"stacks/NAME.json", "One stack a file; NAME is the stack's name."},
    {"files/", "What stacks refer to."},
    {".muster/",
     "The state, unless MUSTER_STATE_PATH or State.Path in muster.json says otherwise. It keeps itself out of git."},
    {"~/.aws/config, ~/.aws/credentials", "Profiles, as AWS's tools have them."},
    {NULL, NULL},
};

const struct manual_entry manual_examples[] = {
    {"muster init --home-region eu-west-1", "Make a spec directory here."},
    {"muster plan --out plan.json", "Make a plan and save it."},
    {"muster show plan.json --format html > plan.html", "Look at it in a browser."},
    {"muster approve plan.json --key ~/.ssh/id_ed25519", "Sign it."},
    {"muster apply plan.json", "Do what it says, and nothing else."},
    {"muster plan --only 'app-*/eu-west-1/detection/*'", "Plan some addresses only."},
    {"muster log --limit 3", "What was applied last."},
    {"muster rollback 41 --out back.json", "A plan back to what generation 41 applied."},
    {"muster types --schema > stack.schema.json", "A JSON Schema for editors."},
    {NULL, NULL},
};

void manual_argument(struct buf *out, const struct option *option)
{
	if (option->kind == OPTION_FLAG)
		return;
	if (option->kind != OPTION_CHOICE) {
		buf_adds(out, option->argument);
		return;
	}
	for (const char *const *choice = option->choices; *choice != NULL; choice++)
		buf_addf(out, "%s%s", choice == option->choices ? "" : "|", *choice);
}
