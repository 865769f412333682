/* Type files: those built in, then the user's own. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/engine/engine.h"

static int document_add(struct schema_set *set, struct json_doc *document, const char *file, struct diag *d)
{
	int result = schema_set_add(set, file, document->root, d);

	json_doc_free(document);
	return result;
}

static int embedded_load(struct schema_set *set, struct diag *d)
{
	int result = 0;

	for (size_t i = 0; i < aws_embedded_count; i++) {
		const struct aws_embedded *file = &aws_embedded_files[i];
		struct json_doc *document;

		if (!text_starts(file->name, "types/"))
			continue;
		if (json_doc_parse(&document, file->name, file->text, file->len, d) != 0 ||
		    document_add(set, document, file->name, d) != 0)
			result = -1;
	}
	return result;
}

static int is_json(const struct dirent *entry)
{
	return text_ends(entry->d_name, ".json");
}

static int folder_load(struct schema_set *set, const char *folder, struct diag *d)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_json, alphasort), result = 0;

	if (count < 0)
		return diag_error(d, "MUSTER_TYPES_PATH: %s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		mem_auto_str char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
		struct json_doc *document;

		if (json_doc_load(&document, path, NULL, d) != 0 || document_add(set, document, path, d) != 0)
			result = -1;
		free(entries[i]);
	}
	free(entries);
	return result;
}

int aws_engine_types_load(struct schema_set *set, struct diag *d)
{
	const char *path = getenv("MUSTER_TYPES_PATH");
	int result = embedded_load(set, d);
	mem_auto_str char *copy = mem_strdup(path != NULL ? path : "");
	char *rest = NULL;

	for (char *folder = strtok_r(copy, ":", &rest); folder != NULL; folder = strtok_r(NULL, ":", &rest))
		if (folder_load(set, folder, d) != 0)
			result = -1;
	return result;
}
