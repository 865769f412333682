/* Which file systems a state may be written on. LMDB's shared memory and the OS lock hold on one machine only, so what
 * several machines can mount is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/mem.h"
#include "state/store.h"

#define FUSE_MAGIC 0x65735546ul

/* f_type of statfs(2). Cluster file systems (GFS2, OCFS2, ...) count too: no mmap coherence is promised there. */
static const struct {
	unsigned long type;
	const char *name;
} network_types[] = {
    {0x6969ul, "NFS"},        {0x517Bul, "SMB"},
    {0xFF534D42ul, "CIFS"},   {0xFE534D42ul, "SMB2"},
    {0x564Cul, "NCP"},        {0x73757245ul, "Coda"},
    {0x5346414Ful, "AFS"},    {0x6B414653ul, "AFS"},
    {0x00C36400ul, "Ceph"},   {0x01021997ul, "9p"},
    {0x0BD00BD0ul, "Lustre"}, {0x01161970ul, "GFS2"},
    {0x7461636Ful, "OCFS2"},  {0x47504653ul, "GPFS"},
    {0x19830326ul, "BeeGFS"}, {0x786F4256ul, "VirtualBox's shared folder"},
};

/* FUSE is allowed (encrypted and overlay file systems are FUSE) save where its kind is known to reach over a network or
 * to a machine's host. */
static const char *const network_fuse[] = {
    "sshfs",     "s3fs",     "gcsfuse",       "rclone",    "glusterfs",   "davfs",     "davfs2",
    "goofys",    "mount-s3", "mountpoint-s3", "ceph",      "juicefs",     "seaweedfs", "blobfuse",
    "blobfuse2", "moosefs",  "curlftpfs",     "onedriver", "vmhgfs-fuse", "grpcfuse",
};

const char *store_network_name(unsigned long type, const char *kind)
{
	if (type == FUSE_MAGIC && kind != NULL) {
		if (strcmp(kind, "virtiofs") == 0)
			return "virtiofs";
		if (strncmp(kind, "fuse.", 5) == 0)
			kind += 5;
		for (size_t i = 0; i < sizeof network_fuse / sizeof *network_fuse; i++)
			if (strcmp(kind, network_fuse[i]) == 0)
				return network_fuse[i];
		return NULL;
	}
	for (size_t i = 0; i < sizeof network_types / sizeof *network_types; i++)
		if (type == network_types[i].type)
			return network_types[i].name;
	return NULL;
}

/* The kind of the file system that device `dev` is, from /proc/self/mountinfo; NULL when it does not say. */
static char *mount_kind(dev_t dev)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *kind = NULL;
	size_t room = 0;
	unsigned int id, parent, major_number, minor_number;

	while (mounts != NULL && kind == NULL && getline(&line, &room, mounts) > 0) {
		const char *rest = strstr(line, " - ");

		if (rest == NULL || sscanf(line, "%u %u %u:%u", &id, &parent, &major_number, &minor_number) != 4)
			continue;
		if (major_number == major(dev) && minor_number == minor(dev))
			kind = mem_strndup(rest + 3, strcspn(rest + 3, " \n"));
	}
	free(line);
	if (mounts != NULL)
		fclose(mounts);
	return kind;
}

/* The nearest of `directory` and what it lies in that exists, so that nothing is created before the check. */
static char *nearest_existing(const char *directory)
{
	char *path = mem_strdup(*directory == '\0' ? "." : directory), *slash;
	struct stat st;

	while (stat(path, &st) != 0 && strcmp(path, ".") != 0 && strcmp(path, "/") != 0) {
		slash = strrchr(path, '/');
		if (slash == NULL)
			memcpy(path, ".", 2); /* it has one byte at least */
		else
			slash[slash == path] = '\0';
	}
	return path;
}

int store_network_refuse(const char *directory, struct diag *d)
{
	mem_auto_str char *path = nearest_existing(directory);
	mem_auto_str char *kind = NULL;
	const char *name;
	struct statfs fs;
	struct stat st;

	/* What cannot be asked here cannot be opened either: that message comes then. */
	if (statfs(path, &fs) != 0 || stat(path, &st) != 0)
		return 0;
	if ((unsigned long)fs.f_type == FUSE_MAGIC)
		kind = mount_kind(st.st_dev);
	name = store_network_name((unsigned long)fs.f_type & 0xFFFFFFFFul, kind);
	if (name == NULL)
		return 0;
	return diag_error(d,
			  "state %s: it lies on a network file system (%s), where locks and shared memory cannot be "
			  "relied on: set State.Path to a local disk",
			  directory, name);
}
