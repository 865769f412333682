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

int iam_create_service_linked_role(struct sb_call *call);
int iam_delete_service_linked_role(struct sb_call *call);
int iam_get_service_linked_role_deletion_status(struct sb_call *call);

#endif
