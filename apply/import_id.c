/* What an identifier says of a resource: the attribute or the properties by which its type reads it. */
#include <stdlib.h>
#include <string.h>

#include "apply/apply.h"
#include "apply/import.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

/* Plain placeholders in a template: ${Name} and ${Name|default}; not those of the place (AWS::...). */
struct placeholder {
	const char *start, *end; /* of "${...}" */
	char *name;
};

static bool placeholder_at(struct placeholder *out, const char *at)
{
	const char *end = strncmp(at, "${", 2) == 0 ? strchr(at, '}') : NULL;
	size_t len;

	if (end == NULL)
		return false;
	len = strcspn(at + 2, "|}!");
	*out = (struct placeholder){at, end + 1, mem_strndup(at + 2, len)};
	return true;
}

/* Alternatives, items of lists and conditions cannot be read backwards. */
static bool is_plain(const char *template)
{
	return strstr(template, "||") == NULL && strchr(template, '[') == NULL && strchr(template, '!') == NULL;
}

/* -- Reading a predicted attribute backwards ------------------------------------------------------------------------
 */

static const char *of_place(const struct schema_place *place, const char *name)
{
	if (strcmp(name, "AWS::AccountId") == 0)
		return place->account_id;
	if (strcmp(name, "AWS::Region") == 0)
		return place->region;
	if (strcmp(name, "AWS::Partition") == 0)
		return place->partition;
	return strcmp(name, "AWS::URLSuffix") == 0 ? place->url_suffix : NULL;
}

/* How many bytes at most a property may take of `text`: a name goes to the next slash, where names hold none. */
static size_t most_of(const struct schema_type *type, const char *name, const char *text)
{
	bool is_name = type->name_property != NULL && strcmp(type->name_property, name) == 0;

	if (is_name && (type->name_allowed == NULL || strchr(type->name_allowed, '/') == NULL))
		return strcspn(text, "/");
	return strlen(text);
}

static bool match(const struct schema_type *type, const struct schema_place *place, const char *template,
		  const char *text, json_t *into);

static bool match_property(const struct schema_type *type, const struct schema_place *place,
			   const struct placeholder *p, const char *text, json_t *into)
{
	size_t most = most_of(type, p->name, text);

	/* The shortest first: a path ends where the name behind it can begin. */
	for (size_t len = 1; len <= most; len++) {
		if (!match(type, place, p->end, text + len, into))
			continue;
		json_object_set_new(into, p->name, json_stringn(text, len));
		return true;
	}
	return false;
}

/* Whether `text` is what the template gives; what its properties are then goes to `into`. */
static bool match(const struct schema_type *type, const struct schema_place *place, const char *template,
		  const char *text, json_t *into)
{
	struct placeholder p;
	const char *known;
	bool matches;

	for (; !placeholder_at(&p, template); template ++, text++) {
		if (*template != *text)
			return false;
		if (*template == '\0')
			return true;
	}
	known = of_place(place, p.name);
	if (known != NULL)
		matches =
		    strncmp(text, known, strlen(known)) == 0 && match(type, place, p.end, text + strlen(known), into);
	else
		matches = match_property(type, place, &p, text, into);
	free(p.name);
	return matches;
}

/* An ARN or the like, of which the properties follow. */
static bool by_attribute(struct import_id *out, const struct schema_type *type, const char *id,
			 const struct schema_place *place)
{
	for (size_t i = 0; i < type->attribute_count; i++) {
		const struct schema_attribute *attribute = &type->attributes[i];

		if (attribute->predict == NULL || !is_plain(attribute->predict) ||
		    strncmp(attribute->predict, "arn:", 4) != 0)
			continue;
		json_object_clear(out->properties);
		if (!match(type, place, attribute->predict, id, out->properties))
			continue;
		json_object_set_new(out->attributes, attribute->name, json_string(id));
		return true;
	}
	json_object_clear(out->properties);
	return false;
}

/* -- Parts ----------------------------------------------------------------------------------------------------------
 */

#define PARTS_MAX 16

/* Names of the properties that the type's identity is made of, in order. Free each. */
static size_t identity_names(char *names[PARTS_MAX], const struct schema_type *type)
{
	struct placeholder p;
	size_t count = 0;

	if (type->identity == NULL || !is_plain(type->identity))
		return 0;
	for (const char *at = type->identity; *at != '\0'; at++) {
		if (count == PARTS_MAX || !placeholder_at(&p, at))
			continue;
		names[count++] = p.name;
		at = p.end - 1;
	}
	return count;
}

static void names_free(char *names[PARTS_MAX], size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
}

static void set_property(struct import_id *out, const struct schema_type *type, const char *name, const char *text,
			 size_t len)
{
	const struct schema_member *member = schema_value_member(&type->properties, name);

	if (member != NULL && member->value.kind == SCHEMA_INTEGER)
		json_object_set_new(out->properties, name, json_integer(strtoll(text, NULL, 10)));
	else if (member != NULL && member->value.kind == SCHEMA_BOOLEAN)
		json_object_set_new(out->properties, name, json_boolean(len == 4 && strncmp(text, "true", 4) == 0));
	else
		json_object_set_new(out->properties, name, json_stringn(text, len));
}

static size_t parts_count(const char *id)
{
	size_t count = 1;

	for (; *id != '\0'; id++)
		count += *id == '|';
	return count;
}

/* "a|b": one for each property of the identity; an empty one is left to the spec. */
static int by_parts(struct import_id *out, const struct schema_type *type, const char *id, char *names[PARTS_MAX],
		    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strcspn(id, "|");

		if (len > 0)
			set_property(out, type, names[i], id, len);
		id += len + (id[len] == '|');
	}
	return 0;
}

static bool is_attribute(const struct schema_type *type, const char *name)
{
	return name != NULL && schema_type_attribute(type, name) != NULL;
}

static int wrong_parts(const struct schema_type *type, const char *id, char *names[PARTS_MAX], size_t count,
		       struct diag *d)
{
	buf_auto struct buf form = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		buf_addf(&form, "%s%s", i > 0 ? "|" : "", names[i]);
	if (count > 1 && type->ref != NULL)
		buf_adds(&form, " or ");
	if ((count != 1) && type->ref != NULL)
		buf_adds(&form, type->ref);
	return diag_error(d, "\"%s\" is no identifier of %s: that is %s", id, type->name,
			  form.len > 0 ? buf_str(&form) : "what Ref gives");
}

static int take(struct import_id *out, const struct schema_type *type, const char *id, char *names[PARTS_MAX],
		size_t count, struct diag *d)
{
	if (count > 1 && parts_count(id) == count)
		return by_parts(out, type, id, names, count);
	if (strchr(id, '|') != NULL && (count > 0 || type->ref == NULL))
		return wrong_parts(type, id, names, count, d);
	/* What the service assigns, and what it does not: a topic's ARN has its name in it, but a topic may be called
	 * by its name, too. */
	if (is_attribute(type, type->ref) && (count != 1 || strncmp(id, "arn:", 4) == 0 || strchr(id, ':') != NULL))
		json_object_set_new(out->attributes, type->ref, json_string(id));
	else if (count == 1)
		set_property(out, type, names[0], id, strlen(id));
	else if (type->ref != NULL)
		set_property(out, type, type->ref, id, strlen(id));
	else
		return wrong_parts(type, id, names, count, d);
	return 0;
}

/* An ARN says whose it is: arn:PARTITION:SERVICE:... Some services have another name there, with the same beginning. */
static int check_arn(const struct schema_type *type, const char *id, struct diag *d)
{
	const char *service = strncmp(id, "arn:", 4) == 0 ? strchr(id + 4, ':') : NULL;
	mem_auto_str char *name = NULL;

	if (service == NULL || type->service == NULL)
		return 0;
	name = mem_strndup(service + 1, strcspn(service + 1, ":"));
	if (strncmp(name, type->service, 6) == 0 || strstr(type->service, name) != NULL)
		return 0;
	return diag_error(d, "\"%s\" is the ARN of something of %s, and %s is of %s", id, name, type->name,
			  type->service);
}

int import_identify(struct import_id *out, const struct schema_type *type, const char *id,
		    const struct schema_place *place, struct diag *d)
{
	char *names[PARTS_MAX];
	size_t count = identity_names(names, type);
	int rc = 0;

	*out = (struct import_id){json_object(), json_object()};
	if (*id == '\0')
		rc = wrong_parts(type, id, names, count, d);
	else if (strchr(id, '|') == NULL && check_arn(type, id, d) < 0)
		rc = -1;
	else if (!by_attribute(out, type, id, place))
		rc = take(out, type, id, names, count, d);
	names_free(names, count);
	if (rc < 0)
		import_id_free(out);
	return rc;
}

static const char *recorded_text(const struct plan_record *record, const char *name)
{
	const char *text = name != NULL ? json_get_string(record->attributes, name) : NULL;

	return text != NULL || name == NULL ? text : json_get_string(record->properties, name);
}

char *apply_state_identifier(const struct schema_type *type, const struct plan_record *record)
{
	buf_auto struct buf text = BUF_INIT;
	char *names[PARTS_MAX];
	size_t count = identity_names(names, type);
	const char *ref = recorded_text(record, type->ref);
	bool whole = count > 1;

	for (size_t i = 0; whole && i < count; i++) {
		const char *part = recorded_text(record, names[i]);

		whole = part != NULL && strchr(part, '|') == NULL;
		buf_addf(&text, "%s%s", i > 0 ? "|" : "", whole ? part : "");
	}
	names_free(names, count);
	if (whole)
		return mem_strdup(buf_str(&text));
	return ref != NULL ? mem_strdup(ref) : NULL;
}

void import_id_free(struct import_id *id)
{
	json_decref(id->properties);
	json_decref(id->attributes);
	*id = (struct import_id){0};
}

/* -- Whether what was found is what was meant ------------------------------------------------------------------------
 */

static bool holds(const json_t *object, const char *text, size_t len)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		if (json_is_string(value) && json_string_length(value) == len &&
		    memcmp(json_string_value(value), text, len) == 0)
			return true;
		if (json_is_array(value) && json_is_string(json_array_get(value, 0)) &&
		    strlen(json_string_value(json_array_get(value, 0))) == len &&
		    memcmp(json_string_value(json_array_get(value, 0)), text, len) == 0)
			return true;
	}
	return false;
}

/* A read gives back what it was asked by: an attribute that follows from the place is another one there. */
static bool is_predicted(const struct schema_type *type, const char *name, const char *text, const json_t *properties,
			 const struct schema_place *place)
{
	const struct schema_attribute *attribute = schema_type_attribute(type, name);
	mem_auto_str char *predicted = NULL;

	if (attribute == NULL || attribute->predict == NULL ||
	    schema_template_fill(&predicted, attribute->predict, properties, NULL, place) != 1)
		return true;
	return strcmp(predicted, text) == 0;
}

bool import_is_meant(const struct import_id *id, const struct schema_type *type, const struct schema_place *place,
		     const json_t *properties, const json_t *attributes)
{
	const json_t *both[] = {id->properties, id->attributes};
	const char *name;
	json_t *value;

	for (size_t i = 0; i < 2; i++)
		json_object_foreach((json_t *)both[i], name, value)
		{
			const char *text = json_string_value(value);

			if (text != NULL && !holds(properties, text, strlen(text)) &&
			    !holds(attributes, text, strlen(text)))
				return false;
			if (text != NULL && both[i] == id->attributes &&
			    !is_predicted(type, name, text, properties, place))
				return false;
		}
	return true;
}
