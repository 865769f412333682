/* Service files into struct aws_service, once at start. What the members of operations look like is read by
 * protocols/shape.c; the format is described in docs/services.md. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/protocols/shape.h"

struct aws_services {
	struct aws_service *items; /* sorted by name */
	size_t count;
};

static const char *const service_words[] = {
    "Service",     "Protocol",     "EndpointPrefix", "SigningName", "EnvironmentId", "ApiVersion", "TargetPrefix",
    "JsonVersion", "XmlNamespace", "Global",         "Names",       "Shapes",        "Operations"};
static const char *const operation_words[] = {"Http", "Reads", "Once", "Root", "Checksum", "Input", "Output"};

static int check_words(const char *file, const json_t *object, const char *const *words, size_t count,
		       const char *where, struct diag *d)
{
	const char *word;
	json_t *value;
	json_object_foreach((json_t *)object, word, value)
	{
		size_t i = 0;
		while (i < count && strcmp(words[i], word) != 0)
			i++;
		if (i == count)
			return diag_error(d, "%s: %s: unknown word \"%s\"", file, where, word);
	}
	return 0;
}

static void service_clear(struct aws_service *service)
{
	for (size_t i = 0; i < service->operation_count; i++) {
		free((char *)service->operations[i].method);
		free((char *)service->operations[i].uri);
	}
	free(service->operations);
	aws_shape_list_free(service->shapes);
	json_decref(service->document);
}

/* "POST /detector/{DetectorId}" */
static int read_http(struct aws_operation *operation, const char *file, struct diag *d)
{
	const char *http = json_get_string(operation->document, "Http");
	if (!http) {
		operation->method = mem_strdup("POST");
		operation->uri = mem_strdup("/");
		return 0;
	}
	const char *space = strchr(http, ' ');
	if (!space || space[1] != '/')
		return diag_error(d, "%s: %s: Http must be a method and a path", file, operation->name);
	operation->method = mem_strndup(http, (size_t)(space - http));
	operation->uri = mem_strdup(space + 1);
	return 0;
}

/* Marks the members that the URI names. */
static int read_labels(struct aws_operation *operation, const char *file, struct diag *d)
{
	const char *at = operation->uri, *end;
	while ((at = strchr(at, '{')) != NULL && (end = strchr(at, '}')) != NULL) {
		size_t len = (size_t)(end - at) - 1 - (end[-1] == '+');
		mem_auto_str char *name = mem_strndup(at + 1, len);
		struct aws_member *member = (struct aws_member *)aws_shape_member(operation->input, name);
		if (!member)
			return diag_error(d, "%s: %s: the label {%s} is no member of Input", file, operation->name,
					  name);
		member->in = AWS_IN_URI;
		at = end;
	}
	return 0;
}

static int read_operation(struct aws_operation *operation, const char *name, json_t *document,
			  struct aws_shape_reader *reader)
{
	if (!json_is_object(document))
		return diag_error(reader->d, "%s: %s must be an object", reader->file, name);
	if (check_words(reader->file, document, operation_words, sizeof operation_words / sizeof *operation_words, name,
			reader->d) < 0)
		return -1;
	operation->name = name;
	operation->document = document;
	operation->reads = json_get_bool(document, "Reads", false);
	operation->once = json_get_bool(document, "Once", false);
	operation->checksum = json_get_bool(document, "Checksum", false);
	operation->root = json_get_string(document, "Root");
	if (read_http(operation, reader->file, reader->d) < 0 ||
	    aws_shape_read_members(&operation->input, reader, json_object_get(document, "Input"), name) < 0)
		return -1;
	const json_t *output = json_object_get(document, "Output");
	if (output && aws_shape_read_members(&operation->output, reader, output, name) < 0)
		return -1;
	return read_labels(operation, reader->file, reader->d);
}

static int compare_operations(const void *a, const void *b)
{
	return strcmp(((const struct aws_operation *)a)->name, ((const struct aws_operation *)b)->name);
}

static int read_operations(struct aws_service *service, const char *file, struct diag *d)
{
	json_t *operations = json_object_get(service->document, "Operations");
	bool json = service->protocol == &aws_protocol_json || service->protocol == &aws_protocol_rest_json;
	const char *names = json_get_string(service->document, "Names");
	service->shapes = mem_alloc(sizeof *service->shapes);
	json_auto_t *done = json_object();
	struct aws_shape_reader reader = {.file = file,
					  .named = json_object_get(service->document, "Shapes"),
					  .named_done = done,
					  .plain = json ? AWS_ANY : AWS_STRING,
					  .camel = names && strcmp(names, "camel") == 0,
					  .owner = service->shapes,
					  .d = d};
	service->operations = mem_array(json_object_size(operations) + 1, sizeof *service->operations);
	const char *name;
	json_t *document;
	json_object_foreach(operations, name, document)
	{
		if (read_operation(&service->operations[service->operation_count++], name, document, &reader) < 0)
			return -1;
	}
	qsort(service->operations, service->operation_count, sizeof *service->operations, compare_operations);
	return 0;
}

static int read_service(struct aws_service *service, const char *file, struct diag *d)
{
	const json_t *document = service->document;
	const char *protocol = json_get_string(document, "Protocol");
	if (check_words(file, document, service_words, sizeof service_words / sizeof *service_words, "the file", d) < 0)
		return -1;
	service->name = json_get_string(document, "Service");
	service->endpoint_prefix = json_get_string(document, "EndpointPrefix");
	service->signing_name = json_get_string(document, "SigningName");
	service->environment_id = json_get_string(document, "EnvironmentId");
	service->api_version = json_get_string(document, "ApiVersion");
	service->target_prefix = json_get_string(document, "TargetPrefix");
	service->json_version = json_get_string(document, "JsonVersion");
	service->xml_namespace = json_get_string(document, "XmlNamespace");
	service->global = json_get_bool(document, "Global", false);
	service->protocol = protocol ? aws_protocol_find(protocol) : NULL;
	if (!service->protocol)
		return diag_error(d, "%s: unknown protocol \"%s\"", file, protocol ? protocol : "");
	if (!service->name || !service->endpoint_prefix || !service->environment_id)
		return diag_error(d, "%s: Service, EndpointPrefix and EnvironmentId must be given", file);
	if (!service->signing_name)
		service->signing_name = service->endpoint_prefix;
	return read_operations(service, file, d);
}

static int compare_services(const void *a, const void *b)
{
	return strcmp(((const struct aws_service *)a)->name, ((const struct aws_service *)b)->name);
}

struct aws_services *aws_services_new(void)
{
	return mem_alloc(sizeof(struct aws_services));
}

int aws_services_add(struct aws_services *services, const char *file, json_t *document, struct diag *d)
{
	struct aws_service service = {.document = json_incref(document)};
	if (read_service(&service, file, d) < 0) {
		service_clear(&service);
		return -1;
	}
	struct aws_service *old = (struct aws_service *)aws_services_find(services, service.name);
	if (old) {
		service_clear(old);
		*old = service;
		return 0;
	}
	services->items = mem_resize(services->items, services->count + 1, sizeof *services->items);
	services->items[services->count++] = service;
	qsort(services->items, services->count, sizeof *services->items, compare_services);
	return 0;
}

static int add_document(struct aws_services *services, const char *file, struct json_doc *doc, struct diag *d)
{
	int result = aws_services_add(services, file, doc->root, d);
	json_doc_free(doc);
	return result;
}

static int load_embedded(struct aws_services *services, struct diag *d)
{
	int result = 0;
	for (size_t i = 0; i < aws_embedded_count; i++) {
		const struct aws_embedded *file = &aws_embedded_files[i];
		struct json_doc *doc;
		if (!text_starts(file->name, "services/"))
			continue;
		if (json_doc_parse(&doc, file->name, file->text, file->len, d) < 0 ||
		    add_document(services, file->name, doc, d) < 0)
			result = -1;
	}
	return result;
}

static int is_json(const struct dirent *entry)
{
	return text_ends(entry->d_name, ".json");
}

/* The user's own, next to the user's own types. Most users have none, so a missing folder is no error. */
static int load_folder(struct aws_services *services, const char *folder, struct diag *d)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_json, alphasort), result = 0;
	if (count < 0)
		return errno == ENOENT ? 0 : diag_error(d, "MUSTER_TYPES_PATH: %s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		mem_auto_str char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
		struct json_doc *doc;
		if (json_doc_load(&doc, path, NULL, d) < 0 || add_document(services, path, doc, d) < 0)
			result = -1;
		free(entries[i]);
	}
	free(entries);
	return result;
}

int aws_services_load(struct aws_services **out, struct diag *d)
{
	const char *path = getenv("MUSTER_TYPES_PATH");
	mem_auto_str char *copy = mem_strdup(path ? path : "");
	struct aws_services *services = aws_services_new();
	int result = load_embedded(services, d);
	char *rest = NULL;
	for (char *folder = strtok_r(copy, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest)) {
		mem_auto_str char *below = mem_printf("%s/services", folder);
		if (load_folder(services, below, d) < 0)
			result = -1;
	}
	if (result < 0)
		aws_services_free(services);
	else
		*out = services;
	return result;
}

void aws_services_free(struct aws_services *services)
{
	if (!services)
		return;
	for (size_t i = 0; i < services->count; i++)
		service_clear(&services->items[i]);
	free(services->items);
	free(services);
}

const struct aws_service *aws_services_find(const struct aws_services *services, const char *name)
{
	const struct aws_service key = {.name = name};
	return services->count
		   ? bsearch(&key, services->items, services->count, sizeof *services->items, compare_services)
		   : NULL;
}

const struct aws_service *aws_service_find(struct aws *aws, const char *name)
{
	return aws_services_find(aws_services(aws), name);
}

const struct aws_operation *aws_operation_find(const struct aws_service *service, const char *name)
{
	const struct aws_operation key = {.name = name};
	return service->operation_count ? bsearch(&key, service->operations, service->operation_count,
						  sizeof *service->operations, compare_operations)
					: NULL;
}

bool aws_operation_has_input(const struct aws_operation *operation, const char *member)
{
	return aws_shape_member(operation->input, member) != NULL;
}
