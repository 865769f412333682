/* SSM Parameter Store: parameters, of which the newest hundred versions are kept, and tags. Nothing is encrypted:
 * a SecureString that is read without decryption answers a digest. */
#include "tests/sandbox/sandbox.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VERSIONS_MAX 100
#define DEPTH_MAX    15

static const struct sb_paging parameters_page = {"Parameters", "NextToken", "NextToken",
						 "MaxResults", 50,          "InvalidNextToken"};

static int invalid(struct sb_call *c, const char *message)
{
	return sb_fail(c, 400, "ValidationException", "%s", message);
}

/* ---- checks ---- */

static int name_check(struct sb_call *c, const char *name)
{
	int depth = 0;

	for (const char *p = name; *p != '\0'; p++)
		depth += *p == '/';
	if (!sb_like(name, "a-zA-Z0-9_./-", 1, 1011) || (depth > 0 && name[0] != '/'))
		return invalid(c, "Parameter name must be a fully qualified name of letters, numbers and .-_/");
	if (depth > DEPTH_MAX)
		return sb_fail(c, 400, "HierarchyLevelLimitExceededException",
			       "Hierarchies support a maximum of fifteen levels for a parameter name.");
	name += name[0] == '/';
	if (strncasecmp(name, "aws", 3) == 0 || strncasecmp(name, "ssm", 3) == 0)
		return sb_fail(c, 400, "ValidationException",
			       "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).");
	return 0;
}

static int value_check(struct sb_call *c, const char *value)
{
	const char *pattern = sb_str(c->in, "AllowedPattern", ""), *tier = sb_str(c->in, "Tier", "Standard");
	size_t most = strcmp(tier, "Standard") == 0 ? 4096 : 8192;
	regex_t compiled;
	bool fits = true;

	if (strlen(value) > most)
		return sb_fail(c, 400, "ValidationException",
			       "%s tier parameters support a maximum parameter value of %zu characters.", tier, most);
	if (pattern[0] == '\0')
		return 0;
	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return sb_fail(c, 400, "InvalidAllowedPatternException", "The pattern %s is not valid.", pattern);
	fits = regexec(&compiled, value, 0, NULL, 0) == 0;
	regfree(&compiled);
	if (!fits)
		return sb_fail(c, 400, "ParameterPatternMismatchException",
			       "Parameter value, cannot be validated against "
			       "allowedPattern: %s",
			       pattern);
	return 0;
}

static int put_check(struct sb_call *c, json_t *old)
{
	const char *type = sb_str(c->in, "Type", sb_str(old, "Type", ""));

	if (old == NULL && type[0] == '\0')
		return invalid(c, "A parameter type is required when you create a parameter.");
	if (!sb_one_of("String StringList SecureString", type))
		return sb_fail(c, 400, "UnsupportedParameterType", "The parameter type %s is not supported.", type);
	if (!sb_one_of("Standard Advanced Intelligent-Tiering", sb_str(c->in, "Tier", "Standard")))
		return invalid(c, "Tier must be one of Standard, Advanced, Intelligent-Tiering");
	if (json_object_get(c->in, "KeyId") != NULL && strcmp(type, "SecureString") != 0)
		return invalid(c, "KeyId is required for SecureString type parameter only.");
	if (old != NULL && !sb_true(c->in, "Overwrite"))
		return sb_fail(c, 400, "ParameterAlreadyExists",
			       "The parameter already exists. To overwrite this value, set the overwrite option in the "
			       "request to true.");
	if (sb_true(c->in, "Overwrite") && json_array_size(json_object_get(c->in, "Tags")) > 0)
		return invalid(c, "Invalid request: tags and overwrite can't be used together.");
	return value_check(c, sb_str(c->in, "Value", ""));
}

/* ---- parameters ---- */

static int put_parameter(struct sb_call *c)
{
	const char *name = sb_str(c->in, "Name", "");
	json_t *all = sb_sub(c->state, "Parameters"), *it = json_object_get(all, name), *versions;
	int64_t version = sb_int(it, "Version", 0) + 1;
	mem_auto_str char *key = mem_printf("%lld", (long long)version), *oldest = NULL;

	if (name_check(c, name) != 0 || put_check(c, it) != 0)
		return -1;
	if (it == NULL) {
		it = json_pack("{s:s,s:s,s:s}", "Name", name, "DataType", "text", "Tier", "Standard");
		json_object_set_new(it, "ARN",
				    sb_format("arn:%s:ssm:%s:%s:parameter%s%s", c->partition, c->region, c->account,
					      name[0] == '/' ? "" : "/", name));
		sb_tags_add(sb_sub(it, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
		json_object_set_new(all, name, it);
	}
	sb_copy(it, c->in, "Type Description AllowedPattern Tier DataType KeyId");
	if (strcmp(sb_str(it, "Type", ""), "SecureString") == 0 && json_object_get(it, "KeyId") == NULL)
		json_object_set_new(it, "KeyId", json_string("alias/aws/ssm"));
	json_object_set_new(it, "Version", json_integer(version));
	json_object_set_new(it, "ModifiedMs", json_integer(c->now_ms));
	versions = sb_sub(it, "Versions");
	json_object_set(versions, key, json_object_get(c->in, "Value"));
	oldest = mem_printf("%lld", (long long)version - VERSIONS_MAX);
	json_object_del(versions, oldest);
	c->out = json_pack("{s:I,s:O}", "Version", (json_int_t)version, "Tier", json_object_get(it, "Tier"));
	return 0;
}

/* "NAME", "NAME:VERSION" or an ARN. `*missing` is the error code when there is none. */
static json_t *parameter_out(struct sb_call *c, const char *said, const char **missing)
{
	mem_auto_str char *name = strncmp(said, "arn:", 4) == 0 ? sb_arn_part(said, 5) : mem_strdup(said);
	char *bare = strncmp(said, "arn:", 4) == 0 && strlen(name) > 9 ? name + 9 : name, *colon = strrchr(bare, ':');
	json_t *all = sb_sub(c->state, "Parameters"), *it, *out, *value;
	char version[24], digest[65];

	if (colon != NULL)
		*colon = '\0';
	it = json_object_get(all, bare);
	if (it == NULL && bare[0] == '/')
		it = json_object_get(all, bare + 1);
	*missing = it == NULL ? "ParameterNotFound" : "ParameterVersionNotFound";
	snprintf(version, sizeof version, "%lld", (long long)sb_int(it, "Version", 0));
	value = json_object_get(json_object_get(it, "Versions"), colon == NULL ? version : colon + 1);
	if (value == NULL)
		return NULL;
	out = json_pack("{s:I,s:O,s:o}", "Version", (json_int_t)strtoll(colon == NULL ? version : colon + 1, NULL, 10),
			"Value", value, "LastModifiedDate", sb_time_epoch(sb_int(it, "ModifiedMs", 0)));
	sb_copy(out, it, "Name Type ARN DataType");
	if (colon != NULL)
		json_object_set_new(out, "Selector", sb_format(":%s", colon + 1));
	if (strcmp(sb_str(it, "Type", ""), "SecureString") == 0 && !sb_true(c->in, "WithDecryption")) {
		sb_sha256_hex(digest, json_string_value(value), json_string_length(value));
		json_object_set_new(out, "Value", sb_format("AQICAH%s", digest));
	}
	return out;
}

static int get_parameter(struct sb_call *c)
{
	const char *missing, *name = sb_str(c->in, "Name", "");
	json_t *out = parameter_out(c, name, &missing);

	if (out == NULL)
		return sb_fail(c, 400, missing, "Parameter %s not found.", name);
	c->out = json_pack("{s:o}", "Parameter", out);
	return 0;
}

static int get_parameters(struct sb_call *c)
{
	json_t *good = json_array(), *bad = json_array(), *name, *out;
	const char *missing;
	size_t i;

	json_array_foreach(json_object_get(c->in, "Names"), i, name)
	{
		out = parameter_out(c, json_string_value(name), &missing);
		if (out != NULL)
			json_array_append_new(good, out);
		else
			json_array_append(bad, name);
	}
	c->out = json_pack("{s:o,s:o}", "Parameters", good, "InvalidParameters", bad);
	return 0;
}

static int delete_parameter(struct sb_call *c)
{
	if (json_object_del(sb_sub(c->state, "Parameters"), sb_str(c->in, "Name", "")) == 0)
		return 0;
	return sb_fail(c, 400, "ParameterNotFound", "Parameter %s not found.", sb_str(c->in, "Name", ""));
}

/* ---- listing ---- */

static bool value_passes(json_t *filter, const char *option, const char *has)
{
	size_t i;
	json_t *value;

	json_array_foreach(json_object_get(filter, "Values"), i, value)
	{
		const char *text = json_string_value(value);

		if (strcmp(option, "BeginsWith") == 0 ? strncmp(has, text, strlen(text)) == 0
		    : strcmp(option, "Contains") == 0 ? strstr(has, text) != NULL
						      : strcmp(has, text) == 0)
			return true;
	}
	return false;
}

static int filters_check(struct sb_call *c)
{
	size_t i;
	json_t *filter;

	json_array_foreach(json_object_get(c->in, "ParameterFilters"), i, filter)
	{
		const char *key = sb_str(filter, "Key", "");

		if (!sb_one_of("Name Type KeyId Path Label Tier DataType", key) && strncmp(key, "tag:", 4) != 0)
			return sb_fail(c, 400, "InvalidFilterKey", "The filter key %s is not valid.", key);
		if (!sb_one_of("Equals BeginsWith Contains Recursive OneLevel", sb_str(filter, "Option", "Equals")))
			return sb_fail(c, 400, "InvalidFilterOption", "The filter option is not valid.");
	}
	return 0;
}

static bool parameter_passes(struct sb_call *c, json_t *it)
{
	json_t *filters = json_object_get(c->in, "ParameterFilters"), *filter;
	size_t i;

	json_array_foreach(filters, i, filter)
	{
		const char *key = sb_str(filter, "Key", ""), *option = sb_str(filter, "Option", "Equals");
		const char *has = strncmp(key, "tag:", 4) == 0
				      ? sb_str(json_object_get(it, "Tags"), key + 4, "")
				      : sb_str(it, strcmp(key, "Path") == 0 ? "Name" : key, "");

		if (!value_passes(filter, strcmp(key, "Path") == 0 ? "BeginsWith" : option, has))
			return false;
	}
	json_array_foreach(json_object_get(c->in, "Filters"), i, filter)
	{
		if (!value_passes(filter, "BeginsWith", sb_str(it, sb_str(filter, "Key", ""), "")))
			return false;
	}
	return true;
}

static json_t *parameter_row(struct sb_call *c, json_t *it)
{
	json_t *row =
	    json_pack("{s:o,s:[]}", "LastModifiedDate", sb_time_epoch(sb_int(it, "ModifiedMs", 0)), "Policies");

	sb_copy(row, it, "Name ARN Type KeyId Description AllowedPattern Version Tier DataType");
	json_object_set_new(row, "LastModifiedUser", json_string(sb_str(c->caller, "Arn", "")));
	return row;
}

static int describe_parameters(struct sb_call *c)
{
	json_t *some = json_object(), *it;
	const char *name;
	int status = filters_check(c);

	json_object_foreach(sb_sub(c->state, "Parameters"), name, it)
	{
		if (parameter_passes(c, it))
			json_object_set(some, name, it);
	}
	if (status == 0)
		status = sb_page_answer(c, &parameters_page, some, parameter_row);
	json_decref(some);
	return status;
}

/* ---- tags ---- */

static json_t *tagged(struct sb_call *c)
{
	const char *type = sb_str(c->in, "ResourceType", ""), *id = sb_str(c->in, "ResourceId", "");
	json_t *it = json_object_get(sb_sub(c->state, "Parameters"), id);

	if (strcmp(type, "Parameter") != 0)
		sb_fail(c, 400, "InvalidResourceType", "The resource type %s is not valid.", type);
	else if (it == NULL)
		sb_fail(c, 400, "InvalidResourceId", "The resource ID %s is not valid.", id);
	else
		return sb_sub(it, "Tags");
	return NULL;
}

static int add_tags_to_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_add(tags, json_object_get(c->in, "Tags"), "Key", "Value");
	return json_object_size(tags) > 50 ? sb_fail(c, 400, "TooManyTagsError", "Too many tags") : 0;
}

static int remove_tags_from_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_remove(tags, json_object_get(c->in, "TagKeys"));
	return 0;
}

static int list_tags_for_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	c->out = json_pack("{s:o}", "TagList", sb_tags_list(tags, "Key", "Value"));
	return 0;
}

#define TAGS     "Tags:[{!Key:s(1,128) !Value:s(0,256)}](0,1000)"
#define RESOURCE "!ResourceType !ResourceId"

static const struct sb_op ops[] = {
    {"PutParameter", put_parameter,
     "!Name:s(1,2048) Description:s(0,1024) !Value Type KeyId:s(1,256) Overwrite:b AllowedPattern:s(0,1024) " TAGS
     " Tier Policies:s(1,4096) DataType:s(0,128)",
     NULL, NULL, 0},
    {"GetParameter", get_parameter, "!Name:s(1,2048) WithDecryption:b", NULL, NULL, 0},
    {"GetParameters", get_parameters, "!Names:[s(1,2048)](1,10) WithDecryption:b", NULL, NULL, 0},
    {"DeleteParameter", delete_parameter, "!Name:s(1,2048)", NULL, NULL, 0},
    {"DescribeParameters", describe_parameters,
     "Filters:[{!Key !Values:[s(1,1024)](1,50)}] ParameterFilters:[{!Key:s(1,132) Option:s(1,10) "
     "Values:[s(1,1024)](1,50)}] MaxResults:i(1,50) NextToken Shared:b",
     NULL, NULL, 0},
    {"AddTagsToResource", add_tags_to_resource, RESOURCE " !" TAGS, NULL, NULL, 0},
    {"RemoveTagsFromResource", remove_tags_from_resource, RESOURCE " !TagKeys:[s(1,128)]", NULL, NULL, 0},
    {"ListTagsForResource", list_tags_for_resource, RESOURCE, NULL, NULL, 0},
    {.name = NULL},
};

const struct sb_service sb_ssm = {
    .name = "ssm",
    .protocol = SB_JSON,
    .prefix = "AmazonSSM",
    .invalid = "ValidationException",
    .throttled = "ThrottlingException",
    .throttled_status = 400,
    .denied = "AccessDeniedException",
    .denied_status = 400,
    .ops = ops,
};
