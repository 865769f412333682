/* IAM policies by meaning: brought into one spelling, then compared. What IAM itself treats alike is alike here: one or
 * many, order, the case of actions, operators and condition keys, an account and its root. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/compare.h"

/* What IAM assumes where a policy does not say. */
#define POLICY_VERSION_MISSING "2008-10-17"

static int order_canonical(const void *a, const void *b)
{
	return strcmp(((const struct buf *)a)->data, ((const struct buf *)b)->data);
}

/* The items sorted by their canonical spelling, each once. */
static json_t *sorted(json_t *list)
{
	size_t count = json_array_size(list), i;
	struct buf *texts = mem_array(count, sizeof *texts);
	json_t *result = json_array(), *item;

	json_array_foreach(list, i, item) json_canonical(&texts[i], item);
	qsort(texts, count, sizeof *texts, order_canonical);
	for (i = 0; i < count; i++)
		if (i == 0 || strcmp(texts[i].data, texts[i - 1].data) != 0)
			json_array_append_new(result, json_loads(texts[i].data, JSON_DECODE_ANY, NULL));
	for (i = 0; i < count; i++)
		buf_free(&texts[i]);
	free(texts);
	return result;
}

static json_t *lower(const char *s)
{
	buf_auto struct buf out = BUF_INIT;

	for (; *s != '\0'; s++)
		buf_addc(&out, (char)tolower((unsigned char)*s));
	return json_string(buf_str(&out));
}

/* arn:aws:iam::111111111111:root and 111111111111 are the same principal; the short form wins. */
static json_t *account_of_root(const char *s)
{
	const char *id = strstr(s, ":iam::");

	if (text_starts(s, "arn:") && id != NULL && strlen(id) == 6 + 12 + 5 && strcmp(id + 18, ":root") == 0)
		return json_stringn(id + 6, 12);
	return json_string(s);
}

/* Conditions compare text: "Bool": true and "Bool": "true" are the same. */
static json_t *plain_text(const json_t *value)
{
	char scratch[32];
	const char *text;

	if (!plan_scalar_text(value, scratch, &text))
		return json_incref((json_t *)value);
	return json_string(text);
}

typedef json_t *word_change(const char *word);

/* One or many -> a sorted list; each string through `change` (NULL: as it is). */
static json_t *list_normal(const json_t *value, word_change *change)
{
	json_t *list = json_array(), *result, *item;
	size_t i;

	if (!json_is_array(value)) {
		item = plain_text(value);
		json_array_append_new(list, item);
	}
	json_array_foreach(value, i, item) json_array_append_new(list, plain_text(item));
	json_array_foreach(list, i, item)
	{
		if (change != NULL && json_is_string(item))
			json_array_set_new(list, i, change(json_string_value(item)));
	}
	result = sorted(list);
	json_decref(list);
	return result;
}

static json_t *principal_normal(const json_t *principal)
{
	json_t *result, *value;
	const char *kind;

	if (json_is_string(principal) && strcmp(json_string_value(principal), "*") == 0)
		return json_pack("{s:[s]}", "AWS", "*");
	if (!json_is_object(principal))
		return json_incref((json_t *)principal);
	result = json_object();
	json_object_foreach((json_t *)principal, kind, value)
	    json_object_set_new(result, kind, list_normal(value, strcmp(kind, "AWS") == 0 ? account_of_root : NULL));
	return result;
}

/* Sets `object[lower-case name]`; a second spelling of the same name keeps its own, so that nothing is lost. */
static void set_folded(json_t *object, const char *name, json_t *value)
{
	json_t *folded = lower(name);
	const char *key = json_string_value(folded);

	json_object_set_new(object, json_object_get(object, key) == NULL ? key : name, value);
	json_decref(folded);
}

static json_t *condition_normal(const json_t *condition)
{
	json_t *result, *block;
	const char *operator;

	if (!json_is_object(condition))
		return json_incref((json_t *)condition);
	result = json_object();
	json_object_foreach((json_t *)condition, operator, block)
	{
		json_t *keys = json_object(), *values;
		const char *key;

		json_object_foreach(block, key, values) set_folded(keys, key, list_normal(values, NULL));
		set_folded(result, operator, keys);
	}
	return result;
}

json_t *plan_statement_normal(const json_t *statement)
{
	json_t *result, *value;
	const char *name;

	if (!json_is_object(statement))
		return json_incref((json_t *)statement);
	result = json_object();
	json_object_foreach((json_t *)statement, name, value)
	{
		json_t *normal;

		if (strcmp(name, "Action") == 0 || strcmp(name, "NotAction") == 0)
			normal = list_normal(value, lower);
		else if (strcmp(name, "Resource") == 0 || strcmp(name, "NotResource") == 0)
			normal = list_normal(value, NULL);
		else if (strcmp(name, "Principal") == 0 || strcmp(name, "NotPrincipal") == 0)
			normal = principal_normal(value);
		else if (strcmp(name, "Condition") == 0)
			normal = condition_normal(value);
		else
			normal = json_incref(value);
		/* Services give back what was left out as something empty. */
		if ((strcmp(name, "Sid") == 0 && json_is_string(value) && json_string_length(value) == 0) ||
		    (strcmp(name, "Condition") == 0 && json_is_object(value) && json_object_size(value) == 0))
			json_decref(normal);
		else
			json_object_set_new(result, name, normal);
	}
	return result;
}

/* Without order, and two equal ones are one, as for IAM. */
static json_t *statements_normal(const json_t *statements)
{
	json_t *list = json_array(), *result, *item;
	size_t i;

	if (json_is_object(statements))
		json_array_append_new(list, plan_statement_normal(statements));
	json_array_foreach(statements, i, item) json_array_append_new(list, plan_statement_normal(item));
	result = sorted(list);
	json_decref(list);
	return result;
}

json_t *plan_policy_normal(const json_t *policy)
{
	json_t *document = plan_document_parse(policy), *result;

	if (!json_is_object(document)) {
		json_decref(document);
		return NULL;
	}
	result = json_copy(document);
	if (json_object_get(result, "Version") == NULL)
		json_object_set_new(result, "Version", json_string(POLICY_VERSION_MISSING));
	if (json_object_get(document, "Statement") != NULL)
		json_object_set_new(result, "Statement", statements_normal(json_object_get(document, "Statement")));
	json_decref(document);
	return result;
}

bool plan_policy_equal(const json_t *a, const json_t *b)
{
	json_t *left = plan_policy_normal(a), *right = plan_policy_normal(b);
	bool equal = left != NULL && right != NULL ? json_equal(left, right) : json_equal((json_t *)a, (json_t *)b);

	json_decref(left);
	json_decref(right);
	return equal;
}
