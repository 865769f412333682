/* EC2: rules of security groups, in both forms that the API has: one rule a source, and permissions that group them. */
#include "tests/sandbox/svc_ec2.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 60

static const struct sb_paging rules_page = {"securityGroupRuleSet", "NextToken", "nextToken",
					    "MaxResults",           1000,        "InvalidNextToken"};

/* What a rule can be for: the member of a permission, in it the source's member, and the rule's. */
static const struct {
	const char *list, *member, *rule_member, *out;
} sources[] = {
    {"IpRanges", "CidrIp", "CidrIpv4", "ipRanges"},
    {"Ipv6Ranges", "CidrIpv6", "CidrIpv6", "ipv6Ranges"},
    {"PrefixListIds", "PrefixListId", "PrefixListId", "prefixListIds"},
    {"Groups", "GroupId", "ReferencedGroupId", "groups"},
};
#define SOURCES (sizeof sources / sizeof *sources)

/* ---- making rules of what was said ---- */

static const char *protocol_name(const char *said)
{
	static const char *const numbers[][2] = {
	    {"6", "tcp"}, {"17", "udp"}, {"1", "icmp"}, {"58", "icmpv6"}, {"all", "-1"}};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		if (strcmp(numbers[i][0], said) == 0)
			return numbers[i][1];
	}
	return said;
}

static bool cidr_fits(const char *text, int family, long most)
{
	const char *slash = strchr(text, '/');
	mem_auto_str char *address = mem_strndup(text, slash == NULL ? 0 : (size_t)(slash - text));
	unsigned char raw[16];
	char *end;
	long bits;

	if (slash == NULL || inet_pton(family, address, raw) != 1)
		return false;
	bits = strtol(slash + 1, &end, 10);
	return *end == '\0' && end != slash + 1 && bits >= 0 && bits <= most;
}

static int source_check(struct sb_call *c, json_t *ec2, size_t kind, const char *value)
{
	if (kind == 0 && !cidr_fits(value, AF_INET, 32))
		return sb_fail(c, 400, "InvalidParameterValue", "CIDR block %s is malformed", value);
	if (kind == 1 && !cidr_fits(value, AF_INET6, 128))
		return sb_fail(c, 400, "InvalidParameterValue", "CIDR block %s is malformed", value);
	if (kind == 3 && json_object_get(json_object_get(ec2, "Groups"), value) == NULL)
		return sb_fail(c, 400, "InvalidGroup.NotFound", "The security group '%s' does not exist", value);
	return 0;
}

static int ports_check(struct sb_call *c, const char *protocol, int64_t from, int64_t to)
{
	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		return 0;
	if (from == INT64_MIN || to == INT64_MIN)
		return sb_fail(c, 400, "InvalidParameterValue",
			       "Invalid value 'Must specify both from and to ports with "
			       "TCP/UDP.' for portRange.");
	if (from < 0 || to > 65535 || from > to)
		return sb_fail(c, 400, "InvalidParameterValue", "Invalid TCP/UDP port range (%lld:%lld)",
			       (long long)from, (long long)to);
	return 0;
}

/* Appends the rules that one permission stands for. */
static int permission_expand(struct sb_call *c, json_t *rules, json_t *said, bool egress)
{
	json_t *ec2 = ec2_state(c->sb, c->account, c->region), *source;
	const char *protocol = protocol_name(sb_str(said, "IpProtocol", "-1"));
	int64_t from = sb_int(said, "FromPort", INT64_MIN), to = sb_int(said, "ToPort", INT64_MIN);
	size_t i, before = json_array_size(rules);
	bool all = strcmp(protocol, "-1") == 0;

	if (ports_check(c, protocol, from, to) != 0)
		return -1;
	for (size_t kind = 0; kind < SOURCES; kind++) {
		json_array_foreach(json_object_get(said, sources[kind].list), i, source)
		{
			const char *value = sb_str(source, sources[kind].member, "");
			json_t *rule;

			if (source_check(c, ec2, kind, value) != 0)
				return -1;
			rule =
			    json_pack("{s:b,s:s,s:I,s:I,s:s}", "IsEgress", egress, "IpProtocol", protocol, "FromPort",
				      (json_int_t)(all || from == INT64_MIN ? -1 : from), "ToPort",
				      (json_int_t)(all || to == INT64_MIN ? -1 : to), sources[kind].rule_member, value);
			sb_copy(rule, source, "Description");
			json_array_append_new(rules, rule);
		}
	}
	if (json_array_size(rules) == before)
		return sb_fail(c, 400, "MissingParameter",
			       "The request must contain the parameter cidrIp, groups or "
			       "prefixListIds");
	return 0;
}

/* The rules that the call says, in either form; NULL with the call failed. */
static json_t *rules_said(struct sb_call *c, bool egress)
{
	json_t *rules = json_array(), *list = json_object_get(c->in, "IpPermissions"), *permission, *flat;
	int status = 0;
	size_t i;

	json_array_foreach(list, i, permission)
	{
		if (status == 0)
			status = permission_expand(c, rules, permission, egress);
	}
	if (json_array_size(list) == 0 && json_object_get(c->in, "IpProtocol") != NULL) {
		flat = json_pack("{s:[{s:s}]}", "IpRanges", "CidrIp", sb_str(c->in, "CidrIp", ""));
		sb_copy(flat, c->in, "IpProtocol FromPort ToPort");
		status = permission_expand(c, rules, flat, egress);
		json_decref(flat);
	} else if (json_array_size(list) == 0) {
		status = sb_fail(c, 400, "MissingParameter", "The request must contain the parameter ipPermissions");
	}
	if (status == 0)
		return rules;
	json_decref(rules);
	return NULL;
}

/* Two rules are the same when they differ at most in description, tags and id. */
static bool same_rule(json_t *a, json_t *b)
{
	static const char *const members[] = {"IsEgress", "IpProtocol", "FromPort",     "ToPort",
					      "CidrIpv4", "CidrIpv6",   "PrefixListId", "ReferencedGroupId"};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *x = json_object_get(a, members[i]), *y = json_object_get(b, members[i]);

		if (x != y && !json_equal(x, y))
			return false;
	}
	return true;
}

static json_t *rule_like(json_t *group, json_t *wanted)
{
	const char *id;
	json_t *rule;

	json_object_foreach(json_object_get(group, "Rules"), id, rule)
	{
		if (same_rule(rule, wanted))
			return rule;
	}
	return NULL;
}

static size_t rules_count(json_t *group, bool egress)
{
	const char *id;
	json_t *rule;
	size_t count = 0;

	json_object_foreach(json_object_get(group, "Rules"), id, rule)
	{
		count += sb_true(rule, "IsEgress") == egress;
	}
	return count;
}

/* ---- answers ---- */

static json_t *rule_row(struct sb_call *c, json_t *rule)
{
	static const char *const members[][2] = {{"securityGroupRuleId", "SecurityGroupRuleId"},
						 {"groupId", "GroupId"},
						 {"isEgress", "IsEgress"},
						 {"ipProtocol", "IpProtocol"},
						 {"fromPort", "FromPort"},
						 {"toPort", "ToPort"},
						 {"cidrIpv4", "CidrIpv4"},
						 {"cidrIpv6", "CidrIpv6"},
						 {"prefixListId", "PrefixListId"},
						 {"description", "Description"}};
	json_t *row = json_pack("{s:s}", "groupOwnerId", c->account);

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		json_t *value = json_object_get(rule, members[i][1]);

		if (value != NULL)
			json_object_set(row, members[i][0], value);
	}
	if (json_object_get(rule, "ReferencedGroupId") != NULL)
		json_object_set_new(row, "referencedGroupInfo",
				    json_pack("{s:O,s:s}", "groupId", json_object_get(rule, "ReferencedGroupId"),
					      "userId", c->account));
	json_object_set_new(row, "securityGroupRuleArn",
			    sb_format("arn:%s:ec2:%s:%s:security-group-rule/%s", c->partition, c->region, c->account,
				      sb_str(rule, "SecurityGroupRuleId", "")));
	json_object_set_new(row, "tagSet", ec2_tags_out(json_object_get(rule, "Tags")));
	return row;
}

static json_t *permission_for(json_t *list, json_t *rule)
{
	json_t *it;
	size_t i;

	json_array_foreach(list, i, it)
	{
		if (json_equal(json_object_get(it, "ipProtocol"), json_object_get(rule, "IpProtocol")) &&
		    sb_int(it, "fromPort", -1) == sb_int(rule, "FromPort", -1) &&
		    sb_int(it, "toPort", -1) == sb_int(rule, "ToPort", -1))
			return it;
	}
	it = json_pack("{s:O,s:[],s:[],s:[],s:[]}", "ipProtocol", json_object_get(rule, "IpProtocol"), "groups",
		       "ipRanges", "ipv6Ranges", "prefixListIds");
	if (strcmp(sb_str(rule, "IpProtocol", ""), "-1") != 0) {
		json_object_set(it, "fromPort", json_object_get(rule, "FromPort"));
		json_object_set(it, "toPort", json_object_get(rule, "ToPort"));
	}
	json_array_append_new(list, it);
	return it;
}

json_t *ec2_rules_permissions(const char *account, json_t *group, bool egress)
{
	json_t *list = json_array(), *rule;
	const char *id;

	json_object_foreach(json_object_get(group, "Rules"), id, rule)
	{
		if (sb_true(rule, "IsEgress") != egress)
			continue;
		for (size_t kind = 0; kind < SOURCES; kind++) {
			json_t *value = json_object_get(rule, sources[kind].rule_member), *source;
			char member[32];

			if (value == NULL)
				continue;
			snprintf(member, sizeof member, "%s", sources[kind].member);
			member[0] = (char)(member[0] + 'a' - 'A');
			source = json_pack("{s:O}", member, value);
			if (strcmp(member, "groupId") == 0)
				json_object_set_new(source, "userId", json_string(account));
			if (json_object_get(rule, "Description") != NULL)
				json_object_set(source, "description", json_object_get(rule, "Description"));
			json_array_append_new(json_object_get(permission_for(list, rule), sources[kind].out), source);
		}
	}
	return list;
}

int ec2_describe_security_group_rules(struct sb_call *c)
{
	json_t *groups = json_object_get(ec2_state(c->sb, c->account, c->region), "Groups"), *some = json_object();
	json_t *ids = json_object_get(c->in, "SecurityGroupRuleId"), *group, *rule, *wanted;
	const char *name, *id;
	size_t i;
	int status = 0;

	json_object_foreach(groups, name, group)
	{
		json_object_foreach(json_object_get(group, "Rules"), id, rule)
		{
			bool asked = ids == NULL;

			json_array_foreach(ids, i, wanted)
			{
				asked = asked || strcmp(json_string_value(wanted), id) == 0;
			}
			if (asked && ec2_passes(json_object_get(c->in, "Filter"), rule,
						"group-id=GroupId security-group-rule-id=SecurityGroupRuleId"))
				json_object_set(some, id, rule);
		}
	}
	json_array_foreach(ids, i, wanted)
	{
		if (status == 0 && json_object_get(some, json_string_value(wanted)) == NULL)
			status = sb_fail(c, 400, "InvalidSecurityGroupRuleId.NotFound",
					 "The security group rule ID '%s' does not exist", json_string_value(wanted));
	}
	if (status == 0)
		status = sb_page_answer(c, &rules_page, some, rule_row);
	json_decref(some);
	return status;
}

/* ---- changing ---- */

static int authorize(struct sb_call *c, bool egress)
{
	json_t *group = ec2_group_get(c), *rules = group == NULL ? NULL : rules_said(c, egress), *rule, *list;
	size_t i;
	int status = rules == NULL ? -1 : 0;

	json_array_foreach(rules, i, rule)
	{
		if (status == 0 && rule_like(group, rule) != NULL)
			status = sb_fail(
			    c, 400, "InvalidPermission.Duplicate",
			    "the specified rule \"peer: %s, %s, from port: %lld, to port: %lld, ALLOW\" already exists",
			    sb_str(rule, "CidrIpv4", sb_str(rule, "ReferencedGroupId", "")),
			    sb_str(rule, "IpProtocol", ""), (long long)sb_int(rule, "FromPort", -1),
			    (long long)sb_int(rule, "ToPort", -1));
	}
	if (status == 0 && rules_count(group, egress) + json_array_size(rules) > RULES_MAX)
		status = sb_fail(c, 400, "RulesPerSecurityGroupLimitExceeded",
				 "The maximum number of rules per security group has been reached.");
	if (status == 0) {
		list = json_array();
		json_array_foreach(rules, i, rule)
		{
			mem_auto_str char *id = sb_id(c, "sgr-0", 16, "0123456789abcdef");

			json_object_set_new(rule, "SecurityGroupRuleId", json_string(id));
			sb_copy(rule, group, "GroupId");
			ec2_tags_apply(c, rule, "security-group-rule");
			json_object_set(sb_sub(group, "Rules"), id, rule);
			json_array_append_new(list, rule_row(c, rule));
		}
		c->out = json_pack("{s:b,s:o}", "return", 1, "securityGroupRuleSet", list);
	}
	json_decref(rules);
	return status;
}

int ec2_authorize_ingress(struct sb_call *c)
{
	return authorize(c, false);
}

int ec2_authorize_egress(struct sb_call *c)
{
	return authorize(c, true);
}

static int revoke_ids(struct sb_call *c, json_t *group, json_t *ids)
{
	json_t *rules = sb_sub(group, "Rules"), *id;
	size_t i;

	json_array_foreach(ids, i, id)
	{
		if (json_object_get(rules, json_string_value(id)) == NULL)
			return sb_fail(c, 400, "InvalidSecurityGroupRuleId.NotFound",
				       "The security group rule ID '%s' does not exist", json_string_value(id));
	}
	json_array_foreach(ids, i, id)
	{
		json_object_del(rules, json_string_value(id));
	}
	c->out = json_pack("{s:b}", "return", 1);
	return 0;
}

static int revoke(struct sb_call *c, bool egress)
{
	json_t *group = ec2_group_get(c), *ids = json_object_get(c->in, "SecurityGroupRuleId"), *rules, *rule, *there;
	int status = 0;
	size_t i;

	if (group == NULL)
		return -1;
	if (json_array_size(ids) > 0)
		return revoke_ids(c, group, ids);
	rules = rules_said(c, egress);
	if (rules == NULL)
		return -1;
	json_array_foreach(rules, i, rule)
	{
		if (status == 0 && rule_like(group, rule) == NULL)
			status = sb_fail(c, 400, "InvalidPermission.NotFound",
					 "The specified rule does not exist in this security group.");
	}
	json_array_foreach(rules, i, rule)
	{
		if (status == 0 && (there = rule_like(group, rule)) != NULL)
			json_object_del(sb_sub(group, "Rules"), sb_str(there, "SecurityGroupRuleId", ""));
	}
	json_decref(rules);
	if (status == 0)
		c->out = json_pack("{s:b}", "return", 1);
	return status;
}

int ec2_revoke_ingress(struct sb_call *c)
{
	return revoke(c, false);
}

int ec2_revoke_egress(struct sb_call *c)
{
	return revoke(c, true);
}

static int modify_one(struct sb_call *c, json_t *group, json_t *said)
{
	const char *id = sb_str(said, "SecurityGroupRuleId", "");
	json_t *old = json_object_get(sb_sub(group, "Rules"), id), *wanted = json_object_get(said, "SecurityGroupRule"),
	       *rule;
	const char *protocol = protocol_name(sb_str(wanted, "IpProtocol", "-1"));
	bool all = strcmp(protocol, "-1") == 0;

	if (old == NULL)
		return sb_fail(c, 400, "InvalidSecurityGroupRuleId.NotFound",
			       "The security group rule ID '%s' does not exist", id);
	rule = json_pack("{s:s,s:I,s:I}", "IpProtocol", protocol, "FromPort",
			 (json_int_t)(all ? -1 : sb_int(wanted, "FromPort", -1)), "ToPort",
			 (json_int_t)(all ? -1 : sb_int(wanted, "ToPort", -1)));
	sb_copy(rule, wanted, "CidrIpv4 CidrIpv6 PrefixListId ReferencedGroupId Description");
	sb_copy(rule, old, "SecurityGroupRuleId GroupId IsEgress Tags");
	json_object_set_new(sb_sub(group, "Rules"), id, rule);
	return 0;
}

int ec2_modify_security_group_rules(struct sb_call *c)
{
	json_t *group = ec2_group_get(c), *said;
	size_t i;

	if (group == NULL)
		return -1;
	json_array_foreach(json_object_get(c->in, "SecurityGroupRule"), i, said)
	{
		if (modify_one(c, group, said) != 0)
			return -1;
	}
	c->out = json_pack("{s:b}", "return", 1);
	return 0;
}
