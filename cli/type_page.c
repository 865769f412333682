/* A type's page of the reference, in Markdown. See type_text.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/type_text.h"
#include "cli/words.h"

/* -- What holds for the whole type --------------------------------------------------------------------------------- */

/* One fact as an item of a list; the format's arguments are Markdown already. */
static void add_fact(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_fact(struct buf *out, const char *format, ...)
{
	va_list args;

	buf_adds(out, "- ");
	va_start(args, format);
	buf_vaddf(out, format, args);
	va_end(args);
	buf_addc(out, '\n');
}

static void add_name(struct buf *out, const struct schema_type *type)
{
	if (type->name_property == NULL)
		return;
	buf_addf(out, "- **Name**: `%s`. Left out, a name is made: at most %" PRId64 " characters of `%s`%s.\n",
		 type->name_property, type->name_max, type->name_allowed, type->name_lower ? ", no capitals" : "");
}

static void add_identity(struct buf *out, const struct schema_type *type)
{
	static const char *const scopes[] = {
	    [SCHEMA_REGIONAL] = "an account and region",
	    [SCHEMA_ACCOUNT] = "an account, whatever the region",
	    [SCHEMA_GLOBAL] = "the partition, whatever the account",
	};

	if (type->singleton)
		add_fact(out, "**Identity**: there is one at most in %s. Replacing deletes it first.",
			 scopes[type->scope]);
	else if (type->identity != NULL)
		add_fact(out, "**Identity**: `%s`, once in %s.", type->identity, scopes[type->scope]);
	else
		add_fact(out, "**Identity**: the service gives it one.");
}

static void add_list(struct buf *out, const char *title, const char **items, size_t count)
{
	if (count == 0)
		return;
	buf_addf(out, "- **%s**: ", title);
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s`%s`", i > 0 ? ", " : "", items[i]);
	buf_adds(out, ".\n");
}

static void add_facts(struct buf *out, const struct schema_type *type)
{
	add_fact(out, "**Ref** gives `%s`.", type->ref);
	add_name(out, type);
	add_identity(out, type);
	if (type->retains_data)
		add_fact(out, "**Deleting** it destroys data that cannot be made again; a plan says so.");
	if (type->made_anew != NULL) {
		buf_adds(out, "- **Made anew** by a rollback: ");
		words_markdown(out, type->made_anew);
		buf_adds(out, "\n");
	}
	add_list(out, "Comes after, in the same target", type->after, type->after_count);
	if (type->serialize != NULL)
		add_fact(out, "**One at a time** in a target: changes with the same `%s`.", type->serialize);
	add_list(out, "Only in the regions", type->regions_only, type->regions_only_count);
	add_list(out, "Not in the regions", type->regions_except, type->regions_except_count);
	if (type->settle_ms > 0)
		add_fact(out, "**Settles** in %g seconds: so long the service may not show what was made.",
			 (double)type->settle_ms / 1000);
}

/* -- Properties ---------------------------------------------------------------------------------------------------- */

static void add_word(struct buf *out, const char *word)
{
	buf_addf(out, "%s%s", out->len > 0 ? ", " : "", word);
}

static void add_rules(struct buf *out, const struct schema_value *value)
{
	buf_auto struct buf limits = BUF_INIT;

	type_text_limits(&limits, value);
	if (limits.len > 0)
		add_word(out, buf_str(&limits));
	for (size_t i = 0; i < json_array_size(value->enumeration); i++)
		buf_addf(out, "%s`%s`", i > 0 ? ", " : (out->len > 0 ? "; one of " : "one of "),
			 json_string_value(json_array_get(value->enumeration, i)));
	if (value->pattern != NULL) {
		add_word(out, "pattern ");
		words_markdown_code(out, value->pattern);
	}
	if (value->item != NULL)
		add_rules(out, value->item);
}

static void add_notes(struct buf *out, const struct schema_member *member)
{
	if (member->create_only)
		add_word(out, "a change replaces");
	if (member->read_only)
		add_word(out, "read-only");
	if (member->write_only)
		add_word(out, "the service does not give it back");
	if (member->sensitive)
		add_word(out, "sensitive");
	if (member->computed)
		add_word(out, "left out, the service picks");
	if (member->initial != NULL) {
		mem_auto_str char *text = json_dumps(member->initial, JSON_ENCODE_ANY | JSON_COMPACT);

		add_word(out, "default ");
		words_markdown_code(out, text);
	}
	add_rules(out, &member->value);
}

static void add_kind(struct buf *out, const struct schema_value *value)
{
	buf_adds(out, type_text_kind(value));
	if (value->item != NULL) {
		buf_adds(out, " of ");
		add_kind(out, value->item);
	}
}

static void add_members(struct buf *out, const struct schema_value *object, const char *before);

static void add_member(struct buf *out, const struct schema_member *member, const char *before)
{
	const struct schema_value *inner = &member->value;
	buf_auto struct buf notes = BUF_INIT, path = BUF_INIT;

	buf_addf(&path, "%s%s", before, member->name);
	buf_addf(out, "| `%s` | ", buf_str(&path));
	add_kind(out, inner);
	buf_addf(out, " | %s | ", member->required ? "yes" : "");
	add_notes(&notes, member);
	if (member->description != NULL) {
		words_markdown(out, member->description);
		buf_adds(out, notes.len > 0 ? " " : "");
	}
	buf_addf(out, "%s%s |\n", member->description != NULL && notes.len > 0 ? "· " : "", buf_str(&notes));
	for (; inner->item != NULL; inner = inner->item)
		buf_adds(&path, inner->kind == SCHEMA_LIST ? "[]" : ".*");
	buf_addc(&path, '.');
	if (inner->kind == SCHEMA_OBJECT)
		add_members(out, inner, buf_str(&path));
}

static void add_members(struct buf *out, const struct schema_value *object, const char *before)
{
	for (size_t i = 0; i < object->member_count; i++)
		add_member(out, &object->members[i], before);
}

/* -- The rest ------------------------------------------------------------------------------------------------------ */

static void add_attributes(struct buf *out, const struct schema_type *type)
{
	const json_t *document = json_object_get(type->document, "Attributes");

	if (type->attribute_count == 0)
		return;
	buf_adds(out,
		 "\n## Attributes\n\n`Fn::GetAtt` gives these. Those with a value follow from the properties, and a "
		 "plan shows them.\n\n| attribute | value |\n|---|---|\n");
	for (size_t i = 0; i < type->attribute_count; i++) {
		const struct schema_attribute *attribute = &type->attributes[i];
		const char *about = json_get_string(json_object_get(document, attribute->name), "Description");

		buf_addf(out, "| `%s` | ", attribute->name);
		words_markdown(out, about == NULL ? "" : about);
		buf_adds(out, about == NULL ? "" : " ");
		if (attribute->predict != NULL)
			words_markdown_code(out, attribute->predict);
		else
			buf_adds(out, "known after apply");
		buf_adds(out, " |\n");
	}
}

static void add_example(struct buf *out, const struct schema_type *type)
{
	json_auto_t *stack = NULL;
	mem_auto_str char *text = NULL;
	const char *id = strrchr(type->name, ':');

	if (type->example == NULL)
		return;
	stack = json_pack("{s{s[s]s[s]}s{s{sssO}}}", "Targets", "Accounts", "*", "Regions", "home", "Resources",
			  id == NULL ? type->name : id + 1, "Type", type->name, "Properties", type->example);
	text = json_dumps(stack, JSON_INDENT(2));
	buf_addf(out, "\n## Example\n\n```json\n%s\n```\n", text);
}

/* "service:Operation" of every call in `value`, each once. */
static void add_calls(json_t *calls, const json_t *value, const char *service)
{
	const char *call = json_get_string(value, "Call"), *other = json_get_string(value, "Service"), *key;
	json_t *inner;
	size_t i;

	if (call != NULL) {
		mem_auto_str char *name = mem_printf("%s:%s", other != NULL ? other : service, call);

		json_object_set_new(calls, name, json_true());
	}
	json_array_foreach(value, i, inner) add_calls(calls, inner, service);
	json_object_foreach((json_t *)value, key, inner) add_calls(calls, inner, service);
}

static void add_handlers(struct buf *out, const struct schema_type *type)
{
	static const char *const handlers[] = {"Read", "Find", "Create", "Update", "Delete"};

	buf_adds(out,
		 "\n## API calls\n\nWhat the roles must be allowed to do. IAM's actions mostly have the names of the "
		 "calls.\n\n| to | calls |\n|---|---|\n");
	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
		json_auto_t *calls = json_object();
		const char *call;
		json_t *unused;
		bool first = true;

		add_calls(calls, json_object_get(type->handlers, handlers[i]), type->service);
		if (json_object_size(calls) == 0)
			continue;
		buf_addf(out, "| %s | ", handlers[i]);
		json_object_foreach(calls, call, unused)
		{
			buf_addf(out, "%s`%s`", first ? "" : ", ", call);
			first = false;
		}
		buf_adds(out, " |\n");
	}
}

static void add_left_out(struct buf *out, const struct schema_type *type)
{
	const char *name;
	json_t *reason;

	if (json_object_size(type->left_out) == 0)
		return;
	buf_adds(out, "\n## Not supported\n\nCloudFormation has these properties, muster has not.\n\n| property | why "
		      "|\n|---|---|\n");
	json_object_foreach(type->left_out, name, reason)
	{
		buf_addf(out, "| `%s` | ", name);
		words_markdown(out, json_string_value(reason));
		buf_adds(out, " |\n");
	}
}

void type_text_page(struct buf *out, const struct schema_type *type)
{
	buf_addf(out, "# %s\n\n", type->name);
	if (type->description != NULL) {
		words_markdown(out, type->description);
		buf_adds(out, "\n\n");
	}
	add_facts(out, type);
	add_example(out, type);
	if (type->properties.member_count > 0)
		buf_adds(out, "\n## Properties\n\n| property | type | required | |\n|---|---|---|---|\n");
	add_members(out, &type->properties, "");
	add_attributes(out, type);
	add_left_out(out, type);
	add_handlers(out, type);
}

void type_text_index(struct buf *out, const struct schema_type *const *types, size_t count)
{
	buf_adds(out,
		 "# Resource types\n\nMade by `make docs` from the type files; `muster types TYPE` says the same. How "
		 "a type file is written: [types.md](../types.md). The commands: [commands.md](commands.md).\n\n"
		 "| type | |\n|---|---|\n");
	for (size_t i = 0; i < count; i++) {
		mem_auto_str char *file = mem_strdup(types[i]->name);
		char *to = file;

		for (const char *from = types[i]->name; *from != '\0'; from++)
			if (*from != ':')
				*to++ = *from;
			else if (from[1] == ':')
				*to++ = '-';
		*to = '\0';
		buf_addf(out, "| [%s](%s.md) | ", types[i]->name, file);
		words_markdown(out, types[i]->description == NULL ? "" : types[i]->description);
		buf_adds(out, " |\n");
	}
}
