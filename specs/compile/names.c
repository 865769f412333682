/* Generated names, physical identities, predicted attributes. */
#include "specs/compile/compile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Whether `allowed` ("A-Za-z0-9._-") has `c`. */
static bool set_has(const char *allowed, char c)
{
	if (allowed == NULL)
		return true;
	for (const char *s = allowed; *s != '\0'; s++) {
		if (s[1] == '-' && s[2] != '\0') {
			if (c >= s[0] && c <= s[2])
				return true;
			s += 2;
		} else if (*s == c) {
			return true;
		}
	}
	return false;
}

bool specs_name_allows(const struct schema_type *type, char c)
{
	return set_has(type->name_allowed, c);
}

static void add_allowed(struct buf *out, const struct schema_type *type, const char *s)
{
	for (; *s != '\0'; s++) {
		char c = type->name_lower ? (char)tolower((unsigned char)*s) : *s;

		if (set_has(type->name_allowed, c))
			buf_addc(out, c);
	}
}

/* Base32 in lower case: in every type's character set, whatever it does to case. */
void specs_generated_hash(char out[SPECS_NAME_HASH_CHARS + 1], const char *lineage, const char *address,
			  int64_t incarnation)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	buf_auto struct buf text = BUF_INIT;
	uint8_t digest[32];
	uint64_t bits = 0;

	buf_addf(&text, "%s\n%s\n%lld", lineage, address, (long long)incarnation);
	text_sha256(digest, buf_str(&text), text.len);
	for (size_t i = 0; i < 8; i++)
		bits = bits << 8 | digest[i];
	for (size_t i = 0; i < SPECS_NAME_HASH_CHARS; i++, bits >>= 5)
		out[i] = digits[bits & 31];
	out[SPECS_NAME_HASH_CHARS] = '\0';
}

char *specs_generated_name(const struct schema_type *type, const char *lineage, const char *address, const char *stack,
			   const char *logical_id, int64_t incarnation)
{
	buf_auto struct buf name = BUF_INIT, prefix = BUF_INIT;
	const char *dash = set_has(type->name_allowed, '-') ? "-" : "";
	size_t max = type->name_max > 0 ? (size_t)type->name_max : 255, room;
	char hash[SPECS_NAME_HASH_CHARS + 1];

	specs_generated_hash(hash, lineage, address, incarnation);
	add_allowed(&prefix, type, stack);
	buf_adds(&prefix, dash);
	add_allowed(&prefix, type, logical_id);
	room = max > SPECS_NAME_HASH_CHARS + strlen(dash) ? max - SPECS_NAME_HASH_CHARS - strlen(dash) : 0;
	/* Cut in the middle: the stack's beginning and the id's end tell most. */
	if (prefix.len > room) {
		buf_add(&name, buf_str(&prefix), (room + 1) / 2);
		buf_add(&name, buf_str(&prefix) + prefix.len - room / 2, room / 2);
	} else {
		buf_add(&name, buf_str(&prefix), prefix.len);
	}
	if (name.len > 0)
		buf_adds(&name, dash);
	buf_adds(&name, hash);
	buf_truncate(&name, max);
	return buf_detach(&name);
}

void specs_resource_place(const struct specs_resource *resource, struct schema_place *out)
{
	const struct specs_instance *instance = resource->instance;
	const struct specs *specs = instance->private->stack->specs;

	*out = (struct schema_place){instance->account->id, instance->region, specs->settings.partition,
				     specs_url_suffix(specs->settings.partition)};
}

json_t *specs_attribute_predict(const struct specs_resource *resource, const char *attribute)
{
	const struct schema_attribute *known = schema_type_attribute(resource->type, attribute);
	struct schema_place place;
	mem_auto_str char *text = NULL;

	if (known == NULL || known->predict == NULL)
		return NULL;
	specs_resource_place(resource, &place);
	if (schema_template_fill(&text, known->predict, resource->properties, NULL, &place) != 1)
		return NULL;
	return json_string(text);
}

int specs_identity_of(char **out, const struct schema_type *type, const json_t *properties,
		      const struct schema_place *place)
{
	mem_auto_str char *identity = NULL;

	*out = NULL;
	if (!type->singleton &&
	    (type->identity == NULL || schema_template_fill(&identity, type->identity, properties, NULL, place) != 1))
		return 0;
	*out =
	    mem_printf("%s%s%s|%s|%s", type->scope == SCHEMA_GLOBAL ? place->partition : place->account_id,
		       type->scope == SCHEMA_REGIONAL ? "/" : "", type->scope == SCHEMA_REGIONAL ? place->region : "",
		       type->name, identity != NULL ? identity : "-");
	return 1;
}

int specs_identity(char **out, const struct specs_resource *resource)
{
	struct schema_place place;

	*out = NULL;
	if (resource->blocked != NULL)
		return 0;
	specs_resource_place(resource, &place);
	return specs_identity_of(out, resource->type, resource->properties, &place);
}
