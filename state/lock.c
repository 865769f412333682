/* The writer's lock: an OS lock on the file `lock`, which the kernel gives up with the process however that ends. What
 * the file says of its holder is for people; a dead holder's words are simply written over. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "state/store.h"

#define HOLDER_MAX_BYTES 8192
#define COMMAND_SHOWN    300
#define POLL_MS          50

/* -- Who ----------------------------------------------------------------------------------------------------------- */

/* Arguments joined by blanks. What follows a '=' is left out: it may be a secret (--parameter K=V). */
static void command_line(struct buf *out)
{
	buf_auto struct buf raw = BUF_INIT;
	bool hidden = false;

	if (text_file_read(&raw, "/proc/self/cmdline", 1u << 20) < 0)
		return;
	for (size_t i = 0; i < raw.len && out->len < COMMAND_SHOWN; i++) {
		unsigned char c = (unsigned char)raw.data[i];

		if (c == '\0') {
			hidden = false;
			if (i + 1 < raw.len)
				buf_addc(out, ' ');
		} else if (!hidden) {
			/* Only ASCII, so that it can be cut anywhere and is JSON whatever the arguments are. */
			buf_addc(out, c >= ' ' && c < 0x7f ? (char)c : '?');
			hidden = c == '=';
		}
	}
}

static json_t *describe_self(void)
{
	buf_auto struct buf command = BUF_INIT;
	const struct passwd *user = getpwuid(geteuid());
	char host[256] = "", since[32];
	struct timespec now;

	gethostname(host, sizeof host - 1);
	clock_gettime(CLOCK_REALTIME, &now);
	text_time(since, sizeof since, (int64_t)now.tv_sec * 1000);
	command_line(&command);
	return json_pack("{s:I, s:s*, s:s*, s:s, s:s}", "Pid", (json_int_t)getpid(), "User",
			 user == NULL ? NULL : user->pw_name, "Host", host, "Command", buf_str(&command), "Since",
			 since);
}

static void sleep_ms(int64_t ms)
{
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

/* What the file says, or an empty object. */
static json_t *read_holder(int fd)
{
	char text[HOLDER_MAX_BYTES];
	ssize_t len = pread(fd, text, sizeof text, 0);
	json_t *holder = len > 0 ? json_loadb(text, (size_t)len, 0, NULL) : NULL;

	return json_is_object(holder) ? holder : json_object();
}

/* A holder that has only just locked has not written yet: it gets a moment. */
static json_t *read_settled_holder(int fd)
{
	json_t *holder = read_holder(fd);

	if (json_object_size(holder) > 0)
		return holder;
	json_decref(holder);
	sleep_ms(POLL_MS);
	return read_holder(fd);
}

static int write_holder(int fd)
{
	buf_auto struct buf text = BUF_INIT;
	json_auto_t *self = describe_self();

	json_canonical(&text, self);
	buf_addc(&text, '\n');
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data, text.len, 0) != (ssize_t)text.len)
		return errno == 0 ? EIO : errno;
	return 0;
}

static int locked_error(const struct state *state, struct diag *d)
{
	json_auto_t *holder = read_settled_holder(state->lock_fd);
	const char *command = json_get_string(holder, "Command"), *user = json_get_string(holder, "User");
	const char *host = json_get_string(holder, "Host"), *since = json_get_string(holder, "Since");

	if (json_object_get(holder, "Pid") == NULL)
		return diag_error(d, "state %s: another process has locked it", state->directory);
	return diag_error(d, "state %s: locked by pid %lld (%s@%s) since %s: %s", state->directory,
			  (long long)json_get_int(holder, "Pid", 0), user == NULL ? "?" : user,
			  host == NULL ? "?" : host, since == NULL ? "?" : since, command == NULL ? "?" : command);
}

/* -- The lock ------------------------------------------------------------------------------------------------------ */

/* An OFD lock: not lost when some other descriptor of the file is closed, as a plain fcntl() lock would be. */
static int try_lock(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? EAGAIN : errno;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Polls, since the kernel's own wait cannot be given a deadline. */
static int lock_within(int fd, int64_t wait_ms)
{
	int64_t until = now_ms() + wait_ms;
	int rc;

	while ((rc = try_lock(fd)) == EAGAIN && (wait_ms < 0 || now_ms() < until))
		sleep_ms(POLL_MS);
	return rc;
}

int store_lock(struct state *state, int64_t wait_ms, struct diag *d)
{
	mem_auto_str char *path = mem_printf("%s/%s", state->directory, STORE_LOCK);
	int rc, fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return store_error(state, d, errno, "open its lock");
	state->lock_fd = fd;
	rc = lock_within(fd, wait_ms);
	if (rc == 0 && (rc = write_holder(fd)) == 0)
		return 0;
	if (rc == EAGAIN)
		locked_error(state, d);
	else
		store_error(state, d, rc, "lock it");
	close(fd);
	state->lock_fd = -1;
	return -1;
}

/* The file stays: taking it away would let two processes lock two different files of that name. */
void store_unlock(struct state *state)
{
	if (state->lock_fd < 0)
		return;
	if (ftruncate(state->lock_fd, 0) != 0) {
		/* Its words are stale then, which readers of it expect. */
	}
	close(state->lock_fd);
	state->lock_fd = -1;
}

int state_lock_holder(const char *directory, json_t **out, struct diag *d)
{
	mem_auto_str char *path = mem_printf("%s/%s", directory, STORE_LOCK);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int rc = 0, fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = NULL;
	if (fd < 0)
		return errno == ENOENT ? 0 : diag_error(d, "%s: %s", path, strerror(errno));
	if (fcntl(fd, F_OFD_GETLK, &lock) != 0) {
		rc = diag_error(d, "%s: %s", path, strerror(errno));
	} else if (lock.l_type != F_UNLCK) {
		*out = read_holder(fd);
		rc = 1;
	}
	close(fd);
	return rc;
}
