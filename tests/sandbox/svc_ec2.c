/* EC2: which regions there are, and the table of operations; the others are in svc_ec2_*.c. */
#include "tests/sandbox/svc_ec2.h"

#include <string.h>

static bool named(json_t *names, const char *name)
{
	size_t i;
	json_t *item;

	if (!json_is_array(names))
		return true;
	json_array_foreach(names, i, item) if (strcmp(json_string_value(item), name) == 0) return true;
	return false;
}

static int names_check(struct sb_call *c, json_t *regions)
{
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(c->in, "RegionName"), i,
			   name) if (json_object_get(regions, json_string_value(name)) ==
				     NULL) return sb_fail(c, 400, "InvalidParameterValue", "Invalid region names: %s",
							  json_string_value(name));
	return 0;
}

/* Filters: region-name and opt-in-status, with globs. */
static bool passes(json_t *filters, const char *region, const char *status)
{
	size_t i, j;
	json_t *filter, *value;

	json_array_foreach(filters, i, filter)
	{
		const char *name = sb_str(filter, "Name", "");
		const char *has = strcmp(name, "opt-in-status") == 0 ? status : region;
		bool any = false;

		json_array_foreach(json_object_get(filter, "Value"), j, value) any =
		    any || sb_glob(json_string_value(value), has);
		if (!any)
			return false;
	}
	return true;
}

static int describe_regions(struct sb_call *c)
{
	json_t *regions = sb_account_regions(c->sb, c->account), *list = json_array(), *status;
	json_t *names = json_object_get(c->in, "RegionName");
	bool all = sb_true(c->in, "AllRegions");
	const char *region;

	c->out = json_pack("{s:o}", "regionInfo", list);
	if (names_check(c, regions) != 0)
		return -1;
	json_object_foreach(regions, region, status)
	{
		const char *text = json_string_value(status);

		if ((!all && strcmp(text, "not-opted-in") == 0) || !named(names, region) ||
		    !passes(json_object_get(c->in, "Filter"), region, text))
			continue;
		json_array_append_new(list, json_pack("{s:s,s:o,s:s}", "regionName", region, "regionEndpoint",
						      sb_format("ec2.%s.amazonaws.com", region), "optInStatus", text));
	}
	return 0;
}

/* Functions in a VPC have no interfaces here, and nothing else could have any. */
static int describe_network_interfaces(struct sb_call *c)
{
	c->out = json_pack("{s:[]}", "networkInterfaceSet");
	return 0;
}

#define FILTER "Filter:[{Name Value:[s]}] DryRun:b"
#define PAGE   " NextToken MaxResults:i(5,1000) " FILTER
#define TAGS   " TagSpecification:[{ResourceType Tag:[{Key:s(1,128) Value:s(0,256)}]}] DryRun:b"
#define PERMISSIONS                                                                                                    \
	" IpPermissions:[{IpProtocol FromPort:i ToPort:i Groups:[{GroupId GroupName UserId VpcId Description "         \
	"VpcPeeringConnectionId PeeringStatus}] IpRanges:[{CidrIp Description:s(0,255)}] "                             \
	"Ipv6Ranges:[{CidrIpv6 Description:s(0,255)}] PrefixListIds:[{PrefixListId Description:s(0,255)}]}] "          \
	"IpProtocol FromPort:i ToPort:i CidrIp SourceSecurityGroupName SourceSecurityGroupOwnerId"
#define RULE_IDS " SecurityGroupRuleId:[s]"

static const struct sb_op ops[] = {
    {"DescribeRegions", describe_regions, "RegionName:[s] AllRegions:b " FILTER, NULL, NULL, 0},
    {"DescribeVpcs", ec2_describe_vpcs, "VpcId:[s]" PAGE, NULL, NULL, 0},
    {"DescribeSubnets", ec2_describe_subnets, "SubnetId:[s]" PAGE, NULL, NULL, 0},
    {"DescribeNetworkInterfaces", describe_network_interfaces, "NetworkInterfaceId:[s]" PAGE, NULL, NULL, 0},
    {"CreateTags", ec2_create_tags, "!ResourceId:[s] !Tag:[{Key:s(1,127) Value:s(0,255)}] DryRun:b", NULL, NULL, 0},
    {"DeleteTags", ec2_delete_tags, "!ResourceId:[s] Tag:[{Key Value}] DryRun:b", NULL, NULL, 0},
    {"DescribeTags", ec2_describe_tags, "NextToken MaxResults:i(5,1000) " FILTER, NULL, NULL, 0},
    {"CreateSecurityGroup", ec2_create_security_group, "!GroupDescription !GroupName VpcId" TAGS, NULL, NULL, 0},
    {"DescribeSecurityGroups", ec2_describe_security_groups, "GroupId:[s] GroupName:[s]" PAGE, NULL, NULL, 0},
    {"DeleteSecurityGroup", ec2_delete_security_group, "GroupId GroupName DryRun:b", NULL, NULL, 0},
    {"DescribeSecurityGroupRules", ec2_describe_security_group_rules, "SecurityGroupRuleId:[s]" PAGE, NULL, NULL, 0},
    {"AuthorizeSecurityGroupIngress", ec2_authorize_ingress, "GroupId GroupName" PERMISSIONS TAGS, NULL, NULL, 0},
    {"AuthorizeSecurityGroupEgress", ec2_authorize_egress, "!GroupId" PERMISSIONS TAGS, NULL, NULL, 0},
    {"RevokeSecurityGroupIngress", ec2_revoke_ingress, "GroupId GroupName DryRun:b" PERMISSIONS RULE_IDS, NULL, NULL,
     0},
    {"RevokeSecurityGroupEgress", ec2_revoke_egress, "!GroupId DryRun:b" PERMISSIONS RULE_IDS, NULL, NULL, 0},
    {"ModifySecurityGroupRules", ec2_modify_security_group_rules,
     "!GroupId !SecurityGroupRule:[{!SecurityGroupRuleId SecurityGroupRule:{IpProtocol FromPort:i ToPort:i CidrIpv4 "
     "CidrIpv6 PrefixListId ReferencedGroupId Description}}] DryRun:b",
     NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_ec2 = {
    .name = "ec2",
    .protocol = SB_EC2,
    .prefix = "http://ec2.amazonaws.com/doc/2016-11-15/",
    .invalid = "InvalidParameterValue",
    .throttled = "RequestLimitExceeded",
    .throttled_status = 503,
    .denied = "UnauthorizedOperation",
    .denied_status = 403,
    .ops = ops,
};
