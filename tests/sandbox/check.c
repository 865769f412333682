/* Fits a call's input to the members that its operation takes, written in one line beside the handler:
 *
 *   "!Name:s(1,64) Limit:i(1,100) On:b Tags:[{!Key Value}] Attributes:m Anything:*"
 *
 * `!` required; s text (the default), i integer, b boolean, n number, m map, * anything, [..] list, {..} structure; a
 * range bounds a text's length, a number's value or a list's size. A member that AWS does not know is an error here,
 * although AWS would ignore it: a misspelt member must not pass for a set one. */
#include "tests/sandbox/sandbox.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct sb_call *call;
	const char *p; /* in the members' line */
	char path[256];
	int depth;
};

static bool texts_only(const struct sb_call *call)
{
	return call->service->protocol == SB_QUERY || call->service->protocol == SB_EC2;
}

static int refuse(struct check *c, const char *value, const char *constraint)
{
	return sb_fail(c->call, 400, c->call->service->invalid,
		       "1 validation error detected: Value %s%.200s%s at '%s' failed to satisfy constraint: %s",
		       value == NULL ? "" : "'", value == NULL ? "null" : value, value == NULL ? "" : "'", c->path,
		       constraint);
}

static int wrong_type(struct check *c, const char *wanted)
{
	return sb_fail(c->call, 400, texts_only(c->call) ? c->call->service->invalid : "SerializationException",
		       "%s: expected %s", c->path, wanted);
}

/* Reads "(min,max)" if it stands here. */
static bool range_read(struct check *c, int64_t *min, int64_t *max)
{
	char *end;

	*min = 0;
	*max = INT64_MAX;
	if (*c->p != '(')
		return false;
	*min = strtoll(c->p + 1, &end, 10);
	if (*end == ',' && end[1] != ')')
		*max = strtoll(end + 1, &end, 10);
	c->p = strchr(end, ')') + 1;
	return true;
}

static int size_check(struct check *c, const char *value, int64_t size, int64_t min, int64_t max, const char *what)
{
	mem_auto_str char *constraint = NULL;

	if (size >= min && size <= max)
		return 0;
	constraint = mem_printf("Member must have %s %s than or equal to %lld", what, size < min ? "greater" : "less",
				(long long)(size < min ? min : max));
	return refuse(c, value, constraint);
}

static size_t utf8_length(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static int text_check(struct check *c, json_t *value)
{
	int64_t min, max;
	bool ranged = range_read(c, &min, &max);

	if (value == NULL)
		return 0;
	if (!json_is_string(value))
		return wrong_type(c, "a string");
	return !ranged ? 0
		       : size_check(c, json_string_value(value), (int64_t)utf8_length(json_string_value(value)), min,
				    max, "length");
}

static int number_check(struct check *c, json_t **value)
{
	int64_t min, max, number;
	bool ranged = range_read(c, &min, &max);
	char text[32];

	if (*value == NULL)
		return 0;
	if (json_is_string(*value) && texts_only(c->call)) {
		char *end;

		number = strtoll(json_string_value(*value), &end, 10);
		if (*end != '\0' || end == json_string_value(*value))
			return wrong_type(c, "an integer");
		*value = json_integer(number);
	} else if (json_is_string(*value) && c->call->service->protocol == SB_REST_JSON) {
		*value = json_integer(strtoll(json_string_value(*value), NULL, 10)); /* it came in the query */
	} else if (json_is_integer(*value)) {
		json_incref(*value);
	} else {
		return wrong_type(c, "an integer");
	}
	number = json_integer_value(*value);
	snprintf(text, sizeof text, "%lld", (long long)number);
	if (ranged && size_check(c, text, number, min, max, "value") != 0) {
		json_decref(*value);
		return -1;
	}
	return 0;
}

static int real_check(struct check *c, json_t **value)
{
	const char *text = json_string_value(*value);
	char *end;

	if (*value == NULL)
		return 0;
	if (text != NULL && texts_only(c->call)) {
		*value = json_real(strtod(text, &end));
		if (*end == '\0' && end != text)
			return 0;
		json_decref(*value);
		return wrong_type(c, "a number");
	}
	return json_is_number(*value) ? (json_incref(*value), 0) : wrong_type(c, "a number");
}

static int boolean_check(struct check *c, json_t **value)
{
	const char *text = json_string_value(*value);

	if (*value == NULL)
		return 0;
	if (text != NULL && texts_only(c->call) && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		*value = json_boolean(text[0] == 't');
	else if (json_is_boolean(*value))
		json_incref(*value);
	else
		return wrong_type(c, "a boolean");
	return 0;
}

/* In the query protocols the values of a map are texts. */
static int map_check(struct check *c, json_t *value)
{
	const char *key;
	json_t *item;

	if (value != NULL && texts_only(c->call) && json_is_string(value) && json_string_length(value) == 0)
		return 0;
	if (value != NULL && !json_is_object(value))
		return wrong_type(c, "a map");
	json_object_foreach(value, key, item) if (texts_only(c->call) &&
						  !json_is_string(item)) return wrong_type(c, "a map of strings");
	return 0;
}

static int value_check(struct check *c, json_t **value, bool *fresh);

static int list_check(struct check *c, json_t *value)
{
	const char *start = c->p, *end;
	json_t *none = NULL, *item;
	bool fresh = false;
	int64_t min, max;
	size_t i;

	value_check(c, &none, &fresh); /* only to find the end */
	end = c->p + 1;
	if (value != NULL && texts_only(c->call) && json_is_string(value) && json_string_length(value) == 0)
		value = NULL; /* an empty list of the query protocol */
	if (value != NULL && !json_is_array(value))
		return wrong_type(c, "a list");
	json_array_foreach(value, i, item)
	{
		c->p = start;
		fresh = false;
		if (value_check(c, &item, &fresh) != 0)
			return -1;
		if (fresh)
			json_array_set_new(value, i, item);
	}
	c->p = end;
	if (!range_read(c, &min, &max) || value == NULL)
		return 0;
	return size_check(c, "list", (int64_t)json_array_size(value), min, max, "length");
}

/* The name of the first key of `value` that the members at `start` do not have. */
static const char *stranger(struct check *c, const char *start, json_t *value)
{
	const char *key;
	json_t *item, *none = NULL;
	bool fresh;

	json_object_foreach(value, key, item)
	{
		bool known = false;

		for (c->p = start; *c->p != '\0' && *c->p != '}';) {
			size_t len;

			c->p += *c->p == ' ';
			c->p += *c->p == '!';
			len = strcspn(c->p, ": }");
			known = known || (strlen(key) == len && strncmp(key, c->p, len) == 0);
			c->p += len;
			if (*c->p == ':') {
				c->p++;
				value_check(c, &none, &fresh);
			}
		}
		if (!known)
			return key;
	}
	return NULL;
}

static int member_check(struct check *c, json_t *value, size_t *known)
{
	bool required = *c->p == '!', fresh = false;
	size_t len, outer = strlen(c->path);
	char name[128];
	json_t *item;
	int status = 0;

	c->p += required;
	len = strcspn(c->p, ": }");
	memcpy(name, c->p, len);
	name[len] = '\0';
	c->p += len;
	snprintf(c->path + outer, sizeof c->path - outer, "%s%c%s", outer > 0 ? "." : "", tolower(name[0]), name + 1);
	item = json_object_get(value, name);
	if (json_is_null(item)) {
		json_object_del(value, name);
		item = NULL;
	}
	*known += item != NULL;
	if (value != NULL && required && item == NULL)
		status = refuse(c, NULL, "Member must not be null");
	if (*c->p == ':') {
		c->p++;
		if (status == 0)
			status = value_check(c, &item, &fresh);
	} else if (item != NULL && status == 0 && !json_is_string(item)) {
		status = wrong_type(c, "a string");
	}
	if (fresh && status == 0)
		json_object_set_new(value, name, item);
	c->path[outer] = '\0';
	return status;
}

static int structure_check(struct check *c, json_t *value)
{
	const char *start = c->p, *key;
	size_t known = 0;

	if (value != NULL && !json_is_object(value))
		return wrong_type(c, "a structure");
	while (*c->p != '\0' && *c->p != '}') {
		c->p += *c->p == ' ';
		if (member_check(c, value, &known) != 0)
			return -1;
	}
	if (value != NULL && known != json_object_size(value)) {
		key = stranger(c, start, value);
		return sb_fail(c->call, 400, "SandboxUnknownMember", "%s%s%s is not a member that AWS knows", c->path,
			       c->path[0] != '\0' ? "." : "", key == NULL ? "?" : key);
	}
	return 0;
}

/* `*fresh` says that `*value` was replaced by a new reference. */
static int value_check(struct check *c, json_t **value, bool *fresh)
{
	char type = *c->p++;
	int status = 0;

	switch (type) {
	case 's':
		return text_check(c, *value);
	case 'i':
		status = number_check(c, value);
		*fresh = status == 0 && *value != NULL;
		return status;
	case 'b':
		status = boolean_check(c, value);
		*fresh = status == 0 && *value != NULL;
		return status;
	case 'n':
		status = real_check(c, value);
		*fresh = status == 0 && *value != NULL;
		return status;
	case 'm':
		return map_check(c, *value);
	case '[':
		return list_check(c, *value);
	case '{':
		status = structure_check(c, *value);
		c->p += *c->p == '}';
		return status;
	default:
		return 0;
	}
}

int sb_check(struct sb_call *call)
{
	struct check c = {.call = call, .p = call->op->members};

	return call->op->members == NULL ? 0 : structure_check(&c, call->in);
}
