/* Made plans, for what renders them: a type, a fleet, changes. */
#ifndef MUSTER_TESTS_PLAN_FIXTURE_H
#define MUSTER_TESTS_PLAN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "plan/group.h"
#include "plan/store.h"

static const char type_text[] =
    "{'Type':'X::Y::Trail','Service':'y','Ref':'Name','Handlers':{},'Properties':{"
    "'Name':{'Type':'String','CreateOnly':true},'Size':{'Type':'Integer'},'Code':{'Type':'String'},"
    "'Bucket':{'Type':'String'},'Token':{'Type':'String','Sensitive':true},"
    "'Zones':{'Type':'List','Compare':'Set','Item':{'Type':'String'}},"
    "'Tags':{'Type':'List','Compare':'Set','Key':'Key','Item':{'Type':'Object','Properties':{"
    "'Key':{'Type':'String'},'Value':{'Type':'String'}}}},"
    "'Policy':{'Type':'Json','Compare':'Policy'}}}";

static struct schema_set *schemas;

/* ' stands for ", ` for '. */
static inline json_t *parse(const char *text)
{
	mem_auto_str char *copy = mem_strdup(text);
	json_t *value;

	for (char *s = copy; *s != '\0'; s++)
		*s = *s == '\'' ? '"' : *s;
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	if (value == NULL)
		fail_msg("no JSON: %s", text);
	return value;
}

static inline int setup(void **state)
{
	struct diag d = DIAG_INIT;
	json_t *document = parse(type_text);

	(void)state;
	schema_set_new(&schemas, &d);
	if (schema_set_add(schemas, "t.json", document, &d) != 0)
		fail_msg("%s", diag_first_error(&d));
	json_decref(document);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	schema_set_free(schemas);
	return 0;
}

static inline struct plan *plan_begin(void)
{
	struct plan *plan = plan_new();

	plan->home_region = mem_strdup("r-home-1");
	plan->refreshed = true;
	plan->unchanged = 1234;
	return plan;
}

/* A fleet of `accounts` x `regions` that `stack` reaches. */
static inline void reach(struct plan *plan, const char *stack, int accounts, int regions)
{
	json_t *reached = json_object();
	char name[32];

	for (int a = 0; a < accounts; a++) {
		json_t *list = json_array();

		for (int r = 0; r < regions; r++) {
			snprintf(name, sizeof name, r == 0 ? "r-home-1" : "r-north-%d", r);
			json_array_append_new(list, json_string(name));
		}
		snprintf(name, sizeof name, "app-%d", a);
		json_object_set_new(reached, name, list);
	}
	json_object_set_new(plan->reached, stack, reached);
}

/* Texts may hold %A (account's name), %I (id), %R (region). */
static inline char *fill(const char *text, const char *account, const char *id, const char *region)
{
	buf_auto struct buf out = BUF_INIT;

	for (; *text != '\0'; text++) {
		if (*text != '%') {
			buf_addc(&out, *text);
			continue;
		}
		text++;
		buf_adds(&out, *text == 'A' ? account : *text == 'I' ? id : region);
	}
	return buf_detach(&out);
}

static inline struct plan_change *add(struct plan *plan, int account, int region, const char *id,
				      enum plan_action action, const char *before, const char *after)
{
	struct plan_change *change = plan_change_add(plan);
	char name[32], number[16], place[32];
	mem_auto_str char *address = NULL, *old = NULL, *new = NULL;

	snprintf(name, sizeof name, "app-%d", account);
	snprintf(number, sizeof number, "%012d", 100000 + account);
	snprintf(place, sizeof place, region == 0 ? "r-home-1" : "r-north-%d", region);
	address = mem_printf("%s/%s/%s", name, place, id);
	assert_int_equal(plan_change_address(plan, change, address), 0);
	change->action = action;
	change->account_id = plan_keep(plan, number);
	change->type = schema_set_find(schemas, "X::Y::Trail");
	change->type_name = change->type->name;
	change->deletion = SPECS_DELETION_UNSET;
	if (before != NULL) {
		old = fill(before, name, number, place);
		change->before = parse(old);
	}
	if (after != NULL) {
		new = fill(after, name, number, place);
		change->after = parse(new);
	}
	if (after != NULL)
		plan_diff_make(&change->diff, change->type, change->after, change->before, NULL, true);
	return change;
}

static inline void holds(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("not there: \"%s\" in:\n%s", part, text);
}

static inline void holds_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("there: \"%s\" in:\n%s", part, text);
}

#endif
