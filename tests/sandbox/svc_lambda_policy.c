/* Lambda: who may invoke a function, its tags, and the concurrency reserved for it. */
#include "tests/sandbox/svc_lambda.h"

#include <stdlib.h>
#include <string.h>

#define POLICY_MAX      20480
#define CONCURRENCY_MAX 900 /* of 1,000 in an account and region, 100 stay unreserved */

/* ---- permissions ---- */

static json_t *principal_for(struct sb_call *c, const char *said)
{
	if (strcmp(said, "*") == 0)
		return json_string("*");
	if (sb_like(said, "0-9", 12, 12))
		return json_pack("{s:o}", "AWS", sb_format("arn:%s:iam::%s:root", c->partition, said));
	if (sb_glob("arn:*:iam::*", said) || sb_glob("arn:*:sts::*", said))
		return json_pack("{s:s}", "AWS", said);
	if (sb_glob("?*.amazonaws.com", said) || sb_glob("?*.amazonaws.com.cn", said))
		return json_pack("{s:s}", "Service", said);
	return NULL;
}

static json_t *statement_new(struct sb_call *c, json_t *function)
{
	const char *source = sb_str(c->in, "SourceArn", NULL), *account = sb_str(c->in, "SourceAccount", NULL);
	json_t *principal = principal_for(c, sb_str(c->in, "Principal", "")), *statement, *condition = json_object();

	if (principal == NULL) {
		json_decref(condition);
		return NULL;
	}
	statement = json_pack("{s:O,s:s,s:o,s:O,s:O}", "Sid", json_object_get(c->in, "StatementId"), "Effect", "Allow",
			      "Principal", principal, "Action", json_object_get(c->in, "Action"), "Resource",
			      json_object_get(function, "FunctionArn"));
	if (source != NULL)
		json_object_set_new(sb_sub(condition, "ArnLike"), "AWS:SourceArn", json_string(source));
	if (account != NULL)
		json_object_set_new(sb_sub(condition, "StringEquals"), "AWS:SourceAccount", json_string(account));
	if (json_object_get(c->in, "PrincipalOrgID") != NULL)
		json_object_set(sb_sub(condition, "StringEquals"), "aws:PrincipalOrgID",
				json_object_get(c->in, "PrincipalOrgID"));
	if (json_object_get(c->in, "EventSourceToken") != NULL)
		json_object_set(sb_sub(condition, "StringEquals"), "lambda:EventSourceToken",
				json_object_get(c->in, "EventSourceToken"));
	if (json_object_get(c->in, "FunctionUrlAuthType") != NULL)
		json_object_set(sb_sub(condition, "StringEquals"), "lambda:FunctionUrlAuthType",
				json_object_get(c->in, "FunctionUrlAuthType"));
	if (sb_true(c->in, "InvokedViaFunctionUrl"))
		json_object_set_new(sb_sub(condition, "Bool"), "lambda:InvokedViaFunctionUrl", json_string("true"));
	if (json_object_size(condition) > 0)
		json_object_set(statement, "Condition", condition);
	json_decref(condition);
	return statement;
}

static size_t statement_index(json_t *statements, const char *id)
{
	size_t i = 0;

	while (i < json_array_size(statements) && strcmp(sb_str(json_array_get(statements, i), "Sid", ""), id) != 0)
		i++;
	return i;
}

static int permission_check(struct sb_call *c)
{
	const char *action = sb_str(c->in, "Action", ""), *id = sb_str(c->in, "StatementId", "");
	const char *account = sb_str(c->in, "SourceAccount", NULL), *source = sb_str(c->in, "SourceArn", NULL);

	if (!sb_like(id, "a-zA-Z0-9_-", 1, 100) || !sb_glob("lambda:?*", action) ||
	    (account != NULL && !sb_like(account, "0-9", 12, 12)) || (source != NULL && !sb_glob("arn:*", source)))
		return sb_fail(c, 400, "ValidationException",
			       "1 validation error detected: a member of the permission failed to satisfy its pattern");
	if (strchr(action, '*') == NULL && !sb_glob("lambda:Invoke*", action) && !sb_glob("lambda:Get*", action) &&
	    !sb_glob("lambda:Update*", action) && !sb_glob("lambda:Delete*", action) &&
	    !sb_glob("lambda:List*", action))
		return sb_fail(c, 400, "InvalidParameterValueException",
			       "Invalid action: Lambda resource policies do not support %s", action);
	return 0;
}

static json_t *statements_of(json_t *function)
{
	json_t *policy = sb_sub(function, "Policy"), *statements = json_object_get(policy, "Statement");

	if (statements == NULL) {
		json_object_set_new(policy, "Version", json_string("2012-10-17"));
		json_object_set_new(policy, "Id", json_string("default"));
		statements = json_array();
		json_object_set_new(policy, "Statement", statements);
	}
	return statements;
}

int lambda_add_permission(struct sb_call *c)
{
	const char *id = sb_str(c->in, "StatementId", "");
	json_t *function = lambda_get(c, "FunctionName"), *statements, *statement;
	mem_auto_str char *text = NULL, *whole = NULL;

	if (function == NULL || permission_check(c) != 0)
		return -1;
	statements = statements_of(function);
	if (statement_index(statements, id) < json_array_size(statements))
		return sb_fail(
		    c, 409, "ResourceConflictException",
		    "The statement id (%s) provided already exists. Please provide a new statement id, or remove "
		    "the existing statement.",
		    id);
	statement = statement_new(c, function);
	if (statement == NULL)
		return sb_fail(c, 400, "InvalidParameterValueException",
			       "The provided principal was invalid. Please check the principal and try again.");
	text = json_dumps(statement, JSON_COMPACT);
	whole = json_dumps(statements, JSON_COMPACT);
	if (strlen(text) + strlen(whole) > POLICY_MAX) {
		json_decref(statement);
		return sb_fail(c, 400, "PolicyLengthExceededException",
			       "The final policy size is bigger than the limit (%d).", POLICY_MAX);
	}
	json_array_append_new(statements, statement);
	c->out = json_pack("{s:s}", "Statement", text);
	return 0;
}

static int no_policy(struct sb_call *c)
{
	return sb_fail(c, 404, "ResourceNotFoundException", "The resource you requested does not exist.");
}

int lambda_remove_permission(struct sb_call *c)
{
	const char *id = sb_str(c->in, "StatementId", "");
	json_t *function = lambda_get(c, "FunctionName"), *statements;
	size_t i;

	if (function == NULL)
		return -1;
	statements = json_object_get(json_object_get(function, "Policy"), "Statement");
	i = statement_index(statements, id);
	if (json_array_size(statements) == 0)
		return sb_fail(c, 404, "ResourceNotFoundException", "No policy is associated with the given resource.");
	if (i == json_array_size(statements))
		return sb_fail(c, 404, "ResourceNotFoundException", "Statement %s is not found in resource policy.",
			       id);
	json_array_remove(statements, i);
	if (json_array_size(statements) == 0)
		json_object_del(function, "Policy");
	return 0;
}

int lambda_get_policy(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName"), *policy = json_object_get(function, "Policy");
	mem_auto_str char *text = NULL;

	if (function == NULL)
		return -1;
	if (json_array_size(json_object_get(policy, "Statement")) == 0)
		return no_policy(c);
	text = json_dumps(policy, JSON_COMPACT);
	c->out = json_pack("{s:s,s:O}", "Policy", text, "RevisionId", json_object_get(function, "RevisionId"));
	return 0;
}

/* ---- tags ---- */

int lambda_tag_resource(struct sb_call *c)
{
	json_t *function = lambda_get(c, "Resource");

	if (function == NULL)
		return -1;
	json_object_update(sb_sub(function, "Tags"), json_object_get(c->in, "Tags"));
	if (json_object_size(sb_sub(function, "Tags")) > 50)
		return sb_fail(c, 400, "InvalidParameterValueException", "Too many tags");
	return 0;
}

int lambda_untag_resource(struct sb_call *c)
{
	json_t *function = lambda_get(c, "Resource");

	if (function == NULL)
		return -1;
	sb_tags_remove(sb_sub(function, "Tags"), json_object_get(c->in, "tagKeys"));
	return 0;
}

int lambda_list_tags(struct sb_call *c)
{
	json_t *function = lambda_get(c, "Resource");

	if (function == NULL)
		return -1;
	c->out = json_pack("{s:O}", "Tags", sb_sub(function, "Tags"));
	return 0;
}

/* ---- concurrency ---- */

int lambda_put_concurrency(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName"),
	       *wanted = json_object_get(c->in, "ReservedConcurrentExecutions");

	if (function == NULL)
		return -1;
	if (json_integer_value(wanted) > CONCURRENCY_MAX)
		return sb_fail(c, 400, "InvalidParameterValueException",
			       "Specified ReservedConcurrentExecutions for function decreases account's "
			       "UnreservedConcurrentExecution below its minimum value of [100].");
	json_object_set(function, "Concurrency", wanted);
	c->out = json_pack("{s:O}", "ReservedConcurrentExecutions", wanted);
	return 0;
}

int lambda_get_concurrency(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName"), *has = json_object_get(function, "Concurrency");

	if (function == NULL)
		return -1;
	c->out = json_object();
	if (has != NULL)
		json_object_set(c->out, "ReservedConcurrentExecutions", has);
	return 0;
}

int lambda_delete_concurrency(struct sb_call *c)
{
	json_t *function = lambda_get(c, "FunctionName");

	if (function == NULL)
		return -1;
	json_object_del(function, "Concurrency");
	return 0;
}
