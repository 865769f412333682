/* JSON Schemas for editors, made from what muster knows. Private to specs/compile.
 *
 * Draft-07: the newest that VS Code's editor and JetBrains' both know whole. In it nothing may stand beside a "$ref",
 * so that a described reference is {"description": ..., "allOf": [{"$ref": ...}]}.
 *
 * What a schema refuses, muster refuses as well; not the other way round. So a value may always be a function, and what
 * has "${" or "&{" in it may hold a loop's variable and is not looked at. */
#ifndef MUSTER_SPECS_COMPILE_JSON_SCHEMA_H
#define MUSTER_SPECS_COMPILE_JSON_SCHEMA_H

#include "specs/compile/compile.h"

/* Embedded when muster is built: two whole schemas of specs/schema/, and language.json, the stack's without types. */
extern const char specs_schema_muster[];
extern const char specs_schema_accounts[];
extern const char specs_schema_language[];

/* The schema of a type's Properties, for a document that has the definitions of specs_schema_language. New reference.
 */
json_t *specs_json_schema_properties(const struct schema_type *type);
/* Whether a resource of the type can be without Properties. */
bool specs_json_schema_needed(const struct schema_type *type);
/* A type file's pattern (whole string, POSIX extended with Perl's classes) as JSON Schema has them: a part of the
 * string, ECMA 262, also in its unicode mode, where only what means something may be escaped. To be freed. */
char *specs_json_schema_pattern(const char *pattern);

#endif
