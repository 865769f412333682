/* EC2: security groups. Their rules are in svc_ec2_rules.c. */
#include "tests/sandbox/svc_ec2.h"

#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 2500

static const struct sb_paging groups_page = {"securityGroupInfo", "NextToken", "nextToken",
					     "MaxResults",        1000,        "InvalidNextToken"};

json_t *ec2_group_new(json_t *ec2, const char *id, const char *name, const char *description, const char *vpc)
{
	mem_auto_str char *rule = mem_printf("sgr-%s", id + 3);
	json_t *group =
	    json_pack("{s:s,s:s,s:s,s:s,s:{s:{s:s,s:s,s:b,s:s,s:i,s:i,s:s}}}", "GroupId", id, "GroupName", name,
		      "Description", description, "VpcId", vpc, "Rules", rule, "SecurityGroupRuleId", rule, "GroupId",
		      id, "IsEgress", 1, "IpProtocol", "-1", "FromPort", -1, "ToPort", -1, "CidrIpv4", "0.0.0.0/0");

	json_object_set_new(sb_sub(ec2, "Groups"), id, group);
	return group;
}

static json_t *group_named(json_t *ec2, const char *vpc, const char *name)
{
	const char *id;
	json_t *group;

	json_object_foreach(json_object_get(ec2, "Groups"), id, group)
	{
		if (strcmp(sb_str(group, "VpcId", ""), vpc) == 0 && strcmp(sb_str(group, "GroupName", ""), name) == 0)
			return group;
	}
	return NULL;
}

json_t *ec2_group_get(struct sb_call *c)
{
	json_t *ec2 = ec2_state(c->sb, c->account, c->region), *group;
	const char *id = sb_str(c->in, "GroupId", NULL), *name = sb_str(c->in, "GroupName", NULL);

	if (id == NULL && name == NULL) {
		sb_fail(c, 400, "MissingParameter", "The request must contain the parameter groupName or groupId");
		return NULL;
	}
	if (id != NULL && strncmp(id, "sg-", 3) != 0) {
		sb_fail(c, 400, "InvalidGroupId.Malformed", "Invalid id: \"%s\" (expecting \"sg-...\")", id);
		return NULL;
	}
	group = id != NULL ? json_object_get(json_object_get(ec2, "Groups"), id)
			   : group_named(ec2, sb_str(ec2, "_DefaultVpc", ""), name);
	if (group == NULL)
		sb_fail(c, 400, "InvalidGroup.NotFound", "The security group '%s' does not exist",
			id != NULL ? id : name);
	return group;
}

static int name_check(struct sb_call *c, const char *name, const char *description)
{
	static const char chars[] = "a-zA-Z0-9 ._:/()#,@[]+=&;{}!$*-";

	if (!sb_like(name, chars, 1, 255) || strncmp(name, "sg-", 3) == 0)
		return sb_fail(c, 400, "InvalidParameterValue", "Value (%s) for parameter GroupName is invalid.", name);
	if (!sb_like(description, chars, 1, 255))
		return sb_fail(c, 400, "InvalidParameterValue", "Value (%s) for parameter GroupDescription is invalid.",
			       description);
	if (strcmp(name, "default") == 0)
		return sb_fail(c, 400, "InvalidGroup.Reserved", "The security group name 'default' is reserved");
	return 0;
}

int ec2_create_security_group(struct sb_call *c)
{
	const char *name = sb_str(c->in, "GroupName", ""), *description = sb_str(c->in, "GroupDescription", "");
	json_t *ec2 = ec2_state(c->sb, c->account, c->region), *group;
	const char *vpc = sb_str(c->in, "VpcId", sb_str(ec2, "_DefaultVpc", ""));
	mem_auto_str char *id = NULL;

	if (name_check(c, name, description) != 0)
		return -1;
	if (!ec2_id_known(ec2, "Vpcs", vpc))
		return sb_fail(c, 400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", vpc);
	if (group_named(ec2, vpc, name) != NULL)
		return sb_fail(c, 400, "InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'",
			       name, vpc);
	if (json_object_size(json_object_get(ec2, "Groups")) >= GROUPS_MAX)
		return sb_fail(c, 400, "SecurityGroupLimitExceeded",
			       "The maximum number of security groups has been reached.");
	id = sb_id(c, "sg-0", 16, "0123456789abcdef");
	group = ec2_group_new(ec2, id, name, description, vpc);
	ec2_tags_apply(c, group, "security-group");
	c->out = json_pack("{s:s,s:o}", "groupId", id, "tagSet", ec2_tags_out(json_object_get(group, "Tags")));
	json_object_set_new(c->out, "securityGroupArn",
			    sb_format("arn:%s:ec2:%s:%s:security-group/%s", c->partition, c->region, c->account, id));
	return 0;
}

static json_t *group_row(struct sb_call *c, json_t *group)
{
	json_t *row =
	    json_pack("{s:O,s:O,s:O,s:O,s:s}", "groupId", json_object_get(group, "GroupId"), "groupName",
		      json_object_get(group, "GroupName"), "groupDescription", json_object_get(group, "Description"),
		      "vpcId", json_object_get(group, "VpcId"), "ownerId", c->account);

	json_object_set_new(row, "securityGroupArn",
			    sb_format("arn:%s:ec2:%s:%s:security-group/%s", c->partition, c->region, c->account,
				      sb_str(group, "GroupId", "")));
	json_object_set_new(row, "ipPermissions", ec2_rules_permissions(c->account, group, false));
	json_object_set_new(row, "ipPermissionsEgress", ec2_rules_permissions(c->account, group, true));
	json_object_set_new(row, "tagSet", ec2_tags_out(json_object_get(group, "Tags")));
	return row;
}

static bool named(json_t *names, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach(names, i, item)
	{
		if (strcmp(json_string_value(item), name) == 0)
			return true;
	}
	return false;
}

int ec2_describe_security_groups(struct sb_call *c)
{
	json_t *all = json_object_get(ec2_state(c->sb, c->account, c->region), "Groups"), *some = json_object();
	json_t *ids = json_object_get(c->in, "GroupId"), *names = json_object_get(c->in, "GroupName"), *group, *item;
	const char *id;
	size_t i;
	int status = 0;

	json_array_foreach(ids, i, item)
	{
		if (status == 0 && json_object_get(all, json_string_value(item)) == NULL)
			status = sb_fail(c, 400, "InvalidGroup.NotFound", "The security group '%s' does not exist",
					 json_string_value(item));
	}
	json_object_foreach(all, id, group)
	{
		if ((ids == NULL || named(ids, id)) &&
		    (names == NULL || named(names, sb_str(group, "GroupName", ""))) &&
		    ec2_passes(json_object_get(c->in, "Filter"), group,
			       "group-id=GroupId group-name=GroupName vpc-id=VpcId description=Description"))
			json_object_set(some, id, group);
	}
	if (status == 0)
		status = sb_page_answer(c, &groups_page, some, group_row);
	json_decref(some);
	return status;
}

/* Who still needs a group: another group's rule, or a function. NULL when nobody. */
static const char *user_of(struct sb_call *c, json_t *ec2, const char *id)
{
	json_t *functions = json_object_get(sb_state_find(c->sb, c->account, c->region, "lambda"), "Functions");
	const char *name, *rule_id;
	json_t *other, *rule;

	json_object_foreach(json_object_get(ec2, "Groups"), name, other)
	{
		if (strcmp(name, id) == 0)
			continue;
		json_object_foreach(json_object_get(other, "Rules"), rule_id, rule)
		{
			if (strcmp(sb_str(rule, "ReferencedGroupId", ""), id) == 0)
				return name;
		}
	}
	json_object_foreach(functions, name, other)
	{
		if (named(json_object_get(json_object_get(other, "VpcConfig"), "SecurityGroupIds"), id))
			return name;
	}
	return NULL;
}

int ec2_delete_security_group(struct sb_call *c)
{
	json_t *group = ec2_group_get(c), *ec2 = ec2_state(c->sb, c->account, c->region);
	mem_auto_str char *id = mem_strdup(sb_str(group, "GroupId", ""));

	if (group == NULL)
		return -1;
	if (strcmp(sb_str(group, "GroupName", ""), "default") == 0)
		return sb_fail(c, 400, "CannotDelete",
			       "the specified group: \"%s\" name: \"default\" cannot be deleted by a "
			       "user",
			       id);
	if (user_of(c, ec2, id) != NULL)
		return sb_fail(c, 400, "DependencyViolation", "resource %s has a dependent object", id);
	json_object_del(json_object_get(ec2, "Groups"), id);
	c->out = json_pack("{s:b,s:s}", "return", 1, "groupId", id);
	return 0;
}
