/* What the files of S3 share. A bucket is {Region, Owner, CreatedMs, Policy, Settings: {sub-resource: XML as JSON},
 * Objects: {key: object}}; it lives with its owner's account and its region. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_S3_H
#define MUSTER_TESTS_SANDBOX_SVC_S3_H

#include "tests/sandbox/sandbox.h"

/* The bucket that the call names, if the caller, the expected owner and the region are right; else NULL with the call
 * failed. */
json_t *s3_bucket_get(struct sb_call *call);
void s3_settings_default(json_t *bucket);
json_t *s3_body_xml(struct sb_call *call, const char *root); /* owned; NULL with the call failed as MalformedXML */

int s3_setting_get(struct sb_call *call);
int s3_setting_put(struct sb_call *call);
int s3_setting_delete(struct sb_call *call);
int s3_policy_get(struct sb_call *call);
int s3_policy_put(struct sb_call *call);
int s3_policy_delete(struct sb_call *call);
int s3_policy_status(struct sb_call *call);

int s3_object_put(struct sb_call *call);
int s3_object_get(struct sb_call *call);
int s3_object_delete(struct sb_call *call);
int s3_objects_list(struct sb_call *call);

#endif
