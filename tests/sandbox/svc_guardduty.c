/* GuardDuty: one detector in each account and region. Publishing destinations are in svc_guardduty_publishing.c. */
#include "tests/sandbox/svc_guardduty.h"

#include <string.h>

#define OTHER_OWNER "The request is rejected because the input detectorId is not owned by the current account."

/* In the order that the service lists them; what a new detector has on. */
static const struct {
	const char *name;
	bool on, fixed;
	const char *extra; /* additional configurations, separated by spaces */
} features[] = {
    {"CLOUD_TRAIL", true, true, ""},
    {"DNS_LOGS", true, true, ""},
    {"FLOW_LOGS", true, true, ""},
    {"S3_DATA_EVENTS", true, false, ""},
    {"EKS_AUDIT_LOGS", true, false, ""},
    {"EBS_MALWARE_PROTECTION", true, false, ""},
    {"RDS_LOGIN_EVENTS", true, false, ""},
    {"EKS_RUNTIME_MONITORING", false, false, "EKS_ADDON_MANAGEMENT"},
    {"LAMBDA_NETWORK_LOGS", true, false, ""},
    {"RUNTIME_MONITORING", false, false, "EKS_ADDON_MANAGEMENT ECS_FARGATE_AGENT_MANAGEMENT EC2_AGENT_MANAGEMENT"},
};
#define FEATURES (sizeof features / sizeof *features)

int guardduty_refuse(struct sb_call *c, const char *message)
{
	return sb_fail(c, 400, "BadRequestException", "%s", message);
}

static json_t *time_text(int64_t ms)
{
	mem_auto_str char *text = sb_time_iso(ms);

	return sb_format("%.19s.%03dZ", text, (int)(ms % 1000));
}

json_t *guardduty_detector_get(struct sb_call *c)
{
	json_t *detector = json_object_get(json_object_get(c->state, "Detectors"), sb_str(c->in, "DetectorId", ""));

	if (detector == NULL)
		guardduty_refuse(c, OTHER_OWNER);
	return detector;
}

/* ---- features and the older data sources, two names for the same ---- */

static json_t *features_new(void)
{
	json_t *all = json_object();

	for (size_t i = 0; i < FEATURES; i++)
		json_object_set_new(all, features[i].name,
				    json_pack("{s:s}", "Status", features[i].on ? "ENABLED" : "DISABLED"));
	return all;
}

static int feature_set(struct sb_call *c, json_t *all, json_t *said)
{
	const char *name = sb_str(said, "name", ""), *status = sb_str(said, "status", "");
	json_t *feature, *extra;
	size_t i = 0, j;

	while (i < FEATURES && strcmp(features[i].name, name) != 0)
		i++;
	if (i == FEATURES || features[i].fixed)
		return guardduty_refuse(
		    c, "The request is rejected because an invalid or out-of-range value is specified as an "
		       "input parameter: features.name");
	if (strcmp(status, "ENABLED") != 0 && strcmp(status, "DISABLED") != 0)
		return guardduty_refuse(
		    c, "The request is rejected because an invalid or out-of-range value is specified as an "
		       "input parameter: features.status");
	feature = sb_sub(all, name);
	json_object_set_new(feature, "Status", json_string(status));
	json_array_foreach(json_object_get(said, "additionalConfiguration"), j, extra)
	{
		if (strstr(features[i].extra, sb_str(extra, "name", "?")) == NULL)
			return guardduty_refuse(
			    c, "The request is rejected because an invalid or out-of-range value is specified "
			       "as an input parameter: additionalConfiguration.name");
		json_object_set_new(sb_sub(feature, "Extra"), sb_str(extra, "name", ""),
				    json_string(sb_str(extra, "status", "DISABLED")));
	}
	return 0;
}

static void source_set(json_t *all, const char *name, json_t *holder, const char *key)
{
	json_t *value = json_object_get(holder, key);

	if (json_is_boolean(value))
		json_object_set_new(sb_sub(all, name), "Status",
				    json_string(json_is_true(value) ? "ENABLED" : "DISABLED"));
}

static int features_apply(struct sb_call *c, json_t *detector)
{
	json_t *said = json_object_get(c->in, "features"), *sources = json_object_get(c->in, "dataSources"), *one;
	json_t *all = json_deep_copy(json_object_get(detector, "Features"));
	size_t i;

	if (said != NULL && sources != NULL) {
		json_decref(all);
		return guardduty_refuse(c,
					"The request is rejected because both dataSources and features were provided.");
	}
	json_array_foreach(said, i, one)
	{
		if (feature_set(c, all, one) != 0) {
			json_decref(all);
			return -1;
		}
	}
	source_set(all, "S3_DATA_EVENTS", json_object_get(sources, "s3Logs"), "enable");
	source_set(all, "EKS_AUDIT_LOGS", json_object_get(json_object_get(sources, "kubernetes"), "auditLogs"),
		   "enable");
	source_set(all, "EBS_MALWARE_PROTECTION",
		   json_object_get(json_object_get(sources, "malwareProtection"), "scanEc2InstanceWithFindings"),
		   "ebsVolumes");
	json_object_set_new(detector, "Features", all);
	return 0;
}

static json_t *features_out(json_t *detector)
{
	json_t *list = json_array(), *all = json_object_get(detector, "Features");
	double updated = (double)sb_int(detector, "UpdatedMs", 0) / 1000.0;

	for (size_t i = 0; i < FEATURES; i++) {
		json_t *feature = json_object_get(all, features[i].name);
		json_t *row = json_pack("{s:s,s:s,s:f}", "name", features[i].name, "status",
					sb_str(feature, "Status", "DISABLED"), "updatedAt", updated);
		json_t *extras = json_array();

		for (const char *p = features[i].extra; *p != '\0';) {
			size_t len = strcspn(p, " ");
			mem_auto_str char *name = mem_strndup(p, len);

			json_array_append_new(extras,
					      json_pack("{s:s,s:s,s:f}", "name", name, "status",
							sb_str(json_object_get(feature, "Extra"), name, "DISABLED"),
							"updatedAt", updated));
			p += len + (p[len] == ' ');
		}
		if (json_array_size(extras) > 0)
			json_object_set(row, "additionalConfiguration", extras);
		json_decref(extras);
		json_array_append_new(list, row);
	}
	return list;
}

static const char *status_of(json_t *detector, const char *feature)
{
	return sb_str(json_object_get(json_object_get(detector, "Features"), feature), "Status", "DISABLED");
}

static json_t *sources_out(json_t *detector)
{
	return json_pack("{s:{s:s},s:{s:s},s:{s:s},s:{s:s},s:{s:{s:s}},s:{s:{s:{s:s}}}}", "cloudTrail", "status",
			 "ENABLED", "dnsLogs", "status", "ENABLED", "flowLogs", "status", "ENABLED", "s3Logs", "status",
			 status_of(detector, "S3_DATA_EVENTS"), "kubernetes", "auditLogs", "status",
			 status_of(detector, "EKS_AUDIT_LOGS"), "malwareProtection", "scanEc2InstanceWithFindings",
			 "ebsVolumes", "status", status_of(detector, "EBS_MALWARE_PROTECTION"));
}

/* ---- detectors ---- */

static int frequency_check(struct sb_call *c)
{
	const char *said = sb_str(c->in, "findingPublishingFrequency", "SIX_HOURS");

	if (strcmp(said, "SIX_HOURS") == 0 || strcmp(said, "ONE_HOUR") == 0 || strcmp(said, "FIFTEEN_MINUTES") == 0)
		return 0;
	return guardduty_refuse(
	    c, "The request is rejected because an invalid or out-of-range value is specified as an input "
	       "parameter: findingPublishingFrequency");
}

static int detector_apply(struct sb_call *c, json_t *detector)
{
	if (frequency_check(c) != 0 || features_apply(c, detector) != 0)
		return -1;
	if (json_object_get(c->in, "enable") != NULL)
		json_object_set_new(detector, "Status", json_string(sb_true(c->in, "enable") ? "ENABLED" : "DISABLED"));
	sb_copy(detector, c->in, "findingPublishingFrequency");
	json_object_set_new(detector, "UpdatedMs", json_integer(c->now_ms));
	return 0;
}

static int create_detector(struct sb_call *c)
{
	json_t *detectors = sb_sub(c->state, "Detectors"), *detector, *tags = json_object_get(c->in, "tags");
	const char *token = sb_str(c->in, "clientToken", ""), *there;
	mem_auto_str char *id = NULL, *role = NULL;

	json_object_foreach(detectors, there, detector)
	{
		if (token[0] == '\0' || strcmp(sb_str(detector, "_Token", ""), token) != 0)
			return guardduty_refuse(
			    c, "The request is rejected because a detector already exists for the current "
			       "account.");
		c->out = json_pack("{s:s}", "detectorId", there);
		return 0;
	}
	detector = json_pack("{s:s,s:o,s:I,s:s}", "findingPublishingFrequency", "SIX_HOURS", "Features", features_new(),
			     "CreatedMs", (json_int_t)c->now_ms, "_Token", token);
	if (detector_apply(c, detector) != 0) {
		json_decref(detector);
		return -1;
	}
	json_object_set_new(detector, "Tags", tags == NULL ? json_object() : json_deep_copy(tags));
	role = sb_linked_role_ensure(c->sb, c->account, "guardduty.amazonaws.com");
	json_object_set_new(detector, "serviceRole", json_string(role));
	id = sb_id(c, "", 32, "0123456789abcdef");
	json_object_set_new(detectors, id, detector);
	c->out = json_pack("{s:s}", "detectorId", id);
	return 0;
}

static int get_detector(struct sb_call *c)
{
	json_t *detector = guardduty_detector_get(c);

	if (detector == NULL)
		return -1;
	c->out = json_pack("{s:o,s:o,s:O,s:o,s:o,s:O}", "createdAt", time_text(sb_int(detector, "CreatedMs", 0)),
			   "updatedAt", time_text(sb_int(detector, "UpdatedMs", 0)), "status",
			   json_object_get(detector, "Status"), "dataSources", sources_out(detector), "features",
			   features_out(detector), "tags", json_object_get(detector, "Tags"));
	sb_copy(c->out, detector, "findingPublishingFrequency serviceRole");
	return 0;
}

static int update_detector(struct sb_call *c)
{
	json_t *detector = guardduty_detector_get(c);

	return detector == NULL ? -1 : detector_apply(c, detector);
}

static int delete_detector(struct sb_call *c)
{
	if (guardduty_detector_get(c) == NULL)
		return -1;
	json_object_del(json_object_get(c->state, "Detectors"), sb_str(c->in, "DetectorId", ""));
	return 0;
}

static int list_detectors(struct sb_call *c)
{
	mem_auto_str char *next = NULL;
	json_t *page = sb_page(&next, sb_sub(c->state, "Detectors"), sb_str(c->in, "nextToken", NULL),
			       (size_t)sb_int(c->in, "maxResults", 50));

	if (page == NULL)
		return guardduty_refuse(
		    c, "The request is rejected because the parameter nextToken has an invalid value.");
	c->out = json_pack("{s:o}", "detectorIds", page);
	if (next != NULL)
		json_object_set_new(c->out, "nextToken", json_string(next));
	return 0;
}

/* ---- tags ---- */

static json_t *tagged(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "ResourceArn", "");
	mem_auto_str char *account = sb_arn_part(arn, 4), *region = sb_arn_part(arn, 3), *rest = sb_arn_part(arn, 5);
	char *inner = strstr(rest, "/publishingDestination/");
	json_t *detector = NULL;

	if (inner != NULL)
		*inner = '\0';
	if (strcmp(account, c->account) == 0 && strcmp(region, c->region) == 0 && strncmp(rest, "detector/", 9) == 0)
		detector = json_object_get(json_object_get(c->state, "Detectors"), rest + 9);
	if (inner != NULL)
		detector = json_object_get(json_object_get(detector, "Destinations"),
					   inner + strlen("/publishingDestination/"));
	if (detector == NULL)
		guardduty_refuse(c, OTHER_OWNER);
	return json_object_get(detector, inner != NULL ? "tags" : "Tags");
}

static int tag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	json_object_update(tags, json_object_get(c->in, "tags"));
	return 0;
}

static int untag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_remove(tags, json_object_get(c->in, "tagKeys"));
	return 0;
}

static int list_tags_for_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	c->out = json_pack("{s:O}", "tags", tags);
	return 0;
}

#define SETTINGS                                                                                                       \
	" findingPublishingFrequency dataSources:{s3Logs:{!enable:b} kubernetes:{!auditLogs:{!enable:b}} "             \
	"malwareProtection:{scanEc2InstanceWithFindings:{ebsVolumes:b}}} "                                             \
	"features:[{name status additionalConfiguration:[{name status}]}]"

static const struct sb_op ops[] = {
    {"CreateDetector", create_detector, "!enable:b clientToken:s(0,64) tags:m" SETTINGS, "POST", "/detector", 0},
    {"GetDetector", get_detector, "!DetectorId:s(1,300)", "GET", "/detector/{DetectorId}", 0},
    {"UpdateDetector", update_detector, "!DetectorId:s(1,300) enable:b" SETTINGS, "POST", "/detector/{DetectorId}", 0},
    {"DeleteDetector", delete_detector, "!DetectorId:s(1,300)", "DELETE", "/detector/{DetectorId}", 0},
    {"ListDetectors", list_detectors, "maxResults:i(1,50) nextToken", "GET", "/detector", 0},
    {"CreatePublishingDestination", guardduty_create_destination,
     "!DetectorId:s(1,300) !destinationType:s(1,300) !destinationProperties:{destinationArn kmsKeyArn} "
     "clientToken:s(0,64) tags:m",
     "POST", "/detector/{DetectorId}/publishingDestination", 0},
    {"ListPublishingDestinations", guardduty_list_destinations, "!DetectorId:s(1,300) maxResults:i(1,50) nextToken",
     "GET", "/detector/{DetectorId}/publishingDestination", 0},
    {"DescribePublishingDestination", guardduty_describe_destination, "!DetectorId:s(1,300) !DestinationId", "GET",
     "/detector/{DetectorId}/publishingDestination/{DestinationId}", 0},
    {"UpdatePublishingDestination", guardduty_update_destination,
     "!DetectorId:s(1,300) !DestinationId destinationProperties:{destinationArn kmsKeyArn}", "POST",
     "/detector/{DetectorId}/publishingDestination/{DestinationId}", 0},
    {"DeletePublishingDestination", guardduty_delete_destination, "!DetectorId:s(1,300) !DestinationId", "DELETE",
     "/detector/{DetectorId}/publishingDestination/{DestinationId}", 0},
    {"TagResource", tag_resource, "!ResourceArn !tags:m", "POST", "/tags/{ResourceArn}", 204},
    {"UntagResource", untag_resource, "!ResourceArn !tagKeys:[s(1,128)]", "DELETE", "/tags/{ResourceArn}", 204},
    {"ListTagsForResource", list_tags_for_resource, "!ResourceArn", "GET", "/tags/{ResourceArn}", 0},
    {.name = NULL},
};

const struct sb_service sb_guardduty = {
    .name = "guardduty",
    .protocol = SB_REST_JSON,
    .prefix = "",
    .invalid = "BadRequestException",
    .throttled = "TooManyRequestsException",
    .throttled_status = 429,
    .denied = "AccessDeniedException",
    .denied_status = 403,
    .ops = ops,
};
