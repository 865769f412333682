/* Evaluating instances: opening one (conditions, loops, which resources there are), its resources, and releasing it.
 * Everything is evaluated when it is first asked for and kept; asking for what is being evaluated is a cycle. */
#include "specs/compile/compile.h"

#include <stdlib.h>
#include <string.h>

static int compare_addresses(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void specs_addresses_add(struct addresses *addresses, const char *address)
{
	if (addresses == NULL)
		return;
	for (size_t i = addresses->count; i > 0 && i + 8 > addresses->count; i--)
		if (addresses->list[i - 1] == address)
			return;
	if (addresses->count == addresses->room) {
		addresses->room = addresses->room ? addresses->room * 2 : 8;
		addresses->list = mem_resize(addresses->list, addresses->room, sizeof *addresses->list);
	}
	addresses->list[addresses->count++] = address;
}

/* Sorted, each once, moved into the arena. */
void specs_addresses_finish(struct addresses *addresses, struct arena *arena, const char ***list, size_t *count)
{
	size_t used = 0;

	*list = NULL;
	*count = 0;
	if (addresses->count > 0) {
		qsort(addresses->list, addresses->count, sizeof *addresses->list, compare_addresses);
		*list = specs_arena_array(arena, addresses->count, sizeof **list);
		for (size_t i = 0; i < addresses->count; i++)
			if (used == 0 || strcmp((*list)[used - 1], addresses->list[i]) != 0)
				(*list)[used++] = addresses->list[i];
		*count = used;
	}
	free(addresses->list);
	*addresses = (struct addresses){NULL, 0, 0};
}

/* -- opening -- */

/* The evaluation of something in `instance`, begun from `outer`. */
static struct eval eval_inside(const struct eval *outer, struct specs_instance *instance, const struct binding *env,
			       struct frame *frame, const char *address)
{
	struct eval e = *outer;

	*frame = (struct frame){address, outer->frames, outer->frames != NULL ? outer->frames->depth + 1 : 1};
	e.instance = instance;
	e.stack = instance->private->stack;
	e.env = env;
	e.frames = frame;
	e.type = NULL;
	return e;
}

static bool frames_full(const struct eval *e)
{
	return e->frames != NULL && e->frames->depth >= EVAL_FRAMES_MAX;
}

int specs_eval_condition(struct eval *e, const struct node *at, const char *name, bool *out)
{
	struct specs_instance_private *p = e->instance->private;
	struct item *item = p->conditions != NULL ? specs_table_get(&p->conditions->names, name) : NULL;
	size_t i = item != NULL ? (size_t)(item - p->conditions->list) : 0;
	mem_auto_str char *address = NULL;
	struct frame frame;
	struct eval inner;
	json_auto_t *value = NULL;
	int result;

	if (item == NULL)
		return specs_eval_error(e, at, "no condition is called \"%s\"", name);
	switch (p->condition_progress[i]) {
	case PROGRESS_DONE:
		*out = p->condition_values[i];
		return EVAL_OK;
	case PROGRESS_ERROR:
		return EVAL_ERROR;
	case PROGRESS_BLOCKED:
		return specs_eval_block(e, "%s", p->condition_blocked[i]);
	default:
		break;
	}
	address = mem_printf("%s/Conditions.%s", e->instance->address, name);
	if (p->condition_progress[i] == PROGRESS_RUNNING)
		return specs_eval_cycle(e, at, address);
	if (frames_full(e))
		return specs_eval_error(e, at, "references nest more than %d deep", EVAL_FRAMES_MAX);
	p->condition_progress[i] = PROGRESS_RUNNING;
	inner = eval_inside(e, e->instance, item->env, &frame, address);
	inner.depends = &p->open_depends;
	result = specs_eval_known(&inner, item->entry->condition, "a condition", &value);
	p->condition_progress[i] =
	    result == EVAL_OK ? PROGRESS_DONE : (result == EVAL_BLOCKED ? PROGRESS_BLOCKED : PROGRESS_ERROR);
	p->condition_values[i] = *out = json_is_true(value);
	p->condition_blocked[i] = *e->blocked;
	return result;
}

static int open_items(struct eval *e, const struct section *section, const struct items *shared, struct items *own,
		      const struct items **out, struct arena *arena)
{
	*out = section->loops ? own : shared;
	return section->loops ? specs_eval_items(e, section, own, arena) : EVAL_OK;
}

static int open_conditions(struct eval *e)
{
	struct specs_instance_private *p = e->instance->private;
	const struct stack *stack = p->stack;
	size_t count;
	int result =
	    open_items(e, &stack->conditions, &stack->condition_items, &p->own_conditions, &p->conditions, &p->arena);

	if (result != EVAL_OK)
		return result;
	count = p->conditions->count;
	p->condition_progress = specs_arena_array(&p->arena, count, sizeof *p->condition_progress);
	p->condition_values = specs_arena_array(&p->arena, count, sizeof *p->condition_values);
	p->condition_blocked = specs_arena_array(&p->arena, count, sizeof *p->condition_blocked);
	for (size_t i = 0; i < count; i++) {
		const struct item *item = &p->conditions->list[i];
		const char *blocked = NULL;
		struct eval inner = *e;
		bool ignored;

		/* One that is blocked stops only what uses it. */
		inner.blocked = &blocked;
		if (specs_eval_condition(&inner, item->entry->path, item->name, &ignored) == EVAL_ERROR)
			result = EVAL_ERROR;
	}
	return result;
}

/* Whether a resource of the template is there: its index in `live` to be, or a SLOT_…; *blocked when its condition is
 * not known. */
static int resource_slot(struct eval *e, const struct item *item, int next, const char **blocked)
{
	const struct resource_definition *r = &item->entry->resource;
	mem_auto_str char *name = NULL;
	struct eval inner = *e;
	bool value = true;
	int result = EVAL_OK;

	*blocked = NULL;
	inner.env = item->env;
	inner.blocked = blocked;
	if (r->condition.source != NULL) {
		result = specs_eval_text(&inner, &r->condition, r->condition_path, &name);
		if (result == EVAL_OK)
			result = specs_eval_condition(&inner, r->condition_path, name, &value);
	}
	if (result == EVAL_ERROR)
		return SLOT_ERROR;
	if (result == EVAL_OK && !value)
		return SLOT_FALSE;
	if (!schema_type_in_region(r->type, e->instance->region)) {
		if (e->resolver != NULL && e->resolver->left_out != NULL)
			e->resolver->left_out(e->resolver->payload, e->instance, r->type);
		else
			specs_node_warning(e->stack, item->entry->path, DIAG_NOTE, e->d,
					   "%s is not offered in %s: left out there", r->type->name,
					   e->instance->region);
		return SLOT_REGION;
	}
	return next;
}

static void resource_begin(struct specs_instance *instance, struct specs_resource *out, const struct item *item,
			   const char *blocked)
{
	struct specs_instance_private *p = instance->private;
	struct entry *entry = (struct entry *)item->entry;
	const struct resource_definition *r = &entry->resource;

	/* Finding a place scans the file; all targets share it. */
	if (entry->place.file == NULL)
		specs_node_place(p->stack, entry->path, &p->stack->specs->private->arena, &entry->place);
	out->address = specs_arena_printf(&p->arena, "%s/%s", instance->address, item->name);
	out->logical_id = item->name;
	out->type = r->type;
	out->instance = instance;
	out->deletion = r->deletion;
	out->replace_deletion = r->replace_deletion;
	out->protect = r->protect;
	out->adopt = r->adopt;
	out->place = entry->place;
	out->blocked = blocked;
}

static int open_resources(struct eval *e)
{
	struct specs_instance *instance = e->instance;
	struct specs_instance_private *p = instance->private;
	const struct stack *stack = p->stack;
	const char **blocked;
	int result =
	    open_items(e, &stack->resources, &stack->resource_items, &p->own_resources, &p->resources, &p->arena);

	if (result != EVAL_OK)
		return result;
	p->slots = specs_arena_array(&p->arena, p->resources->count, sizeof *p->slots);
	blocked = mem_array(p->resources->count, sizeof *blocked);
	for (size_t i = 0; i < p->resources->count; i++) {
		p->slots[i] = resource_slot(e, &p->resources->list[i], (int)p->live_count, &blocked[p->live_count]);
		p->live_count += p->slots[i] >= 0;
		result = p->slots[i] == SLOT_ERROR ? EVAL_ERROR : result;
	}
	p->live = specs_arena_array(&p->arena, p->live_count, sizeof *p->live);
	p->progress = specs_arena_array(&p->arena, p->live_count, sizeof *p->progress);
	for (size_t i = 0; i < p->resources->count; i++)
		if (p->slots[i] >= 0)
			resource_begin(instance, &p->live[p->slots[i]], &p->resources->list[i], blocked[p->slots[i]]);
	free(blocked);
	return result;
}

int specs_instance_open(struct eval *e, struct specs_instance *instance, const struct node *at)
{
	struct specs_instance_private *p = instance->private;
	struct frame frame;
	struct eval inner;
	int result;

	if (p->opened == PROGRESS_DONE)
		return EVAL_OK;
	if (p->opened == PROGRESS_ERROR)
		return EVAL_ERROR;
	if (p->opened == PROGRESS_BLOCKED)
		return specs_eval_block(e, "%s", instance->blocked);
	if (p->opened == PROGRESS_RUNNING)
		return specs_eval_cycle(e, at, instance->address);
	if (frames_full(e))
		return specs_eval_error(e, at, "references nest more than %d deep", EVAL_FRAMES_MAX);
	p->opened = PROGRESS_RUNNING;
	inner = eval_inside(e, instance, NULL, &frame, instance->address);
	inner.depends = &p->open_depends;
	if (p->stack->resources.loops || p->stack->conditions.loops || p->stack->outputs.loops)
		p->bound = json_array();
	result = open_conditions(&inner);
	if (result == EVAL_OK)
		result = open_resources(&inner);
	if (result == EVAL_OK && p->output_states == NULL) {
		result = open_items(&inner, &p->stack->outputs, &p->stack->output_items, &p->own_outputs, &p->outputs,
				    &p->output_arena);
		p->output_states = specs_arena_array(&p->output_arena, p->outputs->count, sizeof *p->output_states);
		p->output_values = json_object();
	}
	p->opened = result == EVAL_OK ? PROGRESS_DONE : (result == EVAL_BLOCKED ? PROGRESS_BLOCKED : PROGRESS_ERROR);
	if (result == EVAL_BLOCKED)
		instance->blocked = *e->blocked;
	return result;
}

/* -- resources -- */

static int resource_depends(struct eval *e, const struct resource_definition *r)
{
	const struct specs_instance_private *p = e->instance->private;
	int result = EVAL_OK;

	for (size_t i = 0; i < r->depend_count; i++) {
		mem_auto_str char *name = NULL;
		const struct item *item;
		struct specs_resource *other = NULL;
		int one = specs_eval_text(e, &r->depends[i], r->depends_path, &name);

		if (one == EVAL_OK) {
			item = specs_table_get(&p->resources->names, name);
			if (item == NULL)
				one = specs_eval_error(e, r->depends_path, "no resource is called \"%s\"", name);
			else if (p->slots[item - p->resources->list] < 0)
				continue; /* not made here: nothing to wait for */
		}
		if (one == EVAL_OK)
			one = specs_eval_resource(e, r->depends_path, name, &other);
		if (one == EVAL_OK && other != NULL)
			specs_addresses_add(e->depends, other->address);
		if (one == EVAL_ERROR || result == EVAL_OK)
			result = one;
	}
	return result;
}

/* The name by the address that the resource was made under: stack and logical id are that one's, too. */
static char *name_by_origin(const struct schema_type *type, const char *lineage, const char *origin,
			    int64_t incarnation)
{
	mem_auto_str char *copy = mem_strdup(origin);
	char *rest = copy, *parts[4] = {NULL};

	for (size_t i = 0; i < 4; i++)
		parts[i] = strsep(&rest, "/");
	return specs_generated_name(type, lineage, origin, parts[2] != NULL ? parts[2] : "",
				    parts[3] != NULL ? parts[3] : "", incarnation);
}

static int resource_name(struct eval *e, struct specs_resource *r, const struct node *at)
{
	const struct schema_type *type = r->type;
	const char *lineage = e->specs->settings.lineage != NULL ? e->specs->settings.lineage : "";
	const char *origin = NULL;
	const json_t *given;
	mem_auto_str char *name = NULL;
	int64_t incarnation = 0;

	if (type->name_property == NULL)
		return EVAL_OK;
	given = json_object_get(r->properties, type->name_property);
	if (given != NULL && specs_has_residual(given))
		return specs_eval_error(e, at, "the name (%s) must be known when planning, and this is %s",
					type->name_property,
					specs_has_unknown(given) ? "only known after apply" : "a secret");
	if (given != NULL)
		return EVAL_OK;
	if (e->resolver != NULL && e->resolver->incarnation != NULL)
		incarnation = e->resolver->incarnation(e->resolver->payload, r->address);
	if (e->resolver != NULL && e->resolver->origin != NULL)
		origin = e->resolver->origin(e->resolver->payload, r->address);
	name = name_by_origin(type, lineage, origin != NULL ? origin : r->address, incarnation);
	/* What a template gives without functions is shared by all targets. */
	if (r->properties->refcount > 1) {
		json_t *copy = json_copy(r->properties);

		json_decref(r->properties);
		r->properties = copy;
	}
	json_object_set_new(r->properties, type->name_property, json_string(name));
	r->name_generated = true;
	return EVAL_OK;
}

static enum progress resource_evaluate(struct eval *outer, const struct item *item, struct specs_resource *r)
{
	struct specs_instance_private *p = outer->instance->private;
	const struct resource_definition *definition = &item->entry->resource;
	struct addresses depends = {NULL, 0, 0};
	const char *blocked = NULL;
	struct frame frame;
	struct eval e = eval_inside(outer, outer->instance, item->env, &frame, r->address);
	int result, other;

	e.depends = &depends;
	e.blocked = &blocked;
	e.type = r->type;
	for (size_t i = 0; i < p->open_depends.count; i++)
		specs_addresses_add(&depends, p->open_depends.list[i]);
	result = resource_depends(&e, definition);
	other = specs_eval_node(&e, definition->properties, &r->properties);
	if (other == EVAL_OK && r->properties == NULL)
		r->properties = json_object();
	if (other == EVAL_OK)
		other = resource_name(&e, r, definition->properties);
	if (other == EVAL_ERROR || result == EVAL_OK)
		result = other;
	if (r->blocked == NULL)
		r->blocked = blocked != NULL ? blocked : p->depends_blocked;
	specs_addresses_finish(&depends, &p->arena, &r->depends, &r->depend_count);
	if (result == EVAL_ERROR)
		return PROGRESS_ERROR;
	if (r->blocked != NULL) {
		json_decref(r->properties);
		r->properties = json_object();
		return PROGRESS_BLOCKED;
	}
	r->unknown = specs_has_unknown(r->properties);
	return PROGRESS_DONE;
}

int specs_eval_resource(struct eval *e, const struct node *at, const char *name, struct specs_resource **out)
{
	struct specs_instance_private *p = e->instance->private;
	const struct item *item = p->resources != NULL ? specs_table_get(&p->resources->names, name) : NULL;
	int slot = item != NULL ? p->slots[item - p->resources->list] : 0;
	struct specs_resource *r;

	*out = NULL;
	if (item == NULL) {
		mem_auto_str char *nearest =
		    specs_report_nearest(name, e->stack->resource_names, e->stack->resource_name_count);

		return specs_eval_error(e, at, "no resource is called \"%s\"%s", name, nearest);
	}
	if (slot == SLOT_FALSE)
		return specs_eval_error(
		    e, at, "refers to \"%s\", which is not made where its condition \"%s\" is false; use Fn::If", name,
		    item->entry->resource.condition.source);
	if (slot == SLOT_REGION)
		return specs_eval_block(e, "%s/%s is left out: %s is not offered in %s", e->instance->address, name,
					item->entry->resource.type->name, e->instance->region);
	r = &p->live[slot];
	if (p->progress[slot] == PROGRESS_RUNNING)
		return specs_eval_cycle(e, at, r->address);
	if (p->progress[slot] == PROGRESS_NONE) {
		if (frames_full(e))
			return specs_eval_error(e, at, "references nest more than %d deep", EVAL_FRAMES_MAX);
		p->progress[slot] = PROGRESS_RUNNING;
		p->progress[slot] = resource_evaluate(e, item, r);
	}
	if (p->progress[slot] == PROGRESS_ERROR)
		return EVAL_ERROR;
	*out = r;
	return p->progress[slot] == PROGRESS_BLOCKED ? specs_eval_block(e, "%s", r->blocked) : EVAL_OK;
}

int specs_eval_attribute(struct eval *e, const struct node *at, const char *name, const char *attribute, json_t **out)
{
	struct specs_resource *r;
	int result = specs_eval_resource(e, at, name, &r);
	const char *asked = attribute;

	if (r != NULL)
		specs_addresses_add(e->depends, r->address);
	if (result != EVAL_OK || r == NULL)
		return result;
	if (attribute == NULL) {
		attribute = r->type->ref;
		if (attribute == NULL)
			return specs_eval_error(e, at, "a Ref to %s gives nothing; use Fn::GetAtt", r->type->name);
	} else if (schema_type_attribute(r->type, attribute) == NULL) {
		mem_auto_str char *why = specs_attribute_unknown(r->type, attribute);

		return specs_eval_error(e, at, "%s", why);
	}
	if (e->resolver != NULL && e->resolver->attribute != NULL) {
		if (e->resolver->attribute(e->resolver->payload, r, attribute, out, e->d) != 0)
			return EVAL_ERROR;
	} else {
		*out = specs_attribute_predict(r, attribute);
	}
	/* What Ref gives may be a property; it is taken after the resolver has had its say, which may have renamed it.
	 */
	if (*out == NULL && asked == NULL)
		*out = json_incref(json_object_get(r->properties, attribute));
	if (*out == NULL)
		*out = json_pack("{s[ss]}", "Muster::Attribute", r->address, attribute);
	return EVAL_OK;
}

/* -- for other rooms -- */

int specs_evaluate(struct specs *specs, struct specs_instance *instance, const struct specs_resolver *resolver,
		   struct diag *d)
{
	struct specs_instance_private *p = instance->private;
	const char *blocked = NULL;
	struct eval e = {specs, resolver, d, instance, p->stack, NULL, NULL, NULL, NULL, &blocked, 0};
	int result = specs_instance_open(&e, instance, p->stack->root);

	if (result != EVAL_OK)
		return result == EVAL_BLOCKED ? 0 : -1;
	for (size_t i = 0; i < p->resources->count; i++) {
		const struct item *item = &p->resources->list[i];
		struct specs_resource *r;

		if (p->slots[i] >= 0 && specs_eval_resource(&e, item->entry->path, item->name, &r) == EVAL_ERROR)
			result = EVAL_ERROR;
	}
	for (size_t i = 0; i < p->outputs->count; i++) {
		const struct item *item = &p->outputs->list[i];
		json_t *value = NULL;

		if (specs_instance_output(&e, item->entry->path, instance, item->name, true, &value) == EVAL_ERROR)
			result = EVAL_ERROR;
		json_decref(value);
	}
	p->complete = true;
	return result == EVAL_ERROR ? -1 : 0;
}

struct specs_resource *specs_instance_resources(const struct specs_instance *instance, size_t *count)
{
	*count = instance->private->live_count;
	return instance->private->live;
}

const json_t *specs_instance_outputs(const struct specs_instance *instance)
{
	return instance->private->output_values;
}

void specs_instance_release(struct specs_instance *instance)
{
	struct specs_instance_private *p = instance->private;

	for (size_t i = 0; i < p->live_count; i++)
		json_decref(p->live[i].properties);
	specs_items_free(&p->own_resources);
	specs_items_free(&p->own_conditions);
	free(p->open_depends.list);
	p->open_depends = (struct addresses){NULL, 0, 0};
	json_decref(p->bound);
	specs_arena_free(&p->arena);
	p->bound = NULL;
	p->live = NULL;
	p->live_count = 0;
	p->slots = NULL;
	p->progress = NULL;
	p->resources = p->conditions = NULL;
	p->opened = PROGRESS_NONE;
	/* Outputs that were not all evaluated would be evaluated later from what is freed now. */
	if (!p->complete)
		specs_instance_forget(instance);
}

void specs_instance_forget(struct specs_instance *instance)
{
	struct specs_instance_private *p = instance->private;

	p->complete = true;
	if (p->opened != PROGRESS_NONE)
		specs_instance_release(instance);
	specs_items_free(&p->own_outputs);
	json_decref(p->output_values);
	specs_arena_free(&p->output_arena);
	p->output_values = NULL;
	p->output_states = NULL;
	p->outputs = NULL;
	p->complete = false;
	instance->blocked = NULL;
}

void specs_reset(struct specs *specs)
{
	struct specs_private *p = specs->private;

	for (size_t i = 0; i < specs->instance_count; i++)
		specs_instance_forget(p->instances[i]);
}
