/* From a spec directory to resources: expansion, evaluation, references, names. */
#include "specs_common.h"

static void simple_stack(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/log.json", "{\"Targets\": {\"Accounts\": [\"security\"], \"Regions\": [\"home\"]},"
				"\"Resources\": {\"Bucket\": {\"Type\": \"Test::Bucket\", \"Properties\": {"
				"\"BucketName\": {\"Fn::Sub\": \"logs-${AWS::AccountId}\"}}}},"
				"\"Outputs\": {\"Name\": {\"Value\": {\"Ref\": \"Bucket\"}},"
				"\"Arn\": {\"Value\": {\"Fn::GetAtt\": [\"Bucket\", \"Arn\"]}},"
				"\"Domain\": {\"Value\": {\"Fn::GetAtt\": \"Bucket.DomainName\"}}}}"},
	    {"stacks/record.json",
	     "{\"Targets\": {\"Accounts\": [\"*\"], \"Regions\": [\"*\"]}, \"DependsOn\": \"log\","
	     "\"Parameters\": {\"Owner\": {\"Type\": \"String\", \"Default\": \"sec\"}},"
	     "\"Conditions\": {\"IsHome\": {\"Fn::Equals\": [{\"Ref\": \"AWS::Region\"}, {\"Ref\": "
	     "\"Muster::HomeRegion\"}]}},"
	     "\"Resources\": {\"Topic\": {\"Type\": \"Test::Topic\", \"Protect\": true, \"DeletionPolicy\": \"Retain\","
	     " \"Properties\": {"
	     "\"Text\": {\"Fn::GetStackOutput\": {\"StackName\": \"log\", \"OutputName\": \"Arn\"}},"
	     "\"Switch\": {\"Fn::If\": [\"IsHome\", true, false]},"
	     "\"Value\": {\"o\": {\"Ref\": \"Owner\"}, \"d\": {\"Fn::Sub\": [\"x-${D}\", {\"D\": "
	     "{\"Fn::GetStackOutput\":"
	     " {\"StackName\": \"log\", \"OutputName\": \"Domain\"}}}]}}}},"
	     "\"Detector\": {\"Type\": \"Test::Detector\", \"DependsOn\": \"Topic\","
	     "\"Properties\": {\"Enable\": true}}}}"},
	};
	struct fixture f;
	struct specs_instance *instance;
	const struct specs_resource *topic;

	(void)state;
	fixture_begin(&f, files, 4);
	fixture_expand(&f);
	assert_int_equal(f.specs->instance_count, 1 + 4 + 3 + 2);
	assert_string_equal(f.specs->instances[0]->address, "security/eu-west-1/log");
	instance = instance_at(&f, "app-prod/us-east-1/record");
	assert_non_null(instance);
	assert_int_equal(instance->depend_count, 1);
	assert_string_equal(instance->depends[0], "security/eu-west-1/log");
	if (specs_evaluate(f.specs, instance, NULL, &f.d) != 0)
		print_all(&f.d);
	topic = resource_at(instance, "Topic");
	assert_non_null(topic);
	expect_json(json_object_get(topic->properties, "Text"), "\"arn:aws:s3:::logs-111111111111\"");
	expect_json(json_object_get(topic->properties, "Switch"), "false");
	expect_json(json_object_get(topic->properties, "Value"),
		    "{\"o\": \"sec\", \"d\": {\"Fn::Join\": [\"\", [\"x-\", {\"Muster::Attribute\": "
		    "[\"security/eu-west-1/log/Bucket\", \"DomainName\"]}]]}}");
	assert_true(topic->unknown);
	assert_true(topic->protect);
	assert_true(topic->name_generated);
	assert_int_equal(topic->deletion, SPECS_RETAIN);
	assert_int_equal(topic->depend_count, 1);
	assert_string_equal(topic->depends[0], "security/eu-west-1/log");
	assert_int_equal(resource_at(instance, "Detector")->depend_count, 1);
	assert_string_equal(resource_at(instance, "Detector")->depends[0], "app-prod/us-east-1/record/Topic");
	specs_instance_release(instance);
	assert_int_equal(specs_check(f.specs, &f.d), 0);
	/* Test::Detector is not offered in eu-west-3. */
	expect_message(&f.d, "stacks/record.json:1:*: Resources.Detector: Test::Detector is not offered in eu-west-3*");
	fixture_end(&f);
}

/* -- places -- */

struct skips {
	struct buf text;
};

static const char *const *skip_regions(void *payload, const struct specs_account *account)
{
	(void)payload;
	return strcmp(account->name, "app-prod") == 0 ? NULL : test_regions(NULL, account);
}

static void skip_note(void *payload, const char *stack, const struct specs_account *account, const char *region,
		      const char *reason)
{
	struct skips *skips = payload;

	buf_addf(&skips->text, "%s:%s/%s:%s;", stack, account->name, region, reason);
}

static void places(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/a.json", "{\"Targets\": {\"Regions\": [\"eu-west-3\", \"us-east-1\", \"home\", \"!us-*\"]},"
			      "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}"},
	    {"stacks/b.json",
	     "{\"Targets\": {\"Accounts\": [\"tag:project\", \"!tag:prod\"], \"Regions\": [\"us-east-1\"]},"
	     "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}"},
	    {"stacks/c.txt", ""},
	};
	struct fixture f;
	struct skips skips = {BUF_INIT};

	(void)state;
	fixture_begin(&f, files, 5);
	assert_int_equal(fixture_load(&f), 0);
	assert_int_equal(specs_expand(f.specs, skip_regions, skip_note, &skips, &f.d), 0);
	assert_int_equal(f.specs->instance_count, 3);
	assert_string_equal(f.specs->instances[0]->address, "security/eu-west-1/a");
	assert_string_equal(f.specs->instances[1]->address, "security/eu-west-3/a");
	assert_string_equal(f.specs->instances[2]->address, "app-test/eu-west-1/a");
	assert_string_equal(buf_str(&skips.text), "a:app-test/eu-west-3:not enabled in the account;"
						  "b:app-test/us-east-1:the account's Regions leave it out;");
	expect_message(&f.d, "stacks/c.txt:*not a stack*");
	buf_free(&skips.text);
	fixture_end(&f);
}

static void expect_depends(const struct fixture *f, const char *address, const char *expected)
{
	const struct specs_instance *instance = instance_at(f, address);
	struct buf all = BUF_INIT;

	assert_non_null(instance);
	for (size_t i = 0; i < instance->depend_count; i++)
		buf_addf(&all, "%s ", instance->depends[i]);
	assert_string_equal(buf_str(&all), expected);
	buf_free(&all);
}

static void depends_on_the_most_specific(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/all.json", "{\"Targets\": {}, \"DependsOn\": [\"here\", \"secall\", \"sechome\", \"sechome\"],"
				"\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}"},
	    {"stacks/here.json", "{\"Targets\": {\"Accounts\": [\"app-*\"], \"Regions\": [\"eu-central-1\"]},"
				 "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}"},
	    {"stacks/secall.json", "{\"Targets\": {\"Accounts\": [\"security\"], \"Regions\": [\"eu-*\"]},"
				   "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}"},
	    {"stacks/sechome.json", "{\"Targets\": {\"Accounts\": [\"security\"], \"Regions\": [\"home\"]},"
				    "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}"},
	};
	struct fixture f;

	(void)state;
	fixture_begin(&f, files, 6);
	fixture_expand(&f);
	/* Same target; same region of another account; nothing nearer than all. */
	expect_depends(&f, "app-prod/eu-central-1/all",
		       "app-prod/eu-central-1/here security/eu-central-1/secall security/eu-west-1/sechome ");
	/* Same account; all, since the region is not there. */
	expect_depends(&f, "app-prod/us-east-1/all",
		       "app-prod/eu-central-1/here security/eu-central-1/secall security/eu-west-1/secall "
		       "security/eu-west-1/sechome security/eu-west-3/secall ");
	fixture_end(&f);
}

/* -- blocked -- */

static void blocked_resources(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/bus.json", "{\"Targets\": {\"Accounts\": [\"app-test\"], \"Regions\": [\"*\"]},"
				"\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}},"
				"\"Outputs\": {\"Arn\": {\"Value\": {\"Ref\": \"T\"}}}}"},
	    {"stacks/rule.json",
	     "{\"Targets\": {\"Accounts\": [\"app-prod\"], \"Regions\": [\"*\"]},"
	     "\"Resources\": {\"R\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Text\": {\"Fn::GetStackOutput\": {"
	     "\"StackName\": \"bus\", \"OutputName\": \"Arn\", \"Region\": {\"Ref\": \"AWS::Region\"}}}}},"
	     "\"S\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Text\": {\"Fn::GetAtt\": [\"R\", \"Owner\"]}}},"
	     "\"U\": {\"Type\": \"Test::Topic\"}}, \"Outputs\": {\"O\": {\"Value\": {\"Ref\": \"R\"}}}}"},
	    {"stacks/loop.json",
	     "{\"Targets\": {\"Accounts\": [\"app-prod\"], \"Regions\": [\"*\"]},"
	     "\"Resources\": {\"Fn::ForEach::L\": [\"V\", [{\"Fn::GetStackOutput\": {\"StackName\": \"bus\","
	     "\"OutputName\": \"Arn\", \"Region\": {\"Ref\": \"AWS::Region\"}}}], {\"T&{V}\": {\"Type\": "
	     "\"Test::Topic\"}}]}}"},
	    {"stacks/sec.json",
	     "{\"Targets\": {\"Accounts\": [\"security\"], \"Regions\": [\"eu-west-3\"]},"
	     "\"Resources\": {\"D\": {\"Type\": \"Test::Detector\", \"Properties\": {\"Enable\": true}},"
	     "\"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Text\": {\"Ref\": \"D\"}}}}}"},
	};
	struct fixture f;
	struct specs_instance *instance;
	size_t count;

	(void)state;
	fixture_begin(&f, files, 6);
	fixture_expand(&f);
	instance = instance_at(&f, "app-prod/us-east-1/rule"); /* app-test has no us-* */
	assert_int_equal(specs_evaluate(f.specs, instance, NULL, &f.d), 0);
	assert_string_equal(resource_at(instance, "R")->blocked, "stack bus is not in app-test/us-east-1");
	assert_string_equal(resource_at(instance, "S")->blocked, "stack bus is not in app-test/us-east-1");
	assert_null(resource_at(instance, "U")->blocked);
	expect_json(resource_at(instance, "R")->properties, "{}");
	expect_json(specs_instance_outputs(instance), "{}");
	instance = instance_at(&f, "app-prod/eu-west-1/rule");
	assert_int_equal(specs_evaluate(f.specs, instance, NULL, &f.d), 0);
	assert_null(resource_at(instance, "R")->blocked);
	assert_int_equal(resource_at(instance, "S")->depend_count, 1);
	instance = instance_at(&f, "app-prod/us-east-1/loop");
	assert_int_equal(specs_evaluate(f.specs, instance, NULL, &f.d), 0);
	assert_string_equal(instance->blocked, "stack bus is not in app-test/us-east-1");
	specs_instance_resources(instance, &count);
	assert_int_equal(count, 0);
	instance = instance_at(&f, "security/eu-west-3/sec");
	assert_int_equal(specs_evaluate(f.specs, instance, NULL, &f.d), 0);
	assert_null(resource_at(instance, "D"));
	assert_non_null(strstr(resource_at(instance, "T")->blocked, "not offered in eu-west-3"));
	assert_int_equal(f.d.errors, 0);
	fixture_end(&f);
}

static const char *const *only_security(void *payload, const struct specs_account *account)
{
	return strcmp(account->name, "security") == 0 ? test_regions(payload, account) : NULL;
}

/* An account that cannot be entered changes what is blocked, not what a left-out account means. */
static void unreachable_accounts(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/one.json", "{\"Targets\": {\"Accounts\": [\"app-prod\"], \"Regions\": [\"home\"]},"
				"\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}},"
				"\"Outputs\": {\"O\": {\"Value\": 1}}}"},
	    {"stacks/reader.json",
	     "{\"Targets\": {\"Accounts\": [\"security\"], \"Regions\": [\"home\"]},"
	     "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Text\": {\"Fn::GetStackOutput\":"
	     "{\"StackName\": \"one\", \"OutputName\": \"O\"}}}}}}"},
	    {"stacks/waiter.json",
	     "{\"Targets\": {\"Accounts\": [\"security\"], \"Regions\": [\"home\"]}, \"DependsOn\": \"one\","
	     "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\"}}}"},
	};
	struct fixture f;
	struct specs_instance *instance;

	(void)state;
	fixture_begin(&f, files, 5);
	assert_int_equal(fixture_load(&f), 0);
	assert_int_equal(specs_expand(f.specs, only_security, NULL, NULL, &f.d), 0);
	assert_int_equal(f.specs->instance_count, 2);
	instance = instance_at(&f, "security/eu-west-1/reader");
	assert_int_equal(specs_evaluate(f.specs, instance, NULL, &f.d), 0);
	assert_string_equal(resource_at(instance, "T")->blocked, "stack one is not in app-prod/eu-west-1");
	instance = instance_at(&f, "security/eu-west-1/waiter");
	assert_int_equal(specs_evaluate(f.specs, instance, NULL, &f.d), 0);
	assert_string_equal(resource_at(instance, "T")->blocked, "depends on stack one, which goes nowhere");
	/* Expanded again with all accounts, nothing is blocked. */
	assert_int_equal(specs_expand(f.specs, test_regions, NULL, NULL, &f.d), 0);
	assert_int_equal(specs_check(f.specs, &f.d), 0);
	fixture_end(&f);
}

/* -- loops and conditions -- */

static void loops(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/s.json",
	     "{\"Targets\": {\"Accounts\": [\"security\"], \"Regions\": [\"home\"]},"
	     "\"Conditions\": {\"Fn::ForEach::C\": [\"R\", {\"Muster::Regions\": \"*\"}, {"
	     " \"Is&{R}\": {\"Fn::Equals\": [{\"Ref\": \"R\"}, {\"Ref\": \"AWS::Region\"}]}}]},"
	     "\"Resources\": {\"Fn::ForEach::T\": [\"R\", {\"Muster::Regions\": [\"*\"]}, {"
	     " \"Fn::ForEach::U\": [\"N\", [\"a\", \"b\"], {"
	     "  \"T&{R}${N}\": {\"Type\": \"Test::Topic\", \"Condition\": \"Is&{R}\", \"Properties\": {"
	     "   \"Text\": {\"Fn::Sub\": \"${R}-${N}-&{R}-${AWS::AccountId}\"}, \"Map\": {"
	     "    \"Fn::ForEach::K\": [\"K\", [\"x\", \"y\"], {\"${K}${N}\": \"v-${K}\"}]}}}}],"
	     " \"V&{R}\": {\"Type\": \"Test::Topic\", \"DependsOn\": [\"T&{R}a\"], \"Properties\": {"
	     "   \"Text\": {\"Fn::If\": [\"Is&{R}\", {\"Fn::Sub\": \"${T&{R}a.Owner}!\"}, \"none\"]}}}}]},"
	     "\"Outputs\": {\"Fn::ForEach::O\": [\"R\", [\"eu-west-1\"], {\"Out&{R}\": {\"Value\": {\"Ref\": "
	     "\"V&{R}\"}}}]}}"},
	    {"stacks/t.json",
	     "{\"Targets\": {\"Accounts\": [\"app-prod\"], \"Regions\": [\"home\"]},"
	     "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\", \"Properties\": {\"Value\": [{\"Fn::GetStackOutput\":"
	     "{\"StackName\": \"s\", \"OutputName\": \"Outeuwest1\"}}]}}}}"},
	};
	struct fixture f;
	struct specs_instance *s, *t;
	size_t count;

	(void)state;
	fixture_begin(&f, files, 4);
	fixture_expand(&f);
	s = instance_at(&f, "security/eu-west-1/s");
	t = instance_at(&f, "app-prod/eu-west-1/t");
	/* Evaluated through a reference, released half-way, evaluated whole, released, referred to again. */
	for (int round = 0; round < 2; round++) {
		if (specs_evaluate(f.specs, t, NULL, &f.d) != 0)
			print_all(&f.d);
		expect_json(json_object_get(resource_at(t, "T")->properties, "Value"),
			    "[{\"Muster::Attribute\": [\"security/eu-west-1/s/Veuwest1\", \"TopicArn\"]}]");
		specs_instance_release(s);
		specs_instance_release(t);
		assert_int_equal(specs_evaluate(f.specs, s, NULL, &f.d), 0);
		specs_instance_resources(s, &count);
		assert_int_equal(count, 2 + 4);
		expect_json(json_object_get(resource_at(s, "Teuwest1b")->properties, "Text"),
			    "\"eu-west-1-b-euwest1-111111111111\"");
		expect_json(json_object_get(resource_at(s, "Teuwest1b")->properties, "Map"),
			    "{\"xb\": \"v-x\", \"yb\": \"v-y\"}");
		expect_json(json_object_get(resource_at(s, "Veuwest1")->properties, "Text"), "\"111111111111!\"");
		assert_int_equal(resource_at(s, "Veuwest1")->depend_count, 1);
		assert_int_equal(resource_at(s, "Veuwest3")->depend_count, 0);
		specs_instance_release(s);
	}
	specs_reset(f.specs);
	assert_null(specs_instance_outputs(s));
	assert_int_equal(specs_check(f.specs, &f.d), 0);
	fixture_end(&f);
}

/* -- parameters and secrets -- */

static const char parameter_stack[] =
    "{\"Targets\": {\"Accounts\": [\"tag:project\"], \"Regions\": [\"home\"]}, \"Parameters\": {"
    "\"Owner\": {\"Type\": \"String\", \"Default\": \"nobody\"}, \"Count\": {\"Type\": \"Number\", \"Default\": \"7\"},"
    "\"Flag\": {\"Type\": \"String\", \"Default\": \"true\"}, \"Ids\": {\"Type\": \"List<Number>\", \"Default\": \"1, "
    "2\"},"
    "\"Token\": {\"Type\": \"String\", \"NoEcho\": true, \"Default\": \"default-token\"}},"
    "\"Resources\": {\"T\": {\"Type\": \"Test::Topic\", \"Properties\": {"
    "\"Text\": {\"Ref\": \"Count\"}, \"Number\": {\"Ref\": \"Count\"}, \"Switch\": {\"Ref\": \"Flag\"},"
    "\"List\": {\"Ref\": \"Ids\"}, \"Value\": {\"o\": {\"Ref\": \"Owner\"}, \"t\": {\"Fn::Sub\": \"Bearer "
    "${Token}\"}}}}}}";

static void parameters(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", "{\"Version\": 1, \"HomeRegion\": \"eu-west-1\", \"Parameters\": {\"Owner\": \"all\", "
			    "\"Token\": {\"Env\": "
			    "\"MUSTER_TEST_TOKEN\"}}}"},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/p.json", parameter_stack},
	};
	static const uint8_t key[] = "a key";
	static const struct specs_parameter given[] = {{"Count", "8"}, {"Count", "9"}};
	struct fixture f;
	struct specs_instance *prod, *test;
	mem_auto_str char *text = NULL, *secret = NULL;
	uint8_t digest[32];
	char hex[65];

	(void)state;
	setenv("MUSTER_TEST_TOKEN", "sesame", 1);
	fixture_begin(&f, files, 3);
	f.options = (struct specs_options){
	    .parameters = given, .parameter_count = 2, .lineage = "LINEAGE01", .secret_key = key, .secret_key_len = 5};
	fixture_expand(&f);
	prod = instance_at(&f, "app-prod/eu-west-1/p");
	test = instance_at(&f, "app-test/eu-west-1/p");
	assert_int_equal(specs_check(f.specs, &f.d), 0);
	assert_int_equal(specs_evaluate(f.specs, prod, NULL, &f.d), 0);
	assert_int_equal(specs_evaluate(f.specs, test, NULL, &f.d), 0);
	/* The same parameter as each property wants it. */
	expect_json(json_object_get(resource_at(prod, "T")->properties, "Text"), "\"9\"");
	expect_json(json_object_get(resource_at(prod, "T")->properties, "Number"), "9");
	expect_json(json_object_get(resource_at(prod, "T")->properties, "Switch"), "true");
	expect_json(json_object_get(resource_at(prod, "T")->properties, "List"), "[\"1\", \"2\"]");
	expect_json(json_object_get(json_object_get(resource_at(prod, "T")->properties, "Value"), "o"), "\"all\"");
	expect_json(json_object_get(json_object_get(resource_at(test, "T")->properties, "Value"), "o"), "\"team-t\"");
	/* The secret is nowhere, its keyed hash is. */
	text = json_dumps(resource_at(prod, "T")->properties, 0);
	assert_null(strstr(text, "sesame"));
	text_hmac_sha256(digest, key, 5, "sesame", 6);
	text_hex(hex, digest, 32);
	assert_non_null(strstr(text, hex));
	assert_non_null(strstr(text, "MUSTER_TEST_TOKEN"));
	assert_false(resource_at(prod, "T")->unknown);
	assert_true(specs_has_residual(resource_at(prod, "T")->properties));
	json_auto_t *source = json_pack("{ss}", "Env", "MUSTER_TEST_TOKEN");

	assert_int_equal(specs_secret_read(&secret, f.specs, source, &f.d), 0);
	assert_string_equal(secret, "sesame");
	unsetenv("MUSTER_TEST_TOKEN");
	fixture_end(&f);
}

/* A secret that is a parameter's plain value is found again where it was given. */
static void secret_sources(void **state)
{
	struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/p.json", parameter_stack},
	};
	static const uint8_t key[] = "a key";
	static const struct specs_parameter given[] = {{"Token", "from-option"}};
	static const struct {
		const char *settings;
		size_t options;
		const char *source, *value;
	} cases[] = {
	    {TEST_SETTINGS, 0, "{\"Parameter\": \"Token\", \"Stack\": \"p\"}", "default-token"},
	    {TEST_SETTINGS, 1, "{\"Parameter\": \"Token\"}", "from-option"},
	    {"{\"Version\": 1, \"HomeRegion\": \"eu-west-1\", \"Parameters\": {\"Token\": \"from-settings\"}}", 0,
	     "{\"Parameter\": \"Token\"}", "from-settings"},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture f;
		struct specs_instance *instance;
		const json_t *value;
		mem_auto_str char *secret = NULL;

		files[0].text = cases[i].settings;
		fixture_begin(&f, files, 3);
		f.options = (struct specs_options){.parameters = given,
						   .parameter_count = cases[i].options,
						   .lineage = "LINEAGE01",
						   .secret_key = key,
						   .secret_key_len = 5};
		fixture_expand(&f);
		instance = instance_at(&f, "app-prod/eu-west-1/p");
		assert_int_equal(specs_evaluate(f.specs, instance, NULL, &f.d), 0);
		value = json_object_get(json_object_get(resource_at(instance, "T")->properties, "Value"), "t");
		value = json_array_get(json_array_get(json_object_get(value, "Fn::Join"), 1), 1);
		value = json_object_get(json_object_get(value, "Muster::Secret"), "Source");
		expect_json(value, cases[i].source);
		assert_int_equal(specs_secret_read(&secret, f.specs, value, &f.d), 0);
		assert_string_equal(secret, cases[i].value);
		fixture_end(&f);
	}
}

static void option_nobody_declares(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS}, {"accounts.json", TEST_ROSTER}, {"stacks/p.json", parameter_stack}};
	static const struct specs_parameter given[] = {{"Ownr", "x"}};
	struct fixture f;

	(void)state;
	fixture_begin(&f, files, 3);
	f.options.parameters = given;
	f.options.parameter_count = 1;
	assert_int_equal(fixture_load(&f), -1);
	expect_message(&f.d, "*--parameter Ownr: no stack declares such a parameter (did you mean \"Owner\"?)");
	fixture_end(&f);
}

/* -- resolving -- */

static json_t *give_attribute(void *payload, const char *address, const char *attribute, struct diag *d)
{
	(void)payload;
	if (strcmp(attribute, "List") == 0)
		return json_pack("[sss]", "x", "y", address);
	if (strcmp(attribute, "Arn") == 0)
		return json_string("arn:aws:x");
	diag_error(d, "%s.%s is not known", address, attribute);
	return NULL;
}

static json_t *give_secret(void *payload, const json_t *source, const char *hmac, struct diag *d)
{
	(void)payload;
	(void)hmac;
	(void)d;
	return json_sprintf("secret of %s", json_get_string(source, "Env"));
}

static void resolving(void **state)
{
	static const struct specs_values values = {give_attribute, give_secret, NULL};
	static const struct {
		const char *value, *result;
	} cases[] = {
	    {"{\"Muster::Attribute\": [\"a/r/s/X\", \"Arn\"]}", "\"arn:aws:x\""},
	    {"{\"a\": [1, {\"Fn::Join\": [\"-\", [\"p\", {\"Muster::Attribute\": [\"a\", \"Arn\"]}, \"q\"]]}]}",
	     "{\"a\": [1, \"p-arn:aws:x-q\"]}"},
	    {"{\"Fn::Join\": [\",\", {\"Muster::Attribute\": [\"a\", \"List\"]}]}", "\"x,y,a\""},
	    {"{\"Fn::Select\": [1, {\"Fn::Split\": [\":\", {\"Muster::Attribute\": [\"a\", \"Arn\"]}]}]}", "\"aws\""},
	    {"{\"Fn::Length\": {\"Muster::Attribute\": [\"a\", \"List\"]}}", "3"},
	    {"{\"Fn::Base64\": {\"Muster::Secret\": {\"Source\": {\"Env\": \"E\"}, \"Hmac\": \"\"}}}",
	     "\"c2VjcmV0IG9mIEU=\""},
	    {"{\"Fn::ToJsonString\": {\"k\": {\"Muster::Attribute\": [\"a\", \"Arn\"]}}}",
	     "\"{\\\"k\\\":\\\"arn:aws:x\\\"}\""},
	    {"{\"Fn::Select\": [7, {\"Muster::Attribute\": [\"a\", \"List\"]}]}", NULL},
	    {"[{\"Muster::Attribute\": [\"a\", \"Gone\"]}]", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_auto_t *value = json_loads(cases[i].value, 0, NULL);
		json_auto_t *out = NULL;
		struct diag d = DIAG_INIT;
		int result = specs_resolve(&out, value, &values, &d);

		assert_true(specs_has_residual(value));
		assert_int_equal(result, cases[i].result != NULL ? 0 : -1);
		assert_int_equal(d.errors, result == 0 ? 0 : 1);
		if (cases[i].result != NULL)
			expect_json(out, cases[i].result);
		diag_free(&d);
	}
}

static void generated_names(void **state)
{
	struct schema_type topic = {.name_allowed = "A-Za-z0-9_-", .name_max = 40};
	struct schema_type bucket = {.name_allowed = "a-z0-9.-", .name_max = 63, .name_lower = true};
	mem_auto_str char *a = specs_generated_name(&topic, "L", "a/r/s/X", "short", "X", 0);
	mem_auto_str char *again = specs_generated_name(&topic, "L", "a/r/s/X", "short", "X", 0);
	mem_auto_str char *next = specs_generated_name(&topic, "L", "a/r/s/X", "short", "X", 1);
	mem_auto_str char *cut =
	    specs_generated_name(&topic, "L", "a/r/s/X", "a-rather-long-stack.name", "AndALongLogicalId", 0);
	mem_auto_str char *lower = specs_generated_name(&bucket, "L", "a/r/s/X", "Log_Archive", "Bucket", 0);

	(void)state;
	assert_string_equal(a, again);
	assert_string_not_equal(a, next);
	assert_true(text_glob("short-X-????????????", a));
	assert_int_equal(strlen(cut), 40);
	assert_true(text_glob("a-rather-long-ongLogicalId-????????????", cut) ||
		    text_glob("a-rather*LogicalId-????????????", cut));
	assert_null(strchr(cut, '.'));
	assert_true(text_glob("logarchive-bucket-????????????", lower));
}

/* A single member with a function's kind of name is a property where the type has it. */
static void property_named_like_a_function(void **state)
{
	static const struct memory_file files[] = {
	    {"muster.json", TEST_SETTINGS},
	    {"accounts.json", TEST_ROSTER},
	    {"stacks/s.json",
	     "{\"Targets\": {\"Accounts\": [\"app-prod\"], \"Regions\": [\"home\"]}, \"Resources\": {\"D\": {\"Type\": "
	     "\"Test::Detector\", \"Properties\": {\"Enable\": true, \"Muster::Recording\": {\"Fn::Equals\": [1, "
	     "2]}}}}}"},
	};
	struct fixture f;
	struct specs_instance *instance;
	struct diag_place place = {"x.json", 3, 4, "Resources.D"};
	json_auto_t *wrong = json_pack("{sbss}", "Enable", 1, "Extra", "x");

	(void)state;
	fixture_begin(&f, files, 3);
	fixture_expand(&f);
	instance = instance_at(&f, "app-prod/eu-west-1/s");
	assert_int_equal(specs_evaluate(f.specs, instance, NULL, &f.d), 0);
	expect_json(resource_at(instance, "D")->properties, "{\"Enable\": true, \"Muster::Recording\": false}");
	assert_int_equal(specs_properties_check(resource_at(instance, "D")->type, wrong, &place, &f.d), -1);
	expect_message(&f.d, "x.json:3:4: Resources.D*: unknown property \"Extra\"*");
	fixture_end(&f);
}

/* A directory on disk: nothing outside it is read. */
static void directory_source(void **state)
{
	char directory[] = "/tmp/muster-specs-XXXXXX";
	mem_auto_str char *command = NULL, *remove = NULL;
	struct specs_source source;
	struct diag d = DIAG_INIT;
	char *text = NULL, **names = NULL;
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(directory));
	command =
	    mem_printf("cd %s && mkdir stacks && echo b > stacks/b.json && echo a > stacks/a.json && ln -s /etc/passwd "
		       "out && truncate -s 100M big",
		       directory);
	remove = mem_printf("rm -rf %s", directory);
	assert_int_equal(system(command), 0);
	assert_int_equal(specs_source_directory(&source, directory, &d), 0);
	assert_int_equal(source.read(source.payload, "stacks/a.json", &text, &len, &d), 0);
	assert_string_equal(text, "a\n");
	free(text);
	assert_int_equal(source.read(source.payload, "stacks/c.json", &text, &len, &d), -ENOENT);
	assert_int_equal(d.errors, 0);
	assert_int_equal(source.read(source.payload, "../x", &text, &len, &d), -1);
	assert_int_equal(source.read(source.payload, "/etc/passwd", &text, &len, &d), -1);
	assert_int_equal(source.read(source.payload, "out", &text, &len, &d), -1);
	assert_int_equal(source.read(source.payload, "big", &text, &len, &d), -1);
	assert_int_equal(source.read(source.payload, "stacks", &text, &len, &d), -1);
	assert_int_equal(d.errors, 5);
	assert_int_equal(source.list(source.payload, "stacks", &names, &d), 0);
	assert_string_equal(names[0], "a.json");
	assert_string_equal(names[1], "b.json");
	assert_null(names[2]);
	for (size_t i = 0; names[i] != NULL; i++)
		free(names[i]);
	free(names);
	assert_int_equal(source.list(source.payload, "none", &names, &d), 0);
	assert_null(names[0]);
	free(names);
	specs_source_free(&source);
	diag_free(&d);
	assert_int_equal(system(remove), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(simple_stack),
	    cmocka_unit_test(places),
	    cmocka_unit_test(depends_on_the_most_specific),
	    cmocka_unit_test(blocked_resources),
	    cmocka_unit_test(unreachable_accounts),
	    cmocka_unit_test(loops),
	    cmocka_unit_test(parameters),
	    cmocka_unit_test(secret_sources),
	    cmocka_unit_test(option_nobody_declares),
	    cmocka_unit_test(resolving),
	    cmocka_unit_test(generated_names),
	    cmocka_unit_test(property_named_like_a_function),
	    cmocka_unit_test(directory_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
