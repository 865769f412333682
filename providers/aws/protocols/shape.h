/* Shapes: what a service file says of the members of an operation's input and output, compiled once at start so that
 * the protocols walk structs and mistakes in a file show at once. The file format is described in docs/services.md.
 * Not a schema: a shape knows where a member travels and how it is spelled, not which values are allowed. */
#ifndef MUSTER_PROVIDERS_AWS_PROTOCOLS_SHAPE_H
#define MUSTER_PROVIDERS_AWS_PROTOCOLS_SHAPE_H

#include "base/json.h"
#include "providers/aws/aws.h"

enum aws_kind {
	AWS_ANY, /* JSON protocols: passed as it is */
	AWS_STRING,
	AWS_INTEGER,
	AWS_FLOAT,
	AWS_BOOLEAN,
	AWS_BLOB,      /* base64 text in input and output, bytes where the whole body is the blob */
	AWS_TIMESTAMP, /* RFC 3339 text in input and output; in JSON bodies a number of seconds passes too */
	AWS_ENCODED,   /* text that the service percent-encodes once more in answers (IAM policy documents) */
	AWS_STRUCTURE,
	AWS_LIST,
	AWS_MAP,
};

enum aws_time { AWS_TIME_OF_PROTOCOL, AWS_TIME_ISO8601, AWS_TIME_HTTP, AWS_TIME_UNIX };

enum aws_in {
	AWS_IN_BODY,
	AWS_IN_URI,     /* named by a {label} of the path or of the query string */
	AWS_IN_HEADER,  /* `wire` is the header's name */
	AWS_IN_PAYLOAD, /* is the whole body */
	AWS_IN_TEXT,    /* output: the text of the answer's root element (S3 GetBucketLocation) */
};

struct aws_shape;

struct aws_member {
	const char *name; /* API name, as in input and output objects */
	const char *wire; /* name in the body or header */
	enum aws_in in;
	const struct aws_shape *shape;
};

struct aws_shape {
	enum aws_kind kind;
	enum aws_time time;
	struct aws_member *members; /* AWS_STRUCTURE, in the file's order (XML has one) */
	size_t member_count;
	const struct aws_shape *item; /* AWS_LIST; AWS_MAP: of the values */
	const char *item_name;        /* list: element around each item */
	const char *entry, *key, *value;
	bool flat;  /* list, map: items stand next to each other under the member's own name */
	bool alias; /* stands for a shape by name: `members` belong to another one */
};

/* Owner of shapes; one for each service. */
struct aws_shape_list {
	struct aws_shape **items;
	size_t count;
};
void aws_shape_list_free(struct aws_shape_list *list);

/* What is needed to read the shapes of one file. */
struct aws_shape_reader {
	const char *file;    /* for messages */
	const json_t *named; /* the file's "Shapes", or NULL */
	json_t *named_done;  /* name -> index in `owner`, for shapes that name each other */
	enum aws_kind plain; /* what a member is when nothing is said */
	bool camel;          /* wire names start with a lower-case letter unless given */
	struct aws_shape_list *owner;
	struct diag *d;
};

/* Reads "Input" or "Output": a list of names, or an object of members. NULL gives a structure without members. Returns
 * 0 or -1 with a message. */
int aws_shape_read_members(const struct aws_shape **out, struct aws_shape_reader *reader, const json_t *members,
			   const char *where);

const struct aws_member *aws_shape_member(const struct aws_shape *structure, const char *name);
/* Adds "has no member X (did you mean Y?)". Returns -1. */
int aws_shape_unknown(const struct aws_shape *structure, const struct aws_service *service,
		      const struct aws_operation *operation, const struct json_path *path, struct diag *d);
/* Adds "service:Operation: path: text". Returns -1. */
int aws_shape_error(const struct aws_service *service, const struct aws_operation *operation,
		    const struct json_path *path, struct diag *d, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Each name in `input` must be a member of the operation's input. 0 or -1 with a message. */
int aws_shape_check_names(const struct aws_service *service, const struct aws_operation *operation, const json_t *input,
			  struct diag *d);

/* A scalar as text: numbers and booleans spelled out, timestamps as `time` wants them unless the shape says otherwise.
 * 0, or -1 (nothing added to `out`) when `value` does not fit the shape. */
int aws_shape_scalar(struct buf *out, const struct aws_shape *shape, enum aws_time time, const json_t *value);

#endif
