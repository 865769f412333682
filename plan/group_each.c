/* Groups that differ only in what a loop (Fn::ForEach) puts into the logical id: Topic${Region} in ten forms is one
 * entry. The plan does not know of loops, nor do records of what a loop made once; so ids are compared: three or more
 * with the same beginning or end, in the same targets, whose values are equal once the rest of the id is taken out. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "plan/abstract.h"
#include "plan/group.h"

/* Fewer are said one by one. */
#define EACH_LEAST 3
/* Characters that the ids must share. */
#define SHARED_LEAST 3
/* A shorter part of an id is looked for only as a word of its own. */
#define PART_IN_WORD 3

/* -- Parts of ids -------------------------------------------------------------------------------------------------- */

/* What all ids of a bucket begin and end with. */
struct frame {
	size_t head, tail;
};

static const char *id_of(const struct plan_group *group)
{
	return group->sample->logical_id;
}

/* Where a word starts in "TopicEuWest1": a reader would cut there. */
static bool word_starts(const char *id, size_t at)
{
	return isupper((unsigned char)id[at]) ||
	       (at > 0 && !isdigit((unsigned char)id[at - 1]) != !isdigit((unsigned char)id[at]));
}

static size_t common_head(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

static size_t common_tail(const char *a, const char *b)
{
	size_t n = 0, alen = strlen(a), blen = strlen(b);

	while (n < alen && n < blen && a[alen - 1 - n] == b[blen - 1 - n])
		n++;
	return n;
}

/* Back, and on, to where a word starts, if that leaves enough. */
static void frame_round(struct frame *f, const char *id)
{
	size_t head = f->head, tail = f->tail, len = strlen(id);

	while (head > 0 && id[head] != '\0' && !word_starts(id, head))
		head--;
	if (head >= SHARED_LEAST)
		f->head = head;
	while (tail > 0 && !isupper((unsigned char)id[len - tail]))
		tail--;
	f->tail = tail >= SHARED_LEAST ? tail : 0;
}

/* False: there is too little that the ids share, or nothing that tells one of them. */
static bool frame_find(struct frame *out, struct plan_group *const *groups, size_t count)
{
	const char *first = id_of(groups[0]);
	struct frame f = {strlen(first), strlen(first)};

	for (size_t i = 1; i < count; i++) {
		size_t head = common_head(first, id_of(groups[i])), tail = common_tail(first, id_of(groups[i]));

		f.head = head < f.head ? head : f.head;
		f.tail = tail < f.tail ? tail : f.tail;
	}
	frame_round(&f, first);
	for (size_t i = 0; i < count; i++)
		if (strlen(id_of(groups[i])) <= f.head + f.tail)
			return false;
	*out = f;
	return f.head >= SHARED_LEAST || f.tail >= SHARED_LEAST;
}

static char *part_of(const struct frame *f, const char *id)
{
	return mem_strndup(id + f->head, strlen(id) - f->head - f->tail);
}

/* -- Values without them ------------------------------------------------------------------------------------------- */

/* "eu-west-1", "us-gov-east-1": nothing else is taken to be an id's part with dashes in it. */
static bool looks_like_region(const char *text, size_t len)
{
	size_t words = 0, letters = 0, at = 0;

	for (; at < len && !isdigit((unsigned char)text[at]); at++) {
		if (text[at] == '-' && (letters == 0 || (words == 0 && letters != 2)))
			return false;
		if (text[at] != '-' && !islower((unsigned char)text[at]))
			return false;
		words += text[at] == '-';
		letters = text[at] == '-' ? 0 : letters + 1;
	}
	return (words == 2 || words == 3) && letters == 0 && at + 1 == len;
}

/* How many bytes at `text` read like `part`: ids have no dashes, so "eu-west-1" is euwest1 there. 0: they do not. */
static size_t part_at(const char *start, const char *text, const char *part)
{
	size_t used = 0, matched = 0, len = strlen(part);

	while (matched < len) {
		if (text[used] == part[matched]) {
			matched++;
			used++;
		} else if (matched > 0 && text[used] == '-') {
			used++;
		} else {
			return 0;
		}
	}
	if (used != len && !looks_like_region(text, used))
		return 0;
	if (len < PART_IN_WORD &&
	    ((text > start && isalnum((unsigned char)text[-1])) || isalnum((unsigned char)text[used])))
		return 0;
	return used;
}

static json_t *text_without(const json_t *value, const char *part)
{
	const char *text = json_string_value(value), *at = text;
	buf_auto struct buf out = BUF_INIT;
	bool found = false;

	while (*at != '\0') {
		size_t used = part_at(text, at, part);

		if (used == 0) {
			buf_addc(&out, *at++);
			continue;
		}
		buf_adds(&out, PLAN_GROUP_EACH);
		at += used;
		found = true;
	}
	return found ? json_string(buf_str(&out)) : json_incref((json_t *)value);
}

json_t *plan_group_without(const json_t *value, const char *part)
{
	json_t *copy, *item;
	const char *key;
	size_t i;

	if (json_is_string(value))
		return text_without(value, part);
	if (!json_is_object(value) && !json_is_array(value))
		return json_incref((json_t *)value);
	copy = json_copy((json_t *)value);
	json_object_foreach((json_t *)value, key, item) json_object_set_new(copy, key, plan_group_without(item, part));
	json_array_foreach((json_t *)value, i, item) json_array_set_new(copy, i, plan_group_without(item, part));
	return copy;
}

static void set_without(json_t **value, const char *part)
{
	json_t *without = plan_group_without(*value, part);

	json_decref(*value);
	*value = without;
}

void plan_group_values_without(struct plan_group_value *values, size_t count, const char *part)
{
	for (size_t i = 0; i < count; i++) {
		set_without(&values[i].before, part);
		set_without(&values[i].after, part);
	}
}

/* -- Buckets: groups that could be one ------------------------------------------------------------------------------
 */

struct bucket {
	struct plan_group **groups;
	size_t count, room;
};

static void bucket_put(struct map *buckets, const char *key, struct plan_group *group)
{
	struct bucket *bucket = map_get(buckets, key);

	if (bucket == NULL) {
		bucket = mem_alloc(sizeof *bucket);
		map_set(buckets, key, bucket);
	}
	if (bucket->count == bucket->room) {
		bucket->room = bucket->room == 0 ? 4 : 2 * bucket->room;
		bucket->groups = mem_resize(bucket->groups, bucket->room, sizeof(struct plan_group *));
	}
	bucket->groups[bucket->count++] = group;
}

static void bucket_free(void *value)
{
	struct bucket *bucket = value;

	free(bucket->groups);
	free(bucket);
}

static uint64_t where_hash(const struct plan_group *group)
{
	uint64_t hash = group->count;

	for (size_t i = 0; i < group->count; i++)
		hash = plan_abstract_hash(plan_abstract_hash(hash, group->where[i].account), group->where[i].region);
	return hash;
}

/* All that has to be the same, but for values and id. */
static void bucket_key(struct buf *key, const struct plan_group *group, bool by_tail)
{
	const struct plan_change *c = group->sample;
	const char *id = c->logical_id;
	size_t len = strlen(id);

	buf_addf(key, "%d %d %d %d %d %d %d %d %d %llx\n%s\n%s\n%s\n", c->action, c->create_first, c->adopted, c->gone,
		 c->retain_old, c->record_only, c->deposed, c->pending, c->accepted,
		 (unsigned long long)where_hash(group), c->type_name, c->stack, c->reason != NULL ? c->reason : "");
	buf_addf(key, "%s\n", c->since != NULL ? c->since : "");
	buf_addf(key, "%.*s\n", SHARED_LEAST, by_tail && len > SHARED_LEAST ? id + len - SHARED_LEAST : id);
	for (size_t i = 0; i < group->value_count; i++)
		buf_addf(key, "%s %d %d %d %d\n", group->values[i].path, group->values[i].forces_replace,
			 group->values[i].may_replace, group->values[i].sensitive, group->values[i].pending);
}

static void key_value(struct buf *key, const json_t *value, const char *part)
{
	json_t *without = value != NULL ? plan_group_without(value, part) : NULL;

	if (without != NULL)
		json_canonical(key, without);
	buf_addc(key, '\n');
	json_decref(without);
}

static void values_key(struct buf *key, const struct plan_group *group, const char *part)
{
	for (size_t i = 0; i < group->value_count; i++) {
		key_value(key, group->values[i].before, part);
		key_value(key, group->values[i].after, part);
	}
}

/* -- Merging ------------------------------------------------------------------------------------------------------- */

static void take_members(struct plan_group *into, struct plan_group *from)
{
	size_t count = into->count + from->count;

	into->members = mem_resize(into->members, count, sizeof *into->members);
	into->where = mem_resize(into->where, count, sizeof *into->where);
	memcpy(into->members + into->count, from->members, from->count * sizeof *into->members);
	memcpy(into->where + into->count, from->where, from->count * sizeof *into->where);
	into->count = into->room = count;
	into->drifted += from->drifted;
	from->count = 0;
}

static void merge(const struct bucket *same, const struct frame *f)
{
	struct plan_group *first = same->groups[0];
	const char *id = id_of(first);

	first->each = mem_array(same->count, sizeof(char *));
	for (size_t i = 0; i < same->count; i++) {
		first->each[first->each_count++] = part_of(f, id_of(same->groups[i]));
		if (i > 0)
			take_members(first, same->groups[i]);
	}
	free(first->name);
	first->name = mem_printf("%.*s" PLAN_GROUP_EACH "%s", (int)f->head, id, id + strlen(id) - f->tail);
	plan_group_values_without(first->values, first->value_count, first->each[0]);
}

static void merge_bucket(const struct bucket *bucket)
{
	struct map by_values = MAP_INIT;
	struct frame f;

	if (bucket->count < EACH_LEAST || !frame_find(&f, bucket->groups, bucket->count))
		return;
	for (size_t i = 0; i < bucket->count; i++) {
		mem_auto_str char *part = part_of(&f, id_of(bucket->groups[i]));
		buf_auto struct buf key = BUF_INIT;

		values_key(&key, bucket->groups[i], part);
		bucket_put(&by_values, buf_str(&key), bucket->groups[i]);
	}
	for (size_t i = 0; i < by_values.count; i++) {
		const struct bucket *same = by_values.entries[i].value;

		if (same->count >= EACH_LEAST)
			merge(same, &f);
	}
	map_free(&by_values, bucket_free);
}

static void merge_by(struct plan_groups *groups, bool by_tail)
{
	struct map buckets = MAP_INIT;
	size_t kept = 0;

	for (size_t i = 0; i < groups->count; i++) {
		buf_auto struct buf key = BUF_INIT;

		if (groups->items[i]->each_count > 0)
			continue;
		bucket_key(&key, groups->items[i], by_tail);
		bucket_put(&buckets, buf_str(&key), groups->items[i]);
	}
	for (size_t i = 0; i < buckets.count; i++)
		merge_bucket(buckets.entries[i].value);
	map_free(&buckets, bucket_free);
	for (size_t i = 0; i < groups->count; i++) {
		if (groups->items[i]->count > 0)
			groups->items[kept++] = groups->items[i];
		else
			plan_group_free(groups->items[i]);
	}
	groups->count = kept;
}

void plan_groups_merge(struct plan_groups *groups)
{
	merge_by(groups, false);
	merge_by(groups, true);
}
