/* The JSON Schemas of the three documents: two are files, the stack's is the language with the types put in. Not for
 * what a value of a type may be: json_schema_value.c. */
#include "specs/compile/json_schema.h"

#include <string.h>

static json_t *embedded(const char *text)
{
	return json_loads(text, 0, NULL);
}

static json_t *reference(const char *definition)
{
	return json_pack("{ss+}", "$ref", "#/definitions/", definition);
}

/* How functions are written, from the table that they are read by. One that the file leaves out may be anything. */
static void add_usage(json_t *definitions)
{
	json_t *functions = json_object_get(json_object_get(definitions, "function"), "properties");
	const char *name, *usage;

	for (size_t i = 0; (name = specs_function_name(i, &usage)) != NULL; i++) {
		json_t *function = json_object_get(functions, name);

		/* {"Condition": NAME} is a function among conditions only. */
		if (strcmp(name, "Condition") == 0)
			continue;
		if (function == NULL)
			json_object_set_new(functions, name, function = json_object());
		if (json_object_get(function, "$ref") != NULL) {
			function = json_pack("{s[o]}", "allOf", json_copy(function));
			json_object_set_new(functions, name, function);
		}
		json_object_set_new(function, "description", json_string(usage));
	}
}

/* If Type is this one, Properties are so. */
static json_t *choice(const struct schema_type *type)
{
	json_t *then = json_pack("{s{so}}", "properties", "Properties", reference(type->name));

	if (specs_json_schema_needed(type))
		json_object_set_new(then, "required", json_pack("[s]", "Properties"));
	return json_pack("{s{s[s]s{s{ss}}}so}", "if", "required", "Type", "properties", "Type", "const", type->name,
			 "then", then);
}

static void add_types(json_t *definitions, const struct schema_set *schemas)
{
	json_t *resource = json_object_get(definitions, "resource"), *choices = json_array(), *names = json_array();
	json_t *type = json_object_get(json_object_get(resource, "properties"), "Type");
	size_t count;
	const struct schema_type *const *types = schema_set_list(schemas, &count);

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(names, json_string(types[i]->name));
		json_array_append_new(choices, choice(types[i]));
		json_object_set_new(definitions, types[i]->name, specs_json_schema_properties(types[i]));
	}
	json_object_set_new(type, "enum", names);
	json_object_set_new(resource, "allOf", choices);
}

static json_t *stack_schema(const struct schema_set *schemas)
{
	json_t *schema = embedded(specs_schema_language), *definitions = json_object_get(schema, "definitions");

	add_usage(definitions);
	add_types(definitions, schemas);
	return schema;
}

/* One type's Properties, and of the language what values may be made of. */
static json_t *type_schema(const struct schema_type *type)
{
	static const char *const parts[] = {"isFunction", "function", "offered", "json",    "loop", "hasVariable",
					    "string",     "integer",  "number",  "boolean", "list"};
	json_auto_t *language = embedded(specs_schema_language);
	json_t *all = json_object_get(language, "definitions"), *definitions = json_object();

	add_usage(all);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		json_object_set(definitions, parts[i], json_object_get(all, parts[i]));
	json_object_set_new(definitions, type->name, specs_json_schema_properties(type));
	return json_pack("{sOss+s[o]so}", "$schema", json_object_get(language, "$schema"), "title", "Properties of ",
			 type->name, "allOf", reference(type->name), "definitions", definitions);
}

json_t *specs_json_schema(const char *name, const struct schema_set *schemas)
{
	const struct schema_type *type = schema_set_find(schemas, name);

	if (strcmp(name, "muster.json") == 0)
		return embedded(specs_schema_muster);
	if (strcmp(name, "accounts.json") == 0)
		return embedded(specs_schema_accounts);
	if (strcmp(name, "stack") == 0)
		return stack_schema(schemas);
	return type != NULL ? type_schema(type) : NULL;
}
