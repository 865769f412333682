/* An apply as it goes. Three looks, chosen once: a bar (a terminal), plain lines (no terminal), JSON lines. */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/words.h"

#define REDRAW_MS        100
#define JSON_PROGRESS_MS 1000
/* Failures shown above the bar while it runs; the summary tells all of them, by cause. */
#define FAILURES_SHOWN 5
#define BAR_CELLS      24

enum look { LOOK_BAR, LOOK_LINES, LOOK_JSON };

struct progress {
	enum look look;
	bool color;
	size_t width;
	bool drawn; /* the bar stands on the current line */
	int64_t drawn_ms;
	size_t failures;
	struct apply_progress last;
	bool known; /* `last` was told */
};

/* -- Output -------------------------------------------------------------------------------------------------------- */

static void bar_clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

/* A line for people, above the bar where there is one. */
static void say(struct progress *p, const char *text)
{
	buf_auto struct buf line = BUF_INIT;

	words_plain(&line, text);
	bar_clear(p);
	fprintf(stderr, "%s\n", buf_str(&line));
}

static void emit(json_t *object)
{
	char time[32];

	text_time(time, sizeof time, loop_wall_ms());
	json_object_set_new(object, "time", json_string(time));
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

/* -- The bar ------------------------------------------------------------------------------------------------------- */

static void bar_counts(struct buf *out, const struct apply_progress *now)
{
	words_count(out, now->done + now->failed + now->skipped);
	buf_addc(out, '/');
	words_count(out, now->total);
	buf_addf(out, ", %zu in flight", now->running);
	if (now->provider.waiting > 0)
		buf_addf(out, ", %zu throttled", now->provider.waiting);
	if (now->failed > 0) {
		buf_adds(out, ", ");
		words_count(out, now->failed);
		buf_adds(out, " failed");
	}
	if (now->skipped > 0) {
		buf_adds(out, ", ");
		words_count(out, now->skipped);
		buf_adds(out, " skipped");
	}
	if (now->stopping)
		buf_adds(out, ", stopping");
	else if (now->eta_ms >= 0) {
		buf_adds(out, ", ETA ");
		words_duration(out, now->eta_ms < 1000 ? 1000 : now->eta_ms / 1000 * 1000);
	}
}

static void bar_draw(struct progress *p)
{
	const struct apply_progress *now = &p->last;
	size_t finished = now->done + now->failed + now->skipped;
	size_t filled = now->total > 0 ? finished * BAR_CELLS / now->total : 0;
	buf_auto struct buf line = BUF_INIT;

	buf_addc(&line, '[');
	for (size_t i = 0; i < BAR_CELLS; i++)
		buf_addc(&line, i < filled ? '=' : i == filled ? '>' : ' ');
	buf_adds(&line, "] ");
	bar_counts(&line, now);
	/* A line that wraps could not be cleared again. */
	buf_truncate(&line, p->width - 1);
	fprintf(stderr, "\r\033[K%s%s%s", p->color && now->failed > 0 ? "\033[31m" : "", buf_str(&line),
		p->color && now->failed > 0 ? "\033[0m" : "");
	fflush(stderr);
	p->drawn = true;
	p->drawn_ms = now->elapsed_ms;
}

/* -- Events -------------------------------------------------------------------------------------------------------- */

static json_t *event(const char *type, const struct plan_change *change)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "type", type, "address", change->address, "action",
			 plan_action_name(change->action), "resource_type", change->type_name);
}

static void on_started(void *payload, const struct plan_change *change)
{
	struct progress *p = payload;

	if (p->look == LOOK_JSON)
		emit(event("started", change));
}

static void set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, json_string(value));
}

static void finished_json(const struct plan_change *change, enum apply_status status,
			  const struct provider_result *result, int64_t elapsed_ms)
{
	json_t *object = event("finished", change);

	set_text(object, "status", words_status(status));
	json_object_set_new(object, "elapsed_ms", json_integer(elapsed_ms));
	if (status == APPLY_FAILED && result != NULL) {
		set_text(object, "code", result->code);
		set_text(object, "message", result->message);
		set_text(object, "operation", result->operation);
		set_text(object, "request_id", result->request_id);
	}
	emit(object);
}

static void finished_line(struct buf *out, const struct plan_change *change, enum apply_status status,
			  const struct provider_result *result, int64_t elapsed_ms)
{
	buf_addf(out, "%s: ", change->address);
	switch (status) {
	case APPLY_DONE:
		buf_addf(out, "%s in ", words_done(change));
		words_duration(out, elapsed_ms);
		return;
	case APPLY_FAILED:
		buf_addf(out, "%s failed after ", plan_action_name(change->action));
		words_duration(out, elapsed_ms);
		if (result != NULL)
			words_cause(out, result->operation, result->code, result->message);
		return;
	default:
		buf_adds(out, "not started");
	}
}

static void on_finished(void *payload, const struct plan_change *change, enum apply_status status,
			const struct provider_result *result, int64_t elapsed_ms)
{
	struct progress *p = payload;
	buf_auto struct buf line = BUF_INIT;

	if (p->look == LOOK_JSON) {
		finished_json(change, status, result, elapsed_ms);
		return;
	}
	/* The summary counts what was skipped under the failure that it waited for; hundreds of lines would hide that
	 * one. */
	if (status == APPLY_SKIPPED)
		return;
	if (p->look == LOOK_BAR && (status != APPLY_FAILED || p->failures++ >= FAILURES_SHOWN))
		return;
	finished_line(&line, change, status, result, elapsed_ms);
	say(p, buf_str(&line));
	if (p->look == LOOK_BAR && p->known)
		bar_draw(p);
}

static void progress_json(struct progress *p, const struct apply_progress *now)
{
	json_t *object;

	if (p->known && now->elapsed_ms - p->drawn_ms < JSON_PROGRESS_MS)
		return;
	p->drawn_ms = now->elapsed_ms;
	object = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "type", "progress", "total",
			   (json_int_t)now->total, "done", (json_int_t)now->done, "failed", (json_int_t)now->failed,
			   "skipped", (json_int_t)now->skipped, "in_flight", (json_int_t)now->running, "waiting",
			   (json_int_t)now->waiting, "throttled", (json_int_t)now->provider.waiting, "elapsed_ms",
			   (json_int_t)now->elapsed_ms, "stopping", now->stopping);
	json_object_set_new(object, "eta_ms", now->eta_ms >= 0 ? json_integer(now->eta_ms) : json_null());
	emit(object);
}

static void on_progress(void *payload, const struct apply_progress *now)
{
	struct progress *p = payload;
	bool stopping = now->stopping && !p->last.stopping;
	bool due = !p->known || now->elapsed_ms - p->drawn_ms >= REDRAW_MS || stopping;

	if (p->look == LOOK_JSON)
		progress_json(p, now);
	p->last = *now;
	p->known = true;
	if (stopping && p->look != LOOK_JSON)
		say(p, "Stopping: nothing new is started; what is under way ends first. Once more: stop at once.");
	if (p->look == LOOK_BAR && due)
		bar_draw(p);
}

static void on_recovered(void *payload, const char *address, const char *what)
{
	struct progress *p = payload;
	mem_auto_str char *line = NULL;

	if (p->look == LOOK_JSON) {
		emit(json_pack("{s:s, s:s, s:s}", "type", "recovered", "address", address, "what", what));
		return;
	}
	line = mem_printf("%s: %s", address, what);
	say(p, line);
}

/* -- Face ---------------------------------------------------------------------------------------------------------- */

void progress_new(struct progress **out, const struct cli *cli, const struct plan *plan, bool json)
{
	struct progress *p = mem_alloc(sizeof *p);

	(void)plan;
	p->look = json ? LOOK_JSON : cli->terminal.error_moves ? LOOK_BAR : LOOK_LINES;
	p->color = cli->terminal.error_color;
	p->width = (size_t)cli->terminal.width;
	*out = p;
}

struct apply_events progress_events(struct progress *progress)
{
	return (struct apply_events){on_started, on_finished, on_progress, on_recovered, progress};
}

void progress_free(struct progress *progress)
{
	if (progress == NULL)
		return;
	bar_clear(progress);
	free(progress);
}
