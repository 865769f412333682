/* The services there are. A new one is one file and one line in each list here. */
#include "tests/sandbox/sandbox.h"

extern const struct sb_service sb_sts, sb_ec2, sb_s3, sb_sns, sb_events, sb_iam, sb_cloudtrail, sb_config, sb_guardduty;

const struct sb_service *const sb_services[] = {
    &sb_sts, &sb_ec2, &sb_s3, &sb_sns, &sb_events, &sb_iam, &sb_cloudtrail, &sb_config, &sb_guardduty, NULL,
};
