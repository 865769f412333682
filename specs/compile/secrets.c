/* Secrets (rule 7): a value that may not be shown is replaced, as soon as it is read, by where it comes from and a
 * keyed hash that tells whether it is still the same. */
#include "specs/compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX_BYTES (64u << 10)

json_t *specs_secret_new(const struct specs *specs, const json_t *source, const char *text)
{
	const struct specs_options *options = &specs->private->options;
	uint8_t digest[32];
	char hex[65] = "";

	if (text != NULL && options->secret_key != NULL) {
		text_hmac_sha256(digest, options->secret_key, options->secret_key_len, text, strlen(text));
		text_hex(hex, digest, sizeof digest);
	}
	return json_pack("{s{sOss}}", "Muster::Secret", "Source", source, "Hmac", hex);
}

/* An absolute path is read as it is: secrets are kept out of git, often outside the directory. */
static int secret_file_read(const struct specs *specs, const char *path, struct buf *out, struct diag *d)
{
	const struct specs_source *source = specs->private->source;
	char *text = NULL;
	size_t len = 0;
	int result;

	if (path[0] == '/') {
		result = text_file_read(out, path, SECRET_MAX_BYTES);
		if (result == -ENOENT || result == 0)
			return result;
		return diag_error(d, "%s: %s", path,
				  result == -EFBIG ? "too large for a parameter's value" : strerror(-result));
	}
	result =
	    (source->read_secret != NULL ? source->read_secret : source->read)(source->payload, path, &text, &len, d);
	if (result != 0)
		return result;
	if (len <= SECRET_MAX_BYTES)
		buf_add(out, text, len);
	else
		result = diag_error(d, "%s: too large for a parameter's value", path);
	mem_wipe(text, len);
	free(text);
	return result;
}

int specs_secret_source_read(const struct specs *specs, const json_t *source, char **out, struct diag *d)
{
	const char *name = json_get_string(source, "Env"), *path = json_get_string(source, "File");
	struct buf text = BUF_INIT;
	int result;

	*out = NULL;
	if (name != NULL) {
		const char *value = getenv(name);

		*out = mem_strdup(value);
		return value != NULL ? 0 : -ENOENT;
	}
	if (path == NULL)
		return diag_error(d, "a secret's source names neither a variable (\"Env\") nor a file (\"File\")");
	result = secret_file_read(specs, path, &text, d);
	if (result == 0 && memchr(buf_str(&text), '\0', text.len) != NULL)
		result = diag_error(d, "%s: holds a NUL byte", path);
	/* Editors and `echo` end a file with a newline that is not meant. */
	if (result == 0 && text.len > 0 && text.data[text.len - 1] == '\n')
		buf_truncate(&text, text.len - 1);
	if (result == 0)
		*out = buf_detach(&text);
	else if (text.data != NULL)
		mem_wipe(text.data, text.len);
	buf_free(&text);
	return result;
}

/* The value that was given for a parameter in the place that the source tells. */
static const json_t *given_value(const struct specs *specs, const json_t *source)
{
	const char *name = json_get_string(source, "Parameter"), *account = json_get_string(source, "Account");
	const char *stack_name = json_get_string(source, "Stack");
	const struct specs_account *found = account != NULL ? specs_account_find(specs, account) : NULL;
	const struct stack *stack =
	    stack_name != NULL ? specs_table_get(&specs->private->stacks_by_name, stack_name) : NULL;

	if (account != NULL)
		return found != NULL ? json_object_get(found->parameters, name) : NULL;
	if (stack != NULL)
		return json_object_get(json_object_get(json_object_get(stack->doc->root, "Parameters"), name),
				       "Default");
	return json_object_get(json_object_get(specs->settings.document, "Parameters"), name);
}

int specs_secret_read(char **out, const struct specs *specs, const json_t *source, struct diag *d)
{
	const struct specs_options *options = &specs->private->options;
	const char *name = json_get_string(source, "Parameter");
	buf_auto struct buf text = BUF_INIT;
	const json_t *value;
	int result;

	*out = NULL;
	if (name == NULL) {
		result = specs_secret_source_read(specs, source, out, d);
		if (result == -ENOENT && json_get_string(source, "Env") != NULL)
			return diag_error(d, "the environment variable \"%s\", from which a secret comes, is not set",
					  json_get_string(source, "Env"));
		if (result == -ENOENT)
			return diag_error(d, "the file \"%s\", from which a secret comes, is not there",
					  json_get_string(source, "File"));
		return result;
	}
	if (json_get_string(source, "Account") == NULL && json_get_string(source, "Stack") == NULL)
		for (size_t i = options->parameter_count; i > 0; i--)
			if (strcmp(options->parameters[i - 1].name, name) == 0) {
				*out = mem_strdup(options->parameters[i - 1].value);
				return 0;
			}
	value = given_value(specs, source);
	if (value == NULL || !specs_scalar_text(&text, value))
		return diag_error(d, "the secret parameter \"%s\" is not given: use --parameter %s=…", name, name);
	*out = buf_detach(&text);
	return 0;
}

bool specs_parameter_is_secret(const struct specs *specs, const char *name)
{
	for (size_t i = 0; i < specs->private->stack_count; i++) {
		const struct stack *stack = specs->private->stacks[i];

		for (size_t k = 0; k < stack->parameter_count; k++)
			if (stack->parameters[k].no_echo && strcmp(stack->parameters[k].name, name) == 0)
				return true;
	}
	return false;
}
