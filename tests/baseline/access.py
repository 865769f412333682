#!/usr/bin/env python3
"""Whether the policies that the guide hands out (specs/baseline/access) cover the calls that were really made.

access.py ROSTER READS STATS: STATS is the sandbox's count of calls, {"Target": {"account/region/service:Operation": n}};
READS is "plan" or "apply". Prints what is not covered, a line each; status 1 when there is something.

access.py --handlers: the same for every call that the baseline's types can make, whether a run made it or not.
"""
import fnmatch
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCESS = ROOT / "specs/baseline/access"

# IAM's names where they are not the operation's: Service Authorization Reference, "Actions, resources, and condition
# keys for Amazon S3", "... for AWS Lambda".
ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
}
FREE = {"sts:GetCallerIdentity"}
# What else IAM asks of who makes a call: passing a role, tags that go with a create, a role of the service's own.
ALSO = {
    "config:PutConfigurationRecorder": ["iam:PassRole"],
    "events:PutTargets": ["iam:PassRole"],
    "lambda:CreateFunction": ["iam:PassRole", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcs"],
    "lambda:UpdateFunctionConfiguration": ["iam:PassRole"],
    "lambda:GetFunction": ["lambda:ListTags"],
    "guardduty:CreateDetector": ["iam:CreateServiceLinkedRole"],
    "kms:CreateKey": ["kms:TagResource"],
}
# Handlers make these for properties that the baseline does not use: tags, limits, keys and logs of its own.
UNUSED = re.compile(
    r":(Tag|Untag)(Resource|Queue|Role)$|cloudtrail:(Add|Remove)Tags$|BucketTagging$|s3:PutBucketLogging$"
    r"|ObjectLockConfiguration$|PermissionsBoundary$|FunctionConcurrency$|KmsKey$|InsightSelectors$"
    r"|DataProtectionPolicy$|^AWS::SNS::Topic sns:(Uns|S)ubscribe$"
)


def actions(name):
    """The allowed actions of one policy file."""
    document = json.loads((ACCESS / f"{name}.json").read_text())
    allowed = set()
    for statement in document["Statement"]:
        action = statement["Action"]
        allowed.update([action] if isinstance(action, str) else action)
    return allowed


def policies(kind, writes):
    names = ["plan"] + (["apply"] if writes else [])
    if kind in ("security", "network"):
        names += [f"{name}-{kind}" for name in names]
    if kind == "security":
        names.append("chain" if writes else "chain-readonly")
    return set().union(*map(actions, names))


def needed(call):
    action = ACTIONS.get(call, call)
    return [] if call in FREE else [action, *ALSO.get(call, [])]


def missing(call, allowed):
    return [a for a in needed(call) if not any(fnmatch.fnmatchcase(a.lower(), p.lower()) for p in allowed)]


def made(roster, writes, stats):
    """Calls of a run that the policies of their account do not cover."""
    accounts = json.loads(pathlib.Path(roster).read_text())["Accounts"]
    kinds = {a["Id"]: next((t for t in a.get("Tags", []) if t in ("security", "network")), "") for a in accounts}
    wrong, used = set(), {}
    for target in json.loads(pathlib.Path(stats).read_text())["Target"]:
        account, _, call = target.split("/", 2)
        if account in kinds:  # the jump account's people need one permission: to assume the chain's first role
            kind = kinds[account]
            used.setdefault(kind, set()).update(needed(call))
            wrong.update(f"{kind or 'project'}: {call} needs {a}" for a in missing(call, policies(kind, writes)))
    return wrong


def handled():
    """Calls that the handlers of the baseline's types can make, and no policy covers."""
    types, uses, wrong = {}, {}, set()
    for path in (ROOT / "providers/aws/types").glob("*.json"):
        document = json.loads(path.read_text())
        types[document["Type"]] = document

    def resources(value, found):
        if isinstance(value, dict):
            if str(value.get("Type", "")).startswith("AWS::") and "Properties" in value:
                found.add(value["Type"])
            value = list(value.values())
        for item in value if isinstance(value, list) else []:
            resources(item, found)
        return found

    def calls(value, service, found):
        if isinstance(value, dict) and "Call" in value:
            found.add(f"{value.get('Service', service)}:{value['Call']}")
        for item in value if isinstance(value, list) else []:
            calls(item, service, found)
        return found

    for path in (ROOT / "specs/baseline/stacks").glob("*.json"):
        kind = {"log-archive": "security", "notification": "security", "chat": "network"}.get(path.stem, "")
        for name in resources(json.loads(path.read_text()), set()):
            uses.setdefault(name, set()).add(kind)
    for name, kinds in uses.items():
        for handler, steps in types[name]["Handlers"].items():
            writes = handler not in ("Read", "Find")
            for call in calls(steps, types[name]["Service"], set()):
                for kind in kinds:
                    if not (writes and UNUSED.search(f"{name} {call}")):
                        wrong.update(f"{kind or 'project'}: {name} {handler}: {call} needs {a}"
                                     for a in missing(call, policies(kind, writes)))
    return wrong


def main(arguments):
    wrong = handled() if arguments == ["--handlers"] else made(arguments[0], arguments[1] == "apply", arguments[2])
    print("\n".join(sorted(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
