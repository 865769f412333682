"""The cases of cli.py: `cli("create-topic", name="x")` is `aws SERVICE create-topic --name x`, SERVICE the function's.

Each function leaves nothing behind that another could trip over: names are its own, and what exists once in an account
and region (recorder, detector, hub) is made by one function only."""

import json
import os
import tempfile
import time
import zipfile

from cli import APP, SECURITY, used_operations

TAGS = [{"Key": "a", "Value": "b"}]
MORE = [{"Key": "c", "Value": "d"}]
USED = used_operations()


def statement(action, resource="*", **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}


def trust(service):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}


def chain(cli):
    """From the login account into the security account and on; gives the last session's keys."""
    assert cli("get-caller-identity")["Account"] == "999999999999"
    keys = None
    for account, name in ((SECURITY, "security-admin"), (APP, "from-security")):
        arn = f"arn:aws:iam::{account}:role/{name}"
        keys = cli("assume-role", keys=keys, role_arn=arn, role_session_name="cli", region="us-east-1")["Credentials"]
    return keys


def cli_sts(cli):
    cli.same(cli("get-caller-identity")["Arn"], f"arn:aws:sts::{APP}:assumed-role/from-security/cli", "who it is at the chain's end")
    cli.same(cli.program("get-caller-identity"), cli("get-caller-identity"), "the program `aws` says the same")
    web = cli("assume-role-with-web-identity", role_arn=f"arn:aws:iam::{APP}:role/ci", role_session_name="ci",
              web_identity_token="a.b.c")
    cli.same(cli("get-caller-identity", keys=web["Credentials"])["Account"], APP, "a web identity becomes a session")
    arn = cli("create-role", service="iam", role_name="cli-assumed", assume_role_policy_document={
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "sts:AssumeRole"}]})["Role"]["Arn"]
    cli.same(cli("assume-role", role_arn=arn, role_session_name="judge")["AssumedRoleUser"]["Arn"],
             f"arn:aws:sts::{APP}:assumed-role/cli-assumed/judge", "a role is assumed")
    cli.refused("AccessDenied", "assume-role", "a role that is not there", role_arn=arn + "x", role_session_name="judge")


def cli_s3(cli):
    b = {"bucket": "muster-cli-s3"}
    cli("create-bucket", **b, create_bucket_configuration={"LocationConstraint": "eu-west-1"}, object_lock_enabled_for_bucket=True)
    cli.refused("BucketAlreadyOwnedByYou", "create-bucket", "twice", **b, create_bucket_configuration={"LocationConstraint": "eu-west-1"})
    cli("put-bucket-versioning", **b, versioning_configuration={"Status": "Enabled"})
    cli.same(cli("get-bucket-versioning", **b)["Status"], "Enabled", "versioning")
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    cli("put-object-lock-configuration", **b, object_lock_configuration=lock)
    cli.same(cli("get-object-lock-configuration", **b)["ObjectLockConfiguration"], lock, "object lock")
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]}
    cli("put-bucket-encryption", **b, server_side_encryption_configuration=rules)
    got = cli("get-bucket-encryption", **b)["ServerSideEncryptionConfiguration"]["Rules"][0]
    cli.same(got["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms", "encryption")
    cli("delete-bucket-encryption", **b)
    cycle = {"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 400}}]}
    cli.refused("NoSuchLifecycleConfiguration", "get-bucket-lifecycle-configuration", "no rules yet", **b)
    cli("put-bucket-lifecycle-configuration", **b, lifecycle_configuration=cycle)
    cli.same(cli("get-bucket-lifecycle-configuration", **b)["Rules"], cycle["Rules"], "lifecycle")
    cli("delete-bucket-lifecycle", **b)
    cli.refused("NoSuchTagSet", "get-bucket-tagging", "no tags yet", **b)
    cli("put-bucket-tagging", **b, tagging={"TagSet": TAGS})
    cli.same(cli("get-bucket-tagging", **b)["TagSet"], TAGS, "tags")
    cli("delete-bucket-tagging", **b)
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": True}
    cli("put-public-access-block", **b, public_access_block_configuration=block)
    cli.same(cli("get-public-access-block", **b)["PublicAccessBlockConfiguration"], block, "public access block")
    cli("delete-public-access-block", **b)
    cli.refused("NoSuchPublicAccessBlockConfiguration", "get-public-access-block", "which is gone", **b)
    owned = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    cli("put-bucket-ownership-controls", **b, ownership_controls=owned)
    cli.same(cli("get-bucket-ownership-controls", **b)["OwnershipControls"], owned, "ownership")
    cli("delete-bucket-ownership-controls", **b)
    cli.refused("OwnershipControlsNotFoundError", "get-bucket-ownership-controls", "which is gone", **b)
    log = {"LoggingEnabled": {"TargetBucket": "muster-cli-access", "TargetPrefix": "l/"}}
    cli.refused("InvalidTargetBucketForLogging", "put-bucket-logging", "to no bucket", **b, bucket_logging_status=log)
    cli.bucket("muster-cli-access", ["logging.s3.amazonaws.com"])
    cli("put-bucket-logging", **b, bucket_logging_status=log)
    cli.same(cli("get-bucket-logging", **b)["LoggingEnabled"], log["LoggingEnabled"], "logging")
    policy = statement("s3:GetBucketAcl", "arn:aws:s3:::muster-cli-s3", Principal={"Service": "config.amazonaws.com"})
    cli.refused("NoSuchBucketPolicy", "get-bucket-policy", "no policy yet", **b)
    cli("put-bucket-policy", **b, policy=policy)
    cli.same(json.loads(cli("get-bucket-policy", **b)["Policy"]), policy, "policy")
    cli("delete-bucket-policy", **b)
    listed = cli.run(["s3", "ls", "--region", "eu-west-1", "--endpoint-url", cli.url])
    cli.ok("muster-cli-s3" in listed, "`aws s3 ls` shows it", listed)
    cli("delete-bucket", **b)
    cli.refused("NoSuchBucket", "get-bucket-policy", "which is gone", **b)


def cli_iam_policies(cli):
    def policies(n):
        return statement("sns:ListTopics" if n % 2 else "sns:GetTopicAttributes")
    arn = cli("create-policy", policy_name="cli", policy_document=policies(0), tags=TAGS)["Policy"]["Arn"]
    cli.refused("EntityAlreadyExists", "create-policy", "a policy twice", policy_name="cli", policy_document=policies(0))
    cli.refused("MalformedPolicyDocument", "create-policy", "no policy", policy_name="cli2", policy_document={"Statement": []})
    for n in range(1, 5):
        cli("create-policy-version", policy_arn=arn, policy_document=policies(n), set_as_default=n == 1)
    cli.refused("LimitExceeded", "create-policy-version", "a sixth version", policy_arn=arn, policy_document=policies(5))
    versions = cli.pages("list-policy-versions", "Versions", policy_arn=arn)
    cli.same({v["VersionId"]: v["IsDefaultVersion"] for v in versions},
             {"v1": False, "v2": True, "v3": False, "v4": False, "v5": False}, "versions of a policy")
    cli.same(cli("get-policy", policy_arn=arn)["Policy"]["DefaultVersionId"], "v2", "its default")
    cli.same(cli("get-policy-version", policy_arn=arn, version_id="v2")["PolicyVersion"]["Document"], policies(1), "its text")
    cli.refused("DeleteConflict", "delete-policy-version", "the default one", policy_arn=arn, version_id="v2")
    for n in (1, 3, 4, 5):
        cli("delete-policy-version", policy_arn=arn, version_id=f"v{n}")
    if ("iam", "TagPolicy") in USED:
        cli("tag-policy", policy_arn=arn, tags=MORE)
        cli("untag-policy", policy_arn=arn, tag_keys=["a"])
        cli.same(cli("list-policy-tags", policy_arn=arn)["Tags"], MORE, "its tags")
    return arn


def cli_iam(cli):
    name = {"role_name": "cli-role"}
    for role in ("cli-role", "cli-two", "cli-three"):
        cli("create-role", role_name=role, assume_role_policy_document=trust("lambda.amazonaws.com"), path="/cli/", tags=TAGS)
    cli.same(cli("get-role", **name)["Role"]["Path"], "/cli/", "a role's path")
    cli.refused("NoSuchEntity", "get-role", "no role", role_name="cli-none")
    cli.refused("EntityAlreadyExists", "create-role", "a role twice", **name, assume_role_policy_document=trust("x.amazonaws.com"))
    cli.same(len(cli.pages("list-roles", "Roles", path_prefix="/cli/")), 3, "roles under a path")
    cli("update-role", **name, description="d", max_session_duration=7200)
    cli("update-role-description", **name, description="e")
    cli("update-assume-role-policy", **name, policy_document=trust("config.amazonaws.com"))
    got = cli("get-role", **name)["Role"]
    cli.same((got["Description"], got["MaxSessionDuration"], got["AssumeRolePolicyDocument"]),
             ("e", 7200, trust("config.amazonaws.com")), "an updated role")
    cli("tag-role", **name, tags=MORE)
    cli("untag-role", **name, tag_keys=["a"])
    cli.same(cli("get-role", **name)["Role"]["Tags"], MORE, "tags of a role")
    for policy in ("p1", "p2", "p3"):
        cli("put-role-policy", **name, policy_name=policy, policy_document=statement("sns:ListTopics"))
    cli.same(cli.pages("list-role-policies", "PolicyNames", **name), ["p1", "p2", "p3"], "inline policies")
    cli.same(cli("get-role-policy", **name, policy_name="p1")["PolicyDocument"], statement("sns:ListTopics"), "one of them")
    cli.refused("NoSuchEntity", "get-role-policy", "none", **name, policy_name="none")
    arn = cli_iam_policies(cli)
    readonly = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    for role in ("cli-role", "cli-two"):
        cli("attach-role-policy", role_name=role, policy_arn=arn)
    cli("attach-role-policy", **name, policy_arn=readonly)
    cli.same({p["PolicyArn"] for p in cli.pages("list-attached-role-policies", "AttachedPolicies", **name)}, {arn, readonly}, "attached")
    cli.same({r["RoleName"] for r in cli.pages("list-entities-for-policy", "PolicyRoles", policy_arn=arn)}, {"cli-role", "cli-two"}, "to whom")
    cli.refused("DeleteConflict", "delete-policy", "an attached policy", policy_arn=arn)
    cli.refused("NoSuchEntity", "attach-role-policy", "no policy", **name, policy_arn=arn + "x")
    cli("put-role-permissions-boundary", **name, permissions_boundary=readonly)
    cli.same(cli("get-role", **name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"], readonly, "a boundary")
    cli("delete-role-permissions-boundary", **name)
    cli.refused("DeleteConflict", "delete-role", "a role with policies", **name)
    for policy in ("p1", "p2", "p3"):
        cli("delete-role-policy", **name, policy_name=policy)
    cli("detach-role-policy", **name, policy_arn=readonly)
    for role in ("cli-role", "cli-two"):
        cli("detach-role-policy", role_name=role, policy_arn=arn)
    cli("delete-policy", policy_arn=arn)
    cli.refused("NoSuchEntity", "get-policy", "a policy that is gone", policy_arn=arn)
    for role in ("cli-role", "cli-two", "cli-three"):
        cli("delete-role", role_name=role)
    linked = "AWSServiceRoleForConfig"
    cli("create-service-linked-role", aws_service_name="config.amazonaws.com")
    cli.refused("InvalidInput", "create-service-linked-role", "a service's role twice", aws_service_name="config.amazonaws.com")
    cli.refused("UnmodifiableEntity", "delete-role", "which is the service's", role_name=linked)
    task = cli("delete-service-linked-role", role_name=linked)["DeletionTaskId"]
    cli.ok(cli("get-service-linked-role-deletion-status", deletion_task_id=task)["Status"] in ("SUCCEEDED", "IN_PROGRESS"),
           "a service's role goes")
    if ("iam", "UpdateAccountPasswordPolicy") in USED:
        cli.refused("NoSuchEntity", "get-account-password-policy", "no password policy")
        cli("update-account-password-policy", minimum_password_length=14, require_symbols=True)
        cli.same(cli("get-account-password-policy")["PasswordPolicy"]["MinimumPasswordLength"], 14, "a password policy")
        cli("delete-account-password-policy")


def cli_cloudtrail(cli):
    cli.refused("S3BucketDoesNotExistException", "create-trail", "no bucket", name="cli", s3_bucket_name="muster-cli-none")
    cli.bucket("muster-cli-trail", ["cloudtrail.amazonaws.com"])
    arn = cli("create-trail", name="cli", s3_bucket_name="muster-cli-trail", enable_log_file_validation=True, tags_list=TAGS)["TrailARN"]
    cli.refused("TrailAlreadyExistsException", "create-trail", "twice", name="cli", s3_bucket_name="muster-cli-trail")
    cli.refused("TrailNotFoundException", "get-trail-status", "no trail", name="cli-none")
    cli.same(cli("describe-trails", trail_name_list=["cli"])["trailList"][0]["TrailARN"], arn, "the trail")
    cli("start-logging", name="cli")
    cli.same(cli("get-trail-status", name=arn)["IsLogging"], True, "logging")
    cli("stop-logging", name="cli")
    cli.same(cli("get-trail-status", name=arn)["IsLogging"], False, "stopped")
    cli.same(cli("update-trail", name="cli", is_multi_region_trail=True)["IsMultiRegionTrail"], True, "everywhere")
    cli("put-event-selectors", trail_name="cli", event_selectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}])
    cli.same(cli("get-event-selectors", trail_name="cli")["EventSelectors"][0]["ReadWriteType"], "WriteOnly", "selectors")
    cli.refused("InsightNotEnabledException", "get-insight-selectors", "no insights yet", trail_name="cli")
    cli("put-insight-selectors", trail_name="cli", insight_selectors=[{"InsightType": "ApiCallRateInsight"}])
    cli.same(cli("get-insight-selectors", trail_name="cli")["InsightSelectors"], [{"InsightType": "ApiCallRateInsight"}], "insights")
    cli("add-tags", resource_id=arn, tags_list=MORE)
    cli("remove-tags", resource_id=arn, tags_list=[{"Key": "a"}])
    # One resource's tags fit a page, and the answer says nothing of a page's size.
    cli.same(cli.pages("list-tags", "ResourceTagList", least=1, resource_id_list=[arn])[0]["TagsList"], MORE, "tags")
    cli("delete-trail", name="cli")
    cli.refused("TrailNotFoundException", "delete-trail", "which is gone", name="cli")


def cli_config_rules(cli):
    rule = {"ConfigRuleName": "cli-00", "Source": {"Owner": "AWS", "SourceIdentifier": "CLOUD_TRAIL_ENABLED"}}
    cli("put-config-rule", config_rule=rule, tags=TAGS)
    bulk = cli.client()
    for n in range(1, 27):
        bulk.put_config_rule(ConfigRule={**rule, "ConfigRuleName": f"cli-{n:02}"})
    cli.same(len(cli.pages("describe-config-rules", "ConfigRules")), 27, "rules, 25 a page")
    cli.refused("NoSuchConfigRuleException", "describe-config-rules", "no rule", config_rule_names=["none"])
    arn = cli("describe-config-rules", config_rule_names=["cli-00"])["ConfigRules"][0]["ConfigRuleArn"]
    cli("tag-resource", resource_arn=arn, tags=MORE + [{"Key": "e", "Value": "f"}])
    cli("untag-resource", resource_arn=arn, tag_keys=["a"])
    cli.same(cli.pages("list-tags-for-resource", "Tags", resource_arn=arn), MORE + [{"Key": "e", "Value": "f"}], "tags of a rule")
    cli.refused("ResourceNotFoundException", "list-tags-for-resource", "of none", resource_arn=arn + "x")
    for n in range(27):
        cli("delete-config-rule", config_rule_name=f"cli-{n:02}") if n < 2 else bulk.delete_config_rule(ConfigRuleName=f"cli-{n:02}")


def cli_config_aggregation(cli):
    for n in range(3):
        cli("put-aggregation-authorization", authorized_account_id=f"{n}" * 12, authorized_aws_region="eu-west-1")
    cli.same(len(cli.pages("describe-aggregation-authorizations", "AggregationAuthorizations")), 3, "authorizations")
    for n in range(3):
        cli("delete-aggregation-authorization", authorized_account_id=f"{n}" * 12, authorized_aws_region="eu-west-1")
    for n in range(3):
        cli("put-configuration-aggregator", configuration_aggregator_name=f"cli-{n}",
            account_aggregation_sources=[{"AccountIds": [SECURITY], "AllAwsRegions": True}], tags=TAGS)
    cli.same([a["ConfigurationAggregatorName"] for a in cli.pages("describe-configuration-aggregators", "ConfigurationAggregators")],
             ["cli-0", "cli-1", "cli-2"], "aggregators")
    cli.refused("NoSuchConfigurationAggregatorException", "describe-configuration-aggregators", "none", configuration_aggregator_names=["none"])
    for n in range(3):
        cli("delete-configuration-aggregator", configuration_aggregator_name=f"cli-{n}")


def cli_config(cli):
    role = cli.role("cli-config", "config.amazonaws.com")
    cli("attach-role-policy", service="iam", role_name="cli-config", policy_arn="arn:aws:iam::aws:policy/service-role/AWS_ConfigRole")
    cli.bucket("muster-cli-config", ["config.amazonaws.com"])
    channel = {"name": "default", "s3BucketName": "muster-cli-config"}
    cli.refused("NoAvailableConfigurationRecorderException", "put-delivery-channel", "recorder first", delivery_channel=channel)
    cli("put-configuration-recorder", configuration_recorder={"name": "default", "roleARN": role},
        recording_group={"allSupported": True, "includeGlobalResourceTypes": False})
    cli.same(cli("describe-configuration-recorders")["ConfigurationRecorders"][0]["roleARN"], role, "the recorder")
    cli.refused("NoSuchConfigurationRecorderException", "describe-configuration-recorders", "no recorder", configuration_recorder_names=["none"])
    cli.refused("NoAvailableDeliveryChannelException", "start-configuration-recorder", "channel first", configuration_recorder_name="default")
    cli("put-delivery-channel", delivery_channel=channel)
    cli.same(cli("describe-delivery-channels")["DeliveryChannels"], [channel], "the channel")
    cli("start-configuration-recorder", configuration_recorder_name="default")
    cli.same(cli("describe-configuration-recorder-status")["ConfigurationRecordersStatus"][0]["recording"], True, "it records")
    cli.refused("LastDeliveryChannelDeleteFailedException", "delete-delivery-channel", "while it records", delivery_channel_name="default")
    cli_config_rules(cli)
    cli_config_aggregation(cli)
    cli("stop-configuration-recorder", configuration_recorder_name="default")
    cli("delete-delivery-channel", delivery_channel_name="default")
    cli("delete-configuration-recorder", configuration_recorder_name="default")


def cli_guardduty(cli):
    made = cli("create-detector", enable=True, finding_publishing_frequency="ONE_HOUR", tags={"a": "b"},
               features=[{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}])["DetectorId"]
    d = {"detector_id": made}
    cli.refused("BadRequestException", "create-detector", "twice", enable=True)
    # There is one detector at most.
    cli.same(cli.pages("list-detectors", "DetectorIds", least=1), [made], "it is listed")
    cli("update-detector", **d, enable=False, finding_publishing_frequency="SIX_HOURS")
    got = cli("get-detector", **d)
    cli.same((got["Status"], got["FindingPublishingFrequency"]), ("DISABLED", "SIX_HOURS"), "an updated detector")
    cli("update-detector", **d, enable=True)
    arn = f"arn:aws:guardduty:eu-west-1:{APP}:detector/{made}"
    cli("tag-resource", resource_arn=arn, tags={"c": "d"})
    cli("untag-resource", resource_arn=arn, tag_keys=["a"])
    cli.same(cli("get-detector", **d)["Tags"], {"c": "d"}, "its tags")
    cli.refused("BadRequestException", "get-detector", "no detector", detector_id="0" * 32)
    cli_guardduty_export(cli, d)
    cli("delete-detector", **d)
    cli.same(cli("list-detectors")["DetectorIds"], [], "it is gone")


def cli_guardduty_export(cli, d):
    service = {"Service": "guardduty.amazonaws.com"}
    cli.bucket("muster-cli-findings", ["guardduty.amazonaws.com"])
    policy = statement("kms:GenerateDataKey*", Principal=service)
    policy["Statement"] += statement("kms:*", Principal={"AWS": f"arn:aws:iam::{APP}:root"})["Statement"]
    key = cli("create-key", service="kms", policy=policy)["KeyMetadata"]["Arn"]
    where = {"DestinationArn": "arn:aws:s3:::muster-cli-findings", "KmsKeyArn": key}
    made = cli("create-publishing-destination", **d, destination_type="S3", destination_properties=where)["DestinationId"]
    cli.same([x["DestinationId"] for x in cli("list-publishing-destinations", **d)["Destinations"]], [made], "a destination is listed")
    where["DestinationArn"] += "/prefix"
    cli("update-publishing-destination", **d, destination_id=made, destination_properties=where)
    cli.same(cli("describe-publishing-destination", **d, destination_id=made)["DestinationProperties"], where, "an updated destination")
    cli("delete-publishing-destination", **d, destination_id=made)
    cli.refused("BadRequestException", "describe-publishing-destination", "a destination that is gone", **d, destination_id=made)


def cli_events(cli):
    arn = cli("put-rule", name="cli-1", event_pattern={"source": ["aws.guardduty"]}, tags=TAGS)["RuleArn"]
    for n in (2, 3):
        cli("put-rule", name=f"cli-{n}", schedule_expression="rate(1 hour)", state="DISABLED")
    cli.refused("InvalidEventPatternException", "put-rule", "a bad pattern", name="bad", event_pattern={"a": 1})
    cli.same([r["Name"] for r in cli.pages("list-rules", "Rules", name_prefix="cli-")], ["cli-1", "cli-2", "cli-3"], "rules")
    bus = f"arn:aws:events:eu-west-1:{SECURITY}:event-bus/default"
    cli("put-targets", rule="cli-1", targets=[{"Id": str(n), "Arn": bus} for n in range(3)])
    cli.same(len(cli.pages("list-targets-by-rule", "Targets", rule="cli-1")), 3, "targets")
    cli.refused("ResourceNotFoundException", "list-targets-by-rule", "no rule", rule="cli-none")
    cli("tag-resource", resource_arn=arn, tags=MORE)
    cli("untag-resource", resource_arn=arn, tag_keys=["a"])
    cli.same(cli("list-tags-for-resource", resource_arn=arn)["Tags"], MORE, "tags of a rule")
    cli("remove-targets", rule="cli-1", ids=["0", "1", "2"])
    for n in (1, 2, 3):
        cli("delete-rule", name=f"cli-{n}")
    cli("create-event-bus", name="cli", description="d", tags=TAGS)
    cli.refused("ResourceAlreadyExistsException", "create-event-bus", "a bus twice", name="cli")
    cli("update-event-bus", name="cli", description="e")
    cli.same(cli("describe-event-bus", name="cli")["Description"], "e", "a bus")
    cli("put-permission", event_bus_name="cli", action="events:PutEvents", principal=SECURITY, statement_id="one")
    policy = json.loads(cli("describe-event-bus", name="cli")["Policy"])
    cli.same(policy["Statement"][0]["Sid"], "one", "its policy")
    cli("remove-permission", event_bus_name="cli", statement_id="one")
    cli.refused("ResourceNotFoundException", "remove-permission", "a statement that is gone", event_bus_name="cli", statement_id="one")
    cli("delete-event-bus", name="cli")
    cli.refused("ResourceNotFoundException", "describe-event-bus", "a bus that is gone", name="cli")


def cli_sns(cli):
    topic = cli("create-topic", name="cli", attributes={"DisplayName": "x"}, tags=TAGS)["TopicArn"]
    t = {"topic_arn": topic}
    cli.refused("NotFound", "get-topic-attributes", "no topic", topic_arn=topic + "x")
    cli.refused("InvalidParameter", "create-topic", "a bad name", name="a b")
    cli("set-topic-attributes", **t, attribute_name="DisplayName", attribute_value="y")
    cli.same(cli("get-topic-attributes", **t)["Attributes"]["DisplayName"], "y", "a topic")
    cli.same(cli.program("get-topic-attributes", **t), cli("get-topic-attributes", **t), "the program `aws` says the same")
    cli("tag-resource", resource_arn=topic, tags=MORE)
    cli("untag-resource", resource_arn=topic, tag_keys=["a"])
    cli.same(cli("list-tags-for-resource", resource_arn=topic)["Tags"], MORE, "tags of a topic")
    masking = {"Name": "p", "Version": "2021-06-01", "Statement": [{
        "Sid": "s", "DataDirection": "Inbound", "Principal": ["*"], "Operation": {"Deny": {}},
        "DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]}]}
    cli("put-data-protection-policy", resource_arn=topic, data_protection_policy=masking)
    cli.same(json.loads(cli("get-data-protection-policy", resource_arn=topic)["DataProtectionPolicy"]), masking, "data protection")
    function = f"arn:aws:lambda:eu-west-1:{APP}:function:cli-"
    arn = cli("subscribe", **t, protocol="lambda", notification_endpoint=function + "0")["SubscriptionArn"]
    bulk = cli.client()
    for n in range(1, 102):
        bulk.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=f"{function}{n}")
    cli.same(len(cli.pages("list-subscriptions-by-topic", "Subscriptions", **t)), 102, "subscriptions, 100 a page")
    cli.ok(len(cli.pages("list-subscriptions", "Subscriptions")) >= 102, "all of the account's")
    cli("set-subscription-attributes", subscription_arn=arn, attribute_name="RawMessageDelivery", attribute_value="false")
    cli.same(cli("get-subscription-attributes", subscription_arn=arn)["Attributes"]["Endpoint"], function + "0", "a subscription")
    cli("unsubscribe", subscription_arn=arn)
    cli.refused("NotFound", "get-subscription-attributes", "which is gone", subscription_arn=arn)
    cli("delete-topic", **t)


def cli_kms(cli):
    keys = [cli("create-key", description=f"cli {n}", tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"] for n in range(3)]
    key = {"key_id": keys[0]["KeyId"]}
    listed = {k["KeyId"] for k in cli.pages("list-keys", "Keys")}
    cli.ok({k["KeyId"] for k in keys} <= listed, "keys are listed", listed)
    cli.refused("NotFoundException", "describe-key", "no key", key_id="00000000-0000-0000-0000-000000000000")
    cli("update-key-description", **key, description="x")
    cli("disable-key", **key)
    got = cli("describe-key", **key)["KeyMetadata"]
    cli.same((got["Description"], got["KeyState"], got["Enabled"]), ("x", "Disabled", False), "a key")
    cli("enable-key", **key)
    cli("enable-key-rotation", **key)
    cli.same(cli("get-key-rotation-status", **key)["KeyRotationEnabled"], True, "it rotates")
    cli("disable-key-rotation", **key)
    policy = statement("kms:*", Principal={"AWS": f"arn:aws:iam::{APP}:root"}, Sid="all")
    cli("put-key-policy", **key, policy_name="default", policy=policy)
    cli.same(json.loads(cli("get-key-policy", **key, policy_name="default")["Policy"]), policy, "its policy")
    cli.refused("MalformedPolicyDocumentException", "put-key-policy", "no policy", **key, policy_name="default", policy={"Statement": []})
    cli("tag-resource", **key, tags=[{"TagKey": "c", "TagValue": "d"}, {"TagKey": "e", "TagValue": "f"}])
    cli("untag-resource", **key, tag_keys=["a"])
    cli.same({t["TagKey"] for t in cli.pages("list-resource-tags", "Tags", **key)}, {"c", "e"}, "its tags")
    for n in range(3):
        cli("create-alias", alias_name=f"alias/cli-{n}", target_key_id=keys[0]["KeyId"])
    cli.refused("AlreadyExistsException", "create-alias", "an alias twice", alias_name="alias/cli-0", target_key_id=keys[0]["KeyId"])
    cli("update-alias", alias_name="alias/cli-1", target_key_id=keys[1]["KeyId"])
    aliases = {a["AliasName"]: a.get("TargetKeyId") for a in cli.pages("list-aliases", "Aliases")}
    cli.same((aliases["alias/cli-0"], aliases["alias/cli-1"]), (keys[0]["KeyId"], keys[1]["KeyId"]), "aliases")
    for n in range(3):
        cli("delete-alias", alias_name=f"alias/cli-{n}")
    cli.refused("NotFoundException", "delete-alias", "an alias that is gone", alias_name="alias/cli-0")
    for made in keys:
        cli("schedule-key-deletion", key_id=made["KeyId"], pending_window_in_days=7)
    cli.same(cli("describe-key", **key)["KeyMetadata"]["KeyState"], "PendingDeletion", "it goes")
    cli.refused("KMSInvalidStateException", "enable-key", "and is not to be used", **key)


def function_zip(folder, text):
    path = os.path.join(folder, "function.zip")
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("index.py", text)
    return "fileb://" + path


def settled(cli, f):
    """Waits with the CLI's own waiter."""
    cli.run(cli.words("wait") + ["function-updated-v2", "--function-name", f["function_name"]])


def cli_lambda(cli):
    role = cli.role("cli-lambda", "lambda.amazonaws.com")
    f = {"function_name": "cli"}
    with tempfile.TemporaryDirectory() as folder:
        code = function_zip(folder, "def handler(event, context):\n    return 1\n")
        arn = create_function(cli, f, role, code)
        cli.run(cli.words("wait") + ["function-active-v2", "--function-name", "cli"])
        cli.refused("ResourceConflictException", "create-function", "twice", **f, role=role, runtime="python3.12",
                    handler="index.handler", zip_file=code)
        before = cli("get-function-configuration", **f)["CodeSha256"]
        cli("update-function-code", **f, zip_file=function_zip(folder, "def handler(event, context):\n    return 2\n"))
        settled(cli, f)
        cli.ok(cli("get-function-configuration", **f)["CodeSha256"] != before, "other code")
    cli.refused("ResourceNotFoundException", "get-function", "no function", function_name="cli-none")
    cli("update-function-configuration", **f, timeout=9, memory_size=256, environment={"Variables": {"MODE": "2"}})
    settled(cli, f)
    got = cli("get-function", **f)
    cli.same((got["Configuration"]["Timeout"], got["Configuration"]["Environment"]["Variables"], got["Tags"]),
             (9, {"MODE": "2"}, {"a": "b"}), "a function")
    cli("put-function-concurrency", **f, reserved_concurrent_executions=2)
    cli.same(cli("get-function", **f)["Concurrency"]["ReservedConcurrentExecutions"], 2, "its concurrency")
    cli("delete-function-concurrency", **f)
    cli("tag-resource", resource=arn, tags={"c": "d"})
    cli("untag-resource", resource=arn, tag_keys=["a"])
    cli.same(cli("get-function", **f)["Tags"], {"c": "d"}, "its tags")
    cli.refused("ResourceNotFoundException", "get-policy", "no policy yet", **f)
    topic = f"arn:aws:sns:eu-west-1:{SECURITY}:cli"
    allow = {"statement_id": "sns", "action": "lambda:InvokeFunction", "principal": "sns.amazonaws.com", "source_arn": topic}
    cli("add-permission", **f, **allow)
    cli.refused("ResourceConflictException", "add-permission", "a statement twice", **f, **allow)
    cli.same(json.loads(cli("get-policy", **f)["Policy"])["Statement"][0]["Principal"], {"Service": "sns.amazonaws.com"}, "its policy")
    cli("remove-permission", **f, statement_id="sns")
    cli("delete-function", **f)
    cli.refused("ResourceNotFoundException", "get-function-configuration", "which is gone", **f)


def create_function(cli, f, role, code):
    """A role that was just made is not yet assumable: callers try again."""
    from cli import Refused
    for _ in range(20):
        try:
            return cli("create-function", **f, role=role, runtime="python3.12", handler="index.handler", zip_file=code,
                       environment={"Variables": {"MODE": "1"}}, tags={"a": "b"})["FunctionArn"]
        except Refused as refused:
            if refused.code != "InvalidParameterValueException":
                raise
            time.sleep(0.2)
    raise RuntimeError("the function's role does not become assumable")


def cli_logs(cli):
    for n in range(3):
        cli("create-log-group", log_group_name=f"/cli/{n}", tags={"a": "b"})
    g = {"log_group_name": "/cli/0"}
    cli.refused("ResourceAlreadyExistsException", "create-log-group", "twice", **g)
    cli("put-retention-policy", **g, retention_in_days=30)
    groups = cli.pages("describe-log-groups", "logGroups", log_group_name_prefix="/cli/")
    cli.same([(x["logGroupName"], x.get("retentionInDays")) for x in groups],
             [("/cli/0", 30), ("/cli/1", None), ("/cli/2", None)], "log groups")
    cli.refused("InvalidParameterException", "put-retention-policy", "29 days", **g, retention_in_days=29)
    cli("delete-retention-policy", **g)
    arn = f"arn:aws:logs:eu-west-1:{APP}:log-group:/cli/0"
    cli("tag-resource", resource_arn=arn, tags={"c": "d"})
    cli("untag-resource", resource_arn=arn, tag_keys=["a"])
    cli.same(cli("list-tags-for-resource", resource_arn=arn)["tags"], {"c": "d"}, "tags")
    policy = statement(["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                       Principal={"Service": "logs.eu-west-1.amazonaws.com"})
    policy["Statement"] += statement("kms:*", Principal={"AWS": f"arn:aws:iam::{APP}:root"})["Statement"]
    key = cli("create-key", service="kms", policy=policy)["KeyMetadata"]["Arn"]
    cli("associate-kms-key", **g, kms_key_id=key)
    cli.same(cli("describe-log-groups", log_group_name_prefix="/cli/0")["logGroups"][0]["kmsKeyId"], key, "its key")
    cli("disassociate-kms-key", **g)
    for n in range(3):
        cli("delete-log-group", log_group_name=f"/cli/{n}")
    cli.refused("ResourceNotFoundException", "delete-log-group", "which is gone", **g)


def cli_sqs(cli):
    url = cli("create-queue", queue_name="cli", attributes={"VisibilityTimeout": "60"}, tags={"a": "b"})["QueueUrl"]
    q = {"queue_url": url}
    cli.same(cli("get-queue-url", queue_name="cli")["QueueUrl"], url, "its URL")
    cli.refused("AWS.SimpleQueueService.NonExistentQueue", "get-queue-url", "no queue", queue_name="cli-none")
    cli("set-queue-attributes", **q, attributes={"VisibilityTimeout": "90"})
    got = cli("get-queue-attributes", **q, attribute_names=["All"])["Attributes"]
    cli.same((got["VisibilityTimeout"], got["QueueArn"]), ("90", f"arn:aws:sqs:eu-west-1:{APP}:cli"), "a queue")
    cli("tag-queue", **q, tags={"c": "d"})
    cli("untag-queue", **q, tag_keys=["a"])
    cli.same(cli("list-queue-tags", **q)["Tags"], {"c": "d"}, "tags")
    cli("delete-queue", **q)


def cli_ssm(cli):
    name = {"name": "/cli/x"}
    cli.refused("ParameterNotFound", "get-parameter", "no parameter", **name)
    cli("put-parameter", **name, value="1", type="String", tags=TAGS)
    cli.refused("ParameterAlreadyExists", "put-parameter", "twice", **name, value="2", type="String")
    cli.same(cli("put-parameter", **name, value="2", type="String", overwrite=True)["Version"], 2, "over it")
    cli.same(cli("get-parameter", **name)["Parameter"]["Value"], "2", "its value")
    cli("add-tags-to-resource", resource_type="Parameter", resource_id="/cli/x", tags=MORE)
    cli("remove-tags-from-resource", resource_type="Parameter", resource_id="/cli/x", tag_keys=["a"])
    cli.same(cli("list-tags-for-resource", resource_type="Parameter", resource_id="/cli/x")["TagList"], MORE, "tags")
    if ("ssm", "DescribeParameters") in USED:
        cli("put-parameter", name="/cli/y", value="1", type="String")
        cli.same(len(cli.pages("describe-parameters", "Parameters")), 2, "parameters")
        cli("delete-parameter", name="/cli/y")
    cli("delete-parameter", **name)


def cli_cloudwatch(cli):
    for n in range(3):
        cli("put-metric-alarm", alarm_name=f"cli-{n}", namespace="AWS/Lambda", metric_name="Errors", statistic="Sum",
            period=60, evaluation_periods=1, threshold=1, comparison_operator="GreaterThanOrEqualToThreshold", tags=TAGS)
    alarms = cli.pages("describe-alarms", "MetricAlarms", alarm_name_prefix="cli-")
    cli.same([a["AlarmName"] for a in alarms], ["cli-0", "cli-1", "cli-2"], "alarms")
    arn = alarms[0]["AlarmArn"]
    cli("tag-resource", resource_arn=arn, tags=MORE)
    cli("untag-resource", resource_arn=arn, tag_keys=["a"])
    cli.same(cli("list-tags-for-resource", resource_arn=arn)["Tags"], MORE, "tags")
    cli("delete-alarms", alarm_names=["cli-0", "cli-1", "cli-2"])
    cli.refused("ResourceNotFoundException", "list-tags-for-resource", "which is gone", resource_arn=arn)


def cli_ec2(cli):
    cli.same(cli("describe-regions", region_names=["eu-west-1"])["Regions"][0]["OptInStatus"], "opt-in-not-required", "a region")
    groups = [cli("create-security-group", group_name=f"cli-{n}", description="d",
                  tag_specifications=[{"ResourceType": "security-group", "Tags": TAGS}])["GroupId"] for n in range(7)]
    group = groups[0]
    g = {"group_id": group}
    cli.refused("InvalidGroup.Duplicate", "create-security-group", "twice", group_name="cli-0", description="d")
    # Pages of security groups have five elements at least.
    cli.same({x["GroupId"] for x in cli.pages("describe-security-groups", "SecurityGroups", limit=5, filters=[
        {"Name": "group-name", "Values": ["cli-*"]}])}, set(groups), "security groups")
    https = [{"IpProtocol": "tcp", "FromPort": n, "ToPort": n, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "in"}]}
             for n in range(440, 447)]
    cli("authorize-security-group-ingress", **g, ip_permissions=https)
    cli.refused("InvalidPermission.Duplicate", "authorize-security-group-ingress", "a rule twice", **g, ip_permissions=https)
    cli("authorize-security-group-egress", **g, ip_permissions=https[:1])
    rules = cli.pages("describe-security-group-rules", "SecurityGroupRules", limit=5, filters=[{"Name": "group-id", "Values": [group]}])
    cli.same(sorted(r["FromPort"] for r in rules if not r["IsEgress"]), list(range(440, 447)), "rules")
    one = next(r["SecurityGroupRuleId"] for r in rules if not r["IsEgress"])
    cli("revoke-security-group-ingress", **g, security_group_rule_ids=[one])
    cli("revoke-security-group-egress", **g, ip_permissions=https[:1])
    cli("create-tags", resources=[group], tags=MORE)
    cli("delete-tags", resources=[group], tags=[{"Key": "a"}])
    cli.same(cli("describe-security-groups", group_ids=[group])["SecurityGroups"][0]["Tags"], MORE, "tags")
    for made in groups:
        cli("delete-security-group", group_id=made)
    cli.refused("InvalidGroup.NotFound", "describe-security-groups", "which is gone", group_ids=[group])


def cli_securityhub(cli):
    cli.refused("InvalidAccessException", "describe-hub", "not enabled")
    cli("enable-security-hub", enable_default_standards=False, tags={"a": "b"})
    cli.refused("ResourceConflictException", "enable-security-hub", "twice")
    arn = cli("describe-hub")["HubArn"]
    cli("update-security-hub-configuration", auto_enable_controls=False)
    cli.same(cli("describe-hub")["AutoEnableControls"], False, "its settings")
    cli("tag-resource", resource_arn=arn, tags={"c": "d"})
    cli("untag-resource", resource_arn=arn, tag_keys=["a"])
    cli.same(cli("list-tags-for-resource", resource_arn=arn)["Tags"], {"c": "d"}, "tags")
    cli("disable-security-hub")


def cli_accessanalyzer(cli):
    arn = cli("create-analyzer", analyzer_name="cli", type="ACCOUNT", tags={"a": "b"})["arn"]
    cli.refused("ConflictException", "create-analyzer", "twice", analyzer_name="cli", type="ACCOUNT")
    cli.same(cli("get-analyzer", analyzer_name="cli")["analyzer"]["arn"], arn, "an analyzer")
    cli("tag-resource", resource_arn=arn, tags={"c": "d"})
    cli("untag-resource", resource_arn=arn, tag_keys=["a"])
    cli.same(cli("get-analyzer", analyzer_name="cli")["analyzer"]["tags"], {"c": "d"}, "tags")
    cli("delete-analyzer", analyzer_name="cli")
    cli.refused("ResourceNotFoundException", "get-analyzer", "which is gone", analyzer_name="cli")
    if ("accessanalyzer", "UpdateAnalyzer") in USED:
        unused = {"unusedAccess": {"unusedAccessAge": 90}}
        cli("create-analyzer", analyzer_name="cli-unused", type="ACCOUNT_UNUSED_ACCESS", configuration=unused)
        unused = {"unusedAccess": {"unusedAccessAge": 90, "analysisRule": {"exclusions": [{"accountIds": [SECURITY]}]}}}
        cli("update-analyzer", analyzer_name="cli-unused", configuration=unused)
        cli("delete-analyzer", analyzer_name="cli-unused")
