/* Reads the data file with pread() and proves that its pages hang together, before LMDB follows them in its map: there
 * a file cut short is a SIGBUS and a wild page number a crash. Knows LMDB 0.9's file layout (mdb.c), as far as that.
 * Does not look into values: what they hold is checked where it is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "state/store.h"

/* -- LMDB's file layout (in the machine's own byte order and word size) ----------------------------------------------
 */

#define META_MAGIC   0xBEEFC0DEu
#define META_VERSION 1
#define NO_PAGE      SIZE_MAX
#define MAX_PAGE     0x10000u /* LMDB's largest is 0x8000 */
#define MAX_DEPTH    32       /* LMDB's CURSOR_STACK */

enum page_flags { PAGE_BRANCH = 1, PAGE_LEAF = 2, PAGE_OVERFLOW = 4, PAGE_META = 8, PAGE_KINDS = 0x6F };
enum node_flags { NODE_BIG = 1, NODE_DB = 2 };

struct page_head {
	size_t number;
	uint16_t pad, flags;
	union {
		struct {
			uint16_t lower, upper;
		};
		uint32_t pages; /* of an overflow run */
	};
};

struct node_head {
	uint16_t low, high, flags, key_bytes;
};

struct db_head {
	uint32_t pad;
	uint16_t flags, depth;
	size_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

struct meta {
	uint32_t magic, version;
	void *address;
	size_t map_bytes;
	struct db_head dbs[2]; /* free pages; the main database */
	size_t last_page;
	size_t txn;
};

enum tree { TREE_FREE, TREE_MAIN, TREE_DATA };

struct check {
	const struct state *state;
	int fd;
	size_t page_bytes, last_page, file_bytes;
	unsigned char *seen; /* one bit a page: each has one place */
	/* One buffer for each page on the way down: through the main database, then through one in it. */
	unsigned char *pages[2 * MAX_DEPTH];
	size_t level;
	struct diag *d;
};

/* -- The header ---------------------------------------------------------------------------------------------------- */

static int read_at(int fd, void *out, size_t len, size_t at)
{
	ssize_t got;

	do
		got = pread(fd, out, len, (off_t)at);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)len ? 0 : -1;
}

/* Meta page `which` (0 or 1). `page_bytes` 0: not known yet. */
static int read_meta(struct meta *out, int fd, size_t which, size_t page_bytes)
{
	unsigned char page[sizeof(struct page_head) + sizeof *out];
	struct page_head head;

	if (read_at(fd, page, sizeof page, which * page_bytes) < 0)
		return -1;
	memcpy(&head, page, sizeof head);
	memcpy(out, page + sizeof head, sizeof *out);
	return (head.flags & PAGE_META) != 0 && out->magic == META_MAGIC ? 0 : -1;
}

static bool page_bytes_valid(size_t bytes)
{
	return bytes >= 256 && bytes < MAX_PAGE && (bytes & (bytes - 1)) == 0;
}

int store_check_header(struct store_header *out, const struct state *state, int fd, struct diag *d)
{
	struct meta metas[2];
	struct stat st;
	size_t page;

	if (fstat(fd, &st) != 0)
		return store_error(state, d, errno, "look at it");
	if (!S_ISREG(st.st_mode))
		return store_corrupt(state, d, "it is no regular file");
	if (st.st_size == 0)
		return store_corrupt(state, d, "the file is empty");
	if (read_meta(&metas[0], fd, 0, 0) < 0)
		return store_corrupt(state, d, "the file is not LMDB's");
	if (metas[0].version != META_VERSION)
		return store_corrupt(state, d, "LMDB's own format is %u, not %d", metas[0].version, META_VERSION);
	page = metas[0].dbs[0].pad;
	if (!page_bytes_valid(page))
		return store_corrupt(state, d, "the size of its pages is wrong");
	if (read_meta(&metas[1], fd, 1, page) < 0 || metas[1].version != META_VERSION || metas[1].dbs[0].pad != page)
		return store_corrupt(state, d, "its second header is wrong or cut off");
	*out = (struct store_header){.page_bytes = page};
	for (size_t i = 0; i < 2; i++) {
		if (metas[i].last_page >= SIZE_MAX / 2 / page || metas[i].map_bytes >= SIZE_MAX / 4)
			return store_corrupt(state, d, "its header is wrong");
		if (metas[i].map_bytes > out->map_bytes)
			out->map_bytes = metas[i].map_bytes;
		if ((metas[i].last_page + 1) * page > out->data_bytes)
			out->data_bytes = (metas[i].last_page + 1) * page;
	}
	return 0;
}

/* -- Pages --------------------------------------------------------------------------------------------------------- */

static int check_tree(struct check *c, const struct db_head *db, enum tree tree);

static int mark_page(struct check *c, size_t page)
{
	if (c->seen[page / 8] & (1u << (page % 8)))
		return store_corrupt(c->state, c->d, "page %zu is in use twice", page);
	c->seen[page / 8] |= (unsigned char)(1u << (page % 8));
	return 0;
}

/* Takes `count` pages from `first` as in use; -1 when they lie outside of the file or are in use already. */
static int take_pages(struct check *c, size_t first, size_t count)
{
	if (first < 2 || count == 0 || first > c->last_page || count > c->last_page - first + 1)
		return store_corrupt(c->state, c->d, "it refers to page %zu, which it does not have", first);
	if ((first + count) * c->page_bytes > c->file_bytes)
		return store_corrupt(c->state, c->d, "the file is cut short: %zu bytes, but page %zu is in use",
				     c->file_bytes, first + count - 1);
	for (size_t i = first; i < first + count; i++)
		if (mark_page(c, i) < 0)
			return -1;
	return 0;
}

/* A list of free pages: its length, then their numbers. They count as taken, so that none of them is in use as well;
 * but those at the end may never have been written. */
static int check_free_list(struct check *c, const unsigned char *list, size_t bytes)
{
	size_t count = 0, page;

	if (bytes >= sizeof count)
		memcpy(&count, list, sizeof count);
	if (bytes < sizeof count || count > bytes / sizeof count - 1)
		return store_corrupt(c->state, c->d, "a list of free pages is wrong");
	for (size_t i = 1; i <= count; i++) {
		memcpy(&page, list + i * sizeof page, sizeof page);
		if (page < 2 || page > c->last_page)
			return store_corrupt(c->state, c->d, "a list of free pages is wrong");
		if (mark_page(c, page) < 0)
			return -1;
	}
	return 0;
}

/* A value kept in pages of its own. */
static int check_overflow(struct check *c, const unsigned char *value, size_t bytes, enum tree tree)
{
	size_t number, count = (sizeof(struct page_head) - 1 + bytes) / c->page_bytes + 1;
	struct page_head head;
	unsigned char *list;
	int rc = 0;

	memcpy(&number, value, sizeof number);
	if (take_pages(c, number, count) < 0)
		return -1;
	if (read_at(c->fd, &head, sizeof head, number * c->page_bytes) < 0 || head.number != number ||
	    (head.flags & PAGE_KINDS) != PAGE_OVERFLOW || head.pages < count)
		return store_corrupt(c->state, c->d, "page %zu is not what it should be", number);
	if (tree != TREE_FREE)
		return 0;
	list = mem_alloc(bytes);
	if (read_at(c->fd, list, bytes, number * c->page_bytes + sizeof head) < 0)
		rc = store_corrupt(c->state, c->d, "page %zu cannot be read", number);
	else
		rc = check_free_list(c, list, bytes);
	free(list);
	return rc;
}

/* One entry of a leaf; `room` bytes from `at` to the end of the page. */
static int check_leaf_node(struct check *c, const unsigned char *at, size_t room, enum tree tree)
{
	struct node_head node;
	struct db_head db;
	const unsigned char *value;
	size_t bytes;

	memcpy(&node, at, sizeof node);
	bytes = node.low | (size_t)node.high << 16;
	value = at + sizeof node + node.key_bytes;
	room -= sizeof node;
	if (node.key_bytes > room)
		goto bad;
	room -= node.key_bytes;
	if ((node.flags & NODE_BIG ? sizeof(size_t) : bytes) > room || node.key_bytes == 0)
		goto bad;
	if (node.flags & NODE_BIG)
		return check_overflow(c, value, bytes, tree);
	if (tree == TREE_FREE)
		return check_free_list(c, value, bytes);
	/* Only the main database holds databases; a value with several forms (DUPSORT) is nothing that muster writes.
	 */
	if (!(node.flags & NODE_DB))
		return node.flags == 0 ? 0 : store_corrupt(c->state, c->d, "an entry is of an unknown kind");
	if (tree != TREE_MAIN || bytes != sizeof db)
		goto bad;
	memcpy(&db, value, sizeof db);
	return check_tree(c, &db, TREE_DATA);
bad:
	return store_corrupt(c->state, c->d, "an entry does not fit its page");
}

static int check_page(struct check *c, size_t number, unsigned depth, enum tree tree, size_t *entries);

static int check_nodes(struct check *c, const unsigned char *page, size_t count, unsigned depth, enum tree tree,
		       size_t *entries)
{
	for (size_t i = 0; i < count; i++) {
		struct node_head node;
		uint16_t at;

		memcpy(&at, page + sizeof(struct page_head) + 2 * i, sizeof at);
		if (at < sizeof(struct page_head) + 2 * count || at + sizeof node > c->page_bytes)
			return store_corrupt(c->state, c->d, "an entry lies outside of its page");
		if (depth == 1) {
			if (check_leaf_node(c, page + at, c->page_bytes - at, tree) < 0)
				return -1;
			continue;
		}
		memcpy(&node, page + at, sizeof node);
		if (node.key_bytes > c->page_bytes - at - sizeof node)
			return store_corrupt(c->state, c->d, "an entry does not fit its page");
		if (check_page(c, node.low | (size_t)node.high << 16 | (size_t)node.flags << 16 << 16, depth - 1, tree,
			       entries) < 0)
			return -1;
	}
	return 0;
}

/* The page and all below it; `depth` 1 is a leaf. */
static int check_page(struct check *c, size_t number, unsigned depth, enum tree tree, size_t *entries)
{
	enum page_flags kind = depth == 1 ? PAGE_LEAF : PAGE_BRANCH;
	struct page_head head;
	unsigned char *page;
	size_t count;
	int rc = -1;

	if (take_pages(c, number, 1) < 0)
		return -1;
	if (c->pages[c->level] == NULL)
		c->pages[c->level] = mem_alloc(c->page_bytes);
	page = c->pages[c->level++];
	if (read_at(c->fd, page, c->page_bytes, number * c->page_bytes) < 0) {
		store_corrupt(c->state, c->d, "page %zu cannot be read", number);
		goto out;
	}
	memcpy(&head, page, sizeof head);
	count = head.lower < sizeof head ? 0 : (head.lower - sizeof head) / 2;
	if (head.number != number || (head.flags & PAGE_KINDS) != kind || count < (kind == PAGE_BRANCH ? 2 : 1) ||
	    head.lower % 2 != 0 || head.lower > head.upper || head.upper > c->page_bytes) {
		store_corrupt(c->state, c->d, "page %zu is not what it should be", number);
		goto out;
	}
	if (depth == 1)
		*entries += count;
	rc = check_nodes(c, page, count, depth, tree, entries);
out:
	c->level--;
	return rc;
}

static int check_tree(struct check *c, const struct db_head *db, enum tree tree)
{
	size_t entries = 0;

	if (db->root == NO_PAGE)
		return db->entries == 0 && db->depth == 0 ? 0 : store_corrupt(c->state, c->d, "a tree lost its root");
	if (db->depth == 0 || db->depth >= MAX_DEPTH)
		return store_corrupt(c->state, c->d, "a tree's depth is wrong");
	if (check_page(c, db->root, db->depth, tree, &entries) < 0)
		return -1;
	if (entries != db->entries)
		return store_corrupt(c->state, c->d, "a tree has %zu entries and says %zu", entries, db->entries);
	return 0;
}

/* The header of the very snapshot: it stays in its place until the second commit after. */
static int snapshot_meta(struct check *c, size_t txn, struct meta *out)
{
	for (size_t which = 0; which < 2; which++)
		if (read_meta(out, c->fd, which, c->page_bytes) == 0 && out->txn == txn)
			return 0;
	return -1;
}

int store_check_pages(const struct state *state, MDB_txn *mdb, struct diag *d)
{
	struct check c = {.state = state, .d = d};
	struct meta meta;
	struct stat st;
	MDB_stat stat;
	int rc;

	mdb_env_stat(state->env, &stat);
	c.page_bytes = stat.ms_psize;
	if (mdb_env_get_fd(state->env, &c.fd) != 0)
		return 0;
	/* A writer was quicker twice since the snapshot: it wrote from a file that it had checked itself. */
	if (snapshot_meta(&c, mdb_txn_id(mdb), &meta) < 0)
		return 0;
	if (fstat(c.fd, &st) != 0)
		return store_error(state, d, errno, "look at it");
	c.file_bytes = (size_t)st.st_size;
	c.last_page = meta.last_page;
	c.seen = mem_alloc(c.last_page / 8 + 1);
	rc = check_tree(&c, &meta.dbs[0], TREE_FREE);
	if (rc == 0)
		rc = check_tree(&c, &meta.dbs[1], TREE_MAIN);
	for (size_t i = 0; i < sizeof c.pages / sizeof *c.pages; i++)
		free(c.pages[i]);
	free(c.seen);
	return rc;
}
