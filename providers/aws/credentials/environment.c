/* Credentials that stand somewhere in plain: environment variables, or a profile's own keys. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/credentials/credentials.h"

/* -- AWS_ACCESS_KEY_ID and friends --------------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

static void environment_fetch(struct aws_source *source)
{
	const char *id = variable("AWS_ACCESS_KEY_ID"), *secret = variable("AWS_SECRET_ACCESS_KEY");
	const char *expires = variable("AWS_CREDENTIAL_EXPIRATION"); /* of `aws configure export-credentials` */
	mem_auto_str char *identity = mem_printf("credentials from %s", source->name);
	struct aws_credentials found = {.access_key_id = (char *)id,
					.secret_access_key = (char *)secret,
					.session_token = (char *)variable("AWS_SESSION_TOKEN")};

	if (id == NULL)
		aws_source_none(source, "AWS_ACCESS_KEY_ID is not set");
	else if (secret == NULL)
		aws_source_fail(source, false, NULL, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
	else if (expires != NULL && text_time_parse(&found.expires_unix_ms, expires) < 0)
		aws_source_fail(source, false, NULL, "AWS_CREDENTIAL_EXPIRATION is not a time");
	else
		aws_source_finish(source, &(struct aws_fetch){.outcome = AWS_FETCH_FOUND,
							      .credentials = &found,
							      .identity = identity,
							      .final_ms = found.expires_unix_ms});
}

static void environment_free(struct aws_source *source)
{
	free(source);
}

struct aws_source *aws_source_environment(struct aws *aws)
{
	static const struct aws_source_ops ops = {environment_fetch, environment_free, NULL};
	struct aws_source *source = mem_alloc(sizeof *source);

	aws_source_init(source, &ops, aws, "environment variables");
	return source;
}

/* -- Known from the start ------------------------------------------------------------------------------------------ */

struct plain_source {
	struct aws_source head;
	struct aws_credentials credentials;
};

static void plain_fetch(struct aws_source *source)
{
	aws_source_found(source, &((struct plain_source *)source)->credentials);
}

static void plain_free(struct aws_source *source)
{
	aws_credentials_clear(&((struct plain_source *)source)->credentials);
	free(source);
}

struct aws_source *aws_source_static(struct aws *aws, const char *name, const struct aws_credentials *credentials)
{
	static const struct aws_source_ops ops = {plain_fetch, plain_free, NULL};
	struct plain_source *source = mem_alloc(sizeof *source);

	aws_source_init(&source->head, &ops, aws, "%s", name);
	aws_credentials_copy(&source->credentials, credentials);
	return &source->head;
}
