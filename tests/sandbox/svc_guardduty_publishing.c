/* GuardDuty: where findings are exported to. The bucket's and the key's policies must let the service in, in opt-in
 * regions by the region's own principal; bucket and key must be in one region, any. Nothing is exported here. */
#include "tests/sandbox/svc_guardduty.h"

#include <stdlib.h>
#include <string.h>

static const struct sb_paging destinations_page = {"destinations", "nextToken", "nextToken",
						   "maxResults",   50,          "BadRequestException"};

static int bad_destination(struct sb_call *c, const char *why)
{
	return sb_fail(c, 400, "BadRequestException",
		       "The request failed because the GuardDuty service principal does not have permission to the KMS "
		       "key or the resource specified by the destinationArn parameter (%s).",
		       why);
}

static json_t *context_for(struct sb_call *c)
{
	json_t *context = json_pack("{s:s,s:s}", "aws:sourceaccount", c->account, "aws:securetransport", "true");

	json_object_set_new(context, "aws:sourcearn",
			    sb_format("arn:%s:guardduty:%s:%s:detector/%s", c->partition, c->region, c->account,
				      sb_str(c->in, "DetectorId", "")));
	return context;
}

static char *principal(struct sb_call *c)
{
	const char *status = sb_region_status(c->sb, c->account, c->region);

	if (status == NULL || strcmp(status, "opt-in-not-required") == 0)
		return mem_strdup("guardduty.amazonaws.com");
	return mem_printf("guardduty.%s.amazonaws.com", c->region);
}

static int bucket_check(struct sb_call *c, const char *arn)
{
	mem_auto_str char *resource = sb_arn_part(arn, 5), *bucket = mem_strndup(resource, strcspn(resource, "/"));
	mem_auto_str char *whole = mem_printf("arn:%s:s3:::%s", c->partition, bucket);
	mem_auto_str char *inner = mem_printf("%s/AWSLogs/%s/GuardDuty/%s/probe.jsonl.gz", arn, c->account, c->region);
	json_auto_t *context = context_for(c);
	mem_auto_str char *service = principal(c);
	struct sb_ask ask = {
	    .service = service, .action = "s3:GetBucketLocation", .resource = whole, .context = context};
	json_t *there = sb_bucket_find(c->sb, bucket);

	if (there == NULL)
		return bad_destination(c, "the bucket does not exist");
	if (!sb_bucket_lets(c->sb, bucket, &ask))
		return bad_destination(c, "the bucket policy does not allow s3:GetBucketLocation");
	ask.action = "s3:PutObject";
	ask.resource = inner;
	if (!sb_bucket_lets(c->sb, bucket, &ask))
		return bad_destination(c, "the bucket policy does not allow s3:PutObject");
	return 0;
}

/* `bucket_arn`: whose region the key must share. */
static int key_check(struct sb_call *c, const char *arn, const char *bucket_arn)
{
	json_auto_t *context = context_for(c);
	struct sb_ask ask = {
	    .service = "guardduty.amazonaws.com", .action = "kms:GenerateDataKey", .resource = arn, .context = context};
	mem_auto_str char *region = sb_arn_part(arn, 3), *resource = sb_arn_part(bucket_arn, 5);
	mem_auto_str char *bucket = mem_strndup(resource, strcspn(resource, "/"));
	const char *why = sb_key_refuses(sb_key_find(c->sb, arn), &ask);

	if (why == NULL && strcmp(region, sb_str(sb_bucket_find(c->sb, bucket), "Region", "")) != 0)
		why = "the KMS key is in another region than the bucket";
	return why == NULL ? 0 : bad_destination(c, why);
}

static int properties_check(struct sb_call *c, json_t *properties)
{
	const char *bucket = sb_str(properties, "destinationArn", ""), *key = sb_str(properties, "kmsKeyArn", "");

	if (!sb_glob("arn:*:s3:::?*", bucket) || !sb_glob("arn:*:kms:*:*:key/*", key))
		return guardduty_refuse(c,
					"The request is rejected because an invalid or out-of-range value is specified "
					"as an input parameter: destinationProperties");
	return bucket_check(c, bucket) != 0 ? -1 : key_check(c, key, bucket);
}

static json_t *destination_get(struct sb_call *c)
{
	json_t *detector = guardduty_detector_get(c), *it;

	it = json_object_get(json_object_get(detector, "Destinations"), sb_str(c->in, "DestinationId", ""));
	if (detector != NULL && it == NULL)
		guardduty_refuse(
		    c, "The request is rejected because the one or more input parameters have invalid values: "
		       "destinationId");
	return it;
}

int guardduty_create_destination(struct sb_call *c)
{
	json_t *detector = guardduty_detector_get(c), *all, *it, *tags = json_object_get(c->in, "tags");
	const char *token = sb_str(c->in, "clientToken", ""), *there;
	mem_auto_str char *id = NULL;

	if (detector == NULL)
		return -1;
	if (strcmp(sb_str(c->in, "destinationType", ""), "S3") != 0)
		return guardduty_refuse(c,
					"The request is rejected because an invalid or out-of-range value is specified "
					"as an input parameter: destinationType");
	all = sb_sub(detector, "Destinations");
	json_object_foreach(all, there, it)
	{
		if (token[0] == '\0' || strcmp(sb_str(it, "_Token", ""), token) != 0)
			return guardduty_refuse(c,
						"The request is rejected because a publishing destination of this type "
						"already exists for the detector.");
		c->out = json_pack("{s:s}", "destinationId", there);
		return 0;
	}
	if (properties_check(c, json_object_get(c->in, "destinationProperties")) != 0)
		return -1;
	id = sb_id(c, "", 32, "0123456789abcdef");
	it = json_pack("{s:s,s:s,s:s,s:o}", "destinationId", id, "status", "PUBLISHING", "_Token", token, "tags",
		       tags == NULL ? json_object() : json_deep_copy(tags));
	sb_copy(it, c->in, "destinationType destinationProperties");
	json_object_set_new(all, id, it);
	c->out = json_pack("{s:s}", "destinationId", id);
	return 0;
}

int guardduty_describe_destination(struct sb_call *c)
{
	json_t *it = destination_get(c);

	if (it == NULL)
		return -1;
	c->out = json_pack("{s:i}", "publishingFailureStartTimestamp", 0);
	sb_copy(c->out, it, "destinationId destinationType status destinationProperties tags");
	return 0;
}

int guardduty_update_destination(struct sb_call *c)
{
	json_t *it = destination_get(c), *properties = json_object_get(c->in, "destinationProperties"), *whole;
	int status;

	if (it == NULL)
		return -1;
	whole = json_copy(json_object_get(it, "destinationProperties"));
	json_object_update(whole, properties);
	status = properties_check(c, whole);
	if (status == 0)
		json_object_set(it, "destinationProperties", whole);
	json_decref(whole);
	return status;
}

int guardduty_delete_destination(struct sb_call *c)
{
	if (destination_get(c) == NULL)
		return -1;
	json_object_del(json_object_get(guardduty_detector_get(c), "Destinations"), sb_str(c->in, "DestinationId", ""));
	return 0;
}

static json_t *destination_row(struct sb_call *c, json_t *it)
{
	json_t *row = json_object();

	(void)c;
	sb_copy(row, it, "destinationId destinationType status");
	return row;
}

int guardduty_list_destinations(struct sb_call *c)
{
	json_t *detector = guardduty_detector_get(c);

	return detector == NULL
		   ? -1
		   : sb_page_answer(c, &destinations_page, sb_sub(detector, "Destinations"), destination_row);
}
