/* Clearing up after a writer that died; see state.h. A live one is never disturbed. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/store.h"

#define HOLDER_MAX_BYTES 8192

/* What the lock file says though nobody holds it. New reference or NULL. */
static json_t *left_behind(const char *directory)
{
	mem_auto_str char *path = mem_printf("%s/%s", directory, STORE_LOCK);
	buf_auto struct buf text = BUF_INIT;
	json_t *said;

	if (text_file_read(&text, path, HOLDER_MAX_BYTES) < 0 || text.len == 0)
		return NULL;
	said = json_loadb(buf_str(&text), text.len, 0, NULL);
	return said != NULL ? said : json_object();
}

int state_unlock(const char *directory, json_t **left, struct diag *d)
{
	mem_auto_str char *data = mem_printf("%s/%s", directory, STORE_DATA);
	struct state *state = NULL;
	int held;

	*left = NULL;
	if (access(data, F_OK) != 0)
		return diag_error(d, "there is no state in %s", directory);
	held = state_lock_holder(directory, left, d);
	if (held != 0)
		return held;
	*left = left_behind(directory);
	/* Opening looks through the readers' table, and closing empties the lock file. */
	if (state_open(&state, directory, STATE_WRITE, d) < 0) {
		json_decref(*left);
		*left = NULL;
		return -1;
	}
	state_close(state);
	return 0;
}
