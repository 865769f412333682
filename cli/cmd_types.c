/* muster types */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/type_text.h"
#include "cli/words.h"

struct types_arguments {
	bool json, schema, markdown;
};

static const struct option types_options[] = {
    {"json", OPTION_FLAG, offsetof(struct types_arguments, json), NULL, "JSON for programs", NULL},
    {"schema", OPTION_FLAG, offsetof(struct types_arguments, schema), NULL,
     "JSON Schema for editors: of a stack, or of TYPE, which may also be muster.json or accounts.json", NULL},
    {"markdown", OPTION_FLAG, offsetof(struct types_arguments, markdown), NULL,
     "the reference page of TYPE in Markdown, or the list of all", NULL},
    {0},
};

/* One more rule of a value, on a line of its own under what it is for. */
static void print_rule(const char *name, const char *rule, size_t indent, size_t width)
{
	buf_auto struct buf line = BUF_INIT;

	buf_addf(&line, "%*s%s: ", (int)indent, "", name);
	words_wrap(&line, rule, indent + 2, width);
	fputs(buf_str(&line), stdout);
}

static void print_limits(const struct schema_value *value, size_t indent, size_t width)
{
	buf_auto struct buf limits = BUF_INIT;

	type_text_limits(&limits, value);
	if (limits.len > 0)
		print_rule("limits", buf_str(&limits), indent, width);
}

static void print_rules(const struct schema_value *value, size_t indent, size_t width)
{
	buf_auto struct buf allowed = BUF_INIT;

	for (size_t i = 0; i < json_array_size(value->enumeration); i++)
		buf_addf(&allowed, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(value->enumeration, i)));
	if (allowed.len > 0)
		print_rule("one of", buf_str(&allowed), indent, width);
	if (value->pattern != NULL)
		print_rule("pattern", value->pattern, indent, width);
	print_limits(value, indent, width);
}

static void print_facts(const struct schema_member *member, const struct schema_value *inner)
{
	printf("%s", type_text_kind(&member->value));
	if (inner != &member->value)
		printf(" of %s", type_text_kind(inner));
	printf("%s%s%s%s%s", member->required ? ", required" : "", member->create_only ? ", a change replaces" : "",
	       member->read_only ? ", read-only" : "", member->write_only ? ", write-only" : "",
	       member->sensitive ? ", sensitive" : "");
	if (member->initial != NULL) {
		char *text = json_dumps(member->initial, JSON_ENCODE_ANY | JSON_COMPACT);

		printf(", default %s", text);
		free(text);
	}
	putchar('\n');
}

static void print_member(const struct schema_member *member, int depth, size_t width)
{
	const struct schema_value *inner = &member->value;
	size_t indent = 2 + 2 * (size_t)depth;

	printf("%*s%-*s ", (int)indent, "", 34 - 2 * depth, member->name);
	while (inner->kind == SCHEMA_LIST || inner->kind == SCHEMA_MAP)
		inner = inner->item;
	print_facts(member, inner);
	if (member->description != NULL) {
		buf_auto struct buf text = BUF_INIT;

		buf_addf(&text, "%*s", (int)indent + 2, "");
		words_wrap(&text, member->description, indent + 2, width);
		fputs(buf_str(&text), stdout);
	}
	for (const struct schema_value *value = &member->value;; value = value->item) {
		print_rules(value, indent + 2, width);
		if (value == inner)
			break;
	}
	if (inner->kind == SCHEMA_OBJECT && depth < 8)
		for (size_t i = 0; i < inner->member_count; i++)
			print_member(&inner->members[i], depth + 1, width);
}

static void print_name(const struct schema_type *type, size_t width)
{
	buf_auto struct buf line = BUF_INIT, rule = BUF_INIT;

	if (type->name_property == NULL)
		return;
	buf_addf(&rule, "%s; left out, a name is made.", type->name_property);
	if (type->name_max > 0)
		buf_addf(&rule, " At most %" PRId64 " characters%s%s.", type->name_max,
			 type->name_allowed == NULL ? "" : " of ",
			 type->name_allowed == NULL ? "" : type->name_allowed);
	if (type->name_lower)
		buf_adds(&rule, " No capitals.");
	buf_adds(&line, "\nName: ");
	words_wrap(&line, buf_str(&rule), 6, width);
	fputs(buf_str(&line), stdout);
}

static void print_type(const struct schema_type *type, size_t width)
{
	printf("%s\n", type->name);
	if (type->description != NULL) {
		buf_auto struct buf text = BUF_INIT;

		words_wrap(&text, type->description, 0, width);
		fputs(buf_str(&text), stdout);
	}
	print_name(type, width);
	printf("\nProperties:\n");
	for (size_t i = 0; i < type->properties.member_count; i++)
		print_member(&type->properties.members[i], 0, width);
	if (type->ref != NULL)
		printf("\nRef gives: %s\n", type->ref);
	if (type->attribute_count > 0)
		printf("\nAttributes (Fn::GetAtt):\n");
	for (size_t i = 0; i < type->attribute_count; i++)
		printf("  %-34s %s\n", type->attributes[i].name,
		       type->attributes[i].predict == NULL ? "known after apply" : type->attributes[i].predict);
}

/* -- Finding ---------------------------------------------------------------------------------------------------------
 */

static char *lower(const char *text)
{
	char *copy = mem_strdup(text);

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* `wanted` is a glob over the whole name, or any part of it; capitals do not count. */
static bool fits(const char *name, const char *wanted)
{
	mem_auto_str char *low = lower(name), *pattern = lower(wanted);

	return strpbrk(pattern, "*?[") != NULL ? text_glob(pattern, low) : strstr(low, pattern) != NULL;
}

/* What fits `wanted` (NULL: all), in an array to be freed. The full name fits alone: AWS::SNS::Topic is also a part of
 * AWS::SNS::TopicPolicy. */
static const struct schema_type **find(const struct schema_set *schemas, const char *wanted, size_t *found)
{
	size_t count;
	const struct schema_type *const *types = schema_set_list(schemas, &count);
	const struct schema_type **fitting = mem_array(count + 1, sizeof(const struct schema_type *));

	*found = 0;
	for (size_t i = 0; i < count; i++) {
		if (wanted != NULL && strcasecmp(types[i]->name, wanted) == 0) {
			fitting[0] = types[i];
			*found = 1;
			break;
		}
		if (wanted == NULL || fits(types[i]->name, wanted))
			fitting[(*found)++] = types[i];
	}
	return fitting;
}

static int unknown(struct cli *cli, const struct schema_set *schemas, const char *name)
{
	const char *meant = schema_set_nearest(schemas, name);

	diag_error(&cli->diag, "there is no type %s%s%s%s; muster types lists them", name,
		   meant == NULL ? "" : " (did you mean ", meant == NULL ? "" : meant, meant == NULL ? "" : "?)");
	return CLI_FAILED;
}

static void print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

static void list(const struct schema_type *const *types, size_t count, size_t width)
{
	size_t widest = 0;

	for (size_t i = 0; i < count; i++)
		if (strlen(types[i]->name) > widest)
			widest = strlen(types[i]->name);
	for (size_t i = 0; i < count; i++)
		options_help_line(types[i]->name, types[i]->description == NULL ? "" : types[i]->description,
				  widest + 4, width, stdout);
}

static void list_json(const struct schema_type *const *types, size_t count)
{
	json_auto_t *names = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(names, json_string(types[i]->name));
	print_json(names);
}

static void print_markdown(const struct schema_type *const *types, size_t count, bool page)
{
	buf_auto struct buf text = BUF_INIT;

	if (page)
		type_text_page(&text, types[0]);
	else
		type_text_index(&text, types, count);
	fputs(buf_str(&text), stdout);
}

static int show(struct cli *cli, const struct schema_set *schemas, const char *wanted,
		const struct types_arguments *given)
{
	bool json = given->json;
	size_t count, width = (size_t)cli->terminal.width;
	const struct schema_type **found = find(schemas, wanted, &count);
	int status = CLI_DONE;

	if (count == 0)
		status = unknown(cli, schemas, wanted);
	else if (given->markdown)
		print_markdown(found, count, wanted != NULL && count == 1);
	else if (wanted != NULL && count == 1 && json)
		print_json(found[0]->document);
	else if (wanted != NULL && count == 1)
		print_type(found[0], width);
	else if (json)
		list_json(found, count);
	else
		list(found, count, width);
	free(found);
	return status;
}

static int show_schema(struct cli *cli, const struct schema_set *schemas, const char *wanted)
{
	json_auto_t *schema = specs_json_schema(wanted == NULL ? "stack" : wanted, schemas);
	const struct schema_type **found;
	size_t count;

	if (schema == NULL) {
		found = find(schemas, wanted, &count);
		schema = count == 1 ? specs_json_schema(found[0]->name, schemas) : NULL;
		free(found);
	}
	if (schema == NULL) {
		diag_error(&cli->diag,
			   "there is no schema of %s: name muster.json, accounts.json, stack or one type (muster types "
			   "lists them)",
			   wanted);
		return CLI_FAILED;
	}
	print_json(schema);
	return CLI_DONE;
}

static int types(struct cli *cli, const void *arguments, const char **words, size_t count)
{
	const struct types_arguments *given = arguments;
	int status = CLI_FAILED;
	struct session s;

	session_start(&s, cli);
	if (session_open_provider(&s) == 0) {
		const struct schema_set *schemas = s.provider->ops->schemas(s.provider);

		status = given->schema ? show_schema(cli, schemas, count > 0 ? words[0] : NULL)
				       : show(cli, schemas, count > 0 ? words[0] : NULL, given);
	}
	session_close(&s);
	return status;
}

const struct command command_types = {
    .name = "types",
    .words = "[TYPE]",
    .words_max = 1,
    .summary = "list the resource types, or one type's properties",
    .details =
	"TYPE may be a part of a name, or a glob, without regard to capitals: muster types sns. One that fits is "
	"shown, several are listed.\n\n"
	"More types are read from the directories in MUSTER_TYPES_PATH (separated by colons).\n\n"
	"Editors check and complete specs with a JSON Schema: muster types --schema > stack.schema.json",
    .options = types_options,
    .anywhere = true,
    .arguments_size = sizeof(struct types_arguments),
    .run = types,
};
