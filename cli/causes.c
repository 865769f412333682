/* See causes.h. */
#include "cli/causes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/words.h"

/* Causes told one by one: where each stands takes a look at the whole plan. */
#define CAUSES_SHOWN 50
/* Words of a message longer than this are tokens (encoded authorization failures), another in each answer. */
#define TOKEN_MIN 60

/* -- Finding causes --------------------------------------------------------------------------------------------------
 */

static bool is_token_byte(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '+' || c == '/' || c == '=';
}

static bool is_uuid(const char *text, size_t len)
{
	if (len != 36)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* The length of " (tried 3 times)" at `text`, or 0. */
static size_t tries_length(const char *text)
{
	static const char before[] = " (tried ", after[] = " times)";
	size_t len = sizeof before - 1;

	if (strncmp(text, before, len) != 0 || !isdigit((unsigned char)text[len]))
		return 0;
	while (isdigit((unsigned char)text[len]))
		len++;
	return strncmp(text + len, after, sizeof after - 1) == 0 ? len + sizeof after - 1 : 0;
}

/* Request ids, tokens and how often it was tried differ in every answer and tell nothing of the cause. */
static void without_tokens(struct buf *out, const char *text)
{
	while (*text != '\0') {
		size_t len = tries_length(text);

		if (len > 0) {
			text += len;
			continue;
		}

		while (is_token_byte(text[len]))
			len++;
		if (len >= TOKEN_MIN || is_uuid(text, len))
			buf_adds(out, "...");
		else
			buf_add(out, text, len);
		text += len;
		if (*text != '\0')
			buf_addc(out, *text++);
	}
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* "stack/LogicalId" of an address. */
static const char *name_of(const struct plan_change *change)
{
	return change->address + strlen(change->account) + 1 + strlen(change->region) + 1;
}

static void cause_add(struct cause *cause, const struct plan_change *change)
{
	bool had = false;

	if (cause->count == cause->room) {
		cause->room = cause->room == 0 ? 4 : 2 * cause->room;
		cause->where = mem_resize(cause->where, cause->room, sizeof *cause->where);
		cause->addresses = mem_resize(cause->addresses, cause->room, sizeof *cause->addresses);
	}
	cause->addresses[cause->count] = change->address;
	cause->where[cause->count++] = (struct plan_where){change->account, change->region};
	for (size_t i = 0; i < cause->name_count && i < CAUSE_NAMES_MAX; i++)
		had |= strcmp(cause->names[i], name_of(change)) == 0;
	if (had)
		return;
	if (cause->name_count < CAUSE_NAMES_MAX)
		cause->names[cause->name_count] = name_of(change);
	cause->name_count++;
}

static void causes_add(struct causes *causes, const struct plan_abstract *abstract, const struct plan *plan,
		       const struct apply_failure *failure)
{
	const struct plan_change *change = &plan->changes[failure->change];
	buf_auto struct buf common = BUF_INIT, message = BUF_INIT, key = BUF_INIT;
	struct cause *cause;

	plan_abstract_message(&common, abstract, change, or_empty(failure->message));
	without_tokens(&message, buf_str(&common));
	buf_addf(&key, "%s\n%d\n%s\n%s\n%s", change->type_name, change->action, or_empty(failure->operation),
		 or_empty(failure->code), buf_str(&message));
	cause = map_get(&causes->by_key, buf_str(&key));
	if (cause == NULL) {
		cause = mem_alloc(sizeof *cause);
		cause->sample = failure;
		cause->change = change;
		cause->message = mem_strdup(or_empty(failure->message));
		map_set(&causes->by_key, buf_str(&key), cause);
	} else if (strcmp(cause->message, or_empty(failure->message)) != 0) {
		free(cause->message);
		cause->message = buf_detach(&message);
	}
	cause_add(cause, change);
	map_set(&causes->by_address, change->address, cause);
}

static int order_causes(const void *a, const void *b)
{
	const struct cause *x = *(struct cause *const *)a, *y = *(struct cause *const *)b;

	if (x->count + x->skipped != y->count + y->skipped)
		return x->count + x->skipped > y->count + y->skipped ? -1 : 1;
	return strcmp(x->change->address, y->change->address);
}

void causes_find(struct causes *causes, const struct plan *plan, const struct apply_report *report)
{
	struct plan_abstract *abstract = plan_abstract_new(plan);

	*causes = (struct causes){0};
	for (size_t i = 0; i < report->failure_count; i++)
		if (report->failures[i].status == APPLY_FAILED)
			causes_add(causes, abstract, plan, &report->failures[i]);
	for (size_t i = 0; i < report->failure_count; i++) {
		const struct apply_failure *failure = &report->failures[i];
		struct cause *cause = failure->because != NULL ? map_get(&causes->by_address, failure->because) : NULL;

		if (failure->status == APPLY_SKIPPED && cause != NULL)
			cause->skipped++;
		else if (failure->status == APPLY_SKIPPED)
			causes->skipped_otherwise++;
	}
	causes->sorted = mem_array(causes->by_key.count, sizeof(struct cause *));
	for (size_t i = 0; i < causes->by_key.count; i++)
		causes->sorted[causes->count++] = causes->by_key.entries[i].value;
	qsort(causes->sorted, causes->count, sizeof(struct cause *), order_causes);
	plan_abstract_free(abstract);
}

static void cause_free(void *value)
{
	struct cause *cause = value;

	free(cause->message);
	free(cause->where);
	free(cause->addresses);
	free(cause);
}

void causes_free(struct causes *causes)
{
	map_free(&causes->by_key, cause_free);
	map_free(&causes->by_address, NULL);
	free(causes->sorted);
}

void cause_where(struct buf *out, const struct plan *plan, const struct cause *cause)
{
	struct plan_where *all = mem_array(plan->change_count, sizeof *all);
	size_t count = 0;

	for (size_t i = 0; i < plan->change_count; i++)
		if (strcmp(plan->changes[i].type_name, cause->change->type_name) == 0)
			all[count++] = (struct plan_where){plan->changes[i].account, plan->changes[i].region};
	plan_where_words(out, cause->where, cause->count, all, count, plan->home_region);
	free(all);
}

/* -- In words --------------------------------------------------------------------------------------------------------
 */

void cause_names(struct buf *out, const struct cause *cause)
{
	for (size_t i = 0; i < cause->name_count && i < CAUSE_NAMES_MAX; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", cause->names[i]);
	if (cause->name_count > CAUSE_NAMES_MAX)
		buf_addf(out, " and %zu more", cause->name_count - CAUSE_NAMES_MAX);
}

void cause_why(struct buf *out, const struct cause *cause)
{
	buf_auto struct buf why = BUF_INIT;

	words_cause(&why, cause->sample->operation, cause->sample->code, cause->message);
	words_plain(out, why.len > 2 ? buf_str(&why) + 2 : "no reason was given");
}

static void cause_text(struct buf *out, const struct plan *plan, const struct cause *cause, bool color)
{
	buf_addf(out, "\n%s%s failed:%s ", color ? "\033[31m" : "", plan_action_name(cause->change->action),
		 color ? "\033[0m" : "");
	cause_names(out, cause);
	buf_addf(out, " (%s)\n    in ", cause->change->type_name);
	cause_where(out, plan, cause);
	buf_adds(out, "\n    ");
	cause_why(out, cause);
	if (cause->skipped > 0) {
		buf_adds(out, "\n    ");
		words_count(out, cause->skipped);
		buf_adds(out, " skipped that need it");
	}
	buf_addc(out, '\n');
}

void causes_text(struct buf *out, const struct causes *causes, const struct plan *plan, bool color, const char *all)
{
	for (size_t i = 0; i < causes->count && i < CAUSES_SHOWN; i++)
		cause_text(out, plan, causes->sorted[i], color);
	if (causes->count > CAUSES_SHOWN) {
		buf_adds(out, "\nAnd ");
		words_count(out, causes->count - CAUSES_SHOWN);
		buf_addf(out, " more causes, of less than these; %s tells them all.\n", all);
	}
	if (causes->skipped_otherwise > 0) {
		buf_addc(out, '\n');
		words_count(out, causes->skipped_otherwise);
		buf_adds(out, " skipped, since what they need was not done.\n");
	}
}

static void set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, json_string(value));
}

static json_t *cause_json(const struct plan *plan, const struct cause *cause, bool with_where)
{
	buf_auto struct buf where = BUF_INIT;
	json_t *addresses = json_array(), *result;

	for (size_t i = 0; i < cause->count; i++)
		json_array_append_new(addresses, json_string(cause->addresses[i]));
	result = json_pack("{s:s, s:s, s:I, s:I, s:o}", "action", plan_action_name(cause->change->action),
			   "resource_type", cause->change->type_name, "count", (json_int_t)cause->count, "skipped",
			   (json_int_t)cause->skipped, "addresses", addresses);
	set_text(result, "operation", cause->sample->operation);
	set_text(result, "code", cause->sample->code);
	set_text(result, "message", cause->message);
	if (with_where) {
		cause_where(&where, plan, cause);
		set_text(result, "where", buf_str(&where));
	}
	return result;
}

json_t *causes_json(const struct causes *causes, const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < causes->count; i++)
		json_array_append_new(list, cause_json(plan, causes->sorted[i], i < CAUSES_SHOWN));
	return list;
}
