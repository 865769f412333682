/* Outputs that change, in a plan file: `output_changes` in the shape of Terraform's, and muster.outputs with what apply
 * needs, from which the former follows. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/file_private.h"

/* -- Writing ------------------------------------------------------------------------------------------------------- */

static const char *action_word(enum plan_action action)
{
	return action == PLAN_NOOP ? "no-op" : plan_action_name(action);
}

/* Of a value that is an object or a list the marks have its structure; else they are one word. */
static json_t *sensitive(const json_t *value)
{
	json_t *marks = value != NULL ? plan_file_sensitive(NULL, value) : NULL;

	return marks != NULL ? marks : json_false();
}

static json_t *their_change(const struct plan_output *output)
{
	json_auto_t *unknown = json_array();
	json_t *marks = NULL, *after = NULL, *result = json_object();

	if (output->after != NULL)
		after = plan_file_known(output->after, unknown, &marks);
	json_object_set_new(result, "actions", json_pack("[s]", action_word(output->action)));
	json_object_set_new(result, "before", output->before != NULL ? json_incref(output->before) : json_null());
	json_object_set_new(result, "after", after != NULL ? after : json_null());
	json_object_set_new(result, "after_unknown", marks != NULL ? marks : json_false());
	json_object_set_new(result, "before_sensitive", sensitive(output->before));
	json_object_set_new(result, "after_sensitive", sensitive(output->after));
	return result;
}

static json_t *our_change(const struct plan_output *output)
{
	json_t *result = json_pack("{s:s}", "action", action_word(output->action));

	if (output->before != NULL)
		json_object_set(result, "before", output->before);
	if (output->after != NULL)
		json_object_set(result, "after", output->after);
	if (output->depend_count > 0) {
		json_t *depends = json_array();

		for (size_t i = 0; i < output->depend_count; i++)
			json_array_append_new(depends, json_string(output->depends[i]));
		json_object_set_new(result, "depends", depends);
	}
	if (output->pending)
		json_object_set_new(result, "pending", json_true());
	return result;
}

static json_t *instance_of(json_t *all, const struct plan_output *output)
{
	json_t *instance = json_object_get(all, output->address);

	if (instance != NULL)
		return instance;
	instance = json_pack("{s:{}}", "changes");
	if (output->recorded != NULL)
		json_object_set_new(instance, "recorded", json_string(output->recorded));
	if (output->moved_from != NULL)
		json_object_set_new(instance, "moved_from", json_string(output->moved_from));
	json_object_set_new(all, output->address, instance);
	return instance;
}

void plan_file_outputs(const struct plan *plan, json_t **theirs, json_t **ours)
{
	*theirs = NULL;
	*ours = plan->output_count > 0 ? json_object() : NULL;
	for (size_t i = 0; i < plan->output_count; i++) {
		const struct plan_output *output = &plan->outputs[i];
		mem_auto_str char *key = mem_printf("%s.%s", output->address, output->name);
		json_t *instance = instance_of(*ours, output);

		json_object_set_new(json_object_get(instance, "changes"), output->name, our_change(output));
		if (output->action == PLAN_NOOP)
			continue;
		if (*theirs == NULL)
			*theirs = json_object();
		json_object_set_new(*theirs, key, their_change(output));
	}
}

/* -- Reading ------------------------------------------------------------------------------------------------------- */

static int read_action(struct plan_output *output, const json_t *change)
{
	static const enum plan_action actions[] = {PLAN_NOOP, PLAN_CREATE, PLAN_UPDATE, PLAN_DELETE};
	const char *word = json_get_string(change, "action");

	for (size_t i = 0; word != NULL && i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(action_word(actions[i]), word) != 0)
			continue;
		output->action = actions[i];
		return 0;
	}
	return -1;
}

static bool values_fit(const struct plan_output *output)
{
	switch (output->action) {
	case PLAN_UPDATE:
		return output->before != NULL && output->after != NULL;
	case PLAN_DELETE:
		return output->before != NULL && output->after == NULL;
	default:
		return output->before == NULL && output->after != NULL;
	}
}

static int read_depends(struct plan *plan, struct plan_output *output, const json_t *list)
{
	json_t *address;
	size_t i;

	if (list == NULL)
		return 0;
	if (!json_is_array(list) || json_array_size(list) == 0)
		return -1;
	output->depends = plan_keep_array(plan, json_array_size(list), sizeof *output->depends);
	json_array_foreach((json_t *)list, i, address)
	{
		if (!json_is_string(address))
			return -1;
		output->depends[output->depend_count++] = plan_keep(plan, json_string_value(address));
	}
	return 0;
}

/* NULL, or what was expected. */
static const char *read_change(struct plan *plan, struct plan_output *output, const json_t *change)
{
	output->before = json_incref(json_object_get(change, "before"));
	output->after = json_incref(json_object_get(change, "after"));
	output->pending = json_get_bool(change, "pending", false);
	if (read_action(output, change) < 0)
		return "an action that an output can have (create, update, delete, no-op)";
	if (!values_fit(output))
		return "the values that the action of an output has";
	if (read_depends(plan, output, json_object_get(change, "depends")) < 0)
		return "depends to be a list of addresses";
	return NULL;
}

static const char *read_instance(struct plan *plan, const char *address, const json_t *instance)
{
	const char *recorded = json_get_string(instance, "recorded"), *from = json_get_string(instance, "moved_from");
	const char *kept = plan_keep(plan, recorded), *kept_from = plan_keep(plan, from), *name, *wrong = NULL;
	json_t *changes = json_object_get(instance, "changes"), *change;
	uint8_t sha256[32];

	if (json_object_size(changes) == 0)
		return "an object with changes for each stack in a target";
	if (recorded != NULL && text_hex_decode(sha256, sizeof sha256, recorded) < 0)
		return "64 hex digits for what is recorded";
	json_object_foreach(changes, name, change)
	{
		struct plan_output *output = wrong == NULL ? plan_output_add(plan, address, name) : NULL;

		if (wrong != NULL)
			continue;
		if (output == NULL)
			return "account/region/stack as the address of a stack";
		output->recorded = kept;
		output->moved_from = kept_from;
		wrong = read_change(plan, output, change);
	}
	return wrong;
}

int plan_file_outputs_read(struct plan *plan, const json_t *ours, const char **at, const char **what)
{
	const char *address;
	json_t *instance;

	json_object_foreach((json_t *)ours, address, instance)
	{
		*at = address;
		*what = read_instance(plan, address, instance);
		if (*what != NULL)
			return -1;
	}
	plan_outputs_sort(plan);
	return 0;
}
