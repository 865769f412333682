/* EventBridge's event patterns, which SNS filter policies share: does an event match, and where does it first not? */
#include "tests/sandbox/flow.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the tests of one value ---- */

/* `*` stands for any text, `\` takes its meaning from the next character. */
static bool wildcard(const char *pattern, const char *text)
{
	for (; *pattern != '\0'; pattern++, text++) {
		if (*pattern == '*') {
			for (; *text != '\0'; text++) {
				if (wildcard(pattern + 1, text))
					return true;
			}
			return wildcard(pattern + 1, text);
		}
		if (*pattern == '\\' && pattern[1] != '\0')
			pattern++;
		if (*pattern != *text)
			return false;
	}
	return *text == '\0';
}

static bool starts(const char *text, const char *with, bool any_case)
{
	return (any_case ? strncasecmp : strncmp)(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with, bool any_case)
{
	size_t len = strlen(text), end = strlen(with);

	return end <= len && (any_case ? strcasecmp : strcmp)(text + len - end, with) == 0;
}

static bool in_cidr(const char *cidr, const char *address)
{
	mem_auto_str char *network = mem_strndup(cidr, strcspn(cidr, "/"));
	const char *slash = strchr(cidr, '/');
	int family = strchr(cidr, ':') != NULL ? AF_INET6 : AF_INET;
	unsigned char a[16] = {0}, b[16] = {0};
	long bits = slash == NULL ? 128 : strtol(slash + 1, NULL, 10);
	long most = family == AF_INET ? 32 : 128;

	if (inet_pton(family, network, a) != 1 || inet_pton(family, address, b) != 1)
		return false;
	for (long i = 0; i < bits && i < most; i++) {
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	}
	return true;
}

/* ["=", n], or bounds: [">", n, "<=", m]. */
static bool numeric(json_t *bounds, double value)
{
	for (size_t i = 0; i + 1 < json_array_size(bounds); i += 2) {
		const char *op = json_string_value(json_array_get(bounds, i));
		double bound = json_number_value(json_array_get(bounds, i + 1));

		if (op == NULL || !(strcmp(op, "=") == 0    ? value == bound
				    : strcmp(op, "<") == 0  ? value < bound
				    : strcmp(op, "<=") == 0 ? value <= bound
				    : strcmp(op, ">") == 0  ? value > bound
				    : strcmp(op, ">=") == 0 ? value >= bound
							    : false))
			return false;
	}
	return true;
}

static bool equal(json_t *said, json_t *value)
{
	if (json_is_number(said) && json_is_number(value))
		return json_number_value(said) == json_number_value(value);
	return json_equal(said, value) != 0;
}

/* A text, or for prefix and suffix {"equals-ignore-case": text}. */
static bool text_test(const char *name, json_t *said, const char *text)
{
	json_t *folded = json_object_get(said, "equals-ignore-case");
	const char *with = json_string_value(folded != NULL ? folded : said);

	if (with == NULL || text == NULL)
		return false;
	if (strcmp(name, "prefix") == 0)
		return starts(text, with, folded != NULL);
	if (strcmp(name, "suffix") == 0)
		return ends(text, with, folded != NULL);
	if (strcmp(name, "equals-ignore-case") == 0)
		return strcasecmp(text, with) == 0;
	if (strcmp(name, "wildcard") == 0)
		return wildcard(with, text);
	return strcmp(name, "cidr") == 0 && in_cidr(with, text);
}

/* Whether any of what anything-but names is the value: a literal, a list, or {"prefix": ...} of either. */
static bool named_by(json_t *said, json_t *value)
{
	void *first = json_is_object(said) ? json_object_iter(said) : NULL;
	json_t *item, *inner = first == NULL ? NULL : json_object_iter_value(first);
	size_t i;

	if (first != NULL && !json_is_array(inner))
		return text_test(json_object_iter_key(first), inner, json_string_value(value));
	json_array_foreach(first != NULL ? inner : said, i, item)
	{
		if (first != NULL ? text_test(json_object_iter_key(first), item, json_string_value(value))
				  : equal(item, value))
			return true;
	}
	return !json_is_array(said) && first == NULL && equal(said, value);
}

/* One of a leaf's alternatives against one value; `value` NULL: the field is absent. */
static bool rule_matches(json_t *rule, json_t *value)
{
	void *first = json_is_object(rule) ? json_object_iter(rule) : NULL;
	const char *name = first == NULL ? NULL : json_object_iter_key(first);
	json_t *said = first == NULL ? NULL : json_object_iter_value(first);

	if (name != NULL && strcmp(name, "exists") == 0)
		return json_is_true(said) == (value != NULL && !json_is_object(value));
	if (value == NULL)
		return false;
	if (name == NULL)
		return equal(rule, value);
	if (strcmp(name, "anything-but") == 0)
		return !named_by(said, value);
	if (strcmp(name, "numeric") == 0)
		return json_is_number(value) && numeric(said, json_number_value(value));
	return text_test(name, said, json_string_value(value));
}

static bool leaf_matches(json_t *rules, json_t *value)
{
	size_t i, j;
	json_t *rule, *item;

	json_array_foreach(rules, i, rule)
	{
		if (!json_is_array(value) && rule_matches(rule, value))
			return true;
		json_array_foreach(value, j, item)
		{
			if (rule_matches(rule, item))
				return true;
		}
		if (json_is_array(value) && json_array_size(value) == 0 && rule_matches(rule, NULL))
			return true;
	}
	return false;
}

/* ---- patterns ---- */

static bool fits(json_t *pattern, json_t *event, char *where, size_t depth);

static bool any_fits(json_t *patterns, json_t *event)
{
	char ignored[SB_WHERE_MAX] = "";
	size_t i;
	json_t *pattern;

	json_array_foreach(patterns, i, pattern)
	{
		if (fits(pattern, event, ignored, 0))
			return true;
	}
	return false;
}

/* An object against an object, or against any of a list of them. */
static bool branch_fits(json_t *pattern, json_t *value, char *where, size_t depth)
{
	size_t i;
	json_t *item;

	json_array_foreach(value, i, item)
	{
		if (fits(pattern, item, where, depth))
			return true;
	}
	return !json_is_array(value) && fits(pattern, value, where, depth);
}

static bool fits(json_t *pattern, json_t *event, char *where, size_t depth)
{
	size_t len = strlen(where);
	const char *key;
	json_t *said;

	json_object_foreach(pattern, key, said)
	{
		json_t *value = json_object_get(event, key);
		bool good;

		snprintf(where + len, SB_WHERE_MAX - len, "%s%s", len > 0 ? "." : "", key);
		if (strcmp(key, "$or") == 0 && json_is_array(said))
			good = any_fits(said, event);
		else if (json_is_object(said))
			good = branch_fits(said, value, where, depth + 1);
		else
			good = leaf_matches(said, value);
		if (!good)
			return false;
		where[len] = '\0';
	}
	return true;
}

bool sb_pattern_matches(json_t *pattern, json_t *event, char where[SB_WHERE_MAX])
{
	where[0] = '\0';
	return fits(pattern, event, where, 0);
}

/* ---- what may stand in a pattern ---- */

static const char *operator_fault(json_t *rule)
{
	void *first = json_object_iter(rule);
	const char *name = first == NULL ? "" : json_object_iter_key(first);
	json_t *said = first == NULL ? NULL : json_object_iter_value(first);

	if (json_object_size(rule) != 1)
		return "Only one key allowed in match expression";
	if (!sb_one_of("prefix suffix anything-but numeric exists cidr equals-ignore-case wildcard", name))
		return "Unrecognized match type";
	if (strcmp(name, "exists") == 0 && !json_is_boolean(said))
		return "exists match pattern must be either true or false";
	if (strcmp(name, "numeric") == 0 && (!json_is_array(said) || json_array_size(said) % 2 != 0))
		return "Value of numeric must be an array of operators and numbers";
	if ((strcmp(name, "cidr") == 0 || strcmp(name, "wildcard") == 0 || strcmp(name, "equals-ignore-case") == 0) &&
	    !json_is_string(said))
		return "the match pattern must be a string";
	if (strcmp(name, "wildcard") == 0 && strstr(json_string_value(said), "**") != NULL)
		return "Consecutive wildcard characters";
	return NULL;
}

static const char *leaf_fault(json_t *rules)
{
	const char *fault = NULL;
	size_t i;
	json_t *rule;

	if (json_array_size(rules) == 0)
		return "Empty arrays are not allowed";
	json_array_foreach(rules, i, rule)
	{
		if (json_is_array(rule))
			return "Match value must be String, number, true, false, or null";
		if (json_is_object(rule) && (fault = operator_fault(rule)) != NULL)
			return fault;
	}
	return NULL;
}

const char *sb_pattern_fault(json_t *pattern)
{
	const char *key, *fault = NULL;
	json_t *value, *branch;
	size_t i;

	json_object_foreach(pattern, key, value)
	{
		if (json_is_object(value))
			fault =
			    json_object_size(value) == 0 ? "Empty objects are not allowed" : sb_pattern_fault(value);
		else if (!json_is_array(value))
			fault = "must be an object or an array";
		else if (strcmp(key, "$or") != 0)
			fault = leaf_fault(value);
		else if (json_array_size(value) < 2)
			fault = "$or must have more than one branch";
		else
			json_array_foreach(value, i, branch)
			{
				fault = fault != NULL ? fault : sb_pattern_fault(branch);
			}
		if (fault != NULL)
			return fault;
	}
	return NULL;
}
