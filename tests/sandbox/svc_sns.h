/* What the files of SNS share. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_SNS_H
#define MUSTER_TESTS_SANDBOX_SVC_SNS_H

#include "tests/sandbox/sandbox.h"

/* A topic by ARN, anyone's; NULL when there is none. */
json_t *sns_topic_find(struct sb *sb, const char *arn);
/* The same for a caller: NULL with the call failed when it does not exist or the topic policy keeps it out. */
json_t *sns_topic_get(struct sb_call *call, const char *arn, const char *action);
void sns_subscriptions_count(struct sb *sb, const char *topic_arn, size_t *confirmed, size_t *pending);
void sns_subscriptions_drop(struct sb *sb, const char *topic_arn);

int sns_add_permission(struct sb_call *call);
int sns_remove_permission(struct sb_call *call);
int sns_put_data_protection_policy(struct sb_call *call);
int sns_get_data_protection_policy(struct sb_call *call);
int sns_confirm_subscription(struct sb_call *call);
int sns_publish(struct sb_call *call);
int sns_subscribe(struct sb_call *call);
int sns_unsubscribe(struct sb_call *call);
int sns_get_subscription_attributes(struct sb_call *call);
int sns_set_subscription_attributes(struct sb_call *call);
int sns_list_subscriptions(struct sb_call *call);
int sns_list_subscriptions_by_topic(struct sb_call *call);

#endif
