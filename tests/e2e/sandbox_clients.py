"""What sandbox_clients.t runs: boto3 and the AWS CLI against a running sandbox. Prints TAP."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox_clients_lib import (APP, SECURITY, TEST, URL, assume, client, control, finish, ok, refused, role, same)
from sandbox_clients_services import *

security = assume(role(SECURITY, "security-admin"))
app = assume(role(APP, "from-security"), security)


def test_sts():
    same(client("sts").get_caller_identity()["Arn"], "arn:aws:iam::999999999999:user/jump", "the login key works")
    same(client("sts", keys=app).get_caller_identity()["Arn"], f"arn:aws:sts::{APP}:assumed-role/from-security/test",
         "a chain of roles ends in the target account")
    refused("AccessDenied", lambda: assume(role(APP, "from-security")), "a role that does not trust the caller refuses")
    refused("AccessDenied", lambda: assume(role(APP, "nothing"), security), "so does a role that does not exist")
    refused("ValidationError", lambda: assume(role(APP, "from-security"), security, DurationSeconds=7200),
            "a chained session is at most an hour")
    readonly = assume(role(SECURITY, "security-readonly"))
    refused("AccessDenied", lambda: assume(role(APP, "from-security"), readonly), "reading does not lead to writing")
    reader = assume(role(APP, "from-security-readonly"), readonly)
    same(client("sns", keys=reader).list_topics()["Topics"], [], "a readonly role reads")
    refused("AuthorizationError", lambda: client("sns", keys=reader).create_topic(Name="x"), "and does not write")
    denied = assume(role(APP, "no-sns"), security)
    refused("AuthorizationError", lambda: client("sns", keys=denied).list_topics(), "a role's Deny holds")
    web = boto3.client("sts", region_name="us-east-1", endpoint_url=URL, config=Config(signature_version=UNSIGNED))
    got = web.assume_role_with_web_identity(RoleArn=role(APP, "ci"), RoleSessionName="ci", WebIdentityToken="a.b.c")
    keys = got["Credentials"]
    same(client("sts", keys=(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]))
         .get_caller_identity()["Account"], APP, "a web identity becomes a session")


def test_signatures():
    wrong = ("AKIASANDBOX", "another-secret", None)
    refused("SignatureDoesNotMatch", lambda: client("sts", keys=wrong).get_caller_identity(), "query: wrong secret")
    refused("InvalidSignatureException", lambda: client("events", keys=wrong).list_rules(), "json: wrong secret")
    refused("InvalidSignatureException", lambda: client("guardduty", keys=wrong).list_detectors(), "rest-json: wrong secret")
    refused("AuthFailure", lambda: client("ec2", keys=wrong).describe_regions(), "ec2: wrong secret")
    refused("SignatureDoesNotMatch", lambda: client("s3", keys=wrong).list_buckets(), "s3: wrong secret")
    unknown = ("AKIANOBODY", "x", None)
    refused("InvalidClientTokenId", lambda: client("sts", keys=unknown).get_caller_identity(), "query: unknown key")
    refused("UnrecognizedClientException", lambda: client("events", keys=unknown).list_rules(), "json: unknown key")
    refused("InvalidAccessKeyId", lambda: client("s3", keys=unknown).list_buckets(), "s3: unknown key")
    refused("InvalidClientTokenId", lambda: client("sts", keys=(app[0], app[1], "x")).get_caller_identity(),
            "a wrong session token")
    refused("UnrecognizedClientException", lambda: client("events", "ap-southeast-3", app).list_rules(),
            "a region that is not enabled")
    tampered = client("sns", keys=app)
    tampered.meta.events.register("before-send.sns.*", lambda request, **_: setattr(
        request, "body", str(request.body).replace("original", "tampered")))
    refused("SignatureDoesNotMatch", lambda: tampered.create_topic(Name="original"), "a body changed after signing")
    try:
        urllib.request.urlopen(urllib.request.Request(URL + "/", data=b"Action=GetCallerIdentity&Version=2011-06-15"))
        ok(False, "an unsigned request is refused")
    except urllib.error.HTTPError as error:
        ok(b"MissingAuthenticationToken" in error.read(), "an unsigned request is refused")
    control("config", {"SessionSeconds": 1})
    short = assume(role(APP, "from-security"), security)
    control("config", {"SessionSeconds": 0})
    time.sleep(1.2)
    refused("ExpiredToken", lambda: client("sts", keys=short).get_caller_identity(), "query: expired session")
    refused("ExpiredTokenException", lambda: client("events", keys=short).list_rules(), "json: expired session")


def test_ec2():
    def names(account_keys, **more):
        return {r["RegionName"]: r["OptInStatus"] for r in client("ec2", keys=account_keys).describe_regions(**more)["Regions"]}
    test = assume(role(TEST, "from-security"), security)
    same(len(names(app)), 18, "17 regions and the opted-in one")
    same(names(app, AllRegions=True)["me-south-1"], "not-opted-in", "AllRegions shows the others")
    ok("ap-east-1" not in names(test) and names(test)["me-south-1"] == "opted-in", "accounts differ in their regions")
    refused("InvalidParameterValue", lambda: names(app, RegionNames=["xx-nowhere-1"]), "a region that is not")
    same(list(names(app, RegionNames=["eu-west-1"])), ["eu-west-1"], "only the regions asked for")


def s3_error_cases(s3, other):
    refused("BucketAlreadyOwnedByYou", lambda: s3.create_bucket(
        Bucket="muster-logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}), "a bucket that is mine")
    refused("BucketAlreadyExists", lambda: other.create_bucket(
        Bucket="muster-logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}), "a bucket that is another's")
    refused("IllegalLocationConstraintException", lambda: s3.create_bucket(Bucket="muster-two"), "no location")
    refused("InvalidBucketName", lambda: s3.create_bucket(
        Bucket="No_Good", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}), "a name that is not allowed")
    refused("403", lambda: other.head_bucket(Bucket="muster-logs"), "another's bucket")
    refused("404", lambda: s3.head_bucket(Bucket="muster-none"), "no bucket")
    refused("AccessDenied", lambda: s3.get_bucket_versioning(Bucket="muster-logs", ExpectedBucketOwner=APP),
            "the expected owner is checked")
    refused("NoSuchBucketPolicy", lambda: s3.get_bucket_policy(Bucket="muster-logs"), "no policy yet")
    refused("MalformedPolicy", lambda: s3.put_bucket_policy(Bucket="muster-logs", Policy="{}"), "a policy without statements")
    refused("NoSuchLifecycleConfiguration", lambda: s3.get_bucket_lifecycle_configuration(Bucket="muster-logs"), "no lifecycle")
    refused("NoSuchTagSet", lambda: s3.get_bucket_tagging(Bucket="muster-logs"), "no tags")
    refused("ObjectLockConfigurationNotFoundError", lambda: s3.get_object_lock_configuration(Bucket="muster-logs"), "no lock")
    refused("NoSuchCORSConfiguration", lambda: s3.get_bucket_cors(Bucket="muster-logs"), "no CORS")
    refused("NoSuchWebsiteConfiguration", lambda: s3.get_bucket_website(Bucket="muster-logs"), "no website")
    refused("ReplicationConfigurationNotFoundError", lambda: s3.get_bucket_replication(Bucket="muster-logs"), "no replication")
    everyone = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                                                       "Resource": "arn:aws:s3:::muster-logs/*"}]}
    refused("AccessDenied", lambda: s3.put_bucket_policy(Bucket="muster-logs", Policy=json.dumps(everyone)),
            "a public policy is blocked")
    ghost = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": role(APP, "ghost")},
                                                    "Action": "s3:GetObject", "Resource": "arn:aws:s3:::muster-logs/*"}]}
    refused("MalformedPolicy", lambda: s3.put_bucket_policy(Bucket="muster-logs", Policy=json.dumps(ghost)),
            "a principal that does not exist")


def test_s3():
    s3, other = client("s3", "eu-west-1", security), client("s3", "eu-west-1", app)
    s3.create_bucket(Bucket="muster-logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    same(s3.head_bucket(Bucket="muster-logs")["BucketRegion"], "eu-west-1", "a new bucket is there")
    s3_error_cases(s3, other)
    b = {"Bucket": "muster-logs"}
    same(s3.get_bucket_location(**b)["LocationConstraint"], "eu-west-1", "its location")
    refused("AuthorizationHeaderMalformed", raw_wrong_region, "a signature for the wrong region")
    same(s3.get_public_access_block(**b)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"], True, "public access is blocked")
    same(s3.get_bucket_ownership_controls(**b)["OwnershipControls"]["Rules"], [{"ObjectOwnership": "BucketOwnerEnforced"}], "ownership")
    same(s3.get_bucket_encryption(**b)["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"],
         {"SSEAlgorithm": "AES256"}, "encryption by default")
    s3.put_bucket_versioning(**b, VersioningConfiguration={"Status": "Enabled"})
    same(s3.get_bucket_versioning(**b)["Status"], "Enabled", "versioning")
    s3.put_object_lock_configuration(**b, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    same(s3.get_object_lock_configuration(**b)["ObjectLockConfiguration"]["ObjectLockEnabled"], "Enabled", "object lock")
    s3.put_bucket_encryption(**b, ServerSideEncryptionConfiguration={"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]})
    s3.delete_bucket_encryption(**b)
    s3.put_bucket_lifecycle_configuration(**b, LifecycleConfiguration={"Rules": [
        {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 400}},
        {"ID": "b", "Status": "Disabled", "Filter": {"Prefix": "x/"}, "NoncurrentVersionExpiration": {"NoncurrentDays": 3}}]})
    same([r["ID"] for r in s3.get_bucket_lifecycle_configuration(**b)["Rules"]], ["a", "b"], "lifecycle rules come back")
    s3.delete_bucket_lifecycle(**b)
    s3.put_bucket_tagging(**b, Tagging={"TagSet": [{"Key": "k", "Value": "v <&>"}]})
    same(s3.get_bucket_tagging(**b)["TagSet"], [{"Key": "k", "Value": "v <&>"}], "tags")
    s3.delete_bucket_tagging(**b)
    s3.put_public_access_block(**b, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    s3.delete_public_access_block(**b)
    s3.put_bucket_ownership_controls(**b, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.delete_bucket_ownership_controls(**b)
    s3.put_bucket_logging(**b, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "muster-logs", "TargetPrefix": "l/"}})
    same(s3.get_bucket_logging(**b)["LoggingEnabled"]["TargetPrefix"], "l/", "access logging")
    s3.put_bucket_cors(**b, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]})
    s3.delete_bucket_cors(**b)
    s3.put_bucket_notification_configuration(**b, NotificationConfiguration={})
    s3.get_bucket_notification_configuration(**b)
    s3.get_bucket_accelerate_configuration(**b)
    same(s3.get_bucket_request_payment(**b)["Payer"], "BucketOwner", "who pays")
    same(s3.get_bucket_acl(**b)["Grants"][0]["Permission"], "FULL_CONTROL", "the owner's grant")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"},
                                                     "Action": "s3:GetBucketAcl", "Resource": "arn:aws:s3:::muster-logs"}]}
    s3.put_bucket_policy(**b, Policy=json.dumps(policy))
    same(json.loads(s3.get_bucket_policy(**b)["Policy"]), policy, "the policy comes back")
    same(s3.get_bucket_policy_status(**b)["PolicyStatus"]["IsPublic"], False, "which is not public")
    s3.delete_bucket_policy(**b)
    for key in ("a b/ü+c", "plain", "x/1", "x/2"):
        s3.put_object(**b, Key=key, Body=b"hello " + key.encode())
    same(s3.get_object(**b, Key="a b/ü+c")["Body"].read(), "hello a b/ü+c".encode(), "objects with odd names")
    same(s3.head_object(**b, Key="plain")["ContentLength"], 11, "an object's size")
    pages = list(s3.get_paginator("list_objects_v2").paginate(**b, PaginationConfig={"PageSize": 1}))
    same([k["Key"] for p in pages for k in p.get("Contents", [])], ["a b/ü+c", "plain", "x/1", "x/2"], "objects in pages")
    refused("BucketNotEmpty", lambda: s3.delete_bucket(**b), "a bucket with objects stays")
    for key in ("a b/ü+c", "plain", "x/1", "x/2"):
        s3.delete_object(**b, Key=key)
    client("s3", "us-east-1", security).create_bucket(Bucket="muster-classic")
    ok(client("s3", "us-east-1", security).create_bucket(Bucket="muster-classic"), "us-east-1 lets one create again")
    same([x["Name"] for p in s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1})
          for x in p["Buckets"]], ["muster-classic", "muster-logs"], "buckets in pages")
    s3.delete_bucket(**b)


def raw_wrong_region():
    """boto3 mends a wrong region by itself, so the first answer is looked at."""
    s3 = client("s3", "us-east-1", security)
    seen = []
    s3.meta.events.register_first("needs-retry.s3", lambda response, **_: seen.append(response[1]) if response else None)
    s3.get_bucket_acl(Bucket="muster-logs")
    raise ClientError(seen[0], "GetBucketAcl")


def test_iam():
    iam = client("iam", keys=app)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "sts:AssumeRole"}]}
    for name in ("made", "made-2", "made-3"):
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=[{"Key": "a", "Value": "b"}],
                               MaxSessionDuration=3600)["Role"]
    ok(made["RoleId"].startswith("AROA") and made["AssumeRolePolicyDocument"] == trust, "a role is made")
    refused("EntityAlreadyExists", lambda: iam.create_role(RoleName="made", AssumeRolePolicyDocument=json.dumps(trust)), "once")
    refused("MalformedPolicyDocument", lambda: iam.create_role(RoleName="bad", AssumeRolePolicyDocument="{"), "with JSON")
    refused("NoSuchEntity", lambda: iam.get_role(RoleName="none"), "no such role")
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2}))
    ok(len(pages) > 2 and all(len(p["Roles"]) <= 2 for p in pages), "roles in pages")
    iam.update_role(RoleName="made", Description="d", MaxSessionDuration=7200)
    iam.update_role_description(RoleName="made", Description="e")
    iam.update_assume_role_policy(RoleName="made", PolicyDocument=json.dumps(trust))
    iam.tag_role(RoleName="made", Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_role(RoleName="made", TagKeys=["a"])
    same(iam.list_role_tags(RoleName="made")["Tags"], [{"Key": "c", "Value": "d"}], "tags of a role")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}]}
    iam.put_role_policy(RoleName="made", PolicyName="p", PolicyDocument=json.dumps(allow))
    same(iam.get_role_policy(RoleName="made", PolicyName="p")["PolicyDocument"], allow, "its policy comes back")
    same(iam.list_role_policies(RoleName="made")["PolicyNames"], ["p"], "and is listed")
    refused("MalformedPolicyDocument", lambda: iam.put_role_policy(RoleName="made", PolicyName="q", PolicyDocument="{}"), "a bad one")
    keys = assume(role(APP, "made"), app)
    ok("Topics" in client("sns", keys=keys).list_topics(), "a role that was made can be assumed and does what it may")
    refused("AuthorizationError", lambda: client("sns", keys=keys).create_topic(Name="no"), "and nothing else")
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam.attach_role_policy(RoleName="made", PolicyArn=arn)
    same(iam.list_attached_role_policies(RoleName="made")["AttachedPolicies"][0]["PolicyArn"], arn, "an attached policy")
    refused("NoSuchEntity", lambda: iam.attach_role_policy(RoleName="made", PolicyArn=f"arn:aws:iam::{APP}:policy/none"), "which must exist")
    iam.put_role_permissions_boundary(RoleName="made", PermissionsBoundary=arn)
    same(iam.get_role(RoleName="made")["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"], arn, "a boundary")
    iam.delete_role_permissions_boundary(RoleName="made")
    same(iam.list_instance_profiles_for_role(RoleName="made")["InstanceProfiles"], [], "no instance profiles")
    same(iam.list_account_aliases()["AccountAliases"], [], "no aliases")
    refused("DeleteConflict", lambda: iam.delete_role(RoleName="made"), "a role with policies stays")
    iam.detach_role_policy(RoleName="made", PolicyArn=arn)
    iam.delete_role_policy(RoleName="made", PolicyName="p")
    for name in ("made", "made-2", "made-3"):
        iam.delete_role(RoleName=name)
    iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    refused("InvalidInput", lambda: iam.create_service_linked_role(AWSServiceName="config.amazonaws.com"), "a service's role is made once")


def test_cloudtrail():
    s3, trail = client("s3", "eu-west-1", security), client("cloudtrail", "eu-west-1", app)
    refused("S3BucketDoesNotExistException", lambda: trail.create_trail(Name="base", S3BucketName="muster-trail"), "no bucket")
    s3.create_bucket(Bucket="muster-trail", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    refused("InsufficientS3BucketPolicyException", lambda: trail.create_trail(Name="base", S3BucketName="muster-trail"), "no policy")
    s3.put_bucket_policy(Bucket="muster-trail", Policy=json.dumps(delivery_policy("muster-trail")))
    refused("InvalidTrailNameException", lambda: trail.create_trail(Name="a", S3BucketName="muster-trail"), "a bad name")
    refused("InvalidParameterCombinationException", lambda: trail.create_trail(
        Name="multi", S3BucketName="muster-trail", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False), "multi without global")
    arn = trail.create_trail(Name="base", S3BucketName="muster-trail", EnableLogFileValidation=True,
                             TagsList=[{"Key": "a", "Value": "b"}])["TrailARN"]
    refused("TrailAlreadyExistsException", lambda: trail.create_trail(Name="base", S3BucketName="muster-trail"), "once")
    refused("TrailNotFoundException", lambda: trail.get_trail(Name="none"), "no trail")
    same(trail.get_trail(Name=arn)["Trail"]["LogFileValidationEnabled"], True, "the trail by ARN")
    same(trail.get_trail_status(Name="base")["IsLogging"], False, "it does not log at first")
    trail.start_logging(Name="base")
    same(trail.get_trail_status(Name=arn)["IsLogging"], True, "then it does")
    trail.stop_logging(Name="base")
    trail.update_trail(Name="base", IsMultiRegionTrail=True)
    elsewhere = client("cloudtrail", "eu-north-1", app)
    same([t["HomeRegion"] for t in elsewhere.describe_trails()["trailList"]], ["eu-west-1"], "its shadow elsewhere")
    same(elsewhere.describe_trails(includeShadowTrails=False)["trailList"], [], "unless left out")
    refused("InvalidHomeRegionException", lambda: elsewhere.stop_logging(Name=arn), "a shadow cannot be changed")
    same(trail.get_event_selectors(TrailName="base")["EventSelectors"][0]["ReadWriteType"], "All", "the usual selector")
    trail.put_event_selectors(TrailName="base", EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    same(trail.get_event_selectors(TrailName="base")["EventSelectors"][0]["ReadWriteType"], "WriteOnly", "another one")
    refused("InsightNotEnabledException", lambda: trail.get_insight_selectors(TrailName="base"), "no insights")
    trail.put_insight_selectors(TrailName="base", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
    same(len(trail.get_insight_selectors(TrailName="base")["InsightSelectors"]), 1, "insights")
    trail.add_tags(ResourceId=arn, TagsList=[{"Key": "c", "Value": "d"}])
    trail.remove_tags(ResourceId=arn, TagsList=[{"Key": "a"}])
    same(trail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"], [{"Key": "c", "Value": "d"}], "its tags")
    same(trail.list_trails()["Trails"][0]["TrailARN"], arn, "trails are listed")
    for n in range(4):
        trail.create_trail(Name=f"more-{n}", S3BucketName="muster-trail")
    refused("MaximumNumberOfTrailsExceededException", lambda: trail.create_trail(Name="six", S3BucketName="muster-trail"), "five at most")
    for name in ("base", "more-0", "more-1", "more-2", "more-3"):
        trail.delete_trail(Name=name)


def delivery_policy(bucket):
    services = ["cloudtrail.amazonaws.com", "config.amazonaws.com"]
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": services}, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"},
        {"Effect": "Allow", "Principal": {"Service": services}, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/*",
         "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}},
        {"Effect": "Deny", "Principal": {"Service": services}, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*",
         "Condition": {"StringNotEquals": {"aws:SourceAccount": [SECURITY, APP]}}}]}


def test_config():
    config = client("config", "eu-west-1", app)
    linked = f"arn:aws:iam::{APP}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    channel = {"name": "default", "s3BucketName": "muster-trail"}
    rule = {"ConfigRuleName": "trail-on", "Source": {"Owner": "AWS", "SourceIdentifier": "CLOUD_TRAIL_ENABLED"}}
    refused("NoAvailableConfigurationRecorderException", lambda: config.put_delivery_channel(DeliveryChannel=channel), "recorder first")
    refused("NoAvailableConfigurationRecorderException", lambda: config.put_config_rule(ConfigRule=rule), "also for rules")
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": linked,
                                                             "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}})
    refused("MaxNumberOfConfigurationRecordersExceededException", lambda: config.put_configuration_recorder(
        ConfigurationRecorder={"name": "other", "roleARN": linked}), "one recorder")
    refused("InvalidRecordingGroupException", lambda: config.put_configuration_recorder(ConfigurationRecorder={
        "name": "default", "roleARN": linked, "recordingGroup": {"allSupported": True, "resourceTypes": ["AWS::S3::Bucket"]}}), "a bad group")
    same(config.describe_configuration_recorders()["ConfigurationRecorders"][0]["recordingGroup"]["recordingStrategy"]["useOnly"],
         "ALL_SUPPORTED_RESOURCE_TYPES", "the recorder")
    refused("NoAvailableDeliveryChannelException", lambda: config.start_configuration_recorder(ConfigurationRecorderName="default"), "channel first")
    refused("NoSuchBucketException", lambda: config.put_delivery_channel(
        DeliveryChannel={"name": "default", "s3BucketName": "muster-none"}), "no bucket")
    refused("InsufficientDeliveryPolicyException", lambda: config.put_delivery_channel(
        DeliveryChannel={"name": "default", "s3BucketName": "muster-classic"}), "no policy")
    config.put_delivery_channel(DeliveryChannel=channel)
    same(config.describe_delivery_channels()["DeliveryChannels"][0]["s3BucketName"], "muster-trail", "the channel")
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    same(config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"][0]["recording"], True, "it records")
    same(config.describe_delivery_channel_status()["DeliveryChannelsStatus"][0]["configStreamDeliveryInfo"]["lastStatus"], "SUCCESS", "and delivers")
    refused("LastDeliveryChannelDeleteFailedException", lambda: config.delete_delivery_channel(DeliveryChannelName="default"), "while recording")
    config.put_config_rule(ConfigRule=rule, Tags=[{"Key": "a", "Value": "b"}])
    for n in range(30):
        config.put_config_rule(ConfigRule={**rule, "ConfigRuleName": f"rule-{n:02}"})
    same(len(list(config.get_paginator("describe_config_rules").paginate())), 2, "rules in pages")
    arn = config.describe_config_rules(ConfigRuleNames=["trail-on"])["ConfigRules"][0]["ConfigRuleArn"]
    refused("NoSuchConfigRuleException", lambda: config.describe_config_rules(ConfigRuleNames=["none"]), "no rule")
    refused("InvalidParameterValueException", lambda: config.put_config_rule(ConfigRule={**rule, "InputParameters": "{"}), "bad parameters")
    config.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    config.untag_resource(ResourceArn=arn, TagKeys=["a"])
    same(config.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "c", "Value": "d"}], "tags of a rule")
    same(config.describe_compliance_by_config_rule(ConfigRuleNames=["trail-on"])["ComplianceByConfigRules"][0]["Compliance"]["ComplianceType"],
         "INSUFFICIENT_DATA", "compliance")
    control("config", {"LagMs": 300})
    config.delete_config_rule(ConfigRuleName="trail-on")
    same(config.describe_config_rules(ConfigRuleNames=["trail-on"])["ConfigRules"][0]["ConfigRuleState"], "DELETING", "a rule goes slowly")
    refused("ResourceInUseException", lambda: config.put_config_rule(ConfigRule=rule), "and is not to be touched")
    time.sleep(0.4)
    control("config", {"LagMs": 0})
    refused("NoSuchConfigRuleException", lambda: config.delete_config_rule(ConfigRuleName="trail-on"), "until it is gone")
    iam = client("iam", keys=app)
    task = iam.delete_service_linked_role(RoleName="AWSServiceRoleForConfig")["DeletionTaskId"]
    same(iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"], "FAILED", "a service's role in use stays")
    config.stop_configuration_recorder(ConfigurationRecorderName="default")
    config.delete_delivery_channel(DeliveryChannelName="default")
    config.delete_configuration_recorder(ConfigurationRecorderName="default")
    refused("NoSuchConfigurationRecorderException", lambda: config.delete_configuration_recorder(ConfigurationRecorderName="default"), "gone")
    task = iam.delete_service_linked_role(RoleName="AWSServiceRoleForConfig")["DeletionTaskId"]
    same(iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"], "SUCCEEDED", "then it goes")


def test_guardduty():
    duty = client("guardduty", "eu-west-1", app)
    made = duty.create_detector(Enable=True, ClientToken="t1", Tags={"a": "b"}, DataSources={"S3Logs": {"Enable": False}})["DetectorId"]
    same(duty.create_detector(Enable=True, ClientToken="t1")["DetectorId"], made, "the same token, the same detector")
    refused("BadRequestException", lambda: duty.create_detector(Enable=True), "one detector")
    refused("BadRequestException", lambda: duty.get_detector(DetectorId="0" * 32), "another's detector")
    got = duty.get_detector(DetectorId=made)
    same((got["Status"], got["DataSources"]["S3Logs"]["Status"], got["Tags"]), ("ENABLED", "DISABLED", {"a": "b"}), "the detector")
    duty.update_detector(DetectorId=made, FindingPublishingFrequency="ONE_HOUR",
                         Features=[{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"},
                                   {"Name": "RUNTIME_MONITORING", "Status": "ENABLED",
                                    "AdditionalConfiguration": [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}]}])
    features = {f["Name"]: f for f in duty.get_detector(DetectorId=made)["Features"]}
    ok(features["S3_DATA_EVENTS"]["Status"] == "ENABLED" and features["RUNTIME_MONITORING"]["AdditionalConfiguration"][2]["Status"] == "ENABLED",
       "features change")
    same(duty.list_detectors()["DetectorIds"], [made], "it is listed")
    arn = f"arn:aws:guardduty:eu-west-1:{APP}:detector/{made}"
    duty.tag_resource(ResourceArn=arn, Tags={"c": "d"})
    duty.untag_resource(ResourceArn=arn, TagKeys=["a"])
    same(duty.list_tags_for_resource(ResourceArn=arn)["Tags"], {"c": "d"}, "its tags")
    duty.delete_detector(DetectorId=made)
    same(duty.list_detectors()["DetectorIds"], [], "it is gone")


def test_events():
    events = client("events", "eu-west-1", app)
    pattern = json.dumps({"source": ["aws.guardduty"]})
    arn = events.put_rule(Name="r1", EventPattern=pattern, Tags=[{"Key": "a", "Value": "b"}])["RuleArn"]
    for n in range(2, 5):
        events.put_rule(Name=f"r{n}", ScheduleExpression="rate(1 hour)", State="DISABLED")
    refused("InvalidEventPatternException", lambda: events.put_rule(Name="bad", EventPattern='{"a":1}'), "a bad pattern")
    refused("ValidationException", lambda: events.put_rule(Name="bad"), "neither pattern nor schedule")
    refused("ResourceNotFoundException", lambda: events.describe_rule(Name="none"), "no rule")
    events.disable_rule(Name="r1")
    same(events.describe_rule(Name="r1")["State"], "DISABLED", "a rule switched off")
    events.enable_rule(Name="r1")
    first = events.list_rules(Limit=3)
    same(len(first["Rules"]) + len(events.list_rules(Limit=3, NextToken=first["NextToken"])["Rules"]), 4, "rules in pages")
    bus = f"arn:aws:events:eu-west-1:{SECURITY}:event-bus/default"
    targets = [{"Id": str(n), "Arn": bus} for n in range(6)]
    same(events.put_targets(Rule="r1", Targets=targets)["FailedEntryCount"], 1, "five targets at most")
    same(len(events.list_targets_by_rule(Rule="r1", Limit=2)["Targets"]), 2, "targets in pages")
    refused("ValidationException", lambda: events.delete_rule(Name="r1"), "a rule with targets stays")
    same(events.remove_targets(Rule="r1", Ids=[str(n) for n in range(6)])["FailedEntryCount"], 1, "targets go")
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "c", "Value": "d"}])
    events.untag_resource(ResourceARN=arn, TagKeys=["a"])
    same(events.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "c", "Value": "d"}], "tags of a rule")
    events.delete_rule(Name="r1")
    theirs = client("events", "eu-west-1", security)
    entry = {"Source": "muster", "DetailType": "t", "Detail": "{}", "EventBusName": bus}
    same(events.put_events(Entries=[entry])["Entries"][0].get("ErrorCode"), "AccessDeniedException", "another's bus is closed")
    theirs.put_permission(Action="events:PutEvents", Principal=APP, StatementId="app")
    same(events.put_events(Entries=[entry, {**entry, "Detail": "no"}])["FailedEntryCount"], 1, "then open")
    refused("ResourceNotFoundException", lambda: theirs.remove_permission(StatementId="none"), "no such statement")
    theirs.remove_permission(StatementId="app")
    same(theirs.describe_event_bus().get("Policy"), None, "and closed again")
    events.create_event_bus(Name="own")
    refused("ResourceAlreadyExistsException", lambda: events.create_event_bus(Name="own"), "a bus is made once")
    events.update_event_bus(Name="own", Description="d")
    same([b["Name"] for b in events.list_event_buses()["EventBuses"]], ["default", "own"], "buses are listed")
    events.delete_event_bus(Name="own")


def test_sns():
    sns, theirs = client("sns", "eu-west-1", security), client("sns", "eu-west-1", app)
    topic = sns.create_topic(Name="alerts", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    same(sns.create_topic(Name="alerts")["TopicArn"], topic, "a topic can be made again")
    refused("InvalidParameter", lambda: sns.create_topic(Name="alerts", Attributes={"DisplayName": "x"}), "but not differently")
    refused("NotFound", lambda: sns.get_topic_attributes(TopicArn=topic + "x"), "no topic")
    refused("InvalidParameter", lambda: sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue="{}"), "a bad policy")
    function = f"arn:aws:lambda:eu-west-1:{APP}:function:chat"
    refused("AuthorizationError", lambda: theirs.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function), "a closed topic")
    same(sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)["SubscriptionArn"], "pending confirmation",
         "another account's function stays pending")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{APP}:root"},
                                                     "Action": "sns:Subscribe", "Resource": topic}]}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    arn = theirs.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)["SubscriptionArn"]
    same(theirs.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"], "false",
         "subscribed from the function's account it is confirmed")
    theirs.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    same(len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]), 1, "the subscription")
    sns.list_subscriptions()
    theirs.unsubscribe(SubscriptionArn=arn)
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "c", "Value": "d"}])
    sns.untag_resource(ResourceArn=topic, TagKeys=["a"])
    same(sns.list_tags_for_resource(ResourceArn=topic)["Tags"], [{"Key": "c", "Value": "d"}], "tags of a topic")
    for n in range(120):
        sns.create_topic(Name=f"t{n}")
    same(sum(len(p["Topics"]) for p in sns.get_paginator("list_topics").paginate()), 121, "topics in pages")
    sns.delete_topic(TopicArn=topic)


def test_behaviour():
    control("config", {"LatencyMs": 300})
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        sns = client("sns", keys=app, max_pool_connections=40)
        start = time.time()
        list(pool.map(lambda _: sns.list_topics(), range(40)))
        took = time.time() - start
    control("config", {"LatencyMs": 0})
    ok(took < 3 and control("stats")["MaxConcurrency"] > 5, "latency does not make requests wait for one another", f"{took:.1f} s")
    control("config", {"Rate": 3})
    results = []
    for _ in range(8):
        try:
            results.append(client("events", keys=app).list_rules() and "ok")
        except ClientError as error:
            results.append(error.response["Error"]["Code"])
    control("config", {"Rate": 0})
    ok("ThrottlingException" in results and "ok" in results, "the rate limit throttles", results)
    control("fault", {"Faults": ["service=sns,operation=List*,code=InternalError,status=500,count=1", "service=events,action=drop,count=1",
                                 "operation=CreateTopic,action=lost-answer,count=1"]})
    refused("InternalError", lambda: client("sns", keys=app).list_topics(), "a fault is answered")
    ok("Topics" in client("sns", keys=app).list_topics(), "as often as told")
    for name, call in (("dropped", lambda: client("events", keys=app).list_rules()),
                       ("lost", lambda: client("sns", keys=app).create_topic(Name="lost"))):
        try:
            call()
            ok(False, f"an answer is {name}")
        except Exception as error:
            ok(not isinstance(error, ClientError), f"an answer is {name}", error)
    ok("lost" in control("dump")[APP]["us-east-1"]["sns"]["Topics"], "what was done with a lost answer is done")
    control("fault", {"Clear": True})
    control("config", {"LagMs": 400})
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "sts:AssumeRole"}]}
    client("iam", keys=app).create_role(RoleName="late", AssumeRolePolicyDocument=json.dumps(trust))
    refused("AccessDenied", lambda: assume(role(APP, "late"), app), "a new role is not to be assumed at once")
    time.sleep(0.5)
    ok(assume(role(APP, "late"), app), "but soon")
    control("config", {"LagMs": 0})


def test_cli():
    if shutil.which("aws") is None:
        print("# the AWS CLI is not installed: its tests are left out")
        return
    env = {**os.environ, "AWS_ACCESS_KEY_ID": app[0], "AWS_SECRET_ACCESS_KEY": app[1], "AWS_SESSION_TOKEN": app[2],
           "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL": URL, "AWS_MAX_ATTEMPTS": "1"}

    def aws(*words):
        run = subprocess.run(["aws", "--output", "json", *words], env=env, capture_output=True, text=True, check=False)
        return run.returncode, run.stdout, run.stderr

    code, out, err = aws("sts", "get-caller-identity")
    ok(code == 0 and json.loads(out)["Account"] == APP, "CLI: who am I", err)
    code, out, err = aws("s3", "mb", "s3://muster-cli")
    ok(code == 0, "CLI: a bucket", err)
    path = __file__
    code, out, err = aws("s3", "cp", path, "s3://muster-cli/a/copy.py")
    ok(code == 0, "CLI: a file goes up", err)
    code, out, err = aws("s3", "cp", "s3://muster-cli/a/copy.py", "-")
    with open(path, encoding="utf-8") as file:
        ok(code == 0 and out == file.read(), "CLI: and comes back", err)
    code, out, err = aws("s3", "rb", "--force", "s3://muster-cli")
    ok(code == 0, "CLI: and goes", err)
    code, out, err = aws("events", "put-rule", "--name", "cli", "--event-pattern", '{"source":["a"]}')
    ok(code == 0, "CLI: a rule", err)
    code, out, err = aws("events", "describe-rule", "--name", "none")
    ok(code != 0 and "ResourceNotFoundException" in err, "CLI: an error", err)


for name, test in list(globals().items()):
    if name.startswith("test_"):
        print(f"# {name[5:]}")
        try:
            test()
        except Exception as error:
            ok(False, f"{name[5:]} runs to its end", f"{type(error).__name__}: {error}")
called = set(control("stats")["Operation"])
missing = [f"{s}:{o}" for s, names in control("services").items() for o in names if f"{s}:{o}" not in called]
same(missing, [], "every operation was called")
control("reset", {})
same(control("dump"), {}, "a reset leaves nothing")
finish()
