/* EC2: VPCs and subnets, which are only looked at, and tags of everything. */
#include "tests/sandbox/svc_ec2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sb_paging vpcs_page = {"vpcSet", "NextToken", "nextToken", "MaxResults", 1000, "InvalidNextToken"};
static const struct sb_paging subnets_page = {"subnetSet",  "NextToken", "nextToken",
					      "MaxResults", 1000,        "InvalidNextToken"};

/* ---- what a region starts with ---- */

static char *id_for(const char *prefix, const char *account, const char *region, const char *what)
{
	mem_auto_str char *seed = mem_printf("%s/%s/%s", account, region, what);
	char digest[65];

	sb_sha256_hex(digest, seed, strlen(seed));
	return mem_printf("%s-0%.16s", prefix, digest);
}

static void subnet_add(json_t *ec2, const char *id, const char *vpc, const char *region, int number, bool by_default)
{
	json_t *subnet = json_pack("{s:b,s:s,s:s,s:o,s:o,s:b,s:b}", "_BuiltIn", 1, "SubnetId", id, "VpcId", vpc,
				   "CidrBlock", sb_format("172.31.%d.0/20", number * 16), "AvailabilityZone",
				   sb_format("%s%c", region, 'a' + number % 3), "DefaultForAz", by_default,
				   "MapPublicIpOnLaunch", by_default);

	json_object_set_new(sb_sub(ec2, "Subnets"), id, subnet);
}

json_t *ec2_state(struct sb *sb, const char *account, const char *region)
{
	json_t *ec2 = sb_state(sb, account, region, "ec2");
	mem_auto_str char *vpc = id_for("vpc", account, region, "default"), *group = NULL;

	if (json_object_get(json_object_get(ec2, "Vpcs"), vpc) != NULL)
		return ec2;
	group = id_for("sg", account, region, "default");
	json_object_set_new(sb_sub(ec2, "Vpcs"), vpc,
			    json_pack("{s:b,s:s,s:s,s:b,s:s}", "_BuiltIn", 1, "VpcId", vpc, "CidrBlock",
				      "172.31.0.0/16", "IsDefault", 1, "OwnerId", account));
	json_object_set_new(ec2, "_DefaultVpc", json_string(vpc));
	json_object_set_new(ec2_group_new(ec2, group, "default", "default VPC security group", vpc), "_BuiltIn",
			    json_true());
	for (int i = 0; i < 3; i++) {
		char zone[2] = {(char)('a' + i), '\0'};
		mem_auto_str char *subnet = id_for("subnet", account, region, zone);

		subnet_add(ec2, subnet, vpc, region, i, true);
	}
	return ec2;
}

void sb_vpc_declare(struct sb *sb, json_t *said)
{
	const char *account = sb_str(said, "Account", ""), *region = sb_str(said, "Region", "");
	const char *vpc = sb_str(said, "VpcId", "");
	mem_auto_str char *group = id_for("sg", account, region, vpc);
	json_t *ec2 = ec2_state(sb, account, region), *subnet;
	size_t i;

	json_object_set_new(ec2, "_Declared", json_true());
	json_object_set_new(sb_sub(ec2, "Vpcs"), vpc,
			    json_pack("{s:b,s:s,s:s,s:b,s:s}", "_BuiltIn", 1, "VpcId", vpc, "CidrBlock",
				      sb_str(said, "CidrBlock", "10.0.0.0/16"), "IsDefault", 0, "OwnerId", account));
	json_object_set_new(ec2_group_new(ec2, group, "default", "default VPC security group", vpc), "_BuiltIn",
			    json_true());
	json_array_foreach(json_object_get(said, "Subnets"), i, subnet)
	{
		subnet_add(ec2, json_string_value(subnet), vpc, region, (int)i, false);
	}
}

bool ec2_id_known(json_t *ec2, const char *kind, const char *id)
{
	static const char *const forms[][2] = {{"Vpcs", "vpc-"}, {"Subnets", "subnet-"}, {"Groups", "sg-"}};

	if (json_object_get(json_object_get(ec2, kind), id) != NULL)
		return true;
	if (sb_true(ec2, "_Declared"))
		return false;
	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(forms[i][1]);

		if (strcmp(forms[i][0], kind) == 0 && strncmp(id, forms[i][1], len) == 0)
			return sb_like(id + len, "a-z0-9", 1, 32);
	}
	return false;
}

const char *sb_vpc_refuses(struct sb *sb, const char *account, const char *region, json_t *subnets, json_t *groups)
{
	json_t *ec2 = ec2_state(sb, account, region), *id;
	size_t i;

	json_array_foreach(subnets, i, id)
	{
		if (!ec2_id_known(ec2, "Subnets", json_string_value(id)))
			return json_string_value(id);
	}
	json_array_foreach(groups, i, id)
	{
		if (!ec2_id_known(ec2, "Groups", json_string_value(id)))
			return json_string_value(id);
	}
	return NULL;
}

/* ---- filters ---- */

/* The member that a filter stands for, by "name=Member ..."; empty when there is none. */
static void member_of(char out[64], const char *members, const char *filter)
{
	size_t len = strlen(filter);

	out[0] = '\0';
	for (const char *p = members; *p != '\0'; p += strcspn(p, " "), p += *p == ' ') {
		if (strncmp(p, filter, len) == 0 && p[len] == '=')
			snprintf(out, 64, "%.*s", (int)strcspn(p + len + 1, " "), p + len + 1);
	}
}

static bool value_like(json_t *values, json_t *has)
{
	mem_auto_str char *text = json_is_boolean(has)  ? mem_strdup(json_is_true(has) ? "true" : "false")
				  : json_is_string(has) ? mem_strdup(json_string_value(has))
							: NULL;
	size_t i;
	json_t *value;

	json_array_foreach(values, i, value)
	{
		if (text != NULL && sb_glob(json_string_value(value), text))
			return true;
	}
	return false;
}

bool ec2_passes(json_t *filters, json_t *item, const char *members)
{
	json_t *tags = json_object_get(item, "Tags"), *filter, *has;
	char member[64];
	size_t i;

	json_array_foreach(filters, i, filter)
	{
		const char *name = sb_str(filter, "Name", ""), *key;
		json_t *values = json_object_get(filter, "Value");
		bool hit = false;

		if (strcmp(name, "tag-key") == 0) {
			json_object_foreach(tags, key, has)
			{
				json_auto_t *text = json_string(key);

				hit = hit || value_like(values, text);
			}
		} else if (strncmp(name, "tag:", 4) == 0) {
			hit = value_like(values, json_object_get(tags, name + 4));
		} else {
			member_of(member, members, name);
			hit = value_like(values, json_object_get(item, member));
		}
		if (!hit)
			return false;
	}
	return true;
}

/* ---- describing ---- */

static bool id_asked(json_t *ids, const char *id)
{
	size_t i;
	json_t *item;

	json_array_foreach(ids, i, item)
	{
		if (strcmp(json_string_value(item), id) == 0)
			return true;
	}
	return json_array_size(ids) == 0;
}

static int ids_check(struct sb_call *c, json_t *all, json_t *ids, const char *code, const char *what)
{
	size_t i;
	json_t *id;

	json_array_foreach(ids, i, id)
	{
		if (json_object_get(all, json_string_value(id)) == NULL)
			return sb_fail(c, 400, code, "The %s ID '%s' does not exist", what, json_string_value(id));
	}
	return 0;
}

static int describe(struct sb_call *c, const struct sb_paging *how, json_t *all, json_t *ids, const char *members,
		    json_t *(*row)(struct sb_call *, json_t *))
{
	json_t *some = json_object(), *item;
	const char *id;
	int status;

	json_object_foreach(all, id, item)
	{
		if (id_asked(ids, id) && ec2_passes(json_object_get(c->in, "Filter"), item, members))
			json_object_set(some, id, item);
	}
	status = sb_page_answer(c, how, some, row);
	json_decref(some);
	return status;
}

static json_t *vpc_row(struct sb_call *c, json_t *vpc)
{
	(void)c;
	return json_pack("{s:O,s:O,s:O,s:O,s:s,s:s,s:s,s:o}", "vpcId", json_object_get(vpc, "VpcId"), "cidrBlock",
			 json_object_get(vpc, "CidrBlock"), "isDefault", json_object_get(vpc, "IsDefault"), "ownerId",
			 json_object_get(vpc, "OwnerId"), "state", "available", "instanceTenancy", "default",
			 "dhcpOptionsId", "default", "tagSet", ec2_tags_out(json_object_get(vpc, "Tags")));
}

int ec2_describe_vpcs(struct sb_call *c)
{
	json_t *all = json_object_get(ec2_state(c->sb, c->account, c->region), "Vpcs");
	json_t *ids = json_object_get(c->in, "VpcId");

	if (ids_check(c, all, ids, "InvalidVpcID.NotFound", "vpc") != 0)
		return -1;
	return describe(c, &vpcs_page, all, ids,
			"vpc-id=VpcId cidr=CidrBlock is-default=IsDefault isDefault=IsDefault owner-id=OwnerId",
			vpc_row);
}

static json_t *subnet_row(struct sb_call *c, json_t *subnet)
{
	json_t *row = json_pack(
	    "{s:O,s:O,s:O,s:O,s:O,s:O,s:s,s:s,s:i,s:o}", "subnetId", json_object_get(subnet, "SubnetId"), "vpcId",
	    json_object_get(subnet, "VpcId"), "cidrBlock", json_object_get(subnet, "CidrBlock"), "availabilityZone",
	    json_object_get(subnet, "AvailabilityZone"), "defaultForAz", json_object_get(subnet, "DefaultForAz"),
	    "mapPublicIpOnLaunch", json_object_get(subnet, "MapPublicIpOnLaunch"), "state", "available", "ownerId",
	    c->account, "availableIpAddressCount", 4091, "tagSet", ec2_tags_out(json_object_get(subnet, "Tags")));

	json_object_set_new(row, "subnetArn",
			    sb_format("arn:%s:ec2:%s:%s:subnet/%s", c->partition, c->region, c->account,
				      sb_str(subnet, "SubnetId", "")));
	return row;
}

int ec2_describe_subnets(struct sb_call *c)
{
	json_t *all = json_object_get(ec2_state(c->sb, c->account, c->region), "Subnets");
	json_t *ids = json_object_get(c->in, "SubnetId");

	if (ids_check(c, all, ids, "InvalidSubnetID.NotFound", "subnet") != 0)
		return -1;
	return describe(
	    c, &subnets_page, all, ids,
	    "subnet-id=SubnetId vpc-id=VpcId availability-zone=AvailabilityZone default-for-az=DefaultForAz "
	    "cidr-block=CidrBlock",
	    subnet_row);
}

/* ---- tags ---- */

json_t *ec2_tags_out(json_t *tags)
{
	return sb_tags_list(tags, "key", "value");
}

void ec2_tags_apply(struct sb_call *c, json_t *holder, const char *type)
{
	size_t i;
	json_t *said;

	json_array_foreach(json_object_get(c->in, "TagSpecification"), i, said)
	{
		if (strcmp(sb_str(said, "ResourceType", ""), type) == 0)
			sb_tags_add(sb_sub(holder, "Tags"), json_object_get(said, "Tag"), "Key", "Value");
	}
}

/* What has this id, and what type of resource it is; NULL when nothing. */
static json_t *holder_of(json_t *ec2, const char *id, const char **type)
{
	static const char *const kinds[][2] = {{"Vpcs", "vpc"}, {"Subnets", "subnet"}, {"Groups", "security-group"}};
	const char *name;
	json_t *group, *found = NULL;

	for (size_t i = 0; i < 3 && found == NULL; i++) {
		found = json_object_get(json_object_get(ec2, kinds[i][0]), id);
		*type = kinds[i][1];
	}
	if (found != NULL)
		return found;
	*type = "security-group-rule";
	json_object_foreach(json_object_get(ec2, "Groups"), name, group)
	{
		if ((found = json_object_get(json_object_get(group, "Rules"), id)) != NULL)
			return found;
	}
	return NULL;
}

static int holders_check(struct sb_call *c, json_t *ec2)
{
	const char *type;
	size_t i;
	json_t *id;

	json_array_foreach(json_object_get(c->in, "ResourceId"), i, id)
	{
		const char *text = json_string_value(id);

		if (holder_of(ec2, text, &type) == NULL)
			return sb_fail(c, 400,
				       strncmp(text, "sg-", 3) == 0    ? "InvalidGroup.NotFound"
				       : strncmp(text, "vpc-", 4) == 0 ? "InvalidVpcID.NotFound"
								       : "InvalidID",
				       "The ID '%s' is not valid", text);
	}
	return 0;
}

int ec2_create_tags(struct sb_call *c)
{
	json_t *ec2 = ec2_state(c->sb, c->account, c->region), *id;
	const char *type;
	size_t i;

	if (holders_check(c, ec2) != 0)
		return -1;
	json_array_foreach(json_object_get(c->in, "ResourceId"), i, id)
	{
		json_t *tags = sb_sub(holder_of(ec2, json_string_value(id), &type), "Tags");

		sb_tags_add(tags, json_object_get(c->in, "Tag"), "Key", "Value");
		if (json_object_size(tags) > 50)
			return sb_fail(c, 400, "TagLimitExceeded", "The maximum number of tags is 50.");
	}
	c->out = json_pack("{s:b}", "return", 1);
	return 0;
}

/* Without tags, all go; a tag with a value goes only when it has that value. */
int ec2_delete_tags(struct sb_call *c)
{
	json_t *ec2 = ec2_state(c->sb, c->account, c->region), *id, *said = json_object_get(c->in, "Tag"), *tag;
	const char *type;
	size_t i, j;

	if (holders_check(c, ec2) != 0)
		return -1;
	json_array_foreach(json_object_get(c->in, "ResourceId"), i, id)
	{
		json_t *tags = sb_sub(holder_of(ec2, json_string_value(id), &type), "Tags");

		if (json_array_size(said) == 0)
			json_object_clear(tags);
		json_array_foreach(said, j, tag)
		{
			const char *key = sb_str(tag, "Key", ""), *value = sb_str(tag, "Value", NULL);

			if (value == NULL || strcmp(value, sb_str(tags, key, "")) == 0)
				json_object_del(tags, key);
		}
	}
	c->out = json_pack("{s:b}", "return", 1);
	return 0;
}

static void tags_list(struct sb_call *c, json_t *list, json_t *all, const char *type)
{
	const char *id, *key;
	json_t *item, *value;

	json_object_foreach(all, id, item)
	{
		json_object_foreach(json_object_get(item, "Tags"), key, value)
		{
			json_auto_t *row = json_pack("{s:s,s:s,s:O,s:s}", "resourceId", id, "key", key, "value", value,
						     "resourceType", type);

			if (ec2_passes(json_object_get(c->in, "Filter"), row,
				       "resource-id=resourceId key=key value=value resource-type=resourceType"))
				json_array_append(list, row);
		}
		tags_list(c, list, json_object_get(item, "Rules"), "security-group-rule");
	}
}

int ec2_describe_tags(struct sb_call *c)
{
	json_t *ec2 = ec2_state(c->sb, c->account, c->region), *list = json_array();

	tags_list(c, list, json_object_get(ec2, "Vpcs"), "vpc");
	tags_list(c, list, json_object_get(ec2, "Subnets"), "subnet");
	tags_list(c, list, json_object_get(ec2, "Groups"), "security-group");
	c->out = json_pack("{s:o}", "tagSet", list);
	return 0;
}
