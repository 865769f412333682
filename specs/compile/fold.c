/* The functions over values, without templates: what evaluation and specs_resolve() share. A function over something
 * unknown gives its residual expression, with what is known inside put together. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

bool specs_scalar_text(struct buf *out, const json_t *value)
{
	if (json_is_string(value)) {
		buf_add(out, json_string_value(value), json_string_length(value));
	} else if (json_is_integer(value)) {
		buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_real(value)) {
		buf_addf(out, "%.15g", json_real_value(value));
	} else if (json_is_boolean(value)) {
		buf_adds(out, json_is_true(value) ? "true" : "false");
	} else {
		return false;
	}
	return true;
}

static json_t *string_of(const struct buf *text)
{
	json_t *value = json_stringn(buf_str(text), text->len);

	return value != NULL ? value : json_string("");
}

static json_t *residual(const char *function, json_t *argument)
{
	json_t *value = json_object();

	json_object_set_new_nocheck(value, function, argument);
	return value;
}

static json_t *wrong(char **error, const char *what, const json_t *value)
{
	*error = mem_printf("%s, not %s", what, json_kind_name(value));
	return NULL;
}

/* Puts neighbours that are known together; leaves residuals in between. */
static json_t *join_partly(const char *delimiter, const json_t *list)
{
	json_t *parts = json_array(), *item;
	buf_auto struct buf run = BUF_INIT;
	bool open = false;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
	{
		if (specs_is_residual(item)) {
			if (open)
				json_array_append_new(parts, string_of(&run));
			json_array_append(parts, item);
			buf_clear(&run);
			open = false;
			continue;
		}
		if (open)
			buf_adds(&run, delimiter);
		specs_scalar_text(&run, item);
		open = true;
	}
	if (open)
		json_array_append_new(parts, string_of(&run));
	return parts;
}

json_t *specs_fold_join(const char *delimiter, const json_t *list, char **error)
{
	buf_auto struct buf text = BUF_INIT;
	bool unknown = false;
	json_t *item;
	size_t i;

	if (specs_is_residual(list))
		return residual("Fn::Join", json_pack("[sO]", delimiter, list));
	if (!json_is_array(list))
		return wrong(error, "needs a list to join", list);
	json_array_foreach((json_t *)list, i, item)
	{
		if (specs_is_residual(item)) {
			unknown = true;
			continue;
		}
		if (i > 0)
			buf_adds(&text, delimiter);
		if (!specs_scalar_text(&text, item))
			return wrong(error, "needs a list of strings", item);
	}
	if (unknown)
		return residual("Fn::Join", json_pack("[so]", delimiter, join_partly(delimiter, list)));
	return string_of(&text);
}

json_t *specs_fold_concat(json_t *parts, char **error)
{
	return specs_fold_join("", parts, error);
}

json_t *specs_fold_select(const json_t *index, const json_t *list, char **error)
{
	json_int_t at = json_integer_value(index);
	const char *digits = json_string_value(index);
	const json_t *item;

	if (digits != NULL && *digits != '\0' && strspn(digits, "0123456789") == strlen(digits) && strlen(digits) < 10)
		at = atol(digits);
	else if (!json_is_integer(index) || at < 0)
		return wrong(error, "needs an index that is not negative", index);
	if (specs_is_residual(list))
		return residual("Fn::Select", json_pack("[IO]", at, list));
	if (!json_is_array(list))
		return wrong(error, "needs a list to select from", list);
	item = json_array_get(list, (size_t)at);
	if (item == NULL) {
		*error = mem_printf("asks for item %lld, counted from 0, of a list of %zu", (long long)at,
				    json_array_size(list));
		return NULL;
	}
	return json_incref((json_t *)item);
}

json_t *specs_fold_split(const char *delimiter, const json_t *source, char **error)
{
	buf_auto struct buf text = BUF_INIT;
	json_t *out;
	const char *s, *hit;

	if (*delimiter == '\0') {
		*error = mem_strdup("needs a delimiter that is not empty");
		return NULL;
	}
	if (specs_is_residual(source))
		return residual("Fn::Split", json_pack("[sO]", delimiter, source));
	if (!specs_scalar_text(&text, source))
		return wrong(error, "needs a string to split", source);
	out = json_array();
	for (s = buf_str(&text); (hit = strstr(s, delimiter)) != NULL; s = hit + strlen(delimiter))
		json_array_append_new(out, json_stringn(s, (size_t)(hit - s)));
	json_array_append_new(out, json_string(s));
	return out;
}

json_t *specs_fold_base64(const json_t *source, char **error)
{
	buf_auto struct buf text = BUF_INIT, encoded = BUF_INIT;

	if (specs_is_residual(source))
		return residual("Fn::Base64", json_incref((json_t *)source));
	if (!specs_scalar_text(&text, source))
		return wrong(error, "needs a string", source);
	text_base64(&encoded, buf_str(&text), text.len);
	return string_of(&encoded);
}

json_t *specs_fold_length(const json_t *list, char **error)
{
	if (specs_is_residual(list))
		return residual("Fn::Length", json_incref((json_t *)list));
	if (!json_is_array(list))
		return wrong(error, "needs a list", list);
	return json_integer((json_int_t)json_array_size(list));
}

json_t *specs_fold_tojson(const json_t *value, char **error)
{
	char *text;
	json_t *out;

	if (!json_is_object(value) && !json_is_array(value))
		return wrong(error, "needs an object or a list", value);
	if (specs_has_residual(value))
		return residual("Fn::ToJsonString", json_incref((json_t *)value));
	text = json_dumps(value, JSON_COMPACT);
	out = json_string(text);
	free(text);
	return out;
}
