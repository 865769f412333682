/* The shared config and credentials files of the AWS SDKs and CLI ("Configuration and credential file settings" in the
 * AWS SDKs and Tools Reference Guide): sections, settings, nested settings. Knows nothing of what they mean. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/credentials/credentials.h"
#include "providers/aws/transport.h"

#define CONFIG_MAX_BYTES (4u << 20)
#define CONFIG_MAX_LINE  (64u << 10)

/* Settings lie in one table, as "kind\nname\nkey"; a section itself as "kind\nname\n". */
struct aws_config {
	struct map settings;
	char *paths;
};

/* A file while it is read. */
struct reader {
	struct aws_config *config;
	const char *path;
	int line;
	bool profiles_bare; /* credentials file: [name]; config file: [profile name] */
	bool ignore;        /* inside a section of an unknown kind */
	char *kind, *name;  /* of the section; NULL before the first */
	char *parent;       /* setting that indented lines belong to, or NULL */
	struct diag *d;
};

static char *setting_key(const char *kind, const char *name, const char *key)
{
	return mem_printf("%s\n%s\n%s", kind, name, key);
}

/* Values may be secrets. */
static void value_free(void *value)
{
	if (value != NULL)
		mem_wipe(value, strlen(value));
	free(value);
}

static void setting_set(struct reader *r, const char *key, const char *value)
{
	mem_auto_str char *full = setting_key(r->kind, r->name, key);

	value_free(map_set(&r->config->settings, full, mem_strdup(value)));
}

static int reader_error(struct reader *r, const char *text)
{
	diag_at(r->d, DIAG_ERROR, &(struct diag_place){.file = r->path, .line = r->line}, "%s", text);
	return -1;
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s;
}

/* A name may stand in quotes. */
static char *unquote(char *s)
{
	size_t len = strlen(s);

	if (len >= 2 && (s[0] == '"' || s[0] == '\'') && s[len - 1] == s[0]) {
		s[len - 1] = '\0';
		s++;
	}
	return s;
}

static void reader_section(struct reader *r, const char *kind, const char *name)
{
	free(r->kind);
	free(r->name);
	free(r->parent);
	r->kind = mem_strdup(kind);
	r->name = mem_strdup(name);
	r->parent = NULL;
	r->ignore = false;
	setting_set(r, "", "");
}

static int read_section(struct reader *r, char *line)
{
	static const char *const kinds[] = {"profile", "sso-session", "services"};
	char *end = strrchr(line, ']'), *inside;

	if (end == NULL)
		return reader_error(r, "a section name must end with ']'");
	*end = '\0';
	inside = trim(line + 1);
	if (r->profiles_bare || strcmp(inside, "default") == 0) {
		reader_section(r, "profile", unquote(inside));
		return 0;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t len = strlen(kinds[i]);

		if (strncmp(inside, kinds[i], len) == 0 && isspace((unsigned char)inside[len])) {
			reader_section(r, kinds[i], unquote(trim(inside + len)));
			return 0;
		}
	}
	r->ignore = true; /* of other tools, or of a newer SDK */
	return 0;
}

static int read_setting(struct reader *r, char *line, bool indented)
{
	char *equals = strchr(line, '='), *key, *value;
	mem_auto_str char *nested = NULL;

	if (r->ignore)
		return 0;
	if (r->kind == NULL)
		return reader_error(r, "a setting before the first [section]");
	if (equals == NULL) {
		if (indented && r->parent != NULL)
			return 0; /* continues a value; none that is used here has more than one line */
		return reader_error(r, "expected \"name = value\"");
	}
	*equals = '\0';
	key = trim(line);
	value = trim(equals + 1);
	for (char *c = key; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (indented && r->parent != NULL) {
		nested = mem_printf("%s.%s", r->parent, key);
		setting_set(r, nested, value);
		return 0;
	}
	setting_set(r, key, value);
	free(r->parent);
	r->parent = mem_strdup(key);
	return 0;
}

static int read_line(struct reader *r, char *line)
{
	bool indented = isspace((unsigned char)line[0]);
	char *text = trim(line);

	if (text[0] == '\0' || text[0] == '#' || text[0] == ';')
		return 0;
	if (!indented && text[0] == '[')
		return read_section(r, text);
	return read_setting(r, text, indented);
}

static int read_text(struct reader *r, char *text)
{
	char *line = text;
	int result = 0;

	if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3; /* byte order mark */
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");
		bool last = line[len] == '\0';

		r->line++;
		line[len] = '\0';
		if (len > CONFIG_MAX_LINE)
			result = reader_error(r, "line too long");
		else if (read_line(r, line) < 0)
			result = -1;
		if (last)
			break;
		line += len + 1;
	}
	free(r->kind);
	free(r->name);
	free(r->parent);
	return result;
}

static int config_read(struct aws_config *config, const char *path, bool profiles_bare, struct diag *d)
{
	struct reader reader = {.config = config, .path = path, .profiles_bare = profiles_bare, .d = d};
	buf_auto struct buf text = BUF_INIT;
	int result = path == NULL ? -ENOENT : text_file_read(&text, path, CONFIG_MAX_BYTES);

	if (result == -ENOENT || result == -ENOTDIR)
		return 0;
	if (result < 0)
		return diag_error(d, "cannot read %s: %s", path, strerror(-result));
	if (text.len == 0)
		return 0;
	result = read_text(&reader, text.data);
	mem_wipe(text.data, text.len);
	return result;
}

char *aws_home_path(const char *name)
{
	const char *home = getenv("HOME");

	return home == NULL || home[0] == '\0' ? NULL : mem_printf("%s/%s", home, name);
}

static char *path_from(const char *variable, const char *below_home)
{
	const char *set = getenv(variable);

	if (set != NULL && strncmp(set, "~/", 2) == 0)
		return aws_home_path(set + 2);
	return set != NULL && set[0] != '\0' ? mem_strdup(set) : aws_home_path(below_home);
}

int aws_config_load(struct aws_config **out, struct diag *d)
{
	struct aws_config *config = mem_alloc(sizeof *config);
	mem_auto_str char *shared = path_from("AWS_CONFIG_FILE", ".aws/config");
	mem_auto_str char *credentials = path_from("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
	int result = config_read(config, shared, false, d);

	config->paths = mem_printf("%s, %s", shared == NULL ? "~/.aws/config" : shared,
				   credentials == NULL ? "~/.aws/credentials" : credentials);
	/* Second, since it wins where both name a setting of a profile. */
	if (config_read(config, credentials, true, d) < 0)
		result = -1;
	if (result < 0) {
		aws_config_free(config);
		return -1;
	}
	*out = config;
	return 0;
}

void aws_config_free(struct aws_config *config)
{
	if (config == NULL)
		return;
	map_free(&config->settings, value_free);
	free(config->paths);
	free(config);
}

const char *aws_config_get(const struct aws_config *config, const char *kind, const char *name, const char *key)
{
	mem_auto_str char *full = setting_key(kind, name, key);
	const char *value = config == NULL ? NULL : map_get(&config->settings, full);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

bool aws_config_has(const struct aws_config *config, const char *kind, const char *name)
{
	mem_auto_str char *full = setting_key(kind, name, "");

	return config != NULL && map_has(&config->settings, full);
}

const char *aws_config_paths(const struct aws_config *config)
{
	return config->paths;
}

const char *aws_config_profile(void)
{
	const char *name = getenv("AWS_PROFILE");

	if (name == NULL || name[0] == '\0')
		name = getenv("AWS_DEFAULT_PROFILE");
	return name == NULL || name[0] == '\0' ? "default" : name;
}

const struct aws_config *aws_config(struct aws *aws, struct diag *d)
{
	struct diag own = DIAG_INIT;

	if (aws->config == NULL && aws->config_error == NULL && aws_config_load(&aws->config, &own) < 0) {
		const struct diag_item *first = own.count > 0 ? &own.items[0] : NULL;

		aws->config_error = first != NULL && first->file != NULL
					? mem_printf("%s:%d: %s", first->file, first->line, first->text)
					: mem_strdup(diag_first_error(&own));
	}
	diag_free(&own);
	if (aws->config == NULL && d != NULL)
		diag_error(d, "%s", aws->config_error);
	return aws->config;
}
