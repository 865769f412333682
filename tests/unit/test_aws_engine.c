/* The engine against a scripted service: what is called, in which order, and what becomes of every kind of answer. The
 * types themselves are driven by tests/e2e/types_driver.c against whole servers; here their handlers are checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "providers/aws/engine/engine.h"

/* -- A provider without transport --------------------------------------------------------------------------------- */

struct aws {
	struct loop *loop;
	struct aws_engine *engine;
	struct aws_services *services;
};

static struct aws aws;

struct loop *aws_loop(struct aws *a)
{
	return a->loop;
}

struct aws_engine *aws_engine(struct aws *a)
{
	return a->engine;
}

const struct aws_services *aws_services(const struct aws *a)
{
	return a->services;
}

const char *aws_partition(const struct aws *a)
{
	(void)a;
	return "aws";
}

const char *aws_account_id(const struct provider_account *account)
{
	(void)account;
	return "111111111111";
}

/* One expected call: "Operation", its input, and the answer: output JSON, "!Code message", "?" for a lost answer,
 * "~Code message" where the answer to a first try was lost. */
struct line {
	const char *operation, *input, *answer;
};

static const struct line *script;
static size_t lines, line_at;
static size_t in_flight, most_in_flight;

struct reply {
	const char *answer;
	aws_api_done *done;
	void *payload;
};

static json_t *parse(const char *text)
{
	char *copy = mem_strdup(text);
	json_t *value;

	for (char *s = copy; *s != '\0'; s++)
		if (*s == '\'')
			*s = '"';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	if (value == NULL)
		fail_msg("no JSON: %s", copy);
	free(copy);
	return value;
}

static void reply_send(void *payload)
{
	struct reply *reply = payload;
	struct aws_api_result result = {.outcome = PROVIDER_DONE, .request_id = "r-1"};
	json_t *output = NULL;
	char *text = mem_strdup(reply->answer), *space;

	in_flight--;
	if (text[0] == '!' || text[0] == '~') {
		space = strchr(text, ' ');
		result.outcome = text[0] == '!' ? PROVIDER_REFUSED : PROVIDER_FAILED;
		result.message = space != NULL ? space + 1 : "";
		if (space != NULL)
			*space = '\0';
		result.code = text + 1;
	} else if (text[0] == '?') {
		result.outcome = PROVIDER_FAILED;
		result.code = "Lost";
	} else if (text[0] == '-') {
		result.outcome = PROVIDER_UNREACHABLE;
		result.code = "AccessDenied";
	} else {
		result.output = output = parse(text);
	}
	reply->done(reply->payload, &result);
	json_decref(output);
	free(text);
	free(reply);
}

void aws_api_call(struct aws *a, const struct provider_target *target, const char *service, const char *operation,
		  const json_t *input, bool idempotent, aws_api_done *done, void *payload)
{
	struct reply *reply = mem_alloc(sizeof *reply);
	const struct line *line = &script[line_at];
	json_t *wanted;
	char *got;

	(void)target;
	(void)service;
	(void)idempotent;
	if (line_at >= lines)
		fail_msg("unexpected call of %s", operation);
	line_at++;
	got = json_dumps(input, JSON_COMPACT | JSON_SORT_KEYS);
	if (strcmp(operation, line->operation) != 0)
		fail_msg("%s(%s) instead of %s", operation, got, line->operation);
	wanted = parse(line->input);
	if (!json_equal(wanted, input))
		fail_msg("%s: input %s instead of %s", operation, got, line->input);
	json_decref(wanted);
	free(got);
	reply->answer = line->answer;
	reply->done = done;
	reply->payload = payload;
	if (++in_flight > most_in_flight)
		most_in_flight = in_flight;
	loop_defer(a->loop, reply_send, reply);
}

/* -- A made-up type ----------------------------------------------------------------------------------------------- */

static const char service_text[] =
    "{'Service':'y','Protocol':'json','EndpointPrefix':'y','EnvironmentId':'Y','TargetPrefix':'Y','JsonVersion':'1.1',"
    "'Operations':{'Make':{'Input':['Name','Size','Token','Tags']},'Look':{'Reads':true,'Input':['Id']},"
    "'Rows':{'Reads':true,'Input':['Next']},'Tell':{'Reads':true,'Input':['Id','Names']},"
    "'Change':{'Input':['Id','Size','Note']},'Tag':{'Input':['Id','Tags']},'Drop':{'Input':['Id']},"
    "'Begin':{'Input':['Id']},'Part':{'Input':['Id','Names','Part']}}}";

static const char head[] = "{'Type':'X::Y::Z','Service':'y','Ref':'Name','Attributes':{'Id':{},"
			   "'Arn':{'Predict':'arn:${AWS::Partition}:y:${AWS::Region}:${AWS::AccountId}:${Name}'}},"
			   "'Properties':{'Name':{'Type':'String'},'Size':{'Type':'Integer','Default':1},"
			   "'Note':{'Type':'String'},'Parts':{'Type':'List','Item':{'Type':'String'}},"
			   "'Picked':{'Type':'String','Computed':true},"
			   "'Tags':{'Type':'List','Compare':'Set','Key':'Key','Item':{'Type':'Object','Properties':{"
			   "'Key':{'Type':'String'},'Value':{'Type':'String'}}}}},'Handlers':";

static struct schema_set *schemas, *shipped;

/* A type with these handlers; lives until the next one. */
static const struct schema_type *type_of(const char *handlers)
{
	mem_auto_str char *text = mem_printf("%s%s}", head, handlers);
	json_t *document = parse(text);
	struct diag d = DIAG_INIT;

	if (schema_set_add(schemas, "z.json", document, &d) != 0)
		fail_msg("%s", diag_first_error(&d));
	json_decref(document);
	return schema_set_find(schemas, "X::Y::Z");
}

/* -- What comes back ---------------------------------------------------------------------------------------------- */

static struct {
	int calls;
	enum provider_outcome outcome;
	bool exists;
	json_t *properties, *attributes, *progress;
	char *code, *operation;
} got;

static void got_clear(void)
{
	json_decref(got.properties);
	json_decref(got.attributes);
	json_decref(got.progress);
	free(got.code);
	free(got.operation);
	memset(&got, 0, sizeof got);
}

static void done(void *payload, const struct provider_result *result)
{
	(void)payload;
	json_decref(got.properties);
	json_decref(got.attributes);
	free(got.code);
	free(got.operation);
	got.calls++;
	got.outcome = result->outcome;
	got.exists = result->exists;
	got.properties = json_incref(result->properties);
	got.attributes = json_deep_copy(result->attributes);
	got.code = mem_strdup(result->code);
	got.operation = mem_strdup(result->operation);
}

static void progress(void *payload, const json_t *attributes)
{
	(void)payload;
	json_decref(got.progress);
	got.progress = json_deep_copy(attributes);
}

static void play(const struct line *its, size_t count)
{
	script = its;
	lines = count;
	line_at = 0;
	in_flight = most_in_flight = 0;
}
#define PLAY(...) play((const struct line[]){__VA_ARGS__}, sizeof((struct line[]){__VA_ARGS__}) / sizeof(struct line))

static const struct provider_target target = {NULL, "eu-west-1", PROVIDER_WRITES};

static void run(enum aws_verb verb, const struct schema_type *type, const char *properties, const char *prior,
		const char *attributes)
{
	json_t *its = parse(properties), *had = prior != NULL ? parse(prior) : NULL;
	json_t *known = attributes != NULL ? parse(attributes) : NULL;
	const struct provider_call call = {.type = type,
					   .target = target,
					   .address = "a/r/s/L",
					   .properties = its,
					   .prior = had,
					   .attributes = known,
					   .token = "t0",
					   .progress = progress,
					   .done = done};

	got_clear();
	aws_engine_run(&aws, verb, &call);
	assert_int_equal(got.calls, 0); /* never from within */
	loop_run(aws.loop);
	assert_int_equal(got.calls, 1);
	assert_int_equal(line_at, lines);
	json_decref(its);
	json_decref(had);
	json_decref(known);
}

static void assert_json(const json_t *value, const char *text)
{
	json_t *wanted = parse(text);
	char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);

	if (!json_equal(value, wanted))
		fail_msg("%s instead of %s", dumped != NULL ? dumped : "nothing", text);
	free(dumped);
	json_decref(wanted);
}

/* -- Expressions -------------------------------------------------------------------------------------------------- */

static void test_expressions(void **state)
{
	static const char names[] =
	    "{'S':'text','N':5,'B':true,'E':'','L':[1,2,3],'O':{'K':'v','D.d':'dotted'},"
	    "'Tags':[{'Key':'a','Value':'1'},{'Key':'b','Value':'2'},{'Key':'aws:x','Value':'3'}],"
	    "'Old':[{'Key':'a','Value':'0'},{'Key':'c','Value':'3'}],'Nothing':null,"
	    "'Arn':'arn:aws:s:r:1:name','Doc':'{\\'x\\':[1]}',"
	    "'Live':[{'Name':'p','X':1,'Y':2},{'Name':'q','X':3}],'Asked':[{'Name':'p','X':9}]}";
	static const struct {
		const char *expression, *result; /* NULL: absent */
	} cases[] = {
	    {"'plain'", "'plain'"},
	    {"'${S}'", "'text'"},
	    {"'${N}'", "5"},
	    {"'n=${N}, b=${B}'", "'n=5, b=true'"},
	    {"'${Missing}'", NULL},
	    {"'a ${Missing} b'", NULL},
	    {"'${Nothing}'", NULL},
	    {"'${Missing|otherwise}'", "'otherwise'"},
	    {"'${L[1]}'", "2"},
	    {"'${L[-1]}'", "3"},
	    {"'${L[3]}'", NULL},
	    {"'${O.K}'", "'v'"},
	    {"'${O.D.d}'", "'dotted'"},
	    {"'${Tags[0].Key}'", "'a'"},
	    {"{'A':'${Missing}','B':'${N}'}", "{'B':5}"},
	    {"{'A':'${Missing}'}", NULL},
	    {"{}", "{}"},
	    {"['${Missing}',1]", "[1]"},
	    {"['${Missing}']", NULL},
	    {"[]", "[]"},
	    {"{'$Json':'${O}'}", "'{\\'K\\':\\'v\\',\\'D.d\\':\\'dotted\\'}'"},
	    {"{'$Json':'${S}'}", "'text'"},
	    {"{'$Json':'${B}'}", "'true'"},
	    {"{'$Parse':'${Doc}'}", "{'x':[1]}"},
	    {"{'$Parse':'${S}'}", "'text'"},
	    {"{'$Parse':'${E}'}", NULL},
	    {"{'$Part':['${Arn}',':',-1]}", "'name'"},
	    {"{'$Part':['${Arn}',':',2]}", "'s'"},
	    {"{'$Part':['${Arn}',':',9]}", NULL},
	    {"{'$Camel':{'AbC':{'De':[{'Fg':1}]}}}", "{'abC':{'de':[{'fg':1}]}}"},
	    {"{'$Pascal':{'abC':1}}", "{'AbC':1}"},
	    {"{'$Map':['${Tags}','${Item.Key}']}", "['a','b','aws:x']"},
	    {"{'$Map':['${Missing}','${Item.Key}']}", NULL},
	    {"{'$Filter':['${L}',{'$Equals':['${Item}',2]}]}", "[2]"},
	    {"{'$Pick':['${Tags}',{'$Equals':['${Item.Key}','b']}]}", "{'Key':'b','Value':'2'}"},
	    {"{'$Pick':['${Tags}',{'$Equals':['${Item.Key}','z']}]}", NULL},
	    {"{'$Get':['${O}','K']}", "'v'"},
	    {"{'$Pairs':[{'k':'v'}]}", "[{'Key':'k','Value':'v'}]"},
	    {"{'$Object':['${Old}']}", "{'a':'0','c':'3'}"},
	    {"{'$Minus':['${Old}','${Tags}','Key']}", "[{'Key':'c','Value':'3'}]"},
	    {"{'$Minus':['${Old}','${Missing}','Key']}", "[{'Key':'a','Value':'0'},{'Key':'c','Value':'3'}]"},
	    {"{'$Minus':['${Missing}','${Old}']}", NULL},
	    {"{'$Concat':['${L}',[4]]}", "[1,2,3,4]"},
	    {"{'$Merge':[{'a':1,'b':1},{'b':2}]}", "{'a':1,'b':2}"},
	    {"{'$UserTags':'${Tags}'}", "[{'Key':'a','Value':'1'},{'Key':'b','Value':'2'}]"},
	    {"{'$UserTags':{'k':'v'}}", "[{'Key':'k','Value':'v'}]"},
	    {"{'$UserTags':'${Missing}'}", "[]"},
	    {"{'$First':['${Missing}','${N}',7]}", "5"},
	    {"{'$If':['${B}',1,2]}", "1"},
	    {"{'$If':['${E}',1,2]}", "2"},
	    {"{'$If':['${E}',1]}", NULL},
	    {"{'$Not':'${Missing}'}", "true"},
	    {"{'$And':['${B}','${N}']}", "true"},
	    {"{'$And':['${B}','${E}']}", "false"},
	    {"{'$Or':['${E}','${Missing}']}", "false"},
	    {"{'$Equals':['${Missing}','${Nothing}']}", "true"},
	    {"{'$Equals':['${N}','${Missing}']}", "false"},
	    {"{'$Matches':['${Arn}','arn:*']}", "true"},
	    {"{'$Has':['${L}',2]}", "true"},
	    {"{'$Has':['${L}','${Missing}']}", "false"},
	    {"{'$Exists':'${E}'}", "true"},
	    {"{'$Spelled':['arn:aws:kms:r:1:key/abc','abc']}", "'abc'"},
	    {"{'$Spelled':['abc','arn:aws:kms:r:1:key/abc']}", "'arn:aws:kms:r:1:key/abc'"},
	    {"{'$Spelled':['xabc','abc']}", "'xabc'"},
	    {"{'$Spelled':['abc','${Missing}']}", "'abc'"},
	    {"{'$Only':['${Live}','${Asked}','Name']}", "[{'Name':'p','X':1}]"},
	    {"{'$Only':['${Live}','${Missing}','Name']}", "[{'Name':'p','X':1,'Y':2},{'Name':'q','X':3}]"},
	};
	json_t *values = parse(names);
	const struct engine_scope scope = {NULL, values, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *expression = parse(cases[i].expression), *value = engine_eval(&scope, expression);

		if (cases[i].result == NULL && value != NULL)
			fail_msg("%s is not absent", cases[i].expression);
		else if (cases[i].result != NULL)
			assert_json(value, cases[i].result);
		json_decref(expression);
		json_decref(value);
	}
	json_decref(values);
}

/* -- Create ------------------------------------------------------------------------------------------------------- */

#define READ "'Read':[{'Call':'Look','Input':{'Id':'${Attributes.Id}'},'NotFound':['NoSuch']}]"
#define CREATE                                                                                                         \
	"{'Create':[{'Call':'Make','Input':{'Name':'${Properties.Name}','Size':'${Properties.Size}',"                  \
	"'Token':'${Token}'},'Attributes':{'Id':'${Response.Id}'}},"                                                   \
	"{'Call':'Part','ForEach':'${Properties.Parts}','Input':{'Id':'${Attributes.Id}','Part':'${Item}'}}]," READ    \
	",'Delete':[{'Call':'Drop','Input':{'Id':'${Attributes.Id}'},'NotFound':['NoSuch']}]}"

static void test_create(void **state)
{
	const struct schema_type *type = type_of(CREATE);

	(void)state;
	PLAY({"Make", "{'Name':'n','Size':1,'Token':'t0'}", "{'Id':'i-1'}"}, {"Part", "{'Id':'i-1','Part':'a'}", "{}"},
	     {"Part", "{'Id':'i-1','Part':'b'}", "{}"});
	run(AWS_CREATE, type, "{'Name':'n','Parts':['a','b']}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_DONE);
	assert_true(got.exists);
	assert_json(got.attributes, "{'Id':'i-1','Arn':'arn:aws:y:eu-west-1:111111111111:n'}");
	assert_json(got.progress, "{'Id':'i-1','Arn':'arn:aws:y:eu-west-1:111111111111:n'}");
	assert_int_equal(most_in_flight, 1); /* what changes things goes one after another */
}

static void test_create_fails(void **state)
{
	const struct schema_type *type = type_of(CREATE);

	(void)state;
	PLAY({"Make", "{'Name':'n','Size':1,'Token':'t0'}", "!AccessDenied no"});
	run(AWS_CREATE, type, "{'Name':'n'}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	assert_false(got.exists);
	assert_string_equal(got.code, "AccessDenied");
	assert_string_equal(got.operation, "y:Make");
	/* Half-way: what was learned is told, and that something is there. */
	PLAY({"Make", "{'Name':'n','Size':1,'Token':'t0'}", "{'Id':'i-1'}"},
	     {"Part", "{'Id':'i-1','Part':'a'}", "!AccessDenied no"});
	run(AWS_CREATE, type, "{'Name':'n','Parts':['a','b']}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_true(got.exists);
	assert_string_equal(json_get_string(got.attributes, "Id"), "i-1");
	/* A lost answer may have made it, but nobody knows. */
	PLAY({"Make", "{'Name':'n','Size':1,'Token':'t0'}", "?"});
	run(AWS_CREATE, type, "{'Name':'n'}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_false(got.exists);
	PLAY({"Make", "{'Name':'n','Size':1,'Token':'t0'}", "-"});
	run(AWS_CREATE, type, "{'Name':'n'}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_UNREACHABLE);
	assert_false(got.exists);
}

/* -- Read, find, delete ------------------------------------------------------------------------------------------- */

static void test_absence(void **state)
{
	const struct schema_type *type = type_of(CREATE);

	(void)state;
	PLAY({"Look", "{'Id':'i-1'}", "!NoSuch gone"});
	run(AWS_FIND, type, "{}", NULL, "{'Id':'i-1'}");
	assert_int_equal(got.outcome, PROVIDER_ABSENT);
	PLAY({"Look", "{'Id':'i-1'}", "!AccessDenied no"});
	run(AWS_FIND, type, "{}", NULL, "{'Id':'i-1'}");
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	PLAY({"Look", "{'Id':'i-1'}", "?"});
	run(AWS_FIND, type, "{}", NULL, "{'Id':'i-1'}");
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	PLAY({"Drop", "{'Id':'i-1'}", "!NoSuch gone"});
	run(AWS_DELETE, type, "{}", NULL, "{'Id':'i-1'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
	/* The first try did it, and its answer was lost. */
	PLAY({"Drop", "{'Id':'i-1'}", "~NoSuch gone (tried 2 times)"});
	run(AWS_DELETE, type, "{}", NULL, "{'Id':'i-1'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
	PLAY({"Drop", "{'Id':'i-1'}", "~InUse busy (tried 2 times)"});
	run(AWS_DELETE, type, "{}", NULL, "{'Id':'i-1'}");
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	PLAY({"Drop", "{'Id':'i-1'}", "!InUse busy"});
	run(AWS_DELETE, type, "{}", NULL, "{'Id':'i-1'}");
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	assert_true(got.exists);
}

#define LISTED                                                                                                         \
	"{'Read':[{'Call':'Rows','Paginate':'Next',"                                                                   \
	"'Set':{'Row':{'$Pick':['${Response.Rows}',{'$Equals':['${Item.Name}','${Properties.Name}']}]}}},"             \
	"{'Absent':{'$Not':'${Row}'},'Attributes':{'Id':'${Row.Id}'},'Properties':{'Name':'${Row.Name}'}},"            \
	"[{'Call':'Look','Input':{'Id':'${Row.Id}'},'Properties':{'Size':'${Response.Size}'}},"                        \
	"[{'Call':'Tell','Input':{'Id':'${Row.Id}'},'Set':{'Names':'${Response.Names}'}},"                             \
	"{'Call':'Tell','ForEach':'${Names}','Batch':2,'As':'Some','Input':{'Names':'${Some}'},"                       \
	"'Set':{'Told':'${Response.Part}'}},{'Properties':{'Parts':'${Told}'}}]]],"                                    \
	"'Create':[{'Call':'Make'}],'Delete':[{'Call':'Drop'}]}"

static void test_read(void **state)
{
	(void)state;
	PLAY({"Rows", "{}", "{'Rows':[{'Name':'m','Id':'i-0'}],'Next':'p2'}"},
	     {"Rows", "{'Next':'p2'}", "{'Rows':[{'Name':'n','Id':'i-1'}]}"}, {"Look", "{'Id':'i-1'}", "{}"},
	     {"Tell", "{'Id':'i-1'}", "{'Names':['a','b','c']}"}, {"Tell", "{'Names':['a','b']}", "{'Part':'ab'}"},
	     {"Tell", "{'Names':['c']}", "{}"});
	run(AWS_FIND, type_of(LISTED), "{'Name':'n'}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_DONE);
	/* Size was not in the answer: then it is what its default says. */
	assert_json(got.properties, "{'Name':'n','Size':1,'Parts':['ab']}");
	assert_string_equal(json_get_string(got.attributes, "Id"), "i-1");
	assert_int_equal(most_in_flight, 2);
	/* A list that does not end does not say that something is absent. */
	PLAY({"Rows", "{}", "{'Rows':[{'Name':'m','Id':'i-0'}],'Next':'p2'}"},
	     {"Rows", "{'Next':'p2'}", "{'Next':'p2'}"});
	run(AWS_FIND, type_of(LISTED), "{'Name':'n'}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_string_equal(got.code, "EndlessList");
}

static void test_batch(void **state)
{
	const struct schema_type *type = type_of(LISTED);
	json_t *a = parse("{'Name':'a'}"), *b = parse("{'Name':'b'}"), *c = parse("{'Name':'c'}");
	const struct provider_read_item items[] = {
	    {"1", a, NULL, done, NULL}, {"2", b, NULL, done, NULL}, {"3", c, NULL, done, NULL}};

	(void)state;
	got_clear();
	PLAY({"Rows", "{}", "{'Rows':[{'Name':'a','Id':'1'},{'Name':'b','Id':'2'}]}"}, {"Look", "{'Id':'1'}", "{}"},
	     {"Tell", "{'Id':'1'}", "{}"}, {"Look", "{'Id':'2'}", "{}"}, {"Tell", "{'Id':'2'}", "{}"});
	aws_engine_read(&aws, type, &target, items, 3);
	loop_run(aws.loop);
	assert_int_equal(got.calls, 3);
	assert_int_equal(line_at, lines);
	json_decref(a);
	json_decref(b);
	json_decref(c);
}

/* -- Update ------------------------------------------------------------------------------------------------------- */

#define UPDATE                                                                                                         \
	"{'Update':[{'Call':'Change','When':{'$Changed':['Size','Note','Picked']},"                                    \
	"'Input':{'Id':'${Attributes.Id}','Size':'${Properties.Size}','Note':{'$OrClear':['Note','']}}},"              \
	"{'Call':'Tag','When':{'$Minus':['${Properties.Tags}','${Prior.Tags}']},"                                      \
	"'Input':{'Id':'${Attributes.Id}','Tags':{'$Minus':['${Properties.Tags}','${Prior.Tags}']}}}]," READ           \
	",'Create':[{'Call':'Make'}],'Delete':[{'Call':'Drop'}]}"

static void test_update(void **state)
{
	const struct schema_type *type = type_of(UPDATE);

	(void)state;
	PLAY({"Tag", "{'Id':'i','Tags':[{'Key':'a','Value':'2'}]}", "{}"});
	run(AWS_UPDATE, type, "{'Tags':[{'Key':'a','Value':'2'}]}",
	    "{'Size':1,'Picked':'p','Tags':[{'Key':'a','Value':'1'}]}", "{'Id':'i'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
	/* Left out: the default again; left out and had: taken away. */
	PLAY({"Change", "{'Id':'i','Size':1,'Note':''}", "{}"});
	run(AWS_UPDATE, type, "{}", "{'Size':2,'Note':'x'}", "{'Id':'i'}");
	PLAY({"Change", "{'Id':'i','Size':2}", "!Throttled slow"});
	run(AWS_UPDATE, type, "{'Size':2}", "{'Size':1}", "{'Id':'i'}");
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	assert_true(got.exists);
}

/* -- Waiting ------------------------------------------------------------------------------------------------------ */

#define WAITING                                                                                                        \
	"{'Create':[{'Call':'Make','RetryOn':[{'Code':'Late*','Message':'*role*','Deadline':%d}]},"                    \
	"{'Call':'Look','Until':{'Condition':{'$Equals':['${Response.State}','UP']},'Every':1,'Timeout':%d}},"         \
	"{'Call':'Part','Fail':{'When':'${Response.Failed}','Code':'${Response.Why}','Message':'part "                 \
	"${Response.Why}'}}"                                                                                           \
	"],'Read':[],'Delete':[]}"

static void test_waiting(void **state)
{
	mem_auto_str char *patient = mem_printf(WAITING, 10, 10), *hasty = mem_printf(WAITING, 0, 1);

	(void)state;
	PLAY({"Make", "{}", "!LateException the role is new"}, {"Make", "{}", "{}"},
	     {"Look", "{}", "{'State':'COMING'}"}, {"Look", "{}", "{'State':'UP'}"}, {"Part", "{}", "{'Failed':0}"});
	run(AWS_CREATE, type_of(patient), "{}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_DONE);
	PLAY({"Make", "{}", "!LateException something else"});
	run(AWS_CREATE, type_of(patient), "{}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	PLAY({"Make", "{}", "!LateException the role is new"});
	run(AWS_CREATE, type_of(hasty), "{}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
	PLAY({"Make", "{}", "{}"}, {"Look", "{}", "{'State':'COMING'}"}, {"Look", "{}", "{'State':'COMING'}"});
	run(AWS_CREATE, type_of(hasty), "{}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_string_equal(got.code, "Timeout");
	PLAY({"Make", "{}", "{}"}, {"Look", "{}", "{'State':'UP'}"}, {"Part", "{}", "{'Failed':1,'Why':'Bad'}"});
	run(AWS_CREATE, type_of(hasty), "{}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_string_equal(got.code, "Bad");
	assert_true(got.exists);
}

static void cancel(void *payload)
{
	(void)payload;
	aws_engine_cancel(&aws);
}

static void test_cancel(void **state)
{
	mem_auto_str char *patient = mem_printf(WAITING, 100, 100);
	int64_t began = loop_wall_ms();

	(void)state;
	PLAY({"Make", "{}", "!LateException the role is new"});
	loop_timer_start(aws.loop, 50, cancel, NULL);
	run(AWS_CREATE, type_of(patient), "{}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_CANCELLED);
	assert_true(loop_wall_ms() - began < 400);
	/* What begins afterwards is not touched. */
	PLAY({"Make", "{}", "!AccessDenied no"});
	run(AWS_CREATE, type_of(patient), "{}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_REFUSED);
}

/* -- Postponed calls ---------------------------------------------------------------------------------------------- */

#define POSTPONES                                                                                                      \
	"{'Create':[{'Call':'Make'},{'Call':'Begin','When':{'$Equals':['${Properties.Name}','first']},"                \
	"'Input':{'Id':'1'},'Postpone':{'Codes':['NoChannel'],'Until':'X::Y::Z'}}],'Read':[],"                         \
	"'Delete':[{'Forget':'Begin'}]}"

static void test_postpone(void **state)
{
	const struct schema_type *type = type_of(POSTPONES);
	const struct line first[] = {
	    {"Make", "{}", "{}"}, {"Begin", "{'Id':'1'}", "!NoChannel none"}, {"Begin", "{'Id':'1'}", "{}"}};

	(void)state;
	/* The type waits for itself here, so the call is made as soon as the create has ended. */
	play(first, 3);
	run(AWS_CREATE, type, "{'Name':'first'}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_DONE);
	PLAY({"Make", "{}", "{}"}, {"Begin", "{'Id':'1'}", "!NoChannel none"}, {"Begin", "{'Id':'1'}", "!Broken yes"});
	run(AWS_CREATE, type, "{'Name':'first'}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_string_equal(got.operation, "y:Begin");
	/* Forgotten: nothing is left for the next create. */
	json_t *input = json_object();

	engine_postpone(&aws, &target, "X::Y::Z", "y", "Begin", input);
	json_decref(input);
	PLAY({NULL, NULL, NULL});
	lines = 0;
	run(AWS_DELETE, type, "{}", NULL, NULL);
	PLAY({"Make", "{}", "{}"});
	run(AWS_CREATE, type, "{}", NULL, NULL);
}

/* -- Checks ------------------------------------------------------------------------------------------------------- */

static void test_checks(void **state)
{
	static const struct {
		const char *handlers, *says;
	} cases[] = {
	    {"{'Read':[],'Create':[]}", "every type needs these three"},
	    {"{'Red':[]}", "no such handler"},
	    {"{'Read':[{'Cal':'Look'}]}", "unknown word \"Cal\""},
	    {"{'Read':[{'Call':'Lok'}]}", "no such operation"},
	    {"{'Read':[{'Call':'Look','Service':'z'}]}", "no service \"z\""},
	    {"{'Read':[{'Call':'Look','Input':{'Idd':1}}]}", "takes no \"Idd\""},
	    {"{'Read':[{'Call':'Look','Input':{'Id':'${Properties.Nme}'}}]}", "nothing is called \"Properties.Nme\""},
	    {"{'Read':[{'Call':'Look','Input':{'Id':'${Row.Id}'}}]}", "nothing is called \"Row.Id\""},
	    {"{'Read':[{'Call':'Look','Input':{'Id':'${Attributes.Idd}'}}]}", "nothing is called \"Attributes.Idd\""},
	    {"{'Read':[{'Set':{'X':'${Response.Y}'}}]}", "nothing is called \"Response.Y\""},
	    {"{'Read':[{'Set':{'X':{'$Mapp':[1,2]}}}]}", "unknown word \"$Mapp\""},
	    {"{'Read':[{'Set':{'X':{'$Map':[1]}}}]}", "takes a list of 2 to 2"},
	    {"{'Read':[{'Set':{'X':'${Item}'}}]}", "nothing is called \"Item\""},
	    {"{'Read':[{'When':{'$Changed':'Size'}}]}", "belong to Update"},
	    {"{'Update':[{'When':{'$Changed':'Sise'}}]}", "no property \"Sise\""},
	    {"{'Read':[{'Properties':{'Nam':1}}]}", "has no \"Nam\""},
	    {"{'Read':[{'Attributes':{'Nam':1}}]}", "has no \"Nam\""},
	    {"{'Read':[{'Call':'Look','Until':{'Conditon':1}}]}", "unknown key \"Conditon\""},
	    {"{'Read':[{'Call':'Look','NotFound':[]}]}", "list of error codes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct diag d = DIAG_INIT;
		buf_auto struct buf all = BUF_INIT;

		assert_int_equal(aws_engine_check(&aws, type_of(cases[i].handlers), &d), -1);
		for (size_t j = 0; j < d.count; j++)
			buf_addf(&all, "%s\n", d.items[j].text);
		if (strstr(buf_str(&all), cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].handlers, buf_str(&all));
		diag_free(&d);
	}
}

/* Whether `text` speaks of this property: "${Properties.Name...". */
static bool text_uses(const char *text, const char *name)
{
	mem_auto_str char *wanted = mem_printf("${Properties.%s", name);
	const char *at = text;

	while ((at = strstr(at, wanted)) != NULL) {
		at += strlen(wanted);
		if (*at != '\0' && strchr("}.[|", *at) != NULL)
			return true;
	}
	return false;
}

/* Whether an update does something for this property. `named`: strings here are names of properties. */
static bool update_uses(const json_t *handler, const char *name, bool named)
{
	const char *key, *text = json_string_value(handler);
	json_t *value;
	size_t i;

	if (text != NULL)
		return named ? strcmp(text, name) == 0 : text_uses(text, name);
	json_array_foreach(handler, i, value)
	{
		if (update_uses(value, name, named))
			return true;
	}
	json_object_foreach((json_t *)handler, key, value)
	{
		if (update_uses(value, name, strcmp(key, "$Changed") == 0 || strcmp(key, "$OrClear") == 0))
			return true;
	}
	return false;
}

/* What can change is changed by the update, or refused: else a plan would have the same update for ever. What the
 * service does not tell may be for other calls only, and what has a single value cannot change. */
static void update_check(const struct schema_type *type, struct diag *d)
{
	const json_t *update = json_object_get(type->handlers, "Update");

	for (size_t i = 0; i < type->properties.member_count; i++) {
		const struct schema_member *it = &type->properties.members[i];

		if (!it->create_only && !it->write_only && !it->read_only &&
		    json_array_size(it->value.enumeration) != 1 && !update_uses(update, it->name, false))
			diag_error(d, "%s: nothing in Update is about %s", type->name, it->name);
	}
}

static void test_update_check(void **state)
{
	struct diag d = DIAG_INIT;

	(void)state;
	update_check(type_of("{'Update':[{'Call':'Change','When':{'$Changed':['Name','Note']},'Input':{"
			     "'Size':'${Properties.Size|0}'}},{'Call':'Tag','ForEach':'${Properties.Tags}'},"
			     "{'Set':{'X':'${Properties.PartsOfIt} Parts ${Properties.Picked}'}}]}"),
		     &d);
	assert_int_equal(d.errors, 1);
	assert_string_equal(diag_first_error(&d), "X::Y::Z: nothing in Update is about Parts");
	diag_free(&d);
}

static void test_shipped_types(void **state)
{
	struct diag d = DIAG_INIT;
	const struct schema_type *const *types;
	size_t count;

	(void)state;
	types = schema_set_list(shipped, &count);
	assert_true(count >= 11);
	for (size_t i = 0; i < count; i++) {
		aws_engine_check(&aws, types[i], &d);
		update_check(types[i], &d);
		for (size_t j = 0; j < types[i]->after_count; j++)
			if (strcmp(types[i]->after[j], types[i]->name) == 0)
				diag_error(&d, "%s comes after itself", types[i]->name);
	}
	diag_print(&d, stderr, false);
	assert_int_equal(d.errors, 0);
	diag_free(&d);
}

/* -- Updates of types whose order of calls matters ---------------------------------------------------------------- */

static void test_update_of_function(void **state)
{
	const struct schema_type *type = schema_set_find(shipped, "AWS::Lambda::Function");
	static const char had[] = "{'FunctionName':'f','Role':'r','Timeout':3,'Tags':[]}";

	(void)state;
	/* A failure of before does not stop the change that mends it. */
	PLAY({"UpdateFunctionConfiguration", "{'FunctionName':'f','Role':'r2','Timeout':3,'MemorySize':128}", "{}"},
	     {"GetFunctionConfiguration", "{'FunctionName':'f'}", "{'LastUpdateStatus':'Successful'}"});
	run(AWS_UPDATE, type, "{'FunctionName':'f','Role':'r2'}", had, "{'Arn':'a'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
	PLAY({"UpdateFunctionConfiguration", "{'FunctionName':'f','Role':'r2','Timeout':3,'MemorySize':128}", "{}"},
	     {"GetFunctionConfiguration", "{'FunctionName':'f'}",
	      "{'LastUpdateStatus':'Failed','LastUpdateStatusReasonCode':'InvalidSubnet'}"});
	run(AWS_UPDATE, type, "{'FunctionName':'f','Role':'r2'}", had, "{'Arn':'a'}");
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_string_equal(got.code, "InvalidSubnet");
	/* Nor is it that of a change that waits for nothing. */
	PLAY({"TagResource", "{'Resource':'a','Tags':{'k':'v'}}", "{}"});
	run(AWS_UPDATE, type, "{'FunctionName':'f','Role':'r','Tags':[{'Key':'k','Value':'v'}]}", had, "{'Arn':'a'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
}

#define TOPIC "'TopicArn':'arn:aws:sns:eu-west-1:1:t'"
#define SET(N, V)                                                                                                      \
	{                                                                                                              \
		"SetSubscriptionAttributes", "{'SubscriptionArn':'s','AttributeName':'" N "'" V "}", "{}"              \
	}
#define FLAT   "{\\'a\\':[\\'b\\']}"
#define NESTED "{\\'a\\':{\\'b\\':[\\'c\\']}}"

static void test_update_of_subscription(void **state)
{
	const struct schema_type *type = schema_set_find(shipped, "AWS::SNS::Subscription");

	(void)state;
	PLAY(SET("FilterPolicyScope", ",'AttributeValue':'MessageBody'"),
	     SET("FilterPolicy", ",'AttributeValue':'" NESTED "'"));
	run(AWS_UPDATE, type, "{" TOPIC ",'FilterPolicyScope':'MessageBody','FilterPolicy':{'a':{'b':['c']}}}",
	    "{" TOPIC ",'FilterPolicyScope':'MessageAttributes','FilterPolicy':{'a':['b']}}", "{'Arn':'s'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
	PLAY(SET("FilterPolicy", ",'AttributeValue':'" FLAT "'"),
	     SET("FilterPolicyScope", ",'AttributeValue':'MessageAttributes'"));
	run(AWS_UPDATE, type, "{" TOPIC ",'FilterPolicy':{'a':['b']}}",
	    "{" TOPIC ",'FilterPolicyScope':'MessageBody','FilterPolicy':{'a':{'b':['c']}}}", "{'Arn':'s'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
	/* Taken away: by an empty filter, and by no value at all. */
	PLAY(SET("FilterPolicy", ",'AttributeValue':'{}'"), SET("RedrivePolicy", ""));
	run(AWS_UPDATE, type, "{" TOPIC "}",
	    "{" TOPIC ",'FilterPolicy':{'a':['b']},'RedrivePolicy':{'deadLetterTargetArn':'q'}}", "{'Arn':'s'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
	PLAY(SET("RawMessageDelivery", ",'AttributeValue':'false'"));
	run(AWS_UPDATE, type, "{" TOPIC "}", "{" TOPIC ",'RawMessageDelivery':true}", "{'Arn':'s'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
}

static void test_update_of_role(void **state)
{
	const struct schema_type *type = schema_set_find(shipped, "AWS::IAM::Role");

	(void)state;
	PLAY({"AttachRolePolicy", "{'RoleName':'r','PolicyArn':'b'}", "{}"},
	     {"DetachRolePolicy", "{'RoleName':'r','PolicyArn':'a'}", "{}"});
	run(AWS_UPDATE, type, "{'RoleName':'r','ManagedPolicyArns':['b']}",
	    "{'RoleName':'r','ManagedPolicyArns':['a']}", NULL);
	assert_int_equal(got.outcome, PROVIDER_DONE);
	/* An eleventh may be one too many, if only for a moment. */
	PLAY({"DetachRolePolicy", "{'RoleName':'r','PolicyArn':'0'}", "{}"},
	     {"AttachRolePolicy", "{'RoleName':'r','PolicyArn':'b'}", "{}"});
	run(AWS_UPDATE, type, "{'RoleName':'r','ManagedPolicyArns':['1','2','3','4','5','6','7','8','9','b']}",
	    "{'RoleName':'r','ManagedPolicyArns':['0','1','2','3','4','5','6','7','8','9']}", NULL);
	assert_int_equal(got.outcome, PROVIDER_DONE);
}

static void test_update_refused(void **state)
{
	const struct schema_type *type = schema_set_find(shipped, "AWS::KMS::Key");

	(void)state;
	PLAY({NULL, NULL, NULL});
	lines = 0;
	run(AWS_UPDATE, type, "{'KeySpec':'RSA_2048','Enabled':true,'Description':'d'}", "{'Enabled':false}",
	    "{'KeyId':'k'}");
	assert_int_equal(got.outcome, PROVIDER_FAILED);
	assert_string_equal(got.code, "NotUpdatable");
}

/* Roles that hold the policy by somebody else's doing keep it. */
static void test_delete_of_policy(void **state)
{
	const struct schema_type *type = schema_set_find(shipped, "AWS::IAM::ManagedPolicy");

	(void)state;
	PLAY({"DetachRolePolicy", "{'PolicyArn':'p','RoleName':'ours'}", "{}"},
	     {"ListPolicyVersions", "{'PolicyArn':'p'}", "{'Versions':[{'VersionId':'v1','IsDefaultVersion':true}]}"},
	     {"DeletePolicy", "{'PolicyArn':'p'}", "{}"});
	run(AWS_DELETE, type, "{'ManagedPolicyName':'n','Roles':['ours']}", NULL, "{'PolicyArn':'p'}");
	assert_int_equal(got.outcome, PROVIDER_DONE);
}

static void test_permission_found(void **state)
{
	const struct schema_type *type = schema_set_find(shipped, "AWS::Lambda::Permission");
	static const char policy[] =
	    "{'Policy':'{\\'Statement\\':["
	    "{\\'Sid\\':\\'1\\',\\'Action\\':\\'x\\',\\'Principal\\':\\'*\\'},"
	    "{\\'Sid\\':\\'2\\',\\'Action\\':\\'x\\',\\'Principal\\':\\'*\\',\\'Condition\\':{\\'StringEquals\\':"
	    "{\\'lambda:EventSourceToken\\':\\'t\\'}}},"
	    "{\\'Sid\\':\\'3\\',\\'Action\\':\\'x\\',\\'Principal\\':\\'*\\',\\'Condition\\':{\\'Bool\\':"
	    "{\\'lambda:InvokedViaFunctionUrl\\':\\'true\\'}}}]}'}";
	static const char *const asked[] = {"", ",'EventSourceToken':'t'", ",'InvokedViaFunctionUrl':true"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		mem_auto_str char *properties =
		    mem_printf("{'FunctionName':'f','Action':'x','Principal':'*'%s}", asked[i]);
		const char sid[] = {(char)('1' + i), '\0'};

		PLAY({"GetPolicy", "{'FunctionName':'f'}", policy});
		run(AWS_FIND, type, properties, NULL, NULL);
		assert_int_equal(got.outcome, PROVIDER_DONE);
		assert_string_equal(json_get_string(got.attributes, "Id"), sid);
	}
	PLAY({"GetPolicy", "{'FunctionName':'f'}", policy});
	run(AWS_FIND, type, "{'FunctionName':'f','Action':'x','Principal':'*','EventSourceToken':'u'}", NULL, NULL);
	assert_int_equal(got.outcome, PROVIDER_ABSENT);
}

static int setup(void **state)
{
	struct diag d = DIAG_INIT;
	json_t *service = parse(service_text);

	(void)state;
	if (loop_new(&aws.loop, &d) != 0 || aws_services_load(&aws.services, &d) != 0 ||
	    aws_services_add(aws.services, "y.json", service, &d) != 0 || schema_set_new(&schemas, &d) != 0) {
		diag_print(&d, stderr, false);
		return -1;
	}
	json_decref(service);
	if (schema_set_new(&shipped, &d) != 0 || aws_engine_types_load(shipped, &d) != 0) {
		diag_print(&d, stderr, false);
		return -1;
	}
	aws.engine = aws_engine_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	got_clear();
	schema_set_free(schemas);
	schema_set_free(shipped);
	aws_engine_free(aws.engine);
	aws_services_free(aws.services);
	loop_free(aws.loop);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_expressions),
	    cmocka_unit_test(test_create),
	    cmocka_unit_test(test_create_fails),
	    cmocka_unit_test(test_absence),
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_batch),
	    cmocka_unit_test(test_update),
	    cmocka_unit_test(test_waiting),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_postpone),
	    cmocka_unit_test(test_checks),
	    cmocka_unit_test(test_shipped_types),
	    cmocka_unit_test(test_update_check),
	    cmocka_unit_test(test_update_of_function),
	    cmocka_unit_test(test_update_of_subscription),
	    cmocka_unit_test(test_update_of_role),
	    cmocka_unit_test(test_update_refused),
	    cmocka_unit_test(test_delete_of_policy),
	    cmocka_unit_test(test_permission_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
