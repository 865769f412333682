/* Lambda: is the code a zip, and would the configuration run: role, network, environment. */
#include "tests/sandbox/svc_lambda.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define ENVIRONMENT_MAX 4096
#define ZIP_MAX         (50 * 1024 * 1024)

static int invalid(struct sb_call *c, const char *message)
{
	return sb_fail(c, 400, "InvalidParameterValueException", "%s", message);
}

/* ---- code ---- */

static int zip_set(struct sb_call *c, json_t *function, const char *encoded)
{
	size_t len = strlen(encoded), padding = 0;
	mem_auto_str char *raw = mem_array(len + 4, 1), *sum = mem_array(64, 1);
	unsigned char digest[EVP_MAX_MD_SIZE];
	int size = len % 4 != 0 ? -1 : EVP_DecodeBlock((unsigned char *)raw, (const unsigned char *)encoded, (int)len);

	while (padding < 2 && padding < len && encoded[len - 1 - padding] == '=')
		padding++;
	size -= (int)padding;
	if (size < 22 || (memcmp(raw, "PK\003\004", 4) != 0 && memcmp(raw, "PK\005\006", 4) != 0))
		return invalid(c, "Could not unzip uploaded file. Please check your file, then try to upload again.");
	if (size > ZIP_MAX)
		return sb_fail(c, 413, "RequestEntityTooLargeException", "The code is larger than 50 MB.");
	EVP_Digest(raw, (size_t)size, digest, NULL, EVP_sha256(), NULL);
	EVP_EncodeBlock((unsigned char *)sum, digest, 32);
	json_object_set_new(function, "_Code", json_string(encoded));
	json_object_set_new(function, "CodeSize", json_integer(size));
	json_object_set_new(function, "CodeSha256", json_string(sum));
	return 0;
}

int lambda_code_set(struct sb_call *c, json_t *function, json_t *said)
{
	const char *zip = sb_str(said, "ZipFile", NULL), *bucket = sb_str(said, "S3Bucket", NULL);
	const char *key = sb_str(said, "S3Key", "");
	json_t *there, *object;

	if ((zip == NULL) == (bucket == NULL))
		return invalid(c, "Please provide a source for function code: either ZipFile, or S3Bucket and S3Key.");
	if (zip != NULL)
		return zip_set(c, function, zip);
	there = sb_bucket_find(c->sb, bucket);
	if (there == NULL)
		return sb_fail(
		    c, 400, "InvalidParameterValueException",
		    "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified "
		    "bucket does not exist");
	if (strcmp(sb_str(there, "Region", ""), c->region) != 0)
		return sb_fail(
		    c, 400, "InvalidParameterValueException",
		    "Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: The bucket "
		    "is in this region: %s. Please use this region to retry the request",
		    sb_str(there, "Region", ""));
	object = json_object_get(json_object_get(there, "Objects"), key);
	if (object == NULL)
		return invalid(c, "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The "
				  "specified key does not exist.");
	return zip_set(c, function, sb_str(object, "_Body", ""));
}

/* ---- configuration ---- */

static int role_check(struct sb_call *c, json_t *function)
{
	const char *arn = sb_str(function, "Role", "");
	mem_auto_str char *account = sb_arn_part(arn, 4);
	json_t *role;

	if (!sb_glob("arn:*:iam::????????????:role/?*", arn))
		return sb_fail(
		    c, 400, "ValidationException",
		    "1 validation error detected: Value '%s' at 'role' failed to satisfy constraint: Member must "
		    "satisfy regular expression pattern: "
		    "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
		    arn);
	if (strcmp(account, c->account) != 0)
		return sb_fail(c, 403, "AccessDeniedException", "Cross-account pass role is not allowed.");
	role = sb_role_seen(c->sb, arn);
	if (role == NULL || !sb_role_trusts_service(role, "lambda.amazonaws.com"))
		return invalid(c, "The role defined for the function cannot be assumed by Lambda.");
	return 0;
}

static int network_check(struct sb_call *c, json_t *function)
{
	json_t *vpc = json_object_get(function, "VpcConfig"), *subnets = json_object_get(vpc, "SubnetIds");
	json_t *groups = json_object_get(vpc, "SecurityGroupIds");
	struct sb_ask ask = {.action = "ec2:CreateNetworkInterface"};
	const char *stranger;

	if (json_array_size(subnets) == 0 && json_array_size(groups) == 0)
		return 0;
	if (json_array_size(subnets) == 0 || json_array_size(groups) == 0)
		return invalid(c, "SubnetIds and SecurityIds must coexist or be both empty list.");
	if (!sb_role_may(c->sb, sb_role_seen(c->sb, sb_str(function, "Role", "")), &ask))
		return invalid(
		    c, "The provided execution role does not have permissions to call CreateNetworkInterface on "
		       "EC2");
	stranger = sb_vpc_refuses(c->sb, c->account, c->region, subnets, groups);
	if (stranger != NULL && strncmp(stranger, "sg-", 3) == 0)
		return sb_fail(
		    c, 400, "InvalidParameterValueException",
		    "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error "
		    "Message: The security group '%s' does not exist",
		    stranger);
	if (stranger != NULL)
		return sb_fail(
		    c, 400, "InvalidParameterValueException",
		    "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "
		    "Message: The subnet ID '%s' does not exist",
		    stranger);
	return 0;
}

static int environment_check(struct sb_call *c, json_t *function)
{
	json_t *variables = json_object_get(json_object_get(function, "Environment"), "Variables"), *value;
	mem_auto_str char *text = NULL;
	const char *name;

	json_object_foreach(variables, name, value)
	{
		if (!sb_like(name, "a-zA-Z0-9_", 2, 512) || (name[0] >= '0' && name[0] <= '9') || name[0] == '_' ||
		    !json_is_string(value))
			return sb_fail(c, 400, "ValidationException", "The environment variable %s is not valid.",
				       name);
		if (sb_one_of("AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN "
			      "AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION "
			      "AWS_EXECUTION_ENV LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR TZ",
			      name))
			return sb_fail(
			    c, 400, "InvalidParameterValueException",
			    "Lambda was unable to configure your environment variables because the environment "
			    "variables you have provided contains reserved keys that are currently not supported "
			    "for modification. Reserved keys used in this request: %s",
			    name);
	}
	text = variables == NULL ? NULL : json_dumps(variables, JSON_COMPACT);
	if (text != NULL && strlen(text) > ENVIRONMENT_MAX)
		return invalid(
		    c, "Lambda was unable to configure your environment variables because the environment variables "
		       "you have provided exceeded the 4KB limit.");
	return 0;
}

static int dead_letter_check(struct sb_call *c, json_t *function)
{
	const char *queue = sb_str(json_object_get(function, "DeadLetterConfig"), "TargetArn", "");
	bool topic = sb_glob("arn:*:sns:*", queue);
	struct sb_ask ask = {.action = topic ? "sns:Publish" : "sqs:SendMessage", .resource = queue};

	if (queue[0] == '\0' || sb_role_may(c->sb, sb_role_seen(c->sb, sb_str(function, "Role", "")), &ask))
		return 0;
	return invalid(c, topic ? "The provided execution role does not have permissions to call Publish on SNS"
				: "The provided execution role does not have permissions to call SendMessage on SQS");
}

int lambda_configuration_check(struct sb_call *c, json_t *function)
{
	const char *runtime = sb_str(function, "Runtime", "");

	if (!sb_glob("python3.*", runtime) && !sb_glob("nodejs*.x", runtime) && !sb_glob("java*", runtime) &&
	    !sb_glob("dotnet*", runtime) && !sb_glob("ruby3.*", runtime) && !sb_glob("provided*", runtime))
		return sb_fail(c, 400, "InvalidParameterValueException",
			       "Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set",
			       runtime);
	if (strchr(sb_str(function, "Handler", ""), ' ') != NULL)
		return invalid(c, "The handler must not hold spaces.");
	if (role_check(c, function) != 0 || environment_check(c, function) != 0 || dead_letter_check(c, function) != 0)
		return -1;
	return network_check(c, function);
}
