/* IAM Access Analyzer: analyzers of an account and region, and their tags. They find nothing. */
#include "tests/sandbox/sandbox.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define KINDS                                                                                                          \
	"ACCOUNT ORGANIZATION ACCOUNT_UNUSED_ACCESS ORGANIZATION_UNUSED_ACCESS ACCOUNT_INTERNAL_ACCESS "               \
	"ORGANIZATION_INTERNAL_ACCESS"

static const struct sb_paging analyzers_page = {"analyzers",  "nextToken", "nextToken",
						"maxResults", 100,         "ValidationException"};

static json_t *analyzer_get(struct sb_call *c)
{
	const char *name = sb_str(c->in, "analyzerName", "");
	json_t *analyzer = json_object_get(sb_sub(c->state, "Analyzers"), name);

	if (analyzer == NULL)
		sb_fail(c, 404, "ResourceNotFoundException", "Analyzer with name %s not found.", name);
	return analyzer;
}

static int create_check(struct sb_call *c, const char *name, const char *type)
{
	if (!isalpha((unsigned char)name[0]) || !sb_like(name, "a-zA-Z0-9_.-", 1, 255))
		return sb_fail(c, 400, "ValidationException", "The analyzer name %s is not valid.", name);
	if (!sb_one_of(KINDS, type))
		return sb_fail(c, 400, "ValidationException", "The analyzer type %s is not valid.", type);
	if (strncmp(type, "ORGANIZATION", 12) == 0)
		return sb_fail(
		    c, 400, "ValidationException",
		    "The account is not the management account of an organization, or a delegated administrator.");
	return 0;
}

/* One of each kind for an account and region. */
static bool kind_taken(struct sb_call *c, const char *type)
{
	const char *name;
	json_t *analyzer;

	json_object_foreach(sb_sub(c->state, "Analyzers"), name, analyzer)
	{
		if (strcmp(sb_str(analyzer, "type", ""), type) == 0)
			return true;
	}
	return false;
}

static int create_analyzer(struct sb_call *c)
{
	const char *name = sb_str(c->in, "analyzerName", ""), *type = sb_str(c->in, "type", "");
	const char *token = sb_str(c->in, "clientToken", "");
	json_t *analyzers = sb_sub(c->state, "Analyzers"), *it = json_object_get(analyzers, name);
	json_t *tags = json_object_get(c->in, "tags");
	mem_auto_str char *role = NULL;

	if (create_check(c, name, type) != 0)
		return -1;
	if (it != NULL && (token[0] == '\0' || strcmp(sb_str(it, "_Token", ""), token) != 0))
		return sb_fail(c, 409, "ConflictException", "An analyzer with the name %s already exists.", name);
	if (it == NULL && kind_taken(c, type))
		return sb_fail(c, 402, "ServiceQuotaExceededException", "You can have 1 analyzer of type %s.", type);
	if (it == NULL) {
		role = sb_linked_role_ensure(c->sb, c->account, "access-analyzer.amazonaws.com");
		it = json_pack("{s:s,s:s,s:s,s:I,s:s,s:o}", "name", name, "type", type, "status", "ACTIVE", "CreatedMs",
			       (json_int_t)c->now_ms, "_Token", token, "tags",
			       tags == NULL ? json_object() : json_deep_copy(tags));
		json_object_set_new(
		    it, "arn",
		    sb_format("arn:%s:access-analyzer:%s:%s:analyzer/%s", c->partition, c->region, c->account, name));
		sb_copy(it, c->in, "configuration archiveRules");
		json_object_set_new(analyzers, name, it);
	}
	c->out = json_pack("{s:O}", "arn", json_object_get(it, "arn"));
	return 0;
}

static json_t *analyzer_row(struct sb_call *c, json_t *analyzer)
{
	json_t *row = json_pack("{s:o}", "createdAt", sb_time_json(sb_int(analyzer, "CreatedMs", 0)));

	(void)c;
	sb_copy(row, analyzer, "arn name type status tags configuration");
	return row;
}

static int get_analyzer(struct sb_call *c)
{
	json_t *analyzer = analyzer_get(c);

	if (analyzer == NULL)
		return -1;
	c->out = json_pack("{s:o}", "analyzer", analyzer_row(c, analyzer));
	return 0;
}

static int update_analyzer(struct sb_call *c)
{
	json_t *analyzer = analyzer_get(c);

	if (analyzer == NULL)
		return -1;
	if (strcmp(sb_str(analyzer, "type", ""), "ACCOUNT") == 0)
		return sb_fail(c, 400, "ValidationException", "Analyzers of type ACCOUNT have no configuration.");
	sb_copy(analyzer, c->in, "configuration");
	c->out = json_object();
	sb_copy(c->out, analyzer, "configuration");
	return 0;
}

static int delete_analyzer(struct sb_call *c)
{
	if (analyzer_get(c) == NULL)
		return -1;
	json_object_del(sb_sub(c->state, "Analyzers"), sb_str(c->in, "analyzerName", ""));
	return 0;
}

static int list_analyzers(struct sb_call *c)
{
	const char *type = sb_str(c->in, "type", NULL), *name;
	json_t *some = json_object(), *analyzer;
	int status;

	json_object_foreach(sb_sub(c->state, "Analyzers"), name, analyzer)
	{
		if (type == NULL || strcmp(sb_str(analyzer, "type", ""), type) == 0)
			json_object_set(some, name, analyzer);
	}
	status = sb_page_answer(c, &analyzers_page, some, analyzer_row);
	json_decref(some);
	return status;
}

/* ---- tags ---- */

static json_t *tagged(struct sb_call *c)
{
	const char *arn = sb_str(c->in, "resourceArn", ""), *name;
	json_t *analyzer;

	json_object_foreach(sb_sub(c->state, "Analyzers"), name, analyzer)
	{
		if (strcmp(sb_str(analyzer, "arn", ""), arn) == 0)
			return sb_sub(analyzer, "tags");
	}
	sb_fail(c, 404, "ResourceNotFoundException", "Resource %s not found.", arn);
	return NULL;
}

static int tag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	json_object_update(tags, json_object_get(c->in, "tags"));
	return 0;
}

static int untag_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	sb_tags_remove(tags, json_object_get(c->in, "tagKeys"));
	return 0;
}

static int list_tags_for_resource(struct sb_call *c)
{
	json_t *tags = tagged(c);

	if (tags == NULL)
		return -1;
	c->out = json_pack("{s:O}", "tags", tags);
	return 0;
}

#define NAME          "!analyzerName:s(1,255)"
#define CONFIGURATION "configuration:{unusedAccess:* internalAccess:*}"

static const struct sb_op ops[] = {
    {"CreateAnalyzer", create_analyzer,
     NAME " !type archiveRules:[{!ruleName:s(1,255) !filter:m}] tags:m clientToken " CONFIGURATION, "PUT", "/analyzer",
     0},
    {"GetAnalyzer", get_analyzer, NAME, "GET", "/analyzer/{analyzerName}", 0},
    {"UpdateAnalyzer", update_analyzer, NAME " " CONFIGURATION, "PUT", "/analyzer/{analyzerName}", 0},
    {"DeleteAnalyzer", delete_analyzer, NAME " clientToken", "DELETE", "/analyzer/{analyzerName}", 0},
    {"ListAnalyzers", list_analyzers, "nextToken maxResults:i type", "GET", "/analyzer", 0},
    {"TagResource", tag_resource, "!resourceArn !tags:m", "POST", "/tags/{resourceArn}", 0},
    {"UntagResource", untag_resource, "!resourceArn !tagKeys:[s]", "DELETE", "/tags/{resourceArn}", 0},
    {"ListTagsForResource", list_tags_for_resource, "!resourceArn", "GET", "/tags/{resourceArn}", 0},
    {.name = NULL},
};

const struct sb_service sb_accessanalyzer = {
    .name = "access-analyzer",
    .protocol = SB_REST_JSON,
    .prefix = "",
    .invalid = "ValidationException",
    .throttled = "ThrottlingException",
    .throttled_status = 429,
    .denied = "AccessDeniedException",
    .denied_status = 403,
    .ops = ops,
};
