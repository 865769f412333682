/* The schema of a resource type: what a type file says of its properties, attributes, names and order, in a form that
 * specs (validation), plan (diff) and providers (handlers) all read. Knows nothing of how calls are made: the
 * handlers stay JSON here. The file format is described in docs/types.md. */
#ifndef MUSTER_BASE_SCHEMA_H
#define MUSTER_BASE_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

enum schema_kind {
	SCHEMA_STRING,
	SCHEMA_INTEGER,
	SCHEMA_NUMBER,
	SCHEMA_BOOLEAN,
	SCHEMA_OBJECT, /* named members, see `members` */
	SCHEMA_LIST,   /* of `item` */
	SCHEMA_MAP,    /* any names to `item` */
	SCHEMA_JSON,   /* any JSON value, or a string that holds JSON (policy documents, event patterns) */
};

enum schema_compare {
	SCHEMA_EXACT,       /* lists: by order */
	SCHEMA_SET,         /* lists: without order; by `key` member when the type names one (tags by Key) */
	SCHEMA_DOCUMENT,    /* JSON document: by meaning, string or object */
	SCHEMA_POLICY,      /* IAM policy: by meaning (one or many, account id or its root ARN, order of statements) */
	SCHEMA_IGNORE_CASE, /* strings */
};

struct schema_member;

struct schema_value {
	enum schema_kind kind;
	enum schema_compare compare;
	const char *key;               /* SCHEMA_SET of objects: the member that identifies an element, or NULL */
	struct schema_member *members; /* SCHEMA_OBJECT, sorted by name */
	size_t member_count;
	struct schema_value *item;      /* SCHEMA_LIST, SCHEMA_MAP */
	json_t *enumeration;            /* list of allowed strings, or NULL */
	const char *pattern;            /* POSIX extended regular expression for the whole string, or NULL */
	int64_t min_length, max_length; /* strings: characters; lists: items; -1 where there is no limit */
	double minimum, maximum;        /* numbers; NAN where there is no limit */
	int64_t max_bytes;              /* of the compact JSON of a document, or of a string; -1 */
};

struct schema_member {
	const char *name;
	const char *description;
	struct schema_value value;
	bool required;
	bool create_only; /* a change replaces the resource */
	bool read_only;   /* may not stand in a spec */
	bool write_only;  /* the service does not give it back: compared with the record only */
	bool sensitive;
	bool computed;   /* left out, the service picks a value: then it is not compared */
	json_t *initial; /* "Default": what it is when left out; then a left-out property means this value. Or NULL */
};

struct schema_attribute {
	const char *name;    /* as Fn::GetAtt says it; may hold dots */
	const char *predict; /* template: ${Property}, ${AWS::Region} ...; NULL when only the service knows */
};

enum schema_scope {
	SCHEMA_REGIONAL, /* the physical identity is unique within one account and region */
	SCHEMA_ACCOUNT,  /* ... within one account (IAM) */
	SCHEMA_GLOBAL,   /* ... within the partition (S3 buckets) */
};

struct schema_type {
	const char *name;    /* AWS::CloudTrail::Trail */
	const char *service; /* key of the provider's service table */
	const char *description;
	struct schema_value properties; /* kind SCHEMA_OBJECT */
	struct schema_attribute *attributes;
	size_t attribute_count;
	const char *ref; /* what Ref gives: a property's or an attribute's name */

	/* The property that names the resource, or NULL. A left-out name is generated to fit. */
	const char *name_property;
	const char *name_allowed; /* characters and ranges: "A-Za-z0-9._-" */
	int64_t name_max;
	bool name_lower;

	enum schema_scope scope;
	bool singleton;       /* one per scope and place: no identity of its own */
	const char *identity; /* template of the physical identity, e.g. "${BucketName}"; NULL for singletons and where
				 the service assigns it */
	const char
	    *serialize;     /* template of a key: actions with equal keys in a target run one after another; or NULL */
	const char **after; /* types that come before this one in the same target (and are deleted after it) */
	size_t after_count;
	const char **regions_only;   /* globs, or NULL: everywhere */
	const char **regions_except; /* globs */
	size_t regions_only_count, regions_except_count;
	int64_t settle_ms;     /* how long the service may take to show what was made or deleted */
	bool retains_data;     /* a delete destroys data that cannot be made again: the plan says so */
	const char *made_anew; /* what a rollback says of one that it makes again; or NULL: that it is empty */

	/* Properties that the registry has and this file does not: name -> why, for messages. Or NULL. */
	json_t *left_out;

	json_t *example; /* Properties that show how the type is used, for documentation; or NULL */

	json_t *handlers; /* the "Handlers" object as it stands in the file, for the provider */
	json_t *document; /* the whole file */
};

struct schema_set;

int schema_set_new(struct schema_set **out, struct diag *d);
void schema_set_free(struct schema_set *set);
/* Adds the type that `document` (a parsed type file, reference taken) describes; a type already there is replaced.
 * `file` is for messages. Unknown keys in the file are errors. Returns 0 or -1. */
int schema_set_add(struct schema_set *set, const char *file, json_t *document, struct diag *d);
/* The type, or NULL. Lives as long as the set. */
const struct schema_type *schema_set_find(const struct schema_set *set, const char *name);
/* All types sorted by name; the array lives until the next schema_set_add(). */
const struct schema_type *const *schema_set_list(const struct schema_set *set, size_t *count);
/* The known type nearest to `name`, for "did you mean", or NULL. */
const char *schema_set_nearest(const struct schema_set *set, const char *name);

/* Whether a JSON value is of the kind, taken strictly (SCHEMA_JSON takes any). */
bool schema_kind_fits(enum schema_kind kind, const json_t *value);
/* Member of an object schema by name, or NULL. */
const struct schema_member *schema_value_member(const struct schema_value *object, const char *name);
const struct schema_attribute *schema_type_attribute(const struct schema_type *type, const char *name);
/* Whether the type exists in `region`. */
bool schema_type_in_region(const struct schema_type *type, const char *region);

/* What of `prior` (live or recorded properties) an update may touch, for provider_call.prior: without the properties
 * that neither `desired` names nor `recorded` (may be NULL) has, which are somebody else's business; and with the
 * recorded values of write-only members, which a live read cannot give. New reference. */
json_t *schema_prior_ours(const struct schema_type *type, const json_t *desired, const json_t *prior,
			  const json_t *recorded);

/* What a template like schema_attribute.predict may name beside properties. */
struct schema_place {
	const char *account_id, *region, *partition, *url_suffix;
};
/* Fills a template (`${Name}` of a property, a pseudo parameter, an attribute in `attributes`; docs/types.md has the
 * rest). Returns 1 and a string to be freed with free(), or 0 when something that it names is missing or not a plain
 * known value. `attributes` may be NULL. */
int schema_template_fill(char **out, const char *template, const json_t *properties, const json_t *attributes,
			 const struct schema_place *place);

#endif
