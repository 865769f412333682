/* What becomes of the outputs of each stack in each target: as evaluated against as last applied. An instance's outputs
 * change when all that the plan knows of it is done, so as long as a part of it has to wait (blocked, unreachable, left
 * out by --only), they stay as they are. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/compare.h"
#include "plan/make.h"

/* One instance while it is compared. */
struct comparing {
	struct maker *m;
	const char *address;
	const struct specs_instance *instance; /* NULL: it goes */
	struct state_outputs raw;
	bool recorded;
	const char *from; /* where they are recorded, if not at `address` */
	json_t *was;      /* parsed, or NULL */
	const char *digest;
	bool silent; /* recorded for the first time, of resources that are there already */
};

/* 1 and what is recorded, here or under a former name of the account; 0; -1. `from` is kept by the plan. */
static int recorded_get(struct comparing *c)
{
	struct maker *m = c->m;
	const struct maker_account *account;
	int found = state_outputs_get(m->txn, c->address, &c->raw, m->d);

	if (found != 0 || m->renamed.live == 0)
		return found;
	account = maker_account(m, c->instance->account->id);
	for (size_t i = 0; account != NULL && found == 0 && i < account->former_count; i++) {
		mem_auto_str char *former = mem_printf("%s%s", account->former[i], strchr(c->address, '/'));

		found = state_outputs_get(m->txn, former, &c->raw, m->d);
		if (found == 1)
			c->from = plan_keep(m->plan, former);
	}
	return found;
}

/* Of a state that was made before outputs were kept. */
static bool has_records(const struct comparing *c)
{
	size_t count;
	const struct specs_resource *resources = specs_instance_resources(c->instance, &count);

	for (size_t i = 0; i < count; i++) {
		void *seen = map_get(&c->m->seen, resources[i].address);

		if (seen == SEEN_UNCHANGED || seen == SEEN_ASIDE ||
		    (seen != NULL && c->m->plan->changes[(uintptr_t)seen - 1].version > 0))
			return true;
	}
	return false;
}

static int was_parse(struct comparing *c)
{
	uint8_t sha256[32];
	char hex[65];

	if (!c->recorded)
		return 0;
	c->was = json_loadb(c->raw.text, c->raw.text_len, 0, NULL);
	if (!json_is_object(c->was))
		return diag_error(c->m->d, "the state's outputs of %s cannot be read", c->address);
	text_sha256(sha256, c->raw.text, c->raw.text_len);
	text_hex(hex, sha256, sizeof sha256);
	c->digest = plan_keep(c->m->plan, hex);
	return 0;
}

/* What was in clear until now and is a secret from now on is not to be shown any more either. */
static json_t *hidden_beside(const json_t *value, const json_t *other)
{
	if (value == NULL || plan_holds_secret(value) || !plan_holds_secret(other))
		return json_incref((json_t *)value);
	return json_pack("{s:{}}", "Muster::Secret");
}

static void depends_keep(struct comparing *c, struct plan_output *output)
{
	size_t count = 0;
	const char *const *depends =
	    c->instance != NULL ? specs_instance_output_depends(c->instance, output->name, &count) : NULL;

	if (count == 0)
		return;
	output->depends = plan_keep_array(c->m->plan, count, sizeof *output->depends);
	for (size_t i = 0; i < count; i++)
		output->depends[output->depend_count++] = plan_keep(c->m->plan, depends[i]);
}

static void output_add(struct comparing *c, const char *name, const json_t *before, const json_t *after)
{
	struct plan_output *output = plan_output_add(c->m->plan, c->address, name);

	if (output == NULL)
		return;
	output->action = c->silent        ? PLAN_NOOP
			 : before == NULL ? PLAN_CREATE
			 : after == NULL  ? PLAN_DELETE
					  : PLAN_UPDATE;
	output->before = hidden_beside(before, after);
	output->after = json_incref((json_t *)after);
	output->recorded = c->digest;
	output->moved_from = c->from;
	depends_keep(c, output);
}

/* By their HMACs, where secrets stand in both. */
static bool same_value(const json_t *before, const json_t *after)
{
	if (plan_holds_secret(before) && plan_holds_secret(after))
		return plan_secret_equal(before, after);
	return json_equal((json_t *)before, (json_t *)after);
}

static void compare(struct comparing *c, const json_t *now)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)now, name, value)
	{
		const json_t *before = json_object_get(c->was, name);

		if (before == NULL || !same_value(before, value))
			output_add(c, name, before, value);
	}
	json_object_foreach(c->was, name, value)
	{
		if (json_object_get(now, name) == NULL &&
		    (c->instance == NULL || !specs_instance_output_blocked(c->instance, name)))
			output_add(c, name, value, NULL);
	}
}

/* Nearly always they are the same, which the text tells. */
static bool same_text(const struct comparing *c, const json_t *now)
{
	buf_auto struct buf text = BUF_INIT;

	if (!c->recorded)
		return json_object_size(now) == 0;
	json_canonical(&text, now);
	return text.len == c->raw.text_len && memcmp(buf_str(&text), c->raw.text, text.len) == 0;
}

int maker_outputs(struct maker *m, const struct specs_instance *instance)
{
	struct comparing c = {.m = m, .address = instance->address, .instance = instance};
	const json_t *outputs = specs_instance_outputs(instance);
	json_auto_t *now = outputs != NULL ? json_incref((json_t *)outputs) : json_object();
	int found = recorded_get(&c);

	if (found < 0)
		return -1;
	c.recorded = found == 1;
	m->outputs_met += c.recorded;
	if (same_text(&c, now))
		return 0;
	c.silent = !c.recorded && has_records(&c);
	if (was_parse(&c) < 0)
		return -1;
	compare(&c, now);
	json_decref(c.was);
	return 0;
}

/* -- Of what is wanted no more ------------------------------------------------------------------------------------- */

struct removing {
	struct maker *m;
	struct map wanted; /* addresses of instances */
};

/* An account that could not be asked for its regions does not give up what is in them. */
static bool account_is_closed(struct maker *m, const char *address)
{
	mem_auto_str char *name = mem_strndup(address, strcspn(address, "/"));
	const struct specs_account *account = specs_account_find(m->specs, name);

	return account != NULL && strcmp(account->name, name) == 0 && maker_regions_of(m, account) == NULL;
}

static int remove_one(void *payload, const struct state_outputs *outputs)
{
	struct removing *r = payload;
	struct comparing c = {.m = r->m, .address = outputs->address, .raw = *outputs, .recorded = true};
	mem_auto_str char *now = maker_moved_to(r->m, outputs->address);

	if (map_has(&r->wanted, outputs->address) || (now != NULL && map_has(&r->wanted, now)) ||
	    account_is_closed(r->m, outputs->address))
		return 0;
	if (was_parse(&c) < 0)
		return -1;
	compare(&c, NULL);
	json_decref(c.was);
	return 0;
}

int maker_outputs_removed(struct maker *m)
{
	struct removing r = {.m = m, .wanted = MAP_INIT};
	size_t count;
	int rc;

	if (state_outputs_count(m->txn, &count, m->d) < 0)
		return -1;
	if (count == m->outputs_met)
		return 0;
	for (size_t i = 0; i < m->specs->instance_count && !m->options->destroy; i++)
		map_set(&r.wanted, m->specs->instances[i]->address, m);
	rc = state_outputs_each(m->txn, "", remove_one, &r, m->d);
	map_free(&r.wanted, NULL);
	return rc < 0 ? -1 : 0;
}

/* -- What stays in the plan ---------------------------------------------------------------------------------------- */

void maker_outputs_hold(struct maker *m, const char *address)
{
	mem_auto_str char *instance = mem_strndup(address, (size_t)(strrchr(address, '/') - address));

	map_set(&m->held, address, m);
	map_set(&m->held, instance, m);
}

static bool is_held(const struct maker *m, const struct plan_output *output)
{
	if (map_has(&m->held, output->address) || (output->moved_from != NULL && map_has(&m->held, output->moved_from)))
		return true;
	for (size_t i = 0; i < output->depend_count; i++)
		if (map_has(&m->held, output->depends[i]))
			return true;
	return false;
}

/* Instances with a change that stays in the plan. */
static void touched_fill(struct map *touched, const struct plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++) {
		const char *address = plan->changes[i].address;
		mem_auto_str char *instance = mem_strndup(address, (size_t)(strrchr(address, '/') - address));

		map_set(touched, instance, touched);
	}
}

static void keep_if(struct plan *plan, bool (*keep)(const void *payload, const struct plan_output *output),
		    const void *payload)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->output_count; i++) {
		if (keep(payload, &plan->outputs[i]))
			plan->outputs[kept++] = plan->outputs[i];
		else
			plan_output_drop(&plan->outputs[i]);
	}
	plan->output_count = kept;
}

static bool not_held(const void *payload, const struct plan_output *output)
{
	return !is_held(payload, output);
}

static bool of_touched(const void *payload, const struct plan_output *output)
{
	return map_has(payload, output->address);
}

static bool none(const void *payload, const struct plan_output *output)
{
	(void)payload;
	(void)output;
	return false;
}

void maker_outputs_select(struct maker *m)
{
	struct map touched = MAP_INIT;

	if (m->held.live > 0)
		keep_if(m->plan, not_held, m);
	if (m->options->only != NULL) {
		touched_fill(&touched, m->plan);
		keep_if(m->plan, of_touched, &touched);
		map_free(&touched, NULL);
	}
	/* What is only to be written down goes along with something, but is no reason to apply. */
	if (!plan_has_work(m->plan))
		keep_if(m->plan, none, NULL);
	plan_outputs_sort(m->plan);
}
