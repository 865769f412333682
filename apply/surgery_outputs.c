/* What surgery on records does to the outputs of their stacks. */
#include <stdlib.h>
#include <string.h>

#include "apply/run.h"
#include "apply/surgery.h"
#include "base/mem.h"

struct instances {
	char **list;
	size_t count, room;
};

static int collect(void *payload, const struct state_outputs *outputs)
{
	struct instances *all = payload;

	if (all->count == all->room) {
		all->room = all->room == 0 ? 64 : 2 * all->room;
		all->list = mem_resize(all->list, all->room, sizeof *all->list);
	}
	all->list[all->count++] = mem_strdup(outputs->address);
	return 0;
}

static size_t slashes(const char *address)
{
	size_t count = 0;

	for (; *address != '\0'; address++)
		count += *address == '/';
	return count;
}

int surgery_outputs_move(struct surgery *s, const char *from, const char *to)
{
	struct instances all = {0};
	int rc = slashes(from) < 3 ? state_outputs_each(s->txn, from, collect, &all, s->d) : 0;

	for (size_t i = 0; i < all.count; i++) {
		mem_auto_str char *now = mem_printf("%s%s", to, all.list[i] + strlen(from));

		if (rc == 0)
			rc = apply_outputs_move(s->txn, all.list[i], now, s->d);
		free(all.list[i]);
	}
	free(all.list);
	return rc < 0 ? -1 : 0;
}

static int is_there(void *payload, const struct state_record *record)
{
	(void)payload;
	(void)record;
	return 1;
}

int surgery_outputs_forget(struct surgery *s, char *const *addresses, size_t count)
{
	char *last = mem_strdup("");
	int rc = 0;

	for (size_t i = 0; i < count && rc == 0; i++) {
		size_t len = (size_t)(strrchr(addresses[i], '/') - addresses[i]);

		if (strlen(last) == len && strncmp(last, addresses[i], len) == 0)
			continue;
		free(last);
		last = mem_strndup(addresses[i], len);
		rc = state_record_each(s->txn, last, is_there, NULL, s->d);
		if (rc == 0)
			rc = state_outputs_delete(s->txn, last, s->d);
		rc = rc < 0 ? -1 : 0;
	}
	free(last);
	return rc;
}
