/* Lambda: functions. Checks of code and configuration are in svc_lambda_code.c, permissions, tags and concurrency in
 * svc_lambda_policy.c; what runs a function when an event arrives is run.c. */
#include "tests/sandbox/svc_lambda.h"

#include <stdlib.h>
#include <string.h>

#define SETTLE_MS 200 /* a new function is Pending so long, a changed one InProgress */

static const struct sb_paging functions_page = {"Functions", "Marker", "NextMarker",
						"MaxItems",  50,       "InvalidParameterValueException"};

#define SETTINGS                                                                                                       \
	"Runtime Role Handler Description Timeout MemorySize VpcConfig DeadLetterConfig Environment KMSKeyArn "        \
	"TracingConfig FileSystemConfigs EphemeralStorage LoggingConfig SnapStart Layers"

/* ---- finding ---- */

json_t *sb_function_find(struct sb *sb, const char *arn)
{
	mem_auto_str char *region = sb_arn_part(arn, 3), *account = sb_arn_part(arn, 4), *rest = sb_arn_part(arn, 5);

	if (strncmp(rest, "function:", 9) != 0)
		return NULL;
	rest[9 + strcspn(rest + 9, ":")] = '\0';
	return json_object_get(json_object_get(sb_state_find(sb, account, region, "lambda"), "Functions"), rest + 9);
}

json_t *lambda_get(struct sb_call *c, const char *member)
{
	const char *said = sb_str(c->in, member, ""), *after = strstr(said, "function:");
	const char *start = after == NULL ? said : after + 9;
	mem_auto_str char *name = mem_strndup(start, strcspn(start, ":"));
	mem_auto_str char *region = sb_arn_part(said, 3), *account = sb_arn_part(said, 4);
	json_t *function = json_object_get(sb_sub(c->state, "Functions"), name);

	if (strncmp(said, "arn:", 4) == 0 && (strcmp(region, c->region) != 0 || strcmp(account, c->account) != 0))
		function = NULL;
	if (function == NULL)
		sb_fail(c, 404, "ResourceNotFoundException", "Function not found: arn:%s:lambda:%s:%s:function:%s",
			c->partition, c->region, c->account, name);
	return function;
}

const char *lambda_state(const json_t *function, int64_t now_ms)
{
	int64_t made = json_integer_value(json_object_get(function, "CreatedMs"));

	return now_ms < made + SETTLE_MS ? "Pending" : "Active";
}

json_t *lambda_get_to_change(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName");
	const char *revision = sb_str(c->in, "RevisionId", NULL);

	if (function == NULL)
		return NULL;
	if (strcmp(lambda_state(function, c->now_ms), "Pending") == 0) {
		sb_fail(c, 409, "ResourceConflictException",
			"The operation cannot be performed at this time. The function is currently in the following "
			"state: Pending");
		return NULL;
	}
	if (c->now_ms < sb_int(function, "ChangedMs", 0) + SETTLE_MS) {
		sb_fail(c, 409, "ResourceConflictException",
			"The operation cannot be performed at this time. An update is in progress for resource: %s",
			sb_str(function, "FunctionArn", ""));
		return NULL;
	}
	if (revision != NULL && strcmp(revision, sb_str(function, "RevisionId", "")) != 0) {
		sb_fail(c, 412, "PreconditionFailedException",
			"The Revision Id provided does not match the latest Revision Id. Call the GetFunction API to "
			"retrieve "
			"the latest Revision Id");
		return NULL;
	}
	return function;
}

/* ---- what is answered ---- */

static void layers_fill(json_t *out)
{
	json_t *list = json_array(), *arn;
	size_t i;

	json_array_foreach(json_object_get(out, "Layers"), i, arn)
	{
		json_array_append_new(list, json_pack("{s:O,s:i}", "Arn", arn, "CodeSize", 1000));
	}
	json_object_set_new(out, "Layers", list);
	if (json_array_size(list) == 0)
		json_object_del(out, "Layers");
}

static json_t *configuration(struct sb_call *c, json_t *function)
{
	bool changing = c->now_ms < sb_int(function, "ChangedMs", 0) + SETTLE_MS;
	const char *state = lambda_state(function, c->now_ms);
	json_t *out =
	    json_pack("{s:s,s:s}", "State", state, "LastUpdateStatus", changing ? "InProgress" : "Successful");
	mem_auto_str char *modified = sb_time_iso(sb_int(function, "ChangedMs", 0));
	json_t *vpc;

	sb_copy(out, function,
		SETTINGS " FunctionName FunctionArn CodeSize CodeSha256 Version RevisionId PackageType Architectures");
	layers_fill(out);
	json_object_set_new(out, "LastModified", sb_format("%.19s.000+0000", modified));
	if (json_object_size(json_object_get(json_object_get(out, "Environment"), "Variables")) == 0)
		json_object_del(out, "Environment");
	vpc = json_object_get(out, "VpcConfig");
	if (json_array_size(json_object_get(vpc, "SubnetIds")) > 0) {
		vpc = json_copy(vpc);
		json_object_set_new(vpc, "VpcId", json_string(sb_str(function, "VpcId", "")));
		json_object_set_new(out, "VpcConfig", vpc);
	}
	if (strcmp(state, "Pending") == 0) {
		json_object_set_new(out, "StateReason", json_string("The function is being created."));
		json_object_set_new(out, "StateReasonCode", json_string("Creating"));
		json_object_del(out, "LastUpdateStatus");
	}
	return out;
}

static void revise(struct sb_call *c, json_t *function)
{
	char uuid[37];

	sb_uuid(uuid);
	json_object_set_new(function, "RevisionId", json_string(uuid));
	json_object_set_new(function, "ChangedMs", json_integer(c->now_ms));
}

static void defaults_fill(struct sb_call *c, json_t *function)
{
	const char *name = sb_str(function, "FunctionName", "");
	json_t *defaults = json_pack("{s:s,s:i,s:i,s:{s:s},s:[s],s:{s:i},s:{s:s},s:s,s:s}", "Description", "",
				     "Timeout", 3, "MemorySize", 128, "TracingConfig", "Mode", "PassThrough",
				     "Architectures", "x86_64", "EphemeralStorage", "Size", 512, "SnapStart", "ApplyOn",
				     "None", "PackageType", "Zip", "Version", "$LATEST");
	json_t *logging = json_object_get(function, "LoggingConfig");

	json_object_update_missing(function, defaults);
	json_decref(defaults);
	logging = logging == NULL ? json_object() : json_copy(logging);
	if (json_object_get(logging, "LogFormat") == NULL)
		json_object_set_new(logging, "LogFormat", json_string("Text"));
	if (json_object_get(logging, "LogGroup") == NULL)
		json_object_set_new(logging, "LogGroup", sb_format("/aws/lambda/%s", name));
	json_object_set_new(function, "LoggingConfig", logging);
	json_object_set_new(function, "FunctionArn",
			    sb_format("arn:%s:lambda:%s:%s:function:%s", c->partition, c->region, c->account, name));
}

/* The VPC of the first subnet, as far as EC2 here knows it. */
static void vpc_fill(struct sb_call *c, json_t *function)
{
	json_t *subnets = json_object_get(json_object_get(function, "VpcConfig"), "SubnetIds");
	json_t *ec2 = json_object_get(sb_state_find(c->sb, c->account, c->region, "ec2"), "Subnets");
	const char *first = json_string_value(json_array_get(subnets, 0));

	json_object_set_new(
	    function, "VpcId",
	    json_string(first == NULL ? "" : sb_str(json_object_get(ec2, first), "VpcId", "vpc-00000000000000000")));
}

/* ---- functions ---- */

static int create_function(struct sb_call *c)
{
	const char *said = sb_str(c->in, "FunctionName", ""), *after = strstr(said, "function:");
	const char *name = after == NULL ? said : after + 9;
	json_t *functions = sb_sub(c->state, "Functions"), *function, *tags = json_object_get(c->in, "Tags");

	if (!sb_like(name, "a-zA-Z0-9_-", 1, 64))
		return sb_fail(
		    c, 400, "ValidationException",
		    "1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member "
		    "must satisfy regular expression pattern",
		    said);
	if (strcmp(sb_str(c->in, "PackageType", "Zip"), "Zip") != 0)
		return sb_fail(c, 400, "InvalidParameterValueException",
			       "The sandbox takes functions of PackageType Zip.");
	if (json_object_get(c->in, "Runtime") == NULL || json_object_get(c->in, "Handler") == NULL)
		return sb_fail(
		    c, 400, "InvalidParameterValueException",
		    "Runtime and Handler are mandatory parameters for functions created with deployment packages.");
	function = json_pack("{s:s,s:I,s:o}", "FunctionName", name, "CreatedMs", (json_int_t)c->now_ms, "Tags",
			     tags == NULL ? json_object() : json_deep_copy(tags));
	sb_copy(function, c->in, SETTINGS " Architectures");
	defaults_fill(c, function);
	if (lambda_configuration_check(c, function) != 0)
		goto refuse;
	if (json_object_get(functions, name) != NULL) {
		sb_fail(c, 409, "ResourceConflictException", "Function already exist: %s", name);
		goto refuse;
	}
	if (lambda_code_set(c, function, json_object_get(c->in, "Code")) != 0)
		goto refuse;
	vpc_fill(c, function);
	revise(c, function);
	json_object_set_new(functions, name, function);
	c->out = configuration(c, function);
	return 0;
refuse:
	json_decref(function);
	return -1;
}

static int get_function(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName");

	if (function == NULL)
		return -1;
	c->out = json_pack("{s:o,s:{s:s,s:o}}", "Configuration", configuration(c, function), "Code", "RepositoryType",
			   "S3", "Location",
			   sb_format("https://awslambda-%s-tasks.s3.%s.amazonaws.com/%s", c->region, c->region,
				     sb_str(function, "FunctionName", "")));
	if (json_object_size(json_object_get(function, "Tags")) > 0)
		json_object_set(c->out, "Tags", json_object_get(function, "Tags"));
	if (json_object_get(function, "Concurrency") != NULL)
		json_object_set_new(
		    c->out, "Concurrency",
		    json_pack("{s:O}", "ReservedConcurrentExecutions", json_object_get(function, "Concurrency")));
	return 0;
}

static int get_function_configuration(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName");

	if (function == NULL)
		return -1;
	c->out = configuration(c, function);
	return 0;
}

/* Functions have no versions here but the one that is always there. */
static int list_versions(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName");

	if (function == NULL)
		return -1;
	c->out = json_pack("{s:[o]}", "Versions", configuration(c, function));
	json_object_set_new(json_array_get(json_object_get(c->out, "Versions"), 0), "FunctionArn",
			    sb_format("%s:$LATEST", sb_str(function, "FunctionArn", "")));
	return 0;
}

static int get_code_signing(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName");

	if (function == NULL)
		return -1;
	c->out =
	    json_pack("{s:s,s:s}", "FunctionName", sb_str(function, "FunctionName", ""), "CodeSigningConfigArn", "");
	return 0;
}

static int update_function_code(struct sb_call *c)
{
	json_t *function = lambda_get_to_change(c), *trial;
	int status;

	if (function == NULL)
		return -1;
	trial = json_copy(function);
	status = lambda_code_set(c, trial, c->in);
	sb_copy(trial, c->in, "Architectures");
	if (status == 0 && !sb_true(c->in, "DryRun")) {
		revise(c, trial);
		json_object_update(function, trial);
	}
	if (status == 0)
		c->out = configuration(c, trial);
	json_decref(trial);
	return status;
}

static int update_function_configuration(struct sb_call *c)
{
	json_t *function = lambda_get_to_change(c), *trial;
	int status;

	if (function == NULL)
		return -1;
	trial = json_copy(function);
	sb_copy(trial, c->in, SETTINGS);
	defaults_fill(c, trial);
	status = lambda_configuration_check(c, trial);
	if (status == 0) {
		vpc_fill(c, trial);
		revise(c, trial);
		json_object_update(function, trial);
		c->out = configuration(c, function);
	}
	json_decref(trial);
	return status;
}

static int delete_function(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName");
	mem_auto_str char *name = mem_strdup(sb_str(function, "FunctionName", ""));

	if (function == NULL)
		return -1;
	json_object_del(sb_sub(c->state, "Functions"), name);
	return 0;
}

static int list_functions(struct sb_call *c)
{
	return sb_page_answer(c, &functions_page, sb_sub(c->state, "Functions"), configuration);
}

#define NAME "!FunctionName:s(1,256)"
#define CODE "ZipFile S3Bucket:s(3,63) S3Key:s(1,1024) S3ObjectVersion:s(1,1024) ImageUri SourceKMSKeyArn"
#define REST " Qualifier:s(1,128)"
#define CHANGES                                                                                                        \
	" Description:s(0,256) Timeout:i(1,900) MemorySize:i(128,10240) VpcConfig:{SubnetIds:[s](0,16) "               \
	"SecurityGroupIds:[s](0,5) Ipv6AllowedForDualStack:b} DeadLetterConfig:{TargetArn} "                           \
	"Environment:{Variables:m} KMSKeyArn TracingConfig:{Mode} Layers:[s(1,140)] "                                  \
	"FileSystemConfigs:[{!Arn !LocalMountPath}](0,1) ImageConfig:* EphemeralStorage:{!Size:i(512,10240)} "         \
	"SnapStart:{ApplyOn} LoggingConfig:{LogFormat ApplicationLogLevel SystemLogLevel LogGroup:s(1,512)}"
#define FUNCTIONS "/2015-03-31/functions"
#define ONE       FUNCTIONS "/{FunctionName}"

static const struct sb_op ops[] = {
    {"CreateFunction", create_function,
     "!FunctionName:s(1,140) Runtime !Role Handler:s(0,128) !Code:{" CODE "} Publish:b PackageType Tags:m "
     "CodeSigningConfigArn:s(0,200) Architectures:[s](1,1) PublishTo" CHANGES,
     "POST", FUNCTIONS, 201},
    {"ListFunctions", list_functions, "MasterRegion FunctionVersion Marker MaxItems:i(1,10000)", "GET", FUNCTIONS, 0},
    {"GetFunction", get_function, NAME REST, "GET", ONE, 0},
    {"GetFunctionConfiguration", get_function_configuration, NAME REST, "GET", ONE "/configuration", 0},
    {"ListVersionsByFunction", list_versions, NAME " Marker MaxItems:i(1,10000)", "GET", ONE "/versions", 0},
    {"GetFunctionCodeSigningConfig", get_code_signing, NAME, "GET",
     "/2020-06-30/functions/{FunctionName}/code-signing-config", 0},
    {"UpdateFunctionCode", update_function_code,
     NAME " " CODE " Publish:b DryRun:b RevisionId Architectures:[s](1,1) PublishTo", "PUT", ONE "/code", 0},
    {"UpdateFunctionConfiguration", update_function_configuration,
     NAME " Role Handler:s(0,128) Runtime RevisionId" CHANGES, "PUT", ONE "/configuration", 0},
    {"DeleteFunction", delete_function, NAME REST, "DELETE", ONE, 204},
    {"AddPermission", lambda_add_permission,
     NAME REST " !StatementId:s(1,100) !Action !Principal SourceArn SourceAccount:s(0,12) EventSourceToken:s(0,256) "
	       "RevisionId PrincipalOrgID:s(12,34) FunctionUrlAuthType InvokedViaFunctionUrl:b",
     "POST", ONE "/policy", 201},
    {"RemovePermission", lambda_remove_permission, NAME REST " !StatementId:s(1,100) RevisionId", "DELETE",
     ONE "/policy/{StatementId}", 204},
    {"GetPolicy", lambda_get_policy, NAME REST, "GET", ONE "/policy", 0},
    {"TagResource", lambda_tag_resource, "!Resource:s(1,256) !Tags:m", "POST", "/2017-03-31/tags/{Resource}", 204},
    {"UntagResource", lambda_untag_resource, "!Resource:s(1,256) !tagKeys:[s]", "DELETE", "/2017-03-31/tags/{Resource}",
     204},
    {"ListTags", lambda_list_tags, "!Resource:s(1,256)", "GET", "/2017-03-31/tags/{Resource}", 0},
    {"PutFunctionConcurrency", lambda_put_concurrency, NAME " !ReservedConcurrentExecutions:i(0,1000000)", "PUT",
     "/2017-10-31/functions/{FunctionName}/concurrency", 0},
    {"GetFunctionConcurrency", lambda_get_concurrency, NAME, "GET", "/2019-09-30/functions/{FunctionName}/concurrency",
     0},
    {"DeleteFunctionConcurrency", lambda_delete_concurrency, NAME, "DELETE",
     "/2017-10-31/functions/{FunctionName}/concurrency", 204},
    {.name = NULL},
};

const struct sb_service sb_lambda = {
    .name = "lambda",
    .protocol = SB_REST_JSON,
    .prefix = "",
    .invalid = "ValidationException",
    .throttled = "TooManyRequestsException",
    .throttled_status = 429,
    .denied = "AccessDeniedException",
    .denied_status = 403,
    .ops = ops,
};
