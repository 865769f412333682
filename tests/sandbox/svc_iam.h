/* What the files of IAM share. A role is {RoleName, Path, RoleId, Arn, CreateMs, AssumeRolePolicyDocument (text),
 * Description, MaxSessionDuration, Boundary, Tags, Policies: {name: text}, Attached: {arn: name}}. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_IAM_H
#define MUSTER_TESTS_SANDBOX_SVC_IAM_H

#include "tests/sandbox/sandbox.h"

/* The role that the call names; NULL with the call failed. `to_change` leaves out roles that cannot be changed. */
json_t *iam_role_get(struct sb_call *call, bool to_change);
/* One page of `all` by Marker and MaxItems: the names, with IsTruncated and Marker put in call->out; NULL with the call
 * failed. Free the array. */
json_t *iam_page(struct sb_call *call, json_t *all);
/* A document as IAM gives it out: percent-encoded. */
json_t *iam_document(const char *text);

int iam_put_role_policy(struct sb_call *call);
int iam_get_role_policy(struct sb_call *call);
int iam_delete_role_policy(struct sb_call *call);
int iam_list_role_policies(struct sb_call *call);
int iam_attach_role_policy(struct sb_call *call);
int iam_detach_role_policy(struct sb_call *call);
int iam_list_attached_role_policies(struct sb_call *call);
int iam_put_role_permissions_boundary(struct sb_call *call);
int iam_delete_role_permissions_boundary(struct sb_call *call);

/* A customer managed policy is {PolicyName, PolicyId, Arn, Path, DefaultVersionId, Tags, Versions: {v1: {Document,
 * CreateMs}}}, kept by ARN. NULL when there is none. */
json_t *iam_policy_find(struct sb *sb, const char *arn);
int iam_create_policy(struct sb_call *call);
int iam_get_policy(struct sb_call *call);
int iam_delete_policy(struct sb_call *call);
int iam_list_policies(struct sb_call *call);
int iam_create_policy_version(struct sb_call *call);
int iam_get_policy_version(struct sb_call *call);
int iam_list_policy_versions(struct sb_call *call);
int iam_set_default_policy_version(struct sb_call *call);
int iam_delete_policy_version(struct sb_call *call);
int iam_list_entities_for_policy(struct sb_call *call);
int iam_tag_policy(struct sb_call *call);
int iam_untag_policy(struct sb_call *call);
int iam_list_policy_tags(struct sb_call *call);

int iam_get_account_password_policy(struct sb_call *call);
int iam_update_account_password_policy(struct sb_call *call);
int iam_delete_account_password_policy(struct sb_call *call);
int iam_list_account_aliases(struct sb_call *call);
int iam_create_account_alias(struct sb_call *call);
int iam_delete_account_alias(struct sb_call *call);

int iam_create_service_linked_role(struct sb_call *call);
int iam_delete_service_linked_role(struct sb_call *call);
int iam_get_service_linked_role_deletion_status(struct sb_call *call);

#endif
