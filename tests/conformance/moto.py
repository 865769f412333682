#!/usr/bin/env python3
"""The baseline on moto, a server that we did not write: 4 accounts, 3 regions. Prints TAP.

Applies, reads the facts back with boto3 under the roles of each account (nothing of muster's is asked), plans again
and wants no change, changes one property, updates many in place, mends what was changed behind its back, destroys
everything; then again, killed half-way; then over what exists already. What moto cannot do is left out of the baseline's copy in LEFT_OUT, each with the reason (docs/conformance.md).
The program is that of $MUSTER_BUILD (default: build)."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
sys.path = [p for p in sys.path if os.path.realpath(p or ".") != HERE]
try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    print("1..0 # SKIP boto3 is not installed")
    sys.exit(0)

SECURITY, NETWORK, PROD, DEV = "111111111111", "222222222222", "333333333333", "444444444444"
ACCOUNTS = (SECURITY, NETWORK, PROD, DEV)
HOME, REGIONS = "us-east-1", ("ap-northeast-1", "eu-west-1", "us-east-1")
BUCKET = f"muster-moto-logs-{SECURITY}"
TOPIC, FUNCTION = "muster-security-events", "muster-chat"
EVERYWHERE = [(account, region) for account in ACCOUNTS for region in REGIONS]
# What moto cannot do: (stack, path in it) and why.
LEFT_OUT = {
    ("chat", "Resources.Function.Properties.DeadLetterConfig"):
        "moto's GetFunction and GetFunctionConfiguration do not give DeadLetterConfig back",
}
# Parameters beside the shipped ones. GuardDuty's export is off: moto has no CreatePublishingDestination.
PARAMETERS = {"BucketPrefix": "muster-moto", "ExportFindings": "false", "Chat": "true", "ExtraBuses": "two",
              "ChatWebhook": {"Env": "MUSTER_CHAT_WEBHOOK"}}
WEBHOOK = "https://chat.example.com/hooks/secret"


class Tap:
    count = failed = 0

    def ok(self, good, what, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)
        if not good:
            print("\n".join("# " + line for line in str(detail).splitlines()[:30]))

    def same(self, got, wanted, what):
        self.ok(got == wanted, what, f"got    {got!r}\nwanted {wanted!r}")

    def everywhere(self, targets, look, wanted, what):
        """The same fact of many targets; `wanted` may depend on the target."""
        wrong = []
        for account, region in targets:
            want = wanted(account, region) if callable(wanted) else wanted
            try:
                got = look(account, region)
            except ClientError as error:
                got = str(error)
            if got != want:
                wrong.append(f"{account} {region}: got {got!r}, wanted {want!r}")
        self.ok(not wrong, f"{what} ({len(targets)} times)", "\n".join(wrong))


class Fleet:
    """A copy of the baseline for moto, muster over it, and boto3's view of each account."""

    def __init__(self, folder, url):
        self.folder, self.url, self.sessions = folder, url, {}
        self.muster_program = os.path.join(os.environ.get("MUSTER_BUILD") or os.path.join(ROOT, "build"), "muster")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and k not in ("http_proxy", "HTTP_PROXY")}
        self.environment = {
            **clean, "NO_COLOR": "1", "MUSTER_CHAT_WEBHOOK": WEBHOOK, "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "AKIAMOTO", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.com", "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@example.com"}

    def client(self, service, account, region=HOME):
        """boto3 in an account, by the way that muster goes: security account first, then on."""
        if account not in self.sessions:
            self.sessions[account] = self.assume(account)
        return boto3.client(service, region_name=region, endpoint_url=self.url, config=Config(retries={"total_max_attempts": 1}),
                            **self.sessions[account])

    def assume(self, account):
        keys = {"aws_access_key_id": "AKIAMOTO", "aws_secret_access_key": "secret"}
        for at, role in ((SECURITY, "security-admin"), (account, "from-security"))[:1 if account == SECURITY else 2]:
            sts = boto3.client("sts", region_name=HOME, endpoint_url=self.url, **keys)
            got = sts.assume_role(RoleArn=f"arn:aws:iam::{at}:role/{role}", RoleSessionName="judge")["Credentials"]
            keys = {"aws_access_key_id": got["AccessKeyId"], "aws_secret_access_key": got["SecretAccessKey"],
                    "aws_session_token": got["SessionToken"]}
        return keys

    def muster(self, *words):
        done = subprocess.run([self.muster_program, "-C", self.folder, *words], env=self.environment, capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def git(self, *words):
        subprocess.run(["git", "-C", self.folder, *words], env=self.environment, check=True, capture_output=True)

    def edit(self, path, change):
        """change(document) in place, committed."""
        path = os.path.join(self.folder, path)
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        change(document)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)

    def write(self):
        shutil.copytree(os.path.join(ROOT, "specs", "baseline"), self.folder, dirs_exist_ok=True)
        ec2 = self.client("ec2", NETWORK)
        subnet = ec2.describe_subnets()["Subnets"][0]
        group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"][0]
        self.subnet, self.group = subnet["SubnetId"], group["GroupId"]
        vpc = {"ChatSubnets": self.subnet, "ChatSecurityGroups": self.group}
        self.edit("muster.json", lambda d: (d.update(Lineage="01MOTO0000000000000000000", HomeRegion=HOME),
                                            d["Parameters"].update({**PARAMETERS, **vpc})))
        self.edit("accounts.json", lambda d: [a.update(Regions={"Include": list(REGIONS)}) for a in d["Accounts"]])
        self.edit("accounts.json", lambda d: [a["Tags"].append("bus-two") for a in d["Accounts"] if a["Id"] == DEV])
        for stack, path in LEFT_OUT:
            self.edit(f"stacks/{stack}.json", lambda d, path=path: remove(d, path.split(".")))
        self.git("init", "-q", "-b", "main")
        self.commit("The baseline")

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)


def remove(document, path):
    for name in path[:-1]:
        document = document[name]
    del document[path[-1]]


# -- Facts ----------------------------------------------------------------------------------------------------------

def statements(policy):
    return {s["Sid"]: s for s in json.loads(policy)["Statement"]}


def facts_recording(tap, fleet, wanted):
    def trail(account, region):
        client = fleet.client("cloudtrail", account, region)
        trails = client.describe_trails(includeShadowTrails=False)["trailList"]
        return [(t["Name"], t["S3BucketName"], t["IsMultiRegionTrail"], t["IncludeGlobalServiceEvents"],
                 t["LogFileValidationEnabled"], client.get_trail_status(Name=t["TrailARN"])["IsLogging"]) for t in trails]

    tap.everywhere(EVERYWHERE, trail, lambda _, region: [
        ("muster", BUCKET, False, region == "us-east-1", wanted["Validation"], True)], "one trail that logs")

    def recorder(account, region):
        client = fleet.client("config", account, region)
        got = client.describe_configuration_recorders()["ConfigurationRecorders"]
        status = client.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        return [(r["name"], r["roleARN"], r["recordingGroup"]["allSupported"], r["recordingGroup"]["includeGlobalResourceTypes"],
                 s["recording"]) for r, s in zip(got, status)]

    tap.everywhere(EVERYWHERE, recorder, lambda account, region: [
        ("default", f"arn:aws:iam::{account}:role/muster-config", True, region == HOME, True)], "one recorder that records")
    tap.everywhere(EVERYWHERE, lambda a, r: [
        (c["s3BucketName"], c["configSnapshotDeliveryProperties"]["deliveryFrequency"])
        for c in fleet.client("config", a, r).describe_delivery_channels()["DeliveryChannels"]],
        [(BUCKET, wanted["Snapshots"])], "one delivery channel")

    def detector(account, region):
        client = fleet.client("guardduty", account, region)
        got = [client.get_detector(DetectorId=i) for i in client.list_detectors()["DetectorIds"]]
        return [(d["Status"], d["FindingPublishingFrequency"]) for d in got]

    tap.everywhere(EVERYWHERE, detector, [("ENABLED", wanted["Findings"])], "one detector that is enabled")


def facts_detection(tap, fleet, wanted):
    def rules(account, region, bus="default"):
        client = fleet.client("events", account, region)
        found = {}
        for rule in client.list_rules(NamePrefix="muster-", EventBusName=bus)["Rules"]:
            targets = client.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]
            pattern = json.loads(rule["EventPattern"])
            found[rule["Name"]] = (rule["State"], pattern["detail-type"][0],
                                   [(t["Id"], t["Arn"].replace(region, "REGION"), t.get("RoleArn")) for t in targets])
        return found

    kinds = {"security-group-changes": "AWS API Call via CloudTrail", "guardduty-findings": "GuardDuty Finding",
             "compliance-changes": "Config Rules Compliance Change"}

    def forwards(account, region):
        bus = "muster-two" if account == DEV else "default"
        target = ("security", f"arn:aws:events:REGION:{SECURITY}:event-bus/{bus}", f"arn:aws:iam::{account}:role/muster-events")
        return {f"muster-{name}": ("ENABLED", kind, [target]) for name, kind in kinds.items()}

    others = [(a, r) for a, r in EVERYWHERE if a != SECURITY]
    tap.everywhere(others, rules, forwards, "three rules that send to the security account's bus")
    posts = {f"muster-post-{name}": ("ENABLED", kind, [("topic", f"arn:aws:sns:REGION:{SECURITY}:{TOPIC}", None)])
             for name, kind in kinds.items()}
    central = [(SECURITY, r) for r in REGIONS]
    tap.everywhere(central, rules, posts, "three rules that post to the topic")
    tap.everywhere(central, lambda a, r: rules(a, r, "muster-two"), posts, "and three on the second bus")
    pattern = json.loads(fleet.client("events", PROD).describe_rule(Name="muster-security-group-changes")["EventPattern"])
    tap.ok({"StopLogging", "DeleteDetector", "AuthorizeSecurityGroupIngress"} <= set(pattern["detail"]["eventName"]),
           "the pattern has the calls that switch recording off", pattern)
    tap.everywhere(EVERYWHERE, lambda a, r: sorted(
        (c["ConfigRuleName"], c["Source"]["SourceIdentifier"], c["MaximumExecutionFrequency"])
        for c in fleet.client("config", a, r).describe_config_rules()["ConfigRules"]),
        [("muster-cloudtrail-enabled", "CLOUD_TRAIL_ENABLED", wanted["Checks"]),
         ("muster-guardduty-enabled", "GUARDDUTY_ENABLED_CENTRALIZED", "One_Hour")], "two managed Config rules")


def facts_access(tap, fleet, wanted):
    home = [(account, HOME) for account in ACCOUNTS]

    def config_role(account, _):
        iam = fleet.client("iam", account)
        trust = iam.get_role(RoleName="muster-config")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]
        attached = iam.list_attached_role_policies(RoleName="muster-config")["AttachedPolicies"]
        return trust["Principal"], trust["Condition"], [p["PolicyArn"] for p in attached]

    tap.everywhere(home, config_role, lambda account, _: (
        {"Service": "config.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": account}},
        ["arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"]), "Config's role")

    def event_role(account, _):
        iam = fleet.client("iam", account)
        inline = iam.get_role_policy(RoleName="muster-events", PolicyName="put-events")["PolicyDocument"]["Statement"]
        return iam.get_role(RoleName="muster-events")["Role"]["Description"], [(s["Action"], s["Resource"]) for s in inline]

    tap.everywhere(home, event_role, lambda account, _: (wanted["EventRole"], [
        ("events:PutEvents", f"arn:aws:events:*:{SECURITY}:event-bus/{'muster-two' if account == DEV else 'default'}")]),
        "EventBridge's role")
    central = [(SECURITY, r) for r in REGIONS]

    def senders(region, bus):
        got = statements(fleet.client("events", SECURITY, region).describe_event_bus(Name=bus)["Policy"])["muster-accounts"]
        ids = got["Principal"]["AWS"]
        return got["Action"], sorted(ids if isinstance(ids, list) else [ids])

    tap.everywhere(central, lambda _, r: senders(r, "default"), ("events:PutEvents", [NETWORK, PROD]), "the bus takes two accounts")
    tap.everywhere(central, lambda _, r: senders(r, "muster-two"), ("events:PutEvents", [DEV]), "the second bus one")

    def topic(_, region):
        got = fleet.client("sns", SECURITY, region).get_topic_attributes(TopicArn=f"arn:aws:sns:{region}:{SECURITY}:{TOPIC}")
        policy = statements(got["Attributes"]["Policy"])
        return (got["Attributes"]["DisplayName"], policy["EventBridgePublishes"]["Principal"], policy["ChatAccountSubscribes"]["Action"],
                str(policy["ChatAccountSubscribes"]["Principal"]["AWS"]).strip("[]'"))

    tap.everywhere(central, topic, (wanted["Topic"], {"Service": "events.amazonaws.com"}, "sns:Subscribe",
                                    f"arn:aws:iam::{NETWORK}:root"), "the topic and its policy")


def facts_archive(tap, fleet, wanted):
    s3 = fleet.client("s3", SECURITY)
    b = {"Bucket": BUCKET}
    tap.same(s3.get_bucket_versioning(**b)["Status"], "Enabled", "the bucket keeps versions")
    tap.same(s3.get_public_access_block(**b)["PublicAccessBlockConfiguration"], {
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}, "... is not public")
    tap.same(s3.get_bucket_encryption(**b)["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"],
             {"SSEAlgorithm": "AES256"}, "... is encrypted")
    tap.same(s3.get_bucket_ownership_controls(**b)["OwnershipControls"]["Rules"], [{"ObjectOwnership": "BucketOwnerEnforced"}],
             "... belongs to its owner")
    rule = s3.get_bucket_lifecycle_configuration(**b)["Rules"][0]
    tap.same((rule["Status"], rule["Expiration"].get("Days"), rule["NoncurrentVersionExpiration"]["NoncurrentDays"],
              rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]), ("Enabled", wanted["LogDays"], 30, 7), "... deletes in time")
    policy = statements(s3.get_bucket_policy(**b)["Policy"])
    tap.same(sorted(policy), ["OnlyEncryptedOnTheWay", "OnlyForAccountsOnTheRoster", "ServicesDeliver", "ServicesSeeTheBucket"],
             "... has its policy")
    tap.same(policy["ServicesDeliver"]["Principal"]["Service"], ["cloudtrail.amazonaws.com", "config.amazonaws.com"], "... that lets deliver")
    tap.same(policy["OnlyForAccountsOnTheRoster"]["Condition"]["StringNotEquals"]["aws:SourceAccount"], list(ACCOUNTS),
             "... and names the roster")


def facts_chat(tap, fleet, wanted):
    client = fleet.client("lambda", NETWORK)
    got = client.get_function_configuration(FunctionName=FUNCTION)
    tap.same((got["Runtime"], got["Handler"], got["Timeout"], got["Role"], got["Environment"]["Variables"]),
             ("python3.13", "index.handler", wanted["Timeout"], f"arn:aws:iam::{NETWORK}:role/muster-chat", {"WEBHOOK_URL": WEBHOOK}),
             "the chat function")
    tap.same((got["VpcConfig"]["SubnetIds"], got["VpcConfig"]["SecurityGroupIds"]), ([fleet.subnet], [fleet.group]), "... is in the VPC")
    # The source is longer than a kilobyte however well it is packed.
    tap.ok(got["CodeSize"] > 1000, "... has its code", got["CodeSize"])
    policy = json.loads(client.get_policy(FunctionName=FUNCTION)["Policy"])["Statement"]
    topics = sorted(f"arn:aws:sns:{r}:{SECURITY}:{TOPIC}" for r in REGIONS)
    tap.same(sorted(s["Condition"]["ArnLike"]["AWS:SourceArn"] for s in policy), topics, "... may be called by the topics")
    # moto keeps a subscription with the account that made it, AWS with the topic's as well.
    tap.everywhere([(NETWORK, r) for r in REGIONS], lambda a, r: [
        (s["TopicArn"], s["Protocol"], s["Endpoint"]) for s in fleet.client("sns", a, r).list_subscriptions()["Subscriptions"]],
        lambda _, r: [(f"arn:aws:sns:{r}:{SECURITY}:{TOPIC}", "lambda", f"arn:aws:lambda:{HOME}:{NETWORK}:function:{FUNCTION}")],
        "... and is subscribed to the topic")
    group = fleet.client("logs", NETWORK).describe_log_groups(logGroupNamePrefix="/aws/lambda/muster-chat")["logGroups"]
    tap.same([(g["logGroupName"], g["retentionInDays"]) for g in group], [("/aws/lambda/muster-chat", 90)], "its log")
    role = fleet.client("iam", NETWORK).get_role_policy(RoleName="muster-chat", PolicyName="chat")["PolicyDocument"]["Statement"]
    tap.same(role[1]["Resource"], f"arn:aws:sqs:{HOME}:{NETWORK}:muster-chat-failed", "its role may leave what failed")
    attributes = fleet.client("sqs", NETWORK).get_queue_attributes(
        QueueUrl=fleet.client("sqs", NETWORK).get_queue_url(QueueName="muster-chat-failed")["QueueUrl"], AttributeNames=["All"])
    tap.same(attributes["Attributes"]["MessageRetentionPeriod"], "1209600", "... in a queue")


FIRST = {"Validation": True, "Findings": "FIFTEEN_MINUTES", "Snapshots": "TwentyFour_Hours", "Checks": "One_Hour", "Timeout": 60,
         "EventRole": "EventBridge sends security events to the security account with this role", "Topic": "Security events",
         "LogDays": 400}


def facts(tap, fleet, wanted):
    for part in (facts_recording, facts_detection, facts_access, facts_archive, facts_chat):
        try:
            part(tap, fleet, wanted)
        except (ClientError, LookupError) as error:
            tap.ok(False, f"{part.__name__} can be read to its end", f"{type(error).__name__}: {error}")


def leftovers(fleet):
    """What is there of all that the baseline makes."""
    found = []
    for account, region in EVERYWHERE:
        get = lambda service: fleet.client(service, account, region)
        kept = (get("cloudtrail").describe_trails(includeShadowTrails=False)["trailList"]
                + get("config").describe_configuration_recorders()["ConfigurationRecorders"]
                + get("config").describe_delivery_channels()["DeliveryChannels"]
                + get("config").describe_config_rules()["ConfigRules"]
                + get("guardduty").list_detectors()["DetectorIds"]
                + [b["Name"] for b in get("events").list_event_buses()["EventBuses"] if b["Name"] != "default"]
                + get("events").list_rules()["Rules"]
                + [t for t in get("sns").list_topics()["Topics"]] + get("sns").list_subscriptions()["Subscriptions"]
                + get("lambda").list_functions()["Functions"] + get("logs").describe_log_groups()["logGroups"]
                + get("sqs").list_queues().get("QueueUrls", []))
        policy = get("events").describe_event_bus().get("Policy")
        if policy and json.loads(policy)["Statement"]:
            kept.append(policy)
        if region == HOME:
            kept += [b["Name"] for b in get("s3").list_buckets()["Buckets"]]
            kept += [r["RoleName"] for r in get("iam").list_roles()["Roles"] if r["RoleName"].startswith("muster")]
        found += [f"{account} {region}: {thing}" for thing in kept]
    return found


# -- The course of it -------------------------------------------------------------------------------------------------

def planned(fleet, *words):
    """A plan's actions by address without the target: {("update", "recording/Trail"): 12}."""
    path = os.path.join(fleet.folder, "..", "plan.json")
    status, out, err = fleet.muster("plan", "--out", path, "--detailed-exitcode", *words)
    if status == 0:
        return {}, out
    if status != 2:
        return {"failed": err}, out
    with open(path, encoding="utf-8") as file:
        plan = json.load(file)
    found = {}
    for change in plan["resource_changes"]:
        key = ("+".join(change["change"]["actions"]), change["address"].split("/", 2)[2])
        if key[0] not in ("no-op", "read"):
            found[key] = found.get(key, 0) + 1
    return found, out


def apply(tap, fleet, what):
    start = time.time()
    status, out, err = fleet.muster("apply", os.path.join(fleet.folder, "..", "plan.json"))
    tap.ok(status == 0, f"{what} is applied in {time.time() - start:.1f} s", out + err)


def quiet(tap, fleet, what):
    changes, out = planned(fleet)
    tap.ok(changes == {}, f"{what}: a second plan is quiet", f"{changes}\n{out}")


def first(tap, fleet):
    status, out, err = fleet.muster("access")
    tap.ok(status == 0 and out.count("  ok  ") == 4, "every account can be entered", out + err)
    changes, out = planned(fleet)
    tap.ok(set(a for a, _ in changes) == {"create"} and changes.get(("create", "recording/Trail")) == 12, "a first plan creates", out)
    tap.ok(WEBHOOK not in out, "... and does not show the webhook")
    tap.same(leftovers(fleet), [], "... and makes nothing")
    apply(tap, fleet, f"the baseline ({sum(changes.values())} resources)")
    facts(tap, fleet, FIRST)
    quiet(tap, fleet, "after the first apply")


def one_change(tap, fleet):
    fleet.edit("muster.json", lambda d: d["Parameters"].update(FindingFrequency="ONE_HOUR"))
    fleet.commit("Publish findings hourly")
    changes, out = planned(fleet)
    tap.same(changes, {("update", "recording/Detector"): 12}, "one parameter changes one resource in every target")
    tap.same(out.count("FindingPublishingFrequency"), 1, "... shown once")
    apply(tap, fleet, "the change")
    facts_recording(tap, fleet, {**FIRST, "Findings": "ONE_HOUR"})
    quiet(tap, fleet, "after the change")


def many_updates(tap, fleet):
    def set_property(stack, resource, name, value):
        fleet.edit(f"stacks/{stack}.json", lambda d: d["Resources"][resource]["Properties"].update({name: value}))

    set_property("recording", "Trail", "EnableLogFileValidation", False)
    set_property("recording", "Channel", "ConfigSnapshotDeliveryProperties", {"DeliveryFrequency": "Six_Hours"})
    set_property("detection", "CloudTrailEnabled", "MaximumExecutionFrequency", "Six_Hours")
    set_property("event-access", "EventRole", "Description", "Sends")
    set_property("notification", "Topic", "DisplayName", "Alarms")
    fleet.edit("muster.json", lambda d: d["Parameters"].update(LogDays=30, ChatTimeout=90))
    fleet.commit("Many things in place")
    changes, out = planned(fleet)
    tap.same(changes, {("update", "recording/Trail"): 12, ("update", "recording/Channel"): 12,
                       ("update", "detection/CloudTrailEnabled"): 12, ("update", "event-access/EventRole"): 4,
                       ("update", "notification/Topic"): 3, ("update", "log-archive/Bucket"): 1, ("update", "chat/Function"): 1},
             "many properties change in place, and nothing else")
    apply(tap, fleet, "the update")
    facts(tap, fleet, {"Validation": False, "Findings": "ONE_HOUR", "Snapshots": "Six_Hours", "Checks": "Six_Hours", "Timeout": 90,
                       "EventRole": "Sends", "Topic": "Alarms", "LogDays": 30})
    quiet(tap, fleet, "after the update")


def mending(tap, fleet):
    fleet.client("cloudtrail", PROD, "eu-west-1").stop_logging(Name="muster")
    fleet.client("config", DEV, "eu-west-1").stop_configuration_recorder(ConfigurationRecorderName="default")
    events = fleet.client("events", PROD, "us-east-1")
    events.remove_targets(Rule="muster-guardduty-findings", Ids=["security"])
    duty = fleet.client("guardduty", NETWORK, "ap-northeast-1")
    duty.delete_detector(DetectorId=duty.list_detectors()["DetectorIds"][0])
    changes, out = planned(fleet)
    tap.same(changes, {("update", "recording/Trail"): 1, ("update", "recording/Recorder"): 1, ("update", "detection/FindingRule"): 1,
                       ("create", "recording/Detector"): 1}, "what was changed behind its back is seen")
    apply(tap, fleet, "the mending")
    facts_recording(tap, fleet, {"Validation": False, "Findings": "ONE_HOUR", "Snapshots": "Six_Hours"})
    quiet(tap, fleet, "after the mending")


def destruction(tap, fleet):
    changes, out = planned(fleet, "--destroy")
    tap.same({a for a, _ in changes}, {"delete"}, "destruction is planned")
    apply(tap, fleet, "it")
    status, out, _ = fleet.muster("state", "list")
    tap.same((status, out), (0, ""), "nothing is recorded any more")
    tap.same(leftovers(fleet), [], "nothing is left")


def killed(tap, fleet):
    """Cut off again and again, then to its end. moto makes a second detector without a word: forgetting would show."""
    fleet.edit("muster.json", lambda d: d["Parameters"].update(FindingFrequency="FIFTEEN_MINUTES"))
    fleet.commit("Once more")
    for enough in (5, 20, 20):
        with subprocess.Popen([fleet.muster_program, "-C", fleet.folder, "apply", "--auto-approve"], env=fleet.environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            for line in process.stderr:
                enough -= ": created" in line
                if enough == 0:
                    process.kill()
                    break
        recorded = fleet.muster("state", "list")[1].count("\n")
        tap.ok(enough == 0 and process.returncode == -9, f"an apply was killed, with {recorded} resources recorded")
    status, out, err = fleet.muster("apply", "--auto-approve")
    tap.ok(status == 0, "the fourth comes to its end", out + err)
    facts(tap, fleet, {"Validation": False, "Findings": "FIFTEEN_MINUTES", "Snapshots": "Six_Hours", "Checks": "Six_Hours",
                       "Timeout": 90, "EventRole": "Sends", "Topic": "Alarms", "LogDays": 30})
    quiet(tap, fleet, "after that")


def adoption(tap, fleet):
    """What exists already is an error until it is adopted, and stays when the rest is destroyed."""
    duty, sns = fleet.client("guardduty", DEV, "eu-west-1"), fleet.client("sns", SECURITY, "eu-west-1")
    made = duty.create_detector(Enable=True, FindingPublishingFrequency="SIX_HOURS")["DetectorId"]
    topic = sns.create_topic(Name=TOPIC, Attributes={"DisplayName": "Older"})["TopicArn"]
    status, out, err = fleet.muster("plan")
    said = "app-dev/eu-west-1/recording/Detector" in err and "security/eu-west-1/notification/Topic" in err
    tap.ok(status == 1 and said, "what exists is an error", out[-2000:] + err)
    changes, out = planned(fleet, "--adopt", "*/eu-west-1/recording/Detector", "--adopt", "*/notification/Topic")
    tap.ok("adopt" in out, "... until it is adopted", out)
    apply(tap, fleet, "adoption")
    tap.same(duty.list_detectors()["DetectorIds"], [made], "the detector is the one that was there")
    tap.same(duty.get_detector(DetectorId=made)["FindingPublishingFrequency"], "FIFTEEN_MINUTES", "... as the spec says")
    quiet(tap, fleet, "after adoption")
    planned(fleet, "--destroy")
    apply(tap, fleet, "destruction")
    left = leftovers(fleet)
    tap.ok(len(left) == 2 and made in left[1] + left[0] and topic in left[0] + left[1], "the adopted stay, and nothing else", left)


@contextlib.contextmanager
def moto():
    """A server's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    with subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", str(port)], env=environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/").close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def main():
    if shutil.which("moto_server") is None:
        print("1..0 # SKIP moto (moto_server) is not installed")
        return 0
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder, moto() as url:
        fleet = Fleet(os.path.join(folder, "fleet"), url)
        if not os.access(fleet.muster_program, os.X_OK):
            print(f"1..0 # SKIP {fleet.muster_program} is not built")
            return 0
        fleet.write()
        for part in (first, one_change, many_updates, mending, destruction, killed, destruction, adoption):
            print(f"# {part.__name__}")
            part(tap, fleet)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
