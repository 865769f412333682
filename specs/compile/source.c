/* A spec directory on the file system as a source of documents. Nothing outside it is ever read. */
#include "specs/compile/compile.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The most that any reader here wants; larger files are refused before they are held in memory. */
#define SOURCE_FILE_MAX JSON_DOC_MAX_BYTES

struct directory {
	char *real; /* without symbolic links */
};

/* "a/b.json": relative, no empty, "." or ".." parts. */
static bool path_stays_inside(const char *path)
{
	if (*path == '\0')
		return false;
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[len] == '\0')
			return true;
		path += len + 1;
	}
}

/* The real path of something inside the directory: 0, -ENOENT, or -1 with a message. */
static int resolve_inside(const struct directory *dir, const char *path, char **out, struct diag *d)
{
	mem_auto_str char *joined = NULL;
	char *real;
	size_t len = strlen(dir->real);

	if (!path_stays_inside(path))
		return diag_error(d, "%s: not a path inside the spec directory", path);
	joined = mem_printf("%s/%s", dir->real, path);
	real = realpath(joined, NULL);
	if (real == NULL && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	if (real == NULL)
		return diag_error(d, "%s: %s", path, strerror(errno));
	if (strncmp(real, dir->real, len) != 0 || (real[len] != '/' && strcmp(dir->real, "/") != 0)) {
		free(real);
		return diag_error(d, "%s: leads out of the spec directory", path);
	}
	*out = real;
	return 0;
}

static int directory_read(void *payload, const char *path, char **text, size_t *len, struct diag *d)
{
	mem_auto_str char *real = NULL;
	buf_auto struct buf bytes = BUF_INIT;
	int result = resolve_inside(payload, path, &real, d);

	if (result != 0)
		return result;
	result = text_file_read(&bytes, real, SOURCE_FILE_MAX);
	if (result == -ENOENT)
		return result;
	if (result == -EFBIG)
		return diag_error(d, "%s: larger than %u MiB, the most that a file here may be", path,
				  SOURCE_FILE_MAX >> 20);
	if (result != 0)
		return diag_error(d, "%s: %s", path, strerror(-result));
	*len = bytes.len;
	*text = buf_detach(&bytes);
	return 0;
}

static int directory_list(void *payload, const char *folder, char ***names, struct diag *d)
{
	mem_auto_str char *real = NULL;
	struct dirent **entries = NULL;
	int result = resolve_inside(payload, folder, &real, d), count, used = 0;

	*names = NULL;
	if (result == -ENOENT) {
		*names = mem_array(1, sizeof **names);
		return 0;
	}
	if (result != 0 || real == NULL)
		return result;
	count = scandir(real, &entries, NULL, NULL);
	if (count < 0)
		return diag_error(d, "%s: %s", folder, strerror(errno));
	*names = mem_array((size_t)count + 1, sizeof **names);
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.')
			(*names)[used++] = mem_strdup(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	/* By bytes, not by locale: the order must be the same everywhere. */
	for (int i = 1; i < used; i++)
		for (int j = i; j > 0 && strcmp((*names)[j - 1], (*names)[j]) > 0; j--) {
			char *swap = (*names)[j];

			(*names)[j] = (*names)[j - 1];
			(*names)[j - 1] = swap;
		}
	return 0;
}

int specs_source_directory(struct specs_source *out, const char *directory, struct diag *d)
{
	struct directory *dir;
	char *real = realpath(directory, NULL);

	if (real == NULL)
		return diag_error(d, "%s: %s", directory, strerror(errno));
	dir = mem_alloc(sizeof *dir);
	dir->real = real;
	*out = (struct specs_source){directory_read, directory_list, dir, NULL};
	return 0;
}

void specs_source_free(struct specs_source *source)
{
	struct directory *dir = source->payload;

	if (dir != NULL)
		free(dir->real);
	free(dir);
	*source = (struct specs_source){NULL, NULL, NULL, NULL};
}
