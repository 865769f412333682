/* What the two files of KMS share. A key is {KeyId, Arn, Policy, Enabled, DeletionMs?, Rotation?, Tags, ...}; an alias
 * {AliasName, TargetKeyId, ...}, kept by its whole name, "alias/...". */
#ifndef MUSTER_TESTS_SANDBOX_SVC_KMS_H
#define MUSTER_TESTS_SANDBOX_SVC_KMS_H

#include "tests/sandbox/sandbox.h"

enum { KMS_BY_ALIAS = 1, KMS_NOT_GOING = 2, KMS_ENABLED = 4, KMS_SYMMETRIC = 8 };
/* The key that the call names in `member`, if it is as `needs` says; NULL with the call failed. */
json_t *kms_key_get(struct sb_call *call, const char *member, unsigned int needs);

int kms_create_alias(struct sb_call *call);
int kms_update_alias(struct sb_call *call);
int kms_delete_alias(struct sb_call *call);
int kms_list_aliases(struct sb_call *call);

#endif
