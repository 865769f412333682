/* See abstract.h. */
#include "plan/abstract.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

/* Words in a run that is looked at as one: regions and names of accounts have no more. */
#define RUN_WORDS_MAX 5

/* A resource that was replaced that often is not known by its name any more. */
#define INCARNATIONS_TRIED 3
/* Shorter ones may be words or numbers that somebody wrote. */
#define ID_LEAST 20

/* Where one text was seen at one place. */
struct span {
	uint64_t key; /* 0: empty */
	const char *account, *region;
	bool accounts, regions; /* in several of them */
};

struct plan_abstract {
	const struct plan *plan;
	struct map stacks; /* names of the plan's stacks: generated names start with them */
	struct span *spans;
	size_t count, room; /* room is a power of two */
};

/* -- Where texts were seen -------------------------------------------------------------------------------------------
 */

/* Names of some types are in lower case only. */
static void stack_add(struct plan_abstract *a, const char *stack)
{
	mem_auto_str char *lower = mem_strdup(stack);

	for (char *s = lower; *s != '\0'; s++)
		*s = (char)tolower((unsigned char)*s);
	map_set(&a->stacks, stack, a);
	map_set(&a->stacks, lower, a);
}

struct plan_abstract *plan_abstract_new(const struct plan *plan)
{
	struct plan_abstract *a = mem_alloc(sizeof *a);
	const char *stack;
	json_t *reached;

	a->plan = plan;
	for (size_t i = 0; i < plan->change_count; i++)
		stack_add(a, plan->changes[i].stack);
	json_object_foreach(plan->reached, stack, reached) stack_add(a, stack);
	a->room = 1024;
	a->spans = mem_array(a->room, sizeof *a->spans);
	return a;
}

void plan_abstract_free(struct plan_abstract *a)
{
	if (a == NULL)
		return;
	map_free(&a->stacks, NULL);
	free(a->spans);
	free(a);
}

/* FNV-1a with a last mix. Two texts that meet here make one group too many at worst: groups compare the texts. */
static uint64_t hash_bytes(uint64_t seed, const char *text, size_t len)
{
	uint64_t hash = seed ^ 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15u;
	hash ^= hash >> 29;
	return hash != 0 ? hash : 1;
}

uint64_t plan_abstract_hash(uint64_t seed, const char *text)
{
	return hash_bytes(seed, text, strlen(text));
}

static struct span *span_find(struct span *spans, size_t room, uint64_t key)
{
	size_t at = key & (room - 1);

	while (spans[at].key != 0 && spans[at].key != key)
		at = (at + 1) & (room - 1);
	return &spans[at];
}

static void spans_grow(struct plan_abstract *a)
{
	size_t room = 2 * a->room;
	struct span *spans = mem_array(room, sizeof *spans);

	for (size_t i = 0; i < a->room; i++)
		if (a->spans[i].key != 0)
			*span_find(spans, room, a->spans[i].key) = a->spans[i];
	free(a->spans);
	a->spans = spans;
	a->room = room;
}

static void note_span(struct plan_abstract *a, uint64_t key, const struct plan_change *change)
{
	struct span *span = span_find(a->spans, a->room, key);

	if (span->key == 0) {
		*span = (struct span){key, change->account, change->region, false, false};
		if (2 * ++a->count > a->room)
			spans_grow(a);
		return;
	}
	span->accounts |= strcmp(span->account, change->account) != 0;
	span->regions |= strcmp(span->region, change->region) != 0;
}

/* The place of an item in the list at `place`. */
static uint64_t item_place(uint64_t place, size_t index)
{
	return hash_bytes(place, (const char *)&index, sizeof index);
}

/* A text may hold its target's own beside the same words as all others (its bucket in an account, its folder in that):
 * so each run of words is noted with the number of words before it. */
static uint64_t run_key(uint64_t place, size_t words_before, const char *run, size_t len)
{
	return hash_bytes(place + 0x10001 * (words_before + 1), run, len);
}

static void note_runs(struct plan_abstract *a, uint64_t place, const struct plan_change *change, const char *text)
{
	size_t words_before = 0;

	for (const char *at = text; *at != '\0'; at++) {
		const char *end = at;

		if (!isalnum((unsigned char)*at) || (at > text && isalnum((unsigned char)at[-1])))
			continue;
		for (size_t words = 0; words < RUN_WORDS_MAX && isalnum((unsigned char)*end); words++) {
			while (isalnum((unsigned char)*end))
				end++;
			note_span(a, run_key(place, words_before, at, (size_t)(end - at)), change);
			end += *end != '\0';
		}
		words_before++;
	}
}

static void note_text(struct plan_abstract *a, uint64_t place, const struct plan_change *change, const char *text)
{
	note_span(a, plan_abstract_hash(place, text), change);
	if (strstr(text, change->account_id) != NULL || strstr(text, change->region) != NULL ||
	    strstr(text, change->account) != NULL)
		note_runs(a, place, change, text);
}

void plan_abstract_note(struct plan_abstract *a, uint64_t place, const struct plan_change *change, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		note_text(a, place, change, json_string_value(value));
	json_object_foreach((json_t *)value, key, item)
	    plan_abstract_note(a, plan_abstract_hash(place, key), change, item);
	json_array_foreach((json_t *)value, i, item) plan_abstract_note(a, item_place(place, i), change, item);
}

/* -- Putting words in place of a target's own -------------------------------------------------------------------------
 */

/* What is the target's own. NULL: leave it. */
struct own {
	const char *account, *account_id, *region;
	const struct plan_change *change; /* whose generated names are its own; NULL: none are */
	bool ids;                         /* ids that services have made up are its own */
	bool same_in_regions;             /* the text as a whole is the same in several regions */
	const struct plan_abstract *a;    /* NULL: nothing was noted */
	uint64_t place;
};

/* The words that stand for what is a target's own, without "${" and "}". */
static const char *const stand_ins[] = {
    "AWS::AccountId", "AWS::Region", "Muster::AccountName", "hash", "hash in ", "id", "each"};

/* A value that holds such words by itself must not read like a pattern: "${" is put as "${!", and "${!" as "${!!", in
 * Fn::Sub's way. How many bytes at `at` that took; 0: there is no such thing. */
static size_t escape_at(struct buf *out, const char *at)
{
	const char *word = at + 2;

	if (at[0] != '$' || at[1] != '{')
		return 0;
	while (*word == '!')
		word++;
	for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins; i++)
		if (strncmp(word, stand_ins[i], strlen(stand_ins[i])) == 0) {
			buf_adds(out, "${!");
			return 2;
		}
	return 0;
}

static bool word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* Whether `own` stands at `at` as a word of its own, not within a longer one. */
static bool stands_at(const char *text, const char *at, const char *own, bool digits_only)
{
	size_t len = strlen(own);
	char before = at > text ? at[-1] : ' ', after;

	if (len == 0 || strncmp(at, own, len) != 0)
		return false;
	after = at[len];
	if (digits_only)
		return !isdigit((unsigned char)after) && !isalnum((unsigned char)before);
	return !isalnum((unsigned char)before) && !isalnum((unsigned char)after);
}

/* Whether what could be a generated name's hash stands at `at`: see specs_generated_name(). */
static bool hash_at(const char *at)
{
	for (size_t i = 0; i < SPECS_NAME_HASH_CHARS; i++)
		if (!((at[i] >= 'a' && at[i] <= 'z') || (at[i] >= '2' && at[i] <= '7')))
			return false;
	return !isalnum((unsigned char)at[SPECS_NAME_HASH_CHARS]);
}

/* The length of the stack's name that the `len` bytes at `at` start with, before a dash; 0: they start with none. */
static size_t stack_at(const struct own *own, const char *at, size_t len)
{
	char stack[160];

	for (size_t end = 1; end < len && end < sizeof stack; end++) {
		if (at[end] != '-')
			continue;
		memcpy(stack, at, end);
		stack[end] = '\0';
		if (map_has(&own->a->stacks, stack))
			return end;
	}
	return 0;
}

/* Where the hash starts in the word at `at` when that could be a generated name (stack-LogicalId-HASH, also cut in the
 * middle, also with more behind it), 0 when it is none. */
static size_t generated_prefix(const struct own *own, const char *at, size_t word)
{
	size_t found = 0;

	for (size_t dash = 1; dash + SPECS_NAME_HASH_CHARS < word; dash++)
		if (at[dash] == '-' && hash_at(at + dash + 1) && stack_at(own, at, dash + 1) > 0)
			found = dash + 1;
	return found;
}

/* Whether the resource at `address`, or one that replaces it, has that hash in its name. */
static bool is_hash_of(const struct own *own, const char *hash, const char *address)
{
	char made[SPECS_NAME_HASH_CHARS + 1];
	int64_t known = own->change->incarnation;

	if (own->a->plan->lineage == NULL)
		return false;
	for (int64_t i = 0; i < INCARNATIONS_TRIED + 2; i++) {
		int64_t incarnation = i < INCARNATIONS_TRIED ? i : known - (i - INCARNATIONS_TRIED);

		specs_generated_hash(made, own->a->plan->lineage, address, incarnation);
		if (strncmp(hash, made, SPECS_NAME_HASH_CHARS) == 0)
			return true;
	}
	return false;
}

/* The region of an address in this account; NULL: it is another account's. Free with free(). */
static char *region_of(const struct own *own, const char *address)
{
	size_t account = strlen(own->change->account);

	if (strncmp(address, own->change->account, account) != 0 || address[account] != '/')
		return NULL;
	address += account + 1;
	return mem_strndup(address, strcspn(address, "/"));
}

static size_t slashes(const char *address)
{
	size_t count = 0;

	for (; *address != '\0'; address++)
		count += *address == '/';
	return count;
}

/* The region in which a resource of this account, which the change is or rests on, has that hash in its name; NULL: no
 * such resource is known, so the name is a text like any other. To be freed. `name` is what stands before the hash. */
static char *hash_region(const struct own *own, const char *name, size_t len, const char *hash)
{
	const struct plan_change *change = own->change;
	size_t stack = stack_at(own, name, len);

	if (is_hash_of(own, hash, change->address) || (change->origin != NULL && is_hash_of(own, hash, change->origin)))
		return mem_strdup(change->region);
	for (size_t i = 0; i < change->depend_count + change->former_count; i++) {
		const char *address =
		    i < change->depend_count ? change->depends[i] : change->former[i - change->depend_count];
		mem_auto_str char *region = region_of(own, address), *inside = NULL;

		/* Three parts: all of a stack. Then the name says which resource it is. */
		if (region != NULL && slashes(address) == 2 && len > stack + 2)
			inside = mem_printf("%s/%.*s", address, (int)(len - stack - 2), name + stack + 1);
		if (region == NULL || !is_hash_of(own, hash, inside != NULL ? inside : address))
			continue;
		return mem_strdup(region);
	}
	return NULL;
}

/* Whether the same run of words stands there in other accounts, or other regions, too. */
static bool is_common(const struct own *own, size_t words_before, const char *run, bool accounts)
{
	const struct span *span;

	if (own->a == NULL)
		return false;
	span = span_find(own->a->spans, own->a->room, run_key(own->place, words_before, run, strlen(run)));
	return span->key != 0 && (accounts ? span->accounts : span->regions);
}

/* Puts words in place of what is the target's own at `at`; how many bytes that took, 0: nothing is. */
static size_t replace_at(struct buf *out, const struct own *own, const char *text, const char *at, size_t words_before)
{
	if (own->account_id != NULL && stands_at(text, at, own->account_id, true) &&
	    !is_common(own, words_before, own->account_id, true)) {
		buf_adds(out, "${AWS::AccountId}");
		return strlen(own->account_id);
	}
	if (own->region != NULL && stands_at(text, at, own->region, true) &&
	    !is_common(own, words_before, own->region, false)) {
		buf_adds(out, "${AWS::Region}");
		return strlen(own->region);
	}
	if (own->account != NULL && stands_at(text, at, own->account, false) &&
	    !is_common(own, words_before, own->account, true)) {
		buf_adds(out, "${Muster::AccountName}");
		return strlen(own->account);
	}
	return 0;
}

/* The hash at the end of a generated name that starts at `at`, and what stands for it; NULL there: there is none. */
struct own_hash {
	const char *at;
	char *stand_in; /* owned */
};

static void find_hash(struct own_hash *hash, const struct own *own, const char *at)
{
	mem_auto_str char *region = NULL;
	size_t word = 0, prefix;

	while (word_byte(at[word]))
		word++;
	prefix = generated_prefix(own, at, word);
	if (prefix == 0)
		return;
	region = hash_region(own, at, prefix, at + prefix);
	if (region == NULL)
		return;
	free(hash->stand_in);
	hash->at = at + prefix;
	hash->stand_in = !own->same_in_regions && strcmp(region, own->change->region) == 0
			     ? mem_strdup("${hash}")
			     : mem_printf("${hash in %s}", region);
}

/* How far the hexadecimal digits and dashes at `at` go. */
static size_t id_run(const char *at)
{
	size_t len = 0;

	while (isxdigit((unsigned char)at[len]) || (at[len] == '-' && isxdigit((unsigned char)at[len + 1])))
		len++;
	return len;
}

/* Whether such a run is an id that a service has made up: a UUID, a number in hexadecimal. */
static bool is_id(const char *at, size_t len)
{
	size_t digits = 0, letters = 0;

	for (size_t i = 0; i < len; i++) {
		digits += isdigit((unsigned char)at[i]) != 0;
		letters += at[i] >= 'a' && at[i] <= 'f';
	}
	return len >= ID_LEAST && digits > 0 && letters > 0 && !isalnum((unsigned char)at[len]);
}

/* Whether the id is the target's own: others have another one there. */
static bool is_own_id(const struct own *own, const char *at, size_t len, size_t words_before)
{
	mem_auto_str char *id = NULL;

	if (len == 0)
		return false;
	id = mem_strndup(at, len);
	return !is_common(own, words_before, id, true) && !is_common(own, words_before, id, false);
}

/* The length of the target's own id at `at`. Each run of digits is looked at once: *seen is the end of the last. */
static size_t own_id_at(const struct own *own, const char *text, const char *at, size_t words_before, const char **seen)
{
	size_t len;

	if (!own->ids || at < *seen || (at > text && isalnum((unsigned char)at[-1])))
		return 0;
	len = id_run(at);
	*seen = at + len;
	return is_id(at, len) && is_own_id(own, at, len, words_before) ? len : 0;
}

static void replace_own(struct buf *out, const struct own *own, const char *text)
{
	const char *at = text, *seen = text;
	struct own_hash hash = {0};
	size_t words_before = 0;

	while (*at != '\0') {
		size_t taken = escape_at(out, at);

		if (taken == 0)
			taken = replace_at(out, own, text, at, words_before);
		if (taken == 0 && own->change != NULL && word_byte(*at) && (at == text || !word_byte(at[-1])))
			find_hash(&hash, own, at);
		if (taken == 0 && at == hash.at) {
			buf_adds(out, hash.stand_in);
			taken = SPECS_NAME_HASH_CHARS;
		}
		if (taken == 0 && (taken = own_id_at(own, text, at, words_before, &seen)) > 0)
			buf_adds(out, "${id}");
		if (taken == 0) {
			buf_addc(out, *at);
			taken = 1;
		}
		for (; taken > 0; taken--, at++)
			words_before += isalnum((unsigned char)at[0]) && !isalnum((unsigned char)at[1]);
	}
	free(hash.stand_in);
}

static json_t *abstract_text(struct plan_abstract *a, uint64_t place, const struct plan_change *change, unsigned may,
			     const json_t *value)
{
	const char *text = json_string_value(value);
	const struct span *span = span_find(a->spans, a->room, plan_abstract_hash(place, text));
	buf_auto struct buf out = BUF_INIT;
	struct own own = {0};

	own.a = a;
	own.place = place;
	if (!span->accounts && (may & PLAN_OWN_ACCOUNT) != 0) {
		own.account = change->account;
		own.account_id = change->account_id;
	}
	if (!span->regions && (may & PLAN_OWN_REGION) != 0)
		own.region = change->region;
	if (may != 0 && !(span->accounts && span->regions)) {
		own.change = change;
		own.ids = true;
		own.same_in_regions = span->regions;
	}
	replace_own(&out, &own, text);
	if (strcmp(buf_str(&out), text) == 0)
		return json_incref((json_t *)value);
	return json_string(buf_str(&out));
}

json_t *plan_abstract_value(struct plan_abstract *a, uint64_t place, const struct plan_change *change, unsigned own,
			    const json_t *value)
{
	json_t *copy = NULL, *item, *changed;
	const char *key;
	size_t i;

	if (json_is_string(value))
		return abstract_text(a, place, change, own, value);
	json_object_foreach((json_t *)value, key, item)
	{
		changed = plan_abstract_value(a, plan_abstract_hash(place, key), change, own, item);
		if (changed != item && copy == NULL)
			copy = json_copy((json_t *)value);
		if (changed != item)
			json_object_set(copy, key, changed);
		json_decref(changed);
	}
	json_array_foreach((json_t *)value, i, item)
	{
		changed = plan_abstract_value(a, item_place(place, i), change, own, item);
		if (changed != item && copy == NULL)
			copy = json_copy((json_t *)value);
		if (changed != item)
			json_array_set(copy, i, changed);
		json_decref(changed);
	}
	return copy != NULL ? copy : json_incref((json_t *)value);
}

void plan_abstract_message(struct buf *out, const struct plan_abstract *a, const struct plan_change *change,
			   const char *text)
{
	const struct own own = {
	    .account = change->account,
	    .account_id = change->account_id,
	    .region = change->region,
	    .change = change,
	    .ids = true,
	    .a = a,
	};

	replace_own(out, &own, text);
}

void plan_abstract_text(struct buf *out, const char *text, const char *account, const char *account_id,
			const char *region)
{
	const struct own own = {.account = account, .account_id = account_id, .region = region};

	replace_own(out, &own, text);
}
