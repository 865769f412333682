/* The services there are. A new one is one file and one line in each list here. A service that speaks two protocols
 * stands here twice, under one name. */
#include "tests/sandbox/sandbox.h"

extern const struct sb_service sb_sts, sb_ec2, sb_s3, sb_sns, sb_events, sb_iam, sb_cloudtrail, sb_config, sb_guardduty;
extern const struct sb_service sb_kms, sb_logs, sb_sqs, sb_cloudwatch, sb_cloudwatch_json, sb_ssm, sb_securityhub;
extern const struct sb_service sb_accessanalyzer, sb_lambda;

const struct sb_service *const sb_services[] = {
    &sb_sts,
    &sb_ec2,
    &sb_s3,
    &sb_sns,
    &sb_events,
    &sb_iam,
    &sb_cloudtrail,
    &sb_config,
    &sb_guardduty,
    &sb_kms,
    &sb_logs,
    &sb_sqs,
    &sb_cloudwatch,
    &sb_cloudwatch_json,
    &sb_ssm,
    &sb_securityhub,
    &sb_accessanalyzer,
    &sb_lambda,
    NULL,
};
