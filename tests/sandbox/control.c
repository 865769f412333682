/* /_sandbox/...: looking inside, starting over, faults and settings while running. Not signed. */
#include "tests/sandbox/flow.h"

#include <stdlib.h>
#include <string.h>

/* A copy without what is only bookkeeping (keys that start with "_"), what was there from the start ("_BuiltIn") and
 * what is empty on the upper levels. */
static json_t *dump_copy(json_t *value, int depth)
{
	json_t *copy, *child;
	const char *key;
	size_t i;

	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach(value, i, child) json_array_append_new(copy, dump_copy(child, depth + 1));
		return copy;
	}
	if (!json_is_object(value))
		return json_incref(value);
	copy = json_object();
	json_object_foreach(value, key, child)
	{
		json_t *inner;

		if (key[0] == '_' || sb_true(child, "_BuiltIn"))
			continue;
		inner = dump_copy(child, depth + 1);
		if (depth < 6 && json_is_object(inner) && json_object_size(inner) == 0)
			json_decref(inner);
		else
			json_object_set_new(copy, key, inner);
	}
	return copy;
}

json_t *sb_dump(struct sb *sb)
{
	return dump_copy(sb->state, 0);
}

static void reply(struct sb_http *http, int status, json_t *value_stolen)
{
	char *text = json_dumps(value_stolen, JSON_SORT_KEYS | JSON_INDENT(1));

	http->status = status;
	sb_http_reply_header(http, "Content-Type", "application/json");
	buf_adds(&http->answer, text);
	buf_addc(&http->answer, '\n');
	free(text);
	json_decref(value_stolen);
}

static void reset(struct sb *sb, struct sb_http *http)
{
	int status;

	sb_world_free(sb);
	sb_fault_clear(sb);
	sb->in_flight_max = sb->in_flight;
	status = sb_world_load(sb);
	reply(http, status == 0 ? 200 : 500, json_pack("{s:b}", "Reset", status == 0));
}

/* save/NAME and restore/NAME: a world to come back to. */
static bool world(struct sb *sb, struct sb_http *http, const char *what)
{
	bool good = true;

	if (strncmp(what, "save/", 5) == 0)
		sb_world_save(sb, what + 5);
	else if (strncmp(what, "restore/", 8) == 0)
		good = sb_world_restore(sb, what + 8);
	else
		return false;
	reply(http, good ? 200 : 404, good ? json_object() : json_pack("{s:s}", "Error", "nothing is saved as that"));
	return true;
}

/* The body: one fault spec a line, or {"Clear": true, "Faults": ["spec", ...]}. */
static void faults(struct sb *sb, struct sb_http *http)
{
	json_t *said = json_loadb(buf_str(&http->body), http->body.len, 0, NULL);
	char *why = NULL, *save = NULL;
	size_t i;
	json_t *spec;

	if (json_is_object(said)) {
		if (sb_true(said, "Clear"))
			sb_fault_clear(sb);
		json_array_foreach(json_object_get(said, "Faults"), i, spec) if (why == NULL && json_is_string(spec))
		    sb_fault_add(sb, json_string_value(spec), &why);
	} else if (http->body.len > 0) {
		for (char *line = strtok_r(http->body.data, "\r\n", &save); line != NULL && why == NULL;
		     line = strtok_r(NULL, "\r\n", &save)) {
			if (strcmp(line, "clear") == 0)
				sb_fault_clear(sb);
			else
				sb_fault_add(sb, line, &why);
		}
	}
	json_decref(said);
	reply(http, why == NULL ? 200 : 400, why == NULL ? json_object() : json_pack("{s:s}", "Error", why));
	free(why);
}

/* {"LatencyMs": n, "Rate": n, "LagMs": n, "SessionSeconds": n} */
static void settings(struct sb *sb, struct sb_http *http)
{
	json_t *said = json_loadb(buf_str(&http->body), http->body.len, 0, NULL);
	json_t *rate = json_object_get(said, "Rate");

	sb->latency_ms = sb_int(said, "LatencyMs", sb->latency_ms);
	sb->lag_ms = sb_int(said, "LagMs", sb->lag_ms);
	sb->session_seconds = sb_int(said, "SessionSeconds", sb->session_seconds);
	if (json_is_number(rate)) {
		sb->rate = json_number_value(rate);
		sb_rate_reset(sb);
	}
	json_decref(said);
	reply(http, 200,
	      json_pack("{s:I,s:I,s:I,s:f}", "LatencyMs", (json_int_t)sb->latency_ms, "LagMs", (json_int_t)sb->lag_ms,
			"SessionSeconds", (json_int_t)sb->session_seconds, "Rate", sb->rate));
}

/* What there is to call: {service: [operation, ...]}. */
static json_t *services_list(void)
{
	json_t *all = json_object();

	for (size_t i = 0; sb_services[i] != NULL; i++) {
		json_t *names = json_array();

		for (const struct sb_op *op = sb_services[i]->ops; op->name != NULL; op++)
			json_array_append_new(names, json_string(op->name));
		json_object_set_new(all, sb_services[i]->name, names);
	}
	return all;
}

/* ---- events ---- */

static void emit(struct sb *sb, struct sb_http *http)
{
	json_auto_t *said = json_loadb(buf_str(&http->body), http->body.len, 0, NULL);
	const char *why = NULL;
	json_t *trace = sb_emit(sb, said, &why);

	reply(http, trace == NULL ? 400 : 200, trace == NULL ? json_pack("{s:s}", "Error", why) : json_incref(trace));
}

/* A chat's incoming webhook, as Slack and the like have it: {"text": ...}. */
static void webhook(struct sb *sb, struct sb_http *http)
{
	json_t *body = json_loadb(buf_str(&http->body), http->body.len, 0, NULL), *kept;
	bool good = json_is_object(body);

	if (sb->chat == NULL)
		sb->chat = json_array();
	kept = json_pack("{s:s,s:o}", "Path", http->path, "Time", sb_time_json(sb_now_ms()));
	if (good)
		json_object_set(kept, "Message", body);
	else
		json_object_set_new(kept, "Malformed", sb_format("%s", buf_str(&http->body)));
	json_array_append_new(sb->chat, kept);
	json_decref(body);
	http->status = good ? 200 : 400;
	sb_http_reply_header(http, "Content-Type", "text/plain");
	buf_adds(&http->answer, good ? "ok" : "invalid_payload");
}

static bool is_webhook(const char *what)
{
	return strncmp(what, "webhook", 7) == 0 && (what[7] == '\0' || what[7] == '/');
}

bool sb_control(struct sb *sb, struct sb_http *http)
{
	const char *what = http->path + strlen("/_sandbox/");
	bool post = strcmp(http->method, "POST") == 0;

	if (strncmp(http->path, "/_sandbox/", strlen("/_sandbox/")) != 0)
		return false;
	if (strcmp(what, "dump") == 0)
		reply(http, 200, sb_dump(sb));
	else if (strcmp(what, "stats") == 0)
		reply(http, 200, sb_stats(sb));
	else if (strcmp(what, "services") == 0)
		reply(http, 200, services_list());
	else if (strcmp(what, "events") == 0)
		reply(http, 200, sb_traces_out(sb));
	else if (strcmp(what, "chat") == 0)
		reply(http, 200, sb->chat == NULL ? json_array() : json_incref(sb->chat));
	else if (strcmp(what, "emit") == 0 && post)
		emit(sb, http);
	else if (is_webhook(what) && post)
		webhook(sb, http);
	else if (strcmp(what, "reset") == 0 && post)
		reset(sb, http);
	else if (strcmp(what, "fault") == 0 && post)
		faults(sb, http);
	else if (strcmp(what, "config") == 0 && post)
		settings(sb, http);
	else if (!post || !world(sb, http, what))
		reply(http, 404, json_pack("{s:s}", "Error", "no such control"));
	return true;
}
