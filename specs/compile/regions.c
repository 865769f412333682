/* What is known of AWS regions and partitions without asking AWS. New regions need no change here: unknown names are
 * only warned about. */
#include "specs/compile/compile.h"

#include <string.h>

/* Regions that every account has without opting in: AWS Account Management Reference Guide, "Enable or disable AWS
 * Regions in your account" (regions introduced before 20 March 2019). */
static const char *const defaults_aws[] = {
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1",   "eu-central-1",   "eu-north-1",     "eu-west-1",  "eu-west-2",      "eu-west-3",
    "sa-east-1",      "us-east-1",      "us-east-2",      "us-west-1",  "us-west-2",      NULL};
static const char *const defaults_cn[] = {"cn-north-1", "cn-northwest-1", NULL};
static const char *const defaults_gov[] = {"us-gov-east-1", "us-gov-west-1", NULL};
static const char *const defaults_eusc[] = {"eusc-de-east-1", NULL};
static const char *const defaults_none[] = {NULL};

/* Regions to opt in to; AWS Regional Services pages. Only for "did you mean". */
static const char *const opt_in[] = {
    "af-south-1",     "ap-east-1",      "ap-east-2",      "ap-south-2", "ap-southeast-3", "ap-southeast-4",
    "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1",  "eu-central-2",   "eu-south-1",
    "eu-south-2",     "il-central-1",   "me-central-1",   "me-south-1", "mx-central-1"};

/* AWS Config Developer Guide, "Recording AWS Resources": the global resource types cannot be recorded in regions that
 * AWS Config supports since after February 2022. */
static const char *const no_config_global[] = {"ap-east-2",      "ap-south-2",     "ap-southeast-4", "ap-southeast-5",
					       "ap-southeast-6", "ap-southeast-7", "ca-west-1",      "eu-central-2",
					       "eu-south-2",     "il-central-1",   "me-central-1",   "mx-central-1"};

struct partition {
	const char *prefix, *name, *url_suffix, *global_region;
	const char *const *defaults;
};

/* Names and suffixes as in botocore's partitions data; the region where events of IAM appear: CloudTrail User Guide,
 * "Global service events" (us-east-1), and its edition for China, where only CloudFront moved to Ningxia. */
static const struct partition partitions[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn", "cn-north-1", defaults_cn},
    {"us-gov-", "aws-us-gov", "amazonaws.com", "us-gov-west-1", defaults_gov},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov", "us-isob-east-1", defaults_none},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov", "us-isof-south-1", defaults_none},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "eu-isoe-west-1", defaults_none},
    {"us-iso-", "aws-iso", "c2s.ic.gov", "us-iso-east-1", defaults_none},
    {"eusc-", "aws-eusc", "amazonaws.eu", "eusc-de-east-1", defaults_eusc},
    {"", "aws", "amazonaws.com", "us-east-1", defaults_aws},
};

static const struct partition *partition_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(partitions); i++)
		if (strcmp(partitions[i].name, name) == 0)
			return &partitions[i];
	return &partitions[COUNT_OF(partitions) - 1];
}

const char *const *specs_default_regions(const char *partition)
{
	return partition_find(partition)->defaults;
}

const char *specs_partition_of(const char *region)
{
	size_t i = 0;

	while (!text_starts(region, partitions[i].prefix))
		i++;
	return partitions[i].name;
}

const char *specs_url_suffix(const char *partition)
{
	return partition_find(partition)->url_suffix;
}

const char *specs_global_region(const char *partition)
{
	return partition_find(partition)->global_region;
}

/* Letters, hyphens and a number at the end, at least three parts: "eu-west-1". */
bool specs_region_shaped(const char *name)
{
	size_t len = strlen(name), parts = 1;

	if (len < 5 || len > 32 || name[0] == '-' || name[len - 1] < '0' || name[len - 1] > '9')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '-') {
			if (name[i + 1] == '-')
				return false;
			parts++;
		} else if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9')))
			return false;
	}
	return parts >= 3;
}

const char *specs_region_nearest(const char *name, bool *known)
{
	const char *all[64];
	size_t count = 0;

	for (size_t p = 0; p < COUNT_OF(partitions); p++)
		for (size_t i = 0; partitions[p].defaults[i] != NULL; i++)
			all[count++] = partitions[p].defaults[i];
	for (size_t i = 0; i < COUNT_OF(opt_in); i++)
		all[count++] = opt_in[i];
	*known = false;
	for (size_t i = 0; i < count; i++)
		*known = *known || strcmp(all[i], name) == 0;
	return text_nearest(name, all, count);
}

bool specs_config_global_allowed(const char *region)
{
	for (size_t i = 0; i < COUNT_OF(no_config_global); i++)
		if (strcmp(no_config_global[i], region) == 0)
			return false;
	return true;
}
