/* Drives resource types through their lives against a server: find nothing, create, read back equal, update in place,
 * read back equal, delete, find nothing. `types_driver ACCOUNT-ID REGION CASES.json [TYPE-GLOB | !TYPE-GLOB]...` prints
 * TAP; the server is AWS_ENDPOINT_URL's. A case is {"Type", "Properties", "Update" (a list of property objects laid
 * over), "As": name}; "@name.Attribute" as a value stands for what an earlier case learned, ACCOUNT and REGION in any
 * text for the target's. Cases are deleted in reverse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/plan.h"
#include "providers/provider.h"

struct answer {
	struct loop *loop;
	enum provider_outcome outcome;
	bool exists;
	json_t *properties, *attributes;
	char *text;
};

struct driver {
	struct loop *loop;
	struct provider *provider;
	struct provider_target target;
	const char *account;
	json_t *learned; /* case name -> attributes */
	bool missing;    /* a case named what no case before it has learned */
	int tests, failures;
};

static const char *const outcome_names[] = {"done", "absent", "unreachable", "refused", "failed", "cancelled"};

static void answer_clear(struct answer *answer)
{
	json_decref(answer->properties);
	json_decref(answer->attributes);
	free(answer->text);
	answer->properties = answer->attributes = NULL;
	answer->text = NULL;
}

static void answered(void *payload, const struct provider_result *result)
{
	struct answer *answer = payload;

	answer_clear(answer);
	answer->outcome = result->outcome;
	answer->exists = result->exists;
	answer->properties = json_incref(result->properties);
	answer->attributes = json_incref(result->attributes);
	answer->text = mem_printf(
	    "%s %s %s: %s", outcome_names[result->outcome], result->operation != NULL ? result->operation : "",
	    result->code != NULL ? result->code : "", result->message != NULL ? result->message : "");
	loop_stop(answer->loop);
}

static bool check(struct driver *d, bool good, const char *type, const char *what, const char *detail)
{
	printf("%sok %d - %s: %s\n", good ? "" : "not ", ++d->tests, type, what);
	if (!good) {
		d->failures++;
		printf("# %s\n", detail != NULL ? detail : "");
	}
	fflush(stdout);
	return good;
}

/* ACCOUNT and REGION in a text are the target's; an analyzer's Type is ACCOUNT and nothing else. */
static json_t *text_filled(const struct driver *d, const char *s)
{
	buf_auto struct buf out = BUF_INIT;

	if (strcmp(s, "ACCOUNT") == 0)
		return json_string(s);
	while (*s != '\0') {
		if (text_starts(s, "ACCOUNT")) {
			buf_adds(&out, d->account);
			s += strlen("ACCOUNT");
		} else if (text_starts(s, "REGION")) {
			buf_adds(&out, d->target.region);
			s += strlen("REGION");
		} else {
			buf_addc(&out, *s++);
		}
	}
	return json_string(buf_str(&out));
}

/* Puts what earlier cases learned in place of "@name.Attribute". */
static json_t *filled(struct driver *d, const json_t *value)
{
	json_t *out, *item;
	const char *key;
	size_t i;

	if (json_is_string(value) && json_string_value(value)[0] == '@') {
		const char *s = json_string_value(value) + 1, *dot = strchr(s, '.');
		mem_auto_str char *name = mem_strndup(s, (size_t)(dot - s));

		out = json_object_get(json_object_get(d->learned, name), dot + 1);
		d->missing = d->missing || out == NULL;
		return json_incref(out);
	}
	if (json_is_string(value))
		return text_filled(d, json_string_value(value));
	if (json_is_object(value)) {
		out = json_object();
		json_object_foreach((json_t *)value, key, item) json_object_set_new(out, key, filled(d, item));
		return out;
	}
	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach((json_t *)value, i, item) json_array_append_new(out, filled(d, item));
		return out;
	}
	return json_deep_copy(value);
}

typedef void verb(struct provider *p, const struct provider_call *call);

static void run(struct driver *d, verb *run_verb, const struct schema_type *type, json_t *properties, json_t *prior,
		json_t *attributes, struct answer *answer)
{
	const struct provider_call call = {
	    .type = type,
	    .target = d->target,
	    .address = "account/region/stack/Case",
	    .properties = properties,
	    .prior = prior,
	    .attributes = attributes,
	    .token = "0123456789abcdef0123456789abcdef",
	    .done = answered,
	    .payload = answer,
	};

	answer->loop = d->loop;
	run_verb(d->provider, &call);
	loop_run(d->loop);
}

static void read_back(struct driver *d, const struct schema_type *type, json_t *properties, json_t *attributes,
		      struct answer *answer)
{
	const struct provider_read_item item = {"account/region/stack/Case", properties, attributes, answered, answer};

	answer->loop = d->loop;
	d->provider->ops->read(d->provider, type, &d->target, &item, 1);
	loop_run(d->loop);
}

static void read_equal(struct driver *d, const struct schema_type *type, json_t *properties, json_t *attributes,
		       struct answer *answer, const char *what)
{
	struct plan_diff diff = {0};
	buf_auto struct buf text = BUF_INIT;

	read_back(d, type, properties, attributes, answer);
	if (!check(d, answer->outcome == PROVIDER_DONE, type->name, what, answer->text))
		return;
	plan_diff_make(&diff, type, properties, answer->properties, properties, true);
	for (size_t i = 0; i < diff.count; i++) {
		char *before = json_dumps(diff.items[i].before, JSON_COMPACT | JSON_ENCODE_ANY);
		char *after = json_dumps(diff.items[i].after, JSON_COMPACT | JSON_ENCODE_ANY);

		buf_addf(&text, "%s: %s -> %s; ", diff.items[i].path, before != NULL ? before : "nothing",
			 after != NULL ? after : "nothing");
		free(before);
		free(after);
	}
	check(d, diff.count == 0, type->name, "shows no change", buf_str(&text));
	plan_diff_free(&diff);
}

static void case_skip(struct driver *d, const struct schema_type *type, json_t **properties, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++d->tests, type->name, why);
	json_decref(*properties);
	*properties = NULL;
}

static void case_live(struct driver *d, const struct schema_type *type, const json_t *entry, json_t **properties,
		      json_t **attributes)
{
	struct answer answer = {0};
	json_t *update;
	size_t i;

	d->missing = false;
	*properties = filled(d, json_object_get(entry, "Properties"));
	if (d->missing) {
		case_skip(d, type, properties, "what it needs is not there");
		return;
	}
	run(d, d->provider->ops->find, type, *properties, NULL, NULL, &answer);
	if (strstr(answer.text, "the sandbox does not know") != NULL || strstr(answer.text, "SandboxUnknown") != NULL) {
		case_skip(d, type, properties, "the sandbox does not have it");
		goto out;
	}
	check(d, answer.outcome == PROVIDER_ABSENT, type->name, "is not there yet", answer.text);
	run(d, d->provider->ops->create, type, *properties, NULL, NULL, &answer);
	*attributes = json_incref(answer.attributes);
	if (!check(d, answer.outcome == PROVIDER_DONE, type->name, "is created", answer.text))
		goto out;
	if (json_get_string(entry, "As") != NULL)
		json_object_set(d->learned, json_get_string(entry, "As"), answer.attributes);
	read_equal(d, type, *properties, *attributes, &answer, "is read");
	json_array_foreach(json_object_get(entry, "Update"), i, update)
	{
		json_t *changes = filled(d, update), *wanted = json_copy(*properties);
		json_t *prior = json_incref(answer.properties);
		const char *key;
		json_t *value;

		json_object_foreach(changes, key, value)
		{
			if (json_is_null(value))
				json_object_del(wanted, key);
			else
				json_object_set(wanted, key, value);
		}
		json_t *ours = schema_prior_ours(type, wanted, prior, *properties);

		run(d, d->provider->ops->update, type, wanted, ours, *attributes, &answer);
		json_decref(ours);
		check(d, answer.outcome == PROVIDER_DONE, type->name, "is updated", answer.text);
		json_decref(*properties);
		*properties = wanted;
		json_decref(changes);
		json_decref(prior);
		read_equal(d, type, *properties, *attributes, &answer, "is read after an update");
	}
	run(d, d->provider->ops->find, type, *properties, NULL, NULL, &answer);
	check(d, answer.outcome == PROVIDER_DONE, type->name, "is found", answer.text);
out:
	answer_clear(&answer);
}

static void case_end(struct driver *d, const struct schema_type *type, json_t *properties, json_t *attributes)
{
	struct answer answer = {0};

	run(d, d->provider->ops->remove, type, properties, NULL, attributes, &answer);
	check(d, answer.outcome == PROVIDER_DONE, type->name, "is deleted", answer.text);
	read_back(d, type, properties, attributes, &answer);
	check(d, answer.outcome == PROVIDER_ABSENT, type->name, "is gone", answer.text);
	run(d, d->provider->ops->remove, type, properties, NULL, attributes, &answer);
	check(d, answer.outcome == PROVIDER_DONE, type->name, "is deleted when it is gone", answer.text);
	answer_clear(&answer);
}

/* Whether the globs choose a type: one of the plain ones, if there are any, and none of those after "!". */
static bool chosen(const char *type, char **globs)
{
	bool plain = false, matched = false;

	for (; *globs != NULL; globs++) {
		if ((*globs)[0] == '!' && text_glob(*globs + 1, type))
			return false;
		plain = plain || (*globs)[0] != '!';
		matched = matched || text_glob(*globs, type);
	}
	return matched || !plain;
}

static void cases_run(struct driver *d, const json_t *cases, char **globs)
{
	size_t count = json_array_size(cases);
	json_t **properties = mem_array(count + 1, sizeof *properties);
	json_t **attributes = mem_array(count + 1, sizeof *attributes);
	const struct schema_set *schemas = d->provider->ops->schemas(d->provider);

	for (size_t i = 0; i < count; i++) {
		const json_t *entry = json_array_get(cases, i);
		const char *name = json_get_string(entry, "Type");
		const struct schema_type *type = schema_set_find(schemas, name);

		if (!chosen(name, globs))
			continue;
		if (check(d, type != NULL, name, "is known", NULL))
			case_live(d, type, entry, &properties[i], &attributes[i]);
	}
	for (size_t i = count; i-- > 0;) {
		if (properties[i] != NULL)
			case_end(d, schema_set_find(schemas, json_get_string(json_array_get(cases, i), "Type")),
				 properties[i], attributes[i]);
		json_decref(properties[i]);
		json_decref(attributes[i]);
	}
	free(properties);
	free(attributes);
}

int main(int argc, char **argv)
{
	const struct provider_settings settings = {.home_region = argc > 2 ? argv[2] : NULL,
						   .user_agent = "muster-test"};
	struct diag diag = DIAG_INIT;
	struct driver d = {.learned = json_object()};
	struct json_doc *cases = NULL;
	json_t *access = json_pack("{s:[], s:n}", "Chain", "Role");

	if (argc < 4) {
		fprintf(stderr, "usage: types_driver ACCOUNT-ID REGION CASES.json [TYPE-GLOB | !TYPE-GLOB]...\n");
		return 1;
	}
	if (loop_new(&d.loop, &diag) != 0 || provider_aws_new(&d.provider, d.loop, &settings, &diag) != 0 ||
	    d.provider->ops->account_add(d.provider, "test", argv[1], access, &d.target.account, &diag) != 0 ||
	    json_doc_load(&cases, argv[3], NULL, &diag) != 0) {
		diag_print(&diag, stderr, false);
		return 1;
	}
	d.account = argv[1];
	d.target.region = argv[2];
	d.target.access = PROVIDER_WRITES;
	cases_run(&d, cases->root, argv + 4);
	printf("1..%d\n", d.tests);
	json_doc_free(cases);
	json_decref(access);
	json_decref(d.learned);
	d.provider->ops->free(d.provider);
	loop_free(d.loop);
	diag_free(&diag);
	return d.failures > 0;
}
