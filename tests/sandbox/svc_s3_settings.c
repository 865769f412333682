/* S3: a bucket's policy, and its other sub-resources, which are kept as the XML says them. */
#include "tests/sandbox/svc_s3.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define POLICY_MAX 20480

struct setting {
	const char *name, *root;
	const char *absent; /* the error code when there is none; NULL: an empty answer */
	const char *absent_message;
	int (*check)(struct sb_call *call, json_t *bucket, json_t *content);
};

static int malformed(struct sb_call *c)
{
	return sb_fail(c, 400, "MalformedXML",
		       "The XML you provided was not well-formed or did not validate against our published schema");
}

static bool one_of(const char *text, const char *a, const char *b, const char *d)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0 || (d != NULL && strcmp(text, d) == 0);
}

/* ---- checks ---- */

static int versioning_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	const char *status = sb_str(content, "Status", "Suspended");

	if (!one_of(status, "Enabled", "Suspended", NULL))
		return malformed(c);
	if (strcmp(status, "Suspended") == 0 &&
	    json_object_get(json_object_get(bucket, "Settings"), "object-lock") != NULL)
		return sb_fail(
		    c, 409, "InvalidBucketState",
		    "An Object Lock configuration is present on this bucket, so the versioning state cannot be "
		    "changed.");
	return 0;
}

static int encryption_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	json_t *rule = json_object_get(content, "Rule"),
	       *by_default = json_object_get(rule, "ApplyServerSideEncryptionByDefault");
	const char *algorithm = sb_str(by_default, "SSEAlgorithm", "");

	(void)bucket;
	if (rule == NULL || (by_default != NULL && !one_of(algorithm, "AES256", "aws:kms", "aws:kms:dsse")))
		return malformed(c);
	if (strcmp(algorithm, "AES256") == 0 && json_object_get(by_default, "KMSMasterKeyID") != NULL)
		return sb_fail(c, 400, "InvalidArgument",
			       "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
			       "aws:kms:dsse");
	if (json_object_get(rule, "BucketKeyEnabled") == NULL)
		json_object_set_new(rule, "BucketKeyEnabled", json_string("false"));
	return 0;
}

static int access_block_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	static const char *const names[] = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
					    "RestrictPublicBuckets"};

	(void)bucket;
	for (size_t i = 0; i < 4; i++) {
		const char *value = sb_str(content, names[i], "false");

		if (strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
			return malformed(c);
		json_object_set_new(content, names[i], json_string(strcasecmp(value, "true") == 0 ? "true" : "false"));
	}
	return 0;
}

static int ownership_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	(void)bucket;
	return one_of(sb_str(json_object_get(content, "Rule"), "ObjectOwnership", ""), "BucketOwnerEnforced",
		      "BucketOwnerPreferred", "ObjectWriter")
		   ? 0
		   : malformed(c);
}

static int rule_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	(void)bucket;
	return json_object_get(content, "Rule") != NULL || json_object_get(content, "CORSRule") != NULL ? 0
													: malformed(c);
}

/* Which objects transitions leave out stands in a header, beside the rules. */
#define LEAST_HEADER  "x-amz-transition-default-minimum-object-size"
#define LEAST_DEFAULT "all_storage_classes_128K"

/* The id of a rule left out is made up; the days and the status are what people get wrong. */
static int lifecycle_rule_check(struct sb_call *c, json_t *rule, size_t number)
{
	static const char *const actions[] = {"Expiration", "Transition", "NoncurrentVersionExpiration",
					      "NoncurrentVersionTransition", "AbortIncompleteMultipartUpload"};
	bool any = false;

	if (!one_of(sb_str(rule, "Status", ""), "Enabled", "Disabled", NULL))
		return malformed(c);
	for (size_t i = 0; i < 5; i++)
		any = any || json_object_get(rule, actions[i]) != NULL;
	if (!any)
		return sb_fail(c, 400, "InvalidRequest", "At least one action needs to be specified in a rule");
	if (json_object_get(rule, "ID") == NULL)
		json_object_set_new(rule, "ID", sb_format("sandbox-rule-%zu", number));
	return 0;
}

static int lifecycle_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	const char *said = sb_http_header(c->http, LEAST_HEADER), *least = said == NULL ? LEAST_DEFAULT : said;
	json_t *rules = json_object_get(content, "Rule"), *rule;
	size_t i;

	if (!one_of(least, "all_storage_classes_128K", "varies_by_storage_class", NULL))
		return sb_fail(c, 400, "InvalidRequest",
			       "Invalid value for x-amz-transition-default-minimum-object-size");
	json_object_set_new(bucket, "LeastToTransition", json_string(least));
	if (json_is_object(rules))
		return lifecycle_rule_check(c, rules, 1);
	if (!json_is_array(rules) || json_array_size(rules) > 1000)
		return malformed(c);
	json_array_foreach(rules, i, rule) if (lifecycle_rule_check(c, rule, i + 1) != 0) return -1;
	return 0;
}

static int logging_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	const char *target = sb_str(json_object_get(content, "LoggingEnabled"), "TargetBucket", NULL);
	json_t *there = target == NULL ? NULL : sb_bucket_find(c->sb, target);

	if (target != NULL &&
	    (there == NULL || !json_equal(json_object_get(there, "Owner"), json_object_get(bucket, "Owner"))))
		return sb_fail(c, 400, "InvalidTargetBucketForLogging",
			       "The owner for the bucket to be logged and the target bucket must be the same.");
	return 0;
}

static int object_lock_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	json_t *versioning = json_object_get(json_object_get(bucket, "Settings"), "versioning");

	if (strcmp(sb_str(content, "ObjectLockEnabled", ""), "Enabled") != 0)
		return malformed(c);
	if (strcmp(sb_str(versioning, "Status", ""), "Enabled") != 0)
		return sb_fail(c, 409, "InvalidBucketState",
			       "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
	return 0;
}

static int tagging_check(struct sb_call *c, json_t *bucket, json_t *content)
{
	json_t *tags = json_object_get(json_object_get(content, "TagSet"), "Tag"), *seen = json_object(), *tag;
	int status = 0;
	size_t i;

	(void)bucket;
	json_array_foreach(tags, i, tag)
	{
		if (json_object_get(seen, sb_str(tag, "Key", "")) != NULL)
			status = sb_fail(c, 400, "InvalidTag", "Cannot provide multiple Tags with the same key");
		json_object_set_new(seen, sb_str(tag, "Key", ""), json_true());
	}
	if (json_array_size(tags) > 50)
		status = sb_fail(c, 400, "BadRequest", "Bucket tag count cannot be greater than 50");
	json_decref(seen);
	return status;
}

static const struct setting settings[] = {
    {"versioning", "VersioningConfiguration", NULL, NULL, versioning_check},
    {"encryption", "ServerSideEncryptionConfiguration", "ServerSideEncryptionConfigurationNotFoundError",
     "The server side encryption configuration was not found", encryption_check},
    {"publicAccessBlock", "PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration",
     "The public access block configuration was not found", access_block_check},
    {"lifecycle", "LifecycleConfiguration", "NoSuchLifecycleConfiguration",
     "The lifecycle configuration does not exist", lifecycle_check},
    {"ownershipControls", "OwnershipControls", "OwnershipControlsNotFoundError",
     "The bucket ownership controls were not found", ownership_check},
    {"logging", "BucketLoggingStatus", NULL, NULL, logging_check},
    {"object-lock", "ObjectLockConfiguration", "ObjectLockConfigurationNotFoundError",
     "Object Lock configuration does not exist for this bucket", object_lock_check},
    {"tagging", "Tagging", "NoSuchTagSet", "The TagSet does not exist", tagging_check},
    {"cors", "CORSConfiguration", "NoSuchCORSConfiguration", "The CORS configuration does not exist", rule_check},
    {"website", "WebsiteConfiguration", "NoSuchWebsiteConfiguration",
     "The specified bucket does not have a website configuration", NULL},
    {"replication", "ReplicationConfiguration", "ReplicationConfigurationNotFoundError",
     "The replication configuration was not found", NULL},
    {"accelerate", "AccelerateConfiguration", NULL, NULL, NULL},
    {"requestPayment", "RequestPaymentConfiguration", NULL, NULL, NULL},
    {"notification", "NotificationConfiguration", NULL, NULL, NULL},
};

void s3_settings_default(json_t *bucket)
{
	json_t *all = sb_sub(bucket, "Settings");

	json_object_set_new(all, "encryption",
			    json_pack("{s:{s:{s:s},s:s}}", "Rule", "ApplyServerSideEncryptionByDefault", "SSEAlgorithm",
				      "AES256", "BucketKeyEnabled", "false"));
	json_object_set_new(all, "ownershipControls",
			    json_pack("{s:{s:s}}", "Rule", "ObjectOwnership", "BucketOwnerEnforced"));
	json_object_set_new(all, "publicAccessBlock",
			    json_pack("{s:s,s:s,s:s,s:s}", "BlockPublicAcls", "true", "IgnorePublicAcls", "true",
				      "BlockPublicPolicy", "true", "RestrictPublicBuckets", "true"));
	json_object_set_new(all, "requestPayment", json_pack("{s:s}", "Payer", "BucketOwner"));
}

static const struct setting *setting_asked(const struct sb_call *c)
{
	const char *name = strchr(c->op->uri, '?') + 1;
	size_t i = 0;

	while (strcmp(settings[i].name, name) != 0)
		i++;
	return &settings[i];
}

int s3_setting_get(struct sb_call *c)
{
	const struct setting *setting = setting_asked(c);
	json_t *bucket = s3_bucket_get(c), *content;

	if (bucket == NULL)
		return -1;
	content = json_object_get(json_object_get(bucket, "Settings"), setting->name);
	if (content == NULL && setting->absent != NULL)
		return sb_fail(c, 404, setting->absent, "%s", setting->absent_message);
	if (strcmp(setting->name, "lifecycle") == 0)
		sb_http_reply_header(c->http, LEAST_HEADER, sb_str(bucket, "LeastToTransition", LEAST_DEFAULT));
	c->out = json_pack("{s:o}", setting->root, content == NULL ? json_object() : json_incref(content));
	return 0;
}

int s3_setting_put(struct sb_call *c)
{
	const struct setting *setting = setting_asked(c);
	json_t *bucket = s3_bucket_get(c), *content;

	if (bucket == NULL)
		return -1;
	content = s3_body_xml(c, setting->root);
	if (content != NULL && setting->check != NULL && setting->check(c, bucket, content) != 0) {
		json_decref(content);
		return -1;
	}
	if (content == NULL)
		return -1;
	if (json_is_object(content))
		json_object_set_new(sb_sub(bucket, "Settings"), setting->name, content);
	else {
		json_decref(content); /* an empty element switches off */
		json_object_del(sb_sub(bucket, "Settings"), setting->name);
	}
	return 0;
}

/* Without a setting of its own, encryption falls back to the default. */
int s3_setting_delete(struct sb_call *c)
{
	const struct setting *setting = setting_asked(c);
	json_t *bucket = s3_bucket_get(c), *fresh;

	if (bucket == NULL)
		return -1;
	json_object_del(json_object_get(bucket, "Settings"), setting->name);
	if (strcmp(setting->name, "encryption") == 0) {
		fresh = json_object();
		s3_settings_default(fresh);
		sb_copy(json_object_get(bucket, "Settings"), json_object_get(fresh, "Settings"), "encryption");
		json_decref(fresh);
	}
	return 0;
}

/* ---- the policy ---- */

int s3_policy_get(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c);

	if (bucket == NULL)
		return -1;
	if (json_object_get(bucket, "Policy") == NULL)
		return sb_fail(c, 404, "NoSuchBucketPolicy", "The bucket policy does not exist");
	sb_http_reply_header(c->http, "Content-Type", "application/json");
	buf_adds(&c->http->answer, sb_str(bucket, "Policy", ""));
	return 0;
}

static bool texts_fit(json_t *value, const char *const *globs)
{
	size_t count = json_is_array(value) ? json_array_size(value) : value != NULL;

	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
		bool fits = false;

		for (size_t j = 0; text != NULL && globs[j] != NULL; j++)
			fits = fits || sb_glob(globs[j], text);
		if (!fits)
			return false;
	}
	return true;
}

static bool is_everyone(json_t *principal)
{
	json_t *aws = json_is_string(principal) ? principal : json_object_get(principal, "AWS"), *item;
	size_t i;

	if (json_is_string(aws))
		return strcmp(json_string_value(aws), "*") == 0;
	json_array_foreach(aws, i,
			   item) if (json_is_string(item) && strcmp(json_string_value(item), "*") == 0) return true;
	return false;
}

static bool is_public(json_t *document)
{
	json_t *statements = json_object_get(document, "Statement"), *statement;
	size_t count = json_is_array(statements) ? json_array_size(statements) : 1;

	for (size_t i = 0; i < count; i++) {
		statement = json_is_array(statements) ? json_array_get(statements, i) : statements;
		if (strcmp(sb_str(statement, "Effect", ""), "Allow") == 0 &&
		    is_everyone(json_object_get(statement, "Principal")) &&
		    json_object_get(statement, "Condition") == NULL)
			return true;
	}
	return false;
}

/* What is wrong with a policy for this bucket, or NULL. */
static const char *policy_fault(struct sb_call *c, json_t *document)
{
	static const char *const actions[] = {"s3:*", "S3:*", "*", NULL};
	mem_auto_str char *own = mem_printf("arn:*:s3:::%s", sb_str(c->in, "Bucket", ""));
	mem_auto_str char *inner = mem_printf("%s/*", own);
	const char *resources[] = {own, inner, NULL};
	json_t *statements = json_object_get(document, "Statement"), *statement;
	const char *fault = sb_policy_fault(document, true);
	size_t count = json_is_array(statements) ? json_array_size(statements) : 1;

	for (size_t i = 0; i < count && fault == NULL; i++) {
		statement = json_is_array(statements) ? json_array_get(statements, i) : statements;
		if (json_object_get(statement, "Resource") == NULL && json_object_get(statement, "NotResource") == NULL)
			fault = "Missing required field Resource";
		else if (!texts_fit(json_object_get(statement, "Action"), actions))
			fault = "Policy has invalid action";
		else if (!texts_fit(json_object_get(statement, "Resource"), resources))
			fault = "Policy has invalid resource";
	}
	return fault == NULL && sb_policy_ghost(c->sb, document) != NULL ? "Invalid principal in policy" : fault;
}

int s3_policy_put(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c), *document = NULL, *block;
	const struct buf *body = &c->http->body;
	const char *fault;
	int status = -1;

	if (bucket == NULL)
		return -1;
	document = json_loadb(buf_str(body), body->len, 0, NULL);
	block = json_object_get(json_object_get(bucket, "Settings"), "publicAccessBlock");
	if (!json_is_object(document))
		sb_fail(c, 400, "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'");
	else if (body->len > POLICY_MAX)
		sb_fail(c, 400, "PolicyTooLarge", "The policy is larger than the maximum of 20 KB");
	else if ((fault = policy_fault(c, document)) != NULL)
		sb_fail(c, 400, "MalformedPolicy", "%s", fault);
	else if (is_public(document) && strcmp(sb_str(block, "BlockPublicPolicy", "false"), "true") == 0)
		sb_fail(
		    c, 403, "AccessDenied",
		    "User: %s is not authorized to perform: s3:PutBucketPolicy because public policies are prevented "
		    "by the BlockPublicPolicy setting in S3 Block Public Access.",
		    sb_str(c->caller, "Arn", ""));
	else {
		sb_lag_set(c->sb, bucket, "Policy", json_stringn(buf_str(body), body->len));
		status = 0;
	}
	json_decref(document);
	return status;
}

int s3_policy_delete(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c);

	if (bucket == NULL)
		return -1;
	sb_lag_set(c->sb, bucket, "Policy", NULL);
	return 0;
}

int s3_policy_status(struct sb_call *c)
{
	json_t *bucket = s3_bucket_get(c), *document;

	if (bucket == NULL)
		return -1;
	document = json_loads(sb_str(bucket, "Policy", ""), 0, NULL);
	if (document == NULL)
		return sb_fail(c, 404, "NoSuchBucketPolicy", "The bucket policy does not exist");
	c->out = json_pack("{s:{s:b}}", "PolicyStatus", "IsPublic", is_public(document));
	json_decref(document);
	return 0;
}
