"""The JSON Schemas against the program: what they refuse, muster refuses. Prints TAP.

usage: schema_check.py MUSTER ROOT WORK [MUTATIONS]"""
import copy
import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys

import jsonschema

MUSTER, ROOT, WORK = map(os.path.abspath, sys.argv[1:4])
MUTATIONS = int(sys.argv[4]) if len(sys.argv) > 4 else 120
DELETE = object()
tests = failures = 0


def check(name, good, *facts):
    global tests, failures
    tests += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {tests} - {name}")
    for fact in [] if good else facts:
        print("#", str(fact)[:2000].replace("\n", "\n# "))


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def schema_of(name):
    out = subprocess.run([MUSTER, "types", "--schema", name], capture_output=True, text=True, check=True).stdout
    schema = json.loads(out)
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def refused(validator, document):
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    return None if error is None else f"{list(error.absolute_path)}: {error.message[:300]}"


class Fleet:
    """A spec directory whose files are changed one at a time."""

    def __init__(self, files):
        self.path, self.files = os.path.join(WORK, "fleet"), files
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(os.path.join(ROOT, "specs/baseline"), self.path)
        for name in glob.glob(self.path + "/stacks/*.json"):
            if os.path.relpath(name, self.path) not in files:
                os.remove(name)
        for name in files:
            self.write(name, files[name])

    def write(self, name, document):
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as file:
            json.dump(document, file)

    def validate(self, name, document):
        """None, or why muster refuses the fleet with `document` as this file."""
        self.write(name, document)
        run = subprocess.run([MUSTER, "-C", self.path, "validate"], capture_output=True, text=True, check=False)
        self.write(name, self.files[name])
        if run.returncode not in (0, 1):
            return f"DIED with {run.returncode}: {run.stderr}"
        return None if run.returncode == 0 else run.stderr


def changed(document, path, value):
    out = copy.deepcopy(document)
    at = out
    for key in path[:-1]:
        at = at[key] if isinstance(at, list) else at.setdefault(key, {})
    if value is DELETE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return out


SETTINGS = {"Version": 1, "HomeRegion": "eu-west-1", "Access": {"Role": "arn:aws:iam::${AccountId}:role/x"}}
ROSTER = {"Accounts": [{"Name": "security", "Id": "111111111111", "Tags": ["security"]},
                       {"Name": "app", "Id": "222222222222", "Tags": ["project"]}]}
STACK = {
    "Targets": {"Accounts": ["*"], "Regions": ["home"]},
    "Parameters": {"Owner": {"Type": "String", "Default": "me"}},
    "Conditions": {"Home": {"Fn::Equals": [{"Ref": "AWS::Region"}, {"Ref": "Muster::HomeRegion"}]}},
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}},
        "Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {"IsLogging": True, "S3BucketName": "logs-of-all"}},
        "Rule": {"Type": "AWS::Config::ConfigRule",
                 "Properties": {"Source": {"Owner": "AWS", "SourceIdentifier": "CLOUD_TRAIL_ENABLED"}}},
        "Recorder": {"Type": "AWS::Config::ConfigurationRecorder",
                     "Properties": {"RoleARN": "arn:aws:iam::111111111111:role/x"}},
    },
    "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}},
}
FILES = {"muster.json": SETTINGS, "accounts.json": ROSTER, "stacks/try.json": STACK}
TOPIC, RULE = ["Resources", "Topic"], ["Resources", "Rule", "Properties"]
TOPIC_NAME, TRAIL = TOPIC + ["Properties", "TopicName"], ["Resources", "Trail", "Properties"]
ACCOUNT = ["Accounts", 1]

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPo5fvacRQB00qaD4f/lx6WDzugd4EIOQLyGtzQ0U8Su a@example.com"

# What both refuse.
BAD = {
    "muster.json": [
        (["Version"], DELETE), (["Version"], 2), (["Version"], "1"), (["HomeRegion"], DELETE), (["HomeRegion"], "Ireland"),
        (["HomeRegoin"], "eu-west-1"), (["ConfigGlobalRegion"], 5), (["Access"], []), (["Access", "Roles"], "x"),
        (["Access", "Role"], "from-security"), (["Access", "Role"], ["x"]), (["Access", "Role"], "arn:aws:iam::1:role/x"),
        (["Access", "Role"], "arn:aws:iam::${Account}:role/x"), (["Access", "Chain"], "arn:aws:iam::111111111111:role/x"),
        (["Access", "Chain"], ["arn:aws:iam::${AccountId}:role/x"]), (["Access", "Chain"], None),
        (["Access", "SessionName"], "x"), (["Access", "SessionName"], "a b"), (["Access", "ExternalId"], "#########"),
        (["Access", "Profile"], 1), (["Lineage"], ""), (["Lineage"], "a b"), (["Lineage"], "x" * 65), (["Parameters"], []),
        (["State"], "here"), (["State", "Backend"], "s3"), (["State", "Path"], ""), (["State", "Bucket"], "x"),
        (["Approval", "Required"], -1), (["Approval", "Required"], "1"), (["Approval", "Required"], 101),
        (["Approval", "Keys"], [1]), (["Approval", "Keys"], [{"Email": "a@b"}]), (["Approval", "Keys"], "x"),
        (["Approval", "Keys"], [{"Key": "ssh-ed25519 A", "Email": "nobody"}]), (["Approval", "MaxAge"], "soon"),
        (["Approval", "MaxAge"], 5), (["Approval", "NotAuthor"], "yes"), (["Approval", "Who"], 1), (["Limits"], 5),
        (["Limits", "MaxDelete"], "101%"), (["Limits", "MaxDelete"], -1), (["Limits", "MaxDelete"], 1.5),
        (["Limits", "MaxDelete"], "10"), (["Limits", "MaxTargets"], "1.234%"), (["Limits", "MaxCreate"], 1),
        (["Parameters", "Owner"], {"Enf": "X"}), (["Parameters", "Owner"], None), (["Parameters", "Owner"], {"Env": ""}),
    ],
    "accounts.json": [
        (["Accounts"], DELETE), (["Accounts"], {}), (["Acounts"], []), (ACCOUNT, "app"), (ACCOUNT + ["Name"], DELETE),
        (ACCOUNT + ["Name"], ""), (ACCOUNT + ["Name"], "a/b"), (ACCOUNT + ["Name"], "a*"), (ACCOUNT + ["Name"], "!a"),
        (ACCOUNT + ["Name"], "tag:a"), (ACCOUNT + ["Name"], "222222222222"), (ACCOUNT + ["Name"], "x" * 65),
        (ACCOUNT + ["Name"], "a\tb"), (ACCOUNT + ["Id"], DELETE), (ACCOUNT + ["Id"], 222222222222),
        (ACCOUNT + ["Id"], "22222222222"), (ACCOUNT + ["Tags"], "project"), (ACCOUNT + ["Tags"], [""]),
        (ACCOUNT + ["Tags"], [1]), (ACCOUNT + ["Regions"], ["*"]), (ACCOUNT + ["Regions", "Only"], ["*"]),
        (ACCOUNT + ["Regions", "Include"], "*"), (ACCOUNT + ["Regions", "Exclude"], [""]), (ACCOUNT + ["Access"], "x"),
        (ACCOUNT + ["Access", "Rôle"], "x"), (ACCOUNT + ["Access", "Role"], 5), (ACCOUNT + ["Profile"], 1),
        (ACCOUNT + ["Parameters"], []), (ACCOUNT + ["Parameters", "Owner"], {}), (ACCOUNT + ["Email"], "x"),
    ],
    "stacks/try.json": [
        (["Targets"], DELETE), (["Resources"], DELETE), (["Resources"], {}), (["Ressources"], {}), (["Targets"], ["*"]),
        (["Targets", "Account"], "*"), (["Targets", "Accounts"], 5), (["Targets", "Regions"], [""]), (["Rules"], {}),
        (["Targets", "Regions"], ["!"]), (["AWSTemplateFormatVersion"], "2011-01-01"), (["Transform"], "AWS::Include"),
        (["Description"], 5), (["Metadata"], []), (["DependsOn"], 5), (["Moved"], {}), (["Moved"], [{"From": "A"}]),
        (["Moved"], [{"From": "a/b", "To": "Topic"}]), (["Moved"], ["A"]), (["Parameters", "Owner", "Type"], DELETE),
        (["Parameters", "Owner", "Type"], "Text"), (["Parameters", "Owner", "MinLength"], -1), (["Parameters", "A-b"],
         {"Type": "String"}), (["Parameters", "Owner", "NoEcho"], "true"), (["Parameters", "Owner", "Defualt"], 1),
        (["Parameters", "Owner", "AllowedValues"], "a"), (["Mappings"], {"A": {"B": 5}}),
        (["Mappings"], {"A": {"B": {"C": {"Ref": "x"}}}}), (["Conditions", "Home"], True),
        (["Conditions", "Home"], {"Ref": "Owner"}), (["Conditions", "Home"], {"Fn::Equals": ["a"]}),
        (["Conditions", "Home"], {"Fn::Not": [{"Condition": "Home"}, 1]}), (["Conditions", "A_b"], {"Fn::Equals": [1, 1]}),
        (TOPIC, []), (TOPIC + ["Type"], DELETE), (TOPIC + ["Type"], "AWS::SNS::Topik"), (TOPIC + ["Type"], 5),
        (TOPIC + ["Type"], {"Ref": "Owner"}), (TOPIC + ["Propertys"], {}), (TOPIC + ["Properties"], []),
        (TOPIC + ["DeletionPolicy"], "Snapshot"), (TOPIC + ["Protect"], "true"), (TOPIC + ["Adopt"], 1),
        (TOPIC + ["DependsOn"], {}), (TOPIC + ["Condition"], True), (TOPIC + ["CreationPolicy"], {}),
        (["Resources", "A-b"], {"Type": "AWS::SNS::Topic"}), (TOPIC_NAME, 5), (TOPIC_NAME, None), (TOPIC_NAME, ["x"]),
        (TOPIC_NAME, "x" * 257), (TOPIC_NAME, {"Fn::Sub": 5}), (TOPIC_NAME, {"Fn::Join": ["-"]}), (TOPIC_NAME, {"Ref": 1}),
        (TOPIC_NAME, {"Fn::Join": [1, ["a"]]}), (TOPIC_NAME, {"Fn::Select": [0, 5]}), (TOPIC_NAME, {"Fn::If": ["Home", 1]}),
        (TOPIC_NAME, {"Fn::Jion": ["-", []]}), (TOPIC_NAME, {"Fn::GetAZs": ""}), (TOPIC_NAME, {"Fn::ImportValue": "x"}),
        (TOPIC_NAME, {"Fn::GetAtt": "Topic"}), (TOPIC_NAME, {"Fn::GetAtt": ["Topic"]}), (TOPIC_NAME, {"Muster::File": 1}),
        (TOPIC_NAME, {"Fn::GetStackOutput": {"StackName": "x"}}), (TOPIC_NAME, {"Fn::GetStackOutput": "x"}),
        (TOPIC_NAME, {"Fn::FindInMap": ["a", "b"]}), (TOPIC_NAME, {"Fn::Sub": ["a"]}),
        (TOPIC_NAME, {"Fn::Select": [0, {"Muster::Map": {"Over": [], "As": "x"}}]}),
        (TOPIC + ["Properties", "DisplayName"], "x" * 101), (TOPIC + ["Properties", "FifoTopic"], "true"),
        (TOPIC + ["Properties", "SignatureVersion"], "3"), (TOPIC + ["Properties", "Tags"], {"Key": "a"}),
        (TOPIC + ["Properties", "Tags"], [{"Key": "a"}]), (TOPIC + ["Properties", "Tags"], [{"Key": "", "Value": "x"}]),
        (TOPIC + ["Properties", "Topicname"], "x"), (TRAIL + ["IsLogging"], DELETE), (TRAIL + ["IsLogging"], 1),
        (TRAIL[:-1] + ["Properties"], DELETE), (RULE + ["Source", "Owner"], "NOBODY"), (RULE + ["Source"], "AWS"),
        (RULE + ["MaximumExecutionFrequency"], "Daily"), (["Resources", "Recorder", "Properties", "Muster::Recording"], "no"),
        (["Resources", "Fn::ForEach::Loop"], ["X", ["a"]]), (["Resources", "Fn::ForEach::Loop"], ["X-Y", ["a"], {}]),
        (["Resources", "Fn::ForEach::Loop"], ["X", "abc", {}]), (["Outputs", "Arn"], "x"), (["Outputs", "Arn"], {}),
        (["Outputs", "Arn", "Export"], {"Name": "x"}), (["Outputs", "Arn", "Condition"], 1),
        (["Outputs", "Arn", "Value"], {"Fn::Nothing": 1}),
    ],
}
# What muster accepts: the schema must too.
GOOD = {
    "muster.json": [
        (["$schema"], "./muster.schema.json"), (["Description"], "x"), (["Access", "Role"], None), (["Limits", "MaxDelete"], 0),
        (["Limits", "MaxDelete"], "12.5%"), (["Limits", "MaxReplace"], "100%"), (["Approval"], {"Required": 0, "MaxAge": "7d"}),
        (["Approval"], {"Required": 1, "Keys": [KEY], "NotAuthor": True}),
        (["Parameters"], {"Owner": "x"}), (["Parameters"], {"Owner": {"Env": "HOME"}}), (["State"], {"Path": "../state"}),
        (["Access", "Chain"], []), (["HomeRegion"], "us-east-1"), (["Access", "ExternalId"], "a:b/c"),
        (["Lineage"], "01JDEXAMPLE"), (["Access", "Role"], "arn:aws:iam::${AccountId}:role/${AccountName}/x"),
    ],
    "accounts.json": [
        (["$schema"], 1), (ACCOUNT + ["Regions"], {"Include": ["eu-*"], "Exclude": ["eu-north-1"]}),
        (ACCOUNT + ["Name"], "Ünser Konto"), (ACCOUNT + ["Access"], {"Role": None}), (ACCOUNT + ["Parameters"], {"Owner": 5}),
        (ACCOUNT + ["Parameters"], {"Owner": True}), (ACCOUNT + ["Profile"], "p"), (ACCOUNT + ["Tags"], []),
    ],
    "stacks/try.json": [
        (["$schema"], "x"), (["AWSTemplateFormatVersion"], "2010-09-09"), (["Transform"], ["AWS::LanguageExtensions"]),
        (["Targets"], {}), (["Targets", "Accounts"], "app"), (["DependsOn"], []), (TOPIC + ["Properties"], DELETE),
        (TOPIC + ["Metadata"], 5), (TOPIC + ["DependsOn"], ["Trail"]), (TOPIC + ["Condition"], "Home"),
        (TOPIC_NAME, {"Fn::Sub": "x-${Owner}"}), (TOPIC_NAME, {"Fn::Sub": ["x-${A}", {"A": {"Ref": "Owner"}}]}),
        (TOPIC_NAME, {"Fn::If": ["Home", "a", {"Ref": "AWS::NoValue"}]}), (TRAIL + ["IsLogging"], {"Fn::If": ["Home", True, False]}),
        (TOPIC_NAME, {"Fn::Join": [{"Ref": "Owner"}, {"Fn::Split": [",", "a,b"]}]}), (TRAIL + ["TrailName"], "a.b"),
        (TOPIC + ["Properties"], {"Fn::If": ["Home", {"TopicName": "x"}, {}]}),
        (["Resources", "Recorder", "Properties", "Muster::Recording"], False),
        (RULE + ["Source"], {"Fn::If": ["Home", {"Owner": "AWS", "SourceIdentifier": "CLOUD_TRAIL_ENABLED"}, {"Ref": "AWS::NoValue"}]}),
        (RULE + ["InputParameters"], {"s3BucketName": {"Fn::Sub": "logs-${AWS::AccountId}"}}),
        (["Resources", "Fn::ForEach::Loop"], ["X", ["a", "b"], {"Topic${X}": {
            "Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t-${X}", "Tags": [{"Key": "${X}", "Value": "&{X}"}]}}}]),
        (["Resources", "Fn::ForEach::Loop"], ["X", ["true"], {"Topic${X}": {
            "Type": "AWS::SNS::Topic", "Properties": {"FifoTopic": "${X}", "TopicName": "${X}.fifo"}}}]),
        (["Resources", "Fn::ForEach::Loop"], ["X", ["TopicName"], {"New": {
            "Type": "AWS::SNS::Topic", "Properties": {"${X}": "of-a-loop"}}}]),
        (["Resources", "New"], {"Type": "AWS::CloudTrail::Trail", "Properties": {
            "Fn::ForEach::P": ["P", ["IsLogging"], {"${P}": True}], "S3BucketName": "b-b-b"}}),
        (["Conditions", "Other"], {"Fn::And": [{"Condition": "Home"}, {"Fn::Not": [{"Condition": "Home"}]}]}),
        (["Outputs", "Arn", "Value"], {"Fn::GetAtt": "Topic.TopicName"}), (["Mappings"], {"A": {"B": {"C": ["x"], "D": 1}}}),
        (["Outputs", "Arn", "Value"], {"Fn::Length": {"Muster::Accounts": "*"}}),
    ],
}


def cases(validators):
    fleet = Fleet(FILES)
    for name, base in FILES.items():
        check(f"{name}: valid before it is changed",
              refused(validators[name], base) is None and fleet.validate(name, base) is None,
              refused(validators[name], base), fleet.validate(name, base))
        for kind, table in (("bad", BAD), ("good", GOOD)):
            wrong = []
            for path, value in table[name]:
                document = changed(base, path, value)
                said, muster = refused(validators[name], document), fleet.validate(name, document)
                if (said is None) != (kind == "good") or (muster is None) != (kind == "good"):
                    wrong.append(f"{path} = {'(left out)' if value is DELETE else value}: schema {said}, muster {muster}")
            check(f"{name}: {len(table[name])} {kind} documents, for the schema as for muster", not wrong, *wrong)


def places(value, path=()):
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []:
        yield from places(inner, path + (key,))


def mutated(document, path, number):
    """One of a few ways to break what stands at the path."""
    values = [DELETE, None, 5, 1.5, "x", "", True, [], {}, [{}], {"Ref": "Nothing"}, {"Fn::Sub": "x"}, {"Fn::Nonsense": []}]
    number %= len(values) + 1
    if number < len(values):
        return changed(document, list(path), values[number])
    out = copy.deepcopy(document)
    at = out
    for key in path[:-1]:
        at = at[key]
    if isinstance(at, dict):
        at[path[-1] + "x"] = at.pop(path[-1])
    return out


def mutations(validators):
    names = ["muster.json", "accounts.json"] + sorted(
        os.path.relpath(name, ROOT + "/specs/baseline") for name in glob.glob(ROOT + "/specs/baseline/stacks/*.json"))
    files = {name: read(os.path.join(ROOT, "specs/baseline", name)) for name in names}
    fleet = Fleet(files)
    every = [(name, path, number) for name in names for path in places(files[name]) for number in range(14)]
    chosen = random.Random(20).sample(every, min(MUTATIONS, len(every)))
    wrong, refusals = [], 0
    for name, path, number in chosen:
        document = mutated(files[name], path, number)
        said = refused(validators.get(name, validators["stack"]), document)
        if said is None:
            continue
        refusals += 1
        # What no stack declares is a warning, and not looked at.
        if fleet.validate(name, document) is None and "Parameters" not in path[-2:]:
            wrong.append(f"{name} {path} {number}: the schema refuses, muster does not: {said}")
    check(f"of {len(chosen)} mutations of the baseline, what the schemas refuse ({refusals}) muster refuses",
          not wrong and refusals > len(chosen) / 10, *wrong)


def examples(validators):
    pages = sorted(glob.glob(ROOT + "/docs/reference/*-*.md"))
    wrong = []
    for page in pages:
        with open(page, encoding="utf-8") as file:
            text = file.read()
        name = text.split("\n", 1)[0][2:]
        blocks = re.findall(r"```json\n(.*?)\n```", text, re.S)
        if len(blocks) != 1:
            wrong.append(f"{page}: {len(blocks)} examples")
            continue
        stack = json.loads(blocks[0])
        (resource,) = stack["Resources"].values()
        own = schema_of(name)
        muster = Fleet({"muster.json": SETTINGS, "accounts.json": ROSTER, "stacks/try.json": stack}).validate(
            "stacks/try.json", stack)
        for said in refused(validators["stack"], stack), refused(own, resource["Properties"]), muster:
            if said is not None:
                wrong.append(f"{name}: {said}")
        if refused(own, {"Nonsense": 1}) is None or refused(own, []) is None:
            wrong.append(f"{name}: its schema refuses nothing")
    check(f"the examples of {len(pages)} types are valid, by the stack's schema, the type's and muster",
          not wrong and len(pages) > 30, *wrong)


def main():
    stack = schema_of("stack")
    validators = {"stack": stack, "stacks/try.json": stack, "muster.json": schema_of("muster.json"),
                  "accounts.json": schema_of("accounts.json")}
    check("the schemas are themselves valid", True)
    for name in ["muster.json", "accounts.json"] + glob.glob(ROOT + "/specs/baseline/stacks/*.json"):
        path = os.path.join(ROOT, "specs/baseline", name)
        said = refused(validators.get(name, stack), read(path))
        check(f"the baseline's {os.path.basename(path)} is valid", said is None, said)
    check("Access is the same for a fleet and for one account",
          all(validators["muster.json"].schema["definitions"][part] == validators["accounts.json"].schema["definitions"][part]
              for part in ("access", "role", "chainRole", "parameters", "parameterValue")))
    cases(validators)
    examples(validators)
    mutations(validators)
    print(f"1..{tests}")
    sys.exit(1 if failures else 0)


main()
