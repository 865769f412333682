/* What diff.c (by schema) and diff_document.c (JSON documents and policies) share. */
#ifndef MUSTER_PLAN_DIFF_PRIVATE_H
#define MUSTER_PLAN_DIFF_PRIVATE_H

#include "base/buf.h"
#include "plan/compare.h"

/* One walk. The flags hold for the value being looked at, its members inherit them. */
struct plan_differ {
	struct plan_diff *out;
	struct buf path;
	bool live;   /* prior was read from the service */
	bool exists; /* there is something that could be replaced */
	bool create_only, sensitive;
};

/* Adds a difference at the current path. Values are borrowed; NULL: not there. */
void plan_differ_add(struct plan_differ *d, const json_t *before, const json_t *after);
/* Lengthens the path by ".name" and by "[name]"; the caller cuts it back to the length before. */
void plan_differ_member(struct plan_differ *d, const char *name);
void plan_differ_item(struct plan_differ *d, const char *name);
void plan_differ_index(struct plan_differ *d, size_t index);

/* Two documents that are not equal, as deep as it helps a reader. */
void plan_differ_document(struct plan_differ *d, bool policy, const json_t *desired, const json_t *prior);

#endif
