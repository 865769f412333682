/* EventBridge buses, who may put events on them, and the events put. */
#include "tests/sandbox/flow.h"
#include "tests/sandbox/svc_events.h"

#include <stdlib.h>
#include <string.h>

#define POLICY_MAX 10240
#define BUSES_MAX  100

static char *bus_arn(struct sb_call *c, const char *name)
{
	return mem_printf("arn:%s:events:%s:%s:event-bus/%s", c->partition, c->region, c->account, name);
}

json_t *events_bus_get(struct sb_call *c, const char **name, const char *name_or_arn)
{
	json_t *buses = sb_sub(c->state, "Buses"), *bus;
	const char *slash;

	*name = name_or_arn == NULL ? "default" : name_or_arn;
	if (strncmp(*name, "arn:", 4) == 0 && (slash = strchr(*name, '/')) != NULL) {
		mem_auto_str char *account = sb_arn_part(*name, 4);

		if (strcmp(account, c->account) != 0) {
			sb_fail(c, 400, "AccessDeniedException", "Not the bus of this account: %s", *name);
			return NULL;
		}
		*name = slash + 1;
	}
	bus = strcmp(*name, "default") == 0 ? sb_sub(buses, *name) : json_object_get(buses, *name);
	if (bus == NULL)
		sb_fail(c, 400, "ResourceNotFoundException", "Event bus %s does not exist.", *name);
	return bus;
}

int events_create_event_bus(struct sb_call *c)
{
	const char *name = sb_str(c->in, "Name", "");
	json_t *buses = sb_sub(c->state, "Buses"), *bus;
	mem_auto_str char *arn = bus_arn(c, name);

	if (!sb_like(name, "a-zA-Z0-9._/-", 1, 256) || (strchr(name, '/') != NULL && strncmp(name, "aws.", 4) != 0))
		return sb_fail(c, 400, "ValidationException", "Event bus name %s is not valid.", name);
	if (strcmp(name, "default") == 0 || json_object_get(buses, name) != NULL)
		return sb_fail(c, 400, "ResourceAlreadyExistsException", "Event bus %s already exists.", name);
	if (json_object_size(buses) >= BUSES_MAX)
		return sb_fail(c, 400, "LimitExceededException",
			       "The requested resource exceeds the maximum number allowed.");
	bus = sb_sub(buses, name);
	sb_copy(bus, c->in, "Description KmsKeyIdentifier DeadLetterConfig LogConfig");
	json_object_set_new(bus, "CreatedMs", json_integer(c->now_ms));
	sb_tags_add(sb_sub(bus, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	c->out = json_pack("{s:s}", "EventBusArn", arn);
	sb_copy(c->out, bus, "Description KmsKeyIdentifier DeadLetterConfig LogConfig");
	return 0;
}

static json_t *bus_described(struct sb_call *c, json_t *bus, const char *name)
{
	mem_auto_str char *arn = bus_arn(c, name);
	json_t *out = json_pack("{s:s,s:s}", "Name", name, "Arn", arn);

	sb_copy(out, bus, "Policy Description KmsKeyIdentifier DeadLetterConfig LogConfig");
	if (json_object_get(bus, "CreatedMs") != NULL) {
		json_object_set_new(out, "CreationTime", sb_time_epoch(sb_int(bus, "CreatedMs", 0)));
		json_object_set_new(out, "LastModifiedTime", sb_time_epoch(sb_int(bus, "CreatedMs", 0)));
	}
	return out;
}

int events_describe_event_bus(struct sb_call *c)
{
	const char *name;
	json_t *bus = events_bus_get(c, &name, sb_str(c->in, "Name", NULL));

	if (bus == NULL)
		return -1;
	c->out = bus_described(c, bus, name);
	return 0;
}

int events_update_event_bus(struct sb_call *c)
{
	const char *name;
	json_t *bus = events_bus_get(c, &name, sb_str(c->in, "Name", NULL));

	if (bus == NULL)
		return -1;
	sb_copy(bus, c->in, "Description KmsKeyIdentifier DeadLetterConfig LogConfig");
	c->out = bus_described(c, bus, name);
	return 0;
}

/* A bus that is not there is deleted already. */
int events_delete_event_bus(struct sb_call *c)
{
	const char *name = sb_str(c->in, "Name", "");
	json_t *buses = sb_sub(c->state, "Buses");

	if (strcmp(name, "default") == 0)
		return sb_fail(c, 400, "ValidationException", "Cannot delete event bus default.");
	if (json_object_size(json_object_get(json_object_get(buses, name), "Rules")) > 0)
		return sb_fail(c, 400, "ValidationException", "Event bus %s can't be deleted since it has rules.",
			       name);
	json_object_del(buses, name);
	return 0;
}

int events_list_event_buses(struct sb_call *c)
{
	const char *prefix = sb_str(c->in, "NamePrefix", ""), *key;
	json_t *buses = sb_sub(c->state, "Buses"), *some = json_object(), *list = json_array(), *page, *name, *bus;
	mem_auto_str char *next = NULL;
	size_t i;

	sb_sub(buses, "default");
	json_object_foreach(buses, key, bus) if (strncmp(key, prefix, strlen(prefix)) == 0)
	    json_object_set(some, key, bus);
	page = sb_page(&next, some, sb_str(c->in, "NextToken", NULL), (size_t)sb_int(c->in, "Limit", 100));
	c->out = json_pack("{s:o}", "EventBuses", list);
	json_array_foreach(page, i, name) json_array_append_new(
	    list, bus_described(c, json_object_get(some, json_string_value(name)), json_string_value(name)));
	json_decref(some);
	if (page == NULL)
		return sb_fail(c, 400, "ValidationException", "NextToken is not valid.");
	json_decref(page);
	if (next != NULL)
		json_object_set_new(c->out, "NextToken", json_string(next));
	return 0;
}

/* ---- permissions ---- */

static json_t *policy_load(json_t *bus)
{
	json_t *policy = json_loads(sb_str(bus, "Policy", ""), 0, NULL);

	return policy != NULL ? policy : json_pack("{s:s,s:[]}", "Version", "2012-10-17", "Statement");
}

static int policy_save(struct sb_call *c, json_t *bus, json_t *policy)
{
	mem_auto_str char *text = json_dumps(policy, JSON_COMPACT);

	if (strlen(text) > POLICY_MAX)
		return sb_fail(c, 400, "PolicyLengthExceededException",
			       "The event bus policy is too long. The limit is 10 KB.");
	json_object_set_new(bus, "Policy", json_string(text));
	return 0;
}

static void statement_drop(json_t *statements, const char *id, bool *found)
{
	*found = false;
	for (size_t i = json_array_size(statements); i-- > 0;) {
		if (strcmp(sb_str(json_array_get(statements, i), "Sid", ""), id) != 0)
			continue;
		json_array_remove(statements, i);
		*found = true;
	}
}

static int permission_whole(struct sb_call *c, json_t *bus, const char *text)
{
	json_t *policy = json_loads(text, 0, NULL);
	const char *fault = sb_policy_fault(policy, true), *ghost;
	int status = 0;

	if (fault != NULL)
		status = sb_fail(c, 400, "ValidationException", "The policy is not valid: %s", fault);
	else if ((ghost = sb_policy_ghost(c->sb, policy)) != NULL)
		status = sb_fail(c, 400, "ValidationException", "Invalid principal in policy: %s", ghost);
	else if (strlen(text) > POLICY_MAX)
		status = sb_fail(c, 400, "PolicyLengthExceededException",
				 "The event bus policy is too long. The limit is 10 KB.");
	else
		json_object_set_new(bus, "Policy", json_string(text));
	json_decref(policy);
	return status;
}

int events_put_permission(struct sb_call *c)
{
	const char *name, *principal = sb_str(c->in, "Principal", ""), *id = sb_str(c->in, "StatementId", "");
	json_t *bus = events_bus_get(c, &name, sb_str(c->in, "EventBusName", NULL)), *policy, *statement;
	json_t *condition = json_object_get(c->in, "Condition");
	mem_auto_str char *arn = NULL;
	bool replaced;
	int status;

	if (bus == NULL)
		return -1;
	if (json_object_get(c->in, "Policy") != NULL)
		return permission_whole(c, bus, sb_str(c->in, "Policy", ""));
	if (!sb_like(principal, "0-9", 12, 12) && strcmp(principal, "*") != 0)
		return sb_fail(c, 400, "ValidationException", "Principal must be an account id or *.");
	if (id[0] == '\0' || strcmp(sb_str(c->in, "Action", ""), "events:PutEvents") != 0)
		return sb_fail(c, 400, "ValidationException",
			       "Parameters StatementId and Action (events:PutEvents) must be specified.");
	arn = bus_arn(c, name);
	statement =
	    json_pack("{s:s,s:s,s:s,s:s}", "Sid", id, "Effect", "Allow", "Action", "events:PutEvents", "Resource", arn);
	json_object_set_new(statement, "Principal",
			    strcmp(principal, "*") == 0
				? json_string("*")
				: json_pack("{s:o}", "AWS", sb_format("arn:%s:iam::%s:root", c->partition, principal)));
	if (condition != NULL)
		json_object_set_new(statement, "Condition",
				    json_pack("{s:{s:O}}", sb_str(condition, "Type", ""), sb_str(condition, "Key", ""),
					      json_object_get(condition, "Value")));
	policy = policy_load(bus);
	statement_drop(json_object_get(policy, "Statement"), id, &replaced);
	json_array_append_new(json_object_get(policy, "Statement"), statement);
	status = policy_save(c, bus, policy);
	json_decref(policy);
	return status;
}

int events_remove_permission(struct sb_call *c)
{
	const char *name;
	json_t *bus = events_bus_get(c, &name, sb_str(c->in, "EventBusName", NULL)), *policy;
	bool found;

	if (bus == NULL)
		return -1;
	if (sb_true(c->in, "RemoveAllPermissions")) {
		json_object_del(bus, "Policy");
		return 0;
	}
	if (json_object_get(bus, "Policy") == NULL)
		return sb_fail(c, 400, "ResourceNotFoundException", "EventBus does not have a policy.");
	policy = policy_load(bus);
	statement_drop(json_object_get(policy, "Statement"), sb_str(c->in, "StatementId", ""), &found);
	if (!found)
		sb_fail(c, 400, "ResourceNotFoundException", "Statement with the provided id does not exist.");
	else if (json_array_size(json_object_get(policy, "Statement")) == 0)
		json_object_del(bus, "Policy");
	else
		policy_save(c, bus, policy);
	json_decref(policy);
	return found ? 0 : -1;
}

/* ---- events ---- */

/* The ARN of the bus that an entry names. Free it. */
static char *entry_arn(struct sb_call *c, json_t *entry)
{
	const char *name = sb_str(entry, "EventBusName", "default");

	return strncmp(name, "arn:", 4) == 0 ? mem_strdup(name) : bus_arn(c, name);
}

/* Anyone's bus takes an event if its policy lets the caller put it. */
static bool bus_lets(struct sb_call *c, const char *arn)
{
	mem_auto_str char *region = sb_arn_part(arn, 3), *account = sb_arn_part(arn, 4);
	struct sb_ask ask = {.account = c->account,
			     .arn = sb_str(c->caller, "Arn", NULL),
			     .role_arn = sb_str(c->caller, "RoleArn", NULL),
			     .action = "events:PutEvents",
			     .resource = arn};
	json_t *buses = json_object_get(sb_state_find(c->sb, account, region, "events"), "Buses"), *policy;
	enum sb_verdict verdict;

	if (strcmp(account, c->account) == 0)
		return true;
	policy = policy_load(json_object_get(buses, strchr(arn, '/') == NULL ? "" : strchr(arn, '/') + 1));
	verdict = sb_policy_ask(policy, &ask);
	json_decref(policy);
	return verdict == SB_ALLOWED;
}

static const char *entry_fault(struct sb_call *c, json_t *entry, json_t *detail, const char *arn)
{
	if (json_object_get(entry, "Detail") == NULL || json_object_get(entry, "Source") == NULL ||
	    json_object_get(entry, "DetailType") == NULL)
		return "InvalidArgument";
	if (!json_is_object(detail))
		return "MalformedDetail";
	if (strncmp(sb_str(entry, "Source", ""), "aws.", 4) == 0)
		return "NotAuthorizedForSource";
	return bus_lets(c, arn) ? NULL : "AccessDeniedException";
}

static json_t *event_make(struct sb_call *c, json_t *entry, json_t *detail, const char *id)
{
	json_t *resources = json_object_get(entry, "Resources"), *time = json_object_get(entry, "Time");
	int64_t ms = json_is_number(time) ? (int64_t)(json_number_value(time) * 1000) : c->now_ms;

	return json_pack("{s:s,s:s,s:O,s:O,s:s,s:o,s:s,s:o,s:O}", "version", "0", "id", id, "detail-type",
			 json_object_get(entry, "DetailType"), "source", json_object_get(entry, "Source"), "account",
			 c->account, "time", sb_time_json(ms), "region", c->region, "resources",
			 resources == NULL ? json_array() : json_incref(resources), "detail", detail);
}

/* An event for a bus that does not exist is taken and lost, as in AWS; its trace says so. */
static void event_put(struct sb_call *c, json_t *event, const char *id, const char *arn)
{
	mem_auto_str char *region = sb_arn_part(arn, 3), *account = sb_arn_part(arn, 4);
	const char *name = strchr(arn, '/') == NULL ? "" : strchr(arn, '/') + 1;
	json_t *buses = json_object_get(sb_state_find(c->sb, account, region, "events"), "Buses");
	struct sb_flow flow = {c->sb, sb_trace_new(c->sb, id, c->account, c->region, "put", event), event};

	if (json_object_get(buses, name) == NULL && strcmp(name, "default") != 0)
		sb_hop(flow.trace, 0, "bus", arn, "stopped", "the event bus does not exist");
	else
		sb_flow_bus(&flow, 0, arn, strcmp(account, c->account) != 0);
}

static json_t *entry_put(struct sb_call *c, json_t *entry, int *failed)
{
	json_auto_t *detail = json_loads(sb_str(entry, "Detail", ""), 0, NULL), *event = NULL;
	mem_auto_str char *arn = entry_arn(c, entry);
	const char *code = entry_fault(c, entry, detail, arn);
	char id[37];

	if (code != NULL) {
		++*failed;
		return json_pack("{s:s,s:s}", "ErrorCode", code, "ErrorMessage", "The entry was not taken.");
	}
	sb_uuid(id);
	event = event_make(c, entry, detail, id);
	event_put(c, event, id, arn);
	return json_pack("{s:s}", "EventId", id);
}

int events_put_events(struct sb_call *c)
{
	json_t *entries = json_array(), *entry;
	int failed = 0;
	size_t i;

	json_array_foreach(json_object_get(c->in, "Entries"), i, entry)
	{
		json_array_append_new(entries, entry_put(c, entry, &failed));
	}
	c->out = json_pack("{s:o,s:i}", "Entries", entries, "FailedEntryCount", failed);
	return 0;
}
