/* Where a service is: partition, region and the user's own endpoints to a URL. Path-style addresses everywhere, S3
 * too: one connection serves all buckets of a region, and bucket names with dots keep a valid certificate. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "providers/aws/transport.h"

struct partition {
	const char *name, *region_prefix, *suffix;
	const char *global_region; /* where services with one endpoint are signed for */
	const char *global_label;  /* what stands in for the region in such a host name, or NULL: nothing */
};

/* From the endpoint data that AWS publishes with its SDKs. The last is for all other regions. */
static const struct partition partitions[] = {
    {"aws-cn", "cn-", "amazonaws.com.cn", "cn-north-1", "cn-north-1"},
    {"aws-us-gov", "us-gov-", "amazonaws.com", "us-gov-west-1", "us-gov"},
    {"aws-iso", "us-iso-", "c2s.ic.gov", "us-iso-east-1", "us-iso-east-1"},
    {"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "us-isob-east-1", "us-isob-east-1"},
    {"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "eu-isoe-west-1", "eu-isoe-west-1"},
    {"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "us-isof-south-1", "us-isof-south-1"},
    {"aws-eusc", "eusc-", "amazonaws.eu", "eusc-de-east-1", "eusc-de-east-1"},
    {"aws", "", "amazonaws.com", "us-east-1", NULL},
};

static const struct partition *partition_find(const char *region)
{
	const struct partition *p = partitions;

	while (!text_starts(region, p->region_prefix))
		p++;
	return p;
}

const char *aws_partition_of(const char *region)
{
	return partition_find(region)->name;
}

bool aws_environment_flag(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && (strcasecmp(value, "true") == 0 || strcasecmp(value, "1") == 0 ||
				 strcasecmp(value, "yes") == 0 || strcasecmp(value, "on") == 0);
}

/* -- The user's own endpoints ("Service-specific endpoints" in the AWS SDKs and Tools Reference Guide) ------------- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* The profile's [services] section, then the profile itself. */
static const char *endpoint_in_config(struct aws *aws, const char *service_id)
{
	const struct aws_config *config = aws_config(aws, NULL);
	const char *profile = aws_config_profile();
	const char *services = aws_config_get(config, "profile", profile, "services"), *found = NULL;
	mem_auto_str char *key = mem_printf("%s.endpoint_url", service_id);

	for (char *c = key; *c != '\0'; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	if (services != NULL)
		found = aws_config_get(config, "services", services, key);
	return found != NULL ? found : aws_config_get(config, "profile", profile, "endpoint_url");
}

static const char *endpoint_set(struct aws *aws, const struct aws_service *service)
{
	mem_auto_str char *name = mem_printf("AWS_ENDPOINT_URL_%s", service->environment_id);
	const char *found;

	if (aws_environment_flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
		return NULL;
	found = variable(name);
	if (found == NULL)
		found = variable("AWS_ENDPOINT_URL");
	return found != NULL ? found : endpoint_in_config(aws, service->environment_id);
}

/* -- AWS's ------------------------------------------------------------------------------------------------------- */

static bool use_fips(struct aws *aws)
{
	const char *set;

	if (variable("AWS_USE_FIPS_ENDPOINT") != NULL)
		return aws_environment_flag("AWS_USE_FIPS_ENDPOINT");
	set = aws_config_get(aws_config(aws, NULL), "profile", aws_config_profile(), "use_fips_endpoint");
	return set != NULL && strcasecmp(set, "true") == 0;
}

static char *host_of(struct aws *aws, const struct aws_service *service, const char *region)
{
	const struct partition *p = partition_find(region);
	/* GovCloud's own endpoints are FIPS endpoints in IAM, and have no others. */
	bool fips = use_fips(aws) && !(service->global && strcmp(p->name, "aws-us-gov") == 0);
	const char *label = service->global ? p->global_label : region;

	return mem_printf("%s%s%s%s.%s", service->endpoint_prefix, fips ? "-fips" : "", label == NULL ? "" : ".",
			  label == NULL ? "" : label, p->suffix);
}

void aws_endpoint_find(struct aws_endpoint *out, struct aws *aws, const struct aws_service *service, const char *region)
{
	const char *set = endpoint_set(aws, service), *authority;
	mem_auto_str char *host = NULL;

	if (set == NULL) {
		host = host_of(aws, service, region);
		out->base = mem_printf("https://%s", host);
	} else {
		out->base = mem_strdup(set);
		for (size_t len = strlen(set); len > 0 && out->base[len - 1] == '/'; len--)
			out->base[len - 1] = '\0';
	}
	authority = strstr(out->base, "://");
	authority = authority == NULL ? out->base : authority + 3;
	out->path = authority + strcspn(authority, "/");
	out->host = mem_strndup(authority, (size_t)(out->path - authority));
	out->signing_region = mem_strdup(service->global ? partition_find(region)->global_region : region);
}

void aws_endpoint_free(struct aws_endpoint *endpoint)
{
	free(endpoint->base);
	free(endpoint->host);
	free(endpoint->signing_region);
	*endpoint = (struct aws_endpoint){0};
}
