/* What the two files of EventBridge share. A bus is {Rules: {name: rule}, Policy, Tags, ...}; "default" always is. */
#ifndef MUSTER_TESTS_SANDBOX_SVC_EVENTS_H
#define MUSTER_TESTS_SANDBOX_SVC_EVENTS_H

#include "tests/sandbox/sandbox.h"

/* The bus that a name or ARN (NULL: "default") means; NULL with the call failed. `*name` is borrowed from it. */
json_t *events_bus_get(struct sb_call *call, const char **name, const char *name_or_arn);
json_t *events_rule_get(struct sb_call *call, json_t *bus, const char *bus_name, const char *name);
/* Tags of a rule or bus, by ARN; NULL with the call failed. */
json_t *events_tags_get(struct sb_call *call);

int events_create_event_bus(struct sb_call *call);
int events_describe_event_bus(struct sb_call *call);
int events_update_event_bus(struct sb_call *call);
int events_delete_event_bus(struct sb_call *call);
int events_list_event_buses(struct sb_call *call);
int events_put_permission(struct sb_call *call);
int events_remove_permission(struct sb_call *call);
int events_put_events(struct sb_call *call);

#endif
