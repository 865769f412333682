#!/usr/bin/env python3
"""A fleet of four accounts and four regions, killed at random: at a random moment or at a random boundary (stop.c), while
it is made, changed and destroyed, with latency, throttling, read-after-write lag, lost answers and broken connections.
TAP. Every twenty kills an apply comes to its end; then the sandbox and the records must be what they are in another
sandbox where the same specs were applied in one go.

MUSTER_KILLS=N  that many kills (220)      MUSTER_KILL_SEED=N  the same ones again"""
import difflib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import killing  # noqa: E402

KILLS = int(os.environ.get("MUSTER_KILLS") or 220)
SEED = int(os.environ.get("MUSTER_KILL_SEED") or time.time())
A_CHECK = 20
RUNS_A_KILL = 4  # at least one in so many of the runs of a stretch has to end in a kill
REGIONS = ["ap-northeast-1", "eu-west-1", "us-east-1", "us-west-2"]
CALM = {"LatencyMs": 0, "LagMs": 0, "Rate": 0}
FAULTS = [
    "operation=Create*,action=lost-answer,every=5", "operation=Put*,action=lost-answer,every=9",
    "operation=Delete*,action=lost-answer,every=4", "operation=[A-CE-Z]*,action=drop,every=23",
    "operation=*,code=InternalFailure,status=500,every=37", "operation=Create*,code=Throttling,status=400,every=11",
]


def mixed(spec):
    """A stack of what the baseline has none of, or only one of: names that are generated, ids that the service gives."""
    everyone = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": spec["text"]}}
    if spec["topic"]:
        topic["Properties"]["TopicName"] = spec["topic"]
    return {"Targets": {"Accounts": ["tag:project"], "Regions": spec["regions"]}, "Resources": {
        "Topic": topic,
        "TopicPolicy": {"Type": "AWS::SNS::TopicPolicy", "Properties": {
            "Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"AWS": everyone}, "Action": "sns:Publish", "Resource": {"Ref": "Topic"}}]}}},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {
            "Description": spec["text"], "KeyPolicy": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"AWS": everyone}, "Action": "kms:*", "Resource": "*"}]}}},
        "Alias": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/mixed", "TargetKeyId": {"Ref": "Key"}}},
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": spec["days"]}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": spec["delay"]}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": spec["group"]}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
            "Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [{"Ref": "Topic"}]}},
    }}


class Specs:
    """What is wanted: the baseline with a few things that vary, and the mixed stack."""

    def __init__(self, directory, dice):
        self.directory, self.dice = directory, dice
        self.spec = {"frequency": "FIFTEEN_MINUTES", "trail": "muster", "text": "a", "topic": None, "days": 7, "delay": 0,
                     "group": "a", "regions": ["*"], "mixed": True, "detection": True}
        shutil.copytree(killing.ROOT / "specs/baseline", directory, ignore=shutil.ignore_patterns(".muster"))
        settings = json.loads((directory / "muster.json").read_text())
        settings["Lineage"] = "01KILLEDFLEET000000000000A"
        settings["Parameters"].update(Chat="true", ChatWebhook={"Env": "MUSTER_CHAT_WEBHOOK"})
        (directory / "muster.json").write_text(json.dumps(settings))
        (directory / "accounts.json").write_text(json.dumps({"Accounts": [
            {"Name": "security", "Id": "111111111111", "Tags": ["security"], "Access": {"Role": None, "PlanRole": None}},
            {"Name": "network", "Id": "222222222222", "Tags": ["network"]},
            {"Name": "app", "Id": "333333333333", "Tags": ["project"]},
            {"Name": "web", "Id": "444444444444", "Tags": ["project"]}]}))
        self.stacks = {name: json.loads((directory / f"stacks/{name}.json").read_text())
                       for name in ("recording", "detection")}
        self.write("The fleet")

    def vary(self):
        dice, spec = self.dice, self.spec
        what = dice.choice(list(spec))
        spec[what] = {
            "frequency": lambda: dice.choice(["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"]),
            "trail": lambda: dice.choice(["muster", "other"]),
            "text": lambda: dice.choice("abc"), "topic": lambda: dice.choice([None, "fixed", "other"]),
            "days": lambda: dice.choice([7, 14, 30]), "delay": lambda: dice.choice([0, 5]),
            "group": lambda: dice.choice("ab"), "regions": lambda: dice.choice([["*"], ["home"], ["!us-west-2"]]),
            "mixed": lambda: not spec["mixed"], "detection": lambda: not spec["detection"]}[what]()
        self.write(f"{what} is {spec[what]}")
        return what

    def write(self, why):
        stacks, spec = self.directory / "stacks", self.spec
        recording = json.loads(json.dumps(self.stacks["recording"]))
        recording["Resources"]["Trail"]["Properties"]["TrailName"] = spec["trail"]
        recording["Resources"]["Detector"]["Properties"]["FindingPublishingFrequency"] = spec["frequency"]
        (stacks / "recording.json").write_text(json.dumps(recording))
        for name, stack in (("mixed", mixed(spec)), ("detection", self.stacks["detection"])):
            if spec[name]:
                (stacks / f"{name}.json").write_text(json.dumps(stack))
            else:
                (stacks / f"{name}.json").unlink(missing_ok=True)
        killing.commit(str(self.directory), why)


# What a trail has that nobody gave any; whether they were given in these words cannot be seen in AWS.
SELECTORS = [{"DataResources": [], "ExcludeManagementEventSources": [], "IncludeManagementEvents": True,
              "ReadWriteType": "All"}]


def going(item):
    """Deleted, and there until the service has done it: a key for days, a rule for moments."""
    return isinstance(item, dict) and ("DeletionMs" in item or item.get("ConfigRuleState") == "DELETING")


def picture(fleet, specs, known=None):
    """(the picture, the attributes known by address)"""
    records = fleet.records(specs)
    dump = killing.without(fleet.sandbox.dump(),
                           lambda item: item == SELECTORS or going(item))
    return killing.picture(dump, records, known), {a: r.get("Attributes") or {} for a, r in records.items()}


class Chaos:
    def __init__(self, tap, directory):
        self.tap, self.directory, self.dice = tap, directory, random.Random(SEED)
        self.specs = Specs(directory / "specs", self.dice)
        self.where = str(self.specs.directory)
        (directory / "sandbox.json").write_text(json.dumps({"Regions": {"Enabled": REGIONS}}))
        types = killing.unsettled_types(directory / "types")
        options = (str(self.specs.directory / "accounts.json"), "--config", str(directory / "sandbox.json"))
        self.fleet = killing.Fleet(killing.Sandbox(*options), self.specs.directory / ".muster", types)
        self.other = killing.Fleet(killing.Sandbox(*options), directory / "other", types)
        for fleet in (self.fleet, self.other):
            fleet.environment["MUSTER_CHAT_WEBHOOK"] = "https://chat.example.com/hooks/secret"
        self.kills, self.runs, self.longest, self.boundaries = 0, 0, 1.0, 1500

    def stop(self):
        self.fleet.sandbox.stop()
        self.other.sandbox.stop()

    def weather(self):
        dice = self.dice
        self.fleet.sandbox.post("config", {"LatencyMs": dice.choice([0, 2, 10, 30]), "LagMs": dice.choice([0, 0, 200]),
                                           "Rate": dice.choice([0, 0, 30])})
        self.fleet.sandbox.post("fault", {"Clear": True, "Faults": dice.sample(FAULTS, dice.choice([0, 0, 1, 2]))})

    def killed(self, *words):
        """One apply that is to be killed: its status. It may come to its end before, or to a failure that the weather
        brings."""
        self.runs += 1
        if self.dice.random() < 0.5:
            return self.fleet.run(self.where, "apply", "--auto-approve", *words,
                                  kill_at=1 + int(self.boundaries * self.dice.random() ** 2)).status
        process = subprocess.Popen(self.fleet.command(self.where, "apply", "--auto-approve", *words),
                                   env=self.fleet.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(0.03 + self.longest * self.dice.random() ** 2)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait()

    def round(self):
        what = self.dice.random()
        if what < 0.55:
            self.specs.vary()
        self.weather()
        status = self.killed(*(["--destroy"] if what > 0.88 else []))
        self.kills += status == killing.KILLED
        if status not in (killing.KILLED, 0, 1):
            self.tap.ok(False, f"run {self.runs} is killed, comes to its end or says what failed: status {status}")

    def wanted(self):
        """The same specs in one go, in the other sandbox."""
        self.other.sandbox.post("reset")
        shutil.rmtree(self.other.state, ignore_errors=True)
        copy = self.directory / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.where, copy, ignore=shutil.ignore_patterns(".muster"))
        settings = json.loads((copy / "muster.json").read_text())
        settings["State"] = {"Path": str(self.other.state)}
        (copy / "muster.json").write_text(json.dumps(settings))
        killing.commit(str(copy), "The state is elsewhere")
        applied = self.other.run(str(copy), "apply", "--auto-approve")
        return applied, *(picture(self.other, str(copy)) if applied.status == 0 else ([], None))

    def check(self):
        self.fleet.sandbox.post("config", CALM)
        self.fleet.sandbox.post("fault", {"Clear": True, "Faults": []})
        started, boundaries = time.monotonic(), []
        applied = self.fleet.run(self.where, "apply", "--auto-approve", "--json", boundaries=boundaries)
        took = time.monotonic() - started
        name = f"after {self.kills} kills in {self.runs} runs"
        self.tap.ok(applied.status == 0, f"{name}: an apply comes to its end", applied)
        reference, lines, known = self.wanted()
        self.tap.ok(reference.status == 0, f"{name}: ... in another sandbox too", reference)
        got, _ = picture(self.fleet, self.where, known)
        self.tap.ok(got == lines, f"{name}: nothing is forgotten and nothing there twice ({len(got)} lines)",
                    *difflib.unified_diff(lines, got, "in one go", "after kills", "", "", 3, ""))
        quiet = self.fleet.run(self.where, "plan", "--detailed-exitcode")
        self.tap.ok(quiet.status == 0 and "cut off" not in quiet.out, f"{name}: a plan is quiet", quiet)
        verified = self.fleet.run(self.where, "state", "verify")
        self.tap.ok(verified.status == 0, f"{name}: the history is whole", verified)
        if applied.status == 0 and took > 0.2:
            self.longest = min(took * 2, 10)

    def run(self):
        self.check()
        while self.kills < KILLS and not self.tap.failed:
            target, last = min(self.kills + A_CHECK, KILLS), self.runs + RUNS_A_KILL * A_CHECK
            while self.kills < target and self.runs < last and not self.tap.failed:
                self.round()
            if self.kills < target and not self.tap.failed:
                self.tap.ok(False, f"kills come: {self.kills} in {self.runs} runs, {target} wanted by now")
            self.check()
        self.tap.ok(self.kills >= KILLS, f"killed {self.kills} times, {KILLS} wanted")


def main():
    tap = killing.Tap()
    print(f"# MUSTER_KILL_SEED={SEED}")
    with tempfile.TemporaryDirectory(prefix="muster-kill.", dir=killing.SCRATCH) as name:
        chaos = Chaos(tap, pathlib.Path(name))
        try:
            chaos.run()
        finally:
            chaos.stop()
    return tap.done()


sys.exit(main())
