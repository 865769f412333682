/* Replacing residual expressions by values, once attributes and secrets are known. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

struct resolution {
	const struct specs_values *values;
	struct diag *d;
};

static json_t *resolve(const struct resolution *r, const json_t *value);

static json_t *resolve_members(const struct resolution *r, const json_t *value)
{
	json_t *out = json_is_object(value) ? json_object() : json_array(), *item, *done;
	const char *key;
	size_t i;

	json_array_foreach((json_t *)value, i, item)
	{
		done = resolve(r, item);
		if (done == NULL)
			goto failed;
		json_array_append_new(out, done);
	}
	json_object_foreach((json_t *)value, key, item)
	{
		done = resolve(r, item);
		if (done == NULL)
			goto failed;
		json_object_set_new(out, key, done);
	}
	return out;
failed:
	json_decref(out);
	return NULL;
}

/* A function whose arguments are values now. */
static json_t *refold(const struct resolution *r, const char *function, const json_t *argument)
{
	const json_t *first = json_array_get(argument, 0), *second = json_array_get(argument, 1);
	char *error = NULL;
	json_t *out = NULL;

	if (strcmp(function, "Fn::Join") == 0 && json_is_string(first))
		out = specs_fold_join(json_string_value(first), second, &error);
	else if (strcmp(function, "Fn::Split") == 0 && json_is_string(first))
		out = specs_fold_split(json_string_value(first), second, &error);
	else if (strcmp(function, "Fn::Select") == 0)
		out = specs_fold_select(first, second, &error);
	else if (strcmp(function, "Fn::Base64") == 0)
		out = specs_fold_base64(argument, &error);
	else if (strcmp(function, "Fn::ToJsonString") == 0)
		out = specs_fold_tojson(argument, &error);
	else
		out = specs_fold_length(argument, &error);
	if (out == NULL)
		diag_error(r->d, "%s: %s", function, error != NULL ? error : "wrong arguments");
	free(error);
	return out;
}

static json_t *resolve_residual(const struct resolution *r, const json_t *value)
{
	const char *function = json_object_iter_key(json_object_iter((json_t *)value)), *address, *attribute;
	const json_t *argument = json_object_get(value, function);
	json_t *done, *out;

	if (specs_attribute_of(value, &address, &attribute) != NULL) {
		out = r->values->attribute(r->values->payload, address, attribute, r->d);
		return out;
	}
	if (specs_secret_is(value)) {
		const char *hmac = json_get_string(argument, "Hmac");

		return r->values->secret(r->values->payload, json_object_get(argument, "Source"), hmac ? hmac : "",
					 r->d);
	}
	done = resolve(r, argument);
	if (done == NULL)
		return NULL;
	out = refold(r, function, done);
	json_decref(done);
	return out;
}

static json_t *resolve(const struct resolution *r, const json_t *value)
{
	if (!specs_has_residual(value))
		return json_incref((json_t *)value);
	return specs_is_residual(value) ? resolve_residual(r, value) : resolve_members(r, value);
}

int specs_resolve(json_t **out, const json_t *value, const struct specs_values *values, struct diag *d)
{
	struct resolution r = {values, d};

	*out = resolve(&r, value);
	return *out != NULL ? 0 : -1;
}
