#!/usr/bin/env python3
"""Terraform's AWS provider as a judge. Prints TAP.

terraform.stack.json and terraform.tf describe the same things. In one account of the sandbox muster makes them and
Terraform imports them: its plan may change nothing. In another one Terraform makes them from nothing and muster adopts
them: its plan may change nothing, and when muster lets go of them again they are all still there. In the end each
destroys what it made (docs/conformance.md). The program is that of $MUSTER_BUILD (default: build); the provider's mirror that of
$TF_PLUGIN_MIRROR, or one found in a usual place."""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
BUILD = os.path.realpath(os.environ.get("MUSTER_BUILD") or os.path.join(ROOT, "build"))
REGION = "eu-west-1"
PROVIDER = "registry.terraform.io/hashicorp/aws"
CODE = "def handler(event, context):\n    return event\n"
# Where each resource of terraform.tf is in terraform.stack.json, and how Terraform names it: with the record's
# properties and attributes, and ACCOUNT.
IMPORTS = {
    "aws_sns_topic.topic": ("Topic", "{TopicArn}"),
    "aws_sns_topic_policy.topic": ("TopicPolicy", "{Topics[0]}"),
    "aws_sqs_queue.queue": ("Queue", "{QueueUrl}"),
    "aws_sqs_queue_policy.queue": ("QueuePolicy", "{Queues[0]}"),
    "aws_cloudwatch_event_bus.bus": ("Bus", "{Name}"),
    "aws_cloudwatch_event_permission.bus": ("BusPolicy", "{EventBusName}/{StatementId}"),
    "aws_cloudwatch_event_rule.rule": ("Rule", "{Name}"),
    "aws_cloudwatch_event_target.rule": ("Rule", "{Name}/topic"),
    "aws_s3_bucket.bucket": ("Bucket", "{BucketName}"),
    "aws_s3_bucket_versioning.bucket": ("Bucket", "{BucketName}"),
    "aws_s3_bucket_server_side_encryption_configuration.bucket": ("Bucket", "{BucketName}"),
    "aws_s3_bucket_public_access_block.bucket": ("Bucket", "{BucketName}"),
    "aws_s3_bucket_ownership_controls.bucket": ("Bucket", "{BucketName}"),
    "aws_s3_bucket_lifecycle_configuration.bucket": ("Bucket", "{BucketName}"),
    "aws_s3_bucket_policy.bucket": ("BucketPolicy", "{Bucket}"),
    "aws_kms_key.key": ("Key", "{KeyId}"),
    "aws_kms_alias.alias": ("Alias", "{AliasName}"),
    "aws_iam_role.recorder": ("RecorderRole", "{RoleName}"),
    "aws_iam_role_policy_attachment.recorder": ("RecorderRole", "{RoleName}/{ManagedPolicyArns[0]}"),
    "aws_iam_role_policy.deliver": ("RolePolicy", "{RoleName}:{PolicyName}"),
    "aws_iam_policy.see": ("ManagedPolicy", "{PolicyArn}"),
    "aws_iam_role.function": ("FunctionRole", "{RoleName}"),
    "aws_iam_role_policy_attachment.see": ("ManagedPolicy", "{Roles[0]}/{PolicyArn}"),
    "aws_iam_role_policy.log": ("FunctionPolicy", "{Roles[0]}:{PolicyName}"),
    "aws_iam_service_linked_role.config":
        ("ServiceRole", "arn:aws:iam::{ACCOUNT}:role/aws-service-role/{AWSServiceName}/{RoleName}"),
    "aws_cloudtrail.trail": ("Trail", "{Arn}"),
    "aws_config_configuration_recorder.recorder": ("Recorder", "{Name}"),
    "aws_config_configuration_recorder_status.recorder": ("Recorder", "{Name}"),
    "aws_config_delivery_channel.channel": ("Channel", "{Name}"),
    "aws_config_config_rule.trail_on": ("ConfigRule", "{ConfigRuleName}"),
    "aws_config_configuration_aggregator.fleet": ("Aggregator", "{ConfigurationAggregatorName}"),
    "aws_config_aggregate_authorization.other": ("Authorization", "{AuthorizedAccountId}:{AuthorizedAwsRegion}"),
    "aws_guardduty_detector.detector": ("Detector", "{Id}"),
    "aws_guardduty_publishing_destination.bucket": ("Destination", "{DetectorId}:{Id}"),
    "aws_securityhub_account.hub": ("Hub", "{ACCOUNT}"),
    "aws_accessanalyzer_analyzer.outside": ("Analyzer", "{AnalyzerName}"),
    "aws_cloudwatch_log_group.log": ("Log", "{LogGroupName}"),
    "aws_lambda_function.function": ("Function", "{FunctionName}"),
    "aws_lambda_permission.sns": ("Permission", "{FunctionName}/{Id}"),
    "aws_sns_topic_subscription.function": ("Subscription", "{Arn}"),
    "aws_cloudwatch_metric_alarm.errors": ("Alarm", "{AlarmName}"),
    "aws_security_group.chat": ("Group", "{GroupId}"),
    "aws_ssm_parameter.x": ("Parameter", "{Name}"),
}
# What Terraform keeps to itself: arguments that say how it works and that no service knows, so that an import cannot
# bring them back.
OWN = {
    "aws_kms_key.key": {"bypass_policy_lockout_safety_check"},
    "aws_lambda_function.function": {"filename", "publish"},
    "aws_sns_topic_subscription.function": {"confirmation_timeout_in_minutes", "endpoint_auto_confirms"},
}
# What no service tells, so that an adoption sets it.
NOT_TOLD = {"Function": {"Code"}, "Hub": {"EnableDefaultStandards"}}
# What such an adoption changes in the sandbox.
TOUCHED = ("/lambda/Functions/judge-chat/ChangedMs", "/lambda/Functions/judge-chat/RevisionId",
           "/lambda/Functions/judge-chat/CodeS")


class Tap:
    count = failed = 0

    def ok(self, good, what, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}", flush=True)
        if not good:
            print("\n".join("# " + line for line in str(detail).splitlines()[:60]), flush=True)
        return good

    def same(self, got, wanted, what):
        return self.ok(got == wanted, what, f"got    {got!r}\nwanted {wanted!r}")


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


class Side:
    """One account, and both programs over it."""

    def __init__(self, folder, url, account, key, mirror):
        self.folder, self.url, self.account = os.path.join(folder, account), url, account
        self.fleet, self.terra = os.path.join(self.folder, "fleet"), os.path.join(self.folder, "terraform")
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith(("AWS_", "TF_", "MUSTER_")) and k not in ("http_proxy", "HTTP_PROXY")}
        config = os.path.join(self.folder, "terraform.rc")
        self.environment = {
            **clean, "NO_COLOR": "1", "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.com",
            "GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "test@example.com", "TF_CLI_CONFIG_FILE": config,
            "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_VAR_account": account, "TF_VAR_region": REGION,
            "TF_VAR_code": os.path.join(self.terra, "code.zip")}
        for sub in (os.path.join(self.fleet, "stacks"), os.path.join(self.fleet, "files"), self.terra):
            os.makedirs(sub)
        self.write(config, f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n'
                           f'    include = ["{PROVIDER}"]\n  }}\n}}\n')
        self.write_fleet()
        shutil.copy(os.path.join(HERE, "terraform.tf"), os.path.join(self.terra, "main.tf"))

    @staticmethod
    def write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def write_fleet(self):
        put = lambda name, what: self.write(os.path.join(self.fleet, name), json.dumps(what, indent=2))
        put("muster.json", {"Version": 1, "HomeRegion": REGION, "Access": {"Role": None}, "Lineage": "01TERRAFORM00000000000000"})
        put("accounts.json", {"Accounts": [{"Name": "judged", "Id": self.account, "Regions": {"Include": [REGION]}}]})
        shutil.copy(os.path.join(HERE, "terraform.stack.json"), os.path.join(self.fleet, "stacks", "judged.json"))
        self.write(os.path.join(self.fleet, "files", "index.py"), CODE)
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "What is judged")):
            subprocess.run(["git", "-C", self.fleet, *words], env=self.environment, check=True, capture_output=True)

    def write_code(self, content=None):
        """The zip that Terraform uploads: made here, or the one that the function has."""
        path = self.environment["TF_VAR_code"]
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
            return
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("index.py", (2000, 1, 1, 0, 0, 0)), CODE)

    def muster(self, *words):
        done = subprocess.run([os.path.join(BUILD, "muster"), "-C", self.fleet, *words], env=self.environment,
                              capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout, done.stderr

    def terraform(self, *words):
        done = subprocess.run(["terraform", f"-chdir={self.terra}", *words], env=self.environment, capture_output=True,
                              text=True, check=False, timeout=600, stdin=subprocess.DEVNULL)
        return done.returncode, done.stderr if done.returncode == 1 else done.stdout

    def use_key(self):
        """The key that Terraform made, for muster's stack."""
        with open(os.path.join(self.terra, "terraform.tfstate"), encoding="utf-8") as file:
            key = [r for r in json.load(file)["resources"] if r["type"] == "aws_kms_key"][0]["instances"][0]["attributes"]
        path = os.path.join(self.fleet, "muster.json")
        with open(path, encoding="utf-8") as file:
            settings = json.load(file)
        self.write(path, json.dumps({**settings, "Parameters": {"ExistingKey": key["key_id"]}}, indent=2))
        subprocess.run(["git", "-C", self.fleet, "commit", "-qam", "The key"], env=self.environment, check=True)

    def records(self):
        _, out, _ = self.muster("state", "list")
        found = {}
        for address in out.split():
            record = json.loads(self.muster("state", "show", address, "--json")[1])
            found[address.rsplit("/", 1)[1]] = {**record["Properties"], **record.get("Attributes", {}), "ACCOUNT": self.account}
        return found

    def world(self):
        """All that the sandbox holds in the account, without what differs by itself."""
        return fetch(f"{self.url}/_sandbox/dump").get(self.account)


def planned(side):
    """Terraform's plan: what it would do, {address: {argument: (before, after)}}."""
    status, text = side.terraform("plan", "-input=false", "-no-color", "-parallelism=4", "-out=plan", "-detailed-exitcode")
    if status != 2:
        return ({} if status == 0 else None), text
    _, shown = side.terraform("show", "-json", "plan")
    plan = json.loads(shown)
    found = {}
    for resource in plan.get("resource_changes", []):
        change = resource["change"]
        if change["actions"] == ["no-op"]:
            continue
        before, after = change["before"] or {}, change["after"] or {}
        unknown = change.get("after_unknown") or {}
        found[resource["address"]] = {name: (before.get(name), "(unknown)" if unknown.get(name) else after.get(name))
                                      for name in sorted({*before, *after, *unknown})
                                      if unknown.get(name) or before.get(name) != after.get(name)}
    return found, text


def own_without(changes):
    """What is left without Terraform's own arguments."""
    left = {address: {n: v for n, v in change.items() if n not in OWN.get(address, ())} for address, change in changes.items()}
    return {address: change for address, change in left.items() if change}


def lines(changes):
    return "\n".join(f"{address}.{name}: {before!r} -> {after!r}" for address, change in changes.items()
                     for name, (before, after) in (change or {"": ("?", "?")}).items())


def imports(side):
    records = side.records()
    blocks = []
    for address, (logical, name) in IMPORTS.items():
        blocks.append(f'import {{\n  to = {address}\n  id = "{name.format(**records[logical])}"\n}}\n')
    side.write(os.path.join(side.terra, "imports.tf"), "\n".join(blocks))
    side.environment["TF_VAR_permission"] = records["Permission"]["Id"]


def muster_first(side, tap):
    status, out, err = side.muster("apply", "--auto-approve")
    if not tap.ok(status == 0, "muster makes all that the stack says", out + err):
        return
    imports(side)
    side.write_code()
    before = side.world()
    changes, text = planned(side)
    if not tap.ok(changes is not None, f"Terraform finds and reads all {len(IMPORTS)} by their ids", text):
        return
    tap.same(lines(own_without(changes)), "", "... and would change nothing")
    status, text = side.terraform("apply", "-input=false", "-no-color", "-parallelism=4", "plan")
    tap.ok(status == 0, "... takes them over", text)
    tap.ok(side.world() == before, "... and has changed nothing", difference(before, side.world()))
    changes, text = planned(side)
    tap.ok(changes == {}, "a second plan of Terraform's is quiet", lines(changes or {}) or text)
    status, out, err = side.muster("plan", "--detailed-exitcode")
    tap.ok(status == 0, "and so is one of muster's", out + err)
    status, out, err = side.muster("apply", "--destroy", "--auto-approve")
    tap.ok(status == 0, "muster destroys them", out + err)
    tap.same(leftovers(side.world()), [], "... and leaves nothing")


def leftovers(world):
    """What is there but for keys that wait for their deletion, and for the services' own roles."""
    return [f"{region} {service} {kind} {name}"
            for region, services in world.items() for service, kinds in services.items() for kind, things in kinds.items()
            for name, thing in (things.items() if isinstance(things, dict) else [("", things)])
            if not (isinstance(thing, dict) and ("DeletionMs" in thing or "_BuiltIn" in thing))
            and not name.startswith("AWSServiceRole")]


def terraform_first(side, tap):
    side.write_code()
    status, text = side.terraform("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=4")
    if not tap.ok(status == 0, f"Terraform makes all {len(IMPORTS)}", text):
        return
    before = side.world()
    side.use_key()
    status, out, err = side.muster("plan")
    tap.ok(status == 1 and "--adopt" in err, "muster takes over nothing unasked", out + err)
    adoption(side, tap)
    tap.same(difference(before, side.world()), "", "... and has changed nothing")
    status, out, err = side.muster("plan", "--detailed-exitcode")
    tap.ok(status == 0, "a second plan of muster's is quiet", out + err)
    changes, text = planned(side)
    tap.ok(changes == {}, "a plan of Terraform's is quiet, too", lines(changes or {}) or text)
    status, out, err = side.muster("apply", "--destroy", "--auto-approve")
    tap.ok(status == 0, "muster lets go of all", out + err)
    tap.same(difference(before, side.world()), "", "... and leaves them as they are")
    status, text = side.terraform("destroy", "-auto-approve", "-input=false", "-no-color", "-parallelism=4")
    tap.ok(status == 0, "Terraform destroys them", text)
    tap.same(leftovers(side.world()), [], "... and leaves nothing")


def adoption(side, tap):
    """In rounds: what hangs on an id that AWS made up is found when that is known."""
    adopted, wrong, status, path = 0, [], 1, os.path.join(side.folder, "adopt.json")
    for _ in range(3):
        status, out, err = side.muster("plan", "--adopt", "*", "--out", path)
        if status != 0:
            break
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)["resource_changes"]
        for change in plan:
            logical, change = change["address"].rsplit("/", 1)[1], change["change"]
            if "importing" not in change:
                continue
            adopted += 1
            changed = {name for name, value in change["after"].items() if change["before"].get(name) != value}
            if change["actions"] != ["no-op"] and not changed <= NOT_TOLD.get(logical, set()):
                wrong.append(f"{logical}: {change['before']} -> {change['after']}")
        status, out, err = side.muster("apply", path)
        # What is left was found only now, because it is looked for by an id that was not known before.
        if status == 0:
            break
        wrong += [line for line in err.splitlines() if "failed" in line and "AlreadyExists" not in line]
    # But the key: no service knows a key by a name of its own, so it cannot be adopted.
    tap.same((status, adopted), (0, len(stack()) - 1), "muster adopts all but the key")
    tap.same(wrong, [], "... as they are")


def difference(before, after, path=""):
    """Where two documents differ, a line each."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return "" if before == after or any(touched in path for touched in TOUCHED) else f"{path}: {before!r} -> {after!r}\n"
    return "".join(difference(before.get(name), after.get(name), f"{path}/{name}") for name in sorted({*before, *after}))


def stack():
    with open(os.path.join(HERE, "terraform.stack.json"), encoding="utf-8") as file:
        return json.load(file)["Resources"]


def mirror_find():
    places = [os.environ.get("TF_PLUGIN_MIRROR"), os.path.expanduser("~/.terraform.d/plugins"),
              os.path.expanduser("~/.local/share/terraform/plugins"), "/usr/local/share/terraform/plugins",
              "/usr/share/terraform/plugins", *sorted(glob.glob("/opt/*"))]
    for place in places:
        if place and glob.glob(os.path.join(place, PROVIDER, "*", "*", "terraform-provider-aws*")):
            return place
    return None


def roster(folder):
    accounts = (("one", "111111111111", "AKIAONE"), ("two", "222222222222", "AKIATWO"))
    path = os.path.join(folder, "roster.json")
    Side.write(path, json.dumps({
        "Accounts": [{"Name": name, "Id": number, "Access": {"Role": None}} for name, number, _ in accounts],
        "Sandbox": {"Credentials": [{"AccessKeyId": key, "SecretAccessKey": "testing", "Account": number, "User": "test"}
                                    for _, number, key in accounts]}}))
    return path, [(number, key) for _, number, key in accounts]


def main():
    mirror = mirror_find()
    sandbox = os.path.join(BUILD, "muster-sandbox")
    for missing, what in ((shutil.which("terraform") is None, "terraform is not installed"),
                          (mirror is None, "no mirror of terraform-provider-aws; name one in TF_PLUGIN_MIRROR"),
                          (not os.access(sandbox, os.X_OK), f"{sandbox} is not built")):
        if missing:
            print(f"1..0 # SKIP {what}")
            return 0
    tap = Tap()
    tap.same(sorted({logical for logical, _ in IMPORTS.values()}), sorted(stack()), "every resource of the stack is judged: "
             f"{len(stack())} of {len({r['Type'] for r in stack().values()})} types")
    with tempfile.TemporaryDirectory() as folder:
        path, accounts = roster(folder)
        with subprocess.Popen([sandbox, "--port", "0", "--roster", path],
                              stdout=subprocess.PIPE, text=True) as server:
            try:
                url = server.stdout.readline().strip()
                for course, (account, key) in zip((muster_first, terraform_first), accounts):
                    side = Side(folder, url, account, key, mirror)
                    start = time.time()
                    status, text = side.terraform("init", "-input=false", "-no-color")
                    if tap.ok(status == 0, f"Terraform starts in account {account}", text):
                        course(side, tap)
                    print(f"# {course.__name__}: {time.time() - start:.0f} s", flush=True)
            finally:
                server.terminate()
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
