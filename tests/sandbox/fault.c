/* Faults on demand: which calls they hit, and what they do to them. */
#include "tests/sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

enum action { ACT_ERROR, ACT_DROP, ACT_HANG, ACT_LOSE };

struct sb_fault {
	struct sb_fault *next;
	char *account, *region, *service, *operation; /* globs; NULL matches all */
	char *code, *message;
	int status;
	enum action action;
	int64_t count, after, every; /* of the matches: at most so many, not the first so many, only every nth */
	int64_t matched, hit;
};

static void fault_free(struct sb_fault *fault)
{
	free(fault->account);
	free(fault->region);
	free(fault->service);
	free(fault->operation);
	free(fault->code);
	free(fault->message);
	free(fault);
}

static bool action_read(enum action *action, const char *text)
{
	static const char *const names[] = {"error", "drop", "hang", "lost-answer"};

	for (size_t i = 0; i < 4; i++) {
		if (strcmp(names[i], text) == 0) {
			*action = (enum action)i;
			return true;
		}
	}
	return false;
}

static void text_set(char **slot, const char *value)
{
	free(*slot);
	*slot = mem_strdup(value);
}

static bool number_set(int64_t *slot, const char *value)
{
	char *end;

	*slot = strtoll(value, &end, 10);
	return *end == '\0' && end != value && *slot >= 0;
}

static bool fault_set(struct sb_fault *fault, const char *key, const char *value)
{
	struct {
		const char *key;
		char **text;
		int64_t *number;
	} slots[] = {
	    {"account", &fault->account, NULL}, {"region", &fault->region, NULL},
	    {"service", &fault->service, NULL}, {"operation", &fault->operation, NULL},
	    {"code", &fault->code, NULL},       {"message", &fault->message, NULL},
	    {"count", NULL, &fault->count},     {"after", NULL, &fault->after},
	    {"every", NULL, &fault->every},
	};
	int64_t status;

	if (strcmp(key, "action") == 0)
		return action_read(&fault->action, value);
	if (strcmp(key, "status") == 0) {
		bool ok = number_set(&status, value) && status >= 100 && status <= 599;

		fault->status = (int)status;
		return ok;
	}
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		if (strcmp(slots[i].key, key) != 0)
			continue;
		if (slots[i].number != NULL)
			return number_set(slots[i].number, value);
		text_set(slots[i].text, value);
		return true;
	}
	return false;
}

int sb_fault_add(struct sb *sb, const char *spec, char **why)
{
	struct sb_fault *fault = mem_alloc(sizeof *fault), **last = &sb->faults;
	mem_auto_str char *copy = mem_strdup(spec);
	char *save = NULL;

	for (char *item = strtok_r(copy, ",", &save); item != NULL; item = strtok_r(NULL, ",", &save)) {
		char *value = strchr(item, '=');

		if (value != NULL)
			*value++ = '\0';
		if (value == NULL || !fault_set(fault, item, value)) {
			*why = mem_printf("fault: cannot read \"%s\"", item);
			fault_free(fault);
			return -1;
		}
	}
	while (*last != NULL)
		last = &(*last)->next;
	*last = fault;
	return 0;
}

void sb_fault_clear(struct sb *sb)
{
	while (sb->faults != NULL) {
		struct sb_fault *next = sb->faults->next;

		fault_free(sb->faults);
		sb->faults = next;
	}
}

static bool fits(const char *glob, const char *text)
{
	return glob == NULL || sb_glob(glob, text);
}

static bool fault_hits(struct sb_fault *fault, const struct sb_call *call)
{
	if (!fits(fault->account, call->account) || !fits(fault->region, call->region) ||
	    !fits(fault->service, call->service->name) || !fits(fault->operation, call->op->name))
		return false;
	fault->matched++;
	if (fault->matched <= fault->after || (fault->count > 0 && fault->hit >= fault->count))
		return false;
	if (fault->every > 1 && (fault->matched - fault->after) % fault->every != 0)
		return false;
	fault->hit++;
	return true;
}

int sb_fault_check(struct sb_call *call)
{
	for (struct sb_fault *fault = call->sb->faults; fault != NULL; fault = fault->next) {
		if (!fault_hits(fault, call))
			continue;
		switch (fault->action) {
		case ACT_DROP:
			call->drop = true;
			return 0;
		case ACT_HANG:
			call->hang = true;
			return 0;
		case ACT_LOSE:
			call->lose_answer = true;
			return 0;
		case ACT_ERROR:
			return sb_fail(call,
				       fault->status != 0    ? fault->status
				       : fault->code != NULL ? 400
							     : 500,
				       fault->code != NULL ? fault->code : "InternalFailure", "%s",
				       fault->message != NULL ? fault->message : "A fault that the sandbox was told.");
		}
	}
	return 0;
}
