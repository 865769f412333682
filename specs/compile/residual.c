/* Residual expressions: what stands in a value for what is not known yet (see specs.h). Users cannot write them:
 * compiling takes every function of a template apart. */
#include "specs/compile/compile.h"

#include <string.h>

static const char *const residual_functions[] = {"Muster::Attribute", "Muster::Secret", "Fn::Join",
						 "Fn::Select",        "Fn::Split",      "Fn::Base64",
						 "Fn::ToJsonString",  "Fn::Length"};

static const char *residual_function(const json_t *value)
{
	const char *key;

	if (json_object_size(value) != 1)
		return NULL;
	key = json_object_iter_key(json_object_iter((json_t *)value));
	if (key[0] != 'F' && key[0] != 'M')
		return NULL;
	for (size_t i = 0; i < COUNT_OF(residual_functions); i++)
		if (strcmp(key, residual_functions[i]) == 0)
			return residual_functions[i];
	return NULL;
}

bool specs_is_residual(const json_t *value)
{
	return residual_function(value) != NULL;
}

bool specs_has_residual(const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_object(value)) {
		if (residual_function(value) != NULL)
			return true;
		json_object_foreach((json_t *)value, key, item) if (specs_has_residual(item)) return true;
	} else if (json_is_array(value)) {
		json_array_foreach((json_t *)value, i, item) if (specs_has_residual(item)) return true;
	}
	return false;
}

bool specs_has_unknown(const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_object(value)) {
		const char *function = residual_function(value);

		if (function != NULL && strcmp(function, "Muster::Attribute") == 0)
			return true;
		if (function != NULL && strcmp(function, "Muster::Secret") == 0)
			return false;
		json_object_foreach((json_t *)value, key, item) if (specs_has_unknown(item)) return true;
	} else if (json_is_array(value)) {
		json_array_foreach((json_t *)value, i, item) if (specs_has_unknown(item)) return true;
	}
	return false;
}

bool specs_secret_is(const json_t *value)
{
	return json_object_size(value) == 1 && json_object_get(value, "Muster::Secret") != NULL;
}

const json_t *specs_attribute_of(const json_t *value, const char **address, const char **attribute)
{
	const json_t *pair = json_object_size(value) == 1 ? json_object_get(value, "Muster::Attribute") : NULL;

	*address = json_string_value(json_array_get(pair, 0));
	*attribute = json_string_value(json_array_get(pair, 1));
	return *address != NULL && *attribute != NULL ? pair : NULL;
}
