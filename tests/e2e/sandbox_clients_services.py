"""The services that the baseline needs beyond recording, called through boto3; run by sandbox_clients.py."""
import io
import json
import zipfile

import boto3
import botocore.model

from sandbox_clients_lib import APP, SECURITY, URL, assume, client, ok, refused, role, same

__all__ = ["test_kms", "test_logs", "test_sqs", "test_alarms", "test_ssm", "test_securityhub", "test_accessanalyzer",
           "test_vpcs", "test_groups", "test_policies", "test_account", "test_lambda", "test_publishing",
           "test_aggregators", "test_sns_permissions"]
keys = {}


def here(service, region="eu-west-1", account="app"):
    """A client in the application's or the security account."""
    if not keys:
        keys["security"] = assume(role(SECURITY, "security-admin"))
        keys["app"] = assume(role(APP, "from-security"), keys["security"])
    return client(service, region, keys[account])


def zipped(text, name="chat.py"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, text)
    return out.getvalue()


def allow(principal, action, resource="*", **more):
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def lambda_role(name, *policies):
    iam = here("iam", "us-east-1")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}))
    for policy in policies:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return role(APP, name)


def settled(function, name):
    function.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
    function.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})


def test_kms():
    kms = here("kms")
    made = kms.create_key(Description="d", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    key = made["KeyId"]
    same((made["KeyState"], made["KeyManager"], made["Arn"]),
         ("Enabled", "CUSTOMER", f"arn:aws:kms:eu-west-1:{APP}:key/{key}"), "a key is made")
    refused("MalformedPolicyDocumentException", lambda: kms.create_key(Policy="{}"), "with a policy that is one")
    refused("MalformedPolicyDocumentException", lambda: kms.create_key(
        Policy=document(allow({"AWS": f"arn:aws:iam::{SECURITY}:root"}, "kms:*"))), "that does not lock its writer out")
    refused("NotFoundException", lambda: kms.describe_key(KeyId="0" * 32), "no such key")
    kms.create_alias(AliasName="alias/one", TargetKeyId=key)
    refused("AlreadyExistsException", lambda: kms.create_alias(AliasName="alias/one", TargetKeyId=key), "an alias is made once")
    refused("InvalidAliasNameException", lambda: kms.create_alias(AliasName="one", TargetKeyId=key), "with a proper name")
    same(kms.describe_key(KeyId="alias/one")["KeyMetadata"]["KeyId"], key, "the key by its alias")
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName="alias/one", TargetKeyId=other)
    same([a["AliasName"] for a in kms.list_aliases(KeyId=other)["Aliases"]], ["alias/one"], "the alias moves")
    kms.delete_alias(AliasName="alias/one")
    refused("NotFoundException", lambda: kms.delete_alias(AliasName="alias/one"), "and goes")
    same(len([k for p in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1}) for k in p["Keys"]]), 2, "keys in pages")
    policy = document(allow({"AWS": f"arn:aws:iam::{APP}:root"}, "kms:*"), allow({"Service": "sns.amazonaws.com"}, "kms:Decrypt"))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    same(kms.get_key_policy(KeyId=key)["Policy"], policy, "its policy")
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=100)
    got = kms.get_key_rotation_status(KeyId=key)
    same((got["KeyRotationEnabled"], got["RotationPeriodInDays"]), (True, 100), "its rotation")
    kms.disable_key_rotation(KeyId=key)
    kms.update_key_description(KeyId=key, Description="e")
    kms.disable_key(KeyId=key)
    refused("DisabledException", lambda: kms.enable_key_rotation(KeyId=key), "a key that is off does not rotate")
    kms.enable_key(KeyId=key)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "c", "TagValue": "d"}])
    kms.untag_resource(KeyId=key, TagKeys=["a"])
    same(kms.list_resource_tags(KeyId=key)["Tags"], [{"TagKey": "c", "TagValue": "d"}], "its tags")
    refused("ValidationException", lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=3), "a week at least")
    same(kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)["KeyState"], "PendingDeletion", "a key goes slowly")
    refused("KMSInvalidStateException", lambda: kms.enable_key(KeyId=key), "and is of no use meanwhile")
    kms.cancel_key_deletion(KeyId=key)
    same(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Disabled", "unless it is kept")
    refused("KMSInvalidStateException", lambda: kms.cancel_key_deletion(KeyId=key), "which needs no second word")


def test_logs():
    logs = here("logs")
    arn = f"arn:aws:logs:eu-west-1:{APP}:log-group:/a/b"
    logs.create_log_group(logGroupName="/a/b", tags={"a": "b"})
    refused("ResourceAlreadyExistsException", lambda: logs.create_log_group(logGroupName="/a/b"), "a group is made once")
    refused("InvalidParameterException", lambda: logs.create_log_group(logGroupName="a b"), "with a proper name")
    refused("ResourceNotFoundException", lambda: logs.delete_log_group(logGroupName="none"), "no such group")
    logs.put_retention_policy(logGroupName="/a/b", retentionInDays=90)
    refused("InvalidParameterException", lambda: logs.put_retention_policy(logGroupName="/a/b", retentionInDays=91), "only some days")
    for n in range(3):
        logs.create_log_group(logGroupName=f"/a/{n}")
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/a/", PaginationConfig={"PageSize": 2})
    groups = [g for p in pages for g in p["logGroups"]]
    same((len(groups), groups[3]["retentionInDays"], groups[3]["arn"]), (4, 90, arn + ":*"), "groups in pages")
    logs.delete_retention_policy(logGroupName="/a/b")
    kms = here("kms")
    root = allow({"AWS": f"arn:aws:iam::{APP}:root"}, "kms:*")
    key = kms.create_key()["KeyMetadata"]
    refused("InvalidParameterException", lambda: logs.associate_kms_key(logGroupName="/a/b", kmsKeyId=key["Arn"]), "a key that keeps it out")
    kms.put_key_policy(KeyId=key["KeyId"], Policy=document(root, allow({"Service": "logs.eu-west-1.amazonaws.com"}, "kms:Encrypt*")))
    logs.associate_kms_key(logGroupName="/a/b", kmsKeyId=key["Arn"])
    same(logs.describe_log_groups(logGroupNamePrefix="/a/b")["logGroups"][0]["kmsKeyId"], key["Arn"], "a key that lets it in")
    logs.disassociate_kms_key(logGroupName="/a/b")
    logs.tag_resource(resourceArn=arn, tags={"c": "d"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    same(logs.list_tags_for_resource(resourceArn=arn)["tags"], {"c": "d"}, "tags of a group")
    logs.put_resource_policy(policyName="p", policyDocument=document(allow({"Service": "events.amazonaws.com"}, "logs:PutLogEvents")))
    same(len(logs.describe_resource_policies()["resourcePolicies"]), 1, "a resource policy")
    logs.delete_resource_policy(policyName="p")
    refused("ResourceNotFoundException", lambda: logs.delete_resource_policy(policyName="p"), "which is gone")
    logs.delete_log_group(logGroupName="/a/b")


def test_sqs():
    sqs = here("sqs")
    url = sqs.create_queue(QueueName="dead", Attributes={"VisibilityTimeout": "60"}, tags={"a": "b"})["QueueUrl"]
    same(sqs.create_queue(QueueName="dead", Attributes={"VisibilityTimeout": "60"})["QueueUrl"], url, "a queue can be made again")
    refused("QueueAlreadyExists", lambda: sqs.create_queue(QueueName="dead", Attributes={"VisibilityTimeout": "61"}), "but not differently")
    refused("InvalidParameterValue", lambda: sqs.create_queue(QueueName="a b"), "with a proper name")
    refused("InvalidAttributeValue", lambda: sqs.create_queue(QueueName="x", Attributes={"DelaySeconds": "901"}), "and proper values")
    refused("InvalidAttributeName", lambda: sqs.create_queue(QueueName="x", Attributes={"Delay": "1"}), "of attributes that there are")
    same(sqs.get_queue_url(QueueName="dead")["QueueUrl"], url, "its URL")
    refused("AWS.SimpleQueueService.NonExistentQueue", lambda: sqs.get_queue_url(QueueName="none"), "no such queue")
    policy = document(allow({"Service": "events.amazonaws.com"}, "sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{APP}:dead"))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy, "MessageRetentionPeriod": "1209600"})
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    same((got["Policy"], got["VisibilityTimeout"], got["QueueArn"], got["DelaySeconds"]),
         (policy, "60", f"arn:aws:sqs:eu-west-1:{APP}:dead", "0"), "its attributes")
    sqs.tag_queue(QueueUrl=url, Tags={"c": "d"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
    same(sqs.list_queue_tags(QueueUrl=url)["Tags"], {"c": "d"}, "its tags")
    sqs.create_queue(QueueName="dead2.fifo", Attributes={"FifoQueue": "true"})
    same(len([u for p in sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 1}) for u in p["QueueUrls"]]), 2, "queues in pages")
    sqs.delete_queue(QueueUrl=url)
    refused("AWS.SimpleQueueService.NonExistentQueue", lambda: sqs.delete_queue(QueueUrl=url), "a queue goes")


def test_alarms():
    """In JSON, which boto3 speaks by itself, and in the query protocol."""
    keep = botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS
    for protocol in ("json", "query"):
        botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = (protocol,)
        alarms = here("cloudwatch")
        if protocol == "query":
            here("sts")
            alarms = boto3.Session().client(
                "cloudwatch", region_name="eu-west-1", endpoint_url=URL, aws_access_key_id=keys["app"][0],
                aws_secret_access_key=keys["app"][1], aws_session_token=keys["app"][2])
        alarm = {"AlarmName": f"dlq-{protocol}", "MetricName": "ApproximateNumberOfMessagesVisible", "Namespace": "AWS/SQS",
                 "Statistic": "Maximum", "Period": 300, "EvaluationPeriods": 1, "Threshold": 0.5,
                 "ComparisonOperator": "GreaterThanThreshold", "Dimensions": [{"Name": "QueueName", "Value": "dead"}],
                 "AlarmActions": [f"arn:aws:sns:eu-west-1:{APP}:x"], "TreatMissingData": "notBreaching"}
        alarms.put_metric_alarm(**alarm, Tags=[{"Key": "a", "Value": "b"}])
        alarms.put_metric_alarm(**{**alarm, "AlarmName": f"other-{protocol}"})
        refused("ValidationError", lambda: alarms.put_metric_alarm(**{**alarm, "ComparisonOperator": "Bigger"}), f"{protocol}: a comparison that is not")
        refused("ValidationError", lambda: alarms.put_metric_alarm(**{**alarm, "Period": 45}), f"{protocol}: a period that is not")
        got = alarms.describe_alarms(AlarmNames=[f"dlq-{protocol}"])["MetricAlarms"][0]
        same((got["Threshold"], got["Dimensions"], got["StateValue"], got["Period"], got["ActionsEnabled"]),
             (0.5, alarm["Dimensions"], "INSUFFICIENT_DATA", 300, True), f"{protocol}: an alarm comes back")
        same(len([a for p in alarms.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 1})
                  for a in p["MetricAlarms"]]), 2, f"{protocol}: alarms in pages")
        alarms.tag_resource(ResourceARN=got["AlarmArn"], Tags=[{"Key": "c", "Value": "d"}])
        alarms.untag_resource(ResourceARN=got["AlarmArn"], TagKeys=["a"])
        same(alarms.list_tags_for_resource(ResourceARN=got["AlarmArn"])["Tags"], [{"Key": "c", "Value": "d"}], f"{protocol}: its tags")
        refused("ResourceNotFound", lambda: alarms.delete_alarms(AlarmNames=[f"dlq-{protocol}", "none"]), f"{protocol}: all or none go")
        alarms.delete_alarms(AlarmNames=[f"dlq-{protocol}", f"other-{protocol}"])
        same(alarms.describe_alarms()["MetricAlarms"], [], f"{protocol}: they are gone")
    botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = keep


def test_ssm():
    ssm = here("ssm")
    refused("ValidationException", lambda: ssm.put_parameter(Name="/m/a", Value="1"), "a new parameter needs a type")
    same(ssm.put_parameter(Name="/m/a", Value="1", Type="String", Tags=[{"Key": "a", "Value": "b"}])["Version"], 1, "a parameter is made")
    refused("ParameterAlreadyExists", lambda: ssm.put_parameter(Name="/m/a", Value="2", Type="String"), "once")
    same(ssm.put_parameter(Name="/m/a", Value="2", Overwrite=True)["Version"], 2, "or over itself")
    refused("ParameterPatternMismatchException", lambda: ssm.put_parameter(Name="/m/b", Value="x", Type="String", AllowedPattern="^[0-9]+$"), "a pattern")
    refused("ValidationException", lambda: ssm.put_parameter(Name="/aws/x", Value="x", Type="String"), "a name of AWS's own")
    ssm.put_parameter(Name="/m/secret", Value="hush", Type="SecureString")
    ok(ssm.get_parameter(Name="/m/secret")["Parameter"]["Value"] != "hush", "a secret stays one")
    same(ssm.get_parameter(Name="/m/secret", WithDecryption=True)["Parameter"]["Value"], "hush", "unless decrypted")
    same(ssm.get_parameter(Name="/m/a:1")["Parameter"]["Value"], "1", "an older version")
    refused("ParameterNotFound", lambda: ssm.get_parameter(Name="/m/none"), "no such parameter")
    refused("ParameterVersionNotFound", lambda: ssm.get_parameter(Name="/m/a:9"), "no such version")
    got = ssm.get_parameters(Names=["/m/a", "/m/none"])
    same(([p["Value"] for p in got["Parameters"]], got["InvalidParameters"]), (["2"], ["/m/none"]), "several")
    pages = ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": ["/m/"]}], PaginationConfig={"PageSize": 1})
    same([p["Name"] for page in pages for p in page["Parameters"]], ["/m/a", "/m/secret"], "parameters in pages")
    what = {"ResourceType": "Parameter", "ResourceId": "/m/a"}
    ssm.add_tags_to_resource(**what, Tags=[{"Key": "c", "Value": "d"}])
    ssm.remove_tags_from_resource(**what, TagKeys=["a"])
    same(ssm.list_tags_for_resource(**what)["TagList"], [{"Key": "c", "Value": "d"}], "tags of a parameter")
    refused("InvalidResourceId", lambda: ssm.list_tags_for_resource(**{**what, "ResourceId": "/m/none"}), "of one that there is")
    ssm.delete_parameter(Name="/m/a")
    refused("ParameterNotFound", lambda: ssm.delete_parameter(Name="/m/a"), "a parameter goes")


def test_securityhub():
    hub = here("securityhub")
    refused("InvalidAccessException", hub.describe_hub, "not on yet")
    hub.enable_security_hub(Tags={"a": "b"}, EnableDefaultStandards=False)
    refused("ResourceConflictException", hub.enable_security_hub, "on once")
    arn = hub.describe_hub()["HubArn"]
    hub.update_security_hub_configuration(AutoEnableControls=False)
    same(hub.describe_hub(HubArn=arn)["AutoEnableControls"], False, "its settings")
    refused("InvalidInputException", lambda: hub.update_security_hub_configuration(ControlFindingGenerator="x"), "which are checked")
    hub.tag_resource(ResourceArn=arn, Tags={"c": "d"})
    hub.untag_resource(ResourceArn=arn, TagKeys=["a"])
    same(hub.list_tags_for_resource(ResourceArn=arn)["Tags"], {"c": "d"}, "its tags")
    refused("ResourceNotFoundException", lambda: hub.list_tags_for_resource(ResourceArn=arn + "x"), "no such hub")
    hub.disable_security_hub()
    refused("InvalidAccessException", hub.disable_security_hub, "off once")


def test_accessanalyzer():
    access = here("accessanalyzer")
    arn = access.create_analyzer(analyzerName="one", type="ACCOUNT", tags={"a": "b"}, clientToken="t")["arn"]
    same(access.create_analyzer(analyzerName="one", type="ACCOUNT", clientToken="t")["arn"], arn, "the same token, the same analyzer")
    refused("ConflictException", lambda: access.create_analyzer(analyzerName="one", type="ACCOUNT", clientToken="u"), "made once")
    refused("ServiceQuotaExceededException", lambda: access.create_analyzer(analyzerName="two", type="ACCOUNT"), "one of a kind")
    refused("ValidationException", lambda: access.create_analyzer(analyzerName="3", type="ACCOUNT"), "a bad name")
    refused("ResourceNotFoundException", lambda: access.get_analyzer(analyzerName="none"), "no such analyzer")
    same(access.get_analyzer(analyzerName="one")["analyzer"]["status"], "ACTIVE", "the analyzer")
    unused = {"unusedAccess": {"unusedAccessAge": 90}}
    access.create_analyzer(analyzerName="idle", type="ACCOUNT_UNUSED_ACCESS", configuration=unused)
    unused["unusedAccess"]["unusedAccessAge"] = 100
    same(access.update_analyzer(analyzerName="idle", configuration=unused)["configuration"], unused, "its configuration")
    same(len([a for p in access.get_paginator("list_analyzers").paginate(PaginationConfig={"PageSize": 1}) for a in p["analyzers"]]), 2, "in pages")
    access.tag_resource(resourceArn=arn, tags={"c": "d"})
    access.untag_resource(resourceArn=arn, tagKeys=["a"])
    same(access.list_tags_for_resource(resourceArn=arn)["tags"], {"c": "d"}, "its tags")
    access.delete_analyzer(analyzerName="one")
    refused("ResourceNotFoundException", lambda: access.delete_analyzer(analyzerName="one"), "it goes")


def test_vpcs():
    ec2 = here("ec2")
    vpcs = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    same((len(vpcs), vpcs[0]["CidrBlock"], vpcs[0]["IsDefault"]), (1, "172.31.0.0/16", True), "a default VPC in each region")
    vpc = vpcs[0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    same(sorted(s["AvailabilityZone"] for s in subnets if s["VpcId"] == vpc), ["eu-west-1a", "eu-west-1b", "eu-west-1c"], "and its subnets")
    same(ec2.describe_network_interfaces()["NetworkInterfaces"], [], "no network interfaces")
    refused("InvalidVpcID.NotFound", lambda: ec2.describe_vpcs(VpcIds=["vpc-0"]), "no such VPC")
    refused("InvalidSubnetID.NotFound", lambda: ec2.describe_subnets(SubnetIds=["subnet-0"]), "no such subnet")
    ec2.create_tags(Resources=[vpc, subnets[0]["SubnetId"]], Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}])
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a"}])
    same(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"], [{"Key": "c", "Value": "d"}], "tags of a VPC")
    same([t["ResourceType"] for t in ec2.describe_tags(Filters=[{"Name": "key", "Values": ["c"]}])["Tags"]], ["vpc", "subnet"], "by key")
    refused("InvalidID", lambda: ec2.create_tags(Resources=["i-0"], Tags=[{"Key": "a", "Value": "b"}]), "of what there is")
    strict = here("ec2", "eu-north-1")
    same(len(strict.describe_vpcs(VpcIds=["vpc-0aa"])["Vpcs"]), 1, "a VPC from the configuration")
    refused("InvalidVpcID.NotFound", lambda: strict.create_security_group(GroupName="x", Description="x", VpcId="vpc-0bb"), "makes others wrong")


def test_groups():
    ec2 = here("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = ec2.create_security_group(GroupName="chat", Description="d", VpcId=vpc, TagSpecifications=[
        {"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}])
    group = made["GroupId"]
    same(made["Tags"], [{"Key": "a", "Value": "b"}], "a group is made with tags")
    refused("InvalidGroup.Duplicate", lambda: ec2.create_security_group(GroupName="chat", Description="d", VpcId=vpc), "once in a VPC")
    refused("InvalidParameterValue", lambda: ec2.create_security_group(GroupName="sg-x", Description="d"), "with a proper name")
    refused("InvalidGroup.NotFound", lambda: ec2.describe_security_groups(GroupIds=["sg-0"]), "no such group")
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "x"}, {"CidrIp": "10.1.0.0/16"}]}
    rules = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[https])["SecurityGroupRules"]
    same([(r["FromPort"], r["CidrIpv4"], r["IsEgress"]) for r in rules], [(443, "10.0.0.0/8", False), (443, "10.1.0.0/16", False)], "a rule a source")
    refused("InvalidPermission.Duplicate", lambda: ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[https]), "each once")
    bad = {**https, "IpRanges": [{"CidrIp": "10.0.0.0"}]}
    refused("InvalidParameterValue", lambda: ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[bad]), "a CIDR that is not one")
    other = ec2.create_security_group(GroupName="other", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}])
    got = ec2.describe_security_groups(GroupIds=[other, group], Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    by = {g["GroupName"]: g for g in got}
    same(by["chat"]["IpPermissions"][0]["IpRanges"], https["IpRanges"], "permissions come back in groups")
    same(by["other"]["IpPermissions"][0]["UserIdGroupPairs"], [{"GroupId": group, "UserId": APP}], "so do groups in them")
    same(by["chat"]["IpPermissionsEgress"][0]["IpProtocol"], "-1", "everything may go out at first")
    refused("DependencyViolation", lambda: ec2.delete_security_group(GroupId=group), "a group in use stays")
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[{**https, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": rules[1]["SecurityGroupRuleId"], "SecurityGroupRule":
        {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "CidrIpv4": "10.2.0.0/16"}}])
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    same(sorted((r["IsEgress"], r["FromPort"]) for r in found), [(False, 443), (False, 8443), (True, 443)], "rules by group")
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rules[1]["SecurityGroupRuleId"]])
    refused("InvalidPermission.NotFound", lambda: ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "udp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]), "a rule that is not there")
    refused("CannotDelete", lambda: ec2.delete_security_group(GroupName="default"), "the default group stays")
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=group)


def test_policies():
    iam = here("iam", "us-east-1")
    text = document({"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"})
    arn = iam.create_policy(PolicyName="mine", PolicyDocument=text, Description="d", Tags=[{"Key": "a", "Value": "b"}])["Policy"]["Arn"]
    same(arn, f"arn:aws:iam::{APP}:policy/mine", "a policy is made")
    refused("EntityAlreadyExists", lambda: iam.create_policy(PolicyName="mine", PolicyDocument=text), "once")
    refused("MalformedPolicyDocument", lambda: iam.create_policy(PolicyName="bad", PolicyDocument="{}"), "with a document")
    refused("NoSuchEntity", lambda: iam.get_policy(PolicyArn=arn + "x"), "no such policy")
    trust = document({"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="lister", AssumeRolePolicyDocument=trust)
    refused("NoSuchEntity", lambda: iam.attach_role_policy(RoleName="lister", PolicyArn=arn + "x"), "nor to attach")
    iam.attach_role_policy(RoleName="lister", PolicyArn=arn)
    lister = assume(role(APP, "lister"), keys["app"])
    same(client("sns", "eu-west-1", lister).list_topics()["Topics"], [], "the policy means what it says")
    refused("AuthorizationError", lambda: client("sns", "eu-west-1", lister).create_topic(Name="x"), "and no more")
    same(iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"], "lister", "who has it")
    deny = document({"Effect": "Deny", "Action": "sns:*", "Resource": "*"})
    same(iam.create_policy_version(PolicyArn=arn, PolicyDocument=deny, SetAsDefault=True)["PolicyVersion"]["VersionId"], "v2", "a version")
    refused("AuthorizationError", lambda: client("sns", "eu-west-1", lister).list_topics(), "which counts now")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    same([v["VersionId"] for v in iam.list_policy_versions(PolicyArn=arn)["Versions"]], ["v2", "v1"], "the versions")
    same(iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"]["Statement"][0]["Effect"], "Deny", "one of them")
    refused("DeleteConflict", lambda: iam.delete_policy_version(PolicyArn=arn, VersionId="v1"), "the default version stays")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    refused("DeleteConflict", lambda: iam.delete_policy(PolicyArn=arn), "an attached policy stays")
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
    same(iam.list_policy_tags(PolicyArn=arn)["Tags"], [{"Key": "c", "Value": "d"}], "its tags")
    same([p["AttachmentCount"] for p in iam.list_policies(Scope="Local")["Policies"]], [1], "policies are listed")
    iam.detach_role_policy(RoleName="lister", PolicyArn=arn)
    iam.delete_role(RoleName="lister")
    iam.delete_policy(PolicyArn=arn)


def test_account():
    iam = here("iam", "us-east-1")
    refused("NoSuchEntity", iam.get_account_password_policy, "no password policy")
    iam.update_account_password_policy(MinimumPasswordLength=14, MaxPasswordAge=90)
    got = iam.get_account_password_policy()["PasswordPolicy"]
    same((got["MinimumPasswordLength"], got["ExpirePasswords"], got["RequireSymbols"]), (14, True, False), "then one")
    iam.delete_account_password_policy()
    refused("NoSuchEntity", iam.delete_account_password_policy, "which goes")
    iam.create_account_alias(AccountAlias="muster-app")
    same(iam.list_account_aliases()["AccountAliases"], ["muster-app"], "the account's alias")
    refused("EntityAlreadyExists", lambda: here("iam", "us-east-1", "security").create_account_alias(AccountAlias="muster-app"), "is its alone")
    iam.delete_account_alias(AccountAlias="muster-app")
    refused("NoSuchEntity", lambda: iam.delete_account_alias(AccountAlias="muster-app"), "and goes")


def lambda_errors(function, good):
    def made(**more):
        return function.create_function(**{**good, "FunctionName": "bad", **more})
    refused("ResourceConflictException", lambda: made(FunctionName="chat"), "a function is made once")
    refused("InvalidParameterValueException", lambda: made(Role=role(APP, "nobody")), "with a role that there is")
    refused("InvalidParameterValueException", lambda: made(Role=role(APP, "from-security")), "that trusts the service")
    refused("AccessDeniedException", lambda: made(Role=role(SECURITY, "x")), "of its own account")
    refused("InvalidParameterValueException", lambda: made(Code={"ZipFile": b"not a zip, but long enough"}), "with a zip")
    refused("InvalidParameterValueException", lambda: made(Code={"S3Bucket": "muster-none", "S3Key": "k"}), "or a bucket's object")
    refused("InvalidParameterValueException", lambda: made(Runtime="cobol"), "for a runtime")
    refused("InvalidParameterValueException", lambda: made(Environment={"Variables": {"AWS_REGION": "x"}}), "with variables of its own")
    refused("ValidationException", lambda: made(Timeout=901), "in a quarter of an hour")
    vpc = {"SubnetIds": ["subnet-0aa"], "SecurityGroupIds": ["sg-0aa"]}
    refused("InvalidParameterValueException", lambda: made(VpcConfig=vpc), "in a VPC only with the permissions")
    refused("ResourceNotFoundException", lambda: function.get_function(FunctionName="none"), "no such function")


def test_lambda():
    function = here("lambda")
    arn = f"arn:aws:lambda:eu-west-1:{APP}:function:chat"
    good = {"FunctionName": "chat", "Runtime": "python3.12", "Handler": "chat.handler", "Role": lambda_role("runner"),
            "Code": {"ZipFile": zipped("def handler(e, c): pass")}, "Environment": {"Variables": {"AA": "b"}}, "Tags": {"a": "b"}}
    made = function.create_function(**good)
    same((made["State"], made["Timeout"], made["FunctionArn"]), ("Pending", 3, arn), "a function is made")
    refused("ResourceConflictException", lambda: function.update_function_configuration(FunctionName="chat", Timeout=5), "and waits")
    settled(function, "chat")
    lambda_errors(function, good)
    got = function.get_function(FunctionName=arn)
    same((got["Configuration"]["State"], got["Tags"], got["Configuration"]["Environment"]["Variables"]), ("Active", {"a": "b"}, {"AA": "b"}), "by ARN")
    s3 = here("s3")
    s3.create_bucket(Bucket="muster-code", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="muster-code", Key="code.zip", Body=zipped("def handler(e, c): return 1"))
    function.update_function_code(FunctionName="chat", S3Bucket="muster-code", S3Key="code.zip")
    settled(function, "chat")
    ok(function.get_function_configuration(FunctionName="chat")["CodeSha256"] != made["CodeSha256"], "its code changes")
    refused("PreconditionFailedException", lambda: function.update_function_configuration(FunctionName="chat", RevisionId="x"), "as it was read")
    function.update_function_configuration(FunctionName="chat", Timeout=10, Description="d")
    same(function.get_function_configuration(FunctionName="chat")["LastUpdateStatus"], "InProgress", "a change takes a while")
    settled(function, "chat")
    reach = lambda_role("reacher", "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole")
    inside = {**good, "Role": reach, "VpcConfig": {"SubnetIds": ["subnet-0aa"], "SecurityGroupIds": ["sg-0aa"]}}
    function.create_function(**{**inside, "FunctionName": "inside"})
    strict = here("lambda", "eu-north-1")
    refused("InvalidParameterValueException", lambda: strict.create_function(**inside), "subnets are checked where they are known")
    strict.create_function(**{**inside, "VpcConfig": {"SubnetIds": ["subnet-0cc"], "SecurityGroupIds": [
        here("ec2", "eu-north-1").create_security_group(GroupName="f", Description="f", VpcId="vpc-0aa")["GroupId"]]}})
    same(len([f for p in function.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1}) for f in p["Functions"]]), 2, "in pages")
    permission = {"FunctionName": "chat", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com",
                  "SourceArn": f"arn:aws:sns:eu-west-1:{SECURITY}:alerts"}
    refused("ResourceNotFoundException", lambda: function.get_policy(FunctionName="chat"), "no permissions")
    function.add_permission(**permission)
    refused("ResourceConflictException", lambda: function.add_permission(**permission), "a permission is given once")
    refused("InvalidParameterValueException", lambda: function.add_permission(**{**permission, "StatementId": "t", "Principal": "me"}), "to somebody")
    same(json.loads(function.get_policy(FunctionName="chat")["Policy"])["Statement"][0]["Condition"],
         {"ArnLike": {"AWS:SourceArn": permission["SourceArn"]}}, "and comes back")
    function.remove_permission(FunctionName="chat", StatementId="s")
    refused("ResourceNotFoundException", lambda: function.remove_permission(FunctionName="chat", StatementId="s"), "and goes")
    function.tag_resource(Resource=arn, Tags={"c": "d"})
    function.untag_resource(Resource=arn, TagKeys=["a"])
    same(function.list_tags(Resource=arn)["Tags"], {"c": "d"}, "its tags")
    function.put_function_concurrency(FunctionName="chat", ReservedConcurrentExecutions=2)
    refused("InvalidParameterValueException", lambda: function.put_function_concurrency(FunctionName="chat", ReservedConcurrentExecutions=901), "some must be left")
    same(function.get_function_concurrency(FunctionName="chat")["ReservedConcurrentExecutions"], 2, "its concurrency")
    function.delete_function_concurrency(FunctionName="chat")
    same([v["Version"] for v in function.list_versions_by_function(FunctionName="chat")["Versions"]], ["$LATEST"], "its one version")
    same(function.get_function_code_signing_config(FunctionName="chat")["FunctionName"], "chat", "nothing signed")
    function.delete_function(FunctionName="chat")
    refused("ResourceNotFoundException", lambda: function.delete_function(FunctionName="chat"), "it goes")


def test_publishing():
    duty, s3, kms = here("guardduty"), here("s3", account="security"), here("kms", account="security")
    detector = duty.create_detector(Enable=True)["DetectorId"]
    s3.create_bucket(Bucket="muster-findings", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    key = kms.create_key()["KeyMetadata"]
    where = {"DestinationArn": "arn:aws:s3:::muster-findings", "KmsKeyArn": key["Arn"]}
    how = {"DetectorId": detector, "DestinationType": "S3", "DestinationProperties": where}
    refused("BadRequestException", lambda: duty.create_publishing_destination(**how), "a bucket that keeps it out")
    service = {"Service": "guardduty.amazonaws.com"}
    s3.put_bucket_policy(Bucket="muster-findings", Policy=document(
        allow(service, "s3:GetBucketLocation", where["DestinationArn"]), allow(service, "s3:PutObject", where["DestinationArn"] + "/*")))
    refused("BadRequestException", lambda: duty.create_publishing_destination(**how), "a key that keeps it out")
    kms.put_key_policy(KeyId=key["KeyId"], Policy=document(
        allow({"AWS": f"arn:aws:iam::{SECURITY}:root"}, "kms:*"), allow(service, "kms:GenerateDataKey")))
    made = duty.create_publishing_destination(**how, ClientToken="t")["DestinationId"]
    refused("BadRequestException", lambda: duty.create_publishing_destination(**how, ClientToken="u"), "one of a kind")
    far = here("kms", "us-east-1", "security").create_key(Policy=document(
        allow({"AWS": f"arn:aws:iam::{SECURITY}:root"}, "kms:*"), allow(service, "kms:GenerateDataKey")))["KeyMetadata"]["Arn"]
    elsewhere = here("guardduty", "ap-east-1")
    there = elsewhere.create_detector(Enable=True)["DetectorId"]
    refused("BadRequestException", lambda: elsewhere.create_publishing_destination(**{**how, "DetectorId": there}), "an opt-in region has its own principal")
    elsewhere.delete_detector(DetectorId=there)
    it = {"DetectorId": detector, "DestinationId": made}
    refused("BadRequestException", lambda: duty.update_publishing_destination(**it, DestinationProperties={"KmsKeyArn": far}), "bucket and key are in one region")
    same(duty.describe_publishing_destination(**it)["Status"], "PUBLISHING", "it publishes")
    duty.update_publishing_destination(**it, DestinationProperties={"DestinationArn": where["DestinationArn"] + "/x"})
    same(duty.describe_publishing_destination(**it)["DestinationProperties"]["DestinationArn"], where["DestinationArn"] + "/x", "elsewhere")
    same(len(duty.list_publishing_destinations(DetectorId=detector)["Destinations"]), 1, "it is listed")
    duty.delete_publishing_destination(**it)
    refused("BadRequestException", lambda: duty.describe_publishing_destination(**it), "it goes")
    duty.delete_detector(DetectorId=detector)
    s3.delete_bucket(Bucket="muster-findings")


def test_aggregators():
    config, theirs = here("config", account="security"), here("config")
    sources = [{"AccountIds": [APP], "AllAwsRegions": True}]
    made = config.put_configuration_aggregator(ConfigurationAggregatorName="all", AccountAggregationSources=sources, Tags=[{"Key": "a", "Value": "b"}])
    arn = made["ConfigurationAggregator"]["ConfigurationAggregatorArn"]
    same(config.put_configuration_aggregator(ConfigurationAggregatorName="all", AccountAggregationSources=sources)
         ["ConfigurationAggregator"]["ConfigurationAggregatorArn"], arn, "an aggregator, put twice")
    refused("InvalidParameterValueException", lambda: config.put_configuration_aggregator(ConfigurationAggregatorName="x"), "of something")
    refused("NoSuchConfigurationAggregatorException", lambda: config.describe_configuration_aggregators(ConfigurationAggregatorNames=["x"]), "none")
    same(len(config.describe_configuration_aggregators()["ConfigurationAggregators"]), 1, "it is listed")
    same(config.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "a", "Value": "b"}], "with its tags")
    config.delete_configuration_aggregator(ConfigurationAggregatorName="all")
    refused("NoSuchConfigurationAggregatorException", lambda: config.delete_configuration_aggregator(ConfigurationAggregatorName="all"), "it goes")
    theirs.put_aggregation_authorization(AuthorizedAccountId=SECURITY, AuthorizedAwsRegion="eu-west-1")
    refused("InvalidParameterValueException", lambda: theirs.put_aggregation_authorization(AuthorizedAccountId=SECURITY, AuthorizedAwsRegion="x"), "a region")
    same([a["AuthorizedAccountId"] for a in theirs.describe_aggregation_authorizations()["AggregationAuthorizations"]], [SECURITY], "an authorization")
    theirs.delete_aggregation_authorization(AuthorizedAccountId=SECURITY, AuthorizedAwsRegion="eu-west-1")
    linked = f"arn:aws:iam::{APP}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    theirs.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": linked})
    theirs.put_config_rule(ConfigRule={"ConfigRuleName": "on", "Source": {"Owner": "AWS", "SourceIdentifier": "CLOUD_TRAIL_ENABLED"}})
    theirs.start_config_rules_evaluation(ConfigRuleNames=["on"])
    refused("NoSuchConfigRuleException", lambda: theirs.start_config_rules_evaluation(ConfigRuleNames=["off"]), "no rule to start")
    same(theirs.describe_config_rule_evaluation_status(ConfigRuleNames=["on"])["ConfigRulesEvaluationStatus"][0]["FirstEvaluationStarted"], True, "a rule at work")
    theirs.delete_config_rule(ConfigRuleName="on")
    theirs.delete_configuration_recorder(ConfigurationRecorderName="default")


def test_sns_permissions():
    sns, theirs = here("sns", account="security"), here("sns")
    topic = sns.create_topic(Name="open")["TopicArn"]
    refused("AuthorizationError", lambda: theirs.get_topic_attributes(TopicArn=topic), "a topic that keeps others out")
    sns.add_permission(TopicArn=topic, Label="app", AWSAccountId=[APP], ActionName=["GetTopicAttributes"])
    refused("InvalidParameter", lambda: sns.add_permission(TopicArn=topic, Label="app", AWSAccountId=[APP], ActionName=["Publish"]), "a label is used once")
    same(theirs.get_topic_attributes(TopicArn=topic)["Attributes"]["TopicArn"], topic, "lets one in")
    sns.remove_permission(TopicArn=topic, Label="app")
    refused("NotFound", lambda: sns.remove_permission(TopicArn=topic, Label="app"), "and out again")
    protection = '{"Name": "x", "Version": "2021-06-01", "Statement": []}'
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=protection)
    same(sns.get_data_protection_policy(ResourceArn=topic)["DataProtectionPolicy"], protection, "data protection")
    mail = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com", ReturnSubscriptionArn=True)["SubscriptionArn"]
    refused("InvalidParameter", lambda: sns.confirm_subscription(TopicArn=topic, Token="x"), "a wrong token")
    same(sns.confirm_subscription(TopicArn=topic, Token=mail.split(":")[-1])["SubscriptionArn"], mail, "the right one confirms")
    ok(sns.publish(TopicArn=topic, Subject="s", Message="m")["MessageId"], "a message is taken")
    refused("InvalidParameter", lambda: sns.publish(TopicArn=topic, Message="{}", MessageStructure="json"), "with a text for everyone")
    sns.delete_topic(TopicArn=topic)
