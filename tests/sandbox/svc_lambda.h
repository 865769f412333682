/* What the files of Lambda share. A function is its configuration as the API has it, and beside that CreatedMs,
 * ChangedMs, _Code (base64 of the zip), Policy (a document), Tags, Concurrency. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_LAMBDA_H
#define MUSTER_TESTS_SANDBOX_SVC_LAMBDA_H

#include "tests/sandbox/sandbox.h"

/* The function that the call names, by name or ARN; NULL with the call failed. */
json_t *lambda_get(struct sb_call *call, const char *member);
/* The same, if it is at rest: neither being made nor being changed. */
json_t *lambda_get_to_change(struct sb_call *call);
/* Puts the code that `said` has (ZipFile, or S3Bucket and S3Key) into the function. 0, or -1 with the call failed. */
int lambda_code_set(struct sb_call *call, json_t *function, json_t *said);
/* Checks the configuration as it would become. */
int lambda_configuration_check(struct sb_call *call, json_t *function);
const char *lambda_state(const json_t *function, int64_t now_ms);

int lambda_add_permission(struct sb_call *call);
int lambda_remove_permission(struct sb_call *call);
int lambda_get_policy(struct sb_call *call);
int lambda_tag_resource(struct sb_call *call);
int lambda_untag_resource(struct sb_call *call);
int lambda_list_tags(struct sb_call *call);
int lambda_put_concurrency(struct sb_call *call);
int lambda_get_concurrency(struct sb_call *call);
int lambda_delete_concurrency(struct sb_call *call);

#endif
