/* Security Hub: on or off in each account and region, and the hub's tags. */
#include "tests/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

static int not_subscribed(struct sb_call *c)
{
	return sb_fail(c, 401, "InvalidAccessException", "Account %s is not subscribed to AWS Security Hub",
		       c->account);
}

static json_t *hub_get(struct sb_call *c)
{
	json_t *hub = json_object_get(c->state, "Hub");
	const char *asked = sb_str(c->in, "HubArn", NULL);

	if (hub == NULL) {
		not_subscribed(c);
		return NULL;
	}
	if (asked != NULL && strcmp(asked, sb_str(hub, "HubArn", "")) != 0) {
		sb_fail(c, 404, "ResourceNotFoundException", "The hub %s does not exist.", asked);
		return NULL;
	}
	return hub;
}

static int settings_check(struct sb_call *c)
{
	if (sb_one_of("STANDARD_CONTROL SECURITY_CONTROL",
		      sb_str(c->in, "ControlFindingGenerator", "SECURITY_CONTROL")))
		return 0;
	return sb_fail(c, 400, "InvalidInputException", "Invalid parameter 'ControlFindingGenerator'.");
}

static int enable_security_hub(struct sb_call *c)
{
	json_t *hub, *tags = json_object_get(c->in, "Tags"),
		     *standards = json_object_get(c->in, "EnableDefaultStandards");
	mem_auto_str char *role = NULL;

	if (json_object_get(c->state, "Hub") != NULL)
		return sb_fail(c, 409, "ResourceConflictException", "Account is already subscribed to Security Hub");
	if (settings_check(c) != 0)
		return -1;
	role = sb_linked_role_ensure(c->sb, c->account, "securityhub.amazonaws.com");
	hub = json_pack("{s:b,s:b,s:s,s:I,s:o}", "AutoEnableControls", 1, "DefaultStandards",
			standards == NULL || json_is_true(standards), "ControlFindingGenerator",
			sb_str(c->in, "ControlFindingGenerator", "SECURITY_CONTROL"), "SubscribedMs",
			(json_int_t)c->now_ms, "Tags", tags == NULL ? json_object() : json_deep_copy(tags));
	json_object_set_new(hub, "HubArn",
			    sb_format("arn:%s:securityhub:%s:%s:hub/default", c->partition, c->region, c->account));
	json_object_set_new(c->state, "Hub", hub);
	return 0;
}

static int describe_hub(struct sb_call *c)
{
	json_t *hub = hub_get(c);

	if (hub == NULL)
		return -1;
	c->out = json_pack("{s:o}", "SubscribedAt", sb_time_json(sb_int(hub, "SubscribedMs", 0)));
	sb_copy(c->out, hub, "HubArn AutoEnableControls ControlFindingGenerator");
	return 0;
}

static int update_security_hub_configuration(struct sb_call *c)
{
	json_t *hub = hub_get(c);

	if (hub == NULL || settings_check(c) != 0)
		return -1;
	sb_copy(hub, c->in, "AutoEnableControls ControlFindingGenerator");
	return 0;
}

static int disable_security_hub(struct sb_call *c)
{
	if (hub_get(c) == NULL)
		return -1;
	json_object_del(c->state, "Hub");
	return 0;
}

/* ---- tags ---- */

static json_t *tagged(struct sb_call *c)
{
	json_t *hub = json_object_get(c->state, "Hub");

	if (hub != NULL && strcmp(sb_str(hub, "HubArn", ""), sb_str(c->in, "ResourceArn", "")) == 0)
		return sb_sub(hub, "Tags");
	sb_fail(c, 404, "ResourceNotFoundException", "The resource %s does not exist.",
		sb_str(c->in, "ResourceArn", ""));
	return NULL;
}

static int tag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	json_object_update(tags, json_object_get(c->in, "Tags"));
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
	c->out = json_pack("{s:O}", "Tags", tags);
	return 0;
}

static const struct sb_op ops[] = {
    {"EnableSecurityHub", enable_security_hub, "Tags:m EnableDefaultStandards:b ControlFindingGenerator", "POST",
     "/accounts", 0},
    {"DescribeHub", describe_hub, "HubArn", "GET", "/accounts", 0},
    {"UpdateSecurityHubConfiguration", update_security_hub_configuration,
     "AutoEnableControls:b ControlFindingGenerator", "PATCH", "/accounts", 0},
    {"DisableSecurityHub", disable_security_hub, "", "DELETE", "/accounts", 0},
    {"TagResource", tag_resource, "!ResourceArn !Tags:m", "POST", "/tags/{ResourceArn}", 0},
    {"UntagResource", untag_resource, "!ResourceArn !tagKeys:[s(1,128)](1,50)", "DELETE", "/tags/{ResourceArn}", 0},
    {"ListTagsForResource", list_tags_for_resource, "!ResourceArn", "GET", "/tags/{ResourceArn}", 0},
    {.name = NULL},
};

const struct sb_service sb_securityhub = {
    .name = "securityhub",
    .protocol = SB_REST_JSON,
    .prefix = "",
    .invalid = "InvalidInputException",
    .throttled = "TooManyRequestsException",
    .throttled_status = 429,
    .denied = "AccessDeniedException",
    .denied_status = 403,
    .ops = ops,
};
