/* plan: the change graph, and the bodies of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "plan/store.h"

/* -- Plans to try -------------------------------------------------------------------------------------------------- */

static const char *const after_recorder[] = {"T::Recorder"}, *const after_channel[] = {"T::Channel"};

static const struct schema_type plain = {.name = "T::Plain", .scope = SCHEMA_REGIONAL};
static const struct schema_type named = {.name = "T::Named", .scope = SCHEMA_REGIONAL, .identity = "${Name}"};
static const struct schema_type one = {.name = "T::One", .scope = SCHEMA_REGIONAL, .singleton = true};
static const struct schema_type rule = {.name = "T::Rule", .scope = SCHEMA_REGIONAL, .serialize = "bus ${Bus}"};
static const struct schema_type global = {.name = "T::Global", .scope = SCHEMA_GLOBAL, .serialize = "${Bucket}"};
static const struct schema_type recorder = {.name = "T::Recorder", .scope = SCHEMA_REGIONAL};
static const struct schema_type channel = {
    .name = "T::Channel", .scope = SCHEMA_REGIONAL, .after = (const char **)after_recorder, .after_count = 1};
static const struct schema_type checks = {
    .name = "T::Checks", .scope = SCHEMA_REGIONAL, .after = (const char **)after_channel, .after_count = 1};

static size_t add(struct plan *plan, enum plan_action action, const struct schema_type *type, const char *address)
{
	struct plan_change *change = plan_change_add(plan);

	assert_int_equal(plan_change_address(plan, change, address), 0);
	change->account_id = "111111111111";
	change->type = type;
	change->type_name = type->name;
	change->action = action;
	change->create_first = action == PLAN_REPLACE;
	if (action != PLAN_DELETE)
		change->after = json_object();
	if (action != PLAN_CREATE)
		change->recorded = json_object();
	return plan->change_count - 1;
}

static size_t create(struct plan *plan, const char *address)
{
	return add(plan, PLAN_CREATE, &plain, address);
}

static void list_add(struct plan *plan, const char ***list, size_t *count, const char *address)
{
	const char **longer = plan_keep_array(plan, *count + 1, sizeof *longer);

	for (size_t i = 0; i < *count; i++)
		longer[i] = (*list)[i];
	longer[(*count)++] = plan_keep(plan, address);
	*list = longer;
}

static void depends(struct plan *plan, size_t change, const char *on)
{
	list_add(plan, &plan->changes[change].depends, &plan->changes[change].depend_count, on);
}

static void used(struct plan *plan, size_t change, const char *before)
{
	list_add(plan, &plan->changes[change].former, &plan->changes[change].former_count, before);
}

static void set(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, json_string(value));
}

static struct plan_graph *graph_of(const struct plan *plan)
{
	struct plan_graph *graph = NULL;
	struct diag d = DIAG_INIT;

	if (plan_graph_new(&graph, plan, &d) < 0)
		fail_msg("%s", diag_first_error(&d));
	assert_int_equal(d.count, 0);
	return graph;
}

/* The node that deletes the old one of a replacement. */
static size_t old(const struct plan_graph *graph, size_t change)
{
	for (size_t i = 0; i < graph->count; i++)
		if (graph->nodes[i].change == change && graph->nodes[i].kind != PLAN_NODE_CHANGE)
			return i;
	return SIZE_MAX;
}

/* Whether `to` waits for `from`, at any distance; with `skips` only along edges of failure. */
static bool comes(const struct plan_graph *graph, size_t from, size_t to, bool skips)
{
	const struct plan_node *node = &graph->nodes[from];

	for (size_t i = 0; i < node->follower_count; i++)
		if (node->followers[i] == to || comes(graph, node->followers[i], to, skips))
			return true;
	for (size_t i = 0; !skips && i < node->ordered_count; i++)
		if (node->ordered[i] == to || comes(graph, node->ordered[i], to, skips))
			return true;
	return false;
}

#define assert_before(graph, a, b)                                                                                     \
	do {                                                                                                           \
		assert_true(comes(graph, a, b, false));                                                                \
		assert_false(comes(graph, b, a, false));                                                               \
	} while (0)
#define assert_apart(graph, a, b)                                                                                      \
	do {                                                                                                           \
		assert_false(comes(graph, a, b, false));                                                               \
		assert_false(comes(graph, b, a, false));                                                               \
	} while (0)

/* -- Order --------------------------------------------------------------------------------------------------------- */

static void what_is_made_comes_after_what_it_depends_on(void **state)
{
	struct plan *plan = plan_new();
	size_t bucket = create(plan, "sec/r1/logs/Bucket"), policy = create(plan, "sec/r1/logs/Policy");
	size_t trail = create(plan, "app/r1/rec/Trail"), other = create(plan, "app/r1/rec/Other");
	struct plan_graph *graph;

	(void)state;
	depends(plan, policy, "sec/r1/logs/Bucket");
	depends(plan, policy, "sec/r1/logs/NotInThePlan");
	depends(plan, trail, "sec/r1/logs");
	depends(plan, other, "net/r1/nothing");
	graph = graph_of(plan);
	assert_before(graph, bucket, policy);
	assert_before(graph, bucket, trail);
	assert_before(graph, policy, trail);
	assert_true(comes(graph, bucket, trail, true));
	assert_apart(graph, other, trail);
	plan_graph_free(graph);
	plan_free(plan);
}

static void deletes_go_against_the_dependencies(void **state)
{
	struct plan *plan = plan_new();
	size_t bucket = add(plan, PLAN_DELETE, &plain, "sec/r1/logs/Bucket");
	size_t policy = add(plan, PLAN_DELETE, &plain, "sec/r1/logs/Policy");
	size_t trail = add(plan, PLAN_DELETE, &plain, "app/r1/rec/Trail");
	size_t update = add(plan, PLAN_UPDATE, &plain, "app/r2/rec/Trail");
	struct plan_graph *graph;

	(void)state;
	depends(plan, policy, "sec/r1/logs/Bucket");
	depends(plan, trail, "sec/r1/logs");
	used(plan, update, "sec/r1/logs/Bucket");
	graph = graph_of(plan);
	assert_before(graph, policy, bucket);
	assert_before(graph, trail, bucket);
	assert_before(graph, trail, policy);
	assert_before(graph, update, bucket);
	assert_true(comes(graph, update, bucket, true));
	assert_apart(graph, update, policy);
	plan_graph_free(graph);
	plan_free(plan);
}

static void create_first_cleans_up_after_the_last_user(void **state)
{
	struct plan *plan = plan_new();
	size_t key = add(plan, PLAN_REPLACE, &plain, "sec/r1/logs/Key");
	size_t direct = add(plan, PLAN_UPDATE, &plain, "sec/r1/logs/Bucket");
	size_t whole = add(plan, PLAN_UPDATE, &plain, "app/r1/rec/Trail");
	struct plan_graph *graph;

	(void)state;
	depends(plan, direct, "sec/r1/logs/Key");
	depends(plan, whole, "sec/r1/logs");
	graph = graph_of(plan);
	assert_int_equal(graph->nodes[old(graph, key)].kind, PLAN_NODE_CLEANUP);
	assert_before(graph, key, direct);
	assert_before(graph, key, whole);
	assert_before(graph, direct, old(graph, key));
	assert_before(graph, whole, old(graph, key));
	plan_graph_free(graph);
	plan_free(plan);
}

static void delete_first_goes_down_and_comes_up_again(void **state)
{
	struct plan *plan = plan_new();
	size_t a = add(plan, PLAN_REPLACE, &plain, "sec/r1/s/A"), b = add(plan, PLAN_REPLACE, &plain, "sec/r1/s/B");
	size_t fresh = create(plan, "sec/r1/s/Fresh");
	struct plan_graph *graph;

	(void)state;
	plan->changes[a].create_first = plan->changes[b].create_first = false;
	depends(plan, a, "sec/r1/s/B");
	depends(plan, a, "sec/r1/s/Fresh");
	graph = graph_of(plan);
	assert_int_equal(graph->nodes[old(graph, a)].kind, PLAN_NODE_DELETE);
	assert_before(graph, old(graph, a), old(graph, b));
	assert_before(graph, old(graph, b), b);
	assert_before(graph, b, a);
	/* nothing goes before what its successor needs is there */
	assert_before(graph, fresh, old(graph, a));
	plan_graph_free(graph);
	plan_free(plan);
}

static void an_undecided_replacement_waits_for_its_value(void **state)
{
	struct plan *plan = plan_new();
	size_t a = add(plan, PLAN_REPLACE, &plain, "sec/r1/s/A"), b = add(plan, PLAN_REPLACE, &plain, "sec/r1/s/B");
	struct plan_graph *graph;

	(void)state;
	plan->changes[a].create_first = plan->changes[b].create_first = false;
	plan->changes[a].diff.may_replace = true;
	depends(plan, a, "sec/r1/s/B");
	graph = graph_of(plan);
	assert_before(graph, b, old(graph, a));
	assert_before(graph, old(graph, a), a);
	plan_graph_free(graph);
	plan_free(plan);
}

static void what_is_retained_is_not_deleted(void **state)
{
	struct plan *plan = plan_new();
	size_t a = add(plan, PLAN_REPLACE, &plain, "sec/r1/s/A");
	struct plan_graph *graph;

	(void)state;
	plan->changes[a].retain_old = true;
	graph = graph_of(plan);
	assert_int_equal(graph->count, 1);
	plan_graph_free(graph);
	plan_free(plan);
}

static void types_have_an_order_within_a_target(void **state)
{
	struct plan *plan = plan_new();
	size_t check = add(plan, PLAN_CREATE, &checks, "app/r1/s/Checks");
	size_t record = add(plan, PLAN_CREATE, &recorder, "app/r1/t/Recorder");
	size_t between = add(plan, PLAN_CREATE, &channel, "app/r1/u/Channel");
	size_t elsewhere = add(plan, PLAN_CREATE, &channel, "app/r2/s/Channel");
	size_t channel_gone = add(plan, PLAN_DELETE, &channel, "app/r4/s/Channel");
	size_t other_record_gone = add(plan, PLAN_DELETE, &recorder, "app/r4/t/Recorder");
	size_t check_gone = add(plan, PLAN_DELETE, &checks, "app/r3/s/Checks");
	size_t record_gone = add(plan, PLAN_DELETE, &recorder, "app/r3/t/Recorder");
	struct plan_graph *graph;

	(void)state;
	graph = graph_of(plan);
	/* through the type between them where it has something to do, not where it has nothing */
	assert_before(graph, record, between);
	assert_before(graph, between, check);
	assert_false(comes(graph, record, check, true));
	assert_apart(graph, check_gone, record_gone);
	assert_before(graph, channel_gone, other_record_gone);
	assert_apart(graph, record, elsewhere);
	assert_apart(graph, check, check_gone);
	plan_graph_free(graph);
	plan_free(plan);
}

static void a_name_is_taken_only_when_it_is_free(void **state)
{
	struct plan *plan = plan_new();
	size_t gone = add(plan, PLAN_DELETE, &named, "app/r1/s/Old"),
	       made = add(plan, PLAN_CREATE, &named, "app/r1/s/New");
	size_t other = add(plan, PLAN_CREATE, &named, "app/r2/s/New");
	size_t one_gone = add(plan, PLAN_DELETE, &one, "app/r1/s/One"),
	       one_made = add(plan, PLAN_CREATE, &one, "app/r1/s/Uno");
	struct plan_graph *graph;

	(void)state;
	set(plan->changes[gone].recorded, "Name", "baseline");
	set(plan->changes[made].after, "Name", "baseline");
	set(plan->changes[other].after, "Name", "baseline");
	graph = graph_of(plan);
	assert_before(graph, gone, made);
	assert_true(graph->nodes[made].takes_over);
	assert_apart(graph, gone, other);
	assert_false(graph->nodes[other].takes_over);
	assert_before(graph, one_gone, one_made);
	plan_graph_free(graph);
	plan_free(plan);
}

static void names_can_be_swapped_delete_first(void **state)
{
	struct plan *plan = plan_new();
	size_t a = add(plan, PLAN_REPLACE, &named, "app/r1/s/A"), b = add(plan, PLAN_REPLACE, &named, "app/r1/s/B");
	struct plan_graph *graph;

	(void)state;
	plan->changes[a].create_first = plan->changes[b].create_first = false;
	set(plan->changes[a].recorded, "Name", "one");
	set(plan->changes[a].after, "Name", "two");
	set(plan->changes[b].recorded, "Name", "two");
	set(plan->changes[b].after, "Name", "one");
	graph = graph_of(plan);
	assert_before(graph, old(graph, b), a);
	assert_before(graph, old(graph, a), b);
	plan_graph_free(graph);
	plan_free(plan);
}

static void what_was_left_behind_goes_after_the_change_of_its_address(void **state)
{
	struct plan *plan = plan_new();
	size_t update = add(plan, PLAN_UPDATE, &plain, "app/r1/s/A"),
	       left = add(plan, PLAN_DELETE, &plain, "app/r1/s/A");
	size_t gone = add(plan, PLAN_DELETE, &plain, "app/r1/s/B"),
	       left_too = add(plan, PLAN_DELETE, &plain, "app/r1/s/B");
	struct plan_graph *graph;

	(void)state;
	size_t more = add(plan, PLAN_DELETE, &plain, "app/r1/s/A");

	plan->changes[left].deposed = plan->changes[left_too].deposed = plan->changes[more].deposed = true;
	graph = graph_of(plan);
	assert_before(graph, update, left);
	assert_before(graph, left, more);
	assert_before(graph, left_too, gone);
	plan_graph_free(graph);
	plan_free(plan);
}

/* As a run leaves it that was cut off after the new bus was made: its rule has yet to move, and is replaced for that.
 */
static void what_was_left_behind_goes_after_all_that_used_it(void **state)
{
	struct plan *plan = plan_new();
	size_t left_rule = add(plan, PLAN_DELETE, &plain, "app/r1/s/Rule"),
	       left = add(plan, PLAN_DELETE, &plain, "app/r1/s/Bus"),
	       left_too = add(plan, PLAN_DELETE, &plain, "app/r1/s/Bus"),
	       rule_moves = add(plan, PLAN_REPLACE, &plain, "app/r1/s/Rule"),
	       lets_go = add(plan, PLAN_UPDATE, &plain, "app/r1/s/Other");
	struct plan_graph *graph;

	(void)state;
	plan->changes[left].deposed = plan->changes[left_too].deposed = plan->changes[left_rule].deposed = true;
	depends(plan, rule_moves, "app/r1/s/Bus");
	used(plan, rule_moves, "app/r1/s/Bus");
	depends(plan, left_rule, "app/r1/s/Bus");
	used(plan, lets_go, "app/r1/s/Bus");
	graph = graph_of(plan);
	assert_before(graph, rule_moves, left);
	assert_before(graph, old(graph, rule_moves), left);
	assert_before(graph, left_rule, left);
	assert_before(graph, lets_go, left);
	assert_before(graph, left, left_too);
	plan_graph_free(graph);
	plan_free(plan);
}

/* The role goes first, the function that uses it has left an old one: no circle. */
static void what_was_left_behind_does_not_hold_up_what_is_made_anew(void **state)
{
	struct plan *plan = plan_new();
	size_t role = add(plan, PLAN_REPLACE, &one, "app/r1/s/Role"),
	       left_role = add(plan, PLAN_DELETE, &plain, "app/r1/s/Role"),
	       function = add(plan, PLAN_UPDATE, &plain, "app/r1/s/Function"),
	       left = add(plan, PLAN_DELETE, &plain, "app/r1/s/Function");
	struct plan_graph *graph;

	(void)state;
	plan->changes[role].create_first = false;
	plan->changes[left].deposed = plan->changes[left_role].deposed = true;
	depends(plan, function, "app/r1/s/Role");
	used(plan, function, "app/r1/s/Role");
	depends(plan, left, "app/r1/s/Role");
	graph = graph_of(plan);
	assert_before(graph, old(graph, role), role);
	assert_before(graph, role, function);
	assert_before(graph, function, left);
	plan_graph_free(graph);
	plan_free(plan);
}

static void what_still_holds_something_is_not_forgotten(void **state)
{
	struct plan *plan = plan_new();
	size_t left = add(plan, PLAN_DELETE, &named, "app/r1/log/A"),
	       forgotten = add(plan, PLAN_FORGET, &named, "app/r1/log/A");
	struct plan_graph *graph;

	(void)state;
	plan->changes[left].deposed = true;
	graph = graph_of(plan);
	assert_true(comes(graph, left, forgotten, true));
	plan_graph_free(graph);
	plan_free(plan);
}

static void serialize_keys_tell_what_collides(void **state)
{
	struct plan *plan = plan_new();
	size_t a = add(plan, PLAN_CREATE, &rule, "app/r1/s/A"), b = add(plan, PLAN_CREATE, &rule, "app/r1/t/B");
	size_t other = add(plan, PLAN_CREATE, &rule, "app/r1/s/C"), far = add(plan, PLAN_CREATE, &rule, "app/r2/s/A");
	size_t here = add(plan, PLAN_CREATE, &global, "app/r1/s/P"),
	       there = add(plan, PLAN_CREATE, &global, "sec/r2/s/P");
	struct plan_graph *graph;

	(void)state;
	set(plan->changes[a].after, "Bus", "default");
	set(plan->changes[b].after, "Bus", "default");
	set(plan->changes[other].after, "Bus", "other");
	set(plan->changes[far].after, "Bus", "default");
	set(plan->changes[here].after, "Bucket", "logs");
	set(plan->changes[there].after, "Bucket", "logs");
	graph = graph_of(plan);
	assert_ptr_equal(graph->nodes[a].serialize, graph->nodes[b].serialize);
	assert_string_not_equal(graph->nodes[a].serialize, graph->nodes[other].serialize);
	assert_string_not_equal(graph->nodes[a].serialize, graph->nodes[far].serialize);
	assert_ptr_equal(graph->nodes[here].serialize, graph->nodes[there].serialize);
	plan_graph_free(graph);
	plan_free(plan);
}

static void cycles_are_told_with_their_path(void **state)
{
	struct plan *plan = plan_new();
	struct plan_graph *graph = NULL;
	struct diag d = DIAG_INIT;
	size_t a = create(plan, "app/r1/s/A"), b = create(plan, "app/r1/s/B");

	(void)state;
	create(plan, "app/r1/s/Innocent");
	depends(plan, a, "app/r1/s/B");
	depends(plan, b, "app/r1/s/A");
	assert_int_equal(plan_graph_new(&graph, plan, &d), -1);
	assert_null(graph);
	assert_true(strstr(diag_first_error(&d), "app/r1/s/A, which waits for app/r1/s/B, which") != NULL ||
		    strstr(diag_first_error(&d), "app/r1/s/B, which waits for app/r1/s/A, which") != NULL);
	assert_null(strstr(diag_first_error(&d), "Innocent"));
	diag_free(&d);
	plan_free(plan);
}

/* -- Size ---------------------------------------------------------------------------------------------------------- */

static void two_hundred_thousand_changes_are_no_trouble(void **state)
{
	struct plan *plan = plan_new();
	struct plan_graph *graph;
	size_t edges = 0;

	(void)state;
	for (size_t target = 0; target < 20000; target++) {
		for (size_t i = 0; i < 10; i++) {
			mem_auto_str char *address = mem_printf("app-%zu/r1/s/R%zu", target, i);
			size_t at = add(plan, PLAN_CREATE, i == 0 ? &recorder : &channel, address);

			if (i > 1) {
				mem_auto_str char *before = mem_printf("app-%zu/r1/s/R%zu", target, i - 1);

				depends(plan, at, before);
			}
			depends(plan, at, "app-0/r1/log");
			set(plan->changes[at].after, "Name", "x");
		}
	}
	graph = graph_of(plan);
	assert_true(graph->count > 200000);
	/* Barriers keep edges in proportion to changes, however many wait for one instance. */
	for (size_t i = 0; i < graph->count; i++)
		edges += graph->nodes[i].follower_count + graph->nodes[i].ordered_count;
	assert_true(edges < 10 * graph->count);
	plan_graph_free(graph);
	plan_free(plan);
}

/* -- Records ------------------------------------------------------------------------------------------------------- */

static void records_go_both_ways(void **state)
{
	json_auto_t *properties = json_pack("{s:s}", "Name", "x"), *attributes = json_pack("{s:s}", "Arn", "arn:x");
	json_auto_t *needs = json_pack("[s]", "a/b/c/D"), *access = json_pack("{s:n}", "Role");
	json_auto_t *deposed = json_pack("[{s:s, s:{}}]", "Type", "T::Old", "Properties");
	struct plan_record record = {.type = "T::Plain",
				     .account_id = "111111111111",
				     .properties = properties,
				     .attributes = attributes,
				     .depends = needs,
				     .access = access,
				     .deposed = deposed,
				     .deletion = SPECS_RETAIN,
				     .protect = true,
				     .incomplete = true,
				     .incarnation = 3};
	json_auto_t *body = plan_record_body(&record);
	struct plan_record back;

	(void)state;
	assert_int_equal(plan_record_parse(&back, body), 0);
	assert_string_equal(back.type, "T::Plain");
	assert_string_equal(back.account_id, "111111111111");
	assert_true(json_equal(back.properties, properties));
	assert_true(json_equal(back.attributes, attributes));
	assert_true(json_equal(back.depends, needs));
	assert_true(json_equal(back.access, access));
	assert_true(json_equal(back.deposed, deposed));
	assert_int_equal(back.deletion, SPECS_RETAIN);
	assert_true(back.protect && back.incomplete && !back.adopted);
	assert_int_equal(back.incarnation, 3);
}

static void a_record_without_a_type_is_none(void **state)
{
	json_auto_t *body = json_pack("{s:{}}", "Properties");
	struct plan_record record;

	(void)state;
	assert_int_equal(plan_record_parse(&record, body), -1);
	assert_int_equal(plan_record_parse(&record, NULL), -1);
}

static void types_give_way_to_the_specs(void **state)
{
	struct plan *plan = plan_new();
	size_t check = add(plan, PLAN_CREATE, &checks, "app/r1/s/Checks");
	size_t between = add(plan, PLAN_CREATE, &channel, "app/r1/s/Channel");
	size_t record = add(plan, PLAN_CREATE, &recorder, "app/r1/s/Recorder");
	size_t other = add(plan, PLAN_CREATE, &checks, "app/r2/s/Checks");
	size_t other_between = add(plan, PLAN_CREATE, &channel, "app/r2/s/Channel");
	struct plan_graph *graph;

	(void)state;
	/* The channel refers to the checks, which come after it by type. */
	depends(plan, between, "app/r1/s/Checks");
	graph = graph_of(plan);
	assert_before(graph, check, between);
	assert_before(graph, record, between);
	assert_before(graph, other_between, other);
	plan_graph_free(graph);
	plan_free(plan);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_made_comes_after_what_it_depends_on),
	    cmocka_unit_test(deletes_go_against_the_dependencies),
	    cmocka_unit_test(create_first_cleans_up_after_the_last_user),
	    cmocka_unit_test(delete_first_goes_down_and_comes_up_again),
	    cmocka_unit_test(an_undecided_replacement_waits_for_its_value),
	    cmocka_unit_test(what_is_retained_is_not_deleted),
	    cmocka_unit_test(types_have_an_order_within_a_target),
	    cmocka_unit_test(types_give_way_to_the_specs),
	    cmocka_unit_test(a_name_is_taken_only_when_it_is_free),
	    cmocka_unit_test(names_can_be_swapped_delete_first),
	    cmocka_unit_test(what_was_left_behind_goes_after_the_change_of_its_address),
	    cmocka_unit_test(what_was_left_behind_goes_after_all_that_used_it),
	    cmocka_unit_test(what_was_left_behind_does_not_hold_up_what_is_made_anew),
	    cmocka_unit_test(what_still_holds_something_is_not_forgotten),
	    cmocka_unit_test(serialize_keys_tell_what_collides),
	    cmocka_unit_test(cycles_are_told_with_their_path),
	    cmocka_unit_test(two_hundred_thousand_changes_are_no_trouble),
	    cmocka_unit_test(records_go_both_ways),
	    cmocka_unit_test(a_record_without_a_type_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
