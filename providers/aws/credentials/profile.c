/* A profile of the shared files: which of the other sources its settings call for. Roles on top of other profiles
 * become a session for each step, so a chain of any depth is just sources behind sources. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/transport.h"

/* The profiles on the way here, for finding loops. */
struct trail {
	const struct trail *up;
	const char *name;
};

struct profile_source {
	struct aws_source head;
	char *name;
	bool must_exist;
	struct aws_source *inner; /* made at the first fetch */
};

/* 1 and a source, 0 when the profile has no credentials, -1 with a message. */
static int profile_build(struct aws_source **out, struct aws *aws, const struct trail *at, struct diag *d);

static const char *get(struct aws *aws, const char *profile, const char *key)
{
	return aws_config_get(aws_config(aws, NULL), "profile", profile, key);
}

/* -- What a profile may be ----------------------------------------------------------------------------------------- */

static int build_keys(struct aws_source **out, struct aws *aws, const char *name)
{
	const struct aws_credentials keys = {.access_key_id = (char *)get(aws, name, "aws_access_key_id"),
					     .secret_access_key = (char *)get(aws, name, "aws_secret_access_key"),
					     .session_token = (char *)get(aws, name, "aws_session_token")};
	mem_auto_str char *shown = mem_printf("profile \"%s\"", name);

	if (keys.access_key_id == NULL || keys.secret_access_key == NULL)
		return 0;
	*out = aws_source_static(aws, shown, &keys);
	return 1;
}

static int build_process(struct aws_source **out, struct aws *aws, const char *name)
{
	const char *command = get(aws, name, "credential_process");

	if (command == NULL)
		return 0;
	*out = aws_source_process(aws, name, command);
	return 1;
}

static int build_web_identity(struct aws_source **out, struct aws *aws, const char *name)
{
	const char *file = get(aws, name, "web_identity_token_file"), *role = get(aws, name, "role_arn");
	mem_auto_str char *shown = mem_printf("profile \"%s\"", name);

	if (file == NULL || role == NULL)
		return 0;
	*out = aws_source_web_identity(aws, shown, role, file, get(aws, name, "role_session_name"));
	return 1;
}

static int build_sso(struct aws_source **out, struct aws *aws, const char *name, struct diag *d)
{
	const struct aws_config *config = aws_config(aws, NULL);
	struct aws_sso sso = {.session = get(aws, name, "sso_session"),
			      .start_url = get(aws, name, "sso_start_url"),
			      .region = get(aws, name, "sso_region"),
			      .account_id = get(aws, name, "sso_account_id"),
			      .role_name = get(aws, name, "sso_role_name")};

	if (sso.session == NULL && sso.start_url == NULL)
		return 0;
	if (sso.session != NULL) {
		if (!aws_config_has(config, "sso-session", sso.session))
			return diag_error(d, "profile \"%s\": there is no [sso-session %s] in %s", name, sso.session,
					  aws_config_paths(config));
		sso.start_url = aws_config_get(config, "sso-session", sso.session, "sso_start_url");
		sso.region = aws_config_get(config, "sso-session", sso.session, "sso_region");
	}
	if (sso.start_url == NULL || sso.region == NULL || sso.account_id == NULL || sso.role_name == NULL)
		return diag_error(
		    d, "profile \"%s\": SSO needs sso_start_url, sso_region, sso_account_id, sso_role_name", name);
	*out = aws_source_sso(aws, name, &sso);
	return 1;
}

static int build_named_source(struct aws_source **out, struct aws *aws, const char *name, const char *from,
			      struct diag *d)
{
	if (strcmp(from, "Environment") == 0)
		*out = aws_source_environment(aws);
	else if (strcmp(from, "Ec2InstanceMetadata") == 0)
		*out = aws_source_instance(aws);
	else if (strcmp(from, "EcsContainer") == 0)
		*out = aws_source_container(aws);
	else
		return diag_error(d,
				  "profile \"%s\": credential_source is \"%s\"; it can be Environment, "
				  "Ec2InstanceMetadata or EcsContainer",
				  name, from);
	return 1;
}

/* -- Roles --------------------------------------------------------------------------------------------------------- */

/* Where the role's caller gets credentials. */
static int build_parent(struct aws_source **out, struct aws *aws, const struct trail *at, struct diag *d)
{
	const char *from = get(aws, at->name, "source_profile"), *named = get(aws, at->name, "credential_source");
	const struct trail next = {at, from};
	int found;

	if (from != NULL && named != NULL)
		return diag_error(d, "profile \"%s\" has both source_profile and credential_source", at->name);
	if (named != NULL)
		return build_named_source(out, aws, at->name, named, d);
	if (from == NULL)
		return diag_error(d,
				  "profile \"%s\": role_arn needs source_profile, credential_source or "
				  "web_identity_token_file",
				  at->name);
	/* A profile may name itself: then its own keys call AssumeRole. Keys win over a role in any source profile. */
	found = build_keys(out, aws, from);
	if (found != 0)
		return found;
	for (const struct trail *t = at; t != NULL; t = t->up) {
		if (strcmp(t->name, from) == 0)
			return diag_error(d, "profile \"%s\": its source_profile leads back to \"%s\"", at->name, from);
	}
	if (!aws_config_has(aws_config(aws, NULL), "profile", from))
		return diag_error(d, "profile \"%s\": its source_profile \"%s\" does not exist", at->name, from);
	found = profile_build(out, aws, &next, d);
	if (found == 0)
		return diag_error(d, "profile \"%s\": its source_profile \"%s\" has no credentials", at->name, from);
	return found;
}

static int role_duration(int *out, struct aws *aws, const char *name, struct diag *d)
{
	const char *set = get(aws, name, "duration_seconds");
	char *end = NULL;
	long seconds = set == NULL ? 0 : strtol(set, &end, 10);

	if (set != NULL && (*end != '\0' || seconds < 900 || seconds > 43200))
		return diag_error(d, "profile \"%s\": duration_seconds must be 900 to 43200", name);
	*out = (int)seconds;
	return 0;
}

static int build_role(struct aws_source **out, struct aws *aws, const struct trail *at, struct diag *d)
{
	mem_auto_str char *shown = mem_printf("profile \"%s\"", at->name);
	struct aws_role role = {.arn = get(aws, at->name, "role_arn"),
				.session_name = get(aws, at->name, "role_session_name"),
				.external_id = get(aws, at->name, "external_id"),
				.mfa_serial = get(aws, at->name, "mfa_serial"),
				.for_whom = shown};
	struct aws_source *parent = NULL;

	if (role.arn == NULL)
		return 0;
	if (role_duration(&role.duration_s, aws, at->name, d) < 0 || build_parent(&parent, aws, at, d) < 0)
		return -1;
	*out = aws_source_role(aws, aws_session_new(aws, parent), true, &role);
	return 1;
}

static int profile_build(struct aws_source **out, struct aws *aws, const struct trail *at, struct diag *d)
{
	int found = build_web_identity(out, aws, at->name);

	if (found == 0)
		found = build_role(out, aws, at, d);
	if (found == 0)
		found = build_sso(out, aws, at->name, d);
	if (found == 0)
		found = build_keys(out, aws, at->name);
	if (found == 0)
		found = build_process(out, aws, at->name);
	return found;
}

/* -- The source ---------------------------------------------------------------------------------------------------- */

static void on_inner(void *payload, const struct aws_fetch *fetch)
{
	struct profile_source *s = payload;

	aws_source_finish(&s->head, fetch);
}

static void profile_fetch(struct aws_source *source)
{
	struct profile_source *s = (struct profile_source *)source;
	const struct trail at = {NULL, s->name};
	struct diag d = DIAG_INIT;
	const struct aws_config *config = aws_config(source->aws, &d);

	if (config == NULL)
		aws_source_fail(source, false, NULL, "%s", diag_first_error(&d));
	else if (!aws_config_has(config, "profile", s->name) && s->must_exist)
		aws_source_fail(source, false, NULL, "not found in %s", aws_config_paths(config));
	else if (s->inner == NULL && profile_build(&s->inner, source->aws, &at, &d) < 0)
		aws_source_finish(source, &(struct aws_fetch){.outcome = AWS_FETCH_FAILED,
							      .code = "CredentialsUnavailable",
							      .message = diag_first_error(&d)});
	else if (s->inner == NULL)
		aws_source_none(source, "no credentials in %s", aws_config_paths(config));
	else
		aws_source_fetch(s->inner, on_inner, s);
	diag_free(&d);
}

static void profile_cancel(struct aws_source *source)
{
	aws_source_cancel(((struct profile_source *)source)->inner);
}

static void profile_free(struct aws_source *source)
{
	struct profile_source *s = (struct profile_source *)source;

	aws_source_free(s->inner);
	free(s->name);
	free(s);
}

struct aws_source *aws_source_profile(struct aws *aws, const char *name)
{
	static const struct aws_source_ops ops = {profile_fetch, profile_free, profile_cancel};
	struct profile_source *s = mem_alloc(sizeof *s);
	const char *shown = name == NULL ? aws_config_profile() : name;

	aws_source_init(&s->head, &ops, aws, "profile \"%s\"", shown);
	s->name = mem_strdup(shown);
	s->must_exist = name != NULL || strcmp(shown, "default") != 0;
	return &s->head;
}
