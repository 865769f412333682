/* A provider in memory for the tests of apply: its world lies in shared memory, so that it outlives a process that is
 * killed; what it does, how long that takes and where it dies is set by rules. */
#ifndef MUSTER_TESTS_APPLY_FAKE_H
#define MUSTER_TESTS_APPLY_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apply/apply.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/store.h"
#include "state/store.h"

/* -- The world ----------------------------------------------------------------------------------------------------- */

struct fake_thing {
	char type[32], account[64], region[32], name[96], id[40], secret[32];
	int size;
	bool exists;
	int made;         /* how often */
	int64_t shown_ms; /* not seen by reads before that (wall clock) */
	int64_t ghost_ms; /* deleted, but seen by find until then */
};

struct fake_world {
	struct fake_thing things[4096];
	size_t count;
	uint64_t ids;
	size_t updates, removes, creates;
};

static struct fake_world *fake_world_new(void)
{
	void *world = mmap(NULL, sizeof(struct fake_world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(world != MAP_FAILED);
	return world;
}

static void fake_world_free(struct fake_world *world)
{
	munmap(world, sizeof *world);
}

/* -- The provider -------------------------------------------------------------------------------------------------- */

enum fake_does {
	FAKE_WORKS,
	FAKE_REFUSES,
	FAKE_HALF,  /* does it, and fails after that */
	FAKE_FAILS, /* fails without a trace */
	FAKE_UNREACHABLE,
	FAKE_HANGS, /* until cancelled */
	FAKE_TELLS, /* tells the id on the way, and then works */
};

struct fake_rule {
	const char *operation, *address; /* globs */
	enum fake_does does;
	int64_t latency_ms;
};

#define FAKE_RULES_MAX 16
#define FAKE_LOG_MAX   4096

struct fake_call;

struct fake {
	struct provider provider;
	struct loop *loop;
	struct state *state; /* looked into: is the intent there? NULL: not looked */
	struct schema_set *schemas;
	struct fake_world *world;
	struct fake_rule rules[FAKE_RULES_MAX];
	size_t rule_count;
	int64_t latency_ms;
	char *log[FAKE_LOG_MAX]; /* "create a/b/c/D" in the order of their starts */
	size_t log_count;
	size_t in_flight, in_flight_max, calls;
	size_t in_slow, in_slow_max; /* the same in account "slow" */
	int64_t ghosts_ms;           /* how long what was deleted can still be found */
	struct fake_call *hanging;
	void (*on_call)(struct fake *fake, const char *operation, const char *address);
	void *user;
	struct map keys; /* serialize: key -> calls under way */
	/* Points at which the process can die. */
	size_t steps, die_at; /* 0: never */
	char last_token[33];
	const char *refusal; /* message of what FAKE_REFUSES; NULL: none */
};

struct provider_account {
	char name[64], id[16];
};

struct fake_call {
	struct fake *fake;
	const char *operation;
	const struct provider_call *call;
	const struct provider_read_item *item;
	const struct schema_type *type;
	struct provider_target target;
	const struct fake_rule *rule;
	struct fake_call *next;
	bool told;
	struct loop_timer *hold; /* keeps the loop busy while it hangs */
};

#define FAKE_DIED 42

static inline void fake_step(struct fake *fake)
{
	if (++fake->steps == fake->die_at)
		_exit(FAKE_DIED);
}

static const struct fake_rule *fake_rule_of(const struct fake *fake, const char *operation, const char *address)
{
	for (size_t i = 0; i < fake->rule_count; i++)
		if (text_glob(fake->rules[i].operation, operation) && text_glob(fake->rules[i].address, address))
			return &fake->rules[i];
	return NULL;
}

static inline void fake_rule(struct fake *fake, const char *operation, const char *address, enum fake_does does,
			     int64_t latency_ms)
{
	assert_true(fake->rule_count < FAKE_RULES_MAX);
	fake->rules[fake->rule_count++] = (struct fake_rule){operation, address, does, latency_ms};
}

static struct fake_thing *fake_find(struct fake *fake, const char *type, const struct provider_target *target,
				    const char *name, const char *id)
{
	for (size_t i = 0; i < fake->world->count; i++) {
		struct fake_thing *thing = &fake->world->things[i];

		if (!thing->exists || strcmp(thing->type, type) != 0 ||
		    strcmp(thing->account, target->account->name) != 0 || strcmp(thing->region, target->region) != 0)
			continue;
		if (id != NULL ? strcmp(thing->id, id) == 0 : name != NULL && strcmp(thing->name, name) == 0)
			return thing;
	}
	return NULL;
}

static const char *fake_name(const struct fake_call *c, const json_t *properties)
{
	return c->type->singleton ? "the only one" : json_get_string(properties, "Name");
}

static json_t *fake_attributes(const struct fake_thing *thing)
{
	return json_pack("{s:s, s:o}", "Id", thing->id, "Arn", json_sprintf("arn:%s", thing->id));
}

static json_t *fake_properties(const struct fake_call *c, const struct fake_thing *thing)
{
	json_t *properties = json_pack("{s:i}", "Size", thing->size);

	if (!c->type->singleton)
		json_object_set_new(properties, "Name", json_string(thing->name));
	return properties;
}

static struct fake_thing *fake_make(struct fake_call *c)
{
	struct fake_world *world = c->fake->world;
	const json_t *properties = c->call->properties;
	struct fake_thing *thing = &world->things[world->count];
	const char *secret = json_get_string(properties, "Secret");

	assert_false(specs_has_residual(properties));
	assert_null(fake_find(c->fake, c->type->name, &c->target, fake_name(c, properties), NULL));
	assert_true(world->count < sizeof world->things / sizeof world->things[0]);
	snprintf(thing->type, sizeof thing->type, "%s", c->type->name);
	snprintf(thing->account, sizeof thing->account, "%s", c->target.account->name);
	snprintf(thing->region, sizeof thing->region, "%s", c->target.region);
	snprintf(thing->name, sizeof thing->name, "%s", fake_name(c, properties) ? fake_name(c, properties) : "");
	snprintf(thing->id, sizeof thing->id, "id-%llu", (unsigned long long)++world->ids);
	snprintf(thing->secret, sizeof thing->secret, "%s", secret != NULL ? secret : "");
	thing->size = (int)json_get_int(properties, "Size", 0);
	thing->exists = true;
	thing->made++;
	world->count++;
	world->creates++;
	return thing;
}

static void fake_answer(struct fake_call *c, struct provider_result result)
{
	struct fake *fake = c->fake;
	const char *address = c->call != NULL ? c->call->address : c->item->address;

	if (c->type->serialize != NULL && strcmp(c->operation, "find") != 0)
		map_set(&fake->keys, c->type->name, NULL);
	fake->in_flight--;
	fake->in_slow -= strcmp(c->target.account->name, "slow") == 0;
	result.operation = c->operation;
	if (result.outcome != PROVIDER_DONE && result.outcome != PROVIDER_ABSENT && result.message == NULL)
		result.message = address;
	fake_step(fake);
	if (c->call != NULL)
		c->call->done(c->call->payload, &result);
	else
		c->item->done(c->item->payload, &result);
	fake_step(fake);
	free(c);
}

static void fake_answer_thing(struct fake_call *c, const struct fake_thing *thing, struct provider_result result)
{
	json_auto_t *attributes = thing != NULL ? fake_attributes(thing) : NULL;
	json_auto_t *properties = thing != NULL ? fake_properties(c, thing) : NULL;

	result.attributes = attributes;
	result.properties = properties;
	fake_answer(c, result);
}

static struct fake_thing *fake_ghost(struct fake_call *c, const char *name)
{
	for (size_t i = 0; name != NULL && i < c->fake->world->count; i++) {
		struct fake_thing *thing = &c->fake->world->things[i];

		if (!thing->exists && strcmp(thing->name, name) == 0 && thing->ghost_ms > loop_wall_ms())
			return thing;
	}
	return NULL;
}

/* What the operation does to the world; the thing that it was about, or NULL. */
static struct fake_thing *fake_act(struct fake_call *c)
{
	const json_t *attributes = c->call != NULL ? c->call->attributes : c->item->attributes;
	const json_t *properties = c->call != NULL ? c->call->properties : c->item->properties;
	const char *id = json_get_string(attributes, "Id");
	struct fake_thing *thing;

	if (strcmp(c->operation, "create") == 0)
		return fake_make(c);
	thing = fake_find(c->fake, c->type->name, &c->target, fake_name(c, properties), id);
	if (strcmp(c->operation, "update") == 0) {
		if (thing != NULL)
			thing->size = (int)json_get_int(properties, "Size", 0);
		c->fake->world->updates++;
	} else if (strcmp(c->operation, "delete") == 0) {
		if (thing != NULL) {
			thing->exists = false;
			thing->ghost_ms = loop_wall_ms() + c->fake->ghosts_ms;
		}
		c->fake->world->removes++;
	} else if (thing != NULL && thing->shown_ms > loop_wall_ms()) {
		return NULL;
	}
	if (thing == NULL && strcmp(c->operation, "find") == 0)
		thing = fake_ghost(c, fake_name(c, properties));
	return thing;
}

static void fake_finish(void *payload)
{
	struct fake_call *c = payload;
	enum fake_does does = c->rule != NULL ? c->rule->does : FAKE_WORKS;
	struct provider_result result = {.outcome = PROVIDER_DONE};
	struct fake_thing *thing;

	switch (does) {
	case FAKE_REFUSES:
		fake_answer(c, (struct provider_result){
				   .outcome = PROVIDER_REFUSED, .code = "AccessDenied", .message = c->fake->refusal});
		return;
	case FAKE_FAILS:
		fake_answer(c, (struct provider_result){.outcome = PROVIDER_FAILED, .code = "Boom"});
		return;
	case FAKE_UNREACHABLE:
		fake_answer(c, (struct provider_result){
				   .outcome = PROVIDER_UNREACHABLE, .code = "AccessDenied", .message = "cannot enter"});
		return;
	case FAKE_HANGS:
		c->hold = loop_timer_start(c->fake->loop, 60000, NULL, NULL);
		c->next = c->fake->hanging;
		c->fake->hanging = c;
		return;
	default:
		break;
	}
	fake_step(c->fake);
	if (!c->told) {
		thing = fake_act(c);
		fake_step(c->fake);
		if (does == FAKE_TELLS && thing != NULL && c->call->progress != NULL) {
			json_auto_t *attributes = json_pack("{s:s}", "Id", thing->id);

			c->told = true;
			c->call->progress(c->call->payload, attributes);
			fake_step(c->fake);
			loop_timer_start(c->fake->loop, 1, fake_finish, c);
			return;
		}
	} else {
		thing = &c->fake->world->things[c->fake->world->count - 1];
	}
	if (does == FAKE_HALF)
		result = (struct provider_result){.outcome = PROVIDER_FAILED, .code = "Half", .exists = true};
	else if (thing == NULL && strcmp(c->operation, "delete") != 0)
		result.outcome = PROVIDER_ABSENT;
	fake_answer_thing(c, thing, result);
}

/* No call that changes something may begin before its intent is durable. */
static void fake_intent_check(struct fake *fake, const char *address)
{
	struct diag d = DIAG_INIT;
	struct state_txn *txn;
	json_t *body = NULL;

	if (fake->state == NULL)
		return;
	assert_int_equal(state_begin(&txn, fake->state, false, &d), 0);
	assert_int_equal(state_intent_get(txn, address, &body, &d), 1);
	assert_non_null(json_get_string(body, "Phase"));
	json_decref(body);
	state_abort(txn);
	diag_free(&d);
}

static void fake_start(struct fake *fake, const char *operation, const struct schema_type *type,
		       const struct provider_target *target, const struct provider_call *call,
		       const struct provider_read_item *item)
{
	struct fake_call *c = mem_alloc(sizeof *c);
	const char *address = call != NULL ? call->address : item->address;

	*c = (struct fake_call){.fake = fake,
				.operation = operation,
				.call = call,
				.item = item,
				.type = type,
				.target = *target,
				.rule = fake_rule_of(fake, operation, address)};
	fake_step(fake);
	if (call != NULL && strcmp(operation, "find") != 0)
		fake_intent_check(fake, address);
	if (type->serialize != NULL && strcmp(operation, "find") != 0)
		assert_null(map_set(&fake->keys, type->name, fake));
	if (fake->log_count < FAKE_LOG_MAX)
		fake->log[fake->log_count++] = mem_printf("%s %s", operation, address);
	fake->calls++;
	if (++fake->in_flight > fake->in_flight_max)
		fake->in_flight_max = fake->in_flight;
	fake->in_slow += strcmp(target->account->name, "slow") == 0;
	if (fake->in_slow > fake->in_slow_max)
		fake->in_slow_max = fake->in_slow;
	if (fake->on_call != NULL)
		fake->on_call(fake, operation, address);
	loop_timer_start(fake->loop, c->rule != NULL ? c->rule->latency_ms : fake->latency_ms, fake_finish, c);
}

static const struct schema_set *fake_schemas(struct provider *p)
{
	return ((struct fake *)p)->schemas;
}

static int fake_account_add(struct provider *p, const char *name, const char *id, const json_t *access,
			    struct provider_account **out, struct diag *d)
{
	static struct provider_account accounts[2048];
	static size_t count;

	(void)p;
	(void)access;
	(void)d;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(accounts[i].name, name) == 0) {
			*out = &accounts[i];
			return 0;
		}
	}
	*out = &accounts[count++];
	snprintf((*out)->name, sizeof(*out)->name, "%s", name);
	snprintf((*out)->id, sizeof(*out)->id, "%s", id);
	return 0;
}

static void fake_read(struct provider *p, const struct schema_type *type, const struct provider_target *target,
		      const struct provider_read_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fake_start((struct fake *)p, "read", type, target, NULL, &items[i]);
}

static void fake_op_find(struct provider *p, const struct provider_call *call)
{
	assert_false(specs_has_residual(call->properties));
	fake_start((struct fake *)p, "find", call->type, &call->target, call, NULL);
}

static void fake_op_create(struct provider *p, const struct provider_call *call)
{
	snprintf(((struct fake *)p)->last_token, 33, "%s", call->token);
	fake_start((struct fake *)p, "create", call->type, &call->target, call, NULL);
}

static void fake_op_update(struct provider *p, const struct provider_call *call)
{
	fake_start((struct fake *)p, "update", call->type, &call->target, call, NULL);
}

static void fake_op_remove(struct provider *p, const struct provider_call *call)
{
	fake_start((struct fake *)p, "delete", call->type, &call->target, call, NULL);
}

static void fake_cancel_later(void *payload)
{
	struct fake *fake = payload;
	struct fake_call *c;

	while ((c = fake->hanging) != NULL) {
		fake->hanging = c->next;
		loop_timer_cancel(c->hold);
		fake_answer(c, (struct provider_result){.outcome = PROVIDER_CANCELLED, .code = "Cancelled"});
	}
}

static void fake_cancel(struct provider *p)
{
	loop_defer(((struct fake *)p)->loop, fake_cancel_later, p);
}

static void fake_stats(struct provider *p, struct provider_stats *out)
{
	*out = (struct provider_stats){.calls = ((struct fake *)p)->calls};
}

static const struct provider_ops fake_ops = {
    .schemas = fake_schemas,
    .account_add = fake_account_add,
    .read = fake_read,
    .find = fake_op_find,
    .create = fake_op_create,
    .update = fake_op_update,
    .remove = fake_op_remove,
    .cancel = fake_cancel,
    .stats = fake_stats,
};

static void fake_type(struct fake *fake, const char *text)
{
	struct diag d = DIAG_INIT;
	json_auto_t *document = json_loads(text, 0, NULL);

	assert_non_null(document);
	if (schema_set_add(fake->schemas, "test", document, &d) < 0)
		fail_msg("%s", diag_first_error(&d));
}

#define FAKE_PROPERTIES                                                                                                \
	"\"Properties\": {\"Name\": {\"Type\": \"String\", \"CreateOnly\": true}, \"Size\": {\"Type\": \"Integer\"},"  \
	" \"Kind\": {\"Type\": \"String\", \"CreateOnly\": true, \"WriteOnly\": true},"                                \
	" \"Secret\": {\"Type\": \"String\", \"Sensitive\": true, \"WriteOnly\": true}},"                              \
	" \"Attributes\": {\"Id\": {}, \"Arn\": {}}"

static void fake_open(struct fake *fake, struct loop *loop, struct state *state, struct fake_world *world)
{
	struct diag d = DIAG_INIT;

	*fake = (struct fake){.provider = {&fake_ops}, .loop = loop, .state = state, .world = world};
	assert_int_equal(schema_set_new(&fake->schemas, &d), 0);
	fake_type(fake, "{\"Type\": \"T::Thing\", \"Service\": \"t\", " FAKE_PROPERTIES ", \"Ref\": \"Name\","
			" \"Name\": {\"Property\": \"Name\", \"Allowed\": \"A-Za-z0-9-\", \"Max\": 64},"
			" \"Identity\": \"${Name}\", \"Handlers\": {}}");
	fake_type(fake, "{\"Type\": \"T::Assigned\", \"Service\": \"t\", " FAKE_PROPERTIES ", \"Ref\": \"Id\","
			" \"Handlers\": {}}");
	fake_type(fake, "{\"Type\": \"T::One\", \"Service\": \"t\", " FAKE_PROPERTIES ", \"Ref\": \"Id\","
			" \"Singleton\": true, \"Handlers\": {}}");
	fake_type(fake, "{\"Type\": \"T::Serial\", \"Service\": \"t\", " FAKE_PROPERTIES ", \"Ref\": \"Name\","
			" \"Identity\": \"${Name}\", \"Serialize\": \"bus\", \"Handlers\": {}}");
	fake_type(fake, "{\"Type\": \"T::Slow\", \"Service\": \"t\", " FAKE_PROPERTIES ", \"Ref\": \"Name\","
			" \"Identity\": \"${Name}\", \"SettleSeconds\": 1, \"Handlers\": {}}");
}

static void fake_close(struct fake *fake)
{
	schema_set_free(fake->schemas);
	for (size_t i = 0; i < fake->log_count; i++)
		free(fake->log[i]);
	map_free(&fake->keys, NULL);
}

static inline size_t fake_at(const struct fake *fake, const char *what)
{
	for (size_t i = 0; i < fake->log_count; i++)
		if (strcmp(fake->log[i], what) == 0)
			return i;
	return SIZE_MAX;
}

/* -- Plans --------------------------------------------------------------------------------------------------------- */

#define LINEAGE "01LINEAGE"

static struct plan *fleet_plan(void)
{
	struct plan *plan = plan_new();

	plan->lineage = mem_strdup(LINEAGE);
	plan->home_region = mem_strdup("eu-west-1");
	plan->refreshed = true;
	return plan;
}

static struct plan_change *plan_add(struct plan *plan, struct fake *fake, enum plan_action action, const char *type,
				    const char *address)
{
	struct plan_change *change = plan_change_add(plan);
	size_t i;

	assert_int_equal(plan_change_address(plan, change, address), 0);
	change->account_id = "111111111111";
	change->type = schema_set_find(fake->schemas, type);
	change->type_name = change->type->name;
	change->action = action;
	change->create_first = action == PLAN_REPLACE;
	for (i = 0; i < plan->account_count; i++)
		if (strcmp(plan->accounts[i].name, change->account) == 0)
			break;
	if (i == plan->account_count) {
		json_auto_t *access = json_pack("{s:n}", "Role"), *regions = json_pack("[s]", change->region);

		plan_account_add(plan, change->account, "111111111111", access, regions);
	}
	return change;
}

static inline void plan_depends(struct plan *plan, struct plan_change *change, const char *on)
{
	const char **list = plan_keep_array(plan, change->depend_count + 1, sizeof *list);

	for (size_t i = 0; i < change->depend_count; i++)
		list[i] = change->depends[i];
	list[change->depend_count++] = plan_keep(plan, on);
	change->depends = list;
}

/* What the state has of a resource becomes what the change starts from. */
static inline void plan_from_record(struct plan_change *change, struct state *state)
{
	struct diag d = DIAG_INIT;
	struct state_txn *txn;
	struct state_record raw;
	struct plan_record record;

	assert_int_equal(state_begin(&txn, state, false, &d), 0);
	assert_int_equal(state_record_get(txn, change->address, &raw, &d), 1);
	json_auto_t *body = json_loadb(raw.text, raw.text_len, 0, NULL);
	assert_int_equal(plan_record_parse(&record, body), 0);
	change->version = raw.version;
	change->recorded = json_incref(record.properties);
	change->before = json_incref(record.properties);
	change->attributes = json_incref(record.attributes);
	change->incarnation = record.incarnation;
	change->deletion = record.deletion;
	change->protect = record.protect;
	change->adopted = record.adopted;
	state_abort(txn);
}

static struct plan_change *plan_create(struct plan *plan, struct fake *fake, const char *address, const char *name)
{
	struct plan_change *change = plan_add(plan, fake, PLAN_CREATE, "T::Thing", address);

	change->after = json_pack("{s:s, s:i}", "Name", name, "Size", 1);
	return change;
}

/* -- A state and all that a run needs ------------------------------------------------------------------------------ */

struct bench {
	char directory[64];
	struct diag d;
	struct loop *loop;
	struct state *state;
	struct fake_world *world;
	struct fake fake;
	struct apply_options options;
	struct apply_report *report;
};

static void bench_open(struct bench *b)
{
	assert_int_equal(loop_new(&b->loop, &b->d), 0);
	if (state_open(&b->state, b->directory, STATE_WRITE, &b->d) < 0)
		fail_msg("%s", diag_first_error(&b->d));
	fake_open(&b->fake, b->loop, b->state, b->world);
}

static void bench_close(struct bench *b)
{
	apply_report_free(b->report);
	b->report = NULL;
	fake_close(&b->fake);
	loop_free(b->loop);
	state_close(b->state);
	b->state = NULL;
}

static inline void bench_start(struct bench *b)
{
	*b = (struct bench){0};
	snprintf(b->directory, sizeof b->directory, "/tmp/muster-apply-XXXXXX");
	assert_non_null(mkdtemp(b->directory));
	b->world = fake_world_new();
	bench_open(b);
}

static inline void bench_end(struct bench *b)
{
	mem_auto_str char *command = mem_printf("rm -rf %s", b->directory);

	bench_close(b);
	fake_world_free(b->world);
	diag_free(&b->d);
	assert_int_equal(system(command), 0);
}

static inline int bench_run(struct bench *b, const struct plan *plan)
{
	int rc;

	apply_report_free(b->report);
	b->report = NULL;
	rc = apply_run(&b->report, b->loop, &b->fake.provider, b->state, plan, &b->options, &b->d);
	return rc;
}

/* Runs a plan that must be possible, and frees it. */
static inline void bench_apply(struct bench *b, struct plan *plan)
{
	if (bench_run(b, plan) < 0)
		fail_msg("%s", diag_first_error(&b->d));
	plan_free(plan);
}

/* A record's body (NULL: none) and digest. */
static inline json_t *bench_record(struct bench *b, const char *address)
{
	struct state_txn *txn;
	struct state_record raw;
	json_t *body = NULL;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	if (state_record_get(txn, address, &raw, &b->d) == 1)
		body = json_loadb(raw.text, raw.text_len, 0, NULL);
	state_abort(txn);
	return body;
}

static int bench_count_intent(void *payload, const char *address, const json_t *body)
{
	(void)address;
	(void)body;
	++*(size_t *)payload;
	return 0;
}

static inline size_t bench_intents(struct bench *b)
{
	struct state_txn *txn;
	size_t count = 0;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(state_intent_each(txn, bench_count_intent, &count, &b->d), 0);
	state_abort(txn);
	return count;
}

/* New reference. */
static inline json_t *bench_intent(struct bench *b, const char *address)
{
	struct state_txn *txn;
	json_t *body = NULL;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(state_intent_get(txn, address, &body, &b->d), 1);
	state_abort(txn);
	return body;
}

static inline size_t bench_commits(struct bench *b)
{
	MDB_envinfo info;

	assert_int_equal(mdb_env_info(b->state->env, &info), 0);
	return info.me_last_txnid;
}

static inline json_t *bench_generation(struct bench *b, uint64_t number)
{
	struct state_txn *txn;
	json_t *generation = NULL;

	assert_int_equal(state_begin(&txn, b->state, false, &b->d), 0);
	assert_int_equal(state_generation_get(txn, number, &generation, &b->d), 1);
	state_abort(txn);
	return generation;
}

static inline size_t world_live(const struct fake_world *world)
{
	size_t live = 0;

	for (size_t i = 0; i < world->count; i++)
		live += world->things[i].exists;
	return live;
}

static inline const struct fake_thing *world_named(const struct fake_world *world, const char *name)
{
	for (size_t i = 0; i < world->count; i++)
		if (world->things[i].exists && strcmp(world->things[i].name, name) == 0)
			return &world->things[i];
	return NULL;
}

#endif
