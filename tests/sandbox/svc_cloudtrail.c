/* CloudTrail: trails and whether they log. Delivery is checked as AWS does when a trail is made or changed: the bucket
 * policy must let the service in. Selectors and tags are in svc_cloudtrail_selectors.c. */
#include "tests/sandbox/svc_cloudtrail.h"

#include <ctype.h>
#include <string.h>

#include "tests/sandbox/svc_sns.h"

#define TRAILS_MAX 5

/* ---- finding ---- */

json_t *trail_find(struct sb_call *c, const char *name_or_arn)
{
	bool by_arn = strncmp(name_or_arn, "arn:", 4) == 0;
	const char *region, *name;
	json_t *services, *trail, *shadow = NULL;

	json_object_foreach(json_object_get(c->sb->state, c->account), region, services)
	{
		json_object_foreach(json_object_get(json_object_get(services, "cloudtrail"), "Trails"), name, trail)
		{
			if (by_arn && strcmp(sb_str(trail, "TrailARN", ""), name_or_arn) == 0)
				return trail;
			if (by_arn || strcmp(name, name_or_arn) != 0)
				continue;
			if (strcmp(region, c->region) == 0)
				return trail;
			if (sb_true(trail, "IsMultiRegionTrail"))
				shadow = trail;
		}
	}
	return shadow;
}

static int no_such_trail(struct sb_call *c, const char *name)
{
	if (strncmp(name, "arn:", 4) == 0)
		return sb_fail(c, 400, "TrailNotFoundException", "Unknown trail: %s for the user: %s", name,
			       c->account);
	return sb_fail(c, 400, "TrailNotFoundException",
		       "Unknown trail: arn:%s:cloudtrail:%s:%s:trail/%s for the user: %s", c->partition, c->region,
		       c->account, name, c->account);
}

static int name_check(struct sb_call *c, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(name, "arn:", 4) == 0) {
		mem_auto_str char *service = sb_arn_part(name, 2), *rest = sb_arn_part(name, 5);

		if (strcmp(service, "cloudtrail") == 0 && strncmp(rest, "trail/", 6) == 0)
			return 0;
		return sb_fail(c, 400, "CloudTrailARNInvalidException", "%s is not a valid trail ARN.", name);
	}
	if (len < 3 || len > 128)
		return sb_fail(c, 400, "InvalidTrailNameException",
			       "Trail name must be between 3 and 128 characters long.");
	if (!sb_like(name, "a-zA-Z0-9._-", 3, 128) || !isalnum((unsigned char)name[0]) ||
	    !isalnum((unsigned char)name[len - 1]))
		return sb_fail(
		    c, 400, "InvalidTrailNameException",
		    "Trail name must start and end with a letter or number and contain only letters, numbers, "
		    "periods, underscores and dashes.");
	return 0;
}

json_t *trail_get(struct sb_call *c, const char *key, bool to_change)
{
	const char *name = sb_str(c->in, key, "");
	json_t *trail;

	if (name_check(c, name) != 0)
		return NULL;
	trail = trail_find(c, name);
	if (trail == NULL) {
		no_such_trail(c, name);
	} else if (to_change && strcmp(sb_str(trail, "HomeRegion", ""), c->region) != 0) {
		sb_fail(c, 400, "InvalidHomeRegionException", "The trail %s has its home region in %s.", name,
			sb_str(trail, "HomeRegion", ""));
		trail = NULL;
	}
	return trail;
}

/* ---- checks ---- */

static int bucket_check(struct sb_call *c, json_t *trail)
{
	const char *bucket = sb_str(trail, "S3BucketName", ""), *prefix = sb_str(trail, "S3KeyPrefix", "");
	mem_auto_str char *whole = mem_printf("arn:%s:s3:::%s", c->partition, bucket);
	mem_auto_str char *inner = mem_printf("%s/%s%sAWSLogs/%s/CloudTrail/%s/probe", whole, prefix,
					      prefix[0] != '\0' ? "/" : "", c->account, c->region);
	struct sb_ask ask = {.service = "cloudtrail.amazonaws.com", .action = "s3:GetBucketAcl", .resource = whole};
	bool lets;

	if (sb_bucket_find(c->sb, bucket) == NULL)
		return sb_fail(c, 400, "S3BucketDoesNotExistException", "S3 bucket %s does not exist!", bucket);
	ask.context = json_pack("{s:s,s:O,s:s}", "aws:sourceaccount", c->account, "aws:sourcearn",
				json_object_get(trail, "TrailARN"), "aws:securetransport", "true");
	lets = sb_bucket_lets(c->sb, bucket, &ask);
	json_object_set_new(ask.context, "s3:x-amz-acl", json_string("bucket-owner-full-control"));
	ask.action = "s3:PutObject";
	ask.resource = inner;
	lets = lets && sb_bucket_lets(c->sb, bucket, &ask);
	json_decref(ask.context);
	if (!lets)
		return sb_fail(c, 400, "InsufficientS3BucketPolicyException",
			       "Incorrect S3 bucket policy is detected for bucket: %s", bucket);
	return 0;
}

static int topic_check(struct sb_call *c, json_t *trail)
{
	const char *name = sb_str(trail, "SnsTopicName", "");
	mem_auto_str char *arn = strncmp(name, "arn:", 4) == 0
				     ? mem_strdup(name)
				     : mem_printf("arn:%s:sns:%s:%s:%s", c->partition, c->region, c->account, name);
	struct sb_ask ask = {.service = "cloudtrail.amazonaws.com", .action = "SNS:Publish", .resource = arn};
	json_t *topic, *document;
	enum sb_verdict verdict;

	if (name[0] == '\0') {
		json_object_del(trail, "SnsTopicName");
		json_object_del(trail, "SnsTopicARN");
		return 0;
	}
	topic = sns_topic_find(c->sb, arn);
	document = json_loads(sb_str(json_object_get(topic, "Attributes"), "Policy", ""), 0, NULL);
	ask.context = json_pack("{s:s,s:O}", "aws:sourceaccount", c->account, "aws:sourcearn",
				json_object_get(trail, "TrailARN"));
	verdict = sb_policy_ask(document, &ask);
	json_decref(document);
	json_decref(ask.context);
	if (verdict != SB_ALLOWED)
		return sb_fail(c, 400, "InsufficientSnsTopicPolicyException",
			       "SNS Topic does not exist or the topic policy is incorrect!");
	json_object_set_new(trail, "SnsTopicARN", json_string(arn));
	return 0;
}

static int logs_check(struct sb_call *c, json_t *trail)
{
	const char *group = sb_str(trail, "CloudWatchLogsLogGroupArn", ""),
		   *role = sb_str(trail, "CloudWatchLogsRoleArn", "");

	if (group[0] == '\0' && role[0] == '\0')
		return 0;
	if (!sb_glob("arn:*:logs:*:*:log-group:*", group))
		return sb_fail(c, 400, "InvalidCloudWatchLogsLogGroupArnException",
			       "CloudTrail cannot validate the specified log group ARN.");
	if (sb_role_seen(c->sb, role) == NULL)
		return sb_fail(c, 400, "InvalidCloudWatchLogsRoleArnException",
			       "Access denied. Check the trust relationships for your role.");
	return 0;
}

static int trail_check(struct sb_call *c, json_t *trail)
{
	if (sb_true(trail, "IsMultiRegionTrail") && !sb_true(trail, "IncludeGlobalServiceEvents"))
		return sb_fail(c, 400, "InvalidParameterCombinationException",
			       "Multi-Region trail must include global service events.");
	if (sb_true(trail, "IsOrganizationTrail"))
		return sb_fail(c, 400, "OrganizationsNotInUseException",
			       "The account is not a member of an organization.");
	return bucket_check(c, trail) != 0 || topic_check(c, trail) != 0 || logs_check(c, trail) != 0 ? -1 : 0;
}

static int limit_check(struct sb_call *c)
{
	size_t count = 0;
	const char *region, *name;
	json_t *services, *trail;

	json_object_foreach(json_object_get(c->sb->state, c->account), region, services)
	    json_object_foreach(json_object_get(json_object_get(services, "cloudtrail"), "Trails"), name, trail)
		count += strcmp(region, c->region) == 0 || sb_true(trail, "IsMultiRegionTrail");
	if (count >= TRAILS_MAX)
		return sb_fail(c, 400, "MaximumNumberOfTrailsExceededException",
			       "User: %s already has %d trails in %s.", c->account, TRAILS_MAX, c->region);
	return 0;
}

/* ---- trails ---- */

#define TRAIL_MEMBERS                                                                                                  \
	"Name S3BucketName S3KeyPrefix SnsTopicName SnsTopicARN IncludeGlobalServiceEvents IsMultiRegionTrail "        \
	"TrailARN LogFileValidationEnabled CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn KmsKeyId "                  \
	"IsOrganizationTrail"

/* Puts what the call says on a trail; an empty text takes a setting away. */
static void trail_set(struct sb_call *c, json_t *trail)
{
	static const char *const texts[] = {"S3KeyPrefix", "SnsTopicName", "CloudWatchLogsLogGroupArn",
					    "CloudWatchLogsRoleArn", "KmsKeyId"};

	sb_copy(trail, c->in, "S3BucketName IncludeGlobalServiceEvents IsMultiRegionTrail IsOrganizationTrail");
	if (json_object_get(c->in, "EnableLogFileValidation") != NULL)
		json_object_set(trail, "LogFileValidationEnabled", json_object_get(c->in, "EnableLogFileValidation"));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		const char *text = sb_str(c->in, texts[i], NULL);

		if (text != NULL && text[0] == '\0')
			json_object_del(trail, texts[i]);
		else if (text != NULL)
			json_object_set_new(trail, texts[i], json_string(text));
	}
}

static int create_trail(struct sb_call *c)
{
	const char *name = sb_str(c->in, "Name", "");
	json_t *trails = sb_sub(c->state, "Trails"), *trail;

	if (name_check(c, name) != 0)
		return -1;
	if (trail_find(c, name) != NULL)
		return sb_fail(c, 400, "TrailAlreadyExistsException", "Trail %s already exists for customer: %s", name,
			       c->account);
	if (limit_check(c) != 0)
		return -1;
	trail = json_pack("{s:s,s:s,s:b,s:b,s:b,s:b,s:b}", "Name", name, "HomeRegion", c->region,
			  "IncludeGlobalServiceEvents", 1, "IsMultiRegionTrail", 0, "LogFileValidationEnabled", 0,
			  "IsOrganizationTrail", 0, "IsLogging", 0);
	json_object_set_new(trail, "TrailARN",
			    sb_format("arn:%s:cloudtrail:%s:%s:trail/%s", c->partition, c->region, c->account, name));
	trail_set(c, trail);
	if (trail_check(c, trail) != 0) {
		json_decref(trail);
		return -1;
	}
	sb_tags_add(sb_sub(trail, "Tags"), json_object_get(c->in, "TagsList"), "Key", "Value");
	json_object_set_new(trails, name, trail);
	c->out = json_object();
	sb_copy(c->out, trail, TRAIL_MEMBERS);
	return 0;
}

static int update_trail(struct sb_call *c)
{
	json_t *trail = trail_get(c, "Name", true), *changed;

	if (trail == NULL)
		return -1;
	changed = json_copy(trail);
	trail_set(c, changed);
	if (trail_check(c, changed) != 0) {
		json_decref(changed);
		return -1;
	}
	c->out = json_object();
	sb_copy(c->out, changed, TRAIL_MEMBERS);
	json_object_set_new(json_object_get(c->state, "Trails"), sb_str(changed, "Name", ""), changed);
	return 0;
}

static int delete_trail(struct sb_call *c)
{
	json_t *trail = trail_get(c, "Name", true);
	mem_auto_str char *name = mem_strdup(sb_str(trail, "Name", ""));

	if (trail == NULL)
		return -1;
	json_object_del(json_object_get(c->state, "Trails"), name);
	return 0;
}

static json_t *trail_out(json_t *trail)
{
	json_t *out = json_object();

	sb_copy(out, trail, TRAIL_MEMBERS " HomeRegion");
	json_object_set_new(out, "HasCustomEventSelectors",
			    json_boolean(json_object_get(trail, "EventSelectors") != NULL ||
					 json_object_get(trail, "AdvancedEventSelectors") != NULL));
	json_object_set_new(out, "HasInsightSelectors",
			    json_boolean(json_object_get(trail, "InsightSelectors") != NULL));
	return out;
}

static int get_trail(struct sb_call *c)
{
	json_t *trail = trail_get(c, "Name", false);

	if (trail == NULL)
		return -1;
	c->out = json_pack("{s:o}", "Trail", trail_out(trail));
	return 0;
}

/* Own trails of this region, and, unless left out, the shadows of multi-region trails of other regions. */
static json_t *trails_here(struct sb_call *c, bool shadows)
{
	json_t *all = json_object(), *services, *trail;
	const char *region, *name;

	json_object_foreach(json_object_get(c->sb->state, c->account), region, services) json_object_foreach(
	    json_object_get(json_object_get(services, "cloudtrail"), "Trails"), name,
	    trail) if (strcmp(region, c->region) == 0 || (shadows && sb_true(trail, "IsMultiRegionTrail")))
	    json_object_set(all, sb_str(trail, "TrailARN", ""), trail);
	return all;
}

static int describe_trails(struct sb_call *c)
{
	bool shadows = !json_is_false(json_object_get(c->in, "includeShadowTrails"));
	json_t *names = json_object_get(c->in, "trailNameList"), *list = json_array(), *all, *trail, *name;
	const char *arn;
	size_t i;

	c->out = json_pack("{s:o}", "trailList", list);
	if (json_array_size(names) > 0) {
		json_array_foreach(names, i, name) if ((trail = trail_find(c, json_string_value(name))) != NULL)
		    json_array_append_new(list, trail_out(trail));
		return 0;
	}
	all = trails_here(c, shadows);
	json_object_foreach(all, arn, trail) json_array_append_new(list, trail_out(trail));
	json_decref(all);
	return 0;
}

static int list_trails(struct sb_call *c)
{
	json_t *all = trails_here(c, true), *list = json_array(), *page, *arn;
	mem_auto_str char *next = NULL;
	size_t i;

	page = sb_page(&next, all, sb_str(c->in, "NextToken", NULL), 50);
	c->out = json_pack("{s:o}", "Trails", list);
	json_array_foreach(page, i, arn)
	{
		json_t *row = json_object();

		sb_copy(row, json_object_get(all, json_string_value(arn)), "TrailARN Name HomeRegion");
		json_array_append_new(list, row);
	}
	json_decref(all);
	if (page == NULL)
		return sb_fail(c, 400, "InvalidTokenException", "The token is not valid.");
	json_decref(page);
	if (next != NULL)
		json_object_set_new(c->out, "NextToken", json_string(next));
	return 0;
}

/* ---- logging ---- */

static int logging_set(struct sb_call *c, bool on)
{
	json_t *trail = trail_get(c, "Name", true);

	if (trail == NULL)
		return -1;
	if (sb_true(trail, "IsLogging") != on)
		json_object_set_new(trail, on ? "StartedMs" : "StoppedMs", json_integer(c->now_ms));
	json_object_set_new(trail, "IsLogging", json_boolean(on));
	return 0;
}

static int start_logging(struct sb_call *c)
{
	return logging_set(c, true);
}

static int stop_logging(struct sb_call *c)
{
	return logging_set(c, false);
}

static int get_trail_status(struct sb_call *c)
{
	json_t *trail = trail_get(c, "Name", false);

	if (trail == NULL)
		return -1;
	c->out = json_pack("{s:O}", "IsLogging", json_object_get(trail, "IsLogging"));
	if (json_object_get(trail, "StartedMs") != NULL)
		json_object_set_new(c->out, "StartLoggingTime", sb_time_epoch(sb_int(trail, "StartedMs", 0)));
	if (json_object_get(trail, "StoppedMs") != NULL)
		json_object_set_new(c->out, "StopLoggingTime", sb_time_epoch(sb_int(trail, "StoppedMs", 0)));
	return 0;
}

#define SETTINGS                                                                                                       \
	" S3KeyPrefix SnsTopicName IncludeGlobalServiceEvents:b IsMultiRegionTrail:b EnableLogFileValidation:b "       \
	"CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn KmsKeyId IsOrganizationTrail:b"
#define TAGS   "TagsList:[{!Key:s(1,128) Value:s(0,256)}](0,200)"
#define FIELDS "[s(1,2048)]"

static const struct sb_op ops[] = {
    {"CreateTrail", create_trail, "!Name !S3BucketName " TAGS SETTINGS, NULL, NULL, 0},
    {"UpdateTrail", update_trail, "!Name S3BucketName" SETTINGS, NULL, NULL, 0},
    {"DeleteTrail", delete_trail, "!Name", NULL, NULL, 0},
    {"DescribeTrails", describe_trails, "trailNameList:[s] includeShadowTrails:b", NULL, NULL, 0},
    {"GetTrail", get_trail, "!Name", NULL, NULL, 0},
    {"ListTrails", list_trails, "NextToken", NULL, NULL, 0},
    {"GetTrailStatus", get_trail_status, "!Name", NULL, NULL, 0},
    {"StartLogging", start_logging, "!Name", NULL, NULL, 0},
    {"StopLogging", stop_logging, "!Name", NULL, NULL, 0},
    {"PutEventSelectors", trail_put_event_selectors,
     "!TrailName EventSelectors:[{ReadWriteType IncludeManagementEvents:b DataResources:[{Type Values:[s]}] "
     "ExcludeManagementEventSources:[s]}] AdvancedEventSelectors:[{Name:s(0,1000) !FieldSelectors:[{!Field:s(1,1000) "
     "Equals:" FIELDS " StartsWith:" FIELDS " EndsWith:" FIELDS " NotEquals:" FIELDS " NotStartsWith:" FIELDS
     " NotEndsWith:" FIELDS "}]}]",
     NULL, NULL, 0},
    {"GetEventSelectors", trail_get_event_selectors, "!TrailName", NULL, NULL, 0},
    {"PutInsightSelectors", trail_put_insight_selectors,
     "TrailName !InsightSelectors:[{InsightType EventCategories:[s]}] EventDataStore InsightsDestination", NULL, NULL,
     0},
    {"GetInsightSelectors", trail_get_insight_selectors, "TrailName EventDataStore", NULL, NULL, 0},
    {"AddTags", trail_add_tags, "!ResourceId !" TAGS, NULL, NULL, 0},
    {"RemoveTags", trail_remove_tags, "!ResourceId !" TAGS, NULL, NULL, 0},
    {"ListTags", trail_list_tags, "!ResourceIdList:[s] NextToken", NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_cloudtrail = {
    .name = "cloudtrail",
    .protocol = SB_JSON,
    .prefix = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
    .invalid = "ValidationException",
    .throttled = "ThrottlingException",
    .throttled_status = 400,
    .denied = "AccessDeniedException",
    .denied_status = 400,
    .ops = ops,
};
