/* IAM: roles that services have for themselves. They go away by a task, which fails while the service uses them. */
#include "tests/sandbox/svc_iam.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *service, *name;
} linked[] = {
    {"config.amazonaws.com", "AWSServiceRoleForConfig"},
    {"guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty"},
    {"malware-protection.guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDutyMalwareProtection"},
    {"cloudtrail.amazonaws.com", "AWSServiceRoleForCloudTrail"},
    {"securityhub.amazonaws.com", "AWSServiceRoleForSecurityHub"},
    {"access-analyzer.amazonaws.com", "AWSServiceRoleForAccessAnalyzer"},
    {"inspector2.amazonaws.com", "AWSServiceRoleForAmazonInspector2"},
    {"autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"},
};

static char *linked_name(const char *service)
{
	char *name;

	for (size_t i = 0; i < sizeof linked / sizeof *linked; i++)
		if (strcmp(linked[i].service, service) == 0)
			return mem_strdup(linked[i].name);
	name = mem_printf("AWSServiceRoleFor%.*s", (int)strcspn(service, "."), service);
	name[17] = (char)toupper((unsigned char)name[17]);
	return name;
}

static json_t *linked_make(struct sb *sb, const char *account, const char *service, const char *name)
{
	json_t *roles = sb_sub(sb_state(sb, account, "global", "iam"), "Roles"), *role;
	mem_auto_str char *trust = NULL, *path = mem_printf("/aws-service-role/%s/", service);

	trust =
	    mem_printf("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
		       "\"%s\"},\"Action\":\"sts:AssumeRole\"}]}",
		       service);
	role = json_pack("{s:s,s:s,s:s,s:I,s:I,s:{}}", "RoleName", name, "Path", path, "RoleId", "AROALINKEDROLE000000",
			 "MaxSessionDuration", (json_int_t)3600, "CreateMs", (json_int_t)sb_now_ms(), "Tags");
	json_object_set_new(role, "Arn", sb_format("arn:aws:iam::%s:role%s%s", account, path, name));
	sb_lag_set(sb, role, "AssumeRolePolicyDocument", json_string(trust));
	json_object_set_new(roles, name, role);
	return role;
}

char *sb_linked_role_ensure(struct sb *sb, const char *account, const char *service)
{
	mem_auto_str char *name = linked_name(service);
	json_t *role = sb_role_find(sb, account, name, false);

	if (role == NULL)
		role = linked_make(sb, account, service, name);
	return mem_strdup(sb_str(role, "Arn", ""));
}

int iam_create_service_linked_role(struct sb_call *c)
{
	const char *service = sb_str(c->in, "AWSServiceName", ""), *suffix = sb_str(c->in, "CustomSuffix", "");
	mem_auto_str char *stem = NULL, *name = NULL;
	json_t *role;

	if (!sb_like(service, "a-z0-9.-", 1, 128) || strstr(service, ".amazonaws.com") == NULL)
		return sb_fail(c, 404, "NoSuchEntity", "Service %s does not exist.", service);
	stem = linked_name(service);
	name = mem_printf("%s%s%s", stem, suffix[0] != '\0' ? "_" : "", suffix);
	if (sb_role_find(c->sb, c->account, name, false) != NULL)
		return sb_fail(c, 400, "InvalidInput",
			       "Service role name %s has been taken in this account, please try a different suffix.",
			       name);
	role = linked_make(c->sb, c->account, service, name);
	sb_copy(role, c->in, "Description");
	c->out = json_pack("{s:{}}", "Role");
	sb_copy(json_object_get(c->out, "Role"), role, "Path RoleName RoleId Arn Description");
	json_object_set_new(json_object_get(c->out, "Role"), "CreateDate", sb_time_json(c->now_ms));
	json_object_set_new(json_object_get(c->out, "Role"), "AssumeRolePolicyDocument",
			    iam_document(sb_str(role, "AssumeRolePolicyDocument", "")));
	return 0;
}

/* ---- deleting ---- */

/* The region where a service still uses its role, or NULL. */
static const char *used_in(struct sb_call *c, const char *service, const char *arn)
{
	const char *region, *name;
	json_t *services, *recorder;

	json_object_foreach(json_object_get(c->sb->state, c->account), region, services)
	{
		json_t *detectors = json_object_get(json_object_get(services, "guardduty"), "Detectors");
		json_t *recorders = json_object_get(json_object_get(services, "config"), "Recorders");

		if (strcmp(service, "guardduty.amazonaws.com") == 0 && json_object_size(detectors) > 0)
			return region;
		json_object_foreach(recorders, name,
				    recorder) if (strcmp(sb_str(recorder, "roleARN", ""), arn) == 0) return region;
	}
	return NULL;
}

int iam_delete_service_linked_role(struct sb_call *c)
{
	const char *name = sb_str(c->in, "RoleName", ""), *region;
	json_t *role = sb_role_find(c->sb, c->account, name, false), *task;
	mem_auto_str char *service = NULL, *id = NULL;
	const char *path = sb_str(role, "Path", "");
	char uuid[37];

	if (role == NULL)
		return sb_fail(c, 404, "NoSuchEntity", "The role with name %s cannot be found.", name);
	if (strncmp(path, "/aws-service-role/", 18) != 0)
		return sb_fail(c, 400, "InvalidInput", "%s is not a service-linked role.", name);
	service = mem_strndup(path + 18, strcspn(path + 18, "/"));
	region = used_in(c, service, sb_str(role, "Arn", ""));
	sb_uuid(uuid);
	id = mem_printf("task/aws-service-role/%s/%s/%s", service, name, uuid);
	task = json_pack("{s:s,s:I}", "Status", region == NULL ? "SUCCEEDED" : "FAILED", "DoneMs",
			 (json_int_t)(c->now_ms + c->sb->lag_ms));
	if (region != NULL)
		json_object_set_new(task, "Region", json_string(region));
	else
		json_object_del(json_object_get(c->state, "Roles"), name);
	json_object_set_new(sb_sub(c->state, "_Tasks"), id, task);
	c->out = json_pack("{s:s}", "DeletionTaskId", id);
	return 0;
}

int iam_get_service_linked_role_deletion_status(struct sb_call *c)
{
	json_t *task = json_object_get(sb_sub(c->state, "_Tasks"), sb_str(c->in, "DeletionTaskId", ""));
	bool done = sb_int(task, "DoneMs", 0) <= c->now_ms;

	if (task == NULL)
		return sb_fail(c, 404, "NoSuchEntity", "The deletion task cannot be found.");
	c->out = json_pack("{s:s}", "Status", done ? sb_str(task, "Status", "") : "IN_PROGRESS");
	if (done && json_object_get(task, "Region") != NULL)
		json_object_set_new(c->out, "Reason",
				    json_pack("{s:s,s:[{s:O}]}", "Reason",
					      "There are resources that use the service-linked role.", "RoleUsageList",
					      "Region", json_object_get(task, "Region")));
	return 0;
}
