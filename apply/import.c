/* Takes a live resource into the state: read by its identifier, compared with nothing. The next plan shows how it
 * differs from what the specs want. */
#include <stdlib.h>
#include <string.h>

#include "apply/import.h"
#include "apply/run.h"
#include "apply/surgery.h"
#include "base/json.h"
#include "base/mem.h"

/* As many replacements of one resource as a name is looked for among. */
#define INCARNATIONS_MAX 1000

struct import {
	const struct plan *plan;
	const struct plan_change *change;
	const char *id;
	struct provider_read_item item;
	struct apply_outcome result;
	struct diag *d;
};

/* -- Reading --------------------------------------------------------------------------------------------------------
 */

static void read_done(void *payload, const struct provider_result *result)
{
	struct import *import = payload;

	apply_outcome_set(&import->result, result);
}

static int read_live(struct import *import, struct loop *loop, struct provider *provider, const struct import_id *id)
{
	const struct plan_change *change = import->change;
	json_auto_t *known = plan_known_members(change->after), *properties = apply_merge(known, id->properties);
	struct provider_target target = {.region = change->region, .access = PROVIDER_READS};
	const struct plan_account *account = NULL;

	for (size_t i = 0; i < import->plan->account_count; i++)
		if (strcmp(import->plan->accounts[i].id, change->account_id) == 0)
			account = &import->plan->accounts[i];
	if (account == NULL)
		return diag_error(import->d, "nothing is known of how to enter account %s", change->account_id);
	if (provider->ops->account_add(provider, account->name, account->id, account->access, &target.account,
				       import->d) < 0)
		return -1;
	import->item = (struct provider_read_item){
	    .address = change->address,
	    .properties = properties,
	    .attributes = id->attributes,
	    .done = read_done,
	    .payload = import,
	};
	provider->ops->read(provider, change->type, &target, &import->item, 1);
	loop_run(loop);
	return 0;
}

static int not_there(const struct import *import)
{
	const struct plan_change *change = import->change;
	const struct apply_outcome *result = &import->result;

	if (result->outcome == PROVIDER_ABSENT)
		return diag_error(import->d, "there is no %s with the identifier %s in %s (%s), %s", change->type_name,
				  import->id, change->account, change->account_id, change->region);
	return diag_error(import->d, "%s %s could not be read in %s (%s), %s: %s%s%s", change->type_name, import->id,
			  change->account, change->account_id, change->region, result->code != NULL ? result->code : "",
			  result->code != NULL && result->message != NULL ? ": " : "",
			  result->message != NULL ? result->message : "");
}

/* A singleton is read whatever the identifier says; only this tells that it is another. */
static int is_other(const struct import *import)
{
	const struct plan_change *change = import->change;
	json_t *ref = change->type->ref == NULL ? NULL : json_object_get(import->result.attributes, change->type->ref);

	if (ref == NULL && change->type->ref != NULL)
		ref = json_object_get(import->result.properties, change->type->ref);
	return diag_error(import->d, "what %s has there in %s (%s), %s, is %s, not %s", change->type_name,
			  change->account, change->account_id, change->region,
			  json_is_string(ref) ? json_string_value(ref) : "another one", import->id);
}

/* -- Recording ------------------------------------------------------------------------------------------------------
 */

/* What the spec says nothing of is somebody else's business; and a secret is not for the state, so that the next plan
 * sets it. New reference. */
static json_t *recorded_properties(const struct import *import)
{
	const struct schema_value *schema = &import->change->type->properties;
	json_t *properties = json_object(), *live;
	const char *name;
	json_t *wanted;

	json_object_foreach(import->change->after, name, wanted)
	{
		const struct schema_member *member = schema_value_member(schema, name);
		bool secret = specs_has_residual(wanted) && !specs_has_unknown(wanted);

		live = json_object_get(import->result.properties, name);
		if (live != NULL && !json_is_null(live) && !secret && (member == NULL || !member->sensitive))
			json_object_set(properties, name, live);
	}
	return properties;
}

/* Whether its name is one that muster has made for this address; then *incarnation is the one that it has it from. */
static bool is_our_name(const struct import *import, int64_t *incarnation)
{
	const struct plan_change *change = import->change;
	const char *property = change->type->name_property;
	const char *name = property != NULL ? json_get_string(import->result.properties, property) : NULL;

	for (int64_t i = 0; name != NULL && i < INCARNATIONS_MAX; i++) {
		mem_auto_str char *ours = specs_generated_name(change->type, import->plan->lineage, change->address,
							       change->stack, change->logical_id, i);

		if (strcmp(ours, name) != 0)
			continue;
		*incarnation = i;
		return true;
	}
	return false;
}

static json_t *depends_of(const struct plan_change *change)
{
	json_t *list = json_array();

	for (size_t i = 0; i < change->depend_count; i++)
		json_array_append_new(list, json_string(change->depends[i]));
	return list;
}

static int record(const struct import *import, struct surgery *s, bool *adopted)
{
	const struct plan_change *change = import->change;
	json_auto_t *properties = recorded_properties(import), *depends = depends_of(change);
	struct plan_record body = {
	    .type = change->type->name,
	    .account_id = change->account_id,
	    .properties = properties,
	    .attributes = import->result.attributes,
	    .depends = depends,
	    .deletion = change->deletion,
	    .protect = change->protect,
	    .incarnation = change->incarnation,
	};

	body.adopted = *adopted = !is_our_name(import, &body.incarnation);
	for (size_t i = 0; i < import->plan->account_count; i++)
		if (strcmp(import->plan->accounts[i].id, change->account_id) == 0)
			body.access = import->plan->accounts[i].access;
	return apply_record_put(s->txn, change->address, s->generation, &body, s->d);
}

static bool same_address(void *payload, const char *address)
{
	return strcmp(payload, address) == 0;
}

/* Nobody else writes in between: the lock is held from before the plan was made. */
static int store(const struct import *import, struct state *state, const json_t *facts, bool *adopted)
{
	struct surgery s;
	int rc;

	if (surgery_begin(&s, state, import->d) < 0)
		return -1;
	rc = surgery_no_intents(&s, same_address, (void *)(uintptr_t)import->change->address);
	if (rc == 0 && import->plan->lineage != NULL)
		rc = state_lineage_set(s.txn, import->plan->lineage, import->d);
	if (rc == 0)
		rc = surgery_generation(&s, facts);
	if (rc == 0)
		rc = record(import, &s, adopted);
	return surgery_end(&s, rc, "Imported", 1);
}

int apply_state_import(struct state *state, struct loop *loop, struct provider *provider, const struct plan *plan,
		       const struct plan_change *change, const char *id, const json_t *facts, bool *adopted,
		       struct diag *d)
{
	struct import import = {.plan = plan, .change = change, .id = id, .d = d};
	const char *partition = specs_partition_of(change->region);
	const struct schema_place place = {change->account_id, change->region, partition, specs_url_suffix(partition)};
	struct import_id identified;
	int rc;

	if (change->type == NULL)
		return diag_error(d, "the type %s is not known to this program", change->type_name);
	if (import_identify(&identified, change->type, id, &place, d) < 0)
		return -1;
	rc = read_live(&import, loop, provider, &identified);
	if (rc == 0 && import.result.outcome != PROVIDER_DONE)
		rc = not_there(&import);
	if (rc == 0 &&
	    !import_is_meant(&identified, change->type, &place, import.result.properties, import.result.attributes))
		rc = is_other(&import);
	if (rc == 0)
		rc = store(&import, state, facts, adopted);
	apply_outcome_free(&import.result);
	import_id_free(&identified);
	return rc;
}
