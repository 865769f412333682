/* Intents: what is written before a call, so that whatever happens to this process, the next run knows what may have
 * come of it. An intent holds all that is needed to look for the thing and to record it:
 *
 *   Action, Phase         as planned; what the call does: create, update, delete, cleanup
 *   Type, Account, AccountId, Region, Token, Incarnation, Generation
 *   Time                  Unix milliseconds: how long the service has had to show it
 *   KeepsOld              the record's resource is to become a deposed one (create-first replacement)
 *   TakesOver             its name was just freed: for a while the service may still show what had it
 *   Record                the record as it would be after the call (or of what is deleted)
 *   Stays                 why recovery could not tell what came of it; only then may it be let go (surgery.c) */
#include <string.h>

#include "apply/run.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* Stays the same when the call is repeated, and differs from every other create of that address. */
void apply_intent_token(struct apply_op *op)
{
	buf_auto struct buf text = BUF_INIT;
	uint8_t hash[32];

	buf_addf(&text, "%s\n%s\n%lld\n%llu", op->run->plan->lineage != NULL ? op->run->plan->lineage : "",
		 op->change->address, (long long)op->incarnation, (unsigned long long)op->run->generation);
	text_sha256(hash, buf_str(&text), text.len);
	text_hex(op->token, hash, (APPLY_TOKEN_BYTES - 1) / 2);
}

static json_t *string_list(const char *const *strings, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(strings[i]));
	return list;
}

/* Lasts as long as the op, its outcome and *hold, which the caller releases. */
void apply_op_record(struct plan_record *out, struct apply_op *op, json_t **hold)
{
	const struct plan_change *change = op->change;
	const struct apply_target *target = apply_op_change(op)->target;
	json_t *depends = string_list((const char *const *)change->depends, change->depend_count);
	json_t *known = apply_merge(op->attributes, op->learned),
	       *attributes = apply_merge(known, op->result.attributes);

	json_decref(known);
	*hold = json_pack("[o, o]", depends, attributes);
	*out = (struct plan_record){
	    .type = op->type->name,
	    .account_id = change->account_id,
	    .properties = op->properties,
	    .attributes = attributes,
	    .depends = depends,
	    .access = target->entry->access,
	    .deletion = change->deletion,
	    .protect = change->protect,
	    .adopted = change->adopted,
	    .incarnation = op->incarnation,
	    /* A new one has a name by its own address; anything else keeps the name that it has. */
	    .origin = op->kind == OP_CREATE && change->action == PLAN_REPLACE ? NULL : change->origin,
	};
}

static const char *phase_of(const struct apply_op *op)
{
	switch (op->kind) {
	case OP_CREATE:
		return "create";
	case OP_UPDATE:
		return "update";
	case OP_ADOPT:
		return "adopt";
	case OP_CLEANUP:
		return "cleanup";
	default:
		return "delete";
	}
}

static json_t *intent_body(struct apply_op *op)
{
	const struct plan_change *change = op->change;
	json_t *hold = NULL, *body;
	struct plan_record record = {0};

	if (op->kind != OP_CLEANUP)
		apply_op_record(&record, op, &hold);
	body =
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "Action", plan_action_name(change->action),
		      "Phase", phase_of(op), "Type", op->type != NULL ? op->type->name : change->type_name, "Account",
		      change->account, "AccountId", change->account_id, "Region", change->region, "Token", op->token,
		      "Incarnation", (json_int_t)op->incarnation, "Generation", (json_int_t)op->run->generation, "Time",
		      (json_int_t)loop_wall_ms());
	if (op->keeps_old)
		json_object_set_new(body, "KeepsOld", json_true());
	if (op->kind == OP_CREATE && op->run->graph->nodes[op->node].takes_over)
		json_object_set_new(body, "TakesOver", json_true());
	if (op->kind != OP_CLEANUP)
		json_object_set_new(body, "Record", plan_record_body(&record));
	json_decref(hold);
	return body;
}

/* Under another name of the account a whole instance moves, its outputs with the first of it. */
static int outputs_move(struct apply_op *op, struct state_txn *txn)
{
	const char *from = op->change->moved_from, *to = op->change->address;
	mem_auto_str char *old = mem_strndup(from, (size_t)(strrchr(from, '/') - from));
	mem_auto_str char *now = mem_strndup(to, (size_t)(strrchr(to, '/') - to));

	return strcmp(old, now) == 0 ? 0 : apply_outputs_move(txn, old, now, op->run->d);
}

/* Asked for whenever something is written, since the transaction that moved it has perhaps not lasted. */
int apply_op_move(struct apply_op *op, struct state_txn *txn)
{
	const struct plan_change *change = op->change;
	struct apply_run *run = op->run;
	struct state_record raw;
	int there;

	if (change->moved_from == NULL)
		return 0;
	there = state_record_get(txn, change->moved_from, &raw, run->d);
	if (there <= 0)
		return there;
	run->dirty = true;
	if (outputs_move(op, txn) < 0)
		return -1;
	return plan_record_move(txn, change->moved_from, change->address, run->generation, NULL, run->d);
}

int apply_intent_put(struct apply_op *op)
{
	struct state_txn *txn = apply_run_txn(op->run);
	json_auto_t *body = intent_body(op);

	if (txn == NULL || apply_op_move(op, txn) < 0 ||
	    state_intent_put(txn, op->change->address, body, op->run->d) < 0)
		return -1;
	op->run->dirty = true;
	return 0;
}
