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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(simple_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
