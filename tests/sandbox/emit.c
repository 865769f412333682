/* What AWS itself would emit: calls that CloudTrail records, GuardDuty findings, compliance changes of Config rules.
 * Each comes only from an account and region where what makes it is on. */
#include "tests/sandbox/flow.h"

#include <stdlib.h>
#include <string.h>

struct emission {
	struct sb *sb;
	json_t *said;
	const char *account, *region;
	char id[37];
	char *now;
};

/* ---- calls ---- */

static bool logged(struct emission *e)
{
	const char *region, *name;
	json_t *services, *trail;

	json_object_foreach(json_object_get(e->sb->state, e->account), region, services)
	{
		json_object_foreach(json_object_get(json_object_get(services, "cloudtrail"), "Trails"), name, trail)
		{
			if (sb_true(trail, "IsLogging") &&
			    (strcmp(region, e->region) == 0 || sb_true(trail, "IsMultiRegionTrail")))
				return true;
		}
	}
	return false;
}

static const char *call_refuses(struct emission *e)
{
	/* The call that ends the recording is itself still recorded. */
	if (sb_one_of("StopLogging DeleteTrail", sb_str(e->said, "EventName", "")) || logged(e))
		return NULL;
	return "no CloudTrail trail logs in this account and region, so EventBridge gets no API calls";
}

static json_t *call_detail(struct emission *e)
{
	const char *source = sb_str(e->said, "EventSource", "ec2.amazonaws.com");
	const char *name = sb_str(e->said, "EventName", "AuthorizeSecurityGroupIngress");
	bool reads = !sb_op_mutates(name);
	json_t *parameters = json_object_get(e->said, "RequestParameters");
	json_t *detail = json_pack(
	    "{s:s,s:{s:s,s:s,s:o,s:s},s:s,s:s,s:s,s:s,s:s,s:s,s:n,s:s,s:s,s:b,s:s,s:b,s:s,s:s}", "eventVersion", "1.09",
	    "userIdentity", "type", "AssumedRole", "principalId", "AROASANDBOX:somebody", "arn",
	    sb_format("arn:aws:sts::%s:assumed-role/developer/somebody", e->account), "accountId", e->account,
	    "eventTime", e->now, "eventSource", source, "eventName", name, "awsRegion", e->region, "sourceIPAddress",
	    "203.0.113.7", "userAgent", "console.amazonaws.com", "responseElements", "requestID", e->id, "eventID",
	    e->id, "readOnly", reads, "eventType", "AwsApiCall", "managementEvent", 1, "recipientAccountId", e->account,
	    "eventCategory", "Management");

	if (parameters != NULL)
		json_object_set(detail, "requestParameters", parameters);
	else
		json_object_set_new(detail, "requestParameters",
				    json_pack("{s:s,s:{s:[{s:s,s:i,s:i,s:{s:[{s:s}]}}]}}", "groupId",
					      "sg-0123456789abcdef0", "ipPermissions", "items", "ipProtocol", "tcp",
					      "fromPort", 22, "toPort", 22, "ipRanges", "items", "cidrIp",
					      "0.0.0.0/0"));
	return detail;
}

static char *call_source(struct emission *e)
{
	const char *source = sb_str(e->said, "EventSource", "ec2.amazonaws.com");

	return mem_printf("aws.%.*s", (int)strcspn(source, "."), source);
}

/* ---- findings ---- */

static json_t *detector_of(struct emission *e, const char **id)
{
	void *first =
	    json_object_iter(json_object_get(sb_state_find(e->sb, e->account, e->region, "guardduty"), "Detectors"));

	*id = first == NULL ? "" : json_object_iter_key(first);
	return first == NULL ? NULL : json_object_iter_value(first);
}

static const char *finding_refuses(struct emission *e)
{
	const char *id;
	json_t *detector = detector_of(e, &id);

	if (detector == NULL)
		return "GuardDuty has no detector in this account and region";
	return strcmp(sb_str(detector, "Status", ""), "ENABLED") == 0 ? NULL : "the GuardDuty detector is not enabled";
}

static json_t *finding_detail(struct emission *e)
{
	json_t *severity = json_object_get(e->said, "Severity");
	const char *id;

	detector_of(e, &id);
	return json_pack(
	    "{s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:{s:s},s:{s:s,s:s,s:b,s:i},s:o,s:s,s:s,s:s,s:s}", "schemaVersion", "2.0",
	    "accountId", e->account, "region", e->region, "partition", sb_partition(e->region), "id", e->id, "arn",
	    sb_format("arn:%s:guardduty:%s:%s:detector/%s/finding/%s", sb_partition(e->region), e->region, e->account,
		      id, e->id),
	    "type", sb_str(e->said, "Type", "UnauthorizedAccess:EC2/SSHBruteForce"), "resource", "resourceType",
	    "Instance", "service", "serviceName", "guardduty", "detectorId", id, "archived", 0, "count", 1, "severity",
	    severity == NULL ? json_integer(8) : json_incref(severity), "createdAt", e->now, "updatedAt", e->now,
	    "title", sb_str(e->said, "Title", "SSH brute force against an instance."), "description",
	    sb_str(e->said, "Description", "Somebody tries passwords."));
}

/* ---- compliance ---- */

static json_t *rule_of(struct emission *e)
{
	return json_object_get(json_object_get(sb_state_find(e->sb, e->account, e->region, "config"), "Rules"),
			       sb_str(e->said, "ConfigRuleName", ""));
}

static const char *compliance_refuses(struct emission *e)
{
	return rule_of(e) != NULL ? NULL : "AWS Config has no rule of that name in this account and region";
}

static json_t *evaluation(struct emission *e, const char *type)
{
	return json_pack("{s:{s:{s:s,s:s,s:s},s:s},s:s,s:s,s:s}", "evaluationResultIdentifier",
			 "evaluationResultQualifier", "configRuleName", sb_str(e->said, "ConfigRuleName", ""),
			 "resourceType", "AWS::::Account", "resourceId", e->account, "orderingTimestamp", e->now,
			 "complianceType", type, "resultRecordedTime", e->now, "configRuleInvokedTime", e->now);
}

static json_t *compliance_detail(struct emission *e)
{
	const char *type = sb_str(e->said, "ComplianceType", "NON_COMPLIANT");
	json_t *rule = rule_of(e);

	json_object_set_new(rule, "Compliance", json_string(type));
	return json_pack("{s:s,s:s,s:s,s:O,s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "resourceId",
			 sb_str(e->said, "ResourceId", e->account), "resourceType",
			 sb_str(e->said, "ResourceType", "AWS::::Account"), "configRuleName",
			 sb_str(e->said, "ConfigRuleName", ""), "configRuleARN", json_object_get(rule, "ConfigRuleArn"),
			 "awsRegion", e->region, "awsAccountId", e->account, "recordVersion", "1.0", "messageType",
			 "ComplianceChangeNotification", "notificationCreationTime", e->now, "newEvaluationResult",
			 evaluation(e, type), "oldEvaluationResult",
			 evaluation(e, strcmp(type, "NON_COMPLIANT") == 0 ? "COMPLIANT" : "NON_COMPLIANT"));
}

/* ---- all kinds ---- */

static const struct {
	const char *name, *source, *detail_type;
	char *(*source_of)(struct emission *e);
	const char *(*refuses)(struct emission *e);
	json_t *(*detail)(struct emission *e);
} kinds[] = {
    {"api-call", NULL, "AWS API Call via CloudTrail", call_source, call_refuses, call_detail},
    {"finding", "aws.guardduty", "GuardDuty Finding", NULL, finding_refuses, finding_detail},
    {"compliance", "aws.config", "Config Rules Compliance Change", NULL, compliance_refuses, compliance_detail},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static json_t *event_make(struct emission *e, size_t kind, bool made)
{
	mem_auto_str char *source =
	    kinds[kind].source != NULL ? mem_strdup(kinds[kind].source) : kinds[kind].source_of(e);
	json_t *detail = made ? kinds[kind].detail(e) : json_object(), *more = json_object_get(e->said, "Detail");
	json_t *resources = json_object_get(e->said, "Resources");

	json_object_update(detail, more);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "version", "0", "id", e->id, "detail-type",
			 kinds[kind].detail_type, "source", source, "account", e->account, "time", e->now, "region",
			 e->region, "resources", resources == NULL ? json_array() : json_incref(resources), "detail",
			 detail);
}

json_t *sb_emit(struct sb *sb, json_t *said, const char **why)
{
	struct emission e = {.sb = sb, .said = said};
	const char *name = sb_str(said, "Kind", ""), *refused;
	json_auto_t *event = NULL;
	mem_auto_str char *bus = NULL, *now = sb_time_iso(sb_now_ms());
	struct sb_flow flow = {.sb = sb};
	size_t kind = 0;

	e.account = sb_str(said, "Account", "");
	e.region = sb_str(said, "Region", "");
	e.now = now;
	while (kind < KINDS && strcmp(kinds[kind].name, name) != 0)
		kind++;
	*why = kind == KINDS                                      ? "Kind must be api-call, finding or compliance"
	       : json_object_get(sb->accounts, e.account) == NULL ? "no such Account"
	       : !sb_region_enabled(sb, e.account, e.region)      ? "no such Region in this account"
								  : NULL;
	if (*why != NULL)
		return NULL;
	sb_uuid(e.id);
	refused = kinds[kind].refuses(&e);
	event = event_make(&e, kind, refused == NULL);
	flow.event = event;
	flow.trace = sb_trace_new(sb, e.id, e.account, e.region, name, event);
	bus = mem_printf("arn:%s:events:%s:%s:event-bus/default", sb_partition(e.region), e.region, e.account);
	if (refused != NULL)
		sb_hop(flow.trace, 0, "source", sb_str(event, "source", ""), "stopped", "%s", refused);
	else
		sb_flow_bus(&flow, 0, bus, false);
	return flow.trace;
}
