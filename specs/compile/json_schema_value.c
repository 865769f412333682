/* What the properties of a resource type may be, as JSON Schema. See json_schema.h. */
#include "specs/compile/json_schema.h"

#include <math.h>
#include <string.h>

/* What JSON objects of the language may have besides their members: loops, and names that loops make. */
#define LOOP_KEY     "^Fn::ForEach::"
#define VARIABLE_KEY "[$&]\\{"

static json_t *value_schema(const struct schema_value *value, int64_t name_max);

static json_t *reference(const char *definition)
{
	return json_pack("{ss+}", "$ref", "#/definitions/", definition);
}

/* A function, or what `literal` says. Takes it. */
static json_t *or_function(json_t *literal)
{
	return json_pack("{sososo}", "if", reference("isFunction"), "then", reference("function"), "else", literal);
}

/* Editors do not look into "if" for what to offer. "offered" refuses nothing, and has them offer the functions: not
 * where an object with members is meant, whose names they would hide. */
static json_t *or_offered(json_t *literal)
{
	json_t *out = or_function(literal);

	json_object_set_new(out, "allOf", json_pack("[o]", reference("offered")));
	return out;
}

static json_t *or_variable(json_t *literal)
{
	json_t *enumeration = json_object_get(literal, "enum");
	json_t *out = or_offered(json_pack("{soso}", "if", reference("hasVariable"), "else", literal));

	if (enumeration != NULL)
		json_object_set_new(out, "anyOf", json_pack("[{sO}{}]", "enum", enumeration));
	return out;
}

static void set_limit(json_t *out, const char *key, int64_t limit)
{
	if (limit >= 0)
		json_object_set_new(out, key, json_integer(limit));
}

static int64_t least(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

/* -- Patterns ------------------------------------------------------------------------------------------------------ */

/* "[:alpha:]" and its like, inside of brackets. */
static const char *posix_class(const char *at, const char **end)
{
	static const struct {
		const char *name, *inside;
	} classes[] = {
	    {"[:alnum:]", "A-Za-z0-9"},
	    {"[:alpha:]", "A-Za-z"},
	    {"[:digit:]", "0-9"},
	    {"[:lower:]", "a-z"},
	    {"[:upper:]", "A-Z"},
	    {"[:space:]", "\\s"},
	    {"[:blank:]", " \\t"},
	    {"[:xdigit:]", "0-9A-Fa-f"},
	    {"[:print:]", "\\u0020-\\u007e"},
	    {"[:graph:]", "!-~"},
	    {"[:punct:]", "!-\\/:-@\\[-`{-~"},
	};

	for (size_t i = 0; i < COUNT_OF(classes); i++)
		if (text_starts(at, classes[i].name)) {
			*end = at + strlen(classes[i].name);
			return classes[i].inside;
		}
	return NULL;
}

/* One character of a bracket expression; where the next one is. */
static const char *bracket_character(struct buf *out, const char *at)
{
	const char *end, *class = posix_class(at, &end);

	if (class != NULL) {
		buf_adds(out, class);
		return end;
	}
	if (*at == '\\' && at[1] != '\0') {
		buf_addf(out, strchr("dws]^-\\", at[1]) != NULL ? "\\%c" : "%c", at[1]);
		return at + 2;
	}
	buf_addf(out, *at == '[' ? "\\%c" : "%c", *at);
	return at + 1;
}

static const char *bracket(struct buf *out, const char *at)
{
	buf_addc(out, '[');
	at++;
	if (*at == '^')
		buf_addc(out, *at++);
	if (*at == ']') {
		buf_adds(out, "\\]");
		at++;
	}
	while (*at != '\0' && *at != ']')
		at = bracket_character(out, at);
	buf_addc(out, ']');
	return *at == ']' ? at + 1 : at;
}

char *specs_json_schema_pattern(const char *pattern)
{
	buf_auto struct buf out = BUF_INIT;

	buf_adds(&out, "^(?:");
	while (*pattern != '\0') {
		if (*pattern == '[') {
			pattern = bracket(&out, pattern);
		} else if (*pattern == '\\' && pattern[1] != '\0') {
			buf_addf(&out, strchr("dws^$\\.*+?()[]{}|", pattern[1]) != NULL ? "\\%c" : "%c", pattern[1]);
			pattern += 2;
		} else {
			buf_addc(&out, *pattern++);
		}
	}
	buf_adds(&out, ")$");
	return buf_detach(&out);
}

/* -- Kinds --------------------------------------------------------------------------------------------------------- */

static json_t *string_schema(const struct schema_value *value, int64_t name_max)
{
	json_t *literal = json_pack("{ss}", "type", "string");

	if (value->enumeration != NULL)
		json_object_set(literal, "enum", value->enumeration);
	if (value->pattern != NULL) {
		mem_auto_str char *pattern = specs_json_schema_pattern(value->pattern);

		json_object_set_new(literal, "pattern", json_string(pattern));
	}
	set_limit(literal, "minLength", value->min_length);
	/* A character has a byte or more. */
	set_limit(literal, "maxLength", least(value->max_length < 0 ? name_max : value->max_length, value->max_bytes));
	if (json_object_size(literal) > 1)
		return or_variable(literal);
	json_decref(literal);
	return reference("string");
}

static void set_bound(json_t *out, const char *key, double bound)
{
	if (!isnan(bound))
		json_object_set_new(out, key,
				    bound == floor(bound) && fabs(bound) < 1e15 ? json_integer((json_int_t)bound)
										: json_real(bound));
}

static json_t *number_schema(const struct schema_value *value)
{
	const char *type = value->kind == SCHEMA_INTEGER ? "integer" : "number";
	json_t *literal = json_pack("{ss}", "type", type);

	if (value->enumeration != NULL)
		json_object_set(literal, "enum", value->enumeration);
	set_bound(literal, "minimum", value->minimum);
	set_bound(literal, "maximum", value->maximum);
	if (json_object_size(literal) > 1)
		return or_variable(literal);
	json_decref(literal);
	return reference(type);
}

/* Items that are functions may give nothing (AWS::NoValue): only a list without any has too many for certain. */
static json_t *list_schema(const struct schema_value *value)
{
	json_t *literal = json_pack("{ssso}", "type", "array", "items", value_schema(value->item, -1));

	set_limit(literal, "minItems", value->min_length);
	if (value->max_length >= 0) {
		json_object_set_new(literal, "if", json_pack("{s{so}}", "not", "contains", reference("isFunction")));
		json_object_set_new(literal, "then", json_pack("{sI}", "maxItems", (json_int_t)value->max_length));
	}
	return or_offered(literal);
}

static json_t *map_schema(const struct schema_value *value)
{
	return or_function(json_pack("{sss{so}so}", "type", "object", "patternProperties", LOOP_KEY, reference("loop"),
				     "additionalProperties", value_schema(value->item, -1)));
}

static void add_fact(struct buf *out, bool holds, const char *fact)
{
	if (holds)
		buf_addf(out, "%s%s", out->len > 0 ? " " : "", fact);
}

static void describe(json_t *out, const struct schema_member *member)
{
	buf_auto struct buf text = BUF_INIT;

	add_fact(&text, member->description != NULL, member->description);
	add_fact(&text, member->create_only, "A change replaces the resource.");
	add_fact(&text, member->read_only, "Read-only: the service sets it.");
	add_fact(&text, member->write_only, "The service does not give it back.");
	add_fact(&text, member->sensitive, "Never shown or stored in clear.");
	add_fact(&text, member->computed, "Left out, the service picks a value.");
	if (member->value.max_bytes >= 0)
		buf_addf(&text, "%sAt most %lld bytes.", text.len > 0 ? " " : "", (long long)member->value.max_bytes);
	if (text.len > 0)
		json_object_set_new(out, "description", json_string(buf_str(&text)));
	if (member->initial != NULL)
		json_object_set(out, "default", member->initial);
}

static json_t *member_schema(const struct schema_member *member, int64_t name_max)
{
	json_t *value = member->read_only ? json_pack("{sbs{}}", "readOnly", 1, "not")
					  : value_schema(&member->value, name_max),
	       *out = value;

	if (json_object_get(value, "$ref") != NULL)
		out = json_object();
	describe(out, member);
	if (out == value)
		return out;
	if (json_object_size(out) == 0) {
		json_decref(out);
		return value;
	}
	json_object_set_new(out, "allOf", json_pack("[o]", value));
	return out;
}

/* The members that must be there; loops may make them. */
static void add_required(json_t *out, const struct schema_value *object, const struct schema_type *type)
{
	json_t *names = json_array();

	for (size_t i = 0; i < object->member_count; i++)
		if (object->members[i].required && !specs_member_generated(type, &object->members[i]))
			json_array_append_new(names, json_string(object->members[i].name));
	if (json_array_size(names) > 0) {
		json_object_set_new(out, "if", json_pack("{s{s{ss}}}", "propertyNames", "not", "pattern", LOOP_KEY));
		json_object_set_new(out, "then", json_pack("{so}", "required", names));
	} else {
		json_decref(names);
	}
}

static json_t *object_schema(const struct schema_value *object, const struct schema_type *type)
{
	json_t *members = json_object();
	json_t *out = json_pack("{sssos{sos{}}sb}", "type", "object", "properties", members, "patternProperties",
				LOOP_KEY, reference("loop"), VARIABLE_KEY, "additionalProperties", 0);

	for (size_t i = 0; i < object->member_count; i++) {
		bool names = type != NULL && specs_member_generated(type, &object->members[i]);

		json_object_set_new(members, object->members[i].name,
				    member_schema(&object->members[i], names ? type->name_max : -1));
	}
	add_required(out, object, type);
	return out;
}

static json_t *value_schema(const struct schema_value *value, int64_t name_max)
{
	switch (value->kind) {
	case SCHEMA_STRING:
		return string_schema(value, name_max);
	case SCHEMA_INTEGER:
	case SCHEMA_NUMBER:
		return number_schema(value);
	case SCHEMA_BOOLEAN:
		return reference("boolean");
	case SCHEMA_OBJECT:
		return or_function(object_schema(value, NULL));
	case SCHEMA_LIST:
		return list_schema(value);
	case SCHEMA_MAP:
		return map_schema(value);
	case SCHEMA_JSON:
		break;
	}
	return reference("json");
}

/* -- Types --------------------------------------------------------------------------------------------------------- */

/* A property may be called like a function (Muster::Recording), and stand alone. */
static void except_members(json_t *out, const struct schema_value *properties)
{
	json_t *conditions = json_pack("[o]", reference("isFunction"));

	for (size_t i = 0; i < properties->member_count; i++)
		if (text_starts(properties->members[i].name, "Muster::"))
			json_array_append_new(conditions,
					      json_pack("{s{s[s]}}", "not", "required", properties->members[i].name));
	if (json_array_size(conditions) > 1)
		json_object_set_new(out, "if", json_pack("{so}", "allOf", conditions));
	else
		json_decref(conditions);
}

json_t *specs_json_schema_properties(const struct schema_type *type)
{
	json_t *out = or_function(object_schema(&type->properties, type));

	except_members(out, &type->properties);
	json_object_set_new(out, "title", json_string(type->name));
	if (type->description != NULL)
		json_object_set_new(out, "description", json_string(type->description));
	return out;
}

bool specs_json_schema_needed(const struct schema_type *type)
{
	for (size_t i = 0; i < type->properties.member_count; i++)
		if (type->properties.members[i].required && !specs_member_generated(type, &type->properties.members[i]))
			return true;
	return false;
}
