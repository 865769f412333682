/* Which node is next. Nodes become ready when all that they wait for is settled, queue up in their target, and targets
 * take turns, so that one with much to do or slow answers does not hold up the others. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "base/mem.h"

/* A target gets at most this share of what may run at once (but at least TARGET_MIN). */
#define TARGET_SHARE 4
#define TARGET_MIN   8

/* At most so many nodes does a target start in a row, where there are more targets than places. Records lie in the
 * state in order of address, so those of one target share pages: started together they are written together, in a third
 * of the bytes that one of each target would take. Where every target can have a place it gets it first: chains that
 * start late end late. */
#define TARGET_BURST 8

/* -- Queues -------------------------------------------------------------------------------------------------------- */

static void queue_push(struct apply_run *run, size_t *head, size_t *tail, size_t node)
{
	run->nodes[node].next = APPLY_NONE;
	if (*head == APPLY_NONE)
		*head = node;
	else
		run->nodes[*tail].next = node;
	*tail = node;
}

static size_t queue_pop(struct apply_run *run, size_t *head)
{
	size_t node = *head;

	if (node != APPLY_NONE)
		*head = run->nodes[node].next;
	return node;
}

static struct apply_target *target_of(struct apply_run *run, size_t node)
{
	return run->changes[run->graph->nodes[node].change].target;
}

/* Puts a target at the end of the ring, if it has something to start and may. */
static void ring_add(struct apply_run *run, struct apply_target *target)
{
	if (target->queued || target->head == APPLY_NONE || target->running >= run->a_target)
		return;
	target->queued = true;
	target->next = NULL;
	if (run->ring_head == NULL)
		run->ring_head = target;
	else
		run->ring_tail->next = target;
	run->ring_tail = target;
}

static void node_enqueue(struct apply_run *run, size_t node)
{
	struct apply_target *target = target_of(run, node);
	const struct plan_node *what = &run->graph->nodes[node];

	run->nodes[node].state = NODE_READY;
	if (run->changes[what->change].half && what->kind == PLAN_NODE_CHANGE) {
		queue_push(run, &run->urgent_head, &run->urgent_tail, node);
		return;
	}
	queue_push(run, &target->head, &target->tail, node);
	ring_add(run, target);
}

/* -- Serialize keys ------------------------------------------------------------------------------------------------ */

static struct apply_lock *lock_of(struct apply_run *run, size_t node)
{
	const char *key = run->graph->nodes[node].serialize;
	struct apply_lock *lock = key != NULL ? map_get(&run->locks, key) : NULL;

	if (key != NULL && lock == NULL) {
		lock = mem_alloc(sizeof *lock);
		lock->head = lock->tail = APPLY_NONE;
		map_set(&run->locks, key, lock);
	}
	return lock;
}

/* False: the node now waits for its key. */
static bool lock_take(struct apply_run *run, size_t node)
{
	struct apply_lock *lock = lock_of(run, node);

	if (lock == NULL)
		return true;
	if (lock->held) {
		queue_push(run, &lock->head, &lock->tail, node);
		return false;
	}
	return lock->held = true;
}

static void lock_give(struct apply_run *run, size_t node)
{
	struct apply_lock *lock = lock_of(run, node);
	size_t waiting;

	if (lock == NULL)
		return;
	lock->held = false;
	waiting = queue_pop(run, &lock->head);
	if (waiting != APPLY_NONE)
		node_enqueue(run, waiting);
}

/* -- Starting ------------------------------------------------------------------------------------------------------ */

/* Not even what is half done goes on. */
static bool halted(const struct apply_run *run)
{
	return run->lost || run->interrupts >= APPLY_STOP_AT_ONCE;
}

bool apply_schedule_idle(const struct apply_run *run)
{
	return (halted(run) || run->urgent_head == APPLY_NONE) && (run->stopping || run->ring_head == NULL);
}

static size_t node_enter(struct apply_run *run, size_t node)
{
	run->nodes[node].state = NODE_RUNNING;
	run->running++;
	target_of(run, node)->running++;
	return node;
}

static size_t urgent_next(struct apply_run *run)
{
	while (run->urgent_head != APPLY_NONE && !halted(run)) {
		size_t node = queue_pop(run, &run->urgent_head);

		if (lock_take(run, node))
			return node_enter(run, node);
	}
	return APPLY_NONE;
}

/* The first target of the ring has taken one of its nodes: it keeps its place for the rest of its burst, if it has
 * more. */
static void ring_turn(struct apply_run *run)
{
	struct apply_target *target = run->ring_head;

	if (++run->burst < run->burst_max && target->head != APPLY_NONE && target->running < run->a_target)
		return;
	run->burst = 0;
	run->ring_head = target->next;
	target->queued = false;
	ring_add(run, target);
}

static size_t ring_next(struct apply_run *run)
{
	while (run->ring_head != NULL && !run->stopping) {
		struct apply_target *target = run->ring_head;
		size_t node = queue_pop(run, &target->head);
		bool taken = node != APPLY_NONE && lock_take(run, node);

		if (taken)
			node_enter(run, node);
		ring_turn(run);
		if (taken)
			return node;
	}
	return APPLY_NONE;
}

size_t apply_schedule_next(struct apply_run *run)
{
	size_t node;

	if (run->running >= run->parallelism)
		return APPLY_NONE;
	node = urgent_next(run);
	return node != APPLY_NONE ? node : ring_next(run);
}

static void node_leave(struct apply_run *run, size_t node)
{
	struct apply_target *target = target_of(run, node);

	run->running--;
	target->running--;
	lock_give(run, node);
	ring_add(run, target);
}

void apply_schedule_drop(struct apply_run *run, size_t node)
{
	node_leave(run, node);
	run->nodes[node].state = NODE_WAITING;
}

/* -- Settling ------------------------------------------------------------------------------------------------------ */

/* One thing less to wait for; `because` says for which failure the follower has to be skipped. */
static size_t follower_release(struct apply_run *run, size_t depth, size_t node, size_t because)
{
	struct apply_node *follower = &run->nodes[node];

	if (because != APPLY_NONE && follower->because == APPLY_NONE)
		follower->because = because;
	if (--follower->waits == 0)
		run->barrier_stack[depth++] = node;
	return depth;
}

/* Nothing stands before this node any more: it is ready, or it is over because there is nothing to do or because of a
 * failure. Returns whether it is over. */
static bool node_free(struct apply_run *run, size_t node)
{
	const struct plan_node *what = &run->graph->nodes[node];
	struct apply_node *at = &run->nodes[node];

	if (what->kind != PLAN_NODE_BARRIER && at->because == APPLY_NONE) {
		node_enqueue(run, node);
		return false;
	}
	at->state = NODE_SETTLED;
	if (what->kind != PLAN_NODE_BARRIER)
		apply_report_skipped(run, what->change, at->because);
	return true;
}

/* With a stack instead of recursion: a chain of skips may be as long as the plan. */
static void settle_stack(struct apply_run *run, size_t depth)
{
	while (depth > 0) {
		size_t node = run->barrier_stack[--depth];
		const struct plan_node *what = &run->graph->nodes[node];

		if (run->nodes[node].state != NODE_SETTLED && !node_free(run, node))
			continue;
		for (size_t i = 0; i < what->follower_count; i++)
			depth = follower_release(run, depth, what->followers[i], run->nodes[node].because);
		for (size_t i = 0; i < what->ordered_count; i++)
			depth = follower_release(run, depth, what->ordered[i], APPLY_NONE);
	}
}

void apply_schedule_settle(struct apply_run *run, size_t node, bool done)
{
	const struct plan_node *what = &run->graph->nodes[node];

	node_leave(run, node);
	run->changes[what->change].half =
	    done && what->kind == PLAN_NODE_DELETE && run->changes[what->change].decided != DECIDED_IN_PLACE;
	run->nodes[node].state = NODE_SETTLED;
	run->nodes[node].because = done ? APPLY_NONE : what->change;
	run->barrier_stack[0] = node;
	settle_stack(run, 1);
}

/* -- Setting up ---------------------------------------------------------------------------------------------------- */

struct account_entries {
	struct map by_name, by_id; /* -> struct plan_account */
};

static struct provider_account *account_open(struct apply_run *run, const struct plan_account *entry)
{
	struct provider_account *handle = map_get(&run->accounts, entry->name);

	if (handle != NULL)
		return handle;
	if (run->provider->ops->account_add(run->provider, entry->name, entry->id, entry->access, &handle, run->d) < 0)
		return NULL;
	map_set(&run->accounts, entry->name, handle);
	return handle;
}

/* By its id: addresses keep the name that the account had when they were made, and the roster may have another now. */
static const struct plan_account *entry_of(const struct account_entries *entries, const struct plan_change *change)
{
	const struct plan_account *entry = map_get(&entries->by_name, change->account);

	if (entry != NULL && strcmp(entry->id, change->account_id) == 0)
		return entry;
	return map_get(&entries->by_id, change->account_id);
}

static struct apply_target *target_open(struct apply_run *run, const struct account_entries *entries,
					const struct plan_change *change)
{
	const struct plan_account *entry = entry_of(entries, change);
	struct apply_target *target;
	struct provider_account *handle;

	if (entry == NULL) {
		diag_error(run->d, "the plan does not say how to enter account %s (%s), which %s is in",
			   change->account, change->account_id, change->address);
		return NULL;
	}
	mem_auto_str char *name = mem_printf("%s/%s", entry->name, change->region);
	target = map_get(&run->targets, name);
	if (target != NULL)
		return target;
	handle = account_open(run, entry);
	if (handle == NULL)
		return NULL;
	target = mem_alloc(sizeof *target);
	*target = (struct apply_target){.account = entry->name,
					.region = change->region,
					.handle = handle,
					.entry = entry,
					.head = APPLY_NONE,
					.tail = APPLY_NONE};
	map_set(&run->targets, name, target);
	return target;
}

static int targets_open(struct apply_run *run)
{
	const struct plan *plan = run->plan;
	struct account_entries entries = {MAP_INIT, MAP_INIT};
	int rc = 0;

	for (size_t i = 0; i < plan->account_count; i++) {
		map_set(&entries.by_name, plan->accounts[i].name, &plan->accounts[i]);
		map_set(&entries.by_id, plan->accounts[i].id, &plan->accounts[i]);
	}
	for (size_t i = 0; i < plan->change_count; i++) {
		run->changes[i].target = target_open(run, &entries, &plan->changes[i]);
		if (run->changes[i].target == NULL)
			rc = -1;
	}
	map_free(&entries.by_name, NULL);
	map_free(&entries.by_id, NULL);
	return rc;
}

int apply_schedule_open(struct apply_run *run)
{
	size_t count;

	run->changes = mem_array(run->plan->change_count + 1, sizeof run->changes[0]);
	if (targets_open(run) < 0 || plan_graph_new(&run->graph, run->plan, run->d) < 0)
		return -1;
	run->a_target = run->parallelism / TARGET_SHARE;
	if (run->a_target < TARGET_MIN)
		run->a_target = run->parallelism < TARGET_MIN ? run->parallelism : TARGET_MIN;
	run->burst_max = 1 + run->targets.live / run->parallelism;
	if (run->burst_max > TARGET_BURST)
		run->burst_max = TARGET_BURST;
	count = run->graph->count;
	run->nodes = mem_array(count + 1, sizeof run->nodes[0]);
	run->barrier_stack = mem_array(count + 1, sizeof run->barrier_stack[0]);
	for (size_t i = 0; i < count; i++) {
		run->nodes[i] = (struct apply_node){.waits = run->graph->nodes[i].waits, .because = APPLY_NONE};
		if (run->graph->nodes[i].change != SIZE_MAX)
			run->changes[run->graph->nodes[i].change].nodes_left++;
	}
	for (size_t i = 0; i < count; i++) {
		if (run->graph->nodes[i].waits > 0)
			continue;
		run->barrier_stack[0] = i;
		settle_stack(run, 1);
	}
	return 0;
}

static void target_free(void *value)
{
	struct apply_target *target = value;

	if (target->dead != NULL)
		apply_outcome_free(target->dead);
	free(target->dead);
	free(target);
}

void apply_schedule_close(struct apply_run *run)
{
	plan_graph_free(run->graph);
	free(run->nodes);
	free(run->changes);
	free(run->barrier_stack);
	map_free(&run->targets, target_free);
	map_free(&run->accounts, NULL);
	map_free(&run->locks, free);
	map_free(&run->intents, NULL);
}
