/* What a record holds, without what tells of a secret: for what leaves the state. */
#include "plan/plan.h"

static json_t *hidden(void)
{
	return json_pack("{s:{}}", "Muster::Secret");
}

/* What stands under `key` of an object of that schema; *sensitive when it is secret by its type. */
static const struct schema_value *member_schema(const struct schema_value *schema, const char *key, bool *sensitive)
{
	const struct schema_member *member;

	*sensitive = false;
	if (schema == NULL || schema->kind == SCHEMA_MAP)
		return schema != NULL ? schema->item : NULL;
	member = schema->kind == SCHEMA_OBJECT ? schema_value_member(schema, key) : NULL;
	*sensitive = member != NULL && member->sensitive;
	return member != NULL ? &member->value : NULL;
}

/* `value` without what tells of a secret. New reference. */
static json_t *redacted(const struct schema_value *schema, const json_t *value)
{
	const struct schema_value *inner;
	json_t *copy, *item;
	const char *key;
	bool sensitive;
	size_t i;

	if (json_is_object(value) && json_object_get(value, "Muster::Secret") != NULL)
		return hidden();
	if (json_is_object(value)) {
		copy = json_object();
		json_object_foreach((json_t *)value, key, item)
		{
			inner = member_schema(schema, key, &sensitive);
			json_object_set_new(copy, key, sensitive ? hidden() : redacted(inner, item));
		}
		return copy;
	}
	if (!json_is_array(value))
		return json_incref((json_t *)value);
	inner = schema != NULL && schema->kind == SCHEMA_LIST ? schema->item : NULL;
	copy = json_array();
	json_array_foreach(value, i, item) json_array_append_new(copy, redacted(inner, item));
	return copy;
}

/* A type that is not known any more does not say which of its properties are secret: what is there is named, no more.
 */
static json_t *all_hidden(const json_t *properties)
{
	json_t *result = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)properties, name, value) json_object_set_new(result, name, hidden());
	return result;
}

json_t *plan_redact_properties(const struct schema_type *type, const json_t *properties)
{
	if (properties == NULL)
		return NULL;
	return type != NULL ? redacted(&type->properties, properties) : all_hidden(properties);
}

json_t *plan_redact_attributes(const struct schema_type *type, const json_t *attributes)
{
	return attributes != NULL ? redacted(type != NULL ? &type->properties : NULL, attributes) : NULL;
}
