/* Whole files, see text.h: read up to a limit, and replaced at once or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define PENDING_BYTES 65536

int text_file_read(struct buf *out, const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = 0;
	char chunk[65536];
	struct stat facts;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
		close(fd);
		return -EISDIR;
	}
	for (size_t total = 0;;) {
		ssize_t got = read(fd, chunk, sizeof chunk);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			result = got < 0 ? -errno : 0;
			break;
		}
		total += (size_t)got;
		if (total > max) {
			result = -EFBIG;
			break;
		}
		buf_add(out, chunk, (size_t)got);
	}
	close(fd);
	return result;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

static int sync_folder(const char *path)
{
	mem_auto_str char *folder = mem_strdup(path);
	char *slash = strrchr(folder, '/');
	int fd, result;

	if (slash == NULL)
		fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else {
		slash[slash == folder] = '\0';
		fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a folder; the rename itself has been done by then. */
	result = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
	close(fd);
	return result;
}

/* A new file beside `path` under a name that nobody can have put there before. */
static int temporary_open(char **name, const char *path, unsigned mode)
{
	uint32_t random;
	int fd;

	do {
		free(*name);
		if (getrandom(&random, sizeof random, 0) != sizeof random)
			random = (uint32_t)getpid();
		*name = mem_printf("%s.%08x.tmp", path, random);
		fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

/* -- Piece by piece ------------------------------------------------------------------------------------------------ */

int text_file_start(struct text_file *file, const char *path, unsigned mode)
{
	*file = (struct text_file){.path = mem_strdup(path)};
	file->fd = temporary_open(&file->temporary, path, mode);
	if (file->fd < 0)
		file->result = -errno;
	return file->result;
}

static void write_pending(struct text_file *file)
{
	if (file->result == 0)
		file->result = write_all(file->fd, file->pending.data, file->pending.len);
	buf_clear(&file->pending);
}

void text_file_add(struct text_file *file, const void *bytes, size_t len)
{
	file->len += len;
	buf_add(&file->pending, bytes, len);
	if (file->pending.len >= PENDING_BYTES)
		write_pending(file);
}

static int file_end(struct text_file *file, bool keep)
{
	int result = file->result;

	if (file->fd >= 0 && close(file->fd) < 0 && result == 0)
		result = -errno;
	if (keep && result == 0 && rename(file->temporary, file->path) < 0)
		result = -errno;
	if (file->fd >= 0 && (!keep || result < 0))
		unlink(file->temporary);
	if (keep && result == 0)
		result = sync_folder(file->path);
	free(file->path);
	free(file->temporary);
	buf_free(&file->pending);
	*file = (struct text_file){.fd = -1};
	return result;
}

int text_file_finish(struct text_file *file)
{
	write_pending(file);
	if (file->result == 0 && fsync(file->fd) < 0)
		file->result = -errno;
	return file_end(file, true);
}

void text_file_drop(struct text_file *file)
{
	file_end(file, false);
}

int text_file_write(const char *path, const void *bytes, size_t len, unsigned mode)
{
	struct text_file file;

	text_file_start(&file, path, mode);
	if (file.result == 0)
		file.result = write_all(file.fd, bytes, len);
	return text_file_finish(&file);
}
