/* What the two files of GuardDuty share. A detector keeps its publishing destinations under Destinations, by id. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_GUARDDUTY_H
#define MUSTER_TESTS_SANDBOX_SVC_GUARDDUTY_H

#include "tests/sandbox/sandbox.h"

/* The detector that the call names; NULL with the call failed. */
json_t *guardduty_detector_get(struct sb_call *call);
int guardduty_refuse(struct sb_call *call, const char *message);

int guardduty_create_destination(struct sb_call *call);
int guardduty_describe_destination(struct sb_call *call);
int guardduty_update_destination(struct sb_call *call);
int guardduty_delete_destination(struct sb_call *call);
int guardduty_list_destinations(struct sb_call *call);

#endif
