/* S3: buckets, who may use them and from which region. Settings and policies are in svc_s3_settings.c, objects in
 * svc_s3_objects.c. */
#include "tests/sandbox/svc_s3.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

json_t *sb_bucket_find(struct sb *sb, const char *bucket)
{
	const char *where = sb_str(sb->buckets, bucket, NULL), *slash;
	mem_auto_str char *account = NULL;

	if (where == NULL)
		return NULL;
	slash = strchr(where, '/');
	account = mem_strndup(where, (size_t)(slash - where));
	return json_object_get(json_object_get(sb_state_find(sb, account, slash + 1, "s3"), "Buckets"), bucket);
}

bool sb_bucket_lets(struct sb *sb, const char *bucket, const struct sb_ask *ask)
{
	json_t *it = sb_bucket_find(sb, bucket), *document;
	enum sb_verdict verdict;

	if (it == NULL)
		return false;
	document = json_loads(
	    json_string_value(sb_lag_seen(it, "Policy")) == NULL ? "" : json_string_value(sb_lag_seen(it, "Policy")), 0,
	    NULL);
	verdict = sb_policy_ask(document, ask);
	json_decref(document);
	return verdict == SB_ALLOWED;
}

/* ---- who and where ---- */

static const char *action_of(const char *operation)
{
	if (strcmp(operation, "HeadBucket") == 0 || strncmp(operation, "ListObjects", 11) == 0)
		return "s3:ListBucket";
	return strcmp(operation, "HeadObject") == 0 ? "s3:GetObject" : NULL;
}

static int owner_check(struct sb_call *c, json_t *bucket)
{
	const char *expected = sb_http_header(c->http, "x-amz-expected-bucket-owner");
	const char *owner = sb_str(bucket, "Owner", ""), *key = sb_str(c->in, "Key", ""),
		   *known = action_of(c->op->name);
	mem_auto_str char *action = known != NULL ? mem_strdup(known) : mem_printf("s3:%s", c->op->name);
	mem_auto_str char *resource =
	    mem_printf("arn:%s:s3:::%s%s%s", c->partition, sb_str(c->in, "Bucket", ""), key[0] != '\0' ? "/" : "", key);
	json_t *context = json_pack("{s:s,s:s}", "aws:securetransport", "true", "aws:principalaccount", c->account);
	struct sb_ask ask = {.account = c->account,
			     .arn = sb_str(c->caller, "Arn", NULL),
			     .role_arn = sb_str(c->caller, "RoleArn", NULL),
			     .action = action,
			     .resource = resource,
			     .context = context};
	bool own = strcmp(owner, c->account) == 0;
	json_t *document = json_loads(sb_str(bucket, "Policy", ""), 0, NULL);
	enum sb_verdict verdict = sb_policy_ask(document, &ask);

	json_decref(document);
	json_decref(context);
	/* The owner can always mend a policy that shuts it out. */
	if (own && strstr(c->op->name, "BucketPolicy") != NULL)
		verdict = SB_ALLOWED;
	if ((expected != NULL && strcmp(expected, owner) != 0) || (own ? verdict == SB_DENIED : verdict != SB_ALLOWED))
		return sb_fail(c, 403, "AccessDenied", "Access Denied");
	return 0;
}

/* S3 in us-east-1 says that the signature names the wrong region; elsewhere it sends the caller away. */
static int region_check(struct sb_call *c, json_t *bucket)
{
	const char *region = sb_str(bucket, "Region", "");

	if (strcmp(region, c->region) == 0)
		return 0;
	sb_http_reply_header(c->http, "x-amz-bucket-region", region);
	if (strcmp(c->region, "us-east-1") == 0) {
		json_object_set_new(c->in, "ExpectedRegion", json_string(region));
		return sb_fail(c, 400, "AuthorizationHeaderMalformed",
			       "The authorization header is malformed; the region '%s' is wrong; expecting '%s'",
			       c->region, region);
	}
	return sb_fail(c, 301, "PermanentRedirect",
		       "The bucket you are attempting to access must be addressed using the specified endpoint. Please "
		       "send all future requests to this endpoint.");
}

json_t *s3_bucket_get(struct sb_call *c)
{
	json_t *bucket = sb_bucket_find(c->sb, sb_str(c->in, "Bucket", ""));

	if (bucket == NULL) {
		sb_fail(c, 404, "NoSuchBucket", "The specified bucket does not exist");
		return NULL;
	}
	return region_check(c, bucket) != 0 || owner_check(c, bucket) != 0 ? NULL : bucket;
}

json_t *s3_body_xml(struct sb_call *c, const char *root)
{
	char *name;
	json_t *content = sb_xml_read(&name, c->http->body.data, c->http->body.len);

	if (content == NULL || strcmp(name, root) != 0) {
		json_decref(content);
		content = NULL;
		sb_fail(c, 400, "MalformedXML",
			"The XML you provided was not well-formed or did not validate against our published schema");
	}
	free(name);
	return content;
}

/* ---- creating ---- */

static bool name_fits(const char *name)
{
	size_t len = strlen(name);
	bool address = true;

	if (!sb_like(name, "a-z0-9.-", 3, 63) || !isalnum((unsigned char)name[0]) ||
	    !isalnum((unsigned char)name[len - 1]) || strstr(name, "..") != NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		address = address && (isdigit((unsigned char)name[i]) || name[i] == '.');
	return !address && strncmp(name, "xn--", 4) != 0;
}

/* Where the bucket shall be: NULL with the call failed when the body and the endpoint do not go together. */
static char *location_read(struct sb_call *c, json_t **tags)
{
	json_t *said = c->http->body.len > 0 ? s3_body_xml(c, "CreateBucketConfiguration") : json_object();
	const char *where = sb_str(said, "LocationConstraint", "");
	bool classic = strcmp(c->region, "us-east-1") == 0;
	char *result = NULL;

	if (said == NULL)
		return NULL;
	*tags = json_incref(json_object_get(json_object_get(said, "Tags"), "Tag"));
	if (classic && strcmp(where, "EU") == 0)
		where = "eu-west-1";
	if (!classic && strcmp(where, c->region) != 0)
		sb_fail(c, 400, "IllegalLocationConstraintException",
			"The %s location constraint is incompatible for the region specific endpoint this request was "
			"sent to.",
			where[0] == '\0' ? "unspecified" : where);
	else if (classic && where[0] != '\0' &&
		 (strcmp(where, "us-east-1") == 0 || !sb_region_enabled(c->sb, c->account, where)))
		sb_fail(c, 400, "InvalidLocationConstraint", "The specified location-constraint is not valid");
	else
		result = mem_strdup(where[0] == '\0' ? c->region : where);
	json_decref(said);
	return result;
}

static int taken_check(struct sb_call *c, const char *name)
{
	json_t *bucket = sb_bucket_find(c->sb, name);

	if (bucket == NULL)
		return 0;
	if (strcmp(sb_str(bucket, "Owner", ""), c->account) != 0)
		return sb_fail(
		    c, 409, "BucketAlreadyExists",
		    "The requested bucket name is not available. The bucket namespace is shared by all users "
		    "of the system. Please select a different name and try again.");
	if (strcmp(sb_str(bucket, "Region", ""), "us-east-1") == 0 && strcmp(c->region, "us-east-1") == 0)
		return 1;
	return sb_fail(c, 409, "BucketAlreadyOwnedByYou",
		       "Your previous request to create the named bucket succeeded and you already own it.");
}

static int header_settings(struct sb_call *c, json_t *settings)
{
	const char *lock = sb_http_header(c->http, "x-amz-bucket-object-lock-enabled");
	const char *ownership = sb_http_header(c->http, "x-amz-object-ownership");
	const char *acl = sb_http_header(c->http, "x-amz-acl");

	if (ownership != NULL)
		json_object_set_new(settings, "ownershipControls",
				    json_pack("{s:{s:s}}", "Rule", "ObjectOwnership", ownership));
	if (acl != NULL && strcmp(acl, "private") != 0 &&
	    (ownership == NULL || strcmp(ownership, "BucketOwnerEnforced") == 0))
		return sb_fail(c, 400, "InvalidBucketAclWithObjectOwnership",
			       "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
	if (lock != NULL && strcasecmp(lock, "true") == 0) {
		json_object_set_new(settings, "object-lock", json_pack("{s:s}", "ObjectLockEnabled", "Enabled"));
		json_object_set_new(settings, "versioning", json_pack("{s:s}", "Status", "Enabled"));
	}
	return 0;
}

static int create_bucket(struct sb_call *c)
{
	const char *name = sb_str(c->in, "Bucket", "");
	mem_auto_str char *region = NULL;
	json_t *bucket = NULL, *tags = NULL, *buckets;
	int taken, status = -1;

	if (!name_fits(name))
		return sb_fail(c, 400, "InvalidBucketName", "The specified bucket is not valid.");
	region = location_read(c, &tags);
	if (region == NULL || (taken = taken_check(c, name)) < 0)
		goto out;
	sb_http_reply_header(c->http, "Location", c->http->path);
	status = 0;
	if (taken > 0)
		goto out;
	bucket = json_pack("{s:s,s:s,s:I}", "Region", region, "Owner", c->account, "CreatedMs", (json_int_t)c->now_ms);
	s3_settings_default(bucket);
	if (tags != NULL)
		json_object_set_new(sb_sub(bucket, "Settings"), "tagging",
				    json_pack("{s:{s:O}}", "TagSet", "Tag", tags));
	status = header_settings(c, sb_sub(bucket, "Settings"));
	if (status != 0)
		goto out;
	buckets = sb_sub(sb_state(c->sb, c->account, region, "s3"), "Buckets");
	json_object_set(buckets, name, bucket);
	json_object_set_new(c->sb->buckets, name, sb_format("%s/%s", c->account, region));
out:
	json_decref(tags);
	json_decref(bucket);
	return status;
}

static int head_bucket(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c);

	if (bucket == NULL)
		return -1;
	sb_http_reply_header(c->http, "x-amz-bucket-region", sb_str(bucket, "Region", ""));
	sb_http_reply_header(c->http, "Content-Type", "application/xml");
	return 0;
}

static int delete_bucket(struct sb_call *c)
{
	const char *name = sb_str(c->in, "Bucket", "");
	json_t *bucket = s3_bucket_get(c);

	if (bucket == NULL)
		return -1;
	if (json_object_size(json_object_get(bucket, "Objects")) > 0)
		return sb_fail(c, 409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
	json_object_del(c->sb->buckets, name);
	json_object_del(json_object_get(c->state, "Buckets"), name);
	return 0;
}

static int get_bucket_location(struct sb_call *c)
{
	json_t *bucket = sb_bucket_find(c->sb, sb_str(c->in, "Bucket", ""));
	const char *region = sb_str(bucket, "Region", "");

	if (bucket == NULL)
		return sb_fail(c, 404, "NoSuchBucket", "The specified bucket does not exist");
	if (strcmp(c->region, "us-east-1") != 0 && region_check(c, bucket) != 0)
		return -1;
	if (owner_check(c, bucket) != 0)
		return -1;
	c->out = json_pack("{s:s}", "LocationConstraint", strcmp(region, "us-east-1") == 0 ? "" : region);
	return 0;
}

static int get_bucket_acl(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c);
	mem_auto_str char *owner = NULL;

	if (bucket == NULL)
		return -1;
	owner = mem_printf("%064llx", strtoull(sb_str(bucket, "Owner", "0"), NULL, 10));
	sb_http_reply_header(c->http, "Content-Type", "application/xml");
	buf_addf(
	    &c->http->answer,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccessControlPolicy "
	    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>%s</ID></Owner><AccessControlList><Grant>"
	    "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>%s</ID>"
	    "</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>",
	    owner, owner);
	return 0;
}

/* ---- listing ---- */

static json_t *buckets_of(struct sb_call *c)
{
	mem_auto_str char *region_only = sb_http_query(c->http, "bucket-region");
	mem_auto_str char *prefix = sb_http_query(c->http, "prefix");
	json_t *all = json_object(), *services, *bucket;
	const char *region, *name;

	json_object_foreach(json_object_get(c->sb->state, c->account), region, services)
	{
		if (region_only != NULL && strcmp(region_only, region) != 0)
			continue;
		json_object_foreach(json_object_get(json_object_get(services, "s3"), "Buckets"), name,
				    bucket) if (prefix == NULL || strncmp(name, prefix, strlen(prefix)) == 0)
		    json_object_set(all, name, bucket);
	}
	return all;
}

static int list_buckets(struct sb_call *c)
{
	mem_auto_str char *token = sb_http_query(c->http, "continuation-token"), *next = NULL;
	mem_auto_str char *most = sb_http_query(c->http, "max-buckets");
	json_t *all = buckets_of(c), *rows = json_array(), *page, *name, *bucket;
	size_t limit = most == NULL ? 10000 : strtoul(most, NULL, 10), i;

	page = sb_page(&next, all, token, limit < 1 || limit > 10000 ? 10000 : limit);
	json_array_foreach(page, i, name)
	{
		bucket = json_object_get(all, json_string_value(name));
		json_array_append_new(rows, json_pack("{s:O,s:o,s:O}", "Name", name, "CreationDate",
						      sb_time_json(sb_int(bucket, "CreatedMs", 0)), "BucketRegion",
						      json_object_get(bucket, "Region")));
	}
	json_decref(all);
	c->out = json_pack("{s:{s:{s:s},s:{s:o}}}", "ListAllMyBucketsResult", "Owner", "ID", c->account, "Buckets",
			   "Bucket", rows);
	if (page == NULL)
		return sb_fail(c, 400, "InvalidArgument", "The continuation token provided is incorrect");
	json_decref(page);
	if (next != NULL)
		json_object_set_new(json_object_get(c->out, "ListAllMyBucketsResult"), "ContinuationToken",
				    json_string(next));
	return 0;
}

#define GET(name, sub)                                                                                                 \
	{                                                                                                              \
		"GetBucket" name, s3_setting_get, NULL, "GET", "bucket?" sub, 0                                        \
	}
#define PUT(name, sub)                                                                                                 \
	{                                                                                                              \
		"PutBucket" name, s3_setting_put, NULL, "PUT", "bucket?" sub, 0                                        \
	}
#define DEL(name, sub)                                                                                                 \
	{                                                                                                              \
		"DeleteBucket" name, s3_setting_delete, NULL, "DELETE", "bucket?" sub, 204                             \
	}

static const struct sb_op ops[] = {
    {"ListBuckets", list_buckets, NULL, "GET", "service", 0},
    {"CreateBucket", create_bucket, NULL, "PUT", "bucket", 0},
    {"HeadBucket", head_bucket, NULL, "HEAD", "bucket", 0},
    {"DeleteBucket", delete_bucket, NULL, "DELETE", "bucket", 204},
    {"GetBucketLocation", get_bucket_location, NULL, "GET", "bucket?location", 0},
    {"GetBucketAcl", get_bucket_acl, NULL, "GET", "bucket?acl", 0},
    {"GetBucketPolicy", s3_policy_get, NULL, "GET", "bucket?policy", 0},
    {"PutBucketPolicy", s3_policy_put, NULL, "PUT", "bucket?policy", 204},
    {"DeleteBucketPolicy", s3_policy_delete, NULL, "DELETE", "bucket?policy", 204},
    {"GetBucketPolicyStatus", s3_policy_status, NULL, "GET", "bucket?policyStatus", 0},
    GET("Versioning", "versioning"),
    PUT("Versioning", "versioning"),
    GET("Encryption", "encryption"),
    PUT("Encryption", "encryption"),
    DEL("Encryption", "encryption"),
    {"GetPublicAccessBlock", s3_setting_get, NULL, "GET", "bucket?publicAccessBlock", 0},
    {"PutPublicAccessBlock", s3_setting_put, NULL, "PUT", "bucket?publicAccessBlock", 0},
    {"DeletePublicAccessBlock", s3_setting_delete, NULL, "DELETE", "bucket?publicAccessBlock", 204},
    GET("LifecycleConfiguration", "lifecycle"),
    PUT("LifecycleConfiguration", "lifecycle"),
    DEL("Lifecycle", "lifecycle"),
    GET("OwnershipControls", "ownershipControls"),
    PUT("OwnershipControls", "ownershipControls"),
    DEL("OwnershipControls", "ownershipControls"),
    GET("Logging", "logging"),
    PUT("Logging", "logging"),
    {"GetObjectLockConfiguration", s3_setting_get, NULL, "GET", "bucket?object-lock", 0},
    {"PutObjectLockConfiguration", s3_setting_put, NULL, "PUT", "bucket?object-lock", 0},
    GET("Tagging", "tagging"),
    {"PutBucketTagging", s3_setting_put, NULL, "PUT", "bucket?tagging", 204},
    DEL("Tagging", "tagging"),
    GET("Cors", "cors"),
    PUT("Cors", "cors"),
    DEL("Cors", "cors"),
    GET("Website", "website"),
    GET("Replication", "replication"),
    GET("AccelerateConfiguration", "accelerate"),
    GET("RequestPayment", "requestPayment"),
    GET("NotificationConfiguration", "notification"),
    PUT("NotificationConfiguration", "notification"),
    {"ListObjectsV2", s3_objects_list, NULL, "GET", "bucket", 0},
    {"PutObject", s3_object_put, NULL, "PUT", "object", 0},
    {"GetObject", s3_object_get, NULL, "GET", "object", 0},
    {"HeadObject", s3_object_get, NULL, "HEAD", "object", 0},
    {"DeleteObject", s3_object_delete, NULL, "DELETE", "object", 204},
    {.name = NULL},
};

const struct sb_service sb_s3 = {
    .name = "s3",
    .protocol = SB_S3,
    .prefix = "",
    .invalid = "InvalidArgument",
    .throttled = "SlowDown",
    .throttled_status = 503,
    .denied = "AccessDenied",
    .denied_status = 403,
    .ops = ops,
};
