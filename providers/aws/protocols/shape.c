/* Reads the shapes of a service file. See shape.h; words and forms are described in docs/services.md. */
#include "providers/aws/protocols/shape.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

struct scalar_word {
	const char *word;
	enum aws_kind kind;
	enum aws_time time;
};

static const struct scalar_word scalar_words[] = {
    {"any", AWS_ANY, AWS_TIME_OF_PROTOCOL},
    {"string", AWS_STRING, AWS_TIME_OF_PROTOCOL},
    {"integer", AWS_INTEGER, AWS_TIME_OF_PROTOCOL},
    {"float", AWS_FLOAT, AWS_TIME_OF_PROTOCOL},
    {"boolean", AWS_BOOLEAN, AWS_TIME_OF_PROTOCOL},
    {"blob", AWS_BLOB, AWS_TIME_OF_PROTOCOL},
    {"timestamp", AWS_TIMESTAMP, AWS_TIME_OF_PROTOCOL},
    {"timestamp-iso8601", AWS_TIMESTAMP, AWS_TIME_ISO8601},
    {"timestamp-http", AWS_TIMESTAMP, AWS_TIME_HTTP},
    {"timestamp-unix", AWS_TIMESTAMP, AWS_TIME_UNIX},
    {"encoded", AWS_ENCODED, AWS_TIME_OF_PROTOCOL},
};

/* Every word that a member's object may have. */
static const char *const member_words[] = {"Type", "Members", "List", "Map",   "Name", "In",
					   "Item", "Flat",    "Key",  "Value", "Entry"};

static int read_shape(const struct aws_shape **out, struct aws_shape_reader *r, const json_t *spec, const char *where);

static struct aws_shape *shape_new(struct aws_shape_reader *r, enum aws_kind kind)
{
	struct aws_shape_list *owner = r->owner;
	struct aws_shape *shape = mem_alloc(sizeof *shape);
	owner->items = mem_resize(owner->items, owner->count + 1, sizeof *owner->items);
	owner->items[owner->count++] = shape;
	shape->kind = kind;
	return shape;
}

void aws_shape_list_free(struct aws_shape_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++) {
		struct aws_shape *shape = list->items[i];
		for (size_t m = 0; !shape->alias && m < shape->member_count; m++)
			free((char *)shape->members[m].wire);
		if (!shape->alias)
			free(shape->members);
		free(shape);
	}
	free(list->items);
	free(list);
}

static int refuse(struct aws_shape_reader *r, const char *where, const char *what, const char *name)
{
	return diag_error(r->d, "%s: %s: %s \"%s\"", r->file, where, what, name);
}

static int read_scalar(const struct aws_shape **out, struct aws_shape_reader *r, const char *word, const char *where)
{
	for (size_t i = 0; i < sizeof scalar_words / sizeof *scalar_words; i++) {
		if (strcmp(scalar_words[i].word, word) == 0) {
			struct aws_shape *shape = shape_new(r, scalar_words[i].kind);
			shape->time = scalar_words[i].time;
			*out = shape;
			return 0;
		}
	}
	return refuse(r, where, "unknown type", word);
}

/* A shape by its name in "Shapes". Its place is entered before its members are read, so that shapes may nest in
 * themselves. */
static int read_named(const struct aws_shape **out, struct aws_shape_reader *r, const char *name, const char *where)
{
	const json_t *spec = json_object_get(r->named, name);
	if (!spec)
		return refuse(r, where, "unknown shape", name);
	json_t *done = json_object_get(r->named_done, name);
	if (done) {
		*out = r->owner->items[json_integer_value(done)];
		return 0;
	}
	struct aws_shape *place = shape_new(r, AWS_STRUCTURE);
	place->alias = true;
	json_object_set_new(r->named_done, name, json_integer((json_int_t)r->owner->count - 1));
	const struct aws_shape *read = NULL;
	if (read_shape(&read, r, spec, name) < 0 || read == NULL)
		return -1;
	*place = *read;
	place->alias = true;
	*out = place;
	return 0;
}

static int read_word(const struct aws_shape **out, struct aws_shape_reader *r, const char *word, const char *where)
{
	return isupper((unsigned char)*word) ? read_named(out, r, word, where) : read_scalar(out, r, word, where);
}

static int read_list(const struct aws_shape **out, struct aws_shape_reader *r, const json_t *spec, const json_t *item,
		     const char *where)
{
	struct aws_shape *shape = shape_new(r, AWS_LIST);
	shape->item_name = json_get_string(spec, "Item");
	shape->flat = json_get_bool(spec, "Flat", false);
	*out = shape;
	return read_shape(&shape->item, r, item, where);
}

static int read_map(const struct aws_shape **out, struct aws_shape_reader *r, const json_t *spec, const json_t *value,
		    const char *where)
{
	struct aws_shape *shape = shape_new(r, AWS_MAP);
	const char *word;
	shape->entry = (word = json_get_string(spec, "Entry")) ? word : "entry";
	shape->key = (word = json_get_string(spec, "Key")) ? word : "key";
	shape->value = (word = json_get_string(spec, "Value")) ? word : "value";
	shape->flat = json_get_bool(spec, "Flat", false);
	*out = shape;
	return read_shape(&shape->item, r, value, where);
}

static int check_words(struct aws_shape_reader *r, const json_t *spec, const char *where)
{
	const char *word;
	json_t *value;
	json_object_foreach((json_t *)spec, word, value)
	{
		size_t i = 0, count = sizeof member_words / sizeof *member_words;
		while (i < count && strcmp(member_words[i], word) != 0)
			i++;
		if (i == count)
			return refuse(r, where, "unknown word", word);
	}
	return 0;
}

static int read_shape(const struct aws_shape **out, struct aws_shape_reader *r, const json_t *spec, const char *where)
{
	const json_t *part;
	if (json_is_string(spec))
		return read_word(out, r, json_string_value(spec), where);
	if (json_is_array(spec) && json_array_size(spec) == 1)
		return read_list(out, r, NULL, json_array_get(spec, 0), where);
	if (!json_is_object(spec))
		return refuse(r, where, "a type, not", json_kind_name(spec));
	if (check_words(r, spec, where) < 0)
		return -1;
	if ((part = json_object_get(spec, "Members")))
		return aws_shape_read_members(out, r, part, where);
	if ((part = json_object_get(spec, "List")))
		return read_list(out, r, spec, part, where);
	if ((part = json_object_get(spec, "Map")))
		return read_map(out, r, spec, part, where);
	if ((part = json_object_get(spec, "Type")))
		return json_is_string(part) ? read_word(out, r, json_string_value(part), where)
					    : refuse(r, where, "Type must be text, not", json_kind_name(part));
	*out = shape_new(r, r->plain);
	return 0;
}

/* A word of the member itself, or else of the named shape that it refers to. */
static const char *member_word(const struct aws_shape_reader *r, const json_t *spec, const char *word)
{
	const char *own = json_get_string(spec, word);
	const char *name = json_is_string(spec) ? json_string_value(spec) : json_get_string(spec, "Type");
	return own || !name ? own : json_get_string(json_object_get(r->named, name), word);
}

static int read_in(struct aws_member *member, struct aws_shape_reader *r, const char *word)
{
	static const char *const words[] = {"header", "payload", "text"};
	static const enum aws_in ins[] = {AWS_IN_HEADER, AWS_IN_PAYLOAD, AWS_IN_TEXT};
	for (size_t i = 0; word && i < sizeof words / sizeof *words; i++) {
		if (strcmp(word, words[i]) == 0) {
			member->in = ins[i];
			return 0;
		}
	}
	return word ? refuse(r, member->name, "unknown place", word) : 0;
}

static int read_member(struct aws_member *member, struct aws_shape_reader *r, const char *name, const json_t *spec)
{
	const char *wire = member_word(r, spec, "Name");
	member->name = name;
	char *copy = mem_strdup(wire ? wire : name);
	if (!wire && r->camel)
		copy[0] = (char)tolower((unsigned char)copy[0]);
	member->wire = copy;
	if (read_in(member, r, member_word(r, spec, "In")) < 0)
		return -1;
	if (spec)
		return read_shape(&member->shape, r, spec, name);
	member->shape = shape_new(r, r->plain);
	return 0;
}

int aws_shape_read_members(const struct aws_shape **out, struct aws_shape_reader *r, const json_t *members,
			   const char *where)
{
	struct aws_shape *shape = shape_new(r, AWS_STRUCTURE);
	*out = shape;
	if (json_is_array(members)) {
		shape->members = mem_array(json_array_size(members) + 1, sizeof *shape->members);
		for (size_t i = 0; i < json_array_size(members); i++) {
			const char *name = json_string_value(json_array_get(members, i));
			if (!name)
				return refuse(r, where, "a list of names, not of", "other values");
			if (read_member(&shape->members[shape->member_count++], r, name, NULL) < 0)
				return -1;
		}
		return 0;
	}
	if (members && !json_is_object(members))
		return refuse(r, where, "members, not", json_kind_name(members));
	shape->members = mem_array(json_object_size(members) + 1, sizeof *shape->members);
	const char *name;
	json_t *spec;
	json_object_foreach((json_t *)members, name, spec)
	{
		if (read_member(&shape->members[shape->member_count++], r, name, spec) < 0)
			return -1;
	}
	return 0;
}

const struct aws_member *aws_shape_member(const struct aws_shape *structure, const char *name)
{
	for (size_t i = 0; i < structure->member_count; i++) {
		if (strcmp(structure->members[i].name, name) == 0)
			return &structure->members[i];
	}
	return NULL;
}

int aws_shape_error(const struct aws_service *service, const struct aws_operation *operation,
		    const struct json_path *path, struct diag *d, const char *format, ...)
{
	buf_auto struct buf text = BUF_INIT;
	buf_addf(&text, "%s:%s: ", service->name, operation->name);
	if (path) {
		json_path_print(&text, path);
		buf_adds(&text, ": ");
	}
	va_list args;
	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	return diag_error(d, "%s", buf_str(&text));
}

int aws_shape_unknown(const struct aws_shape *structure, const struct aws_service *service,
		      const struct aws_operation *operation, const struct json_path *path, struct diag *d)
{
	const char **names = mem_array(structure->member_count + 1, sizeof *names);
	for (size_t i = 0; i < structure->member_count; i++)
		names[i] = structure->members[i].name;
	const char *near = text_nearest(path->key, names, structure->member_count);
	free(names);
	if (near)
		return aws_shape_error(service, operation, path->up, d, "no member \"%s\" (did you mean \"%s\"?)",
				       path->key, near);
	return aws_shape_error(service, operation, path->up, d, "no member \"%s\"", path->key);
}

int aws_shape_check_names(const struct aws_service *service, const struct aws_operation *operation, const json_t *input,
			  struct diag *d)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)input, name, value)
	{
		if (!aws_shape_member(operation->input, name))
			return aws_shape_unknown(operation->input, service, operation, JSON_PATH_KEY(NULL, name), d);
	}
	return 0;
}

static int timestamp_text(struct buf *out, enum aws_time time_format, const json_t *value)
{
	int64_t unix_ms;
	if (json_is_string(value) && text_time_parse(&unix_ms, json_string_value(value)) < 0)
		return -1;
	if (!json_is_string(value))
		unix_ms = (int64_t)(json_number_value(value) * 1000.0);
	char text[64];
	struct tm tm;
	time_t seconds = (time_t)(unix_ms / 1000);
	switch (time_format) {
	case AWS_TIME_UNIX:
		buf_addf(out, "%lld", (long long)seconds);
		return 0;
	case AWS_TIME_HTTP:
		strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &tm));
		break;
	default:
		text_time(text, sizeof text, unix_ms);
	}
	buf_adds(out, text);
	return 0;
}

/* The shorter of two spellings that read back as the same number. */
static void real_text(struct buf *out, double value)
{
	char text[40];
	snprintf(text, sizeof text, "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof text, "%.17g", value);
	buf_adds(out, text);
}

int aws_shape_scalar(struct buf *out, const struct aws_shape *shape, enum aws_time time, const json_t *value)
{
	if (shape->kind >= AWS_STRUCTURE || json_is_object(value) || json_is_array(value) || json_is_null(value))
		return -1;
	if (shape->kind == AWS_TIMESTAMP)
		return timestamp_text(out, shape->time ? shape->time : time, value);
	if (json_is_string(value)) {
		buf_add(out, json_string_value(value), json_string_length(value));
		return 0;
	}
	if (json_is_boolean(value))
		buf_adds(out, json_is_true(value) ? "true" : "false");
	else if (json_is_integer(value))
		buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		real_text(out, json_real_value(value));
	return 0;
}
