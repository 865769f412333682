/* Opening and closing a state: the directory, the lock, the environment, in this order. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "state/store.h"

/* The states that this process has open. LMDB forbids to open one twice in a process (closing either gives up the
 * locks of both), so a second attempt must be noticed; this list is the one place where that can be. */
static struct state *open_states;

/* -- The directory ------------------------------------------------------------------------------------------------- */

static int make_directory(const char *path)
{
	mem_auto_str char *parent = mem_strdup(path);
	char *slash;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != ENOENT)
		return errno;
	slash = strrchr(parent, '/');
	if (slash == NULL || slash == parent)
		return ENOENT;
	*slash = '\0';
	/* Only the state's own directory is private. */
	if (mkdir(parent, 0777) != 0 && errno != EEXIST) {
		int rc = errno == ENOENT ? make_directory(parent) : errno;

		if (rc != 0)
			return rc;
	}
	return mkdir(path, 0700) == 0 ? 0 : errno;
}

/* Whether the directory holds anything that is not the state's. */
static bool has_others(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool others = false;

	while (dir != NULL && !others && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;

		others = strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, STORE_LOCK) != 0 &&
			 strcmp(name, "lock.mdb") != 0 && !text_starts(name, "data.");
	}
	if (dir != NULL)
		closedir(dir);
	return others;
}

/* A directory of its own is ignored whole; in one shared with other files only the state's are. */
static int write_gitignore(const struct state *state, struct diag *d)
{
	mem_auto_str char *path = mem_printf("%s/.gitignore", state->directory);
	const char *text = has_others(state->directory) ? "/data.mdb\n/lock.mdb\n/data.new*\n/lock\n" : "*\n";
	int rc;

	if (access(path, F_OK) == 0)
		return 0;
	rc = text_file_write(path, text, strlen(text), 0600);
	return rc == 0 ? 0 : store_error(state, d, -rc, "write its .gitignore");
}

static bool data_exists(const struct state *state)
{
	mem_auto_str char *path = mem_printf("%s/%s", state->directory, STORE_DATA);

	return access(path, F_OK) == 0;
}

/* Directory, lock and file for a writer. */
static int prepare_write(struct state *state, int64_t wait_ms, struct diag *d)
{
	int rc;

	if (store_network_refuse(state->directory, d) < 0)
		return -1;
	rc = make_directory(state->directory);
	if (rc != 0 && rc != EEXIST)
		return store_error(state, d, rc, "create its directory");
	if (store_lock(state, wait_ms, d) < 0)
		return -1;
	if (data_exists(state))
		return 0;
	if (write_gitignore(state, d) < 0)
		return -1;
	return store_env_create(state, d);
}

/* -- Open and close ------------------------------------------------------------------------------------------------ */

static bool same_directory(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static int refuse_twice(const char *directory, struct diag *d)
{
	for (const struct state *s = open_states; s != NULL; s = s->next_open)
		if (same_directory(s->directory, directory))
			return diag_error(d, "state %s: this process (pid %ld) has it open already", directory,
					  (long)getpid());
	return 0;
}

static void forget(const struct state *state)
{
	for (struct state **at = &open_states; *at != NULL; at = &(*at)->next_open) {
		if (*at == state) {
			*at = state->next_open;
			return;
		}
	}
}

int store_open(struct state **out, const char *directory, enum state_mode mode, int64_t wait_ms, size_t map_bytes,
	       struct diag *d)
{
	struct state *state;

	*out = NULL;
	if (refuse_twice(directory, d) < 0)
		return -1;
	state = mem_alloc(sizeof *state);
	state->directory = mem_strdup(directory);
	state->mode = mode;
	state->map_bytes = map_bytes;
	state->lock_fd = -1;
	if ((mode == STATE_WRITE && prepare_write(state, wait_ms, d) < 0) || store_env_open(state, d) < 0) {
		state_close(state);
		return -1;
	}
	/* A reader of nothing has nothing open. */
	if (state->env != NULL) {
		state->next_open = open_states;
		open_states = state;
	}
	*out = state;
	return 0;
}

int state_open(struct state **out, const char *directory, enum state_mode mode, struct diag *d)
{
	return store_open(out, directory, mode, 0, 0, d);
}

int state_open_wait(struct state **out, const char *directory, enum state_mode mode, int64_t wait_ms, struct diag *d)
{
	return store_open(out, directory, mode, wait_ms, 0, d);
}

void state_close(struct state *state)
{
	if (state == NULL)
		return;
	forget(state);
	store_env_close(state);
	store_unlock(state);
	buf_free(&state->spare);
	free(state->directory);
	free(state);
}
