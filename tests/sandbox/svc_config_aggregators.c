/* AWS Config: aggregators and the authorizations that they need from the accounts aggregated. Nothing is aggregated. */
#include "tests/sandbox/svc_config.h"

#include <string.h>

#define AGGREGATORS_MAX 50

static const struct sb_paging authorizations_page = {
    "AggregationAuthorizations", "NextToken", "NextToken", "Limit", 100, "InvalidNextTokenException"};
static const struct sb_paging aggregators_page = {"ConfigurationAggregators", "NextToken", "NextToken", "Limit", 100,
						  "InvalidNextTokenException"};

/* ---- authorizations ---- */

static char *authorization_key(struct sb_call *c)
{
	return mem_printf("%s/%s", sb_str(c->in, "AuthorizedAccountId", ""), sb_str(c->in, "AuthorizedAwsRegion", ""));
}

static json_t *authorization_row(struct sb_call *c, json_t *it)
{
	json_t *row = json_pack("{s:o}", "CreationTime", sb_time_epoch(sb_int(it, "CreatedMs", 0)));

	(void)c;
	sb_copy(row, it, "AggregationAuthorizationArn AuthorizedAccountId AuthorizedAwsRegion");
	return row;
}

int config_put_authorization(struct sb_call *c)
{
	mem_auto_str char *key = authorization_key(c);
	json_t *all = sb_sub(c->state, "Authorizations"), *it = json_object_get(all, key);

	if (!sb_like(sb_str(c->in, "AuthorizedAccountId", ""), "0-9", 12, 12))
		return sb_fail(c, 400, "ValidationException", "AuthorizedAccountId must be 12 digits.");
	if (sb_region_status(c->sb, c->account, sb_str(c->in, "AuthorizedAwsRegion", "")) == NULL)
		return sb_fail(c, 400, "InvalidParameterValueException", "The region %s does not exist.",
			       sb_str(c->in, "AuthorizedAwsRegion", ""));
	if (it == NULL) {
		it = json_pack("{s:I}", "CreatedMs", (json_int_t)c->now_ms);
		sb_copy(it, c->in, "AuthorizedAccountId AuthorizedAwsRegion");
		json_object_set_new(it, "AggregationAuthorizationArn",
				    sb_format("arn:%s:config:%s:%s:aggregation-authorization/%s", c->partition,
					      c->region, c->account, key));
		json_object_set_new(all, key, it);
	}
	sb_tags_add(sb_sub(it, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	c->out = json_pack("{s:o}", "AggregationAuthorization", authorization_row(c, it));
	return 0;
}

int config_describe_authorizations(struct sb_call *c)
{
	return sb_page_answer(c, &authorizations_page, sb_sub(c->state, "Authorizations"), authorization_row);
}

/* One that is not there is deleted already. */
int config_delete_authorization(struct sb_call *c)
{
	mem_auto_str char *key = authorization_key(c);

	json_object_del(sb_sub(c->state, "Authorizations"), key);
	return 0;
}

/* ---- aggregators ---- */

static json_t *aggregator_row(struct sb_call *c, json_t *it)
{
	json_t *row = json_pack("{s:o,s:o}", "CreationTime", sb_time_epoch(sb_int(it, "CreatedMs", 0)),
				"LastUpdatedTime", sb_time_epoch(sb_int(it, "UpdatedMs", 0)));

	(void)c;
	sb_copy(row, it,
		"ConfigurationAggregatorName ConfigurationAggregatorArn AccountAggregationSources "
		"OrganizationAggregationSource AggregatorFilters");
	return row;
}

static int sources_check(struct sb_call *c)
{
	json_t *accounts = json_object_get(c->in, "AccountAggregationSources"), *source = json_array_get(accounts, 0);
	bool regions = json_array_size(json_object_get(source, "AwsRegions")) > 0;

	if (json_object_get(c->in, "OrganizationAggregationSource") != NULL)
		return sb_fail(c, 400, "NoAvailableOrganizationException",
			       "This action can be only made by accounts in an AWS Organization.");
	if (source == NULL)
		return sb_fail(c, 400, "InvalidParameterValueException",
			       "Either AccountAggregationSources or OrganizationAggregationSource must be specified.");
	if (regions == sb_true(source, "AllAwsRegions"))
		return sb_fail(c, 400, "InvalidParameterValueException", "Specify either AllAwsRegions or AwsRegions.");
	return 0;
}

int config_put_aggregator(struct sb_call *c)
{
	const char *name = sb_str(c->in, "ConfigurationAggregatorName", "");
	json_t *all = sb_sub(c->state, "Aggregators"), *it = json_object_get(all, name);
	mem_auto_str char *id = NULL;

	if (!sb_like(name, "a-zA-Z0-9_-", 1, 256))
		return sb_fail(c, 400, "ValidationException", "The aggregator name %s is not valid.", name);
	if (sources_check(c) != 0)
		return -1;
	if (it == NULL && json_object_size(all) >= AGGREGATORS_MAX)
		return sb_fail(c, 400, "LimitExceededException", "The maximum number of aggregators is reached.");
	if (it == NULL) {
		id = sb_id(c, "config-aggregator-", 8, "abcdefghijklmnopqrstuvwxyz0123456789");
		it = json_pack("{s:s,s:I}", "ConfigurationAggregatorName", name, "CreatedMs", (json_int_t)c->now_ms);
		json_object_set_new(
		    it, "ConfigurationAggregatorArn",
		    sb_format("arn:%s:config:%s:%s:config-aggregator/%s", c->partition, c->region, c->account, id));
		json_object_set_new(all, name, it);
	}
	json_object_set_new(it, "UpdatedMs", json_integer(c->now_ms));
	sb_copy(it, c->in, "AccountAggregationSources AggregatorFilters");
	sb_tags_add(sb_sub(it, "Tags"), json_object_get(c->in, "Tags"), "Key", "Value");
	c->out = json_pack("{s:o}", "ConfigurationAggregator", aggregator_row(c, it));
	return 0;
}

static int no_aggregator(struct sb_call *c)
{
	return sb_fail(c, 400, "NoSuchConfigurationAggregatorException",
		       "The configuration aggregator does not exist. Check the configuration aggregator name and try "
		       "again.");
}

int config_describe_aggregators(struct sb_call *c)
{
	json_t *all = sb_sub(c->state, "Aggregators"), *names = json_object_get(c->in, "ConfigurationAggregatorNames"),
	       *name;
	json_auto_t *some = json_object();
	size_t i;

	json_array_foreach(names, i, name)
	{
		json_t *it = json_object_get(all, json_string_value(name));

		if (it == NULL)
			return no_aggregator(c);
		json_object_set(some, json_string_value(name), it);
	}
	return sb_page_answer(c, &aggregators_page, json_array_size(names) > 0 ? some : all, aggregator_row);
}

int config_delete_aggregator(struct sb_call *c)
{
	const char *name = sb_str(c->in, "ConfigurationAggregatorName", "");

	return json_object_del(sb_sub(c->state, "Aggregators"), name) == 0 ? 0 : no_aggregator(c);
}
