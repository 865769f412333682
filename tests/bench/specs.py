"""Writes the spec directory of a large fleet: specs.py DIRECTORY ACCOUNTS REGIONS RESOURCES [DESCRIPTION].

Each account and region gets RESOURCES resources (at most 12): topics, rules and queues, half of them referring to
another, in records of some 600 bytes, as those of the shipped baseline are. A different DESCRIPTION changes one property
of one resource in every target."""
import json
import os
import sys

REGIONS = ["ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
           "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
           "us-east-1", "us-east-2", "us-west-1", "us-west-2"]
TAGS = [{"Key": "Owner", "Value": "security"}, {"Key": "CostCenter", "Value": "4711"}]


def topic(number):
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"findings-{number}", "DisplayName":
            f"Findings of level {number}", "KmsMasterKeyId": "alias/aws/sns", "Tags": TAGS}}


def rule(number, description):
    return {"Type": "AWS::Events::Rule", "Properties": {
        "Name": f"findings-{number}", "Description": description, "State": "ENABLED",
        "EventPattern": {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"],
                         "detail": {"severity": [{"numeric": [">=", number]}]}},
        "Targets": [{"Id": "topic", "Arn": {"Ref": f"Topic{number}"}}]}}


directory, accounts, regions, resources = sys.argv[1], *map(int, sys.argv[2:5])
description = sys.argv[5] if len(sys.argv) > 5 else "Tells of findings"
os.makedirs(os.path.join(directory, "stacks"), exist_ok=True)
members = {}
for i in range(resources):
    number = i // 2 + 1
    members[f"Topic{number}" if i % 2 == 0 else f"Rule{number}"] = (
        topic(number) if i % 2 == 0 else rule(number, description if number == 1 else "Tells of findings"))
files = {
    "muster.json": {"Version": 1, "HomeRegion": "eu-west-1", "Lineage": "01BENCHMARK000000000000000",
                    "Access": {"Role": "arn:aws:iam::${AccountId}:role/from-security"}},
    "accounts.json": {"Accounts": [{"Name": f"app-{i:04}", "Id": str(300000000000 + i)} for i in range(accounts)]},
    "stacks/detection.json": {"Targets": {"Accounts": ["*"], "Regions": REGIONS[:regions]}, "Resources": members},
}
for path, document in files.items():
    with open(os.path.join(directory, path), "w") as out:
        json.dump(document, out, indent=1)
