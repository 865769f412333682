/* The face of the specs room: from a spec directory to resources with resolved properties.
 *
 *   specs_load()     documents -> settings, roster, stacks (checked as far as a file can be checked alone)
 *   specs_expand()   stacks x accounts x enabled regions -> instances (a stack in one target)
 *   specs_evaluate() one instance -> its resources and outputs, asking a resolver for attributes
 *   specs_resolve()  a value that held unknowns -> the value, once attributes and secrets are known
 *
 * Knows schemas (base/schema.h) but nothing of AWS calls, records or plans. */
#ifndef MUSTER_SPECS_SPECS_H
#define MUSTER_SPECS_SPECS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/schema.h"

/* Limits on what comes from outside. */
#define SPECS_ACCOUNTS_MAX  10000
#define SPECS_STACKS_MAX    1000
#define SPECS_RESOURCES_MAX 500 /* a stack, as CloudFormation */
#define SPECS_FILE_MAX      (4u << 20)

/* Bytes that names may have: addresses, which are made of them, are keys of the state (rule 17). */
#define SPECS_ACCOUNT_NAME_MAX 64
#define SPECS_STACK_NAME_MAX   128
#define SPECS_LOGICAL_ID_MAX   255
#define SPECS_REGION_NAME_MAX  32

/* Whether a name is one that specs can have: in its characters and its length. (compile/spelling.c) */
bool specs_is_account_name(const char *name);
bool specs_is_region_name(const char *name); /* lower-case letters, digits and "-" */
bool specs_is_stack_name(const char *name);  /* letters, digits, "-", "_", "."; no leading "-" */
bool specs_is_logical_id(const char *name);  /* letters and digits */

/* Where the files of a spec directory come from: a directory, a git tree, what a generation keeps. Paths are relative
 * with '/'. */
struct specs_source {
	/* 0 and the bytes (malloc, NUL-terminated); -ENOENT without a message; -1 with one. */
	int (*read)(void *payload, const char *path, char **text, size_t *len, struct diag *d);
	/* Names in a folder, sorted, NULL-terminated array (caller frees each and the array); a missing folder is
	 * empty. */
	int (*list)(void *payload, const char *folder, char ***names, struct diag *d);
	void *payload;
	/* As `read`, for a file that a secret comes from ({"File": PATH}), which is in no revision. NULL: `read`. */
	int (*read_secret)(void *payload, const char *path, char **text, size_t *len, struct diag *d);
};
/* A source over a directory of the file system; refuses paths that leave it (.., absolute, symlinks out). `payload`
 * is freed by specs_source_free(). */
int specs_source_directory(struct specs_source *out, const char *directory, struct diag *d);
void specs_source_free(struct specs_source *source);

struct specs_account {
	const char *name, *id;
	json_t *tags;       /* list of strings, never NULL */
	json_t *access;     /* muster.json's Access with the account's laid over it, member by member */
	json_t *parameters; /* object, never NULL */
	json_t *regions_include, *regions_exclude; /* lists of globs; NULL: none */
	size_t index;                              /* place on the roster */
};

struct specs_stack;
struct specs_instance;

struct specs_settings {
	const char *home_region;
	const char *partition; /* of the home region */
	const char *config_global_region;
	const char *lineage;       /* NULL: none yet */
	const char *state_path;    /* relative to the spec directory */
	json_t *approval, *limits; /* as they stand, or NULL */
	json_t *document;          /* muster.json */
};

struct specs {
	struct specs_settings settings;
	struct specs_account *accounts;
	size_t account_count;
	size_t stack_count;
	struct specs_instance *const *instances; /* after specs_expand(), sorted: stack order, roster order, region */
	size_t instance_count;
	struct specs_private *private;
};

struct specs_parameter {
	const char *name, *value; /* from --parameter */
};

struct specs_options {
	const struct specs_parameter *parameters;
	size_t parameter_count;
	const char *lineage; /* used where muster.json has none (from the state, or freshly minted); may be NULL */
	/* Key for the HMACs that stand for secrets (rule 7); NULL: secrets are not looked up at all (validate). */
	const uint8_t *secret_key;
	size_t secret_key_len;
	bool unused_parameters; /* `parameters` that no stack declares are no error */
	bool roster_only;       /* settings and accounts without any stack: enough to enter the accounts */
};

/* Loads and checks everything that does not need to know a target: syntax, names, types, references, functions,
 * selectors, property names and literal values. All errors are added; 0 only if there were none. `schemas`, `source`
 * and the strings in `options` must outlive *out, which is freed with specs_free(). */
int specs_load(struct specs **out, const struct specs_source *source, const struct schema_set *schemas,
	       const struct specs_options *options, struct diag *d);
void specs_free(struct specs *specs);

/* The account by name or id, or NULL. */
const struct specs_account *specs_account_find(const struct specs *specs, const char *name_or_id);

/* Tells the regions that are enabled in an account: NULL-terminated, sorted; NULL when they are not known (the account
 * could not be entered and none are remembered): its instances are then left out and the account is listed as
 * unreachable by the caller. */
typedef const char *const *specs_regions_of(void *payload, const struct specs_account *account);

/* Makes the instances. What a selector names but an account has not enabled is reported through `skipped` (may be
 * NULL). Selectors that match nothing are errors. */
typedef void specs_skipped(void *payload, const char *stack, const struct specs_account *account, const char *region,
			   const char *reason);
int specs_expand(struct specs *specs, specs_regions_of *regions_of, specs_skipped *skipped, void *payload,
		 struct diag *d);

/* The regions that are enabled by default in every account of a partition, NULL-terminated; what validate assumes. */
const char *const *specs_default_regions(const char *partition);
/* "aws", "aws-cn", "aws-us-gov", ... of a region name, by its shape; and "amazonaws.com", "amazonaws.com.cn". */
const char *specs_partition_of(const char *region);
const char *specs_url_suffix(const char *partition);

/* One stack in one target. */
struct specs_instance {
	const char *address; /* account/region/stack */
	const char *stack;
	const struct specs_account *account;
	const char *region;
	const char **depends; /* addresses of instances that come first by the stack's DependsOn (rule 9) */
	size_t depend_count;
	/* Set by specs_evaluate() when even the list of resources cannot be told, since a loop or condition over whole
	 * resources needs what is not there: there are no resources then, and nothing of the instance may be changed.
	 */
	const char *blocked;
	struct specs_instance_private *private;
};

/* An entry of a stack's `Moved` list: what was recorded under the logical id `from` is the resource `to` now. The list
 * is checked when specs are loaded: `to` is a resource of the stack (where loops make resources, which is known in a
 * target only, it may be any name), `from` is none, each `from` stands there once. Several steps (a -> b, b -> c) are
 * followed: all `from` lead to the last `to`. */
struct specs_moved {
	const char *from, *to;
};
const struct specs_moved *specs_instance_moved(const struct specs_instance *instance, size_t *count);
/* The same by the stack's name, also where it goes nowhere: NULL and 0 when there is no such stack or list. */
const struct specs_moved *specs_stack_moved(const struct specs *specs, const char *stack, size_t *count);

enum specs_deletion { SPECS_DELETE, SPECS_RETAIN, SPECS_DELETION_UNSET };

struct specs_resource {
	const char *address; /* account/region/stack/LogicalId */
	const char *logical_id;
	const struct schema_type *type;
	const struct specs_instance *instance;
	/* Resolved, generated name included; AWS::NoValue members removed. Values not known yet are residual
	 * expressions (below). Owned by the instance, parts of it shared with other instances: never change it; a
	 * resolver may put another object in its place while it is asked. */
	json_t *properties;
	bool unknown; /* properties hold a residual attribute */
	bool name_generated;
	/* Addresses that must be done before: 4-part (a resource) or 3-part (all of an instance), sorted, unique. Holds
	 * every resource that a reference went to, also when its value was known already. */
	const char **depends;
	size_t depend_count;
	enum specs_deletion deletion, replace_deletion; /* DeletionPolicy, UpdateReplacePolicy */
	bool protect, adopt;
	struct diag_place place; /* of the resource in its stack file */
	/* Set if it cannot be planned, with the reason: GetStackOutput or DependsOn names a target that is not there
	 * (rule 9: blocked), or it refers to a resource that is blocked. `properties` is then an empty object. */
	const char *blocked;
	void *user; /* the resolver's own, NULL at first */
};

/* Residual expressions stand in properties where a value is not known at plan time:
 *   {"Muster::Attribute": ["account/region/stack/LogicalId", "Arn"]}
 *   {"Muster::Secret": {"Source": {"Env": "NAME"} | {"File": "PATH"} | {"Parameter": "NAME"}, "Hmac": "hex"}}
 * and around them, where they are arguments: Fn::Join, Fn::Select, Fn::Split, Fn::Base64, Fn::ToJsonString, Fn::Length.
 * Nothing else. */
bool specs_is_residual(const json_t *value);  /* the value itself is a residual expression (or a function over one) */
bool specs_has_residual(const json_t *value); /* ... or somewhere inside; secrets count too */
bool specs_has_unknown(const json_t *value);  /* an attribute somewhere inside (secrets do not count) */

/* How the evaluator learns attributes. */
struct specs_resolver {
	/* The incarnation number of the resource's generated name: 0 for a first one (rule 6). */
	int64_t (*incarnation)(void *payload, const char *address);
	/* The address that the resource's generated name is made from, where it is not its own any more: it was moved
	 * since it was made. NULL (or no function): its own. Borrowed until the next call. */
	const char *(*origin)(void *payload, const char *address);
	/* `attribute` of `resource` (evaluated already). 0 and a new reference in *value, or NULL there when it is not
	 * known before apply; -1 with a message if the type has no such attribute. Also asked for the property that a
	 * Ref gives, whose value is taken from the resource if the answer is NULL: so a resource is decided upon before
	 * anything of it is used. */
	int (*attribute)(void *payload, struct specs_resource *resource, const char *attribute, json_t **value,
			 struct diag *d);
	/* Told of each resource that is left out since the region lacks its type. NULL: a note in `d` says so. */
	void (*left_out)(void *payload, const struct specs_instance *instance, const struct schema_type *type);
	void *payload;
};

/* Evaluates one instance (and, as far as references need it, others): afterwards its resources are given by
 * specs_instance_resources() until specs_instance_release(). Cycles are errors that show their path; a condition, loop
 * or name that needs an unknown is an error (rule 11). Returns 0, or -1 if there were errors. */
int specs_evaluate(struct specs *specs, struct specs_instance *instance, const struct specs_resolver *resolver,
		   struct diag *d);
struct specs_resource *specs_instance_resources(const struct specs_instance *instance, size_t *count);
/* The evaluated Outputs: object of name -> value (residuals possible), borrowed; stays after release. */
const json_t *specs_instance_outputs(const struct specs_instance *instance);
/* Whether an output of it has no value since what it refers to is not there (blocked), rather than by its condition. */
bool specs_instance_output_blocked(const struct specs_instance *instance, const char *name);
/* Addresses in other instances (of four parts or three) that an output rests on, sorted; borrowed as the outputs. */
const char *const *specs_instance_output_depends(const struct specs_instance *instance, const char *name,
						 size_t *count);
/* Frees the resources of an evaluated instance, keeps its outputs for other instances' references. */
void specs_instance_release(struct specs_instance *instance);
/* Forgets all evaluation, outputs too, so that everything can be evaluated anew (another resolver state). */
void specs_reset(struct specs *specs);
/* Checks all instances with only predicted attributes known: what `validate` does after specs_expand(). Includes
 * duplicate physical identities, document limits. */
int specs_check(struct specs *specs, struct diag *d);

/* The physical identity of an evaluated resource: "ACCOUNT-ID/REGION|TYPE|IDENTITY", "ACCOUNT-ID|..." or
 * "PARTITION|..." by the type's scope. Two resources with one identity are an error (rule 6). 1 and a string to be
 * freed with free(); 0 and NULL when it is not known yet, or assigned by the service. */
int specs_identity(char **out, const struct specs_resource *resource);
/* The same of properties by themselves, as they are at `place`. */
int specs_identity_of(char **out, const struct schema_type *type, const json_t *properties,
		      const struct schema_place *place);

/* Replaces residual expressions by values. The callbacks give a new reference, or NULL with a message. */
struct specs_values {
	json_t *(*attribute)(void *payload, const char *address, const char *attribute, struct diag *d);
	json_t *(*secret)(void *payload, const json_t *source, const char *hmac, struct diag *d);
	void *payload;
};
/* 0 and a new value without residuals; -1 with a message. */
int specs_resolve(json_t **out, const json_t *value, const struct specs_values *values, struct diag *d);

/* An attribute as far as it follows from properties and place (schema_attribute.predict), new; NULL when only the
 * service knows it. What a resolver can fall back on. */
json_t *specs_attribute_predict(const struct specs_resource *resource, const char *attribute);

/* Looks up a secret anew from the "Source" of its residual: for specs_values.secret. Sources: {"Env"}, {"File"} (a
 * relative path inside the spec directory, or an absolute one; one newline at the end is dropped), {"Parameter": NAME}
 * with "Account" or "Stack" where the value stands there. 0 and a string to be wiped and freed; -1 with a message. */
int specs_secret_read(char **out, const struct specs *specs, const json_t *source, struct diag *d);

/* Whether a stack declares the parameter with NoEcho: then its value is not for plans and records. */
bool specs_parameter_is_secret(const struct specs *specs, const char *name);

/* Checks a resolved or partly resolved properties object against its schema: what specs_load() does with literals, for
 * values that came later. */
int specs_properties_check(const struct schema_type *type, const json_t *properties, const struct diag_place *place,
			   struct diag *d);

/* The hash that generated names end with: base 32 in lower case. */
#define SPECS_NAME_HASH_CHARS 12
void specs_generated_hash(char out[SPECS_NAME_HASH_CHARS + 1], const char *lineage, const char *address,
			  int64_t incarnation);
/* The generated name of rule 6: prefix "stack-LogicalId", hash over lineage, address, incarnation, cut to the type's
 * rule. Free with free(). */
char *specs_generated_name(const struct schema_type *type, const char *lineage, const char *address, const char *stack,
			   const char *logical_id, int64_t incarnation);

/* -- For editors and documentation --------------------------------------------------------------------------------- */

/* The functions of the language in the order of its table, and how the argument of each is written; NULL after the
 * last. */
const char *specs_function_name(size_t i, const char **usage);
/* The JSON Schema (draft-07) of "muster.json", "accounts.json", of a "stack" whose resources are of `schemas`, or of
 * the Properties of one of these types by its name. New reference; NULL for any other name. What it refuses,
 * specs_load() refuses as well; it cannot see all that specs_load() sees. */
json_t *specs_json_schema(const char *name, const struct schema_set *schemas);

#endif
