/* What all sources share: how a fetch starts and ends, and the document that several of them are answered with. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/transport.h"

/* -- Credentials --------------------------------------------------------------------------------------------------- */

void aws_credentials_copy(struct aws_credentials *out, const struct aws_credentials *from)
{
	out->access_key_id = mem_strdup(from->access_key_id);
	out->secret_access_key = mem_strdup(from->secret_access_key);
	out->session_token = mem_strdup(from->session_token);
	out->expires_unix_ms = from->expires_unix_ms;
}

static void secret_free(char *secret)
{
	if (secret != NULL)
		mem_wipe(secret, strlen(secret));
	free(secret);
}

void aws_credentials_clear(struct aws_credentials *credentials)
{
	free(credentials->access_key_id);
	secret_free(credentials->secret_access_key);
	secret_free(credentials->session_token);
	*credentials = (struct aws_credentials){0};
}

static int credentials_read(struct aws_credentials *out, const json_t *root, struct diag *d)
{
	const char *token = json_get_string(root, "Token"), *expires = json_get_string(root, "Expiration");
	struct aws_credentials found = {
	    .access_key_id = (char *)json_get_string(root, "AccessKeyId"),
	    .secret_access_key = (char *)json_get_string(root, "SecretAccessKey"),
	    .session_token = (char *)(token == NULL ? json_get_string(root, "SessionToken") : token),
	};

	if (found.access_key_id == NULL || found.secret_access_key == NULL)
		return diag_error(d, "the answer has no AccessKeyId and SecretAccessKey");
	if (expires != NULL && text_time_parse(&found.expires_unix_ms, expires) < 0)
		return diag_error(d, "the answer's Expiration is not a time");
	aws_credentials_copy(out, &found);
	return 0;
}

int aws_credentials_parse(struct aws_credentials *out, const char *text, size_t len, struct diag *d)
{
	json_auto_t *root = json_loadb(text, len, 0, NULL);

	if (!json_is_object(root))
		return diag_error(d, "the answer is not a JSON object");
	return credentials_read(out, root, d);
}

int aws_credentials_from_sts(struct aws_credentials *out, const json_t *output, struct diag *d)
{
	const json_t *credentials = json_object_get(output, "Credentials");

	if (!json_is_object(credentials))
		return diag_error(d, "the answer has no Credentials");
	return credentials_read(out, credentials, d);
}

/* -- A fetch ------------------------------------------------------------------------------------------------------- */

void aws_source_init(struct aws_source *source, const struct aws_source_ops *ops, struct aws *aws, const char *format,
		     ...)
{
	struct buf name = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&name, format, args);
	va_end(args);
	source->ops = ops;
	source->aws = aws;
	source->name = buf_detach(&name);
}

void aws_source_fetch(struct aws_source *source, aws_fetch_done *done, void *payload)
{
	source->done = done;
	source->payload = payload;
	source->ops->fetch(source);
}

void aws_source_finish(struct aws_source *source, const struct aws_fetch *fetch)
{
	aws_fetch_done *done = source->done;

	source->done = NULL;
	done(source->payload, fetch);
}

void aws_source_found(struct aws_source *source, const struct aws_credentials *credentials)
{
	mem_auto_str char *identity = mem_printf("credentials from %s", source->name);

	aws_source_finish(
	    source, &(struct aws_fetch){.outcome = AWS_FETCH_FOUND, .credentials = credentials, .identity = identity});
}

void aws_source_cancelled(struct aws_source *source)
{
	aws_source_finish(
	    source, &(struct aws_fetch){.outcome = AWS_FETCH_CANCELLED, .code = "Cancelled", .message = "cancelled"});
}

void aws_source_none(struct aws_source *source, const char *format, ...)
{
	buf_auto struct buf message = BUF_INIT;
	va_list args;

	buf_addf(&message, "%s: ", source->name);
	va_start(args, format);
	buf_vaddf(&message, format, args);
	va_end(args);
	aws_source_finish(source, &(struct aws_fetch){.outcome = AWS_FETCH_NONE, .message = buf_str(&message)});
}

void aws_source_fail(struct aws_source *source, bool transient, const char *code, const char *format, ...)
{
	buf_auto struct buf message = BUF_INIT;
	va_list args;

	buf_addf(&message, "%s: ", source->name);
	va_start(args, format);
	buf_vaddf(&message, format, args);
	va_end(args);
	aws_source_finish(source, &(struct aws_fetch){.outcome = AWS_FETCH_FAILED,
						      .code = code == NULL ? "CredentialsUnavailable" : code,
						      .message = buf_str(&message),
						      .transient = transient});
}

void aws_source_fail_call(struct aws_source *source, const char *what, const struct aws_api_result *result)
{
	bool said = result->message != NULL && result->message[0] != '\0';
	mem_auto_str char *message =
	    mem_printf("%s: %s: %s", source->name, what, said ? result->message : result->code);
	struct aws_fetch fetch = {.outcome = AWS_FETCH_FAILED,
				  .code = result->code,
				  .message = message,
				  .transient = aws_code_is_transient(result->code)};

	if (result->outcome == PROVIDER_CANCELLED)
		fetch.outcome = AWS_FETCH_CANCELLED;
	aws_source_finish(source, &fetch);
}

void aws_source_cancel(struct aws_source *source)
{
	if (source->done != NULL && source->ops->cancel != NULL)
		source->ops->cancel(source);
}

void aws_source_free(struct aws_source *source)
{
	char *name;

	if (source == NULL)
		return;
	name = source->name;
	source->ops->free(source);
	free(name);
}
