/* Names for completion: from the roster, the stacks and the types. Somebody is typing: what is not there or is wrong is
 * passed over, and nothing is read that takes time. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/completion.h"

struct naming {
	struct buf *out;
	const char *directory;
	const char *prefix; /* what is there already ... */
	size_t kept;        /* ... and of it the parts of an address that are whole, with their "/" */
};

static void offer(const struct naming *n, const char *name, const char *end)
{
	if (strpbrk(name, " \t\r\n") == NULL && text_starts(name, n->prefix + n->kept))
		buf_addf(n->out, "%.*s%s%s\n", (int)n->kept, n->prefix, name, end);
}

static json_t *document(const struct naming *n, const char *file)
{
	mem_auto_str char *path = mem_printf("%s/%s", n->directory, file);
	struct diag ignored = DIAG_INIT;
	struct json_doc *doc;
	json_t *root = NULL;

	if (json_doc_load(&doc, path, NULL, &ignored) == 0) {
		root = json_incref(doc->root);
		json_doc_free(doc);
	}
	diag_free(&ignored);
	return root;
}

static void accounts(const struct naming *n)
{
	json_auto_t *roster = document(n, "accounts.json");
	json_t *account;
	size_t i;

	json_array_foreach(json_object_get(roster, "Accounts"), i, account)
	{
		const char *name = json_get_string(account, "Name");

		if (name != NULL)
			offer(n, name, "/");
	}
}

/* Those that every account has: which others are enabled only AWS and the state know. */
static void regions(const struct naming *n, const char *end)
{
	json_auto_t *settings = document(n, "muster.json");
	const char *home = json_get_string(settings, "HomeRegion");
	const char *const *all = specs_default_regions(specs_partition_of(home != NULL ? home : "us-east-1"));

	for (; *all != NULL; all++)
		offer(n, *all, end);
}

static int is_stack(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends(entry->d_name, ".json");
}

static void stacks(const struct naming *n)
{
	mem_auto_str char *path = mem_printf("%s/stacks", n->directory);
	struct dirent **entries;
	int count = scandir(path, &entries, is_stack, alphasort);

	for (int i = 0; i < count; i++) {
		mem_auto_str char *name = mem_strndup(entries[i]->d_name, strlen(entries[i]->d_name) - strlen(".json"));

		offer(n, name, "/");
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void logical_ids(const struct naming *n)
{
	/* ACCOUNT/REGION/STACK/ are whole. */
	const char *stack = strchr(strchr(n->prefix, '/') + 1, '/') + 1;
	mem_auto_str char *file = mem_printf("stacks/%.*s.json", (int)strcspn(stack, "/"), stack);
	json_auto_t *root = strstr(file, "..") != NULL ? NULL : document(n, file);
	const char *id;
	json_t *resource;

	json_object_foreach(json_object_get(root, "Resources"), id, resource) if (strchr(id, ':') == NULL)
	    offer(n, id, "");
}

static void addresses(struct naming *n)
{
	size_t parts = 0;

	for (const char *c = n->prefix; *c != '\0'; c++)
		if (*c == '/') {
			parts++;
			n->kept = (size_t)(c - n->prefix) + 1;
		}
	if (parts == 0)
		accounts(n);
	else if (parts == 1)
		regions(n, "/");
	else if (parts == 2)
		stacks(n);
	else if (parts == 3)
		logical_ids(n);
}

static void types(const struct naming *n, struct cli *cli)
{
	const struct schema_type *const *list;
	struct session s;
	size_t count;

	session_start(&s, cli);
	if (session_open_provider(&s) == 0) {
		list = schema_set_list(s.provider->ops->schemas(s.provider), &count);
		for (size_t i = 0; i < count; i++)
			offer(n, list[i]->name, "");
	}
	session_close(&s);
	/* Nobody asked muster to say what is wrong. */
	diag_free(&cli->diag);
}

static void shells(const struct naming *n)
{
	offer(n, "bash", "");
	offer(n, "fish", "");
	offer(n, "zsh", "");
}

int completion_names(struct buf *out, struct cli *cli, const char *kind, const char *prefix)
{
	struct naming n = {out, cli->directory, prefix, 0};

	if (strcmp(kind, completion_kind_name(COMPLETION_ADDRESS)) == 0)
		addresses(&n);
	else if (strcmp(kind, completion_kind_name(COMPLETION_TYPE)) == 0)
		types(&n, cli);
	else if (strcmp(kind, completion_kind_name(COMPLETION_REGION)) == 0)
		regions(&n, "");
	else if (strcmp(kind, completion_kind_name(COMPLETION_SHELL)) == 0)
		shells(&n);
	else
		return -1;
	return 0;
}
