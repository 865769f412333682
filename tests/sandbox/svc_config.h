/* What the files of AWS Config share: Recorders, Channels (at most one each) and Rules, by name. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_CONFIG_H
#define MUSTER_TESTS_SANDBOX_SVC_CONFIG_H

#include "tests/sandbox/sandbox.h"

/* The region's only recorder, or NULL. */
json_t *config_recorder(struct sb_call *call);

int config_put_rule(struct sb_call *call);
int config_describe_rules(struct sb_call *call);
int config_delete_rule(struct sb_call *call);
int config_describe_compliance(struct sb_call *call);
int config_start_evaluation(struct sb_call *call);
int config_describe_evaluation_status(struct sb_call *call);
int config_put_authorization(struct sb_call *call);
int config_describe_authorizations(struct sb_call *call);
int config_delete_authorization(struct sb_call *call);
int config_put_aggregator(struct sb_call *call);
int config_describe_aggregators(struct sb_call *call);
int config_delete_aggregator(struct sb_call *call);
int config_tag_resource(struct sb_call *call);
int config_untag_resource(struct sb_call *call);
int config_list_tags(struct sb_call *call);

#endif
