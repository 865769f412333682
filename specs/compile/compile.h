/* Private to specs/compile: how a spec directory looks once it is read.
 *
 * A stack file is compiled once into a tree of nodes (node.c, call.c, sub.c): subtrees without functions stay the
 * document's own JSON and are shared by every target; functions have their arguments taken apart and their names
 * looked up. Evaluating a target then only walks the nodes that can differ (evaluate.c, functions.c). */
#ifndef MUSTER_SPECS_COMPILE_H
#define MUSTER_SPECS_COMPILE_H

#include <regex.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "specs/compile/arena.h"
#include "specs/specs.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* -- nodes -------------------------------------------------------------------------------------------------------- */

/* A loop's variable (Fn::ForEach, Muster::Map) as the text sees it; `up` is the one around it. */
struct variable {
	const char *name;
	const struct variable *up;
};

/* A variable's value while a loop runs. */
struct binding {
	const struct variable *variable;
	json_t *value;
	const struct binding *up;
};

/* A string in which variables may stand: ${Var}, &{Var} (letters and digits only). One part without a variable is a
 * plain string. */
struct text_part {
	const char *literal; /* NULL: the variable */
	const struct variable *variable;
	bool alphanumeric;
};
struct text {
	const char *source; /* as written; the value when there are no parts */
	struct text_part *parts;
	size_t count; /* 0: no variables */
};

enum node_kind {
	NODE_CONST, /* no functions inside: `value` is the result, shared */
	NODE_TEXT,  /* a string with loop variables */
	NODE_OBJECT,
	NODE_LIST,
	NODE_CALL,
};

enum call_kind {
	CALL_VARIABLE,
	CALL_PSEUDO,
	CALL_PARAMETER,
	CALL_RESOURCE, /* Ref of a resource */
	CALL_GETATT,
	CALL_SUB,
	CALL_JOIN,
	CALL_SELECT,
	CALL_SPLIT,
	CALL_IF,
	CALL_EQUALS,
	CALL_AND,
	CALL_OR,
	CALL_NOT,
	CALL_CONDITION,
	CALL_FINDINMAP,
	CALL_BASE64,
	CALL_LENGTH,
	CALL_TOJSON,
	CALL_OUTPUT, /* Fn::GetStackOutput */
	CALL_ACCOUNTS,
	CALL_REGIONS,
	CALL_MAP,
	CALL_FILE, /* only while compiling: becomes a constant */
};

enum pseudo {
	PSEUDO_ACCOUNT_ID,
	PSEUDO_REGION,
	PSEUDO_PARTITION,
	PSEUDO_STACK_NAME,
	PSEUDO_URL_SUFFIX,
	PSEUDO_NO_VALUE,
	PSEUDO_ACCOUNT_NAME,
	PSEUDO_HOME_REGION,
	PSEUDO_GLOBAL_REGION,
	PSEUDO_CONFIG_GLOBAL_REGION,
};

struct node;

struct call {
	enum call_kind kind;
	const char *function; /* "Fn::Join", for messages */
	enum pseudo pseudo;
	size_t parameter;                /* CALL_PARAMETER: index in the stack */
	const struct variable *variable; /* CALL_VARIABLE, CALL_MAP */
	struct text name;                /* resource, condition */
	struct text attribute;           /* CALL_GETATT */
	struct node **args;
	size_t count;
	struct node *account, *region, *stack, *output; /* CALL_OUTPUT: arguments by name; NULL where left out */
	json_t *folded; /* CALL_ACCOUNTS, CALL_REGIONS: the result once known, the same for all targets. Owned. */
};

struct loop;

struct member {
	struct text key;
	struct node *node;       /* NULL for a loop */
	const struct loop *loop; /* Fn::ForEach that gives members */
};

struct node {
	enum node_kind kind;
	const struct node *up; /* path in the document */
	const char *key;
	size_t index;
	json_t *value;                     /* as written, borrowed from the document */
	const struct schema_value *schema; /* what the result must fit, or NULL */
	union {
		struct text text;
		struct {
			struct member *members;
			size_t count;
			bool loops;
		} object;
		struct {
			struct node **items;
			size_t count;
		} list;
		struct call *call;
	};
};

/* Fn::ForEach::Name: [variable, collection, {key: body}] inside properties. */
struct loop {
	const struct node *node;
	const struct variable *variable;
	struct node *collection;
	struct node *body; /* NODE_OBJECT: its members are spliced in once for each value */
};

/* -- a stack ------------------------------------------------------------------------------------------------------ */

enum parameter_kind { PARAMETER_STRING, PARAMETER_NUMBER, PARAMETER_STRINGS, PARAMETER_NUMBERS };

struct parameter {
	const char *name;
	enum parameter_kind kind;
	json_t *declaration; /* borrowed */
	bool no_echo;
	json_t *fallback;        /* value for accounts that do not override it, owned; NULL: none */
	json_t **by_account;     /* values of the accounts that do (else NULL entries), owned; NULL: no account does */
	const struct node *path; /* Parameters.NAME */
	regex_t *pattern;        /* AllowedPattern */
};

/* Where a parameter is declared, as a json_path. */
#define PARAMETER_PATH(parameter) JSON_PATH_KEY(JSON_PATH_KEY(NULL, "Parameters"), (parameter)->name)

struct resource_definition {
	const struct schema_type *type;
	struct node *properties; /* NULL: none written */
	struct text *depends;
	size_t depend_count;
	const struct node *depends_path;
	struct text condition; /* source NULL: none */
	const struct node *condition_path;
	enum specs_deletion deletion, replace_deletion;
	bool protect, adopt;
};

struct output_definition {
	struct node *value;
	struct text condition;
	const struct node *condition_path;
};

/* An entry of Resources, Conditions or Outputs, or a loop over such entries. */
struct section;
struct entry {
	struct text name;
	const struct node *path;
	struct diag_place place; /* of a resource, once asked for */
	struct node *condition;  /* in Conditions */
	struct resource_definition resource;
	struct output_definition output;
	/* Fn::ForEach */
	const struct variable *variable;
	struct node *collection;
	struct section *body; /* NULL: no loop */
};
struct section {
	struct entry *entries;
	size_t count;
	bool loops;
};

/* An entry made of a section for a target: loops unrolled, the name spelled out. */
struct item {
	const char *name;
	const struct entry *entry;
	const struct binding *env;
};
struct items {
	struct item *list;
	size_t count;
	struct table names; /* name -> item */
};

struct selector {
	const char *pattern; /* without '!' and "tag:" */
	bool negative, tag, glob, home;
};
struct selectors {
	struct selector *list;
	size_t count;
	bool positives;
};

struct stack {
	const char *name, *file;
	size_t index;
	struct json_doc *doc;
	const struct node *root;
	struct specs *specs;
	struct selectors account_selectors, region_selectors;
	bool *selected; /* by account index */
	bool failed;    /* had errors: not to be looked into by others */
	struct stack **depends;
	size_t depend_count;
	struct parameter *parameters;
	size_t parameter_count;
	json_t *mappings; /* borrowed */
	struct section resources, conditions, outputs;
	struct items resource_items, condition_items, output_items; /* of sections without loops: made once */
	/* Names that stand in the file, before loops are unrolled. */
	const char **resource_names, **condition_names, **output_names;
	size_t resource_name_count, condition_name_count, output_name_count;
	bool resource_loops, condition_loops, output_loops;
	struct specs_moved *moved; /* each `to` the last step; in the arena, its strings the document's */
	size_t moved_count;
	json_t *owned; /* list: values that compiling made */
	/* What looks out of the stack: to be linked, and folded anew when regions are others. */
	struct node **reads; /* CALL_ACCOUNTS, CALL_REGIONS, CALL_OUTPUT */
	size_t read_count, read_room;
	/* Instances, sorted by account and region, of this stack: a range of specs->instances. */
	size_t first, count;
	size_t *account_first; /* by account index, account_count + 1 entries, into specs->instances */
};

/* -- the whole ---------------------------------------------------------------------------------------------------- */

struct specs_private {
	const struct specs_source *source;
	const struct schema_set *schemas;
	struct specs_options options;
	struct arena arena;
	struct table strings; /* interned, in the arena */
	struct json_doc *settings_doc, *roster_doc;
	struct table accounts; /* by name and by id -> struct specs_account */
	struct stack **stacks; /* sorted by name */
	size_t stack_count;
	struct table stacks_by_name;
	struct table files;    /* path -> struct file */
	const char ***regions; /* by account index: enabled and not narrowed away; NULL: not known. After expand */
	size_t *region_counts;
	const char ***enabled; /* the same before the accounts' Regions, NULL-terminated */
	struct arena instance_arena;
	struct specs_instance **instances;
	struct table reported; /* messages of evaluation as they were first said */
	struct table patterns; /* pattern -> struct pattern */
};

struct file {
	const char *path;
	json_t *text; /* json string, owned; NULL: could not be read (said already) */
};

const char *specs_intern(struct specs *specs, const char *s);

/* -- messages (report.c) ------------------------------------------------------------------------------------------ */

/* An error at a node of a stack; at its key when `at_key`. */
void specs_node_error(const struct stack *stack, const struct node *node, bool at_key, struct diag *d,
		      const char *format, ...) __attribute__((format(printf, 5, 6)));
void specs_node_warning(const struct stack *stack, const struct node *node, enum diag_level level, struct diag *d,
			const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Calls with the node's path as a json_path chain, which lives during the call only. */
typedef void node_path_callback(void *payload, const struct json_path *path);
void specs_node_with_path(const struct node *node, node_path_callback *call, void *payload);
void specs_node_place(const struct stack *stack, const struct node *node, struct arena *arena, struct diag_place *out);

/* ` (did you mean "x"?)` or "". Valid until the arena goes or, with NULL, must be freed by the caller. */
char *specs_report_nearest(const char *word, const char *const *candidates, size_t count);

/* Adds an error for each member of `object` that is not in `allowed` (NULL-terminated). */
int specs_report_keys(const struct json_doc *doc, const struct json_path *path, const json_t *object,
		      const char *const *allowed, const char *what, struct diag *d);
/* Checks the kind of member `key`; gives it, or NULL when it is not there or is wrong (*bad set). */
const json_t *specs_report_member(const struct json_doc *doc, const struct json_path *path, const json_t *object,
				  const char *key, json_type type, bool required, bool *bad, struct diag *d);

/* -- documents ---------------------------------------------------------------------------------------------------- */

int specs_document_load(struct json_doc **out, const struct specs_source *source, const char *path, bool required,
			struct diag *d);
int specs_settings_load(struct specs *specs, struct diag *d);
/* Approval and Limits (each may be NULL) of muster.json; the files of keys are looked for in `source`. (guards.c) */
int specs_guards_check(const struct json_doc *doc, const struct specs_source *source, const json_t *approval,
		       const json_t *limits, struct diag *d);
int specs_roster_load(struct specs *specs, struct diag *d);
int specs_access_check(const struct json_doc *doc, const struct json_path *path, const json_t *access,
		       const char *partition, struct diag *d);
/* Reads stacks/PATH and compiles it. */
struct stack *specs_stack_load(struct specs *specs, const char *name, const char *file, struct diag *d);
void specs_stack_free(struct stack *stack);
/* Reads and checks its `Moved`; the names of its resources must be known. */
int specs_moved_read(struct stack *stack, struct diag *d);
/* What needs all stacks: DependsOn, Fn::GetStackOutput, parameters nobody declares. */
int specs_stacks_link(struct specs *specs, struct diag *d);

/* A file named by Muster::File, read once. NULL when it cannot be read (the message is added once each). */
struct file *specs_file(struct specs *specs, const char *path, const struct stack *stack, const struct node *node,
			struct diag *d);

/* -- regions and selectors ---------------------------------------------------------------------------------------- */

const char *specs_global_region(const char *partition);
bool specs_region_shaped(const char *name);
/* The known region nearest to `name`, or NULL; *known tells whether it is one itself. */
const char *specs_region_nearest(const char *name, bool *known);
bool specs_config_global_allowed(const char *region);

/* Parses a list of selectors (or one). Errors are added at `path`. */
int specs_selectors_parse(struct selectors *out, struct arena *arena, const json_t *list, const struct json_doc *doc,
			  const struct json_path *path, bool regions, const char *partition, struct diag *d);
bool specs_selectors_account(const struct selectors *selectors, const struct specs_account *account);
bool specs_selectors_region(const struct selectors *selectors, const char *region, const char *home);
/* Errors for positive account selectors that match no account of the roster. */
int specs_selectors_check_accounts(const struct specs *specs, const struct selectors *selectors, const json_t *list,
				   const struct json_doc *doc, const struct json_path *path, struct diag *d);
/* Whether the account's own Regions let this region through. */
bool specs_account_region_allowed(const struct specs_account *account, const char *region);

/* -- compiling ---------------------------------------------------------------------------------------------------- */

/* Where a value stands, as far as that decides what may be written in it. */
struct scope {
	struct stack *stack;
	const struct variable *variables;
	bool no_resources; /* conditions and loops over whole entries: the stack's own resources are not known yet */
	const char *no_resources_where;
	bool boolean; /* {"Condition": name} is a function here */
	struct diag *d;
};

struct node *specs_node_new(struct stack *stack, const struct node *up, const char *key, size_t index, json_t *value);
/* Compiles a value with its functions. NULL after errors. */
struct node *specs_node_compile(const struct scope *scope, const struct node *up, const char *key, size_t index,
				json_t *value);
/* Compiles an object as members even if it looks like a function (a Properties object). */
struct node *specs_node_compile_object(const struct scope *scope, struct node *node, const struct schema_value *schema);
/* A string with loop variables. -1 after an error. */
int specs_text_compile(struct text *out, const struct scope *scope, const struct node *node, const char *s);
/* Whether `object` is one function; its name. */
const char *specs_call_name(const json_t *object, const struct scope *scope);
/* The function among several keys of an object, where it does nothing: a function stands alone. NULL: none. */
const char *specs_call_among(const json_t *object);
/* Warns where a string holds ${Name} of something that Fn::Sub would fill in. */
void specs_sub_forgotten(const struct scope *scope, const struct node *node, const char *s);
struct node *specs_call_compile(const struct scope *scope, struct node *node, const char *name);
int specs_sub_compile(const struct scope *scope, struct node *node, struct node *at, json_t *argument);
struct call *specs_call_new(const struct scope *scope, struct node *node, enum call_kind kind, const char *function);
/* A Ref or Fn::GetAtt to the name, at `at`, into node->call. */
int specs_call_reference(const struct scope *scope, struct node *node, const struct node *at, const char *name);
int specs_call_attribute(const struct scope *scope, struct node *node, const struct node *at, const char *name,
			 const char *attribute);
/* "AWS::X::Y has no attribute "Z" (did you mean …)". To be freed. */
char *specs_attribute_unknown(const struct schema_type *type, const char *attribute);
/* Muster::Accounts and Muster::Regions (fleet.c): new lists, or NULL after errors at `node`. */
json_t *specs_fleet_accounts(const struct stack *stack, const struct node *node, const json_t *selectors,
			     struct diag *d);
json_t *specs_fleet_regions(const struct stack *stack, const struct node *node, const json_t *selectors,
			    struct diag *d);
/* Checks the selectors of a Muster::Regions when they are constant. */
int specs_fleet_regions_check(const struct scope *scope, const struct node *node);
/* The rules of a condition's name wherever one is named. */
int specs_condition_name_compile(struct text *out, const struct scope *scope, const struct node *at, json_t *value);
const json_t *specs_mapping_find(struct stack *stack, const struct node *at, const char *map, const char *top,
				 const char *second, bool must, struct diag *d);
json_t *specs_stack_own(struct stack *stack, json_t *value); /* takes the reference; gives the same, borrowed */
/* Takes a Fn::ForEach apart: [variable, collection, {…}]; gives its variable and where the body stands. */
int specs_foreach_compile(const struct scope *scope, const struct node *node, struct variable **variable,
			  struct node **collection, struct node **body, struct scope *inner);
bool specs_foreach_is(const char *key);
bool specs_name_listed(const char *name, const char *const *names, size_t count);
void specs_stack_read_add(struct stack *stack, struct node *node);

/* Sections (section.c, resource.c, parameter.c) */
int specs_section_compile(struct section *out, const struct scope *scope, const struct node *path, json_t *object,
			  int (*entry)(const struct scope *scope, struct entry *entry, json_t *value));
int specs_resource_compile(const struct scope *scope, struct entry *entry, json_t *value);
int specs_condition_compile(const struct scope *scope, struct entry *entry, json_t *value);
int specs_output_entry_compile(const struct scope *scope, struct entry *entry, json_t *value);
int specs_parameters_compile(struct stack *stack, const struct node *path, json_t *object, struct diag *d);
/* Settles the values of all parameters for all accounts. */
int specs_parameters_settle(struct stack *stack, struct diag *d);
void specs_parameters_free(struct stack *stack);
int specs_parameters_unused(struct specs *specs, struct diag *d);

/* -- checking values against schemas (check.c, static.c) ----------------------------------------------------------- */

struct eval;
struct check {
	const struct json_doc *doc;     /* for places, or NULL */
	const struct diag_place *place; /* when doc is NULL */
	struct specs *specs;            /* whose compiled patterns are used, or NULL */
	const struct schema_type *type; /* whose properties these are, or NULL */
	struct diag *d;
	int errors;
	const struct eval *eval; /* in which target, and of which node, the value is; or NULL */
	const struct node *node;
};
/* Checks a known value, residuals left out. */
void specs_value_check(struct check *check, const json_t *value, const struct schema_value *schema,
		       const struct json_path *path);
/* The member `key` of an object schema, or NULL; an error where it is not known or may not be set. */
const struct schema_member *specs_value_check_member(struct check *check, const char *key,
						     const struct schema_value *schema, const struct json_path *path);
void specs_value_check_missing(struct check *check, const char *name, const struct json_path *path);
void specs_patterns_free(struct specs *specs);
/* Only what stands in the object itself: unknown and missing members. */
void specs_value_check_members(struct check *check, const json_t *value, const struct schema_value *schema,
			       const struct json_path *path);
void specs_value_check_size(struct check *check, const json_t *value, const struct schema_value *schema,
			    const struct json_path *path);
/* Replaces *value by one in which numbers, booleans and strings are written as the schema wants them. */
void specs_value_coerce(json_t **value, const struct schema_value *schema);
/* Compiles a pattern for the whole string. NULL when it is none (message in *error, to be freed). */
regex_t *specs_pattern_compile(const char *pattern, char **error);
/* Checks a compiled value as far as it can be known without a target and notes the schemas in the nodes. */
void specs_node_check(const struct stack *stack, struct node *node, const struct schema_value *schema,
		      const struct schema_type *type, struct diag *d);
/* Whether the property may be left out although it is required: a name that is generated. */
bool specs_member_generated(const struct schema_type *type, const struct schema_member *member);

/* -- evaluation --------------------------------------------------------------------------------------------------- */

/* What a step gives. A value is a new reference; NULL with EVAL_OK is AWS::NoValue. */
enum { EVAL_OK = 0, EVAL_ERROR = -1, EVAL_BLOCKED = 1 };

struct addresses {
	const char **list;
	size_t count, room;
};
void specs_addresses_add(struct addresses *addresses, const char *address);
void specs_addresses_finish(struct addresses *addresses, struct arena *arena, const char ***list, size_t *count);

/* One thing under evaluation, for the path of a cycle. */
struct frame {
	const char *address;
	const struct frame *up;
	unsigned depth;
};

struct eval {
	struct specs *specs;
	const struct specs_resolver *resolver;
	struct diag *d;
	struct specs_instance *instance;
	const struct stack *stack;
	const struct binding *env;
	const struct frame *frames;
	const struct schema_type *type; /* of the resource under evaluation, or NULL */
	struct addresses *depends;      /* what references went to; may be NULL */
	const char **blocked;           /* why, when EVAL_BLOCKED */
	unsigned depth;                 /* of nested values, all frames together */
};

#define EVAL_DEPTH_MAX  3000
#define EVAL_FRAMES_MAX 600 /* a stack has at most 500 resources */

enum progress { PROGRESS_NONE, PROGRESS_RUNNING, PROGRESS_DONE, PROGRESS_BLOCKED, PROGRESS_ERROR };

enum { SLOT_FALSE = -1, SLOT_REGION = -2, SLOT_ERROR = -3 };

struct output_state {
	enum progress progress;
	const char *blocked;
	bool missing;         /* its condition is false, or its value AWS::NoValue */
	const char **depends; /* instances that it waits for beyond its own */
	size_t depend_count;
};

struct specs_instance_private {
	struct stack *stack;
	struct arena arena; /* what lives until specs_instance_release() */
	json_t *bound;      /* collections of unrolled loops, or NULL */
	enum progress opened;
	const struct items *resources, *conditions;
	struct items own_resources, own_conditions;
	int *slots; /* by resource item: index into `live`, or SLOT_… */
	struct specs_resource *live;
	enum progress *progress; /* by index into `live` */
	size_t live_count;
	enum progress *condition_progress;
	bool *condition_values;
	const char **condition_blocked;
	struct addresses open_depends; /* what conditions and loops over entries read */
	const char *depends_blocked;   /* the stack's DependsOn names what is not there; stays after release */
	/* Outputs stay after release. */
	struct arena output_arena;
	const struct items *outputs;
	struct items own_outputs;
	struct output_state *output_states;
	json_t *output_values;
	bool complete; /* all outputs were evaluated */
};

int specs_eval_node(struct eval *e, const struct node *node, json_t **out);
int specs_eval_call(struct eval *e, const struct node *node, json_t **out);
int specs_eval_text(struct eval *e, const struct text *text, const struct node *at, char **out);
int specs_eval_condition(struct eval *e, const struct node *at, const char *name, bool *out);
/* A value that may hold neither unknowns nor secrets, for what `where` names. */
int specs_eval_known(struct eval *e, const struct node *node, const char *where, json_t **out);
int specs_eval_known_string(struct eval *e, const struct node *node, const char *where, char **out);
const char *specs_eval_where(const struct eval *e, const void *at, const char *text);
int specs_eval_error(struct eval *e, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int specs_eval_block(struct eval *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
int specs_eval_cycle(struct eval *e, const struct node *at, const char *address);
int specs_eval_resource(struct eval *e, const struct node *at, const char *name, struct specs_resource **out);
int specs_eval_attribute(struct eval *e, const struct node *at, const char *name, const char *attribute, json_t **out);
int specs_eval_reference(struct eval *e, const struct node *at, const char *name, json_t **out);
int specs_eval_stack_output(struct eval *e, const struct node *node, json_t **out);
int specs_eval_variable(struct eval *e, const struct node *node, const struct variable *variable, json_t **out);
int specs_eval_members(struct eval *e, const struct node *node, json_t *object);
int specs_eval_default_value(struct eval *e, const struct node *node, json_t **out);
int specs_eval_foreach_members(struct eval *e, const struct loop *loop, json_t *object);
/* Unrolls a section for the target. */
int specs_eval_items(struct eval *e, const struct section *section, struct items *out, struct arena *arena);
void specs_items_free(struct items *items);

int specs_instance_open(struct eval *e, struct specs_instance *instance, const struct node *at);
int specs_instance_output(struct eval *e, const struct node *at, struct specs_instance *instance, const char *name,
			  bool quiet, json_t **out);
/* Adds the error that no stack has this name; gives EVAL_ERROR. */
int specs_stack_unknown(const struct specs *specs, const struct stack *at_stack, const struct node *at,
			const char *name, struct diag *d);
void specs_instance_forget(struct specs_instance *instance);
void specs_instances_free(struct specs *specs);
/* The instance of `stack` there, or NULL. */
struct specs_instance *specs_instance_find(const struct specs *specs, const struct stack *stack, size_t account,
					   const char *region);

/* Cycles over all instances (cycles.c): add each while it is evaluated, then check. */
struct cycles;
struct cycles *specs_cycles_new(const struct specs *specs);
void specs_cycles_add(struct cycles *cycles, const struct specs_instance *instance);
int specs_cycles_check(struct cycles *cycles, struct diag *d);
void specs_cycles_free(struct cycles *cycles);

/* -- functions over values (fold.c): used by evaluation and by specs_resolve() --------------------------------------
 */

/* Each gives a new reference: the result, or the residual expression where arguments are unknown. NULL with *error (to
 * be freed) when the arguments are wrong. */
json_t *specs_fold_join(const char *delimiter, const json_t *list, char **error);
json_t *specs_fold_select(const json_t *index, const json_t *list, char **error);
json_t *specs_fold_split(const char *delimiter, const json_t *source, char **error);
json_t *specs_fold_base64(const json_t *source, char **error);
json_t *specs_fold_length(const json_t *list, char **error);
json_t *specs_fold_tojson(const json_t *value, char **error);
/* Joins the parts of a Fn::Sub. */
json_t *specs_fold_concat(json_t *parts, char **error);
/* The text of a string, number or boolean as functions see it; false for others. */
bool specs_scalar_text(struct buf *out, const json_t *value);

/* -- secrets, names ------------------------------------------------------------------------------------------------ */

bool specs_secret_is(const json_t *value);
/* {"Muster::Secret": …} for a value; `text` NULL: not looked up. */
json_t *specs_secret_new(const struct specs *specs, const json_t *source, const char *text);
/* Reads {"Env": …} or {"File": …}: 0 and the text (free()), -ENOENT when it is not set, -1 with a message. */
int specs_secret_source_read(const struct specs *specs, const json_t *source, char **out, struct diag *d);
void specs_resource_place(const struct specs_resource *resource, struct schema_place *out);
/* Whether names that are made for the type may hold `c`. */
bool specs_name_allows(const struct schema_type *type, char c);
const json_t *specs_attribute_of(const json_t *value, const char **address, const char **attribute);

#endif
