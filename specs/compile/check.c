/* Checking values against schemas. What is not known yet (residual expressions) is left out and checked again when it
 * is known. */
#include "specs/compile/compile.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void check_error(struct check *check, const struct json_path *path, bool at_key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static const char *check_text(const struct check *check, const char *text)
{
	return check->eval != NULL ? specs_eval_where(check->eval, check->node, text) : text;
}

static void check_error(struct check *check, const struct json_path *path, bool at_key, const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT, spelled = BUF_INIT;
	struct diag_place place = {0};
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	check->errors++;
	if (check->doc != NULL) {
		json_doc_error(check->doc, path, at_key, check->d, "%s", check_text(check, buf_str(&text)));
		return;
	}
	if (check->place != NULL)
		place = *check->place;
	if (place.json_path != NULL)
		buf_addf(&spelled, "%s%s", place.json_path, path != NULL && path->key != NULL ? "." : "");
	json_path_print(&spelled, path);
	place.json_path = buf_str(&spelled);
	diag_at(check->d, DIAG_ERROR, &place, "%s", buf_str(&text));
}

/* -- patterns -- */

/* POSIX extended expressions, with the few Perl classes that templates use. */
static int pattern_translate(struct buf *out, const char *pattern)
{
	static const struct {
		char letter;
		const char *inside;
	} classes[] = {{'d', "0-9"}, {'w', "A-Za-z0-9_"}, {'s', "[:space:]"}};
	bool bracket = false;

	buf_adds(out, "^(");
	for (const char *c = pattern; *c != '\0'; c++) {
		size_t k = 0;

		if (!bracket && c[0] == '(' && c[1] == '?') {
			if (c[2] != ':')
				return -1;
			buf_addc(out, '(');
			c += 2;
			continue;
		}
		if (c[0] == '\\' && c[1] != '\0') {
			while (k < COUNT_OF(classes) && classes[k].letter != c[1])
				k++;
			if (k < COUNT_OF(classes))
				buf_addf(out, bracket ? "%s" : "[%s]", classes[k].inside);
			else if (bracket && c[1] != ']' && c[1] != '^' && c[1] != '-')
				buf_addc(out, c[1]);
			else
				buf_add(out, c, 2);
			c++;
			continue;
		}
		if (*c == '[' && !bracket) {
			bracket = true;
			buf_addc(out, *c);
			if (c[1] == '^')
				buf_addc(out, *++c);
			if (c[1] == ']')
				buf_addc(out, *++c);
			continue;
		}
		if (*c == ']')
			bracket = false;
		buf_addc(out, *c);
	}
	buf_adds(out, ")$");
	return 0;
}

regex_t *specs_pattern_compile(const char *pattern, char **error)
{
	buf_auto struct buf text = BUF_INIT;
	regex_t *regex = mem_alloc(sizeof *regex);
	char message[200] = "look-ahead and inline flags are not known";
	int result = pattern_translate(&text, pattern);

	/* Repetition counts multiply in the matcher's memory: a longer pattern is not one that a person wrote. */
	if (result == 0 && text.len > 2000) {
		snprintf(message, sizeof message, "longer than 2,000 bytes");
		result = -1;
	}
	if (result == 0) {
		result = regcomp(regex, buf_str(&text), REG_EXTENDED | REG_NOSUB);
		if (result == 0)
			return regex;
		regerror(result, regex, message, sizeof message);
	}
	free(regex);
	*error = mem_strdup(message);
	return NULL;
}

struct pattern {
	regex_t *regex; /* NULL: the type file's pattern is wrong; then nothing is checked by it */
};

static bool pattern_matches(struct specs *specs, const char *pattern, const char *s)
{
	struct pattern own = {NULL},
		       *compiled = specs != NULL ? specs_table_get(&specs->private->patterns, pattern) : &own;
	mem_auto_str char *error = NULL;
	bool matches = true;

	if (compiled == NULL) {
		compiled = specs_arena_alloc(&specs->private->arena, sizeof *compiled);
		compiled->regex = specs_pattern_compile(pattern, &error);
		specs_table_put(&specs->private->patterns, pattern, compiled);
	} else if (compiled == &own) {
		own.regex = specs_pattern_compile(pattern, &error);
	}
	if (compiled->regex != NULL)
		matches = regexec(compiled->regex, s, 0, NULL, 0) == 0;
	if (own.regex != NULL)
		regfree(own.regex);
	free(own.regex);
	return matches;
}

void specs_patterns_free(struct specs *specs)
{
	struct table *patterns = &specs->private->patterns;

	for (size_t i = 0; i < patterns->size; i++) {
		struct pattern *pattern = patterns->slots[i].value;

		if (pattern != NULL && pattern->regex != NULL)
			regfree(pattern->regex);
		if (pattern != NULL)
			free(pattern->regex);
	}
	specs_table_free(patterns);
}

/* -- scalars -- */

/* Shows a value in a message, cut where it is long. */
static char *shown(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text != NULL && strlen(text) > 80) {
		size_t cut = 76;

		while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
			cut--;
		memcpy(text + cut, "...", 4);
	}
	return text;
}

static void check_enumeration(struct check *check, const json_t *value, const struct schema_value *schema,
			      const struct json_path *path)
{
	size_t count = json_array_size(schema->enumeration);
	const char **names = mem_array(count, sizeof *names);
	buf_auto struct buf list = BUF_INIT;
	mem_auto_str char *nearest = NULL, *text = shown(value);
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		names[i] = json_string_value(json_array_get(schema->enumeration, i));
		found = found || json_equal(json_array_get(schema->enumeration, i), value);
		if (i < 12)
			buf_addf(&list, "%s%s", i > 0 ? ", " : "", names[i] ? names[i] : "?");
	}
	if (count > 12)
		buf_adds(&list, ", ...");
	if (!found) {
		nearest = json_is_string(value) ? specs_report_nearest(json_string_value(value), names, count)
						: mem_strdup("");
		check_error(check, path, false, "%s is not allowed: one of %s%s", text, buf_str(&list), nearest);
	}
	free(names);
}

static size_t count_characters(const char *s)
{
	size_t count = 0;

	for (; *s != '\0'; s++)
		count += ((unsigned char)*s & 0xc0) != 0x80;
	return count;
}

static void check_length(struct check *check, int64_t length, const char *noun, const struct schema_value *schema,
			 const struct json_path *path)
{
	buf_auto struct buf has = BUF_INIT, limit = BUF_INIT;

	text_count(&has, (size_t)length, noun);
	if (schema->min_length >= 0 && length < schema->min_length) {
		text_count(&limit, (size_t)schema->min_length, noun);
		check_error(check, path, false, "too short: %s, at least %s needed", buf_str(&has), buf_str(&limit));
	}
	if (schema->max_length >= 0 && length > schema->max_length) {
		text_count(&limit, (size_t)schema->max_length, noun);
		check_error(check, path, false, "too long: %s, at most %s allowed", buf_str(&has), buf_str(&limit));
	}
}

/* The type's rule for names that are made. Services take more characters than it has in some cases, so that these are a
 * warning, and none where a pattern tells. */
static void check_name(struct check *check, const char *s, const struct schema_value *schema,
		       const struct json_path *path)
{
	const struct schema_type *type = check->type;
	const struct schema_member *member = type == NULL || type->name_property == NULL
						 ? NULL
						 : schema_value_member(&type->properties, type->name_property);
	size_t length = count_characters(s);

	if (member == NULL || &member->value != schema)
		return;
	if (schema->max_length < 0 && type->name_max > 0 && length > (size_t)type->name_max)
		check_error(check, path, false, "too long: a name here has at most %lld characters, this one %zu",
			    (long long)type->name_max, length);
	if (schema->pattern != NULL || check->doc == NULL || check->eval != NULL)
		return;
	while (*s != '\0' && specs_name_allows(type, *s))
		s++;
	/* What queues and topics that keep their order must end in. */
	if (*s != '\0' && strcmp(s, ".fifo") != 0)
		json_doc_warning(check->doc, path, check->d,
				 "the name holds other characters than %s: the service may refuse it",
				 type->name_allowed);
}

static void check_string(struct check *check, const json_t *value, const struct schema_value *schema,
			 const struct json_path *path)
{
	const char *s = json_string_value(value);

	check_length(check, (int64_t)count_characters(s), "character", schema, path);
	check_name(check, s, schema, path);
	if (schema->pattern != NULL && !pattern_matches(check->specs, schema->pattern, s)) {
		mem_auto_str char *text = shown(value);

		check_error(check, path, false, "%s does not match %s", text, schema->pattern);
	}
}

static void check_number(struct check *check, const json_t *value, const struct schema_value *schema,
			 const struct json_path *path)
{
	double number = json_number_value(value);

	if (!isnan(schema->minimum) && number < schema->minimum)
		check_error(check, path, false, "%g is too small: at least %g", number, schema->minimum);
	if (!isnan(schema->maximum) && number > schema->maximum)
		check_error(check, path, false, "%g is too large: at most %g", number, schema->maximum);
}

/* -- kinds -- */

static const char *kind_words(enum schema_kind kind)
{
	static const char *const words[] = {"a string",  "an integer", "a number",  "true or false",
					    "an object", "a list",     "an object", "JSON"};

	return words[kind];
}

/* The path ends at the object, as people read it, the place is the key's. */
static void check_unknown(struct check *check, const struct json_path *path, const char *key, const char *nearest)
{
	struct diag_place place = {0};
	buf_auto struct buf spelled = BUF_INIT, text = BUF_INIT;

	if (check->doc == NULL) {
		check_error(check, path, true, "unknown property \"%s\"%s", key, nearest);
		return;
	}
	check->errors++;
	json_path_print(&spelled, path);
	place.file = check->doc->file;
	place.json_path = buf_str(&spelled);
	json_doc_locate(check->doc, JSON_PATH_KEY(path, key), true, &place.line, &place.column);
	buf_addf(&text, "unknown property \"%s\"%s", key, nearest);
	diag_at(check->d, DIAG_ERROR, &place, "%s", check_text(check, buf_str(&text)));
}

void specs_value_check_members(struct check *check, const json_t *value, const struct schema_value *schema,
			       const struct json_path *path)
{
	for (void *iter = json_object_iter((json_t *)value); iter != NULL;
	     iter = json_object_iter_next((json_t *)value, iter))
		specs_value_check_member(check, json_object_iter_key(iter), schema, path);
	for (size_t i = 0; i < schema->member_count; i++)
		if (schema->members[i].required && !specs_member_generated(check->type, &schema->members[i]) &&
		    json_object_get(value, schema->members[i].name) == NULL)
			specs_value_check_missing(check, schema->members[i].name, path);
}

void specs_value_check_missing(struct check *check, const char *name, const struct json_path *path)
{
	check_error(check, path, true, "required property \"%s\" is missing", name);
}

/* The path as type files write one, Rules[].Transition: without indexes, and without the functions on the way. */
static void path_shape(struct buf *out, const struct json_path *path)
{
	const struct json_path *up = path != NULL ? path->up : NULL;

	if (path == NULL)
		return;
	if (up != NULL && up->key != NULL && text_starts(up->key, path->key == NULL ? "Fn::" : "Muster::")) {
		path_shape(out, up->up);
		buf_adds(out, path->key == NULL ? "" : "[]");
		return;
	}
	path_shape(out, up);
	if (path->key == NULL)
		buf_adds(out, "[]");
	else
		buf_addf(out, ".%s", path->key);
}

/* `, REASON` for what the registry knows and the type file leaves out, else NULL. */
static char *why_left_out(const struct check *check, const char *key, const struct schema_value *schema,
			  const struct json_path *path)
{
	const json_t *left_out = check->type != NULL ? check->type->left_out : NULL;
	const char *why = NULL, *name;
	buf_auto struct buf shape = BUF_INIT;
	json_t *reason;

	if (left_out == NULL)
		return NULL;
	path_shape(&shape, path);
	buf_addf(&shape, ".%s", key);
	if (schema == &check->type->properties)
		why = json_get_string(left_out, key);
	else
		json_object_foreach((json_t *)left_out, name, reason)
		{
			mem_auto_str char *inside = mem_printf(".%s", name);

			if (strchr(name, '.') != NULL && text_ends(buf_str(&shape), inside))
				why = json_string_value(reason);
		}
	return why != NULL ? mem_printf(", which this program does not support: %s", why) : NULL;
}

const struct schema_member *specs_value_check_member(struct check *check, const char *key,
						     const struct schema_value *schema, const struct json_path *path)
{
	const struct schema_member *member = schema_value_member(schema, key);
	const char **names;

	if (member == NULL) {
		mem_auto_str char *nearest = NULL;

		names = mem_array(schema->member_count, sizeof *names);
		for (size_t i = 0; i < schema->member_count; i++)
			names[i] = schema->members[i].name;
		nearest = why_left_out(check, key, schema, path);
		if (nearest == NULL)
			nearest = specs_report_nearest(key, names, schema->member_count);
		free(names);
		check_unknown(check, path, key, nearest);
	} else if (member->read_only) {
		check_error(check, JSON_PATH_KEY(path, key), true, "the property is read-only: the service sets it");
	}
	return member;
}

static void check_json(struct check *check, const json_t *value, const struct json_path *path)
{
	json_error_t error;
	json_t *parsed;

	if (!json_is_string(value))
		return;
	parsed = json_loads(json_string_value(value), JSON_REJECT_DUPLICATES, &error);
	if (parsed == NULL)
		check_error(check, path, false, "the string does not hold a JSON document: %s", error.text);
	json_decref(parsed);
}

void specs_value_check_size(struct check *check, const json_t *value, const struct schema_value *schema,
			    const struct json_path *path)
{
	size_t bytes;

	if (schema->max_bytes < 0 || specs_has_residual(value))
		return;
	if (json_is_string(value))
		bytes = json_string_length(value);
	else
		bytes = json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
	if (bytes > (size_t)schema->max_bytes)
		check_error(check, path, false, "%zu bytes; the service takes at most %lld", bytes,
			    (long long)schema->max_bytes);
}

static void check_inside(struct check *check, const json_t *value, const struct schema_value *schema,
			 const struct json_path *path)
{
	json_t *item;
	const char *key;
	size_t i;

	if (schema->kind == SCHEMA_LIST) {
		check_length(check, (int64_t)json_array_size(value), "item", schema, path);
		json_array_foreach((json_t *)value, i, item)
		    specs_value_check(check, item, schema->item, JSON_PATH_ITEM(path, i));
	} else if (schema->kind == SCHEMA_MAP) {
		json_object_foreach((json_t *)value, key, item)
		    specs_value_check(check, item, schema->item, JSON_PATH_KEY(path, key));
	} else if (schema->kind == SCHEMA_OBJECT) {
		specs_value_check_members(check, value, schema, path);
		json_object_foreach((json_t *)value, key, item)
		{
			const struct schema_member *member = schema_value_member(schema, key);

			if (member != NULL)
				specs_value_check(check, item, &member->value, JSON_PATH_KEY(path, key));
		}
	} else if (schema->kind == SCHEMA_JSON) {
		check_json(check, value, path);
	}
}

void specs_value_check(struct check *check, const json_t *value, const struct schema_value *schema,
		       const struct json_path *path)
{
	if (schema == NULL || specs_is_residual(value))
		return;
	if (!schema_kind_fits(schema->kind, value)) {
		const char *function = specs_call_among(value);

		if (function != NULL) {
			check_error(check, path, false, "a function (%s) stands alone in its object", function);
			return;
		}
		check_error(check, path, false, "must be %s, not %s", kind_words(schema->kind), json_kind_name(value));
		return;
	}
	if (schema->enumeration != NULL && !json_is_array(value) && !json_is_object(value))
		check_enumeration(check, value, schema, path);
	if (json_is_string(value) && schema->kind == SCHEMA_STRING)
		check_string(check, value, schema, path);
	else if (json_is_number(value))
		check_number(check, value, schema, path);
	check_inside(check, value, schema, path);
	specs_value_check_size(check, value, schema, path);
}

/* -- spelling -- */

/* Parameters and functions often give text where a number or boolean is meant, and the other way round; CloudFormation
 * takes both. */
static json_t *scalar_coerce(const json_t *value, enum schema_kind kind)
{
	const char *s = json_string_value(value);
	buf_auto struct buf text = BUF_INIT;
	char *end;

	if (kind == SCHEMA_STRING && !json_is_string(value) && specs_scalar_text(&text, value))
		return json_string(buf_str(&text));
	if (s == NULL || *s == '\0')
		return NULL;
	if (kind == SCHEMA_BOOLEAN && (strcmp(s, "true") == 0 || strcmp(s, "false") == 0))
		return json_boolean(*s == 't');
	if (kind == SCHEMA_INTEGER || kind == SCHEMA_NUMBER) {
		long long integer = strtoll(s, &end, 10);

		if (*end == '\0' && strlen(s) < 19)
			return json_integer(integer);
	}
	if (kind == SCHEMA_NUMBER) {
		double real = strtod(s, &end);

		if (*end == '\0' && isfinite(real))
			return json_real(real);
	}
	return NULL;
}

static bool coerce_needed(const json_t *value, const struct schema_value *schema)
{
	json_t *item;
	const char *key;
	size_t i;

	if (schema == NULL || specs_is_residual(value))
		return false;
	if (schema->kind == SCHEMA_LIST) {
		json_array_foreach((json_t *)value, i, item) if (coerce_needed(item, schema->item)) return true;
	} else if (schema->kind == SCHEMA_MAP || schema->kind == SCHEMA_OBJECT) {
		json_object_foreach((json_t *)value, key, item)
		{
			const struct schema_member *member =
			    schema->kind == SCHEMA_OBJECT ? schema_value_member(schema, key) : NULL;

			if (coerce_needed(item, member != NULL ? &member->value : schema->item))
				return true;
		}
	} else if (schema->kind != SCHEMA_JSON) {
		return !schema_kind_fits(schema->kind, value);
	}
	return false;
}

static json_t *coerced(const json_t *value, const struct schema_value *schema)
{
	json_t *out = NULL, *item;
	const char *key;
	size_t i;

	if (!coerce_needed(value, schema))
		return json_incref((json_t *)value);
	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach((json_t *)value, i, item) json_array_append_new(out, coerced(item, schema->item));
	} else if (json_is_object(value)) {
		out = json_object();
		json_object_foreach((json_t *)value, key, item)
		{
			const struct schema_member *member =
			    schema->kind == SCHEMA_OBJECT ? schema_value_member(schema, key) : NULL;

			json_object_set_new(out, key, coerced(item, member != NULL ? &member->value : schema->item));
		}
	} else {
		out = scalar_coerce(value, schema->kind);
	}
	return out != NULL ? out : json_incref((json_t *)value);
}

void specs_value_coerce(json_t **value, const struct schema_value *schema)
{
	json_t *out = coerced(*value, schema);

	json_decref(*value);
	*value = out;
}

/* -- for other rooms -- */

bool specs_member_generated(const struct schema_type *type, const struct schema_member *member)
{
	return type != NULL && type->name_property != NULL &&
	       schema_value_member(&type->properties, type->name_property) == member;
}

int specs_properties_check(const struct schema_type *type, const json_t *properties, const struct diag_place *place,
			   struct diag *d)
{
	struct check check = {NULL, place, NULL, type, d, 0, NULL, NULL};

	specs_value_check(&check, properties, &type->properties, NULL);
	return check.errors == 0 ? 0 : -1;
}
