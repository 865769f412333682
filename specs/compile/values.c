/* The values of parameters: from Default, muster.json, the account and --parameter, each over the one before.
 * Everything is settled when specs are loaded; evaluating only looks up. */
#include "specs/compile/compile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where a value was given. */
struct given {
	struct stack *stack;
	const struct parameter *parameter;
	const struct json_doc *doc; /* NULL: --parameter */
	const struct json_path *path;
	const char *account, *stack_name; /* what the source of a secret must say to be found again */
	struct diag *d;
};

static json_t *given_error(const struct given *g, const char *text)
{
	const char *more = json_get_string(g->parameter->declaration, "ConstraintDescription");

	if (g->doc != NULL)
		json_doc_error(g->doc, g->path, false, g->d, "parameter %s of stack %s %s%s%s", g->parameter->name,
			       g->stack->name, text, more ? ": " : "", more ? more : "");
	else
		diag_error(g->d, "--parameter %s: in stack %s it %s%s%s", g->parameter->name, g->stack->name, text,
			   more ? ": " : "", more ? more : "");
	return NULL;
}

static json_t *number_parse(const char *text)
{
	char *end;
	double real;
	long long integer;

	errno = 0;
	integer = strtoll(text, &end, 10);
	if (*text != '\0' && *end == '\0' && errno == 0)
		return json_integer(integer);
	real = strtod(text, &end);
	if (*text == '\0' || *end != '\0' || !isfinite(real))
		return NULL;
	return json_real(real);
}

static json_t *scalar_convert(const struct given *g, enum parameter_kind kind, const json_t *raw)
{
	buf_auto struct buf text = BUF_INIT;
	json_t *out;

	if (!specs_scalar_text(&text, raw) || strlen(buf_str(&text)) != text.len)
		return given_error(g, "must be a string, a number, a list or {\"Env\": …} or {\"File\": …}");
	if (kind == PARAMETER_STRING)
		return json_stringn(buf_str(&text), text.len);
	out = number_parse(buf_str(&text));
	return out != NULL ? out : given_error(g, "must be a number");
}

/* Without the spaces around it, as CloudFormation takes the items of a comma-delimited list. */
static json_t *trimmed(const json_t *item)
{
	const char *s = json_string_value(item);
	size_t len;

	if (s == NULL)
		return json_incref((json_t *)item);
	s += strspn(s, " \t\n");
	for (len = strlen(s); len > 0 && strchr(" \t\n", s[len - 1]) != NULL; len--)
		;
	return json_stringn(s, len);
}

static json_t *list_items(const json_t *raw)
{
	char *error = NULL;
	json_t *list;

	if (json_is_array(raw))
		return json_incref((json_t *)raw);
	if (json_is_string(raw) && json_string_length(raw) == 0)
		return json_array();
	list = specs_fold_split(",", raw, &error);
	free(error);
	return list;
}

static json_t *list_convert(const struct given *g, const json_t *raw)
{
	enum parameter_kind kind = g->parameter->kind == PARAMETER_NUMBERS ? PARAMETER_NUMBER : PARAMETER_STRING;
	json_t *list = list_items(raw), *out, *item;
	size_t i;

	if (list == NULL)
		return given_error(g, "must be a list or a string with commas");
	out = json_array();
	json_array_foreach(list, i, item)
	{
		json_auto_t *plain = trimmed(item);
		json_t *value = scalar_convert(g, kind, plain);

		if (value == NULL) {
			json_decref(out);
			out = NULL;
			break;
		}
		json_array_append_new(out, value);
	}
	json_decref(list);
	return out;
}

static bool value_allowed(const json_t *allowed, const json_t *value)
{
	buf_auto struct buf text = BUF_INIT;
	json_t *item;
	size_t i;

	specs_scalar_text(&text, value);
	json_array_foreach((json_t *)allowed, i, item)
	{
		buf_auto struct buf other = BUF_INIT;

		if (specs_scalar_text(&other, item) && strcmp(buf_str(&other), buf_str(&text)) == 0)
			return true;
	}
	return false;
}

static size_t characters(const char *s)
{
	size_t count = 0;

	for (; *s != '\0'; s++)
		count += ((unsigned char)*s & 0xc0) != 0x80;
	return count;
}

/* To be freed. */
static char *length_broken(const json_t *declaration, int64_t len)
{
	int64_t min = json_get_int(declaration, "MinLength", 0), max = json_get_int(declaration, "MaxLength", -1);
	buf_auto struct buf text = BUF_INIT;

	buf_adds(&text, "must have ");
	if (max < 0)
		buf_adds(&text, "at least ");
	else if (min > 0 && min != max)
		buf_addf(&text, "%lld to ", (long long)min);
	else if (min == 0)
		buf_adds(&text, "at most ");
	text_count(&text, (size_t)(max < 0 ? min : max), "character");
	buf_addf(&text, ", not %lld", (long long)len);
	return buf_detach(&text);
}

/* What the value breaks, as the end of "parameter X …", or NULL. To be freed. */
static char *constraint_broken(const struct parameter *parameter, const json_t *value)
{
	const json_t *c = parameter->declaration, *allowed = json_object_get(c, "AllowedValues");
	const json_t *min = json_object_get(c, "MinValue"), *max = json_object_get(c, "MaxValue");
	int64_t min_length = json_get_int(c, "MinLength", 0), max_length = json_get_int(c, "MaxLength", INT64_MAX);

	if (allowed != NULL && !value_allowed(allowed, value)) {
		mem_auto_str char *list = json_dumps(allowed, JSON_COMPACT);

		return mem_printf("must be one of %s", list);
	}
	if (json_is_string(value)) {
		int64_t len = (int64_t)characters(json_string_value(value));

		if (len < min_length || len > max_length)
			return length_broken(c, len);
		if (parameter->pattern != NULL &&
		    regexec(parameter->pattern, json_string_value(value), 0, NULL, 0) != 0)
			return mem_printf("must match the pattern \"%s\"", json_get_string(c, "AllowedPattern"));
	} else if ((min != NULL && json_number_value(value) < json_number_value(min)) ||
		   (max != NULL && json_number_value(value) > json_number_value(max))) {
		return mem_printf("must be a number from MinValue to MaxValue");
	}
	return NULL;
}

static int constraints_check(const struct given *g, const json_t *value)
{
	mem_auto_str char *broken = NULL;
	json_t *item;
	size_t i;

	if (!json_is_array(value))
		broken = constraint_broken(g->parameter, value);
	json_array_foreach((json_t *)value, i, item) if (broken == NULL) broken = constraint_broken(g->parameter, item);
	if (broken == NULL)
		return 0;
	given_error(g, broken);
	return -1;
}

static json_t *plain_settle(const struct given *g, const json_t *raw)
{
	enum parameter_kind kind = g->parameter->kind;
	json_t *value;

	if (kind == PARAMETER_STRING || kind == PARAMETER_NUMBER)
		value = scalar_convert(g, kind, raw);
	else
		value = list_convert(g, raw);
	if (value != NULL && constraints_check(g, value) != 0) {
		json_decref(value);
		return NULL;
	}
	return value;
}

/* Whether `raw` is {"Env": NAME} or {"File": PATH}; -1 when it tries to be and is not. */
static int source_shaped(const struct given *g, const json_t *raw)
{
	const char *key;

	if (!json_is_object(raw))
		return 0;
	key = json_object_size(raw) == 1 ? json_object_iter_key(json_object_iter((json_t *)raw)) : "";
	if ((strcmp(key, "Env") == 0 || strcmp(key, "File") == 0) && json_string_length(json_object_get(raw, key)) > 0)
		return 1;
	given_error(g, "must be a value, {\"Env\": \"NAME\"} or {\"File\": \"PATH\"}");
	return -1;
}

static json_t *secret_settle(const struct given *g, const json_t *source, const char *text)
{
	json_auto_t *own = NULL;
	json_auto_t *value = NULL;

	if (source == NULL) {
		source = own = json_pack("{ss}", "Parameter", g->parameter->name);
		if (g->account != NULL)
			json_object_set_new(own, "Account", json_string(g->account));
		if (g->stack_name != NULL)
			json_object_set_new(own, "Stack", json_string(g->stack_name));
	}
	if (text != NULL) {
		value = json_string(text);
		if (value == NULL)
			return given_error(g, "is not UTF-8 text");
		if (constraints_check(g, value) != 0)
			return NULL;
	}
	return specs_secret_new(g->stack->specs, source, text);
}

/* The value as functions see it, new; NULL after errors. */
static json_t *value_settle(const struct given *g, const json_t *raw)
{
	const struct specs *specs = g->stack->specs;
	bool lookup = specs->private->options.secret_key != NULL;
	mem_auto_str char *text = NULL;
	json_auto_t *plain = NULL;
	json_t *value;
	int shaped = source_shaped(g, raw), result;

	if (shaped < 0)
		return NULL;
	if (shaped == 0) {
		plain = plain_settle(g, raw);
		if (plain == NULL || !g->parameter->no_echo)
			return json_incref(plain);
		return secret_settle(g, NULL, lookup ? json_string_value(plain) : NULL);
	}
	if (g->parameter->no_echo && !lookup)
		return secret_settle(g, raw, NULL);
	result = specs_secret_source_read(specs, raw, &text, g->d);
	if (result == -ENOENT && !lookup)
		return secret_settle(g, raw, NULL);
	if (result == -ENOENT) {
		mem_auto_str char *message =
		    mem_printf("comes from %s \"%s\", which is not there",
			       json_object_get(raw, "Env") ? "environment variable" : "file",
			       json_string_value(json_object_iter_value(json_object_iter((json_t *)raw))));

		return given_error(g, message);
	}
	if (result != 0)
		return NULL;
	if (g->parameter->no_echo) {
		value = secret_settle(g, raw, text);
		mem_wipe(text, strlen(text));
		return value;
	}
	plain = json_string(text);
	return plain != NULL ? plain_settle(g, plain) : given_error(g, "is not UTF-8 text");
}

static const char *option_value(const struct specs *specs, const char *name)
{
	const struct specs_options *options = &specs->private->options;
	const char *value = NULL;

	for (size_t i = 0; i < options->parameter_count; i++)
		if (strcmp(options->parameters[i].name, name) == 0)
			value = options->parameters[i].value;
	return value;
}

static int account_values(struct stack *stack, struct parameter *parameter, struct diag *d)
{
	struct specs *specs = stack->specs;
	int result = 0;

	for (size_t a = 0; a < specs->account_count; a++) {
		const json_t *raw = json_object_get(specs->accounts[a].parameters, parameter->name);
		struct given g = {stack, parameter, specs->private->roster_doc, NULL, specs->accounts[a].name, NULL, d};

		if (raw == NULL || !stack->selected[a])
			continue;
		g.path = JSON_PATH_KEY(JSON_PATH_KEY(JSON_PATH_ITEM(JSON_PATH_KEY(NULL, "Accounts"), a), "Parameters"),
				       parameter->name);
		if (parameter->by_account == NULL)
			parameter->by_account = mem_array(specs->account_count, sizeof(json_t *));
		parameter->by_account[a] = value_settle(&g, raw);
		if (parameter->by_account[a] == NULL)
			result = -1;
	}
	return result;
}

static int parameter_settle(struct stack *stack, struct parameter *parameter, struct diag *d)
{
	struct specs *specs = stack->specs;
	const char *option = option_value(specs, parameter->name);
	const json_t *general =
	    json_object_get(json_object_get(specs->settings.document, "Parameters"), parameter->name);
	const json_t *fallback = json_object_get(parameter->declaration, "Default");
	struct given g = {stack, parameter, stack->doc, NULL, NULL, NULL, d};
	json_auto_t *given_option = option != NULL ? json_string(option) : NULL;
	json_t *value;

	if (option != NULL && given_option == NULL)
		return diag_error(d, "--parameter %s: the value is not UTF-8 text", parameter->name);
	if (fallback != NULL) {
		g.path = JSON_PATH_KEY(PARAMETER_PATH(parameter), "Default");
		g.stack_name = stack->name;
		parameter->fallback = value_settle(&g, fallback);
		if (parameter->fallback == NULL)
			return -1;
	}
	g.stack_name = NULL;
	if (option == NULL && general == NULL)
		return account_values(stack, parameter, d);
	g.doc = option != NULL ? NULL : specs->private->settings_doc;
	g.path = JSON_PATH_KEY(JSON_PATH_KEY(NULL, "Parameters"), parameter->name);
	value = value_settle(&g, option != NULL ? given_option : general);
	if (value == NULL)
		return -1;
	json_decref(parameter->fallback);
	parameter->fallback = value;
	return option != NULL ? 0 : account_values(stack, parameter, d);
}

static int parameter_needed(const struct stack *stack, const struct parameter *parameter, struct diag *d)
{
	const struct specs *specs = stack->specs;

	if (parameter->fallback != NULL)
		return 0;
	for (size_t a = 0; a < specs->account_count; a++)
		if (stack->selected[a] && (parameter->by_account == NULL || parameter->by_account[a] == NULL)) {
			specs_node_error(
			    stack, parameter->path, true, d,
			    "has no value in account %s: give a Default, or one in muster.json, accounts.json or "
			    "by --parameter",
			    specs->accounts[a].name);
			return -1;
		}
	return 0;
}

int specs_parameters_settle(struct stack *stack, struct diag *d)
{
	int result = 0;

	for (size_t i = 0; i < stack->parameter_count; i++)
		if (parameter_settle(stack, &stack->parameters[i], d) != 0 ||
		    parameter_needed(stack, &stack->parameters[i], d) != 0)
			result = -1;
	return result;
}

/* -- what nobody declares -- */

static const char **declared_names(const struct specs *specs, struct table *names, size_t *count)
{
	const struct specs_private *p = specs->private;
	const char **list = NULL;

	*count = 0;
	for (size_t s = 0; s < p->stack_count; s++)
		for (size_t i = 0; i < p->stacks[s]->parameter_count; i++) {
			struct parameter *parameter = &p->stacks[s]->parameters[i];

			if (specs_table_put(names, parameter->name, parameter) != NULL)
				continue;
			list = mem_resize(list, *count + 1, sizeof *list);
			list[(*count)++] = parameter->name;
		}
	return list;
}

int specs_parameters_unused(struct specs *specs, struct diag *d)
{
	const struct specs_private *p = specs->private;
	const struct specs_options *options = &p->options;
	struct table names = {NULL, 0, 0};
	size_t count;
	const char **list = declared_names(specs, &names, &count), *key;
	json_t *value;
	int result = 0;

	for (size_t i = 0; i < options->parameter_count && !options->unused_parameters; i++)
		if (specs_table_get(&names, options->parameters[i].name) == NULL) {
			mem_auto_str char *nearest = specs_report_nearest(options->parameters[i].name, list, count);

			result = diag_error(d, "--parameter %s: no stack declares such a parameter%s",
					    options->parameters[i].name, nearest);
		}
	json_object_foreach(json_object_get(specs->settings.document, "Parameters"), key,
			    value) if (specs_table_get(&names, key) == NULL)
	{
		mem_auto_str char *nearest = specs_report_nearest(key, list, count);

		json_doc_warning(p->settings_doc, JSON_PATH_KEY(JSON_PATH_KEY(NULL, "Parameters"), key), d,
				 "no stack declares such a parameter%s", nearest);
	}
	for (size_t a = 0; a < specs->account_count; a++)
		json_object_foreach(specs->accounts[a].parameters, key, value) if (specs_table_get(&names, key) == NULL)
		    json_doc_warning(
			p->roster_doc,
			JSON_PATH_KEY(JSON_PATH_KEY(JSON_PATH_ITEM(JSON_PATH_KEY(NULL, "Accounts"), a), "Parameters"),
				      key),
			d, "no stack declares such a parameter");
	specs_table_free(&names);
	free(list);
	return result;
}
