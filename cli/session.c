/* Opening state, provider and specs in the order that they need each other; see cli.h. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/words.h"

static void take_settings(struct session *s, const json_t *document)
{
	const char *home = json_get_string(document, "HomeRegion");

	free(s->home_region);
	free(s->lineage);
	s->home_region = mem_strdup(home == NULL ? "us-east-1" : home);
	s->lineage = mem_strdup(json_get_string(document, "Lineage"));
}

/* muster.json as far as it is needed before specs_load(). 1; 0 when there is none; -1 when it cannot be read. */
static int load_settings(struct json_doc **out, const struct cli *cli, struct diag *d)
{
	mem_auto_str char *path = mem_printf("%s/muster.json", cli->directory);
	const json_t *where;

	*out = NULL;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (json_doc_load(out, path, "muster.json", d) < 0)
		return -1;
	where = json_object_get(json_object_get((*out)->root, "State"), "Path");
	if (where == NULL || json_is_string(where))
		return 1;
	json_doc_free(*out);
	*out = NULL;
	return diag_error(d, "muster.json: State.Path must be a string");
}

void session_start(struct session *s, struct cli *cli)
{
	struct diag ignored = DIAG_INIT;
	struct json_doc *doc = NULL;
	/* Whoever runs muster may say where the state is, so that the specs cannot. */
	const char *where = getenv("MUSTER_STATE_PATH");

	*s = (struct session){.cli = cli};
	inputs_start(&s->inputs);
	s->settings_unreadable = load_settings(&doc, cli, &ignored) < 0;
	if (where != NULL && *where == '\0')
		where = NULL;
	if (doc != NULL && where == NULL)
		where = json_get_string(json_object_get(doc->root, "State"), "Path");
	take_settings(s, doc == NULL ? NULL : doc->root);
	if (where == NULL)
		where = ".muster";
	s->state_directory = where[0] == '/' ? mem_strdup(where) : mem_printf("%s/%s", cli->directory, where);
	json_doc_free(doc);
	diag_free(&ignored);
}

int session_check_state(struct session *s)
{
	struct json_doc *doc;

	if (!s->settings_unreadable)
		return 0;
	/* The same once more, for its messages. */
	if (load_settings(&doc, s->cli, &s->cli->diag) >= 0) {
		json_doc_free(doc);
		return diag_error(&s->cli->diag, "muster.json has just been changed; try again");
	}
	return diag_error(&s->cli->diag, "muster.json says where the state is, so nothing can be done with it before "
					 "that is mended");
}

/* What a muster.json that specs_load() will check says already now. */
static void read_settings(struct session *s, const struct specs_source *source)
{
	struct diag ignored = DIAG_INIT;
	struct json_doc *doc = NULL;
	char *text = NULL;
	size_t len = 0;

	if (source->read(source->payload, "muster.json", &text, &len, &ignored) == 0 &&
	    json_doc_parse(&doc, "muster.json", text, len, &ignored) == 0)
		take_settings(s, doc->root);
	json_doc_free(doc);
	free(text);
	diag_free(&ignored);
}

int session_at(struct session *s, const char *revision)
{
	mem_auto_str char *path = mem_printf("%s/muster.json", s->cli->directory);
	struct json_doc *doc = NULL;

	if (revision == NULL)
		return 0;
	/* The state of another place would make a plan of creating everything. */
	if (json_doc_load(&doc, path, "muster.json", &s->cli->diag) < 0)
		return -1;
	json_doc_free(doc);
	if (state_git_tree_open(&s->tree, s->cli->directory, revision, &s->cli->diag) < 0)
		return -1;
	inputs_tree_source(&s->revision, s->tree);
	s->base = &s->revision;
	read_settings(s, s->base);
	return 0;
}

/* A fresh lineage: 26 characters of Crockford's base 32, the time first, as a ULID (github.com/ulid/spec) has it. */
void session_mint_lineage(struct session *s)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t ms = (uint64_t)loop_wall_ms();
	uint8_t random[16];
	char text[27] = "";

	if (RAND_bytes(random, sizeof random) != 1)
		abort();
	for (int i = 9; i >= 0; i--, ms /= 32)
		text[i] = digits[ms % 32];
	for (int i = 0; i < 16; i++)
		text[10 + i] = digits[random[i] % 32];
	free(s->lineage);
	s->lineage = mem_strdup(text);
	s->lineage_minted = true;
}

/* What the state knows that the specs need. */
static int read_state_facts(struct session *s)
{
	struct state_txn *txn = NULL;
	char *lineage = NULL;
	int key;

	if (state_begin(&txn, s->state, false, &s->cli->diag) < 0)
		return -1;
	key = state_secret_key(txn, s->secret_key, &s->cli->diag);
	if (key < 0 || state_lineage(txn, &lineage, &s->cli->diag) < 0) {
		state_abort(txn);
		return -1;
	}
	state_abort(txn);
	s->secret_key_known = key == 0;
	if (s->lineage == NULL)
		s->lineage = lineage;
	else
		free(lineage);
	return 0;
}

/* Who holds the lock, where somebody does. New reference or NULL. */
static json_t *lock_holder(const struct session *s)
{
	struct diag ignored = DIAG_INIT;
	json_t *holder = NULL;

	state_lock_holder(s->state_directory, &holder, &ignored);
	diag_free(&ignored);
	return holder;
}

/* Said at once: whoever waits wants to know for whom before the waiting is over. */
static void say_waiting(const struct session *s, const json_t *holder)
{
	buf_auto struct buf line = BUF_INIT;

	buf_adds(&line, "Waiting up to ");
	words_duration(&line, s->lock_timeout_ms);
	buf_adds(&line, " for the state: locked by ");
	words_holder(&line, holder);
	fprintf(stderr, "%s\n", buf_str(&line));
}

static int open_for_writing(struct session *s)
{
	json_auto_t *holder = s->lock_timeout_ms > 0 ? lock_holder(s) : NULL;

	if (holder != NULL)
		say_waiting(s, holder);
	return state_open_wait(&s->state, s->state_directory, STATE_WRITE, s->lock_timeout_ms, &s->cli->diag);
}

int session_open_state(struct session *s, enum session_state mode)
{
	int rc;

	if (session_check_state(s) < 0)
		return -1;
	rc = mode == SESSION_STATE_WRITE ? open_for_writing(s)
					 : state_open(&s->state, s->state_directory, STATE_READ, &s->cli->diag);
	s->writing = rc == 0 && mode == SESSION_STATE_WRITE;
	return rc < 0 ? -1 : read_state_facts(s);
}

int session_read_state(struct cli *cli, bool types, session_look *look, void *payload)
{
	struct state_txn *txn = NULL;
	json_t *holder;
	struct session s;
	int result = -1;

	session_start(&s, cli);
	holder = lock_holder(&s);
	s.state_busy = holder != NULL;
	json_decref(holder);
	if ((!types || session_open_provider(&s) == 0) && session_open_state(&s, SESSION_STATE_READ) == 0 &&
	    state_begin(&txn, s.state, false, &cli->diag) == 0)
		result = look(&s, txn, payload);
	/* A state that exists has a key. */
	if (s.state != NULL && !s.secret_key_known)
		diag_note(&cli->diag, "there is no state in %s yet; the first plan makes it", s.state_directory);
	state_abort(txn);
	session_close(&s);
	return result;
}

int session_prepare_state(struct session *s)
{
	struct diag ignored = DIAG_INIT;

	if (s->secret_key_known)
		return 0;
	/* The key that secrets are hashed with is made with the state. Where none can be made (a read-only directory),
	 * a plan without secrets still can. */
	state_close(s->state);
	s->state = NULL;
	if (state_open(&s->state, s->state_directory, STATE_WRITE, &ignored) == 0)
		state_close(s->state);
	s->state = NULL;
	diag_free(&ignored);
	return session_open_state(s, SESSION_STATE_READ);
}

int session_open_provider(struct session *s)
{
	const struct provider_settings settings = {
	    .home_region = s->home_region,
	    .user_agent = "muster/" MUSTER_VERSION,
	};

	if (s->loop == NULL && loop_new(&s->loop, &s->cli->diag) < 0)
		return -1;
	return provider_aws_new(&s->provider, s->loop, &settings, &s->cli->diag);
}

void session_parameter(struct session *s, const char *name, size_t len, const char *value)
{
	s->parameters = mem_resize(s->parameters, s->parameter_count + 1, sizeof *s->parameters);
	s->parameters[s->parameter_count++] = (struct specs_parameter){mem_strndup(name, len), value};
}

static int take_parameters(struct session *s, const struct option_list *given)
{
	for (size_t i = 0; i < given->count; i++) {
		const char *equals = strchr(given->items[i], '=');

		if (equals == NULL || equals == given->items[i])
			return diag_error(&s->cli->diag, "--parameter takes NAME=VALUE, not \"%s\"", given->items[i]);
		session_parameter(s, given->items[i], (size_t)(equals - given->items[i]), equals + 1);
	}
	return 0;
}

static int open_source(struct session *s)
{
	/* Recovery may have loaded them already, for its secrets. */
	specs_free(s->specs);
	s->specs = NULL;
	if (!s->source_open && specs_source_directory(&s->source, s->cli->directory, &s->cli->diag) < 0)
		return -1;
	s->source_open = true;
	s->layers = (struct inputs_layers){
	    .over = s->overlay,
	    .under = s->base != NULL ? s->base : &s->source,
	    .secrets = &s->source,
	    .remember = &s->inputs,
	};
	inputs_layers_source(&s->layered, &s->layers);
	return 0;
}

int session_load_specs(struct session *s, const struct option_list *parameters)
{
	struct specs_options options = {0};

	if ((parameters != NULL && take_parameters(s, parameters) < 0) || open_source(s) < 0)
		return -1;
	if (s->lineage == NULL)
		session_mint_lineage(s);
	options.parameters = s->parameters;
	options.parameter_count = s->parameter_count;
	options.lineage = s->lineage;
	options.roster_only = s->roster_only;
	if (s->secret_key_known && !s->without_secrets) {
		options.secret_key = s->secret_key;
		options.secret_key_len = sizeof s->secret_key;
	}
	return specs_load(&s->specs, &s->layered, s->provider->ops->schemas(s->provider), &options, &s->cli->diag);
}

json_t *session_parameters(const struct session *s)
{
	json_t *all = json_object();

	for (size_t i = 0; i < s->parameter_count; i++)
		if (!specs_parameter_is_secret(s->specs, s->parameters[i].name))
			json_object_set_new(all, s->parameters[i].name, json_string(s->parameters[i].value));
	return all;
}

void session_close(struct session *s)
{
	specs_free(s->specs);
	inputs_free(&s->inputs);
	state_git_tree_free(s->tree);
	if (s->source_open)
		specs_source_free(&s->source);
	if (s->provider != NULL)
		s->provider->ops->free(s->provider);
	loop_free(s->loop);
	state_close(s->state);
	for (size_t i = 0; i < s->parameter_count; i++)
		free((char *)s->parameters[i].name);
	free(s->parameters);
	free(s->home_region);
	free(s->state_directory);
	free(s->lineage);
	mem_wipe(s->secret_key, sizeof s->secret_key);
}
