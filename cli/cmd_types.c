/* muster types */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

struct types_arguments {
	bool json;
};

static const struct option types_options[] = {
    {"json", OPTION_FLAG, offsetof(struct types_arguments, json), NULL, "JSON for programs", NULL},
    {0},
};

static const char *kind_name(const struct schema_value *value)
{
	static const char *const names[] = {
	    [SCHEMA_STRING] = "String",   [SCHEMA_INTEGER] = "Integer", [SCHEMA_NUMBER] = "Number",
	    [SCHEMA_BOOLEAN] = "Boolean", [SCHEMA_OBJECT] = "Object",   [SCHEMA_LIST] = "List",
	    [SCHEMA_MAP] = "Map",         [SCHEMA_JSON] = "Json",
	};

	return names[value->kind];
}

static void print_member(const struct schema_member *member, int depth)
{
	const struct schema_value *inner = &member->value;

	while (inner->kind == SCHEMA_LIST || inner->kind == SCHEMA_MAP)
		inner = inner->item;
	printf("  %*s%-*s %s", 2 * depth, "", 34 - 2 * depth, member->name, kind_name(&member->value));
	if (inner != &member->value)
		printf(" of %s", kind_name(inner));
	printf("%s%s%s%s%s", member->required ? ", required" : "", member->create_only ? ", a change replaces" : "",
	       member->read_only ? ", read-only" : "", member->write_only ? ", write-only" : "",
	       member->sensitive ? ", sensitive" : "");
	if (member->initial != NULL) {
		char *text = json_dumps(member->initial, JSON_ENCODE_ANY | JSON_COMPACT);

		printf(", default %s", text);
		free(text);
	}
	putchar('\n');
	if (inner->kind == SCHEMA_OBJECT && depth < 8)
		for (size_t i = 0; i < inner->member_count; i++)
			print_member(&inner->members[i], depth + 1);
}

static void print_type(const struct schema_type *type)
{
	printf("%s\n", type->name);
	if (type->description != NULL)
		printf("%s\n", type->description);
	printf("\nProperties:\n");
	for (size_t i = 0; i < type->properties.member_count; i++)
		print_member(&type->properties.members[i], 0);
	if (type->ref != NULL)
		printf("\nRef gives: %s\n", type->ref);
	if (type->attribute_count > 0)
		printf("\nAttributes (Fn::GetAtt):\n");
	for (size_t i = 0; i < type->attribute_count; i++)
		printf("  %-34s %s\n", type->attributes[i].name,
		       type->attributes[i].predict == NULL ? "known after apply" : type->attributes[i].predict);
}

static int show_one(struct cli *cli, const struct schema_set *schemas, const char *name, bool json)
{
	const struct schema_type *type = schema_set_find(schemas, name);
	const char *meant = type == NULL ? schema_set_nearest(schemas, name) : NULL;

	if (type == NULL) {
		diag_error(&cli->diag, "there is no type %s%s%s%s; muster types lists them", name,
			   meant == NULL ? "" : " (did you mean ", meant == NULL ? "" : meant,
			   meant == NULL ? "" : "?)");
		return CLI_FAILED;
	}
	if (json) {
		json_dumpf(type->document, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_type(type);
	}
	return CLI_DONE;
}

static int show_all(const struct schema_set *schemas, bool json)
{
	size_t count;
	const struct schema_type *const *types = schema_set_list(schemas, &count);
	json_auto_t *names = json_array();

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(names, json_string(types[i]->name));
		if (!json)
			puts(types[i]->name);
	}
	if (json) {
		json_dumpf(names, stdout, JSON_INDENT(2));
		putchar('\n');
	}
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

		status = count > 0 ? show_one(cli, schemas, words[0], given->json) : show_all(schemas, given->json);
	}
	session_close(&s);
	return status;
}

const struct command command_types = {
    .name = "types",
    .words = "[TYPE]",
    .words_max = 1,
    .summary = "list the resource types, or one type's properties",
    .details = "More types are read from the directories in MUSTER_TYPES_PATH (separated by colons).",
    .options = types_options,
    .arguments_size = sizeof(struct types_arguments),
    .run = types,
};
