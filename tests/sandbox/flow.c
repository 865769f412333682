/* The event path: traces, and the rules of a bus. */
#include "tests/sandbox/flow.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TRACES_KEPT 5000

/* ---- traces ---- */

json_t *sb_trace_new(struct sb *sb, const char *id, const char *account, const char *region, const char *kind,
		     json_t *event)
{
	json_t *trace = json_pack("{s:s,s:o,s:s,s:s,s:s,s:O,s:[]}", "Id", id, "Time", sb_time_json(sb_now_ms()),
				  "Account", account, "Region", region, "Kind", kind, "Event", event, "Hops");

	if (sb->traces == NULL)
		sb->traces = json_array();
	if (json_array_size(sb->traces) >= TRACES_KEPT)
		json_array_remove(sb->traces, 0);
	json_array_append_new(sb->traces, trace);
	return trace;
}

int sb_hop(json_t *trace, int from, const char *what, const char *at, const char *outcome, const char *why, ...)
{
	json_t *hops = json_object_get(trace, "Hops");
	int number = (int)json_array_size(hops) + 1;
	json_t *hop =
	    json_pack("{s:i,s:i,s:s,s:s,s:s}", "Hop", number, "From", from, "What", what, "At", at, "Outcome", outcome);
	buf_auto struct buf text = BUF_INIT;
	va_list args;

	if (why != NULL) {
		va_start(args, why);
		buf_vaddf(&text, why, args);
		va_end(args);
		json_object_set_new(hop, "Why", json_string(buf_str(&text)));
	}
	json_array_append_new(hops, hop);
	return number;
}

void sb_hop_end(json_t *trace, int number, const char *outcome, const char *why)
{
	json_t *hop = json_array_get(json_object_get(trace, "Hops"), (size_t)number - 1);

	json_object_set_new(hop, "Outcome", json_string(outcome));
	if (why != NULL)
		json_object_set_new(hop, "Why", json_string(why));
}

/* A trace with its hops summed up: how many ends were reached, and where it stopped. */
static json_t *trace_out(json_t *trace)
{
	json_t *out = json_copy(trace), *hop, *stops = json_array();
	int delivered = 0, running = 0;
	size_t i;

	json_array_foreach(json_object_get(trace, "Hops"), i, hop)
	{
		const char *outcome = sb_str(hop, "Outcome", "");

		delivered += strcmp(outcome, "delivered") == 0;
		running += strcmp(outcome, "running") == 0;
		if (strcmp(outcome, "stopped") == 0 || strcmp(outcome, "failed") == 0)
			json_array_append(stops, hop);
	}
	json_object_set_new(out, "Delivered", json_integer(delivered));
	json_object_set_new(out, "Running", json_integer(running));
	json_object_set_new(out, "Stops", stops);
	return out;
}

json_t *sb_traces_out(struct sb *sb)
{
	json_t *list = json_array(), *trace;
	size_t i;

	json_array_foreach(sb->traces, i, trace)
	{
		json_array_append_new(list, trace_out(trace));
	}
	return json_pack("{s:I,s:o}", "Running", (json_int_t)sb_runs_count(sb), "Events", list);
}

/* ---- rules ---- */

static bool reads_only(json_t *event)
{
	json_t *detail = json_object_get(event, "detail");

	if (strcmp(sb_str(event, "detail-type", ""), "AWS API Call via CloudTrail") != 0)
		return false;
	return sb_true(detail, "readOnly");
}

/* Why a rule does not take an event, in `why`; false when it does. */
static bool rule_refuses(json_t *rule, json_t *event, char why[SB_WHERE_MAX + 64])
{
	const char *state = sb_str(rule, "State", "");
	json_auto_t *pattern = json_loads(sb_str(rule, "EventPattern", ""), 0, NULL);
	char where[SB_WHERE_MAX];

	if (strcmp(state, "DISABLED") == 0)
		snprintf(why, SB_WHERE_MAX + 64, "is disabled");
	else if (pattern == NULL)
		snprintf(why, SB_WHERE_MAX + 64, "has no pattern");
	else if (!sb_pattern_matches(pattern, event, where))
		snprintf(why, SB_WHERE_MAX + 64, "does not match at %s", where);
	else if (reads_only(event) && strcmp(state, "ENABLED") == 0)
		snprintf(why, SB_WHERE_MAX + 64, "does not take calls that only read");
	else
		return false;
	return true;
}

static void rule_follow(struct sb_flow *flow, int from, json_t *rule, bool crossed)
{
	const char *arn = sb_str(rule, "Arn", ""), *id;
	json_t *targets = json_object_get(rule, "Targets"), *target;
	int hop;

	if (json_object_size(targets) == 0) {
		sb_hop(flow->trace, from, "rule", arn, "stopped", "the rule has no targets");
		return;
	}
	hop = sb_hop(flow->trace, from, "rule", arn, "passed", NULL);
	json_object_foreach(targets, id, target)
	{
		sb_flow_target(flow, hop, rule, target, crossed);
	}
}

void sb_flow_bus(struct sb_flow *flow, int from, const char *bus_arn, bool crossed)
{
	mem_auto_str char *region = sb_arn_part(bus_arn, 3), *account = sb_arn_part(bus_arn, 4);
	mem_auto_str char *rest = sb_arn_part(bus_arn, 5);
	const char *bus_name = strncmp(rest, "event-bus/", 10) == 0 ? rest + 10 : "", *name;
	json_t *buses = json_object_get(sb_state_find(flow->sb, account, region, "events"), "Buses");
	json_t *rules = json_object_get(json_object_get(buses, bus_name), "Rules"), *rule;
	buf_auto struct buf missed = BUF_INIT;
	char why[SB_WHERE_MAX + 64];
	bool matched = false;
	int hop = sb_hop(flow->trace, from, "bus", bus_arn, "passed", NULL);

	json_object_foreach(rules, name, rule)
	{
		if (rule_refuses(rule, flow->event, why)) {
			buf_addf(&missed, "; rule %s %s", name, why);
			continue;
		}
		matched = true;
		rule_follow(flow, hop, rule, crossed);
	}
	if (json_object_size(rules) == 0)
		sb_hop(flow->trace, hop, "rules", bus_arn, "stopped", "the bus has no rules");
	else if (!matched)
		sb_hop(flow->trace, hop, "rules", bus_arn, "stopped", "no rule of the bus matches%s", buf_str(&missed));
}
