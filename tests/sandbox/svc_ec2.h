/* What the files of EC2 share. State: Vpcs, Subnets and Groups by id. A region has a default VPC from the first look
 * on. Declared VPCs (the roster's "Vpcs") make a region strict: ids must then exist; without, well-formed ones pass. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_EC2_H
#define MUSTER_TESTS_SANDBOX_SVC_EC2_H

#include "tests/sandbox/sandbox.h"

/* EC2's state there, with the default VPC, its subnets and its group. Borrowed. */
json_t *ec2_state(struct sb *sb, const char *account, const char *region);
json_t *ec2_group_new(json_t *ec2, const char *id, const char *name, const char *description, const char *vpc);
/* Whether an id of a VPC, subnet or group is to be taken: it exists, or nothing was declared and it looks like one. */
bool ec2_id_known(json_t *ec2, const char *kind, const char *id);

/* Does an item pass "Filter"? `members` maps filter names to members: "vpc-id=VpcId group-id=GroupId". */
bool ec2_passes(json_t *filters, json_t *item, const char *members);
json_t *ec2_tags_out(json_t *tags);
/* Applies the call's TagSpecification for a type of resource. */
void ec2_tags_apply(struct sb_call *call, json_t *holder, const char *type);

/* The group that a call names by GroupId or (in the default VPC) GroupName; NULL with the call failed. */
json_t *ec2_group_get(struct sb_call *call);
json_t *ec2_rules_permissions(const char *account, json_t *group, bool egress);

int ec2_describe_vpcs(struct sb_call *call);
int ec2_describe_subnets(struct sb_call *call);
int ec2_create_tags(struct sb_call *call);
int ec2_delete_tags(struct sb_call *call);
int ec2_describe_tags(struct sb_call *call);
int ec2_create_security_group(struct sb_call *call);
int ec2_describe_security_groups(struct sb_call *call);
int ec2_delete_security_group(struct sb_call *call);
int ec2_describe_security_group_rules(struct sb_call *call);
int ec2_authorize_ingress(struct sb_call *call);
int ec2_authorize_egress(struct sb_call *call);
int ec2_revoke_ingress(struct sb_call *call);
int ec2_revoke_egress(struct sb_call *call);
int ec2_modify_security_group_rules(struct sb_call *call);

#endif
